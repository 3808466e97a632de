"""What `stat.service_stat` tells: how often a service was called, how long it took, what memory it took.

Source: nox:crates/peer-metrics/src/services_metrics/builtin.rs
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from .limits import STATS_KEPT


@dataclass(slots=True)
class Series:
    """The last of some observations, their sum and average. `count` observations came before."""

    kept: deque[float] = field(default_factory=lambda: deque(maxlen=STATS_KEPT))
    total: float = 0.0
    average: float = 0.0

    def add(self, value: float, count: int) -> None:
        """Note one more."""
        self.kept.append(value)
        self.total += value
        self.average = (self.average * count + value) / (count + 1)

    def to_json(self) -> dict[str, Any]:
        """As `stat.service_stat` has it."""
        return {"series": list(self.kept), "total": self.total, "avg": self.average}


@dataclass(slots=True)
class Stats:
    """Calls of a service, or of one of its functions."""

    succeeded: int = 0
    failed: int = 0
    memory: Series = field(default_factory=Series)
    time: Series = field(default_factory=Series)
    timestamps: deque[int] = field(default_factory=lambda: deque(maxlen=STATS_KEPT))

    def success(self, memory_bytes: int, seconds: float, timestamp: int) -> None:
        """A call that answered; memory it took, time it took, and when its particle was made."""
        self.memory.add(memory_bytes, self.succeeded)
        self.time.add(seconds, self.succeeded)
        self.succeeded += 1
        self.timestamps.append(timestamp)

    def failure(self, timestamp: int) -> None:
        """A call that failed."""
        self.failed += 1
        self.timestamps.append(timestamp)

    def to_json(self) -> dict[str, Any]:
        """As `stat.service_stat` has it."""
        return {
            "success_req_count": self.succeeded,
            "failed_req_count": self.failed,
            "memory_deltas_bytes": self.memory.to_json(),
            "call_time_sec": self.time.to_json(),
            "timestamps": list(self.timestamps),
        }
