"""Make blocks of the lines of one definition, by their indentation strings.

Input:  lines in order, each with its indentation and what it parsed to.
Output: the statements (or members) of the definition, compound statements with their bodies.
Errors: indent.inconsistent, indent.unexpected, indent.empty-block, indent.return-nested, syntax.too-deep.
Source: spec aqua-language §3.1; aqua:parser/src/main/scala/aqua/parser/ListToTreeConverter.scala

Indentations compare as strings: a tab and a blank differ. The first child fixes the indentation of its block. Unlike the
reference, a block without a body is an error at the end of a definition too (§3.4).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from aquac.codes import (
    INDENT_EMPTY_BLOCK,
    INDENT_INCONSISTENT,
    INDENT_RETURN_NESTED,
    INDENT_UNEXPECTED,
    SYNTAX_TOO_DEEP,
)
from aquac.diagnostics import Diagnostic, Note

from . import ast
from .heads import CompoundHead
from .limits import NESTING_MAX

if TYPE_CHECKING:
    from aquac.source import SourceFile

    from .layout import LogicalLine


@dataclass(frozen=True, slots=True)
class Failed:
    """A line with a syntax error. It may have been meant to open a block: lines indented deeper vanish with it."""


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
    first_child: LogicalLine | None = None


class Indenter:
    """The state of §3.1 for one definition. `allows_return` is true for functions."""

    def __init__(self, source: SourceFile, diagnostics: list[Diagnostic], *, allows_return: bool) -> None:
        """Start with the definition's own block, whose indentation is empty."""
        self._source = source
        self._diagnostics = diagnostics
        self._stack = [_Block(None, "", None, allows_return)]
        self._too_deep = False

    def add(self, line: LogicalLine, parsed: Any) -> None:
        """Put the next line into its block."""
        indent = line.indent
        while True:
            block = self._stack[-1]
            if indent.startswith(block.indent):
                if len(indent) > len(block.indent):
                    self._child(block, line, parsed)
                    return
            elif not block.indent.startswith(indent):
                self._report(INDENT_UNEXPECTED, line, _unexpected(indent, block.indent))
                block.inhabited = True
                return
            self._close()

    def finish(self) -> tuple[Any, ...]:
        """Close every block; the children of the definition."""
        while len(self._stack) > 1:
            self._close()
        return tuple(self._stack[0].children)

    @property
    def inhabited(self) -> bool:
        """Whether any line was added."""
        return self._stack[0].inhabited

    def _child(self, block: _Block, line: LogicalLine, parsed: Any) -> None:
        if block.child_indent is not None and line.indent != block.child_indent:
            first = block.first_child
            notes = (Note("the block is indented like this", self._source, first.indent_span),) if first else ()
            self._report(INDENT_INCONSISTENT, line, "this line is indented unlike the lines of its block", notes)
        elif block.child_indent is None:
            block.child_indent = line.indent
            block.first_child = line
        block.inhabited = True
        if isinstance(parsed, CompoundHead):
            allows = isinstance(parsed.statement, ast.Closure)
            self._push(_Block(line, line.indent, parsed, allows))
        elif isinstance(parsed, Failed):
            # What the failed line meant is unknown: whatever its body holds is right.
            self._push(_Block(line, line.indent, None, allows_return=True))
        elif isinstance(parsed, ast.Return) and not block.allows_return:
            self._report(
                INDENT_RETURN_NESTED,
                line,
                "`<-` returns from the function and stands at its own level, not inside a nested block",
                (Note("push results into a stream here, and return the stream at the end"),),
            )
        else:
            block.children.append(parsed)

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
            body = tuple(block.children)
            self._stack[-1].children.append(_with_body(block.opener.statement, body))

    def _report(self, code: Any, line: LogicalLine, message: str, notes: tuple[Note, ...] = ()) -> None:
        self._diagnostics.append(Diagnostic(code, message, self._source, line.indent_span, notes))


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
