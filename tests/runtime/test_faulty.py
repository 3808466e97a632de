"""The adapter that lets messages go wrong, over an in-process network under trio's mock clock."""

from __future__ import annotations

from collections import Counter

import trio
import trio.testing

from runtime.faulty import FaultyNetwork
from runtime.inprocess import Fabric, address_of
from runtime.network import Contact
from runtime.protocol.identity import named_identity
from runtime.sim.faults import Seeded, parse_kinds

ONE, OTHER, CLIENT = (named_identity(name).peer_id for name in ("one", "other", "client"))
NUMBERS = {ONE: 0, OTHER: 1}


class Heard:
    """Takes messages."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, bytes]] = []

    async def on_message(self, _: str, message: bytes) -> None:
        self.messages.append((round(trio.current_time() * 1000), message))

    def on_connected(self, contact: Contact) -> None:
        pass

    def on_disconnected(self, peer_id: str) -> None:
        pass


def heard(kinds: str, seed: int, *, target: str = OTHER, count: int = 40) -> list[tuple[int, bytes]]:
    """What arrives of `count` messages sent at once."""

    async def main() -> list[tuple[int, bytes]]:
        fabric = Fabric()
        fates = Seeded(seed, parse_kinds(kinds), 2, 1000)
        receiver = Heard()
        sender = FaultyNetwork(fabric.endpoint(ONE), fates, NUMBERS)
        async with trio.open_nursery() as nursery:
            await nursery.start(sender.serve, Heard(), ("/memory/0",))
            await nursery.start(fabric.endpoint(target).serve, receiver, ("/memory/0",))
            assert await sender.dial(address_of(target)) == target
            assert sender.peers() == (target,)
            for number in range(count):
                await sender.send(target, bytes((number,)))
            await trio.sleep(30)
            nursery.cancel_scope.cancel()
        return sorted(receiver.messages)  # tasks that wake at one time run in any order

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_nothing_goes_wrong() -> None:
    assert sorted(message for _, message in heard("none", 1)) == [bytes((n,)) for n in range(40)]


def test_messages_are_lost() -> None:
    assert 0 < len(heard("loss", 3)) < 40


def test_messages_come_several_times() -> None:
    counts = Counter(message for _, message in heard("duplicate", 1))
    assert len(counts) == 40
    assert max(counts.values()) > 1


def test_messages_are_late_and_overtake() -> None:
    arrived = heard("delay", 2)
    assert len(arrived) == 40
    assert [message for _, message in arrived] != [bytes((n,)) for n in range(40)]
    assert len({at_ms for at_ms, _ in arrived}) > 1


def test_the_seed_decides() -> None:
    assert heard("delay,loss,duplicate", 5) == heard("delay,loss,duplicate", 5)
    assert heard("delay,loss,duplicate", 5) != heard("delay,loss,duplicate", 6)


def test_clients_from_outside_are_spared() -> None:
    assert len(heard("loss,delay,duplicate", 3, target=CLIENT)) == 40
