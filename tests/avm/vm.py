"""Running scripts at the level of `avm.exec.run`: no bytes, no signatures, only traces and stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from avm.air import parse
from avm.data.interpreter_data import Stores
from avm.exec import run
from avm.exec.context import DEFAULT_OPTIONS, RunContext, RunResult, VmOptions
from avm.ir.lower import lower
from avm.outcome import CallRequest, CallResult
from avm.trace.states import Trace

Service = Callable[[CallRequest], Any]


class Peer:
    """One peer's memory of one particle whose init peer is `A`."""

    def __init__(self, name: str = "A", *, options: VmOptions = DEFAULT_OPTIONS) -> None:
        self.name = name
        self.options = options
        self.trace: Trace = []
        self.stores = Stores()
        self.last_id = 0

    def run(
        self, air: str, results: dict[int, CallResult] | None = None, *, data: Peer | Trace | None = None
    ) -> RunResult:
        """One run; `data` is what another peer sent, or a forged trace. Keeps the new data unless the run failed hard."""
        parsed = parse(air)
        assert parsed.instruction is not None, parsed.report
        current: Trace = []
        if isinstance(data, Peer):
            current = data.trace
            for mine, theirs in zip(_stores(self.stores), _stores(data.stores), strict=True):
                mine.update(theirs)
        elif data is not None:
            current = data
        context = RunContext(
            init_peer_id="A",
            current_peer_id=self.name,
            timestamp=1_700_000_000_000,
            ttl=7000,
            prev_trace=self.trace,
            current_trace=current,
            stores=self.stores,
            last_call_request_id=self.last_id,
            call_results=results or {},
            options=self.options,
        )
        result = run(lower(parsed.instruction), context)
        if result.error is None or result.error.catchable:
            self.trace = result.trace
            self.last_id = result.last_call_request_id
        return result

    def serve(self, air: str, service: Service, *, data: Peer | None = None) -> RunResult:
        """Run, answer all requests, and so on until none is left. A CallResult is passed on, anything else is a value."""
        result = self.run(air, data=data)
        while result.requests and result.error is None:
            result = self.run(air, answers(result, service))
        return result


def _stores(stores: Stores) -> tuple[dict[str, Any], ...]:
    return (
        stores.values,
        stores.tetraplets,
        stores.canon_elements,
        stores.canon_results,
        stores.service_results,
    )


def answers(result: RunResult, service: Service) -> dict[int, CallResult]:
    """Results for all requests of a run."""
    found = {}
    for key, request in result.requests.items():
        value = service(request)
        found[key] = value if isinstance(value, CallResult) else CallResult(0, json.dumps(value))
    return found


def first_argument(request: CallRequest) -> Any:
    """The service that returns its argument."""
    return request.arguments[0] if request.arguments else {}


def code_of(result: RunResult) -> int:
    """Code of a run."""
    return 0 if result.error is None else result.error.code
