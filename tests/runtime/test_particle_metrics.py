"""Counts of particles, calls and services, as text that the library itself reads back."""

from __future__ import annotations

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra p2p")

from avm.outcome import CallRequest, CallResult
from runtime.commands.peer import health
from runtime.core.actions import Call, Forget
from runtime.core.events import ActorKey, Called, Tick
from runtime.core.particle import new_particle
from runtime.marine.blueprint import Blueprint
from runtime.metrics import PeerMetrics
from runtime.particle_metrics import HostingMetrics, ParticleMetrics
from tests.runtime.marine.kit import CORPUS
from tests.runtime.services.hosting import HOST, MANAGER, open_hosting, run
from tests.runtime.test_metrics import samples

DEMO = (CORPUS / "modules" / "demo.wat.wasm").read_bytes()


def test_calls_and_expired_particles_are_counted() -> None:
    metrics = PeerMetrics()
    times = iter(range(100))
    counted = ParticleMetrics(metrics.registry, now_s=lambda: next(times))

    async def main() -> None:
        async with open_hosting() as (_, host, _):
            counted.attach(host)
            now_ms = host.clock.now_ms()
            for name, script in (
                ("good", f'(call "{HOST.peer_id}" ("op" "noop") [])'),
                ("bad", f'(call "{HOST.peer_id}" ("math" "div") [1 0] x)'),
                ("absent", f'(call "{HOST.peer_id}" ("no" "no") [] x)'),
            ):
                host.submit(new_particle(MANAGER, particle_id=name, timestamp=now_ms, ttl=60_000, script=script))
            host.submit(new_particle(MANAGER, particle_id="late", timestamp=1, ttl=1, script="(null)"))
            await host.wait_idle()

    run(main)
    found = samples(metrics.text())
    assert found["particle_executor_service_call_success_total",] == 1
    assert found["particle_executor_service_call_failure_total",] == 2
    assert found["particle_executor_service_call_time_sec_count",] == 3
    assert found["dispatcher_particles_expired_total",] == 1
    assert counted.open_calls == 0


def test_calls_of_particles_that_are_over_are_forgotten() -> None:
    counted = ParticleMetrics(PeerMetrics().registry)
    particle = new_particle(MANAGER, particle_id="p", timestamp=1, ttl=1, script="(null)")
    key = ActorKey(HOST.peer_id, particle.signature)
    counted.step(Tick(), [Call(key, number, CallRequest("s", "f", [], []), particle) for number in (1, 2)])
    assert counted.open_calls == 2
    counted.step(Called(key, 1, CallResult(0, "1")), [])
    assert counted.open_calls == 1
    counted.step(Tick(), [Forget(key, "p")])
    counted.step(Called(key, 2, CallResult(0, "1")), [])  # too late
    assert counted.open_calls == 0


def test_what_a_host_has() -> None:
    metrics = PeerMetrics()

    async def main() -> None:
        async with open_hosting() as (_, host, hosting):
            metrics.registry.register(HostingMetrics(HOST.peer_id, hosting))
            cid = hosting.hosted.store.add_module("demo", DEMO)
            blueprint = hosting.hosted.store.add_blueprint(Blueprint("demo", (cid,)))
            worker = hosting.workers.create("deal", MANAGER.peer_id, ())
            made = [
                await hosting.hosted.create(scope, blueprint, MANAGER.peer_id) for scope in (HOST.peer_id, worker.id)
            ]
            await hosting.hosted.create_spell(HOST.peer_id)
            found = samples(metrics.text())
            assert found["services_services_count", "service"] == 2
            assert found["services_services_count", "spell"] == 1
            assert (found["spell_scheduled_now",], found["avm_workers",]) == (0, 1)
            assert any(name[0] == "nox_build_info" for name in found)
            listed = hosting.services()
            assert {one["id"] for one in listed if one["service_type"] == "service"} == set(made)
            assert {one["worker_id"] for one in listed} == {HOST.peer_id, worker.id}
            assert health(host, hosting) == {"persisted_services": True}

    run(main)
