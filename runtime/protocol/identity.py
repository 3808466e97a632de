"""Peer ids and the keys behind them.

A peer id is the identity multihash of a protobuf that holds the public key, so an Ed25519 peer id carries its key.
Errors: `ValueError` for a seed that is not 32 bytes; look-ups answer None, checks answer False.
Source: nox:crates/peer-id, js-client:packages/core/js-client/src/keypair/index.ts
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from avm.crypto import base58
from runtime.core.limits import PEER_ID_CHARS_MAX

SEED_BYTES: Final = 32
_PREFIX: Final = bytes.fromhex("002408011220")
"""Multihash header (identity, 36 bytes) and protobuf header (Ed25519, 32 bytes)."""
_SHA256_HEADER: Final = bytes.fromhex("1220")
_IDENTITY_BYTES_MAX: Final = 42
"""Longest protobuf that libp2p puts into an identity multihash; longer keys are hashed."""
_CACHE_ENTRIES: Final = 4096
VERIFIED_MAX: Final = 8192
"""Signatures known to be right; all are forgotten when there are so many."""

_verified: set[bytes] = set()


class Identity:
    """An Ed25519 key pair and the peer id it stands for."""

    __slots__ = ("_key", "peer_id", "public_key", "seed")

    def __init__(self, seed: bytes) -> None:
        """Derive everything from the 32-byte seed. Raises ValueError for another length."""
        if len(seed) != SEED_BYTES:
            raise ValueError(f"an Ed25519 secret key has {SEED_BYTES} bytes, got {len(seed)}")
        self.seed = bytes(seed)
        self._key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.peer_id = peer_id_of(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """64-byte signature of `message`."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        """Name the peer; the seed never reaches a log."""
        return f"Identity({self.peer_id})"


def named_identity(name: str) -> Identity:
    """The identity of a simulated peer: the same name gives the same key in every run and version."""
    return Identity(hashlib.sha256(b"avm sim " + name.encode()).digest())


def peer_id_of(public_key: bytes) -> str:
    """Peer id text of a 32-byte Ed25519 public key."""
    return base58.encode(_PREFIX + public_key)


@lru_cache(maxsize=_CACHE_ENTRIES)
def public_key_of(peer_id: str) -> bytes | None:
    """The Ed25519 key inside a peer id; None when the text is no peer id or carries no such key."""
    raw = _decode(peer_id)
    if raw is None or len(raw) != len(_PREFIX) + 32 or not raw.startswith(_PREFIX):
        return None
    return raw[len(_PREFIX) :]


def is_peer_id(text: str) -> bool:
    """Whether the text is a peer id of any key type: an identity multihash or a SHA-256 one."""
    return len(text) <= PEER_ID_CHARS_MAX and _is_peer_id(text)  # what strangers send is not kept, however long it is


@lru_cache(maxsize=_CACHE_ENTRIES)
def _is_peer_id(text: str) -> bool:
    raw = _decode(text)
    if raw is None or len(raw) < len(_SHA256_HEADER):
        return False
    if raw[0] == 0:
        return raw[1] == len(raw) - 2 <= _IDENTITY_BYTES_MAX
    return raw.startswith(_SHA256_HEADER) and len(raw) == len(_SHA256_HEADER) + 32


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` of `message` was made with the key. A key that is no curve point verifies nothing.

    A particle comes to a peer several times, so what was found right is remembered, as a digest.
    """
    sizes = len(public_key).to_bytes(8, "big") + len(signature).to_bytes(8, "big")
    digest = blake3(b"".join((sizes, public_key, signature, message))).digest()
    if digest in _verified:
        return True
    try:
        _load(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    if len(_verified) >= VERIFIED_MAX:
        _verified.clear()
    _verified.add(digest)
    return True


@lru_cache(maxsize=_CACHE_ENTRIES)
def _load(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)


def _decode(text: str) -> bytes | None:
    if not 0 < len(text) <= PEER_ID_CHARS_MAX:
        return None
    try:
        return base58.decode(text)
    except ValueError:
        return None
