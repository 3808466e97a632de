"""Between the compiler's positions and the protocol's: code point offsets there, 0-based lines and UTF-16 columns here."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types

from aquac.codes import (
    WARN_UNREACHABLE,
    WARN_UNUSED_ARGUMENT,
    WARN_UNUSED_DEFINITION,
    WARN_UNUSED_FUNCTION,
    WARN_UNUSED_IMPORT,
    WARN_UNUSED_VARIABLE,
    Severity,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aquac.diagnostics import Diagnostic, Edit
    from aquac.semantics.raw import Site
    from aquac.source import SourceFile, Span

SOURCE = "aquac"

UNUSED = (
    WARN_UNREACHABLE,
    WARN_UNUSED_ARGUMENT,
    WARN_UNUSED_DEFINITION,
    WARN_UNUSED_FUNCTION,
    WARN_UNUSED_IMPORT,
    WARN_UNUSED_VARIABLE,
)
"""Findings whose text editors show faded."""

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}

_TAGS = {code.id: [types.DiagnosticTag.Unnecessary] for code in UNUSED}


def to_path(uri: str) -> str | None:
    """Path of a `file:` URI as the compiler names files; None for anything else."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file":
        return None
    path = unquote(parts.path, errors="surrogateescape")
    if os.name == "nt" and path[2:3] == ":":
        path = path[1:]
    return os.path.abspath(path)


def to_uri(path: str) -> str:
    """`file:` URI of an absolute path."""
    text = path.replace(os.sep, "/")
    return "file://" + quote(text if text.startswith("/") else "/" + text, errors="surrogateescape")


def to_range(source: SourceFile, span: Span | None) -> types.Range:
    """Range of a span; the start of the file for none."""
    if span is None:
        start = end = types.Position(0, 0)
    else:
        start, end = (_position(source, offset) for offset in (span.start, span.end))
    return types.Range(start, end)


def to_diagnostic(diagnostic: Diagnostic, source: SourceFile) -> types.Diagnostic:
    """A finding of the compiler in the protocol's form; notes with a place become related information."""
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(to_uri(note.file.path), to_range(note.file, note.span)), note.message
        )
        for note in diagnostic.notes
        if note.file is not None
    ]
    plain = "".join(f"\n{note.message}" for note in diagnostic.notes if note.file is None)
    return types.Diagnostic(
        range=to_range(source, diagnostic.span),
        message=diagnostic.message + plain,
        severity=_SEVERITIES[diagnostic.code.severity],
        code=diagnostic.code.id,
        source=SOURCE,
        tags=_TAGS.get(diagnostic.code.id),
        related_information=related or None,
        data={"kind": diagnostic.code.kind},
    )


def to_offset(source: SourceFile, position: types.Position) -> int:
    """Code point offset of a position; clamps to the text."""
    return _lines(source).offset(position.line, position.character)


def _position(source: SourceFile, offset: int) -> types.Position:
    return types.Position(*_lines(source).place(offset))


def line_and_column(source: SourceFile, offset: int) -> tuple[int, int]:
    """0-based line and UTF-16 column of an offset."""
    return _lines(source).place(offset)


def to_location(site: Site) -> types.Location:
    """Location of a definition."""
    return types.Location(to_uri(site.file.path), to_range(site.file, site.span))


def to_text_edit(source: SourceFile, span: Span, text: str) -> types.TextEdit:
    """Replacement of a span of a file, with the line ends of the file."""
    if _lines(source).has_crlf:
        if text.endswith("\r") and source.text[span.end : span.end + 1] == "\n":
            text = text[:-1]  # the range ends before the CR, as `EditorLines.place` has it
        text = re.sub(r"\r?\n", "\r\n", text)
    return types.TextEdit(to_range(source, span), text)


def to_workspace_edit(edits: Iterable[Edit]) -> types.WorkspaceEdit:
    """Edits of the compiler by file."""
    changes: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        changes.setdefault(to_uri(edit.file.path), []).append(to_text_edit(edit.file, edit.span, edit.text))
    return types.WorkspaceEdit(changes=dict(changes))


# ── lines as the protocol counts them ────────────────────────────────────────────────────────────────────────────────


class EditorLines:
    """0-based lines and UTF-16 columns of a text. A line ends with LF, CR LF or CR alone, and nothing else."""

    def __init__(self, text: str) -> None:
        """Index `text`; costs one pass over it."""
        self._text = text
        self._ascii = text.isascii()
        self.has_crlf = "\r\n" in text
        self._starts = [0, *(m.end() for m in _LINE_END.finditer(text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a code point offset; between CR and LF is the end of the line."""
        offset = max(0, min(offset, len(self._text)))
        if offset and self._text[offset - 1 : offset + 1] == "\r\n":
            offset -= 1
        line = bisect_right(self._starts, offset) - 1
        start = self._starts[line]
        if self._ascii:
            return line, offset - start
        return line, len(self._text[start:offset].encode("utf-16-le", "surrogatepass")) // 2

    def offset(self, line: int, column: int) -> int:
        """Code point offset of a line and column; clamps to the text of the line, and to the whole text."""
        if line >= len(self._starts):
            return len(self._text)
        start = self._starts[line]
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self._text)
        text = self._text[start:end].rstrip("\r\n")
        if self._ascii or text.isascii():
            return start + min(column, len(text))
        units = 0
        for at, char in enumerate(text):
            if units >= column:
                return start + at
            units += 2 if ord(char) > 0xFFFF else 1
        return start + len(text)


_LINE_END: Final = re.compile(r"\r\n|\n|\r")


@lru_cache(maxsize=64)
def _lines(source: SourceFile) -> EditorLines:
    return EditorLines(source.text)


def changed_text(text: str, changes: Sequence[types.TextDocumentContentChangeEvent]) -> str:
    """The text after the changes of one notification, each of which sees what the ones before made."""
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            lines = EditorLines(text)
            start, end = (lines.offset(p.line, p.character) for p in (change.range.start, change.range.end))
            text = text[:start] + change.text + text[max(start, end) :]
        else:
            text = change.text
    return text
