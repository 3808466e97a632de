"""Connections over loopback: limits that cost the one who exceeds them, slow readers, silence, goodbyes.

Time is the tick of the connections, set by the tests.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from runtime.network import DialFailed
from runtime.protocol import connections as module
from runtime.protocol.addresses import Address
from runtime.protocol.connections import Connection, Connections
from runtime.protocol.identity import Identity, named_identity
from runtime.protocol.limits import (
    CONNECTIONS_PER_PEER_MAX,
    HANDSHAKE_SECONDS,
    OUTPUT_BYTES_HIGH,
    PING_SECONDS,
    STALL_SECONDS,
    WINDOW_BYTES,
)
from runtime.protocol.streams import ByteStream, OutStream
from runtime.protocol.wire.noise import StaticKey
from runtime.protocol.wire.session import Session
from runtime.protocol.wire.yamux import BrokenStream, Stream

ECHO = "/echo/1"
SINK = "/sink/1"
SECONDS = 20.0


class Host:
    """Answers on `/echo/1` what it is told, and reads nothing of `/sink/1`."""

    def __init__(self, name: str, identity: Identity | None = None) -> None:
        self.connections = Connections(identity or named_identity(name), self)
        self.open: list[Connection] = []
        self.lost: list[str] = []
        self.changed = trio.Event()

    def connected(self, connection: Connection) -> None:
        self.open.append(connection)
        self.note()

    def disconnected(self, connection: Connection) -> None:
        self.open.remove(connection)
        self.lost.append(str(connection.reason))
        self.note()

    def note(self) -> None:
        self.changed.set()
        self.changed = trio.Event()

    async def until(self, condition: Callable[[], Any]) -> None:
        while not condition():
            await self.changed.wait()

    def accept(self, connection: Connection, stream: Stream, protocol: str) -> ByteStream | None:
        if protocol == ECHO:
            served = ByteStream(stream)
            self.connections.spawn(self.echo, served)
            return served
        return ByteStream(stream) if protocol == SINK else None

    async def echo(self, stream: ByteStream) -> None:
        try:
            while data := await stream.read():
                await stream.write(data)
            stream.finish()
        except BrokenStream:
            pass


@asynccontextmanager
async def hosts(*names: str) -> AsyncIterator[list[Host]]:
    made = [Host(name) for name in names]
    async with trio.open_nursery() as nursery:
        for host in made:
            await nursery.start(lambda task_status, h=host: h.connections.run(task_status=task_status))
        yield made
        nursery.cancel_scope.cancel()


def check(body: Callable[[], Any]) -> None:
    """Run a test that has to end."""

    async def limited() -> None:
        with trio.fail_after(SECONDS):
            await body()

    trio.run(limited)


def listen(host: Host, transport: str = "tcp", kind: str = "ip4", name: str = "127.0.0.1") -> Address:
    place = host.connections.listen(Address(kind, name, 0, transport))
    return Address(kind, name, place.port, transport, host.connections.identity.peer_id)


def opened(connection: Connection, protocol: str) -> ByteStream:
    stream = ByteStream()
    stream.stream = connection.session.open_stream(protocol, stream)
    return stream


async def is_served(connection: Connection) -> bool:
    stream = opened(connection, ECHO)
    await stream.write(b"hello")
    stream.finish()
    answer = b""
    while data := await stream.read():
        answer += data
    return answer == b"hello"


def raw(address: Address) -> socket.socket:
    return socket.create_connection((address.host, address.port))


async def is_closed(sock: socket.socket) -> bool:
    """Whether the other side ends the connection; waits for it."""
    sock.setblocking(False)
    while True:
        await trio.lowlevel.wait_readable(sock)
        try:
            if not sock.recv(65_536):
                return True
        except BlockingIOError:
            continue
        except ConnectionResetError:
            return True


@pytest.mark.parametrize("transport", ["tcp", "ws"])
@pytest.mark.parametrize(("kind", "name"), [("ip4", "127.0.0.1"), ("ip6", "::1")])
def test_both_sides_are_served(transport: str, kind: str, name: str) -> None:
    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            try:
                address = listen(a, transport, kind, name)
            except DialFailed:
                pytest.skip("no IPv6 here")
            connection = await b.connections.dial(address)
            await a.until(lambda: a.open)
            assert await is_served(connection)
            assert await is_served(a.open[0])
            assert a.connections.peers() == (b.connections.identity.peer_id,)

    check(body)


def test_names_are_looked_up() -> None:
    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            address = listen(a)
            connection = await b.connections.dial(Address("dns4", "localhost", address.port, "tcp", address.peer_id))
            assert await is_served(connection)

    check(body)


def test_large_answers_pass_both_ways_at_once() -> None:
    """More than sockets and windows hold: whoever waits for room still reads."""

    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            connection = await b.connections.dial(listen(a))
            size = 40 * WINDOW_BYTES
            streams = [opened(connection, ECHO) for _ in range(3)]
            got = [0, 0, 0]

            async def write(stream: ByteStream) -> None:
                await stream.write(bytes(size))
                stream.finish()

            async def read(number: int) -> None:
                while data := await streams[number].read():
                    got[number] += len(data)

            async with trio.open_nursery() as nursery:
                for number, stream in enumerate(streams):
                    nursery.start_soon(write, stream)
                    nursery.start_soon(read, number)
            assert got == [size] * 3

    check(body)


def test_a_goodbye_is_told_with_its_reason() -> None:
    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            connection = await b.connections.dial(listen(a))
            await a.until(lambda: a.open)
            stream = opened(connection, ECHO)
            connection.close("that is all")
            await b.until(lambda: b.lost)
            assert b.lost == ["that is all"]
            with pytest.raises(BrokenStream, match="that is all"):
                await stream.read()
            await a.until(lambda: a.lost)
            assert a.lost == ["closed by the other side"]
            assert len(a.connections) == len(b.connections) == 0

    check(body)


def test_the_end_of_a_host_ends_its_connections() -> None:
    async def body() -> None:
        async with hosts("b") as (b,):
            async with hosts("a") as (a,):
                await b.connections.dial(listen(a))
                await a.until(lambda: a.open)
            await b.until(lambda: b.lost)

    check(body)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n", b"\x13/multistream/1.0.0\n"])
def test_who_does_not_shake_hands_is_not_waited_for(sent: bytes) -> None:
    async def body() -> None:
        async with hosts("a") as (a,):
            sock = raw(listen(a))
            sock.sendall(sent)
            while not a.connections._all:
                await trio.lowlevel.checkpoint()
            connection = next(iter(a.connections._all))
            a.connections.tick = round(HANDSHAKE_SECONDS / module.TICK_SECONDS)
            connection.sweep()
            assert connection.reason is None
            a.connections.tick += 1
            connection.sweep()
            assert await is_closed(sock)
            assert connection.reason == "no handshake in time" or b"GET" in sent
            sock.close()

    check(body)


def test_one_handshake_too_many_costs_the_oldest_of_the_busiest_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HANDSHAKES_MAX", 3)

    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            address = listen(a)
            idle = []
            for number in range(3):
                idle.append(raw(address))
                while len(a.connections._shaking) <= number:
                    await trio.lowlevel.checkpoint()
            assert await is_served(await b.connections.dial(address)), "others still get in"
            assert await is_closed(idle[0])
            assert len(a.connections._shaking) == 2
            for sock in idle:
                sock.close()

    check(body)


def test_a_full_peer_refuses_the_address_that_fills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 2 of the hazards: a limit refuses one connection, never everybody, and not for longer than it is reached."""
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 3)

    async def body() -> None:
        async with hosts("a", "b", "c", "d", "e") as (a, *others):
            address = listen(a)
            connections = [await other.connections.dial(address) for other in others[:3]]
            with pytest.raises(DialFailed):
                await others[3].connections.dial(address)
            assert all([await is_served(connection) for connection in connections])
            connections[0].close("done")
            await a.until(lambda: len(a.open) == 2)
            assert await is_served(await others[3].connections.dial(address))

    check(body)


