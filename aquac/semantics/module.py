"""One module: header, body, then what it declares and exports.

Input: the syntax of a file and the contexts of what it imports. Output: its context, for importers and for lowering.
Errors: header AQ0123 – AQ0127; body AQ02xx – AQ05xx; declarations and exports AQ0128 – AQ0132. Each of the three steps
collects all its errors; a step that found any is the last.
Source: aqua:semantics/src/main/scala/aqua/semantics/RawSemantics.scala, …/header/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac import codes
from aquac.diagnostics import Diagnostic, Note, has_errors
from aquac.lowering.hash_order import set_order
from aquac.lowering.trampoline import nested, run
from aquac.source import Span
from aquac.syntax import ast

from .constants import predefined
from .context import Header
from .declare import Declarations
from .printing import brief
from .raw import ConstPart, FuncPart, ModuleContext, Part, ServicePart, TypePart
from .report import Reporter, listed
from .scope import Scope
from .types import AbilityType, Arrow, ServiceType, StreamMap, Type

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from aquac.source import SourceFile


def check_module(
    file: ast.File,
    source: SourceFile,
    imports: Mapping[str, ModuleContext],
    constants: Sequence[ConstPart] = (),
    *,
    no_relay: bool = False,
    legacy_headers: bool = False,
    follow_ups: bool = False,
) -> tuple[ModuleContext, list[Diagnostic]]:
    """Check one file.

    imports: text of an import's path literal, quotes included → context of the imported file.
    constants: those given to the compiler; the predefined ones are added.
    no_relay: `HOST_PEER_ID` is the initial peer.
    legacy_headers: forms of versions before 0.14 are accepted, with warnings.
    follow_ups: for comparisons with the reference, errors that only follow from other errors are reported as well, and no step
        is taken behind one with errors.

    Otherwise every step is taken, whatever the ones before it found. What a gap of the file, a missing import or a definition
    with an error may have named counts as known and broken, so that later steps do not report the same mistake in other words.
    """
    report = Reporter(source, legacy=legacy_headers, follow_ups=follow_ups)
    every = (*constants, *predefined(no_relay=no_relay))
    header = Header(report, imports, every, headless=_lost_header(file))
    context, parts = header.read(file.header)
    if follow_ups and has_errors(report.diagnostics):
        return context, report.diagnostics
    imported = len(parts)
    scope = Scope(report, context, follow_ups=follow_ups)
    scope.is_open = file.is_open or header.is_open
    for gap in file.gaps:
        scope.gaps.setdefault(gap.owner, []).append(gap)
    scope.excuse(header.excused)
    scope.excuse(name for gap in scope.gaps.get(-1, ()) for name in gap.names)
    scope.later = {d.name.text: scope.site(d.name.span) for d in file.definitions}
    run(_body(Declarations(scope, parts, {c.name for c in constants}), file.definitions))
    context.occurrences = scope.occurrences
    if follow_ups and has_errors(report.diagnostics):
        return context, report.diagnostics
    headless = legacy_headers and not (file.header and isinstance(file.header[0], ast.ModuleHeader))
    if headless:
        _offer_own(context, [part for _, part in parts[imported:]], report)
    _declare(context, file.header, scope)
    _export(context, file.header, scope)
    return context, report.diagnostics


def _lost_header(file: ast.File) -> bool:
    """Whether the header may be what could not be read at the beginning of the file."""
    starts = [line.span.start for line in file.header] + [d.span.start for d in file.definitions]
    lost = [gap.span.start for gap in file.gaps if gap.owner < 0]
    return (file.is_open and not starts) or (bool(lost) and (not starts or lost[0] < min(starts)))


async def _body(declarations: Declarations, definitions: Collection[ast.Definition]) -> None:
    for definition in definitions:
        await nested(declarations.define(definition))


# ── declares ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _offer_own(context: ModuleContext, own: Sequence[Part], report: Reporter) -> None:
    """What a file without header means: importers see its own definitions, and its functions and services are exported.

    Imported names are not passed on. Functions that cannot be exported are left out without a word. ✓run with 0.9.3 – 0.13.4.
    """
    context.declares = tuple(set_order(p.name for p in own))
    for part in own:
        quiet = Reporter(report.file)
        match part:
            case FuncPart() if _check_export_type(part.arrow.type, part.name, Span(0, 0), quiet):
                context.exports[part.name] = part.name
            case ServicePart():
                context.exports[part.name] = part.name
            case _:
                pass


def _is_known(scope: Scope, name: str) -> bool:
    """Whether a missing name is missing for a reason that was reported already."""
    value, of_type = scope.value(name), scope.type(name)
    return value is not None or of_type is not None or name in scope.later or scope.is_excused(name)


def _declare(context: ModuleContext, lines: Sequence[ast.HeaderLine], scope: Scope) -> None:
    report = scope.report
    header = lines[0] if lines else None
    if not isinstance(header, ast.ModuleHeader):
        return
    names: tuple[str, ...] = ()
    if header.declares_all:
        names = tuple(set_order(p.name for _, p in context.parts))
    elif header.declares is not None:
        # Names of functions come before those of types, so that they are reported first.
        for name in sorted(header.declares, key=lambda name: name.text[:1].isupper()):
            if not _exists(context, name.text) and not _is_known(scope, name.text):
                candidates = [(p.name, p.site) for _, p in context.parts]
                notes, fixes = report.suggest(name.text, name.span, candidates)
                message = f"`{name.text}` is declared here, but the file defines and imports nothing of this name"
                report(codes.DECLARES_MISSING, name.span, message, notes=notes, fixes=fixes)
        names = tuple(n.text for n in header.declares)
    context.declares = tuple(dict.fromkeys((*context.declares, *names)))


def _exists(context: ModuleContext, name: str) -> bool:
    return _part(context, name) is not None or context.module_at(name) is not None


def _part(context: ModuleContext, name: str) -> Part | None:
    """A function or constant, else a type or service; dotted for a member of a used module."""
    for is_type in (False, True):
        part = context.part(name, is_type=is_type) or context.member(name, is_type=is_type)
        if part is not None:
            return part
    return None


# ── exports ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _export(context: ModuleContext, lines: Sequence[ast.HeaderLine], scope: Scope) -> None:
    for line in lines:
        if not isinstance(line, ast.Export):
            continue
        for item in line.items:
            if _check_export(context, item, scope):
                context.exports[item.name.text] = (item.rename or item.name).text


def _check_export(context: ModuleContext, item: ast.Item, scope: Scope) -> bool:
    report = scope.report
    name, span = item.name.text, item.name.span
    part = _part(context, name)
    if part is None and _is_known(scope, name) and context.module_at(name) is None:
        return False
    if part is None:
        functions = [(p.name, p.site) for _, p in context.parts if isinstance(p, FuncPart | ServicePart)]
        notes, fixes = report.suggest(name, span, functions)
        if context.module_at(name) is not None:
            notes = (Note("modules cannot be exported, only their members, with `as`"),)
        message = f"`{name}` is not defined or imported in this file; it has {listed(n for n, _ in functions)}"
        report(codes.EXPORT_MISSING, span, message, notes=notes, fixes=fixes)
        return False
    if "." in (item.rename or item.name).text:
        message = f"`{name}` needs a plain name to be exported under: `export {name} as name`"
        report(codes.EXPORT_MISSING, span, message)
        return False
    match part:
        case FuncPart():
            return _check_export_type(part.arrow.type, name, span, report)
        case TypePart(type=AbilityType()):
            report(codes.EXPORT_ABILITY, span, f"`{name}` is an ability; only functions and services can be exported")
            return False
        case _:
            return True


def _check_export_type(t: Arrow, name: str, span: Span, report: Reporter) -> bool:
    good = True
    returned = [r for r in t.results if _only_inside(r) or isinstance(r, Arrow)]
    if returned:
        message = f"`{name}` returns `{brief(returned[0])}`, which cannot leave the program: an exported function returns data"
        report(codes.EXPORT_RETURNS_ARROW, span, message)
        good = False
    taken = [(label, a) for label, a in t.args if _only_inside(a)]
    if taken:
        label, a = taken[0]
        message = f"`{name}` takes `{label}: {brief(a)}`, which cannot come from outside: an exported function takes data and callbacks"
        report(codes.EXPORT_ACCEPTS_ABILITY, span, message)
        good = False
    return good


def _only_inside(t: Type) -> bool:
    """Types of values that exist only inside a program."""
    return isinstance(t, AbilityType | ServiceType | StreamMap)
