"""Every planted bug is found within a thousand seeds and made small; without it the same seed passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avm import Avm
from runtime.sim.minimise import minimise
from runtime.sim.planted import BUGS
from runtime.sim.workloads import make_plan
from runtime.sim.world import World

AVM = Avm()
SEEDS = 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BUGS))
def test_it_is_found_and_made_small(name: str) -> None:
    bug = BUGS[name]
    for seed in range(SEEDS):
        plan = make_plan(seed, particles=25, bug=name)
        report = World(plan, AVM).run()
        if report.failure is not None:
            break
    else:
        pytest.fail(f"{name} is not found in {SEEDS} seeds")
    failure = report.failure
    assert failure is not None
    assert failure.check in bug.found_by, failure
    assert World(replace(plan, bug=None), AVM).run().failure is None
    small = minimise(plan, AVM, failure.check, runs_max=500)
    assert small is not None
    assert small.report.failure is not None
    assert small.report.failure.check == failure.check
    assert len(small.plan.particles) == 1
    assert len(small.plan.faults or ()) <= 4
    assert small.report.counts.events <= 60
    # the reproducer is exact, and it is the bug that fails
    again = World(small.plan, Avm()).run()
    assert (again.history, again.failure) == (small.report.history, small.report.failure)
    assert World(replace(small.plan, bug=None), AVM).run().failure is None
