"""Source text and positions in it.

A `Span` counts code points of the file's text, because that is what Python strings and lark count in. Bytes and UTF-16
columns are wanted only where a position leaves the process (diagnostics JSON, LSP), so `LineIndex` converts there.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import Final

from aquac.records import dataclass

BOM: Final = b"\xef\xbb\xbf"
"""The byte order mark some editors put before UTF-8; no part of the text, but of every byte offset."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open range `[start, end)` of code point offsets in one file."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Smallest span covering both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class Position:
    """A point of a file: line and UTF-16 column from 1, offset in UTF-8 bytes from 0."""

    line: int
    column: int
    offset: int


class LineIndex:
    """Converts offsets of one text into lines, UTF-16 columns and byte offsets."""

    def __init__(self, text: str, first_byte: int = 0) -> None:
        """Index `text`, which begins at byte `first_byte` of its file; costs one pass over it."""
        self._text = text
        self._first_byte = first_byte
        self._ascii = text.isascii()
        starts = [0]
        find = text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        self.starts = starts

    def line_of(self, offset: int) -> int:
        """0-based line holding the code point at `offset`."""
        return bisect_right(self.starts, offset) - 1

    def line_text(self, line: int) -> str:
        """Text of a 0-based line without its line break."""
        end = self.starts[line + 1] if line + 1 < len(self.starts) else len(self._text)
        return self._text[self.starts[line] : end].rstrip("\r\n")

    def position(self, offset: int) -> Position:
        """Line, UTF-16 column and byte offset of a code point offset."""
        offset = max(0, min(offset, len(self._text)))
        line = self.line_of(offset)
        start = self.starts[line]
        if self._ascii:
            return Position(line + 1, offset - start + 1, self._first_byte + offset)
        before = self._text[start:offset]
        column = len(before.encode("utf-16-le")) // 2 + 1
        return Position(line + 1, column, self._first_byte + len(self._text[:offset].encode()))

    def offset(self, line: int, column_utf16: int) -> int:
        """Code point offset of a 0-based line and 0-based UTF-16 column; clamps to the line."""
        if line >= len(self.starts):
            return len(self._text)
        start = self.starts[line]
        text = self.line_text(line)
        if self._ascii:
            return start + min(column_utf16, len(text))
        units = 0
        for at, char in enumerate(text):
            if units >= column_utf16:
                return start + at
            units += 2 if ord(char) > 0xFFFF else 1
        return start + len(text)


@dataclass(frozen=True, eq=False)
class SourceFile:
    """One file: `path` as shown to people (absolute for files on disk), `text` without BOM, `bom`: whether it had one."""

    path: str
    text: str
    bom: bool = False

    @cached_property
    def lines(self) -> LineIndex:
        """Line index of the text, built on first use."""
        return LineIndex(self.text, len(BOM) if self.bom else 0)
