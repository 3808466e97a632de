"""A whole network in one loop: sans-io cores, a virtual clock, and a seed that decides every delay, loss and copy.

Nothing here waits or runs in parallel: the next thing to happen is the top of a heap ordered by virtual time. Every message
crosses as bytes through the codec.
"""

from __future__ import annotations

import heapq
import json
import random
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from avm import Avm
from avm.outcome import CallResult
from runtime.core.actions import Call, Drop, Failed, Forget, Run, Send, SetTimer
from runtime.core.events import Arrived, Called, Event, Ran, Tick
from runtime.core.limits import CoreLimits
from runtime.core.particle import Particle, new_particle
from runtime.core.peer_core import HostPolicy, PeerCore
from runtime.protocol import codec
from runtime.protocol.identity import named_identity

START_MS = 1_700_000_000_000


@dataclass(frozen=True)
class Faults:
    """What may go wrong: probabilities of losing and copying a message, spread of delays, minutes without contact."""

    loss: float = 0.0
    duplicate: float = 0.0
    delay_ms: tuple[int, int] = (1, 5)
    partition: float = 0.0


@dataclass
class SimNet:
    """Peers `0 … peers-1`, all of them hosts."""

    seed: int
    peers: int
    faults: Faults = field(default_factory=Faults)
    limits: CoreLimits = field(default_factory=CoreLimits)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.now_ms = START_MS
        self.identities = [named_identity(f"sim{number}") for number in range(self.peers)]
        self.cores = {
            identity.peer_id: PeerCore(identity, HostPolicy(), limits=self.limits) for identity in self.identities
        }
        self.avm = Avm("python")
        self.history: list[tuple[Any, ...]] = []
        self.calls: list[tuple[int, str, str, str]] = []
        self.failures: list[tuple[str, Failed]] = []
        self.late: list[tuple[str, str]] = []
        self._queue: list[tuple[int, int, str, Event]] = []
        self._order = count()
        self._cut: dict[frozenset[str], int] = {}

    def submit(self, author: int, script: str, *, ttl_ms: int = 60_000) -> Particle:
        """Start a particle at one peer."""
        identity = self.identities[author]
        particle = new_particle(
            identity, particle_id=f"p{next(self._order)}", timestamp=self.now_ms, ttl=ttl_ms, script=script
        )
        self._later(0, identity.peer_id, Arrived(particle))
        return particle

    def run(self, steps_max: int = 200_000) -> None:
        """Let happen whatever happens, until nothing does."""
        for _ in range(steps_max):
            if not self._queue:
                return
            at_ms, _, peer, event = heapq.heappop(self._queue)
            self.now_ms = max(self.now_ms, at_ms)
            self.history.append((self.now_ms - START_MS, peer, type(event).__name__, _summary(event)))
            for action in self.cores[peer].receive(event, now_ms=self.now_ms):
                self._perform(peer, action)
        raise AssertionError(f"seed {self.seed}: still busy after {steps_max} steps")

    def _later(self, delay_ms: int, peer: str, event: Event) -> None:
        heapq.heappush(self._queue, (self.now_ms + delay_ms, next(self._order), peer, event))

    def _delay(self) -> int:
        return self.random.randint(*self.faults.delay_ms)

    def _perform(self, peer: str, action: Any) -> None:
        match action:
            case Run():
                self._check_time(peer, action.params.timestamp + action.params.ttl, "run")
                outcome = self.avm.invoke(
                    action.script, action.prev_data, action.data, action.params, action.call_results
                )
                self._later(self._delay(), peer, Ran(action.key, outcome))
            case Call():
                self._check_time(peer, action.particle.deadline_ms, "call")
                self._call(peer, action)
            case Send():
                self._check_time(peer, action.particle.deadline_ms, "send")
                message = codec.encode(action.particle)
                for target in action.targets:
                    self._send(peer, target, message)
            case SetTimer():
                self._later(max(0, action.at_ms - self.now_ms), peer, Tick())
            case Failed():
                self.failures.append((peer, action))
            case Forget() | Drop():
                self.history.append((self.now_ms - START_MS, peer, type(action).__name__, action.particle_id))

    def _check_time(self, peer: str, deadline_ms: int, what: str) -> None:
        if self.now_ms > deadline_ms:
            self.late.append((peer, what))

    def _call(self, peer: str, call: Call) -> None:
        arguments = json.dumps(call.request.arguments)
        self.calls.append((self.now_ms, peer, call.particle.id, f"{call.request.function_name}{arguments}"))
        self._later(self._delay(), peer, Called(call.key, call.call_id, CallResult(0, json.dumps(f"r{arguments}"))))

    def _send(self, source: str, target: str, message: bytes) -> None:
        if target not in self.cores or self._is_cut(source, target) or self.random.random() < self.faults.loss:
            return
        copies = 1
        while self.random.random() < self.faults.duplicate:
            copies += 1
        for _ in range(copies):
            particle = codec.decode(message)
            assert isinstance(particle, Particle)
            self._later(self._delay(), target, Arrived(particle))

    def _is_cut(self, source: str, target: str) -> bool:
        """Whether two peers cannot talk at the moment; now and then a pair falls out for a second."""
        pair = frozenset((source, target))
        if self.random.random() < self.faults.partition:
            self._cut[pair] = self.now_ms + 1000
        return self._cut.get(pair, 0) > self.now_ms


def _summary(event: Event) -> Any:
    match event:
        case Arrived(particle):
            return (particle.id, len(particle.data))
        case Ran(key, outcome):
            return (
                key.signature[:4].hex(),
                outcome.ret_code,
                sorted(outcome.next_peer_pks),
                sorted(outcome.call_requests),
            )
        case Called(key, call_id, result):
            return (key.signature[:4].hex(), call_id, result.result)
        case _:
            return None


def random_script(net: SimNet, author: int) -> str:
    """A program of calls in sequence and in parallel at random peers, each with arguments of its own.

    Parallel branches come home to the author and are joined there, as compiled programs do: a value that is not carried
    to the peer that needs it would be waited for in vain. The last call needs every value.
    """
    home = net.identities[author].peer_id
    names = count()

    def call(peer: str, known: list[str]) -> tuple[str, list[str]]:
        number = next(names)
        arguments = net.random.sample(known, min(len(known), net.random.randint(0, 2)))
        return f'(call "{peer}" ("probe" "mark") ["{number}" {" ".join(arguments)}] v{number})', [f"v{number}"]

    def branch(depth: int, known: list[str]) -> tuple[str, list[str]]:
        text, made = build(depth, known)
        hop, hopped = call(home, [])
        return f"(seq {text} {hop})", made + hopped

    def build(depth: int, known: list[str]) -> tuple[str, list[str]]:
        if depth == 0 or net.random.random() < 0.2:
            return call(net.random.choice(net.identities).peer_id, known)
        if net.random.random() < 0.6:
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
