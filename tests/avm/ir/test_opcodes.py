"""The instruction table and everything that reads it."""

from __future__ import annotations

from avm.air import parse
from avm.exec.handlers import HANDLERS
from avm.ir.lower import lower
from avm.ir.opcodes import NO_LAST, OPS, VALUES, Op, Val
from tests.avm.random_scripts import random_script


def test_codes_are_dense_and_have_handlers() -> None:
    assert [int(op) for op in Op] == list(range(len(OPS)))
    assert [int(kind) for kind in Val] == list(range(len(VALUES)))
    assert len(HANDLERS) == len(OPS) + 1  # and that of operations not read yet
    assert len({info.name for info in OPS.values()}) == len(OPS)


def test_rows_are_consistent() -> None:
    for op, info in OPS.items():
        assert set(info.jumps) <= set(info.operands), op
        assert info.doc, op
        assert not info.doc.endswith("."), op
        assert info.trace_states in (0, 1), op


def test_programs_obey_the_table() -> None:
    seen = set()
    for seed in range(150):
        tree = parse(random_script(seed, 25)).instruction
        if tree is None:
            continue
        program = lower(tree)
        assert program.code[-1] == Op.END
        assert len(program.code) == len(program.operands) == len(program.sources)
        for pc, (code, operands) in enumerate(zip(program.code, program.operands, strict=True)):
            info = OPS[Op(code)]
            seen.add(Op(code))
            assert len(operands) == len(info.operands)
            for name, target in zip(info.operands, operands, strict=True):
                if name in info.jumps:
                    assert target == NO_LAST or pc < target < len(program)
    assert seen == set(Op)
