"""Plans and reproducers as documents."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avm import Avm
from runtime.core.limits import TTL_MAX_MS
from runtime.sim.faults import NONE, NUMBER_MAX
from runtime.sim.plan import PlanError, plan_from_json
from runtime.sim.reproducer import ReproducerError, read, write
from runtime.sim.workloads import make_plan
from runtime.sim.world import World

AVM = Avm()


def recorded(seed: int) -> World:
    world = World(make_plan(seed, particles=10), AVM, record=True)
    world.run()
    return world


@pytest.mark.parametrize("seed", range(3))
def test_a_plan_is_a_document(seed: int) -> None:
    plan = make_plan(seed, particles=10)
    assert plan_from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize("seed", range(6))
def test_a_reproducer_repeats_every_event(seed: int, tmp_path: Path) -> None:
    world = recorded(seed)
    assert world.recorded is not None
    plan = world.plan.with_faults(tuple(world.recorded))
    report = World(plan, AVM).run()
    assert report.history == world.history()
    write(tmp_path / "deep" / "kept.json", plan, report)
    kept = read(tmp_path / "deep" / "kept.json")
    assert kept.plan == plan
    assert World(kept.plan, Avm()).run().history == kept.history == report.history


def spoilt(**changes: Any) -> dict[str, Any]:
    return make_plan(0, particles=2, kinds=NONE).to_json() | changes


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "an object"),
        ({}, "no field 'peers'"),
        (spoilt(seed="1"), "seed is not an integer"),
        (spoilt(peers=[]), "1 to 64 peers"),
        (spoilt(peers=[{"name": "a"}, {"name": "a"}]), "same name"),
        (spoilt(peers=[{"name": 5}]), "peer 5: a name is a text"),
        (spoilt(peers=[{"name": "a", "relay": 0}]), "relay 0 is no host"),
        (spoilt(peers=[{"name": "a", "colour": 0}]), r"peers\[0\] has no field `colour`"),
        (spoilt(peers=[{}]), r"peers\[0\]: .*name"),
        (spoilt(peers=["a"]), r"peers\[0\] is not an object"),
        (spoilt(faults=[["rain"]]), "not a fault"),
        (spoilt(faults=["rain"]), "not a list"),
        (spoilt(faults=[["delay", 0, 0, 1, 0, NUMBER_MAX + 1]]), f"field 5 is above {NUMBER_MAX}"),
        (spoilt(kinds=["rain"]), "`rain` is no kind"),
        (spoilt(limits={"rain": 1}), "no limit `rain`"),
        (spoilt(bug="rain"), "no planted bug `rain`"),
    ],
)
def test_what_is_no_plan(document: Any, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        plan_from_json(document)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"author": 9}, "there is no peer 9"),
        ({"kind": "x"}, "unknown kind 'x'"),
        ({"merges": "x"}, "unknown way of merging 'x'"),
        ({"at_ms": -1}, "at_ms is below 0"),
        ({"at_ms": NUMBER_MAX + 1}, f"at_ms is above {NUMBER_MAX}"),
        ({"ttl_ms": TTL_MAX_MS + 1}, f"ttl_ms is above {TTL_MAX_MS}"),
        ({"number": 1}, "same number"),
    ],
)
def test_what_is_no_particle(change: dict[str, Any], message: str) -> None:
    document = spoilt()
    document["particles"][0] |= change
    with pytest.raises(PlanError, match=message):
        plan_from_json(document)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "not JSON"),
        ("[]", "no version"),
        ('{"version": 2}', "version 2, this is version 1"),
        ('{"version": 1}', "no field 'plan'"),
        ('{"version": 1, "plan": {}}', "no field 'peers'"),
    ],
)
def test_what_is_no_reproducer(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    with pytest.raises(ReproducerError, match=message) as caught:
        read(path)
    assert caught.value.other_version == ("version 2" in message)


@pytest.mark.parametrize("numbers", [{"peers": 0}, {"peers": 63}, {"particles": -1}, {"particles": 10**6}])
def test_impossible_numbers(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a simulation has"):
        make_plan(0, **numbers)


def test_other_faults_leave_the_programs_as_they_are() -> None:
    assert make_plan(4).particles == make_plan(4, kinds=NONE).particles
    assert replace(make_plan(4), kinds=NONE) == make_plan(4, kinds=NONE)
