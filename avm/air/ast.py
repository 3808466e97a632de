"""The tree of an AIR script. Positions are UTF-8 byte offsets, because scoping of streams and error texts depend on them.

Nodes never change: type checkers refuse an assignment. At run time nothing does, because a class that does sets each field
through a function, which was a third of the time that parsing takes.
Field names follow the reference's AST JSON where it has them. Source: aquavm:crates/air-lib/air-parser/src/ast/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def _node(cls: type[_T]) -> type[_T]:
    """A frozen class of values."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


Span = tuple[int, int]
"""`[offset of "(", offset after ")")`."""


# ── lenses ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@_node
class FieldByName:
    """`.name`."""

    name: str


@_node
class ArrayAccess:
    """`[5]`."""

    idx: int


@_node
class FieldByScalar:
    """`[name]`: field or index taken from a scalar."""

    name: str


Accessor = FieldByName | ArrayAccess | FieldByScalar


@_node
class ValuePath:
    """`.$` and at least one accessor."""

    accessors: tuple[Accessor, ...]


@_node
class Length:
    """The functor `.length`."""


Lens = ValuePath | Length


# ── operands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@_node
class InitPeerId:
    """`%init_peer_id%`."""


@_node
class Timestamp:
    """`%timestamp%`."""


@_node
class Ttl:
    """`%ttl%`."""


@_node
class EmptyArray:
    """`[]`."""


@_node
class Literal:
    """A string, content verbatim without the quotes."""

    text: str


@_node
class Int:
    """An i64."""

    value: int


@_node
class Float:
    """An f64."""

    value: float


@_node
class Bool:
    """`true` or `false`."""

    value: bool


@_node
class LastError:
    """`%last_error%`."""

    lens: Lens | None


@_node
class Error:
    """`:error:`."""

    lens: Lens | None


@_node
class Scalar:
    """A scalar or iterator. Names of all kinds include their tag characters."""

    name: str
    position: int
    lens: Lens | None = None


@_node
class Stream:
    """`$s`. A lens never parses on it."""

    name: str
    position: int


@_node
class StreamMap:
    """`%m`. A lens never parses on it."""

    name: str
    position: int


@_node
class CanonStream:
    """`#c` or `#$c`."""

    name: str
    position: int
    lens: Lens | None = None


@_node
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


@_node
class Null:
    """`(null)`."""

    span: Span


@_node
class Never:
    """`(never)`."""

    span: Span


@_node
class Seq:
    """`(seq left right)`."""

    left: Instruction
    right: Instruction
    span: Span


@_node
class Par:
    """`(par left right)`."""

    left: Instruction
    right: Instruction
    span: Span


@_node
class Xor:
    """`(xor left right)`."""

    left: Instruction
    right: Instruction
    span: Span


@_node
class Call:
    """`(call peer (service function) [args] output)`."""

    peer_id: Operand
    service_id: Operand
    function_name: Operand
    args: tuple[Value, ...]
    output: Scalar | Stream | None
    span: Span


@_node
class Ap:
    """`(ap value result)`."""

    argument: Value
    result: Scalar | Stream
    span: Span


@_node
class ApMap:
    """`(ap (key value) %map)`."""

    key: Value
    value: Value
    map: StreamMap
    span: Span


@_node
class Canon:
    """`(canon peer $stream #canon)`."""

    peer_id: Operand
    stream: Stream
    canon_stream: CanonStream
    span: Span


@_node
class CanonMap:
    """`(canon peer %map #%canon)`."""

    peer_id: Operand
    stream_map: StreamMap
    canon_stream_map: CanonStreamMap
    span: Span


@_node
class CanonStreamMapScalar:
    """`(canon peer %map scalar)`."""

    peer_id: Operand
    stream_map: StreamMap
    scalar: Scalar
    span: Span


@_node
class Match:
    """`(match left right body)`."""

    left_value: Value
    right_value: Value
    instruction: Instruction
    span: Span


@_node
class MisMatch:
    """`(mismatch left right body)`."""

    left_value: Value
    right_value: Value
    instruction: Instruction
    span: Span


@_node
class FoldScalar:
    """`fold` over a scalar, canon stream, canon map or `[]`."""

    iterable: Scalar | CanonStream | CanonStreamMap | EmptyArray
    iterator: Scalar
    instruction: Instruction
    last_instruction: Instruction | None
    span: Span


@_node
class FoldStream:
    """`fold` over a stream."""

    iterable: Stream
    iterator: Scalar
    instruction: Instruction
    last_instruction: Instruction | None
    span: Span


@_node
class FoldStreamMap:
    """`fold` over a stream map."""

    iterable: StreamMap
    iterator: Scalar
    instruction: Instruction
    last_instruction: Instruction | None
    span: Span


@_node
class Next:
    """`(next iterator)`."""

    iterator: Scalar
    span: Span


@_node
class New:
    """`(new variable body)`."""

    argument: Variable
    instruction: Instruction
    span: Span


@_node
class FailLiteral:
    """`(fail code "message")`."""

    ret_code: int
    error_message: str
    span: Span


@_node
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
