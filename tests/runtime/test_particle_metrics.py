"""Counts of particles, calls and services, as text that the library itself reads back."""

from __future__ import annotations

import pytest

pytest.importorskip("prometheus_client", reason="needs the extra p2p")

from avm import Avm
from avm.outcome import CallRequest, CallResult
from runtime.commands.peer import health
from runtime.config import PeerConfig
from runtime.core.actions import Call, Forget
from runtime.core.events import ActorKey, Called, Tick
from runtime.core.particle import new_particle
from runtime.inprocess import Fabric
from runtime.marine.blueprint import Blueprint
from runtime.metrics import PeerMetrics
from runtime.network import Contact
from runtime.particle_metrics import HostingMetrics, ParticleMetrics
from runtime.peer import Peer
from runtime.services.registry import Services
from runtime.vm import InlineVm
from tests.runtime.marine.kit import CORPUS
from tests.runtime.services.hosting import HOST, MANAGER, STRANGER, open_hosting, run
from tests.runtime.test_metrics import samples

DEMO = (CORPUS / "modules" / "demo.wat.wasm").read_bytes()


def test_calls_and_expired_particles_are_counted() -> None:
    metrics = PeerMetrics()
    times = iter(range(1000))
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
            for author in (HOST, MANAGER):  # a name is not enough to be a spell's
                script = "(null)" + " " * 200
                host.submit(new_particle(author, particle_id="spell_a_0", timestamp=now_ms, ttl=60_000, script=script))
            await host.wait_idle()

    run(main)
    found = samples(metrics.text())
    assert found["particle_executor_service_call_success_total",] == 1
    assert found["particle_executor_service_call_failure_total",] == 2
    assert found["particle_executor_service_call_time_sec_count",] == 3
    assert found["dispatcher_particles_expired_total",] == 1
    assert found["particle_executor_avm_call_time_sec_count",] == 8
    assert (
        found["connection_pool_particle_sizes_count",],
        found["connection_pool_particle_sizes_bucket", "100.0"],
    ) == (6, 4)
    assert found["spell_particles_created_total",] == 1
    assert counted.open_calls == 0


def test_connections_to_bootstrap_peers_are_counted() -> None:
    metrics = PeerMetrics()
    counted = ParticleMetrics(metrics.registry)
    network = Fabric().endpoint(HOST.peer_id)
    peer = Peer(
        PeerConfig(HOST, bootstrap=(f"/memory/1/p2p/{MANAGER.peer_id}",)),
        network,
        vm=InlineVm(Avm("interp")),
        services=Services(),
    )
    counted.attach(peer)
    for peer_id in (MANAGER.peer_id, STRANGER.peer_id):
        peer.on_connected(Contact(peer_id))
    peer.on_disconnected(MANAGER.peer_id)
    peer.on_connected(Contact(MANAGER.peer_id))
    found = samples(metrics.text())
    assert found["connectivity_bootstrap_connected_total",] == 2
    assert found["connectivity_bootstrap_disconnected_total",] == 1


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
