"""What a module sees before its first definition: constants, imported names, used modules.

Input: header lines, contexts of the imported files. Output: the context definitions are added to.
Errors: AQ0123 – AQ0127 (header lines), all of them are collected.
Source: aqua:semantics/src/main/scala/aqua/semantics/header/HeaderHandler.scala, aqua:model/raw/src/main/scala/aqua/raw/RawContext.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac import codes
from aquac.diagnostics import Edit, Fix, Note
from aquac.lowering.hash_order import set_order
from aquac.records import dataclass, field, replace
from aquac.source import Span
from aquac.syntax import ast

from .raw import ConstPart, ModuleContext, PlacedPart, ServicePart, TypePart
from .report import Reporter, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(slots=True)
class Names:
    """Parts and used modules under construction; a later part replaces an earlier one of the same name in place."""

    parts: dict[tuple[bool, str], PlacedPart] = field(default_factory=dict)
    used: dict[str, ModuleContext] = field(default_factory=dict)

    def add(self, placed: Iterable[PlacedPart]) -> None:
        """Add parts in order."""
        for context, part in placed:
            self.parts[isinstance(part, TypePart | ServicePart), part.name] = (context, part)

    def use(self, alias: str, module: ModuleContext) -> None:
        """Make a module reachable under `alias`; two modules under one alias are merged."""
        before = self.used.get(alias)
        self.used[alias] = module if before is None or before is module else _merged(before, module)


def _merged(first: ModuleContext, second: ModuleContext) -> ModuleContext:
    names = Names(used=dict(first.used))
    names.add(first.parts)
    names.add(second.parts)
    for alias, module in second.used.items():
        names.use(alias, module)
    declares = tuple(dict.fromkeys((*first.declares, *second.declares)))
    return ModuleContext(first.module, declares, {}, list(names.parts.values()), names.used)


def declared(context: ModuleContext) -> ModuleContext:
    """The part of a module that importers see: what `declares` lists, used modules and their members included."""
    names = Names()
    for name in set_order(context.declares):
        _pick(context, name, name, names)
    return ModuleContext(context.module, context.declares, {}, list(names.parts.values()), names.used)


def _pick(context: ModuleContext, name: str, new_name: str, into: Names) -> bool:
    """Take `name` (a part, a used module or a member of one) from a module under a new name. False if there is none."""
    module, dot, last = name.rpartition(".")
    owner = context.module_at(module) if dot else context
    placed = [] if owner is None else [owner.placed(last, is_type=is_type) for is_type in (False, True)]
    new_module, dot, new_last = new_name.rpartition(".")
    renamed = [(p[0], p[1] if p[1].name == new_last else replace(p[1], name=new_last)) for p in placed if p is not None]
    if renamed and dot:
        into.use(new_module, ModuleContext(new_module, parts=renamed))
    else:
        into.add(renamed)
    used = context.module_at(name)
    if used is not None:
        into.use(new_name, used)
    return bool(renamed) or used is not None


NOTHING_BEFORE: Final = ModuleContext()
"""What precedes the constants that every module has. Nothing is ever added to it."""


class Header:
    """Reads the header lines of one file."""

    def __init__(
        self,
        report: Reporter,
        imports: Mapping[str, ModuleContext],
        constants: Sequence[ConstPart],
        *,
        headless: bool = False,
    ) -> None:
        """Imported contexts are found by the text of the path literal. `headless`: the module header could not be read."""
        self._headless = headless
        self._report = report
        self._imports = imports
        self._names = Names()
        self._names.add((NOTHING_BEFORE, constant) for constant in constants)
        self._declares: list[str] = []
        # What could not be imported: names, or, in an open file, nobody knows which.
        self.excused: list[str] = []
        self.is_open = False

    def read(self, lines: Sequence[ast.HeaderLine]) -> tuple[ModuleContext, list[PlacedPart]]:
        """The context of the file, and the list of its parts, to which definitions are appended."""
        module = self._first_line(lines[0] if lines else None)
        for at, line in enumerate(lines):
            match line:
                case ast.Import():
                    self._import(line)
                case ast.Use():
                    self._use(line)
                case ast.ModuleHeader() if at:
                    message = f"`{line.keyword.text} {line.name.text}` must be the first line of the file"
                    self._report(codes.HEADER_NOT_FIRST, line.name.span, message)
                case ast.ModuleHeader() | ast.Export():
                    pass
        parts = list(self._names.parts.values())
        return ModuleContext(module, tuple(self._declares), {}, parts, self._names.used), parts

    def _first_line(self, first: ast.HeaderLine | None) -> str | None:
        if not isinstance(first, ast.ModuleHeader):
            if self._headless:
                return None
            message = "the file has no module header: its first line must be `aqua Name` (`declares *` shows everything to importers)"
            fix = Fix("add a header", (Edit(self._report.file, Span(0, 0), "aqua Main declares *\n\n"),))
            self._report(self._report.tolerated(codes.HEADER_MISSING), Span(0, 0), message, fixes=(fix,))
            return None
        if first.keyword.text != "aqua":
            message = f"the header word `{first.keyword.text}` is no longer used, write `aqua {first.name.text}`"
            fix = Fix("write `aqua`", (Edit(self._report.file, first.keyword.span, "aqua"),))
            self._report(self._report.tolerated(codes.HEADER_MODULE_KEYWORD), first.keyword.span, message, fixes=(fix,))
        return first.name.text

    def _import(self, line: ast.Import) -> None:
        context = self._imports.get(line.path.text)
        if context is None:
            self._excuse(line.items)
            return
        visible = declared(context)
        # What an imported file declares is declared by the importer too, as far as it has it; packages rely on it.
        self._declares += visible.declares
        if line.items is not None:
            self._pick_items(line.items, visible, line.path, self._names)
            return
        self._names.add(visible.parts)
        for alias, module in visible.used.items():
            self._names.use(alias, module)

    def _use(self, line: ast.Use) -> None:
        context = self._imports.get(line.path.text)
        if context is None:
            self.excused += [] if line.alias is None else [line.alias.text]
            self.is_open = self.is_open or line.alias is None
            return
        alias = line.alias.text if line.alias is not None else context.module
        if alias is None:
            message = "the used file has no module header; give it a name here with `as Name`"
            self._report(codes.USE_HEADERLESS, line.path.span, message)
            self.is_open = True
            return
        visible = declared(context)
        if line.items is not None:
            picked = Names()
            self._pick_items(line.items, visible, line.path, picked)
            visible = ModuleContext(context.module, (), {}, list(picked.parts.values()), picked.used)
        self._names.use(alias, visible)

    def _excuse(self, items: Sequence[ast.Item] | None) -> None:
        """Items of a file that is not there; all that is unknown, if everything of it was wanted."""
        self.is_open = self.is_open or items is None
        self.excused += [(item.rename or item.name).text for item in items or ()]

    def _pick_items(self, items: Sequence[ast.Item], visible: ModuleContext, path: ast.Literal, into: Names) -> None:
        for item in items:
            name = item.name.text
            if _pick(visible, name, item.rename.text if item.rename is not None else name, into):
                continue
            self._excuse((item,))
            known = [(p.name, p.site) for _, p in visible.parts]
            notes, fixes = self._report.suggest(name, item.name.span, known)
            if not visible.declares:
                notes = (*notes, Note("the file declares nothing; add `declares` to its header"))
            message = f"{path.text} does not declare `{name}`; it declares {listed(visible.declares)}"
            self._report(codes.IMPORT_UNDECLARED, item.name.span, message, notes=notes, fixes=fixes)
