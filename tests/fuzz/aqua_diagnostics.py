"""Wrong programs through our front end and the reference: verdict, first error, and the whole set of diagnostics must be equal.

    python -m tests.fuzz.aqua_diagnostics --programs 2000 --seed 0 [--source mutants|slips|bodies|definitions|headers|types]…
        [--minutes M] [--out FILE]

Programs come from `aqua_mutation` (small mistakes in the corpora's programs, or in those of `aqua_generator`) or from
`aqua_salad` (random statements, definitions, header lines, types).
Equal means, in the terms of the corpus aqua-check:

* the same verdict; class of the first error, and its file, line, column and kind unless it is a plain syntax error;
* what we report by default is a subset of what the reference reports: nothing more, and nothing in other places;
* with `follow_ups` on, the two sets of (file, line, column, kind) are the same, warnings included.

What is not counted as a difference has a name and a check:

| Reason | Check |
|---|---|
| the reference aborts | it throws; we must not, whatever we say |
| a slip of indentation, `<-` alone in a block | only `indent.*` is missing behind such a line |
| a second function without its first line | its `<-` is our first error, and the reference has one there too |
| leniency or later language | one of `TIDIES` takes it out of the program, and then everything is equal |

Needs node and the reference packages (`tasks.py reference`).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Final

from tests.conformance.aqua_check_reference import Case, CheckReference
from tests.conformance.areas import aqua_check
from tests.conftest import node_modules
from tests.fuzz.aqua_generator import generate
from tests.fuzz.aqua_mutation import CHANGES, mutated
from tests.fuzz.aqua_salad import KINDS

Finding = aqua_check.Finding
Files = dict[str, str]


def files_of(case: Case) -> Files:
    """All texts of a case by name."""
    return {"main.aqua": case["source"], **case.get("imports", {})}


def case_of(name: str, files: Files, constants: Iterable[str] = ()) -> Case:
    """A case without expectation."""
    imports = {path: text for path, text in files.items() if path != "main.aqua"}
    return {"id": name, "source": files["main.aqua"], "imports": imports, "constants": list(constants)}


# ── comparison ───────────────────────────────────────────────────────────────────────────────────────────────────────


def difference(case: Case) -> str:
    """What is not equal; empty if nothing. The first word tells how bad: `crash`, `verdict`, `first`, `extra`, `missing`."""
    try:
        ours = aqua_check.diagnostics(case)
        loud = aqua_check.diagnostics(case, follow_ups=True)
    except Exception as error:  # noqa: BLE001 - a crash is the most interesting difference
        return f"crash {type(error).__name__}: {error}"
    expect = case["expect"]
    theirs = aqua_check.recorded(expect["errors"])
    if theirs and theirs[0][3] == "internal":
        return ""
    mine = [aqua_check.finding(d) for d in ours if d.is_error]
    if bool(mine) != bool(theirs):
        return f"verdict {mine[0][3] if mine else 'ok'}, theirs {theirs[0][3] if theirs else 'ok'}"
    second_function = bool(mine) and mine[0][3] == "return.twice" and mine[0][:3] in {f[:3] for f in theirs}
    if mine and not second_function and (reason := _first(mine[0], theirs[0])):
        return reason
    if second_function and mine[0] not in theirs:
        return ""  # the values of that `<-` are wrong, which the reference says in its place
    if any(kind == "syntax" for *_, kind in theirs):
        return ""  # where it cannot read a file, the reference says little else about the program
    reported, recorded = aqua_check.sets(case, ours)
    if reported - recorded:
        return f"extra {kinds(reported - recorded)}, missing {kinds(recorded - reported)}"
    everything, _ = aqua_check.sets(case, loud)
    if everything - recorded:
        return f"extra follow-up {kinds(everything - recorded)}"
    reason = aqua_check.full(case, ours)
    return f"missing {kinds(recorded - everything)}" if reason else ""


def _first(mine: Finding, theirs: Finding) -> str:
    same_class = aqua_check.kind_class(mine[3]) == aqua_check.kind_class(theirs[3])
    plain = aqua_check.kind_class(theirs[3]) == "syntax" and not theirs[3].startswith("indent.")
    if same_class and (plain or (mine[:3] == theirs[:3] and _one(mine[3]) == _one(theirs[3]))):
        return ""
    moved = "" if mine[:3] == theirs[:3] else " elsewhere"
    return f"first {mine[3]}, theirs {theirs[3]}{moved}"


def _one(kind: str) -> str:
    return "name.unknown" if kind == "arrow.unknown" else kind


def kinds(findings: Iterable[Finding]) -> str:
    """The kinds of some diagnostics, each once."""
    return " ".join(sorted({kind for *_, kind in findings}))


# ── leniencies and the later language ────────────────────────────────────────────────────────────────────────────────

LIST_BREAK: Final = re.compile(r"(,|(?<!declares )[-+*/%<>=&|])[ \t]*(?:--[^\n]*)?\n\s+(?=\S)")
DEFINITION: Final = r"(?:data|service|ability|func|const|alias)\b"


def _case(like: str, letter: str) -> str:
    return letter.upper() if like.isupper() else letter.lower()


def _end_with_body(text: str) -> str:
    """Give a block without body at the end of a definition one."""
    lines = text.split("\n")
    out: list[str] = []
    for at, line in enumerate(lines):
        out.append(line)
        code = line.partition("--")[0].rstrip()
        rest = next((x for x in lines[at + 1 :] if x.partition("--")[0].strip()), "")
        if code[:1] in (" ", "\t") and code.endswith(":") and not rest[:1].isspace():
            indent = code[: len(code) - len(code.lstrip())]
            out.append(f"{indent}  tidied{at} = 1")
    return "\n".join(out)


EMPTY_BLOCK: Final = "empty block at the end"

TIDIES: Final[dict[str, Callable[[str], str]]] = {
    "blank line between definitions": lambda text: re.sub(rf"(?<!\n)\n(?={DEFINITION})", "\n\n", text),
    "blanks around a sign": lambda text: re.sub(
        r"^([ \t]*<-)(?=\S)",
        r"\1 ",
        re.sub(r"(?<=[\w\])\"!])[ \t]*(!=|==|\?=|=|<-|<<-|->)[ \t]*(?=[\w\"(\[?*-])", r" \1 ", text),
        flags=re.MULTILINE,
    ),
    "blank behind declares": lambda text: re.sub(r"(?<=declares)(?=\*)", " ", text),
    "blanks around a word": lambda text: re.sub(
        r"(?<=[\w\])\"])(?<!\w)[ \t]*\b(via|as|from|par|try|rec)\b[ \t]*", r" \1 ", text
    ),
    "blanks before a colon": lambda text: re.sub(r"[ \t]+:", ":", text),
    "blanks around a dot": lambda text: re.sub(r"(?<=[\w\])])[ \t]*\.[ \t]*(?=\w)", ".", text),
    "blank behind a sigil": lambda text: re.sub(r"(\[\]|(?<=[:,>(] )[?*])[ \t]+(?=[\w\[?*])", r"\1", text),
    "parentheses around a type": lambda text: re.sub(
        r"(alias \w+: *|^ +\w+: *)\((.*)\)$", r"\1\2", text, flags=re.MULTILINE
    ),
    "sign behind a bang": lambda text: re.sub(r"!(?=-\d)", "! ", text),
    "lower-case module": lambda text: re.sub(
        r"^(\ufeff?(?:aqua[ \t]+|module[ \t]+|use .* as ))([\w.]+)(?=(?:[ \t]+declares.*)?\r?$)",
        lambda m: m[1] + re.sub(r"(?<!\w)[a-z]", lambda letter: letter[0].upper(), m[2]),
        text,
        flags=re.MULTILINE,
    ),
    "blank before an id": lambda text: re.sub(r'^([ \t]+[A-Z][\w.]*)(?=["(])', r"\1 ", text, flags=re.MULTILINE),
    "other case of a rename": lambda text: re.sub(
        r"\b([A-Za-z])(\w*) as ([A-Za-z])(?=\w)", lambda m: f"{m[1]}{m[2]} as {_case(m[1], m[3])}", text
    ),
    "zero behind the point": lambda text: re.sub(r"\b(\d+)\.0+(?=[1-9])", r"\1.", text),
    "continued list or expression": lambda text: re.sub(
        r"[ \t]*(?:--[^\n]*)?\n\s+(?=[-+*/%<>=&|,](?!-))", " ", LIST_BREAK.sub(r"\1 ", text)
    ),
    EMPTY_BLOCK: _end_with_body,
}


def tidied(case: Case) -> Iterator[tuple[str, Case]]:
    """The case without some leniencies, few at a time."""
    for count in (1, 2, 3):
        for names in combinations(TIDIES, count):
            files = files_of(case)
            for name in names:
                changed = {path: TIDIES[name](text) for path, text in files.items()}
                if changed == files:
                    break
                files = changed
            else:
                yield " + ".join(names), case_of(case["id"], files, case["constants"])


def leniency(reference: CheckReference, case: Case) -> str:
    """The named reason why a difference is on purpose; empty if there is none."""
    said = _said(case)
    if _only_a_colon(case):
        return "colon behind a word"
    for name, other in tidied(case):
        if _said(other) != said and not (name.startswith(EMPTY_BLOCK) and not said):
            continue
        other["expect"] = reference.expect(other)
        if not difference(other):
            return name
    return ""


def _only_a_colon(case: Case) -> bool:
    """Whether we miss a colon behind a lone `else`, `try` or `otherwise`, which the reference takes for a name."""
    first = next((aqua_check.finding(d) for d in aqua_check.diagnostics(case) if d.is_error), None)
    if first is None or first[3] != "syntax":
        return False
    line = files_of(case)[first[0] or "main.aqua"].split("\n")[first[1] - 1]
    return re.fullmatch(r"[ \t]*(else|try|otherwise)[ \t]*(--.*)?\r?", line) is not None


def _said(case: Case) -> list[str]:
    """What we say about a program, without the errors a leniency does not concern."""
    said = [d.code.kind for d in aqua_check.diagnostics(case)]
    return [kind for kind in said if kind != "indent.empty-block"]


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def mutants(seeds: Iterable[int]) -> Iterator[Case]:
    """Programs of the corpora with small mistakes."""
    for seed in seeds:
        program = mutated(seed)
        yield case_of(f"mutant-{seed}", program.files)


def salad(kind: str) -> Callable[[Iterable[int]], Iterator[Case]]:
    """Random programs of one kind."""

    def cases(seeds: Iterable[int]) -> Iterator[Case]:
        for seed in seeds:
            yield case_of(f"{kind}-{seed}", KINDS[kind](seed))

    return cases


def slips(seeds: Iterable[int]) -> Iterator[Case]:
    """Right programs of the generator, every second one with small mistakes."""
    for seed in seeds:
        files = dict(generate(seed // 2).files)
        rng = random.Random(seed)
        if seed % 2:
            name = rng.choice(sorted(files))
            for _ in range(rng.choice((1, 1, 2))):
                files[name] = rng.choice(CHANGES)(files[name], rng)
        yield case_of(f"slips-{seed}", files)


SOURCES: Final = {"mutants": mutants, "slips": slips} | {kind: salad(kind) for kind in KINDS}


def run(reference: CheckReference, cases: Iterable[Case], *, seconds: float) -> tuple[Counter[str], dict[str, Case]]:
    """Counts by outcome; `differs: …` is what nothing explains. An example of each."""
    deadline = time.monotonic() + seconds
    counts: Counter[str] = Counter()
    examples: dict[str, Case] = {}
    different: list[tuple[str, Case]] = []
    for case in reference.all(_until(cases, deadline)):
        reason = difference(case)
        errors = case["expect"]["errors"]
        if reason:
            different.append((reason, case))
        elif errors and errors[0]["kind"] == "internal":
            counts["the reference aborts"] += 1
        else:
            counts["equal, refused" if errors else "equal, accepted"] += 1
    for reason, case in different:
        explained = "" if reason.startswith("crash") else leniency(reference, case)
        outcome = f"on purpose: {explained}" if explained else f"differs: {reason}"
        counts[outcome] += 1
        examples.setdefault(outcome, case)
    return counts, examples


def _until(cases: Iterable[Case], deadline: float) -> Iterator[Case]:
    for case in cases:
        if time.monotonic() > deadline:
            return
        yield case


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 if something differs without a reason, 2 without the reference."""
    parser = argparse.ArgumentParser(
        prog="aqua_diagnostics", description="compare diagnostics with the reference compiler"
    )
    parser.add_argument("--programs", type=int, default=2000, help="of each source")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--source", choices=SOURCES, action="append", help="default: all")
    parser.add_argument("--minutes", type=float, default=10.0, help="in all")
    parser.add_argument(
        "--out", type=Path, default=None, help="write an example of each difference, as cases of aqua-check"
    )
    args = parser.parse_args(argv)
    modules = node_modules()
    if modules is None:
        print("no reference packages: run `python3 tasks.py reference`", file=sys.stderr)
        return 2
    sources = args.source or list(SOURCES)
    seeds = range(args.seed, args.seed + args.programs)
    different: list[Case] = []
    with CheckReference(modules) as reference:
        for source in sources:
            seconds = args.minutes * 60 / len(sources)
            counts, examples = run(reference, SOURCES[source](seeds), seconds=seconds)
            print(f"{source}:")
            for outcome, count in counts.most_common():
                example = f" ({examples[outcome]['id']})" if outcome in examples else ""
                print(f"{count:6} {outcome}{example}", flush=True)
            different += [case for outcome, case in examples.items() if outcome.startswith("differs")]
    if args.out is not None:
        args.out.write_text("".join(json.dumps(case) + "\n" for case in different), encoding="utf-8")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
