"""`textDocument/documentSymbol` and `workspace/symbol`: definitions and their members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types

from aquac.source import Span
from aquac.syntax import ast
from lsp.convert import to_range, to_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquac.source import SourceFile
    from lsp.workspace import Workspace

SYMBOLS_MAX: Final = 500
"""Answers to one search in the workspace."""

_KINDS: Final = {
    ast.Const: types.SymbolKind.Constant,
    ast.Alias: types.SymbolKind.TypeParameter,
    ast.Data: types.SymbolKind.Struct,
    ast.Service: types.SymbolKind.Interface,
    ast.Ability: types.SymbolKind.Class,
    ast.Func: types.SymbolKind.Function,
}


def document_symbols(workspace: Workspace, path: str) -> list[types.DocumentSymbol]:
    """The outline of a file."""
    source, file = workspace.parsed(path)
    return [_symbol(source, d, whole) for d, whole in extents(source, file)]


def extents(source: SourceFile, file: ast.File) -> Iterator[tuple[ast.Definition, Span]]:
    """Definitions with their text: from the comment above to the last line that is not blank or a comment of the next."""
    text = source.text
    starts = [text.rfind("\n", 0, d.name.span.start) + 1 for d in file.definitions]
    for n, d in enumerate(file.definitions):
        limit = starts[n + 1] if n + 1 < len(starts) else len(text)
        end = first_end = text.find("\n", d.name.span.end)
        end = first_end = len(text) if first_end < 0 else first_end
        at = first_end + 1
        while at < limit:
            stop = text.find("\n", at)
            stop = len(text) if stop < 0 else stop
            line = text[at:stop]
            if line.strip():
                if not line[0].isspace() and line[0] not in ")]}":
                    break
                end = stop
            at = stop + 1
        start = starts[n]
        for _ in d.doc.splitlines() if d.doc else ():
            start = text.rfind("\n", 0, max(0, start - 1)) + 1
        yield d, Span(start, end)


def _symbol(source: SourceFile, d: ast.Definition, whole: Span) -> types.DocumentSymbol:
    children = []
    if isinstance(d, ast.Data | ast.Service | ast.Ability):
        for member in d.members:
            method = isinstance(member.type, ast.ArrowType)
            kind = types.SymbolKind.Method if method else types.SymbolKind.Field
            end = source.text.find("\n", member.name.span.start)
            span = Span(member.name.span.start, len(source.text) if end < 0 else end)
            children.append(
                types.DocumentSymbol(member.name.text, kind, to_range(source, span), to_range(source, member.name.span))
            )
    return types.DocumentSymbol(
        d.name.text,
        _KINDS[type(d)],
        to_range(source, whole),
        to_range(source, d.name.span),
        detail=_detail(source, d),
        children=children or None,
    )


def _detail(source: SourceFile, d: ast.Definition) -> str | None:
    """The rest of the first line of a function."""
    if not isinstance(d, ast.Func):
        return None
    end = source.text.find("\n", d.name.span.end)
    line = source.text[d.name.span.end : len(source.text) if end < 0 else end]
    return line.partition(" --")[0].rstrip().rstrip(":") or None


def workspace_symbols(workspace: Workspace, query: str) -> list[types.WorkspaceSymbol]:
    """Definitions of all files whose names have the letters of `query` in this order; the closest first."""
    found: list[tuple[int, str, types.WorkspaceSymbol]] = []
    for path in workspace.files():
        source, file = workspace.parsed(path)
        for d in file.definitions:
            rank = match(query, d.name.text)
            if rank is not None:
                location = types.Location(to_uri(path), to_range(source, d.name.span))
                header = file.header[0] if file.header else None
                container = header.name.text if isinstance(header, ast.ModuleHeader) else None
                symbol = types.WorkspaceSymbol(location, d.name.text, _KINDS[type(d)], container_name=container)
                found.append((rank, d.name.text, symbol))
    found.sort(key=lambda item: item[:2])
    return [symbol for _, _, symbol in found[:SYMBOLS_MAX]]


def match(query: str, name: str) -> int | None:
    """0 for equal names, 1 for a beginning, 2 for a part, 3 for letters in order; None for no match."""
    query, name = query.lower(), name.lower()
    if query == name:
        return 0
    at = name.find(query)
    if at >= 0:
        return 1 if at == 0 else 2
    letters = iter(name)
    return 3 if all(letter in letters for letter in query) else None
