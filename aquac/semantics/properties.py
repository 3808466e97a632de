"""Operations on a value: fields, methods, indexes, `copy`. The operands are elaborated already.

Errors: AQ0306 – AQ0312, AQ0318 – AQ0321 and mismatches of argument types.
Source: aqua:semantics/src/main/scala/aqua/semantics/rules/types/TypesInterpreter.scala (`resolveInto…`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac import codes
from aquac.diagnostics import Fix, Note
from aquac.syntax import ast

from .printing import brief, for_message
from .raw import ArrowProp, CopyProp, FieldProp, FunctorProp, IndexProp, RawValue
from .report import closest, counted, listed
from .subtyping import INTEGERS, accepts, is_collection
from .types import (
    BOOL,
    NOTHING,
    STRING,
    U32,
    AbilityType,
    Array,
    Arrow,
    Canon,
    Option,
    ServiceType,
    Stream,
    StreamMap,
    Struct,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .matching import Matcher
    from .scope import Scope

NamedValues = dict[str, tuple[ast.Arg, RawValue]]
"""Name → the argument as written and its value."""

MAP_METHODS: Final = ("contains", "get", "getStream", "keys", "keysStream")


def arg_name(arg: ast.Arg) -> str:
    """Name of a named argument; a bare variable names itself."""
    if arg.name is not None:
        return arg.name.text
    return arg.value.name if isinstance(arg.value, ast.Variable) else ""


def map_method(t: StreamMap, name: str) -> Arrow | None:
    """Type of a method of a stream map."""
    key = (("key", STRING),)
    match name:
        case "get":
            return Arrow(key, (Array(t.element),))
        case "getStream":
            return Arrow(key, (Stream(t.element),))
        case "contains":
            return Arrow(key, (BOOL,))
        case "keys":
            return Arrow((), (Array(STRING),))
        case "keysStream":
            return Arrow((), (Stream(STRING),))
        case _:
            return None


class Properties:
    """Builds the property of a value of a given type, or reports why the type has none."""

    def __init__(self, scope: Scope, matcher: Matcher) -> None:
        """Argument types are compared by `matcher`."""
        self._scope = scope
        self._report = scope.report
        self._match = matcher

    def field(self, t: Type, op: ast.FieldOp) -> FieldProp | FunctorProp | None:
        """`.name` on a value of type `t`."""
        if isinstance(t, Struct | AbilityType | ServiceType):
            fields = dict(t.fields)
            if op.name in fields:
                self._scope.occurs(op.span, "field", op.name, fields[op.name], None, t)
                return FieldProp(op.name, fields[op.name])
            if not self._is_broken(t, op.name):
                near, fix = self._report.suggest(op.name, op.span, ((n, None) for n in fields))
                message = f"`{t.name}` has no field `{op.name}`; it has {listed(fields)}"
                cause = ("member", t.name, op.name)
                self._report(codes.PROP_UNKNOWN_FIELD, op.span, message, notes=near, fixes=fix, cause=cause)
            return None
        if is_collection(t) and op.name == "length":
            self._scope.occurs(op.span, "field", op.name, U32, None, t)
            return FunctorProp("length", U32)
        note: tuple[Note, ...] = ()
        fixes: tuple[Fix, ...] = ()
        if isinstance(t, StreamMap) and op.name in MAP_METHODS:
            note = (Note(f"`{op.name}` is a method: write `.{op.name}(…)`"),)
        elif is_collection(t) and closest(op.name, ("length",)):
            note, fixes = self._report.suggest(op.name, op.span, (("length", None),))
        elif isinstance(t, Option | Array | Stream) and isinstance(t.element, Struct):
            note = (Note("take an element first, with `!` or `[i]`"),)
        self._report(
            codes.PROP_UNKNOWN_PROPERTY,
            op.span,
            f"a value of type `{for_message(t)}` has no property `{op.name}`"
            + ("; collections have only `length`" if is_collection(t) else ""),
            notes=note,
            fixes=fixes,
        )
        return None

    def method(
        self, t: Type, op: ast.MethodOp, args: Sequence[ast.Value], values: Sequence[RawValue]
    ) -> ArrowProp | None:
        """`.name(args)` on a value of type `t`; `args` are the values as written."""
        member: Type | None = None
        names: Sequence[str] = ()
        if isinstance(t, AbilityType | ServiceType):
            member = dict(t.fields).get(op.name)
            names = [n for n, f in t.fields if isinstance(f, Arrow)]
            if member is None and self._is_broken(t, op.name):
                return None
        elif isinstance(t, StreamMap):
            member = map_method(t, op.name)
            names = MAP_METHODS
        if member is None:
            notes, fixes = self._report.suggest(op.name, op.span, ((n, None) for n in names))
            has = f"; it has {listed(names)}" if names else ""
            message = f"a value of type `{brief(t)}` has no function `{op.name}`{has}"
            cause = ("member", t.name, op.name) if isinstance(t, AbilityType | ServiceType) else None
            self._report(codes.PROP_UNKNOWN_ARROW, op.span, message, notes=notes, fixes=fixes, cause=cause)
            return None
        if not isinstance(member, Arrow):
            message = f"`{op.name}` of `{brief(t)}` is not a function: its type is `{for_message(member)}`"
            self._report(codes.PROP_NOT_AN_ARROW, op.span, message)
            return None
        self._scope.occurs(op.span, "method", op.name, member, None, t)
        good = self._count(t, op, member, args)
        if not good and _fits_but_one([e for _, e in member.args], [value.type for value in values]):
            return None
        for arg, value, (_, expected) in zip(args, values, member.args, strict=False):
            if not self._match.ensure(arg, expected, value.type):
                return None
        if not good:
            return None
        result = member.results[0] if member.results else NOTHING
        return ArrowProp(op.name, member, tuple(values), result, self._scope.site(op.full))

    def _count(self, t: Type, op: ast.MethodOp, arrow: Arrow, args: Sequence[ast.Value]) -> bool:
        cause = ("count", brief(t), op.name, len(args))
        expected = counted(len(arrow.args), "argument")
        if len(args) < len(arrow.args):
            message = f"`{op.name}` takes {expected}, only {len(args)} given; its type is `{brief(arrow)}`"
            self._report(codes.CALL_FEW_ARGS, op.span, message, cause=cause)
            return False
        if len(args) > len(arrow.args):
            message = f"`{op.name}` takes {expected}, {len(args)} given; its type is `{brief(arrow)}`"
            self._report(codes.CALL_MANY_ARGS, args[len(arrow.args)].span, message, cause=cause)
            return False
        return True

    def copy(self, t: Type, op: ast.CopyOp, values: Sequence[RawValue]) -> CopyProp | None:
        """`.copy(name = value, …)` on a value of type `t`; `values` belong to the arguments as written."""
        if not isinstance(t, Struct):
            message = f"only data values can be copied, this one is `{for_message(t)}`"
            self._report(codes.COPY_NOT_DATA, op.span, message)
            return None
        fields = dict(t.fields)
        named: dict[str, RawValue] = {}
        for arg, value in zip(op.args, values, strict=True):
            name = arg_name(arg)
            named[name] = value
            span = arg.value.span if arg.name is None else arg.name.span
            if name in fields:
                self._scope.occurs(span, "field", name, fields[name], None, t)
            else:
                if not self._is_broken(t, name):
                    notes, fixes = self._report.suggest(name, span, ((n, None) for n in fields))
                    message = f"`{t.name}` has no field `{name}`; it has {listed(fields)}"
                    self._report(codes.COPY_UNKNOWN_FIELD, span, message, notes=notes, fixes=fixes)
                return None
            if not self._match.ensure(arg.value, fields[name], value.type):
                return None
        return CopyProp(tuple(sorted(named.items(), key=lambda item: item[0])), t)

    def index(self, t: Type, op: ast.IndexOp, at: RawValue) -> IndexProp | None:
        """`[i]`, `!`, `!n` on a value of type `t`."""
        if op.index is not None:
            # A wrong index does not change what the element is, so elaboration goes on.
            self._match.ensure_one_of(op.index, INTEGERS, at.type)
        note: tuple[Note, ...] = ()
        match t:
            case Option(element):
                if op.index is not None:
                    self._report(
                        codes.INDEX_OPTION,
                        op.index.span,
                        "an option has at most one element: take it with `!`, without an index",
                    )
                    return None
                return IndexProp(at, element)
            case Array(element) | Stream(element) | Canon(element):
                return IndexProp(at, element)
            case StreamMap():
                note = (Note("read a stream map with `.get(key)`, `.getStream(key)` or `.contains(key)`"),)
            case _:
                pass
        message = f"only collections have elements, this value is `{for_message(t)}`"
        self._report(codes.INDEX_NOT_COLLECTION, op.span, message, notes=note)
        return None

    def _is_broken(self, t: Struct | AbilityType | ServiceType, member: str) -> bool:
        """Whether the member is missing only because its own declaration is wrong, which has been reported."""
        entry = self._scope.type(t.name)
        return entry is not None and entry.lacks(member)


def _fits_but_one(expected: Sequence[Type], given: Sequence[Type]) -> bool:
    """Whether arguments are right but for one that is missing or too many, wherever it is."""
    longer, shorter = (expected, given) if len(expected) > len(given) else (given, expected)
    if len(longer) != len(shorter) + 1:
        return False
    for left_out in range(len(longer)):
        rest = [t for n, t in enumerate(longer) if n != left_out]
        wanted, found = (rest, given) if longer is expected else (expected, rest)
        if all(accepts(w, f) for w, f in zip(wanted, found, strict=True)):
            return True
    return False
