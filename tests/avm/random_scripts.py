"""Random AIR scripts that validate, and random networks that run them: the same inputs for any two interpreters.

Scripts are built with the set of names that are defined textually before, as the validator demands; what is defined may
still be undefined at run time, which is the point. Everything follows from the seed.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from avm.crypto.keys import KeyPair
from avm.outcome import CallResult, Outcome, RunParameters

SEEDS = {name: hashlib.sha256(f"peer:{name}".encode()).digest() for name in "ABC"}
PEERS = {name: KeyPair(seed).peer_id for name, seed in SEEDS.items()}
IDS = list(PEERS.values())


@dataclass
class ScriptMaker:
    """One random script."""

    rng: random.Random
    scalars: list[str] = field(default_factory=list)
    iterators: list[str] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    canons: list[str] = field(default_factory=list)
    canon_maps: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    count: int = 0

    def script(self, size: int) -> str:
        return self.instr(size)

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def peer(self) -> str:
        r = self.rng.random()
        if r < 0.8 or not self.scalars:
            return f'"{self.rng.choice(IDS)}"'
        if r < 0.85:
            return "%init_peer_id%"
        return self.scalar_ref()

    def lens(self) -> str:
        return (
            self.rng.choice(
                (
                    ".$.a",
                    ".$.[0]",
                    ".$.b.[1]",
                    ".length",
                    ".$.[1].a",
                    ".$.key",
                    ".$.value",
                    ".$.error_code",
                    ".$.message",
                )
            )
            if self.rng.random() < 0.85 or not self.scalars
            else f".$.[{self.rng.choice(self.scalars)}]"
        )

    def scalar_ref(self) -> str:
        name = self.rng.choice([*self.scalars, *self.iterators])
        return name + (self.lens() if self.rng.random() < 0.3 else "")

    def value(self) -> str:
        options: list[Callable[[], str]] = [self.literal]
        if self.scalars or self.iterators:
            options += [self.scalar_ref] * 3
        if self.canons:
            options.append(
                lambda: self.rng.choice(self.canons) + self.rng.choice(["", ".length", ".$.[0]", ".$.[1].a"])
            )
        if self.canon_maps:
            options.append(
                lambda: (
                    self.rng.choice(self.canon_maps) + self.rng.choice([".length", ".$.k", ".$.k.[0]", ".$.[1].[0].a"])
                )
            )
        options.append(
            lambda: self.rng.choice(["%last_error%", ":error:", "%last_error%.$.message", ":error:.$.error_code"])
        )
        return self.rng.choice(options)()

    def literal(self) -> str:
        return self.rng.choice(['"v"', '"w"', "1", "-2", "1.5", "true", "[]", "%timestamp%", '"k"', "0"])

    def key(self) -> str:
        if self.rng.random() < 0.7 or not self.scalars:
            return self.rng.choice(['"k"', '"l"', "1", "2"])
        return self.rng.choice(self.scalars)

    # ── instructions ─────────────────────────────────────────────────────────────────────────────────────────────────

    def instr(self, size: int) -> str:
        if size <= 1:
            return self.leaf()
        maker = self.rng.choices(
            [self.seq, self.par, self.xor, self.match, self.fold_scalar, self.fold_stream, self.new, self.leaf],
            [8, 5, 4, 1.2, 2.2, 3, 1.6, 0.5],
        )[0]
        return maker(size)

    def split(self, size: int) -> tuple[int, int]:
        left = self.rng.randint(1, size - 1)
        return left, size - left

    def seq(self, size: int) -> str:
        left, right = self.split(size)
        return f"(seq {self.instr(left)} {self.instr(right)})"

    def par(self, size: int) -> str:
        left, right = self.split(size)
        return f"(par {self.instr(left)} {self.instr(right)})"

    def xor(self, size: int) -> str:
        left, right = self.split(size)
        return f"(xor {self.instr(left)} {self.instr(right)})"

    def match(self, size: int) -> str:
        op = self.rng.choice(["match", "mismatch"])
        return f"({op} {self.value()} {self.value()} {self.instr(size - 1)})"

    def fold_scalar(self, size: int) -> str:
        options = (
            list(self.scalars) + list(self.canons) + list(self.canon_maps) + [f"{s}.$.b" for s in self.scalars[:1]]
        )
        if not options:
            return self.leaf()
        return self.fold(self.rng.choice(options), size)

    def fold_stream(self, size: int) -> str:
        options = self.streams + self.maps
        if not options:
            return self.leaf()
        return self.fold(self.rng.choice(options), size)

    def fold(self, iterable: str, size: int) -> str:
        self.count += 1
        iterator = f"i{self.count}"
        self.iterators.append(iterator)
        body_size = max(size - 2, 1)
        body = self.instr(body_size)
        shape = self.rng.choice(["seq", "seq", "par", "par", "parfirst", "xor", "none", "seqfirst"])
        if shape == "seq":
            body = f"(seq {body} (next {iterator}))"
        elif shape == "par":
            body = f"(par {body} (next {iterator}))"
        elif shape == "parfirst":
            body = f"(par (next {iterator}) {body})"
        elif shape == "seqfirst" and iterable[0] not in "$%":
            body = f"(seq (next {iterator}) {body})"
        elif shape == "xor":
            body = f"(seq (xor {body} (null)) (next {iterator}))"
        last = self.rng.choice(["", "", " (null)", " (never)", f" {self.leaf()}"])
        self.iterators.remove(iterator)
        return f"(fold {iterable} {iterator} {body}{last})"

    def new(self, size: int) -> str:
        name = self.rng.choice(["$s", "$t", "%m", "x", "y", "#cc", "#%d"])
        lists = {"$": self.streams, "%": self.maps}
        if name[0] in lists and name not in lists[name[0]]:
            lists[name[0]].append(name)
        elif name in {"x", "y"} and name not in self.scalars:
            self.scalars.append(name)
        elif name == "#cc" and name not in self.canons:
            self.canons.append(name)
        elif name == "#%d" and name not in self.canon_maps:
            self.canon_maps.append(name)
        return f"(new {name} {self.instr(size - 1)})"

    def leaf(self, _size: int = 1) -> str:
        return self.rng.choices(
            [self.call, self.ap, self.ap_stream, self.ap_map, self.canon, self.canon_map, self.fail, self.other],
            [9, 1.5, 2.5, 1.6, 2, 1.2, 0.7, 0.5],
        )[0]()

    def call(self) -> str:
        function = self.rng.choice(["obj", "arr", "id", "num", "peer", "fail", "fail", "text", "arr"])
        arguments = " ".join(self.value() for _ in range(self.rng.randint(0, 2)))
        kind = self.rng.random()
        output = ""
        peer = self.peer()
        if kind < 0.55:
            self.count += 1
            output = self.rng.choice(["x", "y", f"z{self.count}", f"z{self.count}"])
            text = f'(call {peer} ("s" "{function}") [{arguments}] {output})'
            if output not in self.scalars:
                self.scalars.append(output)
            return text
        if kind < 0.8:
            output = self.stream()
        return f'(call {peer} ("s" "{function}") [{arguments}] {output})'

    def stream(self) -> str:
        name = self.rng.choice(["$s", "$t"])
        if name not in self.streams:
            self.streams.append(name)
        return name

    def ap(self) -> str:
        value = self.value()
        self.count += 1
        name = self.rng.choice(["x", "y", f"a{self.count}"])
        if name not in self.scalars:
            self.scalars.append(name)
        return f"(ap {value} {name})"

    def ap_stream(self) -> str:
        value = self.value()
        return f"(ap {value} {self.stream()})"

    def ap_map(self) -> str:
        key, value = self.key(), self.value()
        if "%m" not in self.maps:
            self.maps.append("%m")
        return f"(ap ({key} {value}) %m)"

    def canon(self) -> str:
        self.count += 1
        name = self.rng.choice(["#cc", f"#cc{self.count}"])
        text = f"(canon {self.peer()} {self.stream()} {name})"
        if name not in self.canons:
            self.canons.append(name)
        return text

    def canon_map(self) -> str:
        self.count += 1
        if self.rng.random() < 0.3:
            name = f"o{self.count}"
            text = f"(canon {self.peer()} %m {name})"
            self.scalars.append(name)
            return text
        name = self.rng.choice(["#%d", f"#%d{self.count}"])
        text = f"(canon {self.peer()} %m {name})"
        if name not in self.canon_maps:
            self.canon_maps.append(name)
        return text

    def fail(self) -> str:
        options = ['7 "failed"', "%last_error%", ":error:", *self.scalars[:2]]
        return f"(fail {self.rng.choice(options)})"

    def other(self) -> str:
        return self.rng.choice(["(null)", "(never)"])


def random_script(seed: int, size: int) -> str:
    """A script of about `size` instructions. It may still be refused by the validator."""
    return ScriptMaker(random.Random(seed)).script(size)


# ── the network ──────────────────────────────────────────────────────────────────────────────────────────────────────


def service(peer: str, function: str, arguments: list[Any]) -> CallResult:
    """A pure function of its arguments."""
    text = json.dumps(arguments, sort_keys=True, default=str)
    number = int(hashlib.sha256(f"{peer}{function}{text}".encode()).hexdigest()[:6], 16)
    rng = random.Random(number)
    if function == "fail" and rng.random() < 0.7:
        return CallResult(rng.randint(1, 3), rng.choice(['"oops"', "plain text", '{"a":1}']))
    results: dict[str, Any] = {
        "obj": {"a": [rng.randint(0, 3), {"a": 1}], "b": [1, [2], {"a": "v"}], "key": "k"},
        "arr": [{"a": i, "b": [i]} for i in range(rng.randint(0, 3))],
        "id": arguments,
        "num": rng.choice([0, 1, 2, 1.5, -7]),
        "peer": rng.choice(IDS),
        "fail": {"error_code": rng.randint(0, 5), "message": "made"},
        "text": rng.choice(["a", "k", "v"]),
    }
    if function == "num" and rng.random() < 0.05:
        return CallResult(0, "{oops")
    return CallResult(0, json.dumps(results[function]))


@dataclass
class Invocation:
    """All inputs of one run."""

    air: str
    prev_data: bytes
    data: bytes
    parameters: RunParameters
    results: dict[int, CallResult]


def run_network(air: str, seed: int, steps: int, invoke: Callable[[Invocation], Outcome | None]) -> int:
    """Run a script on three peers with random delivery; `invoke` None ends it. Returns the number of runs."""
    rng = random.Random(seed)
    stored = dict.fromkeys(PEERS, b"")
    names = {peer: name for name, peer in PEERS.items()}
    messages: list[tuple[str, bytes]] = [("A", b"")]
    answers: dict[str, dict[int, CallResult]] = {name: {} for name in PEERS}
    done = 0
    while done < steps and (messages or any(answers.values())):
        waiting = [name for name in PEERS if answers[name]]
        data = b""
        if messages and (not waiting or rng.random() < 0.5):
            name, data = messages.pop(rng.randrange(len(messages)))
            if rng.random() < 0.15:
                messages.append((name, data))
        else:
            name = rng.choice(waiting)
        chosen = {key: value for key, value in answers[name].items() if rng.random() < (0.7 if not data else 0.3)}
        if not data and not chosen and answers[name]:
            chosen = dict([rng.choice(list(answers[name].items()))])
        for key in chosen:
            del answers[name][key]
        parameters = RunParameters(PEERS["A"], PEERS[name], 1_700_000_000_000, 7000, "fuzz", SEEDS[name])
        outcome = invoke(Invocation(air, stored[name], data, parameters, chosen))
        done += 1
        if outcome is None:
            return done
        stored[name] = outcome.data
        for key, request in outcome.call_requests.items():
            answers[name][key] = service(PEERS[name], request.function_name, request.arguments)
        reached = [peer for peer in sorted(outcome.next_peer_pks) if peer in names and rng.random() > 0.05]
        messages.extend((names[peer], outcome.data) for peer in reached)
    return done
