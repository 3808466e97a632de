"""JSON to its canonical text, and ways through canonical text, in one buffer that holds inputs and outputs.

Problem: what a run does with values is mostly to read JSON, write it in the one form that is hashed, and take parts of
         it. Objects of Python for every number and key cost far more than the bytes do.
Idea:    text stays text. One pass checks a stranger's text and copies in runs what is canonical already; a canonical
         text is one run. An object whose keys are out of order is put in order when it closes.
Input:   any bytes. Output: the end of what was written, or a position; UNUSUAL for errors and rare things, which are
         left to `avm.data.canonical_json`.

An editor of this file must preserve: an answer that is not UNUSUAL is what
`canonical_json.dumps(canonical_json.parse(text))` gives. Canonical text is never longer than its input: blanks, digits
and keys are dropped, no spelling of a character gets longer, and numbers whose canonical form would be longer are
UNUSUAL. All loops are linear in the input but for the order of keys: an object that is out of order is moved twice, and
no more than JSON_DEPTH_MAX are around each other. `tests/avm/jit/test_json_text.py` compares.
"""

from __future__ import annotations

from typing import Final

from avm.jit.kernel_types import Bytes, Longs, Octets, inline, load64, move, seek
from avm.limits import JSON_DEPTH_MAX

EXPORTS: Final = ("depth", "canonical", "skip", "element", "field", "count", "write_string", "read_string", "equal")

UNUSUAL: Final = -1
NO_CONTAINER: Final = -2
"""The text is no array, or no object, where one is needed."""
ABSENT: Final = -3
"""There is no such element or field."""

MEMBERS_MAX: Final = 64
"""Members of an object that can be put in order here."""

# Registers: the input up to R_COPIED has been written or dropped, and what follows belongs R_DELTA further on; whether
# the last string is spelled with escapes.
R_COPIED, R_DELTA, R_ESCAPED, REGISTERS = 0, 1, 2, 8

# A frame: an open array or object. The bracket that closes it, how many keys it has, whether they are out of order; of
# the last key the contents in the input, whether it is spelled with escapes, where it stands in the output; where the
# members stand in the output.
F_CLOSE, F_COUNT, F_DISORDER, F_KEY, F_KEY_END, F_ESCAPED, F_OUT, F_MEMBERS = 0, 1, 2, 3, 4, 5, 6, 8
FRAME: Final = F_MEMBERS + MEMBERS_MAX
ORDER: Final = REGISTERS + JSON_DEPTH_MAX * FRAME
STACK_LONGS: Final = ORDER + MEMBERS_MAX
"""Elements the `stack` of `canonical` needs; nothing needs to be in them."""

ESCAPE_BYTES_MAX: Final = 6
"""Bytes a byte of a string can become in `write_string`."""

QUOTE, BACKSLASH, SLASH, COMMA, COLON, POINT, MINUS, PLUS = (ord(c) for c in '"\\/,:.-+')
OPEN, CLOSE, OPEN_SQUARE, CLOSE_SQUARE = (ord(c) for c in "{}[]")
ZERO, NINE, SPACE, TAB, NEWLINE, RETURN = (ord(c) for c in "09 \t\n\r")
LETTER_E, LETTER_F, LETTER_N, LETTER_T, LETTER_U, CAPITAL_A, CAPITAL_F = (ord(c) for c in "efntuAF")
BRACKET_PAIR: Final = 2
"""From an opening bracket to the one that closes it."""

NOT_PLAIN: Final = bytes([*range(0x20), QUOTE, BACKSLASH, *range(0x80, 0x100)])
"""What ends a run of bytes of a string that need no look."""
TO_ESCAPE: Final = bytes([*range(0x20), QUOTE, BACKSLASH])
STRING_MARKS: Final = b'"\\'
MARKS: Final = b'"[]{}'
BEHIND_SCALAR: Final = b",]}"

_SHORT: Final = {QUOTE: QUOTE, BACKSLASH: BACKSLASH, 8: ord("b"), 9: LETTER_T, 10: LETTER_N, 12: LETTER_F, 13: ord("r")}
SHORT: Final = bytes(_SHORT.get(c, 0) for c in range(256))
"""A byte to what follows the backslash in its escape, where that is one letter."""
MEANING: Final = bytes({letter: c for c, letter in _SHORT.items()}.get(c, 0) for c in range(256))
"""The inverse."""

