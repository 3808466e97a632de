"""Relations of types: the recorded matrix of the reference, and laws that hold for all types."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquac.semantics import subtyping as s
from aquac.semantics.printing import show
from aquac.semantics.types import (
    BOTTOM,
    LITERALS,
    NIL_TYPE,
    SCALARS,
    STRING,
    TOP,
    U8,
    U16,
    AbilityType,
    Array,
    Arrow,
    Option,
    Scalar,
    ServiceType,
    Stream,
    StreamMap,
    Struct,
    Type,
)

MATRIX = Path(__file__).parents[2] / "conformance" / "data" / "aqua-check" / "types-matrix.json"


def arrow(*args: Type, to: tuple[Type, ...] = ()) -> Arrow:
    return Arrow(tuple((None, a) for a in args), to)


def data(name: str, **fields: Type) -> Struct:
    return Struct(name, tuple(sorted(fields.items())))


LABELLED = Arrow((("x", U8),), (U8,))
NAMED: dict[str, Type] = {
    "D0": data("D0", a=U8),
    "D": data("D", a=U8, b=STRING),
    "D2": data("D2", a=U8, b=STRING, c=U8),
    "Dw": data("Dw", a=U16, b=STRING),
    "Dm": data("Dm", a=U16, b=U8),
    "A1": AbilityType("A1", (("a", U8),)),
    "A2": AbilityType("A2", (("a", U8), ("f", LABELLED))),
    "S1": ServiceType("S1", (("f", LABELLED),)),
    "F": arrow(U8, to=(U8,)),
    "F0": arrow(to=(U8,)),
    "Fn": arrow(U8),
    "Fw": arrow(U16, to=(U8,)),
    "Fr": arrow(U8, to=(U16,)),
    "F2": arrow(U8, U8, to=(U8,)),
    "Fm": arrow(U8, to=(U8, STRING)),
}
"""The types of the matrix's prelude."""

MIXED_KINDS = {("A1", "D0"), ("D0", "A1")}
"""The reference lets data pass for an ability with the same fields and fails later; refused here on purpose."""


def parsed(text: str) -> Type:
    """A type as the matrix writes it."""
    match text:
        case "nil" | "[]":
            return NIL_TYPE
        case "*[]":
            return Stream(BOTTOM)
        case "⊤":
            return TOP
        case "⊥":
            return BOTTOM
    for prefix, collection in (("[lit:", Array), ("?[lit:", Option), ("*[lit:", Stream)):
        if text.startswith(prefix):
            return collection(LITERALS[text[len(prefix) : -1]])
    if text.startswith("lit:"):
        return LITERALS[text[4:]]
    for prefix, collection in (("[]", Array), ("?", Option), ("*", Stream)):
        if text.startswith(prefix):
            return collection(parsed(text[len(prefix) :]))
    return SCALARS.get(text) or NAMED[text]


@cache
def matrix() -> Any:
    return json.loads(MATRIX.read_text(encoding="utf-8"))


def test_argument_passing_as_recorded() -> None:
    table = matrix()["accepts"]
    different = {
        (expected, given)
        for given, row in table["given"].items()
        for expected, cell in zip(table["expected"], row, strict=True)
        if s.accepts(parsed(expected), parsed(given)) is not (cell == "1")
    }
    assert different == MIXED_KINDS


def operator(kind: str, left: Type, right: Type) -> str | None:
    """What the reference prints for a binary construct; None for an error."""
    numbers = s.INTEGERS
    match kind:
        case "array_of":
            if not all(s.is_data(t) or isinstance(t, Stream) for t in (left, right)):
                return None
            return f"[]{show(s.element_type([left, right]))}"
        case "eq":
            return "ok" if s.comparable(left, right) else None
        case "gt":
            return "ok" if s.accepts_any(numbers, left) and s.accepts_any(numbers, right) else None
        case "mul" if s.takes_float(left) or s.takes_float(right):
            return "i64" if s.accepts_any(s.FLOATS, left) and s.accepts_any(s.FLOATS, right) else None
    rights = s.UNSIGNED_INTEGERS if kind == "pow" else numbers
    if not (s.accepts_any(numbers, left) and s.accepts_any(rights, right)):
        return None
    result, exact = s.math_type(left, right)
    return ("" if exact else "warning:") + show(result)


