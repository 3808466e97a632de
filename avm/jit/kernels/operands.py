"""Operands of the script, compiled when an instruction runs first; their values; lenses. As `avm.exec.resolve` and `lens`."""

from __future__ import annotations

from typing import Final

from avm.exec.budget import CHARGED_FROM
from avm.jit.kernel_types import Longs, Octets
from avm.jit.kernels.air_text import kind_of, name_end
from avm.jit.kernels.canon_maps import map_json, put_records, select_from_map
from avm.jit.kernels.heap import (
    J_LEN,
    J_POS,
    JSON,
    LITERAL,
    R_CANON,
    R_CID,
    R_CURRENT_PEER,
    R_EMPTY,
    R_ERROR_SET,
    R_INIT_PEER,
    R_KIND,
    R_LAST_SET,
    R_LITERAL,
    R_NO_ERROR,
    R_TETRAPLET,
    R_TEXT,
    R_TIMESTAMP,
    R_TOP,
    R_TTL,
    R_VALUE,
    T_FUNCTION,
    T_LENS,
    T_PEER,
    T_SERVICE,
    alloc,
    copy,
    decline,
    intern,
    intern_top,
    json,
    number_json,
    put,
    put_text,
    room,
    string_json,
    tetraplet,
)
from avm.jit.kernels.json_text import count, read_string
from avm.jit.kernels.layout import (
    A_FIELD,
    A_INDEX,
    A_SCALAR,
    BANG,
    CLOSE_SQUARE,
    DOT,
    LENGTH,
    LETTER_L,
    N_CID,
    N_COUNT,
    N_KIND,
    N_RECORDS,
    N_TETRAPLET,
    N_VALUE,
    NINE,
    NOT_STRING,
    NUMBERS,
    O_COUNT,
    O_FIRST,
    O_JSON,
    O_KIND,
    O_LENS,
    O_TEXT,
    OPEN_SQUARE,
    OPERAND,
    QUOTE,
    T_BOOLEAN,
    T_CANON_STREAM,
    T_CANON_STREAM_LENS,
    T_CANON_STREAM_MAP,
    T_CANON_STREAM_MAP_LENS,
    T_ERROR,
    T_ERROR_LENS,
    T_INIT_PEER_ID,
    T_LAST_ERROR,
    T_LAST_ERROR_LENS,
    T_LITERAL,
    T_OPEN_SQUARE,
    T_SCALAR,
    T_SCALAR_LENS,
    T_TIMESTAMP,
    T_TTL,
    WHY_ERROR,
    WHY_LIMIT,
    WHY_OPERAND,
    ZERO,
)
from avm.jit.kernels.lenses import follow, put_accessor, record_at
from avm.jit.kernels.stores import canonical_form
from avm.jit.kernels.variables import scalar, variable
from avm.limits import RUN_TEXT_MAX

EXPORTS: Final[tuple[str, ...]] = ()


def compile_operand(a: Octets, w: Longs, start: int, end: int) -> int:
    """The node of an operand of the script, which `air_text` has taken."""
    kind = kind_of(a, start, end)
    node = alloc(w, OPERAND)
    w[node + O_KIND] = kind
    if kind == T_LITERAL:
        w[node + O_TEXT] = intern(a, w, start + 1, end - 1)
        w[node + O_JSON] = string_json(a, w, w[node + O_TEXT])
    elif kind == T_OPEN_SQUARE:
        at = w[R_TOP]
        put(a, w, b"[]")
        w[node + O_JSON] = json(w, at, at + 2)
    elif kind & NUMBERS:
        at = w[R_TOP]
        copy(a, w, start, end)
        if kind == T_BOOLEAN:
            w[node + O_JSON] = json(w, at, w[R_TOP])
        else:
            value = alloc(w, JSON)
            w[value + J_POS] = at
            w[value + J_LEN] = end - start
            w[node + O_JSON] = canonical_form(a, w, value)
    elif kind == T_INIT_PEER_ID:
        w[node + O_TEXT] = w[R_INIT_PEER]
        w[node + O_JSON] = string_json(a, w, w[R_INIT_PEER])
    elif kind == T_TIMESTAMP:
        w[node + O_JSON] = w[R_TIMESTAMP]
    elif kind == T_TTL:
        w[node + O_JSON] = w[R_TTL]
    elif kind == T_ERROR or kind == T_LAST_ERROR:
        return node
    elif kind == T_ERROR_LENS or kind == T_LAST_ERROR_LENS:
        at = start + (7 if kind == T_ERROR_LENS else 12)
        compile_lens(a, w, node, at, end)
    else:
        at = name_end(a, start, end)
        w[node + O_TEXT] = intern(a, w, start, at)
        if at < end:
            compile_lens(a, w, node, at, end)
    return node


