"""The automaton of one running fold over a stream, as `avm.trace.fold` and `lore`."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs
from avm.jit.kernels.archive import STATE
from avm.jit.kernels.heap import (
    R_CURRENT,
    R_PREV,
    SL_LEN,
    SL_POS,
    SL_SEEN,
    V_CURRENT_TRACE,
    V_NEW_TO_CURRENT,
    V_NEW_TO_PREV,
    V_PREV_TRACE,
    V_TRACE,
    alloc,
    decline,
    extend,
    map_place,
    number_map,
)
from avm.jit.kernels.layout import (
    AP,
    AUTOMATON,
    F_BACK,
    F_BACKWARD,
    F_CURRENT_LEN,
    F_CURRENT_LORE,
    F_CURRENT_POS,
    F_LORE,
    F_PREV_LEN,
    F_PREV_LORE,
    F_PREV_POS,
    F_QUEUE,
    F_SLOT,
    FOLD,
    ITERATION,
    PAR,
    Q_AFTER,
    Q_AFTER_END,
    Q_BEFORE,
    Q_BEFORE_END,
    Q_CURRENT,
    Q_PHASE,
    Q_PREV,
    Q_VALUE,
    SIZE_MAX,
    STREAM,
    W_AFTER,
    W_AFTER_LEN,
    W_BEFORE,
    W_BEFORE_LEN,
    WHY_TRACE,
    WINDOW,
)
from avm.jit.kernels.sliders import move, position_in, push_state, set_len, set_pos_len, states_count, take

EXPORTS: Final[tuple[str, ...]] = ()


def generation_at(w: Longs, vector: int, position: int) -> int:
    """Generation of the stream value whose state stands there."""
    if position * STATE >= w[vector + 2]:
        decline(w, WHY_TRACE)
    state = w[vector] + STATE * position
    if w[state] == STREAM:
        return w[state + 2]
    if w[state] != AP:
        decline(w, WHY_TRACE)
    return w[state + 1]


def read_lore(w: Longs, state: int, vector: int) -> int:
    """Windows of a fold state by position of their value; the number of its states is behind the map's node."""
    entries = w[state + 2] if state else 0
    node = alloc(w, 2)
    w[node] = number_map(w, entries)
    windows = alloc(w, WINDOW * entries)
    lore = w[state + 1] if state else 0
    total = 0
    generation = 0
    start = 0
    for index in range(entries):
        entry = lore + 5 * index
        its_generation = generation_at(w, vector, w[entry])
        if its_generation != generation:
            widen(w, windows, start, index)
            generation = its_generation
            start = index
        total += w[entry + 2] + w[entry + 4]
        window = windows + WINDOW * index
        w[window + W_BEFORE] = w[entry + 1]
        w[window + W_BEFORE_LEN] = w[entry + 2]
        w[window + W_AFTER] = w[entry + 3]
        w[window + W_AFTER_LEN] = w[entry + 4]
        if index > start:
            w[window + W_AFTER_LEN] += w[window - WINDOW + W_AFTER_LEN]
    widen(w, windows, start, entries)
    if total > SIZE_MAX:
        decline(w, WHY_TRACE)
    for index in range(entries):
        place = map_place(w, w[node], w[lore + 5 * index])
        if w[place]:
            decline(w, WHY_TRACE)
        w[place] = w[lore + 5 * index] + 1
        w[place + 1] = windows + WINDOW * index
    w[node + 1] = total
    return node


def widen(w: Longs, windows: int, start: int, end: int) -> None:
    """Make the before lengths of one generation cumulative from its end."""
    if start >= end:
        return
    total = w[windows + WINDOW * (end - 1) + W_AFTER_LEN]
    index = end - 1
    while index >= start:
        total += w[windows + WINDOW * index + W_BEFORE_LEN]
        w[windows + WINDOW * index + W_BEFORE_LEN] = total
        index -= 1


def window_of(w: Longs, lore: int, position: int) -> int:
    """Take the window of the value at a position of a source; 0 for none."""
    if position < 0:
        return 0
    place = map_place(w, w[lore], position)
    if w[place] == 0:
        return 0
    window = w[place + 1]
    w[place + 1] = 0
    return window


def enter(w: Longs, slider: int, window: int, part: int) -> None:
    """Limit a slider to one part of an iteration's window, or to nothing."""
    if window:
        set_pos_len(w, slider, w[window + part], w[window + part + 1])
    else:
        set_len(w, slider, 0)


