"""Networks in this process whose connections break when a test says so, under simulated time."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import trio
import trio.testing

from avm import Avm
from runtime.client.connecting import connect_over
from runtime.clock import LoopClock
from runtime.config import PeerConfig
from runtime.inprocess import Fabric, InProcessNetwork, address_of
from runtime.network import DialFailed, Unreachable
from runtime.peer import Peer
from runtime.protocol.identity import named_identity
from runtime.services.host import host_services
from runtime.vm import InlineVm

CLIENT = named_identity("client")


def run(main, *arguments):
    """Run a test under simulated time."""
    return trio.run(main, *arguments, clock=trio.testing.MockClock(autojump_threshold=0))


class Gate(InProcessNetwork):
    """The client's end.

    down: relays it cannot reach. losing: messages vanish as if the other side had gone without a word.
    delay_s: how long such a message takes to fail, or to seem to leave.
    """

    def __init__(self, fabric: Fabric, peer_id: str) -> None:
        super().__init__(fabric, peer_id)
        self.down: set[str] = set()
        self.losing = False
        self.delay_s = 0.0
        self.hanging = False
        self.dials: list[tuple[float, str]] = []
        self.probes: list[float] = []

    async def dial(self, address: str) -> str:
        peer_id = address.rpartition("/p2p/")[2]
        self.dials.append((trio.current_time(), peer_id))
        if self.hanging:
            await trio.sleep_forever()
        if peer_id in self.down:
            await trio.lowlevel.checkpoint()
            raise DialFailed("nobody there")
        return await super().dial(address)

    async def probe(self, peer_id: str, timeout_s: float) -> None:
        self.probes.append(trio.current_time())
        if self.losing:
            await trio.sleep(timeout_s)
            relay = self._fabric.find(peer_id)
            relay.disconnect(self.peer_id)
            self.disconnect(peer_id)
            raise Unreachable("no answer")
        await super().probe(peer_id, timeout_s)

    async def send(self, peer_id: str, message: bytes) -> None:
        if peer_id in self.down:
            await trio.sleep(self.delay_s)
            raise Unreachable("the line is dead")
        if self.losing:
            await trio.sleep(self.delay_s)
            return
        await super().send(peer_id, message)


@dataclass
class World:
    """Relays by name, and the gate of the client."""

    fabric: Fabric = field(default_factory=Fabric)
    relays: dict[str, Peer] = field(default_factory=dict)
    calls: list[object] = field(default_factory=list)
    gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        self.gate = Gate(self.fabric, CLIENT.peer_id)

    def id(self, name: str) -> str:
        return named_identity(name).peer_id

    def address(self, name: str) -> str:
        return address_of(self.id(name))

    @asynccontextmanager
    async def relay(self, name: str):
        """Run a relay; its service `count` notes what it is called with."""
        identity, clock = named_identity(name), LoopClock()
        config = PeerConfig(identity, listen=("/memory/0",))
        network = self.fabric.endpoint(identity.peer_id)
        services = host_services(config, network, clock)
        services.add("count", {"note": lambda values, _: self.calls.append(values[0]) or values[0]})
        async with Peer(config, network, vm=InlineVm(Avm("python")), services=services, clock=clock) as peer:
            self.relays[name] = peer
            yield peer

    def connect(self, *names: str, **options):
        """The client."""
        return connect_over(
            self.gate,
            [self.address(name) for name in names],
            identity=CLIENT,
            vm=InlineVm(Avm("python")),
            clock=LoopClock(),
            console=lambda line: None,
            random=Random(1),
            **options,
        )

    def cut(self, name: str) -> None:
        """Break the connection to a relay, and let it be unreachable."""
        self.gate.down.add(self.id(name))
        self.break_(name)

    def break_(self, name: str) -> None:
        """Break the connection; a new one can be made."""
        relay = self.fabric.find(self.id(name))
        if relay is not None:
            relay.disconnect(CLIENT.peer_id)
        self.gate.disconnect(self.id(name))

    def mend(self, name: str) -> None:
        """Let a relay be reachable again."""
        self.gate.down.discard(self.id(name))


def seq(*parts: str) -> str:
    return parts[0] if len(parts) == 1 else f"(seq {parts[0]} {seq(*parts[1:])})"


RELAY = '(call %init_peer_id% ("getDataSrv" "-relay-") [] relay)'
HOME = '(call %init_peer_id% ("callbackSrv" "response") [r])'


def at_relay(service: str, function: str, arguments: str) -> str:
    """A program: one call on the relay, whose result comes home."""
    return seq(RELAY, f'(call relay ("{service}" "{function}") [{arguments}] r)', HOME)


def later(milliseconds: int) -> str:
    """The same, which takes its time."""
    return at_relay("peer", "timeout", f'{milliseconds} "late"')
