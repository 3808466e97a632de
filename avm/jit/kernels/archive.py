"""Archives of interpreter data in and out, and the CIDs each peer signed.

Input: archives in the arena, from anywhere. What `avm.data.archive_reader` would refuse is declined here, and so is what no honest writer
makes: two entries of one key, one object under two keys, texts that overlap, CIDs of an unusual form. Python then has the last word.
Output: traces as vectors of four words a state; stores as entries of the interned CIDs and vectors of those in order of insertion.

An editor of this file must preserve: `write_archive` gives the bytes of `avm.data.archive_writer`, for the same order.
"""

from __future__ import annotations

from functools import reduce
from typing import Final

from avm.jit.kernel_types import Longs, Octets, seek
from avm.jit.kernels.heap import (
    CANON,
    CID_SIZE,
    J_CANONICAL,
    J_CID,
    J_LEN,
    J_POS,
    JSON,
    LITERAL,
    R_ARCHIVE_END,
    R_ARCHIVE_START,
    R_CURRENT_LCID,
    R_LCID,
    R_OUT_BASE,
    R_PLACES,
    R_PREV_LCID,
    R_SIDE,
    R_TOP,
    R_UNCHANGED,
    R_WINDOW_END,
    R_WINDOW_START,
    S_AT,
    S_ELEMENT,
    S_FLAGS,
    S_GROUP,
    S_KEY,
    S_LEN,
    S_PEER_AT,
    S_POS,
    S_RESULT,
    S_SERVICE,
    S_TETRAPLET,
    S_VALUE,
    T_PEER,
    V_CURRENT_SIGNATURES,
    V_CURRENT_TRACE,
    V_ELEMENTS,
    V_PREV_SIGNATURES,
    V_PREV_TRACE,
    V_RANGES,
    V_RESULTS,
    V_SERVICES,
    V_SIGNED,
    V_TETRAPLETS,
    V_TRACE,
    V_VALUES,
    WHY_CID,
    alloc,
    check_cids,
    copy,
    decline,
    expect_cid,
    extend,
    intern,
    map_place,
    number_map,
    push,
    put_canon_result,
    put_element,
    put_service_result,
    put_tetraplet,
    room,
    tetraplet,
)
from avm.trace import states

EXPORTS: Final[tuple[str, ...]] = ()

WHY_ARCHIVE: Final = 20
WHY_SIGNERS: Final = 22

ROOT_SIZE: Final = 60
STATE_SIZE: Final = 24
ENTRY_SIZE: Final = 12

PAR, SENT_BY, REQUESTED, SCALAR = states.PAR, states.SENT_BY, states.REQUESTED, states.SCALAR
STREAM, UNUSED, FAILED, FOLD = states.STREAM, states.UNUSED, states.FAILED, states.FOLD
AP, CANON_SENT_BY, CANON_STATE = states.AP, states.CANON_SENT_BY, states.CANON

# Places of an archive that more than one pointer may point at: its kind and its node.
P_TEXT, P_PEER, P_OTHER = 1, 2, 3

PREVIOUS: Final = 0
CURRENT: Final = 1

# Entries of stores that are nodes.
E_TETRAPLET, E_FIRST, E_COUNT, RESULT = 0, 1, 2, 3
L_VALUE, L_TETRAPLET, L_KIND, L_SOURCE, ELEMENT = 0, 1, 2, 3, 4
V_VALUE, V_ARGUMENTS, V_ORIGIN, SERVICE = 0, 1, 2, 3

STORE_VALUES, STORE_TETRAPLETS, STORE_ELEMENTS, STORE_RESULTS, STORE_SERVICES = 0, 1, 2, 3, 4
STORES: Final = 5
STORE_VECTORS: Final = (V_VALUES, V_TETRAPLETS, V_ELEMENTS, V_RESULTS, V_SERVICES)
STORE_FIELDS: Final = (S_VALUE, S_TETRAPLET, S_ELEMENT, S_RESULT, S_SERVICE)
STORE_SIZES: Final = (8, 32, 28, 16, 24)
ROOT_POINTERS: Final = (12, 20, 28, 36, 44)

USUAL_BEGINNING: Final = reduce(lambda key, character: (key << 7) ^ character, b"bagaaihra", 0)
"""What `cid_key` makes of the beginning that all CIDs of the usual form have."""

SERVICE_RESULT_KIND: Final = 1
HEAD_BYTES: Final = 64
"""Left free before a written archive: the envelope's."""

INLINE_MAX: Final = 7
STATE: Final = 4
"""Words of a state."""


def u32(a: Octets, at: int) -> int:
    """Big-endian u32."""
    four = a[at : at + 4]
    return (four[0] << 24) | (four[1] << 16) | (four[2] << 8) | four[3]


def i32(a: Octets, at: int) -> int:
    """Big-endian i32."""
    word = u32(a, at)
    return word - 0x100000000 if word >= 0x80000000 else word


