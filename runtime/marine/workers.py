"""Threads with a stack that is large enough for modules that call each other.

Every module on a call chain may use its own 2 MiB of stack; on an ordinary thread five modules would overflow it and end the
process. What ordinary threads have left is not known, so a call runs where it is made only on one of these threads, and there
only when no other call uses its stack. A caller that waits for another thread can be interrupted, one within Wasm code cannot.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar

from .limits import MODULES_MAX, NATIVE_STACK_BYTES, STOP_GRACE_S, WASM_STACK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_IDLE_MAX: Final = 8
_LOOK_S: Final = 0.5
"""How often a waiting thread looks for a signal. One that arrives just before the wait begins would not end it, nor any on
Windows."""
_SIZES: Final = tuple((modules + 1) * WASM_STACK_BYTES + NATIVE_STACK_BYTES for modules in (3, 12, 28, MODULES_MAX))
_lock = threading.Lock()
_idle: dict[int, list[_Worker]] = {size: [] for size in _SIZES}


class _Here(threading.local):
    """The current thread. free: bytes of its stack that no call was promised. inside: what is being called, across threads."""

    free = 0
    inside: tuple[object, ...] = ()


here: Final = _Here()


def stack_bytes(modules: int) -> int:
    """Size of the stack that a service of so many modules needs, rounded up to one of a few sizes."""
    need = (modules + 1) * WASM_STACK_BYTES + NATIVE_STACK_BYTES
    return next(size for size in _SIZES if size >= need)


class _Worker:
    """A thread that runs one job after the other; it ends when too many are idle."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.jobs: SimpleQueue[tuple[Callable[[], Any], Future[Any], tuple[object, ...]]] = SimpleQueue()
        thread = threading.Thread(target=self._run, name="wasm-worker", daemon=True)
        before = threading.stack_size(size)
        try:
            thread.start()
        finally:
            threading.stack_size(before)

    def _run(self) -> None:
        here.free = self.size
        stays = True
        while stays:
            job, future, here.inside = self.jobs.get()
            if not future.set_running_or_notify_cancel():
                stays = self._rest()
            else:
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
            here.inside = ()

    def _rest(self) -> bool:
        """Before the waiting thread goes on, so that its next call finds this worker."""
        with _lock:
            if len(_idle[self.size]) >= _IDLE_MAX:
                return False
            _idle[self.size].append(self)
            return True


def submit(size: int, job: Callable[[], T], future: Future[T] | None = None) -> Future[T]:
    """Run a job on a thread with such a stack; it counts as part of what this thread is calling.

    Calls that the job makes find the stack free: a program with many calls makes them in a job.
    """
    future = Future() if future is None else future
    with _lock:
        worker = _idle[size].pop() if _idle[size] else _Worker(size)
    worker.jobs.put((job, future, here.inside))
    return future


def on_stack(size: int, job: Callable[[], T], stop: Callable[[], None] = lambda: None) -> T:
    """Run a job that uses the stack: here if so much is free, else on a worker; wait for it.

    stop: asks the job to end, when the waiting is interrupted. It is waited for a moment longer, so that it is seldom left
    behind at work.
    """
    free = here.free
    if free >= size:
        here.free = free - size
        try:
            return job()
        finally:
            here.free = free
    future = submit(size, lambda: on_stack(size, job))
    try:
        while True:
            try:
                return future.result(_LOOK_S)
            except TimeoutError:
                if future.done():
                    return future.result()
    except BaseException:
        if not future.done():
            stop()
            wait((future,), STOP_GRACE_S)
        raise
    finally:
        del future  # an error of the job has this frame in its trace, and the future has the error
