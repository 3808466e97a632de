"""Content ids of modules: what a peer calls a file by.

Up to one chunk the id is that of the raw bytes; beyond that of a UnixFS node with one level of links.
Source: nox:crates/cid-utils/src/hash.rs
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

CHUNK_BYTES: Final = 262_144
RAW: Final = 0x55
DAG_PB: Final = 0x70
DAG_JSON: Final = 0x0129

_SHA2_256: Final = b"\x12\x20"


def varint(value: int) -> bytes:
    """Unsigned varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def cid_bytes(codec: int, data: bytes) -> bytes:
    """Binary CIDv1 of a block, with sha2-256."""
    return b"\x01" + varint(codec) + _SHA2_256 + hashlib.sha256(data).digest()


def cid_text(cid: bytes) -> str:
    """Base32 form: `b` and lower-case letters without padding."""
    return "b" + base64.b32encode(cid).decode().rstrip("=").lower()


def _field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def file_cid(data: bytes) -> str:
    """The id of a module file."""
    if len(data) <= CHUNK_BYTES:
        return cid_text(cid_bytes(RAW, data))
    links, unixfs = bytearray(), bytearray(_number(1, 2) + _number(3, len(data)))
    for at in range(0, len(data), CHUNK_BYTES):
        chunk = data[at : at + CHUNK_BYTES]
        link = _field(1, cid_bytes(RAW, chunk)) + _field(2, b"") + _number(3, len(chunk))
        links += _field(2, link)
        unixfs += _number(4, len(chunk))
    return cid_text(cid_bytes(DAG_PB, bytes(links) + _field(1, bytes(unixfs))))
