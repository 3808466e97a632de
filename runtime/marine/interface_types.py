"""The binary form of the `interface-types` section: decoding of every version, encoding as the current tools write it.

Input: bytes of the section. Output: `Tables`, the six lists as they stand in the file; `interface` gives them meaning.
Errors: InterfaceError with the kind the reference's parser reports and the bytes it had left. Never another exception.
The encoder writes inner counts as LEB128 but the decoder reads one byte, so both keep to counts below 128 here.
Source: interface-types:wasmer-it/src/decoders/binary.rs, encoders/binary.rs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .itypes import (
    ARRAY_CODE,
    PRIM_OF_CODE,
    RECORD_CODE,
    ArrayOf,
    IType,
    Prim,
    RecordOf,
    base_kind,
    inner_records,
    records_below,
)
from .limits import ARRAY_DEPTH_MAX
from .semver import Version, VersionError, parse_version
from .wasm_sections import write_uleb

MINIMUM_IT: Final = Version(0, 20, 0)
MINIMUM_SDK: Final = Version(0, 6, 0)
CURRENT_IT: Final = "0.27.0"
CURRENT_SDK: Final = "0.14.0"

_TYPE, _IMPORT, _ADAPTER, _EXPORT, _IMPLEMENTATION, _VERSION = range(6)
_ULEB_BYTES_MAX: Final = 9
_INNER_COUNT_MAX: Final = 127
_QUOTED_BYTES_MAX: Final = 4096


class InterfaceError(ValueError):
    """The section cannot be read or written; the text is the reference's."""


class _Broken(Exception):
    def __init__(self, kind: str, at: int) -> None:
        super().__init__(kind)
        self.kind = kind
        self.at = at


@dataclass(frozen=True, slots=True)
class FunctionType:
    """A typed signature. `arguments` have names."""

    arguments: tuple[tuple[str, IType], ...]
    results: tuple[IType, ...]

    @property
    def argument_types(self) -> tuple[IType, ...]:
        """The types without names."""
        return tuple(kind for _, kind in self.arguments)


class Import(NamedTuple):
    """A function of another module; `function_type` is an index."""

    namespace: str
    name: str
    function_type: int


class Export(NamedTuple):
    """An exported core function; `function_type` is an index."""

    name: str
    function_type: int


class Instruction(NamedTuple):
    """One step of an adapter: its code with a number or a type where the code takes one."""

    code: int
    number: int = 0
    kind: IType | None = None


class Implementation(NamedTuple):
    """Which adapter type stands for which core type."""

    core_type: int
    adapter_type: int


@dataclass(slots=True)
class Tables:
    """The lists of a section. `types` holds signatures and records in one index space."""

    version: Version = MINIMUM_IT
    types: list[FunctionType | RecordOf] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    adapters: list[tuple[int, tuple[Instruction, ...]]] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    implementations: list[Implementation] = field(default_factory=list)
    references: dict[int, RecordOf] = field(default_factory=dict)
    broken: frozenset[int] | None = None

    def record(self, index: int) -> RecordOf:
        """The record type of an index; one identity per index, even before or without its definition."""
        found = self.references.get(index)
        if found is None:
            found = self.references[index] = RecordOf(index)
        return found

    def function(self, index: int) -> FunctionType | None:
        """The signature at an index; None for a record or a missing entry."""
        if 0 <= index < len(self.types):
            found = self.types[index]
            return found if isinstance(found, FunctionType) else None
        return None

    def is_defined(self, record: RecordOf) -> bool:
        """Whether the section defines this record."""
        return record.index < len(self.types) and self.types[record.index] is record

    def is_complete(self, kind: IType) -> bool:
        """Whether every record in the type is one that the section defines. Not for recursive ones; the tables must not change after."""
        if self.broken is None:
            broken: set[int] = set()
            seen: set[int] = set()
            for reference in list(self.references.values()):
                for record in records_below(reference, seen):
                    if not self.is_defined(record) or any(inner.index in broken for inner in inner_records(record)):
                        broken.add(record.index)
            self.broken = frozenset(broken)
        base = base_kind(kind)
        return not isinstance(base, RecordOf) or (
            self.references.get(base.index) is base and base.index not in self.broken
        )


