"""Hand-made schedules: what a crash leaves, what comes after a deadline, what a check says."""

from __future__ import annotations

from typing import Any

import pytest

from avm import Avm
from runtime.sim.plan import ALWAYS, MARKS, ParticleSpec, PeerSpec, Plan
from runtime.sim.workloads import peer_id, peers_of
from runtime.sim.world import World

AVM = Avm()


def call(name: str, mark: int, *arguments: str) -> str:
    return f'(call "{peer_id(name)}" ("probe" "mark") [{mark} {" ".join(arguments)}] v{mark})'


def seq(*parts: str) -> str:
    first, *rest = parts
    return f"(seq {first} {seq(*rest)})" if rest else first


THERE_AND_BACK = seq(
    call("relay", 1), call("peer1", 2, "v1"), call("relay", 3), f'(call "{peer_id("relay")}" ("probe" "end") [v2 v3])'
)


def run(script: str, *faults: tuple[Any, ...], durable: bool = True, ttl_ms: int = 10_000, **limits: Any) -> World:
    peers = (PeerSpec("relay"), PeerSpec("peer1", durable=durable), PeerSpec("peer2"))
    particle = ParticleSpec(0, 0, 0, ttl_ms, MARKS, script, ALWAYS, accepted=[["end"]])
    world = World(Plan(0, peers, (particle,), faults=faults, limits=limits), AVM)
    world.calls = []  # type: ignore[attr-defined]
    world.on_call.append(lambda node, made: world.calls.append((node.spec.name, made.request.arguments[0])))  # type: ignore[attr-defined]
    report = world.run()
    assert report.failure is None, report.failure
    return world


def made(world: World, name: str) -> list[Any]:
    return [mark for peer, mark in world.calls if peer == name]  # type: ignore[attr-defined]


def test_nothing_goes_wrong() -> None:
    world = run(THERE_AND_BACK)
    assert made(world, "peer1") == [2]
    assert world.answers[0] == [["end"]]
    assert world.had_its_time(0)


# peer1 dies after its call was answered; a copy of the message that asked for the call comes when it is back.
COPY_AFTER_CRASH = (("copy", 0, 0, 1, 0, 3000), ("crash", 1, 100, 500, 0), ("lose", 0, 1, 0, 0))


def test_a_durable_store_remembers_a_call_across_a_crash() -> None:
    world = run(THERE_AND_BACK, *COPY_AFTER_CRASH)
    assert made(world, "peer1") == [2]
    assert world.counts.crashes == 1
    assert world.forgotten == set()


def test_a_volatile_store_does_not() -> None:
    """As the reference with its folder on a disk that is gone: the particle starts anew, which the check knows."""
    world = run(THERE_AND_BACK, *COPY_AFTER_CRASH, durable=False)
    assert made(world, "peer1") == [2, 2]
    assert world.forgotten == {0}


def test_a_call_whose_answer_died_with_its_peer_is_not_made_again() -> None:
    """At most once: the request is on record, its result never comes."""
    faults = (("slow", 0, 1, 0, 1000), ("crash", 1, 50, 200, 0), ("copy", 0, 0, 1, 0, 3000))
    world = run(THERE_AND_BACK, *faults)
    assert made(world, "peer1") == [2]
    assert world.answers.get(0, []) == []


def test_what_a_crash_left_in_a_store_is_removed_in_time() -> None:
    """Nothing comes for the particle any more: the peer that starts again has only the store to know it by."""
    world = run(THERE_AND_BACK, ("crash", 1, 100, 500, 0))
    assert world.counts.crashes == 1
    assert world.nodes[1].store.total_bytes == 0


@pytest.mark.parametrize("keep", range(4))
def test_a_crash_in_the_middle_of_what_an_event_asked_for(keep: int) -> None:
    world = run(THERE_AND_BACK, ("crash", 1, 2, 200, keep), ("copy", 0, 0, 1, 0, 1000))
    assert made(world, "peer1") in ([], [2])


def test_a_late_answer_has_no_effect() -> None:
    world = run(THERE_AND_BACK, ("slow", 0, 1, 0, 5000), ttl_ms=2000)
    assert made(world, "peer1") == [2]
    assert made(world, "relay") == [1]
    assert not world.had_its_time(0)


def test_a_fast_clock_ends_a_particle_early() -> None:
    world = run(THERE_AND_BACK, ("skew", 1, 20_000))
    assert made(world, "peer1") == []
    assert world.counts.drops["EXPIRED"] == 1


def test_partitions_heal() -> None:
    cut = ("cut", (1,), 0, 1000)
    assert made(run(THERE_AND_BACK, cut), "peer1") == []
    # sent before the cut, and a second particle would pass after it
    assert made(run(THERE_AND_BACK, ("cut", (1,), 1000, 2000)), "peer1") == [2]


def test_a_trap_loses_the_results_it_was_given() -> None:
    world = run(THERE_AND_BACK, ("trap", 0, 0, 1))
    assert world.counts.traps == 1
    assert made(world, "peer1") == []


def test_a_full_peer_lets_copies_wait() -> None:
    copies = [("copy", 0, 0, 1, 0, 1)] * 6
    world = run(THERE_AND_BACK, *copies, backlog_max=2, mailbox_max=1, runs_max=1)
    assert made(world, "peer1") == [2]


def test_a_client_is_reached_by_its_relay_only() -> None:
    peers = peers_of(2, 1)
    script = f'(call "{peer_id("client")}" ("probe" "mark") [1])'
    for author, expected in ((0, 1), (1, 0)):
        world = World(Plan(0, peers, (ParticleSpec(0, author, 0, 1000, MARKS, script),), faults=()), AVM)
        report = world.run()
        assert report.failure is None
        assert report.counts.calls == expected
        assert report.counts.unreachable == 1 - expected
