"""Histories: peers A–E run one script, with services, delivery, loss, replay, stale memory and dishonest peers, all from a seed.

`play` asks a callback for each outcome, so any interpreter, or several in turn, can be the one that answers. The callback
gets complete inputs: a step can be repeated without its history.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from avm.call_data import encode_call_results
from avm.crypto.keys import KeyPair
from avm.outcome import CallRequest, CallResult, Outcome, RunParameters
from runtime.sim.air_scripts import valid_script
from tests.fuzz.avm_tamper import forged_value, mutated_bytes, tampered
from tests.fuzz.json_texts import json_text, object_text

SEEDS: Final = {name: hashlib.sha256(f"peer:{name}".encode()).digest() for name in "ABCDE"}
PAIRS: Final = {name: KeyPair(seed) for name, seed in SEEDS.items()}
IDS: Final = {name: pair.peer_id for name, pair in PAIRS.items()}
KEYS: Final = {pair.peer_id: pair for pair in PAIRS.values()}
NAMES: Final = {peer_id: name for name, peer_id in IDS.items()}
TIMESTAMP: Final = 1_700_000_000_000
TTL: Final = 7000


@dataclass(frozen=True, slots=True)
class Invocation:
    """All inputs of one run, and which peer runs."""

    peer: str
    air: str
    prev_data: bytes
    data: bytes
    parameters: RunParameters
    call_results: bytes


@dataclass(frozen=True, slots=True)
class Manners:
    """How often a network misbehaves: shares of steps. The default is honest peers on a bad network."""

    loss: float = 0.05
    duplicate: float = 0.12
    gossip: float = 0.06
    stale: float = 0.0
    tamper: float = 0.0
    odd_results: float = 0.0
    odd_parameters: float = 0.0
    other_script: float = 0.0
    odd_json: float = 0.0


HONEST: Final = Manners()
HOSTILE: Final = Manners(stale=0.04, tamper=0.3, odd_results=0.1, odd_parameters=0.03, other_script=0.05)


# ── services ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def service(peer: str, request: CallRequest, odd_json: float = 0.0) -> CallResult:
    """A pure function of the peer and the request; a share of values comes as no printer writes them."""
    arguments, function = request.arguments, request.function_name
    text = json.dumps(arguments, sort_keys=True, default=str)
    rng = random.Random(hashlib.sha256(f"{peer}{function}{text}".encode()).digest())
    if odd_json and function in {"obj", "num", "text", "map", "err", "null"} and rng.random() < odd_json:
        return CallResult(0, object_text(rng) if function == "obj" and rng.random() < 0.7 else json_text(rng))
    if function in {"fail", "fail2"} and rng.random() < 0.7:
        return CallResult(rng.choice((1, 2, 3, -1)), rng.choice(('"oops"', "plain text", '{"a":1}', "", "é")))
    if function == "badjson":
        return CallResult(0, rng.choice(("{oops", "", "nul", "1 2", '"\\x"', "[1,]", "1e999")))
    if function == "tet":
        return CallResult(0, json.dumps([[item._asdict() for item in group] for group in request.tetraplets]))
    if function == "step":
        return CallResult(0, json.dumps(arguments[0] + 1 if arguments and type(arguments[0]) is int else 3))
    return CallResult(0, json.dumps(_value(function, arguments, rng)))


def _value(function: str, arguments: list[Any], rng: random.Random) -> Any:
    peers = list(IDS.values())
    match function:
        case "obj":
            return {
                "a": [rng.randint(0, 3), {"a": 1}],
                "b": [1, [2], {"a": "v"}],
                "key": "k",
                "value": rng.choice(peers),
            }
        case "arr":
            return [{"a": i, "b": [i, rng.choice(peers)], "éa": 1} for i in range(rng.randint(0, 3))]
        case "id":
            return arguments
        case "echo":
            return arguments[0] if arguments else {}
        case "num":
            return rng.choice((0, 1, 2, 1.5, -7, 1e21, 0.1 + 0.2, 2**63, -(2**63), 1.0))
        case "peer":
            return rng.choice(peers)
        case "peers":
            return rng.sample(peers, rng.randint(1, 3))
        case "text":
            return rng.choice(("a", "k", "v", 'é\n"', ""))
        case "map":
            return {"k": [1, 2], "1": [{"a": 3}], "l": [], "length": 2}
        case "null":
            return rng.choice((None, True, [], {}))
        case _:
            return rng.choice(
                (
                    {"error_code": rng.randint(0, 5), "message": "made", "more": 1},
                    {"error_code": 1},
                    {"error_code": "1", "message": "m"},
                    {"message": "m"},
                    {"error_code": 2**63, "message": "m"},
                    {"error_code": 1.0, "message": "m"},
                )
            )


# ── delivery ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class History:
    """State of one network while it is played."""

    air: str
    rng: random.Random
    manners: Manners
    particle_id: str
    alternative: str
    stored: dict[str, bytes] = field(default_factory=lambda: dict.fromkeys(IDS, b""))
    memory: dict[str, list[bytes]] = field(default_factory=lambda: {name: [] for name in IDS})
    messages: list[tuple[str, bytes]] = field(default_factory=lambda: [("A", b"")])
    answers: dict[str, dict[int, CallResult]] = field(default_factory=lambda: {name: {} for name in IDS})

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def next_invocation(self) -> Invocation | None:
        """The next event, None when nothing is left to happen."""
        waiting = [name for name in IDS if self.answers[name]]
        if not self.messages and not waiting:
            return None
        data = b""
        outputs = [(name, item) for name, items in self.memory.items() for item in items]
        if outputs and self.chance(self.manners.gossip):
            name = self.rng.choice(list(IDS))
            data = self.rng.choice(outputs)[1]
        elif self.messages and (not waiting or self.chance(0.5)):
            at = self.rng.randrange(len(self.messages)) if self.chance(0.7) else 0
            name, data = self.messages.pop(at)
            if self.chance(self.manners.duplicate):
                self.messages.append((name, data))
        else:
            name = self.rng.choice(waiting)
        results = self._results(name, 0.3 if data else 0.75)
        prev = self.stored[name]
        if self.memory[name] and self.chance(self.manners.stale):
            prev = self.rng.choice(self.memory[name])
        if self.chance(self.manners.tamper):
            if data and self.chance(0.65):
                data = tampered(self.rng, data, KEYS, self.particle_id)
            elif prev:
                prev = tampered(self.rng, prev, KEYS, self.particle_id)
        air = self.alternative if self.chance(self.manners.other_script) else self.air
        return Invocation(name, air, prev, data, self._parameters(name), results)

    def _results(self, name: str, share: float) -> bytes:
        pending = self.answers[name]
        chosen = {key: value for key, value in pending.items() if self.chance(share)}
        if not chosen and pending and self.chance(0.5):
            chosen = dict([self.rng.choice(list(pending.items()))])
        for key in chosen:
            if not self.chance(self.manners.odd_results):
                del pending[key]
        texts = {str(key): value for key, value in chosen.items()}
        if self.chance(self.manners.odd_results):
            return self._odd_results(texts)
        return encode_call_results(texts)

    def _odd_results(self, texts: dict[str, CallResult]) -> bytes:
        rng = self.rng
        if rng.random() < 0.25:
            return mutated_bytes(rng, encode_call_results(texts))
        key = rng.choice([*texts, "1", "2", "7", "01", "x", "4294967296", ""])
        texts[key] = CallResult(rng.choice((0, 0, 0, 1, -1, 2**31 - 1, -(2**31))), forged_value(rng))
        return encode_call_results(texts)

    def _parameters(self, name: str) -> RunParameters:
        rng = self.rng
        usual = RunParameters(IDS["A"], IDS[name], TIMESTAMP, TTL, self.particle_id, SEEDS[name])
        if not self.chance(self.manners.odd_parameters):
            return usual
        match rng.randrange(9):
            case 0:
                return replace(usual, air_size_limit=rng.choice((0, 10, 300)), hard_limit_enabled=rng.random() < 0.5)
            case 1:
                return replace(
                    usual, particle_size_limit=rng.choice((0, 100, 2000)), hard_limit_enabled=rng.random() < 0.5
                )
            case 2:
                return replace(
                    usual, call_result_size_limit=rng.choice((0, 4, 30)), hard_limit_enabled=rng.random() < 0.5
                )
            case 3:
                return replace(usual, key_format=rng.choice((1, 2, 3, 255)))
            case 4:
                return replace(usual, secret_key_bytes=rng.choice((b"", bytes(31), bytes(33), bytes(32))))
            case 5:
                return replace(usual, current_peer_id=rng.choice((*IDS.values(), "", "nobody")))
            case 6:
                return replace(usual, init_peer_id=rng.choice((*IDS.values(), "", 'é"')))
            case 7:
                return replace(usual, particle_id=rng.choice(("", "other", "é")))
            case _:
                return replace(usual, timestamp=rng.choice((0, 2**63, 2**64 - 1)), ttl=rng.choice((0, 2**32 - 1)))

    def react(self, invocation: Invocation, outcome: Outcome) -> None:
        """What a host does with an outcome: keep the data, serve the requests, send the particle on."""
        name = invocation.peer
        self.stored[name] = outcome.data
        if outcome.data:
            self.memory[name] = [*self.memory[name][-5:], outcome.data]
        for key, request in outcome.call_requests.items():
            self.answers[name][key] = service(IDS[name], request, self.manners.odd_json)
        for peer_id in sorted(outcome.next_peer_pks):
            if peer_id in NAMES and not self.chance(self.manners.loss):
                self.messages.append((NAMES[peer_id], outcome.data))


def play(
    air: str,
    seed: int,
    steps: int,
    invoke: Callable[[Invocation], Outcome | None],
    manners: Manners = HONEST,
) -> int:
    """Play a history; an outcome of None leaves the peer as it was. Returns the number of runs."""
    rng = random.Random(seed)
    alternative = (
        valid_script(random.Random(seed + 1), list(IDS.values()), rng.randint(1, 8)) if manners.other_script else air
    )
    if rng.random() < 0.5 and manners.other_script:
        alternative = air.replace("seq", "par", rng.randint(1, 3)) if rng.random() < 0.5 else f"(seq (null) {air})"
    history = History(air, rng, manners, f"fuzz-{seed}", alternative)
    done = 0
    while done < steps:
        invocation = history.next_invocation()
        if invocation is None:
            break
        outcome = invoke(invocation)
        done += 1
        if outcome is not None:
            history.react(invocation, outcome)
    return done


def random_history(seed: int) -> tuple[str, Manners]:
    """Script and manners that belong to a seed."""
    rng = random.Random(seed ^ 0x5EED)
    size = rng.choice((4, 8, 14, 20, 28, 40, 60))
    peers = rng.sample(list(IDS.values()), rng.choice((1, 2, 3, 5)))
    script = valid_script(rng, peers, size)
    manners = HONEST if rng.random() < 0.5 else HOSTILE
    return script, replace(manners, odd_json=0.8) if rng.random() < 0.3 else manners
