"""Public keys as libp2p writes them: protobuf of key type and key. Peers have Ed25519 keys; other kinds may connect.

Errors: None from `signer`, for a key that is malformed or did not make the signature.
Source: the libp2p specification of peer ids and keys
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256K1, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from avm.crypto import base58

from .identity import verify
from .protobuf import field_bytes, first_bytes, read_fields

if TYPE_CHECKING:
    from collections.abc import Callable

RSA, ED25519, SECP256K1_KEY, ECDSA_KEY = 0, 1, 2, 3
KEY_BYTES_MAX: Final = 1024
"""An RSA key of 4096 bits has 560."""

RSA_BITS: Final = (2048, 4096)
"""Shorter keys prove nothing; longer ones take long to check."""

INLINE_BYTES_MAX: Final = 42
"""Longest key that is itself the peer id; of longer ones the SHA-256 is."""


def key_bytes(public_key: bytes) -> bytes:
    """Protobuf of an Ed25519 key of 32 bytes."""
    return field_bytes(1, ED25519) + field_bytes(2, public_key)


def peer_id_of_key(key: bytes) -> str:
    """Peer id text of a key's protobuf."""
    head = bytes((0, len(key))) if len(key) <= INLINE_BYTES_MAX else b"\x12\x20"
    return base58.encode(head + (key if head[0] == 0 else hashlib.sha256(key).digest()))


def signer(key: bytes, signature: bytes, message: bytes) -> str | None:
    """Peer id of the key, given as protobuf, that made the signature; None when it did not."""
    fields = read_fields(key) if len(key) <= KEY_BYTES_MAX else None
    kind = next((value for number, value in fields or () if number == 1 and isinstance(value, int)), -1)
    check = _CHECKS.get(kind)
    if fields is None or check is None:
        return None
    try:
        good = check(first_bytes(fields, 2), signature, message)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return peer_id_of_key(key) if good else None


def _check_rsa(data: bytes, signature: bytes, message: bytes) -> bool:
    key = load_der_public_key(data)
    if not isinstance(key, RSAPublicKey) or not RSA_BITS[0] <= key.key_size <= RSA_BITS[1]:
        return False
    key.verify(signature, message, PKCS1v15(), SHA256())
    return True


def _check_secp256k1(data: bytes, signature: bytes, message: bytes) -> bool:
    EllipticCurvePublicKey.from_encoded_point(SECP256K1(), data).verify(signature, message, ECDSA(SHA256()))
    return True


def _check_ecdsa(data: bytes, signature: bytes, message: bytes) -> bool:
    key = load_der_public_key(data)
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        return False
    key.verify(signature, message, ECDSA(SHA256()))
    return True


_CHECKS: Final[dict[int, Callable[[bytes, bytes, bytes], bool]]] = {
    RSA: _check_rsa,
    ED25519: verify,
    SECP256K1_KEY: _check_secp256k1,
    ECDSA_KEY: _check_ecdsa,
}
