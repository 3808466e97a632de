"""Canonical JSON: values survive, numbers have the format's own rounding, errors have the reference's words."""

from __future__ import annotations

import json
import math
import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm.data.canonical_json import JsonError, dumps, equal, parse
from avm.data.json_number import NumberOutOfRangeError, parse_float
from avm.data.json_reader import read_json
from avm.limits import JSON_DEPTH_MAX
from tests.fuzz.json_texts import json_text
from tests.fuzz.targets import read_and_printed

NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


def check(text: str, expected: str) -> None:
    """`text` is stored as `expected`."""
    assert dumps(parse(text)) == expected


def check_error(text: str, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-0", "-0.0"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "1.8446744073709552e19"),
        ("-9223372036854775809", "-9.223372036854776e18"),
        ("1e15", "1000000000000000.0"),
        ("1e16", "1e16"),
        ("1e-5", "0.00001"),
        ("-1.25e-5", "-0.0000125"),
        ("1e-6", "1e-6"),
        ("-1.5E+300", "-1.5e300"),
        ("0e99999999999", "0.0"),
        ("1e-99999999999", "0.0"),
        ('{"b":1,"a":2,"b":3}', '{"a":2,"b":3}'),
        ('{"\\uffff":1,"\U00010000":2}', '{"\uffff":1,"\U00010000":2}'),
        (' [ 1 , "e+" , {} ]\n', '[1,"e+",{}]'),
        ('"\\u0001\\/\\ud83d\\ude00\u007f\u2028"', '"\\u0001/😀\x7f\u2028"'),
    ],
)
def test_stored_form(text: str, expected: str) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("[1,\n 2", "EOF while parsing a list at line 2 column 2"),
        ('{"a":1', "EOF while parsing an object at line 1 column 6"),
        ('{"a":1,}', "trailing comma at line 1 column 8"),
        ('{"a" 1}', "expected `:` at line 1 column 6"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ("{1:2}", "key must be a string at line 1 column 2"),
        ("nulL", "expected ident at line 1 column 4"),
        ('"\\ud800\\u0041"', "lone leading surrogate in hex escape at line 1 column 13"),
        ('"\\udc00"', "lone leading surrogate in hex escape at line 1 column 7"),
        ('"\\ud800x"', "unexpected end of hex escape at line 1 column 8"),
        ('"\\u12g4"', "invalid escape at line 1 column 6"),
        ('"\n"', "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0"),
        ('{"a":"\\ud800","a":1}', "unexpected end of hex escape at line 1 column 13"),
        ('"\\\\\\ud800\\ud83d\\ude00"', "lone leading surrogate in hex escape at line 1 column 15"),
        ("1e999", "number out of range at line 1 column 5"),
        ("1e99999999999", "number out of range at line 1 column 12"),
        ("-x", "invalid number at line 1 column 2"),
        ("1.x", "invalid number at line 1 column 3"),
        ("1ex", "invalid number at line 1 column 3"),
        ("NaN", "expected value at line 1 column 1"),
        ("é", "expected value at line 1 column 1"),
    ],
)
def test_errors(text: str, message: str) -> None:
    check_error(text, message)


def test_depth_limit_on_both_sides() -> None:
    deep = "[" * JSON_DEPTH_MAX + "]" * JSON_DEPTH_MAX
    check(deep, deep)
    check_error("[" + deep + "]", f"recursion limit exceeded at line 1 column {JSON_DEPTH_MAX + 1}")
    check_error(f'{{"a":{deep},"a":1}}', f"recursion limit exceeded at line 1 column {5 + JSON_DEPTH_MAX}")
    wide = "[" + ",".join(['{"[[[":[]}'] * 300) + "]"
    check(wide, wide)


def test_values_nested_deeper_than_the_parser_allows_are_printed() -> None:
    value: Any = 1.5e300
    for _ in range(100_000):
        value = [value]
    text = dumps(value)
    assert text == "[" * 100_000 + "1.5e300" + "]" * 100_000


