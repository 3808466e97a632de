"""Values out of the memory of a module and into it: `runtime/marine/codec.py`, with its checks, charges and their order.

Input:  a type of a program, the memory of a module or a value in the arena. Output: a place in the arena, or an address in the module.
Errors: those of `memory.fault`.
An editor of this file must preserve: what is lifted takes no more of the arena than it is charged; types are finite and of bounded
depth (`program.DEPTH_MAX`), so that recursion over them is.
Source: interface-types:crates/it-lilo, wasmer-it/src/interpreter/instructions/{arrays,records}
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets, inline, load32, move, octets, seek, store32
from avm.jit.kernels.json_text import characters
from runtime.marine.limits import ELEMENT_BYTES, FIELD_BYTES, RECORD_BYTES
from runtime.marine.native.kernels.layout import (
    F_PLACE,
    F_TYPE,
    FAULT_ACCESS,
    FAULT_UTF8,
    FAULT_WRITE,
    FIELD,
    K_ARRAY,
    K_BOOL,
    K_BYTES,
    K_F64,
    K_LIST,
    K_RECORD,
    K_TEXT,
    S_ARENA,
    S_ARENA_SIZE,
    S_TOP,
    T_CHECKED,
    T_CHILD,
    T_COUNT,
    T_FLAT,
    T_IMAGE,
    T_KIND,
    T_TAG,
    T_WIDTH,
    TYPE,
    U32_MAX,
)
from runtime.marine.native.kernels.memory import allocate, charge, fault, lower_block, memory_at, memory_size, take

EXPORTS: Final[tuple[str, ...]] = ()

HIGH: Final = bytes(range(128, 256))


def is_text(data: Octets, start: int, end: int) -> bool:
    """Whether bytes are UTF-8."""
    i = start
    while True:
        i = seek(data, i, end, HIGH)
        if i == end:
            return True
        i = characters(data, i, end)
        if i < 0:
            return False


# ── out of a module ──────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def lift_bytes(s: Longs, memory: Octets, at: int, size: int) -> int:
    """Copy bytes that are there into the arena; their place."""
    charge(s, size)
    out = take(s, size)
    move(octets(s[S_ARENA], s[S_ARENA_SIZE]), out, memory, at, size)
    return out


def lift_text(s: Longs, memory: Octets, at: int, size: int) -> int:
    """The same for text."""
    out = lift_bytes(s, memory, at, size)
    if not is_text(memory, at, at + size):
        fault(s, FAULT_UTF8, at, size, 0)
    return out


def lift_record(s: Longs, p: Longs, memory: Octets, kind: int, at: int) -> int:
    """A record at an address."""
    size = p[kind + T_IMAGE]
    if at + size >= len(memory):
        fault(s, FAULT_ACCESS, at, size, len(memory))
    charge(s, size + RECORD_BYTES + FIELD_BYTES * p[kind + T_COUNT])
    out = take(s, size)
    move(octets(s[S_ARENA], s[S_ARENA_SIZE]), out, memory, at, size)
    if p[kind + T_FLAT] == 0:
        for k in range(p[kind + T_COUNT]):
            field = kind + TYPE + FIELD * k
            one = p[field + F_TYPE]
            if p[one + T_KIND] > K_F64 or p[one + T_KIND] == K_BOOL:
                lift_slot(s, p, memory, one, out + p[field + F_PLACE])
    return out


def lift_slot(s: Longs, p: Longs, memory: Octets, kind: int, place: int) -> None:
    """What a field or element is: at `place` of the arena is what the module says, which becomes a value."""
    arena = octets(s[S_ARENA], s[S_ARENA_SIZE])
    form = p[kind + T_KIND]
    if form == K_BOOL:
        arena[place] = 1 if arena[place] != 0 else 0
        return
    at = load32(arena, place)
    if form == K_RECORD:
        store32(arena, place, lift_record(s, p, memory, kind, at))
        return
    count = load32(arena, place + 4)
    if form == K_TEXT or form == K_BYTES:
        if at + count >= len(memory):
            fault(s, FAULT_ACCESS, at, count, len(memory))
        if form == K_TEXT:
            store32(arena, place, lift_text(s, memory, at, count))
        else:
            store32(arena, place, lift_bytes(s, memory, at, count))
        return
    if count == 0:
        store32(arena, place, 0)
        return
    if form == K_LIST:
        if at + count >= len(memory):
            fault(s, FAULT_ACCESS, at, count, len(memory))
        store32(arena, place, lift_bytes(s, memory, at, count))
        return
    child = p[kind + T_CHILD]
    width = p[child + T_WIDTH]
    checked = count * p[kind + T_CHECKED]
    if count * width > U32_MAX or at + checked >= len(memory) or at + count * width > len(memory):
        fault(s, FAULT_ACCESS, at, checked, len(memory))
    charge(s, count * (width + ELEMENT_BYTES))
    out = take(s, count * width)
    store32(arena, place, out)
    move(arena, out, memory, at, count * width)
    if p[child + T_KIND] > K_F64 or p[child + T_KIND] == K_BOOL:
        for k in range(count):
            lift_slot(s, p, memory, child, out + k * width)


# ── into a module ────────────────────────────────────────────────────────────────────────────────────────────────────


def lower_record(s: Longs, p: Longs, home: Longs, source: Octets, kind: int, at: int) -> int:
    """A record, with what belongs to it before it. `source`: where the value is, the arena or another such memory."""
    size = p[kind + T_IMAGE]
    if p[kind + T_FLAT]:
        return lower_block(s, home, source, at, size)
    arena = octets(s[S_ARENA], s[S_ARENA_SIZE])
    mark = s[S_TOP]
    image = take(s, size)
    move(arena, image, source, at, size)
    for k in range(p[kind + T_COUNT]):
        field = kind + TYPE + FIELD * k
        one = p[field + F_TYPE]
        if p[one + T_KIND] > K_F64:
            place = p[field + F_PLACE]
            store32(arena, image + place, lower_slot(s, p, home, source, one, at + place))
    pointer = lower_block(s, home, arena, image, size)
    s[S_TOP] = mark
    return pointer


def lower_slot(s: Longs, p: Longs, home: Longs, source: Octets, kind: int, place: int) -> int:
    """The address that a field or element gets in the module; a count stays what it is."""
    form = p[kind + T_KIND]
    at = load32(source, place)
    if form == K_RECORD:
        return lower_record(s, p, home, source, kind, at)
    count = load32(source, place + 4)
    if form == K_ARRAY:
        return lower_array(s, p, home, source, p[kind + T_CHILD], at, count)
    if form != K_TEXT and count == 0 and at == 0:
        return 0
    return lower_block(s, home, source, at, count)


def lower_array(s: Longs, p: Longs, home: Longs, source: Octets, child: int, at: int, count: int) -> int:
    """The elements of an array, after the block for them is there; its address. An empty one has none."""
    if count == 0:
        return 0
    width = p[child + T_WIDTH]
    size = count * width
    pointer = allocate(s, home, size, p[child + T_TAG])
    memory = octets(memory_at(s, home), memory_size(s, home))
    if pointer + size > len(memory):
        fault(s, FAULT_WRITE, pointer, size, len(memory))
    form = p[child + T_KIND]
    if form <= K_F64:
        move(memory, pointer, source, at, size)
        return pointer
    for k in range(count):
        place = at + k * width
        below = lower_slot(s, p, home, source, child, place)
        memory = octets(memory_at(s, home), memory_size(s, home))
        store32(memory, pointer + k * width, below)
        if form != K_RECORD:
            store32(memory, pointer + k * width + 4, load32(source, place + 4))
    return pointer