NO_DIGIT: Final = 16
HEX: Final = bytes(int(chr(c), 16) if chr(c) in "0123456789abcdefABCDEF" else NO_DIGIT for c in range(256))
DIGITS: Final = b"0123456789abcdef"
LARGEST: Final = b"18446744073709551615"
SMALLEST: Final = b"9223372036854775808"
FITS_BOTH: Final = 18
"""So many digits are an integer of 64 bits, whatever they are."""

SURE_DIGITS: Final = 15
"""A decimal number with so many digits is the shortest form of the double it becomes; the reader is exact there."""
ZEROS_MAX: Final = 4
"""Zeros between the point and the first digit of a number below 1 that is written without exponent."""


# ── canonical text ───────────────────────────────────────────────────────────────────────────────────────────────────


PAIR_BITS: Final = int.from_bytes(b"\xe0\xc0" * 4, "little", signed=True)
PAIRS: Final = int.from_bytes(b"\xc0\x80" * 4, "little", signed=True)


def canonical(data: Octets, start: int, end: int, at: int, stack: Longs) -> int:
    """Write the canonical text of the JSON text data[start:end] at `at`; its end, or UNUSUAL. Room as for `scan`."""
    if scan(data, start, end, at, stack) < 0:
        return UNUSUAL
    flush(data, end, stack)
    return end + stack[R_DELTA]


def scan(data: Octets, start: int, end: int, at: int, stack: Longs) -> int:
    """As `canonical`, without the rest that need not be changed: UNUSUAL, 1 if all need not, else 0.

    The text takes at most `end - start` bytes; putting keys in order needs as many again behind it. So
    data[at : at + 2 * (end - start)] is always enough, and must not overlap the input. IndexError where what is needed
    goes beyond the buffer, or where `stack` has less than STACK_LONGS.
    """
    room = 2 * (end - start)
    if at < 0 or start < 0 or room < 0 or end > len(data) or (at < end and at + room > start):
        return UNUSUAL
    stack[R_COPIED] = start
    stack[R_DELTA] = at - start
    depth = 0
    frame = REGISTERS - FRAME
    i = start
    while True:
        # a value
        i = blanks(data, i, end, stack)
        if i == end:
            return UNUSUAL
        c = data[i]
        if c == QUOTE:
            i = string(data, i + 1, end, stack)
        elif c == OPEN or c == OPEN_SQUARE:
            if depth == JSON_DEPTH_MAX:
                return UNUSUAL
            i = blanks(data, i + 1, end, stack)
            if i == end:
                return UNUSUAL
            if data[i] != c + BRACKET_PAIR:
                depth += 1
                frame += FRAME
                stack[frame + F_CLOSE] = c + BRACKET_PAIR
                if c == OPEN:
                    stack[frame + F_COUNT] = 0
                    stack[frame + F_DISORDER] = 0
                    i = key(data, i, end, stack, frame)
                    if i < 0:
                        return UNUSUAL
                continue
            i += 1
        elif c == MINUS or ZERO <= c <= NINE:
            i = number(data, i, end, stack)
        else:
            i = literal(data, i, end)
        if i < 0:
            return UNUSUAL
        # what follows a value
        while depth:
            i = blanks(data, i, end, stack)
            if i == end:
                return UNUSUAL
            c = data[i]
            close = stack[frame + F_CLOSE]
            if c == COMMA:
                i += 1
                if close == CLOSE:
                    i = key(data, i, end, stack, frame)
                    if i < 0:
                        return UNUSUAL
                break
            if c != close:
                return UNUSUAL
            if close == CLOSE and stack[frame + F_DISORDER]:
                sort(data, i, stack, frame)
            i += 1
            depth -= 1
            frame -= FRAME
        if depth == 0:
            break
    if blanks(data, i, end, stack) != end:
        return UNUSUAL
    return 1 if stack[R_COPIED] == start else 0


