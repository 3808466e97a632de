"""What must hold in every simulation, each with a name. See docs/simulation.md for what is promised and why.

A checker has hooks, which the world calls as things happen; one that finds something wrong raises `CheckFailed` at once. It looks at
the peers from outside: at the actions of their cores, at what their stores take, at the data they end with.

*Forgotten* particles are those that a peer with a volatile store lost in a crash. The peer starts such a particle anew when a copy comes:
its calls are made again, and what it signs then need not fit what it signed before. So they are exempt where a check says so, on all peers.
"""

from __future__ import annotations

import struct
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, ClassVar, Final

from avm.data.codec import decode
from avm.data.envelope import own_archive
from avm.outcome import RunParameters
from avm.trace.states import CANON, FAILED, SCALAR, STREAM, UNUSED
from runtime.core.actions import DropReason
from runtime.protocol.identity import named_identity

from .plan import ALIKE, ALWAYS, MARKS, PERHAPS, PROGRAM
from .services import PROBE

if TYPE_CHECKING:
    from avm.data.interpreter_data import InterpreterData
    from avm.outcome import Outcome
    from runtime.core.actions import Call, Drop, Failed, Run, Send
    from runtime.core.events import ActorKey

    from .node import Node
    from .world import World

FACTS: Final = frozenset({SCALAR, STREAM, UNUSED, FAILED, CANON})
"""States of a trace that say what was done."""

AUDIT_EVERY: Final = 32
"""Events between two recounts of what the peers hold."""

_COUNTS: Final = struct.Struct(">8xI4xI4xI4xI4xI4xI4xI")
"""The root at the end of an archive: last request id, entries of the five stores, signatures. A trace may become shorter: a state of a
message that was sent goes when its branch ends in an error."""

OBSERVER: Final = named_identity("observer")
"""A peer no script names: it only merges."""

_FORM: Final = frozenset(range(2, 10))
_FIT: Final = frozenset({20000, 20001, 20002, 20006, 20008, 20010, 20011, 20012, 20017})
_BLAMED: Final = {ALWAYS: _FORM | _FIT, ALIKE: _FORM, PERHAPS: frozenset[int]()}
"""Codes of the interpreter that say that data do not fit, to their signatures or form, or to each other and the script."""


class CheckFailed(Exception):
    """A check found something wrong."""

    def __init__(self, check: str, message: str, *, peers: tuple[int, ...] = (), particle: int | None = None) -> None:
        """peers: numbers of those concerned. particle: its number."""
        super().__init__(message)
        self.check = check
        self.message = message
        self.peers = peers
        self.particle = particle


class Checker:
    """Hooks that do nothing. The world calls only those that a checker has."""

    name: ClassVar[str]
    promise: ClassVar[str]

    def __init__(self, world: World) -> None:
        """Belong to a world."""
        self.world = world

    def fail(self, message: str, *nodes: Node, particle: int | None = None) -> CheckFailed:
        """What to raise."""
        return CheckFailed(self.name, message, peers=tuple(node.number for node in nodes), particle=particle)

    def run(self, node: Node, run: Run) -> None:
        """A core asks for a run."""

    def ran(self, node: Node, key: ActorKey, outcome: Outcome | None) -> None:
        """A run is over, None where the interpreter broke down; its core has not been told yet."""

    def call(self, node: Node, call: Call) -> None:
        """A service is called."""

    def send(self, node: Node, send: Send) -> None:
        """A particle leaves."""

    def saved(self, node: Node, key: ActorKey, data: bytes) -> None:
        """A store took data."""

    def removed(self, node: Node, key: ActorKey, data: bytes) -> None:
        """A store let go of data."""

    def failed(self, node: Node, failed: Failed) -> None:
        """A run ended with an error."""

    def dropped(self, node: Node, drop: Drop) -> None:
        """A particle went no further."""

    def died(self, node: Node) -> None:
        """A peer crashed; what it held is still there to be looked at."""

    def after(self, node: Node) -> None:
        """An event was dealt with."""

    def end(self) -> None:
        """Nothing is left to happen."""


