"""Sliders: windows over the previous and the current trace, from which instructions take their states in execution order.

A window is (position, length, number of states seen); compound instructions narrow and move it, so that states of parts
that are not executed any more are skipped. Errors: TraceError (K1, K2).
Source: aquavm:crates/air-lib/trace-handler/src/data_keeper/trace_slider.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.errors import SLIDER_LEN, SLIDER_POSITION

if TYPE_CHECKING:
    from .states import State, Trace


class Slider:
    """A movable window over one trace."""

    __slots__ = ("length", "pos", "seen", "total", "trace")

    def __init__(self, trace: Trace) -> None:
        """The window starts as the whole trace."""
        self.trace = trace
        self.total = len(trace)
        self.pos = 0
        self.length = self.total
        self.seen = 0

    def next(self) -> State | None:
        """Take the next state of the window, if there is one."""
        if self.seen >= self.length or self.pos >= self.total:
            return None
        state = self.trace[self.pos]
        self.pos += 1
        self.seen += 1
        return state

    def set_len(self, length: int) -> None:
        """Start a window of `length` states here. Raises TraceError (K1) if the trace is shorter."""
        # an empty window may have been set behind the end; the reference panics when it computes what is left there
        if self.total - self.pos < length:
            raise SLIDER_LEN.trace_error(total=self.total, position=self.pos, length=length)
        self.length = length
        self.seen = 0

    def set_pos_len(self, pos: int, length: int) -> None:
        """Move the window. Raises TraceError (K2) if it is not empty and leaves the trace; then nothing changes."""
        if length != 0 and pos + length > self.total:
            raise SLIDER_POSITION.trace_error(total=self.total, length=length, position=pos)
        self.pos = pos
        self.length = length
        self.seen = 0

    def move(self, pos: int, length: int) -> None:
        """As set_pos_len, but an impossible window leaves everything as it is: some errors are ignored by design."""
        if length == 0 or pos + length <= self.total:
            self.pos = pos
            self.length = length
            self.seen = 0

    def shrink(self, length: int) -> bool:
        """As set_len, but an impossible length leaves everything as it is; returns whether it was possible.

        Raises TraceError (K1) behind the end, where even length 0 is too long.
        """
        if self.total < self.pos:
            raise SLIDER_LEN.trace_error(total=self.total, position=self.pos, length=length)
        if self.total - self.pos < length:
            return False
        self.length = length
        self.seen = 0
        return True

    def rest(self) -> int:
        """States of the window that were not taken yet."""
        return self.length - self.seen
