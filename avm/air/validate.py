"""Checks of names and of `next`, fed with every finished instruction while parsing.

Input:  instructions in the order in which they end (children before parents, left to right), also those of a script with
        syntax errors: such an instruction has fewer children here than in the text.
Output: labels, by check in a fixed order.
Errors: none beyond the labels. Two oddities of the reference are kept because they decide which scripts run:
        only the first unresolved use of each name is looked at again in the end, and so is only the first `next` of
        each iterator.
Source: aquavm:crates/air-lib/air-parser/src/parser/validator.rs
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final, assert_never

from . import ast
from .report import Label
from .walk import postorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .ast import Span

FAIL_ZERO: Final = "error code 0 with fail is unsupported"
AFTER_NEXT: Final = "fold can not have instructions after next"

_OTHER: Final = None
"""An entry of the after-next stack that holds no pending `next`."""


def validate(instruction: ast.Instruction) -> tuple[Label, ...]:
    """Check a tree that did not come from a parse. Spans and positions must be those of some text."""
    validator = Validator()
    for node in postorder(instruction):
        validator.met(node)
    return validator.labels()


class Validator:
    """Facts about the script met so far.

    They come as nodes (`met`), or from who makes no nodes, piece by piece and in the same order.
    """

    def __init__(self) -> None:
        self._definitions: dict[str, Span] = {}
        self._iterators: dict[str, list[Span]] = {}
        self._first_fold: dict[str, int] = {}
        self._unresolved: dict[str, Span] = {}
        self.nexts: dict[str, list[Span]] = {}
        self.news: list[tuple[str, Span]] = []
        self.zero_codes: list[Span] = []
        self.after_next = _AfterNext()

    # ── what instructions define and use ─────────────────────────────────────────────────────────────────────────────

    def met(self, node: ast.Instruction) -> None:
        """Take note of a finished instruction."""
        _MET[type(node)](self, node)

    def _leaf(self, node: ast.Instruction) -> None:
        self.after_next.push()

    def _call(self, node: ast.Call) -> None:
        span = node.span
        for operand in (node.peer_id, node.service_id, node.function_name, *node.args):
            if type(operand) is not ast.Literal:  # most are, and a call costs more than the question
                self._use(operand, span)
        self.after_next.push()
        if node.output is not None:
            self.define(node.output.name, span)

    def _ap(self, node: ast.Ap) -> None:
        self._use(node.argument, node.span)
        self.define(node.result.name, node.span)
        self.after_next.push()

    def _ap_map(self, node: ast.ApMap) -> None:
        self._use(node.key, node.span)  # the value is not looked at
        self.define(node.map.name, node.span)
        self.after_next.push()

    def _canon(self, node: ast.Canon | ast.CanonMap | ast.CanonStreamMapScalar) -> None:
        result: ast.CanonStream | ast.CanonStreamMap | ast.Scalar
        match node:
            case ast.Canon():
                result = node.canon_stream
            case ast.CanonMap():
                result = node.canon_stream_map
            case ast.CanonStreamMapScalar():
                result = node.scalar
            case _:
                assert_never(node)
        self.define(result.name, node.span)
        self.after_next.push()

    def _fail_literal(self, node: ast.FailLiteral) -> None:
        if node.ret_code == 0:
            self.zero_codes.append(node.span)
        self.after_next.push()

    def _pair(self, node: ast.Seq | ast.Par) -> None:
        self.after_next.merge(node.span)

    def _xor(self, _: ast.Xor) -> None:
        self.after_next.xor()

    def _match(self, node: ast.Match | ast.MisMatch) -> None:
        self._use(node.left_value, node.span)
        self._use(node.right_value, node.span)
        self.after_next.wrap()

    def _new(self, node: ast.New) -> None:
        self.news.append((node.argument.name, node.span))
        self.define(node.argument.name, node.span)
        self.after_next.wrap()

    def _next(self, node: ast.Next) -> None:
        self.nexts.setdefault(node.iterator.name, []).append(node.span)
        self.after_next.push(node.iterator.name)

    def _fold_scalar(self, node: ast.FoldScalar) -> None:
        self._use(node.iterable, node.span)
        self.iterate(node.iterator.name, node.span)
        self.after_next.fold_scalar(has_last=node.last_instruction is not None)

    def _fold_stream(self, node: ast.FoldStream | ast.FoldStreamMap) -> None:
        self.use_name(node.iterable.name, node.span)
        self.iterate(node.iterator.name, node.span)
        self.after_next.fold_stream(node.iterator.name, has_last=node.last_instruction is not None)

    def define(self, name: str, span: Span) -> None:
        """An instruction writes a variable."""
        known = self._definitions.get(name)
        if known is None or span[0] < known[0]:
            self._definitions[name] = span

    def iterate(self, name: str, span: Span) -> None:
        """A fold has an iterator."""
        self._iterators.setdefault(name, []).append(span)
        self._first_fold[name] = min(span[0], self._first_fold.get(name, span[0]))

    def _use(self, operand: ast.Value | ast.Operand, span: Span) -> None:
        match operand:
            case ast.Scalar() | ast.CanonStream() | ast.CanonStreamMap():
                self.use_name(operand.name, span)
                if isinstance(operand.lens, ast.ValuePath):
                    for accessor in operand.lens.accessors:
                        if isinstance(accessor, ast.FieldByScalar):
                            self.use_name(accessor.name, span)
            case _:
                pass

    def use_name(self, name: str, span: Span) -> None:
        """An instruction reads a variable."""
        if name not in self._unresolved and not self._defined_before(name, span):
            self._unresolved[name] = span

    def _defined_before(self, name: str, span: Span) -> bool:
        definition = self._definitions.get(name)
        if definition is not None and definition[0] < span[0]:
            return True
        fold = self._first_fold.get(name)
        return fold is not None and fold < span[0]

    # ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def labels(self) -> tuple[Label, ...]:
        """The errors of the whole script."""
        folds = {name: _Folds(spans) for name, spans in self._iterators.items()}
        return (
            *self._undefined_variables(),
            *self._undefined_iterables(folds),
            *self._multiple_nexts(folds),
            *self._news_on_iterators(folds),
            *_reused_iterators(folds),
            *(Label(*span, FAIL_ZERO) for span in self.zero_codes),
            *(Label(*span, AFTER_NEXT) for span in self.after_next.malformed),
        )

    def _undefined_variables(self) -> Iterable[Label]:
        for name, span in self._unresolved.items():
            if not self._defined_before(name, span):
                yield Label(*span, f"variable '{name}' wasn't defined")

    def _undefined_iterables(self, folds: dict[str, _Folds]) -> Iterable[Label]:
        for name, spans in self.nexts.items():
            if name not in folds or folds[name].closest(spans[0]) is None:
                yield Label(*spans[0], f"iterable '{name}' wasn't defined")

    def _multiple_nexts(self, folds: dict[str, _Folds]) -> Iterable[Label]:
        for name, spans in self.nexts.items():
            if name not in folds:
                continue
            met: set[Span] = set()
            for span in spans:
                fold = folds[name].closest(span)
                if fold is None:
                    continue
                if fold in met:
                    yield Label(
                        *span,
                        f"multiple next instructions for iterator '{name}' found for one fold, that is prohibited",
                    )
                met.add(fold)

    def _news_on_iterators(self, folds: dict[str, _Folds]) -> Iterable[Label]:
        for name, span in self.news:
            if name in folds and folds[name].closest(span) is not None:
                yield Label(*span, f"new can't be applied to a '{name}' because it's an iterator")


def _reused_iterators(folds: dict[str, _Folds]) -> Iterable[Label]:
    for name, spans in folds.items():
        outer: Span | None = None
        for span in spans.sorted:
            if outer is not None and _inside(span, outer):
                yield Label(*span, f"multiple iterable values found for iterator name '{name}'")
            else:
                outer = span


def _inside(inner: Span, outer: Span) -> bool:
    return outer[0] < inner[0] < outer[1] and outer[0] < inner[1] < outer[1]


class _Folds:
    """The folds over one iterator. Spans of instructions nest or are apart, so enclosing folds form a chain."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.sorted = sorted(spans)
        self._starts = [start for start, _ in self.sorted]
        self._parents: list[int] = []
        open_folds: list[int] = []
        for i, (start, _) in enumerate(self.sorted):
            while open_folds and self.sorted[open_folds[-1]][1] <= start:
                open_folds.pop()
            self._parents.append(open_folds[-1] if open_folds else -1)
            open_folds.append(i)

    def closest(self, span: Span) -> Span | None:
        """The innermost fold around `span`."""
        i = bisect_left(self._starts, span[0]) - 1
        while i >= 0:
            if _inside(span, self.sorted[i]):
                return self.sorted[i]
            i = self._parents[i]
        return None