def test_a_full_peer_makes_place_for_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 3)

    async def body() -> None:
        async with hosts("a", "b", "c", "d") as (a, *others):
            address = listen(a)
            for other in others:
                await other.connections.dial(address)
            await a.until(lambda: len(a.open) == 3)
            for number, connection in enumerate(a.open):
                connection.session.muxer.heard = number
            assert a.connections._make_place("10.0.0.1")
            await a.until(lambda: a.lost)
            assert a.lost == ["its address has most connections, and another needs one"]
            assert a.connections.peers() == tuple(other.connections.identity.peer_id for other in others[1:])

    check(body)


def test_ipv6_addresses_of_one_network_count_as_one() -> None:
    assert module._group("2001:db8:1:2::1") == module._group("2001:db8:1:2:ffff::9")
    assert module._group("2001:db8:1:2::1") != module._group("2001:db8:1:3::1")
    assert module._group("fe80::1%eth0") == module._group("fe80::2")
    assert module._group("1.2.3.4") == "1.2.3.4"


def test_a_peer_has_a_few_connections_and_loses_the_oldest() -> None:
    async def body() -> None:
        async with hosts("a", *"b" * (CONNECTIONS_PER_PEER_MAX + 1)) as (a, *others):
            address = listen(a)
            connections = [await other.connections.dial(address) for other in others]
            await others[0].until(lambda: others[0].lost)
            await a.until(lambda: len(a.open) == CONNECTIONS_PER_PEER_MAX)
            assert [c.reason is None for c in connections] == [False] + [True] * CONNECTIONS_PER_PEER_MAX
            newest = a.connections.newest(named_identity("b").peer_id)
            assert newest is a.open[-1]
            newest.close("the newest dies")
            assert a.connections.newest(named_identity("b").peer_id) is a.open[-2]

    check(body)


