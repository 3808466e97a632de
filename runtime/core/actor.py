"""One particle in one scope: what waits for its next run.

An actor collects copies of its particle and results of its calls, and turns them into runs of the interpreter, one at a
time: previous data and new data swap between two runs, so overlapping runs would lose facts.
Errors: none.
Source: nox:aquamarine/src/actor.rs
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from runtime.core.actions import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from avm.outcome import CallRequest, CallResult, RunParameters
    from runtime.core.events import ActorKey
    from runtime.core.particle import Particle


class Actor:
    """State of one actor. `particle` holds the signed fields; its data are in `mailbox` and in the store.

    deadline_ms: last millisecond here, which may come before the particle's own. calling: ids of the calls that run.
    stored_bytes: length of the data in the store. script_bytes: what the script takes in memory, at most. Thousands are alive
    at once, most of them with nothing more to do, so an actor holds no container that it does not need.
    """

    __slots__ = (
        "_requests",
        "calling",
        "deadline_ms",
        "key",
        "mailbox",
        "params",
        "particle",
        "results",
        "running",
        "script_bytes",
        "stored_bytes",
    )

    def __init__(self, key: ActorKey, particle: Particle, params: RunParameters, deadline_ms: int) -> None:
        """Start idle with an empty mailbox."""
        self.key = key
        self.deadline_ms = deadline_ms
        self.particle = particle.with_data(b"")
        self.params = params
        self.mailbox: list[bytes] = []
        self.results: dict[int, CallResult] = {}
        self._requests: deque[tuple[int, CallRequest]] | None = None
        self.calling: dict[int, None] = {}
        self.running = False
        self.stored_bytes = 0
        self.script_bytes = script_bytes(particle)

    @property
    def has_work(self) -> bool:
        """Whether a run would have something to look at."""
        return bool(self.mailbox or self.results)

    @property
    def requests(self) -> int:
        """Number of calls that wait for a place."""
        return 0 if self._requests is None else len(self._requests)

    def add_requests(self, requests: Mapping[int, CallRequest]) -> None:
        """Let calls wait, behind those that do."""
        if requests:
            self._requests = self._requests or deque()
            self._requests.extend(requests.items())

    def take_request(self) -> tuple[int, CallRequest]:
        """The call whose turn it is; there is one."""
        assert self._requests
        taken = self._requests.popleft()
        if not self._requests:
            self._requests = None
        return taken

    def next_run(self, prev_data: bytes) -> Run:
        """The next run: one waiting copy, never two merged, and every result that has come by now.

        Empty data when only results are delivered. The caller has checked `has_work`.
        """
        data = self.mailbox.pop(0) if self.mailbox else b""
        results = self.results
        self.results = {}
        self.running = True
        return Run(self.key, self.particle.script, prev_data, data, self.params, results)


def script_bytes(particle: Particle) -> int:
    """What the script of a particle takes in memory, at most. Takes constant time."""
    return len(particle.script) * (1 if particle.script.isascii() else 4)
