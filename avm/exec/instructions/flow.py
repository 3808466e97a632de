"""`null`, `never`, `seq` and the end of the script.

Source: aquavm:air/src/execution_step/instructions/{null,never,seq}.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avm.exec.machine import Machine


def end(_m: Machine, _pc: int) -> int:
    """The script is done."""
    return -1


def null(_m: Machine, pc: int) -> int:
    """`(null)`."""
    return pc + 1


def never(m: Machine, pc: int) -> int:
    """`(never)`: whatever comes after it in this branch never runs."""
    m.complete = False
    return pc + 1


def seq(m: Machine, pc: int) -> int:
    """`(seq left right)`: start of the left part."""
    m.complete = True
    return pc + 1


def seq_then(m: Machine, pc: int) -> int:
    """The left part ended; the right one runs only if that is complete."""
    if m.complete:
        return pc + 1
    end_pc: int = m.operands[pc][0]
    return end_pc
