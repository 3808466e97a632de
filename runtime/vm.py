"""The interpreter as the shell sees it: one run in, one outcome out, off the event loop.

A run in pure Python holds the interpreter lock for milliseconds; a thread keeps the loop responsive between bytecodes,
and the port leaves room for worker processes. Runs that cannot be made at all raise `VmFailure`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from avm.outcome import CallResult, Outcome, RunParameters
    from runtime.core.actions import Run


class VmFailure(Exception):
    """The interpreter broke down; there is no outcome."""


class Interpreter(Protocol):
    """`avm.Avm`, or `runtime.reference_avm.ReferenceAvm`."""

    def invoke(
        self,
        air: str,
        prev_data: bytes,
        data: bytes,
        params: RunParameters,
        call_results: Mapping[int, CallResult],
    ) -> Outcome:
        """One run."""
        ...


class Vm(Protocol):
    """Runs the interpreter for a peer; several runs may be asked for at once."""

    async def run(self, run: Run) -> Outcome:
        """The outcome of one run. Raises VmFailure."""
        ...


class InlineVm:
    """Runs on the event loop itself: for tests with a simulated clock, and for programs that do nothing else."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Use one interpreter for all runs."""
        self._interpreter = interpreter

    async def run(self, run: Run) -> Outcome:
        """The outcome of one run; a checkpoint before it, none during it. Raises VmFailure."""
        await trio.lowlevel.checkpoint()
        return invoke(self._interpreter, run)


class ThreadVm:
    """Runs in worker threads, one interpreter each: an interpreter's caches are not shared between threads."""

    def __init__(self, make: Callable[[], Interpreter], *, size: int = 1) -> None:
        """`size` interpreters, made by `make` when first needed."""
        if size < 1:
            raise ValueError("a VM pool has at least one interpreter")
        self._make = make
        self._limiter = trio.CapacityLimiter(size)
        self._free: list[Interpreter] = []

    async def run(self, run: Run) -> Outcome:
        """The outcome of one run. Waits for a free interpreter. Raises VmFailure, and discards that interpreter."""
        # A thread cannot be stopped. Who is cancelled does not wait for it, so that a peer ends when it is told to.
        return await trio.to_thread.run_sync(self._run, run, limiter=self._limiter, abandon_on_cancel=True)

    def _run(self, run: Run) -> Outcome:
        interpreter = self._free.pop() if self._free else self._make()
        outcome = invoke(interpreter, run)
        self._free.append(interpreter)
        return outcome


def invoke(interpreter: Interpreter, run: Run) -> Outcome:
    """One run; whatever goes wrong becomes a VmFailure, so that a bug costs one particle and not the peer."""
    try:
        return interpreter.invoke(run.script, run.prev_data, run.data, run.params, run.call_results)
    except Exception as error:
        raise VmFailure(f"{type(error).__name__}: {error}") from error
