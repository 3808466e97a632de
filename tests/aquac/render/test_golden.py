"""Diagnostics as people see them, carets included."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquac import compile_bundle
from aquac.render import render_text
from tests.golden import Case, Golden, corpus

LIBRARY = "aqua Lib declares one, two\n\nfunc one() -> u8:\n  <- 1\n\nfunc two() -> u8:\n  <- 2\n"
SIGNS = {"␉": "\t", "␛": "\x1b", "␣": "\u3000"}
"""How characters that editors change or hide are written in the corpus."""


def check(case: Case, golden: Golden, *, color: bool) -> None:
    """Everything said about a program."""
    text = case.input
    for sign, char in SIGNS.items():
        text = text.replace(sign, char)
    found = compile_bundle({"/p/main.aqua": text, "/p/lib.aqua": LIBRARY}, "/p/main.aqua").diagnostics
    shown = render_text(found, color=color, base="/p")
    assert color or "\x1b" not in shown
    for sign, char in SIGNS.items():
        shown = shown.replace(char, sign)
    golden.check(case, "colored" if color else "shown", "\n".join(line.rstrip() for line in shown.split("\n")))


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus"))
def test_rendering(case: Case, golden: Golden) -> None:
    check(case, golden, color=False)
    if "colored" in case.sections:
        check(case, golden, color=True)