def flush(data: Octets, i: int, stack: Longs) -> None:
    """Write what of the input up to `i` has not been written."""
    copied = stack[R_COPIED]
    if copied < i:
        move(data, copied + stack[R_DELTA], data, copied, i - copied)
        stack[R_COPIED] = i


def drop(data: Octets, i: int, behind: int, stack: Longs) -> None:
    """Leave data[i:behind] out of the output."""
    flush(data, i, stack)
    stack[R_COPIED] = behind
    stack[R_DELTA] -= behind - i


@inline
def blanks(data: Octets, i: int, end: int, stack: Longs) -> int:
    """Behind blanks, which are left out."""
    if i < end and data[i] <= SPACE:
        return drop_blanks(data, i, end, stack)
    return i


def drop_blanks(data: Octets, i: int, end: int, stack: Longs) -> int:
    """As `blanks`, where there are some, or another control character."""
    first = i
    while i < end:
        c = data[i]
        if c != SPACE and c != NEWLINE and c != TAB and c != RETURN:
            break
        i += 1
    if i > first:
        drop(data, first, i, stack)
    return i


def literal(data: Octets, i: int, end: int) -> int:
    """Behind `true`, `false` or `null`, or UNUSUAL."""
    c = data[i]
    if c == LETTER_T:
        return word(data, i, end, b"true")
    if c == LETTER_F:
        return word(data, i, end, b"false")
    return word(data, i, end, b"null")


def word(data: Octets, i: int, end: int, text: Bytes) -> int:
    """Behind a text that must stand at `i`, or UNUSUAL."""
    if i + len(text) > end:
        return UNUSUAL
    for k in range(len(text)):
        if data[i + k] != text[k]:
            return UNUSUAL
    return i + len(text)


def digits_end(data: Octets, i: int, end: int) -> int:
    """Behind decimal digits."""
    while i < end:
        c = data[i]
        if c < ZERO or c > NINE:
            break
        i += 1
    return i


@inline
def number(data: Octets, i: int, end: int, stack: Longs) -> int:
    """Behind a number of an easy kind, or UNUSUAL; zeros at the end of a fraction are left out.

    What follows is for the caller to look at: an exponent is not what may stand there.
    """
    first = i
    if data[i] == MINUS:
        i += 1
    digits = i
    i = digits_end(data, i, end)
    size = i - digits
    if size == 0:
        return UNUSUAL
    zero = data[digits] == ZERO
    if zero and size > 1:
        return UNUSUAL
    if i < end and data[i] == POINT:
        return fraction(data, i, end, 0 if zero else size, stack)
    if size <= FITS_BOTH:
        # `-0` is a double
        return UNUSUAL if zero and digits > first else i
    if digits > first:
        return i if fits(data, digits, i, SMALLEST) else UNUSUAL
    return i if fits(data, digits, i, LARGEST) else UNUSUAL


def fits(data: Octets, start: int, end: int, most: Bytes) -> bool:
    """Whether a number without sign and zeros before it is not above another."""
    if end - start != len(most):
        return end - start < len(most)
    for k in range(len(most)):
        if data[start + k] != most[k]:
            return data[start + k] < most[k]
    return True


def fraction(data: Octets, point: int, end: int, whole: int, stack: Longs) -> int:
    """Behind the fraction of a number; or UNUSUAL. `whole`: digits before the point, none if that is a zero."""
    i = digits_end(data, point + 1, end)
    if i == point + 1:
        return UNUSUAL
    used = i
    while used > point + 2 and data[used - 1] == ZERO:
        used -= 1
    significant = whole + i - point - 1
    if whole == 0:
        leading = point + 1
        while leading < i and data[leading] == ZERO:
            leading += 1
        significant = i - leading
        if significant and leading - point - 1 > ZEROS_MAX:
            return UNUSUAL
    if significant > SURE_DIGITS:
        return UNUSUAL
    if used < i:
        drop(data, used, i, stack)
    return i


