"""Statements: from syntax to Raw trees, with the rules of scopes.

A statement that fails yields None after reporting; names it would have bound become broken, so that their uses stay quiet.
One that is wrong only in the names it binds still yields a tree: a function exists for its callers if any statement does.
Blocks nest as coroutines (see `resolve.py`); siblings are a loop.

Errors: AQ02xx, AQ0314, AQ0315, AQ0323 – AQ0325, those of values and folding. Warnings AQ0901, AQ0904.
Source: aqua:semantics/src/main/scala/aqua/semantics/expr/func/*.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from aquac import codes
from aquac.diagnostics import Edit, Fix, Note
from aquac.lowering.trampoline import nested
from aquac.records import dataclass, field_names, is_record
from aquac.source import Span
from aquac.syntax import ast

from . import raw
from .arrows import Returns, Signature, check_return, check_returned, finish, report_second_function, second_function
from .fold import fold, seq
from .printing import brief, for_message
from .report import closest, counted
from .subtyping import is_collection, is_data
from .types import (
    BOOL,
    ERROR,
    SCALARS,
    STRING,
    STRING_LITERAL,
    Array,
    Arrow,
    Option,
    ServiceType,
    Stream,
    StreamMap,
    Struct,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .raw import FuncArrow, RawValue, Tree
    from .resolve import Values
    from .scope import Scope
    from .type_names import TypeNames


@dataclass(frozen=True, slots=True)
class Elaborated:
    """A function or closure whose body has been elaborated.

    Attributes:
        type: what callers see; None if nothing of the body is right, or an argument or result is of unknown type.
        arrow: None unless everything is right.
        exists: whether anything of the body is right, so that its name is taken.
        results_known: whether callers can rely on its results, which the body may contradict.
    """

    type: Arrow | None
    arrow: FuncArrow | None
    exists: bool
    results_known: bool


class Statements:
    """Elaborates the bodies of one module."""

    def __init__(self, scope: Scope, types: TypeNames, values: Values) -> None:
        """Shares the scope of the module."""
        self.scope = scope
        self.report = scope.report
        self.types = types
        self.values = values
        self._returns: list[Returns] = []
        self._incomplete = False
        """Whether a line of the function being elaborated could not be read; it may have been anything."""

    # ── arrows and blocks ────────────────────────────────────────────────────────────────────────────────────────

    async def arrow(self, signature: ast.Signature, body: ast.Body, owner: int = -1) -> Elaborated:
        """A function or closure. `owner` is where the name of a function starts."""
        if owner >= 0:
            self.scope.begin_function()
        with self.scope.frame():
            resolved = self._signature(signature)
            errors_before = len(self.report.diagnostics)
            for name, t in resolved.params:
                self.scope.define(name, t, "argument")
            self._excuse_abilities(signature)
            twice = any(d.is_error for d in self.report.diagnostics[errors_before:])
            good = not twice and len(resolved.results) == len(signature.results)
            returns = Returns(signature, resolved.results)
            if owner >= 0:
                self._incomplete = self.scope.excuse_in_function(owner)
                self.scope.is_incomplete = self._incomplete
            returns.attempted = returns.incomplete = self._incomplete
            returns.last = body[-1] if body else None
            self._returns.append(returns)
            other = None if owner < 0 or self.scope.follow_ups else second_function(self.report.file.text, body)
            tree = await nested(self.block(body if other is None else body[: other.start]))
            self._returns.pop()
            if other is not None:
                report_second_function(self.report, other)
                self.scope.is_open = True  # the name of that one is unknown
            if returns.attempts > 1 and self._returns:
                # One of them was meant for the function around.
                self._returns[-1].attempted = not self.scope.follow_ups
            good = check_returned(self.report, returns) and good
        exists, known = tree is not None, self.scope.follow_ups or not returns.contradicted
        # An argument twice leaves their number open: nothing can be said about what callers do.
        t = resolved.arrow if exists and (self.scope.follow_ups or not twice) else None
        if t is None or tree is None or not good:
            return Elaborated(t, None, exists, known)
        site = None if returns.span is None else self.scope.site(returns.span)
        arrow = finish(self.scope.mangler, t, returns.values or (), tree, site)
        return Elaborated(t, arrow, exists, known)

    def _excuse_abilities(self, signature: ast.Signature) -> None:
        """What the name of an unknown ability may have been meant to be is not wondered about in the body."""
        for ability in signature.abilities:
            entry = self.scope.value(ability.name)
            if entry is not None and entry.type is None:
                near = closest(ability.name, (name for name, _ in self.scope.type_names()))
                for part in (*ability.name.split("."), *near):
                    self.scope.poison(part, everywhere=False)

    def _signature(self, s: ast.Signature) -> Signature:
        params = [(ast.Name(a.name, a.span), self.types.named(a)) for a in s.abilities]
        params += [(p.name, self.types.resolve(p.type)) for p in s.params]
        results = [self.types.resolve(r) for r in s.results]
        if self.scope.follow_ups:
            # The reference forgets the type and keeps the name, so that later arguments get their neighbour's type.
            known = [t for _, t in params if t is not None]
            params = [(name, t) for (name, _), t in zip(params, known, strict=False)]
            results = [t for t in results if t is not None]
        else:
            # Which argument a type was meant for, nobody knows behind one that is wrong.
            wrong = next((at for at, (_, t) in enumerate(params) if t is None), len(params))
            params = [*params[:wrong], *((name, None) for name, _ in params[wrong:])]
        return Signature(tuple(params), tuple(results))

    async def block(self, body: ast.Body) -> Tree | None:
        """Statements of a block in the current frame; None if nothing of it could be elaborated."""
        results: list[tuple[ast.Statement, Tree | None]] = []
        returned_at: int | None = None
        for at, statement in enumerate(body):
            if returned_at is not None and at == returned_at + 1 and not isinstance(statement, ast.Return):
                self.report(
                    codes.WARN_UNREACHABLE,
                    statement.span,
                    "a statement after the return: it runs before the result is passed on; move it above the `<-`",
                )
            results.append((statement, await nested(self.statement(statement))))
            if isinstance(statement, ast.Return):
                returned_at = at
        return fold(results, self.report, follow_ups=self.scope.follow_ups)

    def _site(self, s: ast.Statement) -> raw.Site:
        return self.scope.site(_extent(s))

    async def _framed(self, body: ast.Body) -> Tree | None:
        with self.scope.frame():
            return await nested(self.block(body))

    async def statement(self, s: ast.Statement) -> Tree | None:
        """One statement. Branches (`else`, `catch`, …) yield their body; `fold` attaches it."""
        match s:
            case ast.Assign():
                return await self._assign(s)
            case ast.CallStmt():
                return await self._call(s)
            case ast.Push():
                return await self._push(s)
            case ast.Return():
                return await self._return(s)
            case ast.Join():
                return await self._join(s)
            case ast.Declare():
                return self._declare(s)
            case ast.ServiceId():
                return await self._service_id(s)
            case ast.Closure():
                return await self._closure(s)
            case ast.On():
                return await self._on(s)
            case ast.For():
                return await self._for(s)
            case ast.ParSeq():
                return await self._parseq(s)
            case ast.If():
                condition = await self.values.typed(s.condition, BOOL)
                body = await self._framed(s.body)
                return None if condition is None or body is None else raw.IfTag(condition, (body,), self._site(s))
            case ast.Else() | ast.Try() | ast.Otherwise():
                return await self._framed(s.body)
            case ast.Catch():
                return await self._catch(s)
            case ast.Par():
                return await nested(self.statement(s.body))
            case ast.Co():
                tree = await nested(self.statement(s.body))
                return None if tree is None else raw.DetachTag(tree)
            case _:
                assert_never(s)

    async def _join(self, s: ast.Join) -> Tree | None:
        values = [await nested(self.values.value(v)) for v in s.values]
        found = [value for value in values if value is not None]
        return raw.JoinTag(_distinct(found), self._site(s)) if found else None

    # ── simple statements ────────────────────────────────────────────────────────────────────────────────────────

    async def _assign(self, s: ast.Assign) -> Tree | None:
        value = await nested(self.values.value(s.value))
        self.scope.define(s.name, None if value is None else value.type)
        return None if value is None else raw.AssignTag(value, s.name.text, self._site(s))

    async def _call(self, s: ast.CallStmt) -> Tree | None:
        if self._is_slip(s):
            return None
        call = await nested(self.values.value(s.value))
        if call is not None and not _is_call(call):
            if isinstance(call, raw.Prop) and isinstance(call.prop, raw.ArrowProp):
                note = Note("methods of stream maps are values: write `x = map.method(…)`")
            elif isinstance(call.type, Arrow) and isinstance(call, raw.Var):
                note = Note(f"call it: `{call.name}(…)`")
            elif s.results:
                note = Note("bind a value to a name with `=`")
            elif s is self._returns[-1].last and self._returns[-1].results:
                note = Note("a value alone does nothing; to return it, write `<- value`")
                self._returns[-1].attempted = not self.scope.follow_ups
            else:
                note = Note("a value alone does nothing; bind it to a name or remove it")
            self.report(codes.CALL_NOT_A_CALL, s.value.span, "a call of a function is expected here", notes=(note,))
            call = None
        if call is None:
            for name in s.results:
                self.scope.define(name, None)
            return None
        results = _call_arrow(call).results
        if len(results) == 2 and self._is_map(s.results):
            exports = [self._pair_export(s.results[0], results)]
        else:
            exports = [self._export(name, results, i, call) for i, name in enumerate(s.results)]
            if len(results) > len(s.results):
                used = "none is used" if not s.results else f"only {len(s.results)} used"
                message = f"the call returns {counted(len(results), 'value')}, {used}"
                self.report(codes.WARN_UNUSED_RESULT, s.value.span, message)
        return raw.CallTag(tuple(e for e in exports if e is not None), call, self._site(s))

    def _is_map(self, names: Sequence[ast.Name]) -> bool:
        entry = self.scope.value(names[0].text) if len(names) == 1 else None
        return entry is not None and isinstance(entry.type, StreamMap)

    def _pair_export(self, name: ast.Name, results: Sequence[Type]) -> raw.CallExport | None:
        """`m <- f()` where m is a stream map and f returns a key and a value."""
        entry = self.scope.value(name.text)
        assert entry is not None
        assert isinstance(entry.type, StreamMap)
        self.scope.occurs(name.span, entry.kind, name.text, entry.type, entry.site)
        good = self.values.match.ensure(name, STRING, results[0])
        good = self.values.match.ensure(name, entry.type.element, results[1]) and good
        return raw.CallExport(name.text, entry.type, existing=True) if good else None

    def _is_slip(self, s: ast.CallStmt) -> bool:
        """Report a statement that is meant to be another one and only happens to be a value."""
        if self.scope.follow_ups:
            return False
        value = s.value
        while isinstance(value, ast.Infix):
            value = value.left
        root = value.base if isinstance(value, ast.Chain) else value
        if not isinstance(root, ast.Variable | ast.Call) or self.scope.value(root.name) is not None or s.results:
            return False
        if root.name == "return":
            fix = Fix("write `<-`", (Edit(self.report.file, root.span, "<- "),))
            message = "`return` is no word of the language: a result is returned with `<- value`"
            self.report(codes.NAME_UNKNOWN, root.span, message, fixes=(fix,))
            self._returns[-1].attempted = True
            return True
        if value is root and isinstance(s.value, ast.Infix) and s.value.op in ("*", "%") and s.value.left is root:
            of = s.value.right
            if isinstance(of, ast.Variable) and (of.name in SCALARS or of.name[:1].isupper()):
                at = Span(root.span.end, root.span.end)
                message = f"a stream is declared with `:` behind its name: `{root.name}: {s.value.op}{of.name}`"
                fix = Fix("add the `:`", (Edit(self.report.file, at, ":"),))
                self.report(codes.NAME_UNKNOWN, root.span, message, fixes=(fix,))
                self.scope.poison(root.name, everywhere=False)
                return True
        return False

    def _export(self, name: ast.Name, results: Sequence[Type], at: int, call: RawValue) -> raw.CallExport | None:
        if at >= len(results):
            returns = counted(len(results), "value") if results else "nothing"
            message = f"nothing is left for `{name.text}`: the call returns {returns}"
            self.report(codes.CALL_NO_RESULT, name.span, message, cause=("no result", _callee(call), at))
            self.scope.define(name, None)
            return None
        entry = self.scope.value(name.text)
        if entry is not None and isinstance(entry.type, Stream):
            self.scope.occurs(name.span, entry.kind, name.text, entry.type, entry.site)
            if not self.values.match.ensure(name, entry.type.element, results[at]):
                return None
            return raw.CallExport(name.text, entry.type, existing=True)
        if entry is not None and isinstance(entry.type, StreamMap):
            self.report(
                codes.TYPE_MISMATCH,
                name.span,
                f"stream map `{name.text}` takes a call that returns a key and a value, `string, "
                f"{brief(entry.type.element)}`; this one gives it `{for_message(results[at])}`",
            )
            return None
        if not self.scope.define(name, results[at], bound_by="item"):
            return None
        return raw.CallExport(name.text, results[at], existing=False)

    async def _push(self, s: ast.Push) -> Tree | None:
        key = None if s.key is None else await nested(self.values.value(s.key))
        value = await nested(self.values.value(s.value))
        if value is None or (s.key is not None and key is None):
            return None
        if (
            self.scope.value(s.target.text) is None
            and self.scope.type(s.target.text) is None
            and not self.scope.is_open
        ):
            self._unknown_stream(s.target)
            return None
        target = self.values.variable(s.target.text, s.target.span, s.target.span)
        if target is None:
            return None
        pair = s.key is not None
        fits = isinstance(target.type, StreamMap if pair else Stream)
        if not fits:
            self._report_push_target(s, target.type)
        if s.key is not None and key is not None and not self.values.match.ensure(s.key, STRING, key.type):
            return None
        if not (is_data(value.type) or isinstance(value.type, Stream)):
            self.values.report_not_collectible(s.value, value.type)
            return None
        if not fits:
            return None
        assert isinstance(target.type, Stream | StreamMap)
        given = Array(value.type.element) if isinstance(value.type, Stream) else value.type
        if not self.values.match.ensure(s.value, target.type.element, given):
            return None
        return raw.PushTag(value, key, s.target.text, target.type, self._site(s))

    def _unknown_stream(self, name: ast.Name) -> None:
        notes, fixes = self.report.suggest(name.text, name.span, self.scope.value_names())
        text = name.text
        note = Note(f"a stream is declared first, `{text}: *type`; a result gets a name by `{text} <- …`")
        message = f"no stream `{text}` is in scope here"
        self.report(codes.NAME_UNKNOWN, name.span, message, notes=(*notes, note), fixes=fixes)
        self.scope.poison(text, everywhere=False)

    def _report_push_target(self, s: ast.Push, t: Type) -> None:
        name = s.target.text
        note: tuple[Note, ...] = ()
        if isinstance(t, StreamMap):
            message = f"`{name}` is a stream map and takes a key and a value: `{name} <<- key, value`"
        elif isinstance(t, Stream):
            message = f"`{name}` is a stream and takes one value, not a key and a value"
        else:
            message = f"`<<-` adds to a stream, `{name}` is `{for_message(t)}`"
            note = (Note("declare a stream with a line `name: *type`"),)
        self.report(codes.STREAM_PUSH_TARGET, s.target.span, message, notes=note)

    async def _return(self, s: ast.Return) -> Tree | None:
        returns = self._returns[-1]
        returns.attempted = not self.scope.follow_ups
        returns.attempts += 1
        returns.contradicted = returns.contradicted or len(s.values) != len(returns.signature.results)
        values = await self.values.all(s.values)
        return None if values is None else check_return(self.report, returns, s, values)

    def _declare(self, s: ast.Declare) -> Tree | None:
        t = self.types.resolve(s.type)
        code = codes.STREAM_DECL_NOT_STREAM
        fixes: tuple[Fix, ...] = ()
        if isinstance(t, Option):
            # Before 0.13 `x: ?T` declared a stream, of which at most one element was used.
            code = self.report.tolerated(code)
            if isinstance(s.type, ast.CollectionType):
                fixes = (Fix("declare a stream", (Edit(self.report.file, s.type.span, "*"),)),)
        if t is not None and not isinstance(t, Stream | StreamMap):
            self.report(
                code,
                s.type.span,
                f"only streams (`*T`) and stream maps (`%T`) are declared without a value, this type is `{for_message(t)}`",
                fixes=fixes,
            )
            t = Stream(t.element) if isinstance(t, Option) and self.report.legacy else None
        return raw.DeclareTag(s.name.text, t) if self.scope.define(s.name, t, stream=True) and t is not None else None

    async def _service_id(self, s: ast.ServiceId) -> Tree | None:
        name = s.service.name
        value = await self.values.typed(s.id, STRING_LITERAL)
        if value is None:
            self.scope.lose_service_id(name)
            return None
        entry = self.scope.type(name)
        t = self.types.named(s.service)
        if entry is None or t is None:
            # It may be another service that was meant to have an id.
            for meant in closest(name, (known for known, _ in self.scope.service_names())):
                self.scope.lose_service_id(meant)
            return None
        if not isinstance(t, ServiceType):
            message = f"`{name}` is `{for_message(t)}`; only a service can be given an id"
            self.report(codes.SERVICE_NOT_A_SERVICE, s.service.span, message)
            return None
        if not entry.service:
            self.report(
                codes.SERVICE_UNREGISTERED,
                s.service.span,
                f"`{name}` is an alias; give the id to the service itself, `{t.name}`",
            )
            return None
        return raw.ServiceIdTag(value, t, self.scope.set_service_id(name), self._site(s))

    async def _closure(self, s: ast.Closure) -> Tree | None:
        made = await nested(self.arrow(s.signature, s.body))
        t = made.type if made.results_known else None
        if made.exists and t is None:
            self.scope.redefines(s.name, Arrow((), ()))
        self.scope.define(s.name, t)
        if made.arrow is None:
            return raw.EMPTY if made.exists else None
        return raw.ClosureTag(s.name.text, made.arrow, s.detached)

    # ── compound statements ──────────────────────────────────────────────────────────────────────────────────────

    async def _peer(self, peer: ast.Value, via: Sequence[ast.Value]) -> tuple[RawValue, ...]:
        """What `on` does before its body: the peer is checked, relays are elaborated. The peer's value comes after."""
        await self.values.typed(peer, STRING_LITERAL)
        relays: list[RawValue] = []
        for v in via:
            value = await nested(self.values.value(v))
            if value is None:
                break
            if not self.values.match.ensure(v, Option(STRING) if is_collection(value.type) else STRING, value.type):
                break
            relays.append(value)
        return tuple(relays)

    async def _on(self, s: ast.On) -> Tree | None:
        relays = await self._peer(s.peer, s.via)
        with self.scope.service_frame():
            tree = await nested(self.block(s.body))
        if tree is None:
            return None
        # Elaborated a second time, after the body: the names it generates come after those of the body.
        target = await nested(self.values.value(s.peer))
        if target is None:
            return None
        return raw.OnTag(target, relays, "", tree, self._site(s))

    async def _iterate(self, s: ast.For | ast.ParSeq) -> RawValue | None:
        """Elaborate what is iterated and bind the loop's names in the frame just opened."""
        iterable = await nested(self.values.value(s.iterable))
        item: Type | None = None
        value_item: Type | None = None
        if iterable is not None:
            match iterable.type:
                case StreamMap(element) if s.value_item is None:
                    item = Struct("KVPair", (("key", STRING), ("value", element)))
                case StreamMap(element):
                    item, value_item = STRING, element
                case _ if s.value_item is not None:
                    self.report(
                        codes.TYPE_MISMATCH,
                        s.iterable.span,
                        f"two names iterate over a stream map, this value is `{for_message(iterable.type)}`",
                    )
                case Array(element) | Option(element) | Stream(element):
                    item = element
                case t:
                    self.report(
                        codes.FOR_NOT_ITERABLE,
                        s.iterable.span,
                        f"a value of type `{for_message(t)}` cannot be iterated; arrays, options, streams and stream maps can",
                    )
        self.scope.define(s.item, item, bound_by="item")
        if s.value_item is not None:
            self.scope.define(s.value_item, value_item, bound_by="item")
        return iterable if item is not None else None

    async def _for(self, s: ast.For) -> Tree | None:
        with self.scope.frame():
            iterable = await self._iterate(s)
            body = await nested(self.block(s.body))
        if iterable is None or body is None:
            return None
        item, second = s.item.text, None if s.value_item is None else s.value_item.text
        step, site = raw.NextTag(item), self._site(s)
        match s.mode:
            case "":
                return raw.ForTag(item, second, iterable, "seq", seq((body, step)), site)
            case "try":
                return raw.ForTag(item, second, iterable, "try", raw.TryTag((body, step)), site)
            case "par" | "rec":
                return raw.DetachTag(raw.ForTag(item, second, iterable, s.mode, raw.ParTag((body, step)), site))
            case _:
                assert_never(s.mode)

    async def _parseq(self, s: ast.ParSeq) -> Tree | None:
        with self.scope.frame():
            iterable = await self._iterate(s)
            relays = await self._peer(s.peer, s.via)
            body = await nested(self.block(s.body))
            target = await nested(self.values.value(s.peer))
        if iterable is None or target is None or body is None:
            return None
        item, second = s.item.text, None if s.value_item is None else s.value_item.text
        site = self._site(s)
        on = raw.OnTag(target, relays, "relay", body, site)
        return raw.ForTag(item, second, iterable, "par", raw.ParTag((on, raw.NextTag(item))), site)

    async def _catch(self, s: ast.Catch) -> Tree | None:
        with self.scope.frame():
            good = self.scope.define(s.name, ERROR)
            body = await nested(self.block(s.body))
        if not good or body is None:
            return None
        return seq((raw.AssignTag(raw.Var(":error:", ERROR), s.name.text, self._site(s)), body))


