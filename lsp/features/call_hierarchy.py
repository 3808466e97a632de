"""`textDocument/prepareCallHierarchy`, `callHierarchy/incomingCalls` and `outgoingCalls`: who calls a function, whom it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from aquac.syntax import ast
from lsp.convert import to_offset, to_path, to_range, to_uri
from lsp.mentions import everywhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquac.source import Span
    from lsp.facts import Fact
    from lsp.mentions import Mention
    from lsp.view import View
    from lsp.workspace import Workspace

CALLED = ("function", "method", "field")


def prepare_call_hierarchy(workspace: Workspace, path: str, offset: int) -> list[types.CallHierarchyItem]:
    """The function or method at an offset."""
    view = workspace.view(path)
    fact = None if view is None else view.fact_at(offset)
    if view is None or fact is None or fact.site is None or fact.kind not in CALLED:
        return []
    owner = view.view_of(fact.site)
    item = None if owner is None else _item(owner, fact.site.span.start)
    return [] if item is None else [item]


def incoming_calls(
    workspace: Workspace, item: types.CallHierarchyItem, *, mentions: Sequence[Mention] | None = None
) -> list[types.CallHierarchyIncomingCall]:
    """Functions that mention the item in their bodies; `mentions` as in `references`."""
    found = target(workspace, item)
    if found is None:
        return []
    calls: dict[tuple[str, int], tuple[View, list[Span]]] = {}
    for mention in everywhere(workspace, *found) if mentions is None else mentions:
        view, span = mention.view, mention.fact.span
        around = view.function_around(span.start)
        if around is not None:
            calls.setdefault((view.path, around[0].name.span.start), (view, []))[1].append(span)
    result = []
    for (_, start), (view, spans) in calls.items():
        caller = _item(view, start)
        if caller is not None:
            result.append(types.CallHierarchyIncomingCall(caller, [to_range(view.source, s) for s in spans]))
    return result


def outgoing_calls(workspace: Workspace, item: types.CallHierarchyItem) -> list[types.CallHierarchyOutgoingCall]:
    """Functions and methods mentioned in the body of the item."""
    found = target(workspace, item)
    if found is None:
        return []
    view, of = found
    calls: dict[tuple[str, int], tuple[Fact, list[Span]]] = {}
    d, whole = view.extents.get(of.span.start, (None, of.span))
    for fact in view.facts if isinstance(d, ast.Func) else ():
        inside = of.span.end < fact.span.start <= whole.end
        if inside and fact.kind in ("function", "method") and fact.key is not None:
            calls.setdefault(fact.key, (fact, []))[1].append(fact.span)
    result = []
    for fact, spans in calls.values():
        owner = None if fact.site is None else view.view_of(fact.site)
        callee = None if owner is None or fact.site is None else _item(owner, fact.site.span.start)
        if callee is not None:
            result.append(types.CallHierarchyOutgoingCall(callee, [to_range(view.source, s) for s in spans]))
    return result


def target(workspace: Workspace, item: types.CallHierarchyItem) -> tuple[View, Fact] | None:
    """What an item of `prepare_call_hierarchy` stands for; None if it is gone."""
    path = to_path(item.uri)
    view = None if path is None else workspace.view(path)
    fact = None if view is None else view.fact_at(to_offset(view.source, item.selection_range.start))
    return None if view is None or fact is None else (view, fact)


def _item(view: View, start: int) -> types.CallHierarchyItem | None:
    d, whole = view.extents.get(start, (None, None))
    if isinstance(d, ast.Func) and whole is not None:
        return _make(view, d.name, whole, types.SymbolKind.Function, None)
    if start in view.members:
        owner, member = view.members[start]
        return _make(view, member.name, member.name.span, types.SymbolKind.Method, owner.name.text)
    return None


def _make(
    view: View, name: ast.Name, whole: Span, kind: types.SymbolKind, detail: str | None
) -> types.CallHierarchyItem:
    whole_range, name_range = to_range(view.source, whole), to_range(view.source, name.span)
    return types.CallHierarchyItem(name.text, kind, to_uri(view.path), whole_range, name_range, detail=detail)
