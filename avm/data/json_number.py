"""JSON numbers as the reference reads and prints them: its decimal → binary step is not correctly rounded.

Every peer must compute the same CID of the same text, so the rounding errors of the reference are part of the format. Read by:
`canonical_json` (the fast parser's hooks) and `json_reader` (the strict one). Errors: NumberOutOfRangeError.
Source: serde_json 1.0.108 without `float_roundtrip`, src/de.rs (parse_decimal … f64_from_parts); ryu's pretty printer.
"""

from __future__ import annotations

from typing import Final

U64_MAX: Final = 2**64 - 1
I64_MIN: Final = -(2**63)
I32_MAX: Final = 2**31 - 1

_POWERS_OF_TEN: Final = tuple(float(f"1e{k}") for k in range(309))
_FITS_ANY = 19  # any 19 decimal digits fit into u64
_EXACT_TEXT = 16  # a text this short has at most 15 digits: float(text) is what the algorithm gives
_SHORT_TEXT = 20  # with a point at most 19 digits: the significand fits, one division remains


class NumberOutOfRangeError(ValueError):
    """The number is larger than the largest double. `consumed`: characters of the number read when that was noticed."""

    def __init__(self, consumed: int) -> None:
        """Keep the place for the error text."""
        super().__init__("number out of range")
        self.consumed = consumed


def parse_integer(text: str) -> int | float:
    """Value of a number without fraction and exponent: u64, else i64, else a double (also `-0`)."""
    if len(text) < _FITS_ANY and text != "-0":
        return int(text)
    if text == "-0":
        return -0.0
    if len(text) <= _FITS_ANY + 2:
        value = int(text)
        if I64_MIN <= value <= U64_MAX:
            return value
        if -U64_MAX <= value < 0:
            return float(value)
    return parse_float(text)


def parse_float(text: str) -> float:
    """Value of a number with a fraction, an exponent or too many digits.

    `text` follows the JSON grammar. Raises NumberOutOfRangeError.
    """
    if len(text) <= _SHORT_TEXT and "e" not in text and "E" not in text:
        if len(text) <= _EXACT_TEXT:
            return float(text)
        whole, _, fraction = text.partition(".")
        significand = int(whole + fraction)
        if fraction and significand:
            return significand / _POWERS_OF_TEN[len(fraction)]
    negative = text[0] == "-"
    mantissa, _, exponent_text = text.lower().lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    if len(whole) + len(fraction) <= _FITS_ANY:
        significand = int(whole + fraction)
        exponent = -len(fraction)
    else:
        significand, exponent = _significand(whole, fraction)
    if exponent_text:
        sign = exponent_text[0]
        digits = exponent_text.lstrip("+-")
        shift = 0
        for count, digit in enumerate(digits):
            shift = shift * 10 + ord(digit) - 48
            if shift > I32_MAX:
                if significand and sign != "-":
                    raise NumberOutOfRangeError(len(text) - len(digits) + count + 1)
                return -0.0 if negative else 0.0
        exponent = max(exponent - shift, -I32_MAX - 1) if sign == "-" else min(exponent + shift, I32_MAX)
    value = _scale(significand, exponent, len(text))
    return -value if negative else value


def _significand(whole: str, fraction: str) -> tuple[int, int]:
    """Leading digits that fit into u64, and the power of ten that the dropped and the fraction digits leave."""
    significand, exponent = int(whole[:_FITS_ANY]), 0
    rest = whole[_FITS_ANY:]
    if rest and significand * 10 + ord(rest[0]) - 48 <= U64_MAX:
        significand = significand * 10 + ord(rest[0]) - 48
        rest = rest[1:]
        # 20 digits never leave room for another one
    exponent = len(rest)
    for digit in fraction:
        longer = significand * 10 + ord(digit) - 48
        if longer > U64_MAX:
            break
        significand = longer
        exponent -= 1
    return significand, exponent


def _scale(significand: int, exponent: int, consumed: int) -> float:
    value = float(significand)
    while True:
        if abs(exponent) <= 308:
            if exponent < 0:
                return value / _POWERS_OF_TEN[-exponent]
            value *= _POWERS_OF_TEN[exponent]
            if value == float("inf"):
                raise NumberOutOfRangeError(consumed)
            return value
        if value == 0.0:
            return value
        if exponent >= 0:
            raise NumberOutOfRangeError(consumed)
        value /= 1e308
        exponent += 308


def float_text(value: float) -> str:
    """Canonical text of a finite double: the shortest digits that read back, `1e16` from 10^16 on, `1e-6` below 10^-5."""
    text = repr(value)
    if "e" not in text:
        return text
    sign = "-" if text[0] == "-" else ""
    mantissa, _, exponent_text = text.lstrip("-").partition("e")
    exponent = int(exponent_text)
    if exponent == -5:
        # repr switches to exponents below 1e-4, the canonical form below 1e-5
        return f"{sign}0.0000{mantissa.replace('.', '')}"
    return f"{sign}{mantissa}e{exponent}"
