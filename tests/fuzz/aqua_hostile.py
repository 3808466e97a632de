"""Badly damaged programs through the whole compiler: a result or diagnostics, in time, in bounded memory.

    python -m tests.fuzz.aqua_hostile --programs 100000 --seed 0 [--minutes M] [--out FILE]

Every program of the conformance corpora may be drawn. Half are damaged badly by `aqua_mutation.hostile`, which tries the parser;
half get the small changes of `mutated`, of which many survive into the later stages. One run checks, builds and renders.
It fails if anything is raised, if it takes longer than `SECONDS_MAX` of processor time, if a diagnostic points outside its
file, or if a script is no AIR. The process may hold at most `MEMORY_BYTES_MAX`, so a run that asks for more fails by itself.
A failing program is told by its seed; `--out` gets its files as a line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final

from aquac import codes, compile_bundle
from aquac.render import render_text
from avm.air import parse
from tests.fuzz.aqua_mutation import corpus, hostile, mutated

SECONDS_MAX: Final = 10.0
"""Processor time for one program."""

MEMORY_BYTES_MAX: Final = 2 * 1024**3
"""Address space of the process."""

REPORT_EVERY: Final = 5_000


class TooSlow(Exception):
    """The watchdog barked."""


@contextlib.contextmanager
def watchdog(seconds: float) -> Iterator[None]:
    """Raise `TooSlow` inside the block after `seconds` of processor time. Main thread only."""

    def bark(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, bark)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def attempt(files: dict[str, str], *, seconds: float = SECONDS_MAX) -> str:
    """Compile `main.aqua` of `files`; `compiles` or `refused`. Raises when the compiler misbehaves."""
    with watchdog(seconds):
        compiled = compile_bundle(files, "main.aqua")
        # Whoever writes such a number is warned that it is no AIR.
        valid = all(d.code is not codes.NUMBER_RANGE for d in compiled.diagnostics)
        for function in compiled.functions.values() if valid else ():
            assert parse(function.script).ok, f"`{function.name}` is no AIR"
        for diagnostic in compiled.diagnostics:
            assert diagnostic.message
            if diagnostic.file is not None and diagnostic.span is not None:
                span = diagnostic.span
                assert 0 <= span.start <= span.end <= len(diagnostic.file.text), (diagnostic.code.id, span)
        render_text(compiled.diagnostics)
    return "compiles" if compiled.ok else "refused"


def damaged(seed: int) -> dict[str, str]:
    """The files of one program."""
    return hostile(seed) if seed % 2 else mutated(seed).files


def run(seeds: Iterator[int], minutes: float, out: Path | None) -> tuple[Counter[str], dict[str, int], float]:
    """Counts by outcome, the first seed of each failure, and the longest run in seconds."""
    deadline = time.monotonic() + 60 * minutes
    counts: Counter[str] = Counter()
    failures: dict[str, int] = {}
    longest = 0.0
    for done, seed in enumerate(seeds, 1):
        files = damaged(seed)
        started = time.process_time()
        try:
            outcome = attempt(files)
        except Exception as error:  # noqa: BLE001 - whatever escapes is what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            outcome = f"{type(error).__name__}: {str(error)[:120]} ({Path(last.filename).name}:{last.lineno})"
            failures.setdefault(outcome, seed)
            if out is not None:
                with out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"seed": seed, "error": outcome, "files": files}) + "\n")
        longest = max(longest, time.process_time() - started)
        counts[outcome] += 1
        if done % REPORT_EVERY == 0:
            say(done, counts, longest)
        if time.monotonic() > deadline:
            break
    return counts, failures, longest


def say(done: int, counts: Counter[str], longest: float) -> None:
    """One line of progress."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common(4))
    print(f"{done} programs: {outcomes}; longest {longest:.2f} s, memory {peak} MiB", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 after a failure, 2 without the corpora."""
    parser = argparse.ArgumentParser(prog="aqua_hostile", description="damaged programs through the whole compiler")
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    if not corpus():
        print("the conformance corpora are not here", file=sys.stderr)
        return 2
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    seeds = iter(range(args.seed, args.seed + args.programs))
    counts, failures, longest = run(seeds, args.minutes, args.out)
    say(counts.total(), counts, longest)
    for outcome, seed in failures.items():
        print(f"seed {seed}: {outcome}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
