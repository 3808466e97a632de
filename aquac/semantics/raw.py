"""Raw: the checked program. What semantics hands to lowering.

Names are resolved to what they denote, every value has a type, statements are folded into trees (`spec aqua-to-air §2`).
A variable that names a constant or a member of a used module carries its full name (`LIMIT`, `Mod.LIMIT`).
What makes instructions of its own remembers its `site`, for source maps; it plays no part when nodes are compared.
Made by `resolve.py` and `check.py`; read by `lowering/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, overload
from typing import Literal as Lit

from aquac.records import dataclass, field

from .types import NIL_TYPE, AbilityType, Arrow, ServiceType, Struct, Type

if TYPE_CHECKING:
    from aquac.source import SourceFile, Span

# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Var:
    """A variable, argument, constant or module member."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal, text as written (strings with quotes)."""

    text: str
    type: Type


@dataclass(frozen=True, slots=True)
class FieldProp:
    """`.name`."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class FunctorProp:
    """`.length`."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class IndexProp:
    """`[index]`; `type` is the element type."""

    index: RawValue
    type: Type


@dataclass(frozen=True, slots=True)
class ArrowProp:
    """`.name(args)` on a service or ability value; `type` is the first result, or that of nothing."""

    name: str
    arrow: Arrow
    args: tuple[RawValue, ...]
    type: Type
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CopyProp:
    """`.copy(fields)`, fields in name order."""

    fields: tuple[tuple[str, RawValue], ...]
    type: Struct


RawProp = FieldProp | FunctorProp | IndexProp | ArrowProp | CopyProp


@dataclass(frozen=True, slots=True)
class Prop:
    """One property of a value; chains nest to the left."""

    value: RawValue
    prop: RawProp

    @property
    def type(self) -> Type:
        """Type of the property."""
        return self.prop.type


