"""The benchmark's workloads do what their names say, and its rows have the promised form."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from avm import Avm
from tests.bench import avm as bench
from tests.bench import avm_workloads
from tests.bench.avm_memory import peak_mb
from tests.bench.avm_workloads import WORKLOADS, Call, Workload

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "bench-row.schema.json"
LIST = [
    "multiple-cids10",
    "multiple-peers8",
    "multiple-sigs30",
    "big-values-data",
    "canon-map-key-by-lens",
    "canon-map-key-element-by-lens",
    "canon-map-multiple-keys",
    "canon-map-single-key",
    "canon-map-scalar-multiple-keys",
    "canon-map-scalar-single-key",
    "dashboard",
    "network-explore",
    "long-data",
    "populate-map-multiple-keys",
    "populate-map-single-key",
    "call-requests500",
    "call-results500",
    "parser-10000-100",
    "parser-calls-10000-100",
    "null",
    "lense-100mb",
    "map-100mb",
    "canon-map-100mb",
    "call-result-100mb",
    "parser-air-100mb",
    "hybrid-100mb",
]
"""aquavm's own names."""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avm_workloads, "MEGABYTES", 1)


def made(name: str, number: int) -> Call:
    return WORKLOADS[name].make(Avm(), number)


def test_the_list_is_complete() -> None:
    for name in LIST:
        assert any(row == name or row.startswith(f"{name}-") for row in WORKLOADS), name


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKLOADS)
def test_particles_differ_and_run(name: str) -> None:
    first, second = made(name, 0), made(name, 1)
    # a script alone tells two particles apart only by their ids
    assert first.parameters.particle_id != second.parameters.particle_id
    if name.endswith("-new-script") or "parser-air" in name:
        assert first.air != second.air
    else:
        assert first.data == second.data == b"" or first.data != second.data
    outcome = first.on(Avm())
    assert outcome.ret_code == 0, outcome.error_message
    assert outcome.data


def test_row() -> None:
    row = bench.measure("null", Workload(avm_workloads.null_known, 3), None, None).to_json()
    jsonschema.validate(row, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert set(row["phases_ms"]) == {"parse", "decode", "execute", "encode"}
    assert row["reference_ms"] is None
    assert "marine_js_ms" not in row


@pytest.mark.slow
def test_memory_is_that_of_the_workload() -> None:
    """Ten megabytes of data show; next to nothing does not."""
    small = peak_mb("ours", made("null", 0))
    large = peak_mb("ours", made("call-result-100mb-at-10", 0))
    if small is None or large is None:
        pytest.skip("no /proc")
    assert small < 2
    assert large > 2


@pytest.mark.slow
@pytest.mark.reference
def test_row_with_both_references(avm_wasm: Path) -> None:
    rows = list(bench.run(["merge-3"]))
    (row,) = [row.to_json() for row in rows]
    jsonschema.validate(row, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert row["reference_ms"] is not None
    assert row["reference_peak_mb"] is not None
