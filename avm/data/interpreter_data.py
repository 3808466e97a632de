"""Decoded interpreter data: what the envelope and its archive hold.

Values stay JSON text: the text is what is hashed, and most values are never looked at.
Source: aquavm:crates/air-lib/interpreter-data/src/interpreter_data.rs, cid_info.rs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from avm.trace.states import Trace


class Tetraplet(NamedTuple):
    """Where a value comes from: peer, service, function, and the lens applied since."""

    peer_pk: str
    service_id: str
    function_name: str
    lens: str


class ServiceResult(NamedTuple):
    """Entry of the service result store."""

    value_cid: str
    argument_hash: str
    tetraplet_cid: str


class Provenance(NamedTuple):
    """`kind` is `literal` (no cid), `service_result` or `canon`."""

    kind: str
    cid: str | None


LITERAL = Provenance("literal", None)


class CanonElement(NamedTuple):
    """Entry of the canon element store."""

    value: str
    tetraplet: str
    provenance: Provenance


class CanonResult(NamedTuple):
    """Entry of the canon result store: the canon's own tetraplet and the CIDs of its elements."""

    tetraplet: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Stores:
    """The five content-addressed stores, CID text → entry, in insertion order."""

    values: dict[str, str] = field(default_factory=dict)
    tetraplets: dict[str, Tetraplet] = field(default_factory=dict)
    canon_elements: dict[str, CanonElement] = field(default_factory=dict)
    canon_results: dict[str, CanonResult] = field(default_factory=dict)
    service_results: dict[str, ServiceResult] = field(default_factory=dict)


@dataclass(slots=True)
class InterpreterData:
    """One peer's data of one particle.

    last_call_request_id: `lcid`, u32. signatures: 33-byte public key → 65-byte signature, type bytes included.
    """

    trace: Trace = field(default_factory=list)
    last_call_request_id: int = 0
    stores: Stores = field(default_factory=Stores)
    signatures: dict[bytes, bytes] = field(default_factory=dict)
    data_version: str = "0.17.2"
    interpreter_version: str = "0.61.0"
