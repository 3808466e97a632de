"""Waiting, as a module does it: `poll_oneoff` of WASI, within the time of the call.

The one of wasmtime waits in the host for as long as the module wants, and neither a deadline nor a stop ends it. Clocks are waited
for here; descriptors are ready at once, which is true for files and for streams that have ended. Output: an errno of WASI.
Errors: those of `Instance.ticks_left`.
Source: WASI preview 1, types `subscription` and `event`
"""

from __future__ import annotations

import time
from struct import Struct, pack_into
from typing import TYPE_CHECKING, Any, Final

from .engine import CoreType
from .limits import POLL_SUBSCRIPTIONS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

POLL: Final = CoreType("iiii", "i")

_OK, _FAULT, _INVALID = 0, 21, 28
_CLOCK, _DESCRIPTORS = 0, (1, 2)
_REALTIME, _MONOTONIC = 0, 1
_ABSOLUTE: Final = 1
_SUBSCRIPTION: Final = Struct("<QB7xI4xQQH6x")
_EVENT: Final = Struct("<QHB5xQH6x")


def poll_oneoff(instance: Any) -> Callable[[int, int, int, int], int]:
    """The function for an instance."""

    def poll(wanted: int, events: int, count: int, counted: int) -> int:
        wanted, events, count, counted = (number & 0xFFFFFFFF for number in (wanted, events, count, counted))
        view = instance.memory()
        room = min(len(view) - wanted - _SUBSCRIPTION.size * count, len(view) - events - _EVENT.size * count)
        if min(room, len(view) - counted - 4) < 0:
            return _FAULT
        if not 0 < count <= POLL_SUBSCRIPTIONS_MAX:
            return _INVALID
        asked = [_SUBSCRIPTION.unpack_from(view, wanted + _SUBSCRIPTION.size * n) for n in range(count)]
        waits = [_wait_ns(*one[1:]) for one in asked]
        if None in waits:
            return _INVALID
        least = min(wait for wait in waits if wait is not None)
        _wait(instance, least)
        at = events
        view = instance.memory()
        for (user_data, kind, *_), wait in zip(asked, waits, strict=True):
            if wait is not None and wait <= least:
                _EVENT.pack_into(view, at, user_data, _OK, kind, 0 if kind == _CLOCK else 1, 0)
                at += _EVENT.size
        pack_into("<I", view, counted, (at - events) // _EVENT.size)
        return _OK

    return poll


def _wait_ns(kind: int, clock: int, timeout_ns: int, _precision: int, flags: int) -> int | None:
    """How long a subscription has to wait; None for one that is not valid."""
    if kind in _DESCRIPTORS:
        return 0
    if kind != _CLOCK or clock not in (_REALTIME, _MONOTONIC):
        return None
    if not flags & _ABSOLUTE:
        return timeout_ns
    now = time.time_ns() if clock == _REALTIME else time.monotonic_ns()
    return max(timeout_ns - now, 0)


def _wait(instance: Any, duration_ns: int) -> None:
    """Wait unless the call has to end."""
    until = time.monotonic_ns() + duration_ns
    running = instance.service.running
    while (left_ns := until - time.monotonic_ns()) > 0:
        instance.ticks_left()
        left_ms = instance.service.remaining_ms()
        running.wait(left_ns / 1e9 if left_ms is None else min(left_ns / 1e9, max(left_ms, 0) / 1e3))
    instance.ticks_left()
