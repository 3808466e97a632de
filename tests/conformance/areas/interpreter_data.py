"""The binary interface of the interpreter: whole invocations in their normal form, and vectors of its parts.

Invocations also take every data buffer of the case through our decoder and encoder. The kind of a case shows in its fields.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from typing import Any

from avm import Avm, Outcome, RunParameters
from avm.crypto import base58
from avm.crypto.cid import json_cid, matches
from avm.crypto.keys import key_pair
from avm.crypto.signatures import message, sign, verify
from avm.data.canonical_json import JsonError, dumps, parse
from avm.data.codec import ArchiveError, EnvelopeError, decode, encode
from avm.data.human import human_view
from tests.conformance.engine import interpreter

FILES = (
    "basic.jsonl",
    "merge.jsonl",
    "errors.jsonl",
    "accept.jsonl",
    "large.jsonl",
    "cids.jsonl",
    "signatures.jsonl",
    "canonical-json.jsonl",
)

NOT_JSON = 2147483647


def check(case: dict[str, Any]) -> str | None:
    """None when our answer equals the recorded one, else what differs."""
    if "air" in case:
        return _invocation(case) or _buffers(case)
    if "store" in case:
        return _cid(case)
    if "result_text" in case:
        return _canonical_json(case)
    return _signature(case)


# ---- invocations


@functools.cache
def _avm() -> Avm:
    return interpreter()


def invoke(case: dict[str, Any]) -> Outcome:
    """Our outcome of an invocation."""
    params = RunParameters(secret_key_bytes=bytes.fromhex(case["key_seed"]), **case["params"])
    buffers = [base64.b64decode(case[name]) for name in ("prev_data", "current_data", "call_results")]
    return _avm().invoke(case["air"], buffers[0], buffers[1], params, buffers[2])


def _invocation(case: dict[str, Any]) -> str | None:
    expect = case["expect"]
    outcome = invoke(case)
    prev_data = base64.b64decode(case["prev_data"])
    if "trap" in expect:
        if outcome.ret_code == 0 or outcome.data != prev_data:
            return f"an input the reference panics on: code {outcome.ret_code}, data kept: {outcome.data == prev_data}"
        return None
    exact = expect["error_message_exact"]
    pairs = {
        "ret_code": (outcome.ret_code, expect["ret_code"]),
        "error_message": (outcome.error_message if exact else None, expect["error_message"] if exact else None),
        "next_peer_pks": (sorted(outcome.next_peer_pks), expect["next_peer_pks"]),
        "flags": (
            {
                "air": outcome.air_size_limit_exceeded,
                "particle": outcome.particle_size_limit_exceeded,
                "call_result": outcome.call_result_size_limit_exceeded,
            },
            expect["flags"],
        ),
        "call_requests": (_requests_view(outcome), expect["call_requests_view"]),
        "data_is_prev": (outcome.data == prev_data, True) if expect["data_is_prev"] else (None, None),
    }
    for name, (ours, theirs) in pairs.items():
        if json.dumps(ours, sort_keys=True) != json.dumps(theirs, sort_keys=True):
            return f"{name}: {ours!r:.600} instead of {theirs!r:.600}"
    if not expect["data_is_prev"]:
        return _data(outcome.data, expect)
    return None


def _requests_view(outcome: Outcome) -> dict[str, Any]:
    return {
        str(request_id): {
            "service_id": request.service_id,
            "function_name": request.function_name,
            "arguments": request.arguments,
            "tetraplets": [[item._asdict() for item in group] for group in request.tetraplets],
        }
        for request_id, request in outcome.call_requests.items()
    }


def _data(data: bytes, expect: dict[str, Any]) -> str | None:
    if not data:
        return None if not expect["data"] else "no data"
    view = human_view(decode(data))
    expected = expect["data_view"]
    if "digest_sha256" in expected:
        text = json.dumps(view, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if hashlib.sha256(text.encode()).hexdigest() == expected["digest_sha256"]:
            return None
        inner = view["data"]
        counts = {name: len(store) for name, store in inner["cid_info"].items()}
        return f"data: trace {len(inner['trace'])} lcid {inner['lcid']} {counts} instead of {expected}"
    for part in ("trace", "lcid", "cid_info", "signatures"):
        if view["data"][part] != expected["data"][part]:
            return f"data {part}: {view['data'][part]!r:.700} instead of {expected['data'][part]!r:.700}"
    return None if view["versions"] == expected["versions"] else f"versions: {view['versions']}"


def _buffers(case: dict[str, Any]) -> str | None:
    """Every buffer that decodes must survive our encoder; so must the output of the reference."""
    sources = {"prev": case["prev_data"], "current": case["current_data"], "expected": case["expect"].get("data", "")}
    for name, text in sources.items():
        data = base64.b64decode(text)
        try:
            decoded = decode(data)
        except (EnvelopeError, ArchiveError) as error:
            refused_by_reference = case["expect"].get("ret_code") in (2, 3, 4) and name != "expected"
            if refused_by_reference or case["expect"].get("data_is_prev"):
                continue
            return f"{name} data does not decode: {error}"
        if decode(encode(decoded)) != decoded:
            return f"{name} data changes when decoded and encoded"
        view = case["expect"].get("data_view") or {}
        if name == "expected" and "data" in view and human_view(decoded) != view:
            return "the view of the reference's output differs"
    return None


# ---- parts


def _cid(case: dict[str, Any]) -> str | None:
    data = case["json"].encode()
    if json_cid(data) != case["cid"]:
        return f"cid {json_cid(data)} instead of {case['cid']}"
    if not matches(case["cid"], data) or not matches(case["cid_sha256"], data):
        return "a right CID is refused"
    if matches(case["cid"], data + b" ") or matches(case["cid_sha256"], data + b" "):
        return "a wrong CID is accepted"
    return None


def _signature(case: dict[str, Any]) -> str | None:
    pair = key_pair(0, bytes.fromhex(case["seed"]))
    text = message(case["cids"], case["salt"]).hex()
    signature = sign(pair, case["cids"], case["salt"])
    ours = (pair.peer_id, base58.encode(pair.public_key), text, base58.encode(signature))
    theirs = (case["peer_id"], case["public_key"], case["message"], case["signature"])
    if ours != theirs:
        return f"{ours} instead of {theirs}"
    verify(base58.decode(case["public_key"]), case["cids"], case["salt"], base58.decode(case["signature"]))
    return None


def _canonical_json(case: dict[str, Any]) -> str | None:
    text = case["result_text"]
    try:
        stored = dumps(parse(text))
    except JsonError as error:
        stored = dumps(
            {
                "message": f"call_service result 'ret_code: 0, result: '{text}'' can't be serialized or deserialized "
                f"with an error: {error}",
                "ret_code": NOT_JSON,
            }
        )
    if stored != case["stored"] or json_cid(stored.encode()) != case["cid"]:
        return f"{stored!r} instead of {case['stored']!r}"
    return None
