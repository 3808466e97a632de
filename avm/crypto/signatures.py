"""Signatures over the CIDs a peer produced in a particle.

The message is the sorted multiset of CID texts and the particle id. Input: keys and signatures as stored, type byte first.
Errors: SignatureError, whose text is the tail of the code 9 message.
Source: aquavm:crates/air-lib/interpreter-signatures/src/{lib,trackers}.rs; ed25519-dalek `verify` (the equation is checked
without cofactor, s must be reduced; small-order and non-canonical points pass – OpenSSL does the same, libsodium would not)
"""

from __future__ import annotations

from typing import Final

from blake3 import blake3
from cryptography.exceptions import InvalidSignature

from avm.limits import VERIFIED_SIGNATURE_ENTRIES
from avm.stats import CacheStats, Lookups

from . import base58
from .keys import ED25519, SECP256K1, SIGNATURE_SIZE, KeyPair, verifier

_CID_SIZE: Final = 61
_CID_HEAD: Final = "=\0\0\0"  # 61 as u32, little-endian

_GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493

_verified: set[bytes] = set()
_lookups: Final = Lookups()


class SignatureError(ValueError):
    """A signature does not belong to its key and message."""


def message(sorted_cids: list[str], salt: str) -> bytes:
    """Bytes that are signed: borsh of `(Vec<String>, String)`."""
    text = _CID_HEAD.join(sorted_cids)
    # Fast where all CIDs have the usual form; a text of another length shows in the sum or in its first bytes.
    if sorted_cids and text.isascii() and all(map(_has_cid_size, sorted_cids)):
        body = (_CID_HEAD + text).encode()
    else:
        pieces = []
        for cid in sorted_cids:
            piece = cid.encode()
            pieces.append(len(piece).to_bytes(4, "little"))
            pieces.append(piece)
        body = b"".join(pieces)
    tail = salt.encode()
    return len(sorted_cids).to_bytes(4, "little") + body + len(tail).to_bytes(4, "little") + tail


def _has_cid_size(text: str) -> bool:
    return len(text) == _CID_SIZE


def sign(pair: KeyPair, sorted_cids: list[str], salt: str) -> bytes:
    """Signature of the current peer, 65 bytes."""
    return sign_message(pair, message(sorted_cids, salt))


def sign_message(pair: KeyPair, text: bytes) -> bytes:
    """Signature of a message that was made elsewhere."""
    signature = pair.sign(text)
    _remember(_fingerprint(pair.public_key, text, signature))
    return signature


def verify(public_key: bytes, sorted_cids: list[str], salt: str, signature: bytes) -> None:
    """Check one signature; `public_key` has been validated. Raises SignatureError."""
    verify_message(public_key, message(sorted_cids, salt), signature)


def verify_message(public_key: bytes, text: bytes, signature: bytes) -> None:
    """As verify, for a message that was made elsewhere."""
    fingerprint = _fingerprint(public_key, text, signature)
    if fingerprint in _verified:
        _lookups.hits += 1
        return
    _lookups.misses += 1
    if not signature or signature[0] not in (ED25519, SECP256K1):
        # the reference panics when it is empty
        raise SignatureError("InvalidSignature(InvalidTypeByte)")
    raw = signature[1:]
    source = "None"
    if len(raw) == SIGNATURE_SIZE:
        try:
            verifier(public_key[1:]).verify(raw, text)
        except InvalidSignature:
            source = f"Some({_reason(raw)})"
        else:
            _remember(fingerprint)
            return
    raise SignatureError(
        f"Verification(Ed25519(signature::Error {{ source: {source} }}, "
        f'"{base58.shown(raw)}", "{base58.encode(public_key[1:])}"))'
    )


def stats() -> CacheStats:
    """Counts of the signatures checked in this process."""
    return CacheStats.of(_lookups, len(_verified), VERIFIED_SIGNATURE_ENTRIES)


def _reason(raw: bytes) -> str:
    """Why a signature of the right size fails: the scalar s must be reduced before the equation is looked at."""
    if int.from_bytes(raw[32:], "little") >= _GROUP_ORDER:
        return "Cannot use scalar with high-bit set"
    return "Verification equation was not satisfied"


def _fingerprint(public_key: bytes, text: bytes, signature: bytes) -> bytes:
    sizes = len(public_key).to_bytes(8, "big") + len(signature).to_bytes(8, "big")
    return blake3(b"".join((sizes, public_key, signature, text))).digest()


def _remember(fingerprint: bytes) -> None:
    if len(_verified) >= VERIFIED_SIGNATURE_ENTRIES:
        _verified.clear()
    _verified.add(fingerprint)
