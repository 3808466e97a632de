"""One libp2p connection without its socket: the layers stacked, first negotiated, then carrying streams.

    inbound    [websocket] · agree on noise · handshake · agree on yamux · streams
    outbound   [tls] [websocket] · the same as dialer, proposals sent without waiting for consent

`feed` takes what the socket gave and `take` gives what it has to get. Whoever opens a stream names its protocol; a stream
of the other side is passed on once its protocol is agreed.
Errors: WireError from `feed`: the connection has to be closed, after what `take` still gives. Nothing else.
Source: spec peer.md §2.1–§2.5
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from runtime.protocol.limits import HANDSHAKE_BYTES_MAX, PARTICLE_STREAMS_MAX, SERVICE_STREAMS_MAX

from . import WireError, multistream, noise, yamux

if TYPE_CHECKING:
    from collections.abc import Callable

    from .tls import Tls
    from .websocket import Websocket
    from .yamux import Sink, Stream

INBOUND_STREAMS_MAX: Final = PARTICLE_STREAMS_MAX + SERVICE_STREAMS_MAX
"""Streams of the other side, whatever their protocol."""


class Owner(Protocol):
    """Whose connection it is."""

    def opened(self) -> None:
        """Note that the other side is who it is, and that streams may be opened. Raises WireError to close at once."""
        ...

    def accept(self, stream: Stream, protocol: str) -> Sink | None:
        """Who takes a stream of the other side; None when the protocol is not spoken here."""
        ...

    def woken(self) -> None:
        """Note that `take` has something to give."""
        ...


class Session:
    """See the module. `peer_id`: the proven identity of the other side, empty before `opened`."""

    def __init__(
        self,
        owner: Owner,
        static: noise.StaticKey,
        *,
        initiator: bool,
        expected: str | None = None,
        websocket: Websocket | None = None,
        tls: Tls | None = None,
    ) -> None:
        """`expected`: the only peer id that is accepted, of a dialer."""
        self.peer_id = ""
        self.is_open = False
        self.inbound_streams = 0
        self._owner = owner
        self._initiator = initiator
        self._expected = expected
        self._websocket = websocket
        self._tls = tls
        self._handshake: noise.Handshake | None = noise.Handshake(static, initiator=initiator)
        self._raw: list[bytes] = []
        self._early = b""
        self._buffer = b""
        self._sending: noise.Cipher | None = None
        self._receiving: noise.Cipher | None = None
        self.muxer = yamux.Muxer(initiator=initiator, accept=self._accept, woken=owner.woken)
        self._stage: Callable[[bytes], None]
        self._dialer = multistream.Dialer(noise.PROTOCOL)
        self._responder = multistream.Responder(noise.PROTOCOL.__eq__)
        self._stage = self._agree_on_noise
        if websocket is not None and initiator:
            self._raw.append(websocket.request())
        if initiator:
            # Sent together: the first handshake message does not wait for consent.
            self._put(multistream.opening(noise.PROTOCOL) + self._handshake.start())

    @property
    def is_over(self) -> bool:
        """Whether the other side has said goodbye."""
        return self._websocket is not None and self._websocket.over

    # bytes

    def feed(self, data: bytes) -> None:
        """Take what the socket gave. Raises WireError."""
        if self._tls is not None:
            data = self._tls.feed(data)
            self._owner.woken()
        websocket = self._websocket
        if websocket is not None:
            was_open = websocket.open
            data, answer = websocket.feed(data)
            if answer:
                self._raw.append(answer)
                self._owner.woken()
            if websocket.open and not was_open and self._early:
                self._raw.append(websocket.wrap(self._early))
                self._early = b""
                self._owner.woken()
        if data:
            self._stage(data)

    def take(self) -> bytes:
        """What the socket has to get now."""
        muxer, raw = self.muxer, self._raw
        if muxer.out and self._sending is not None:
            frames = muxer.take()
            sealed = self._sending.seal(b"".join(frames))
            raw.append(sealed if self._websocket is None else self._websocket.wrap(sealed))
        if raw:
            self._raw = []
        data = raw[0] if len(raw) == 1 else b"".join(raw)
        return data if self._tls is None else self._tls.seal(data)

    def goodbye(self, *, error: bool = False) -> None:
        """Tell the other side that this is the end, in every layer."""
        if self.is_open:
            self.muxer.go_away(error=error)
        if self._websocket is not None:
            last = self.take()
            self._raw = [last + self._websocket.close()]

    def open_stream(self, protocol: str, sink: Sink) -> Stream:
        """A stream on which data may be written at once. Raises yamux.BrokenStream."""
        proposed = _Proposed(protocol, sink)
        proposed.stream = stream = self.muxer.open(proposed)
        stream.write(multistream.opening(protocol))
        return stream

    # stages

    def _put(self, data: bytes) -> None:
        if self._websocket is None:
            self._raw.append(data)
        elif self._websocket.open:
            self._raw.append(self._websocket.wrap(data))
        else:
            self._early += data
            return
        self._owner.woken()

    def _agree_on_noise(self, data: bytes) -> None:
        rest = self._agree(data, self._put)
        if rest is not None:
            self._stage = self._shake_hands
            if rest:
                self._shake_hands(rest)

    def _shake_hands(self, data: bytes) -> None:
        handshake = self._handshake
        assert handshake is not None
        self._buffer += data
        while len(self._buffer) >= 2:
            end = 2 + int.from_bytes(self._buffer[:2], "big")
            if end - 2 > HANDSHAKE_BYTES_MAX:
                raise WireError("a handshake message longer than any")
            if len(self._buffer) < end:
                return
            message, self._buffer = self._buffer[2:end], self._buffer[end:]
            answer = handshake.feed(message)
            if answer:
                self._put(answer)
            if handshake.done:
                self._shaken(handshake)
                return

    def _shaken(self, handshake: noise.Handshake) -> None:
        if self._expected is not None and handshake.peer_id != self._expected:
            raise WireError(f"{handshake.peer_id} answers there, not {self._expected}")
        self.peer_id = handshake.peer_id
        self._sending, self._receiving = handshake.sending, handshake.receiving
        self._handshake = None
        self._dialer = multistream.Dialer(yamux.PROTOCOL)
        self._responder = multistream.Responder(yamux.PROTOCOL.__eq__)
        if self._initiator:
            self._put_sealed(multistream.opening(yamux.PROTOCOL))
        self._inner: Callable[[bytes], None] = self._agree_on_yamux
        self._stage = self._decrypt
        rest, self._buffer = self._buffer, b""
        if rest:
            self._decrypt(rest)

    def _decrypt(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        receiving = self._receiving
        assert receiving is not None
        at, size = 0, len(data)
        while size - at >= 2:
            end = at + 2 + (data[at] << 8 | data[at + 1])
            if end > size:
                break
            self._inner(receiving.open(data[at + 2 : end]))
            at = end
        if at < size:
            self._buffer = data[at:]

    def _agree_on_yamux(self, data: bytes) -> None:
        rest = self._agree(data, self._put_sealed)
        if rest is None:
            return
        self._inner = self.muxer.feed
        self.is_open = True
        self._owner.opened()
        if rest:
            self.muxer.feed(rest)

    def _put_sealed(self, data: bytes) -> None:
        assert self._sending is not None
        self._put(self._sending.seal(data))

    def _agree(self, data: bytes, put: Callable[[bytes], None]) -> bytes | None:
        """What follows the agreement on the next layer; None before it is reached."""
        if self._initiator:
            return self._dialer.feed(data)
        answer, agreed, rest = self._responder.feed(data)
        if answer:
            put(answer)
        return rest if agreed is not None else None

    # streams

    def _accept(self, stream: Stream) -> bool:
        if self.inbound_streams >= INBOUND_STREAMS_MAX:
            return False
        self.inbound_streams += 1
        stream.sink = _Asked(self, stream)
        return True

    def chosen(self, stream: Stream, protocol: str) -> Sink | None:
        """Who takes the stream, asked of the owner."""
        return self._owner.accept(stream, protocol)


class _Asked:
    """A stream of the other side: agrees on its protocol, then passes everything to who takes it, and counts its end."""

    __slots__ = ("_responder", "_session", "_sink", "_stream")

    def __init__(self, session: Session, stream: Stream) -> None:
        self._session = session
        self._stream = stream
        self._sink: Sink | None = None
        self._responder: multistream.Responder | None = multistream.Responder(self._choose)

    @property
    def patient(self) -> bool:
        return self._sink is not None and self._sink.patient

    def received(self, data: bytes) -> None:
        if self._responder is None and self._sink is not None:
            self._sink.received(data)
            return
        stream = self._stream
        assert self._responder is not None
        try:
            answer, agreed, rest = self._responder.feed(data)
            if answer:
                stream.write(answer)
        except (WireError, yamux.BrokenStream) as error:
            stream.reset(str(error))  # it costs this stream, not the connection
            return
        stream.consume(len(data) - len(rest))
        if agreed is None or self._sink is None:
            return
        self._responder = None
        if rest:
            self._sink.received(rest)

    def _choose(self, protocol: str) -> bool:
        self._sink = self._session.chosen(self._stream, protocol)
        return self._sink is not None

    def ended(self) -> None:
        if self._responder is None and self._sink is not None:
            self._sink.ended()
        else:
            self._stream.reset("ended before it had a protocol")

    def closed(self, reason: str | None) -> None:
        self._session.inbound_streams -= 1
        if self._sink is not None:
            self._sink.closed(reason)

    def drained(self) -> None:
        if self._sink is not None:
            self._sink.drained()


class _Proposed:
    """A stream of ours: waits for consent to its protocol, then passes everything to its sink."""

    __slots__ = ("_dialer", "_sink", "stream")

    def __init__(self, protocol: str, sink: Sink) -> None:
        self._sink = sink
        self._dialer: multistream.Dialer | None = multistream.Dialer(protocol)
        self.stream: Stream | None = None

    @property
    def patient(self) -> bool:
        return self._dialer is None and self._sink.patient

    def received(self, data: bytes) -> None:
        if self._dialer is None:
            self._sink.received(data)
            return
        stream = self.stream
        assert stream is not None
        try:
            rest = self._dialer.feed(data)
        except WireError as error:
            stream.reset(str(error))
            return
        if rest is None:
            stream.consume(len(data))
            return
        self._dialer = None
        stream.consume(len(data) - len(rest))
        if rest:
            self._sink.received(rest)

    def ended(self) -> None:
        if self._dialer is None:
            self._sink.ended()
        elif self.stream is not None:
            self.stream.reset("ended before it agreed on a protocol")

    def closed(self, reason: str | None) -> None:
        self._sink.closed(reason)

    def drained(self) -> None:
        self._sink.drained()
