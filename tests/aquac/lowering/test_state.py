"""Tables of names: definition, resolution, scopes."""

from aquac.lowering.model import FieldP, L, V, ValueModel
from aquac.lowering.state import State
from aquac.semantics import types as t

STREAM = t.Stream(t.STRING)
USER = t.Struct("User", (("name", t.STRING),))
INNER = t.AbilityType("Inner", (("g", t.STRING),))
OUTER = t.AbilityType("Outer", (("f", t.STRING), ("inner", INNER)))


def check(values: dict[str, ValueModel], value: V, expected: ValueModel) -> None:
    assert State(values=values).resolve(value) == expected


def test_resolution_adds_properties_up() -> None:
    name = FieldP("name", t.STRING)
    check({}, V("x", USER), V("x", USER))
    check({"x": L("1", t.U8)}, V("x", t.U8), L("1", t.U8))
    check({"x": V("y", USER, (name,))}, V("x", t.STRING), V("y", USER, (name,)))
    check({"x": V("y", t.STRING), "y": V("z", USER, (name,))}, V("x", t.STRING), V("z", USER, (name,)))
    check({"x": V("y", t.U8), "y": L("7", t.U8)}, V("x", t.U8), L("7", t.U8))


def test_resolution_survives_names_that_point_at_each_other() -> None:
    check({"x": V("y", t.U8), "y": V("x", t.U8)}, V("x", t.U8), V("x", t.U8))
    check({"x": V("x", t.U8)}, V("x", t.U8), V("x", t.U8))


def test_fields_follow_an_ability() -> None:
    state = State(values={"a.f": V("value", t.STRING), "a.inner.g": L('"g"', t.STRING)})
    state.define("b", V("a", OUTER))
    assert state.values["b.f"] == V("value", t.STRING)
    assert state.values["b.inner.g"] == L('"g"', t.STRING)
    assert state.values["b"] == V("a", OUTER)
    assert "b.inner" not in state.values


def test_streams_opened_in_a_scope_are_closed_by_it() -> None:
    state = State()
    state.define("outer", V("outer", STREAM))
    with state.stream_scope() as opened:
        state.define("inner", V("inner", STREAM))
        state.define("alias", V("outer", STREAM))
    assert opened == [("inner", STREAM)]
    assert list(state.streams) == ["outer"]


def test_a_call_scope_gives_tables_back_and_keeps_streams() -> None:
    state = State(values={"x": L("1", t.U8)})
    with state.call_scope():
        assert state.values == {}
        state.define("s", V("s", STREAM))
    assert state.values == {"x": L("1", t.U8)}
    assert "s" in state.streams
