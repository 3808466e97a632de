"""The trace of one run: two sliders over the known past, the result that grows, and the maps between their positions.

Made by: the machine, once a run. Every instruction that has a state first takes (and merges) what the past knows, then
pushes its own state. Errors: TraceError, which the machine words as 20000.
Source: aquavm:crates/air-lib/trace-handler/src/handler.rs, merger/, state_automata/par_fsm.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.errors import (
    COMPACTION_NO_GENERATION,
    COMPACTION_NO_POSITION,
    PAR_POSITION_OVERFLOW,
    PAR_SIZE_OVERFLOW,
    PAR_UNDERFLOW,
)

from . import merge
from .cursor import Slider
from .debug import par_debug, state_display
from .position_map import PositionMap
from .states import AP, CALL_KINDS, PAR, SIZE_MAX, STREAM

if TYPE_CHECKING:
    from avm.errors import TraceError

    from .states import State, Trace

FROM_PREVIOUS: Final = 0
FROM_CURRENT: Final = 1

ParWindow = tuple[int, int, int, int]
"""Of one slider at the start of a par: position, left size, right size, states left in the window."""

ParMark = tuple[int, ParWindow, ParWindow]
"""A running par: slot of its state in the result, windows of the previous and of the current slider."""


class TraceHandler:
    """Sliders, result and position maps of one run."""

    __slots__ = ("current", "new_to_current", "new_to_previous", "previous", "result")

    def __init__(self, previous: Trace, current: Trace) -> None:
        """Both sources are read only; the result starts empty."""
        self.previous = Slider(previous)
        self.current = Slider(current)
        self.result: Trace = []
        self.new_to_previous = PositionMap()
        self.new_to_current = PositionMap()

    # ── simple states ────────────────────────────────────────────────────────────────────────────────────────────────

    def take_call(self) -> tuple[State, int] | None:
        """The merged state of the next call and where it came from, or None if the past does not know it."""
        previous = self.previous.next()
        current = self.current.next()
        if current is None:
            if previous is None:
                return None
            if previous[0] in CALL_KINDS:  # the common case: replay of what this peer knows
                self.new_to_previous.insert(len(self.result), self.previous.pos - 1)
                return previous, FROM_PREVIOUS
        state, source = merge.call_states(previous, current)
        return state, self._map_source(source)

    def take_ap(self) -> tuple[int, int] | None:
        """The generation of the next ap and where it came from."""
        previous = self.previous.next()
        current = self.current.next()
        if previous is None and current is None:
            return None
        state, source = merge.ap_states(previous, current)
        return merge.ap_generation(state), self._map_source(source)

    def take_canon(self) -> State | None:
        """The merged state of the next canon."""
        previous = self.previous.next()
        current = self.current.next()
        if previous is None and current is None:
            return None
        return merge.canon_states(previous, current)

    def _map_source(self, source: int) -> int:
        """Relate the position the state will get to its sources; a state of both counts as previous."""
        position = len(self.result)
        if source != merge.CURRENT:
            self.new_to_previous.insert(position, self.previous.pos - 1)
        if source != merge.PREVIOUS:
            self.new_to_current.insert(position, self.current.pos - 1)
        return FROM_CURRENT if source == merge.CURRENT else FROM_PREVIOUS

    # ── par ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def par_start(self) -> ParMark:
        """Take the par's state, reserve its slot and narrow both sliders to the left branch. Raises F1, K1."""
        previous = self.previous.next()
        current = self.current.next()
        if previous is not None or current is not None:
            merge.par_states(previous, current)
        before = _par_window(self.previous, previous)
        after = _par_window(self.current, current)
        for _, left, right, rest in (before, after):
            if left + right > rest:
                raise _impossible_par(before, after)
        slot = len(self.result)
        self.result.append((PAR, 0, 0))
        self.previous.set_len(before[1])
        self.current.set_len(after[1])
        return slot, before, after

    def par_left_end(self, mark: ParMark) -> int:
        """Move both sliders to the right branch; returns the size of the left one."""
        slot, before, after = mark
        for slider, (pos, left, _, _) in ((self.previous, before), (self.current, after)):
            slider.move(pos + left, left)
        if self.previous.shrink(before[2]):
            self.current.shrink(after[2])
        return len(self.result) - slot - 1

    def par_right_end(self, mark: ParMark, left_size: int) -> None:
        """Write the par's state and move both sliders behind it."""
        slot, before, after = mark
        self.result[slot] = (PAR, left_size, len(self.result) - slot - 1 - left_size)
        for slider, (pos, left, right, rest) in ((self.previous, before), (self.current, after)):
            slider.move(pos + left + right, rest - left - right)

    # ── generations ──────────────────────────────────────────────────────────────────────────────────────────────────

    def set_generation(self, position: int, generation: int) -> None:
        """Write the final generation into the state of a stream's value. Raises VmError 20001."""
        if position >= len(self.result):
            raise COMPACTION_NO_POSITION.error(position=position)
        state = self.result[position]
        if state[0] == STREAM:
            self.result[position] = (STREAM, state[1], generation)
        elif state[0] == AP:
            self.result[position] = (AP, (generation,))
        else:
            raise COMPACTION_NO_GENERATION.error(state=state_display(state), position=position)


def _par_window(slider: Slider, state: State | None) -> ParWindow:
    """Sizes of a par's branches in one trace; without a state both are empty."""
    rest = slider.rest()
    if state is None:
        return slider.pos, 0, 0, rest
    return slider.pos, state[1], state[2], rest


def _impossible_par(before: ParWindow, after: ParWindow) -> TraceError:
    """Which of its checks the reference fails first: it computes both left ends, then both right ends, in 32 bits."""
    for pos, left, right, _ in (before, after):
        if pos + left > SIZE_MAX:
            return PAR_POSITION_OVERFLOW.trace_error(par=par_debug(left, right), position=pos)
    for pos, left, right, rest in (before, after):
        par = par_debug(left, right)
        if left + right > SIZE_MAX:
            return PAR_SIZE_OVERFLOW.trace_error(par=par)
        if pos + left + right > SIZE_MAX:
            return PAR_POSITION_OVERFLOW.trace_error(par=par, position=pos)
        if left + right > rest:
            return PAR_UNDERFLOW.trace_error(par=par, length=rest)
    raise AssertionError("called for a pair of windows that fit")
