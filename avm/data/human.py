"""Interpreter data for people and tests: the JSON view of the reference's `to_human_readable_data`, and a tree.

Errors: HumanViewError with the reference's text. Source: aquavm:crates/air-lib/interpreter-data (human-readable view), air-interpreter/src/marine.rs
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from avm.crypto import base58
from avm.trace.states import AP, CANON, CANON_SENT_BY, FAILED, FOLD, PAR, REQUESTED, SCALAR, SENT_BY, STREAM

from .codec import ArchiveError, EnvelopeError, open_archive
from .envelope import read_envelope
from .versions import MIN_INTERPRETER_VERSION, is_supported

if TYPE_CHECKING:
    from avm.trace.states import State

    from .interpreter_data import InterpreterData, Provenance


class HumanViewError(ValueError):
    """The bytes cannot be shown."""


def human_view(data: InterpreterData) -> dict[str, Any]:
    """The whole of `data` as JSON values, with the names the reference uses."""
    stores = data.stores
    return {
        "versions": {"version": data.data_version, "interpreter_version": data.interpreter_version},
        "data": {
            "trace": [state_view(state) for state in data.trace],
            "lcid": data.last_call_request_id,
            "cid_info": {
                "value_store": dict(stores.values),
                "tetraplet_store": {cid: item._asdict() for cid, item in stores.tetraplets.items()},
                "canon_element_store": {
                    cid: {
                        "value": item.value,
                        "tetraplet": item.tetraplet,
                        "provenance": provenance_view(item.provenance),
                    }
                    for cid, item in stores.canon_elements.items()
                },
                "canon_result_store": {
                    cid: {"tetraplet": item.tetraplet, "values": list(item.values)}
                    for cid, item in stores.canon_results.items()
                },
                "service_result_store": {cid: item._asdict() for cid, item in stores.service_results.items()},
            },
            "signatures": {base58.encode(key): base58.encode(signature) for key, signature in data.signatures.items()},
        },
    }


def provenance_view(provenance: Provenance) -> dict[str, str]:
    """`{"type": …}`, with the CID where there is one."""
    if provenance.cid is None:
        return {"type": provenance.kind}
    return {"type": provenance.kind, "cid": provenance.cid}


def state_view(state: State) -> dict[str, Any]:
    """One executed state."""
    kind = state[0]
    if kind == PAR:
        return {"par": [state[1], state[2]]}
    if kind == AP:
        return {"ap": {"gens": list(state[1])}}
    if kind == CANON:
        return {"canon": {"executed": state[1]}}
    if kind == CANON_SENT_BY:
        return {"canon": {"sent_by": state[1]}}
    if kind == FOLD:
        lore = [
            {
                "pos": entry[0],
                "desc": [{"pos": entry[i], "len": entry[i + 1]} for i in range(1, len(entry), 2)],
            }
            for entry in state[1]
        ]
        return {"fold": {"lore": lore}}
    return {"call": _call_view(state)}


def _call_view(state: State) -> dict[str, Any]:
    kind = state[0]
    if kind == SENT_BY:
        return {"sent_by": {"PeerId": state[1]}}
    if kind == REQUESTED:
        return {"sent_by": {"PeerIdWithCallId": {"peer_id": state[1], "call_id": state[2]}}}
    if kind == FAILED:
        return {"failed": state[1]}
    if kind == SCALAR:
        return {"executed": {"scalar": state[1]}}
    if kind == STREAM:
        return {"executed": {"stream": {"cid": state[1], "generation": state[2]}}}
    return {"executed": {"unused": state[1]}}


def read_for_people(data: bytes) -> InterpreterData:
    """Decode with the checks and the error texts of the reference's view. Raises HumanViewError."""
    try:
        # unlike for a run, empty data are not something to look at
        envelope = read_envelope(data)
    except EnvelopeError as error:
        raise HumanViewError(f"failed to deserialize envelope: {error.display}") from None
    version = envelope.versions.interpreter
    if not is_supported(version):
        raise HumanViewError(unsupported_version(version))
    try:
        return open_archive(envelope)
    except ArchiveError as error:
        raise HumanViewError(f"failed to deserialize data: {error}") from None


def unsupported_version(version: str) -> str:
    """The message of code 6."""
    return (
        f"supplied data was produced by `{version}` version of interpreter, "
        f"but minimum `{MIN_INTERPRETER_VERSION}` version is required"
    )


def to_human_readable_data(data: bytes) -> str:
    """Pretty JSON with sorted keys, as the export of that name. Raises HumanViewError."""
    return json.dumps(human_view(read_for_people(data)), indent=2, sort_keys=True, ensure_ascii=False)
