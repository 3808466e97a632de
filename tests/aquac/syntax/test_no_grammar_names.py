"""Names of grammar rules and terminals are ours; nobody who writes Aqua should ever read one."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from aquac import compile_bundle
from aquac.diagnostics import Diagnostic
from aquac.source import SourceFile
from aquac.syntax.explain import _wanted
from aquac.syntax.parse import parse
from tests.aquac.mistakes.generate import mutants, sources
from tests.aquac.mistakes.slips import SLIPS
from tests.golden import load

GRAMMAR = files("aquac.syntax").joinpath("aqua.lark").read_text(encoding="utf-8")
TERMINALS = [name for name in re.findall(r"^([A-Z_]+)(?:\.\d+)?:", GRAMMAR, re.MULTILINE) if name != "SPACE"]
KEYWORDS = frozenset(re.findall(r"^[A-Z_]+\.3: /([a-z]+)\(\?", GRAMMAR, re.MULTILINE))
RULES = re.findall(r"^[?_]*([a-z]+_[a-z_]+):|-> ([a-z]+_[a-z_]+)", GRAMMAR, re.MULTILINE)
INTERNAL = (
    frozenset(TERMINALS) | {name for pair in RULES for name in pair if name} | {"__ANON", "UnexpectedToken", "lark"}
)
WORD = re.compile(r"\$?[A-Za-z_]\w*")
ROOT = Path(__file__).parents[3]


def check(text: str, diagnostics: list[Diagnostic]) -> None:
    """No internal name, unless the program itself has it."""
    own = set(WORD.findall(text))
    for diagnostic in diagnostics:
        said = [diagnostic.message, *(note.message for note in diagnostic.notes), *(f.title for f in diagnostic.fixes)]
        words = {word for message in said for word in WORD.findall(message)}
        assert not words & INTERNAL - own, said


def test_the_grammar_has_names() -> None:
    assert {"NAME", "LPAR", "INIT_PEER_ID", "FUNC"} <= set(TERMINALS)
    assert {"import_items", "call_args", "paren_type"} <= INTERNAL
    assert {"func", "on", "via"} <= KEYWORDS


@pytest.mark.parametrize("terminal", TERMINALS)
def test_every_terminal_has_a_text(terminal: str) -> None:
    """A keyword is shown as itself, anything else in words or as the sign it is."""
    text = _wanted({terminal})
    word = re.fullmatch(r"`(\w+)`", text)
    assert text
    assert word is None or word[1] in KEYWORDS


def test_mistakes() -> None:
    library = sources()["lib"]
    corpus = ROOT / "tests/aquac/mistakes/corpus/mistakes.txt"
    for case in load(corpus):
        check(case.input, list(compile_bundle({"m.aqua": case.input, "lib.aqua": library}, "m.aqua").diagnostics))


@pytest.mark.slow
def test_all_mutants() -> None:
    for slip in SLIPS:
        for _, mutant in mutants(slip):
            check(mutant.text, parse(SourceFile("m.aqua", mutant.text))[1])


@pytest.mark.slow
def test_corpus() -> None:
    places = (ROOT / "tests/conformance/data/aqua-check", ROOT.parent / "shared/conformance/aqua-check")
    path = next((place / "programs.jsonl" for place in places if (place / "programs.jsonl").is_file()), None)
    if path is None:
        pytest.skip("the aqua-check corpus is not here")
    for line in path.read_text(encoding="utf-8").splitlines():
        source = json.loads(line)["source"]
        check(source, list(compile_bundle({"main.aqua": source}, "main.aqua").diagnostics))


def test_every_place_a_line_can_be_cut() -> None:
    """A line broken off after any of its characters."""
    for text in sources().values():
        for line in text.splitlines():
            for end in range(1, len(line)):
                cut = f"aqua M\n\nfunc f():\n{line[:end]}\n" if line.startswith(" ") else f"aqua M\n\n{line[:end]}\n"
                check(cut, parse(SourceFile("m.aqua", cut))[1])
