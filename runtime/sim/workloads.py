"""What a simulated network has to do: a plan from a seed.

Three kinds of particles: scripts of marked calls in sequence and in parallel, of which it is known how they end; random scripts of all
instructions; compiled programs, those of the examples and some more for many peers, with all answers they may give.
Input: seed, numbers. Output: `Plan`. Everything follows from the seed. Errors: ValueError for impossible numbers.
"""

from __future__ import annotations

import json
import random
import re
from functools import lru_cache
from importlib.resources import files
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from avm.ir.quick import quick_program
from runtime.protocol.identity import named_identity

from .air_scripts import ScriptMaker
from .faults import ALL
from .plan import ALIKE, ALWAYS, MARKS, PARTICLES_MAX, PEERS_MAX, PERHAPS, PROGRAM, WILD, ParticleSpec, PeerSpec, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

PEERS: Final = 5
PARTICLES: Final = 50
CLIENTS: Final = 2
"""Clients beside the hosts, of the first hosts in turn."""

SPAN_MS: Final = 10_000

_TTLS_MS: Final = (3000, 10_000, 30_000, 60_000, 120_000)
_SMALL: Final[tuple[dict[str, Any], ...]] = (
    {},
    {},
    {"runs_max": 1},
    {"runs_max": 1, "actor_calls_max": 1, "calls_max": 2},
    {"backlog_max": 4, "mailbox_max": 2},
    {"actors_max": 12, "stored_bytes_max": 40_000},
    {"pending_calls_max": 8, "life_ms_max": 5000},
)
"""Limits of a simulation: mostly the usual ones, now and then so small that they are met."""

_STREAM_FOLD: Final = re.compile(r"\(fold ([$%]\w+) ")
_WILD_SIZES: Final = (4, 8, 14, 20)
_WILD_TRIES: Final = 8


def peers_of(hosts: int, clients: int = CLIENTS, *, durable: Sequence[bool] = ()) -> tuple[PeerSpec, ...]:
    """Hosts `relay`, `peer1`, …, then clients `client`, `client2`, … of the first hosts in turn."""
    kept = [*durable, *[True] * hosts][:hosts]
    named = [PeerSpec("relay" if n == 0 else f"peer{n}", durable=kept[n]) for n in range(hosts)]
    return (
        *named,
        *(PeerSpec("client" if n == 0 else f"client{n + 1}", n % hosts, durable=False) for n in range(clients)),
    )


def make_plan(
    seed: int,
    *,
    peers: int = PEERS,
    particles: int = PARTICLES,
    kinds: frozenset[str] = ALL,
    bug: str | None = None,
) -> Plan:
    """The plan of a seed: `peers` hosts and two clients. Raises ValueError."""
    if not 1 <= peers <= PEERS_MAX - CLIENTS:
        raise ValueError(f"a simulation has 1 to {PEERS_MAX - CLIENTS} peers")
    if not 0 <= particles <= PARTICLES_MAX:
        raise ValueError(f"a simulation has up to {PARTICLES_MAX} particles")
    rng = random.Random(seed)
    specs = peers_of(peers, durable=[rng.random() < 0.7 for _ in range(peers)])
    limits = rng.choice(_SMALL)
    maker = _Maker(rng, specs, peers)
    made = tuple(maker.particle(number) for number in range(particles))
    return Plan(seed, specs, made, kinds=kinds, limits=limits, span_ms=SPAN_MS, bug=bug)


