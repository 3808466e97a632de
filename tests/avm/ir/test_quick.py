"""The one-pass reader gives the very program that the tree is lowered to, or none."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avm.air.parser import parse_exactly
from avm.caches import Caches
from avm.ir.lower import lower
from avm.ir.program import Program
from avm.ir.quick import quick_program
from runtime.sim.air_scripts import valid_script
from tests.avm.air.test_quick import BEYOND, KINDS, PIECES, UNUSUAL
from tests.conformance.runner import default_files, read_cases


def check(text: str, *, taken: bool | None = None) -> Program | None:
    """Compare everything, texts for errors included; `taken` says whether there must be a program."""
    found = quick_program(text)
    if found is not None:
        tree = parse_exactly(text).instruction
        assert tree is not None
        expected = lower(tree)
        for field in ("code", "operands", "names", "stream_names", "fixed", "fold_steps"):
            assert getattr(found, field) == getattr(expected, field), field
        assert list(map(found.text, range(len(found)))) == list(map(expected.text, range(len(expected))))
    if taken is not None:
        assert (found is not None) == taken
    return found


@pytest.mark.parametrize("text", KINDS)
def test_every_kind_of_instruction_is_taken(text: str) -> None:
    check(text, taken=True)


@pytest.mark.parametrize("text", UNUSUAL)
def test_anything_else_is_left_to_the_parser(text: str) -> None:
    check(text, taken=False)


@pytest.mark.parametrize(
    "text",
    [
        '(seq (call "p" ("s" "f") [] true) (null))',
        '(seq (call "p" ("s" "f") [] seq) (null))',
        '(seq (call "p" ("s" "f") [] 1a) (call "p" ("s" "f") [1a] _))',
        '(seq (call "p" ("s" "f") [] x) (call "p" ("s" "f") [x.$.[x].[y]] y))',
        '(seq (call "p" ("s" "f") [] x) (seq (call x (x x) [x 1 "a"] $x) (call x (x x) [x 1 "a"] $x)))',
        "(fold [] i (fold [] j (seq (next i) (next j)) (fold [] k (null))) (never))",
        "(par (fold [] i (next i)) (fold [] i (par (next i) (null))))",
    ],
)
def test_corners(text: str) -> None:
    check(text)


def test_corpora() -> None:
    taken = valid = 0
    for area in ("avm-parse", "avm", "aqua-air"):
        for path in default_files(area):
            for case in read_cases(path):
                text = case.get("air")
                if isinstance(text, str) and len(text) < 20_000:
                    taken += check(text) is not None
                    valid += parse_exactly(text).instruction is not None
    assert taken > 500
    assert taken > 0.95 * valid


@given(
    seed=st.integers(0, 2**32), edits=st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(PIECES)), max_size=3)
)
@example(seed=0, edits=[])
def test_random_and_damaged_scripts(seed: int, edits: list[tuple[int, str]]) -> None:
    rng = random.Random(seed)
    text = valid_script(rng, ["p", "q"], rng.choice((3, 8, 16)))
    check(text, taken=not BEYOND.search(re.sub('"[^"]*"', "", text)))
    for place, piece in edits:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + rng.choice((0, 0, 1, 2)) :]
    check(text)


def test_both_ways_serve_a_run() -> None:
    """A script of the usual form needs no tree; one with blanks where nobody writes them gets one."""
    caches = Caches()
    quick, exact = caches.program('(ap "é" x)'), caches.program('( ap "é" x)')
    assert quick.script
    assert not quick.sources
    assert exact.sources
    assert not exact.script
    assert (quick.text(0), exact.text(0)) == ('ap "é" x', 'ap "é" x')
    assert quick.text(1) == exact.text(1) == ""
