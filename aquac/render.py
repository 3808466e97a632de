"""Diagnostics for people: text with the source line, carets and colours.

Input:  diagnostics.
Output: text. Machine formats are in `render_json.py`.

Control characters of the source never reach the terminal. Columns of the carets follow the width characters have there.
"""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, Final

from .codes import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .diagnostics import Diagnostic
    from .source import SourceFile, Span

LINE_WIDTH_MAX: Final = 160
"""Columns of a source line that are shown; longer lines show the part around the place."""

_COLORS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_WORDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_text(diagnostics: Iterable[Diagnostic], *, color: bool = False, base: str | None = None) -> str:
    """All diagnostics, a blank line between them. Paths below `base` are shown relative to it."""
    return "\n".join(render_one(d, color=color, base=base) for d in diagnostics)


def render_one(diagnostic: Diagnostic, *, color: bool = False, base: str | None = None) -> str:
    """One diagnostic, ending in a line break."""
    paint = _Paint(color)
    shade = _COLORS[diagnostic.code.severity]
    head = f"{_WORDS[diagnostic.code.severity]}[{diagnostic.code.id}]"
    lines = [f"{paint(head, shade, bold=True)}{paint(': ' + _visible(diagnostic.message), '', bold=True)}"]
    margin = " "
    if diagnostic.file is not None:
        snippet, margin = _snippet(diagnostic.file, diagnostic.span, shade, paint, base)
        lines += snippet
    for note in diagnostic.notes:
        text = _visible(note.message)
        if note.file is not None and note.span is not None:
            lines.append(f"{margin} {paint('note', '36', bold=True)}: {text}")
            lines += _snippet(note.file, note.span, "36", paint, base)[0]
        else:
            lines.append(f"{margin} {paint('=', '34', bold=True)} {text}")
    lines += [f"{margin} {paint('=', '34', bold=True)} fix: {_visible(fix.title)}" for fix in diagnostic.fixes]
    return "\n".join(lines) + "\n"


def summary(diagnostics: Sequence[Diagnostic], files: int) -> str:
    """`2 errors, 1 warning in 3 files`, or `no errors in 3 files`."""
    errors = sum(d.is_error for d in diagnostics)
    warnings = sum(d.code.severity is Severity.WARNING for d in diagnostics)
    parts = [_count(errors, "error") if errors else "no errors"]
    if warnings:
        parts.append(_count(warnings, "warning"))
    return f"{', '.join(parts)} in {_count(files, 'file')}"


def shown_path(path: str, base: str | None) -> str:
    """`path` relative to `base` if it lies below it."""
    if base and path.startswith(base.rstrip(os.sep) + os.sep):
        return path[len(base.rstrip(os.sep)) + 1 :]
    return path


class _Paint:
    """Wraps text in ANSI codes, or leaves it alone."""

    def __init__(self, on: bool) -> None:
        self._on = on

    def __call__(self, text: str, shade: str, *, bold: bool = False) -> str:
        codes = ";".join(code for code in ("1" if bold else "", shade) if code)
        return f"\x1b[{codes}m{text}\x1b[0m" if self._on and codes else text


def _snippet(file: SourceFile, span: Span | None, shade: str, paint: _Paint, base: str | None) -> tuple[list[str], str]:
    """Place, source line and carets; and the margin that lines up with them."""
    path = _visible(shown_path(file.path, base))
    if span is None:
        return [f" {paint('-->', '34', bold=True)} {path}"], " "
    start = file.lines.position(span.start)
    number = str(start.line)
    margin = " " * len(number)
    bar = paint("|", "34", bold=True)
    line = file.lines.line_text(start.line - 1)
    at = min(span.start - file.lines.starts[start.line - 1], len(line))
    end = min(max(at + 1, at + span.end - span.start), max(len(line), at + 1))
    text, before, marked = _window(line, at, end)
    place = f"{margin}{paint('-->', '34', bold=True)} {path}:{start.line}:{start.column}"
    return [
        place,
        f"{margin} {bar}",
        f"{paint(number, '34', bold=True)} {bar} {text}",
        f"{margin} {bar} {before}{paint('^' * marked, shade, bold=True)}",
    ], margin


def _window(line: str, at: int, end: int) -> tuple[str, str, int]:
    """The part of a line to show, the blanks before the carets and the number of carets."""
    first = 0
    if len(line) > LINE_WIDTH_MAX:
        first = max(0, min(at - LINE_WIDTH_MAX // 2, len(line) - LINE_WIDTH_MAX))
    part = line[first : first + LINE_WIDTH_MAX]
    lead = "…" if first else ""
    tail = "…" if first + LINE_WIDTH_MAX < len(line) else ""
    at, end = at - first, min(end - first, LINE_WIDTH_MAX)
    before = " " * len(lead) + "".join("\t" if char == "\t" else " " * _width(_picture(char)) for char in part[:at])
    marked = sum(1 if char == "\t" else _width(_picture(char)) for char in part[at:end])
    return lead + _visible(part) + tail, before, max(1, marked)


def _visible(text: str) -> str:
    """`text` without control characters; they become their pictures. Tabs and line breaks stay."""
    if text.isprintable():
        return text
    return "".join(_picture(char) for char in text)


def _picture(char: str) -> str:
    code = ord(char)
    if char in "\t\n" or char.isprintable():
        return char
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\ufffd"


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
