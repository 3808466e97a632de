"""`textDocument/codeLens`: above each exported function, show its AIR or its graph or run it; above others how often they are used.

The server executes `aqua.showAir` and `aqua.showGraph` itself; `aqua.run` is for the editor's terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types

from aquac.compiler import Options, compile_path
from aquac.project.bundle import Overlay
from lsp.convert import to_range, to_uri
from lsp.mentions import in_file
from lsp.requests import SHOW_AIR, SHOW_GRAPH

if TYPE_CHECKING:
    from aquac.compiler import Compiled
    from lsp.workspace import Workspace

RUN: Final = "aqua.run"


def code_lenses(workspace: Workspace, path: str) -> list[types.CodeLens]:
    """Lenses of the functions of a file, in order."""
    view = workspace.view(path)
    if view is None or not workspace.settings_of(path).lenses:
        return []
    lenses = []
    for d, _ in view.functions():
        where = to_range(view.source, d.name.span)
        public = view.context.exports.get(d.name.text)
        if public is not None:
            arguments: list[object] = [to_uri(path), public]
            lenses.append(types.CodeLens(where, types.Command("show AIR", SHOW_AIR, arguments=arguments)))
            lenses.append(types.CodeLens(where, types.Command("show graph", SHOW_GRAPH, arguments=arguments)))
            lenses.append(types.CodeLens(where, types.Command("run", RUN, arguments=arguments)))
        else:
            fact = view.fact_at(d.name.span.start)
            uses = 0 if fact is None else sum(not m.is_definition for m in in_file(view, fact))
            title = "not used here" if not uses else f"{uses} use{'' if uses == 1 else 's'} here"
            lenses.append(types.CodeLens(where, types.Command(title, "")))
    return lenses


def show_air(workspace: Workspace, path: str, function: str) -> str | None:
    """The script of an exported function, of the texts as they are in the editor; None if the file has errors."""
    found = compiled(workspace, path).functions.get(function)
    return None if found is None else found.script


def compiled(workspace: Workspace, path: str) -> Compiled:
    """A file compiled from the texts as they are in the editor."""
    settings = workspace.settings_of(path)
    return compile_path(
        path,
        imports=settings.project().imports,
        constants=settings.constant_texts,
        options=Options(legacy_headers=settings.legacy_headers),
        store=Overlay(workspace.buffers),
    )
