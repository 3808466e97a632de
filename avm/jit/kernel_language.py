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
where those want a count or an order, it is a literal or a constant of the module; memory and C functions at addresses from outside, which
are as they are told to be; `attempt`, which goes on where a called kernel ended early. Short functions are inlined, those with `@inline` always,
those with `@rare` never: they hardly ever run.

An editor of this file must preserve: each access to an element is checked, an access outside ends all kernels on the way and
raises IndexError at the caller, so that no input can make a kernel touch memory that is not its own. Checks of one buffer are put together,
so such an access may end a kernel before others that come first in the text; what it leaves in its buffers is not defined. Nothing is put
together across `invoke` and `attempt`. What `CALLBACKS` of a module names is called by C, which knows no early end, and so has none.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections import Counter
from operator import add, and_, mul, or_, sub, xor
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from . import kernel_types
from .assembly import (
    DOUBLE,
    FLOAT,
    I1,
    I8,
    I16,
    I32,
    I64,
    LIKELY,
    POINTER,
    UNLIKELY,
    VOID,
    Block,
    Builder,
    Function,
    Module,
    Operand,
    Type,
    integer,
    pair,
    vector,
)
from .kernel_values import (
    BOOL,
    BUFFERS,
    INT,
    LANES,
    NONE,
    NOTHING,
    SCALARS,
    Known,
    Meeting,
    State,
    Value,
    from_parts,
    llvm_types,
    undefined,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FunctionType, ModuleType

WIDE: Final = 16
VECTOR: Final = vector(8, WIDE)

INLINED_MAX: Final = 34
"""Instructions of a function that is compiled again wherever it is called.

LLVM could inline, but it weighs each call by itself, and most of its time went into code that stood in many places and ran in few.
"""

INLINED_ONCE_MAX: Final = 80
"""Of a function that its module calls in one place."""

_OFFSET_MAX: Final = 1 << 30

TRAPPED: Final = -(2**63)
"""What an exported function returns after an access outside of a buffer."""

_BINARY: Final[dict[type[ast.operator], str]] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.LShift: "shl",
    ast.RShift: "ashr",
}
_FOLDED: Final[dict[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: add,
    ast.Sub: sub,
    ast.Mult: mul,
    ast.BitAnd: and_,
    ast.BitOr: or_,
    ast.BitXor: xor,
}
_RARE: Final = ["noinline", "cold", "minsize", "optsize"]
_LANES_SHIFT: Final[dict[type[ast.operator], str]] = {ast.LShift: "shl", ast.RShift: "lshr"}
_COMPARE: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "slt",
    ast.LtE: "sle",
    ast.Gt: "sgt",
    ast.GtE: "sge",
}


class KernelError(Exception):
    """A kernel that is not of the language."""


class Kernels:
    """One LLVM module made of kernel modules; functions of all of them may call each other."""

    def __init__(self) -> None:
        self.module = Module()
        self._functions: dict[Any, Kernel] = {}
        self._constants: dict[bytes | tuple[int, ...], Operand] = {}
        self._seekers: dict[bytes, Function] = {}

    def text(self) -> str:
        """LLVM assembly of all of them."""
        used = [made for made in self.module.functions if not made.internal]
        callers: Counter[Function] = Counter()
        for made in used:  # which grows meanwhile
            for callee in made.callees:
                callers[callee] += 1
                if callers[callee] == 1 and callee.internal:
                    used.append(callee)
        for made in used:
            for callee in made.callees:
                if not made.internal and callers[callee] == 1:  # one that only the outside calls
                    callee.attributes = ["alwaysinline"]
        self.module.functions = used
        return self.module.text()

    def add(self, module: ModuleType, *, exported: bool = True) -> list[str]:
        """Compile the functions of a module; those of its `EXPORTS` can be called from outside. Raises KernelError.

        exported: whether they can, or are for the modules that follow only.
        """
        exports = module.EXPORTS if exported else ()
        functions = [
            item for item in vars(module).values() if inspect.isfunction(item) and item.__module__ == module.__name__
        ]
        source = inspect.getsource(module)
        nodes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
        mentioned = Counter(re.findall(r"\b(\w+)\(", source))
        for function in functions:
            once = mentioned[function.__name__] == 2  # its definition and a call
            self._declare(function, nodes[function.__name__], module.EXPORTS, once=once)
        for function in _callees_first(functions):
            kernel = self._functions[function]
            _Compiler(self, kernel).run()
            kernel.complete()
        for name in exports:
            kernel = self._functions[getattr(module, name)]
            if kernel.ends_early and name in getattr(module, "CALLBACKS", ()):
                raise KernelError(f"{name}: a callback must not end early; `attempt` what may")
            self._export(kernel)
        return list(exports)

    def kernel(self, function: Any) -> Kernel:
        """What is known of a function. Raises KeyError."""
        return self._functions[function]

    def constant(self, values: bytes | tuple[int, ...]) -> Value:
        """A read-only buffer."""
        octets = isinstance(values, bytes)
        if values not in self._constants:
            self._constants[values] = self.module.constant(values, 8 if octets else 64)
        return Value("Bytes" if octets else "Longs", pointer=self._constants[values], length=I64(len(values)))

    def seeker(self, members: bytes) -> Function:
        """`(pointer, length, start, end)` → position of the first byte of a set, or `end`; the caller has checked the range."""
        if members not in self._seekers:
            name = f"seek.{len(self._seekers)}"
            made = self.module.define(name, I64, [POINTER, I64, I64, I64], internal=True)
            made.attributes.append("noinline")
            self._seekers[members] = made
            _make_seeker(self.module, made, members, self.constant(bytes(c in members for c in range(256))).pointer)
        return self._seekers[members]

    def _declare(self, function: FunctionType, node: ast.FunctionDef, exports: tuple[str, ...], *, once: bool) -> None:
        parameters = [_annotation(argument.annotation, node) for argument in node.args.args]
        result = _annotation(node.returns, node)
        returned = I1 if result == NONE else pair(SCALARS[result], I1)
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        types = [type_ for parameter in parameters for type_ in llvm_types(parameter)]
        made = self.module.define(name, returned, types, internal=True)
        decorators = [
            function.__globals__.get(item.id) if isinstance(item, ast.Name) else None for item in node.decorator_list
        ]
        if not set(decorators) <= (
            {kernel_types.rare} if node.name in exports else {kernel_types.rare, kernel_types.inline}
        ):
            raise KernelError(f"{function.__name__}: decorators are `rare` and, not of what is exported, `inline`")
        made.attributes += _RARE if kernel_types.rare in decorators else ["noinline"]
        inlined_max = INLINED_ONCE_MAX if once else INLINED_MAX
        if decorators:
            inlined_max = sys.maxsize if kernel_types.inline in decorators else 0
        self._functions[function] = Kernel(function, node, made, parameters, result, inlined_max)

    def _export(self, kernel: Kernel) -> None:
        name = kernel.function.__name__
        if not LANES.keys().isdisjoint((*kernel.parameters, kernel.result)):
            raise KernelError(f"{name}: lanes cannot pass to the outside")
        types = [I64 for parameter in kernel.parameters for _ in llvm_types(parameter)]
        outer = self.module.define(name, I64, types)
        b = Builder(outer.append("entry"))
        arguments: list[Operand] = []
        given = iter(outer.arguments)
        for parameter in kernel.parameters:
            if parameter in BUFFERS:
                arguments.append(b.convert("inttoptr", next(given), POINTER))
                arguments.append(next(given))
            elif parameter == BOOL:
                arguments.append(b.compare("ne", next(given), I64(0)))
            else:
                arguments.append(next(given))
        trapped = b.call(kernel.made, arguments)
        value = I64(0)
        if kernel.result != NONE:
            value, trapped = b.extract(trapped, 0, SCALARS[kernel.result]), b.extract(trapped, 1, I1)
        if value.type is not I64:
            value = b.convert("zext", value, I64)
        b.ret(b.select(trapped, I64(TRAPPED), value))


