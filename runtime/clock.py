"""Clocks of the shell. The core takes the time as an argument; only these read it."""

from __future__ import annotations

import time
from typing import Protocol

import trio


class Clock(Protocol):
    """The time of day and a way to wait for it."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...

    async def sleep_until_ms(self, at_ms: int) -> None:
        """Return at or after this time; at once when it has passed."""
        ...


class SystemClock:
    """The time of day of the machine."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    async def sleep_until_ms(self, at_ms: int) -> None:
        """Sleep for the difference, in the loop's own time; a stepped system clock may wake early or late."""
        await trio.sleep(max(0, at_ms - self.now_ms()) / 1000)


class LoopClock:
    """The loop's own time with an arbitrary epoch, so that trio's MockClock moves particles as well."""

    def __init__(self, epoch_ms: int = 1_700_000_000_000) -> None:
        """`epoch_ms`: the time of day when the loop's clock reads zero."""
        self._epoch_ms = epoch_ms

    def now_ms(self) -> int:
        """Milliseconds since the epoch. Whoever slept until a millisecond reads that one: seconds are binary fractions."""
        return self._epoch_ms + int(trio.current_time() * 1000 + 1e-3)

    async def sleep_until_ms(self, at_ms: int) -> None:
        """Sleep until the loop's clock reads it."""
        await trio.sleep_until((at_ms - self._epoch_ms) / 1000)
