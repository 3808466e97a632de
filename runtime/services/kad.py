"""`kad`: who is near whom in the network.

Answers come from the local routing table; programs ask several peers and `merge` what they say.
Source: spec peer.md §5.7; nox:particle-builtins/src/builtins.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.crypto import base58
from runtime.core.kademlia import K, hash_key

from .arguments import BOOL, STRING, USIZE, VEC_STRING, Arguments, TypedServiceError
from .op import base58_error, decode_base58
from .registry import ServiceError

if TYPE_CHECKING:
    from runtime.kademlia import Kademlia
    from runtime.network import Contact, Network

    from .registry import CallContext, Handler

SHA256_CODE: Final = 0x12
DIGEST_BYTES_MAX: Final = 64
"""Longest digest a multihash of this network holds."""

COUNT_MAX: Final = 1000
"""Most peers in one answer, whatever is asked for."""

KEY_CHARS_MAX: Final = 128
"""Longest base58 of a key or a peer id: decoding is quadratic and runs on the event loop. No multihash has more."""

_ALPHABET: Final = frozenset(base58.ALPHABET)


class KadService:
    """The functions, bound to a routing table."""

    def __init__(self, kademlia: Kademlia, network: Network) -> None:
        """Keep the parts."""
        self._kademlia = kademlia
        self._network = network

    def functions(self) -> dict[str, Handler]:
        """The table."""
        return {"neighborhood": self.neighborhood, "neigh_with_addrs": self.neigh_with_addrs, "merge": merge}

    def neighborhood(self, values: list[Any], _: CallContext) -> list[str]:
        """Peer ids nearest to a key, nearest first."""
        return [contact.peer_id for contact in self._near(values)]

    def neigh_with_addrs(self, values: list[Any], _: CallContext) -> list[dict[str, Any]]:
        """The same with the addresses of those that are connected."""
        connected = set(self._network.peers())
        return [
            {"peer_id": c.peer_id, "addresses": list(c.addresses) if c.peer_id in connected else []}
            for c in self._near(values)
        ]

    def _near(self, values: list[Any]) -> list[Contact]:
        arguments = Arguments(values)
        key = _decoded("key", arguments.next("key", STRING))
        hashed = arguments.optional("already_hashed", BOOL)
        count = arguments.optional("count", USIZE)
        if hashed:
            _check_multihash(key)
        else:
            if len(key) > DIGEST_BYTES_MAX:
                raise TypedServiceError("Invalid multihash size")
            key = bytes((SHA256_CODE, len(key))) + key
        return self._kademlia.neighborhood(key, K if count is None else min(count, COUNT_MAX))


def merge(values: list[Any], _: CallContext) -> list[str]:
    """Both lists as one, nearest to the target first, without repetitions."""
    arguments = Arguments(values)
    text = arguments.next("target", STRING)
    left = arguments.next("left", VEC_STRING)
    right = arguments.next("right", VEC_STRING)
    count = arguments.optional("count", USIZE)
    target = _key(text)
    distances = {text: _key(text) ^ target for text in (*left, *right)}
    return sorted(distances, key=distances.__getitem__)[: K if count is None else count]


def _key(text: str) -> int:
    if len(text) > KEY_CHARS_MAX:
        raise ServiceError(f"keys and peer ids have up to {KEY_CHARS_MAX} characters of base58, got {len(text)}")
    return hash_key(decode_base58(text, "decode base58 failed"))


def _decoded(field: str, text: str) -> bytes:
    if not _ALPHABET.issuperset(text):
        raise TypedServiceError(f"Error while deserializing field '{field}': not a base58: {base58_error(text)}")
    return base58.decode(text[: KEY_CHARS_MAX + 1])  # too long for a key, if the text is


def _check_multihash(data: bytes) -> None:
    """A multihash whose length byte is right; codes and lengths of this network fit one byte each."""
    if len(data) < 2 or data[1] != len(data) - 2 or len(data) - 2 > DIGEST_BYTES_MAX:
        raise TypedServiceError("Invalid multihash")
