"""The handshake with ourselves and with another implementation, and what it refuses."""

from __future__ import annotations

import pytest

from runtime.protocol.identity import named_identity
from runtime.protocol.limits import HANDSHAKE_BYTES_MAX
from runtime.protocol.wire import WireError
from runtime.protocol.wire.noise import PLAIN_BYTES_MAX, Cipher, Handshake, StaticKey

A, B = named_identity("a"), named_identity("b")


def sides() -> tuple[Handshake, Handshake]:
    return Handshake(StaticKey(A), initiator=True), Handshake(StaticKey(B), initiator=False)


def check(first: Handshake, second: Handshake, change: int | None = None, at: int = -1) -> None:
    """Shake hands; the message number `change` has one bit flipped."""
    message, number = first.start(), 0
    turn = (second, first)
    while message:
        assert int.from_bytes(message[:2], "big") == len(message) - 2
        body = bytearray(message[2:])
        if number == change:
            body[at] ^= 1
        message = turn[number % 2].feed(bytes(body))
        number += 1


def test_both_learn_who_the_other_is() -> None:
    first, second = sides()
    check(first, second)
    assert first.done
    assert second.done
    assert (first.peer_id, second.peer_id) == (B.peer_id, A.peer_id)
    for sending, receiving in ((first.sending, second.receiving), (second.sending, first.receiving)):
        assert sending is not None
        assert receiving is not None
        for text in (b"", b"hello", bytes(1000)):
            assert receiving.open(sending.seal(text)[2:]) == text


@pytest.mark.parametrize(("change", "at"), [(1, 0), (1, 40), (1, -1), (2, 0), (2, -1), (2, 60)])
def test_a_changed_bit_ends_it(change: int, at: int) -> None:
    with pytest.raises(WireError):
        check(*sides(), change, at)


def test_an_identity_has_to_be_proven() -> None:
    foreign = StaticKey(A)
    foreign.payload = StaticKey(B).payload
    with pytest.raises(WireError, match="not proven"):
        check(Handshake(foreign, initiator=True), Handshake(StaticKey(B), initiator=False))


@pytest.mark.parametrize("payload", [b"", b"\x0a", b"\xff\xff", b"\x0a\x00\x12\x00", b"\x08\x01"])
def test_payloads_that_prove_nothing(payload: bytes) -> None:
    key = StaticKey(A)
    key.payload = payload
    with pytest.raises(WireError):
        check(Handshake(key, initiator=True), Handshake(StaticKey(B), initiator=False))


@pytest.mark.parametrize("message", [b"", bytes(31), bytes(32), bytes(HANDSHAKE_BYTES_MAX + 1), b"\x01" + bytes(31)])
def test_first_messages_that_are_none(message: bytes) -> None:
    """Too short, too long, points of low order."""
    with pytest.raises(WireError):
        Handshake(StaticKey(A), initiator=False).feed(message)


def test_long_texts_are_cut_into_messages() -> None:
    sealed = Cipher(bytes(32)).seal(bytes(2 * PLAIN_BYTES_MAX + 1))
    receiving, sizes, at = Cipher(bytes(32)), [], 0
    while at < len(sealed):
        end = at + 2 + int.from_bytes(sealed[at : at + 2], "big")
        sizes.append(len(receiving.open(sealed[at + 2 : end])))
        at = end
    assert sizes == [PLAIN_BYTES_MAX, PLAIN_BYTES_MAX, 1]


def test_a_message_is_read_once_and_in_order() -> None:
    sending, receiving = Cipher(bytes(32)), Cipher(bytes(32))
    first, second = sending.seal(b"1")[2:], sending.seal(b"2")[2:]
    with pytest.raises(WireError):
        receiving.open(second)
    assert receiving.open(first) == b"1"
    with pytest.raises(WireError):
        receiving.open(first)


@pytest.mark.parametrize("initiator", [True, False])
def test_another_implementation(initiator: bool) -> None:
    connection = pytest.importorskip("noise.connection", reason="noiseprotocol comes with the extra p2p")
    other = connection.NoiseConnection.from_name(b"Noise_XX_25519_ChaChaPoly_SHA256")
    other.set_keypair_from_private_bytes(connection.Keypair.STATIC, bytes(range(32)))
    (other.set_as_responder if initiator else other.set_as_initiator)()
    other.start_handshake()
    ours = Handshake(StaticKey(A), initiator=initiator)
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    vouched = StaticKey(B)
    vouched.private = X25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = vouched.private.public_key().public_bytes_raw()
    from runtime.protocol.protobuf import field_bytes
    from runtime.protocol.public_key import key_bytes

    payload = field_bytes(1, key_bytes(B.public_key)) + field_bytes(2, B.sign(b"noise-libp2p-static-key:" + public))
    if initiator:
        other.read_message(ours.start()[2:])
        other.read_message(ours.feed(bytes(other.write_message(payload)))[2:])
    else:
        other.read_message(ours.feed(bytes(other.write_message()))[2:])
        assert ours.feed(bytes(other.write_message(payload))) == b""
    assert ours.peer_id == B.peer_id
    assert ours.sending is not None
    assert ours.receiving is not None
    assert other.decrypt(ours.sending.seal(b"hello")[2:]) == b"hello"
    assert ours.receiving.open(bytes(other.encrypt(b"hello"))) == b"hello"
