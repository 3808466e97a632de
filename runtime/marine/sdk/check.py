"""A source file as a checked program: what stands outside of functions, then every body, then what of the library they use.

Input:  SourceFile. Output: tree.Program with the functions emitted code needs, the interface description, and diagnostics.
Errors: findings only; nothing is raised for a wrong program.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aquac.diagnostics import Diagnostic, has_errors
from aquac.source import Span

from . import codes, tree
from .emit import ABI, HOST_API, Support, is_scalar, may_be_cut_off
from .scope import PRELUDE, PRELUDE_NAMES, Constant, Context, Declared, Known, Refused, ServiceValue
from .statements import Body
from .types import (
    INT,
    NONE,
    STR,
    DictType,
    Field,
    ListType,
    NoneType,
    OptionalType,
    RecordType,
    ServiceType,
    Type,
    interface_name,
    is_object,
    parts,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquac.source import SourceFile

RESERVED: Final = frozenset({*ABI, "memory", "_start", "_initialize", "__heap_base", "__data_end"})
ARGUMENTS_MAX: Final = 120
_MODULES: Final = frozenset({"math"})


@dataclass(slots=True)
class Checked:
    """What a file says. `support` is None when there are errors. `places`: where exported functions are."""

    program: tree.Program
    interface: dict[str, Any]
    diagnostics: list[Diagnostic]
    support: Support | None
    places: dict[str, Span]


def check(file: SourceFile, *, logging: bool = True) -> Checked:
    """Check a file. `logging`: whether the module may use the host's log."""
    return _Module(Context(file, logging=logging)).check()


