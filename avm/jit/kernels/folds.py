"""`fold` over values and over streams, `next`, and what happens when a body ends. As `avm.exec.instructions.fold` and `next`."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets, Words
from avm.jit.kernels.air_text import NO_LAST, operand_end
from avm.jit.kernels.calls import behind_keyword
from avm.jit.kernels.canon_maps import select_from_map
from avm.jit.kernels.fold_lores import (
    automaton_end,
    automaton_start,
    back_iterator,
    generation_end,
    iteration_end,
    iteration_start,
)
from avm.jit.kernels.heap import (
    J_LEN,
    J_POS,
    R_CID,
    R_COMPLETE,
    R_KIND,
    R_OPERANDS,
    R_STEPS,
    R_TETRAPLET,
    R_VALUE,
    S_ITERATOR,
    T_FUNCTION,
    T_PEER,
    T_SERVICE,
    alloc,
    decline,
    intern,
    push,
    tetraplet,
)
from avm.jit.kernels.instructions import compile_pair
from avm.jit.kernels.json_text import count, skip
from avm.jit.kernels.layout import (
    G_NEXT,
    G_NUMBER,
    G_RECORDS,
    I_AUTOMATON,
    I_BACK,
    I_BODY,
    I_CID,
    I_COUNT,
    I_ELEMENTS,
    I_INDEX,
    I_KIND,
    I_LAST,
    I_POS,
    I_RECORDS,
    I_STEPS,
    I_TETRAPLET,
    ITERATOR,
    K_FOLD,
    K_GENERATION,
    K_LAST,
    K_NEXT,
    L_AUTOMATON,
    L_COMPLETE,
    L_CURSOR,
    L_NEXT,
    L_PC,
    L_SLICES,
    L_STREAM,
    LOOP,
    M_PARTS,
    N_CID,
    N_COUNT,
    N_KIND,
    N_POS,
    N_RECORDS,
    N_TETRAPLET,
    N_VALUE,
    NOT_ARRAY,
    O_KIND,
    O_LENS,
    O_TEXT,
    PART_NEW,
    T_CANON_STREAM,
    T_CANON_STREAM_MAP,
    T_CANON_STREAM_MAP_LENS,
    T_OPEN_SQUARE,
    T_SCALAR,
    T_SCALAR_LENS,
    UNDEFINED,
    WHY_ERROR,
    WHY_LIMIT,
    WHY_OPERAND,
    Z_A,
    Z_B,
    Z_KIND,
)
from avm.jit.kernels.operands import select
from avm.jit.kernels.sliders import new_frame, pop_frame
from avm.jit.kernels.streams import find_stream
from avm.jit.kernels.variables import (
    after_next,
    before_next,
    current_item,
    make_record,
    scalar,
    scopes_fold_end,
    scopes_fold_start,
    variable,
)

EXPORTS: Final[tuple[str, ...]] = ()


def start_loop(w: Longs, name: int, loop: int) -> None:
    """Give an iterator its loop."""
    scopes_fold_start(w)
    if w[name + S_ITERATOR]:
        decline(w, WHY_ERROR)
    w[name + S_ITERATOR] = loop


def charge_steps(w: Longs, steps: int) -> None:
    """Count an iteration."""
    w[R_STEPS] -= steps
    if w[R_STEPS] < 0:
        decline(w, WHY_LIMIT)


def fold(a: Octets, w: Longs, pc: int, start: int, last: int, end: int, steps: int) -> int:
    """Fold over a value."""
    node = compile_pair(a, w, pc, start)
    iterable = w[node]
    name = w[w[node + 1] + O_TEXT]
    kind = w[iterable + O_KIND]
    if kind == T_OPEN_SQUARE:
        return end
    loop = alloc(w, ITERATOR)
    if kind == T_CANON_STREAM or kind == T_CANON_STREAM_MAP:
        frozen = variable(w, w[iterable + O_TEXT])
        if frozen < 0:
            if frozen != UNDEFINED:
                return frozen
            w[R_COMPLETE] = 0
            return end
        w[loop + I_RECORDS] = w[frozen + N_RECORDS]
        w[loop + I_COUNT] = w[frozen + N_COUNT]
    elif kind == T_SCALAR or kind == T_SCALAR_LENS or kind == T_CANON_STREAM_MAP_LENS:
        pos = 0
        if kind == T_CANON_STREAM_MAP_LENS:
            record = variable(w, w[iterable + O_TEXT])
            if record >= 0:
                if w[record + N_COUNT] == 0:
                    return end
                lens = w[iterable + O_LENS]
                base = w[record + N_TETRAPLET]
                record = select_from_map(a, w, iterable, record)
                w[R_TETRAPLET] = tetraplet(w, w[base + T_PEER], w[base + T_SERVICE], w[base + T_FUNCTION], lens)
        else:
            record = scalar(a, w, w[iterable + O_TEXT])
        if record >= 0 and kind != T_CANON_STREAM_MAP_LENS:
            pos = w[record + N_POS] if kind == T_SCALAR else 0
            if kind == T_SCALAR and w[w[iterable + O_TEXT] + S_ITERATOR]:
                record = make_record(
                    w, w[record + N_VALUE], w[record + N_TETRAPLET], pos, w[record + N_KIND], w[record + N_CID]
                )
            w[R_VALUE] = w[record + N_VALUE]
            w[R_TETRAPLET] = w[record + N_TETRAPLET]
            w[R_KIND] = w[record + N_KIND]
            w[R_CID] = w[record + N_CID]
            if kind == T_SCALAR_LENS:
                record = select(a, w, iterable)
        if record < 0:
            if record != UNDEFINED:
                return record
            w[R_COMPLETE] = 0
            return end
        value = w[R_VALUE]
        at = w[value + J_POS]
        number = count(a, at, at + w[value + J_LEN])
        if number < 0:
            return NOT_ARRAY
        if number == 0:
            return end
        w[loop + I_COUNT] = number
        w[loop + I_TETRAPLET] = w[R_TETRAPLET]
        w[loop + I_POS] = pos
        w[loop + I_KIND] = w[R_KIND]
        w[loop + I_CID] = w[R_CID]
        ends = alloc(w, 2 * number)
        w[loop + I_ELEMENTS] = ends
        i = at + 1
        for index in range(number):
            w[ends + 2 * index] = i
            i = skip(a, i, at + w[value + J_LEN])
            w[ends + 2 * index + 1] = i
            i += 1
    else:
        decline(w, WHY_OPERAND)
    if w[loop + I_COUNT] == 0:
        return end
    charge_steps(w, steps)
    w[loop + I_BODY] = pc + 1
    w[loop + I_LAST] = last
    w[loop + I_STEPS] = steps
    start_loop(w, name, loop)
    frame = new_frame(w, K_FOLD)
    w[frame + Z_A] = name
    w[frame + Z_B] = end
    return pc + 1


def collect(w: Longs, loop: int) -> None:
    """Generations after the cursor, which counts empty ones but skips filled ones, as the reference does (D1)."""
    stream = w[loop + L_STREAM]
    w[loop + L_SLICES + 2] = 0
    w[loop + L_NEXT] = 0
    for part in range(3):
        skipped = w[loop + L_CURSOR + part]
        node = w[stream + M_PARTS + 2 * part]
        while node:
            if skipped > 0:
                skipped -= 1
            else:
                push(w, loop + L_SLICES, w[node + G_RECORDS])
                push(w, loop + L_SLICES, w[node + G_RECORDS + 2])
            node = w[node + G_NEXT]


def set_cursor(w: Longs, loop: int) -> None:
    """The fold has seen everything."""
    for part in range(3):
        w[loop + L_CURSOR + part] = w[w[loop + L_STREAM] + M_PARTS + 2 * part + 1]


def fold_stream(a: Octets, w: Longs, pc: int, start: int, last: int, end: int, steps: int) -> int:
    """Fold over a stream or stream map."""
    node = compile_pair(a, w, pc, start)
    stream = find_stream(w, w[w[node] + O_TEXT], w[node + 2])
    if stream == 0:
        w[R_COMPLETE] = 0
        return end
    loop = alloc(w, LOOP)
    w[loop + L_PC] = pc
    w[loop + L_AUTOMATON] = automaton_start(w)
    w[loop + L_STREAM] = stream
    collect(w, loop)
    set_cursor(w, loop)
    if w[loop + L_SLICES + 2]:
        w[stream + M_PARTS + 2 * PART_NEW + 1] += 1
    return next_generation(w, loop, node, last, end, steps)


def next_generation(w: Longs, loop: int, node: int, last: int, end: int, steps: int) -> int:
    """Start the loop over the next generation, or end the fold."""
    at = w[loop + L_NEXT]
    if at >= w[loop + L_SLICES + 2]:
        w[R_COMPLETE] = w[loop + L_COMPLETE]
        automaton_end(w, w[loop + L_AUTOMATON])
        return end
    w[loop + L_NEXT] = at + 2
    records = w[w[loop + L_SLICES] + at]
    iteration_start(w, w[loop + L_AUTOMATON], w[w[records] + N_POS])
    charge_steps(w, steps)
    cursor = alloc(w, ITERATOR)
    w[cursor + I_RECORDS] = records
    w[cursor + I_COUNT] = w[w[loop + L_SLICES] + at + 1]
    w[cursor + I_BODY] = w[loop + L_PC] + 1
    w[cursor + I_LAST] = last
    w[cursor + I_STEPS] = steps
    w[cursor + I_AUTOMATON] = w[loop + L_AUTOMATON]
    start_loop(w, w[w[node + 1] + O_TEXT], cursor)
    frame = new_frame(w, K_GENERATION)
    w[frame + Z_A] = loop
    return w[loop + L_PC] + 1


def end_generation(w: Longs, loop: int, first: Words, second: Words) -> int:
    """All iterations over one generation ended, or a catchable error ended them."""
    pc = w[loop + L_PC]
    node = w[w[R_OPERANDS] + pc]
    end = second[pc]
    last = first[pc]
    steps = first[end - 1]
    w[w[w[node + 1] + O_TEXT] + S_ITERATOR] = 0
    scopes_fold_end(w)
    generation_end(w, w[loop + L_AUTOMATON])
    if w[R_COMPLETE]:
        w[loop + L_COMPLETE] = 1
    if w[loop + L_NEXT] >= w[loop + L_SLICES + 2]:
        stream = find_stream(w, w[w[node] + O_TEXT], w[node + 2])
        if stream:
            w[loop + L_STREAM] = stream
        collect(w, loop)
        stream = w[loop + L_STREAM]
        size = w[stream + M_PARTS + 2 * PART_NEW + 1]
        if size and not has_generation(w, stream, size - 1):
            w[stream + M_PARTS + 2 * PART_NEW + 1] = size - 1
        set_cursor(w, loop)
        w[stream + M_PARTS + 2 * PART_NEW + 1] += 1
    return next_generation(w, loop, node, last, end, steps)


def has_generation(w: Longs, stream: int, number: int) -> bool:
    """Whether the new part has values of this generation."""
    node = w[stream + M_PARTS + 2 * PART_NEW]
    while node:
        if w[node + G_NUMBER] == number:
            return True
        node = w[node + G_NEXT]
    return False


def next_(a: Octets, w: Longs, pc: int, start: int) -> int:
    """`(next iterator)`."""
    name = w[w[R_OPERANDS] + pc]
    if name == 0:
        i = behind_keyword(a, start)
        name = intern(a, w, i, operand_end(a, i))
        w[w[R_OPERANDS] + pc] = name
    loop = w[name + S_ITERATOR]
    if loop == 0:
        decline(w, WHY_ERROR)
    charge_steps(w, w[loop + I_STEPS])
    automaton = w[loop + I_AUTOMATON]
    if automaton:
        iteration_end(w, automaton)
    if w[loop + I_INDEX] + 1 >= w[loop + I_COUNT]:
        if automaton:
            back_iterator(w, automaton)
        last = w[loop + I_LAST]
        if last != NO_LAST:
            w[R_COMPLETE] = 1
            frame = new_frame(w, K_LAST)
            w[frame + Z_A] = pc + 1
            return last
        if automaton != 0 and w[loop + I_BACK] == 0:
            w[loop + I_BACK] = 1
            w[R_COMPLETE] = 0
        return pc + 1
    w[loop + I_INDEX] += 1
    if automaton:
        iteration_start(w, automaton, w[current_item(a, w, loop) + N_POS])
    before_next(w)
    frame = new_frame(w, K_NEXT)
    w[frame + Z_A] = pc
    w[frame + Z_B] = loop
    return w[loop + I_BODY]


def return_(w: Longs, first: Words, second: Words) -> int:
    """The body or last instruction of a fold ended."""
    frame = pop_frame(w)
    kind = w[frame + Z_KIND]
    if kind == K_NEXT:
        loop = w[frame + Z_B]
        after = w[frame + Z_A] + 1
        after_next(w)
        if w[loop + I_INDEX]:
            w[loop + I_INDEX] -= 1
        if w[loop + I_AUTOMATON]:
            back_iterator(w, w[loop + I_AUTOMATON])
        return after
    if kind == K_LAST:
        return w[frame + Z_A]
    if kind == K_GENERATION:
        return end_generation(w, w[frame + Z_A], first, second)
    w[w[frame + Z_A] + S_ITERATOR] = 0
    end = w[frame + Z_B]
    scopes_fold_end(w)
    return end