class NoCallTwice(Checker):
    """A peer makes no service call of a particle twice."""

    name = "no-call-twice"
    promise = "a peer makes no call of a particle twice, also across a crash if its store is durable"

    def __init__(self, world: World) -> None:
        """Nothing called yet."""
        super().__init__(world)
        self._ids: dict[tuple[int, int], set[int]] = {}
        self._marks: set[tuple[int, int, str]] = set()

    def call(self, node: Node, call: Call) -> None:
        """Request ids are never used again; calls of `probe` have arguments that tell them apart."""
        particle = self.world.number_of(call.key)
        ids = self._ids.setdefault((node.number, particle), set())
        if call.call_id in ids:
            raise self.fail(f"request {call.call_id} was called before: {_text(call)}", node, particle=particle)
        ids.add(call.call_id)
        if call.request.service_id == PROBE:
            mark = (node.number, particle, _text(call))
            if mark in self._marks:
                raise self.fail(f"called before, under another id: {mark[2]}", node, particle=particle)
            self._marks.add(mark)

    def died(self, node: Node) -> None:
        """A volatile store forgets what was called."""
        if not node.spec.durable:
            self._ids = {name: ids for name, ids in self._ids.items() if name[0] != node.number}
            self._marks = {mark for mark in self._marks if mark[0] != node.number}


def _text(call: Call) -> str:
    request = call.request
    return f"{request.service_id}.{request.function_name}{request.arguments!r}"


class NothingAfterExpiry(Checker):
    """No run, call or message begins after a particle's deadline, by the clock of the peer that does it."""

    name = "nothing-after-expiry"
    promise = "by its own clock, a peer begins no run, call or message after a particle's deadline"

    def run(self, node: Node, run: Run) -> None:
        """Compare."""
        self._check(node, run.params.timestamp + run.params.ttl, run.key, "run")

    def call(self, node: Node, call: Call) -> None:
        """Compare."""
        self._check(node, call.particle.deadline_ms, call.key, "service call")

    def send(self, node: Node, send: Send) -> None:
        """Compare."""
        if node.now_ms() > send.particle.deadline_ms:
            particle = self.world.number_of_signature(send.particle.signature)
            late = node.now_ms() - send.particle.deadline_ms
            raise self.fail(f"message {late} ms after the deadline", node, particle=particle)

    def _check(self, node: Node, deadline_ms: int, key: ActorKey, what: str) -> None:
        late = node.now_ms() - deadline_ms
        if late > 0:
            raise self.fail(f"{what} {late} ms after the deadline", node, particle=self.world.number_of(key))


class RunsNeverOverlap(Checker):
    """An actor has one run at a time."""

    name = "runs-never-overlap"
    promise = "runs of one particle on one peer never overlap"

    def __init__(self, world: World) -> None:
        """Nothing runs yet."""
        super().__init__(world)
        self._running: set[tuple[int, ActorKey]] = set()

    def run(self, node: Node, run: Run) -> None:
        """One more."""
        if (node.number, run.key) in self._running:
            raise self.fail(
                "a run began before the one before it was over", node, particle=self.world.number_of(run.key)
            )
        self._running.add((node.number, run.key))

    def ran(self, node: Node, key: ActorKey, outcome: Outcome | None) -> None:
        """One less."""
        self._running.discard((node.number, key))

    def died(self, node: Node) -> None:
        """What ran there will not come to an end."""
        self._running = {name for name in self._running if name[0] != node.number}


