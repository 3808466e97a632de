"""Error reports as the reference draws them: source lines with carets, connectors and label texts.

Input:  the script and its labels (byte ranges).
Output: the text after `air can't be parsed:`; one diagnostic, no colours, ended by an empty line. Unlike the reference's
        its size is bounded (`limits.REPORT_*`), because a hostile script could make it quadratic.
Source: codespan-reporting 0.11.1, src/term/{views,renderer}.rs, with its default configuration.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .chars import display_width, is_white_space, utf8_len
from .limits import REPORT_CHARS_MAX, REPORT_LABELS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE_NAME: Final = "script.air"

_TAB_WIDTH: Final = 4
_START_CONTEXT_LINES: Final = 3
_END_CONTEXT_LINES: Final = 1


@dataclass(frozen=True, slots=True)
class Label:
    """A byte range of the script and what is wrong with it."""

    start: int
    end: int
    message: str


@dataclass(frozen=True, slots=True)
class _Span:
    """A label over several lines: line indices, and byte offsets inside its first and last line."""

    top: int
    bottom: int
    start: int
    end: int
    message: str


_Single = tuple[int, int, str]
"""A label inside a line: byte offsets inside the line, message."""


class _Full(Exception):
    """The drawing has reached its largest size."""


def render(text: str, labels: Sequence[Label]) -> str:
    """The report on `labels`, of which there is at least one."""
    return _Drawing(text, labels[:REPORT_LABELS_MAX]).draw()


class _Drawing:
    """One report being drawn. A label over several lines owns a column of the inner gutter."""

    def __init__(self, text: str, labels: Sequence[Label]) -> None:
        # A lone surrogate has no bytes; a text with one gets a report too.
        self.source = text.encode(errors="surrogatepass")
        self.starts = [0]
        at = self.source.find(b"\n")
        while at >= 0:
            self.starts.append(at + 1)
            at = self.source.find(b"\n", at + 1)
        self.singles: dict[int, list[_Single]] = {}
        self.spans: list[_Span] = []
        self.shown: set[int] = set()
        self.out: list[str] = []
        self.size = 0
        self.first = min(label.start for label in labels)
        for label in labels:
            self._place(label)
        self.gutter = len(str(max(self.shown) + 1))

    def _place(self, label: Label) -> None:
        top, bottom = self._line_of(label.start), self._line_of(label.end)
        start, end = label.start - self.starts[top], label.end - self.starts[bottom]
        self.shown |= {top, bottom}
        if top == bottom:
            _insert(self.singles.setdefault(top, []), (start, max(end, start + 1), label.message))
            return
        self.spans.append(_Span(top, bottom, start, end, label.message))
        self.shown |= set(range(top + 1, min(bottom, top + 1 + _START_CONTEXT_LINES)))
        self.shown |= set(range(max(top + 1, bottom - _END_CONTEXT_LINES), bottom))

    def _line_of(self, offset: int) -> int:
        return bisect_right(self.starts, offset) - 1

    def _emit(self, row: str) -> None:
        self.out.append(row)
        self.size += len(row)
        if self.size > REPORT_CHARS_MAX:
            raise _Full

    def draw(self) -> str:
        """The whole text."""
        with suppress(_Full):
            self._draw()
        self.out.append("\n")
        return "".join(self.out)

    def _draw(self) -> None:
        line = self._line_of(self.first)
        column = len(self.source[self.starts[line] : self.first].decode(errors="ignore")) + 1
        blank = " " * self.gutter
        self._emit(f"error: \n{blank} ┌─ {FILE_NAME}:{line + 1}:{column}\n{blank} │{'  ' * len(self.spans)}\n")
        shown = sorted(self.shown)
        for index, following in zip(shown, [*shown[1:], None], strict=True):
            self._draw_line(index)
            if following == index + 2:
                self._draw_line(index + 1)
            elif following is not None and following > index + 2:
                self._emit(f"{blank} ·{self._inner_gutter(index)}\n")

    def _draw_line(self, index: int) -> None:
        end = self.starts[index + 1] if index + 1 < len(self.starts) else len(self.source)
        line = _SourceLine(self.source[self.starts[index] : end].decode(errors="surrogatepass").rstrip("\n\r\0"))
        gutter = "".join(
            "  "
            if not span.top <= index <= span.bottom
            else " ╭"
            if index == span.top and span.start <= line.indent
            else "  "
            if index == span.top
            else " │"
            for span in self.spans
        )
        self._emit(f"{index + 1:>{self.gutter}} │{gutter} {line.shown}\n")
        if singles := self.singles.get(index):
            self._draw_singles(f"{' ' * self.gutter} │{self._inner_gutter(index)} ", line, singles)
        for column, span in enumerate(self.spans):
            if index == span.top and span.start > line.indent:
                rule = "─" * line.width_before(span.start + 1)
                self._emit(f"{' ' * self.gutter} │{self._underlined_gutter(index, column)}{rule}^\n")
            elif index == span.bottom:
                rule = "─" * line.width_before(span.end)
                self._emit(f"{' ' * self.gutter} │{self._underlined_gutter(index, column)}{rule}^ {span.message}\n")

    def _inner_gutter(self, index: int) -> str:
        return "".join(" │" if span.top < index <= span.bottom else "  " for span in self.spans)

    def _underlined_gutter(self, index: int, current: int) -> str:
        """The gutter of the row that begins or ends the label of column `current`."""
        row = []
        for column, span in enumerate(self.spans):
            if column == current:
                row.append(" ╭" if index == span.top else " ╰")
            elif (
                span.top < index < span.bottom
                or (index == span.top and column < current)
                or (index == span.bottom and column > current)
            ):
                row.append("─│" if column > current else " │")
            else:
                row.append("──" if column > current else "  ")
        return "".join(row)

    def _draw_singles(self, prefix: str, line: _SourceLine, labels: list[_Single]) -> None:
        trailing: int | None = None
        reached = 0
        for i, (_, end, _) in enumerate(labels):
            reached = max(reached, end)
            if end == reached:
                trailing = i
        if trailing is not None:
            start, end, _ = labels[trailing]
            if any(max(s, start) < min(e, end) for i, (s, e, _) in enumerate(labels) if i != trailing):
                trailing = None
        message = "" if trailing is None else f" {labels[trailing][2]}"
        self._emit(f"{prefix}{line.carets(labels, reached)}{message}\n")

        hanging = [label for i, label in enumerate(labels) if i != trailing]
        if hanging:
            starts = sorted({start for start, _, _ in hanging})
            last = max(start for start, _, _ in labels)
            self._emit(f"{prefix}{line.pointers(starts, last + 1, last)}\n")
            for start, _, text in reversed(hanging):
                self._emit(f"{prefix}{line.pointers(starts, start, last)}{text}\n")


def _insert(labels: list[_Single], label: _Single) -> None:
    """Insert in order of range; the place among equal ranges is the one the reference's binary search finds."""
    left, right = 0, len(labels)
    while left < right:
        middle = left + (right - left) // 2
        if labels[middle][:2] == label[:2]:
            left = middle
            break
        if labels[middle][:2] < label[:2]:
            left = middle + 1
        else:
            right = middle
    labels.insert(left, label)


