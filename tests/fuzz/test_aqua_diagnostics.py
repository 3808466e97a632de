"""The comparison of diagnostics itself: it notices every kind of difference, and its reasons are what they say."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.aqua_diagnostics import TIDIES, difference, tidied
from tests.fuzz.aqua_salad import KINDS

CORPUS = Path(__file__).parents[1] / "conformance" / "data" / "aqua-check" / "further.jsonl"


def recorded(name: str) -> Any:
    cases = map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
    return {"constants": []} | next(case for case in cases if case["id"] == name)


def changed(name: str, **change: Any) -> Any:
    """A recorded case with another place or kind of its first error."""
    case = copy.deepcopy(recorded(name))
    case["expect"]["errors"][0] |= change
    return case


def test_equal_programs_are_equal() -> None:
    for name in ("v-059", "v-068", "m-069", "h-036"):
        assert difference(recorded(name)) == ""


@pytest.mark.parametrize(
    ("change", "noticed"),
    [({"line": 1}, "first"), ({"col": 1}, "first"), ({"kind": "type.unknown"}, "first"), ({"file": "x.aqua"}, "first")],
)
def test_the_first_error_is_compared(change: Any, noticed: str) -> None:
    assert difference(changed("v-059", **change)).startswith(noticed)


def test_verdicts_are_compared() -> None:
    case = recorded("v-059")
    case["expect"] = {"ok": True, "errors": [], "warnings": []}
    assert difference(case).startswith("verdict")


def test_sets_are_compared() -> None:
    case = recorded("v-059")
    assert len(case["expect"]["errors"]) > 2
    del case["expect"]["errors"][-1]
    assert difference(case).startswith("extra")
    case = recorded("v-059")
    case["expect"]["errors"].append({"line": 4, "col": 3, "len": 1, "kind": "type.mismatch", "message": ""})
    assert difference(case).startswith("missing")


def test_warnings_are_compared() -> None:
    case = recorded("m-069")
    assert case["expect"]["warnings"]
    case["expect"]["warnings"] = []
    assert "warn." in difference(case)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("blank line between definitions", "  x = 1\nfunc g():", "  x = 1\n\nfunc g():"),
        ("blanks around a sign", "x = a!=b", "x = a != b"),
        ("blanks before a colon", "on p :", "on p:"),
        ("blanks around a dot", "a . b", "a.b"),
        ("zero behind the point", "1.05", "1.5"),
        ("continued list or expression", "  <- 1,\n    2", "  <- 1, 2"),
        ("continued list or expression", "  x = 1\n    + 2", "  x = 1 + 2"),
        ("empty block at the end", "  if b:\n\nfunc", "  if b:\n    tidied0 = 1\n\nfunc"),
        ("blank behind a sigil", "[] u8", "[]u8"),
        ("parentheses around a type", "alias A: (u8 -> u8)", "alias A: u8 -> u8"),
        ("sign behind a bang", "a!-1", "a! -1"),
        ("lower-case module", "aqua m.N.o declares f", "aqua M.N.O declares f"),
        ("blank before an id", '  A.B"id"', '  A.B "id"'),
        ("other case of a rename", "export f as F1", "export f as f1"),
        ("blank behind declares", "declares*", "declares *"),
        ("blanks around a word", '"p"via q', '"p" via q'),
    ],
)
def test_tidying(name: str, before: str, after: str) -> None:
    assert TIDIES[name](before) == after
    assert TIDIES[name](after) == after


def test_combinations_are_tried() -> None:
    case = {"id": "x", "source": "aqua m\n\nfunc f():\n  x = 1\nfunc g():\n  x = 1.05\n", "constants": []}
    tried = {name: other["source"] for name, other in tidied(case)}
    assert "zero behind the point + lower-case module" in tried or "lower-case module + zero behind the point" in tried
    assert any(text == "aqua M\n\nfunc f():\n  x = 1\n\nfunc g():\n  x = 1.5\n" for text in tried.values())


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_program(kind: str) -> None:
    assert KINDS[kind](5) == KINDS[kind](5)
    assert KINDS[kind](5) != KINDS[kind](6)
