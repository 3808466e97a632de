"""Bodies of functions: statements, and the expressions that are no operators or calls.

Along the way: which variables have a value (a use before is a finding), and which optional ones are not None.
"""

from __future__ import annotations

import ast
import difflib
from typing import TYPE_CHECKING, Final

from . import codes, tree
from .operators import whole_number
from .scope import Constant, Declared, Known, Refused, ServiceValue
from .trusted import Trusted
from .types import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    NONE,
    U64,
    BoolType,
    DictType,
    IntType,
    ListType,
    NoneType,
    OptionalType,
    RecordType,
    ServiceType,
    TextType,
    Type,
    show,
    table,
)
from .values import NESTING_MAX, const

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn

    from .scope import Context

_STATEMENTS: Final[dict[type[ast.stmt], tuple[str, str]]] = {
    ast.Try: ("`try` is", "an error ends the call; test before you do what may fail"),
    ast.With: ("`with` is", "call the functions yourself"),
    ast.Match: ("`match` is", "write if and elif"),
    ast.FunctionDef: ("a function inside a function is", "move it out"),
    ast.ClassDef: ("a class inside a function is", "move it out"),
    ast.Import: ("an import inside a function is", "move it to the top"),
    ast.ImportFrom: ("an import inside a function is", "move it to the top"),
    ast.Nonlocal: ("`nonlocal` is", "pass the value as an argument"),
    ast.AsyncFor: ("`async` is", "leave it out"),
    ast.AsyncWith: ("`async` is", "leave it out"),
    ast.AsyncFunctionDef: ("`async` is", "leave it out"),
}
_EXPRESSIONS: Final[dict[type[ast.expr], tuple[str, str]]] = {
    ast.Lambda: ("`lambda` is", "write a function, or a comprehension"),
    ast.Set: ("a set is", "use a list, or a dict with bool values"),
    ast.SetComp: ("a set is", "use a list, or a dict with bool values"),
    ast.Tuple: ("a tuple as a value is", "use a dataclass, or a list"),
    ast.NamedExpr: ("`:=` is", "assign in a statement of its own"),
    ast.Await: ("`await` is", "leave it out"),
    ast.Yield: ("a generator is", "make a list and return it"),
    ast.YieldFrom: ("a generator is", "make a list and return it"),
    ast.Starred: ("`*` here is", "write the elements one by one"),
    ast.GeneratorExp: ("a generator as a value is", "write a list comprehension"),
}


