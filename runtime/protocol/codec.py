"""Particles as bytes: frames of `/fluence/particle/2.0.0`.

Frame = unsigned varint n, then n bytes of message. Message = `81 04` (the multicodec of MessagePack as a varint), then
one MessagePack map. Byte strings are sent as bin and accepted as bin or as an array of integers, which js-client sends.
No host recursion, and memory in proportion to the message: only the fields of a particle are built, the rest is stepped over.

Errors: `CodecError` (and its subclass `FrameTooLarge`) for anything that is not a well-formed message; the stream it
came from is worth nothing afterwards.
Source: nox:particle-protocol/src/libp2p_protocol/codec/fluence.rs, nox:particle-protocol/src/libp2p_protocol/message.rs
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgpack

from runtime.core.limits import (
    FIELDS_MAX,
    FRAME_BYTES_MAX,
    FRAME_PREFIX_BYTES_MAX,
    PARTICLE_ID_BYTES_MAX,
    PEER_ID_CHARS_MAX,
    SIGNATURE_BYTES,
    U32_MAX,
    U64_MAX,
)
from runtime.core.particle import Particle

from .multiaddr import varint

if TYPE_CHECKING:
    from collections.abc import Iterator

MULTICODEC: Final = b"\x81\x04"
ARRAY_BYTES_BUILT: Final = 256 * 1024
"""Encoded arrays of bytes up to this size are decoded by way of a list, which is quicker; larger ones in place."""

ARRAY_PIECE_BYTES: Final = 64 * 1024
"""How much of a large one is decoded without letting other threads run."""

_FIELDS: Final = frozenset({"action", "id", "init_peer_id", "timestamp", "ttl", "script", "signature", "data"})
_PAIR: Final = re.compile(rb"\xcc(.)", re.DOTALL)
_BYTE_VALUES: Final = range(256)
_MISSING: Final = object()


class CodecError(Exception):
    """Bytes that are not a message of the particle protocol."""


class FrameTooLarge(CodecError):
    """A frame announces more than FRAME_BYTES_MAX bytes, or its length prefix does not end."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The other kind of message; it means nothing and is ignored."""


def encode(particle: Particle) -> bytes:
    """Message of one particle, without the length prefix. Raises FrameTooLarge above FRAME_BYTES_MAX."""
    body: bytes = msgpack.packb(
        {
            "action": "Particle",
            "id": particle.id,
            "init_peer_id": particle.init_peer_id,
            "timestamp": particle.timestamp,
            "ttl": particle.ttl,
            "script": particle.script,
            "signature": particle.signature,
            "data": particle.data,
        },
        use_bin_type=True,
    )
    message = MULTICODEC + body
    if len(message) > FRAME_BYTES_MAX:
        raise FrameTooLarge(f"particle {particle.id} takes {len(message)} bytes, at most {FRAME_BYTES_MAX} are sent")
    return message


def decode(message: bytes) -> Particle | Upgrade:
    """The particle in a message. Raises CodecError.

    Checks form only: the signature and the expiry are the business of whoever takes the particle in.
    """
    if not message.startswith(MULTICODEC):
        raise CodecError(f"message starts with {message[:2].hex() or 'nothing'}, not with 8104 (MessagePack)")
    if len(message) > FRAME_BYTES_MAX:
        raise FrameTooLarge(f"message of {len(message)} bytes, at most {FRAME_BYTES_MAX} are accepted")
    fields = _unpack(message[len(MULTICODEC) :])
    action = _text(fields, "action", PARTICLE_ID_BYTES_MAX)
    if action == "Upgrade":
        return Upgrade()
    if action != "Particle":
        raise CodecError(f"unknown action {action[:40]!r}")
    signature = _bytes(fields, "signature")
    if len(signature) != SIGNATURE_BYTES:
        raise CodecError(f"signature has {len(signature)} bytes, not {SIGNATURE_BYTES}")
    return Particle(
        id=_text(fields, "id", PARTICLE_ID_BYTES_MAX),
        init_peer_id=_text(fields, "init_peer_id", PEER_ID_CHARS_MAX),
        timestamp=_unsigned(fields, "timestamp", U64_MAX),
        ttl=_unsigned(fields, "ttl", U32_MAX),
        script=_text(fields, "script", FRAME_BYTES_MAX),
        signature=signature,
        data=_bytes(fields, "data"),
    )


def frame(message: bytes) -> bytes:
    """The message behind its length prefix, as it is written to a stream."""
    return varint(len(message)) + message