# ── strings ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def string(data: Octets, i: int, end: int, stack: Longs) -> int:
    """Behind the string whose contents begin at `i`, or UNUSUAL."""
    while True:
        i = seek(data, i, end, NOT_PLAIN)
        if i == end:
            return UNUSUAL
        c = data[i]
        if c == QUOTE:
            return i + 1
        if c == BACKSLASH:
            i = escape(data, i, end, stack)
        elif c < SPACE:
            return UNUSUAL
        else:
            i = characters(data, i, end)
        if i < 0:
            return UNUSUAL


def characters(data: Octets, i: int, end: int) -> int:
    """Behind characters of several bytes, or UNUSUAL where that is not UTF-8."""
    while i < end:
        while i + 8 <= end:
            # four characters of two bytes, which most of the world's letters are
            eight = load64(data, i)
            if eight & PAIR_BITS != PAIRS or not (
                eight & 0x1E and eight & 0x1E0000 and eight & 0x1E00000000 and eight & 0x1E000000000000
            ):
                break
            i += 8
        if i == end:
            return i
        c = data[i]
        if c < 0x80:
            return i
        size = 2 if c < 0xE0 else (3 if c < 0xF0 else 4)
        if c < 0xC2 or c > 0xF4 or i + size > end:
            return UNUSUAL
        second = data[i + 1]
        if second & 0xC0 != 0x80:
            return UNUSUAL
        if size > 2:
            # too long a form, a surrogate, above the last character
            if (c == 0xE0 and second < 0xA0) or (c == 0xED and second > 0x9F):
                return UNUSUAL
            if (c == 0xF0 and second < 0x90) or (c == 0xF4 and second > 0x8F):
                return UNUSUAL
            if data[i + 2] & 0xC0 != 0x80 or data[i + size - 1] & 0xC0 != 0x80:
                return UNUSUAL
        i += size
    return i


def escape(data: Octets, i: int, end: int, stack: Longs) -> int:
    """Behind the escape at `i`, which is written as the canonical form has it; or UNUSUAL."""
    stack[R_ESCAPED] = 1
    if i + 1 >= end:
        return UNUSUAL
    c = data[i + 1]
    if MEANING[c]:
        return i + 2
    if c == SLASH:
        drop(data, i, i + 1, stack)
        return i + 2
    if c != LETTER_U:
        return UNUSUAL
    code = unit(data, i, end)
    behind = i + 6
    if 0xD800 <= code <= 0xDFFF:
        low = unit(data, behind, end)
        if code > 0xDBFF or low < 0xDC00 or low > 0xDFFF:
            return UNUSUAL
        code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
        behind += 6
    if code < 0:
        return UNUSUAL
    if code < SPACE and SHORT[code] == 0 and (data[i + 5] < CAPITAL_A or data[i + 5] > CAPITAL_F):
        return behind
    flush(data, i, stack)
    out = put(data, i + stack[R_DELTA], code)
    stack[R_COPIED] = behind
    stack[R_DELTA] = out - behind
    return behind


def unit(data: Octets, i: int, end: int) -> int:
    """Number of the escape with four hexadecimal digits at `i`, or UNUSUAL."""
    if i + 6 > end or data[i] != BACKSLASH or data[i + 1] != LETTER_U:
        return UNUSUAL
    code = 0
    for k in range(i + 2, i + 6):
        digit = HEX[data[k]]
        if digit == NO_DIGIT:
            return UNUSUAL
        code = code * 16 + digit
    return code


