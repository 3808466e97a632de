"""Websockets as a pipe of bytes: RFC 6455 without extensions, server and client.

Where messages begin and end means nothing; payloads are passed on as they come, in pieces of a frame. Pings are answered.
Errors: WireError for what is no websocket or no binary message, and for a request or answer that is no upgrade.
Source: RFC 6455; spec peer.md §2.5
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from typing import Final

import h11

from runtime.protocol.limits import HTTP_BYTES_MAX, WEBSOCKET_FRAME_BYTES_MAX, WEBSOCKET_WRITE_BYTES

from . import WireError

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x2, 0x8, 0x9, 0xA
_CONTROL_BYTES_MAX: Final = 125
_SHORT: Final = struct.Struct(">BBH")
_LONG: Final = struct.Struct(">BBQ")


class Websocket:
    """One side of a websocket; `open` once the upgrade is agreed, `over` once the other side has closed it."""

    __slots__ = ("_buffer", "_client", "_control", "_host", "_http", "_key", "_left", "_mask", "open", "over")

    def __init__(self, host: str | None = None) -> None:
        """`host`: name and port to ask, of a client; None for a server."""
        self._client = host is not None
        self._host = host or ""
        self._buffer = b""
        self._left = 0
        self._mask = b""
        self._control: bytearray | None = None
        self.open = False
        self.over = False
        self._http: h11.Connection | None = h11.Connection(
            h11.CLIENT if self._client else h11.SERVER, max_incomplete_event_size=HTTP_BYTES_MAX
        )
        self._key = base64.b64encode(os.urandom(16)) if self._client else b""

    def request(self) -> bytes:
        """The request of a client, once."""
        assert self._http is not None
        request = h11.Request(
            method="GET",
            target="/",
            headers=[
                (b"Host", self._host.encode()),
                (b"Upgrade", b"websocket"),
                (b"Connection", b"Upgrade"),
                (b"Sec-WebSocket-Key", self._key),
                (b"Sec-WebSocket-Version", b"13"),
            ],
        )
        return (self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b"")

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Payload in `data`, and what has to be written in answer. Raises WireError."""
        answer = b""
        if not self.open:
            data, answer = self._upgrade(data)
            if not self.open:
                return b"", answer
        payload, replies = self._frames(data)
        return payload, answer + replies

    def wrap(self, data: bytes) -> bytes:
        """Frames that carry `data`."""
        if len(data) <= WEBSOCKET_WRITE_BYTES:
            return self._frame(_BINARY, data)
        starts = range(0, len(data), WEBSOCKET_WRITE_BYTES)
        return b"".join([self._frame(_BINARY, data[at : at + WEBSOCKET_WRITE_BYTES]) for at in starts])

    def close(self) -> bytes:
        """The frame that says goodbye."""
        return self._frame(_CLOSE, b"\x03\xe8") if self.open else b""

    # upgrade

    def _upgrade(self, data: bytes) -> tuple[bytes, bytes]:
        """Bytes behind the upgrade, and the answer to a request."""
        assert self._http is not None
        try:
            self._http.receive_data(data)
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                return b"", b""
            answer = self._take_answer(event) if self._client else self._take_request(event)
        except h11.ProtocolError as error:
            raise WireError(f"the request for a websocket is not HTTP: {error}") from error
        rest = self._http.trailing_data[0]
        self._http = None
        self.open = True
        return rest, answer

    def _take_request(self, event: object) -> bytes:
        assert self._http is not None
        if not isinstance(event, h11.Request):
            raise WireError("no request for a websocket")
        headers = {name: value for name, value in event.headers}  # noqa: C416 - of a class of its own
        key = headers.get(b"sec-websocket-key", b"")
        wanted = (
            event.method == b"GET"
            and headers.get(b"upgrade", b"").lower() == b"websocket"
            and headers.get(b"sec-websocket-version") == b"13"
            and len(key) <= 64
            and key
        )
        if not wanted:
            raise WireError("a request that asks for no websocket")
        while self._http.next_event() not in (h11.PAUSED, h11.NEED_DATA):
            """Until the request has been taken whole."""
        answer = h11.InformationalResponse(
            status_code=101,
            headers=[
                (b"Upgrade", b"websocket"),
                (b"Connection", b"Upgrade"),
                (b"Sec-WebSocket-Accept", _accept(key)),
            ],
        )
        return self._http.send(answer) or b""

    def _take_answer(self, event: object) -> bytes:
        if not isinstance(event, h11.InformationalResponse) or event.status_code != 101:
            raise WireError("the other side opens no websocket")
        if (b"sec-websocket-accept", _accept(self._key)) not in list(event.headers):
            raise WireError("the other side opens some other websocket")
        return b""

    # frames

    def _frames(self, data: bytes) -> tuple[bytes, bytes]:
        pieces: list[bytes] = []
        replies = b""
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        at, size = 0, len(data)
        while True:
            if self._left:
                end = min(size, at + self._left)
                piece = data[at:end]
                self._left -= end - at
                at = end
                if self._mask:
                    piece = self._unmask(piece)
                if self._control is None:
                    pieces.append(piece)
                else:
                    self._control += piece
                if self._left:
                    break
            if self._control is not None:
                replies += self._answer(bytes(self._control))
                self._control = None
                if self.over:
                    break
            head = self._head(data, at)
            if not head:
                self._buffer = data[at:]
                break
            at += head
        return b"".join(pieces) if len(pieces) != 1 else pieces[0], replies

    def _head(self, data: bytes, at: int) -> int:
        """Read the head of a frame at `at`; its length, 0 when it is not complete."""
        left = len(data) - at
        if left < 2:
            return 0
        first, second = data[at], data[at + 1]
        kind, length, size = first & 0x0F, second & 0x7F, 2
        if length == 126:
            if left < 4:
                return 0
            length, size = int.from_bytes(data[at + 2 : at + 4], "big"), 4
        elif length == 127:
            if left < 10:
                return 0
            length, size = int.from_bytes(data[at + 2 : at + 10], "big"), 10
        masked = second >= 0x80
        if masked == self._client or first & 0x70:
            raise WireError("a frame that is no websocket's, or of an extension nobody asked for")
        if masked:
            if left < size + 4:
                return 0
            self._mask = data[at + size : at + size + 4]
            size += 4
        if kind >= _CLOSE:
            if length > _CONTROL_BYTES_MAX or not first & 0x80 or kind > _PONG:
                raise WireError("a control frame of a websocket that is none")
            self._control = bytearray((kind,))
        elif kind not in (_CONTINUATION, _BINARY):
            raise WireError("a message of a websocket that is not binary")
        if length > WEBSOCKET_FRAME_BYTES_MAX:
            raise WireError(f"a websocket frame of {length} bytes, at most {WEBSOCKET_FRAME_BYTES_MAX} are read")
        self._left = length
        return size

    def _unmask(self, piece: bytes) -> bytes:
        """Take the mask off, and turn it to where the next piece begins."""
        size = len(piece)
        mask = (self._mask * (size // 4 + 1))[:size]
        turn = size & 3
        if turn:
            self._mask = self._mask[turn:] + self._mask[:turn]
        return (int.from_bytes(piece, "little") ^ int.from_bytes(mask, "little")).to_bytes(size, "little")

    def _answer(self, control: bytes) -> bytes:
        kind, payload = control[0], control[1:]
        if kind == _PING:
            return self._frame(_PONG, payload)
        if kind == _CLOSE:
            self.over = True
            return self._frame(_CLOSE, payload[:2])
        return b""

    def _frame(self, kind: int, payload: bytes) -> bytes:
        size, bit = len(payload), 0x80 if self._client else 0
        if size < 126:
            head = bytes((0x80 | kind, bit | size))
        elif size < 65_536:
            head = _SHORT.pack(0x80 | kind, bit | 126, size)
        else:
            head = _LONG.pack(0x80 | kind, bit | 127, size)
        if not self._client:
            return head + payload
        mask = os.urandom(4)
        covering = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "little") ^ int.from_bytes(covering, "little")).to_bytes(size, "little")
        return head + mask + masked


def _accept(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key.strip() + _MAGIC, usedforsecurity=False).digest())