class _AfterNext:
    """The machine that looks for instructions after `next` in folds over streams.

    One stack entry per finished instruction that has no parent yet: the iterator of its pending `next`, or `_OTHER`. It
    is switched off, for good, when an entry it needs is missing or when both branches of an `xor` have a `next`.
    """

    def __init__(self) -> None:
        self._stack: list[str | None] = []
        self._suspects: dict[str, Span] = {}
        self._on = True
        self.malformed: list[Span] = []

    def push(self, iterator: str | None = _OTHER) -> None:
        """A leaf; `next` gives its iterator."""
        if self._on:
            self._stack.append(iterator)

    def wrap(self) -> None:
        """`match`, `mismatch`, `new`: what its body was."""
        if not self._stack:
            self._on = False

    def merge(self, span: Span) -> None:
        """`seq`, `par`."""
        if not self._pops_two():
            return
        right, left = self._stack.pop(), self._stack.pop()
        if left is None:
            self._stack.append(right)
        elif left == right:
            self._stack.append(left)
        else:
            self._suspects.setdefault(left, span)
            self._stack.append(_OTHER)

    def xor(self) -> None:
        """`xor`: which of two pending `next`s goes up cannot be told."""
        if not self._pops_two():
            return
        right, left = self._stack.pop(), self._stack.pop()
        if left is not None and right is not None:
            self._on = False
        else:
            self._stack.append(right if left is None else left)

    def _pops_two(self) -> bool:
        if self._on and len(self._stack) < 2:
            self._on = False
        return self._on

    def fold_scalar(self, *, has_last: bool) -> None:
        """`fold` over anything but a stream: `next` may be followed by anything."""
        if self._on:
            del self._stack[-2 if has_last else -1 :]
            self._stack.append(_OTHER)

    def fold_stream(self, iterator: str, *, has_last: bool) -> None:
        """`fold` over a stream or stream map."""
        if not self._on:
            return
        if has_last and self._stack:
            self._stack.pop()
        if not self._stack:
            self._on = False
            return
        body = self._stack.pop()
        if (suspect := self._suspects.get(iterator)) is not None:
            self.malformed.append(suspect)
        if body == iterator:
            self._suspects.pop(iterator, None)
            body = _OTHER
        self._stack.append(body)


_MET: Final[dict[type[ast.Instruction], Callable[..., None]]] = {
    ast.Null: Validator._leaf,
    ast.Never: Validator._leaf,
    ast.Fail: Validator._leaf,
    ast.FailLiteral: Validator._fail_literal,
    ast.Seq: Validator._pair,
    ast.Par: Validator._pair,
    ast.Xor: Validator._xor,
    ast.Call: Validator._call,
    ast.Ap: Validator._ap,
    ast.ApMap: Validator._ap_map,
    ast.Canon: Validator._canon,
    ast.CanonMap: Validator._canon,
    ast.CanonStreamMapScalar: Validator._canon,
    ast.Match: Validator._match,
    ast.MisMatch: Validator._match,
    ast.FoldScalar: Validator._fold_scalar,
    ast.FoldStream: Validator._fold_stream,
    ast.FoldStreamMap: Validator._fold_stream,
    ast.Next: Validator._next,
    ast.New: Validator._new,
}
