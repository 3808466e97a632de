"""Gathering of integer constants in sums, before a value is lowered (`spec aqua-to-air §8.1`).

`1 + a + 2 + b` becomes `(a + b) + 3`. Applied at each value on its own; what is nested deeper gets its turn when it is
lowered. Numbers wrap at 64 bits.
Source: aqua:model/raw/src/main/scala/aqua/raw/value/Optimization.scala
"""

from __future__ import annotations

from aquac.records import dataclass
from aquac.semantics import types as t
from aquac.semantics.raw import Bin, Literal, RawValue
from aquac.semantics.subtyping import math_type

_INTEGERS = t.INTEGER_SCALARS


def wrap(value: int) -> int:
    """Two's complement at 64 bits."""
    return (value + 2**63) % 2**64 - 2**63


def integer(text: str, of: t.Type) -> int | None:
    """Value of an integer literal; None for any other literal."""
    match of:
        case t.Scalar(name) if name in _INTEGERS:
            pass
        case t.LiteralType(_, scalars) if scalars & _INTEGERS:
            pass
        case _:
            return None
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not (digits.isascii() and digits.isdigit()):
        return None
    value = int(text)
    return value if wrap(value) == value else None


def number(value: int) -> Literal:
    """Integer literal, typed by its sign."""
    return Literal(str(value), t.SIGNED if value < 0 else t.UNSIGNED)


@dataclass(frozen=True, slots=True)
class _Sum:
    """A constant and the rest; one of them may be missing."""

    constant: int | None
    rest: RawValue | None

    def __add__(self, other: _Sum) -> _Sum:
        constant = self.constant if other.constant is None else other.constant
        if self.constant is not None and other.constant is not None:
            constant = wrap(self.constant + other.constant)
        rest = self.rest if other.rest is None else other.rest
        if self.rest is not None and other.rest is not None:
            rest = _bin("add", self.rest, other.rest)
        return _Sum(constant, rest)


def optimise(value: RawValue) -> RawValue:
    """The value with the constants of its outermost sum gathered."""
    if isinstance(value, Literal):
        constant = integer(value.text, value.type)
        return value if constant is None else number(constant)
    if not (isinstance(value, Bin) and value.op in ("add", "sub")):
        return value
    total = _gather(value)
    if total.rest is None:
        return number(total.constant or 0)
    if not total.constant:
        return total.rest
    if total.constant > 0:
        return _bin("add", total.rest, number(total.constant))
    return _bin("sub", total.rest, number(wrap(-total.constant)))


def _gather(root: RawValue) -> _Sum:
    """Post-order walk over additions and subtractions of a literal."""
    done: list[_Sum] = []
    stack: list[tuple[RawValue, bool]] = [(root, False)]
    while stack:
        value, ready = stack.pop()
        if ready:
            right = done.pop()
            done.append(done.pop() + right)
            continue
        match value:
            case Bin("add", left, right_value):
                stack += ((value, True), (right_value, False), (left, False))
            case Bin("sub", left, Literal(text, of)) if (subtracted := integer(text, of)) is not None:
                stack += ((value, True), (number(wrap(-subtracted)), False), (left, False))
            case Literal(text, of) if (constant := integer(text, of)) is not None:
                done.append(_Sum(constant, None))
            case _:
                done.append(_Sum(None, value))
    return done[0]


def _bin(op: str, left: RawValue, right: RawValue) -> Bin:
    of = math_type(left.type, right.type)[0]
    return Bin("add" if op == "add" else "sub", left, right, of)
