"""A value in the arena as JSON text behind it.

Input:  a type of a program, a place. Output: the end of the text. UNUSUAL for doubles whose shortest form takes care; Python writes those.
Errors: IndexError where the arena ends.
Source: runtime/marine/json_values.py, the encoder of Python's `json`
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets, load32, load64, move, octets, ratio, scaled, widen
from avm.jit.kernels.json_text import CLOSE, CLOSE_SQUARE, COMMA, MINUS, OPEN, OPEN_SQUARE, POINT, ZERO, write_string
from runtime.marine.native.kernels.layout import (
    F_NAME,
    F_NAME_END,
    F_PLACE,
    F_TYPE,
    FIELD,
    K_ARRAY,
    K_BOOL,
    K_F32,
    K_F64,
    K_INTEGER,
    K_RECORD,
    K_TEXT,
    K_UNSIGNED64,
    P_NAMES,
    P_NAMES_SIZE,
    T_CHILD,
    T_COUNT,
    T_KIND,
    T_WIDTH,
    TYPE,
)
from runtime.marine.native.kernels.slots import integer_at

EXPORTS: Final[tuple[str, ...]] = ()

UNUSUAL: Final = -1
SIGN_BIT: Final = -(2**63)
MAGNITUDE: Final = 2**63 - 1
INFINITE: Final = 0x7FF << 52
LARGE: Final = 10**15
POWERS: Final = tuple(10**k for k in range(19))
LARGE_BITS: Final = 0x430C6BF526340000
"""Of 1e15: above it, numbers have more digits than a double is sure of."""
SMALL_BITS: Final = 0x3F1A36E2EB1C432D
"""Of 1e-4: below it, numbers are written with an exponent."""


def write(p: Longs, arena: Octets, kind: int, place: int, at: int) -> int:
    """Write the value at `place` to `at`."""
    form = p[kind + T_KIND]
    if form == K_INTEGER:
        return write_integer(arena, integer_at(p, arena, kind, place), at)
    if form == K_TEXT:
        start = load32(arena, place)
        return write_string(arena, start, start + load32(arena, place + 4), at)
    if form == K_RECORD:
        return write_record(p, arena, kind, load32(arena, place), at)
    if form == K_ARRAY:
        return write_array(p, arena, p[kind + T_CHILD], load32(arena, place), load32(arena, place + 4), at)
    if form == K_BOOL:
        return write_bool(arena, arena[place] != 0, at)
    if form == K_F32:
        return write_double(arena, widen(load32(arena, place)), at)
    if form == K_F64:
        return write_double(arena, load64(arena, place), at)
    if form == K_UNSIGNED64:
        return write_unsigned(arena, load64(arena, place), at)
    return write_bytes(arena, load32(arena, place), load32(arena, place + 4), at)


def write_integer(arena: Octets, number: int, at: int) -> int:
    """An integer in decimal; never the least of 64 bits with its sign turned."""
    if number < 0:
        arena[at] = MINUS
        at += 1
        if number == SIGN_BIT:
            return write_unsigned(arena, number, at)
        number = -number
    size = 1
    rest = number // 10
    while rest:
        rest = rest // 10
        size += 1
    for i in range(size):
        arena[at + size - 1 - i] = ZERO + number % 10
        number = number // 10
    return at + size


def write_unsigned(arena: Octets, number: int, at: int) -> int:
    """A number of 64 bits without sign, which is there as one with a sign."""
    if number >= 0:
        return write_integer(arena, number, at)
    half = (number >> 1) & MAGNITUDE
    at = write_integer(arena, half // 5, at)
    arena[at] = ZERO + 2 * (half % 5) + (number & 1)
    return at + 1


def write_bool(arena: Octets, value: bool, at: int) -> int:
    """`true` or `false`."""
    if value:
        move(arena, at, b"true", 0, 4)
        return at + 4
    move(arena, at, b"false", 0, 5)
    return at + 5


def write_double(arena: Octets, bits: int, at: int) -> int:
    """The shortest decimal number that is this double, where it has at most 15 digits: then no other has so few."""
    size = bits & MAGNITUDE
    if size >= INFINITE:
        move(arena, at, b"null", 0, 4)
        return at + 4
    if size != 0 and (size < SMALL_BITS or size >= LARGE_BITS):
        return UNUSUAL
    places = 0
    digits = scaled(size, 1)
    while ratio(digits, POWERS[places]) != size:
        places += 1
        if places == len(POWERS):
            return UNUSUAL
        digits = scaled(size, POWERS[places])
        if digits >= LARGE:
            return UNUSUAL
    if bits < 0:
        arena[at] = MINUS
        at += 1
    # at least one digit before the point, and one behind it
    if places == 0:
        at = write_integer(arena, digits, at)
        arena[at] = POINT
        arena[at + 1] = ZERO
        return at + 2
    width = places + 1
    while width < len(POWERS) and digits >= POWERS[width]:
        width += 1
    for k in range(width + 1):
        if k == places:
            arena[at + width - k] = POINT
        else:
            arena[at + width - k] = ZERO + digits % 10
            digits = digits // 10
    return at + width + 1


def write_bytes(arena: Octets, start: int, count: int, at: int) -> int:
    """Bytes as an array of numbers."""
    data = arena[start : start + count]
    out = arena[at : len(arena)]
    out[0] = OPEN_SQUARE
    i = 1
    for k in range(count):
        c = data[k]
        if c >= 100:
            out[i] = ZERO + c // 100
            out[i + 1] = ZERO + c // 10 % 10
            out[i + 2] = ZERO + c % 10
            out[i + 3] = COMMA
            i += 4
        elif c >= 10:
            out[i] = ZERO + c // 10
            out[i + 1] = ZERO + c % 10
            out[i + 2] = COMMA
            i += 3
        else:
            out[i] = ZERO + c
            out[i + 1] = COMMA
            i += 2
    if count > 0:
        i -= 1
    out[i] = CLOSE_SQUARE
    return at + i + 1


def write_array(p: Longs, arena: Octets, child: int, start: int, count: int, at: int) -> int:
    """An array."""
    arena[at] = OPEN_SQUARE
    at += 1
    width = p[child + T_WIDTH]
    for k in range(count):
        if k > 0:
            arena[at] = COMMA
            at += 1
        at = write(p, arena, child, start + k * width, at)
        if at < 0:
            return UNUSUAL
    arena[at] = CLOSE_SQUARE
    return at + 1


def write_record(p: Longs, arena: Octets, kind: int, start: int, at: int) -> int:
    """An object, with its fields in the order of their declaration."""
    names = octets(p[P_NAMES], p[P_NAMES_SIZE])
    arena[at] = OPEN
    at += 1
    for k in range(p[kind + T_COUNT]):
        field = kind + TYPE + FIELD * k
        if k > 0:
            arena[at] = COMMA
            at += 1
        size = p[field + F_NAME_END] - p[field + F_NAME]
        move(arena, at, names, p[field + F_NAME], size)
        at = write(p, arena, p[field + F_TYPE], start + p[field + F_PLACE], at + size)
        if at < 0:
            return UNUSUAL
    arena[at] = CLOSE
    return at + 1
