"""Shapes of Raw trees and the names in them (spec aqua-to-air §2)."""

import pytest

from aquac.semantics import raw
from aquac.semantics.types import (
    BOOL,
    BOTTOM,
    ERROR,
    FLOAT,
    I64,
    SIGNED,
    STRING,
    STRING_LITERAL,
    U8,
    U32,
    UNSIGNED,
    Array,
    Canon,
    Option,
    Stream,
    Struct,
)

from .programs import MAIN, accepted, checked, func

PRELUDE = """aqua Main

data P:
  b: u8
  a: string

ability Ab:
  f(x: u8) -> u8

service S("id"):
  get(x: u8) -> u8
  go()

service Q:
  get(x: u8) -> u8
  go()

func one(x: u8) -> u8:
  <- x

"""


def body(text: str, args: str = "b: bool, xs: []u8, s: string, p: P", results: str = "") -> raw.FuncArrow:
    return func(accepted(f"{PRELUDE}func f({args}){results}:\n{text}"))


def shape(tree: raw.Tree) -> object:
    """Names of tags with their children; leaves by name only."""
    match tree:
        case raw.SeqTag(children) | raw.ParTag(children) | raw.TryTag(children) | raw.IfTag(_, children):
            return (_name(tree), *map(shape, children))
        case raw.DetachTag(child) | raw.OnTag(child=child):
            return (_name(tree), shape(child))
        case raw.ForTag(item, _, _, mode, child):
            return (f"For {item} {mode}", shape(child))
        case raw.NextTag(item):
            return f"Next {item}"
        case raw.AssignTag(_, name):
            return f"Assign {name}"
        case _:
            return _name(tree)


def _name(tree: raw.Tree) -> str:
    return type(tree).__name__.removesuffix("Tag")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  S.go()\n", "Call"),
        ("  a = 1\n  c = 2\n", ("Seq", "Assign a", "Assign c")),
        ("  S.go()\n  par S.go()\n  par S.go()\n", ("Par", "Call", "Call", "Call")),
        ("  a = 1\n  S.go()\n  par S.go()\n", ("Seq", "Assign a", ("Par", "Call", "Call"))),
        ("  co S.go()\n", ("Detach", "Call")),
        ("  if b:\n    S.go()\n  else:\n    a = 1\n    c = 2\n", ("If", "Call", ("Seq", "Assign a", "Assign c"))),
        ("  try:\n    S.go()\n  catch e:\n    a = 1\n", ("Try", "Call", ("Seq", "Assign e", "Assign a"))),
        (
            "  try:\n    S.go()\n  catch e:\n    a = 1\n    c = 2\n",
            ("Try", "Call", ("Seq", "Assign e", ("Seq", "Assign a", "Assign c"))),
        ),
        ("  S.go()\n  otherwise:\n    S.go()\n", ("Try", "Call", "Call")),
        ("  S.go()\n  par S.go()\n  otherwise:\n    S.go()\n", ("Try", ("Par", "Call", "Call"), "Call")),
        ("  on s:\n    S.go()\n", ("On", "Call")),
        ("  for x <- xs:\n    S.go()\n", ("For x seq", ("Seq", "Call", "Next x"))),
        ("  for x <- xs try:\n    S.go()\n", ("For x try", ("Try", "Call", "Next x"))),
        ("  for x <- xs par:\n    S.go()\n", ("Detach", ("For x par", ("Par", "Call", "Next x")))),
        ("  for x <- xs rec:\n    S.go()\n", ("Detach", ("For x rec", ("Par", "Call", "Next x")))),
        ("  parseq x <- [s] on x:\n    S.go()\n", ("For x par", ("Par", ("On", "Call"), "Next x"))),
        ("  st: *u8\n  st <<- 1\n  join xs[0]\n", ("Seq", "Declare", "Push", "Join")),
        ("  S.go()\n  par on s:\n    S.go()\n", ("Par", "Call", ("On", "Call"))),
    ],
)
def test_tree(text: str, expected: object) -> None:
    assert shape(body(text).body) == expected


