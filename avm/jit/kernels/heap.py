"""Memory of a native run: bytes in an arena, everything else as words in a heap.

Problem: a run makes thousands of small things, which nobody needs when it is over.
Idea:    both buffers are only ever appended to, and used again by the next run. A *node* is a position in the heap, where the fields of one
         thing follow each other; 0 is no node. Texts are ranges of the arena; those that are compared or looked up by content
         (names, peers, CIDs, …) are interned, so that equal texts are one node.
Errors:  a run that cannot go on natively *declines*: it notes why and makes an access outside of the heap, which ends all kernels.
         Python then does the whole run. A buffer that is too small ends it the same way; the caller repeats with a larger one.

An editor of this file must preserve: whoever allocates writes every field, the memory is that of earlier runs.
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Bytes, Longs, Octets, clear, inline, move, rare, words
from avm.jit.kernels.hashing import are_cids, write_cid
from avm.jit.kernels.json_text import STACK_LONGS, write_string

EXPORTS: Final[tuple[str, ...]] = ()

# ── registers ────────────────────────────────────────────────────────────────────────────────────────────────────────

R_WHY: Final = 1
"""Why the run declined; FULL_* name the buffer that is too small."""
R_TOP: Final = 2
R_HEAP: Final = 3
R_TABLE, R_MASK, R_TEXTS = 4, 5, 6
R_TABLE4, R_MASK4, R_TETRAPLETS = 7, 8, 9
R_SEED: Final = 10
R_EMPTY, R_CURRENT_PEER, R_INIT_PEER = 11, 12, 13
R_TIMESTAMP, R_TTL = 14, 15
R_PREV_LCID, R_CURRENT_LCID = 16, 17
R_COMPLETE, R_LAST_SETTABLE, R_ERROR_SETTABLE, R_LAST_SET, R_ERROR_SET = 18, 19, 20, 21, 22
R_DEPTH, R_STAMP, R_STEPS, R_LCID, R_MAPPED = 23, 24, 25, 26, 27
# a resolved operand: value, tetraplet, kind and CID of its provenance, canon it stands for
R_VALUE, R_TETRAPLET, R_KIND, R_CID, R_CANON = 28, 29, 30, 31, 32
R_NO_ERROR, R_LITERAL, R_UNCHANGED = 33, 34, 36
R_ARCHIVE_START, R_ARCHIVE_END, R_WINDOW_START, R_WINDOW_END = 38, 39, 40, 41
R_PLACES: Final = 42
R_SIDE: Final = 45
R_NEXT_RESULT: Final = 50
R_STACK: Final = 46
R_OPERANDS: Final = 47
R_OUT_BASE: Final = 48
R_TEXT: Final = 49
"""How much text the run has used, at least what the interpreter would count."""
# sliders: position, length, seen, total
R_PREV, R_CURRENT = 52, 56
SL_POS, SL_LEN, SL_SEEN, SL_TOTAL = 0, 1, 2, 3

# vectors: base, capacity, length
V_VALUES, V_TETRAPLETS, V_ELEMENTS, V_RESULTS, V_SERVICES = 64, 67, 70, 73, 76
V_PREV_TRACE, V_CURRENT_TRACE, V_TRACE = 79, 82, 85
V_SIGNED, V_NEXT_PEERS, V_REQUESTS, V_FRAMES = 88, 91, 94, 97
V_TOUCHED, V_VISIBLE, V_STREAM_NAMES = 100, 103, 106
V_NEW_TO_PREV, V_PREV_TO_NEW, V_NEW_TO_CURRENT, V_CURRENT_TO_NEW = 109, 112, 115, 118
V_PREV_SIGNATURES, V_CURRENT_SIGNATURES, V_PREV_GROUPS, V_CURRENT_GROUPS = 121, 124, 127, 130
V_CALL_RESULTS, V_COUNTS, V_ORIGINS = 133, 136, 139
V_RANGES, V_CIDS = 142, 145
VECTORS, VECTORS_END = 64, 148
HEAP_START: Final = 192

FULL_HEAP: Final = 1
FULL_ARENA: Final = 2

# ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────────────────

# an interned text. Its entries in the stores, what the machine knows of it as a name, where the archive has it
S_POS, S_LEN, S_HASH, S_VALUE, S_TETRAPLET, S_ELEMENT, S_RESULT, S_SERVICE = 0, 1, 2, 3, 4, 5, 6, 7
S_SCOPE, S_ITERATOR, S_STREAMS, S_AT, S_PEER_AT, S_JSON, S_FLAGS, S_MARK = 8, 9, 10, 11, 12, 13, 14, 15
S_KEY, S_GROUP, TEXT = 16, 17, 18

J_POS, J_LEN, J_CID, J_CANONICAL, JSON = 0, 1, 2, 3, 4
"""A JSON value: its text, its CID if it is known, the node of its canonical form (itself, if it is)."""

T_PEER, T_SERVICE, T_FUNCTION, T_LENS, T_CID, TETRAPLET = 0, 1, 2, 3, 4, 5

LITERAL, SERVICE_RESULT, CANON = 0, 1, 2
"""Kinds of provenance."""

EXPECTED_MAX: Final = 64
DIGEST_WORDS: Final = 8 * EXPECTED_MAX
WHY_PROBES: Final = 10
WHY_CID: Final = 21
PROBES_MAX: Final = 64
CID_SIZE: Final = 61


@rare
def decline(w: Longs, why: int) -> int:
    """End the run; Python does it."""
    w[R_WHY] = why
    return w[len(w)]


def alloc(w: Longs, size: int) -> int:
    """A new node of `size` zeros."""
    at = w[R_HEAP]
    if at + size > len(w):
        decline(w, FULL_HEAP)
    w[R_HEAP] = at + size
    clear(w, at, size)
    return at


def room(a: Octets, w: Longs, size: int) -> int:
    """Top of the arena, behind which there are `size` bytes."""
    top = w[R_TOP]
    if top + size > len(a):
        decline(w, FULL_ARENA)
    return top


def put(a: Octets, w: Longs, text: Bytes) -> None:
    """Append bytes to the arena."""
    at = room(a, w, len(text))
    move(a, at, text, 0, len(text))
    w[R_TOP] = at + len(text)


def copy(a: Octets, w: Longs, start: int, end: int) -> None:
    """Append a part of the arena to its end."""
    at = room(a, w, end - start)
    move(a, at, a, start, end - start)
    w[R_TOP] = at + end - start


def put_number(a: Octets, w: Longs, number: int) -> None:
    """Append a number in decimal."""
    at = room(a, w, 24)
    if number < 0:
        a[at] = 45
        at += 1
        number = -number
    size = 1
    rest = number // 10
    while rest:
        rest = rest // 10
        size += 1
    for i in range(size):
        a[at + size - 1 - i] = 48 + number % 10
        number = number // 10
    w[R_TOP] = at + size


def put_text(a: Octets, w: Longs, text: int) -> None:
    """Append an interned text."""
    copy(a, w, w[text + S_POS], w[text + S_POS] + w[text + S_LEN])


def put_quoted(a: Octets, w: Longs, text: int) -> None:
    """Append an interned text as a JSON string."""
    start = w[text + S_POS]
    end = start + w[text + S_LEN]
    at = room(a, w, 6 * (end - start) + 2)
    w[R_TOP] = write_string(a, start, end, at)


# ── vectors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def reserve(w: Longs, vector: int, size: int) -> int:
    """Room for `size` more words; position of the first. The old place keeps its content, so ranges of it stay what they are."""
    length = w[vector + 2]
    if length + size > w[vector + 1]:
        grow(w, vector, length + size)
    return w[vector] + length


@rare
def grow(w: Longs, vector: int, size: int) -> None:
    """Move a vector to a place with room for more than so many words."""
    capacity = max(2 * w[vector + 1], size + 8)
    new = w[R_HEAP]
    if new + capacity > len(w):
        decline(w, FULL_HEAP)
    w[R_HEAP] = new + capacity
    move(w, new, w, w[vector], w[vector + 2])
    w[vector] = new
    w[vector + 1] = capacity


@inline
def push(w: Longs, vector: int, value: int) -> None:
    """Append a word."""
    length = w[vector + 2]
    if length == w[vector + 1]:
        grow(w, vector, length + 1)
    w[w[vector] + length] = value
    w[vector + 2] = length + 1


def extend(w: Longs, vector: int, size: int) -> int:
    """Append `size` words whose content the caller writes; position of the first."""
    at = reserve(w, vector, size)
    w[vector + 2] += size
    return at


def setup(a: Octets, w: Longs, texts: int) -> None:
    """Registers, and tables for about so many texts. R_SEED and R_TOP are the caller's."""
    for i in range(VECTORS, VECTORS_END):
        w[i] = 0
    w[R_WHY] = 0
    w[R_HEAP] = HEAP_START
    w[R_STAMP] = 0
    w[R_TEXTS] = 0
    w[R_TETRAPLETS] = 0
    size = 64
    while size < 2 * texts:
        size = 2 * size
    w[R_TABLE] = alloc(w, size)
    w[R_MASK] = size - 1
    w[R_TABLE4] = alloc(w, 64)
    w[R_MASK4] = 63
    w[R_STACK] = alloc(w, STACK_LONGS)
    w[R_EMPTY] = intern(a, w, 0, 0)