class _Maker:
    def __init__(self, rng: random.Random, specs: Sequence[PeerSpec], hosts: int) -> None:
        self._rng = rng
        self._ids = [peer_id(spec.name) for spec in specs]
        self._hosts = hosts
        self._clients = range(hosts, len(specs))
        self._specs = specs

    def particle(self, number: int) -> ParticleSpec:
        rng = self._rng
        at_ms, ttl_ms = rng.randrange(SPAN_MS), rng.choice(_TTLS_MS)
        kind = rng.random()
        author = rng.randrange(self._hosts)
        if kind < 0.4:
            script = marked_script(rng, self._ids[: self._hosts], author)
            return ParticleSpec(number, author, at_ms, ttl_ms, MARKS, script, ALWAYS, accepted=[["end"]])
        if kind < 0.6:
            tame = rng.random() < 0.6
            script = wild_script(rng, self._ids[: self._hosts], rng.choice(_WILD_SIZES), tame=tame)
            return ParticleSpec(number, author, at_ms, ttl_ms, WILD, script, ALIKE if tame else PERHAPS)
        return self._program(number, at_ms, ttl_ms)

    def _program(self, number: int, at_ms: int, ttl_ms: int) -> ParticleSpec:
        rng = self._rng
        author = rng.choice(self._clients)
        relay = self._specs[author].relay
        assert relay is not None
        # what a program calls `peers` are not the relay: a program goes there by itself
        others = [self._ids[n] for n in range(self._hosts) if n != relay] or [self._ids[relay]]
        row = rng.choice(_programs())
        names = {"peers": others, "peer1": rng.choice(others), "peer2": rng.choice(others)}
        arguments = {name: _filled(value, names) for name, value in row["arguments"].items()}
        accepted = None if row["accepted"] is None else [_filled(item, names) for item in row["accepted"]]
        return ParticleSpec(
            number, author, at_ms, ttl_ms, PROGRAM, row["script"], row["merges"], arguments, accepted, row["stubs"]
        )


def _filled(value: Any, names: dict[str, Any]) -> Any:
    """A value in which `{"$": "peers"}` and the like stand for what only the plan knows."""
    match value:
        case {"$": "count"}:
            return len(names["peers"])
        case {"$": "square"}:
            return len(names["peers"]) ** 2
        case {"$": name}:
            return names[name]
        case list():
            return [_filled(item, names) for item in value]
        case dict():
            return {key: _filled(item, names) for key, item in value.items()}
        case _:
            return value


@lru_cache(1)
def _programs() -> list[dict[str, Any]]:
    """The compiled programs: script, arguments, and what it may answer."""
    text = files("runtime.sim").joinpath("programs.json").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = json.loads(text)["programs"]
    return rows


@lru_cache(256)
def peer_id(name: str) -> str:
    """Peer id of a simulated peer."""
    return named_identity(name).peer_id


def wild_script(rng: random.Random, peers: list[str], size: int, *, tame: bool) -> str:
    """A random script of about `size` instructions that parses. `(null)` when luck is out."""
    for _ in range(_WILD_TRIES):
        script = ScriptMaker(rng, peers, tame=tame).whole(size)
        if not _feeds_itself(script) and quick_program(script) is not None:
            return script
    return "(null)"


def _feeds_itself(script: str) -> bool:
    """Whether a fold over a stream may write into that stream: most such scripts run until a limit stops them, which takes seconds."""
    return any(f" {fold[1]})" in script[fold.end() :] for fold in _STREAM_FOLD.finditer(script))


def marked_script(rng: random.Random, peers: Sequence[str], author: int) -> str:
    """A program of calls in sequence and in parallel at random peers, each with arguments of its own.

    Parallel branches come home to the author and are joined there, as compiled programs do: a value that is not carried
    to the peer that needs it would be waited for in vain. The last call, `probe.end`, needs every value.
    """
    home = peers[author]
    names = count()

    def call(peer: str, known: list[str]) -> tuple[str, list[str]]:
        number = next(names)
        arguments = rng.sample(known, min(len(known), rng.randint(0, 2)))
        return f'(call "{peer}" ("probe" "mark") ["{number}" {" ".join(arguments)}] v{number})', [f"v{number}"]

    def branch(depth: int, known: list[str]) -> tuple[str, list[str]]:
        text, made = build(depth, known)
        hop, hopped = call(home, [])
        return f"(seq {text} {hop})", made + hopped

    def build(depth: int, known: list[str]) -> tuple[str, list[str]]:
        if depth == 0 or rng.random() < 0.2:
            return call(rng.choice(peers), known)
        if rng.random() < 0.6:
            first, made = build(depth - 1, known)
            second, more = build(depth - 1, known + made)
            return f"(seq {first} {second})", made + more
        left, made = branch(depth - 1, known)
        right, more = branch(depth - 1, known)
        number = next(names)
        join = f'(call "{home}" ("probe" "mark") ["{number}" {" ".join(made + more)}] v{number})'
        return f"(seq (par {left} {right}) {join})", [*made, *more, f"v{number}"]

    body, made = build(3, [])
    return f'(seq {body} (call "{home}" ("probe" "end") [{" ".join(made)}]))'
