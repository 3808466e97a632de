"""Metrics of the Wasm services and spells of a peer: how they come and go, their calls, their memory; names and buckets of the reference.

The reference calls two of them `…_msec` and puts seconds there; so do we, since its dashboards divide accordingly.
Source: nox:crates/peer-metrics/src/services_metrics/external.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from runtime.services.service_events import CreationFailed, ServiceCalled, ServiceCreated, ServiceRemoved

from .metrics import TIME_BUCKETS_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

    from runtime.services.hosted import HostedServices
    from runtime.services.service_events import ServiceEvent

MODULE_BUCKETS: Final = tuple(range(1, 11))
_LABELS: Final = ("service_type",)


class ServiceMetrics:
    """Counts of one host, from the events of its services."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Count from zero."""

        def seconds(name: str, help_: str) -> Histogram:
            return Histogram(f"services_{name}", help_, _LABELS, buckets=TIME_BUCKETS_S, registry=registry)

        def count(name: str, help_: str) -> Counter:
            return Counter(f"services_{name}", help_, _LABELS, registry=registry)

        self._creation_seconds = seconds("creation_time_msec", "Seconds until a service was made")
        self._removal_seconds = seconds("removal_time_msec", "Seconds until a service was removed")
        self._call_seconds = seconds("call_time_msec", "Seconds of a call that succeeded")
        self._wait_seconds = seconds("lock_wait_time_sec", "Seconds for which a call waited for the one before it")
        self._created = count("creation_count", "Services and spells made by programs")
        self._removed = count("removal_count", "Services and spells removed")
        self._succeeded = count("call_success_count", "Calls that succeeded")
        self._failed = count("call_failed_count", "Calls that failed")
        self._not_created = Counter(
            "services_creation_failure_count", "Services and spells that could not be made", registry=registry
        )
        self._modules = Histogram(
            "services_modules_in_services_count", "Modules of a service", buckets=MODULE_BUCKETS, registry=registry
        )

    def attach(self, hosted: HostedServices) -> None:
        """Listen to the services of a host."""
        hosted.on_event.append(self.note)

    def note(self, event: ServiceEvent) -> None:
        """Something happened."""
        match event:
            case ServiceCreated():
                self._created.labels(event.kind).inc()
                self._creation_seconds.labels(event.kind).observe(event.seconds)
                if event.modules:
                    self._modules.observe(event.modules)
            case CreationFailed():
                self._not_created.inc()
            case ServiceRemoved():
                self._removed.labels(event.kind).inc()
                self._removal_seconds.labels(event.kind).observe(event.seconds)
            case ServiceCalled():
                self._wait_seconds.labels(event.kind).observe(event.waited)
                if event.succeeded:
                    self._succeeded.labels(event.kind).inc()
                    self._call_seconds.labels(event.kind).observe(event.seconds)
                else:
                    self._failed.labels(event.kind).inc()
            case _:
                assert_never(event)


class ServiceMemory:
    """What the modules of all services take, looked up when somebody asks; of a service that is at work, what it took before."""

    def __init__(self, hosted: HostedServices) -> None:
        """Look at the services of a host."""
        self._hosted = hosted

    def collect(self) -> Iterator[Metric]:
        """Families of the registry."""
        family = GaugeMetricFamily("services_mem_used_total_bytes", "Memory of all modules", labels=_LABELS)
        family.add_metric(["service"], self._hosted.memory_bytes())
        yield family


class Resolutions:
    """How the receivers of messages were found. counts: by outcome, kept by the network."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        """Look at the counts of a network."""
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Families of the registry."""
        family = CounterMetricFamily("connectivity_contact_resolve", "How receivers were found", labels=["action"])
        for outcome, count in sorted(self._counts.items()):
            family.add_metric([outcome], count)
        yield family
