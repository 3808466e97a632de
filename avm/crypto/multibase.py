"""Multibase text → bytes, every base the reference knows. Only verification of foreign CIDs needs it.

Errors: ValueError. Source: crate multibase 0.9 (src/base.rs, src/impls.rs) and the strictness of crate data-encoding.
"""

from __future__ import annotations

from typing import Final

from . import base58

_RFC4648_LOWER: Final = "abcdefghijklmnopqrstuvwxyz234567"
_HEX32_LOWER: Final = "0123456789abcdefghijklmnopqrstuv"
_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE64_URL: Final = _BASE64[:-2] + "-_"
_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_FLICKR: Final = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"

# code → (alphabet, bits per character, padded, either case accepted)
_POWER_OF_TWO: Final[dict[str, tuple[str, int, bool, bool]]] = {
    "0": ("01", 1, False, False),
    "7": ("01234567", 3, False, False),
    "f": ("0123456789abcdef", 4, False, True),
    "F": ("0123456789abcdef", 4, False, True),
    "b": (_RFC4648_LOWER, 5, False, True),
    "B": (_RFC4648_LOWER, 5, False, True),
    "c": (_RFC4648_LOWER, 5, True, True),
    "C": (_RFC4648_LOWER, 5, True, True),
    "v": (_HEX32_LOWER, 5, False, True),
    "V": (_HEX32_LOWER, 5, False, True),
    "t": (_HEX32_LOWER, 5, True, True),
    "T": (_HEX32_LOWER, 5, True, True),
    "h": ("ybndrfg8ejkmcpqxot1uwisza345h769", 5, False, False),
    "m": (_BASE64, 6, False, False),
    "u": (_BASE64_URL, 6, False, False),
    "M": (_BASE64, 6, True, False),
    "U": (_BASE64_URL, 6, True, False),
}
# code → (alphabet, either case accepted) of a base whose digits form one big number
_POSITIONAL: Final = {
    "9": ("0123456789", False),
    "k": (_BASE36, True),
    "K": (_BASE36, True),
    "z": (base58.ALPHABET, False),
    "Z": (_FLICKR, False),
}


def decode(text: str) -> bytes:
    """Bytes of a text that starts with its base's code. Raises ValueError."""
    code, digits = text[:1], text[1:]
    if code == "\0":
        return digits.encode("utf-8", "surrogatepass")
    if code in _POWER_OF_TWO:
        alphabet, bits, padded, either_case = _POWER_OF_TWO[code]
        digits = _ascii_lower(digits) if either_case else digits
        return _decode_padded(digits, alphabet, bits) if padded else _decode_bits(digits, alphabet, bits)
    if code in _POSITIONAL:
        alphabet, either_case = _POSITIONAL[code]
        return _decode_number(_ascii_lower(digits) if either_case else digits, alphabet)
    raise ValueError(f"unknown multibase code {code!r}")


def _ascii_lower(text: str) -> str:
    if not text.isascii():
        raise ValueError("a digit is not of this base")
    return text.lower()


def _decode_padded(digits: str, alphabet: str, bits: int) -> bytes:
    """Blocks that each may be padded: concatenated texts are accepted."""
    block = 8 if bits == 5 else 4
    if len(digits) % block:
        raise ValueError("wrong padding")
    out = bytearray()
    for start in range(0, len(digits), block):
        stripped = digits[start : start + block].rstrip("=")
        size = len(stripped) * bits // 8
        if not stripped or -(-size * 8 // bits) != len(stripped):
            raise ValueError("wrong padding")
        out += _decode_bits(stripped, alphabet, bits)
    return bytes(out)


def _decode_bits(digits: str, alphabet: str, bits: int) -> bytes:
    number = 0
    for digit in digits:
        value = alphabet.find(digit)
        if value < 0:
            raise ValueError(f"digit {digit!r} is not of this base")
        number = number << bits | value
    size, spare = divmod(len(digits) * bits, 8)
    if spare >= bits:
        raise ValueError("wrong length")
    if number & ((1 << spare) - 1):
        raise ValueError("nonzero trailing bits")
    return (number >> spare).to_bytes(size, "big")


def _decode_number(digits: str, alphabet: str) -> bytes:
    number = 0
    for digit in digits:
        value = alphabet.find(digit)
        if value < 0:
            raise ValueError(f"digit {digit!r} is not of this base")
        number = number * len(alphabet) + value
    zeros = len(digits) - len(digits.lstrip(alphabet[0]))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
