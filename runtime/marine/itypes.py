"""Interface types and how they are written: in a section, in memory, and in messages.

A type is a `Prim`, an `ArrayOf` or a `RecordOf`. Records are identities shared by every mention within a module; `same_shape`
compares across modules.
Source: interface-types:crates/it-types/src/values.rs, crates/it-lilo/src/utils.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from .limits import SHAPE_PAIRS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator


class Prim:
    """A type without parts.

    name: in instructions. debug: as the reference prints the type and its values. text: in Aqua. serde: in complaints about
    arguments. code: in a section. size: bytes in a record. tag: what `allocate` is told. packed: `struct` letter, "" for
    text and bytes. low, high: range of an integer.
    """

    __slots__ = ("code", "debug", "high", "low", "name", "packed", "serde", "size", "tag", "text")

    def __init__(
        self,
        name: str,
        code: int,
        size: int,
        tag: int,
        packed: str,
        *,
        debug: str = "",
        text: str = "",
        serde: str = "",
    ) -> None:
        """Describe the type; the range of an integer follows from its letter."""
        self.name = name
        self.code = code
        self.size = size
        self.tag = tag
        self.packed = packed
        self.debug = debug or name.upper()
        self.text = text or name
        self.serde = serde or self.text
        bits = size * 8
        self.low, self.high = 0, 0
        if packed and packed in "bhiq":
            self.low, self.high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        elif packed and packed in "BHIQ":
            self.high = (1 << bits) - 1

    def __repr__(self) -> str:
        """The reference's debug form."""
        return self.debug

    @property
    def is_integer(self) -> bool:
        """Whether values are integers with a range."""
        return self.high != 0


S8: Final = Prim("s8", 0x00, 1, 5, "b", text="i8")
S16: Final = Prim("s16", 0x01, 2, 6, "h", text="i16")
S32: Final = Prim("s32", 0x02, 4, 7, "i", text="i32")
S64: Final = Prim("s64", 0x03, 8, 8, "q", text="i64")
U8: Final = Prim("u8", 0x04, 1, 1, "B")
U16: Final = Prim("u16", 0x05, 2, 2, "H")
U32: Final = Prim("u32", 0x06, 4, 3, "I")
U64: Final = Prim("u64", 0x07, 8, 4, "Q")
F32: Final = Prim("f32", 0x08, 4, 9, "f")
F64: Final = Prim("f64", 0x09, 8, 10, "d")
STRING: Final = Prim("string", 0x0A, 8, 3, "", debug="String", serde="a string")
BOOL: Final = Prim("bool", 0x0B, 1, 0, "?", debug="Boolean", serde="a boolean")
I32: Final = Prim("i32", 0x0C, 4, 7, "i")
I64: Final = Prim("i64", 0x0D, 8, 8, "q")
BYTES: Final = Prim("array (u8)", 0x3C, 8, 3, "", debug="ByteArray", text="[]u8")

PRIMS: Final = (S8, S16, S32, S64, U8, U16, U32, U64, F32, F64, STRING, BOOL, I32, I64, BYTES)
PRIM_OF_CODE: Final = {prim.code: prim for prim in PRIMS}
CORE_PRIMS: Final = (I32, I64, F32, F64)

RECORD_CODE: Final = 0x0E
ARRAY_CODE: Final = 0x36


class ArrayOf:
    """An array; `element` is the type of every item."""

    __slots__ = ("element",)
    size = 8
    tag = 3

    def __init__(self, element: IType) -> None:
        """Make the type."""
        self.element = element

    @property
    def name(self) -> str:
        """As instructions print it."""
        return f"array ({self.element.name})"

    @property
    def text(self) -> str:
        """As Aqua writes it."""
        return f"[]{self.element.text}"

    def __repr__(self) -> str:
        """The reference's debug form."""
        return f"Array({self.element!r})"


class RecordOf:
    """A record: `index` is its place among the types of its module. `fields` is empty until the module is read."""

    __slots__ = ("fields", "index", "label")
    size = 4
    tag = 3

    def __init__(self, index: int) -> None:
        """Make the reference; `label` and `fields` follow."""
        self.index = index
        self.label = ""
        self.fields: tuple[tuple[str, IType], ...] = ()

    @property
    def name(self) -> str:
        """As instructions print it."""
        return f"record {self.index}"

    @property
    def text(self) -> str:
        """As Aqua writes it."""
        return self.label

    @property
    def image_size(self) -> int:
        """Bytes of the packed fields."""
        return sum(kind.size for _, kind in self.fields)

    def __repr__(self) -> str:
        """The reference's debug form."""
        return f"Record({self.index})"


IType: TypeAlias = Prim | ArrayOf | RecordOf


class ByteList(bytes):
    """The value of an array of u8, held as bytes. Only an empty one differs from a byte array: it is not allocated."""

    __slots__ = ()


def is_bytes(kind: IType) -> bool:
    """Whether values of the type are held as bytes: byte arrays and arrays of u8."""
    return kind is BYTES or (isinstance(kind, ArrayOf) and kind.element is U8)


def same_shape(a: IType, b: IType) -> bool:
    """Whether every value of one type is one of the other: names do not count, a byte array is an array of u8.

    Two modules can make types whose records pair up in millions of ways: beyond a limit they are taken for different.
    """
    seen: set[tuple[int, int]] = set()
    todo = [(a, b)]
    while todo:
        left, right = todo.pop()
        if left is right or (is_bytes(left) and is_bytes(right)):
            continue
        if isinstance(left, ArrayOf) and isinstance(right, ArrayOf):
            todo.append((left.element, right.element))
        elif isinstance(left, RecordOf) and isinstance(right, RecordOf):
            if len(left.fields) != len(right.fields):
                return False
            if (id(left), id(right)) not in seen:
                if len(seen) >= SHAPE_PAIRS_MAX:
                    return False
                seen.add((id(left), id(right)))
                todo += [(x, y) for (_, x), (_, y) in zip(left.fields, right.fields, strict=True)]
        else:
            return False
    return True


def same_shapes(a: list[IType] | tuple[IType, ...], b: list[IType] | tuple[IType, ...]) -> bool:
    """`same_shape` of two lists of equal length."""
    return len(a) == len(b) and all(same_shape(x, y) for x, y in zip(a, b, strict=True))


def base_kind(kind: IType) -> IType:
    """What the arrays of a type are made of in the end."""
    while isinstance(kind, ArrayOf):
        kind = kind.element
    return kind


def inner_records(record: RecordOf) -> list[RecordOf]:
    """Records that fields of a record are made of."""
    found = [base_kind(kind) for _, kind in record.fields]
    return [kind for kind in found if isinstance(kind, RecordOf)]


def records_below(root: RecordOf, seen: set[int] | None = None) -> Iterator[RecordOf]:
    """Records that a record is made of, each once and before those made of it; itself last. Not for recursive ones.

    seen: ids of those to leave out; what is found is added.
    """
    seen = set() if seen is None else seen
    if id(root) in seen:
        return
    seen.add(id(root))
    stack = [(root, iter(inner_records(root)))]
    while stack:
        record, inner = stack[-1]
        following = next((r for r in inner if id(r) not in seen), None)
        if following is None:
            stack.pop()
            yield record
        else:
            seen.add(id(following))
            stack.append((following, iter(inner_records(following))))