@pytest.mark.parametrize("kind", ["array_of", "add", "mul", "pow", "gt", "eq"])
def test_operators_as_recorded(kind: str) -> None:
    table = matrix()[kind]
    only_passed = {"[]", "[lit:signed]", "*[lit:unsigned]", "*[]"}
    operands = [*matrix()["accepts"]["expected"], *(x for x in matrix()["literals"] if x not in only_passed)]
    types = {text: parsed(text) for text in operands}
    different = [
        (left, right)
        for left in operands
        for right in operands
        if operator(kind, types[left], types[right]) != table.get(left, {}).get(right)
    ]
    assert different == []


def leaves() -> st.SearchStrategy[Type]:
    return st.sampled_from([*SCALARS.values(), *LITERALS.values(), TOP, BOTTOM])


def types() -> st.SearchStrategy[Type]:
    def compound(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
        fields = st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3)
        return st.one_of(
            inner.map(Array),
            inner.map(Option),
            inner.map(Stream),
            inner.map(StreamMap),
            fields.map(lambda f: data("D", **f)),
            fields.map(lambda f: AbilityType("A", tuple(sorted(f.items())))),
            st.tuples(st.lists(inner, max_size=2), st.lists(inner, max_size=2)).map(
                lambda p: arrow(*p[0], to=tuple(p[1]))
            ),
        )

    return st.recursive(leaves(), compound, max_leaves=8)


@given(types())
def test_every_type_equals_itself(t: Type) -> None:
    assert s.compare(t, t) == 0
    assert s.meet(t, t) == t
    assert s.join(t, t) == t


@given(types(), types())
def test_top_and_bottom_bound_everything(left: Type, right: Type) -> None:
    assert s.accepts(TOP, left)
    assert s.accepts(left, BOTTOM)
    assert s.accepts(Array(TOP), Array(right))


@given(leaves(), leaves())
def test_order_of_scalars_and_literals_is_antisymmetric(left: Type, right: Type) -> None:
    order, reverse = s.compare(left, right), s.compare(right, left)
    assert reverse == (None if order is None else -order)


@given(st.sampled_from(list(SCALARS.values())), st.sampled_from(list(SCALARS.values())))
def test_scalars_meet_below_and_join_above(left: Scalar, right: Scalar) -> None:
    below, above = s.meet(left, right), s.join(left, right)
    assert s.accepts(left, below)
    assert s.accepts(right, below)
    assert s.accepts(above, left)
    assert s.accepts(above, right)
    assert s.meet(right, left) == below
    assert s.join(right, left) == above


def chain(first: Type, length: int) -> Iterator[Struct]:
    """Data types each holding the one before twice: 2^length fields when written out."""
    t = first
    for i in range(length):
        t = data(f"T{i}", x=t, y=t)
        yield t


def test_comparison_of_shared_types_is_not_exponential() -> None:
    narrow, wide = list(chain(U8, 60))[-1], list(chain(U16, 60))[-1]
    assert s.accepts(wide, narrow)
    assert not s.accepts(narrow, wide)


def test_stream_maps_accept_only_stream_maps() -> None:
    assert s.accepts(StreamMap(U16), StreamMap(U8))
    for other in (Stream(U8), Array(U8), Option(U8), NIL_TYPE):
        assert not s.accepts(StreamMap(U8), other)
        assert not s.accepts(other, StreamMap(U8))


def test_a_narrower_argument_with_the_same_fields_is_unrelated() -> None:
    narrow, wide = data("N", b=U8), data("W", b=U16)
    assert s.accepts(wide, narrow)
    assert s.compare(narrow, wide) is None
    assert not s.accepts(arrow(narrow), arrow(wide))
    assert s.accepts(arrow(U8), arrow(U16))
