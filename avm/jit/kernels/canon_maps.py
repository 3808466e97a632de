"""Canon maps: pairs grouped by key, their object, lenses into them. As `CanonMap` and `select_from_map` of `avm.exec`."""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Bytes, Longs, Octets
from avm.jit.kernels.heap import (
    J_LEN,
    J_POS,
    R_CID,
    R_CURRENT_PEER,
    R_EMPTY,
    R_KIND,
    R_TETRAPLET,
    R_TEXT,
    R_TOP,
    R_VALUE,
    S_ITERATOR,
    S_JSON,
    S_LEN,
    S_POS,
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
    map_place,
    number_json,
    number_map,
    push,
    put,
    put_number,
    put_text,
    string_json,
    tetraplet,
)
from avm.jit.kernels.json_text import field, order, skip
from avm.jit.kernels.layout import (
    A_INDEX,
    A_SCALAR,
    B_KEY,
    B_VALUES,
    GROUP,
    LENS,
    MINUS,
    N_CID,
    N_COUNT,
    N_GROUPS,
    N_KEYS,
    N_KIND,
    N_POS,
    N_RECORDS,
    N_TAG,
    N_TETRAPLET,
    N_VALUE,
    NINE,
    O_COUNT,
    O_FIRST,
    O_LENS,
    QUOTE,
    TAG_MAP,
    WHY_ERROR,
    ZERO,
)
from avm.jit.kernels.lenses import follow, put_accessor, record_at
from avm.jit.kernels.variables import make_record, scalar

EXPORTS: Final[tuple[str, ...]] = ()


def is_key(a: Octets, start: int, end: int) -> bool:
    """Whether a canonical text can be the key of a map: a string or an integer."""
    if a[start] == QUOTE:
        return True
    i = start
    if a[i] == MINUS:
        i += 1
    for k in range(i, end):
        if a[k] < ZERO or a[k] > NINE:
            return False
    return True


def make_map(a: Octets, w: Longs, canon: int) -> None:
    """Group the pairs of a canon map by key."""
    number = w[canon + N_COUNT]
    w[canon + N_TAG] = TAG_MAP
    w[canon + N_KEYS] = number_map(w, number)
    for index in range(number):
        pair = w[w[canon + N_RECORDS] + index]
        start = w[w[pair + N_VALUE] + J_POS]
        end = start + w[w[pair + N_VALUE] + J_LEN]
        key = member(a, w, start, end, KEY_NAME)
        key_end = skip(a, key, end)
        value = member(a, w, start, end, VALUE_NAME)
        if not is_key(a, key, key_end):
            decline(w, WHY_ERROR)
        name = intern(a, w, key, key_end)
        place = map_place(w, w[canon + N_KEYS], name)
        if w[place] == 0:
            w[place] = name + 1
            w[place + 1] = alloc(w, GROUP)
            w[w[place + 1] + B_KEY] = name
            push(w, canon + N_GROUPS, w[place + 1])
        record = make_record(
            w,
            json(w, value, skip(a, value, end)),
            w[pair + N_TETRAPLET],
            w[pair + N_POS],
            w[pair + N_KIND],
            w[pair + N_CID],
        )
        push(w, w[place + 1] + B_VALUES, record)


KEY_NAME: Final = b"key"
VALUE_NAME: Final = b"value"


def member(a: Octets, w: Longs, start: int, end: int, name: Bytes) -> int:
    """Where a member of an object stands. Declines if there is none."""
    at = w[R_TOP]
    put(a, w, name)
    found = field(a, start, end, at, w[R_TOP])
    w[R_TOP] = at
    if found < 0:
        decline(w, WHY_ERROR)
    return found


def key_string(a: Octets, w: Longs, key: int) -> int:
    """The key of a map as a JSON string: numbers become their text."""
    start = w[key + S_POS]
    if a[start] == QUOTE:
        return key
    at = w[R_TOP]
    put(a, w, b'"')
    put_text(a, w, key)
    put(a, w, b'"')
    return intern_top(a, w, at)


def sort_keys(a: Octets, w: Longs, base: int, number: int) -> None:
    """Sort pairs of words by the JSON string that the first one is. Merge sort, from the bottom."""
    other = alloc(w, 2 * number)
    source = base
    target = other
    width = 1
    while width < number:
        start = 0
        while start < number:
            middle = min(start + width, number)
            end = min(start + 2 * width, number)
            i = start
            j = middle
            for k in range(start, end):
                left = i < middle
                if left and j < end:
                    first = w[w[source + 2 * i] + S_POS]
                    second = w[w[source + 2 * j] + S_POS]
                    left = order(a, first + 1, second + 1) <= 0
                if left:
                    w[target + 2 * k] = w[source + 2 * i]
                    w[target + 2 * k + 1] = w[source + 2 * i + 1]
                    i += 1
                else:
                    w[target + 2 * k] = w[source + 2 * j]
                    w[target + 2 * k + 1] = w[source + 2 * j + 1]
                    j += 1
            start = end
        swap = source
        source = target
        target = swap
        width = 2 * width
    if source != base:
        for k in range(2 * number):
            w[base + k] = w[source + k]


