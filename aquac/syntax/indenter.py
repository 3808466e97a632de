"""Make blocks of the lines of one definition, by their indentation strings.

Input:  lines in order, each with its indentation and what it parsed to.
Output: the statements (or members) of the definition, compound statements with their bodies.
Errors: indent.inconsistent, indent.unexpected, indent.empty-block, indent.return-nested, syntax.too-deep.
Source: spec aqua-language §3.1; aqua:parser/src/main/scala/aqua/parser/ListToTreeConverter.scala

Indentations compare as strings: a tab and a blank differ. The first child fixes the indentation of its block. Unlike the
reference, a block without a body is an error at the end of a definition too (§3.4).
"""

from __future__ import annotations

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
    """A line with a syntax error. It may have been meant to open a block: lines indented deeper vanish with it."""


@dataclass(slots=True)
class _Block:
    """An open block. `opener` is None for the definition itself and for the block of a failed line.

    `meant` is how the opener should have been indented.
    """

    line: LogicalLine | None
    indent: str
    opener: CompoundHead | None
    allows_return: bool
    child_indent: str | None = None
    children: list[Any] = field(default_factory=list)
    inhabited: bool = False
    first_child: LogicalLine | None = None
    late_return: ast.Return | None = None
    meant: str | None = None

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
    ) -> None:
        """Start with the definition's own block, whose indentation is empty.

        With `keep_going` what stands below a failed line becomes part of the block of that line.
        """
        self._legacy = legacy
        self._keep_going = keep_going
        self._source = source
        self._diagnostics = diagnostics
        self._stack = [_Block(None, "", None, allows_return)]
        self._too_deep = False

    def add(self, line: LogicalLine, parsed: Any) -> None:
        """Put the next line into its block."""
        indent = line.indent
        while True:
            block = self._stack[-1]
            self._settle(block, indent)
            if indent.startswith(block.indent):
                if len(indent) > len(block.indent):
                    self._child(block, line, parsed)
                    return
            elif not block.indent.startswith(indent):
                self._report(INDENT_UNEXPECTED, line, _unexpected(indent, block.indent))
                block.inhabited = True
                if isinstance(parsed, CompoundHead | Failed):
                    self._open(block, line, parsed)
                return
            self._close()

    def finish(self) -> tuple[Any, ...]:
        """Close every block; the children of the definition."""
        while len(self._stack) > 1:
            self._close()
        return self._stack[0].body

    @property
    def inhabited(self) -> bool:
        """Whether any line was added."""
        return self._stack[0].inhabited

    def _child(self, block: _Block, line: LogicalLine, parsed: Any) -> None:
        if block.child_indent is not None and line.indent != block.child_indent:
            first = block.first_child
            notes = (Note("the block is indented like this", self._source, first.indent_span),) if first else ()
            fixes: tuple[Fix, ...] = ()
            if not isinstance(parsed, CompoundHead):
                edit = Edit(self._source, line.indent_span, block.child_indent)
                fixes = (Fix("indent it like the lines of its block", (edit,)),)
            code = as_warning(INDENT_INCONSISTENT) if self._legacy else INDENT_INCONSISTENT
            self._report(code, line, "this line is indented unlike the lines of its block", notes, fixes)
        elif block.child_indent is None:
            block.child_indent = line.indent
            block.first_child = line
        block.inhabited = True
        if isinstance(parsed, CompoundHead | Failed):
            self._open(block, line, parsed)
        elif isinstance(parsed, ast.Return) and not block.allows_return:
            self._nested_return(line, parsed)
        else:
            block.children.append(parsed)

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

    def _open(self, block: _Block, line: LogicalLine, parsed: CompoundHead | Failed) -> None:
        """Open the block of a line of `block`.

        A line indented wrongly may count as indented like its neighbours, see `_settle`.
        """
        meant = line.indent if block.child_indent is None else block.child_indent
        if isinstance(parsed, CompoundHead):
            self._push(_Block(line, line.indent, parsed, isinstance(parsed.statement, ast.Closure), meant=meant))
        else:
            # What the failed line meant is unknown: whatever its body holds is right.
            self._push(_Block(line, line.indent, None, allows_return=True, meant=meant))

    def _settle(self, block: _Block, indent: str) -> None:
        """Decide at the line behind its opener what a block is measured by.

        Where the opener was indented by a slip, and the line is deeper than the opener's neighbours but not than the opener,
        the line is taken for its body.
        """
        if not block.inhabited and block.meant is not None and not _deeper(indent, block.indent):
            if _deeper(indent, block.meant):
                block.indent = block.meant
            block.meant = None

    def _push(self, block: _Block) -> None:
        self._stack.append(block)
        if len(self._stack) > NESTING_MAX and not self._too_deep and block.line is not None:
            self._too_deep = True
            message = f"blocks nested deeper than {NESTING_MAX} levels"
            self._diagnostics.append(Diagnostic(SYNTAX_TOO_DEEP, message, self._source, block.line.span))

    def _close(self) -> None:
        block = self._stack.pop()
        if not block.inhabited and block.line is not None and block.opener is not None:
            self._report(
                INDENT_EMPTY_BLOCK, block.line, "this block has no body: the next line is not indented deeper than it"
            )
        if block.opener is not None:
            self._stack[-1].children.append(_with_body(block.opener.statement, block.body))
        elif self._keep_going:
            self._stack[-1].children += block.children

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
