"""Properties of random scripts on random networks, without and with the reference."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avm import Avm, Outcome
from avm.air import parse
from avm.data.codec import decode, encode
from avm.data.human import human_view
from avm.exec.context import VmOptions
from runtime.reference_avm import ReferenceAvm, ReferenceTrapError
from tests.avm.forged_traces import forge
from tests.avm.random_scripts import Invocation, random_script, run_network


def scripts(first: int, count: int) -> list[tuple[int, str]]:
    """The next `count` scripts that validate."""
    found: list[tuple[int, str]] = []
    seed = first
    while len(found) < count:
        air = random_script(seed, random.Random(seed).randint(3, 40))
        if parse(air).instruction is not None:
            found.append((seed, air))
        seed += 1
    return found


def view(outcome: Outcome) -> dict[str, Any]:
    """Everything of an outcome that is the same for any implementation."""
    return {
        "ret_code": outcome.ret_code,
        # the order of unprocessed results is random in the reference
        "error_message": outcome.error_message if outcome.ret_code != 30000 else "",
        "next_peers": sorted(outcome.next_peer_pks),
        "requests": outcome.call_requests,
        "data": human_view(decode(outcome.data))["data"] if outcome.data else None,
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [VmOptions(), VmOptions(fix_d1=True, fix_d2=True, fix_d3=True)], ids=["default", "fixed"]
)
def test_replaying_own_data_changes_nothing(options: VmOptions) -> None:
    """A run on the data of the last run, with nothing new, gives that data; it sends and asks nothing."""
    avm = Avm(options=options)
    replayed = 0

    def invoke(inputs: Invocation) -> Outcome:
        nonlocal replayed
        outcome = avm.invoke(inputs.air, inputs.prev_data, inputs.data, inputs.parameters, inputs.results)
        assert outcome.ret_code not in range(20000, 20013) or outcome.ret_code in {20000, 20007}, outcome.error_message
        if outcome.ret_code == 0:
            again = avm.invoke(inputs.air, outcome.data, b"", inputs.parameters, {})
            assert again.next_peer_pks == ()
            assert again.call_requests == {}
            before, after = decode(outcome.data), decode(again.data)
            if again.ret_code == 0 and "fold $" not in inputs.air and "fold %" not in inputs.air:
                # a fold over a stream may drop states in a later run, see D8
                assert after.trace == before.trace
                assert after.signatures == before.signatures
            replayed += 1
        return outcome

    for seed, air in scripts(10_000, 60):
        run_network(air, seed, 20, invoke)
    assert replayed > 100


def forged(inputs: Invocation, rng: random.Random) -> Invocation | None:
    """The same inputs with an edited trace in the previous data, which no signature protects."""
    if not inputs.prev_data:
        return None
    data = decode(inputs.prev_data)
    data.trace = forge(data.trace, rng)
    return replace(inputs, prev_data=encode(data))


@pytest.mark.slow
def test_forged_traces_are_answered() -> None:
    """Any trace gets an answer, and an answer that ends the run leaves the data as they were."""
    avm = Avm()
    codes = set()
    for seed, air in scripts(30_000, 80):
        rng = random.Random(seed)

        def invoke(inputs: Invocation, rng: random.Random = rng) -> Outcome:
            edited = forged(inputs, rng)
            if edited is not None:
                answer = avm.invoke(edited.air, edited.prev_data, edited.data, edited.parameters, edited.results)
                codes.add(answer.ret_code)
                if 20000 <= answer.ret_code < 30000:
                    assert answer.data == edited.prev_data
                    assert not answer.call_requests
            return avm.invoke(inputs.air, inputs.prev_data, inputs.data, inputs.parameters, inputs.results)

        run_network(air, seed, 20, invoke)
    assert {0, 20000} <= codes


@pytest.mark.slow
@pytest.mark.reference
def test_forged_traces_are_answered_as_by_the_reference(avm_wasm: Path) -> None:
    ours, reference = Avm(), ReferenceAvm(avm_wasm)
    compared = 0
    for seed, air in scripts(40_000, 80):
        rng = random.Random(seed)

        def invoke(inputs: Invocation, rng: random.Random = rng) -> Outcome:
            nonlocal compared
            edited = forged(inputs, rng)
            if edited is not None:
                arguments = (edited.air, edited.prev_data, edited.data, edited.parameters, edited.results)
                mine = ours.invoke(*arguments)
                try:
                    assert without_fold_order(view(mine)) == without_fold_order(view(reference.invoke(*arguments)))
                except ReferenceTrapError:
                    assert mine.ret_code != 0
                compared += 1
            return ours.invoke(inputs.air, inputs.prev_data, inputs.data, inputs.parameters, inputs.results)

        run_network(air, seed, 20, invoke)
    assert compared > 80


def without_fold_order(outcome: dict[str, Any]) -> dict[str, Any]:
    """The reference prints the windows of a fold in random order."""
    return outcome | {"error_message": re.sub(r"ResolvedFold \{.*\}", "", outcome["error_message"])}


@pytest.mark.slow
@pytest.mark.reference
def test_equals_the_reference(avm_wasm: Path) -> None:
    ours, reference = Avm(), ReferenceAvm(avm_wasm)
    compared = 0

    def invoke(inputs: Invocation) -> Outcome | None:
        nonlocal compared
        mine = ours.invoke(inputs.air, inputs.prev_data, inputs.data, inputs.parameters, inputs.results)
        try:
            theirs = reference.invoke(inputs.air, inputs.prev_data, inputs.data, inputs.parameters, inputs.results)
        except ReferenceTrapError:
            assert mine.ret_code != 0
            assert mine.data == inputs.prev_data
            return None
        assert view(mine) == view(theirs), inputs.air
        compared += 1
        return theirs

    for seed, air in scripts(20_000, 120):
        run_network(air, seed, 20, invoke)
    assert compared > 300
