"""Make blocks of the lines of one definition, by their indentation strings.

Input:  lines in order, each with its indentation and what it parsed to.
Output: the statements (or members) of the definition, compound statements with their bodies.
Errors: indent.inconsistent, indent.unexpected, indent.empty-block, indent.return-nested, syntax.too-deep.
Source: spec aqua-language §3.1; aqua:parser/src/main/scala/aqua/parser/ListToTreeConverter.scala

Indentations compare as strings: a tab and a blank differ. The first child fixes the indentation of its block. Unlike the
reference, a block without a body is an error at the end of a definition too (§3.4).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from aquac.codes import (
    INDENT_EMPTY_BLOCK,
    INDENT_INCONSISTENT,
    INDENT_RETURN_NESTED,
    INDENT_UNEXPECTED,
    SYNTAX_TOO_DEEP,
    Code,
    as_warning,
)
from aquac.diagnostics import Diagnostic, Edit, Fix, Note
from aquac.records import dataclass, field, replace

from . import ast
from .heads import CompoundHead
from .limits import NESTING_MAX
from .old_returns import lift, lifting_edit

if TYPE_CHECKING:
    from aquac.source import SourceFile

    from .layout import LogicalLine


@dataclass(frozen=True, slots=True)
class Failed:
    """A line with a syntax error. It may have been meant to open a block, unless it is `cut` off inside brackets."""

    cut: bool = False


@dataclass(slots=True)
class _Block:
    """An open block. `opener` is None for the definition itself and for the block of a failed line."""

    line: LogicalLine | None
    indent: str
    opener: CompoundHead | None
    allows_return: bool
    child_indent: str | None = None
    children: list[Any] = field(default_factory=list)
    inhabited: bool = False
    # Lines of the block by indentation, while none of them is reported for another reason; and how many are measured, as those
    # behind an empty block may have been meant for its body.
    lines: dict[str, list[tuple[int, LogicalLine, bool]]] = field(default_factory=dict)
    size: int = 0
    muted: bool = False
    sound: int = sys.maxsize
    cut: bool = False
    after_failed: bool = False
    late_return: ast.Return | None = None

    @property
    def body(self) -> tuple[Any, ...]:
        """The children, and behind them a return that stood in an inner block."""
        return tuple(self.children) if self.late_return is None else (*self.children, self.late_return)


class Indenter:
    """The state of §3.1 for one definition. `allows_return` is true for functions.

    `legacy` tolerates what versions before 0.10.6 did (§13.1): lines indented unlike their block are part of it all the same,
    and a `<-` inside `on` returns from the function behind the block.
    """

    def __init__(
        self,
        source: SourceFile,
        diagnostics: list[Diagnostic],
        *,
        allows_return: bool,
        legacy: bool = False,
        keep_going: bool = False,
        blank: str = " ",
    ) -> None:
        """Start with the definition's own block, whose indentation is empty.

        What stands below a failed line becomes a block of its own kind (`try`, which binds names for itself), a `<-` in it
        is left out. With `keep_going` it becomes part of the block of that line instead. `blank` is what most lines of the file
        are indented with.
        """
        self._legacy = legacy
        self._keep_going = keep_going
        self._source = source
        self._diagnostics = diagnostics
        self._stack = [_Block(None, "", None, allows_return)]
        self._too_deep = False
        self._misplaced = ""
        self._blank = blank

    def place(self, line: LogicalLine) -> None:
        """Find the block of the next line; `add` puts it there."""
        indent = line.indent
        self._misplaced = ""
        while True:
            block = self._stack[-1]
            if indent.startswith(block.indent):
                if len(indent) > len(block.indent):
                    return
            elif not block.indent.startswith(indent):
                blamed = indent[0] == self._blank != block.indent[0]
                if block.line is not None and blamed and indent.startswith(self._stack[-2].indent):
                    self._blame(block.line, indent)
                    continue
                self._misplaced = _unexpected(indent, block.indent)
                self._align(indent)
                return
            self._close()

    def add(self, line: LogicalLine, parsed: Any, following: str = "") -> bool:
        """Put the line that was placed into its block. `following` is the indentation of the next line.

        False if it is a branch of a line that failed, and therefore counts as failed too.
        """
        block = self._stack[-1]
        failed = isinstance(parsed, Failed)
        if self._misplaced and not failed:
            self._report(INDENT_UNEXPECTED, line, self._misplaced)
        if block.child_indent is None:
            block.child_indent = line.indent
        if not failed and not self._misplaced:
            block.lines.setdefault(line.indent, []).append((block.size, line, isinstance(parsed, CompoundHead)))
            block.size += 1
        return self._child(block, line, parsed, following)

    def finish(self) -> tuple[Any, ...]:
        """Close every block; the children of the definition."""
        while len(self._stack) > 1:
            self._close()
        self._report_uneven(self._stack[0])
        return self._stack[0].body

    @property
    def inhabited(self) -> bool:
        """Whether any line was added."""
        return self._stack[0].inhabited

    @property
    def below_failed(self) -> bool:
        """Whether the line that was placed stands below one with a syntax error."""
        return any(block.line is not None and block.opener is None for block in self._stack)

    @property
    def continues_failed(self) -> bool:
        """Whether the line that was placed is more of a line that ended inside brackets."""
        return any(block.cut for block in self._stack)

    def indent_for(self, following: str, *, opens: bool) -> str:
        """How a line without indentation may have been meant to be indented, before a line indented as `following`."""
        block = self._stack[-1]
        if block.child_indent is None:
            return block.indent + "  "
        known = [b.child_indent for b in reversed(self._stack) if b.child_indent is not None]
        for indent in known:
            if following.startswith(indent) and (len(following) > len(indent) or not opens):
                return indent
        return known[0] if not following else known[-1]

    def _blame(self, line: LogicalLine, indent: str) -> None:
        """It is not the line being placed but the head of the innermost block that is indented unlike the others."""
        block, around = self._stack[-1], self._stack[-2]
        self._report(INDENT_UNEXPECTED, line, _unexpected(block.indent, indent))
        around.lines.pop(block.indent, None)
        if around.child_indent == block.indent:
            around.child_indent = None
        block.indent = around.indent
        block.muted = True

    def _align(self, indent: str) -> None:
        """Close blocks down to the one whose lines look as far indented as `indent`, with tabs of some usual width."""
        if self._stack[-1].child_indent is None:
            return  # the first line of a block is what is due
        for at in reversed(range(len(self._stack))):
            child = self._stack[at].child_indent
            if child is not None and any(len(child.expandtabs(n)) == len(indent.expandtabs(n)) for n in (2, 4, 8)):
                while len(self._stack) > at + 1:
                    self._close()
                return

    def _child(self, block: _Block, line: LogicalLine, parsed: Any, following: str) -> bool:
        block.inhabited = True
        branch = _is_branch(parsed)
        below_failed = block.line is not None and block.opener is None
        orphan = branch and (block.after_failed or below_failed) and not self._keep_going
        if orphan:
            parsed = Failed()  # what it belongs to is the line that could not be read
        elif not branch:
            block.after_failed = False
        if isinstance(parsed, Failed):
            block.after_failed = True
        if isinstance(parsed, CompoundHead | Failed):
            self._open(block, line, parsed, following)
        elif isinstance(parsed, ast.Return) and not block.allows_return:
            if not self._misplaced:  # else which block it was meant for is unknown
                self._nested_return(line, parsed)
        else:
            block.children.append(parsed)
        return not orphan

    def _report_uneven(self, block: _Block) -> None:
        """Report lines indented unlike the first of their block."""
        if len(block.lines) < 2 or block.muted:
            return
        usual = next(iter(block.lines))
        below_failed = block.line is not None and block.opener is None
        notes = (Note("the block is indented like this", self._source, block.lines[usual][0][1].indent_span),)
        code = as_warning(INDENT_INCONSISTENT) if self._legacy else INDENT_INCONSISTENT
        for indent, lines in block.lines.items():
            if indent == usual or (below_failed and not indent.startswith(usual)):
                continue  # the failed line may have been the head of two blocks
            before = -2
            for number, line, opens in lines:
                follows, before = number == before + 1, number
                if follows or number >= block.sound:
                    continue  # a group of lines was moved together
                edit = Edit(self._source, line.indent_span, usual)
                fixes = () if opens else (Fix("indent it like the lines of its block", (edit,)),)
                self._report(code, line, "this line is indented unlike the lines of its block", notes, fixes)

    def _nested_return(self, line: LogicalLine, parsed: ast.Return) -> None:
        """Report a `<-` in an inner block; between it and its function only `on` may stand for it to be tolerated."""
        code = INDENT_RETURN_NESTED
        fixes: tuple[Fix, ...] = ()
        owner = next((n for n in reversed(range(len(self._stack))) if self._stack[n].allows_return), 0)
        inner = self._stack[owner + 1 :]
        function = self._stack[owner]
        if self._legacy and function.late_return is None and all(_is_on(block) for block in inner):
            code = as_warning(code)
            lifted = lift(self._source, parsed)
            self._stack[-1].children += lifted.bound
            function.late_return = lifted.result
            fixes = lifting_edit(self._source, line, lifted, function.child_indent or "")
        self._report(
            code,
            line,
            "`<-` returns from the function and stands at its own level, not inside a nested block",
            (Note("push results into a stream here, and return the stream at the end"),),
            fixes,
        )

    def _open(self, block: _Block, line: LogicalLine, parsed: CompoundHead | Failed, following: str) -> None:
        """Open the block of a line of `block`.

        A line indented wrongly counts as indented like its neighbours if the next line is deeper than those but not than it:
        that line is taken for its body. Below a failed line there is nothing to measure by.
        """
        indent = line.indent
        usual = block.child_indent
        measured = block.line is None or block.opener is not None
        if usual is not None and measured and _deeper(following, usual) and not _deeper(following, indent):
            indent = usual
        elif self._misplaced and measured:
            indent = block.indent
        if isinstance(parsed, CompoundHead):
            self._push(_Block(line, indent, parsed, isinstance(parsed.statement, ast.Closure)))
        else:
            # What the failed line meant is unknown: whatever its body holds is right.
            self._push(_Block(line, indent, None, allows_return=True, cut=parsed.cut))
        self._stack[-1].muted = bool(self._misplaced)

    def _push(self, block: _Block) -> None:
        self._stack.append(block)
        if len(self._stack) > NESTING_MAX and not self._too_deep and block.line is not None:
            self._too_deep = True
            message = f"blocks nested deeper than {NESTING_MAX} levels"
            self._diagnostics.append(Diagnostic(SYNTAX_TOO_DEEP, message, self._source, block.line.span))

    def _close(self) -> None:
        block = self._stack.pop()
        self._report_uneven(block)
        if not block.inhabited and block.line is not None and block.opener is not None:
            self._report(
                INDENT_EMPTY_BLOCK, block.line, "this block has no body: the next line is not indented deeper than it"
            )
            self._stack[-1].sound = min(self._stack[-1].sound, self._stack[-1].size)
        if block.opener is not None:
            self._stack[-1].children.append(_with_body(block.opener.statement, block.body))
        elif block.line is not None:
            body = tuple(child for child in block.children if not isinstance(child, ast.Return))
            if self._keep_going:
                self._stack[-1].children += body
                return
            if body and isinstance(body[0], ast.Else | ast.Catch | ast.Otherwise | ast.Par):
                body = ()
            if body and not isinstance(body[0], ast.Member):
                self._stack[-1].children.append(ast.Try(body, block.line.span))

    def _report(
        self,
        code: Code,
        line: LogicalLine,
        message: str,
        notes: tuple[Note, ...] = (),
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        self._diagnostics.append(Diagnostic(code, message, self._source, line.indent_span, notes, fixes))


def _deeper(indent: str, than: str) -> bool:
    return indent != than and indent.startswith(than)


def _is_branch(parsed: Any) -> bool:
    """Whether the line belongs to the statement before it."""
    node = parsed.statement if isinstance(parsed, CompoundHead) else parsed
    return isinstance(node, ast.Else | ast.Catch | ast.Otherwise | ast.Par)


def _is_on(block: _Block) -> bool:
    return block.opener is not None and isinstance(block.opener.statement, ast.On)


def _with_body(statement: ast.Statement, body: ast.Body) -> ast.Statement:
    """The compound statement with its body; `par` and `co` wrap one."""
    match statement:
        case ast.Par() | ast.Co():
            return replace(statement, body=_with_body(statement.body, body))
        case (
            ast.On()
            | ast.For()
            | ast.ParSeq()
            | ast.If()
            | ast.Else()
            | ast.Try()
            | ast.Catch()
            | ast.Otherwise()
            | ast.Closure()
        ):
            return replace(statement, body=body)
        case _:
            raise AssertionError("not a compound statement")


def _unexpected(indent: str, expected: str) -> str:
    if ("\t" in indent) != ("\t" in expected):
        return "this line is indented with other characters (tabs or blanks) than the block it stands in"
    return "this indentation belongs to no block"
