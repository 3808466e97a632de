"""No answer costs more than in proportion to the file: counted in calls of Python functions, of a file and of one twice as long."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from aquac.source import SourceFile, Span
from aquac.syntax import ast
from lsp.air import AirFile
from lsp.features.call_hierarchy import incoming_calls, outgoing_calls, prepare_call_hierarchy
from lsp.features.code_actions import code_actions
from lsp.features.code_lens import code_lenses
from lsp.features.completion import completion
from lsp.features.definition import definition
from lsp.features.folding import folding_ranges
from lsp.features.formatting import formatting
from lsp.features.hover import hover
from lsp.features.inlay_hints import inlay_hints
from lsp.features.references import highlight, references
from lsp.features.rename import rename
from lsp.features.selection import selection_range
from lsp.features.semantic_tokens import semantic_tokens
from lsp.features.symbols import document_symbols, workspace_symbols
from lsp.places import place_at, run_at
from lsp.workspace import Workspace
from tests.fuzz.aqua_mutation import corpus

PATH = "/w/main.aqua"
SMALL = 120
HEAD = (
    'aqua M declares *\n\nservice S("s"):\n  f(a: u32) -> u32\n\nfunc base(a: u32) -> u32:\n  x <- S.f(a)\n  <- x\n\n'
)
RATIO_MAX = 2.5
"""Twice is in proportion; four times is quadratic."""


def statements(number: int) -> str:
    """One long function."""
    lines = "".join(f"    x{n} <- S.f({n})\n    y{n} <- base(x{n})\n" for n in range(number))
    return f"{HEAD}func g(p: string) -> u32:\n  on p via HOST_PEER_ID:\n{lines}  <- x1\n"


def functions(number: int) -> str:
    """Many functions that call one."""
    return HEAD + "".join(f"-- Doc.\nfunc g{n}(p: string) -> u32:\n  x <- base({n})\n  <- x\n\n" for n in range(number))


def calls(action: Callable[[], object]) -> int:
    count = 0

    def counting(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        action()
    finally:
        sys.setprofile(before)
    return count


def incoming(workspace: Workspace, offset: int) -> object:
    (item,) = prepare_call_hierarchy(workspace, PATH, offset)
    return [incoming_calls(workspace, item), outgoing_calls(workspace, item)]


ANSWERS: dict[str, Callable[[Workspace, int], object]] = {
    "check": lambda w, _: w.check(PATH),
    "hover": lambda w, at: hover(w, PATH, at),
    "definition": lambda w, at: definition(w, PATH, at),
    "references": lambda w, at: references(w, PATH, at),
    "highlight": lambda w, at: highlight(w, PATH, at),
    "rename": lambda w, at: rename(w, PATH, at, "other"),
    "completion": lambda w, at: completion(w, PATH, at),
    "semantic tokens": lambda w, _: semantic_tokens(w, PATH),
    "inlay hints": lambda w, _: inlay_hints(w, PATH, Span(0, len(w.text(PATH).text))),
    "code lenses": lambda w, _: code_lenses(w, PATH),
    "code actions": lambda w, at: code_actions(w, PATH, Span(at, at)),
    "document symbols": lambda w, _: document_symbols(w, PATH),
    "workspace symbols": lambda w, _: workspace_symbols(w, "g"),
    "folding": lambda w, _: folding_ranges(w, PATH),
    "selection": lambda w, at: selection_range(w, PATH, at),
    "call hierarchy": incoming,
    "formatting": lambda w, _: formatting(w, PATH),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("make", [statements, functions])
def test_answers_grow_with_the_file(make: Callable[[int], str], answer: str) -> None:
    counts = []
    for number in (SMALL, 2 * SMALL):
        text = make(number)
        workspace = Workspace()
        workspace.set_text(PATH, text)
        offset = text.index("base(", text.index("func g"))
        if answer != "check":
            workspace.check(PATH)
        counts.append(calls(lambda w=workspace, at=offset: ANSWERS[answer](w, at)))
    assert counts[1] <= RATIO_MAX * counts[0] + 2000


def test_scripts_grow_with_the_file() -> None:
    def asked(number: int) -> int:
        inner = "".join(f'(seq (call %init_peer_id% ("s" "f") [x{n}] x{n + 1})\n' for n in range(number))
        text = f"(seq (ap 1 x0)\n{inner}(null){')' * number})"
        air = AirFile(SourceFile("/w/a.air", text))
        at = text.index("x3]")
        asks = (
            air.diagnostics,
            air.symbols,
            air.folding,
            air.semantic_tokens,
            air.formatting_edits,
            lambda: air.hover(at),
        )
        return calls(lambda: [ask() for ask in asks])

    assert asked(2 * SMALL) <= RATIO_MAX * asked(SMALL) + 2000


@pytest.mark.skipif(not corpus(), reason="the conformance corpus is not here")
def test_where_statements_run_is_the_same_in_one_walk() -> None:
    compared = 0
    for files in corpus()[::4]:
        workspace = Workspace()
        for name, text in files.items():
            workspace.set_text(f"/w/{name}", text)
        view = workspace.view(PATH)
        if view is None or workspace.parsed(PATH)[1].gaps:
            continue
        for fact in view.facts:
            place = place_at(view, fact.span.start)
            if fact.kind in ("function", "method") and isinstance(place.definition, ast.Func):
                compared += 1
                assert view.runs.at(fact.span.start) == run_at(view, place), (view.text, fact)
    assert compared > 200
