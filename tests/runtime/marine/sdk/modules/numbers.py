"""Numbers: every function is pure, so Python says what is right as long as no result leaves its type."""

import math

from runtime.marine.sdk import export, f32, i8, i16, i32, u8, u16, u32, u64, wrapping_add, wrapping_mul, wrapping_sub


@export
def add(a: int, b: int) -> int:
    return a + b


@export
def subtract(a: int, b: int) -> int:
    return a - b


@export
def multiply(a: int, b: int) -> int:
    return a * b


@export
def floordiv(a: int, b: int) -> int:
    return a // b


@export
def modulo(a: int, b: int) -> int:
    return a % b


@export
def power(a: int, b: u8) -> int:
    return int(a**b)


@export
def left(a: int, b: i8) -> int:
    return a << b


@export
def right(a: int, b: i8) -> int:
    return a >> b


@export
def bits(a: int, b: int) -> list[int]:
    return [a & b, a | b, a ^ b, ~a, +a, a & 0xFF, (a | 1) ^ 3]


@export
def negate(a: int) -> int:
    return -a


@export
def absolute(a: int) -> int:
    return abs(a)


@export
def compared(a: int, b: int, c: u8) -> list[bool]:
    return [a < b, a <= b, a > b, a >= b, a == b, a != b, a < c, a == c, a < b < c, a <= b != c, 0 <= a < 10]


@export
def extremes(a: int, b: int, c: int) -> list[int]:
    return [min(a, b), max(a, b), min(a, b, c), max(a, b, c)]


@export
def to_i8(a: int) -> i8:
    return a


@export
def to_u8(a: int) -> u8:
    x: u8 = a
    return x


@export
def to_i16(a: int) -> i16:
    return i16(a)


@export
def to_u16(a: int) -> u16:
    return u16(a)


@export
def to_i32(a: int) -> i32:
    return i32(a)


@export
def small(a: u8, b: u8, c: i16) -> int:
    return (a + b) * c - a // (b + 1) + (a - b) % 7


@export
def unsigned(a: u32, b: u32) -> list[u64]:
    x = u64(a) * 4294967296 + b
    y = u64(b) * 3 + 1
    return [x, y, x // y, x % y, x >> 3, x & 255, x | y, x ^ y, max(x, y), x + 1]


@export
def unsigned_tests(a: u32, b: int) -> list[bool]:
    x = u64(a) * 4294967296
    return [x < b, x <= b, x > b, x >= b, x == b, x != b, b < x, b >= x, x > 7]


@export
def wrapped(a: u32, b: u32) -> list[u64]:
    x = wrapping_mul(u64(a) * 4294967296 + b, 0x9E3779B97F4A7C15)
    return [x, wrapping_add(x, x), wrapping_sub(u64(b), x)]


@export
def texts(a: int, b: u64, c: bool) -> list[str]:
    return [str(a), str(b), str(c), hex(a), oct(a), bin(a), f"{a}|{b}|{c}"]


@export
def formats(a: int) -> list[str]:
    return [
        f"{a:d}", f"{a:5d}", f"{a:<8}|", f"{a:^9}|", f"{a:08d}", f"{a:+d}", f"{a: d}", f"{a:x}", f"{a:X}", f"{a:#x}", f"{a:#06b}", f"{a:o}",
        f"{a:,}", f"{a:_}", f"{a:*>12,}", f"{a:_x}", f"{a:.2f}", f"{a:=+9}",
    ]  # fmt: skip


@export
def parsed(s: str) -> int:
    return int(s)


@export
def parsed_hex(s: str) -> int:
    return int(s, 16)


@export
def parsed_binary(s: str) -> int:
    return int(s, 2)


@export
def float_sums(a: float, b: float) -> list[float]:
    return [a + b, a - b, a * b, -a, abs(a), a * 2, 1 + b, max(a, b), min(a, b)]


@export
def float_div(a: float, b: float) -> float:
    return a / b


@export
def int_div(a: i32, b: i32) -> float:
    return a / b


@export
def float_floordiv(a: float, b: float) -> float:
    return a // b


@export
def float_mod(a: float, b: float) -> float:
    return a % b


@export
def float_tests(a: float, b: float, c: i32) -> list[bool]:
    return [
        a < b,
        a <= b,
        a > b,
        a >= b,
        a == b,
        a != b,
        a < c,
        bool(a),
        math.isnan(a),
        math.isinf(a),
        math.isfinite(a),
    ]


@export
def float_text(a: float) -> str:
    return str(a)


@export
def float_formats(a: float) -> list[str]:
    return [
        f"{a:.2f}",
        f"{a:.0f}",
        f"{a:f}",
        f"{a:10.3f}|",
        f"{a:+.1f}",
        f"{a:,.2f}",
        f"{a:08.2f}",
        f"{a:.1%}",
        f"{a:<12.4f}|",
        f"{a:.20f}",
    ]


@export
def float_parsed(s: str) -> float:
    return float(s)


@export
def float_rounds(a: float) -> list[int]:
    return [int(a), round(a), math.floor(a), math.ceil(a), math.trunc(a)]


@export
def root(a: float) -> float:
    return math.sqrt(a)


@export
def single(a: float) -> float:
    x: f32 = f32(a)
    return x


@export
def booleans(a: bool, b: bool) -> list[int]:
    return [a + b, int(a and b), int(a or b), int(a ^ b), int(a & b), int(a == b), int(not a), 5 if a else 6]


@export
def counted(a: i8, b: i8, c: i8) -> list[int]:
    return [i for i in range(a, b, c)] + [i for i in range(b)] + list(range(a, b))


@export
def gcd(a: u32, b: u32) -> u32:
    while b:
        a, b = b, a % b
    return a


def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@export
def fibonacci_of(n: u8) -> int:
    return fibonacci(n % 18)
