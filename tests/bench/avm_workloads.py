"""What the benchmark of the interpreter runs: each workload makes the arguments of one invocation for particle `number`.

Each particle has other values, so that nothing is found in a cache that a host would not find there; `replay` in a name says
that the same one comes again, `new-script` that the script too belongs to the particle, `known` that it does not where the row
beside it says otherwise. The rows from `multiple-cids10` on have the names of aquavm's list (`junk/gen-bench-data`,
`benches/PERFORMANCE.json`) and follow its descriptions. Its group of 100 MB is run at 10 MB: the arguments of an invocation are
one JSON text in marine-js, which at 100 MB is more than a string of V8 holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from avm.call_data import NO_RESULTS, encode_call_results
from avm.crypto.keys import KeyPair
from avm.outcome import CallRequest, CallResult, Outcome, RunParameters

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


def first_arrival_new_script(vm: Vm, number: int) -> Call:
    air = f'; {number}\n(seq (call {A} ("s" "f") [] x) (call {B} ("s" "g") [x] y))'
    particle = Particle(vm, air, number, lambda *_: number)
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
    air = f'(seq (call {A} ("s" "items") [] items) (seq (fold items i (seq (call {A} ("s" "f") [i] $s) (next i))) (null)))'
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
        if request.function_name == "keys":
            return [f"key{index}" for index in range(keys)]
        return values(per_key, number)

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
    return _map(vm, number, 1, 770, _BY_LENS.replace("@", "key0"))


def canon_map_element_by_lens(vm: Vm, number: int) -> Call:
    return _map(vm, number, 1, 770, _BY_LENS.replace("@", "key0.[769]"))


_BY_LENS: Final = f"(seq (canon {A} %map #%canon) (seq (canon {B} $unused #n) (ap #%canon.$.@ x)))"


def canon_map_scalar_multiple(vm: Vm, number: int) -> Call:
    return _map(vm, number, 31, 31, f"(canon {B} %map scalar)")


def canon_map_scalar_single(vm: Vm, number: int) -> Call:
    return _map(vm, number, 1, 770, f"(canon {B} %map scalar)")


_CALLS: Final = (
    f'(seq (call {A} ("init" "init") [] data) '
    f'(fold data i (par (call {A} ("handle" "handle") [{" ".join("i" * 24)}] $stream) (next i))))'
)


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


def _tree(level: list[str]) -> str:
    """A balanced tree of `seq`."""
    while len(level) > 1:
        level = [
            f"(seq {' '.join(level[at : at + 2])})" if at + 1 < len(level) else level[at]
            for at in range(0, len(level), 2)
        ]
    return level[0]


def _assignments(count: int, names: int) -> str:
    """Nested folds of `ap`, as long scripts of old front ends were: every name is written again and again."""
    steps = [f"(ap i {f'variable{index % names}'.ljust(8 + index % names, 'x')})" for index in range(count)]
    return f'(seq (call {B} ("serv" "func") [] stream) (fold stream i (seq {_tree(steps)} (next i))))'


def _chain(count: int, names: int) -> str:
    """Calls of which each takes its peer from the one before."""
    steps = [f'(call var{index % names} ("serv" "func") [] var{(index + 1) % names})' for index in range(count - 1)]
    return f'(seq (call {B} ("serv" "func") [] var0) {_tree(steps)})'


_ASSIGNMENTS: Final = _assignments(10_000, 100)
_CHAIN: Final = _chain(10_000, 100)


def parser_assignments(vm: Vm, number: int) -> Call:
    return Particle(vm, f"; {number}\n{_ASSIGNMENTS}", number, echo).call("A")


def parser_calls(vm: Vm, number: int) -> Call:
    return Particle(vm, f"; {number}\n{_CHAIN}", number, echo).call("A")


def parser_calls_known(vm: Vm, number: int) -> Call:
    return Particle(vm, _CHAIN, number, echo).call("A")


def parser_100_kb(vm: Vm, number: int) -> Call:
    steps = [f'(call {B} ("service" "function") [%init_peer_id% "text" 42] result{index})' for index in range(850)]
    return Particle(vm, f"; {number}\n{_tree(steps)}", number, echo).call("A")


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


MEGABYTES: Final = 10


def _heavy(vm: Vm, number: int, value: Callable[[str], Any], steps: str) -> Call:
    """Arrives at B: an array of one large value, and what `steps` do with it."""
    text = "".join(hashlib.sha512(b"%d-%d" % (number, index)).hexdigest() for index in range(MEGABYTES << 13))
    air = f'(seq (call {A} ("" "init") [] data) (seq {steps} (canon {A} $data #data)))'
    particle = Particle(vm, air, number, lambda *_: [value(text)])
    return particle.call("B", particle.run("A").data)


_FILL: Final = '(fold data item (seq (ap ("key" item) %map) (next item)))'


def heavy_result(vm: Vm, number: int) -> Call:
    return _heavy(vm, number, str, f"(seq (fold data item (next item)) (canon {B} %map #%canon))")


def heavy_lens(vm: Vm, number: int) -> Call:
    steps = f"(seq (fold data item (seq (ap item.$.attrib $data) (next item))) (canon {B} $data #own))"
    return _heavy(vm, number, lambda text: {"attrib": text}, steps)


def heavy_map(vm: Vm, number: int) -> Call:
    return _heavy(vm, number, str, f"(seq {_FILL} (canon {B} %map scalar))")


def heavy_canon_map(vm: Vm, number: int) -> Call:
    return _heavy(vm, number, str, f"(seq {_FILL} (canon {B} %map #%canon))")


def heavy_hybrid(vm: Vm, number: int) -> Call:
    steps = f'(seq {_FILL} (seq (ap ("other" data.$.[0]) %map) (canon {B} %map scalar)))'
    return _heavy(vm, number, lambda text: {"attrib": text}, steps)


def heavy_parser(vm: Vm, number: int) -> Call:
    return Particle(vm, f"; {number}\n{_chain(28_000 * MEGABYTES, 10)}", number, echo).call("A")


class Workload(NamedTuple):
    """How to make its inputs, and for how many particles."""

    make: Callable[[Vm, int], Call]
    particles: int


WORKLOADS: Final = {
    "null-new-script": Workload(null_first, 60),
    "call-result": Workload(call_result, 60),
    "first-arrival-0.7kB": Workload(first_arrival, 60),
    "first-arrival-0.7kB-new-script": Workload(first_arrival_new_script, 60),
    "merge-3-peers": Workload(three_peers, 60),
    "call-results-57kB": Workload(results_57_kb, 15),
    "arrives-57kB": Workload(arrives_57_kb, 15),
    "call-results-1MB-2000-states": Workload(results_1_mb, 7),
    "arrives-1MB-2000-states": Workload(arrives_1_mb, 7),
    "merge-replay-1MB-2000-states": Workload(merge_1_mb, 7),
    "arrives-1MB-one-value": Workload(one_value_1_mb, 9),
    "script-100kB-new-script": Workload(parser_100_kb, 9),
    "multiple-cids10": Workload(multiple_cids, 11),
    "multiple-peers8": Workload(multiple_peers, 7),
    "multiple-sigs30": Workload(multiple_sigs, 5),
    "big-values-data": Workload(big_values, 11),
    "long-data": Workload(long_data, 9),
    "populate-map-multiple-keys": Workload(populate_map_multiple, 9),
    "populate-map-single-key": Workload(populate_map_single, 9),
    "canon-map-multiple-keys": Workload(canon_map_multiple, 9),
    "canon-map-single-key": Workload(canon_map_single, 9),
    "canon-map-scalar-multiple-keys": Workload(canon_map_scalar_multiple, 9),
    "canon-map-scalar-single-key": Workload(canon_map_scalar_single, 9),
    "canon-map-key-by-lens": Workload(canon_map_by_lens, 9),
    "canon-map-key-element-by-lens": Workload(canon_map_element_by_lens, 9),
    "dashboard": Workload(dashboard, 9),
    "network-explore": Workload(network_explore, 15),
    "call-requests500": Workload(call_requests, 9),
    "call-results500": Workload(call_results_500, 9),
    "parser-10000-100-new-script": Workload(parser_assignments, 5),
    "parser-calls-10000-100-new-script": Workload(parser_calls, 5),
    "parser-calls-10000-100-known": Workload(parser_calls_known, 9),
    "null": Workload(null_known, 60),
    "call-result-100mb-at-10": Workload(heavy_result, 3),
    "lense-100mb-at-10": Workload(heavy_lens, 3),
    "map-100mb-at-10": Workload(heavy_map, 3),
    "canon-map-100mb-at-10": Workload(heavy_canon_map, 3),
    "hybrid-100mb-at-10": Workload(heavy_hybrid, 3),
    "parser-air-100mb-at-10": Workload(heavy_parser, 1),
}
"""Workloads by name, in the order of the report."""
