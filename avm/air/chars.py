"""Character classes of AIR's lexer: white space, letters and digits as Unicode 15.0 has them, display width.

`str.isalnum` and `str.isspace` differ (they know neither Alphabetic nor White_Space), hence the tables.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import Final

from .unicode_tables import ALPHANUMERIC, ESCAPED, NUMERIC, WIDE, ZERO_WIDTH

WHITE_SPACE: Final = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""White_Space, as the inside of a regular expression's character class."""

_SPACES: Final = frozenset("\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {
    chr(c) for c in range(0x2000, 0x200B)
}
_ASCII_NAME: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_ASCII_DIGITS: Final = frozenset("0123456789")
_LENS_MARKS: Final = frozenset("$@[]():?.*,\"'")


@lru_cache(maxsize=5)
def _edges(table: str) -> list[int]:
    """Code points where the class of `table` begins or ends, in turn."""
    edges, at = [], 0
    for number in table.split():
        at += int(number, 36)
        edges.append(at)
    return edges


def is_white_space(c: str) -> bool:
    """Unicode White_Space."""
    return c in _SPACES


def is_numeric(c: str) -> bool:
    """General category Nd, Nl or No."""
    if c < "\x80":
        return c in _ASCII_DIGITS
    return bisect_right(_edges(NUMERIC), ord(c)) % 2 == 1


def is_name_char(c: str) -> bool:
    """Alphabetic, numeric, `_` or `-`."""
    if c < "\x80":
        return c in _ASCII_NAME
    return bisect_right(_edges(ALPHANUMERIC), ord(c)) % 2 == 1


def is_escaped(c: str) -> bool:
    """Whether the debug form of a string shows a character beyond ASCII by its number."""
    return bisect_right(_edges(ESCAPED), ord(c)) % 2 == 1


def is_lens_char(c: str) -> bool:
    """What the word automaton lets pass after the dot of a lens (`!` apart)."""
    return c in _LENS_MARKS or is_name_char(c)


def utf8_len(c: str) -> int:
    """Number of bytes of one character."""
    return 1 if c < "\x80" else 2 if c < "\u0800" else 3 if c < "\U00010000" else 4


def display_width(c: str) -> int:
    """Terminal columns of one character, tabs excepted: 0, 1 or 2."""
    if c < "\x80":
        return int(" " <= c < "\x7f")
    if bisect_right(_edges(ZERO_WIDTH), ord(c)) % 2:
        return 0
    return 1 + bisect_right(_edges(WIDE), ord(c)) % 2
