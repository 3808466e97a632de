"""What the tables of a module mean: its exported functions with their adapters, its imports, its record types, as text.

Input: `Tables`. Output: `Interface`. Core exports are numbered 0 … E-1, imported functions follow. Errors: InterfaceError for
records without end.
Source: marine:crates/it-interfaces/src/mit_interfaces.rs, crates/module-interface/src/interface, tools/cli/src/main.rs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from .interface_types import Export, FunctionType, Import, Instruction, InterfaceError, Tables
from .itypes import RecordOf, base_kind, inner_records, records_below
from .limits import RECORD_DEPTH_MAX

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
    """An entry of the function index space that stands for a function of another module."""

    namespace: str
    name: str
    declared: FunctionType | None


@dataclass(frozen=True, slots=True)
class Interface:
    """A module as its section describes it.

    exports: core exports, the first part of the index space. called: the second part. functions: typed exports by name, in
    order. imports: core imports to define.
    """

    tables: Tables
    exports: tuple[Export, ...]
    called: tuple[CalledImport, ...]
    functions: dict[str, ExportedFunction]
    imports: tuple[ImportedFunction, ...]

    def records(self) -> list[RecordOf]:
        """Record types reachable from exported signatures: dependencies first, roots by name."""
        roots: dict[int, RecordOf] = {}
        for function in self.functions.values():
            for kind in (*function.signature.argument_types, *function.signature.results):
                base = base_kind(kind)
                if isinstance(base, RecordOf):
                    roots[id(base)] = base
        out: dict[int, RecordOf] = {}
        for root in sorted(roots.values(), key=lambda record: record.label):
            for record in records_below(root):
                out.setdefault(id(record), record)
        return list(out.values())


def interpret(tables: Tables) -> Interface:
    """Give the tables their meaning. Entries that point nowhere mean nothing, as in the reference."""
    adapters = dict(tables.adapters)
    cores = {pair.core_type for pair in tables.implementations}
    called = [
        CalledImport(entry.namespace, entry.name, tables.function(entry.function_type - 2))
        for entry in tables.imports
        if entry.function_type in cores
    ]
    functions: dict[str, ExportedFunction] = {}
    imports: list[ImportedFunction] = []
    exports_of: dict[int, list[Export]] = {}
    imports_of: dict[int, list[Import]] = {}
    for export in tables.exports:
        exports_of.setdefault(export.function_type, []).append(export)
    for item in tables.imports:
        imports_of.setdefault(item.function_type, []).append(item)
    for core_type, adapter_type in tables.implementations:
        signature, body = tables.function(adapter_type), adapters.get(adapter_type)
        if signature is None or body is None:
            continue
        for export in exports_of.get(core_type, ()):
            functions[export.name] = ExportedFunction(export.name, signature, body)
        imports += [
            ImportedFunction(item.namespace, item.name, signature, body) for item in imports_of.get(core_type, ())
        ]
    return Interface(tables, tuple(tables.exports), tuple(called), functions, tuple(imports))


def check_records(tables: Tables) -> None:
    """Refuse records that contain themselves, or nest too deep. Raises InterfaceError.

    Lifting follows pointers from record to record, so that a cycle of types would let a module send the host in circles.
    """
    depth: dict[int, int] = {}
    for start in tables.references.values():
        path: list[tuple[RecordOf, list[RecordOf]]] = []
        entered: set[int] = set()
        todo = [start] if id(start) not in depth else []
        while todo:
            record = todo.pop()
            path.append((record, inner_records(record)))
            entered.add(id(record))
            while path:
                current, inner = path[-1]
                following = next((r for r in inner if id(r) not in depth), None)
                if following is None:
                    level = 1 + max((depth[id(r)] for r in inner), default=0)
                    if level > RECORD_DEPTH_MAX:
                        raise InterfaceError(TOO_DEEP)
                    depth[id(current)] = level
                    entered.discard(id(current))
                    path.pop()
                elif id(following) in entered:
                    raise InterfaceError(TOO_DEEP)
                else:
                    todo.append(following)
                    break


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
