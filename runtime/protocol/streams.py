"""Streams as programs use them: wait for data, wait until they have left.

`ByteStream` is for a question and its answer, or anything else that reads and writes; `OutStream` sends messages and reads
nothing. Errors: `BrokenStream` when the stream or its connection broke.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import trio

from .limits import WINDOW_BYTES
from .wire.yamux import BrokenStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from .wire.yamux import Stream


class ByteStream:
    """A stream one task reads and one writes. Whoever uses it sets the time it may take."""

    __slots__ = ("_changed", "_ended", "_pieces", "_reason", "stream")

    patient = True

    def __init__(self, stream: Stream | None = None) -> None:
        """`stream` may also be set afterwards, before anything else is done."""
        self.stream = stream
        self._pieces: deque[bytes] = deque()
        self._ended = False
        self._reason: str | None = None
        self._changed = trio.Event()

    async def read(self, size: int = WINDOW_BYTES) -> bytes:
        """Up to `size` bytes, at least one; none at the end. Raises BrokenStream."""
        while not self._pieces:
            if self._reason is not None:
                raise BrokenStream(self._reason)
            if self._ended:
                return b""
            await self._changed.wait()
        piece = self._pieces.popleft()
        if len(piece) > size:
            self._pieces.appendleft(piece[size:])
            piece = piece[:size]
        assert self.stream is not None
        self.stream.consume(len(piece))
        return piece

    async def write(self, data: bytes) -> None:
        """Send all of it; waits while window and connection are full. Raises BrokenStream."""
        stream = self.stream
        assert stream is not None
        stream.write(data)
        while stream.waiting:
            await self._changed.wait()
        if self._reason is not None:
            raise BrokenStream(self._reason)

    def finish(self) -> None:
        """Send no more."""
        if self.stream is not None:
            self.stream.finish()

    def reset(self) -> None:
        """End it in both directions, unless it has ended."""
        if self.stream is not None:
            self.stream.reset()

    # Sink

    def received(self, data: bytes) -> None:
        """Keep data until they are read; the window bounds them."""
        self._pieces.append(data)
        self._wake()

    def ended(self) -> None:
        """Note the end."""
        self._ended = True
        self._wake()

    def closed(self, reason: str | None) -> None:
        """Note why it broke, if it did."""
        self._reason = reason
        self._ended = True
        self._wake()

    def drained(self) -> None:
        """Let the writer go on."""
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, trio.Event()
        changed.set()


class OutStream:
    """A stream that only sends. Messages of several tasks leave one after the other."""

    __slots__ = ("_changed", "_lock", "_over", "_reason", "stream")

    patient = True

    def __init__(self, over: Callable[[], None] | None = None) -> None:
        """The stream is set by who opens it. `over`: called once it has ended or broken."""
        self._over = over
        self.stream: Stream | None = None
        self._lock = trio.Lock()
        self._changed: trio.Event | None = None
        self._reason: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether more may be sent."""
        return self.stream is not None and not self.stream.over

    def send_now(self, data: bytes) -> bool:
        """Send if nothing has to be waited for, before or after; False when it was not sent. Raises BrokenStream."""
        stream = self.stream
        assert stream is not None
        if stream.waiting or self._lock.locked() or len(data) > stream.window_out or not stream.muxer.has_room:
            return False
        stream.write(data)
        return not stream.waiting

    async def send(self, *pieces: bytes, finish: bool = False) -> None:
        """Send pieces of a message; returns when they are with the connection. Raises BrokenStream.

        A message that is given up half sent takes the stream with it: what follows could not be told from its rest.
        """
        stream = self.stream
        assert stream is not None
        async with self._lock:
            try:
                for piece in pieces:
                    stream.write(piece)
                if finish:
                    stream.finish()
                while stream.waiting:
                    self._changed = trio.Event()
                    await self._changed.wait()
            except BaseException:
                if stream.waiting:
                    stream.reset("given up while sending")
                raise
            if self._reason is not None:
                raise BrokenStream(self._reason)

    # Sink

    def received(self, data: bytes) -> None:
        """Nobody answers on these streams; what comes is dropped."""
        if self.stream is not None:
            self.stream.consume(len(data))

    def ended(self) -> None:
        """The other side never has anything to say."""

    def closed(self, reason: str | None) -> None:
        """Tell who waits."""
        self._reason = reason
        if self._over is not None:
            self._over()
        self.drained()

    def drained(self) -> None:
        """Let the sender go on."""
        if self._changed is not None:
            self._changed.set()
