"""An adapter as words for the native walk: its instructions, the types it mentions, the names of fields.

Made once for an adapter of a module file, whatever the instance: functions are places in the instance's `home`.
Input: an adapter that `verify` accepted. Output: `Program`; None for one that stays with Python.
Source: interface-types:wasmer-it/src/interpreter/instructions
"""

from __future__ import annotations

import ctypes
import json
from array import array
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from runtime.marine.interface_types import Instruction, mnemonic
from runtime.marine.itypes import BOOL, BYTES, F32, F64, STRING, U64, ArrayOf, IType, RecordOf, is_bytes
from runtime.marine.limits import NATIVE_DEPTH_MAX
from runtime.marine.verify import INTEGER_CONVERSIONS

from .kernels import layout as w

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.marine.interface_types import Tables

_I64_MAX: Final = (1 << 63) - 1
_FORMS: Final = {"i": w.CORE_I32, "f": w.CORE_F32, "l": w.CORE_LONG, "d": w.CORE_LONG}
_ARGUMENTS: Final = {"i": w.OP_ARG_I32, "f": w.OP_ARG_F32, "l": w.OP_ARG, "d": w.OP_ARG}
_SIMPLE: Final = {
    0x22: (2, 1, w.OP_LIFT_TEXT),
    0x23: (2, 2, w.OP_LOWER_TEXT),
    0x24: (1, 1, w.OP_SIZE),
    0x34: (1, 2, w.OP_DUP),
    0x35: (2, 2, w.OP_SWAP),
    0x3E: (1, 1, w.OP_TRUTH),
    0x43: (2, 1, w.OP_LIFT_BLOCK),
    0x45: (1, 1, w.OP_SIZE),
}
"""Code → values taken and given, operation."""
_KINDS: Final = {
    BOOL: w.K_BOOL,
    F32: w.K_F32,
    F64: w.K_F64,
    U64: w.K_UNSIGNED64,
    STRING: w.K_TEXT,
    BYTES: w.K_BYTES,
}
_numbers: Final = count(1)


class Callee(NamedTuple):
    """What a `call-core` calls. results: of a core function, as letters; of a typed one how many there are."""

    name: str
    takes: int
    results: str | int


class _NotNativeError(Exception):
    """The adapter has something that native code does not do."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A native adapter. `words` and `names` stay where they are as long as this lives.

    called: which of the typed functions its module can call it does call. lines: instruction and callee, by position.
    """

    number: int
    words: array[int]
    names: bytes
    address: int
    lines: tuple[tuple[str, str], ...]
    called: frozenset[int]
    arguments: tuple[IType, ...]
    results: tuple[IType, ...]


def encode(
    body: Sequence[Instruction],
    arguments: Sequence[IType],
    results: Sequence[IType],
    tables: Tables,
    callee: Callable[[int], Callee],
    cores: int,
    letters: str | None = None,
) -> Program | None:
    """Encode an adapter.

    callee(index): what is called; the first `cores` are core functions. letters: of the arguments, where those are core values.
    """
    try:
        writer = _Writer(tables)
        lines = []
        for position, instruction in enumerate(body):
            name = _instruction(writer, instruction, position, callee, cores, letters)
            lines.append((mnemonic(instruction), name))
        writer.add(position=len(body), operation=w.OP_END)
        return writer.program(tuple(arguments), tuple(results), tuple(lines), is_typed=letters is None)
    except _NotNativeError:
        return None


