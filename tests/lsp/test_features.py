"""Every request over fixtures in `corpus/`: one file of cases a request, see `fixture.py` for their form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lsprotocol.types import DocumentSymbol

from aquac.source import SourceFile, Span
from lsp.air import AirFile
from lsp.convert import to_offset, to_range, to_uri
from lsp.features.call_hierarchy import incoming_calls, outgoing_calls, prepare_call_hierarchy
from lsp.features.code_actions import code_actions
from lsp.features.code_lens import code_lenses, show_air
from lsp.features.completion import completion
from lsp.features.definition import definition, type_definition
from lsp.features.folding import folding_ranges
from lsp.features.formatting import formatting
from lsp.features.hover import hover
from lsp.features.inlay_hints import inlay_hints
from lsp.features.references import highlight, references
from lsp.features.rename import RenameRefused, prepare_rename, rename
from lsp.features.selection import selection_range
from lsp.features.semantic_tokens import tokens
from lsp.features.signature_help import signature_help
from lsp.features.symbols import document_symbols, workspace_symbols
from tests.golden import Case, Golden, corpus
from tests.lsp.fixture import Fixture, apply


def _hover(f: Fixture) -> str:
    found = hover(f.workspace, f.path, f.offset)
    return "nothing" if found is None else found.contents.value.replace("/w/", "")


def _definition(f: Fixture) -> str:
    return "\n".join(f.place(x.uri, x.range) for x in definition(f.workspace, f.path, f.offset)) or "nothing"


def _type_definition(f: Fixture) -> str:
    return "\n".join(f.place(x.uri, x.range) for x in type_definition(f.workspace, f.path, f.offset)) or "nothing"


def _references(f: Fixture) -> str:
    return "\n".join(f.place(x.uri, x.range) for x in references(f.workspace, f.path, f.offset)) or "nothing"


def _highlight(f: Fixture) -> str:
    found = highlight(f.workspace, f.path, f.offset)
    return "\n".join(f"{h.kind.name} {f.place(to_uri(f.path), h.range)}" for h in found) or "nothing"


def _rename(f: Fixture) -> str:
    old = f.text(f.path)[f.offset : f.offset + 2]
    new = "RENAMED" if old.isupper() and len(old.strip()) == 2 else "Renamed" if old[:1].isupper() else "renamed"
    try:
        prepare_rename(f.workspace, f.path, f.offset)
        return f.applied(rename(f.workspace, f.path, f.offset, new))
    except RenameRefused as error:
        return f"refused: {error}"


def _completion(f: Fixture) -> str:
    """Items by rank; of those that import only what is in the workspace."""
    lines = []
    for item in sorted(completion(f.workspace, f.path, f.offset).items, key=lambda i: i.sort_text or ""):
        if item.detail and "aqua-lib" in item.detail:
            continue
        extra = "".join(f" + {e.new_text!r}" for e in item.additional_text_edits or ())
        insert = f" ⇒ {item.insert_text!r}" if item.insert_text else ""
        doc = f" -- {item.documentation.value}" if item.documentation else ""
        lines.append(f"{item.kind.name} {item.label}{f' : {item.detail}' if item.detail else ''}{insert}{extra}{doc}")
    return "\n".join(lines) or "nothing"


def _signature_help(f: Fixture) -> str:
    found = signature_help(f.workspace, f.path, f.offset)
    if found is None:
        return "nothing"
    (shown,) = found.signatures
    active = (
        shown.parameters[found.active_parameter].label if found.active_parameter < len(shown.parameters) else "none"
    )
    return f"{shown.label}\nactive: {active}" + (f"\n{shown.documentation.value}" if shown.documentation else "")


def _document_symbols(f: Fixture) -> str:
    lines = []
    for symbol in document_symbols(f.workspace, f.path):
        last = symbol.range.end.line + 1
        lines.append(f"{symbol.kind.name} {symbol.name}{symbol.detail or ''} {symbol.range.start.line + 1}–{last}")
        lines += [f"  {child.kind.name} {child.name}" for child in symbol.children or ()]
    return "\n".join(lines) or "nothing"


def _workspace_symbols(f: Fixture) -> str:
    """The word under the cursor is what is searched."""
    end = f.offset
    text = f.text(f.path)
    while text[end : end + 1].isalnum():
        end += 1
    found = workspace_symbols(f.workspace, text[f.offset : end])
    shown = [
        f"{s.kind.name} {s.name} in {s.container_name}, {f.place(s.location.uri, s.location.range)}" for s in found
    ]
    return "\n".join(shown) or "nothing"


def _semantic_tokens(f: Fixture) -> str:
    view = f.workspace.view(f.path)
    lines = []
    for fact, kind, modifiers in tokens(view):
        line = view.source.lines.line_of(fact.span.start) + 1
        lines.append(" ".join([str(line), fact.name, kind, *modifiers]))
    return "\n".join(lines) or "nothing"


def _inlay_hints(f: Fixture) -> str:
    """The text with its hints in «»."""
    text = f.text(f.path)
    source = SourceFile(f.path, text)
    out, done = [], 0
    for hint in inlay_hints(f.workspace, f.path, Span(0, len(text))):
        at = to_offset(source, hint.position)
        out += [text[done:at], f"«{hint.label}{f' ({hint.tooltip})' if hint.tooltip else ''}»"]
        done = at
    return "".join([*out, text[done:]])


def _folding(f: Fixture) -> str:
    ranges = folding_ranges(f.workspace, f.path)
    return "\n".join(f"{r.start_line + 1}–{r.end_line + 1}{f' {r.kind.value}' if r.kind else ''}" for r in ranges)


def _selection(f: Fixture) -> str:
    found = selection_range(f.workspace, f.path, f.offset)
    text = f.text(f.path)
    source = SourceFile(f.path, text)
    lines = []
    while found is not None:
        start, end = (to_offset(source, p) for p in (found.range.start, found.range.end))
        lines.append(repr(text[start:end]))
        found = found.parent
    return "\n".join(lines)


def _code_lens(f: Fixture) -> str:
    lines = []
    for lens in code_lenses(f.workspace, f.path):
        lines.append(f"{f.place(to_uri(f.path), lens.range)}: {lens.command.title}")
        if lens.command.title == "show AIR":
            lines.append(show_air(f.workspace, f.path, lens.command.arguments[1]) or "has errors")
    return "\n".join(lines) or "nothing"


def _call_hierarchy(f: Fixture) -> str:
    items = prepare_call_hierarchy(f.workspace, f.path, f.offset)
    if not items:
        return "nothing"
    lines = [f"{item.kind.name} {item.name}" for item in items]
    for word, calls in (("from", incoming_calls(f.workspace, items[0])), ("to", outgoing_calls(f.workspace, items[0]))):
        for call in calls:
            other = call.from_ if word == "from" else call.to
            where = call.from_.uri if word == "from" else items[0].uri
            places = ", ".join(f.place(where, r) for r in call.from_ranges)
            lines.append(f"{word} {other.kind.name} {other.name} at {places}")
    return "\n".join(lines)


def _code_actions(f: Fixture) -> str:
    """Every action with the files it makes."""
    span = Span(f.offset, f.offset if f.end < 0 else f.end)
    lines = []
    for action in code_actions(f.workspace, f.path, span):
        why = f" ({', '.join(str(d.code) for d in action.diagnostics)})" if action.diagnostics else ""
        lines += [f"■ {action.title} — {action.kind.value}{why}", f.applied(action.edit), ""]
    return "\n".join(lines) or "nothing"


def _air(f: Fixture) -> str:
    """What is shown for a script, then what is said of the cursor's place."""
    air = AirFile(SourceFile(f.path, f.text(f.path)))
    uri = to_uri(f.path)
    lines = [f"{f.place(uri, d.range)}: {d.message}" for d in air.diagnostics()]
    lines += _nested(air.symbols())
    lines += [f"fold {r.start_line + 1}–{r.end_line + 1}{f' {r.kind.value}' if r.kind else ''}" for r in air.folding()]
    if air.name_at(f.offset) is not None:
        lines += [f"definition {f.place(x.uri, x.range)}" for x in air.definition(f.offset)]
        lines += [f"{h.kind.name} {f.place(uri, h.range)}" for h in air.highlight(f.offset)]
        name = air.name_at(f.offset).text
        renamed = name[: len(name) - len(name.lstrip("$#%"))] + "renamed"
        lines.append(f.applied(air.rename(f.offset, renamed)))
    shown = air.signature_help(f.offset)
    if shown is not None:
        parameters = shown.signatures[0].parameters
        active = parameters[shown.active_parameter].label if parameters else "none"
        lines.append(f"{shown.signatures[0].label}, now {active}")
    items = air.completion(f.offset).items
    replaced = {f.place(uri, item.text_edit.range) for item in items if item.text_edit}
    lines.append(" ".join(["completes", *sorted(replaced), "with", *(item.label for item in items)]))
    selected = air.selection(f.offset)
    while selected is not None:
        lines.append(f"selects {f.place(uri, selected.range)}")
        selected = selected.parent
    hovered = air.hover(f.offset)
    lines += [hovered.contents.value] if hovered else []
    return "\n".join([*lines, air.formatted() or "not formatted", air.beautified() or ""])