def put(data: Octets, at: int, code: int) -> int:
    """Write a character of a string, with an escape if need be; the end."""
    if code < 0x80:
        if code >= SPACE and code != QUOTE and code != BACKSLASH:
            data[at] = code
            return at + 1
        data[at] = BACKSLASH
        if SHORT[code]:
            data[at + 1] = SHORT[code]
            return at + 2
        data[at + 1] = LETTER_U
        data[at + 2] = ZERO
        data[at + 3] = ZERO
        data[at + 4] = DIGITS[code >> 4]
        data[at + 5] = DIGITS[code & 15]
        return at + 6
    if code < 0x800:
        data[at] = 0xC0 | code >> 6
        data[at + 1] = 0x80 | code & 63
        return at + 2
    if code < 0x10000:
        data[at] = 0xE0 | code >> 12
        data[at + 1] = 0x80 | (code >> 6) & 63
        data[at + 2] = 0x80 | code & 63
        return at + 3
    data[at] = 0xF0 | code >> 18
    data[at + 1] = 0x80 | (code >> 12) & 63
    data[at + 2] = 0x80 | (code >> 6) & 63
    data[at + 3] = 0x80 | code & 63
    return at + 4


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@inline
def key(data: Octets, i: int, end: int, stack: Longs, frame: int) -> int:
    """Behind the key and its colon, which enter the frame; or UNUSUAL."""
    i = blanks(data, i, end, stack)
    if i == end or data[i] != QUOTE:
        return UNUSUAL
    out = i + stack[R_DELTA]
    stack[R_ESCAPED] = 0
    behind = string(data, i + 1, end, stack)
    if behind < 0:
        return UNUSUAL
    escaped = stack[R_ESCAPED]
    before = stack[frame + F_COUNT]
    if before and stack[frame + F_DISORDER] == 0:
        if escaped or stack[frame + F_ESCAPED]:
            # both can be compared where they are in their canonical form
            flush(data, behind, stack)
            if order(data, stack[frame + F_OUT] + 1, out + 1) >= 0:
                stack[frame + F_DISORDER] = 1
        elif not ascends(data, stack[frame + F_KEY], stack[frame + F_KEY_END], i + 1, behind - 1):
            stack[frame + F_DISORDER] = 1
    if before < MEMBERS_MAX:
        stack[frame + F_MEMBERS + before] = out
    elif stack[frame + F_DISORDER]:
        return UNUSUAL
    stack[frame + F_COUNT] = before + 1
    stack[frame + F_KEY] = i + 1
    stack[frame + F_KEY_END] = behind - 1
    stack[frame + F_ESCAPED] = escaped
    stack[frame + F_OUT] = out
    i = blanks(data, behind, end, stack)
    if i == end or data[i] != COLON:
        return UNUSUAL
    return i + 1


def ascends(data: Octets, a: int, a_end: int, b: int, b_end: int) -> bool:
    """Whether the bytes data[a:a_end] come before data[b:b_end]."""
    while a < a_end and b < b_end:
        if data[a] != data[b]:
            return data[a] < data[b]
        a += 1
        b += 1
    return b < b_end


def order(data: Octets, a: int, b: int) -> int:
    """Contents of two canonical strings compared, from behind the quotes: below 0, 0, above 0."""
    while True:
        c = data[a]
        if c == data[b] and c != QUOTE and c != BACKSLASH:
            a += 1
            b += 1
        else:
            left = content(data, a)
            right = content(data, b)
            if left != right or left < 0:
                return left - right
            a += width(data, a)
            b += width(data, b)


def content(data: Octets, at: int) -> int:
    """The byte which stands at `at` in a canonical string, with an escape or without; UNUSUAL at its end."""
    c = data[at]
    if c == QUOTE:
        return UNUSUAL
    if c != BACKSLASH:
        return c
    c = data[at + 1]
    if c != LETTER_U:
        return MEANING[c]
    return HEX[data[at + 4]] * 16 + HEX[data[at + 5]]


def width(data: Octets, at: int) -> int:
    """Bytes in which that byte is spelled."""
    if data[at] != BACKSLASH:
        return 1
    return 2 if data[at + 1] != LETTER_U else 6


def sort(data: Octets, i: int, stack: Longs, frame: int) -> None:
    """Put the members of an object in order, of which `i` is the closing bracket in the input."""
    flush(data, i, stack)
    members = frame + F_MEMBERS
    size = stack[frame + F_COUNT]
    end = i + stack[R_DELTA]
    kept = 0
    for k in range(size):
        low = 0
        high = kept
        while low < high:
            middle = (low + high) >> 1
            sign = order(data, stack[members + stack[ORDER + middle]] + 1, stack[members + k] + 1)
            if sign == 0:
                # of equal keys the last one counts
                stack[ORDER + middle] = k
                low = -1
                break
            if sign < 0:
                low = middle + 1
            else:
                high = middle
        if low < 0:
            continue
        place = kept
        while place > low:
            stack[ORDER + place] = stack[ORDER + place - 1]
            place -= 1
        stack[ORDER + low] = k
        kept += 1
    # from the first one that moves on: written anew behind the output, then brought here
    same = 0
    while same < kept and stack[ORDER + same] == same:
        same += 1
    out = end
    for k in range(same, kept):
        member = stack[ORDER + k]
        first = stack[members + member]
        behind = stack[members + member + 1] - 1 if member + 1 < size else end
        if k > same:
            data[out] = COMMA
            out += 1
        move(data, out, data, first, behind - first)
        out += behind - first
    to = stack[members + same]
    move(data, to, data, end, out - end)
    stack[R_DELTA] = to + out - end - i


