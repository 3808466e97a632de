"""JSON text to arguments in the arena, as far as it is what the types want.

Anything else declines, before a module is touched: errors of any kind, numbers that a double needs care for, integers of more than 18
digits, an array of one element where its element could stand, arguments by name. Python reads those, or says what is wrong.
Input:  UTF-8 that was a Python string. Output: a position in the text; values in the arena, from S_TOP on. Elements of arrays lie behind
S_END until their number is known.
Errors: IndexError declines as well.
Source: runtime/marine/json_values.py; avm/data/canonical_json.py
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import (
    Bytes,
    Longs,
    Octets,
    inline,
    load64,
    move,
    narrow,
    octets,
    ratio,
    seek,
    store32,
    store64,
)
from avm.jit.kernels.json_text import (
    BACKSLASH,
    CLOSE,
    CLOSE_SQUARE,
    COLON,
    COMMA,
    HEX,
    LETTER_U,
    MEANING,
    MINUS,
    NINE,
    NO_DIGIT,
    OPEN,
    OPEN_SQUARE,
    POINT,
    QUOTE,
    SLASH,
    SPACE,
    ZERO,
)
from runtime.marine.native.kernels.layout import (
    F_NAME,
    F_NAME_END,
    F_PLACE,
    F_TYPE,
    FIELD,
    K_ARRAY,
    K_BOOL,
    K_F32,
    K_F64,
    K_INTEGER,
    K_RECORD,
    K_TEXT,
    K_UNSIGNED64,
    P_ARGUMENTS,
    P_NAMES,
    P_NAMES_SIZE,
    P_TYPES,
    S_ARENA,
    S_ARENA_SIZE,
    S_END,
    S_READ_MAX,
    S_TOP,
    T_CHILD,
    T_COUNT,
    T_HIGH,
    T_IMAGE,
    T_KIND,
    T_LOW,
    T_WIDTH,
    TYPE,
)
from runtime.marine.native.kernels.memory import VALUE_BYTES, take, take_values
from runtime.marine.native.kernels.slots import load_value

EXPORTS: Final[tuple[str, ...]] = ()

TO_LOOK_AT: Final = bytes([*range(0x20), QUOTE, BACKSLASH])
TAB, NEWLINE, RETURN = (ord(c) for c in "\t\n\r")
DIGITS_MAX: Final = 18
"""So many digits are an integer of 64 bits, whatever they are."""
EXACT_DIGITS: Final = 15
"""So many digits, divided by a power of ten up to the 15th, are the double they stand for: both numbers are exact."""
POWERS: Final = tuple(10**k for k in range(EXACT_DIGITS + 1))


def decline(text: Bytes) -> int:
    """Leave the text to Python."""
    return text[len(text)]


@inline
def blanks(text: Bytes, i: int) -> int:
    """Behind blanks; there is something else then."""
    while text[i] <= SPACE:
        c = text[i]
        if c != SPACE and c != NEWLINE and c != TAB and c != RETURN:
            return decline(text)
        i += 1
    return i


@inline
def expect(text: Bytes, i: int, c: int) -> int:
    """Behind blanks and a byte that must be there."""
    i = blanks(text, i)
    if text[i] != c:
        return decline(text)
    return i + 1


def read_arguments(s: Longs, p: Longs, text: Bytes) -> int:
    """Read them all; place of the values. The text ends with a blank."""
    count = p[P_ARGUMENTS]
    place = take_values(s, count)
    arena = octets(s[S_ARENA], s[S_ARENA_SIZE])
    i = expect(text, 0, OPEN_SQUARE)
    for k in range(count):
        if k > 0:
            i = expect(text, i, COMMA)
        kind = p[p[P_TYPES] + k]
        slot = take(s, 8)
        i = read(s, p, arena, text, blanks(text, i), kind, slot)
        load_value(s, p, arena, kind, slot, place + VALUE_BYTES * k)
    i = expect(text, i, CLOSE_SQUARE)
    while i < len(text):
        c = text[i]
        if c != SPACE and c != NEWLINE and c != TAB and c != RETURN:
            return decline(text)
        i += 1
    if s[S_TOP] > s[S_READ_MAX]:
        return decline(text)
    return place


def read(s: Longs, p: Longs, arena: Octets, text: Bytes, i: int, kind: int, place: int) -> int:
    """Read what begins at `i` to `place`; behind it."""
    form = p[kind + T_KIND]
    if form == K_INTEGER:
        return read_integer(p, arena, text, i, kind, place)
    if form == K_TEXT:
        return read_text(s, arena, text, i, place)
    if form == K_RECORD:
        return read_record(s, p, arena, text, i, kind, place)
    if form == K_ARRAY:
        return read_array(s, p, arena, text, i, p[kind + T_CHILD], place)
    if form == K_BOOL:
        return read_bool(arena, text, i, place)
    if form == K_F32 or form == K_F64:
        return read_float(arena, text, i, form == K_F32, place)
    if form == K_UNSIGNED64:
        return read_integer(p, arena, text, i, kind, place)
    return read_bytes(s, arena, text, i, place)


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_integer(p: Longs, arena: Octets, text: Bytes, i: int, kind: int, place: int) -> int:
    """An integer of any width."""
    negative = text[i] == MINUS
    if negative:
        i += 1
    first = i
    value = 0
    while ZERO <= text[i] <= NINE:
        value = value * 10 + text[i] - ZERO
        i += 1
        if i - first > DIGITS_MAX:
            return decline(text)
    if i == first or (text[first] == ZERO and (i - first > 1 or negative)):
        return decline(text)
    # what follows is for the caller: a point or an exponent is not what may stand there
    if negative:
        value = -value
    if value < p[kind + T_LOW] or value > p[kind + T_HIGH]:
        return decline(text)
    width = p[kind + T_WIDTH]
    if width == 4:
        store32(arena, place, value)
    elif width == 8:
        store64(arena, place, value)
    else:
        arena[place] = value & 255
        if width == 2:
            arena[place + 1] = value >> 8 & 255
    return i


def read_float(arena: Octets, text: Bytes, i: int, is_short: bool, place: int) -> int:
    """A number with few digits and no exponent."""
    negative = text[i] == MINUS
    if negative:
        i += 1
    first = i
    value = 0
    while ZERO <= text[i] <= NINE:
        value = value * 10 + text[i] - ZERO
        i += 1
        if i - first > EXACT_DIGITS:
            return decline(text)
    if i == first or (text[first] == ZERO and i - first > 1):
        return decline(text)
    digits = i - first
    behind = 0
    if text[i] == POINT:
        i += 1
        first = i
        while ZERO <= text[i] <= NINE:
            value = value * 10 + text[i] - ZERO
            i += 1
            if i - first + digits > EXACT_DIGITS:
                return decline(text)
        behind = i - first
        if behind == 0:
            return decline(text)
    if negative:
        if value == 0:
            return decline(text)
        value = -value
    bits = ratio(value, POWERS[behind])
    if is_short:
        store32(arena, place, narrow(bits))
    else:
        store64(arena, place, bits)
    return i


TRUE: Final = int.from_bytes(b"true", "little")
FALSE: Final = int.from_bytes(b"false", "little")
FIVE_BYTES: Final = (1 << 40) - 1
FOUR_BYTES: Final = (1 << 32) - 1


def read_bool(arena: Octets, text: Bytes, i: int, place: int) -> int:
    """`true` or `false`; the text goes on for more than their bytes."""
    eight = load64(text, i)
    if eight & FOUR_BYTES == TRUE:
        arena[place] = 1
        return i + 4
    if eight & FIVE_BYTES != FALSE:
        return decline(text)
    arena[place] = 0
    return i + 5


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_text(s: Longs, arena: Octets, text: Bytes, i: int, place: int) -> int:
    """A string."""
    if text[i] != QUOTE:
        return decline(text)
    i += 1
    start = s[S_TOP]
    while True:
        run = seek(text, i, len(text), TO_LOOK_AT)
        move(arena, take(s, run - i), text, i, run - i)
        if text[run] == QUOTE:
            store32(arena, place, start)
            store32(arena, place + 4, s[S_TOP] - start)
            return run + 1
        if text[run] != BACKSLASH:
            return decline(text)
        i = read_escape(s, arena, text, run)


def read_escape(s: Longs, arena: Octets, text: Bytes, i: int) -> int:
    """The escape at `i`."""
    c = text[i + 1]
    if c != LETTER_U:
        c = SLASH if c == SLASH else MEANING[c]
        if c == 0:
            return decline(text)
        arena[take(s, 1)] = c
        return i + 2
    code = unit(text, i)
    i += 6
    if 0xD800 <= code <= 0xDFFF:
        low = unit(text, i)
        if code > 0xDBFF or low < 0xDC00 or low > 0xDFFF:
            return decline(text)
        code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
        i += 6
    if code < 0x80:
        arena[take(s, 1)] = code
    elif code < 0x800:
        at = take(s, 2)
        arena[at] = 0xC0 | code >> 6
        arena[at + 1] = 0x80 | code & 63
    elif code < 0x10000:
        at = take(s, 3)
        arena[at] = 0xE0 | code >> 12
        arena[at + 1] = 0x80 | (code >> 6) & 63
        arena[at + 2] = 0x80 | code & 63
    else:
        at = take(s, 4)
        arena[at] = 0xF0 | code >> 18
        arena[at + 1] = 0x80 | (code >> 12) & 63
        arena[at + 2] = 0x80 | (code >> 6) & 63
        arena[at + 3] = 0x80 | code & 63
    return i


def unit(text: Bytes, i: int) -> int:
    """Number of the escape with four hexadecimal digits at `i`."""
    if text[i] != BACKSLASH or text[i + 1] != LETTER_U:
        return decline(text)
    code = 0
    for k in range(i + 2, i + 6):
        digit = HEX[text[k]]
        if digit == NO_DIGIT:
            return decline(text)
        code = code * 16 + digit
    return code


# ── arrays and records ───────────────────────────────────────────────────────────────────────────────────────────────


def read_bytes(s: Longs, arena: Octets, text: Bytes, i: int, place: int) -> int:
    """An array of numbers below 256."""
    if text[i] != OPEN_SQUARE:
        return decline(text)
    start = s[S_TOP]
    out = start
    room = s[S_END]
    i = blanks(text, i + 1)
    if text[i] == CLOSE_SQUARE:
        store32(arena, place, 0)
        store32(arena, place + 4, 0)
        return i + 1
    while True:
        c = text[i] - ZERO
        if c < 0 or c > 9:
            return decline(text)
        i += 1
        value = c
        if ZERO <= text[i] <= NINE:
            value = value * 10 + text[i] - ZERO
            i += 1
            if ZERO <= text[i] <= NINE:
                value = value * 10 + text[i] - ZERO
                i += 1
            # a number does not begin with a zero
            if c == 0 or value > 255:
                return decline(text)
        if out >= room:
            return decline(text)
        arena[out] = value
        out += 1
        i = blanks(text, i)
        if text[i] != COMMA:
            break
        i = blanks(text, i + 1)
    if text[i] != CLOSE_SQUARE:
        return decline(text)
    take(s, out - start)
    store32(arena, place, start)
    store32(arena, place + 4, out - start)
    return i + 1


def read_array(s: Longs, p: Longs, arena: Octets, text: Bytes, i: int, child: int, place: int) -> int:
    """An array of anything else."""
    if text[i] != OPEN_SQUARE:
        return decline(text)
    store32(arena, place, 0)
    store32(arena, place + 4, 0)
    i = blanks(text, i + 1)
    if text[i] == CLOSE_SQUARE:
        return i + 1
    width = p[child + T_WIDTH]
    form = p[child + T_KIND]
    plain = form <= K_F64
    behind = s[S_END]
    start = s[S_TOP]
    count = 0
    while True:
        slot = 0
        if plain:
            # such elements take nothing but their place
            slot = take(s, width)
        else:
            slot = s[S_END] - width
            if slot < s[S_TOP]:
                return decline(text)
            s[S_END] = slot
        if form == K_TEXT:
            i = read_text(s, arena, text, i, slot)
        elif form == K_INTEGER:
            i = read_integer(p, arena, text, i, child, slot)
        else:
            i = read(s, p, arena, text, i, child, slot)
        count += 1
        i = blanks(text, i)
        if text[i] != COMMA:
            break
        i = blanks(text, i + 1)
    if text[i] != CLOSE_SQUARE:
        return decline(text)
    if not plain:
        start = take(s, count * width)
        for k in range(count):
            move(arena, start + k * width, arena, behind - (k + 1) * width, width)
        s[S_END] = behind
    store32(arena, place, start)
    store32(arena, place + 4, count)
    return i + 1


def read_record(s: Longs, p: Longs, arena: Octets, text: Bytes, i: int, kind: int, place: int) -> int:
    """An object with all fields by name, or an array of them."""
    by_name = text[i] == OPEN
    if not by_name and text[i] != OPEN_SQUARE:
        return decline(text)
    count = p[kind + T_COUNT]
    image = take(s, p[kind + T_IMAGE])
    seen = take(s, count)
    for k in range(count):
        arena[seen + k] = 0
    store32(arena, place, image)
    i += 1
    for k in range(count):
        if k > 0:
            i = expect(text, i, COMMA)
        i = blanks(text, i)
        number = k
        if by_name:
            number = field_at(p, text, i, kind, k)
            one = kind + TYPE + FIELD * number
            # a name stands with its quotes and its colon
            i = expect(text, i + p[one + F_NAME_END] - p[one + F_NAME] - 1, COLON)
            i = blanks(text, i)
        if arena[seen + number] != 0:
            return decline(text)
        arena[seen + number] = 1
        field = kind + TYPE + FIELD * number
        i = read(s, p, arena, text, i, p[field + F_TYPE], image + p[field + F_PLACE])
    i = blanks(text, i)
    if text[i] != (CLOSE if by_name else CLOSE_SQUARE):
        return decline(text)
    return i + 1


def field_at(p: Longs, text: Bytes, i: int, kind: int, first: int) -> int:
    """Which field of a record the key at `i` names; most often it is the next."""
    names = octets(p[P_NAMES], p[P_NAMES_SIZE])
    count = p[kind + T_COUNT]
    for k in range(count):
        number = first + k
        if number >= count:
            number -= count
        field = kind + TYPE + FIELD * number
        if stands(text, i, names[p[field + F_NAME] : p[field + F_NAME_END] - 1]):
            return number
    return decline(text)


def stands(text: Bytes, i: int, name: Octets) -> bool:
    """Whether a name stands at `i`."""
    if i + len(name) > len(text):
        return False
    for k in range(len(name)):
        if text[i + k] != name[k]:
            return False
    return True
