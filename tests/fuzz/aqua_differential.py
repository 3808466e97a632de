"""Random programs through our compiler and the reference: AIR, definitions and verdicts must be equal.

    python -m tests.fuzz.aqua_differential --programs 1000 --seed 0 [--minutes M] [--out FILE]

Scripts are compared byte for byte, definitions and services with the order of keys. A difference is shrunk and printed with
both texts; `--out` gets it as a line of `conformance/aqua-air/programs.jsonl`. What is not counted as a difference:

| What | How it is recognised |
|---|---|
| the reference aborts with an internal error | its exception; ours must compile or refuse, not crash |
| D2: the reference substitutes a name again that it has just put in | `prelude.enter` saw a new name that is itself renamed |
| D13: an array parameter given a stream, in a returned value, lacks the `#` of its frozen copy | scripts differ by that |
| D15: an element of an ability's stream, or of the last error, where AIR takes none | ours copied one |
| D16: `*[…]` in a function called twice continues the first stream | ours numbered one again |
| D7, D8: refused or corrected on purpose | AQ0502; a copied service id |

Needs node and the reference packages (`tasks.py reference`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from aquac import Options, compile_bundle
from aquac.lowering import inline_call, inline_if, inline_operator, inline_property, inline_tag
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
ANONYMOUS_AGAIN: Final = re.compile(r"stream-anon-[0-9]+-[0-9]")
FROZEN: Final = re.compile(r"#([^ ]*_canon(?:-[0-9]+)?)(?=[ .\])])")
WATCHED: Final = (
    (inline_call, "enter"),
    (inline_call, "plain"),
    (inline_tag, "plain"),
    (inline_tag, "whole"),
    (inline_if, "settle"),
    (inline_operator, "settle"),
    (inline_property, "settle"),
)
AHEAD: Final = 6
"""Programs sent to the reference before its first answer is read."""

Answer = dict[str, Any]


class Reference:
    """One warm node process with the reference compiler. Use as a context manager."""

    def __init__(self, modules: Path) -> None:
        self._process = subprocess.Popen(
            ["node", str(DRIVER), str(modules)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

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
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the reference process has ended")
        answer: Answer = json.loads(line)
        return answer

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
                yield waiting.popleft(), self.receive()
        while waiting:
            yield waiting.popleft(), self.receive()


class Hazards:
    """Notices, while our compiler runs, where the reference would go wrong by D2 or by an element of a stream or error."""

    def __init__(self) -> None:
        self.renamed_again = False
        self.copied = False
        self._saved = [(module, name, getattr(module, name)) for module, name in WATCHED]

    def __enter__(self) -> Hazards:
        for module, name, function in self._saved:
            setattr(module, name, partial(self._enter if name == "enter" else self._copy, function))
        return self

    def __exit__(self, *_: object) -> None:
        for module, name, function in self._saved:
            setattr(module, name, function)

    def _copy(self, function: Any, *args: Any) -> Any:
        made = function(*args)
        self.copied = self.copied or bool(made[1])
        return made

    def _enter(self, function: Any, state: Any, fn: Any, *rest: Any) -> Any:
        made = function(state, fn, *rest)
        names = state.env.names
        if any(new != old and names.get(new, new) != new for old, new in names.items()):
            self.renamed_again = True
        return made


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


def ours(files: dict[str, str], entry: str, options: dict[str, Any]) -> Answer:
    """Our result in the form of the reference's."""
    given = Options(**{OPTION_NAMES[name]: value for name, value in options.items()})
    return compile_bundle(files, entry, options=given).to_json()


def compare(files: dict[str, str], entry: str, options: dict[str, Any], theirs: Answer) -> Verdict:
    """Compile with ours and compare."""
    with Hazards() as hazards:
        try:
            mine = ours(files, entry, options)
        except Exception as error:  # noqa: BLE001 - a crash is the most interesting difference
            return Verdict("crash", f"{type(error).__name__}: {error}")
    broken = [name for name, function in mine["functions"].items() if not valid_air(function["script"])]
    if broken:
        return Verdict("our AIR is invalid", broken[0])
    if "exception" in theirs:
        return Verdict("the reference aborts", str(theirs["exception"]).split("\n")[1][:60])
    if theirs["errors"] or mine["errors"]:
        return _refused(mine, theirs)
    found = _difference(mine, theirs)
    if found is None:
        return Verdict("equal")
    if "(ap %init_peer_id% service_id" in str(mine["functions"]):
        return Verdict("D8")
    if found.kind == "script" and not valid_air(theirs["functions"][found.text]["script"]):
        return Verdict("the reference's AIR is invalid", found.text)
    if found.kind == "script" and _without_marks(mine, found.text) == _without_marks(theirs, found.text):
        return Verdict("D13", found.text)
    if found.kind == "script" and hazards.copied:
        return Verdict("D15", found.text)
    if ANONYMOUS_AGAIN.search(str(mine["functions"])):
        return Verdict("D16", found.text)
    if hazards.renamed_again and found.kind == "script":
        return Verdict("D2", found.text)
    return found


def valid_air(script: str) -> bool:
    """Whether an interpreter would take the script."""
    return parse(script).ok


def _without_marks(answer: Answer, name: str) -> str:
    """Script of a function without the mark of frozen streams."""
    return FROZEN.sub(r"\1", str(answer["functions"][name]["script"]))


def _refused(mine: Answer, theirs: Answer) -> Verdict:
    if theirs["errors"] and mine["errors"]:
        return Verdict("both refuse", f"{mine['errors'][0]} | {theirs['errors'][0]}")
    if theirs["errors"]:
        return Verdict("we accept", str(theirs["errors"][0]))
    if any("AQ0502" in error for error in mine["errors"]):
        return Verdict("D7")
    return Verdict("we refuse", mine["errors"][0])


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
        mine = ours(files, program.entry, program.options)
        print(f"-- ours\n{mine['functions'][last.text]['script']}")
        print(f"-- reference\n{theirs['functions'][last.text]['script']}", flush=True)
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
    for program, theirs in reference.all(_until(programs, deadline, found, differences_max)):
        verdict = compare(program.files, program.entry, program.options, theirs)
        counts[verdict.kind] += 1
        if verdict.kind in ("both refuse", "the reference aborts"):
            counts[f"  {verdict.kind}: {verdict.text[:150]}"] += 1
        if verdict.unexplained:
            found.append((program, verdict))
    for program, verdict in found[shrink_max:]:
        print(f"seed {program.seed}: {verdict.kind} {verdict.text}")
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
