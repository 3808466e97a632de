"""A whole network in one loop: the real cores, interpreter and stores under virtual time.

Nothing waits or runs in parallel: the next thing to happen is the top of a heap ordered by time, then by the order in which things were
asked for. Every message crosses as bytes through the codec. What goes wrong is up to `Fates`.

An editor must keep: nothing here depends on hash order, on the clock of the machine, or on what a cache holds; every event is written
into the history before it is dealt with; an event of an earlier life of a peer is void.
Input: `Plan`. Output: `Report`. Errors: none for what the network does; a check that fails is part of the report.
Source: spec peer.md §3 to §5
"""

from __future__ import annotations

import heapq
import struct
from collections import Counter, deque
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from runtime.core.actions import Action, Call, Drop, Failed, Forget, Run, Send, SetTimer
from runtime.core.events import Arrived, Called, Event, Ran, RunFailed, Tick
from runtime.core.kademlia import RoutingTable
from runtime.core.particle import Particle, new_particle
from runtime.core.peer_core import PeerCore
from runtime.network import Contact
from runtime.protocol import codec
from runtime.protocol.identity import named_identity
from runtime.services.client import ClientServices
from runtime.services.registry import CallContext

from . import services as stubs
from .checkers import CHECKERS, ENDS_IN_TIME, NEVER_RAISES, Checker, CheckFailed
from .faults import TRAPPED, Fates, Listed, Seeded
from .node import Node, WatchedStore, policy_of
from .plan import PERHAPS, START_MS, ParticleSpec, Plan
from .planted import BUGS, Bug, Mergeless

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from avm.outcome import Outcome
    from runtime.core.events import ActorKey
    from runtime.services.registry import Handler, Services
    from runtime.store.particle_data import MemoryParticleData
    from runtime.vm import Interpreter

EVENTS_MAX: Final = 10_000
EVENTS_PER_PARTICLE_MAX: Final = 2000
"""Events of one simulation, both together. Far above any that comes to rest: five peers and fifty particles make about two thousand."""

DYING_MS: Final = 25
"""A peer that is to die at its next event dies by itself after this time without one."""

REMEMBERED_EVENTS: Final = 20_000
SHOWN_EVENTS: Final = 12
"""Events that a world remembers, and those before a failure that its report shows: of the particle concerned, and of peers that died."""

