"""Make a failing simulation small: fewer particles, fewer faults, simpler scripts, fewer events.

Delta debugging (Zeller and Hildebrandt's ddmin) over the schedule. It works because fates go by name: what is left happens as before.
A smaller plan counts when the same check fails, whatever it says about it.
Input: a plan and its failure. Output: the smallest plan found, with the report of running it. Errors: none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from .checkers import ProgramsEnd
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.vm import Interpreter

    from .plan import ParticleSpec, Plan
    from .world import Report

RUNS_MAX: Final = 2000
"""Simulations tried for one failure."""

EVENTS_MAX: Final = 2_000_000
"""Events of all of them together."""

_INSTRUCTIONS: Final = frozenset(
    ("call", "seq", "par", "xor", "match", "mismatch", "fold", "new", "ap", "canon", "fail", "next", "null", "never")
)
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[()]')
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Minimised:
    """What came out. plan: with a list of faults. tried: simulations run for it."""

    plan: Plan
    report: Report
    tried: int


class _Search:
    def __init__(self, interpreter: Interpreter, check: str, runs_max: int) -> None:
        self._interpreter = interpreter
        self.check = check
        self._runs_max = runs_max
        self.tried = 0
        self._events = 0

    @property
    def exhausted(self) -> bool:
        return self.tried >= self._runs_max or self._events >= EVENTS_MAX

    def fails(self, plan: Plan) -> Report | None:
        """The report if the same check fails."""
        if self.exhausted:
            return None
        self.tried += 1
        report = World(plan, self._interpreter).run()
        self._events += report.counts.events
        return report if report.failure is not None and report.failure.check == self.check else None

    def smaller(self, items: Sequence[Any], still: Callable[[tuple[Any, ...]], bool]) -> tuple[Any, ...]:
        """A subset of `items` without which nothing can be left out, in order; `still` says whether a subset fails."""
        kept = tuple(items)
        if kept and still(()):
            return ()
        parts = 2
        while len(kept) >= 2 and not self.exhausted:
            size = -(-len(kept) // parts)
            pieces = [kept[start : start + size] for start in range(0, len(kept), size)]
            for place, piece in enumerate(pieces):
                rest = tuple(item for other, items_ in enumerate(pieces) if other != place for item in items_)
                if len(pieces) > 2 and still(rest):
                    kept, parts = rest, max(parts - 1, 2)
                    break
                if still(piece):
                    kept, parts = piece, 2
                    break
            else:
                if parts >= len(kept):
                    break
                parts = min(2 * parts, len(kept))
        return kept


def minimise(plan: Plan, interpreter: Interpreter, check: str, *, runs_max: int = RUNS_MAX) -> Minimised | None:
    """The smallest plan found in which `check` fails; None when it does not fail in `plan`."""
    search = _Search(interpreter, check, runs_max)
    world = World(plan, interpreter, record=True)
    report = world.run()
    if report.failure is None or report.failure.check != check:
        return None
    assert world.recorded is not None
    plan = plan.with_faults(tuple(world.recorded))
    while not search.exhausted:
        before = _size(plan)
        plan = _fewer_particles(search, plan)
        plan = _fewer_faults(search, plan)
        plan = _simpler_scripts(search, plan)
        plan = _usual_limits(search, plan)
        if _size(plan) == before:
            break
    last = World(plan, interpreter).run()
    return Minimised(plan, last, search.tried)


def _size(plan: Plan) -> tuple[int, int, int, int]:
    return (
        len(plan.particles),
        len(plan.faults or ()),
        sum(len(one.script) for one in plan.particles),
        len(plan.limits),
    )


def _fewer_particles(search: _Search, plan: Plan) -> Plan:
    def with_(particles: tuple[ParticleSpec, ...]) -> Plan:
        """What is left, and the faults that concern it."""
        numbers = {one.number for one in particles}
        faults = tuple(
            fault for fault in plan.faults or () if fault[0] in ("cut", "crash", "skew") or fault[1] in numbers
        )
        return replace(plan, particles=particles, faults=faults)

    return with_(search.smaller(plan.particles, lambda kept: search.fails(with_(kept)) is not None))


def _fewer_faults(search: _Search, plan: Plan) -> Plan:
    faults = plan.faults or ()
    return plan.with_faults(
        search.smaller(faults, lambda kept: search.fails(plan.with_faults(tuple(kept))) is not None)
    )


def _usual_limits(search: _Search, plan: Plan) -> Plan:
    usual = replace(plan, limits={})
    return usual if plan.limits and search.fails(usual) is not None else plan


def _simpler_scripts(search: _Search, plan: Plan) -> Plan:
    """Put a part of an instruction in its place, or nothing, as long as that fails too."""
    for place, particle in enumerate(plan.particles):
        if particle.accepted is not None and search.check == ProgramsEnd.name:
            continue  # another script would be right to end otherwise
        script = particle.script
        changed = True
        while changed and not search.exhausted:
            changed = False
            for candidate in simpler(script):
                # another script need not answer
                simple = replace(particle, script=candidate, accepted=None)
                particles = (*plan.particles[:place], simple, *plan.particles[place + 1 :])
                if search.fails(plan.with_particles(particles)) is not None:
                    script, plan, changed = candidate, plan.with_particles(particles), True
                    break
    return plan


def simpler(script: str) -> list[str]:
    """Scripts with one instruction replaced by one of those inside it or by `(null)`, the shortest first."""
    spans = _spans(script)
    found: dict[str, None] = {}
    for start, end in spans:
        text = script[start:end]
        inner = [script[a:b] for a, b in spans if start < a and b < end]
        for shorter in ("(null)", *inner):
            if len(shorter) < len(text):
                found[script[:start] + shorter + script[end:]] = None
    return sorted(found, key=len)


def _spans(script: str) -> list[tuple[int, int]]:
    """Where instructions begin and end."""
    open_: list[int] = []
    found = []
    for token in _TOKEN.finditer(script):
        if token[0] == "(":
            open_.append(token.start())
        elif token[0] == ")" and open_:
            start = open_.pop()
            word = _WORD.match(script, start + 1)
            if word is not None and word[0] in _INSTRUCTIONS:
                found.append((start, token.end()))
    return sorted(found)
