"""Write the interface section of a module from a plain description, as the current generator of the reference does.

Input: `{"records": [{"name", "fields": [[name, type]…]}], "functions": [{"name", "args": [[name, type]…], "ret": type | null}],
"imports": [{"namespace", "functions": […]}]}` with types named as in Aqua or in interface types. Output: bytes of the section, and
back: `described` reads such a description off a section of any version. Errors: InterfaceError.
Source: marine:crates/it-generator/src/instructions_generator, module_interface
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .interface_types import (
    CODE_OF,
    CURRENT_IT,
    Export,
    FunctionType,
    Implementation,
    Import,
    Instruction,
    InterfaceError,
    Tables,
    encode,
)  # fmt: skip
from .itypes import BOOL, BYTES, F32, F64, I32, I64, PRIMS, S64, STRING, U8, U64, ArrayOf, IType, Prim, RecordOf
from .limits import ARRAY_DEPTH_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_ABI: Final = (
    ("allocate", (("size", I32),), (I32,)),
    ("release_objects", (), ()),
    ("get_result_size", (), (I32,)),
    ("get_result_ptr", (), (I32,)),
    ("set_result_size", (("result_size", I32),), ()),
    ("set_result_ptr", (("result_ptr", I32),), ()),
)
_ALLOCATE, _RELEASE, _GET_SIZE, _GET_POINTER, _SET_SIZE, _SET_POINTER = range(6)
_NAMES: Final = {prim.name: prim for prim in PRIMS if prim is not BYTES} | {
    "i8": PRIMS[0], "i16": PRIMS[1], "bytes": BYTES
}  # fmt: skip
"""`i32` and `i64` mean the core types here, as in sections; Aqua's are `s32` and `s64`."""


def _instruction(name: str, number: int = 0, kind: IType | None = None) -> Instruction:
    return Instruction(CODE_OF[name], number, kind)


def _kind(text: str, records: Mapping[str, RecordOf]) -> IType:
    depth = 0
    while text.startswith("[]") and text != "[]u8":
        depth, text = depth + 1, text[2:]
    if depth > ARRAY_DEPTH_MAX:
        raise InterfaceError(f"arrays nested deeper than {ARRAY_DEPTH_MAX}")
    out: IType
    if text == "[]u8":
        out = BYTES
    elif text in records:
        out = records[text]
    elif text in _NAMES:
        out = _NAMES[text]
    else:
        raise InterfaceError(f"unknown type `{text}`")
    for _ in range(depth):
        out = ArrayOf(out)
    return out


# ── adapters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wide(kind: IType) -> bool:
    return kind in (S64, U64, I64)


def _is_number(kind: IType) -> bool:
    return isinstance(kind, Prim) and kind not in (STRING, BYTES)


def _to_core(kind: IType) -> list[Instruction]:
    """A number on the stack to what a core function takes."""
    if kind in (F32, F64, I32, I64):
        return []
    assert isinstance(kind, Prim)
    return [_instruction(f"{'i64' if _wide(kind) else 'i32'}.from_{kind.name}")]


def _from_core(kind: IType) -> list[Instruction]:
    """A number of a core function to its type."""
    if kind in (F32, F64, I32, I64):
        return []
    assert isinstance(kind, Prim)
    return [_instruction(f"{kind.name}.from_{'i64' if _wide(kind) else 'i32'}")]


def _element(kind: IType) -> IType:
    return kind.element if isinstance(kind, ArrayOf) else U8


def _lower(kind: IType) -> list[Instruction]:
    """An array or a record on the stack into memory."""
    if isinstance(kind, RecordOf):
        return [_instruction("record.lower_memory", kind.index)]
    return [_instruction("array.lower_memory", 0, _element(kind))]


def _lift(kind: IType) -> list[Instruction]:
    """What an address (and a size) stand for."""
    if isinstance(kind, RecordOf):
        return [_instruction("record.lift_memory", kind.index)]
    if kind is STRING:
        return [_instruction("string.lift_memory")]
    if kind is BYTES:
        return [_instruction("byte_array.lift_memory")]
    return [_instruction("array.lift_memory", 0, _element(kind))]


def export_body(signature: FunctionType, core: int) -> tuple[Instruction, ...]:
    """The adapter of an exported function; `core` is the index of its core function."""
    out: list[Instruction] = []
    for index, kind in enumerate(signature.argument_types):
        out.append(_instruction("arg.get", index))
        if kind is STRING:
            out += [_instruction("string.size"), _instruction("i32.push", 1), _instruction("call-core", _ALLOCATE)]
            out += [_instruction("arg.get", index), _instruction("string.lower_memory")]
        elif _is_number(kind):
            out += _to_core(kind)
        else:
            out += _lower(kind)
    out.append(_instruction("call-core", core))
    for kind in signature.results:
        if _is_number(kind):
            out += _from_core(kind)
            continue
        out.append(_instruction("call-core", _GET_POINTER))
        if not isinstance(kind, RecordOf):
            out.append(_instruction("call-core", _GET_SIZE))
        out += _lift(kind)
        out.append(_instruction("call-core", _RELEASE))
    return tuple(out)


