"""Metrics of the particles and the services of a peer, beside those of its runs in `runtime.metrics`; names and buckets of the reference.

Service calls are those that programs make, built-in ones included, from the moment a run asks for one; the wait for the disk counts.
Source: nox:crates/peer-metrics
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

from aquac.version import VERSION
from avm.data.versions import INTERPRETER_VERSION
from runtime.core.actions import Call, Drop, DropReason, Forget, Run
from runtime.core.events import Arrived, Called, Ran, RunFailed
from runtime.services.particle_id import spell_id_of
from runtime.services.peer import SPELL_VERSION

from .metrics import TIME_BUCKETS_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

    from runtime.core.actions import Action
    from runtime.core.events import ActorKey, Event
    from runtime.peer import Peer
    from runtime.services.hosting import Hosting


SIZE_BUCKETS: Final = tuple(100 * 10**power for power in range(7))


class ParticleMetrics:
    """Counts of one peer, from the events and actions of its core."""

    def __init__(self, registry: CollectorRegistry, *, now_s: Callable[[], float] = time.perf_counter) -> None:
        """Count from zero. now_s: seconds of a clock that does not jump."""
        self._now_s = now_s
        self._scopes: Callable[[], Sequence[str]] = tuple
        self._started: dict[ActorKey, dict[int, float]] = {}
        self._expired = Counter("dispatcher_particles_expired", "Particles that came too late", registry=registry)
        self._seconds = Histogram(
            "particle_executor_service_call_time_sec",
            "Time of a service call",
            buckets=TIME_BUCKETS_S,
            registry=registry,
        )
        self._successes = Counter("particle_executor_service_call_success", "Calls that succeeded", registry=registry)
        self._run_seconds = Histogram(
            "particle_executor_avm_call_time_sec",
            "Time from the start of a run to what it leads to",
            buckets=TIME_BUCKETS_S,
            registry=registry,
        )
        self._sizes = Histogram(
            "connection_pool_particle_sizes",
            "Bytes of script and data of a particle that comes in",
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self._of_spells = Counter("spell_particles_created", "Particles of spells of this peer", registry=registry)
        self._bootstrap_connected = Counter(
            "connectivity_bootstrap_connected", "Connections to bootstrap peers", registry=registry
        )
        self._bootstrap_lost = Counter("connectivity_bootstrap_disconnected", "Losses of those", registry=registry)
        self._running: dict[ActorKey, float] = {}
        self._failures = Counter("particle_executor_service_call_failure", "Calls that failed", registry=registry)

    def attach(self, peer: Peer) -> None:
        """Listen to a peer, before it runs."""
        bootstrap = frozenset(address.rpartition("/p2p/")[2] for address in peer.config.bootstrap)

        def contact(peer_id: str, is_there: bool) -> None:
            if peer_id in bootstrap:
                (self._bootstrap_connected if is_there else self._bootstrap_lost).inc()

        self._scopes = peer.core.scopes
        peer.on_step.append(self.step)
        peer.on_contact.append(contact)

    @property
    def open_calls(self) -> int:
        """Calls that have begun and not ended."""
        return sum(map(len, self._started.values()))

    def step(self, event: Event, actions: Sequence[Action]) -> None:
        """The core took an event and answered with actions."""
        if isinstance(event, Called):
            calls = self._started.get(event.key)
            start = None if calls is None else calls.pop(event.call_id, None)
            if start is not None:
                self._seconds.observe(self._now_s() - start)
                (self._failures if event.result.ret_code else self._successes).inc()
                if not calls:
                    del self._started[event.key]
        elif isinstance(event, Arrived):
            particle = event.particle
            self._sizes.observe(len(particle.script) + len(particle.data))
            if spell_id_of(particle.id) is not None and particle.init_peer_id in self._scopes():
                self._of_spells.inc()
        elif isinstance(event, (Ran, RunFailed)):
            start = self._running.pop(event.key, None)
            if start is not None:
                self._run_seconds.observe(self._now_s() - start)
        for action in actions:
            if isinstance(action, Run):
                self._running[action.key] = self._now_s()
            elif isinstance(action, Call):
                self._started.setdefault(action.key, {})[action.call_id] = self._now_s()
            elif isinstance(action, Forget):
                self._started.pop(action.key, None)
            elif isinstance(action, Drop) and action.reason is DropReason.EXPIRED:
                self._expired.inc()


class HostingMetrics:
    """What a host has: services, spells, workers, versions. Counted when somebody asks."""

    def __init__(self, host_id: str, hosting: Hosting) -> None:
        """Look at the parts of a host."""
        self._host_id = host_id
        self._hosting = hosting

    def collect(self) -> Iterator[Metric]:
        """Families of the registry."""
        versions = {"node_version": VERSION, "air_version": INTERPRETER_VERSION, "spell_version": SPELL_VERSION}
        yield InfoMetricFamily("nox_build", "Versions of this peer", value=versions)
        workers = self._hosting.workers.ids()
        found = [one for scope in (self._host_id, *workers) for one in self._hosting.hosted.all_of(scope)]
        services = GaugeMetricFamily("services_services_count", "Services and spells", labels=["service_type"])
        for kind in ("service", "spell"):
            services.add_metric([kind], sum(one.kind == kind for one in found))
        yield services
        scheduled = self._hosting.spells.triggers.subscribed
        yield GaugeMetricFamily("spell_scheduled_now", "Spells that something will start", value=scheduled)
        yield GaugeMetricFamily("avm_workers", "Workers", value=len(workers))