NOT_ASCII: Final = bytes(range(0x80, 0x100))


def is_ascii(a: Octets, start: int, end: int) -> bool:
    """Whether all bytes are below 0x80."""
    return seek(a, start, end, NOT_ASCII) == end


def is_utf8(a: Octets, start: int, end: int) -> bool:
    """Whether this is UTF-8."""
    i = seek(a, start, end, NOT_ASCII)
    while i < end:
        c = a[i]
        if c < 0x80:
            i = seek(a, i, end, NOT_ASCII)
            continue
        if c < 0xC2 or c > 0xF4:
            return False
        more = 1 if c < 0xE0 else 2 if c < 0xF0 else 3
        if i + more >= end:
            return False
        second = a[i + 1]
        low = 0xA0 if c == 0xE0 else 0x90 if c == 0xF0 else 0x80
        high = 0x9F if c == 0xED else 0x8F if c == 0xF4 else 0xBF
        if second < low or second > high:
            return False
        for k in range(2, more + 1):
            if a[i + k] & 0xC0 != 0x80:
                return False
        i += more + 1
    return True


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def claim(w: Longs, position: int, size: int) -> None:
    """An aligned object must lie in the window; positions are those of the arena, archives begin at a multiple of 4."""
    if position & 3 or position < w[R_WINDOW_START] or size < 0 or position + size > w[R_WINDOW_END]:
        decline(w, WHY_ARCHIVE)


def text(a: Octets, w: Longs, position: int, size: int) -> int:
    """A shared string."""
    place = map_place(w, w[R_PLACES], position)
    if w[place]:
        found = w[place + 1]
        if found & 3 != P_TEXT or w[(found >> 2) + S_LEN] != size:
            decline(w, WHY_ARCHIVE)
        return found >> 2
    end = position + size
    if size == 0 or position < w[R_WINDOW_START] or end > w[R_WINDOW_END] or not is_ascii(a, position, end):
        decline(w, WHY_ARCHIVE)
    node = intern(a, w, position, end)
    w[R_WINDOW_START] = end
    w[place] = position + 1
    w[place + 1] = (node << 2) | P_TEXT
    return node


def string(a: Octets, w: Longs, position: int) -> int:
    """An owned string at a checked position."""
    last = a[position + 7]
    if last < 0x80:
        if last > INLINE_MAX:
            decline(w, WHY_ARCHIVE)
        if not is_utf8(a, position, position + last):
            decline(w, WHY_ARCHIVE)
        return intern(a, w, position, position + last)
    size = u32(a, position)
    eight = a[position : position + 8]
    offset = (eight[4] | (eight[5] << 8) | (eight[6] << 16) | (eight[7] << 24)) - 0x100000000
    body = position + offset
    if body < w[R_WINDOW_START] or body + size > w[R_WINDOW_END] or not is_utf8(a, body, body + size):
        decline(w, WHY_ARCHIVE)
    w[R_WINDOW_START] = body + size
    return intern(a, w, body, body + size)


def peer(a: Octets, w: Longs, position: int) -> int:
    """A shared peer id."""
    place = map_place(w, w[R_PLACES], position)
    if w[place]:
        if w[place + 1] & 3 != P_PEER:
            decline(w, WHY_ARCHIVE)
        return w[place + 1] >> 2
    claim(w, position, 8)
    outer = w[R_WINDOW_END]
    w[R_WINDOW_END] = position
    node = string(a, w, position)
    w[R_WINDOW_START] = position + 8
    w[R_WINDOW_END] = outer
    w[place] = position + 1
    w[place + 1] = (node << 2) | P_PEER
    return node


