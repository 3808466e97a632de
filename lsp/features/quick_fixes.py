"""Repairs of single findings that need more than the finding itself carries: other files, types, the lines around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac import codes
from aquac.diagnostics import Diagnostic, Edit, Fix
from aquac.project.stdlib import is_stdlib
from aquac.semantics.printing import brief
from aquac.semantics.raw import FuncPart, TypePart
from aquac.semantics.types import (
    AbilityType,
    Array,
    Arrow,
    LiteralType,
    Option,
    Scalar,
    ServiceType,
    Stream,
    StreamMap,
    Struct,
    Type,
)
from aquac.source import Span
from aquac.syntax import ast
from lsp.expressions import type_of
from lsp.imports import import_edit, offers
from lsp.places import place_at

from .call_context import call_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aquac.semantics.raw import ModuleContext
    from aquac.source import SourceFile
    from lsp.facts import Fact
    from lsp.view import View
    from lsp.workspace import Workspace

IMPORTS_OFFERED_MAX: Final = 5
LITERALS: Final = {
    "unsigned": "u32",
    "signed": "i32",
    "float": "f64",
    "bool": "bool",
    "string": "string",
    "number": "u32",
}


def quick_fixes(workspace: Workspace, view: View, diagnostic: Diagnostic) -> Iterator[Fix]:
    """Fixes of a finding in the file of `view`, besides those it carries."""
    make = _FIXES.get(diagnostic.code.id)
    if make is not None and diagnostic.span is not None:
        yield from make(workspace, view, diagnostic.span)


def written(t: Type | ModuleContext | None) -> str | None:
    """A type as it is written in a signature; None for what has no name there."""
    match t:
        case LiteralType(name):
            return LITERALS[name]
        case Arrow() | Scalar() | Struct() | AbilityType() | ServiceType():
            return brief(t)
        case Array(element) | Option(element) | Stream(element) | StreamMap(element):
            inner = written(element)
            return None if inner is None else brief(t).removesuffix(brief(element)) + inner
        case _:
            return None


def default(t: Type) -> str:
    """A value of a type to begin with."""
    match t:
        case Scalar("string"):
            return '""'
        case Scalar("bool"):
            return "false"
        case Scalar(name):
            return "0.0" if name.startswith("f") else "0"
        case Struct(name, fields):
            return f"{name}({', '.join(f'{n} = {default(f)}' for n, f in fields)})"
        case _:
            return "nil"


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _import(workspace: Workspace, view: View, span: Span) -> Iterator[Fix]:
    name = view.text[span.start : span.end]
    number = 0
    for offer in offers(workspace, view, name):
        if number < IMPORTS_OFFERED_MAX:
            number += 1
            yield Fix(f"import `{name}` from {offer.text}", (import_edit(view, name, offer.path, offer.text),))


def _unknown_function(workspace: Workspace, view: View, span: Span) -> Iterator[Fix]:
    yield from _import(workspace, view, span)
    name = view.text[span.start : span.end]
    call = call_at(view.text, _call_end(view.text, span.end))
    place = place_at(view, span.start)
    if call is None or call.callee != name or place.definition is None or not name[:1].islower():
        return
    params = []
    for n, arg in enumerate(a for a in call.args if a):
        label = arg if arg.isidentifier() and arg[:1].islower() else f"arg{n + 1}"
        params.append(f"{label}: {written(type_of(view, place, arg)) or 'string'}")
    statement = view.text[view.line_span(span.start).start : span.start]
    results = statement.partition("<-")[0].count(",") + 1 if "<-" in statement else 0
    if "=" in statement and not results:
        results = 1
    head = f"func {name}({', '.join(params)})" + (f" -> {', '.join(['string'] * results)}" if results else "")
    values = ", ".join(['""'] * results)
    body = f"  <- {values}" if results else "  nothing = 0"
    at = definition_start(view, place.definition)
    yield Fix(f"create function `{name}`", (Edit(view.source, Span(at, at), f"{head}:\n{body}\n\n"),))


def _call_end(text: str, at: int) -> int:
    """Offset of the bracket that closes a call whose name ends at `at`, else of the end of the line."""
    depth = 0
    while at < len(text) and text[at] != "\n":
        if text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return at


def definition_start(view: View, d: ast.Definition) -> int:
    """Where the comment above a definition begins, else its first line."""
    start = view.line_span(d.name.span.start).start
    while start:
        above = view.line_span(start - 1)
        if not view.text[above.start : above.end].startswith("--"):
            break
        start = above.start
    return start


def _undeclared(workspace: Workspace, view: View, span: Span) -> Iterator[Fix]:
    """Declare in the imported file what is imported from it."""
    name = view.text[span.start : span.end]
    for line in view.file.header:
        if not isinstance(line, ast.Import | ast.Use) or not any(i.name.span == span for i in line.items or ()):
            continue
        target = view.project.modules.get(view.checked.module.imports.get(line.path.text, ""))
        if target is None or is_stdlib(target.module.path):
            return
        defined = any(d.name.text == name for d in target.module.file.definitions)
        header = target.module.file.header[0] if target.module.file.header else None
        if defined and isinstance(header, ast.ModuleHeader):
            yield Fix(f"declare `{name}` in {line.path.text}", (declare_edit(target.module.source, header, name),))


def declare_edit(source: SourceFile, header: ast.ModuleHeader, name: str) -> Edit:
    """Add a name to the `declares` list of a file."""
    if header.declares:
        end = header.declares[-1].span.end
        return Edit(source, Span(end, end), f", {name}")
    end = header.name.span.end
    return Edit(source, Span(end, end), f" declares {name}")


# ── values and signatures ────────────────────────────────────────────────────────────────────────────────────────────


def _missing_fields(_: Workspace, view: View, span: Span) -> Iterator[Fix]:
    name = view.text[span.start : span.end]
    part = view.context.part(name, is_type=True) or view.context.member(name, is_type=True)
    close = _call_end(view.text, span.end)
    call = call_at(view.text, close)
    if call is None or not isinstance(part, TypePart) or not isinstance(part.type, Struct | AbilityType):
        return
    given = {arg.partition("=")[0].strip() for arg in call.args}
    missing = [
        f"{n} = {default(t)}" for n, t in view.fields_of(part.type) if n not in given and not isinstance(t, Arrow)
    ]
    if missing and close < len(view.text) and view.text[close] == ")":
        before = ", " if any(call.args) else ""
        title = "add " + ", ".join(f"`{m.partition(' =')[0]}`" for m in missing)
        yield Fix(title, (Edit(view.source, Span(close, close), before + ", ".join(missing)),))


def _no_return(_: Workspace, view: View, span: Span) -> Iterator[Fix]:
    place = place_at(view, span.start)
    d = place.definition
    if not isinstance(d, ast.Func) or not d.body:
        return
    part = view.parts.get(d.name.span.start)
    fact = view.fact_at(d.name.span.start)
    arrow = part.arrow.type if isinstance(part, FuncPart) else None if fact is None else fact.type
    if not isinstance(arrow, Arrow):
        return
    end = _last_line(view, d)
    indent = " " * view.indentation(d.body[0].span.start)
    value = ", ".join(default(t) for t in arrow.results)
    yield Fix("return a value", (Edit(view.source, Span(end, end), f"\n{indent}<- {value}"),))
    arrow_at = view.text.rfind("->", d.name.span.end, span.start)
    colon = view.text.find(":", span.end)
    if arrow_at >= 0 and colon >= 0:
        blank = len(view.text[:arrow_at]) - len(view.text[:arrow_at].rstrip())
        yield Fix("declare no result", (Edit(view.source, Span(arrow_at - blank, colon), ""),))


def _last_line(view: View, d: ast.Func) -> int:
    from .symbols import extents

    return next(whole.end for other, whole in extents(view.source, view.file) if other is d)


def _undeclared_result(_: Workspace, view: View, span: Span) -> Iterator[Fix]:
    place = place_at(view, span.start)
    line = view.line_span(span.start)
    values = view.text[line.start : line.end].partition("<-")[2].strip()
    if not isinstance(place.definition, ast.Func) or any(isinstance(s, ast.Closure) for s in place.around):
        return
    t = written(type_of(view, place, values))
    head = view.line_span(place.definition.name.span.start)
    colon = view.text.rfind(":", head.start, head.end)
    if t is not None and colon >= 0:
        yield Fix(f"declare the result `{t}`", (Edit(view.source, Span(colon, colon), f" -> {t}"),))
    if len(place.definition.body) > 1:
        whole = Span(line.start, min(line.end + 1, len(view.text)))
        yield Fix("remove the return", (Edit(view.source, whole, ""),))


def _service_id(_: Workspace, view: View, span: Span) -> Iterator[Fix]:
    name = view.text[span.start : span.end]
    line = view.line_span(span.start)
    indent = " " * view.indentation(span.start)
    edit = Edit(view.source, Span(line.start, line.start), f'{indent}{name} "{name.lower()}"\n')
    yield Fix(f"give `{name}` an id here", (edit,))
    for d in view.file.definitions:
        if isinstance(d, ast.Service) and d.name.text == name and d.id is None:
            at = d.name.span.end
            edit = Edit(view.source, Span(at, at), f'("{name.lower()}")')
            yield Fix(f"give `{name}` a default id", (edit,))


def _unused_result(_: Workspace, view: View, span: Span) -> Iterator[Fix]:
    line = view.line_span(span.start)
    indent = view.indentation(span.start)
    statement = view.text[line.start + indent : line.end]
    if "<-" in statement or statement.startswith(("par ", "co ")):
        return
    facts: list[Fact] = [f for f in view.facts if line.start <= f.span.start < line.end and isinstance(f.type, Arrow)]
    if facts and isinstance(facts[0].type, Arrow) and facts[0].type.results:
        count = len(facts[0].type.results)
        names = "result" if count == 1 else ", ".join(f"result{n + 1}" for n in range(count))
        at = line.start + indent
        yield Fix("bind the result to a name", (Edit(view.source, Span(at, at), f"{names} <- "),))


def _unused_definition(_: Workspace, view: View, span: Span) -> Iterator[Fix]:
    """Remove a definition with the comment above it and one of the blank lines around."""
    from .symbols import extents

    for d, whole in extents(view.source, view.file):
        if d.name.span == span:
            end = whole.end
            while end < len(view.text) and view.text[end] in "\r\n":
                end += 1
            start = whole.start if end < len(view.text) else len(view.text[: whole.start].rstrip())
            kept = "" if end < len(view.text) else "\n"
            yield Fix(f"remove `{d.name.text}`", (Edit(view.source, Span(start, end), kept),))


def _one_of_many(_: Workspace, view: View, span: Span) -> Iterator[Fix]:
    """A collection stands where one value is expected."""
    t = type_of(view, place_at(view, span.start), view.text[span.start : span.end])
    if isinstance(t, Array | Option | Stream):
        yield Fix("take the first element with `!`", (Edit(view.source, Span(span.end, span.end), "!"),))


_FIXES: Final[dict[str, Callable[[Workspace, View, Span], Iterator[Fix]]]] = {
    codes.NAME_UNKNOWN.id: _import,
    codes.ARROW_UNKNOWN.id: _unknown_function,
    codes.TYPE_UNKNOWN.id: _import,
    codes.IMPORT_UNDECLARED.id: _undeclared,
    codes.ARGS_MISSING.id: _missing_fields,
    codes.RETURN_MISSING.id: _no_return,
    codes.RETURN_UNDECLARED.id: _undeclared_result,
    codes.SERVICE_NO_ID.id: _service_id,
    codes.TYPE_MISMATCH.id: _one_of_many,
    codes.TYPE_WRONG_VALUE.id: _one_of_many,
    codes.WARN_UNUSED_RESULT.id: _unused_result,
    codes.WARN_UNUSED_FUNCTION.id: _unused_definition,
    codes.WARN_UNUSED_DEFINITION.id: _unused_definition,
}
