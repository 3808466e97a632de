"""Random programs through our compiler and the reference: AIR, definitions and verdicts must be equal.

    python -m tests.fuzz.aqua_differential --programs 1000 --seed 0 [--minutes M] [--out FILE]

Scripts are compared byte for byte, definitions and services with the order of keys. A difference is shrunk and printed with
both texts; `--out` gets it as a line of `conformance/aqua-air/programs.jsonl`. What is not counted as a difference:

| What | How it is recognised |
|---|---|
| the reference aborts with an internal error | its exception; ours must compile or refuse, not crash |
| a defect of the reference, or several | ours makes the very same text when told to repeat it (`Options.reference_defects`) |
| the reference's AIR is invalid | no interpreter takes its text, and ours makes another |
| both refuse | errors on both sides; counted, because programs are meant to be well-typed |

Needs node and the reference packages (`tasks.py reference`).
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import Any, Final

from aquac import Options, compile_bundle
from aquac.lowering.defects import DEFECTS
from aquac.lowering.errors import InternalError
from avm.air import parse
from tests.conftest import node_modules
from tests.fuzz.aqua_generator import Program, generate
from tests.fuzz.aqua_shrink import shrink

DRIVER: Final = Path(__file__).with_name("aqua_reference.mjs")
OPTION_NAMES: Final = {
    "noRelay": "no_relay",
    "noXor": "no_xor",
    "noEmptyResponse": "no_empty_response",
    "tracing": "tracing",
}
DIFF_LINES_MAX: Final = 60
ANSWER_SECONDS_MAX: Final = 120
"""Some programs take the reference hours: it computes a name's uses again for every node."""

AHEAD: Final = 6
"""Programs sent to the reference before its first answer is read."""

Answer = dict[str, Any]


class Reference:
    """One warm node process with the reference compiler. Use as a context manager."""

    def __init__(self, modules: Path) -> None:
        self._modules = modules
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            ["node", str(DRIVER), str(self._modules)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, args=(self._process, self._lines), daemon=True).start()

    @staticmethod
    def _read(process: subprocess.Popen[str], lines: Queue[str]) -> None:
        """Pass lines on, and an empty one at the end, so that waiting for one can be given up."""
        assert process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in process.stdout:
                lines.put(line)
        lines.put("")

    def __enter__(self) -> Reference:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def send(self, files: dict[str, str], entry: str, options: dict[str, Any], *, repeat: int = 0) -> None:
        """Ask without waiting; answers come in the order of the questions."""
        request: dict[str, Any] = {"files": files, "entry": entry, "options": options}
        if repeat:
            request["repeat"] = repeat
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Answer:
        """The next answer."""
        line = self._lines.get()
        if not line:
            raise RuntimeError("the reference process has ended")
        answer: Answer = json.loads(line)
        return answer

    def _next(self, waiting: deque[Program]) -> Answer:
        """The answer to the first of some programs that were sent; one that it is lost in counts as aborted."""
        try:
            line = self._lines.get(timeout=ANSWER_SECONDS_MAX)
        except Empty:
            line = ""
        if line:
            answer: Answer = json.loads(line)
            return answer
        self.__exit__(None, None, None)
        self._start()
        for program in list(waiting)[1:]:
            self.send(program.files, program.entry, program.options)
        return {"exception": "lost\nno answer in time"}

    def compile(self, files: dict[str, str], entry: str, options: dict[str, Any]) -> Answer:
        """Ask and wait."""
        self.send(files, entry, options)
        return self.receive()

    def all(self, programs: Iterable[Program]) -> Iterator[tuple[Program, Answer]]:
        """Answers for many programs; the reference works ahead."""
        waiting: deque[Program] = deque()
        for program in programs:
            self.send(program.files, program.entry, program.options)
            waiting.append(program)
            if len(waiting) >= AHEAD:
                answer = self._next(waiting)
                yield waiting.popleft(), answer
        while waiting:
            answer = self._next(waiting)
            yield waiting.popleft(), answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """Comparison of one program: `kind` is `equal`, or names what was seen."""

    kind: str
    text: str = ""

    @property
    def unexplained(self) -> bool:
        """Whether somebody has to look at it."""
        return self.kind in (
            "crash",
            "script",
            "definition",
            "services",
            "names",
            "our AIR is invalid",
            "we refuse",
            "we accept",
        )


def ours(files: dict[str, str], entry: str, options: dict[str, Any], defects: bool | frozenset[str] = False) -> Answer:
    """Our result in the form of the reference's; `defects` of the reference to repeat."""
    given: dict[str, Any] = {OPTION_NAMES[name]: value for name, value in options.items() if name != "constants"}
    varied = Options(**given, reference_defects=defects)
    return compile_bundle(files, entry, constants=options.get("constants", ()), options=varied).to_json()


def compare(files: dict[str, str], entry: str, options: dict[str, Any], theirs: Answer) -> Verdict:
    """Compile with ours and compare."""
    try:
        mine = ours(files, entry, options)
    except Exception as error:  # noqa: BLE001 - a crash is the most interesting difference
        return Verdict("crash", f"{type(error).__name__}: {error}")
    broken = [name for name, function in mine["functions"].items() if not valid_air(function["script"])]
    if broken:
        return Verdict("our AIR is invalid", broken[0])
    if "exception" in theirs:
        return Verdict("the reference aborts", str(theirs["exception"]).split("\n")[1][:60])
    if theirs["errors"]:
        if mine["errors"]:
            return Verdict("both refuse", f"{mine['errors'][0]} | {theirs['errors'][0]}")
        return Verdict("we accept", str(theirs["errors"][0]))
    found = Verdict("we refuse", mine["errors"][0]) if mine["errors"] else _difference(mine, theirs)
    if found is None:
        return Verdict("equal")
    explained = _defect(files, entry, options, theirs)
    if explained is None and found.kind == "script" and not valid_air(theirs["functions"][found.text]["script"]):
        return Verdict("the reference's AIR is invalid", found.text)
    return explained or found


