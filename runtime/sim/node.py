"""One peer of a simulation: the real core and a store, a clock that may be wrong, and services. It can die and start again.

What a crash leaves: a durable store with all that its `save` calls took, else nothing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from runtime.core.peer_core import ClientPolicy, HostPolicy, PeerCore, Policy
from runtime.store.particle_data import MemoryParticleData

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.core.events import ActorKey
    from runtime.core.limits import CoreLimits
    from runtime.core.particle import Particle
    from runtime.protocol.identity import Identity
    from runtime.services.registry import Services

    from .plan import PeerSpec


class WatchedStore(MemoryParticleData):
    """The store of one peer, which tells what it takes and what it lets go."""

    __slots__ = ("_removed", "_saved")

    def __init__(self, saved: Callable[[ActorKey, bytes], None], removed: Callable[[ActorKey, bytes], None]) -> None:
        """saved, removed: told of each, `removed` with what was stored."""
        super().__init__()
        self._saved = saved
        self._removed = removed

    def save(self, key: ActorKey, data: bytes, *, deadline_ms: int) -> None:
        """Replace the data of the last run."""
        super().save(key, data, deadline_ms=deadline_ms)
        self._saved(key, data)

    def remove(self, key: ActorKey) -> None:
        """Forget the data."""
        data = self.load(key)
        super().remove(key)
        if data:
            self._removed(key, data)


class Node:
    """A peer. `life` counts its starts; events of an earlier life are void. `armed`: it dies at its next event, see `Crash.keep`."""

    __slots__ = (
        "_clock_now",
        "armed",
        "core",
        "down_ms",
        "identity",
        "inbox",
        "life",
        "number",
        "own_services",
        "services",
        "skew_ms",
        "spec",
        "store",
        "timer",
        "up",
    )

    def __init__(self, number: int, spec: PeerSpec, identity: Identity, skew_ms: int, now: Callable[[], int]) -> None:
        """Not started yet. now: virtual time, ms since the epoch."""
        self.number = number
        self.spec = spec
        self.identity = identity
        self.skew_ms = skew_ms
        self.life = 0
        self.up = False
        self.armed: int | None = None
        self.down_ms = 0
        self.timer = 0
        self.inbox: deque[Particle] = deque()
        self.store = MemoryParticleData()
        self.own_services: list[tuple[str, dict[str, Any]]] = []
        self._clock_now = now
        self.core: PeerCore
        self.services: Services

    @property
    def is_client(self) -> bool:
        """Whether it has a relay and nobody else reaches it."""
        return self.spec.relay is not None

    def now_ms(self) -> int:
        """What its clock says."""
        return self._clock_now() + self.skew_ms

    async def sleep_until_ms(self, at_ms: int) -> None:
        """Not possible: raises RuntimeError."""
        raise RuntimeError("a simulated service cannot wait")

    def start(
        self,
        make_core: type[PeerCore],
        policy: Policy,
        limits: CoreLimits,
        store: MemoryParticleData,
        services: Services,
    ) -> None:
        """Begin a life."""
        self.store = store
        self.services = services
        for service_id, handlers in self.own_services:
            services.add(service_id, handlers)
        self.core = make_core(self.identity, policy, limits=limits, store=store)
        self.up = True
        self.armed = None
        self.timer += 1

    def die(self) -> None:
        """End a life: what was in memory is gone."""
        self.up = False
        self.life += 1
        self.armed = None
        self.inbox.clear()

    def serve(self, service_id: str, handlers: dict[str, Any]) -> None:
        """Add a service, for this life and all later ones."""
        self.own_services.append((service_id, handlers))
        self.services.add(service_id, handlers)


def policy_of(spec: PeerSpec, relay_id: str | None) -> Policy:
    """How such a peer treats outcomes."""
    return HostPolicy() if spec.relay is None else ClientPolicy(relay_id)
