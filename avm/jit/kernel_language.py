"""The kernel language: functions on integers and buffers, written in a subset of Python and compiled with LLVM.

Problem: where every byte of an input is looked at, Python costs a thousand times what the machine could do; C would need a
         compiler on every machine, and a second text to keep equal.
Idea:    a kernel is a plain Python module, so it runs as it stands, and one small translation makes native code of it. Both give
         the same answers as long as no number leaves 64 bits, which is for the kernel to see to.
Input:   modules of `avm.jit.kernels`. Output: one LLVM module, text in, see `library`.
Errors:  KernelError, naming the line; only who writes a kernel meets it.

The language: parameters and results are annotated `int`, `bool`, `None` or a buffer of `kernel_types`. Statements: assignment to names
and elements, `if`, `while`, `for … in range`, `break`, `continue`, `return`, calls. Expressions: 64-bit integers with `+ - * // % & | ^
<< >> ~`, comparisons, `and or not`, `x if c else y`, `len`, `min`, `max`, elements and slices of buffers, functions of any kernel
module. Constants of the module: integers, and bytes or tuples of integers as read-only buffers. A shift counts 0 to 63. The functions of
`kernel_types`: local buffers, numbers of several bytes, and lanes, which are values of 4, 8 or 16 numbers of 32 bits with `+ - * ^ & | << >>`;
where those want a count or an order, it is a literal or a constant of the module. `@inline` puts a function where it is called.

An editor of this file must preserve: each access to an element is checked, an access outside ends all kernels on the way and
raises IndexError at the caller, so that no input can make a kernel touch memory that is not its own.
"""

from __future__ import annotations

import ast
import inspect
import sys
from typing import TYPE_CHECKING, Any, Final

from llvmlite import ir

from . import kernel_types

if TYPE_CHECKING:
    from types import FunctionType, ModuleType

I1: Final = ir.IntType(1)
I8: Final = ir.IntType(8)
I16: Final = ir.IntType(16)
I32: Final = ir.IntType(32)
I64: Final = ir.IntType(64)
POINTER: Final = I8.as_pointer()
LANES: Final = 16
VECTOR: Final = ir.VectorType(I8, LANES)

TRAPPED: Final = -(2**63)
"""What an exported function returns after an access outside of a buffer."""

INT, BOOL, NONE = "int", "bool", "None"
_BUFFERS: Final = {name: ir.IntType(bits) for name, bits in kernel_types.ELEMENT_BITS.items()}
_LANES: Final = {f"Lanes{count}": ir.VectorType(I32, count) for count in kernel_types.LANES}
_SCALARS: Final = {INT: I64, BOOL: I1, NONE: I1, **_LANES}
_BINARY: Final[dict[type[ast.operator], str]] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
    ast.BitXor: "xor",
    ast.LShift: "shl",
    ast.RShift: "ashr",
}
_LANES_SHIFT: Final[dict[type[ast.operator], str]] = {ast.LShift: "shl", ast.RShift: "lshr"}
_COMPARE: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class KernelError(Exception):
    """A kernel that is not of the language."""


class Value:
    """A value in registers: `type`, and `value`, or of a buffer `pointer` to its first element and `length`."""

    __slots__ = ("length", "pointer", "type", "value")

    def __init__(self, type_: str, value: Any = None, pointer: Any = None, length: Any = None) -> None:
        self.type = type_
        self.value = value
        self.pointer = pointer
        self.length = length

    @property
    def element(self) -> ir.IntType:
        """LLVM type of a buffer's elements."""
        return _BUFFERS[self.type]