def test_parseq_goes_through_the_relay() -> None:
    tree = body("  parseq x <- [s] on x via s:\n    S.go()\n").body
    assert isinstance(tree, raw.ForTag)
    assert isinstance(tree.child, raw.ParTag)
    on = tree.child.children[0]
    assert isinstance(on, raw.OnTag)
    assert (on.strategy, on.via) == ("relay", (raw.Var("s", STRING),))


def test_join_keeps_distinct_values() -> None:
    tree = body("  join xs[0], s, xs[0], xs[1]\n").body
    assert isinstance(tree, raw.JoinTag)
    assert len(tree.values) == 3


def test_results_into_a_stream_are_existing() -> None:
    tree = body("  st: *u8\n  st <- one(1)\n  a <- one(1)\n").body
    assert isinstance(tree, raw.SeqTag)
    exports = [t.exports[0] for t in tree.children if isinstance(t, raw.CallTag)]
    assert exports == [raw.CallExport("st", Stream(U8), existing=True), raw.CallExport("a", U8, existing=False)]


def assigned(expression: str, args: str = "b: bool, xs: []u8, s: string, p: P") -> raw.RawValue:
    tree = body(f"  v = {expression}\n", args).body
    assert isinstance(tree, raw.AssignTag)
    return tree.value


P = Struct("P", (("a", STRING), ("b", U8)))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1", raw.Literal("1", UNSIGNED)),
        ("%init_peer_id%", raw.Literal("%init_peer_id%", STRING_LITERAL)),
        ("PARTICLE_TTL", raw.Var("PARTICLE_TTL", U32)),
        ("xs!", raw.Prop(raw.Var("xs", Array(U8)), raw.IndexProp(raw.Literal("0", UNSIGNED), U8))),
        ("xs!2", raw.Prop(raw.Var("xs", Array(U8)), raw.IndexProp(raw.Literal("2", UNSIGNED), U8))),
        ("xs.length", raw.Prop(raw.Var("xs", Array(U8)), raw.FunctorProp("length", U32))),
        ("[1, -1]", raw.Coll((raw.Literal("1", UNSIGNED), raw.Literal("-1", SIGNED)), Array(UNSIGNED))),
        ("?[s]", raw.Coll((raw.Var("s", STRING),), Option(STRING))),
        ("*[s]", raw.StreamLit((raw.Var("s", STRING),), "stream-anon-0", Stream(STRING))),
        ("xs == []", raw.Bin("eq", raw.Var("xs", Array(U8)), raw.NIL, BOOL)),
        (
            'P(b = 1, a = "x", extra = 2)',
            raw.StructLit(
                (
                    ("a", raw.Literal('"x"', STRING_LITERAL)),
                    ("b", raw.Literal("1", UNSIGNED)),
                    ("extra", raw.Literal("2", UNSIGNED)),
                ),
                P,
            ),
        ),
        (
            'p.copy(b = 1, a = "x")',
            raw.Prop(
                raw.Var("p", P),
                raw.CopyProp((("a", raw.Literal('"x"', STRING_LITERAL)), ("b", raw.Literal("1", UNSIGNED))), P),
            ),
        ),
        ("1.5 * 2.5", raw.Bin("fmul", raw.Literal("1.5", FLOAT), raw.Literal("2.5", FLOAT), I64)),
    ],
)
def test_value(expression: str, value: raw.RawValue) -> None:
    contexts, found = checked(f"{PRELUDE}func f(b: bool, xs: []u8, s: string, p: P):\n  v = {expression}\n")
    assert [d.code.id for d in found] == (["AQ0902"] if "extra" in expression else [])
    tree = func(contexts[MAIN]).body
    assert isinstance(tree, raw.AssignTag)
    assert tree.value == value


def test_operators_nest_to_the_left() -> None:
    value = assigned("1 + 2 * 3 - 4")
    assert isinstance(value, raw.Bin)
    assert value.op == "sub"
    assert isinstance(value.left, raw.Bin)
    assert value.left.op == "add"
    assert isinstance(value.left.right, raw.Bin)
    assert value.left.right.op == "mul"


def test_calls_name_functions_and_methods_are_properties() -> None:
    call = assigned("one(1)")
    assert isinstance(call, raw.Call)
    assert (call.name, call.type) == ("one", U8)
    method = assigned("S.get(1)")
    assert isinstance(method, raw.Prop)
    assert isinstance(method.prop, raw.ArrowProp)
    assert isinstance(method.value, raw.Var)
    assert method.value.name == "S"


