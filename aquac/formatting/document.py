"""Format a file: its lines, their indentation, the blank lines and comments between them.

Input:  a SourceFile, and which of its lines are to be formatted.
Output: `Formatted`: the new text, and the edits that lead to it.
Errors: those of reading; a file with errors is left as it is. `FormattingChangedProgram` if the new text does not say the same,
        which is a bug.

The text is cut into pieces, by turns what stands between two lines of code (blank lines, comments) and such a line with its
indentation and the comment behind it. A line that is not asked for stays as it is; a block gets its indentation if all
its lines are asked for, and keeps the one it has otherwise, as its other lines depend on it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from aquac.records import dataclass, field
from aquac.source import LineIndex, SourceFile, Span
from aquac.syntax import ast
from aquac.syntax.heads import BlockHead, CompoundHead

from .checking import same_comments, same_tree
from .limits import INDENT, WIDTH
from .lines import TextParser
from .spacing import Spacing
from .wrapping import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquac.diagnostics import Diagnostic
    from aquac.syntax.ast import Comment
    from aquac.syntax.layout import LogicalLine

    from .lines import Code, Lines

_ONE_LINERS: Final = (ast.Const, ast.Alias)
_HEADER: Final = (ast.ModuleHeader, ast.Import, ast.Use, ast.Export)


class FormattingChangedProgram(Exception):
    """The formatted text does not mean what the text meant. `path` names the file."""

    def __init__(self, path: str, what: str) -> None:
        """Say what differs."""
        super().__init__(f"formatting {path} would change {what}")
        self.path = path


@dataclass(frozen=True, slots=True)
class TextChange:
    """Replacement of a span of the old text."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Formatted:
    """The new text of a file. With `errors` it is the old one."""

    source: SourceFile
    text: str
    changes: tuple[TextChange, ...] = ()
    errors: tuple[Diagnostic, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the text differs."""
        return self.text != self.source.text


def format_source(source: SourceFile, *, lines: tuple[int, int] | None = None) -> Formatted:
    """Format a file, or of it the lines from the first to the last of `lines`, counted from 1.

    Raises: FormattingChangedProgram, which is a bug of this package.
    """
    parser = TextParser()
    before = parser.read(source)
    if before.errors:
        return Formatted(source, source.text, (), tuple(before.errors))
    changes = _Document(source.text, before, Spacing(parser.accepts), lines).changes()
    if not changes:
        return Formatted(source, source.text)
    text = _apply(source.text, changes)
    after = parser.read(SourceFile(source.path, text))
    if after.errors or not same_tree(before.file, after.file):
        raise FormattingChangedProgram(source.path, "the program")
    if not same_comments(before.file, after.file):
        raise FormattingChangedProgram(source.path, "its comments")
    return Formatted(source, text, tuple(changes))


def _apply(text: str, changes: Sequence[TextChange]) -> str:
    parts: list[str] = []
    done = 0
    for change in changes:
        parts += (text[done : change.span.start], change.text)
        done = change.span.end
    parts.append(text[done:])
    return "".join(parts)


@dataclass(slots=True, eq=False)
class _Block:
    """Lines with the same indentation below the same head, and those of the blocks inside. `first` and `last` are numbers."""

    indent: str
    level: int
    around: _Block | None
    first: int
    last: int = -1
    # What its lines are to be indented with, once known.
    new: str | None = None


@dataclass(slots=True, eq=False)
class _Gap:
    """What stands between two lines of code: each comment with whether a blank line is before it, and so for the end."""

    comments: list[tuple[bool, Comment]] = field(default_factory=list)
    blank: bool = False


class _Document:
    """One pass over the lines of a file."""

    def __init__(self, text: str, lines: Lines, spacing: Spacing, wanted: tuple[int, int] | None) -> None:
        self._text = text
        self._lines = lines.layout.lines
        self._codes = lines.codes
        self._comments = lines.layout.comments
        self._spacing = spacing
        self._newline = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
        self._blocks = self._find_blocks()
        self._wanted = self._selected(wanted)
        self._everything = wanted is None
        # Whether what stands before the first line of code is asked for, and what stands behind the last one.
        self._head = wanted is None or wanted[0] == 1
        self._tail = wanted is None or wanted[1] > text.rstrip().count("\n")

    # ── structure ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _find_blocks(self) -> list[_Block]:
        """The block of each line. A file without errors has no line between the indentations of two blocks."""
        block = _Block("", 0, None, 0, len(self._lines) - 1)
        found: list[_Block] = []
        opens = False
        for number, line in enumerate(self._lines):
            indent = line.indent if number or opens else ""  # the first line may be a header that is indented
            if opens:
                block = _Block(indent, block.level + 1, block, number)
            else:
                while len(block.indent) > len(indent) and block.around is not None:
                    block.last = number - 1
                    block = block.around
            found.append(block)
            opens = isinstance(self._codes[number].node, BlockHead | CompoundHead)
        while block.around is not None:
            block.last = len(self._lines) - 1
            block = block.around
        return found

    def _selected(self, wanted: tuple[int, int] | None) -> list[bool]:
        """Which lines are asked for: those that touch the range."""
        if wanted is None:
            return [True] * len(self._lines)
        index = LineIndex(self._text)
        first, last = wanted
        return [index.line_of(x.start) + 1 <= last and index.line_of(x.end) + 1 >= first for x in self._lines]

    def _indent(self, block: _Block) -> str:
        """What the lines of a block are to be indented with."""
        if self._everything:
            return INDENT * block.level
        if block.new is None:
            around = "" if block.around is None else self._indent(block.around)
            whole = all(self._wanted[block.first : block.last + 1])
            block.new = block.indent if block.around is None or not whole else around + INDENT
        return block.new

    # ── pieces ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def changes(self) -> list[TextChange]:
        """The pieces whose text changes."""
        text = self._text
        found: list[TextChange] = []
        comments = self._comments
        waiting = 0
        done = 0
        before = -1
        for number, line in enumerate(self._lines):
            start, end = line.start, line.end
            at = start - len(line.indent)
            first = waiting
            while waiting < len(comments) and comments[waiting].span.start < start:
                waiting += 1
            between = comments[first:waiting]
            first = waiting
            while waiting < len(comments) and comments[waiting].span.start < end:
                waiting += 1
            inside = comments[first:waiting]
            behind: Comment | None = None
            stop = text.find("\n", end)
            stop = len(text) if stop < 0 else stop
            if waiting < len(comments) and comments[waiting].span.start < stop:
                behind = comments[waiting]
                waiting += 1
            if self._wanted[number]:
                if self._head if before < 0 else self._wanted[before]:
                    new = self._gap(before, number, between, done, at)
                    if new != text[done:at]:
                        found.append(TextChange(Span(done, at), new))
                new = self._line(line, self._codes[number], self._indent(self._blocks[number]), inside, behind)
                if text[stop - 1] == "\r" and stop > end:
                    stop -= 1
                if new != text[at:stop]:
                    found.append(TextChange(Span(at, stop), new))
            else:
                stop = stop - 1 if text[stop - 1] == "\r" and stop > end else stop
            done = stop
            before = number
        if self._tail and (before < 0 or self._wanted[before]):
            new = self._gap(before, None, comments[waiting:], done, len(text))
            if new != text[done:]:
                found.append(TextChange(Span(done, len(text)), new))
        return found

    def _line(
        self, line: LogicalLine, code: Code, indent: str, inside: Sequence[Comment], behind: Comment | None
    ) -> str:
        """A line of code with its indentation and the comment behind it."""
        text = self._text
        whole = text[line.start : line.end]
        multiline = "\n" in whole
        if not code.flat:
            code.flat = self._spacing.flat(whole, code.tokens)
        new = code.flat
        if multiline or len(indent) + len(new) > WIDTH:
            moved = [ast.Comment(c.text, Span(c.span.start - line.start, c.span.end - line.start)) for c in inside]
            new = wrap(whole, code.tokens, moved, self._spacing, indent, self._newline)
        new = indent + new
        return new if behind is None else new + " " + behind.text.rstrip(" \t")

    def _gap(self, before: int, after: int | None, comments: Sequence[Comment], start: int, end: int) -> str:
        """What stands between two lines, from the end of one to the indentation of the other; None is the end of the file."""
        text, newline = self._text, self._newline
        if not comments:
            if after is None:
                return newline if before >= 0 else ""
            if before < 0:
                return ""
            blank = text.count("\n", start, end) > 1 and not self._opens(before)
            return newline + newline if blank or self._needs_blank(before, after) else newline
        level = partial(self._block_of_comment, self._candidates(before, after))
        blanks: list[bool] = []
        indents: list[str] = []
        deepest: _Block | None = None
        at = start
        for comment in comments:
            blanks.append(text.count("\n", at, comment.span.start) > 1)
            deepest = level(comment, deepest)
            indents.append(self._indent(deepest))
            at = comment.span.end
        last_blank = text.count("\n", at, end) > 1
        if before < 0 or self._opens(before):
            blanks[0] = False
        elif after is not None and self._needs_blank(before, after):
            self._separate(blanks, indents, last_blank=last_blank, behind_block=self._blocks[before].level > 0)
        parts: list[str] = []
        for blank, indent, comment in zip(blanks, indents, comments, strict=True):
            parts += (newline if blank else "", indent, comment.text.rstrip(" \t"), newline)
        if last_blank and after is not None:
            parts.append(newline)
        return (newline if before >= 0 else "") + "".join(parts)

    def _separate(self, blanks: list[bool], indents: list[str], *, last_blank: bool, behind_block: bool) -> None:
        """Put a blank line between a definition and the comments before the next one, but not into those that describe that."""
        run = len(blanks)
        if not last_blank:
            run -= 1
            while run and not blanks[run]:
                run -= 1
        first = next((n for n, indent in enumerate(indents) if not indent), len(blanks))
        if first <= run and first < len(blanks) and (behind_block or not (any(blanks) or last_blank)):
            blanks[first] = True

    def _opens(self, number: int) -> bool:
        return isinstance(self._codes[number].node, BlockHead | CompoundHead)

    def _needs_blank(self, before: int, after: int) -> bool:
        """Whether a blank line must stand between two lines: around definitions with a block, and behind the header."""
        if self._blocks[after].level > 0:
            return False
        node = self._codes[after].node
        if self._blocks[before].level > 0 or isinstance(node, BlockHead):
            return True
        return isinstance(node, _ONE_LINERS) and isinstance(self._codes[before].node, _HEADER)

    def _candidates(self, before: int, after: int | None) -> list[_Block]:
        """Blocks that a comment between two lines can belong to, the outermost first: what ends there, and what goes on."""
        if before < 0:
            return [self._root(after)]
        if after is not None and self._opens(before):
            return [self._blocks[after]]
        block = self._blocks[before]
        stop = self._blocks[after].level if after is not None else 0
        found = [block]
        while block.level > stop and block.around is not None:
            block = block.around
            found.append(block)
        return found[::-1]

    def _root(self, after: int | None) -> _Block:
        return self._blocks[after] if after is not None else _Block("", 0, None, 0)

    def _block_of_comment(self, candidates: list[_Block], comment: Comment, deepest: _Block | None) -> _Block:
        """The innermost of the blocks as far indented as the comment, but none inside that of the comment before it."""
        text = self._text
        start = text.rfind("\n", 0, comment.span.start) + 1
        width = _width(text[start : comment.span.start].lstrip("\r"))
        chosen = candidates[0]
        for block in candidates[1:]:
            if _width(block.indent) <= width and (deepest is None or block.level <= deepest.level):
                chosen = block
        return chosen


def _width(indent: str) -> int:
    return len(indent.expandtabs(len(INDENT)))
