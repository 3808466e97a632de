"""Deep calls without the host's stack.

Functions are inlined into functions and blocks nest in blocks, so lowering recurses as deep as the program says. Its
recursive functions are therefore coroutines: `await nested(f(x))` suspends the caller and lets `run` drive the callee, so
the depth is a Python list and not the stack of the interpreter. Nothing here waits for anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Generator

T = TypeVar("T")


class _Nested(Generic[T]):
    """Hands a coroutine to `run` and receives its result."""

    __slots__ = ("_coroutine",)

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Coroutine[Any, Any, T], T, T]:
        return (yield self._coroutine)


def nested(coroutine: Coroutine[Any, Any, T]) -> Awaitable[T]:
    """The result of `coroutine`, computed at the same depth of the host's stack."""
    return _Nested(coroutine)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive `coroutine` and everything it awaits through `nested`; an exception ends all of them."""
    stack: list[Coroutine[Any, Any, Any]] = [coroutine]
    value: Any = None
    try:
        while stack:
            try:
                stack.append(stack[-1].send(value))
                value = None
            except StopIteration as done:
                del stack[-1]
                value = done.value
    finally:
        for pending in reversed(stack):
            pending.close()
    result: T = value
    return result
