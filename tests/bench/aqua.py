"""The compiler, ours against aqua-api: one cold process, warm compilations of growing programs, the corpus as a whole.

The reference has no formatter: `format-…` rows tell `lines_per_second` of ours, over the corpus as it is and once it is formatted.

The warm reference is one node process that is asked again and again; its own clock is read, so that writing files and pipes
do not count. `lines-N` rows have no reference, which needs minutes for them: `us_per_line` must stay about the same.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from aquac import compile_bundle
from aquac.compiler import collector_paused
from aquac.formatting.document import Formatted, format_source
from aquac.source import SourceFile
from tests.bench.runner import Row
from tests.conftest import node_modules
from tests.fuzz.aqua_differential import DRIVER, Reference, ours
from tests.fuzz.aqua_mutation import corpus

HEADER: Final = """aqua Bench

export main

data User:
  name: string
  age: u32
  tags: []string

service Echo("echo"):
  say(s: string) -> string
  user(s: string) -> User
  ping()

service Store("store"):
  get(k: string) -> ?string
  put(k: string, v: string) -> bool
"""
FUNCTION: Final = """
func step{n}(peer: string, relay: string, xs: []string) -> string:
  res: *string
  on peer via relay:
    user <- Echo.user(peer)
    for x <- xs par:
      on x:
        res <- Echo.say(user.name)
  if user.age > 18:
    ok <- Store.put(peer, user.name)
  <- res[0]
"""
SMALL: Final = """aqua Cold

export hello

service Echo("echo"):
  say(s: string) -> string

func hello(name: string, peer: string) -> string:
  on peer:
    r <- Echo.say(name)
  <- r

"""
BLOCK: Final = 25
ROUNDS: Final = {"small-12-lines": 9, "program-96-lines": 5, "program-744-lines": 3}


def program(lines: int, *, apart: bool = False) -> str:
    """A program of about so many lines; one function calls all others, or, `apart`, each is exported."""
    count = max(1, (lines - 24) // 12)
    functions = "".join(FUNCTION.replace("{n}", str(n)) for n in range(count))
    if apart:
        names = ", ".join(f"step{n}" for n in range(count))
        return HEADER.replace("export main", f"export {names}") + functions
    calls = "".join(f"  r{n} <- step{n}(p, q, xs)\n" for n in range(min(count, 80)))
    return f"{HEADER}{functions}\nfunc main(p: string, q: string, xs: []string) -> string:\n{calls}  <- r0\n"


def run(only: list[str]) -> Iterator[Row]:
    """Rows as they are measured."""
    modules = node_modules()
    if wanted("cold-process", only):
        yield cold(modules)
    with contextlib.ExitStack() as stack:
        reference = stack.enter_context(Reference(modules)) if modules is not None else None
        texts = {"small-12-lines": SMALL, "program-96-lines": program(96), "program-744-lines": program(744)}
        for name, text in texts.items():
            if wanted(name, only):
                yield warm(name, text, reference)
        if wanted("corpus", only):
            yield whole_corpus(reference)
    for name in ("format-changed", "format-unchanged"):
        if wanted(name, only):
            yield formatting(name)
    for lines in (1_000, 2_000, 5_000, 10_000, 20_000):
        for shape in ("together", "apart"):
            name = f"lines-{lines}-{shape}"
            if wanted(name, only):
                yield growth(name, program(lines, apart=shape == "apart"))


def wanted(name: str, only: list[str]) -> bool:
    """Whether a workload was asked for."""
    return not only or name in only


def cold(modules: Path | None) -> Row:
    """From nothing to AIR on disk: process start, imports, tables, compilation."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "main.aqua")
        source.write_text(SMALL, encoding="utf-8")
        command = [sys.executable, "-m", "aquac", "build", str(source), "-o", str(Path(folder, "out"))]
        request = json.dumps({"files": {"main.aqua": SMALL}, "entry": "main.aqua", "options": {}})
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(7):
            times[0].append(_timed(command, ""))
            if modules is not None:
                times[1].append(_timed(["node", str(DRIVER), str(modules)], request))
    return Row("cold-process", statistics.median(times[0]), statistics.median(times[1]) if times[1] else None)


def _timed(command: list[str], text: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, input=text, text=True, capture_output=True, check=True)
    return 1000 * (time.perf_counter() - started)


def warm(name: str, text: str, reference: Reference | None) -> Row:
    """A program again and again in warm processes; medians."""
    mine, rounds = [], ROUNDS[name]
    for number in range(rounds):
        # Another text each time, so that no cache of ours answers.
        distinct = f"{text}-- {number}\n"
        started = time.perf_counter()
        compile_bundle({"main.aqua": distinct}, "main.aqua")
        mine.append(1000 * (time.perf_counter() - started))
    theirs = None
    if reference is not None:
        reference.send({"main.aqua": text}, "main.aqua", {}, repeat=rounds)
        theirs = statistics.median(reference.receive()["times"])
    return Row(name, statistics.median(mine), theirs, {"lines": text.count("\n")})


def whole_corpus(reference: Reference | None) -> Row:
    """The sum over every program of the conformance corpora, after one round to get warm.

    They take turns at blocks of programs: with turns at single ones each would find the processor's caches full of the other.
    """
    programs = corpus()
    mine, theirs = 0.0, 0.0
    blocks = [programs[at : at + BLOCK] for at in range(0, len(programs), BLOCK)]
    for number, block in enumerate((*blocks[:2], *blocks)):
        started = time.perf_counter()
        for files in block:
            with contextlib.suppress(Exception):
                ours(files, "main.aqua", {})
        spent = 1000 * (time.perf_counter() - started)
        answers: list[dict[str, Any]] = []
        for files in block if reference is not None else ():
            reference.send(files, "main.aqua", {}, repeat=1)
            answers.append(reference.receive())
        if number >= 2:
            mine += spent
            theirs += sum(sum(answer.get("times", ())) for answer in answers)
    return Row("corpus", mine, theirs if reference is not None else None, {"programs": len(programs)})


def formatting(name: str) -> Row:
    """Every file of the corpus formatted, as `aquac fmt` does in one process, after one round to get warm; median."""
    texts = [made for files in corpus() for text in files.values() if not (made := formatted(text)).errors]
    sources = [made.text if name == "format-unchanged" else made.source.text for made in texts]
    lines = sum(text.count("\n") for text in sources)
    times = []
    for _ in range(6):
        started = time.perf_counter()
        with collector_paused():
            for text in sources:
                formatted(text)
        times.append(1000 * (time.perf_counter() - started))
    spent = statistics.median(times[1:])
    return Row(name, spent, None, {"lines": lines, "lines_per_second": round(1000 * lines / spent)})


def formatted(text: str) -> Formatted:
    """A text formatted by itself."""
    return format_source(SourceFile("bench.aqua", text))


def growth(name: str, text: str) -> Row:
    """One compilation of a large program."""
    started = time.perf_counter()
    compiled = compile_bundle({"main.aqua": text}, "main.aqua")
    spent = 1000 * (time.perf_counter() - started)
    lines = text.count("\n")
    extra = {"lines": lines, "us_per_line": round(1000 * spent / lines, 1), "functions": len(compiled.functions)}
    return Row(name, spent, None, extra)
