"""Model: one exported function with everything inlined. Lowering makes it, topology reads it.

Values are variables with property paths or literals; no call by name, no closure, no constant is left.
Construction rules of `spec aqua-to-air §4.3` (dropping of `Empty`, collapsing of one-child `Seq`, …) live in `build.py`.
Nodes are compared by identity, except values and peers, which compare by value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Literal as Lit

from aquac.records import dataclass

if TYPE_CHECKING:
    from aquac.semantics.types import Type

# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FieldP:
    """`.name`."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class FunctorP:
    """`.length`."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class IndexP:
    """`[text]`: a number or the name of a scalar."""

    text: str
    type: Type


PropM = FieldP | FunctorP | IndexP


@dataclass(frozen=True, slots=True)
class V:
    """Variable with properties; `base` is the type of the bare name."""

    name: str
    base: Type
    props: tuple[PropM, ...] = ()

    @property
    def type(self) -> Type:
        """Type of the whole."""
        return self.props[-1].type if self.props else self.base


@dataclass(frozen=True, slots=True)
class L:
    """Literal; text goes to AIR verbatim."""

    text: str
    type: Type


ValueModel = V | L


@dataclass(frozen=True, slots=True)
class Target:
    """A name that a node writes, with the type that decides its AIR prefix."""

    name: str
    type: Type


# ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Empty:
    """Nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """A no-op that prints."""


@dataclass(frozen=True, slots=True, eq=False)
class Seq:
    """Sequence."""

    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Par:
    """Parallel branches."""

    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Detach:
    """Parallel with nothing: `co`."""

    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Xor:
    """First child, on error the next."""

    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class On:
    """Children run on `peer`, reached over `via`."""

    peer: ValueModel
    via: tuple[ValueModel, ...]
    strategy: Lit["", "relay"]
    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Next:
    """Next round of the loop with iterator `item`."""

    item: str


@dataclass(frozen=True, slots=True, eq=False)
class New:
    """Scope of a stream, map or scalar."""

    name: str
    type: Type
    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Children run if left == right (or != when not `equal`); error otherwise."""

    left: ValueModel
    right: ValueModel
    equal: bool
    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class For:
    """Loop; `last` is the instruction run when the items are exhausted."""

    item: str
    iterable: ValueModel
    last: Lit["null", "never"]
    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Insert:
    """Put `value` under `key` into a stream map."""

    key: ValueModel
    value: ValueModel
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class Flatten:
    """Copy a value into a scalar."""

    value: ValueModel
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """Append to a stream."""

    value: ValueModel
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class Canon:
    """Freeze a stream or map."""

    value: ValueModel
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class Srv:
    """Call a service method on the peer where it stands."""

    service_id: ValueModel
    method: str
    args: tuple[ValueModel, ...]
    results: tuple[Target, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fail:
    """Raise an error value."""

    value: ValueModel


@dataclass(frozen=True, slots=True, eq=False)
class Capture:
    """Where a closure was made: calls of it start from this topology."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Apply:
    """A call of a closure captured under `name`."""

    name: str
    children: tuple[Model, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """The inlined call of arrow `name`; becomes tracing calls or vanishes (`spec aqua-to-air §9`)."""

    name: str
    children: tuple[Model, ...]


Model = (
    Empty
    | Null
    | Seq
    | Par
    | Detach
    | Xor
    | On
    | Next
    | New
    | Match
    | For
    | Insert
    | Flatten
    | Push
    | Canon
    | Srv
    | Fail
    | Capture
    | Apply
    | Mark
)

EMPTY = Empty()
NULL = Null()
