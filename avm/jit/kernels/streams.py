"""Streams and stream maps: values by generation, scopes, compaction. As `avm.exec.streams`."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs
from avm.jit.kernels.archive import STATE
from avm.jit.kernels.heap import S_FLAGS, S_STREAMS, V_STREAM_NAMES, V_TRACE, alloc, decline, push
from avm.jit.kernels.layout import (
    AP,
    EVERYWHERE,
    G_NEXT,
    G_NUMBER,
    G_RECORDS,
    GENERATION,
    GENERATIONS_MAX,
    M_COUNT,
    M_PARTS,
    N_POS,
    PART_CURRENT,
    PART_NEW,
    PART_PREVIOUS,
    SCOPE,
    STREAM,
    STREAM_NODE,
    STREAM_SIZE_MAX,
    WHY_STREAM,
    Y_BELOW,
    Y_LEFT,
    Y_RIGHT,
    Y_STREAM,
)
from avm.jit.kernels.sliders import states_count

EXPORTS: Final[tuple[str, ...]] = ()


def find_stream(w: Longs, name: int, position: int) -> int:
    """The stream a name at `position` means, 0 if it does not exist yet."""
    scope = w[name + S_STREAMS]
    while scope:
        if w[scope + Y_LEFT] < position < w[scope + Y_RIGHT]:
            return w[scope + Y_STREAM]
        scope = w[scope + Y_BELOW]
    return 0


def new_scope(w: Longs, name: int, left: int, right: int, below: int) -> int:
    """A fresh stream for uses inside the span."""
    if w[name + S_FLAGS] & IS_STREAM == 0:
        w[name + S_FLAGS] |= IS_STREAM
        push(w, V_STREAM_NAMES, name)
    scope = alloc(w, SCOPE)
    w[scope + Y_LEFT] = left
    w[scope + Y_RIGHT] = right
    w[scope + Y_STREAM] = alloc(w, STREAM_NODE)
    w[scope + Y_BELOW] = below
    w[name + S_STREAMS] = scope
    return w[scope + Y_STREAM]


IS_STREAM: Final = 1 << 32
IS_NEXT_PEER: Final = 1 << 33


def find_or_make(w: Longs, name: int, position: int) -> int:
    """As find_stream, making the global stream, which replaces all scopes."""
    stream = find_stream(w, name, position)
    if stream == 0:
        stream = new_scope(w, name, -1, EVERYWHERE, 0)
    return stream


def add_value(w: Longs, stream: int, part: int, generation: int, record: int) -> None:
    """Add a value to a generation."""
    head = stream + M_PARTS + 2 * part
    # generations mostly come in order, and there are few
    node = w[head]
    before = 0
    while node and w[node + G_NUMBER] < generation:
        before = node
        node = w[node + G_NEXT]
    if node == 0 or w[node + G_NUMBER] != generation:
        made = alloc(w, GENERATION)
        w[made + G_NUMBER] = generation
        w[made + G_NEXT] = node
        if before:
            w[before + G_NEXT] = made
        else:
            w[head] = made
        node = made
        if generation >= w[head + 1]:
            w[head + 1] = generation + 1
    push(w, node + G_RECORDS, record)
    w[stream + M_COUNT] += 1
    if w[stream + M_COUNT] >= STREAM_SIZE_MAX:
        decline(w, WHY_STREAM)


def add_known(w: Longs, stream: int, record: int, source: int, generation: int) -> None:
    """A value whose state was found in the data."""
    if generation >= GENERATIONS_MAX:
        decline(w, WHY_STREAM)
    add_value(w, stream, PART_CURRENT if source else PART_PREVIOUS, generation, record)


def add_new(w: Longs, stream: int, record: int) -> None:
    """A value of this run."""
    add_value(w, stream, PART_NEW, max(w[stream + M_PARTS + 2 * PART_NEW + 1] - 1, 0), record)


def compact(w: Longs, stream: int) -> None:
    """Number the generations that have values from 0, write the numbers into the values' states."""
    number = 0
    for part in range(3):
        node = w[stream + M_PARTS + 2 * part]
        while node:
            for index in range(w[node + G_RECORDS + 2]):
                position = w[w[w[node + G_RECORDS] + index] + N_POS]
                if position >= states_count(w):
                    decline(w, WHY_STREAM)
                state = w[V_TRACE] + STATE * position
                if w[state] == STREAM:
                    w[state + 2] = number
                elif w[state] == AP:
                    w[state + 1] = number
                else:
                    decline(w, WHY_STREAM)
            number += 1
            node = w[node + G_NEXT]