class Kernels:
    """One LLVM module made of kernel modules; functions of all of them may call each other."""

    def __init__(self) -> None:
        self.module = ir.Module("kernels")
        self._functions: dict[Any, tuple[ir.Function, list[str], str]] = {}
        self._constants: dict[tuple[Any, int], ir.GlobalVariable] = {}
        self._seekers: dict[bytes, ir.Function] = {}

    def add(self, module: ModuleType) -> list[str]:
        """Compile the functions of a module; those of its `EXPORTS` can be called from outside. Raises KernelError."""
        functions = [
            item for item in vars(module).values() if inspect.isfunction(item) and item.__module__ == module.__name__
        ]
        tree = ast.parse(inspect.getsource(module))
        nodes = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for function in functions:
            self._declare(function, nodes[function.__name__], module.EXPORTS)
        for function in functions:
            _Compiler(self, function, nodes[function.__name__]).run()
        for name in module.EXPORTS:
            self._export(getattr(module, name))
        return list(module.EXPORTS)

    def function(self, function: Any) -> tuple[ir.Function, list[str], str]:
        """LLVM function, types of the parameters, and of the result."""
        return self._functions[function]

    def constant(self, values: bytes | tuple[int, ...]) -> Value:
        """A read-only buffer."""
        bits = 8 if isinstance(values, bytes) else 64
        key = (values, bits)
        if key not in self._constants:
            array = ir.ArrayType(ir.IntType(bits), len(values))
            variable = ir.GlobalVariable(self.module, array, f"constant.{len(self._constants)}")
            variable.global_constant = True
            variable.linkage = "internal"
            variable.initializer = array(list(values))
            self._constants[key] = variable
        kind = "Bytes" if bits == 8 else "Longs"
        pointer = self._constants[key].bitcast(_BUFFERS[kind].as_pointer())
        return Value(kind, pointer=pointer, length=I64(len(values)))

    def seeker(self, members: bytes) -> ir.Function:
        """`(pointer, length, start, end)` → position of the first byte of a set, or `end`; the caller has checked the range."""
        if members not in self._seekers:
            made = ir.Function(
                self.module, ir.FunctionType(I64, [POINTER, I64, I64, I64]), f"seek.{len(self._seekers)}"
            )
            made.linkage = "internal"
            self._seekers[members] = made
            _make_seeker(made, members, self.constant(bytes(c in members for c in range(256))).pointer)
        return self._seekers[members]

    def _declare(self, function: FunctionType, node: ast.FunctionDef, exports: tuple[str, ...]) -> None:
        parameters = [_annotation(argument.annotation, node) for argument in node.args.args]
        result = _annotation(node.returns, node)
        types: list[ir.Type] = []
        for parameter in parameters:
            types += [_BUFFERS[parameter].as_pointer(), I64] if parameter in _BUFFERS else [_SCALARS[parameter]]
        returned = ir.LiteralStructType([_SCALARS[result], I1])
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        made = ir.Function(self.module, ir.FunctionType(returned, types), name)
        made.linkage = "internal"
        for decorator in node.decorator_list:
            if not (
                isinstance(decorator, ast.Name)
                and function.__globals__.get(decorator.id) is kernel_types.inline
                and node.name not in exports
            ):
                raise KernelError(f"{function.__name__}: the only decorator is `inline`, and not of what is exported")
            made.attributes.add("alwaysinline")
        self._functions[function] = (made, parameters, result)

    def _export(self, function: FunctionType) -> None:
        inner, parameters, result = self._functions[function]
        if not _LANES.keys().isdisjoint((*parameters, result)):
            raise KernelError(f"{function.__name__}: lanes cannot pass to the outside")
        types = [I64 for parameter in parameters for _ in range(2 if parameter in _BUFFERS else 1)]
        outer = ir.Function(self.module, ir.FunctionType(I64, types), function.__name__)
        builder = ir.IRBuilder(outer.append_basic_block())
        arguments: list[Any] = []
        given = iter(outer.args)
        for parameter in parameters:
            if parameter in _BUFFERS:
                arguments.append(builder.inttoptr(next(given), _BUFFERS[parameter].as_pointer()))
                arguments.append(next(given))
            elif parameter == BOOL:
                arguments.append(builder.icmp_signed("!=", next(given), I64(0)))
            else:
                arguments.append(next(given))
        returned = builder.call(inner, arguments)
        value = builder.extract_value(returned, 0)
        if value.type != I64:
            value = builder.zext(value, I64)
        builder.ret(builder.select(builder.extract_value(returned, 1), I64(TRAPPED), value))


def _ranges(members: bytes) -> list[tuple[int, int]]:
    """First and last of each run of bytes that are members."""
    firsts = [c for c in range(256) if c in members and (c == 0 or c - 1 not in members)]
    lasts = [c for c in range(256) if c in members and (c == 255 or c + 1 not in members)]
    return list(zip(firsts, lasts, strict=True))


