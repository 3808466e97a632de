"""Round trips of particles to a peer and back: how long they take, and what time it is there."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .remote import Remote


async def ping(remote: Remote, count: int) -> dict[str, Any]:
    """The document of `avm peer ping`. Raises CommandError.

    clock_ahead_ms: how far the clock there is ahead of ours, as the fastest round trip has it; right to within half of that trip.
    """
    trips: list[float] = []
    ahead_ms = 0.0
    await remote.call_host("peer", "timestamp_ms")  # on the first one both sides load what they need
    for _ in range(count):
        sent_ms, start = time.time_ns() / 1e6, time.perf_counter()
        there_ms = await remote.call_host("peer", "timestamp_ms")
        trip_ms = (time.perf_counter() - start) * 1000
        if not trips or trip_ms < min(trips):
            ahead_ms = there_ms - sent_ms - trip_ms / 2
        trips.append(round(trip_ms, 3))
    return {
        "peer_id": remote.peer_id,
        "round_trips_ms": trips,
        "median_ms": round(median(trips), 3),
        "clock_ahead_ms": round(ahead_ms),
    }
