"""Calls: functions, records, services, builtins, methods of values, formatted text."""

from __future__ import annotations

import ast
import difflib
import re
from typing import TYPE_CHECKING, Final

from . import codes, tree
from .emit import HOST_API
from .loops import Loops
from .operators import MOST
from .scope import BUILTIN_RECORDS, FIXED, Constant, Declared, Known, Refused, ServiceValue
from .types import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    NAMED,
    NONE,
    STR,
    U8,
    U32,
    U64,
    BoolType,
    DictType,
    Field,
    FloatType,
    IntType,
    ListType,
    OptionalType,
    RecordType,
    ServiceType,
    TextType,
    Type,
    show,
)
from .values import const

if TYPE_CHECKING:
    from collections.abc import Callable

_LEVELS: Final = {"error": 1, "warning": 2, "warn": 2, "info": 3, "debug": 4, "trace": 5}
_TEXT_METHODS: Final[dict[str, tuple[int, int]]] = {
    "find": (1, 3), "rfind": (1, 3), "index": (1, 3), "count": (1, 1), "startswith": (1, 1), "endswith": (1, 1), "removeprefix": (1, 1),
    "removesuffix": (1, 1), "replace": (2, 3), "split": (0, 2), "strip": (0, 1), "lstrip": (0, 1), "rstrip": (0, 1), "splitlines": (0, 0),
    "join": (1, 1), "upper": (0, 0), "lower": (0, 0), "isdigit": (0, 0), "isalpha": (0, 0), "isalnum": (0, 0), "isspace": (0, 0),
    "isupper": (0, 0), "islower": (0, 0), "ljust": (1, 2), "rjust": (1, 2), "center": (1, 2), "zfill": (1, 1),
}  # fmt: skip
"""Methods of `str` and `bytes`: least and most arguments."""
_LIST_METHODS: Final = (
    "append",
    "pop",
    "insert",
    "extend",
    "remove",
    "index",
    "count",
    "clear",
    "reverse",
    "sort",
    "copy",
)
_DICT_METHODS: Final = ("get", "pop", "setdefault", "clear", "copy", "update", "keys", "values", "items")
_IS: Final = {"isdigit": "is_digit", "isalpha": "is_alpha", "isalnum": "is_alnum", "isspace": "is_blank"}
_SPEC: Final = re.compile(
    r"(?:(?P<fill>.)?(?P<align>[<>=^]))?(?P<sign>[-+ ])?(?P<alt>#)?(?P<zero>0)?(?P<width>\d+)?(?P<group>[,_])?(?:\.(?P<precision>\d+))?(?P<kind>[a-zA-Z%])?"
)
_MATH: Final = {
    "sqrt": FLOAT,
    "floor": INT,
    "ceil": INT,
    "trunc": INT,
    "fabs": FLOAT,
    "isnan": BOOL,
    "isinf": BOOL,
    "isfinite": BOOL,
}
_MATH_CONSTANTS: Final = {
    "pi": 3.141592653589793,
    "e": 2.718281828459045,
    "tau": 6.283185307179586,
    "inf": float("inf"),
    "nan": float("nan"),
}
WIDTH_MAX: Final = 1000
PRECISION_MAX: Final = 100


