"""`(next iterator)`: the following item of a fold. What happens after it is in `frames`.

Source: aquavm:air/src/execution_step/instructions/next.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.errors import FOLD_STATE_NOT_FOUND
from avm.exec import frames
from avm.ir.opcodes import NO_LAST

if TYPE_CHECKING:
    from avm.exec.iterators import Cursor
    from avm.exec.machine import Machine


def next_(m: Machine, pc: int) -> int:
    """Run the body for the following item; at the end, run the last instruction."""
    # OPERANDS
    (slot,) = m.operands[pc]
    cursor = m.iterators.get(slot)
    if cursor is None:
        raise FOLD_STATE_NOT_FOUND.error(name=m.program.names[slot])
    m.charge_steps(cursor.steps)
    # TRACE
    automaton = cursor.automaton
    if automaton is not None:
        automaton.iteration_end()
    if cursor.index + 1 >= cursor.size:
        if automaton is not None:
            automaton.back_iterator()
        return _end_of_items(m, pc, cursor)
    cursor.index += 1
    if automaton is not None:
        automaton.iteration_start(cursor.current().pos)
    # OPERATION
    m.scopes.before_next()
    m.frames.append((frames.NEXT, pc, cursor))
    # NEXT
    return cursor.body


def _end_of_items(m: Machine, pc: int, cursor: Cursor) -> int:
    if cursor.last != NO_LAST:
        m.complete = True
        m.frames.append((frames.LAST, pc + 1))
        return cursor.last
    if cursor.automaton is not None and not cursor.back_started:
        # a fold over a stream may always get more values
        cursor.back_started = True
        m.complete = False
    return pc + 1
