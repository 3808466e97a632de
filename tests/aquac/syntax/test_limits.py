"""Both sides of every limit, and inputs made to be slow."""

from __future__ import annotations

import pytest

from aquac.source import SourceFile
from aquac.syntax.limits import NESTING_MAX, SOURCE_BYTES_MAX, SYNTAX_ERRORS_MAX
from aquac.syntax.parse import parse


def codes(text: str) -> list[str]:
    _, diagnostics = parse(SourceFile("main.aqua", text))
    return [d.code.id for d in diagnostics]


def of_value(value: str) -> list[str]:
    return codes(f"aqua M\n\nfunc f():\n  x = {value}\n")


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "(" * n + "1" + ")" * n,
        lambda n: "f(" * (n - 1) + "1" + ")" * (n - 1),
        lambda n: "[" * (n - 1) + "1" + "]" * (n - 1),
        lambda n: " + ".join("a" * n),
        lambda n: "**".join("2" * n),
        lambda n: "!" * (n - 1) + "a",
        lambda n: "a[" * (n - 1) + "0" + "]" * (n - 1),
    ],
    ids=["parentheses", "calls", "collections", "sum", "power", "not", "index"],
)
def test_values(make):
    assert of_value(make(NESTING_MAX)) == []
    assert of_value(make(NESTING_MAX + 1)) == ["AQ0109"]


@pytest.mark.parametrize(
    "make",
    [lambda n: "[]" * (n - 1) + "u8", lambda n: "u8 -> " * (n - 1) + "u8"],
    ids=["arrays", "arrows"],
)
def test_types(make):
    assert codes(f"aqua M\nalias A: {make(NESTING_MAX)}\n") == []
    assert codes(f"aqua M\nalias A: {make(NESTING_MAX + 1)}\n") == ["AQ0109"]


def blocks(depth: int) -> str:
    lines = [f"{' ' * (i + 1)}if a:\n" for i in range(depth)]
    return "aqua M\n\nfunc f():\n" + "".join(lines) + " " * (depth + 1) + "x = 1\n"


def test_blocks():
    assert codes(blocks(NESTING_MAX - 1)) == []
    assert codes(blocks(NESTING_MAX)) == ["AQ0109"]


def test_file_size():
    text = "aqua M\n"
    comment = "-" * (SOURCE_BYTES_MAX - len(text))
    assert codes(text + comment) == []
    assert codes(text + comment + "-") == ["AQ0113"]


def test_number_of_errors():
    assert SYNTAX_ERRORS_MAX < len(codes("x\n" * (SYNTAX_ERRORS_MAX * 3))) <= SYNTAX_ERRORS_MAX + 3


@pytest.mark.parametrize(
    "text",
    [
        "  x = f(\n" * 4000,
        "  x = f(1,\n" * 4000,
        '  x = "a\n' * 4001,
        "  x = " + "(" * 20000 + "\n",
        "  x = a" + ".b" * 2000 + "\n",
        "func f(\n  x\n" * 2000,
        "  x = 1,\n\n\n" * 2000,
    ],
    ids=["brackets", "commas", "strings", "deep", "chain", "heads", "blanks"],
)
def test_hostile_inputs_end_soon(text):
    codes("aqua M\n\nfunc f():\n" + text)