def _is_call(value: RawValue) -> bool:
    """Calls of functions and methods; methods of stream maps are computations instead."""
    if isinstance(value, raw.Prop):
        return isinstance(value.prop, raw.ArrowProp) and not isinstance(value.value.type, StreamMap)
    return isinstance(value, raw.Call)


def _callee(call: RawValue) -> tuple[str, str]:
    """What is called, for telling calls of one function from others."""
    if isinstance(call, raw.Prop) and isinstance(call.prop, raw.ArrowProp):
        return brief(call.value.type), call.prop.name
    return "", call.name if isinstance(call, raw.Call) else ""


def _call_arrow(call: RawValue) -> Arrow:
    prop = call.prop if isinstance(call, raw.Prop) else call
    assert isinstance(prop, raw.Call | raw.ArrowProp)
    return prop.arrow


def _extent(s: ast.Statement) -> Span:
    """The text of a simple statement; of a compound one its first line, as far as values reach."""
    match s:
        case ast.Assign():
            return s.span.to(ast.extent(s.value))
        case ast.CallStmt():
            last = ast.extent(s.value)
            return s.results[0].span.to(last) if s.results else last
        case ast.Push():
            return s.target.span.to(ast.extent(s.value))
        case ast.ServiceId():
            return s.service.span.to(ast.extent(s.id))
        case ast.Return() | ast.Join():
            return s.span.to(ast.extent(s.values[-1]))
        case ast.On():
            return ast.extent(s.peer).to(ast.extent(s.via[-1] if s.via else s.peer))
        case ast.For():
            return s.item.span.to(ast.extent(s.iterable))
        case ast.ParSeq():
            return s.item.span.to(ast.extent(s.via[-1] if s.via else s.peer))
        case ast.If():
            return ast.extent(s.condition)
        case _:
            return s.span


def _distinct(values: Sequence[RawValue]) -> tuple[RawValue, ...]:
    kept: list[RawValue] = []
    for value in values:
        if not any(_same(value, other) for other in kept):
            kept.append(value)
    return tuple(kept)


def _same(left: Any, right: Any) -> bool:
    """Structural equality of values without recursion: property chains can be long."""
    pending = [(left, right)]
    while pending:
        a, b = pending.pop()
        if a is b:
            continue
        if type(a) is not type(b):
            return False
        if isinstance(a, tuple):
            if len(a) != len(b):
                return False
            pending += zip(a, b, strict=True)
        elif is_record(a):
            pending += [(getattr(a, name), getattr(b, name)) for name in field_names(a) if name != "site"]
        elif a != b:
            return False
    return True
