"""Finding strangers: a chain of peers over libp2p in which each knows only the one before, and the bans of dead targets."""

from __future__ import annotations

import pytest
import trio

from runtime.core.kademlia import FindNode, encode
from runtime.inprocess import Fabric
from runtime.kademlia import BAN_MS, FAILS_MAX, Kademlia
from runtime.network import Contact, Unreachable
from runtime.protocol.identity import named_identity


class Clock:
    now = 0

    def now_ms(self) -> int:
        return self.now

    async def sleep_until_ms(self, at_ms: int) -> None:
        raise AssertionError


class Receiver:
    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []

    def offer(self, sender: str, message: bytes) -> bool:
        return False

    async def on_message(self, sender: str, message: bytes) -> None:
        self.got.append((sender, message))

    def on_connected(self, contact: Contact) -> None:
        """Not looked at."""

    def on_disconnected(self, peer_id: str) -> None:
        """Not looked at."""


def test_a_dead_target_is_banned_and_hearing_of_it_lifts_the_ban() -> None:
    clock = Clock()
    fabric = Fabric()
    network = fabric.endpoint(named_identity("a").peer_id)
    kademlia = Kademlia(network, clock)
    asked: list[str] = []

    async def rpc(peer_id: str, protocol: str, payload: bytes) -> bytes:
        asked.append(peer_id)
        raise Unreachable("nobody there")

    async def dial(address: str) -> str:
        return address.rpartition("/p2p/")[2]

    network.rpc = rpc  # type: ignore[method-assign]
    network.dial = dial  # type: ignore[method-assign]
    neighbour, target = named_identity("b").peer_id, named_identity("dead").peer_id

    async def find() -> tuple[str, ...]:
        kademlia.identified(Contact(neighbour, ("/memory/0",)), [kademlia.protocol])
        return await kademlia.find(target)

    async def body() -> None:
        for expected in range(1, FAILS_MAX + 1):
            assert await find() == ()
            assert len(asked) == expected
        assert await find() == ()
        assert len(asked) == FAILS_MAX, "banned: nobody is asked"
        clock.now += BAN_MS
        assert await find() == ()
        assert len(asked) == FAILS_MAX + 1, "the ban is over"
        for _ in range(FAILS_MAX):
            await find()
        kademlia.identified(Contact(target, ("/memory/7",)), [kademlia.protocol])
        assert await kademlia.find(target) == ("/memory/7",)

    trio.run(body)


def test_a_connected_peer_that_does_not_answer_stays_in_the_table() -> None:
    """It would come back only with a new connection: nobody would be near anything in a network of two."""
    network = Fabric().endpoint(named_identity("a").peer_id)
    kademlia = Kademlia(network, Clock())
    connected, gone = named_identity("b").peer_id, named_identity("c").peer_id

    async def rpc(peer_id: str, protocol: str, payload: bytes) -> bytes:
        raise Unreachable("too slow")

    network.rpc = rpc  # type: ignore[method-assign]
    network.peers = lambda: (connected,)  # type: ignore[method-assign]
    for peer_id in (connected, gone):
        kademlia.identified(Contact(peer_id, ("/memory/0",)), [kademlia.protocol])
    trio.run(kademlia.bootstrap)
    assert [contact.peer_id for contact in kademlia.neighborhood(b"", 20)] == [connected]


def test_an_address_at_which_a_peer_was_not_reached_is_no_answer() -> None:
    """Neither that of the table nor the one everybody still tells; whoever knows better is listened to."""
    fabric = Fabric()
    network = fabric.endpoint(named_identity("a").peer_id)
    kademlia = Kademlia(network, Clock())
    target = named_identity("moved").peer_id
    answers = {
        named_identity(name).peer_id: place
        for name, place in (("b", "/ip4/1.1.1.1/tcp/1"), ("c", "/ip4/2.2.2.2/tcp/2"))
    }

    async def rpc(peer_id: str, protocol: str, payload: bytes) -> bytes:
        return encode(FindNode(b"", (Contact(target, (answers[peer_id],)),)))

    async def dial(address: str) -> str:
        return address.rpartition("/p2p/")[2]

    network.rpc = rpc  # type: ignore[method-assign]
    network.dial = dial  # type: ignore[method-assign]
    kademlia.identified(Contact(target, ("/ip4/1.1.1.1/tcp/1",)), [kademlia.protocol])
    for neighbour in answers:
        kademlia.identified(Contact(neighbour, ("/ip4/9.9.9.9/tcp/9",)), [kademlia.protocol])

    async def body() -> None:
        assert await kademlia.find(target) == ("/ip4/1.1.1.1/tcp/1",)
        assert await kademlia.find(target, frozenset(["/ip4/1.1.1.1/tcp/1"])) == ("/ip4/2.2.2.2/tcp/2",)
        assert kademlia.table.get(target) is None

    trio.run(body)


