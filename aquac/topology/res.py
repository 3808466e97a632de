"""Res: operations with their peers, hops inserted. Topology makes it, `emit/air.py` prints it.

No `On` is left; every call and canon names its peer. A one-child `Seq` is collapsed and nested `Seq`s are flattened
(`spec aqua-to-air §11.2`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Literal as Lit

from aquac.records import dataclass

if TYPE_CHECKING:
    from aquac.lowering.model import Target, ValueModel
    from aquac.semantics.types import Type


@dataclass(frozen=True, slots=True, eq=False)
class Seq:
    """Sequence; empty prints `(null)`."""

    children: tuple[Res, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Par:
    """Parallel."""

    children: tuple[Res, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Xor:
    """Error handling."""

    children: tuple[Res, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """`match` / `mismatch`."""

    left: ValueModel
    right: ValueModel
    equal: bool
    children: tuple[Res, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """`fold`, with its last instruction."""

    item: str
    iterable: ValueModel
    last: Lit["null", "never"]
    children: tuple[Res, ...]


@dataclass(frozen=True, slots=True, eq=False)
class New:
    """`new`."""

    name: str
    type: Type
    children: tuple[Res, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Next:
    """`next`."""

    item: str


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`call`."""

    peer: ValueModel
    service_id: ValueModel
    method: str
    args: tuple[ValueModel, ...]
    result: Target | None


@dataclass(frozen=True, slots=True, eq=False)
class Ap:
    """`ap value target`."""

    value: ValueModel
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class ApMap:
    """`ap (key value) %map`."""

    key: ValueModel
    value: ValueModel
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class Canon:
    """`canon`."""

    peer: ValueModel
    value: ValueModel
    target: Target


@dataclass(frozen=True, slots=True, eq=False)
class Fail:
    """`fail`."""

    value: ValueModel


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """`null`."""


Res = Seq | Par | Xor | Match | Fold | New | Next | Call | Ap | ApMap | Canon | Fail | Null
