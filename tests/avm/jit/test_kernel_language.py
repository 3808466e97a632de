"""Kernels give in native form what they give in Python, and touch nothing outside of their buffers."""

from __future__ import annotations

import ctypes
import random
import struct
import sys
import textwrap
from array import array
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

import llvmlite.binding as llvm

from avm.jit import build, library
from avm.jit.kernel_language import KernelError, Kernels

HEAD = """
    from __future__ import annotations
    from avm.jit.kernel_types import move, seek
    from avm.jit.kernel_types import Bytes, Longs, Octets, Words
"""


def native(
    tmp_path_factory: pytest.TempPathFactory, body: str, rest: str = ""
) -> tuple[ModuleType, dict[str, Callable[..., int]], Any]:
    """A module of kernels in Python and compiled; the last item keeps the code alive."""
    name = f"kernel_{random.randrange(10**9)}"
    folder = tmp_path_factory.mktemp("kernels")
    (folder / f"{name}.py").write_text(textwrap.dedent(HEAD) + textwrap.dedent(body) + rest, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        module = __import__(name)
    finally:
        sys.path.remove(str(folder))
    kernels = Kernels()
    kernels.add(module)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(
        opt=2, reloc="default", codemodel="jitdefault", jit=True
    )
    code = build.optimised(llvm, machine, kernels.text())
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    functions = {
        export: library.function(engine.get_function_address(export), build.signatures([module])[export])
        for export in module.EXPORTS
    }
    return module, functions, engine


LANGUAGE = """
    EXPORTS = (
        "arithmetic", "control", "sum_words", "copy", "slices", "logic", "table", "choose", "late", "silent",
        "seek_mark", "seek_high", "seek_none", "seek_any", "move_octets", "move_longs", "move_into",
    )
    LIMIT = 7
    TABLE = (3, -1, 4)
    LETTERS = b"aqua"
    MARKS = bytes([0, 1, 2, 34, 92])
    HIGH = bytes(range(128, 256))
    ANY = bytes(range(256))

    def arithmetic(a: int, b: int) -> int:
        c = (a * 3 - b) % 1000
        c += a // 7
        c -= -b // 16
        c ^= a & 255 | (b >> 3) ^ (a << 2)
        return ~c + min(a, b) - max(a, b) + abs_of(b)

    def abs_of(a: int) -> int:
        return a if a >= 0 else -a

    def control(n: int) -> int:
        total = 0
        i = 0
        while True:
            i += 1
            if i > n:
                break
            if i % 3 == 0:
                continue
            elif i % 5 == 0:
                total += 100
            else:
                total += i
            for k in range(i):
                if k == LIMIT:
                    break
                total += k
            for k in range(2, i):
                total -= 1
        return total

    def sum_words(words: Words, longs: Longs) -> int:
        total = 0
        for i in range(len(words)):
            total += words[i]
        for i in range(len(longs)):
            total += longs[i]
        return total

    def copy(source: Bytes, target: Octets, at: int) -> int:
        for i in range(len(source)):
            target[at + i] = source[i] + 256
            target[at + i] ^= 1
        return len(target)

    def slices(text: Bytes, a: int, b: int) -> int:
        part = text[a:b]
        total = 0
        for i in range(len(part)):
            total = total * 31 + part[i]
        return (total + len(text[a:]) * 7 + len(text[:b])) % 1000003

    def logic(a: int, b: int) -> int:
        count = 0
        if a and b or not a:
            count += 1
        if 0 <= a < b or a == b:
            count += 2
        flag = a > 3 and safe(b)
        return count + flag * 4 + (a or b) * 8 + (a and b - a and 7) * 16

    def safe(b: int) -> bool:
        return b != 0

    def table(i: int) -> int:
        return TABLE[i] * 1000 + LETTERS[i]

    def choose(i: int) -> int:
        if i < 0:
            return -1
        elif i == 0:
            return 0
        return 1

    def late(words: Words, i: int) -> int:
        store(words, i)
        return words[0]

    def store(words: Words, i: int) -> None:
        if i < 0:
            return
        words[i] = 9

    def silent(a: int) -> bool:
        return a > 2

    def seek_mark(data: Octets, start: int, end: int) -> int:
        return seek(data, start, end, MARKS)

    def seek_high(data: Bytes, start: int, end: int) -> int:
        return seek(data, start, end, HIGH)

    def seek_none(data: Bytes, start: int, end: int) -> int:
        return seek(data, start, end, b"")

    def seek_any(data: Bytes, start: int, end: int) -> int:
        return seek(data, start, end, ANY)

    def move_octets(data: Octets, at: int, start: int, size: int) -> int:
        move(data, at, data, start, size)
        return size

    def move_longs(data: Longs, at: int, start: int, size: int) -> int:
        move(data, at, data, start, size)
        return size

    def move_into(data: Octets, at: int, source: Bytes, start: int, size: int) -> int:
        move(data, at, source, start, size)
        return size
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return native(tmp_path_factory, LANGUAGE)


NUMBERS = st.integers(-(2**20), 2**20)


@given(a=NUMBERS, b=NUMBERS)
def test_numbers(made: Any, a: int, b: int) -> None:
    module, functions, _ = made
    for name in ("arithmetic", "logic"):
        assert functions[name](a, b) == getattr(module, name)(a, b)
    assert functions["choose"](a) == module.choose(a)
    assert functions["silent"](a) == module.silent(a)


@given(n=st.integers(-3, 60))
def test_control_flow(made: Any, n: int) -> None:
    module, functions, _ = made
    assert functions["control"](n) == module.control(n)


@given(words=st.lists(st.integers(0, 2**32 - 1)), longs=st.lists(st.integers(-(2**50), 2**50)))
def test_buffers(made: Any, words: list[int], longs: list[int]) -> None:
    _, functions, _ = made
    assert functions["sum_words"](array("I", words), array("q", longs)) == sum(words) + sum(longs)


@given(text=st.binary(max_size=12), size=st.integers(0, 16), at=st.integers(-2, 18))
def test_an_access_outside_ends_the_kernel(made: Any, text: bytes, size: int, at: int) -> None:
    """The buffer lies in the middle of another, so that a byte beyond its ends would be seen to change."""
    _, functions, _ = made
    around = array("B", bytes(size + 64))
    target = array("B", bytes(size))
    if text and not 0 <= at <= size - len(text):
        with pytest.raises(IndexError):
            functions["copy"](text, target, at)
    else:
        assert functions["copy"](text, target, at) == size
        assert bytes(target[at : at + len(text)]) == bytes(c ^ 1 for c in text) or not text
    assert not any(around)


@given(text=st.binary(max_size=8), a=st.integers(-3, 12), b=st.integers(-3, 12))
def test_slices(made: Any, text: bytes, a: int, b: int) -> None:
    module, functions, _ = made
    if 0 <= a <= b <= len(text):
        assert functions["slices"](text, a, b) == module.slices(text, a, b)
    else:
        with pytest.raises(IndexError):
            functions["slices"](text, a, b)


def test_tables_and_called_kernels_are_checked(made: Any) -> None:
    module, functions, _ = made
    assert [functions["table"](i) for i in range(3)] == [module.table(i) for i in range(3)]
    with pytest.raises(IndexError):
        functions["table"](3)
    words = array("I", [1, 2])
    assert (functions["late"](words, -1), functions["late"](words, 0)) == (1, 9)
    with pytest.raises(IndexError):
        functions["late"](words, 2)


BUILTINS = """
    from avm.jit.kernel_types import Lanes4, Lanes8, Lanes16, any_bit, inline, lanes, load32, load64, longs, put_lanes
    from avm.jit.kernel_types import clear, rotate_right, shuffle, shuffle_two, spread, store64, words
"""
LANES = (
    BUILTINS
    + """
    EXPORTS = ("histogram", "fresh", "turn", "loads", "store", "mixed", "any_of", "load_lanes", "store_lanes", "word_lanes")
    SIZE = 8
    BACK = (3, 2, 1, 0)
    BOTH = (0, 4, 1, 5, 2, 6, 3, 7)
    WIDE = (7, 6, 5, 4, 3, 2, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7)
    COUNTS = (0, 1, 30, 31)
    TURNS = (1, 2, 30, 31)

    def histogram(text: Bytes, i: int) -> int:
        counts = longs(256)
        for k in range(len(text)):
            counts[text[k]] += 1 << 40
        return counts[i]

    def fresh(n: int, i: int) -> int:
        total = 0
        for k in range(n):
            seen = words(SIZE)
            total += seen[i]
            seen[i] = k + 1
        return total

    def turn(a: int) -> int:
        return rotate_right(a & 0xFFFFFFFF, 1) ^ rotate_right(a, 31)

    def loads(text: Bytes, i: int) -> int:
        return load32(text, i) ^ load64(text, i)

    def store(target: Octets, i: int, a: int) -> None:
        store64(target, i, a)

    def mixed(source: Words, target: Words) -> None:
        x = lanes(source, 0, 4)
        y = lanes(source, 4, 4)
        x += shuffle(y, BACK)
        put_lanes(target, 0, twice(x) ^ (y & x | rotate_right(y, 7)))
        put_lanes(target, 4, x - y * spread(77, 4) << COUNTS)
        put_lanes(target, 8, (x >> COUNTS) + (y >> 3) - rotate_right(x, TURNS))
        z = shuffle_two(x, y, BOTH)
        put_lanes(target, 12, z)
        put_lanes(target, 20, shuffle(z, WIDE))

    @inline
    def twice(x: Lanes4) -> Lanes4:
        return x + x

    def any_of(a: int) -> bool:
        return any_bit(spread(a, 8)) and not any_bit(spread(a, 4) ^ spread(a, 4))

    def load_lanes(text: Bytes, i: int, target: Words) -> None:
        put_lanes(target, 0, lanes(text, i, 4))

    def store_lanes(text: Bytes, target: Octets, i: int) -> None:
        put_lanes(target, i, lanes(text, 0, 4))

    def word_lanes(source: Words, i: int, target: Words, k: int) -> None:
        put_lanes(target, k, lanes(source, i, 4))
"""
)
LARGE = st.integers(-(2**62), 2**63 - 1)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return native(tmp_path_factory, LANES)


@given(text=st.binary(max_size=12), i=st.integers(0, 255))
def test_local_buffers_begin_with_zeros(wide: Any, text: bytes, i: int) -> None:
    module, functions, _ = wide
    text += bytes([i])
    assert functions["histogram"](text, i) == module.histogram(text, i) == text.count(i) << 40
    assert functions["fresh"](5, i % 8) == module.fresh(5, i % 8) == 0
    for outside in (-1, 256, 2**40):
        with pytest.raises(IndexError):
            functions["histogram"](text, outside)


@given(a=LARGE, text=st.binary(max_size=20), i=st.integers(-4, 20))
def test_numbers_of_several_bytes(wide: Any, a: int, text: bytes, i: int) -> None:
    module, functions, _ = wide
    assert functions["turn"](a) == module.turn(a)
    assert functions["any_of"](a) == module.any_of(a)
    targets = [array("B", text), array("B", text)]
    for found, target in zip((functions, vars(module)), targets, strict=True):
        if 0 <= i <= len(text) - 8:
            found["store"](target, i, a)
            assert found["loads"](target.tobytes(), i) == a ^ (a & 0xFFFFFFFF)
        else:
            with pytest.raises(IndexError):
                found["store"](target, i, a)
            with pytest.raises(IndexError):
                found["loads"](text, i)
    assert targets[0] == targets[1]


@given(numbers=st.lists(st.integers(0, 2**32 - 1), min_size=8, max_size=8))
def test_lanes(wide: Any, numbers: list[int]) -> None:
    module, functions, _ = wide
    made, expected = array("I", [1] * 40), array("I", [1] * 40)
    functions["mixed"](array("I", numbers), made)
    module.mixed(array("I", numbers), expected)
    assert made == expected


@given(text=st.binary(max_size=40), size=st.integers(0, 40), i=st.integers(-20, 40), k=st.integers(-20, 40))
def test_lanes_stay_inside_of_buffers(wide: Any, text: bytes, size: int, i: int, k: int) -> None:
    module, functions, _ = wide
    outcomes = []
    for found in (functions, vars(module)):
        octets, numbers = array("B", bytes(size)), array("I", bytes(4 * size))
        raised = []
        for name, arguments in (
            ("load_lanes", (text, i, numbers)),
            ("store_lanes", (text, octets, i)),
            ("word_lanes", (array("I", range(len(text))), i, numbers, k)),
        ):
            try:
                found[name](*arguments)
            except IndexError:
                raised.append(name)
        outcomes.append((raised, octets, numbers))
    assert outcomes[0] == outcomes[1]
    assert ("load_lanes" in outcomes[0][0]) == (not 0 <= i <= len(text) - 16 or size < 4)


def outcome(call: Callable[..., int], *arguments: Any) -> int | None:
    """What a kernel answers, None if it raises IndexError."""
    try:
        return call(*arguments)
    except IndexError:
        return None


LONG_TEXT = st.lists(st.sampled_from([0, 1, 2, 3, 33, 34, 35, 92, 127, 128, 255, *[65] * 60]), max_size=70).map(bytes)


@given(text=LONG_TEXT, start=st.integers(-2, 72), end=st.integers(-2, 72))
def test_seek(made: Any, text: bytes, start: int, end: int) -> None:
    module, functions, _ = made
    for name in ("seek_mark", "seek_high", "seek_none", "seek_any"):
        data = array("B", text) if name == "seek_mark" else text
        assert outcome(functions[name], data, start, end) == outcome(getattr(module, name), data, start, end)


@given(byte=st.integers(0, 255), size=st.integers(1, 40), at=st.integers(0, 39))
def test_seek_knows_every_byte(made: Any, byte: int, size: int, at: int) -> None:
    """With sixteen bytes at once and one by one."""
    module, functions, _ = made
    text = bytes(byte if k == at else 65 for k in range(size))
    found = min(size, at)
    assert functions["seek_mark"](array("B", text), 0, size) == (found if byte in module.MARKS else size)
    assert functions["seek_high"](text, 0, size) == (found if byte > 127 else size)


@given(
    size=st.integers(0, 40),
    at=st.integers(-2, 42),
    start=st.integers(-2, 42),
    count=st.sampled_from([*range(-2, 43), 2**61, 2**62, -(2**61)]),
)
def test_move(made: Any, size: int, at: int, start: int, count: int) -> None:
    module, functions, _ = made
    for name, code in (("move_octets", "B"), ("move_longs", "q")):
        native, plain = array(code, range(size)), array(code, range(size))
        expected = outcome(getattr(module, name), plain, at, start, count)
        assert outcome(functions[name], native, at, start, count) == expected
        assert native == plain
        if expected is not None:
            assert list(native[at : at + count]) == list(range(start, start + count))
    native, plain = array("B", bytes(size)), array("B", bytes(size))
    arguments = (at, bytes(range(1, 31)), start, count)
    assert outcome(functions["move_into"], native, *arguments) == outcome(module.move_into, plain, *arguments)
    assert native == plain


FLOW = """
    from avm.jit.kernel_types import clear, inline, prefetch, rare
    EXPORTS = (
        "first_later", "inner", "guarded", "search", "factorial", "even", "fields", "reversed_fields", "below", "zeros",
        "added", "shifted", "hint",
    )
    FIELDS = 3

    def first_later(data: Longs, n: int) -> int:
        total = 0
        for i in range(n):
            if i == 0:
                known = data[i]
            else:
                total += known * data[i]
                known = data[i] + 1
        return total

    def inner(data: Longs, n: int) -> int:
        best = 0
        i = 0
        while True:
            if i >= n:
                return best
            k = i
            while k < n:
                k += 1
                if data[k - 1] < 0:
                    break
                if data[k - 1] == 0:
                    continue
                best = max(best, k - i)
            last = k + i
            i += 1
            best += last & 1

    @rare
    def give_up(data: Longs, why: int) -> int:
        data[0] = why
        return data[len(data)]

    def guarded(data: Longs, n: int) -> int:
        size = n if n < 7 or give_up(data, 7) else 0
        if n == 5:
            return give_up(data, 8)
        if n > 5 and give_up(data, 9) > 2:
            return 1
        return size + place(data, n) + len(data)

    @inline
    def place(data: Longs, n: int) -> int:
        for i in range(len(data)):
            if data[i] == n:
                return i
        if n == 3:
            give_up(data, 10)
        return -1

    def search(data: Longs, n: int) -> int:
        i = 7
        return place(data, n) * 1000 + place(data, n + 1) + i

    def factorial(n: int) -> int:
        return n * factorial(n - 1) if n > 1 else 1

    def even(n: int) -> bool:
        return n <= 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n > 0 and even(n - 1)

    def fields(data: Longs, node: int) -> int:
        data[node] = 1
        data[node + 1] = 2
        data[node + FIELDS] = 3
        data[node - 1] = 4
        node += 2
        return data[node] + data[node - FIELDS] + data[2]

    def reversed_fields(data: Longs, node: int) -> int:
        total = data[node + 3] + data[node + 2]
        if total > 3:
            total += data[node] + data[node + 4]
        return total + data[node + 1]

    def below(data: Longs, at: int) -> int:
        return data[at - 2] if at else data[1]

    def zeros(data: Longs, at: int, size: int) -> None:
        clear(data, at, size)

    def added(data: Longs, at: int) -> int:
        data[0] += place(data, at) + changed(data)
        return data[0]

    def changed(data: Longs) -> int:
        data[0] = 5
        return 1

    def hint(data: Longs, at: int) -> int:
        prefetch(data, at)
        return at

    def shifted(data: Longs, at: int) -> int:
        four = data[at : at + 4]
        return four[0] + four[3] * 10
"""


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return native(tmp_path_factory, FLOW)


class Strict(array):  # type: ignore[type-arg]
    """As kernels see it: nothing before its start."""

    def __getitem__(self, i: Any) -> Any:
        if not isinstance(i, slice) and i < 0:
            raise IndexError(i)
        return super().__getitem__(i)

    def __setitem__(self, i: Any, value: Any) -> None:
        if i < 0:
            raise IndexError(i)
        super().__setitem__(i, value)


@given(data=st.lists(st.integers(-2, 9), max_size=7), n=st.integers(-3, 8), size=st.integers(-3, 8))
def test_flow(flow: Any, data: list[int], n: int, size: int) -> None:
    """What is known behind loops, early ends and inlined functions; what a buffer has where a kernel ended early is nobody's business."""
    module, functions, _ = flow
    for name in module.EXPORTS:
        if name in ("factorial", "even"):
            assert functions[name](n) == getattr(module, name)(n)
            continue
        native, plain = array("q", data), Strict("q", data)
        more = (size,) if name == "zeros" else ()
        found = outcome(getattr(module, name), plain, n, *more)
        if name == "shifted" and not 0 <= n <= len(data) - 4:
            found = None  # a slice ends at the end of the array in Python
        if name != "zeros" or 0 <= n <= n + size <= len(data):
            assert outcome(functions[name], native, n, *more) == (0 if name == "zeros" else found), name
            assert found is None or native == plain
        else:
            assert outcome(functions[name], native, n, size) is None


def test_what_python_forbids_does_no_harm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A variable without a value is zero, a function without a result ends the kernel."""
    body = """
    EXPORTS = ("unassigned", "resultless")

    def unassigned(data: Longs, n: int) -> int:
        if n:
            at = n
        return data[at]

    def resultless(n: int) -> int:
        if n:
            return n
    """
    _, functions, engine = native(tmp_path_factory, body)
    data = array("q", [5, 6])
    assert [outcome(functions["unassigned"], data, n) for n in range(3)] == [5, 6, None]
    assert [outcome(functions["resultless"], n) for n in range(2)] == [None, 1]
    assert engine is not None


class Programs:
    """Random kernels that stay within 64 bits, and end."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.depth = 0
        self.loops = 0

    def expression(self, depth: int = 2) -> str:
        """A number."""
        choice = self.random.randrange(11 if depth else 4)
        left, right = ("", "") if choice < 5 else (self.expression(depth - 1), self.expression(depth - 1))
        if choice < 2:
            return self.random.choice("abcd")
        if choice == 2:
            return str(self.random.randrange(-3, 9))
        if choice < 5:
            return self.element()
        if choice < 8:
            return f"({left} {self.random.choice('+-*&|^')} {right})"
        if choice == 8:
            return f"helper{self.random.randrange(3)}(w, {left}, {right} & 7)"
        if choice == 9:
            return f"({left} if {self.condition(depth - 1)} else {right})"
        return f"({left} {self.random.choice(['and', 'or'])} {right})"

    def element(self) -> str:
        """Of the buffer, mostly inside."""
        return (
            f"w[{self.random.choice(['(a & 7)', '(b & 7)', 'p', 'p', 'p', ''])} + {self.random.randrange(5)}]".replace(
                "[ +", "["
            )
        )

    def condition(self, depth: int = 1) -> str:
        """A truth value."""
        choice = self.random.randrange(5 if depth else 2)
        if choice < 2:
            relation = self.random.choice(["<", "<=", "==", "!=", ">", ">="])
            return f"{self.expression(depth)} {relation} {self.expression(depth)}"
        if choice == 2:
            return f"not ({self.condition(depth - 1)})"
        return f"({self.condition(depth - 1)}) {self.random.choice(['and', 'or'])} ({self.condition(depth - 1)})"

    def body(self, depth: int, *, loop: bool = False) -> list[str]:
        """Some statements."""
        lines = []
        for _ in range(self.random.randrange(1, 5)):
            lines += self.statement(depth, loop=loop)
        return lines

    def statement(self, depth: int, *, loop: bool) -> list[str]:
        """One statement."""
        choice = self.random.randrange(13 if depth else 7)
        inside = ["    " + line for line in self.body(depth - 1, loop=loop or choice >= 10)] if choice >= 7 else []
        if choice < 3:
            return [f"{self.random.choice('abcd')} = {self.expression()} & 0x7FFF"]
        if choice == 3:
            return [f"{self.element()} = {self.expression()} & 0x7FFF"]
        if choice == 4:
            return [
                f"{self.random.choice([self.random.choice('abcd'), self.element()])} ^= {self.expression()} & 0x7FFF"
            ]
        if choice == 5:
            return [f"p = {self.expression(1)} & 7"]
        if choice == 6:
            return [self.random.choice(["continue", "break"]) if loop and self.random.random() < 0.3 else "c += 1"]
        if choice < 9:
            return [f"if {self.condition()}:", *inside]
        if choice == 9:
            return [
                f"if {self.condition()}:",
                *inside,
                "else:",
                *["    " + line for line in self.body(depth - 1, loop=loop)],
            ]
        self.loops += 1
        name = f"i{self.loops}"
        if choice < 12:
            return [f"for {name} in range({self.random.randrange(3)}, 4):", f"    d = {name}", *inside]
        return [f"{name} = 0", f"while {name} < 3 and ({self.condition()}):", f"    {name} += 1", *inside]

    def function(self, name: str, *, exported: bool) -> str:
        """A whole function."""
        end = self.random.choice(
            ["return (a + 3 * b + 5 * c + 7 * d + 11 * p) & 0x7FFF", f"return {self.expression()} & 0x7FFF"]
        )
        lines = ["a &= 0x7FFF", "b &= 0x7FFF", "c = 1", "d = 2", "p = b & 7", *self.body(3 if exported else 1), end]
        if not exported:
            lines = [line.replace("helper", "int_of") for line in lines]
        return f"\ndef {name}(w: Longs, a: int, b: int) -> int:\n" + "\n".join("    " + line for line in lines) + "\n"


@pytest.mark.parametrize(("seed", "count"), [(1, 8), pytest.param(2, 80, marks=pytest.mark.slow)])
def test_random_programs(tmp_path_factory: pytest.TempPathFactory, seed: int, count: int) -> None:
    programs = Programs(seed)
    names = [f"f{i}" for i in range(count)]
    helpers = [programs.function(f"helper{i}", exported=False) for i in range(3)]
    text = "".join([*helpers, *[programs.function(name, exported=True) for name in names]])
    simple = "\ndef int_of{}(w: Longs, a: int, b: int) -> int:\n    return a - b if a > b else w[b]\n"
    text = "".join(simple.format(i) for i in range(3)) + text
    module, functions, engine = native(tmp_path_factory, "", f"EXPORTS = {tuple(names)}\n{text}")
    ended = 0
    for name in names:
        for _ in range(30):
            content = [programs.random.randrange(-3, 40) for _ in range(programs.random.choice([0, 5, 11, 12, 12, 12]))]
            a, b = programs.random.randrange(-4, 12), programs.random.randrange(-4, 12)
            plain, made = Strict("q", content), array("q", content)
            expected = outcome(getattr(module, name), plain, a, b)
            assert outcome(functions[name], made, a, b) == expected, (name, content, a, b)
            assert expected is None or made == plain
            ended += expected is None
    assert count < ended < 25 * count
    assert engine is not None  # which owns the code


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def f(a):\n        return 1", "needs a type"),
        ("def f(a: int) -> float:\n        return 1", "needs a type"),
        ("def f(a: int) -> int:\n        return a / 2", "no Div"),
        ("def f(a: int) -> int:\n        return a // a", "positive constant"),
        ("def f(a: int) -> int:\n        return b", "`b` is not known"),
        ("def f(a: int) -> int:\n        return print(a)", "not a function of a kernel"),
        ("def f(a: int) -> int:\n        with a:\n            pass", "no With"),
        ("def f(a: Bytes) -> int:\n        return a", "Bytes where int"),
        ("def f(a: int) -> int:\n        return a[0]", "only buffers have elements"),
        ("def f(a: Bytes) -> int:\n        return a[0:1:2]", "no step"),
        ("def f(a: int) -> int:\n        for i in (1, 2):\n            pass", "needs a range"),
        ("def f(a: int) -> int:\n        return f(1, 2)", "takes 1 arguments"),
        ("def f(a: int) -> int:\n        return 'x'", "no constant"),
        ("def f(a: int) -> int:\n        return words(a)[0]", "a constant of"),
        ("def f(a: int) -> int:\n        return words(1025)[0]", "a constant of"),
        ("def f(a: int) -> int:\n        return words(1, 2)[0]", "takes 1 arguments"),
        ("def f(a: int) -> Lanes4:\n        return spread(a, 4)", "cannot pass to the outside"),
        ("def f(a: int) -> int:\n        return spread(a, 5)", "a constant of"),
        ("def f(a: int) -> int:\n        return spread(a, 4)", "Lanes4 where int"),
        ("def f(a: int) -> bool:\n        return any_bit(spread(a, 4) + spread(a, 8))", "Lanes8 where Lanes4"),
        ("def f(a: int) -> bool:\n        return any_bit(spread(a, 4) % spread(a, 4))", "no Mod of lanes"),
        ("def f(a: int) -> bool:\n        return any_bit(spread(a, 4) << 32)", "a constant of"),
        ("def f(a: int) -> bool:\n        return any_bit(shuffle(spread(a, 4), FOUR))", "numbers below 4"),
        ("def f(a: Longs) -> bool:\n        return any_bit(lanes(a, 0, 4))", "bytes or words are expected"),
        ("def f(a: Words) -> int:\n        return load32(a, 0)", "a buffer of bytes is expected"),
        ("@(lambda f: f)\n    def f(a: int) -> int:\n        return a", "decorators are"),
        ("def f(a: Bytes) -> int:\n        return clear(a, 0, 1)", "writes to a buffer"),
        ("@inline\n    def f(a: int) -> int:\n        return a", "not of what is exported"),
        ("def f(a: Bytes, b: Bytes) -> int:\n        return seek(a, 0, 1, b)", "those of a constant"),
        ("def f(a: Longs) -> int:\n        return seek(a, 0, 1, b'x')", "those of a constant"),
        ("def f(a: int) -> int:\n        return seek(a, 0, 1, b'x')", "int where a buffer"),
        ("def f(a: Bytes) -> int:\n        return seek(a, 0)", "takes 4 arguments"),
        ("def f(a: Bytes) -> int:\n        return move(a, 0, a, 1, 1)", "a buffer of the same kind"),
        ("def f(a: Words, b: Longs) -> int:\n        return move(a, 0, b, 1, 1)", "a buffer of the same kind"),
    ],
)
def test_what_is_not_of_the_language_is_refused(
    tmp_path_factory: pytest.TempPathFactory, body: str, message: str
) -> None:
    with pytest.raises(KernelError, match=message):
        native(tmp_path_factory, f'{BUILTINS}    EXPORTS = ("f",)\n    FOUR = (1, 2, 3, 4)\n\n    {body}\n')


