"""One mistake, one error, in programs nobody chose for it; and several mistakes, several errors."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from aquac.render import render_one
from tests.aquac.mistakes.slips import Mutant
from tests.aquac.mistakes.wide import CORPUS, INTERNAL, Files, errors, judge, line_of, mutants, programs, sample
from tests.aquac.mistakes.wide_slips import MAY_SHOW_TWICE, WIDE_SLIPS
from tests.fuzz.aqua_mutation import corpus
from tests.golden import Case, Golden, load

DEFINITION = re.compile(r"(func|data|service|ability|const|alias) (\w+)")
NOT_ONE_MAX = 0.03
"""Share of the sample that may be more than one error; those slips are listed with their reasons."""

needs_corpus = pytest.mark.skipif(not corpus(), reason="the conformance corpus is not here")


@pytest.mark.parametrize("case", load(CORPUS), ids=lambda case: case.name)
def test_stored(case: Case, golden: Golden) -> None:
    found = errors({"main.aqua": case.input})
    assert len(found) == 1, [render_one(error) for error in found]
    (error,) = found
    expected = case.sections["place"].strip()
    assert expected in ("anywhere", f"line {line_of(error)}"), render_one(error)
    assert not INTERNAL.search(error.message)
    golden.check(case, "error", render_one(error))


def test_enough_is_stored() -> None:
    stored = load(CORPUS)
    assert len(stored) >= 200
    assert {re.sub(r" \d+$", "", case.name) for case in stored} == WIDE_SLIPS.keys()


@needs_corpus
@pytest.mark.slow
def test_one_error_each() -> None:
    counts: Counter[str] = Counter()
    for slip in WIDE_SLIPS:
        for files, mutant in sample(slip, 1, 30):
            outcome, found = judge(files, mutant)
            shown = f"{slip}, line {mutant.line} of\n{mutant.text}\n" + "\n".join(map(render_one, found))
            assert outcome != "internal", shown
            assert outcome != "many" or slip in MAY_SHOW_TWICE, shown
            counts[outcome] += 1
    assert counts["one"] > 800
    assert counts["many"] + counts["elsewhere"] < NOT_ONE_MAX * counts.total(), counts


# ── several mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────


def blocks(lines: list[str]) -> list[tuple[int, int, str]]:
    """Definitions: first line, line behind the last one, name."""
    heads = [(at, found[2]) for at, line in enumerate(lines) if (found := DEFINITION.match(line))]
    ends = [*(at for at, _ in heads[1:]), len(lines)] if heads else []
    return [(at, end, name) for (at, name), end in zip(heads, ends, strict=True)]


def independent(lines: list[str], chosen: list[tuple[int, int, str]]) -> bool:
    """Whether none of the definitions speaks of another, or of members another declares."""
    for start, end, name in chosen:
        members = {name, *re.findall(r"^  (\w+)", "\n".join(lines[start + 1 : end]), re.MULTILINE)}
        for other, other_end, _ in chosen:
            if other != start and members & set(re.findall(r"\w+", "\n".join(lines[other:other_end]))):
                return False
    return True


def one_line_slips(files: Files, start: int, end: int, chance: random.Random) -> Iterator[tuple[int, Mutant, int]]:
    """Slips that change one line of a definition and are one error there: that line, the mutant, the line of the error."""
    lines = files["main.aqua"].rstrip("\n").split("\n")
    for slip in chance.sample(sorted(WIDE_SLIPS), 12):
        inside = [m for m in mutants(slip, files) if len(m.lines) == len(lines) and start < m.line <= end]
        if not inside:
            continue
        mutant = chance.choice(inside)
        changed = [at for at, line in enumerate(lines) if mutant.lines[at] != line]
        outcome, found = judge(files, mutant)
        if outcome == "one" and len(changed) == 1 and start <= changed[0] < end:
            yield changed[0], mutant, line_of(found[0])


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_several_mistakes_are_several_errors(count: int) -> None:
    chance = random.Random(count)
    seen = 0
    for files in programs():
        lines = files["main.aqua"].rstrip("\n").split("\n")
        found = blocks(lines)
        if len(found) < count:
            continue
        chosen = chance.sample(found, count)
        if not independent(lines, chosen):
            continue
        made = [next(one_line_slips(files, start, end, chance), None) for start, end, _ in chosen]
        slips = [m for m in made if m is not None]
        if len(slips) < count:
            continue
        text = list(lines)
        for at, mutant, _ in slips:
            text[at] = mutant.lines[at]
        wrong = errors({**files, "main.aqua": "\n".join(text) + "\n"})
        shown = "\n".join(text) + "\n" + "\n".join(map(render_one, wrong))
        assert sorted(map(line_of, wrong)) == sorted(line for _, _, line in slips), shown
        seen += 1
        if seen == 40:
            break
    assert seen >= 15


def test_errors_of_every_stage_in_one_file() -> None:
    text = """aqua Main declares nothing

import Log from "missing.aqua"
export absent, first

data P:
  x u8
  y: u8

srevice S("s"):
  go(n: u8)

func first() -> u8:
  p = P(y = tru)
  S.go("text")
  Log.write(1)
  <- 1 +

func second():
  x = (1
  S.go()
  y <- undefined()
"""
    found = errors({"main.aqua": text})
    assert [line_of(error) for error in sorted(found, key=line_of)] == [1, 3, 4, 7, 10, 14, 15, 17, 20, 21, 22]
