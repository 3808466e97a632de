"""Finding strangers: a chain of peers over libp2p in which each knows only the one before, and the bans of dead targets."""

from __future__ import annotations

import pytest
import trio

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

    network.rpc = rpc  # type: ignore[method-assign]
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