OUTSIDE = """
    from avm.jit.kernel_types import address_of, attempt, invoke, numbers, octets, store32
    from avm.jit.kernel_types import narrow, ratio, scaled, widen

    EXPORTS = (
        "peek", "poke", "total", "call_two", "around", "tried", "tried_twice", "put32", "quotient", "times", "wider", "narrower", "called",
    )
    CALLBACKS = ("called",)
    WORD = b"word"

    def peek(address: int, size: int, i: int) -> int:
        return octets(address, size)[i]

    def poke(address: int, count: int, i: int, value: int) -> None:
        view = numbers(address, count)
        view[i] = value

    def total(address: int, count: int) -> int:
        view = numbers(address, count)
        total = 0
        for i in range(count):
            total += view[i]
        return total

    def call_two(address: int, a: int, b: int) -> int:
        return invoke(address, a, b) + 1

    def around(address: int, data: Octets, i: int) -> int:
        data[0] = 1
        found = invoke(address, address_of(data), len(data))
        return found + data[i]

    def outside(data: Octets, i: int) -> int:
        return data[i]

    def nothing(data: Octets, i: int) -> None:
        data[i] = 5

    def tried(data: Octets, i: int) -> int:
        found = attempt(outside, -7, data, i)
        return found * 2

    def tried_twice(data: Octets, i: int) -> int:
        return attempt(nothing, -1, data, i) * 10 + attempt(tried, -1, data, i)

    def put32(data: Octets, i: int, number: int) -> None:
        store32(data, i, number)

    def quotient(a: int, b: int) -> int:
        return ratio(a, b)

    def times(bits: int, n: int) -> int:
        return scaled(bits, n) // 2

    def wider(bits: int) -> int:
        return widen(bits) // 2

    def narrower(bits: int) -> int:
        return narrow(bits)

    def called(env: int, caller: int, values: int, count: int) -> int:
        return attempt(served, -1, env, values, count)

    def served(env: int, values: int, count: int) -> int:
        return numbers(env, 1)[numbers(values, count)[0]]
"""
BITS64 = st.one_of(
    st.floats(allow_nan=False).map(lambda x: int.from_bytes(struct.pack("<d", x), "little", signed=True)),
    st.integers(-(2**63), 2**63 - 1),
)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return native(tmp_path_factory, OUTSIDE)


