"""What only follows from another error is left out, and reported where it is asked for."""

import json
from pathlib import Path

from tests.conformance.areas import aqua_check

CORPUS = Path(__file__).parents[2] / "conformance" / "data" / "aqua-check"
PROGRAM = """aqua Main

data D:
  a: Zz
  b: u8

func f(a: Yy, b: u8, c: string) -> u8:
  x = ghost
  y = x
  if x:
    z = 1
  <- y

func g(d: D):
  v = f(1)
  w = d.a
"""


def kinds(*, follow_ups: bool) -> list[tuple[int, str]]:
    found = aqua_check.diagnostics({"source": PROGRAM}, follow_ups=follow_ups)
    return [(line, kind) for _, line, _, kind in map(aqua_check.finding, found)]


def test_one_mistake_is_one_error() -> None:
    assert kinds(follow_ups=False) == [(4, "type.unknown"), (7, "type.unknown"), (8, "name.unknown")]


def test_follow_ups_are_those_of_the_reference() -> None:
    assert kinds(follow_ups=True) == [
        (4, "type.unknown"),
        (7, "type.unknown"),
        (8, "name.unknown"),
        (9, "name.unknown"),
        (10, "name.unknown"),
        (12, "name.unknown"),
        (7, "return.missing"),
        (15, "arrow.unknown"),
        (16, "prop.unknown-field"),
    ]


def test_nothing_is_lost_by_asking_for_more() -> None:
    for name in aqua_check.FILES:
        for line in (CORPUS / name).read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            fewer = {aqua_check.finding(d) for d in aqua_check.diagnostics(case)}
            loud = aqua_check.diagnostics(case, follow_ups=True)
            more = {aqua_check.finding(d) for d in loud}
            if errors := [aqua_check.finding(d) for d in loud if d.is_error]:
                # Only by default steps behind the one with errors are taken, and the importers of its module checked.
                fewer = {f for f in aqua_check.until_step(fewer, errors) if f[0] in {file for file, *_ in errors}}
            assert fewer <= more, case["id"]
