"""Compare what was read before and after formatting.

The trees must be equal but for positions, and the comments must be the same texts in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquac.records import field_names
from aquac.source import Span

if TYPE_CHECKING:
    from aquac.syntax import ast


def same_tree(before: ast.File, after: ast.File) -> bool:
    """Whether two files differ in positions at most; nodes they share are not looked into."""
    waiting: list[tuple[Any, Any]] = [
        (before.header, after.header),
        (before.definitions, after.definitions),
        (before.gaps, after.gaps),
        (before.is_open, after.is_open),
    ]
    while waiting:
        a, b = waiting.pop()
        if a is b:
            continue
        kind = type(a)
        if kind is not type(b):
            return False
        if kind is tuple:
            if len(a) != len(b):
                return False
            waiting += zip(a, b, strict=True)
        elif kind is Span:
            continue
        elif names := field_names(a):
            waiting += [(getattr(a, name), getattr(b, name)) for name in names]
        elif a != b:
            return False
    return True


def same_comments(before: ast.File, after: ast.File) -> bool:
    """Whether the comments have the same texts, blanks at their ends apart."""
    return [c.text.rstrip(" \t") for c in before.comments] == [c.text.rstrip(" \t") for c in after.comments]
