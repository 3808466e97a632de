"""`textDocument/references` and `documentHighlight`: every mention of the thing under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from aquac.semantics.raw import Site
from aquac.semantics.types import Stream, StreamMap
from aquac.syntax import ast
from lsp.convert import to_location, to_range
from lsp.mentions import everywhere, in_file, of_ability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsp.mentions import Mention
    from lsp.view import View
    from lsp.workspace import Workspace


def references(
    workspace: Workspace,
    path: str,
    offset: int,
    *,
    declaration: bool = True,
    mentions: Sequence[Mention] | None = None,
) -> list[types.Location]:
    """Mentions in all files of the workspace, unless they are found already; `declaration`: the definition too."""
    view = workspace.view(path)
    fact = None if view is None else view.fact_at(offset)
    if view is None or fact is None:
        return []
    return [
        to_location(Site(mention.view.source, mention.fact.span))
        for mention in (everywhere(workspace, view, fact) if mentions is None else mentions)
        if (declaration or not mention.is_definition) and mention.fact.kind != "file"
    ]


def highlight(workspace: Workspace, path: str, offset: int) -> list[types.DocumentHighlight]:
    """Mentions in this file; definitions and pushes to streams are writes."""
    view = workspace.view(path)
    fact = None if view is None else view.fact_at(offset)
    if view is None or fact is None:
        return []
    writes = _pushes(view) if isinstance(fact.type, Stream | StreamMap) else set()
    found = []
    for mention in in_file(view, of_ability(view, fact)):
        write = mention.is_definition or mention.fact.span.start in writes
        kind = types.DocumentHighlightKind.Write if write else types.DocumentHighlightKind.Read
        found.append(types.DocumentHighlight(to_range(view.source, mention.fact.span), kind))
    return found


def _pushes(view: View) -> set[int]:
    """Where streams are written: before `<<-` and `<-`."""
    starts: set[int] = set()
    waiting = [s for d in view.file.definitions if isinstance(d, ast.Func) for s in d.body]
    while waiting:
        statement = waiting.pop()
        match statement:
            case ast.Push(target):
                starts.add(target.span.start)
            case ast.CallStmt(results):
                starts.update(name.span.start for name in results)
            case ast.Par() | ast.Co():
                waiting.append(statement.body)
            case _:
                waiting += getattr(statement, "body", ())
    return starts
