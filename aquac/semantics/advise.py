"""Advice on a sound module: what is defined or imported for nothing, and names that are easily mistaken.

Input:  the syntax of a checked file, its context with occurrences, the contexts it imports.
Output: warnings AQ0907 – AQ0915, in file order. Given for the files a person compiles, not for what they import.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from aquac import codes
from aquac.diagnostics import Diagnostic, Edit, Fix, Note
from aquac.records import dataclass, field
from aquac.source import Span
from aquac.syntax import ast
from aquac.syntax.layout import lay_out

from .raw import ConstPart, FuncPart, ServicePart, TypePart
from .report import listed
from .subtyping import compare
from .types import AbilityType, Arrow, ServiceType, StreamMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aquac.codes import Code
    from aquac.source import SourceFile
    from aquac.syntax.layout import LogicalLine

    from .raw import ModuleContext, Occurrence

_KINDS: Final[dict[type, str]] = {
    ast.Const: "constant",
    ast.Alias: "alias",
    ast.Data: "data type",
    ast.Service: "service",
    ast.Ability: "ability",
}
_VALUES = ("constant", "function", "type", "service", "module")


def advise(
    file: ast.File, source: SourceFile, context: ModuleContext, imports: Mapping[str, ModuleContext]
) -> list[Diagnostic]:
    """Warnings about one module without errors; `imports` as for `check_module`."""
    adviser = _Adviser(file, source, context, imports)
    adviser.imports()
    adviser.functions()
    adviser.definitions()
    adviser.bodies()
    return sorted(adviser.found, key=lambda d: d.span.start if d.span else 0)


@dataclass(slots=True)
class _Uses:
    """How names are used. Places are spans of definitions in this file.

    names: names of the module's scope that are mentioned, each with the modules in front of it (`A.B.f` → also `A`, `A.B`).
    places: every place → spans of its mentions, the definition itself aside.
    """

    names: set[str] = field(default_factory=set)
    places: dict[Span, set[Span]] = field(default_factory=dict)

    def add(self, name: str) -> None:
        self.names.add(name)
        while "." in name:
            name = name.rpartition(".")[0]
            self.names.add(name)


@dataclass(frozen=True, slots=True)
class _Binding:
    """A name bound by a statement, which is `alone` if its block would be empty without it."""

    name: ast.Name
    statement: ast.Statement
    alone: bool


class _Adviser:
    """One module."""

    def __init__(
        self, file: ast.File, source: SourceFile, context: ModuleContext, imports: Mapping[str, ModuleContext]
    ) -> None:
        self._file = file
        self._source = source
        self._context = context
        self._imported = imports
        self._lines: list[LogicalLine] | None = None
        self._uses = _uses(source, file.header, context.occurrences)
        self.found: list[Diagnostic] = []

    def _warn(
        self, code: Code, span: Span, message: str, *, notes: Iterable[Note] = (), fix: Fix | None = None
    ) -> None:
        fixes = () if fix is None else (fix,)
        self.found.append(Diagnostic(code, message, self._source, span, tuple(notes), fixes))

    # ── header ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def imports(self) -> None:
        """Imports without use, and imports that take names from each other."""
        header = self._file.header[0] if self._file.header else None
        if not isinstance(header, ast.ModuleHeader):
            return  # such files declare everything
        passed_on = header.declares is not None or header.declares_all
        sources: dict[str, tuple[ast.Import, ModuleContext]] = {}
        for line in self._file.header:
            if not isinstance(line, ast.Import | ast.Use):
                continue
            imported = self._imported[line.path.text]
            if isinstance(line, ast.Use):
                alias = line.alias.text if line.alias is not None else imported.module
                if alias is not None and alias not in self._uses.names and not header.declares_all:
                    self._unused_line(line, f"nothing of `{alias}` is used")
            elif line.items is None:
                self._conflicts(line, imported, sources)
                names = {name.partition(".")[0] for name in imported.declares}
                if not passed_on and not names & self._uses.names:
                    self._unused_line(line, "nothing this file declares is used here")
            elif not header.declares_all:
                self._unused_items(line, line.items)

    def _unused_line(self, line: ast.Import | ast.Use, message: str) -> None:
        self._warn(codes.WARN_UNUSED_IMPORT, line.path.span, message, fix=self._removal(line.span, "remove the import"))

    def _unused_items(self, line: ast.Import, items: tuple[ast.Item, ...]) -> None:
        unused = [item for item in items if (item.rename or item.name).text not in self._uses.names]
        if len(unused) == len(items):
            self._unused_line(line, f"{listed(item.name.text for item in items)} of this file: not used here")
            return
        for item in unused:
            at = items.index(item)
            last = (item.rename or item.name).span.end
            if at + 1 < len(items):
                span = Span(item.name.span.start, items[at + 1].name.span.start)
            else:
                before = items[at - 1]
                span = Span((before.rename or before.name).span.end, last)
            name = (item.rename or item.name).text
            fix = Fix(f"remove `{name}` from the list", (Edit(self._source, span, ""),))
            self._warn(codes.WARN_UNUSED_IMPORT, item.name.span, f"`{name}` is imported and never used", fix=fix)

    def _conflicts(
        self, line: ast.Import, imported: ModuleContext, sources: dict[str, tuple[ast.Import, ModuleContext]]
    ) -> None:
        """A name that two plain imports bring: the later one counts."""
        for name in imported.declares:
            first = sources.get(name)
            if first is not None and name in self._uses.names and not _same(name, first[1], imported):
                message = f"this import replaces `{name}` of {first[0].path.text} by another one"
                note = Note(f"`{name}` came from here", self._source, first[0].path.span)
                self._warn(codes.WARN_IMPORT_CONFLICT, line.path.span, message, notes=(note,))
            sources[name] = (line, imported)

    # ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def functions(self) -> None:
        """Functions nobody can reach."""
        header = self._file.header[0] if self._file.header else None
        functions = [d for d in self._file.definitions if isinstance(d, ast.Func)]
        if not isinstance(header, ast.ModuleHeader) or header.declares_all or not functions:
            return
        if header.declares is None and not any(isinstance(line, ast.Export) for line in self._file.header):
            message = "this file exports and declares nothing, so no code is made of it"
            names = [d.name.text for d in functions if self._can_be_exported(d.name.text)]
            fix = self._export(names) if names else None
            self._warn(codes.WARN_NOTHING_EXPORTED, header.name.span, message, fix=fix)
            return
        for d in functions:
            name = d.name.text
            if name not in self._uses.names:
                fix = self._export([name]) if self._can_be_exported(name) else None
                message = f"function `{name}` is never called, and neither exported nor declared"
                self._warn(codes.WARN_UNUSED_FUNCTION, d.name.span, message, fix=fix)

    def definitions(self) -> None:
        """Types, services and constants nobody can reach; of a file without header, or with `declares *`, all are reachable."""
        header = self._file.header[0] if self._file.header else None
        if not isinstance(header, ast.ModuleHeader) or header.declares_all:
            return
        if header.declares is None and not any(isinstance(line, ast.Export) for line in self._file.header):
            return  # that is said of the whole file
        for d in self._file.definitions:
            if isinstance(d, ast.Func) or d.name.text in self._uses.names:
                continue
            kind = _KINDS[type(d)]
            message = f"{kind} `{d.name.text}` is never used, and neither exported nor declared"
            alone = isinstance(d, ast.Const | ast.Alias) and not d.doc
            fix = self._removal(d.name.span, "remove the line") if alone else None
            self._warn(codes.WARN_UNUSED_DEFINITION, d.name.span, message, fix=fix)

    def _can_be_exported(self, name: str) -> bool:
        part = self._context.part(name, is_type=False)
        if not isinstance(part, FuncPart):
            return False
        inside = (AbilityType, ServiceType, StreamMap)
        arrow = part.arrow.type
        returned = any(isinstance(t, (*inside, Arrow)) for t in arrow.results)
        return not returned and not any(isinstance(t, inside) for _, t in arrow.args)

    def _export(self, names: list[str]) -> Fix:
        """Add names to the last export line, or make one below the header."""
        text = ", ".join(names)
        title = f"export {listed(names)}"
        lines = [line for line in self._file.header if isinstance(line, ast.Export)]
        if lines:
            last = lines[-1].items[-1]
            end = (last.rename or last.name).span.end
            return Fix(title, (Edit(self._source, Span(end, end), f", {text}"),))
        at = self._line_end(self._file.header[-1].span.start)
        return Fix(title, (Edit(self._source, Span(at, at), f"\n\nexport {text}"),))

    # ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def bodies(self) -> None:
        """Arguments, variables and streams of every function."""
        for d in self._file.definitions:
            if isinstance(d, ast.Func):
                self._arguments(d)
                self._variables(d.body)

    def _arguments(self, d: ast.Func) -> None:
        for param in d.signature.params:
            self._hidden(param.name)
            if not self._uses.places.get(param.name.span):
                message = f"argument `{param.name.text}` of `{d.name.text}` is never used"
                self._warn(codes.WARN_UNUSED_ARGUMENT, param.name.span, message)

    def _variables(self, body: ast.Body) -> None:
        bindings = list(_bindings(body))
        written = set(_written(body))
        for binding in bindings:
            self._hidden(binding.name)
            mentions = self._uses.places.get(binding.name.span, set())
            if isinstance(binding.statement, ast.Declare):
                if not mentions - written:
                    self._unread(binding.name, binding.statement, written=bool(mentions))
            elif not mentions:
                self._unused(binding)

    def _unread(self, name: ast.Name, declared: ast.Declare, *, written: bool) -> None:
        is_map = isinstance(declared.type, ast.CollectionType) and declared.type.kind == "%"
        what = "written and never read" if written else "never read"
        self._warn(codes.WARN_UNREAD_STREAM, name.span, f"stream{' map' if is_map else ''} `{name.text}` is {what}")

    def _unused(self, binding: _Binding) -> None:
        """Results of calls and items of loops have a name because they must; closures and values do not."""
        name = binding.name
        match binding.statement:
            case ast.Assign(value=value):
                removable = not binding.alone and not _calls(value)
                fix = self._removal(name.span, "remove the line") if removable else None
                self._warn(codes.WARN_UNUSED_VARIABLE, name.span, f"`{name.text}` is never used", fix=fix)
            case ast.Closure():
                message = f"closure `{name.text}` is never called or passed on"
                self._warn(codes.WARN_UNUSED_VARIABLE, name.span, message)
            case _:
                pass

    def _hidden(self, name: ast.Name) -> None:
        if self._context.module_at(name.text) is not None:
            message = f"`{name.text}.member` means the module `{name.text}` here, not this name"
            self._warn(codes.WARN_HIDDEN_NAME, name.span, message)

    # ── fixes ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _removal(self, span: Span, title: str) -> Fix | None:
        """Remove the logical line that holds `span`, with its line break."""
        lines = self._source.lines
        if self._lines is None:
            self._lines = list(lay_out(self._source.text).lines)
        at = bisect_right(self._lines, span.start, key=lambda line: line.start) - 1
        if at < 0 or span.start > self._lines[at].end:
            return None
        line = self._lines[at]
        start = lines.starts[lines.line_of(line.start)]
        end = min(self._line_end(line.end) + 1, len(self._source.text))
        return Fix(title, (Edit(self._source, Span(start, end), ""),))

    def _line_end(self, offset: int) -> int:
        end = self._source.text.find("\n", offset)
        return len(self._source.text) if end < 0 else end


def _same(name: str, first: ModuleContext, second: ModuleContext) -> bool:
    """Whether two modules mean the same by a name, even if each defines it: equal types, constants and services are."""
    for is_type in (False, True):
        match first.part(name, is_type=is_type), second.part(name, is_type=is_type):
            case (None, _) | (_, None):
                pass  # nothing is replaced: a declared name may have no part here, and types do not hide values
            case one, other if one is other:
                pass
            case ConstPart() as one, ConstPart() as other if one.value == other.value:
                pass
            case TypePart() as one, TypePart() as other if compare(one.type, other.type) == 0:
                pass
            case ServicePart() as one, ServicePart() as other if (
                one.id == other.id and compare(one.type, other.type) == 0
            ):
                pass
            case _:
                return False
    return True


def _uses(source: SourceFile, header: Iterable[ast.HeaderLine], occurrences: Iterable[Occurrence]) -> _Uses:
    uses = _Uses()
    for line in header:
        match line:
            case ast.Export(items):
                for item in items:
                    uses.add(item.name.text)
            case ast.ModuleHeader(declares=tuple(names)):
                for name in names:
                    uses.add(name.text)
            case _:
                pass
    for found in occurrences:
        site = found.site
        if site is not None and site.file is source:
            if found.span == site.span:
                continue
            uses.places.setdefault(site.span, set()).add(found.span)
        if found.kind in _VALUES:
            uses.add(found.name)
    return uses


def _statements(body: ast.Body) -> Iterator[tuple[ast.Statement, bool]]:
    """Every statement below `body`, and whether it is the only one of its block. No recursion."""
    pending: list[tuple[ast.Statement, bool]] = [(s, len(body) == 1) for s in body]
    while pending:
        statement, alone = pending.pop()
        yield statement, alone
        match statement:
            case ast.Par() | ast.Co():
                pending.append((statement.body, alone))
            case (
                ast.On()
                | ast.For()
                | ast.ParSeq()
                | ast.If()
                | ast.Else()
                | ast.Try()
                | ast.Catch()
                | ast.Otherwise()
                | ast.Closure()
            ):
                pending += ((s, len(statement.body) == 1) for s in statement.body)
            case _:
                pass


def _bindings(body: ast.Body) -> Iterator[_Binding]:
    """Names bound below `body`, parameters of closures aside."""
    for statement, alone in _statements(body):
        match statement:
            case ast.Assign(name) | ast.Declare(name) | ast.Closure(name) | ast.Catch(name):
                yield _Binding(name, statement, alone)
            case ast.CallStmt(results):
                for name in results:
                    yield _Binding(name, statement, alone)
            case ast.For() | ast.ParSeq():
                yield _Binding(statement.item, statement, alone)
                if statement.value_item is not None:
                    yield _Binding(statement.value_item, statement, alone)
            case _:
                pass


def _written(body: ast.Body) -> Iterator[Span]:
    """Where streams are pushed to, by `<<-` or as the result of a call."""
    for statement, _ in _statements(body):
        match statement:
            case ast.Push(target):
                yield target.span
            case ast.CallStmt(results):
                for name in results:
                    yield name.span
            case _:
                pass


def _calls(value: ast.Value) -> bool:
    """Whether computing a value may call or wait for something."""
    pending: list[ast.Value] = [value]
    while pending:
        match pending.pop():
            case ast.Call():
                return True
            case ast.Chain(base, ops):
                if not all(isinstance(op, ast.FieldOp) for op in ops):
                    return True  # an index of a stream waits
                pending.append(base)
            case ast.Collection(items=items):
                pending += items
            case ast.Record(args=args):
                pending += (arg.value for arg in args)
            case ast.Infix() as infix:
                pending += (infix.left, infix.right)
            case ast.Not(operand):
                pending.append(operand)
            case _:
                pass
    return False