class Kernel:
    """What callers of a function need to know."""

    def __init__(
        self,
        function: FunctionType,
        node: ast.FunctionDef,
        made: Function,
        parameters: list[str],
        result: str,
        inlined_max: int,
    ) -> None:
        """Of a function that is not compiled yet."""
        self.function = function
        self.node = node
        self.made = made
        self.parameters = parameters
        self.result = result
        self.inlined = False
        """Whether its text is compiled again wherever it is called."""
        self.returns = True
        """Whether it ever returns without a trap."""
        self.ends_early = True
        """Whether it may end with one."""
        self._inlined_max = inlined_max

    def complete(self) -> None:
        """It is compiled: whoever is compiled later may inline it."""
        self.inlined = self.made.size() <= self._inlined_max and self.made not in self.made.callees


def _callees_first(functions: Iterable[FunctionType]) -> list[FunctionType]:
    """In an order in which functions follow those they call, except for circles."""
    found: dict[FunctionType, bool] = dict.fromkeys(functions, False)
    order: list[FunctionType] = []

    def visit(function: FunctionType) -> None:
        found[function] = True
        for name in function.__code__.co_names:
            callee = function.__globals__.get(name)
            if inspect.isfunction(callee) and not found.get(callee, True):
                visit(callee)
        order.append(function)

    for function in list(found):
        if not found[function]:
            visit(function)
    return order


def _ranges(members: bytes) -> list[tuple[int, int]]:
    """First and last of each run of bytes that are members."""
    firsts = [c for c in range(256) if c in members and (c == 0 or c - 1 not in members)]
    lasts = [c for c in range(256) if c in members and (c == 255 or c + 1 not in members)]
    return list(zip(firsts, lasts, strict=True))


def _make_seeker(module: Module, function: Function, members: bytes, table: Operand) -> None:
    """Body of a seeker: sixteen bytes at a time while the buffer has them, be it beyond the end of the range; then one by one."""
    pointer, length, start, end = function.arguments
    names = ("entry", "test", "choose", "wide", "found", "none", "single", "one", "hit", "miss", "out")
    entry, test, choose, wide, found, none, single, one, hit, miss, out = map(function.append, names)
    b = Builder(entry)
    b.jump(test)
    b.block = test
    at = test.phi(I64)
    at.add(start, entry)
    b.branch(b.compare("slt", at, end), choose, out)
    b.block = choose
    # on a big-endian machine the mask would begin with the last byte
    little = sys.byteorder == "little"
    b.branch(b.compare("sle", at, b.binary("sub", length, I64(WIDE))) if little else I1(0), wide, single)
    b.block = wide
    read = b.load(b.element(pointer, I8, at), VECTOR, align=1)
    hits = vector(1, WIDE).zero()
    for first, last in _ranges(members):
        moved = b.binary("sub", read, VECTOR.each([first] * WIDE))
        hits = b.binary("or", hits, b.compare("ule", moved, VECTOR.each([last - first] * WIDE)))
    mask = b.convert("bitcast", hits, I16)
    b.branch(b.compare("ne", mask, I16(0)), found, none)
    b.block = found
    zeros = module.declare("llvm.cttz.i16", I16, [I16, I1])
    place = b.binary("add", at, b.convert("zext", b.call(zeros, [mask, I1(1)]), I64))
    b.ret(b.select(b.compare("slt", place, end), place, end))
    b.block = none
    at.add(b.binary("add", at, I64(WIDE)), none)
    b.jump(test)
    b.block = single
    now = single.phi(I64)
    now.add(at, choose)
    b.branch(b.compare("slt", now, end), one, out)
    b.block = one
    byte = b.convert("zext", b.load(b.element(pointer, I8, now), I8), I64)
    b.branch(b.compare("ne", b.load(b.element(table, I8, byte), I8), I8(0)), hit, miss)
    b.block = hit
    b.ret(now)
    b.block = miss
    now.add(b.binary("add", now, I64(1)), miss)
    b.jump(single)
    b.block = out
    b.ret(end)


def _annotation(node: ast.expr | None, function: ast.FunctionDef) -> str:
    if isinstance(node, ast.Constant) and node.value is None:
        return NONE
    if isinstance(node, ast.Name) and (node.id in BUFFERS or node.id in SCALARS):
        return node.id
    raise KernelError(f"{function.name}: every parameter and the result needs a type of the kernel language")


_Reaches: TypeAlias = dict[tuple[str, str | None], tuple[int, int]]
"""Buffer and variable, or none, to the least and greatest constant that is added to it."""


def _assigned(nodes: list[ast.stmt]) -> set[str]:
    """Names that statements assign."""
    found = set()
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.add(name)
            case ast.For(target=ast.Name(id=name)):
                found.add(name)
                found |= _assigned(node.body)
            case ast.While():
                found |= _assigned(node.body)
            case ast.If():
                found |= _assigned(node.body) | _assigned(node.orelse)
            case _:
                pass
    return found


def _plain(value: Operand | None) -> Known:
    """Constants are equal if their numbers are, everything else only to itself."""
    return value if value is None or value.number is None else value.number


_RESULT: Final = "return"
"""Name of a function's result; no variable can have it."""


