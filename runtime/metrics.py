"""Metrics of a peer in the text form of OpenMetrics: its runs, what did them, and what their caches hold.

Names and buckets of the first are those of the reference peer, so that its dashboards go on working; the others, with the prefix `avm_`, are ours.
Counts are taken when somebody asks. Needs prometheus_client, which comes with the extra `p2p`.
Source: nox:crates/peer-metrics
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from avm.outcome import Outcome
    from avm.stats import CacheStats, VmStats
    from runtime.peer import Peer
    from runtime.vm import ThreadVm

TIME_BUCKETS_S: Final = (0.0001, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 7, 15, 30, 60, 120)


class PeerMetrics:
    """What one peer counts. Runs are reported from any thread."""

    content_type: Final = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        """Count from zero."""
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "particle_executor_interpretation_time_sec",
            "Time of a run",
            buckets=TIME_BUCKETS_S,
            registry=self._registry,
        )
        self._successes = Counter(
            "particle_executor_interpretation_successes", "Runs that ended with code 0", registry=self._registry
        )
        self._failures = Counter(
            "particle_executor_interpretation_failures", "Runs that ended with an error", registry=self._registry
        )
        self._runs = Counter("avm_runs", "Runs by what did them", ["tier"], registry=self._registry)

    @property
    def registry(self) -> CollectorRegistry:
        """Where other parts of the peer have their metrics."""
        return self._registry

    def ran(self, outcome: Outcome | None, seconds: float) -> None:
        """A run took place; None where the interpreter broke down."""
        self._seconds.observe(seconds)
        if outcome is None or outcome.ret_code:
            self._failures.inc()
        else:
            self._successes.inc()
        if outcome is not None:
            self._runs.labels(outcome.tier).inc()

    def watch(self, pool: ThreadVm) -> None:
        """Tell of its interpreters, too."""
        self._registry.register(_Pool(pool))

    def watch_peer(self, peer: Peer) -> None:
        """Tell of its connections and particles, too."""
        self._registry.register(_Peer(peer))

    def text(self) -> str:
        """The document, of the type `content_type`."""
        return str(generate_latest(self._registry), "utf-8")


class _Pool:
    """Counts of the interpreters of a pool."""

    def __init__(self, pool: ThreadVm) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        """Families of the registry."""
        found = self._pool.stats()
        yield GaugeMetricFamily("aqua_vm_pool_pool_size", "Interpreters that may work at once", value=self._pool.size)
        yield GaugeMetricFamily("aqua_vm_pool_free_vms", "Those of them that do not", value=self._pool.free)
        declined = CounterMetricFamily(
            "avm_native_declined", "Runs that native code left to the interpreter", labels=["reason"]
        )
        reasons = {reason for stats in found for reason in stats.native.declined}
        for reason in sorted(reasons):
            declined.add_metric([reason], sum(stats.native.declined.get(reason, 0) for stats in found))
        yield declined
        buffers = GaugeMetricFamily("avm_native_buffer_bytes", "Memory of native runs", labels=["buffer"])
        buffers.add_metric(["arena"], sum(stats.native.arena_bytes for stats in found))
        buffers.add_metric(["heap"], sum(stats.native.heap_bytes for stats in found))
        yield buffers
        yield from _caches(found)


class _Peer:
    """Counts of the shell and of the core of a peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def collect(self) -> Iterator[Metric]:
        """Families of the registry."""
        peer = self._peer
        counters, core = peer.counters, peer.core
        for name, help_, value in (
            ("connection_pool_connected_peers", "Peers with a connection", len(peer.network.peers())),
            ("connection_pool_particle_queue_size", "Messages that wait for room", peer.waiting),
            ("particle_executor_alive_actors", "Particles alive", core.actor_count),
            ("particle_executor_total_actors_mailbox", "Particles that wait for a run", core.backlog),
            ("avm_peer_tasks", "Tasks of the event loop", trio.lowlevel.current_statistics().tasks_living),
        ):
            yield GaugeMetricFamily(name, help_, value=value)
        for name, help_, value in (
            ("connection_pool_received_particles", "Messages received", counters.received),
            ("connectivity_particle_send_success", "Messages sent", counters.sent),
            ("connectivity_particle_send_failure", "Messages not sent", counters.failed_sends),
            ("avm_peer_malformed", "Messages received that were none", counters.malformed),
            ("avm_peer_dropped", "Particles that went no further", counters.dropped),
        ):
            yield CounterMetricFamily(name, help_, value=value)


def _caches(found: list[VmStats]) -> Iterator[Metric]:
    caches: dict[str, list[CacheStats]] = {
        "programs": [stats.programs for stats in found],
        "data": [stats.data for stats in found],
    }
    if found:
        # those of the process are the same for all
        shared = found[0]
        for name in ("cids", "signatures", "canonical_texts", "keys"):
            caches[name] = [getattr(shared, name)]
    lookups = CounterMetricFamily("avm_cache_lookups", "Lookups in a cache", labels=["cache", "result"])
    entries = GaugeMetricFamily("avm_cache_entries", "What a cache holds", labels=["cache"])
    size = GaugeMetricFamily("avm_cache_bytes", "What that takes, where it is limited", labels=["cache"])
    for name, several in caches.items():
        lookups.add_metric([name, "hit"], sum(cache.hits for cache in several))
        lookups.add_metric([name, "miss"], sum(cache.misses for cache in several))
        entries.add_metric([name], sum(cache.entries for cache in several))
        if any(cache.bytes_max for cache in several):
            size.add_metric([name], sum(cache.bytes for cache in several))
    yield from (lookups, entries, size)
