"""Map from positions of the result trace to positions of a source trace, one-to-one in both directions.

Fold lores name the value they belong to by its position in their own trace; a stream's values know their position in the
result. Source: aquavm:crates/air-lib/trace-handler/src/data_keeper/keeper.rs (BiHashMap)
"""

from __future__ import annotations


class PositionMap:
    """Inserting a pair removes older pairs with the same key and with the same value."""

    __slots__ = ("_backward", "_forward")

    def __init__(self) -> None:
        """Empty."""
        self._forward: dict[int, int] = {}
        self._backward: dict[int, int] = {}

    def insert(self, new: int, old: int) -> None:
        """Relate position `new` of the result to position `old` of the source."""
        previous_new = self._backward.get(old)
        if previous_new is not None and previous_new != new:
            del self._forward[previous_new]
        previous_old = self._forward.get(new)
        if previous_old is not None and previous_old != old:
            del self._backward[previous_old]
        self._forward[new] = old
        self._backward[old] = new

    def get(self, new: int) -> int | None:
        """Position in the source of what stands at `new` in the result."""
        return self._forward.get(new)

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._forward)
