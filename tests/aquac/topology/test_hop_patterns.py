"""Hop patterns of the specification (aqua-to-air §20.4), on hand-built models.

Notation: `[x]` a hop to x, `c@x` a call of c on x, `ap` a push, `par(…)`, `fold(…)`, `xor(…)` with branches separated by commas.
I is the init peer, R its relay; every program runs under `on I via R`, as compiled functions do.
"""

from __future__ import annotations

import pytest

from aquac.lowering import model as m
from aquac.semantics import types as t
from aquac.topology import res as r
from aquac.topology.make_res import resolve
from aquac.topology.text import hop_peer
from aquac.topology.validate import problems

INIT = m.L("%init_peer_id%", t.STRING)
RELAY = m.V("-relay-", t.STRING)
SHORT = {"-relay-": "R", "%init_peer_id%": "I"}


def v(name):
    return {"I": INIT, "R": RELAY}.get(name) or m.V(name, t.STRING)


def seq(*nodes):
    return nodes[0] if len(nodes) == 1 else m.Seq(nodes)


def call(name, *args, out=None):
    results = () if out is None else (m.Target(out, t.STRING),)
    return m.Srv(m.L('"srv"', t.STRING_LITERAL), name, tuple(map(v, args)), results)


def on(peer, *body, via="", strategy=""):
    return m.On(v(peer), tuple(map(v, via.split())), strategy, (seq(*body),))


def push(value, stream):
    return m.Push(v(value), m.Target(stream, t.Stream(t.STRING)))


def for_(item, *body, last="null"):
    return m.For(item, m.V("ps", t.Array(t.STRING)), last, (seq(*body),))


def for_par(item, body):
    return m.Detach((for_(item, m.Par((body, m.Next(item))), last="never"),))


def parseq(item, peer, *body):
    return for_(item, m.Par((on(peer, *body, strategy="relay"), m.Next(item))), last="never")


def short(node):
    peer = hop_peer(node)
    if peer is not None:
        return f"[{name(peer)}]"
    match node:
        case r.Seq(children):
            return " ".join(map(short, children))
        case r.Par(children) | r.Xor(children):
            return f"{type(node).__name__.lower()}({', '.join(map(short, children))})"
        case r.Fold(_, _, _, children):
            return f"fold({' '.join(map(short, children))})"
        case r.New(_, _, children) | r.Match(_, _, _, children):
            return " ".join(map(short, children))
        case r.Next():
            return "next"
        case r.Call(at, _, method):
            return f"{method}@{name(at)}"
        case r.Canon(at):
            return f"canon@{name(at)}"
        case r.Ap():
            return "ap"
        case r.Fail():
            return "fail"
        case r.Null():
            return "null"


def name(value):
    text = value.text if isinstance(value, m.L) else value.name
    return SHORT.get(text, text)


def check(program, expected, *, then=True):
    body = seq(call("b"), *program, *([call("i")] if then else []))
    res = resolve(m.On(INIT, (RELAY,), "", (body,)))
    assert problems(res) == []
    assert short(res) == ("b@I " + expected + (" i@I" if then else "")).replace(" ,", ",")


S = ("s",)
PATTERNS = {
    "leave and return": ([on("p", call("c"))], "[R] c@p [R]"),
    "via": ([on("p", call("c"), via="r")], "[R] [r] c@p [r] [R]"),
    "via two": ([on("p", call("c"), via="r q")], "[R] [r] [q] c@p [q] [r] [R]"),
    "nested": ([on("p", call("c"), on("q", call("d")), call("e"))], "[R] c@p d@q e@p [R]"),
    "nested behind one relay": (
        [on("p", call("c"), on("q", call("d"), via="r"), via="r")],
        "[R] [r] c@p [r] d@q [r] [R]",
    ),
    "own relay": ([on("R", call("c"))], "c@R"),
    "for, seq": ([for_("x", on("x", call("c")), m.Next("x"))], "fold([R] c@x [R] next)"),
    "for inside on": ([on("p", for_("x", call("c"), m.Next("x")))], "[R] fold(c@p next) [R]"),
    "error handler elsewhere": (
        [m.Xor((on("p", call("c")), on("q", call("d"))))],
        "xor([R] c@p [R], d@q [R])",
    ),
}


@pytest.mark.parametrize("name_", PATTERNS)
def test_pattern_followed_by_a_call_at_home(name_):
    program, expected = PATTERNS[name_]
    check(program, expected)


