"""Answers from the last version of a document that could be parsed, while the present one cannot be.

An offset is carried over if it lies in what both versions begin or end with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from aquac.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquac.source import SourceFile

    from .facts import Fact
    from .view import View
    from .workspace import Workspace

Found = TypeVar("Found", bound="Fact")


def with_last_good(
    workspace: Workspace, path: str, offset: int, ask: Callable[[View, int], Found | None]
) -> tuple[View, Found, int, SourceFile, Span] | None:
    """The answer of the present version, else of the last good one.

    With it the view that gave it, the offset in that view, and the present place of the fact.
    """
    view = workspace.view(path)
    if view is None:
        return None
    found = ask(view, offset)
    if found is not None:
        return view, found, offset, view.source, found.span
    good = workspace.last_good(path)
    if good is None or good is view:
        return None
    at = carried(view.text, good.text, offset)
    found = None if at is None else ask(good, at)
    if found is None or at is None:
        return None
    start, end = (carried(good.text, view.text, x) for x in (found.span.start, found.span.end))
    if start is None or end is None or view.text[start:end] != good.text[found.span.start : found.span.end]:
        return None
    return good, found, at, view.source, Span(start, end)


def carried(text: str, other: str, offset: int) -> int | None:
    """The offset in `other` that stands for `offset` in `text`; None if it lies where they differ."""
    same = _common(text, other)
    if offset <= same:
        return offset
    left, right = text[same:], other[same:]
    tail = _common(left[::-1], right[::-1])
    if len(text) - offset <= tail:
        return offset + len(other) - len(text)
    return None


def _common(a: str, b: str) -> int:
    """Length of what two texts begin with, by bisection."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
