"""`textDocument/signatureHelp`: arguments of the function whose brackets are open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from aquac.semantics.raw import FuncPart, ModuleContext, TypePart
from aquac.semantics.types import AbilityType, Arrow, Struct
from lsp.expressions import type_of
from lsp.places import place_at
from lsp.texts import member, parameter_texts, signature

from .call_context import call_at
from .completion import members_of

if TYPE_CHECKING:
    from lsp.view import View
    from lsp.workspace import Workspace


def signature_help(workspace: Workspace, path: str, offset: int) -> types.SignatureHelp | None:
    """The signature of the innermost call around the cursor."""
    view = workspace.view(path)
    call = None if view is None else call_at(view.text, offset)
    if view is None or call is None:
        return None
    found = _callee(view, call.callee, offset)
    if found is None:
        mended = workspace.mended(path, offset)
        found = None if mended is None else _callee(mended, call.callee, offset)
    if found is None:
        return None
    label, parameters, doc = found
    active = call.active
    names = [text.partition(":")[0] for text in parameters]
    typed = call.args[-1].partition("=")[0].strip() if call.args else ""
    if "=" in (call.args[-1] if call.args else "") and typed in names:
        active = names.index(typed)
    information = types.SignatureInformation(
        label,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, doc) if doc else None,
        parameters=[types.ParameterInformation(text) for text in parameters],
    )
    return types.SignatureHelp([information], 0, active)


def _callee(view: View, name: str, offset: int) -> tuple[str, list[str], str] | None:
    """Label, arguments and comment of a function, method, or constructor."""
    place = place_at(view, offset)
    for is_type in (False, True):
        part = view.context.part(name, is_type=is_type) or view.context.member(name, is_type=is_type)
        if isinstance(part, FuncPart):
            arrow = part.arrow.type
            return f"{part.name}{signature(arrow)}", parameter_texts(arrow), part.doc
        if isinstance(part, TypePart) and isinstance(part.type, Struct | AbilityType):
            fields = [member(n, t) for n, t in view.fields_of(part.type)]
            return f"{part.name}({', '.join(fields)})", fields, part.doc
    receiver, dot, method = name.rpartition(".")
    if not dot:
        t = type_of(view, place, name)
        return (f"{name}{signature(t)}", parameter_texts(t), "") if isinstance(t, Arrow) else None
    of = type_of(view, place, receiver)
    if of is None or isinstance(of, ModuleContext):
        return None
    if isinstance(of, Struct) and method == "copy":
        fields = [member(n, t) for n, t in view.fields_of(of)]
        return f"copy({', '.join(fields)})", fields, f"`{of.name}` with other values of some fields"
    for label, t, doc in members_of(view, of):
        if label == method and isinstance(t, Arrow):
            return f"{label}{signature(t)}", parameter_texts(t), doc
    return None
