"""Marine services: calls, loading, interface sections and content ids, against what marine-js answered.

Rows of `calls_*.jsonl` belong to sets: a set is one service, its rows run in order in that one instance. Modules come from the
committed files, from npm packages and from public git history; rows whose modules are not there are skipped.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.conformance.report import Skip

FILES: tuple[str, ...] = (
    "calls_own.jsonl", "calls_avm.jsonl", "calls_avm_versions.jsonl", "calls_git.jsonl", "load.jsonl", "it_sections.jsonl",
    "cids.jsonl",
)  # fmt: skip

ROOT = Path(__file__).resolve().parents[3]
ENGINE: Any = os.environ.get("MARINE_ENGINE", "native")


class Running:
    """The service of the current set, or why there is none."""

    def __init__(self) -> None:
        self.name = ""
        self.service: Any = None
        self.problem: Exception | None = None
        self.logs: list[list[str]] = []


_running = Running()


def check(case: dict[str, Any]) -> str | None:
    """One row of any of the files."""
    if "args_json" in case:
        return check_call(case)
    if "loads" in case:
        return check_load(case)
    if "interface" in case:
        return check_section(case)
    return check_cid(case)


# ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reference_folders() -> list[Path]:
    """Where npm packages and git blobs are kept: `$AQUA_REFERENCE` or `.reference`, with or without node_modules."""
    found = []
    for place in (os.environ.get("AQUA_REFERENCE"), str(ROOT / ".reference")):
        if place:
            path = Path(place)
            found += [path, path.parent] if path.name == "node_modules" else [path]
    return found


def module_bytes(wasm: dict[str, Any], corpus: Path) -> bytes:
    """The file of a module. Raises Skip."""
    data = _module_file(json.dumps(wasm, sort_keys=True), str(corpus)).read_bytes()
    if "sha256" in wasm and hashlib.sha256(data).hexdigest() != wasm["sha256"]:
        raise AssertionError(f"another file than recorded: {wasm}")
    return data


@lru_cache(maxsize=512)
def _module_file(text: str, corpus: str) -> Path:
    from runtime.marine.rows import releases

    wasm = json.loads(text)
    if "file" in wasm:
        return Path(corpus, wasm["file"])
    places = []
    if "npm" in wasm:
        name, _, version = wasm["npm"].rpartition("@")
        for folder in reference_folders():
            places.append(releases(folder, name, version) / wasm["path"])
            package = folder / "node_modules" / name
            manifest = package / "package.json"
            if manifest.is_file() and json.loads(manifest.read_text())["version"] == version:
                places.append(package / wasm["path"])
    else:
        places = [folder / "marine-blobs" / f"{wasm['blob']}.wasm" for folder in reference_folders()]
    for place in places:
        if place.is_file():
            return place
    what = f"npm {wasm['npm']}" if "npm" in wasm else f"git {wasm['git']} blob {wasm['blob'][:12]}"
    remedy = "--all" if "npm" in wasm else "--marine-blobs CLONE"
    raise Skip(f"module not here: {what} (python3 tasks.py reference {remedy})")


def make_service(case: dict[str, Any], logs: list[list[str]]) -> Any:
    """The service of a row with `modules`. Raises LoadError and Skip."""
    from runtime.marine.config import ModuleConfig, ServiceConfig
    from runtime.marine.host import Service

    corpus = Path(case["_file"]).parent
    configs, files = [], {}
    for module in case["modules"]:
        files[module["name"]] = module_bytes(module["wasm"], corpus)
        configs.append(
            ModuleConfig(
                name=module["name"],
                envs=module.get("envs", {"WASM_LOG": "off"}),
                mapped_dirs=module.get("mapped_dirs") or {},
                logger_enabled=module.get("logger_enabled", True),
                logging_mask=module.get("logging_mask", 2147483647),
            )
        )

    def log(record: Any) -> None:
        if record.level != "output":
            logs.append(list(record))

    return Service(ServiceConfig(tuple(configs)), files, log=log, engine=ENGINE)


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_call(case: dict[str, Any]) -> str | None:
    """Call in the service of the set and compare value or error, and the log."""
    from runtime.marine.call_parameters import from_json
    from runtime.marine.errors import CallError, MarineError

    if "modules" in case:
        if _running.service is not None:
            _running.service.close()
        _running.__init__()  # type: ignore[misc]
        _running.name = case["set"]
        try:
            _running.service = make_service(case, _running.logs)
        except (Skip, MarineError) as error:
            _running.problem = error
        _running.logs.clear()
    if _running.name != case["set"]:
        return "the first row of the set was not run"
    if _running.problem is not None:
        if isinstance(_running.problem, Skip):
            raise _running.problem
        return f"does not load: {_running.problem}"
    _running.logs.clear()
    parameters = from_json(case.get("call_parameters", {}))
    try:
        text = _running.service.call_text(case["fn"], case["args_json"], parameters, module=case["module"])
        reason = _value_difference(case, json.loads(text))
    except CallError as error:
        reason = _error_difference(case, str(error), error.error_class.value)
    if reason is None and _running.logs != case.get("logs", []):
        return f"logs: expected {case.get('logs', [])}, got {_running.logs}"
    return reason


def _value_difference(case: dict[str, Any], got: Any) -> str | None:
    if "error" in case:
        return f"expected {case['error_class']} {case['error']!r}, got {json.dumps(got)[:300]}"
    wanted = json.loads(case["result_json"])
    return None if bits(wanted) == bits(got) else f"expected {case['result_json'][:300]}, got {json.dumps(got)[:300]}"


def bits(value: Any) -> Any:
    """The value with floats as their bits, and numbers marked by kind."""
    match value:
        case float():
            return ("f", struct.pack("<d", value))
        case bool() | None | str():
            return value
        case int():
            return ("i", value)
        case list():
            return [bits(item) for item in value]
        case _:
            return {key: bits(item) for key, item in value.items()}


BACKEND_MARKS = ("Unrecognized error: Failed to apply func", "failed to instantiate: ", "Parsing Error: ")


def comparable(error: str) -> str:
    """The part of a message that does not depend on the Wasm engine."""
    head, called, rest = error.partition("failed while calling the local or import function `")
    if called:
        return head + called + rest.partition("`")[0]
    for mark in BACKEND_MARKS:
        head, found, _ = error.partition(mark)
        if found:
            return head + (found if mark.endswith(": ") else "")
    return error


def _error_difference(case: dict[str, Any], got: str, error_class: str) -> str | None:
    if "error" not in case:
        return f"expected {case['result_json'][:300]}, got the error {got}"
    if case["error_class"] == "host_panic":
        return None
    if error_class != case["error_class"]:
        return f"expected class {case['error_class']} ({case['error']}), got {error_class} ({got})"
    wanted = comparable(case["error"])
    return None if got.startswith(wanted) else f"expected {case['error']!r}, got {got!r}"


# ── loading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_load(case: dict[str, Any]) -> str | None:
    """Create a service and compare whether, or why not, and what it logged."""
    from runtime.marine.errors import LoadError

    logs: list[list[str]] = []
    try:
        make_service(case, logs).close()
    except LoadError as error:
        if case["loads"]:
            return f"does not load: {error}"
        wanted = comparable(case["error"])
        return None if str(error).startswith(wanted) else f"expected {case['error']!r}, got {str(error)!r}"
    if not case["loads"]:
        return f"loads, but {case['error']!r} was expected"
    wanted_logs = [[entry["service"], entry["level"], entry["message"]] for entry in case.get("logs", [])]
    return None if logs == wanted_logs else f"logs: expected {wanted_logs}, got {logs}"


# ── sections and ids ─────────────────────────────────────────────────────────────────────────────────────────────────


def check_section(case: dict[str, Any]) -> str | None:
    """Read the section of the module where there is one; write the interface where that gives the same bytes."""
    from runtime.marine.interface_types import decode
    from runtime.marine.wasm_sections import custom_sections

    section = bytes.fromhex(case["section_hex"]) if "section_hex" in case else None
    skipped: Skip | None = None
    try:
        data = module_bytes(case["wasm"], Path(case["_file"]).parent)
        found = custom_sections(data, "interface-types")[0]
        if section is not None and found != section:
            return "the module has another section than recorded"
        section = found
    except Skip as skip:
        skipped = skip
    if section is not None:
        reason = _section_difference(case, section, decode(section))
        if reason is not None:
            return reason
    if case["byte_identical"]:
        reason = _emitted_difference(case)
        if reason is not None:
            return reason
    if section is None and skipped is not None and not case["byte_identical"]:
        raise skipped
    return None


def _section_difference(case: dict[str, Any], section: bytes, tables: Any) -> str | None:
    from runtime.marine.interface_emit import described
    from runtime.marine.interface_types import decode, encode

    if str(tables.version) != case["it_version"]:
        return f"version {tables.version}"
    got = described(tables)
    if got != case["interface"]:
        return f"expected {json.dumps(case['interface'])[:400]}, got {json.dumps(got)[:400]}"
    if described(decode(encode(tables, case["it_version"]))) != got:
        return "changes when it is written and read"
    if case["byte_identical"] and encode(tables, case["it_version"]) != section:
        return "another section when it is written again"
    return None


def _emitted_difference(case: dict[str, Any]) -> str | None:
    from runtime.marine.interface_emit import emit

    got = emit(case["interface"], case["it_version"])
    if "section_hex" in case:
        return None if got.hex() == case["section_hex"] else f"emits {got.hex()[:300]}"
    same = hashlib.sha256(got).hexdigest() == case["section_sha256"] and len(got) == case["section_len"]
    return None if same else f"emits {len(got)} bytes, expected {case['section_len']}"


def check_cid(case: dict[str, Any]) -> str | None:
    """The content id of a file, of a pattern or of a blueprint."""
    from runtime.marine.blueprint import Blueprint
    from runtime.marine.cids import file_cid

    if case["kind"] == "blueprint":
        got = Blueprint(case["name"], tuple(case["dependencies"])).id
    elif case["kind"] == "bytes":
        assert case["gen"] == "byte i = (7*i) mod 251"
        period = bytes(7 * i % 251 for i in range(251))
        got = file_cid((period * math.ceil(case["size"] / 251))[: case["size"]])
    else:
        wasm = {key: case[key] for key in ("file", "npm", "git", "blob", "path") if key in case}
        got = file_cid(module_bytes(wasm, Path(case["_file"]).parent))
    return None if got == case["cid"] else f"expected {case['cid']}, got {got}"
