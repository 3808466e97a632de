"""Cut a file into logical lines: a statement, member, definition head or header line with its continuation lines.

Input:  the text of a file.
Output: `Layout`: logical lines with their indentation strings, and every comment. No structure yet; indenter.py makes blocks.
Errors: none raised; a line whose string or bracket never closes carries a `Problem`.
Source: spec aqua-language §2.1, §3.2, with the recommendations of §3.4: continuation lines may have any deeper indentation.

A line goes on while a bracket is open, after a trailing comma or operator, and before a leading one. So that one forgotten
bracket does not swallow the rest of the file, a line that no bracket can contain (a definition, `<-`) ends the search, and
the text is read again from the following line.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from aquac.records import dataclass
from aquac.source import Span

from .ast import Comment
from .limits import RESCAN_FACTOR


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a logical line cannot be parsed: a string or a bracket left open at `span`, or too many brackets inside each other."""

    kind: Literal["string", "bracket", "depth"]
    span: Span


@dataclass(slots=True)
class LogicalLine:
    """Text `[start, end)` without indentation, trailing blanks and trailing comment; `indent` is the string before it."""

    start: int
    end: int
    indent: str
    doc: str = ""
    problem: Problem | None = None
    depth: int = 0

    @property
    def span(self) -> Span:
        """The whole line."""
        return Span(self.start, self.end)

    @property
    def indent_span(self) -> Span:
        """The blanks before it."""
        return Span(self.start - len(self.indent), self.start)


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of a file and its comments, both in order."""

    lines: tuple[LogicalLine, ...]
    comments: tuple[Comment, ...]


_BLANKS: Final = re.compile(r"[ \t]*")
_SPECIAL: Final = re.compile(r'"|--[^\n]*|[()\[\]{}]|\n')
_CLOSES: Final = {")": "(", "]": "[", "}": "{"}
# Two words side by side, or a return, cannot stand inside brackets.
_NEVER_INSIDE: Final = re.compile(
    r"(?:func|service|data|ability|alias|const|aqua|module|import|use|export)[ \t]+[A-Za-z\"]|[ \t]*<-"
)
# `->`, `<-`, `<<-` and `--` are no operators, `%init_peer_id%` and `declares *` do not wait for an operand.
_TRAILING_OPERATOR: Final = re.compile(r"(?:\|\||&&|[=!<>]=|(?<![-])>|<|\*|\+|(?<![<-])-|/|(?<!init_peer_id)%)\Z")
_LEADING_OPERATOR: Final = re.compile(r"\|\||&&|[=!<>]=|>|<(?!-|<-)|\*|\+|-(?![->])|/|%(?!init_peer_id%)")


def lay_out(text: str) -> Layout:
    """Cut `text` into logical lines. Linear in the text, given the bound on re-reading."""
    return _Reader(text).read()


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: list[LogicalLine] = []
        self.comments: dict[int, Comment] = {}
        # Characters that may still be read again after a bracket that never closes.
        self.rescan_budget = RESCAN_FACTOR * (len(text) + 1024)
        # A `"` without partner would pair with the wrong ones further down: then no string spans lines.
        self.long_strings = not _has_open_string(text)

    def read(self) -> Layout:
        text = self.text
        size = len(text)
        at = 0
        half = -1
        doc: list[str] = []
        while at < size:
            if text[at] == "\r" and at and (text[at - 2 : at] != "\r\n" or half == at - 2):
                half = at  # second half of the line break `\n\r`
                at += 1
            blanks = _BLANKS.match(text, at)
            start = blanks.end() if blanks else at
            indent = text[at:start]
            rest = text[start : start + 2]
            if not rest or rest[0] == "\n" or rest == "\r\n":
                doc.clear()
                at = self._next_line(start)
            elif rest == "--":
                comment = self._comment(start)
                doc.append(_doc_line(comment.text))
                at = self._next_line(start)
            elif self._continues_previous(indent, start):
                line = self.lines[-1]
                at = self._read_line(line, start)
            else:
                line = LogicalLine(start, start, indent, "\n".join(doc))
                doc.clear()
                self.lines.append(line)
                at = self._read_line(line, start)
        return Layout(tuple(self.lines), tuple(self.comments[key] for key in sorted(self.comments)))

    def _read_line(self, line: LogicalLine, at: int) -> int:
        """Extend `line` from `at` to its end; returns where the next physical line starts."""
        text = self.text
        stack: list[int] = []
        first_break = -1
        first_end = -1
        while True:
            special = _SPECIAL.search(text, at)
            stop = special.start() if special else len(text)
            code = text[at:stop]
            if code.endswith("\r") and text[stop : stop + 1] == "\n":
                code = code[:-1]
            code = code.rstrip(" \t")
            if code:
                line.end = at + len(code)
            if special is None:
                if stack:
                    return self._unclosed(line, stack, first_break, first_end, at)
                return len(text)
            token = special.group()
            at = special.end()
            if token == '"':
                at = self._read_string(line, stop)
            elif token[0] == "-":
                self._comment(stop)
            elif token in "([{":
                stack.append(stop)
                line.end = at
                line.depth = max(line.depth, len(stack))
            elif token != "\n":
                if stack and text[stack[-1]] == _CLOSES[token]:
                    stack.pop()
                line.end = at
            else:
                if first_break < 0:
                    first_break, first_end = at, line.end
                if stack:
                    if line.problem is not None or self.rescan_budget < 0 or _NEVER_INSIDE.match(text, at):
                        return self._unclosed(line, stack, first_break, first_end, at)
                elif not self._goes_on(line, at):
                    return at

    def _read_string(self, line: LogicalLine, start: int) -> int:
        """Pass over the string opening at `start`; returns the offset behind it."""
        text = self.text
        close = text.find('"', start + 1)
        if not self.long_strings:
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            if not 0 <= close < end:
                line.problem = line.problem or Problem("string", Span(start, start + len(text[start:end].rstrip())))
                line.end = start + len(text[start:end].rstrip())
                return end
        line.end = close + 1
        return close + 1

    def _unclosed(self, line: LogicalLine, stack: list[int], first_break: int, first_end: int, at: int) -> int:
        """End `line` at its first physical line, so that what follows is read on its own."""
        line.problem = line.problem or Problem("bracket", Span(stack[-1], stack[-1] + 1))
        if first_break < 0:
            return len(self.text)
        # The innermost bracket may stand further down; blame the outermost one of the line itself then.
        if line.problem.kind == "bracket" and line.problem.span.start >= first_break:
            line.problem = Problem("bracket", Span(stack[0], stack[0] + 1))
        line.end = first_end
        self.rescan_budget -= at - first_break
        return first_break

    def _goes_on(self, line: LogicalLine, at: int) -> bool:
        """Whether the text before the line break at `at` waits for more, and the next line can be it."""
        if line.problem is not None or self.rescan_budget < 0:
            return False
        text = self.text
        waits = text[line.end - 1] == ","
        if not waits and line.indent:
            waits = _TRAILING_OPERATOR.search(text, max(line.start, line.end - 16), line.end) is not None
        if not waits:
            return False
        while at < len(text):
            blanks = _BLANKS.match(text, at + 1 if text[at] == "\r" else at)
            start = blanks.end() if blanks else at
            if text.startswith("--", start) or text[start : start + 1] == "\n" or text[start : start + 2] == "\r\n":
                at = self._next_line(start)
                continue
            if start == len(text) or _NEVER_INSIDE.match(text, at):
                return False
            indent = text[at:start].lstrip("\r")
            return not indent or (indent.startswith(line.indent) and len(indent) > len(line.indent))
        return False

    def _continues_previous(self, indent: str, start: int) -> bool:
        """Whether the physical line at `start` begins with a comma or operator that continues the line before."""
        if not self.lines or self.text[start] not in ",|&=!<>*+-/%":
            return False
        line = self.lines[-1]
        if line.problem is not None or self.text[line.end - 1] == ":" or self.rescan_budget < 0:
            return False
        if indent and not (indent.startswith(line.indent) and len(indent) > len(line.indent)):
            return False
        return self.text[start] == "," or (line.indent != "" and _LEADING_OPERATOR.match(self.text, start) is not None)

    def _comment(self, start: int) -> Comment:
        end = self.text.find("\n", start)
        text = self.text[start : len(self.text) if end < 0 else end].rstrip("\r")
        comment = Comment(text, Span(start, start + len(text)))
        self.comments[start] = comment
        return comment

    def _next_line(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1


def _doc_line(comment: str) -> str:
    """Text of a comment as documentation: without dashes and one blank."""
    return comment.lstrip("-").removeprefix(" ").rstrip()


def _has_open_string(text: str) -> bool:
    """Whether the last `"` outside comments and strings has no partner."""
    at = 0
    pattern = re.compile(r'"|--[^\n]*')
    while True:
        found = pattern.search(text, at)
        if found is None:
            return False
        at = found.end()
        if found.group() == '"':
            close = text.find('"', at)
            if close < 0:
                return True
            at = close + 1


def is_apart(text: str, at: int) -> bool:
    """Whether a blank line stands before the line that starts at `at`."""
    return re.search(r"\n[ \t\r]*\n[ \t\r]*\Z", text[max(0, at - 200) : at]) is not None
