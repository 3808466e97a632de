"""Statements, blocks, and names that look like keywords."""

from __future__ import annotations

import pytest

from tests.aquac.syntax.show import body, show


def check(text: str, *expected: str) -> None:
    assert tuple(show(s) for s in body(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1", "x = 1"),
        ("X=y", "X = y"),
        ("f(1)", "f(1)"),
        ("x <- f(1)", "x <- f(1)"),
        ("x, Y<-S.get(1)", "x, Y <- S.get(1)"),
        ("s <<- x + 1", "s <<- (+ x 1)"),
        ('m <<- "k", v', 'm <<- "k" => v'),
        ("s: *u8", "s: *u8"),
        ("m: %[]u8", "m: %[]u8"),
        ("<- 1, x", "<- 1, x"),
        ("<-x", "<- x"),
        ("join a, b[0], c!", "join a, b[0], c!"),
        ("join (a + 1)", "join (+ a 1)"),
        ("par f(1)", "par f(1)"),
        ("par x <- f(1)", "par x <- f(1)"),
        ("co join a", "co join a"),
        ('S "id"', 'id S "id"'),
        ('S"id"', 'id S "id"'),
        ("S (x)", "id S x"),
        ("M.S c.ids[0]", "id M.S c.ids[0]"),
        ("S x + y", "id S (+ x y)"),
        ("S.go()", "S.go()"),
        ("n + 1", "(+ n 1)"),
    ],
)
def test_simple(text, expected):
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on p via a via [b]:\n  f()", "on p via a via [b] [f()]"),
        ("for x <- xs par:\n  f()", "for x <- xs par [f()]"),
        ("for x<-xs:\n  f()", "for x <- xs [f()]"),
        ("for k, v <- m rec:\n  f()", "for k, v <- m rec [f()]"),
        ("parseq p <- ps on p via r:\n  f()", "parseq p <- ps on p via r [f()]"),
        ("if a == b :\n  f()", "if (== a b) [f()]"),
        ("if (b):\n  f()", "if b [f()]"),
        ("try :\n  f()", "try [f()]"),
        ("catch e:\n  f()", "catch e [f()]"),
        ("otherwise:\n  f()", "otherwise [f()]"),
        ("else : -- c\n  f()", "else [f()]"),
        ("par on p:\n  f()", "par on p [f()]"),
        ("co for x <- xs:\n  f()", "co for x <- xs [f()]"),
        ("c = (x: u8, y: string) -> u8, bool:\n  <- x", "c = (x:u8, y:string)->(u8, bool) [<- x]"),
        ("c = func {A}(x: u8):\n  f()", "c = func {A}(x:u8)->() [f()]"),
        ("c=():\n  f()", "c = ()->() [f()]"),
    ],
)
def test_compound(text, expected):
    check(text, expected)


def test_nesting():
    check(
        "if a:\n  for x <- xs:\n    f()\n  g()\nelse:\n  try:\n    h()\nk()",
        "if a [for x <- xs [f()]; g()]",
        "else [try [h()]]",
        "k()",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on = 1", "on = 1"),
        ("if == 1", "(== if 1)"),
        ("par <- f()", "par <- f()"),
        ("co, on <- f()", "co, on <- f()"),
        ("join <<- 1", "join <<- 1"),
        ("for: *u8", "for: *u8"),
        ("try: *u8", "try: *u8"),
        ("on(1)", "on(1)"),
        ("else = 1", "else = 1"),
        ("func = 1", "func = 1"),
        ("x = func", "x = func"),
        ("on on:\n  f()", "on on [f()]"),
        ("on via via via:\n  f()", "on via via via [f()]"),
        ("for p <- par par:\n  f()", "for p <- par par [f()]"),
        ("if if:\n  f()", "if if [f()]"),
        ("join join", "join join"),
        ("onion = forest", "onion = forest"),
    ],
)
def test_no_word_is_reserved(text, expected):
    check(text, expected)
