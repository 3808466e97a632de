"""Models of small programs, as golden text."""

from pathlib import Path

import pytest

from aquac.lowering.text import render
from tests.golden import Case, Golden, corpus

from .programs import compiled

FOLDER = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("case", corpus(FOLDER))
def test_model(case: Case, golden: Golden) -> None:
    golden.check(case, "model", render(compiled(case.input).functions["f"].model))
