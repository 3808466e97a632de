"""Types of the module language, and how their values lie in memory.

In registers there are four classes of values: integers of 64 bits, floats of 64 bits, booleans, and addresses of objects. The width of a
type counts where a value is kept: in a variable, a field, an element, an argument, a result. There it is checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class IntType:
    """An integer; `int` is `s64`."""

    name: str
    bits: int
    signed: bool

    @property
    def least(self) -> int:
        """The lowest value."""
        return -(1 << self.bits - 1) if self.signed else 0

    @property
    def most(self) -> int:
        """The highest value."""
        return (1 << self.bits - self.signed) - 1

    def holds(self, other: IntType) -> bool:
        """Whether every value of the other type is one of this."""
        return self.least <= other.least and other.most <= self.most


@dataclass(frozen=True, slots=True)
class FloatType:
    """A float; `float` is `f64`."""

    name: str
    bits: int


@dataclass(frozen=True, slots=True)
class BoolType:
    """True or False."""


@dataclass(frozen=True, slots=True)
class NoneType:
    """What a function without a result returns."""


@dataclass(frozen=True, slots=True)
class TextType:
    """`str` or `bytes`: both are kept alike."""

    name: str


@dataclass(frozen=True, slots=True)
class ListType:
    """A list."""

    element: Type


@dataclass(frozen=True, slots=True)
class DictType:
    """A dict, in the order of insertion."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class OptionalType:
    """A value or None."""

    inner: Type


@dataclass(slots=True)
class Field:
    """A field of a record. `default` is the expression after `=`, checked where it is used."""

    name: str
    type: Type
    default: object = None


@dataclass(eq=False, slots=True)
class RecordType:
    """A dataclass; equal only to itself."""

    name: str
    fields: list[Field] = field(default_factory=list)
    methods: dict[str, object] = field(default_factory=dict)
    compared: bool = True
    frozen: bool = False

    def index(self, name: str) -> int | None:
        """Place of a field."""
        return next((n for n, item in enumerate(self.fields) if item.name == name), None)


@dataclass(eq=False, slots=True)
class ServiceType:
    """Another module, or the host."""

    name: str
    namespace: str
    functions: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A type the library leaves open; none is left in a checked program."""

    name: str


Type: TypeAlias = "Parameter | IntType | FloatType | BoolType | NoneType | TextType | ListType | DictType | OptionalType | RecordType | ServiceType"

INTS: Final = tuple(
    IntType(f"{'s' if signed else 'u'}{bits}", bits, signed) for signed in (True, False) for bits in (8, 16, 32, 64)
)
S8, S16, S32, INT, U8, U16, U32, U64 = INTS
F32: Final = FloatType("f32", 32)
FLOAT: Final = FloatType("f64", 64)
BOOL: Final = BoolType()
NONE: Final = NoneType()
STR: Final = TextType("str")
BYTES: Final = TextType("bytes")

_SIZED: Final[dict[str, Type]] = {kind.name: kind for kind in INTS}
NAMED: Final[dict[str, Type]] = (
    _SIZED
    | {"i8": S8, "i16": S16, "i32": S32, "i64": INT, "int": INT, "float": FLOAT, "f64": FLOAT, "f32": F32}
    | {"bool": BOOL, "str": STR, "bytes": BYTES, "bytearray": ListType(U8)}
)


def show(kind: Type) -> str:
    """A type as one writes it."""
    match kind:
        case IntType():
            return "int" if kind is INT else kind.name
        case FloatType():
            return "float" if kind is FLOAT else kind.name
        case BoolType():
            return "bool"
        case NoneType():
            return "None"
        case ListType():
            return f"list[{show(kind.element)}]"
        case DictType():
            return f"dict[{show(kind.key)}, {show(kind.value)}]"
        case OptionalType():
            return f"{show(kind.inner)} | None"
        case _:
            return kind.name


def is_object(kind: Type) -> bool:
    """Whether values are addresses of objects in memory."""
    return isinstance(kind, TextType | ListType | DictType | OptionalType | RecordType)


def size(kind: Type) -> int:
    """Bytes of a value in a field or an element."""
    match kind:
        case IntType() | FloatType():
            return kind.bits // 8
        case BoolType():
            return 1
        case _:
            return 4


def image_size(kind: Type) -> int:
    """Bytes of a value in the packed images that modules and host exchange."""
    match kind:
        case TextType() | ListType() | OptionalType():
            return 8
        case _:
            return size(kind)


def offsets(record: RecordType) -> tuple[list[int], int]:
    """Where the fields of a record lie, behind the word of the collector, and its size."""
    places, at = [], 4
    for item in record.fields:
        width = size(item.type)
        at = (at + width - 1) // width * width
        places.append(at)
        at += width
    return places, at


@cache
def box(inner: Type) -> RecordType:
    """The object an optional number is kept in."""
    return RecordType(f"box of {show(inner)}", [Field("value", inner)])


@lru_cache(maxsize=4096)
def table(kind: DictType) -> RecordType:
    """The record a dict is kept in, see `intrinsics.Table`."""
    fields: list[tuple[str, Type]] = [
        ("keys", ListType(kind.key)),
        ("values", ListType(kind.value)),
        ("alive", ListType(BOOL)),
        ("table", ListType(INT)),
        ("live", INT),
    ]
    return RecordType(show(kind), [Field(name, part) for name, part in fields])


def unify(wanted: Type, given: Type, bound: dict[str, Type]) -> None:
    """Find what the open types of `wanted` stand for, as far as `given` tells; the first finding stays."""
    match wanted, given:
        case Parameter(), _:
            bound.setdefault(wanted.name, given)
        case ListType(), ListType():
            unify(wanted.element, given.element, bound)
        case DictType(), DictType():
            unify(wanted.key, given.key, bound)
            unify(wanted.value, given.value, bound)
        case OptionalType(), OptionalType():
            unify(wanted.inner, given.inner, bound)
        case _:
            pass


def substitute(kind: Type, bound: dict[str, Type]) -> Type:
    """A type with its open types replaced."""
    match kind:
        case Parameter():
            return bound[kind.name]
        case ListType():
            return ListType(substitute(kind.element, bound))
        case DictType():
            return DictType(substitute(kind.key, bound), substitute(kind.value, bound))
        case OptionalType():
            return OptionalType(substitute(kind.inner, bound))
        case _:
            return kind


def parts(kind: Type) -> list[Type]:
    """Types a type is made of."""
    match kind:
        case ListType():
            return [kind.element]
        case OptionalType():
            return [kind.inner]
        case DictType():
            return [kind.key, kind.value]
        case RecordType():
            return [item.type for item in kind.fields]
        case _:
            return []


def interface_name(kind: Type) -> str:
    """A type as the interface section names it."""
    match kind:
        case IntType() | FloatType():
            return kind.name
        case BoolType():
            return "bool"
        case TextType():
            return "string" if kind is STR else "[]u8"
        case ListType():
            return f"[]{interface_name(kind.element)}"
        case OptionalType():
            return f"[]{interface_name(kind.inner)}"
        case _:
            return show(kind)
