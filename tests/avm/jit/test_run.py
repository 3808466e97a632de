"""Whole runs in native code give the outcomes of the interpreter, to the byte, whatever the input and the memory are."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from array import array
from collections import Counter
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avm import Avm, CallResult, RunParameters, caches
from avm.call_data import NO_RESULTS
from avm.data.codec import ArchiveError, EnvelopeError, decode, encode
from avm.data.envelope import read_envelope
from avm.jit import library, run
from avm.jit.library import Library
from avm.jit.run import NativeRuns
from avm.outcome import NATIVE as NATIVE_TIER
from tests.avm.jit.native_steps import (
    NATIVE,
    SCRIPTS,
    SEED,
    A,
    arguments,
    damaged,
    declined,
    done,
    history,
    honest_steps,
    new_vm,
    random_steps,
    same,
    seq,
    twin,
)
from tests.fuzz.avm_history import IDS, SEEDS, TIMESTAMP, TTL, Invocation, random_history

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
TWIN_STEPS = 10


@pytest.fixture(scope="module", autouse=True)
def kernels() -> Library:
    pytest.importorskip("llvmlite")
    found = library.get()
    if found is None:
        pytest.skip("no native code on this platform")
    return found


@pytest.fixture(scope="module")
def pool() -> tuple[Invocation, ...]:
    return honest_steps() + random_steps(500, 20)


def first_step(air: str) -> Invocation:
    """A particle at its init peer."""
    parameters = RunParameters(IDS["A"], IDS["A"], TIMESTAMP, TTL, "particle", SEEDS["A"])
    return Invocation("A", air, b"", b"", parameters, NO_RESULTS)


def check(step: Invocation, runs: NativeRuns | None) -> Avm:
    """One step on an interpreter with these buffers must be that of the interpreter in Python."""
    vm = new_vm(runs)
    outcome = vm.invoke(*arguments(step))
    assert same(outcome, Avm("python").invoke(*arguments(step))), step
    assert "bug" not in declined(vm), step
    if outcome.ret_code != 0:
        assert outcome.tier != NATIVE_TIER
    return vm


# ── the same as the interpreter ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts(name: str) -> None:
    vm = Avm("jit")
    steps = history(SCRIPTS[name], SEED, Avm("python"), vm)
    if name in NATIVE:
        assert (done(vm), declined(vm)) == (steps, {})


@pytest.mark.parametrize("seed", range(40, 46))
@pytest.mark.parametrize("name", NATIVE)
def test_native_code_serves_other_histories(name: str, seed: int) -> None:
    """Other orders of delivery: loss, repetition, gossip. Services give the same answers, so nothing is declined."""
    vm = Avm("jit")
    steps = history(NATIVE[name], seed, Avm("python"), vm, steps=40)
    assert (done(vm), declined(vm)) == (steps, {})


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_kernels_are_the_same_in_python(name: str) -> None:
    native, python = Avm("jit"), new_vm(NativeRuns(twin()))
    history(SCRIPTS[name], SEED, Avm("python"), native, python, steps=TWIN_STEPS)
    assert done(python) == done(native)
    assert declined(python) == declined(native)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(900, 912))
def test_the_kernels_are_the_same_in_python_for_random_scripts(seed: int) -> None:
    air, manners = random_history(seed)
    native, python = Avm("jit"), new_vm(NativeRuns(twin()))
    history(air, seed, Avm("python"), native, python, steps=6, manners=manners)
    assert done(python) == done(native)
    assert declined(python) == declined(native)


@pytest.mark.slow
def test_the_kernels_are_the_same_in_python_for_damaged_steps(pool: tuple[Invocation, ...]) -> None:
    rng = random.Random(3)
    for _ in range(40):
        step = damaged(rng, rng.choice(pool), pool)
        native, python = check(step, None), check(step, NativeRuns(twin()))
        assert done(python) == done(native)
        assert declined(python) == declined(native)


@given(seed=st.integers(0, 2**40))
@example(seed=100355)
@example(seed=101367)
def test_random_histories(seed: int) -> None:
    air, manners = random_history(seed)
    history(air, seed, Avm("python"), Avm("jit"), steps=12, manners=manners)


def test_native_code_serves_random_histories() -> None:
    total = native = 0
    for seed in range(60):
        air, manners = random_history(seed)
        vm = Avm("jit")
        total += history(air, seed, Avm("python"), vm, steps=10, manners=manners)
        native += done(vm)
    assert native > total // 3


@given(number=st.integers(0, 10**6), seed=st.integers(0, 2**32))
def test_damaged_steps(pool: tuple[Invocation, ...], number: int, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(4):
        check(damaged(rng, pool[number % len(pool)], pool), None)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["maps", "loops over streams", "new", "services that fail", "literals"])
def test_every_place_of_an_archive(name: str) -> None:
    """Each word a little off, and each byte another one, in the data that arrives and in the peer's own, which nobody verifies."""
    found: list[Invocation] = []
    history(SCRIPTS[name], SEED, Avm("python"), see=found.append)
    rng = random.Random(name)
    step = max(found, key=lambda step: (bool(step.data), len(step.prev_data)))
    for field in ("data", "prev_data"):
        data = getattr(step, field)
        inner = len(read_envelope(data).inner) if data else 0
        for at in range(len(data) - inner, len(data) - 3, 4):
            word = int.from_bytes(data[at : at + 4], "big") + rng.choice((1, -1, 2, -2, 3, 4, -4, 8, -8, 12, 24, -24))
            byte = at + rng.randrange(4)
            other = data[byte] ^ rng.choice((1 << rng.randrange(8), 0x80, rng.randrange(1, 256)))
            for size, number, start in ((4, word & 0xFFFFFFFF, at), (1, other, byte)):
                changed = data[:start] + number.to_bytes(size, "big") + data[start + size :]
                check(replace(step, **{field: changed}), None)


