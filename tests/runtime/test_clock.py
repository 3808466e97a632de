"""Clocks: whoever slept until a time reads it."""

from __future__ import annotations

import trio
import trio.testing

from runtime.clock import LoopClock

EPOCH = 1_700_000_000_000


def test_a_millisecond_that_was_slept_until_has_come():
    async def main():
        clock = LoopClock(EPOCH)
        for at_ms in (*range(1, 3000, 7), *range(1_000_000, 1_000_500), 86_400_001, 3_153_600_000_001):
            await clock.sleep_until_ms(EPOCH + at_ms)
            assert clock.now_ms() == EPOCH + at_ms

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
