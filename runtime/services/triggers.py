"""When spells run: at times of the clock, and when peers come and go.

A spell has one clock: from `start_sec` on, at once when that has passed, then every `period_sec` until `end_sec`;
without a period once. Times come from the clock port. A time that was missed, because the machine slept, is not made up
for.
Errors: ServiceError for a configuration that cannot be.
Source: nox:crates/spell-event-bus/src/config.rs, bus.rs
"""

from __future__ import annotations

import heapq
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import trio

from .arguments import TypedServiceError
from .limits import PERIOD_SEC_MAX, TRIGGERS_QUEUED_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.clock import Clock
    from runtime.store.spells import TriggerConfig


log = logging.getLogger(__name__)

CLOCK_CHECK_MS: Final = 3_600_000
"""How long a wait may take until the time of day is looked at again, which somebody may have set."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a configuration asks for.

    start_ms: None when the clock starts nothing. period_ms: None for once. end_ms: None for ever.
    """

    start_ms: int | None = None
    period_ms: int | None = None
    end_ms: int | None = None
    connect: bool = False
    disconnect: bool = False

    def is_empty(self) -> bool:
        """Whether it never runs anything."""
        return self.start_ms is None and not self.connect and not self.disconnect


def subscription(config: TriggerConfig, now_ms: int) -> Subscription:
    """What a configuration asks for, seen from now. Raises ServiceError."""
    start_ms = period_ms = end_ms = None
    if config.start_sec != 0:
        if config.period_sec > PERIOD_SEC_MAX:
            raise TypedServiceError(
                f"invalid config: period is too big. Max period is 100 years (or approx {PERIOD_SEC_MAX} seconds)",
                "InvalidPeriod",
            )
        if config.end_sec != 0 and (config.end_sec < config.start_sec or config.end_sec * 1000 < now_ms):
            raise TypedServiceError("invalid config: end_sec is less than start_sec or in the past", "InvalidEndSec")
        start_ms = max(config.start_sec * 1000, now_ms)
        if config.period_sec != 0:
            period_ms = config.period_sec * 1000
            end_ms = config.end_sec * 1000 if config.end_sec != 0 else None
    return Subscription(start_ms, period_ms, end_ms, config.connect, config.disconnect)


def resumed(config: TriggerConfig, now_ms: int) -> Subscription:
    """The same after a restart: a clock that has run its only time, or has ended, runs no more. Raises ServiceError."""
    once_over = config.period_sec == 0 and config.start_sec * 1000 < now_ms
    ended = config.end_sec != 0 and config.end_sec * 1000 <= now_ms
    return subscription(config._replace(start_sec=0) if once_over or ended else config, now_ms)


class Triggers:
    """The subscriptions of all spells of a host. fire: told the id of a spell and why it runs, as programs have it."""

    def __init__(self, clock: Clock, fire: Callable[[str, dict[str, Any]], None]) -> None:
        """Nothing is fired before `run`."""
        self._clock = clock
        self._fire = fire
        self._subscriptions: dict[str, Subscription] = {}
        self._times: list[tuple[int, int, str]] = []
        self._queue: deque[tuple[str, Subscription, dict[str, Any], bool]] = deque()
        self._number = 0
        self._changed = trio.Event()
        self._running = False

    def subscribe(self, spell_id: str, wanted: Subscription) -> None:
        """Run a spell as wanted, in place of what was wanted before."""
        self.unsubscribe(spell_id)
        if wanted.is_empty():
            return
        self._subscriptions[spell_id] = wanted
        if wanted.start_ms is not None:
            self._schedule(wanted.start_ms, spell_id)

    def unsubscribe(self, spell_id: str) -> None:
        """Run a spell no more; what waits of it is forgotten."""
        if self._subscriptions.pop(spell_id, None) is not None:
            self._times = [entry for entry in self._times if entry[2] != spell_id]
            heapq.heapify(self._times)

    @property
    def subscribed(self) -> int:
        """How many spells something will start."""
        return len(self._subscriptions)

    def is_subscribed(self, spell_id: str) -> bool:
        """Whether anything may still run a spell."""
        return spell_id in self._subscriptions

    def contact(self, peer_id: str, connected: bool) -> None:
        """A peer has come or gone.

        Spells that want to know run soon, one after another, so that many of them hold up nobody.
        """
        if not self._running:
            return
        why = {"timer": [], "peer": [{"peer_id": peer_id, "connected": connected}]}
        for spell_id, wanted in self._subscriptions.items():
            if (wanted.connect if connected else wanted.disconnect) and not self._enqueue(spell_id, wanted, why):
                return

    def _enqueue(self, spell_id: str, wanted: Subscription, why: dict[str, Any], *, last: bool = False) -> bool:
        """Let a spell run soon; False when too many wait. last: nothing will run it any more."""
        if len(self._queue) >= TRIGGERS_QUEUED_MAX:
            log.warning(
                "spell %s and others do not run: %d runs wait",
                spell_id,
                TRIGGERS_QUEUED_MAX,
                extra={"spell_id": spell_id},
            )
            return False
        self._queue.append((spell_id, wanted, why, last))
        self._changed.set()
        return True

    async def run(self) -> None:
        """Fire until cancelled."""
        self._running = True
        try:
            while True:
                self._queue_due()
                if self._queue:
                    spell_id, wanted, why, last = self._queue.popleft()
                    if self._subscriptions.get(spell_id) is wanted:  # not changed meanwhile
                        self._fire(spell_id, why)
                        if last:
                            del self._subscriptions[spell_id]
                    await trio.lowlevel.checkpoint()
                else:
                    await self._wait()
        finally:
            self._running = False
            self._queue.clear()

    async def _wait(self) -> None:
        """Return when the next time has come, or when another one may be the next."""
        self._changed = trio.Event()
        async with trio.open_nursery() as nursery:
            if self._times:
                nursery.start_soon(self._sleep, self._times[0][0], nursery.cancel_scope)
            await self._changed.wait()
            nursery.cancel_scope.cancel()

    async def _sleep(self, at_ms: int, scope: trio.CancelScope) -> None:
        await self._clock.sleep_until_ms(min(at_ms, self._clock.now_ms() + CLOCK_CHECK_MS))
        scope.cancel()

    def _queue_due(self) -> None:
        now_ms = self._clock.now_ms()
        while self._times and self._times[0][0] <= now_ms:
            at_ms, _, spell_id = heapq.heappop(self._times)
            wanted = self._subscriptions[spell_id]
            next_ms = None if wanted.period_ms is None else at_ms + wanted.period_ms
            if next_ms is not None and next_ms <= now_ms:
                next_ms = now_ms + (wanted.period_ms or 0)
            goes_on = next_ms is not None and (wanted.end_ms is None or next_ms < wanted.end_ms)
            if next_ms is not None and goes_on:
                self._schedule(next_ms, spell_id)
            last = not goes_on and not wanted.connect and not wanted.disconnect
            self._enqueue(spell_id, wanted, {"timer": [{"timestamp": now_ms // 1000}], "peer": []}, last=last)

    def _schedule(self, at_ms: int, spell_id: str) -> None:
        self._number += 1
        heapq.heappush(self._times, (at_ms, self._number, spell_id))
        self._changed.set()
