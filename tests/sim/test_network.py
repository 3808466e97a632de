"""Whole networks: a slice of seeds under every kind of weather, and what a seed promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from avm import Avm
from runtime.sim.checkers import CHECKERS, NAMES
from runtime.sim.faults import ALL, BENIGN, KINDS, NONE
from runtime.sim.plan import MARKS, PROGRAM, Plan
from runtime.sim.planted import BUGS
from runtime.sim.reproducer import read
from runtime.sim.workloads import make_plan
from runtime.sim.world import Report, World

ROOT = Path(__file__).resolve().parents[2]
AVM = Avm()


def check(plan: Plan, *, avm: Avm = AVM) -> World:
    """Run a plan; a failed check names its seed, which replays it."""
    world = World(plan, avm)
    report = world.run()
    assert report.failure is None, f"seed {plan.seed}: {report.failure}\n" + "\n".join(report.last)
    return world


def history(seed: int, kinds: frozenset[str] = ALL, avm: Avm = AVM) -> Report:
    return World(make_plan(seed, particles=12, kinds=kinds), avm).run()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_everything_goes_wrong(seed: int) -> None:
    check(make_plan(seed))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "tests" / "sim" / "reproducers").glob("*.json")), ids=lambda path: path.stem
)
def test_what_failed_once(path: Path) -> None:
    """Plans that explorations found and kept."""
    check(read(path).plan)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_one_thing_goes_wrong(kind: str) -> None:
    check(make_plan(100, particles=15, kinds=frozenset({kind})))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kinds", [NONE, BENIGN], ids=["nothing", "time only"])
def test_every_program_ends_where_only_time_is_lost(seed: int, kinds: frozenset[str]) -> None:
    """The check looks at those that nothing hindered; here that must be nearly all."""
    world = check(make_plan(seed, particles=30, kinds=kinds))
    programs = [spec for spec in world.specs.values() if spec.kind in (MARKS, PROGRAM)]
    ended = [spec for spec in programs if world.answers.get(spec.number)]
    assert len(ended) >= (len(programs) if kinds == NONE and not world.plan.limits else len(programs) // 2)


@pytest.mark.parametrize(("peers", "particles"), [(1, 5), (2, 5), (12, 4)])
def test_networks_of_other_sizes(peers: int, particles: int) -> None:
    check(make_plan(7, peers=peers, particles=particles))


def test_some_faults_happen() -> None:
    counts = [World(make_plan(seed, particles=15), AVM).run().counts for seed in range(12)]
    for name in ("lost", "copies", "crashes", "traps", "failed_calls"):
        assert sum(getattr(one, name) for one in counts) > 0, name


@pytest.mark.parametrize("kinds", [NONE, BENIGN, ALL], ids=["nothing", "time only", "all"])
def test_same_seed_same_history(kinds: frozenset[str]) -> None:
    assert history(3, kinds) == history(3, kinds, Avm())


def test_other_seed_other_history() -> None:
    assert history(1).history != history(2).history


@pytest.mark.parametrize("engine", ["python", "interp", "jit"])
def test_the_engine_does_not_show(engine: str) -> None:
    assert history(5, avm=Avm(engine)).history == history(5).history


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["0", "1", "12345"])
def test_same_history_in_another_process(hash_seed: str) -> None:
    program = (
        "from avm import Avm\nfrom runtime.sim.workloads import make_plan\nfrom runtime.sim.world import World\n"
        "print(World(make_plan(5, particles=12), Avm()).run().history)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == history(5).history


def test_a_simulation_needs_no_event_loop() -> None:
    program = "import sys, runtime.sim.world, runtime.sim.network, runtime.sim.explore; print('trio' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "False"


def test_the_documentation_lists_every_check_fault_and_bug() -> None:
    text = (ROOT / "docs" / "simulation.md").read_text(encoding="utf-8")
    for checker in CHECKERS:
        assert f"| `{checker.name}` | {checker.promise} |" in text
    for name in NAMES:
        assert f"| `{name}` |" in text
    for kind in KINDS:
        assert f"| `{kind}` |" in text
    for bug in BUGS:
        assert f"`{bug}`" in text
