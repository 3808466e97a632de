"""Changes that keep the meaning, or add what is about to be written: offered for the selection, not for a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aquac.diagnostics import Edit, Fix
from aquac.records import field_names
from aquac.semantics.raw import FuncPart
from aquac.semantics.types import AbilityType, Arrow, ServiceType, Stream, StreamMap
from aquac.source import Span
from aquac.syntax import ast
from lsp.blocks import block_at
from lsp.expressions import type_of
from lsp.mentions import in_file
from lsp.places import place_at, unwrapped

from .quick_fixes import declare_edit, definition_start, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp.blocks import Block
    from lsp.view import View


def refactorings(view: View, span: Span) -> Iterator[tuple[str, Fix]]:
    """Kinds of the protocol (`refactor.extract`, …) with the changes."""
    block = block_at(view, span)
    if block is not None and isinstance(place_at(view, span.start).definition, ast.Func):
        yield from (("refactor.rewrite", fix) for fix in _wrap(view, block))
        if span.end > span.start:
            yield from (("refactor.extract", fix) for fix in _extract_function(view, block))
        yield from (("refactor.rewrite", fix) for fix in _parallel(view, block))
        yield from (("refactor.inline", fix) for fix in _inline(view, span))
    yield from (("refactor.extract", fix) for fix in _extract_value(view, span))
    yield from (("refactor.extract", fix) for fix in _extract_literal(view, span))
    yield from (("refactor.rewrite", fix) for fix in _definition(view, span))


def _wrap(view: View, block: Block) -> Iterator[Fix]:
    if block.returns() or block.text.lstrip().startswith(("else", "catch", "otherwise", "par ", "co ")):
        return
    if not any(f.kind in ("function", "method") for f in block.facts()):
        return
    indent = block.indent
    on = f"{indent}on HOST_PEER_ID:\n{block.indented()}"
    yield Fix("run on the relay", (Edit(view.source, block.span, on),))
    if not block.used_behind():
        body = block.indented()
        handler = f"{indent}catch e:\n{indent}  reason = e.message"
        yield Fix("wrap in try", (Edit(view.source, block.span, f"{indent}try:\n{body}\n{handler}"),))


def _extract_function(view: View, block: Block) -> Iterator[Fix]:
    """Selected statements become a function; what they use are arguments, what is used behind them are results."""
    place = place_at(view, block.span.start)
    if block.returns() or place.definition is None:
        return
    results = block.used_behind()
    if any(isinstance(f.type, Stream | StreamMap | Arrow) for f in results):
        return
    params = []
    for fact in block.free():
        t = written(fact.type)
        if t is None or isinstance(fact.type, ServiceType | AbilityType):
            return
        params.append(f"{fact.name}: {t}")
    types = [written(f.type) for f in results]
    if None in types:
        return
    name = _free_name(view, "extracted")
    returned = f" -> {', '.join(t for t in types if t)}" if types else ""
    body = block.at("  ") + (f"\n  <- {', '.join(f.name for f in results)}" if results else "")
    function = f"func {name}({', '.join(params)}){returned}:\n{body}\n\n"
    bound = f"{', '.join(f.name for f in results)} <- " if results else ""
    call = f"{block.indent}{bound}{name}({', '.join(f.name for f in block.free())})"
    at = definition_start(view, place.definition)
    edits = (Edit(view.source, Span(at, at), function), Edit(view.source, block.span, call))
    yield Fix("extract function", edits)


def _free_name(view: View, name: str) -> str:
    taken = {fact.name for fact in view.facts}
    number = 1
    candidate = name
    while candidate in taken:
        number += 1
        candidate = f"{name}{number}"
    return candidate


def _parallel(view: View, block: Block) -> Iterator[Fix]:
    """Toggle `par` before a call or block, and the mode of a loop."""
    at = block.span.start + len(block.indent)
    line = view.text[at : view.line_span(at).end]
    if line.startswith("par "):
        yield Fix("remove `par`", (Edit(view.source, Span(at, at + 4), ""),))
        return
    for statement in _on_line(view, at):
        match statement:
            case ast.For(mode=""):
                colon = view.text.find(":", ast.extent(statement.iterable).end)
                yield Fix("make the loop parallel", (Edit(view.source, Span(colon, colon), " par"),))
            case ast.For(mode="par"):
                start = ast.extent(statement.iterable).end
                colon = view.text.find(":", start)
                yield Fix("make the loop sequential", (Edit(view.source, Span(start, colon), ""),))
            case ast.CallStmt() | ast.On() if not _is_first(view, block):
                yield Fix("run in parallel with the line above", (Edit(view.source, Span(at, at), "par "),))
            case _:
                pass


def _is_first(view: View, block: Block) -> bool:
    """Whether the line above is not a statement of the same block."""
    start = block.span.start
    while start:
        above = view.line_span(start - 1)
        line = view.text[above.start : above.end]
        if line.strip() and not line.lstrip().startswith("--"):
            indent = line[: len(line) - len(line.lstrip())]
            if len(indent) <= len(block.indent):
                return indent != block.indent
        start = above.start
    return True


def _on_line(view: View, offset: int) -> Iterator[ast.Statement]:
    line = view.line_span(offset)
    waiting = [s for d in view.file.definitions if isinstance(d, ast.Func) for s in d.body]
    while waiting:
        statement = unwrapped(waiting.pop())
        first = (
            statement.results[0].span if isinstance(statement, ast.CallStmt) and statement.results else statement.span
        )
        if line.start <= first.start < line.end:
            yield statement
        waiting += getattr(statement, "body", ())


def _inline(view: View, span: Span) -> Iterator[Fix]:
    """Put the value of `x = v` where `x` is used, if `v` calls nothing."""
    for statement in _on_line(view, span.start):
        if not isinstance(statement, ast.Assign) or isinstance(statement.value, ast.Call | ast.Chain | ast.Collection):
            continue
        fact = view.fact_at(statement.name.span.start)
        if fact is None or not isinstance(statement.value, ast.Literal | ast.Variable):
            continue
        value = view.text[statement.value.span.start : statement.value.span.end]
        uses = [m.fact.span for m in in_file(view, fact) if not m.is_definition]
        if uses and all(view.text[s.end : s.end + 1] not in (".", "[", "!") for s in uses):
            line = view.line_span(statement.name.span.start)
            removed = Edit(view.source, Span(line.start, min(line.end + 1, len(view.text))), "")
            yield Fix(f"inline `{fact.name}`", (removed, *(Edit(view.source, s, value) for s in uses)))


def _extract_value(view: View, span: Span) -> Iterator[Fix]:
    """A selected value, or a part of one, gets a name on the line above; calls keep their place in the order."""
    text = view.text[span.start : span.end]
    place = place_at(view, span.start)
    if not text or text != text.strip() or not isinstance(place.definition, ast.Func):
        return
    line = view.line_span(span.start)
    before = view.text[line.start : span.start]
    if not before.strip() or span.end > line.end or before.lstrip().startswith(("for ", "parseq ", "else", "catch")):
        return
    if view.line_span(place.definition.name.span.start).end >= span.start:
        return
    whole = {_extent(value) for value in _values_of(place.definition)}
    t = written(type_of(view, place, text))
    if span in whole and t is not None and "(" not in text:
        name = _free_name(view, "value")
        indent = view.text[line.start : line.start + view.indentation(span.start)]
        above = Edit(view.source, Span(line.start, line.start), f"{indent}{name} = {text}\n")
        yield Fix("extract variable", (above, Edit(view.source, span, name)))


def _values_of(d: ast.Func) -> Iterator[Any]:
    """Values anywhere in a body."""
    waiting: list[Any] = [d.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            waiting += node
        elif not isinstance(node, Span):
            if isinstance(node, ast.Literal | ast.Variable | ast.Chain | ast.Collection) or hasattr(node, "full"):
                yield node
            waiting += [getattr(node, name) for name in field_names(node)]


def _extent(value: Any) -> Span:
    full = getattr(value, "full", None)
    return full if isinstance(full, Span) else value.span


def _extract_literal(view: View, span: Span) -> Iterator[Fix]:
    """A literal in a body becomes a constant of the file."""
    place = place_at(view, span.start)
    if place.definition is None or not isinstance(place.definition, ast.Func):
        return
    for found in _literals(place.definition):
        if found.span.start <= span.start and span.end <= found.span.end and found.kind != "bool":
            name = _free_name(view, "VALUE").upper()
            at = definition_start(view, place.definition)
            edits = (
                Edit(view.source, Span(at, at), f"const {name} = {found.text}\n\n"),
                Edit(view.source, found.span, name),
            )
            yield Fix(f"extract constant `{found.text}`", edits)
            return


def _literals(d: ast.Func) -> Iterator[ast.Literal]:
    waiting: list[Any] = [d.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Literal):
            yield node
        elif isinstance(node, tuple):
            waiting += node
        elif not isinstance(node, Span):
            waiting += [getattr(node, name) for name in field_names(node)]


def _definition(view: View, span: Span) -> Iterator[Fix]:
    """On the name of a definition: export it, declare it, describe it."""
    for d in view.file.definitions:
        if not (d.name.span.start <= span.start <= d.name.span.end):
            continue
        name = d.name.text
        header = view.file.header[0] if view.file.header else None
        part = view.parts.get(d.name.span.start)
        exports = [line for line in view.file.header if isinstance(line, ast.Export)]
        may = isinstance(d, ast.Func | ast.Service) and (not isinstance(part, FuncPart) or _leaves(part))
        if may and name not in view.context.exports and isinstance(header, ast.ModuleHeader):
            yield Fix(f"export `{name}`", (_export(view, exports, header, name),))
        if isinstance(header, ast.ModuleHeader) and not header.declares_all and name not in view.context.declares:
            yield Fix(f"declare `{name}` for importers", (declare_edit(view.source, header, name),))
        if not d.doc:
            at = view.line_span(d.name.span.start).start
            yield Fix("add a comment", (Edit(view.source, Span(at, at), f"-- {name}: \n"),))


def _leaves(part: FuncPart) -> bool:
    """Whether a function may be exported."""
    inside = (AbilityType, ServiceType, StreamMap)
    arrow = part.arrow.type
    return not any(isinstance(t, (*inside, Arrow)) for t in arrow.results) and not any(
        isinstance(t, inside) for _, t in arrow.args
    )


def _export(view: View, exports: list[ast.Export], header: ast.ModuleHeader, name: str) -> Edit:
    if exports:
        last = exports[-1].items[-1]
        end = (last.rename or last.name).span.end
        return Edit(view.source, Span(end, end), f", {name}")
    lines = [x for x in view.file.header if isinstance(x, ast.Import | ast.Use)]
    last_span = lines[-1].path.span if lines else header.declares[-1].span if header.declares else header.name.span
    end = view.line_span(last_span.end).end
    return Edit(view.source, Span(end, end), f"\n\nexport {name}")
