"""JSON arguments to typed values and typed results to JSON, with the rules and complaints of the reference.

Integers must fit exactly and never come from floats; an array of one element stands for it where a scalar or text is
expected. Errors: CallError of class `json`, `args` or `output`.
Source: marine:crates/it-json-serde/src/{json_to_ivalues,ivalues_to_json}.rs; serde_json
"""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any, Final

from avm.data.canonical_json import JsonError, parse
from avm.data.json_number import float_text

from .errors import CallError, ErrorClass
from .itypes import BOOL, BYTES, F32, F64, STRING, U8, ArrayOf, ByteList, IType, Prim, RecordOf, records_below
from .rust_text import debug_json, debug_string

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .interface_types import FunctionType

    Reader = Callable[[Any], Any]
    Writer = Callable[[Any], Any]

_U64_END: Final = 1 << 64
_I64_MIN: Final = -(1 << 63)


class _Unfit(Exception):
    """JSON that does not fit; the text becomes part of a CallError."""


def parse_text(text: str) -> Any:
    """JSON text as the reference reads it. Raises CallError."""
    try:
        return parse(text)
    except JsonError as error:
        raise CallError(str(error), ErrorClass.JSON) from None


_BYTE_TEXTS: Final = tuple(map(str, range(256)))
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def result_text(value: Any) -> str:
    """JSON text of a result; bytes at the top are an array of numbers."""
    if isinstance(value, bytes):
        return f"[{','.join(map(_BYTE_TEXTS.__getitem__, value))}]"
    return _encode(value)


# ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _unexpected(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{'true' if value else 'false'}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{float_text(value)}`"
        case str():
            return f"string {debug_string(value)}"
        case list():
            return "sequence"
        case _:
            return "map"


def _serde(kind: str, value: Any, expected: str) -> _Unfit:
    text = f'Error("{kind}: {_escaped(_unexpected(value))}, expected {expected}", line: 0, column: 0)'
    return _Unfit(f"error {text} occurred while deserializing function arguments")


def _escaped(text: str) -> str:
    return debug_string(text)[1:-1]


def _one(value: Any) -> Any:
    return value[0] if type(value) is list and len(value) == 1 else value


def _number(value: Any) -> Any:
    """Integers beyond 64 bits are floats in JSON; only the Python API can bring them here."""
    return float(value) if type(value) is int and not _I64_MIN <= value < _U64_END else value


def _integer_reader(kind: Prim) -> Reader:
    low, high, name = kind.low, kind.high, kind.serde

    def read(value: Any) -> Any:
        if type(value) is int and low <= value <= high:
            return value
        value = _number(_one(value))
        if type(value) is not int:
            raise _serde("invalid type", value, name)
        if not low <= value <= high:
            raise _serde("invalid value", value, name)
        return value

    return read


def _float_reader(kind: Prim) -> Reader:
    narrow = kind is F32

    def read(value: Any) -> Any:
        value = _one(value)
        if type(value) is not float and type(value) is not int:
            raise _serde("invalid type", value, kind.serde)
        return to_f32(float(value)) if narrow else float(value)

    return read


def to_f32(value: float) -> float:
    """The nearest number of 32 bits; beyond them infinity."""
    try:
        (out,) = struct.unpack("<f", struct.pack("<f", value))
    except OverflowError:
        return math.copysign(math.inf, value)
    return float(out)


def _read_bool(value: Any) -> Any:
    value = _one(value)
    if type(value) is not bool:
        raise _serde("invalid type", value, BOOL.serde)
    return value


def _read_text(value: Any) -> Any:
    if type(value) is str:
        return value
    value = _one(value)
    if type(value) is not str:
        raise _serde("invalid type", _number(value), STRING.serde)
    return value


_read_u8: Final = _integer_reader(U8)


