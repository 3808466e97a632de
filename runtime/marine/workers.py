"""Threads with a stack that is large enough for modules that call each other.

Every module on a call chain may use its own 2 MiB of stack; on an ordinary thread five modules would overflow it and end the
process. A call runs where it is made when that thread is one of these, otherwise on one of them.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .limits import MODULES_MAX, NATIVE_STACK_BYTES, WASM_STACK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_IDLE_MAX: Final = 8
_SIZES: Final = tuple((modules + 1) * WASM_STACK_BYTES + NATIVE_STACK_BYTES for modules in (3, 12, 28, MODULES_MAX))
_here = threading.local()
_lock = threading.Lock()
_idle: dict[int, list[_Worker]] = {size: [] for size in _SIZES}


def stack_bytes(modules: int) -> int:
    """Size of the stack that a service of so many modules needs, rounded up to one of a few sizes."""
    need = (modules + 1) * WASM_STACK_BYTES + NATIVE_STACK_BYTES
    return next(size for size in _SIZES if size >= need)


class _Worker:
    """A thread that runs one job after the other; it ends when too many are idle."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.jobs: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        thread = threading.Thread(target=self._run, name="wasm-worker", daemon=True)
        before = threading.stack_size(size)
        try:
            thread.start()
        finally:
            threading.stack_size(before)

    def _run(self) -> None:
        _here.stack = self.size
        while True:
            job, future = self.jobs.get()
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - it belongs to the one who waits
                stays = self._rest()
                future.set_exception(error)
            else:
                stays = self._rest()
                future.set_result(result)
                del result
            del job, future
            if not stays:
                return

    def _rest(self) -> bool:
        """Before the waiting thread goes on, so that its next call finds this worker."""
        with _lock:
            if len(_idle[self.size]) >= _IDLE_MAX:
                return False
            _idle[self.size].append(self)
            return True


def submit(size: int, job: Callable[[], T]) -> Future[T]:
    """Run a job on a thread with such a stack."""
    future: Future[T] = Future()
    with _lock:
        worker = _idle[size].pop() if _idle[size] else _Worker(size)
    worker.jobs.put((job, future))
    return future


def on_stack(size: int, job: Callable[[], T]) -> T:
    """Run a job here if the stack of this thread is large enough, else on a worker; wait for it."""
    if getattr(_here, "stack", 0) >= size:
        return job()
    return submit(size, job).result()
