"""The automaton of one running fold over a stream: where each iteration's states lie, read and written.

The body of a fold runs nested: iteration 1 up to its `next`, then iteration 2, …, then the rest of iteration 2, then the rest
of iteration 1. An entry of the lore therefore has two parts. Reading, the automaton moves both sliders to the part that
belongs to the value of the running iteration; writing, it notes where each part begins and ends in the result.
Errors: TraceError (F4, K1, K2, FOLD_NEXT_BEHIND, and those of `lore`). What an editor must keep: phases only move forward,
while ends set late still overwrite the position; early exits leave parts open, which `generation_end` closes.
Source: aquavm:crates/air-lib/trace-handler/src/state_automata/fold_fsm/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.errors import FOLD_NEXT_BEHIND, FOLD_POSITION_OVERFLOW, FOLD_UNDERFLOW

from . import merge
from .lore import Lore, read_lore
from .states import FOLD, PAR, SIZE_MAX

if TYPE_CHECKING:
    from .cursor import Slider
    from .handler import TraceHandler
    from .lore import Window

_BEFORE: Final = 0
_BEFORE_ENDED: Final = 1
_AFTER_STARTED: Final = 2
_AFTER_ENDED: Final = 3


class _Iteration:
    """One entry of the lore being written, and the windows of its value in the sources."""

    __slots__ = ("after_end", "after_start", "before_end", "before_start", "current", "phase", "previous", "value_pos")

    def __init__(self, value_pos: int, start: int, previous: Window | None, current: Window | None) -> None:
        self.value_pos = value_pos
        self.before_start = start
        self.before_end = 0
        self.after_start = 0
        self.after_end = 0
        self.previous = previous
        self.current = current
        self.phase = _BEFORE

    def advance(self) -> None:
        if self.phase < _AFTER_ENDED:
            self.phase += 1

    def close(self, position: int) -> None:
        """End every part that is still open at `position`."""
        if self.phase <= _BEFORE:
            self.before_end = position
        if self.phase <= _BEFORE_ENDED:
            self.after_start = position
        if self.phase <= _AFTER_STARTED:
            self.after_end = position
        self.phase = _AFTER_ENDED


class FoldAutomaton:
    """State of one fold over a stream; made by its start, dropped at its end."""

    __slots__ = (
        "_back",
        "_backward",
        "_current",
        "_final_current",
        "_final_previous",
        "_handler",
        "_lore",
        "_previous",
        "_queue",
        "_slot",
    )

    def __init__(self, handler: TraceHandler) -> None:
        """Take the fold's states, read their lores, reserve the slot of the result."""
        previous_state = handler.previous.next()
        current_state = handler.current.next()
        if previous_state is not None or current_state is not None:
            merge.fold_states(previous_state, current_state)
        self._handler = handler
        self._previous = read_lore(previous_state, handler.previous.trace)
        self._current = read_lore(current_state, handler.current.trace)
        self._final_previous = _final(handler.previous, self._previous, "previous")
        self._final_current = _final(handler.current, self._current, "current")
        self._slot = len(handler.result)
        handler.result.append((PAR, 0, 0))  # replaced at the end
        self._lore: list[tuple[int, int, int, int, int]] = []
        self._queue: list[_Iteration] = []
        self._back = 0
        self._backward = False

    def iteration_start(self, value_pos: int) -> None:
        """The body is about to run for the value at `value_pos` of the result."""
        handler = self._handler
        old = handler.new_to_previous.get(value_pos)
        previous = None if old is None else self._previous.windows.pop(old, None)
        old = handler.new_to_current.get(value_pos)
        current = None if old is None else self._current.windows.pop(old, None)
        _enter(handler.previous, previous, 0)
        _enter(handler.current, current, 0)
        self._queue.append(_Iteration(value_pos, len(handler.result), previous, current))
        self._back += 1

    def iteration_end(self) -> None:
        """The body of the running iteration reached its `next`."""
        iteration = self._running()
        iteration.before_end = len(self._handler.result)
        iteration.advance()

    def back_iterator(self) -> None:
        """The body goes on after its `next`: of the last iteration first, then of the one before it, and so on."""
        position = len(self._handler.result)
        iteration = self._running()
        if self._backward:
            iteration.after_end = position
            iteration.advance()
            self._back -= 1
            iteration = self._running()
        elif iteration.phase == _BEFORE:
            iteration.before_end = position
            iteration.advance()
        iteration.after_start = position
        iteration.advance()
        _enter(self._handler.previous, iteration.previous, 2)
        _enter(self._handler.current, iteration.current, 2)
        self._backward = True

    def _running(self) -> _Iteration:
        """The iteration the body is in. A `next` met again and again behind the end, as in an inner fold, leaves none."""
        if not self._back:
            raise FOLD_NEXT_BEHIND.trace_error()
        return self._queue[self._back - 1]

    def generation_end(self) -> None:
        """All iterations over one generation ended; move them to the lore, in the order in which they started."""
        position = len(self._handler.result)
        for it in self._queue:
            it.close(position)
            self._lore.append(
                (
                    it.value_pos,
                    it.before_start,
                    it.before_end - it.before_start,
                    it.after_start,
                    it.after_end - it.after_start,
                )
            )
        self._queue.clear()
        self._back = 0
        self._backward = False

    def end(self) -> None:
        """Write the fold's state and move the sliders behind it."""
        handler = self._handler
        handler.result[self._slot] = (FOLD, tuple(self._lore))
        handler.previous.move(*self._final_previous)
        handler.current.move(*self._final_current)


def _final(slider: Slider, lore: Lore, side: str) -> tuple[int, int]:
    """Window behind the fold: its states are skipped wherever the iterations left the slider."""
    rest = slider.rest() - lore.states
    if slider.pos + lore.states > SIZE_MAX:
        raise FOLD_POSITION_OVERFLOW.trace_error(side=side, fold=lore.debug(), position=slider.pos)
    if rest < 0:
        raise FOLD_UNDERFLOW.trace_error(side=side, fold=lore.debug(), position=slider.pos)
    return slider.pos + lore.states, rest


def _enter(slider: Slider, window: Window | None, part: int) -> None:
    """Limit a slider to one part (0 before, 2 after) of an iteration's window, or to nothing."""
    if window is None:
        slider.set_len(0)
    else:
        slider.set_pos_len(window[part], window[part + 1])
