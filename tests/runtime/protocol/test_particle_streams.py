"""Particles on streams: handed over at once or as there is room, accounted for, and the streams that are reset."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from runtime.core.limits import FRAME_BYTES_MAX, HELD_BYTES_FREE, HELD_BYTES_PER_PEER_MAX
from runtime.network import Contact
from runtime.protocol.codec import frame
from runtime.protocol.held import HeldBytes
from runtime.protocol.limits import WINDOW_BYTES
from runtime.protocol.multiaddr import varint
from runtime.protocol.particle_streams import ParticleSink
from runtime.protocol.wire.yamux import Muxer, Stream


class Receiver:
    """Takes at once while `room`, later when a test lets it."""

    def __init__(self) -> None:
        self.room = True
        self.got: list[bytes] = []
        self.gate = trio.Event()

    def offer(self, sender: str, message: bytes) -> bool:
        if self.room:
            self.got.append(message)
        return self.room

    async def on_message(self, sender: str, message: bytes) -> None:
        await self.gate.wait()
        self.got.append(message)

    def on_connected(self, contact: Contact) -> None: ...

    def on_disconnected(self, peer_id: str) -> None: ...


class Rig:
    """A sink on a stream of a muxer nobody is connected to."""

    def __init__(self, nursery: trio.Nursery | None = None) -> None:
        self.receiver, self.held, self.left = Receiver(), HeldBytes(), 0
        self.muxer = Muxer(initiator=False, accept=lambda _: True, woken=lambda: None)
        self.stream = Stream(self.muxer, 1, inbound=True)
        self.muxer._streams[1] = self.stream
        self.tasks = 0
        self.nursery = nursery
        self.sink = ParticleSink(self.stream, "sender", self.receiver, self.held, self.spawn, self.leave)
        self.stream.sink = self.sink

    def spawn(self, task: object, *args: object) -> None:
        assert self.nursery is not None
        self.tasks += 1
        self.nursery.start_soon(task, *args)  # type: ignore[arg-type]

    def leave(self) -> None:
        self.left += 1


def test_messages_are_handed_over_as_they_come() -> None:
    rig = Rig()
    data = frame(b"one") + frame(b"two") + frame(b"three")
    assert not rig.sink.patient, "a stream that was never used"
    for byte in data:
        rig.sink.received(bytes((byte,)))
    assert rig.receiver.got == [b"one", b"two", b"three"]
    assert rig.sink.patient
    assert rig.held.total == 0
    rig.stream.end()
    assert (rig.stream.over, rig.left) == (True, 1)


def test_a_cut_frame_is_not_waited_for() -> None:
    rig = Rig()
    rig.sink.received(frame(b"one") + frame(b"two")[:2])
    assert not rig.sink.patient
    assert rig.held.total == 2
    rig.stream.end()
    assert rig.receiver.got == [b"one"]
    assert (rig.held.total, rig.left) == (0, 1)


@pytest.mark.parametrize("data", [varint(FRAME_BYTES_MAX + 1), b"\xff" * 9, b"\x80" * 6])
def test_a_stream_that_is_none_is_reset(data: bytes) -> None:
    rig = Rig()
    rig.sink.received(frame(b"one") + data)
    assert rig.receiver.got == [b"one"]
    assert (rig.stream.over, rig.left, rig.held.total) == (True, 1, 0)


def test_what_is_held_for_one_peer_is_bounded() -> None:
    rig = Rig()
    rig.held.change("sender", 0, HELD_BYTES_PER_PEER_MAX)
    rig.sink.received(varint(FRAME_BYTES_MAX) + bytes(HELD_BYTES_FREE - 10))
    assert not rig.stream.over
    rig.sink.received(bytes(20))
    assert rig.stream.over
    assert rig.held.total == HELD_BYTES_PER_PEER_MAX


def test_a_peer_without_room_is_waited_for_and_the_window_stays_shut() -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            rig = Rig(nursery)
            rig.receiver.room = False
            rig.sink.received(frame(b"one") + frame(b"two"))
            rig.sink.received(frame(bytes(WINDOW_BYTES // 2)))
            await trio.testing.wait_all_tasks_blocked()
            assert (rig.receiver.got, rig.tasks, rig.stream._taken) == ([], 1, 0)
            assert rig.sink.patient
            rig.stream.end()
            assert not rig.stream.finished, "our side ends when all was handed over"
            rig.receiver.gate.set()
        assert rig.receiver.got == [b"one", b"two", bytes(WINDOW_BYTES // 2)]
        assert (rig.stream.over, rig.left, rig.held.total, rig.tasks) == (True, 1, 0, 1)

    trio.run(main)


def test_what_came_complete_counts_although_the_connection_breaks() -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            rig = Rig(nursery)
            rig.receiver.room = False
            rig.sink.received(frame(b"one") + frame(b"two") + b"\x05cut")
            await trio.testing.wait_all_tasks_blocked()
            rig.muxer.close("gone")
            rig.receiver.gate.set()
        assert rig.receiver.got == [b"one", b"two"]
        assert (rig.left, rig.held.total) == (1, 0)

    trio.run(main)


def test_garbage_while_it_waits() -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            rig = Rig(nursery)
            rig.receiver.room = False
            rig.sink.received(frame(b"one"))
            rig.sink.received(b"\xff" * 9)
            await trio.testing.wait_all_tasks_blocked()
            rig.receiver.gate.set()
        assert rig.receiver.got == [b"one"]
        assert (rig.stream.over, rig.left, rig.held.total) == (True, 1, 0)

    trio.run(main)