def import_body(signature: FunctionType, called: int) -> tuple[Instruction, ...]:
    """The adapter of an imported function; `called` is its index in the function index space."""
    out: list[Instruction] = []
    cursor, has_objects = 0, False
    for kind in signature.argument_types:
        out.append(_instruction("arg.get", cursor))
        cursor += 1
        if _is_number(kind):
            out += _from_core(kind)
            continue
        has_objects = True
        if not isinstance(kind, RecordOf):
            out.append(_instruction("arg.get", cursor))
            cursor += 1
        out += _lift(kind)
    if has_objects:
        out.append(_instruction("call-core", _RELEASE))
    out.append(_instruction("call-core", called))
    for kind in signature.results:
        if _is_number(kind):
            out += _to_core(kind)
        elif kind is STRING:
            out += [_instruction("dup"), _instruction("string.size"), _instruction("i32.push", 1)]
            out += [_instruction("call-core", _ALLOCATE), _instruction("swap2"), _instruction("string.lower_memory")]
        else:
            out += _lower(kind)
        if not _is_number(kind):
            if not isinstance(kind, RecordOf):
                out.append(_instruction("call-core", _SET_SIZE))
            out.append(_instruction("call-core", _SET_POINTER))
    return tuple(out)


def raw_signature(signature: FunctionType) -> FunctionType:
    """The core side of an imported function."""
    arguments: list[tuple[str, IType]] = []
    for name, kind in signature.arguments:
        if isinstance(kind, RecordOf):
            arguments.append((name, I32))
        elif _is_number(kind):
            arguments.append((name, _core(kind)))
        else:
            arguments += [(f"{name}_ptr", I32)] * 2
    return FunctionType(tuple(arguments), tuple(_core(kind) for kind in signature.results if _is_number(kind)))


def _core(kind: IType) -> Prim:
    if kind in (F32, F64) and isinstance(kind, Prim):
        return kind
    return I64 if _wide(kind) else I32


# ── sections ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def build(interface: Mapping[str, Any]) -> Tables:
    """The tables of a described interface. Raises InterfaceError."""
    tables = Tables()
    tables.types += [FunctionType(arguments, results) for _, arguments, results in _ABI]
    records: dict[str, RecordOf] = {}
    for entry in interface.get("records", ()):
        if entry["name"] in records:
            raise InterfaceError(f"the record `{entry['name']}` is defined twice")
        record = records[entry["name"]] = tables.record(len(tables.types))
        record.label = entry["name"]
        tables.types.append(record)
    for entry in interface.get("records", ()):
        records[entry["name"]].fields = tuple((name, _kind(text, records)) for name, text in entry["fields"])
    tables.exports += [Export(name, index) for index, (name, _, _) in enumerate(_ABI)]
    for number, entry in enumerate(interface.get("functions", ())):
        signature = _signature(entry, records)
        adapter = len(tables.types)
        tables.types += [signature, signature]
        tables.adapters.append((adapter, export_body(signature, len(_ABI) + number)))
        tables.exports.append(Export(entry["name"], adapter + 1))
        tables.implementations.append(Implementation(adapter + 1, adapter))
    called = len(tables.exports)
    for module in interface.get("imports", ()):
        for entry in module["functions"]:
            signature = _signature(entry, records)
            raw = raw_signature(signature)
            typed = len(tables.types)
            tables.types += [signature, raw, raw]
            tables.imports += [
                Import(module["namespace"], entry["name"], typed),
                Import(module["namespace"], entry["name"], typed + 2),
            ]
            tables.adapters.append((typed + 1, import_body(signature, called)))
            tables.implementations.append(Implementation(typed + 2, typed + 1))
            called += 1
    return tables


def emit(interface: Mapping[str, Any], version: str = CURRENT_IT) -> bytes:
    """The section of a described interface. Raises InterfaceError."""
    return encode(build(interface), version)


def _signature(entry: Mapping[str, Any], records: Mapping[str, RecordOf]) -> FunctionType:
    arguments = tuple((name, _kind(text, records)) for name, text in entry["args"])
    returned = entry.get("ret")
    return FunctionType(arguments, () if returned is None else (_kind(returned, records),))


# ── back ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def described(tables: Tables) -> dict[str, Any]:
    """The description of a section: records, typed exports and typed imports in section order."""
    cores = {pair.core_type: pair.adapter_type for pair in tables.implementations}
    functions = [
        _entry(export.name, signature)
        for export in tables.exports
        if export.function_type in cores and (signature := tables.function(cores[export.function_type])) is not None
    ]
    modules: dict[str, list[dict[str, Any]]] = {}
    for item in tables.imports:
        signature = tables.function(item.function_type - 2) if item.function_type in cores else None
        if signature is not None:
            modules.setdefault(item.namespace, []).append(_entry(item.name, signature))
    return {
        "records": [
            {"name": kind.label, "fields": _fields(kind.fields)} for kind in tables.types if isinstance(kind, RecordOf)
        ],
        "functions": functions,
        "imports": [{"namespace": name, "functions": entries} for name, entries in modules.items()],
    }


def _entry(name: str, signature: FunctionType) -> dict[str, Any]:
    results: Sequence[IType] = signature.results
    return {"name": name, "args": _fields(signature.arguments), "ret": type_name(results[0]) if results else None}


def _fields(fields: Iterable[tuple[str, IType]]) -> list[list[str]]:
    return [[name, type_name(kind)] for name, kind in fields]


def type_name(kind: IType) -> str:
    """A type as descriptions write it: `s32`, `[]u8`, `[]Name`."""
    depth = 0
    while isinstance(kind, ArrayOf):
        depth, kind = depth + 1, kind.element
    name = kind.label if isinstance(kind, RecordOf) else "[]u8" if kind is BYTES else kind.name
    return "[]" * depth + name


__all__ = ["BOOL", "build", "described", "emit", "export_body", "import_body", "raw_signature", "type_name"]