class NoStateLost(Checker):
    """What a store has taken is what the next run begins with, and knowledge only grows."""

    name = "no-state-lost"
    promise = "each run begins with what the store took last, also after a crash if it is durable; no save knows less than the one before"

    def __init__(self, world: World) -> None:
        """Nothing saved yet."""
        super().__init__(world)
        self._kept: dict[tuple[int, ActorKey], bytes] = {}

    def run(self, node: Node, run: Run) -> None:
        """Compare with the last save."""
        kept = self._kept.get((node.number, run.key), b"")
        if run.prev_data != kept:
            raise self.fail(
                f"a run begins with {len(run.prev_data)} bytes, {len(kept)} other ones were stored before",
                node,
                particle=self.world.number_of(run.key),
            )

    def saved(self, node: Node, key: ActorKey, data: bytes) -> None:
        """Compare the last request id and the sizes of the stores with those of the save before."""
        before = self._kept.get((node.number, key))
        self._kept[node.number, key] = data
        if before is None or self.world.merges(self.world.number_of(key)) == PERHAPS:
            return
        old, new = _counts(before), _counts(data)
        if any(one > other for one, other in zip(old, new, strict=True)):
            raise self.fail(
                f"request id and numbers of entries went from {old} to {new}", node, particle=self.world.number_of(key)
            )

    def removed(self, node: Node, key: ActorKey, data: bytes) -> None:
        """Its life is over."""
        self._kept.pop((node.number, key), None)

    def died(self, node: Node) -> None:
        """A volatile store forgets."""
        if not node.spec.durable:
            self._kept = {name: data for name, data in self._kept.items() if name[0] != node.number}


def _counts(data: bytes) -> tuple[int, ...]:
    archive = own_archive(data)
    assert archive is not None, "the interpreter writes its own form"
    return _COUNTS.unpack(archive[-_COUNTS.size :])


class SignaturesValid(Checker):
    """Honest peers never refuse each other's particles or data."""

    name = "signatures-valid"
    promise = (
        "honest peers never find fault with the signatures, identifiers or form of each other's particles and data"
    )

    def dropped(self, node: Node, drop: Drop) -> None:
        """All particles of a simulation are well signed."""
        if drop.reason is DropReason.BAD_SIGNATURE:
            raise self.fail(f"particle {drop.particle_id} was refused: its signature does not match", node)

    def failed(self, node: Node, failed: Failed) -> None:
        """Codes that blame the data, on particles whose data cannot be to blame."""
        particle = self.world.number_of(failed.key)
        if failed.ret_code not in _BLAMED[self.world.merges(particle)]:
            return
        raise self.fail(f"error {failed.ret_code}: {failed.message}", node, particle=particle)


class TracesMerge(Checker):
    """What two peers know of a particle in the end fits together, whoever learns it from whom."""

    name = "traces-merge"
    promise = "the final data of any two peers merge without error and to the same result in either order"

    def __init__(self, world: World) -> None:
        """Nothing final yet."""
        super().__init__(world)
        self._final: dict[int, dict[int, bytes]] = {}

    def removed(self, node: Node, key: ActorKey, data: bytes) -> None:
        """Keep what a peer ends with."""
        self._final.setdefault(self.world.number_of(key), {})[node.number] = data

    def end(self) -> None:
        """Merge all pairs, both ways."""
        for number, final in sorted(self._final.items()):
            if self.world.merges(number) == PERHAPS:
                continue
            if len(final) == 1:
                ((peer, data),) = final.items()
                self._merge(number, b"", data, (peer,))
            for (one, first), (other, second) in combinations(final.items(), 2):
                self._compare(number, first, second, (one, other))

    def _compare(self, number: int, first: bytes, second: bytes, peers: tuple[int, int]) -> None:
        if first == second:
            self._merge(number, b"", first, peers)
            return
        left = self._merge(number, first, second, peers)
        right = self._merge(number, second, first, peers)
        if left.ret_code != right.ret_code:
            self._refuse(number, peers, f"one order ends with {left.ret_code}, the other with {right.ret_code}")
        if left.data == right.data or left.ret_code != 0:
            return
        one, other = decode(left.data), decode(right.data)
        if facts(one) != facts(other) or len(one.trace) != len(other.trace):
            self._refuse(number, peers, "the two orders give traces with different facts")
        if one.stores != other.stores:
            self._refuse(number, peers, "the two orders give different stores")
        if one.signatures != other.signatures:
            self._refuse(number, peers, "the two orders keep different signatures")

    def _merge(self, number: int, prev: bytes, data: bytes, peers: tuple[int, ...]) -> Outcome:
        particle = self.world.particles[number]
        params = RunParameters(
            particle.init_peer_id, OBSERVER.peer_id, particle.timestamp, particle.ttl, particle.id, OBSERVER.seed
        )
        outcome = self.world.interpreter.invoke(particle.script, prev, data, params, {})
        if outcome.ret_code in _BLAMED[self.world.merges(number)]:
            self._refuse(number, peers, f"merging fails: {outcome.ret_code}: {outcome.error_message}")
        return outcome

    def _refuse(self, number: int, peers: tuple[int, ...], message: str) -> None:
        raise CheckFailed(self.name, message, peers=peers, particle=number)