def _read_bytes(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return ByteList(value)
    if type(value) is not list:
        raise _Unfit(f"expected bytearray, got {debug_json(value)}")
    return _bytes_of(value)


def _bytes_of(value: list[Any]) -> ByteList:
    if set(map(type, value)) <= {int}:
        try:
            return ByteList(value)
        except ValueError:
            pass
    return ByteList(map(_read_u8, value))


class ValueCodec:
    """Readers and writers of the types of one module."""

    def __init__(self) -> None:
        """Start empty."""
        self._readers: dict[int, Reader] = {}
        self._writers: dict[int, Writer] = {}

    def reader(self, kind: IType) -> Reader:
        """JSON to a value of this type."""
        if isinstance(kind, RecordOf):
            return self._record_reader(kind)
        if isinstance(kind, ArrayOf):
            return self._array_reader(kind)
        if kind is BYTES:
            return _read_bytes
        if kind is STRING:
            return _read_text
        if kind is BOOL:
            return _read_bool
        return _float_reader(kind) if kind in (F32, F64) else _integer_reader(kind)

    def _array_reader(self, kind: ArrayOf) -> Reader:
        element = kind.element
        read = self.reader(element)
        expected = f"expected array of {element!r} types, got "
        plain = element is STRING or (isinstance(element, Prim) and element.is_integer)

        def read_array(value: Any) -> Any:
            if type(value) is not list:
                if element is U8 and isinstance(value, bytes | bytearray):
                    return ByteList(value)
                raise _Unfit(expected + debug_json(value))
            if element is U8:
                return _bytes_of(value)
            if plain and value:
                kinds = set(map(type, value))
                if element is STRING and kinds == {str}:
                    return value
                if (
                    kinds == {int}
                    and isinstance(element, Prim)
                    and element.is_integer
                    and element.low <= min(value) <= max(value) <= element.high
                ):
                    return value
            return [read(item) for item in value]

        return read_array

    def _record_reader(self, kind: RecordOf) -> Reader:
        if kind.index not in self._readers:
            for one in records_below(kind):
                if one.index not in self._readers:
                    self._readers[one.index] = self._make_record_reader(one)
        return self._readers[kind.index]

    def _make_record_reader(self, kind: RecordOf) -> Reader:
        fields = [(name, self.reader(field)) for name, field in kind.fields]

        def read_record(value: Any) -> Any:
            if type(value) is list:
                if len(value) != len(fields):
                    raise _Unfit(f"function requires {len(fields)} arguments, {len(value)} provided")
                return tuple([read(item) for (_, read), item in zip(fields, value, strict=True)])
            if type(value) is dict:
                return tuple(_by_name(value, fields))
            raise _Unfit(f"record with type id `{kind.index}` should be encoded as array or map of fields")

        return read_record

    # ── results ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def writer(self, kind: IType) -> Writer | None:
        """A value of this type to JSON; None where it is JSON already."""
        if isinstance(kind, RecordOf):
            return self._record_writer(kind)
        if kind is BYTES:
            return list
        if isinstance(kind, ArrayOf):
            if kind.element is U8:
                return list
            write = self.writer(kind.element)
            return None if write is None else lambda value: [write(item) for item in value]
        if kind in (F32, F64):
            return lambda value: value if math.isfinite(value) else None
        return None

    def _record_writer(self, kind: RecordOf) -> Writer:
        if kind.index not in self._writers:
            for one in records_below(kind):
                if one.index not in self._writers:
                    self._writers[one.index] = self._make_record_writer(one)
        return self._writers[kind.index]

    def _make_record_writer(self, kind: RecordOf) -> Writer:
        names = tuple(name for name, _ in kind.fields)
        steps = tuple(
            (at, write) for at, (_, field) in enumerate(kind.fields) if (write := self.writer(field)) is not None
        )

        def write_record(value: Any) -> Any:
            items = list(value)
            for at, write in steps:
                items[at] = write(items[at])
            return dict(zip(names, items, strict=True))

        return write_record


def _by_name(value: dict[str, Any], fields: Sequence[tuple[str, Reader]]) -> list[Any]:
    out = []
    taken = set()
    for name, read in fields:
        if name not in value or name in taken:
            raise _Unfit(f"missing argument with name {name}")
        taken.add(name)
        out.append(read(value[name]))
    if len(value) > len(taken):
        raise _Unfit(f"function requires {len(fields)} arguments, {len(fields) + len(value) - len(taken)} provided")
    return out


class Arguments:
    """The arguments of one function."""

    __slots__ = ("_fields", "_module", "_name", "_signature")

    def __init__(self, codec: ValueCodec, module: str, name: str, signature: FunctionType) -> None:
        """Prepare the readers."""
        self._module = module
        self._name = name
        self._signature = signature
        self._fields = tuple((argument, codec.reader(kind)) for argument, kind in signature.arguments)

    def read(self, value: Any) -> list[Any]:
        """All arguments, before the module is touched. Raises CallError."""
        fields = self._fields
        try:
            if type(value) is list:
                if len(value) != len(fields):
                    raise _Unfit(f"function requires {len(fields)} arguments, {len(value)} provided")
                return [read(item) for (_, read), item in zip(fields, value, strict=True)]
            if type(value) is dict:
                return _by_name(value, fields)
            return self._read_bare(value)
        except _Unfit as unfit:
            text = str(unfit)
        except RecursionError:
            text = "an argument is nested too deeply"
        place = f'in module "{self._module}", function "{self._name}"'
        raise CallError(f"arguments from json deserialization error {place}: {text}", ErrorClass.ARGUMENTS)

    def _read_bare(self, value: Any) -> list[Any]:
        """A value that is neither an array nor an object: nothing, or the only argument."""
        if value is None:
            if not self._fields:
                return []
            raise _Unfit(
                f"the called function has the following signature: {self._shown()}, but no arguments is provided"
            )
        if len(self._fields) != 1:
            raise _Unfit(
                f"called function has the following signature: '{self._shown()}', and it isn't suitable for an argument "
                f"'{debug_json(value)}' provided"
            )
        kind = self._signature.arguments[0][1]
        if isinstance(kind, RecordOf):
            raise _Unfit(f"record with type id `{kind.index}` wasn't found")
        return [self._fields[0][1](value)]

    def _shown(self) -> str:
        return "[" + ", ".join(f"({debug_string(name)}, {kind!r})" for name, kind in self._signature.arguments) + "]"
