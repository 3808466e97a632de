"""Whole invocations of the interpreter, ours against `avm.wasm` on a warm wasmtime instance.

Each iteration is another particle with other values, so that nothing is found in a cache that a host would not find there;
`replay` in a name says that the same one comes again. Inputs are made by the reference where it is installed, so that our caches hold
none of them. The workloads from `multiple-cids` on follow those of aquavm's `junk/gen-bench-data`, by description.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from avm import Avm
from avm.call_data import NO_RESULTS, encode_call_results
from avm.crypto.keys import KeyPair
from avm.outcome import CallRequest, CallResult, Outcome, RunParameters
from runtime.reference_avm import ReferenceAvm
from tests.bench.runner import Row, interleaved
from tests.fuzz.avm_differential import reference_module

SEEDS: Final = {name: hashlib.sha256(f"bench:{name}".encode()).digest() for name in [*"ABCDE", *map(str, range(25))]}
IDS: Final = {name: KeyPair(seed).peer_id for name, seed in SEEDS.items()}
NAMES: Final = {peer_id: name for name, peer_id in IDS.items()}
A, B, C, D, E = (f'"{IDS[name]}"' for name in "ABCDE")

Service = Callable[[str, CallRequest], Any]


class Vm(Protocol):
    """Either interpreter."""

    def invoke(
        self, air: str, prev_data: bytes, data: bytes, params: RunParameters, call_results: bytes
    ) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Call:
    """All arguments of one invocation."""

    air: str
    prev_data: bytes
    data: bytes
    parameters: RunParameters
    results: bytes = NO_RESULTS

    def on(self, vm: Vm) -> Outcome:
        """Run it."""
        return vm.invoke(self.air, self.prev_data, self.data, self.parameters, self.results)


@dataclass
class Particle:
    """A small network that makes inputs: peers answer their requests at once, messages are delivered by name."""

    vm: Vm
    air: str
    number: int
    service: Service
    stored: dict[str, bytes] = field(default_factory=dict)

    def call(self, peer: str, data: bytes = b"", results: bytes = NO_RESULTS) -> Call:
        parameters = RunParameters(IDS["A"], IDS[peer], 1_700_000_000_000, 60_000, f"bench-{self.number}", SEEDS[peer])
        return Call(self.air, self.stored.get(peer, b""), data, parameters, results)

    def run(self, peer: str, data: bytes = b"") -> Outcome:
        """Deliver `data`, then answer requests until there are none."""
        outcome = self.step(self.call(peer, data), peer)
        while outcome.call_requests:
            outcome = self.step(self.call(peer, results=self.answers(peer, outcome)), peer)
        return outcome

    def answers(self, peer: str, outcome: Outcome) -> bytes:
        return encode_call_results(
            {
                key: CallResult(0, json.dumps(self.service(peer, request)))
                for key, request in outcome.call_requests.items()
            }
        )

    def step(self, call: Call, peer: str) -> Outcome:
        outcome = call.on(self.vm)
        assert outcome.ret_code == 0, outcome.error_message
        self.stored[peer] = outcome.data
        return outcome


def echo(_peer: str, request: CallRequest) -> Any:
    """Answers its arguments."""
    return request.arguments


def values(count: int, number: int) -> list[str]:
    """Different strings for each particle."""
    return [f"val{index}-{number}" for index in range(count)]


# ── workloads: each makes the inputs of particle `number` ────────────────────────────────────────────────────────────


def null_first(_vm: Vm, number: int) -> Call:
    return Particle(_vm, f"; {number}\n(null)", number, echo).call("A")


def null_known(_vm: Vm, number: int) -> Call:
    return Particle(_vm, "(null)", number, echo).call("A")


def call_result(vm: Vm, number: int) -> Call:
    particle = Particle(vm, '(call %init_peer_id% ("s" "f") [1] x)', number, echo)
    outcome = particle.step(particle.call("A"), "A")
    return particle.call(
        "A", results=encode_call_results({key: CallResult(0, f'"v{number}"') for key in outcome.call_requests})
    )


def first_arrival(vm: Vm, number: int) -> Call:
    particle = Particle(vm, f'(seq (call {A} ("s" "f") [] x) (call {B} ("s" "g") [x] y))', number, lambda *_: number)
    return particle.call("B", particle.run("A").data)


def three_peers(vm: Vm, number: int) -> Call:
    air = (
        f'(seq (call {A} ("s" "f") [] x) (seq (par (call {B} ("s" "g") [x] y) (call {C} ("s" "h") [x] z)) '
        f'(call {A} ("s" "end") [x y z])))'
    )
    particle = Particle(vm, air, number, lambda peer, _: f"{peer}{number}")
    data = particle.run("A").data
    from_b, from_c = particle.run("B", data).data, particle.run("C", data).data
    particle.step(particle.call("A", from_b), "A")
    return particle.call("A", from_c)


def _many_calls(vm: Vm, number: int, count: int, size: int) -> Particle:
    air = (
        f'(seq (call {A} ("s" "items") [] items) (seq (fold items i (par (call {A} ("s" "f") [i] $s) (next i))) '
        f'(call {B} ("s" "end") [items])))'
    )

    def service(_peer: str, request: CallRequest) -> Any:
        if request.function_name == "items":
            return values(count, number)
        return f"{request.arguments[0]}:".ljust(size, "x")

    return Particle(vm, air, number, service)


def _before_results(particle: Particle) -> Call:
    outcome = particle.step(particle.call("A"), "A")
    outcome = particle.step(particle.call("A", results=particle.answers("A", outcome)), "A")
    return particle.call("A", results=particle.answers("A", outcome))


def results_57_kb(vm: Vm, number: int) -> Call:
    return _before_results(_many_calls(vm, number, 100, 100))


def arrives_57_kb(vm: Vm, number: int) -> Call:
    particle = _many_calls(vm, number, 100, 100)
    return particle.call("B", particle.run("A").data)


def results_1_mb(vm: Vm, number: int) -> Call:
    return _before_results(_many_calls(vm, number, 1000, 480))


def arrives_1_mb(vm: Vm, number: int) -> Call:
    particle = _many_calls(vm, number, 1000, 480)
    return particle.call("B", particle.run("A").data)


def merge_1_mb(vm: Vm, number: int) -> Call:
    particle = _many_calls(vm, number, 1000, 480)
    data = particle.run("A").data
    particle.step(particle.call("B", data), "B")
    return particle.call("B", data)


def one_value_1_mb(vm: Vm, number: int) -> Call:
    air = f'(seq (call {A} ("s" "f") [] x) (call {B} ("s" "g") [] y))'
    particle = Particle(vm, air, number, lambda *_: [f"{number}-{index}-".ljust(100, "é") for index in range(5000)])
    return particle.call("B", particle.run("A").data)


def multiple_cids(vm: Vm, number: int) -> Call:
    air = (
        f'(seq (seq (call {A} ("" "init") [] data) (fold data x (seq (fold data y (seq '
        f'(call {B} ("serv" "args") [x y] $stream) (next y))) (next x)))) (call {A} ("" "complete") []))'
    )
    particle = Particle(
        vm, air, number, lambda _, request: values(10, number) if request.function_name == "init" else request.arguments
    )
    return particle.call("A", particle.run("B", particle.run("A").data).data)


def multiple_peers(vm: Vm, number: int) -> Call:
    air = (
        f'(seq (seq (call {A} ("" "init") [] data) (fold data p (seq (fold data x (seq (fold data y (seq '
        f'(call p ("serv" "args") [p x y] $stream) (next y))) (next x))) (next p)))) '
        f'(seq (call {B} ("" "collect") []) (call {A} ("" "complete") [])))'
    )
    peers = [IDS[str(index)] for index in range(8)]
    particle = Particle(
        vm, air, number, lambda _, request: peers if request.function_name == "init" else [*request.arguments, number]
    )
    data = particle.run("A").data
    for index in range(8):
        data = particle.run(str(index), data).data
    return particle.call("A", particle.run("B", data).data)


def multiple_sigs(vm: Vm, number: int) -> Call:
    air = (
        f'(seq (seq (call {A} ("" "init") [] data) (fold data x (seq (fold data y (par '
        f'(call {A} ("serv" "args") [x y] $stream) (next y))) (next x)))) '
        f'(seq (call {B} ("" "complete") []) (canon {A} $stream #canon)))'
    )
    particle = Particle(
        vm, air, number, lambda _, request: values(30, number) if request.function_name == "init" else request.arguments
    )
    return particle.call("A", particle.run("B", particle.run("A").data).data)


def big_values(vm: Vm, number: int) -> Call:
    air = f'(seq (fold list i (seq (call {A} ("s" "f") [i] $s) (next i))) (null))'.replace("list", "items")
    air = f'(seq (call {A} ("s" "items") [] items) {air})'
    block = "0123456789abcdef" * 640

    def service(_peer: str, request: CallRequest) -> Any:
        return list(range(10)) if request.function_name == "items" else {"data": f"{number}{request.arguments}{block}"}

    particle = Particle(vm, air, number, service)
    data = particle.run("A").data
    return Particle(vm, "(null)", number, echo).call("B", data)


def long_data(vm: Vm, number: int) -> Call:
    particle = _many_calls(vm, number, 500, 20)
    data = particle.run("A").data
    return Particle(vm, "(null)", number, echo).call("B", data)


def _map(vm: Vm, number: int, keys: int, per_key: int, end: str) -> Call:
    """Arrives at B: a map is filled from an array, then used."""
    air = (
        f'(new %map (seq (seq (call {A} ("" "init") [] data) (seq (call {A} ("" "keys") [] keys) '
        f"(fold keys k (seq (fold data v (seq (ap (k v) %map) (next v))) (next k))))) {end}))"
    )

    def service(_peer: str, request: CallRequest) -> Any:
        return values(per_key if request.function_name == "init" else keys, number)

    particle = Particle(vm, air, number, service)
    return particle.call("B", particle.run("A").data)


def populate_map_multiple(vm: Vm, number: int) -> Call:
    return _map(vm, number, 31, 31, f'(call {B} ("" "complete") [])')


def populate_map_single(vm: Vm, number: int) -> Call:
    return _map(vm, number, 1, 770, f'(call {B} ("" "complete") [])')


def canon_map_multiple(vm: Vm, number: int) -> Call:
    return _map(vm, number, 31, 31, f"(canon {B} %map #%canon)")


def canon_map_single(vm: Vm, number: int) -> Call:
    return _map(vm, number, 1, 770, f"(canon {B} %map #%canon)")


def canon_map_by_lens(vm: Vm, number: int) -> Call:
    return _map(vm, number, 1, 770, f"(seq (canon {A} %map #%canon) (seq (canon {B} $unused #n) (ap #%canon.$.key x)))")


def canon_map_scalar(vm: Vm, number: int) -> Call:
    return _map(vm, number, 31, 31, f"(canon {B} %map scalar)")


_CALLS: Final = f'(seq (call {A} ("" "init") [] data) (fold data i (par (call {A} ("serv" "f") [i] x) (next i))))'


def _calls(vm: Vm, number: int) -> tuple[Particle, Call]:
    particle = Particle(vm, _CALLS, number, lambda *_: values(500, number))
    outcome = particle.step(particle.call("A"), "A")
    return particle, particle.call("A", results=particle.answers("A", outcome))


def call_requests(vm: Vm, number: int) -> Call:
    return _calls(vm, number)[1]


def call_results_500(vm: Vm, number: int) -> Call:
    particle, first = _calls(vm, number)
    particle.service = lambda _, request: [f"{index}-{number}" for index in range(20)]
    outcome = particle.step(first, "A")
    return particle.call("A", results=particle.answers("A", outcome))


def _nest(part: str, count: int, number: int) -> str:
    """`count` instructions in a balanced tree of `seq`, with a comment that makes the text new."""
    level = [part.replace("@", str(index)) for index in range(count)]
    while len(level) > 1:
        level = [
            f"(seq {' '.join(level[at : at + 2])})" if at + 1 < len(level) else level[at]
            for at in range(0, len(level), 2)
        ]
    return f"; {number}\n{level[0]}"


def parser_null(vm: Vm, number: int) -> Call:
    return Particle(vm, _nest("(null)", 10_000, number), number, echo).call("A")


def parser_calls(vm: Vm, number: int) -> Call:
    text = _nest(f'(call {B} ("service" "function") [%init_peer_id% "text" 42] result@)', 2_000, number)
    return Particle(vm, text, number, echo).call("A")


_EXPLORE: Final = (
    '(seq (seq (seq (call CLIENT ("" "relay") [] relay) (call CLIENT ("" "client") [] client)) '
    '(seq (call relay ("dht" "neighborhood") [relay] top) (seq (fold top n (seq (call n ("dht" "neighborhood") [n] $inner) (next n))) '
    '(fold $inner ns (seq (fold ns n (seq (call n ("op" "identify") [] $services) (next n))) (next ns)))))) '
    '(seq (call relay ("op" "identity") []) (seq (seq (canon client $services #services) (canon client $inner #inner)) '
    '(call client ("return" "") [#services #inner top]))))'
).replace("CLIENT", A)


def network_explore(vm: Vm, number: int) -> Call:
    """Four peers are asked for their neighbours and all of those identified, one hop after the other; the relay's last but one run."""
    around = [IDS[name] for name in "BCDE"]

    def service(peer: str, request: CallRequest) -> Any:
        match request.function_name:
            case "relay":
                return IDS["B"]
            case "client":
                return IDS["A"]
            case "neighborhood":
                return around
            case _:
                return {"peer": peer, "addresses": [f"/ip4/10.0.0.{number}/tcp/{port}" for port in (7771, 9991)]}

    particle = Particle(vm, _EXPLORE, number, service)
    return _last_message(particle, "B")