def read_trace(a: Octets, w: Longs, base: int, count: int, vector: int) -> None:
    """All states."""
    claim(w, base, STATE_SIZE * count)
    outer = w[R_WINDOW_END]
    w[R_WINDOW_END] = base
    out = extend(w, vector, STATE * count)
    for index in range(count):
        at = base + STATE_SIZE * index
        kind = a[at]
        state = out + STATE * index
        w[state + 3] = 0
        if kind == 1:
            variant = a[at + 4]
            inner = a[at + 8]
            if variant == 1:
                cid = text(a, w, at + 12 + i32(a, at + 12), u32(a, at + 16))
                w[state + 1] = cid
                w[state + 2] = 0
                if inner == 0:
                    w[state] = SCALAR
                elif inner == 1:
                    w[state] = STREAM
                    w[state + 2] = u32(a, at + 20)
                elif inner == 2:
                    w[state] = UNUSED
                else:
                    decline(w, WHY_ARCHIVE)
            elif variant == 0:
                w[state + 1] = peer(a, w, at + 12 + i32(a, at + 12))
                w[state + 2] = 0
                if inner == 0:
                    w[state] = SENT_BY
                elif inner == 1:
                    w[state] = REQUESTED
                    w[state + 2] = u32(a, at + 16)
                else:
                    decline(w, WHY_ARCHIVE)
            elif variant == 2:
                w[state] = FAILED
                w[state + 1] = text(a, w, at + 8 + i32(a, at + 8), u32(a, at + 12))
                w[state + 2] = 0
            else:
                decline(w, WHY_ARCHIVE)
        elif kind == 0:
            w[state] = PAR
            w[state + 1] = u32(a, at + 4)
            w[state + 2] = u32(a, at + 8)
        elif kind == 3:
            position = at + 4 + i32(a, at + 4)
            if u32(a, at + 8) != 1:
                decline(w, WHY_ARCHIVE)
            claim(w, position, 4)
            w[R_WINDOW_START] = position + 4
            w[state] = AP
            w[state + 1] = u32(a, position)
            w[state + 2] = 0
        elif kind == 4:
            variant = a[at + 4]
            position = at + 8 + i32(a, at + 8)
            w[state + 2] = 0
            if variant == 1:
                w[state] = CANON_STATE
                w[state + 1] = text(a, w, position, u32(a, at + 12))
            elif variant == 0:
                w[state] = CANON_SENT_BY
                w[state + 1] = peer(a, w, position)
            else:
                decline(w, WHY_ARCHIVE)
        elif kind == 2:
            entries = u32(a, at + 8)
            w[state] = FOLD
            w[state + 1] = read_lore(a, w, at + 4 + i32(a, at + 4), entries)
            w[state + 2] = entries
        else:
            decline(w, WHY_ARCHIVE)
    w[R_WINDOW_START] = base + STATE_SIZE * count
    w[R_WINDOW_END] = outer


def read_lore(a: Octets, w: Longs, base: int, count: int) -> int:
    """Five words an entry."""
    claim(w, base, 12 * count)
    outer = w[R_WINDOW_END]
    w[R_WINDOW_END] = base
    lore = alloc(w, 5 * count)
    for index in range(count):
        at = base + 12 * index
        position = at + 4 + i32(a, at + 4)
        if u32(a, at + 8) != 2:
            decline(w, WHY_ARCHIVE)
        claim(w, position, 16)
        entry = lore + 5 * index
        w[entry] = u32(a, at)
        for k in range(4):
            w[entry + 1 + k] = u32(a, position + 4 * k)
        w[R_WINDOW_START] = position + 16
    w[R_WINDOW_START] = base + 12 * count
    w[R_WINDOW_END] = outer
    return lore


def read_store(a: Octets, w: Longs, base: int, count: int, store: int) -> None:
    """One store: its entries become those of their keys."""
    claim(w, base, ENTRY_SIZE * count)
    outer = w[R_WINDOW_END]
    w[R_WINDOW_END] = base
    size = STORE_SIZES[store]
    field = STORE_FIELDS[store]
    vector = STORE_VECTORS[store]
    seen = 1 << (store + 8 * w[R_SIDE])
    for index in range(count):
        at = base + ENTRY_SIZE * index
        key = text(a, w, at + i32(a, at), u32(a, at + 4))
        position = at + 8 + i32(a, at + 8)
        place = map_place(w, w[R_PLACES], position)
        if w[place] or w[key + S_FLAGS] & seen:
            decline(w, WHY_ARCHIVE)
        claim(w, position, size)
        w[R_WINDOW_END] = position
        w[key + S_FLAGS] |= seen
        if store == STORE_VALUES:
            entry = read_value(a, w, position)
        elif store == STORE_TETRAPLETS:
            entry = tetraplet(
                w,
                string(a, w, position),
                string(a, w, position + 8),
                string(a, w, position + 16),
                string(a, w, position + 24),
            )
        elif store == STORE_ELEMENTS:
            entry = read_element(a, w, position)
        elif store == STORE_RESULTS:
            entry = read_result(a, w, position)
        else:
            entry = alloc(w, SERVICE)
            for k in range(3):
                part = position + 8 * k
                w[entry + k] = text(a, w, part + i32(a, part), u32(a, part + 4))
        w[R_WINDOW_START] = position + size
        w[R_WINDOW_END] = base
        w[place] = position + 1
        w[place + 1] = P_OTHER
        if w[key + field] == 0:
            push(w, vector, key)
        elif store == STORE_VALUES and not is_utf8_value(a, w, w[key + field]):
            # nobody will read the previous data's entry
            decline(w, WHY_ARCHIVE)
        w[key + field] = entry
    w[R_WINDOW_START] = base + ENTRY_SIZE * count
    w[R_WINDOW_END] = outer


def read_value(a: Octets, w: Longs, position: int) -> int:
    """A stored value, not yet known to be JSON."""
    body = position + i32(a, position)
    size = u32(a, position + 4)
    if body < w[R_WINDOW_START] or body + size > position:
        decline(w, WHY_ARCHIVE)
    # whether it is UTF-8 shows when it is read, or in the end, see `check_unread`
    node = alloc(w, JSON)
    w[node + J_POS] = body
    w[node + J_LEN] = size
    return node


