"""What a peer counts, as text that the library itself reads back."""

from __future__ import annotations

import pytest
import trio

pytest.importorskip("prometheus_client", reason="needs the extra p2p")

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from avm import Avm
from avm.outcome import RunParameters
from runtime.core.actions import Run
from runtime.http_endpoint import HttpEndpoint
from runtime.metrics import PeerMetrics
from runtime.vm import ThreadVm, VmFailure
from tests.fuzz.avm_history import IDS, SEEDS

ME = IDS["A"]


def run(script: str) -> Run:
    return Run(0, script, b"", b"", RunParameters(ME, ME, 1, 2, "p", SEEDS["A"]), {})


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Value by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_runs_are_counted() -> None:
    """By what did them, how they ended, and what the caches of the interpreters did."""
    metrics = PeerMetrics()
    pool = ThreadVm(lambda: Avm("python"), size=2, ran=metrics.ran)
    metrics.watch(pool)
    before = samples(metrics.text())
    assert before["aqua_vm_pool_pool_size",] == before["aqua_vm_pool_free_vms",] == 2

    async def main() -> None:
        for script in ("(null)", "(null)", '(fail 1 "a")', "(null"):
            await pool.run(run(script))

    trio.run(main)
    found = samples(metrics.text())
    assert found["particle_executor_interpretation_successes_total",] == 2
    assert found["particle_executor_interpretation_failures_total",] == 2
    assert found["particle_executor_interpretation_time_sec_count",] == 4
    assert found["avm_runs_total", "interpreter"] == 4
    assert found["avm_cache_lookups_total", "programs", "hit"] == 1
    assert found["avm_cache_lookups_total", "programs", "miss"] == 3
    assert found["avm_cache_entries", "programs"] == 2


def test_native_runs_and_declined_ones() -> None:
    pytest.importorskip("llvmlite")
    metrics = PeerMetrics()
    pool = ThreadVm(lambda: Avm("jit"), ran=metrics.ran)
    metrics.watch(pool)

    async def main() -> None:
        await pool.run(run("(null)"))
        await pool.run(run('(fail 1 "a")'))

    trio.run(main)
    found = samples(metrics.text())
    assert found["avm_runs_total", "native"] == 1
    assert sum(value for key, value in found.items() if key[0] == "avm_native_declined_total") == 1
    assert found["avm_native_buffer_bytes", "arena"] > 0


def test_a_run_that_breaks_down_is_a_failure() -> None:
    class Broken:
        def invoke(self, *_: object) -> None:
            raise RuntimeError("no")

    metrics = PeerMetrics()
    pool = ThreadVm(Broken, ran=metrics.ran)  # type: ignore[arg-type]
    metrics.watch(pool)

    async def main() -> None:
        with pytest.raises(VmFailure):
            await pool.run(run("(null)"))

    trio.run(main)
    assert samples(metrics.text())["particle_executor_interpretation_failures_total",] == 1
    assert pool.stats() == []


def test_the_endpoint() -> None:
    assert HttpEndpoint("p", dict).answer("GET", "/metrics")[0] == 404
    status, kind, text = HttpEndpoint("p", dict, PeerMetrics()).answer("GET", "/metrics")
    assert status == 200
    assert kind.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")
