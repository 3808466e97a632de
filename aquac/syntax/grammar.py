"""The parser of logical lines, built from aqua.lark on first use and kept for the process.

A lock makes it safe to share: the builder that the parser calls back keeps the current text.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from .tables import parser
from .transform import Builder

if TYPE_CHECKING:
    from .layout import LogicalLine

Start = Literal["top", "member", "statement", "plain"]


class LineParser:
    """Parses logical lines of one text after another."""

    def __init__(self) -> None:
        """Load the tables; `line_parser` keeps one for the process."""
        self.lock = threading.RLock()
        self._builder = Builder()
        self._lark = parser(self._builder)

    def parse(self, text: str, line: LogicalLine, start: Start) -> Any:
        """The node of a line.

        Raises: lark.UnexpectedInput with offsets relative to the line, or Reject with offsets of the text.
        """
        self._builder.text = text
        self._builder.base = line.start
        return self._lark.parse(text[line.start : line.end], start=start)


@cache
def line_parser() -> LineParser:
    """The parser of this process."""
    return LineParser()
