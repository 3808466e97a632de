"""`textDocument/hover`: what the name under the cursor is, its comment, and for calls the peer that executes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types

from aquac.semantics.printing import brief
from aquac.semantics.raw import ServicePart, TypePart
from aquac.semantics.types import Arrow
from aquac.syntax import ast
from lsp.convert import to_range
from lsp.last_good import with_last_good
from lsp.places import place_at, run_at
from lsp.texts import member, part_text, signature
from lsp.words import WORDS, word_at

if TYPE_CHECKING:
    from aquac.source import SourceFile
    from lsp.facts import Fact
    from lsp.view import View
    from lsp.workspace import Workspace


NAMES_SHOWN_MAX: Final = 20
"""Names of a file shown in a hover."""


def hover(workspace: Workspace, path: str, offset: int) -> types.Hover | None:
    """What to show for the text at `offset`; None where nothing is known."""
    found = with_last_good(workspace, path, offset, lambda view, at: view.fact_at(at))
    if found is None:
        return _word(workspace.text(path), offset)
    view, fact, at, source, span = found
    code, doc = describe(view, fact)
    blocks = [f"```aqua\n{code}\n```"]
    if doc:
        blocks.append(doc)
    where = executed_at(view, fact, at)
    if where:
        blocks += ["---", where]
    return types.Hover(
        types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(blocks)), range=to_range(source, span)
    )


def _word(source: SourceFile, offset: int) -> types.Hover | None:
    """A word of the language: what it does; nothing in comments and texts."""
    found = word_at(source.text, offset)
    if found is None:
        return None
    word, span = found
    content = types.MarkupContent(types.MarkupKind.Markdown, f"```aqua\n{word}\n```\n\n{WORDS[word]}")
    return types.Hover(content, range=to_range(source, span))


def describe(view: View, fact: Fact) -> tuple[str, str]:
    """Aqua text and comment of what a fact is about."""
    owner = None if fact.site is None else view.view_of(fact.site)
    at = -1 if fact.site is None else fact.site.span.start
    if fact.kind in ("module", "file"):
        return _module(view, fact)
    if fact.kind in ("field", "method"):
        known = None if owner is None else owner.members.get(at)
        doc = "" if known is None else known[1].doc
        of = getattr(fact.owner, "name", "") if known is None else known[0].name.text
        return (f"{of}." if of else "") + (fact.name if fact.type is None else member(fact.name, fact.type)), doc
    part = owner.parts.get(at) if owner is not None else None
    if part is not None and fact.kind in ("constant", "function", "type", "service"):
        text = part_text(part, view.fields_of(part.type) if isinstance(part, TypePart | ServicePart) else ())
        if fact.name != part.name and not isinstance(part, TypePart | ServicePart):
            text = text.replace(part.name, fact.name, 1)
        return text, part.doc
    if fact.type is None:
        return f"{fact.name}: unknown, its definition has errors", ""
    if isinstance(fact.type, Arrow) and fact.kind == "function":
        return f"func {fact.name}{signature(fact.type)}", ""
    word = {"constant": "const ", "type": "type ", "service": "service "}.get(fact.kind, "")
    return f"{word}{fact.name}: {brief(fact.type)}", "predefined" if fact.site is None and word else ""


def _module(view: View, fact: Fact) -> tuple[str, str]:
    """The header of a file with the names it declares, and its path; of a used module those that are taken from it."""
    target = view.module_behind(fact)
    if target is None:
        return f"aqua {fact.name}", ""
    used = view.context.module_at(fact.name) if fact.kind == "module" else None
    names = [d.name.text for d in target.module.file.definitions]
    if used is not None:
        visible = {part.name for _, part in used.parts if part.site is not None}
        names = [name for name in names if name in visible] or sorted(visible)
    else:
        names = [name for name in names if name in target.context.declares]
    shown = ", ".join(names[:NAMES_SHOWN_MAX]) + (", …" if len(names) > NAMES_SHOWN_MAX else "")
    name = fact.name if used is not None else target.context.module or "?"
    return f"aqua {name}" + (f" declares {shown}" if shown else ""), target.module.path


def executed_at(view: View, fact: Fact, offset: int) -> str:
    """Where a call is executed; empty for other facts, outside functions and at definitions."""
    if fact.kind not in ("function", "method", "service"):
        return ""
    place = place_at(view, offset)
    if not isinstance(place.definition, ast.Func) or view.line_span(place.definition.name.span.start).end > offset:
        return ""
    run = run_at(view, place)
    if run.peer is None:
        closures = [s for s in place.around if isinstance(s, ast.Closure)]
        caller = closures[-1].name.text if closures else place.definition.name.text
        return f"Runs on the peer that calls `{caller}`."
    if not run.hops:
        return f"Runs on `{run.peer}`."
    return f"Runs on `{run.peer}`, reached by {' → '.join(f'`{hop}`' for hop in run.hops)}."