def compile_lens(a: Octets, w: Longs, node: int, start: int, end: int) -> None:
    """Accessors of a lens; without them it is the length. The text is that of the printer, which has no `!`."""
    if a[start + 1] == LETTER_L:
        w[node + O_LENS] = intern(a, w, start, end)
        return
    # twice: how many, then which
    number = 0
    for round_ in range(2):
        first = w[node + O_FIRST]
        number = 0
        i = start + 2
        while i < end and a[i] != BANG:
            if a[i] == DOT:
                i += 1
            if a[i] == OPEN_SQUARE:
                i += 1
                begin = i
                while a[i] != CLOSE_SQUARE:
                    i += 1
                if round_:
                    if ZERO <= a[begin] <= NINE:
                        w[first + 2 * number] = A_INDEX
                        w[first + 2 * number + 1] = decimal(a, begin, i)
                    else:
                        w[first + 2 * number] = A_SCALAR
                        w[first + 2 * number + 1] = intern(a, w, begin, i)
                i += 1
            else:
                begin = i
                while i < end and a[i] != DOT and a[i] != OPEN_SQUARE and a[i] != BANG:
                    i += 1
                if round_:
                    w[first + 2 * number] = A_FIELD
                    w[first + 2 * number + 1] = intern(a, w, begin, i)
            number += 1
        if round_ == 0:
            w[node + O_FIRST] = alloc(w, 2 * number)
            w[node + O_COUNT] = number
    at = w[R_TOP]
    put(a, w, b".$")
    for index in range(number):
        put(a, w, b".")
        put_accessor(a, w, w[node + O_FIRST] + 2 * index)
    w[node + O_LENS] = intern_top(a, w, at)


def decimal(a: Octets, start: int, end: int) -> int:
    """A number of at most nine digits."""
    value = 0
    for i in range(start, end):
        value = 10 * value + a[i] - ZERO
    return value


def resolve(a: Octets, w: Longs, operand: int) -> int:
    """Value, tetraplet and provenance of an operand into the registers; 0 or an error."""
    code = find_operand(a, w, operand)
    if code == 0:
        size = w[w[R_VALUE] + J_LEN]
        if size >= CHARGED_FROM:
            # once where its text is made, once where it is handed on
            w[R_TEXT] += 2 * size
            if w[R_TEXT] > RUN_TEXT_MAX:
                decline(w, WHY_LIMIT)
    return code


def find_operand(a: Octets, w: Longs, operand: int) -> int:
    """As `resolve`, without counting the text."""
    kind = w[operand + O_KIND]
    w[R_CANON] = 0
    if w[operand + O_JSON]:
        w[R_VALUE] = w[operand + O_JSON]
        w[R_TETRAPLET] = w[R_LITERAL]
        w[R_KIND] = LITERAL
        w[R_CID] = 0
        return 0
    if kind == T_SCALAR or kind == T_SCALAR_LENS:
        record = scalar(a, w, w[operand + O_TEXT])
        if record < 0:
            return record
        w[R_TETRAPLET] = w[record + N_TETRAPLET]
        w[R_KIND] = w[record + N_KIND]
        w[R_CID] = w[record + N_CID]
        w[R_VALUE] = w[record + N_VALUE]
        if kind == T_SCALAR:
            return 0
        return select(a, w, operand)
    if kind == T_CANON_STREAM or kind == T_CANON_STREAM_MAP:
        canon = variable(w, w[operand + O_TEXT])
        if canon < 0:
            return canon
        w[R_VALUE] = canon_json(a, w, canon) if kind == T_CANON_STREAM else map_json(a, w, canon)
        w[R_TETRAPLET] = w[canon + N_TETRAPLET]
        w[R_KIND] = w[canon + N_KIND]
        w[R_CID] = w[canon + N_CID]
        w[R_CANON] = canon
        return 0
    if kind == T_CANON_STREAM_LENS:
        canon = variable(w, w[operand + O_TEXT])
        if canon < 0:
            return canon
        return select_from_canon(a, w, operand, canon)
    if kind == T_CANON_STREAM_MAP_LENS:
        canon = variable(w, w[operand + O_TEXT])
        if canon < 0:
            return canon
        return select_from_map(a, w, operand, canon)
    if kind == T_ERROR or kind == T_ERROR_LENS:
        if w[R_ERROR_SET]:
            return decline(w, WHY_ERROR)
    elif kind == T_LAST_ERROR or kind == T_LAST_ERROR_LENS:
        if w[R_LAST_SET]:
            return decline(w, WHY_ERROR)
    else:
        return decline(w, WHY_OPERAND)
    if w[R_NO_ERROR] == 0:
        at = w[R_TOP]
        put(a, w, b'{"error_code":0,"message":""}')
        w[R_NO_ERROR] = json(w, at, w[R_TOP])
    w[R_VALUE] = w[R_NO_ERROR]
    w[R_TETRAPLET] = w[R_LITERAL]
    w[R_KIND] = LITERAL
    w[R_CID] = 0
    if kind == T_ERROR or kind == T_LAST_ERROR:
        return 0
    origin = w[R_TETRAPLET]
    code = select(a, w, operand)
    w[R_TETRAPLET] = origin
    return code


