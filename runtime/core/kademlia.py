"""Kademlia without I/O: the routing table, the state of one look-up, and the FIND_NODE message.

Peers are ordered by the distance of SHA-256(peer id bytes). Records and providers are not kept: in this network the table
only answers who is near whom, and where a peer can be dialled.
Source: spec peer.md §2.6, §4.6; libp2p kad-dht specification; rust-libp2p kad 0.45
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from avm.crypto import base58
from runtime.network import Contact
from runtime.protocol.multiaddr import to_bytes, to_text
from runtime.protocol.protobuf import field_bytes, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

K: Final = 20
"""Entries of a bucket, and peers in an answer."""

ALPHA: Final = 3
"""Questions of one look-up in flight."""

KEY_BITS: Final = 256
ADDRESSES_MAX: Final = 16
"""Addresses kept of one peer, and read of one peer in an answer."""

CONTACTS_MAX: Final = 64
"""Peers read of one answer; honest ones send at most K."""

ASKED_MAX: Final = 100
"""Peers one look-up asks: stops an adversary who invents ever nearer peers."""

FIND_NODE: Final = 4
KEY_BYTES_MAX: Final = 128


@lru_cache(maxsize=4096)
def key_of(peer_id: str) -> int:
    """Kademlia key of a peer id. Raises ValueError for a text that is not base58."""
    return hash_key(base58.decode(peer_id))


def hash_key(data: bytes) -> int:
    """Kademlia key of any bytes."""
    return int.from_bytes(hashlib.sha256(data).digest(), "big")


class RoutingTable:
    """Peers known to be in the network, at most K for each distance of the first differing bit."""

    def __init__(self, local_id: str) -> None:
        """Start empty; the local peer is never an entry."""
        self._local_id = local_id
        self._local = key_of(local_id)
        self._buckets: dict[int, dict[str, Contact]] = {}

    def __len__(self) -> int:
        """Number of entries."""
        return sum(map(len, self._buckets.values()))

    def add(self, contact: Contact, *, alive: Iterable[str] = ()) -> bool:
        """Add or refresh an entry; False when its bucket is full of peers that are `alive`.

        What a peer says of itself replaces what was known: it may have moved. In a full bucket the entry not heard of for
        longest gives way, unless it is alive: peers that stay are worth more.
        """
        if contact.peer_id == self._local_id:
            return False
        bucket = self._buckets.setdefault((key_of(contact.peer_id) ^ self._local).bit_length(), {})
        known = bucket.pop(contact.peer_id, None)
        if known is None and len(bucket) >= K:
            living = set(alive)
            silent = next((peer_id for peer_id in bucket if peer_id not in living), None)
            if silent is None:
                return False
            del bucket[silent]
        addresses = contact.addresses or (known.addresses if known else ())
        bucket[contact.peer_id] = Contact(contact.peer_id, addresses[:ADDRESSES_MAX])
        return True

    def remove(self, peer_id: str) -> None:
        """Forget a peer."""
        self._buckets.get((key_of(peer_id) ^ self._local).bit_length(), {}).pop(peer_id, None)

    def get(self, peer_id: str) -> Contact | None:
        """The entry of a peer."""
        return self._buckets.get((key_of(peer_id) ^ self._local).bit_length(), {}).get(peer_id)

    def closest(self, key: int, count: int = K) -> list[Contact]:
        """Up to `count` entries, nearest first."""
        entries = [contact for bucket in self._buckets.values() for contact in bucket.values()]
        entries.sort(key=lambda contact: key_of(contact.peer_id) ^ key)
        return entries[:count]


@dataclass
class Lookup:
    """One search for the peers nearest to a key: whom to ask next, until the K nearest known have answered.

    stale: addresses of the target at which it was not reached; they are no answer.
    """

    key: int
    target: str | None = None
    stale: frozenset[str] = frozenset()
    contacts: dict[str, Contact] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    def start(self, contacts: Iterable[Contact]) -> None:
        """Begin with what the local table knows."""
        for contact in contacts:
            self.contacts.setdefault(contact.peer_id, contact)

    def next(self) -> list[str]:
        """Peers to ask now, up to ALPHA in flight; they count as asked."""
        if self.found or len(self.asked) >= ASKED_MAX:
            return []
        free = ALPHA - len(self.asked - self.answered - self.failed)
        chosen = [peer_id for peer_id in self._nearest() if peer_id not in self.asked][: max(0, free)]
        self.asked.update(chosen)
        return chosen

    def answer(self, peer_id: str, contacts: Iterable[Contact]) -> None:
        """Take the answer of a peer that was asked."""
        self.answered.add(peer_id)
        for contact in contacts:
            # Several tell of one peer, and some of them where it was.
            known = self.contacts.get(contact.peer_id, contact)
            addresses = tuple(dict.fromkeys((*known.addresses, *contact.addresses)))
            self.contacts[contact.peer_id] = Contact(contact.peer_id, addresses[:ADDRESSES_MAX])

    def fail(self, peer_id: str) -> None:
        """A peer did not answer."""
        self.failed.add(peer_id)

    @property
    def found(self) -> Contact | None:
        """The target, once somebody has told a fresh address of it; only fresh ones."""
        contact = self.contacts.get(self.target) if self.target is not None else None
        fresh = [a for a in contact.addresses if a not in self.stale] if contact is not None else []
        return Contact(contact.peer_id, tuple(fresh)) if contact is not None and fresh else None

    @property
    def nearest(self) -> list[Contact]:
        """The nearest peers that have not failed."""
        return [self.contacts[peer_id] for peer_id in self._nearest()]

    def _nearest(self) -> list[str]:
        usable = [peer_id for peer_id in self.contacts if peer_id not in self.failed]
        usable.sort(key=lambda peer_id: key_of(peer_id) ^ self.key)
        return usable[:K]


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FindNode:
    """A question (`key`, no contacts) or its answer. `key` is what is hashed: the bytes of a peer id."""

    key: bytes
    contacts: tuple[Contact, ...] = ()


def encode(message: FindNode) -> bytes:
    """Protobuf without length prefix."""
    out = bytearray(field_bytes(1, FIND_NODE))
    out += field_bytes(2, message.key)
    for contact in message.contacts:
        peer = bytearray(field_bytes(1, base58.decode(contact.peer_id)))
        for address in contact.addresses[:ADDRESSES_MAX]:
            data = to_bytes(address)
            if data is not None:
                peer += field_bytes(2, data)
        out += field_bytes(8, bytes(peer))
    return bytes(out)


def decode(data: bytes) -> FindNode | None:
    """A FIND_NODE message; None for another type or malformed bytes. Unknown fields and unreadable peers are passed over."""
    fields = read_fields(data)
    if fields is None or (1, FIND_NODE) not in fields:
        return None
    key = next((value for number, value in fields if number == 2 and isinstance(value, bytes)), b"")
    if len(key) > KEY_BYTES_MAX:
        return None
    contacts: list[Contact] = []
    for number, value in fields:
        if number == 8 and isinstance(value, bytes) and len(contacts) < CONTACTS_MAX:
            contact = _contact(value)
            if contact is not None:
                contacts.append(contact)
    return FindNode(key, tuple(contacts))


def _contact(data: bytes) -> Contact | None:
    from runtime.protocol.identity import is_peer_id

    fields = read_fields(data)
    if fields is None:
        return None
    peer = next((value for number, value in fields if number == 1 and isinstance(value, bytes)), b"")
    if not 0 < len(peer) <= KEY_BYTES_MAX:
        return None
    peer_id = base58.encode(peer)
    if not is_peer_id(peer_id):
        return None
    raw = [value for number, value in fields if number == 2 and isinstance(value, bytes)][:ADDRESSES_MAX]
    addresses = tuple(text for value in raw if (text := to_text(value)) is not None)
    return Contact(peer_id, addresses)
