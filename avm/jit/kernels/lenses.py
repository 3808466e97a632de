"""Accessors of lenses: what they find in a value, which record they mean, how they are printed. As `avm.exec.lens`."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets
from avm.jit.kernels.heap import J_LEN, J_POS, R_TOP, S_LEN, S_POS, intern_top, json, put, put_number, put_text, room
from avm.jit.kernels.json_text import element, field, read_string, skip
from avm.jit.kernels.layout import (
    A_FIELD,
    A_INDEX,
    A_SCALAR,
    LENS,
    N_VALUE,
    NINE,
    O_COUNT,
    O_FIRST,
    QUOTE,
    SIZE_MAX,
    ZERO,
)
from avm.jit.kernels.variables import scalar

EXPORTS: Final[tuple[str, ...]] = ()


def follow(a: Octets, w: Longs, value: int, operand: int, first: int) -> int:
    """What the accessors from number `first` on find in a value: its node, or an error."""
    start = w[value + J_POS]
    end = start + w[value + J_LEN]
    for index in range(first, w[operand + O_COUNT]):
        accessor = w[operand + O_FIRST] + 2 * index
        kind = w[accessor]
        what = w[accessor + 1]
        if kind == A_SCALAR:
            record = scalar(a, w, what)
            if record < 0:
                return record
            by = w[record + N_VALUE]
            by_start = w[by + J_POS]
            by_end = by_start + w[by + J_LEN]
            if a[by_start] == QUOTE:
                at = room(a, w, by_end - by_start)
                w[R_TOP] = read_string(a, by_start, by_end, at)
                what = intern_top(a, w, at)
                kind = A_FIELD
            else:
                what = index_of(a, by_start, by_end)
                if what < 0:
                    return what
                kind = A_INDEX
        if kind == A_FIELD:
            at = field(a, start, end, w[what + S_POS], w[what + S_POS] + w[what + S_LEN])
        else:
            at = element(a, start, end, what)
        if at < 0:
            return LENS
        end = skip(a, at, end)
        start = at
    return json(w, start, end)


def index_of(a: Octets, start: int, end: int) -> int:
    """The index a canonical text is, or an error."""
    if end - start > 10:
        return LENS
    value = 0
    for i in range(start, end):
        if a[i] < ZERO or a[i] > NINE:
            return LENS
        value = 10 * value + a[i] - ZERO
    return value if value <= SIZE_MAX else LENS


def put_accessor(a: Octets, w: Longs, accessor: int) -> None:
    """Append the text of an accessor."""
    if w[accessor] == A_FIELD:
        put_text(a, w, w[accessor + 1])
        return
    put(a, w, b"[")
    if w[accessor] == A_INDEX:
        put_number(a, w, w[accessor + 1])
    else:
        put_text(a, w, w[accessor + 1])
    put(a, w, b"]")


def record_at(a: Octets, w: Longs, accessor: int, records: int, number: int) -> int:
    """The record that an accessor means, or an error."""
    index = w[accessor + 1]
    if w[accessor] == A_FIELD:
        return LENS
    if w[accessor] == A_SCALAR:
        record = scalar(a, w, index)
        if record < 0:
            return record
        by = w[record + N_VALUE]
        index = index_of(a, w[by + J_POS], w[by + J_POS] + w[by + J_LEN])
        if index < 0:
            return LENS
    return w[records + index] if index < number else LENS
