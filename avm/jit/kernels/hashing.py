"""BLAKE3 with digests of 256 bits, and the texts of the usual content identifiers, of parts of one buffer.

Problem: data of thousands of small values is checked value by value; from Python each costs a call, a copy and a text.
Idea:    one input is hashed with the four columns of the state side by side; sixteen chunks or sixteen inputs with one lane each,
         which is several times faster for each of them.
Input:   positions in a buffer. Output: digests as eight words, the lowest byte of each first in the digest; texts in place.

An editor of this file must preserve: answers are those of the package `blake3` and of `avm.crypto.cid`.
`tests/avm/jit/test_hashing.py` compares them. Source: the BLAKE3 paper, sections 2.1 to 2.6 and 5.3
"""

from __future__ import annotations

from typing import Final

from avm.crypto.cid import PREFIX
from avm.jit.kernel_types import (
    Lanes8,
    Lanes16,
    Longs,
    Octets,
    Words,
    any_bit,
    inline,
    lanes,
    load32,
    load64,
    longs,
    prefetch,
    put_lanes,
    rotate_right,
    shuffle,
    shuffle_two,
    spread,
    store64,
    words,
)

EXPORTS: Final = ("blake3", "blake3_many", "write_cid", "is_cid", "are_cids")

CHUNK: Final = 1024
BLOCK: Final = 64
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
MANY: Final = 16
"""Chunks, or inputs, that are hashed at once."""
LANES_MIN: Final = 3
"""From so many on, doing sixteen takes less time than one after the other."""
BRANCH: Final = 128 * CHUNK
VALUES: Final = 8 * BRANCH // CHUNK

