"""Facts about one checked file, for the features: what each name in its text denotes, where statements stand.

Everything is made on first use and kept as long as the file and what it imports stay the same. Nothing here is protocol.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

from aquac.semantics.raw import FuncPart, Part, ServicePart, Site, TypePart
from aquac.source import Span
from aquac.syntax import ast

from .facts import Fact, collect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquac.semantics.raw import ModuleContext
    from aquac.semantics.types import Fields, Type
    from aquac.source import SourceFile

    from .places import Runs
    from .workspace import Checked, Project

TypeDefinition = ast.Data | ast.Service | ast.Ability


class View:
    """One file of a project."""

    def __init__(self, checked: Checked, project: Project) -> None:
        """Look at `checked`, one of the modules of `project`."""
        self.checked = checked
        self.project = project
        self.source: SourceFile = checked.module.source
        self.path: str = checked.module.path
        self.file: ast.File = checked.module.file
        self.context: ModuleContext = checked.context
        self._locals: dict[str, list[Fact]] | None = None

    @property
    def text(self) -> str:
        """Text of the file."""
        return self.source.text

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def facts(self) -> list[Fact]:
        """What the names of the file denote, in order of their places."""
        return collect(self)

    @cached_property
    def _starts(self) -> list[int]:
        return [fact.span.start for fact in self.facts]

    @cached_property
    def facts_of(self) -> dict[tuple[str, int] | None, list[Fact]]:
        """Facts by what they denote, in order of their places."""
        found: dict[tuple[str, int] | None, list[Fact]] = {}
        for fact in self.facts:
            found.setdefault(fact.key, []).append(fact)
        return found

    def forget_facts(self) -> None:
        """Free what `facts` and all that is made of them take; they are made again when they are asked for."""
        for name in ("facts", "facts_of", "_starts", "ability_values"):
            self.__dict__.pop(name, None)
        self._locals = None

    def locals_of(self, name: str) -> list[Fact]:
        """Values of functions with a name."""
        if self._locals is None:
            self._locals = {}
            for fact in self.facts:
                if fact.kind in ("variable", "argument"):
                    self._locals.setdefault(fact.name, []).append(fact)
        return self._locals.get(name, [])

    @cached_property
    def ability_values(self) -> dict[tuple[str, int] | None, list[Fact]]:
        """Values in `{}` that have the name of their ability or service, by the key of that type."""
        found: dict[tuple[str, int] | None, list[Fact]] = {}
        types = {fact.span: fact for fact in self.facts if fact.kind in ("type", "service")}
        for fact in self.facts:
            if fact.kind in ("variable", "argument") and fact.span in types and fact.is_definition(self.path):
                found.setdefault(types[fact.span].key, []).append(fact)
        return found

    def facts_at(self, offset: int) -> list[Fact]:
        """Facts whose text holds `offset` or ends there; the field of `T(x)` comes behind the variable."""
        at = bisect_right(self._starts, offset)
        found: list[Fact] = []
        while at and len(found) < 2:
            at -= 1
            fact = self.facts[at]
            if fact.span.end >= offset:
                found.append(fact)
            elif fact.span.end < offset - 1 and "\n" in self.text[fact.span.end : offset]:
                break
        inside = [fact for fact in found if fact.span.end > offset] or found
        return sorted(inside, key=lambda fact: fact.kind == "field")

    def fact_at(self, offset: int) -> Fact | None:
        """The first of `facts_at`."""
        return next(iter(self.facts_at(offset)), None)

    # ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def definitions(self) -> dict[int, ast.Definition]:
        """Definitions by where their names start."""
        return {d.name.span.start: d for d in self.file.definitions}

    @cached_property
    def extents(self) -> dict[int, tuple[ast.Definition, Span]]:
        """Definitions with their whole texts by where their names start, in order."""
        from .features.symbols import extents

        return {d.name.span.start: (d, whole) for d, whole in extents(self.source, self.file)}

    @cached_property
    def _names_of_definitions(self) -> list[int]:
        return list(self.extents)

    def function_around(self, offset: int) -> tuple[ast.Func, Span] | None:
        """The function whose text behind its name holds `offset`."""
        at = bisect_right(self._names_of_definitions, offset) - 1
        if at < 0:
            return None
        d, whole = self.extents[self._names_of_definitions[at]]
        return (d, whole) if isinstance(d, ast.Func) and d.name.span.end < offset <= whole.end else None

    @cached_property
    def parts(self) -> dict[int, Part]:
        """Parts defined here by where their names start."""
        return {
            part.site.span.start: part
            for _, part in self.context.parts
            if part.site is not None and part.site.file is self.source
        }

    @cached_property
    def members(self) -> dict[int, tuple[TypeDefinition, ast.Member]]:
        """Members of types by where their names start."""
        return {
            member.name.span.start: (d, member)
            for d in self.file.definitions
            if isinstance(d, ast.Data | ast.Service | ast.Ability)
            for member in d.members
        }

    def view_of(self, site: Site) -> View | None:
        """The file of a site, if it belongs to this project in this version."""
        if site.file is self.source:
            return self
        checked = self.project.modules.get(site.file.path)
        return None if checked is None or checked.module.source is not site.file else self.sibling(checked)

    def sibling(self, checked: Checked) -> View:
        """Another file of the project."""
        if checked is self.checked:
            return self
        known = self._siblings.get(checked.module.path)
        if known is None:
            known = self._siblings[checked.module.path] = View(checked, self.project)
            known._siblings = self._siblings
        return known

    @cached_property
    def _siblings(self) -> dict[str, View]:
        return {self.path: self}

    def project_views(self) -> Iterator[View]:
        """All files of the project, imports first."""
        for checked in self.project.modules.values():
            yield self.sibling(checked)

    def module_behind(self, fact: Fact) -> Checked | None:
        """The file that the path of an import, the alias of a used module, or the name in a header stands for."""
        if fact.kind == "file":
            return None if fact.site is None else self.project.modules.get(fact.site.file.path)
        for line in self.file.header:
            if isinstance(line, ast.Use):
                target = self.project.modules.get(self.checked.module.imports.get(line.path.text, ""))
                name = line.alias.text if line.alias is not None else target.context.module if target else None
                if name == fact.name:
                    return target
        return self.checked if self.context.module == fact.name else None

    def member_site(self, owner: Type, name: str) -> Site | None:
        """Where a member of a data, ability or service type is declared."""
        type_name = getattr(owner, "name", "")
        for view in self.project_views():
            for d, t in view.own_types.get(type_name, ()):
                if t is owner or t == owner:
                    for member in d.members:
                        if member.name.text == name:
                            return Site(view.source, member.name.span)
        return None

    @cached_property
    def own_types(self) -> dict[str, list[tuple[TypeDefinition, Type]]]:
        """Types defined here with their syntax, by name."""
        found: dict[str, list[tuple[TypeDefinition, Type]]] = {}
        for at, part in self.parts.items():
            d = self.definitions.get(at)
            if isinstance(part, TypePart | ServicePart) and isinstance(d, ast.Data | ast.Service | ast.Ability):
                found.setdefault(d.name.text, []).append((d, part.type))
        return found

    def type_site(self, t: Type) -> Site | None:
        """Where a data, ability or service type is defined; of a collection its element's, of a function none."""
        element = getattr(t, "element", None)
        while element is not None:
            t, element = element, getattr(element, "element", None)
        for view in self.project_views():
            for d, known in view.own_types.get(getattr(t, "name", ""), ()):
                if known is t or known == t:
                    return Site(view.source, d.name.span)
        return None

    def fields_of(self, t: Type) -> Fields:
        """Members of a data, ability or service type in the order of its definition; of others none."""
        fields: Fields = getattr(t, "fields", ())
        for view in self.project_views():
            for d, known in view.own_types.get(getattr(t, "name", ""), ()):
                if known is t or known == t:
                    places = {member.name.text: n for n, member in enumerate(d.members)}
                    return tuple(sorted(fields, key=lambda field: places.get(field[0], len(places))))
        return fields

    def functions(self) -> Iterator[tuple[ast.Func, FuncPart | None]]:
        """Functions defined here."""
        for d in self.file.definitions:
            if isinstance(d, ast.Func):
                part = self.parts.get(d.name.span.start)
                yield d, part if isinstance(part, FuncPart) else None

    @cached_property
    def runs(self) -> Runs:
        """Where statements are executed."""
        from .places import Runs

        return Runs(self)

    # ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def line_span(self, offset: int) -> Span:
        """The line with `offset`, without its line break."""
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        return Span(start, len(self.text) if end < 0 else end)

    def indentation(self, offset: int) -> int:
        """Blanks at the beginning of the line with `offset`; on an empty line the column of `offset`."""
        span = self.line_span(offset)
        line = self.text[span.start : span.end]
        blanks = len(line) - len(line.lstrip(" \t"))
        return blanks if line.strip() else offset - span.start
