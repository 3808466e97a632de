"""Names that trees define, use and capture."""

from aquac.lowering.names import PAIR_ITEM, captured, defines, free, value_names
from aquac.semantics import types as t
from aquac.semantics.raw import (
    AbilityLit,
    ArrowProp,
    AssignTag,
    Bin,
    Call,
    CallExport,
    CallTag,
    ClosureTag,
    Coll,
    CopyProp,
    DeclareTag,
    ForTag,
    FuncArrow,
    IndexProp,
    Literal,
    NextTag,
    NotOp,
    Prop,
    PushTag,
    RawValue,
    ReturnTag,
    SeqTag,
    StreamLit,
    StructLit,
    Var,
)

S = t.STRING
USER = t.Struct("User", (("name", S),))
ABILITY = t.AbilityType("A", (("name", S),))
NONE = t.Arrow((), ())


def var(name: str, of: t.Type = S) -> Var:
    return Var(name, of)


def check(value: RawValue, expected: str) -> None:
    assert value_names(value) == set(expected.split())


def test_names_of_values() -> None:
    check(Literal("1", t.UNSIGNED), "")
    check(Prop(var("a"), IndexProp(var("i"), S)), "a i")
    check(Prop(var("a"), ArrowProp("m", NONE, (var("x"),), NONE)), "a x")
    check(Prop(var("a", USER), CopyProp((("name", var("x")),), USER)), "a x")
    check(Coll((var("x"), var("y")), t.Array(S)), "x y")
    check(StreamLit((var("x"),), "anon", t.Stream(S)), "x anon")
    check(StructLit((("name", var("x")),), USER), "x")
    check(AbilityLit((("name", var("x")),), ABILITY), "x")
    check(NotOp(Bin("eq", var("x"), var("y"), t.BOOL), t.BOOL), "x y")
    check(Call("g", (var("x"),), NONE, NONE), "g x")


def loop(item: str, value_item: str | None = None) -> ForTag:
    body = SeqTag((CallTag((), Call("g", (var(item), var("z")), NONE, NONE)), NextTag(item)))
    return ForTag(item, value_item, var("xs", t.Array(S)), "seq", body)


def test_defines_in_document_order() -> None:
    closure = FuncArrow(NONE, (), AssignTag(var("b"), "inner"))
    tree = SeqTag(
        (DeclareTag("s", t.Stream(S)), AssignTag(var("a"), "x"), loop("k", "v"), ClosureTag("c", closure, False))
    )
    assert list(defines(tree)) == ["s", "x", PAIR_ITEM, "k", "v", "c"]
    assert [name for name, declared in defines(tree).items() if declared] == ["s"]


def test_free_names() -> None:
    tree = SeqTag(
        (AssignTag(var("a"), "x"), loop("i"), PushTag(var("x"), None, "s", t.Stream(S)), ReturnTag((var("r"),)))
    )
    assert free(tree) == {"a", "xs", "g", "z", "s", "r", "i"}


def test_existing_exports_are_used_not_defined() -> None:
    tree = CallTag((CallExport("s", t.Stream(S), True), CallExport("x", S, False)), Call("g", (), NONE, NONE))
    assert list(defines(tree)) == ["x"]
    assert free(tree) == {"g", "s"}


def test_captures_look_through_closures() -> None:
    inner = FuncArrow(t.Arrow((("p", S),), ()), (), CallTag((), Call("g", (var("p"), var("q")), NONE, NONE)))
    outer = FuncArrow(t.Arrow((("q", S),), ()), (), SeqTag((ClosureTag("c", inner, False), AssignTag(var("z"), "y"))))
    assert captured(inner) == {"g", "q"}
    assert captured(outer) == {"g", "z"}