@dataclass(slots=True)
class _Writer:
    """State of one encoding: words of types behind the head, code, names."""

    tables: Tables
    types: list[int] = field(default_factory=lambda: [0] * w.PROGRAM)
    code: list[int] = field(default_factory=list)
    names: bytearray = field(default_factory=bytearray)
    called: set[int] = field(default_factory=set)
    depth: int = 0
    most: int = 0
    is_ambiguous: bool = False
    known: dict[object, tuple[int, int]] = field(default_factory=dict)
    held: list[IType] = field(default_factory=list)
    """Arrays are known by where they are, so they have to stay."""

    def add(self, position: int, operation: int, first: int = 0, second: int = 0) -> None:
        """An instruction."""
        self.code += (operation, first, second, position)

    def values(self, taken: int, given: int) -> None:
        """What it does to the height of the stack; on its way it may need both."""
        self.most = max(self.most, self.depth + given)
        self.depth += given - taken

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def kind(self, kind: IType, *, is_element: bool = False) -> int:
        """Place of a type. is_element: of an array, where a byte array is an array of u8."""
        return self._kind(kind, is_element=is_element, above=0)[0]

    def _kind(self, kind: IType, *, is_element: bool, above: int) -> tuple[int, int]:
        """Its place, and how deep it is."""
        is_list = is_bytes(kind) and (is_element or kind is not BYTES)
        key: object = "list" if is_list else id(kind) if isinstance(kind, ArrayOf) else kind
        found = self.known.get(key)
        if found is None:
            if above > NATIVE_DEPTH_MAX:
                raise _NotNativeError
            if is_list:
                found = self._place(w.K_LIST, 8, 3), 1
            elif isinstance(kind, ArrayOf):
                found = self._array(kind, above)
            elif isinstance(kind, RecordOf):
                found = self._record(kind, above)
            else:
                low, high = (kind.low, min(kind.high, _I64_MAX)) if kind.is_integer else (0, 0)
                found = self._place(_KINDS.get(kind, w.K_INTEGER), kind.size, kind.tag, low=low, high=high), 1
            self.known[key] = found
            self.held.append(kind)
        if above + found[1] > NATIVE_DEPTH_MAX:
            raise _NotNativeError
        return found

    def _place(
        self, kind: int, width: int, tag: int, *, checked: int = 0, child: int = 0, low: int = 0, high: int = 0
    ) -> int:
        self.types += (kind, width, tag, checked, child, low, high, 0, 0, 0)
        return len(self.types) - w.TYPE

    def _array(self, kind: ArrayOf, above: int) -> tuple[int, int]:
        element = kind.element
        # arrays of arrays are checked with the size of the inner element, as the reference does
        checked = 1 if element is BYTES else element.element.size if isinstance(element, ArrayOf) else element.size
        child, depth = self._kind(element, is_element=True, above=above + 1)
        return self._place(w.K_ARRAY, 8, 3, checked=checked, child=child), depth + 1

    def _record(self, kind: RecordOf, above: int) -> tuple[int, int]:
        fields: list[int] = []
        below = place = 0
        for name, one in kind.fields:
            at, depth = self._kind(one, is_element=False, above=above + 1)
            text = json.dumps(name, ensure_ascii=False).encode() + b":"
            fields += (at, place, len(self.names), len(self.names) + len(text))
            self.names += text
            below = max(below, depth)
            place += one.size
        if len({name for name, _ in kind.fields}) < len(kind.fields):
            self.is_ambiguous = True
        at = self._place(w.K_RECORD, 4, 3)
        self.types[at + w.T_COUNT] = len(kind.fields)
        self.types[at + w.T_IMAGE] = place
        self.types[at + w.T_FLAT] = int(all(self._is_plain(fields[n]) for n in range(0, len(fields), w.FIELD)))
        self.types += fields
        return at, below + 1

    def _is_plain(self, place: int) -> bool:
        """Whether a field is copied as it is: a bool becomes 0 or 1."""
        return self.types[place + w.T_KIND] <= w.K_F64 and self.types[place + w.T_KIND] != w.K_BOOL

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def program(
        self,
        arguments: tuple[IType, ...],
        results: tuple[IType, ...],
        lines: tuple[tuple[str, str], ...],
        *,
        is_typed: bool,
    ) -> Program:
        """All of it. is_typed: whether arguments and results are typed values, rather than core ones."""
        kinds = [self.kind(kind) for kind in (*arguments, *results)] if is_typed else []
        names = bytes(self.names)
        place, number = len(self.types), next(_numbers)
        words = array("q", [*self.types, *kinds, *self.code])
        words[w.P_LENGTH] = len(words)
        words[w.P_NUMBER] = number
        words[w.P_ARGUMENTS], words[w.P_RESULTS] = len(arguments), len(results)
        words[w.P_DEPTH] = self.most + 1
        words[w.P_CODE], words[w.P_TYPES] = place + len(kinds), place
        words[w.P_NAMES], words[w.P_NAMES_SIZE] = _address(names), len(names)
        words[w.P_TEXT] = int(is_typed and len(results) <= 1 and not self.is_ambiguous)
        address, _ = words.buffer_info()
        return Program(number, words, names, address, lines, frozenset(self.called), arguments, results)


def _address(data: bytes) -> int:
    """Where bytes are, for as long as the object is."""
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0


def _instruction(
    writer: _Writer,
    instruction: Instruction,
    position: int,
    callee: Callable[[int], Callee],
    cores: int,
    letters: str | None,
) -> str:
    """Encode one instruction; the name of what it calls."""
    code, number, kind = instruction
    simple = _SIMPLE.get(code)
    conversion = INTEGER_CONVERSIONS.get(code)
    if conversion is not None:
        source, target = conversion
        low, high = max(source.low, target.low), min(source.high, target.high)
        if low > source.low or high < source.high:
            # an unsigned number of 64 bits is there as a signed one: what is too large is below 0
            writer.add(position, w.OP_CAST, low, min(high, _I64_MAX))
    elif simple is not None:
        writer.add(position, simple[2])
        writer.values(simple[0], simple[1])
    elif code == 0x00:
        writer.add(position, w.OP_ARG if letters is None else _ARGUMENTS[letters[number]], number)
        writer.values(0, 1)
    elif code == 0x01:
        return _call(writer, position, number, callee(number), cores)
    elif code in {0x37, 0x38} and kind is not None:
        writer.add(position, w.OP_LIFT_ARRAY if code == 0x37 else w.OP_LOWER_ARRAY, writer.kind(ArrayOf(kind)))
        writer.values(2 if code == 0x37 else 1, 1 if code == 0x37 else 2)
    elif code in {0x3A, 0x3B}:
        place = writer.kind(writer.tables.record(number))
        writer.add(position, w.OP_LIFT_RECORD if code == 0x3A else w.OP_LOWER_RECORD, place)
    elif code in {0x40, 0x41}:
        bits = 32 if code == 0x40 else 64
        half = 1 << (bits - 1)
        writer.add(position, w.OP_PUSH, (number + half) % (1 << bits) - half)
        writer.values(0, 1)
    elif code != 0x3F:
        raise _NotNativeError
    return ""


def _call(writer: _Writer, position: int, number: int, found: Callee, cores: int) -> str:
    if isinstance(found.results, int):
        place = number - cores
        writer.called.add(place)
        writer.add(position, w.OP_TARGET, place, found.takes | found.results << 8)
        writer.values(found.takes, found.results)
    else:
        gives = len(found.results)
        if found.takes > w.CORE_ARGUMENTS_MAX or gives > w.CORE_RESULTS_MAX:
            raise _NotNativeError
        forms = sum(_FORMS[letter] << 2 * k for k, letter in enumerate(found.results))
        writer.add(position, w.OP_CORE, number, found.takes | gives << 8 | forms << 16)
        writer.values(found.takes, gives)
    return found.name
