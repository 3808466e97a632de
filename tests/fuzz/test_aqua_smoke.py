"""Small slices of the compiler's fuzzers, the same ones in every run; `tasks.py fuzz` sets AQUA_FUZZ_MINUTES for longer ones."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest

from aquac import compile_bundle
from avm.air import parse
from tests.conformance.aqua_check_reference import CheckReference
from tests.fuzz.aqua_diagnostics import SOURCES
from tests.fuzz.aqua_diagnostics import run as compare_diagnostics
from tests.fuzz.aqua_differential import Reference, Verdict, ours, run
from tests.fuzz.aqua_features import NESTED, count, nested
from tests.fuzz.aqua_generator import generate
from tests.fuzz.aqua_hostile import attempt, damaged
from tests.fuzz.aqua_mutation import corpus, hostile, mutated
from tests.fuzz.aqua_shrink import shrink

MINUTES = float(os.environ.get("AQUA_FUZZ_MINUTES", "0"))
SCALE = 1 + int(20 * MINUTES)
SECONDS_MAX = 20.0
"""CPU seconds for one program of a few hundred lines on the slowest machine."""

needs_corpus = pytest.mark.skipif(not corpus(), reason="the conformance corpus is not here")


def check(files: dict[str, str]) -> None:
    """A result or diagnostics, in time, whatever the text is; scripts are valid."""
    started = time.process_time()
    compiled = compile_bundle(files, "main.aqua")
    assert time.process_time() - started < SECONDS_MAX
    for function in compiled.functions.values():
        assert parse(function.script).ok, function.script
    for diagnostic in compiled.diagnostics:
        assert diagnostic.message
        if diagnostic.file is not None and diagnostic.span is not None:
            assert 0 <= diagnostic.span.start <= diagnostic.span.end


@pytest.mark.slow
def test_generated_programs_compile() -> None:
    for seed in range(40 * SCALE):
        program = generate(seed)
        found = ours(program.files, program.entry, program.options)
        assert not [error for error in found["errors"] if "AQ0502" not in error and "AQ0501" not in error], seed
        for function in found["functions"].values():
            assert parse(function["script"]).ok, seed


def test_same_seed_same_program() -> None:
    assert generate(5) == generate(5)
    assert generate(5) != generate(6)


@pytest.mark.slow
def test_every_feature_occurs() -> None:
    counts = count(map(generate, range(800)))
    assert not [name for name, number in counts.items() if not number]


def test_a_block_in_a_block() -> None:
    head = NESTED["if in an if"]
    assert nested("  if a:\n    x = 1\n    if b:\n      y = 1", head)
    assert not nested("  if a:\n    x = 1\n  if b:\n    y = 1", head)


@needs_corpus
@pytest.mark.slow
def test_damaged_programs_give_diagnostics() -> None:
    for seed in range(300 * SCALE):
        check(hostile(seed))


@needs_corpus
@pytest.mark.slow
def test_damaged_programs_are_refused_in_time() -> None:
    for seed in (622, 1007944, 1041396, 2006390, 2050659, *range(200 * SCALE)):
        attempt(damaged(seed))


@needs_corpus
@pytest.mark.slow
def test_small_mistakes_give_diagnostics() -> None:
    for seed in range(100 * SCALE):
        check(mutated(seed).files)


DEEP = 10_000
DEEP_TEXTS = {
    "parentheses": f"func f() -> u8:\n  <- {'(' * DEEP}1{')' * DEEP}\n",
    "brackets": f"func f():\n  x = {'[' * DEEP}1{']' * DEEP}\n",
    "open brackets": f"func f():\n  x = {'[' * DEEP}\n",
    "not": f"func f() -> bool:\n  <- {'!' * DEEP}true\n",
    "sum": f"func f() -> u32:\n  <- {'1 + ' * DEEP}1\n",
    "power": f"func f() -> u32:\n  <- {'1 ** ' * DEEP}1\n",
    "fields": f"func f(x: string):\n  y = x{'.a' * DEEP}\n",
    "types": f"func f(x: {'[]' * DEEP}string):\n  y = x\n",
    "arrows": f"func f(x: {'u8 -> ' * DEEP}u8):\n  y = x\n",
    "blocks": "func f():\n" + "".join(f"{' ' * (n + 1)}if true:\n" for n in range(1_000)) + f"{' ' * 1_002}x = 1\n",
    "par": "func f(x: string):\n  y = x\n" + "  par g(x)\n" * DEEP,
    "many functions": "".join(f"func f{n}():\n  x = 1\n\n" for n in range(2_000)),
    "one line": "func f(" + "x: u8, " * DEEP + "y: u8):\n  z = 1\n",
    "string": 'func f():\n  x = "' + "a" * DEEP,
    "colons": ":" * DEEP,
    "comment": "--" + "-" * DEEP,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DEEP_TEXTS)
def test_deep_and_long_texts(name: str) -> None:
    check({"main.aqua": f"aqua Main\n\nexport f\n\n{DEEP_TEXTS[name]}"})


def test_shrinking_keeps_the_failure() -> None:
    files = {"main.aqua": "a\n\nb:\n  c\n  d:\n    e\n\nf", "lib.aqua": "x"}
    small = shrink(files, lambda found: "e" in found.get("main.aqua", ""))
    assert {name: text.strip() for name, text in small.items()} == {"main.aqua": "b:\n  e"}


@pytest.mark.slow
@pytest.mark.reference
def test_equals_the_reference(reference_modules: Path, node: str) -> None:
    with Reference(reference_modules) as reference:
        programs = (generate(seed) for seed in range(500, 500 + 15 * SCALE))
        counts = run(reference, programs, seconds=60 + 60 * MINUTES, differences_max=1, shrink_max=1, out=None)
        assert counts["equal"] > 5
        assert not [kind for kind in counts if Verdict(kind).unexplained]


@needs_corpus
@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.parametrize("source", SOURCES)
def test_diagnostics_equal_the_reference(source: str, reference_modules: Path, node: str) -> None:
    with CheckReference(reference_modules) as reference:
        counts, examples = compare_diagnostics(reference, SOURCES[source](range(40 * SCALE)), seconds=math.inf)
    assert sum(counts.values()) == 40 * SCALE
    assert not {outcome: examples[outcome]["id"] for outcome in counts if outcome.startswith("differs")}