# ── ways through canonical text ──────────────────────────────────────────────────────────────────────────────────────


def skip(data: Octets, at: int, end: int) -> int:
    """Behind the value at `at` in canonical text; UNUSUAL if the text ends within."""
    if at >= end:
        return UNUSUAL
    c = data[at]
    if c == QUOTE:
        return skip_string(data, at, end)
    if c != OPEN and c != OPEN_SQUARE:
        return seek(data, at, end, BEHIND_SCALAR)
    depth = 1
    i = at + 1
    while True:
        i = seek(data, i, end, MARKS)
        if i == end:
            return UNUSUAL
        c = data[i]
        if c == QUOTE:
            i = skip_string(data, i, end)
            if i < 0:
                return UNUSUAL
            continue
        i += 1
        if c == OPEN or c == OPEN_SQUARE:
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return i


def skip_string(data: Octets, at: int, end: int) -> int:
    """Behind the string at `at` in canonical text; UNUSUAL if the text ends within."""
    i = at + 1
    while i < end:
        i = seek(data, i, end, STRING_MARKS)
        if i == end:
            break
        if data[i] == QUOTE:
            return i + 1
        i += 2
    return UNUSUAL


def depth(data: Octets, start: int, end: int) -> int:
    """How deep arrays and objects lie inside each other in canonical text."""
    now = 0
    most = 0
    i = start
    while True:
        i = seek(data, i, end, BRACKETS_AND_QUOTE)
        if i == end:
            return most
        c = data[i]
        if c == QUOTE:
            i = skip_string(data, i, end)
            if i < 0:
                return UNUSUAL
        else:
            if c == OPEN or c == OPEN_SQUARE:
                now += 1
                most = max(most, now)
            else:
                now -= 1
            i += 1


BRACKETS_AND_QUOTE: Final = b'[]{}"'


def count(data: Octets, start: int, end: int) -> int:
    """Number of elements of the array data[start:end]; NO_CONTAINER for another value."""
    if start >= end:
        return UNUSUAL
    if data[start] != OPEN_SQUARE:
        return NO_CONTAINER
    i = start + 1
    if i < end and data[i] == CLOSE_SQUARE:
        return 0
    found = 0
    while True:
        i = skip(data, i, end)
        if i < 0 or i >= end:
            return UNUSUAL
        found += 1
        if data[i] != COMMA:
            return found
        i += 1


def element(data: Octets, start: int, end: int, index: int) -> int:
    """Start of an element of the array data[start:end]; NO_CONTAINER for another value, ABSENT if there are fewer."""
    if start >= end:
        return UNUSUAL
    if data[start] != OPEN_SQUARE:
        return NO_CONTAINER
    i = start + 1
    if index < 0 or (i < end and data[i] == CLOSE_SQUARE):
        return ABSENT
    for _ in range(index):
        i = skip(data, i, end)
        if i < 0 or i >= end:
            return UNUSUAL
        if data[i] != COMMA:
            return ABSENT
        i += 1
    return i


