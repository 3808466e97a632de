"""Every script the compiler makes is AIR: it parses, and the Res it comes from is sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aquac.topology.validate import problems
from avm.air import parse
from tests.conformance.areas.aqua_air import compile_case

ROOT = Path(__file__).parents[3]
PLACES = (ROOT / "tests/conformance/data/aqua-air", ROOT.parent / "shared/conformance/aqua-air")


def cases(name):
    folder = next((place for place in PLACES if (place / name).is_file()), None)
    if folder is None:
        pytest.skip("the aqua-air corpus is not here")
    with open(folder / name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def check(case):
    compiled = compile_case(case)
    functions = [*compiled.functions.values(), *([compiled.call] if compiled.call else [])]
    for function in functions:
        result = parse(function.script)
        assert result.ok, f"{case['id']}: {result.report}"
        assert problems(function.res) == []
    return len(functions)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["programs.jsonl", "options.jsonl", "generated.jsonl"])
def test_corpus(name):
    sample = cases(name)[::7]
    assert sum(map(check, sample)) >= len(sample)


def test_programs_on_which_the_reference_is_wrong():
    assert sum(map(check, cases("defects.jsonl"))) >= 14
