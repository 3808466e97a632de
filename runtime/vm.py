"""The interpreter as the shell sees it: one run in, one outcome out, off the event loop.

A run in pure Python holds the interpreter lock for milliseconds; a thread keeps the loop responsive between bytecodes,
and the port leaves room for worker processes. Runs that cannot be made at all raise `VmFailure`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import trio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from avm.outcome import CallResult, Outcome, RunParameters
    from avm.stats import VmStats
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


@runtime_checkable
class _Counting(Protocol):
    def stats(self) -> VmStats: ...


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

    def __init__(
        self,
        make: Callable[[], Interpreter],
        *,
        size: int = 1,
        ran: Callable[[Outcome | None, float], None] | None = None,
    ) -> None:
        """`size` interpreters, made by `make` when first needed. ran: told of each run and its seconds, on the thread that did it."""
        if size < 1:
            raise ValueError("a VM pool has at least one interpreter")
        self.size = size
        self._make = make
        self._ran = ran
        self._limiter = trio.CapacityLimiter(size)
        self._free: list[Interpreter] = []
        self._all: list[Interpreter] = []

    @property
    def free(self) -> int:
        """How many more runs could be in work."""
        return int(self._limiter.available_tokens)

    def stats(self) -> list[VmStats]:
        """Of the interpreters that count anything."""
        return [one.stats() for one in list(self._all) if isinstance(one, _Counting)]

    async def run(self, run: Run) -> Outcome:
        """The outcome of one run. Waits for a free interpreter. Raises VmFailure, and discards that interpreter."""
        # A thread cannot be stopped. Who is cancelled does not wait for it, so that a peer ends when it is told to.
        return await trio.to_thread.run_sync(self._run, run, limiter=self._limiter, abandon_on_cancel=True)

    def _run(self, run: Run) -> Outcome:
        try:
            # another thread may take the last one between a look and the taking
            interpreter = self._free.pop()
        except IndexError:
            interpreter = self._make()
            self._all.append(interpreter)
        outcome = None
        start = time.perf_counter()
        try:
            outcome = invoke(interpreter, run)
        finally:
            if outcome is None:
                self._all.remove(interpreter)
            if self._ran is not None:
                self._ran(outcome, time.perf_counter() - start)
        self._free.append(interpreter)
        return outcome


def invoke(interpreter: Interpreter, run: Run) -> Outcome:
    """One run; whatever goes wrong becomes a VmFailure, so that a bug costs one particle and not the peer."""
    try:
        return interpreter.invoke(run.script, run.prev_data, run.data, run.params, run.call_results)
    except Exception as error:
        raise VmFailure(f"{type(error).__name__}: {error}") from error
