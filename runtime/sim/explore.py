"""Many seeds, one after another or in several processes; failures are made small and kept.

Input: `Exploration`. Output: `Explored`. The seeds that fail do not depend on how many processes there are.
Errors: none for what simulations do; OSError where a reproducer cannot be written.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .faults import ALL
from .minimise import minimise
from .reproducer import write
from .workloads import PARTICLES, PEERS, make_plan
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from runtime.vm import Interpreter

    from .plan import Plan

CHUNK: Final = 20
"""Seeds given to a process at once."""

CHUNKS_AHEAD: Final = 4
"""Chunks given out for each process: enough that none waits, and no more than that, however many seeds there are."""

JOBS_MAX: Final = 256
FAILURES_MAX: Final = 10
"""After so many failing seeds there is no point in looking further."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """What to try. engine: of the interpreter. folder: where reproducers go, None keeps none. stop_after: failing seeds."""

    first: int
    seeds: int
    peers: int = PEERS
    particles: int = PARTICLES
    kinds: frozenset[str] = ALL
    bug: str | None = None
    engine: str = "jit"
    folder: str | None = None
    stop_after: int = FAILURES_MAX

    def plan(self, seed: int) -> Plan:
        """The plan of one of its seeds."""
        return make_plan(seed, peers=self.peers, particles=self.particles, kinds=self.kinds, bug=self.bug)


@dataclass(slots=True)
class Explored:
    """What came out. failures: objects of the document of `avm sim explore`, by seed."""

    tried: int = 0
    events: int = 0
    runs: int = 0
    seconds: float = 0.0
    failures: list[dict[str, Any]] = field(default_factory=list)


Row = tuple[int, int, int, str | None]
"""Seed, events, runs, name of the check that failed."""


def explore(what: Exploration, *, jobs: int = 1, progress: Callable[[Explored], None] | None = None) -> Explored:
    """Try seeds until all are tried or enough have failed; then make the failures small."""
    started = time.monotonic()
    done = Explored()
    failing: list[tuple[int, str]] = []
    interpreter = _interpreter(what.engine)
    for rows in _chunks(what, jobs, interpreter):
        for seed, events, runs, check in rows:
            done.tried += 1
            done.events += events
            done.runs += runs
            if check is not None:
                failing.append((seed, check))
        done.seconds = time.monotonic() - started
        if progress is not None:
            progress(done)
        if len(failing) >= what.stop_after:
            break
    for seed, check in failing[: what.stop_after]:
        done.failures.append(_kept(what, seed, check, interpreter))
    done.seconds = time.monotonic() - started
    return done


def _chunks(what: Exploration, jobs: int, interpreter: Interpreter) -> Iterator[list[Row]]:
    """Rows of chunk after chunk, in the order of the seeds."""
    ends = what.first + what.seeds
    starts = iter(range(what.first, ends, CHUNK))
    if jobs == 1:
        for start in starts:
            yield _try(what, range(start, min(start + CHUNK, ends)), interpreter)
        return
    others = set(active_children())
    waiting: deque[Future[list[Row]]] = deque()
    # spawned, so that a process has no threads or locks of this one
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:

        def give(count: int) -> None:
            for start in islice(starts, count):
                waiting.append(pool.submit(_try_apart, what, start, min(start + CHUNK, ends)))

        try:
            with _deaf():
                give(jobs * CHUNKS_AHEAD)  # which starts the processes
            while waiting:
                yield waiting.popleft().result()
                give(1)
        finally:
            # Nobody wants what is still under way, so nobody waits for it.
            for process in set(active_children()) - others:
                process.terminate()


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started meanwhile never hear of an interrupt of the terminal: this one ends them, and they have nothing to say."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_own: dict[str, Interpreter] = {}


def _interpreter(engine: str) -> Interpreter:
    from avm import Avm

    return _own.setdefault(engine, Avm(engine))


def _try_apart(what: Exploration, start: int, end: int) -> list[Row]:
    return _try(what, range(start, end), _interpreter(what.engine))


def _try(what: Exploration, seeds: range, interpreter: Interpreter) -> list[Row]:
    rows: list[Row] = []
    for seed in seeds:
        report = World(what.plan(seed), interpreter).run()
        check = None if report.failure is None else report.failure.check
        rows.append((seed, report.counts.events, report.counts.runs, check))
    return rows


def _kept(what: Exploration, seed: int, check: str, interpreter: Interpreter) -> dict[str, Any]:
    """A failure made small, and the file that repeats it."""
    plan = what.plan(seed)
    before = World(plan, interpreter).run()
    assert before.failure is not None, "a simulation ends as it ended before"
    row: dict[str, Any] = {"seed": seed, "failure": before.failure.to_json(), "last_events": list(before.last)}
    small = minimise(plan, interpreter, check)
    if small is None:
        return row | {"minimised": None, "reproducer": None}
    row["minimised"] = {
        "tried": small.tried,
        "events": [before.counts.events, small.report.counts.events],
        "particles": [len(plan.particles), len(small.plan.particles)],
        "faults": len(small.plan.faults or ()),
    }
    path = None
    if what.folder is not None:
        path = Path(what.folder) / f"sim-{seed}-{check}.json"
        write(path, small.plan, small.report)
    return row | {"reproducer": None if path is None else str(path)}
