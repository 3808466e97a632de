"""`avm sim up`: several real peers in this process, each listening on this machine, whose messages may go wrong as a seed says.

Their keys follow from their names, as in `avm run --relay sim:N`, so a network has the same peer ids every time.
Errors: CommandError where libp2p is missing or an address cannot be listened at.
"""

from __future__ import annotations

import json
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trio

from aquac.command_line import INTERRUPTED, OK, CommandError
from avm import Avm
from avm.jit import library
from runtime.clock import SystemClock
from runtime.config import PeerConfig
from runtime.faulty import FaultyNetwork
from runtime.kademlia import Kademlia
from runtime.local import peer_names
from runtime.lone import lone
from runtime.network import DialFailed, Network
from runtime.peer import Peer
from runtime.protocol.identity import named_identity
from runtime.protocol.p2p import open_p2p
from runtime.services.host import host_services
from runtime.sim.faults import Seeded
from runtime.vm import ThreadVm

if TYPE_CHECKING:
    from collections.abc import Sequence

DRAIN_SECONDS: Final = 5.0
CUTS_WITHIN_MS: Final = 60_000
"""Partitions begin within this time from the start."""


@dataclass(frozen=True, slots=True)
class LocalPeers:
    """What to start: `peers` peers at `ip`; `port`: websocket port of the first, 0 for any. kinds: faults of messages between them."""

    peers: int
    ip: str
    port: int
    seed: int
    kinds: frozenset[str]


def run_local_peers(what: LocalPeers) -> int:
    """Run them until SIGTERM or SIGINT; prints one line of JSON when all listen. The exit code."""
    names = peer_names(what.peers - 1)
    identities = [named_identity(name) for name in names]
    numbers = {identity.peer_id: number for number, identity in enumerate(identities)}
    fates = Seeded(what.seed, what.kinds, len(names), CUTS_WITHIN_MS)
    networks: list[Network] = [open_p2p("avm sim up", identity, allow_local_addresses=True) for identity in identities]
    if what.kinds:
        networks = [FaultyNetwork(network, fates, numbers) for network in networks]
    library.ready()
    try:
        with lone(DialFailed, OSError):
            return trio.run(_main, what, names, networks)
    except BrokenPipeError:  # nobody reads the line that says they are ready
        raise
    except (DialFailed, OSError) as error:
        raise CommandError(str(error)) from None


async def _main(what: LocalPeers, names: Sequence[str], networks: Sequence[Network]) -> int:
    clock = SystemClock()
    vm = ThreadVm(Avm)
    rows = []
    peers = []
    bootstrap: tuple[str, ...] = ()
    host = "ip6" if ":" in what.ip else "ip4"
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with AsyncExitStack() as stack:
            nursery = await stack.enter_async_context(trio.open_nursery())
            for number, (name, network) in enumerate(zip(names, networks, strict=True)):
                port = what.port + number if what.port else 0
                listen = (f"/{host}/{what.ip}/tcp/{port}", f"/{host}/{what.ip}/tcp/{port}/ws")  # one socket serves both
                config = PeerConfig(named_identity(name), listen=listen, bootstrap=bootstrap)
                kademlia = Kademlia(network, clock)
                services = host_services(config, network, clock, kademlia=kademlia)
                peer = await stack.enter_async_context(Peer(config, network, vm=vm, services=services, clock=clock))
                peers.append(peer)
                nursery.start_soon(kademlia.run)
                rows.append({"name": name, "peer_id": peer.peer_id, "listen": list(peer.addresses), "http": None})
                if not bootstrap:
                    bootstrap = tuple(address for address in peer.addresses if "/ws" not in address)
            print(json.dumps({"peers": rows}), flush=True)  # noqa: T201 - the one line that says it is ready
            received = await anext(signals)
            for peer in peers:
                await peer.drain(DRAIN_SECONDS)
            nursery.cancel_scope.cancel()
    return OK if received == signal.SIGTERM else INTERRUPTED