# ── interned texts ───────────────────────────────────────────────────────────────────────────────────────────────────


def hash_of(a: Octets, start: int, end: int, seed: int) -> int:
    """Of the ends of a text: CIDs and peer ids differ there. Whoever makes texts that agree in them makes the run decline."""
    h = seed ^ (end - start)
    for i in range(max(start, end - 16), end):
        h = ((h ^ a[i]) * 16777619) & 0xFFFFFFFF
    for i in range(start, min(start + 8, max(start, end - 16))):
        h = ((h ^ a[i]) * 16777619) & 0xFFFFFFFF
    return (h ^ (h >> 15)) & 0xFFFFFFFF


def same(a: Octets, start: int, other: int, size: int) -> bool:
    """Whether two ranges hold the same bytes."""
    left = a[start : start + size]
    right = a[other : other + size]
    for i in range(size):
        if left[i] != right[i]:
            return False
    return True


def intern(a: Octets, w: Longs, start: int, end: int) -> int:
    """The node of a text."""
    h = hash_of(a, start, end, w[R_SEED])
    mask = w[R_MASK]
    table = w[R_TABLE]
    at = h & mask
    size = end - start
    for _ in range(PROBES_MAX):
        node = w[table + at]
        if node == 0:
            if 2 * w[R_TEXTS] >= mask:
                grow_texts(w)
                return intern(a, w, start, end)
            node = alloc(w, TEXT)
            w[node + S_POS] = start
            w[node + S_LEN] = size
            w[node + S_HASH] = h
            w[table + at] = node
            w[R_TEXTS] += 1
            return node
        if w[node + S_HASH] == h and w[node + S_LEN] == size and same(a, start, w[node + S_POS], size):
            return node
        at = (at + 1) & mask
    return decline(w, WHY_PROBES)


