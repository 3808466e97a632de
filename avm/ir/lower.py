"""Lower the tree of a script to a flat program.

Input: a validated AIR tree of any depth. Output: Program. Errors: none. The tree is walked with an explicit stack.
Layout: an instruction's operation comes first, its parts follow in order, each closed by a mark:

    par RIGHT END        fold … LAST END        xor RIGHT
      left                 body                   left
    par.right              return                 xor.left_end END
      right              LAST: last             RIGHT: right
    par.end                return                 xor.end
    END:                 END:                   END:
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, assert_never

from avm.air import ast
from avm.air.printer import lens_text
from avm.crypto.cid import json_cid
from avm.data import canonical_json
from avm.data.interpreter_data import Tetraplet

from .opcodes import BY_SCALAR, FIELD, INDEX, NO_LAST, OUTPUT_NONE, OUTPUT_SCALAR, OUTPUT_STREAM, Op, Val
from .program import Program

if TYPE_CHECKING:
    from collections.abc import Callable

    from .program import Accessor, CompiledValue, Lens

_EMPTY_ARRAY: Final[CompiledValue] = (int(Val.CONST), [], "[]")


def lower(instruction: ast.Instruction) -> Program:
    """The flat program of a script."""
    lowering = _Lowering()
    lowering.run(instruction)
    return lowering.program


class _Lowering:
    """The program being made and the steps still to do, last one first."""

    def __init__(self) -> None:
        self.program = Program()
        self.todo: list[Any] = []
        self.slots: dict[str, int] = {}
        self.stream_slots: dict[str, int] = {}

    def run(self, root: ast.Instruction) -> None:
        self.todo.append(root)
        while self.todo:
            step = self.todo.pop()
            if callable(step):
                step()
            else:
                self.instruction(step)
        self.emit(Op.END, (), None)

    # ── instructions ─────────────────────────────────────────────────────────────────────────────────────────────────

    def instruction(self, node: ast.Instruction) -> None:
        match node:
            case ast.Null():
                self.emit(Op.NULL, (), node)
            case ast.Never():
                self.emit(Op.NEVER, (), node)
            case ast.Seq():
                self.seq(node)
            case ast.Par():
                self.par(node)
            case ast.Xor():
                self.xor(node)
            case ast.Call():
                self.call(node)
            case ast.Ap():
                self.ap(node)
            case ast.ApMap():
                slot = self.stream_slot(node.map.name)
                self.emit(Op.AP_MAP, (self.value(node.key), self.value(node.value), slot, node.map.position), node)
            case ast.Canon():
                self.canon(Op.CANON, node, node.stream, node.canon_stream)
            case ast.CanonMap():
                self.canon(Op.CANON_MAP, node, node.stream_map, node.canon_stream_map)
            case ast.CanonStreamMapScalar():
                self.canon(Op.CANON_SCALAR, node, node.stream_map, node.scalar)
            case ast.Match():
                self.match(Op.MATCH, node)
            case ast.MisMatch():
                self.match(Op.MISMATCH, node)
            case ast.FoldScalar():
                self.fold(Op.FOLD, (self.value(node.iterable), self.slot(node.iterator.name)), node)
            case ast.FoldStream() | ast.FoldStreamMap():
                stream = self.stream_slot(node.iterable.name)
                operands = (stream, node.iterable.position, self.slot(node.iterator.name))
                self.fold(Op.FOLD_STREAM, operands, node)
            case ast.Next():
                self.emit(Op.NEXT, (self.slot(node.iterator.name),), node)
            case ast.New():
                self.new(node)
            case ast.FailLiteral():
                self.emit(Op.FAIL_LITERAL, (node.ret_code, node.error_message), node)
            case ast.Fail():
                self.emit(Op.FAIL, (self.value(node.value),), node)
            case _:
                assert_never(node)

    def seq(self, node: ast.Seq) -> None:
        self.emit(Op.SEQ, (), node)
        then = -1

        def between() -> None:
            nonlocal then
            then = self.emit(Op.SEQ_THEN, (), node)

        def end() -> None:
            self.program.operands[then] = (self.here(),)

        self.later(node.left, between, node.right, end)

    def par(self, node: ast.Par) -> None:
        start = self.emit(Op.PAR, (), node)
        right = -1

        def between() -> None:
            nonlocal right
            right = self.emit(Op.PAR_RIGHT, (), node)

        def end() -> None:
            self.emit(Op.PAR_END, (), node)
            # a branch that is a bare `next` is incomplete unless the next iteration completes it
            completes = (not isinstance(node.left, ast.Next), not isinstance(node.right, ast.Next))
            self.program.operands[start] = (right, self.here(), *completes)

        self.later(node.left, between, node.right, end)

    def xor(self, node: ast.Xor) -> None:
        start = self.emit(Op.XOR, (), node)
        left_end = -1

        def between() -> None:
            nonlocal left_end
            left_end = self.emit(Op.XOR_LEFT_END, (), node)
            self.program.operands[start] = (self.here(),)

        def end() -> None:
            self.emit(Op.XOR_END, (), node)
            self.program.operands[left_end] = (self.here(),)

        self.later(node.left, between, node.right, end)

    def call(self, node: ast.Call) -> None:
        kind, slot, position = OUTPUT_NONE, -1, -1
        match node.output:
            case ast.Scalar():
                kind, slot = OUTPUT_SCALAR, self.slot(node.output.name)
            case ast.Stream():
                kind, slot, position = OUTPUT_STREAM, self.stream_slot(node.output.name), node.output.position
            case None:
                pass
        arguments = tuple(self.value(argument) for argument in node.args)
        triplet = (self.value(node.peer_id), self.value(node.service_id), self.value(node.function_name))
        pc = self.emit(Op.CALL, (*triplet, arguments, kind, slot, position), node)
        tetraplet = None
        if _all_constant(triplet):
            tetraplet = Tetraplet(triplet[0][1], triplet[1][1], triplet[2][1], "")
        argument_hash = None
        if _all_constant(arguments):
            text = ",".join(argument[2] for argument in arguments)
            argument_hash = json_cid(f"[{text}]".encode("utf-8", "surrogatepass"))
        self.program.fixed[pc] = (tetraplet, argument_hash)

    def ap(self, node: ast.Ap) -> None:
        value = self.value(node.argument)
        match node.result:
            case ast.Scalar():
                self.emit(Op.AP, (value, self.slot(node.result.name)), node)
            case ast.Stream():
                self.emit(Op.AP_STREAM, (value, self.stream_slot(node.result.name), node.result.position), node)
            case _:
                assert_never(node.result)

    def canon(
        self,
        op: Op,
        node: ast.Canon | ast.CanonMap | ast.CanonStreamMapScalar,
        stream: ast.Stream | ast.StreamMap,
        target: ast.CanonStream | ast.CanonStreamMap | ast.Scalar,
    ) -> None:
        operands = (self.value(node.peer_id), self.stream_slot(stream.name), stream.position, self.slot(target.name))
        self.emit(op, operands, node)

    def match(self, op: Op, node: ast.Match | ast.MisMatch) -> None:
        values = (self.value(node.left_value), self.value(node.right_value))
        start = self.emit(op, (), node)

        def end() -> None:
            self.program.operands[start] = (*values, self.here())

        self.later(node.instruction, end)

    def fold(
        self, op: Op, operands: tuple[Any, ...], node: ast.FoldScalar | ast.FoldStream | ast.FoldStreamMap
    ) -> None:
        start = self.emit(op, (), node)
        last = NO_LAST

        def body_end() -> None:
            nonlocal last
            self.emit(Op.RETURN, (), node)
            if node.last_instruction is not None:
                last = self.here()

        def end() -> None:
            if node.last_instruction is not None:
                self.emit(Op.RETURN, (), node)
            self.program.operands[start] = (*operands, last, self.here())

        if node.last_instruction is None:
            self.later(node.instruction, body_end, end)
        else:
            self.later(node.instruction, body_end, node.last_instruction, end)

    def new(self, node: ast.New) -> None:
        match node.argument:
            case ast.Stream() | ast.StreamMap():
                self.emit(Op.NEW_STREAM, (self.stream_slot(node.argument.name), *node.span), node)
            case ast.Scalar() | ast.CanonStream() | ast.CanonStreamMap():
                self.emit(Op.NEW, (self.slot(node.argument.name),), node)
            case _:
                assert_never(node.argument)

        def end() -> None:
            self.emit(Op.NEW_END, (), node)

        self.later(node.instruction, end)

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: ast.Value | ast.Operand) -> CompiledValue:
        """A compiled value: kind, then the fields of `opcodes.VALUES`."""
        match node:
            case ast.InitPeerId():
                return (int(Val.INIT_PEER),)
            case ast.Timestamp():
                return (int(Val.TIMESTAMP),)
            case ast.Ttl():
                return (int(Val.TTL),)
            case ast.EmptyArray():
                return _EMPTY_ARRAY
            case ast.Literal():
                return (int(Val.CONST), node.text, canonical_json.dumps(node.text))
            case ast.Int() | ast.Float() | ast.Bool():
                return (int(Val.CONST), node.value, canonical_json.dumps(node.value))
            case ast.LastError():
                return (int(Val.LAST_ERROR), self.lens(node.lens))
            case ast.Error():
                return (int(Val.ERROR), self.lens(node.lens))
            case ast.Scalar():
                return self.variable(Val.SCALAR, Val.SCALAR_LENS, node)
            case ast.CanonStream():
                return self.variable(Val.CANON, Val.CANON_LENS, node)
            case ast.CanonStreamMap():
                return self.variable(Val.MAP, Val.MAP_LENS, node)
            case _:
                assert_never(node)

    def variable(
        self, plain: Val, with_lens: Val, node: ast.Scalar | ast.CanonStream | ast.CanonStreamMap
    ) -> CompiledValue:
        if node.lens is None:
            return (int(plain), self.slot(node.name))
        return (int(with_lens), self.slot(node.name), self.lens(node.lens))

    def lens(self, lens: ast.Lens | None) -> Lens | None:
        match lens:
            case None:
                return None
            case ast.Length():
                return (), lens_text(lens)
            case ast.ValuePath():
                return tuple(self.accessor(accessor) for accessor in lens.accessors), lens_text(lens)
            case _:
                assert_never(lens)

    def accessor(self, accessor: ast.Accessor) -> Accessor:
        match accessor:
            case ast.FieldByName():
                return FIELD, accessor.name
            case ast.ArrayAccess():
                return INDEX, accessor.idx
            case ast.FieldByScalar():
                return BY_SCALAR, self.slot(accessor.name)
            case _:
                assert_never(accessor)

    # ── the program ──────────────────────────────────────────────────────────────────────────────────────────────────

    def slot(self, name: str) -> int:
        """Index of a scalar, iterator, canon stream or canon map."""
        return _slot(self.slots, self.program.names, name)

    def stream_slot(self, name: str) -> int:
        """Index of a stream or stream map."""
        return _slot(self.stream_slots, self.program.stream_names, name)

    def emit(self, op: Op, operands: tuple[Any, ...], source: ast.Instruction | None) -> int:
        """Append an operation, return its position."""
        program = self.program
        program.code.append(int(op))
        program.operands.append(operands)
        program.sources.append(source)
        return len(program.code) - 1

    def here(self) -> int:
        """Position of the next operation."""
        return len(self.program.code)

    def later(self, *steps: ast.Instruction | Callable[[], None]) -> None:
        """Do these steps next, in this order."""
        self.todo.extend(reversed(steps))


def _all_constant(values: tuple[CompiledValue, ...]) -> bool:
    return all(value[0] == Val.CONST for value in values)


def _slot(slots: dict[str, int], names: list[str], name: str) -> int:
    slot = slots.get(name)
    if slot is None:
        slot = slots[name] = len(names)
        names.append(name)
    return slot
