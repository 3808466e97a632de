"""How the cost of an invocation grows with its data, 1 kB to 100 MB: one large value, and many states of half a kilobyte.

Ours alone, native and interpreted, on data that arrive at a second peer. `ms_per_mb` should not grow; `script_bytes_per_byte` of
the rows `script` is what a cached program takes beside the text it keeps.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, Final

from avm import Avm
from avm.jit import library
from tests.bench.avm_workloads import A, B, Call, Particle, Vm, values
from tests.bench.runner import Row

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
STATE_BYTES: Final = 1_000
"""Of data for one call: value, state, service result, tetraplet."""


def one_value(vm: Vm, number: int, size: int) -> Call:
    air = f'(seq (call {A} ("s" "f") [] x) (call {B} ("s" "g") [x.$.[0]] y))'
    particle = Particle(
        vm, air, number, lambda *_: [f"{number}-{index}-".ljust(100, "x") for index in range(size // 105)]
    )
    return particle.call("B", particle.run("A").data)


def many_states(vm: Vm, number: int, size: int) -> Call:
    air = (
        f'(seq (call {A} ("s" "items") [] items) (seq (fold items i (par (call {A} ("s" "f") [i] s) (next i))) '
        f'(call {B} ("s" "end") [])))'
    )
    count = max(size // STATE_BYTES, 1)

    def service(_peer: str, request: Any) -> Any:
        return values(count, number) if request.function_name == "items" else f"{request.arguments[0]}:".ljust(480, "x")

    particle = Particle(vm, air, number, service)
    return particle.call("B", particle.run("A").data)


def run(only: list[str]) -> Iterator[Row]:
    """Measure; `only` are beginnings of names."""
    library.get()
    kinds: dict[str, Callable[[Vm, int, int], Call]] = {"one-value": one_value, "many-states": many_states}
    for name, make in kinds.items():
        for size in SIZES:
            row = f"{name}-{size}"
            if only and not any(row.startswith(item) for item in only):
                continue
            maker, native, interpreter = Avm("jit"), Avm("jit"), Avm("interp")
            runs = 3 if size >= 10_000_000 else 9
            inputs = [make(maker, number, size) for number in range(runs + 1)]
            inputs[-1].on(native)
            ours = median(inputs[:-1], native)
            data_bytes = len(inputs[0].data)
            extra = {
                "data_bytes": data_bytes,
                "ms_per_mb": round(1e6 * ours / data_bytes, 3),
                "interpreter_ms": round(median(inputs[:1] if size >= 10_000_000 else inputs[:-1], interpreter), 3),
                "native_runs": native.stats().native.runs,
                "buffers_mb": round((native.stats().native.arena_bytes + native.stats().native.heap_bytes) / 1e6, 1),
            }
            yield Row(row, ours, None, extra)
    if not only or any("script".startswith(item) for item in only):
        yield script_memory()


def median(calls: list[Call], vm: Avm) -> float:
    times = []
    for call in calls:
        start = time.perf_counter()
        call.on(vm)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def script_memory() -> Row:
    """A script of 10,000 calls as a program that is kept."""
    steps = [
        f'(call {A} ("service" "function") [%init_peer_id% "text" {index}] result{index})' for index in range(10_000)
    ]
    air = "".join(f"(seq {step} " for step in steps) + "(null)" + ")" * len(steps)
    vm = Avm("jit")
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    start = time.perf_counter()
    program = vm._caches.program(air)
    took = 1000 * (time.perf_counter() - start)
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return Row(
        "script-10000-calls", took, None, {"script_bytes": len(air), "program_bytes": size, "operations": len(program)}
    )