@pytest.mark.parametrize("store", ["service_results", "canon_results"])
def test_what_arrives_must_stand_by_itself(store: str, pool: tuple[Invocation, ...]) -> None:
    """States of the current data that name entries which only the previous data has."""
    found: Counter[int] = Counter()
    for step in pool:
        if not step.data or not step.prev_data:
            continue
        try:
            data, prev = decode(step.data), decode(step.prev_data)
        except (ArchiveError, EnvelopeError):
            continue
        entries, known = getattr(data.stores, store), getattr(prev.stores, store)
        for cid in entries.keys() & known.keys():
            del entries[cid]
            changed = replace(step, data=encode(data))
            found[Avm("python").invoke(*arguments(changed)).ret_code] += 1
            check(changed, None)
    assert found[8] > 3


def test_damage_reaches_native_code(kernels: Library, pool: tuple[Invocation, ...]) -> None:
    """Damaged steps are tried natively, some are done, and some are declined by each of the kernels."""
    rng, runs = random.Random(9), NativeRuns(kernels)
    for _ in range(600):
        check(damaged(rng, rng.choice(pool), pool), runs)
    assert runs.done > 40
    reasons = {"signature", "form of the archive", "content identifier", "signers", "trace does not fit"}
    assert reasons <= runs.declined.keys()


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_particles_follow_each_other(kernels: Library, pool: tuple[Invocation, ...]) -> None:
    """What a run leaves in the buffers is nothing to the next one, be it of another script or declined half-way."""
    rng, used = random.Random(1), NativeRuns(kernels)
    for _ in range(250):
        step = rng.choice(pool)
        if rng.random() < 0.3:
            step = damaged(rng, step, pool)
        fresh = NativeRuns(kernels)
        before, reasons = used.done, sum(used.declined.values())
        check(step, used)
        check(step, fresh)
        assert (used.done - before, sum(used.declined.values()) - reasons) == (fresh.done, sum(fresh.declined.values()))
    assert used.done > 100


def test_outcomes_outlive_the_buffers(kernels: Library, pool: tuple[Invocation, ...]) -> None:
    """Requests are read when somebody looks at them, which may be after other runs."""
    runs, kept = NativeRuns(kernels), []
    for step in pool:
        outcome = new_vm(runs).invoke(*arguments(step))
        if outcome.tier == NATIVE_TIER and outcome.call_requests:
            kept.append((step, outcome))
    assert len(kept) > 20
    for step, outcome in kept:
        assert same(outcome, Avm("python").invoke(*arguments(step)))