@pytest.mark.slow
@given(VALUES)
def test_printing_loses_nothing(value: Any) -> None:
    assert equal(json.loads(dumps(value)), value)


@pytest.mark.slow
@given(VALUES)
def test_parsing_agrees_with_the_strict_reader(value: Any) -> None:
    text = json.dumps(value)
    assert equal(parse(text), read_json(text))


@given(st.text(alphabet='[]{},:"\\u0dD8c1e.-+ntrfals \n', max_size=30))
def test_fast_and_strict_parser_accept_the_same(text: str) -> None:
    assert read_and_printed(parse, text) == read_and_printed(read_json, text)


@pytest.mark.parametrize("seed", range(0, 4000, 500))
def test_fast_and_strict_parser_read_unusual_texts_alike(seed: int) -> None:
    for number in range(seed, seed + 500):
        text = json_text(random.Random(number))
        assert read_and_printed(parse, text) == read_and_printed(read_json, text), text


def by_the_book(text: str) -> float:
    """The number algorithm, digit by digit as it is specified."""
    negative = text.startswith("-")
    mantissa, _, exponent_text = text.lstrip("-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    significand = exponent = 0
    full = False
    for digit in whole:
        if not full and significand * 10 + int(digit) <= 2**64 - 1:
            significand = significand * 10 + int(digit)
        else:
            full = True
            exponent += 1
    for digit in fraction:
        if significand * 10 + int(digit) > 2**64 - 1:
            break
        significand = significand * 10 + int(digit)
        exponent -= 1
    exponent += int(exponent_text or 0)
    value = float(significand)
    while abs(exponent) > 308:
        if value == 0:
            break
        if exponent > 0:
            raise NumberOutOfRangeError(len(text))
        value /= 1e308
        exponent += 308
    else:
        value = value * float(f"1e{exponent}") if exponent >= 0 else value / float(f"1e{-exponent}")
    if math.isinf(value):
        raise NumberOutOfRangeError(len(text))
    return -value if negative else value


@given(
    st.sampled_from(["", "-"]),
    st.integers(0, 10**25),
    st.text("0123456789", min_size=1, max_size=25),
    st.none() | st.integers(-700, 400),
)
def test_floats_are_rounded_as_specified(sign: str, whole: int, fraction: str, exponent: int | None) -> None:
    text = f"{sign}{whole}.{fraction}" + ("" if exponent is None else f"e{exponent}")
    try:
        expected: bytes | None = struct.pack(">d", by_the_book(text))
    except NumberOutOfRangeError:
        expected = None
    try:
        actual: bytes | None = struct.pack(">d", parse_float(text))
    except NumberOutOfRangeError:
        actual = None
    assert actual == expected


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, False),
        (1, True, False),
        (0.0, -0.0, True),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, True),
        ({"a": [1]}, {"a": [1.0]}, False),
        ([1], [1, 2], False),
        ({"a": 1}, {"b": 1}, False),
        (2**64 - 1, float(2**64), False),
    ],
)
def test_equality_keeps_kinds_apart(left: Any, right: Any, same: bool) -> None:
    assert equal(left, right) is same


@pytest.mark.parametrize("shift", range(20))
@pytest.mark.parametrize("digits", [17, 18, 19, 20, 21, 400])
def test_long_integers_wherever_they_stand(digits: int, shift: int) -> None:
    """Integers that need care are noticed at every offset, also beside harmless ones."""
    for sign in ("", "-"):
        for digit in "19":
            text = f'{{"{"k" * shift}":[{sign}{digit * digits},7],"z":{"8" * 18}}}'
            expected = read_json(text) if digits < 309 else None
            if expected is None:
                with pytest.raises(JsonError):
                    parse(text)
            else:
                assert repr(parse(text)) == repr(expected)
    assert repr(parse(f'["{"k" * shift}",-0,0]')) == repr(read_json(f'["{"k" * shift}",-0,0]'))
