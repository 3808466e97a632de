"""The peer as a pure function: events in, actions out. No clock, no socket, no thread.

Pipeline of a particle: expiry and signature are checked before any state exists; then it waits in the mailbox of its
actor (one per scope and signature), runs when an interpreter is free, and its outcome becomes calls, messages to other
peers and local re-entries into the scopes of workers. Authors take turns, and so do the actors of one author.

An editor must keep: no state for a particle that failed a check; runs of one actor never overlap; every queue bounded
by `CoreLimits`; the same events give the same actions; what is counted in `_total` is counted for its author too.
Errors: none; whatever a stranger sends ends in a `Drop` or `Failed` action.
Source: nox:aquamarine/src/plumber.rs, actor.rs, aqua_runtime.rs; js-client:packages/core/js-client/src/jsPeer/FluencePeer.ts
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from avm.outcome import RunParameters
from runtime.core.actions import Action, Call, Drop, DropReason, Failed, Forget, Send, SetTimer
from runtime.core.actor import Actor, script_bytes
from runtime.core.events import (
    ActorKey,
    Arrived,
    Called,
    Event,
    GivenUp,
    Ran,
    RunFailed,
    ScopeRemoved,
    ScopeSet,
    Tick,
)
from runtime.core.limits import AvmLimits, CoreLimits
from runtime.core.shares import Holding, Turns, audit
from runtime.protocol.identity import is_peer_id
from runtime.store.particle_data import MemoryParticleData, ParticleDataStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from avm.outcome import CallRequest, Outcome
    from runtime.core.particle import Particle
    from runtime.protocol.identity import Identity

TRAPPED = -1
"""`Failed.ret_code` when the interpreter could not be run."""


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """How a host peer treats outcomes: it acts on them whatever their code, and routes by peer id.

    management: peer ids that may use scopes of deactivated workers, beside the host itself.
    """

    management: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """How a client treats outcomes: an error ends the call without effects, and everything goes to the relay."""

    relay: str | None


Policy = HostPolicy | ClientPolicy


@dataclass(slots=True)
class _Scope:
    identity: Identity
    active: bool


class PeerCore:
    """State of one peer."""

    def __init__(
        self,
        identity: Identity,
        policy: Policy,
        *,
        limits: CoreLimits | None = None,
        avm_limits: AvmLimits | None = None,
        store: ParticleDataStore | None = None,
    ) -> None:
        """Start with the host scope only.

        store: memory by default. What an earlier process left in it is forgotten in time, provided that an event comes: a `Tick` will do.
        """
        self.peer_id = identity.peer_id
        self.policy = policy
        self._limits = limits or CoreLimits()
        self._avm_limits = avm_limits or AvmLimits()
        self._store: ParticleDataStore = store if store is not None else MemoryParticleData()
        self._scopes = {identity.peer_id: _Scope(identity, active=True)}
        self._actors: dict[ActorKey, Actor] = {}
        self._ready = Turns()
        self._callers = Turns()
        self._deadlines: list[tuple[int, ActorKey]] = sorted((at_ms, key) for key, at_ms in self._store.kept())
        self._left = {key for _, key in self._deadlines}  # data of an earlier process that nothing has come for
        self._given_up: set[ActorKey] = set()  # until their deadlines
        self._timer_ms: int | None = None
        self._running = 0
        self._total = Holding()
        self._authors: dict[str, Holding] = {}

    # What the shell may ask

    @property
    def backlog(self) -> int:
        """Particles waiting in mailboxes."""
        return self._total.backlog

    def has_room(self, author: str) -> bool:
        """Whether the network may deliver more particles of this author."""
        limits, total = self._limits, self._total
        if total.backlog >= limits.backlog_max or total.queued_bytes >= limits.queued_bytes_max:
            return False
        held = self._authors.get(author)
        if held is None or self.is_trusted(author):
            return True
        backlog_max, bytes_max = limits.share(limits.backlog_max), limits.share(limits.queued_bytes_max)
        return held.backlog < backlog_max and held.queued_bytes < bytes_max

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs, waits or is being called: only a new event from outside can change anything."""
        return not (self._running or self._ready or self._total.pending_calls)

    @property
    def actor_count(self) -> int:
        """Particles alive here."""
        return len(self._actors)

    def is_resting(self, key: ActorKey) -> bool:
        """Whether a particle is not here, or only something from elsewhere can move it: it does not run, wait or call."""
        actor = self._actors.get(key)
        return actor is None or not (actor.running or actor.has_work or actor.calling or actor.requests)

    def living(self) -> tuple[ActorKey, ...]:
        """The particles alive here, each in its scope."""
        return tuple(self._actors)

    def scopes(self) -> tuple[str, ...]:
        """Peer ids that live here: the host first, then workers."""
        return tuple(self._scopes)

    def identity_of(self, scope: str) -> Identity | None:
        """Keys of a scope; None when it does not live here."""
        entry = self._scopes.get(scope)
        return entry.identity if entry else None

    def is_trusted(self, author: str) -> bool:
        """Whether this peer or its management wrote a particle: what they start is no stranger's load."""
        if author == self.peer_id:
            return True
        return isinstance(self.policy, HostPolicy) and author in self.policy.management

    def discrepancies(self) -> list[str]:
        """Running counts that differ from what the actors hold, and bounds that are exceeded; none when all is well.

        For checkers. Takes time linear in the actors.
        """
        return audit(self._actors.values(), self._total, self._authors, self._running, self._limits)

    # Events

    def receive(self, event: Event, *, now_ms: int) -> list[Action]:
        """Take one event and answer what to do about it, in order."""
        actions: list[Action] = []
        match event:
            case Arrived():
                self._arrived(event.particle, now_ms, actions)
            case Ran():
                self._ran(event.key, event.outcome, now_ms, actions)
            case RunFailed():
                self._run_failed(event.key, event.message, now_ms, actions)
            case Called():
                self._called(event)
            case Tick():
                self._timer_ms = None
            case ScopeSet():
                self._scopes[event.identity.peer_id] = _Scope(event.identity, event.active)
            case ScopeRemoved():
                self._remove_scope(event.peer_id, actions)
            case GivenUp():
                self._give_up(event.key, actions)
            case _:
                assert_never(event)
        self._remove_expired(now_ms, actions)
        self._start_calls(actions)
        self._start_runs(actions)
        self._set_timer(actions)
        return actions

    def _arrived(self, particle: Particle, now_ms: int, actions: list[Action]) -> None:
        refusal = self._lifetime_refusal(particle, now_ms)
        if refusal is not None:
            actions.append(refusal)
        elif not particle.is_signed_by_author():
            actions.append(Drop(particle.id, DropReason.BAD_SIGNATURE))
        else:
            self._ingest(particle, self.peer_id, actions)

    def _lifetime_refusal(self, particle: Particle, now_ms: int) -> Drop | None:
        if particle.is_expired(now_ms):
            return Drop(particle.id, DropReason.EXPIRED)
        life_ms = self._life_ms_max(particle)
        if life_ms is not None:
            if particle.timestamp + life_ms < now_ms:
                return Drop(particle.id, DropReason.EXPIRED, f"particles are kept for {life_ms} ms")
            if particle.timestamp > now_ms + life_ms:
                return Drop(particle.id, DropReason.TOO_FAR, f"particles are kept for {life_ms} ms")
        return None

    def _life_ms_max(self, particle: Particle) -> int | None:
        """How long a particle lives here at most.

        Counted from its timestamp, not from its arrival: a copy that comes after the end must not start it anew, which
        would repeat its calls, and nothing is kept that could tell.
        """
        return None if self.is_trusted(particle.init_peer_id) else self._limits.life_ms_max

    def _ingest(self, particle: Particle, scope_id: str, actions: list[Action]) -> None:
        """Put a verified, living particle into the mailbox of its actor in one scope."""
        scope = self._scopes.get(scope_id)
        if scope is None or not (scope.active or self._may_enter_inactive(particle.init_peer_id)):
            actions.append(Drop(particle.id, DropReason.SCOPE_GONE, scope_id))
            return
        if self._total.queued_bytes + len(particle.data) > self._limits.queued_bytes_max:
            actions.append(Drop(particle.id, DropReason.BUSY, "waiting data"))
            return
        key = ActorKey(scope_id, particle.signature)
        if key in self._given_up:
            actions.append(Drop(particle.id, DropReason.GIVEN_UP))
            return
        actor = self._actors.get(key)
        if actor is None:
            refusal = self._admission_refusal(key, particle)
            if refusal is not None:
                actions.append(refusal)
                return
            actor = self._add_actor(key, particle, scope.identity)
        if len(actor.mailbox) >= self._limits.mailbox_max:
            actions.append(Drop(particle.id, DropReason.MAILBOX_FULL))
            return
        actor.mailbox.append(particle.data)
        for held in self._holdings(actor):
            held.backlog += 1
            held.queued_bytes += len(particle.data)
        self._enqueue(actor)

    def _admission_refusal(self, key: ActorKey, particle: Particle) -> Drop | None:
        """Why no actor may be made for a particle; None when one may."""
        limits, total = self._limits, self._total
        others = len(self._left) - (key in self._left)
        held = self._authors.get(particle.init_peer_id, Holding())
        for what, more, all_, mine, bound in (
            ("particles alive", 1, total.actors + others, held.actors, limits.actors_max),
            ("stored data", 1, self._store.total_bytes, held.stored_bytes, limits.stored_bytes_max),
            ("scripts", script_bytes(particle), total.script_bytes, held.script_bytes, limits.script_bytes_max),
            ("calls pending", 1, total.pending_calls, held.pending_calls, limits.pending_calls_max),
        ):
            refusal = self._beyond(particle, what, all_ + more, mine + more, bound)
            if refusal is not None:
                return refusal
        return None

    def _beyond(self, particle: Particle, what: str, all_: int, mine: int, bound: int) -> Drop | None:
        """The refusal when all particles together, or those of one author, would hold more than they may."""
        if all_ > bound:
            return Drop(particle.id, DropReason.BUSY, what)
        if mine > self._limits.share(bound) and not self.is_trusted(particle.init_peer_id):
            return Drop(particle.id, DropReason.AUTHOR_SHARE, what)
        return None

    def _add_actor(self, key: ActorKey, particle: Particle, identity: Identity) -> Actor:
        life_ms = self._life_ms_max(particle)
        deadline_ms = particle.deadline_ms
        if life_ms is not None:
            deadline_ms = min(deadline_ms, particle.timestamp + life_ms)
        actor = Actor(key, particle, self._parameters(particle, identity), deadline_ms)
        self._actors[key] = actor
        heapq.heappush(self._deadlines, (deadline_ms, key))
        self._authors.setdefault(particle.init_peer_id, Holding())
        if key in self._left:
            self._left.discard(key)
            actor.stored_bytes = len(self._store.load(key))
        for held in self._holdings(actor):
            held.actors += 1
            held.stored_bytes += actor.stored_bytes
            held.script_bytes += actor.script_bytes
        return actor

    def _holdings(self, actor: Actor) -> tuple[Holding, Holding]:
        """What has to change when the actor takes or gives back something: that of all, and that of its author."""
        return self._total, self._authors[actor.particle.init_peer_id]

    def _may_enter_inactive(self, init_peer_id: str) -> bool:
        match self.policy:
            case HostPolicy():
                return self.is_trusted(init_peer_id)
            case ClientPolicy():
                return False
            case _:
                assert_never(self.policy)

    def _parameters(self, particle: Particle, identity: Identity) -> RunParameters:
        return RunParameters(
            init_peer_id=particle.init_peer_id,
            current_peer_id=identity.peer_id,
            timestamp=particle.timestamp,
            ttl=particle.ttl,
            particle_id=particle.id,
            secret_key_bytes=identity.seed,
            air_size_limit=self._avm_limits.air_size_limit,
            particle_size_limit=self._avm_limits.particle_size_limit,
            call_result_size_limit=self._avm_limits.call_result_size_limit,
            hard_limit_enabled=self._avm_limits.hard_limit_enabled,
        )

    def _called(self, event: Called) -> None:
        """Keep the result for the next run; a result of a particle that is over, or a second one, has no effect."""
        actor = self._actors.get(event.key)
        if actor is None or event.call_id not in actor.calling:
            return
        del actor.calling[event.call_id]
        for held in self._holdings(actor):
            held.pending_calls -= 1
            held.running_calls -= 1
        self._await_calls(actor)
        actor.results[event.call_id] = event.result
        self._enqueue(actor)

    # Runs

    def _enqueue(self, actor: Actor) -> None:
        if not actor.running and actor.has_work:
            self._ready.add(actor)

    def _start_runs(self, actions: list[Action]) -> None:
        while self._running < self._limits.runs_max:
            actor = self._ready.take()
            if actor is None:
                return
            if actor.mailbox:
                for held in self._holdings(actor):
                    held.backlog -= 1
                    held.queued_bytes -= len(actor.mailbox[0])
            self._running += 1
            actions.append(actor.next_run(self._store.load(actor.key)))

    def _finished(self, key: ActorKey, now_ms: int, actions: list[Action]) -> Actor | None:
        """The actor whose run is over; None when its life ended meanwhile."""
        self._running -= 1
        actor = self._actors.get(key)
        if actor is None:
            return None
        if actor.deadline_ms < now_ms:
            self._remove(actor, actions)
            return None
        actor.running = False
        return actor

    def _run_failed(self, key: ActorKey, message: str, now_ms: int, actions: list[Action]) -> None:
        """No outcome: previous data stay, nothing is done."""
        actor = self._finished(key, now_ms, actions)
        if actor is None:
            return
        actions.append(Failed(key, actor.particle, TRAPPED, message))
        self._enqueue(actor)

    def _ran(self, key: ActorKey, outcome: Outcome, now_ms: int, actions: list[Action]) -> None:
        actor = self._finished(key, now_ms, actions)
        if actor is None:
            return
        if outcome.ret_code != 0:
            actions.append(Failed(key, actor.particle, outcome.ret_code, outcome.error_message))
        match self.policy:
            case HostPolicy():
                self._apply_on_host(actor, outcome, actions)
            case ClientPolicy():
                self._apply_on_client(actor, outcome, self.policy, actions)
            case _:
                assert_never(self.policy)
        self._enqueue(actor)

    def _apply_on_host(self, actor: Actor, outcome: Outcome, actions: list[Action]) -> None:
        """Act on the outcome whatever its code.

        Empty data come only from a failure inside the interpreter; storing them would forget what this peer has
        already done, so the previous data stay. One malformed peer id voids peers and calls together. An outcome whose
        data do not fit into the store, or that asks for too many calls, has no effect at all: acting on it would mean
        to forget it and act again.
        """
        refusal = self._growth_refusal(actor, outcome)
        if refusal is not None:
            actions.append(refusal)
            return
        if outcome.data:
            self._save(actor, outcome.data)
        bad = next((peer for peer in outcome.next_peer_pks if not is_peer_id(peer)), None)
        if bad is not None:
            actions.append(Drop(actor.particle.id, DropReason.BAD_NEXT_PEER, bad[:80]))
            return
        self._request_calls(actor, outcome.call_requests, actions)
        if not outcome.next_peer_pks:
            return
        particle = actor.particle.with_data(outcome.data)
        remote = tuple(peer for peer in outcome.next_peer_pks if peer not in self._scopes)
        if remote:
            actions.append(Send(remote, particle))
        for peer in outcome.next_peer_pks:
            if peer in self._scopes:
                self._ingest(particle, peer, actions)

    def _apply_on_client(self, actor: Actor, outcome: Outcome, policy: ClientPolicy, actions: list[Action]) -> None:
        """An error has no effects. Whoever is next, the particle goes to the relay, once."""
        if outcome.ret_code != 0:
            return
        self._save(actor, outcome.data)
        self._request_calls(actor, outcome.call_requests, actions)
        if outcome.next_peer_pks:
            if policy.relay is None:
                actions.append(Drop(actor.particle.id, DropReason.NO_RELAY, ", ".join(outcome.next_peer_pks)))
            else:
                actions.append(Send((policy.relay,), actor.particle.with_data(outcome.data)))

    def _growth_refusal(self, actor: Actor, outcome: Outcome) -> Drop | None:
        """Why an outcome may not be acted on; None when it may. What takes up no more than before always may."""
        total, held = self._holdings(actor)
        bytes_ = len(outcome.data) - actor.stored_bytes if outcome.data else 0
        calls = len(outcome.call_requests)
        limits = self._limits
        for what, more, all_, mine, bound in (
            ("stored data", bytes_, self._store.total_bytes, held.stored_bytes, limits.stored_bytes_max),
            ("calls pending", calls, total.pending_calls, held.pending_calls, limits.pending_calls_max),
        ):
            refusal = self._beyond(actor.particle, what, all_ + more, mine + more, bound) if more > 0 else None
            if refusal is not None:
                return refusal
        return None

    def _save(self, actor: Actor, data: bytes) -> None:
        self._store.save(actor.key, data, deadline_ms=actor.deadline_ms)
        for held in self._holdings(actor):
            held.stored_bytes += len(data) - actor.stored_bytes
        actor.stored_bytes = len(data)

    # Calls

    def _request_calls(self, actor: Actor, requests: Mapping[int, CallRequest], actions: list[Action]) -> None:
        """Let the calls of an outcome wait in the actor, then start what may start."""
        actor.add_requests(requests)
        for held in self._holdings(actor):
            held.pending_calls += len(requests)
        self._await_calls(actor)
        self._start_calls(actions)

    def _await_calls(self, actor: Actor) -> None:
        """Give an actor with waiting calls a turn, unless as many of its calls run as may."""
        if actor.requests and len(actor.calling) < self._limits.actor_calls_max:
            self._callers.add(actor)

    def _start_calls(self, actions: list[Action]) -> None:
        """Start waiting calls, one a turn, while there is room for them."""
        while self._total.running_calls < self._limits.calls_max:
            actor = self._callers.take(self._may_call)
            if actor is None:
                return
            call_id, request = actor.take_request()
            actor.calling[call_id] = None
            for held in self._holdings(actor):
                held.running_calls += 1
            actions.append(Call(actor.key, call_id, request, actor.particle))
            self._await_calls(actor)

    def _may_call(self, author: str) -> bool:
        """Whether a further call of the author may run: calls may hang, and those of one must not stop the others."""
        limits = self._limits
        return self._authors[author].running_calls < limits.share(limits.calls_max) or self.is_trusted(author)

    # Clean-up

    def _remove_expired(self, now_ms: int, actions: list[Action]) -> None:
        """End every particle whose time here has passed; one that is running ends with its run."""
        while self._deadlines and self._deadlines[0][0] < now_ms:
            _, key = heapq.heappop(self._deadlines)
            actor = self._actors.get(key)
            if actor is None:
                self._given_up.discard(key)
                self._left.discard(key)
                self._store.remove(key)  # left by an earlier process; nothing came for it since
            elif not actor.running and actor.deadline_ms < now_ms:
                self._remove(actor, actions)

    def _remove(self, actor: Actor, actions: list[Action]) -> None:
        del self._actors[actor.key]
        self._ready.discard(actor)
        self._callers.discard(actor)
        for held in self._holdings(actor):
            held.actors -= 1
            held.backlog -= len(actor.mailbox)
            held.queued_bytes -= sum(map(len, actor.mailbox))
            held.stored_bytes -= actor.stored_bytes
            held.script_bytes -= actor.script_bytes
            held.pending_calls -= len(actor.calling) + actor.requests
            held.running_calls -= len(actor.calling)
        if not self._authors[actor.particle.init_peer_id].actors:
            del self._authors[actor.particle.init_peer_id]
        self._store.remove(actor.key)
        unfinished = actor.running or actor.has_work or bool(actor.calling or actor.requests)
        actions.append(Forget(actor.key, actor.particle.id, unfinished))

    def _give_up(self, key: ActorKey, actions: list[Action]) -> None:
        """End a particle before its time. Its key is kept until then: a copy that comes back must not start it anew."""
        actor = self._actors.get(key)
        if actor is not None:
            self._given_up.add(key)
            self._remove(actor, actions)

    def _remove_scope(self, peer_id: str, actions: list[Action]) -> None:
        if peer_id == self.peer_id:
            raise ValueError("the host scope cannot be removed")
        if self._scopes.pop(peer_id, None) is not None:
            for actor in [actor for key, actor in self._actors.items() if key.scope == peer_id]:
                self._remove(actor, actions)
            for key in [key for key in self._left if key.scope == peer_id]:
                self._left.discard(key)
                self._store.remove(key)

    def _set_timer(self, actions: list[Action]) -> None:
        """Ask to be woken just after the next deadline."""
        if self._deadlines:
            at_ms = self._deadlines[0][0] + 1
            if self._timer_ms is None or at_ms < self._timer_ms:
                self._timer_ms = at_ms
                actions.append(SetTimer(at_ms))