MNEMONICS: Final[dict[int, str]] = {
    0x00: "arg.get", 0x01: "call-core",
    0x02: "s8.from_i32", 0x03: "s8.from_i64", 0x04: "s16.from_i32", 0x05: "s16.from_i64",
    0x06: "s32.from_i32", 0x07: "s32.from_i64", 0x08: "s64.from_i32", 0x09: "s64.from_i64",
    0x0A: "i32.from_s8", 0x0B: "i32.from_s16", 0x0C: "i32.from_s32", 0x0D: "i32.from_s64",
    0x0E: "i64.from_s8", 0x0F: "i64.from_s16", 0x10: "i64.from_s32", 0x11: "i64.from_s64",
    0x12: "u8.from_i32", 0x13: "u8.from_i64", 0x14: "u16.from_i32", 0x15: "u16.from_i64",
    0x16: "u32.from_i32", 0x17: "u32.from_i64", 0x18: "u64.from_i32", 0x19: "u64.from_i64",
    0x1A: "i32.from_u8", 0x1B: "i32.from_u16", 0x1C: "i32.from_u32", 0x1D: "i32.from_u64",
    0x1E: "i64.from_u8", 0x1F: "i64.from_u16", 0x20: "i64.from_u32", 0x21: "i64.from_u64",
    0x22: "string.lift_memory", 0x23: "string.lower_memory", 0x24: "string.size",
    0x34: "dup", 0x35: "swap2", 0x37: "array.lift_memory", 0x38: "array.lower_memory",
    0x3A: "record.lift_memory", 0x3B: "record.lower_memory", 0x3E: "bool.from_i32", 0x3F: "i32.from_bool",
    0x40: "i32.push", 0x41: "i64.push",
    0x43: "byte_array.lift_memory", 0x44: "byte_array.lower_memory", 0x45: "byte_array.size",
}  # fmt: skip
CODE_OF: Final = {name: code for code, name in MNEMONICS.items()}

TAKES_NUMBER: Final = frozenset({0x00, 0x01, 0x3A, 0x3B, 0x40, 0x41})
PUSHES: Final = frozenset({0x40, 0x41})
TAKES_TYPE: Final = frozenset({0x37, 0x38})


def mnemonic(instruction: Instruction) -> str:
    """An instruction as error messages name it."""
    name = MNEMONICS[instruction.code]
    if instruction.code in TAKES_NUMBER:
        number = instruction.number
        if instruction.code == 0x40:
            number = (number + 2**31) % 2**32 - 2**31
        elif instruction.code == 0x41:
            number = (number + 2**63) % 2**64 - 2**63
        return f"{name} {number}"
    return f"{name} {instruction.kind.name}" if instruction.kind is not None else name


# ── decoding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Reader:
    """A place in the section. `at` is where a failed alternative started, for the message."""

    __slots__ = ("at", "data", "tables")

    def __init__(self, data: bytes, tables: Tables) -> None:
        self.data = data
        self.at = 0
        self.tables = tables

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise _Broken("Eof", self.at)
        self.at += 1
        return self.data[self.at - 1]

    def uleb(self) -> int:
        start, value, shift = self.at, 0, 0
        while True:
            if self.at >= len(self.data):
                raise _Broken("Eof", start)
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift >= 7 * _ULEB_BYTES_MAX:
                raise _Broken("TooLarge", start)

    def index(self) -> int:
        """A number of which the reference keeps 32 bits."""
        return self.uleb() & 0xFFFFFFFF

    def text(self) -> str:
        size = self.byte()
        start = self.at
        if start + size > len(self.data):
            raise _Broken("Eof", start)
        self.at += size
        try:
            return self.data[start : self.at].decode()
        except UnicodeDecodeError:
            raise _Broken("Char", start) from None

    def kind(self) -> IType:
        depth = 0
        while (code := self.byte()) == ARRAY_CODE:
            depth += 1
            if depth > ARRAY_DEPTH_MAX:
                raise _Broken("Alt", self.at)
        prim = PRIM_OF_CODE.get(code)
        out: IType
        if prim is not None:
            out = prim
        elif code == RECORD_CODE:
            out = self.tables.record(self.uleb())
        else:
            raise _Broken("Alt", self.at)
        for _ in range(depth):
            out = ArrayOf(out)
        return out

    def named_kinds(self) -> tuple[tuple[str, IType], ...]:
        return tuple((self.text(), self.kind()) for _ in range(self.byte()))

    def instruction(self) -> Instruction:
        code = self.byte()
        if code in TAKES_NUMBER:
            return Instruction(code, self.uleb() if code in PUSHES else self.index())
        if code in TAKES_TYPE:
            return Instruction(code, 0, self.kind())
        if code not in MNEMONICS:
            raise _Broken("Alt", self.at)
        return Instruction(code)


def decode(data: bytes) -> Tables:
    """Read a section. Raises InterfaceError."""
    tables = Tables()
    reader = _Reader(data, tables)
    versions: list[str] = []
    try:
        while reader.at < len(data):
            _record(reader, tables, versions)
        if not versions:
            raise _Broken("NoneOf", reader.at)
        if len(versions) > 1:
            raise _Broken("Many0", reader.at)
        try:
            tables.version = parse_version(versions[0])
        except VersionError:
            raise _Broken("IsNot", reader.at) from None
    except _Broken as broken:
        raise InterfaceError(_parsing_error(data[broken.at :], broken.kind)) from None
    return tables


