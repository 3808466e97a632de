"""Floats: what Python does beyond the processor's instructions, and texts of floats, exact and shortest.

Texts are made with integers of any size: lists of words of 32 bits, the lowest first, without zeros at the end.
"""

from __future__ import annotations

from runtime.marine.sdk.intrinsics import (
    address,
    bits,
    floor,
    from_bits,
    item,
    leading_zeros,
    load8,
    lshr,
    set_item,
    sqrt,
    store8,
    store32,
    truncated,
    udiv,
    urem,
)

from .lists import list_append, new_list, set_length
from .numbers import digits, grouped
from .texts import concat, cut, data_of, fresh, repeat, seek, size_of, strip_space, text_slice

_FRACTION = 4503599627370495
_HIDDEN = 4503599627370496
_INFINITY = 9218868437227405312
_MOST = 9223372036854775807
_WORD = 4294967295
_DIGITS_MAX = 800


def is_negative(x: float) -> bool:
    """Whether the sign is set, and it is a number."""
    return bits(x) < 0 and not is_nan(x)


def is_nan(x: float) -> bool:
    """`math.isnan(x)`."""
    return x != x


def is_inf(x: float) -> bool:
    """`math.isinf(x)`."""
    return bits(x) & _MOST == _INFINITY


def is_finite(x: float) -> bool:
    """`math.isfinite(x)`."""
    return bits(x) & _INFINITY != _INFINITY


def float_div(a: float, b: float) -> float:
    """`a / b`."""
    if b == 0.0:
        raise ZeroDivisionError("float division by zero")
    return a / b


def float_sqrt(x: float) -> float:
    """`math.sqrt(x)`."""
    if x < 0.0:
        raise ValueError("math domain error")
    return sqrt(x)


def float_int(x: float) -> int:
    """`int(x)`."""
    if is_nan(x):
        raise ValueError("cannot convert float NaN to integer")
    if x >= 9223372036854775808.0 or x < -9223372036854775808.0:
        raise OverflowError("number out of range")
    return truncated(x)


def float_u64(x: float) -> int:
    """`u64(x)`."""
    if is_nan(x):
        raise ValueError("cannot convert float NaN to integer")
    if x >= 18446744073709551616.0 or x <= -1.0:
        raise OverflowError("number out of range")
    if x >= 9223372036854775808.0:
        return truncated(x - 9223372036854775808.0) | ~_MOST
    return truncated(x)


def remainder(a: float, b: float) -> float:
    """As C's `fmod`, which is exact: `b` is not 0."""
    if is_nan(a) or is_nan(b) or is_inf(a):
        return from_bits(_INFINITY | 1)
    x = bits(a) & _MOST
    y = bits(b) & _MOST
    if x < y:
        return a
    sign = bits(a) ^ x
    ex = max(x >> 52, 1)
    ey = max(y >> 52, 1)
    mx = x & _FRACTION | (_HIDDEN if x >> 52 > 0 else 0)
    my = y & _FRACTION | (_HIDDEN if y >> 52 > 0 else 0)
    mx = urem(mx, my)  # a subnormal `b` goes into it more than once
    while ex > ey:
        mx <<= 1
        if mx >= my:
            mx -= my
        ex -= 1
    if mx == 0:
        return from_bits(sign)
    while mx < _HIDDEN and ey > 1:
        mx <<= 1
        ey -= 1
    if mx >= _HIDDEN:
        mx = mx - _HIDDEN | ey << 52
    return from_bits(sign | mx)


def float_mod(a: float, b: float) -> float:
    """`a % b`: has the sign of `b`."""
    if b == 0.0:
        raise ZeroDivisionError("float modulo")
    out = remainder(a, b)
    if out != 0.0:
        if (b < 0.0) != (out < 0.0):
            out = out + b
    elif not is_nan(out):
        out = from_bits(bits(b) & ~_MOST)
    return out


def float_floordiv(a: float, b: float) -> float:
    """`a // b`, as Python computes it."""
    if b == 0.0:
        raise ZeroDivisionError("float floor division by zero")
    out = remainder(a, b)
    quotient = (a - out) / b
    if out != 0.0 and (b < 0.0) != (out < 0.0):
        quotient = quotient - 1.0
    if quotient == 0.0:
        return from_bits((bits(a) ^ bits(b)) & ~_MOST)
    whole = floor(quotient)
    if quotient - whole > 0.5:
        whole = whole + 1.0
    return whole


# ── integers of any size ─────────────────────────────────────────────────────────────────────────────────────────────


