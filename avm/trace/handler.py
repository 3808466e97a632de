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

    __slots__ = ("_mapped", "current", "new_to_current", "new_to_previous", "previous", "result")

    def __init__(self, previous: Trace, current: Trace, *, mapped: bool = True) -> None:
        """Both sources are read only; the result starts empty. mapped: False if no fold will ask for positions."""
        self._mapped = mapped
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
        # the common cases: only this peer knows the call, or only what arrived does
        if current is None:
            if previous is None:
                return None
            if previous[0] in CALL_KINDS:
                if self._mapped:
                    self.new_to_previous.insert(len(self.result), self.previous.pos - 1)
                return previous, FROM_PREVIOUS
        elif previous is None and current[0] in CALL_KINDS:
            if self._mapped:
                self.new_to_current.insert(len(self.result), self.current.pos - 1)
            return current, FROM_CURRENT
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
        if not self._mapped:
            return FROM_CURRENT if source == merge.CURRENT else FROM_PREVIOUS
        position = len(self.result)
        if source != merge.CURRENT:
            self.new_to_previous.insert(position, self.previous.pos - 1)
        if source != merge.PREVIOUS:
            self.new_to_current.insert(position, self.current.pos - 1)
        return FROM_CURRENT if source == merge.CURRENT else FROM_PREVIOUS

    # ── par ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def par_start(self) -> ParMark:
        """Take the par's state, reserve its slot and narrow both sliders to the left branch. Raises F1, K1."""
        before_slider, after_slider = self.previous, self.current
        previous = before_slider.next()
        current = after_slider.next()
        left = right = current_left = current_right = 0
        rest = before_slider.length - before_slider.seen
        current_rest = after_slider.length - after_slider.seen
        if previous is not None or current is not None:
            merge.par_states(previous, current)
            if previous is not None:
                _, left, right = previous
            if current is not None:
                _, current_left, current_right = current
        before = (before_slider.pos, left, right, rest)
        after = (after_slider.pos, current_left, current_right, current_rest)
        if left + right > rest or current_left + current_right > current_rest:
            raise _impossible_par(before, after)
        slot = len(self.result)
        self.result.append((PAR, 0, 0))
        before_slider.set_len(left)
        after_slider.set_len(current_left)
        return slot, before, after

    def par_left_end(self, mark: ParMark) -> int:
        """Move both sliders to the right branch; returns the size of the left one."""
        slot, (pos, left, right, _), (current_pos, current_left, current_right, _) = mark
        previous, current = self.previous, self.current
        previous.move(pos + left, left)
        current.move(current_pos + current_left, current_left)
        if previous.shrink(right):
            current.shrink(current_right)
        return len(self.result) - slot - 1

    def par_right_end(self, mark: ParMark, left_size: int) -> None:
        """Write the par's state and move both sliders behind it."""
        slot, (pos, left, right, rest), (current_pos, current_left, current_right, current_rest) = mark
        self.result[slot] = (PAR, left_size, len(self.result) - slot - 1 - left_size)
        self.previous.move(pos + left + right, rest - left - right)
        self.current.move(current_pos + current_left + current_right, current_rest - current_left - current_right)

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
