"""`.air` files: what editors ask about Aqua, of scripts; from the virtual machine's own lexer and parser.

Positions of the parser count UTF-8 bytes; the documents here are converted once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from aquac.source import SourceFile, Span
from avm.air import ast
from avm.air.beautify import beautify
from avm.air.parser import ParseResult, parse
from avm.air.printer import instruction_text, print_script
from avm.air.tokens import KEYWORDS
from avm.air.walk import children, preorder

from .air_names import Name, names_of
from .convert import line_and_column, to_range, to_text_edit, to_uri
from .legend import MODIFIERS, TYPES
from .protocol import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

SYMBOLS_MAX: Final = 2000

DEPTH_MAX: Final = 20
"""Symbols and selections nest no deeper; clients and the protocol's own code recurse over them."""

FORMS: Final = {
    "ap": "(ap value result)",
    "call": "(call peer (service function) [arguments] result)",
    "canon": "(canon peer $stream #canon)",
    "fail": "(fail value)",
    "fold": "(fold iterable iterator body last)",
    "match": "(match left right body)",
    "mismatch": "(mismatch left right body)",
    "never": "(never)",
    "new": "(new variable body)",
    "next": "(next iterator)",
    "null": "(null)",
    "par": "(par left right)",
    "seq": "(seq left right)",
    "xor": "(xor left right)",
}
assert FORMS.keys() == KEYWORDS.keys()
SPECIAL: Final = ("%init_peer_id%", "%timestamp%", "%ttl%", "%last_error%", ":error:")

