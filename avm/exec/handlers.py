"""Handlers by operation code, made from the instruction table; a missing one is an import error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.ir.opcodes import OPS, UNREAD, Op

from .frames import return_
from .instructions import ap, call, canon, fail, flow, fold, match, new, next, par, xor

if TYPE_CHECKING:
    from collections.abc import Callable

    from .machine import Machine

_BY_OP: Final[dict[Op, Callable[[Machine, int], int]]] = {
    Op.END: flow.end,
    Op.NULL: flow.null,
    Op.NEVER: flow.never,
    Op.SEQ: flow.seq,
    Op.SEQ_THEN: flow.seq_then,
    Op.PAR: par.par,
    Op.PAR_RIGHT: par.par_right,
    Op.PAR_END: par.par_end,
    Op.XOR: xor.xor,
    Op.XOR_LEFT_END: xor.xor_left_end,
    Op.XOR_END: xor.xor_end,
    Op.CALL: call.call,
    Op.AP: ap.ap,
    Op.AP_STREAM: ap.ap_stream,
    Op.AP_MAP: ap.ap_map,
    Op.CANON: canon.canon,
    Op.CANON_MAP: canon.canon_map,
    Op.CANON_SCALAR: canon.canon_scalar,
    Op.MATCH: match.match,
    Op.MISMATCH: match.mismatch,
    Op.FOLD: fold.fold,
    Op.FOLD_STREAM: fold.fold_stream,
    Op.NEXT: next.next_,
    Op.RETURN: return_,
    Op.NEW: new.new,
    Op.NEW_STREAM: new.new_stream,
    Op.NEW_END: new.new_end,
    Op.FAIL_LITERAL: fail.fail_literal,
    Op.FAIL: fail.fail,
}


def _unread(m: Machine, pc: int) -> int:
    """Read the operands of the operation at `pc`, then run it."""
    program = m.program
    assert program.reader is not None
    program.reader.read(pc)
    m.scopes.grow()
    m.streams.grow()
    return pc


HANDLERS: Final = [*(_BY_OP[op] for op in sorted(OPS)), _unread]
"""Index = operation code, `UNREAD` included."""
assert list(range(UNREAD)) == sorted(OPS)
