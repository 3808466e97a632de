"""`textDocument/inlayHint`: types of names that are bound without one, and the peer that executes a call of a service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from aquac.semantics.printing import brief
from aquac.semantics.types import Arrow
from aquac.syntax import ast
from lsp.convert import to_range
from lsp.places import unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquac.semantics.types import Type
    from aquac.source import Span
    from lsp.view import View
    from lsp.workspace import Workspace

TYPE_LENGTH_MAX = 40
"""Longer types are cut in hints."""


def inlay_hints(workspace: Workspace, path: str, span: Span) -> list[types.InlayHint]:
    """Hints for the names bound inside `span` and the calls that begin there."""
    view = workspace.view(path)
    if view is None:
        return []
    settings = workspace.settings_of(path)
    hints: list[types.InlayHint] = []
    for name in _bound(view) if settings.type_hints else ():
        if span.start <= name.span.end <= span.end:
            fact = view.fact_at(name.span.start)
            if fact is not None and fact.span == name.span and fact.type is not None:
                text = _type_text(fact.type)
                hints.append(_hint(view, name.span, f": {text}", types.InlayHintKind.Type))
    for end in _remote_calls(view, span) if settings.peer_hints else ():
        run = view.runs.at(end.start)
        if run.peer is not None:
            hint = _hint(view, end, f" on {run.peer}", None)
            hint.tooltip = "executed there" + (f", reached by {' → '.join(run.hops)}" if run.hops else "")
            hints.append(hint)
    return sorted(hints, key=lambda h: (h.position.line, h.position.character))


def _hint(view: View, span: Span, label: str, kind: types.InlayHintKind | None) -> types.InlayHint:
    return types.InlayHint(to_range(view.source, span).end, label, kind=kind)


def _type_text(t: Type) -> str:
    """A type in a few letters; which numbers a literal fits is left out."""
    text = re.sub(r"\b(?:unsigned|signed|float) literal", "number", brief(t)).replace(" literal", "")
    return text if len(text) <= TYPE_LENGTH_MAX else text[: TYPE_LENGTH_MAX - 1] + "…"


def statements(view: View) -> Iterator[ast.Statement]:
    """Every statement of a file, `par` and `co` unwrapped, in no particular order."""
    waiting = [s for d in view.file.definitions if isinstance(d, ast.Func) for s in d.body]
    while waiting:
        statement = unwrapped(waiting.pop())
        yield statement
        waiting += getattr(statement, "body", ())


def _bound(view: View) -> Iterator[ast.Name]:
    for statement in statements(view):
        match statement:
            case ast.Assign(name):
                yield name
            case ast.CallStmt(results):
                # A stream that takes a result was declared with its type.
                yield from (n for n in results if _is_new(view, n))
            case ast.For() | ast.ParSeq():
                yield statement.item
                if statement.value_item is not None:
                    yield statement.value_item
            case _:
                pass


def _is_new(view: View, name: ast.Name) -> bool:
    fact = view.fact_at(name.span.start)
    return fact is not None and fact.is_definition(view.path) and not isinstance(fact.type, Arrow)


def _remote_calls(view: View, span: Span) -> Iterator[Span]:
    """Calls of services that are statements of their own."""
    for statement in statements(view):
        if isinstance(statement, ast.CallStmt) and isinstance(statement.value, ast.Chain):
            whole, last = statement.value.full, statement.value.ops[-1]
            fact = view.fact_at(last.span.start) if isinstance(last, ast.MethodOp) else None
            if fact is not None and fact.kind == "method" and span.start <= whole.end <= span.end:
                yield whole
