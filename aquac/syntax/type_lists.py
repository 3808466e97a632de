"""Resolve the flat type lists of the grammar into types.

Whether a comma in `a: u8, string -> u8, bool, n: u8` separates arguments of an arrow, its results or arguments of the function
is beyond LALR(1), so the grammar keeps such lists flat and this file groups them.
Source: spec aqua-language §5.4 rule 1: a parenthesised type is complete; a maximal run of plain types before `->` are the
arguments of one arrow, whose results are everything that remains; other plain types stand alone; `()` is no result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.codes import SYNTAX_TOO_DEEP
from aquac.records import dataclass

from .ast import ArrowType, NamedType, TypeExpr
from .limits import NESTING_MAX
from .reject import Reject

if TYPE_CHECKING:
    from aquac.source import Span


@dataclass(frozen=True, slots=True)
class TypeItem:
    """A complete type of a list. `depth` counts the types inside each other."""

    type: TypeExpr
    span: Span
    depth: int
    parenthesised: bool = False


@dataclass(frozen=True, slots=True)
class UnitItem:
    """`()`."""

    span: Span


@dataclass(frozen=True, slots=True)
class ArrowItem:
    """`->`; `anchor` includes the blanks around it."""

    span: Span
    anchor: Span


@dataclass(frozen=True, slots=True)
class AbilitiesItem:
    """`{A, B}` before the arguments of an arrow."""

    abilities: tuple[NamedType, ...]
    span: Span


Item = TypeItem | UnitItem | ArrowItem | AbilitiesItem


def resolve_list(items: list[Item]) -> tuple[TypeItem, ...]:
    """Types of a group, at least one. Raises Reject when the group makes no sense."""
    segments: list[list[Item]] = [[]]
    arrows: list[ArrowItem] = []
    for item in items:
        if isinstance(item, ArrowItem):
            arrows.append(item)
            segments.append([])
        else:
            segments[-1].append(item)
    if not arrows:
        return tuple(_plain(segments[0]))
    last = segments.pop()
    results = [] if len(last) == 1 and isinstance(last[0], UnitItem) else _plain(last)
    while arrows:
        arrow = arrows.pop()
        before, abilities, args = _arguments(segments.pop())
        depth = 1 + max((t.depth for t in (*args, *results)), default=0)
        if depth > NESTING_MAX:
            raise Reject(f"types nested deeper than {NESTING_MAX} levels", arrow.span, code=SYNTAX_TOO_DEEP)
        node = ArrowType(abilities, tuple(a.type for a in args), tuple(r.type for r in results), arrow.anchor)
        start = args[0].span if args else arrow.span
        end = results[-1].span if results else arrow.span
        results = [*_plain(before), TypeItem(node, start.to(end), depth)]
    return tuple(results)


def resolve_one(items: list[Item], what: str) -> TypeItem:
    """The one type of a group. Raises Reject when there are several."""
    types = resolve_list(items)
    if len(types) != 1:
        raise Reject(
            f"{what} has one type, here are {len(types)}",
            types[1].span,
            hint="give each argument a name, or put a function type into parentheses",
        )
    return types[0]


def _plain(items: list[Item]) -> list[TypeItem]:
    """Types that stand alone."""
    types = []
    for item in items:
        if isinstance(item, UnitItem):
            raise Reject("`()` means no result and stands alone after `->`", item.span)
        if isinstance(item, AbilitiesItem):
            raise Reject("abilities in braces belong to a function type: `{A} u8 -> u8`", item.span)
        assert isinstance(item, TypeItem)
        types.append(item)
    return types


def _arguments(items: list[Item]) -> tuple[list[Item], tuple[NamedType, ...], list[TypeItem]]:
    """Split what stands before an arrow into separate types, abilities and the arguments of the arrow."""
    first = len(items)
    while first:
        item = items[first - 1]
        if not isinstance(item, TypeItem):
            break
        if item.parenthesised:
            if first == len(items):
                raise Reject(
                    "an argument of a function type cannot be in parentheses",
                    item.span,
                    hint="give the inner function type a name with `alias`",
                )
            break
        first -= 1
    args = _plain(items[first:])
    if first and isinstance(found := items[first - 1], AbilitiesItem):
        return items[: first - 1], found.abilities, args
    if first and isinstance(unit := items[first - 1], UnitItem):
        raise Reject(
            "`()` means no result and cannot be an argument",
            unit.span,
            hint="a function without arguments is `-> T`",
        )
    return items[:first], (), args
