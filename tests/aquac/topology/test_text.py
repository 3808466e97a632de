"""Res as text: one line per operation, hops collapsed."""

from __future__ import annotations

from aquac.lowering import model as m
from aquac.semantics import types as t
from aquac.topology import res as r
from aquac.topology.make_res import hop
from aquac.topology.text import render
from aquac.topology.validate import problems

PEER = m.V("p", t.STRING)
STREAM = m.V("s", t.Stream(t.STRING))


def check(node, expected):
    assert render(node) == expected


def test_every_operation():
    frozen = m.Target("c", t.Canon(t.STRING))
    index = m.V("c", t.Canon(t.STRING), (m.IndexP("0", t.STRING), m.FieldP("a", t.STRING)))
    length = m.V("x", t.Array(t.STRING), (m.FunctorP("length", t.U32),))
    node = r.New(
        "s",
        t.Stream(t.STRING),
        (
            r.Seq(
                (
                    hop(PEER),
                    r.Call(PEER, m.L('"srv"', t.STRING_LITERAL), "do", (PEER, length), m.Target("x", t.STRING)),
                    r.Par((r.Ap(PEER, m.Target("s", t.Stream(t.STRING))), r.Null())),
                    r.Canon(PEER, STREAM, frozen),
                    r.ApMap(PEER, index, m.Target("o", t.StreamMap(t.TOP))),
                    r.Xor((r.Match(PEER, PEER, False, ()), r.Fail(m.V(":error:", t.ERROR)))),
                    r.Fold("i", STREAM, "never", (r.Next("i"),)),
                )
            ),
        ),
    )
    assert problems(node) == []
    check(
        node,
        "new *s\n"
        "  seq\n"
        "    hop p\n"
        '    x <- call "srv" do(p, x.length()) @ p\n'
        "    par\n"
        "      *s <- ap p\n"
        "      null\n"
        "    #c <- canon *s @ p\n"
        "    %o <- ap p, #c[0].a\n"
        "    xor\n"
        "      match p != p\n"
        "      fail :error:\n"
        "    fold i <- *s\n"
        "      next i\n"
        "      last never\n",
    )


def test_validation_finds_what_must_not_be():
    assert problems(r.Seq((r.Null(),))) == ["a sequence of one"]
    assert problems(r.Seq((r.Null(), r.Seq(())))) == ["a sequence directly inside a sequence"]
    assert problems(r.Fold("i", STREAM, "null", (r.Next("j"),))) == ["next j outside its loop"]
