"""`textDocument/semanticTokens`: what names are, for highlighting beyond what a grammar can tell.

Modifiers: `declaration`, `readonly` (constants), `remote` (calls inside `on` or `parseq`: another peer executes them),
`stream` (streams and stream maps), `defaultLibrary` (predefined names and the standard library).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types

from aquac.project.stdlib import is_stdlib
from aquac.semantics.types import AbilityType, Arrow, Stream, StreamMap
from lsp.convert import line_and_column
from lsp.legend import MODIFIERS, TYPES

if TYPE_CHECKING:
    from aquac.source import Span
    from lsp.facts import Fact
    from lsp.view import View
    from lsp.workspace import Workspace

_TYPE: Final = {
    "constant": "variable",
    "function": "function",
    "variable": "variable",
    "argument": "parameter",
    "field": "property",
    "method": "method",
    "type": "struct",
    "service": "interface",
    "module": "namespace",
}


def semantic_tokens(workspace: Workspace, path: str, span: Span | None = None) -> types.SemanticTokens:
    """Tokens of a file, or of those lines that `span` touches."""
    data: list[int] = []
    line = column = 0
    view = workspace.view(path)
    if view is None:
        return types.SemanticTokens(data)
    for fact, kind, modifiers in tokens(view, span):
        at, start = line_and_column(view.source, fact.span.start)
        data += (
            at - line,
            start - column if at == line else start,
            len(fact.name),
            TYPES.index(kind),
            sum(1 << MODIFIERS.index(m) for m in modifiers),
        )
        line, column = at, start
    return types.SemanticTokens(data)


def tokens(view: View, span: Span | None = None) -> list[tuple[Fact, str, list[str]]]:
    """Facts with token type and modifiers, one a place."""
    found: list[tuple[Fact, str, list[str]]] = []
    last = -1
    for fact in view.facts:
        if fact.kind == "file" or fact.span.start < last or fact.span.end - fact.span.start != len(fact.name):
            continue
        if span is not None and (fact.span.end < span.start or fact.span.start > span.end):
            continue
        last = fact.span.end
        found.append((fact, _kind(fact), _modifiers(view, fact)))
    return found


def _kind(fact: Fact) -> str:
    if fact.kind == "type" and isinstance(fact.type, AbilityType):
        return "class"
    if fact.kind in ("variable", "argument") and isinstance(fact.type, Arrow):
        return "function"
    if fact.kind == "field" and isinstance(fact.type, Arrow):
        return "method"
    return _TYPE[fact.kind]


def _modifiers(view: View, fact: Fact) -> list[str]:
    modifiers = []
    declared = fact.is_definition(view.path)
    if declared:
        modifiers.append("declaration")
    if fact.kind == "constant":
        modifiers.append("readonly")
    if isinstance(fact.type, Stream | StreamMap) and fact.kind in ("variable", "argument"):
        modifiers.append("stream")
    if fact.kind in ("function", "method") and not declared and view.runs.at(fact.span.start).peer:
        modifiers.append("remote")
    library = fact.site is None if fact.kind == "constant" else fact.site is not None and is_stdlib(fact.site.file.path)
    if library:
        modifiers.append("defaultLibrary")
    return modifiers
