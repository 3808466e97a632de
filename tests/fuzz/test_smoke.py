"""Small slices of the fuzzers, the same ones in every run; `tasks.py fuzz` sets AQUA_FUZZ_MINUTES and gets longer ones."""

from __future__ import annotations

import json
import os
import random
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avm import Avm
from avm.call_data import NO_RESULTS, encode_call_results
from avm.data.codec import decode, encode
from avm.outcome import CallResult, Outcome
from runtime.reference_avm import ReferenceAvm
from tests.conformance.areas import avm as scenarios
from tests.fuzz.avm_differential import Comparer, find_difference, shrink
from tests.fuzz.avm_history import HOSTILE, IDS, Invocation, play, random_history
from tests.fuzz.avm_layout import compare as compare_layouts
from tests.fuzz.avm_layout import honest_steps, laid_out
from tests.fuzz.avm_tamper import mutated_bytes, rehash, resign, tampered
from tests.fuzz.targets import PARAMETERS, SCRIPT, TARGETS, check_outcome, seeds

MINUTES = float(os.environ.get("AQUA_FUZZ_MINUTES", "0"))
SCALE = 1 + int(4 * MINUTES)
MEMORY_BYTES_MAX = 4 << 20


FOUND = [json.loads(line) for line in Path(__file__).with_name("found.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("engine", ["python", "interp", "jit"])
@pytest.mark.parametrize("case", FOUND, ids=lambda case: case["id"])
def test_found_differences_stay_fixed(case: dict[str, Any], engine: str) -> None:
    """Steps on which the differential fuzzer once saw the interpreters disagree, with the reference's answers."""
    assert scenarios.replay(case, Avm(engine)) is None


@pytest.mark.slow
@pytest.mark.reference
def test_equals_the_reference(avm_wasm: Path) -> None:
    reference = ReferenceAvm(avm_wasm)
    total = Comparer(reference)
    for seed in range(70):
        air, manners = random_history(seed)
        difference = find_difference(air, seed, manners, reference, total)
        what = "" if difference is None else difference.what
        assert difference is None, f"seed {seed}: {what}\n{air}"
    assert total.steps > 200
    assert len(total.codes) > 8


@pytest.mark.slow
@pytest.mark.reference
def test_other_layouts_equal_the_reference(avm_wasm: Path) -> None:
    comparer = Comparer(ReferenceAvm(avm_wasm))
    compare_layouts(comparer, 1, 200 * SCALE)
    assert comparer.difference is None, comparer.difference
    assert {0, 2} <= comparer.codes.keys()


def test_any_layout_says_the_same() -> None:
    """However the parts of an archive lie, it holds what it was made of, and both engines answer with the same bytes."""
    rng = random.Random(2)
    for step in honest_steps(2, 40):
        other = replace(step, data=laid_out(rng, decode(step.data), 0.2))
        assert other.data != step.data
        assert decode(other.data) == decode(step.data)
        outcomes = [
            Avm(engine).invoke(other.air, other.prev_data, other.data, other.parameters, other.call_results)
            for engine in ("python", "jit")
        ]
        assert outcomes[0] == outcomes[1]


@pytest.mark.slow
def test_hostile_histories_have_outcomes() -> None:
    avm, steps = Avm(), 0

    def invoke(step: Invocation) -> Outcome:
        nonlocal steps
        steps += 1
        outcome = avm.invoke(step.air, step.prev_data, step.data, step.parameters, step.call_results)
        check_outcome(outcome, step.prev_data)
        return outcome

    for seed in range(60 * SCALE):
        air, _ = random_history(seed)
        play(air, seed, 16, invoke, HOSTILE)
    assert steps > 100


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_bytes(name: str) -> None:
    rng, target, honest = random.Random(name), TARGETS[name], seeds(name)
    for data in honest:
        target(data)
    for _ in range(60 * SCALE):
        data = rng.choice(honest)
        for _ in range(rng.choice((1, 1, 2, 4))):
            data = mutated_bytes(rng, data) or data
        target(data)


def test_same_seed_same_history() -> None:
    def history(seed: int) -> list[Invocation]:
        steps: list[Invocation] = []
        avm = Avm()

        def invoke(step: Invocation) -> Outcome:
            steps.append(step)
            return avm.invoke(step.air, step.prev_data, step.data, step.parameters, step.call_results)

        air, manners = random_history(seed)
        play(air, seed, 10, invoke, manners)
        return steps

    assert history(77) == history(77)
    assert history(77)[0].air != history(78)[0].air


def test_rehashed_and_resigned_data_are_accepted() -> None:
    """Forgeries of peers that cheat together pass the checks of preparation, so that fuzzing reaches what lies behind."""
    from tests.fuzz.avm_history import KEYS

    honest = seeds("current_data")[-1]
    data = decode(honest)
    cid = next(iter(data.stores.values))
    data.stores.values[cid] = '"forged"'
    rehash(data)
    resign(data, KEYS, PARAMETERS.particle_id)
    outcome = Avm().invoke(SCRIPT, b"", encode(data), PARAMETERS, NO_RESULTS)
    assert outcome.ret_code not in range(1, 11), outcome.error_message
    assert '"forged"' in decode(encode(data)).stores.values.values()
    rng = random.Random(1)
    assert any(tampered(rng, honest, KEYS, PARAMETERS.particle_id) != honest for _ in range(3))


def test_shrinking_keeps_the_failure() -> None:
    air = f'(seq (par (null) (call "{IDS["A"]}" ("s" "f") [])) (xor (never) (ap 1 x)))'
    assert shrink(air, lambda text: "(ap 1 x)" in text) == "(ap 1 x)"
    assert shrink(air, lambda text: "call" in text) == f'(call "{IDS["A"]}" ("s" "f") [])'


def test_order_of_entries_does_not_depend_on_caches() -> None:
    """Data that arrive in another order than ours and are passed on as they came: the next output is the same bytes."""
    air = f'(seq (call "{IDS["A"]}" ("s" "one") [] x) (seq (call "{IDS["A"]}" ("s" "two") [] y) (call "{IDS["B"]}" ("s" "f") [])))'
    avm = Avm()
    data = b""
    results = NO_RESULTS
    for request_id in range(3):
        data = avm.invoke(air, data, b"", PARAMETERS, results).data
        results = encode_call_results({request_id + 1: CallResult(0, "1")})
    other = decode(data)
    assert len(other.stores.tetraplets) == 2
    other.stores.tetraplets = dict(reversed(other.stores.tetraplets.items()))
    merged = avm.invoke(air, data, encode(other), PARAMETERS, NO_RESULTS)
    assert merged.ret_code == 0
    again = [vm.invoke(air, merged.data, b"", PARAMETERS, NO_RESULTS) for vm in (avm, Avm())]
    assert again[0] == again[1]


# ── sizes that are only claimed ──────────────────────────────────────────────────────────────────────────────────────


def _root(**places: tuple[int, int]) -> bytes:
    """An archive that is only a root, with vectors at claimed places."""
    words = [0] * 15
    for name, (offset, count) in places.items():
        at = {"trace": 0, "values": 3, "tetraplets": 5, "elements": 7, "results": 9, "services": 11, "signatures": 13}[
            name
        ]
        words[at], words[at + 1] = offset, count
    return struct.pack(">iIIiIiIiIiIiIiI", *words)


HUGE = 2**32 - 1
CLAIMS: list[tuple[str, bytes]] = [
    ("archive", _root(trace=(-60, HUGE))),
    ("archive", _root(values=(0, HUGE))),
    ("archive", bytes(64) + _root(signatures=(-64, HUGE))),
    ("archive", bytes(1 << 16) + _root(trace=(-(1 << 16), (1 << 16) // 24), services=(-60, 2**31))),
    ("archive", (b"\3" + bytes(3) + struct.pack(">iI", -4, HUGE) + bytes(12)) * 100 + _root(trace=(-2400, 100))),
    ("archive", (b"\2" + bytes(3) + struct.pack(">iI", -4, HUGE) + bytes(12)) * 100 + _root(trace=(-2400, 100))),
    ("envelope", b"\xdf\xff\xff\xff\xff"),
    ("envelope", b"\x83\xaainner_data\xc6\xff\xff\xff\xff"),
    ("envelope", b"\x83\xaainner_data\xdd\xff\xff\xff\xff" + b"\1" * 100),
    ("envelope", b"\x83\xa1x" + b"\x91" * 100_000),
    ("call_results", b"\x81\x04\xdf\xff\xff\xff\xff"),
    ("call_results", b"\x81\x04\x81\xdb\xff\xff\xff\xff"),
    ("call_results", b"\x81\x04\x81\xa11\xdd\xff\xff\xff\xff\x00"),
    ("call_results", b"\x81\x04\x81\xa11\x81\xa1x" + b"\x81" * 100_000),
    ("json", b"[" * 100_000),
    ("json", b'{"a":' * 100_000),
    ("json", b"1" * 100_000),
    ("air", b"(" * 10_000),
    ("air", b"(seq " * 3_000),
    (
        "current_data",
        b"\x83\xa7version\xa60.17.2\xb3interpreter_version\xa60.62.0\xaainner_data\xc4\x3c" + _root(values=(-4, HUGE)),
    ),
    (
        "prev_data",
        b"\x83\xa7version\xa60.17.2\xb3interpreter_version\xa60.62.0\xaainner_data\xc4\x3c" + _root(trace=(0, HUGE)),
    ),
    ("results", b"\x81\x04\xdf\xff\xff\xff\xff\xa11\x82"),
]


@pytest.mark.parametrize(("name", "data"), CLAIMS, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CLAIMS)])
def test_claimed_sizes_take_no_memory(name: str, data: bytes) -> None:
    target: Callable[[bytes], None] = TARGETS[name]
    target(data)  # what is made once, such as tables of the parser, is not counted
    tracemalloc.start()
    try:
        target(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_BYTES_MAX + 400 * len(data), f"{peak >> 20} MiB for {len(data)} bytes"