class _Module:
    """The checker of a file."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._functions: list[Declared] = []
        self._exports: list[tuple[Declared, ast.FunctionDef]] = []
        self._services: list[tuple[ServiceType, ast.ClassDef]] = []
        self._records: list[tuple[RecordType, ast.ClassDef]] = []
        self._starts: list[tuple[tree.Slot, list[tree.Statement], ast.stmt]] = []
        self._hook: Declared | None = None

    def check(self) -> Checked:
        """All passes."""
        context = self._context
        parsed = self._parse()
        if parsed is not None:
            self._declare(parsed)
        program = context.program
        if parsed is not None and not self._exports and not has_errors(context.diagnostics):
            context.report(
                codes.NOTHING_EXPORTED,
                "the module exports nothing",
                None,
                "put @export above a function that callers may use",
            )
        order = {id(d): n for n, d in enumerate(context.diagnostics)}
        context.diagnostics.sort(key=lambda d: (d.span.start if d.span else -1, order[id(d)]))
        if has_errors(context.diagnostics):
            return Checked(program, {}, context.diagnostics, None, {})
        support = self._support()
        self._drain()
        program.exports = [(declared.name, declared.function) for declared, _ in self._exports]
        if self._starts:
            program.initialize = next(f for f in program.functions if f.symbol == "initialize")
        program.start = None if self._hook is None else self._hook.function
        places = {declared.name: context.span(node) for declared, node in self._exports}
        return Checked(program, self._interface(), context.diagnostics, support, places)

    def _parse(self) -> ast.Module | None:
        context = self._context
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(context.file.text)
        except SyntaxError as error:
            starts = context.file.lines.starts
            line = min(max(error.lineno or 1, 1), len(starts))
            at = min(starts[line - 1] + max((error.offset or 1) - 1, 0), len(context.file.text))
            context.diagnostics.append(
                Diagnostic(codes.SYNTAX, f"not Python: {error.msg}", context.file, Span(at, at + 1))
            )
        except (ValueError, RecursionError, MemoryError) as error:
            text = "nesting is too deep" if isinstance(error, RecursionError | MemoryError) else str(error)
            context.diagnostics.append(Diagnostic(codes.SYNTAX, f"not Python: {text}", context.file, Span(0, 1)))
        return None

    # ── declarations ──

    def _declare(self, parsed: ast.Module) -> None:
        changed = {name for node in ast.walk(parsed) if isinstance(node, ast.Global) for name in node.names}
        rest: list[ast.stmt] = []
        functions: list[ast.FunctionDef] = []
        for node in parsed.body:
            try:
                match node:
                    case ast.Import() | ast.ImportFrom():
                        self._import(node)
                    case ast.ClassDef():
                        self._class(node)
                    case ast.FunctionDef():
                        functions.append(node)
                    case ast.Expr(value=ast.Constant()):
                        pass
                    case ast.If() if _is_main(node) or _is_type_checking(node):
                        pass
                    case ast.Assign() | ast.AnnAssign():
                        rest.append(node)
                    case _:
                        self._context.refuse(
                            codes.TOP_LEVEL,
                            "only imports, classes, functions and variables can stand outside of functions",
                            node,
                            "move it into a function; one marked @start runs when the module is loaded",
                        )
            except Refused:
                self._break(node)
        for record, item in self._records:
            self._fields(record, item)
        self._refuse_recursion()
        for service, item in self._services:
            self._stubs(service, item)
        for function in functions:
            self._quietly(function, partial(self._function, function))
        for record, item in self._records:
            self._methods(record, item)
        initialize = Declared(
            "initialize",
            ast.FunctionDef("initialize", _no_arguments(), [ast.Pass()], []),
            tree.Function("initialize", [], NONE),
            [],
        )
        body = Body(self._context, initialize)
        for statement in rest:
            self._quietly(statement, partial(self._variable, statement, changed, body))
        for declared in self._functions:
            Body(self._context, declared).check()
        for declared, node in self._exports:
            self._quietly(node, partial(self._check_export, declared, node))
        if self._starts:
            for _, statements, _ in self._starts:
                initialize.function.body += statements
            self._context.program.functions.append(initialize.function)
            self._check_order()
        self._drain()

    def _quietly(self, node: ast.stmt, job: Any) -> None:
        try:
            job()
        except Refused:
            self._break(node)

    def _break(self, node: ast.stmt) -> None:
        """Remember the names of a definition that was refused."""
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                names = [node.name]
            case ast.Import() | ast.ImportFrom():
                names = [alias.asname or alias.name for alias in node.names]
            case _:
                names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        self._context.broken |= {name for name in names if name not in self._context.names}

    def _drain(self) -> None:
        """Check what of the library is used, and what that uses."""
        queue = self._context.queue
        while queue:
            Body(self._context, queue.pop()).check()

    def _name(self, name: str, node: ast.AST) -> None:
        """Refuse a name that is taken."""
        if name in self._context.names:
            self._context.refuse(codes.NAME_TAKEN, f"`{name}` is defined already", node, "choose another name")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        context = self._context
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level == 0 and module in (PRELUDE, f"{PRELUDE}.prelude"):
                for alias in node.names:
                    if alias.name not in PRELUDE_NAMES:
                        context.report(
                            codes.IMPORT,
                            f"{PRELUDE} has no `{alias.name}` for modules",
                            node,
                            f"it has {', '.join(sorted(PRELUDE_NAMES))}",
                        )
                        context.broken.add(alias.asname or alias.name)
                        continue
                    self._name(alias.asname or alias.name, node)
                    context.names[alias.asname or alias.name] = Known(alias.name)
                return
            if node.level == 0 and module == "dataclasses" and {a.name for a in node.names} <= {"dataclass", "field"}:
                for alias in node.names:
                    context.names[alias.asname or alias.name] = Known(alias.name)
                return
            if node.level == 0 and module in ("__future__", "typing", "collections.abc"):
                return
            context.refuse(
                codes.IMPORT,
                f"`{'.' * node.level}{module}` cannot be imported into a module",
                node,
                f"modules import from {PRELUDE} and dataclasses; put what is missing into this file, or into another module of the service",
            )
        for alias in node.names:
            if alias.name not in _MODULES:
                context.refuse(
                    codes.IMPORT, f"`{alias.name}` cannot be imported into a module", node, "modules may import math"
                )
            context.names[alias.asname or alias.name] = Known(f"module {alias.name}")

    def _class(self, node: ast.ClassDef) -> None:
        context = self._context
        self._name(node.name, node)
        if node.bases or node.keywords:
            context.refuse(
                codes.UNSUPPORTED,
                "inheritance is not part of the module language",
                node,
                "repeat the fields, or keep the other record in a field",
            )
        if len(node.decorator_list) == 1:
            match node.decorator_list[0]:
                case ast.Name(id=name) if self._known(name) == "dataclass":
                    self._record(node, {})
                    return
                case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords) if self._known(name) == "dataclass":
                    flags = {k.arg: k.value.value for k in keywords if k.arg and isinstance(k.value, ast.Constant)}
                    if (
                        len(flags) == len(keywords)
                        and flags.keys() <= {"frozen", "eq", "slots", "repr", "kw_only"}
                        and not flags.get("kw_only")
                    ):
                        self._record(node, flags)
                        return
                    context.refuse(
                        codes.DECORATOR,
                        "this form of @dataclass is not part of the module language",
                        node.decorator_list[0],
                        "write @dataclass or @dataclass(frozen=True)",
                    )
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str() as other)], keywords=[]) if (
                    self._known(name) == "service"
                ):
                    service = ServiceType(node.name, HOST_API if other == "host" else other)
                    context.names[node.name] = service
                    self._services.append((service, node))
                    return
                case _:
                    pass
        context.refuse(
            codes.DECORATOR,
            f"class {node.name} is neither a dataclass nor a service",
            node,
            'put @dataclass above it (of `dataclasses`), or @service("name of the module")',
        )

    def _known(self, name: str) -> str | None:
        found = self._context.names.get(name)
        return found.name if isinstance(found, Known) else None

    def _record(self, node: ast.ClassDef, flags: dict[str, Any]) -> None:
        record = RecordType(node.name, compared=flags.get("eq", True), frozen=flags.get("frozen", False))
        self._context.names[node.name] = record
        self._records.append((record, node))

    def _fields(self, record: RecordType, node: ast.ClassDef) -> None:
        context = self._context
        for item in node.body:
            try:
                match item:
                    case ast.AnnAssign(target=ast.Name(id=name)):
                        kind = context.resolve(item.annotation)
                        if isinstance(kind, NoneType | ServiceType):
                            context.refuse(
                                codes.ANNOTATION,
                                f"a field cannot be {show(kind)}",
                                item.annotation,
                                "name the type of its values",
                            )
                        if record.index(name) is not None:
                            context.refuse(
                                codes.NAME_TAKEN, f"`{name}` is defined already", item, "choose another name"
                            )
                        record.fields.append(Field(name, kind, self._default(item.value)))
                    case ast.FunctionDef() | ast.Pass() | ast.Expr(value=ast.Constant()):
                        pass
                    case _:
                        context.refuse(
                            codes.UNSUPPORTED,
                            "only fields and methods can stand in a dataclass",
                            item,
                            "write `name: type`",
                        )
            except Refused:
                pass

    def _default(self, value: ast.expr | None) -> object:
        match value:
            case None:
                return None
            case ast.Constant() | ast.UnaryOp(operand=ast.Constant()):
                return value
            case ast.Name(id=name) if name not in self._context.names or isinstance(
                self._context.names[name], Constant
            ):
                return value
            case ast.Call(func=ast.Name(id=name), args=[], keywords=[ast.keyword(arg="default", value=inner)]) if (
                self._known(name) == "field"
            ):
                return self._default(inner)
            case ast.Call(
                func=ast.Name(id=name), args=[], keywords=[ast.keyword(arg="default_factory", value=ast.Name(id=made))]
            ) if self._known(name) == "field":
                if made in ("list", "dict", "bytearray"):
                    return dict if made == "dict" else list
                return ast.copy_location(ast.Call(ast.copy_location(ast.Name(made, ast.Load()), value), [], []), value)
            case _:
                self._context.refuse(
                    codes.UNSUPPORTED,
                    "this default is not part of the module language",
                    value,
                    "defaults are numbers, texts, None, and field(default_factory=list)",
                )

    def _refuse_recursion(self) -> None:
        for record, node in self._records:
            seen: list[Type] = []
            waiting = list(parts(record))
            while waiting:
                kind = waiting.pop()
                if kind is record:
                    self._context.report(
                        codes.RECURSIVE,
                        f"{record.name} contains itself",
                        node,
                        "keep all of them in one list, and refer to others by their places in it",
                    )
                    for field in record.fields:  # so that nothing follows it around
                        field.type = STR
                    break
                if not any(kind is item for item in seen):
                    seen.append(kind)
                    waiting += parts(kind)

    def _parameters(self, node: ast.FunctionDef, skip: int) -> tuple[list[tree.Variable], list[ast.expr | None]]:
        context, args = self._context, node.args
        for extra in (args.vararg, args.kwarg, *args.kwonlyargs, *args.posonlyargs):
            if extra is not None:
                context.refuse(
                    codes.UNSUPPORTED,
                    "`*`, `**` and `/` are not part of the module language",
                    extra,
                    "write plain arguments",
                )
        names, out = args.args[skip:], []
        for arg in names:
            if arg.annotation is None:
                context.refuse(
                    codes.ANNOTATION, f"`{arg.arg}` has no type", arg, f"annotate it, as in `{arg.arg}: int`"
                )
            kind = context.resolve(arg.annotation)
            if isinstance(kind, NoneType | ServiceType):
                context.refuse(
                    codes.ANNOTATION,
                    f"an argument cannot be {show(kind)}",
                    arg.annotation,
                    "name the type of its values",
                )
            out.append(tree.Variable(arg.arg, kind))
        defaults: list[ast.expr | None] = [None] * (len(names) - len(args.defaults)) + list(args.defaults)
        for default in args.defaults:
            if not isinstance(default, ast.Constant | ast.UnaryOp | ast.Name):
                context.refuse(
                    codes.UNSUPPORTED,
                    "this default is not part of the module language",
                    default,
                    "defaults are numbers, texts, constants and None",
                )
        return out, defaults

    def _function(self, node: ast.FunctionDef) -> None:
        self._name(node.name, node)
        kinds = set()
        for decorator in node.decorator_list:
            known = self._known(decorator.id) if isinstance(decorator, ast.Name) else None
            if known not in ("export", "start"):
                self._context.report(
                    codes.DECORATOR,
                    "this decorator is not part of the module language",
                    decorator,
                    "functions may have @export or @start",
                )
            kinds.add(known)
        parameters, defaults = self._parameters(node, 0)
        function = tree.Function(f"py.{node.name}", parameters, self._context.resolve(node.returns))
        declared = Declared(node.name, node, function, defaults)
        self._add(declared)
        self._context.names[node.name] = declared
        if "export" in kinds:
            self._exports.append((declared, node))
        if "start" in kinds:
            if parameters or not isinstance(function.result, NoneType):
                self._context.refuse(
                    codes.INTERFACE,
                    "the function that runs at the start takes and returns nothing",
                    node,
                    f"write `def {node.name}() -> None:`",
                )
            if self._hook is not None:
                self._context.refuse(
                    codes.INTERFACE, "there are two functions marked @start", node, "call one from the other"
                )
            self._hook = declared

    def _add(self, declared: Declared) -> None:
        if isinstance(declared.function.result, ServiceType):
            self._context.refuse(
                codes.ANNOTATION, "a service cannot be returned", declared.node, "return what it answers"
            )
        self._functions.append(declared)
        self._context.program.functions.append(declared.function)

    def _methods(self, record: RecordType, node: ast.ClassDef) -> None:
        for item in node.body:
            if not isinstance(item, ast.FunctionDef):
                continue
            try:
                if item.decorator_list:
                    self._context.refuse(
                        codes.DECORATOR,
                        "methods have no decorators",
                        item.decorator_list[0],
                        "write a plain method, or a function",
                    )
                if item.name.startswith("__"):
                    self._context.refuse(
                        codes.UNSUPPORTED,
                        f"`{item.name}` is not part of the module language",
                        item,
                        "write a method with a name of your own",
                    )
                if not item.args.args:
                    self._context.refuse(
                        codes.ANNOTATION, "a method needs `self`", item, f"write `def {item.name}(self, …)`"
                    )
                if record.index(item.name) is not None:
                    self._context.refuse(
                        codes.NAME_TAKEN, f"`{item.name}` is a field of {record.name}", item, "choose another name"
                    )
                parameters, defaults = self._parameters(item, 1)
                own = tree.Variable(item.args.args[0].arg, record)
                function = tree.Function(
                    f"py.{record.name}.{item.name}", [own, *parameters], self._context.resolve(item.returns)
                )
                declared = Declared(item.name, item, function, [None, *defaults], owner=record)
                record.methods[item.name] = declared
                self._add(declared)
            except Refused:
                pass

    def _stubs(self, service: ServiceType, node: ast.ClassDef) -> None:
        context = self._context
        for item in node.body:
            try:
                match item:
                    case ast.FunctionDef():
                        if item.decorator_list:
                            context.refuse(
                                codes.DECORATOR,
                                "functions of services have no decorators",
                                item.decorator_list[0],
                                "leave it out",
                            )
                        if not _is_stub(item):
                            context.refuse(
                                codes.INTERFACE,
                                f"`{item.name}` is another module's function: it has no body here",
                                item,
                                "write `...` as its body",
                            )
                        if not item.args.args or item.args.args[0].annotation is not None:
                            context.refuse(
                                codes.ANNOTATION,
                                "a function of a service needs `self`",
                                item,
                                f"write `def {item.name}(self, …)`",
                            )
                        parameters, _ = self._parameters(item, 1)
                        result = context.resolve(item.returns)
                        if service.namespace == HOST_API:
                            self._check_program(parameters, result, item)
                        for kind in [*(p.type for p in parameters), result]:
                            self._check_border(kind, item.name, item)
                        service.functions[item.name] = tree.Import(service.namespace, item.name, parameters, result)
                    case ast.Pass() | ast.Expr(value=ast.Constant()):
                        pass
                    case _:
                        context.refuse(
                            codes.UNSUPPORTED,
                            "only functions can stand in a service",
                            item,
                            "write `def name(self, …) -> type: ...`",
                        )
            except Refused:
                pass

    def _check_program(self, parameters: list[tree.Variable], result: Type, node: ast.FunctionDef) -> None:
        fits = (
            len(parameters) == 1
            and parameters[0].type == ListType(STR)
            and isinstance(result, RecordType)
            and result.name == "MountedBinaryResult"
        )
        if not fits or node.name in ("log_utf8_string", "get_call_parameters"):
            self._context.refuse(
                codes.HOST_FUNCTION,
                "a program of the host takes list[str] and returns MountedBinaryResult",
                node,
                f"write `def {node.name}(self, args: list[str]) -> MountedBinaryResult: ...`",
            )

    # ── the interface ──

    def _check_border(self, kind: Type, name: str, node: ast.AST) -> None:
        """Refuse types that other modules cannot be given."""
        waiting, seen = [kind], list[Type]()
        while waiting:
            part = waiting.pop()
            if isinstance(part, DictType):
                self._context.refuse(
                    codes.INTERFACE, f"`{name}`: a dict cannot leave the module", node, "use a list of dataclasses"
                )
            if isinstance(part, RecordType) and not part.fields:
                self._context.refuse(
                    codes.INTERFACE,
                    f"`{name}`: {part.name} has no fields, which modules cannot exchange",
                    node,
                    "give it a field",
                )
            if not any(part is item for item in seen):
                seen.append(part)
                waiting += parts(part)

    def _check_export(self, declared: Declared, node: ast.FunctionDef) -> None:
        if declared.name in RESERVED:
            self._context.refuse(
                codes.NAME_TAKEN,
                f"every module has a function `{declared.name}` of its own",
                node,
                "choose another name",
            )
        for parameter in declared.function.parameters:
            self._check_border(parameter.type, declared.name, node)
        self._check_border(declared.function.result, declared.name, node)

    def _interface(self) -> dict[str, Any]:
        functions = [_described(d.name, d.function.parameters, d.function.result) for d, _ in self._exports]
        modules: dict[str, list[dict[str, Any]]] = {}
        kinds = [
            kind for d, _ in self._exports for kind in (*(p.type for p in d.function.parameters), d.function.result)
        ]
        for item in self._context.program.imports:
            if not item.namespace.startswith(("__marine_host", "wasi_")):
                modules.setdefault(item.namespace, []).append(_described(item.name, item.parameters, item.result))
                kinds += [*(p.type for p in item.parameters), item.result]
        records = [
            {"name": record.name, "fields": [[f.name, interface_name(f.type)] for f in record.fields]}
            for record in _records(kinds)
        ]
        imports = [{"namespace": name, "functions": entries} for name, entries in modules.items()]
        return {"records": records, "functions": functions, "imports": imports}

    # ── variables ──

    def _variable(self, node: ast.stmt, changed: set[str], body: Body) -> None:
        context = self._context
        assert isinstance(node, ast.Assign | ast.AnnAssign)
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if not isinstance(target, ast.Name) or (isinstance(node, ast.Assign) and len(node.targets) > 1):
            context.refuse(codes.TOP_LEVEL, "variables of the module are set one by one", node, "write `name = value`")
        if node.value is None:
            context.refuse(codes.TOP_LEVEL, f"`{target.id}` has no value", node, f"write `{target.id}: … = …`")
        match node.value:
            case ast.Call(func=ast.Name(id=name), args=[], keywords=[]) if isinstance(
                context.names.get(name), ServiceType
            ):
                self._name(target.id, node)
                service = context.names[name]
                assert isinstance(service, ServiceType)
                context.names[target.id] = ServiceValue(service)
                return
            case _:
                pass
        self._name(target.id, node)
        broken = tree.Slot(target.id, NONE)
        context.names[target.id] = broken  # until its type is known, so that it is not reported as unknown
        kind = None if not isinstance(node, ast.AnnAssign) else context.resolve(node.annotation)
        if isinstance(kind, NoneType | ServiceType):
            context.refuse(codes.ANNOTATION, f"a variable cannot be {show(kind)}", node, "name the type of its values")
        value = body.expr(node.value, kind)
        value = body.coerce(value, body.widest(value.type) if kind is None else kind, node.value)
        if isinstance(value.type, NoneType):
            context.refuse(
                codes.UNCLEAR,
                f"the type of `{target.id}` cannot be told from None",
                node,
                f"annotate it: `{target.id}: int | None = None`",
            )
        if (
            isinstance(value, tree.Const | tree.Text)
            and target.id not in changed
            and not isinstance(value.type, OptionalType)
        ):
            context.names[target.id] = Constant(value)
            return
        slot = tree.Slot(target.id, value.type)
        context.names[target.id] = slot
        context.program.slots.append(slot)
        self._starts.append((slot, [tree.SetState(slot, value)], node))

    def _check_order(self) -> None:
        """A variable whose value needs a function that needs a variable further down."""
        order = {slot: number for number, (slot, _, _) in enumerate(self._starts)}
        for number, (slot, statements, node) in enumerate(self._starts):
            late = [
                used for used in _slots(statements) if used in order and order[used] >= number and is_object(used.type)
            ]
            if late:
                self._context.report(
                    codes.UNSET,
                    f"the value of `{slot.name}` needs `{late[0].name}`, which has none yet",
                    node,
                    f"move `{late[0].name}` above it",
                )

    # ── what emitted code calls ──

    def _support(self) -> Support:
        context = self._context
        helper = Body(
            context,
            Declared(
                "support",
                ast.FunctionDef("support", _no_arguments(), [], []),
                tree.Function("support", [], NONE, trusted=True),
                [],
            ),
        )
        takes: dict[Type, tree.Function] = {}
        lowers: dict[Type, tree.Function] = {}
        taken = [p.type for d, _ in self._exports for p in d.function.parameters] + [
            item.result for item in context.program.imports
        ]
        lowered = [d.function.result for d, _ in self._exports] + [
            p.type for item in context.program.imports for p in item.parameters
        ]
        for kind in taken:
            if not is_scalar(kind) and not isinstance(kind, NoneType):
                words = [tree.Const(INT, 0)] * (1 if isinstance(kind, RecordType) else 2)
                made = helper.take(kind, *words)
                assert isinstance(made, tree.Call)
                takes[kind] = made.function
        for kind in lowered:
            if not is_scalar(kind) and not isinstance(kind, NoneType):
                made = helper.lower(tree.Const(kind, 0))
                assert isinstance(made, tree.Call)
                lowers[kind] = made.function
        names = ["panic", "alloc", "allocate", "enter", "enter_plain", "leave"]
        traces: dict[Type, tree.Function] = {}
        if any(may_be_cut_off(item) for item in context.program.imports):
            names += ["ask", "asked", "cut_off", "begin_moving", "end_moving"]
            for kind in taken:
                if is_object(kind):
                    made = helper.trace(tree.Const(kind, 0))
                    while isinstance(made, tree.Op):
                        made = made.args[0]
                    assert isinstance(made, tree.Call)
                    traces[kind] = made.function
            traces[NONE] = context.made("trace_state", NONE, self._make_trace_state, [], NONE)
        functions = {name: context.instance(name, {}) for name in names}
        functions["collect"] = context.instance(context.collector(), {})
        return Support(functions, takes, lowers, traces)

    def _make_trace_state(self, function: tree.Function) -> None:
        body = Body(
            self._context, Declared("support", ast.FunctionDef("support", _no_arguments(), [], []), function, [])
        )
        call = ast.Call(ast.Name("trace_state", ast.Load()), [], [])
        function.body.append(tree.Run(body.trusted_call(call, None)))


def _described(name: str, parameters: list[tree.Variable], result: Type) -> dict[str, Any]:
    return {
        "name": name,
        "args": [[p.name, interface_name(p.type)] for p in parameters],
        "ret": None if isinstance(result, NoneType) else interface_name(result),
    }


def _records(kinds: Iterable[Type]) -> list[RecordType]:
    """Records in these types, those they contain first."""
    out: list[RecordType] = []

    def add(kind: Type) -> None:
        for part in parts(kind):
            add(part)
        if isinstance(kind, RecordType) and kind not in out:
            out.append(kind)

    for kind in kinds:
        add(kind)
    return out


def _slots(body: list[tree.Statement]) -> Iterator[tree.Slot]:
    """Variables of the module that statements read or write, also in what they call."""
    seen: set[tree.Function] = set()
    stack: list[Any] = [s.value if isinstance(s, tree.SetState) else s for s in body]
    while stack:
        item = stack.pop()
        if isinstance(item, list | tuple):
            stack += item
        elif isinstance(item, tree.Function):
            if item not in seen and not item.trusted:
                seen.add(item)
                stack.append(item.body)
        elif isinstance(item, tree.State | tree.SetState):
            yield item.slot
            if isinstance(item, tree.SetState):
                stack.append(item.value)
        elif hasattr(item, "__slots__") and not isinstance(
            item, tree.Variable | tree.Slot | tree.Import | RecordType | ServiceType
        ):
            stack += [getattr(item, name) for name in item.__slots__ if name not in ("type", "variable")]


def _is_main(node: ast.If) -> bool:
    return (
        isinstance(node.test, ast.Compare) and isinstance(node.test.left, ast.Name) and node.test.left.id == "__name__"
    )


def _is_type_checking(node: ast.If) -> bool:
    return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_stub(node: ast.FunctionDef) -> bool:
    for item in node.body:
        match item:
            case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.Raise():
                pass
            case _:
                return False
    return True


def _no_arguments() -> ast.arguments:
    return ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
