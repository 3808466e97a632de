"""The tree the parser makes of one Aqua file: names unresolved, nothing typed.

Every node that a diagnostic can point at keeps its span; `span` follows `spec aqua-language §11.1` (for a property chain the
first word only, for an operator the operator, for a call the function's name, …), `full` where present covers the whole text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Literal as Lit

from aquac.records import dataclass

if TYPE_CHECKING:
    from aquac.source import Span


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier, or a dotted path of them, as written."""

    text: str
    span: Span


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class BasicType:
    """A scalar (`u8`, `string`, …) or `⊤`/`⊥`, by its written name."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type by name; dotted for a member of a used module."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class CollectionType:
    """`[]T`, `?T`, `*T`, `%T`; `span` is the sigil."""

    kind: Lit["[]", "?", "*", "%"]
    element: TypeExpr
    span: Span


@dataclass(frozen=True, slots=True)
class Param:
    """A labelled argument of a signature."""

    name: Name
    type: TypeExpr


@dataclass(frozen=True, slots=True)
class ArrowType:
    """`A, B -> C, D`; arguments are unlabelled in type position, labelled in a member with parentheses."""

    abilities: tuple[NamedType, ...]
    args: tuple[TypeExpr | Param, ...]
    results: tuple[TypeExpr, ...]
    span: Span


TypeExpr = BasicType | NamedType | CollectionType | ArrowType


@dataclass(frozen=True, slots=True)
class Signature:
    """`{A, B}(x: T, …) -> R, S` of a function or closure; `span` is the opening bracket."""

    abilities: tuple[NamedType, ...]
    params: tuple[Param, ...]
    results: tuple[TypeExpr, ...]
    span: Span


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal; `text` exactly as written, strings with their quotes; `%init_peer_id%` is a string literal."""

    text: str
    kind: Lit["unsigned", "signed", "float", "bool", "string"]
    span: Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A name in value position: variable, argument, constant, function, service or module."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument; `name` is set for `name = value`."""

    name: Name | None
    value: Value


@dataclass(frozen=True, slots=True)
class Call:
    """`f{abilities}(args)`; `span` is `f`."""

    name: str
    abilities: tuple[Value, ...]
    args: tuple[Value, ...]
    span: Span
    full: Span


@dataclass(frozen=True, slots=True)
class FieldOp:
    """`.name` (field, `length`, member of a used module)."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class MethodOp:
    """`.name{abilities}(args)`; `span` is the method's name, `full` ends behind the arguments."""

    name: str
    abilities: tuple[Value, ...]
    args: tuple[Value, ...]
    span: Span
    full: Span


@dataclass(frozen=True, slots=True)
class CopyOp:
    """`.copy(name = value, other)`: every argument named or a bare variable; `span` is the word `copy`.

    Any other `word` is a mistake, as only copies are given names; what stands before it is looked at first.
    """

    args: tuple[Arg, ...]
    span: Span
    word: str = "copy"


@dataclass(frozen=True, slots=True)
class IndexOp:
    """`[i]`, `!`, `!n`. `index` is None for a bare `!`, which means 0 and is legal on options."""

    index: Value | None
    span: Span


PropertyOp = FieldOp | MethodOp | CopyOp | IndexOp


@dataclass(frozen=True, slots=True)
class Chain:
    """`base.op1.op2…`, at least one operation. `A.B.c` starts with `Variable("A")`: semantics decides what A is."""

    base: Value
    ops: tuple[PropertyOp, ...]
    span: Span
    full: Span


@dataclass(frozen=True, slots=True)
class Collection:
    """`[…]`, `?[…]`, `*[…]`; `span` is the opening token."""

    kind: Lit["[]", "?", "*"]
    items: tuple[Value, ...]
    span: Span
    full: Span


@dataclass(frozen=True, slots=True)
class Record:
    """`T(f = v, g)` of a data or ability type, possibly dotted; `span` is the type's name. A nameless Arg is a bare variable."""

    type: NamedType
    args: tuple[Arg, ...]
    span: Span
    full: Span


@dataclass(frozen=True, slots=True)
class Infix:
    """Binary operation; `op` as written, `span` the operator."""

    op: Lit["||", "&&", "==", "!=", ">", ">=", "<", "<=", "+", "-", "*", "/", "%", "**"]
    left: Value
    right: Value
    span: Span
    full: Span


@dataclass(frozen=True, slots=True)
class Not:
    """`!v`; `span` is the `!`."""

    operand: Value
    span: Span
    full: Span


Value = Literal | Variable | Call | Chain | Collection | Record | Infix | Not


def extent(value: Value) -> Span:
    """The whole text of a value."""
    return value.span if isinstance(value, Literal | Variable) else value.full


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────────

