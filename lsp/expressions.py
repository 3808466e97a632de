"""The type of an expression that stands alone, such as what is written before a `.`, in the scope of a place.

The compiler elaborates it as it would in the file, with the visible names bound to the types found there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.lowering.trampoline import run
from aquac.semantics.report import Reporter
from aquac.semantics.resolve import Values
from aquac.semantics.scope import Scope
from aquac.semantics.type_names import TypeNames
from aquac.source import SourceFile, Span
from aquac.syntax import ast
from aquac.syntax.parse import parse_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquac.semantics.raw import ModuleContext
    from aquac.semantics.types import Type

    from .places import Place
    from .view import View

_OPENS = {")": "(", "]": "["}


def before(text: str, end: int) -> str:
    """The longest value that ends at `end`: names, properties, calls and indexes; empty if there is none."""
    at = end
    while at:
        char = text[at - 1]
        if char.isalnum() or char in "_.!":
            at -= 1
        elif char in _OPENS:
            opened = _opening(text, at - 1)
            if opened < 0:
                return ""
            at = opened
        else:
            break
    return text[at:end].lstrip("!")


def _opening(text: str, close: int) -> int:
    """Offset of the bracket that the one at `close` closes, on the same line."""
    stack = [_OPENS[text[close]]]
    at = close
    while at and text[at - 1] != "\n":
        at -= 1
        if text[at] in _OPENS:
            stack.append(_OPENS[text[at]])
        elif text[at] == stack[-1]:
            stack.pop()
            if not stack:
                return at
    return -1


def type_of(view: View, place: Place, text: str, more: Mapping[str, Type] | None = None) -> Type | ModuleContext | None:
    """Type of the value `text` at a place; for the name of a used module the module; None if it has no meaning.

    more: types of names that are visible besides those of the place.
    """
    module = view.context.module_at(text)
    if module is not None:
        return module
    source = SourceFile(view.path, text)
    report = Reporter(source)
    scope = Scope(report, view.context)
    service = scope.service_type(text)
    if service is not None:
        return service
    value = parse_value(text)
    if value is None:
        return None
    with scope.frame():
        for name, binding in place.names.items():
            fact = view.fact_at(binding.span.start)
            if fact is not None and fact.type is not None and fact.span == binding.span:
                scope.define(ast.Name(name, Span(0, 0)), fact.type)
        for name, t in (more or {}).items():
            scope.define(ast.Name(name, Span(0, 0)), t)
        result = run(Values(scope, TypeNames(scope)).value(value))
    return None if result is None else result.type