def field(data: Octets, start: int, end: int, name_start: int, name_end: int) -> int:
    """Start of the value whose key is the UTF-8 text data[name_start:name_end], in the object data[start:end].

    NO_CONTAINER for another value, ABSENT if there is no such key.
    """
    if start >= end:
        return UNUSUAL
    if data[start] != OPEN:
        return NO_CONTAINER
    i = start + 1
    if i < end and data[i] == CLOSE:
        return ABSENT
    while True:
        if i >= end or data[i] != QUOTE:
            return UNUSUAL
        behind = skip_string(data, i, end)
        if behind < 0 or behind >= end or data[behind] != COLON:
            return UNUSUAL
        sign = order_name(data, i + 1, behind - 1, name_start, name_end)
        if sign == 0:
            return behind + 1
        if sign > 0:
            return ABSENT
        i = skip(data, behind + 1, end)
        if i < 0 or i >= end:
            return UNUSUAL
        if data[i] != COMMA:
            return ABSENT
        i += 1


def order_name(data: Octets, a: int, a_end: int, b: int, b_end: int) -> int:
    """Contents of the canonical string with data[a:a_end] between its quotes, compared with the bytes data[b:b_end]."""
    while a < a_end and b < b_end:
        c = content(data, a)
        if c != data[b]:
            return c - data[b]
        a += width(data, a)
        b += 1
    return (1 if a < a_end else 0) - (1 if b < b_end else 0)


# ── strings and their contents ───────────────────────────────────────────────────────────────────────────────────────


def write_string(data: Octets, start: int, end: int, at: int) -> int:
    """Write the canonical string whose contents are the UTF-8 text data[start:end] at `at`; the end.

    It takes at most 2 + ESCAPE_BYTES_MAX * (end - start) bytes, which must not overlap the input.
    """
    data[at] = QUOTE
    at += 1
    i = start
    while True:
        run = seek(data, i, end, TO_ESCAPE)
        move(data, at, data, i, run - i)
        at += run - i
        if run == end:
            data[at] = QUOTE
            return at + 1
        at = put(data, at, data[run])
        i = run + 1


def read_string(data: Octets, start: int, end: int, at: int) -> int:
    """Write the contents of the canonical string data[start:end], with quotes, as UTF-8 at `at`; the end.

    They take at most `end - start - 2` bytes, which must not overlap the input. UNUSUAL if it is no string.
    """
    if end - start < 2 or data[start] != QUOTE or data[end - 1] != QUOTE:
        return UNUSUAL
    end -= 1
    i = start + 1
    while True:
        run = seek(data, i, end, STRING_MARKS)
        move(data, at, data, i, run - i)
        at += run - i
        if run == end:
            return at
        if data[run] == QUOTE or run + 1 == end:
            return UNUSUAL
        i = run + 2
        c = MEANING[data[run + 1]]
        if c == 0:
            c = unit(data, run, end)
            if c < 0 or c >= SPACE:
                return UNUSUAL
            i = run + 6
        data[at] = c
        at += 1


# ── equality ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def equal(data: Octets, a: int, a_end: int, b: int, b_end: int) -> int:
    """Whether two canonical texts are the same value: 1, 0, or UNUSUAL where it takes to compare doubles.

    Texts that differ are different values, except 0.0 and -0.0; only numbers in the first place that differs matter.
    """
    size = min(a_end - a, b_end - b)
    same = common(data[a:a_end], data[b:b_end])
    if same == size and a_end - a == b_end - b:
        return 1
    if not (a + same < a_end and of_number(data[a + same])) and not (b + same < b_end and of_number(data[b + same])):
        return 0
    first = same
    while first > 0 and of_number(data[a + first - 1]):
        first -= 1
    if first > 0:
        c = data[a + first - 1]
        if c != COMMA and c != COLON and c != OPEN_SQUARE:
            return 0
    if double(data, a + first, a_end) and double(data, b + first, b_end):
        return UNUSUAL
    return 0


def common(left: Octets, right: Octets) -> int:
    """How many bytes are the same at the beginning."""
    size = min(len(left), len(right))
    for k in range(size):
        if left[k] != right[k]:
            return k
    return size


def of_number(c: int) -> bool:
    """Whether a byte can stand in a number."""
    return ZERO <= c <= NINE or c == MINUS or c == POINT or c == LETTER_E or c == PLUS


def double(data: Octets, i: int, end: int) -> bool:
    """Whether the number at `i` has a point or an exponent."""
    while i < end and of_number(data[i]):
        if data[i] == POINT or data[i] == LETTER_E:
            return True
        i += 1
    return False