def dashboard(vm: Vm, number: int) -> Call:
    """A page asks its relay and every known peer, in parallel, for five things each and shows them as they come."""
    asked = [("op", "identify"), ("dist", "get_blueprints"), ("dist", "get_modules"), ("srv", "get_interfaces")]
    body = f'(call {A} ("event" "all_info") [p {" ".join(name for _, name in asked)}])'
    for service_id, name in reversed(asked):
        body = f'(seq (call p ("{service_id}" "{name}") [] {name}) {body})'
    air = (
        f'(seq (call {A} ("" "load") ["relay"] relay) (seq (call {A} ("" "load") ["known"] known) '
        f'(fold known p (par (seq (call p ("op" "identity") []) {body}) (next p)))))'
    )

    def service(peer: str, request: CallRequest) -> Any:
        if request.function_name == "load":
            return IDS["B"] if request.arguments == ["relay"] else [IDS[str(index)] for index in range(10)]
        return {"peer": peer, "what": request.function_name, "items": values(5, number)}

    return _last_message(Particle(vm, air, number, service), "A")


def _last_message(particle: Particle, peer: str) -> Call:
    """Deliver in order; the last message that came to `peer`, before it is delivered."""
    queue = [("A", b"")]
    last: Call | None = None
    while queue:
        name, data = queue.pop(0)
        if name == peer and data:
            last = particle.call(peer, data)
        outcome = particle.run(name, data)
        queue += [(NAMES[item], outcome.data) for item in sorted(outcome.next_peer_pks)]
    assert last is not None
    return last


