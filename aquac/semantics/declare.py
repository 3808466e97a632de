"""Top-level definitions: constants, aliases, data, services, abilities, functions.

Definitions are elaborated top to bottom; each becomes a part of the module with the context that precedes it.

Errors: AQ0109, AQ0204 – AQ0209, AQ0220 – AQ0225, AQ0503 and those of values and bodies. Warning AQ0905.
Source: aqua:semantics/src/main/scala/aqua/semantics/expr/*.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from aquac import codes
from aquac.diagnostics import Edit, Fix, Note
from aquac.lowering.trampoline import nested
from aquac.source import Span
from aquac.syntax import ast

from . import raw
from .check import Statements
from .limits import TYPE_DEPTH_MAX, TYPE_SIZE_MAX
from .printing import for_message
from .raw import ConstPart, FuncPart, ModuleContext, Part, PartsPrefix, PlacedPart, RawValue, ServicePart, TypePart
from .resolve import Values
from .scope import Scope, TypeEntry
from .subtyping import is_data
from .type_names import TypeNames, is_too_large
from .types import STRING_LITERAL, AbilityType, Arrow, Fields, ServiceType, Struct, Type

if TYPE_CHECKING:
    from collections.abc import Collection


class Declarations:
    """Elaborates the definitions of one module into parts."""

    def __init__(self, scope: Scope, parts: list[PlacedPart], given: Collection[str]) -> None:
        """Append to `parts`, the list of `scope.context`; `given` names the constants passed to the compiler."""
        self._scope = scope
        self._report = scope.report
        self._parts = parts
        self._given = given
        self._types = TypeNames(scope)
        self._values = Values(scope, self._types)
        self._statements = Statements(scope, self._types, self._values)

    async def define(self, definition: ast.Definition) -> None:
        """Elaborate one definition."""
        match definition:
            case ast.Const():
                self._const(definition)
            case ast.Alias():
                self._alias(definition)
            case ast.Data():
                self._data(definition)
            case ast.Service():
                await self._service(definition)
            case ast.Ability():
                self._ability(definition)
            case ast.Func():
                await self._func(definition)
            case _:
                assert_never(definition)

    def _add(self, part: Part) -> None:
        preceding = ModuleContext(
            self._scope.context.module, parts=PartsPrefix(self._parts), used=self._scope.context.used
        )
        self._parts.append((preceding, part))

    # ── constants ────────────────────────────────────────────────────────────────────────────────────────────────

    def _const(self, d: ast.Const) -> None:
        name = d.name.text
        value = self._const_value(d.value)
        existing = self._scope.constant(name)
        if existing is None or existing.type is None:
            self._scope.define_constant(d.name, None if value is None else value.type)
            if value is not None:
                self._add(ConstPart(name, value, d.override, d.doc, self._scope.site(d.name.span)))
            return
        if d.override:
            if value is not None:
                self._values.match.ensure(d.value, existing.type, value.type)
        elif name not in self._given:
            self._report(
                codes.WARN_DUPLICATE_CONSTANT,
                d.name.span,
                f"constant `{name}` is already defined; this definition is ignored",
                notes=self._report.previous(existing.site),
            )

    def _const_value(self, v: ast.Value) -> RawValue | None:
        """A literal or the name of another constant; the parser rejects everything else."""
        name = _dotted(v)
        if name is None:
            return self._values.literal(v) if isinstance(v, ast.Literal) else None
        entry = self._scope.constant(name)
        if entry is not None:
            self._scope.occurs(v.span, "constant", name, entry.type, entry.site)
            return None if entry.type is None else raw.Var(name, entry.type)
        known = self._scope.value(name)
        if self._scope.is_excused(name) or (known is not None and known.type is None):
            return None
        candidates = [(n, s) for n, s in self._scope.value_names() if self._scope.constant(n) is not None]
        notes, fixes = self._report.suggest(name, v.span, candidates)
        message = f"no constant `{name}` is defined before this line"
        self._report(codes.NAME_UNKNOWN, v.span, message, notes=notes, fixes=fixes)
        return None

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _alias(self, d: ast.Alias) -> None:
        t = self._types.resolve(d.type)
        if t is None or not self._is_taken(d.name, codes.ALIAS_REDEFINED, self._removal(d, t)):
            self._define_type(d, t, frozenset())

    def _data(self, d: ast.Data) -> None:
        fields, broken = self._members(d, "field")
        if self._is_taken(d.name, codes.TYPE_REDEFINED):
            return
        usable = {n: t for n, (_, t) in fields.items() if is_data(t)}
        for name, (member, t) in fields.items():
            if name not in usable:
                self._report(
                    codes.STRUCT_BAD_FIELD,
                    member.name.span,
                    f"field `{name}` of `{d.name.text}` has type `{for_message(t)}`: fields must be data "
                    "(scalars, arrays, options, data types)",
                )
        good = usable and len(usable) == len(fields)
        if (not fields and not broken) or (not good and self._scope.follow_ups):
            self._report(codes.STRUCT_EMPTY, d.name.span, f"data type `{d.name.text}` has no usable field")
        self._define_type(d, Struct(d.name.text, _sorted(usable)) if good else None, broken)

    def _ability(self, d: ast.Ability) -> None:
        fields, broken = self._members(d, "member")
        if self._is_taken(d.name, codes.TYPE_REDEFINED):
            return
        if not fields and not broken:
            self._report(codes.ABILITY_EMPTY, d.name.span, f"ability `{d.name.text}` has no usable member")
        t = AbilityType(d.name.text, _sorted({n: t for n, (_, t) in fields.items()})) if fields else None
        self._define_type(d, t, broken)

    async def _service(self, d: ast.Service) -> None:
        members, broken = self._members(d, "function")
        arrows = {n: t for n, (_, t) in members.items() if isinstance(t, Arrow)}
        service_id = None
        good = bool(arrows)
        if not arrows:
            if not members and not broken:
                self._report(codes.SERVICE_NO_ARROWS, d.name.span, f"service `{d.name.text}` has no usable function")
        elif d.id is not None:
            service_id = await self._service_id(d.id)
            good = service_id is not None
        if good and self._is_taken(d.name, codes.TYPE_REDEFINED):
            return
        good = good and not self._has_several_results(members)
        t = ServiceType(d.name.text, _sorted(dict(arrows))) if good else None
        self._define_type(d, t, broken, service_id)

    def _has_several_results(self, members: dict[str, tuple[ast.Member, Type]]) -> bool:
        # One is enough to say so: the first by name.
        for name, (member, t) in sorted(members.items()):
            if isinstance(t, Arrow) and len(t.results) > 1:
                message = f"function `{name}` of a service has {len(t.results)} results; it may have one"
                note = Note("return a data type instead")
                self._report(codes.SERVICE_MULTI_RESULT, member.name.span, message, notes=(note,))
                return True
        return False

    async def _service_id(self, v: ast.Value) -> RawValue | None:
        value = await self._values.typed(v, STRING_LITERAL)
        if value is None or isinstance(value, raw.Literal):
            return value
        if isinstance(value, raw.Var) and self._scope.constant(value.name) is not None:
            return value
        self._report(codes.SERVICE_BAD_ID, v.span, "the default id of a service is a string literal or a constant")
        return None

    def _members(
        self, d: ast.Data | ast.Service | ast.Ability, what: str
    ) -> tuple[dict[str, tuple[ast.Member, Type]], frozenset[str]]:
        """Members by name, and the names of those whose own declaration is wrong. A repeated name keeps the first."""
        good: dict[str, tuple[ast.Member, Type]] = {}
        failed = set(self._scope.broken_members(d.name.span.start))
        for member in d.members:
            name = member.name.text
            t = self._types.resolve(member.type)
            if t is None:
                failed.add(name)
            elif name in good:
                first = good[name][0].name.span
                self._report(
                    codes.MEMBER_REDEFINED,
                    member.name.span,
                    f"{what} `{name}` is already defined above",
                    notes=self._report.previous(self._scope.site(first)),
                )
            else:
                good[name] = (member, t)
                self._scope.occurs(member.name.span, "field", name, t, self._scope.site(member.name.span))
        return good, frozenset[str]() if self._scope.follow_ups else frozenset(failed - good.keys())

    def _removal(self, d: ast.Alias, t: Type) -> tuple[Fix, ...]:
        """Leave out an alias of a type that is known under its name already; a comment behind it stays."""
        taken = self._scope.type(d.name.text)
        if taken is None or taken.type != t or isinstance(d.type, ast.ArrowType):
            return ()  # only the type of a function may go on in the next line
        file = self._report.file
        start = file.text.rfind("\n", 0, d.name.span.start) + 1
        end = file.text.find("\n", d.name.span.end) + 1 or len(file.text)
        comment = file.text.find("--", d.name.span.end, end)
        span = Span(start, end if comment < 0 else comment)
        return (Fix(f"remove the alias: `{d.name.text}` is this type already", (Edit(file, span, ""),)),)

    def _is_taken(self, name: ast.Name, redefined: codes.Code, fixes: tuple[Fix, ...] = ()) -> bool:
        taken = self._scope.type(name.text)
        if taken is None or taken.type is None:
            return False
        message = f"a type called `{name.text}` is already defined"
        # Before 0.14 a file's own types silently went before imported ones of the same name.
        imported = taken.site is not None and taken.site.file is not self._report.file
        code = self._report.tolerated(redefined) if imported else redefined
        self._report(code, name.span, message, notes=self._report.previous(taken.site), fixes=fixes)
        return code is redefined

    def _define_type(
        self,
        d: ast.Alias | ast.Data | ast.Ability | ast.Service,
        t: Type | None,
        broken: frozenset[str],
        service_id: RawValue | None = None,
    ) -> None:
        """Bind a free name to a type, or as broken, and add the part."""
        if t is not None and is_too_large(t):
            message = f"this type nests deeper than {TYPE_DEPTH_MAX} levels or has more than {TYPE_SIZE_MAX} parts"
            self._report(codes.SYNTAX_TOO_DEEP, d.name.span, message)
            t = None
        taken = self._scope.type(d.name.text)
        if t is None and taken is not None and taken.type is not None:
            return
        site = self._scope.site(d.name.span)
        service = isinstance(d, ast.Service)
        members = () if isinstance(d, ast.Alias) else d.members
        member_docs = {member.name.text: member.doc for member in members if member.doc}
        self._scope.define_type(d.name, TypeEntry(t, site, service, service and service_id is not None, broken))
        if isinstance(t, ServiceType) and service:
            self._add(ServicePart(d.name.text, t, service_id, d.doc, site, member_docs))
        elif t is not None:
            self._add(TypePart(d.name.text, t, d.doc, site, member_docs))

    # ── functions ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _func(self, d: ast.Func) -> None:
        made = await nested(self._statements.arrow(d.signature, d.body, d.name.span.start))
        if made.exists and made.type is None:
            self._scope.redefines(d.name, Arrow((), ()))
        bound = self._scope.define_function(d.name, made.type, results_known=made.results_known)
        if bound and made.arrow is not None:
            self._add(FuncPart(d.name.text, made.arrow, d.doc, self._scope.site(d.name.span)))


def _dotted(v: ast.Value) -> str | None:
    """`A` or `M.A` as a path, None for anything else."""
    match v:
        case ast.Variable(name):
            return name
        case ast.Chain(base=ast.Variable(name), ops=ops) if all(isinstance(op, ast.FieldOp) for op in ops):
            return ".".join([name, *(op.name for op in ops if isinstance(op, ast.FieldOp))])
        case _:
            return None


def _sorted(fields: dict[str, Type] | dict[str, Arrow]) -> Fields:
    return tuple(sorted(fields.items(), key=lambda item: item[0]))
