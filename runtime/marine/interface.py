"""What the tables of a module mean: its exported functions with their adapters, its imports, its record types, as text.

Input: `Tables`. Output: `Interface`. Core exports are numbered 0 … E-1, imported functions follow. Errors: InterfaceError for
records without end.
Source: marine:crates/it-interfaces/src/mit_interfaces.rs, crates/module-interface/src/interface, tools/cli/src/main.rs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .interface_types import Export, FunctionType, Import, Instruction, InterfaceError, Tables
from .itypes import ArrayOf, IType, RecordOf, base_kind, inner_records, records_below
from .limits import INTERFACE_FUNCTIONS_MAX, TYPE_LEVELS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TOO_DEEP: Final = "mailformed module: a record contains more recursion level then allowed"


@dataclass(frozen=True, slots=True)
class ExportedFunction:
    """A typed function that others may call: its adapter runs in the exporting module."""

    name: str
    signature: FunctionType
    body: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class ImportedFunction:
    """A core import that an adapter of this module serves; the adapter calls another module."""

    namespace: str
    name: str
    signature: FunctionType
    """Of the core side: arguments are flattened to numbers."""
    body: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class CalledImport:
    """An entry of the function index space that stands for a function of another module. problem: why `declared` is None."""

    namespace: str
    name: str
    declared: FunctionType | None
    problem: str


@dataclass(frozen=True, slots=True)
class Interface:
    """A module as its section describes it.

    exports: core exports, the first part of the index space. called: the second part. functions: typed exports by name, in
    order. imports: core imports to define. imports_problem, functions_problem: what is missing in the tables, told when the load
    comes to it.
    """

    tables: Tables
    exports: tuple[Export, ...]
    called: tuple[CalledImport, ...]
    functions: dict[str, ExportedFunction]
    imports: tuple[ImportedFunction, ...]
    imports_problem: str | None
    functions_problem: str | None

    def records(self) -> list[RecordOf]:
        """Record types reachable from exported signatures: dependencies first, roots by name."""
        roots: dict[int, RecordOf] = {}
        for function in self.functions.values():
            for kind in (*function.signature.argument_types, *function.signature.results):
                base = base_kind(kind)
                if isinstance(base, RecordOf):
                    roots[id(base)] = base
        out: list[RecordOf] = []
        seen: set[int] = set()
        for root in sorted(roots.values(), key=lambda record: record.label):
            out += records_below(root, seen)
        return out


def interpret(tables: Tables) -> Interface:
    """Give the tables their meaning. An implementation of nothing means nothing, as in the reference.

    Raises InterfaceError when exports and implementations of one type combine to too many functions.
    """
    adapters = dict(tables.adapters)
    cores = {pair.core_type for pair in tables.implementations}
    called = [
        CalledImport(
            entry.namespace,
            entry.name,
            tables.function(entry.function_type - 2),
            _no_function(tables, entry.function_type - 2),
        )
        for entry in tables.imports
        if entry.function_type in cores
    ]
    functions: dict[str, ExportedFunction] = {}
    imports: list[ImportedFunction] = []
    exports_of: dict[int, list[Export]] = {}
    imports_of: dict[int, list[Import]] = {}
    made = 0
    for export in tables.exports:
        exports_of.setdefault(export.function_type, []).append(export)
    for item in tables.imports:
        imports_of.setdefault(item.function_type, []).append(item)
    problems: dict[str, str | None] = {"imports": None, "functions": None}
    no_adapter = None
    seen: set[int] = set()
    for core_type, adapter_type in tables.implementations:
        if adapter_type in seen:
            continue  # the reference looks at the first of each adapter
        seen.add(adapter_type)
        exported, imported = exports_of.get(core_type, ()), imports_of.get(core_type, ())
        made += len(exported) + len(imported)
        if made > INTERFACE_FUNCTIONS_MAX:
            raise InterfaceError(f"the interface has more than {INTERFACE_FUNCTIONS_MAX} functions")
        signature, body = tables.function(adapter_type), adapters.get(adapter_type)
        missing = f"Loaded module doesn't contain adapter with type idx = {adapter_type}" if body is None else None
        if exported:
            problems["functions"] = problems["functions"] or _no_function(tables, adapter_type) or None
            no_adapter = no_adapter or missing
        if imported:
            problems["imports"] = problems["imports"] or missing or _no_function(tables, adapter_type) or None
        if signature is None or body is None:
            continue
        for export in exported:
            functions[export.name] = ExportedFunction(export.name, signature, body)
        imports += [ImportedFunction(item.namespace, item.name, signature, body) for item in imported]
    problem = problems["functions"] or _missing_record(tables, functions.values()) or no_adapter
    return Interface(
        tables, tuple(tables.exports), tuple(called), functions, tuple(imports), problems["imports"], problem
    )


def _no_function(tables: Tables, index: int) -> str:
    """Why there is no signature at an index; empty when there is one."""
    if tables.function(index) is not None:
        return ""
    if 0 <= index < len(tables.types):
        return f"type with idx = {index} isn't a function type"
    return f"Loaded module doesn't contain type with idx = {index % 2**32}"


def _missing_record(tables: Tables, functions: Iterable[ExportedFunction]) -> str | None:
    """A record that exported signatures are made of, and that is none."""
    seen: set[int] = set()
    for function in functions:
        for kind in (*function.signature.argument_types, *function.signature.results):
            base = base_kind(kind)
            if isinstance(base, RecordOf):
                for record in records_below(base, seen):
                    if not tables.is_defined(record):
                        return f"record type with type id {record.index} not found"
    return None


def check_records(tables: Tables) -> None:
    """Refuse records that contain themselves, or nest too deep, whether they are exported or not. Raises InterfaceError.

    Lifting follows pointers from record to record, so that a cycle of types would let a module send the host in circles.
    """
    depth: dict[int, int] = {}
    for start in tables.references.values():
        path: list[tuple[RecordOf, Iterator[RecordOf]]] = []
        entered: set[int] = set()
        todo = [start] if id(start) not in depth else []
        while todo:
            record = todo.pop()
            path.append((record, iter(inner_records(record))))
            entered.add(id(record))
            while path:
                current, rest = path[-1]
                following = next((r for r in rest if id(r) not in depth), None)
                if following is None:
                    level = 2 + max(
                        (_arrays(kind) + depth.get(id(base_kind(kind)), 0) for _, kind in current.fields), default=0
                    )
                    if level > TYPE_LEVELS_MAX:
                        raise InterfaceError(TOO_DEEP)
                    depth[id(current)] = level
                    entered.discard(id(current))
                    path.pop()
                elif id(following) in entered:
                    raise InterfaceError(TOO_DEEP)
                else:
                    todo.append(following)
                    break


def _arrays(kind: IType) -> int:
    depth = 0
    while isinstance(kind, ArrayOf):
        depth, kind = depth + 1, kind.element
    return depth


# ── the interface as data and as Aqua ────────────────────────────────────────────────────────────────────────────────


def interface_json(interface: Interface, *, module_level: bool = False) -> dict[str, Any]:
    """The interface in the shape of the reference: fields as pairs, or as objects in the module-level form."""
    functions = [
        {
            "name": function.name,
            "arguments": [[name, kind.text] for name, kind in function.signature.arguments],
            "output_types": [kind.text for kind in function.signature.results],
        }
        for function in interface.functions.values()
    ]
    records = []
    for record in interface.records():
        fields: list[Any] = [[name, kind.text] for name, kind in record.fields]
        if module_level:
            fields = [{"name": name, "ty": kind} for name, kind in fields]
        records.append({"name": record.label, "id": record.index, "fields": fields})
    return {"function_signatures": functions, "record_types": records}


def aqua_text(interface: Interface, name: str) -> str:
    """An Aqua file that declares the service, as `marine aqua` prints it."""
    title = _pascal(name)
    out = [f"aqua {title} declares *", ""]
    for record in interface.records():
        out.append(f"data {record.label}:")
        out += [f"  {field}: {kind.text}" for field, kind in record.fields]
        out.append("")
    out.append(f'service {title}("{name}"):')
    for function in sorted(interface.functions.values(), key=lambda function: function.name):
        arguments = ", ".join(f"{argument}: {kind.text}" for argument, kind in function.signature.arguments)
        results = function.signature.results
        answer = f" -> {results[0].text}" if results else ""
        out.append(f"  {function.name}({arguments}){answer}")
    return "\n".join(out) + "\n"


def _pascal(name: str) -> str:
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in name).split()
    text = "".join(word[0].upper() + word[1:] for word in words)
    return text if text[:1].isalpha() else f"Service{text}"