@pytest.mark.p2p
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_strangers_are_found_along_a_chain_over_libp2p() -> None:
    pytest.importorskip("libp2p")
    from runtime.protocol.libp2p_host import Libp2pNetwork

    async def body() -> None:
        networks = [Libp2pNetwork(named_identity(f"chain {n}"), allow_local_addresses=True) for n in range(5)]
        receivers = [Receiver() for _ in networks]
        routing = [Kademlia(network, Clock()) for network in networks]
        listen = ["/ip4/127.0.0.1/tcp/0"]
        async with trio.open_nursery() as nursery:
            for position, network in enumerate(networks):
                receiver = receivers[position]
                await nursery.start(
                    lambda task_status, n=network, r=receiver: n.serve(r, listen, task_status=task_status)
                )
                if position:
                    before = networks[position - 1]
                    await network.dial(before.addresses[0])
                    for mine, other in ((routing[position], before), (routing[position - 1], network)):
                        while mine.table.get(other.peer_id) is None:
                            await trio.lowlevel.checkpoint()
            first, last = networks[0], networks[-1]
            assert routing[0].table.get(last.peer_id) is None
            await first.send(last.peer_id, b"hello stranger")
            while not receivers[-1].got:
                await trio.lowlevel.checkpoint()
            assert receivers[-1].got == [(first.peer_id, b"hello stranger")]
            nursery.cancel_scope.cancel()

    async def limited() -> None:
        with trio.fail_after(40):
            await body()

    trio.run(limited)


PEERS = 20


class Node:
    """A peer of the network below: sockets, routing, and what it received. Starting it again moves it to another port."""

    def __init__(self, number: int) -> None:
        from runtime.protocol.libp2p_host import Libp2pNetwork

        self.make = lambda: Libp2pNetwork(named_identity(f"node {number}"), allow_local_addresses=True)
        self.receiver = Receiver()
        self.scope = trio.CancelScope()
        self.over = trio.Event()

    async def start(self, nursery: trio.Nursery, bootstrap: Node | None) -> None:
        self.network = self.make()
        self.routing = Kademlia(self.network, Clock())
        self.scope, self.over = trio.CancelScope(), trio.Event()
        await nursery.start(self.live)
        if bootstrap is not None:
            await self.network.dial(bootstrap.network.addresses[0])
            for mine, other in ((self, bootstrap), (bootstrap, self)):
                while mine.routing.table.get(other.network.peer_id) is None:
                    await trio.lowlevel.checkpoint()

    async def live(self, *, task_status: trio.TaskStatus[tuple[str, ...]]) -> None:
        with self.scope:
            async with trio.open_nursery() as nursery:
                listen = ["/ip4/127.0.0.1/tcp/0"]
                started = await nursery.start(
                    lambda task_status: self.network.serve(self.receiver, listen, task_status=task_status)
                )
                nursery.start_soon(self.routing.run)
                task_status.started(started)
        self.over.set()

    async def stop(self) -> None:
        self.scope.cancel()
        await self.over.wait()


@pytest.mark.p2p
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_any_peer_is_reached_from_any_by_its_id_also_after_a_third_of_them_moved() -> None:
    """Twenty peers that know one of them at first; then seven end and come back at other ports."""
    pytest.importorskip("libp2p")

    async def reach_all(nodes: list[Node], text: bytes) -> None:
        for node in nodes:
            node.receiver.got.clear()
        for source in nodes:
            for target in nodes:
                if source is not target:
                    await source.network.send(target.network.peer_id, text)
        senders = {node.network.peer_id for node in nodes}
        for node in nodes:
            while len(node.receiver.got) < len(nodes) - 1:
                await trio.lowlevel.checkpoint()
            assert {sender for sender, _ in node.receiver.got} == senders - {node.network.peer_id}

    async def body() -> None:
        nodes = [Node(number) for number in range(PEERS)]
        async with trio.open_nursery() as nursery:
            for number, node in enumerate(nodes):
                await node.start(nursery, nodes[0] if number else None)
            await reach_all(nodes, b"first")
            moved = [*nodes[2::3], nodes[0]]
            for node in moved:
                await node.stop()
            for node in moved:
                await node.start(nursery, nodes[1])
            await reach_all(nodes, b"second")
            nursery.cancel_scope.cancel()

    async def limited() -> None:
        with trio.fail_after(120):
            await body()

    trio.run(limited)