def test_nobody_connects_to_itself() -> None:
    async def body() -> None:
        async with hosts("a", "a") as (a, twin):
            with pytest.raises(DialFailed):
                await twin.connections.dial(listen(a))

    check(body)


def test_somebody_else_answers() -> None:
    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            address = listen(a)
            other = Address("ip4", "127.0.0.1", address.port, "tcp", named_identity("c").peer_id)
            with pytest.raises(DialFailed, match="answers there, not"):
                await b.connections.dial(other)
            with pytest.raises(DialFailed, match="refused"):
                await b.connections.dial(Address("ip4", "127.0.0.1", 1, "tcp", address.peer_id))
            assert len(b.connections) == 0

    check(body)


class Unread:
    """The owner of a session that a test drives by hand."""

    def opened(self) -> None: ...

    def woken(self) -> None: ...

    def accept(self, stream: Stream, protocol: str) -> ByteStream:
        return ByteStream(stream)


async def shaken_hands(address: Address) -> tuple[socket.socket, Session]:
    """A connection of which nothing more is read."""
    sock = raw(address)
    sock.setblocking(False)
    session = Session(Unread(), StaticKey(named_identity("slow")), initiator=True)
    while not session.is_open:
        sock.sendall(session.take())
        await trio.lowlevel.wait_readable(sock)
        session.feed(sock.recv(65_536))
    return sock, session


def test_who_takes_nothing_is_let_go_and_others_do_not_wait() -> None:
    """A slow reader that allows everything: what waits for it is bounded, and in the end the connection is closed."""

    async def body() -> None:
        async with hosts("a", "c") as (a, c):
            address = listen(a)
            sock, _ = await shaken_hands(address)
            await a.until(lambda: a.open)
            slow = a.open[0]
            out = OutStream()
            out.stream = slow.session.open_stream(SINK, out)
            out.stream.window_out = 1 << 30
            ended: list[str] = []

            async def flood() -> None:
                try:
                    while True:
                        await out.send(bytes(100_000))
                except BrokenStream as error:
                    ended.append(str(error))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(flood)
                while slow._unsent is None or not out.stream.waiting:
                    await trio.lowlevel.checkpoint()
                held = len(slow._unsent) + slow.session.muxer.out_bytes + out.stream.waiting
                assert held < 3 * OUTPUT_BYTES_HIGH
                assert await is_served(await c.connections.dial(address)), "others do not wait"
                a.connections.tick = slow.session.muxer.heard = 1 + round(STALL_SECONDS / module.TICK_SECONDS)
                slow.sweep()
            assert ended == ["the other side takes nothing of what is written to it"]
            sock.close()

    check(body)


