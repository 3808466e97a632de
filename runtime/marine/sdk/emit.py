"""LLVM assembly of a checked program.

Input:  tree.Program. Output: text of one LLVM module for wasm32, the names to export, and which host functions it imports.

In registers: `i64` for integers, `double` for floats, `i1` for booleans, `i32` for addresses of objects. Local variables are stack slots
that LLVM turns into registers. An editor of this file must preserve: what leaves the width of its type never reaches memory unchecked, and
every way out of the module's control goes through `panic`, which ends the call.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, assert_never

from . import tree
from .types import (
    INT,
    NONE,
    U64,
    BoolType,
    FloatType,
    IntType,
    ListType,
    NoneType,
    RecordType,
    ServiceType,
    TextType,
    Type,
    is_object,
    offsets,
    size,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

HOST_API: Final = "__marine_host_api_v3"
TRIPLE: Final = "wasm32-unknown-unknown"
_LAYOUT: Final = "e-m:e-p:32:32-p10:8:8-p20:8:8-i64:64-i128:128-n32:64-S128-ni:1:10:20"

ABI: Final = ("allocate", "release_objects", "get_result_size", "get_result_ptr", "set_result_size", "set_result_ptr")

_BINARY: Final = {
    "wadd": "add", "wsub": "sub", "wmul": "mul", "and": "and", "or": "or", "xor": "xor", "shl": "shl", "lshr": "lshr",
    "ashr": "ashr", "sdiv": "sdiv", "srem": "srem", "udiv": "udiv", "urem": "urem",
    "fadd": "fadd", "fsub": "fsub", "fmul": "fmul", "fdiv": "fdiv",
}  # fmt: skip
_COMPARE: Final = {name: f"icmp {name}" for name in ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")} | {
    "feq": "fcmp oeq", "fne": "fcmp une", "flt": "fcmp olt", "fle": "fcmp ole", "fgt": "fcmp ogt", "fge": "fcmp oge",
}  # fmt: skip
_ROUNDING: Final = frozenset({"sqrt", "floor", "ceil", "trunc", "roundeven", "fabs"})

CONSTANT_LIST_MIN: Final = 5
"""Numbers from which on a list is copied from static memory instead of being written one by one."""

OVERFLOW: Final = "OverflowError: number out of range"

_DECLARED: Final = """\
declare void @llvm.memmove.p0.p0.i32(ptr, ptr, i32, i1)
declare void @llvm.memset.p0.i32(ptr, i8, i32, i1)
declare i32 @llvm.wasm.memory.size.i32(i32)
declare i32 @llvm.wasm.memory.grow.i32(i32, i32)
declare void @llvm.trap() cold noreturn
declare { i64, i1 } @llvm.sadd.with.overflow.i64(i64, i64)
declare { i64, i1 } @llvm.ssub.with.overflow.i64(i64, i64)
declare { i64, i1 } @llvm.uadd.with.overflow.i64(i64, i64)
declare { i64, i1 } @llvm.usub.with.overflow.i64(i64, i64)
declare i64 @llvm.fptosi.sat.i64.f64(double)
declare i64 @llvm.fptoui.sat.i64.f64(double)
declare i64 @llvm.ctlz.i64(i64, i1)
declare double @llvm.sqrt.f64(double)
declare double @llvm.floor.f64(double)
declare double @llvm.ceil.f64(double)
declare double @llvm.trunc.f64(double)
declare double @llvm.roundeven.f64(double)
declare double @llvm.fabs.f64(double)
@__heap_base = external global i8
"""


def register(kind: Type) -> str:
    """LLVM type of a value in registers."""
    match kind:
        case IntType():
            return "i64"
        case FloatType():
            return "double"
        case BoolType():
            return "i1"
        case NoneType():
            return "void"
        case _:
            return "i32"


def storage(kind: Type) -> str:
    """LLVM type of a value in memory."""
    match kind:
        case IntType():
            return f"i{kind.bits}"
        case FloatType():
            return "double" if kind.bits == 64 else "float"
        case BoolType():
            return "i8"
        case _:
            return "i32"


def core(kind: Type) -> list[str]:
    """Core types of an argument between modules."""
    match kind:
        case IntType():
            return ["i64" if kind.bits == 64 else "i32"]
        case FloatType():
            return [storage(kind)]
        case BoolType() | RecordType():
            return ["i32"]
        case _:
            return ["i32", "i32"]


def is_scalar(kind: Type) -> bool:
    """Whether a value passes between modules as one core value, without memory."""
    return isinstance(kind, IntType | FloatType | BoolType)


def quoted(symbol: str) -> str:
    """A global name in LLVM's spelling."""
    return (
        '@"'
        + "".join(
            c if c.isascii() and c not in '"\\' and c.isprintable() else "".join(f"\\{b:02X}" for b in c.encode())
            for c in symbol
        )
        + '"'
    )


