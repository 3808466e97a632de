"""One mistake, one error, at the place of the mistake: single slips in sound programs.

`corpus/mistakes.txt` is made by `generate.py`; its `place` comes from the change, its `error` from the compiler.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from aquac import compile_bundle
from aquac.diagnostics import Diagnostic
from aquac.render import render_one
from tests.aquac.mistakes.generate import cases, mutants, place, sources
from tests.aquac.mistakes.slips import SLIPS
from tests.golden import Case, Golden, corpus, load

CORPUS = Path(__file__).parent / "corpus"
LIBRARY = sources()["lib"]


def diagnostics(text: str) -> list[Diagnostic]:
    """What the compiler says about a program that may import the library."""
    return list(compile_bundle({"/p/main.aqua": text, "/p/lib.aqua": LIBRARY}, "/p/main.aqua").diagnostics)


def check(text: str, expected: str) -> Diagnostic:
    """Exactly one error, at the expected place."""
    errors = [d for d in diagnostics(text) if d.is_error]
    assert len(errors) == 1, [d.message for d in errors]
    (error,) = errors
    assert error.file is not None
    assert error.span is not None
    at = error.file.lines.position(error.span.start)
    assert expected in (f"line {at.line}", f"line {at.line} column {at.column}"), render_one(error)
    return error


@pytest.mark.parametrize("case", corpus(CORPUS))
def test_mistake(case: Case, golden: Golden) -> None:
    error = check(case.input, case.sections["place"].strip())
    golden.check(case, "error", render_one(error, base="/p"))


def test_the_corpus_is_what_the_generator_makes() -> None:
    """So that neither a place nor a program was bent to what the compiler says."""
    stored = load(CORPUS / "mistakes.txt")
    assert len(stored) >= 150
    assert [(c.name, c.input, c.sections["place"]) for c in stored] == [
        (c.name, c.input, c.sections["place"]) for c in cases(len_of(stored))
    ]


def len_of(stored: list[Case]) -> int:
    """How many mutants of a slip the corpus has at most."""
    return max(Counter(re.sub(r" \d+ in \w+$", "", case.name) for case in stored).values())


@pytest.mark.parametrize("name", sorted(sources()))
def test_programs_are_sound(name: str) -> None:
    assert diagnostics(sources()[name]) == []


@pytest.mark.slow
@pytest.mark.parametrize("slip", SLIPS)
def test_every_mutant(slip: str) -> None:
    """All mutants of a slip, of which the corpus has a few."""
    found = mutants(slip)
    assert found
    for _, mutant in found:
        check(mutant.text, place(mutant))
