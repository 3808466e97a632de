"""Values between the stack of an adapter, two words each, and the form they have in the arena."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets, load32, load64, numbers, store32, store64
from runtime.marine.native.kernels.layout import (
    K_BOOL,
    K_F32,
    K_INTEGER,
    K_RECORD,
    K_TEXT,
    S_ARENA,
    T_KIND,
    T_LOW,
    T_WIDTH,
)

EXPORTS: Final[tuple[str, ...]] = ()


def load_value(s: Longs, p: Longs, arena: Octets, kind: int, place: int, at: int) -> None:
    """What lies at `place` as a value for the stack, at `at`."""
    value = numbers(s[S_ARENA] + at, 2)
    value[1] = 0
    form = p[kind + T_KIND]
    if form >= K_TEXT:
        value[0] = load32(arena, place)
        if form != K_RECORD:
            value[1] = load32(arena, place + 4)
    elif form == K_BOOL:
        value[0] = arena[place]
    elif form == K_F32:
        value[0] = load32(arena, place)
    elif form == K_INTEGER:
        value[0] = integer_at(p, arena, kind, place)
    else:
        value[0] = load64(arena, place)


def integer_at(p: Longs, arena: Octets, kind: int, place: int) -> int:
    """An integer of any width, with its sign."""
    width = p[kind + T_WIDTH]
    if width == 8:
        return load64(arena, place)
    number = arena[place]
    if width == 2:
        number |= arena[place + 1] << 8
    elif width == 4:
        number = load32(arena, place)
    if p[kind + T_LOW] < 0:
        sign = 1 << (8 * width - 1)
        number = (number ^ sign) - sign
    return number


def store_value(s: Longs, p: Longs, arena: Octets, kind: int, at: int, place: int) -> None:
    """The other way."""
    value = numbers(s[S_ARENA] + at, 2)
    form = p[kind + T_KIND]
    if form >= K_TEXT:
        store32(arena, place, value[0])
        if form != K_RECORD:
            store32(arena, place + 4, value[1])
        return
    width = p[kind + T_WIDTH]
    if width == 8:
        store64(arena, place, value[0])
    elif width == 4:
        store32(arena, place, value[0])
    else:
        arena[place] = value[0] & 255
        if width == 2:
            arena[place + 1] = value[0] >> 8 & 255
