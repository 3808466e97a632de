"""Multiaddresses that name a socket: where to listen, where to dial.

    /ip4/127.0.0.1/tcp/7771   /dns4/relay.example/tcp/9000/wss/p2p/12D3Koo…   /ip6/::1/tcp/0/ws

Errors: ValueError for a text that is no such address.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from .multiaddr import to_bytes

_HOSTS: Final = ("ip4", "ip6", "dns", "dns4", "dns6")
_TRANSPORTS: Final = {(): "tcp", ("ws",): "ws", ("wss",): "wss", ("tls", "ws"): "wss"}


@dataclass(frozen=True, slots=True)
class Address:
    """One address. `kind` of the host: ip4, ip6, dns, dns4 or dns6. transport: tcp, ws or wss. peer_id: empty when not named."""

    kind: str
    host: str
    port: int
    transport: str
    peer_id: str = ""

    def __str__(self) -> str:
        """The text."""
        tail = "" if self.transport == "tcp" else f"/{self.transport}"
        peer = f"/p2p/{self.peer_id}" if self.peer_id else ""
        return f"/{self.kind}/{self.host}/tcp/{self.port}{tail}{peer}"

    @property
    def is_local(self) -> bool:
        """Whether it is of this machine or a private network; names are taken to be public."""
        return self.kind in ("ip4", "ip6") and not ipaddress.ip_address(self.host).is_global

    @property
    def host_and_port(self) -> str:
        """As a URL has them."""
        return f"[{self.host}]:{self.port}" if self.kind == "ip6" else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address in a text. Raises ValueError."""
    words = text.split("/")[1:]
    peer_id = ""
    if len(words) >= 2 and words[-2] in ("p2p", "ipfs"):
        peer_id = words[-1]
        words = words[:-2]
    transport = _TRANSPORTS.get(tuple(words[4:]))
    checked = "/" + "/".join([*words[:4], *(["p2p", peer_id] if peer_id else [])])
    if (
        len(words) < 4
        or not text.startswith("/")
        or words[0] not in _HOSTS
        or words[2] != "tcp"
        or transport is None
        or to_bytes(checked) is None
    ):
        raise ValueError(f"`{text}` is not a multiaddress such as /ip4/127.0.0.1/tcp/9999/ws/p2p/12D3Koo…")
    return Address(words[0], words[1], int(words[3]), transport, peer_id)
