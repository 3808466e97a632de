"""Warnings about what is there for nothing, and that their fixes remove them."""

from __future__ import annotations

import pytest

from aquac import compile_bundle
from aquac.diagnostics import Diagnostic

LIBRARY = """aqua Lib declares one, two, Box, BOX

data Box:
  x: u8

data BOX:
  x: u8

func one() -> u8:
  <- 1

func two() -> u8:
  <- 2
"""
OTHER = "aqua Other declares one\n\nfunc one() -> u8:\n  <- 11\n"


SAME = """aqua Same declares *

alias Error: string

const LIMIT = 3

data D:
  x: u8

service T("t"):
  get(e: Error, d: D, o: ?u8) -> u8
"""


def found(text: str) -> list[Diagnostic]:
    files = {"/p/main.aqua": text, "/p/lib.aqua": LIBRARY, "/p/other.aqua": OTHER}
    # A value called like a type of another file: both can be used.
    files["/p/names.aqua"] = "aqua Names declares BOX, two\n\nconst BOX = 1\n\nfunc two() -> u8:\n  <- 2\n"
    files |= {"/p/same.aqua": SAME, "/p/again.aqua": SAME.replace("Same", "Again")}
    return list(compile_bundle(files, "/p/main.aqua").diagnostics)


def fixed(text: str, diagnostic: Diagnostic) -> str:
    """The text after the first fix."""
    for edit in sorted(diagnostic.fixes[0].edits, key=lambda e: -e.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def check(text: str, *expected: tuple[str, str], fixes: bool = True) -> None:
    """Codes and covered texts; applying the first fixes one after the other leaves nothing to say."""
    diagnostics = found(text)
    assert [(d.code.id, text[d.span.start : d.span.end]) for d in diagnostics if d.span] == list(expected)
    for _ in expected if fixes else ():
        text = fixed(text, found(text)[0])
    if fixes:
        assert found(text) == []


BODY = "\nexport f\n\nfunc f(n: u8) -> u8:\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aqua M\n" + BODY + "  a = n + 1\n  <- n\n", [("AQ0907", "a")]),
        ("aqua M\n" + BODY + "  a = [\n    n,\n    n]\n  <- n\n", [("AQ0907", "a")]),
        ('aqua M\nimport "lib.aqua"\n' + BODY + "  <- n\n", [("AQ0909", '"lib.aqua"')]),
        ('aqua M\nuse "lib.aqua" as L\n' + BODY + "  <- n\n", [("AQ0909", '"lib.aqua"')]),
        ('aqua M\nimport one, two from "lib.aqua"\n' + BODY + "  <- n\n", [("AQ0909", '"lib.aqua"')]),
        ('aqua M\nimport one, two from "lib.aqua"\n' + BODY + "  x <- one()\n  <- x + n\n", [("AQ0909", "two")]),
        ('aqua M\nimport one, two as b from "lib.aqua"\n' + BODY + "  x <- b()\n  <- x + n\n", [("AQ0909", "one")]),
        ("aqua M\n" + BODY + "  <- n\n\nfunc g() -> u8:\n  <- 1\n", [("AQ0910", "g")]),
        (
            "aqua M\n\nexport f\n\nconst A = 1\nalias B: u8\n\nfunc f(n: u8) -> u8:\n  <- n\n",
            [("AQ0915", "A"), ("AQ0915", "B")],
        ),
        ("aqua M\n\nfunc g() -> u8:\n  <- 1\n\nfunc h() -> u8:\n  <- 1\n", [("AQ0912", "M")]),
    ],
)
def test_fixable(text: str, expected: list[tuple[str, str]]) -> None:
    check(text, *expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aqua M\n" + BODY + "  c = (x: u8) -> u8:\n    <- x\n  <- n\n", [("AQ0907", "c")]),
        ("aqua M\n" + BODY + "  if n > 1:\n    a = 1\n  <- n\n", [("AQ0907", "a")]),
        ('aqua M\nimport one from "lib.aqua"\n' + BODY + "  a = one()\n  <- n\n", [("AQ0907", "a")]),
        ("aqua M\n\nexport f\n\nfunc f(n: u8, m: u8) -> u8:\n  <- n\n", [("AQ0908", "m")]),
        ("aqua M\n" + BODY + "  s: *u8\n  s <<- n\n  <- n\n", [("AQ0911", "s")]),
        ("aqua M\n" + BODY + "  s: %u8\n  <- n\n", [("AQ0911", "s")]),
        ('aqua M\nimport one from "lib.aqua"\n' + BODY + "  s: *u8\n  s <- one()\n  <- n\n", [("AQ0911", "s")]),
        ('aqua M\nuse "lib.aqua" as n\n' + BODY + "  x <- n.one()\n  <- x\n", [("AQ0913", "n"), ("AQ0908", "n")]),
        (
            'aqua M\nimport "lib.aqua"\nimport "other.aqua"\n' + BODY + "  x <- one()\n  <- x + n\n",
            [("AQ0914", '"other.aqua"')],
        ),
        (
            'aqua M declares f\n\n-- doc\nconst A = 1\n\ndata D:\n  x: u8\n\nability E:\n  x: u8\n\nservice S("s"):\n  g()\n\n'
            "func f(n: u8) -> u8:\n  <- n\n",
            [("AQ0915", "A"), ("AQ0915", "D"), ("AQ0915", "E"), ("AQ0915", "S")],
        ),
        ("aqua M\n\nability A:\n  go() -> u8\n\nfunc g{A}() -> u8:\n  <- 1\n", [("AQ0912", "M")]),
    ],
)
def test_not_mechanical(text: str, expected: list[tuple[str, str]]) -> None:
    check(text, *expected, fixes=False)