def is_utf8_value(a: Octets, w: Longs, entry: int) -> bool:
    """Whether a stored value is UTF-8."""
    return is_utf8(a, w[entry + J_POS], w[entry + J_POS] + w[entry + J_LEN])


def check_unread(a: Octets, w: Longs) -> None:
    """Values that no instruction has read must be UTF-8, too."""
    for index in range(w[V_VALUES + 2]):
        entry = w[w[w[V_VALUES] + index] + S_VALUE]
        if w[entry + J_CANONICAL] == 0 and not is_utf8_value(a, w, entry):
            decline(w, WHY_ARCHIVE)


def read_element(a: Octets, w: Longs, position: int) -> int:
    """An element of canon results."""
    entry = alloc(w, ELEMENT)
    w[entry + L_VALUE] = text(a, w, position + i32(a, position), u32(a, position + 4))
    w[entry + L_TETRAPLET] = text(a, w, position + 8 + i32(a, position + 8), u32(a, position + 12))
    kind = a[position + 16]
    if kind > CANON:
        decline(w, WHY_ARCHIVE)
    w[entry + L_KIND] = kind
    if kind != LITERAL:
        w[entry + L_SOURCE] = text(a, w, position + 20 + i32(a, position + 20), u32(a, position + 24))
    return entry


def read_result(a: Octets, w: Longs, position: int) -> int:
    """A canon result."""
    origin = text(a, w, position + i32(a, position), u32(a, position + 4))
    base = position + 8 + i32(a, position + 8)
    count = u32(a, position + 12)
    claim(w, base, 8 * count)
    w[R_WINDOW_END] = base
    first = alloc(w, count)
    for index in range(count):
        at = base + 8 * index
        w[first + index] = text(a, w, at + i32(a, at), u32(a, at + 4))
    w[R_WINDOW_START] = base + 8 * count
    w[R_WINDOW_END] = position
    entry = alloc(w, RESULT)
    w[entry + E_TETRAPLET] = origin
    w[entry + E_FIRST] = first
    w[entry + E_COUNT] = count
    return entry


def read_signatures(a: Octets, w: Longs, base: int, count: int, vector: int) -> None:
    """Four words each: where key and signature are, and their sizes."""
    claim(w, base, 16 * count)
    outer = w[R_WINDOW_END]
    w[R_WINDOW_END] = base
    for index in range(count):
        at = base + 16 * index
        for k in range(2):
            part = at + 8 * k
            position = part + i32(a, part)
            size = u32(a, part + 4)
            if position < w[R_WINDOW_START] or position + size > base:
                decline(w, WHY_ARCHIVE)
            w[R_WINDOW_START] = position + size
            push(w, vector, position)
            push(w, vector, size)
    w[R_WINDOW_START] = base + 16 * count
    w[R_WINDOW_END] = outer


def read_archive(a: Octets, w: Longs, start: int, end: int, side: int) -> None:
    """Read the archive at `start`, a multiple of 4, into the traces and stores. An empty range holds nothing."""
    w[R_SIDE] = side
    if start == end:
        w[R_CURRENT_LCID if side == CURRENT else R_PREV_LCID] = 0
        return
    base = end - ROOT_SIZE
    if base < start or (base - start) & 3:
        decline(w, WHY_ARCHIVE)
    w[R_ARCHIVE_START] = start
    w[R_ARCHIVE_END] = end
    w[R_WINDOW_START] = start
    w[R_WINDOW_END] = base
    places = u32(a, base + 4)
    for store in range(STORES):
        places += 5 * u32(a, base + ROOT_POINTERS[store] + 4)
    if places > end - start:
        decline(w, WHY_ARCHIVE)
    w[R_PLACES] = number_map(w, places + 64)
    vector = V_CURRENT_TRACE if side == CURRENT else V_PREV_TRACE
    read_trace(a, w, base + i32(a, base), u32(a, base + 4), vector)
    w[R_CURRENT_LCID if side == CURRENT else R_PREV_LCID] = u32(a, base + 8)
    for store in range(STORES):
        at = base + ROOT_POINTERS[store]
        read_store(a, w, at + i32(a, at), u32(a, at + 4), store)
    vector = V_CURRENT_SIGNATURES if side == CURRENT else V_PREV_SIGNATURES
    read_signatures(a, w, base + 52 + i32(a, base + 52), u32(a, base + 56), vector)


# ── checks of current data ───────────────────────────────────────────────────────────────────────────────────────────


def has(w: Longs, cid: int, store: int) -> bool:
    """Whether the current data has an entry of this key."""
    return w[cid + S_FLAGS] & (1 << (store + 8 * CURRENT)) != 0


