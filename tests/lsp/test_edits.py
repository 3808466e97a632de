"""Random edits of real files: no request fails, and the state after them is that of a fresh look at the same texts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from aquac.compiler import compile_bundle
from aquac.source import SourceFile, Span
from aquac.syntax.parse import parse
from lsp.features.call_hierarchy import incoming_calls, outgoing_calls, prepare_call_hierarchy
from lsp.features.code_actions import code_actions
from lsp.features.code_lens import code_lenses
from lsp.features.completion import completion
from lsp.features.definition import definition, type_definition
from lsp.features.folding import folding_ranges
from lsp.features.hover import hover
from lsp.features.inlay_hints import inlay_hints
from lsp.features.references import highlight, references
from lsp.features.rename import RenameRefused, prepare_rename, rename
from lsp.features.selection import selection_range
from lsp.features.semantic_tokens import semantic_tokens
from lsp.features.signature_help import signature_help
from lsp.features.symbols import document_symbols, workspace_symbols
from lsp.line_cache import LineCache
from lsp.workspace import Workspace
from tests.golden import load

CORPUS = Path(__file__).parent / "corpus"
STDLIB = Path(__file__).parents[2] / "stdlib"
MAIN, LIB = "/w/main.aqua", "/w/lib.aqua"
PIECES = [
    "\n", "  ", " ", ".", ",", "(", ")", "[", "]", ":", "=", " <- ", " <<- ", '"', "--", "x", "Srv", "p.right", "u32",
    "on node:\n    ", "for i <- xs:\n    ", "if true:\n    ", "par ", "\nfunc g(a: u8) -> u8:\n  <- a\n", "😀", "\t",
    "import ", 'import "lib.aqua"\n', "declares *", "-> ", "[]", "?", "*", "%", "nil", "$", "\r\n", "join ",
]  # fmt: skip


def texts() -> tuple[str, str]:
    """The files most fixtures consist of."""
    source = load(CORPUS / "folding.txt")[0].input
    main, rest = source.split("//- lib.aqua\n")
    return main, rest.split("//- mod.aqua\n")[0]


def edited(text: str, random_: random.Random) -> str:
    """One insertion, deletion, replacement, repeated line or removed line."""
    at = random_.randrange(len(text) + 1)
    match random_.randrange(5):
        case 0 | 1:
            return text[:at] + random_.choice(PIECES) + text[at:]
        case 2:
            return text[:at] + text[at + random_.randrange(1, 12) :]
        case 3:
            return text[:at] + random_.choice(PIECES) + text[at + random_.randrange(1, 6) :]
        case _:
            lines = text.split("\n")
            number = random_.randrange(len(lines))
            return "\n".join([*lines[:number], *([lines[number]] * random_.choice((0, 2))), *lines[number + 1 :]])


def ask_everything(workspace: Workspace, path: str, offset: int) -> None:
    text = workspace.text(path).text
    for at_position in (hover, definition, type_definition, references, highlight, completion, signature_help):
        at_position(workspace, path, offset)
    for of_file in (document_symbols, semantic_tokens, folding_ranges, code_lenses):
        of_file(workspace, path)
    inlay_hints(workspace, path, Span(0, len(text)))
    selection_range(workspace, path, offset)
    code_actions(workspace, path, Span(offset, min(len(text), offset + 20)))
    workspace_symbols(workspace, "r")
    for item in prepare_call_hierarchy(workspace, path, offset):
        incoming_calls(workspace, item)
        outgoing_calls(workspace, item)
    try:
        prepare_rename(workspace, path, offset)
        rename(workspace, path, offset, "other")
    except RenameRefused:
        pass


def findings(workspace: Workspace, path: str) -> list[tuple[str, str, object, str]]:
    found = workspace.check(path)
    return [(file, d.code.id, d.span, d.message) for file, ds in sorted(found.items()) for d in ds]


def check(seed: int, steps: int) -> None:
    random_ = random.Random(seed)
    main, lib = texts()
    state = {MAIN: main, LIB: lib}
    workspace = Workspace()
    for path, text in state.items():
        workspace.set_text(path, text)
    for step in range(steps):
        path = random_.choice((MAIN, MAIN, LIB))
        state[path] = edited(state[path], random_)
        workspace.set_text(path, state[path])
        workspace.check(path)
        if step % 3 == 0:
            ask_everything(workspace, path, random_.randrange(len(state[path]) + 1))
    fresh = Workspace()
    for path, text in state.items():
        fresh.set_text(path, text)
    for path in state:
        assert findings(workspace, path) == findings(fresh, path), f"seed {seed}"
        ours, theirs = workspace.view(path), fresh.view(path)
        assert ours is not None
        assert theirs is not None
        assert [(f.span, f.kind, f.name, f.key) for f in ours.facts] == [
            (f.span, f.kind, f.name, f.key) for f in theirs.facts
        ], f"seed {seed}"


@pytest.mark.parametrize("seed", range(6))
def test_edits_are_answered_and_end_in_a_fresh_state(seed: int) -> None:
    check(seed, 6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_longer_edits(seed: int) -> None:
    check(seed, 50)


def test_only_dependents_are_checked_again() -> None:
    main, lib = texts()
    workspace = Workspace()
    workspace.set_text(LIB, lib)
    workspace.set_text(MAIN, main)
    before = {path: checked.context for path, checked in workspace.project(MAIN).modules.items()}
    workspace.set_text(MAIN, main + "\n")
    after = workspace.project(MAIN).modules
    assert after[LIB].context is before[LIB]
    assert after[MAIN].context is not before[MAIN]
    workspace.set_text(LIB, lib + "\n")
    again = workspace.project(MAIN).modules
    assert again[LIB].context is not before[LIB]
    assert again[MAIN].context is not after[MAIN].context


def test_kept_lines_make_the_same_tree() -> None:
    lines = LineCache()
    text = (STDLIB / "builtin.aqua").read_text(encoding="utf-8")
    for version in (text, "\n\n" + text, text.replace("service", "\nservice", 1), text):
        lines.next_version()
        source = SourceFile("x.aqua", version)
        assert parse(source, parser=lines) == parse(source)


@pytest.mark.parametrize("case", load(CORPUS / "code_actions.txt"), ids=lambda case: case.name)
def test_findings_are_those_of_the_compiler(case) -> None:
    """What the editor shows of a program without errors of syntax or imports is what the command line prints."""
    text = case.input.replace("$0", "").replace("$1", "")
    files = {"/w/main.aqua": text.split("//- ")[0]}
    for part in text.split("//- ")[1:]:
        name, _, body = part.partition("\n")
        files[f"/w/{name}"] = body
    compiled = compile_bundle(files, MAIN)
    workspace = Workspace()
    for path, body in files.items():
        workspace.set_text(path, body)
    shown = [(d.code.id, d.span) for ds in workspace.check(MAIN).values() for d in ds]
    assert sorted(shown, key=str) == sorted(((d.code.id, d.span) for d in compiled.diagnostics), key=str)
