"""Laws of merging, on random networks and on compiled-like programs under every order of delivery.

What is promised, and what is not: a recursive fold over a stream may skip values that arrive late (defect D1) and drop their
states, and a failure read from data ends such a fold earlier (D8); so laws about traces leave scripts with such folds out.
A failing `canon` takes a state that belongs to a later instruction (D2); these laws are stated with D2 and D3 switched off.
Laws about stores and purity hold for all scripts, as they are by default.
Merging is what a run does with previous data and data that arrive; that a merge is idempotent, and that neither the order nor the
grouping of merges matters, is said of the facts of a trace, because positions and generations follow the order of arrival.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm import Avm
from avm.call_data import NO_RESULTS, encode_call_results
from avm.data.codec import decode
from avm.data.interpreter_data import InterpreterData
from avm.exec.context import DEFAULT_OPTIONS, VmOptions
from avm.outcome import CallResult, Outcome, RunParameters
from avm.trace.states import CANON, FAILED, SCALAR, STREAM, UNUSED
from runtime.sim.air_scripts import valid_script
from tests.fuzz.avm_history import HONEST, IDS, NAMES, SEEDS, Invocation, play, service

pytestmark = pytest.mark.slow

FACTS = frozenset({SCALAR, STREAM, UNUSED, FAILED, CANON})
FIXED = VmOptions(fix_d2=True, fix_d3=True)
STORES = ("values", "tetraplets", "canon_elements", "canon_results", "service_results")
seeds = st.integers(0, 2**32)


def facts(data: InterpreterData) -> Counter[tuple[int, str]]:
    """What a trace says was done, without positions, generations and senders."""
    return Counter((state[0], state[1]) for state in data.trace if state[0] in FACTS)


def has_stream_fold(air: str) -> bool:
    return "(fold $" in air or "(fold %" in air


def honest_steps(seed: int, steps: int = 14, options: VmOptions = DEFAULT_OPTIONS) -> list[tuple[Invocation, Outcome]]:
    """A random script on an honest but unreliable network."""
    rng = random.Random(seed)
    air = valid_script(rng, list(IDS.values())[:3], rng.choice((8, 16, 28)))
    avm = Avm(options=options)
    found: list[tuple[Invocation, Outcome]] = []

    def invoke(step: Invocation) -> Outcome:
        outcome = avm.invoke(step.air, step.prev_data, step.data, step.parameters, step.call_results)
        found.append((step, outcome))
        return outcome

    play(air, seed, steps, invoke, HONEST)
    return found


def run(
    step: Invocation, prev: bytes, data: bytes, results: bytes = NO_RESULTS, options: VmOptions = DEFAULT_OPTIONS
) -> Outcome:
    """The same peer and script on other data."""
    return Avm(options=options).invoke(step.air, prev, data, step.parameters, results)


@given(seeds)
def test_a_run_is_a_function_of_its_inputs(seed: int) -> None:
    """Replayed with no caches, a history gives the same bytes."""
    for step, outcome in honest_steps(seed, 6):
        assert run(step, step.prev_data, step.data, step.call_results) == outcome


@given(seeds)
def test_the_same_data_again_change_nothing(seed: int) -> None:
    """After a run: nothing, the data that just came, or one's own data; they add no fact and cause no effect."""
    for step, outcome in honest_steps(seed, options=FIXED):
        if outcome.ret_code != 0 or has_stream_fold(step.air):
            continue
        before = decode(outcome.data)
        for data in (b"", step.data, outcome.data):
            again = run(step, outcome.data, data, options=FIXED)
            assert again.ret_code == 0, again.error_message
            assert again.next_peer_pks == ()
            assert again.call_requests == {}
            after = decode(again.data)
            assert after.trace == before.trace
            assert after.stores == before.stores
            assert after.signatures == before.signatures
            assert after.last_call_request_id == before.last_call_request_id


@given(seeds)
def test_nothing_leaves_a_store(seed: int) -> None:
    """Stores of the output contain those of both inputs, whatever the outcome; the request counter never goes back."""
    for step, outcome in honest_steps(seed):
        out = decode(outcome.data)
        prev, current = decode(step.prev_data), decode(step.data)
        assert out.last_call_request_id >= prev.last_call_request_id
        if outcome.ret_code in range(1, 11) or 20000 <= outcome.ret_code < 30000:
            assert outcome.data == step.prev_data
            continue
        for name in STORES:
            store = getattr(out.stores, name)
            assert getattr(prev.stores, name).items() <= store.items()
            assert getattr(current.stores, name).items() <= store.items()