class FrameReader:
    """Cuts a byte stream into messages; pieces may be split anywhere.

    Sans-io: feed what arrived, take what is complete. Holds at most one frame of FRAME_BYTES_MAX.
    """

    __slots__ = ("_buffer", "_bytes_max")

    def __init__(self, bytes_max: int = FRAME_BYTES_MAX) -> None:
        """Start at the beginning of a stream; `bytes_max` bounds each message."""
        self._buffer = bytearray()
        self._bytes_max = bytes_max

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Messages completed by `data`, in order. Raises FrameTooLarge; the stream must then be reset."""
        self._buffer += data
        while True:
            message = self._next()
            if message is None:
                return
            yield message

    @property
    def held(self) -> int:
        """Bytes of the frame that is not complete yet."""
        return len(self._buffer)

    @property
    def waiting(self) -> bool:
        """Whether a frame was begun and not ended: at the end of a stream this means it was cut."""
        return bool(self._buffer)

    def _next(self) -> bytes | None:
        length = 0
        for place in range(FRAME_PREFIX_BYTES_MAX):
            if place >= len(self._buffer):
                return None
            byte = self._buffer[place]
            length |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                break
        else:
            raise FrameTooLarge(f"length prefix longer than {FRAME_PREFIX_BYTES_MAX} bytes")
        if length > self._bytes_max:
            raise FrameTooLarge(f"frame of {length} bytes, at most {self._bytes_max} are accepted")
        start = place + 1
        if len(self._buffer) < start + length:
            return None
        message = bytes(self._buffer[start : start + length])
        del self._buffer[: start + length]
        return message


def _unpack(body: bytes) -> dict[str, Any]:
    """The known fields of the map.

    What is not asked for is stepped over without building it: a byte of MessagePack can stand for an object of a hundred
    bytes, so a stranger's nesting must never become Python objects.
    """
    fields: dict[str, Any] = {}
    try:
        reader, base = _reader(body), 0
        if not _is_map(body):
            raise CodecError("message is not a map")
        count = reader.read_map_header()
        if count > FIELDS_MAX:
            raise CodecError(f"message has {count} fields, at most {FIELDS_MAX} are read")
        for _ in range(count):
            name = reader.unpack() if _is_text(body, base + reader.tell()) else reader.skip()
            start = base + reader.tell()
            if name not in _FIELDS:
                reader.skip()
            elif (found := _long_byte_array(body, start)) is not None:
                fields[name], base = found
                reader = _reader(body[base:])
            elif _is_container(body, start):
                reader.skip()
                fields[name] = _byte_array(body[start : base + reader.tell()])
            else:
                fields[name] = reader.unpack()
        if base + reader.tell() != len(body):
            raise CodecError(f"{len(body) - base - reader.tell()} bytes follow the message")
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise CodecError(f"message is not MessagePack: {error or type(error).__name__}") from error
    return fields


def _reader(data: bytes) -> msgpack.Unpacker:
    reader = msgpack.Unpacker(raw=False, strict_map_key=False, max_buffer_size=len(data) + 1)
    reader.feed(data)
    return reader


def _is_map(body: bytes) -> bool:
    return bool(body) and (body[0] >> 4 == 0x8 or body[0] in (0xDE, 0xDF))


def _is_text(body: bytes, at: int) -> bool:
    return at < len(body) and (body[at] >> 5 == 0b101 or body[at] in (0xD9, 0xDA, 0xDB))


def _is_container(body: bytes, at: int) -> bool:
    return at < len(body) and (body[at] >> 5 == 0b100 or body[at] in (0xDC, 0xDD, 0xDE, 0xDF))


def _byte_array(raw: bytes) -> Any:
    """The bytes that an encoded array of integers stands for; None for any other container, and for a large one."""
    if len(raw) > ARRAY_BYTES_BUILT:
        return None
    value = msgpack.unpackb(raw, raw=False, strict_map_key=False)
    # One C-level pass each: js-client sends all data this way.
    if isinstance(value, list) and set(map(type, value)) <= {int} and all(map(_BYTE_VALUES.__contains__, value)):
        return bytes(value)
    return None


def _long_byte_array(body: bytes, start: int) -> tuple[bytes, int] | None:
    """The bytes of a large array of integers that begins at `start`, and where it ends; None for anything else.

    One or two bytes per element, so the array is decoded in place: a list of it would be eight times as large. What is left
    of a piece without its pairs must be the elements below 128; the head of any other value is not ASCII and would show.
    """
    if body[start : start + 1] != b"\xdd":
        return None
    left, at = int.from_bytes(body[start + 1 : start + 5], "big"), start + 5
    if 2 * left + 5 <= ARRAY_BYTES_BUILT or left > len(body) - at:
        return None
    pieces: list[bytes] = []
    while left:
        # Never more bytes than elements are left. A piece ends within a pair if an odd number of heads are at its end.
        piece = body[at : at + min(left, ARRAY_PIECE_BYTES)]
        if (len(piece) - len(piece.rstrip(b"\xcc"))) & 1:
            piece = body[at : at + len(piece) + 1]
        if not piece or not _PAIR.sub(b"", piece).isascii():
            return None
        value = _PAIR.sub(rb"\1", piece)
        pieces.append(value)
        left -= len(value)
        at += len(piece)
    return b"".join(pieces), at


def _field(fields: dict[str, Any], name: str) -> Any:
    value = fields.get(name, _MISSING)
    if value is _MISSING:
        raise CodecError(f"field {name} is missing")
    return value


def _text(fields: dict[str, Any], name: str, bytes_max: int) -> str:
    value = _field(fields, name)
    if not isinstance(value, str):
        raise CodecError(f"field {name} is {type(value).__name__}, not text")
    if len(value) > bytes_max or len(value.encode()) > bytes_max:
        raise CodecError(f"field {name} is longer than {bytes_max} bytes")
    return value


def _unsigned(fields: dict[str, Any], name: str, maximum: int) -> int:
    value = _field(fields, name)
    if type(value) is not int or not 0 <= value <= maximum:
        raise CodecError(f"field {name} is not an integer from 0 to {maximum}")
    return value


def _bytes(fields: dict[str, Any], name: str) -> bytes:
    value = _field(fields, name)
    if isinstance(value, bytes):
        return value
    raise CodecError(f"field {name} is neither bin nor an array of bytes")
