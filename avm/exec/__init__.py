"""Execution of a flat AIR program: `run(program, context) -> RunResult`. Pure; nothing is read but the context.

Source: aquavm:air/src/execution_step/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avm.exec.context import RunContext, RunResult
    from avm.ir.program import Program


def run(program: Program, ctx: RunContext) -> RunResult:
    """Execute `program` from its start. Never raises on any data; errors of the script are in the result."""
    from avm.exec.machine import run as run_machine

    return run_machine(program, ctx)
