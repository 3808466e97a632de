"""Nodes of lines parsed before: an edit changes a few lines of a file, the others keep their trees.

A node is found by its text and what it was parsed as. On another place of the file its spans are moved, which costs a tenth
of parsing. Lines with errors are parsed again. Errors: none of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquac.records import field_names
from aquac.source import Span
from aquac.syntax.grammar import LineParser, Start, line_parser

if TYPE_CHECKING:
    from aquac.syntax.layout import LogicalLine


class LineCache(LineParser):
    """A parser of lines for the versions of one file, one after the other. Call `next_version` before each."""

    def __init__(self) -> None:
        """Start with nothing; the tables are shared by the process."""
        self._shared = line_parser()
        self.lock = self._shared.lock
        self._old: dict[tuple[str, Start], dict[int, Any]] = {}
        self._new: dict[tuple[str, Start], dict[int, Any]] = {}

    def next_version(self) -> None:
        """Keep only what the version just parsed consists of."""
        self._old, self._new = self._new, {}

    def parse(self, text: str, line: LogicalLine, start: Start) -> Any:
        """The node of a line; as `LineParser.parse`."""
        key = (text[line.start : line.end], start)
        at = line.start
        old = self._old.get(key)
        if old is None:
            node = self._shared.parse(text, line, start)
        elif at in old:
            node = old[at]
        else:
            base, known = next(iter(old.items()))
            node = moved(known, at - base)
        self._new.setdefault(key, {})[at] = node
        return node

    def parse_mended(self, text: str, mended: str, base: int, start: Start) -> Any:
        """The node of a line read otherwise than it is written; such lines are few and not kept."""
        return self._shared.parse_mended(text, mended, base, start)


def moved(node: Any, by: int) -> Any:
    """The same tree with every span moved. Lines nest no deeper than `NESTING_MAX`, which bounds the recursion."""
    if isinstance(node, Span):
        return Span(node.start + by, node.end + by)
    if isinstance(node, tuple):
        return tuple([moved(item, by) for item in node]) if node else node
    names = field_names(node)
    return type(node)(*[moved(getattr(node, name), by) for name in names]) if names else node
