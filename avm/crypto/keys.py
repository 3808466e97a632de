"""Ed25519 keys as the data format stores them: one type byte, then the raw key; and the peer ids they stand for.

Errors: KeyFormatError with the reference's text. Source: trust-graph:keypair/src/{key_pair,public_key,ed25519}.rs, libp2p peer id spec
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from avm.limits import KEY_CACHE_ENTRIES

from . import base58

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519: Final = 0
SECP256K1: Final = 2
KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64

_PEER_ID_PREFIX: Final = bytes.fromhex("002408011220")
_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
_BAD_PREFIX: Final = "invalid key data: Invalid type prefix"
_BAD_LENGTH: Final = "invalid key data: Failed to decode, invalid length: could not convert slice to array"
_BAD_POINT: Final = "invalid key data: Failed to decode with ed25519: signature error: Cannot decompress Edwards point"
_SECP256K1_REFUSED: Final = "signature algorithm Secp256k1 not whitelisted"
_SECP256K1_BAD: Final = "invalid key data: Failed to decode with secp256k1"
_SECP256K1_P: Final = 2**256 - 2**32 - 977
_SECP256K1_N: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class KeyFormatError(ValueError):
    """The bytes are no usable key."""


class KeyPair:
    """A signing key with what is derived from it.

    public_key: 33 bytes, type byte first. peer_id: base58 text.
    """

    __slots__ = ("_private", "peer_id", "public_key")

    def __init__(self, seed: bytes) -> None:
        """Derive from a 32-byte seed."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._private: Ed25519PrivateKey = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._private.public_key().public_bytes_raw()
        self.public_key = b"\0" + raw
        self.peer_id = peer_id_of(raw)

    def sign(self, message: bytes) -> bytes:
        """Signature with its type byte, 65 bytes. Deterministic."""
        return b"\0" + self._private.sign(message)


def peer_id_of(raw_key: bytes) -> str:
    """Peer id of a raw 32-byte public key."""
    return base58.encode(_PEER_ID_PREFIX + raw_key)


def key_pair(key_format: int, secret: bytes) -> KeyPair:
    """Key pair of the run parameters. Raises KeyFormatError."""
    if key_format == SECP256K1:
        number = int.from_bytes(secret, "big")
        if len(secret) != KEY_SIZE or not 0 < number < _SECP256K1_N:
            raise KeyFormatError(_SECP256K1_BAD)
        raise KeyFormatError(_SECP256K1_REFUSED)
    if key_format != ED25519:
        raise KeyFormatError(_BAD_PREFIX)
    if len(secret) != KEY_SIZE:
        raise KeyFormatError(_BAD_LENGTH)
    return _cached_pair(secret)


@lru_cache(KEY_CACHE_ENTRIES)
def _cached_pair(seed: bytes) -> KeyPair:
    return KeyPair(seed)


@lru_cache(KEY_CACHE_ENTRIES)
def public_key_peer_id(key: bytes) -> str:
    """Peer id of a stored public key (type byte first). Raises KeyFormatError."""
    if not key:
        # the reference panics here
        raise KeyFormatError(_BAD_PREFIX)
    if key[0] == SECP256K1:
        if not _is_secp256k1_point(key[1:]):
            raise KeyFormatError(_SECP256K1_BAD)
        raise KeyFormatError(_SECP256K1_REFUSED)
    if key[0] != ED25519:
        raise KeyFormatError(_BAD_PREFIX)
    if len(key) != KEY_SIZE + 1:
        raise KeyFormatError(_BAD_LENGTH)
    if not _is_point(key[1:]):
        raise KeyFormatError(_BAD_POINT)
    return peer_id_of(key[1:])


@lru_cache(KEY_CACHE_ENTRIES)
def verifier(raw_key: bytes) -> Ed25519PublicKey:
    """The library's form of a raw public key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(raw_key)


def _is_point(raw: bytes) -> bool:
    """Whether the bytes decompress to a point of the curve: (y²−1)/(dy²+1) is a square. Non-canonical y is accepted."""
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    square = y * y % _P
    return pow((square - 1) * (_D * square + 1) % _P, (_P - 1) // 2, _P) != _P - 1


def _is_secp256k1_point(raw: bytes) -> bool:
    """Whether the bytes are a compressed point. Only the choice between two refusals depends on it."""
    if len(raw) != KEY_SIZE + 1 or raw[0] not in (2, 3):
        return False
    x = int.from_bytes(raw[1:], "big")
    return x < _SECP256K1_P and pow(x**3 + 7, (_SECP256K1_P - 1) // 2, _SECP256K1_P) == 1
