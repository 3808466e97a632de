"""Messages out of a stream of bytes: header lines, a blank line, a body of `Content-Length` bytes.

Errors: `StreamBroken` when the bytes are no such stream; nothing behind that place can be read.
"""

from __future__ import annotations

from typing import Final

HEADER_BYTES_MAX: Final = 8192
"""Bytes of the header of one message."""

BODY_BYTES_MAX: Final = 256 * 1024 * 1024
"""Bytes of the body of one message."""

_END: Final = b"\r\n\r\n"


class StreamBroken(Exception):
    """The bytes are not a sequence of messages."""


class Frames:
    """Takes bytes as they come and gives the bodies that are complete."""

    def __init__(self) -> None:
        """Start at the header of a message."""
        self._bytes = bytearray()
        self._wanted: int | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Bodies completed by `data`, in order. Raises StreamBroken."""
        self._bytes += data
        bodies: list[bytes] = []
        while True:
            if self._wanted is None:
                end = self._bytes.find(_END, 0, HEADER_BYTES_MAX)
                if end < 0:
                    if len(self._bytes) >= HEADER_BYTES_MAX:
                        raise StreamBroken(f"a header of more than {HEADER_BYTES_MAX} bytes")
                    return bodies
                self._wanted = _length(bytes(self._bytes[:end]))
                del self._bytes[: end + len(_END)]
            if len(self._bytes) < self._wanted:
                return bodies
            bodies.append(bytes(self._bytes[: self._wanted]))
            del self._bytes[: self._wanted]
            self._wanted = None


def _length(header: bytes) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            text = value.strip()
            if not text.isdigit() or len(text) > 12 or int(text) > BODY_BYTES_MAX:
                raise StreamBroken(f"`{line.decode('latin-1')}` is no length of at most {BODY_BYTES_MAX} bytes")
            return int(text)
    raise StreamBroken("a header without `Content-Length`")
