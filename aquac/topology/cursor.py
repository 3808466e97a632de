"""A model tree laid out flat, so that the passes over it are loops.

Input:  Model.
Output: `Cursor`: nodes numbered in document order, with parents, children and siblings as arrays of numbers.
Errors: `AssertionError` for a `Mark`, which lowering removes.

A subtree is a range of numbers: node `i` holds `i … last[i]`. Walking the range forwards visits parents before children,
walking it backwards children before parents; every attribute of topology is computed by one such walk, so neither a long
sequence nor a deep nest costs host stack.

A node without effect (`Empty`, `Null`, `Capture`, a group of such) has no place of its own: `before`, `after` and `active`
skip it.
Source: aqua:model/transform/src/main/scala/aqua/model/transform/topology/OpModelTreeCursor.scala
"""

from __future__ import annotations

from typing import Final

from aquac.lowering.model import (
    Apply,
    Canon,
    Capture,
    Detach,
    Empty,
    Fail,
    Flatten,
    For,
    Insert,
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
    Xor,
)

LEAF: Final = (Empty, Null, Next, Insert, Flatten, Push, Canon, Srv, Fail, Capture)
NONE: Final = -1
"""Stands for "no such node" wherever a node number is expected."""

# What a node is, as bits: the passes ask this several times of every node.
IS_SEQ_GROUP: Final = 1
IS_PAR_GROUP: Final = 2
IS_XOR: Final = 4
IS_ON: Final = 8
IS_FOR: Final = 16
IS_NEXT: Final = 32
IS_FAIL: Final = 64
IS_EXEC: Final = 128
IS_CLOSURE: Final = 256
"""The place where a closure is made, or a call of it."""
IS_PAR: Final = 512
IS_NO_EXEC: Final = 1024
IS_GROUP: Final = IS_SEQ_GROUP | IS_PAR_GROUP | IS_XOR
KINDS: Final[dict[type[Model], int]] = {
    Seq: IS_SEQ_GROUP,
    On: IS_SEQ_GROUP | IS_ON,
    New: IS_SEQ_GROUP,
    Match: IS_SEQ_GROUP,
    For: IS_SEQ_GROUP | IS_FOR,
    Apply: IS_SEQ_GROUP | IS_CLOSURE,
    Par: IS_PAR_GROUP | IS_PAR,
    Detach: IS_PAR_GROUP,
    Xor: IS_XOR,
    Next: IS_NEXT,
    Fail: IS_FAIL,
    Srv: IS_EXEC,
    Canon: IS_EXEC,
    Capture: IS_CLOSURE | IS_NO_EXEC,
    Empty: IS_NO_EXEC,
    Null: IS_NO_EXEC,
    Insert: 0,
    Flatten: 0,
    Push: 0,
}


def children_of(node: Model) -> tuple[Model, ...]:
    """Children of a model node."""
    if isinstance(node, LEAF):
        return ()
    if isinstance(node, Mark):
        raise AssertionError(f"call mark `{node.name}` reached topology")
    return node.children


class Cursor:
    """Flat view of one model tree.

    Attributes:
        nodes: the nodes in document order; the root is 0.
        kinds: what each node is, bits of `KINDS`.
        held: what the parent of each node is, in the same bits; 0 for the root.
        parent: number of the parent, `NONE` for the root.
        last: number of the last descendant, or of the node itself.
        children: numbers of all children.
        active: numbers of the children that do something.
        before: nearest earlier sibling that does something, or `NONE`.
        after: nearest later sibling that does something, or `NONE`.
        is_active: whether the node does something.
    """

    __slots__ = ("active", "after", "before", "children", "held", "is_active", "kinds", "last", "nodes", "parent")

    def __init__(self, root: Model) -> None:
        """Lay out `root`; linear in its size."""
        self.nodes: list[Model] = []
        self.kinds: list[int] = []
        self.parent: list[int] = []
        self.held: list[int] = []
        self.children: list[list[int]] = []
        stack: list[tuple[Model, int]] = [(root, NONE)]
        while stack:
            node, parent = stack.pop()
            number = len(self.nodes)
            kind = KINDS.get(type(node), IS_GROUP)
            self.nodes.append(node)
            self.kinds.append(kind)
            self.parent.append(parent)
            self.children.append([])
            if parent == NONE:
                self.held.append(0)
            else:
                self.held.append(self.kinds[parent])
                self.children[parent].append(number)
            if kind & IS_GROUP:
                stack += [(child, number) for child in reversed(children_of(node))]
        count = len(self.nodes)
        self.last = list(range(count))
        self.is_active = [False] * count
        self.active: list[list[int]] = [[] for _ in range(count)]
        self.before = [NONE] * count
        self.after = [NONE] * count
        for number in reversed(range(count)):
            self._close(number)

    def __len__(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    def _close(self, number: int) -> None:
        """Fill what depends on the children; they are closed already."""
        kind, children = self.kinds[number], self.children[number]
        if not children:
            # A group of nothing does nothing.
            self.is_active[number] = not kind & (IS_NO_EXEC | IS_GROUP)
            return
        self.last[number] = self.last[children[-1]]
        self.active[number] = active = [child for child in children if self.is_active[child]]
        self.is_active[number] = bool(active)
        if len(children) == 1:
            return
        nearest = NONE
        for child in children:
            self.before[child] = nearest
            if self.is_active[child]:
                nearest = child
        nearest = NONE
        for child in reversed(children):
            self.after[child] = nearest
            if self.is_active[child]:
                nearest = child
