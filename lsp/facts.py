"""What each name in a file denotes: the compiler's occurrences, completed by the header and by the places of members.

A name that is a dotted path gives one fact for its last word and one for the module before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from aquac.semantics.raw import ConstPart, FuncPart, ServicePart, Site, TypePart
from aquac.source import Span
from aquac.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquac.semantics.raw import Occurrence, Part
    from aquac.semantics.types import Type
    from aquac.source import SourceFile

    from .view import View
    from .workspace import Checked

Kind = Literal["constant", "function", "variable", "argument", "field", "method", "type", "service", "module", "file"]


@dataclass(frozen=True, slots=True)
class Fact:
    """The text at `span` is `name`. `site` is where that is defined; the fact at that very place is the definition.

    `file` facts stand for the path of an import. Of members `owner` is the type that has them.
    """

    span: Span
    kind: Kind
    name: str
    type: Type | None
    site: Site | None
    owner: Type | None = None

    @property
    def key(self) -> tuple[str, int] | None:
        """What all mentions of one thing share: file and offset of its definition."""
        return None if self.site is None else (self.site.file.path, self.site.span.start)

    def is_definition(self, path: str) -> bool:
        """Whether the name is defined here; `path` is the file of the fact."""
        return self.site is not None and self.site.span == self.span and self.site.file.path == path


def collect(view: View) -> list[Fact]:
    """The facts of a file in order of place; each once, as `on` elaborates its peer twice."""
    found: dict[tuple[int, int, str], Fact] = {}
    for fact in _all(view):
        key = fact.span.start, fact.span.end, fact.kind
        if key not in found or found[key].type is None:
            found[key] = fact
    return sorted(found.values(), key=lambda fact: (fact.span.start, fact.span.end))


def _all(view: View) -> Iterator[Fact]:
    for occurrence in view.context.occurrences:
        yield from _occurrence(view, occurrence)
    for line in view.file.header:
        yield from _header(view, line)


def _occurrence(view: View, o: Occurrence) -> Iterator[Fact]:
    if o.kind == "module":
        yield Fact(o.span, "module", o.name, None, module_site(view, o.name))
        return
    span, site = o.span, o.site
    if o.kind in ("field", "method") and site is None and o.owner is not None:
        site = view.member_site(o.owner, o.name)
    dot = view.text.rfind(".", span.start, span.end)
    if dot >= 0:
        start = dot + 1
        while view.text[start] in " \t":
            start += 1
        module = o.name.rpartition(".")[0]
        before = view.text[span.start : dot].rstrip()
        yield Fact(Span(span.start, span.start + len(before)), "module", module, None, module_site(view, module))
        span = Span(start, span.end)
    yield Fact(span, o.kind, o.name.rpartition(".")[2], o.type, site, o.owner)


def module_site(view: View, alias: str) -> Site | None:
    """Where the alias of a used module comes from: its name in the `use` line, else the header of the file."""
    for line in view.file.header:
        if isinstance(line, ast.Use):
            if line.alias is not None:
                if line.alias.text == alias:
                    return Site(view.source, line.alias.span)
                continue
            target = view.project.modules.get(view.checked.module.imports.get(line.path.text, ""))
            if target is not None and target.context.module == alias:
                return header_site(target.module.source, target.module.file)
    return None


def header_site(source: SourceFile, file: ast.File) -> Site:
    """The name in the header of a file, else its beginning."""
    first = file.header[0] if file.header else None
    return Site(source, first.name.span if isinstance(first, ast.ModuleHeader) else Span(0, 0))


def _header(view: View, line: ast.HeaderLine) -> Iterator[Fact]:
    match line:
        case ast.ModuleHeader():
            yield Fact(line.name.span, "module", line.name.text, None, Site(view.source, line.name.span))
            for name in line.declares or ():
                yield from _named(view.checked, name)
        case ast.Export(items):
            for item in items:
                yield from _named(view.checked, item.name)
                if item.rename is not None:
                    yield from _named(view.checked, item.name, item.rename)
        case ast.Import() | ast.Use():
            target = view.project.modules.get(view.checked.module.imports.get(line.path.text, ""))
            if target is None:
                return
            header = header_site(target.module.source, target.module.file)
            yield Fact(line.path.span, "file", line.path.text[1:-1], None, header)
            for item in line.items or ():
                yield from _named(target, item.name)
                if item.rename is not None:
                    yield from _named(target, item.name, item.rename)
            if isinstance(line, ast.Use) and line.alias is not None:
                yield Fact(line.alias.span, "module", line.alias.text, None, Site(view.source, line.alias.span))


def _named(checked: Checked, name: ast.Name, place: ast.Name | None = None) -> Iterator[Fact]:
    """A name of a list in the header, as what it means in `checked`; nothing if it means nothing there."""
    place = place or name
    context = checked.context
    dot = place.text.rfind(".") + 1
    span = Span(place.span.end - len(place.text) + dot, place.span.end) if dot else place.span
    for is_type in (False, True):
        part = context.part(name.text, is_type=is_type) or context.member(name.text, is_type=is_type)
        if part is not None:
            kind, t = kind_of(part)
            yield Fact(span, kind, place.text[dot:], t, part.site)
            return
    for d in checked.module.file.definitions:  # its definition has errors
        if d.name.text == name.text:
            yield Fact(span, _KINDS[type(d)], place.text, None, Site(checked.module.source, d.name.span))
            return


_KINDS: Final[dict[type[ast.Definition], Kind]] = {
    ast.Const: "constant",
    ast.Alias: "type",
    ast.Data: "type",
    ast.Ability: "type",
    ast.Service: "service",
    ast.Func: "function",
}


def kind_of(part: Part) -> tuple[Kind, Type]:
    """Kind and type of a part of a module."""
    match part:
        case ConstPart():
            return "constant", part.value.type
        case FuncPart():
            return "function", part.arrow.type
        case ServicePart():
            return "service", part.type
        case TypePart():
            return "type", part.type
