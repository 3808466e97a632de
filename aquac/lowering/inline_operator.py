"""Operators: folded when the operands are known, else `match` for comparisons and a service for arithmetic (`spec §8.2`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac.semantics import raw as r
from aquac.semantics import types as t

from . import inline_value
from .build import FALSE, TRUE, Inline, boolean, concat, flatten, if_equal, number, quoted, seq, xor
from .model import L, Match, Model, Srv, Target, V, ValueModel
from .optimise import integer, wrap
from .streams import freeze_operand, settle
from .trampoline import nested

if TYPE_CHECKING:
    from .state import State

Unfolded = tuple[ValueModel, Inline]

_COMPARISONS: Final = ("lt", "lte", "gt", "gte")


async def negation(state: State, raw: r.NotOp) -> Unfolded:
    """`!v`."""
    value, inline = _settled(state, await nested(inline_value.unfold(state, raw.operand)))
    known = _known(value)
    if known is not None:
        return boolean(not known), inline
    name = state.mangler.new("not")
    test = if_equal(value, TRUE, flatten(FALSE, name), flatten(TRUE, name))
    return V(name, t.BOOL), Inline((seq([*inline.trees, test]),))


async def binary(state: State, raw: r.Bin, *, allowed: bool) -> Unfolded:
    """Any operator with two operands; the left one is lowered first."""
    left = await nested(inline_value.unfold(state, raw.left, allowed=allowed))
    right = await nested(inline_value.unfold(state, raw.right, allowed=allowed))
    if raw.op in ("and", "or"):
        return _logic(state, raw, _settled(state, left), _settled(state, right))
    if raw.op in ("eq", "neq"):
        return _equality(state, raw, left, right)
    left, right = _settled(state, left), _settled(state, right)
    folded = _fold(raw.op, left[0], right[0])
    both = concat((left[1], right[1]))
    if folded is not None:
        return folded, both
    name = state.mangler.new(raw.op)
    service = quoted("cmp" if raw.op in _COMPARISONS else "math")
    node = Srv(service, raw.op, (left[0], right[0]), (Target(name, raw.type),))
    return V(name, raw.type), Inline((seq([*both.trees, node]),))


def _settled(state: State, operand: Unfolded) -> Unfolded:
    value, inline = operand
    value, trees = settle(state, value)
    return value, inline.then(*trees) if trees else inline


def _logic(state: State, raw: r.Bin, left: Unfolded, right: Unfolded) -> Unfolded:
    """`&&` and `||`: the right operand is computed only when the left one does not decide."""
    (left_value, left_inline), (right_value, right_inline) = left, right
    decides = raw.op == "or"
    known = _known(left_value)
    if known is not None:
        if known is decides:
            return boolean(known), left_inline
        return right_value, concat((left_inline, right_inline))
    known = _known(right_value)
    if known is not None and not right_inline.trees:
        return (boolean(known) if known is decides else left_value), left_inline
    name = state.mangler.new(raw.op)
    other = seq([*right_inline.trees, flatten(right_value, name)])
    test = if_equal(left_value, boolean(decides), flatten(left_value, name), other)
    return V(name, raw.type), Inline((seq([*left_inline.trees, test]),))


def _equality(state: State, raw: r.Bin, left: Unfolded, right: Unfolded) -> Unfolded:
    """`==` and `!=`: literals are compared as text, since semantics has checked that they are comparable."""
    equal = raw.op == "eq"
    left_value, left_canons = freeze_operand(state, left[0])
    right_value, right_canons = freeze_operand(state, right[0])
    if isinstance(left_value, L) and isinstance(right_value, L):
        return boolean((left_value.text == right_value.text) is equal), left[1].merge(right[1], "par")
    name = state.mangler.new(raw.op)
    trees: list[Model] = [*left[1].trees, *left_canons, *right[1].trees, *right_canons]
    test = xor(Match(left_value, right_value, equal, (flatten(TRUE, name),)), flatten(FALSE, name))
    return V(name, raw.type), Inline((seq([*trees, test]),))


def _known(value: ValueModel) -> bool | None:
    """A boolean known now."""
    if isinstance(value, L) and value.type in (t.BOOL, t.BOOL_LITERAL) and value.text in ("true", "false"):
        return value.text == "true"
    return None


def _fold(op: r.BinOp, left: ValueModel, right: ValueModel) -> L | None:
    """Result of an operator on two integer literals, when it may be computed now."""
    if not isinstance(left, L) or not isinstance(right, L):
        return None
    a, b = integer(left.text, left.type), integer(right.text, right.type)
    if a is None or b is None:
        return None
    match op:
        case "lt":
            return boolean(a < b)
        case "lte":
            return boolean(a <= b)
        case "gt":
            return boolean(a > b)
        case "gte":
            return boolean(a >= b)
        case "add":
            return number(wrap(a + b))
        case "mul":
            return number(wrap(a * b))
        case "sub" if _signed(left.type) or _signed(right.type):
            return number(wrap(a - b))
        case "div" if b:
            return number(wrap(_quotient(a, b)))
        case "rem" if b:
            return number(wrap(a - b * _quotient(a, b)))
        case "pow" if b >= 0:
            return number(wrap(pow(a, b, 2**64)))
        case _:
            # Division by zero, negative powers and unsigned underflow are left to fail where they happen.
            return None


def _quotient(a: int, b: int) -> int:
    """Division that truncates towards zero."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _signed(of: t.Type) -> bool:
    """Whether a signed integer fits the type; an unsigned literal may be meant as either."""
    if isinstance(of, t.LiteralType):
        return bool(of.scalars & t.SIGNED_SCALARS)
    return isinstance(of, t.Scalar) and of.name in t.SIGNED_SCALARS