class Calls(Loops):
    """Calls of the language."""

    def call(self, node: ast.Call, want: Type | None) -> tree.Expr:
        """The value of a call."""
        for keyword in node.keywords:
            if keyword.arg is None:
                self.unsupported("`**` in a call is", keyword.value, "write the arguments by name")
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                self.unsupported("`*` in a call is", arg, "write the arguments one by one")
        if isinstance(node.func, ast.Name):
            return self._named(node, node.func.id, want)
        if isinstance(node.func, ast.Attribute):
            return self._attribute(node, node.func, want)
        self.unsupported("a call of anything but a named function is", node.func, "call a function by its name")

    def _named(self, node: ast.Call, name: str, want: Type | None) -> tree.Expr:
        if name in self.variables:
            self.unsupported("a call of a variable is", node, "functions cannot be kept in variables")
        found = self.context.names.get(name)
        if name in self.context.broken:
            raise Refused
        match found:
            case Declared():
                return self._function(found, node)
            case RecordType():
                return self.construct(found, node)
            case ServiceType():
                self.unsupported(
                    "a service as a value is",
                    node,
                    f"call its functions, as in {name}().function(…), or name it once: {name.lower()} = {name}()",
                )
            case Known():
                return self._prelude(found.name, node)
            case Constant() | tree.Slot() | ServiceValue():
                self.unsupported("a call of a variable is", node, "functions cannot be kept in variables")
            case _:
                pass
        method: Callable[[ast.Call, Type | None], tree.Expr] | None = getattr(self, f"_builtin_{name}", None)
        if method is not None:
            return method(node, want)
        remedy = "define it, or import it from runtime.marine.sdk"
        if name == "print":
            remedy = "write log.info(…), with `log` of runtime.marine.sdk"
        near = difflib.get_close_matches(name, self._callables(), n=1)
        self.refuse(
            codes.NAME_UNKNOWN, f"no function `{name}`", node.func, f"did you mean `{near[0]}`?" if near else remedy
        )

    def _callables(self) -> list[str]:
        names = [name.removeprefix("_builtin_") for name in dir(self) if name.startswith("_builtin_")]
        return names + [
            name for name, found in self.context.names.items() if isinstance(found, Declared | RecordType | Known)
        ]

    # ── functions and records ──

    def _function(self, found: Declared, node: ast.Call, first: tree.Expr | None = None) -> tree.Expr:
        parameters = found.function.parameters
        skip = 0 if first is None else 1
        arguments = self._bound(found.name, [p.name for p in parameters][skip:], node)
        for parameter, default, arg in zip(parameters[skip:], found.defaults[skip:], arguments, strict=True):
            if arg is None and default is None:
                self.refuse(
                    codes.ARGUMENTS,
                    f"{found.name} needs `{parameter.name}`",
                    node,
                    f"it is called as {_signature(found.name, parameters[skip:])}",
                )
        before: list[tree.Statement] = []
        if first is not None and any(arg is not None for arg in arguments):
            first = self.once(first, before)
        values = self._in_order([p.type for p in parameters[skip:]], arguments, before)
        for number, (parameter, default) in enumerate(zip(parameters[skip:], found.defaults[skip:], strict=True)):
            if values[number] is None and default is not None:
                values[number] = self._default_value(default, parameter.type)
        made = tree.Call(
            found.function.result,
            found.function,
            [value for value in (first, *values) if value is not None],
            self.line(node),
        )
        return tree.Do(made.type, before, made) if before else made

    def _in_order(
        self, kinds: list[Type], arguments: list[ast.expr | None], before: list[tree.Statement]
    ) -> list[tree.Expr | None]:
        """Values of arguments, computed in the order in which they are written."""
        given = [(arg, n) for n, arg in enumerate(arguments) if arg is not None]
        written = sorted(given, key=lambda item: (item[0].lineno, item[0].col_offset))
        out: list[tree.Expr | None] = [None] * len(kinds)
        for arg, n in written:
            value = self.value(arg, kinds[n])
            out[n] = value if written == given else self.once(value, before)
        return out

    def _default_value(self, node: ast.expr, kind: Type) -> tree.Expr:
        """A default, which names of the caller do not change."""
        kept = self.variables, self.local
        self.variables, self.local = {}, set()
        try:
            value = self.value(node, kind)
        finally:
            self.variables, self.local = kept
        if isinstance(node, ast.Name) and not isinstance(value, tree.Const | tree.Text):
            self.refuse(
                codes.UNSUPPORTED,
                "a default that may change is not part of the module language",
                node,
                "use a number, a text or a constant",
            )
        return value

    def _bound(self, name: str, names: list[str], node: ast.Call) -> list[ast.expr | None]:
        """Arguments in the order of parameters; None where one is left out. Evaluated in that order."""
        if len(node.args) > len(names):
            self.refuse(
                codes.ARGUMENTS,
                f"{name} takes {len(names)} arguments, not {len(node.args)}",
                node,
                "leave out what is too much",
            )
        out: list[ast.expr | None] = [*node.args, *[None] * (len(names) - len(node.args))]
        for keyword in node.keywords:
            if keyword.arg not in names:
                near = difflib.get_close_matches(keyword.arg or "", names, n=1)
                remedy = f"did you mean `{near[0]}`?" if near else f"its arguments are {', '.join(names) or 'none'}"
                self.refuse(codes.ARGUMENTS, f"{name} has no argument `{keyword.arg}`", keyword.value, remedy)
            place = names.index(keyword.arg)
            if out[place] is not None:
                self.refuse(codes.ARGUMENTS, f"`{keyword.arg}` is given twice", keyword.value, "leave one out")
            out[place] = keyword.value
        return out

    def construct(self, record: RecordType, node: ast.Call) -> tree.Expr:
        """A new record."""
        arguments = self._bound(record.name, [f.name for f in record.fields], node)
        for field, arg in zip(record.fields, arguments, strict=True):
            if arg is None and field.default is None:
                names = ", ".join(f.name for f in record.fields)
                self.refuse(codes.ARGUMENTS, f"{record.name} needs `{field.name}`", node, f"its fields are {names}")
        before: list[tree.Statement] = []
        values = self._in_order([f.type for f in record.fields], arguments, before)
        made = tree.New(
            record, [v if v is not None else self.default(f, node) for f, v in zip(record.fields, values, strict=True)]
        )
        return tree.Do(record, before, made) if before else made

    def default(self, field: Field, node: ast.AST) -> tree.Expr:
        """What a field holds when nothing is given."""
        made = field.default
        if isinstance(made, ast.expr):
            return self._default_value(made, field.type)
        if made in (list, dict):
            if isinstance(field.type, RecordType):
                return tree.New(field.type, [self.default(inner, node) for inner in field.type.fields])
            if isinstance(field.type, ListType | DictType):
                return self.empty(field.type)
            self.refuse(
                codes.MISMATCH,
                f"a new list or dict is no {show(field.type)}",
                node,
                f"give `{field.name}` a default of its type",
            )
        if isinstance(field.type, TextType):
            return tree.Text(field.type, made.encode() if isinstance(made, str) else bytes(made))  # type: ignore[call-overload]
        assert isinstance(made, int)
        return tree.Const(field.type, made)

    def _import(self, service: ServiceType, name: str, node: ast.Call) -> tree.Expr:
        found = service.functions.get(name)
        if not isinstance(found, tree.Import):
            near = difflib.get_close_matches(name, service.functions, n=1)
            remedy = f"did you mean `{near[0]}`?" if near else f"declare it as a method of class {service.name}"
            self.refuse(codes.ATTRIBUTE, f"service {service.name} has no function `{name}`", node.func, remedy)
        arguments = self._bound(name, [p.name for p in found.parameters], node)
        for parameter, arg in zip(found.parameters, arguments, strict=True):
            if arg is None:
                usage = _signature(name, found.parameters)
                self.refuse(codes.ARGUMENTS, f"{name} needs `{parameter.name}`", node, f"it is called as {usage}")
        self.context.add_import(found)
        before: list[tree.Statement] = []
        values = self._in_order([p.type for p in found.parameters], arguments, before)
        made = tree.CallImport(found.result, found, [value for value in values if value is not None], self.line(node))
        return tree.Do(made.type, before, made) if before else made

    # ── the prelude ──

    def _prelude(self, name: str, node: ast.Call) -> tree.Expr:
        if name in BUILTIN_RECORDS:
            return self.construct(self.context.builtin_record(name), node)
        if name in FIXED:
            return self._convert_number(node, NAMED[name], name)
        if name == "call_parameters":
            self._arity(node, name, 0, 0)
            record = self.context.builtin_record("CallParameters")
            item = self.context.host_import(HOST_API, "get_call_parameters", [], record)
            return tree.CallImport(record, item, [], self.line(node))
        if name.startswith("wrapping_"):
            left, right = (self.value(arg, U64) for arg in self._arity(node, name, 2, 2))
            return tree.Op(U64, "w" + name.removeprefix("wrapping_"), (left, right))
        self.unsupported(f"a call of `{name}` here is", node, "see the documentation of the module SDK")

    def _arity(self, node: ast.Call, name: str, least: int, most: int) -> list[ast.expr]:
        if node.keywords:
            self.refuse(
                codes.ARGUMENTS,
                f"{name} takes no `{node.keywords[0].arg}=`",
                node.keywords[0].value,
                "see the documentation of the module SDK",
            )
        if not least <= len(node.args) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            self.refuse(
                codes.ARGUMENTS,
                f"{name} takes {wanted} arguments, not {len(node.args)}",
                node,
                "leave out or add what is missing",
            )
        return node.args

    def _convert_number(self, node: ast.Call, kind: Type, name: str) -> tree.Expr:
        args = self._arity(node, name, 0, 1)
        if isinstance(kind, FloatType):
            return self.rounded(self._to_float(node, args), kind) if args else tree.Const(kind, 0.0)
        return self.coerce(self._to_int(args[0], node, kind), kind, node) if args else const(0, kind)

    def _log(self, level: str, node: ast.Call) -> tree.Expr:
        message, target = self._bound(f"log.{level}", ["message", "target"], node)
        if message is None:
            self.refuse(codes.ARGUMENTS, f"log.{level} needs a message", node, f'write log.{level}("…")')
        text = self.value(message, STR)
        number = const(0) if target is None else self.value(target, NAMED["i32"])
        if not self.context.logging:
            return tree.Do(NONE, [tree.Run(text), tree.Run(number)], tree.NOTHING)
        return self.library("log_at", const(_LEVELS[level]), text, number, node=node)

    # ── attributes ──

    def _attribute(self, node: ast.Call, func: ast.Attribute, want: Type | None) -> tree.Expr:
        name = func.attr
        match func.value:
            case ast.Name(id=owner) if owner not in self.variables:
                found = self.context.names.get(owner)
                if isinstance(found, Known) and found.name == "log":
                    if name not in _LEVELS:
                        self.refuse(codes.ATTRIBUTE, f"log has no `{name}`", func, f"levels are {', '.join(_LEVELS)}")
                    return self._log(name, node)
                if isinstance(found, Known) and found.name == "module math":
                    return self._math(name, node)
                if isinstance(found, ServiceValue):
                    return self._import(found.service, name, node)
                if isinstance(found, ServiceType):
                    self.refuse(codes.ATTRIBUTE, f"{owner} is a class", func, f"write {owner}().{name}(…)")
                if owner in ("bytes", "bytearray") and name == "fromhex" and found is None:
                    self.unsupported(f"{owner}.fromhex is", node, "write a literal b'…'")
            case ast.Call(func=ast.Name(id=owner), args=[], keywords=[]):
                found = self.context.names.get(owner)
                if isinstance(found, ServiceType):
                    return self._import(found, name, node)
            case _:
                pass
        return self._method(self.expr(func.value), name, node, want)

    def _method(self, value: tree.Expr, name: str, node: ast.Call, want: Type | None) -> tree.Expr:
        kind = value.type
        match kind:
            case TextType():
                if name in _TEXT_METHODS:
                    return self._text_method(value, name, node)
                if kind is STR and name == "encode":
                    self._codec(node)
                    return self.library("encode", value, node=node)
                if kind is BYTES and name == "decode":
                    self._codec(node)
                    return self.library("decode", value, node=node)
                if kind is BYTES and name == "hex":
                    self._arity(node, name, 0, 0)
                    return self.library("hex_of", value, node=node)
                known = [*_TEXT_METHODS, "encode" if kind is STR else "decode"]
            case ListType():
                if name in _LIST_METHODS:
                    method: Callable[[tree.Expr, ListType, ast.Call], tree.Expr] = getattr(self, f"_list_{name}")
                    return method(value, kind, node)
                known = list(_LIST_METHODS)
            case DictType():
                if name in _DICT_METHODS:
                    return self._dict_method(value, kind, name, node)
                known = list(_DICT_METHODS)
            case RecordType():
                found = kind.methods.get(name)
                if isinstance(found, Declared):
                    return self._function(found, node, value)
                known = list(kind.methods)
            case OptionalType():
                self.refuse(
                    codes.OPTIONAL,
                    "value may be None here",
                    node.func,
                    "put it into a variable and test that with `is None` first",
                )
            case _:
                known = []
        near = difflib.get_close_matches(name, known, n=1)
        remedy = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(known)}" if known else "write a function"
        self.refuse(codes.ATTRIBUTE, f"{show(kind)} has no method `{name}`", node.func, remedy)

    def _codec(self, node: ast.Call) -> None:
        for arg in self._arity(node, "encode", 0, 1):
            if not (
                isinstance(arg, ast.Constant)
                and isinstance(arg.value, str)
                and arg.value.lower().replace("_", "-") in ("utf-8", "utf8", "ascii")
            ):
                self.unsupported("an encoding other than UTF-8 is", arg, "leave the encoding out")

    # ── text ──

    def _text_method(self, value: tree.Expr, name: str, node: ast.Call) -> tree.Expr:
        kind = value.type
        names = {"split": ["sep", "maxsplit"], "replace": ["old", "new", "count"]}.get(name)
        if names is not None and node.keywords:
            arguments = self._bound(name, names, node)
        else:
            arguments = list(self._arity(node, name, *_TEXT_METHODS[name]))
        before: list[tree.Statement] = []
        value = self.once(value, before)

        def done(made: tree.Expr) -> tree.Expr:
            return tree.Do(made.type, before, made) if before else made

        def given(index: int) -> ast.expr | None:
            return arguments[index] if index < len(arguments) else None

        def text(index: int) -> tree.Expr:
            arg = given(index)
            assert arg is not None
            return self.value(arg, kind)

        def number(index: int, other: int) -> tree.Expr:
            arg = given(index)
            return const(other) if arg is None else self.value(arg, INT)

        match name:
            case "find" | "rfind" | "index":
                return done(
                    self.library(
                        "text_index" if name == "index" else name,
                        value,
                        text(0),
                        number(1, 0),
                        number(2, MOST),
                        node=node,
                    )
                )
            case "count":
                return done(self.library("text_count", value, text(0), node=node))
            case "startswith" | "endswith" | "removeprefix" | "removesuffix":
                return done(self.library(name, value, text(0), node=node))
            case "replace":
                return done(self.library("replace", value, text(0), text(1), number(2, -1), node=node))
            case "split":
                by = given(0)
                if by is None or (isinstance(by, ast.Constant) and by.value is None):
                    return done(self.library("split_space", value, number(1, -1), node=node))
                return done(self.library("split", value, text(0), number(1, -1), node=node))
            case "strip" | "lstrip" | "rstrip":
                sides = [tree.Const(BOOL, name != "rstrip"), tree.Const(BOOL, name != "lstrip")]
                if given(0) is None:
                    return done(self.library("strip_space", value, *sides, node=node))
                return done(self.library("strip", value, text(0), *sides, node=node))
            case "join":
                arg = given(0)
                assert arg is not None
                parts = self._list_of(arg, ListType(kind))
                if parts.type != ListType(kind):
                    self.refuse(
                        codes.MISMATCH,
                        f"list[{show(kind)}] is wanted here, not {show(parts.type)}",
                        arg,
                        "convert the elements with str(…) in a comprehension",
                    )
                return done(self.library("join", value, parts, node=node))
            case "ljust" | "rjust" | "center":
                fill = text(1) if given(1) is not None else tree.Text(kind, b" ")
                if isinstance(fill, tree.Text) and len(fill.data if kind is BYTES else fill.data.decode()) != 1:
                    self.refuse(codes.ARGUMENTS, "the text to fill with is not one character", node, "give one")
                if name == "center":
                    return done(self.library("center", value, number(0, 0), fill, node=node))
                side = const(1 if name == "ljust" else -1)
                return done(self.library("justified", value, number(0, 0), fill, side, node=node))
            case "zfill":
                return done(self.library("zfill", value, number(0, 0), node=node))
            case "isupper" | "islower":
                return done(self.library("has_case", value, const(65 if name == "isupper" else 97), node=node))
            case _:
                return done(self.library(_IS.get(name, name), value, node=node))

    def formatted(self, node: ast.JoinedStr) -> tree.Expr:
        """An f-string."""
        out: tree.Expr | None = None
        for part in node.values:
            if isinstance(part, ast.Constant):
                piece = self.text(str(part.value))
            else:
                assert isinstance(part, ast.FormattedValue)
                piece = self._format(part)
            out = piece if out is None else self.library("concat", out, piece, node=node)
        return self.text("") if out is None else out

    def _format(self, part: ast.FormattedValue) -> tree.Expr:
        value = self.expr(part.value)
        if part.conversion == 115:  # !s
            value = self.show(value, part.value)
        elif part.conversion != -1:
            self.unsupported("`!r` and `!a` are", part.value, "write the quotes yourself")
        if part.format_spec is None:
            return self.show(value, part.value)
        assert isinstance(part.format_spec, ast.JoinedStr)
        if not all(isinstance(item, ast.Constant) for item in part.format_spec.values):
            self.unsupported(
                "a format that is computed is", part.value, "write the width as a number, or use .rjust(…)"
            )
        spec = "".join(str(item.value) for item in part.format_spec.values if isinstance(item, ast.Constant))
        return self.format(value, spec, part.value)

    def format(self, value: tree.Expr, spec: str, node: ast.AST) -> tree.Expr:
        """A value as `format` has it. `spec`: [[fill]align][sign][#][0][width][,][.precision][type]."""
        if isinstance(value.type, OptionalType) and spec:
            self.refuse(
                codes.OPTIONAL, "None has no formats, and the value may be None", node, "test it with `is None` first"
            )
        match = _SPEC.fullmatch(spec)
        kind = None if match is None else match["kind"]
        width = 0 if match is None else int(match["width"] or 0)
        precision = None if match is None or match["precision"] is None else int(match["precision"])
        refused = match is None or width > WIDTH_MAX or (precision or 0) > PRECISION_MAX
        is_number = isinstance(value.type, IntType | FloatType) or (isinstance(value.type, BoolType) and spec != "")
        if (
            match is None
            or refused
            or (
                is_number
                and not isinstance(value.type, FloatType)
                and precision is not None
                and kind not in ("f", "F", "%")
            )
        ):
            self.unsupported(
                f"the format `{spec}` is",
                node,
                "formats are [[fill]align][sign][#][0][width][,][.precision][type] with type d, x, X, b, o, f, %, s",
            )
        align = match["align"]
        fill = match["fill"] or ("0" if match["zero"] else " ")
        if not is_number:
            if (kind or "s") != "s" or match["sign"] or match["group"] or align == "=" or match["zero"]:
                self.refuse(
                    codes.OPERANDS,
                    f"format `{spec}` does not exist for {show(value.type)}",
                    node,
                    "formats of text are alignment, width and .precision",
                )
            text = self.show(value, node)
            if precision is not None:
                text = self.library("text_slice", text, const(0), const(precision), node=node)
            side = {"<": 1, ">": -1, "^": 0}[align or "<"]
            return self.library("pad", text, const(width), self.text(fill), const(side), node=node) if width else text
        align = align or ("=" if match["zero"] else ">")
        value = self._number(value)
        if isinstance(value.type, IntType) and kind in ("f", "F", "%"):
            value = self.as_float(value)
        if isinstance(value.type, FloatType) and kind not in ("f", "F", "%"):
            self.unsupported(f"the format `{spec}` of a float is", node, "write the number of digits, as in .2f")
        before: list[tree.Statement] = []
        value = self.once(value, before)
        if isinstance(value.type, FloatType):
            scale = 2 if kind == "%" else 0
            sign_, body = self._float_parts(value, 6 if precision is None else precision, scale, node)
            if match["alt"] and precision == 0:
                body = self.library("pointed", body, node=node)
            if kind == "%":
                body = self.library("concat", body, self.text("%"), node=node)
        else:
            sign_, body = self._int_parts(value, kind or "d", match["group"], node)
        if match["sign"] in ("+", " "):
            sign_ = tree.Choose(STR, self.as_truth(sign_, node), sign_, self.text(match["sign"]))
        if match["alt"] and kind in ("x", "X", "o", "b"):
            sign_ = self.library("concat", sign_, self.text("0" + kind), node=node)
        if match["group"]:
            sign_ = self.once(sign_, before)
            is_filled = fill == "0" and align == "="
            wanted = tree.Op(INT, "wsub", (const(width), self.length(sign_))) if is_filled else const(0)
            by = self.text(match["group"])
            if isinstance(value.type, FloatType):
                body = self.library("grouped_float", body, by, wanted, node=node)
            else:
                size = const(4 if kind in ("x", "X", "o", "b") else 3)
                body = self.library("grouped", body, by, size, wanted, node=node)
        made = self.library("filled", sign_, body, self.text(fill), self.text(align), const(width), node=node)
        return tree.Do(STR, before, made) if before else made

    def _int_parts(self, value: tree.Expr, kind: str, group: str | None, node: ast.AST) -> tuple[tree.Expr, tree.Expr]:
        base = {"d": 10, "n": 10, "x": 16, "X": 16, "b": 2, "o": 8}.get(kind)
        if base is None or (group == "," and base != 10):
            self.unsupported(f"the format type `{kind}` of an integer is", node, "types of integers are d, x, X, b, o")
        negative = tree.Const(BOOL, False) if value.type is U64 else tree.Op(BOOL, "slt", (value, const(0)))
        minus = tree.Choose(STR, negative, self.text("-"), self.text(""))
        size = tree.Choose(INT, negative, tree.Op(INT, "wsub", (const(0), value)), value)
        body = self.library("digits", size, const(base), tree.Const(BOOL, kind == "X"), node=node)
        return minus, body

    def _float_parts(self, value: tree.Expr, precision: int, scale: int, node: ast.AST) -> tuple[tree.Expr, tree.Expr]:
        if scale:
            value = tree.Op(FLOAT, "fmul", (value, tree.Const(FLOAT, 100.0)))
        before: list[tree.Statement] = []
        value = self.once(self.rounded(value, FLOAT), before)
        minus = tree.Choose(STR, self.library("is_negative", value, node=node), self.text("-"), self.text(""))
        return tree.Do(STR, before, minus), self.library("fixed", value, const(precision), node=node)

    # ── lists ──

    def _list_of(self, node: ast.expr, want: Type | None) -> tree.Expr:
        """An iterable as a list."""
        if isinstance(node, ast.GeneratorExp):
            return self.comprehension(node, want)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("range", "reversed", "map", "filter", "zip", "enumerate")
        ):
            return self._collected(node, want)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("keys", "values")
            and not node.args
        ):
            return self._collected(node, want)
        value = self.expr(node, want)
        if isinstance(value.type, ListType):
            return value
        if isinstance(value.type, TextType | DictType):
            return self._collected(node, want)
        self.refuse(codes.MISMATCH, f"a list is wanted here, not {show(value.type)}", node, "write a list")

    def _collected(self, node: ast.expr, want: Type | None) -> tree.Expr:
        walk = self.walk(node)
        if len(walk.items) != 1:
            self.unsupported("a list of pairs is", node, "use a dataclass for the pair")
        item = walk.items[0]
        kind = want.element if isinstance(want, ListType) else self.widest(item.type)
        out = tree.Variable("list", ListType(kind))
        before: list[tree.Statement] = []
        value = self.once(self.coerce(item, kind, node), before)
        append = tree.Run(self.library("list_append", tree.Local(out.type, out), value, node=node))
        start = tree.Set(out, tree.NewList(out.type, []))
        return tree.Do(
            out.type,
            [start, *walk.before, tree.Loop(walk.test, [*walk.head, *before, append], walk.step)],
            tree.Local(out.type, out),
        )

    def _ordered(self, kind: ListType, node: ast.AST) -> None:
        if not isinstance(kind.element, IntType | FloatType | BoolType | TextType):
            self.refuse(
                codes.OPERANDS,
                f"values of {show(kind.element)} have no order",
                node,
                "sort a list of numbers or texts that say which comes first",
            )

    def _list_append(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        (item,) = self._arity(node, "append", 1, 1)
        return self.library("list_append", value, self.value(item, kind.element), node=node)

    def _list_pop(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        args = self._arity(node, "pop", 0, 1)
        return self.library("list_pop", value, self.value(args[0], INT) if args else const(-1), node=node)

    def _list_insert(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        index, item = self._arity(node, "insert", 2, 2)
        return self.library("list_insert", value, self.value(index, INT), self.value(item, kind.element), node=node)

    def _list_extend(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        (item,) = self._arity(node, "extend", 1, 1)
        return self.extend(value, kind, item, node)

    def extend(self, value: tree.Expr, kind: ListType, item: ast.expr, node: ast.AST) -> tree.Expr:
        """`value += item`."""
        others = self.expr(item, kind) if not isinstance(item, ast.GeneratorExp) else self.comprehension(item, kind)
        if kind.element is U8 and others.type is BYTES:
            return self.library("list_extend_bytes", value, others, node=node)
        if others.type != kind and isinstance(others.type, TextType | DictType):
            others = self._collected(item, kind)
        return self.library("list_extend", value, self.coerce(others, kind, item), node=node)

    def _list_remove(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        (item,) = self._arity(node, "remove", 1, 1)
        return self.library("list_remove", value, self.value(item, kind.element), node=node)

    def _list_index(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        (item,) = self._arity(node, "index", 1, 1)
        return self.library("list_index", value, self.value(item, kind.element), node=node)

    def _list_count(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        (item,) = self._arity(node, "count", 1, 1)
        return self.library("list_count", value, self.value(item, kind.element), node=node)

    def _list_clear(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        self._arity(node, "clear", 0, 0)
        return self.library("set_length", value, const(0), node=node)

    def _list_reverse(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        self._arity(node, "reverse", 0, 0)
        return self.library("list_reverse", value, node=node)

    def _list_copy(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        self._arity(node, "copy", 0, 0)
        return self.library("list_slice", value, const(0), const(MOST), node=node)

    def _list_sort(self, value: tree.Expr, kind: ListType, node: ast.Call) -> tree.Expr:
        if node.args:
            self.refuse(codes.ARGUMENTS, "sort takes `reverse=` only", node, "write sort() or sort(reverse=True)")
        return self.library("list_sort", value, self._reverse(node, kind), node=node)

    def _reverse(self, node: ast.Call, kind: ListType) -> tree.Expr:
        reverse: tree.Expr = tree.Const(BOOL, False)
        for keyword in node.keywords:
            if keyword.arg != "reverse":
                self.unsupported(
                    f"`{keyword.arg}=` of sorting is",
                    keyword.value,
                    "sort a list of numbers or texts that say which comes first",
                )
            reverse = self.truth(keyword.value)
        self._ordered(kind, node)
        return reverse

    # ── dicts ──

    def _dict_method(self, value: tree.Expr, kind: DictType, name: str, node: ast.Call) -> tree.Expr:
        least, most = {"get": (1, 2), "pop": (1, 2), "setdefault": (2, 2), "update": (1, 1)}.get(name, (0, 0))
        args = self._arity(node, name, least, most)
        match name:
            case "get" | "pop" | "setdefault":
                key = self.value(args[0], kind.key)
                if name == "setdefault":
                    return self.library("dict_set_default", value, key, self.value(args[1], kind.value), node=node)
                if len(args) == 2 and not (
                    isinstance(args[1], ast.Constant)
                    and args[1].value is None
                    and not isinstance(kind.value, OptionalType)
                ):
                    other = self.value(args[1], kind.value)
                    return self.library("dict_get_or" if name == "get" else "dict_pop_or", value, key, other, node=node)
                if name == "pop":
                    return self.library("dict_pop" if len(args) == 1 else "dict_pop_find", value, key, node=node)
                if isinstance(kind.value, OptionalType):
                    return self.library("dict_get_or", value, key, tree.Const(kind.value, 0), node=node)
                return self.library("dict_find", value, key, node=node)
            case "keys" | "values":
                return self.library(f"dict_{name}", value, node=node)
            case "items":
                self.unsupported("a list of pairs is", node, "go through it: `for key, value in d.items():`")
            case "update":
                return self.library("dict_update", value, self.value(args[0], kind), node=node)
            case _:
                return self.library(f"dict_{name}", value, node=node)

    # ── builtins ──

    def _builtin_len(self, node: ast.Call, _: Type | None) -> tree.Expr:
        value = self.expr(self._arity(node, "len", 1, 1)[0])
        if not isinstance(value.type, TextType | ListType | DictType):
            self.refuse(
                codes.OPERANDS, f"{show(value.type)} has no length", node, "len takes a list, dict, str or bytes"
            )
        return self.length(value)

    def _builtin_str(self, node: ast.Call, _: Type | None) -> tree.Expr:
        args = self._arity(node, "str", 0, 1)
        return self.show(self.expr(args[0]), node) if args else self.text("")

    def _builtin_repr(self, node: ast.Call, _: Type | None) -> tree.Expr:
        self.unsupported("repr is", node, "use str(…) or an f-string")

    def _builtin_bool(self, node: ast.Call, _: Type | None) -> tree.Expr:
        args = self._arity(node, "bool", 0, 1)
        return self.truth(args[0]) if args else tree.Const(BOOL, False)

    def _builtin_int(self, node: ast.Call, _: Type | None) -> tree.Expr:
        args = self._arity(node, "int", 0, 2)
        if len(args) == 2:
            base = self.expr(args[1])
            if not isinstance(base, tree.Const) or not isinstance(base.type, IntType) or not 2 <= base.value <= 36:
                self.unsupported("a base that is no number from 2 to 36 is", args[1], "write the base as a number")
            return self.library("parse_int", self.value(args[0], STR), base, node=node)
        return self.coerce(self._to_int(args[0], node), INT, node) if args else const(0)

    def _to_int(self, arg: ast.expr, node: ast.AST, kind: Type = INT) -> tree.Expr:
        """An integer of what can become one. kind: U64 for one that may need all 64 bits."""
        value = self.expr(arg)
        if kind is U64 and (isinstance(value.type, FloatType) or value.type is STR):
            given = value if value.type is STR else self.rounded(value, FLOAT)
            made = self.library("parse_u64" if value.type is STR else "float_u64", given, node=node)
            made.type = U64
            return made
        match value.type:
            case IntType():
                return value
            case BoolType():
                return tree.Op(INT, "extend", (value,))
            case FloatType():
                return self.library("float_int", self.rounded(value, FLOAT), node=node)
            case TextType() if value.type is STR:
                return self.library("parse_int", value, const(10), node=node)
            case _:
                self.refuse(codes.OPERANDS, f"{show(value.type)} is no number", arg, "int takes numbers and texts")

    def _builtin_float(self, node: ast.Call, _: Type | None) -> tree.Expr:
        args = self._arity(node, "float", 0, 1)
        return self._to_float(node, args) if args else tree.Const(FLOAT, 0.0)

    def _to_float(self, node: ast.Call, args: list[ast.expr]) -> tree.Expr:
        value = self._number(self.expr(args[0]))
        match value.type:
            case IntType():
                return self.as_float(value)
            case FloatType():
                return self.rounded(value, FLOAT)
            case TextType() if value.type is STR:
                return self.library("parse_float", value, node=node)
            case _:
                self.refuse(codes.OPERANDS, f"{show(value.type)} is no number", node, "float takes numbers and texts")

    def _builtin_bytes(self, node: ast.Call, _: Type | None) -> tree.Expr:
        args = self._arity(node, "bytes", 0, 2)
        if not args:
            return tree.Text(BYTES, b"")
        value = self.expr(args[0]) if not isinstance(args[0], ast.GeneratorExp) else self.comprehension(args[0], None)
        if len(args) == 2 or value.type is STR:
            self.refuse(codes.ARGUMENTS, "bytes of a text is an encoding", node, "write text.encode()")
        match value.type:
            case TextType():
                return value
            case ListType() if isinstance(value.type.element, IntType):
                return self.library("bytes_of", value, node=node)
            case IntType():
                return self.library("zeros", self.coerce(value, INT, node), node=node)
            case _:
                self.refuse(
                    codes.OPERANDS,
                    f"{show(value.type)} cannot become bytes",
                    node,
                    "bytes takes a list of numbers, or a count",
                )

    def _builtin_bytearray(self, node: ast.Call, _: Type | None) -> tree.Expr:
        args = self._arity(node, "bytearray", 0, 1)
        kind = ListType(U8)
        if not args:
            return self.empty(kind)
        value = self.expr(args[0])
        if isinstance(value.type, IntType):
            value = self.library("zeros", self.coerce(value, INT, node), node=node)
        if value.type == kind:
            return self.library("list_slice", value, const(0), const(MOST), node=node)
        if isinstance(value.type, ListType) and isinstance(value.type.element, IntType):
            value = self.library("bytes_of", value, node=node)
        if value.type is not BYTES:
            self.refuse(
                codes.OPERANDS,
                f"{show(value.type)} cannot become a bytearray",
                node,
                "bytearray takes bytes, a list of numbers, or a count",
            )
        return self.library("octets", value, node=node, bound={"N": U8})

    def _builtin_list(self, node: ast.Call, want: Type | None) -> tree.Expr:
        args = self._arity(node, "list", 0, 1)
        if not args:
            if not isinstance(want, ListType):
                self.refuse(
                    codes.UNCLEAR,
                    "the type of an empty list cannot be told",
                    node,
                    "annotate the variable: `x: list[int] = []`",
                )
            return self.empty(want)
        made = self._list_of(args[0], want)
        if isinstance(made, tree.Do) or not isinstance(made.type, ListType):
            return made
        return self.library("list_slice", made, const(0), const(MOST), node=node)

    def _builtin_dict(self, node: ast.Call, want: Type | None) -> tree.Expr:
        args = self._arity(node, "dict", 0, 1)
        if args:
            value = self.expr(args[0], want)
            if isinstance(value.type, DictType):
                return self.library("dict_copy", value, node=node)
        if args or not isinstance(want, DictType):
            self.refuse(
                codes.UNCLEAR,
                "the type of the dict cannot be told",
                node,
                "annotate the variable: `x: dict[str, int] = {}`",
            )
        return self.empty(want)

    def _builtin_sorted(self, node: ast.Call, want: Type | None) -> tree.Expr:
        if len(node.args) != 1:
            self.refuse(codes.ARGUMENTS, f"sorted takes 1 argument, not {len(node.args)}", node, "write sorted(values)")
        values = self._list_of(node.args[0], want)
        assert isinstance(values.type, ListType)
        reverse = self._reverse(node, values.type)
        out = tree.Variable("sorted", values.type)
        local = tree.Local(values.type, out)
        copy = (
            values
            if isinstance(values, tree.Do)
            else self.library("list_slice", values, const(0), const(MOST), node=node)
        )
        return tree.Do(
            values.type, [tree.Set(out, copy), tree.Run(self.library("list_sort", local, reverse, node=node))], local
        )

    def _builtin_reversed(self, node: ast.Call, want: Type | None) -> tree.Expr:
        assert isinstance(node.func, ast.Name)
        remedy = "go through it, make a list of it, or slice with [::-1]"
        if node.func.id != "reversed":
            remedy = "go through it with `for` or a comprehension"
        self.unsupported(f"{node.func.id} as a value is", node, remedy)

    _builtin_range = _builtin_enumerate = _builtin_zip = _builtin_reversed

    def _builtin_sum(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self.sum_of(node)

    def _builtin_any(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self.quantified(node, True)

    def _builtin_all(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self.quantified(node, False)

    def _builtin_min(self, node: ast.Call, want: Type | None) -> tree.Expr:
        return self._extreme(node, "min", want)

    def _builtin_max(self, node: ast.Call, want: Type | None) -> tree.Expr:
        return self._extreme(node, "max", want)

    def _extreme(self, node: ast.Call, name: str, want: Type | None) -> tree.Expr:
        if node.keywords:
            self.unsupported(f"`{node.keywords[0].arg}=` of {name} is", node.keywords[0].value, "use a loop")
        if not node.args:
            self.refuse(codes.ARGUMENTS, f"{name} needs arguments", node, f"write {name}(a, b) or {name}(values)")
        if len(node.args) == 1:
            values = self._list_of(node.args[0], None)
            assert isinstance(values.type, ListType)
            self._ordered(values.type, node)
            return self.library(f"list_{name}", values, node=node)
        made = [self.expr(arg) for arg in node.args]
        kind = self.join([value.type for value in made], node)
        if not self.trusted and kind is U64 and any(v.type is not U64 and not isinstance(v, tree.Const) for v in made):
            for value in made[1:]:
                self.together(made[0], value, node, name)
        self._ordered(ListType(kind), node)
        before: list[tree.Statement] = []
        out = self.once(self.coerce(made[0], kind, node), before)
        for value in made[1:]:
            other = self.once(self.coerce(value, kind, node), before)
            test = self.less(other, out, node) if name == "min" else self.less(out, other, node)
            out = self.once(tree.Choose(kind, test, other, out), before)
        return tree.Do(kind, before, out)

    def _builtin_abs(self, node: ast.Call, _: Type | None) -> tree.Expr:
        value = self._number(self.expr(self._arity(node, "abs", 1, 1)[0]))
        if isinstance(value.type, FloatType):
            return tree.Op(FLOAT, "fabs", (value,))
        if isinstance(value.type, IntType):
            return value if value.type.least == 0 else self.library("int_abs", value, node=node)
        self.refuse(codes.OPERANDS, f"{show(value.type)} is no number", node, "abs takes a number")

    def _builtin_pow(self, node: ast.Call, _: Type | None) -> tree.Expr:
        left, right = self._arity(node, "pow", 2, 2)
        return self.binary(ast.Pow(), self.expr(left), self.expr(right), node)

    def _builtin_round(self, node: ast.Call, _: Type | None) -> tree.Expr:
        value = self._number(self.expr(self._arity(node, "round", 1, 1)[0]))
        if isinstance(value.type, IntType):
            return value
        if isinstance(value.type, FloatType):
            return self.library("float_int", tree.Op(FLOAT, "roundeven", (value,)), node=node)
        self.refuse(codes.OPERANDS, f"{show(value.type)} is no number", node, "round takes a number")

    def _builtin_ord(self, node: ast.Call, _: Type | None) -> tree.Expr:
        made = self.library("ord_of", self.value(self._arity(node, "ord", 1, 1)[0], STR), node=node)
        made.type = U32
        return made

    def _builtin_chr(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self.library("chr_of", self.value(self._arity(node, "chr", 1, 1)[0], INT), node=node)

    def _based(self, node: ast.Call, name: str, base: int) -> tree.Expr:
        value = self.value(self._arity(node, name, 1, 1)[0], INT)
        return self.library(
            "show_based", value, const(base), self.text("0" + {16: "x", 8: "o", 2: "b"}[base]), node=node
        )

    def _builtin_hex(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self._based(node, "hex", 16)

    def _builtin_oct(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self._based(node, "oct", 8)

    def _builtin_bin(self, node: ast.Call, _: Type | None) -> tree.Expr:
        return self._based(node, "bin", 2)

    def _builtin_isinstance(self, node: ast.Call, _: Type | None) -> tree.Expr:
        self.unsupported("isinstance is", node, "every value has the type it was declared with")

    def _builtin_map(self, node: ast.Call, _: Type | None) -> tree.Expr:
        self.unsupported("map is", node, "write a comprehension")

    _builtin_filter = _builtin_map

    def _math(self, name: str, node: ast.Call) -> tree.Expr:
        if name not in _MATH:
            self.refuse(codes.ATTRIBUTE, f"math has no `{name}` in a module", node.func, f"it has {', '.join(_MATH)}")
        value = self._number(self.expr(self._arity(node, f"math.{name}", 1, 1)[0]))
        if not isinstance(value.type, IntType | FloatType):
            self.refuse(codes.OPERANDS, f"{show(value.type)} is no number", node, f"math.{name} takes a number")
        if isinstance(value.type, IntType) and _MATH[name] is INT:
            return value
        value = self.rounded(self._as_float(value), FLOAT)
        if name == "sqrt":
            return self.library("float_sqrt", value, node=node)
        if name == "fabs":
            return tree.Op(FLOAT, "fabs", (value,))
        if _MATH[name] is BOOL:
            return self.library({"isnan": "is_nan", "isinf": "is_inf", "isfinite": "is_finite"}[name], value, node=node)
        return self.library("float_int", tree.Op(FLOAT, name, (value,)), node=node)

    def math_constant(self, node: ast.Attribute) -> tree.Expr:
        """`math.pi` and others."""
        if node.attr not in _MATH_CONSTANTS:
            self.refuse(
                codes.ATTRIBUTE, f"math has no `{node.attr}` in a module", node, f"it has {', '.join(_MATH_CONSTANTS)}"
            )
        return tree.Const(FLOAT, _MATH_CONSTANTS[node.attr])


def _signature(name: str, parameters: list[tree.Variable]) -> str:
    return f"{name}({', '.join(f'{p.name}: {show(p.type)}' for p in parameters)})"