def automaton_start(w: Longs) -> int:
    """Take the fold's states, read their lores, reserve the slot of the result."""
    previous = take(w, R_PREV, V_PREV_TRACE)
    current = take(w, R_CURRENT, V_CURRENT_TRACE)
    if (previous != 0 and w[previous] != FOLD) or (current != 0 and w[current] != FOLD):
        decline(w, WHY_TRACE)
    node = alloc(w, AUTOMATON)
    w[node + F_PREV_LORE] = read_lore(w, previous, V_PREV_TRACE)
    w[node + F_CURRENT_LORE] = read_lore(w, current, V_CURRENT_TRACE)
    for side in range(2):
        slider = R_CURRENT if side else R_PREV
        total = w[w[node + side] + 1]
        rest = w[slider + SL_LEN] - w[slider + SL_SEEN] - total
        if w[slider + SL_POS] + total > SIZE_MAX or rest < 0:
            decline(w, WHY_TRACE)
        w[node + F_PREV_POS + 2 * side] = w[slider + SL_POS] + total
        w[node + F_PREV_LEN + 2 * side] = rest
    w[node + F_SLOT] = push_state(w, PAR, 0, 0)
    return node


def iteration_start(w: Longs, node: int, value_pos: int) -> None:
    """The body is about to run for the value at `value_pos` of the result."""
    previous = window_of(w, w[node + F_PREV_LORE], position_in(w, V_NEW_TO_PREV, value_pos))
    current = window_of(w, w[node + F_CURRENT_LORE], position_in(w, V_NEW_TO_CURRENT, value_pos))
    enter(w, R_PREV, previous, W_BEFORE)
    enter(w, R_CURRENT, current, W_BEFORE)
    at = extend(w, node + F_QUEUE, ITERATION)
    w[at + Q_VALUE] = value_pos
    w[at + Q_BEFORE] = states_count(w)
    w[at + Q_BEFORE_END] = 0
    w[at + Q_AFTER] = 0
    w[at + Q_AFTER_END] = 0
    w[at + Q_PREV] = previous
    w[at + Q_CURRENT] = current
    w[at + Q_PHASE] = 0
    w[node + F_BACK] += 1


def running(w: Longs, node: int) -> int:
    """The iteration the body is in."""
    if w[node + F_BACK] == 0:
        decline(w, WHY_TRACE)
    return w[node + F_QUEUE] + ITERATION * (w[node + F_BACK] - 1)


def advance(w: Longs, iteration: int) -> None:
    """Go on to the next phase."""
    if w[iteration + Q_PHASE] < 3:
        w[iteration + Q_PHASE] += 1


def iteration_end(w: Longs, node: int) -> None:
    """The body of the running iteration reached its `next`."""
    iteration = running(w, node)
    w[iteration + Q_BEFORE_END] = states_count(w)
    advance(w, iteration)


def back_iterator(w: Longs, node: int) -> None:
    """The body goes on after its `next`."""
    position = states_count(w)
    iteration = running(w, node)
    if w[node + F_BACKWARD]:
        w[iteration + Q_AFTER_END] = position
        advance(w, iteration)
        w[node + F_BACK] -= 1
        iteration = running(w, node)
    elif w[iteration + Q_PHASE] == 0:
        w[iteration + Q_BEFORE_END] = position
        advance(w, iteration)
    w[iteration + Q_AFTER] = position
    advance(w, iteration)
    enter(w, R_PREV, w[iteration + Q_PREV], W_AFTER)
    enter(w, R_CURRENT, w[iteration + Q_CURRENT], W_AFTER)
    w[node + F_BACKWARD] = 1


def generation_end(w: Longs, node: int) -> None:
    """All iterations over one generation ended; move them to the lore."""
    position = states_count(w)
    for index in range(w[node + F_QUEUE + 2] // ITERATION):
        it = w[node + F_QUEUE] + ITERATION * index
        phase = w[it + Q_PHASE]
        if phase <= 0:
            w[it + Q_BEFORE_END] = position
        if phase <= 1:
            w[it + Q_AFTER] = position
        if phase <= 2:
            w[it + Q_AFTER_END] = position
        at = extend(w, node + F_LORE, 5)
        it = w[node + F_QUEUE] + ITERATION * index
        w[at] = w[it + Q_VALUE]
        w[at + 1] = w[it + Q_BEFORE]
        w[at + 2] = w[it + Q_BEFORE_END] - w[it + Q_BEFORE]
        w[at + 3] = w[it + Q_AFTER]
        w[at + 4] = w[it + Q_AFTER_END] - w[it + Q_AFTER]
    w[node + F_QUEUE + 2] = 0
    w[node + F_BACK] = 0
    w[node + F_BACKWARD] = 0


def automaton_end(w: Longs, node: int) -> None:
    """Write the fold's state, move the sliders behind it."""
    state = w[V_TRACE] + STATE * w[node + F_SLOT]
    w[state] = FOLD
    w[state + 1] = w[node + F_LORE]
    w[state + 2] = w[node + F_LORE + 2] // 5
    move(w, R_PREV, w[node + F_PREV_POS], w[node + F_PREV_LEN])
    move(w, R_CURRENT, w[node + F_CURRENT_POS], w[node + F_CURRENT_LEN])
