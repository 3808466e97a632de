"""`tasks.py soak AREA`: very many operations in one process, and whether its memory stays where it was.

An area is a module of this package with `operations(seed) -> Iterator[None]`, one step of which is one operation. Resident memory is
looked at a thousand times; the medians of tenths of the whole, without the first two, must lie within `FLAT` of each other. A
crash ends the process, a mistake raises. Needs /proc.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

AREAS: Final = {"avm": "tests.soak.avm"}
FLAT: Final = 0.05
LOOKS: Final = 1000
WARM: Final = 2
"""Tenths in which caches and buffers come to their size."""


def resident_bytes() -> int:
    """Memory of this process."""
    return 4096 * int(Path("/proc/self/statm").read_text().split()[1])


def soak(operations: Iterator[None], count: int) -> dict[str, float | int | list[float]]:
    """Do so many operations; medians of tenths in megabytes (10^6 bytes), and by which share they differ."""
    every = max(1, count // LOOKS)
    looks: list[int] = []
    start = time.monotonic()
    for number in range(1, count + 1):
        next(operations)
        if number % every == 0:
            looks.append(resident_bytes())
    gc.collect()
    tenth = len(looks) // 10
    medians = [statistics.median(looks[tenth * k : tenth * (k + 1)]) for k in range(10)]
    later = medians[WARM:]
    return {
        "operations": count,
        "seconds": round(time.monotonic() - start, 1),
        "resident_mb": [round(value / 1e6, 1) for value in medians],
        "spread": round((max(later) - min(later)) / min(later), 4),
    }


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 when memory is not flat."""
    parser = argparse.ArgumentParser(prog="tasks.py soak", description="very many operations; memory must stay flat")
    parser.add_argument("area", choices=sorted(AREAS))
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    if args.count < LOOKS:
        parser.error(f"--count {args.count}: expected at least {LOOKS}")
    found = soak(importlib.import_module(AREAS[args.area]).operations(args.seed), args.count)
    print(json.dumps(found))
    return 0 if float(str(found["spread"])) <= FLAT else 1


if __name__ == "__main__":
    sys.exit(main())