WORKLOADS: Final[dict[str, tuple[Callable[[Vm, int], Call], int]]] = {
    "null-first": (null_first, 60),
    "null-known": (null_known, 60),
    "call-result-1": (call_result, 60),
    "first-arrival-0.7kB": (first_arrival, 60),
    "merge-3-peers": (three_peers, 60),
    "call-results-57kB": (results_57_kb, 15),
    "arrives-57kB": (arrives_57_kb, 15),
    "call-results-1MB-2000-states": (results_1_mb, 7),
    "arrives-1MB-2000-states": (arrives_1_mb, 7),
    "merge-replay-1MB-2000-states": (merge_1_mb, 7),
    "arrives-1MB-one-value": (one_value_1_mb, 9),
    "multiple-cids-10": (multiple_cids, 11),
    "multiple-peers-8": (multiple_peers, 7),
    "multiple-sigs-30": (multiple_sigs, 5),
    "big-values": (big_values, 11),
    "long-data": (long_data, 9),
    "populate-map-multiple-keys": (populate_map_multiple, 9),
    "populate-map-single-key": (populate_map_single, 9),
    "canon-map-multiple-keys": (canon_map_multiple, 9),
    "canon-map-single-key": (canon_map_single, 9),
    "canon-map-key-by-lens": (canon_map_by_lens, 9),
    "canon-map-scalar-multiple-keys": (canon_map_scalar, 9),
    "call-requests-500": (call_requests, 9),
    "call-results-500": (call_results_500, 9),
    "parser-null-10000": (parser_null, 5),
    "parser-calls-2000": (parser_calls, 7),
    "network-explore": (network_explore, 15),
    "dashboard": (dashboard, 9),
}
"""Name → maker of inputs, number of particles."""