class Body(Trusted):
    """The checker of one function."""

    def __init__(self, context: Context, declared: Declared) -> None:
        """Its parameters have values."""
        super().__init__(context, declared)
        self._globals: set[str] = set()
        self.local = set() if self.trusted else _stored(declared.node.body)
        self._breaks: list[list[set[str]]] = []

    def check(self) -> None:
        """Fill in the body of the function. Findings are reported."""
        node = self.declared.node
        self.function.body += self.block(node.body)
        if not self.ended and not isinstance(self.function.result, NoneType):
            if self.trusted:
                return
            self.context.report(
                codes.RETURN,
                f"{self.declared.name} may end without returning {show(self.function.result)}",
                node.body[-1],
                "return a value on every way, or raise an error",
            )

    # ── statements ──

    def block(self, nodes: list[ast.stmt]) -> list[tree.Statement]:
        """Statements in order. One that is refused is left out."""
        out: list[tree.Statement] = []
        for node in nodes:
            try:
                out += self.statement(node)
            except Refused:
                if self.trusted:
                    raise
                self._recover(node)
            except RecursionError:
                self.context.report(
                    codes.TOO_DEEP, "nesting is too deep", node, "take it apart into several statements"
                )
            if self.trusted and self.ended:
                break
        return out

    def _recover(self, node: ast.stmt) -> None:
        """Names the refused statement would have set are not reported again."""
        for item in ast.walk(node):
            if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store) and item.id not in self.variables:
                self.variables[item.id] = tree.Variable(item.id, NONE)
        for item in ast.walk(node):
            if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
                self.set.add(item.id)

    def statement(self, node: ast.stmt) -> list[tree.Statement]:
        """What a statement becomes."""
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                return []
            case ast.Expr():
                return [tree.Run(self.expr(node.value))]
            case ast.Assign():
                return self._assign(node)
            case ast.AnnAssign():
                return self._annotated(node)
            case ast.AugAssign():
                return self._augmented(node)
            case ast.If():
                return self._if(node)
            case ast.While():
                return self._while(node)
            case ast.For():
                return self._for(node)
            case ast.Break() | ast.Continue():
                return self._jump(node)
            case ast.Return():
                return self._return(node)
            case ast.Raise():
                return self._raise(node)
            case ast.Assert():
                return self._assert(node)
            case ast.Global():
                return self._global(node)
            case ast.Delete():
                return [item for target in node.targets for item in self._delete(target)]
            case _:
                what, remedy = _STATEMENTS.get(
                    type(node), (f"`{type(node).__name__}` is", "see the documentation of the module SDK")
                )
                self.unsupported(what, node, remedy)

    # ── assignments ──

    def assign_name(self, node: ast.Name, value: tree.Expr) -> tree.Statement:
        """Give a variable a value; the first one settles its type."""
        name = node.id
        if name in self._globals:
            slot = self.context.names[name] if not self.trusted else None
            if self.trusted and self.declared.home is not None:
                return tree.SetState(self.context.library_slot(self.declared.home, name), value)
            assert isinstance(slot, tree.Slot)
            return tree.SetState(slot, self.coerce(value, slot.type, node))
        variable = self.variables.get(name)
        if variable is None:
            variable = self._declare(name, value.type, node)
        elif isinstance(variable.type, NoneType):
            raise Refused
        made = self.coerce(value, variable.type, node)
        self.set.add(name)
        self.known.discard(name)
        if isinstance(variable.type, OptionalType) and not isinstance(value.type, OptionalType | NoneType):
            self.known.add(name)
        return tree.Set(variable, made)

    def _declare(self, name: str, kind: Type, node: ast.AST) -> tree.Variable:
        if isinstance(kind, NoneType):
            self.refuse(
                codes.UNCLEAR,
                f"the type of `{name}` cannot be told from None",
                node,
                f"annotate it: `{name}: int | None = None`",
            )
        if not self.trusted and isinstance(self.context.names.get(name), tree.Slot | ServiceValue | Constant):
            self._refuse_state(name, node)
        if not self.trusted:
            kind = self.widest(kind)
        variable = self.variables[name] = tree.Variable(name, kind)
        return variable

    def _refuse_state(self, name: str, node: ast.AST) -> NoReturn:
        self.refuse(
            codes.STATE,
            f"`{name}` is a variable of the module",
            node,
            f"write `global {name}` at the top of the function, or choose another name",
        )

    def _assign(self, node: ast.Assign) -> list[tree.Statement]:
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple | ast.List):
            return self._assign_tuple(node.targets[0], node.value, node)
        want = self._target_type(node.targets[0])
        value = self.expr(node.value, want)
        if len(node.targets) == 1:
            return self._store(node.targets[0], value, node)
        before: list[tree.Statement] = []
        held = self.once(value, before)
        for target in node.targets:
            before += self._store(target, held, node)
        return before

    def _assign_tuple(self, target: ast.Tuple | ast.List, value: ast.expr, node: ast.AST) -> list[tree.Statement]:
        if not isinstance(value, ast.Tuple) or len(value.elts) != len(target.elts):
            self.unsupported("taking a value apart is", node, "write as many values as names: `a, b = b, a`")
        out: list[tree.Statement] = []
        held = [
            self.once(self.expr(part, self._target_type(name)), out)
            for part, name in zip(value.elts, target.elts, strict=True)
        ]
        for name, item in zip(target.elts, held, strict=True):
            out += self._store(name, item, node)
        return out

    def _target_type(self, target: ast.expr) -> Type | None:
        """What a value for this target should be; None where the value decides."""
        match target:
            case ast.Name(id=name):
                if name in self._globals and not self.trusted:
                    found = self.context.names[name]
                    return found.type if isinstance(found, tree.Slot) else None
                return self.variables[name].type if name in self.variables else None
            case ast.Attribute(value=value, attr=attr):
                record = self._quietly(value)
                if isinstance(record, DictType) and self.trusted:
                    record = table(record)
                if isinstance(record, RecordType) and (index := record.index(attr)) is not None:
                    return record.fields[index].type
            case ast.Subscript(value=value):
                whole = self._quietly(value)
                if isinstance(whole, ListType):
                    return whole.element
                if isinstance(whole, DictType):
                    return whole.value
            case _:
                pass
        return None

    def _quietly(self, node: ast.expr) -> Type | None:
        """The type of an expression; what is wrong with it is found again when it is used."""
        kept = list(self.context.diagnostics)
        try:
            return self.expr(node).type
        except Refused:
            return None
        finally:
            self.context.diagnostics[:] = kept

    def _store(self, target: ast.expr, value: tree.Expr, node: ast.AST) -> list[tree.Statement]:
        match target:
            case ast.Name():
                return [self.assign_name(target, value)]
            case ast.Attribute():
                return self._store_field(target, value)
            case ast.Subscript():
                return self._store_element(target, value)
            case _:
                self.unsupported("assignment to this is", target, "assign to a name, a field or an element")

    def _store_field(self, target: ast.Attribute, value: tree.Expr) -> list[tree.Statement]:
        before: list[tree.Statement] = []
        value = self.once(value, before)
        record = self.expr(target.value)
        kind = table(record.type) if self.trusted and isinstance(record.type, DictType) else record.type
        if not isinstance(kind, RecordType):
            self.refuse(
                codes.ATTRIBUTE, f"{show(kind)} has no fields to assign", target, "assign to a field of a dataclass"
            )
        index = self._field(kind, target)
        if kind.frozen:
            self.refuse(codes.ATTRIBUTE, f"{kind.name} is frozen", target, "make a new one, or leave out frozen=True")
        made = self.coerce(value, kind.fields[index].type, target)
        return [*before, tree.SetField(tree.Op(kind, "retype", (record,)), index, made)]

    def _store_element(self, target: ast.Subscript, value: tree.Expr) -> list[tree.Statement]:
        if isinstance(target.slice, ast.Slice):
            self.unsupported("assignment to a slice is", target, "build a new list: a[:i] + b + a[j:]")
        before: list[tree.Statement] = []
        value = self.once(value, before)
        whole = self.expr(target.value)
        match whole.type:
            case ListType():
                index = self.value(target.slice, INT)
                made = self.library(
                    "list_set", whole, index, self.coerce(value, whole.type.element, target), node=target
                )
            case DictType():
                key = self.value(target.slice, whole.type.key)
                made = self.library("dict_set", whole, key, self.coerce(value, whole.type.value, target), node=target)
            case _:
                self.refuse(
                    codes.OPERANDS,
                    f"elements of {show(whole.type)} cannot be assigned",
                    target,
                    "texts and bytes do not change: make a new one",
                )
        return [*before, tree.Run(made)]

    def _annotated(self, node: ast.AnnAssign) -> list[tree.Statement]:
        if not isinstance(node.target, ast.Name):
            self.unsupported("an annotation of anything but a name is", node.target, "leave the annotation out")
        name = node.target.id
        kind = self.context.resolve(node.annotation, self.declared.bound if self.trusted else None)
        if isinstance(kind, NoneType | ServiceType):
            self.refuse(
                codes.ANNOTATION,
                f"a variable cannot be {show(kind)}",
                node.annotation,
                "annotate it with the type of its values",
            )
        if name in self._globals:
            self.refuse(
                codes.STATE,
                f"`{name}` is a variable of the module, its type is settled there",
                node,
                "leave the annotation out",
            )
        known = self.variables.get(name)
        if known is not None and known.type != kind and not self.trusted and not isinstance(known.type, NoneType):
            self.refuse(codes.MISMATCH, f"`{name}` is {show(known.type)} already", node, "choose another name")
        if known is None or isinstance(known.type, NoneType):
            self.variables[name] = tree.Variable(name, kind)
            if not self.trusted and isinstance(self.context.names.get(name), tree.Slot | ServiceValue | Constant):
                self._refuse_state(name, node)
        if node.value is None:
            return []
        return [self.assign_name(node.target, self.expr(node.value, kind))]

    def _augmented(self, node: ast.AugAssign) -> list[tree.Statement]:
        target = node.target
        if isinstance(target, ast.Name):
            current = self.expr(ast.copy_location(ast.Name(target.id, ast.Load()), target))
            changed = self._changed_in_place(current, node)
            if changed is not None:
                return [tree.Run(changed)]
            value = self.binary(node.op, current, self._operand_for(node, current), node)
            return [self.assign_name(target, value)]
        out: list[tree.Statement] = []
        if isinstance(target, ast.Attribute):
            record = self.once(self.expr(target.value), out)
            kind = table(record.type) if self.trusted and isinstance(record.type, DictType) else record.type
            if not isinstance(kind, RecordType):
                self.refuse(
                    codes.ATTRIBUTE, f"{show(kind)} has no fields to assign", target, "assign to a field of a dataclass"
                )
            index = self._field(kind, target)
            if kind.frozen:
                self.refuse(
                    codes.ATTRIBUTE, f"{kind.name} is frozen", target, "make a new one, or leave out frozen=True"
                )
            field = kind.fields[index]
            record = tree.Op(kind, "retype", (record,))
            current = tree.GetField(field.type, record, index)
            changed = self._changed_in_place(current, node)
            if changed is not None:
                return [*out, tree.Run(changed)]
            value = self.binary(node.op, current, self._operand_for(node, current), node)
            return [*out, tree.SetField(record, index, self.coerce(value, field.type, node))]
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            whole = self.once(self.expr(target.value), out)
            if isinstance(whole.type, ListType):
                index_ = self.once(self.value(target.slice, INT), out)
                current = self.element(whole, index_, target)
                changed = self._changed_in_place(current, node)
                if changed is not None:
                    return [*out, tree.Run(changed)]
                value = self.binary(node.op, current, self._operand_for(node, current), node)
                return [
                    *out,
                    tree.Run(
                        self.library(
                            "list_set", whole, index_, self.coerce(value, whole.type.element, node), node=target
                        )
                    ),
                ]
            if isinstance(whole.type, DictType):
                key = self.once(self.value(target.slice, whole.type.key), out)
                current = self.library("dict_get", whole, key, node=target)
                changed = self._changed_in_place(current, node)
                if changed is not None:
                    return [*out, tree.Run(changed)]
                value = self.binary(node.op, current, self._operand_for(node, current), node)
                return [
                    *out,
                    tree.Run(
                        self.library("dict_set", whole, key, self.coerce(value, whole.type.value, node), node=target)
                    ),
                ]
        self.unsupported("assignment to this is", target, "assign to a name, a field or an element")

    def _changed_in_place(self, current: tree.Expr, node: ast.AugAssign) -> tree.Expr | None:
        """`+=` and `*=` of a list, which all see who have the list; None for any other value."""
        if isinstance(current.type, ListType) and isinstance(node.op, ast.Add):
            return self.extend(current, current.type, node.value, node)
        if isinstance(current.type, ListType) and isinstance(node.op, ast.Mult):
            return self.library("list_multiply", current, self.value(node.value, INT), node=node)
        return None

    def _operand_for(self, node: ast.AugAssign, current: tree.Expr) -> tree.Expr:
        return self.expr(node.value, current.type)

    def _delete(self, target: ast.expr) -> list[tree.Statement]:
        if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            whole = self.expr(target.value)
            if isinstance(whole.type, ListType):
                return [tree.Run(self.library("list_delete", whole, self.value(target.slice, INT), node=target))]
            if isinstance(whole.type, DictType):
                return [
                    tree.Run(self.library("dict_delete", whole, self.value(target.slice, whole.type.key), node=target))
                ]
        self.unsupported("`del` of this is", target, "delete an element of a list or dict")

    def _global(self, node: ast.Global) -> list[tree.Statement]:
        for name in node.names:
            if self.trusted:
                self._globals.add(name)
                continue
            found = self.context.names.get(name)
            if not isinstance(found, tree.Slot):
                self.refuse(
                    codes.NAME_UNKNOWN,
                    f"no variable `{name}` in the module",
                    node,
                    f"give it a value outside of functions: `{name} = 0`",
                )
            if name in self.variables:
                self.refuse(
                    codes.STATE,
                    f"`{name}` is a variable of the function already",
                    node,
                    "write `global` at the top of the function",
                )
            self._globals.add(name)
        return []

    # ── branches and loops ──

    def _if(self, node: ast.If) -> list[tree.Statement]:
        test = self.truth(node.test)
        if self.trusted and isinstance(
            test, tree.Const
        ):  # a question about types: the other branch need not make sense
            return self.block(node.body if test.value else node.orelse)
        before, known = set(self.set), set(self.known)
        self.known |= self.facts(node.test, True)
        yes = self.block(node.body)
        yes_set, yes_known, yes_ended = self.set, self.known, self.ended
        self.set, self.known, self.ended = set(before), known | self.facts(node.test, False), False
        no = self.block(node.orelse)
        if self.ended and not yes_ended:
            self.set, self.known = yes_set, yes_known
        elif not yes_ended:
            self.set, self.known = self.set & yes_set, self.known & yes_known
        self.ended = self.ended and yes_ended
        return [tree.If(test, yes, no)]

    def _forget(self, nodes: list[ast.stmt]) -> None:
        """Names that the body of a loop assigns may be None again in its next round."""
        for node in nodes:
            for item in ast.walk(node):
                if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store):
                    self.known.discard(item.id)

    def _while(self, node: ast.While) -> list[tree.Statement]:
        self._forget(node.body)
        test = self.truth(node.test)
        forever = isinstance(test, tree.Const) and bool(test.value)
        known = set(self.known)
        self.known |= self.facts(node.test, True)
        body, otherwise = self._loop_body(node.body, node.orelse, forever, known | self.facts(node.test, False))
        return [tree.Loop(test, body, [], otherwise)]

    def _loop_body(
        self, nodes: list[ast.stmt], orelse: list[ast.stmt], forever: bool, known: set[str]
    ) -> tuple[list[tree.Statement], list[tree.Statement]]:
        before = set(self.set)
        self._breaks.append([])
        body = self.block(nodes)
        breaks = self._breaks.pop()
        self.set, self.known, self.ended = before, known, False
        otherwise = self.block(orelse)
        ways = breaks + ([] if forever or self.ended else [self.set])
        self.ended = not ways
        self.set = set.intersection(*ways) if ways else before
        if breaks:
            self.known = set()
        return body, otherwise

    def _for(self, node: ast.For) -> list[tree.Statement]:
        walk = self.walk(node.iter)
        self._forget([node])
        outer = set(self.set)
        head = self.bind(node.target, walk, node.target)
        self._breaks.append([])
        body = self.block(node.body)
        breaks = self._breaks.pop()
        known = set(self.known)
        self.set, self.ended = outer, False
        self._forget([node])
        otherwise = self.block(node.orelse)
        ways = breaks + ([] if self.ended else [self.set])
        self.ended = not ways
        self.set = set.intersection(*ways) if ways else outer
        self.known &= known
        return [*walk.before, tree.Loop(walk.test, [*head, *body], walk.step, otherwise)]

    def _jump(self, node: ast.Break | ast.Continue) -> list[tree.Statement]:
        word = "break" if isinstance(node, ast.Break) else "continue"
        if not self._breaks:
            self.refuse(codes.LOOP, f"`{word}` outside of a loop", node, "leave it out, or return")
        if isinstance(node, ast.Break):
            self._breaks[-1].append(set(self.set))
        self.ended = True
        return [tree.Break() if isinstance(node, ast.Break) else tree.Continue()]

    # ── ends ──

    def _return(self, node: ast.Return) -> list[tree.Statement]:
        result = self.function.result
        self.ended = True
        if node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None):
            if isinstance(result, OptionalType):
                return [tree.Return(tree.Const(result, 0))]
            if not isinstance(result, NoneType):
                self.refuse(codes.MISMATCH, f"{self.declared.name} returns {show(result)}", node, "return a value")
            return [tree.Return(None)]
        if isinstance(result, NoneType):
            value = self.expr(node.value)
            if not isinstance(value.type, NoneType):
                self.refuse(
                    codes.MISMATCH,
                    f"{self.declared.name} declares no result",
                    node,
                    f"write `-> {show(value.type)}` behind its arguments",
                )
            return [tree.Run(value), tree.Return(None)]
        return [tree.Return(self.value(node.value, result))]

    def _raise(self, node: ast.Raise) -> list[tree.Statement]:
        self.ended = True
        match node.exc:
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if len(args) <= 1:
                message = self.show(self.expr(args[0]), args[0]) if args else None
            case ast.Name(id=name):
                message = None
            case _:
                self.unsupported("this form of `raise` is", node, 'write `raise ValueError("…")`')
        self.function.raises = self.function.raises or self.trusted
        head = name if message is None else f"{name}: "
        text = self.text(head)
        if isinstance(message, tree.Text):
            text = self.text(head + message.data.decode())
        elif message is not None:
            text = self.library("concat", text, message)
        return [tree.Raise(text, self.line(node))]

    def _assert(self, node: ast.Assert) -> list[tree.Statement]:
        test = self.truth(node.test)
        known = set(self.known)
        self.known = known | self.facts(node.test, False)
        text = self.text("AssertionError")
        if node.msg is not None:
            text = self.library("concat", self.text("AssertionError: "), self.show(self.expr(node.msg), node.msg))
        self.known = known | self.facts(node.test, True)
        return [tree.If(self.negated(test), [tree.Raise(text, self.line(node))], [])]

    # ── expressions ──

    def expr(self, node: ast.expr, want: Type | None = None) -> tree.Expr:
        """The value of an expression."""
        self._depth += 1
        try:
            if self._depth > NESTING_MAX:
                self.refuse(codes.TOO_DEEP, "nesting is too deep", node, "take it apart into several statements")
            return self._expr(node, want)
        finally:
            self._depth -= 1

    def _expr(self, node: ast.expr, want: Type | None) -> tree.Expr:
        match node:
            case ast.Constant():
                return self._constant(node, want)
            case ast.Name():
                return self._name(node)
            case ast.BinOp():
                whole = None if self.trusted else whole_number(node)
                if whole is not None and INT.least <= whole <= U64.most:
                    return const(whole, U64 if whole > INT.most else INT)
                left = self.expr(node.left, want if isinstance(want, ListType) else None)
                return self.binary(
                    node.op, left, self.expr(node.right, left.type if isinstance(left.type, ListType) else None), node
                )
            case ast.UnaryOp():
                return self.unary(node)
            case ast.Compare():
                return self.comparison(node)
            case ast.BoolOp():
                return self.boolean(node)
            case ast.IfExp():
                return self.choice(node, want)
            case ast.Call():
                if self.trusted and isinstance(node.func, ast.Name):
                    return self.trusted_call(node, want)
                return self.call(node, want)
            case ast.Attribute():
                return self._get_attribute(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.List():
                return self._list(node, want)
            case ast.Dict():
                return self._dict_literal(node, want)
            case ast.ListComp():
                return self.comprehension(node, want)
            case ast.DictComp():
                return self.dict_comprehension(node, want)
            case ast.JoinedStr():
                return self.formatted(node)
            case _:
                what, remedy = _EXPRESSIONS.get(
                    type(node), (f"`{type(node).__name__}` is", "see the documentation of the module SDK")
                )
                self.unsupported(what, node, remedy)

    def _constant(self, node: ast.Constant, want: Type | None) -> tree.Expr:
        match node.value:
            case bool():
                return tree.Const(BOOL, node.value)
            case int():
                if node.value > U64.most:
                    self.refuse(codes.RANGE, f"{node.value} does not fit 64 bits", node, f"u64 holds 0 to {U64.most}")
                return const(node.value, U64 if node.value > INT.most else INT)
            case float():
                return tree.Const(FLOAT, node.value)
            case str():
                try:
                    return self.text(node.value)
                except UnicodeEncodeError:
                    self.refuse(
                        codes.RANGE, "a lone surrogate is no character of a text", node, "write the whole character"
                    )
            case bytes():
                return tree.Text(BYTES, node.value)
            case None:
                return tree.Const(want, 0) if isinstance(want, OptionalType) else tree.NOTHING
            case _:
                self.unsupported(f"{type(node.value).__name__} is", node, "use int or float")

    def _name(self, node: ast.Name) -> tree.Expr:
        name = node.id
        variable = self.variables.get(name)
        if variable is not None:
            if isinstance(variable.type, NoneType):
                raise Refused  # what gave it no type was reported
            if name not in self.set and not self.trusted:
                self.refuse(
                    codes.UNSET, f"`{name}` may have no value here", node, "give it one on every way, or before"
                )
            local = tree.Local(variable.type, variable)
            return self.unwrap(local) if name in self.known and isinstance(variable.type, OptionalType) else local
        if self.trusted:
            home = self.declared.home
            assert home is not None
            if name in home.variables:
                return tree.State(INT, self.context.library_slot(home, name))
            return const(home.constants[name])
        found = self.context.names.get(name)
        if name in self.context.broken:
            raise Refused
        if name in self.local and name not in self._globals:
            if isinstance(found, tree.Slot | ServiceValue | Constant):
                self._refuse_state(name, node)
            self.refuse(codes.UNSET, f"`{name}` has no value yet", node, "give it one before")
        match found:
            case Constant():
                return found.value
            case tree.Slot():
                if isinstance(found.type, NoneType):
                    raise Refused
                return tree.State(found.type, found)
            case Declared():
                self.unsupported("a function as a value is", node, f"call it: {name}(…)")
            case RecordType() | ServiceType():
                self.unsupported("a class as a value is", node, f"call it: {name}(…)")
            case ServiceValue():
                self.unsupported("a service as a value is", node, f"call a function of it: {name}.function(…)")
            case Known():
                self.unsupported(f"`{name}` as a value is", node, "use it as the documentation of the module SDK shows")
            case _:
                pass
        names = [*self.variables, *self.context.names]
        near = difflib.get_close_matches(name, names, n=1)
        self.refuse(
            codes.NAME_UNKNOWN,
            f"no name `{name}` here",
            node,
            f"did you mean `{near[0]}`?" if near else "give it a value first",
        )

    def _get_attribute(self, node: ast.Attribute) -> tree.Expr:
        if isinstance(node.value, ast.Name) and node.value.id not in self.variables:
            found = self.context.names.get(node.value.id)
            if isinstance(found, Known) and found.name == "module math":
                return self.math_constant(node)
        record = self.expr(node.value)
        if isinstance(record.type, OptionalType) and isinstance(record.type.inner, RecordType):
            self.refuse(
                codes.OPTIONAL,
                "value may be None here",
                node,
                "put it into a variable and test that with `is None` first",
            )
        kind = table(record.type) if self.trusted and isinstance(record.type, DictType) else record.type
        if not isinstance(kind, RecordType):
            self.refuse(
                codes.ATTRIBUTE,
                f"{show(kind)} has no field `{node.attr}`",
                node,
                "only dataclasses have fields; call methods with (…)",
            )
        index = self._field(kind, node)
        return tree.GetField(kind.fields[index].type, tree.Op(kind, "retype", (record,)), index)

    def _field(self, record: RecordType, node: ast.Attribute) -> int:
        index = record.index(node.attr)
        if index is None:
            near = difflib.get_close_matches(node.attr, [f.name for f in record.fields], n=1)
            remedy = (
                f"did you mean `{near[0]}`?" if near else f"its fields are {', '.join(f.name for f in record.fields)}"
            )
            if node.attr in record.methods:
                remedy = f"call it: .{node.attr}(…)"
            self.refuse(codes.ATTRIBUTE, f"{record.name} has no field `{node.attr}`", node, remedy)
        return index

    def _list(self, node: ast.List, want: Type | None) -> tree.Expr:
        if isinstance(want, OptionalType):
            want = want.inner
        if any(isinstance(item, ast.Starred) for item in node.elts):
            return self._spread(node, want)
        if isinstance(want, ListType):
            return tree.NewList(want, [self.value(item, want.element) for item in node.elts])
        if not node.elts:
            self.refuse(
                codes.UNCLEAR,
                "the type of an empty list cannot be told",
                node,
                "annotate the variable: `x: list[int] = []`",
            )
        items = [self.expr(item) for item in node.elts]
        kind = self.widest(self.join([item.type for item in items], node))
        if isinstance(kind, NoneType):
            self.refuse(codes.UNCLEAR, "the type of the elements cannot be told", node, "annotate the variable")
        return tree.NewList(
            ListType(kind), [self.coerce(item, kind, at) for item, at in zip(items, node.elts, strict=True)]
        )

    def _spread(self, node: ast.List, want: Type | None) -> tree.Expr:
        """`[*a, b]`."""
        made: list[tuple[ast.expr, tree.Expr]] = []
        before: list[tree.Statement] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                made.append((item, self.once(self._list_of(item.value, want), before)))
            else:
                made.append(
                    (item, self.once(self.expr(item, want.element if isinstance(want, ListType) else None), before))
                )
        if not isinstance(want, ListType):
            kinds = [
                v.type.element if isinstance(i, ast.Starred) and isinstance(v.type, ListType) else v.type
                for i, v in made
            ]
            want = ListType(self.widest(self.join(kinds, node)))
        out = tree.Variable("list", want)
        local = tree.Local(want, out)
        before.append(tree.Set(out, self.empty(want)))
        for item, value in made:
            if isinstance(item, ast.Starred):
                before.append(tree.Run(self.library("list_extend", local, self.coerce(value, want, item), node=node)))
            else:
                held = self.once(self.coerce(value, want.element, item), before)
                before.append(tree.Run(self.library("list_append", local, held, node=node)))
        return tree.Do(want, before, local)

    def _dict_literal(self, node: ast.Dict, want: Type | None) -> tree.Expr:
        keys = [key for key in node.keys if key is not None]
        if len(keys) != len(node.values):
            self.unsupported("`**` in a dict is", node, "use .update(…)")
        if not isinstance(want, DictType):
            if not keys:
                self.refuse(
                    codes.UNCLEAR,
                    "the type of an empty dict cannot be told",
                    node,
                    "annotate the variable: `x: dict[str, int] = {}`",
                )
            key_kind = self.widest(self.join([self.expr(key).type for key in keys], node))
            if not isinstance(key_kind, IntType | TextType | BoolType):
                self.refuse(
                    codes.OPERANDS,
                    f"keys of a dict cannot be {show(key_kind)}",
                    node,
                    "keys are integers, bool, str or bytes",
                )
            value_kind = self.widest(self.join([self.expr(value).type for value in node.values], node))
            if isinstance(value_kind, NoneType):
                self.refuse(codes.UNCLEAR, "the type of the values cannot be told", node, "annotate the variable")
            want = DictType(key_kind, value_kind)
        out = tree.Variable("dict", want)
        local = tree.Local(want, out)
        body: list[tree.Statement] = [tree.Set(out, self.empty(want))]
        for key, value in zip(keys, node.values, strict=True):
            held_key = self.once(self.value(key, want.key), body)
            body.append(tree.Run(self.library("dict_set", local, held_key, self.value(value, want.value), node=node)))
        return tree.Do(want, body, local)


def _stored(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that statements assign; those of comprehensions are their own."""
    out: set[str] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(
            node,
            ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp | ast.FunctionDef | ast.ClassDef | ast.Lambda,
        ):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            out.add(node.id)
        waiting += ast.iter_child_nodes(node)
    return out