@rare
def grow_texts(w: Longs) -> None:
    """Double the table."""
    old = w[R_TABLE]
    old_size = w[R_MASK] + 1
    mask = 2 * old_size - 1
    table = alloc(w, 2 * old_size)
    for i in range(old_size):
        node = w[old + i]
        if node:
            at = w[node + S_HASH] & mask
            while w[table + at]:
                at = (at + 1) & mask
            w[table + at] = node
    w[R_TABLE] = table
    w[R_MASK] = mask


def intern_top(a: Octets, w: Longs, start: int) -> int:
    """The node of the text from `start` to the top of the arena, which is dropped if it was known."""
    count = w[R_TEXTS]
    node = intern(a, w, start, w[R_TOP])
    if w[R_TEXTS] == count:
        w[R_TOP] = start
    return node


def cid_of(a: Octets, w: Longs, start: int, end: int) -> int:
    """Interned CID of a range."""
    at = room(a, w, CID_SIZE)
    write_cid(a, start, end, at)
    w[R_TOP] = at + CID_SIZE
    return intern_top(a, w, at)


def cid_of_top(a: Octets, w: Longs, start: int) -> int:
    """Interned CID of the text from `start` to the top of the arena, which is dropped."""
    end = w[R_TOP]
    at = room(a, w, CID_SIZE)
    write_cid(a, start, end, at)
    # the CID takes the place of the text
    for i in range(CID_SIZE):
        a[start + i] = a[at + i]
    w[R_TOP] = start + CID_SIZE
    return intern_top(a, w, start)


