"""The libp2p adapter over loopback: what the port promises, and that strangers cannot break a host."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio

pytest.importorskip("libp2p", reason="libp2p is not installed: pip install 'aquac[p2p]'")

from runtime.network import Contact, DialFailed, Unreachable
from runtime.protocol import connections, libp2p_host, libp2p_service
from runtime.protocol.identity import named_identity
from runtime.protocol.libp2p_host import PARTICLE_PROTOCOL, Libp2pNetwork, _open
from runtime.protocol.limits import DATA_FRAME_BYTES
from runtime.protocol.streams import ByteStream
from runtime.protocol.wire.yamux import BrokenStream

pytestmark = [pytest.mark.p2p, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Inbox:
    """A receiver that keeps what it gets and lets a test wait for it."""

    def __init__(self) -> None:
        self.send, self.messages = trio.open_memory_channel[tuple[str, bytes]](1000)
        self.events: list[tuple[str, str]] = []
        self.changed = trio.Condition()

    def offer(self, sender: str, message: bytes) -> bool:
        return False

    async def on_message(self, sender: str, message: bytes) -> None:
        await self.send.send((sender, message))

    def on_connected(self, contact: Contact) -> None:
        self.events.append(("connected", contact.peer_id))

    def on_disconnected(self, peer_id: str) -> None:
        self.events.append(("disconnected", peer_id))


@asynccontextmanager
async def host(name: str, *listen: str) -> AsyncIterator[tuple[Libp2pNetwork, Inbox]]:
    network, inbox = Libp2pNetwork(named_identity(name), allow_local_addresses=True), Inbox()
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda task_status: network.serve(inbox, listen, task_status=task_status))
        yield network, inbox
        nursery.cancel_scope.cancel()


def run(body) -> None:
    async def limited() -> None:
        with trio.fail_after(30):
            await body()

    trio.run(limited)


@pytest.mark.parametrize("transport", ["", "/ws"])
def test_messages_both_ways(transport: str) -> None:
    async def body() -> None:
        async with host("a", f"/ip4/127.0.0.1/tcp/0{transport}") as (a, to_a), host("b") as (b, to_b):
            assert await b.dial(a.addresses[0]) == a.peer_id
            for size in (0, 1, 70_000, 1_500_000):
                await b.send(a.peer_id, bytes(size))
                sender, message = await to_a.messages.receive()
                assert (sender, len(message)) == (b.peer_id, size)
            await a.send(b.peer_id, b"back")
            assert await to_b.messages.receive() == (a.peer_id, b"back")
            assert a.peers() == (b.peer_id,)
            assert to_a.events == [("connected", b.peer_id)]

    run(body)


def test_both_transports_at_once_and_addresses_name_the_peer() -> None:
    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/tcp/0/ws") as (a, to_a):
            assert len(a.addresses) == 2
            assert all(address.endswith(f"/p2p/{a.peer_id}") for address in a.addresses)
            for name, address in zip("bc", a.addresses, strict=True):
                async with host(name) as (other, _):
                    await other.dial(address)
                    await other.send(a.peer_id, name.encode())
                    assert await to_a.messages.receive() == (other.peer_id, name.encode())

    run(body)


@pytest.mark.parametrize("route", [True, False])
def test_an_address_of_every_interface_is_not_told(monkeypatch: pytest.MonkeyPatch, route: bool) -> None:
    """Whoever is told 0.0.0.0 dials itself."""
    if not route:
        refused = {"ip4": (socket.AF_INET, "255.255.255.255", "127.0.0.1")}
        monkeypatch.setattr(connections, "_OUTSIDE", refused)

    async def body() -> None:
        async with host("a", "/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/tcp/0/ws") as (a, _), host("b") as (b, _inbox):
            assert len(a.addresses) == 2
            assert not any("0.0.0.0" in address for address in a.addresses)
            assert route or all(address.startswith("/ip4/127.0.0.1/tcp/") for address in a.addresses)
            port = a.addresses[0].split("/")[4]
            assert await b.dial(f"/ip4/127.0.0.1/tcp/{port}/p2p/{a.peer_id}") == a.peer_id
            await identified(b, a.peer_id)
            told = {f"{address}/p2p/{a.peer_id}" for address in b._addresses_of(a.peer_id)}
            assert told >= {*a.addresses}
            assert not any("0.0.0.0" in address for address in told)

    run(body)


def test_unreachable_and_bad_addresses() -> None:
    async def body() -> None:
        stranger = named_identity("stranger").peer_id
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, _), host("b") as (b, _inbox):
            with pytest.raises(Unreachable, match="no address is known"):
                await b.send(stranger, b"x")
            for bad in ("", "garbage", "/ip4/127.0.0.1/tcp/1", "/ip4/999.0.0.1/tcp/1"):
                with pytest.raises(DialFailed):
                    await b.dial(bad)
            with pytest.raises(DialFailed, match="cannot connect"):
                await b.dial(f"/ip4/127.0.0.1/tcp/1/p2p/{stranger}")
            # somebody answers there, but it is not who was asked for
            with pytest.raises(DialFailed):
                await b.dial(a.addresses[0].replace(a.peer_id, stranger))
            for taken in (a.addresses[0].split("/p2p/")[0], "/ip4/127.0.0.1/udp/1", "/dns4/nowhere/tcp/1"):
                network = Libp2pNetwork(named_identity("c"), allow_local_addresses=True)
                with pytest.raises(DialFailed, match="cannot listen at"):
                    await network.serve(Inbox(), [taken])

    run(body)


def test_ways_to_a_receiver_are_counted() -> None:
    async def body() -> None:
        told: dict[str, tuple[str, ...]] = {}

        async def resolve(peer_id: str, stale: frozenset[str]) -> tuple[str, ...]:
            return tuple(address for address in told.get(peer_id, ()) if address not in stale)

        stranger = named_identity("stranger").peer_id
        async with host("b") as (b, _):
            b.resolve = resolve
            async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, _inbox):
                for outcome, addresses in (
                    ("KademliaNotFound", ()),
                    ("ConnectionFailed", (f"/ip4/127.0.0.1/tcp/1/p2p/{a.peer_id}",)),
                    ("Kademlia", a.addresses),
                    ("Local", ()),
                    ("Local", ()),
                ):
                    told[a.peer_id] = addresses
                    before = b.resolutions.copy()
                    with suppress(Unreachable):
                        await b.send(a.peer_id, b"x" * 100_000 * before["Local"])  # at once, then in pieces
                    assert b.resolutions - before == {outcome: 1}
            with pytest.raises(Unreachable):
                await b.send(stranger, b"x")
            assert b.resolutions == {"KademliaNotFound": 2, "ConnectionFailed": 1, "Kademlia": 1, "Local": 2}

    run(body)


def test_request_and_answer() -> None:
    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, _), host("b") as (b, _inbox):

            async def double(sender: str, payload: bytes) -> bytes:
                assert sender == b.peer_id
                return payload * 2

            a.handle("/test/double/1", double)
            await b.dial(a.addresses[0])
            assert await b.rpc(a.peer_id, "/test/double/1", b"ab") == b"abab"
            with pytest.raises(Unreachable):
                await b.rpc(a.peer_id, "/test/unknown/1", b"ab")

    run(body)


@pytest.mark.parametrize("garbage", [b"\xff" * 20, b"\xff\xff\xff\xff\x0f", b"\x05ab"])
def test_a_stranger_cannot_end_the_host(garbage: bytes) -> None:
    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, to_a), host("b") as (b, _inbox):
            await b.dial(a.addresses[0])
            await _open(b._running.newest(a.peer_id)).send(garbage, finish=True)
            await b.send(a.peer_id, b"still there")
            assert await to_a.messages.receive() == (b.peer_id, b"still there")

    run(body)


def test_an_address_that_failed_can_be_dialled_again_at_once() -> None:
    async def body() -> None:
        async with host("b") as (b, _inbox):
            async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, _):
                (address,) = a.addresses
            for _ in range(2):
                with pytest.raises(DialFailed, match="cannot connect to"):
                    await b.dial(address)
            async with host("a", address.partition("/p2p/")[0]) as (a, _):
                assert await b.dial(address) == a.peer_id

    run(body)


def test_a_probe_of_a_peer_that_answers_and_of_one_that_is_gone() -> None:
    async def body() -> None:
        async with host("b") as (b, _inbox):
            async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, _):
                await b.dial(a.addresses[0])
                for _ in range(3):
                    await b.probe(a.peer_id, 10)
                assert b.peers() == (a.peer_id,)
                with pytest.raises(Unreachable, match="no answer within 0 s"):
                    await b.probe(a.peer_id, 0)
                assert b.peers() == ()
            with pytest.raises(Unreachable, match="is not connected"):
                await b.probe(a.peer_id, 10)

    run(body)


def test_losing_the_connection_is_told() -> None:
    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, to_a):
            async with host("b") as (b, _inbox):
                await b.dial(a.addresses[0])
                await b.send(a.peer_id, b"x")
                await to_a.messages.receive()
            while ("disconnected", b.peer_id) not in to_a.events:
                await trio.lowlevel.checkpoint()
            assert a.peers() == ()
            with pytest.raises(Unreachable):
                await a.send(b.peer_id, b"y")

    run(body)


def counted(network: Libp2pNetwork) -> list[str]:
    """Protocols of the streams that the other sides open from now on."""
    seen: list[str] = []
    accept = network.accept

    def watched(connection, stream, protocol):
        seen.append(protocol)
        return accept(connection, stream, protocol)

    network.accept = watched
    return seen


async def identified(network: Libp2pNetwork, peer_id: str) -> None:
    """Wait until a connected peer has said who it is."""
    while True:
        connection = network._running.newest(peer_id)
        if connection is not None and network._links[connection].identified is not None:
            return
        await trio.lowlevel.checkpoint()


def test_who_reads_many_gets_one_stream_for_all_messages() -> None:
    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, to_a), host("b") as (b, _):
            await b.dial(a.addresses[0])
            await identified(a, b.peer_id)
            await identified(b, a.peer_id)
            seen = counted(a)
            for number in range(10):
                await b.send(a.peer_id, bytes((number,)))
                assert (await to_a.messages.receive())[1] == bytes((number,))
            assert seen == [PARTICLE_PROTOCOL]
            connection = b._running.newest(a.peer_id)
            assert connection is not None
            kept = b._links[connection].out
            assert kept is not None
            assert kept.stream is not None
            kept.stream.reset("broken")
            await b.send(a.peer_id, b"on another")
            assert (await to_a.messages.receive())[1] == b"on another"
            assert seen == [PARTICLE_PROTOCOL] * 2

    run(body)


def test_who_may_read_one_gets_a_stream_for_each_and_never_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libp2p_service, "AGENT", "another/1.0")
    monkeypatch.setattr(libp2p_host, "SINGLE_STREAMS_MAX", 3)
    monkeypatch.setattr(libp2p_host, "PARTICLE_STREAMS_MAX", 3)

    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, to_a), host("b") as (b, _):
            await b.dial(a.addresses[0])
            await identified(a, b.peer_id)
            await identified(b, a.peer_id)
            seen = counted(a)
            async with trio.open_nursery() as nursery:
                for number in range(20):
                    nursery.start_soon(b.send, a.peer_id, bytes((number,)))
            got = {(await to_a.messages.receive())[1] for _ in range(20)}
            assert got == {bytes((number,)) for number in range(20)}
            assert seen == [PARTICLE_PROTOCOL] * 20

    run(body)


@pytest.mark.parametrize("protocol", [PARTICLE_PROTOCOL, "/ipfs/ping/1.0.0"])
def test_one_stream_too_many_is_reset_and_the_connection_lives(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libp2p_host, "PARTICLE_STREAMS_MAX", 2)
    monkeypatch.setattr(libp2p_host, "SERVICE_STREAMS_MAX", 2)

    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, to_a), host("b") as (b, _):
            await b.dial(a.addresses[0])
            await identified(a, b.peer_id)
            await identified(b, a.peer_id)
            connection = b._running.newest(a.peer_id)
            assert connection is not None
            while a._links[a._running.of(b.peer_id)[0]].services:
                await trio.lowlevel.checkpoint()
            streams = []
            for _ in range(3):
                stream = ByteStream()
                stream.stream = connection.session.open_stream(protocol, stream)
                streams.append(stream)
            with pytest.raises(BrokenStream):
                await streams[2].read()
            streams[0].reset()
            if protocol == PARTICLE_PROTOCOL:
                await b.send(a.peer_id, b"still there")
                assert (await to_a.messages.receive())[1] == b"still there"
            assert b.peers() == (a.peer_id,)

    run(body)


def test_who_waits_for_the_same_peer_waits_for_one_dial() -> None:
    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, to_a), host("b") as (b, _):
            b._remember(a.peer_id, (a.addresses[0].partition("/p2p/")[0],))
            async with trio.open_nursery() as nursery:
                for number in range(10):
                    nursery.start_soon(b.send, a.peer_id, bytes((number,)))
            for _ in range(10):
                await to_a.messages.receive()
            assert len(b._running.of(a.peer_id)) == 1
            stranger = named_identity("stranger").peer_id
            failures: list[str] = []

            async def fail() -> None:
                try:
                    await b.send(stranger, b"x")
                except Unreachable as error:
                    failures.append(str(error))

            b._remember(stranger, ("/ip4/127.0.0.1/tcp/1",))
            async with trio.open_nursery() as nursery:
                for _ in range(5):
                    nursery.start_soon(fail)
            assert len(failures) == 5
            assert not b._dialing

    run(body)


def test_a_peer_is_reached_over_the_connection_that_lives() -> None:
    """Two connections of one peer id: a client came back before its old connection was known to be dead."""

    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, _), host("b") as (old, to_old), host("b") as (new, to_new):
            await old.dial(a.addresses[0])
            await new.dial(a.addresses[0])
            assert a.peers() == (new.peer_id,)
            while len(a._running.of(new.peer_id)) < 2:
                await trio.lowlevel.checkpoint()
            await a.send(new.peer_id, b"to the newest")
            assert (await to_new.messages.receive())[1] == b"to the newest"

            send, tried = a._send, []

            async def breaking(connection, message: bytes) -> None:
                tried.append(connection)
                if len(tried) == 1:
                    connection.close("dies while it is used")
                    raise BrokenStream("dies while it is used")
                await send(connection, message)

            a._send = breaking
            message = bytes(DATA_FRAME_BYTES)
            await a.send(new.peer_id, message)
            assert (await to_old.messages.receive())[1] == message
            assert len(tried) == 2
            tried.clear()
            with pytest.raises(Unreachable, match="dies while it is used"):  # there is no other
                await a.send(new.peer_id, message)

    run(body)
