"""Spans of the particles of a peer, for OpenTelemetry. Loaded only where it is asked for, by `runtime.tracing`.

    particle                      from the arrival of a copy until nothing of it is in work here any more
      particle.queue              a copy, or results of calls, wait for a run
      particle.run                one run of the interpreter
        particle.call             a service call that the run asked for, the wait for the disk included
        particle.send             a message that the run asked for, to one peer, the wait for the disk included

All peers that a particle visits write into one trace: its id follows from the id of the particle, see `trace_id_of`. No peer knows the
spans of another, so every visit is a root of its trace; samplers that go by the id of the trace decide alike everywhere.
Attributes are in `docs/peer.md`. Arguments, results, scripts and data are in none.

What happens is taken from the events and actions of the core. An editor must keep: a visit ends when it is at rest or forgotten, else
they would pile up. Errors: none.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanKind, Status, StatusCode, set_span_in_context

from runtime.core.actions import Call, Drop, Failed, Forget, Run, Send
from runtime.core.events import Arrived, Called, Ran, RunFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, SpanContext

    from avm.outcome import Outcome
    from runtime.core.actions import Action
    from runtime.core.events import ActorKey, Event
    from runtime.core.particle import Particle
    from runtime.peer import Peer

TRACER: Final = "avm.peer"
TEXT_CHARS_MAX: Final = 500
"""Longest text in a span, ids of particles apart, which are bounded where they come in."""


def trace_id_of(particle_id: str) -> int:
    """The id of the trace of a particle: the first 16 bytes of the SHA-256 of `avm-particle:` and its id; never 0, which is no id."""
    digest = hashlib.sha256(b"avm-particle:" + particle_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:16], "big") or 1


class ParticleTraceIds(RandomIdGenerator):  # type: ignore[misc]  # the extra need not be there
    """Gives the next root span the trace of a particle. A provider for `ParticleSpans` is made with it."""

    def __init__(self) -> None:
        """Begin with random traces."""
        self.trace_id: int | None = None

    def generate_trace_id(self) -> int:
        """The trace of the particle at hand."""
        return self.trace_id if self.trace_id is not None else super().generate_trace_id()


@dataclass(slots=True)
class _Visit:
    """A particle in one scope. arrived_ns: of copies that wait; results_ns: when the first result came that waits."""

    span: Span
    arrived_ns: deque[int] = field(default_factory=deque)
    results_ns: int | None = None
    run: Span | None = None
    cause: SpanContext | None = None
    calls: dict[int, Span] = field(default_factory=dict)
    sends: int = 0

    @property
    def is_at_rest(self) -> bool:
        return not (self.arrived_ns or self.run or self.calls or self.sends or self.results_ns is not None)


class ParticleSpans:
    """Turns what a peer does into spans."""

    def __init__(
        self, provider: TracerProvider, ids: ParticleTraceIds, *, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        """Write to a provider whose ids come from `ids`. now_ns: nanoseconds since 1970."""
        self._provider = provider
        self._tracer = provider.get_tracer(TRACER)
        self._ids = ids
        self._now_ns = now_ns
        self._visits: dict[ActorKey, _Visit] = {}
        self._sends: dict[tuple[bytes, str], deque[tuple[ActorKey, Span]]] = {}
        self._peer_id = ""

    def attach(self, peer: Peer) -> None:
        """Listen to a peer, before it runs."""
        self._peer_id = peer.peer_id
        peer.on_step.append(self.step)
        peer.on_sent.append(self.sent)
        peer.on_unreachable.append(self.not_sent)

    def close(self) -> None:
        """End what is open, and hand everything to the exporter; waits for it."""
        for key in list(self._visits):
            self._end_visit(key, unfinished=True)
        for waiting in self._sends.values():
            for _, span in waiting:
                _fail(span, "the peer ended first")
                span.end(self._now_ns())
        self._sends.clear()
        self._provider.shutdown()

    @property
    def open_visits(self) -> int:
        """Particles in work, each in its scope."""
        return len(self._visits)

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, event: Event, actions: Sequence[Action]) -> None:
        """The core took an event and answered with actions."""
        now_ns = self._now_ns()
        match event:
            case Arrived():
                self._arrived(event.particle, actions, now_ns)
            case Ran():
                self._ran(event.key, event.outcome, actions, now_ns)
            case RunFailed():
                self._ran(event.key, None, actions, now_ns)
            case Called():
                self._called(event, now_ns)
            case _:
                pass  # nothing of one particle
        touched = {event.key} if isinstance(event, (Ran, RunFailed, Called)) else set()
        for action in actions:
            match action:
                case Run():
                    self._run(action, now_ns)
                case Call():
                    self._call(action, now_ns)
                case Send() if isinstance(event, Ran):
                    self._send(event.key, action, now_ns)
                case Forget():
                    self._end_visit(action.key, unfinished=action.unfinished)
                case _:
                    pass  # said above with its event
        for key in touched:
            self._end_if_at_rest(key)

    def sent(self, target: str, particle: Particle) -> None:
        """A message has left."""
        self._end_send(target, particle, None)

    def not_sent(self, target: str, particle: Particle, reason: str = "not sent") -> None:
        """A message has not left."""
        self._end_send(target, particle, reason)

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _arrived(self, particle: Particle, actions: Sequence[Action], now_ns: int) -> None:
        from runtime.core.events import ActorKey

        key = ActorKey(self._peer_id, particle.signature)
        refused = next((a for a in actions if isinstance(a, Drop) and a.particle_id == particle.id), None)
        visit = self._visits.get(key)
        if refused is None:
            self._visit(key, particle.id, particle.init_peer_id, now_ns, particle).arrived_ns.append(now_ns)
        elif visit is not None:
            visit.span.add_event("dropped", {"avm.drop.reason": refused.reason.value}, now_ns)
        else:
            span = self._root(key.scope, particle.id, particle.init_peer_id, now_ns, particle)
            _fail(span, refused.reason.value)
            span.set_attribute("avm.drop.reason", refused.reason.value)
            span.end(now_ns)

    def _run(self, run: Run, now_ns: int) -> None:
        params = run.params
        visit = self._visit(run.key, params.particle_id, params.init_peer_id, now_ns)
        since = [visit.arrived_ns.popleft()] if visit.arrived_ns else []
        if visit.results_ns is not None:
            since.append(visit.results_ns)
            visit.results_ns = None
        if since:
            self._child("particle.queue", visit.span.get_span_context(), min(since)).end(now_ns)
        visit.run = self._child("particle.run", visit.span.get_span_context(), now_ns)
        visit.run.set_attributes(
            {
                "avm.run.prev_data_bytes": len(run.prev_data),
                "avm.run.data_bytes": len(run.data),
                "avm.run.call_results": len(run.call_results),
            }
        )

    def _ran(self, key: ActorKey, outcome: Outcome | None, actions: Sequence[Action], now_ns: int) -> None:
        visit = self._visits.get(key)
        if visit is None or visit.run is None:
            return
        span, visit.run = visit.run, None
        visit.cause = span.get_span_context()
        if outcome is not None:
            span.set_attributes(
                {
                    "avm.run.ret_code": outcome.ret_code,
                    "avm.run.outcome_bytes": len(outcome.data),
                    "avm.run.next_peers": len(outcome.next_peer_pks),
                    "avm.run.call_requests": len(outcome.call_requests),
                    "avm.run.tier": outcome.tier,
                }
            )
        for action in actions:
            if isinstance(action, Failed) and action.key == key:
                _fail(span, action.message)
            elif isinstance(action, Drop):
                span.add_event("dropped", {"avm.drop.reason": action.reason.value}, now_ns)
        span.end(now_ns)

    def _call(self, call: Call, now_ns: int) -> None:
        visit = self._visit(call.key, call.particle.id, call.particle.init_peer_id, now_ns)
        span = self._child("particle.call", visit.cause or visit.span.get_span_context(), now_ns)
        span.set_attributes(
            {"avm.call.service": _text(call.request.service_id), "avm.call.function": _text(call.request.function_name)}
        )
        visit.calls[call.call_id] = span

    def _called(self, called: Called, now_ns: int) -> None:
        visit = self._visits.get(called.key)
        span = None if visit is None else visit.calls.pop(called.call_id, None)
        if visit is None or span is None:
            return
        span.set_attribute("avm.call.ret_code", called.result.ret_code)
        if called.result.ret_code:
            _fail(span, f"ret_code {called.result.ret_code}")
        span.end(now_ns)
        if visit.results_ns is None:
            visit.results_ns = now_ns

    def _send(self, key: ActorKey, send: Send, now_ns: int) -> None:
        visit = self._visits.get(key)
        if visit is None:
            return
        for target in send.targets:
            span = self._child("particle.send", visit.cause or visit.span.get_span_context(), now_ns, SpanKind.PRODUCER)
            span.set_attributes({"avm.send.target": target, "avm.send.data_bytes": len(send.particle.data)})
            visit.sends += 1
            self._sends.setdefault((send.particle.signature, target), deque()).append((key, span))

    def _end_send(self, target: str, particle: Particle, error: str | None) -> None:
        waiting = self._sends.get((particle.signature, target))
        if not waiting:
            return
        key, span = waiting.popleft()
        if not waiting:
            del self._sends[particle.signature, target]
        if error is not None:
            _fail(span, error)
        span.end(self._now_ns())
        visit = self._visits.get(key)
        if visit is not None:
            visit.sends -= 1
            self._end_if_at_rest(key)

    # ── visits ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _visit(
        self, key: ActorKey, particle_id: str, init_peer_id: str, now_ns: int, particle: Particle | None = None
    ) -> _Visit:
        visit = self._visits.get(key)
        if visit is None:
            visit = self._visits[key] = _Visit(self._root(key.scope, particle_id, init_peer_id, now_ns, particle))
        return visit

    def _root(self, scope: str, particle_id: str, init_peer_id: str, now_ns: int, particle: Particle | None) -> Span:
        self._ids.trace_id = trace_id_of(particle_id)
        try:
            span = self._tracer.start_span("particle", _nothing(), SpanKind.CONSUMER, start_time=now_ns)
        finally:
            self._ids.trace_id = None
        span.set_attributes(
            {
                "avm.particle.id": particle_id,
                "avm.particle.init_peer_id": init_peer_id,
                "avm.peer.id": self._peer_id,
                "avm.scope": scope,
            }
        )
        if particle is not None:
            span.set_attributes(
                {
                    "avm.particle.timestamp_ms": particle.timestamp,
                    "avm.particle.ttl_ms": particle.ttl,
                    "avm.particle.data_bytes": len(particle.data),
                }
            )
        return span

    def _child(self, name: str, parent: SpanContext, start_ns: int, kind: SpanKind = SpanKind.INTERNAL) -> Span:
        context = set_span_in_context(NonRecordingSpan(parent), _nothing())
        return self._tracer.start_span(name, context, kind, start_time=start_ns)

    def _end_if_at_rest(self, key: ActorKey) -> None:
        visit = self._visits.get(key)
        if visit is not None and visit.is_at_rest:
            self._end_visit(key, unfinished=False)

    def _end_visit(self, key: ActorKey, *, unfinished: bool) -> None:
        visit = self._visits.pop(key, None)
        if visit is None:
            return
        now_ns = self._now_ns()
        for span in (*visit.calls.values(), *([] if visit.run is None else [visit.run])):
            _fail(span, "the particle was over first")
            span.end(now_ns)
        if unfinished:
            _fail(visit.span, "over before it was done")
        visit.span.end(now_ns)


def _nothing() -> Context:
    """A context without a span: whatever else is traced in this process is not the parent."""
    from opentelemetry.context import Context

    return Context()


def _fail(span: Span, text: str) -> None:
    span.set_status(Status(StatusCode.ERROR, _text(text)))


def _text(text: str) -> str:
    """What a program has chosen, cut short; half a surrogate pair, which no exporter could write, becomes a question mark."""
    return text[:TEXT_CHARS_MAX].encode("utf-8", "replace").decode()