def _defect(files: dict[str, str], entry: str, options: dict[str, Any], theirs: Answer) -> Verdict | None:
    """The defect of the reference that explains a difference."""

    def same(defects: bool | frozenset[str]) -> bool:
        mine = ours(files, entry, options, defects)
        return not mine["errors"] and _difference(mine, theirs) is None

    try:
        if not same(True):
            return None
    except InternalError:
        return None
    for name in DEFECTS:
        with contextlib.suppress(InternalError):
            if same(frozenset({name})):
                return Verdict(f"defect {name}")
    return Verdict("several defects")


def valid_air(script: str) -> bool:
    """Whether an interpreter would take the script."""
    return parse(script).ok


def _difference(mine: Answer, theirs: Answer) -> Verdict | None:
    if list(mine["functions"]) != list(theirs["functions"]):
        return Verdict("names", f"{list(mine['functions'])} | {list(theirs['functions'])}")
    for name, function in theirs["functions"].items():
        own = mine["functions"][name]
        if own["script"] != function["script"]:
            return Verdict("script", name)
        if json.dumps(own["funcDef"]) != json.dumps(function["funcDef"]):
            return Verdict("definition", name)
    if json.dumps(mine["services"]) != json.dumps(theirs["services"]):
        return Verdict("services")
    return None


def minimal(reference: Reference, program: Program, kind: str) -> dict[str, str]:
    """The program without what does not matter for a difference of this kind."""

    def interesting(files: dict[str, str]) -> bool:
        theirs = reference.compile(files, program.entry, program.options)
        return compare(files, program.entry, program.options, theirs).kind == kind

    return shrink(program.files, interesting)


def report(reference: Reference, program: Program, verdict: Verdict) -> dict[str, Any]:
    """Shrink a difference, print it, and give it as a record of the corpus."""
    files = minimal(reference, program, verdict.kind)
    theirs = reference.compile(files, program.entry, program.options)
    last = compare(files, program.entry, program.options, theirs)
    print(f"\n=== seed {program.seed} {program.options}: {last.kind} {last.text}")
    for name, text in files.items():
        print(f"-- {name}\n{text}")
    if last.kind == "script":
        mine = ours(files, program.entry, program.options)["functions"][last.text]["script"].split("\n")
        wanted = theirs["functions"][last.text]["script"].split("\n")
        lines = list(difflib.unified_diff(mine, wanted, "ours", "reference", lineterm="", n=4))
        print("\n".join(lines[:DIFF_LINES_MAX]), flush=True)
    case = {"id": f"fuzz-{program.seed}", "files": files, "entry": program.entry, "options": program.options}
    return case | {"expected": theirs, "difference": last.kind}


def run(
    reference: Reference,
    programs: Iterable[Program],
    *,
    seconds: float,
    differences_max: int,
    shrink_max: int,
    out: Path | None,
) -> Counter[str]:
    """Compare until the programs, the time or the patience are at an end; counts by kind of verdict."""
    counts: Counter[str] = Counter()
    found: list[tuple[Program, Verdict]] = []
    deadline = time.monotonic() + seconds
    answers = reference.all(_until(programs, deadline, found, differences_max))
    for done, (program, theirs) in enumerate(answers, start=1):
        verdict = compare(program.files, program.entry, program.options, theirs)
        counts[verdict.kind] += 1
        if verdict.kind in ("both refuse", "the reference aborts"):
            counts[f"  {verdict.kind}: {verdict.text[:150]}"] += 1
        if verdict.unexplained:
            found.append((program, verdict))
            print(f"seed {program.seed}: {verdict.kind} {verdict.text}", flush=True)
        if done % 1000 == 0:
            print(f"{done} programs, {len(found)} unexplained", file=sys.stderr, flush=True)
    for program, verdict in found[:shrink_max]:
        case = report(reference, program, verdict)
        if out is not None:
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(case) + "\n")
    return counts


def _until(programs: Iterable[Program], deadline: float, found: list[Any], differences_max: int) -> Iterator[Program]:
    for program in programs:
        if time.monotonic() > deadline or len(found) >= differences_max:
            return
        yield program


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 if there was an unexplained difference, 2 without the reference."""
    parser = argparse.ArgumentParser(prog="aqua_differential", description="compare with the reference compiler")
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--differences", type=int, default=5, help="stop after so many")
    parser.add_argument("--shrink", type=int, default=5, help="make so many of them minimal and print them")
    parser.add_argument("--out", type=Path, default=None)
    args = parser.parse_args(argv)
    modules = node_modules()
    if modules is None:
        print("no reference packages: run `python3 tasks.py reference`", file=sys.stderr)
        return 2
    started = time.monotonic()
    with Reference(modules) as reference:
        counts = run(
            reference,
            (generate(seed) for seed in range(args.seed, args.seed + args.programs)),
            seconds=args.minutes * 60,
            differences_max=args.differences,
            shrink_max=args.shrink,
            out=args.out,
        )
    for kind, count in sorted(counts.items()):
        print(f"{count:7} {kind}")
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if any(Verdict(kind).unexplained for kind in counts) else 0


if __name__ == "__main__":
    sys.exit(main())