def select(a: Octets, w: Longs, operand: int) -> int:
    """Apply a lens to the value in the registers."""
    value = w[R_VALUE]
    base = w[R_TETRAPLET]
    if w[operand + O_COUNT] == 0:
        start = w[value + J_POS]
        number = count(a, start, start + w[value + J_LEN])
        if number < 0:
            return LENGTH
        w[R_VALUE] = number_json(a, w, number)
        empty = w[R_EMPTY]
        w[R_TETRAPLET] = tetraplet(w, empty, empty, empty, w[operand + O_LENS])
        return 0
    found = follow(a, w, value, operand, 0)
    if found < 0:
        return found
    w[R_VALUE] = found
    lens = w[operand + O_LENS]
    if w[base + T_LENS] != w[R_EMPTY]:
        at = w[R_TOP]
        put_text(a, w, w[base + T_LENS])
        put_text(a, w, lens)
        lens = intern_top(a, w, at)
    w[R_TETRAPLET] = tetraplet(w, w[base + T_PEER], w[base + T_SERVICE], w[base + T_FUNCTION], lens)
    return 0


def canon_json(a: Octets, w: Longs, canon: int) -> int:
    """The array of all values of a canon stream, made once."""
    if w[canon + N_VALUE] == 0:
        at = w[R_TOP]
        put_records(a, w, w[canon + N_RECORDS], w[canon + N_COUNT])
        w[R_TEXT] += 2 * (w[R_TOP] - at)
        w[canon + N_VALUE] = json(w, at, w[R_TOP])
    return w[canon + N_VALUE]


def select_from_canon(a: Octets, w: Longs, operand: int, canon: int) -> int:
    """Apply a lens to a canon stream."""
    if w[operand + O_COUNT] == 0:
        empty = w[R_EMPTY]
        w[R_VALUE] = number_json(a, w, w[canon + N_COUNT])
        # as the reference has it: the functor stands where the service belongs (D7)
        w[R_TETRAPLET] = tetraplet(w, w[R_CURRENT_PEER], w[operand + O_LENS], empty, empty)
        w[R_KIND] = w[canon + N_KIND]
        w[R_CID] = w[canon + N_CID]
        return 0
    found = record_at(a, w, w[operand + O_FIRST], w[canon + N_RECORDS], w[canon + N_COUNT])
    if found < 0:
        return found
    value = w[found + N_VALUE]
    if w[operand + O_COUNT] > 1:
        value = follow(a, w, value, operand, 1)
        if value < 0:
            return value
    w[R_VALUE] = value
    w[R_TETRAPLET] = w[found + N_TETRAPLET]
    w[R_KIND] = w[found + N_KIND]
    w[R_CID] = w[found + N_CID]
    return 0


def resolve_text(a: Octets, w: Longs, operand: int) -> int:
    """A part of a triplet: the node of its text, or an error."""
    if w[operand + O_TEXT] and w[operand + O_JSON]:
        return w[operand + O_TEXT]
    code = resolve(a, w, operand)
    if code < 0:
        return code
    start = w[w[R_VALUE] + J_POS]
    end = start + w[w[R_VALUE] + J_LEN]
    if a[start] != QUOTE:
        return NOT_STRING
    at = room(a, w, end - start)
    w[R_TOP] = read_string(a, start, end, at)
    return intern_top(a, w, at)