def _make_seeker(function: ir.Function, members: bytes, table: Any) -> None:
    """Body of a seeker: sixteen bytes at a time while the buffer has them, be it beyond the end of the range; then one by one."""
    pointer, length, start, end = function.args
    names = ("entry", "test", "choose", "wide", "found", "none", "single", "one", "hit", "miss", "out")
    entry, test, choose, wide, found, none, single, one, hit, miss, out = map(function.append_basic_block, names)
    b = ir.IRBuilder(entry)
    b.branch(test)
    b.position_at_end(test)
    at = b.phi(I64)
    at.add_incoming(start, entry)
    b.cbranch(b.icmp_signed("<", at, end), choose, out)
    b.position_at_end(choose)
    # on a big-endian machine the mask would begin with the last byte
    fits = b.icmp_signed("<=", at, b.sub(length, I64(LANES))) if sys.byteorder == "little" else I1(0)
    b.cbranch(fits, wide, single)
    b.position_at_end(wide)
    read = b.load(b.bitcast(b.gep(pointer, [at]), VECTOR.as_pointer()))
    read.align = 1
    hits: Any = ir.Constant(ir.VectorType(I1, LANES), [0] * LANES)
    for first, last in _ranges(members):
        moved = b.sub(read, ir.Constant(VECTOR, [first] * LANES))
        hits = b.or_(hits, b.icmp_unsigned("<=", moved, ir.Constant(VECTOR, [last - first] * LANES)))
    mask = b.bitcast(hits, I16)
    b.cbranch(b.icmp_unsigned("!=", mask, I16(0)), found, none)
    b.position_at_end(found)
    place = b.add(at, b.zext(b.cttz(mask, I1(1)), I64))
    b.ret(b.select(b.icmp_signed("<", place, end), place, end))
    b.position_at_end(none)
    at.add_incoming(b.add(at, I64(LANES)), none)
    b.branch(test)
    b.position_at_end(single)
    now = b.phi(I64)
    now.add_incoming(at, choose)
    b.cbranch(b.icmp_signed("<", now, end), one, out)
    b.position_at_end(one)
    byte = b.zext(b.load(b.gep(pointer, [now])), I64)
    b.cbranch(b.icmp_unsigned("!=", b.load(b.gep(table, [byte])), I8(0)), hit, miss)
    b.position_at_end(hit)
    b.ret(now)
    b.position_at_end(miss)
    now.add_incoming(b.add(now, I64(1)), miss)
    b.branch(single)
    b.position_at_end(out)
    b.ret(end)


def _annotation(node: ast.expr | None, function: ast.FunctionDef) -> str:
    if isinstance(node, ast.Constant) and node.value is None:
        return NONE
    if isinstance(node, ast.Name) and (node.id in _BUFFERS or node.id in _SCALARS):
        return node.id
    raise KernelError(f"{function.name}: every parameter and the result needs a type of the kernel language")


