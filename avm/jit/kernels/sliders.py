"""The trace of a run: sliders over the previous and the current one, the merge of two states, the result, frames of pars.

As `avm.trace.handler`, `cursor` and `merge`. Traces that do not fit decline.
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs
from avm.jit.kernels.archive import STATE
from avm.jit.kernels.heap import (
    R_CURRENT,
    R_MAPPED,
    R_PREV,
    SL_LEN,
    SL_POS,
    SL_SEEN,
    SL_TOTAL,
    V_CURRENT_TO_NEW,
    V_CURRENT_TRACE,
    V_FRAMES,
    V_NEW_TO_CURRENT,
    V_NEW_TO_PREV,
    V_PREV_TO_NEW,
    V_PREV_TRACE,
    V_TRACE,
    decline,
    extend,
    push,
)
from avm.jit.kernels.layout import (
    AP,
    CANON_SENT_BY,
    CANON_STATE,
    FAILED,
    FRAME,
    PAR,
    REQUESTED,
    SENT_BY,
    STREAM,
    WHY_TRACE,
    Z_KIND,
    Z_MARK,
)

EXPORTS: Final[tuple[str, ...]] = ()


def take(w: Longs, slider: int, vector: int) -> int:
    """The next state of a slider's window, 0 for none."""
    if w[slider + SL_SEEN] >= w[slider + SL_LEN] or w[slider + SL_POS] >= w[slider + SL_TOTAL]:
        return 0
    state = w[vector] + STATE * w[slider + SL_POS]
    w[slider + SL_POS] += 1
    w[slider + SL_SEEN] += 1
    return state


def set_len(w: Longs, slider: int, length: int) -> None:
    """Start a window here."""
    if w[slider + SL_TOTAL] - w[slider + SL_POS] < length:
        decline(w, WHY_TRACE)
    w[slider + SL_LEN] = length
    w[slider + SL_SEEN] = 0


def set_pos_len(w: Longs, slider: int, pos: int, length: int) -> None:
    """Move the window."""
    if length != 0 and pos + length > w[slider + SL_TOTAL]:
        decline(w, WHY_TRACE)
    w[slider + SL_POS] = pos
    w[slider + SL_LEN] = length
    w[slider + SL_SEEN] = 0


def move(w: Longs, slider: int, pos: int, length: int) -> None:
    """Move the window, if that is possible."""
    if length == 0 or pos + length <= w[slider + SL_TOTAL]:
        w[slider + SL_POS] = pos
        w[slider + SL_LEN] = length
        w[slider + SL_SEEN] = 0


def shrink(w: Longs, slider: int, length: int) -> bool:
    """Start a window here, if that is possible."""
    if w[slider + SL_TOTAL] < w[slider + SL_POS]:
        decline(w, WHY_TRACE)
    if w[slider + SL_TOTAL] - w[slider + SL_POS] < length:
        return False
    w[slider + SL_LEN] = length
    w[slider + SL_SEEN] = 0
    return True


def states_count(w: Longs) -> int:
    """Length of the result."""
    return w[V_TRACE + 2] // STATE


def push_state(w: Longs, kind: int, first: int, second: int) -> int:
    """Append a state; its position."""
    at = extend(w, V_TRACE, STATE)
    w[at] = kind
    w[at + 1] = first
    w[at + 2] = second
    w[at + 3] = 0
    return w[V_TRACE + 2] // STATE - 1


def is_call(kind: int) -> bool:
    """Whether a state is that of a call."""
    return SENT_BY <= kind <= FAILED


def same_state(w: Longs, left: int, right: int) -> bool:
    """Whether two states, none of a fold, are equal."""
    return w[left] == w[right] and w[left + 1] == w[right + 1] and w[left + 2] == w[right + 2]


def map_position(w: Longs, forward: int, backward: int, new: int, old: int) -> None:
    """Relate a position of the result to one of a source; each has one partner at most."""
    while w[forward + 2] <= new:
        push(w, forward, -1)
    while w[backward + 2] <= old:
        push(w, backward, -1)
    previous_new = w[w[backward] + old]
    if previous_new >= 0 and previous_new != new:
        w[w[forward] + previous_new] = -1
    previous_old = w[w[forward] + new]
    if previous_old >= 0 and previous_old != old:
        w[w[backward] + previous_old] = -1
    w[w[forward] + new] = old
    w[w[backward] + old] = new


def map_source(w: Longs, source: int) -> None:
    """The state that is about to be pushed came from one source (0, 1) or both (2)."""
    if w[R_MAPPED] == 0:
        return
    position = states_count(w)
    if source != 1:
        map_position(w, V_NEW_TO_PREV, V_PREV_TO_NEW, position, w[R_PREV + SL_POS] - 1)
    if source != 0:
        map_position(w, V_NEW_TO_CURRENT, V_CURRENT_TO_NEW, position, w[R_CURRENT + SL_POS] - 1)


def position_in(w: Longs, forward: int, new: int) -> int:
    """Position in a source of what stands at `new` in the result, or -1."""
    return w[w[forward] + new] if new < w[forward + 2] else -1


