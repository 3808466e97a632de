"""Type expressions to types.

Errors: AQ0109 too deep, AQ0206 unknown name, AQ0220 a collection of something that is not data. Broken names fail silently.
Source: aqua:semantics/src/main/scala/aqua/semantics/rules/types/TypeResolution.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from aquac import codes
from aquac.diagnostics import Note
from aquac.syntax import ast

from .limits import TYPE_DEPTH_MAX, TYPE_SIZE_MAX
from .printing import for_message
from .subtyping import is_data
from .types import BOTTOM, SCALARS, TOP, AbilityType, Array, Arrow, Option, ServiceType, Stream, StreamMap, Struct, Type

if TYPE_CHECKING:
    from .scope import Scope


class TypeNames:
    """Resolves type expressions in a scope."""

    def __init__(self, scope: Scope) -> None:
        """Names are looked up in `scope`."""
        self._scope = scope
        self._report = scope.report

    def resolve(self, t: ast.TypeExpr) -> Type | None:
        """The type denoted, or None after reporting why there is none."""
        if isinstance(t, ast.CollectionType | ast.ArrowType) and _nests_too_deep(t):
            message = f"this type nests deeper than {TYPE_DEPTH_MAX} levels"
            self._report(codes.SYNTAX_TOO_DEEP, t.span, message)
            return None
        return self._resolve(t)

    def _resolve(self, t: ast.TypeExpr) -> Type | None:
        match t:
            case ast.BasicType(name):
                return TOP if name == "⊤" else BOTTOM if name == "⊥" else SCALARS[name]
            case ast.NamedType():
                return self.named(t)
            case ast.CollectionType():
                return self._collection(t)
            case ast.ArrowType():
                return self._arrow(t)
            case _:
                assert_never(t)

    def named(self, t: ast.NamedType) -> Type | None:
        """A type by name, dotted for one of a used module."""
        entry = self._scope.type(t.name)
        # `String` is a slip for `string` and hardly something imported.
        if entry is None and t.name.lower() not in SCALARS and self._scope.is_excused(t.name):
            self._scope.poison_type(t.name)
            return None
        if entry is None:
            notes, fixes = self._report.suggest(
                t.name, t.span, [*self._scope.type_names(), *((s, None) for s in SCALARS)]
            )
            module, dot, name = t.name.rpartition(".")
            if dot and self._scope.context.module_at(module) is None:
                notes = (*notes, Note(f"no module `{module}` is used here; add `use … as {module}`"))
            elif dot:
                notes = (*notes, Note(f"module `{module}` declares no type `{name}`"))
            notes = notes or self._scope.missing(t.name)
            self._report(
                codes.TYPE_UNKNOWN, t.span, f"type `{t.name}` is not defined before this line", notes=notes, fixes=fixes
            )
            self._scope.poison_type(t.name)
            return None
        self._scope.occurs(t.span, "service" if entry.service else "type", t.name, entry.type, entry.site)
        return entry.type

    def _collection(self, t: ast.CollectionType) -> Type | None:
        element = self._resolve(t.element)
        if element is None:
            return None
        if not is_data(element):
            what = {"[]": "an array", "?": "an option", "*": "a stream", "%": "a stream map"}[t.kind]
            self._report(
                codes.TYPE_BAD_ELEMENT,
                t.element.span,
                f"{what} cannot contain values of type `{for_message(element)}`: elements must be data "
                "(scalars, arrays, options, data types)",
            )
            return None
        match t.kind:
            case "[]":
                return Array(element)
            case "?":
                return Option(element)
            case "*":
                return Stream(element)
            case "%":
                return StreamMap(element)
            case _:
                assert_never(t.kind)

    def _arrow(self, t: ast.ArrowType) -> Arrow | None:
        """An arrow type; resolution stops at its first part that fails."""
        args: list[tuple[str | None, Type]] = []
        for arg in (*t.abilities, *t.args):
            label, written = (arg.name.text, arg.type) if isinstance(arg, ast.Param) else (None, arg)
            of = self._resolve(written)
            if of is None:
                return None
            args.append((label, of))
        for n, ability in enumerate(t.abilities):
            args[n] = (ability.name, args[n][1])
        results: list[Type] = []
        for result in t.results:
            of = self._resolve(result)
            if of is None:
                return None
            results.append(of)
        return Arrow(tuple(args), tuple(results))


def _nests_too_deep(t: ast.TypeExpr) -> bool:
    level: list[ast.TypeExpr] = [t]
    for _ in range(TYPE_DEPTH_MAX):
        inner: list[ast.TypeExpr] = []
        for x in level:
            match x:
                case ast.CollectionType():
                    inner.append(x.element)
                case ast.ArrowType():
                    inner += (a.type if isinstance(a, ast.Param) else a for a in x.args)
                    inner += x.results
                case _:
                    pass
        if not inner:
            return False
        level = inner
    return True


def is_too_large(t: Type) -> bool:
    """Whether a type exceeds the limits on depth or on written-out size. Costs distinct nodes times depth."""
    level: dict[int, tuple[Type, int]] = {id(t): (t, 1)}
    size = 0
    for _ in range(TYPE_DEPTH_MAX):
        below: dict[int, tuple[Type, int]] = {}
        for x, times in level.values():
            size += times
            for child in _children(x):
                below[id(child)] = (child, below.get(id(child), (child, 0))[1] + times)
        if size > TYPE_SIZE_MAX:
            return True
        if not below:
            return False
        level = below
    return True


def _children(t: Type) -> list[Type]:
    match t:
        case Array(element) | Option(element) | Stream(element) | StreamMap(element):
            return [element]
        case Struct(fields=fields) | AbilityType(fields=fields) | ServiceType(fields=fields):
            return [f for _, f in fields]
        case Arrow(args, results):
            return [*(a for _, a in args), *results]
        case _:
            return []
