"""`(new variable body)`.

Source: aquavm:air/src/execution_step/instructions/new.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.exec import frames

if TYPE_CHECKING:
    from avm.exec.machine import Machine


def new(m: Machine, pc: int) -> int:
    """Hide a scalar, canon stream or canon map."""
    (slot,) = m.operands[pc]
    m.scopes.new_start(slot)
    m.frames.append((frames.NEW, slot))
    return pc + 1


def new_stream(m: Machine, pc: int) -> int:
    """A fresh stream or stream map for uses inside the instruction's span."""
    slot, left, right = m.operands[pc]
    m.streams.new_start(slot, left, right)
    m.frames.append((frames.NEW_STREAM, slot))
    return pc + 1


def new_end(m: Machine, pc: int) -> int:
    """The body ended without an error."""
    kind, slot = m.frames.pop()
    if kind == frames.NEW:
        m.scopes.new_end(slot)
    else:
        m.streams.new_end(slot, m.trace)
    return pc + 1
