"""AIR text to tree.

Input:  a script of any size and depth; the parser keeps its own stack.
Output: `ParseResult`: the tree, or labels. A bad token, or one that belongs to no rule, makes exactly one label; else
        there is a label for every syntax error (parsing goes on behind it) and for every failed check of `validate`.
Errors: none raised.
Source: aquavm:crates/air-lib/air-parser/src/parser/air.lalrpop, air_parser.rs

The reference is a table-driven LR(1) parser whose only error production stands for a whole instruction. Every instruction
is followed by a bracket or the end of input, so its recovery comes down to this: go outwards to the innermost place where
an instruction could stand and, with one there, the current token could follow; if there is none, drop the token. Places
inside instructions that are not yet left count, also those already filled: their content is thrown away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import ast
from . import tokens as t
from .legal import (
    AP_VALUE,
    FAIL_VALUE,
    MAP_KEY,
    OUTPUT,
    PEER,
    SCALAR_ITERABLE,
    STRING,
    VALUE,
    VARIABLE,
)
from .lexer import TextError, Tokens, tokenize
from .quick import quick
from .report import Label, render
from .validate import Validator

if TYPE_CHECKING:
    from collections.abc import Callable

    from .ast import Span

_EMPTY_ARRAY: Final = ast.EmptyArray()

_LOST: Final = ast.Null((0, 0))
"""Stands where an instruction had a syntax error. Never leaves the parser: a script with errors has no tree."""


class ParseResult:
    """A tree, or labels; never both."""

    __slots__ = ("_report", "instruction", "labels", "text")

    def __init__(self, text: str, instruction: ast.Instruction | None, labels: tuple[Label, ...]) -> None:
        """`text` is kept for the report."""
        self.text = text
        self.instruction = instruction
        self.labels = labels
        self._report: str | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a tree."""
        return self.instruction is not None

    @property
    def report(self) -> str:
        """The drawing of the labels, as the reference prints it; empty if there are none. Drawn on first use."""
        if self._report is None:
            self._report = render(self.text, self.labels) if self.labels else ""
        return self._report


def parse(text: str) -> ParseResult:
    """Parse and check a script."""
    tree = quick(text)
    if tree is not None:
        return ParseResult(text, tree, ())
    return parse_exactly(text)


def parse_exactly(text: str) -> ParseResult:
    """As `parse`, token by token whatever the script looks like."""
    try:
        tokens = tokenize(text)
    except TextError as error:
        return ParseResult(text, None, (Label(error.start, error.end, error.message),))
    parser = _Parser(tokens)
    try:
        root = parser.script()
    except _Abandoned as error:
        return ParseResult(text, None, (parser.label(error.expected),))
    labels = (*parser.labels, *parser.validator.labels())
    return ParseResult(text, None if labels else root, labels)


class _SyntaxError(Exception):
    """The current token is not among the legal ones."""

    def __init__(self, expected: int) -> None:
        super().__init__(expected)
        self.expected = expected


class _Abandoned(Exception):
    """The current token belongs to no rule (a lens on a stream), which ends parsing there and then."""

    def __init__(self, expected: int) -> None:
        super().__init__(expected)
        self.expected = expected


class _Frame:
    """An instruction whose operands are read and whose inner instructions are being read.

    `opens_at` and `closes_below` are indices into the stack: the innermost frame, up to this one, in which an instruction
    may stand before `(`; the innermost one below this in which one may stand before `)`. -1: none.
    """

    __slots__ = ("build", "children", "closes_below", "most", "needed", "opens_at", "start")

    def __init__(self, start: int, needed: int, most: int, build: Callable[..., ast.Instruction]) -> None:
        self.start = start
        self.needed = needed
        self.most = most
        self.build = build  # (children, span) → node
        self.children: list[ast.Instruction] = []
        self.opens_at = -1
        self.closes_below = -1

    def closes(self) -> bool:
        """Whether `)` could follow an instruction put at the current or an earlier place."""
        return len(self.children) + 1 >= self.needed