def big(value: int) -> list[int]:
    """Of a number that takes all 64 bits."""
    out: list[int] = []
    if value != 0:
        list_append(out, value & _WORD)
        if lshr(value, 32) != 0:
            list_append(out, lshr(value, 32))
    return out


def trim(a: list[int]) -> None:
    """Drop zeros at the end."""
    while len(a) > 0 and item(a, len(a) - 1) == 0:
        set_length(a, len(a) - 1)


def scale(a: list[int], by: int, more: int) -> None:
    """`a = a * by + more`; both below 2**32."""
    carry = more
    for i in range(len(a)):
        carry += item(a, i) * by
        set_item(a, i, carry & _WORD)
        carry = lshr(carry, 32)
    if carry != 0:
        list_append(a, carry)


def divide(a: list[int], by: int) -> int:
    """`a = a // by`, and what is left; `by` is below 2**32."""
    rest = 0
    i = len(a) - 1
    while i >= 0:
        rest = rest << 32 | item(a, i)
        set_item(a, i, udiv(rest, by))
        rest = urem(rest, by)
        i -= 1
    trim(a)
    return rest


def shifted(a: list[int], by: int) -> list[int]:
    """`a << by`."""
    words = by >> 5
    by = by & 31
    out: list[int] = new_list(len(a) + words + 1)
    for i in range(words):
        set_item(out, i, 0)
    carry = 0
    for i in range(len(a)):
        carry |= item(a, i) << by
        set_item(out, words + i, carry & _WORD)
        carry = lshr(carry, 32)
    set_item(out, words + len(a), carry)
    trim(out)
    return out


def compare(a: list[int], b: list[int]) -> int:
    """Below, at or above 0 as `a` is to `b`."""
    if len(a) != len(b):
        return len(a) - len(b)
    i = len(a) - 1
    while i >= 0:
        if item(a, i) != item(b, i):
            return item(a, i) - item(b, i)
        i -= 1
    return 0


def plus(a: list[int], b: list[int]) -> list[int]:
    """`a + b`."""
    size = max(len(a), len(b))
    out: list[int] = new_list(size + 1)
    carry = 0
    for i in range(size):
        if i < len(a):
            carry += item(a, i)
        if i < len(b):
            carry += item(b, i)
        set_item(out, i, carry & _WORD)
        carry = carry >> 32
    set_item(out, size, carry)
    trim(out)
    return out


def subtract(a: list[int], b: list[int]) -> None:
    """`a = a - b`, which is not negative."""
    carry = 0
    for i in range(len(a)):
        carry += item(a, i)
        if i < len(b):
            carry -= item(b, i)
        set_item(a, i, carry & _WORD)
        carry = carry >> 32
    trim(a)


def powered(a: list[int], ten: int) -> None:
    """`a = a * 10 ** ten`."""
    while ten >= 9:
        scale(a, 1000000000, 0)
        ten -= 9
    while ten > 0:
        scale(a, 10, 0)
        ten -= 1


def length(a: list[int]) -> int:
    """Bits of a number above 0."""
    return len(a) * 32 + 32 - leading_zeros(item(a, len(a) - 1))


def decimal(a: list[int]) -> str:
    """Digits of a number; takes it apart."""
    out = ""
    while len(a) > 0:
        part = digits(divide(a, 1000000000), 10, False)
        if len(a) > 0:
            part = concat(repeat("0", 9 - size_of(part)), part)
        out = concat(part, out)
    return "0" if size_of(out) == 0 else out


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def show_float(x: float) -> str:
    """`str(x)`: the shortest digits that mean this number and no other."""
    if is_nan(x):
        return "nan"
    sign = "-" if bits(x) < 0 else ""
    if is_inf(x):
        return concat(sign, "inf")
    if x == 0.0:
        return concat(sign, "0.0")
    return concat(sign, shortest(bits(x) & _MOST))


