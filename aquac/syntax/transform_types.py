"""Build types and signatures while the parser reads a line. Errors: Reject."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, NamedTuple

from aquac.codes import SYNTAX_TOO_DEEP

from . import ast
from .limits import NESTING_MAX
from .reject import Reject
from .transform_values import ValueBuilder
from .type_lists import AbilitiesItem, ArrowItem, Item, TypeItem, UnitItem, resolve_list, resolve_one

if TYPE_CHECKING:
    from aquac.source import Span

    from .automaton import Token

SCALARS = frozenset({"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "bool", "string"})


class Signature(NamedTuple):
    """A signature and what some of its users forbid."""

    node: ast.Signature
    unit: Span | None
    end: int


class TypeBuilder(ValueBuilder):
    """Callbacks for types, named as the rules of the grammar."""

    def signature(
        self,
        abilities: AbilitiesItem | None,
        opening: Token,
        args: tuple[ast.Param, ...] | None,
        closing: Token,
        _arrow: Token | None,
        results: tuple[TypeItem, ...] | UnitItem | None,
    ) -> Signature:
        """`{A}(x: T) -> R`."""
        span = self._with_blanks(self._span(opening), before=False)
        unit = results.span if isinstance(results, UnitItem) else None
        types = results if isinstance(results, tuple) else ()
        end = types[-1].span.end if types else unit.end if unit else self._span(closing).end
        node = ast.Signature(
            abilities.abilities if abilities else (), args or (), tuple(item.type for item in types), span
        )
        return Signature(node, unit, end)

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
            if isinstance(part, str):
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
        assert isinstance(last, str)
        if len(parts) == 1:
            return ast.NamedType(str(last), self._span(last))
        first = parts[0]
        assert isinstance(first, ast.NamedType)
        return ast.NamedType(f"{first.name}.{last}", first.span.to(self._span(last)))


def of_function(signature: Signature) -> ast.Signature:
    """A signature with named arguments, where `-> ()` is not written."""
    if signature.unit is not None:
        raise Reject("a function without results has no `->`", signature.unit, hint="leave out `-> ()`")
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