def _bytes(data: bytes) -> str:
    return 'c"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:02X}" for b in data) + '"'


def float_text(value: float) -> str:
    """A double as LLVM reads it exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


@dataclass(slots=True)
class Emitted:
    """Text of the module, and name outside → symbol of what it exports."""

    text: str
    exports: dict[str, str]


@dataclass(frozen=True, slots=True)
class Support:
    """Functions of the library that emitted code calls by itself, made by `check` for this program.

    named: by name. take, lower, trace: by type; what is for None in `trace` moves the variables of the module, and is absent in a module that
    cannot be cut off while it waits for the host.
    """

    named: dict[str, tree.Function]
    take: dict[Type, tree.Function]
    lower: dict[Type, tree.Function]
    trace: dict[Type, tree.Function]

    def call(self, name: str) -> str:
        """A call without arguments or result."""
        return f"call void {quoted(self.named[name].symbol)}()"


def may_be_cut_off(item: tree.Import) -> bool:
    """Whether a function of the host may fail, or put something into memory."""
    return item.name != "log_utf8_string" and not item.namespace.startswith("wasi_")


@dataclass(slots=True)
class _Module:
    lines: list[str] = field(default_factory=list)
    texts: dict[bytes, str] = field(default_factory=dict)

    def block(self, data: bytes) -> str:
        """Static bytes."""
        name = f"@b{len(self.lines)}"
        self.lines.append(f"{name} = private unnamed_addr constant [{len(data)} x i8] {_bytes(data)}, align 1")
        return name

    def text(self, data: bytes, count: int) -> str:
        """A static object of `str` or `bytes`: no forwarding word is ever written to it."""
        key = count.to_bytes(4, "little") + data
        if key not in self.texts:
            name = self.texts[key] = f"@t{len(self.texts)}"
            self.lines.append(f"{name}.d = private unnamed_addr constant [{len(data)} x i8] {_bytes(data)}, align 1")
            self.lines.append(
                f"{name} = private unnamed_addr constant {{ i32, ptr, i32, i32 }} {{ i32 1, ptr {name}.d, i32 {len(data)}, i32 {count} }}, align 4"
            )
        return self.texts[key]


def _constant_bytes(kind: Type, value: float) -> bytes:
    """A number as it lies in memory."""
    match kind:
        case IntType():
            return (int(value) % (1 << kind.bits)).to_bytes(kind.bits // 8, "little")
        case FloatType():
            return struct.pack("<d" if kind.bits == 64 else "<f", value)
        case _:
            return bytes([bool(value)])


def text_length(kind: Type, data: bytes) -> int:
    """What `len` says: code points of a text, bytes of bytes."""
    return len(data.decode()) if isinstance(kind, TextType) and kind.name == "str" else len(data)


def emit(program: tree.Program, support: Support) -> Emitted:
    """The module's assembly."""
    module = _Module()
    exports: dict[str, str] = {name: f"abi.{name}" for name in ABI}
    _mark_raising(program.functions)
    bodies = [_Function(module, function, support).text() for function in program.functions]
    bodies += _abi(support)
    for name, function in program.exports:
        bodies.append(_export(name, function, support))
        exports[name] = f"export {name}"
    for name, hook in (("_initialize", program.initialize), ("_start", program.start)):
        if hook is not None:
            exports[name] = name
            lines = [
                support.call("enter"),
                f"call void {quoted(hook.symbol)}()",
                support.call("leave"),
                support.call("collect"),
            ]
            bodies.append(_define(f"void @{name}()", [*lines, "ret void"], internal=False))
    globals_ = [
        f"{quoted('state ' + slot.name)} = internal global {storage(slot.type)} {'0.0' if isinstance(slot.type, FloatType) else slot.start}"
        for slot in program.slots
    ]
    declared = [_declaration(number, item) for number, item in enumerate(program.imports)]
    head = [f'target triple = "{TRIPLE}"', f'target datalayout = "{_LAYOUT}"', _DECLARED]
    head += [
        "@line = internal global i32 0",
        "@result_ptr = internal global i32 0",
        "@result_size = internal global i32 0",
    ]
    attributes = [
        'attributes #0 = { nounwind minsize optsize "no-builtins" }',
        'attributes #1 = { nounwind noinline cold noreturn optsize "no-builtins" }',
        'attributes #3 = { nounwind optsize "no-builtins" }',
        'attributes #2 = { nounwind noinline optsize "no-builtins" }',
    ]
    attributes += [
        f'attributes #{number + 10} = {{ nounwind "wasm-import-module"={_plain(item.namespace)} "wasm-import-name"={_plain(item.name)} }}'
        for number, item in enumerate(program.imports)
    ]
    return Emitted("\n".join([*head, *globals_, *declared, *module.lines, *bodies, *attributes, ""]), exports)