@dataclass(frozen=True, slots=True)
class Coll:
    """Non-empty `[…]` or `?[…]`; an empty one is `NIL`. `type` is Array or Option."""

    items: tuple[RawValue, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class StreamLit:
    """`*[…]`; `name` is the anonymous stream given by the module mangler."""

    items: tuple[RawValue, ...]
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class StructLit:
    """Data literal, fields in name order."""

    fields: tuple[tuple[str, RawValue], ...]
    type: Struct


@dataclass(frozen=True, slots=True)
class AbilityLit:
    """Ability literal, fields in name order."""

    fields: tuple[tuple[str, RawValue], ...]
    type: AbilityType


BinOp = Lit["and", "or", "eq", "neq", "lt", "lte", "gt", "gte", "add", "sub", "mul", "fmul", "div", "pow", "rem"]


@dataclass(frozen=True, slots=True)
class Bin:
    """Binary operation."""

    op: BinOp
    left: RawValue
    right: RawValue
    type: Type


@dataclass(frozen=True, slots=True)
class NotOp:
    """`!v`."""

    operand: RawValue
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """Call of a function by name: `f`, or `Module.f`. `type` is the first result, or the arrow when there is none."""

    name: str
    args: tuple[RawValue, ...]
    arrow: Arrow
    type: Type
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """Call of a service method by id. Never comes from source text, only from wrappers made by lowering."""

    service_id: RawValue
    method: str
    arrow: Arrow
    args: tuple[RawValue, ...]
    type: Type


RawValue = Var | Literal | Prop | Coll | StreamLit | StructLit | AbilityLit | Bin | NotOp | Call | ServiceCall

NIL = Literal("[]", NIL_TYPE)


def arrow_type(arrow: Arrow) -> Type:
    """Type of a call: the arrow's first result, or the arrow itself when it has none."""
    return arrow.results[0] if arrow.results else arrow


# ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class EmptyTag:
    """Nothing."""


@dataclass(frozen=True, slots=True)
class SeqTag:
    """One after another."""

    children: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class ParTag:
    """In parallel; complete when any is."""

    children: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class DetachTag:
    """`co`: run aside, wait for nothing."""

    child: Tree


@dataclass(frozen=True, slots=True)
class TryTag:
    """First child, then its handlers (`catch`, `otherwise`)."""

    children: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class OnTag:
    """Run the body on another peer. `strategy` is `relay` for `parseq`, else empty."""

    peer: RawValue
    via: tuple[RawValue, ...]
    strategy: Lit["", "relay"]
    child: Tree
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class IfTag:
    """First child when the condition holds; `else` bodies follow."""

    condition: RawValue
    children: tuple[Tree, ...]
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ForTag:
    """Loop; `mode` decides the last instruction. `value_item` is the second name of `for k, v` over a map."""

    item: str
    value_item: str | None
    iterable: RawValue
    mode: Lit["seq", "try", "par", "rec"]
    child: Tree
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NextTag:
    """Next round of the loop over `item`."""

    item: str


@dataclass(frozen=True, slots=True)
class AssignTag:
    """`x = v`."""

    value: RawValue
    name: str
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CallExport:
    """Where a result goes; `existing` iff the name is a stream already in scope (then `type` is the stream's)."""

    name: str
    type: Type
    existing: bool


@dataclass(frozen=True, slots=True)
class CallTag:
    """A call with its results. `call` is Call, ServiceCall, or Prop ending in ArrowProp."""

    exports: tuple[CallExport, ...]
    call: RawValue
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DeclareTag:
    """`s: *T`."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class PushTag:
    """`s <<- v`; `key` for a stream map."""

    value: RawValue
    key: RawValue | None
    name: str
    type: Type
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ReturnTag:
    """`<- v…`; emits nothing, the arrow keeps the values."""

    values: tuple[RawValue, ...]


@dataclass(frozen=True, slots=True)
class JoinTag:
    """`join a, b`: distinct values."""

    values: tuple[RawValue, ...]
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceIdTag:
    """`S id`: from here `name` (the mangled rename of S) is that instance."""

    id: RawValue
    type: ServiceType
    name: str
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ClosureTag:
    """A closure definition; its free names are captured by lowering."""

    name: str
    arrow: FuncArrow
    detached: bool


@dataclass(frozen=True, slots=True)
class CanonTag:
    """Freeze a stream into `name: #T`."""

    value: RawValue
    name: str
    type: Type
    site: Site | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FlattenTag:
    """Copy a value into scalar `name`."""

    value: RawValue
    name: str
    site: Site | None = field(default=None, compare=False)


Tree = (
    EmptyTag
    | SeqTag
    | ParTag
    | DetachTag
    | TryTag
    | OnTag
    | IfTag
    | ForTag
    | NextTag
    | AssignTag
    | CallTag
    | DeclareTag
    | PushTag
    | ReturnTag
    | JoinTag
    | ServiceIdTag
    | ClosureTag
    | CanonTag
    | FlattenTag
)

EMPTY = EmptyTag()


@dataclass(frozen=True, slots=True)
class FuncArrow:
    """An arrow with its body: type (all arguments labelled), returned values (after the fixes of §2.2), tree."""

    type: Arrow
    ret: tuple[RawValue, ...]
    body: Tree


# ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# A part keeps the context that precedes it, because a function captures everything visible before it (§3).


@dataclass(frozen=True, slots=True)
class Site:
    """A place: of a definition the span of its name, of a statement or call its text."""

    file: SourceFile
    span: Span


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name in the text of a module: what it denotes and where that is defined (None for predefined things).

    Of a member `owner` is the type that has it; its `site` is known where it is declared, elsewhere it follows from the owner.
    """

    span: Span
    kind: Lit["constant", "function", "variable", "argument", "field", "method", "type", "service", "module"]
    name: str
    type: Type | None
    site: Site | None
    owner: Type | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ConstPart:
    """A constant; `overridable` for `?=`."""

    name: str
    value: RawValue
    overridable: bool
    doc: str = ""
    site: Site | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TypePart:
    """A data, ability or alias; `member_docs` are the comments above fields, by name, empty ones left out."""

    name: str
    type: Type
    doc: str = ""
    site: Site | None = None
    member_docs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ServicePart:
    """A service; `id` None when it has no default id; `member_docs` as in `TypePart`."""

    name: str
    type: ServiceType
    id: RawValue | None
    doc: str = ""
    site: Site | None = None
    member_docs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class FuncPart:
    """A function."""

    name: str
    arrow: FuncArrow
    doc: str = ""
    site: Site | None = None


Part = ConstPart | TypePart | ServicePart | FuncPart
PlacedPart = tuple["ModuleContext", Part]


class PartsPrefix(Sequence[PlacedPart]):
    """The first parts of a module, sharing the module's own list: a context per definition would otherwise cost its square."""

    __slots__ = ("_length", "_parts")

    def __init__(self, parts: list[PlacedPart]) -> None:
        """View of what `parts`, a list that only grows, holds now."""
        self._parts = parts
        self._length = len(parts)

    def __len__(self) -> int:
        """Number of parts when the view was made."""
        return self._length

    @overload
    def __getitem__(self, index: int) -> PlacedPart: ...
    @overload
    def __getitem__(self, index: slice) -> list[PlacedPart]: ...
    def __getitem__(self, index: int | slice) -> PlacedPart | list[PlacedPart]:
        """Part at an index, or a list of parts."""
        if isinstance(index, slice):
            return [self._parts[i] for i in range(*index.indices(self._length))]
        return self._parts[range(self._length)[index]]

    def precedes(self, parts: Sequence[PlacedPart]) -> bool:
        """Whether `parts` are these and one more, in the list of the same module."""
        whole = parts._parts if isinstance(parts, PartsPrefix) else parts
        return whole is self._parts and len(parts) == self._length + 1

    def __iter__(self) -> Iterator[PlacedPart]:
        """Parts in order."""
        return (self._parts[i] for i in range(self._length))


@dataclass(eq=False)
class ModuleContext:
    """What a module sees and offers. Identity matters: lowering caches by it.

    parts: in order, each with the context that precedes it. An imported part keeps the preceding context of its own module.
    declares: names visible to importers, in written order. exports: name → exported name, in order.
    used: alias → context of used modules (aliases may be dotted).
    occurrences: names in the text and what they denote, for editors; filled for checked modules only.
    """

    module: str | None = None
    declares: tuple[str, ...] = ()
    exports: dict[str, str] = field(default_factory=dict)
    parts: Sequence[PlacedPart] = field(default_factory=list)
    used: dict[str, ModuleContext] = field(default_factory=dict)
    occurrences: list[Occurrence] = field(default_factory=list)
    _index: dict[tuple[bool, str], PlacedPart] | None = field(default=None, init=False, repr=False)

    def placed(self, name: str, *, is_type: bool) -> PlacedPart | None:
        """Type or service called `name`, or with `is_type` false the constant or function; the last one wins."""
        if self._index is None:
            self._index = {(isinstance(p[1], TypePart | ServicePart), p[1].name): p for p in self.parts}
        return self._index.get((is_type, name))

    def part(self, name: str, *, is_type: bool) -> Part | None:
        """As `placed`, without the context. To be asked once the parts are complete."""
        placed = self.placed(name, is_type=is_type)
        return None if placed is None else placed[1]

    def module_at(self, path: str) -> ModuleContext | None:
        """Used module by its path: an alias, or the alias of a module one of the used modules declares (`A.B`)."""
        if not self.used:
            return None
        if path in self.used:
            return self.used[path]
        words = path.split(".")
        for n in range(len(words) - 1, 0, -1):
            outer = self.used.get(".".join(words[:n]))
            if outer is not None and (inner := outer.module_at(".".join(words[n:]))) is not None:
                return inner
        return None

    def member(self, path: str, *, is_type: bool) -> Part | None:
        """Part by dotted path, reached through used modules; own parts are not looked at."""
        module, dot, name = path.rpartition(".")
        owner = self.module_at(module) if dot else None
        return owner.part(name, is_type=is_type) if owner is not None else None
