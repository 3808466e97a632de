"""`ap`, `canon`, `match`, `mismatch`, `new`. As the modules of those names in `avm.exec.instructions`."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets
from avm.jit.kernels.air_text import blanks, operand_end
from avm.jit.kernels.archive import E_COUNT, E_FIRST, E_TETRAPLET, L_KIND, L_SOURCE, L_TETRAPLET, L_VALUE
from avm.jit.kernels.calls import behind_keyword
from avm.jit.kernels.canon_maps import KEY_NAME, VALUE_NAME, is_key, key_string, make_map, member, sort_keys
from avm.jit.kernels.heap import (
    CANON,
    J_LEN,
    J_POS,
    LITERAL,
    R_CID,
    R_COMPLETE,
    R_CURRENT_PEER,
    R_DEPTH,
    R_EMPTY,
    R_KIND,
    R_OPERANDS,
    R_TETRAPLET,
    R_TOP,
    R_VALUE,
    S_ELEMENT,
    S_FLAGS,
    S_RESULT,
    S_SCOPE,
    S_STREAMS,
    V_NEXT_PEERS,
    alloc,
    copy,
    decline,
    intern,
    json,
    map_place,
    number_map,
    push,
    put,
    put_text,
    tetraplet,
)
from avm.jit.kernels.json_text import equal, skip
from avm.jit.kernels.layout import (
    AP,
    ARE_EQUAL,
    CANON_MAP_NODE,
    CANON_SENT_BY,
    CANON_STATE,
    G_NEXT,
    G_RECORDS,
    HIDDEN,
    K_NEW,
    K_NEW_STREAM,
    KEY_TYPE,
    M_PARTS,
    N_CID,
    N_COUNT,
    N_KIND,
    N_POS,
    N_RECORDS,
    N_TAG,
    N_TETRAPLET,
    N_VALUE,
    NOT_EQUAL,
    O_TEXT,
    OP_CANON_MAP,
    OP_CANON_SCALAR,
    TAG_CANON,
    UNDEFINED,
    WHY_ERROR,
    WHY_JSON,
    WHY_STORE,
    X_BELOW,
    X_DEPTH,
    Y_BELOW,
    Y_STREAM,
    Z_A,
    Z_KIND,
)
from avm.jit.kernels.operands import compile_operand, resolve, resolve_text
from avm.jit.kernels.sliders import new_frame, push_state, states_count, take_ap, take_canon
from avm.jit.kernels.stores import sign, stored_tetraplet, stored_value, track_canon_result
from avm.jit.kernels.streams import IS_NEXT_PEER, add_known, add_new, compact, find_or_make, find_stream, new_scope
from avm.jit.kernels.variables import assign, make_record, push_cell, raw_record

EXPORTS: Final[tuple[str, ...]] = ()


def compile_pair(a: Octets, w: Longs, pc: int, start: int) -> int:
    """Two operands of `ap`, `match`, `mismatch`, `fold`: both compiled, and where the second one stands."""
    node = w[w[R_OPERANDS] + pc]
    if node == 0:
        i = behind_keyword(a, start)
        end = operand_end(a, i)
        node = alloc(w, 4)
        w[node] = compile_operand(a, w, i, end)
        w[node + 2] = i
        i = blanks(a, end)
        w[node + 1] = compile_operand(a, w, i, operand_end(a, i))
        w[node + 3] = i
        w[w[R_OPERANDS] + pc] = node
    return node


def resolve_record(a: Octets, w: Longs, operand: int) -> int:
    """An operand of `ap` as a record of its own, or an error."""
    code = resolve(a, w, operand)
    if code < 0:
        return code
    return make_record(w, w[R_VALUE], w[R_TETRAPLET], states_count(w), w[R_KIND], w[R_CID])


def ap(a: Octets, w: Longs, pc: int, start: int, stream: bool) -> int:
    """`(ap value scalar)` and `(ap value $stream)`."""
    node = compile_pair(a, w, pc, start)
    # a canon stream's origin is the canon's own; with a lens it is the element's
    record = resolve_record(a, w, w[node])
    if record < 0:
        if record != UNDEFINED:
            return record
        w[R_COMPLETE] = 0
        return pc + 1
    name = w[w[node + 1] + O_TEXT]
    if not stream:
        assign(w, name, record)
        return pc + 1
    known = take_ap(w)
    target = find_or_make(w, name, w[node + 3])
    if known < 0:
        add_new(w, target, record)
    else:
        add_known(w, target, record, known & 1, known >> 1)
    push_state(w, AP, 0, 0)
    return pc + 1


def ap_map(a: Octets, w: Longs, pc: int, start: int) -> int:
    """`(ap (key value) %map)`."""
    node = w[w[R_OPERANDS] + pc]
    if node == 0:
        i = blanks(a, behind_keyword(a, start) + 1)
        end = operand_end(a, i)
        node = alloc(w, 4)
        w[node] = compile_operand(a, w, i, end)
        i = blanks(a, end)
        end = operand_end(a, i)
        w[node + 1] = compile_operand(a, w, i, end)
        i = blanks(a, blanks(a, end) + 1)
        w[node + 2] = intern(a, w, i, operand_end(a, i))
        w[node + 3] = i
        w[w[R_OPERANDS] + pc] = node
    item = resolve_record(a, w, w[node + 1])
    if item < 0:
        if item != UNDEFINED:
            return item
        w[R_COMPLETE] = 0
        return pc + 1
    known = take_ap(w)
    # the key after the state was taken, as the reference has it (D2)
    code = resolve(a, w, w[node])
    if code < 0:
        if code != UNDEFINED:
            return code
        w[R_COMPLETE] = 0
        return pc + 1
    key = w[w[R_VALUE] + J_POS]
    key_end = key + w[w[R_VALUE] + J_LEN]
    if not is_key(a, key, key_end):
        return KEY_TYPE
    value = w[item + N_VALUE]
    at = w[R_TOP]
    put(a, w, b'{"key":')
    copy(a, w, key, key_end)
    put(a, w, b',"value":')
    copy(a, w, w[value + J_POS], w[value + J_POS] + w[value + J_LEN])
    put(a, w, b"}")
    pair = make_record(
        w, json(w, at, w[R_TOP]), w[item + N_TETRAPLET], w[item + N_POS], w[item + N_KIND], w[item + N_CID]
    )
    target = find_or_make(w, w[node + 2], w[node + 3])
    if known < 0:
        add_new(w, target, pair)
    else:
        add_known(w, target, pair, known & 1, known >> 1)
    push_state(w, AP, 0, 0)
    return pc + 1


def one_object(a: Octets, w: Longs, records: int, peer: int) -> None:
    """Put the object with the first value of each key in the place of the pairs. Keys 1 and "1" coincide."""
    number = w[records + 2]
    known = number_map(w, number)
    members = alloc(w, 2 * number)
    count_ = 0
    for index in range(number):
        pair = w[w[w[records] + index] + N_VALUE]
        start = w[pair + J_POS]
        end = start + w[pair + J_LEN]
        key = member(a, w, start, end, KEY_NAME)
        key_end = skip(a, key, end)
        if not is_key(a, key, key_end):
            decline(w, WHY_ERROR)
        name = key_string(a, w, intern(a, w, key, key_end))
        place = map_place(w, known, name)
        if w[place] == 0:
            w[place] = name + 1
            value = member(a, w, start, end, VALUE_NAME)
            w[members + 2 * count_] = name
            w[members + 2 * count_ + 1] = json(w, value, skip(a, value, end))
            count_ += 1
    sort_keys(a, w, members, count_)
    at = w[R_TOP]
    put(a, w, b"{")
    for index in range(count_):
        if index:
            put(a, w, b",")
        put_text(a, w, w[members + 2 * index])
        put(a, w, b":")
        value = w[members + 2 * index + 1]
        copy(a, w, w[value + J_POS], w[value + J_POS] + w[value + J_LEN])
    put(a, w, b"}")
    empty = w[R_EMPTY]
    origin = tetraplet(w, peer, empty, empty, empty)
    w[records + 2] = 0
    push(w, records, raw_record(w, json(w, at, w[R_TOP]), origin, 0, LITERAL, 0))


def canon(a: Octets, w: Longs, pc: int, start: int, op: int) -> int:
    """`(canon peer $stream #canon)`, `(canon peer %map #%canon)`, `(canon peer %map scalar)`."""
    node = w[w[R_OPERANDS] + pc]
    if node == 0:
        node = alloc(w, 4)
        i = behind_keyword(a, start)
        end = operand_end(a, i)
        w[node] = compile_operand(a, w, i, end)
        i = blanks(a, end)
        end = operand_end(a, i)
        w[node + 1] = intern(a, w, i, end)
        w[node + 2] = i
        i = blanks(a, end)
        w[node + 3] = intern(a, w, i, operand_end(a, i))
        w[w[R_OPERANDS] + pc] = node
    state = take_canon(w)
    peer = resolve_text(a, w, w[node])
    if peer < 0:
        if state or peer != UNDEFINED:
            if peer == UNDEFINED:
                decline(w, WHY_ERROR)
            return peer
        w[R_COMPLETE] = 0
        return pc + 1
    empty = w[R_EMPTY]
    origin = tetraplet(w, peer, empty, empty, empty)
    records = alloc(w, 3)
    if state != 0 and w[state] == CANON_STATE:
        cid = w[state + 1]
        entry = w[cid + S_RESULT]
        if entry == 0:
            decline(w, WHY_STORE)
        if stored_tetraplet(w, w[entry + E_TETRAPLET]) != origin:
            decline(w, WHY_ERROR)
        for index in range(w[entry + E_COUNT]):
            part = w[w[w[entry + E_FIRST] + index] + S_ELEMENT]
            if part == 0:
                decline(w, WHY_STORE)
            value = stored_value(a, w, w[part + L_VALUE])
            its_origin = stored_tetraplet(w, w[part + L_TETRAPLET])
            push(w, records, make_record(w, value, its_origin, 0, w[part + L_KIND], w[part + L_SOURCE]))
    elif peer == w[R_CURRENT_PEER]:
        stream = find_stream(w, w[node + 1], w[node + 2])
        if stream:
            for part_number in range(3):
                generation = w[stream + M_PARTS + 2 * part_number]
                while generation:
                    for index in range(w[generation + G_RECORDS + 2]):
                        push(w, records, w[w[generation + G_RECORDS] + index])
                    generation = w[generation + G_NEXT]
        if op == OP_CANON_SCALAR:
            one_object(a, w, records, peer)
        cid = track_canon_result(a, w, w[records], w[records + 2], origin)
    else:
        w[R_COMPLETE] = 0
        if state == 0:
            if w[peer + S_FLAGS] & IS_NEXT_PEER == 0:
                w[peer + S_FLAGS] |= IS_NEXT_PEER
                push(w, V_NEXT_PEERS, peer)
            push_state(w, CANON_SENT_BY, w[R_CURRENT_PEER], 0)
        else:
            push_state(w, w[state], w[state + 1], w[state + 2])
        return pc + 1
    sign(w, peer, cid)
    if op == OP_CANON_SCALAR:
        if w[records + 2] == 0:
            decline(w, WHY_ERROR)
        value = w[w[w[records]] + N_VALUE]
        assign(w, w[node + 3], make_record(w, value, origin, states_count(w), CANON, cid))
        push_state(w, CANON_STATE, cid, 0)
        return pc + 1
    frozen = alloc(w, CANON_MAP_NODE)
    w[frozen + N_TAG] = TAG_CANON
    w[frozen + N_TETRAPLET] = origin
    w[frozen + N_KIND] = CANON
    w[frozen + N_CID] = cid
    w[frozen + N_RECORDS] = w[records]
    w[frozen + N_COUNT] = w[records + 2]
    if op == OP_CANON_MAP:
        make_map(a, w, frozen)
    assign(w, w[node + 3], frozen)
    push_state(w, CANON_STATE, cid, 0)
    return pc + 1


def match(a: Octets, w: Longs, pc: int, start: int, end: int, wanted: bool) -> int:
    """`match` (wanted: equal) and `mismatch`."""
    node = compile_pair(a, w, pc, start)
    code = resolve(a, w, w[node])
    left = w[R_VALUE]
    if code >= 0:
        code = resolve(a, w, w[node + 1])
    if code < 0:
        if code != UNDEFINED:
            return code
        w[R_COMPLETE] = 0
        return end
    right = w[R_VALUE]
    same = 1
    if left != right:
        left_at = w[left + J_POS]
        right_at = w[right + J_POS]
        same = equal(a, left_at, left_at + w[left + J_LEN], right_at, right_at + w[right + J_LEN])
        if same < 0:
            decline(w, WHY_JSON)
    if (same != 0) == wanted:
        return pc + 1
    return NOT_EQUAL if wanted else ARE_EQUAL


def new(a: Octets, w: Longs, pc: int, start: int, right: int, stream: bool) -> int:
    """`(new variable body)`."""
    name = w[w[R_OPERANDS] + pc]
    if name == 0:
        i = behind_keyword(a, start)
        name = intern(a, w, i, operand_end(a, i))
        w[w[R_OPERANDS] + pc] = name
    if stream:
        new_scope(w, name, start, right, w[name + S_STREAMS])
    else:
        push_cell(w, name, HIDDEN)
    frame = new_frame(w, K_NEW_STREAM if stream else K_NEW)
    w[frame + Z_A] = name
    return pc + 1


def end_new(w: Longs, frame: int) -> None:
    """End of the scope."""
    name = w[frame + Z_A]
    if w[frame + Z_KIND] == K_NEW:
        cell = w[name + S_SCOPE]
        if cell == 0 or w[cell + X_DEPTH] != w[R_DEPTH]:
            decline(w, WHY_ERROR)
        w[name + S_SCOPE] = w[cell + X_BELOW]
        return
    scope = w[name + S_STREAMS]
    if scope == 0:
        decline(w, WHY_ERROR)
    w[name + S_STREAMS] = w[scope + Y_BELOW]
    compact(w, w[scope + Y_STREAM])
