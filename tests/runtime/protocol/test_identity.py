"""Peer ids and keys."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.core.limits import PEER_ID_CHARS_MAX
from runtime.protocol import identity as identity_module
from runtime.protocol.identity import Identity, is_peer_id, named_identity, peer_id_of, public_key_of, verify

SEED = bytes(range(32))
PEER_ID = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
PUBLIC_KEY = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"


def test_the_vector():
    identity = Identity(SEED)
    assert identity.peer_id == PEER_ID
    assert identity.public_key.hex() == PUBLIC_KEY
    assert public_key_of(PEER_ID) == identity.public_key
    assert peer_id_of(identity.public_key) == PEER_ID


def test_a_secret_key_does_not_show():
    assert SEED.hex() not in repr(Identity(SEED))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_wrong_seeds(size):
    with pytest.raises(ValueError, match="32 bytes"):
        Identity(bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "0",
        "12D3KooW",
        PEER_ID[:-1],
        PEER_ID + "1",
        "1" * 129,
        "é",
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    ],
)
def test_texts_without_a_key(text):
    assert public_key_of(text) is None


def test_peer_ids_of_other_keys_are_peer_ids():
    assert is_peer_id("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N")
    assert not is_peer_id("relay")


def test_what_is_too_long_is_not_kept():
    """A thousand of them, of a megabyte each, would stay in memory."""
    text = "1" * (PEER_ID_CHARS_MAX + 1)
    before = sys.getrefcount(text)
    assert not is_peer_id(text)
    assert sys.getrefcount(text) == before


@given(st.text(max_size=60))
def test_any_text_is_decided(text):
    assert isinstance(is_peer_id(text), bool)
    assert public_key_of(text) is None or is_peer_id(text)


def test_signatures():
    identity = named_identity("a")
    signature = identity.sign(b"message")
    assert verify(identity.public_key, signature, b"message")
    assert not verify(identity.public_key, signature, b"other")
    assert not verify(named_identity("b").public_key, signature, b"message")
    assert not verify(identity.public_key, b"", b"message")
    assert not verify(b"\xff" * 32, signature, b"message")
    assert not verify(b"short", signature, b"message")


def test_named_identities_never_change():
    assert named_identity("relay").peer_id == "12D3KooWAKABeW8iwFnSeZ4NGxnfRiHtJXZekL6ViSURsSNxdsP1"


def test_what_was_found_right_is_right_for_nothing_else():
    identity, other = named_identity("one"), named_identity("other")
    signature = identity.sign(b"message")
    for _ in range(2):
        assert verify(identity.public_key, signature, b"message")
        assert not verify(identity.public_key, signature, b"messagE")
        assert not verify(other.public_key, signature, b"message")
        assert not verify(identity.public_key, signature[:-1], signature[-1:] + b"message")
        assert not verify(identity.public_key, bytes(64), b"message")


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(identity_module, "VERIFIED_MAX", 4)
    identity = named_identity("one")
    for number in range(20):
        message = bytes((number,))
        assert verify(identity.public_key, identity.sign(message), message)
        assert len(identity_module._verified) <= 4