_ARRIVED, _STARTED, _RAN, _CALLED, _TICK, _ARM, _DIE, _RESTART = range(8)
_EVENT_NAMES: Final = ("message", "start", "ran", "called", "tick", "dying", "crash", "restart")
_HEAD: Final = struct.Struct("<qBiiqI")
_NOBODY: Final = -1
_DIGEST_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that failed. event: number of the event, from 1. at_ms: virtual time since the start. peers: names."""

    check: str
    message: str
    event: int
    at_ms: int
    peers: tuple[str, ...]
    particle: int | None

    def to_json(self) -> dict[str, Any]:
        """The object `failure` of the documents of `avm sim`."""
        return {
            "check": self.check,
            "message": self.message,
            "event": self.event,
            "at_ms": self.at_ms,
            "peers": list(self.peers),
            "particle": self.particle,
        }


@dataclass(slots=True)
class Counts:
    """What happened, in numbers."""

    events: int = 0
    runs: int = 0
    calls: int = 0
    messages: int = 0
    lost: int = 0
    copies: int = 0
    unreachable: int = 0
    crashes: int = 0
    traps: int = 0
    failed_calls: int = 0
    errors: Counter[int] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Report:
    """How a simulation went. history: digest of all events in order, hex. last: the last events before a failure, as text."""

    seed: int
    history: str
    virtual_ms: int
    counts: Counts
    failure: Failure | None
    last: tuple[str, ...]


class World:
    """One simulation."""

    def __init__(
        self,
        plan: Plan,
        interpreter: Interpreter,
        *,
        checkers: Sequence[type[Checker]] = CHECKERS,
        record: bool = False,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        """record: keep the faults drawn from the seed in `recorded`. trace: told of every event, as text."""
        self.plan = plan
        self.interpreter = interpreter
        self._forgets = False
        self._make_core: type[PeerCore] = PeerCore
        self._running_interpreter = interpreter
        if plan.bug is not None:
            self._plant(BUGS[plan.bug])
        self.now_ms = START_MS
        self.counts = Counts()
        self.specs: dict[int, ParticleSpec] = {spec.number: spec for spec in plan.particles}
        self.particles: dict[int, Particle] = {}
        self.answers: dict[int, list[list[Any]]] = {}
        self.forgotten: set[int] = set()
        self.failed_calls: set[int] = set()
        self.on_call: list[Callable[[Node, Call], None]] = []
        self.failures: list[tuple[int, int, Failed]] = []
        self.console: list[str] = []
        self._hindered: set[int] = set()
        self._own_handlers: dict[int, Mapping[tuple[str, str], Handler]] = {}
        self._limits = plan.core_limits()
        self._trace = trace
        self._history = blake2b(digest_size=_DIGEST_BYTES)
        self._queue: list[tuple[int, int, int, int, int, int, Any]] = []
        self._order = 0
        self._remembered: deque[tuple[int, int, int, int, int]] = deque(maxlen=REMEMBERED_EVENTS)
        self._numbers: dict[bytes, int] = {}
        self._nth: Counter[tuple[int, ...]] = Counter()
        if plan.faults is None:
            seeded = Seeded(plan.seed, plan.kinds, len(plan.peers), plan.span_ms, record=record)
            self._fates: Fates = seeded
            self.recorded = seeded.recorded
        else:
            self._fates = Listed(plan.faults)
            self.recorded = list(plan.faults) if record else None
        self.nodes = [
            Node(number, spec, named_identity(spec.name), self._fates.skew_ms(number), self._now)
            for number, spec in enumerate(plan.peers)
        ]
        self._by_id = {node.identity.peer_id: node for node in self.nodes}
        self.host_ids = [node.identity.peer_id for node in self.nodes if not node.is_client]
        self._set_hooks([checker(self) for checker in checkers])
        self._handlers: tuple[Callable[[Node, int, Any], None], ...] = (
            self._arrived,
            self._started,
            self._ran,
            self._called,
            self._tick,
            self._arm,
            self._die,
            self._restart,
        )
        for node in self.nodes:
            self._start(node, self._new_store(node))
        for spec in plan.particles:
            self._later(spec.at_ms, _STARTED, spec.author, spec.number, None)
        for crash in self._fates.crashes:
            if crash.peer < len(self.nodes):
                self._later(crash.at_ms, _ARM, crash.peer, _NOBODY, (crash.keep, crash.down_ms))

    def _set_hooks(self, checkers: list[Checker]) -> None:
        def having(name: str) -> list[Any]:
            base = getattr(Checker, name)
            return [getattr(one, name) for one in checkers if getattr(type(one), name) is not base]

        self._on_run, self._on_ran, self._on_call = having("run"), having("ran"), having("call")
        self._on_send, self._on_saved, self._on_removed = having("send"), having("saved"), having("removed")
        self._on_failed, self._on_dropped, self._on_died = having("failed"), having("dropped"), having("died")
        self._on_after, self._on_end = having("after"), having("end")

    def _plant(self, bug: Bug) -> None:
        self._make_core = bug.core
        self._forgets = bug.forgets
        if bug.mergeless:
            self._running_interpreter = Mergeless(self.interpreter)

    # What checkers ask

    def number_of(self, key: ActorKey) -> int:
        """Number of the particle of an actor."""
        return self._numbers[key.signature]

    def number_of_signature(self, signature: bytes) -> int:
        """Number of the particle with this signature."""
        return self._numbers[signature]

    def merges(self, number: int) -> str:
        """Whether data of this particle fit together, one of `plan.MERGES`."""
        return PERHAPS if number in self.forgotten else self.specs[number].merges

    def had_its_time(self, number: int) -> bool:
        """Whether a particle lost no message, call, run or peer, and was at rest when its time ran out."""
        return number not in self._hindered

    def submit(self, spec: ParticleSpec, handlers: Mapping[tuple[str, str], Handler] | None = None) -> None:
        """Let one more particle start, `spec.at_ms` from now. handlers: further services of its author, for this particle only."""
        self.specs[spec.number] = spec
        self._own_handlers[spec.number] = handlers or {}
        self._later(spec.at_ms, _STARTED, spec.author, spec.number, None)

    def history(self) -> str:
        """Digest of all events so far, hex."""
        return self._history.copy().hexdigest()

    # Life

    def _now(self) -> int:
        return self.now_ms

    def _new_store(self, node: Node) -> WatchedStore:
        def saved(key: ActorKey, data: bytes) -> None:
            for hook in self._on_saved:
                hook(node, key, data)

        def removed(key: ActorKey, data: bytes) -> None:
            for hook in self._on_removed:
                hook(node, key, data)

        return WatchedStore(saved, removed)

    def _start(self, node: Node, store: MemoryParticleData) -> None:
        services: Services
        if node.is_client:
            services = stubs.client_services(node.identity, node, self.console.append)
        else:
            table = RoutingTable(node.identity.peer_id)
            for peer_id in self.host_ids:
                table.add(Contact(peer_id))
            services = stubs.host_services(node.identity, node, stubs.Neighbours(table), self._by_id.__contains__)
        relay = None if node.spec.relay is None else self.nodes[node.spec.relay].identity.peer_id
        node.start(self._make_core, policy_of(node.spec, relay), self._limits, store, services)

    def _crash(self, node: Node) -> None:
        self.counts.crashes += 1
        held = {number for number, signature in self._held_by(node)}
        self._hindered |= held
        if not node.spec.durable:
            self.forgotten |= held
        for hook in self._on_died:
            hook(node)
        node.die()
        self._later(node.down_ms, _RESTART, node.number, _NOBODY, None, life=node.life)

    def _held_by(self, node: Node) -> list[tuple[int, bytes]]:
        """Particles that a peer has data of, runs, or has waiting."""
        signatures = {key.signature for key, _ in node.store.kept()} | {key.signature for key in node.core.living()}
        signatures |= {particle.signature for particle in node.inbox}
        return [(number, signature) for signature, number in self._numbers.items() if signature in signatures]

    def _arm(self, node: Node, _: int, payload: tuple[int, int]) -> None:
        if node.up:
            node.armed, node.down_ms = payload
            self._later(DYING_MS, _DIE, node.number, _NOBODY, None, life=node.life)

    def _die(self, node: Node, _: int, payload: None) -> None:
        """Nothing came for it to die of; the loop sees that it is armed."""

    def _restart(self, node: Node, _: int, payload: None) -> None:
        self._start(node, node.store if node.spec.durable and not self._forgets else self._new_store(node))
        self._feed(node, Tick())

    # The loop

    def run(self, until: Callable[[], bool] | None = None) -> Report:
        """Let happen whatever happens, until nothing does or a check fails.

        until: stop before the next event once this is so; what must hold in the end is not looked at then.
        """
        failure = None
        try:
            self._loop(EVENTS_MAX + EVENTS_PER_PARTICLE_MAX * len(self.specs), until)
            if not self._queue:
                for hook in self._on_end:
                    hook()
        except CheckFailed as error:
            failure = Failure(
                error.check,
                error.message,
                self.counts.events,
                self.now_ms - START_MS,
                tuple(self.nodes[number].spec.name for number in error.peers),
                error.particle,
            )
        last = () if failure is None else self._last_events(failure)
        return Report(self.plan.seed, self.history(), self.now_ms - START_MS, self.counts, failure, last)

    def _last_events(self, failure: Failure) -> tuple[str, ...]:
        events = list(self._remembered)
        if failure.particle is not None:
            events = [item for item in events if item[4] == failure.particle or item[2] in (_DIE, _RESTART)]
        return tuple(self._text(item) for item in events[-SHOWN_EVENTS:])

    def _loop(self, events_max: int, until: Callable[[], bool] | None) -> None:
        queue, nodes, counts = self._queue, self.nodes, self.counts
        while queue and not (until is not None and until()):
            at_ms, _, kind, number, life, particle, payload = heapq.heappop(queue)
            node = nodes[number]
            if life not in (node.life, _NOBODY):
                continue
            if counts.events >= events_max:
                raise CheckFailed(ENDS_IN_TIME, f"still busy after {events_max} events")
            counts.events += 1
            self.now_ms = at_ms
            self._note(kind, number, particle, payload)
            try:
                self._handlers[kind](node, particle, payload)
            except CheckFailed:
                raise
            except Exception as error:
                raise CheckFailed(
                    NEVER_RAISES,
                    f"{type(error).__name__}: {error}",
                    peers=(number,),
                    particle=None if particle == _NOBODY else particle,
                ) from error
            if node.armed is not None and kind != _ARM:
                node.armed = None
                self._crash(node)
            for hook in self._on_after:
                hook(node)

    def _note(self, kind: int, number: int, particle: int, payload: Any) -> None:
        """Write an event into the history."""
        extra, body = 0, b""
        if kind == _ARRIVED:
            body = payload
        elif kind == _RAN and isinstance(payload, Ran):
            outcome = payload.outcome
            extra = outcome.ret_code
            body = ",".join((*outcome.next_peer_pks, *map(str, outcome.call_requests))).encode() + outcome.data
        elif kind == _CALLED:
            extra = payload.call_id
            body = payload.result.result.encode()
        at_ms = self.now_ms - START_MS
        self._history.update(_HEAD.pack(at_ms, kind, number, particle, extra, len(body)))
        self._history.update(body)
        item = (self.counts.events, at_ms, kind, number, particle)
        self._remembered.append(item)
        if self._trace is not None:
            self._trace(self._text(item))

    def _text(self, item: tuple[int, int, int, int, int]) -> str:
        event, at_ms, kind, number, particle = item
        what = "" if particle == _NOBODY else f" particle {particle}"
        return f"{event:6} {at_ms:8} ms  {self.nodes[number].spec.name:8} {_EVENT_NAMES[kind]}{what}"

    def _later(
        self, delay_ms: int, kind: int, number: int, particle: int, payload: Any, *, life: int = _NOBODY
    ) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._order, kind, number, life, particle, payload))

    # Events

    def _ran(self, node: Node, _: int, event: Ran | RunFailed) -> None:
        outcome = event.outcome if isinstance(event, Ran) else None
        for hook in self._on_ran:
            hook(node, event.key, outcome)
        self._feed(node, event)

    def _called(self, node: Node, _: int, event: Called) -> None:
        self._feed(node, event)

    def _tick(self, node: Node, _: int, timer: int) -> None:
        if timer == node.timer:
            self._feed(node, Tick())

    def _started(self, node: Node, number: int, _: None) -> None:
        """An author makes its particle. One that is down does not."""
        if not node.up:
            return
        spec = self.specs[number]
        particle = new_particle(
            node.identity, particle_id=f"p{number}", timestamp=node.now_ms(), ttl=spec.ttl_ms, script=spec.script
        )
        self.particles[number] = particle
        self._numbers[particle.signature] = number
        if isinstance(node.services, ClientServices):
            self._set_handlers(node.services, node, spec, particle)
        self._feed(node, Arrived(particle))

    def _set_handlers(self, services: ClientServices, node: Node, spec: ParticleSpec, particle: Particle) -> None:
        assert node.spec.relay is not None
        handlers: dict[tuple[str, str], Any] = dict(self._own_handlers.get(spec.number, {}))

        def constant(value: Any) -> Any:
            return lambda _, __: value

        for name, value in spec.arguments.items():
            handlers["getDataSrv", name] = constant(value)
        for name, value in spec.stubs.items():
            service_id, _, function = name.rpartition(".")
            handlers[service_id, function] = constant(value)
        handlers["getDataSrv", "-relay-"] = constant(self.nodes[node.spec.relay].identity.peer_id)
        answers = self.answers.setdefault(spec.number, [])

        def respond(values: list[Any], _: CallContext) -> Any:
            answers.append(["value", values])
            return {}

        def report(values: list[Any], _: CallContext) -> Any:
            answers.append(["error", values[0] if values else None])
            return {}

        handlers["callbackSrv", "response"] = respond
        handlers["errorHandlingSrv", "error"] = report
        services.set_particle_handlers(particle.signature, handlers)

    def _arrived(self, node: Node, number: int, message: bytes) -> None:
        if not node.up:
            self.counts.lost += 1
            self._hindered.add(number)
            return
        particle = codec.decode(message)
        assert isinstance(particle, Particle)
        if node.core.has_room(particle.init_peer_id):
            self._feed(node, Arrived(particle))
        else:
            node.inbox.append(particle)

    def _feed(self, node: Node, event: Event) -> None:
        """Give a core an event, do what it asks for, then let in what waited for room."""
        actions = node.core.receive(event, now_ms=node.now_ms())
        if node.armed is not None:
            for action in actions[node.armed :]:
                self._note_hindrance(action)  # a particle that this event ended is not held any more when the peer dies
            actions = actions[: node.armed]
        for action in actions:
            self._perform(node, action)
        if node.armed is not None:
            return
        inbox = node.inbox
        while inbox:
            place = next((n for n, one in enumerate(inbox) if node.core.has_room(one.init_peer_id)), None)
            if place is None:
                return
            particle = inbox[place]
            del inbox[place]
            for action in node.core.receive(Arrived(particle), now_ms=node.now_ms()):
                self._perform(node, action)

    def _perform(self, node: Node, action: Action) -> None:
        match action:
            case Run():
                self._run(node, action)
            case Call():
                self._call(node, action)
            case Send():
                self._send(node, action)
            case SetTimer():
                node.timer += 1
                delay_ms = max(0, action.at_ms - node.now_ms())
                self._later(delay_ms, _TICK, node.number, _NOBODY, node.timer, life=node.life)
            case Failed():
                self.counts.errors[action.ret_code] += 1
                self.failures.append((node.number, self._numbers[action.key.signature], action))
                for hook in self._on_failed:
                    hook(node, action)
            case Drop():
                self.counts.drops[action.reason.name] += 1
                self._note_hindrance(action)
                for hook in self._on_dropped:
                    hook(node, action)
            case Forget():
                self._note_hindrance(action)
                if isinstance(node.services, ClientServices):
                    node.services.remove_particle_handlers(action.key.signature)

    def _note_hindrance(self, action: Action) -> None:
        """Note that the particle of an action is over here before it had its time, if that is what it says."""
        match action:
            case Drop(particle_id) if particle_id[:1] == "p" and particle_id[1:].isdecimal():
                self._hindered.add(int(particle_id[1:]))
            case Forget(key, _, unfinished=True):
                self._hindered.add(self._numbers[key.signature])
            case _:
                pass  # it goes on, or has ended

    def _count(self, *name: int) -> int:
        nth = self._nth[name]
        self._nth[name] = nth + 1
        return nth

    def _run(self, node: Node, run: Run) -> None:
        self.counts.runs += 1
        for hook in self._on_run:
            hook(node, run)
        number = self._numbers[run.key.signature]
        took_ms = self._fates.run(number, node.number, self._count(_RAN, number, node.number))
        if took_ms == TRAPPED:
            self.counts.traps += 1
            self._hindered.add(number)
            self._later(1, _RAN, node.number, number, RunFailed(run.key, "the simulation wants it"), life=node.life)
            return
        outcome: Outcome = self._running_interpreter.invoke(
            run.script, run.prev_data, run.data, run.params, run.call_results
        )
        self._later(took_ms, _RAN, node.number, number, Ran(run.key, outcome), life=node.life)

    def _call(self, node: Node, call: Call) -> None:
        self.counts.calls += 1
        for hook in self._on_call:
            hook(node, call)
        for listener in self.on_call:
            listener(node, call)
        number = self._numbers[call.key.signature]
        took_ms, fails = self._fates.call(number, node.number, self._count(_CALLED, number, node.number))
        if fails:
            self.counts.failed_calls += 1
            self.failed_calls.add(number)
            self._hindered.add(number)
            result = stubs.INJECTED
        else:
            request = call.request
            context = CallContext(
                call.particle,
                node.identity.peer_id,
                call.key.scope,
                request.service_id,
                request.function_name,
                request.tetraplets,
            )
            result, wait_ms = stubs.answer(node.services, request, context, self.host_ids)
            took_ms += wait_ms
            if request.service_id == stubs.PROBE and request.function_name == "end":
                self.answers.setdefault(number, []).append(["end"])
        self._later(took_ms, _CALLED, node.number, number, Called(call.key, call.call_id, result), life=node.life)

    def _send(self, node: Node, send: Send) -> None:
        for hook in self._on_send:
            hook(node, send)
        message = codec.encode(send.particle)
        number = self._numbers[send.particle.signature]
        for target_id in send.targets:
            target = self._by_id.get(target_id)
            if target is None or not self._reaches(node, target):
                self.counts.unreachable += 1
                self._hindered.add(number)
                continue
            nth = self._count(_ARRIVED, number, node.number, target.number)
            delays = self._fates.message(number, node.number, target.number, nth)
            if not delays or self._fates.cut_off(node.number, target.number, self.now_ms - START_MS):
                self.counts.lost += 1
                self._hindered.add(number)
                continue
            self.counts.messages += 1
            self.counts.copies += len(delays) - 1
            for delay_ms in delays:
                self._later(delay_ms, _ARRIVED, target.number, number, message)

    def _reaches(self, node: Node, target: Node) -> bool:
        """A client is reached by its relay only."""
        return target.spec.relay is None or target.spec.relay == node.number


def summary(report: Report) -> dict[str, Any]:
    """The document of one simulation, see `docs/schemas/avm-sim-run.schema.json`."""
    counts = report.counts
    return {
        "seed": report.seed,
        "history": report.history,
        "virtual_ms": report.virtual_ms,
        "events": counts.events,
        "runs": counts.runs,
        "calls": counts.calls,
        "messages": counts.messages,
        "faults": {
            "lost": counts.lost,
            "copies": counts.copies,
            "unreachable": counts.unreachable,
            "crashes": counts.crashes,
            "traps": counts.traps,
            "failed_calls": counts.failed_calls,
        },
        "errors": {str(code): count for code, count in sorted(counts.errors.items())},
        "drops": dict(sorted(counts.drops.items())),
        "failure": None if report.failure is None else report.failure.to_json(),
    }
