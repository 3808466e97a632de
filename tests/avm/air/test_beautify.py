"""Pseudo-code: `plain.txt` holds the output of npm `air-beautify-wasm` 0.3.9, `patterns.txt` the `hopon` idiom."""

from pathlib import Path

import pytest

from avm.air import parse
from avm.air.beautify import beautify
from tests.golden import Case, Golden, corpus


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus" / "beautify"))
def test_beautify(case: Case, golden: Golden) -> None:
    root = parse(case.input).instruction
    assert root is not None
    section = next(name for name in case.sections if name != "input")
    golden.check(case, section, beautify(root, patterns=section == "patterns"))


def test_indent() -> None:
    root = parse("(new a (new b (seq (null) (null))))").instruction
    assert root is not None
    assert beautify(root, indent=2) == "new a:\n  new b:\n    null\n    null\n"


def test_depth() -> None:
    root = parse("(seq (null) " * 10_000 + "(null)" + ")" * 10_000).instruction
    assert root is not None
    assert beautify(root) == "null\n" * 10_001