def verify_stores(a: Octets, w: Longs) -> None:
    """Every entry of the current data against its CID, and every reference. Declines if one does not fit."""
    start = w[R_TOP]
    for store in range(STORES):
        vector = STORE_VECTORS[store]
        for index in range(w[vector + 2]):
            cid = w[w[vector] + index]
            if has(w, cid, store):
                if not expect_entry(a, w, cid, store):
                    decline(w, WHY_CID)
                if w[V_RANGES + 2] == 0:
                    w[R_TOP] = start
    check_cids(a, w)
    w[R_TOP] = start


def expect_entry(a: Octets, w: Longs, cid: int, store: int) -> bool:
    """Expect the CID of an entry of the current data; whether its references are there."""
    entry = w[cid + STORE_FIELDS[store]]
    start = w[R_TOP]
    fits = True
    if store == STORE_VALUES:
        begin = w[entry + J_POS]
        w[entry + J_CID] = cid
        expect_cid(a, w, begin, begin + w[entry + J_LEN], cid)
        return True
    if store == STORE_TETRAPLETS:
        put_tetraplet(a, w, entry)
    elif store == STORE_ELEMENTS:
        put_element(a, w, w[entry + L_VALUE], w[entry + L_TETRAPLET], w[entry + L_KIND], w[entry + L_SOURCE])
        fits = has(w, w[entry + L_TETRAPLET], STORE_TETRAPLETS) and has(w, w[entry + L_VALUE], STORE_VALUES)
        if w[entry + L_KIND] == SERVICE_RESULT_KIND:
            fits = fits and has(w, w[entry + L_SOURCE], STORE_SERVICES)
        elif w[entry + L_KIND] != LITERAL:
            fits = fits and has(w, w[entry + L_SOURCE], STORE_RESULTS)
    elif store == STORE_RESULTS:
        put_canon_result(a, w, w[entry + E_TETRAPLET], w[entry + E_FIRST], w[entry + E_COUNT])
        fits = has(w, w[entry + E_TETRAPLET], STORE_TETRAPLETS)
        for k in range(w[entry + E_COUNT]):
            fits = fits and has(w, w[w[entry + E_FIRST] + k], STORE_ELEMENTS)
    else:
        put_service_result(a, w, w[entry], w[entry + 1], w[entry + 2])
        fits = has(w, w[entry + V_VALUE], STORE_VALUES) and has(w, w[entry + V_ORIGIN], STORE_TETRAPLETS)
    expect_cid(a, w, start, w[R_TOP], cid)
    return fits


