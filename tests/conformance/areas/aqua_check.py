"""Area aqua-check: verdicts and diagnostics of the front end.

`check` compares the verdict and, for rejected programs, the class of the first error and its line (README level 2). `full`
compares the sets of diagnostics (level 3); `summary` prints the figures of all levels. Cases marked `quirk` or `later` record
behaviour the specification recommends to differ from; where we differ the case is skipped with the recorded remark.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from aquac import codes
from aquac.diagnostics import Diagnostic
from aquac.project.bundle import Bundle
from aquac.project.config import ProjectConfig
from aquac.project.link import load
from aquac.semantics import check_project
from aquac.semantics.constants import parse_constants
from tests.conformance.report import Skip

FILES: tuple[str, ...] = ("programs.jsonl", "further.jsonl")

ROOT = "/project"
MAIN = f"{ROOT}/main.aqua"

OWN_WARNINGS = frozenset({"warn.unreachable", "warn.duplicate-constant", "warn.duplicate-branch", "literal.range"})
"""Warnings the reference does not have."""

STEPS = (
    frozenset({"header.missing", "header.not-first", "header.module-keyword", "import.undeclared", "use.headerless"}),
    frozenset({"declares.missing", "export.missing"})
    | {"export.ability", "export.returns-arrow", "export.accepts-ability"},
)
"""Kinds found by the first and by the last step of checking a module; all others are found between them."""

figures: Counter[str] = Counter()

Finding = tuple[str, int, int, str]
"""File (empty for the main one), line, column, kind."""


def diagnostics(case: dict[str, Any], *, follow_ups: bool = False) -> list[Diagnostic]:
    """Everything our front end says about a case, stages stopping as in the compiler."""
    files = {MAIN: case["source"]} | {f"{ROOT}/{name}": text for name, text in case.get("imports", {}).items()}
    constants, invalid = parse_constants(case.get("constants", ()))
    modules, loading = load([MAIN], ProjectConfig(stdlib=False), Bundle(files))
    if any(d.is_error and d.code is not codes.IMPORT_CYCLE for d in (*invalid, *loading)):
        return [*invalid, *loading]
    return [*check_project(modules, constants, follow_ups=follow_ups)[1], *loading]


def finding(d: Diagnostic) -> Finding:
    """A diagnostic as the corpus writes it; without a place the line and column are 0.

    The corpus has no kind of its own for a constant that cannot be read.
    """
    if d.file is None or d.span is None:
        return ("", 0, 0, "other" if d.code is codes.CONSTANT_INVALID else d.code.kind)
    at = d.file.lines.position(d.span.start)
    name = d.file.path.removeprefix(f"{ROOT}/")
    return ("" if name == "main.aqua" else name, at.line, at.column, d.code.kind)


def recorded(entries: Iterable[dict[str, Any]]) -> list[Finding]:
    """Diagnostics of the reference."""
    return [(e.get("file", ""), e["line"], e["col"], e["kind"]) for e in entries]


def kind_class(kind: str) -> str:
    """`type` of `type.mismatch`; indentation counts as syntax, unknown functions as unknown names."""
    head = "name" if kind.startswith("arrow.") else kind.partition(".")[0]
    return "syntax" if head == "indent" else head


def check(case: dict[str, Any]) -> str | None:
    """Levels 1 and 2; level 3 is counted for `summary`."""
    ours = diagnostics(case)
    special = case.get("quirk") or case.get("later")
    reason = verdict(case, ours) or first_error(case, ours)
    if reason is not None and special:
        figures["quirk or later, differs on purpose"] += 1
        raise Skip(f"{special} ({reason})")
    figures["level 1 and 2"] += reason is None
    difference = full(case, ours)
    figures["level 3"] += difference is None
    figures["level 3 exactly"] += difference is None and equal(case, ours)
    figures["level 3 exactly, with follow-ups"] += difference is None and equal(
        case, diagnostics(case, follow_ups=True)
    )
    figures["cases"] += 1
    return reason


def verdict(case: dict[str, Any], ours: list[Diagnostic]) -> str | None:
    """Level 1."""
    accepted = not any(d.is_error for d in ours)
    if accepted == case["expect"]["ok"]:
        return None
    if accepted:
        return f"accepted; the reference says {recorded(case['expect']['errors'])[0]}"
    first = next(d for d in ours if d.is_error)
    return f"refused: {finding(first)} {first.message}"


def first_error(case: dict[str, Any], ours: list[Diagnostic]) -> str | None:
    """Level 2."""
    if case["expect"]["ok"]:
        return None
    mine = finding(next(d for d in ours if d.is_error))
    theirs = recorded(case["expect"]["errors"])[0]
    expected = kind_class(theirs[3])
    if expected == "internal":
        return None
    if kind_class(mine[3]) != expected:
        return f"first error {mine}, the reference has {theirs}"
    if theirs[3] != "syntax" and not theirs[3].startswith("syntax.") and mine[:2] != theirs[:2]:
        return f"first error at {mine}, the reference has {theirs}"
    return None


def full(case: dict[str, Any], ours: list[Diagnostic]) -> str | None:
    """Level 3: nothing reported that the reference does not but by later steps, nothing missing but consequences of other errors.

    What is a consequence tells the front end itself: with `follow_ups` it reports that too. The reference stops at the first
    module with errors; ours in other modules do not count.
    """
    mine, theirs = sets(case, ours)
    if any(kind == "internal" for *_, kind in theirs):
        return None
    syntax = any(e["kind"] == "syntax" for e in case["expect"]["errors"])
    extra = {f for f in mine - theirs if not (syntax and f[3].startswith("indent"))}
    everything, _ = sets(case, diagnostics(case, follow_ups=True))
    missing = {f for f in theirs - mine - everything if not _of_the_layout(f, theirs)}
    return f"extra {sorted(extra)}, missing {sorted(missing)}" if extra or missing else None


def equal(case: dict[str, Any], ours: list[Diagnostic]) -> bool:
    """Whether both say exactly the same."""
    mine, theirs = sets(case, ours)
    return mine == theirs


def _of_the_layout(missing: Finding, theirs: set[Finding]) -> bool:
    """Whether an error of indentation follows from another one: a slip of the line above, or a misplaced `<-` as the only line."""
    file, line, _, kind = missing
    if not kind.startswith("indent."):
        return False
    before = {other for f, at, _, other in theirs if f == file and at <= line}
    after = {other for f, at, _, other in theirs if f == file and at > line}
    return "indent.inconsistent" in before or "indent.return-nested" in after


def sets(case: dict[str, Any], ours: list[Diagnostic]) -> tuple[set[Finding], set[Finding]]:
    mine = {finding(d) for d in ours if d.code.kind not in OWN_WARNINGS}
    theirs = set(recorded(case["expect"]["errors"])) | set(recorded(case["expect"]["warnings"]))
    if not case["expect"]["ok"]:
        failing = {file for file, *_ in recorded(case["expect"]["errors"])}
        mine = {f for f in mine if f[0] in failing or f in theirs}
        mine = until_step(mine, recorded(case["expect"]["errors"]))
    return _compared(mine), _compared(theirs)


def until_step(findings: set[Finding], errors: Iterable[Finding]) -> set[Finding]:
    """Those of the steps up to the one that found `errors`: the reference takes no step behind it, we do."""
    last = min(map(_step, errors))
    return {f for f in findings if _step(f) <= last}


def _step(f: Finding) -> int:
    first, last = STEPS
    return 0 if f[3] in first else 2 if f[3] in last else 1


def _compared(findings: set[Finding]) -> set[Finding]:
    """Without plain syntax errors; unknown functions and names are one kind."""
    return {
        (file, line, column, "name.unknown" if kind == "arrow.unknown" else kind)
        for file, line, column, kind in findings
        if kind_class(kind) != "syntax" or kind.startswith("indent")
    }


def summary() -> str:
    """Figures of all levels."""
    return "aqua-check: " + ", ".join(f"{name} {count}" for name, count in figures.items())
