"""Slips in the programs of the conformance corpora: a stored sample of them, and as many others as a test has time for.

`python -m tests.aquac.mistakes.wide` writes the inputs of `sample/wide.txt` anew; `pytest --update-golden` fills in the errors.
`python -m tests.aquac.mistakes.wide --per-slip 3 [--programs 300]` applies the slips of both kinds to all of the programs, that
many of each to each, and counts what is not one error in its place.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from aquac import compile_bundle
from aquac.diagnostics import Diagnostic
from aquac.render import render_one
from tests.aquac.mistakes.slips import SLIPS, Mutant
from tests.aquac.mistakes.wide_slips import MAY_SHOW_TWICE, WIDE_SLIPS
from tests.fuzz.aqua_mutation import corpus
from tests.golden import Case, dump, load

HERE: Final = Path(__file__).parent
CORPUS: Final = HERE / "sample" / "wide.txt"
PER_SLIP: Final = 5
SEED: Final = 11
LINES_MAX: Final = 40
"""Longest program in the stored sample."""

# Terminals and rules of the grammar, and what only the compiler's own sources speak of.
INTERNAL: Final = re.compile(
    r"\b(LPAR|RPAR|LSQB|RSQB|LBRACE|RBRACE|NAME|CLASS|STR|INT|FLOAT|ARROW|COLON|COMMA|BACK|PUSH|DOT|MODE|None|Token\w*)\b"
    r"|\$END|Unexpected[A-Z]|__|<class|0x[0-9a-f]{6}"
)

Files = dict[str, str]


def errors(files: Files) -> list[Diagnostic]:
    """Errors of a program whose entry is `main.aqua`."""
    return [d for d in compile_bundle(files, "main.aqua").diagnostics if d.is_error]


@cache
def programs() -> tuple[Files, ...]:
    """Sound programs of the corpora, in an order that has nothing to do with their topics."""
    found = [files for files in corpus() if "\r" not in files["main.aqua"] and not errors(files)]
    found = [files for files in found if files["main.aqua"].startswith("aqua ")]
    random.Random(SEED).shuffle(found)
    return tuple(found)


def mutants(slip: str, files: Files) -> list[Mutant]:
    """Mutants of the entry; a slip made for programs of another kind finds none."""
    lines = files["main.aqua"].rstrip("\n").split("\n")
    try:
        return [m for m in (WIDE_SLIPS.get(slip) or SLIPS[slip])(lines) if m.text != files["main.aqua"]]
    except (StopIteration, RuntimeError, ValueError):
        return []


def place(mutant: Mutant) -> str:
    """Where the error belongs, as the corpus writes it."""
    return f"line {mutant.line}" if mutant.line else "anywhere"


def line_of(error: Diagnostic) -> int:
    """Line of the entry an error is reported in; 0 elsewhere."""
    if error.file is None or error.span is None or not error.file.path.endswith("main.aqua"):
        return 0
    return error.file.lines.position(error.span.start).line


def judge(files: Files, mutant: Mutant) -> tuple[str, list[Diagnostic]]:
    """`one`, `sound` if the change is no mistake, `many`, `elsewhere`, or `internal`; and the errors."""
    found = errors({**files, "main.aqua": mutant.text})
    if not found:
        return "sound", found
    if any(INTERNAL.search(render_one(error).split("\n")[0]) for error in found):
        return "internal", found
    if len(found) > 1:
        return "many", found
    return "one" if not mutant.line or line_of(found[0]) == mutant.line else "elsewhere", found


def sample(slip: str, per_program: int, count: int) -> Iterator[tuple[Files, Mutant]]:
    """Some mutants of a slip in each of the first programs, the same ones in every run."""
    chosen = list(programs())
    random.Random(slip).shuffle(chosen)
    for number, files in enumerate(chosen[:count]):
        found = mutants(slip, files)
        yield from ((files, m) for m in random.Random(f"{slip} {number}").sample(found, min(per_program, len(found))))


def stored() -> list[Case]:
    """The stored sample: of each wide slip a few mutants that are one error, in as many programs."""
    known = {case.input: case.sections.get("error", "\n") for case in load(CORPUS)} if CORPUS.exists() else {}
    made = []
    for slip in WIDE_SLIPS:
        number = 0
        for files, mutant in sample(slip, 1, 400):
            if len(files) > 1 or len(mutant.lines) > LINES_MAX or judge(files, mutant)[0] != "one":
                continue
            number += 1
            sections = {
                "input": mutant.text,
                "place": place(mutant) + "\n",
                "error": known.get(mutant.text, "\n"),
            }
            made.append(Case(f"{slip} {number}", CORPUS, sections))
            if number == PER_SLIP:
                break
    return made


def main() -> None:
    """Write the stored sample, or count."""
    parser = argparse.ArgumentParser(prog="wide", description="slips in the programs of the conformance corpora")
    parser.add_argument("--per-slip", type=int, default=0)
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--out", type=Path, help="a line of JSON for each mutant that is not one error in its place")
    args = parser.parse_args()
    if not args.per_slip:
        made = stored()
        CORPUS.write_text(dump(made), encoding="utf-8")
        print(f"{len(made)} mistakes of {len(WIDE_SLIPS)} kinds; now run pytest --update-golden")
        return
    total: Counter[str] = Counter()
    for slip in (*WIDE_SLIPS, *SLIPS):
        counts: Counter[str] = Counter()
        for files, mutant in sample(slip, args.per_slip, args.programs):
            outcome, found = judge(files, mutant)
            counts[outcome] += 1
            if args.out is not None and outcome not in ("one", "sound"):
                with args.out.open("a", encoding="utf-8") as out:
                    report = [render_one(error) for error in found]
                    record = {"slip": slip, "outcome": outcome, "line": mutant.line, "text": mutant.text}
                    out.write(json.dumps(record | {"errors": report}) + "\n")
        total += counts
        if counts.keys() - {"one", "sound"}:
            print(f"{slip:30} {dict(counts)} {MAY_SHOW_TWICE.get(slip, '')}")
    print(f"{len(programs())} programs: {dict(total)}")


if __name__ == "__main__":
    main()
