"""Trees of any stage as plain data, for comparison: types become what the text forms keep of them."""

from __future__ import annotations

from typing import Any

from aquac.lowering.text import mark
from aquac.records import field_names, is_record
from aquac.semantics import types as t

TYPES = (
    t.Scalar
    | t.LiteralType
    | t.Top
    | t.Bottom
    | t.Array
    | t.Option
    | t.Stream
    | t.StreamMap
    | t.Canon
    | t.CanonMap
    | t.Struct
    | t.AbilityType
    | t.ServiceType
    | t.Arrow
    | t.Nothing
)


def shape(root: Any, *, marks: bool = True) -> list[Any]:
    """The nodes in document order: class names, and fields that are not nodes. No host recursion.

    A type is its mark, or nothing without `marks`.
    """
    found: list[Any] = []
    stack = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, TYPES):
            found.append(("type", mark(item) if marks else ""))
        elif isinstance(item, tuple | list):
            found.append(len(item))
            stack.extend(reversed(item))
        elif is_record(item):
            found.append(type(item).__name__)
            stack.extend(getattr(item, name) for name in reversed(field_names(item)) if name != "site")
        else:
            found.append(item)
    return found
