"""`call`, as `avm.exec.instructions.call`: a known result is bound, a result of this peer's host is taken, or a request is made.

The hash of a known call's arguments is not needed at once: it is checked together with others, which takes a tenth of the time.
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Longs, Octets
from avm.jit.kernels.air_text import blanks, kind_of, operand_end
from avm.jit.kernels.archive import V_ARGUMENTS, V_ORIGIN, V_VALUE
from avm.jit.kernels.call_results import find_result
from avm.jit.kernels.heap import (
    J_LEN,
    J_POS,
    JSON,
    R_CANON,
    R_COMPLETE,
    R_CURRENT_PEER,
    R_DEPTH,
    R_EMPTY,
    R_LCID,
    R_OPERANDS,
    R_TETRAPLET,
    R_TOP,
    R_VALUE,
    S_FLAGS,
    S_ITERATOR,
    S_SERVICE,
    SERVICE_RESULT,
    T_FUNCTION,
    T_PEER,
    T_SERVICE,
    V_COUNTS,
    V_NEXT_PEERS,
    V_ORIGINS,
    V_REQUESTS,
    alloc,
    cid_of_top,
    copy,
    decline,
    expect_cid,
    intern,
    json_cid,
    push,
    put,
    tetraplet,
)
from avm.jit.kernels.json_text import depth
from avm.jit.kernels.layout import (
    C_ARGUMENTS,
    C_CONSTANT,
    C_COUNT,
    C_FUNCTION,
    C_HASH,
    C_NAME,
    C_OUTPUT,
    C_PEER,
    C_POSITION,
    C_SERVICE,
    C_TETRAPLET,
    CALL,
    CLOSE,
    CLOSE_SQUARE,
    FAILED,
    HIDDEN,
    LATER_MAX,
    N_COUNT,
    N_RECORDS,
    N_TETRAPLET,
    NONE,
    NUMBERS,
    O_JSON,
    O_KIND,
    REQUESTED,
    SCALAR,
    SENT_BY,
    STREAM,
    T_LITERAL,
    T_OPEN_SQUARE,
    T_SCALAR,
    TO_SCALAR,
    TO_STREAM,
    UNDEFINED,
    UNUSED,
    WHY_ERROR,
    WHY_LIMIT,
    WHY_STORE,
)
from avm.jit.kernels.operands import compile_operand, resolve, resolve_text
from avm.jit.kernels.sliders import push_state, states_count, take_call
from avm.jit.kernels.stores import canonical_form, sign, stored_tetraplet, stored_value, track_service_result
from avm.jit.kernels.streams import IS_NEXT_PEER, add_known, add_new, find_or_make
from avm.jit.kernels.variables import assign, find, raw_record
from avm.limits import JSON_DEPTH_MAX, REQUEST_ID_MAX

EXPORTS: Final[tuple[str, ...]] = ()


def behind_keyword(a: Octets, start: int) -> int:
    """First operand of the instruction at `start`."""
    i = start + 1
    while 97 <= a[i] <= 122:
        i += 1
    return blanks(a, i)


def compile_call(a: Octets, w: Longs, start: int) -> int:
    """The node of a call."""
    node = alloc(w, CALL)
    i = behind_keyword(a, start)
    for part in range(3):
        if part == 1:
            i = blanks(a, i + 1)
        end = operand_end(a, i)
        w[node + C_PEER + part] = compile_operand(a, w, i, end)
        i = blanks(a, end)
    i = blanks(a, i + 1)
    i = blanks(a, i + 1)
    first = i
    number = 0
    while a[i] != CLOSE_SQUARE:
        i = blanks(a, operand_end(a, i))
        number += 1
    w[node + C_ARGUMENTS] = alloc(w, number)
    w[node + C_COUNT] = number
    w[node + C_CONSTANT] = 1
    i = first
    for index in range(number):
        end = operand_end(a, i)
        operand = compile_operand(a, w, i, end)
        w[w[node + C_ARGUMENTS] + index] = operand
        kind = w[operand + O_KIND]
        if not kind & (NUMBERS | T_LITERAL | T_OPEN_SQUARE):
            w[node + C_CONSTANT] = 0
        i = blanks(a, end)
    i = blanks(a, i + 1)
    if a[i] != CLOSE:
        end = operand_end(a, i)
        w[node + C_OUTPUT] = TO_SCALAR if kind_of(a, i, end) == T_SCALAR else TO_STREAM
        w[node + C_NAME] = intern(a, w, i, end)
        w[node + C_POSITION] = i
    return node


def call(a: Octets, w: Longs, pc: int, start: int) -> int:
    """One call."""
    node = w[w[R_OPERANDS] + pc]
    if node == 0:
        node = compile_call(a, w, start)
        w[w[R_OPERANDS] + pc] = node
    origin = w[node + C_TETRAPLET]
    if origin == 0:
        peer = resolve_text(a, w, w[node + C_PEER])
        service = 0
        function = 0
        if peer >= 0:
            service = resolve_text(a, w, w[node + C_SERVICE])
            if service >= 0:
                function = resolve_text(a, w, w[node + C_FUNCTION])
        code = min(peer, service)
        code = min(code, function)
        if code < 0:
            if code != UNDEFINED:
                return code
            w[R_COMPLETE] = 0
            return pc + 1
        origin = tetraplet(w, peer, service, function, w[R_EMPTY])
        if (
            w[w[node + C_PEER] + O_JSON] != 0
            and w[w[node + C_SERVICE] + O_JSON] != 0
            and w[w[node + C_FUNCTION] + O_JSON] != 0
        ):
            w[node + C_TETRAPLET] = origin
    output = w[node + C_OUTPUT]
    name = w[node + C_NAME]
    if output == TO_SCALAR:
        content = find(w, name)
        if content != HIDDEN:
            if w[name + S_ITERATOR]:
                decline(w, WHY_ERROR)
            if content != 0 and w[R_DEPTH] == 0:
                decline(w, WHY_ERROR)
    # arguments before the trace, so that an error leaves no state behind
    number = w[node + C_COUNT]
    resolved = 0
    if w[node + C_HASH] == 0:
        resolved = resolve_all(a, w, node)
        if resolved < 0 and resolved != UNDEFINED:
            return resolved
        if resolved >= 0 and w[node + C_CONSTANT]:
            at = w[R_TOP]
            put_arguments(a, w, resolved, number)
            w[node + C_HASH] = cid_of_top(a, w, at)
    known = take_call(w)
    here = w[origin + T_PEER] == w[R_CURRENT_PEER]
    if known:
        state = known >> 1
        kind = w[state]
        if kind == FAILED:
            decline(w, WHY_ERROR)
        if kind >= SCALAR:
            known_result(a, w, node, state, known & 1, origin, resolved)
            return pc + 1
        if kind == REQUESTED and w[state + 1] == w[R_CURRENT_PEER]:
            requested(a, w, node, state, origin, resolved)
            return pc + 1
        if not here:
            w[R_COMPLETE] = 0
            push_state(w, kind, w[state + 1], w[state + 2])
            return pc + 1
    w[R_COMPLETE] = 0
    if not here:
        peer = w[origin + T_PEER]
        if w[peer + S_FLAGS] & IS_NEXT_PEER == 0:
            w[peer + S_FLAGS] |= IS_NEXT_PEER
            push(w, V_NEXT_PEERS, peer)
        push_state(w, SENT_BY, w[R_CURRENT_PEER], 0)
    elif resolved < 0:
        if known:
            state = known >> 1
            push_state(w, w[state], w[state + 1], w[state + 2])
    else:
        if resolved == 0:
            resolved = resolve_all(a, w, node)
        request(a, w, origin, resolved, number)
    return pc + 1


def resolve_all(a: Octets, w: Longs, node: int) -> int:
    """All arguments: three words each, value, tetraplet, canon; or an error. UNDEFINED only if nothing else is wrong before."""
    number = w[node + C_COUNT]
    first = alloc(w, 3 * number + 1)
    for index in range(number):
        code = resolve(a, w, w[w[node + C_ARGUMENTS] + index])
        if code < 0:
            return code
        w[first + 3 * index] = w[R_VALUE]
        w[first + 3 * index + 1] = w[R_TETRAPLET]
        w[first + 3 * index + 2] = w[R_CANON]
    return first


def put_arguments(a: Octets, w: Longs, resolved: int, number: int) -> None:
    """Append the array of the arguments' values."""
    put(a, w, b"[")
    for index in range(number):
        if index:
            put(a, w, b",")
        value = w[resolved + 3 * index]
        copy(a, w, w[value + J_POS], w[value + J_POS] + w[value + J_LEN])
    put(a, w, b"]")