def _record(reader: _Reader, tables: Tables, versions: list[str]) -> None:
    code = reader.byte()
    if code == _VERSION:
        versions.append(reader.text())
        return
    if code > _VERSION:
        raise _Broken("Alt", reader.at)
    for _ in range(reader.uleb()):
        if code == _TYPE:
            tables.types.append(_type(reader, tables))
        elif code == _IMPORT:
            tables.imports.append(Import(reader.text(), reader.text(), reader.index()))
        elif code == _ADAPTER:
            kind = reader.index()
            tables.adapters.append((kind, tuple(reader.instruction() for _ in range(reader.byte()))))
        elif code == _EXPORT:
            tables.exports.append(Export(reader.text(), reader.index()))
        else:
            tables.implementations.append(Implementation(reader.index(), reader.index()))


def _type(reader: _Reader, tables: Tables) -> FunctionType | RecordOf:
    code = reader.byte()
    if code == 0:
        return FunctionType(reader.named_kinds(), tuple(reader.kind() for _ in range(reader.byte())))
    if code != 1:
        raise _Broken("Alt", reader.at)
    record = tables.record(len(tables.types))
    record.label = reader.text()
    start = reader.at
    record.fields = reader.named_kinds()
    if not record.fields:
        raise _Broken("Alt", start)
    return record


def _parsing_error(rest: bytes, kind: str) -> str:
    shown = ", ".join(map(str, rest[:_QUOTED_BYTES_MAX]))
    more = ", …" if len(rest) > _QUOTED_BYTES_MAX else ""
    return (
        f"IT section is corrupted: Parsing Error: ([{shown}{more}], {kind}).\n"
        "Probably the module was compiled with an old version of marine cli, please try to update and recompile.\n"
        "To update marine run: cargo install marine --force"
    )


# ── encoding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def encode(tables: Tables, version: str = CURRENT_IT) -> bytes:
    """The section for these tables. Raises InterfaceError for counts and names that a reader could not take."""
    out = bytearray(bytes([_VERSION]) + _text(version))
    types = bytearray()
    for entry in tables.types:
        if isinstance(entry, RecordOf):
            if not entry.fields:
                raise InterfaceError(f"the record `{entry.label}` has no fields")
            types += b"\x01" + _text(entry.label) + _named(entry.fields, f"fields in the record `{entry.label}`")
        else:
            types += b"\x00" + _named(entry.arguments, "arguments in one function")
            types += bytes([_count(len(entry.results), "results in one function")])
            types += b"".join(_kind(kind) for kind in entry.results)
    out += _list(_TYPE, len(tables.types), types)
    imports = b"".join(_text(i.namespace) + _text(i.name) + write_uleb(i.function_type) for i in tables.imports)
    out += _list(_IMPORT, len(tables.imports), imports)
    adapters = bytearray()
    for kind, body in tables.adapters:
        adapters += write_uleb(kind) + bytes([_count(len(body), "instructions in one adapter")])
        adapters += b"".join(map(_instruction, body))
    out += _list(_ADAPTER, len(tables.adapters), adapters)
    exports = b"".join(_text(e.name) + write_uleb(e.function_type) for e in tables.exports)
    out += _list(_EXPORT, len(tables.exports), exports)
    pairs = b"".join(write_uleb(i.core_type) + write_uleb(i.adapter_type) for i in tables.implementations)
    return bytes(out + _list(_IMPLEMENTATION, len(tables.implementations), pairs))


def _list(code: int, count: int, content: bytes | bytearray) -> bytes:
    return bytes([code]) + write_uleb(count) + bytes(content) if count else b""


def _text(text: str) -> bytes:
    data = text.encode()
    if len(data) > 255:
        raise InterfaceError(f"the name `{text[:40]}…` takes {len(data)} bytes, at most 255 fit")
    return bytes([len(data)]) + data


def _count(count: int, what: str) -> int:
    if count > _INNER_COUNT_MAX:
        raise InterfaceError(f"{count} {what}, at most {_INNER_COUNT_MAX} fit")
    return count


def _named(items: tuple[tuple[str, IType], ...], what: str) -> bytes:
    return bytes([_count(len(items), what)]) + b"".join(_text(name) + _kind(kind) for name, kind in items)


def _kind(kind: IType) -> bytes:
    prefix = bytearray()
    while isinstance(kind, ArrayOf):
        prefix.append(ARRAY_CODE)
        kind = kind.element
    if isinstance(kind, Prim):
        return bytes(prefix) + bytes([kind.code])
    return bytes(prefix) + bytes([RECORD_CODE]) + write_uleb(kind.index)


def _instruction(instruction: Instruction) -> bytes:
    code = bytes([instruction.code])
    if instruction.code in TAKES_NUMBER:
        return code + write_uleb(instruction.number)
    if instruction.code in TAKES_TYPE and instruction.kind is not None:
        return code + _kind(instruction.kind)
    return code
