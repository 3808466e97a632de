"""Multiaddresses that name a socket."""

from __future__ import annotations

import pytest

from runtime.protocol.addresses import Address, parse_address

PEER = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/ip4/127.0.0.1/tcp/7771", Address("ip4", "127.0.0.1", 7771, "tcp")),
        (f"/ip6/::1/tcp/0/ws/p2p/{PEER}", Address("ip6", "::1", 0, "ws", PEER)),
        (f"/dns4/relay.example/tcp/9000/wss/p2p/{PEER}", Address("dns4", "relay.example", 9000, "wss", PEER)),
        ("/dns/a/tcp/1/wss", Address("dns", "a", 1, "wss")),
    ],
)
def test_both_ways(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


def test_other_spellings() -> None:
    assert parse_address(f"/dns6/a/tcp/1/tls/ws/ipfs/{PEER}") == Address("dns6", "a", 1, "wss", PEER)


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "garbage", "ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4", "/ip4/1.2.3.4/tcp/65536", "/ip4/1.2.3.4/tcp/-1", "/ip4/999.0.0.1/tcp/1",
        "/ip4/1.2.3.4/udp/1", "/ip4/1.2.3.4/tcp/1/quic", "/ip4/1.2.3.4/tcp/1/ws/ws", "/ip6/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/1/p2p/0",
        "/memory/1", "/ip4/1.2.3.4/tcp/1/p2p/x/ws",
    ],
)  # fmt: skip
def test_texts_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a multiaddress"):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("/ip4/127.0.0.1/tcp/1", True), ("/ip4/10.1.2.3/tcp/1", True), ("/ip4/169.254.1.1/tcp/1", True), ("/ip4/8.8.8.8/tcp/1", False),
        ("/ip6/::1/tcp/1", True), ("/ip6/fe80::1/tcp/1", True), ("/ip6/2001:4860:4860::8888/tcp/1", False), ("/dns4/localhost/tcp/1", False),
    ],
)  # fmt: skip
def test_what_is_local(text: str, local: bool) -> None:
    assert parse_address(text).is_local is local


def test_hosts_in_urls() -> None:
    assert parse_address("/ip6/::1/tcp/80/ws").host_and_port == "[::1]:80"
    assert parse_address("/dns4/a.b/tcp/80/ws").host_and_port == "a.b:80"