def _plain(text: str) -> str:
    return (
        '"'
        + "".join(
            c if c.isascii() and c.isprintable() and c not in '"\\' else "".join(f"\\{b:02X}" for b in c.encode())
            for c in text
        )
        + '"'
    )


def _mark_raising(functions: list[tree.Function]) -> None:
    """Library functions that raise, or call others that do, need to know the place of their caller."""
    callers: dict[tree.Function, list[tree.Function]] = {}
    for function in functions:
        for callee in _calls(function.body):
            callers.setdefault(callee, []).append(function)
    waiting = [function for function in functions if function.raises]
    while waiting:
        for caller in callers.get(waiting.pop(), ()):
            if not caller.raises and caller.trusted:
                caller.raises = True
                waiting.append(caller)


def _calls(body: object) -> Iterable[tree.Function]:
    stack = [body]
    while stack:
        item = stack.pop()
        if isinstance(item, list | tuple):
            stack += item
        elif isinstance(item, tree.Call):
            yield item.function
            stack += item.args
        elif hasattr(item, "__slots__") and not isinstance(
            item, tree.Variable | tree.Slot | tree.Function | tree.Import | RecordType | ServiceType
        ):
            stack += [getattr(item, name) for name in item.__slots__ if name not in ("type", "variable", "slot")]


def _define(head: str, lines: list[str], *, internal: bool = True, attributes: int = 0) -> str:
    text = "\n".join(line if line.endswith(":") else f"  {line}" for line in lines)
    return f"define {'internal ' if internal else ''}{head} #{attributes} {{\n{text}\n}}"


def _declaration(number: int, item: tree.Import) -> str:
    parameters = [kind for parameter in item.parameters for kind in core(parameter.type)]
    result = core(item.result)[0] if is_scalar(item.result) else "void"
    return f"declare {result} {quoted(item.symbol)}({', '.join(parameters)}) #{number + 10}"


# ── the border of the module ─────────────────────────────────────────────────────────────────────────────────────────


def _abi(support: Support) -> list[str]:
    """The six functions every module has."""
    allocate = [
        "%n = zext i32 %count to i64",
        "%t = zext i32 %tag to i64",
        f"%p = call i64 {quoted(support.named['allocate'].symbol)}(i64 %n, i64 %t)",
        "%r = trunc i64 %p to i32",
        "ret i32 %r",
    ]
    return [
        _define("i32 @abi.allocate(i32 %count, i32 %tag)", allocate, internal=False),
        _define("void @abi.release_objects()", [support.call("collect"), "ret void"], internal=False),
        _define("i32 @abi.get_result_size()", ["%r = load i32, ptr @result_size", "ret i32 %r"], internal=False),
        _define("i32 @abi.get_result_ptr()", ["%r = load i32, ptr @result_ptr", "ret i32 %r"], internal=False),
        _define("void @abi.set_result_size(i32 %v)", ["store i32 %v, ptr @result_size", "ret void"], internal=False),
        _define("void @abi.set_result_ptr(i32 %v)", ["store i32 %v, ptr @result_ptr", "ret void"], internal=False),
    ]


def _from_core(kind: Type, names: list[str], out: str, support: Support) -> list[str]:
    """Instructions that make a value in registers of core values; `out` is its name."""
    match kind:
        case IntType() if kind.bits == 64:
            return [f"{out} = add i64 {names[0]}, 0"]
        case IntType() if kind.bits == 32:
            return [f"{out} = {'sext' if kind.signed else 'zext'} i32 {names[0]} to i64"]
        case IntType():
            return [
                f"{out}.n = trunc i32 {names[0]} to i{kind.bits}",
                f"{out} = {'sext' if kind.signed else 'zext'} i{kind.bits} {out}.n to i64",
            ]
        case FloatType():
            return [
                f"{out} = fpext float {names[0]} to double"
                if kind.bits == 32
                else f"{out} = fadd double {names[0]}, -0.0"
            ]
        case BoolType():
            return [f"{out} = icmp ne i32 {names[0]}, 0"]
        case _:
            lines = []
            wide = []
            for number, name in enumerate(names):
                lines.append(f"{out}.w{number} = zext i32 {name} to i64")
                wide.append(f"i64 {out}.w{number}")
            return [*lines, f"{out} = call i32 {quoted(support.take[kind].symbol)}({', '.join(wide)})"]


