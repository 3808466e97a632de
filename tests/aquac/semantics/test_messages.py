"""Suggestions, notes and fixes."""

import pytest

from aquac.diagnostics import Diagnostic
from aquac.semantics.report import LISTED_NAMES_MAX, SUGGESTIONS_MAX, closest, counted, listed

from .programs import checked


def only(source: str) -> Diagnostic:
    _, found = checked(source)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("name", "candidates", "near"),
    [
        ("lenght", ["length", "width"], ["length"]),
        ("conut", ["count", "amount"], ["count"]),
        ("Peer", ["peer", "Pear"], ["peer", "Pear"]),
        ("x", ["y", "zz"], ["y"]),
        ("something", ["else"], []),
        ("same", ["same", "sane"], ["sane"]),
        ("a", ["b", "c", "d", "e"], ["b", "c", "d"]),
    ],
)
def test_closest(name: str, candidates: list[str], near: list[str]) -> None:
    assert closest(name, candidates) == near
    assert len(near) <= SUGGESTIONS_MAX


def test_a_slip_is_corrected() -> None:
    text = "aqua M\n\nfunc f(count: u8) -> u8:\n  <- conut\n"
    d = only(text)
    assert d.notes[0].message == "did you mean `count`?"
    assert d.notes[0].span is not None
    assert text[d.notes[0].span.start : d.notes[0].span.end] == "count"
    edit = d.fixes[0].edits[0]
    assert text[: edit.span.start] + edit.text + text[edit.span.end :] == text.replace("conut", "count")


def test_fields_functions_and_types_are_suggested_too() -> None:
    data = "data P:\n  size: u8\n\n"
    assert only(f"aqua M\n\n{data}func f(p: P) -> u8:\n  <- p.sizes\n").fixes[0].edits[0].text == "size"
    assert only(f"aqua M\n\n{data}func f(p: Pp):\n  x = 1\n").fixes[0].edits[0].text == "P"
    source = "aqua M\n\nfunc go():\n  x = 1\n\nfunc f():\n  goo()\n"
    assert only(source).fixes[0].edits[0].text == "go"


def test_redefinition_points_at_the_first() -> None:
    text = "aqua M\n\nfunc f():\n  x = 1\n  x = 2\n"
    (note,) = only(text).notes
    assert note.span is not None
    assert note.span.start == text.index("x = 1")


def test_an_option_is_explained() -> None:
    d = only("aqua M\n\nfunc g(x: u8):\n  y = x\n\nfunc f(o: ?u8):\n  g(o)\n")
    assert "`!`" in d.notes[0].message
    d = only("aqua M\n\nfunc g(x: ?u8):\n  y = x\n\nfunc f(o: u8):\n  g(o)\n")
    assert "?[value]" in d.notes[0].message


def test_lists_are_cut() -> None:
    assert listed([]) == "none"
    assert listed(["a", "b"]) == "`a`, `b`"
    assert listed(f"n{i}" for i in range(LISTED_NAMES_MAX + 5)).endswith("and 5 more")
    assert [counted(1, "value"), counted(2, "value")] == ["1 value", "2 values"]


def test_occurrences_lead_to_definitions() -> None:
    text = "aqua M\n\nconst K = 1\n\nfunc g(x: u8) -> u8:\n  <- x\n\nfunc f() -> u8:\n  y <- g(K)\n  <- y\n"
    contexts, _ = checked(text)
    context = contexts["/main.aqua"]
    uses = {text[o.span.start : o.span.end]: o for o in context.occurrences if o.site and o.site.span != o.span}
    for name, definition in (("x", "x: u8"), ("g", "g(x"), ("K", "K = 1"), ("y", "y <-")):
        site = uses[name].site
        assert site is not None
        assert site.span.start == text.index(definition)
