"""`tasks.py bench AREA`: ours and the reference in one run, interleaved; medians.

An area is a module of this package with `run(only, progress) -> Iterator[Row]`; rows come as they are measured. With `--json` each row
is printed as one JSON document a line, otherwise as a table. A reference that is not installed leaves its column empty.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

AREAS: Final = {
    "aqua": "tests.bench.aqua",
    "avm": "tests.bench.avm",
    "lsp": "tests.bench.lsp",
    "marine": "tests.bench.marine",
}
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


def interleaved(
    inputs: Sequence[Input], ours: Callable[[Input], object], theirs: Callable[[Input], object] | None
) -> tuple[float, float | None]:
    """Median milliseconds of both on the same inputs, taking turns at going first. Garbage is collected between, not during."""
    times: tuple[list[float], list[float]] = ([], [])
    contestants = [(0, ours)] if theirs is None else [(0, ours), (1, theirs)]
    was_enabled = gc.isenabled()
    try:
        for number, item in enumerate(inputs):
            for side, function in contestants if number % 2 else reversed(contestants):
                gc.collect()
                gc.disable()
                start = time.perf_counter()
                function(item)
                times[side].append(1000 * (time.perf_counter() - start))
                gc.enable()
    finally:
        if not was_enabled:
            gc.disable()
    return statistics.median(times[0]), statistics.median(times[1]) if times[1] else None


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
            print(f"{'workload':34} {'ours ms':>10} {'reference ms':>13} {'ratio':>7}")
        reference = "-" if data["reference_ms"] is None else f"{data['reference_ms']:.2f}"
        ratio = "-" if data["ratio"] is None else f"{data['ratio']:.2f}"
        print(f"{row.workload:34} {row.ours_ms:10.2f} {reference:>13} {ratio:>7}", flush=True)
    if not found:
        print("bench: no such workload", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
