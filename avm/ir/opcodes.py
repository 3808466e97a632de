"""The one instruction table: what exists in a flat program, its operands, the states it takes from a trace, what it does.

Read by: lowering, the machine (one handler per row), the disassembler and the documentation. A test asserts that they agree.
Marks (`seq.then`, `par.right`, …) are the joints between the parts of an AIR instruction; they have no text of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class Op(IntEnum):
    """Operation codes; indices into the machine's list of handlers."""

    END = 0
    NULL = 1
    NEVER = 2
    SEQ = 3
    SEQ_THEN = 4
    PAR = 5
    PAR_RIGHT = 6
    PAR_END = 7
    XOR = 8
    XOR_LEFT_END = 9
    XOR_END = 10
    CALL = 11
    AP = 12
    AP_STREAM = 13
    AP_MAP = 14
    CANON = 15
    CANON_MAP = 16
    CANON_SCALAR = 17
    MATCH = 18
    MISMATCH = 19
    FOLD = 20
    FOLD_STREAM = 21
    NEXT = 22
    RETURN = 23
    NEW = 24
    NEW_STREAM = 25
    NEW_END = 26
    FAIL_LITERAL = 27
    FAIL = 28


@dataclass(frozen=True, slots=True)
class OpInfo:
    """One row.

    name: in disassembly. operands: field names of the operand tuple, in order. jumps: those of them that are program
    positions. trace_states: states it takes from each trace, at most. doc: effect in one sentence.
    """

    name: str
    operands: tuple[str, ...]
    doc: str
    trace_states: int = 0
    jumps: tuple[str, ...] = ()


OPS: Final[dict[Op, OpInfo]] = {
    Op.END: OpInfo("end", (), "the script is done"),
    Op.NULL: OpInfo("null", (), "nothing"),
    Op.NEVER: OpInfo("never", (), "make the run incomplete here"),
    Op.SEQ: OpInfo("seq", (), "forget incompleteness, run the left part"),
    Op.SEQ_THEN: OpInfo("seq.then", ("end",), "go on with the right part if the left is complete", jumps=("end",)),
    Op.PAR: OpInfo(
        "par",
        ("right", "end", "left_may_complete", "right_may_complete"),
        "run both parts; complete if either is; fails if both fail",
        trace_states=1,
        jumps=("right", "end"),
    ),
    Op.PAR_RIGHT: OpInfo("par.right", (), "the left part ended, run the right one"),
    Op.PAR_END: OpInfo("par.end", (), "the right part ended"),
    Op.XOR: OpInfo("xor", ("right",), "run the left part, after a catchable error the right one", jumps=("right",)),
    Op.XOR_LEFT_END: OpInfo("xor.left_end", ("end",), "the left part succeeded", jumps=("end",)),
    Op.XOR_END: OpInfo("xor.end", (), "the right part succeeded, the error is handled"),
    Op.CALL: OpInfo(
        "call",
        ("peer", "service", "function", "arguments", "output", "slot", "position"),
        "bind a known result, hand a request to this peer's host, or send the particle on",
        trace_states=1,
    ),
    Op.AP: OpInfo("ap", ("value", "slot"), "bind a value to a scalar"),
    Op.AP_STREAM: OpInfo("ap.stream", ("value", "slot", "position"), "add a value to a stream", trace_states=1),
    Op.AP_MAP: OpInfo("ap.map", ("key", "value", "slot", "position"), "add a pair to a stream map", trace_states=1),
    Op.CANON: OpInfo("canon", ("peer", "stream", "position", "slot"), "freeze a stream at one peer", trace_states=1),
    Op.CANON_MAP: OpInfo(
        "canon.map", ("peer", "stream", "position", "slot"), "freeze a stream map at one peer", trace_states=1
    ),
    Op.CANON_SCALAR: OpInfo(
        "canon.scalar", ("peer", "stream", "position", "slot"), "freeze a stream map as one object", trace_states=1
    ),
    Op.MATCH: OpInfo("match", ("left", "right", "end"), "run the body if both values are equal", jumps=("end",)),
    Op.MISMATCH: OpInfo("mismatch", ("left", "right", "end"), "run the body if the values differ", jumps=("end",)),
    Op.FOLD: OpInfo(
        "fold",
        ("iterable", "iterator", "last", "end"),
        "run the body for the first item of a value",
        jumps=("last", "end"),
    ),
    Op.FOLD_STREAM: OpInfo(
        "fold.stream",
        ("stream", "position", "iterator", "last", "end"),
        "run the body for the first item of each generation of a stream or map, until no new one appears",
        trace_states=1,
        jumps=("last", "end"),
    ),
    Op.NEXT: OpInfo("next", ("iterator",), "run the fold's body for the next item, or the last instruction"),
    Op.RETURN: OpInfo("return", (), "a fold's body or last instruction ended; back to who started it"),
    Op.NEW: OpInfo("new", ("slot",), "hide a scalar, canon stream or canon map until the body ends"),
    Op.NEW_STREAM: OpInfo("new.stream", ("slot", "left", "right"), "a fresh stream or map for uses within the span"),
    Op.NEW_END: OpInfo("new.end", (), "end of the scope"),
    Op.FAIL_LITERAL: OpInfo("fail.literal", ("code", "message"), "raise an error made of literals"),
    Op.FAIL: OpInfo("fail", ("value",), "raise the error object a variable holds, or the last error"),
}
assert OPS.keys() == set(Op)

UNREAD: Final = len(OPS)
"""Stands in a program for an operation whose operands are not read yet, see `unread`."""

NO_LAST: Final = -1
"""Operand `last` of a fold without a last instruction."""

OUTPUT_NONE: Final = 0
OUTPUT_SCALAR: Final = 1
OUTPUT_STREAM: Final = 2
"""Operand `output` of a call."""


class Val(IntEnum):
    """Kinds of values; first element of a compiled value, index into the resolvers."""

    CONST = 0
    INIT_PEER = 1
    TIMESTAMP = 2
    TTL = 3
    LAST_ERROR = 4
    ERROR = 5
    SCALAR = 6
    SCALAR_LENS = 7
    CANON = 8
    CANON_LENS = 9
    MAP = 10
    MAP_LENS = 11


VALUES: Final[dict[Val, tuple[str, ...]]] = {
    Val.CONST: ("value", "text"),
    Val.INIT_PEER: (),
    Val.TIMESTAMP: (),
    Val.TTL: (),
    Val.LAST_ERROR: ("lens",),
    Val.ERROR: ("lens",),
    Val.SCALAR: ("slot",),
    Val.SCALAR_LENS: ("slot", "lens"),
    Val.CANON: ("slot",),
    Val.CANON_LENS: ("slot", "lens"),
    Val.MAP: ("slot",),
    Val.MAP_LENS: ("slot", "lens"),
}
"""Fields of a compiled value after its kind. A lens is `(accessors, text)`; without accessors it is the functor `.length`."""
assert VALUES.keys() == set(Val)

FIELD: Final = 0
INDEX: Final = 1
BY_SCALAR: Final = 2
"""Kinds of accessors: `(FIELD, name)`, `(INDEX, number)`, `(BY_SCALAR, slot)`."""