def both(made: Any) -> list[Any]:
    """The compiled kernels and the plain ones, by name."""
    module, functions, _ = made
    return [functions, vars(module)]


@given(values=st.lists(st.integers(-(2**40), 2**40), max_size=5), count=st.integers(-2, 5), i=st.integers(-3, 6))
def test_memory_from_outside_is_checked_against_its_size(foreign: Any, values: list[int], count: int, i: int) -> None:
    count = min(count, len(values))
    for found in both(foreign)[: 2 if i >= 0 else 1]:  # below 0, Python counts from the end
        buffer = array("q", values)
        address, _ = buffer.buffer_info()
        assert outcome(found["total"], address, count) == (None if count < 0 else sum(values[: max(count, 0)]))
        inside = 0 <= i < count
        assert outcome(found["peek"], address, 8 * count, 8 * i) == (values[i] & 255 if inside else None)
        outcome(found["poke"], address, count, i, 7)
        assert list(buffer) == [7 if inside and k == i else value for k, value in enumerate(values)]


def test_functions_from_outside(foreign: Any) -> None:
    seen = []

    def answer(a: int, b: int) -> int:
        seen.append((a, b))
        return a - b

    def change(address: int, size: int) -> int:
        found = (ctypes.c_ubyte * size).from_address(address)
        seen.append(bytes(found))
        found[2] = 9
        return 100

    prototype = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    callbacks = prototype(answer), prototype(change)
    addresses = [ctypes.cast(one, ctypes.c_void_p).value for one in callbacks]
    for found in both(foreign):
        seen.clear()
        assert found["call_two"](addresses[0], -5, 2**40) == -5 - 2**40 + 1
        data = array("B", bytes(3))
        assert found["around"](addresses[1], data, 2) == 109
        # an access behind the call is not put together with those before it
        assert outcome(found["around"], addresses[1], data, 3) is None
        assert seen == [(-5, 2**40), b"\1\0\0", b"\1\0\x09"]


