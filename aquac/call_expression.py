"""A single call given as text, such as `f(x, 5, ["a"])`, with the values of its variables as JSON.

Input:  the text, a JSON object of variables, the type of the function called.
Output: argument values with types, ready for lowering.
Errors: `CallError` with a message for the person who wrote the call; the compile façade reports it as AQ0134.

Accepted arguments are literals, variables, and arrays of literals of one type: everything else would need a program.
Source: aqua:aqua-run/src/main/scala/aqua/run, aqua:js/js-exports/src/main/scala/aqua/js/JsonEncoder.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aquac.records import dataclass, replace
from aquac.semantics import raw
from aquac.semantics import types as t
from aquac.semantics.printing import show
from aquac.semantics.subtyping import accepts

from .source import SourceFile
from .syntax import ast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CALL_LENGTH_MAX: Final = 100_000
"""Longest call text, in characters."""

Argument = raw.Literal | raw.Var | raw.Coll

_NO_FIELDS: Final = (("-empty-", t.BOTTOM),)
"""Fields of `{}`: a data type needs one, and no parameter asks for this name."""


class CallError(Exception):
    """The call cannot be compiled; the message says why."""


@dataclass(frozen=True, slots=True)
class CallExpression:
    """A parsed call. Variables have type ⊥ until `with_data` gives them the types of their values."""

    function: str
    args: tuple[Argument, ...]


def parse_call(text: str) -> CallExpression:
    """Parse the text of a call.

    Raises: CallError.
    """
    if len(text) > CALL_LENGTH_MAX:
        raise CallError(f"the call is longer than {CALL_LENGTH_MAX} characters")
    value = _parse_value(text.strip())
    if isinstance(value, ast.Call) and not value.abilities:
        return CallExpression(value.name, tuple(map(_argument, value.args)))
    if isinstance(value, ast.Chain) and isinstance(value.base, ast.Variable):
        *path, last = value.ops
        if isinstance(last, ast.MethodOp) and not last.abilities:
            names = [op.name for op in path if isinstance(op, ast.FieldOp)]
            if len(names) == len(path):
                return CallExpression(".".join((value.base.name, *names, last.name)), tuple(map(_argument, last.args)))
    raise CallError(f"`{text}` is not a call of a function by name")


def with_data(call: CallExpression, data: Mapping[str, Any] | None) -> CallExpression:
    """The call with its variables typed by their values; a variable without a value is absent (type ⊥).

    Raises: CallError when there are variables but no data, or an array mixes types.
    """
    if data is None:
        missing = [arg.name for arg in call.args if isinstance(arg, raw.Var)]
        if missing:
            raise CallError(f"no data given for {', '.join(dict.fromkeys(missing))}")
        return call
    return replace(
        call,
        args=tuple(
            raw.Var(arg.name, json_type(arg.name, data.get(arg.name))) if isinstance(arg, raw.Var) else arg
            for arg in call.args
        ),
    )


def check_arguments(call: CallExpression, arrow: t.Arrow) -> None:
    """Check the number and the types of the arguments.

    Raises: CallError, naming the argument and both types.
    """
    if len(call.args) != len(arrow.args):
        raise CallError(f"{call.function} takes {len(arrow.args)} arguments, {len(call.args)} given")
    for at, (arg, (label, expected)) in enumerate(zip(call.args, arrow.args, strict=True)):
        name = arg.name if isinstance(arg, raw.Var) else label or f"argument {at + 1}"
        _check(name, expected, arg.type, (expected, arg.type))


def declared_arguments(call: CallExpression, arrow: t.Arrow) -> tuple[Argument, ...]:
    """The arguments, variables with the types the function declares for them."""
    return tuple(
        raw.Var(arg.name, declared) if isinstance(arg, raw.Var) else arg
        for arg, (_, declared) in zip(call.args, arrow.args, strict=True)
    )


def json_type(name: str, value: Any) -> t.Type:
    """Type of a JSON value; `null` is ⊥. Arrays get the widest type of their items.

    Raises: CallError when the items of an array have nothing in common, or nesting is too deep for the host.
    """
    match value:
        case bool():
            return t.BOOL_LITERAL
        case str():
            return t.STRING_LITERAL
        case int() | float():
            return t.NUMBER
        case list() | tuple():
            element: t.Type = t.BOTTOM
            for at, item in enumerate(value):
                item_type = json_type(name, item)
                element = item_type if at == 0 else _widest(name, element, item_type)
            return t.Array(element)
        case dict():
            fields = tuple((key, json_type(key, item)) for key, item in sorted(value.items()))
            return t.Struct("", fields or _NO_FIELDS)
        case _:
            return t.BOTTOM


# ── the text ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parse_value(text: str) -> ast.Value:
    """Parse `text` as the only statement of a function, so that a call is written here as it is in a file."""
    from .syntax.parse import parse

    file, diagnostics = parse(SourceFile("<call>", f"func call():\n  {text}\n"))
    errors = [d.message for d in diagnostics if d.is_error]
    if errors:
        raise CallError(f"`{text}` is not a call: {errors[0]}")
    match file.definitions:
        case (ast.Func(body=(ast.CallStmt((), value),)),):
            return value
        case _:
            raise CallError(f"`{text}` is not a single call")


def _argument(value: ast.Value) -> Argument:
    match value:
        case ast.Literal():
            return _literal(value)
        case ast.Variable(name):
            return raw.Var(name, t.BOTTOM)
        case ast.Collection(_, items):
            return _array(items)
        case ast.Call() | ast.Chain():
            raise CallError("an argument cannot be a call or a property; compute it in a function of the file")
        case _:
            raise CallError("an argument must be a literal, a variable, or an array of literals")


def _literal(value: ast.Literal) -> raw.Literal:
    return raw.Literal(value.text, t.LITERALS[value.kind])


def _array(items: Sequence[ast.Value]) -> Argument:
    literals = tuple(_literal(item) for item in items if isinstance(item, ast.Literal))
    if len(literals) != len(items):
        raise CallError("an array given as an argument may hold numbers, strings and booleans only")
    if not literals:
        return raw.NIL
    if len({literal.type for literal in literals}) > 1:
        raise CallError("the items of an array given as an argument must have one type")
    return raw.Coll(literals, t.Array(literals[0].type))


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _widest(name: str, a: t.Type, b: t.Type) -> t.Type:
    """Type of items that may be either; something absent in one of them becomes an option."""
    if a == b:
        return a
    match a, b:
        # An empty array fits any array; and an absent array is read as an empty one.
        case (t.Bottom() | t.Array(t.Bottom()), t.Array()):
            return b
        case (t.Array(), t.Bottom() | t.Array(t.Bottom())):
            return a
        case (t.Option(element), _) if element == b or isinstance(b, t.Bottom):
            return a
        case (_, t.Option(element)) if element == a or isinstance(a, t.Bottom):
            return b
        case (t.Bottom(), _):
            return t.Option(b)
        case (_, t.Bottom()):
            return t.Option(a)
        case (t.Struct(), t.Struct()):
            left, right = dict(a.fields), dict(b.fields)
            fields = sorted({*left, *right})
            return t.Struct(
                "",
                tuple(
                    (field, _widest(field, left.get(field, t.BOTTOM), right.get(field, t.BOTTOM))) for field in fields
                ),
            )
        case (t.Array(), t.Array()):
            return t.Array(_widest(name, a.element, b.element))
        case _:
            raise CallError(f"the items of array {name} have different types")


def _check(name: str, expected: t.Type, given: t.Type | None, whole: tuple[t.Type, t.Type]) -> None:
    """Check one value. `whole` is what a message shows: the types around options and arrays."""
    if given is None:
        if not isinstance(expected, t.Option):
            raise CallError(f"missing field {name}")
        return
    match expected, given:
        case (t.Struct(), t.Struct()):
            fields = dict(given.fields)
            for field, type_ in expected.fields:
                of_field = fields.get(field)
                _check(f"{name}.{field}", type_, of_field, (type_, of_field or type_))
        case (t.Option(), t.Option()):
            _check(name, expected.element, given.element, whole)
        case (t.Option(), _):
            _check(name, expected.element, given, whole)
        case (t.Array() | t.Stream(), t.Array() | t.Option()):
            _check(name, expected.element, given.element, whole)
        case _:
            if not accepts(expected, given):
                raise CallError(f"{name} has type {show(whole[1])}, {show(whole[0])} is expected")
