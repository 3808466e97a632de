"""`math`: checked 64-bit integers.

Every operation that leaves the range of i64 is an error; division truncates toward zero and the remainder has the sign
of the dividend.
Source: nox:particle-builtins/src/math.rs
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from .arguments import F64, I64, I64_MAX, I64_MIN, U32, binary
from .registry import ServiceError

if TYPE_CHECKING:
    from .registry import Handler


def checked(value: int, operation: str) -> int:
    """The value, if it fits i64."""
    if I64_MIN <= value <= I64_MAX:
        return value
    raise ServiceError(f"i64 {operation} overflow")


def sub(x: int, y: int) -> int:
    """Negation and addition, each checked: -2**63 cannot be subtracted from anything."""
    return checked(x + checked(-y, "neg"), "add")


def fmul(x: float, y: float) -> int:
    """Floor of the product of two floats, saturating; not-a-number gives 0."""
    product = float(x) * float(y)
    if math.isnan(product):
        return 0
    if math.isinf(product):
        return I64_MAX if product > 0 else I64_MIN
    return min(max(math.floor(product), I64_MIN), I64_MAX)


def div(x: int, y: int) -> int:
    """Quotient, truncated toward zero."""
    if y == 0:
        raise ServiceError("i64 div overflow")
    quotient = abs(x) // abs(y)
    return checked(quotient if (x < 0) == (y < 0) else -quotient, "div")


def rem(x: int, y: int) -> int:
    """Remainder with the sign of `x`."""
    if y == 0 or (x == I64_MIN and y == -1):
        raise ServiceError("i64 rem overflow")
    remainder = abs(x) % abs(y)
    return -remainder if x < 0 else remainder


def power(x: int, y: int) -> int:
    """Integer power. Exponents up to 2**32 - 1 are decided without computing huge numbers."""
    if x in (0, 1, -1):
        return int(x**y) if x != -1 else (-1 if y % 2 else 1)
    if y > 63:
        raise ServiceError("i64 pow overflow")
    return checked(int(x**y), "pow")


def log(x: int, y: int) -> int:
    """Floor of the logarithm of `y` to the base `x`."""
    if x < 2 or y <= 0:
        raise ServiceError("i64 log overflow")
    exponent = 0
    while y >= x:
        y //= x
        exponent += 1
    return exponent


FUNCTIONS: Final[dict[str, Handler]] = {
    "add": binary(I64, I64, lambda x, y: checked(x + y, "add")),
    "sub": binary(I64, I64, sub),
    "mul": binary(I64, I64, lambda x, y: checked(x * y, "mul")),
    "fmul": binary(F64, F64, fmul),
    "div": binary(I64, I64, div),
    "rem": binary(I64, I64, rem),
    "pow": binary(I64, U32, power),
    "log": binary(I64, I64, log),
}
