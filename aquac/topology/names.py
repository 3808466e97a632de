"""Which names a branch produces that somebody reads later.

Input:  Cursor.
Output: `Names`, answering `exported_and_used_later`.
Errors: none.

Leaving a parallel branch costs hops, worth it only when something the branch wrote is read to the right of it. A name is
visible through the nodes above it up to the one that binds it (`new`, the item of a fold), so each use and each export
keeps the number of its binder. With nodes numbered in document order the question for a node `n` becomes: is there a use
behind `last[n]` whose binder stands before `n`? Uses are sorted, so that is one bisection and a suffix minimum.
Source: aqua:model/src/main/scala/aqua/model/OpModel.scala
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import assert_never

from aquac.lowering.model import (
    Apply,
    Canon,
    Capture,
    Detach,
    Empty,
    Fail,
    Flatten,
    For,
    IndexP,
    Insert,
    L,
    Mark,
    Match,
    Model,
    New,
    Next,
    Null,
    On,
    Par,
    Push,
    Seq,
    Srv,
    V,
    ValueModel,
    Xor,
)

from .cursor import NONE, Cursor


def names_of(value: ValueModel) -> tuple[str, ...]:
    """Names a value mentions: the variable and the variables that index it."""
    if isinstance(value, L):
        return ()
    if not value.props:
        return (value.name,)
    indexes = (p.text for p in value.props if isinstance(p, IndexP) and not p.text.isdigit())
    return (value.name, *indexes)


def mentions(value: ValueModel, name: str) -> bool:
    """Whether a value mentions `name`."""
    return isinstance(value, V) and name in names_of(value)


def read_values(node: Model) -> tuple[ValueModel, ...]:
    """Values a node reads itself, its children aside."""
    match node:
        case On(peer, via):
            return (peer, *via)
        case Match(left, right):
            return (left, right)
        case For(_, iterable):
            return (iterable,)
        case Insert(key, value):
            return (key, value)
        case Flatten(value) | Push(value) | Canon(value) | Fail(value):
            return (value,)
        case Srv(service_id, _, args):
            return (service_id, *args)
        case Empty() | Null() | Seq() | Par() | Detach() | Xor() | Next() | New() | Capture() | Apply() | Mark():
            return ()
        case _:
            assert_never(node)


def written_names(node: Model) -> tuple[str, ...]:
    """Names a node writes itself."""
    match node:
        case Insert(_, _, target) | Flatten(_, target) | Push(_, target) | Canon(_, target):
            return (target.name,)
        case Srv(_, _, _, results):
            return tuple(target.name for target in results)
        case _:
            return ()


def bound_name(node: Model) -> str | None:
    """Name a node binds for its subtree."""
    match node:
        case New(name):
            return name
        case For(item):
            return item
        case _:
            return None


class Names:
    """Uses and exports of one tree, with their binders."""

    __slots__ = ("_cursor", "_export_at", "_exports", "_least_binder", "_use_at")

    def __init__(self, cursor: Cursor) -> None:
        """Collect them in one walk."""
        self._cursor = cursor
        self._export_at: list[int] = []
        self._exports: list[tuple[str, int]] = []
        self._use_at: dict[str, list[int]] = {}
        self._least_binder: dict[str, list[int]] = {}
        self._collect()
        for binders in self._least_binder.values():
            for at in reversed(range(len(binders) - 1)):
                binders[at] = min(binders[at], binders[at + 1])

    def exported_and_used_later(self, number: int) -> bool:
        """Whether a name written in the subtree of `number` is read to the right of it, or of a node above it."""
        first = bisect_left(self._export_at, number)
        end = bisect_right(self._export_at, self._cursor.last[number])
        return any(binder < number and self._used_later(name, number) for name, binder in self._exports[first:end])

    def written_in(self, first: int, last: int) -> set[str]:
        """Names written by the nodes from `first` to `last`."""
        return {
            name for name, _ in self._exports[bisect_left(self._export_at, first) : bisect_right(self._export_at, last)]
        }

    def _used_later(self, name: str, number: int) -> bool:
        at = bisect_right(self._use_at.get(name, ()), self._cursor.last[number])
        binders = self._least_binder.get(name, ())
        return at < len(binders) and binders[at] < number

    def _collect(self) -> None:
        cursor = self._cursor
        open_binders: dict[str, list[int]] = {}
        opened: list[tuple[int, str]] = []
        # An `on` of `parseq` returns to its relay whatever it wrote: nothing is exported through it.
        silent: list[int] = []
        for number, node in enumerate(cursor.nodes):
            while opened and cursor.last[opened[-1][0]] < number:
                open_binders[opened.pop()[1]].pop()
            while silent and cursor.last[silent[-1]] < number:
                silent.pop()
            bound = bound_name(node)
            if bound is not None:
                open_binders.setdefault(bound, []).append(number)
                opened.append((number, bound))
            if isinstance(node, On) and node.strategy == "relay":
                silent.append(number)
            for value in read_values(node):
                for name in names_of(value):
                    self._use(name, number, open_binders)
            if isinstance(node, Next):
                self._use(node.item, number, open_binders)
            for name in written_names(node):
                binders = open_binders.get(name)
                binder = binders[-1] if binders else NONE
                self._export_at.append(number)
                self._exports.append((name, max(binder, silent[-1]) if silent else binder))

    def _use(self, name: str, number: int, open_binders: dict[str, list[int]]) -> None:
        binders = open_binders.get(name)
        self._use_at.setdefault(name, []).append(number)
        self._least_binder.setdefault(name, []).append(binders[-1] if binders else NONE)
