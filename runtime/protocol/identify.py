"""What a peer says about itself: `/ipfs/id/1.0.0`, read with every bound there is, since whoever connects may say anything.

Errors: None for what is no such message.
Source: spec peer.md §2.6; the libp2p identify specification
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.core.kademlia import ADDRESSES_MAX

from .limits import AGENT_CHARS_MAX, IDENTIFY_PROTOCOLS_MAX
from .multiaddr import to_text
from .protobuf import all_bytes, first_bytes, read_fields


@dataclass(frozen=True, slots=True)
class Identified:
    """Addresses at which the peer says it can be dialled, without its id; protocols it speaks; name of its implementation."""

    addresses: tuple[str, ...]
    protocols: tuple[str, ...]
    agent: str


def read_identify(data: bytes) -> Identified | None:
    """The message; addresses that nobody here can dial are left out."""
    fields = read_fields(data)
    if fields is None:
        return None
    texts = (to_text(value) for value in all_bytes(fields, 2, ADDRESSES_MAX))
    addresses = dict.fromkeys(text.partition("/p2p/")[0] for text in texts if text)
    protocols = [value.decode("utf-8", "replace") for value in all_bytes(fields, 3, IDENTIFY_PROTOCOLS_MAX)]
    agent = first_bytes(fields, 6).decode("utf-8", "replace")[:AGENT_CHARS_MAX]
    return Identified(tuple(filter(None, addresses)), tuple(protocols), agent)
