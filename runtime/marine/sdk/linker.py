"""Make a Wasm module of one object file of LLVM.

Input:  the object (sections, `linking` version 2, `reloc.CODE`, `reloc.DATA`), and which functions are exported.
Output: a core module without custom sections: memory, its stack from address 0 on, static data behind it, then the heap. Numbers the
        object pads to five bytes, so that any value fits, become as short as they can be; zeros at the end of data are left out.
Errors: LinkError for what LLVM does not make of the SDK's code: it is a bug of the SDK, never of the program.
Source: WebAssembly tool-conventions, Linking.md
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runtime.marine.limits import SDK_STACK_BYTES
from runtime.marine.wasm_sections import MAGIC, sections, write_uleb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PAGE: Final = 1 << 16

(
    _CUSTOM,
    _TYPES,
    _IMPORTS,
    _FUNCTIONS,
    _TABLES,
    _MEMORY,
    _GLOBALS,
    _EXPORTS,
    _START,
    _ELEMENTS,
    _CODE,
    _DATA,
    _DATA_COUNT,
) = range(13)
_FUNCTION, _TABLE, _MEMORY_KIND, _GLOBAL = range(4)
_I32, _FUNCREF = 0x7F, 0x70
_SYMBOL_FUNCTION, _SYMBOL_DATA, _SYMBOL_GLOBAL, _SYMBOL_SECTION, _SYMBOL_TAG, _SYMBOL_TABLE = range(6)
_UNDEFINED, _EXPLICIT_NAME = 0x10, 0x40
_FIRST_DATA: Final = 1024
"""Where static data begins when there is no stack: low addresses stay unused, so that no object is at 0."""


class LinkError(Exception):
    """An object this linker does not know how to place."""


class _Reader:
    """Numbers and texts of a section."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def more(self) -> bool:
        return self.at < len(self.data)

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise LinkError("the object ends in the middle of a section")
        self.at += 1
        return self.data[self.at - 1]

    def uleb(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise LinkError("a number of the object is too long")

    def sleb(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value - (1 << shift) if byte & 0x40 else value
            if shift > 63:
                raise LinkError("a number of the object is too long")

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise LinkError("the object ends in the middle of a section")
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self) -> str:
        return self.take(self.uleb()).decode()


def _sleb(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        done = value == (-1 if byte & 0x40 else 0)
        out.append(byte | (0 if done else 0x80))
        if done:
            return bytes(out)


def _vector(items: Sequence[bytes]) -> bytes:
    return write_uleb(len(items)) + b"".join(items)


def _named(text: str) -> bytes:
    encoded = text.encode()
    return write_uleb(len(encoded)) + encoded


@dataclass(slots=True)
class _Symbol:
    kind: int
    name: str
    index: int = -1
    offset: int = 0
    """Function, global or table index, or segment; place within the segment."""


@dataclass(slots=True)
class _Relocation:
    kind: int
    offset: int
    index: int
    addend: int = 0


@dataclass(slots=True)
class _Segment:
    data: bytes
    at: int
    """Where its bytes are in the section."""
    name: str = ""
    align: int = 1
    address: int = 0


@dataclass(slots=True)
class _Object:
    types: bytes = _vector([])
    imports: list[tuple[str, str, int]] = field(default_factory=list)
    """Functions: module, name, type."""
    functions: list[tuple[int, int, int]] = field(default_factory=list)
    """Functions of the object: type, and where the body begins and ends in the code section."""
    renamed: dict[int, int] = field(default_factory=dict)
    """Index of a function in the object → in the module."""
    code: bytes = b""
    segments: list[_Segment] = field(default_factory=list)
    symbols: list[_Symbol] = field(default_factory=list)
    code_relocations: list[_Relocation] = field(default_factory=list)
    data_relocations: list[_Relocation] = field(default_factory=list)
    has_stack: bool = False
    has_table: bool = False


def link(data: bytes, exports: Mapping[str, str], *, names: bool = False) -> bytes:
    """The module. `exports`: name outside → symbol. `names`: keep names of functions, for traces. Raises LinkError."""
    found = _read(data)
    _drop_unused(found, exports)
    heap = _place(found)
    elements: list[int] = []
    resolve = _resolver(found, heap, elements)
    bodies = _bodies(found, resolve)
    segments = _data(found, resolve)
    out = bytearray(MAGIC)

    def section(code: int, content: bytes) -> None:
        out.extend(bytes([code]) + write_uleb(len(content)) + content)

    section(_TYPES, found.types)
    if found.imports:
        section(
            _IMPORTS, _vector([_named(m) + _named(n) + bytes([_FUNCTION]) + write_uleb(t) for m, n, t in found.imports])
        )
    section(_FUNCTIONS, _vector([write_uleb(kind) for kind, _, _ in found.functions]))
    if found.has_table:
        size = write_uleb(len(elements) + 1)
        section(_TABLES, _vector([bytes([_FUNCREF, 1]) + size + size]))
    section(_MEMORY, _vector([b"\0" + write_uleb(heap // PAGE + 1)]))
    if found.has_stack:
        section(_GLOBALS, _vector([bytes([_I32, 1, 0x41]) + _sleb(SDK_STACK_BYTES) + b"\x0b"]))
    section(_EXPORTS, _exports(found, exports))
    if elements:
        section(_ELEMENTS, _vector([b"\0\x41\x01\x0b" + _vector([write_uleb(index) for index in elements])]))
    section(_CODE, _vector(bodies))
    if segments:
        section(_DATA, _vector(segments))
    if names:
        section(_CUSTOM, _named("name") + _function_names(found))
    return bytes(out)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read(data: bytes) -> _Object:
    found = _Object()
    parts = sections(data)
    places = {code: number for number, (code, _) in enumerate(parts) if code != _CUSTOM}
    for code, content in parts:
        reader = _Reader(content)
        if code == _TYPES:
            found.types = content
        elif code == _IMPORTS:
            _read_imports(found, reader)
        elif code == _FUNCTIONS:
            found.functions = [(reader.uleb(), 0, 0) for _ in range(reader.uleb())]
        elif code == _CODE:
            found.code = content
            if reader.uleb() != len(found.functions):
                raise LinkError("functions without bodies")
            for number, (kind, _, _) in enumerate(found.functions):
                size = reader.uleb()
                found.functions[number] = (kind, reader.at, reader.at + size)
                reader.take(size)
        elif code == _DATA:
            _read_segments(found, reader)
        elif code == _CUSTOM:
            name = reader.text()
            if name == "linking":
                _read_linking(found, reader)
            elif name == "reloc.CODE":
                found.code_relocations = _read_relocations(reader, places.get(_CODE))
            elif name == "reloc.DATA":
                found.data_relocations = _read_relocations(reader, places.get(_DATA))
        elif code not in (_DATA_COUNT, _ELEMENTS):  # elements are placed anew
            raise LinkError(f"unexpected section {code}")
    return found


def _read_imports(found: _Object, reader: _Reader) -> None:
    for _ in range(reader.uleb()):
        module, name, kind = reader.text(), reader.text(), reader.byte()
        if kind == _FUNCTION:
            found.imports.append((module, name, reader.uleb()))
        elif kind == _MEMORY_KIND:
            flags = reader.byte()
            reader.uleb()
            if flags & 1:
                reader.uleb()
        elif kind == _GLOBAL and name == "__stack_pointer":
            reader.take(2)
            found.has_stack = True
        elif kind == _TABLE and name == "__indirect_function_table":
            flags = reader.take(2)[1]
            reader.uleb()
            if flags & 1:
                reader.uleb()
            found.has_table = True
        else:
            raise LinkError(f"unexpected import {module}.{name}")


def _read_segments(found: _Object, reader: _Reader) -> None:
    for _ in range(reader.uleb()):
        if reader.uleb() != 0 or reader.byte() != 0x41:
            raise LinkError("unexpected kind of data segment")
        reader.sleb()
        if reader.byte() != 0x0B:
            raise LinkError("unexpected place of a data segment")
        size = reader.uleb()
        at = reader.at
        found.segments.append(_Segment(reader.take(size), at))


def _read_linking(found: _Object, reader: _Reader) -> None:
    if reader.uleb() != 2:
        raise LinkError("unknown version of the linking section")
    while reader.more():
        code = reader.byte()
        part = _Reader(reader.take(reader.uleb()))
        if code == 5:  # segments
            for number in range(part.uleb()):
                segment = found.segments[number]
                segment.name, segment.align = part.text(), 1 << part.uleb()
                part.uleb()
        elif code == 8:  # symbols
            found.symbols = [_read_symbol(found, part) for _ in range(part.uleb())]
        else:
            raise LinkError(f"unexpected linking information {code}")


def _read_symbol(found: _Object, part: _Reader) -> _Symbol:
    kind, flags = part.byte(), part.uleb()
    if kind in (_SYMBOL_FUNCTION, _SYMBOL_GLOBAL, _SYMBOL_TABLE):
        index = part.uleb()
        name = part.text() if not flags & _UNDEFINED or flags & _EXPLICIT_NAME else ""
        if kind == _SYMBOL_FUNCTION and flags & _UNDEFINED and not name:
            name = found.imports[index][1]
        return _Symbol(kind, name, index)
    if kind == _SYMBOL_DATA:
        name = part.text()
        if flags & _UNDEFINED:
            return _Symbol(kind, name)
        index, offset = part.uleb(), part.uleb()
        part.uleb()
        return _Symbol(kind, name, index, offset)
    if kind == _SYMBOL_SECTION:
        return _Symbol(kind, "", part.uleb())
    raise LinkError(f"unexpected symbol of kind {kind}")


def _read_relocations(reader: _Reader, place: int | None) -> list[_Relocation]:
    if reader.uleb() != place:
        raise LinkError("relocations of an unknown section")
    out = []
    for _ in range(reader.uleb()):
        entry = _Relocation(reader.byte(), reader.uleb(), reader.uleb())
        if entry.kind in (3, 4, 5):
            entry.addend = reader.sleb()
        out.append(entry)
    return sorted(out, key=lambda entry: entry.offset)


def _drop_unused(found: _Object, exports: Mapping[str, str]) -> None:
    """Keep what exports reach, and number functions anew. Raises LinkError for a function that is nowhere."""
    functions = {s.name: s.index for s in found.symbols if s.kind == _SYMBOL_FUNCTION}
    imported = len(found.imports)
    calls: list[list[int]] = [[] for _ in found.functions]
    number = 0
    for entry in found.code_relocations:
        while number < len(found.functions) and entry.offset >= found.functions[number][2]:
            number += 1
        if (
            number == len(found.functions)
            or entry.offset < found.functions[number][1]
            or entry.offset + 5 > found.functions[number][2]
        ):
            raise LinkError("a relocation outside of a function")
        if entry.kind in (0, 1):
            calls[number].append(found.symbols[entry.index].index)
    waiting = [found.symbols[entry.index].index for entry in found.data_relocations if entry.kind == 2]
    for symbol in exports.values():
        if symbol not in functions:
            raise LinkError(f"no function {symbol} to export")
        waiting.append(functions[symbol])
    used: set[int] = set()
    while waiting:
        index = waiting.pop()
        if index not in used:
            used.add(index)
            waiting += calls[index - imported] if index >= imported else []
    missing = [name for n, (module, name, _) in enumerate(found.imports) if module == "env" and n in used]
    if missing:
        raise LinkError(f"unresolved symbols: {', '.join(missing)}")
    found.renamed = {index: place for place, index in enumerate(sorted(used))}
    kept = [body for n, body in enumerate(found.functions) if n + imported in used]
    found.imports = [item for n, item in enumerate(found.imports) if n in used]
    spans = [(start, end) for _, start, end in kept]
    found.code_relocations = [e for e in found.code_relocations if any(start <= e.offset < end for start, end in spans)]
    found.functions = kept


# ── placing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _place(found: _Object) -> int:
    """Give every segment an address; the end of static data. Zeros come last, so that they need no bytes in the file."""
    at = SDK_STACK_BYTES if found.has_stack else _FIRST_DATA
    for segment in sorted(found.segments, key=lambda segment: not any(segment.data)):
        segment.address = at = -(-at // segment.align) * segment.align
        at += len(segment.data)
    return -(-at // 16) * 16


def _resolver(found: _Object, heap: int, elements: list[int]) -> Callable[[_Relocation], int]:
    known = {
        "__heap_base": heap,
        "__data_end": heap,
        "__stack_high": SDK_STACK_BYTES,
        "__stack_low": 0,
        "__global_base": _FIRST_DATA,
    }

    def resolve(entry: _Relocation) -> int:
        if entry.kind == 6:
            return entry.index
        symbol = found.symbols[entry.index]
        if entry.kind == 0:
            return found.renamed[symbol.index]
        if entry.kind in (7, 20):
            return symbol.index
        if entry.kind in (1, 2):
            found.has_table = True
            index = found.renamed[symbol.index]
            if index not in elements:
                elements.append(index)
            return elements.index(index) + 1
        if entry.kind in (3, 4, 5):
            if symbol.kind != _SYMBOL_DATA:
                raise LinkError(f"the address of {symbol.name}, which has none")
            if symbol.index >= 0:
                return found.segments[symbol.index].address + symbol.offset + entry.addend
            if symbol.name in known:
                return known[symbol.name] + entry.addend
            raise LinkError(f"unresolved symbol {symbol.name}")
        raise LinkError(f"unknown relocation {entry.kind}")

    return resolve


def _bodies(found: _Object, resolve: Callable[[_Relocation], int]) -> list[bytes]:
    entries = found.code_relocations
    out, number = [], 0
    for _, start, end in found.functions:
        at, pieces = start, []
        while number < len(entries) and entries[number].offset < end:
            entry = entries[number]
            value = resolve(entry)
            pieces += [
                found.code[at : entry.offset],
                _sleb(_signed(value)) if entry.kind in (1, 4) else write_uleb(value),
            ]
            at = entry.offset + 5
            number += 1
        body = b"".join(pieces) + found.code[at:end]
        out.append(write_uleb(len(body)) + body)
    return out


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value


def _data(found: _Object, resolve: Callable[[_Relocation], int]) -> list[bytes]:
    """Segments as one run of bytes, without the zeros at its end."""
    start = min((segment.address for segment in found.segments), default=0)
    image = bytearray(max((s.address + len(s.data) for s in found.segments), default=start) - start)
    for segment in found.segments:
        image[segment.address - start : segment.address - start + len(segment.data)] = segment.data
    for entry in found.data_relocations:
        home = next((s for s in found.segments if s.at <= entry.offset < s.at + len(s.data)), None)
        if home is None or entry.kind not in (2, 5):
            raise LinkError(f"unknown relocation {entry.kind} of data")
        at = home.address - start + entry.offset - home.at
        image[at : at + 4] = resolve(entry).to_bytes(4, "little")
    used = bytes(image).rstrip(b"\0")
    return [b"\0\x41" + _sleb(start) + b"\x0b" + write_uleb(len(used)) + used] if used else []


def _exports(found: _Object, exports: Mapping[str, str]) -> bytes:
    functions = {s.name: s.index for s in found.symbols if s.kind == _SYMBOL_FUNCTION}
    entries = [_named("memory") + bytes([_MEMORY_KIND, 0])]
    for name, symbol in exports.items():
        entries.append(_named(name) + bytes([_FUNCTION]) + write_uleb(found.renamed[functions[symbol]]))
    return _vector(entries)


def _function_names(found: _Object) -> bytes:
    names = sorted(
        {
            found.renamed[s.index]: s.name
            for s in found.symbols
            if s.kind == _SYMBOL_FUNCTION and s.index in found.renamed
        }.items()
    )
    part = _vector([write_uleb(index) + _named(name) for index, name in names])
    return bytes([1]) + write_uleb(len(part)) + part
