"""Read the lines of a file with their tokens, and each text of a line only once.

Input:  a SourceFile.
Output: `Lines`: the tree, the layout, and for each line its node and tokens.
Errors: diagnostics, as `syntax.parse`.

The formatter reads a file twice, before and after. Lines whose text stays as it is (most of them: often it is only their
indentation that changes) get the very same node the second time, which makes reading and comparing them cheap. Nodes
of this parser therefore have the spans of the first line with their text: nothing but comparing trees may use them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquac.records import dataclass
from aquac.syntax.grammar import LineParser, Start, line_parser
from aquac.syntax.layout import Layout, LogicalLine, lay_out
from aquac.syntax.parse import parse

if TYPE_CHECKING:
    from collections.abc import Set

    from aquac.diagnostics import Diagnostic
    from aquac.source import SourceFile
    from aquac.syntax import ast

Piece = tuple[str, int, int, int]
"""A token: its terminal, where it starts and ends within the line, and the state of the automaton that read it."""


@dataclass(slots=True, eq=False)
class Code:
    """What one text of a line means. `flat` is its formatted text on one line, once it is asked for."""

    node: Any
    tokens: list[Piece]
    flat: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """A file that was read. `codes` are those of `layout.lines`; empty if there are errors."""

    file: ast.File
    layout: Layout
    codes: list[Code]
    errors: list[Diagnostic]


class TextParser(LineParser):
    """Parses each text once. Make one for each file."""

    def __init__(self) -> None:
        """Start with nothing; the tables are shared by the process."""
        self._shared = line_parser()
        self.lock = self._shared.lock
        self.known: dict[tuple[str, Start], Code] = {}
        self._read: dict[int, Code] = {}

    def accepts(self, state: int) -> Set[str]:
        """As `LineParser.accepts`."""
        return self._shared.accepts(state)

    def parse(self, text: str, line: LogicalLine, start: Start) -> Any:
        """The node of a line; as `LineParser.parse`, but that its spans are relative to another place."""
        base = line.start
        key = (text[base : line.end], start)
        code = self.known.get(key)
        if code is None:
            node, trace = self._shared.parse_traced(text, line, start)
            tokens = [(kind, at - base, end - base, state) for kind, at, end, state in trace]
            code = self.known[key] = Code(node, tokens)
        self._read[base] = code
        return code.node

    def parse_mended(self, text: str, mended: str, base: int, start: Start) -> Any:
        """As `LineParser.parse_mended`; only files with errors have such lines."""
        return self._shared.parse_mended(text, mended, base, start)

    def read(self, source: SourceFile) -> Lines:
        """Read a file; its errors have their right places."""
        self._read.clear()
        layout = lay_out(source.text)
        file, found = parse(source, parser=self, layout=layout)
        if any(d.is_error for d in found):
            _, found = parse(source)
            return Lines(file, layout, [], [d for d in found if d.is_error])
        return Lines(file, layout, [self._read[line.start] for line in layout.lines], [])
