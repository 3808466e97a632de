"""Program whose operands are read when an operation runs for the first time.

Problem: at most peers most instructions of a script never run.
Idea:    a kernel (`avm.jit.kernels.air_text`) checks the whole script and finds operations and jumps; an operation with operands
         stands as `unread`, which reads them from the text, puts the true operation in its place and lets it run.
Input:   script, the native kernels. Output: Program that does what that of `quick` does; slots are numbered in the order in which they are
         read. None where the kernel does not take the text. Errors: none.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from avm.air import tokens as t
from avm.air.legal import AP_VALUE, FAIL_VALUE, MAP_KEY, OUTPUT, PEER, SCALAR_ITERABLE, VALUE, VARIABLE
from avm.air.quick import (
    G_AP_RESULT,
    G_AP_VALUE,
    G_ARGUMENTS,
    G_CALL_PEER,
    G_CANON,
    G_CANON_PEER,
    G_FAIL,
    G_FUNCTION,
    G_ITERABLE,
    G_ITERATOR,
    G_KEY,
    G_LEFT,
    G_MAP,
    G_MAP_VALUE,
    G_MESSAGE,
    G_NEW,
    G_NEXT,
    G_OUTPUT,
    G_RIGHT,
    G_SERVICE,
    G_STREAM,
    STEP,
    byte_text,
    content,
)

from .lower import Lowering
from .opcodes import NO_LAST, OPS, OUTPUT_NONE, OUTPUT_SCALAR, OUTPUT_STREAM, UNREAD, Op
from .quick import Operands

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from avm.jit.library import Library

    from .program import Program

_STREAMS: Final = t.STREAM | t.STREAM_MAP
_HIDDEN: Final = bytes(UNREAD if op in OPS and OPS[Op(op)].operands else op for op in range(256))
"""Operation → what stands for it until its operands are read."""

_OPERATION_BYTES: Final = 10
"""Of text that an operation takes at least, in most scripts. A wrong guess costs a second reading, or memory that is used again."""
_INSTRUCTION_MIN: Final = len("(null)")
_FOLD_STREAM: Final = bytes((Op.FOLD_STREAM,))
_FRAME: Final = 10
_NAME: Final = 8
_REGISTERS: Final = 8
_SEED: Final = 6
_OPERATIONS_FULL: Final = -2
_NAMES_FULL: Final = -3
_FRAMES_FULL: Final = -4
_LEFT_BARE: Final = 1 << 30
_RIGHT_BARE: Final = 1 << 31
_FRAMES_MIN: Final = 1 << 14
_NAMES_MIN: Final = 1 << 15
_SCRATCH_MIN: Final = 1 << 12
_SCRATCH_MAX: Final = 1 << 18
"""Elements kept in each of eight buffers, 2 MiB at most."""

_TEXT_BYTES_MAX: Final = 1 << 30
"""Positions have to fit beside the two bits above."""


class Skeleton(NamedTuple):
    """A script without its operands.

    text: UTF-8. ops: operation codes. starts: where their instructions begin. first, second: see `avm.jit.kernels.air_text`.
    folds_streams: whether any operation does.
    """

    text: bytes
    ops: array[int]
    starts: array[int]
    first: array[int]
    second: array[int]
    folds_streams: bool


Buffers = dict[str, "array[int]"]
"""Buffers by name. Kernels let other threads run, so each interpreter needs buffers of its own."""


def unread_program(script: str, library: Library, buffers: Buffers) -> Program | None:
    """The program of a faultless script of the usual form, else None. `buffers` are used again for the next script."""
    text = byte_text(script)
    if text is None or not text or len(text) > _TEXT_BYTES_MAX:
        return None
    found = skeleton(text.encode("latin-1"), library.read_air, buffers)
    return None if found is None else _Reader(text, found).program


def skeleton(text: bytes, read_air: Callable[..., int], buffers: Buffers) -> Skeleton | None:
    """The skeleton that a kernel finds. Buffers grow until they are long enough."""
    operations = len(text) // _OPERATION_BYTES + 64
    if operations > _SCRATCH_MAX:
        operations = 5 * text.count(b"(") // 4 + 64
    names, frames = min(len(text) // 40 + 32, _NAMES_MIN), min(len(text) // _INSTRUCTION_MIN + 2, _FRAMES_MIN)
    while True:
        ops = _scratch(buffers, "ops", "B", operations)
        starts, first, second = (_scratch(buffers, name, "I", operations) for name in ("starts", "first", "second"))
        registers = array("q", (0,)) * _REGISTERS
        registers[_SEED] = hash("names of a script") & 0xFFFFFFFF  # another one in each process
        try:
            count = read_air(
                text,
                ops,
                starts,
                first,
                second,
                _scratch(buffers, "table", "I", 2 * names + 2),
                _scratch(buffers, "names", "q", _NAME * names),
                _scratch(buffers, "frames", "q", _FRAME * frames),
                _scratch(buffers, "pending", "q", frames + 8),
                registers,
            )
        except IndexError:
            return None
        if count >= 0:
            ops = ops[:count]
            folds = _FOLD_STREAM in ops.tobytes()
            return Skeleton(text, ops, starts[:count], first[:count], second[:count], folds)
        if count == _OPERATIONS_FULL:
            operations = 3 * text.count(b"(") + 64
        elif count == _NAMES_FULL:
            names *= 4
        elif count == _FRAMES_FULL:
            frames *= 8
        else:
            return None


def _scratch(buffers: Buffers, name: str, code: str, size: int) -> array[int]:
    """A buffer of at least that size, whose content does not matter; kept for the next script unless it is large."""
    if size > _SCRATCH_MAX:
        return array(code, (0,)) * size
    found = buffers.get(name)
    if found is None or len(found) < size or len(found) > _SCRATCH_MIN >= size:
        found = buffers[name] = array(code, (0,)) * max(1 << (size - 1).bit_length(), _SCRATCH_MIN)
    return found


class _Reader(Operands):
    """Reads the operands of single operations of one script."""

    def __init__(self, text: str, found: Skeleton) -> None:
        super().__init__(Lowering())
        self.skeleton = found
        self.ops = found.ops.tobytes()
        self.first = found.first
        self.second = found.second
        self.runs = 0
        self.declined = 0
        program = self.program = self.low.program
        program.script = text
        program.starts = found.starts
        program.code = bytearray(self.ops.translate(_HIDDEN))
        program.operands = {}
        program.fixed = {}
        program.reader = self

    def read(self, pc: int) -> None:
        """Make the operation at `pc` what it is."""
        program = self.program
        op = self.ops[pc]
        jump = _JUMPS.get(op)
        if jump is not None:
            program.operands[pc] = jump(self, pc)
        else:
            found = STEP.match(program.script, program.starts[pc])
            assert found is not None
            program.operands[pc] = _READERS[op](self, found, pc)
        program.code[pc] = op

    # ── operations without text ──────────────────────────────────────────────────────────────────────────────────────

    def target(self, pc: int) -> tuple[Any, ...]:
        return (self.first[pc],)

    def par(self, pc: int) -> tuple[Any, ...]:
        second = self.second[pc]
        end = second & (_LEFT_BARE - 1)
        return (self.first[pc], end, not second & _LEFT_BARE, not second & _RIGHT_BARE)

    # ── operations with text ─────────────────────────────────────────────────────────────────────────────────────────

    def call(self, found: re.Match[str], pc: int) -> tuple[Any, ...]:
        kind, slot, position = OUTPUT_NONE, -1, -1
        if found.lastindex == G_OUTPUT:
            output = self.operand(found, G_OUTPUT, OUTPUT)
            if output[0] == t.SCALAR:
                kind, slot = OUTPUT_SCALAR, self.low.slot(output[3])
            else:
                kind, slot, position = OUTPUT_STREAM, self.low.stream_slot(output[3]), found.start(G_OUTPUT)
        text = found[G_ARGUMENTS]
        arguments, argument_hash = self.lists.get(text) or self.arguments(text)
        texts = found.group(G_CALL_PEER, G_SERVICE, G_FUNCTION)
        triplet = self.triplets.get(texts) or self.triplet(found, texts)
        self.program.fixed[pc] = self.known(texts, argument_hash)
        return (*triplet, arguments, kind, slot, position)

    def ap(self, found: re.Match[str], _pc: int) -> tuple[Any, ...]:
        value = self.operand(found, G_AP_VALUE, AP_VALUE)[1]
        kind, _, _, name = self.operand(found, G_AP_RESULT, OUTPUT)
        if kind == t.SCALAR:
            return (value, self.low.slot(name))
        return (value, self.low.stream_slot(name), found.start(G_AP_RESULT))

    def ap_map(self, found: re.Match[str], _pc: int) -> tuple[Any, ...]:
        slot = self.low.stream_slot(self.operand(found, G_MAP, t.STREAM_MAP)[3])
        key, value = self.operand(found, G_KEY, MAP_KEY)[1], self.operand(found, G_MAP_VALUE, AP_VALUE)[1]
        return (key, value, slot, found.start(G_MAP))

    def canon(self, found: re.Match[str], _pc: int) -> tuple[Any, ...]:
        peer = self.operand(found, G_CANON_PEER, PEER)[1]
        stream = self.low.stream_slot(self.operand(found, G_STREAM, _STREAMS)[3])
        target = self.operand(found, G_CANON, t.CANON_STREAM | t.CANON_STREAM_MAP | t.SCALAR)[3]
        return (peer, stream, found.start(G_STREAM), self.low.slot(target))

    def match(self, found: re.Match[str], pc: int) -> tuple[Any, ...]:
        left, right = self.operand(found, G_LEFT, VALUE)[1], self.operand(found, G_RIGHT, VALUE)[1]
        return (left, right, self.first[pc])

    def fold(self, found: re.Match[str], pc: int) -> tuple[Any, ...]:
        kind, value, _, name = self.operand(found, G_ITERABLE, SCALAR_ITERABLE | _STREAMS)
        iterator = self.operand(found, G_ITERATOR, t.SCALAR)[3]
        last, end = self.first[pc], self.second[pc]
        self.program.fold_steps[pc] = self.first[end - 1]
        ends = (NO_LAST if last == 0xFFFFFFFF else last, end)
        if kind & _STREAMS:
            slot = self.low.stream_slot(name)
            return (slot, found.start(G_ITERABLE), self.low.slot(iterator), *ends)
        return (value, self.low.slot(iterator), *ends)

    def next(self, found: re.Match[str], _pc: int) -> tuple[Any, ...]:
        return (self.low.slot(self.operand(found, G_NEXT, t.SCALAR)[3]),)

    def new(self, found: re.Match[str], pc: int) -> tuple[Any, ...]:
        kind, _, _, name = self.operand(found, G_NEW, VARIABLE)
        if kind & _STREAMS:
            return (self.low.stream_slot(name), self.program.starts[pc], self.first[pc])
        return (self.low.slot(name),)

    def fail(self, found: re.Match[str], _pc: int) -> tuple[Any, ...]:
        value = self.operand(found, G_FAIL, FAIL_VALUE)[1]
        message = found[G_MESSAGE]
        return (value,) if message is None else (value[1], content(message))


_JUMPS: Final[dict[int, Callable[[_Reader, int], tuple[Any, ...]]]] = {
    int(Op.SEQ_THEN): _Reader.target,
    int(Op.PAR): _Reader.par,
    int(Op.XOR): _Reader.target,
    int(Op.XOR_LEFT_END): _Reader.target,
}
_READERS: Final[dict[int, Callable[[_Reader, re.Match[str], int], tuple[Any, ...]]]] = {
    int(Op.CALL): _Reader.call,
    int(Op.AP): _Reader.ap,
    int(Op.AP_STREAM): _Reader.ap,
    int(Op.AP_MAP): _Reader.ap_map,
    int(Op.CANON): _Reader.canon,
    int(Op.CANON_MAP): _Reader.canon,
    int(Op.CANON_SCALAR): _Reader.canon,
    int(Op.MATCH): _Reader.match,
    int(Op.MISMATCH): _Reader.match,
    int(Op.FOLD): _Reader.fold,
    int(Op.FOLD_STREAM): _Reader.fold,
    int(Op.NEXT): _Reader.next,
    int(Op.NEW): _Reader.new,
    int(Op.NEW_STREAM): _Reader.new,
    int(Op.FAIL_LITERAL): _Reader.fail,
    int(Op.FAIL): _Reader.fail,
}
assert {*_JUMPS, *_READERS} == {int(op) for op, info in OPS.items() if info.operands}
