"""What our interpreter writes is what the reference would have written: it goes on from our data as from its own.

Every step of the recorded scripts: our output and the reference's are handed to the reference, as previous data of the same
peer and as data arriving at another one, and both continuations must be equal in everything but the order of map entries.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from avm import Avm, Outcome, RunParameters
from avm.call_data import NO_RESULTS
from avm.crypto.keys import key_pair
from avm.prepare import AIR_PARSE
from runtime.invocation_json import difference
from runtime.reference_avm import ReferenceAvm

pytestmark = pytest.mark.reference

CORPUS = Path(__file__).parents[1] / "conformance" / "data" / "interpreter-data" / "basic.jsonl.gz"
SEEDS = [hashlib.sha256(f"interpreter-data-vectors/{letter}".encode()).digest() for letter in "ABCDEF"]
PEERS = {key_pair(0, seed).peer_id: seed for seed in SEEDS}


def scripts() -> dict[str, list[dict[str, Any]]]:
    """Recorded invocations by script."""
    steps: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(CORPUS, "rt", encoding="utf-8") as file:
        for line in file:
            case = json.loads(line)
            steps[case["id"].rpartition("/")[0]].append(case)
    return steps


SCRIPTS = scripts()


@pytest.fixture(scope="module")
def reference(avm_wasm: Path) -> ReferenceAvm:
    return ReferenceAvm(avm_wasm, random_byte=0)


def check(ours: Outcome, theirs: Outcome, where: str) -> None:
    assert difference(ours, theirs) == {}, where


def test_there_are_enough_scripts() -> None:
    assert len(SCRIPTS) >= 50


@pytest.mark.parametrize("name", SCRIPTS)
def test_reference_goes_on_from_our_data(name: str, reference: ReferenceAvm) -> None:
    vm = Avm()
    for case in SCRIPTS[name]:
        params = RunParameters(secret_key_bytes=bytes.fromhex(case["key_seed"]), **case["params"])
        prev, data, results = (base64.b64decode(case[key]) for key in ("prev_data", "current_data", "call_results"))
        ours = vm.invoke(case["air"], prev, data, params, results)
        theirs = reference.invoke(case["air"], prev, data, params, results)
        check(ours, theirs, case["id"])
        continuations = [
            reference.invoke(case["air"], outcome.data, b"", params, NO_RESULTS) for outcome in (ours, theirs)
        ]
        check(continuations[0], continuations[1], f"{case['id']} as previous data")
        # nothing of what we wrote is refused; a script that does not parse never gets that far
        assert continuations[0].ret_code in (0, *range(10000, 20000)) or ours.ret_code == AIR_PARSE
        for peer in ours.next_peer_pks or (next(iter(PEERS)),):
            if peer in PEERS:
                there = dataclasses.replace(params, current_peer_id=peer, secret_key_bytes=PEERS[peer])
                arrivals = [
                    reference.invoke(case["air"], b"", outcome.data, there, NO_RESULTS) for outcome in (ours, theirs)
                ]
                check(arrivals[0], arrivals[1], f"{case['id']} as data at {peer}")
                check(vm.invoke(case["air"], b"", ours.data, there, NO_RESULTS), arrivals[0], f"{case['id']} at {peer}")
