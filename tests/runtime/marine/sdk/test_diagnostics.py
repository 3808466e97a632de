"""What is refused: code and line of every finding, several in one run; the place to the column; both forms of messages."""

from __future__ import annotations

import re

import pytest

from aquac.render import render_text
from aquac.render_json import to_json
from tests.runtime.marine.sdk import kit

MARK = re.compile(r"#\s*error: (MS\d{4}(?:, MS\d{4})*)")
HEAD = """from dataclasses import dataclass, field
from runtime.marine.sdk import MountedBinaryResult, export, i32, log, service, start, u8, u64
"""

CASES = {
    "names": """
LIMIT = 3
def f(a: int) -> int:
    return a + missing  # error: MS0201

def g(a: int) -> int:
    f = 1
    return lenght("x")  # error: MS0201

def f(b: int) -> None:  # error: MS0202
    pass

@export
def h(flag: bool, text: str) -> int:
    if flag:
        x = 1
    y = x  # error: MS0203
    for i in range(3):
        z = i
        w = later  # error: MS0203
    later = 3
    print(text)  # error: MS0201
    return z + y  # error: MS0203
""",
    "state": """
count = 0
names: list[str] = []

@export
def f() -> int:
    count = 1  # error: MS0204
    return count

@export
def g() -> int:
    global names, other  # error: MS0201
    names.append("x")
    count += 1  # error: MS0204
    return count
""",
    "syntax": """
def f(:  # error: MS0101
    pass
""",
    "unsupported": """
@export
def f(a: int, *rest: int) -> int:  # error: MS0102
    return a

@export
def g(a: int) -> int:
    try:  # error: MS0102
        a += 1
    except ValueError:
        pass
    b = lambda x: x  # error: MS0102
    c = (1, 2)  # error: MS0102
    d = {1, 2}  # error: MS0102
    with a:  # error: MS0102
        pass
    def inner() -> None:  # error: MS0102
        pass
    e = [1, 2, 3]
    e[0:1] = [4]  # error: MS0102
    x, y = e  # error: MS0102
    h = f"{a!r}"  # error: MS0102
    i = isinstance(a, int)  # error: MS0102
    j = a is 3  # error: MS0102
    k = map(g, e)  # error: MS0102
    l = g  # error: MS0102
    yield a  # error: MS0102
    return 1
""",
    "top level": """
import os  # error: MS0104
from json import loads  # error: MS0104
from runtime.marine.sdk import exprot  # error: MS0104
for i in range(3):  # error: MS0103
    pass
a = b = 1  # error: MS0103
@export
def f() -> None:
    pass
""",
    "annotations": """
@export
def f(a, b: int) -> int:  # error: MS0301
    return b

@export
def g(a: tuple[int, int], b: set[int]) -> None:  # error: MS0301
    pass

@export
def h(a: list[None]) -> None:  # error: MS0301
    pass

@export
def i(a: int) -> int:
    x: Foo = 1  # error: MS0301
    d: dict[float, int] = {}  # error: MS0301
    e: int | str = 3  # error: MS0301
    j = x + f(1, 2)
    return g(d)
""",
    "types": """
@dataclass
class P:
    x: int
    y: str = "a"

    def m(self, a: int) -> int:
        return a

@export
def f(a: int, s: str, xs: list[int], p: P) -> int:
    b = a + s  # error: MS0303
    c = s * s  # error: MS0303
    d: str = a  # error: MS0302
    e = [1, "a"]  # error: MS0302
    f: u8 = 256  # error: MS0304
    g = 99999999999999999999  # error: MS0304
    h = p.z  # error: MS0305
    i = s.uper()  # error: MS0305
    j = xs.push(1)  # error: MS0305
    k = P()  # error: MS0306
    l = P(1, z=2)  # error: MS0306
    m = p.m("a")  # error: MS0302
    n = p.m(1, 2)  # error: MS0306
    o = -s  # error: MS0303
    q = s < a  # error: MS0303
    r = a in a  # error: MS0303
    t = a[0]  # error: MS0303
    s[0] = "x"  # error: MS0303
    u = len(a)  # error: MS0303
    v = xs.sort(key=a)  # error: MS0102
    for w in a:  # error: MS0303
        pass
    xs.append("x")  # error: MS0302
    y = ",".join(xs)  # error: MS0302
    z = 1.5 ** 2  # error: MS0303
    log.shout("x")  # error: MS0305
    aa = s.split(1)  # error: MS0302
    bb = sum([s])  # error: MS0303
    cc = f"{p}"  # error: MS0303
    dd = [p] < [p]  # error: MS0303
    return b
""",
    "optional": """
@dataclass
class P:
    x: int

def find(n: int) -> P | None:
    return None if n < 0 else P(n)

@export
def f(a: int | None, n: int) -> int:
    b = a + 1  # error: MS0307
    p = find(n)
    c = p.x  # error: MS0307
    if a is None:
        return a  # error: MS0302, MS0307
    if p is not None and p.x > 3:
        d = p.x + a
    p = find(2)
    while p is not None:
        p = find(3)
    e = p.x  # error: MS0307
    g = n is None  # error: MS0303
    h: int | None | None = None  # error: MS0301
    return 1
""",
    "mixed": """
@export
def f(a: u64, b: int, c: u8) -> u64:
    d = a + b  # error: MS0308
    e = a + 1 + c
    g = a < b
    h = max(a, b)  # error: MS0308
    return a - -1  # error: MS0304
""",
    "unclear": """
empty = []  # error: MS0309
nothing = None  # error: MS0309
@export
def f(a: list[int]) -> None:
    b = []  # error: MS0309
    c = {}  # error: MS0309
    d = None  # error: MS0309
    b.append(1)
    e: list[int] = []
""",
    "recursive": """
@dataclass
class Node:  # error: MS0310
    children: "list[Node]"

@export
def f(n: int) -> int:
    return n
""",
    "returns": """
@export
def f(a: int) -> int:
    if a > 0:  # error: MS0401
        return 1

@export
def g(a: int) -> int:
    while True:
        if a > 3:
            return a
        a += 1

@export
def h(a: int) -> int:
    for i in range(a):  # error: MS0401
        return i

@export
def i(a: int) -> None:
    return a  # error: MS0302

@export
def j(a: int) -> int:
    if a > 3:
        raise ValueError("x")
    else:
        return  # error: MS0302

@export
def k() -> None:
    break  # error: MS0402
""",
    "interface": """
@dataclass
class Empty:
    pass

@service("other")
class Other:
    def f(self, x: dict[str, int]) -> int: ...  # error: MS0501
    def g(self, x: int) -> int:  # error: MS0501
        return x

@service("host")
class Host:
    def curl(self, args: list[str]) -> str: ...  # error: MS0503
    def ls(self, args: list[str]) -> MountedBinaryResult: ...

class Plain:  # error: MS0502
    x: int

@property  # error: MS0502
def f() -> None:
    pass

@export
def g(e: Empty) -> None:  # error: MS0501
    pass

@export
def h() -> dict[str, int]:  # error: MS0501
    return {"a": 1}

@export
def allocate() -> None:  # error: MS0202
    pass

@start
def begin(a: int) -> None:  # error: MS0501
    pass
""",
    "order": """
def size() -> int:
    return len(names)

first = size()  # error: MS0203
names = ["a"]

@export
def f() -> int:
    return first
""",
}


