"""Streams over one connection: order, windows, turns, ends, and every frame that breaks the protocol."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.protocol.limits import DATA_FRAME_BYTES, OUTPUT_BYTES_HIGH, STREAMS_REFUSED_MAX, WINDOW_BYTES
from runtime.protocol.wire import WireError
from runtime.protocol.wire.yamux import (
    ACK,
    DATA,
    FIN,
    GO_AWAY,
    PING,
    RST,
    SYN,
    WINDOW_UPDATE,
    BrokenStream,
    Muxer,
    Stream,
)

HEAD = struct.Struct(">BBHII")


class Keep:
    """A sink that keeps what it is told."""

    def __init__(self, *, patient: bool = True, consume: bool = True) -> None:
        self.patient = patient
        self.consume = consume
        self.stream: Stream | None = None
        self.data = b""
        self.told: list[str | None] = []

    def received(self, data: bytes) -> None:
        self.data += data
        if self.consume and self.stream is not None:
            self.stream.consume(len(data))

    def ended(self) -> None:
        self.told.append("ended")

    def closed(self, reason: str | None) -> None:
        self.told.append(reason)

    def drained(self) -> None:
        self.told.append("drained")


class Side:
    """A muxer that keeps the streams of the other side."""

    def __init__(self, *, initiator: bool, consume: bool = True, streams_max: int = 1 << 30) -> None:
        self.sinks: list[Keep] = []
        self.woken = 0
        self.consume = consume
        self.streams_max = streams_max
        self.muxer = Muxer(initiator=initiator, accept=self.accept, woken=self.wake)

    def accept(self, stream: Stream) -> bool:
        if len(self.muxer) >= self.streams_max:
            return False
        sink = Keep(consume=self.consume)
        sink.stream = stream
        stream.sink = sink
        self.sinks.append(sink)
        return True

    def wake(self) -> None:
        self.woken += 1

    def open(self) -> tuple[Stream, Keep]:
        sink = Keep()
        sink.stream = self.muxer.open(sink)
        return sink.stream, sink


def pair(**options: bool) -> tuple[Side, Side]:
    return Side(initiator=True, **options), Side(initiator=False, **options)


def deliver(one: Side, two: Side, *, cut: int | None = None) -> None:
    """Carry bytes both ways until nothing is left."""
    moved = True
    while moved:
        moved = False
        for source, target in ((one, two), (two, one)):
            data = b"".join(source.muxer.take())
            moved = moved or bool(data)
            for start in range(0, len(data), cut or len(data) or 1):
                target.muxer.feed(data[start : start + (cut or len(data))])


def frames(data: bytes) -> list[tuple[int, int, int, int, bytes]]:
    found, at = [], 0
    while at < len(data):
        _, kind, flags, number, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        body = data[at : at + length] if kind == DATA else b""
        at += len(body)
        found.append((kind, flags, number, length, body))
    return found


def check(data: bytes, complaint: str, *, side: Side | None = None) -> None:
    """Bytes that break the protocol."""
    with pytest.raises(WireError, match=complaint):
        (side or Side(initiator=False)).muxer.feed(data)


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=6), st.integers(1, 500))
def test_what_is_written_arrives_however_it_is_cut(texts: list[bytes], cut: int) -> None:
    one, two = pair()
    for text in texts:
        stream, _ = one.open()
        stream.write(text[:100])
        stream.write(text[100:])
        stream.finish()
    deliver(one, two, cut=cut)
    assert [sink.data for sink in two.sinks] == texts
    assert all(sink.told == ["ended"] for sink in two.sinks)


def test_the_first_frame_opens_and_the_end_is_a_frame_of_its_own() -> None:
    one, two = pair()
    stream, sink = one.open()
    stream.write(b"ab")
    stream.finish()
    sent = b"".join(one.muxer.take())
    assert frames(sent) == [(DATA, SYN, 1, 2, b"ab"), (DATA, FIN, 1, 0, b"")]
    two.muxer.feed(sent)
    assert frames(b"".join(two.muxer.take())) == [(WINDOW_UPDATE, ACK, 1, 0, b"")]
    theirs = two.sinks[0].stream
    assert theirs is not None
    theirs.finish()
    one.muxer.feed(b"".join(two.muxer.take()))
    assert sink.told == ["ended", None]
    assert two.sinks[0].told == ["ended", None]
    assert len(one.muxer) == len(two.muxer) == 0
    with pytest.raises(BrokenStream):
        stream.write(b"late")


def test_a_stream_without_data_is_opened_and_ended() -> None:
    one, two = pair()
    one.open()[0].finish()
    deliver(one, two)
    assert two.sinks[0].told == ["ended"]


def test_numbers_are_odd_for_who_dialled() -> None:
    one, two = pair()
    assert [one.open()[0].id for _ in range(3)] == [1, 3, 5]
    assert [two.open()[0].id for _ in range(3)] == [2, 4, 6]


def test_the_window_holds_data_back_until_they_are_taken() -> None:
    one, two = pair(consume=False)
    stream, sink = one.open()
    stream.write(bytes(WINDOW_BYTES + 10))
    stream.finish()
    deliver(one, two)
    assert len(two.sinks[0].data) == WINDOW_BYTES
    assert (stream.waiting, two.sinks[0].told, sink.told) == (10, [], [])
    theirs = two.sinks[0].stream
    assert theirs is not None
    theirs.consume(WINDOW_BYTES // 2 - 1)
    deliver(one, two)
    assert stream.waiting == 10, "small grants are saved up"
    theirs.consume(1)
    deliver(one, two)
    assert len(two.sinks[0].data) == WINDOW_BYTES + 10
    assert two.sinks[0].told == ["ended"]
    assert sink.told == ["drained"]


def test_streams_take_turns_when_the_output_is_full() -> None:
    one, _ = pair()
    streams = [one.open()[0] for _ in range(4)]
    for stream in streams:
        stream.write(bytes(WINDOW_BYTES))
    sent = frames(b"".join(one.muxer.take()))
    assert sum(len(body) for *_, body in sent) <= OUTPUT_BYTES_HIGH + DATA_FRAME_BYTES
    assert max(len(body) for *_, body in sent) == DATA_FRAME_BYTES
    order = [number for _, _, number, _, _ in sent]
    while data := b"".join(one.muxer.take()):
        order += [number for _, _, number, _, _ in frames(data)]
    assert set(order) == {1, 3, 5, 7}
    assert sorted(order) == sorted([1, 3, 5, 7] * (WINDOW_BYTES // DATA_FRAME_BYTES))
    assert order == [1, 1, 1, 1, *[3, 5, 7] * 4], "the first found nobody waiting, the others did"


def test_one_wake_for_everything_that_is_put_out() -> None:
    one, _ = pair()
    for _ in range(5):
        one.open()[0].write(b"x")
    assert one.woken == 1
    one.muxer.take()
    one.muxer.ping()
    assert one.woken == 2


def test_a_reset_ends_both_sides() -> None:
    one, two = pair()
    stream, sink = one.open()
    stream.write(b"x")
    deliver(one, two)
    stream.reset("enough")
    deliver(one, two)
    assert (sink.told, two.sinks[0].told) == (["enough"], ["reset by the other side"])
    stream.reset()
    assert sink.told == ["enough"]
    assert not one.muxer.take()


def test_late_frames_of_a_stream_that_is_over_are_dropped() -> None:
    one, two = pair()
    stream, _ = one.open()
    stream.write(b"x")
    deliver(one, two)
    theirs = two.sinks[0].stream
    assert theirs is not None
    theirs.reset()
    stream.write(b"late")
    stream.finish()
    deliver(one, two)
    assert two.sinks[0].data == b"x"
    assert two.muxer._left == 0


def test_pings_are_answered_with_their_number() -> None:
    side = Side(initiator=False)
    side.muxer.feed(HEAD.pack(0, PING, SYN, 0, 77) + HEAD.pack(0, PING, ACK, 0, 1))
    assert frames(b"".join(side.muxer.take())) == [(PING, ACK, 0, 77, b"")]


def test_going_away() -> None:
    one, two = pair()
    one.muxer.go_away()
    deliver(one, two)
    assert two.muxer.gone
    with pytest.raises(BrokenStream, match="no more streams"):
        two.open()


def test_the_end_of_the_connection_ends_every_stream_once() -> None:
    side = Side(initiator=False)
    _, sink = side.open()
    side.muxer.feed(HEAD.pack(0, DATA, SYN, 1, 0))
    side.muxer.close("gone")
    side.muxer.close("again")
    assert sink.told == side.sinks[0].told == ["gone"]


def test_silence_where_something_should_come() -> None:
    side = Side(initiator=False)
    side.muxer.feed(b"".join(HEAD.pack(0, DATA, SYN, number, 0) for number in (1, 3, 5)))
    patient, impatient, ended = side.sinks
    impatient.patient = False
    side.muxer.feed(HEAD.pack(0, DATA, FIN, 5, 0))
    side.muxer.tick = 11
    side.muxer.sweep(12)
    assert (patient.told, impatient.told, ended.told) == ([], [], ["ended"])
    side.muxer.tick = 12
    side.muxer.sweep(12)
    assert (patient.told, impatient.told) == ([], ["silent for too long"])
    assert ended.told == ["ended", "silent for too long"]


def test_one_stream_too_many_is_reset_and_the_connection_lives() -> None:
    side = Side(initiator=False, streams_max=2)
    side.muxer.feed(b"".join(HEAD.pack(0, DATA, SYN, number, 1) + b"x" for number in (1, 3, 5)))
    answers = frames(b"".join(side.muxer.take()))
    assert answers == [
        (WINDOW_UPDATE, ACK, 1, 0, b""),
        (WINDOW_UPDATE, ACK, 3, 0, b""),
        (WINDOW_UPDATE, RST, 5, 0, b""),
    ]
    assert [sink.data for sink in side.sinks] == [b"x", b"x"]


def test_refusals_are_forgiven_one_by_one_and_floods_are_not() -> None:
    side = Side(initiator=False, streams_max=0)
    for number in range(STREAMS_REFUSED_MAX):
        side.muxer.feed(HEAD.pack(0, DATA, SYN, 2 * number + 1, 0))
        side.muxer.take()
    side.streams_max = 1
    side.muxer.feed(HEAD.pack(0, DATA, SYN, 2 * STREAMS_REFUSED_MAX + 1, 0))
    side.muxer.feed(HEAD.pack(0, DATA, SYN, 2 * STREAMS_REFUSED_MAX + 3, 0))
    check(HEAD.pack(0, DATA, SYN, 2 * STREAMS_REFUSED_MAX + 5, 0), "were refused", side=side)


OPEN = HEAD.pack(0, DATA, SYN, 1, 0)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (HEAD.pack(1, DATA, SYN, 1, 0), "not yamux"),
        (HEAD.pack(0, 4, 0, 1, 0), "not yamux"),
        (HEAD.pack(0, DATA, 16, 1, 0), "not yamux"),
        (HEAD.pack(0, DATA, SYN, 2, 0), "not the other side's next"),
        (HEAD.pack(0, DATA, SYN, 0, 0), "not the other side's next"),
        (OPEN + OPEN, "not the other side's next"),
        (HEAD.pack(0, DATA, SYN, 3, 0) + OPEN, "not the other side's next"),
        (HEAD.pack(0, DATA, 0, 0, 0), "names none"),
        (HEAD.pack(0, PING, SYN, 1, 0), "names a stream"),
        (HEAD.pack(0, GO_AWAY, 0, 1, 0), "names a stream"),
        (HEAD.pack(0, DATA, SYN, 1, WINDOW_BYTES + 1), "than the window"),
        (HEAD.pack(0, DATA, 0, 9, WINDOW_BYTES + 1), "than any window"),
        (HEAD.pack(0, DATA, SYN | FIN, 1, 0) + HEAD.pack(0, DATA, 0, 1, 1), "after its end"),
        (OPEN + HEAD.pack(0, WINDOW_UPDATE, 0, 1, 0xFFFFFFFF), "window larger"),
    ],
)
def test_frames_that_break_the_protocol(data: bytes, complaint: str) -> None:
    check(data, complaint)


def test_the_whole_window_may_be_used() -> None:
    side = Side(initiator=False, consume=False)
    side.muxer.feed(HEAD.pack(0, DATA, SYN, 1, WINDOW_BYTES) + bytes(WINDOW_BYTES))
    assert len(side.sinks[0].data) == WINDOW_BYTES
    check(HEAD.pack(0, DATA, 0, 1, 1) + b"x", "than the window", side=side)


def reset_first(sink: Keep) -> None:
    assert sink.stream is not None
    sink.stream.reset("from within")


@pytest.mark.parametrize("act", [reset_first, lambda sink: sink.stream.finish()])
def test_a_sink_may_end_its_stream_while_it_is_told(act: Callable[[Keep], None]) -> None:
    side = Side(initiator=False)
    side.muxer.feed(OPEN)
    sink = side.sinks[0]
    sink.received = lambda data: act(sink)  # type: ignore[method-assign]
    side.muxer.feed(HEAD.pack(0, DATA, 0, 1, 2) + b"a" + b"b" + HEAD.pack(0, DATA, FIN, 1, 0))
    assert len(side.muxer) == 0
    assert sink.told in (["from within"], ["ended", None])
