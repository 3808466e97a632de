"""The checked program: names resolved, types known, the language's comforts replaced by a few forms.

Made by `check`, read by `emit`. Every expression has the type of its value; integers in registers are 64 bits wide, whatever their type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from .types import NONE, Type


@dataclass(eq=False, slots=True)
class Variable:
    """A parameter or local variable of a function."""

    name: str
    type: Type


@dataclass(eq=False, slots=True)
class Slot:
    """A variable of the module, and the number it has before anything runs."""

    name: str
    type: Type
    start: int = 0


@dataclass(eq=False, slots=True)
class Function:
    """A function, of the program or an instance of one of the library.

    trusted: one of the library, which reports the place of its caller. raises: whether it may end the call by an error of its own.
    """

    symbol: str
    parameters: list[Variable]
    result: Type
    trusted: bool = False
    body: list[Statement] = field(default_factory=list)
    raises: bool = False
    rare: bool = False


@dataclass(eq=False, slots=True)
class Import:
    """A function of another module or of the host."""

    namespace: str
    name: str
    parameters: list[Variable]
    result: Type

    @property
    def symbol(self) -> str:
        """Its name among symbols."""
        return f"{self.namespace}::{self.name}"


# ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(eq=False, slots=True)
class Const:
    """A number, a boolean; for an object its address, which is 0 for None."""

    type: Type
    value: float | int | bool


@dataclass(eq=False, slots=True)
class Text:
    """A text or bytes in static memory."""

    type: Type
    data: bytes


@dataclass(eq=False, slots=True)
class Local:
    """What a variable holds."""

    type: Type
    variable: Variable


@dataclass(eq=False, slots=True)
class State:
    """What a variable of the module holds."""

    type: Type
    slot: Slot


@dataclass(eq=False, slots=True)
class Op:
    """A primitive operation, see `emit.OPERATIONS`; `line` where it may end the call."""

    type: Type
    name: str
    args: tuple[Expr, ...]
    line: int = 0


@dataclass(eq=False, slots=True)
class Call:
    """A call of a function of the module or the library."""

    type: Type
    function: Function
    args: list[Expr]
    line: int = 0


@dataclass(eq=False, slots=True)
class CallImport:
    """A call of another module: arguments in the form of `boundary`."""

    type: Type
    function: Import
    args: list[Expr]
    line: int = 0


@dataclass(eq=False, slots=True)
class New:
    """A new record."""

    type: Type
    values: list[Expr]


@dataclass(eq=False, slots=True)
class GetField:
    """A field of a record."""

    type: Type
    record: Expr
    index: int


@dataclass(eq=False, slots=True)
class NewList:
    """A new list of these."""

    type: Type
    items: list[Expr]


@dataclass(eq=False, slots=True)
class Choose:
    """One of two values; the other is not computed."""

    type: Type
    test: Expr
    yes: Expr
    no: Expr


@dataclass(eq=False, slots=True)
class Do:
    """A value that takes statements to compute."""

    type: Type
    body: list[Statement]
    value: Expr


Expr: TypeAlias = "Const | Text | Local | State | Op | Call | CallImport | New | GetField | NewList | Choose | Do"


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(eq=False, slots=True)
class Set:
    """Give a variable a value."""

    variable: Variable
    value: Expr


@dataclass(eq=False, slots=True)
class SetState:
    """Give a variable of the module a value."""

    slot: Slot
    value: Expr


@dataclass(eq=False, slots=True)
class SetField:
    """Give a field a value."""

    record: Expr
    index: int
    value: Expr


@dataclass(eq=False, slots=True)
class Run:
    """An expression for its effect."""

    value: Expr


@dataclass(eq=False, slots=True)
class If:
    """One of two blocks."""

    test: Expr
    yes: list[Statement]
    no: list[Statement]


@dataclass(eq=False, slots=True)
class Loop:
    """While `test` holds: body, step. `continue` goes to the step, a test that fails runs `otherwise`."""

    test: Expr
    body: list[Statement]
    step: list[Statement] = field(default_factory=list)
    otherwise: list[Statement] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Break:
    """Leave the loop."""


@dataclass(eq=False, slots=True)
class Continue:
    """Go to the next round."""


@dataclass(eq=False, slots=True)
class Return:
    """Leave the function."""

    value: Expr | None


@dataclass(eq=False, slots=True)
class Raise:
    """End the call with a message, a `str`."""

    message: Expr
    line: int


Statement: TypeAlias = "Set | SetState | SetField | Run | If | Loop | Break | Continue | Return | Raise"


@dataclass(slots=True)
class Program:
    """All that becomes a module."""

    file: str
    functions: list[Function] = field(default_factory=list)
    exports: list[tuple[str, Function]] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    start: Function | None = None
    initialize: Function | None = None


NOTHING = Const(NONE, 0)
