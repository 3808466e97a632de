"""The machine: state of one run and the loop over the flat program.

`handlers[code[pc]](m, pc)` executes one operation and returns the position of the next, negative when the script is done.
What has to happen later, after a part or after an error, lies on `frames`, an explicit stack, so neither nesting nor the
length of a fold uses the host's stack. Errors of the script are exceptions that end in `_unwind`, which pops frames until
one catches the error; uncatchable ones end the run at once, because all its effects are thrown away.
Source: aquavm:air/src/execution_step/{mod,execution_context/context,instructions/mod}.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avm.data.interpreter_data import Tetraplet
from avm.errors import ITERATOR_AND_SCALAR, STEPS_EXHAUSTED, TRACE_ERROR, VARIABLE_CLEARED, TraceError, VmError
from avm.ir.opcodes import Op
from avm.limits import RUN_STEPS_MAX
from avm.trace.handler import TraceHandler

from .budget import charge, open_budget
from .context import RunResult
from .error_state import ErrorState
from .scopes import EMPTY, Scopes
from .streams import StreamScopes
from .tracking import Tracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from avm.ir.program import Program
    from avm.outcome import CallRequest

    from .context import RunContext
    from .iterators import Cursor
    from .values import Record

Frame = tuple[Any, ...]
"""`(frames kind, …)`; the kind is an index into `frames.ON_ERROR`."""

_WITH_PEER = frozenset({Op.CALL, Op.CANON, Op.CANON_MAP, Op.CANON_SCALAR})


class Machine:
    """All state of one run.

    complete: whether the part just executed has nothing left to do. iterators: slot → running loop. call_tetraplets: of
    calls, by position, whose triplet cannot change during the run.
    """

    __slots__ = (
        "call_tetraplets",
        "complete",
        "ctx",
        "error",
        "errors",
        "frames",
        "iterators",
        "last_call_request_id",
        "literal_tetraplets",
        "next_peers",
        "operands",
        "program",
        "requests",
        "results",
        "scopes",
        "signed",
        "steps_left",
        "streams",
        "trace",
        "tracker",
    )

    def __init__(self, program: Program, ctx: RunContext) -> None:
        """Ready to run from position 0."""
        self.program = program
        self.operands = program.operands
        self.ctx = ctx
        # positions are asked for by folds over streams only
        self.trace = TraceHandler(ctx.prev_trace, ctx.current_trace, mapped=program.folds_streams())
        self.scopes = Scopes(program.names)
        self.streams = StreamScopes(program.stream_names)
        self.iterators: dict[int, Cursor] = {}
        self.tracker = Tracker(ctx.stores)
        self.errors = ErrorState()
        self.frames: list[Frame] = []
        self.complete = True
        self.error: VmError | None = None
        self.call_tetraplets: dict[int, Tetraplet] = {}
        self.literal_tetraplets = [Tetraplet(ctx.init_peer_id, "", "", "")]
        self.last_call_request_id = ctx.last_call_request_id
        self.next_peers: dict[str, None] = {}
        self.requests: dict[int, CallRequest] = {}
        self.results = dict(ctx.call_results)
        self.signed: list[str] = []
        self.steps_left = RUN_STEPS_MAX

    def scalar(self, slot: int) -> Record:
        """The record a scalar or iterator name stands for. Raises 10003, 10009.

        A name that is both (only `ap` can write an iterator's name) traps the reference; here it is 20004.
        """
        cursor = self.iterators.get(slot)
        if cursor is None:
            content: Record = self.scopes.get(slot)
            return content
        hidden = self.scopes.find(slot)
        if hidden is None:
            return cursor.current()
        if hidden is EMPTY:
            raise VARIABLE_CLEARED.error(name=self.program.names[slot])
        raise ITERATOR_AND_SCALAR.error(name=self.program.names[slot])

    def charge_steps(self, count: int) -> None:
        """Count an iteration over `count` instructions. Raises VmError 20021 when the run has made too many."""
        self.steps_left -= count
        if self.steps_left < 0:
            raise STEPS_EXHAUSTED.error(limit=RUN_STEPS_MAX)

    def sign(self, peer_id: str, cid: str) -> None:
        """Register a fact for the current peer's signature, if it is a fact of that peer."""
        if peer_id == self.ctx.current_peer_id:
            self.signed.append(cid)

    def text(self, pc: int) -> str:
        """One-line form of the AIR instruction at `pc`, as error objects show it."""
        return self.program.text(pc)

    def trace_error(self, pc: int, error: TraceError) -> VmError:
        """A trace that does not fit the instruction at `pc`, as error 20000."""
        return TRACE_ERROR.error(instruction=self.text(pc), error=error)


def run(program: Program, ctx: RunContext) -> RunResult:
    """Execute a program. Errors of the script are in the result."""
    from .handlers import HANDLERS

    open_budget()
    m = Machine(program, ctx)
    execute(m, HANDLERS)
    compaction_failed = False
    if m.error is None or m.error.catchable:
        try:
            m.streams.compact(m.trace)
        except VmError as error:
            m.error = error
            compaction_failed = True
    return RunResult(
        error=m.error,
        trace=m.trace.result,
        last_call_request_id=m.last_call_request_id,
        next_peers=list(m.next_peers),
        requests=m.requests,
        signed_cids=m.signed,
        unused_results=m.results,
        stream_compaction_failed=compaction_failed,
    )


def execute(m: Machine, handlers: list[Callable[[Machine, int], int]]) -> None:
    """Run the program of `m` to its end, each operation by the handler of its code. The error that escapes is `m.error`."""
    code = m.program.code
    pc = 0
    failure: VmError | None = None
    while pc >= 0:
        try:
            if failure is not None:
                error, failure = failure, None
                pc = _unwind(m, pc, error)
            while pc >= 0:
                pc = handlers[code[pc]](m, pc)
        except VmError as error:
            failure = error
            try:
                charge(len(error.message))
            except VmError as exhausted:
                failure = exhausted
        except TraceError as error:
            failure = m.trace_error(pc, error)


def _unwind(m: Machine, pc: int, error: VmError) -> int:
    """Record the error the operation at `pc` raised; continue where it is caught, or end the run."""
    from .frames import ON_ERROR

    if error.catchable:
        errors = m.errors
        text = m.text(pc) if errors.needs_text(error) else ""
        errors.record(error, text, m.ctx.current_peer_id, with_peer=m.program.code[pc] in _WITH_PEER)
        frames = m.frames
        while frames:
            frame = frames.pop()
            resume = ON_ERROR[frame[0]](m, frame, error)
            if resume is not None:
                return resume
    m.error = error
    return -1