UNFINISHED = {
    "two in a row": ([on("p", call("c")), on("q", call("d"))], "[R] c@p d@q"),
    "two in a row behind one relay": (
        [on("p", call("c"), via="r"), on("q", call("d"), via="r")],
        "[R] [r] c@p [r] d@q",
    ),
    "home and back inside": (
        [on("p", call("c"), on("I", call("d"), via="R"), call("e"))],
        "[R] c@p [R] d@I [R] e@p",
    ),
    "co": ([m.Detach((on("p", call("c")),))], "par([R] c@p)"),
    "par, results unused": (
        [m.Par((on("p", call("c", out="a")), on("q", call("d", out="b"))))],
        "par([R] c@p, [R] d@q)",
    ),
    "par, results used": (
        [m.Par((on("p", call("c", out="a")), on("q", call("d", out="b")))), call("u", "a", "b")],
        "par([R] c@p [R] [I], [R] d@q [R] [I]) u@I",
    ),
    "par, results used, inside another on": (
        [on("z", m.Par((on("p", call("c", out="a")), on("q", call("d", out="b")))), call("u", "a", "b"))],
        "[R] par(c@p [z], d@q [z]) u@z",
    ),
    "for par, stream unused": (
        [for_par("x", on("x", call("c", out="a"), push("a", "s")))],
        "par(fold(par([R] c@x ap, next)))",
    ),
    "for par, stream used": (
        [for_par("x", on("x", call("c", out="a"), push("a", "s"))), call("u", "s")],
        "par(fold(par([R] c@x ap [R] [I], next))) u@I",
    ),
    "parseq": (
        [parseq("x", "x", call("c", out="a"), push("a", "s"))],
        "fold(par([R] c@x ap [R], next))",
    ),
    "parseq at the relay": (
        [on("R", parseq("x", "x", call("c", out="a"), push("a", "s")))],
        "[R] fold(par(c@x ap [R], next))",
    ),
}


@pytest.mark.parametrize("name_", UNFINISHED)
def test_pattern_at_the_end(name_):
    program, expected = UNFINISHED[name_]
    check(program, expected, then=False)


def test_push_on_another_peer_visits_the_way_there_and_back():
    stream = m.Canon(m.V("s", t.Stream(t.STRING)), m.Target("s_canon", t.Canon(t.STRING)))
    check([on("p", push("v", "s")), stream], "[R] ap [R] canon@I")


def test_relay_collection_is_walked_forwards_and_backwards():
    relays = m.V("rs", t.Array(t.STRING))
    body = m.On(v("p"), (relays,), "", (call("c"),))
    # Only the exit of a node walks backwards; what leads to the next node walks forwards, wherever it comes from.
    check([body], "[R] fold([-via-peer-] next) c@p fold([-via-peer-] next) [R]")
    check(
        [m.Xor((body, m.NULL))],
        "xor([R] fold([-via-peer-] next) c@p fold(next [-via-peer-]) [R], fold([-via-peer-] next) [R] null)",
    )


def test_error_inside_on_goes_all_the_way_home():
    fail = m.Fail(m.V(":error:", t.ERROR))
    check(
        [m.Xor((m.On(v("p"), (), "", (call("c"),)), fail))],
        "xor([R] c@p [R], [R] [I] fail)",
    )


def test_closure_runs_where_it_was_made():
    made = on("p", m.Capture("f"), call("c"))
    used = on("q", m.Apply("f", (call("d"),)))
    check([made, used], "[R] c@p d@p [R]")


def test_detached_name_used_in_a_sibling_branch_counts_as_later():
    check(
        [m.Par((on("p", call("c", out="a")), call("u", "a")))],
        "par([R] c@p [R] [I], u@I)",
        then=False,
    )


def test_name_bound_inside_the_branch_is_not_exported():
    inner = m.New("a", t.STRING, (on("p", call("c", out="a")),))
    check([m.Par((inner, m.NULL)), call("u", "a")], "par([R] c@p, null) u@I", then=False)


def test_loop_over_nil_vanishes_and_keeps_its_children_unnumbered():
    nil = m.L("[]", t.NIL_TYPE)
    stream = m.V("s", t.Stream(t.STRING))
    pushes = m.Push(stream, m.Target("q", t.Stream(t.STRING)))
    loop = m.For("x", nil, "null", (pushes, m.Next("x")))
    res = resolve(m.On(INIT, (), "", (m.Seq((loop, pushes)),)))
    assert isinstance(res, r.Seq)
    canon, _ = res.children
    assert isinstance(canon, r.Canon)
    assert canon.target.name == "push-to-stream-4"


def test_long_and_deep_models_need_no_host_stack():
    long = m.Seq(tuple(call(f"c{i}") for i in range(2_000)))
    deep = call("d")
    for i in range(1_200):
        deep = m.Xor((m.New(f"n{i}", t.STRING, (deep,)), m.NULL))
    res = resolve(m.On(INIT, (RELAY,), "", (m.Seq((long, deep)),)))
    assert isinstance(res, r.Seq)
    assert len(res.children) == 2_001