class _SourceLine:
    """One line of the script on the screen: where each byte offset lies."""

    def __init__(self, text: str) -> None:
        shown = []
        self.offsets: list[int] = []  # of each character, then of the end
        self.columns: list[int] = []
        at = column = 0
        for c in text:
            width = _TAB_WIDTH - column % _TAB_WIDTH if c == "\t" else display_width(c)
            self.offsets.append(at)
            self.columns.append(column)
            shown.append(" " * width if c == "\t" else c)
            at += utf8_len(c)
            column += width
        self.offsets.append(at)
        self.columns.append(column)
        self.shown = "".join(shown)
        self.indent = next((self.offsets[i] for i, c in enumerate(text) if not is_white_space(c)), at)

    def width_before(self, offset: int) -> int:
        """Columns of the characters that start before a byte offset."""
        return self.columns[min(bisect_left(self.offsets, offset), len(self.offsets) - 1)]

    def carets(self, labels: list[_Single], end: int) -> str:
        """The row under the source. One column after the line's end belongs to labels that lie beyond it."""
        covered = bytearray(max(end, self.offsets[-1] + 1))
        for start, stop, _ in labels:
            covered[start:stop] = b"\1" * (stop - start)
        bounds = [*self.offsets, self.offsets[-1] + 1]
        widths = [b - a for a, b in zip(self.columns, self.columns[1:], strict=False)] + [1]
        row = []
        for i, width in enumerate(widths):
            if covered.find(1, bounds[i], bounds[i + 1]) >= 0:
                row.append("^" * width)
            elif bounds[i] < end:
                row.append(" " * width)
        return "".join(row)

    def pointers(self, starts: list[int], stop: int, last: int) -> str:
        """A row of connectors below `starts` (sorted), made of the characters that start before `stop`.

        No blanks after the character in which the right-most label (`last`) starts.
        """
        count = min(bisect_left(self.offsets, stop), len(self.offsets) - 1)
        row = []
        done = 0  # characters
        for start in starts:
            i = bisect_right(self.offsets, start) - 1
            if i >= count:
                break
            if i < done:
                continue  # a second label that starts inside the same character
            row.append(" " * (self.columns[i] - self.columns[done]) + "│")
            row.append(" " * (self.columns[i + 1] - self.columns[i] - 1))
            done = i + 1
        padded = min(count, bisect_right(self.offsets, last))
        if padded > done:
            row.append(" " * (self.columns[padded] - self.columns[done]))
        return "".join(row)
