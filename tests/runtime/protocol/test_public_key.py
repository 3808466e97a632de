"""Keys of every kind that a peer may have, their ids, and signatures that are not theirs."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runtime.protocol import public_key
from runtime.protocol.identity import named_identity
from runtime.protocol.protobuf import field_bytes
from runtime.protocol.public_key import key_bytes, peer_id_of_key, signer

TEXT = b"text"


def protobuf(kind: int, data: bytes) -> bytes:
    return field_bytes(1, kind) + field_bytes(2, data)


def made(kind: int) -> tuple[bytes, bytes]:
    """Protobuf of a new key and its signature of the text."""
    der = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if kind == public_key.RSA:
        private = rsa.generate_private_key(65537, 2048)
        return protobuf(kind, private.public_key().public_bytes(*der)), private.sign(TEXT, PKCS1v15(), SHA256())
    if kind == public_key.ED25519:
        own = ed25519.Ed25519PrivateKey.generate()
        return protobuf(kind, own.public_key().public_bytes_raw()), own.sign(TEXT)
    curve = ec.SECP256K1() if kind == public_key.SECP256K1_KEY else ec.SECP256R1()
    pair = ec.generate_private_key(curve)
    form = (Encoding.X962, PublicFormat.CompressedPoint) if kind == public_key.SECP256K1_KEY else der
    return protobuf(kind, pair.public_key().public_bytes(*form)), pair.sign(TEXT, ec.ECDSA(SHA256()))


@pytest.mark.parametrize("kind", range(4))
def test_who_signed(kind: int) -> None:
    key, signature = made(kind)
    assert signer(key, signature, TEXT) == peer_id_of_key(key)
    assert signer(key, signature, TEXT + b".") is None
    assert signer(key, signature[:-1], TEXT) is None
    assert signer(key, b"", TEXT) is None
    assert signer(key[:-3], signature, TEXT) is None


@pytest.mark.parametrize("kind", range(3))
def test_ids_are_those_of_libp2p(kind: int) -> None:
    serialization = pytest.importorskip("libp2p.crypto.serialization")
    ID = pytest.importorskip("libp2p.peer.id").ID
    key, _ = made(kind)
    assert str(ID.from_pubkey(serialization.deserialize_public_key(key))) == peer_id_of_key(key)


def test_our_own() -> None:
    identity = named_identity("a")
    assert peer_id_of_key(key_bytes(identity.public_key)) == identity.peer_id


@pytest.mark.parametrize(
    "key",
    [b"", b"\x08", protobuf(7, b"x"), protobuf(1, b"short"), bytes(2000), protobuf(0, b"0"), protobuf(2, b"\x02" * 33)],
)
def test_what_is_no_key(key: bytes) -> None:
    assert signer(key, bytes(64), TEXT) is None


def test_short_keys_prove_nothing() -> None:
    private = rsa.generate_private_key(65537, 1024)
    key = protobuf(0, private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert signer(key, private.sign(TEXT, PKCS1v15(), SHA256()), TEXT) is None
