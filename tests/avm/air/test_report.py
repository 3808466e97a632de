"""Drawn reports: the reference's texts as golden cases, and the bounds the reference lacks."""

from pathlib import Path

import pytest

from avm.air import Label, parse
from avm.air.limits import REPORT_CHARS_MAX, REPORT_LABELS_MAX
from avm.air.report import render
from tests.golden import Case, Golden, corpus


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus" / "reports"))
def test_report(case: Case, golden: Golden) -> None:
    golden.check(case, "report", parse(case.input).report)


def test_report_ends_with_an_empty_line() -> None:
    assert parse("(nul)").report.endswith("xor\n\n")


def test_labels_of_equal_range_are_listed_in_order() -> None:
    drawn = render("abc", [Label(0, 1, "one"), Label(0, 1, "two")])
    assert drawn == "error: \n  ┌─ script.air:1:1\n  │\n1 │ abc\n  │ ^\n  │ │\n  │ one\n  │ two\n\n"


def test_labels_inside_one_wide_character() -> None:
    assert "^^" in render("日", [Label(1, 2, "inside")])


def test_lone_surrogates_are_drawn() -> None:
    assert "can't be encoded" in parse("(ap \ud800 x)").report


def test_limit_labels() -> None:
    labels = [Label(i, i + 1, f"label {i}.") for i in range(REPORT_LABELS_MAX + 1)]
    text = "x" * 20 + "\n"
    source = text * (len(labels) // 21 + 1)
    drawn = render(source, labels)
    assert f"label {REPORT_LABELS_MAX - 1}." in drawn
    assert f"label {REPORT_LABELS_MAX}." not in drawn


def test_limit_chars() -> None:
    width = 50_000
    labels = [Label(i, i + 1, "x") for i in range(0, width, width // 500)]
    drawn = render("x" * width, labels)
    assert REPORT_CHARS_MAX < len(drawn) < REPORT_CHARS_MAX + 2 * width
    assert drawn.endswith("\n\n")