def run(only: list[str]) -> Iterator[Row]:
    """Measure; `only` are names or beginnings of names, all if empty."""
    module = reference_module()
    reference = None if module is None else ReferenceAvm(module)
    ours = Avm()
    maker: Vm = ours if reference is None else reference
    for warm in range(3):
        null_first(maker, -1 - warm).on(ours)
    for name, (make, count) in WORKLOADS.items():
        if only and not any(name.startswith(item) for item in only):
            continue
        inputs = [make(maker, number) for number in range(count + 1)]
        inputs.pop().on(ours)  # warm: code paths, and the program where the script is not part of the particle
        if reference is not None:
            check(inputs[0], ours, reference)
            inputs = inputs[1:]
        ours_ms, reference_ms = interleaved(
            inputs, lambda call: call.on(ours), None if reference is None else (lambda call: call.on(reference))
        )
        sizes = {
            "prev_bytes": len(inputs[0].prev_data),
            "data_bytes": len(inputs[0].data),
            "air_bytes": len(inputs[0].air),
        }
        yield Row(name, ours_ms, reference_ms, sizes | {"particles": len(inputs)})


def check(call: Call, ours: Avm, reference: ReferenceAvm) -> None:
    """Both must do the same work."""
    from tests.fuzz.avm_differential import first_difference, normal_form

    what = first_difference(normal_form(call.on(ours), call.prev_data), normal_form(call.on(reference), call.prev_data))
    assert what is None, what
