"""The tree of an AIR script. Positions are UTF-8 byte offsets, because scoping of streams and error texts depend on them.

Field names follow the reference's AST JSON where it has them. Source: aquavm:crates/air-lib/air-parser/src/ast/
"""

from __future__ import annotations

from dataclasses import dataclass

Span = tuple[int, int]
"""`[offset of "(", offset after ")")`."""


# ── lenses ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FieldByName:
    """`.name`."""

    name: str


@dataclass(frozen=True, slots=True)
class ArrayAccess:
    """`[5]`."""

    idx: int


@dataclass(frozen=True, slots=True)
class FieldByScalar:
    """`[name]`: field or index taken from a scalar."""

    name: str


Accessor = FieldByName | ArrayAccess | FieldByScalar


@dataclass(frozen=True, slots=True)
class ValuePath:
    """`.$` and at least one accessor."""

    accessors: tuple[Accessor, ...]


@dataclass(frozen=True, slots=True)
class Length:
    """The functor `.length`."""


Lens = ValuePath | Length


# ── operands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class InitPeerId:
    """`%init_peer_id%`."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """`%timestamp%`."""


@dataclass(frozen=True, slots=True)
class Ttl:
    """`%ttl%`."""


@dataclass(frozen=True, slots=True)
class EmptyArray:
    """`[]`."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, content verbatim without the quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Int:
    """An i64."""

    value: int


@dataclass(frozen=True, slots=True)
class Float:
    """An f64."""

    value: float


@dataclass(frozen=True, slots=True)
class Bool:
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class LastError:
    """`%last_error%`."""

    lens: Lens | None


@dataclass(frozen=True, slots=True)
class Error:
    """`:error:`."""

    lens: Lens | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar or iterator. Names of all kinds include their tag characters."""

    name: str
    position: int
    lens: Lens | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """`$s`. A lens never parses on it."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class StreamMap:
    """`%m`. A lens never parses on it."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class CanonStream:
    """`#c` or `#$c`."""

    name: str
    position: int
    lens: Lens | None = None


@dataclass(frozen=True, slots=True)
class CanonStreamMap:
    """`#%c` (or a name whose second character is `%`)."""

    name: str
    position: int
    lens: Lens | None = None


Special = InitPeerId | Timestamp | Ttl | EmptyArray
Value = Special | Literal | Int | Float | Bool | LastError | Error | Scalar | CanonStream | CanonStreamMap
Operand = InitPeerId | Literal | Scalar | CanonStream | CanonStreamMap
Variable = Scalar | Stream | StreamMap | CanonStream | CanonStreamMap


# ── instructions ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Null:
    """`(null)`."""

    span: Span


@dataclass(frozen=True, slots=True)
class Never:
    """`(never)`."""

    span: Span


@dataclass(frozen=True, slots=True)
class Seq:
    """`(seq left right)`."""

    left: Instruction
    right: Instruction
    span: Span


@dataclass(frozen=True, slots=True)
class Par:
    """`(par left right)`."""

    left: Instruction
    right: Instruction
    span: Span


@dataclass(frozen=True, slots=True)
class Xor:
    """`(xor left right)`."""

    left: Instruction
    right: Instruction
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`(call peer (service function) [args] output)`."""

    peer_id: Operand
    service_id: Operand
    function_name: Operand
    args: tuple[Value, ...]
    output: Scalar | Stream | None
    span: Span


@dataclass(frozen=True, slots=True)
class Ap:
    """`(ap value result)`."""

    argument: Value
    result: Scalar | Stream
    span: Span


@dataclass(frozen=True, slots=True)
class ApMap:
    """`(ap (key value) %map)`."""

    key: Value
    value: Value
    map: StreamMap
    span: Span


@dataclass(frozen=True, slots=True)
class Canon:
    """`(canon peer $stream #canon)`."""

    peer_id: Operand
    stream: Stream
    canon_stream: CanonStream
    span: Span


@dataclass(frozen=True, slots=True)
class CanonMap:
    """`(canon peer %map #%canon)`."""

    peer_id: Operand
    stream_map: StreamMap
    canon_stream_map: CanonStreamMap
    span: Span


@dataclass(frozen=True, slots=True)
class CanonStreamMapScalar:
    """`(canon peer %map scalar)`."""

    peer_id: Operand
    stream_map: StreamMap
    scalar: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class Match:
    """`(match left right body)`."""

    left_value: Value
    right_value: Value
    instruction: Instruction
    span: Span


@dataclass(frozen=True, slots=True)
class MisMatch:
    """`(mismatch left right body)`."""

    left_value: Value
    right_value: Value
    instruction: Instruction
    span: Span


@dataclass(frozen=True, slots=True)
class FoldScalar:
    """`fold` over a scalar, canon stream, canon map or `[]`."""

    iterable: Scalar | CanonStream | CanonStreamMap | EmptyArray
    iterator: Scalar
    instruction: Instruction
    last_instruction: Instruction | None
    span: Span


@dataclass(frozen=True, slots=True)
class FoldStream:
    """`fold` over a stream."""

    iterable: Stream
    iterator: Scalar
    instruction: Instruction
    last_instruction: Instruction | None
    span: Span


@dataclass(frozen=True, slots=True)
class FoldStreamMap:
    """`fold` over a stream map."""

    iterable: StreamMap
    iterator: Scalar
    instruction: Instruction
    last_instruction: Instruction | None
    span: Span


@dataclass(frozen=True, slots=True)
class Next:
    """`(next iterator)`."""

    iterator: Scalar
    span: Span


@dataclass(frozen=True, slots=True)
class New:
    """`(new variable body)`."""

    argument: Variable
    instruction: Instruction
    span: Span


@dataclass(frozen=True, slots=True)
class FailLiteral:
    """`(fail code "message")`."""

    ret_code: int
    error_message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Fail:
    """`(fail value)`; `%last_error%` and `:error:` come without a lens here."""

    value: Scalar | CanonStream | LastError | Error
    span: Span


Instruction = (
    Null
    | Never
    | Seq
    | Par
    | Xor
    | Call
    | Ap
    | ApMap
    | Canon
    | CanonMap
    | CanonStreamMapScalar
    | Match
    | MisMatch
    | FoldScalar
    | FoldStream
    | FoldStreamMap
    | Next
    | New
    | FailLiteral
    | Fail
)