def test_a_stalled_connection_is_closed() -> None:
    async def body() -> None:
        async with hosts("a") as (a,):
            sock = raw(listen(a))
            while not a.connections._all:
                await trio.lowlevel.checkpoint()
            connection = next(iter(a.connections._all))
            connection.session.is_open = True
            connection._unsent = memoryview(b"x")
            last = round(STALL_SECONDS / module.TICK_SECONDS)
            a.connections.tick = connection.session.muxer.heard = last
            connection.sweep()
            assert connection.reason is None
            a.connections.tick = connection.session.muxer.heard = last + 1
            connection.sweep()
            assert connection.reason == "the other side takes nothing of what is written to it"
            assert await is_closed(sock)
            sock.close()

    check(body)


def test_silence_is_asked_about_and_then_ended() -> None:
    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            ours = await b.connections.dial(listen(a))
            await a.until(lambda: a.open)
            theirs = a.open[0]
            period = round(PING_SECONDS / module.TICK_SECONDS)
            a.connections.tick = period
            theirs.sweep()
            while theirs.heard != period:
                await trio.lowlevel.checkpoint()  # b answers
            assert await is_served(ours)
            a.connections.tick = 3 * period + 1
            theirs.sweep()
            assert theirs.reason == "no sign of life"

    check(body)


def test_one_who_makes_us_answer_and_takes_no_answer_is_not_read() -> None:
    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            connection = await b.connections.dial(listen(a))
            await a.until(lambda: a.open)
            theirs = a.open[0]
            theirs._unsent = memoryview(bytes(module.READ_PAUSE_BYTES + 1))
            connection.session.muxer.ping()
            while theirs._has_room is None:
                await trio.lowlevel.checkpoint()
            theirs._unsent = None
            theirs.flush()
            assert await is_served(connection)

    check(body)


def test_the_system_has_no_more_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection less, not one listener less."""
    accept = socket.socket.accept
    failures = [errno.EMFILE, errno.ENOBUFS, errno.ECONNABORTED]

    def failing(self: socket.socket) -> Any:
        if failures:
            number = failures.pop(0)
            raise OSError(number, os.strerror(number))
        return accept(self)

    monkeypatch.setattr(module, "ACCEPT_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(socket.socket, "accept", failing)

    async def body() -> None:
        async with hosts("a", "b") as (a, b):
            assert await is_served(await b.connections.dial(listen(a)))
            assert not failures

    check(body)


def test_a_mistake_of_ours_costs_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with hosts("a", "b", "c") as (a, b, c):
            address = listen(a)
            good = await c.connections.dial(address)
            connection = await b.connections.dial(address)
            await a.until(lambda: len(a.open) == 2)
            a.open[1].session.feed = lambda _: 1 / 0  # type: ignore[method-assign]
            connection.session.muxer.ping()
            await a.until(lambda: a.lost)
            assert "ZeroDivisionError" in a.lost[0]
            assert await is_served(good)
            a.open[0].flush = lambda: 1 / 0  # type: ignore[method-assign]
            a.connections._guarded(a.open[0], lambda c: c.flush())
            await a.until(lambda: len(a.lost) == 2)
            assert await is_served(await b.connections.dial(address))

    check(body)
    assert "failed" in caplog.text


def test_a_port_that_is_taken() -> None:
    async def body() -> None:
        async with hosts("a") as (a,):
            address = listen(a)
            with pytest.raises(DialFailed, match="cannot listen at"):
                a.connections.listen(Address("ip4", "127.0.0.1", address.port, "tcp"))

    check(body)