def found(text: str) -> list[tuple[int, str]]:
    made = kit.built(text)
    for diagnostic in made.diagnostics:
        assert diagnostic.notes or diagnostic.code.id == "MS0101", diagnostic
    return [(d.file.lines.position(d.span.start).line if d.span else 0, d.code.id) for d in made.diagnostics]


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str) -> None:
    text = HEAD + CASES[name]
    expected = []
    for number, line in enumerate(text.splitlines(), 1):
        match = MARK.search(line)
        if match:
            expected.append((number, set(match[1].split(", "))))
    got = found(text)
    assert [line for line, _ in got] == [line for line, _ in expected], got
    for (_, code), (line, codes) in zip(got, expected, strict=True):
        assert code in codes, (line, code)


def test_nothing_exported() -> None:
    assert found("x = 1\n") == [(0, "MS0504")]


def test_deep_nesting_is_a_finding() -> None:
    assert found(HEAD + f"@export\ndef f(a: int) -> int:\n    return {'a + ' * 3000}a\n") == [(5, "MS0105")]
    assert [
        code for _, code in found(HEAD + f"@export\ndef f(a: int) -> int:\n    return {'(' * 5000}a{')' * 5000}\n")
    ] == ["MS0101"]


def test_columns_count_as_diagnostics_of_the_compiler_do() -> None:
    text = HEAD + '@export\ndef f(a: int) -> str:\n    return "😀é" + a\n'
    made = kit.built(text)
    (entry,) = to_json(made.diagnostics, 1)["diagnostics"]
    assert entry["code"] == "MS0303"
    assert entry["span"]["start"]["line"] == 5
    assert entry["span"]["start"]["column"] == 12
    assert entry["notes"][0]["message"] == "convert the other one with str(…)"
    assert render_text(made.diagnostics).splitlines() == [
        "error[MS0303]: `+` does not exist for str and int",
        " --> module.py:5:12",
        "  |",
        '5 |     return "😀é" + a',
        "  |            ^^^^^^^^^",
        "  = convert the other one with str(…)",
    ]


def test_suggestions() -> None:
    text = HEAD + "@export\ndef f(value: str) -> str:\n    return valeu.uper()\n"
    assert kit.built(text).diagnostics[0].notes[0].message == "did you mean `value`?"


@pytest.mark.parametrize(
    "text", ["", "\0", "def", "@export\n", "x: int", "class A: pass", "\ufeff", "from x import *", "import *"]
)
def test_broken_files_are_findings(text: str) -> None:
    assert kit.built(text).diagnostics


def test_an_interface_that_is_too_large() -> None:
    """At most 127 instructions an adapter: the message names the function."""
    arguments = ", ".join(f"a{n}: str" for n in range(25))
    text = HEAD + f"@export\ndef g() -> int:\n    return 1\n\n@export\ndef f({arguments}) -> int:\n    return len(a3)\n"
    assert found(text) == [(8, "MS0501")]
    fewer = ", ".join(f"a{n}: str" for n in range(20))
    assert kit.built(HEAD + f"@export\ndef f({fewer}) -> int:\n    return len(a3)\n").wasm is not None


def test_a_program_of_many_functions_is_refused_in_one_run() -> None:
    text = HEAD + "".join(f"@export\ndef f{n}(a: int) -> str:\n    return a\n" for n in range(200))
    assert len(found(text)) == 200
