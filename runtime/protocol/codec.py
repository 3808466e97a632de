"""Particles as bytes: frames of `/fluence/particle/2.0.0`.

Frame = unsigned varint n, then n bytes of message. Message = `81 04` (the multicodec of MessagePack as a varint), then
one MessagePack map. Byte strings are sent as bin and accepted as bin or as an array of integers, which js-client sends.
No host recursion and no allocation above the size of the message: the MessagePack reader is bounded by its length.

Errors: `CodecError` (and its subclass `FrameTooLarge`) for anything that is not a well-formed message; the stream it
came from is worth nothing afterwards.
Source: nox:particle-protocol/src/libp2p_protocol/codec/fluence.rs, nox:particle-protocol/src/libp2p_protocol/message.rs
"""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL: Final = "/fluence/particle/2.0.0"
MULTICODEC: Final = b"\x81\x04"
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
    return _varint(len(message)) + message


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


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _unpack(body: bytes) -> dict[Any, Any]:
    try:
        # The reader refuses containers that announce more items than the body has bytes; map keys may be anything a
        # Python dict can hold, and everything but the known text keys is ignored.
        value = msgpack.unpackb(body, raw=False, strict_map_key=False, max_map_len=FIELDS_MAX)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise CodecError(f"message is not MessagePack: {error or type(error).__name__}") from error
    if not isinstance(value, dict):
        raise CodecError(f"message is {type(value).__name__}, not a map")
    return value


def _field(fields: dict[Any, Any], name: str) -> Any:
    value = fields.get(name, _MISSING)
    if value is _MISSING:
        raise CodecError(f"field {name} is missing")
    return value


def _text(fields: dict[Any, Any], name: str, bytes_max: int) -> str:
    value = _field(fields, name)
    if not isinstance(value, str):
        raise CodecError(f"field {name} is {type(value).__name__}, not text")
    if len(value) > bytes_max or len(value.encode()) > bytes_max:
        raise CodecError(f"field {name} is longer than {bytes_max} bytes")
    return value


def _unsigned(fields: dict[Any, Any], name: str, maximum: int) -> int:
    value = _field(fields, name)
    if type(value) is not int or not 0 <= value <= maximum:
        raise CodecError(f"field {name} is not an integer from 0 to {maximum}")
    return value


def _bytes(fields: dict[Any, Any], name: str) -> bytes:
    value = _field(fields, name)
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        try:
            # One C-level pass each: js-client sends all data this way.
            if set(map(type, value)) <= {int}:
                return bytes(value)
        except ValueError:
            pass
    raise CodecError(f"field {name} is neither bin nor an array of bytes")
