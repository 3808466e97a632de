"""LLVM assembly as text.

Problem: `llvmlite.ir` builds an object for everything and then writes the text; that took as long as it takes LLVM to parse it ten times.
Idea:    an instruction is a line as soon as it is made, and an operand is its type and its name.
Used by: `kernel_language`. LLVM checks what is written here (`verify`), so there are few checks.

An editor of this file must preserve: every line of a block but its last is no terminator; names are unique in their function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence


class Operand:
    """A value: `text` in the assembly, and its `number` if it is a constant integer."""

    __slots__ = ("number", "text", "type")

    def __init__(self, type_: Type, text: str, number: int | None = None) -> None:
        self.type = type_
        self.text = text
        self.number = number


class Type:
    """A type by its text; of integers and vectors of integers the number of bits, of vectors the number of lanes."""

    __slots__ = ("bits", "count", "text")

    def __init__(self, text: str, bits: int = 0, count: int = 0) -> None:
        self.text = text
        self.bits = bits
        self.count = count

    def __call__(self, number: int) -> Operand:
        """A constant integer."""
        return Operand(self, str(number), number)

    def each(self, numbers: Sequence[int]) -> Operand:
        """A constant vector or array."""
        return Operand(self, _list(numbers, self.bits))

    def undefined(self) -> Operand:
        """Any value."""
        return Operand(self, "undef")

    def zero(self) -> Operand:
        """Zero in all its parts."""
        return self(0) if self.bits and not self.count else Operand(self, "zeroinitializer")


def integer(bits: int) -> Type:
    """An integer type."""
    return Type(f"i{bits}", bits)


def vector(bits: int, count: int) -> Type:
    """So many integers in one register."""
    return Type(f"<{count} x i{bits}>", bits, count)


def pair(first: Type, second: Type) -> Type:
    """Two values."""
    return Type(f"{{ {first.text}, {second.text} }}")


def _list(numbers: Sequence[int], bits: int) -> str:
    return "<" + ", ".join([f"i{bits} {number}" for number in numbers]) + ">"


I1: Final = integer(1)
I8: Final = integer(8)
I16: Final = integer(16)
I32: Final = integer(32)
I64: Final = integer(64)
POINTER: Final = Type("ptr")
VOID: Final = Type("void")
FLOAT: Final = Type("float")
DOUBLE: Final = Type("double")

LIKELY: Final = ", !prof !0"
"""Of a branch: that it goes the first way."""
UNLIKELY: Final = ", !prof !1"
_WEIGHTS: Final = '!0 = !{!"branch_weights", i32 1048576, i32 1}\n!1 = !{!"branch_weights", i32 1, i32 1048576}\n'


class Phi(Operand):
    """The value that belongs to the way by which a block was entered."""

    __slots__ = ("incoming",)

    def __init__(self, type_: Type, text: str) -> None:
        super().__init__(type_, text)
        self.incoming: list[str] = []

    def add(self, operand: Operand, block: Block) -> None:
        """What it is behind another block."""
        self.incoming.append(f"[ {operand.text}, %{block.name} ]")


class Block:
    """Instructions one after the other."""

    __slots__ = ("ended", "function", "lines", "name", "phis")

    def __init__(self, function: Function, name: str) -> None:
        """It is no part of the function before `Function.blocks` has it."""
        self.function = function
        self.name = f"{name}{function.number()}"
        self.lines: list[str] = []
        self.phis: list[Phi] = []
        self.ended = False
        """Whether its last instruction is there."""

    def phi(self, type_: Type) -> Phi:
        """A new phi of this block."""
        self.phis.append(Phi(type_, f"%v{self.function.number()}"))
        return self.phis[-1]


class Function:
    """A function; without blocks it is only declared."""

    def __init__(self, name: str, result: Type, parameters: Sequence[Type], *, internal: bool = False) -> None:
        self.name = name
        self.result = result
        self.internal = internal
        self.arguments = [Operand(type_, f"%a{i}") for i, type_ in enumerate(parameters)]
        self.attributes: list[str] = []
        self.blocks: list[Block] = []
        self.callees: dict[Function, None] = {}
        """Functions it calls."""
        self._number = 0

    def number(self) -> int:
        """Another one each time, for names."""
        self._number += 1
        return self._number

    def append(self, name: str) -> Block:
        """A new block at the end."""
        self.blocks.append(Block(self, name))
        return self.blocks[-1]

    def size(self) -> int:
        """Number of instructions."""
        return sum([len(block.lines) + len(block.phis) for block in self.blocks])

    def text(self) -> str:
        """Its assembly."""
        if not self.blocks:
            return f'declare {self.result.text} @"{self.name}"({", ".join([a.type.text for a in self.arguments])})\n'
        arguments = ", ".join([f"{argument.type.text} {argument.text}" for argument in self.arguments])
        head = f'define {"internal " if self.internal else ""}{self.result.text} @"{self.name}"({arguments})'
        lines = [f"{head} {' '.join(self.attributes)} {{"]
        for block in self.blocks:
            lines.append(f"{block.name}:")
            lines += [f"{phi.text} = phi {phi.type.text} {', '.join(phi.incoming)}" for phi in block.phis]
            lines += block.lines
        lines.append("}\n")
        return "\n".join(lines)


class Module:
    """Functions and constants."""

    def __init__(self) -> None:
        self.functions: list[Function] = []
        self._constants: list[str] = []
        self._declared: dict[str, Function] = {}

    def define(self, name: str, result: Type, parameters: Sequence[Type], *, internal: bool = False) -> Function:
        """A new function."""
        self.functions.append(Function(name, result, parameters, internal=internal))
        return self.functions[-1]

    def declare(self, name: str, result: Type, parameters: Sequence[Type]) -> Function:
        """An instruction of LLVM that is written as a function."""
        if name not in self._declared:
            self._declared[name] = Function(name, result, parameters)
        return self._declared[name]

    def constant(self, numbers: Sequence[int], bits: int) -> Operand:
        """Pointer to constants in memory."""
        name = f"@constant.{len(self._constants)}"
        items = ", ".join([f"i{bits} {number}" for number in numbers])
        self._constants.append(f"{name} = internal constant [{len(numbers)} x i{bits}] [{items}]\n")
        return Operand(POINTER, name)

    def text(self) -> str:
        """The whole assembly."""
        functions = [*self._declared.values(), *self.functions]
        return "".join([*self._constants, *[function.text() for function in functions], _WEIGHTS])


class Builder:
    """Appends instructions to a block; the methods are named as the instructions are. Behind the end of a block nothing is written."""

    def __init__(self, block: Block) -> None:
        self.function = block.function
        self.block = block

    def _make(self, type_: Type, text: str) -> Operand:
        if self.block.ended:
            return type_.undefined()
        name = f"%v{self.function.number()}"
        self.block.lines.append(f"{name} = {text}")
        return Operand(type_, name)

    def _do(self, text: str) -> None:
        if not self.block.ended:
            self.block.lines.append(text)

    def _end(self, text: str) -> None:
        self._do(text)
        self.block.ended = True

    def binary(self, name: str, left: Operand, right: Operand) -> Operand:
        """`add`, `sub`, `mul`, `and`, `or`, `xor`, `shl`, `ashr`, `lshr`, `sdiv`, `srem`, `fmul`, `fdiv`."""
        return self._make(left.type, f"{name} {left.type.text} {left.text}, {right.text}")

    def compare(self, relation: str, left: Operand, right: Operand) -> Operand:
        """By `eq`, `ne`, `slt`, `sle`, `sgt`, `sge`, or of numbers without sign `ult`, `ule`, `ugt`, `uge`."""
        result = vector(1, left.type.count) if left.type.count else I1
        return self._make(result, f"icmp {relation} {left.type.text} {left.text}, {right.text}")

    def select(self, condition: Operand, left: Operand, right: Operand) -> Operand:
        """One of two values."""
        type_ = left.type
        return self._make(type_, f"select i1 {condition.text}, {type_.text} {left.text}, {type_.text} {right.text}")

    def convert(self, name: str, value: Operand, type_: Type) -> Operand:
        """`zext`, `trunc`, `bitcast`, `inttoptr`, `ptrtoint`, `sitofp`, `fpext`, `fptrunc`."""
        return self._make(type_, f"{name} {value.type.text} {value.text} to {type_.text}")

    def element(self, pointer: Operand, type_: Type, index: Operand) -> Operand:
        """Pointer to an element of an array, or to its end."""
        return self._make(POINTER, f"getelementptr inbounds {type_.text}, ptr {pointer.text}, i64 {index.text}")

    def load(self, pointer: Operand, type_: Type, align: int = 0) -> Operand:
        """What is in memory. Without `align` it lies as its type wants it."""
        return self._make(type_, f"load {type_.text}, ptr {pointer.text}" + (f", align {align}" if align else ""))

    def store(self, value: Operand, pointer: Operand, align: int = 0) -> None:
        """Write it to memory."""
        text = f"store {value.type.text} {value.text}, ptr {pointer.text}"
        self._do(text + (f", align {align}" if align else ""))

    def alloca(self, type_: Type, count: int, align: int) -> Operand:
        """Pointer to so many elements on the stack."""
        return self._make(POINTER, f"alloca [{count} x {type_.text}], align {align}")

    def call(self, function: Function, arguments: Sequence[Operand]) -> Operand:
        """Its result."""
        if not self.block.ended:
            self.function.callees[function] = None
        given = ", ".join([f"{argument.type.text} {argument.text}" for argument in arguments])
        text = f'call {function.result.text} @"{function.name}"({given})'
        if function.result is not VOID:
            return self._make(function.result, text)
        self._do(text)
        return Operand(VOID, "")

    def call_pointer(self, pointer: Operand, result: Type, arguments: Sequence[Operand]) -> Operand:
        """Result of the C function at a pointer."""
        given = ", ".join([f"{argument.type.text} {argument.text}" for argument in arguments])
        return self._make(result, f"call {result.text} {pointer.text}({given})")

    def extract(self, value: Operand, index: int, type_: Type) -> Operand:
        """A part of a pair."""
        return self._make(type_, f"extractvalue {value.type.text} {value.text}, {index}")

    def insert(self, value: Operand, part: Operand, index: int) -> Operand:
        """A pair with another part."""
        types = f"insertvalue {value.type.text} {value.text}, {part.type.text} {part.text}, {index}"
        return self._make(value.type, types)

    def insert_lane(self, value: Operand, lane: Operand, index: int) -> Operand:
        """A vector with another lane."""
        text = f"insertelement {value.type.text} {value.text}, {lane.type.text} {lane.text}, i32 {index}"
        return self._make(value.type, text)

    def shuffle(self, first: Operand, second: Operand, order: Sequence[int]) -> Operand:
        """Lanes of two vectors."""
        type_ = first.type
        mask = f"<{len(order)} x i32> {_list(order, 32)}"
        text = f"shufflevector {type_.text} {first.text}, {type_.text} {second.text}, {mask}"
        return self._make(vector(type_.bits, len(order)), text)

    def jump(self, target: Block) -> None:
        """Go on there."""
        self._end(f"br label %{target.name}")

    def branch(self, condition: Operand, then: Block, otherwise: Block, weights: str = "") -> None:
        """Go one way or the other."""
        self._end(f"br i1 {condition.text}, label %{then.name}, label %{otherwise.name}{weights}")

    def ret(self, value: Operand) -> None:
        """End the function."""
        self._end(f"ret {value.type.text} {value.text}")
