"""Deep calls without the host's stack.

Functions are inlined into functions and blocks nest in blocks, so lowering recurses as deep as the program says. Its
recursive functions are therefore coroutines: `await nested(f(x))` is a call whose depth is bounded. Most calls are shallow and
run at once, like any `await`; at every `DIRECT_MAX`-th level the caller is suspended and `run` drives the callee from a stack
of its own, so the depth is a Python list and not the stack of the interpreter. Nothing here waits for anything.
"""

from __future__ import annotations

import threading
import types
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

T = TypeVar("T")

DIRECT_MAX: Final = 32
"""Calls on the host's stack before `run` takes over; each takes a few of its frames."""


class _Here(threading.local):
    """How many direct calls are running on this thread since `run` last took over."""

    depth = 0


_here: Final = _Here()


@types.coroutine
def nested(coroutine: Coroutine[Any, Any, T]) -> Generator[Coroutine[Any, Any, T], Any, T]:
    """The result of `coroutine`, computed at a bounded depth of the host's stack."""
    result: T
    depth = _here.depth
    if depth >= DIRECT_MAX:
        result = yield coroutine
        return result
    _here.depth = depth + 1
    try:
        result = yield from coroutine
        return result
    finally:
        _here.depth = depth


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive `coroutine` and everything it awaits through `nested`; an exception ends all of them."""
    stack: list[Coroutine[Any, Any, Any]] = [coroutine]
    depths = [_here.depth]
    value: Any = None
    _here.depth = 0
    try:
        while stack:
            try:
                called = stack[-1].send(value)
            except StopIteration as done:
                del stack[-1]
                value = done.value
                _here.depth = depths.pop()
            else:
                stack.append(called)
                value = None
                depths.append(_here.depth)
                _here.depth = 0
    finally:
        for pending in reversed(stack):
            pending.close()
        if depths:
            _here.depth = depths[0]
    result: T = value
    return result
