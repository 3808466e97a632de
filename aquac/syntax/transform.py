"""Build the nodes of `ast.py` while lark parses one logical line.

Input:  reductions of aqua.lark; offsets within the line, shifted by `Builder.base` to offsets of the file.
Output: header lines, definitions of one line, block heads, members, statements; anchor spans follow spec aqua-language §11.1.
Errors: Reject for the rules of §5.4 that a grammar cannot express.

Values travel as `V`: the node, its extent with parentheses, and how deep it nests, so that no later pass meets a tree deeper
than NESTING_MAX.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from lark import Token, Transformer, v_args

from aquac.codes import SYNTAX_CONST_VALUE, SYNTAX_EMPTY_COLLECTION, SYNTAX_NEGATIVE_INDEX, SYNTAX_TOO_DEEP
from aquac.source import Span

from . import ast
from .heads import BlockHead, CompoundHead, MemberLine
from .limits import NESTING_MAX
from .reject import NotThisForm, Reject
from .type_lists import AbilitiesItem, ArrowItem, Item, TypeItem, UnitItem, resolve_list, resolve_one

if TYPE_CHECKING:
    from collections.abc import Sequence

SCALARS = frozenset({"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "bool", "string"})


class V(NamedTuple):
    """A value on its way up: node, extent in the file, nesting depth."""

    node: ast.Value
    start: int
    end: int
    depth: int


class _Arguments(NamedTuple):
    """`{abilities}(args)` of a call."""

    abilities: list[V]
    args: list[tuple[ast.Name | None, V]]
    end: int
    full: Span


class _Signature(NamedTuple):
    """A signature and what some of its users forbid."""

    node: ast.Signature
    unit: Span | None
    end: int


_CONST_KINDS: dict[type[ast.Value], str] = {
    ast.Collection: "a collection",
    ast.Infix: "an expression",
    ast.Not: "an expression",
    ast.Call: "a function call",
    ast.Chain: "a property",
    ast.Record: "a data value",
}


@v_args(inline=True)
class Builder(Transformer[Token, Any]):
    """The callbacks of the grammar, named as its rules. Set `base` and `text` before each line."""

    def __init__(self) -> None:
        """Start without a text."""
        super().__init__()
        self.text = ""
        self.base = 0

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _span(self, token: Token) -> Span:
        start = self.base + cast("int", token.start_pos)
        return Span(start, start + len(token))

    def _name(self, token: Token) -> ast.Name:
        return ast.Name(str(token), self._span(token))

    def _upper(self, token: Token, what: str) -> ast.Name:
        name = self._name(token)
        if not token[0].isupper():
            raise Reject(
                f"the name of {what} starts with an upper-case letter, `{token}` does not",
                name.span,
                hint=f"rename it to `{token[0].upper()}{token[1:]}`",
            )
        return name

    def _lower(self, token: Token, what: str) -> ast.Name:
        name = self._name(token)
        if not token[0].islower():
            raise Reject(
                f"the name of {what} starts with a lower-case letter, `{token}` does not",
                name.span,
                hint=f"rename it to `{token[0].lower()}{token[1:]}`",
            )
        return name

    def _with_blanks(self, span: Span, *, before: bool) -> Span:
        """`span` and the blanks behind it, and before it if asked: the anchor of arrows and signatures."""
        start, end = span.start, span.end
        text = self.text
        while end < len(text) and text[end] in " \t":
            end += 1
        while before and start > 0 and text[start - 1] in " \t":
            start -= 1
        return Span(start, end)

    def _value(self, node: ast.Value, start: int, end: int, *parts: V) -> V:
        depth = 1
        for part in parts:
            if part.depth >= depth:
                depth = part.depth + 1
        if depth > NESTING_MAX:
            raise Reject(f"value nested deeper than {NESTING_MAX} levels", Span(start, end), code=SYNTAX_TOO_DEEP)
        return V(node, start, end, depth)

    # ── header ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def top(self, line: Any) -> Any:
        """A header line or definition head."""
        return line

    def module(self, keyword: Token, name: ast.Name, declares: Token | None, names: Any) -> ast.ModuleHeader:
        """`aqua Name declares …`."""
        everything = isinstance(names, Token)
        listed = None if declares is None or everything else tuple(names)
        return ast.ModuleHeader(self._name(keyword), name, listed, everything, name.span)

    def import_all(self, _keyword: Token, path: Token) -> ast.Import:
        """`import "p"`."""
        return ast.Import(self._string(path), None, self._span(path))

    def import_items(self, _keyword: Token, items: tuple[ast.Item, ...], _from: Token, path: Token) -> ast.Import:
        """`import a, b as c from "p"`."""
        return ast.Import(self._string(path), items, self._span(path))

    def use_all(self, _keyword: Token, path: Token, _as: Token | None, alias: ast.Name | None) -> ast.Use:
        """`use "p" as Name`."""
        return ast.Use(self._string(path), None, alias, self._span(path))

    def use_items(
        self,
        _keyword: Token,
        items: tuple[ast.Item, ...],
        _from: Token,
        path: Token,
        _as: Token | None,
        alias: ast.Name | None,
    ) -> ast.Use:
        """`use a from "p" as Name`."""
        return ast.Use(self._string(path), items, alias, self._span(path))

    def export(self, keyword: Token, items: tuple[ast.Item, ...]) -> ast.Export:
        """`export a, B as c`."""
        return ast.Export(items, self._span(keyword))

    def items(self, *items: ast.Item) -> tuple[ast.Item, ...]:
        """A list of `item`."""
        return items

    def item(self, name: ast.Name, _as: Token | None, rename: ast.Name | None) -> ast.Item:
        """`name as rename`."""
        return ast.Item(name, rename)

    def qnames(self, *names: ast.Name) -> tuple[ast.Name, ...]:
        """A list of `qname`."""
        return names

    def qname(self, *words: Token) -> ast.Name:
        """A dotted name."""
        return ast.Name(".".join(words), self._span(words[0]).to(self._span(words[-1])))

    def _string(self, token: Token) -> ast.Literal:
        return ast.Literal(str(token), "string", self._span(token))

    # ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def const(self, _keyword: Token, word: Token, sign: Token, value: V) -> ast.Const:
        """`const N = v`."""
        name = self._name(word)
        if not word.isupper():
            raise Reject(
                f"the name of a constant is upper-case, `{word}` is not",
                name.span,
                hint=f"rename it to `{word.upper()}`",
            )
        node = value.node
        if not isinstance(node, ast.Literal | ast.Variable):
            raise Reject(
                f"`{word}` is {_CONST_KINDS[type(node)]}, but a constant is a string, number, boolean or another constant",
                Span(value.start, value.end),
                code=SYNTAX_CONST_VALUE,
                hint="a function without arguments can return a computed value",
            )
        return ast.Const(name, sign.type == "OVERRIDE", node, "", name.span)

    def alias(self, _keyword: Token, word: Token, _colon: Token, items: list[Item]) -> ast.Alias:
        """`alias T: type`."""
        name = self._upper(word, "an alias")
        return ast.Alias(name, resolve_one(items, "an alias").type, "", name.span)

    def data(self, _keyword: Token, word: Token, _colon: Token) -> BlockHead:
        """`data T:`."""
        return BlockHead("data", self._upper(word, "a data type"))

    def service(self, _keyword: Token, word: Token, *rest: Any) -> BlockHead:
        """`service T(id):`."""
        value = next((part for part in rest if isinstance(part, V)), None)
        return BlockHead("service", self._upper(word, "a service"), id=value.node if value else None)

    def ability(self, _keyword: Token, word: Token, _colon: Token) -> BlockHead:
        """`ability T:`."""
        return BlockHead("ability", self._upper(word, "an ability"))

    def func(self, _keyword: Token, word: Token, signature: _Signature, _colon: Token) -> BlockHead:
        """`func f(…):`."""
        return BlockHead("func", self._lower(word, "a function"), signature=_of_function(signature))

    def member_typed(self, word: Token, _colon: Token, items: list[Item]) -> MemberLine:
        """`name: type`."""
        item = resolve_one(items, "a member")
        return MemberLine(self._lower(word, "a member"), item.type, item.span)

    def member_arrow(self, word: Token, signature: _Signature) -> MemberLine:
        """`name(a: T) -> R`."""
        node = signature.node
        arrow = ast.ArrowType(node.abilities, node.params, node.results, node.span)
        return MemberLine(self._lower(word, "a member"), arrow, Span(node.span.start, signature.end))

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def signature(
        self,
        abilities: AbilitiesItem | None,
        opening: Token,
        args: tuple[ast.Param, ...] | None,
        closing: Token,
        _arrow: Token | None,
        results: tuple[TypeItem, ...] | UnitItem | None,
    ) -> _Signature:
        """`{A}(x: T) -> R`."""
        span = self._with_blanks(self._span(opening), before=False)
        unit = results.span if isinstance(results, UnitItem) else None
        types = results if isinstance(results, tuple) else ()
        end = types[-1].span.end if types else unit.end if unit else self._span(closing).end
        node = ast.Signature(
            abilities.abilities if abilities else (), args or (), tuple(item.type for item in types), span
        )
        return _Signature(node, unit, end)

    def results(self, items: list[Item]) -> tuple[TypeItem, ...]:
        """Types behind the `->` of a signature."""
        return resolve_list(items)

    def results_unit(self, opening: Token, closing: Token) -> UnitItem:
        """`-> ()`."""
        return UnitItem(self._span(opening).to(self._span(closing)))

    def abilities(self, *types: ast.NamedType) -> AbilitiesItem:
        """`{A, B}`."""
        return AbilitiesItem(types, types[0].span.to(types[-1].span))

    def args(self, *parts: tuple[ast.Name, list[Item]] | list[Item]) -> tuple[ast.Param, ...]:
        """Named arguments, each followed by the unnamed types that belong to it."""
        groups: list[tuple[ast.Name, list[Item]]] = []
        for part in parts:
            if isinstance(part, tuple):
                groups.append(part)
            else:
                groups[-1][1].extend(part)
        return tuple(ast.Param(name, resolve_one(items, f"argument `{name.text}`").type) for name, items in groups)

    def named(self, word: Token, _colon: Token, items: list[Item]) -> tuple[ast.Name, list[Item]]:
        """`x: T`."""
        return self._name(word), list(items)

    def chains(self, *chains: list[Item]) -> list[Item]:
        """A list of chains; commas need no item of their own."""
        return [item for chain in chains for item in chain]

    def chain(self, abilities: AbilitiesItem | None, *parts: Token | Item) -> list[Item]:
        """Types with arrows between them."""
        items: list[Item] = [abilities] if abilities else []
        for part in parts:
            if isinstance(part, Token):
                span = self._span(part)
                items.append(ArrowItem(span, self._with_blanks(span, before=True)))
            else:
                items.append(part)
        return items

    def unit_result(self, opening: Token, closing: Token) -> UnitItem:
        """`()`."""
        return UnitItem(self._span(opening).to(self._span(closing)))

    def paren_type(self, opening: Token, items: list[Item], closing: Token) -> TypeItem:
        """`(u8, string -> u8)`."""
        inner = resolve_one(items, "a type in parentheses")
        return TypeItem(inner.type, self._span(opening).to(self._span(closing)), inner.depth, parenthesised=True)

    def scalar_type(self, word: Token) -> TypeItem:
        """`u8`."""
        span = self._span(word)
        if word not in SCALARS:
            raise Reject(f"no type `{word}`", span, hint=_scalar_hint(str(word)))
        return TypeItem(ast.BasicType(str(word), span), span, 1)

    def extreme_type(self, word: Token) -> TypeItem:
        """`⊤` and `⊥`."""
        span = self._span(word)
        return TypeItem(ast.BasicType(str(word), span), span, 1)

    def named_type(self, path: ast.NamedType) -> TypeItem:
        """`Name` or `Module.Name`."""
        return TypeItem(path, path.span, 1)

    def array_type(self, opening: Token, closing: Token, element: TypeItem) -> TypeItem:
        """`[]T`."""
        return self._collection_type("[]", self._span(opening).to(self._span(closing)), element)

    def option_type(self, sigil: Token, element: TypeItem) -> TypeItem:
        """`?T`."""
        return self._collection_type("?", self._span(sigil), element)

    def stream_type(self, sigil: Token, element: TypeItem) -> TypeItem:
        """`*T`."""
        return self._collection_type("*", self._span(sigil), element)

    def map_type(self, sigil: Token, element: TypeItem) -> TypeItem:
        """`%T`."""
        return self._collection_type("%", self._span(sigil), element)

    def _collection_type(self, kind: Literal["[]", "?", "*", "%"], sigil: Span, element: TypeItem) -> TypeItem:
        if element.depth >= NESTING_MAX:
            raise Reject(f"type nested deeper than {NESTING_MAX} levels", sigil, code=SYNTAX_TOO_DEEP)
        return TypeItem(ast.CollectionType(kind, element.type, sigil), sigil.to(element.span), element.depth + 1)

    def path(self, *parts: Token | ast.NamedType) -> ast.NamedType:
        """`A` or `A.B`."""
        last = parts[-1]
        assert isinstance(last, Token)
        if len(parts) == 1:
            return ast.NamedType(str(last), self._span(last))
        first = parts[0]
        assert isinstance(first, ast.NamedType)
        return ast.NamedType(f"{first.name}.{last}", first.span.to(self._span(last)))

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────

    def statement(self, line: Any) -> Any:
        """A simple statement or the head of a compound one."""
        return line

    plain = statement

    def assign(self, word: Token, _sign: Token, value: V) -> ast.Assign:
        """`x = v`."""
        name = self._name(word)
        node = value.node
        if isinstance(node, ast.Collection) and not node.items:
            raise Reject(
                "an empty collection has no element type to give the name",
                Span(value.start, value.end),
                code=SYNTAX_EMPTY_COLLECTION,
                hint=f"use `nil`, or declare a stream: `{word}: *u8`",
            )
        return ast.Assign(name, node, name.span)

    def push(self, word: Token, _sign: Token, first: V, second: V | None) -> ast.Push:
        """`s <<- v` or `m <<- key, v`."""
        name = self._lower(word, "a stream")
        if second is None:
            return ast.Push(name, None, first.node, name.span)
        return ast.Push(name, first.node, second.node, name.span)

    def call(self, names: tuple[ast.Name, ...] | None, _sign: Token | None, value: V) -> ast.CallStmt:
        """`a, b <- v` or `v`."""
        return ast.CallStmt(names or (), value.node, value.node.span)

    def names(self, *words: Token) -> tuple[ast.Name, ...]:
        """Names that take results."""
        return tuple(self._name(word) for word in words)

    def declare(self, word: Token, _colon: Token, item: TypeItem) -> ast.Declare:
        """`s: *T`."""
        name = self._lower(word, "a stream")
        return ast.Declare(name, item.type, name.span)

    def service_id(self, path: ast.NamedType, value: V) -> ast.ServiceId:
        """`Srv id`."""
        if path.span.end == value.start and self.text[value.start] != '"':
            raise NotThisForm(
                f"values of `{path.name}` are written with field names",
                path.span,
                hint=f"`{path.name}(field = value)`; a service id stands behind a blank: `{path.name} (id)`",
            )
        return ast.ServiceId(path, value.node, path.span)

    def join(self, keyword: Token, *values: V) -> ast.Join:
        """`join a, b[0]`."""
        return ast.Join(_nodes(values), self._span(keyword))

    def return_values(self, sign: Token, *values: V) -> ast.Return:
        """`<- v, w`."""
        return ast.Return(_nodes(values), self._span(sign))

    def par(self, keyword: Token, inner: ast.Statement | CompoundHead) -> ast.Statement | CompoundHead:
        """`par s` and `co s`."""
        make = ast.Par if keyword.type == "PAR" else ast.Co
        span = self._span(keyword)
        if isinstance(inner, CompoundHead):
            return CompoundHead(make(inner.statement, span))
        return make(inner, span)

    def on(self, _keyword: Token, peer: V, *rest: Any) -> CompoundHead:
        """`on p via q:`."""
        via = _nodes([part for part in rest if isinstance(part, V)])
        return CompoundHead(ast.On(peer.node, via, (), peer.node.span))

    def via(self, _keyword: Token, value: V) -> V:
        """`via q`."""
        return value

    def for_head(
        self,
        _keyword: Token,
        word: Token,
        second: Token | None,
        _sign: Token,
        iterable: V,
        mode: Token | None,
        _colon: Token,
    ) -> CompoundHead:
        """`for x, y <- v par:`."""
        name = self._lower(word, "a loop variable")
        value_name = self._lower(second, "a loop variable") if second else None
        how = cast("Any", "" if mode is None else str(mode))
        return CompoundHead(ast.For(name, value_name, iterable.node, how, (), name.span))

    def if_head(self, _keyword: Token, condition: V, _colon: Token) -> CompoundHead:
        """`if v:`."""
        return CompoundHead(ast.If(condition.node, (), condition.node.span))

    def else_head(self, keyword: Token, _colon: Token) -> CompoundHead:
        """`else:`."""
        return CompoundHead(ast.Else((), self._span(keyword)))

    def try_head(self, keyword: Token, _colon: Token) -> CompoundHead:
        """`try:`."""
        return CompoundHead(ast.Try((), self._span(keyword)))

    def catch(self, _keyword: Token, word: Token, _colon: Token) -> CompoundHead:
        """`catch e:`."""
        name = self._lower(word, "a variable here")
        return CompoundHead(ast.Catch(name, (), name.span))

    def otherwise(self, keyword: Token, _colon: Token) -> CompoundHead:
        """`otherwise:`."""
        return CompoundHead(ast.Otherwise((), self._span(keyword)))

    def parseq(
        self, _keyword: Token, word: Token, second: Token | None, _sign: Token, iterable: V, *rest: Any
    ) -> CompoundHead:
        """`parseq x <- v on p via q:`."""
        values = [part for part in rest if isinstance(part, V)]
        name = self._lower(word, "a loop variable")
        value_name = self._lower(second, "a loop variable") if second else None
        return CompoundHead(
            ast.ParSeq(name, value_name, iterable.node, values[0].node, _nodes(values[1:]), (), name.span)
        )

    def closure(
        self, word: Token, _sign: Token, detached: Token | None, signature: _Signature, _colon: Token
    ) -> CompoundHead:
        """`c = (x: T) -> R:`."""
        name = self._lower(word, "a function")
        return CompoundHead(ast.Closure(name, _of_function(signature), (), detached is not None, name.span))

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def literal(self, token: Token) -> V:
        """A literal of any kind."""
        span = self._span(token)
        kind: Literal["unsigned", "signed", "float", "bool", "string"] = "string"
        if token.type == "FLOAT":
            kind = "float"
        elif token.type == "INT":
            kind = "signed" if token[0] == "-" else "unsigned"
        return V(ast.Literal(str(token), kind, span), span.start, span.end, 1)

    def variable(self, token: Token) -> V:
        """A name; `true` and `false` are literals."""
        span = self._span(token)
        node: ast.Value = ast.Variable(str(token), span)
        if token in ("true", "false"):
            node = ast.Literal(str(token), "bool", span)
        return V(node, span.start, span.end, 1)

    def function(self, token: Token, args: _Arguments) -> V:
        """`f{A}(x)`."""
        span = self._span(token)
        if token in ("true", "false"):
            raise Reject(f"`{token}` is a value, it cannot be called", span)
        abilities, values, parts = self._positional(args)
        full = Span(span.start, args.end)
        return self._value(ast.Call(str(token), abilities, values, span, full), full.start, full.end, *parts)

    def path_value(self, path: ast.NamedType) -> V:
        """`A` or `A.B`."""
        return self._path(path, None)

    def path_field(self, path: ast.NamedType, word: Token) -> V:
        """`A.B.c`."""
        return self._path(path, ast.FieldOp(str(word), self._span(word)))

    def path_method(self, path: ast.NamedType, word: Token, args: _Arguments) -> V:
        """`A.B.c(x)`."""
        op, parts = self._method(word, args)
        return self._path(path, op, args.end, parts)

    def _path(
        self, path: ast.NamedType, last: ast.PropertyOp | None, end: int | None = None, parts: Sequence[V] = ()
    ) -> V:
        """A chain of the words of a path and one more operation; a single word alone is a variable."""
        words = path.name.split(".")
        # Blanks may stand around the dots, so each word is looked up behind the one before it.
        at = path.span.start
        spans = []
        for word in words:
            at = self.text.index(word, at)
            spans.append(Span(at, at + len(word)))
            at += len(word)
        base = ast.Variable(words[0], spans[0])
        ops: list[ast.PropertyOp] = [ast.FieldOp(word, span) for word, span in zip(words[1:], spans[1:], strict=True)]
        if last is not None:
            ops.append(last)
        stop = end if end is not None else last.span.end if last is not None else path.span.end
        if not ops:
            return V(base, spans[0].start, stop, 1)
        full = Span(spans[0].start, stop)
        return self._value(ast.Chain(base, tuple(ops), spans[0], full), full.start, full.end, *parts)

    def record(self, path: ast.NamedType, args: _Arguments) -> V:
        """`T(f = v, g)`."""
        if args.abilities:
            raise Reject(f"`{path.name}` is a type, it takes no abilities in braces", args.full)
        if not args.args:
            raise Reject(f"`{path.name}()` has no fields", args.full, hint=f"`{path.name}(field = value)`")
        for name, value in args.args:
            if name is None and not isinstance(value.node, ast.Variable):
                raise Reject(
                    f"fields of `{path.name}` are given by name",
                    Span(value.start, value.end),
                    hint=f"`{path.name}(field = value)`; a variable called like the field may stand alone",
                )
        node = ast.Record(path, _named(args), path.span, Span(path.span.start, args.end))
        return self._value(node, path.span.start, args.end, *(value for _, value in args.args))

    def paren(self, opening: Token, value: V, closing: Token) -> V:
        """`(v)`: the inner value with a larger extent."""
        return V(value.node, self._span(opening).start, self._span(closing).end, value.depth)

    def collection(self, opening: Token, *rest: Any) -> V:
        """`[…]`, `?[…]`, `*[…]`."""
        kind: Literal["[]", "?", "*"] = "[]"
        if opening.type == "OPTION_OPEN":
            kind = "?"
        elif opening.type == "STREAM_OPEN":
            kind = "*"
        values = [part for part in rest if isinstance(part, V)]
        span = self._span(opening)
        full = Span(span.start, self._span(rest[-1]).end)
        return self._value(ast.Collection(kind, _nodes(values), span, full), full.start, full.end, *values)

    def negation(self, sign: Token, value: V) -> V:
        """`!v`."""
        span = self._span(sign)
        node = ast.Not(value.node, span, Span(span.start, value.end))
        return self._value(node, span.start, value.end, value)

    def infix(self, left: V, sign: Token, right: V) -> V:
        """`a + b`."""
        node = ast.Infix(cast("Any", str(sign)), left.node, right.node, self._span(sign), Span(left.start, right.end))
        return self._value(node, left.start, right.end, left, right)

    def field(self, base: V, word: Token) -> V:
        """`v.name`."""
        return self._extend(base, ast.FieldOp(str(word), self._span(word)), self._span(word).end)

    def method(self, base: V, word: Token, args: _Arguments) -> V:
        """`v.name(x)`."""
        if word.type == "CLASS":
            raise Reject(
                f"`{word}` looks like a type, and a type cannot follow a value", self._span(word), hint=_METHOD_HINT
            )
        op, parts = self._method(word, args)
        return self._extend(base, op, args.end, *parts)

    def index(self, base: V, opening: Token, value: V, closing: Token) -> V:
        """`v[i]`."""
        node = value.node
        if isinstance(node, ast.Literal) and node.kind == "signed":
            raise Reject(
                "an index cannot be negative",
                Span(value.start, value.end),
                code=SYNTAX_NEGATIVE_INDEX,
                hint="count from the end with `xs[xs.length - 1]`",
            )
        end = self._span(closing).end
        return self._extend(base, ast.IndexOp(node, Span(base.end, end)), end, value)

    def bang(self, base: V, token: Token) -> V:
        """`v!` and `v!2`."""
        span = self._span(token)
        number = None
        if len(token) > 1:
            number = ast.Literal(str(token)[1:], "unsigned", Span(span.start + 1, span.end))
        return self._extend(base, ast.IndexOp(number, span), span.end)

    def call_args(self, *parts: Any) -> _Arguments:
        """`{a}(x, y)`."""
        abilities: list[V] = []
        args: list[tuple[ast.Name | None, V]] = []
        opening: Token | None = None
        for part in parts:
            if isinstance(part, Token):
                opening = opening or part
            elif isinstance(part, V):
                abilities.append(part)
            elif part is not None:
                args.append(part)
        assert opening is not None
        full = self._span(opening).to(self._span(parts[-1]))
        return _Arguments(abilities, args, full.end, full)

    def call_arg(self, word: Token | None, _sign: Token | None, value: V) -> tuple[ast.Name | None, V]:
        """`v` or `name = v`."""
        return (None if word is None else self._name(word)), value

    def _extend(self, base: V, op: ast.PropertyOp, end: int, *parts: V) -> V:
        """`base` with one more operation; extends a chain in place unless it stands in parentheses."""
        node = base.node
        if isinstance(node, ast.Chain) and node.full == Span(base.start, base.end):
            chain = replace(node, ops=(*node.ops, op), full=Span(base.start, end))
            value = self._value(chain, base.start, end, *parts)
            return V(chain, base.start, end, max(value.depth, base.depth))
        chain = ast.Chain(node, (op,), node.span, Span(base.start, end))
        return self._value(chain, base.start, end, base, *parts)

    def _method(self, word: Token, args: _Arguments) -> tuple[ast.MethodOp | ast.CopyOp, list[V]]:
        if word == "copy" and args.args and not args.abilities:
            values = [value for _, value in args.args]
            if all(name is not None or isinstance(value.node, ast.Variable) for name, value in args.args):
                return ast.CopyOp(_named(args), self._span(word)), values
        abilities, nodes, parts = self._positional(args)
        return ast.MethodOp(str(word), abilities, nodes, self._span(word)), parts

    def _positional(self, args: _Arguments) -> tuple[tuple[ast.Value, ...], tuple[ast.Value, ...], list[V]]:
        for name, _ in args.args:
            if name is not None:
                raise Reject(
                    "arguments of a call are given by position, not by name",
                    name.span,
                    hint="names are for data, abilities and `copy`: `Point(x = 1)`",
                )
        values = [value for _, value in args.args]
        return _nodes(args.abilities), _nodes(values), [*args.abilities, *values]


_METHOD_HINT = "names of functions and fields start with a lower-case letter"


def _nodes(values: Sequence[V]) -> tuple[ast.Value, ...]:
    return tuple(value.node for value in values)


def _named(args: _Arguments) -> tuple[ast.Arg, ...]:
    return tuple(ast.Arg(name, value.node) for name, value in args.args)


def _of_function(signature: _Signature) -> ast.Signature:
    """A signature of `func` or a closure, where `-> ()` is not written."""
    if signature.unit is not None:
        raise Reject("a function without results has no `->`", signature.unit, hint="leave out `-> ()`: `func f():`")
    return signature.node


def _scalar_hint(word: str) -> str:
    near = get_close_matches(word, SCALARS, 1)
    if word in _FOREIGN_SCALARS:
        return f"write `{_FOREIGN_SCALARS[word]}`"
    if near:
        return f"did you mean `{near[0]}`?"
    return "scalars are u8 … u64, i8 … i64, f32, f64, bool, string; other types start with an upper-case letter"


_FOREIGN_SCALARS = {
    "int": "i32` or `i64", "integer": "i32` or `i64", "uint": "u32` or `u64", "float": "f64", "double": "f64",
    "number": "i64` or `f64", "str": "string", "boolean": "bool", "usize": "u64", "byte": "u8",
}  # fmt: skip
