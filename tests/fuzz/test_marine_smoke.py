"""A slice of the fuzzer of Marine services, the same one in every run; `python -m tests.fuzz.marine_hostile` has the rest."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from runtime.marine.workers import stack_bytes, submit
from tests.fuzz import marine_hostile
from tests.fuzz.marine_differential import comparable_case, compare, marine_js
from tests.fuzz.marine_hostile import Failure, run_case, share_compiled_modules
from tests.fuzz.marine_mutation import Call, make_case
from tests.runtime.marine.kit import ENGINES

MINUTES = float(os.environ.get("AQUA_FUZZ_MINUTES", "0"))
CASES = 120 + int(1000 * MINUTES)
SEED = 20


@pytest.fixture(autouse=True)
def _shared_modules(monkeypatch):
    monkeypatch.setattr(marine_hostile.artifact, "load_or_compile", marine_hostile.artifact.load_or_compile)
    share_compiled_modules()


def test_hostile_modules_are_answered_the_same_by_every_engine():
    seen: Counter[str] = Counter()

    def job():
        for number in range(CASES):
            case = make_case(SEED, number)
            try:
                answers = run_case(case, tuple(ENGINES))
            except Failure as failure:
                pytest.fail(f"seed {SEED} case {number} ({case.origin}): {failure}")
            seen.update(answer.error_class or "value" for answer in answers)

    submit(stack_bytes(12), job).result()
    assert {"value", "load", "args", "bounds", "call_failed", "type", "cast", "limit"} <= seen.keys()


def test_a_case_is_the_same_for_the_same_seed():
    for number in range(10):
        one, other = make_case(SEED, number), make_case(SEED, number)
        assert (one.modules, one.calls, one.settings) == (other.modules, other.calls, other.settings)
    assert make_case(SEED, 1).calls != make_case(SEED + 1, 1).calls


def test_a_difference_of_engines_is_found(monkeypatch):
    """The comparison itself: an engine that answers something else, and one that loses its service."""
    case = next(case for number in range(20) if (case := make_case(SEED, number)).is_sound)
    case.calls[:] = [Call(None, "echo", ["x"]), Call(None, "get_u8", ["surplus"]), Call(None, "echo", ["y"])]
    assert [answer.value for answer in run_case(case, tuple(ENGINES))][:3] == ["x", None, "y"]
    honest = marine_hostile.make_call
    count = [0]

    def forgetful(service, call, **options):
        count[0] += 1
        answer = honest(service, call, **options)
        return answer._replace(value="z") if count[0] == 6 else answer

    monkeypatch.setattr(marine_hostile, "make_call", forgetful)
    with pytest.raises(Failure, match="call 2"):
        run_case(case, tuple(ENGINES))


@pytest.mark.slow
@pytest.mark.reference
def test_hostile_modules_are_answered_as_by_marine_js():
    theirs = marine_js()
    if theirs is None:
        pytest.skip("marine-js is not here: python3 tasks.py reference")
    counts: Counter[str] = Counter()

    def job():
        for number in range(CASES):
            case = make_case(SEED, number)
            if comparable_case(case):
                difference = compare(case, theirs.answers(case), counts)
                assert difference is None, f"seed {SEED} case {number} ({case.origin}): {difference}"

    try:
        submit(stack_bytes(12), job).result()
    finally:
        theirs.close()
    assert min(counts["value"], counts["error"], counts["refused"]) > 20
