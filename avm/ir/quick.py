"""Script of the usual form to flat program in one pass, without a tree.

Problem: a tree takes six times the memory of its text and half of the time until a script that is seen for the first time can run.
Idea:    instructions come in the order in which their operations stand in the program, so they can be emitted as they are read;
         operands mean the same wherever they stand, so each is compiled once for each text. Checks are told piece by piece.
Input:   any script. Output: the program that `lower` makes of the tree, apart from `sources`, or None where the text is not of
         the usual form (see `avm.air.quick`), erroneous ones included. Errors: none.

An editor of this file must preserve: the program is the same, or there is none, and slots are numbered in the same order;
`tests/avm/ir/test_quick.py` compares the two.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

from avm.air import ast
from avm.air import tokens as t
from avm.air.legal import AP_VALUE, FAIL_VALUE, MAP_KEY, OUTPUT, PEER, SCALAR_ITERABLE, STRING, VALUE, VARIABLE
from avm.air.quick import (
    ARGUMENT,
    G_AP_RESULT,
    G_AP_VALUE,
    G_ARGUMENTS,
    G_BARE,
    G_CALL_PEER,
    G_CANON,
    G_CANON_PEER,
    G_CLOSE,
    G_COMPARISON,
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
    G_OPEN,
    G_OTHER,
    G_OUTPUT,
    G_PAIR,
    G_RIGHT,
    G_SERVICE,
    G_STREAM,
    STEP,
    UnusualError,
    byte_text,
    content,
)
from avm.air.validate import Validator
from avm.air.words import FIXED, WordError, classify

from .lower import CODES, Lowering
from .opcodes import NO_LAST, OUTPUT_NONE, OUTPUT_SCALAR, OUTPUT_STREAM, Op

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from avm.air.ast import Span
    from avm.data.interpreter_data import Tetraplet

    from .program import CompiledValue, Fixed, Program

Operand = tuple[int, Any, tuple[str, ...], str]
"""Kind of token, compiled value, the names it reads, its own name."""

_STREAMS: Final = t.STREAM | t.STREAM_MAP


def quick_program(text: str) -> Program | None:
    """The program of a faultless script of the usual form, else None. Linear in its size."""
    bytes_of = byte_text(text)
    if bytes_of is None:
        return None
    reading = _Reading(bytes_of)
    try:
        reading.run()
    except (UnusualError, WordError):
        return None
    return None if reading.validator.labels() else reading.low.program


class _Frame:
    """An open instruction. pc: its operation. mark: of what is completed when it ends. uses: names its operands read."""

    __slots__ = ("bare_next", "count", "keyword", "least", "mark", "most", "name", "pc", "start", "uses")

    def __init__(
        self, keyword: str, start: int, pc: int, least: int, most: int, name: str = "", uses: tuple[str, ...] = ()
    ) -> None:
        self.keyword = keyword
        self.start = start
        self.pc = pc
        self.least = least
        self.most = most
        self.name = name
        self.uses = uses
        self.count = 0
        self.mark = -1
        self.bare_next = [False, False]


class Operands:
    """Operands of one script; what they stand for is compiled once for each text."""

    def __init__(self, low: Lowering) -> None:
        """Names get their slots from `low`."""
        self.low = low
        self.words: dict[str, Operand] = {}
        self.triplets: dict[tuple[str | Any, ...], tuple[CompiledValue, CompiledValue, CompiledValue]] = {}
        self.tetraplets: dict[tuple[str | Any, ...], Tetraplet | None] = {}
        self.lists: dict[str, tuple[tuple[CompiledValue, ...], str | None]] = {}
        self.uses: dict[str, tuple[str, ...]] = {"": ()}
        self.fixed: dict[Fixed, Fixed] = {}

    def known(self, texts: tuple[str | Any, ...], argument_hash: str | None) -> Fixed:
        """What is known of a call before it runs."""
        fixed = (self.tetraplets[texts], argument_hash)
        return self.fixed.setdefault(fixed, fixed)

    def operand(self, found: re.Match[str], group: int, legal: int) -> Operand:
        """What stands in a group. Raises UnusualError, WordError."""
        text = found[group]
        known = self.words.get(text)
        if known is None:
            known = self.words[text] = self.compiled(text)
        if not known[0] & legal:
            raise UnusualError
        return known

    def compiled(self, text: str) -> Operand:
        """A word, a literal or `[]` that was not met before."""
        value = self.low.value
        if text[0] == '"':
            return t.LITERAL, value(ast.Literal(content(text))), (), ""
        if text[0] == "[":
            return t.OPEN_SQUARE, value(ast.EmptyArray()), (), ""
        kind, node, make, name, lens = classify(text)
        if make is not None:
            node = make(name, 0, lens)
        if node is None or isinstance(node, ast.Stream | ast.StreamMap):
            return kind, None, (), name
        reads: tuple[str, ...] = ()
        if isinstance(node, ast.Scalar | ast.CanonStream | ast.CanonStreamMap):
            accessors = lens.accessors if isinstance(lens, ast.ValuePath) else ()
            reads = (name, *[item.name for item in accessors if isinstance(item, ast.FieldByScalar)])
        return kind, value(node), reads, name

    def triplet(
        self, found: re.Match[str], texts: tuple[str | Any, ...]
    ) -> tuple[CompiledValue, CompiledValue, CompiledValue]:
        triplet = (
            self.operand(found, G_CALL_PEER, PEER)[1],
            self.operand(found, G_SERVICE, STRING)[1],
            self.operand(found, G_FUNCTION, STRING)[1],
        )
        self.tetraplets[texts] = self.low.fixed_tetraplet(triplet)
        self.triplets[texts] = triplet
        return triplet

    def arguments(self, text: str) -> tuple[tuple[CompiledValue, ...], str | None]:
        operands = [self.operand(found, 0, VALUE) for found in ARGUMENT.finditer(text)]
        values = tuple([operand[1] for operand in operands])
        self.uses[text] = tuple([name for operand in operands for name in operand[2]])
        known = self.lists[text] = (values, self.low.fixed_hash(values))
        return known


class _Reading(Operands):
    """One script."""

    def __init__(self, text: str) -> None:
        super().__init__(Lowering())
        self.text = text
        self.low.program.script = text
        program = self.low.program
        self.starts = program.starts = array("I")
        self.code, self.operands, self.facts = self.low.code, self.low.operands, self.low.fixed
        self.validator = Validator()
        self.frames: list[_Frame] = []

    # ── the script ───────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Read everything. Raises UnusualError, WordError."""
        frames = self.frames
        roots = 0
        for found in STEP.finditer(self.text):
            group = found.lastindex
            if group == G_CLOSE:
                if not frames:
                    raise UnusualError
                self.close(frames.pop(), found.end())
            elif group is None:
                break  # the end
            elif group == G_OTHER:
                raise UnusualError
            else:
                if frames:
                    if frames[-1].count >= frames[-1].most:
                        raise UnusualError
                elif roots:
                    raise UnusualError
                roots += not frames
                read = _READERS.get(group)
                if read is None:
                    raise UnusualError
                read(self, found, found.start(G_OPEN))
        if frames or not roots:
            raise UnusualError
        self.emit(Op.END, (), len(self.text))

    def emit(self, op: Op, operands: tuple[Any, ...], start: int) -> int:
        """Append an operation of the instruction at `start`; its position."""
        # as Lowering.append does, in one call less
        pc = len(self.operands)
        self.code.append(CODES[op])
        self.operands.append(operands)
        self.facts.append(None)
        self.starts.append(start)
        return pc

    def done(self, *, bare_next: bool = False) -> None:
        """An instruction ended: what stands between the parts of the one around it."""
        if not self.frames:
            return
        frame = self.frames[-1]
        keyword = frame.keyword
        frame.count += 1
        if frame.count == 1:
            if keyword == "seq":
                frame.mark = self.emit(Op.SEQ_THEN, (), frame.start)
            elif keyword == "par":
                frame.bare_next[0] = bare_next
                frame.mark = self.emit(Op.PAR_RIGHT, (), frame.start)
            elif keyword == "xor":
                frame.mark = self.emit(Op.XOR_LEFT_END, (), frame.start)
                self.operands[frame.pc] = (self.here(),)
            elif keyword == "fold" or keyword == "fold stream":
                self.emit(Op.RETURN, (), frame.start)
                frame.mark = self.here()
        else:
            frame.bare_next[1] = bare_next

    def close(self, frame: _Frame, end: int) -> None:
        """The final bracket of an instruction with inner ones."""
        if frame.count < frame.least:
            raise UnusualError
        span = (frame.start, end)
        operands, validator = self.operands, self.validator
        match frame.keyword:
            case "seq":
                operands[frame.mark] = (self.here(),)
                validator.after_next.merge(span)
            case "par":
                self.emit(Op.PAR_END, (), frame.start)
                left, right = frame.bare_next
                operands[frame.pc] = (frame.mark, self.here(), not left, not right)
                validator.after_next.merge(span)
            case "xor":
                self.emit(Op.XOR_END, (), frame.start)
                operands[frame.mark] = (self.here(),)
                validator.after_next.xor()
            case "match":
                operands[frame.pc] += (self.here(),)
                for name in frame.uses:
                    validator.use_name(name, span)
                validator.after_next.wrap()
            case "new":
                self.emit(Op.NEW_END, (), frame.start)
                if self.code[frame.pc] == Op.NEW_STREAM:
                    operands[frame.pc] += span
                validator.news.append((frame.name, span))
                validator.define(frame.name, span)
                validator.after_next.wrap()
            case _:
                self.close_fold(frame, span)
        self.done()

    def close_fold(self, frame: _Frame, span: Span) -> None:
        has_last = frame.count > 1
        if has_last:
            self.emit(Op.RETURN, (), frame.start)
        self.operands[frame.pc] += (frame.mark if has_last else NO_LAST, self.here())
        self.low.count_steps(frame.pc)
        validator = self.validator
        for name in frame.uses:
            validator.use_name(name, span)
        validator.iterate(frame.name, span)
        if frame.keyword == "fold":
            validator.after_next.fold_scalar(has_last=has_last)
        else:
            validator.after_next.fold_stream(frame.name, has_last=has_last)

    def here(self) -> int:
        return len(self.starts)

    # ── instructions without inner ones ──────────────────────────────────────────────────────────────────────────────

    def call(self, found: re.Match[str], start: int) -> None:
        low, validator = self.low, self.validator
        kind, slot, position, output = OUTPUT_NONE, -1, -1, ""
        if found.lastindex == G_OUTPUT:
            output = found[G_OUTPUT]
            if output.isidentifier() and output not in FIXED:
                # most are names that nothing read yet
                kind, slot = OUTPUT_SCALAR, low.slot(output)
            else:
                target = self.operand(found, G_OUTPUT, OUTPUT)
                if target[0] == t.SCALAR:
                    kind, slot = OUTPUT_SCALAR, low.slot(output)
                else:
                    kind, slot, position = OUTPUT_STREAM, low.stream_slot(output), found.start(G_OUTPUT)
        text = found[G_ARGUMENTS]
        arguments, argument_hash = self.lists.get(text) or self.arguments(text)
        texts = found.group(G_CALL_PEER, G_SERVICE, G_FUNCTION)
        triplet = self.triplets.get(texts)
        if triplet is None:
            triplet = self.triplet(found, texts)
        pc = self.emit(Op.CALL, (*triplet, arguments, kind, slot, position), start)
        self.facts[pc] = self.known(texts, argument_hash)
        span = (start, found.end())
        words = self.words
        for part in texts:
            for name in words[part][2]:
                validator.use_name(name, span)
        for name in self.uses[text]:
            validator.use_name(name, span)
        validator.after_next.push()
        if output:
            validator.define(output, span)
        self.done()

    def ap(self, found: re.Match[str], start: int) -> None:
        value = self.operand(found, G_AP_VALUE, AP_VALUE)
        kind, _, _, result = self.operand(found, G_AP_RESULT, OUTPUT)
        if kind == t.SCALAR:
            self.emit(Op.AP, (value[1], self.low.slot(result)), start)
        else:
            slot = self.low.stream_slot(result)
            self.emit(Op.AP_STREAM, (value[1], slot, found.start(G_AP_RESULT)), start)
        self.leaf(value[2], result, (start, found.end()))

    def ap_map(self, found: re.Match[str], start: int) -> None:
        name = self.operand(found, G_MAP, t.STREAM_MAP)[3]
        slot = self.low.stream_slot(name)
        key = self.operand(found, G_KEY, MAP_KEY)
        value = self.operand(found, G_MAP_VALUE, AP_VALUE)
        self.emit(Op.AP_MAP, (key[1], value[1], slot, found.start(G_MAP)), start)
        self.leaf(key[2], name, (start, found.end()))

    def canon(self, found: re.Match[str], start: int) -> None:
        peer = self.operand(found, G_CANON_PEER, PEER)
        stream = self.operand(found, G_STREAM, _STREAMS)
        stream_slot = self.low.stream_slot(stream[3])
        legal = t.CANON_STREAM if stream[0] == t.STREAM else t.CANON_STREAM_MAP | t.SCALAR
        target = self.operand(found, G_CANON, legal)
        op = Op.CANON_MAP if target[0] == t.CANON_STREAM_MAP else Op.CANON_SCALAR
        operands = (peer[1], stream_slot, found.start(G_STREAM), self.low.slot(target[3]))
        self.emit(Op.CANON if target[0] == t.CANON_STREAM else op, operands, start)
        self.leaf((), target[3], (start, found.end()))

    def leaf(self, uses: tuple[str, ...], result: str, span: Span) -> None:
        validator = self.validator
        for name in uses:
            validator.use_name(name, span)
        validator.define(result, span)
        validator.after_next.push()
        self.done()

    def next(self, found: re.Match[str], start: int) -> None:
        name = self.operand(found, G_NEXT, t.SCALAR)[3]
        self.emit(Op.NEXT, (self.low.slot(name),), start)
        self.validator.nexts.setdefault(name, []).append((start, found.end()))
        self.validator.after_next.push(name)
        self.done(bare_next=True)

    def bare(self, found: re.Match[str], start: int) -> None:
        self.emit(Op.NULL if found[G_BARE] == "null" else Op.NEVER, (), start)
        self.validator.after_next.push()
        self.done()

    def fail(self, found: re.Match[str], start: int) -> None:
        value = self.operand(found, G_FAIL, FAIL_VALUE)
        message = found[G_MESSAGE]
        if (value[0] == t.I64) == (message is None):
            raise UnusualError
        if message is None:
            self.emit(Op.FAIL, (value[1],), start)
        else:
            code = value[1][1]
            self.emit(Op.FAIL_LITERAL, (code, content(message)), start)
            if code == 0:
                raise UnusualError  # the exact parser words it
        self.validator.after_next.push()
        self.done()

    # ── beginnings of instructions with inner ones ───────────────────────────────────────────────────────────────────

    def pair(self, found: re.Match[str], start: int) -> None:
        keyword = found[G_PAIR]
        self.frames.append(_Frame(keyword, start, self.emit(_PAIRS[keyword], (), start), 2, 2))

    def comparison(self, found: re.Match[str], start: int) -> None:
        left, right = self.operand(found, G_LEFT, VALUE), self.operand(found, G_RIGHT, VALUE)
        op = Op.MATCH if found[G_COMPARISON] == "match" else Op.MISMATCH
        pc = self.emit(op, (left[1], right[1]), start)
        self.frames.append(_Frame("match", start, pc, 1, 1, uses=(*left[2], *right[2])))

    def fold(self, found: re.Match[str], start: int) -> None:
        iterable = self.operand(found, G_ITERABLE, SCALAR_ITERABLE | _STREAMS)
        streams = bool(iterable[0] & _STREAMS)
        slot = self.low.stream_slot(iterable[3]) if streams else -1
        iterator = self.operand(found, G_ITERATOR, t.SCALAR)[3]
        if streams:
            operands = (slot, found.start(G_ITERABLE), self.low.slot(iterator))
            pc = self.emit(Op.FOLD_STREAM, operands, start)
            frame = _Frame("fold stream", start, pc, 1, 2, iterator, (iterable[3],))
        else:
            pc = self.emit(Op.FOLD, (iterable[1], self.low.slot(iterator)), start)
            frame = _Frame("fold", start, pc, 1, 2, iterator, iterable[2])
        self.low.inner_steps.append(0)
        self.frames.append(frame)

    def new(self, found: re.Match[str], start: int) -> None:
        kind, _, _, name = self.operand(found, G_NEW, VARIABLE)
        if kind & _STREAMS:
            pc = self.emit(Op.NEW_STREAM, (self.low.stream_slot(name),), start)
        else:
            pc = self.emit(Op.NEW, (self.low.slot(name),), start)
        self.frames.append(_Frame("new", start, pc, 1, 1, name))


_PAIRS: Final = {"seq": Op.SEQ, "par": Op.PAR, "xor": Op.XOR}
_READERS: Final[dict[int, Callable[[_Reading, re.Match[str], int], None]]] = {
    G_PAIR: _Reading.pair,
    G_ARGUMENTS: _Reading.call,
    G_OUTPUT: _Reading.call,
    G_AP_RESULT: _Reading.ap,
    G_NEXT: _Reading.next,
    G_BARE: _Reading.bare,
    G_RIGHT: _Reading.comparison,
    G_ITERATOR: _Reading.fold,
    G_NEW: _Reading.new,
    G_CANON: _Reading.canon,
    G_FAIL: _Reading.fail,
    G_MESSAGE: _Reading.fail,
    G_MAP: _Reading.ap_map,
}
