"""`(par left right)`.

Source: aquavm:air/src/execution_step/instructions/par.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.exec import frames

if TYPE_CHECKING:
    from avm.errors import VmError
    from avm.exec.machine import Frame, Machine
    from avm.trace.handler import ParMark


def par(m: Machine, pc: int) -> int:
    """Start of the left branch."""
    # OPERANDS
    _, _, left_may_complete, _ = m.operands[pc]
    # TRACE
    mark = m.trace.par_start()
    # OPERATION
    m.frames.append((frames.PAR_LEFT, pc, mark))
    m.complete = left_may_complete
    # NEXT
    return pc + 1


def par_right(m: Machine, _pc: int) -> int:
    """The left branch ended without an error."""
    _, start, mark = m.frames.pop()
    return enter_right(m, start, mark, None)


def enter_right(m: Machine, start: int, mark: ParMark, error: VmError | None) -> int:
    """Start of the right branch; `error` is that of the left one."""
    right, _, _, right_may_complete = m.operands[start]
    left_size = m.trace.par_left_end(mark)
    m.frames.append((frames.PAR_RIGHT, start, mark, left_size, m.complete, error))
    m.complete = right_may_complete
    after: int = right + 1
    return after


def par_end(m: Machine, _pc: int) -> int:
    """The right branch ended without an error."""
    return leave(m, m.frames.pop())


def leave(m: Machine, frame: Frame) -> int:
    """At least one branch succeeded."""
    _, start, mark, left_size, left_complete, _ = frame
    m.trace.par_right_end(mark, left_size)
    m.complete = left_complete or m.complete
    m.errors.last_error_settable = True
    end: int = m.operands[start][1]
    return end