@given(seeds)
def test_facts_only_grow_without_stream_folds(seed: int) -> None:
    for step, outcome in honest_steps(seed, options=FIXED):
        if outcome.ret_code not in (0, 30000) or has_stream_fold(step.air):
            continue
        known = facts(decode(step.prev_data)) | facts(decode(step.data))
        assert known <= facts(decode(outcome.data))


@given(seeds)
def test_two_peers_data_merge_the_same_both_ways(seed: int) -> None:
    """merge(a, b) and merge(b, a) hold the same facts and cause the same effects."""
    steps = honest_steps(seed, options=FIXED)
    if not steps or has_stream_fold(steps[0][0].air):
        return
    last: dict[str, tuple[Invocation, Outcome]] = {
        step.peer: (step, outcome) for step, outcome in steps if outcome.data
    }
    pairs = list(last.values())
    for (step, one), (_, other) in pairwise(pairs):
        left = run(step, one.data, other.data, options=FIXED)
        right = run(step, other.data, one.data, options=FIXED)
        assert left.ret_code == right.ret_code
        if left.ret_code == 0:
            assert facts(decode(left.data)) == facts(decode(right.data))
            assert len(decode(left.data).trace) == len(decode(right.data).trace)


@given(seeds)
def test_grouping_of_merges_does_not_matter(seed: int) -> None:
    """merge(merge(a, b), c) and merge(a, merge(b, c)) hold the same facts, each other's stores and the same signers."""
    steps = honest_steps(seed, 20, options=FIXED)
    if not steps or has_stream_fold(steps[0][0].air):
        return
    last = {step.peer: (step, outcome.data) for step, outcome in steps if outcome.data}
    for (step, a), (_, b), (_, c) in permutations(last.values(), 3):

        def merge(one: bytes, other: bytes, step: Invocation = step) -> Outcome:
            return run(step, one, other, options=FIXED)

        left_inner, right_inner = merge(a, b), merge(b, c)
        left, right = merge(left_inner.data, c), merge(a, right_inner.data)
        if {item.ret_code for item in (left_inner, right_inner, left, right)} != {0}:
            continue
        one, other = decode(left.data), decode(right.data)
        assert facts(one) == facts(other)
        assert len(one.trace) == len(other.trace)
        assert one.signatures.keys() == other.signatures.keys()
        for name in STORES:
            assert getattr(one.stores, name) == getattr(other.stores, name)


@given(seeds)
def test_gossip_converges(seed: int) -> None:
    """When nobody answers requests any more and everybody gets everybody's data, all come to hold the same facts."""
    steps = honest_steps(seed, 20, options=FIXED)
    if not steps or has_stream_fold(steps[0][0].air):
        return
    held = {step.peer: (step, outcome.data) for step, outcome in steps if outcome.data}
    known: list[Any] = []
    for _ in range(len(held) + 1):
        for name, other in permutations(held, 2):
            step, data = held[name]
            outcome = run(step, data, held[other][1], options=FIXED)
            if outcome.ret_code not in (0, 30000):
                return  # an error object that every peer words otherwise: two peers may refuse each other for ever
            held[name] = (step, outcome.data)
        known = [facts(decode(data)) for _, data in held.values()]
    assert all(item == known[0] for item in known)


# ── programs under any order of delivery ─────────────────────────────────────────────────────────────────────────────

