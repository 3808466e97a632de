"""A call on its way: who waits for it may ask for its end.

Wasm code looks now and then whether it may go on (`Service.ticks_left`); a program of the host that it waits for is killed.
What the host itself does between the modules is short and runs to its end.
Errors: none; the call that was stopped raises CallError of class `stopped`.
"""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from . import engine as backend

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator


_WAIT_S_MAX: Final = 3600.0
"""Threads cannot wait for any number of seconds."""


class Running:
    """A call of a service, or the loading of one; before, while and after it runs."""

    stopped = False
    _waiting: threading.Event | None = None
    _program: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """Ask for the end, from any thread; returns at once. A call that has not begun never will."""
        self.stopped = True
        backend.wake()  # before the program ends: the code that goes on then has to ask
        waiting = self._waiting
        if waiting is not None:
            waiting.set()
        program = self._program
        if program is not None:
            kill(program)

    def wait(self, seconds: float) -> None:
        """Do nothing for so long, or until the call is stopped, or for an hour."""
        self._waiting = threading.Event()
        if not self.stopped:
            self._waiting.wait(min(seconds, _WAIT_S_MAX))
        self._waiting = None

    @contextmanager
    def waits_for(self, program: subprocess.Popen[bytes]) -> Iterator[None]:
        """Kill the program when the call is stopped within the block, or was before."""
        self._program = program
        try:
            if self.stopped:
                kill(program)
            yield
        finally:
            self._program = None


def kill(program: subprocess.Popen[bytes]) -> None:
    """End a program that leads a process group, and what it has started."""
    if program.returncode is not None:
        return
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(program.pid, signal.SIGKILL)
    else:
        program.kill()


class PendingCall(Future[Any]):
    """The result of a call on another thread. `cancel` only helps before it has begun; `stop` ends it."""

    def __init__(self, running: Running) -> None:
        """Make the future of this call."""
        super().__init__()
        self._running = running

    def stop(self) -> None:
        """Ask for the end; see `Running.stop`. The result arrives nevertheless, as an error or as it is by then."""
        self._running.stop()
