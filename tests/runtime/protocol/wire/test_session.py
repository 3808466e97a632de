"""The layers stacked: two sessions with each other, cut anywhere; who is refused; limits of streams."""

from __future__ import annotations

import pytest

from runtime.protocol.identity import named_identity
from runtime.protocol.limits import WINDOW_BYTES
from runtime.protocol.wire import WireError, multistream, noise
from runtime.protocol.wire.noise import StaticKey
from runtime.protocol.wire.session import INBOUND_STREAMS_MAX, Session
from runtime.protocol.wire.websocket import Websocket
from runtime.protocol.wire.yamux import Stream

A, B = named_identity("a"), named_identity("b")
KEYS = {identity.peer_id: StaticKey(identity) for identity in (A, B)}


class Keep:
    """A sink that keeps what it gets."""

    patient = True

    def __init__(self, stream: Stream | None = None) -> None:
        self.stream = stream
        self.data = b""
        self.told: list[str | None] = []

    def received(self, data: bytes) -> None:
        self.data += data
        assert self.stream is not None
        self.stream.consume(len(data))

    def ended(self) -> None:
        self.told.append("ended")

    def closed(self, reason: str | None) -> None:
        self.told.append(reason)

    def drained(self) -> None: ...


class Side:
    """Owner of a session that speaks some protocols."""

    def __init__(self, *protocols: str) -> None:
        self.protocols = protocols
        self.sinks: list[Keep] = []
        self.opened_times = 0

    def opened(self) -> None:
        self.opened_times += 1

    def accept(self, stream: Stream, protocol: str) -> Keep | None:
        if protocol not in self.protocols:
            return None
        self.sinks.append(Keep(stream))
        return self.sinks[-1]

    def woken(self) -> None: ...


def pair(*, websocket: bool = False, expected: str | None = B.peer_id) -> tuple[Side, Session, Side, Session]:
    one, two = Side("/a"), Side("/a")
    dialer = Session(
        one,
        KEYS[A.peer_id],
        initiator=True,
        expected=expected,
        websocket=Websocket("a:1") if websocket else None,
    )
    listener = Session(two, KEYS[B.peer_id], initiator=False, websocket=Websocket() if websocket else None)
    return one, dialer, two, listener


def carry(dialer: Session, listener: Session, cut: int = 1 << 30) -> None:
    moved = True
    while moved:
        moved = False
        for source, target in ((dialer, listener), (listener, dialer)):
            data = source.take()
            moved = moved or bool(data)
            for start in range(0, len(data), cut):
                target.feed(data[start : start + cut])


def send(session: Session, protocol: str, data: bytes) -> Keep:
    sink = Keep()
    sink.stream = session.open_stream(protocol, sink)
    sink.stream.write(data)
    sink.stream.finish()
    return sink


@pytest.mark.parametrize("websocket", [False, True])
@pytest.mark.parametrize("cut", [1, 3, 17, 1 << 30])
def test_two_sessions(websocket: bool, cut: int) -> None:
    one, dialer, two, listener = pair(websocket=websocket)
    carry(dialer, listener, cut)
    assert (dialer.peer_id, listener.peer_id) == (B.peer_id, A.peer_id)
    assert (one.opened_times, two.opened_times) == (1, 1)
    text = bytes(range(256)) * 5
    send(dialer, "/a", text)
    send(listener, "/a", text)
    carry(dialer, listener, cut)
    assert [side.sinks[0].data for side in (one, two)] == [text, text]


def test_the_handshake_takes_three_flights() -> None:
    """Proposals are not waited for: dialer, listener, dialer, and the listener may open streams."""
    _, dialer, _, listener = pair()
    listener.feed(dialer.take())
    dialer.feed(listener.take())
    assert not listener.is_open
    listener.feed(dialer.take())
    assert listener.is_open


def test_somebody_else_answers() -> None:
    _, dialer, _, listener = pair(expected=A.peer_id)
    with pytest.raises(WireError, match=f"{B.peer_id} answers there"):
        carry(dialer, listener)
    assert not dialer.is_open


def test_an_unknown_protocol_costs_its_stream() -> None:
    _, dialer, two, listener = pair()
    carry(dialer, listener)
    refused = send(dialer, "/b", b"x" * 100)
    good = send(dialer, "/a", b"y")
    carry(dialer, listener)
    assert refused.told == ["ended", "the other side does not speak /b"] or refused.told[-1] is not None
    assert [sink.data for sink in two.sinks] == [b"y"]
    assert good.told == []
    assert listener.inbound_streams == 1


