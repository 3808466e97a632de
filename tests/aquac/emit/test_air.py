"""AIR text: layout of every instruction, values, names."""

from __future__ import annotations

import pytest

from aquac.emit.air import AQUA_0_14_11, ScriptTooLarge, print_air
from aquac.lowering import model as m
from aquac.semantics import types as t
from aquac.topology import res as r

PEER = m.V("p", t.STRING)


def check(node, expected, **kwargs):
    assert print_air(node, **kwargs) == expected


def next_(name):
    return r.Next(name)


A, B, C, D = (next_(x) for x in "abcd")

LAYOUT = {
    "leaf": (A, "(next a)\n"),
    "empty seq": (r.Seq(()), "(null)\n"),
    "seq of one": (r.Seq((A,)), "(next a)\n"),
    "seq of two": (r.Seq((A, B)), "(seq\n (next a)\n (next b)\n)\n"),
    "seq of four nests to the left": (
        r.Seq((A, B, C, D)),
        "(seq\n (seq\n  (seq\n   (next a)\n   (next b)\n  )\n  (next c)\n )\n (next d)\n)\n",
    ),
    "par of none": (r.Par(()), "(null)\n"),
    "par of one": (r.Par((A,)), "(par\n (next a)\n (null)\n)\n"),
    "par of three": (r.Par((A, B, C)), "(par\n (par\n  (next a)\n  (next b)\n )\n (next c)\n)\n"),
    "xor of one": (r.Xor((A,)), "(xor\n (next a)\n (null)\n)\n"),
    "groups inside groups": (
        r.Seq((r.Par((A, B)), C)),
        "(seq\n (par\n  (next a)\n  (next b)\n )\n (next c)\n)\n",
    ),
    "new": (r.New("s", t.Stream(t.STRING), (A,)), "(new $s\n (next a)\n)\n"),
    "new of nothing": (r.New("s", t.STRING, ()), "(new s\n (null)\n)\n"),
    "new of two": (r.New("s", t.STRING, (A, B)), "(new s\n (seq\n  (next a)\n  (next b)\n )\n)\n"),
    "match": (r.Match(PEER, m.L('"x"', t.STRING_LITERAL), True, (A,)), '(match p "x"\n (next a)\n)\n'),
    "mismatch": (r.Match(PEER, PEER, False, (A,)), "(mismatch p p\n (next a)\n)\n"),
    "fold": (r.Fold("i", PEER, "null", (A,)), "(fold p i\n (next a)\n (null)\n)\n"),
    "fold that never ends": (r.Fold("i", PEER, "never", (A,)), "(fold p i\n (next a)\n (never)\n)\n"),
    "fail": (r.Fail(m.V(":error:", t.ERROR)), "(fail :error:)\n"),
    "null": (r.Null(), "(null)\n"),
    "ap": (r.Ap(PEER, m.Target("s", t.Stream(t.STRING))), "(ap p $s)\n"),
    "ap to a map": (
        r.ApMap(m.L('"k"', t.STRING_LITERAL), PEER, m.Target("o", t.StreamMap(t.TOP))),
        '(ap ("k" p) %o)\n',
    ),
    "canon": (
        r.Canon(PEER, m.V("s", t.Stream(t.STRING)), m.Target("c", t.Canon(t.STRING))),
        "(canon p $s  #c)\n",
    ),
    "call": (
        r.Call(PEER, m.L('"srv"', t.STRING_LITERAL), "do", (PEER, PEER), m.Target("x", t.STRING)),
        '(call p ("srv" "do") [p p] x)\n',
    ),
    "call without result": (r.Call(PEER, PEER, "do", (), None), '(call p (p "do") [])\n'),
}


@pytest.mark.parametrize("name", LAYOUT)
def test_layout(name):
    node, expected = LAYOUT[name]
    check(node, expected)


def field(name):
    return m.FieldP(name, t.STRING)


def index(text):
    return m.IndexP(text, t.STRING)


VALUES = {
    "scalar": (m.V("x", t.STRING), "x"),
    "stream": (m.V("x", t.Stream(t.STRING)), "$x"),
    "frozen stream": (m.V("x", t.Canon(t.STRING)), "#x"),
    "map": (m.V("x", t.StreamMap(t.STRING)), "%x"),
    "frozen map": (m.V("x", t.CanonMap(t.STRING)), "#%x"),
    "member": (m.V("Srv.a.b", t.STRING), "Srv_a_b"),
    "fields": (m.V("x", t.STRING, (field("a"), field("b"))), "x.$.a.b"),
    "index": (m.V("x", t.Canon(t.STRING), (index("0"), field("a"))), "#x.$.[0].a"),
    "index by name": (m.V("x", t.Array(t.STRING), (index("i-0"),)), "x.$.[i-0]"),
    "length": (m.V("x", t.Array(t.STRING), (m.FunctorP("length", t.U32),)), "x.length"),
    "literal": (m.L('"a b"', t.STRING_LITERAL), '"a b"'),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name):
    value, expected = VALUES[name]
    check(r.Fail(value), f"(fail {expected})\n")


def test_frozen_streams_of_the_newer_dialect():
    check(r.Fail(m.V("x", t.Canon(t.STRING))), "(fail #$x)\n", dialect=AQUA_0_14_11)


def test_depth_is_bounded_by_memory_only():
    node = A
    for _ in range(1_500):
        node = r.Xor((r.New("s", t.STRING, (node,)), r.Null()))
    assert print_air(node).count("(new s\n") == 1_500


def test_size_is_limited_on_both_sides_of_the_border():
    node = r.Seq((A, B, r.New("s", t.STRING, (C,))))
    text = print_air(node)
    check(node, text, chars_max=len(text))
    with pytest.raises(ScriptTooLarge):
        print_air(node, chars_max=len(text) - 1)


def test_a_hopelessly_large_script_is_given_up_early():
    with pytest.raises(ScriptTooLarge):
        print_air(r.Seq((A,) * 1_000_000), chars_max=1_000_000)
