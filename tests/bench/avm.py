"""Whole invocations of the interpreter, interleaved: ours, `avm.wasm` on a warm wasmtime instance, and `avm.wasm` in marine-js.

Inputs are made by the reference where it is installed, so that our caches hold none of them. Columns of a row beside the common
ones: `marine_js_ms` and `ratio_marine_js`; `phases_ms` of ours (parse the script, decode and verify the data, execute, encode),
medians of another three particles, `interpreter_phases_ms` of the interpreter in Python, `ratio_execute` of the two; `ours_peak_mb` and `reference_peak_mb`, see `avm_memory`; sizes of the inputs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import avm.caches
import avm.farewell
import avm.interpreter
import avm.prepare
from avm import Avm
from avm.jit import library
from avm.jit.run import NativeRuns
from runtime.reference_avm import ReferenceAvm, ReferenceTrapError
from tests.bench.avm_marine import MarineJsAvm, marine_js
from tests.bench.avm_memory import peak_mb
from tests.bench.avm_workloads import WORKLOADS, Call, Vm, Workload, null_first
from tests.bench.runner import Row, take_turns, timed
from tests.fuzz.avm_differential import first_difference, normal_form, reference_module

PHASES: Final = 3
"""Particles whose phases are measured."""


def run(only: list[str], engine: str = "auto") -> Iterator[Row]:
    """Measure an engine of ours; `only` are names or beginnings of names, all if empty."""
    library.get()  # what a peer has after its first seconds
    module = reference_module()
    reference = None if module is None else ReferenceAvm(module)
    node = marine_js()
    try:
        for name, workload in WORKLOADS.items():
            if not only or any(name.startswith(item) for item in only):
                yield measure(name, workload, reference, node, engine)
    finally:
        if node is not None:
            node.close()


def measure(
    name: str, workload: Workload, reference: ReferenceAvm | None, node: MarineJsAvm | None, engine: str = "auto"
) -> Row:
    """One row."""
    ours = Avm(engine)
    maker: Vm = ours if reference is None else reference
    for warm in range(3):
        null_first(maker, -1 - warm).on(ours)
    inputs = [workload.make(maker, number) for number in range(workload.particles)]
    sample = workload.make(maker, workload.particles)
    sample.on(ours)  # warm: code paths, and the program where the script is not part of the particle
    contestants: list[Callable[[Call], float]] = [timed(lambda call: call.on(ours))]
    extra: dict[str, Any] = {}
    if reference is not None:
        try:
            check(sample, ours, reference)
            contestants.append(timed(lambda call: call.on(reference)))
        except ReferenceTrapError:
            extra["reference_error"] = "trap"
    if node is not None and reference is not None:
        answer = node.run(sample)
        if "error" in answer:
            extra["marine_js_error"] = answer["error"]
        else:
            check_node(sample, answer, ours)
            contestants.append(lambda call: float(node.run(call)["ms"]))
    times = take_turns(inputs, contestants)
    reference_ms = times[1] if reference is not None and "reference_error" not in extra else None
    if node is not None and reference is not None and "marine_js_error" not in extra:
        extra |= {"marine_js_ms": round(times[-1], 4), "ratio_marine_js": round(times[0] / times[-1], 3)}
    number = min(PHASES, workload.particles)
    further = [workload.make(maker, workload.particles + 1 + index) for index in range(2 * number)]
    extra["phases_ms"] = phases(further[:number], ours)
    interpreted = phases(further[number:], Avm("interp"))
    extra["interpreter_phases_ms"] = interpreted
    if ours.stats().native.runs:
        extra["ratio_execute"] = round(extra["phases_ms"]["execute"] / interpreted["execute"], 3)
    extra |= {
        "ours_peak_mb": peak_mb("jit" if engine == "auto" else engine, sample),
        "reference_peak_mb": None if reference is None else peak_mb("reference", sample),
        "prev_bytes": len(sample.prev_data),
        "data_bytes": len(sample.data),
        "air_bytes": len(sample.air),
        "particles": len(inputs),
    }
    return Row(name, times[0], reference_ms, extra)


def check(call: Call, ours: Avm, reference: ReferenceAvm) -> None:
    """Both must do the same work."""
    what = first_difference(normal_form(call.on(ours), call.prev_data), normal_form(call.on(reference), call.prev_data))
    assert what is None, what


def check_node(call: Call, answer: dict[str, Any], ours: Avm) -> None:
    """So must marine-js, as far as its answer tells."""
    outcome = call.on(ours)
    expected = [outcome.ret_code, len(outcome.next_peer_pks), len(outcome.call_requests)]
    assert [answer["ret_code"], answer["peers"], answer["requests"]] == expected, answer


def phases(calls: list[Call], ours: Avm) -> dict[str, float]:
    """Medians of the parts of a run of ours, in milliseconds; what is left to `ours_ms` is between them."""
    spent: dict[str, list[float]] = {}

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args)
            finally:
                spent[name][-1] += 1000 * (time.perf_counter() - start)

        return call

    places = (
        ("parse", avm.caches.Caches, "program"),
        ("decode", avm.prepare, "_decode"),
        ("decode", avm.prepare, "_verify"),
        ("execute", avm.interpreter, "run"),
        ("encode", avm.farewell, "finished"),
        ("decode", NativeRuns, "begin"),
        ("execute", NativeRuns, "execute"),
        ("encode", NativeRuns, "written"),
    )
    originals = [getattr(owner, attribute) for _, owner, attribute in places]
    for (name, owner, attribute), original in zip(places, originals, strict=True):
        spent.setdefault(name, [])
        setattr(owner, attribute, watched(name, original))
    try:
        for call in calls:
            for times in spent.values():
                times.append(0.0)
            call.on(ours)
    finally:
        for (_, owner, attribute), original in zip(places, originals, strict=True):
            setattr(owner, attribute, original)
    return {name: round(statistics.median(times), 3) for name, times in spent.items()}