class _Scope:
    """A function while its text is compiled, be it inlined in another: then `end` is where it returns to."""

    def __init__(self, kernel: Kernel, end: Meeting | None = None, caller: _Scope | None = None) -> None:
        self.kernel = kernel
        self.end = end
        self.caller = caller
        self.globals = kernel.function.__globals__
        self.kinds: dict[str, str] = {}
        self.loops: list[tuple[Meeting, Meeting]] = []
        self.coming: _Reaches = {}
        self.variables = _assigned(kernel.node.body) | {argument.arg for argument in kernel.node.args.args}

    def within(self, kernel: Kernel) -> bool:
        """Whether this is a part of that function."""
        return self.kernel is kernel or (self.caller is not None and self.caller.within(kernel))

    def parameters(self) -> list[tuple[str, str]]:
        """Names and types."""
        names = [argument.arg for argument in self.kernel.node.args.args]
        return list(zip(names, self.kernel.parameters, strict=True))


class _Compiler:
    """One function."""

    def __init__(self, kernels: Kernels, kernel: Kernel) -> None:
        self.kernels = kernels
        self.kernel = kernel
        self.function = kernel.made
        self.entry = Builder(self.function.append("entry"))
        self.b = Builder(self.function.append("body"))
        self.now = State({}, {})
        self.trap = Block(self.function, "trap")
        self.scope = _Scope(kernel)
        self.returned = False
        self.sums: dict[Operand, tuple[Operand | None, int]] = {}
        """Numbers that are another one and a constant."""

    def run(self) -> None:
        arguments = iter(self.function.arguments)
        body = self.b.block
        for name, kind in self.scope.parameters():
            self.assign(name, from_parts(kind, [next(arguments) for _ in llvm_types(kind)]))
        self.statements(self.kernel.node.body)
        self.end()
        self.kernel.returns = self.returned
        self.entry.jump(body)
        label = f"label %{self.trap.name}"
        self.kernel.ends_early = any(
            line.endswith(label) or f"{label}," in line for block in self.function.blocks for line in block.lines[-1:]
        )
        self.function.blocks.append(self.trap)
        result = self.kernel.result
        trapped = Operand(self.function.result, f"{{ {SCALARS[result].text} undef, i1 true }}")
        Builder(self.trap).ret(I1(1) if result == NONE else trapped)

    def inline(self, kernel: Kernel, arguments: list[Value]) -> Value:
        """Compile a function where it is called."""
        caller, names = self.scope, self.now.names
        end = self.meeting("returned")
        self.scope = _Scope(kernel, end, caller)
        self.now = State({}, self.now.bounds)
        for (name, _), value in zip(self.scope.parameters(), arguments, strict=True):
            self.assign(name, value)
        self.statements(kernel.node.body)
        self.end()
        self.scope = caller
        if not end.edges:
            return undefined(kernel.result)
        self.enter(end)
        value = self.now.value(_RESULT, kernel.result)
        self.now = State(names, self.now.bounds)
        return value

    def end(self) -> None:
        """Behind the last statement. Where a result is due none of a kernel comes, but if it did, it should do no harm."""
        if self.scope.kernel.result == NONE:
            self.returns(NOTHING)
        else:
            self.b.jump(self.trap)

    def returns(self, value: Value) -> None:
        """End the function, or go to the end of the inlined one."""
        if self.b.block.ended:
            return
        if self.scope.end is not None:
            self.now = State({_RESULT: value}, self.now.bounds)
            self.jump(self.scope.end)
            return
        self.returned = True
        if value.type == NONE:
            self.b.ret(I1(0))
            return
        returned, text = self.function.result, value.value.type.text
        if value.value.number is not None:
            self.b.ret(Operand(returned, f"{{ {text} {value.value.text}, i1 false }}"))
        else:
            self.b.ret(self.b.insert(Operand(returned, f"{{ {text} undef, i1 false }}"), value.value, 0))

    def fail(self, node: ast.AST, message: str) -> KernelError:
        return KernelError(f"{self.scope.globals['__name__']}:{getattr(node, 'lineno', 0)}: {message}")

    # ── ways ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def meeting(self, name: str) -> Meeting:
        return Meeting(self.function, name)

    def jump(self, target: Meeting) -> None:
        if self.b.block.ended:
            return
        target.edges.append((self.b.block, self.now))
        self.b.jump(target.block)

    def enter(self, target: Meeting) -> None:
        self.now = target.enter()
        self.b.block = target.block

    def fork(self, condition: Operand, then: Meeting, otherwise: Meeting) -> None:
        if self.b.block.ended:
            return
        for target in (then, otherwise):
            target.edges.append((self.b.block, self.now))
        self.b.branch(condition, then.block, otherwise.block)

    def decide(self, node: ast.expr, then: Meeting, otherwise: Meeting) -> None:
        """Go one way or the other. Of `and`, `or` and `not` no value is made."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.decide(node.operand, otherwise, then)
        elif isinstance(node, ast.BoolOp):
            stop = isinstance(node.op, ast.Or)
            for operand in node.values[:-1]:
                more = self.meeting("more")
                self.decide(operand, *((then, more) if stop else (more, otherwise)))
                if not more.edges:
                    return
                self.enter(more)
            self.decide(node.values[-1], then, otherwise)
        else:
            condition = self.condition(node)
            if condition.number is not None:
                self.jump(then if condition.number else otherwise)
            else:
                self.fork(condition, then, otherwise)

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────

    def statements(self, nodes: list[ast.stmt]) -> None:
        reaches: list[_Reaches] = [{}]
        for node in reversed(nodes):
            reaches.append(self.reaches(node, reaches[-1]))
        for node in nodes:
            if self.b.block.ended:
                return  # behind a break, continue or return
            make = getattr(self, f"s_{type(node).__name__}", None)
            if make is None:
                raise self.fail(node, f"no {type(node).__name__} in the kernel language")
            self.scope.coming = reaches.pop()
            make(node)

    def s_Pass(self, node: ast.Pass) -> None:
        pass

    def s_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.value(node.value)

    def s_Return(self, node: ast.Return) -> None:
        result = self.scope.kernel.result
        if node.value is None or result == NONE:
            self.returns(NOTHING)
        else:
            self.returns(Value(result, self.scalar(node.value, result)))

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
        pointer, element = self.place(node.target)
        old_value = self.load(pointer, element)
        self.store(self.binary(node, node.op, old_value, self.integer(node.value)), pointer, element)

    def s_If(self, node: ast.If) -> None:
        then, end = self.meeting("then"), self.meeting("end")
        otherwise = self.meeting("else") if node.orelse else end
        self.decide(node.test, then, otherwise)
        for block, body in ((then, node.body), (otherwise, node.orelse)):
            if block.edges and block is not end:
                self.enter(block)
                self.statements(body)
                if not self.b.block.ended:
                    self.jump(end)
        if end.edges:
            self.enter(end)

    def s_While(self, node: ast.While) -> None:
        test, body, end = (self.meeting(name) for name in ("test", "loop", "end"))
        self.enter_loop(test, node)
        self.decide(node.test, body, end)
        if body.edges:
            self.enter(body)
            self.loop(node.body, test, end)
        test.close()
        if end.edges:
            self.enter(end)

    def s_For(self, node: ast.For) -> None:
        call = node.iter
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"):
            raise self.fail(node, "a for loop needs a range")
        if not isinstance(node.target, ast.Name) or len(call.args) > 2:
            raise self.fail(node, "a range has a name, and no step")
        first = self.integer(call.args[0]) if len(call.args) == 2 else I64(0)
        last = self.integer(call.args[-1])
        if self.b.block.ended:
            return
        test, body, step, end = (self.meeting(name) for name in ("test", "loop", "step", "end"))
        before = self.b.block
        self.enter_loop(test, node)
        now = test.block.phi(I64)
        now.add(first, before)
        self.fork(self.b.compare("slt", now, last), body, end)
        self.enter(body)
        if first.number is not None and first.number >= 0:
            self.now = State(self.now.names, {**self.now.bounds, (_plain(last), now): (0, 0)})
        self.assign(node.target.id, Value(INT, now), node)
        self.loop(node.body, step, end)
        if step.edges:
            self.enter(step)
            now.add(self.b.binary("add", now, I64(1)), self.b.block)
            self.jump(test)
        test.close()
        self.enter(end)

    def enter_loop(self, test: Meeting, node: ast.For | ast.While) -> None:
        self.jump(test)
        self.now = test.enter_loop(_assigned([node]))
        self.b.block = test.block

    def loop(self, nodes: list[ast.stmt], again: Meeting, end: Meeting) -> None:
        self.scope.loops.append((again, end))
        self.statements(nodes)
        self.scope.loops.pop()
        if not self.b.block.ended:
            self.jump(again)

    def s_Break(self, node: ast.Break) -> None:
        self.jump(self.scope.loops[-1][1])

    def s_Continue(self, node: ast.Continue) -> None:
        self.jump(self.scope.loops[-1][0])

    # ── variables and elements ───────────────────────────────────────────────────────────────────────────────────────

    def assign(self, name: str, value: Value, node: ast.AST | None = None) -> None:
        if value.type == NONE:
            raise self.fail(node or self.scope.kernel.node, "this has no value")
        kind = self.scope.kinds.setdefault(name, value.type)
        if kind not in BUFFERS:
            value = Value(kind, self.convert(value, kind, node or self.scope.kernel.node))
        elif value.type not in BUFFERS or value.element != BUFFERS[kind]:
            raise self.fail(node or self.scope.kernel.node, f"`{name}` is {kind}, not {value.type}")
        else:
            value = Value(kind, pointer=value.pointer, length=value.length)
        self.now = State({**self.now.names, name: value}, self.now.bounds)

    def place(self, node: ast.Subscript) -> tuple[Operand, Type]:
        """Pointer to an element, after the check that it exists."""
        buffer = self.value(node.value)
        if buffer.type not in BUFFERS:
            raise self.fail(node, "only buffers have elements")
        index = self.integer(node.slice)
        self.exists(node, buffer.length, index)
        return self.b.element(buffer.pointer, buffer.element, index), buffer.element

    def exists(self, node: ast.Subscript, length: Operand, index: Operand) -> None:
        """Check an index.

        Of those that only differ by a constant it checks the least and the greatest, at the first if nothing else can happen between.
        """
        if index is length:
            self.b.jump(self.trap)
            return
        base, offset = self.sum_of(index)
        if abs(offset) > _OFFSET_MAX:
            self.check(self.b.compare("ult", index, length))
            return
        low, high = offset, offset
        access = self.access(node)
        if access is not None and access[0] in self.scope.coming and abs(access[1]) <= _OFFSET_MAX:
            least, greatest = self.scope.coming[access[0]]
            low, high = min(low, least + offset - access[1]), max(high, greatest + offset - access[1])
        if base is None and low >= 0:
            low = 0
        if base is None and length.number is not None and high < length.number:
            return
        key = (_plain(length), _plain(base))
        known = self.now.bounds.get(key)
        if known is None:
            ends = {high} if base is None and low == 0 else {low, high}
            reach = low, high
        elif known[0] <= offset <= known[1]:
            return
        else:
            ends = {end for end in (low, high) if not known[0] <= end <= known[1]}
            reach = min(low, known[0]), max(high, known[1])
        # what lies between two places of a buffer is in it too: no sum of a place and less than 2**33 leaves 64 bits
        for end in sorted(ends):
            if end == offset:
                place = index
            elif base is None:
                place = I64(end)
            else:
                place = self.b.binary("add", base, I64(end)) if end else base
            self.check(self.b.compare("ult", place, length))
        self.now = State(self.now.names, {**self.now.bounds, key: reach})

    def sum_of(self, value: Operand) -> tuple[Operand | None, int]:
        """A number as one that is not known and one that is."""
        if value.number is not None:
            return None, value.number
        found = self.sums.get(value)
        return found or (value, 0)

    def access(self, node: ast.Subscript) -> tuple[tuple[str, str | None], int] | None:
        """Buffer, variable and constant of an access like `buffer[variable + constant]`."""
        found = self.offset(node.slice)
        return ((node.value.id, found[0]), found[1]) if found is not None and isinstance(node.value, ast.Name) else None

    def offset(self, node: ast.expr) -> tuple[str | None, int] | None:
        """Variable and constant of a sum of them."""
        if isinstance(node, ast.Name):
            number = node.id if node.id in self.scope.variables else self.scope.globals.get(node.id)
            return (number, 0) if isinstance(number, str) else (None, number) if type(number) is int else None
        if isinstance(node, ast.Constant):
            return (None, node.value) if type(node.value) is int else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            left, right = self.offset(node.left), self.offset(node.right)
            if left is None or right is None or (right[0] is not None and (left[0] or isinstance(node.op, ast.Sub))):
                return None
            return left[0] or right[0], left[1] + right[1] if isinstance(node.op, ast.Add) else left[1] - right[1]
        return None

    def reaches(self, node: ast.stmt, behind: _Reaches) -> _Reaches:
        """Least and greatest constants of the accesses from this statement on that surely happen, with nothing between but more of them."""
        found: _Reaches = {}
        if not self.surely(node, found):
            return found
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        assigned = target.id if isinstance(target, ast.Name) else None
        for key, (low, high) in behind.items():
            if assigned not in key:
                least, greatest = found.get(key, (low, high))
                found[key] = min(least, low), max(greatest, high)
        return found

    def surely(self, node: ast.AST | None, found: _Reaches) -> bool:
        """Note the accesses that happen first in it; whether what follows it is sure as well."""
        match node:
            case ast.Name() | ast.Constant() | ast.Pass() | None:
                return True
            case ast.Subscript():
                if not self.surely(node.value, found) or not self.surely(node.slice, found):
                    return False
                access = self.access(node)
                if access is not None and abs(access[1]) <= _OFFSET_MAX:
                    low, high = found.get(access[0], (access[1], access[1]))
                    found[access[0]] = min(low, access[1]), max(high, access[1])
                return True
            case ast.BinOp():
                return self.surely(node.left, found) and self.surely(node.right, found)
            case ast.Compare():
                return self.surely(node.left, found) and all(self.surely(item, found) for item in node.comparators)
            case ast.UnaryOp():
                return self.surely(node.operand, found)
            case ast.Slice():
                return self.surely(node.lower, found) and self.surely(node.upper, found)
            case ast.Call(func=ast.Name(id=name)):
                function = self.scope.globals.get(name)
                own = inspect.isfunction(function) and function.__module__ == kernel_types.__name__
                own = own and function not in (kernel_types.invoke, kernel_types.attempt)
                known = own or name in ("len", "min", "max")
                return all(self.surely(argument, found) for argument in node.args) and known
            case ast.Assign():
                return self.surely(node.value, found) and self.surely(node.targets[0], found)
            case ast.AugAssign() | ast.AnnAssign():
                return self.surely(node.target, found) and self.surely(node.value, found)
            case ast.Expr():
                return self.surely(node.value, found)
            case ast.BoolOp():
                self.surely(node.values[0], found)
            case ast.IfExp() | ast.If() | ast.While():
                self.surely(node.test, found)
            case ast.Return():
                self.surely(node.value, found)
            case _:
                pass
        return False

    def check(self, condition: Operand) -> None:
        """End the kernel if it is false."""
        if self.b.block.ended:
            return
        inside = self.function.append("inside")
        self.b.branch(condition, inside, self.trap, LIKELY)
        self.b.block = inside

    def at_most(self, left: Operand, right: Operand) -> None:
        """End the kernel if, without sign, the left number is greater."""
        if left is right or left.number == 0:
            return
        if left.number is not None and right.number is not None and 0 <= left.number <= right.number:
            return
        self.check(self.b.compare("ule", left, right))

    def pass_on(self, trapped: Operand) -> None:
        """End the kernel if the one it called has ended early."""
        if self.b.block.ended:
            return
        inside = self.function.append("inside")
        self.b.branch(trapped, self.trap, inside, UNLIKELY)
        self.b.block = inside

    def load(self, pointer: Operand, element: Type) -> Operand:
        value = self.b.load(pointer, element)
        return value if element is I64 else self.b.convert("zext", value, I64)

    def store(self, value: Operand, pointer: Operand, element: Type) -> None:
        self.b.store(value if element is I64 else self.b.convert("trunc", value, element), pointer)

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: ast.expr) -> Value:
        make = getattr(self, f"e_{type(node).__name__}", None)
        if make is None:
            raise self.fail(node, f"no {type(node).__name__} in the kernel language")
        made: Value = make(node)
        return made

    def scalar(self, node: ast.expr, kind: str) -> Operand:
        return self.convert(self.value(node), kind, node)

    def integer(self, node: ast.expr) -> Operand:
        return self.scalar(node, INT)

    def condition(self, node: ast.expr) -> Operand:
        return self.scalar(node, BOOL)

    def convert(self, value: Value, kind: str, node: ast.AST) -> Operand:
        if value.type == kind:
            return value.value
        if kind == BOOL and value.type == INT:
            if value.value.number is not None:
                return I1(int(value.value.number != 0))
            return self.b.compare("ne", value.value, I64(0))
        if kind == INT and value.type == BOOL:
            return self.b.convert("zext", value.value, I64)
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
        kind = self.scope.kinds.get(node.id)
        if kind is not None:
            return self.now.value(node.id, kind)
        if node.id not in self.scope.globals:
            raise self.fail(node, f"`{node.id}` is not known here")
        return self.constant(self.scope.globals[node.id], node)

    def e_UnaryOp(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return Value(BOOL, self.b.binary("xor", self.condition(node.operand), I1(1)))
        operand = self.integer(node.operand)
        negative = isinstance(node.op, ast.USub)
        if operand.number is not None:
            return Value(INT, I64(-operand.number if negative else ~operand.number))
        left, right = (I64(0), operand) if negative else (operand, I64(-1))
        return Value(INT, self.b.binary("sub" if negative else "xor", left, right))

    def e_BinOp(self, node: ast.BinOp) -> Value:
        left = self.value(node.left)
        if left.type in LANES:
            if type(node.op) in _LANES_SHIFT:
                counts = self.counts(node.right, range(32), LANES[left.type])
                return Value(left.type, self.b.binary(_LANES_SHIFT[type(node.op)], left.value, counts))
            if type(node.op) not in _BINARY:
                raise self.fail(node, f"no {type(node.op).__name__} of lanes")
            right = self.scalar(node.right, left.type)
            return Value(left.type, self.b.binary(_BINARY[type(node.op)], left.value, right))
        number = self.convert(left, INT, node.left)
        return Value(INT, self.binary(node, node.op, number, self.integer(node.right)))

    def binary(self, node: ast.AST, operator: ast.operator, left: Operand, right: Operand) -> Operand:
        if isinstance(operator, ast.FloorDiv | ast.Mod):
            if right.number is None or right.number <= 0:
                raise self.fail(node, "a divisor must be a positive constant")
            remainder = self.b.binary("srem", left, right)
            negative = self.b.compare("slt", remainder, I64(0))
            remainder = self.b.select(negative, self.b.binary("add", remainder, right), remainder)
            if isinstance(operator, ast.Mod):
                return remainder
            return self.b.binary("sdiv", self.b.binary("sub", left, remainder), right)
        name = _BINARY.get(type(operator))
        if name is None:
            raise self.fail(node, f"no {type(operator).__name__} in the kernel language")
        if left.number is not None and right.number is not None and type(operator) in _FOLDED:
            return I64(_FOLDED[type(operator)](left.number, right.number))
        made = self.b.binary(name, left, right)
        if isinstance(operator, ast.Add | ast.Sub):
            (base, offset), (other, number) = self.sum_of(left), self.sum_of(right)
            if other is None:
                self.sums[made] = base, offset + number if isinstance(operator, ast.Add) else offset - number
            elif base is None and isinstance(operator, ast.Add):
                self.sums[made] = other, offset + number
        return made

    def e_Compare(self, node: ast.Compare) -> Value:
        left = self.integer(node.left)
        result: Operand | None = None
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            right = self.integer(operand)
            if type(operator) not in _COMPARE:
                raise self.fail(node, f"no {type(operator).__name__} in the kernel language")
            one = self.b.compare(_COMPARE[type(operator)], left, right)
            result = one if result is None else self.b.binary("and", result, one)
            left = right
        assert result is not None
        return Value(BOOL, result)

    def e_BoolOp(self, node: ast.BoolOp) -> Value:
        """Of numbers it is one of them, as in Python; else a truth value."""
        stop = isinstance(node.op, ast.Or)
        end = self.meeting("known")
        made: list[tuple[Value, Operand, Block]] = []
        for operand in node.values:
            value = self.value(operand)
            truth = self.convert(value, BOOL, operand)
            if self.b.block.ended:
                break
            if operand is node.values[-1]:
                made.append((value, truth, self.b.block))
                self.jump(end)
            else:
                made.append((value, I1(int(stop)), self.b.block))
                more = self.meeting("more")
                self.fork(truth, *((end, more) if stop else (more, end)))
                self.enter(more)
        if not made:
            return undefined(BOOL)
        self.enter(end)
        numbers = all(value.type == INT for value, _, _ in made)
        phi = end.block.phi(I64 if numbers else I1)
        for value, truth, block in made:
            phi.add(value.value if numbers else truth, block)
        return Value(INT if numbers else BOOL, phi)

    def e_IfExp(self, node: ast.IfExp) -> Value:
        then, otherwise, end = (self.meeting(name) for name in ("then", "else", "end"))
        self.decide(node.test, then, otherwise)
        made = []
        for way, operand in ((then, node.body), (otherwise, node.orelse)):
            if way.edges:
                self.enter(way)
                number = self.integer(operand)
                if not self.b.block.ended:
                    made.append((number, self.b.block))
                    self.jump(end)
        if not made:
            return undefined(INT)
        self.enter(end)
        phi = end.block.phi(I64)
        for number, block in made:
            phi.add(number, block)
        return Value(INT, phi)

    def e_Subscript(self, node: ast.Subscript) -> Value:
        if not isinstance(node.slice, ast.Slice):
            return Value(INT, self.load(*self.place(node)))
        buffer = self.value(node.value)
        if buffer.type not in BUFFERS or node.slice.step is not None:
            raise self.fail(node, "only buffers have slices, and those no step")
        start = I64(0) if node.slice.lower is None else self.integer(node.slice.lower)
        end = buffer.length if node.slice.upper is None else self.integer(node.slice.upper)
        return self.part(buffer, start, end)

    def part(self, buffer: Value, start: Operand, end: Operand) -> Value:
        """A part of a buffer, after the check that it has it."""
        self.at_most(end, buffer.length)
        self.at_most(start, end)
        size = self.difference(end, start)
        return Value(buffer.type, pointer=self.b.element(buffer.pointer, buffer.element, start), length=size)

    def difference(self, end: Operand, start: Operand) -> Operand:
        """A size."""
        (base, first), (other, last) = self.sum_of(start), self.sum_of(end)
        if base is other and 0 <= last - first <= _OFFSET_MAX:
            return I64(last - first)
        return end if start.number == 0 else self.b.binary("sub", end, start)

    def e_Call(self, node: ast.Call) -> Value:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.fail(node, "only functions can be called, with arguments by position")
        name = node.func.id
        if name == "len":
            return Value(INT, self.value(node.args[0]).length)
        if name in ("min", "max"):
            left, right = self.integer(node.args[0]), self.integer(node.args[1])
            return Value(
                INT, self.b.select(self.b.compare("slt" if name == "min" else "sgt", left, right), left, right)
            )
        function = self.scope.globals.get(name)
        if inspect.isfunction(function) and function.__module__ == kernel_types.__name__:
            make = getattr(self, f"f_{function.__name__}", None)
            if make is not None:
                count = len(inspect.signature(function).parameters)
                if (
                    len(node.args) != count
                    if function not in (kernel_types.invoke, kernel_types.attempt)
                    else not node.args
                ):
                    raise self.fail(node, f"`{name}` takes {count} arguments")
                made: Value = make(node, *node.args)
                return made
        kernel = self.called(node, name)
        arguments = self.given(node, kernel, node.args)
        return (self.inline if kernel.inlined and not self.scope.within(kernel) else self.call)(kernel, arguments)

    def called(self, node: ast.AST, name: str) -> Kernel:
        """The kernel of a name."""
        try:
            return self.kernels.kernel(self.scope.globals.get(name))
        except KeyError:
            raise self.fail(node, f"`{name}` is not a function of a kernel") from None

    def given(self, node: ast.AST, kernel: Kernel, nodes: Sequence[ast.expr]) -> list[Value]:
        """Arguments for a kernel."""
        if len(kernel.parameters) != len(nodes):
            raise self.fail(node, f"`{kernel.function.__name__}` takes {len(kernel.parameters)} arguments")
        arguments: list[Value] = []
        for kind, argument in zip(kernel.parameters, nodes, strict=True):
            value = self.value(argument)
            if kind not in BUFFERS:
                arguments.append(Value(kind, self.convert(value, kind, argument)))
            elif value.type in BUFFERS and value.element is BUFFERS[kind]:
                arguments.append(Value(kind, pointer=value.pointer, length=value.length))
            else:
                raise self.fail(argument, f"{value.type} where {kind} is expected")
        return arguments

    def call(self, kernel: Kernel, arguments: list[Value]) -> Value:
        """Call a function, and end early if it does."""
        returned = self.b.call(kernel.made, [part for value in arguments for part in value.parts()])
        if not kernel.returns:
            self.b.jump(self.trap)
            return undefined(kernel.result)
        if kernel.result == NONE:
            self.pass_on(returned)
            return NOTHING
        self.pass_on(self.b.extract(returned, 1, I1))
        return Value(kernel.result, self.b.extract(returned, 0, SCALARS[kernel.result]))

    # ── functions of `kernel_types` ──────────────────────────────────────────────────────────────────────────────────

    def count(self, node: ast.expr, allowed: range | tuple[int, ...]) -> int:
        """A constant."""
        value = self.integer(node)
        if value.number is None or value.number not in allowed:
            raise self.fail(node, f"a constant of {allowed} is expected")
        return value.number

    def order(self, node: ast.expr) -> tuple[int, ...] | None:
        """A tuple that is a constant of the module, or None."""
        found = (
            self.scope.globals.get(node.id) if isinstance(node, ast.Name) and node.id not in self.scope.kinds else None
        )
        return found if isinstance(found, tuple) and all(isinstance(item, int) for item in found) else None

    def counts(self, node: ast.expr, allowed: range, type_: Type) -> Operand:
        """One constant for all lanes, or a tuple with one for each."""
        order = self.order(node)
        if order is None:
            order = (self.count(node, allowed),) * type_.count
        elif len(order) != type_.count or not set(order) <= set(allowed):
            raise self.fail(node, f"{type_.count} numbers of {allowed} are expected")
        return type_.each(order)

    def octets(self, node: ast.expr, index: ast.expr, size: int) -> Operand:
        """Pointer to so many bytes of a buffer of bytes."""
        buffer = self.value(node)
        if buffer.type not in BUFFERS or buffer.element != I8:
            raise self.fail(node, "a buffer of bytes is expected")
        return self.run_of(buffer, index, size)

    def run_of(self, buffer: Value, index: ast.expr, size: int) -> Operand:
        """Pointer to so many elements of a buffer."""
        start = self.integer(index)
        return self.part(buffer, start, self.binary(index, ast.Add(), start, I64(size))).pointer

    def lanes_of(self, node: ast.expr) -> Value:
        value = self.value(node)
        if value.type not in LANES:
            raise self.fail(node, f"{value.type} where lanes are expected")
        return value

    def little(self, value: Operand) -> Operand:
        """A number as its bytes lie in memory, or back."""
        if sys.byteorder == "little":
            return value
        return self.b.call(self.intrinsic("llvm.bswap", value.type, 1), [value])

    def intrinsic(self, name: str, type_: Type, count: int) -> Function:
        """An instruction of LLVM with so many operands and a result of one type."""
        suffix = f"v{type_.count}i{type_.bits}" if type_.count else type_.text
        return self.kernels.module.declare(f"{name}.{suffix}", type_, [type_] * count)

    def f_words(self, node: ast.Call, count: ast.expr) -> Value:
        return self.local("Words", count)

    def f_longs(self, node: ast.Call, count: ast.expr) -> Value:
        return self.local("Longs", count)

    def local(self, kind: str, node: ast.expr) -> Value:
        """A buffer on the stack. It is zero from here on, not from the function's start: most are needed on few paths."""
        count = self.count(node, range(1, kernel_types.LOCAL_MAX + 1))
        element = BUFFERS[kind]
        slot = self.entry.alloca(element, count, align=64)
        self.fill(slot, I64(count * element.bits // 8))
        return Value(kind, pointer=slot, length=I64(count))

    def fill(self, pointer: Operand, octets: Operand) -> None:
        """Make bytes zero."""
        function = self.kernels.module.declare("llvm.memset.p0.i64", VOID, [POINTER, I8, I64, I1])
        self.b.call(function, [pointer, I8(0), octets, I1(0)])

    def f_load32(self, node: ast.Call, buffer: ast.expr, index: ast.expr) -> Value:
        return Value(
            INT, self.b.convert("zext", self.little(self.b.load(self.octets(buffer, index, 4), I32, align=1)), I64)
        )

    def f_load64(self, node: ast.Call, buffer: ast.expr, index: ast.expr) -> Value:
        return Value(INT, self.little(self.b.load(self.octets(buffer, index, 8), I64, align=1)))

    def f_store64(self, node: ast.Call, buffer: ast.expr, index: ast.expr, number: ast.expr) -> Value:
        value = self.little(self.integer(number))
        self.b.store(value, self.octets(buffer, index, 8), align=1)
        return NOTHING

    def f_store32(self, node: ast.Call, buffer: ast.expr, index: ast.expr, number: ast.expr) -> Value:
        value = self.little(self.b.convert("trunc", self.integer(number), I32))
        self.b.store(value, self.octets(buffer, index, 4), align=1)
        return NOTHING

    def f_invoke(self, node: ast.Call, address: ast.expr, *arguments: ast.expr) -> Value:
        pointer = self.b.convert("inttoptr", self.integer(address), POINTER)
        return Value(INT, self.b.call_pointer(pointer, I64, [self.integer(argument) for argument in arguments]))

    def f_octets(self, node: ast.Call, address: ast.expr, size: ast.expr) -> Value:
        return self.view("Octets", address, size)

    def f_numbers(self, node: ast.Call, address: ast.expr, count: ast.expr) -> Value:
        return self.view("Longs", address, count)

    def view(self, kind: str, address: ast.expr, size: ast.expr) -> Value:
        """Memory from outside. A negative size would be a large one without sign."""
        pointer, length = self.b.convert("inttoptr", self.integer(address), POINTER), self.integer(size)
        if length.number is None or length.number < 0:
            self.check(self.b.compare("sge", length, I64(0)))
        return Value(kind, pointer=pointer, length=length)

    def f_address_of(self, node: ast.Call, buffer: ast.expr) -> Value:
        return Value(INT, self.b.convert("ptrtoint", self.buffer(buffer).pointer, I64))

    def f_attempt(self, node: ast.Call, *arguments: ast.expr) -> Value:
        if len(arguments) < 2 or not isinstance(arguments[0], ast.Name):
            raise self.fail(node, "`attempt` takes a kernel, what to answer if it ends early, and arguments")
        kernel = self.called(node, arguments[0].id)
        if kernel.result in LANES:
            raise self.fail(node, "`attempt` answers a number")
        otherwise = self.integer(arguments[1])
        given = [part for value in self.given(node, kernel, arguments[2:]) for part in value.parts()]
        trapped = self.b.call(kernel.made, given)
        value = I64(0)
        if kernel.result != NONE:
            value, trapped = self.b.extract(trapped, 0, SCALARS[kernel.result]), self.b.extract(trapped, 1, I1)
        if value.type is I1:
            value = self.b.convert("zext", value, I64)
        return Value(INT, self.b.select(trapped, otherwise, value))

    def double(self, node: ast.expr) -> Operand:
        """The double whose bits these are."""
        return self.b.convert("bitcast", self.integer(node), DOUBLE)

    def f_ratio(self, node: ast.Call, numerator: ast.expr, denominator: ast.expr) -> Value:
        parts = [self.b.convert("sitofp", self.integer(part), DOUBLE) for part in (numerator, denominator)]
        return Value(INT, self.b.convert("bitcast", self.b.binary("fdiv", *parts), I64))

    def f_scaled(self, node: ast.Call, bits: ast.expr, factor: ast.expr) -> Value:
        number, other = self.double(bits), self.b.convert("sitofp", self.integer(factor), DOUBLE)
        nearest = self.kernels.module.declare("llvm.rint.f64", DOUBLE, [DOUBLE])
        bounded = self.kernels.module.declare("llvm.fptosi.sat.i64.f64", I64, [DOUBLE])
        return Value(INT, self.b.call(bounded, [self.b.call(nearest, [self.b.binary("fmul", number, other)])]))

    def f_widen(self, node: ast.Call, bits: ast.expr) -> Value:
        number = self.b.convert("bitcast", self.b.convert("trunc", self.integer(bits), I32), FLOAT)
        return Value(INT, self.b.convert("bitcast", self.b.convert("fpext", number, DOUBLE), I64))

    def f_narrow(self, node: ast.Call, bits: ast.expr) -> Value:
        number = self.b.convert("bitcast", self.b.convert("fptrunc", self.double(bits), FLOAT), I32)
        return Value(INT, self.b.convert("zext", number, I64))

    def f_rotate_right(self, node: ast.Call, operand: ast.expr, count: ast.expr) -> Value:
        value = self.value(operand)
        if value.type not in LANES:
            number = self.b.convert("trunc", self.convert(value, INT, operand), I32)
            return Value(INT, self.b.convert("zext", self.turned(number, I32(self.count(count, range(1, 32)))), I64))
        return Value(value.type, self.turned(value.value, self.counts(count, range(1, 32), LANES[value.type])))

    def turned(self, value: Operand, bits: Any) -> Operand:
        return self.b.call(self.intrinsic("llvm.fshr", value.type, 3), [value, value, bits])

    def f_lanes(self, node: ast.Call, buffer: ast.expr, index: ast.expr, count: ast.expr) -> Value:
        found, number = self.value(buffer), self.count(count, kernel_types.LANES)
        kind = f"Lanes{number}"
        if found.type in BUFFERS and found.element == I8:
            return Value(kind, self.little(self.b.load(self.run_of(found, index, 4 * number), LANES[kind], align=1)))
        if found.type != "Words":
            raise self.fail(buffer, f"{found.type} where bytes or words are expected")
        return Value(kind, self.b.load(self.run_of(found, index, number), LANES[kind], align=4))

    def f_put_lanes(self, node: ast.Call, buffer: ast.expr, index: ast.expr, operand: ast.expr) -> Value:
        found, value = self.value(buffer), self.lanes_of(operand)
        type_ = LANES[value.type]
        if found.type in BUFFERS and found.element == I8:
            pointer = self.run_of(found, index, 4 * type_.count)
            self.b.store(self.little(value.value), pointer, align=1)
        elif found.type == "Words":
            pointer = self.run_of(found, index, type_.count)
            self.b.store(value.value, pointer, align=4)
        else:
            raise self.fail(buffer, f"{found.type} where bytes or words are expected")
        return NOTHING

    def f_any_bit(self, node: ast.Call, operand: ast.expr) -> Value:
        value = self.lanes_of(operand)
        bits = integer(32 * LANES[value.type].count)
        return Value(BOOL, self.b.compare("ne", self.b.convert("bitcast", value.value, bits), bits(0)))

    def f_spread(self, node: ast.Call, number: ast.expr, count: ast.expr) -> Value:
        kind = f"Lanes{self.count(count, kernel_types.LANES)}"
        one = self.b.insert_lane(LANES[kind].undefined(), self.b.convert("trunc", self.integer(number), I32), 0)
        return Value(kind, self.b.shuffle(one, one, [0] * LANES[kind].count))

    def f_shuffle(self, node: ast.Call, operand: ast.expr, order: ast.expr) -> Value:
        value = self.lanes_of(operand)
        return self.shuffled(value, value.value, order, LANES[value.type].count)

    def f_shuffle_two(self, node: ast.Call, first: ast.expr, second: ast.expr, order: ast.expr) -> Value:
        value = self.lanes_of(first)
        return self.shuffled(value, self.scalar(second, value.type), order, 2 * LANES[value.type].count)

    def shuffled(self, value: Value, second: Operand, node: ast.expr, known: int) -> Value:
        order = self.order(node)
        if order is None or len(order) not in kernel_types.LANES or not set(order) <= set(range(known)):
            raise self.fail(node, f"an order is a tuple of the module, of 4, 8 or 16 numbers below {known}")
        return Value(f"Lanes{len(order)}", self.b.shuffle(value.value, second, order))

    def buffer(self, node: ast.expr) -> Value:
        value = self.value(node)
        if value.type not in BUFFERS:
            raise self.fail(node, f"{value.type} where a buffer is expected")
        return value

    def f_seek(self, node: ast.Call, buffer: ast.expr, first: ast.expr, last: ast.expr, members: ast.expr) -> Value:
        data = self.buffer(buffer)
        found = self.scope.globals.get(members.id) if isinstance(members, ast.Name) else getattr(members, "value", None)
        if data.element != I8 or not isinstance(found, bytes):
            raise self.fail(node, "`seek` looks through bytes for those of a constant")
        start, end = self.integer(first), self.integer(last)
        self.at_most(end, data.length)
        self.at_most(start, end)
        return Value(INT, self.b.call(self.kernels.seeker(found), [data.pointer, data.length, start, end]))

    def stretch(self, buffer: Value, at: Operand, size: Operand) -> Operand:
        """Pointer to so many elements of a buffer, after the check that it has them."""
        self.at_most(at, buffer.length)
        self.at_most(size, self.difference(buffer.length, at))
        return self.b.element(buffer.pointer, buffer.element, at)

    def octet_count(self, buffer: Value, size: Operand) -> Operand:
        """Size of so many elements."""
        octets = buffer.element.bits // 8
        return I64(octets * size.number) if size.number is not None else self.b.binary("mul", size, I64(octets))

    def f_clear(self, node: ast.Call, buffer: ast.expr, start: ast.expr, count: ast.expr) -> Value:
        target = self.buffer(buffer)
        if target.type == "Bytes":
            raise self.fail(node, "`clear` writes to a buffer")
        at, size = self.integer(start), self.integer(count)
        self.fill(self.stretch(target, at, size), self.octet_count(target, size))
        return NOTHING

    def f_prefetch(self, node: ast.Call, buffer: ast.expr, at: ast.expr) -> Value:
        pointer = self.stretch(self.buffer(buffer), self.integer(at), I64(0))
        function = self.kernels.module.declare("llvm.prefetch.p0", VOID, [POINTER, I32, I32, I32])
        self.b.call(function, [pointer, I32(0), I32(3), I32(1)])
        return NOTHING

    def f_move(self, node: ast.Call, *arguments: ast.expr) -> Value:
        target, source = self.buffer(arguments[0]), self.buffer(arguments[2])
        if target.type == "Bytes" or target.element != source.element:
            raise self.fail(node, "`move` writes to a buffer of the same kind")
        at, start, size = (self.integer(arguments[k]) for k in (1, 3, 4))
        pointers = [self.stretch(value, place, size) for value, place in ((target, at), (source, start))]
        function = self.kernels.module.declare("llvm.memmove.p0.p0.i64", VOID, [POINTER, POINTER, I64, I1])
        self.b.call(function, [*pointers, self.octet_count(target, size), I1(0)])
        return NOTHING
