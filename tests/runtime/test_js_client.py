"""The official js-client against `avm peer run`. The whole kit: `python3 tasks.py conformance js-client`."""

from __future__ import annotations

import pytest

from tests.conformance.areas.js_client import run_kit
from tests.conformance.report import Skip

pytestmark = [pytest.mark.p2p, pytest.mark.reference, pytest.mark.slow]

CHECKS = (
    "connect", "libp2p_identify", "libp2p_ping", "unsupported_protocol", "peer_identify", "op_identity", "error_object",
    "is_connected", "kad_neighborhood", "two_clients", "service_error_on_client", "tetraplets", "relay_to_relay", "client_relay_relay_client",
    "par_join", "par_race", "fold_seq", "fold_par_stream", "stream_map", "match_xor", "lens_and_length", "ttl_and_time_vars",
    "uncaught_error_expires", "unreachable_peer", "big_payload", "many_in_flight", "long_chain", "many_clients", "compiled_aqua", "reconnect_same_key",
)  # fmt: skip


def test_js_client_uses_our_peer_as_relay() -> None:
    try:
        rows = run_kit(list(CHECKS))
    except Skip as missing:
        pytest.skip(str(missing))
    failed = {row["check"]: row["error"] for row in rows if row.get("status") == "fail"}
    assert not failed
    assert {row["check"] for row in rows if row.get("status") == "pass"} == set(CHECKS)
