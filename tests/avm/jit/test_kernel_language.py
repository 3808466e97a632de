"""Kernels give in native form what they give in Python, and touch nothing outside of their buffers."""

from __future__ import annotations

import random
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

from avm.jit import library
from avm.jit.kernel_language import KernelError, Kernels

HEAD = """
    from __future__ import annotations
    from avm.jit.kernel_types import Bytes, Longs, Octets, Words
"""


def native(
    tmp_path_factory: pytest.TempPathFactory, body: str
) -> tuple[ModuleType, dict[str, Callable[..., int]], Any]:
    """A module of kernels in Python and compiled; the last item keeps the code alive."""
    name = f"kernel_{random.randrange(10**9)}"
    folder = tmp_path_factory.mktemp("kernels")
    (folder / f"{name}.py").write_text(textwrap.dedent(HEAD) + textwrap.dedent(body), encoding="utf-8")
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
        opt=2, reloc="pic", codemodel="jitdefault", jit=True
    )
    code = library.optimised(llvm, machine, str(kernels.module))
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    functions = {
        export: library.function(engine.get_function_address(export), getattr(module, export))
        for export in module.EXPORTS
    }
    return module, functions, engine


LANGUAGE = """
    EXPORTS = ("arithmetic", "control", "sum_words", "copy", "slices", "logic", "table", "choose", "late", "silent")
    LIMIT = 7
    TABLE = (3, -1, 4)
    LETTERS = b"aqua"

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
        return count + flag * 4

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
    ],
)
def test_what_is_not_of_the_language_is_refused(
    tmp_path_factory: pytest.TempPathFactory, body: str, message: str
) -> None:
    with pytest.raises(KernelError, match=message):
        native(tmp_path_factory, f'    EXPORTS = ("f",)\n\n    {body}\n')
