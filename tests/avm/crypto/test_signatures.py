"""Keys, peer ids, signatures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm.crypto import base58
from avm.crypto.keys import KeyFormatError, KeyPair, key_pair, public_key_peer_id
from avm.crypto.signatures import SignatureError, message, sign, verify
from avm.data.interpreter_data import InterpreterData
from avm.data.signature_store import SignatureStoreError, Signers
from avm.limits import SHOWN_BYTES_MAX

PAIR = KeyPair(bytes(range(32)))
CID = "bagaaihra2y55tkbgv6i4d7vdoglfuzhbd3ra6e7ennpvfrmzaejwmbntusdq"
ORDER = 2**252 + 27742317777372353535851937790883648493


def check_key_error(key: bytes, message: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        public_key_peer_id(key)
    assert str(caught.value) == message


def check_signature_error(signature: bytes, message: str) -> None:
    with pytest.raises(SignatureError) as caught:
        verify(PAIR.public_key, [CID], "salt", signature)
    assert message in str(caught.value)


def test_peer_id() -> None:
    assert PAIR.peer_id == "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
    assert public_key_peer_id(PAIR.public_key) == PAIR.peer_id


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (b"", "invalid key data: Invalid type prefix"),
        (b"\1" + bytes(32), "invalid key data: Invalid type prefix"),
        (b"\2" + b"\2" + bytes(32), "invalid key data: Failed to decode with secp256k1"),
        (
            b"\2" + bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
            "signature algorithm Secp256k1 not whitelisted",
        ),
        (b"\0" + bytes(31), "invalid key data: Failed to decode, invalid length: could not convert slice to array"),
        (
            b"\0\2" + bytes(31),
            "invalid key data: Failed to decode with ed25519: signature error: Cannot decompress Edwards point",
        ),
    ],
)
def test_unusable_public_keys(key: bytes, message: str) -> None:
    check_key_error(key, message)


@pytest.mark.parametrize(
    ("key_format", "secret", "text"),
    [
        (0, bytes(31), "could not convert slice to array"),
        (1, bytes(32), "Invalid type prefix"),
        (2, b"\1" * 32, "not whitelisted"),
        (2, bytes(32), "Failed to decode with secp256k1"),
        (255, bytes(32), "Invalid type prefix"),
    ],
)
def test_unusable_secret_keys(key_format: int, secret: bytes, text: str) -> None:
    with pytest.raises(KeyFormatError, match=text):
        key_pair(key_format, secret)


@given(st.lists(st.sampled_from([CID, "", "é", "x" * 61, "x" * 60]), max_size=6), st.text(max_size=5))
def test_message_is_borsh(cids: list[str], salt: str) -> None:
    expected = len(cids).to_bytes(4, "little")
    for text in (*cids, salt):
        expected += len(text.encode()).to_bytes(4, "little") + text.encode()
    assert message(cids, salt) == expected


def test_signature_fits_only_its_message() -> None:
    signature = sign(PAIR, [CID], "salt")
    assert signature == sign(PAIR, [CID], "salt")
    verify(PAIR.public_key, [CID], "salt", signature)
    verify(PAIR.public_key, [CID], "salt", b"\2" + signature[1:])
    for cids, salt in (([], "salt"), ([CID, CID], "salt"), ([CID], "other")):
        with pytest.raises(SignatureError):
            verify(PAIR.public_key, cids, salt, signature)


def test_malformed_signatures() -> None:
    signature = sign(PAIR, [CID], "salt")
    scalar = int.from_bytes(signature[33:], "little")
    check_signature_error(b"", "InvalidSignature(InvalidTypeByte)")
    check_signature_error(b"\1" + signature[1:], "InvalidSignature(InvalidTypeByte)")
    check_signature_error(signature[:-1], "source: None")
    check_signature_error(signature + b"\0", "source: None")
    check_signature_error(signature[:1] + bytes(32) + signature[33:], "Verification equation was not satisfied")
    # the same signature with a scalar that is not reduced
    check_signature_error(signature[:33] + (scalar + ORDER).to_bytes(32, "little"), "scalar with high-bit set")


def test_messages_show_the_first_bytes_of_what_is_malformed() -> None:
    """Base58 takes quadratic time: that of a million bytes took a quarter of an hour."""
    raw = b"\x77" * SHOWN_BYTES_MAX
    check_signature_error(b"\0" + raw, f'"{base58.encode(raw)}"')
    check_signature_error(b"\0" + raw + bytes(1_000_000), f'"{base58.encode(raw)}…"')
    for key, shown in ((raw, base58.encode(raw)), (raw + bytes(1_000_000), f"{base58.encode(raw)}…")):
        with pytest.raises(SignatureStoreError) as caught:
            Signers(InterpreterData(signatures={key: b""}))
        assert str(caught.value) == f'malformed key: "{shown}": invalid key data: Invalid type prefix'


def test_small_order_keys_verify_like_the_reference() -> None:
    # the neutral element as key and as R with s = 0: the equation holds, libsodium would refuse it
    neutral = b"\0\1" + bytes(31)
    verify(neutral, [], "salt", neutral + bytes(32))