def known_result(a: Octets, w: Longs, node: int, state: int, source: int, origin: int, resolved: int) -> None:
    """Check a recorded result against this call, and bind it."""
    output = w[node + C_OUTPUT]
    kind = w[state]
    if kind != (UNUSED if output == NONE else SCALAR if output == TO_SCALAR else STREAM) or resolved < 0:
        decline(w, WHY_ERROR)
    cid = w[state + 1]
    generation = w[state + 2]
    if output != NONE:
        entry = w[cid + S_SERVICE]
        if entry == 0:
            decline(w, WHY_STORE)
        value = stored_value(a, w, w[entry + V_VALUE])
        if stored_tetraplet(w, w[entry + V_ORIGIN]) != origin:
            decline(w, WHY_ERROR)
        arguments = w[entry + V_ARGUMENTS]
        if w[node + C_HASH]:
            if w[node + C_HASH] != arguments:
                decline(w, WHY_ERROR)
        else:
            at = w[R_TOP]
            put_arguments(a, w, resolved, w[node + C_COUNT])
            if w[R_TOP] - at > LATER_MAX:
                if cid_of_top(a, w, at) != arguments:
                    decline(w, WHY_ERROR)
            else:
                expect_cid(a, w, at, w[R_TOP], arguments)
        record = raw_record(w, value, origin, states_count(w), SERVICE_RESULT, cid)
        if output == TO_SCALAR:
            assign(w, w[node + C_NAME], record)
        else:
            add_known(w, find_or_make(w, w[node + C_NAME], w[node + C_POSITION]), record, source, generation)
        sign(w, w[origin + T_PEER], cid)
    push_state(w, kind, cid, generation)


