"""The validator finds what it should, and the text form shows every node."""

import pytest

from aquac.lowering import model as m
from aquac.lowering.text import head, render
from aquac.lowering.validate import problems
from aquac.semantics import types as t

STREAM = t.Stream(t.STRING)
X, ONE = m.V("x", t.STRING), m.L("1", t.UNSIGNED)
WRITE = m.Flatten(ONE, m.Target("x", t.STRING))
PUSH = m.Push(ONE, m.Target("s", STREAM))


def check(*nodes: m.Model, problem: str | None) -> None:
    found = problems(m.Seq(nodes))
    assert [p.partition(" in ")[0] for p in found] == ([] if problem is None else [problem])


@pytest.mark.parametrize(
    ("nodes", "problem"),
    [
        ((WRITE, m.Fail(X)), None),
        ((m.Fail(X), WRITE), "x is not written yet"),
        ((m.Fail(m.V(":error:", t.ERROR)),), None),
        ((m.New("s", STREAM, (PUSH,)),), None),
        ((PUSH,), "no `new` around `push 1 into *s`"),
        ((m.New("s", STREAM, ()), m.Canon(m.V("s", STREAM), m.Target("c", t.Canon(t.STRING)))), "stream s without `new`"),
        ((m.For("i", m.L("[]", t.NIL_TYPE), "null", (m.Next("i"),)),), None),
        ((m.Next("i"),), "`next i` outside its loop"),
        ((m.Mark("f", (m.NULL,)),), "call mark left: `inlined f`"),
        ((m.Capture("c"), m.Apply("c", ())), None),
        ((m.Apply("c", ()), m.Capture("c")), "`apply c` before its definition"),
        ((WRITE, m.Fail(m.V("x", t.STRING, (m.IndexP("0", t.STRING), m.IndexP("i", t.STRING))))), "index i is not written yet"),
        ((m.Srv(m.L("%init_peer_id%", t.STRING), "m", (), ()),), "%init_peer_id% as service id"),
    ],
)  # fmt: skip
def test_problems(nodes: tuple[m.Model, ...], problem: str | None) -> None:
    check(*nodes, problem=problem)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (m.On(X, (m.V("c", t.Canon(t.STRING)),), "relay", ()), "on x via #c to relay"),
        (m.Match(X, ONE, False, ()), "mismatch x 1"),
        (m.Insert(X, ONE, m.Target("m", t.StreamMap(t.U32))), "insert x 1 into %m"),
        (m.Canon(m.V("m", t.StreamMap(t.U32)), m.Target("c", t.CanonMap(t.U32))), "freeze %m to #%c"),
        (m.Srv(m.L('"s"', t.STRING), "m", (X, ONE), (m.Target("r", t.STRING),)), 'call "s" m(x, 1) -> r'),
        (m.For("i", m.V("s", STREAM), "never", ()), "for i in *s then never"),
        (m.Fail(m.V("x", t.ERROR, (m.FieldP("f", t.STRING), m.FunctorP("length", t.U32)))), "fail x.f.length()"),
    ],
)
def test_lines(node: m.Model, text: str) -> None:
    assert head(node) == text


def test_render_indents_children() -> None:
    assert render(m.Xor((m.Seq((WRITE, m.NULL)), m.EMPTY))) == "xor\n  seq\n    copy 1 to x\n    null\n  empty\n"
