"""What a word of AIR text is: keyword, special, number, or variable with or without lens.

Input:  one word, as the lexer cut it.
Output: `Word`; operands come with their tree node, or with the maker that wants the word's position.
Errors: `WordError` with offsets inside the word.
Source: aquavm:crates/air-lib/air-parser/src/parser/lexer/call_variable_parser.rs
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from . import ast, tokens
from .chars import is_lens_char, is_name_char, is_numeric, utf8_len
from .lens import LensError, parse_lens
from .limits import FLOAT_BYTES_MAX, INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_A_NAME_CHAR: Final = "only alphanumeric, '_', and '-' characters are allowed in this position"
EMPTY_TAGGED_NAME: Final = "a tagged name should be non empty"
EMPTY_CANON_NAME: Final = "a canon name should be non empty"
BAD_LENS_CHAR: Final = "invalid character in lambda"
BAD_NUMBER_CHAR: Final = "a digit could contain only digits or one dot"
LONG_FLOAT: Final = "this float is too big, a float could contain less than 12 digits"
BAD_FLOAT: Final = "invalid float literal"
BAD_DIGIT: Final = "invalid digit found in string"
INT_TOO_LARGE: Final = "number too large to fit in target type"
INT_TOO_SMALL: Final = "number too small to fit in target type"
LEADING_DOT: Final = (
    "leading dot without any symbols before - please write 0 if it's float or variable name if it's a lambda"
)

Node = ast.Value | ast.Stream | ast.StreamMap | None
"""The operand a token stands for; none for brackets, keywords and streams with a lens."""


class WordError(Exception):
    """A word that is no token: the first bad token ends parsing."""

    def __init__(self, start: int, end: int, message: str) -> None:
        """`start` and `end` are byte offsets inside the word."""
        super().__init__(message)
        self.start, self.end, self.message = start, end, message


class Word(NamedTuple):
    """A classified word. `make(name, position, lens)` builds the node of a variable; else `node` is it."""

    kind: int
    node: Node = None
    make: Callable[[str, int, ast.Lens | None], Node] | None = None
    name: str = ""
    lens: ast.Lens | None = None


def _stream(name: str, position: int, _: ast.Lens | None) -> Node:
    return ast.Stream(name, position)


def _stream_map(name: str, position: int, _: ast.Lens | None) -> Node:
    return ast.StreamMap(name, position)


# Tag → kind, kind with lens, maker.
_VARIABLES: Final[dict[str, tuple[int, int, Callable[[str, int, ast.Lens | None], Node]]]] = {
    "": (tokens.SCALAR, tokens.SCALAR_LENS, ast.Scalar),
    "$": (tokens.STREAM, tokens.STREAM_LENS, _stream),
    "%": (tokens.STREAM_MAP, tokens.STREAM_LENS, _stream_map),
    "#": (tokens.CANON_STREAM, tokens.CANON_STREAM_LENS, ast.CanonStream),
    "#%": (tokens.CANON_STREAM_MAP, tokens.CANON_STREAM_MAP_LENS, ast.CanonStreamMap),
}

FIXED: Final[dict[str, Word]] = {
    **{word: Word(kind) for word, kind in tokens.KEYWORDS.items()},
    "%init_peer_id%": Word(tokens.INIT_PEER_ID, ast.InitPeerId()),
    ":error:": Word(tokens.ERROR, ast.Error(None)),
    "%last_error%": Word(tokens.LAST_ERROR, ast.LastError(None)),
    "%timestamp%": Word(tokens.TIMESTAMP, ast.Timestamp()),
    "%ttl%": Word(tokens.TTL, ast.Ttl()),
    "true": Word(tokens.BOOLEAN, ast.Bool(value=True)),
    "false": Word(tokens.BOOLEAN, ast.Bool(value=False)),
}

_ERROR: Final = ":error:"
_LAST_ERROR: Final = "%last_error%"

# Most words of real scripts: names with a letter in them, with at most a plain lens. Everything else takes the automaton.
_PLAIN: Final = re.compile(r"(#\$|#%|[#$%])?([0-9-]*[A-Za-z_][A-Za-z0-9_-]*)(\.[A-Za-z0-9_.$\[\]-]+)?")
_INT: Final = re.compile(r"([+-]?)([0-9]+)")
_FLOAT: Final = re.compile(r"[+-]?[0-9]+\.[0-9]*")


def classify(word: str) -> Word:
    """Classify a non-empty word. Raises `WordError`."""
    if (fixed := FIXED.get(word)) is not None:
        return fixed
    if word.startswith(_ERROR):
        return Word(tokens.ERROR_LENS, ast.Error(_lens(word, len(_ERROR))))
    if word.startswith(_LAST_ERROR):
        return Word(tokens.LAST_ERROR_LENS, ast.LastError(_lens(word, len(_LAST_ERROR))))
    if plain := _PLAIN.fullmatch(word):
        tag, bare, lens = plain.groups()
        tag = tag or ""
        if lens is None:
            return _variable(tag, word, None)
        if not tag or len(tag) + len(bare) > 2:
            return _variable(tag, word, len(tag) + len(bare))
    return _automaton(word)


def _variable(tag: str, word: str, dot: int | None) -> Word:
    """The variable token; `dot` is the index of the lens."""
    kind, lens_kind, make = _VARIABLES["#" if tag == "#$" else tag]
    if dot is None:
        return Word(kind, None, make, word)
    lens = _lens(word, dot)
    if lens_kind == tokens.STREAM_LENS:
        return Word(lens_kind)
    return Word(lens_kind, None, make, word[:dot], lens)


def _lens(word: str, at: int) -> ast.Lens:
    try:
        return parse_lens(word[at:])
    except LensError as error:
        raise WordError(len(word[:at].encode()), len(word.encode()), str(error)) from None


def _automaton(word: str) -> Word:
    """The character automaton: a number as long as that is possible, then a variable, then a lens."""
    size = len(word.encode())
    number, digit_seen = True, False
    dot: int | None = None  # index
    tag = ""
    offset = 0
    for i, c in enumerate(word):
        if number:
            if (offset == 0 and c in "+-") or is_numeric(c):
                digit_seen = digit_seen or c not in "+-"
            elif c == "." and dot is None:
                if not digit_seen:
                    raise WordError(offset, offset, LEADING_DOT)
                dot = i
            elif dot is not None:
                raise WordError(offset, offset, BAD_NUMBER_CHAR)
            else:
                number = False
        if not number:
            if offset == 1 and (c == "%" or (c == "$" and tag == "#")):
                if size == 2:
                    raise WordError(offset, offset, EMPTY_CANON_NAME)
                tag = "#%" if c == "%" else "#"
            elif offset == 0 and c in "$#%":
                if size == 1:
                    raise WordError(offset, offset, EMPTY_TAGGED_NAME)
                tag = c
            elif c == "." and dot is None:
                if tag and offset <= 2:
                    raise WordError(offset - 1, offset - 1, EMPTY_CANON_NAME)
                dot = i
            elif dot is not None:
                if not is_lens_char(c) and not (c == "!" and offset == size - 1):
                    raise WordError(offset, offset, BAD_LENS_CHAR)
            elif not is_name_char(c):
                raise WordError(offset, offset, NOT_A_NAME_CHAR)
        offset += utf8_len(c)
    if not number:
        return _variable(tag, word, dot)
    return _int(word, size) if dot is None else _float(word, size)


def _int(word: str, size: int) -> Word:
    if not (match := _INT.fullmatch(word)):
        raise WordError(0, size, _bad_int(word))
    sign, digits = match.groups()
    digits = digits.lstrip("0") or "0"
    negative = sign == "-"
    # The length check comes first: Python refuses to convert thousands of digits.
    value = int(sign + digits) if len(digits) <= len(str(INT_MAX)) else None
    if value is None or not INT_MIN <= value <= INT_MAX:
        raise WordError(0, size, INT_TOO_SMALL if negative else INT_TOO_LARGE)
    return Word(tokens.I64, ast.Int(value))


def _bad_int(word: str) -> str:
    """Which error the left-to-right conversion meets first: a bad digit, or a value that has already grown too large."""
    negative = word[0] == "-"
    limit = -INT_MIN if negative else INT_MAX
    value = 0
    for c in word[1:] if word[0] in "+-" else word:
        if c not in "0123456789":
            break
        value = value * 10 + int(c)
        if value > limit:
            return INT_TOO_SMALL if negative else INT_TOO_LARGE
    return BAD_DIGIT


def _float(word: str, size: int) -> Word:
    if size > FLOAT_BYTES_MAX:
        raise WordError(0, size, LONG_FLOAT)
    if not _FLOAT.fullmatch(word):
        raise WordError(0, size, BAD_FLOAT)
    return Word(tokens.F64, ast.Float(float(word)))