IV0, IV1, IV2, IV3 = 0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A
IV: Final = b"".join(
    number.to_bytes(4, "little") for number in (IV0, IV1, IV2, IV3, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
)
KEEP: Final = b"\xff" * BLOCK + bytes(BLOCK)
"""From byte `BLOCK - n` on, a mask of the first `n` bytes of a block."""

# Orders of lanes. The next round has the message's words in this order; a round takes those for its columns and its diagonals so.
NEXT_ROUND: Final = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
COLUMNS_FIRST, COLUMNS_SECOND = (0, 2, 4, 6), (1, 3, 5, 7)
DIAGONALS_FIRST, DIAGONALS_SECOND = (8, 10, 12, 14), (9, 11, 13, 15)
TURN_1, TURN_2, TURN_3 = (1, 2, 3, 0), (2, 3, 0, 1), (3, 0, 1, 2)
LOW, HIGH, JOIN = (0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 2, 3, 4, 5, 6, 7)
PAIR: Final = tuple(range(16))
ZIP_LOW: Final = tuple(k // 2 + 16 * (k % 2) for k in range(16))
ZIP_HIGH: Final = tuple(8 + k // 2 + 16 * (k % 2) for k in range(16))

_order = tuple(range(16))
_used: list[int] = []
for _ in range(7):
    _used += [MANY * word for word in _order]
    _order = tuple(_order[k] for k in NEXT_ROUND)
SCHEDULE: Final = tuple(_used)
"""Where the words of sixteen messages begin, in the order of their use in seven rounds."""

PREFIX_START: Final = int.from_bytes(PREFIX.encode()[:8], "little")
PREFIX_LAST: Final = ord(PREFIX[8])
CID_SIZE: Final = 61
Z_TO_2: Final = ord("z") + 1 - ord("2")
WORDS: Final = tuple(20 * k // 32 if k < 13 else 0 for k in range(16))
NEXT_WORDS: Final = tuple(word + 1 for word in WORDS)
PASSED: Final = tuple(20 * k % 32 for k in range(16))
REACHED: Final = tuple(31 - passed for passed in PASSED)
FIRST_32, LAST_32 = (0, 1, 2, 3, 4, 5, 6, 7), (5, 6, 7, 8, 9, 10, 11, 12)


def blake3(data: Octets, start: int, end: int, digest: Words) -> None:
    """Digest of a part of the data."""
    inside(data, start, end)
    put_lanes(digest, 0, tree(data, start, end, 0, ROOT))


def blake3_many(data: Octets, ranges: Longs, count: int, digests: Words) -> None:
    """Digests of so many parts, whose starts and ends take turns in `ranges`. Those of one chunk share the lanes."""
    state = words(128)
    rows = words(256)
    rest = words(64)
    at = longs(MANY)
    ends = longs(MANY)
    items = longs(MANY)
    fed = 0
    for lane in range(MANY):
        items[lane] = -1
    while True:
        busy = 0
        for lane in range(MANY):
            if items[lane] < 0:
                while fed < count and ranges[2 * fed + 1] - ranges[2 * fed] > CHUNK:
                    inside(data, ranges[2 * fed], ranges[2 * fed + 1])
                    put_lanes(digests, 8 * fed, tree(data, ranges[2 * fed], ranges[2 * fed + 1], 0, ROOT))
                    fed += 1
                if fed >= count:
                    continue
                at[lane] = ranges[2 * fed]
                ends[lane] = ranges[2 * fed + 1]
                items[lane] = fed
                inside(data, at[lane], ends[lane])
                fed += 1
                for k in range(8):
                    state[MANY * k + lane] = load32(IV, 4 * k)
                rest[48 + lane] = CHUNK_START
            busy += 1
            size = ends[lane] - at[lane]
            put_lanes(rows, MANY * lane, block(data, at[lane], ends[lane]))
            rest[32 + lane] = min(size, BLOCK)
            if size <= BLOCK:
                rest[48 + lane] |= CHUNK_END | ROOT
        if busy == 0:
            return
        compress_many(state, rows, rest)
        for lane in range(MANY):
            rest[48 + lane] = 0
            at[lane] += BLOCK
            item = items[lane]
            if item >= 0 and at[lane] >= ends[lane]:
                items[lane] = -1
                for k in range(8):
                    digests[8 * item + k] = state[MANY * k + lane]


def write_cid(data: Octets, start: int, end: int, at: int) -> None:
    """Write the identifier of a part of the data to the 61 bytes from `at` on."""
    inside(data, start, end)
    inside(data, at, at + CID_SIZE)
    write_cid_text(data, at, tree(data, start, end, 0, ROOT))


def is_cid(data: Octets, start: int, end: int, cid: int, cid_end: int) -> bool:
    """Whether a text in the data is the usual identifier of a part of the data."""
    inside(data, start, end)
    inside(data, cid, cid_end)
    return cid_end - cid == CID_SIZE and is_cid_text(data, cid, tree(data, start, end, 0, ROOT))


def are_cids(data: Octets, ranges: Longs, count: int, cids: Longs, digests: Words) -> bool:
    """Whether texts in the data are the usual identifiers of parts of the data; starts and ends take turns in `ranges` and `cids`."""
    for k in range(count):
        inside(data, cids[2 * k], cids[2 * k + 1])
        if cids[2 * k + 1] - cids[2 * k] != CID_SIZE:
            return False
    blake3_many(data, ranges, count, digests)
    for k in range(count):
        if not is_cid_text(data, cids[2 * k], lanes(digests, 8 * k, 8)):
            return False
    return True


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def inside(data: Octets, start: int, end: int) -> None:
    """End all kernels unless the data has that part: in Python a slice would not."""
    if start < 0 or start > end or end > len(data):
        start = data[len(data)]


@inline
def block(data: Octets, at: int, end: int) -> Lanes16:
    """The words of the block at `at`, filled up with zeros behind the end."""
    size = min(end - at, BLOCK)
    if at + BLOCK <= len(data):
        return lanes(data, at, 16) & lanes(KEEP, BLOCK - size, 16)
    found = words(16)
    for k in range(size):
        found[k >> 2] |= data[at + k] << 8 * (k & 3)
    return lanes(found, 0, 16)


# ── one input ────────────────────────────────────────────────────────────────────────────────────────────────────────


def tree(data: Octets, start: int, end: int, counter: int, root: int) -> Lanes8:
    """Chaining value of a part that begins with chunk number `counter`. The left branch has as many chunks as a power of two can."""
    size = end - start
    if size <= CHUNK:
        return chunk(data, start, end, counter, root)
    if size <= BRANCH:
        return branch(data, start, end, counter, root)
    left = BRANCH
    while 2 * left < size:
        left *= 2
    before = tree(data, start, start + left, counter, 0)
    return parent(before, tree(data, start + left, end, counter + left // CHUNK, 0), root)


def branch(data: Octets, start: int, end: int, counter: int, root: int) -> Lanes8:
    """The same of a part of 2 to 128 chunks: their values, then those of pairs, until two are left. An odd one waits for the next turn."""
    values = words(VALUES)
    full = (end - start) // CHUNK
    first = 0
    while first < full:
        count = min(full - first, MANY)
        if count >= LANES_MIN:
            chunk_values(data, start + CHUNK * first, count, counter + first, values, 8 * first)
            first += count
        else:
            at = start + CHUNK * first
            put_lanes(values, 8 * first, chunk(data, at, at + CHUNK, counter + first, 0))
            first += 1
    count = full
    if start + CHUNK * full < end:
        put_lanes(values, 8 * full, chunk(data, start + CHUNK * full, end, counter + full, 0))
        count += 1
    while count > 2:
        pairs = count // 2
        if pairs >= LANES_MIN:
            join_pairs(values, pairs)
        else:
            for k in range(pairs):
                put_lanes(values, 8 * k, parent(lanes(values, 16 * k, 8), lanes(values, 16 * k + 8, 8), 0))
        if count % 2:
            put_lanes(values, 8 * pairs, lanes(values, 8 * count - 8, 8))
        count -= pairs
    return parent(lanes(values, 0, 8), lanes(values, 8, 8), root)


def chunk(data: Octets, start: int, end: int, counter: int, root: int) -> Lanes8:
    """Chaining value of at most 1024 bytes."""
    value = lanes(IV, 0, 8)
    flags = CHUNK_START
    while end - start > BLOCK:
        value = compress(value, lanes(data, start, 16), counter, BLOCK, flags)
        flags = 0
        start += BLOCK
    return compress(value, block(data, start, end), counter, end - start, flags | CHUNK_END | root)


def parent(left: Lanes8, right: Lanes8, root: int) -> Lanes8:
    """Chaining value of two branches."""
    return compress(lanes(IV, 0, 8), shuffle_two(left, right, PAIR), 0, BLOCK, PARENT | root)


@inline
def compress(value: Lanes8, message: Lanes16, counter: int, size: int, flags: int) -> Lanes8:
    """The next chaining value. Each of `a` to `d` is a row of the state; diagonals become columns by turning the rows.

    Every step waits for the one before; the message is added first, as `b` comes last.
    """
    rest = words(4)
    rest[0] = counter & 0xFFFFFFFF
    rest[1] = counter >> 32
    rest[2] = size
    rest[3] = flags
    a = shuffle(value, LOW)
    b = shuffle(value, HIGH)
    c = lanes(IV, 0, 4)
    d = lanes(rest, 0, 4)
    for _ in range(7):
        a = a + shuffle(message, COLUMNS_FIRST) + b
        d = rotate_right(d ^ a, 16)
        c += d
        b = rotate_right(b ^ c, 12)
        a = a + shuffle(message, COLUMNS_SECOND) + b
        d = rotate_right(d ^ a, 8)
        c += d
        b = shuffle(rotate_right(b ^ c, 7), TURN_1)
        c = shuffle(c, TURN_2)
        d = shuffle(d, TURN_3)
        a = a + shuffle(message, DIAGONALS_FIRST) + b
        d = rotate_right(d ^ a, 16)
        c += d
        b = rotate_right(b ^ c, 12)
        a = a + shuffle(message, DIAGONALS_SECOND) + b
        d = rotate_right(d ^ a, 8)
        c += d
        b = shuffle(rotate_right(b ^ c, 7), TURN_3)
        c = shuffle(c, TURN_2)
        d = shuffle(d, TURN_1)
        message = shuffle(message, NEXT_ROUND)
    return shuffle_two(a ^ c, b ^ d, JOIN)


# ── sixteen at once ──────────────────────────────────────────────────────────────────────────────────────────────────


def chunk_values(data: Octets, start: int, count: int, counter: int, values: Words, at: int) -> None:
    """Chaining values of at most sixteen whole chunks, none of which is the root."""
    state = words(128)
    rows = words(256)
    rest = words(64)
    start_state(state)
    far = start + 2 * CHUNK * MANY <= len(data)
    for lane in range(MANY):
        rest[lane] = counter + lane & 0xFFFFFFFF
        rest[16 + lane] = counter + lane >> 32
        rest[32 + lane] = BLOCK
        rest[48 + lane] = CHUNK_START
    for k in range(CHUNK // BLOCK):
        for lane in range(count):
            put_lanes(rows, MANY * lane, lanes(data, start + CHUNK * lane + BLOCK * k, 16))
        if far:
            for lane in range(MANY):
                prefetch(data, start + CHUNK * (lane + MANY) + BLOCK * k)
        if k == CHUNK // BLOCK - 1:
            put_lanes(rest, 48, spread(CHUNK_END, MANY))
        compress_many(state, rows, rest)
        put_lanes(rest, 48, spread(0, MANY))
    take_values(state, count, values, at)


def join_pairs(values: Words, count: int) -> None:
    """Chaining values of pairs of branches, `count` of them; each takes a place among those before it."""
    state = words(128)
    rows = words(256)
    rest = words(64)
    put_lanes(rest, 32, spread(BLOCK, MANY))
    put_lanes(rest, 48, spread(PARENT, MANY))
    first = 0
    while first < count:
        size = min(count - first, MANY)
        start_state(state)
        for lane in range(size):
            put_lanes(rows, MANY * lane, lanes(values, 16 * (first + lane), 16))
        compress_many(state, rows, rest)
        take_values(state, size, values, 8 * first)
        first += size


@inline
def start_state(state: Words) -> None:
    """What every chunk and pair begins with."""
    for k in range(8):
        put_lanes(state, MANY * k, spread(load32(IV, 4 * k), MANY))


@inline
def take_values(state: Words, count: int, values: Words, at: int) -> None:
    """Bring together what lies across."""
    for lane in range(count):
        for k in range(8):
            values[at + 8 * lane + k] = state[MANY * k + lane]


def compress_many(state: Words, rows: Words, rest: Words) -> None:
    """Sixteen compressions. `rows`: sixteen messages of sixteen words, which are lost.

    `state` has eight rows, the words of the chaining values; each lane belongs to one of them. `rest` goes on with rows of the lower and
    upper halves of the counters, sizes and flags.
    """
    other = words(256)
    transpose_step(rows, other)
    transpose_step(other, rows)
    transpose_step(rows, other)
    transpose_step(other, rows)
    v = words(256)
    for k in range(8):
        put_lanes(v, 16 * k, lanes(state, 16 * k, 16))
    for k in range(4):
        put_lanes(v, 128 + 16 * k, spread(load32(IV, 4 * k), MANY))
    for k in range(4):
        put_lanes(v, 192 + 16 * k, lanes(rest, 16 * k, 16))
    # written out, so that LLVM knows where each word is
    mix_all(v, rows, 0)
    mix_all(v, rows, 1)
    mix_all(v, rows, 2)
    mix_all(v, rows, 3)
    mix_all(v, rows, 4)
    mix_all(v, rows, 5)
    mix_all(v, rows, 6)
    for k in range(8):
        put_lanes(state, 16 * k, lanes(v, 16 * k, 16) ^ lanes(v, 128 + 16 * k, 16))


@inline
def transpose_step(rows: Words, other: Words) -> None:
    """Zip the first half of the rows with the second. Four times this makes columns of rows."""
    for k in range(8):
        low = lanes(rows, 16 * k, 16)
        high = lanes(rows, 16 * k + 128, 16)
        put_lanes(other, 32 * k, shuffle_two(low, high, ZIP_LOW))
        put_lanes(other, 32 * k + 16, shuffle_two(low, high, ZIP_HIGH))


@inline
def mix_all(v: Words, rows: Words, turn: int) -> None:
    """A round: columns, then diagonals."""
    order = SCHEDULE[16 * turn : 16 * turn + 16]
    mix(v, 0, 64, 128, 192, lanes(rows, order[0], 16), lanes(rows, order[1], 16))
    mix(v, 16, 80, 144, 208, lanes(rows, order[2], 16), lanes(rows, order[3], 16))
    mix(v, 32, 96, 160, 224, lanes(rows, order[4], 16), lanes(rows, order[5], 16))
    mix(v, 48, 112, 176, 240, lanes(rows, order[6], 16), lanes(rows, order[7], 16))
    mix(v, 0, 80, 160, 240, lanes(rows, order[8], 16), lanes(rows, order[9], 16))
    mix(v, 16, 96, 176, 192, lanes(rows, order[10], 16), lanes(rows, order[11], 16))
    mix(v, 32, 112, 128, 208, lanes(rows, order[12], 16), lanes(rows, order[13], 16))
    mix(v, 48, 64, 144, 224, lanes(rows, order[14], 16), lanes(rows, order[15], 16))


@inline
def mix(v: Words, a: int, b: int, c: int, d: int, x: Lanes16, y: Lanes16) -> None:
    """The function G on rows of the states."""
    p = lanes(v, a, 16) + lanes(v, b, 16) + x
    s = rotate_right(lanes(v, d, 16) ^ p, 16)
    r = lanes(v, c, 16) + s
    q = rotate_right(lanes(v, b, 16) ^ r, 12)
    p = p + q + y
    s = rotate_right(s ^ p, 8)
    r += s
    put_lanes(v, a, p)
    put_lanes(v, b, rotate_right(q ^ r, 7))
    put_lanes(v, c, r)
    put_lanes(v, d, s)


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def write_cid_text(data: Octets, at: int, digest: Lanes8) -> None:
    """Write the identifier with that digest to the 61 bytes from `at` on."""
    text = base32(digest)
    store64(data, at, PREFIX_START)
    data[at + 8] = PREFIX_LAST
    put_lanes(data, at + 9, shuffle(text, FIRST_32))
    put_lanes(data, at + 29, shuffle(text, LAST_32))


@inline
def is_cid_text(data: Octets, at: int, digest: Lanes8) -> bool:
    """Whether the 61 bytes from `at` on are the identifier with that digest."""
    if load64(data, at) != PREFIX_START or data[at + 8] != PREFIX_LAST:
        return False
    text = base32(digest)
    first = shuffle(text, FIRST_32) ^ lanes(data, at + 9, 8)
    return not any_bit(first | shuffle(text, LAST_32) ^ lanes(data, at + 29, 8))


@inline
def base32(digest: Lanes8) -> Lanes16:
    """The 52 characters of 256 bits, four in each of thirteen lanes.

    Each lane is made of 20 bits that begin in one word and may reach into the next; halves of them are moved apart until each five
    bits have a byte of their own, the first the lowest.
    """
    digest = rotate_right(digest, 8) & spread(0xFF00FF00, 8) | rotate_right(digest, 24) & spread(0x00FF00FF, 8)
    bits = shuffle(digest, WORDS) << PASSED | shuffle_two(digest, spread(0, 8), NEXT_WORDS) >> 1 >> REACHED
    digits = bits >> 22 | (bits >> 12 & spread(0x3FF, 16)) << 16
    digits = digits >> 5 & spread(0x001F001F, 16) | (digits & spread(0x001F001F, 16)) << 8
    above_z = digits + spread(0x06060606, 16) >> 5 & spread(0x01010101, 16)
    return digits + spread(0x61616161, 16) - above_z * spread(Z_TO_2, 16)
