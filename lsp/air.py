"""`.air` files: findings, hovers, symbols and formatting from the virtual machine's own parser.

Positions of the parser count UTF-8 bytes; the documents here are converted once.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from aquac.source import SourceFile, Span
from avm.air import ast
from avm.air.beautify import beautify
from avm.air.parser import ParseResult, parse
from avm.air.printer import instruction_text, print_script
from avm.air.walk import children, preorder

from .convert import to_range

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIX: Final = ".air"
SYMBOLS_MAX: Final = 2000

DOCS: Final = {
    ast.Null: "Does nothing.",
    ast.Never: "Never completes.",
    ast.Seq: "Runs the left part, then the right one.",
    ast.Par: "Runs both parts; completes when either has.",
    ast.Xor: "Runs the right part if the left one fails.",
    ast.Call: "Asks a service of a peer and stores the answer.",
    ast.Ap: "Copies a value into a scalar or appends it to a stream.",
    ast.ApMap: "Inserts a key and a value into a stream map.",
    ast.Canon: "Freezes a stream at a peer.",
    ast.CanonMap: "Freezes a stream map at a peer.",
    ast.CanonStreamMapScalar: "Freezes a stream map at a peer into a scalar.",
    ast.Match: "Runs the body if both values are equal.",
    ast.MisMatch: "Runs the body if the values differ.",
    ast.FoldScalar: "Runs the body for each element of a value.",
    ast.FoldStream: "Runs the body for each value of a stream, also for those that come later.",
    ast.FoldStreamMap: "Runs the body for each entry of a stream map.",
    ast.Next: "Goes to the next round of a fold.",
    ast.New: "Opens a scope with a fresh variable.",
    ast.FailLiteral: "Fails with a code and a message.",
    ast.Fail: "Fails with the error in a value.",
}


@dataclass(eq=False)
class AirFile:
    """One script."""

    source: SourceFile

    @cached_property
    def parsed(self) -> ParseResult:
        """What the parser says."""
        return parse(self.source.text)

    @cached_property
    def _bytes(self) -> list[int]:
        """Byte offset of each code point, and of the end."""
        offsets = [0]
        for char in self.source.text:
            offsets.append(offsets[-1] + len(char.encode("utf-8", "surrogatepass")))
        return offsets

    def span(self, start: int, end: int) -> Span:
        """Code points of a range of bytes."""
        if self.source.text.isascii():
            return Span(start, end)
        return Span(*(max(0, bisect_right(self._bytes, x) - 1) for x in (start, end)))

    def diagnostics(self) -> list[types.Diagnostic]:
        """Errors of syntax and of scopes."""
        return [
            types.Diagnostic(
                to_range(self.source, self.span(label.start, max(label.end, label.start))),
                label.message,
                severity=types.DiagnosticSeverity.Error,
                source="avm",
            )
            for label in self.parsed.labels
        ]

    def nodes_at(self, offset: int) -> list[ast.Instruction]:
        """Instructions around an offset, the outermost first."""
        root = self.parsed.instruction
        around: list[ast.Instruction] = []
        while root is not None:
            span = self.span(*root.span)
            if not span.start <= offset <= span.end:
                break
            around.append(root)
            inner = [c for c in children(root) if self.span(*c.span).start <= offset <= self.span(*c.span).end]
            root = inner[0] if inner else None
        return around

    def hover(self, offset: int) -> types.Hover | None:
        """The innermost instruction and what it does."""
        around = self.nodes_at(offset)
        if not around:
            return None
        node = around[-1]
        text = f"```air\n{instruction_text(node)}\n```\n\n{DOCS[type(node)]}"
        content = types.MarkupContent(types.MarkupKind.Markdown, text)
        return types.Hover(content, range=to_range(self.source, self.span(*node.span)))

    def symbols(self) -> list[types.DocumentSymbol]:
        """Calls, folds and scopes, in order, without nesting."""
        found = []
        for node in self._named():
            where = to_range(self.source, self.span(*node.span))
            kind = types.SymbolKind.Method if isinstance(node, ast.Call) else types.SymbolKind.Namespace
            found.append(types.DocumentSymbol(instruction_text(node), kind, where, where))
            if len(found) == SYMBOLS_MAX:
                break
        return found

    def _named(self) -> Iterator[ast.Instruction]:
        root = self.parsed.instruction
        for node in () if root is None else preorder(root):
            if isinstance(node, ast.Call | ast.FoldScalar | ast.FoldStream | ast.FoldStreamMap | ast.New):
                yield node

    def formatted(self) -> str | None:
        """The script as the printer writes it; None if it has errors or comments, which would be lost."""
        root = self.parsed.instruction
        return None if root is None or ";" in self.source.text else print_script(root)

    def formatting_edits(self) -> list[types.TextEdit]:
        """The whole text replaced; nothing if it is as it should be or cannot be formatted."""
        text = self.formatted()
        if text is None or text == self.source.text:
            return []
        return [types.TextEdit(to_range(self.source, Span(0, len(self.source.text))), text)]

    def beautified(self) -> str | None:
        """The script as pseudo-code; None if it has errors."""
        root = self.parsed.instruction
        return None if root is None else beautify(root, patterns=True)