def _to_core(kind: Type, value: str, out: str) -> list[str]:
    """Instructions that make a core value of a scalar in registers."""
    match kind:
        case IntType() if kind.bits == 64:
            return [f"{out} = add i64 {value}, 0"]
        case IntType():
            return [f"{out} = trunc i64 {value} to i32"]
        case FloatType():
            return [
                f"{out} = fptrunc double {value} to float" if kind.bits == 32 else f"{out} = fadd double {value}, -0.0"
            ]
        case _:
            return [f"{out} = zext i1 {value} to i32"]


def _export(name: str, function: tree.Function, support: Support) -> str:
    in_memory = [n for n, p in enumerate(function.parameters) if is_object(p.type)]
    lines, parameters, arguments = [support.call("enter" if in_memory else "enter_plain")], [], []
    for number, parameter in enumerate(function.parameters):
        names = [f"%a{number}.{part}" for part in range(len(core(parameter.type)))]
        parameters += [f"{kind} {item}" for kind, item in zip(core(parameter.type), names, strict=True)]
        lines += _from_core(parameter.type, names, f"%v{number}", support)
        arguments.append(
            f"{register(parameter.type)} {'%kept' if NONE in support.trace and number in in_memory else '%v'}{number}"
        )
    if in_memory and NONE in support.trace:
        lines += _kept(function, in_memory, support)
    call = f"call {register(function.result)} {quoted(function.symbol)}({', '.join(arguments)})"
    result = function.result
    end = [support.call("leave"), support.call("collect")]
    returned = "void"
    if isinstance(result, NoneType):
        lines += [call, *end, "ret void"]
    elif is_scalar(result):
        returned = core(result)[0]
        lines += [f"%r = {call}", *end, *_to_core(result, "%r", "%c"), f"ret {returned} %c"]
    else:
        lines += [
            f"%r = {call}",
            f"call void {quoted(support.lower[result].symbol)}(i32 %r)",
            support.call("leave"),
            "ret void",
        ]
    return _define(f"{returned} {quoted('export ' + name)}({', '.join(parameters)})", lines, internal=False)


def _kept(function: tree.Function, in_memory: list[int], support: Support) -> list[str]:
    """After a call that was cut off while it waited: give up what it made, keep the arguments of this one."""
    lines = [
        f"%cut = call i1 {quoted(support.named['cut_off'].symbol)}()",
        "br i1 %cut, label %moving, label %ready",
        "moving:",
        support.call("begin_moving"),
    ]
    for number in in_memory:
        trace = support.trace[function.parameters[number].type]
        lines.append(f"%m{number} = call i32 {quoted(trace.symbol)}(i32 %v{number})")
    lines += [
        f"call void {quoted(support.trace[NONE].symbol)}()",
        support.call("end_moving"),
        "br label %ready",
        "ready:",
    ]
    lines += [f"%kept{n} = phi i32 [ %v{n}, %start ], [ %m{n}, %moving ]" for n in in_memory]
    return ["br label %start", "start:", *lines]


