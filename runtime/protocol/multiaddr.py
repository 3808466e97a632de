"""Multiaddresses between text and bytes, for the few protocols peers of this network are reached by.

An address with a protocol outside the table is not ours to dial: reading gives None, and the peer that told it keeps its
other addresses. Source: the multiaddr specification's protocol table
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from avm.crypto import base58

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS_BYTES_MAX: Final = 512
"""Longest address that is read; a DNS name has 253 characters."""

PARTS_MAX: Final = 8
"""Protocols in one address."""


def to_bytes(text: str) -> bytes | None:
    """Binary form; None when the text is malformed or has a protocol outside the table."""
    words = text.split("/")
    if words[0] or len(words) < 2:
        return None
    out = bytearray()
    position = 1
    while position < len(words):
        row = _BY_NAME.get(words[position])
        if row is None:
            return None
        code, size, encode, _ = row
        out += varint(code)
        position += 1
        if size == 0:
            continue
        if position >= len(words):
            return None
        try:
            value = encode(words[position])
        except ValueError:
            return None
        out += varint(len(value)) + value if size < 0 else value
        position += 1
    return bytes(out)


def to_text(data: bytes) -> str | None:
    """Text form; None when the bytes are malformed or have a protocol outside the table."""
    if not data or len(data) > ADDRESS_BYTES_MAX:
        return None
    out: list[str] = []
    position = 0
    for _ in range(PARTS_MAX):
        if position == len(data):
            return "".join(out)
        code, position = read_varint(data, position)
        row = _BY_CODE.get(code)
        if row is None:
            return None
        name, size, decode = row
        out.append(f"/{name}")
        if size == 0:
            continue
        if size < 0:
            size, position = read_varint(data, position)
        value = data[position : position + size]
        position += size
        if size < 1 or position > len(data):
            return None
        try:
            out.append(f"/{decode(value)}")
        except ValueError:
            return None
    return "".join(out) if position == len(data) else None


def varint(number: int) -> bytes:
    """Unsigned varint."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Value and following position; (-1, len(data)) when it is cut or longer than nine bytes."""
    value = 0
    for place in range(9):
        if position + place >= len(data):
            break
        byte = data[position + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, position + place + 1
    return -1, len(data)


def _ip4(text: str) -> bytes:
    return ipaddress.IPv4Address(text).packed


def _ip6(text: str) -> bytes:
    return ipaddress.IPv6Address(text).packed


def _port(text: str) -> bytes:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise ValueError(text)
    return int(text).to_bytes(2, "big")


def _name(text: str) -> bytes:
    if not text or len(text) > 253:
        raise ValueError(text)
    return text.encode("idna") if not text.isascii() else text.encode("ascii")


def _name_text(data: bytes) -> str:
    text = data.decode("ascii")
    if len(text) > 253 or "/" in text or not text.isprintable():
        raise ValueError(text)
    return text


# name: code, bytes of the value (-1: length-prefixed), text → bytes, bytes → text
_Row = tuple[int, int, "Callable[[str], bytes]", "Callable[[bytes], str]"]
_NONE: Final = (lambda _: b"", lambda _: "")
_PORT: Final = (_port, lambda data: str(int.from_bytes(data, "big")))
_DNS: Final = (_name, _name_text)
_BY_NAME: Final[dict[str, _Row]] = {
    "ip4": (4, 4, _ip4, lambda data: str(ipaddress.IPv4Address(data))),
    "ip6": (41, 16, _ip6, lambda data: str(ipaddress.IPv6Address(data))),
    "tcp": (6, 2, *_PORT),
    "dns": (53, -1, *_DNS),
    "dns4": (54, -1, *_DNS),
    "dns6": (55, -1, *_DNS),
    "tls": (448, 0, *_NONE),
    "ws": (477, 0, *_NONE),
    "wss": (478, 0, *_NONE),
    "p2p": (421, -1, base58.decode, base58.encode),
}
_BY_CODE: Final = {code: (name, size, decode) for name, (code, size, _, decode) in _BY_NAME.items()}
