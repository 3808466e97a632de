"""Where every node of a model stands: the paths before, at the beginning, at the end and after it.

Input:  Cursor.
Output: `Places`, one path per node and attribute.
Errors: none.

Vocabulary, per node: `on` is the stack of `on`s around it; `begins` where its execution starts, which may be further out
(hops shared by all branches or rounds move in front of a `par` or a loop); `ends` where it stops by itself; `exit` whether
it has to be left on purpose; `after` where whatever follows expects the particle; `finally_on` where the particle is once
the exit is done; `before` where it was just before the node.

Each attribute needs only attributes of earlier passes, of parents (walk forwards) or of children (walk backwards). Keep it
so: the order of the calls in `Places.__init__` is the proof that there is no cycle.
Source: aqua:model/transform/src/main/scala/aqua/model/transform/topology/strategy
"""

from __future__ import annotations

from enum import IntEnum
from functools import reduce
from typing import Final

from aquac.lowering.model import Apply, Capture, For, Next, On
from aquac.semantics import types as t

from .cursor import (
    IS_CLOSURE,
    IS_EXEC,
    IS_FAIL,
    IS_FOR,
    IS_NEXT,
    IS_ON,
    IS_PAR,
    IS_PAR_GROUP,
    IS_SEQ_GROUP,
    IS_XOR,
    NONE,
    Cursor,
)
from .names import Names, mentions, names_of
from .path import Frames, Path, common_outer

_LISTS: Final = (t.Array, t.Option, t.Canon)


class Exit(IntEnum):
    """How a node is left: not at all, to its nearest relay, or all the way to what follows. Ordered by strength."""

    EMPTY = 0
    RELAY = 1
    FULL = 2


