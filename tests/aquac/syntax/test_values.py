"""Values: precedence, chains, literals, what is a call and what a record."""

from __future__ import annotations

import pytest

from aquac.syntax import ast
from tests.aquac.syntax.show import show, value


def check(text: str, expected: str) -> None:
    assert show(value(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "(+ 1 (* 2 3))"),
        ("1 - 2 - 3", "(- (- 1 2) 3)"),
        ("2 ** 3 ** 2", "(** 2 (** 3 2))"),
        ("2 * 3 ** 2 * 4", "(* (* 2 (** 3 2)) 4)"),
        ("a || b && c == d + 1", "(|| a (&& b (== c (+ d 1))))"),
        ("a > b == (b < a)", "(== (> a b) (< b a))"),
        ("a == b == c", "(== (== a b) c)"),
        ("!a && !b.c", "(&& (! a) (! b.c))"),
        ("!!a", "(! (! a))"),
        ("(1 + 2) * 3", "(* (+ 1 2) 3)"),
        ("n -1", "(- n 1)"),
        ("n-1", "(- n 1)"),
        ("n - -1", "(- n -1)"),
        ("2 ** -1", "(** 2 -1)"),
        ("a % 2", "(% a 2)"),
        ("a!=b", "(!= a b)"),
        ("xs! == 1", "(== xs! 1)"),
        ("1 <-1", "(< 1 -1)"),
    ],
)
def test_operators(text, expected):
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b[0].c(1)!", "a.b[0].c(1)!"),
        ("xss!1!2", "xss[1][2]"),
        ("xs[xs[0]][1]", "xs[xs[0]][1]"),
        ("xs [ 0 ]", "xs[0]"),
        ("(a.b).c", "(a.b).c"),
        ("f(1)[0]", "f(1)[0]"),
        ("A.B.c", "A.B.c"),
        ("A.B.c(1).d", "A.B.c(1).d"),
        ("A.b", "A.b"),
        ("a.B", "a.B"),
        ('"s".length', '"s".length'),
        ("5.length", "5.length"),
        ("5.5.length", "5.5.length"),
        ("[1, 2].length", "[1, 2].length"),
        ("p.copy(x = 1, y)", "p.copy<x=1, y>"),
        ("p.copy(1)", "p.copy(1)"),
        ("p.copy()", "p.copy()"),
        ("p . x", "p.x"),
    ],
)
def test_chains(text, expected):
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f()", "f()"),
        ("f (1, 2)", "f(1, 2)"),
        ("f{a, b.c}(x)", "f{a, b.c}(x)"),
        ("P(x = 1, y)", "P<x=1, y>"),
        ("P(x)", "P<x>"),
        ("A.B.P(x = 1).x", "A.B.P<x=1>.x"),
        ("[]!", "[]!"),
        ("[1, [2]]", "[1, [2]]"),
        ("?[a]", "?[a]"),
        ("*[a, b]", "*[a, b]"),
        ("f([], ?[], *[])", "f([], ?[], *[])"),
        ("on", "on"),
        ("f(on, if, via)", "f(on, if, via)"),
        ("string + data", "(+ string data)"),
    ],
)
def test_calls_records_collections(text, expected):
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0", "unsigned"),
        ("123456789012345678901234567890", "unsigned"),
        ("-0", "signed"),
        ("-17", "signed"),
        ("3.14", "float"),
        ("-2.05", "float"),
        ("true", "bool"),
        ("false", "bool"),
        ('"a -- b"', "string"),
        ('"a\\"', "string"),
        ('"żółć 😀"', "string"),
        ("%init_peer_id%", "string"),
    ],
)
def test_literals(text, kind):
    node = value(text)
    assert isinstance(node, ast.Literal)
    assert (node.text, node.kind) == (text, kind)


def test_names_that_begin_like_literals():
    assert isinstance(value("trueish"), ast.Variable)
    assert isinstance(value("nil"), ast.Variable)


def test_values_over_several_lines():
    check("f(\n  1, -- one\n  -- nothing\n\n  2\n)", "f(1, 2)")
    check("[1\n       , 2]", "[1, 2]")
    check("P(\n  x\n   =\n  1)", "P<x=1>")
    check("1 +\n    2 *\n    3", "(+ 1 (* 2 3))")
    check("1\n    + 2", "(+ 1 2)")
    check("(1 +\n    2)", "(+ 1 2)")
    check('"a\nb"', '"a\n  b"')
