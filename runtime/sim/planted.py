"""Bugs put in on purpose, to see that the checks find them. For tests: `avm sim run --bug NAME`, nothing else turns them on.

Each is a peer core or an interpreter with one mistake that somebody could make. `found_by`: checks that may find it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from runtime.core.actions import Run, Send, SetTimer
from runtime.core.events import Tick
from runtime.core.peer_core import PeerCore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from avm.outcome import CallRequest, CallResult, Outcome, RunParameters
    from runtime.core.actions import Action
    from runtime.core.actor import Actor
    from runtime.core.events import ActorKey, Event
    from runtime.vm import Interpreter


_LATE_MS: Final = 2000


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug. core: in place of PeerCore. forgets: stores are empty after a crash, whatever they promised. mergeless: see `Mergeless`."""

    name: str
    mistake: str
    found_by: tuple[str, ...]
    core: type[PeerCore] = PeerCore
    forgets: bool = False
    mergeless: bool = False


class _Overlapping(PeerCore):
    def _enqueue(self, actor: Actor) -> None:
        if actor.has_work:
            self._ready.add(actor)


class _Late(PeerCore):
    """Particles live two seconds longer."""

    def _remove_expired(self, now_ms: int, actions: list[Action]) -> None:
        super()._remove_expired(now_ms - _LATE_MS, actions)

    def _set_timer(self, actions: list[Action]) -> None:
        first = len(actions)
        super()._set_timer(actions)
        actions[first:] = [SetTimer(one.at_ms + _LATE_MS) for one in actions[first:] if isinstance(one, SetTimer)]


class _Immortal(PeerCore):
    """Sets its first timer and no other."""

    def receive(self, event: Event, *, now_ms: int) -> list[Action]:
        """As it should, but after a tick it believes that a timer is set."""
        actions = super().receive(event, now_ms=now_ms)
        if isinstance(event, Tick) and self._timer_ms is None:
            self._timer_ms = 0
        return actions

    def _set_timer(self, actions: list[Action]) -> None:
        if not self._timer_ms:
            super()._set_timer(actions)


class _Miscounting(PeerCore):
    def _remove(self, actor: Actor, actions: list[Action]) -> None:
        while actor.requests:  # before they are counted
            actor.take_request()
        super()._remove(actor, actions)


class _StaleSender(PeerCore):
    """Stores nothing of a run that sent the particle on: a later run begins with older data."""

    def _apply_on_host(self, actor: Actor, outcome: Outcome, actions: list[Action]) -> None:
        before = self._store.load(actor.key)
        super()._apply_on_host(actor, outcome, actions)
        if before and any(isinstance(action, Send) for action in actions):
            self._store.save(actor.key, before, deadline_ms=actor.deadline_ms)
            actor.stored_bytes = len(before)


class _Unpurged(PeerCore):
    """Does not look at what an earlier process left in the store."""

    def _remove_expired(self, now_ms: int, actions: list[Action]) -> None:
        self._deadlines = [entry for entry in self._deadlines if entry[1] in self._actors]
        super()._remove_expired(now_ms, actions)


class _Repeating(PeerCore):
    """Asks for the calls of a run once more when the run before it came late."""

    def _ran(self, key: ActorKey, outcome: Outcome, now_ms: int, actions: list[Action]) -> None:
        super()._ran(key, outcome, now_ms, actions)
        actor = self._actors.get(key)
        if actor is not None and len(actor.mailbox) > 1 and outcome.call_requests:
            repeated: Mapping[int, CallRequest] = dict(list(outcome.call_requests.items())[:1])
            self._request_calls(actor, repeated, actions)


class _OneWay(PeerCore):
    """Lets a copy that arrives replace what is stored, instead of merging the two."""

    def _start_runs(self, actions: list[Action]) -> None:
        start = len(actions)
        super()._start_runs(actions)
        for place in range(start, len(actions)):
            run = actions[place]
            if isinstance(run, Run) and run.data and not run.call_results:
                actions[place] = replace(run, prev_data=b"")


class Mergeless:
    """An interpreter that forgets what arrived when it already knew the particle and has results to take in."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Wrap one."""
        self._interpreter = interpreter

    def invoke(
        self, air: str, prev_data: bytes, data: bytes, params: RunParameters, call_results: Mapping[int, CallResult]
    ) -> Outcome:
        """One run."""
        if prev_data and call_results:
            data = b""
        return self._interpreter.invoke(air, prev_data, data, params, call_results)


BUGS: Final = {
    bug.name: bug
    for bug in (
        Bug(
            "forgets-calls",
            "a peer forgets after a restart which calls of a particle it has made",
            ("no-state-lost", "no-call-twice"),
            forgets=True,
        ),
        Bug(
            "replaces-data",
            "a copy that arrives replaces what is known instead of being merged",
            ("no-state-lost", "no-call-twice"),
            core=_OneWay,
        ),
        Bug(
            "drops-merge",
            "the interpreter drops what arrived when results come at the same time",
            ("programs-end", "traces-merge"),
            mergeless=True,
        ),
        Bug(
            "overlapping-runs",
            "a particle that already runs is run again",
            ("runs-never-overlap", "no-state-lost", "memory-bounded"),
            core=_Overlapping,
        ),
        Bug("late", "particles live on for two seconds after their deadline", ("nothing-after-expiry",), core=_Late),
        Bug("immortal", "after the first tick no timer is set any more", ("comes-to-rest",), core=_Immortal),
        Bug(
            "miscounts",
            "calls that wait for a place are not given back when their particle ends",
            ("memory-bounded", "comes-to-rest"),
            core=_Miscounting,
        ),
        Bug(
            "stale-store",
            "what a run learnt is not stored when the particle was sent on",
            ("no-state-lost", "no-call-twice"),
            core=_StaleSender,
        ),
        Bug(
            "leaves-files",
            "what an earlier process left in the store is never removed",
            ("comes-to-rest",),
            core=_Unpurged,
        ),
        Bug(
            "repeats-calls",
            "with several copies waiting, a call is made once more",
            ("no-call-twice", "memory-bounded"),
            core=_Repeating,
        ),
    )
}
