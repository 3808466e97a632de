"""The parser of logical lines, built on first use and kept for the process.

A lock makes it safe to share: the builder that the parser calls back keeps the current text.
"""

from __future__ import annotations

import threading
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal

from .automaton import REFUSED
from .tables import automaton, lark_parser
from .transform import Builder

if TYPE_CHECKING:
    from collections.abc import Set

    import lark

    from .automaton import Traced
    from .layout import LogicalLine

Start = Literal["top", "member", "statement", "plain"]


class LineParser:
    """Parses logical lines of one text after another."""

    def __init__(self) -> None:
        """Load the tables; `line_parser` keeps one for the process."""
        self.lock = threading.RLock()
        self._builder = Builder()
        self._automaton = automaton(self._builder)

    @cached_property
    def _lark(self) -> lark.Lark:
        """Only lark says what it had expected."""
        return lark_parser(self._builder)

    def parse_mended(self, text: str, mended: str, base: int, start: Start) -> Any:
        """As `parse`, for a line written `mended`: what it has in common with `text` stands there at offsets from `base`."""
        self._builder.text = text
        self._builder.base = base
        return self._lark.parse(mended, start=start)

    def parse(self, text: str, line: LogicalLine, start: Start) -> Any:
        """The node of a line.

        Raises: lark.UnexpectedInput with offsets relative to the line, or Reject with offsets of the text.
        """
        builder = self._builder
        builder.text = text
        builder.base = 0
        node = self._automaton.run(text, line.start, line.end, start)
        if node is not REFUSED:
            return node
        builder.base = line.start
        return self._lark.parse(text[line.start : line.end], start=start)

    def parse_traced(self, text: str, line: LogicalLine, start: Start) -> tuple[Any, list[Traced]]:
        """As `parse`, with the tokens of the line."""
        builder = self._builder
        builder.text = text
        builder.base = 0
        trace: list[Traced] = []
        node = self._automaton.run(text, line.start, line.end, start, trace)
        return (self.parse(text, line, start) if node is REFUSED else node), trace

    def accepts(self, state: int) -> Set[str]:
        """Terminals that can follow in a state of a trace."""
        return self._automaton.accepts(state)


@cache
def line_parser() -> LineParser:
    """The parser of this process."""
    return LineParser()
