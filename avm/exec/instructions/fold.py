"""`(fold iterable iterator body last?)`: over values that exist, and over streams and stream maps that still grow.

Source: aquavm:air/src/execution_step/instructions/{fold_scalar,fold_stream,fold_stream_map,fold/utils}.rs,
value_types/stream/recursive_stream.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avm.errors import FOLD_OVER_NON_ARRAY, ITERATOR_ACTIVE, UNDEFINED_VARIABLE_CODE, TraceError, VmError
from avm.exec import frames
from avm.exec.iterators import Cursor, Elements, Records
from avm.exec.lens import lens_tetraplet, select, select_from_map
from avm.exec.values import record
from avm.ir.opcodes import Val
from avm.trace.fold import FoldAutomaton

if TYPE_CHECKING:
    from typing import Any

    from avm.data.interpreter_data import Provenance, Tetraplet
    from avm.exec.machine import Machine
    from avm.exec.streams import Sizes, Stream
    from avm.exec.values import CanonMap, CanonStream, Json, Record
    from avm.ir.program import CompiledValue


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def fold(m: Machine, pc: int) -> int:
    """Fold over a scalar, canon stream, canon map or `[]`. Nothing at all happens for an empty one."""
    # OPERANDS
    iterable, iterator, last, end = m.operands[pc]
    try:
        items = _items(m, iterable)
    except VmError as error:
        if error.code != UNDEFINED_VARIABLE_CODE:
            raise
        m.complete = False
        return int(end)
    if items is None or len(items) == 0:
        return int(end)
    # OPERATION
    steps = m.program.fold_steps[pc]
    m.charge_steps(steps)
    _start_loop(m, iterator, Cursor(items, pc + 1, last, None, steps))
    m.frames.append((frames.FOLD, iterator, end))
    # NEXT
    return pc + 1


def _items(m: Machine, iterable: CompiledValue) -> Records | Elements | None:
    """What there is to iterate over; None for nothing."""
    kind = iterable[0]
    if kind == Val.CONST:
        return None
    slot = iterable[1]
    if kind == Val.CANON:
        canon: CanonStream = m.scopes.get(slot)
        return Records(canon.values)
    if kind == Val.MAP:
        canon_map: CanonMap = m.scopes.get(slot)
        return Records(canon_map.pairs if m.ctx.options.version == "0.62" else canon_map.latest_pairs())
    if kind == Val.MAP_LENS:
        canon_map = m.scopes.get(slot)
        if not canon_map.pairs:
            return None
        lens = iterable[2]
        found = select_from_map(m, canon_map, lens)[0]
        return _found(found.value, lens_tetraplet(canon_map.tetraplet, lens), canon_map.provenance, lens[1])
    source = m.scalar(slot)
    if kind == Val.SCALAR_LENS:
        lens = iterable[2]
        value = select(m, source.json, lens)
        return _found(value, lens_tetraplet(source.tetraplet, lens), source.provenance, lens[1])
    if slot in m.iterators:
        source = record(source.json, source.tetraplet, source.pos, source.provenance)
    values = _array(source.json, m.program.names[slot])
    return Elements(values, source.tetraplet, source.pos, source.provenance)


def _found(value: Any, tetraplet: Tetraplet, provenance: Provenance, lens: str) -> Elements:
    from avm.exec.values import Json

    return Elements(_array(Json(value), lens), tetraplet, 0, provenance)


def _array(json: Json, expression: str) -> list[Any]:
    value = json.value
    if type(value) is not list:
        raise FOLD_OVER_NON_ARRAY.error(value=json.text, expression=expression)
    return value


def _start_loop(m: Machine, iterator: int, cursor: Cursor) -> None:
    m.scopes.fold_start()
    if iterator in m.iterators:
        raise ITERATOR_ACTIVE.error(name=m.program.names[iterator])
    m.iterators[iterator] = cursor


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class StreamFold:
    """One running fold over a stream: rounds of generations, until a round brings nothing new."""

    __slots__ = ("any_complete", "automaton", "cursor", "pc", "seen", "slices", "stream")

    def __init__(self, pc: int, automaton: FoldAutomaton, stream: Stream) -> None:
        """`pc`: position of the fold."""
        self.pc = pc
        self.automaton = automaton
        self.stream = stream
        self.cursor: Sizes = (0, 0, 0)
        self.seen: dict[tuple[int, int], int] = {}
        self.slices: list[list[Record]] = []  # of this round, last one first
        self.any_complete = False

    def next_round(self, *, fixed: bool) -> None:
        """Collect the generations that are new since the last round. `fixed`: without defect D1."""
        slices = self.stream.fresh_slices(self.seen) if fixed else self.stream.slices(self.cursor)
        self.slices = slices[::-1]


def fold_stream(m: Machine, pc: int) -> int:
    """Fold over a stream or stream map. One that does not exist yet is waited for."""
    # OPERANDS
    slot, position, _, _, end = m.operands[pc]
    stream = m.streams.find(slot, position)
    if stream is None:
        m.complete = False
        return int(end)
    # TRACE
    loop = StreamFold(pc, FoldAutomaton(m.trace), stream)
    # OPERATION
    loop.next_round(fixed=m.ctx.options.fix_d1)
    loop.cursor = stream.sizes()
    if loop.slices:
        # what the body adds belongs to a generation of its own and is iterated in the next round
        stream.open_generation()
    # NEXT
    return _next_generation(m, loop)


def _next_generation(m: Machine, loop: StreamFold) -> int:
    """Start the loop over the next generation, or end the fold."""
    _, _, iterator, last, end = m.operands[loop.pc]
    if not loop.slices:
        m.complete = loop.any_complete
        loop.automaton.end()
        return int(end)
    items = loop.slices.pop()
    try:
        loop.automaton.iteration_start(items[0].pos)
    except TraceError as error:
        raise m.trace_error(loop.pc, error) from None
    steps = m.program.fold_steps[loop.pc]
    m.charge_steps(steps)
    _start_loop(m, iterator, Cursor(Records(items), loop.pc + 1, last, loop.automaton, steps))
    m.frames.append((frames.GENERATION, loop))
    return loop.pc + 1


def end_generation(m: Machine, loop: StreamFold) -> int:
    """All iterations over one generation ended, or a catchable error ended them."""
    slot, position, iterator, _, _ = m.operands[loop.pc]
    del m.iterators[iterator]
    m.scopes.fold_end()
    loop.automaton.generation_end()
    loop.any_complete = loop.any_complete or m.complete
    if not loop.slices:
        # the name may mean another stream by now, see StreamScopes
        loop.stream = m.streams.find(slot, position) or loop.stream
        loop.next_round(fixed=m.ctx.options.fix_d1)
        loop.stream.drop_empty_generation()
        loop.cursor = loop.stream.sizes()
        loop.stream.open_generation()
    return _next_generation(m, loop)
