"""Values of a kernel while it is compiled, and what is known of them where ways through its text meet.

Problem: LLVM could find out by itself which value a variable has where, and which elements certainly exist; but most of the time of a
         compilation went into text that said it in a roundabout way.
Idea:    variables are no places in memory: at each point a name has a value, and where ways meet, it gets a phi only when it is read. A
         value never changes, so what was checked once holds wherever that point dominates.
Used by: `kernel_language` alone.

An editor of this file must preserve: a `State` is never changed, only replaced; many edges share one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from .assembly import I1, I8, I32, I64, POINTER, VOID, Block, Function, Operand, Phi, Type, vector
from .kernel_types import ELEMENT_BITS
from .kernel_types import LANES as LANE_COUNTS

if TYPE_CHECKING:
    from collections.abc import Sequence

INT, BOOL, NONE = "int", "bool", "None"
BUFFERS: Final = {name: {8: I8, 32: I32, 64: I64}[bits] for name, bits in ELEMENT_BITS.items()}
LANES: Final = {f"Lanes{count}": vector(32, count) for count in LANE_COUNTS}
SCALARS: Final = {INT: I64, BOOL: I1, NONE: I1, **LANES}


Known: TypeAlias = Operand | int | None
"""A value to compare by: constants by their number."""

_ABSENT: Final = Operand(VOID, "")


class Value:
    """A value in registers: `type`, and `value`, or of a buffer `pointer` to its first element and `length`."""

    __slots__ = ("length", "pointer", "type", "value")

    def __init__(
        self, type_: str, value: Operand = _ABSENT, pointer: Operand = _ABSENT, length: Operand = _ABSENT
    ) -> None:
        self.type = type_
        self.value = value
        self.pointer = pointer
        self.length = length

    @property
    def element(self) -> Type:
        """LLVM type of a buffer's elements."""
        return BUFFERS[self.type]

    def parts(self) -> tuple[Operand, ...]:
        """Its registers."""
        return (self.pointer, self.length) if self.type in BUFFERS else (self.value,)


def llvm_types(kind: str) -> tuple[Type, ...]:
    """LLVM types of the registers of a value."""
    return (POINTER, I64) if kind in BUFFERS else (SCALARS[kind],)


def from_parts(kind: str, parts: Sequence[Operand]) -> Value:
    """The value in such registers."""
    return Value(kind, pointer=parts[0], length=parts[1]) if kind in BUFFERS else Value(kind, parts[0])


def undefined(kind: str) -> Value:
    """Any value, for what never runs."""
    return from_parts(kind, [type_.undefined() for type_ in llvm_types(kind)])


NOTHING: Final = Value(NONE, I1(0))
"""What a function without result returns."""


class State(NamedTuple):
    """What is known at a point.

    names: variable → its value, or where it has to be asked for.
    bounds: length and base → least and greatest offset for which `base + offset` is known to be below the length.
    """

    names: dict[str, Value | Meeting]
    bounds: dict[tuple[Known, Known], tuple[int, int]]

    def value(self, name: str, kind: str) -> Value:
        """The value of a variable; zero where no way here assigns it, which Python forbids: something undefined could pass a check."""
        found = self.names.get(name)
        if isinstance(found, Meeting):
            return found.value(name, kind)
        return found or from_parts(kind, [type_.zero() for type_ in llvm_types(kind)])


class Meeting:
    """A block, and the ways into it. The head of a loop gets more of them after it is entered, until `close`."""

    def __init__(self, function: Function, name: str) -> None:
        """It becomes a block of the function when it is entered."""
        self.block = Block(function, name)
        self.edges: list[tuple[Block, State]] = []
        self._values: dict[str, Value] = {}
        self._loop = False
        self._waiting: list[str] | None = None

    def enter(self) -> State:
        """What is known behind it."""
        self.block.function.blocks.append(self.block)
        (names, bounds), *others = [state for _, state in self.edges]
        for other in others:
            if other.names is not names:
                missing = [name for name in other.names if name not in names]
                same = {name: value for name, value in names.items() if other.names.get(name) is value}
                names = {**dict.fromkeys([*names, *missing], self), **same}
            if other.bounds is not bounds:
                bounds = {key: _common(bounds[key], other.bounds[key]) for key in bounds.keys() & other.bounds.keys()}
        return State(names, {key: reach for key, reach in bounds.items() if reach[0] <= reach[1]} if others else bounds)

    def enter_loop(self, assigned: set[str]) -> State:
        """As `enter`, where the loop assigns these names."""
        state = self.enter()
        self._loop = True
        self._waiting = []
        return State({**state.names, **dict.fromkeys(assigned, self)}, state.bounds)

    def close(self) -> None:
        """All ways into the loop are known."""
        waiting, self._waiting = self._waiting or [], None
        for name in waiting:
            self._fill(name)

    def value(self, name: str, kind: str) -> Value:
        """The value a variable has behind it."""
        if name not in self._values:
            if self._loop:
                self._values[name] = from_parts(kind, [self.block.phi(type_) for type_ in llvm_types(kind)])
                if self._waiting is None:
                    self._fill(name)
                else:
                    self._waiting.append(name)
            else:
                ways = [state.value(name, kind).parts() for _, state in self.edges]
                self._values[name] = from_parts(kind, [self._joined(parts) for parts in zip(*ways, strict=True)])
        return self._values[name]

    def _fill(self, name: str) -> None:
        made = self._values[name]
        for block, state in self.edges:
            for phi, part in zip(made.parts(), state.value(name, made.type).parts(), strict=True):
                assert isinstance(phi, Phi)
                phi.add(part, block)

    def _joined(self, parts: tuple[Operand, ...]) -> Operand:
        if all(part is parts[0] for part in parts):
            return parts[0]
        phi = self.block.phi(parts[0].type)
        for part, (block, _) in zip(parts, self.edges, strict=True):
            phi.add(part, block)
        return phi


def _common(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return max(one[0], other[0]), min(one[1], other[1])
