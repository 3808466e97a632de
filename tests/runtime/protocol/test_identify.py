"""What peers say about themselves, and what is kept of it."""

from __future__ import annotations

from runtime.core.kademlia import ADDRESSES_MAX
from runtime.protocol.identify import Identified, read_identify
from runtime.protocol.limits import AGENT_CHARS_MAX, IDENTIFY_PROTOCOLS_MAX
from runtime.protocol.multiaddr import to_bytes
from runtime.protocol.protobuf import field_bytes

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


def address(text: str) -> bytes:
    data = to_bytes(text)
    assert data is not None
    return field_bytes(2, data)


def test_a_message() -> None:
    data = address("/ip4/1.2.3.4/tcp/1") + address(f"/ip4/1.2.3.4/tcp/2/ws/p2p/{PEER}") + address("/ip4/1.2.3.4/tcp/1")
    data += (
        field_bytes(3, b"/a")
        + field_bytes(3, b"/b")
        + field_bytes(6, b"nox")
        + field_bytes(1, b"key")
        + field_bytes(9, 5)
    )
    assert read_identify(data) == Identified(("/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/2/ws"), ("/a", "/b"), "nox")
    assert read_identify(b"") == Identified((), (), "")


def test_what_nobody_can_dial_is_left_out() -> None:
    assert read_identify(field_bytes(2, b"\xff\xff\x01") + field_bytes(2, b"")) == Identified((), (), "")


def test_everything_is_bounded() -> None:
    data = b"".join(address(f"/ip4/1.2.3.4/tcp/{port}") for port in range(ADDRESSES_MAX + 1))
    data += field_bytes(3, b"/p") * (IDENTIFY_PROTOCOLS_MAX + 1) + field_bytes(6, b"\xff" * (AGENT_CHARS_MAX + 1))
    found = read_identify(data)
    assert found is not None
    assert len(found.addresses) == ADDRESSES_MAX
    assert len(found.protocols) == IDENTIFY_PROTOCOLS_MAX
    assert len(found.agent) == AGENT_CHARS_MAX


def test_what_is_no_message() -> None:
    assert read_identify(b"\x0a\x05abc") is None
    assert read_identify(b"\xff" * 20) is None
