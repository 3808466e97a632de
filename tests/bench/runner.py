"""`tasks.py bench AREA`: ours and the reference in one run, interleaved; medians.

An area is a module of this package with `run(only, progress) -> Iterator[Row]`; rows come as they are measured. With `--json` each row
is printed as one JSON document a line, otherwise as a table. A reference that is not installed leaves its column empty.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

AREAS: Final = {
    "aqua": "tests.bench.aqua",
    "avm": "tests.bench.avm",
    "growth": "tests.bench.growth",
    "interpreter": "tests.bench.interpreter",
    "lsp": "tests.bench.lsp",
    "marine": "tests.bench.marine",
    "relay": "tests.bench.relay",
}
COLUMNS: Final = (
    "ours_ms", "reference_ms", "ratio", "bar_ms", "typescript_ms", "rss_mb", "marine_js_ms", "ratio_marine_js", "ours_peak_mb", "reference_peak_mb",
    "per_second", "p50_ms", "p99_ms", "lost", "client_kb",
)  # fmt: skip
"""Columns of the table, where an area has them; the JSON form has all."""
TURN: Final = int(os.environ.get("BENCH_TURN", "5"))
"""Inputs in a row of one side: enough for the processor to hold what that side needs, as in a peer that has work. With 1 both run cold."""
Input = TypeVar("Input")


@dataclass(frozen=True, slots=True)
class Row:
    """Medians of one workload in milliseconds; `extra` are more columns of the JSON form."""

    workload: str
    ours_ms: float
    reference_ms: float | None
    extra: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The row as `contracts` §4 wants it; a ratio below 1 means that ours is faster."""
        ratio = None if self.reference_ms is None else round(self.ours_ms / self.reference_ms, 3)
        reference = None if self.reference_ms is None else round(self.reference_ms, 4)
        return {
            "workload": self.workload,
            "ours_ms": round(self.ours_ms, 4),
            "reference_ms": reference,
            "ratio": ratio,
        } | self.extra


def timed(function: Callable[[Input], object]) -> Callable[[Input], float]:
    """`function`, answering how many milliseconds it took."""

    def run(item: Input) -> float:
        start = time.perf_counter()
        function(item)
        return 1000 * (time.perf_counter() - start)

    return run


def take_turns(inputs: Sequence[Input], contestants: Sequence[Callable[[Input], float]]) -> list[float]:
    """Median milliseconds of each, as it says itself, on the same inputs; each goes first in its turn.

    Garbage is collected between, not during. What exists before is set aside first: looking through all of it before each measurement
    would leave the processor's caches cold for either side.
    """
    times: list[list[float]] = [[] for _ in contestants]
    was_enabled = gc.isenabled()
    gc.collect()
    gc.freeze()
    try:
        for number, start in enumerate(range(0, len(inputs), TURN)):
            for turn in range(len(contestants)):
                side = (number + turn) % len(contestants)
                gc.collect()
                gc.disable()
                times[side] += [contestants[side](item) for item in inputs[start : start + TURN]]
                gc.enable()
    finally:
        gc.unfreeze()
        if not was_enabled:
            gc.disable()
    return [statistics.median(row) for row in times]


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 2 when there is no such workload."""
    parser = argparse.ArgumentParser(prog="tasks.py bench", description="ours and the reference, interleaved; medians")
    parser.add_argument("area", choices=sorted(AREAS))
    parser.add_argument("--json", action="store_true", help="one JSON document a row")
    parser.add_argument("--only", action="append", default=[], metavar="WORKLOAD")
    args = parser.parse_args(argv)
    rows: Iterator[Row] = importlib.import_module(AREAS[args.area]).run(args.only)
    found = 0
    for row in rows:
        found += 1
        data = row.to_json()
        if args.json:
            print(json.dumps(data), flush=True)
            continue
        if found == 1:
            print("".join([f"{'workload':34}", *(f"{name.replace('_', ' '):>13}" for name in COLUMNS if name in data)]))
        numbers = [data[name] for name in COLUMNS if name in data]
        cells = [f"{'-':>13}" if number is None else f"{number:13.2f}" for number in numbers]
        print("".join([f"{row.workload:34}", *cells]), flush=True)
    if not found:
        print("bench: no such workload", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
