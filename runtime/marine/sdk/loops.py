"""What can be gone through, one after the other: `for`, comprehensions, and the functions that take an iterable.

Every form becomes one `tree.Loop`: what runs before it, the test, what sets the names, the step.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import codes, tree
from .operators import Operators
from .types import (
    BOOL,
    FLOAT,
    INT,
    STR,
    U8,
    U64,
    DictType,
    FloatType,
    IntType,
    ListType,
    NoneType,
    OptionalType,
    TextType,
    Type,
    show,
    size,
    table,
)
from .values import const

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Walk:
    """A way through something: `items` are the values of one round, each good for one use."""

    before: list[tree.Statement]
    test: tree.Expr
    head: list[tree.Statement]
    items: list[tree.Expr]
    step: list[tree.Statement] = field(default_factory=list)


class Loops(Operators):
    """Iteration."""

    def call(self, node: ast.Call, want: Type | None) -> tree.Expr:
        """The value of a call."""
        raise NotImplementedError

    # ── ways through things ──

    def walk(self, node: ast.expr) -> Walk:
        """The way through what an expression stands for."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if self._is_builtin(name):
                if name == "range" and not keywords:
                    return self._range(node)
                if name == "enumerate" and 1 <= len(args) <= 2:
                    return self._enumerate(node)
                if name == "reversed" and len(args) == 1 and not keywords:
                    return self._reversed(args[0], node)
                if name == "zip" and len(args) >= 1 and not keywords:
                    return self._zip(args, node)
            case ast.Call(
                func=ast.Attribute(value=value, attr="items" | "keys" | "values" as attr), args=[], keywords=[]
            ):
                whole = self.expr(value)
                if isinstance(whole.type, DictType):
                    return self._dict(whole, {"items": (0, 1), "keys": (0,), "values": (1,)}[attr])
            case ast.GeneratorExp():
                return self.walk_value(self.comprehension(node, None), node)
            case _:
                pass
        return self.walk_value(self.expr(node), node)

    def _is_builtin(self, name: str) -> bool:
        return name not in self.context.names and name not in self.variables

    def walk_value(self, value: tree.Expr, node: ast.AST) -> Walk:
        """The way through a value."""
        before: list[tree.Statement] = []
        match value.type:
            case ListType():
                held = self.once(value, before)
                index = self._counter(before, const(0))
                test = tree.Op(BOOL, "slt", (index, self.length(held)))
                return Walk(before, test, [], [self.unchecked(held, index)], [self._next(index)])
            case TextType() if value.type is STR:
                held = self.once(value, before)
                index = self._counter(before, const(0))
                test = tree.Op(BOOL, "slt", (index, self.load(held, 8)))
                char = self.temporary(STR)
                head: list[tree.Statement] = [tree.Set(char, self.library("char_at", held, index))]
                local = tree.Local(STR, char)
                step = tree.Set(index.variable, tree.Op(INT, "wadd", (index, self.load(local, 8))))
                return Walk(before, test, head, [local], [step])
            case TextType():
                held = self.once(value, before)
                index = self._counter(before, const(0))
                test = tree.Op(BOOL, "slt", (index, self.length(held)))
                byte = tree.Op(U8, "load", (tree.Op(INT, "wadd", (self.load(held, 4), index)),))
                return Walk(before, test, [], [byte], [self._next(index)])
            case DictType():
                return self._dict(value, (0,))
            case OptionalType():
                self.refuse(
                    codes.OPTIONAL,
                    "value may be None here",
                    node,
                    "put it into a variable and test that with `is None` first",
                )
            case _:
                self.refuse(
                    codes.OPERANDS,
                    f"{show(value.type)} cannot be gone through",
                    node,
                    "use a range, list, dict, str or bytes",
                )

    def unchecked(self, values: tree.Expr, index: tree.Expr) -> tree.Expr:
        """An element that is there."""
        assert isinstance(values.type, ListType)
        element = values.type.element
        return tree.Op(element, "load", (self.element_place(values, index),))

    def element_place(self, values: tree.Expr, index: tree.Expr) -> tree.Expr:
        """Address of an element."""
        assert isinstance(values.type, ListType)
        offset = tree.Op(INT, "wmul", (index, const(size(values.type.element))))
        return tree.Op(INT, "wadd", (self.load(values, 12), offset))

    def _counter(self, before: list[tree.Statement], start: tree.Expr, kind: Type = INT) -> tree.Local:
        variable = tree.Variable("counter", kind)
        before.append(tree.Set(variable, start))
        return tree.Local(kind, variable)

    def _next(self, index: tree.Local, by: int = 1) -> tree.Statement:
        return tree.Set(index.variable, tree.Op(INT, "wadd", (index, const(by))))

    def _range(self, node: ast.Call) -> Walk:
        if not 1 <= len(node.args) <= 3:
            self.refuse(
                codes.ARGUMENTS,
                f"range takes 1 to 3 numbers, not {len(node.args)}",
                node,
                "write range(stop) or range(start, stop, step)",
            )
        before: list[tree.Statement] = []
        numbers = [self.once(self.value(arg, INT), before) for arg in node.args]
        start, stop = (const(0), numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
        step = numbers[2] if len(numbers) == 3 else const(1)
        index = self._counter(before, start)
        if isinstance(step, tree.Const) and step.value in (1, -1):
            test = tree.Op(BOOL, "slt" if step.value == 1 else "sgt", (index, stop))
            return Walk(before, test, [], [index], [self._next(index, int(step.value))])
        left = self._counter(before, self.library("range_count", start, stop, step, node=node))
        test = tree.Op(BOOL, "ne", (left, const(0)))
        return Walk(
            before,
            test,
            [],
            [index],
            [tree.Set(index.variable, tree.Op(INT, "wadd", (index, step))), self._next(left, -1)],
        )

    def _enumerate(self, node: ast.Call) -> Walk:
        start_node = (
            node.args[1] if len(node.args) == 2 else next((k.value for k in node.keywords if k.arg == "start"), None)
        )
        inner = self.walk(node.args[0])
        number = self._counter(inner.before, const(0) if start_node is None else self.value(start_node, INT))
        if len(inner.items) != 1:
            self.unsupported("enumerate of pairs is", node, "count in a variable of your own")
        return Walk(inner.before, inner.test, inner.head, [number, *inner.items], [*inner.step, self._next(number)])

    def _reversed(self, node: ast.expr, whole: ast.AST) -> Walk:
        value = self.expr(node)
        if not isinstance(value.type, ListType):
            self.refuse(
                codes.OPERANDS,
                f"{show(value.type)} cannot be gone through backwards",
                whole,
                "reverse a list, or slice with [::-1]",
            )
        before: list[tree.Statement] = []
        held = self.once(value, before)
        index = self._counter(before, tree.Op(INT, "wsub", (self.length(held), const(1))))
        inside = tree.Op(BOOL, "slt", (index, self.length(held)))
        test = tree.Choose(BOOL, tree.Op(BOOL, "sge", (index, const(0))), inside, tree.Const(BOOL, False))
        return Walk(before, test, [], [self.unchecked(held, index)], [self._next(index, -1)])

    def _zip(self, nodes: list[ast.expr], whole: ast.AST) -> Walk:
        if len(nodes) < 2:
            self.unsupported(f"zip of {len(nodes)} is", whole, "go through the list itself")
        walks = [self.walk(node) for node in nodes]
        if any(len(walk.items) != 1 for walk in walks):
            self.unsupported("zip of pairs is", nodes[0], "use an index")
        test = walks[-1].test
        for walk in reversed(walks[:-1]):
            test = tree.Choose(BOOL, walk.test, test, tree.Const(BOOL, False))
        return Walk(
            [s for walk in walks for s in walk.before],
            test,
            [s for walk in walks for s in walk.head],
            [walk.items[0] for walk in walks],
            [s for walk in walks for s in walk.step],
        )

    def _dict(self, value: tree.Expr, fields: tuple[int, ...]) -> Walk:
        assert isinstance(value.type, DictType)
        before: list[tree.Statement] = []
        held = self.once(value, before)
        record = table(value.type)
        parts = [
            tree.GetField(field.type, tree.Op(record, "retype", (held,)), n) for n, field in enumerate(record.fields)
        ]
        entry = self._counter(before, self.library("dict_next", held, const(0)))
        test = tree.Op(BOOL, "slt", (entry, self.length(parts[0])))
        items = [self.unchecked(parts[n], entry) for n in fields]
        step = tree.Set(entry.variable, self.library("dict_next", held, tree.Op(INT, "wadd", (entry, const(1)))))
        return Walk(before, test, [], items, [step])

    # ── names set by a round ──

    def bind(self, target: ast.expr, walk: Walk, node: ast.AST) -> list[tree.Statement]:
        """Statements that give the target of a loop its values."""
        names = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        if len(names) != len(walk.items):
            self.refuse(
                codes.MISMATCH,
                f"{len(walk.items)} values a round for {len(names)} names",
                target,
                "write one name for each value; values of lists cannot be taken apart",
            )
        out = list(walk.head)
        for name, item in zip(names, walk.items, strict=True):
            if not isinstance(name, ast.Name):
                self.unsupported("a loop over anything but names is", name, "use a name, and assign inside the loop")
            out.append(self.assign_name(name, item))
        return out

    def assign_name(self, node: ast.Name, value: tree.Expr) -> tree.Statement:
        """Give a variable a value; the first one settles its type."""
        raise NotImplementedError

    # ── comprehensions ──

    def comprehension(self, node: ast.ListComp | ast.GeneratorExp, want: Type | None) -> tree.Expr:
        """`[value for name in … if …]`."""
        outer = dict(self.variables), set(self.set), set(self.known)
        element = want.element if isinstance(want, ListType) else None
        out = tree.Variable("list", ListType(INT))

        def finish() -> list[tree.Statement]:
            value = self.expr(node.elt, element)
            if element is not None:
                value = self.coerce(value, element, node.elt)
            if isinstance(value.type, NoneType):
                self.refuse(codes.UNCLEAR, "elements without a type", node.elt, "write values")
            if element is None:
                value = self.coerce(value, self.widest(value.type), node.elt)
            out.type = ListType(value.type)
            before: list[tree.Statement] = []
            held = self.once(value, before)
            return [*before, tree.Run(self.library("list_append", tree.Local(out.type, out), held))]

        body = self._generators(node.generators, finish)
        self.variables, self.set, self.known = outer
        assert isinstance(out.type, ListType)
        return tree.Do(out.type, [tree.Set(out, self.empty(out.type)), *body], tree.Local(out.type, out))

    def dict_comprehension(self, node: ast.DictComp, want: Type | None) -> tree.Expr:
        """`{key: value for name in … if …}`."""
        outer = dict(self.variables), set(self.set), set(self.known)
        kinds = (want.key, want.value) if isinstance(want, DictType) else (None, None)
        out = tree.Variable("dict", DictType(INT, INT))

        def finish() -> list[tree.Statement]:
            before: list[tree.Statement] = []
            parts = []
            for part, kind in zip((node.key, node.value), kinds, strict=True):
                value = self.expr(part, kind)
                wanted = self.widest(value.type) if kind is None else kind
                parts.append(self.once(self.coerce(value, wanted, part), before))
            out.type = DictType(parts[0].type, parts[1].type)
            return [*before, tree.Run(self.library("dict_set", tree.Local(out.type, out), *parts))]

        body = self._generators(node.generators, finish)
        self.variables, self.set, self.known = outer
        assert isinstance(out.type, DictType)
        return tree.Do(out.type, [tree.Set(out, self.empty(out.type)), *body], tree.Local(out.type, out))

    def _generators(
        self, generators: list[ast.comprehension], finish: Callable[[], list[tree.Statement]]
    ) -> list[tree.Statement]:
        if not generators:
            return finish()
        first = generators[0]
        if first.is_async:
            self.unsupported("`async` is", first.target, "leave it out")
        walk = self.walk(first.iter)
        names = [n.id for n in ast.walk(first.target) if isinstance(n, ast.Name)]
        for name in names:  # names of a comprehension are its own
            self.variables.pop(name, None)
            self.known.discard(name)
        head = self.bind(first.target, walk, first.target)
        tests = []
        for test in first.ifs:
            tests.append(self.truth(test))
            self.known |= self.facts(test, True)
        inner = self._generators(generators[1:], finish)
        for made in reversed(tests):
            inner = [tree.If(made, inner, [])]
        return [*walk.before, tree.Loop(walk.test, [*head, *inner], walk.step)]

    # ── functions of an iterable ──

    def _rounds(
        self, node: ast.expr, use: Callable[[tree.Expr, ast.expr], list[tree.Statement]]
    ) -> list[tree.Statement]:
        """A loop over an iterable or a generator expression, without a list in between."""
        if isinstance(node, ast.GeneratorExp):
            outer = dict(self.variables), set(self.set), set(self.known)
            body = self._generators(node.generators, lambda: use(self.expr(node.elt), node.elt))
            self.variables, self.set, self.known = outer
            return body
        walk = self.walk(node)
        return [*walk.before, tree.Loop(walk.test, [*walk.head, *use(walk.items[0], node)], walk.step)]

    def sum_of(self, node: ast.Call) -> tree.Expr:
        """`sum(…)`."""
        if not 1 <= len(node.args) <= 2 or node.keywords:
            self.refuse(
                codes.ARGUMENTS, "sum takes what to add, and a start", node, "write sum(values) or sum(values, start)"
            )
        total = tree.Variable("sum", INT)
        start = const(0) if len(node.args) == 1 else self.expr(node.args[1])
        if not isinstance(start.type, IntType | FloatType):
            self.refuse(codes.OPERANDS, f"{show(start.type)} is nothing to add to", node, "start with a number")

        def use(item: tree.Expr, at: ast.expr) -> list[tree.Statement]:
            item = self._number(item)
            if isinstance(item.type, FloatType):
                total.type = FLOAT
                item = self.rounded(item, FLOAT)
            elif isinstance(item.type, IntType):
                total.type = FLOAT if isinstance(start.type, FloatType) else U64 if item.type is U64 else INT
                item = self._as_float(item) if total.type is FLOAT else item
            else:
                self.refuse(
                    codes.OPERANDS,
                    f"{show(item.type)} cannot be added up",
                    at,
                    "sum takes numbers; join texts with .join(…)",
                )
            local = tree.Local(total.type, total)
            added = (
                tree.Op(FLOAT, "fadd", (local, item))
                if total.type is FLOAT
                else tree.Op(total.type, "add", (local, item), self.line(node))
            )
            return [tree.Set(total, added)]

        body = self._rounds(node.args[0], use)
        return tree.Do(
            total.type, [tree.Set(total, self.coerce(start, total.type, node)), *body], tree.Local(total.type, total)
        )

    def quantified(self, node: ast.Call, stop_at: bool) -> tree.Expr:
        """`any(…)`, `all(…)`: what follows the deciding value is not computed."""
        if len(node.args) != 1 or node.keywords:
            self.refuse(codes.ARGUMENTS, "any and all take one iterable", node, "write any(test for x in values)")
        found = tree.Variable("found", BOOL)
        local = tree.Local(BOOL, found)
        going = local if not stop_at else self.negated(local)

        def use(item: tree.Expr, at: ast.expr) -> list[tree.Statement]:
            return [tree.Set(found, self.as_truth(item, at))]

        body = self._rounds(node.args[0], use)
        _stop_early(body, going)
        return tree.Do(BOOL, [tree.Set(found, tree.Const(BOOL, not stop_at)), *body], local)


def _stop_early(body: list[tree.Statement], going: tree.Expr) -> None:
    """Make every loop end once the answer is known; the step of a round that decided it does no harm."""
    for statement in body:
        if isinstance(statement, tree.Loop):
            statement.test = tree.Choose(BOOL, going, statement.test, tree.Const(BOOL, False))
            _stop_early(statement.body, going)
        elif isinstance(statement, tree.If):
            _stop_early(statement.yes, going)
