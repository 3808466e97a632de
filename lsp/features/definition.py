"""`textDocument/definition`, `declaration` and `typeDefinition`: where a name, or the type of a value, is defined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsp.convert import to_location
from lsp.facts import header_site
from lsp.last_good import with_last_good

if TYPE_CHECKING:
    from lsprotocol import types

    from lsp.workspace import Workspace


def definition(workspace: Workspace, path: str, offset: int) -> list[types.Location]:
    """Where the name at `offset` is defined; of the path of an import the file. `T(x)` has two answers."""
    found = with_last_good(workspace, path, offset, lambda view, at: view.fact_at(at))
    if found is None:
        return []
    view, first, at, _, _ = found
    facts = [fact for fact in view.facts_at(at) if fact.span == first.span]
    if first.kind == "module" and first.is_definition(view.path):  # the alias in a `use` line leads on to the file
        target = view.module_behind(first)
        if target is not None and target is not view.checked:
            return [to_location(header_site(target.module.source, target.module.file))]
    return [to_location(fact.site) for fact in facts if fact.site is not None]


def type_definition(workspace: Workspace, path: str, offset: int) -> list[types.Location]:
    """Where the data, ability or service type of the value at `offset` is defined; of collections that of the elements."""
    found = with_last_good(workspace, path, offset, lambda view, at: view.fact_at(at))
    if found is None:
        return []
    view, fact, _, _, _ = found
    site = None if fact.type is None else view.type_site(fact.type)
    return [] if site is None else [to_location(site)]
