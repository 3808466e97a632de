"""The arena, calls into modules, and how a kernel fails.

Errors: what goes wrong is noted with its numbers (`fault`), and ends all kernels up to the next `attempt`: Python words the message.
An editor of this file must preserve: everything that a module says is checked where it is used; memory of a module is looked at anew
after every call into it.
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets, address_of, inline, invoke, longs, move, numbers, octets, rare
from runtime.marine.limits import TABLES_MAX
from runtime.marine.native.kernels.layout import (
    FAULT_ALLOCATE,
    FAULT_ARENA,
    FAULT_BUDGET,
    FAULT_NO_MEMORY,
    FAULT_WRITE,
    H_CONTEXT,
    H_CORES,
    H_MEMORY,
    H_STORE,
    H_TABLE_ELEMENTS,
    S_A,
    S_ARENA,
    S_B,
    S_BUDGET,
    S_C,
    S_CALL,
    S_CODE,
    S_DATA,
    S_END,
    S_HOME_COUNT,
    S_HOMES,
    S_LIMIT,
    S_LIMITER,
    S_PC,
    S_PEAK,
    S_SIZE,
    S_TABLE_BYTES,
    S_TOP,
    U32_MAX,
)

EXPORTS: Final[tuple[str, ...]] = ()

VALUE_BYTES: Final = 16
"""Of a value on the stack of an adapter, and of one that a core function takes or returns."""


@rare
def fault(s: Longs, code: int, a: int, b: int, c: int) -> int:
    """Note what went wrong, and end all kernels up to the next `attempt`."""
    s[S_CODE] = code
    s[S_A] = a
    s[S_B] = b
    s[S_C] = c
    return s[len(s)]


# ── the arena ────────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def take(s: Longs, size: int) -> int:
    """Place of so many bytes; nothing is known of what is in them."""
    at = s[S_TOP]
    if size < 0 or at + size > s[S_END]:
        fault(s, FAULT_ARENA, 0, 0, 0)
    s[S_TOP] = at + size
    if at + size > s[S_PEAK]:
        s[S_PEAK] = at + size
    return at


@inline
def take_values(s: Longs, count: int) -> int:
    """Place of so many values, where numbers of 16 bytes may lie."""
    s[S_TOP] = (s[S_TOP] + VALUE_BYTES - 1) & ~(VALUE_BYTES - 1)
    return take(s, VALUE_BYTES * count)


@inline
def charge(s: Longs, amount: int) -> None:
    """Take from the budget of the call."""
    s[S_BUDGET] -= amount
    if s[S_BUDGET] < 0:
        fault(s, FAULT_BUDGET, 0, 0, 0)


# ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def memory_at(s: Longs, home: Longs) -> int:
    """Where the memory of a module is now; it must have one."""
    if home[H_MEMORY] == 0:
        fault(s, FAULT_NO_MEMORY, 0, 0, 0)
    return invoke(s[S_DATA], home[H_CONTEXT], home[H_MEMORY])


@inline
def memory_size(s: Longs, home: Longs) -> int:
    """Its bytes, after `memory_at`."""
    return invoke(s[S_SIZE], home[H_CONTEXT], home[H_MEMORY])


def call(s: Longs, home: Longs, function: int, values: int, count: int, code: int) -> None:
    """Call a core function. values: address of arguments, then results. code: the failure if it traps."""
    pc = s[S_PC]
    if s[S_LIMIT] >= 0:
        apply_limits(s, home)
    trap = longs(1)
    error = invoke(s[S_CALL], home[H_CONTEXT], function, values, count, address_of(trap))
    if error != 0 or trap[0] != 0:
        s[S_PC] = pc
        fault(s, code, error, trap[0], 0)


@rare
def apply_limits(s: Longs, home: Longs) -> None:
    """Before control enters a module: what the others use is not free for it."""
    free = s[S_LIMIT] - s[S_TABLE_BYTES]
    homes = numbers(s[S_HOMES], s[S_HOME_COUNT])
    for k in range(s[S_HOME_COUNT]):
        one = numbers(homes[k], H_CORES)
        if one[H_MEMORY] != 0 and one[H_STORE] != home[H_STORE]:
            free -= invoke(s[S_SIZE], one[H_CONTEXT], one[H_MEMORY])
    invoke(s[S_LIMITER], home[H_STORE], max(free, 0), home[H_TABLE_ELEMENTS], -1, TABLES_MAX, -1)


def allocate(s: Longs, home: Longs, size: int, tag: int) -> int:
    """Reserve memory in a module; its address as a number without sign, which nobody has looked at."""
    mark = s[S_TOP]
    place = take_values(s, 2)
    values = numbers(s[S_ARENA] + place, 4)
    values[0] = size
    values[2] = tag
    call(s, home, home[H_CORES], address_of(values), 2, FAULT_ALLOCATE)
    s[S_TOP] = mark
    return values[0] & U32_MAX


def lower_block(s: Longs, home: Longs, source: Octets, at: int, size: int) -> int:
    """Copy bytes into a block of their own in a module; its address. An empty block is allocated too."""
    pointer = allocate(s, home, size, 1)
    memory = octets(memory_at(s, home), memory_size(s, home))
    if pointer + size > len(memory):
        fault(s, FAULT_WRITE, pointer, size, len(memory))
    move(memory, pointer, source, at, size)
    return pointer