_WORD: Final = re.compile(r"[^\s()\[\]\"]*\Z")
_PIECE: Final = re.compile(r";[^\n]*|\"[^\"]*\"?|[()\[\]]|[^\s()\[\]\";]+(?:\[[^\s()\[\]]*\][^\s()\[\]]*)*")
_VARIABLE: Final = re.compile(r"(?:#[$%]?|[$%])?[A-Za-z0-9_-]+")

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
        """Calls, folds and scopes, nested as in the script."""
        found: list[types.DocumentSymbol] = []
        around: list[tuple[int, types.DocumentSymbol]] = []
        for number, node in enumerate(self._named()):
            if number == SYMBOLS_MAX:
                break
            where = to_range(self.source, self.span(*node.span))
            kind = types.SymbolKind.Method if isinstance(node, ast.Call) else types.SymbolKind.Namespace
            symbol = types.DocumentSymbol(instruction_text(node).strip(), kind, where, where)
            while around and around[-1][0] < node.span[1]:
                around.pop()
            if around:
                outer = around[-1][1]
                outer.children = [*(outer.children or ()), symbol]
            else:
                found.append(symbol)
            if len(around) < DEPTH_MAX:
                around.append((node.span[1], symbol))
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

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def names(self) -> list[Name]:
        """Mentions of variables in order."""
        return names_of(self.source.text)

    def name_at(self, offset: int) -> Name | None:
        """The variable whose name holds `offset` or ends there."""
        for name in self.names:
            span = self.span(name.start, name.end)
            if span.start <= offset <= span.end:
                return name
        return None

    def mentions(self, offset: int) -> list[Name]:
        """Every mention of the variable at `offset`, in order."""
        here = self.name_at(offset)
        return [] if here is None else [name for name in self.names if name.key == here.key]

    def _location(self, name: Name) -> types.Location:
        return types.Location(to_uri(self.source.path), to_range(self.source, self.span(name.start, name.end)))

    def definition(self, offset: int) -> list[types.Location]:
        """Where the variable gets its first value, or is opened by `new` or a fold."""
        found = self.mentions(offset)
        first = next((name for name in found if name.writes), None)
        return [] if first is None else [self._location(first)]

    def references(self, offset: int, *, declaration: bool = True) -> list[types.Location]:
        """Mentions; `declaration`: the first value too."""
        found = self.mentions(offset)
        first = next((name for name in found if name.writes), None)
        return [self._location(name) for name in found if declaration or name is not first]

    def highlight(self, offset: int) -> list[types.DocumentHighlight]:
        """Mentions; what receives a value is written."""
        kinds = types.DocumentHighlightKind
        return [
            types.DocumentHighlight(self._location(name).range, kinds.Write if name.writes else kinds.Read)
            for name in self.mentions(offset)
        ]

    def prepare_rename(self, offset: int) -> types.Range:
        """Range of the variable at `offset`. Raises Refused."""
        name = self.name_at(offset)
        if name is None:
            raise Refused("there is no variable here")
        return self._location(name).range

    def rename(self, offset: int, new_name: str) -> types.WorkspaceEdit:
        """The variable under another name of the same kind. Raises Refused."""
        name = self.name_at(offset)
        if name is None:
            raise Refused("there is no variable here")
        tag = _tag(name.text)
        if not _VARIABLE.fullmatch(new_name) or _tag(new_name) != tag or new_name in KEYWORDS:
            like = f", with `{tag}` before it" if tag else ""
            raise Refused(f"`{new_name}` cannot be used here: the name has letters, digits, `_` and `-`{like}")
        if any(other.text == new_name for other in self.names):
            raise Refused(f"`{new_name}` is the name of another variable of this script")
        spans = [self.span(mention.start, mention.end) for mention in self.mentions(offset)]
        return types.WorkspaceEdit({to_uri(self.source.path): [to_text_edit(self.source, s, new_name) for s in spans]})

    def semantic_tokens(self) -> types.SemanticTokens:
        """Variables; what receives its value is a declaration, streams and stream maps are marked."""
        data: list[int] = []
        line = column = 0
        for name in self.names:
            span = self.span(name.start, name.end)
            at, start = line_and_column(self.source, span.start)
            modifiers = ["declaration"] * name.writes + ["stream"] * (name.text[:1] in "$%")
            bits = sum(1 << MODIFIERS.index(modifier) for modifier in modifiers)
            length = line_and_column(self.source, span.end)[1] - start
            data += (at - line, start - column if at == line else start, length, TYPES.index("variable"), bits)
            line, column = at, start
        return types.SemanticTokens(data)

    # ── typing ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def completion(self, offset: int) -> types.CompletionList:
        """Instructions behind `(`; variables and special values elsewhere; nothing in strings and comments."""
        kinds = types.CompletionItemKind
        text = self.source.text
        typed = text[text.rfind("\n", 0, offset) + 1 : offset]
        code = re.sub(r'"[^"]*"', "", typed)
        if '"' in code or ";" in code:
            return types.CompletionList(is_incomplete=False, items=[])
        word = _WORD.search(typed)
        before = typed[: word.start()] if word else typed
        items = []
        if before.rstrip().endswith("("):
            for name, form in FORMS.items():
                items.append(types.CompletionItem(name, kind=kinds.Keyword, detail=form))
        else:
            here = self.name_at(offset)
            start = offset - len(word[0]) if word else offset
            where = to_range(self.source, Span(start, offset))
            for text in dict.fromkeys(name.text for name in self.names if name is not here):
                edit = types.TextEdit(where, text)
                items.append(types.CompletionItem(text, kind=kinds.Variable, filter_text=text, text_edit=edit))
            for text in SPECIAL:
                edit = types.TextEdit(where, text)
                items.append(types.CompletionItem(text, kind=kinds.Constant, filter_text=text, text_edit=edit))
        return types.CompletionList(is_incomplete=False, items=items)

    def signature_help(self, offset: int) -> types.SignatureHelp | None:
        """The form of the instruction around the cursor, with the operand being typed."""
        opened: list[tuple[str, int]] = []  # first word and number of items of each bracket
        touches = False
        for token in _PIECE.finditer(self.source.text, 0, offset):
            piece = token[0]
            touches = token.end() == offset and piece not in "()[]"
            if piece.startswith(";"):
                continue
            if piece in ")]":
                del opened[-1:]
                continue
            if opened:
                word, number = opened[-1]
                opened[-1] = (piece if number == 0 else word, number + 1)
            if piece in "([":
                opened.append(("", 0))
        for word, number in reversed(opened):
            form = FORMS.get(word)
            if form is not None:
                active = number - 1 - touches
                if active < 0:
                    return None
                parts = re.findall(r"\(\w+ \w+\)|\[\w+\]|[$#]?\w+", form[1:-1])[1:]
                label = types.SignatureInformation(form, parameters=[types.ParameterInformation(p) for p in parts])
                return types.SignatureHelp([label], 0, min(active, max(0, len(parts) - 1)))
            touches = True  # this bracket is an operand of the one around
        return None

    # ── shape ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def folding(self) -> list[types.FoldingRange]:
        """Instructions over several lines, and runs of comments."""
        widest: dict[int, types.FoldingRange] = {}
        opened: list[int] = []
        lines = self.source.text.split("\n")
        for number, line in enumerate(lines):
            for char in re.sub(r'"[^"]*"', "", line).partition(";")[0]:
                if char == "(":
                    opened.append(number)
                elif char == ")" and opened:
                    start = opened.pop()
                    if number > start:  # brackets further out come later and are wider
                        widest[start] = types.FoldingRange(start, number)
        comments = [number for number, line in enumerate(lines) if line.strip().startswith(";")]
        start = -2
        for number, after in zip(comments, [*comments[1:], -2], strict=False):
            start = number if start < 0 else start
            if after != number + 1:
                if number > start:
                    widest[start] = types.FoldingRange(start, number, kind=types.FoldingRangeKind.Comment)
                start = -2
        return [widest[start] for start in sorted(widest)]

    def selection(self, offset: int) -> types.SelectionRange:
        """Word, then the instructions around it, then the script."""
        text = self.source.text
        spans = [Span(0, len(text)), *(self.span(*node.span) for node in self.nodes_at(offset)[-DEPTH_MAX:])]
        for word in re.finditer(r"[^\s()\[\]]+", text[max(0, offset - 200) : offset + 200]):
            start = max(0, offset - 200) + word.start()
            if start <= offset <= start + len(word[0]):
                spans.append(Span(start, start + len(word[0])))
                break
        chain: types.SelectionRange | None = None
        last: Span | None = None
        for span in spans:
            if span != last and (last is None or (last.start <= span.start and span.end <= last.end)):
                chain = types.SelectionRange(to_range(self.source, span), chain)
                last = span
        assert chain is not None  # the whole script is always there
        return chain


def _tag(name: str) -> str:
    """What stands before the letters of a variable's name: `$`, `%`, `#`, `#$`, `#%` or nothing."""
    return name[: len(name) - len(name.lstrip("#$%"))]


@lru_cache(maxsize=8)
def air_file(source: SourceFile) -> AirFile:
    """The script of a text, parsed once."""
    return AirFile(source)