@pytest.mark.parametrize("garbage", [b"\x00", b"\xff" * 40, multistream.line("/x"), multistream.HEADER + b"\x00"])
def test_garbage_on_a_stream_costs_that_stream(garbage: bytes) -> None:
    _, dialer, two, listener = pair()
    carry(dialer, listener)
    sink = Keep()
    sink.stream = dialer.muxer.open(sink)
    sink.stream.write(garbage)
    send(dialer, "/a", b"after")
    carry(dialer, listener)
    assert sink.told == ["reset by the other side"]
    assert [kept.data for kept in two.sinks] == [b"after"]


def test_a_stream_that_ends_before_it_has_a_protocol() -> None:
    _, dialer, _, listener = pair()
    carry(dialer, listener)
    sink = Keep()
    sink.stream = dialer.muxer.open(sink)
    sink.stream.write(multistream.HEADER)
    sink.stream.finish()
    carry(dialer, listener)
    assert listener.inbound_streams == 0
    assert sink.told[-1] == "reset by the other side"


def test_streams_are_counted_in_and_out() -> None:
    _, dialer, two, listener = pair()
    carry(dialer, listener)
    for _ in range(INBOUND_STREAMS_MAX + 3):
        sink = Keep()
        sink.stream = dialer.open_stream("/a", sink)
        sink.stream.write(b"x")
    carry(dialer, listener)
    assert listener.inbound_streams == len(two.sinks) == INBOUND_STREAMS_MAX
    for kept in two.sinks[:10]:
        assert kept.stream is not None
        kept.stream.reset()
    carry(dialer, listener)
    assert listener.inbound_streams == INBOUND_STREAMS_MAX - 10
    send(dialer, "/a", b"again")
    carry(dialer, listener)
    assert two.sinks[-1].data == b"again"


def test_more_than_a_window_passes_when_it_is_taken() -> None:
    _, dialer, two, listener = pair()
    carry(dialer, listener)
    send(dialer, "/a", bytes(5 * WINDOW_BYTES))
    carry(dialer, listener)
    assert len(two.sinks[0].data) == 5 * WINDOW_BYTES


@pytest.mark.parametrize("websocket", [False, True])
def test_goodbye(websocket: bool) -> None:
    _, dialer, _, listener = pair(websocket=websocket)
    carry(dialer, listener)
    dialer.goodbye()
    listener.feed(dialer.take())
    assert listener.muxer.gone
    assert listener.is_over == websocket


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        multistream.line("/plaintext/2.0.0"),
        multistream.HEADER + multistream.line("/tls/1.0.0") * 20,
        multistream.opening(noise.PROTOCOL) + b"\xff\xff",
        multistream.opening(noise.PROTOCOL) + b"\x00\x20" + bytes(32),
        multistream.opening(noise.PROTOCOL) + b"\x00\x01x",
    ],
)
def test_strangers_at_the_door(data: bytes) -> None:
    _, _, _, listener = pair()
    with pytest.raises(WireError):
        listener.feed(data)


def test_only_noise_and_yamux_are_spoken() -> None:
    """Row 1 and row 3 of the hazards: no plaintext, no TLS, no mplex."""
    _, _, _, listener = pair()
    listener.feed(multistream.HEADER)
    for name in ("/plaintext/2.0.0", "/tls/1.0.0", "/secio/1.0.0"):
        listener.take()
        listener.feed(multistream.line(name))
        assert listener.take() == multistream.NOT_AVAILABLE
    _, dialer, _, listener = pair()
    listener.feed(dialer.take())
    dialer.feed(listener.take())
    answer, agreed, _ = listener_of_mplex(listener, dialer)
    assert (answer, agreed) == (multistream.HEADER + multistream.NOT_AVAILABLE, None)


def listener_of_mplex(listener: Session, dialer: Session) -> tuple[bytes, str | None, bytes]:
    """What a listener answers who is asked for mplex."""
    last = dialer.take()
    listener.feed(
        last[: 2 + int.from_bytes(last[:2], "big")]
    )  # the handshake's third message, without the proposal of yamux
    return listener._responder.feed(multistream.opening("/mplex/6.7.0"))
