"""`tasks.py soak AREA`: very many operations in one process, and whether its memory stays where it was.

An area is a module of this package with `operations(seed) -> Iterator[None]`, one step of which is one operation, or with
`lanes(seed)`, several such iterators, each of which is run by a thread of its own. Resident memory is looked at a thousand times, by
the thread whose operation it is the turn of; the medians of tenths of the whole, without the first two, must not rise by more than `FLAT` above
any before. That they fall is no leak: buffers are fitted. A crash ends the process, a mistake raises: all threads end then. Needs /proc.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

AREAS: Final = {"avm": "tests.soak.avm", "marine": "tests.soak.marine"}
FLAT: Final = 0.05
LOOKS: Final = 1000
WARM: Final = 2
"""Tenths in which caches and buffers come to their size."""
TURN_S: Final = 0.2
"""How often the main thread looks for Ctrl-C."""


def resident_bytes() -> int:
    """Memory of this process."""
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])


class _Tally:
    """Counts operations of all threads."""

    def __init__(self, count: int) -> None:
        self.looks: list[int] = []
        self.error: BaseException | None = None
        self._count = count
        self._every = max(1, count // LOOKS)
        self._begun = 0
        self._done = 0
        self._lock = threading.Lock()

    def begin(self) -> bool:
        """Whether there is another operation to do; it is begun."""
        with self._lock:
            if self.error is not None or self._begun >= self._count:
                return False
            self._begun += 1
            return True

    def end(self) -> None:
        """An operation is done."""
        with self._lock:
            self._done += 1
            if self._done % self._every == 0:
                self.looks.append(resident_bytes())

    def stop(self, error: BaseException) -> None:
        """No more operations; the first reason is kept."""
        with self._lock:
            self.error = self.error or error

    def run(self, lane: Iterator[None]) -> None:
        """Operations of one lane until all are done."""
        try:
            while self.begin():
                next(lane)
                self.end()
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self.stop(error)


def soak(lanes: Sequence[Iterator[None]], count: int) -> dict[str, float | int | list[float]]:
    """Do so many operations; medians of tenths in megabytes (10^6 bytes), and by which share they differ.

    A single lane runs in this thread. Raises what an operation does.
    """
    start = time.monotonic()
    tally = _Tally(count)
    if len(lanes) == 1:
        tally.run(lanes[0])
    else:
        threads = [threading.Thread(target=tally.run, args=(lane,), name=f"lane-{n}") for n, lane in enumerate(lanes)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(TURN_S)
        except BaseException as error:
            tally.stop(error)
            raise
        finally:
            for thread in threads:
                thread.join()
    if tally.error is not None:
        raise tally.error
    gc.collect()
    tenth = len(tally.looks) // 10
    medians = [statistics.median(tally.looks[tenth * k : tenth * (k + 1)]) for k in range(10)]
    later = medians[WARM:]
    return {
        "operations": count,
        "threads": len(lanes),
        "seconds": round(time.monotonic() - start, 1),
        "resident_mb": [round(value / 1e6, 1) for value in medians],
        "growth": round(max(later[k] / min(later[: k + 1]) for k in range(len(later))) - 1, 4),
    }


def lanes_of(area: ModuleType, seed: int) -> Sequence[Iterator[None]]:
    """The lanes of an area, or its only one."""
    return area.lanes(seed) if hasattr(area, "lanes") else [area.operations(seed)]


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 when memory is not flat. The area `peer` has a command line of its own."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["peer"]:
        return int(importlib.import_module("tests.soak.peer").main(argv[1:]))
    parser = argparse.ArgumentParser(prog="tasks.py soak", description="very many operations; memory must stay flat")
    parser.add_argument("area", choices=sorted(AREAS))
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    if args.count < LOOKS:
        parser.error(f"--count {args.count}: expected at least {LOOKS}")
    found = soak(lanes_of(importlib.import_module(AREAS[args.area]), args.seed), args.count)
    print(json.dumps(found))
    return 0 if float(str(found["growth"])) <= FLAT else 1


if __name__ == "__main__":
    sys.exit(main())
