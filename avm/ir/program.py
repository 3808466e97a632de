"""The flat program: parallel lists, one entry per operation.

Made by: `lower`, `quick`, `unread`. Read by: the machine and the disassembler. One program serves many runs; only `unread` ones change, by getting
more complete.
Compiled values and lenses are plain tuples, see `opcodes.VALUES`.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .opcodes import Op

if TYPE_CHECKING:
    from avm.air.ast import Instruction
    from avm.data.interpreter_data import Tetraplet

    from .unread import Skeleton

Accessor = tuple[int, Any]
Lens = tuple[tuple[Accessor, ...], str]
CompiledValue = tuple[Any, ...]


Fixed = tuple["Tetraplet | None", "str | None"]


def _no_starts() -> array[int]:
    return array("I")


class Reader(Protocol):
    """Who reads the operands of single operations."""

    ops: bytes
    """The true operation codes."""

    skeleton: Skeleton
    runs: int
    declined: int
    """Native runs, and how many of them had to be done by the interpreter."""

    def read(self, pc: int) -> None:
        """Put operands and operation at `pc` in place."""


@dataclass(slots=True)
class Program:
    """One script, ready to run from position 0.

    code: operation codes. operands: tuples as `opcodes.OPS` names their fields. sources: the AIR instruction an operation
    belongs to, for texts in errors; None for the end. starts: instead of them, where it begins in `script`, a text with a character
    for each byte. names: variable name of each slot (scalars, iterators, canon streams
    and canon maps). stream_names: name of each stream and stream map slot. fixed: by position; of calls, the tetraplet if
    its triplet consists of literals, and the hash of the arguments if all of them are literals. fold_steps: for folds, by
    position, the operations that belong to them and to no fold inside them. reader: of a program whose operations are read when
    they run; until then `operands` and `fixed` have nothing at their positions, and `code` has `UNREAD`.
    """

    code: list[int] | bytearray = field(default_factory=list)
    operands: list[tuple[Any, ...]] | dict[int, tuple[Any, ...]] = field(default_factory=list)
    sources: list[Instruction | None] = field(default_factory=list)
    starts: array[int] = field(default_factory=_no_starts)
    script: str = ""
    names: list[str] = field(default_factory=list)
    stream_names: list[str] = field(default_factory=list)
    fixed: list[Fixed | None] | dict[int, Fixed | None] = field(default_factory=list)
    fold_steps: dict[int, int] = field(default_factory=dict)
    reader: Reader | None = None
    _folds_streams: bool | None = None

    def text(self, pc: int) -> str:
        """One-line form of the AIR instruction at `pc`, as error objects show it."""
        from avm.air.printer import instruction_text

        if not self.starts:
            source = self.sources[pc]
            return "" if source is None else instruction_text(source)
        from avm.air.quick import instruction_at

        start = self.starts[pc]
        return "" if start == len(self.script) else instruction_text(instruction_at(self.script, start))

    def folds_streams(self) -> bool:
        """Whether there is a fold over a stream or stream map."""
        if self._folds_streams is None:
            self._folds_streams = Op.FOLD_STREAM in (self.code if self.reader is None else self.reader.ops)
        return self._folds_streams

    def __len__(self) -> int:
        """Number of operations."""
        return len(self.code)
