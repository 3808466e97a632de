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
from runtime.peer import Peer
from runtime.protocol.identity import Identity, named_identity
from runtime.services.client import ClientServices
from runtime.services.host import host_services
from runtime.services.hosted import HostedServices, HostingConfig
from runtime.services.protected import Rights
from runtime.services.registry import CallContext, Services
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


class Host:
    """The services of a host, called without a network."""

    def __init__(self, services: Services, hosted: HostedServices) -> None:
        self.services = services
        self.hosted = hosted

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


def particle(author: Identity, particle_id: str = "p") -> Particle:
    return new_particle(author, particle_id=particle_id, timestamp=1000, ttl=2000, script="(null)")


@asynccontextmanager
async def open_host(folder: Path | None = None, **more: Any) -> AsyncIterator[Host]:
    """A host; `more` are fields of HostingConfig."""
    hosted = HostedServices(HOST, Rights(HOST.peer_id, MANAGEMENT), HostingConfig(folder, **more))
    config = PeerConfig(HOST, management=MANAGEMENT)
    services = host_services(config, Fabric().endpoint(HOST.peer_id), SystemClock(), hosted=hosted)
    async with hosted:
        yield Host(services, hosted)


@asynccontextmanager
async def open_network(
    folder: Path | None = None, *, author: Identity = MANAGER, clock: Clock | None = None
) -> AsyncIterator[tuple[Client, Peer, HostedServices]]:
    """A host and a client connected to it, in this process."""
    fabric, vm = Fabric(), InlineVm(Avm("interp"))
    clock = clock or SystemClock()
    hosted = HostedServices(HOST, Rights(HOST.peer_id, MANAGEMENT), HostingConfig(folder))
    config = PeerConfig(HOST, listen=("/memory/0",), management=MANAGEMENT)
    network = fabric.endpoint(HOST.peer_id)
    host = Peer(config, network, vm=vm, services=host_services(config, network, clock, hosted=hosted), clock=clock)
    host.on_forget.append(hosted.forgotten)
    own = ClientServices(author, clock, lambda line: None)
    peer = Peer(
        PeerConfig(author),
        fabric.endpoint(author.peer_id),
        vm=vm,
        services=own,
        policy=ClientPolicy(HOST.peer_id),
        clock=clock,
    )
    async with hosted, host, peer:
        await peer.network.dial(address_of(HOST.peer_id))
        yield Client(peer, own, HOST.peer_id), host, hosted
