"""Particles on streams: what comes in on one stream, message after message.

A message is handed over at once while the peer has room. When it has none, a task waits with the messages of that stream, and
as the stream's window is not opened meanwhile the other side stops sending on it: the peer's back-pressure reaches the sender,
stream by stream.
Errors: none; a stream whose bytes are no messages, or that would hold too much, is reset.
Source: spec peer.md §3.1, §4.8
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from .codec import CodecError, FrameReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.network import Receiver

    from .held import HeldBytes
    from .wire.yamux import Stream

log = logging.getLogger("runtime.libp2p")


class ParticleSink:
    """One particle stream of another peer. `left`: called once it is over. spawn: starts the task that waits for room."""

    __slots__ = (
        "_ended", "_held", "_left", "_over", "_pieces", "_reader", "_receiver", "_sender", "_spawn", "_stream", "_taken", "_used", "_waits",
    )  # fmt: skip

    def __init__(
        self,
        stream: Stream,
        sender: str,
        receiver: Receiver,
        held: HeldBytes,
        spawn: Callable[..., None],
        left: Callable[[], None],
    ) -> None:
        """Wait for the first frame."""
        self._stream = stream
        self._sender = sender
        self._receiver = receiver
        self._held = held
        self._spawn = spawn
        self._left = left
        self._reader = FrameReader()
        self._taken = 0
        self._used = False
        self._ended = False
        self._over = False
        self._waits = False
        self._pieces: deque[bytes] = deque()

    @property
    def patient(self) -> bool:
        """Between two frames of a stream that has been used, silence is the normal state of a long-lived one."""
        return self._waits or (self._used and not self._reader.waiting)

    def received(self, data: bytes) -> None:
        """Take bytes of the stream."""
        if self._waits:
            self._pieces.append(data)
            return
        messages = self._reader.feed(data)
        try:
            for message in messages:
                self._used = True
                self._note(len(message) + self._reader.held)
                if not self._receiver.offer(self._sender, message):
                    self._waits = True
                    self._spawn(self._wait, message, messages, len(data))
                    return
            self._note(self._reader.held)
        except CodecError as error:
            self._refuse(error)
            return
        self._stream.consume(len(data))

    def ended(self) -> None:
        """End our side, too, once everything has been handed over."""
        self._ended = True
        if not self._waits:
            self._finish()

    def closed(self, reason: str | None) -> None:
        """Give back what was held."""
        self._over = True
        if not self._waits:
            self._note(0)
        self._left()

    def drained(self) -> None:
        """Nothing is ever sent here."""

    async def _wait(self, message: bytes, messages: Iterator[bytes], size: int) -> None:
        """Hand over what has come, as the peer has room for it; what came complete counts even if the stream has broken since."""
        try:
            await self._receiver.on_message(self._sender, message)
            while True:
                for message in messages:
                    self._note(len(message) + self._reader.held)
                    await self._receiver.on_message(self._sender, message)
                self._note(self._reader.held)
                self._stream.consume(size)
                if not self._pieces:
                    break
                data = self._pieces.popleft()
                messages, size = self._reader.feed(data), len(data)
        except CodecError as error:
            self._refuse(error)
        finally:
            self._waits = False
            if self._over:
                self._note(0)
            elif self._ended:
                self._finish()

    def _note(self, held: int) -> None:
        """Account for what is held. Raises TooMuchHeld."""
        if held != self._taken:
            self._taken = self._held.change(self._sender, self._taken, held)

    def _finish(self) -> None:
        if self._reader.waiting:
            log.debug("a particle stream of %s ended within a frame", self._sender)
        self._stream.finish()

    def _refuse(self, error: CodecError) -> None:
        log.info("resetting a particle stream of %s: %s", self._sender, error)
        self._stream.reset(str(error))
