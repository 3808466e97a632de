"""The services of a host peer, put together.

Wasm services with their modules, statistics and vaults are there where a host has them (`hosted`), workers and spells
where it has those (`spells`); without them their ids get the same "not found" answer as any other.
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

    from .hosted import HostedServices
    from .spell import Spells
    from .workers import Workers


def add_pure_services(services: Services) -> None:
    """Add the services that need nothing but their arguments."""
    services.add("op", op.FUNCTIONS, pure=True)
    services.add("math", math.FUNCTIONS, pure=True)
    services.add("cmp", cmp.FUNCTIONS, pure=True)
    services.add("array", array.FUNCTIONS, pure=True)
    services.add("json", json.FUNCTIONS, pure=True)
    services.add("debug", debug.FUNCTIONS, pure=True)


def host_services(
    config: PeerConfig,
    network: Network,
    clock: Clock,
    *,
    kademlia: Kademlia | None = None,
    hosted: HostedServices | None = None,
    workers: Workers | None = None,
    spells: Spells | None = None,
) -> Services:
    """All built-in services of a host.

    kademlia: its routing; without it `kad` is not there. hosted: its Wasm services, found after the built-in ones.
    workers: identities that live here beside the host. spells: its scripts; they need `hosted` and `workers`.
    """
    services = Services()
    binaries = () if hosted is None else hosted.config.effectors.programs()
    rights = Rights(config.identity.peer_id, config.management) if hosted is None else hosted.rights
    identity_of: Callable[[str], Identity | None] = {config.identity.peer_id: config.identity}.get
    if workers is not None:
        identity_of = workers.identity_of
    add_pure_services(services)
    if kademlia is not None:
        services.add("kad", KadService(kademlia, network).functions())
    services.add("peer", PeerService(network, clock, rights, binaries).functions())
    services.add("sig", SigService(identity_of, rights).functions())
    services.add("run-console", run_console.functions(rights))
    if hosted is not None:
        if spells is not None and workers is not None:
            from .worker import WorkerService

            worker = WorkerService(workers, hosted, spells)
            services.add("worker", worker.functions())
            services.add("vm", worker.vm_functions())
            spells.add_to(services)
        add_hosted(services, hosted)
    return services


def add_hosted(services: Services, hosted: HostedServices) -> None:
    """Add the services that manage Wasm services, and find those by id and alias."""
    from . import stat, vault
    from .dist import DistService
    from .srv import SrvService

    services.add("srv", SrvService(hosted).functions())
    services.add("dist", DistService(hosted).functions())
    services.add("stat", stat.functions(hosted))
    services.add("vault", vault.functions(hosted))
    services.add_resolver(hosted.resolver)
