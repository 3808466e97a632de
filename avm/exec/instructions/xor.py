"""`(xor left right)`. Errors of the left part arrive at `frames.ON_ERROR`.

Source: aquavm:air/src/execution_step/instructions/xor.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.exec import frames

if TYPE_CHECKING:
    from avm.exec.machine import Machine


def xor(m: Machine, pc: int) -> int:
    """Start of the left part."""
    m.complete = True
    m.frames.append((frames.XOR_LEFT, pc))
    return pc + 1


def xor_left_end(m: Machine, pc: int) -> int:
    """The left part succeeded (or waits, which is no failure): the right one does not run."""
    m.frames.pop()
    end: int = m.operands[pc][0]
    return end


def xor_end(m: Machine, pc: int) -> int:
    """The right part succeeded."""
    m.frames.pop()
    m.errors.handled()
    return pc + 1