class _Parser:
    """Predictive parser with one token of look-ahead."""

    def __init__(self, tokens: Tokens) -> None:
        self.kinds, self.starts, self.ends, self.nodes = tokens.kinds, tokens.starts, tokens.ends, tokens.nodes
        self.at = 0
        self.frames: list[_Frame] = []
        self.root: ast.Instruction | None = None
        self.labels: list[Label] = []
        self.validator = Validator()

    def script(self) -> ast.Instruction | None:
        """The whole script; to be thrown away if there are labels."""
        kinds, frames = self.kinds, self.frames
        while True:
            kind = kinds[self.at]
            try:
                if frames:
                    frame = frames[-1]
                    count = len(frame.children)
                    if kind == t.OPEN and count < frame.most:
                        self.instruction()
                    elif kind == t.CLOSE and count >= frame.needed:
                        frames.pop()
                        self.finish(frame.build(frame.children, self.close(frame.start)))
                    else:
                        opening = t.OPEN if count < frame.most else 0
                        raise _SyntaxError(opening | (t.CLOSE if count >= frame.needed else 0))
                elif self.root is None:
                    if kind != t.OPEN:
                        raise _SyntaxError(t.OPEN)
                    self.instruction()
                elif kind == t.END:
                    return self.root
                else:
                    raise _SyntaxError(0)
            except _SyntaxError as error:
                self.labels.append(self.label(error.expected))
                self.recover(error.expected)

    def label(self, expected: int) -> Label:
        """A syntax error at the current token."""
        return Label(self.starts[self.at], self.ends[self.at], t.expected_text(expected))

    def recover(self, expected: int) -> None:
        """Leave the parser where the current or a later token fits, with the erroneous instruction replaced."""
        frames, kinds = self.frames, self.kinds
        opens_at = frames[-1].opens_at if frames else -1
        closes_at = -1
        if frames:
            closes_at = len(frames) - 1 if frames[-1].closes() else frames[-1].closes_below
        while (kind := kinds[self.at]) != t.END:
            if kind == t.OPEN and opens_at >= 0:
                del frames[opens_at + 1 :]
                frames[-1].children[:] = [_LOST]
                return
            if kind == t.CLOSE and closes_at >= 0:
                del frames[closes_at + 1 :]
                frame = frames[-1]
                frame.children[min(len(frame.children), frame.most - 1) :] = [_LOST]
                return
            if kind == t.STREAM_LENS:
                raise _Abandoned(expected)
            self.at += 1
        frames.clear()
        self.root = _LOST

    def finish(self, node: ast.Instruction) -> None:
        """Hand a whole instruction to the checks and to its parent."""
        self.validator.met(node)
        if self.frames:
            self.frames[-1].children.append(node)
        else:
            self.root = node

    def push(self, start: int, needed: int, most: int, build: Callable[..., ast.Instruction]) -> None:
        """Start reading the inner instructions of an instruction."""
        frame = _Frame(start, needed, most, build)
        depth = len(self.frames)
        if depth:
            parent = self.frames[-1]
            frame.closes_below = depth - 1 if parent.closes() else parent.closes_below
            frame.opens_at = parent.opens_at
        if most > 1:
            frame.opens_at = depth
        self.frames.append(frame)

    # ── tokens ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, legal: int) -> Any:
        """The node of the current token, which must be legal."""
        at = self.at
        if not self.kinds[at] & legal:
            raise _SyntaxError(legal)
        self.at = at + 1
        return self.nodes[at]

    def value(self, legal: int) -> Any:
        """Like `take`, where `[]` may stand."""
        at = self.at
        kind = self.kinds[at]
        if not kind & legal:
            raise _SyntaxError(legal)
        self.at = at + 1
        if kind != t.OPEN_SQUARE:
            return self.nodes[at]
        self.take(t.CLOSE_SQUARE)
        return _EMPTY_ARRAY

    def close(self, start: int) -> Span:
        """The final bracket; the span of the instruction that started at `start`."""
        at = self.at
        if self.kinds[at] != t.CLOSE:
            raise _SyntaxError(t.CLOSE)
        self.at = at + 1
        return (start, self.ends[at])

    # ── instructions ─────────────────────────────────────────────────────────────────────────────────────────────────

    def instruction(self) -> None:
        """A leaf as a whole; of others the part before their first inner instruction. The current token is `(`."""
        start = self.starts[self.at]
        self.at += 1
        read = _READERS.get(self.kinds[self.at])
        if read is None:
            raise _SyntaxError(t.KEYWORD)
        self.at += 1
        read(self, start)

    def null(self, start: int) -> None:
        self.finish(ast.Null(self.close(start)))

    def never(self, start: int) -> None:
        self.finish(ast.Never(self.close(start)))

    def seq(self, start: int) -> None:
        self.push(start, 2, 2, _seq)

    def par(self, start: int) -> None:
        self.push(start, 2, 2, _par)

    def xor(self, start: int) -> None:
        self.push(start, 2, 2, _xor)

    def call(self, start: int) -> None:
        peer = self.take(PEER)
        self.take(t.OPEN)
        service, function = self.take(STRING), self.take(STRING)
        self.take(t.CLOSE)
        self.take(t.OPEN_SQUARE)
        args = []
        kinds = self.kinds
        while kinds[self.at] != t.CLOSE_SQUARE:
            if not kinds[self.at] & VALUE:
                raise _SyntaxError(VALUE | t.CLOSE_SQUARE)
            args.append(self.value(VALUE))
        self.at += 1
        output = None
        if kinds[self.at] != t.CLOSE:
            if not kinds[self.at] & OUTPUT:
                raise _SyntaxError(OUTPUT | t.CLOSE)
            output = self.take(OUTPUT)
        self.finish(ast.Call(peer, service, function, tuple(args), output, self.close(start)))

    def ap(self, start: int) -> None:
        if self.kinds[self.at] == t.OPEN:
            self.at += 1
            key, value = self.take(MAP_KEY), self.value(AP_VALUE)
            self.take(t.CLOSE)
            self.finish(ast.ApMap(key, value, self.take(t.STREAM_MAP), self.close(start)))
            return
        if not self.kinds[self.at] & AP_VALUE:
            raise _SyntaxError(AP_VALUE | t.OPEN)
        self.finish(ast.Ap(self.value(AP_VALUE), self.take(OUTPUT), self.close(start)))

    def canon(self, start: int) -> None:
        peer = self.take(PEER)
        source = self.take(t.STREAM | t.STREAM_MAP)
        if isinstance(source, ast.Stream):
            self.finish(ast.Canon(peer, source, self.take(t.CANON_STREAM), self.close(start)))
            return
        result = self.take(t.CANON_STREAM_MAP | t.SCALAR)
        kind = ast.CanonStreamMapScalar if isinstance(result, ast.Scalar) else ast.CanonMap
        self.finish(kind(peer, source, result, self.close(start)))

    def match(self, start: int) -> None:
        left, right = self.value(VALUE), self.value(VALUE)
        self.push(start, 1, 1, lambda inside, span: ast.Match(left, right, inside[0], span))

    def mismatch(self, start: int) -> None:
        left, right = self.value(VALUE), self.value(VALUE)
        self.push(start, 1, 1, lambda inside, span: ast.MisMatch(left, right, inside[0], span))

    def fold(self, start: int) -> None:
        iterable = self.value(SCALAR_ITERABLE | t.STREAM | t.STREAM_MAP)
        iterator = self.take(t.SCALAR)
        kind: Callable[..., ast.Instruction]
        match iterable:
            case ast.Stream():
                kind = ast.FoldStream
            case ast.StreamMap():
                kind = ast.FoldStreamMap
            case _:
                kind = ast.FoldScalar
        self.push(
            start,
            1,
            2,
            lambda inside, span: kind(iterable, iterator, inside[0], inside[1] if len(inside) > 1 else None, span),
        )

    def next(self, start: int) -> None:
        self.finish(ast.Next(self.take(t.SCALAR), self.close(start)))

    def new(self, start: int) -> None:
        argument = self.take(VARIABLE)
        self.push(start, 1, 1, lambda inside, span: ast.New(argument, inside[0], span))

    def fail(self, start: int) -> None:
        value = self.take(FAIL_VALUE)
        if isinstance(value, ast.Int):
            message = self.take(t.LITERAL)
            self.finish(ast.FailLiteral(value.value, message.text, self.close(start)))
        else:
            self.finish(ast.Fail(value, self.close(start)))


def _seq(inside: list[ast.Instruction], span: Span) -> ast.Instruction:
    return ast.Seq(inside[0], inside[1], span)


def _par(inside: list[ast.Instruction], span: Span) -> ast.Instruction:
    return ast.Par(inside[0], inside[1], span)


def _xor(inside: list[ast.Instruction], span: Span) -> ast.Instruction:
    return ast.Xor(inside[0], inside[1], span)


_READERS: Final[dict[int, Callable[[_Parser, int], None]]] = {
    t.NULL: _Parser.null,
    t.NEVER: _Parser.never,
    t.SEQ: _Parser.seq,
    t.PAR: _Parser.par,
    t.XOR: _Parser.xor,
    t.CALL: _Parser.call,
    t.AP: _Parser.ap,
    t.CANON: _Parser.canon,
    t.MATCH: _Parser.match,
    t.MISMATCH: _Parser.mismatch,
    t.FOLD: _Parser.fold,
    t.NEXT: _Parser.next,
    t.NEW: _Parser.new,
    t.FAIL: _Parser.fail,
}
