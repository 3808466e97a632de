"""Streams as programs use them: waiting, ends, and what breaks."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from runtime.protocol.limits import WINDOW_BYTES
from runtime.protocol.streams import ByteStream, OutStream
from runtime.protocol.wire.yamux import ACK, FIN, RST, WINDOW_UPDATE, BrokenStream, Muxer


def check(main) -> None:
    """Run with simulated time."""
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def opened(kind: type[ByteStream] | type[OutStream]):
    """A stream of a muxer whose other side is the test."""
    muxer = Muxer(initiator=True, accept=lambda _: False, woken=lambda: None)
    sink = kind()
    sink.stream = muxer.open(sink)
    return muxer, sink


def grant(muxer: Muxer, more: int) -> None:
    while muxer.take():
        """Everything leaves."""
    muxer.feed(_head(1, ACK, more))
    while muxer.take():
        """Everything leaves."""


def _head(kind: int, flags: int, length: int) -> bytes:
    return bytes((0, kind)) + flags.to_bytes(2, "big") + (1).to_bytes(4, "big") + length.to_bytes(4, "big")


def test_data_then_the_end() -> None:
    async def main() -> None:
        muxer, stream = opened(ByteStream)
        muxer.feed(_head(0, ACK, 5) + b"hello" + _head(0, FIN, 0))
        assert await stream.read(2) == b"he"
        assert await stream.read() == b"llo"
        assert await stream.read() == b""
        assert await stream.read() == b""

    check(main)


def test_a_reset_is_no_end() -> None:
    """Row 12 of the hazards."""

    async def main() -> None:
        muxer, stream = opened(ByteStream)
        muxer.feed(_head(0, ACK, 5) + b"hello" + _head(WINDOW_UPDATE, RST, 0))
        assert await stream.read() == b"hello"
        with pytest.raises(BrokenStream, match="reset by the other side"):
            await stream.read()
        with pytest.raises(BrokenStream):
            await stream.write(b"x")

    check(main)


def test_a_writer_waits_for_window_as_long_as_it_takes() -> None:
    """Row 7 of the hazards: no time-out of the stream's own, no polling."""

    async def main() -> None:
        muxer, stream = opened(ByteStream)
        done: list[float] = []

        async def write() -> None:
            await stream.write(bytes(WINDOW_BYTES + 1))
            done.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            start = trio.current_time()
            await trio.sleep(3600)
            grant(muxer, 0)
            assert not done
            grant(muxer, 1)
        assert done == [start + 3600]

    check(main)


def test_messages_of_several_tasks_leave_one_after_the_other() -> None:
    async def main() -> None:
        muxer, out = opened(OutStream)
        out.stream.window_out = 10
        async with trio.open_nursery() as nursery:
            for letter in b"abc":
                nursery.start_soon(out.send, bytes((letter,)) * 6)
            await trio.testing.wait_all_tasks_blocked()
            assert not out.send_now(b"x"), "somebody waits"
            grant(muxer, 100)
            await trio.testing.wait_all_tasks_blocked()
        assert out.send_now(b"x")
        assert not out.send_now(bytes(WINDOW_BYTES))

    check(main)


def test_a_message_given_up_half_sent_takes_the_stream_with_it() -> None:
    async def main() -> None:
        _, out = opened(OutStream)
        out.stream.window_out = 10
        with trio.move_on_after(1) as scope:
            await out.send(bytes(11))
        assert scope.cancelled_caught
        assert not out.is_usable

    check(main)


def test_a_message_given_up_before_its_turn_takes_nothing_with_it() -> None:
    async def main() -> None:
        muxer, out = opened(OutStream)
        out.stream.window_out = 10
        async with trio.open_nursery() as nursery:
            nursery.start_soon(out.send, bytes(11))
            await trio.testing.wait_all_tasks_blocked()
            with trio.move_on_after(1):
                await out.send(b"late")
            assert out.is_usable
            grant(muxer, 1)

    check(main)


def test_who_sends_is_told_that_it_broke() -> None:
    async def main() -> None:
        muxer, out = opened(OutStream)
        out.stream.window_out = 0
        async with trio.open_nursery() as nursery:

            async def send() -> None:
                with pytest.raises(BrokenStream, match="gone"):
                    await out.send(b"x")

            nursery.start_soon(send)
            await trio.testing.wait_all_tasks_blocked()
            muxer.close("gone")
        assert not out.is_usable

    check(main)
