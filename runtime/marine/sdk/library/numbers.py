"""Integers: what ends the call when a result does not fit, and texts of numbers. Those named `u64` take all 64 bits as a number."""

from __future__ import annotations

from runtime.marine.sdk.intrinsics import (
    div,
    load8,
    lshr,
    rem,
    store8,
    udiv,
    ult,
    urem,
)

from .texts import concat, count_of, data_of, fresh, hex_digit, repeat, size_of, strip_space, text_slice

_MIN = -9223372036854775808
_MAX = 9223372036854775807
_WIDEST = 4294967295


def int_mul(a: int, b: int) -> int:
    """`a * b`."""
    out = a * b
    if -2147483648 <= a <= 2147483647 and -2147483648 <= b <= 2147483647:
        return out
    if a == 0 or b == 0:
        return 0
    if (a == -1 and b == _MIN) or (b == -1 and a == _MIN) or (a != -1 and div(out, a) != b):
        raise OverflowError("number out of range")
    return out


def u64_mul(a: int, b: int) -> int:
    """`a * b`."""
    out = a * b
    if lshr(a | b, 32) != 0 and a != 0 and udiv(out, a) != b:
        raise OverflowError("number out of range")
    return out


def int_floordiv(a: int, b: int) -> int:
    """`a // b`."""
    if b == 0:
        raise ZeroDivisionError("integer division or modulo by zero")
    if b == -1:
        if a == _MIN:
            raise OverflowError("number out of range")
        return -a
    out = div(a, b)
    if (a ^ b) < 0 and out * b != a:
        return out - 1
    return out


def int_mod(a: int, b: int) -> int:
    """`a % b`: has the sign of `b`."""
    if b == 0:
        raise ZeroDivisionError("integer modulo by zero")
    if b == -1:
        return 0
    out = rem(a, b)
    if out != 0 and (out ^ b) < 0:
        return out + b
    return out


def u64_floordiv(a: int, b: int) -> int:
    """`a // b`."""
    if b == 0:
        raise ZeroDivisionError("integer division or modulo by zero")
    return udiv(a, b)


def u64_mod(a: int, b: int) -> int:
    """`a % b`."""
    if b == 0:
        raise ZeroDivisionError("integer modulo by zero")
    return urem(a, b)


def int_shl(a: int, b: int) -> int:
    """`a << b`."""
    if b < 0:
        raise ValueError("negative shift count")
    if a == 0:
        return 0
    if b > 63 or a << b >> b != a:
        raise OverflowError("number out of range")
    return a << b


def u64_shl(a: int, b: int) -> int:
    """`a << b`."""
    if b < 0:
        raise ValueError("negative shift count")
    if a == 0:
        return 0
    if b > 63 or lshr(a << b, b) != a:
        raise OverflowError("number out of range")
    return a << b


def int_shr(a: int, b: int) -> int:
    """`a >> b`."""
    if b < 0:
        raise ValueError("negative shift count")
    return a >> (min(b, 63))


def u64_shr(a: int, b: int) -> int:
    """`a >> b`."""
    if b < 0:
        raise ValueError("negative shift count")
    return 0 if b > 63 else lshr(a, b)


def int_pow(base: int, exponent: int) -> int:
    """`base ** exponent`."""
    if exponent < 0:
        raise ValueError("negative exponent of an integer")
    out = 1
    while exponent > 0:
        if exponent & 1 == 1:
            out = int_mul(out, base)
        exponent = exponent >> 1
        if exponent > 0:
            base = int_mul(base, base)
    return out


def u64_pow(base: int, exponent: int) -> int:
    """`base ** exponent`."""
    if exponent < 0:
        raise ValueError("negative exponent of an integer")
    out = 1
    while exponent > 0:
        if exponent & 1 == 1:
            out = u64_mul(out, base)
        exponent = exponent >> 1
        if exponent > 0:
            base = u64_mul(base, base)
    return out


def int_abs(a: int) -> int:
    """`abs(a)`."""
    if a == _MIN:
        raise OverflowError("number out of range")
    return -a if a < 0 else a


def range_count(start: int, stop: int, step: int) -> int:
    """How many numbers a range has, with all 64 bits."""
    if step == 0:
        raise ValueError("range() arg 3 must not be zero")
    if step > 0:
        return udiv(stop - start - 1, step) + 1 if start < stop else 0
    return udiv(start - stop - 1, -step) + 1 if start > stop else 0


