"""AIR text to tokens.

Input:  a whole script.
Output: `Tokens`: parallel lists ended by an `END` token. Positions are UTF-8 byte offsets.
Errors: `TextError` for the first bad token; the reference abandons a parse there, so nothing after it is looked at. Nor
        is anything after a lens on a stream, which no rule takes: tokens end there.
Source: aquavm:crates/air-lib/air-parser/src/parser/lexer/air_lexer.rs
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from . import ast, tokens
from .chars import WHITE_SPACE, is_white_space, utf8_len
from .words import Word, WordError, classify

if TYPE_CHECKING:
    from .words import Node

UNCLOSED_QUOTE: Final = "this string literal has unclosed quote"
LONE_SURROGATE: Final = "the text can't be encoded as UTF-8"


class TextError(Exception):
    """The first bad token: byte offsets in the script and the label's text."""

    def __init__(self, start: int, end: int, message: str) -> None:
        """Offsets are of the script."""
        super().__init__(message)
        self.start, self.end, self.message = start, end, message


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """Tokens by index. `nodes` has the tree node of operands. The last token is `END`, at the end of the one before."""

    kinds: list[int]
    starts: list[int]
    ends: list[int]
    nodes: list[Node]


_SPACE: Final = f"[{WHITE_SPACE}]"
_PLAIN: Final = rf"[^{WHITE_SPACE}()\[\]]"

# Possessive quantifiers throughout: no input makes this backtrack. The groups: 1-4 brackets, 5 literal, 6 a word whose
# brackets are square, balanced and not nested, 7 anything else that is not blank.
_SCAN: Final = re.compile(
    rf"(?:{_SPACE}++|;[^\n]*+\n?+)*+"
    r'(?:(\()|(\))|(\[)|(\])|"([^"]*+)"'
    rf'|((?!"){_PLAIN}++(?:\[{_PLAIN}*+\]{_PLAIN}*+)*+)(?={_SPACE}|[)\]]|\Z)'
    r"|(.))",
    re.DOTALL,
)
_LITERAL: Final = 5
_PLAIN_WORD: Final = 6


def tokenize(text: str) -> Tokens:
    """Tokens of a script. Linear in its size. Raises `TextError`."""
    try:
        offsets = None if text.isascii() else _offsets(text)
    except UnicodeEncodeError as error:
        before = len(text[: error.start].encode())
        raise TextError(before, before, LONE_SURROGATE) from None
    kinds: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    nodes: list[Node] = []
    words: dict[str, Word] = {}
    scan = _SCAN.match
    at = 0
    while found := scan(text, at):
        group = found.lastindex or 0
        start, at = found.span(group)
        node: Node = None
        if group < _LITERAL:
            kind = 1 << (group - 1)  # the brackets are the first four kinds
        elif group == _LITERAL:
            start, at = start - 1, at + 1
            kind, node = tokens.LITERAL, ast.Literal(found[group])
        else:
            if group > _PLAIN_WORD:
                at = _word_end(text, start) if text[start] != '"' else len(text)
            word = text[start:at]
            known = words.get(word)
            if known is None:
                known = words[word] = _classify(word, start if offsets is None else offsets[start])
            kind, node, make, name, lens = known
            if make is not None:
                node = make(name, start if offsets is None else offsets[start], lens)
        kinds.append(kind)
        starts.append(start)
        ends.append(at)
        nodes.append(node)
        if kind == tokens.STREAM_LENS:
            break
    if offsets is not None:
        starts = [offsets[i] for i in starts]
        ends = [offsets[i] for i in ends]
    end = ends[-1] if ends else 0
    kinds.append(tokens.END)
    starts.append(end)
    ends.append(end + 1)
    nodes.append(None)
    return Tokens(kinds, starts, ends, nodes)


def _offsets(text: str) -> list[int]:
    """Byte offset of every character, and of the end."""
    text.encode()  # raises on a lone surrogate
    return [0, *accumulate(map(utf8_len, text))]


def _classify(word: str, start: int) -> Word:
    if word[0] == '"':
        raise TextError(start, start + len(word.encode()), UNCLOSED_QUOTE)
    try:
        return classify(word)
    except WordError as error:
        raise TextError(start + error.start, start + error.end, error.message) from None


def _word_end(text: str, start: int) -> int:
    """End of a word with round or nested brackets: before white space or the first surplus closing bracket."""
    round_balance = square_balance = 0
    for i in range(start + 1, len(text)):
        match text[i]:
            case "(":
                round_balance += 1
            case ")":
                round_balance -= 1
            case "[":
                square_balance += 1
            case "]":
                square_balance -= 1
            case c if is_white_space(c):
                return i
            case _:
                pass
        if round_balance < 0 or square_balance < 0:
            return i
    return len(text)
