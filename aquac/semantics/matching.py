"""Is this value of that type? The one place where a mismatch of types is put into words.

Errors: AQ0301 – AQ0304.
Source: aqua:semantics/src/main/scala/aqua/semantics/rules/types/TypesInterpreter.scala (`ensureTypeMatches`, `ensureTypeOneOf`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac import codes
from aquac.diagnostics import Note
from aquac.syntax import ast

from .printing import brief, for_message
from .report import Reporter, listed
from .subtyping import accepts, accepts_any
from .types import AbilityType, Array, Arrow, Nothing, Option, ServiceType, Stream, Struct, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aquac.source import Span

Named = Struct | AbilityType | ServiceType


class Matcher:
    """Compares expected and given types and reports the difference at the value."""

    def __init__(self, report: Reporter, is_whole: Callable[[Type], bool]) -> None:
        """Report to `report`. Nothing is said about types that are not whole: what is wrong with them was reported."""
        self._report = report
        self._is_whole = is_whole

    def ensure(self, at: ast.Value | ast.Name, expected: Type, given: Type) -> bool:
        """Whether a value of type `given`, written at `at`, may stand where `expected` is wanted; reports if not."""
        if accepts(expected, given):
            return True
        if not (self._is_whole(expected) and self._is_whole(given)):
            return False
        span = at.span
        # Types with fields: descend to the field that is wrong.
        while isinstance(expected, Named) and isinstance(given, Named):
            fields = dict(given.fields)
            if len(expected.fields) < len(fields):
                self._report(
                    codes.TYPE_FIELD_COUNT,
                    span,
                    f"`{brief(expected)}` has {len(expected.fields)} fields, the value has {len(fields)} and they do not fit: "
                    f"expected `{for_message(expected)}`, given `{for_message(given)}`",
                )
                return False
            wrong = next(((n, t) for n, t in expected.fields if n not in fields or not accepts(t, fields[n])), None)
            if wrong is None:
                break  # the fields fit, but data never stands for an ability, nor the other way round
            name, t = wrong
            if name not in fields:
                self._report(
                    codes.TYPE_WRONG_VALUE,
                    span,
                    f"the value has no field `{name}`: expected `{for_message(expected)}`, given `{for_message(given)}`",
                )
                return False
            if span == at.span:
                span = _field_span(at, name)
            expected, given = t, fields[name]
        this = "this call returns nothing" if _is_call(at, given) else f"this one is `{for_message(given)}`"
        self._report(
            codes.TYPE_MISMATCH,
            span,
            f"a value of type `{for_message(expected)}` is expected here, {this}",
            notes=_hints(expected, given),
        )
        return False

    def ensure_one_of(self, at: ast.Value, expected: Sequence[Type], given: Type) -> bool:
        """Whether some type of `expected` accepts `given`; reports if not."""
        if accepts_any(expected, given):
            return True
        self._report(
            codes.TYPE_MISMATCH_ONE_OF,
            at.span,
            f"one of {listed(brief(t) for t in expected)} is expected here, this value is `{for_message(given)}`",
            notes=_extract_hint(given) if any(accepts(given, Option(t)) for t in expected) else (),
        )
        return False


def _field_span(at: ast.Value | ast.Name, name: str) -> Span:
    """Where field `name` of a value is written: the argument of a literal, the end of a property chain, or the value."""
    if isinstance(at, ast.Record):
        for arg in at.args:
            if arg.name is not None and arg.name.text == name:
                return arg.name.span
            if arg.name is None and isinstance(arg.value, ast.Variable) and arg.value.name == name:
                return arg.value.span
    return at.ops[-1].span if isinstance(at, ast.Chain) else at.span


def _is_call(at: ast.Value | ast.Name, given: Type) -> bool:
    """Whether the value is a call of a function without results, whose type stands in for that of a value."""
    if isinstance(given, Arrow) and not given.results:
        return isinstance(at, ast.Call)
    return isinstance(given, Nothing)


def _hints(expected: Type, given: Type) -> tuple[Note, ...]:
    if accepts(expected, Option(given)):
        return (Note("a collection or option is wanted: wrap the value, `?[value]` or `[value]`"),)
    if accepts(given, Option(expected)):
        return _extract_hint(given)
    return ()


def _extract_hint(given: Type) -> tuple[Note, ...]:
    what = {Option: "an option", Array: "an array", Stream: "a stream"}.get(type(given), "a collection")
    return (Note(f"the value is {what}: take an element with `!` (on a stream this waits for it)"),)
