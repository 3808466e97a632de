"""Texts of floats: as Rust displays an `f64`, and as `serde_json` writes it. Both take Python's shortest digits."""

from __future__ import annotations

from typing import Final

_PLAIN_MAX: Final = 16
"""Digits before the point up to which JSON needs no exponent."""

_PLAIN_MIN: Final = -5
"""Decimal exponent down to which (exclusive) JSON needs no exponent."""


def _digits(value: float) -> tuple[str, str, int]:
    """Sign, digits without zeros at the ends, and the place of the point relative to the first digit."""
    sign = "-" if repr(value).startswith("-") else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    stripped = stripped.rstrip("0")
    return (sign, stripped, point) if stripped else (sign, "0", 1)


def display_float(value: float) -> str:
    """Never an exponent, no point in a whole number: `1.0` → `1`."""
    sign, digits, point = _digits(value)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    return f"{sign}{digits[:point]}.{digits[point:]}"


def json_float(value: float) -> str:
    """Always a point or an exponent: `1.0`, `0.00001234`, `1e-5`, `1.5e17`."""
    sign, digits, point = _digits(value)
    if len(digits) <= point <= _PLAIN_MAX:
        return f"{sign}{digits}{'0' * (point - len(digits))}.0"
    if 0 < point <= _PLAIN_MAX:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if _PLAIN_MIN < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1}"