def facts(data: InterpreterData) -> Counter[tuple[int, str]]:
    """What a trace says was done, without positions, generations and senders."""
    return Counter((state[0], state[1]) for state in data.trace if state[0] in FACTS)


class ComesToRest(Checker):
    """Left alone, the network comes to rest with nothing left over."""

    name = "comes-to-rest"
    promise = "left alone, a network comes to rest: no event, no run, no call, no particle and no data are left"

    def end(self) -> None:
        """Look everywhere."""
        for node in self.world.nodes:
            if not node.up:
                raise self.fail("never started again", node)
            core = node.core
            left = {
                "particles": core.actor_count,
                "waiting copies": core.backlog + len(node.inbox),
                "bytes of data": node.store.total_bytes,
            }
            found = ", ".join(f"{count} {what}" for what, count in left.items() if count)
            if found or not core.is_idle:
                raise self.fail(f"left over: {found or 'runs or calls'}", node)


class MemoryBounded(Checker):
    """What a peer holds is what it counts, and within its limits."""

    name = "memory-bounded"
    promise = "what peers hold of particles stays within `CoreLimits`, and their running counts are right"

    def __init__(self, world: World) -> None:
        """Nothing seen yet."""
        super().__init__(world)
        self._events = 0

    def after(self, node: Node) -> None:
        """Now and then, recount."""
        self._events += 1
        if self._events % AUDIT_EVERY == 0:
            self._audit(node)

    def end(self) -> None:
        """Recount all."""
        for node in self.world.nodes:
            self._audit(node)

    def _audit(self, node: Node) -> None:
        found = node.core.discrepancies() if node.up else []
        if found:
            raise self.fail("; ".join(found), node)


class ProgramsEnd(Checker):
    """A program that nothing hindered ends; none ends wrongly."""

    name = "programs-end"
    promise = "a program answers what it may and nothing else; one that lost nothing but time always answers, and once"

    def end(self) -> None:
        """Look at all that started."""
        world = self.world
        for number in sorted(world.particles):
            spec = world.specs[number]
            answers = world.answers.get(number, [])
            author = world.nodes[spec.author]
            if number in world.forgotten or spec.kind not in (MARKS, PROGRAM):
                continue
            if len(answers) > 1:
                raise self.fail(f"answered {len(answers)} times", author, particle=number)
            if answers and spec.accepted is not None and number not in world.failed_calls:
                (got,) = answers
                if got[:1] == ["error"]:
                    got = got[:1]
                if got not in spec.accepted:
                    raise self.fail(f"answered {got}, may answer {spec.accepted}", author, particle=number)
            if not answers and spec.accepted is not None and world.had_its_time(number):
                raise self.fail("came to rest without an answer", author, particle=number)


CHECKERS: Final[tuple[type[Checker], ...]] = (
    NoCallTwice,
    NothingAfterExpiry,
    RunsNeverOverlap,
    NoStateLost,
    SignaturesValid,
    TracesMerge,
    MemoryBounded,
    ComesToRest,
    ProgramsEnd,
)

NEVER_RAISES: Final = "never-raises"
"""The check that the world makes itself: a core answers every event, and the interpreter every run."""

ENDS_IN_TIME: Final = "ends-in-time"
"""The check that the world makes itself: a simulation takes at most so many events."""

NAMES: Final = (*(checker.name for checker in CHECKERS), NEVER_RAISES, ENDS_IN_TIME)
