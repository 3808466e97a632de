"""Scopes of scalars, canon streams and canon maps: one matrix of cells by fold depth.

A name is a slot number. Its cells form a stack of (depth, content); only the top cell is ever looked at, and only if its
depth is visible, which is the case for the current iteration of each enclosing fold. The three kinds of variables have
disjoint names, so they share the matrix.
What an editor must keep: `cleanup` pops exactly one cell of each name whose top lies deeper than the current depth. The
reference walks all names for that; here `_touched` knows which names have cells at which depth, so the cost is that of the
cells pushed. Errors: VmError 10003, 10009, 20007, 20008.
Source: aquavm:air/src/execution_step/execution_context/scalar_variables/values_sparse_matrix.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.errors import SCALARS_CORRUPTED, SHADOWING, VARIABLE_CLEARED, VARIABLE_NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY: Final = object()
"""Content of a cell between `new` and the first write."""


class Scopes:
    """The matrix of one run."""

    __slots__ = ("_cells", "_names", "_touched", "_visible", "depth")

    def __init__(self, names: Sequence[str]) -> None:
        """`names` by slot, for error texts."""
        self._names = names
        self._cells: list[list[tuple[int, Any]]] = [[] for _ in names]
        self._visible = bytearray(b"\1")
        self._touched: list[list[int]] = []  # at index d: slots that got a cell at depth d + 1
        self.depth = 0

    def grow(self) -> None:
        """There may be more names now."""
        while len(self._cells) < len(self._names):
            self._cells.append([])

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def fold_start(self) -> None:
        """Enter the first iteration; the surrounding one stays visible."""
        self.depth += 1
        self._show()

    def fold_end(self) -> None:
        """Leave the fold and drop what its iterations set."""
        self._visible[self.depth] = 0
        self.depth -= 1
        self._cleanup()

    def before_next(self) -> None:
        """Enter the next iteration; the running one becomes invisible."""
        self._visible[self.depth] = 0
        self.depth += 1
        self._show()

    def after_next(self) -> None:
        """Back in the iteration that executed `next`."""
        self._visible[self.depth] = 0
        self.depth -= 1
        self._visible[self.depth] = 1
        self._cleanup()

    def _show(self) -> None:
        if self.depth == len(self._visible):
            self._visible.append(1)
        else:
            self._visible[self.depth] = 1

    def _cleanup(self) -> None:
        depth = self.depth
        touched = self._touched
        if len(touched) <= depth:
            return
        slots = set().union(*touched[depth:])
        del touched[depth:]
        rest = []
        for slot in slots:
            stack = self._cells[slot]
            if stack and stack[-1][0] > depth:
                stack.pop()
                if stack and stack[-1][0] > depth:
                    rest.append(slot)
        if rest:
            touched.append(rest)

    # ── variables ────────────────────────────────────────────────────────────────────────────────────────────────────

    def find(self, slot: int) -> Any:
        """Content of a variable, EMPTY after `new`, or None if there is none or it is not visible."""
        stack = self._cells[slot]
        if stack:
            depth, content = stack[-1]
            if self._visible[depth]:
                return content
        return None

    def get(self, slot: int) -> Any:
        """Content of a variable. Raises 10003 if it is undefined, 10009 if it was cleared by `new`."""
        content = self.find(slot)
        if content is None:
            raise VARIABLE_NOT_FOUND.error(name=self._names[slot])
        if content is EMPTY:
            raise VARIABLE_CLEARED.error(name=self._names[slot])
        return content

    def settable(self, slot: int) -> bool:
        """Whether a variable that exists may be written again."""
        stack = self._cells[slot]
        return self.depth != 0 or (bool(stack) and stack[-1][1] is EMPTY)

    def set(self, slot: int, content: Any) -> None:
        """Write a variable. Raises 20007 for a second write outside of folds."""
        stack = self._cells[slot]
        depth = self.depth
        if not stack:
            self._push(slot, content)
        elif depth == 0 and stack[-1][1] is not EMPTY:
            raise SHADOWING.error(name=self._names[slot])
        elif stack[-1][0] == depth:
            stack[-1] = (depth, content)
        else:
            self._push(slot, content)

    def new_start(self, slot: int) -> None:
        """Hide the variable behind an empty cell."""
        self._push(slot, EMPTY)

    def new_end(self, slot: int) -> None:
        """Remove the cell of the innermost `new`. Raises 20008 if it is not there, which no script can cause."""
        stack = self._cells[slot]
        if not stack or stack[-1][0] != self.depth:
            raise SCALARS_CORRUPTED.error(name=self._names[slot], depth=self.depth)
        stack.pop()

    def _push(self, slot: int, content: Any) -> None:
        depth = self.depth
        self._cells[slot].append((depth, content))
        if depth:
            touched = self._touched
            while len(touched) < depth:
                touched.append([])
            touched[depth - 1].append(slot)