def test_service_instances_are_numbered_through_the_module() -> None:
    context = accepted(
        PRELUDE
        + 'func f():\n  Q "a"\n  Q.go()\n  on "p":\n    Q "b"\n    Q.go()\n  Q.go()\n\n'
        + 'func g():\n  Q "c"\n  Q.go()\n'
    )
    names: list[str] = []

    def walk(tree: raw.Tree) -> None:
        match tree:
            case raw.SeqTag(children):
                for child in children:
                    walk(child)
            case raw.OnTag(child=child):
                walk(child)
            case raw.ServiceIdTag(name=name):
                names.append(f"id {name}")
            case raw.CallTag(call=raw.Prop(value=raw.Var(name))):
                names.append(name)

    walk(func(context, "f").body)
    walk(func(context, "g").body)
    assert names == ["id Q-0", "Q-0", "id Q-1", "Q-1", "Q-0", "id Q-2", "Q-2"]


def test_returned_values_are_made_simple() -> None:
    arrow = body(
        "  st: *u8\n  st <<- 1\n  <- st, st, xs!, s, 1, one(1)\n",
        results=" -> *u8, []u8, u8, string, u8, u8",
    )
    assert arrow.ret == (
        raw.Var("st", Stream(U8)),
        raw.Var("-st-flat-0", Array(U8)),
        raw.Var("-return-fix-0", U8),
        raw.Var("s", STRING),
        raw.Literal("1", UNSIGNED),
        raw.Var("-return-fix-1", U8),
    )
    assert isinstance(arrow.body, raw.SeqTag)
    fixes = arrow.body.children[1:]
    assert fixes[0] == raw.CanonTag(raw.Var("st", Stream(U8)), "-st-fix-0", Canon(U8))
    assert fixes[1] == raw.FlattenTag(raw.Var("-st-fix-0", Canon(U8)), "-st-flat-0")
    assert [t.name for t in fixes[2:] if isinstance(t, raw.AssignTag)] == ["-return-fix-0", "-return-fix-1"]


def test_closures() -> None:
    tree = body("  c = (x: u8) -> u8:\n    <- x\n  d = func () -> u8:\n    <- c(1)\n").body
    assert isinstance(tree, raw.SeqTag)
    first, second = tree.children
    assert isinstance(first, raw.ClosureTag)
    assert isinstance(second, raw.ClosureTag)
    assert (first.detached, second.detached) == (False, True)
    assert first.arrow.ret == (raw.Var("x", U8),)
    assert second.arrow.ret == (raw.Var("-return-fix-0", U8),)


def test_the_peer_of_on_is_elaborated_again_after_the_body() -> None:
    tree = body('  on *["a"]!:\n    a = *["b"]\n').body
    assert isinstance(tree, raw.OnTag)
    assert isinstance(tree.peer, raw.Prop)
    assert isinstance(tree.peer.value, raw.StreamLit)
    assert tree.peer.value.name == "stream-anon-2"
    assert isinstance(tree.child, raw.AssignTag)
    assert isinstance(tree.child.value, raw.StreamLit)
    assert tree.child.value.name == "stream-anon-1"


def test_ability_arguments_come_first() -> None:
    context = accepted(PRELUDE + "func f{Ab, S}(x: u8):\n  a <- Ab.f(x)\n")
    assert [label for label, _ in func(context).type.args] == ["Ab", "S", "x"]


def test_catch_binds_the_error() -> None:
    tree = body("  try:\n    S.go()\n  catch e:\n    a = e.message\n").body
    assert isinstance(tree, raw.TryTag)
    handler = tree.children[1]
    assert isinstance(handler, raw.SeqTag)
    assert handler.children[0] == raw.AssignTag(raw.Var(":error:", ERROR), "e")


def test_empty_stream_literal() -> None:
    context = accepted(PRELUDE + "func g(st: *⊥):\n  S.go()\n\nfunc f():\n  g(*[])\n")
    tree = func(context).body
    assert isinstance(tree, raw.CallTag)
    assert isinstance(tree.call, raw.Call)
    assert tree.call.args == (raw.StreamLit((), "stream-anon-0", Stream(BOTTOM)),)