@given(size=st.integers(0, 4), i=st.integers(-2, 6))
def test_a_kernel_goes_on_where_another_ended_early(foreign: Any, size: int, i: int) -> None:
    for found in both(foreign)[: 2 if i >= 0 else 1]:
        answer = outcome(found["tried_twice"], array("B", range(size)), i)
        assert answer == (10 if 0 <= i < size else -10 - 14)


@given(size=st.integers(0, 8), i=st.integers(-2, 9), number=LARGE)
def test_store32(foreign: Any, size: int, i: int, number: int) -> None:
    made = [array("B", bytes(size)) for _ in range(2)]
    raised = [
        outcome(found["put32"], one, i, number) is None and not 0 <= i <= size - 4
        for found, one in zip(both(foreign), made, strict=True)
    ]
    assert made[0] == made[1]
    assert raised == [not 0 <= i <= size - 4] * 2


@given(a=st.integers(-(2**53), 2**53), power=st.integers(0, 18), bits=BITS64, n=st.integers(1, 2**53))
def test_floating_point(foreign: Any, a: int, power: int, bits: int, n: int) -> None:
    native, plain = both(foreign)
    assert native["quotient"](a, 10**power) == plain["quotient"](a, 10**power)
    assert native["times"](bits, n) == plain["times"](bits, n)
    if not _is_nan64(bits):
        assert native["narrower"](bits) == plain["narrower"](bits)
    assert native["wider"](bits & 0xFFFFFFFF) == plain["wider"](bits & 0xFFFFFFFF)


def _is_nan64(bits: int) -> bool:
    """Which bits a number that is none keeps is the processor's affair."""
    return bits & (2**63 - 1) > 0x7FF << 52


def test_a_callback_does_not_end_early(tmp_path_factory: pytest.TempPathFactory, foreign: Any) -> None:
    env, values = array("q", [41]), array("q", [0])
    for found in both(foreign):
        for place, expected in ((0, 41), (1, -1), (2**40, -1)):
            values[0] = place
            assert found["called"](env.buffer_info()[0], 0, values.buffer_info()[0], 1) == expected
    with pytest.raises(KernelError, match="a callback must not end early"):
        native(
            tmp_path_factory,
            """
            from avm.jit.kernel_types import numbers
            EXPORTS = CALLBACKS = ("called",)

            def called(env: int, i: int) -> int:
                return numbers(env, 1)[i]
            """,
        )