Body = tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """`x = v`."""

    name: Name
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class CallStmt:
    """`a, b <- v` or a bare `v`; that `v` is a call is checked by semantics."""

    results: tuple[Name, ...]
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Push:
    """`s <<- v`, or `m <<- key, v` with `key` set."""

    target: Name
    key: Value | None
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Return:
    """`<- v, …`."""

    values: tuple[Value, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Join:
    """`join a, b[0]`."""

    values: tuple[Value, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Declare:
    """`s: *T` or `m: %T`."""

    name: Name
    type: TypeExpr
    span: Span


@dataclass(frozen=True, slots=True)
class ServiceId:
    """`Srv id`."""

    service: NamedType
    id: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Closure:
    """`c = [func] {A}(x: T) -> R: body`; `detached` iff the word `func` is there."""

    name: Name
    signature: Signature
    body: Body
    detached: bool
    span: Span


@dataclass(frozen=True, slots=True)
class On:
    """`on p via a via b: body`."""

    peer: Value
    via: tuple[Value, ...]
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class For:
    """`for x[, y] <- v [mode]: body`."""

    item: Name
    value_item: Name | None
    iterable: Value
    mode: Lit["", "par", "try", "rec"]
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class ParSeq:
    """`parseq x[, y] <- v on p via …: body`."""

    item: Name
    value_item: Name | None
    iterable: Value
    peer: Value
    via: tuple[Value, ...]
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class If:
    """`if v: body`; an `else` is the next sibling."""

    condition: Value
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Else:
    """`else: body`."""

    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Try:
    """`try: body`."""

    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Catch:
    """`catch e: body`."""

    name: Name
    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Otherwise:
    """`otherwise: body`."""

    body: Body
    span: Span


@dataclass(frozen=True, slots=True)
class Par:
    """`par s`; `span` is the word."""

    body: Statement
    span: Span


@dataclass(frozen=True, slots=True)
class Co:
    """`co s`; `span` is the word."""

    body: Statement
    span: Span


Statement = (
    Assign
    | CallStmt
    | Push
    | Return
    | Join
    | Declare
    | ServiceId
    | Closure
    | On
    | For
    | ParSeq
    | If
    | Else
    | Try
    | Catch
    | Otherwise
    | Par
    | Co
)

# ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Const:
    """`const N = v`, `const N ?= v` (override)."""

    name: Name
    override: bool
    value: Value
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Alias:
    """`alias T: type`."""

    name: Name
    type: TypeExpr
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """A field or arrow of a data, service or ability."""

    name: Name
    type: TypeExpr
    doc: str


@dataclass(frozen=True, slots=True)
class Data:
    """`data T:`."""

    name: Name
    members: tuple[Member, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Service:
    """`service S(id):`."""

    name: Name
    id: Value | None
    members: tuple[Member, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Ability:
    """`ability A:`."""

    name: Name
    members: tuple[Member, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Func:
    """`func f…:`."""

    name: Name
    signature: Signature
    body: Body
    doc: str
    span: Span


Definition = Const | Alias | Data | Service | Ability | Func

# ── header ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Item:
    """`name [as rename]` of an import, use or export list."""

    name: Name
    rename: Name | None


@dataclass(frozen=True, slots=True)
class ModuleHeader:
    """`aqua Name declares …`; `declares` None without the word, `all` for `declares *`; `keyword` is `aqua` or `module`."""

    keyword: Name
    name: Name
    declares: tuple[Name, ...] | None
    declares_all: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Import:
    """`import "p"` or `import a as b from "p"`; `items` None for the plain form. `path` text keeps its quotes."""

    path: Literal
    items: tuple[Item, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Use:
    """`use ["items" from] "p" [as Name]`."""

    path: Literal
    items: tuple[Item, ...] | None
    alias: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class Export:
    """`export a, B as C`."""

    items: tuple[Item, ...]
    span: Span


HeaderLine = ModuleHeader | Import | Use | Export


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its `--`; kept for the formatter and for doc comments."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Gap:
    """Text that could not be read.

    `names` are those it may have bound, `loose` those it may have bound for a part of the code only. `owner` is where the name
    of the definition around it starts, -1 outside of definitions. Whoever checks the rest must not wonder about these names.
    """

    span: Span
    names: tuple[str, ...]
    loose: tuple[str, ...] = ()
    owner: int = -1


@dataclass(frozen=True, slots=True)
class File:
    """One parsed file. After a syntax error it holds what did parse, and `gaps` what did not.

    `is_open`: a header line could not be read, so any unknown name may come from another file.
    """

    header: tuple[HeaderLine, ...]
    definitions: tuple[Definition, ...]
    comments: tuple[Comment, ...]
    gaps: tuple[Gap, ...] = ()
    is_open: bool = False
