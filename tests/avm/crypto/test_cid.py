"""CIDs: one form is written, every form the reference reads is verified."""

from __future__ import annotations

import base64
import contextlib
import hashlib

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from avm.crypto import base58, multibase
from avm.crypto.cid import CidError, are_json_cids, json_cid, matches
from avm.limits import CID_CHARS_MAX

ONE = "bagaaihra2y55tkbgv6i4d7vdoglfuzhbd3ra6e7ennpvfrmzaejwmbntusdq"
BINARY = bytes.fromhex("0180041e20") + blake3(b"1").digest()


def check_error(cid: str, message: str) -> None:
    with pytest.raises(CidError) as caught:
        matches(cid, b"1")
    assert str(caught.value) == message


@given(st.binary(max_size=100))
def test_written_form(data: bytes) -> None:
    binary = bytes.fromhex("0180041e20") + blake3(data).digest()
    cid = json_cid(data)
    assert cid == "b" + base64.b32encode(binary).decode().rstrip("=").lower()
    assert matches(cid, data)
    assert not matches(cid, data + b"x")


@pytest.mark.parametrize(
    "cid",
    [
        ONE,
        "b" + ONE[1:].upper(),
        "B" + ONE[1:].upper(),
        "z" + base58.encode(BINARY),
        "f" + BINARY.hex(),
        "F" + BINARY.hex().upper(),
        "m" + base64.b64encode(BINARY).decode().rstrip("="),
        "U" + base64.urlsafe_b64encode(BINARY).decode(),
        "U" + base64.urlsafe_b64encode(BINARY).decode() + "AA==",
        "9" + str(int.from_bytes(BINARY, "big")),
        "/ipfs/" + ONE,
        "anything/ipfs/" + ONE,
        "f" + BINARY.hex() + "00ff",
        "f01800412" + "20" + hashlib.sha256(b"1").hexdigest(),
    ],
)
def test_accepted_forms(cid: str) -> None:
    assert matches(cid, b"1")
    assert not matches(cid, b"2")


@pytest.mark.parametrize(
    ("cid", "message"),
    [
        ("", "Input too short"),
        ("b", "Input too short"),
        ("garbage", "Failed to parse multihash"),
        (ONE[:-1] + "r", "Failed to parse multihash"),
        (ONE[:20] + "_" + ONE[21:], "Failed to parse multihash"),
        ("bg_" + ONE[3:], "Failed to parse multihash"),
        ("f0155" + BINARY.hex()[6:], "unsupported CID codec: 85"),
        ("f01800413" + BINARY.hex()[8:], "unsupported multihash code: 19"),
        ("f0080041e20" + BINARY.hex()[10:], "CIDv0 cannot be specified in CIDv1 format"),
        ("f0280041e20" + BINARY.hex()[10:], "Unrecognized CID version"),
        ("f0180", "unexpected end of file"),
        ("f8100", "Failed to decode unsigned varint format"),
        (base58.encode(b"\x12\x20" + hashlib.sha256(b"1").digest()), "unsupported CID codec: 112"),
    ],
)
def test_refused_forms(cid: str, message: str) -> None:
    check_error(cid, message)


def test_length_is_bounded() -> None:
    """Other bases are read in quadratic time: a million characters took five minutes."""
    longest, longer = (  # what follows the digest means nothing
        "b" + base64.b32encode(BINARY + bytes(size - len(BINARY))).decode().rstrip("=").lower() for size in (639, 640)
    )
    assert (len(longest), len(longer)) == (CID_CHARS_MAX, CID_CHARS_MAX + 1)
    assert matches(longest, b"1")
    assert matches("/ipfs/" + longest, b"1")
    message = f"Input too long: a CID has up to {CID_CHARS_MAX} characters"
    for cid in (longer, "z" + "7" * 1_000_000, "b" + "7" * 1_000_000):
        check_error(cid, message)


def test_short_digest_is_a_mismatch() -> None:
    assert not matches("f0180041e10" + BINARY[5:21].hex(), b"1")


@given(st.text(max_size=80))
def test_any_text_is_judged(text: str) -> None:
    for cid in (text, "b" + text, ONE[:30] + text):
        with contextlib.suppress(CidError):
            assert not matches(cid, b"1") or cid.rpartition("/ipfs/")[2].lower().startswith(ONE[:9])


@given(st.binary(max_size=40))
def test_base58_round_trip(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data
    assert multibase.decode("z" + base58.encode(data)) == data


def test_base58_refuses_foreign_characters() -> None:
    with pytest.raises(ValueError, match="not a base58 character"):
        base58.decode("0")


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
def test_many_at_once(count: int) -> None:
    """Are many texts' CIDs right? As one by one, wherever the wrong one stands."""
    texts = [f'"{number}"'.encode() * (1 + number % 3) for number in range(count)]
    cids = [json_cid(text) for text in texts]
    assert are_json_cids(cids, texts)
    for place in {0, count // 2, count - 1} if count else ():
        for wrong in (
            cids[place][:-1],
            cids[place] + "a",
            cids[place].upper(),
            "é" + cids[place][1:],
            cids[place - 1][:-1] + "b",
        ):
            assert not are_json_cids([*cids[:place], wrong, *cids[place + 1 :]], texts)
