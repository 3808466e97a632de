"""The interface of a module as its author writes it: `data` and `service` declarations in an Aqua file, or JSON.

The last `service` of the Aqua file is the module itself; other services are modules it calls, known to it by the id of the service,
by its name where it has no id. Modules load before those that call them, so the order is that of a configuration.

    aqua Greeting declares *
    data Visit:
      name: string
      times: u32
    service Log("log"):          -- the module calls `write` of the module `log`
      write(line: string)
    service Greeting("greeting"):
      greet(name: string) -> Visit

An imported file may declare further services; of these only the functions that the core module imports count, since such a file
describes the whole of another module. `?T` is `[]T` for a module. Fields keep the order of the file: it is their order in memory.
Output: the description that `interface_emit` takes. Errors: InterfaceFileError with file, line and remedy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aquac.compiler import Compiled
    from aquac.diagnostics import Diagnostic
    from aquac.semantics.raw import ModuleContext, ServicePart, Site
    from aquac.semantics.types import Arrow, Struct, Type
    from aquac.syntax import ast

Description = dict[str, Any]
"""`{"records", "functions", "imports"}`, see `interface_emit`."""

SCALARS: Final = {f"i{bits}": f"s{bits}" for bits in (8, 16, 32, 64)} | {
    name: name for name in ("u8", "u16", "u32", "u64", "f32", "f64", "bool", "string")
}


class InterfaceFileError(ValueError):
    """The interface cannot be used. `diagnostics` are those of the compiler, when the file does not compile."""

    def __init__(self, message: str, *, hint: str = "", diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        """Keep message, remedy and diagnostics."""
        super().__init__(message)
        self.hint = hint
        self.diagnostics = diagnostics


@dataclass(frozen=True, slots=True)
class Described:
    """A description and where it came from.

    name: of the module, as others import it.
    """

    description: Description
    name: str


def read_interface(
    path: str,
    *,
    service: str | None = None,
    imports: Any = None,
    used: Collection[tuple[str, str]] | None = None,
) -> Described:
    """The interface of an `.aqua` or `.json` file. Raises InterfaceFileError.

    service: which service of an Aqua file is the module, the last one by default. imports: as for `aquac.compile_path`. used:
    (module, function) pairs that the core module imports; with them, others of imported files are left out.
    """
    if path.endswith(".json"):
        if service is not None:
            raise InterfaceFileError(f"{path}: a JSON interface describes one module; leave --service out")
        return _read_json(path)
    if path.endswith(".aqua"):
        return _read_aqua(path, service, imports, used)
    raise InterfaceFileError(f"{path}: expected an .aqua or .json file")


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_json(path: str) -> Described:
    try:
        document: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InterfaceFileError(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise InterfaceFileError(f"{path}: not JSON: {error}") from None
    if isinstance(document, dict) and isinstance(document.get("interface"), dict):
        document = document["interface"]  # a row of the conformance files
    try:
        description = checked(document)
    except InterfaceFileError as error:
        raise InterfaceFileError(f"{path}: {error}", hint=error.hint) from None
    return Described(description, Path(path).stem)


def checked(document: object) -> Description:
    """A description whose shape is right; types are looked at when it is written. Raises InterfaceFileError naming the place."""
    table = _object(document, "interface", ("records", "functions", "imports"))
    records = [
        _named(_object(item, place, ("name", "fields")), place)
        | {"fields": _pairs(item.get("fields"), f"{place}.fields")}
        for place, item in _list(table.get("records"), "records")
    ]
    imports = []
    for place, item in _list(table.get("imports"), "imports"):
        module = _object(item, place, ("namespace", "functions"))
        name = _text(module.get("namespace"), f"{place}.namespace")
        imports.append({"namespace": name, "functions": _functions(module.get("functions"), f"{place}.functions")})
    return {"records": records, "functions": _functions(table.get("functions"), "functions"), "imports": imports}


def _functions(value: object, where: str) -> list[dict[str, Any]]:
    out = []
    for place, item in _list(value, where):
        entry = _object(item, place, ("name", "args", "ret"))
        returned = entry.get("ret")
        if returned is not None:
            _text(returned, f"{place}.ret")
        out.append(_named(entry, place) | {"args": _pairs(entry.get("args"), f"{place}.args"), "ret": returned})
    return out


def _object(value: object, place: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InterfaceFileError(f"{place}: expected an object")
    for key in value:
        if key not in known:
            raise InterfaceFileError(f"{place}.{key}: unknown key", hint=f"known: {', '.join(known)}")
    return value


def _list(value: object, place: str) -> list[tuple[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InterfaceFileError(f"{place}: expected an array")
    return [(f"{place}[{number}]", item) for number, item in enumerate(value)]


def _named(entry: dict[str, Any], place: str) -> dict[str, Any]:
    return {"name": _text(entry.get("name"), f"{place}.name")}


def _pairs(value: object, where: str) -> list[list[str]]:
    out = []
    for place, item in _list(value, where):
        if not isinstance(item, list) or len(item) != 2:
            raise InterfaceFileError(f"{place}: expected [name, type]")
        out.append([_text(part, f"{place}[{number}]") for number, part in enumerate(item)])
    return out


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise InterfaceFileError(f"{place}: expected a name")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InterfaceFileError(f"{place}: half a surrogate pair is no text")
    return value


# ── Aqua ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_aqua(path: str, service: str | None, imports: Any, used: Collection[tuple[str, str]] | None) -> Described:
    import aquac

    if not Path(path).is_file():
        raise InterfaceFileError(f"no such file: {path}")
    compiled = aquac.compile_path(Path(path), imports=imports or {})
    if not compiled.ok:
        raise InterfaceFileError(f"{path} does not compile", diagnostics=compiled.diagnostics)
    return _Aqua(path, compiled).describe(service, used)


def place_of(site: Site) -> str:
    """`file:line:column` of a declaration."""
    at = site.file.lines.position(site.span.start)
    return f"{site.file.path}:{at.line}:{at.column}"


class _Aqua:
    """Declarations of a compiled file, on the way to a description."""

    def __init__(self, path: str, compiled: Compiled) -> None:
        self.path = path
        self.compiled = compiled
        self.entry = compiled.entries[0]
        self.trees: dict[str, ast.File] = {}
        self.records: dict[str, tuple[Struct, list[list[str]]]] = {}
        """By name, in the order they are needed."""
        self.before: dict[int, ModuleContext] = {}
        """What a service sees, by its identity: its id may be a constant."""

    def describe(self, wanted: str | None, used: Collection[tuple[str, str]] | None) -> Described:
        services = self.services()
        own = [part for part in services if self.is_own(part.site)]
        chosen = self.choose(own, services, wanted)
        for struct, where in self.own_structs():
            self.record(struct, where)
        functions = [self.function(name, arrow, chosen) for name, arrow in self.members(chosen)]
        imports: dict[str, dict[str, dict[str, Any]]] = {}
        for part in services:
            if part is chosen:
                continue
            namespace = self.module_name(part)
            known = imports.setdefault(namespace, {})
            for name, arrow in self.members(part):
                if used is not None and (namespace, name) not in used and not self.is_own(part.site):
                    continue
                entry = self.function(name, arrow, part)
                if known.setdefault(name, entry) != entry:
                    raise InterfaceFileError(
                        f"{self.where(part)}: `{name}` of the module `{namespace}` has two signatures"
                    )
        records = [{"name": name, "fields": fields} for name, (_, fields) in self.records.items()]
        modules = [
            {"namespace": name, "functions": list(entries.values())} for name, entries in imports.items() if entries
        ]
        return Described({"records": records, "functions": functions, "imports": modules}, self.module_name(chosen))

    # ── services ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def services(self) -> list[ServicePart]:
        from aquac.semantics.raw import ServicePart

        context = self.compiled.contexts[self.entry]
        found = [(before, part) for before, part in context.parts if isinstance(part, ServicePart) and part.site]
        self.before = {id(part): before for before, part in found}
        return [part for _, part in found]

    def is_own(self, site: Site | None) -> bool:
        return site is not None and site.file.path == self.entry

    def choose(self, own: list[ServicePart], services: list[ServicePart], wanted: str | None) -> ServicePart:
        names = ", ".join(f"`{part.name}`" for part in services) or "none"
        if wanted is None:
            if not own:
                raise InterfaceFileError(
                    f"{self.path}: declares no service",
                    hint='write `service Name("name"):` with the functions of the module',
                )
            return own[-1]
        for part in services:
            if part.name == wanted:
                return part
        raise InterfaceFileError(f"{self.path}: no service `{wanted}`", hint=f"services: {names}")

    def module_name(self, part: ServicePart) -> str:
        """The id of a service, a text or a constant; its name where it has none."""
        from aquac.semantics.raw import ConstPart, Literal, Var

        value, context = part.id, self.before[id(part)]
        while isinstance(value, Var):
            found = context.part(value.name, is_type=False)
            if not isinstance(found, ConstPart):
                break
            value = found.value
        if value is None:
            return part.name
        if not isinstance(value, Literal):
            raise InterfaceFileError(
                f"{self.where(part)}: the id of `{part.name}` is not known",
                hint=f'write it: service {part.name}("name"):',
            )
        return value.text[1:-1]

    def members(self, part: ServicePart) -> list[tuple[str, Arrow]]:
        """Functions in the order of the file; the type has them by name."""
        from aquac.syntax import ast

        assert part.site is not None
        fields = dict(part.type.fields)
        for definition in self.tree(part.site).definitions:
            if isinstance(definition, ast.Service) and definition.name.span == part.site.span:
                return [(member.name.text, fields[member.name.text]) for member in definition.members]  # type: ignore[misc]
        raise AssertionError(f"no declaration of {part.name}")

    def function(self, name: str, arrow: Arrow, part: ServicePart) -> dict[str, Any]:
        where = f"{self.where(part)}: `{part.name}.{name}`"
        if len(arrow.results) > 1:
            raise InterfaceFileError(
                f"{where} has {len(arrow.results)} results",
                hint="a module returns one value: declare a data type for them",
            )
        arguments = [
            [label or f"arg{number}", self.type_name(kind, f"{where}: argument `{label or number}`")]
            for number, (label, kind) in enumerate(arrow.args)
        ]
        returned = [self.type_name(kind, f"{where}: result") for kind in arrow.results]
        return {"name": name, "args": arguments, "ret": returned[0] if returned else None}

    def where(self, part: ServicePart) -> str:
        assert part.site is not None
        return place_of(part.site)

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def type_name(self, kind: Type, where: str) -> str:
        """A type as descriptions name it; records that it needs are described first."""
        from aquac.semantics.printing import for_message
        from aquac.semantics.types import Array, Option, Scalar, Struct

        match kind:
            case Scalar(name):
                return SCALARS[name]
            case Array(element) | Option(element):
                return f"[]{self.type_name(element, where)}"
            case Struct():
                self.record(kind, where)
                return kind.name
            case _:
                raise InterfaceFileError(
                    f"{where} has type `{for_message(kind)}`",
                    hint="modules take and return scalars, strings, arrays and data",
                )

    def own_structs(self) -> Iterable[tuple[Struct, str]]:
        from aquac.semantics.raw import TypePart
        from aquac.semantics.types import Struct

        for _, part in self.compiled.contexts[self.entry].parts:
            if isinstance(part, TypePart) and isinstance(part.type, Struct) and self.is_own(part.site):
                assert part.site is not None
                if part.type.name == part.name:
                    yield part.type, place_of(part.site)

    def record(self, struct: Struct, where: str) -> None:
        found = self.records.get(struct.name)
        if found is not None:
            if found[0] != struct:
                raise InterfaceFileError(
                    f"{where}: two data types are called `{struct.name}`",
                    hint="rename one of them where it is declared",
                )
            return
        order, site = self.field_order(struct, where)
        kinds = dict(struct.fields)
        fields = [[name, self.type_name(kinds[name], f"{site}: field `{name}`")] for name in order]
        self.records[struct.name] = (struct, fields)

    def field_order(self, struct: Struct, where: str) -> tuple[list[str], str]:
        """Names of the fields as declared. The same data may be declared in several files."""
        from aquac.semantics.raw import TypePart
        from aquac.syntax import ast

        orders: dict[tuple[str, ...], str] = {}
        for path, context in self.compiled.contexts.items():
            for _, part in context.parts:
                if not isinstance(part, TypePart) or part.type != struct or part.site is None:
                    continue
                if part.site.file.path != path:
                    continue  # an imported one: it is met in its own file
                for definition in self.tree(part.site).definitions:
                    if isinstance(definition, ast.Data) and definition.name.span == part.site.span:
                        orders.setdefault(tuple(member.name.text for member in definition.members), place_of(part.site))
        if len(orders) > 1:
            raise InterfaceFileError(
                f"{where}: `{struct.name}` is declared with its fields in different orders: {', '.join(orders.values())}",
                hint="a record lies in memory in the order of its fields; make the declarations equal",
            )
        assert orders, struct.name
        ((order, site),) = orders.items()
        return list(order), site

    def tree(self, site: Site) -> ast.File:
        from aquac.syntax.parse import parse

        path = site.file.path
        if path not in self.trees:
            self.trees[path] = parse(site.file)[0]
        return self.trees[path]
