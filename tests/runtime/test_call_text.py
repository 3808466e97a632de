"""The text of a call on the command line."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.call_text import DEPTH_MAX, LENGTH_MAX, CallText, CallTextError, parse_call

VARIABLES = {"x": 1, "user": {"name": "ann", "tags": ["a", "b"]}, "none": None}


def check(text, name, *arguments):
    assert parse_call(text, VARIABLES) == CallText(name, list(arguments))


def test_calls():
    check("f()", "f")
    check(" f ( ) ", "f")
    check('f("a", 1, -2.5, 1e3, true, false)', "f", "a", 1, -2.5, 1000.0, True, False)
    check("f(null, nil)", "f", None, None)
    check('f(?[], ?["x"])', "f", None, "x")
    check('f([1, [x], {"k": x, y: [none]}])', "f", [1, [1], {"k": 1, "y": [None]}])
    check("f(x, user, user.name, user.tags[1])", "f", 1, VARIABLES["user"], "ann", "b")
    check(r'f("a\"b\n\u00e9é")', "f", 'a"b\né\u00e9')


def test_a_bare_name():
    assert parse_call("f", VARIABLES) == CallText("f", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the name of a function, found the end"),
        ("1()", "expected the name of a function, found `1`"),
        ("true()", "expected the name of a function"),
        ("f(", "expected a value, found the end"),
        ("f(1", "expected `,` or `\\)`, found the end"),
        ("f(1,)", "expected a value, found `\\)`"),
        ("f(1) x", "expected the end, found `x`"),
        ("f(1 2)", "expected `,` or `\\)`, found `2`"),
        ('f("a)', "character 3: unexpected '\"'"),
        ("f('a')", 'character 3: unexpected "\'"'),
        ("f(01)", "leading zero"),
        ("f(y)", "variable `y` has no value \\(given: none, user, x\\)"),
        ("f(user.age)", "`user` has no field `age`"),
        ("f(user.tags[2])", "`user.tags` has no element 2"),
        ("f(user.tags[x])", "expected an index"),
        ("f(x.y)", "`x` has no field `y`"),
        ("f(?[1, 2])", "at most one value"),
        ("f({1: 2})", "expected a key"),
        ('f({"a" 2})', "expected `:`"),
        (r'f("\q")', "bad string"),
        ('f("a\nb")', "bad string"),
    ],
)
def test_what_is_no_call(text, message):
    with pytest.raises(CallTextError, match=message):
        parse_call(text, VARIABLES)


def test_limits():
    deep = "[" * DEPTH_MAX
    with pytest.raises(CallTextError, match=f"deeper than {DEPTH_MAX}"):
        parse_call(f"f({deep}[", {})
    with pytest.raises(CallTextError, match="longer than"):
        parse_call("f(" + " " * LENGTH_MAX, {})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(JSON, max_size=4))
def test_every_json_value_is_an_argument(values):
    text = ", ".join(map(json.dumps, values))
    assert parse_call(f"f({text})", {}) == CallText("f", values)


@given(st.text(max_size=60))
def test_any_text_is_a_call_or_an_error(text):
    for candidate in (text, f"f({text})"):
        with contextlib.suppress(CallTextError):
            parse_call(candidate, VARIABLES)
