"""Blocks by indentation: the errors of the reference, and nothing else."""

from __future__ import annotations

import pytest

from aquac.source import SourceFile
from aquac.syntax.parse import parse
from tests.aquac.syntax.show import body, show


def check(text: str, *expected: tuple[int, int, str]) -> None:
    """`expected`: line, width of the underlined indentation, kind."""
    source = SourceFile("main.aqua", "aqua M\n\n" + text)
    _, diagnostics = parse(source)
    found = []
    for d in diagnostics:
        assert d.span is not None
        start = source.lines.position(d.span.start)
        assert start.column == 1
        found.append((start.line - 2, d.span.end - d.span.start, d.code.kind))
    assert found == list(expected)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("  a = 1\n   b = 2\n", (3, 3, "indent.inconsistent")),
        ("    a = 1\n  b = 2\n", (3, 2, "indent.inconsistent")),
        ("  if c:\n      a = 1\n    b = 2\n  d = 3\n", (4, 4, "indent.inconsistent")),
        ("  a = 1\n\tb = 2\n", (3, 1, "indent.inconsistent")),
        ("  if c:\n    a = 1\n\tb = 2\n  d = 1\n", (4, 1, "indent.unexpected")),
        ("  if c:\n  a = 1\n", (2, 2, "indent.empty-block")),
        ("  a = 1\n  for x <- [1]:\n  b = 2\n", (3, 2, "indent.empty-block")),
        ("  a = 1\n  if c:\n", (3, 2, "indent.empty-block")),
        ("  if c:\n    <- 1\n", (3, 4, "indent.return-nested")),
        ("  for x <- xs:\n    y = x\n    <- y\n", (4, 4, "indent.return-nested")),
        ("  c = (x: u8) -> u8:\n    if x == 1:\n      <- x\n    <- x\n", (4, 6, "indent.return-nested")),
        ("  par on p:\n    <- x\n", (3, 4, "indent.return-nested")),
    ],
)
def test_errors(lines, expected):
    check(f"func main():\n{lines}", expected)


def test_members_too():
    check("data D:\n  a: u8\n   b: u8\n", (3, 3, "indent.inconsistent"))


def test_all_are_reported():
    check(
        "func f():\n  a = 1\n   b = 2\n    c = 3\n\nfunc g():\n  if c:\n  d = 1\n",
        (3, 3, "indent.inconsistent"),
        (4, 4, "indent.inconsistent"),
        (7, 2, "indent.empty-block"),
    )


def test_a_slip_of_an_opener_is_reported_once():
    check("func f():\n  a = 1\n      if c:\n    b = 2\n  d = 1\n", (3, 6, "indent.inconsistent"))
    check("func f():\n  a = 1\n\tif c:\n    b = 2\n  d = 1\n", (3, 1, "indent.inconsistent"))


def test_an_opener_indented_too_little_measures_its_body():
    check(
        "func f():\n      a = 1\n  if c:\n    b = 2\n  else:\n    d = 3\n",
        (3, 2, "indent.inconsistent"),
    )


def test_lines_moved_together_are_reported_once():
    check("func f():\n    a = 1\n  b = 2\n  c = 3\n", (3, 2, "indent.inconsistent"))
    check(
        "func f():\n    a = 1\n  b = 2\n    c = 3\n  d = 4\n",
        (3, 2, "indent.inconsistent"),
        (5, 2, "indent.inconsistent"),
    )


def test_an_empty_block_hides_no_slip_before_it():
    check("func f():\n    a = 1\n  if c:\n  b = 2\n", (3, 2, "indent.inconsistent"), (3, 2, "indent.empty-block"))


def test_a_return_indented_with_a_tab_is_one_error():
    check("func f():\n  if c:\n    for x <- xs:\n      y = x\n\t<- 1\n", (5, 1, "indent.unexpected"))


def test_a_slip_is_reported_before_what_is_wrong_with_its_line():
    check(
        "func f():\n  for x <- xs:\n    y = x\n     <- y\n",
        (4, 5, "indent.inconsistent"),
        (4, 5, "indent.return-nested"),
    )


@pytest.mark.parametrize(
    "lines",
    [
        "        a = 1\n        if c:\n         b = 2\n        d = 3\n",
        "  if c:\n  \ta = 1\n  \tb = 2\n  d = 3\n",
        "\tif c:\n\t  a = 1\n\tb = 2\n",
        "  a = 1\n\n -- odd\n        -- odd too\n  b = 2\n",
        "  c = () -> u8:\n    if d:\n      z = 3\n    <- 1\n  <- c()\n",
    ],
)
def test_accepted(lines):
    check(f"func main():\n{lines}")


def test_a_failed_opener_keeps_its_body():
    source = SourceFile("main.aqua", "aqua M\n\nfunc f():\n  if = =:\n    a = 1\n      b = 2\n  c = 3\n")
    _, diagnostics = parse(source)
    assert [d.code.kind for d in diagnostics] == ["syntax", "indent.inconsistent"]


def test_shape_of_blocks():
    (statement, last) = body("if a:\n    if b:\n        x = 1\n    y = 2\nz = 3")
    assert show(statement) == "if a [if b [x = 1]; y = 2]"
    assert show(last) == "z = 3"


def test_blocks_of_tabs_among_blanks_end() -> None:
    text = "aqua M\n\nfunc f():\n\tif true:\n\t\tif true:\n\t\t\ta = 1\n        b = 2\n        c = 3\n        d = 4\n        e = 5\n"
    _, diagnostics = parse(SourceFile("main.aqua", text))
    assert {d.code.id for d in diagnostics} == {"AQ0104"}
    assert len(diagnostics) <= 4
