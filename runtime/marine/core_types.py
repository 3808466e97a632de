"""Signatures of the functions that a core module imports and exports, read off its sections.

The engine's own C interface ends the process when it is asked for the kind of a vector or of a typed reference, and any module can
have those, so signatures are read here. Only for modules the engine has accepted. Errors: SectionsBrokenError.
Source: WebAssembly 3.0, binary format
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .wasm_sections import SectionsBrokenError, spans, uleb

Letters = tuple[str, str]
"""Parameters and results: i i32, l i64, f f32, d f64."""

FUNCTION, TABLE, MEMORY, GLOBAL, TAG = range(5)
KINDS: Final = ("function", "table", "memory", "global", "tag")
"""What imports and exports are, by their number."""

_TYPES, _IMPORTS, _FUNCTIONS, _EXPORTS = 1, 2, 3, 7
_NUMBERS: Final = {0x7F: "i", 0x7E: "l", 0x7D: "f", 0x7C: "d"}
_OTHER: Final = "?"
_REFERENCES: Final = (0x63, 0x64)
_REC, _SUB, _SUB_FINAL, _ARRAY, _STRUCT, _FUNC = 0x4E, 0x50, 0x4F, 0x5E, 0x5F, 0x60
_CONTINUED: Final = 0x80
_HAS_MAXIMUM: Final = 1
_HAS_PAGE_SIZE: Final = 8


class CoreImport(NamedTuple):
    """An import. letters: of a function, None when it has values that are no numbers; None for everything else."""

    module: str
    name: str
    kind: int
    letters: Letters | None


class CoreExport(NamedTuple):
    """An export; see `CoreImport`."""

    kind: int
    letters: Letters | None


class CoreShape(NamedTuple):
    """What a module takes, in order, and what it gives, by name."""

    imports: tuple[CoreImport, ...]
    exports: dict[str, CoreExport]


def core_shape(wasm: bytes) -> CoreShape:
    """Imports and exports of a valid module. Raises SectionsBrokenError."""
    types: list[Letters | None] = []
    functions: list[int] = []
    imports: list[CoreImport] = []
    exports: dict[str, CoreExport] = {}
    for code, start, end in spans(wasm):
        if code not in (_TYPES, _IMPORTS, _FUNCTIONS, _EXPORTS):
            continue
        reader = _Reader(wasm[start:end])
        try:
            if code == _TYPES:
                for _ in range(reader.number()):
                    reader.types(types)
            elif code == _IMPORTS:
                imports += [reader.imported(types, functions) for _ in range(reader.number())]
            elif code == _FUNCTIONS:
                functions += reader.numbers(reader.number())
            elif code == _EXPORTS:
                for _ in range(reader.number()):
                    name, kind, index = reader.text(), reader.byte(), reader.number()
                    exports[name] = CoreExport(kind, types[functions[index]] if kind == FUNCTION else None)
        except (IndexError, UnicodeDecodeError) as error:
            raise SectionsBrokenError(f"section {code} of a Wasm module cannot be read: {error}") from None
    return CoreShape(tuple(imports), exports)


class _Reader:
    """A place in a section."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def number(self) -> int:
        value, self.at = uleb(self.data, self.at)
        return value

    def numbers(self, count: int) -> list[int]:
        """Many of them; a module has a type for each of its functions."""
        data, at = self.data, self.at
        out = []
        for _ in range(count):
            value = data[at]
            at += 1
            if value >= _CONTINUED:
                value, at = uleb(data, at - 1)
            out.append(value)
        self.at = at
        return out

    def skip_number(self) -> None:
        """Any LEB128, signed or of 64 bits."""
        while self.byte() & 0x80:
            pass

    def text(self) -> str:
        size = self.number()
        self.at += size
        return self.data[self.at - size : self.at].decode()

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self) -> str:
        """The letter of a value type."""
        code = self.byte()
        if code in _REFERENCES:
            self.skip_number()
        return _NUMBERS.get(code, _OTHER)

    def types(self, into: list[Letters | None]) -> None:
        """One entry of the type section: a type, or a group of types that refer to each other."""
        if self.data[self.at] == _REC:
            self.at += 1
            into += [self.one_type() for _ in range(self.number())]
        else:
            into.append(self.one_type())

    def one_type(self) -> Letters | None:
        code = self.byte()
        if code in (_SUB, _SUB_FINAL):
            for _ in range(self.number()):
                self.number()
            code = self.byte()
        if code == _FUNC:
            parameters = "".join([self.value() for _ in range(self.number())])
            results = "".join([self.value() for _ in range(self.number())])
            return None if _OTHER in parameters + results else (parameters, results)
        if code not in (_ARRAY, _STRUCT):
            raise SectionsBrokenError(f"a type of a Wasm module has the unknown form {code:#x}")
        for _ in range(self.number() if code == _STRUCT else 1):
            self.value()  # also i8 and i16, which are one byte
            self.byte()  # whether it may be changed
        return None

    def imported(self, types: list[Letters | None], functions: list[int]) -> CoreImport:
        module, name, kind = self.text(), self.text(), self.byte()
        letters = None
        if kind == FUNCTION:
            functions.append(self.number())
            letters = types[functions[-1]]
        elif kind == TABLE:
            self.value()
            self.limits()
        elif kind == MEMORY:
            self.limits()
        elif kind == GLOBAL:
            self.value()
            self.byte()
        elif kind == TAG:
            self.byte()
            self.number()
        else:
            raise SectionsBrokenError(f"an import of a Wasm module has the unknown kind {kind}")
        return CoreImport(module, name, kind, letters)

    def limits(self) -> None:
        flags = self.byte()
        self.skip_number()
        if flags & _HAS_MAXIMUM:
            self.skip_number()
        if flags & _HAS_PAGE_SIZE:
            self.skip_number()
