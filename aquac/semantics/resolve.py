"""Values: from syntax to typed Raw.

A method returns None after reporting why a value could not be made, or silently when the value mentions a broken name.
Elaboration order is observable twice over: in the order of diagnostics and in the numbers of generated names.
Nested values are elaborated as coroutines, so that their depth does not become depth of the host's stack.

Errors: AQ0201, AQ0202, AQ0205, AQ0229 – AQ0231, AQ03xx. Warning AQ0902.
Source: aqua:semantics/src/main/scala/aqua/semantics/rules/ValuesAlgebra.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from aquac import codes
from aquac.diagnostics import Note
from aquac.lowering.trampoline import nested
from aquac.records import replace
from aquac.source import Span
from aquac.syntax import ast
from aquac.syntax.messages import BY_POSITION, BY_POSITION_HINT

from . import raw
from .matching import Matcher
from .operators import Operators
from .printing import brief, for_message
from .properties import NamedValues, Properties, arg_name
from .raw import NIL, RawValue, arrow_type
from .report import closest, counted, listed
from .subtyping import element_type, is_data
from .types import BOOL, LITERALS, AbilityType, Array, Arrow, Option, Stream, Struct, Type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .scope import Scope, TypeEntry
    from .type_names import TypeNames

SAFE_LENGTH: Final = 11
"""Numbers of so few characters are numbers of AIR."""

ZERO: Final = raw.Literal("0", LITERALS["unsigned"])


class Values:
    """Elaborates the values of one module."""

    def __init__(self, scope: Scope, types: TypeNames) -> None:
        """Names come from `scope`, types of literals from `types`."""
        self.scope = scope
        self.report = scope.report
        self.types = types
        self.match = Matcher(scope.report, scope.is_whole)
        self._operators = Operators(scope.report, self.match)
        self._properties = Properties(scope, self.match)

    # ── entry points ─────────────────────────────────────────────────────────────────────────────────────────────

    async def value(self, v: ast.Value) -> RawValue | None:
        """Elaborate any value."""
        match v:
            case ast.Literal():
                return self.literal(v)
            case ast.Variable():
                return self.variable(v.name, v.span, v.span)
            case ast.Call():
                return await self._call(v.name, (*v.abilities, *v.args), v.span, v.full)
            case ast.Chain():
                return await self._chain(v)
            case ast.Collection():
                return await self._collection(v)
            case ast.Record():
                return await self._record(v)
            case ast.Infix():
                return await self._infix(v)
            case ast.Not():
                operand = await self.typed(v.operand, BOOL)
                return None if operand is None else raw.NotOp(operand, BOOL)
            case _:
                assert_never(v)

    async def typed(self, v: ast.Value, expected: Type) -> RawValue | None:
        """Elaborate a value that must fit `expected`."""
        result = await nested(self.value(v))
        return result if result is not None and self.match.ensure(v, expected, result.type) else None

    async def all(self, values: Sequence[ast.Value]) -> list[RawValue] | None:
        """Elaborate values in order, stopping at the first that fails."""
        results: list[RawValue] = []
        for v in values:
            result = await nested(self.value(v))
            if result is None:
                return None
            results.append(result)
        return results

    def literal(self, v: ast.Literal) -> raw.Literal:
        """A literal as it is written; numbers that AIR cannot hold are warned about."""
        held = _held_by_air(v) if v.kind in ("signed", "unsigned", "float") and len(v.text) > SAFE_LENGTH else ""
        if held:
            self.report(codes.NUMBER_RANGE, v.span, f"AIR cannot hold this number: it has numbers {held}")
        return raw.Literal(v.text, LITERALS[v.kind])

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def variable(self, name: str, span: Span, error_span: Span) -> RawValue | None:
        """A name as a value: variable, constant, function, or service with an id. `error_span` differs for `M.x`."""
        entry = self.scope.value(name)
        if entry is not None:
            self.scope.occurs(span, entry.kind, name, entry.type, entry.site)
            return None if entry.type is None else raw.Var(name, entry.type)
        of_type = self.scope.type(name)
        if of_type is not None:
            return self._service(name, of_type, span, error_span)
        module, dot, member = name.rpartition(".")
        if dot and (used := self.scope.context.module_at(module)) is not None:
            message = f"module `{module}` declares nothing called `{member}`"
            candidates = [(p.name, p.site) for _, p in used.parts]
            notes, _ = self.report.suggest(member, span, candidates)
            self.report(codes.NAME_UNKNOWN, error_span, message, notes=notes)
            self.scope.poison(name, everywhere=True)
            return None
        if self.scope.is_excused(name):
            self.scope.poison(name, everywhere=name[:1].isupper())
            return None
        known = [*self.scope.value_names(), *self.scope.service_names()]
        notes, fixes = self.report.suggest(name, span, known)
        if not notes and (name in self.scope.later or name[:1].isupper()):
            notes = self.scope.missing(name)
        if self.scope.context.module_at(name) is not None:
            notes = (Note(f"`{name}` is a module; use one of its members, `{name}.member`"),)
            fixes = ()
        self.report(codes.NAME_UNKNOWN, error_span, f"no name `{name}` is in scope here", notes=notes, fixes=fixes)
        self.scope.poison(name, everywhere=name[:1].isupper())
        return None

    def _service(self, name: str, entry: TypeEntry, span: Span, error_span: Span) -> RawValue | None:
        self.scope.occurs(span, "service" if entry.service else "type", name, entry.type, entry.site)
        if entry.type is None:
            return None
        service = self.scope.service_type(name)
        if service is None:
            kind = "an ability" if isinstance(entry.type, AbilityType) else "a type"
            self.report(
                codes.NAME_UNKNOWN,
                error_span,
                f"`{name}` is {kind}, not a value",
                notes=(Note(f"construct one with `{name}(field = value, …)`"),)
                if isinstance(entry.type, AbilityType | Struct)
                else (),
            )
            return None
        rename = self.scope.service_id(name)
        if rename == name and self.scope.has_bound(name):
            # Instances are known by name, and this one is taken in the code that is made.
            message = f"service `{name}` cannot be used in a function that has a variable of the same name"
            self.report(codes.NAME_REDEFINED, error_span, message)
            return None
        if rename is not None:
            return raw.Var(rename, service)
        if self.scope.lost_service_id(name):
            return None
        if entry.service and self.scope.is_incomplete:
            return None  # the line that could not be read may give it one
        if entry.service:
            self.report(
                codes.SERVICE_NO_ID,
                error_span,
                f"service `{name}` has no id here",
                notes=(Note(f'give it one with a statement `{name} "id"`, or a default: `service {name}("id"):`'),),
                cause=("no id", name),
            )
        else:
            self.report(
                codes.SERVICE_UNDEFINED,
                error_span,
                f"`{name}` is an alias; calls need the service itself, `{service.name}`",
            )
        return None

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _call(self, name: str, args: Sequence[ast.Value], span: Span, full: Span) -> raw.Call | None:
        entry = self.scope.value(name)
        if entry is None or not (entry.type is None or isinstance(entry.type, Arrow)):
            self._unknown_function(name, span, None if entry is None else entry.type)
            return None
        self.scope.occurs(span, entry.kind, name, entry.type, entry.site)
        arrow = entry.type
        if arrow is None:
            return None
        if len(args) != len(arrow.args):
            self.report(
                codes.CALL_ARITY,
                span,
                f"`{name}` takes {counted(len(arrow.args), 'argument')}, {len(args)} given; its type is `{brief(arrow)}`",
                notes=() if entry.site is None else (Note("it is defined here", entry.site.file, entry.site.span),),
                cause=("count", entry.site, name, len(args)),
            )
            return None
        values: list[RawValue] = []
        for arg, (_, expected) in zip(args, arrow.args, strict=True):
            value = await self.typed(arg, expected)
            if value is None:
                return None
            values.append(value)
        if not entry.results_known:
            return None
        return raw.Call(name, tuple(values), arrow, arrow_type(arrow), self.scope.site(full))

    def _unknown_function(self, name: str, span: Span, t: Type | None) -> None:
        if t is None and self.scope.is_excused(name):
            self.scope.poison(name, everywhere=True)
            return
        module, dot, function = name.rpartition(".")
        if dot and (used := self.scope.context.module_at(module)) is not None:
            candidates = [(p.name, p.site) for _, p in used.parts if isinstance(p, raw.FuncPart)]
            notes, fixes = self.report.suggest(function, span, candidates)
            message = f"module `{module}` declares no function `{function}`"
            self.report(codes.MODULE_UNKNOWN_ARROW, span, message, notes=notes, fixes=fixes)
            self.scope.poison(name, everywhere=True)
        elif t is not None:
            message = f"`{name}` is not a function: its type is `{for_message(t)}`"
            self.report(codes.ARROW_UNKNOWN, span, message)
        else:
            notes, fixes = self.report.suggest(name, span, self.scope.value_names())
            notes = notes or self.scope.missing(name)
            message = f"no function `{name}` is defined before this line"
            self.report(codes.ARROW_UNKNOWN, span, message, notes=notes, fixes=fixes)
            self.scope.poison(name, everywhere=True)

    # ── chains ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _chain(self, v: ast.Chain) -> RawValue | None:
        value, ops = await self._chain_head(v)
        for op in ops:
            if value is None:
                return None
            value = await self._operation(value, op)
        return value

    async def _chain_head(self, v: ast.Chain) -> tuple[RawValue | None, Sequence[ast.PropertyOp]]:
        """The value a chain starts from and the operations left.

        Words up to the first real operation may be the path of a used module; the longest such path wins, and modules win
        over variables of the same name.
        """
        if not isinstance(v.base, ast.Variable):
            return await nested(self.value(v.base)), v.ops
        path = [v.base.name]
        for op in v.ops:
            if not isinstance(op, ast.FieldOp):
                break
            path.append(op.name)
        for n in range(len(path), 0, -1):
            module = ".".join(path[:n])
            if self.scope.context.module_at(module) is None:
                continue
            self.scope.occurs(v.base.span, "module", module, None, None)
            member = v.ops[n - 1] if n <= len(v.ops) else None
            match member:
                case ast.MethodOp() if n < len(v.ops):
                    function = f"{module}.{member.name}"
                    message = (
                        f"a call of a module's function takes no properties: bind its result first, `x = {function}(…)`"
                    )
                    self.report(codes.NAME_UNKNOWN, v.base.span, message)
                    return None, ()
                case ast.MethodOp():
                    args = (*member.abilities, *member.args)
                    return await self._call(f"{module}.{member.name}", args, member.span, v.full), v.ops[n:]
                case ast.FieldOp():
                    return self.variable(f"{module}.{member.name}", member.span, v.base.span), v.ops[n:]
                case _:
                    return self.variable(module, v.base.span, v.base.span), v.ops[n - 1 :]
        return self.variable(v.base.name, v.base.span, v.base.span), v.ops

    async def _operation(self, value: RawValue, op: ast.PropertyOp) -> RawValue | None:
        prop: raw.RawProp | None
        match op:
            case ast.FieldOp():
                prop = self._properties.field(value.type, op)
            case ast.MethodOp():
                args = (*op.abilities, *op.args)
                values = await self.all(args)
                prop = None if values is None else self._properties.method(value.type, op, args, values)
            case ast.CopyOp() if op.word != "copy":
                prop = self._properties.field(value.type, ast.FieldOp(op.word, op.span))
                if prop is not None:
                    self._by_position(op.args)
                    prop = None
            case ast.CopyOp():
                good = self._once_each(op.args)
                copied = await self.all([arg.value for arg in op.args])
                prop = None if copied is None else self._properties.copy(value.type, op, copied)
                prop = prop if good else None
            case ast.IndexOp():
                at = ZERO if op.index is None else await nested(self.value(op.index))
                prop = None if at is None else self._properties.index(value.type, op, at)
            case _:
                assert_never(op)
        return None if prop is None else raw.Prop(value, prop)

    # ── literals ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _collection(self, v: ast.Collection) -> RawValue | None:
        values = [await nested(self.value(item)) for item in v.items]
        items = tuple(x for x in values if x is not None)
        if len(items) < len(values):
            return None
        for item, value in zip(v.items, items, strict=True):
            if not (is_data(value.type) or isinstance(value.type, Stream)):
                self.report_not_collectible(item, value.type)
                return None
        element = element_type([x.type for x in items])
        match v.kind:
            case "*":
                return raw.StreamLit(items, self.scope.mangler.rename("stream-anon"), Stream(element))
            case "[]":
                return raw.Coll(items, Array(element)) if items else NIL
            case "?":
                return raw.Coll(items, Option(element)) if items else NIL
            case _:
                assert_never(v.kind)

    def report_not_collectible(self, v: ast.Value, t: Type) -> None:
        """A function, ability, service or map was put into a collection."""
        self.report(
            codes.COLLECTION_ELEMENT,
            v.span,
            f"a value of type `{for_message(t)}` cannot be put into a collection: only data can",
        )

    async def _record(self, v: ast.Record) -> RawValue | None:
        if not v.type.name[:1].isupper():
            self._named_call(v)
            return None
        if "." in v.type.name and self.scope.type(v.type.name) is None:
            await self._not_a_record(v)
            return None
        t = self.types.named(v.type)
        if t is None:
            return None
        if not isinstance(t, Struct | AbilityType):
            self.report(
                codes.LITERAL_NOT_DATA_OR_ABILITY,
                v.type.span,
                f"`{v.type.name}` is `{for_message(t)}`; only data and abilities can be constructed",
            )
            return None
        named = await self._named_values(v.args)
        if named is None:
            return None
        fields, good = named
        good = self._fields_fit(v, t, fields) and good
        self._warn_extra_fields(v, t, fields, failed=not good)
        if not good:
            return None
        # Fields the type does not have are kept: they reach the running program, as they do in the reference.
        values = tuple(sorted((name, value) for name, (_, value) in fields.items()))
        return raw.StructLit(values, t) if isinstance(t, Struct) else raw.AbilityLit(values, t)

    def _named_call(self, v: ast.Record) -> None:
        """`f(x = 1)`: no value takes arguments by name; report an unknown name before that."""
        if self.variable(v.type.name, v.type.span, v.type.span) is not None:
            self._by_position(v.args)

    def _by_position(self, args: Sequence[ast.Arg]) -> None:
        named = next(arg.name for arg in args if arg.name is not None)
        self.report(codes.SYNTAX, named.span, BY_POSITION, notes=(Note(BY_POSITION_HINT),))

    async def _not_a_record(self, v: ast.Record) -> None:
        """`A.B(x = 1)` where `A.B` is no type: report the first word of the path that denotes nothing."""
        module, _, _ = v.type.name.rpartition(".")
        if self.scope.context.module_at(module) is not None:
            self.variable(v.type.name, v.type.span, v.type.span)
            return
        first, *rest = v.type.name.split(".")
        text, at = self.report.file.text, v.type.span.start
        ops: list[ast.FieldOp] = []
        for word in rest:
            at = text.index(word, text.index(".", at))
            ops.append(ast.FieldOp(word, Span(at, at + len(word))))
        base = ast.Variable(first, Span(v.type.span.start, v.type.span.start + len(first)))
        value = await nested(self.value(ast.Chain(base, tuple(ops), base.span, v.full)))
        if value is not None:
            message = f"`{v.type.name}` is `{for_message(value.type)}`; only functions take arguments, and not by name"
            self.report(codes.PROP_NOT_AN_ARROW, ops[-1].span, message)

    def _fields_fit(self, v: ast.Record, t: Struct | AbilityType, fields: NamedValues) -> bool:
        for name, expected in t.fields:
            if name not in fields:
                strange = closest(name, (given for given in fields if given not in dict(t.fields)))
                notes = tuple(Note(f"`{given}` may be meant to be it") for given in strange[:1])
                message = f"`{v.type.name}` needs `{name}` of type `{for_message(expected)}`"
                cause = ("member", t.name, *strange[:1]) if strange else ("missing", t.name, name)
                self.report(codes.ARGS_MISSING, v.type.span, message, notes=notes, cause=cause)
                return False
            arg, value = fields[name]
            if not self.match.ensure(arg.value, expected, value.type):
                return False
        return True

    def _warn_extra_fields(self, v: ast.Record, t: Struct | AbilityType, fields: NamedValues, *, failed: bool) -> None:
        known = dict(t.fields)
        entry = self.scope.type(v.type.name)
        broken = frozenset[str]() if entry is None else entry.broken
        for name, (arg, _) in fields.items():
            at = arg.name.span if arg.name is not None else arg.value.span
            if name in known:
                self.scope.occurs(at, "field", name, known[name], None, t)
            if name in known or name in broken:
                continue
            notes, fixes = self.report.suggest(name, at, ((n, None) for n in known)) if failed else ((), ())
            message = f"`{v.type.name}` has no `{name}`; it has {listed(known)}"
            self.report(codes.WARN_UNEXPECTED_ARG, at, message, notes=notes, fixes=fixes)

    async def _named_values(self, args: Sequence[ast.Arg]) -> tuple[NamedValues, bool] | None:
        """Elaborate named arguments in order; a bare variable names itself. The flag is false if a name is repeated.

        Of repeated arguments the last one counts for the checks that follow.
        """
        good = self._once_each(args)
        values = await self.all([arg.value for arg in args])
        if values is None:
            return None
        return {arg_name(arg): (arg, value) for arg, value in zip(args, values, strict=True)}, good

    def _once_each(self, args: Sequence[ast.Arg]) -> bool:
        """Report every argument whose name is repeated; false if there is one, and a value with it is of no use."""
        named: dict[str, list[ast.Arg]] = {}
        for arg in args:
            named.setdefault(arg_name(arg), []).append(arg)
        good = True
        for name, same in named.items():
            if len(same) > 1:
                good = self.scope.follow_ups
                for arg in same:
                    span = arg.value.span if arg.name is None else arg.name.span
                    self.report(codes.ARGS_DUPLICATE, span, f"`{name}` is given {len(same)} times")
        return good

    # ── operators ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _infix(self, v: ast.Infix) -> RawValue | None:
        """Chains of operators nest to the left and can be long, hence the loop."""
        spine: list[ast.Infix] = [v]
        while isinstance(spine[-1].left, ast.Infix):
            spine.append(spine[-1].left)
        left = await nested(self.value(spine[-1].left))
        for node in reversed(spine):
            if left is None and self._is_dash(node):
                self._explain_dash()
                continue
            right = await nested(self.value(node.right))
            left = None if left is None or right is None else self._operators.binary(node, left, right)
        return left

    def _is_dash(self, node: ast.Infix) -> bool:
        """Whether a minus stands between two words without blanks, as in the names of other languages."""
        text, at = self.report.file.text, node.span.start
        return node.op == "-" and text[at - 1 : at].isalnum() and text[at + 1 : at + 2].isalpha()

    def _explain_dash(self) -> None:
        """The last error is about half a name."""
        last = self.report.diagnostics[-1] if self.report.diagnostics else None
        if last is not None and last.is_error:
            note = Note("a name cannot contain `-`; write `_`, or blanks around it to subtract")
            self.report.diagnostics[-1] = replace(last, notes=(note, *last.notes), fixes=())


def _held_by_air(v: ast.Literal) -> str:
    """Which numbers AIR has, if this is none of them."""
    from avm.air.limits import FLOAT_BYTES_MAX, INT_MAX, INT_MIN

    if v.kind == "float":
        return f"of at most {FLOAT_BYTES_MAX} characters" if len(v.text) > FLOAT_BYTES_MAX else ""
    fits = len(v.text) <= len(str(INT_MIN)) and INT_MIN <= int(v.text) <= INT_MAX
    return "" if fits else f"from {INT_MIN} to {INT_MAX}"
