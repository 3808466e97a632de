"""yamux: many streams over one connection.

A frame has a head of twelve bytes: version 0, type, flags, stream, length, big-endian. Data are passed on as they come, in
pieces of a frame. What the other side may send on a stream is counted down by data and up by `Stream.consume`, so a stream
nobody reads from holds WINDOW_BYTES at most. What we send waits in its stream for window, and for room in `out`: streams
then take turns.

An editor must keep: a frame never carries both data and FIN (js-client 6.0.1 loses such data); a stream is told nothing
after `closed`, and is forgotten then.
Errors: WireError for frames that break the protocol, and for floods; the connection has to be closed. BrokenStream when
a stream is written to that is over.
Source: spec peer.md §2.4; the yamux specification
"""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from runtime.protocol.limits import (
    DATA_FRAME_BYTES,
    OUTPUT_BYTES_HIGH,
    STREAMS_REFUSED_MAX,
    WINDOW_BYTES,
    WINDOW_BYTES_MAX,
)

from . import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

PROTOCOL: Final = "/yamux/1.0.0"
DATA, WINDOW_UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
_HEAD: Final = struct.Struct(">BBHII")
HEAD_BYTES: Final = _HEAD.size
_NORMAL, _PROTOCOL_ERROR = 0, 1


class BrokenStream(Exception):
    """The stream was reset, was ended by us, or its connection is gone."""


class Sink(Protocol):
    """Who is told what happens to a stream. None of these may raise anything but WireError."""

    @property
    def patient(self) -> bool:
        """Whether silence is normal now; a stream of an impatient sink is reset after a while."""
        ...

    def received(self, data: bytes) -> None:
        """Take data; they count against the window until `Stream.consume`."""
        ...

    def ended(self) -> None:
        """Note that the other side sends no more."""
        ...

    def closed(self, reason: str | None) -> None:
        """Note that the stream is over: None once both sides have ended it, else why it broke. The last call."""
        ...

    def drained(self) -> None:
        """Note that nothing waits in the stream any more."""
        ...


class Stream:
    """One stream. Data that do not fit the window or the output wait in it; `waiting` is their number of bytes.

    inbound: opened by the other side. ended: it sends no more. finished: we send no more. over: forgotten by the muxer.
    queued: waits for its turn in the muxer. touched: tick of the last thing heard on it.
    """

    __slots__ = (
        "_finishing", "_pieces", "_taken", "ended", "finished", "id", "inbound", "muxer", "opened", "over", "queued", "sink", "touched",
        "waiting", "window", "window_out",
    )  # fmt: skip

    def __init__(self, muxer: Muxer, number: int, *, inbound: bool) -> None:
        """Opened by `Muxer` only."""
        self.id = number
        self.muxer = muxer
        self.inbound = inbound
        self.sink: Sink = _NOBODY
        self.window = WINDOW_BYTES
        self.window_out = WINDOW_BYTES
        self.opened = inbound
        self.ended = False
        self.finished = False
        self.over = False
        self.waiting = 0
        self.touched = muxer.tick
        self._finishing = False
        self.queued = False
        self._taken = 0
        self._pieces: deque[memoryview] = deque()

    def write(self, data: bytes) -> None:
        """Send data, as soon as window and output allow. Raises BrokenStream."""
        if self.over or self.finished or self._finishing:
            raise BrokenStream("the stream is over")
        size = len(data)
        if not self.waiting and size <= self.window_out and size <= DATA_FRAME_BYTES and self.muxer.has_room:
            self._send(data, size)
            return
        if size:
            self._pieces.append(memoryview(data))
            self.waiting += size
            self.muxer.enqueue(self)

    def finish(self) -> None:
        """Send no more after what waits; the other side may go on."""
        if self.over or self.finished or self._finishing:
            return
        if self.waiting:
            self._finishing = True
        else:
            self._finish()

    def reset(self, reason: str = "reset here") -> None:
        """End both directions at once; what waits is dropped."""
        if not self.over:
            self.muxer.send(WINDOW_UPDATE, RST, self.id, 0)
            self.leave(reason)

    def consume(self, size: int) -> None:
        """Note that `size` received bytes are done with, so that the other side may send as many more."""
        self._taken += size
        if 2 * self._taken >= WINDOW_BYTES and not (self.over or self.ended):
            self.muxer.send(WINDOW_UPDATE, self._opening_flag(), self.id, self._taken)
            self.window += self._taken
            self._taken = 0

    # for the muxer

    def leave(self, reason: str | None) -> None:
        """It is over."""
        self.over = True
        self._pieces.clear()
        self.waiting = 0
        self.muxer.forget(self)
        self.sink.closed(reason)

    def end(self) -> None:
        """The other side sends no more."""
        if self.ended:
            return
        self.ended = True
        self.sink.ended()
        if self.finished and not self.over:
            self.leave(None)

    def pump(self) -> bool:
        """Send a frame of what waits; whether another could follow."""
        self.queued = False
        if self.waiting and self.window_out:
            piece = self._pieces[0]
            size = min(len(piece), self.window_out, DATA_FRAME_BYTES)
            if size == len(piece):
                self._pieces.popleft()
            else:
                self._pieces[0] = piece[size:]
            self.waiting -= size
            self._send(piece[:size], size)
        if self.waiting:
            return self.window_out > 0
        if not self.over:
            if self._finishing:
                self._finish()
            self.sink.drained()
        return False

    def _opening_flag(self) -> int:
        if self.opened:
            return 0
        self.opened = True
        return SYN

    def _send(self, data: bytes | memoryview, size: int) -> None:
        self.window_out -= size
        muxer = self.muxer
        out = muxer.out
        out.append(_HEAD.pack(0, DATA, self._opening_flag(), self.id, size))
        out.append(data)
        muxer.wake(HEAD_BYTES + size)

    def _finish(self) -> None:
        self._finishing = False
        self.finished = True
        self.muxer.send(DATA, self._opening_flag() | FIN, self.id, 0)
        if self.ended:
            self.leave(None)


