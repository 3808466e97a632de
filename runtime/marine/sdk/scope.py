"""What names stand for, where findings are collected, and the library as it was written.

Errors: findings are reported as diagnostics with a note that names the remedy; `Refused` then leaves the statement they are about.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from aquac.diagnostics import Diagnostic, Note
from aquac.source import Span

from . import codes, tree
from .types import (
    BYTES,
    INT,
    NAMED,
    NONE,
    S32,
    STR,
    U32,
    U64,
    BoolType,
    DictType,
    Field,
    IntType,
    ListType,
    NoneType,
    OptionalType,
    Parameter,
    RecordType,
    ServiceType,
    TextType,
    Type,
    is_object,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aquac.codes import Code
    from aquac.source import SourceFile

LIBRARY: Final = ("memory", "texts", "lists", "numbers", "floats", "dicts", "border", "logs")
PRELUDE: Final = "runtime.marine.sdk"


class Refused(Exception):
    """A finding was reported; what it is about is given up."""


@dataclass(eq=False, slots=True)
class Declared:
    """A function of the program, or an instance of one of the library.

    bound: types of an instance. owner: the record it is a method of.
    """

    name: str
    node: ast.FunctionDef
    function: tree.Function
    defaults: list[ast.expr | None]
    bound: dict[str, Type] = field(default_factory=dict)
    home: Written | None = None
    owner: RecordType | None = None


@dataclass(eq=False, slots=True)
class Constant:
    """A name for a number or text."""

    value: tree.Const | tree.Text


@dataclass(eq=False, slots=True)
class ServiceValue:
    """A variable that stands for another module."""

    service: ServiceType


@dataclass(frozen=True, slots=True)
class Known:
    """Something of the prelude, or a Python module."""

    name: str


Entity: TypeAlias = "Declared | Constant | tree.Slot | RecordType | ServiceType | ServiceValue | Known"


# ── the library as written ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass(eq=False, slots=True)
class Written:
    """A file of the library."""

    name: str
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    variables: dict[str, int] = field(default_factory=dict)


@lru_cache(maxsize=1)
def library() -> dict[str, tuple[Written, ast.FunctionDef]]:
    """All functions of the library."""
    out: dict[str, tuple[Written, ast.FunctionDef]] = {}
    folder = files(__package__) / "library"
    for name in LIBRARY:
        written = Written(name)
        parsed = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        changed = {n for node in ast.walk(parsed) if isinstance(node, ast.Global) for n in node.names}
        for node in parsed.body:
            if isinstance(node, ast.FunctionDef):
                written.functions[node.name] = node
                assert node.name not in out, node.name
                out[node.name] = (written, node)
            elif (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and not isinstance(node.value, ast.Call | ast.List)
            ):
                target = node.targets[0].id
                (written.variables if target in changed else written.constants)[target] = int(
                    ast.literal_eval(node.value)
                )
    return out


# ── findings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Context:
    """One compilation."""

    def __init__(self, file: SourceFile, *, logging: bool = True) -> None:
        self.file, self.logging = file, logging
        self.diagnostics: list[Diagnostic] = []
        self.names: dict[str, Entity] = {}
        self.broken: set[str] = set()
        """Names whose definition was refused: what uses them is not reported again."""
        self.program = tree.Program(PurePath(file.path).name)
        self.queue: list[Declared] = []
        self._instances: dict[tuple[str, tuple[tuple[str, Type], ...]], tree.Function] = {}
        self._library_slots: dict[tuple[str, str], tree.Slot] = {}
        self._made: dict[tuple[str, Type], tree.Function] = {}
        self._imports: dict[str, tree.Import] = {}
        self._builtin_records: dict[str, RecordType] = {}

    def report(self, code: Code, message: str, node: ast.AST | None, remedy: str = "") -> None:
        """Keep a finding. A place in the source is reported once."""
        span = None if node is None else self.span(node)
        found = Diagnostic(code, message, self.file, span, (Note(remedy),) if remedy else ())
        if found not in self.diagnostics:
            self.diagnostics.append(found)

    def refuse(self, code: Code, message: str, node: ast.AST | None, remedy: str = "") -> NoReturn:
        """Report, and give up the statement."""
        self.report(code, message, node, remedy)
        raise Refused

    def span(self, node: ast.AST) -> Span:
        """Place of a node of the syntax tree, which counts columns in bytes."""
        line = getattr(node, "lineno", 1)
        last = getattr(node, "end_lineno", line) or line
        return Span(
            self._offset(line, getattr(node, "col_offset", 0)),
            self._offset(last, getattr(node, "end_col_offset", 0) or 0),
        )

    def _offset(self, line: int, column: int) -> int:
        starts = self.file.lines.starts
        if line > len(starts):
            return len(self.file.text)
        start = starts[line - 1]
        end = starts[line] if line < len(starts) else len(self.file.text)
        return start + len(self.file.text[start:end].encode()[:column].decode(errors="ignore"))

    # ── types ──

    def resolve(self, node: ast.expr | None, bound: dict[str, Type] | None = None) -> Type:
        """The type an annotation names; `bound` has those of a library's type variables. Raises Refused."""
        if node is None:
            return NONE
        match node:
            case ast.Constant(value=None):
                return NONE
            case ast.Constant(value=str() as text):
                try:
                    return self.resolve(ast.copy_location(ast.parse(text, mode="eval").body, node), bound)
                except SyntaxError:
                    pass
            case ast.Name():
                found = self._named_type(node.id, bound)
                if found is not None:
                    return found
            case ast.Subscript(value=ast.Name(id="list"), slice=part):
                return ListType(self._part(part, bound))
            case ast.Subscript(value=ast.Name(id="Optional"), slice=part):
                return self._optional(part, bound)
            case ast.Subscript(value=ast.Name(id="dict" | "Table"), slice=ast.Tuple(elts=[key, value])):
                kind = self._part(key, bound)
                if not isinstance(kind, IntType | TextType | BoolType | Parameter):
                    self.refuse(
                        codes.ANNOTATION,
                        f"keys of a dict cannot be {show(kind)}",
                        key,
                        "keys are integers, bool, str or bytes",
                    )
                return DictType(kind, self._part(value, bound))
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                return self._optional(left, bound)
            case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=right):
                return self._optional(right, bound)
            case _:
                pass
        self.refuse(
            codes.ANNOTATION,
            f"`{ast.unparse(node)}` is no type of the module language",
            node,
            "types are int, u8 … u64, i8 … i64, float, f32, bool, str, bytes, list[T], dict[K, V], T | None and dataclasses of the file",
        )

    def _named_type(self, name: str, bound: dict[str, Type] | None) -> Type | None:
        if bound is not None:  # the library knows nothing of the module's names
            return bound.get(name, Parameter(name)) if name in ("T", "S", "K", "V", "N") else NAMED.get(name)
        found = self.names.get(name)
        if name in self.broken:
            raise Refused
        if isinstance(found, RecordType | ServiceType):
            return found
        if isinstance(found, Known) and found.name in BUILTIN_RECORDS:
            return self.builtin_record(found.name)
        if isinstance(found, Known) or name in ("int", "float", "bool", "str", "bytes", "bytearray"):
            return NAMED.get(name)
        return None

    def _part(self, node: ast.expr, bound: dict[str, Type] | None) -> Type:
        kind = self.resolve(node, bound)
        if isinstance(kind, NoneType | ServiceType):
            self.refuse(
                codes.ANNOTATION,
                f"there are no values of type {show(kind)} to keep",
                node,
                "name the type of the values",
            )
        return kind

    def _optional(self, node: ast.expr, bound: dict[str, Type] | None) -> Type:
        inner = self._part(node, bound)
        if isinstance(inner, OptionalType):
            self.refuse(
                codes.ANNOTATION, "an optional value cannot be optional once more", node, "write `T | None` once"
            )
        return OptionalType(inner)

    def builtin_record(self, name: str) -> RecordType:
        """A record of the prelude."""
        if name not in self._builtin_records:
            record = self._builtin_records[name] = RecordType(name)
            record.fields = [
                Field(field_name, self._builtin_type(kind), default)
                for field_name, kind, default in BUILTIN_RECORDS[name]
            ]
        return self._builtin_records[name]

    def _builtin_type(self, kind: Type | str) -> Type:
        if not isinstance(kind, str):
            return kind
        if kind.startswith("[]"):
            return ListType(self._builtin_type(kind[2:]))
        return self.builtin_record(kind)

    # ── functions made on demand ──

    def instance(self, name: str, bound: dict[str, Type]) -> tree.Function:
        """A function of the library for these types."""
        written, node = library()[name]
        open_types = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in ("T", "S", "K", "V", "N")}
        bound = {key: bound[key] for key in sorted(open_types)}
        key = (name, tuple(bound.items()))
        if key not in self._instances:
            parameters = [tree.Variable(arg.arg, self.resolve(arg.annotation, bound)) for arg in node.args.args]
            symbol = f"{written.name}.{name}" + "".join(f"[{show(kind)}]" for kind in bound.values())
            if any(isinstance(kind, RecordType) for kind in bound.values()):
                symbol += f"#{len(self._instances)}"
            rare = any(isinstance(d, ast.Name) and d.id == "rare" for d in node.decorator_list)
            function = tree.Function(symbol, parameters, self.resolve(node.returns, bound), trusted=True, rare=rare)
            self._instances[key] = function
            self.program.functions.append(function)
            self.queue.append(Declared(name, node, function, [None] * len(parameters), bound, written))
        return self._instances[key]

    def signature(self, name: str) -> tuple[list[Type], Type]:
        """Open types of a library function's parameters and result."""
        node = library()[name][1]
        return [self.resolve(arg.annotation, {}) for arg in node.args.args], self.resolve(node.returns, {})

    def made(
        self, stem: str, kind: Type, make: Callable[[tree.Function], None], parameters: list[Type], result: Type
    ) -> tree.Function:
        """A function that depends on a type, written by the compiler on first use."""
        key = (stem, kind)
        if key not in self._made:
            variables = [tree.Variable(f"v{n}", part) for n, part in enumerate(parameters)]
            function = tree.Function(f"{stem}<{show(kind)}>#{len(self._made)}", variables, result, trusted=True)
            self._made[key] = function
            self.program.functions.append(function)
            make(function)
        return self._made[key]

    def library_slot(self, written: Written, name: str) -> tree.Slot:
        """A variable of the library."""
        key = (written.name, name)
        if key not in self._library_slots:
            slot = tree.Slot(f"{written.name}.{name}", INT)
            slot.start = written.variables[name]
            self._library_slots[key] = slot
            self.program.slots.append(slot)
        return self._library_slots[key]

    def collector(self) -> str:
        """The function of the library that frees memory in this module."""
        return "collect_some" if any(is_object(slot.type) for slot in self.program.slots) else "collect_all"

    def host_import(self, namespace: str, name: str, parameters: list[Type], result: Type) -> tree.Import:
        """A function of the host or of another module, imported on first use."""
        key = f"{namespace}::{name}"
        if key not in self._imports:
            item = tree.Import(
                namespace, name, [tree.Variable(f"v{n}", kind) for n, kind in enumerate(parameters)], result
            )
            self._imports[key] = item
            self.program.imports.append(item)
        return self._imports[key]

    def add_import(self, item: tree.Import) -> None:
        """Import a function if it is not yet."""
        if item.symbol not in self._imports:
            self._imports[item.symbol] = item
            self.program.imports.append(item)