def shortest(number: int) -> str:
    """Digits of a float above 0, of its bits: Steele and White's algorithm, with their names for the numbers."""
    exponent = number >> 52
    m = number & _FRACTION
    narrow = m == 0 and exponent > 1
    if exponent > 0:
        m |= _HIDDEN
    else:
        exponent = 1
    e = exponent - 1075
    even = m & 1 == 0
    extra = 2 if narrow else 1
    r = shifted(big(m), max(e, 0) + extra)
    s = shifted(big(1), max(-e, 0) + extra)
    low = shifted(big(1), max(e, 0))
    high = shifted(low, 1) if narrow else low
    k = (e + 63 - leading_zeros(m)) * 1233 >> 12
    if k >= 0:
        powered(s, k)
    else:
        powered(r, -k)
        powered(low, -k)
        high = shifted(low, 1) if narrow else low
    while True:
        over = compare(plus(r, high), s)
        if over < 0 or (over == 0 and not even):
            break
        powered(s, 1)
        k += 1
    while True:
        more = shifted(r, 0)
        powered(more, 1)
        wide = shifted(high, 0)
        powered(wide, 1)
        over = compare(plus(more, wide), s)
        if over > 0 or (over == 0 and even):
            break
        r = more
        powered(low, 1)
        high = shifted(low, 1) if narrow else low
        k -= 1
    out = fresh("", 32, 32)
    size = 0
    while True:
        powered(r, 1)
        powered(low, 1)
        high = shifted(low, 1) if narrow else low
        digit = 0
        while compare(r, s) >= 0:
            subtract(r, s)
            digit += 1
        below = compare(r, low)
        above = compare(plus(r, high), s)
        too_low = below < 0 or (below == 0 and even)
        too_high = above > 0 or (above == 0 and even)
        if not too_low and not too_high:
            store8(data_of(out) + size, 48 + digit)
            size += 1
            continue
        if too_low and too_high:
            half = compare(shifted(r, 1), s)
            if half > 0 or (half == 0 and digit & 1 == 1):
                digit += 1
        elif too_high:
            digit += 1
        store8(data_of(out) + size, 48 + digit)
        size += 1
        break
    return placed(cut(out, 0, size), k)


def placed(text: str, point: int) -> str:
    """Digits with a point behind the first `point` of them, or an exponent where Python writes one."""
    size = size_of(text)
    if point > 16 or point < -3:
        out = text_slice(text, 0, 1)
        if size > 1:
            out = concat(concat(out, "."), text_slice(text, 1, size))
        exponent = point - 1
        sign = "e-" if exponent < 0 else "e+"
        number = digits(-exponent if exponent < 0 else exponent, 10, False)
        if size_of(number) == 1:
            number = concat("0", number)
        return concat(concat(out, sign), number)
    if point <= 0:
        return concat(concat("0.", repeat("0", -point)), text)
    if point >= size:
        return concat(concat(text, repeat("0", point - size)), ".0")
    return concat(concat(text_slice(text, 0, point), "."), text_slice(text, point, size))


def fixed(x: float, places: int) -> str:
    """`f"{abs(x):.{places}f}"`, rounded exactly, halves to the even digit."""
    if is_nan(x):
        return "nan"
    if is_inf(x):
        return "inf"
    number = bits(x) & _MOST
    exponent = number >> 52
    m = number & _FRACTION
    if exponent > 0:
        m |= _HIDDEN
    else:
        exponent = 1
    e = exponent - 1075
    value = big(m)
    powered(value, places)
    if e >= 0:
        value = shifted(value, e)
    elif len(value) > 0:
        value = halved(value, -e)
    text = decimal(value)
    if places == 0:
        return text
    if size_of(text) <= places:
        text = concat(repeat("0", places + 1 - size_of(text)), text)
    point = size_of(text) - places
    return concat(concat(text_slice(text, 0, point), "."), text_slice(text, point, size_of(text)))


def halved(a: list[int], by: int) -> list[int]:
    """`a >> by`, rounded, halves to even."""
    words = by >> 5
    rest = by & 31
    out: list[int] = []
    for i in range(words, len(a)):
        value = lshr(item(a, i), rest)
        if i + 1 < len(a):
            value |= item(a, i + 1) << 32 - rest & _WORD
        list_append(out, value)
    trim(out)
    half = bit(a, by - 1)
    below = False
    i = 0
    while i < by - 1 and not below:
        if i & 31 == 0 and i + 32 <= by - 1:
            below = (i >> 5) < len(a) and item(a, i >> 5) != 0
            i += 32
        else:
            below = bit(a, i)
            i += 1
    if half and (below or bit(out, 0)):
        out = plus(out, big(1))
    return out


def bit(a: list[int], place: int) -> bool:
    """Whether a bit is set."""
    return (place >> 5) < len(a) and lshr(item(a, place >> 5), place & 31) & 1 == 1


def pointed(text: str) -> str:
    """Digits with the point that `#` wants behind them."""
    if load8(data_of(text)) > 57:
        return text  # inf and nan have none
    return concat(text, ".")


