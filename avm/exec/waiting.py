"""What a particle waits for, as one peer knows it: the calls and canons that were asked for and not answered.

Input:  script and data of a peer. Output: `Waiting` for each, in the order of the script.
Errors: none; data that cannot be read, or a script, wait for nothing.

Runs the script over the data once more, with nothing new, and watches which instructions leave a request in the trace. Nothing
of that run is kept, so it has no effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from avm.caches import Caches
from avm.errors import VmError
from avm.ir.opcodes import Op
from avm.prepare import Flags, PreparationError, prepare
from avm.trace.states import CANON_SENT_BY, REQUESTED, SENT_BY

from .budget import open_budget
from .machine import Machine, execute
from .resolve import resolve_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from avm.outcome import RunParameters

    Handler = Callable[[Machine, int], int]

_ASKED: Final = frozenset({SENT_BY, REQUESTED, CANON_SENT_BY})


@dataclass(frozen=True, slots=True)
class Waiting:
    """An instruction without an answer, as error objects show it, and the peer that is to execute it."""

    instruction: str
    peer_id: str


def waiting(script: str, data: bytes, params: RunParameters) -> tuple[Waiting, ...]:
    """What the peer of `params` waits for, when `data` are what it kept of the particle. Takes as long as a run."""
    try:
        prepared = prepare(script, data, b"", params, {}, Flags(), Caches("off"))
    except PreparationError:
        return ()
    open_budget()
    machine = Machine(prepared.program, prepared.context)
    found: list[Waiting] = []
    handlers = _watched(found)
    execute(machine, handlers)
    return tuple(dict.fromkeys(found))


def _watched(found: list[Waiting]) -> list[Handler]:
    from .handlers import HANDLERS

    handlers: list[Handler] = list(HANDLERS)
    for op in (Op.CALL, Op.CANON, Op.CANON_MAP, Op.CANON_SCALAR):
        handlers[op] = _watch(HANDLERS[op], found)
    return handlers


def _watch(handler: Handler, found: list[Waiting]) -> Handler:
    def watch(m: Machine, pc: int) -> int:
        trace = m.trace.result
        before = len(trace)
        after = handler(m, pc)
        if len(trace) == before + 1 and trace[before][0] in _ASKED:
            try:
                found.append(Waiting(m.text(pc), resolve_text(m, m.operands[pc][0])))
            except VmError:  # the peer was known when it was asked; a later clash of names has hidden it
                found.append(Waiting(m.text(pc), ""))
        return after

    return watch