def digits(value: int, base: int, capital: bool) -> str:
    """Digits of a number that takes all 64 bits."""
    size = 1
    rest = udiv(value, base)
    while rest != 0:
        size += 1
        rest = udiv(rest, base)
    made = fresh("", size, size)
    place = data_of(made) + size
    while size > 0:
        size -= 1
        place -= 1
        digit = hex_digit(urem(value, base))
        store8(place, digit - 32 if capital and digit > 96 else digit)
        value = udiv(value, base)
    return made


def show_int(value: int) -> str:
    """`str(value)`."""
    if value < 0:
        return concat("-", digits(-value, 10, False))
    return digits(value, 10, False)


def show_u64(value: int) -> str:
    """`str(value)`."""
    return digits(value, 10, False)


def show_based(value: int, base: int, prefix: str) -> str:
    """`hex(value)`, `oct(value)`, `bin(value)`."""
    if value < 0:
        return concat(concat("-", prefix), digits(-value, base, False))
    return concat(prefix, digits(value, base, False))


def show_bool(value: bool) -> str:
    """`str(value)`."""
    return "True" if value else "False"


def grouped(text: str, by: str, size: int, wanted: int) -> str:
    """Digits in groups from the right, with zeros in front as far as `wanted` characters need them."""
    count = count_of(text)
    while count + udiv(count - 1, size) < wanted:
        count += 1
    text = concat(repeat("0", count - count_of(text)), text)
    first = urem(count_of(text), size)
    out = text_slice(text, 0, first)
    place = first
    while place < count_of(text):
        if count_of(out) > 0:
            out = concat(out, by)
        out = concat(out, text_slice(text, place, place + size))
        place += size
    return out


def filled(sign: str, body: str, by: str, align: str, wanted: int) -> str:
    """A number in a field of so many characters: a sign, its digits, and where filling goes (`<`, `>`, `^`, `=`)."""
    missing = wanted - count_of(sign) - count_of(body)
    if missing <= 0:
        return concat(sign, body)
    if align == "=":
        return concat(concat(sign, repeat(by, missing)), body)
    left = missing
    if align == "<":
        left = 0
    if align == "^":
        left = missing >> 1
    return concat(concat(repeat(by, left), concat(sign, body)), repeat(by, missing - left))


def digit_value(byte: int) -> int:
    """Of a character; 99 if it is no digit of any base."""
    if byte >= 48 and byte <= 57:
        return byte - 48
    byte = byte | 32
    if byte >= 97 and byte <= 122:
        return byte - 87
    return 99


def parse_int(text: str, base: int) -> int:
    """`int(text, base)`."""
    body = strip_space(text, True, True)
    data = data_of(body)
    end = data + size_of(body)
    negative = False
    if data < end:
        sign = load8(data)
        if sign == 45 or sign == 43:
            negative = sign == 45
            data += 1
    if base != 10 and data + 1 < end and load8(data) == 48:
        letter = load8(data + 1) | 32
        if (base == 16 and letter == 120) or (base == 8 and letter == 111) or (base == 2 and letter == 98):
            data += 2
            if data < end and load8(data) == 95:
                data += 1
    if data >= end:
        raise ValueError("invalid literal for int()")
    out = 0
    after_digit = False
    while data < end:
        byte = load8(data)
        data += 1
        if byte == 95 and after_digit and data < end:
            after_digit = False
            continue
        digit = digit_value(byte)
        if digit >= base:
            raise ValueError("invalid literal for int()")
        after_digit = True
        if ult(922337203685477580 if base == 10 else udiv(_MAX, base) + 1, out):
            raise OverflowError("number out of range")
        out = out * base + digit
        if out < 0 and not (negative and out == _MIN):
            raise OverflowError("number out of range")
    return -out if negative else out


def parse_u64(text: str) -> int:
    """`u64(text)`."""
    body = strip_space(text, True, True)
    last = size_of(body) - 1
    if last > 0 and load8(data_of(body)) != 45:
        digit = digit_value(load8(data_of(body) + last))
        byte = load8(data_of(body) + last - 1)
        if digit < 10 and (digit_value(byte) < 10 or (byte == 95 and last > 1)):
            rest = parse_int(text_slice(body, 0, count_of(body) - (2 if byte == 95 else 1)), 10)
            if rest > 1844674407370955161 or (rest == 1844674407370955161 and digit > 5):
                raise OverflowError("number out of range")
            return rest * 10 + digit
    out = parse_int(body, 10)
    if out < 0:
        raise OverflowError("number out of range")
    return out
