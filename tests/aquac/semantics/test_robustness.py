"""Semantics never raises and never accepts silently: random changes to real programs, deep and long programs."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquac.diagnostics import has_errors
from aquac.semantics.module import check_module
from aquac.source import SourceFile
from aquac.syntax.parse import parse

CORPUS = Path(__file__).parents[2] / "conformance" / "data" / "aqua-check" / "programs.jsonl"
WORD = re.compile(r'"[^"\n]*"|\w+|[^\s\w]')


@cache
def sources() -> list[str]:
    cases = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    return [c["source"] for c in cases if not c.get("imports") and c["expect"]["ok"]]


def diagnose(text: str) -> list[str]:
    """Codes found in a single-module program. Every place must lie inside the text, every message say something."""
    source = SourceFile("/main.aqua", text)
    tree, found = parse(source)
    if not has_errors(found):
        found = [*found, *check_module(tree, source, {})[1]]
    for d in found:
        assert d.span is not None
        assert 0 <= d.span.start <= d.span.end <= len(text)
        assert d.message
        for note in d.notes:
            assert note.message
        for fix in d.fixes:
            assert all(e.file is source and e.span.end <= len(text) for e in fix.edits)
    return [d.code.id for d in found]


@given(st.data())
def test_changed_programs(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(sources()))
    for _ in range(data.draw(st.integers(1, 3))):
        words = list(WORD.finditer(text))
        target, origin = data.draw(st.sampled_from(words)), data.draw(st.sampled_from(words))
        text = text[: target.start()] + origin[0] + text[target.end() :]
    diagnose(text)


def deep(opening: str, closing: str, depth: int) -> str:
    return f"aqua M\n\nfunc one(x: u8) -> u8:\n  <- x\n\nfunc f():\n  v = {opening * depth}1{closing * depth}\n"


@pytest.mark.parametrize(("opening", "closing"), [("(", ")"), ("[", "]"), ("one(", ")")])
def test_deep_values(opening: str, closing: str) -> None:
    assert diagnose(deep(opening, closing, 200)) == []


def test_deep_blocks_with_deep_values() -> None:
    lines = ["aqua M", "", "func f():"]
    lines += [f"{'  ' * (n + 1)}for x{n} <- [1]:" for n in range(150)]
    lines.append(f"{'  ' * 151}v = {'(' * 100}1{')' * 100}")
    assert diagnose("\n".join(lines) + "\n") == []


def test_deep_closures() -> None:
    lines = ["aqua M", "", "func f():"]
    lines += [f"{'  ' * (n + 1)}c{n} = (x{n}: u8):" for n in range(100)]
    lines.append(f"{'  ' * 101}v = 1")
    assert diagnose("\n".join(lines) + "\n") == []


def test_long_bodies() -> None:
    body = "".join(f"  x{n} = {n}\n" for n in range(1500))
    assert diagnose(f"aqua M\n\nfunc f():\n{body}") == []


def test_a_long_chain_of_properties() -> None:
    text = "aqua M\n\ndata A:\n  x: u8\n\nfunc f(a: A):\n  v = a" + ".copy(x = 1)" * 200 + ".x\n"
    assert diagnose(text) == []