# ── functions ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Function:
    """One function."""

    def __init__(self, module: _Module, function: tree.Function, support: Support) -> None:
        self._module, self._function, self._support = module, function, support
        self._lines: list[str] = []
        self._allocas: list[str] = []
        self._names: dict[tree.Variable, str] = {}
        self._count = 0
        self._ended = False
        self._loops: list[tuple[str, str]] = []
        self._panics: dict[tuple[str, int], str] = {}

    def text(self) -> str:
        """The definition."""
        function = self._function
        parameters = []
        for number, parameter in enumerate(function.parameters):
            parameters.append(f"{register(parameter.type)} %p{number}")
            self._line(f"store {register(parameter.type)} %p{number}, ptr {self._place(parameter)}")
        self._block(function.body)
        if not self._ended:
            self._line("ret void" if isinstance(function.result, NoneType) else "unreachable")
        for (message, line), label in self._panics.items():
            self._label(label)
            if not function.trusted:
                self._line(f"store i32 {line}, ptr @line")
            self._line(f"call void {quoted(self._support.named['panic'].symbol)}(i32 ptrtoint (ptr {message} to i32))")
            self._line("unreachable")
        head = f"{register(function.result)} {quoted(function.symbol)}({', '.join(parameters)})"
        attributes = (
            1 if function is self._support.named["panic"] else 2 if function.rare else 3 if not function.trusted else 0
        )
        return _define(head, self._allocas + self._lines, attributes=attributes)

    # ── helpers ──

    def _line(self, text: str) -> None:
        if self._ended:
            self._label(self._fresh("dead"))
        self._lines.append(text)
        self._ended = text.startswith(("br ", "ret ", "unreachable"))

    def _label(self, name: str) -> None:
        if not self._ended:
            self._lines.append(f"br label %{name}")
        self._lines.append(f"{name}:")
        self._ended = False

    def _fresh(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def _value(self, text: str) -> str:
        name = "%" + self._fresh("x")
        self._line(f"{name} = {text}")
        return name

    def _place(self, variable: tree.Variable) -> str:
        if variable not in self._names:
            name = self._names[variable] = "%" + self._fresh("l")
            self._allocas.append(f"{name} = alloca {register(variable.type)}")
        return self._names[variable]

    def _panic(self, message: str, line: int) -> str:
        """Label of a block that ends the call."""
        data = message.encode()
        key = (self._module.text(data, len(message)), line)
        if key not in self._panics:
            self._panics[key] = self._fresh("panic")
        return self._panics[key]

    def _unless(self, bad: str, message: str, line: int) -> None:
        after = self._fresh("ok")
        self._line(
            f'br i1 {bad}, label %{self._panic(message, line)}, label %{after}, !prof !{{!"branch_weights", i32 1, i32 1000}}'
        )
        self._label(after)

    def _pointer(self, address: str, offset: int = 0) -> str:
        """A pointer from an address in `i32`."""
        base = self._value(f"inttoptr i32 {address} to ptr")
        return base if not offset else self._value(f"getelementptr i8, ptr {base}, i32 {offset}")

    def _load(self, kind: Type, pointer: str) -> str:
        stored = storage(kind)
        value = self._value(f"load {stored}, ptr {pointer}, align 1")
        match kind:
            case IntType() if kind.bits < 64:
                return self._value(f"{'sext' if kind.signed else 'zext'} {stored} {value} to i64")
            case FloatType() if kind.bits == 32:
                return self._value(f"fpext float {value} to double")
            case BoolType():
                return self._value(f"icmp ne i8 {value}, 0")
            case _:
                return value

    def _store(self, kind: Type, value: str, pointer: str) -> None:
        match kind:
            case IntType() if kind.bits < 64:
                value = self._value(f"trunc i64 {value} to i{kind.bits}")
            case FloatType() if kind.bits == 32:
                value = self._value(f"fptrunc double {value} to float")
            case BoolType():
                value = self._value(f"zext i1 {value} to i8")
            case _:
                pass
        self._line(f"store {storage(kind)} {value}, ptr {pointer}, align 1")

    def _set_line(self, function: tree.Function, line: int) -> None:
        if line and function.trusted and function.raises and not self._function.trusted:
            self._line(f"store i32 {line}, ptr @line")

    # ── statements ──

    def _block(self, body: list[tree.Statement]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, statement: tree.Statement) -> None:
        match statement:
            case tree.Set():
                value = self._expr(statement.value)
                if not isinstance(statement.variable.type, NoneType):
                    self._line(
                        f"store {register(statement.variable.type)} {value}, ptr {self._place(statement.variable)}"
                    )
            case tree.SetState():
                self._store(statement.slot.type, self._expr(statement.value), quoted("state " + statement.slot.name))
            case tree.SetField():
                self._set_field(statement)
            case tree.Run():
                self._expr(statement.value)
            case tree.If():
                self._if(statement)
            case tree.Loop():
                self._loop(statement)
            case tree.Break():
                self._line(f"br label %{self._loops[-1][1]}")
            case tree.Continue():
                self._line(f"br label %{self._loops[-1][0]}")
            case tree.Return():
                returned = "" if statement.value is None else self._expr(statement.value)
                kind = register(self._function.result)
                self._line("ret void" if kind == "void" else f"ret {kind} {returned}")
            case tree.Raise():
                message = self._expr(statement.message)
                if not self._function.trusted:
                    self._line(f"store i32 {statement.line}, ptr @line")
                self._line(f"call void {quoted(self._support.named['panic'].symbol)}(i32 {message})")
                self._line("unreachable")
            case _:
                assert_never(statement)

    def _set_field(self, statement: tree.SetField) -> None:
        record = statement.record.type
        assert isinstance(record, RecordType)
        target = self._expr(statement.record)
        value = self._expr(statement.value)
        self._store(
            record.fields[statement.index].type, value, self._pointer(target, offsets(record)[0][statement.index])
        )

    def _if(self, statement: tree.If) -> None:
        yes, no, after = self._fresh("yes"), self._fresh("no"), self._fresh("after")
        test = self._expr(statement.test)
        self._line(f"br i1 {test}, label %{yes}, label %{no if statement.no else after}")
        self._label(yes)
        self._block(statement.yes)
        if not self._ended:
            self._line(f"br label %{after}")
        if statement.no:
            self._label(no)
            self._block(statement.no)
        self._label(after)

    def _loop(self, statement: tree.Loop) -> None:
        head, body, step, after = self._fresh("head"), self._fresh("body"), self._fresh("step"), self._fresh("after")
        otherwise = self._fresh("else") if statement.otherwise else after
        self._label(head)
        test = self._expr(statement.test)
        self._line(f"br i1 {test}, label %{body}, label %{otherwise}")
        self._label(body)
        self._loops.append((step, after))
        self._block(statement.body)
        self._loops.pop()
        self._label(step)
        self._block(statement.step)
        self._line(f"br label %{head}")
        if statement.otherwise:
            self._label(otherwise)
            self._block(statement.otherwise)
        self._label(after)

    # ── expressions ──

    def _expr(self, expr: tree.Expr) -> str:
        match expr:
            case tree.Const():
                return self._const(expr)
            case tree.Text():
                return f"ptrtoint (ptr {self._module.text(expr.data, text_length(expr.type, expr.data))} to i32)"
            case tree.Local():
                if isinstance(expr.type, NoneType):
                    return "0"
                return self._value(f"load {register(expr.variable.type)}, ptr {self._place(expr.variable)}")
            case tree.State():
                return self._load(expr.slot.type, quoted("state " + expr.slot.name))
            case tree.Op():
                return self._op(expr)
            case tree.Call():
                return self._call(expr.function, [(item.type, self._expr(item)) for item in expr.args], expr.line)
            case tree.CallImport():
                return self._call_import(expr)
            case tree.New():
                return self._new(expr)
            case tree.GetField():
                record = expr.record.type
                assert isinstance(record, RecordType)
                place = offsets(record)[0][expr.index]
                return self._load(record.fields[expr.index].type, self._pointer(self._expr(expr.record), place))
            case tree.NewList():
                return self._new_list(expr)
            case tree.Choose():
                return self._choose(expr)
            case tree.Do():
                self._block(expr.body)
                return self._expr(expr.value)
            case _:
                assert_never(expr)

    def _const(self, expr: tree.Const) -> str:
        match expr.type:
            case FloatType():
                return float_text(float(expr.value))
            case BoolType():
                return "true" if expr.value else "false"
            case IntType():
                value = int(expr.value)
                return str(value - (1 << 64) if value >= 1 << 63 else value)
            case _:
                return str(int(expr.value))

    def _call(self, function: tree.Function, arguments: list[tuple[Type, str]], line: int) -> str:
        self._set_line(function, line)
        given = ", ".join(f"{register(kind)} {value}" for kind, value in arguments)
        text = f"call {register(function.result)} {quoted(function.symbol)}({given})"
        if isinstance(function.result, NoneType):
            self._line(text)
            return "0"
        return self._value(text)

    def _allocate(self, count: int) -> str:
        """Address of new memory, in `i32`."""
        return self._value(f"trunc i64 {self._call(self._support.named['alloc'], [(INT, str(count))], 0)} to i32")

    def _new(self, expr: tree.New) -> str:
        assert isinstance(expr.type, RecordType)
        values = [self._expr(value) for value in expr.values]
        places, total = offsets(expr.type)
        address = self._allocate(total)
        self._line(f"store i32 0, ptr {self._pointer(address)}")
        for item, value, place in zip(expr.type.fields, values, places, strict=True):
            self._store(item.type, value, self._pointer(address, place))
        return address

    def _new_list(self, expr: tree.NewList) -> str:
        assert isinstance(expr.type, ListType)
        element = expr.type.element
        constant = not is_object(element) and all(isinstance(item, tree.Const) for item in expr.items)
        if constant and len(expr.items) >= CONSTANT_LIST_MIN:
            return self._constant_list(expr, element)
        values = [self._expr(item) for item in expr.items]
        address = self._allocate(16 + size(element) * len(values))
        items = self._value(f"add i32 {address}, 16")
        for place, value in ((0, "0"), (4, str(len(values))), (8, str(len(values))), (12, items)):
            self._line(f"store i32 {value}, ptr {self._pointer(address, place)}")
        for number, value in enumerate(values):
            self._store(element, value, self._pointer(address, 16 + number * size(element)))
        return address

    def _constant_list(self, expr: tree.NewList, element: Type) -> str:
        """A list of numbers, copied from static memory."""
        data = b"".join(_constant_bytes(element, item.value) for item in expr.items if isinstance(item, tree.Const))
        address = self._allocate(16 + len(data))
        items = self._value(f"add i32 {address}, 16")
        count = len(expr.items)
        for place, value in ((0, "0"), (4, str(count)), (8, str(count)), (12, items)):
            self._line(f"store i32 {value}, ptr {self._pointer(address, place)}")
        source, target = self._module.block(data), self._pointer(items)
        self._line(f"call void @llvm.memmove.p0.p0.i32(ptr {target}, ptr {source}, i32 {len(data)}, i1 false)")
        return address

    def _choose(self, expr: tree.Choose) -> str:
        yes, no, after = self._fresh("yes"), self._fresh("no"), self._fresh("after")
        place = self._place(tree.Variable("choice", expr.type)) if not isinstance(expr.type, NoneType) else ""
        self._line(f"br i1 {self._expr(expr.test)}, label %{yes}, label %{no}")
        for label, value in ((yes, expr.yes), (no, expr.no)):
            self._label(label)
            made = self._expr(value)
            if place:
                self._line(f"store {register(expr.type)} {made}, ptr {place}")
            self._line(f"br label %{after}")
        self._label(after)
        return self._value(f"load {register(expr.type)}, ptr {place}") if place else "0"

    def _call_import(self, expr: tree.CallImport) -> str:
        function, support = expr.function, self._support
        arguments = []
        for parameter, item in zip(function.parameters, expr.args, strict=True):
            value = self._expr(item)
            if is_scalar(parameter.type):
                out = "%" + self._fresh("x")
                for line in _to_core(parameter.type, value, out):
                    self._line(line)
                arguments.append(f"{core(parameter.type)[0]} {out}")
                continue
            # one after the other: each leaves its address and count where results go
            self._line(f"call void {quoted(support.lower[parameter.type].symbol)}(i32 {value})")
            arguments.append(f"i32 {self._value('load i32, ptr @result_ptr')}")
            if len(core(parameter.type)) == 2:
                arguments.append(f"i32 {self._value('load i32, ptr @result_size')}")
        result = function.result
        waits = may_be_cut_off(function)
        if waits:
            self._line(support.call("ask"))
        text = (
            f"call {core(result)[0] if is_scalar(result) else 'void'} {quoted(function.symbol)}({', '.join(arguments)})"
        )
        names = []
        if is_scalar(result):
            names = [self._value(text)]
        else:
            self._line(text)
        if waits:
            self._line(support.call("asked"))
        if isinstance(result, NoneType):
            return "0"
        out = "%" + self._fresh("x")
        if not is_scalar(result):
            names = [self._value("load i32, ptr @result_ptr")]
            if len(core(result)) == 2:
                names.append(self._value("load i32, ptr @result_size"))
        for line in _from_core(result, names, out, support):
            self._line(line)
        return out

    # ── operations ──

    def _op(self, expr: tree.Op) -> str:
        name, kind = expr.name, expr.type
        args = [self._expr(arg) for arg in expr.args]
        if name in _BINARY:
            return self._value(f"{_BINARY[name]} {register(kind)} {args[0]}, {args[1]}")
        if name in _COMPARE:
            return self._value(f"{_COMPARE[name]} {register(expr.args[0].type)} {args[0]}, {args[1]}")
        if name in ("add", "sub"):
            sign = "u" if kind is U64 else "s"
            pair = self._value(f"call {{ i64, i1 }} @llvm.{sign}{name}.with.overflow.i64(i64 {args[0]}, i64 {args[1]})")
            self._unless(self._value(f"extractvalue {{ i64, i1 }} {pair}, 1"), OVERFLOW, expr.line)
            return self._value(f"extractvalue {{ i64, i1 }} {pair}, 0")
        if name in _ROUNDING:
            return self._value(f"call double @llvm.{name}.f64(double {args[0]})")
        method = getattr(self, f"_op_{name}", None)
        assert method is not None, name
        result: str = method(expr, *args)
        return result

    def _op_fneg(self, _: tree.Op, value: str) -> str:
        return self._value(f"fneg double {value}")

    def _op_not(self, _: tree.Op, value: str) -> str:
        return self._value(f"xor i1 {value}, true")

    def _op_retype(self, _: tree.Op, value: str) -> str:
        return value

    def _op_narrow(self, expr: tree.Op, value: str) -> str:
        """An integer checked against the range of a type."""
        kind, source = expr.type, expr.args[0].type
        assert isinstance(kind, IntType)
        assert isinstance(source, IntType)
        if kind.bits == 64:  # between s64 and u64: the highest bit must be clear
            bad = self._value(f"icmp slt i64 {value}, 0")
        elif source is U64 or kind.least == 0:
            bad = self._value(f"icmp ugt i64 {value}, {kind.most}")
        else:
            moved = self._value(f"add i64 {value}, {-kind.least}")
            bad = self._value(f"icmp ugt i64 {moved}, {kind.most - kind.least}")
        self._unless(bad, f"OverflowError: number does not fit {kind.name}", expr.line)
        return value

    def _op_sitofp(self, expr: tree.Op, value: str) -> str:
        sign = "u" if expr.args[0].type is U64 else "s"
        return self._value(f"{sign}itofp i64 {value} to double")

    def _op_fptosi(self, _: tree.Op, value: str) -> str:
        return self._value(f"call i64 @llvm.fptosi.sat.i64.f64(double {value})")

    def _op_fptoui(self, _: tree.Op, value: str) -> str:
        return self._value(f"call i64 @llvm.fptoui.sat.i64.f64(double {value})")

    def _op_round32(self, _: tree.Op, value: str) -> str:
        return self._value(f"fpext float {self._value(f'fptrunc double {value} to float')} to double")

    def _op_extend(self, _: tree.Op, value: str) -> str:
        return self._value(f"zext i1 {value} to i64")

    def _op_bits(self, _: tree.Op, value: str) -> str:
        return self._value(f"bitcast double {value} to i64")

    def _op_from_bits(self, _: tree.Op, value: str) -> str:
        return self._value(f"bitcast i64 {value} to double")

    def _op_leading_zeros(self, _: tree.Op, value: str) -> str:
        return self._value(f"call i64 @llvm.ctlz.i64(i64 {value}, i1 false)")

    def _op_address(self, _: tree.Op, value: str) -> str:
        return self._value(f"zext i32 {value} to i64")

    def _op_object(self, _: tree.Op, value: str) -> str:
        return self._value(f"trunc i64 {value} to i32")

    def _op_is_null(self, _: tree.Op, value: str) -> str:
        return self._value(f"icmp eq i32 {value}, 0")

    def _op_load(self, expr: tree.Op, address: str) -> str:
        return self._load(expr.type, self._pointer(self._value(f"trunc i64 {address} to i32")))

    def _op_store(self, expr: tree.Op, address: str, value: str) -> str:
        self._store(expr.args[1].type, value, self._pointer(self._value(f"trunc i64 {address} to i32")))
        return "0"

    def _op_move(self, _: tree.Op, target: str, source: str, count: str) -> str:
        to, from_, n = (self._value(f"trunc i64 {item} to i32") for item in (target, source, count))
        self._line(
            f"call void @llvm.memmove.p0.p0.i32(ptr {self._pointer(to)}, ptr {self._pointer(from_)}, i32 {n}, i1 false)"
        )
        return "0"

    def _op_fill(self, _: tree.Op, target: str, value: str, count: str) -> str:
        to, n = (self._value(f"trunc i64 {item} to i32") for item in (target, count))
        byte = self._value(f"trunc i64 {value} to i8")
        self._line(f"call void @llvm.memset.p0.i32(ptr {self._pointer(to)}, i8 {byte}, i32 {n}, i1 false)")
        return "0"

    def _op_heap_base(self, _: tree.Op) -> str:
        return self._value("zext i32 ptrtoint (ptr @__heap_base to i32) to i64")

    def _op_pages(self, _: tree.Op) -> str:
        return self._value(f"zext i32 {self._value('call i32 @llvm.wasm.memory.size.i32(i32 0)')} to i64")

    def _op_grow(self, _: tree.Op, pages: str) -> str:
        count = self._value(f"trunc i64 {pages} to i32")
        return self._value(f"sext i32 {self._value(f'call i32 @llvm.wasm.memory.grow.i32(i32 0, i32 {count})')} to i64")

    def _op_line(self, _: tree.Op) -> str:
        return self._value(f"zext i32 {self._value('load i32, ptr @line')} to i64")

    def _op_set_result(self, _: tree.Op, address: str, count: str) -> str:
        for value, place in ((address, "ptr"), (count, "size")):
            narrow = self._value(f"trunc i64 {value} to i32")
            self._line(f"store i32 {narrow}, ptr @result_{place}")
        return "0"

    def _op_trap(self, _: tree.Op) -> str:
        self._line("call void @llvm.trap()")
        self._line("unreachable")
        return "0"
