"""Text of flat programs: `corpus/*.txt`, `pytest --update-golden` rewrites them."""

from __future__ import annotations

from pathlib import Path

import pytest

from avm.air import parse
from avm.ir.disasm import disassemble
from avm.ir.lower import lower
from tests.golden import Case, Golden, corpus


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus"))
def test_disassembly(case: Case, golden: Golden) -> None:
    parsed = parse(case.input)
    assert parsed.instruction is not None, parsed.report
    golden.check(case, "program", disassemble(lower(parsed.instruction)))
