"""Values of generated modules: data classes to JSON and back, directed by definitions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from runtime.binding import Service, _Values
from runtime.conversion import ConversionError, from_aqua, to_aqua

U8 = {"tag": "scalar", "name": "u8"}
STRING = {"tag": "scalar", "name": "string"}


def option(kind: Any) -> Any:
    return {"tag": "option", "type": kind}


def array(kind: Any) -> Any:
    return {"tag": "array", "type": kind}


def product(*kinds: Any) -> Any:
    return {"tag": "unlabeledProduct", "items": list(kinds)} if kinds else {"tag": "nil"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    class_: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    inner: Inner | None = None
    many: list[Inner]


INNER = {"tag": "struct", "name": "Inner", "fields": {"class": U8}}
OUTER = {"tag": "struct", "name": "Outer", "fields": {"inner": option(INNER), "many": array(INNER)}}
VALUES = _Values({"Inner": Inner, "Outer": Outer})


def check(value: Any, kind: Any, plain: Any) -> None:
    """The value is `plain` as JSON, and comes back from it."""
    assert VALUES.plain(value, kind) == plain
    assert VALUES.rich(plain, kind, "x") == value


def test_both_ways() -> None:
    check(3, U8, 3)
    check(None, option(INNER), None)
    check(Inner(class_=1), option(INNER), {"class": 1})
    check(Outer(inner=Inner(class_=1), many=[Inner(class_=2)]), OUTER, {"inner": {"class": 1}, "many": [{"class": 2}]})
    check([[Inner(class_=1)], []], array(array(INNER)), [[{"class": 1}], []])
    check(("a", Inner(class_=1)), product(STRING, INNER), ["a", {"class": 1}])
    check({"any": [None]}, {"tag": "topType"}, {"any": [None]})


@pytest.mark.parametrize("value", [Outer(many=[]), 5, None, [1]])
def test_a_value_of_another_type_is_reported_by_its_place(value: Any) -> None:
    with pytest.raises(ConversionError, match=r"^f, argument `x`"):
        to_aqua(VALUES.plain(value, INNER), INNER, "f, argument `x`")


def test_objects_may_be_given_for_data() -> None:
    assert VALUES.plain({"class": 1}, INNER) == {"class": 1}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (U8, [0, 300, -1, 5.0], ["5", True, None, 1.5, []]),
        ({"tag": "scalar", "name": "i64"}, [-1], [1e300 + 0.5j]),
        ({"tag": "scalar", "name": "f32"}, [1, 1.5], ["1", False]),
        ({"tag": "scalar", "name": "bool"}, [True, False], [0, "true", None]),
        (STRING, ["", "x"], [1, None, ["x"]]),
    ],
)
def test_scalars_of_a_program_have_their_kind(kind: Any, good: list[Any], bad: list[Any]) -> None:
    """Their width is not looked at: programs compute as they like."""
    for value in good:
        assert VALUES.rich(value, kind, "x") == value
        assert type(VALUES.rich(value, kind, "x")) is (int if value == 5.0 else type(value))
    for value in bad:
        with pytest.raises(ConversionError, match=f"^x: expected {kind['name']}, got "):
            VALUES.rich(value, kind, "x")


def test_a_scalar_of_another_kind_is_reported_by_its_place() -> None:
    plain = {"inner": None, "many": [{"class": 1}, {"class": "y"}]}
    with pytest.raises(ConversionError, match=r"^f, result\.many\[1\]\.class: expected u8, got the string 'y'"):
        VALUES.rich(plain, OUTER, "f, result")
    with pytest.raises(ConversionError, match=r"^f\[1\]: expected string"):
        VALUES.rich(["a", 1], product(STRING, STRING), "f")
    plain["many"] = [{"class": "y"}]
    with pytest.raises(ConversionError, match=r"^x\.many\[0\]\.class"):
        _Values({}).rich(plain, OUTER, "x")


def run(method: Any, arrow: Any, values: list[Any]) -> Any:
    async def main() -> Any:
        return await VALUES.callback(method, arrow, "cb")(values)

    return trio.run(main)


def test_callbacks() -> None:
    async def later(x: Inner) -> Inner:
        return Inner(class_=x.class_ + 1)

    arrow = {"tag": "arrow", "domain": product(INNER), "codomain": product(INNER)}
    assert run(later, arrow, [{"class": 1}]) == {"class": 2}
    assert run(lambda x: x, arrow, [{"class": 1}]) == {"class": 1}
    seen: list[Any] = []
    assert run(seen.append, {**arrow, "codomain": product()}, [{"class": 1}]) is None
    assert seen == [Inner(class_=1)]
    with pytest.raises(ConversionError, match="cb, result: expected Inner"):
        run(lambda _: None, arrow, [{"class": 1}])
    with pytest.raises(ConversionError, match="cb: expected 1 arguments"):
        run(later, arrow, [])
    with pytest.raises(ConversionError, match=r"cb, argument `arg0`: expected Inner"):
        run(later, arrow, ["x"])


def test_a_service_says_what_it_lacks() -> None:
    arrow = {"tag": "arrow", "domain": product(U8), "codomain": product(STRING)}
    service = Service(
        name="S",
        methods={"class": "class_"},
        definition={"functions": {"tag": "labeledProduct", "fields": {"class": arrow}}},
        data={},
    )
    with pytest.raises(TypeError, match="no method `class_`; service S declares `class: u8 -> string`"):
        service.register(None, object(), "s")  # type: ignore[arg-type]


# ── all types ────────────────────────────────────────────────────────────────────────────────────────────────────────

_INTEGER = {"u8": (0, 255), "i8": (-128, 127), "u64": (0, 2**64 - 1), "i64": (-(2**63), 2**63 - 1)}
SCALARS: dict[str, Any] = {
    **{name: st.integers(*bounds) for name, bounds in _INTEGER.items()},
    "f64": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.text(),
    "bool": st.booleans(),
}
KINDS = st.recursive(
    st.sampled_from(sorted(SCALARS)).map(lambda name: {"tag": "scalar", "name": name}),
    lambda inner: st.one_of(
        inner.filter(lambda kind: kind["tag"] != "option").map(option),  # Python has one None for all of them
        inner.map(array),
        st.lists(inner, min_size=1, max_size=3).map(lambda kinds: product(*kinds)),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda kinds: {"tag": "struct", "name": "S", "fields": {f"f{at}": kind for at, kind in enumerate(kinds)}}
        ),
    ),
    max_leaves=6,
)


def values(kind: Any) -> Any:
    """Python values of a type, data as dicts."""
    match kind["tag"]:
        case "scalar":
            return SCALARS[kind["name"]]
        case "option":
            return st.none() | values(kind["type"])
        case "array":
            return st.lists(values(kind["type"]), max_size=3)
        case "unlabeledProduct":
            return st.tuples(*map(values, kind["items"]))
        case _:
            return st.fixed_dictionaries({label: values(member) for label, member in kind["fields"].items()})


@given(st.data(), KINDS)
def test_every_value_survives_the_way_to_a_program_and_back(data: Any, kind: Any) -> None:
    value = data.draw(values(kind))
    there = json.loads(json.dumps(to_aqua(_Values({}).plain(value, kind), kind, "x")))
    assert _Values({}).rich(from_aqua(there, kind, "x"), kind, "x") == value