_TETRAPLET = [(name, STR, "") for name in ("peer_pk", "service_id", "function_name", "lens")]
BUILTIN_RECORDS: Final[dict[str, list[tuple[str, Type | str, object]]]] = {
    "Tetraplet": [*_TETRAPLET],
    "Particle": [
        ("id", STR, ""),
        ("init_peer_id", STR, ""),
        ("timestamp", U64, 0),
        ("ttl", U32, 0),
        ("script", STR, ""),
        ("signature", BYTES, b""),
        ("token", STR, ""),
    ],
    "CallParameters": [
        ("particle", "Particle", dict),
        ("service_id", STR, ""),
        ("service_creator_peer_id", STR, ""),
        ("host_id", STR, ""),
        ("worker_id", STR, ""),
        ("tetraplets", "[][]Tetraplet", list),
    ],
    "MountedBinaryResult": [("ret_code", S32, 0), ("error", STR, ""), ("stdout", BYTES, b""), ("stderr", BYTES, b"")],
}
"""Records of the prelude: fields with types and defaults; `list` and `dict` stand for one made anew."""

FIXED: Final = frozenset(NAMED) - {"int", "float", "bool", "str", "bytes", "bytearray"}
PRELUDE_NAMES: Final = (
    FIXED
    | BUILTIN_RECORDS.keys()
    | {
        "export",
        "start",
        "service",
        "log",
        "call_parameters",
        "wrapping_add",
        "wrapping_sub",
        "wrapping_mul",
        "provide",
        "set_call_parameters",
    }
)
