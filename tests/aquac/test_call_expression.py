"""Calls given as text: what is accepted, how JSON values are typed, how arguments are checked."""

from __future__ import annotations

import pytest

from aquac.call_expression import CallError, CallExpression, check_arguments, json_type, parse_call, with_data
from aquac.semantics import raw
from aquac.semantics import types as t


def check(text, function, *args):
    assert parse_call(text) == CallExpression(function, args)


def refused(text, *words):
    with pytest.raises(CallError) as error:
        parse_call(text)
    for word in words:
        assert word in str(error.value)


def literal(text, type_):
    return raw.Literal(text, type_)


def test_forms():
    check("f()", "f")
    check("  f( x , 5 ) ", "f", raw.Var("x", t.BOTTOM), literal("5", t.UNSIGNED))
    check(
        'f("a b", -1, 1.5, true)',
        "f",
        literal('"a b"', t.STRING_LITERAL),
        literal("-1", t.SIGNED),
        literal("1.5", t.FLOAT),
        literal("true", t.BOOL_LITERAL),
    )
    check("Echo.say(x)", "Echo.say", raw.Var("x", t.BOTTOM))
    check("f([])", "f", raw.NIL)
    items = (literal('"a"', t.STRING_LITERAL), literal('"b"', t.STRING_LITERAL))
    check('f(["a", "b"])', "f", raw.Coll(items, t.Array(t.STRING_LITERAL)))


@pytest.mark.parametrize(
    "text",
    ["", "f", "f(", "x <- f()", "f()\n  g()", "f() + 1", 'f(g("a"))', "f(a.b)", "f([x])", 'f([1, "a"])', "f(a == b)"],
)
def test_everything_else_is_refused(text):
    refused(text)


def test_a_refusal_says_what_to_do():
    refused("f(g())", "compute it in a function")
    refused('f([1, "a"])', "one type")


def test_types_of_json_values():
    assert json_type("x", "s") == t.STRING_LITERAL
    assert json_type("x", True) == t.BOOL_LITERAL
    assert json_type("x", 1.5) == json_type("x", 1) == t.NUMBER
    assert json_type("x", None) == t.BOTTOM
    assert json_type("x", []) == t.Array(t.BOTTOM)
    assert json_type("x", [1, 2]) == t.Array(t.NUMBER)
    assert json_type("x", [1, None]) == t.Array(t.Option(t.NUMBER))
    assert json_type("x", [[], ["a"]]) == t.Array(t.Array(t.STRING_LITERAL))
    assert json_type("x", {"b": 1, "a": "s"}) == t.Struct("", (("a", t.STRING_LITERAL), ("b", t.NUMBER)))


def test_items_of_an_array_are_widened_field_by_field():
    assert json_type("x", [{"a": 1, "b": [1]}, {"a": 2}, {"c": "s"}]) == t.Array(
        t.Struct(
            "",
            (("a", t.Option(t.NUMBER)), ("b", t.Array(t.NUMBER)), ("c", t.Option(t.STRING_LITERAL))),
        )
    )


def test_items_without_a_common_type_are_refused():
    with pytest.raises(CallError, match="items of array xs"):
        json_type("xs", [1, "a"])


def arguments(text, data, *expected):
    check_arguments(with_data(parse_call(text), data), t.Arrow(tuple((f"p{i}", e) for i, e in enumerate(expected)), ()))


POINT = t.Struct("Point", (("x", t.I32), ("y", t.Option(t.I32))))

GOOD = [
    ("f(x)", {"x": 5}, (t.U32,)),
    ("f(x)", {"x": 5}, (t.F64,)),
    ("f(x, x)", {"x": "a"}, (t.STRING, t.STRING)),
    ("f(x)", {"x": "a"}, (t.Option(t.STRING),)),
    ("f(x)", {"x": None}, (t.Option(t.STRING),)),
    ("f(x)", {}, (t.Option(t.STRING),)),
    ("f(x)", {"x": []}, (t.Array(t.STRING),)),
    ("f(x)", {"x": ["a"]}, (t.Array(t.STRING),)),
    ("f(x)", {"x": ["a"]}, (t.Stream(t.STRING),)),
    ("f(x)", {"x": {"x": 1, "y": 2}}, (POINT,)),
    ("f(x)", {"x": {"x": 1}}, (POINT,)),
    ("f(x)", {"x": [{"x": 1}, {"x": 1, "y": 3}]}, (t.Array(POINT),)),
    ("f(x)", {"x": {}}, (t.Struct("O", (("a", t.Option(t.U8)),)),)),
    ("f([])", None, (t.Array(t.U8),)),
    ("f([1])", None, (t.Array(t.U8),)),
]


@pytest.mark.parametrize(("text", "data", "expected"), GOOD)
def test_arguments_that_fit(text, data, expected):
    arguments(text, data, *expected)


BAD = [
    ("f()", {}, (t.U32,), "takes 1 arguments, 0 given"),
    ("f(x)", None, (t.U32,), "no data given for x"),
    ("f(x)", {"x": "a"}, (t.U32,), "x has type string literal, u32 is expected"),
    ('f("a")', None, (t.U32,), "p0 has type"),
    ("f(x)", {"x": {"y": 2}}, (POINT,), "missing field x.x"),
    ("f(x)", {"x": {"x": "s"}}, (POINT,), "x.x has type"),
    ("f(x)", {"x": ["a"]}, (t.Array(t.U8),), "x has type []string literal, []u8 is expected"),
    ("f(x)", {"x": 1}, (t.Array(t.U8),), "[]u8 is expected"),
]


@pytest.mark.parametrize(("text", "data", "expected", "message"), BAD)
def test_arguments_that_do_not_fit(text, data, expected, message):
    with pytest.raises(CallError) as error:
        arguments(text, data, *expected)
    assert message in str(error.value)
