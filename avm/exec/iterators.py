"""What a fold runs over, and the cursor its iterator name stands for.

Source: aquavm:air/src/execution_step/value_types/iterable/, instructions/fold/fold_state.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.data.interpreter_data import Tetraplet

from .values import Json, Record

if TYPE_CHECKING:
    from avm.data.interpreter_data import Provenance
    from avm.trace.fold import FoldAutomaton


_new: Final = tuple.__new__  # a named tuple's own constructor takes three times as long


class Records:
    """Items that are records already: elements of a stream, canon stream or canon map."""

    __slots__ = ("_records",)

    def __init__(self, records: list[Record]) -> None:
        """The list is not copied."""
        self._records = records

    def __len__(self) -> int:
        """Number of items."""
        return len(self._records)

    def at(self, index: int) -> Record:
        """Item number `index`."""
        return self._records[index]


class Elements:
    """Elements of a JSON array; their origin is that of the array with the index appended."""

    __slots__ = ("_at", "_item", "_pos", "_provenance", "_tetraplet", "_values")

    def __init__(self, values: list[Any], tetraplet: Tetraplet, pos: int, provenance: Provenance) -> None:
        """`tetraplet`: that of the array."""
        self._values = values
        self._tetraplet = tetraplet
        self._pos = pos
        self._provenance = provenance
        self._at = -1
        self._item: Record | None = None

    def __len__(self) -> int:
        """Number of items."""
        return len(self._values)

    def at(self, index: int) -> Record:
        """Item number `index`; the last one made is kept, as a body asks for it repeatedly."""
        if self._item is None or self._at != index:
            peer, service, function, lens = self._tetraplet
            tetraplet = _new(Tetraplet, (peer, service, function, f"{lens}.$.[{index}]"))
            self._item = Record(Json(self._values[index]), tetraplet, self._pos, self._provenance)
            self._at = index
        return self._item


class Cursor:
    """One running loop: items, the current one, and where its body and last instruction start in the program.

    automaton: of the trace, for folds over streams. steps: what an iteration is charged. back_started: a stream fold without last instruction has reached its
    end for the first time.
    """

    __slots__ = ("automaton", "back_started", "body", "index", "items", "last", "size", "steps")

    def __init__(
        self, items: Records | Elements, body: int, last: int, automaton: FoldAutomaton | None, steps: int
    ) -> None:
        """At the first item."""
        self.items = items
        self.size = len(items)
        self.index = 0
        self.body = body
        self.last = last
        self.automaton = automaton
        self.steps = steps
        self.back_started = False

    def current(self) -> Record:
        """The item the iterator name stands for."""
        return self.items.at(self.index)