def take_call(w: Longs) -> int:
    """The merged state of the next call, shifted by one bit that says whether it counts as current; 0 for none."""
    previous = take(w, R_PREV, V_PREV_TRACE)
    current = take(w, R_CURRENT, V_CURRENT_TRACE)
    if previous == 0 and current == 0:
        return 0
    state = previous
    source = 0
    if current == 0:
        if not is_call(w[previous]):
            decline(w, WHY_TRACE)
    elif previous == 0:
        if not is_call(w[current]):
            decline(w, WHY_TRACE)
        state = current
        source = 1
    else:
        before = w[previous]
        after = w[current]
        if not is_call(before) or not is_call(after):
            decline(w, WHY_TRACE)
        if after == SENT_BY or after == REQUESTED:
            source = 0
        elif before == SENT_BY or before == REQUESTED:
            state = current
            source = 1
        elif before == FAILED or after == FAILED:
            if not same_state(w, previous, current):
                decline(w, WHY_TRACE)
        elif same_state(w, previous, current) or (
            before == STREAM and after == STREAM and w[previous + 1] == w[current + 1]
        ):
            source = 2
        else:
            decline(w, WHY_TRACE)
    map_source(w, source)
    return 2 * state + (1 if source == 1 else 0)


def take_ap(w: Longs) -> int:
    """Generation of the next ap, shifted by one bit for its source; -1 for none."""
    previous = take(w, R_PREV, V_PREV_TRACE)
    current = take(w, R_CURRENT, V_CURRENT_TRACE)
    if previous == 0 and current == 0:
        return -1
    if (previous != 0 and w[previous] != AP) or (current != 0 and w[current] != AP):
        decline(w, WHY_TRACE)
    source = 2
    if previous == 0:
        source = 1
    elif current == 0:
        source = 0
    map_source(w, source)
    state = previous or current
    return 2 * w[state + 1] + (1 if source == 1 else 0)


def take_canon(w: Longs) -> int:
    """The merged state of the next canon, 0 for none."""
    previous = take(w, R_PREV, V_PREV_TRACE)
    current = take(w, R_CURRENT, V_CURRENT_TRACE)
    if previous == 0 and current == 0:
        return 0
    if (previous != 0 and w[previous] < CANON_SENT_BY) or (current != 0 and w[current] < CANON_SENT_BY):
        decline(w, WHY_TRACE)
    if previous == 0:
        return current
    if current == 0:
        return previous
    if w[previous] == CANON_SENT_BY:
        return current if w[current] == CANON_STATE else previous
    if w[current] == CANON_STATE and not same_state(w, previous, current):
        decline(w, WHY_TRACE)
    return previous


def new_frame(w: Longs, kind: int) -> int:
    """Push a frame."""
    at = extend(w, V_FRAMES, FRAME)
    w[at + Z_KIND] = kind
    return at


def pop_frame(w: Longs) -> int:
    """Pop a frame; its content stays until another one is pushed."""
    w[V_FRAMES + 2] -= FRAME
    return w[V_FRAMES] + w[V_FRAMES + 2]


def par_start(w: Longs, frame: int) -> None:
    """Take the par's state, reserve its slot, narrow both sliders to the left branch."""
    previous = take(w, R_PREV, V_PREV_TRACE)
    current = take(w, R_CURRENT, V_CURRENT_TRACE)
    if (previous != 0 and w[previous] != PAR) or (current != 0 and w[current] != PAR):
        decline(w, WHY_TRACE)
    for side in range(2):
        state = current if side else previous
        slider = R_CURRENT if side else R_PREV
        left = w[state + 1] if state else 0
        right = w[state + 2] if state else 0
        rest = w[slider + SL_LEN] - w[slider + SL_SEEN]
        if left + right > rest:
            decline(w, WHY_TRACE)
        mark = frame + Z_MARK + 1 + 4 * side
        w[mark] = w[slider + SL_POS]
        w[mark + 1] = left
        w[mark + 2] = right
        w[mark + 3] = rest
    # a reallocation of the trace does not move the frame
    w[frame + Z_MARK] = push_state(w, PAR, 0, 0)
    set_len(w, R_PREV, w[frame + Z_MARK + 2])
    set_len(w, R_CURRENT, w[frame + Z_MARK + 6])


def par_left_end(w: Longs, frame: int) -> int:
    """Move both sliders to the right branch; size of the left one."""
    mark = frame + Z_MARK
    move(w, R_PREV, w[mark + 1] + w[mark + 2], w[mark + 2])
    move(w, R_CURRENT, w[mark + 5] + w[mark + 6], w[mark + 6])
    if shrink(w, R_PREV, w[mark + 3]):
        shrink(w, R_CURRENT, w[mark + 7])
    return states_count(w) - w[mark] - 1


def par_right_end(w: Longs, frame: int, left_size: int) -> None:
    """Write the par's state, move both sliders behind it."""
    mark = frame + Z_MARK
    state = w[V_TRACE] + STATE * w[mark]
    w[state + 1] = left_size
    w[state + 2] = states_count(w) - w[mark] - 1 - left_size
    for side in range(2):
        m = mark + 1 + 4 * side
        slider = R_CURRENT if side else R_PREV
        move(w, slider, w[m] + w[m + 1] + w[m + 2], w[m + 3] - w[m + 1] - w[m + 2])