def expect_cid(a: Octets, w: Longs, start: int, end: int, cid: int) -> None:
    """A range must have this CID. It is checked later, with others, and has to stay as it is until then."""
    push(w, V_RANGES, start)
    push(w, V_RANGES, end)
    push(w, V_CIDS, w[cid + S_POS])
    push(w, V_CIDS, w[cid + S_POS] + w[cid + S_LEN])
    if w[V_RANGES + 2] == 2 * EXPECTED_MAX:
        check_cids(a, w)


def check_cids(a: Octets, w: Longs) -> None:
    """Check what has been expected. Declines if anything has another CID."""
    number = w[V_RANGES + 2] // 2
    digests = words(DIGEST_WORDS)
    ranges = w[V_RANGES]
    cids = w[V_CIDS]
    if number and not are_cids(a, w[ranges : ranges + 2 * number], number, w[cids : cids + 2 * number], digests):
        decline(w, WHY_CID)
    w[V_RANGES + 2] = 0
    w[V_CIDS + 2] = 0


# ── values and tetraplets ────────────────────────────────────────────────────────────────────────────────────────────


def json(w: Longs, start: int, end: int) -> int:
    """A value whose text is canonical."""
    node = alloc(w, JSON)
    w[node + J_POS] = start
    w[node + J_LEN] = end - start
    w[node + J_CANONICAL] = node
    return node


def string_json(a: Octets, w: Longs, text: int) -> int:
    """The value of an interned text as a string, made once."""
    node = w[text + S_JSON]
    if node == 0:
        start = w[R_TOP]
        put_quoted(a, w, text)
        node = json(w, start, w[R_TOP])
        w[text + S_JSON] = node
    return node


def number_json(a: Octets, w: Longs, number: int) -> int:
    """The value of a number."""
    start = w[R_TOP]
    put_number(a, w, number)
    return json(w, start, w[R_TOP])


def json_cid(a: Octets, w: Longs, value: int) -> int:
    """CID of a value's text, made once."""
    cid = w[value + J_CID]
    if cid == 0:
        start = w[value + J_POS]
        cid = cid_of(a, w, start, start + w[value + J_LEN])
        w[value + J_CID] = cid
    return cid


def tetraplet(w: Longs, peer: int, service: int, function: int, lens: int) -> int:
    """The node of a tetraplet."""
    mask = w[R_MASK4]
    if 2 * w[R_TETRAPLETS] >= mask:
        grow_tetraplets(w)
        mask = w[R_MASK4]
    at = mix(peer, service, function, lens) & mask
    table = w[R_TABLE4]
    while True:
        node = w[table + at]
        if node == 0:
            break
        if (
            w[node + T_PEER] == peer
            and w[node + T_SERVICE] == service
            and w[node + T_FUNCTION] == function
            and w[node + T_LENS] == lens
        ):
            return node
        at = (at + 1) & mask
    node = alloc(w, TETRAPLET)
    w[node + T_PEER] = peer
    w[node + T_SERVICE] = service
    w[node + T_FUNCTION] = function
    w[node + T_LENS] = lens
    w[table + at] = node
    w[R_TETRAPLETS] += 1
    return node


def mix(peer: int, service: int, function: int, lens: int) -> int:
    """Hash of a tetraplet. Nodes are positions in the heap, which nobody chooses."""
    h = (peer * 2654435761 + service) & 0xFFFFFFFF
    h = (h * 2654435761 + function) & 0xFFFFFFFF
    h = (h * 2246822519 + lens) & 0xFFFFFFFF
    return (h ^ (h >> 15)) & 0xFFFFFFFF