def grouped_float(text: str, by: str, wanted: int) -> str:
    """Digits before the point in groups of three, with zeros in front as far as `wanted` characters need them."""
    point = seek(text, ".", 0, size_of(text))
    if point < 0:
        point = size_of(text)
        if point > 0 and load8(data_of(text) + point - 1) == 37:
            point -= 1
    first = load8(data_of(text))
    if first < 48 or first > 57:
        return text
    rest = text_slice(text, point, size_of(text))
    return concat(grouped(text_slice(text, 0, point), by, 3, wanted - size_of(rest)), rest)


def parse_float(text: str) -> float:
    """`float(text)`: the nearest float, halves to even."""
    body = strip_space(text, True, True)
    data = data_of(body)
    end = data + size_of(body)
    negative = False
    if data < end:
        sign = load8(data)
        if sign == 43 or sign == 45:
            negative = sign == 45
            data += 1
    out = 0
    named = word_at(data, end)
    if named >= 0:
        out = named
    else:
        out = parse_digits(data, end)
    if negative:
        out |= ~_MOST
    return from_bits(out)


def word_at(data: int, end: int) -> int:
    """Bits of `inf`, `infinity` or `nan`; -1 for anything else."""
    size = end - data
    if size != 3 and size != 8:
        return -1
    text = fresh("", size, size)
    for i in range(size):
        store8(data_of(text) + i, load8(data + i) | 32)
    store32(address(text) + 12, size)
    if text == "inf" or text == "infinity":
        return _INFINITY
    if text == "nan":
        return _INFINITY | 1 << 51
    return -1


def parse_digits(data: int, end: int) -> int:
    """Bits of a number without its sign."""
    value: list[int] = []
    exponent = 0
    kept = 0
    seen = False
    after_digit = False
    point = False
    while data < end:
        byte = load8(data)
        if byte >= 48 and byte <= 57:
            seen = True
            after_digit = True
            if kept < _DIGITS_MAX:
                scale(value, 10, byte - 48)
                if len(value) > 0:
                    kept += 1
                if point:
                    exponent -= 1
            else:
                if byte != 48:
                    set_item(value, 0, item(value, 0) | 1)
                if not point:
                    exponent += 1
        elif byte == 46 and not point:
            point = True
            after_digit = False
        elif byte == 95 and after_digit and data + 1 < end and load8(data + 1) >= 48 and load8(data + 1) <= 57:
            after_digit = False
        else:
            break
        data += 1
    if not seen:
        raise ValueError("could not convert string to float")
    if data < end and load8(data) | 32 == 101:
        data += 1
        down = False
        if data < end and (load8(data) == 43 or load8(data) == 45):
            down = load8(data) == 45
            data += 1
        number = 0
        if data >= end:
            raise ValueError("could not convert string to float")
        after_digit = False
        while data < end:
            byte = load8(data)
            if byte == 95 and after_digit and data + 1 < end:
                after_digit = False
            elif byte >= 48 and byte <= 57:
                number = min(number * 10 + byte - 48, 100000)
                after_digit = True
            else:
                break
            data += 1
        exponent += -number if down else number
    if data < end:
        raise ValueError("could not convert string to float")
    return rounded_bits(value, exponent)


def rounded_bits(value: list[int], ten: int) -> int:
    """Bits of the float nearest to `value * 10 ** ten`."""
    if len(value) == 0:
        return 0
    if ten > 400:
        return _INFINITY
    if ten < -2000:
        return 0
    below = big(1)
    if ten >= 0:
        powered(value, ten)
    else:
        powered(below, -ten)
    shift = 62 - length(value) + length(below)
    if shift >= 0:
        value = shifted(value, shift)
    else:
        below = shifted(below, -shift)
    # the quotient has 62 or 63 bits
    below = shifted(below, 62)
    quotient = 0
    for _ in range(63):
        quotient <<= 1
        if compare(value, below) >= 0:
            subtract(value, below)
            quotient |= 1
        value = shifted(value, 1)
    if len(value) > 0:
        quotient |= 1
    # number = quotient * 2 ** -shift
    size = 64 - leading_zeros(quotient)
    top = size - shift
    drop = size - 53
    if top > 1024:
        return _INFINITY
    if top < -1021:
        drop += -1021 - top
    if drop > 63:
        return 0
    kept = lshr(quotient, drop)
    half = 1 << drop - 1
    rest = quotient & (1 << drop) - 1
    if rest > half or (rest == half and kept & 1 == 1):
        kept += 1
    if top < -1021:
        return kept
    # a carry out of the fraction raises the exponent by one, which is right
    out = (top + 1021 << 52) + kept
    return min(_INFINITY, out)
