"""Streams and stream maps: values by generation, in three parts, and the scopes that hold them.

Values from the previous data keep their recorded generation, so do those from the current data; values of this run go to
the last generation of a third part. Order of all values: previous, current, new; by generation inside each part.
Generations are sparse dictionaries: the numbers come from other peers and are not signed, so they may be anything.
Errors: VmError 20013 (size), 20011 (impossible generation), 20001 (compaction), 20008 (scopes lost).
Source: aquavm:air/src/execution_step/value_types/stream/, execution_context/streams_variables.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.errors import GENERATION_IMPOSSIBLE, STREAM_REPLACED, STREAM_SIZE
from avm.trace.handler import FROM_PREVIOUS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from avm.trace.handler import TraceHandler

    from .values import Record

STREAM_SIZE_MAX: Final = 1024
"""A stream holds fewer values than this; it stops endless recursive folds."""

GENERATIONS_MAX: Final = (2**31 - 1) // 12
"""Generations a part may count, empty ones included: as many as the reference can address, it panics beyond."""

Sizes = tuple[int, int, int]
"""Number of generations, empty ones included, of the previous, current and new part."""


class _Part:
    """Generations of one source; `size` counts empty ones too."""

    __slots__ = ("generations", "size")

    def __init__(self) -> None:
        self.generations: dict[int, list[Record]] = {}
        self.size = 0

    def add(self, generation: int, record: Record) -> None:
        values = self.generations.get(generation)
        if values is None:
            self.generations[generation] = [record]
            if generation >= self.size:
                self.size = generation + 1
        else:
            values.append(record)

    def ordered(self) -> list[tuple[int, list[Record]]]:
        """Generations that have values, in order."""
        return sorted(self.generations.items())


class Stream:
    """One stream or stream map (whose values are pairs)."""

    __slots__ = ("_current", "_new", "_previous", "count")

    def __init__(self) -> None:
        """Empty."""
        self._previous = _Part()
        self._current = _Part()
        self._new = _Part()
        self.count = 0

    def add_known(self, record: Record, source: int, generation: int) -> None:
        """A value whose state was found in the data. Raises VmError 20013, 20011."""
        if generation >= GENERATIONS_MAX:
            raise GENERATION_IMPOSSIBLE.error(generation=generation)
        (self._previous if source == FROM_PREVIOUS else self._current).add(generation, record)
        self._count()

    def add_new(self, record: Record) -> None:
        """A value of this run. Raises VmError 20013."""
        self._new.add(max(self._new.size - 1, 0), record)
        self._count()

    def _count(self) -> None:
        self.count += 1
        if self.count >= STREAM_SIZE_MAX:
            raise STREAM_SIZE.error(limit=STREAM_SIZE_MAX)

    def __iter__(self) -> Iterator[Record]:
        """All values in order."""
        for part in (self._previous, self._current, self._new):
            for _, values in part.ordered():
                yield from values

    # ── recursive folds ──────────────────────────────────────────────────────────────────────────────────────────────

    def sizes(self) -> Sizes:
        """Where a fold that has seen everything stands."""
        return self._previous.size, self._current.size, self._new.size

    def slices(self, cursor: Sizes) -> list[list[Record]]:
        """Generations after the cursor, copied.

        The cursor counts empty generations, yet is used to skip filled ones: a generation that arrives late may be
        skipped (D1). That is how every deployed peer computes it.
        """
        return [
            list(values)
            for part, skip in zip((self._previous, self._current, self._new), cursor, strict=True)
            for _, values in part.ordered()[skip:]
        ]

    def fresh_slices(self, seen: dict[tuple[int, int], int]) -> list[list[Record]]:
        """Values not yet in `seen` (values visited, by part and generation), which is brought up to date."""
        result = []
        for number, part in enumerate((self._previous, self._current, self._new)):
            for generation, values in part.ordered():
                visited = seen.get((number, generation), 0)
                if visited < len(values):
                    seen[number, generation] = len(values)
                    result.append(values[visited:])
        return result

    def open_generation(self) -> None:
        """Values added from now on belong to a generation of their own."""
        self._new.size += 1

    def drop_empty_generation(self) -> None:
        """Undo open_generation if nothing was added."""
        new = self._new
        if new.size and new.size - 1 not in new.generations:
            new.size -= 1

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def compact(self, trace: TraceHandler) -> None:
        """Number the generations that have values from 0 and write the numbers into the values' states."""
        number = 0
        for part in (self._previous, self._current, self._new):
            for _, values in part.ordered():
                for record in values:
                    trace.set_generation(record.pos, number)
                number += 1


class _Scope:
    """A stream and the span of script text in which its name means it."""

    __slots__ = ("left", "right", "stream")

    def __init__(self, left: int, right: float) -> None:
        self.left = left
        self.right = right
        self.stream = Stream()


class StreamScopes:
    """All streams and stream maps of a run: for each slot the scopes that are active, innermost last.

    A name means the innermost scope whose span strictly contains the position of its use. The first write without such a
    scope makes the global stream, and replaces all scopes of the name (as the reference does; it shows only when a fold
    recurses out of a `new`).
    """

    __slots__ = ("_names", "_scopes")

    def __init__(self, names: Sequence[str]) -> None:
        """`names` by slot, for error texts; no slot has a stream."""
        self._names = names
        self._scopes: list[list[_Scope]] = [[] for _ in names]

    def grow(self) -> None:
        """There may be more names now."""
        while len(self._scopes) < len(self._names):
            self._scopes.append([])

    def find(self, slot: int, position: int) -> Stream | None:
        """The stream a name at `position` means, if it exists already."""
        for scope in reversed(self._scopes[slot]):
            if scope.left < position < scope.right:
                return scope.stream
        return None

    def find_or_make(self, slot: int, position: int) -> Stream:
        """As find, making the global stream."""
        stream = self.find(slot, position)
        if stream is None:
            scope = _Scope(-1, float("inf"))
            self._scopes[slot] = [scope]
            stream = scope.stream
        return stream

    def new_start(self, slot: int, left: int, right: int) -> None:
        """A fresh stream for uses inside the span."""
        self._scopes[slot].append(_Scope(left, right))

    def new_end(self, slot: int, trace: TraceHandler) -> None:
        """Drop and compact the last stream. Raises VmError 20001, and 20008 if a write outside has replaced all scopes."""
        scopes = self._scopes[slot]
        if not scopes:
            raise STREAM_REPLACED.error(name=self._names[slot])
        scopes.pop().stream.compact(trace)

    def compact(self, trace: TraceHandler) -> None:
        """Compact all streams at the end of the run. Raises VmError 20001."""
        for scopes in self._scopes:
            for scope in scopes:
                scope.stream.compact(trace)
