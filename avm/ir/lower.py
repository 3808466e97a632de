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

    from .program import Accessor, CompiledValue, Fixed, Lens

_EMPTY_ARRAY: Final[CompiledValue] = (int(Val.CONST), [], "[]")
_INIT_PEER: Final[CompiledValue] = (int(Val.INIT_PEER),)
_CONST: Final = int(Val.CONST)


def lower(instruction: ast.Instruction) -> Program:
    """The flat program of a script."""
    lowering = Lowering()
    lowering.run(instruction)
    return lowering.program


class Lowering:
    """The program being made and the steps still to do, last one first.

    marks: positions of operations whose operands are not complete, of all instructions that are open, innermost last.
    inner_steps: of all folds that are open, how many operations belong to folds inside them.
    literals, tetraplets, hashes: what was made before, by text. constants: arguments that are all literals and their hash, by
    the tuple of their nodes, which the parser makes once for each text.
    """

    def __init__(self) -> None:
        self.code: list[int] = []
        self.operands: list[tuple[Any, ...]] = []
        self.fixed: list[Fixed | None] = []
        self.program = Program(self.code, self.operands, fixed=self.fixed)
        self.todo: list[tuple[Callable[[Lowering, Any], None], Any]] = []
        self.marks: list[int] = []
        self.inner_steps: list[int] = []
        self.slots: dict[str, int] = {}
        self.stream_slots: dict[str, int] = {}
        self.literals: dict[str, CompiledValue] = {}
        self.tetraplets: dict[tuple[str, str, str], Tetraplet] = {}
        self.hashes: dict[str, str] = {}
        self.constants: dict[int, tuple[tuple[CompiledValue, ...], str | None]] = {id(()): ((), self.fixed_hash(()))}

    def run(self, root: ast.Instruction) -> None:
        todo = self.todo
        todo.append((_INSTRUCTIONS[type(root)], root))
        while todo:
            step, node = todo.pop()
            step(self, node)
        self.emit(Op.END, (), None)

    # ── instructions ─────────────────────────────────────────────────────────────────────────────────────────────────

    def null(self, node: ast.Null) -> None:
        self.emit(Op.NULL, (), node)

    def never(self, node: ast.Never) -> None:
        self.emit(Op.NEVER, (), node)

    def seq(self, node: ast.Seq) -> None:
        self.emit(Op.SEQ, (), node)
        self.pair(node, Lowering.seq_then, Lowering.seq_end)

    def seq_then(self, node: ast.Seq) -> None:
        self.marks.append(self.emit(Op.SEQ_THEN, (), node))

    def seq_end(self, _: ast.Seq) -> None:
        self.operands[self.marks.pop()] = (self.here(),)

    def par(self, node: ast.Par) -> None:
        self.marks.append(self.emit(Op.PAR, (), node))
        self.pair(node, Lowering.par_right, Lowering.par_end)

    def par_right(self, node: ast.Par) -> None:
        self.marks.append(self.emit(Op.PAR_RIGHT, (), node))

    def par_end(self, node: ast.Par) -> None:
        self.emit(Op.PAR_END, (), node)
        right, start = self.marks.pop(), self.marks.pop()
        # a branch that is a bare `next` is incomplete unless the next iteration completes it
        completes = (not isinstance(node.left, ast.Next), not isinstance(node.right, ast.Next))
        self.operands[start] = (right, self.here(), *completes)

    def xor(self, node: ast.Xor) -> None:
        self.marks.append(self.emit(Op.XOR, (), node))
        self.pair(node, Lowering.xor_left_end, Lowering.xor_end)

    def xor_left_end(self, node: ast.Xor) -> None:
        left_end = self.emit(Op.XOR_LEFT_END, (), node)
        self.operands[self.marks.pop()] = (self.here(),)
        self.marks.append(left_end)

    def xor_end(self, node: ast.Xor) -> None:
        self.emit(Op.XOR_END, (), node)
        self.operands[self.marks.pop()] = (self.here(),)

    def call(self, node: ast.Call) -> None:
        kind, slot, position = OUTPUT_NONE, -1, -1
        match node.output:
            case ast.Scalar():
                kind, slot = OUTPUT_SCALAR, self.slot(node.output.name)
            case ast.Stream():
                kind, slot, position = OUTPUT_STREAM, self.stream_slot(node.output.name), node.output.position
            case None:
                pass
        value = self.value
        known = self.constants.get(id(node.args))
        if known is None:
            arguments = tuple([value(argument) for argument in node.args])
            argument_hash = self.fixed_hash(arguments)
            if argument_hash is not None:
                self.constants[id(node.args)] = (arguments, argument_hash)
        else:
            arguments, argument_hash = known
        triplet = (value(node.peer_id), value(node.service_id), value(node.function_name))
        pc = self.emit(Op.CALL, (*triplet, arguments, kind, slot, position), node)
        self.fixed[pc] = (self.fixed_tetraplet(triplet), argument_hash)

    def fixed_tetraplet(self, triplet: tuple[CompiledValue, CompiledValue, CompiledValue]) -> Tetraplet | None:
        """The tetraplet of a call that names literals only."""
        peer, service, function = triplet
        if peer[0] != _CONST or service[0] != _CONST or function[0] != _CONST:
            return None
        texts = (peer[1], service[1], function[1])
        tetraplet = self.tetraplets.get(texts)
        if tetraplet is None:
            tetraplet = self.tetraplets[texts] = Tetraplet(*texts, "")
        return tetraplet

    def fixed_hash(self, arguments: tuple[CompiledValue, ...]) -> str | None:
        """The hash of arguments that are all literals."""
        for argument in arguments:
            if argument[0] != _CONST:
                return None
        text = ",".join([argument[2] for argument in arguments])
        known = self.hashes.get(text)
        if known is None:
            known = self.hashes[text] = json_cid(f"[{text}]".encode("utf-8", "surrogatepass"))
        return known

    def ap(self, node: ast.Ap) -> None:
        value = self.value(node.argument)
        match node.result:
            case ast.Scalar():
                self.emit(Op.AP, (value, self.slot(node.result.name)), node)
            case ast.Stream():
                self.emit(Op.AP_STREAM, (value, self.stream_slot(node.result.name), node.result.position), node)
            case _:
                assert_never(node.result)

    def ap_map(self, node: ast.ApMap) -> None:
        slot = self.stream_slot(node.map.name)
        self.emit(Op.AP_MAP, (self.value(node.key), self.value(node.value), slot, node.map.position), node)

    def canon(self, node: ast.Canon | ast.CanonMap | ast.CanonStreamMapScalar) -> None:
        op: Op
        stream: ast.Stream | ast.StreamMap
        target: ast.CanonStream | ast.CanonStreamMap | ast.Scalar
        match node:
            case ast.Canon():
                op, stream, target = Op.CANON, node.stream, node.canon_stream
            case ast.CanonMap():
                op, stream, target = Op.CANON_MAP, node.stream_map, node.canon_stream_map
            case ast.CanonStreamMapScalar():
                op, stream, target = Op.CANON_SCALAR, node.stream_map, node.scalar
            case _:
                assert_never(node)
        operands = (self.value(node.peer_id), self.stream_slot(stream.name), stream.position, self.slot(target.name))
        self.emit(op, operands, node)

    def match(self, node: ast.Match | ast.MisMatch) -> None:
        # the values first, because slots are numbered in order of use
        values = (self.value(node.left_value), self.value(node.right_value))
        self.marks.append(self.emit(Op.MATCH if isinstance(node, ast.Match) else Op.MISMATCH, values, node))
        self.later(node.instruction, Lowering.match_end, node)

    def match_end(self, _: ast.Match | ast.MisMatch) -> None:
        start = self.marks.pop()
        self.operands[start] += (self.here(),)

    def fold(self, node: ast.FoldScalar | ast.FoldStream | ast.FoldStreamMap) -> None:
        op, operands = Op.FOLD_STREAM, tuple[Any, ...]()
        match node:
            case ast.FoldScalar():
                op, operands = Op.FOLD, (self.value(node.iterable), self.slot(node.iterator.name))
            case ast.FoldStream() | ast.FoldStreamMap():
                stream = self.stream_slot(node.iterable.name)
                operands = (stream, node.iterable.position, self.slot(node.iterator.name))
            case _:
                assert_never(node)
        self.marks.append(self.emit(op, operands, node))
        self.inner_steps.append(0)
        self.later(node.instruction, Lowering.fold_body_end, node)

    def fold_body_end(self, node: ast.FoldScalar | ast.FoldStream | ast.FoldStreamMap) -> None:
        self.emit(Op.RETURN, (), node)
        if node.last_instruction is None:
            self.operands[self.marks[-1]] += (NO_LAST,)
            self.fold_end()
        else:
            self.operands[self.marks[-1]] += (self.here(),)
            self.later(node.last_instruction, Lowering.fold_last_end, node)

    def fold_last_end(self, node: ast.FoldScalar | ast.FoldStream | ast.FoldStreamMap) -> None:
        self.emit(Op.RETURN, (), node)
        self.fold_end()

    def fold_end(self) -> None:
        start = self.marks.pop()
        self.operands[start] += (self.here(),)
        self.count_steps(start)

    def count_steps(self, start: int) -> None:
        """The fold at `start` ended: its own operations, and those that belong to the fold around it."""
        steps = self.here() - start
        self.program.fold_steps[start] = steps - self.inner_steps.pop()
        if self.inner_steps:
            self.inner_steps[-1] += steps

    def next(self, node: ast.Next) -> None:
        self.emit(Op.NEXT, (self.slot(node.iterator.name),), node)

    def new(self, node: ast.New) -> None:
        match node.argument:
            case ast.Stream() | ast.StreamMap():
                self.emit(Op.NEW_STREAM, (self.stream_slot(node.argument.name), *node.span), node)
            case ast.Scalar() | ast.CanonStream() | ast.CanonStreamMap():
                self.emit(Op.NEW, (self.slot(node.argument.name),), node)
            case _:
                assert_never(node.argument)
        self.later(node.instruction, Lowering.new_end, node)

    def new_end(self, node: ast.New) -> None:
        self.emit(Op.NEW_END, (), node)

    def fail_literal(self, node: ast.FailLiteral) -> None:
        self.emit(Op.FAIL_LITERAL, (node.ret_code, node.error_message), node)

    def fail(self, node: ast.Fail) -> None:
        self.emit(Op.FAIL, (self.value(node.value),), node)

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: ast.Value | ast.Operand) -> CompiledValue:
        """A compiled value: kind, then the fields of `opcodes.VALUES`."""
        match node:
            case ast.Literal():
                known = self.literals.get(node.text)
                if known is None:
                    known = self.literals[node.text] = (_CONST, node.text, canonical_json.dumps(node.text))
                return known
            case ast.Scalar():
                return self.variable(Val.SCALAR, Val.SCALAR_LENS, node)
            case ast.InitPeerId():
                return _INIT_PEER
            case ast.Timestamp():
                return (int(Val.TIMESTAMP),)
            case ast.Ttl():
                return (int(Val.TTL),)
            case ast.EmptyArray():
                return _EMPTY_ARRAY
            case ast.Int() | ast.Float() | ast.Bool():
                return (_CONST, node.value, canonical_json.dumps(node.value))
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
        """Append an operation of an instruction, return its position."""
        self.program.sources.append(source)
        return self.append(op, operands)

    def append(self, op: Op, operands: tuple[Any, ...]) -> int:
        """Append an operation, return its position."""
        self.code.append(CODES[op])
        self.operands.append(operands)
        self.fixed.append(None)
        return len(self.code) - 1

    def here(self) -> int:
        """Position of the next operation."""
        return len(self.code)

    def pair(
        self,
        node: ast.Seq | ast.Par | ast.Xor,
        between: Callable[[Lowering, Any], None],
        end: Callable[[Lowering, Any], None],
    ) -> None:
        """Next: the left part, `between`, the right part, `end`."""
        left, right = node.left, node.right
        self.todo += (
            (end, node),
            (_INSTRUCTIONS[type(right)], right),
            (between, node),
            (_INSTRUCTIONS[type(left)], left),
        )

    def later(self, part: ast.Instruction, end: Callable[[Lowering, Any], None], node: ast.Instruction) -> None:
        """Next: a part of `node`, then `end`."""
        self.todo += ((end, node), (_INSTRUCTIONS[type(part)], part))


