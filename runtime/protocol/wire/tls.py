"""TLS below a websocket, as client only: relays in the open are reached at `wss` addresses.

Errors: WireError when the other side is not who its certificate has to name, or speaks no TLS.
"""

from __future__ import annotations

import ssl
from typing import Final

from . import WireError

_READ_BYTES: Final = 65_536


class Tls:
    """The client's side of one connection."""

    __slots__ = ("_early", "_in", "_object", "_out")

    def __init__(self, host: str, context: ssl.SSLContext | None = None) -> None:
        """`host`: whose certificate is expected. context: that of the operating system's authorities by default."""
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = context or ssl.create_default_context()
        self._object: ssl.SSLObject = context.wrap_bio(self._in, self._out, server_hostname=host)
        self._early: bytes | None = b""
        self._shake_hands()

    def feed(self, data: bytes) -> bytes:
        """Plain bytes in what the socket gave; afterwards `take` may have something. Raises WireError."""
        self._in.write(data)
        if self._early is not None and not self._shake_hands():
            return b""
        plain = bytearray()
        try:
            while piece := self._object.read(_READ_BYTES):
                plain += piece
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise WireError(f"TLS: {error.reason or error}") from error
        return bytes(plain)

    def seal(self, data: bytes) -> bytes:
        """What the socket has to get, `data` included once the handshake is over."""
        if self._early is not None:
            self._early += data
        elif data:
            self._object.write(data)
        return self._out.read()

    def _shake_hands(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise WireError(f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}") from error
        early, self._early = self._early, None
        if early:
            self._object.write(early)
        return True
