"""A whole run in native code: what `avm.exec` does, for everything that goes well.

Problem: each operation costs microseconds in Python, and a trace has thousands.
Idea:    the same operations on nodes of the heap. Errors that a script catches only unwind; whoever would have to show one to
         somebody (uncaught errors, `%last_error%`, `fail`) declines, and so does every case that is rare. A run is a pure function, so Python
         can do a declined one from the beginning.
Input:   the program's skeleton (`air_text`), previous and current data and call results in the arena. Output: trace, stores, requests,
         next peers and signed CIDs in the heap, see `avm.jit.run`.

An editor of this file must preserve: each handler does what the one of its name in `avm.exec` does, in the same order. Handlers return the
next position, or an error's negative number. `tests/avm/jit/test_run.py` and the differential fuzzer compare the two.
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets, Words
from avm.jit.kernels.air_text import LEFT_BARE, POSITION, RIGHT_BARE
from avm.jit.kernels.archive import (
    PREVIOUS,
    STATE,
    check_unread,
    group_signers,
    merge_group,
    put_message,
    read_archive,
    signed_groups,
    unchanged,
    verify_stores,
    write_archive,
)
from avm.jit.kernels.call_results import read_results
from avm.jit.kernels.calls import call
from avm.jit.kernels.folds import end_generation, fold, fold_stream, next_, return_
from avm.jit.kernels.heap import (
    R_COMPLETE,
    R_CURRENT,
    R_CURRENT_PEER,
    R_DEPTH,
    R_EMPTY,
    R_ERROR_SET,
    R_ERROR_SETTABLE,
    R_INIT_PEER,
    R_LAST_SET,
    R_LAST_SETTABLE,
    R_LCID,
    R_LITERAL,
    R_MAPPED,
    R_NEXT_RESULT,
    R_NO_ERROR,
    R_OPERANDS,
    R_PREV,
    R_PREV_LCID,
    R_STEPS,
    R_TEXT,
    R_TIMESTAMP,
    R_TOP,
    R_TTL,
    S_ITERATOR,
    S_STREAMS,
    SL_LEN,
    SL_POS,
    SL_SEEN,
    SL_TOTAL,
    V_CALL_RESULTS,
    V_CURRENT_GROUPS,
    V_CURRENT_TRACE,
    V_FRAMES,
    V_PREV_GROUPS,
    V_PREV_TRACE,
    V_SIGNED,
    V_STREAM_NAMES,
    V_TRACE,
    V_VISIBLE,
    alloc,
    check_cids,
    copy,
    decline,
    intern,
    number_json,
    push,
    reserve,
    room,
    setup,
    tetraplet,
)
from avm.jit.kernels.instructions import ap, ap_map, canon, end_new, match, new
from avm.jit.kernels.layout import (
    ARE_EQUAL,
    K_FOLD,
    K_GENERATION,
    K_NEW,
    K_NEW_STREAM,
    K_NEXT,
    K_PAR_LEFT,
    K_PAR_RIGHT,
    K_XOR_LEFT,
    K_XOR_RIGHT,
    NOT_EQUAL,
    OP_AP,
    OP_AP_MAP,
    OP_AP_STREAM,
    OP_CALL,
    OP_CANON,
    OP_CANON_MAP,
    OP_CANON_SCALAR,
    OP_END,
    OP_FOLD,
    OP_FOLD_STREAM,
    OP_MATCH,
    OP_MISMATCH,
    OP_NEVER,
    OP_NEW,
    OP_NEW_END,
    OP_NEW_STREAM,
    OP_NEXT,
    OP_NULL,
    OP_PAR,
    OP_PAR_END,
    OP_PAR_RIGHT,
    OP_RETURN,
    OP_SEQ,
    OP_SEQ_THEN,
    OP_XOR,
    OP_XOR_END,
    OP_XOR_LEFT_END,
    WHY_LIMIT,
    WHY_OPERATION,
    WHY_UNCAUGHT,
    WHY_UNUSED,
    Y_BELOW,
    Y_STREAM,
    Z_A,
    Z_B,
    Z_C,
    Z_D,
    Z_KIND,
)
from avm.jit.kernels.sliders import new_frame, par_left_end, par_right_end, par_start, pop_frame
from avm.jit.kernels.streams import compact
from avm.jit.kernels.variables import after_next, scopes_fold_end
from avm.limits import RUN_STEPS_MAX, RUN_TEXT_MAX

EXPORTS: Final = ("run_begin", "run_execute", "run_encode")


def enter_right(w: Longs, frame: int, pc: int, first: Words, second: Words, error: int) -> int:
    """Start of the right branch of a par, whose frame of the left one has been popped."""
    left_size = par_left_end(w, frame)
    at = new_frame(w, K_PAR_RIGHT)  # takes the place of the other one, with its mark
    w[at + Z_A] = pc
    w[at + Z_B] = left_size
    w[at + Z_C] = w[R_COMPLETE]
    w[at + Z_D] = error
    w[R_COMPLETE] = 0 if second[pc] & RIGHT_BARE else 1
    return first[pc] + 1


def leave(w: Longs, frame: int, second: Words) -> int:
    """At least one branch of a par succeeded."""
    par_right_end(w, frame, w[frame + Z_B])
    if w[frame + Z_C]:
        w[R_COMPLETE] = 1
    w[R_LAST_SETTABLE] = 1
    return second[w[frame + Z_A]] & POSITION


def unwind(w: Longs, error: int, first: Words, second: Words) -> int:
    """A catchable error: go on where it is caught. Its message would quote a value, with escapes."""
    w[R_TEXT] += 4 * w[R_TOP]
    if w[R_TEXT] > RUN_TEXT_MAX:
        decline(w, WHY_LIMIT)
    if w[R_LAST_SETTABLE] and error != NOT_EQUAL and error != ARE_EQUAL:
        w[R_LAST_SET] = 1
        w[R_LAST_SETTABLE] = 0
    if w[R_ERROR_SETTABLE]:
        w[R_ERROR_SET] = 1
    w[R_ERROR_SETTABLE] = 0
    while w[V_FRAMES + 2]:
        frame = pop_frame(w)
        kind = w[frame + Z_KIND]
        if kind == K_PAR_LEFT:
            w[R_COMPLETE] = 0
            return enter_right(w, frame, w[frame + Z_A], first, second, 1)
        if kind == K_PAR_RIGHT:
            w[R_COMPLETE] = 0
            if w[frame + Z_D] == 0:
                return leave(w, frame, second)
            par_right_end(w, frame, w[frame + Z_B])
        elif kind == K_XOR_LEFT:
            w[R_COMPLETE] = 1
            w[R_LAST_SETTABLE] = 1
            w[R_ERROR_SETTABLE] = 1
            pc = w[frame + Z_A]
            new_frame(w, K_XOR_RIGHT)
            return first[pc]
        elif kind == K_NEW or kind == K_NEW_STREAM:
            end_new(w, frame)
        elif kind == K_FOLD:
            w[w[frame + Z_A] + S_ITERATOR] = 0
            scopes_fold_end(w)
        elif kind == K_GENERATION:
            return end_generation(w, w[frame + Z_A], first, second)
        elif kind == K_NEXT:
            after_next(w)
    return decline(w, WHY_UNCAUGHT)


def run_begin(
    a: Octets,
    w: Longs,
    texts: int,
    peers: int,
    peers_middle: int,
    peers_end: int,
    prev: int,
    prev_end: int,
    current: int,
    current_end: int,
    salt: int,
    salt_end: int,
) -> int:
    """Read both archives, check the current one, group what is signed. The caller has set R_TOP and R_SEED."""
    setup(a, w, texts)
    w[R_CURRENT_PEER] = intern(a, w, peers, peers_middle)
    w[R_INIT_PEER] = intern(a, w, peers_middle, peers_end)
    w[R_LITERAL] = tetraplet(w, w[R_INIT_PEER], w[R_EMPTY], w[R_EMPTY], w[R_EMPTY])
    read_archive(a, w, prev, prev_end, PREVIOUS)
    group_signers(a, w, V_PREV_TRACE, V_PREV_GROUPS)
    read_archive(a, w, current, current_end, 1)
    verify_stores(a, w)
    group_signers(a, w, V_CURRENT_TRACE, V_CURRENT_GROUPS)
    # of each current group: its peer, how the previous data's group of that peer compares, its message
    for index in range(w[V_CURRENT_GROUPS + 2]):
        group = w[w[V_CURRENT_GROUPS] + index]
        winner = 1
        for other in range(w[V_PREV_GROUPS + 2]):
            ours = w[w[V_PREV_GROUPS] + other]
            if w[ours] == w[group]:
                winner = merge_group(a, w, ours, group)
        message = w[R_TOP]
        put_message(a, w, w[group + 1], w[group + 3])
        tail(a, w, salt, salt_end)
        w[group + 1] = winner
        w[group + 2] = message
        w[group + 3] = w[R_TOP]
    return 0


def tail(a: Octets, w: Longs, salt: int, salt_end: int) -> None:
    """Append the salt of a signed message."""
    at = room(a, w, 4)
    size = salt_end - salt
    for k in range(4):
        a[at + k] = (size >> (8 * k)) & 255
    w[R_TOP] = at + 4
    copy(a, w, salt, salt_end)


def run_execute(
    a: Octets,
    w: Longs,
    ops: Octets,
    starts: Words,
    first: Words,
    second: Words,
    timestamp: int,
    ttl: int,
    mapped: int,
    salt: int,
    salt_end: int,
    results: int,
    results_end: int,
    result_limit: int,
) -> int:
    """Run the script, which stands at the beginning of the arena. Leaves the message to sign at the returned place."""
    w[R_TIMESTAMP] = number_json(a, w, timestamp)
    w[R_TTL] = number_json(a, w, ttl)
    w[R_COMPLETE] = 1
    w[R_LAST_SETTABLE] = 1
    w[R_ERROR_SETTABLE] = 1
    w[R_LAST_SET] = 0
    w[R_ERROR_SET] = 0
    w[R_DEPTH] = 0
    w[R_STEPS] = RUN_STEPS_MAX
    w[R_LCID] = w[R_PREV_LCID]
    w[R_MAPPED] = mapped
    w[R_NO_ERROR] = 0
    w[R_TEXT] = 0
    w[R_OPERANDS] = alloc(w, len(ops))
    push(w, V_VISIBLE, 1)
    w[R_NEXT_RESULT] = 0
    read_results(a, w, results, results_end, result_limit)
    for side in range(2):
        slider = R_CURRENT if side else R_PREV
        total = w[(V_CURRENT_TRACE if side else V_PREV_TRACE) + 2] // STATE
        w[slider + SL_POS] = 0
        w[slider + SL_LEN] = total
        w[slider + SL_SEEN] = 0
        w[slider + SL_TOTAL] = total
    reserve(w, V_TRACE, w[V_PREV_TRACE + 2] + w[V_CURRENT_TRACE + 2] + 64)
    loop(a, w, ops, starts, first, second)
    for index in range(w[V_CALL_RESULTS + 2] // 4):
        if w[w[V_CALL_RESULTS] + 4 * index] >= 0:
            decline(w, WHY_UNUSED)
    for index in range(w[V_STREAM_NAMES + 2]):
        scope = w[w[w[V_STREAM_NAMES] + index] + S_STREAMS]
        while scope:
            compact(w, w[scope + Y_STREAM])
            scope = w[scope + Y_BELOW]
    check_cids(a, w)
    check_unread(a, w)
    signed_groups(a, w)
    message = w[R_TOP]
    put_message(a, w, w[V_SIGNED], w[V_SIGNED + 2])
    tail(a, w, salt, salt_end)
    unchanged(w)
    return message


def loop(a: Octets, w: Longs, ops: Octets, starts: Words, first: Words, second: Words) -> None:
    """Execute the program."""
    pc = 0
    while True:
        op = ops[pc]
        if op == OP_CALL:
            pc = call(a, w, pc, starts[pc])
        elif op == OP_SEQ:
            w[R_COMPLETE] = 1
            pc += 1
        elif op == OP_SEQ_THEN:
            pc = pc + 1 if w[R_COMPLETE] else first[pc]
        elif op == OP_PAR:
            frame = new_frame(w, K_PAR_LEFT)
            w[frame + Z_A] = pc
            par_start(w, frame)
            w[R_COMPLETE] = 0 if second[pc] & LEFT_BARE else 1
            pc += 1
        elif op == OP_PAR_RIGHT:
            frame = pop_frame(w)
            pc = enter_right(w, frame, w[frame + Z_A], first, second, 0)
        elif op == OP_PAR_END:
            pc = leave(w, pop_frame(w), second)
        elif op == OP_XOR:
            w[R_COMPLETE] = 1
            frame = new_frame(w, K_XOR_LEFT)
            w[frame + Z_A] = pc
            pc += 1
        elif op == OP_XOR_LEFT_END:
            pop_frame(w)
            pc = first[pc]
        elif op == OP_XOR_END:
            pop_frame(w)
            if w[R_ERROR_SETTABLE]:
                w[R_ERROR_SET] = 0
            w[R_ERROR_SETTABLE] = 1
            pc += 1
        elif op == OP_AP:
            pc = ap(a, w, pc, starts[pc], False)
        elif op == OP_AP_STREAM:
            pc = ap(a, w, pc, starts[pc], True)
        elif op == OP_NEXT:
            pc = next_(a, w, pc, starts[pc])
        elif op == OP_RETURN:
            pc = return_(w, first, second)
        elif op == OP_FOLD:
            pc = fold(a, w, pc, starts[pc], first[pc], second[pc], first[second[pc] - 1])
        elif op == OP_FOLD_STREAM:
            pc = fold_stream(a, w, pc, starts[pc], first[pc], second[pc], first[second[pc] - 1])
        elif op == OP_CANON or op == OP_CANON_MAP or op == OP_CANON_SCALAR:
            pc = canon(a, w, pc, starts[pc], op)
        elif op == OP_AP_MAP:
            pc = ap_map(a, w, pc, starts[pc])
        elif op == OP_MATCH:
            pc = match(a, w, pc, starts[pc], first[pc], True)
        elif op == OP_MISMATCH:
            pc = match(a, w, pc, starts[pc], first[pc], False)
        elif op == OP_NEW:
            pc = new(a, w, pc, starts[pc], 0, False)
        elif op == OP_NEW_STREAM:
            pc = new(a, w, pc, starts[pc], first[pc], True)
        elif op == OP_NEW_END:
            end_new(w, pop_frame(w))
            pc += 1
        elif op == OP_NULL:
            pc += 1
        elif op == OP_NEVER:
            w[R_COMPLETE] = 0
            pc += 1
        elif op == OP_END:
            return
        else:
            decline(w, WHY_OPERATION)
        if pc < 0:
            pc = unwind(w, pc, first, second)


def run_encode(a: Octets, w: Longs, signatures: Longs) -> int:
    """Append the archive, with these signatures (position and size of key and of signature each); where it begins."""
    base = alloc(w, len(signatures))
    for i in range(len(signatures)):
        w[base + i] = signatures[i]
    return write_archive(a, w, base, len(signatures) // 4)