def _slot(slots: dict[str, int], names: list[str], name: str) -> int:
    slot = slots.get(name)
    if slot is None:
        slot = slots[name] = len(names)
        names.append(name)
    return slot


CODES: Final = {op: int(op) for op in Op}
_INSTRUCTIONS: Final[dict[type[ast.Instruction], Callable[[Lowering, Any], None]]] = {
    ast.Null: Lowering.null,
    ast.Never: Lowering.never,
    ast.Seq: Lowering.seq,
    ast.Par: Lowering.par,
    ast.Xor: Lowering.xor,
    ast.Call: Lowering.call,
    ast.Ap: Lowering.ap,
    ast.ApMap: Lowering.ap_map,
    ast.Canon: Lowering.canon,
    ast.CanonMap: Lowering.canon,
    ast.CanonStreamMapScalar: Lowering.canon,
    ast.Match: Lowering.match,
    ast.MisMatch: Lowering.match,
    ast.FoldScalar: Lowering.fold,
    ast.FoldStream: Lowering.fold,
    ast.FoldStreamMap: Lowering.fold,
    ast.Next: Lowering.next,
    ast.New: Lowering.new,
    ast.FailLiteral: Lowering.fail_literal,
    ast.Fail: Lowering.fail,
}
"""What every class of instructions is lowered by; the classes are complete, because a test lowers each."""