def contents(rng: random.Random) -> Iterator[tuple[int, int]]:
    """What may stand in each byte of the arena, and in each word of the heap."""
    yield 0xFF, -1
    yield ord('"'), 1
    yield 0, 1 << 62
    yield rng.randrange(256), rng.randrange(1 << 14)


def test_memory_that_is_not_empty(kernels: Library, pool: tuple[Invocation, ...]) -> None:
    rng = random.Random(2)
    for step in rng.sample(pool, 120):
        fresh = NativeRuns(kernels)
        check(step, fresh)
        for byte, word in contents(rng):
            runs = NativeRuns(kernels)
            runs._arena = array("B", [byte]) * (1 << 16)
            runs._words = array("q", [word]) * (1 << 14)
            check(step, runs)
            assert (runs.done, runs.declined) == (fresh.done, fresh.declined)


def test_hashes_decide_nothing(kernels: Library, pool: tuple[Invocation, ...]) -> None:
    for step in random.Random(4).sample(pool, 120):
        answers = []
        for seed in (0, 1, 0x5BD1E995, 0xFFFFFFFF):
            runs = NativeRuns(kernels)
            runs._seed = seed
            check(step, runs)
            answers.append((runs.done, runs.declined))
        assert answers[1:] == answers[:-1]


def test_buffers_grow(kernels: Library, pool: tuple[Invocation, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_HEAP_WORDS", 256)
    grown = 0
    for step in random.Random(5).sample(pool, 150):
        fresh = NativeRuns(kernels)
        check(step, fresh)
        runs = NativeRuns(kernels)
        runs._arena = array("B", bytes(64))
        runs._words = array("q", bytes(8 * 256))
        check(step, runs)
        assert (runs.done, runs.declined) == (fresh.done, fresh.declined)
        grown += runs.done and len(runs._words) > 256 and len(runs._arena) > 64
    assert grown > 60


def doubling(times: int) -> str:
    """A script whose value doubles."""
    steps = [f"(canon {A} $s{k} #c{k})" for k in range(times)]
    pairs = [f"(seq (ap #c{k} $s{k + 1}) (ap #c{k} $s{k + 1}))" for k in range(times)]
    return seq("(ap 1 $s0)", *(part for both in zip(steps, pairs, strict=True) for part in both))


@pytest.mark.parametrize(
    ("step", "buffer"),
    [
        (first_step(doubling(14)), "_arena"),
        (first_step(seq(*(f"(ap 1 x{number})" for number in range(1000)))), "_words"),
    ],
    ids=["arena", "heap"],
)
def test_a_run_that_wants_too_much_is_declined(
    step: Invocation, buffer: str, kernels: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = NativeRuns(kernels)
    size = len(getattr(runs, buffer))
    check(step, runs)
    assert (runs.done, runs.declined) == (1, {})
    assert len(getattr(runs, buffer)) > size
    monkeypatch.setattr(run, "BUFFER_BYTES_MAX", 1000)
    runs = NativeRuns(kernels)
    check(step, runs)
    assert (runs.done, runs.declined) == (0, {"memory": 1})


def test_texts_that_collide(kernels: Library) -> None:
    """The hash looks at the ends of a text. Many that agree there make the run decline, not slow."""
    names = [f"the-same-{number:03}-the-same-again-and-again" for number in range(200)]
    step = first_step(seq(*(f'(call {A} ("{name}" "f") [])' for name in names[:2])))
    assert done(check(step, NativeRuns(kernels))) == 1
    pars = "".join(f'(par (call {A} ("{name}" "f") []) ' for name in names) + "(null)" + ")" * len(names)
    vm = check(first_step(pars), NativeRuns(kernels))
    assert (done(vm), declined(vm)) == (0, {"texts that collide": 1})


# ── stray accesses ───────────────────────────────────────────────────────────────────────────────────────────────────

linux = pytest.mark.skipif(sys.platform != "linux", reason="page protection is tried on Linux")


def guarded(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.avm.jit.guarded_runs", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def tally(*args: str) -> dict[str, Any]:
    ended = guarded(*args)
    assert ended.returncode == 0, f"{ended.returncode}\n{ended.stderr[-3000:]}"
    found = json.loads(ended.stdout)
    assert isinstance(found, dict)
    return found


@linux
@pytest.mark.slow
def test_runs_touch_nothing_outside_of_their_buffers() -> None:
    found = tally("runs", "--seed", "1", "--count", "80")
    assert found["calls"] > 1000
    assert found["done"] > 50
    assert found["declined"] > 10
    assert found["cut and repeated"] > 50


@linux
@pytest.mark.slow
def test_kernels_touch_nothing_outside_of_their_buffers() -> None:
    found = tally("kernels", "--seed", "1", "--count", "150")
    assert min(found["answers"], found["refusals"], found["scripts taken"]) > 40


@linux
@pytest.mark.slow
@pytest.mark.parametrize("how", ["read", "write", "kernel"])
def test_a_stray_access_would_be_seen(how: str) -> None:
    ended = guarded(how)
    assert ended.returncode == -signal.SIGSEGV
    assert ended.stdout.startswith("inside")


def test_interpreters_of_several_threads_do_not_meet() -> None:
    """Kernels let other threads run, so nothing they write to may be shared."""
    steps = honest_steps()
    expected = [Avm("python").invoke(*arguments(step)) for step in steps]
    failed: list[int] = []

    def work(first: int) -> None:
        for turn in range(3):
            vm = Avm("jit")
            order = [(index * 7 + first + turn) % len(steps) for index in range(len(steps))]
            failed.extend(index for index in order if not same(vm.invoke(*arguments(steps[index])), expected[index]))

    threads = [Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize("timestamp", [0, 2**63 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("ttl", [0, 2**32 - 1])
def test_times_at_their_limits(timestamp: int, ttl: int) -> None:
    """A timestamp has 64 bits without a sign."""
    parameters = RunParameters(IDS["A"], IDS["A"], timestamp, ttl, "times", SEEDS["A"])
    script = f'(call "{IDS["A"]}" ("s" "f") [%timestamp% %ttl%] x)'
    ours, expected = (Avm(engine).invoke(script, b"", b"", parameters, NO_RESULTS) for engine in ("jit", "python"))
    assert same(ours, expected)
    assert ours.call_requests[1].arguments == [timestamp, ttl]


@pytest.mark.parametrize("levels", [1, 125, 126, 127])
def test_arguments_as_deep_as_values_may_be(levels: int) -> None:
    """An argument lies in the array of arguments; what a service answers may be 127 levels deep."""
    script = f'(seq (call "{IDS["A"]}" ("s" "f") [] x) (call "{IDS["A"]}" ("s" "g") [x "[{{"] y))'
    value = "[" * levels + '"]"' + "]" * levels
    outcomes = []
    for engine in ("jit", "python"):
        vm = Avm(engine)
        parameters = RunParameters(IDS["A"], IDS["A"], 1, 2, "deep", SEEDS["A"])
        data = vm.invoke(script, b"", b"", parameters, NO_RESULTS).data
        outcomes.append(vm.invoke(script, data, b"", parameters, {1: CallResult(0, value)}))
    ours, expected = outcomes
    assert same(ours, expected)
    assert ours.call_requests[2].arguments == [json.loads(value), "[{"]
    assert (ours.tier == NATIVE_TIER) == (levels < 127)


def test_a_script_with_errors_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wording the report takes long, and whoever sends such a script should not get that twice."""
    read: list[str] = []
    exact = caches._exact_program
    monkeypatch.setattr(caches, "_exact_program", lambda air: (read.append(air), exact(air))[1])
    parameters = RunParameters(IDS["A"], IDS["A"], 1, 2, "errors", SEEDS["A"])
    assert Avm("jit").invoke("(seq (null)", b"", b"", parameters, NO_RESULTS).ret_code == 1
    assert read == ["(seq (null)"]
