"""AIR text of the usual form to tree, three times as fast as `lexer` and `parser` do it.

Problem: a token costs half a microsecond in Python whatever is done with it, and a script has one for every five characters.
Idea:    one regular expression takes a whole instruction, or the part of it before the first inner one, and leaves its operands
         in groups. Words are looked up by their text, so most are classified once.
Input:   any script. Output: the very tree that `parser.parse` makes, or None where the text is not of the usual form: it has an
         error, characters beyond ASCII outside of literals and comments, or a comment or blanks at a place where nobody writes
         them. Errors: none.

An editor of this file must preserve: the tree is the same, or there is none; `tests/avm/air/test_quick.py` compares the two.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from . import ast
from . import tokens as t
from .legal import AP_VALUE, FAIL_VALUE, MAP_KEY, OUTPUT, PEER, SCALAR_ITERABLE, STRING, VALUE, VARIABLE
from .validate import Validator
from .words import Word, WordError, classify

if TYPE_CHECKING:
    from collections.abc import Callable

_BLANK: Final = r"[ \t-\r]"
_REST: Final = rf"{_BLANK}*+"
_GAP: Final = rf"{_BLANK}++"
_CHARACTER: Final = r"[^ \t-\r()\[\]\x80-\xff]"
_LITERAL: Final = r'"[^"]*+"'
# As the lexer cuts it: brackets are square, balanced and not nested, and no other bracket follows.
_CUT: Final = rf"""(?![";]){_CHARACTER}++(?:\[{_CHARACTER}*+\]{_CHARACTER}*+)*+"""
_WORD: Final = rf"{_CUT}(?=[ \t-\r)\]])"
_OPERAND: Final = rf"(?:{_LITERAL}|{_WORD})"
_VALUE: Final = rf"(?:{_LITERAL}|{_WORD}|\[{_REST}\])"

# Groups of the pattern, by instruction.
G_OPEN, G_PAIR, G_CALL_PEER, G_SERVICE, G_FUNCTION, G_ARGUMENTS, G_OUTPUT = 1, 2, 3, 4, 5, 6, 7
G_AP_VALUE, G_AP_RESULT, G_NEXT, G_BARE, G_COMPARISON, G_LEFT, G_RIGHT = 8, 9, 10, 11, 12, 13, 14
G_ITERABLE, G_ITERATOR, G_NEW, G_CANON_PEER, G_STREAM, G_CANON, G_FAIL, G_MESSAGE = 15, 16, 17, 18, 19, 20, 21, 22
G_KEY, G_MAP_VALUE, G_MAP, G_CLOSE, G_OTHER = 23, 24, 25, 26, 27

STEP: Final = re.compile(
    rf"(?:{_GAP}|;[^\n]*+\n?+)*+(?:"
    r"(\()(?:"
    rf"(seq|par|xor)(?={_BLANK})"
    rf"|call{_GAP}({_OPERAND}){_REST}\({_REST}({_OPERAND}){_REST}({_OPERAND}){_REST}\){_REST}"
    rf"\[((?:{_REST}{_VALUE})*+){_REST}\]{_REST}(?:({_WORD}){_REST})?+\)"
    rf"|ap{_GAP}({_VALUE}){_REST}({_WORD}){_REST}\)"
    rf"|next{_GAP}({_WORD}){_REST}\)"
    rf"|(null|never){_REST}\)"
    rf"|(match|mismatch){_GAP}({_VALUE}){_REST}({_VALUE})"
    rf"|fold{_GAP}({_VALUE}){_REST}({_WORD})"
    rf"|new{_GAP}({_WORD})"
    rf"|canon{_GAP}({_OPERAND}){_REST}({_WORD}){_REST}({_WORD}){_REST}\)"
    rf"|fail{_GAP}({_WORD}){_REST}(?:({_LITERAL}){_REST})?+\)"
    rf"|ap{_GAP}\({_REST}({_OPERAND}){_REST}({_VALUE}){_REST}\){_REST}({_WORD}){_REST}\)"
    r")|(\))|(.)|\Z)",
    re.DOTALL,
)
ARGUMENT: Final = re.compile(rf"{_LITERAL}|{_CUT}|\[{_REST}\]")  # of a text that the pattern above took

_EMPTY_ARRAY: Final = Word(t.OPEN_SQUARE, ast.EmptyArray())

_Frame = tuple[int, "Callable[..., ast.Instruction]", tuple[Any, ...], int, int, list[ast.Instruction]]
"""An open instruction: its start, class and operands, how many inner instructions it has at least and at most, and those."""


class UnusualError(Exception):
    """This is for the exact parser to say."""


def quick(text: str) -> ast.Instruction | None:
    """The tree of a faultless script of the usual form, else None. Linear in its size."""
    bytes_of = byte_text(text)
    if bytes_of is None:
        return None
    reading = _Reading()
    try:
        root = reading.script(bytes_of)
    except (UnusualError, WordError):
        return None
    return None if reading.validator.labels() else root


def byte_text(text: str) -> str | None:
    """The text with a character for each byte of its UTF-8 form, so that positions are those of bytes; None if it has none."""
    if text.isascii():
        return text
    try:
        return text.encode().decode("latin-1")
    except UnicodeEncodeError:
        return None


def content(literal: str) -> str:
    """What stands between the quotes of a literal in such a text."""
    inside = literal[1:-1]
    return inside if inside.isascii() else inside.encode("latin-1").decode()


def instruction_at(text: str, start: int) -> ast.Instruction:
    """The instruction that begins at `start` of a text that was taken, with nothing inside it."""
    found = STEP.match(text, start)
    assert found is not None
    part = text[start : found.end()]
    if found.lastindex == G_PAIR:
        part += " (null) (null))"
    elif found.lastindex in _HEADS:
        part += " (null))"
    return _Reading().script(part)


class _Reading:
    """One script.

    triplets, lists: operands of calls that stand for the same wherever they are, by their text; only variables have a position.
    """

    __slots__ = ("lists", "triplets", "validator", "words")

    def __init__(self) -> None:
        self.validator = Validator()
        self.words: dict[str, Word] = {}
        self.triplets: dict[tuple[str | Any, ...], tuple[Any, Any, Any]] = {}
        self.lists: dict[str, tuple[Any, ...]] = {"": ()}

    def operand(self, found: re.Match[str], group: int, legal: int, base: int = 0) -> Any:
        """The node of a word, a literal or `[]` in a group; positions count from `base`."""
        text = found[group]
        word = self.words.get(text)
        if word is None:
            if text[0] == '"':
                word = Word(t.LITERAL, ast.Literal(content(text)))
            else:
                word = _EMPTY_ARRAY if text[0] == "[" else classify(text)
            self.words[text] = word
        if not word[0] & legal:
            raise UnusualError
        make = word[2]
        return word[1] if make is None else make(word[3], base + found.start(group), word[4])

    def script(self, text: str) -> ast.Instruction:
        """The root. Raises UnusualError, WordError."""
        stack: list[_Frame] = []
        root: list[ast.Instruction] = []
        inner, most = root, 1
        met, operand, triplets, lists = self.validator.met, self.operand, self.triplets, self.lists
        node: ast.Instruction
        for found in STEP.finditer(text):
            group = found.lastindex
            if group == G_CLOSE:
                if not stack:
                    raise UnusualError
                start, make, operands, least, most, parts = stack.pop()
                if len(parts) < least:
                    raise UnusualError
                node = make(*operands, *parts, *[None] * (most - len(parts)), (start, found.end()))
                if stack:
                    most, inner = stack[-1][4], stack[-1][5]
                else:
                    most, inner = 1, root
            elif group is None:
                break  # the end
            elif group == G_OTHER or len(inner) >= most:
                raise UnusualError
            else:
                start = found.start(G_OPEN)
                if group == G_PAIR:
                    inner = []
                    most = 2
                    stack.append((start, _PAIRS[found[G_PAIR]], (), 2, 2, inner))
                    continue
                span = (start, found.end())
                if group in (G_ARGUMENTS, G_OUTPUT):
                    texts = found.group(G_CALL_PEER, G_SERVICE, G_FUNCTION)
                    peer, service, function = triplets.get(texts) or self.triplet(found, texts)
                    text = found[G_ARGUMENTS]
                    arguments = lists.get(text)
                    if arguments is None:
                        arguments = self.arguments(text, found.start(G_ARGUMENTS))
                    output = operand(found, G_OUTPUT, OUTPUT) if group == G_OUTPUT else None
                    node = ast.Call(peer, service, function, arguments, output, span)
                elif group == G_AP_RESULT:
                    node = ast.Ap(operand(found, G_AP_VALUE, AP_VALUE), operand(found, G_AP_RESULT, OUTPUT), span)
                elif group == G_NEXT:
                    node = ast.Next(operand(found, G_NEXT, t.SCALAR), span)
                elif group == G_BARE:
                    node = ast.Null(span) if found[G_BARE] == "null" else ast.Never(span)
                elif group in _LEAVES:
                    node = _LEAVES[group](self, found, span)
                else:
                    make, operands, least, most = _HEADS[group](self, found)
                    inner = []
                    stack.append((start, make, operands, least, most, inner))
                    continue
            met(node)
            inner.append(node)
        if stack or not root:
            raise UnusualError
        return root[0]

    def triplet(self, found: re.Match[str], texts: tuple[str | Any, ...]) -> tuple[Any, Any, Any]:
        """Peer, service and function of a call."""
        operand, words = self.operand, self.words
        nodes = (
            operand(found, G_CALL_PEER, PEER),
            operand(found, G_SERVICE, STRING),
            operand(found, G_FUNCTION, STRING),
        )
        peer, service, function = texts
        if words[peer][2] is None and words[service][2] is None and words[function][2] is None:
            self.triplets[texts] = nodes
        return nodes

    def arguments(self, text: str, start: int) -> tuple[Any, ...]:
        """The arguments of a call."""
        operand, words = self.operand, self.words
        nodes = []
        fixed = True
        for found in ARGUMENT.finditer(text):
            nodes.append(operand(found, 0, VALUE, start))
            fixed = fixed and words[found[0]][2] is None
        arguments = tuple(nodes)
        if fixed:
            self.lists[text] = arguments
        return arguments

    # ── instructions without inner ones ──────────────────────────────────────────────────────────────────────────────

    def canon(self, found: re.Match[str], span: ast.Span) -> ast.Instruction:
        peer = self.operand(found, G_CANON_PEER, PEER)
        source = self.operand(found, G_STREAM, t.STREAM | t.STREAM_MAP)
        if isinstance(source, ast.Stream):
            return ast.Canon(peer, source, self.operand(found, G_CANON, t.CANON_STREAM), span)
        result = self.operand(found, G_CANON, t.CANON_STREAM_MAP | t.SCALAR)
        if isinstance(result, ast.Scalar):
            return ast.CanonStreamMapScalar(peer, source, result, span)
        return ast.CanonMap(peer, source, result, span)

    def fail(self, found: re.Match[str], span: ast.Span) -> ast.Instruction:
        value = self.operand(found, G_FAIL, FAIL_VALUE)
        message = found[G_MESSAGE]
        if isinstance(value, ast.Int) == (message is None):
            raise UnusualError
        return ast.Fail(value, span) if message is None else ast.FailLiteral(value.value, content(message), span)

    def ap_map(self, found: re.Match[str], span: ast.Span) -> ast.Instruction:
        return ast.ApMap(
            self.operand(found, G_KEY, MAP_KEY),
            self.operand(found, G_MAP_VALUE, AP_VALUE),
            self.operand(found, G_MAP, t.STREAM_MAP),
            span,
        )

    # ── beginnings of instructions with inner ones: class, operands, how many inner ones ─────────────────────────────

    def comparison(self, found: re.Match[str]) -> _Head:
        make = ast.Match if found[G_COMPARISON] == "match" else ast.MisMatch
        return make, (self.operand(found, G_LEFT, VALUE), self.operand(found, G_RIGHT, VALUE)), 1, 1

    def fold(self, found: re.Match[str]) -> _Head:
        iterable = self.operand(found, G_ITERABLE, SCALAR_ITERABLE | t.STREAM | t.STREAM_MAP)
        make: Callable[..., ast.Instruction] = ast.FoldScalar
        if isinstance(iterable, ast.Stream):
            make = ast.FoldStream
        elif isinstance(iterable, ast.StreamMap):
            make = ast.FoldStreamMap
        return make, (iterable, self.operand(found, G_ITERATOR, t.SCALAR)), 1, 2

    def new(self, found: re.Match[str]) -> _Head:
        return ast.New, (self.operand(found, G_NEW, VARIABLE),), 1, 1


_Head = tuple["Callable[..., ast.Instruction]", tuple[Any, ...], int, int]

_PAIRS: Final[dict[str, Callable[..., ast.Instruction]]] = {"seq": ast.Seq, "par": ast.Par, "xor": ast.Xor}
_LEAVES: Final[dict[int, Callable[[_Reading, re.Match[str], ast.Span], ast.Instruction]]] = {
    G_CANON: _Reading.canon,
    G_FAIL: _Reading.fail,
    G_MESSAGE: _Reading.fail,
    G_MAP: _Reading.ap_map,
}
_HEADS: Final[dict[int, Callable[[_Reading, re.Match[str]], _Head]]] = {
    G_RIGHT: _Reading.comparison,
    G_ITERATOR: _Reading.fold,
    G_NEW: _Reading.new,
}
