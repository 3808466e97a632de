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

SEQ_GROUP: Final = (Seq, On, New, Match, For, Apply)
PAR_GROUP: Final = (Par, Detach)
GROUP: Final = (*SEQ_GROUP, *PAR_GROUP, Xor)
LEAF: Final = (Empty, Null, Next, Insert, Flatten, Push, Canon, Srv, Fail, Capture)
NO_EXEC: Final = (Empty, Null, Capture)
NONE: Final = -1
"""Stands for "no such node" wherever a node number is expected."""


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
        parent: number of the parent, `NONE` for the root.
        last: number of the last descendant, or of the node itself.
        children: numbers of all children.
        active: numbers of the children that do something.
        before: nearest earlier sibling that does something, or `NONE`.
        after: nearest later sibling that does something, or `NONE`.
        is_active: whether the node does something.
    """

    __slots__ = ("active", "after", "before", "children", "is_active", "last", "nodes", "parent")

    def __init__(self, root: Model) -> None:
        """Lay out `root`; linear in its size."""
        self.nodes: list[Model] = []
        self.parent: list[int] = []
        self.children: list[list[int]] = []
        stack: list[tuple[Model, int]] = [(root, NONE)]
        while stack:
            node, parent = stack.pop()
            number = len(self.nodes)
            self.nodes.append(node)
            self.parent.append(parent)
            self.children.append([])
            if parent != NONE:
                self.children[parent].append(number)
            stack.extend((child, number) for child in reversed(children_of(node)))
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

    def parent_node(self, number: int) -> Model | None:
        """The parent's model, None for the root."""
        parent = self.parent[number]
        return None if parent == NONE else self.nodes[parent]

    def _close(self, number: int) -> None:
        """Fill what depends on the children; they are closed already."""
        node, children = self.nodes[number], self.children[number]
        if children:
            self.last[number] = self.last[children[-1]]
        self.active[number] = active = [child for child in children if self.is_active[child]]
        self.is_active[number] = bool(active) if isinstance(node, GROUP) else not isinstance(node, NO_EXEC)
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
