"""Frames: what an operation left to do until its part ends, and what happens to it when an error passes.

A frame is a tuple that starts with its kind. Marks (`par.right`, `xor.end`, …) pop their own frame when the part succeeds;
`return` asks ON_RETURN. An error pops frames one by one and asks ON_ERROR, which answers with the position to go on at, or
None if the error passes on.

| kind | fields |
|---|---|
| PAR_LEFT | position of the par, its trace mark |
| PAR_RIGHT | position of the par, its trace mark, size of the left branch, whether it is complete, its error or None |
| XOR_LEFT | position of the xor |
| XOR_RIGHT | – |
| NEW | slot |
| NEW_STREAM | slot |
| FOLD | iterator slot, end of the fold |
| GENERATION | the running StreamFold |
| NEXT | position of the next, its cursor |
| LAST | position after the next |
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from avm.errors import STREAM_REPLACED, TraceError, VmError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .machine import Frame, Machine

PAR_LEFT: Final = 0
PAR_RIGHT: Final = 1
XOR_LEFT: Final = 2
XOR_RIGHT: Final = 3
NEW: Final = 4
NEW_STREAM: Final = 5
FOLD: Final = 6
GENERATION: Final = 7
NEXT: Final = 8
LAST: Final = 9


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _par_left(m: Machine, frame: Frame, error: VmError) -> int | None:
    from .instructions.par import enter_right

    m.complete = False
    return enter_right(m, frame[1], frame[2], error)


def _par_right(m: Machine, frame: Frame, _error: VmError) -> int | None:
    from .instructions.par import leave

    m.complete = False
    if frame[5] is not None:
        # both branches failed: the right error passes on, the par still gets its state
        m.trace.par_right_end(frame[2], frame[3])
        return None
    return leave(m, frame)


def _xor_left(m: Machine, frame: Frame, error: VmError) -> int | None:
    m.complete = True
    m.errors.caught(error)
    m.frames.append((XOR_RIGHT,))
    right: int = m.operands[frame[1]][0]
    return right


def _pass(_m: Machine, _frame: Frame, _error: VmError) -> int | None:
    return None


def _new(m: Machine, frame: Frame, _error: VmError) -> int | None:
    with suppress(VmError):  # the body's error has priority
        m.scopes.new_end(frame[1])
    return None


def _new_stream(m: Machine, frame: Frame, _error: VmError) -> int | None:
    try:
        m.streams.new_end(frame[1], m.trace)
    except VmError as error:
        if error.code == STREAM_REPLACED.number:
            raise
        # else the body's error has priority
    return None


def _fold(m: Machine, frame: Frame, _error: VmError) -> int | None:
    del m.iterators[frame[1]]
    m.scopes.fold_end()
    return None


def _generation(m: Machine, frame: Frame, _error: VmError) -> int | None:
    from .instructions.fold import end_generation

    # dropped on purpose: what other peers did for other values must still be found in the trace
    return end_generation(m, frame[1])


def _next(m: Machine, _frame: Frame, _error: VmError) -> int | None:
    m.scopes.after_next()
    return None


ON_ERROR: Final[list[Callable[[Machine, Frame, VmError], int | None]]] = [
    _par_left,
    _par_right,
    _xor_left,
    _pass,
    _new,
    _new_stream,
    _fold,
    _generation,
    _next,
    _pass,
]


# ── return ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def return_(m: Machine, _pc: int) -> int:
    """`return`: the body or last instruction of a fold ended."""
    frame = m.frames.pop()
    kind = frame[0]
    if kind == NEXT:
        return _return_next(m, frame)
    if kind == LAST:
        after: int = frame[1]
        return after
    if kind == GENERATION:
        from .instructions.fold import end_generation

        return end_generation(m, frame[1])
    del m.iterators[frame[1]]
    m.scopes.fold_end()
    end: int = frame[2]
    return end


def _return_next(m: Machine, frame: Frame) -> int:
    """The next iteration ended; go on with the rest of this one."""
    _, pc, cursor = frame
    m.scopes.after_next()
    if cursor.index:
        cursor.index -= 1
    if cursor.automaton is not None:
        try:
            cursor.automaton.back_iterator()
        except TraceError as error:
            raise m.trace_error(pc, error) from None
    after: int = pc + 1
    return after