class Places:
    """Paths of all nodes; every list is indexed by node number."""

    __slots__ = (
        "_cursor",
        "_early_hops",
        "_exec_later",
        "_frames",
        "_names",
        "after",
        "before",
        "begins",
        "ends",
        "exit",
        "finally_on",
        "first_exec",
        "last_exec",
        "next_exec",
        "on",
        "par_exit",
    )

    def __init__(self, cursor: Cursor, *, early_hops: bool = False) -> None:
        """Run all passes over `cursor`; `early_hops` as for `make_res.resolve`."""
        count = len(cursor)
        self._cursor = cursor
        self._early_hops = early_hops
        self._names = Names(cursor)
        self._frames = Frames()
        self.on: list[Path] = [()] * count
        self.first_exec: list[Path | None] = [None] * count
        self.last_exec: list[Path | None] = [None] * count
        self.next_exec: list[Path | None] = [None] * count
        self.begins: list[Path] = [()] * count
        self.par_exit = [NONE] * count
        self._exec_later = [False] * count
        self.exit = [Exit.EMPTY] * count
        self.after: list[Path] = [()] * count
        self.ends: list[Path] = [()] * count
        self.finally_on: list[Path] = [()] * count
        self.before: list[Path] = [()] * count
        self._fill_on()
        self._fill_first_and_last()
        self._fill_next()
        self._fill_begins()
        self._fill_par_exit()
        self._fill_exit()
        self._fill_after()
        self._fill_ends()
        self._fill_before()

    def to_relay(self, path: Path) -> Path:
        """`Frames.to_relay` over the frames of this tree."""
        return self._frames.to_relay(path)

    # ── where calls happen ───────────────────────────────────────────────────────────────────────────────────────────

    def _fill_on(self) -> None:
        """Stacks of `on`. A call of a closure continues from the stack where the closure was made."""
        cursor = self._cursor
        captured: dict[str, Path] = {}
        for number, kind in enumerate(cursor.kinds):
            parent = cursor.parent[number]
            outer = () if parent == NONE else self.on[parent]
            if not kind & (IS_ON | IS_CLOSURE):
                self.on[number] = outer
                continue
            node = cursor.nodes[number]
            if isinstance(node, On):
                self.on[number] = (self._frames.make(node.peer, node.via, node.strategy), *outer)
            elif isinstance(node, Apply):
                self.on[number] = captured.get(node.name, outer)
            else:
                self.on[number] = outer
                if isinstance(node, Capture):
                    captured[node.name] = outer

    def _fill_first_and_last(self) -> None:
        """Where the first and the last call or canon of each subtree happen."""
        for number in reversed(range(len(self._cursor))):
            if self._cursor.kinds[number] & IS_EXEC:
                self.first_exec[number] = self.last_exec[number] = self.on[number]
                continue
            for child in self._cursor.active[number]:
                if self.first_exec[child] is not None:
                    self.first_exec[number] = self.first_exec[child]
                    break
            for child in reversed(self._cursor.active[number]):
                if self.last_exec[child] is not None:
                    self.last_exec[number] = self.last_exec[child]
                    break

    def _fill_next(self) -> None:
        """Where the next call after each node happens."""
        for number, kind in enumerate(self._cursor.kinds):
            children = self._cursor.children[number]
            following = self.next_exec[number]
            in_sequence = kind & IS_SEQ_GROUP
            for child in reversed(children):
                self.next_exec[child] = following
                if in_sequence and self.first_exec[child] is not None:
                    following = self.first_exec[child]

    # ── beginnings ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _fill_begins(self) -> None:
        cursor = self._cursor
        loops: list[int] = []
        rounds: list[tuple[int, int]] = []
        self.begins = list(self.on)
        for number, kind in enumerate(cursor.kinds):
            if not kind & (IS_NEXT | IS_FOR):
                continue
            while loops and cursor.last[loops[-1]] < number:
                loops.pop()
            if loops and kind & IS_NEXT and cursor.held[number] & IS_SEQ_GROUP:
                rounds.append((number, loops[-1]))
            if kind & IS_FOR:
                loops.append(number)
        for number in reversed(range(len(cursor))):
            if not cursor.kinds[number] & (IS_FOR | IS_PAR):
                continue
            node = cursor.nodes[number]
            if isinstance(node, For):
                self.begins[number] = self._begin_of_loop(number, node.item)
            elif cursor.active[number]:
                self.begins[number] = reduce(common_outer, (self.begins[child] for child in cursor.active[number]))
        for number, loop in rounds:
            self.begins[number] = self.begins[loop]

    def _begin_of_loop(self, number: int, item: str) -> Path:
        """Hops that do not depend on the item are made once, in front of the loop."""
        children = self._cursor.active[number]
        if children and isinstance(self._cursor.nodes[children[0]], Next):
            children = children[1:]
        if not children:
            return self.on[number]
        path: Path = ()
        for frame in reversed(self.begins[children[0]]):
            if any(mentions(relay, item) for relay in frame.via):
                break
            if mentions(frame.peer, item) and path and path[0].via:
                return (self._frames.make(path[0].via[0], path[0].via), *path)
            path = (frame, *path)
        return path

    # ── exits ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fill_par_exit(self) -> None:
        """For each node: the branch of a `par` whose exit coincides with the exit of the node's parent, or NONE."""
        cursor = self._cursor
        climbed = [NONE] * len(cursor)
        for number in range(1, len(cursor)):
            parent = cursor.parent[number]
            holder = cursor.held[number]
            if holder & IS_PAR_GROUP:
                climbed[number] = number
            elif holder & IS_XOR or cursor.after[number] == NONE:
                climbed[number] = climbed[parent]
            self.par_exit[number] = climbed[parent]
            self._exec_later[number] = self._exec_later[parent] or cursor.after[number] != NONE

    def _fill_exit(self) -> None:
        cursor, names = self._cursor, self._names
        for number, kind in enumerate(cursor.kinds):
            holder = cursor.held[number]
            if kind & IS_ON and self.on[number][0].strategy == "relay":
                self.exit[number] = Exit.RELAY
            elif kind & IS_FAIL:
                self.exit[number] = Exit.EMPTY
            elif holder & IS_PAR_GROUP:
                used = names.exported_and_used_later(number)
                self.exit[number] = Exit.FULL if used else Exit.EMPTY
            elif holder & IS_XOR:
                branch = self.par_exit[number]
                if branch != NONE:
                    self.exit[number] = self.exit[branch]
                elif self._exec_later[cursor.parent[number]]:
                    self.exit[number] = Exit.FULL

    # ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fill_after(self) -> None:
        for number, kind in enumerate(self._cursor.kinds):
            path = self._after(number)
            if kind & IS_PAR and path != self.on[number] and not self._early_hops:
                path = self._known(number, path)
            self.after[number] = path

    def _known(self, number: int, path: Path) -> Path:
        """The outer part of `path` that is not reached over a list of relays which a later branch of a `par` makes.

        AIR takes no list in a `fold` in front of what makes it (a single peer is waited for), and what follows goes there
        anyway.
        """
        later = self._cursor.active[number][1:]
        written = self._names.written_in(later[0], self._cursor.last[later[-1]]) if later else ()
        for at in reversed(range(len(path))):
            for value in path[at].via:
                if isinstance(value.type, _LISTS) and any(name in written for name in names_of(value)):
                    return path[at + 1 :]
        return path

    def _after(self, number: int) -> Path:
        cursor = self._cursor
        parent, holder = cursor.parent[number], cursor.held[number]
        if holder & IS_SEQ_GROUP:
            following = cursor.after[number]
            return self.after[parent] if following == NONE else self.begins[following]
        if holder & IS_PAR_GROUP:
            return self.after[parent]
        if not holder & IS_XOR or self.exit[number] is Exit.EMPTY:
            return self.on[number]
        if self.exit[number] is Exit.RELAY:
            return self.to_relay(self.on[number])
        branch = self.par_exit[number]
        return self.after[parent] if branch == NONE else self.after[cursor.parent[branch]]

    def _fill_ends(self) -> None:
        for number in reversed(range(len(self._cursor))):
            self.ends[number] = ends = self._ends(number)
            self.finally_on[number] = self._leave(number, ends, self.after[number])

    def _ends(self, number: int) -> Path:
        kind, active = self._cursor.kinds[number], self._cursor.active[number]
        if kind & (IS_SEQ_GROUP | IS_XOR):
            if not active:
                return self.begins[number]
            child = active[0] if kind & IS_XOR else active[-1]
            return self._leave(child, self.ends[child], self.after[number])
        if kind & IS_PAR_GROUP:
            strongest = max((self.exit[child] for child in active), default=Exit.EMPTY)
            if strongest is Exit.EMPTY:
                return self.begins[number]
            return self.after[number] if strongest is Exit.FULL else self.to_relay(self.on[number])
        return self.begins[number]

    def _leave(self, number: int, ends: Path, after: Path) -> Path:
        """Where the exit of `number` leads."""
        if self.exit[number] is Exit.EMPTY:
            return ends
        return after if self.exit[number] is Exit.FULL else self.to_relay(self.on[number])

    def _fill_before(self) -> None:
        cursor = self._cursor
        for number in range(len(cursor)):
            parent, holder, previous = cursor.parent[number], cursor.held[number], cursor.before[number]
            if parent == NONE:
                self.before[number] = self.begins[number]
            elif previous != NONE and holder & IS_XOR:
                self.before[number] = self.begins[previous]
            elif previous != NONE and holder & IS_SEQ_GROUP:
                self.before[number] = self.finally_on[previous]
            else:
                self.before[number] = self.begins[parent]
