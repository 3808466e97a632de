"""Calls of Marine services, ours against marine-js: JSON text in and out on both sides, one instance for all calls.

The modules are our own under `tests/conformance/data/marine/modules`, `avm.wasm` of npm, and where they are at hand
(`.reference/marine-blobs`) modules of the reference's history. Column `start_ms`: a service of cached modules until it is ready.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.host import Service
from runtime.marine.workers import stack_bytes, submit
from tests.bench.runner import Row
from tests.conformance.areas.marine import ROOT, reference_folders

MODULES: Final = ROOT / "tests" / "conformance" / "data" / "marine" / "modules"
ROUNDS: Final = 5
_RUN: Final = {
    "init_peer_id": "p", "current_peer_id": "p", "timestamp": 1, "ttl": 1, "key_format": 0, "secret_key_bytes": [1] * 32,
    "particle_id": "x", "air_size_limit": 10**9, "particle_size_limit": 10**9, "call_result_size_limit": 10**9,
    "hard_limit_enabled": False,
}  # fmt: skip


class Workload(NamedTuple):
    """Modules in load order, a call, how many make a measurement, and calls to make once before."""

    name: str
    modules: tuple[tuple[str, str], ...]
    function: str
    arguments: Any
    calls: int = 200
    before: tuple[tuple[str, Any], ...] = ()
    as_bytes: bool = False


_TESTKIT: Final = (("testkit", "testkit.wasm"),)
_FACADE: Final = (*_TESTKIT, ("facade", "facade.wasm"))
_PRIMS: Final = {
    "b": True, "s8": -1, "s16": -2, "s32": -3, "s64": -4, "u8": 1, "u16": 2, "u32": 3, "u64": 4, "f32": 0.5, "f64": 0.25,
    "str": "some text", "bytes": [1, 2, 3],
}  # fmt: skip
_OUTER: Final = {
    "name": "o", "inner": {"id": 1, "tags": ["a", "b"]}, "list": [{"id": 2, "tags": []}], "matrix": [[1.5], []],
    "flags": [True], "blobs": [[1, 2]],
}  # fmt: skip
_AVM: Final = (("avm", "npm"),)
_SQLITE: Final = "36651f2b81f9ae7536e05c9e3851a36769ddcc88"

WORKLOADS: Final = (
    Workload("small string", _TESTKIT, "concat", ["hello, ", "world"], 500),
    Workload("no arguments", _TESTKIT, "pages", [], 500),
    Workload("record of 13 fields", _TESTKIT, "echo_prims", [_PRIMS], 300),
    Workload("two modules, record", _FACADE, "via_prims", [_PRIMS], 300),
    Workload("two modules, nested record", _FACADE, "via_outer", [_OUTER], 200),
    Workload("call parameters", _TESTKIT, "call_params", [], 300),
    Workload("two modules, call parameters", _FACADE, "via_call_params", [], 200),
    Workload("array of 300 s64", _TESTKIT, "echo_arr_s64", [list(range(300))], 100),
    Workload("array of 300 strings", _TESTKIT, "echo_arr_string", [[f"string {n}" for n in range(300)]], 50),
    Workload("64 KB byte array", _TESTKIT, "echo_bytes", [[n % 256 for n in range(65536)]], 10),
    Workload("1 MB byte array", _TESTKIT, "echo_bytes", [[n % 256 for n in range(1 << 20)]], 2),
    Workload("1 MB byte array as bytes", _TESTKIT, "echo_bytes", [[n % 256 for n in range(1 << 20)]], 2, as_bytes=True),
    Workload("avm ast", _AVM, "ast", ["(seq (null) (null))"], 200),
    Workload("avm invoke (null)", _AVM, "invoke", ["(null)", [], [], _RUN, []], 100),
    Workload(
        "chat history, 50 rows", (("sqlite3", _SQLITE), ("history", "de244e61a88d6caa0c176994b5605571a8bdee0e")),
        "get_all", [], 20, tuple(("add", ["author", f"message {n}", 0]) for n in range(50)),
    ),
)  # fmt: skip


def _path(name: str) -> Path | None:
    """The file of a module: ours, npm's avm, or a git blob."""
    if name.endswith(".wasm"):
        return MODULES / name
    for folder in reference_folders():
        npm = folder / "node_modules" / "@fluencelabs" / "avm" / "dist" / "avm.wasm"
        place = npm if name == "npm" else folder / "marine-blobs" / f"{name}.wasm"
        if place.is_file():
            return place
    return None


class MarineJs:
    """The reference in a process of its own."""

    def __init__(self, package: Path) -> None:
        """Start node."""
        script = Path(__file__).with_suffix(".mjs")
        self._process = subprocess.Popen(
            ["node", str(script), str(package)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End node."""
        self._process.communicate()


def reference() -> MarineJs | None:
    """marine-js, where it is installed."""
    for folder in reference_folders():
        package = folder / "node_modules" / "@fluencelabs" / "marine-js"
        if package.is_dir() and shutil.which("node"):
            return MarineJs(package)
    return None


def _median_ms(service: Service, work: Workload, text: str) -> float:
    times = []
    values = [bytes(value) for value in work.arguments] if work.as_bytes else None
    for _ in range(work.calls):
        start = time.perf_counter()
        if values is None:
            service.call_text(work.function, text)
        else:
            service.call(work.function, values, as_bytes=True)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def _measure(work: Workload, theirs: MarineJs | None, files: list[tuple[str, str]]) -> Row:
    config = ServiceConfig(tuple(ModuleConfig(n, Path(p), {"WASM_LOG": "off"}, logging_mask=0) for n, p in files))
    Service(config, engine="native").close()  # compiles what is not kept
    start = time.perf_counter()
    service = Service(config)
    start_ms = 1000 * (time.perf_counter() - start)
    if theirs is not None:
        theirs.ask({"modules": files})
    for function, arguments in work.before:
        service.call(function, arguments)
        if theirs is not None:
            theirs.ask({"fn": function, "args": json.dumps(arguments), "calls": 1})
    text = json.dumps(work.arguments)
    ours, reference_ms = [], []
    for _ in range(ROUNDS):
        ours.append(_median_ms(service, work, text))
        if theirs is not None:
            reference_ms.append(theirs.ask({"fn": work.function, "args": text, "calls": work.calls})["ms"])
    best = statistics.median(reference_ms) if reference_ms else None
    return Row(work.name, statistics.median(ours), best, {"start_ms": round(start_ms, 2)})


def run(only: list[str]) -> Iterator[Row]:
    """Every workload whose modules are here."""
    theirs = reference()
    try:
        for work in WORKLOADS:
            if only and work.name not in only:
                continue
            found = [(name, _path(file)) for name, file in work.modules]
            files = [(name, str(path)) for name, path in found if path is not None]
            if len(files) == len(found):
                yield submit(stack_bytes(12), lambda work=work, files=files: _measure(work, theirs, files)).result()
    finally:
        if theirs is not None:
            theirs.close()