class _Compiler:
    """One function."""

    def __init__(self, kernels: Kernels, function: FunctionType, node: ast.FunctionDef) -> None:
        self.kernels = kernels
        self.node = node
        self.globals = function.__globals__
        self.function, self.parameters, self.result = kernels.function(function)
        self.entry = self.function.append_basic_block("entry")
        self.b = ir.IRBuilder(self.function.append_basic_block("body"))
        self.locals: dict[str, tuple[str, Any, Any]] = {}
        self.trap = self.function.append_basic_block("trap")
        self.loops: list[tuple[Any, Any]] = []

    def run(self) -> None:
        arguments = iter(self.function.args)
        body = self.b.block
        for name, kind in zip((argument.arg for argument in self.node.args.args), self.parameters, strict=True):
            value = (
                Value(kind, pointer=next(arguments), length=next(arguments))
                if kind in _BUFFERS
                else Value(kind, next(arguments))
            )
            self.assign(name, value)
        self.statements(self.node.body)
        if not self.b.block.is_terminated:
            if self.result != NONE:
                self.b.unreachable()
            else:
                self.returns(I1(0))
        ir.IRBuilder(self.entry).branch(body)
        ir.IRBuilder(self.trap).ret(ir.Constant(self.function.function_type.return_type, [None, I1(1)]))

    def fail(self, node: ast.AST, message: str) -> KernelError:
        return KernelError(f"{self.globals['__name__']}:{getattr(node, 'lineno', 0)}: {message}")

    def returns(self, value: Any) -> None:
        pair = ir.Constant(self.function.function_type.return_type, ir.Undefined)
        self.b.ret(self.b.insert_value(self.b.insert_value(pair, value, 0), I1(0), 1))

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────

    def statements(self, nodes: list[ast.stmt]) -> None:
        for node in nodes:
            if self.b.block.is_terminated:
                return  # behind a break, continue or return
            make = getattr(self, f"s_{type(node).__name__}", None)
            if make is None:
                raise self.fail(node, f"no {type(node).__name__} in the kernel language")
            make(node)

    def s_Pass(self, node: ast.Pass) -> None:
        pass

    def s_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.value(node.value)

    def s_Return(self, node: ast.Return) -> None:
        if node.value is None or self.result == NONE:
            self.returns(I1(0))
        else:
            self.returns(self.scalar(node.value, self.result))

    def s_Assign(self, node: ast.Assign) -> None:
        (target,) = node.targets
        if isinstance(target, ast.Name):
            self.assign(target.id, self.value(node.value), node)
        elif isinstance(target, ast.Subscript):
            value = self.integer(node.value)
            pointer, element = self.place(target)
            self.store(value, pointer, element)
        else:
            raise self.fail(node, "only names and elements can be assigned")

    def s_AnnAssign(self, node: ast.AnnAssign) -> None:
        if not isinstance(node.target, ast.Name) or node.value is None:
            raise self.fail(node, "only names with a value can be annotated")
        self.assign(node.target.id, self.value(node.value), node)

    def s_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            old = ast.copy_location(ast.Name(node.target.id), node)
            self.assign(
                node.target.id, self.e_BinOp(ast.copy_location(ast.BinOp(old, node.op, node.value), node)), node
            )
            return
        if not isinstance(node.target, ast.Subscript):
            raise self.fail(node, "only names and elements can be assigned")
        value = self.integer(node.value)
        pointer, element = self.place(node.target)
        self.store(self.binary(node, node.op, self.load(pointer, element), value), pointer, element)

    def s_If(self, node: ast.If) -> None:
        then, otherwise, end = (self.function.append_basic_block(name) for name in ("then", "else", "end"))
        self.b.cbranch(self.condition(node.test), then, otherwise)
        reached = False
        for block, body in ((then, node.body), (otherwise, node.orelse)):
            self.b.position_at_end(block)
            self.statements(body)
            if not self.b.block.is_terminated:
                self.b.branch(end)
                reached = True
        self.b.position_at_end(end)
        if not reached:
            self.b.unreachable()

    def s_While(self, node: ast.While) -> None:
        test, body, end = (self.function.append_basic_block(name) for name in ("test", "loop", "end"))
        self.b.branch(test)
        self.b.position_at_end(test)
        self.b.cbranch(self.condition(node.test), body, end)
        self.loop(node.body, body, test, end)

    def s_For(self, node: ast.For) -> None:
        call = node.iter
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"):
            raise self.fail(node, "a for loop needs a range")
        if not isinstance(node.target, ast.Name) or len(call.args) > 2:
            raise self.fail(node, "a range has a name, and no step")
        first = self.integer(call.args[0]) if len(call.args) == 2 else I64(0)
        last = self.integer(call.args[-1])
        counter = self.slot(I64)
        self.b.store(first, counter)
        test, body, step, end = (self.function.append_basic_block(name) for name in ("test", "loop", "step", "end"))
        self.b.branch(test)
        self.b.position_at_end(test)
        now = self.b.load(counter)
        self.b.cbranch(self.b.icmp_signed("<", now, last), body, end)
        self.b.position_at_end(body)
        self.assign(node.target.id, Value(INT, now), node)
        self.loop(node.body, None, step, end)
        self.b.position_at_end(step)
        self.b.store(self.b.add(self.b.load(counter), I64(1)), counter)
        self.b.branch(test)
        self.b.position_at_end(end)

    def loop(self, nodes: list[ast.stmt], body: Any, again: Any, end: Any) -> None:
        if body is not None:
            self.b.position_at_end(body)
        self.loops.append((again, end))
        self.statements(nodes)
        self.loops.pop()
        if not self.b.block.is_terminated:
            self.b.branch(again)
        self.b.position_at_end(end)

    def s_Break(self, node: ast.Break) -> None:
        self.b.branch(self.loops[-1][1])

    def s_Continue(self, node: ast.Continue) -> None:
        self.b.branch(self.loops[-1][0])

    # ── variables and elements ───────────────────────────────────────────────────────────────────────────────────────

    def slot(self, type_: ir.Type) -> Any:
        return ir.IRBuilder(self.entry).alloca(type_)

    def assign(self, name: str, value: Value, node: ast.AST | None = None) -> None:
        known = self.locals.get(name)
        if known is None:
            if value.type in _BUFFERS:
                known = (value.type, self.slot(value.element.as_pointer()), self.slot(I64))
            elif value.type == NONE:
                raise self.fail(node or self.node, "this has no value")
            else:
                known = (value.type, self.slot(_SCALARS[value.type]), None)
            self.locals[name] = known
        kind, first, second = known
        if kind in _BUFFERS:
            if value.type not in _BUFFERS or value.element != _BUFFERS[kind]:
                raise self.fail(node or self.node, f"`{name}` is {kind}, not {value.type}")
            self.b.store(value.pointer, first)
            self.b.store(value.length, second)
        else:
            self.b.store(self.convert(value, kind, node or self.node), first)

    def place(self, node: ast.Subscript) -> tuple[Any, ir.IntType]:
        """Pointer to an element, after the check that it exists."""
        buffer = self.value(node.value)
        if buffer.type not in _BUFFERS:
            raise self.fail(node, "only buffers have elements")
        index = self.integer(node.slice)
        self.check(self.b.icmp_unsigned("<", index, buffer.length))
        return self.b.gep(buffer.pointer, [index]), buffer.element

    def check(self, condition: Any) -> None:
        inside = self.function.append_basic_block("inside")
        self.b.cbranch(condition, inside, self.trap).set_weights([1 << 20, 1])
        self.b.position_at_end(inside)

    def load(self, pointer: Any, element: ir.IntType) -> Any:
        value = self.b.load(pointer)
        return value if element == I64 else self.b.zext(value, I64)

    def store(self, value: Any, pointer: Any, element: ir.IntType) -> None:
        self.b.store(value if element == I64 else self.b.trunc(value, element), pointer)

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: ast.expr) -> Value:
        make = getattr(self, f"e_{type(node).__name__}", None)
        if make is None:
            raise self.fail(node, f"no {type(node).__name__} in the kernel language")
        made: Value = make(node)
        return made

    def scalar(self, node: ast.expr, kind: str) -> Any:
        return self.convert(self.value(node), kind, node)

    def integer(self, node: ast.expr) -> Any:
        return self.scalar(node, INT)

    def condition(self, node: ast.expr) -> Any:
        return self.scalar(node, BOOL)

    def convert(self, value: Value, kind: str, node: ast.AST) -> Any:
        if value.type == kind:
            return value.value
        if kind == BOOL and value.type == INT:
            return self.b.icmp_signed("!=", value.value, I64(0))
        if kind == INT and value.type == BOOL:
            return self.b.zext(value.value, I64)
        raise self.fail(node, f"{value.type} where {kind} is expected")

    def e_Constant(self, node: ast.Constant) -> Value:
        return self.constant(node.value, node)

    def constant(self, value: Any, node: ast.AST) -> Value:
        if isinstance(value, bool):
            return Value(BOOL, I1(int(value)))
        if isinstance(value, int):
            return Value(INT, I64(int(value)))
        if isinstance(value, bytes) or (isinstance(value, tuple) and all(isinstance(item, int) for item in value)):
            return self.kernels.constant(value)
        raise self.fail(node, f"no constant of the kernel language: {value!r}")

    def e_Name(self, node: ast.Name) -> Value:
        known = self.locals.get(node.id)
        if known is None:
            if node.id not in self.globals:
                raise self.fail(node, f"`{node.id}` is not known here")
            return self.constant(self.globals[node.id], node)
        kind, first, second = known
        if second is None:
            return Value(kind, self.b.load(first))
        return Value(kind, pointer=self.b.load(first), length=self.b.load(second))

    def e_UnaryOp(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return Value(BOOL, self.b.not_(self.condition(node.operand)))
        operand = self.integer(node.operand)
        return Value(INT, self.b.neg(operand) if isinstance(node.op, ast.USub) else self.b.not_(operand))

    def e_BinOp(self, node: ast.BinOp) -> Value:
        left = self.value(node.left)
        if left.type in _LANES:
            if type(node.op) in _LANES_SHIFT:
                counts = self.counts(node.right, range(32), _LANES[left.type])
                return Value(left.type, getattr(self.b, _LANES_SHIFT[type(node.op)])(left.value, counts))
            if type(node.op) not in _BINARY:
                raise self.fail(node, f"no {type(node.op).__name__} of lanes")
            right = self.scalar(node.right, left.type)
            return Value(left.type, getattr(self.b, _BINARY[type(node.op)])(left.value, right))
        number = self.convert(left, INT, node.left)
        return Value(INT, self.binary(node, node.op, number, self.integer(node.right)))

    def binary(self, node: ast.AST, operator: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(operator, ast.FloorDiv | ast.Mod):
            if not isinstance(right, ir.Constant) or right.constant <= 0:
                raise self.fail(node, "a divisor must be a positive constant")
            remainder = self.b.srem(left, right)
            negative = self.b.icmp_signed("<", remainder, I64(0))
            remainder = self.b.select(negative, self.b.add(remainder, right), remainder)
            if isinstance(operator, ast.Mod):
                return remainder
            return self.b.sdiv(self.b.sub(left, remainder), right)
        name = _BINARY.get(type(operator))
        if name is None:
            raise self.fail(node, f"no {type(operator).__name__} in the kernel language")
        return getattr(self.b, name)(left, right)

    def e_Compare(self, node: ast.Compare) -> Value:
        left = self.integer(node.left)
        result: Any = None
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            right = self.integer(operand)
            if type(operator) not in _COMPARE:
                raise self.fail(node, f"no {type(operator).__name__} in the kernel language")
            one = self.b.icmp_signed(_COMPARE[type(operator)], left, right)
            result = one if result is None else self.b.and_(result, one)
            left = right
        return Value(BOOL, result)

    def e_BoolOp(self, node: ast.BoolOp) -> Value:
        """Of numbers it is one of them, as in Python; else a truth value."""
        stop = isinstance(node.op, ast.Or)
        end = self.function.append_basic_block("known")
        slot, number = self.slot(I1), self.slot(I64)
        numbers = True
        for i, operand in enumerate(node.values):
            value = self.value(operand)
            numbers = numbers and value.type == INT
            if numbers:
                self.b.store(value.value, number)
            self.b.store(self.convert(value, BOOL, operand), slot)
            if i + 1 == len(node.values):
                self.b.branch(end)
            else:
                more = self.function.append_basic_block("more")
                self.b.cbranch(self.b.load(slot), *((end, more) if stop else (more, end)))
                self.b.position_at_end(more)
        self.b.position_at_end(end)
        return Value(INT, self.b.load(number)) if numbers else Value(BOOL, self.b.load(slot))

    def e_IfExp(self, node: ast.IfExp) -> Value:
        then, otherwise, end = (self.function.append_basic_block(name) for name in ("then", "else", "end"))
        slot = self.slot(I64)
        self.b.cbranch(self.condition(node.test), then, otherwise)
        for block, operand in ((then, node.body), (otherwise, node.orelse)):
            self.b.position_at_end(block)
            self.b.store(self.integer(operand), slot)
            self.b.branch(end)
        self.b.position_at_end(end)
        return Value(INT, self.b.load(slot))

    def e_Subscript(self, node: ast.Subscript) -> Value:
        if not isinstance(node.slice, ast.Slice):
            return Value(INT, self.load(*self.place(node)))
        buffer = self.value(node.value)
        if buffer.type not in _BUFFERS or node.slice.step is not None:
            raise self.fail(node, "only buffers have slices, and those no step")
        start = I64(0) if node.slice.lower is None else self.integer(node.slice.lower)
        end = buffer.length if node.slice.upper is None else self.integer(node.slice.upper)
        return self.part(buffer, start, end)

    def part(self, buffer: Value, start: Any, end: Any) -> Value:
        """A part of a buffer, after the check that it has it."""
        self.check(self.b.icmp_unsigned("<=", end, buffer.length))
        self.check(self.b.icmp_unsigned("<=", start, end))
        return Value(buffer.type, pointer=self.b.gep(buffer.pointer, [start]), length=self.b.sub(end, start))

    def e_Call(self, node: ast.Call) -> Value:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.fail(node, "only functions can be called, with arguments by position")
        name = node.func.id
        if name == "len":
            return Value(INT, self.value(node.args[0]).length)
        if name in ("min", "max"):
            left, right = self.integer(node.args[0]), self.integer(node.args[1])
            return Value(
                INT, self.b.select(self.b.icmp_signed("<" if name == "min" else ">", left, right), left, right)
            )
        function = self.globals.get(name)
        if inspect.isfunction(function) and function.__module__ == kernel_types.__name__:
            make = getattr(self, f"f_{function.__name__}", None)
            if make is not None:
                if len(node.args) != len(inspect.signature(function).parameters):
                    raise self.fail(node, f"`{name}` takes {len(inspect.signature(function).parameters)} arguments")
                made: Value = make(node, *node.args)
                return made
        try:
            callee, parameters, result = self.kernels.function(function)
        except KeyError:
            raise self.fail(node, f"`{name}` is not a function of a kernel") from None
        if len(parameters) != len(node.args):
            raise self.fail(node, f"`{name}` takes {len(parameters)} arguments")
        arguments: list[Any] = []
        for kind, argument in zip(parameters, node.args, strict=True):
            value = self.value(argument)
            if kind not in _BUFFERS:
                arguments.append(self.convert(value, kind, argument))
            elif value.type in _BUFFERS and value.element == _BUFFERS[kind]:
                arguments += [value.pointer, value.length]
            else:
                raise self.fail(argument, f"{value.type} where {kind} is expected")
        returned = self.b.call(callee, arguments)
        self.check(self.b.not_(self.b.extract_value(returned, 1)))
        return Value(result, self.b.extract_value(returned, 0))

    # ── functions of `kernel_types` ──────────────────────────────────────────────────────────────────────────────────

    def count(self, node: ast.expr, allowed: range | tuple[int, ...]) -> int:
        """A constant."""
        value = self.integer(node)
        if not isinstance(value, ir.Constant) or value.constant not in allowed:
            raise self.fail(node, f"a constant of {allowed} is expected")
        return int(value.constant)

    def order(self, node: ast.expr) -> tuple[int, ...] | None:
        """A tuple that is a constant of the module, or None."""
        found = self.globals.get(node.id) if isinstance(node, ast.Name) and node.id not in self.locals else None
        return found if isinstance(found, tuple) and all(isinstance(item, int) for item in found) else None

    def counts(self, node: ast.expr, allowed: range, type_: ir.VectorType) -> Any:
        """One constant for all lanes, or a tuple with one for each."""
        order = self.order(node)
        if order is None:
            order = (self.count(node, allowed),) * type_.count
        elif len(order) != type_.count or not set(order) <= set(allowed):
            raise self.fail(node, f"{type_.count} numbers of {allowed} are expected")
        return type_(list(order))

    def octets(self, node: ast.expr, index: ast.expr, size: int) -> Any:
        """Pointer to so many bytes of a buffer of bytes."""
        buffer = self.value(node)
        if buffer.type not in _BUFFERS or buffer.element != I8:
            raise self.fail(node, "a buffer of bytes is expected")
        return self.run_of(buffer, index, size)

    def run_of(self, buffer: Value, index: ast.expr, size: int) -> Any:
        """Pointer to so many elements of a buffer."""
        start = self.integer(index)
        return self.part(buffer, start, self.b.add(start, I64(size))).pointer

    def lanes_of(self, node: ast.expr) -> Value:
        value = self.value(node)
        if value.type not in _LANES:
            raise self.fail(node, f"{value.type} where lanes are expected")
        return value

    def little(self, value: Any) -> Any:
        """A number as its bytes lie in memory, or back."""
        if sys.byteorder == "little":
            return value
        return self.b.call(self.intrinsic("llvm.bswap", value.type, 1), [value])

    def intrinsic(self, name: str, type_: ir.Type, count: int) -> Any:
        """An instruction of LLVM with so many operands and a result of one type. llvmlite itself declares none for vectors."""
        suffix = f"v{type_.count}i32" if isinstance(type_, ir.VectorType) else f"i{type_.width}"
        full = f"{name}.{suffix}"
        found = self.kernels.module.globals.get(full)
        return found or ir.Function(self.kernels.module, ir.FunctionType(type_, [type_] * count), full)

    def unaligned(self, pointer: Any, type_: ir.Type) -> Any:
        """What lies there, wherever that is."""
        return self.b.load(self.b.bitcast(pointer, type_.as_pointer()), align=1)

    def f_words(self, node: ast.Call, count: ast.expr) -> Value:
        return self.local("Words", count)

    def f_longs(self, node: ast.Call, count: ast.expr) -> Value:
        return self.local("Longs", count)

    def local(self, kind: str, node: ast.expr) -> Value:
        """A buffer on the stack. It is zero from here on, not from the function's start: most are needed on few paths."""
        count = self.count(node, range(1, kernel_types.LOCAL_MAX + 1))
        element = _BUFFERS[kind]
        type_ = ir.ArrayType(element, count)
        slot = ir.IRBuilder(self.entry).alloca(type_)
        slot.align = 64
        fill = self.kernels.module.declare_intrinsic("llvm.memset", [POINTER, I64])
        size = I64(count * element.width // 8)
        self.b.call(fill, [self.b.bitcast(slot, POINTER), I8(0), size, I1(0)])
        return Value(kind, pointer=self.b.bitcast(slot, element.as_pointer()), length=I64(count))

    def f_load32(self, node: ast.Call, buffer: ast.expr, index: ast.expr) -> Value:
        return Value(INT, self.b.zext(self.little(self.unaligned(self.octets(buffer, index, 4), I32)), I64))

    def f_load64(self, node: ast.Call, buffer: ast.expr, index: ast.expr) -> Value:
        return Value(INT, self.little(self.unaligned(self.octets(buffer, index, 8), I64)))

    def f_store64(self, node: ast.Call, buffer: ast.expr, index: ast.expr, number: ast.expr) -> Value:
        value = self.little(self.integer(number))
        pointer = self.b.bitcast(self.octets(buffer, index, 8), I64.as_pointer())
        self.b.store(value, pointer, align=1)
        return Value(NONE, I1(0))

    def f_rotate_right(self, node: ast.Call, operand: ast.expr, count: ast.expr) -> Value:
        value = self.value(operand)
        if value.type not in _LANES:
            number = self.b.trunc(self.convert(value, INT, operand), I32)
            return Value(INT, self.b.zext(self.turned(number, I32(self.count(count, range(1, 32)))), I64))
        return Value(value.type, self.turned(value.value, self.counts(count, range(1, 32), _LANES[value.type])))

    def turned(self, value: Any, bits: Any) -> Any:
        return self.b.call(self.intrinsic("llvm.fshr", value.type, 3), [value, value, bits])

    def f_lanes(self, node: ast.Call, buffer: ast.expr, index: ast.expr, count: ast.expr) -> Value:
        found, number = self.value(buffer), self.count(count, kernel_types.LANES)
        kind = f"Lanes{number}"
        if found.type in _BUFFERS and found.element == I8:
            return Value(kind, self.little(self.unaligned(self.run_of(found, index, 4 * number), _LANES[kind])))
        if found.type != "Words":
            raise self.fail(buffer, f"{found.type} where bytes or words are expected")
        pointer = self.b.bitcast(self.run_of(found, index, number), _LANES[kind].as_pointer())
        return Value(kind, self.b.load(pointer, align=4))

    def f_put_lanes(self, node: ast.Call, buffer: ast.expr, index: ast.expr, operand: ast.expr) -> Value:
        found, value = self.value(buffer), self.lanes_of(operand)
        type_ = _LANES[value.type]
        if found.type in _BUFFERS and found.element == I8:
            pointer = self.run_of(found, index, 4 * type_.count)
            self.b.store(self.little(value.value), self.b.bitcast(pointer, type_.as_pointer()), align=1)
        elif found.type == "Words":
            pointer = self.run_of(found, index, type_.count)
            self.b.store(value.value, self.b.bitcast(pointer, type_.as_pointer()), align=4)
        else:
            raise self.fail(buffer, f"{found.type} where bytes or words are expected")
        return Value(NONE, I1(0))

    def f_any_bit(self, node: ast.Call, operand: ast.expr) -> Value:
        value = self.lanes_of(operand)
        bits = ir.IntType(32 * _LANES[value.type].count)
        return Value(BOOL, self.b.icmp_unsigned("!=", self.b.bitcast(value.value, bits), bits(0)))

    def f_spread(self, node: ast.Call, number: ast.expr, count: ast.expr) -> Value:
        kind = f"Lanes{self.count(count, kernel_types.LANES)}"
        one = self.b.insert_element(
            ir.Constant(_LANES[kind], ir.Undefined), self.b.trunc(self.integer(number), I32), I32(0)
        )
        return Value(kind, self.b.shuffle_vector(one, one, _LANES[kind]([0] * _LANES[kind].count)))

    def f_shuffle(self, node: ast.Call, operand: ast.expr, order: ast.expr) -> Value:
        value = self.lanes_of(operand)
        return self.shuffled(value, value.value, order, _LANES[value.type].count)

    def f_shuffle_two(self, node: ast.Call, first: ast.expr, second: ast.expr, order: ast.expr) -> Value:
        value = self.lanes_of(first)
        return self.shuffled(value, self.scalar(second, value.type), order, 2 * _LANES[value.type].count)

    def shuffled(self, value: Value, second: Any, node: ast.expr, known: int) -> Value:
        order = self.order(node)
        if order is None or len(order) not in kernel_types.LANES or not set(order) <= set(range(known)):
            raise self.fail(node, f"an order is a tuple of the module, of 4, 8 or 16 numbers below {known}")
        mask = ir.VectorType(I32, len(order))(list(order))
        return Value(f"Lanes{len(order)}", self.b.shuffle_vector(value.value, second, mask))

    def buffer(self, node: ast.expr) -> Value:
        value = self.value(node)
        if value.type not in _BUFFERS:
            raise self.fail(node, f"{value.type} where a buffer is expected")
        return value

    def f_seek(self, node: ast.Call, buffer: ast.expr, first: ast.expr, last: ast.expr, members: ast.expr) -> Value:
        data = self.buffer(buffer)
        found = self.globals.get(members.id) if isinstance(members, ast.Name) else getattr(members, "value", None)
        if data.element != I8 or not isinstance(found, bytes):
            raise self.fail(node, "`seek` looks through bytes for those of a constant")
        start, end = self.integer(first), self.integer(last)
        self.check(self.b.icmp_unsigned("<=", end, data.length))
        self.check(self.b.icmp_unsigned("<=", start, end))
        return Value(INT, self.b.call(self.kernels.seeker(found), [data.pointer, data.length, start, end]))

    def f_move(self, node: ast.Call, *arguments: ast.expr) -> Value:
        target, source = self.buffer(arguments[0]), self.buffer(arguments[2])
        if target.type == "Bytes" or target.element != source.element:
            raise self.fail(node, "`move` writes to a buffer of the same kind")
        at, start, size = (self.integer(arguments[k]) for k in (1, 3, 4))
        for place, length in ((at, target.length), (start, source.length)):
            self.check(self.b.icmp_unsigned("<=", place, length))
            self.check(self.b.icmp_unsigned("<=", size, self.b.sub(length, place)))
        pointers = [
            self.b.bitcast(self.b.gep(value.pointer, [place]), POINTER)
            for value, place in ((target, at), (source, start))
        ]
        count = self.b.mul(size, I64(target.element.width // 8))
        function = self.kernels.module.declare_intrinsic("llvm.memmove", [POINTER, POINTER, I64])
        self.b.call(function, [*pointers, count, I1(0)])
        return Value(NONE)