@pytest.mark.parametrize(
    "text",
    [
        "aqua M declares *\n\nfunc g() -> u8:\n  <- 1\n",
        'aqua M declares one\nimport one from "lib.aqua"\n',
        'aqua M declares *\nimport "lib.aqua"\n',
        'aqua M\nuse "lib.aqua" as L\nexport L.one as one\n',
        'aqua M\nimport Box from "lib.aqua"\n' + BODY + "  b = Box(x = n)\n  <- b.x\n",
        'aqua M\nuse "lib.aqua"\n' + BODY + "  b = Lib.Box(x = n)\n  <- b.x\n",
        'aqua M\nuse "lib.aqua" as L\n\nexport f\n\nfunc f(b: L.Box) -> u8:\n  <- b.x\n',
        'aqua M\nimport one from "lib.aqua"\n' + BODY + "  x <- one()\n  <- n\n",
        "aqua M\n" + BODY + "  for x <- [1, 2]:\n    join n\n  <- n\n",
        "aqua M\n" + BODY + "  s: *u8\n  s <<- n\n  join s[0]\n  <- n\n",
        "aqua M\n" + BODY + "  a = n\n  c = () -> u8:\n    <- a\n  x <- c()\n  <- x\n",
        "func g() -> u8:\n  <- 1\n",
        'aqua M\nimport "names.aqua"\nimport "lib.aqua"\n\nexport f\n\nfunc f(n: u8) -> u8:\n  b = BOX(x = n)\n  <- b.x + one()\n',
        'aqua M declares A, D, S\n\nconst A = 1\n\ndata D:\n  x: u8\n\nservice S("s"):\n  g()\n',
        'aqua M\n\nexport f, S\n\nconst ID = "s"\nalias E: u8\n\ndata D:\n  x: []?E\n\nservice S(ID):\n  g() -> D\n\n'
        'ability Q:\n  x: u8\n\nconst LIMIT = 3\n\nservice T("t"):\n  h()\n\nfunc f(n: u8) -> u8:\n  T "u"\n  q = Q(x = n)\n'
        "  xs = [1, 2, 3, 4]\n  <- q.x + xs[LIMIT]\n",
        'aqua M\nimport "same.aqua"\nimport "again.aqua"\n\nexport f\n\nfunc f(e: Error, d: D, s: *u8) -> u8:\n'
        "  on HOST_PEER_ID:\n    s <- T.get(e, d, nil)\n  <- s[LIMIT]\n",
    ],
)
def test_quiet(text: str) -> None:
    assert not [d for d in found(text) if not d.is_error]


def test_imported_files_are_left_alone() -> None:
    """`two` of the library is used by nobody; that is not for its user to mend."""
    assert found('aqua M\nimport one from "lib.aqua"\nexport one\n') == []
