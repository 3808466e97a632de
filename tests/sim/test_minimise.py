"""Delta debugging, of sets and of scripts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from avm import Avm
from runtime.sim.minimise import _Search, minimise, simpler
from runtime.sim.workloads import make_plan
from runtime.sim.world import World

AVM = Avm()


@pytest.mark.parametrize("wanted", [set(), {3}, {0, 19}, {2, 3, 5, 7, 11, 13}, set(range(20))])
def test_a_smallest_subset_is_found(wanted: set[int]) -> None:
    tried: list[tuple[Any, ...]] = []

    def still(kept: tuple[Any, ...]) -> bool:
        tried.append(kept)
        return wanted <= set(kept)

    assert _Search(AVM, "x", 1000).smaller(range(20), still) == tuple(sorted(wanted))
    assert len(tried) < 200


def test_scripts_become_simpler() -> None:
    script = '(seq (call "p" ("s" "f (") [1] x) (par (null) (fail 1 "no")))'
    found = simpler(script)
    assert found[0] == "(null)"
    assert '(call "p" ("s" "f (") [1] x)' in found
    assert '(seq (call "p" ("s" "f (") [1] x) (null))' in found
    assert all(len(one) < len(script) for one in found)


def test_a_plan_that_does_not_fail_is_left() -> None:
    assert minimise(make_plan(0, particles=3), AVM, "no-call-twice") is None


def test_the_search_ends_when_it_has_tried_enough() -> None:
    plan = make_plan(0, particles=25, bug="replaces-data")
    report = World(plan, AVM).run()
    assert report.failure is not None
    small = minimise(plan, AVM, report.failure.check, runs_max=5)
    assert small is not None
    assert small.tried <= 5
    assert small.report.failure is not None


def test_limits_that_do_not_matter_become_usual() -> None:
    plan = replace(make_plan(0, particles=10, bug="replaces-data"), limits={"runs_max": 1})
    report = World(plan, AVM).run()
    assert report.failure is not None
    small = minimise(plan, AVM, report.failure.check)
    assert small is not None
    assert small.plan.limits == {}