def group_signers(a: Octets, w: Longs, trace: int, groups: int) -> None:
    """CIDs of a trace by the peer that signs them, sorted. Four words a group: peer, and the vector of its CIDs.

    The archive of the trace is the last one read, and has to have the entries itself: those of the other data do not count.
    """
    base = w[trace]
    first = w[groups + 2]
    for index in range(w[trace + 2] // STATE):
        state = base + STATE * index
        kind = w[state]
        origin = 0
        if kind == SCALAR or kind == STREAM or kind == FAILED:
            entry = w[w[state + 1] + S_SERVICE]
            if w[w[state + 1] + S_FLAGS] & (1 << (STORE_SERVICES + 8 * w[R_SIDE])) == 0:
                decline(w, WHY_SIGNERS)
            origin = w[entry + V_ORIGIN]
        elif kind == CANON_STATE:
            entry = w[w[state + 1] + S_RESULT]
            if w[w[state + 1] + S_FLAGS] & (1 << (STORE_RESULTS + 8 * w[R_SIDE])) == 0:
                decline(w, WHY_SIGNERS)
            origin = w[entry + E_TETRAPLET]
        else:
            continue
        node = w[origin + S_TETRAPLET]
        if node == 0:
            decline(w, WHY_SIGNERS)
        signer = w[node + T_PEER]
        if w[signer + S_GROUP] == 0:
            group = alloc(w, 4)
            w[group] = signer
            w[signer + S_GROUP] = group
            push(w, groups, group)
        push(w, w[signer + S_GROUP] + 1, w[state + 1])
    for index in range(first, w[groups + 2]):
        group = w[w[groups] + index]
        w[w[group] + S_GROUP] = 0
        sort_cids(a, w, w[group + 1], w[group + 3])


def cid_key(a: Octets, w: Longs, cid: int) -> int:
    """Eight characters of a CID of the usual form behind its common beginning: nearly always enough to order them."""
    key = w[cid + S_KEY]
    if key == 0:
        if w[cid + S_LEN] != CID_SIZE:
            decline(w, WHY_SIGNERS)
        at = w[cid + S_POS]
        for k in range(9):
            key = (key << 7) ^ a[at + k]
        if key != USUAL_BEGINNING:
            decline(w, WHY_SIGNERS)
        key = 0
        for k in range(8):
            key = (key << 8) | a[at + 9 + k]
        w[cid + S_KEY] = key
    return key


def before(a: Octets, w: Longs, left: int, right: int) -> bool:
    """Whether a CID comes before another one, or is the same."""
    if left == right:
        return True
    first = cid_key(a, w, left)
    second = cid_key(a, w, right)
    if first != second:
        return first < second
    left_at = w[left + S_POS]
    right_at = w[right + S_POS]
    for k in range(CID_SIZE):
        if a[left_at + k] != a[right_at + k]:
            return a[left_at + k] < a[right_at + k]
    return True


def sort_cids(a: Octets, w: Longs, base: int, count: int) -> None:
    """Merge sort, from the bottom."""
    other = alloc(w, count)
    source = base
    target = other
    width = 1
    while width < count:
        start = 0
        while start < count:
            middle = min(start + width, count)
            end = min(start + 2 * width, count)
            i = start
            j = middle
            for k in range(start, end):
                if i < middle and (j >= end or before(a, w, w[source + i], w[source + j])):
                    w[target + k] = w[source + i]
                    i += 1
                else:
                    w[target + k] = w[source + j]
                    j += 1
            start = end
        swap = source
        source = target
        target = swap
        width = 2 * width
    if count == 1:
        cid_key(a, w, w[base])
    if source != base:
        for k in range(count):
            w[base + k] = w[source + k]


def merge_group(a: Octets, w: Longs, ours: int, theirs: int) -> int:
    """Of one peer's CIDs in the previous and in the current data: 0 if the previous ones count, 1 if the current ones do."""
    left = w[ours + 1]
    left_count = w[ours + 3]
    right = w[theirs + 1]
    right_count = w[theirs + 3]
    swapped = left_count < right_count
    if swapped:
        left = w[theirs + 1]
        left_count = w[theirs + 3]
        right = w[ours + 1]
        right_count = w[ours + 3]
    # the smaller one must be part of the larger one
    i = 0
    for k in range(right_count):
        while i < left_count and w[left + i] != w[right + k]:
            i += 1
        if i == left_count:
            decline(w, WHY_SIGNERS)
        i += 1
    return 1 if swapped else 0


def put_message(a: Octets, w: Longs, base: int, count: int) -> None:
    """Append what is signed of CIDs of the usual form, all but the salt."""
    at = room(a, w, 4 + (CID_SIZE + 4) * count)
    for k in range(4):
        a[at + k] = (count >> (8 * k)) & 255
    at += 4
    for index in range(count):
        a[at] = CID_SIZE
        a[at + 1] = 0
        a[at + 2] = 0
        a[at + 3] = 0
        w[R_TOP] = at + 4
        start = w[w[base + index] + S_POS]
        copy(a, w, start, start + CID_SIZE)
        at += 4 + CID_SIZE
    w[R_TOP] = at


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def store32(a: Octets, w: Longs, number: int) -> None:
    """Append a big-endian number of 32 bits."""
    at = room(a, w, 4)
    four = a[at : at + 4]
    four[0] = (number >> 24) & 255
    four[1] = (number >> 16) & 255
    four[2] = (number >> 8) & 255
    four[3] = number & 255
    w[R_TOP] = at + 4


def align(a: Octets, w: Longs) -> int:
    """Pad to a multiple of 4 of the archive; the place reached."""
    while (w[R_TOP] - w[R_OUT_BASE]) & 3:
        at = room(a, w, 1)
        a[at] = 0
        w[R_TOP] = at + 1
    return w[R_TOP]


def put_cid(a: Octets, w: Longs, cid: int) -> int:
    """Where a shared string stands, written on first use."""
    if w[cid + S_AT] == 0:
        w[cid + S_AT] = w[R_TOP]
        if w[cid + S_LEN] == 0:
            decline(w, WHY_ARCHIVE)
        copy(a, w, w[cid + S_POS], w[cid + S_POS] + w[cid + S_LEN])
    return w[cid + S_AT]


def put_peer(a: Octets, w: Longs, node: int) -> int:
    """Where a shared peer id stands, written on first use."""
    if w[node + S_PEER_AT] == 0:
        body = w[R_TOP]
        size = w[node + S_LEN]
        if size > INLINE_MAX:
            copy(a, w, w[node + S_POS], w[node + S_POS] + size)
        align(a, w)
        w[node + S_PEER_AT] = put_string(a, w, node, body)
    return w[node + S_PEER_AT]


def put_string(a: Octets, w: Longs, node: int, body: int) -> int:
    """Append an owned string, whose bytes are at `body` if it is long."""
    at = room(a, w, 8)
    size = w[node + S_LEN]
    if size > INLINE_MAX:
        store32(a, w, size)
        offset = body - at
        for k in range(4):
            a[at + 4 + k] = (offset >> (8 * k)) & 255
    else:
        start = w[node + S_POS]
        for k in range(INLINE_MAX):
            a[at + k] = a[start + k] if k < size else 0
        a[at + 7] = size
    w[R_TOP] = at + 8
    return at


def write_trace(a: Octets, w: Longs) -> int:
    """All states: what they point at, then the array; its place."""
    base = w[V_TRACE]
    count = w[V_TRACE + 2] // STATE
    for index in range(count):
        state = base + STATE * index
        kind = w[state]
        if kind == PAR:
            continue
        if kind == SENT_BY or kind == REQUESTED or kind == CANON_SENT_BY:
            w[state + 3] = put_peer(a, w, w[state + 1])
        elif kind == AP:
            w[state + 3] = align(a, w)
            store32(a, w, w[state + 1])
        elif kind == FOLD:
            w[state + 3] = write_lore(a, w, w[state + 1], w[state + 2])
        else:
            w[state + 3] = put_cid(a, w, w[state + 1])
    place = align(a, w)
    room(a, w, STATE_SIZE * count)
    for index in range(count):
        state = base + STATE * index
        kind = w[state]
        first = w[state + 1]
        second = w[state + 2]
        at = place + STATE_SIZE * index
        target = w[state + 3] - at
        if kind == SCALAR or kind == STREAM:
            six(a, w, 1 << 24, 1 << 24, 0 if kind == SCALAR else 1 << 24, target - 12, w[first + S_LEN], second)
        elif kind == PAR:
            six(a, w, 0, first, second, 0, 0, 0)
        elif kind == AP:
            six(a, w, 3 << 24, target - 4, 1, 0, 0, 0)
        elif kind == FOLD:
            six(a, w, 2 << 24, target - 4, second, 0, 0, 0)
        elif kind == CANON_STATE:
            six(a, w, 4 << 24, 1 << 24, target - 8, w[first + S_LEN], 0, 0)
        elif kind == SENT_BY:
            six(a, w, 1 << 24, 0, 0, target - 12, 0, 0)
        elif kind == REQUESTED:
            six(a, w, 1 << 24, 0, 1 << 24, target - 12, second, 0)
        elif kind == CANON_SENT_BY:
            six(a, w, 4 << 24, 0, target - 8, 0, 0, 0)
        elif kind == FAILED:
            six(a, w, 1 << 24, 2 << 24, target - 8, w[first + S_LEN], 0, 0)
        else:
            six(a, w, 1 << 24, 1 << 24, 2 << 24, target - 12, w[first + S_LEN], 0)
    return place


def six(a: Octets, w: Longs, first: int, second: int, third: int, fourth: int, fifth: int, sixth: int) -> None:
    """Append six words."""
    store32(a, w, first)
    store32(a, w, second)
    store32(a, w, third)
    store32(a, w, fourth)
    store32(a, w, fifth)
    store32(a, w, sixth)


def write_lore(a: Octets, w: Longs, lore: int, count: int) -> int:
    """Descriptors of all iterations, then the array of iterations; its place."""
    bodies = align(a, w)
    for index in range(count):
        for k in range(4):
            store32(a, w, w[lore + 5 * index + 1 + k])
    place = w[R_TOP]
    for index in range(count):
        store32(a, w, w[lore + 5 * index])
        store32(a, w, bodies + 16 * index - w[R_TOP])
        store32(a, w, 2)
    return place


def write_store(a: Octets, w: Longs, store: int) -> int:
    """All bodies, then the array of entries; its place."""
    vector = STORE_VECTORS[store]
    field = STORE_FIELDS[store]
    base = w[vector]
    count = w[vector + 2]
    places = alloc(w, count)
    for index in range(count):
        cid = w[base + index]
        entry = w[cid + field]
        if store == STORE_VALUES:
            put_cid(a, w, cid)
            body = w[R_TOP]
            copy(a, w, w[entry + J_POS], w[entry + J_POS] + w[entry + J_LEN])
            place = align(a, w)
            store32(a, w, body - place)
            store32(a, w, w[entry + J_LEN])
        elif store == STORE_TETRAPLETS:
            put_cid(a, w, cid)
            place = write_strings(a, w, entry)
        elif store == STORE_ELEMENTS:
            place = write_element(a, w, cid, entry)
        elif store == STORE_RESULTS:
            place = write_result(a, w, cid, entry)
        else:
            put_cid(a, w, cid)
            value = put_cid(a, w, w[entry])
            arguments = put_cid(a, w, w[entry + 1])
            origin = put_cid(a, w, w[entry + 2])
            place = align(a, w)
            store32(a, w, value - place)
            store32(a, w, w[w[entry] + S_LEN])
            store32(a, w, arguments - place - 8)
            store32(a, w, w[w[entry + 1] + S_LEN])
            store32(a, w, origin - place - 16)
            store32(a, w, w[w[entry + 2] + S_LEN])
        w[places + index] = place
    result = align(a, w)
    for index in range(count):
        cid = w[base + index]
        at = result + ENTRY_SIZE * index
        store32(a, w, w[cid + S_AT] - at)
        store32(a, w, w[cid + S_LEN])
        store32(a, w, w[places + index] - at - 8)
    return result


def write_strings(a: Octets, w: Longs, node: int) -> int:
    """The four strings of a tetraplet; place of the first."""
    body = w[R_TOP]
    for k in range(4):
        part = w[node + k]
        if w[part + S_LEN] > INLINE_MAX:
            copy(a, w, w[part + S_POS], w[part + S_POS] + w[part + S_LEN])
    place = align(a, w)
    for k in range(4):
        part = w[node + k]
        put_string(a, w, part, body)
        if w[part + S_LEN] > INLINE_MAX:
            body += w[part + S_LEN]
    return place


def write_element(a: Octets, w: Longs, cid: int, entry: int) -> int:
    """An element of canon results."""
    put_cid(a, w, cid)
    value = put_cid(a, w, w[entry + L_VALUE])
    origin = put_cid(a, w, w[entry + L_TETRAPLET])
    kind = w[entry + L_KIND]
    source = 0
    if kind != LITERAL:
        source = put_cid(a, w, w[entry + L_SOURCE])
    place = align(a, w)
    store32(a, w, value - place)
    store32(a, w, w[w[entry + L_VALUE] + S_LEN])
    store32(a, w, origin - place - 8)
    store32(a, w, w[w[entry + L_TETRAPLET] + S_LEN])
    store32(a, w, kind << 24)
    store32(a, w, source - place - 20 if kind != LITERAL else 0)
    store32(a, w, w[w[entry + L_SOURCE] + S_LEN] if kind != LITERAL else 0)
    return place


def write_result(a: Octets, w: Longs, cid: int, entry: int) -> int:
    """A canon result."""
    put_cid(a, w, cid)
    origin = put_cid(a, w, w[entry + E_TETRAPLET])
    first = w[entry + E_FIRST]
    count = w[entry + E_COUNT]
    for index in range(count):
        put_cid(a, w, w[first + index])
    base = align(a, w)
    for index in range(count):
        item = w[first + index]
        store32(a, w, w[item + S_AT] - w[R_TOP])
        store32(a, w, w[item + S_LEN])
    place = w[R_TOP]
    store32(a, w, origin - place)
    store32(a, w, w[w[entry + E_TETRAPLET] + S_LEN])
    store32(a, w, base - place - 8)
    store32(a, w, count)
    return place


def write_archive(a: Octets, w: Longs, signatures: int, count: int) -> int:
    """Append the archive of trace, stores and signatures (four words each, as they are read); where it begins."""
    w[R_TOP] = (room(a, w, HEAD_BYTES + 4) + HEAD_BYTES + 3) & ~3
    start = w[R_TOP]
    w[R_OUT_BASE] = start
    root = alloc(w, 14)
    w[root] = write_trace(a, w)
    w[root + 1] = w[V_TRACE + 2] // STATE
    for store in range(STORES):
        w[root + 2 + 2 * store] = write_store(a, w, store)
        w[root + 3 + 2 * store] = w[STORE_VECTORS[store] + 2]
    places = alloc(w, 2 * count)
    for index in range(2 * count):
        entry = signatures + 2 * index
        w[places + index] = w[R_TOP]
        copy(a, w, w[entry], w[entry] + w[entry + 1])
    w[root + 12] = align(a, w)
    w[root + 13] = count
    for index in range(2 * count):
        store32(a, w, w[places + index] - w[root + 12] - 8 * index)
        store32(a, w, w[signatures + 2 * index + 1])
    base = align(a, w)
    store32(a, w, w[root] - base)
    store32(a, w, w[root + 1])
    store32(a, w, w[R_LCID])
    for index in range(1, 7):
        store32(a, w, w[root + 2 * index] - (base + 4 + 8 * index))
        store32(a, w, w[root + 2 * index + 1])
    return start


def unchanged(w: Longs) -> None:
    """Whether trace and stores are those that arrived."""
    w[R_UNCHANGED] = 0
    count = w[V_TRACE + 2]
    if count == 0 or w[V_CURRENT_TRACE + 2] != count:
        return
    for store in range(STORES):
        vector = STORE_VECTORS[store]
        for index in range(w[vector + 2]):
            if not has(w, w[w[vector] + index], store):
                return
    ours = w[V_TRACE]
    theirs = w[V_CURRENT_TRACE]
    for index in range(count // STATE):
        state = ours + STATE * index
        other = theirs + STATE * index
        if w[state] != w[other] or w[state + 2] != w[other + 2]:
            return
        if w[state] == FOLD:
            for k in range(5 * w[state + 2]):
                if w[w[state + 1] + k] != w[w[other + 1] + k]:
                    return
        elif w[state + 1] != w[other + 1]:
            return
    w[R_UNCHANGED] = 1


def signed_groups(a: Octets, w: Longs) -> None:
    """Sort what the current peer signs."""
    sort_cids(a, w, w[V_SIGNED], w[V_SIGNED + 2])
