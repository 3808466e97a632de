"""What one execution takes and gives: plain data between preparation, the machine and the farewell step.

Source: aquavm:air/src/execution_step/execution_context/context.rs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from avm.data.interpreter_data import Stores
    from avm.errors import VmError
    from avm.outcome import CallRequest, CallResult
    from avm.trace.states import Trace


@dataclass(frozen=True, slots=True)
class VmOptions:
    """Switches between the reference's observable defects and the behaviour its documentation promises.

    Default: as the deployed reference, because every peer must compute the same trace.

    fix_d1: a stream fold visits every generation, also those that arrive out of order.
    fix_d2: `canon` and `(ap (key value) %map)` resolve their operands before they take states from the trace.
    fix_d3: the failed state of a result that is not JSON is signed.
    version: "0.62" iterates all pairs of a canon map, "0.64.1" the latest pair of each key.
    """

    fix_d1: bool = False
    fix_d2: bool = False
    fix_d3: bool = False
    version: Literal["0.62", "0.64.1"] = "0.62"


DEFAULT_OPTIONS: Final = VmOptions()


@dataclass(slots=True)
class RunContext:
    """Everything a run reads.

    stores: union of the previous and the current data's stores, current wins; execution adds to them in place.
    last_call_request_id: that of the previous data.
    call_results: request id → the host's answer.
    """

    init_peer_id: str
    current_peer_id: str
    timestamp: int
    ttl: int
    prev_trace: Trace
    current_trace: Trace
    stores: Stores
    last_call_request_id: int
    call_results: dict[int, CallResult]
    options: VmOptions = DEFAULT_OPTIONS


@dataclass(slots=True)
class RunResult:
    """Everything a run produces. After an uncatchable error only `error` has a meaning.

    error: the error that escaped the script.
    next_peers: without repetition, in the order they were met.
    requests: request id → request, in order of id.
    signed_cids: CIDs registered for the current peer's signature, repetitions kept.
    unused_results: call results no instruction asked for.
    stream_compaction_failed: `error` stems from the end of the run; the outcome then carries no data at all.
    """

    error: VmError | None
    trace: Trace
    last_call_request_id: int
    next_peers: list[str] = field(default_factory=list)
    requests: dict[int, CallRequest] = field(default_factory=dict)
    signed_cids: list[str] = field(default_factory=list)
    unused_results: dict[int, CallResult] = field(default_factory=dict)
    stream_compaction_failed: bool = False
