"""Build header lines, definitions and statements while the parser reads one logical line.

Input:  reductions of aqua.lark; offsets within the line, shifted by `Builder.base` to offsets of the file.
Output: header lines, definitions of one line, block heads, members, statements; anchor spans follow spec aqua-language §11.1.
Errors: Reject for the rules of §5.4 that a grammar cannot express.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aquac.codes import SYNTAX_CONST_VALUE, SYNTAX_EMPTY_COLLECTION
from aquac.source import Span

from . import ast
from .heads import BlockHead, CompoundHead, MemberLine
from .reject import NotThisForm, Reject
from .transform_types import Signature, TypeBuilder, of_function
from .transform_values import V, nodes
from .type_lists import Item, TypeItem, resolve_one

if TYPE_CHECKING:
    from .automaton import Token

_CONST_KINDS: dict[type[ast.Value], str] = {
    ast.Collection: "a collection",
    ast.Infix: "an expression",
    ast.Not: "an expression",
    ast.Call: "a function call",
    ast.Chain: "a property",
    ast.Record: "a data value",
}


class Builder(TypeBuilder):
    """All callbacks of the grammar, named as its rules."""

    # ── header ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def top(self, line: Any) -> Any:
        """A header line or definition head."""
        return line

    def module(self, keyword: Token, name: ast.Name, declares: Token | None, names: Any) -> ast.ModuleHeader:
        """`aqua Name declares …`."""
        everything = isinstance(names, str)
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

    def func(self, _keyword: Token, word: Token, signature: Signature, _colon: Token) -> BlockHead:
        """`func f(…):`."""
        return BlockHead("func", self._lower(word, "a function"), signature=of_function(signature))

    def member_typed(self, word: Token, _colon: Token, items: list[Item]) -> MemberLine:
        """`name: type`."""
        item = resolve_one(items, "a member")
        return MemberLine(self._lower(word, "a member"), item.type, item.span)

    def member_arrow(self, word: Token, signature: Signature) -> MemberLine:
        """`name(a: T) -> R`."""
        node = of_function(signature)
        arrow = ast.ArrowType(node.abilities, node.params, node.results, node.span)
        return MemberLine(self._lower(word, "a member"), arrow, Span(node.span.start, signature.end))

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
        return ast.Join(nodes(values), self._span(keyword))

    def return_values(self, sign: Token, *values: V) -> ast.Return:
        """`<- v, w`."""
        return ast.Return(nodes(values), self._span(sign))

    def par(self, keyword: Token, inner: ast.Statement | CompoundHead) -> ast.Statement | CompoundHead:
        """`par s` and `co s`."""
        make = ast.Par if keyword.type == "PAR" else ast.Co
        span = self._span(keyword)
        if isinstance(inner, CompoundHead):
            return CompoundHead(make(inner.statement, span))
        return make(inner, span)

    def on(self, _keyword: Token, peer: V, *rest: Any) -> CompoundHead:
        """`on p via q:`."""
        via = nodes([part for part in rest if isinstance(part, V)])
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
            ast.ParSeq(name, value_name, iterable.node, values[0].node, nodes(values[1:]), (), name.span)
        )

    def closure(
        self, word: Token, _sign: Token, detached: Token | None, signature: Signature, _colon: Token
    ) -> CompoundHead:
        """`c = (x: T) -> R:`."""
        name = self._lower(word, "a function")
        return CompoundHead(ast.Closure(name, of_function(signature), (), detached is not None, name.span))
