"""The native reader of AIR takes nothing that the exact parser refuses, and gives the very program the others give."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avm import Avm
from avm.air.parser import parse_exactly
from avm.data.interpreter_data import InterpreterData
from avm.ir.opcodes import UNREAD
from avm.ir.program import Program
from avm.ir.quick import quick_program
from avm.ir.unread import skeleton, unread_program
from avm.jit import library
from avm.jit.kernels import air_text
from avm.jit.library import Library
from runtime.sim.air_scripts import valid_script
from tests.avm.air.test_quick import KINDS, PIECES, UNUSUAL
from tests.avm.provoked_rows import run
from tests.conformance.runner import default_files, read_cases


@pytest.fixture(scope="module")
def kernels() -> Library:
    pytest.importorskip("llvmlite")
    found = library.get()
    if found is None:
        pytest.skip("no native code on this platform")
    return found


def whole(program: Program) -> Program:
    """With all operands read."""
    assert program.reader is not None
    for pc in range(len(program)):
        if program.code[pc] == UNREAD:
            program.reader.read(pc)
    return program


def shape(program: Program) -> list[object]:
    """Everything, with names instead of slots, whose order differs."""
    from avm.ir.disasm import disassemble

    length = range(len(program))
    fixed = [program.fixed[pc] if isinstance(program.fixed, list) else program.fixed.get(pc) for pc in length]
    if isinstance(program.operands, dict):
        program.operands = [program.operands.get(pc, ()) for pc in length]
    texts = [program.text(pc) for pc in length]
    return [disassemble(program), fixed, program.fold_steps, list(program.starts), texts, program.folds_streams()]


def check(text: str, kernels: Library, *, taken: bool | None = None) -> None:
    found = unread_program(text, kernels, {})
    if found is not None:
        expected = quick_program(text)
        assert expected is not None, text
        assert shape(whole(found)) == shape(expected)
    if taken is not None:
        assert (found is not None) == taken


@pytest.mark.parametrize("text", KINDS)
def test_every_kind_of_instruction_is_taken(text: str, kernels: Library) -> None:
    check(text, kernels, taken=True)


@pytest.mark.parametrize("text", UNUSUAL)
def test_anything_else_is_left_to_the_parser(text: str, kernels: Library) -> None:
    check(text, kernels, taken=False)


@pytest.mark.parametrize("text", [*KINDS, *UNUSUAL])
def test_the_kernel_is_the_same_in_python(text: str, kernels: Library) -> None:
    if text.isascii():
        data = text.encode()
        native = skeleton(data, kernels.read_air, {})
        assert native == skeleton(data, air_text.read_air, {})


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("(ap 9223372036854775807 x)", True),
        ("(ap 9223372036854775808 x)", False),
        ("(ap -9223372036854775808 x)", True),
        ("(ap -9223372036854775809 x)", False),
        ("(ap 10000000000000000000 x)", False),
        ("(ap 1.5 x)", True),
        ("(ap 123456789.25 x)", False),
        ("(ap 1. x)", True),
        ("(ap .5 x)", False),
        ("(ap true x)", True),
        ("(ap x true)", False),
        ("(ap 1 seq)", False),
        ("(ap 1 sequence)", True),
        ("(seq (ap 1 x) (ap x.$.a! y))", True),
        ("(seq (ap 1 x) (ap x.$.a!.b y))", False),
        ("(seq (ap 1 x) (ap x.$.[x] y))", True),
        ("(seq (ap 1 x) (ap x.$.[y] z))", False),
        ("(seq (ap 1 x) (ap x.$ z))", False),
        ("(seq (ap 1 x) (ap x.length z))", True),
        ("(ap %last_error%.$.message z)", True),
        ("(ap :error:.$.message z)", True),
        ("(ap :error: z", False),
        ('(fail 0 "x")', False),
        ('(fail 1 "x")', True),
        ("(next i)", False),
        ("(fold [] i (par (next i) (next i)))", False),
        ("(fold [] i (fold [] i (null)))", False),
        ("(fold [] i (new i (null)))", False),
        ("(new i (fold [] i (null)))", True),
        ("(seq (ap 1 $s) (fold $s i (seq (next i) (ap 1 x))))", False),
        ("(seq (fold [] i (null)) (next i))", False),
        ("(seq (fold [] i (next i)) (par (next i) (null)))", None),
    ],
)
def test_corners(text: str, taken: bool | None, kernels: Library) -> None:
    check(text, kernels, taken=taken)


def test_buffers_grow(kernels: Library) -> None:
    """Deep nesting, many names, dense instructions."""
    deep = 3000
    for text in (
        "(seq (null) " * deep + "(null)" + ")" * deep,
        "(seq (null)" * deep + "(null)" + ")" * deep,
        "(par " * deep + "(null)" + "(null))" * deep,
        "(seq " * deep + "(ap 1 a)" + "".join(f"(ap 1 b{i}))" for i in range(deep)),
    ):
        check(text, kernels, taken=True)


def test_names_that_collide_are_left_to_the_parser(kernels: Library) -> None:
    """A run of full places longer than the kernel looks at; in Python, where the hash can be chosen."""
    names = "".join(f"(seq (ap 1 n{i}) " for i in range(200)) + "(null)" + ")" * 200

    def one_place(*arguments: object) -> int:
        return air_text.read_air(*arguments)  # type: ignore[arg-type]

    assert skeleton(names.encode(), one_place, {}) is not None
    original = air_text.intern.__globals__["PROBES_MAX"]
    air_text.intern.__globals__["PROBES_MAX"] = 0
    try:
        assert skeleton(names.encode(), one_place, {}) is None
    finally:
        air_text.intern.__globals__["PROBES_MAX"] = original


def test_corpora(kernels: Library) -> None:
    taken = valid = 0
    for area in ("avm-parse", "avm", "aqua-air"):
        for path in default_files(area):
            for case in read_cases(path):
                text = case.get("air")
                if isinstance(text, str) and len(text) < 20_000:
                    check(text, kernels)
                    taken += unread_program(text, kernels, {}) is not None
                    valid += parse_exactly(text).instruction is not None
    assert taken > 500
    assert taken > 0.95 * valid


@given(
    seed=st.integers(0, 2**32), edits=st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(PIECES)), max_size=3)
)
@example(seed=0, edits=[])
def test_random_and_damaged_scripts(kernels: Library, seed: int, edits: list[tuple[int, str]]) -> None:
    rng = random.Random(seed)
    text = valid_script(rng, ["p", "q"], rng.choice((3, 8, 16)))
    check(text, kernels)
    for place, piece in edits:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + rng.choice((0, 0, 1, 2)) :]
    check(text, kernels)


def test_the_interpreter_has_scripts_read_by_native_code(kernels: Library) -> None:
    """And runs them itself."""
    assert kernels is library.loaded()
    script = '(seq (ap 1 x) (call %init_peer_id% ("s" "f") [x] y))'
    outcomes = {}
    for engine in ("interp", "python"):
        vm = Avm(engine)
        outcomes[engine] = run(vm, script, InterpreterData())
        (kept,) = vm._caches._programs.values()
        assert (kept.reader is None) == (engine == "python")
        assert vm.stats().native.runs == 0
    assert outcomes["interp"] == outcomes["python"]


def test_operands_are_read_when_they_run(kernels: Library) -> None:
    script = '(seq (ap 1 x) (xor (match x 2 (call "p" ("s" "f") [x])) (xor (fail 1 "a") (ap x y))))'
    program = unread_program(script, kernels, {})
    assert program is not None
    assert [pc for pc in range(len(program)) if program.code[pc] == UNREAD] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    vm = Avm("jit")  # a run with `fail` is left to the interpreter
    assert run(vm, script, InterpreterData()) == run(Avm("python"), script, InterpreterData())
    (kept,) = vm._caches._programs.values()
    assert [pc for pc in range(len(kept)) if kept.code[pc] == UNREAD] == [5, 6, 9]