def request(a: Octets, w: Longs, origin: int, resolved: int, number: int) -> None:
    """Hand the call to the host: seven words, and for each argument how many tetraplets it has, and those."""
    if w[R_LCID] == REQUEST_ID_MAX:
        decline(w, WHY_LIMIT)
    w[R_LCID] += 1
    at = w[R_TOP]
    put_arguments(a, w, resolved, number)
    if depth(a, at, w[R_TOP]) > JSON_DEPTH_MAX:
        decline(w, WHY_LIMIT)  # nobody could read the text
    push(w, V_REQUESTS, w[R_LCID])
    push(w, V_REQUESTS, w[origin + T_SERVICE])
    push(w, V_REQUESTS, w[origin + T_FUNCTION])
    push(w, V_REQUESTS, at)
    push(w, V_REQUESTS, w[R_TOP])
    push(w, V_REQUESTS, number)
    push(w, V_REQUESTS, w[V_ORIGINS + 2])
    for index in range(number):
        canon = w[resolved + 3 * index + 2]
        if canon:
            push(w, V_COUNTS, w[canon + N_COUNT])
            for k in range(w[canon + N_COUNT]):
                push(w, V_ORIGINS, w[w[w[canon + N_RECORDS] + k] + N_TETRAPLET])
        else:
            push(w, V_COUNTS, 1)
            push(w, V_ORIGINS, w[resolved + 3 * index + 1])
    push_state(w, REQUESTED, w[R_CURRENT_PEER], w[R_LCID])


def requested(a: Octets, w: Longs, node: int, state: int, origin: int, resolved: int) -> None:
    """A request this peer made before: take its result, if it is there. Results: id, position and size, whether it failed."""
    request_id = w[state + 2]
    found = find_result(w, request_id)
    if found == 0:
        w[R_COMPLETE] = 0
        push_state(w, REQUESTED, w[state + 1], request_id)
        return
    if resolved < 0 or w[found + 3]:
        decline(w, WHY_ERROR)
    w[found] = -1
    value = alloc(w, JSON)
    w[value + J_POS] = w[found + 1]
    w[value + J_LEN] = w[found + 2]
    value = canonical_form(a, w, value)
    output = w[node + C_OUTPUT]
    if output == NONE:
        push_state(w, UNUSED, json_cid(a, w, value), 0)
        return
    arguments = w[node + C_HASH]
    if arguments == 0:
        at = w[R_TOP]
        put_arguments(a, w, resolved, w[node + C_COUNT])
        arguments = cid_of_top(a, w, at)
    cid = track_service_result(a, w, value, origin, arguments)
    record = raw_record(w, value, origin, states_count(w), SERVICE_RESULT, cid)
    if output == TO_SCALAR:
        assign(w, w[node + C_NAME], record)
    else:
        add_new(w, find_or_make(w, w[node + C_NAME], w[node + C_POSITION]), record)
    sign(w, w[origin + T_PEER], cid)
    push_state(w, SCALAR if output == TO_SCALAR else STREAM, cid, 0)