@rare
def grow_tetraplets(w: Longs) -> None:
    """Double the table."""
    old = w[R_TABLE4]
    old_size = w[R_MASK4] + 1
    mask = 2 * old_size - 1
    table = alloc(w, 2 * old_size)
    for i in range(old_size):
        node = w[old + i]
        if node:
            at = mix(w[node + T_PEER], w[node + T_SERVICE], w[node + T_FUNCTION], w[node + T_LENS]) & mask
            while w[table + at]:
                at = (at + 1) & mask
            w[table + at] = node
    w[R_TABLE4] = table
    w[R_MASK4] = mask


def put_tetraplet(a: Octets, w: Longs, node: int) -> None:
    """Append the hashed form of a tetraplet."""
    put(a, w, b'{"peer_pk":')
    put_quoted(a, w, w[node + T_PEER])
    put(a, w, b',"service_id":')
    put_quoted(a, w, w[node + T_SERVICE])
    put(a, w, b',"function_name":')
    put_quoted(a, w, w[node + T_FUNCTION])
    put(a, w, b',"lens":')
    put_quoted(a, w, w[node + T_LENS])
    put(a, w, b"}")


def tetraplet_cid(a: Octets, w: Longs, node: int) -> int:
    """CID of a tetraplet, made once."""
    cid = w[node + T_CID]
    if cid == 0:
        start = w[R_TOP]
        put_tetraplet(a, w, node)
        cid = cid_of_top(a, w, start)
        w[node + T_CID] = cid
    return cid


def put_service_result(a: Octets, w: Longs, value: int, arguments: int, origin: int) -> None:
    """Append the hashed form of a service result; its parts are CIDs."""
    put(a, w, b'{"value_cid":')
    put_quoted(a, w, value)
    put(a, w, b',"argument_hash":')
    put_quoted(a, w, arguments)
    put(a, w, b',"tetraplet_cid":')
    put_quoted(a, w, origin)
    put(a, w, b"}")


def put_element(a: Octets, w: Longs, value: int, origin: int, kind: int, source: int) -> None:
    """Append the hashed form of a canon element."""
    put(a, w, b'{"value":')
    put_quoted(a, w, value)
    put(a, w, b',"tetraplet":')
    put_quoted(a, w, origin)
    put(a, w, b',"provenance":{"type":"')
    if kind == LITERAL:
        put(a, w, b'literal"}}')
        return
    if kind == SERVICE_RESULT:
        put(a, w, b'service_result","cid":')
    else:
        put(a, w, b'canon","cid":')
    put_quoted(a, w, source)
    put(a, w, b"}}")


def put_canon_result(a: Octets, w: Longs, origin: int, first: int, count: int) -> None:
    """Append the hashed form of a canon result; the CIDs of its elements are words of the heap."""
    put(a, w, b'{"tetraplet":')
    put_quoted(a, w, origin)
    put(a, w, b',"values":[')
    for i in range(count):
        if i:
            put(a, w, b",")
        put_quoted(a, w, w[first + i])
    put(a, w, b"]}")


# ── maps of numbers ──────────────────────────────────────────────────────────────────────────────────────────────────


def number_map(w: Longs, entries: int) -> int:
    """A map from numbers to numbers for at most so many entries."""
    size = 4
    while size < 2 * entries + 2:
        size = 2 * size
    node = alloc(w, 1 + 2 * size)
    w[node] = size - 1
    return node


def map_place(w: Longs, node: int, key: int) -> int:
    """Where a key is, or would be. A place holds the key and 1, and the value."""
    mask = w[node]
    at = ((((key + 1) ^ w[R_SEED]) * 2654435761) >> 7) & mask
    for _ in range(4 * PROBES_MAX):
        place = node + 1 + 2 * at
        if w[place] == 0 or w[place] == key + 1:
            return place
        at = (at + 1) & mask
    return decline(w, WHY_PROBES)
