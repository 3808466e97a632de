"""Operators: arithmetic with Python's meaning, comparisons, `and`, `or`, `not`, indexing and slicing."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final

from . import codes, tree
from .types import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    STR,
    U8,
    U64,
    BoolType,
    DictType,
    FloatType,
    IntType,
    ListType,
    NoneType,
    OptionalType,
    TextType,
    Type,
    show,
)
from .values import Values, const

if TYPE_CHECKING:
    from collections.abc import Callable

_INT_LIBRARY: Final[dict[type[ast.operator], str]] = {
    ast.Mult: "mul", ast.FloorDiv: "floordiv", ast.Mod: "mod", ast.LShift: "shl", ast.RShift: "shr", ast.Pow: "pow"
}  # fmt: skip
_BITS: Final[dict[type[ast.operator], str]] = {ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor"}
_FLOATS: Final[dict[type[ast.operator], str]] = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul"}
_TRUSTED: Final[dict[type[ast.operator], str]] = {
    ast.Add: "wadd", ast.Sub: "wsub", ast.Mult: "wmul", ast.LShift: "shl", ast.RShift: "ashr"
} | _BITS  # fmt: skip
_FOLDED: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip
_SIGNS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**", ast.LShift: "<<",
    ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.MatMult: "@",
}  # fmt: skip
_ORDER: Final[dict[type[ast.cmpop], str]] = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
MOST: Final = (1 << 63) - 1
LEAST: Final = -(1 << 63)
FOLD_BITS_MAX: Final = 64
WHOLE_BITS_MAX: Final = 256
"""Bits of a number on the way of an expression of numbers alone: `2 ** 64 - 1` fits 64 bits, and its first part does not."""


def whole_number(node: ast.expr) -> int | None:
    """The value of an expression of integers alone; None for any other, and for one that is too large on its way."""
    found = None
    match node:
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            found = value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert() as sign, operand=operand):
            inner = whole_number(operand)
            if inner is not None:
                found = -inner if isinstance(sign, ast.USub) else ~inner if isinstance(sign, ast.Invert) else inner
        case ast.BinOp(left=left, op=op, right=right):
            a = whole_number(left)
            b = None if a is None else whole_number(right)
            if a is not None and b is not None:
                found = _whole_result(op, a, b)
        case _:
            pass
    return found if found is not None and abs(found) < 1 << WHOLE_BITS_MAX else None


def _whole_result(op: ast.operator, a: int, b: int) -> int | None:
    if isinstance(op, ast.Pow):
        return a**b if 0 <= b <= WHOLE_BITS_MAX else None
    if isinstance(op, ast.LShift | ast.RShift):
        within = 0 <= b <= WHOLE_BITS_MAX
        return None if not within else a << b if isinstance(op, ast.LShift) else a >> b
    if type(op) not in _FOLDED or (b == 0 and isinstance(op, ast.FloorDiv | ast.Mod)):
        return None
    value: int = _FOLDED[type(op)](a, b)
    return value


class Operators(Values):
    """Operators of the language."""

    # ── arithmetic ──

    def binary(self, op: ast.operator, left: tree.Expr, right: tree.Expr, node: ast.AST) -> tree.Expr:
        """`left op right`."""
        a, b = left.type, right.type
        if isinstance(a, BoolType) and isinstance(b, BoolType) and type(op) in _BITS:
            return tree.Op(BOOL, _BITS[type(op)], (left, right))
        left, right = self._number(left), self._number(right)
        a, b = left.type, right.type
        if isinstance(a, IntType) and isinstance(b, IntType):
            return self._integers(op, left, right, node)
        if isinstance(a, IntType | FloatType) and isinstance(b, IntType | FloatType):
            return self._floats(op, self._as_float(left), self._as_float(right), node)
        match op:
            case ast.Add() if isinstance(a, TextType) and a == b:
                return self.library("concat", left, right, node=node)
            case ast.Add() if isinstance(a, ListType) and a == b:
                return self.library("list_concat", left, right, node=node)
            case ast.Mult() if isinstance(a, IntType) and isinstance(b, TextType | ListType):
                return self._repeat(right, left, node)
            case ast.Mult() if isinstance(b, IntType) and isinstance(a, TextType | ListType):
                return self._repeat(left, right, node)
            case _:
                pass
        sign = _SIGNS[type(op)]
        remedy = "convert one of them"
        if STR in (a, b):
            remedy = "texts are formatted with f-strings" if sign == "%" else "convert the other one with str(…)"
        if isinstance(a, OptionalType) or isinstance(b, OptionalType):
            self.refuse(
                codes.OPTIONAL,
                f"a value of `{sign}` may be None",
                node,
                "put it into a variable and test that with `is None` first",
            )
        self.refuse(codes.OPERANDS, f"`{sign}` does not exist for {show(a)} and {show(b)}", node, remedy)

    def _number(self, value: tree.Expr) -> tree.Expr:
        return tree.Op(INT, "extend", (value,)) if isinstance(value.type, BoolType) else value

    def _as_float(self, value: tree.Expr) -> tree.Expr:
        return self.as_float(value) if isinstance(value.type, IntType) else value

    def _repeat(self, value: tree.Expr, times: tree.Expr, node: ast.AST) -> tree.Expr:
        times = self.coerce(times, INT, node)
        return self.library("repeat" if isinstance(value.type, TextType) else "list_repeat", value, times, node=node)

    def together(
        self, left: tree.Expr, right: tree.Expr, node: ast.AST, sign: str
    ) -> tuple[tree.Expr, tree.Expr, IntType]:
        """Two integers as of one type: u64 or int."""
        if self.trusted or (left.type is not U64 and right.type is not U64):
            return left, right, INT
        if left.type is not right.type:
            if isinstance(left, tree.Const):
                left = self.narrow(left, U64, node)
            elif isinstance(right, tree.Const):
                right = self.narrow(right, U64, node)
            elif right.type is U64 and isinstance(left.type, IntType) and U64.holds(left.type):
                left = tree.Op(U64, "retype", (left,))
            elif left.type is U64 and isinstance(right.type, IntType) and U64.holds(right.type):
                right = tree.Op(U64, "retype", (right,))
            else:
                self.refuse(
                    codes.MIXED,
                    f"`{sign}` of {show(left.type)} and {show(right.type)} has no type that holds both",
                    node,
                    "convert one of them with int(…) or u64(…), which check the range",
                )
        return left, right, U64

    def _integers(self, op: ast.operator, left: tree.Expr, right: tree.Expr, node: ast.AST) -> tree.Expr:
        if isinstance(op, ast.Div):
            return self._floats(op, self.as_float(left), self.as_float(right), node)
        if isinstance(left, tree.Const) and isinstance(right, tree.Const) and not self.trusted:
            folded = self._folded(op, int(left.value), int(right.value), left.type if left.type == right.type else INT)
            if folded is not None:
                return folded
        if self.trusted:
            return tree.Op(INT, _TRUSTED[type(op)], (left, right))
        sign = _SIGNS[type(op)]
        if isinstance(op, ast.LShift | ast.RShift | ast.Pow):
            kind = U64 if left.type is U64 else INT
            right = self.coerce(right, INT, node)
        else:
            left, right, kind = self.together(left, right, node, sign)
        if isinstance(op, ast.Add | ast.Sub):
            return tree.Op(kind, "add" if isinstance(op, ast.Add) else "sub", (left, right), self.line(node))
        if type(op) in _BITS:
            return tree.Op(kind, _BITS[type(op)], (left, right))
        if type(op) not in _INT_LIBRARY:
            self.unsupported(f"`{sign}` is", node, "write a function")
        prefix = "u64" if kind is U64 else "int"
        made = self.library(f"{prefix}_{_INT_LIBRARY[type(op)]}", left, right, node=node)
        made.type = kind
        return made

    def _folded(self, op: ast.operator, left: int, right: int, kind: Type) -> tree.Expr | None:
        if isinstance(op, ast.LShift | ast.Pow) and 0 <= right <= FOLD_BITS_MAX and abs(left) <= 1 << FOLD_BITS_MAX:
            value = left << right if isinstance(op, ast.LShift) else left**right
        elif isinstance(op, ast.RShift) and 0 <= right <= FOLD_BITS_MAX:
            value = left >> right
        elif type(op) in _FOLDED and not (isinstance(op, ast.FloorDiv | ast.Mod) and right == 0):
            value = _FOLDED[type(op)](left, right)
        else:
            return None
        wide = U64 if kind is U64 else INT
        return const(value, wide) if wide.least <= value <= wide.most else None

    def _floats(self, op: ast.operator, left: tree.Expr, right: tree.Expr, node: ast.AST) -> tree.Expr:
        left, right = self.rounded(left, FLOAT), self.rounded(right, FLOAT)
        if type(op) in _FLOATS:
            return tree.Op(FLOAT, _FLOATS[type(op)], (left, right))
        if isinstance(op, ast.Div):
            return (
                tree.Op(FLOAT, "fdiv", (left, right))
                if self.trusted
                else self.library("float_div", left, right, node=node)
            )
        if isinstance(op, ast.FloorDiv):
            return self.library("float_floordiv", left, right, node=node)
        if isinstance(op, ast.Mod):
            return self.library("float_mod", left, right, node=node)
        self.refuse(
            codes.OPERANDS,
            f"`{_SIGNS[type(op)]}` does not exist for float",
            node,
            "multiply, or write a function" if isinstance(op, ast.Pow) else "convert to int first",
        )

    def unary(self, node: ast.UnaryOp) -> tree.Expr:
        """`-x`, `+x`, `~x`, `not x`."""
        if isinstance(node.op, ast.Not):
            return self.negated(self.truth(node.operand))
        match node:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as number)) if number <= 1 << 63:
                return const(-number)
            case _:
                pass
        value = self._number(self.expr(node.operand))
        match node.op, value.type:
            case ast.UAdd(), IntType() | FloatType():
                return value
            case ast.USub(), FloatType():
                if isinstance(value, tree.Const):
                    return tree.Const(FLOAT, -value.value)
                return tree.Op(FLOAT, "fneg", (value,))
            case ast.USub(), IntType():
                if isinstance(value, tree.Const) and -value.value >= LEAST:
                    return const(int(-value.value))
                value = self.coerce(value, INT, node)
                if self.trusted:
                    return tree.Op(INT, "wsub", (const(0), value))
                return tree.Op(INT, "sub", (const(0), value), self.line(node))
            case ast.Invert(), IntType() if value.type is not U64:
                return tree.Op(INT, "xor", (value, const(-1)))
            case _:
                pass
        sign = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}[type(node.op)]
        remedy = "write `x ^ 0xFFFF_FFFF_FFFF_FFFF` for all bits of a u64" if value.type is U64 else "convert it first"
        self.refuse(codes.OPERANDS, f"`{sign}` does not exist for {show(value.type)}", node, remedy)

    # ── comparisons ──

    def comparison(self, node: ast.Compare) -> tree.Expr:
        """`a < b < c`: every operand is computed once, those behind a false part not at all."""
        left_node = node.left
        if len(node.ops) == 1:
            return self._pair(
                node.ops[0], self._operand(left_node, node.comparators[0]), node.comparators[0], node, left_node
            )
        left = self.expr(left_node)
        before: list[tree.Statement] = []
        left = self.once(left, before)
        out = self._chain(left, left_node, list(zip(node.ops, node.comparators, strict=True)), node)
        return tree.Do(BOOL, before, out) if before else out

    def _operand(self, node: ast.expr, other: ast.expr) -> tree.Expr:
        if isinstance(node, ast.List) and not node.elts:
            return self.expr(node, self.expr(other).type)
        return self.expr(node)

    def _chain(
        self, left: tree.Expr, left_node: ast.expr, rest: list[tuple[ast.cmpop, ast.expr]], node: ast.AST
    ) -> tree.Expr:
        op, right_node = rest[0]
        if len(rest) == 1:
            return self._pair(op, left, right_node, node, left_node)
        before: list[tree.Statement] = []
        right = self.once(self.expr(right_node, left.type), before)
        first = self._compare(op, left, right, node)
        tail = self._chain(right, right_node, rest[1:], node)
        return tree.Do(BOOL, before, tree.Choose(BOOL, first, tail, tree.Const(BOOL, False)))

    def _pair(
        self, op: ast.cmpop, left: tree.Expr, right_node: ast.expr, node: ast.AST, left_node: ast.expr
    ) -> tree.Expr:
        if isinstance(op, ast.Is | ast.IsNot):
            if not (isinstance(right_node, ast.Constant) and right_node.value is None):
                self.unsupported("`is` with anything but None is", node, "compare with `==`")
            if isinstance(left_node, ast.Name) and left_node.id in self.known:
                left = tree.Local(self.variables[left_node.id].type, self.variables[left_node.id])
            if isinstance(left.type, OptionalType):
                empty = tree.Op(BOOL, "is_null", (left,))
                return empty if isinstance(op, ast.Is) else self.negated(empty)
            self.refuse(
                codes.OPERANDS, f"{show(left.type)} is never None", node, "declare it as `T | None`, or drop the test"
            )
        return self._compare(op, left, self.expr(right_node, left.type), node)

    def _compare(self, op: ast.cmpop, left: tree.Expr, right: tree.Expr, node: ast.AST) -> tree.Expr:
        if isinstance(op, ast.In | ast.NotIn):
            found = self._contains(left, right, node)
            return found if isinstance(op, ast.In) else self.negated(found)
        if isinstance(left.type, IntType | BoolType | FloatType) and isinstance(
            right.type, IntType | BoolType | FloatType
        ):
            return self._compare_numbers(op, self._number(left), self._number(right), node)
        if (
            isinstance(left.type, OptionalType)
            or isinstance(right.type, OptionalType)
            or NoneType() in (left.type, right.type)
        ):
            kind = self.join([left.type, right.type], node)
            if not isinstance(kind, OptionalType) or not isinstance(op, ast.Eq | ast.NotEq):
                self.refuse(codes.OPTIONAL, "value may be None here", node, "test it with `is None` first")
            left, right = self.coerce(left, kind, node), self.coerce(right, kind, node)
        if left.type != right.type:
            self.refuse(
                codes.OPERANDS,
                f"{show(left.type)} and {show(right.type)} cannot be compared",
                node,
                "convert one of them",
            )
        match op:
            case ast.Eq():
                return self.equal(left, right, node)
            case ast.NotEq():
                return self.negated(self.equal(left, right, node))
            case ast.Lt():
                return self.less(left, right, node)
            case ast.GtE():
                return self.negated(self.less(left, right, node))
            case _:
                before: list[tree.Statement] = []
                left = self.once(left, before)
                out = self.less(right, left, node)
                return tree.Do(BOOL, before, out if isinstance(op, ast.Gt) else self.negated(out))

    def _compare_numbers(self, op: ast.cmpop, left: tree.Expr, right: tree.Expr, node: ast.AST) -> tree.Expr:
        if isinstance(left.type, FloatType) or isinstance(right.type, FloatType):
            left, right = self.rounded(self._as_float(left), FLOAT), self.rounded(self._as_float(right), FLOAT)
            name = {ast.Eq: "feq", ast.NotEq: "fne"}.get(type(op)) or "f" + _ORDER[type(op)]
            return tree.Op(BOOL, name, (left, right))
        unsigned = U64 in (left.type, right.type)
        if unsigned and left.type is not right.type:
            mixed = self._compare_mixed(op, left, right, node)
            if mixed is not None:
                return mixed
            left, right, _ = self.together(left, right, node, "<")
        name = {ast.Eq: "eq", ast.NotEq: "ne"}.get(type(op)) or ("u" if unsigned else "s") + _ORDER[type(op)]
        return tree.Op(BOOL, name, (left, right))

    def _compare_mixed(self, op: ast.cmpop, left: tree.Expr, right: tree.Expr, node: ast.AST) -> tree.Expr | None:
        """A u64 and a number that may be negative; None where the types settle it."""
        signed = right if left.type is U64 else left
        assert isinstance(signed.type, IntType)
        if U64.holds(signed.type) or (isinstance(signed, tree.Const) and signed.value >= 0):
            return None
        before: list[tree.Statement] = []
        left, right = self.once(left, before), self.once(right, before)
        held = right if left.type is U64 else left
        negative = tree.Op(BOOL, "slt", (held, const(0)))
        when = isinstance(op, (ast.NotEq, ast.Lt, ast.LtE) if held is left else (ast.NotEq, ast.Gt, ast.GtE))
        name = {ast.Eq: "eq", ast.NotEq: "ne"}.get(type(op)) or "u" + _ORDER[type(op)]
        return tree.Do(
            BOOL, before, tree.Choose(BOOL, negative, tree.Const(BOOL, when), tree.Op(BOOL, name, (left, right)))
        )

    def _contains(self, part: tree.Expr, whole: tree.Expr, node: ast.AST) -> tree.Expr:
        match whole.type:
            case TextType() if part.type == whole.type:
                return self._swapped("text_contains", part, whole, node)
            case TextType() if whole.type is BYTES and isinstance(part.type, IntType):
                return self._swapped("bytes_contains", part, whole, node)
            case ListType():
                return self._contains_value("list_contains", part, whole, whole.type.element, node)
            case DictType():
                return self._contains_value("dict_contains", part, whole, whole.type.key, node)
            case _:
                self.refuse(
                    codes.OPERANDS,
                    f"`in` does not exist for {show(part.type)} and {show(whole.type)}",
                    node,
                    "it exists for list, dict, str and bytes",
                )

    def _swapped(self, name: str, part: tree.Expr, whole: tree.Expr, node: ast.AST) -> tree.Expr:
        before: list[tree.Statement] = []
        part = self.once(part, before)
        return tree.Do(BOOL, before, self.library(name, whole, part, node=node))

    def _contains_value(self, name: str, part: tree.Expr, whole: tree.Expr, element: Type, node: ast.AST) -> tree.Expr:
        """A number that does not fit the elements is not among them."""
        if not isinstance(part.type, IntType) or not isinstance(element, IntType) or part.type == element:
            return self._swapped(name, self.coerce(part, element, node), whole, node)
        before: list[tree.Statement] = []
        part, whole = self.once(part, before), self.once(whole, before)
        least = (
            tree.Const(BOOL, True)
            if part.type is U64
            else tree.Op(BOOL, "sge", (part, const(max(element.least, LEAST))))
        )
        order = "ule" if part.type is U64 or element is U64 else "sle"
        most = tree.Op(BOOL, order, (part, const(element.most, U64 if element is U64 else INT)))
        fits = tree.Choose(BOOL, least, most, tree.Const(BOOL, False))
        found = self.library(name, whole, tree.Op(element, "retype", (part,)), node=node)
        return tree.Do(BOOL, before, tree.Choose(BOOL, fits, found, tree.Const(BOOL, False)))

    # ── elements and slices ──

    def subscript(self, node: ast.Subscript) -> tree.Expr:
        """`x[i]`, `x[a:b]`, `d[k]`."""
        value = self.expr(node.value)
        if isinstance(node.slice, ast.Slice):
            return self._slice(value, node.slice, node)
        match value.type:
            case ListType():
                return self.element(value, self.value(node.slice, INT), node)
            case TextType():
                name = "text_get" if value.type is STR else "bytes_get"
                made = self.library(name, value, self.value(node.slice, INT), node=node)
                if value.type is BYTES:
                    made.type = U8
                return made
            case DictType():
                return self.library("dict_get", value, self.value(node.slice, value.type.key), node=node)
            case OptionalType():
                self.refuse(
                    codes.OPTIONAL,
                    "value may be None here",
                    node,
                    "put it into a variable and test that with `is None` first",
                )
            case _:
                self.refuse(
                    codes.OPERANDS, f"{show(value.type)} has no elements", node, "index a list, dict, str or bytes"
                )

    def element(self, values: tree.Expr, index: tree.Expr, node: ast.AST) -> tree.Expr:
        """An element of a list, checked."""
        return self.library("list_get", values, index, node=node)

    def _slice(self, value: tree.Expr, part: ast.Slice, node: ast.AST) -> tree.Expr:
        if not isinstance(value.type, TextType | ListType):
            self.refuse(codes.OPERANDS, f"{show(value.type)} cannot be sliced", node, "slice a list, str or bytes")
        step = 1
        if part.step is not None:
            made = self.expr(part.step)
            if not isinstance(made, tree.Const) or not isinstance(made.type, IntType) or made.value == 0:
                self.unsupported(
                    "a step that is no number but 0 is", part.step, "write the step as a number, or use a loop"
                )
            step = int(made.value)
        start = const(0 if step > 0 else MOST) if part.lower is None else self.value(part.lower, INT)
        stop = const(MOST if step > 0 else LEAST) if part.upper is None else self.value(part.upper, INT)
        stem = "text" if isinstance(value.type, TextType) else "list"
        if step == 1:
            return self.library(f"{stem}_slice", value, start, stop, node=node)
        return self.library(f"{stem}_step", value, start, stop, const(step), node=node)

    # ── and, or, if ──

    def boolean(self, node: ast.BoolOp) -> tree.Expr:
        """`a and b`, `a or b`: the value that decides, as in Python."""
        is_and = isinstance(node.op, ast.And)
        known = set(self.known)
        values: list[tree.Expr] = []
        for item in node.values:
            values.append(self.expr(item))
            self.known |= self.facts(item, is_and)
        self.known = known
        if all(isinstance(value.type, BoolType) for value in values):
            out = values[-1]
            for value in reversed(values[:-1]):
                out = (
                    tree.Choose(BOOL, value, out, tree.Const(BOOL, False))
                    if is_and
                    else tree.Choose(BOOL, value, tree.Const(BOOL, True), out)
                )
            return out
        kind = self.join([value.type for value in values], node)
        if not is_and and isinstance(kind, OptionalType) and not isinstance(values[-1].type, OptionalType | NoneType):
            kind = kind.inner
            values = [self.unwrapped_or(value, kind, node) for value in values[:-1]] + [
                self.coerce(values[-1], kind, node)
            ]
            return self._first_true(values[:-1], values[-1], kind, node)
        values = [self.coerce(value, kind, node) for value in values]
        out = values[-1]
        for value in reversed(values[:-1]):
            before: list[tree.Statement] = []
            held = self.once(value, before)
            test = self.as_truth(held, node)
            out = tree.Do(
                kind, before, tree.Choose(kind, test, out, held) if is_and else tree.Choose(kind, test, held, out)
            )
        return out

    def unwrapped_or(self, value: tree.Expr, kind: Type, node: ast.AST) -> tree.Expr:
        """A value of `or`: as it is."""
        return value if isinstance(value.type, OptionalType) else self.coerce(value, kind, node)

    def _first_true(self, values: list[tree.Expr], last: tree.Expr, kind: Type, node: ast.AST) -> tree.Expr:
        out = last
        for value in reversed(values):
            before: list[tree.Statement] = []
            held = self.once(value, before)
            inner = self.coerce(self.unwrap(held), kind, node) if isinstance(held.type, OptionalType) else held
            out = tree.Do(kind, before, tree.Choose(kind, self.as_truth(held, node), inner, out))
        return out

    def choice(self, node: ast.IfExp, want: Type | None) -> tree.Expr:
        """`a if test else b`."""
        test = self.truth(node.test)
        known = set(self.known)
        self.known = known | self.facts(node.test, True)
        yes = self.expr(node.body, want)
        self.known = known | self.facts(node.test, False)
        no = self.expr(node.orelse, want if want is not None else yes.type)
        self.known = known
        wanted = isinstance(want, OptionalType | ListType | DictType)
        kind = want if wanted and want is not None else self.join([yes.type, no.type], node)
        return tree.Choose(kind, test, self.coerce(yes, kind, node.body), self.coerce(no, kind, node.orelse))

    def facts(self, node: ast.expr, holds: bool) -> set[str]:
        """Variables that are not None if the condition holds, or does not."""
        match node:
            case ast.Name() if holds:
                return {node.id} if self._is_optional(node.id) else set()
            case ast.Compare(left=ast.Name() as name, ops=[op], comparators=[ast.Constant(value=None)]):
                found = isinstance(op, ast.IsNot | ast.NotEq) if holds else isinstance(op, ast.Is | ast.Eq)
                return {name.id} if found and self._is_optional(name.id) else set()
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return self.facts(inner, not holds)
            case ast.BoolOp(op=op, values=values):
                sets = [self.facts(value, holds) for value in values]
                return set.union(*sets) if isinstance(op, ast.And) == holds else set.intersection(*sets)
            case _:
                return set()

    def _is_optional(self, name: str) -> bool:
        return name in self.variables and isinstance(self.variables[name].type, OptionalType)