A, B, C, D = (f'"{IDS[name]}"' for name in "ABCD")
PROGRAMS = {
    "sequence": f'(seq (call {A} ("s" "obj") [] x) (seq (call {B} ("s" "id") [x.$.a] y) (call {C} ("s" "id") [x y])))',
    "parallel": f'(seq (par (call {B} ("s" "text") [] x) (call {C} ("s" "text") [1] y)) (call {A} ("s" "id") [x y] z))',
    "fan out": (
        f'(seq (call {A} ("s" "arr") [3] x) (seq (seq (par (par (call {B} ("s" "id") [x 1] $s) (call {C} ("s" "id") [x 2] $s)) '
        f'(call {D} ("s" "id") [x 3] $s)) (null)) (call {A} ("s" "id") [x])))'
    ),
    "join": (
        f'(seq (call {A} ("s" "obj") [] x) (seq (par (call {B} ("s" "id") [x] y) (call {C} ("s" "id") [x] z)) '
        f'(seq (call {D} ("s" "id") [y z] w) (call {A} ("s" "id") [w]))))'
    ),
    "failure": (
        f'(xor (seq (call {B} ("s" "obj") [] x) (call {C} ("s" "id") [x.$.missing])) '
        f'(call {A} ("s" "id") [:error:.$.error_code :error:.$.message]))'
    ),
    "fold": (
        f'(seq (call {A} ("s" "peers") [5] p) (seq (fold p i (par (call i ("s" "text") [i] $s) (next i))) '
        f'(call {A} ("s" "id") [p] end)))'
    ),
    "map": (
        f'(seq (seq (ap ("k" 1) %m) (ap ("l" "v") %m)) (seq (canon {B} %m #%m) '
        f'(par (call {C} ("s" "id") [#%m.$.k]) (call {D} ("s" "id") [#%m]))))'
    ),
    "races": (
        f'(par (seq (call {B} ("s" "text") [] x) (call {C} ("s" "id") [x])) '
        f'(par (seq (call {C} ("s" "text") [2] y) (call {B} ("s" "id") [y])) (call {D} ("s" "text") [3] z)))'
    ),
}
EVENTS_MAX = 80


@dataclass
class Network:
    """Events that may happen in any order: deliveries and service answers. Nothing is lost."""

    air: str
    avm: Avm = field(default_factory=Avm)
    stored: dict[str, bytes] = field(default_factory=lambda: dict.fromkeys(IDS, b""))
    calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    events: list[tuple[str, bytes, bytes]] = field(default_factory=lambda: [("A", b"", NO_RESULTS)])

    def happen(self, index: int, *, twice: bool) -> None:
        event = self.events[index % len(self.events)]
        if not twice or event[2] != NO_RESULTS:
            self.events.remove(event)
        self.deliver(*event)

    def deliver(self, name: str, data: bytes, results: bytes) -> Outcome:
        parameters = RunParameters(IDS["A"], IDS[name], 1_700_000_000_000, 7000, "laws", SEEDS[name])
        outcome = self.avm.invoke(self.air, self.stored[name], data, parameters, results)
        assert outcome.ret_code in (0, 10000), outcome.error_message
        self.stored[name] = outcome.data
        for key, request in outcome.call_requests.items():
            result: CallResult = service(IDS[name], request)
            self.calls[name, request.function_name, repr(request.arguments)] += 1
            self.events.append((name, b"", encode_call_results({key: result})))
        self.events += [(NAMES[peer], outcome.data, NO_RESULTS) for peer in sorted(outcome.next_peer_pks)]
        return outcome

    def gossip(self) -> None:
        """Everybody gets everybody's data, until nobody learns anything."""
        for _ in range(3):
            for name in IDS:
                for other, data in list(self.stored.items()):
                    if other != name and data:
                        outcome = self.deliver(name, data, NO_RESULTS)
                        assert not outcome.call_requests, "a quiescent network asks for nothing"


def settle(air: str, picks: list[int], duplicates: set[int]) -> Network:
    """Run a program to the end; `picks` choose the events, some of which happen twice."""
    network = Network(air)
    done = 0
    while network.events:
        network.happen(picks[done % len(picks)], twice=done in duplicates)
        done += 1
        assert done < EVENTS_MAX + len(duplicates)
    return network


def final_facts(network: Network) -> Any:
    """The facts all peers that took part agree on."""
    network.gossip()
    everyone = [facts(decode(data)) for data in network.stored.values() if data]
    assert all(item == everyone[0] for item in everyone)
    return everyone[0]


@given(
    name=st.sampled_from(sorted(PROGRAMS)),
    picks=st.lists(st.integers(0, 50), min_size=1, max_size=30),
    duplicates=st.sets(st.integers(0, 12), max_size=3),
)
def test_any_order_of_delivery_comes_to_the_same(name: str, picks: list[int], duplicates: set[int]) -> None:
    """Facts after gossip and service calls do not depend on order or repetition, and no call is made twice."""
    in_order = settle(PROGRAMS[name], [0], set())
    network = settle(PROGRAMS[name], picks, duplicates)
    assert network.calls == in_order.calls
    assert max(network.calls.values(), default=1) == 1
    assert final_facts(network) == final_facts(in_order)
