"""Checked values: conversions between types, calls of the library, and what depends on a type (equality, order, text, hash, collection).

The base of the checker of function bodies; `operators`, `calls`, `loops` and `statements` build on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import codes, tree
from .types import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    NONE,
    STR,
    U32,
    U64,
    BoolType,
    DictType,
    FloatType,
    IntType,
    ListType,
    NoneType,
    OptionalType,
    RecordType,
    TextType,
    Type,
    box,
    is_object,
    show,
    substitute,
    table,
    unify,
)

if TYPE_CHECKING:
    import ast
    from typing import NoReturn

    from aquac.codes import Code

    from .scope import Context, Declared

NESTING_MAX: Final = 200
"""Expressions within expressions."""


def is_zero_cost(value: tree.Expr) -> bool:
    """Whether it may be computed twice: it has no effect, and nothing between changes it."""
    return isinstance(value, tree.Const | tree.Text) or (
        isinstance(value, tree.Local) and value.variable.name.startswith("$")
    )


def const(value: int, kind: Type = INT) -> tree.Const:
    """A number."""
    return tree.Const(kind, value)


class Values:
    """The checker of one function's body: what it knows, and how values change their types."""

    def __init__(self, context: Context, declared: Declared) -> None:
        self.context, self.declared = context, declared
        self.function = declared.function
        self.trusted = declared.function.trusted
        self.variables: dict[str, tree.Variable] = {p.name: p for p in declared.function.parameters}
        self.set: set[str] = set(self.variables)
        self.known: set[str] = set()
        """Optional variables that are not None here."""
        self.local: set[str] = set()
        """Names the function assigns, which are its own."""
        self.ended = False
        self._depth = 0

    # ── findings ──

    def refuse(self, code: Code, message: str, node: ast.AST, remedy: str = "") -> NoReturn:
        """Report, and give up the statement. In the library it is a bug."""
        if self.trusted:
            raise AssertionError(f"{self.declared.name}:{getattr(node, 'lineno', 0)}: {message}")
        self.context.refuse(code, message, node, remedy)

    def unsupported(self, what: str, node: ast.AST, remedy: str) -> NoReturn:
        """Python the language does not have."""
        self.refuse(codes.UNSUPPORTED, f"{what} not part of the module language", node, remedy)

    def expr(self, node: ast.expr, want: Type | None = None) -> tree.Expr:
        """The value of an expression. `want`: the type it is for, where that is known; not enforced."""
        raise NotImplementedError

    # ── temporaries ──

    def temporary(self, kind: Type) -> tree.Variable:
        """A variable without a name."""
        return tree.Variable("$", kind)

    def once(self, value: tree.Expr, before: list[tree.Statement]) -> tree.Expr:
        """The value, computed now and usable several times."""
        if is_zero_cost(value):
            return value
        variable = self.temporary(value.type)
        before.append(tree.Set(variable, value))
        return tree.Local(value.type, variable)

    # ── conversions ──

    def value(self, node: ast.expr, kind: Type) -> tree.Expr:
        """An expression as a value of a type."""
        return self.coerce(self.expr(node, kind), kind, node)

    def coerce(self, value: tree.Expr, kind: Type, node: ast.AST) -> tree.Expr:
        """A value as one of a type: numbers are converted where nothing is lost, integers checked against the range."""
        source = value.type
        if source == kind:
            return value
        match kind, source:
            case IntType(), IntType():
                return self.narrow(value, kind, node)
            case IntType(), BoolType():
                return tree.Op(kind, "extend", (value,))
            case FloatType(), IntType():
                return self.rounded(self.as_float(value), kind)
            case FloatType(), FloatType():
                return self.rounded(value, kind)
            case FloatType(), BoolType():
                return self.rounded(self.as_float(tree.Op(INT, "extend", (value,))), kind)
            case OptionalType(), NoneType():
                return tree.Const(kind, 0)
            case OptionalType(), _ if not isinstance(source, OptionalType):
                return self.wrap(self.coerce(value, kind.inner, node), kind)
            case _, OptionalType() if kind == source.inner:
                self.refuse(
                    codes.OPTIONAL,
                    f"value may be None, {show(kind)} is wanted",
                    node,
                    "put it into a variable and test that with `is None` first",
                )
            case _:
                pass
        remedy = {
            STR: "convert it with str(…)",
            INT: "convert it with int(…)",
            BYTES: "convert it with bytes(…) or .encode()",
        }.get(kind, "")
        if isinstance(kind, ListType) and isinstance(source, ListType):
            remedy = "lists of different element types differ in memory: convert the elements in a comprehension"
        self.refuse(
            codes.MISMATCH,
            f"{show(kind)} is wanted here, not {show(source)}",
            node,
            remedy or f"write a value of type {show(kind)}",
        )

    def narrow(self, value: tree.Expr, kind: IntType, node: ast.AST) -> tree.Expr:
        """An integer as one of another width; what does not fit ends the call."""
        source = value.type
        assert isinstance(source, IntType)
        if isinstance(value, tree.Const):
            if not kind.least <= value.value <= kind.most:
                self.refuse(
                    codes.RANGE,
                    f"{value.value} does not fit {show(kind)}",
                    node,
                    f"{show(kind)} holds {kind.least} to {kind.most}",
                )
            return tree.Const(kind, value.value)
        if kind.holds(source) or self.trusted:
            return tree.Op(kind, "retype", (value,))
        return tree.Op(kind, "narrow", (value,), self.line(node))

    def line(self, node: ast.AST) -> int:
        """Line of a node."""
        return getattr(node, "lineno", 0)

    def as_float(self, value: tree.Expr) -> tree.Expr:
        """An integer as a float."""
        if isinstance(value, tree.Const):
            return tree.Const(FLOAT, float(value.value))
        return tree.Op(FLOAT, "sitofp", (value,))

    def rounded(self, value: tree.Expr, kind: FloatType) -> tree.Expr:
        """A float as one of another width."""
        if kind.bits == 64:
            return tree.Const(kind, value.value) if isinstance(value, tree.Const) else tree.Op(kind, "retype", (value,))
        return tree.Op(kind, "round32", (value,))

    def wrap(self, value: tree.Expr, kind: OptionalType) -> tree.Expr:
        """A value as an optional one."""
        if is_object(kind.inner):
            return tree.Op(kind, "retype", (value,))
        return tree.Op(kind, "retype", (tree.New(box(kind.inner), [value]),))

    def unwrap(self, value: tree.Expr) -> tree.Expr:
        """An optional value that is known not to be None."""
        kind = value.type
        assert isinstance(kind, OptionalType)
        if is_object(kind.inner):
            return tree.Op(kind.inner, "retype", (value,))
        return tree.GetField(kind.inner, tree.Op(box(kind.inner), "retype", (value,)), 0)

    def join(self, kinds: list[Type], node: ast.AST) -> Type:
        """A type for values of several types."""
        found: Type | None = None
        optional = False
        for given in kinds:
            if isinstance(given, NoneType):
                optional = True
                continue
            kind = given.inner if isinstance(given, OptionalType) else given
            optional = optional or isinstance(given, OptionalType)
            if found is None or found == kind:
                found = kind
            elif isinstance(found, IntType | BoolType) and isinstance(kind, IntType | BoolType):
                found = U64 if U64 in (found, kind) else INT
            elif isinstance(found, FloatType | IntType) and isinstance(kind, FloatType | IntType):
                found = FLOAT
            else:
                self.refuse(
                    codes.MISMATCH,
                    f"values of {show(found)} and {show(kind)} do not go together",
                    node,
                    "convert one of them",
                )
        if found is None:
            return NONE
        return OptionalType(found) if optional else found

    def widest(self, kind: Type) -> Type:
        """The type a value gets where nothing says how wide it is."""
        if isinstance(kind, IntType) and kind is not U64:
            return INT
        return FLOAT if isinstance(kind, FloatType) else kind

    def truth(self, node: ast.expr) -> tree.Expr:
        """An expression as a condition."""
        return self.as_truth(self.expr(node), node)

    def as_truth(self, value: tree.Expr, node: ast.AST) -> tree.Expr:
        """Whether a value counts as true."""
        match value.type:
            case BoolType():
                return value
            case IntType():
                return tree.Op(BOOL, "ne", (value, const(0, value.type)))
            case FloatType():
                return tree.Op(BOOL, "fne", (value, tree.Const(value.type, 0.0)))
            case TextType() | ListType() | DictType():
                return tree.Op(BOOL, "ne", (self.length(value), const(0)))
            case OptionalType():
                there = self.negated(tree.Op(BOOL, "is_null", (value,)))
                if isinstance(value.type.inner, RecordType):
                    return there
                before: list[tree.Statement] = []
                held = self.once(value, before)
                there = self.negated(tree.Op(BOOL, "is_null", (held,)))
                return tree.Do(
                    BOOL,
                    before,
                    tree.Choose(BOOL, there, self.as_truth(self.unwrap(held), node), tree.Const(BOOL, False)),
                )
            case RecordType():
                return tree.Do(BOOL, [tree.Run(value)], tree.Const(BOOL, True))
            case _:
                self.refuse(codes.OPERANDS, f"{show(value.type)} is no condition", node, "compare it with something")

    def negated(self, value: tree.Expr) -> tree.Expr:
        """`not value`."""
        return tree.Op(BOOL, "not", (value,))

    def length(self, value: tree.Expr) -> tree.Expr:
        """`len(value)`."""
        match value.type:
            case TextType():
                return self.load(value, 12)
            case ListType():
                return self.load(value, 4)
            case DictType():
                return tree.GetField(INT, tree.Op(table(value.type), "retype", (value,)), 4)
            case _:
                raise AssertionError(value.type)

    def load(self, value: tree.Expr, offset: int) -> tree.Expr:
        """Four bytes of an object."""
        place: tree.Expr = tree.Op(INT, "address", (value,))
        if offset:
            place = tree.Op(INT, "wadd", (place, const(offset)))
        return tree.Op(INT, "retype", (tree.Op(U32, "load", (place,)),))

    # ── the library ──

    def library(
        self,
        name: str,
        *args: tree.Expr,
        node: ast.AST | None = None,
        want: Type | None = None,
        bound: dict[str, Type] | None = None,
    ) -> tree.Expr:
        """A call of the library."""
        kinds, result = self.context.signature(name)
        found = dict(bound or {})
        for kind, arg in zip(kinds, args, strict=True):
            unify(kind, arg.type, found)
        if want is not None:
            unify(result, want, found)
        function = self.context.instance(name, found)
        converted = [self._fit(arg, parameter.type) for arg, parameter in zip(args, function.parameters, strict=True)]
        line = 0 if self.trusted or node is None else self.line(node)
        returned = substitute(result, found)
        return tree.Call(returned, function, converted, line)

    def _fit(self, value: tree.Expr, kind: Type) -> tree.Expr:
        """An argument of the library: numbers are as wide as registers, optional values are told apart."""
        if isinstance(kind, IntType) and isinstance(value.type, IntType):
            return value
        if isinstance(kind, OptionalType) and not isinstance(value.type, OptionalType):
            return tree.Const(kind, 0) if isinstance(value.type, NoneType) else self.wrap(value, kind)
        if isinstance(kind, IntType) and isinstance(value.type, BoolType):
            return tree.Op(kind, "extend", (value,))
        assert value.type == kind, (kind, value.type)
        return value

    def text(self, data: str) -> tree.Expr:
        """A text that is there from the start."""
        return tree.Text(STR, data.encode())

    def panic(self, message: str, node: ast.AST) -> tree.Statement:
        """End the call."""
        self.function.raises = self.function.raises or self.trusted
        return tree.Raise(self.text(message), self.line(node))

    # ── what depends on types ──

    def equal(self, a: tree.Expr, b: tree.Expr, node: ast.AST) -> tree.Expr:
        """`a == b`; both of one type."""
        kind = a.type
        match kind:
            case IntType() | BoolType():
                return tree.Op(BOOL, "eq", (a, b))
            case FloatType():
                return tree.Op(BOOL, "feq", (a, b))
            case TextType():
                return self.library("text_equal", a, b, node=node)
            case ListType():
                return self.library("list_equal", a, b, node=node)
            case DictType():
                return self.library("dict_equal", a, b, node=node)
            case RecordType():
                if not kind.compared:
                    return tree.Op(BOOL, "eq", (a, b))
                return tree.Call(
                    BOOL, self.context.made("equal", kind, self._make_record_equal, [kind, kind], BOOL), [a, b]
                )
            case OptionalType():
                return tree.Call(
                    BOOL, self.context.made("equal", kind, self._make_optional_equal, [kind, kind], BOOL), [a, b]
                )
            case _:
                self.refuse(codes.OPERANDS, f"values of {show(kind)} cannot be compared", node)

    def _make_record_equal(self, function: tree.Function) -> None:
        a, b = (tree.Local(p.type, p) for p in function.parameters)
        record = a.type
        assert isinstance(record, RecordType)
        for index, field in enumerate(record.fields):
            same = self.equal(
                tree.GetField(field.type, a, index), tree.GetField(field.type, b, index), self.declared.node
            )
            function.body.append(tree.If(self.negated(same), [tree.Return(tree.Const(BOOL, False))], []))
        function.body.append(tree.Return(tree.Const(BOOL, True)))

    def _make_optional_equal(self, function: tree.Function) -> None:
        a, b = (tree.Local(p.type, p) for p in function.parameters)
        none_a, none_b = (tree.Op(BOOL, "is_null", (x,)) for x in (a, b))
        either = tree.Choose(BOOL, none_a, tree.Const(BOOL, True), none_b)
        both = tree.Op(BOOL, "eq", (none_a, none_b))
        function.body.append(tree.If(either, [tree.Return(both)], []))
        function.body.append(tree.Return(self.equal(self.unwrap(a), self.unwrap(b), self.declared.node)))

    def less(self, a: tree.Expr, b: tree.Expr, node: ast.AST) -> tree.Expr:
        """`a < b`; both of one type."""
        match a.type:
            case IntType():
                return tree.Op(BOOL, "ult" if a.type is U64 else "slt", (a, b))
            case BoolType():
                return tree.Op(BOOL, "ult", (a, b))
            case FloatType():
                return tree.Op(BOOL, "flt", (a, b))
            case TextType():
                return self.library("text_less", a, b, node=node)
            case _:
                self.refuse(
                    codes.OPERANDS,
                    f"values of {show(a.type)} have no order",
                    node,
                    "compare a number or text that says which comes first",
                )

    def show(self, value: tree.Expr, node: ast.AST) -> tree.Expr:
        """`str(value)`."""
        match value.type:
            case TextType() if value.type is STR:
                return value
            case IntType():
                return self.library("show_u64" if value.type is U64 else "show_int", value, node=node)
            case FloatType():
                return self.library("show_float", self.rounded(value, FLOAT), node=node)
            case BoolType():
                return self.library("show_bool", value, node=node)
            case OptionalType():
                before: list[tree.Statement] = []
                held = self.once(value, before)
                empty = tree.Op(BOOL, "is_null", (held,))
                return tree.Do(
                    STR, before, tree.Choose(STR, empty, self.text("None"), self.show(self.unwrap(held), node))
                )
            case _:
                self.refuse(
                    codes.OPERANDS,
                    f"{show(value.type)} has no text of its own",
                    node,
                    "put the text together from its parts",
                )

    def hashed(self, value: tree.Expr) -> tree.Expr:
        """A number that is equal for equal keys."""
        if isinstance(value.type, TextType):
            return self.library("hash_text", value)
        if isinstance(value.type, BoolType):
            value = tree.Op(INT, "extend", (value,))
        return self.library("hash_int", value)

    def trace(self, value: tree.Expr) -> tree.Expr:
        """Move an object; see `library.memory`."""
        match value.type:
            case TextType():
                return self.library("trace_text", value)
            case ListType():
                return self.library("trace_list", value)
            case OptionalType():
                return self.library("trace_optional", value, bound={"T": value.type.inner})
            case DictType():
                inner = tree.Op(table(value.type), "retype", (value,))
                return tree.Op(value.type, "retype", (self.library("trace_record", inner),))
            case _:
                return self.library("trace_record", value)

    def take(self, kind: Type, *words: tree.Expr) -> tree.Expr:
        """A value of its image at the border."""
        match kind:
            case TextType():
                return self.library("take_text" if kind is STR else "take_bytes", *words)
            case ListType():
                return self.library("take_list", *words, bound={"T": kind.element})
            case OptionalType():
                return self.library("take_optional", *words, bound={"T": kind.inner})
            case _:
                return self.library("take_record", words[0], bound={"T": kind})

    def lower(self, value: tree.Expr) -> tree.Expr:
        """Leave a value as a result."""
        match value.type:
            case TextType():
                return self.library("lower_text", value)
            case ListType():
                return self.library("lower_list", value)
            case OptionalType():
                return self.library("lower_optional", value, bound={"T": value.type.inner})
            case _:
                return self.library("lower_record", value)

    def empty(self, kind: ListType | DictType) -> tree.Expr:
        """A new list or dict without elements."""
        if isinstance(kind, ListType):
            return tree.NewList(kind, [])
        record = table(kind)
        values = [self.empty(field.type) if isinstance(field.type, ListType) else const(0) for field in record.fields]
        return tree.Op(kind, "retype", (tree.New(record, values),))
