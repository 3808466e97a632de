"""A host with Wasm services for tests: calls of its functions, and whole programs of its manager."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from avm import Avm
from avm.data.interpreter_data import Tetraplet
from avm.outcome import CallRequest
from runtime.client import Client
from runtime.clock import Clock, SystemClock
from runtime.config import PeerConfig
from runtime.core.particle import Particle, new_particle
from runtime.core.peer_core import ClientPolicy
from runtime.inprocess import Fabric, address_of
from runtime.marine.cids import file_cid
from runtime.network import Network
from runtime.peer import Peer
from runtime.protocol.identity import Identity, named_identity
from runtime.services.client import ClientServices
from runtime.services.host import host_services
from runtime.services.hosted import HostedServices, HostingConfig
from runtime.services.hosting import Hosting
from runtime.services.registry import CallContext, Services
from runtime.store.data_dir import STATE_FILE
from runtime.store.sqlite_state import read_state
from runtime.store.state import SERVICES, Store
from runtime.vm import InlineVm

HOST, MANAGER, STRANGER = (named_identity(name) for name in ("host", "manager", "stranger"))
MANAGEMENT = frozenset([MANAGER.peer_id])
LONG_S = 120
"""Only a test that hangs takes so long."""


def run(main: Any) -> Any:
    """Run a test with a bound on its time."""

    async def bounded() -> Any:
        with trio.fail_after(LONG_S):
            return await main()

    return trio.run(bounded)


def on_host(body: Any, folder: Path | None = None, **more: Any) -> Any:
    """Run `body(host)` on a host of its own."""

    async def main() -> Any:
        async with open_host(folder, **more) as host:
            return await body(host)

    return run(main)


class Host:
    """The services of a host, called without a network."""

    def __init__(self, services: Services, hosting: Hosting) -> None:
        self.services = services
        self.hosted = hosting.hosted
        self.workers = hosting.workers
        self.spells = hosting.spells

    async def call(
        self,
        service: str,
        function: str,
        *args: Any,
        author: Identity = MANAGER,
        scope: str = HOST.peer_id,
        particle_id: str = "p",
        tetraplets: list[list[Tetraplet]] | None = None,
    ) -> tuple[int, Any]:
        """One call: code and value."""
        context = self.context(
            service, function, author=author, scope=scope, particle_id=particle_id, tetraplets=tetraplets
        )
        result = await self.services.call(CallRequest(service, function, list(args), []), context)
        return result.ret_code, json.loads(result.result)

    def context(
        self,
        service: str,
        function: str,
        *,
        author: Identity = MANAGER,
        scope: str = HOST.peer_id,
        particle_id: str = "p",
        tetraplets: list[list[Tetraplet]] | None = None,
    ) -> CallContext:
        return CallContext(particle(author, particle_id), HOST.peer_id, scope, service, function, tetraplets or [])

    async def ok(self, service: str, function: str, *args: Any, **more: Any) -> Any:
        """The value of a call that must succeed."""
        code, value = await self.call(service, function, *args, **more)
        assert code == 0, value
        return value

    async def error(self, service: str, function: str, *args: Any, **more: Any) -> str:
        """The first line of the error of a call that must fail."""
        code, value = await self.call(service, function, *args, **more)
        assert code == 1, value
        return value.partition("\n")[0]

    async def deploy(self, *modules: tuple[str, bytes], name: str = "made", **more: Any) -> str:
        """The id of a new service of these modules."""
        cids = [self.hosted.store.add_module(module, wasm) for module, wasm in modules]
        assert cids == [file_cid(wasm) for _, wasm in modules]
        text = await self.ok("dist", "make_blueprint", name, cids)
        return await self.ok("srv", "create", await self.ok("dist", "add_blueprint", text), **more)


def kept_services(folder: Path) -> set[str]:
    """Ids of the services and spells in the store of a folder."""
    return {key for key, _, _ in read_state(folder / STATE_FILE).entries.get(SERVICES, [])}


def particle(author: Identity, particle_id: str = "p") -> Particle:
    return new_particle(author, particle_id=particle_id, timestamp=1000, ttl=2000, script="(null)")


@asynccontextmanager
async def open_host(folder: Path | None = None, *, clock: Clock | None = None, **more: Any) -> AsyncIterator[Host]:
    """A host; `more` are fields of HostingConfig."""
    config, clock = PeerConfig(HOST, management=MANAGEMENT), clock or SystemClock()
    hosting = Hosting(config, clock, HostingConfig(folder, **more))
    async with hosting:
        yield Host(services_of(config, Fabric().endpoint(HOST.peer_id), clock, hosting), hosting)


def services_of(config: PeerConfig, network: Network, clock: Clock, hosting: Hosting) -> Services:
    return host_services(config, network, clock, hosted=hosting.hosted, workers=hosting.workers, spells=hosting.spells)


@asynccontextmanager
async def open_network(
    folder: Path | None = None, *, author: Identity = MANAGER, clock: Clock | None = None
) -> AsyncIterator[tuple[Client, Peer, HostedServices]]:
    """A host and a client connected to it, in this process."""
    async with open_hosting(folder, author=author, clock=clock) as (client, host, hosting):
        yield client, host, hosting.hosted


@asynccontextmanager
async def open_hosting(
    folder: Path | None = None,
    *,
    author: Identity = MANAGER,
    clock: Clock | None = None,
    fabric: Fabric | None = None,
    state: Store | None = None,
) -> AsyncIterator[tuple[Client, Peer, Hosting]]:
    """The same with workers and spells, which run."""
    fabric, vm, clock = fabric or Fabric(), InlineVm(Avm("interp")), clock or SystemClock()
    config = PeerConfig(HOST, listen=("/memory/0",), management=MANAGEMENT)
    network = fabric.endpoint(HOST.peer_id)
    hosting = Hosting(config, clock, HostingConfig(folder, state=state))
    host = Peer(config, network, vm=vm, services=services_of(config, network, clock, hosting), clock=clock)
    hosting.attach(host)
    own = ClientServices(author, clock, lambda line: None)
    peer = Peer(
        PeerConfig(author),
        fabric.endpoint(author.peer_id),
        vm=vm,
        services=own,
        policy=ClientPolicy(HOST.peer_id),
        clock=clock,
    )
    async with hosting, host, peer, trio.open_nursery() as nursery:
        nursery.start_soon(hosting.spells.run)
        await peer.network.dial(address_of(HOST.peer_id))
        yield Client(peer, own, HOST.peer_id), host, hosting
        nursery.cancel_scope.cancel()
