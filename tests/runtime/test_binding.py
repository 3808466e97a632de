"""Values of generated modules: data classes to JSON and back, directed by definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import trio

from runtime.binding import Service, _Values
from runtime.conversion import ConversionError, to_aqua

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
    assert VALUES.rich(plain, kind) == value


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