class _Nobody:
    """The sink of a stream that has none yet."""

    patient = False

    def received(self, data: bytes) -> None:
        """Drop it."""

    def ended(self) -> None:
        """Nothing to do."""

    def closed(self, reason: str | None) -> None:
        """Nothing to do."""

    def drained(self) -> None:
        """Nothing to do."""


_NOBODY: Final = _Nobody()


class Muxer:
    """All streams of one connection.

    accept: given each stream the other side opens; sets its sink, and answers False to refuse it. woken: called when `out` is no
    longer empty. tick: a coarse clock that the owner advances, see `sweep`.
    """

    __slots__ = (
        "_accept", "_buffer", "_current", "_flags", "_left", "_next", "_pinged", "_queue", "_refused", "_remote_last", "_remote_odd", "_streams",
        "_woken", "gone", "heard", "out", "out_bytes", "tick",
    )  # fmt: skip

    def __init__(self, *, initiator: bool, accept: Callable[[Stream], bool], woken: Callable[[], None]) -> None:
        """Start without streams. An initiator opens odd ones."""
        self._accept = accept
        self._woken = woken
        self._streams: dict[int, Stream] = {}
        self._next = 1 if initiator else 2
        self._remote_odd = 0 if initiator else 1
        self._remote_last = 0
        self._refused = 0
        self._buffer = b""
        self._left = 0
        self._flags = 0
        self._current: Stream | None = None
        self._queue: deque[Stream] = deque()
        self._pinged: list[Callable[[], None]] = []
        self.out: list[bytes | memoryview] = []
        self.out_bytes = 0
        self.tick = 0
        self.heard = 0
        self.gone = False

    @property
    def has_room(self) -> bool:
        """Whether more data may be put out now."""
        return self.out_bytes < OUTPUT_BYTES_HIGH

    def __len__(self) -> int:
        """Number of streams."""
        return len(self._streams)

    # outwards

    def open(self, sink: Sink) -> Stream:
        """A new stream; its first frame tells the other side. Raises BrokenStream when the other side goes away."""
        if self.gone or self._next > 0xFFFFFFFF:
            raise BrokenStream("the connection takes no more streams")
        stream = Stream(self, self._next, inbound=False)
        self._next += 2
        stream.sink = sink
        self._streams[stream.id] = stream
        return stream

    def ping(self, answered: Callable[[], None] | None = None) -> None:
        """Ask for a sign of life. `answered`: told of the next answer to a ping, or of the end of the connection."""
        if answered is not None:
            self._pinged.append(answered)
        self.send(PING, SYN, 0, self.tick & 0xFFFFFFFF)

    def go_away(self, *, error: bool = False) -> None:
        """Say that no more is taken, because we end or because the other side broke the protocol."""
        self.gone = True
        self.send(GO_AWAY, 0, 0, _PROTOCOL_ERROR if error else _NORMAL)

    def close(self, reason: str) -> None:
        """End every stream: the connection is gone."""
        self.gone = True
        streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            stream.leave(reason)
        self._tell_pinged()

    def take(self) -> list[bytes | memoryview]:
        """Everything to be written now; streams that waited for this fill `out` again."""
        out, self.out = self.out, []
        self.out_bytes = 0
        self._pump()
        return out

    def sweep(self, ticks: int) -> None:
        """Reset streams on which nothing happened for so many ticks although something should have."""
        for stream in [s for s in self._streams.values() if self.tick - s.touched >= ticks]:
            if stream.finished or stream.ended or stream.waiting or not stream.sink.patient:
                stream.reset("silent for too long")

    # for streams

    def send(self, kind: int, flags: int, stream: int, value: int) -> None:
        """Put out a frame without data."""
        self.out.append(_HEAD.pack(0, kind, flags, stream, value))
        self.wake(HEAD_BYTES)

    def wake(self, size: int) -> None:
        """Count bytes put out; tells the owner of the first."""
        if not self.out_bytes:
            self._woken()
        self.out_bytes += size

    def enqueue(self, stream: Stream) -> None:
        """Let a stream send what waits in it, in its turn."""
        if not stream.queued and stream.window_out:
            stream.queued = True
            self._queue.append(stream)
            if not self.out_bytes:
                self._pump()  # nothing is being written, so it may go at once

    def forget(self, stream: Stream) -> None:
        """Drop a stream that is over."""
        self._streams.pop(stream.id, None)
        if self._current is stream:
            self._current = None

    def _pump(self) -> None:
        """Let streams send in turn while there is room."""
        queue = self._queue
        while queue and self.has_room:
            stream = queue.popleft()
            if stream.pump():
                self.enqueue(stream)

    # inwards

    def feed(self, data: bytes) -> None:
        """Take bytes of the connection, cut anywhere. Raises WireError."""
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        self.heard = self.tick
        at, size = 0, len(data)
        while True:
            if self._left:
                end = min(size, at + self._left)
                if end > at:
                    self._left -= end - at
                    self._deliver(data[at:end])
                    at = end
                if self._left:
                    return
                self._after(self._current, self._flags)
                self._current = None
            if size - at < HEAD_BYTES:
                self._buffer = data[at:]
                return
            version, kind, flags, number, length = _HEAD.unpack_from(data, at)
            at += HEAD_BYTES
            if version or kind > GO_AWAY or flags > 0xF:
                raise WireError("a frame that is not yamux")
            if kind == DATA:
                stream = self._stream(number, flags)
                if stream is not None and length:
                    if length > stream.window or stream.ended:
                        raise WireError("more data than the window of a stream allows, or data after its end")
                    stream.window -= length
                    stream.touched = self.tick
                elif length > WINDOW_BYTES:
                    raise WireError("more data than any window allows, on a stream that is over")
                self._current, self._flags, self._left = stream, flags, length
                if not length:
                    self._after(stream, flags)
                    self._current = None
            elif kind == WINDOW_UPDATE:
                self._grant(self._stream(number, flags), flags, length)
            elif number:
                raise WireError("a frame of the connection that names a stream")
            elif kind == PING:
                if flags & SYN:
                    self.send(PING, ACK, 0, length)
                elif self._pinged:
                    self._tell_pinged()
            else:
                self.gone = True

    def _tell_pinged(self) -> None:
        pinged, self._pinged = self._pinged, []
        for answered in pinged:
            answered()

    def _deliver(self, data: bytes) -> None:
        if self._current is not None:
            self._current.sink.received(data)

    def _after(self, stream: Stream | None, flags: int) -> None:
        """What the flags say about the end of a stream, once its data have been delivered."""
        if stream is None or stream.over:
            return
        if flags & RST:
            stream.leave("reset by the other side")
        elif flags & FIN:
            stream.touched = self.tick
            stream.end()

    def _grant(self, stream: Stream | None, flags: int, more: int) -> None:
        if stream is None:
            return
        stream.touched = self.tick
        if stream.window_out + more > WINDOW_BYTES_MAX:
            raise WireError("a window larger than may be")
        stream.window_out += more
        if stream.waiting:
            self.enqueue(stream)
        self._after(stream, flags)

    def _stream(self, number: int, flags: int) -> Stream | None:
        """The stream of a frame, opened if it says so; None for one that is over or refused."""
        if not flags & SYN:
            if not number:
                raise WireError("a frame of a stream that names none")
            return self._streams.get(number)
        if number & 1 != self._remote_odd or number <= self._remote_last:
            raise WireError("a new stream with a number that is not the other side's next")
        self._remote_last = number
        stream = Stream(self, number, inbound=True)
        if self.gone or not self._accept(stream):
            self._refused += 1
            if self._refused > STREAMS_REFUSED_MAX:
                raise WireError(f"{STREAMS_REFUSED_MAX} streams were refused and it opens more")
            self.send(WINDOW_UPDATE, RST, number, 0)
            return None
        self._refused = max(0, self._refused - 1)
        self._streams[number] = stream
        self.send(WINDOW_UPDATE, ACK, number, 0)
        return stream