def _nested(symbols: list[DocumentSymbol], depth: int = 0) -> list[str]:
    lines = []
    for symbol in symbols:
        lines += ["  " * depth + f"{symbol.kind.name} {symbol.name}", *_nested(list(symbol.children or ()), depth + 1)]
    return lines


def _formatting(f: Fixture) -> str:
    """The edits, each with its place and new text, and the text they make; of a selection if there is one."""
    source = SourceFile(f.path, f.text(f.path))
    selected = None if f.end < 0 else to_range(source, Span(f.offset, f.end))
    edits = formatting(f.workspace, f.path, selected)
    lines = [f"{e.range.start.line + 1}:{e.range.start.character + 1} {e.new_text!r}" for e in edits]
    return "\n".join([*lines, "", apply(source.text, edits)])


FEATURES: dict[str, Callable[[Fixture], str]] = {
    "hover": _hover,
    "definition": _definition,
    "type_definition": _type_definition,
    "references": _references,
    "highlight": _highlight,
    "rename": _rename,
    "completion": _completion,
    "signature_help": _signature_help,
    "document_symbols": _document_symbols,
    "workspace_symbols": _workspace_symbols,
    "semantic_tokens": _semantic_tokens,
    "inlay_hints": _inlay_hints,
    "folding": _folding,
    "selection": _selection,
    "code_lens": _code_lens,
    "call_hierarchy": _call_hierarchy,
    "code_actions": _code_actions,
    "formatting": _formatting,
    "air": _air,
}


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus"))
def test_feature(case: Case, golden: Golden) -> None:
    golden.check(case, "expected", FEATURES[case.path.stem](Fixture.of(case.input)))


def test_every_feature_has_cases() -> None:
    files = {path.stem for path in (Path(__file__).parent / "corpus").glob("*.txt")}
    assert files == set(FEATURES)
