"""The services of a host peer, put together.

Wasm services, modules, spells and workers register themselves on the result where a host has them; without
them their ids get the same "not found" answer as any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import array, cmp, debug, json, math, op, run_console
from .kad import KadService
from .peer import PeerService
from .protected import Rights
from .registry import Services
from .sig import SigService

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.clock import Clock
    from runtime.config import PeerConfig
    from runtime.kademlia import Kademlia
    from runtime.network import Network
    from runtime.protocol.identity import Identity


def add_pure_services(services: Services) -> None:
    """Add the services that need nothing but their arguments."""
    services.add("op", op.FUNCTIONS)
    services.add("math", math.FUNCTIONS)
    services.add("cmp", cmp.FUNCTIONS)
    services.add("array", array.FUNCTIONS)
    services.add("json", json.FUNCTIONS)
    services.add("debug", debug.FUNCTIONS)


def host_services(
    config: PeerConfig,
    network: Network,
    clock: Clock,
    *,
    identity_of: Callable[[str], Identity | None] | None = None,
    kademlia: Kademlia | None = None,
) -> Services:
    """All built-in services of a host.

    kademlia: its routing; without it `kad` is not there. identity_of: keys of the scopes that live here; the host alone by default.
    """
    services = Services()
    rights = Rights(config.identity.peer_id, config.management)
    add_pure_services(services)
    if kademlia is not None:
        services.add("kad", KadService(kademlia, network).functions())
    services.add("peer", PeerService(network, clock, rights).functions())
    services.add("sig", SigService(identity_of or {config.identity.peer_id: config.identity}.get, rights).functions())
    services.add("run-console", run_console.functions(rights))
    return services
