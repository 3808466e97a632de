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
from runtime.service_metrics import Resolutions, ServiceMemory, ServiceMetrics
from runtime.services.registry import Services
from runtime.vm import InlineVm
from tests.runtime.marine.kit import CORPUS
from tests.runtime.services.hosting import HOST, MANAGER, STRANGER, Host, open_hosting, run
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


def test_services_are_counted_as_they_come_go_and_answer() -> None:
    metrics = PeerMetrics()

    async def main() -> None:
        async with open_hosting() as (_, peer, hosting):
            hosted = hosting.hosted
            ServiceMetrics(metrics.registry).attach(hosted)
            metrics.registry.register(ServiceMemory(hosted))
            host = Host(peer.services, hosting)
            cid = hosted.store.add_module("demo", DEMO)
            blueprint = hosted.store.add_blueprint(Blueprint("demo", (cid,)))
            worker = hosting.workers.create("deal", MANAGER.peer_id, ())
            made = [await host.ok("srv", "create", blueprint) for _ in range(2)]
            await hosted.create(worker.id, blueprint, MANAGER.peer_id)
            await host.error("srv", "create", "absent")
            spell = await hosted.create_spell(HOST.peer_id)
            await host.ok(made[0], "add", 1, 2)
            await host.error(made[0], "absent")
            await host.error(made[0], "add", "text")
            await host.ok(spell.id, "get_u32", "absent")
            await host.error(spell.id, "absent")
            taken = samples(metrics.text())["services_mem_used_total_bytes", "service"]
            assert taken > 0
            assert taken % (3 * 65536) == 0
            await host.ok("srv", "remove", made[1])
            await hosted.remove_spell(spell, MANAGER.peer_id)
            await hosted.remove_all_of(worker.id)
            assert samples(metrics.text())["services_mem_used_total_bytes", "service"] == taken / 3

    run(main)
    found = samples(metrics.text())
    for name, of_services, of_spells in (
        ("creation_count_total", 3, 1),
        ("creation_time_msec_count", 3, 1),
        ("removal_count_total", 2, 1),
        ("removal_time_msec_count", 2, 1),
        ("call_success_count_total", 1, 1),
        ("call_time_msec_count", 1, 1),
        ("call_failed_count_total", 2, 1),
        ("lock_wait_time_sec_count", 3, 2),
    ):
        counts = tuple(found[f"services_{name}", kind] for kind in ("service", "spell"))
        assert counts == (of_services, of_spells), name
    assert found["services_creation_failure_count_total",] == 1
    assert found["services_modules_in_services_count_bucket", "1.0"] == 3


def test_ways_to_receivers_are_counted() -> None:
    metrics = PeerMetrics()
    counts = {"Local": 3, "KademliaNotFound": 1}
    metrics.registry.register(Resolutions(counts))
    counts["Local"] += 1
    found = samples(metrics.text())
    assert found["connectivity_contact_resolve_total", "Local"] == 4
    assert found["connectivity_contact_resolve_total", "KademliaNotFound"] == 1
