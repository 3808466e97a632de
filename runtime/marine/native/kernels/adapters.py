"""Adapters: a walk over the instructions of a program, and the calls that cross between modules.

An adapter has a stack of values in the arena, two words each: a number; place and bytes of a text or byte array; place and count of an
array; place of a record. Core values are signed numbers, or the bits of a float.
Errors: those of `memory.fault`. Every adapter that fails leaves a frame in the arena, so that Python can word the whole chain.
An editor of this file must preserve: `s[S_PC]` is the instruction that failed when a fault is noted; what an adapter put into the arena
is dropped by who called the first one.
Source: interface-types:wasmer-it/src/interpreter
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, attempt, inline, load32, move, numbers, octets, rare, store32
from runtime.marine.native.kernels.layout import (
    CORE_F32,
    CORE_I32,
    FAILED,
    FAULT_BOUNDS,
    FAULT_CALL,
    FAULT_CAST,
    FAULT_NONE,
    FAULT_TARGET,
    FRAME,
    FRAME_A,
    FRAME_B,
    FRAME_BEFORE,
    FRAME_C,
    FRAME_CODE,
    FRAME_HOME,
    FRAME_PC,
    FRAME_PROGRAM,
    H_CALLED,
    H_CORES,
    H_NUMBER,
    OP_ARG,
    OP_ARG_F32,
    OP_ARG_I32,
    OP_CAST,
    OP_CORE,
    OP_DUP,
    OP_END,
    OP_LIFT_ARRAY,
    OP_LIFT_BLOCK,
    OP_LIFT_RECORD,
    OP_LIFT_TEXT,
    OP_LOWER_ARRAY,
    OP_LOWER_RECORD,
    OP_LOWER_TEXT,
    OP_PUSH,
    OP_SIZE,
    OP_SWAP,
    OP_TARGET,
    OP_TRUTH,
    P_CODE,
    P_DEPTH,
    P_NUMBER,
    S_A,
    S_ARENA,
    S_ARENA_SIZE,
    S_B,
    S_C,
    S_CODE,
    S_FRAMES,
    S_PC,
    S_TOP,
    U32_MAX,
    WORDS,
)
from runtime.marine.native.kernels.memory import (
    VALUE_BYTES,
    call,
    fault,
    memory_at,
    memory_size,
    take,
    take_values,
)
from runtime.marine.native.kernels.values import (
    lift_bytes,
    lift_record,
    lift_slot,
    lift_text,
    lower_record,
    lower_slot,
)

EXPORTS: Final[tuple[str, ...]] = ()

SIGN: Final = 1 << 31
EMPTY: Final = 1
"""Place of a text or byte array without bytes: it is none, but not that of an array that never was allocated."""


@inline
def signed(number: int) -> int:
    """The lower 32 bits as a signed number."""
    return ((number & U32_MAX) ^ SIGN) - SIGN


@rare
def note(s: Longs, home: int, program: int) -> None:
    """Leave a frame for what has failed. There is room: CALL_DEPTH_MAX bounds how many adapters are at work within each other."""
    at = (s[S_TOP] + 7) & ~7
    if at + 8 * FRAME > s[S_ARENA_SIZE]:
        return
    s[S_TOP] = at + 8 * FRAME
    frame = numbers(s[S_ARENA] + at, FRAME)
    frame[FRAME_BEFORE] = s[S_FRAMES]
    frame[FRAME_HOME] = home
    frame[FRAME_PROGRAM] = program
    frame[FRAME_PC] = s[S_PC]
    frame[FRAME_CODE] = s[S_CODE]
    frame[FRAME_A] = s[S_A]
    frame[FRAME_B] = s[S_B]
    frame[FRAME_C] = s[S_C]
    s[S_FRAMES] = at
    s[S_CODE] = FAULT_NONE


def run(s: Longs, home: Longs, p: Longs, arguments: int) -> int:
    """Run an adapter with the values at an address; place of its results."""
    stack = take_values(s, p[P_DEPTH])
    if attempt(walk, FAILED, s, home, p, arguments, stack) == FAILED:
        note(s, home[H_NUMBER], p[P_NUMBER])
        return s[len(s)]
    return stack


def walk(s: Longs, home: Longs, p: Longs, arguments: int, place: int) -> int:
    """The instructions one after the other. place: of the stack; the results are what is on it in the end."""
    stack = numbers(s[S_ARENA] + place, 2 * p[P_DEPTH])
    top = 0
    at = p[P_CODE]
    while True:
        op = p[at]
        number = p[at + 1]
        more = p[at + 2]
        s[S_PC] = p[at + 3]
        at += WORDS
        if op == OP_ARG:
            given = numbers(arguments + VALUE_BYTES * number, 2)
            stack[top] = given[0]
            stack[top + 1] = given[1]
            top += 2
        elif op == OP_ARG_I32:
            stack[top] = signed(numbers(arguments + VALUE_BYTES * number, 2)[0])
            stack[top + 1] = 0
            top += 2
        elif op == OP_CORE:
            # more: arguments, results, and how they become values
            count = more & 255
            results = more >> 8 & 255
            top -= 2 * count
            core(s, home, home[H_CORES + number], s[S_ARENA] + place + 8 * top, count, results, more >> 16)
            top += 2 * results
        elif op == OP_PUSH:
            stack[top] = number
            stack[top + 1] = 0
            top += 2
        elif op == OP_SIZE:
            stack[top - 2] = signed(stack[top - 1])
        elif op == OP_CAST:
            if stack[top - 2] < number or stack[top - 2] > more:
                fault(s, FAULT_CAST, 0, 0, 0)
        elif op == OP_LIFT_TEXT or op == OP_LIFT_BLOCK:
            top -= 2
            lift(s, home, stack[top - 2] & U32_MAX, stack[top] & U32_MAX, op == OP_LIFT_TEXT)
            stack[top - 2] = s[S_A]
            stack[top - 1] = s[S_B]
        elif op == OP_LOWER_TEXT:
            lower(s, home, stack[top - 4] & U32_MAX, stack[top - 2], stack[top - 1])
            stack[top - 2] = signed(stack[top - 1])
        elif op == OP_DUP:
            stack[top] = stack[top - 2]
            stack[top + 1] = stack[top - 1]
            top += 2
        elif op == OP_SWAP:
            first = stack[top - 4]
            second = stack[top - 3]
            stack[top - 4] = stack[top - 2]
            stack[top - 3] = stack[top - 1]
            stack[top - 2] = first
            stack[top - 1] = second
        elif op == OP_TARGET:
            # number: of the called function; more: arguments and results
            count = more & 255
            results = more >> 8
            top -= 2 * count
            target(s, home, home[H_CALLED] + 2 * number, s[S_ARENA] + place + 8 * top, results)
            top += 2 * results
        elif op == OP_LIFT_RECORD:
            memory = octets(memory_at(s, home), memory_size(s, home))
            stack[top - 2] = lift_record(s, p, memory, number, stack[top - 2] & U32_MAX)
        elif op == OP_LOWER_RECORD:
            arena = octets(s[S_ARENA], s[S_ARENA_SIZE])
            stack[top - 2] = signed(lower_record(s, p, home, arena, number, stack[top - 2]))
        elif op == OP_LIFT_ARRAY:
            memory = octets(memory_at(s, home), memory_size(s, home))
            arena = octets(s[S_ARENA], s[S_ARENA_SIZE])
            top -= 2
            slot = take(s, 8)
            store32(arena, slot, stack[top - 2])
            store32(arena, slot + 4, stack[top])
            lift_slot(s, p, memory, number, slot)
            stack[top - 2] = load32(arena, slot)
            stack[top - 1] = load32(arena, slot + 4)
        elif op == OP_LOWER_ARRAY:
            arena = octets(s[S_ARENA], s[S_ARENA_SIZE])
            slot = take(s, 8)
            store32(arena, slot, stack[top - 2])
            store32(arena, slot + 4, stack[top - 1])
            stack[top - 2] = signed(lower_slot(s, p, home, arena, number, slot))
            stack[top] = signed(stack[top - 1])
            top += 2
        elif op == OP_TRUTH:
            stack[top - 2] = 1 if stack[top - 2] != 0 else 0
        elif op == OP_ARG_F32:
            stack[top] = numbers(arguments + VALUE_BYTES * number, 2)[0] & U32_MAX
            stack[top + 1] = 0
            top += 2
        elif op == OP_END:
            return 0
        else:
            return s[len(s)]


def core(s: Longs, home: Longs, function: int, values: int, count: int, results: int, forms: int) -> None:
    """Call a core function with values that lie on the stack, where its results come to lie."""
    mark = s[S_TOP]
    most = max(count, results)
    slots = s[S_ARENA] + take_values(s, most + 1)
    given = numbers(values, 2 * count)
    place = numbers(slots, 2 * most)
    move(place, 0, given, 0, 2 * count)
    call(s, home, function, slots, most, FAULT_CALL)
    s[S_TOP] = mark
    taken = numbers(values, 2 * results)
    for k in range(results):
        form = forms >> (2 * k) & 3
        number = place[2 * k]
        if form == CORE_I32:
            number = signed(number)
        elif form == CORE_F32:
            number = number & U32_MAX
        taken[2 * k] = number
        taken[2 * k + 1] = 0


def target(s: Longs, home: Longs, called: int, values: int, results: int) -> None:
    """Call a typed function of another module with values on the stack, where its results come to lie."""
    pc = s[S_PC]
    there = numbers(home[called], numbers(home[called], 1)[0])
    program = numbers(home[called + 1], numbers(home[called + 1], 1)[0])
    found = attempt(run, FAILED, s, there, program, values)
    if found == FAILED:
        s[S_PC] = pc
        fault(s, FAULT_TARGET, 0, 0, 0)
    move(numbers(values, 2 * results), 0, numbers(s[S_ARENA] + found, 2 * results), 0, 2 * results)


def lift(s: Longs, home: Longs, at: int, size: int, is_text: bool) -> None:
    """A text or a byte array; place and size in two registers. An empty one is not looked for."""
    memory = octets(memory_at(s, home), memory_size(s, home))
    if size != 0 and at + size >= len(memory):
        fault(s, FAULT_BOUNDS, at + size, len(memory), 0)
    out = EMPTY
    if size != 0:
        out = lift_text(s, memory, at, size) if is_text else lift_bytes(s, memory, at, size)
    s[S_A] = out
    s[S_B] = size


def lower(s: Longs, home: Longs, at: int, source: int, size: int) -> None:
    """Write a text to an address that the module gave."""
    memory = octets(memory_at(s, home), memory_size(s, home))
    if at + size >= len(memory):
        fault(s, FAULT_BOUNDS, at + size, len(memory), 0)
    move(memory, at, octets(s[S_ARENA], s[S_ARENA_SIZE]), source, size)
