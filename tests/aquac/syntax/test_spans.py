"""Anchor spans of §11.1: what a diagnostic about a node underlines."""

from __future__ import annotations

from typing import Any

import pytest

from aquac.records import field_names, is_record
from aquac.source import Span
from aquac.syntax import ast
from tests.aquac.syntax.show import parsed


def find(node: Any, kind: type) -> list[Any]:
    """Every node of a kind, outermost first."""
    if isinstance(node, tuple):
        return [found for part in node for found in find(part, kind)]
    if not is_record(node):
        return []
    here = [node] if isinstance(node, kind) else []
    return here + [found for name in field_names(node) for found in find(getattr(node, name), kind)]


def check(text: str, kind: type, *expected: str, attribute: str = "span") -> None:
    text = f"aqua M\n\n{text}"
    found = []
    for node in find(parsed(text), kind):
        span = getattr(node, attribute)
        assert isinstance(span, Span)
        found.append(text[span.start : span.end])
    assert found == list(expected)


def in_body(line: str) -> str:
    return f"func main():\n  {line}\n"


@pytest.mark.parametrize(
    ("line", "kind", "expected"),
    [
        ("x = a.b [ 0 ]!.m(1)!2", ast.Chain, ("a",)),
        ("x = a.b [ 0 ]!.m(1)!2", ast.IndexOp, (" [ 0 ]", "!", "!2")),
        ("x = a.b.m(1)", ast.FieldOp, ("b",)),
        ("x = a.b.m(1)", ast.MethodOp, ("m",)),
        ("x = a.copy(b = 1)", ast.CopyOp, ("copy",)),
        ("x = M.y.z", ast.Chain, ("M",)),
        ("x = a + (b * c)", ast.Infix, ("+", "*")),
        ("x = !a", ast.Not, ("!",)),
        ("x = f(g(1))", ast.Call, ("f", "g")),
        ("x = A.P(y = 1)", ast.Record, ("A.P",)),
        ("x = [?[1], *[2]]", ast.Collection, ("[", "?[", "*[")),
        ("x = (1)", ast.Literal, ("1",)),
        ("par f()", ast.Par, ("par",)),
        ("co f()", ast.Co, ("co",)),
        ("a, b <- c.d()", ast.CallStmt, ("c",)),
        ("s <<- 1", ast.Push, ("s",)),
        ('S "x"', ast.ServiceId, ("S",)),
        ("on a.b:\n    x = 1", ast.On, ("a",)),
        ("for x <- xs:\n    y = 1", ast.For, ("x",)),
        ("parseq x <- xs on x:\n    y = 1", ast.ParSeq, ("x",)),
        ("catch e:\n    y = 1", ast.Catch, ("e",)),
        ("else:\n    y = 1", ast.Else, ("else",)),
        ("otherwise:\n    y = 1", ast.Otherwise, ("otherwise",)),
        ("try:\n    y = 1", ast.Try, ("try",)),
        ("c = ( x: u8):\n    y = 1", ast.Signature, ("(", "( ")),
    ],
)
def test_statements_and_values(line, kind, expected):
    check(in_body(line), kind, *expected)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("alias A: []?*%u8\n", ast.CollectionType, ("[]", "?", "*", "%")),
        ("alias A: u8  ->  u8\n", ast.ArrowType, ("  ->  ",)),
        ("alias A: ->u8\n", ast.ArrowType, (" ->",)),
        ("alias A: M.T\n", ast.NamedType, ("M.T",)),
        ("data D:\n  a: u8\n", ast.Data, ("D",)),
        ("func  f():\n  x = 1\n", ast.Func, ("f",)),
        ("ability A:\n  f( x: u8) -> u8\n", ast.ArrowType, ("( ",)),
    ],
)
def test_types_and_definitions(text, kind, expected):
    check(text, kind, *expected)


@pytest.mark.parametrize(
    ("line", "kind", "expected"),
    [
        ("x = (a + b) * c", ast.Infix, ("(a + b) * c", "a + b")),
        ("x = a.b[0].m(1)", ast.Chain, ("a.b[0].m(1)",)),
        ("x = (a.b).c", ast.Chain, ("(a.b).c", "a.b")),
        ("x = A . b(1)", ast.Chain, ("A . b(1)",)),
        ("x = f( 1 )", ast.Call, ("f( 1 )",)),
        ("x = !(a)", ast.Not, ("!(a)",)),
    ],
)
def test_full_extents(line, kind, expected):
    check(in_body(line), kind, *expected, attribute="full")
