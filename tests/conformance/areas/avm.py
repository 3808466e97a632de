"""Whole scenarios: every output of every step, against what the reference answered. Format: `conformance/avm/README.md` §2."""

from __future__ import annotations

import base64
import gzip
import json
import math
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from avm import Avm, RunParameters
from avm.call_data import encode_call_results
from avm.data.codec import ArchiveError, EnvelopeError, decode
from avm.data.human import human_view
from avm.outcome import CallResult, Outcome
from tests.conformance.engine import interpreter

FILES: tuple[str, ...] = ("scenarios.jsonl", "network-runs.jsonl.gz")

_LIMITS = {
    "air_size_limit": 16_777_216,
    "particle_size_limit": 67_108_864,
    "call_result_size_limit": 33_554_432,
    "hard_limit_enabled": False,
}
_ARCHIVE_CODE = 2
_SAFE_INTEGER = 2**53 - 1
_avm = interpreter()


def check(case: dict[str, Any]) -> str | None:
    """Replay one scenario."""
    return replay(case, _avm)


def replay(case: dict[str, Any], avm: Avm) -> str | None:
    """Run every step; the first difference, or None."""
    stored: dict[str, bytes] = {}
    outputs: list[bytes] = []
    for number, (step, expect) in enumerate(zip(case["steps"], case["expect"], strict=True), 1):
        prev_data = stored.get(step["peer"], b"")
        if "prev_data" in step:
            prev_data = _data(step["prev_data"], case, outputs, stored)
        data = _data(step.get("data"), case, outputs, stored)
        outcome = avm.invoke(
            step.get("air", case["air"]), prev_data, data, _parameters(case, step), _call_results(step)
        )
        reason = _trap_difference(outcome, prev_data) if "trap" in expect else _difference(outcome, expect, step)
        if reason is not None:
            return f"step {number}: {reason}"
        outputs.append(prev_data if "trap" in expect else outcome.data)
        if "trap" not in expect:
            stored[step["peer"]] = outcome.data
    return None


# ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _parameters(case: dict[str, Any], step: dict[str, Any]) -> RunParameters:
    peer = case["peers"][step["peer"]]
    particle = case["particle"] | step.get("particle", {})
    return RunParameters(
        init_peer_id=particle["init_peer_id"],
        current_peer_id=step.get("current_peer_id", peer["peer_id"]),
        timestamp=particle["timestamp"],
        ttl=particle["ttl"],
        particle_id=particle["id"],
        secret_key_bytes=bytes.fromhex(step.get("secret_key", peer["seed"])),
        key_format=step.get("key_format", 0),
        **(_LIMITS | case.get("limits", {}) | step.get("limits", {})),
    )


def _call_results(step: dict[str, Any]) -> bytes:
    if "call_results_hex" in step:
        return bytes.fromhex(step["call_results_hex"])
    results = step.get("call_results", {})
    return encode_call_results({key: CallResult(r["ret_code"], r["result"]) for key, r in results.items()})


def _data(reference: Any, case: dict[str, Any], outputs: list[bytes], stored: dict[str, bytes]) -> bytes:
    if reference is None or reference == "empty":
        return b""
    if isinstance(reference, str):
        return outputs[int(reference[1:]) - 1]
    if "hex" in reference:
        return bytes.fromhex(reference["hex"])
    if "prev" in reference:
        return stored.get(reference["prev"], b"")
    # edits assume the reference's own layout of the archive
    recorded = _recorded(str(Path(case["_file"]).parent)).get(case["id"]) if "_file" in case else None
    if recorded is not None and isinstance(reference["ref"], str):
        data = base64.b64decode(recorded[int(reference["ref"][1:]) - 1] or "")
    else:
        data = _data(reference["ref"], case, outputs, stored)
    for patch in reference.get("patch", ()):
        data = _patched(data, patch)
    return data


def _patched(data: bytes, patch: dict[str, Any]) -> bytes:
    if "truncate" in patch:
        return data[: patch["truncate"]]
    if "append_hex" in patch:
        return data + bytes.fromhex(patch["append_hex"])
    find = patch["find"].encode()
    assert find in data, f"patch target not found: {patch['find']}"
    return data.replace(find, patch["replace"].encode(), -1 if patch.get("all") else 1)


@lru_cache(maxsize=2)
def _recorded(folder: str) -> dict[str, list[str | None]]:
    """Output bytes of the reference by scenario."""
    path = Path(folder) / "scenarios-bytes.jsonl.gz"
    if not path.is_file():
        return {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return {row["id"]: row["outputs"] for row in map(json.loads, file)}


# ── outputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _trap_difference(outcome: Outcome, prev_data: bytes) -> str | None:
    """The reference panicked: some error, nothing sent, data unchanged."""
    if outcome.ret_code == 0:
        return "accepted what the reference panics on"
    if outcome.data != prev_data or outcome.next_peer_pks or outcome.call_requests:
        return "an error that changes data"
    return None


def _difference(outcome: Outcome, expect: dict[str, Any], step: dict[str, Any]) -> str | None:
    got = _described(outcome, full="cid_info" in expect)
    expect = dict(expect)
    rule = step.get("message", "exact")
    if outcome.ret_code == _ARCHIVE_CODE:
        # quotes the reference's validator, with addresses of its memory
        rule = f"prefix:{expect['error_message'].partition('Validation(')[0]}"
    if rule == "any" or (rule.startswith("prefix:") and outcome.error_message.startswith(rule[7:])):
        expect["error_message"] = got["error_message"]
    for key in sorted(got.keys() | expect.keys(), key=["ret_code", "error_message"].__contains__, reverse=True):
        if got.get(key) != expect.get(key):
            return f"{key}: expected {json.dumps(expect.get(key))[:1500]}, got {json.dumps(got.get(key))[:1500]}"
    return None


def _described(outcome: Outcome, *, full: bool) -> dict[str, Any]:
    """An outcome in the form of an expectation."""
    out: dict[str, Any] = {
        "ret_code": outcome.ret_code,
        "error_message": outcome.error_message,
        "next_peers": sorted(outcome.next_peer_pks),
        "call_requests": {
            str(key): {
                "service": request.service_id,
                "function": request.function_name,
                "arguments": _plain(request.arguments),
                "tetraplets": [[tetraplet._asdict() for tetraplet in group] for group in request.tetraplets],
            }
            for key, request in outcome.call_requests.items()
        },
    }
    flags = {
        name: getattr(outcome, name)
        for name in ("air_size_limit_exceeded", "particle_size_limit_exceeded", "call_result_size_limit_exceeded")
    }
    if any(flags.values()):
        out["flags"] = flags
    if not outcome.data:
        return out | {"trace": None}
    try:
        view = human_view(decode(outcome.data))["data"]
    except (EnvelopeError, ArchiveError):
        return out | {"data_undecodable": True}
    out |= {"trace": view["trace"], "lcid": view["lcid"]}
    return out | {"cid_info": view["cid_info"], "signatures": view["signatures"]} if full else out


def _plain(value: Any) -> Any:
    """JSON as the corpus writes it: integers beyond 2^53 and integral floats are visible as such."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if type(value) is int and abs(value) > _SAFE_INTEGER:
        return {"$int": str(value)}
    if type(value) is float and value.is_integer():
        return {"$float": _javascript_text(value)}
    return value


def _javascript_text(value: float) -> str:
    """An integral double as the driver of the corpus printed it."""
    if value == 0 and math.copysign(1, value) < 0:
        return "-0.0"
    if abs(value) < 1e16:
        return f"{value:.1f}"
    if abs(value) < 1e21:
        return str(int(Decimal(repr(value))))
    return repr(value)
