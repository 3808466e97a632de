"""Typing of infix operators.

Errors: AQ0301, AQ0302 on an operand, AQ0305 on the operator. Warning AQ0903: no common number type.
Source: aqua:semantics/src/main/scala/aqua/semantics/rules/ValuesAlgebra.scala (InfixToken)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac import codes

from .printing import for_message
from .raw import Bin, BinOp, RawValue
from .subtyping import FLOATS, INTEGERS, UNSIGNED_INTEGERS, comparable, math_type, takes_float
from .types import BOOL, I64, Type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquac.syntax import ast

    from .matching import Matcher
    from .report import Reporter

_NAMES: Final[dict[str, BinOp]] = {
    "||": "or",
    "&&": "and",
    "==": "eq",
    "!=": "neq",
    "<": "lt",
    "<=": "lte",
    ">": "gt",
    ">=": "gte",
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "%": "rem",
    "**": "pow",
}


class Operators:
    """Checks operands and builds `Bin`."""

    def __init__(self, report: Reporter, matcher: Matcher) -> None:
        """Report to `report`; operand types are compared by `matcher`."""
        self._report = report
        self._match = matcher

    def binary(self, node: ast.Infix, left: RawValue, right: RawValue) -> Bin | None:
        """The operation, or None after reporting what is wrong with an operand."""
        match node.op:
            case "||" | "&&":
                good = self._match.ensure(node.left, BOOL, left.type)
                good = self._match.ensure(node.right, BOOL, right.type) and good
                result: Type = BOOL
            case "==" | "!=":
                good = self._comparable(node, left, right)
                result = BOOL
            case "<" | "<=" | ">" | ">=":
                good = self._operands(node, left, right, INTEGERS, INTEGERS)
                result = BOOL
            case "*" if takes_float(left.type) or takes_float(right.type):
                if not self._operands(node, left, right, FLOATS, FLOATS):
                    return None
                return Bin("fmul", left, right, I64)
            case _:
                good = self._operands(node, left, right, INTEGERS, UNSIGNED_INTEGERS if node.op == "**" else INTEGERS)
                result = self._math_type(node, left, right)
        return Bin(_NAMES[node.op], left, right, result) if good else None

    def _operands(
        self, node: ast.Infix, left: RawValue, right: RawValue, lefts: Sequence[Type], rights: Sequence[Type]
    ) -> bool:
        good = self._match.ensure_one_of(node.left, lefts, left.type)
        return self._match.ensure_one_of(node.right, rights, right.type) and good

    def _comparable(self, node: ast.Infix, left: RawValue, right: RawValue) -> bool:
        if comparable(left.type, right.type):
            return True
        self._report(
            codes.TYPE_INCOMPARABLE,
            node.span,
            f"values of type `{for_message(left.type)}` and `{for_message(right.type)}` can never be equal, "
            f"`{node.op}` makes no sense between them",
        )
        return False

    def _math_type(self, node: ast.Infix, left: RawValue, right: RawValue) -> Type:
        result, exact = math_type(left.type, right.type)
        if not exact:
            self._report(
                codes.WARN_MATH_TYPE,
                node.span,
                f"no number type holds both `{for_message(left.type)}` and `{for_message(right.type)}`; "
                f"the result of `{node.op}` is taken as `i64`",
            )
        return result
