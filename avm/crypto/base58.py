"""Base58 with the Bitcoin alphabet, the text form of keys, signatures and peer ids. Errors: ValueError on a foreign character."""

from __future__ import annotations

from typing import Final

from avm.limits import SHOWN_BYTES_MAX

ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {char: value for value, char in enumerate(ALPHABET)}
_PAIRS: Final = tuple(high + low for high in ALPHABET for low in ALPHABET)


def encode(data: bytes) -> str:
    """Text of `data`; each leading zero byte becomes a `1`. Quadratic in the length, meant for keys."""
    number = int.from_bytes(data, "big")
    pieces: list[str] = []
    while number:
        number, pair = divmod(number, 3364)
        pieces.append(_PAIRS[pair])
    pieces.reverse()
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + "".join(pieces).lstrip("1")


def shown(data: bytes) -> str:
    """Base58 of what may be too long for it, for a message: no more than the first bytes."""
    return encode(data) if len(data) <= SHOWN_BYTES_MAX else f"{encode(data[:SHOWN_BYTES_MAX])}…"


def decode(text: str) -> bytes:
    """Bytes of a base58 text. Raises ValueError."""
    number = 0
    for char in text:
        value = _VALUES.get(char)
        if value is None:
            raise ValueError(f"not a base58 character: {char!r}")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
