"""Values between Python and Aqua by the types of a definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.conversion import ConversionError, from_aqua, result_from_aqua, result_to_aqua, to_aqua, type_text


def scalar(name):
    return {"name": name, "tag": "scalar"}


def array(kind):
    return {"type": kind, "tag": "array"}


def option(kind):
    return {"type": kind, "tag": "option"}


def struct(**fields):
    return {"name": "S", "fields": fields, "tag": "struct"}


def product(*kinds):
    return {"items": list(kinds), "tag": "unlabeledProduct"} if kinds else {"tag": "nil"}


U8, I64, F64, STRING, BOOL = map(scalar, ("u8", "i64", "f64", "string", "bool"))
TOP, BOTTOM, NIL = {"tag": "topType"}, {"tag": "bottomType"}, {"tag": "nil"}

BOTH = [
    (5, U8, 5),
    (-1, I64, -1),
    (1.5, F64, 1.5),
    (2, F64, 2),
    ("x", STRING, "x"),
    (True, BOOL, True),
    ([], array(U8), []),
    ([1, 2], array(U8), [1, 2]),
    (None, option(U8), []),
    (3, option(U8), [3]),
    (None, option(option(U8)), []),
    ([None, 1], array(option(U8)), [[], [1]]),
    ({"a": 1, "b": None}, struct(a=U8, b=option(STRING)), {"a": 1, "b": []}),
    ([{"a": "x"}], array(struct(a=STRING)), [{"a": "x"}]),
    ({"free": [None, {}]}, TOP, {"free": [None, {}]}),
    (None, NIL, None),
]


@pytest.mark.parametrize(("value", "kind", "wire"), BOTH)
def test_both_ways(value, kind, wire):
    assert to_aqua(value, kind, "v") == wire
    assert from_aqua(wire, kind, "v") == value


def test_absent_fields():
    kind = struct(a=U8, b=option(STRING))
    assert to_aqua({"a": 1}, kind, "v") == {"a": 1, "b": []}
    assert from_aqua({"a": 1}, kind, "v") == {"a": 1, "b": None}
    with pytest.raises(ConversionError, match=r"v\.a: expected u8, got null"):
        to_aqua({"b": "x"}, kind, "v")


def test_surplus_fields_are_dropped():
    assert to_aqua({"a": 1, "z": 2}, struct(a=U8), "v") == {"a": 1}


def test_an_integral_float_is_an_integer():
    result = to_aqua(5.0, U8, "v")
    assert (result, type(result)) == (5, int)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (256, U8, "v: expected u8, got the number 256"),
        (-1, U8, "v: expected u8, got the number -1"),
        (1.5, U8, "v: expected u8, got the number 1.5"),
        (True, U8, "v: expected u8, got true"),
        ("1", U8, "v: expected u8, got the string '1'"),
        (2**63, I64, "v: expected i64"),
        (float("nan"), F64, "v: expected f64, got the number nan"),
        (1, STRING, "v: expected string, got the number 1"),
        (1, BOOL, "v: expected bool, got the number 1"),
        (None, STRING, "v: expected string, got null"),
        ({}, array(U8), r"v: expected \[\]u8, got an object"),
        ([1, "x"], array(U8), r"v\[1\]: expected u8, got the string 'x'"),
        ([1], struct(a=U8), r"v: expected S \(an object\), got an array of 1"),
        ({"a": [0, {"b": 1}]}, struct(a=array(struct(b=STRING))), r"v\.a\[0\]: expected S"),
        (1, BOTTOM, "v: expected no value, got the number 1"),
        (1, NIL, "v: expected nothing, got the number 1"),
        (object(), STRING, "v: expected string, got a value of type object"),
    ],
)
def test_refused(value, kind, message):
    with pytest.raises(ConversionError, match=message):
        to_aqua(value, kind, "v")


def test_answers_of_the_wrong_shape():
    for value, kind in ((1, array(U8)), (1, option(U8)), ([], struct(a=U8))):
        with pytest.raises(ConversionError):
            from_aqua(value, kind, "v")


def test_results():
    assert result_from_aqua([], product(), "r") is None
    assert result_from_aqua([[]], product(option(U8)), "r") is None
    assert result_from_aqua([1, ["x"]], product(U8, option(STRING)), "r") == [1, "x"]
    with pytest.raises(ConversionError, match="expected 2 results"):
        result_from_aqua([1], product(U8, U8), "r")
    assert result_to_aqua("ignored", product(), "r") is None
    assert result_to_aqua(None, product(option(U8)), "r") == []
    assert result_to_aqua((1, None), product(U8, option(U8)), "r") == [1, []]
    with pytest.raises(ConversionError, match="expected 2 values"):
        result_to_aqua([1], product(U8, U8), "r")


def test_type_texts():
    arrow = {
        "tag": "arrow",
        "domain": {"tag": "labeledProduct", "fields": {"x": array(U8), "y": option(TOP)}},
        "codomain": product(STRING, struct(a=U8)),
    }
    assert type_text(arrow) == "x: []u8, y: ?any value -> string, S"
    assert type_text({**arrow, "domain": NIL, "codomain": NIL}) == "nothing -> nothing"


KINDS = st.recursive(
    st.sampled_from([U8, I64, STRING, BOOL]),
    lambda inner: st.one_of(
        inner.map(array),
        inner.map(option),
        st.dictionaries(st.sampled_from("abc"), inner, min_size=1).map(lambda fields: struct(**fields)),
    ),
    max_leaves=6,
)


def values(kind):
    match kind["tag"]:
        case "array":
            return st.lists(values(kind["type"]), max_size=3)
        case "option":
            # An option of an option cannot tell nothing from an empty inner one, as in js-client.
            return values(kind["type"]) | st.none()
        case "struct":
            return st.fixed_dictionaries({name: values(field) for name, field in kind["fields"].items()})
        case _:
            return {
                "u8": st.integers(0, 255),
                "i64": st.integers(-(2**63), 2**63 - 1),
                "string": st.text(),
                "bool": st.booleans(),
            }[kind["name"]]


@given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind), values(kind))))
def test_round_trip(case):
    kind, value = case
    assert from_aqua(to_aqua(value, kind, "v"), kind, "v") == value
