"""Types of Aqua values: the nodes. The relations on them are in `subtyping.py`.

Nodes compare and hash by structure, names included; lowering and topology depend on that.
Source: aqua:types/src/main/scala/aqua/types/Type.scala
"""

from __future__ import annotations

from aquac.records import dataclass

Fields = tuple[tuple[str, "Type"], ...]
"""Fields of a data, ability or service type, in name order."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """`u8 … i64`, `f32`, `f64`, `bool`, `string`."""

    name: str


@dataclass(frozen=True, slots=True)
class LiteralType:
    """Type of a literal: the set of scalars it fits. `name` is `unsigned`, `signed`, `float`, `bool`, `string` or `number`."""

    name: str
    scalars: frozenset[str]


@dataclass(frozen=True, slots=True)
class Top:
    """`⊤`, the type of everything."""


@dataclass(frozen=True, slots=True)
class Bottom:
    """`⊥`, the type of nothing; element of `nil`."""


@dataclass(frozen=True, slots=True)
class Array:
    """`[]T`."""

    element: Type


@dataclass(frozen=True, slots=True)
class Option:
    """`?T`."""

    element: Type


@dataclass(frozen=True, slots=True)
class Stream:
    """`*T`."""

    element: Type


@dataclass(frozen=True, slots=True)
class StreamMap:
    """`%T`."""

    element: Type


@dataclass(frozen=True, slots=True)
class Canon:
    """`#T`, a frozen stream. Made by lowering only."""

    element: Type


@dataclass(frozen=True, slots=True)
class CanonMap:
    """`#%T`, a frozen stream map. Made by lowering only."""

    element: Type


@dataclass(frozen=True, slots=True)
class Struct:
    """A `data` type."""

    name: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class AbilityType:
    """An `ability` type: fields of any type, arrows among them."""

    name: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class ServiceType:
    """A `service` type: every field is an `Arrow`."""

    name: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Arrow:
    """A function type; a label is None where the declaration gives none."""

    args: tuple[tuple[str | None, Type], ...]
    results: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Type of a method call without results, where a value is wanted. It fits itself and `⊤` only."""


Type = (
    Scalar
    | LiteralType
    | Top
    | Bottom
    | Array
    | Option
    | Stream
    | StreamMap
    | Canon
    | CanonMap
    | Struct
    | AbilityType
    | ServiceType
    | Arrow
    | Nothing
)

UNSIGNED_SCALARS = frozenset({"u8", "u16", "u32", "u64"})
SIGNED_SCALARS = frozenset({"i8", "i16", "i32", "i64"})
FLOAT_SCALARS = frozenset({"f32", "f64"})
INTEGER_SCALARS = UNSIGNED_SCALARS | SIGNED_SCALARS

U8, U16, U32, U64 = Scalar("u8"), Scalar("u16"), Scalar("u32"), Scalar("u64")
I8, I16, I32, I64 = Scalar("i8"), Scalar("i16"), Scalar("i32"), Scalar("i64")
F32, F64, BOOL, STRING = Scalar("f32"), Scalar("f64"), Scalar("bool"), Scalar("string")
SCALARS = {t.name: t for t in (U8, U16, U32, U64, I8, I16, I32, I64, F32, F64, BOOL, STRING)}

UNSIGNED = LiteralType("unsigned", INTEGER_SCALARS)
SIGNED = LiteralType("signed", SIGNED_SCALARS)
FLOAT = LiteralType("float", FLOAT_SCALARS)
BOOL_LITERAL = LiteralType("bool", frozenset({"bool"}))
STRING_LITERAL = LiteralType("string", frozenset({"string"}))
NUMBER = LiteralType("number", INTEGER_SCALARS | FLOAT_SCALARS)
LITERALS = {t.name: t for t in (UNSIGNED, SIGNED, FLOAT, BOOL_LITERAL, STRING_LITERAL, NUMBER)}

TOP, BOTTOM, NOTHING = Top(), Bottom(), Nothing()
NIL_TYPE = Option(BOTTOM)
ERROR = Struct("Error", (("error_code", I64), ("instruction", STRING), ("message", STRING), ("peer_id", STRING)))
