"""Protobuf messages field by field: the few that libp2p protocols exchange need no schema compiler.

Errors: none; malformed bytes read as None.
"""

from __future__ import annotations

from .multiaddr import read_varint, varint


def field_bytes(number: int, value: int | bytes) -> bytes:
    """One field: an unsigned integer as varint, bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def read_fields(data: bytes) -> list[tuple[int, int | bytes]] | None:
    """Fields of a message in order, those of fixed width as bytes; None when it is malformed."""
    out: list[tuple[int, int | bytes]] = []
    position = 0
    while position < len(data):
        tag, position = read_varint(data, position)
        kind = tag & 7
        if tag < 0 or kind not in (0, 1, 2, 5):
            return None
        if kind == 0:
            value, position = read_varint(data, position)
            if value < 0:
                return None
            out.append((tag >> 3, value))
            continue
        if kind == 2:
            size, position = read_varint(data, position)
        else:
            size = 8 if kind == 1 else 4
        if size < 0 or position + size > len(data):
            return None
        out.append((tag >> 3, data[position : position + size]))
        position += size
    return out


def first_bytes(fields: list[tuple[int, int | bytes]], number: int) -> bytes:
    """The first length-delimited field of that number; empty when there is none."""
    return next((value for found, value in fields if found == number and isinstance(value, bytes)), b"")


def all_bytes(fields: list[tuple[int, int | bytes]], number: int, count_max: int) -> list[bytes]:
    """Length-delimited fields of that number, at most so many."""
    return [value for found, value in fields if found == number and isinstance(value, bytes)][:count_max]
