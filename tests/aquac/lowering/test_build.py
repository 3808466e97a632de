"""Construction rules and the arithmetic of inlines (spec aqua-to-air §4.3)."""

from aquac.lowering.build import NOTHING, Inline, after, concat, flatten, join_prefixes, mark, seq, xor
from aquac.lowering.model import EMPTY, NULL, Model, Next, Null, Par, Seq, V
from aquac.lowering.text import render
from aquac.semantics import types as t

A, B, C = Next("a"), Next("b"), Next("c")


def check(node: Model | None, expected: str) -> None:
    """Nodes on one line, depth as dots."""
    text = "none" if node is None else " ".join(line.replace("  ", ".") for line in render(node).splitlines())
    assert text == expected


def test_groups() -> None:
    check(seq([]), "empty")
    check(seq([EMPTY, A]), "next a")
    check(seq([A, seq([B, C])]), "seq .next a .seq ..next b ..next c")
    check(xor(), "empty")
    check(xor(EMPTY, A), "empty")
    check(xor(A, EMPTY), "xor .next a .empty")
    check(mark("f", [EMPTY]), "empty")
    check(mark("f", [A, EMPTY]), "inlined f .next a")


def test_prefixes() -> None:
    check(join_prefixes([]), "none")
    check(join_prefixes([None, A]), "next a")
    check(join_prefixes([A, None, B]), "par .next a .next b")
    check(after(None, A), "next a")
    check(after(A, B, C), "seq .next a .next b .next c")


def test_inlines() -> None:
    check(NOTHING.prefix(), "none")
    check(Inline((A, EMPTY, B)).prefix(), "par .next a .next b")
    check(Inline((A, B), "seq").prefix(), "seq .next a .next b")
    check(Inline((EMPTY,), "seq").prefix(), "none")
    assert Inline((A, B), "seq").desugar().mode == "par"
    assert isinstance(Inline((A, B), "seq").desugar().trees[0], Seq)
    assert isinstance(Inline((A, B)).desugar().trees[0], Par)
    assert Inline((EMPTY, EMPTY), "seq").desugar() == NOTHING
    assert Inline((A,)).merge(Inline((B, C)), "seq").mode == "seq"
    assert concat([Inline((A,), "seq"), Inline((B,))]) == Inline((A, B))
    assert Inline((A,)).then(B) == Inline((A, B), "seq")


def test_copy_of_a_frozen_stream_is_an_array() -> None:
    assert flatten(V("c", t.Canon(t.STRING)), "x").target.type == t.Array(t.STRING)
    assert flatten(V("c", t.STRING), "x").target.type == t.STRING


def test_null_is_not_empty() -> None:
    assert isinstance(seq([NULL]), Null)
