"""Build value nodes while the parser reads a line; the base of `transform.Builder`.

Values travel as `V`: the node, its extent with parentheses, and how deep it nests, so that no later pass meets a tree deeper
than NESTING_MAX. Errors: Reject.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from aquac.codes import SYNTAX_NEGATIVE_INDEX, SYNTAX_TOO_DEEP
from aquac.records import replace
from aquac.source import Span

from . import ast
from .limits import NESTING_MAX
from .messages import BY_POSITION, BY_POSITION_HINT
from .reject import Reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .automaton import Token


class V(NamedTuple):
    """A value on its way up: node, extent in the file, nesting depth."""

    node: ast.Value
    start: int
    end: int
    depth: int


class Arguments(NamedTuple):
    """`{abilities}(args)` of a call."""

    abilities: list[V]
    args: list[tuple[ast.Name | None, V]]
    end: int
    full: Span


class ValueBuilder:
    """Callbacks for values, named as the rules of the grammar. Set `base` and `text` before each line."""

    def __init__(self) -> None:
        """Start without a text."""
        self.text = ""
        self.base = 0

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _span(self, token: Token) -> Span:
        start = self.base + token.start_pos
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

    def function(self, token: Token, args: Arguments) -> V:
        """`f{A}(x)`."""
        span = self._span(token)
        if token in ("true", "false"):
            raise Reject(f"`{token}` is a value, it cannot be called", span)
        full = Span(span.start, args.end)
        if not args.abilities and any(name is not None for name, _ in args.args) and _all_named(args):
            # Whether the name means anything is asked first, as for the name of a type.
            node = ast.Record(ast.NamedType(str(token), span), _named(args), span, full)
            return self._value(node, full.start, full.end, *(value for _, value in args.args))
        abilities, values, parts = self._positional(args)
        return self._value(ast.Call(str(token), abilities, values, span, full), full.start, full.end, *parts)

    def path_value(self, path: ast.NamedType) -> V:
        """`A` or `A.B`."""
        return self._path(path, None)

    def path_field(self, path: ast.NamedType, word: Token) -> V:
        """`A.B.c`."""
        return self._path(path, ast.FieldOp(str(word), self._span(word)))

    def path_method(self, path: ast.NamedType, word: Token, args: Arguments) -> V:
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

    def record(self, path: ast.NamedType, args: Arguments) -> V:
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
        return self._value(ast.Collection(kind, nodes(values), span, full), full.start, full.end, *values)

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

    def method(self, base: V, word: Token, args: Arguments) -> V:
        """`v.name(x)`."""
        if word.type == "CLASS" and not (args.args and _all_named(args) and any(name for name, _ in args.args)):
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

    def call_args(self, *parts: Any) -> Arguments:
        """`{a}(x, y)`."""
        abilities: list[V] = []
        args: list[tuple[ast.Name | None, V]] = []
        opening: Token | None = None
        for part in parts:
            if isinstance(part, str):
                opening = opening or cast("Token", part)
            elif isinstance(part, V):
                abilities.append(part)
            elif part is not None:
                args.append(part)
        assert opening is not None
        full = self._span(opening).to(self._span(parts[-1]))
        return Arguments(abilities, args, full.end, full)

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

    def _method(self, word: Token, args: Arguments) -> tuple[ast.MethodOp | ast.CopyOp, list[V]]:
        named = any(name is not None for name, _ in args.args)
        if (word == "copy" or named) and args.args and not args.abilities and _all_named(args):
            return ast.CopyOp(_named(args), self._span(word), str(word)), [value for _, value in args.args]
        abilities, nodes, parts = self._positional(args)
        span = self._span(word)
        return ast.MethodOp(str(word), abilities, nodes, span, Span(span.start, args.end)), parts

    def _positional(self, args: Arguments) -> tuple[tuple[ast.Value, ...], tuple[ast.Value, ...], list[V]]:
        for name, _ in args.args:
            if name is not None:
                raise Reject(BY_POSITION, name.span, hint=BY_POSITION_HINT)
        values = [value for _, value in args.args]
        return nodes(args.abilities), nodes(values), [*args.abilities, *values]


_METHOD_HINT = "names of functions and fields start with a lower-case letter"


def nodes(values: Sequence[V]) -> tuple[ast.Value, ...]:
    """Only the nodes."""
    return tuple(value.node for value in values)


def _all_named(args: Arguments) -> bool:
    return all(name is not None or isinstance(value.node, ast.Variable) for name, value in args.args)


def _named(args: Arguments) -> tuple[ast.Arg, ...]:
    return tuple(ast.Arg(name, value.node) for name, value in args.args)
