"""The corpus of the reference's verdicts and diagnostics, at all three levels of its README."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.areas import aqua_check
from tests.conformance.report import Skip
from tests.conformance.runner import known_divergences

CORPUS = Path(__file__).parents[2] / "conformance" / "data" / "aqua-check"


@cache
def cases() -> list[dict[str, Any]]:
    texts = [(CORPUS / name).read_text(encoding="utf-8") for name in aqua_check.FILES]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def level(case: dict[str, Any]) -> str | None:
    try:
        reason = aqua_check.check(case)
    except Skip:
        return None
    special = case.get("quirk") or case.get("later")
    return reason or (None if special else aqua_check.full(case, aqua_check.diagnostics(case)))


@pytest.mark.slow
def test_recorded_diagnostics() -> None:
    on_purpose = known_divergences("aqua-check")
    differ = {case["id"]: reason for case in cases() if (reason := level(case)) is not None}
    assert differ.keys() == on_purpose.keys(), differ


def test_a_wrong_expectation_is_noticed() -> None:
    case = next(c for c in cases() if not c["expect"]["ok"] and c["expect"]["errors"][0]["kind"] == "type.mismatch")
    accepting = {**case, "expect": {"ok": True, "errors": [], "warnings": []}}
    assert level(accepting) is not None
    error = case["expect"]["errors"][0]
    moved = {**case, "expect": {**case["expect"], "errors": [{**error, "line": error["line"] + 1}]}}
    assert level(moved) is not None
    shifted = {**case, "expect": {**case["expect"], "errors": [{**error, "col": error["col"] + 1}]}}
    assert level(shifted) is not None
