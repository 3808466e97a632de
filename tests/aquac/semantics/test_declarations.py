"""Rules of top-level definitions."""

import pytest

from aquac.semantics.limits import TYPE_DEPTH_MAX, TYPE_SIZE_MAX

from .programs import accepted, check, checked

CASES = {
    "data": """
data A:
  x: u8
  x: string  -- error: AQ0209 "x"

data A:  -- error: AQ0207 "A"
  y: u8

data B:
  s: *u8  -- error: AQ0221 "s"

data C:
  c: ?C  -- error: AQ0206 "C"

data D:
  z: u8
  f: *u8  -- error: AQ0221 "f"
""",
    "alias": """
data P:
  x: u8

alias A1: P
alias A2: []A1
alias A3: u8, u8 -> bool
alias A4: *u8
alias A1: u8  -- error: AQ0208 "A1"
alias A5: Later  -- error: AQ0206 "Later"
alias A6: []A4  -- error: AQ0220 "A4"
alias Later: u8
""",
    "service": """
const ID = "x"
const NUM = 1

service A(ID):
  go()

service B(NUM):  -- error: AQ0301 "NUM"
  go()

service C(zz):  -- error: AQ0201 "zz"
  go()

service D("d"):
  two() -> u8, u8  -- error: AQ0225 "two"

service E("e"):
  go(x: Zz)  -- error: AQ0206 "Zz"

service A("again"):  -- error: AQ0207 "A"
  go()

service F("f"):
  go()
  go()  -- error: AQ0209 "go"

service G(%init_peer_id%):
  go()

service H("h"):
  z() -> u8, u8
  b() -> u8, u8  -- error: AQ0225 "b"

service I("i"):
  a(x: Yy) -> u8, u8  -- error: AQ0206 "Yy"
  a() -> u8, u8  -- error: AQ0225 "a"
""",
    "ability": """
ability A:
  a: u8
  b: *u8
  c(x: u8) -> u8, u8
  a: string  -- error: AQ0209 "a"

ability B:
  z: Zz  -- error: AQ0206 "Zz"
""",
    "arrow types stop at their first wrong part": """
service A("a"):
  ok()
  go(x: Zz, y: Yy) -> Xx  -- error: AQ0206 "Zz"
""",
    "constants": """
const A = 1
const B = A
const C = nope  -- error: AQ0201 "nope"
const A = 2  -- warning: AQ0905 "A"
const D ?= "s"
const D ?= "t"
const D ?= 1  -- error: AQ0301 "1"
const INIT_PEER_ID = 1  -- warning: AQ0905 "INIT_PEER_ID"

func f():
  x = B + "s"  -- error: AQ0302 ""s"", warning: AQ0903 "+"
  y = C
""",
    "signatures": """
data P:
  x: u8

func f{P}(a: []Zz, b: Yy) -> Xx:  -- error: AQ0206 "Zz", error: AQ0206 "Yy", error: AQ0206 "Xx"
  <- a
""",
}


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_rule(text: str) -> None:
    check("aqua Main\n" + text)


def nested_data(depth: int, fields: int) -> str:
    """Data types in each other; the outermost is `depth` deep, its innermost scalars included."""
    text = "aqua Main\n\n"
    for n in range(1, depth):
        inner = "u8" if n == 1 else f"D{n - 1}"
        text += f"data D{n}:\n" + "".join(f"  f{i}: {inner}\n" for i in range(fields)) + "\n"
    return text


def test_depth_of_types_is_limited() -> None:
    accepted(nested_data(TYPE_DEPTH_MAX, 1))
    _, found = checked(nested_data(TYPE_DEPTH_MAX + 1, 1))
    assert [d.code.id for d in found] == ["AQ0109"]
    accepted(f"aqua Main\n\nalias A: {'[]' * (TYPE_DEPTH_MAX - 1)}u8\n")
    _, found = checked(f"aqua Main\n\nalias A: {'[]' * TYPE_DEPTH_MAX}u8\n")
    assert [d.code.id for d in found] == ["AQ0109"]


def test_size_of_types_is_limited() -> None:
    depth = TYPE_SIZE_MAX.bit_length() - 1  # 2 ** depth - 1 nodes
    assert 2**depth - 1 <= TYPE_SIZE_MAX < 2 ** (depth + 1) - 1
    accepted(nested_data(depth, 2))
    _, found = checked(nested_data(depth + 3, 2))
    assert [d.code.id for d in found] == ["AQ0109"]
