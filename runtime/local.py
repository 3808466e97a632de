"""Networks inside this process: one relay, a client, and as many further peers as wished.

Each peer is a whole peer with keys of its own; nothing is shared but the process. Keys follow from the peers' names, so
the same network has the same peer ids every time.
Errors: as `runtime.peer`.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runtime.client.client import Client
from runtime.client.invocation import DEFAULT_TTL_MS
from runtime.config import PeerConfig
from runtime.core.peer_core import ClientPolicy
from runtime.inprocess import Fabric, address_of
from runtime.kademlia import Kademlia
from runtime.peer import Peer
from runtime.protocol.identity import Identity, named_identity
from runtime.services.client import ClientServices
from runtime.services.host import host_services

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from runtime.clock import Clock
    from runtime.core.particle import Particle
    from runtime.vm import Vm

CLIENT: Final = "client"
RELAY: Final = "relay"


def peer_names(extra: int) -> tuple[str, ...]:
    """Names of the hosts: the relay, then `peer1`, `peer2`, …."""
    return (RELAY, *(f"peer{number}" for number in range(1, extra + 1)))


def peer_ids(extra: int, client: Identity | None = None) -> dict[str, str]:
    """Peer id by name, the client included."""
    identities = {CLIENT: client or named_identity(CLIENT)} | {name: named_identity(name) for name in peer_names(extra)}
    return {name: identity.peer_id for name, identity in identities.items()}


@dataclass(slots=True)
class LocalNetwork:
    """A running network. `unreachable` collects peers to which a message could not be delivered."""

    fabric: Fabric
    client: Client
    hosts: dict[str, Peer]
    unreachable: dict[str, None] = field(default_factory=dict)
    on_quiet: list[Callable[[], None]] = field(default_factory=list)

    @property
    def peers(self) -> tuple[Peer, ...]:
        """Every peer, the client first."""
        return (self.client.peer, *self.hosts.values())

    @property
    def is_quiet(self) -> bool:
        """Whether no message is on its way and no peer has anything to do: nothing more will ever happen by itself."""
        return self.fabric.in_flight == 0 and all(peer.is_idle for peer in self.peers)

    def watch(self) -> None:
        """Call `on_quiet` listeners whenever the network has become quiet."""

        def changed() -> None:
            if self.on_quiet and self.is_quiet:
                for listener in self.on_quiet:
                    listener()

        def missed(target: str, _: Particle) -> None:
            self.unreachable[target] = None

        self.fabric.on_change.append(changed)
        for peer in self.peers:
            peer.on_change.append(changed)
            peer.on_unreachable.append(missed)


@asynccontextmanager
async def open_local_network(
    *,
    extra: int,
    vm: Vm,
    clock: Clock,
    console: Callable[[str], None],
    client: Identity | None = None,
    ttl_ms: int = DEFAULT_TTL_MS,
) -> AsyncIterator[LocalNetwork]:
    """Run a relay, `extra` further peers and a client connected to the relay, for the length of the block."""
    fabric = Fabric()
    hosts: dict[str, Peer] = {}
    relay = named_identity(RELAY)
    for name in peer_names(extra):
        identity = named_identity(name)
        config = PeerConfig(
            identity,
            listen=("/memory/0",),
            bootstrap=() if name == RELAY else (address_of(relay.peer_id),),
        )
        network = fabric.endpoint(identity.peer_id)
        services_ = host_services(config, network, clock, kademlia=Kademlia(network, clock))
        hosts[name] = Peer(config, network, vm=vm, services=services_, clock=clock)
    identity = client or named_identity(CLIENT)
    services = ClientServices(identity, clock, console)
    peer = Peer(
        PeerConfig(identity),
        fabric.endpoint(identity.peer_id),
        vm=vm,
        services=services,
        policy=ClientPolicy(relay.peer_id),
        clock=clock,
    )
    network_ = LocalNetwork(fabric, Client(peer, services, relay.peer_id, ttl_ms=ttl_ms), hosts)
    network_.watch()
    async with AsyncExitStack() as stack:
        for member in (*hosts.values(), peer):
            await stack.enter_async_context(member)
        await peer.network.dial(address_of(relay.peer_id))
        try:
            yield network_
        finally:
            network_.client.close()