def put_records(a: Octets, w: Longs, base: int, number: int) -> None:
    """Append the array of some records' values."""
    put(a, w, b"[")
    for index in range(number):
        if index:
            put(a, w, b",")
        value = w[w[base + index] + N_VALUE]
        copy(a, w, w[value + J_POS], w[value + J_POS] + w[value + J_LEN])
    put(a, w, b"]")


def map_json(a: Octets, w: Longs, canon: int) -> int:
    """The object of key → array of values of a canon map, made once."""
    if w[canon + N_VALUE] == 0:
        number = w[canon + N_GROUPS + 2]
        members = alloc(w, 2 * number)
        for index in range(number):
            group = w[w[canon + N_GROUPS] + index]
            w[members + 2 * index] = key_string(a, w, w[group + B_KEY])
            w[members + 2 * index + 1] = group
        sort_keys(a, w, members, number)
        at = w[R_TOP]
        put(a, w, b"{")
        for index in range(number):
            if index:
                if w[members + 2 * index] == w[members + 2 * index - 2]:
                    decline(w, WHY_ERROR)  # 1 and "1"
                put(a, w, b",")
            put_text(a, w, w[members + 2 * index])
            put(a, w, b":")
            group = w[members + 2 * index + 1]
            put_records(a, w, w[group + B_VALUES], w[group + B_VALUES + 2])
        put(a, w, b"}")
        w[R_TEXT] += 3 * (w[R_TOP] - at)
        w[canon + N_VALUE] = json(w, at, w[R_TOP])
    return w[canon + N_VALUE]


def select_from_map(a: Octets, w: Longs, operand: int, canon: int) -> int:
    """Apply a lens to a canon map. Behind a key that is missing everything is empty."""
    origin = w[canon + N_TETRAPLET]
    empty = w[R_EMPTY]
    w[R_KIND] = w[canon + N_KIND]
    w[R_CID] = w[canon + N_CID]
    lens = w[operand + O_LENS]
    if w[operand + O_COUNT] == 0:
        w[R_VALUE] = number_json(a, w, w[canon + N_COUNT])
        name = intern(a, w, w[lens + S_POS] + 1, w[lens + S_POS] + w[lens + S_LEN])
        w[R_TETRAPLET] = tetraplet(w, w[R_CURRENT_PEER], empty, empty, name)
        return 0
    accessor = w[operand + O_FIRST]
    kind = w[accessor]
    key = w[accessor + 1]
    at = w[R_TOP]
    if kind == A_SCALAR:
        record = scalar(a, w, key)
        if record < 0:
            return record
        if w[key + S_ITERATOR]:
            return LENS
        value = w[record + N_VALUE]
        start = w[value + J_POS]
        end = start + w[value + J_LEN]
        if not is_key(a, start, end):
            return LENS
        key = intern(a, w, start, end)
    elif kind == A_INDEX:
        put_number(a, w, key)
        key = intern_top(a, w, at)
    else:
        start = w[string_json(a, w, key) + J_POS]
        key = intern(a, w, start, start + w[w[key + S_JSON] + J_LEN])
    place = map_place(w, w[canon + N_KEYS], key)
    group = w[place + 1] if w[place] else 0
    if group == 0 or w[operand + O_COUNT] == 1:
        at = w[R_TOP]
        if group:
            put_records(a, w, w[group + B_VALUES], w[group + B_VALUES + 2])
        else:
            put(a, w, b"[]")
        w[R_VALUE] = json(w, at, w[R_TOP])
        w[R_TETRAPLET] = tetraplet(w, w[origin + T_PEER], w[origin + T_SERVICE], w[origin + T_FUNCTION], lens)
        return 0
    found = record_at(a, w, accessor + 2, w[group + B_VALUES], w[group + B_VALUES + 2])
    if found < 0:
        return found
    value = w[found + N_VALUE]
    origin = w[found + N_TETRAPLET]
    if w[operand + O_COUNT] > 2:
        value = follow(a, w, value, operand, 2)
        if value < 0:
            return value
        at = w[R_TOP]
        put_text(a, w, w[origin + T_LENS])
        for index in range(2, w[operand + O_COUNT]):
            put(a, w, b".")
            put_accessor(a, w, w[operand + O_FIRST] + 2 * index)
        name = intern_top(a, w, at)
        origin = tetraplet(w, w[origin + T_PEER], w[origin + T_SERVICE], w[origin + T_FUNCTION], name)
    w[R_VALUE] = value
    w[R_TETRAPLET] = origin
    return 0
