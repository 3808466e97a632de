"""Particles as bytes: vectors, forms accepted, forms refused, hostile input."""

from __future__ import annotations

import contextlib
import tracemalloc

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.core import limits
from runtime.core.particle import Particle, new_particle
from runtime.protocol import codec
from runtime.protocol.codec import MULTICODEC, CodecError, FrameReader, FrameTooLarge, Upgrade, decode, encode, frame
from runtime.protocol.identity import Identity

AUTHOR = Identity(bytes(range(32)))
VECTOR = new_particle(
    AUTHOR, particle_id="00000000-0000-4000-8000-000000000001", timestamp=1700000000000, ttl=7000, script="(null)"
).with_data(b"\x01\xc8")
SIGNATURE = bytes.fromhex(
    "fe79cd90c14011a0a5891e1a1b6b2bfcc447412ec7d5cf17a514aba18c292d06"
    "46eddafe83ee71d789d55763f412a75ab56e76ffbcc7fa2b7658253fb25aa004"
)
FIELDS = {
    "action": "Particle",
    "id": "i",
    "init_peer_id": AUTHOR.peer_id,
    "timestamp": 1,
    "ttl": 2,
    "script": "(null)",
    "signature": bytes(64),
    "data": b"",
}


def check(fields):
    """Decode a message with these fields."""
    return decode(MULTICODEC + msgpack.packb(fields))


def js_client_body():
    """The body of the vector as js-client writes it: u64 timestamp, byte strings as arrays."""
    out = b"\x81\x04\x88\xa6action\xa8Particle\xa2id\xd9\x24" + VECTOR.id.encode()
    out += b"\xacinit_peer_id\xd9\x34" + AUTHOR.peer_id.encode()
    out += b"\xa9timestamp\xcf" + bytes.fromhex("0000018bcfe56800") + b"\xa3ttl\xcd\x1b\x58\xa6script\xa6(null)"
    out += b"\xa9signature\xdc\x00\x40" + b"".join(msgpack.packb(byte) for byte in SIGNATURE)
    return out + b"\xa4data\x92\x01\xcc\xc8"


def test_the_signature_vector():
    assert VECTOR.signature == SIGNATURE
    assert VECTOR.signed_bytes().hex() == (
        "30303030303030302d303030302d343030302d383030302d3030303030303030303030310068e5cf8b010000581b0000286e756c6c29"
    )
    assert VECTOR.is_signed_by_author()


def test_a_message_of_js_client():
    body = js_client_body()
    assert len(body) == 286
    assert decode(body) == VECTOR


def test_byte_strings_are_sent_as_bin():
    fields = msgpack.unpackb(encode(VECTOR)[2:])
    assert fields["signature"] == SIGNATURE
    assert fields["data"] == b"\x01\xc8"
    assert encode(VECTOR).startswith(b"\x81\x04\x88\xa6action")


def test_order_and_unknown_keys_do_not_matter():
    shuffled = {"extra": {1: [None]}, 5: 6} | dict(reversed(FIELDS.items()))
    assert check(shuffled) == check(FIELDS)


def test_an_upgrade_needs_nothing_else():
    assert check({"action": "Upgrade"}) == Upgrade()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"action": "Other"}, "unknown action"),
        ({"action": 1}, "field action is int, not text"),
        ({"id": b"i"}, "field id is bytes"),
        ({"id": "x" * (limits.PARTICLE_ID_BYTES_MAX + 1)}, "field id is longer"),
        ({"id": "é" * (limits.PARTICLE_ID_BYTES_MAX // 2 + 1)}, "field id is longer"),
        ({"init_peer_id": "1" * (limits.PEER_ID_CHARS_MAX + 1)}, "field init_peer_id is longer"),
        ({"timestamp": -1}, "field timestamp is not an integer"),
        ({"timestamp": True}, "field timestamp is not an integer"),
        ({"timestamp": 1.0}, "field timestamp is not an integer"),
        ({"ttl": 2**32}, "field ttl is not an integer"),
        ({"script": None}, "field script is NoneType"),
        ({"signature": bytes(63)}, "signature has 63 bytes"),
        ({"signature": "x" * 64}, "field signature is neither"),
        ({"signature": [256] * 64}, "field signature is neither"),
        ({"signature": [-1] * 64}, "field signature is neither"),
        ({"signature": [True] * 64}, "field signature is neither"),
        ({"data": "text"}, "field data is neither"),
        ({"data": [1.0]}, "field data is neither"),
        ({"data": None}, "field data is neither"),
    ],
)
def test_bad_fields(change, complaint):
    with pytest.raises(CodecError, match=complaint):
        check(FIELDS | change)


@pytest.mark.parametrize("name", list(FIELDS))
def test_missing_fields(name):
    with pytest.raises(CodecError, match=f"field {name} is missing"):
        check({key: value for key, value in FIELDS.items() if key != name})


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x81",
        b"\x80\x04{}",
        MULTICODEC,
        MULTICODEC + b"\xc1",
        MULTICODEC + b"\x93\x01\x02\x03",
        MULTICODEC + b"\x81\xa1a",
        MULTICODEC + b"\x80\x00",
        MULTICODEC + b"\xdf\xff\xff\xff\xff",
        MULTICODEC + b"\xdd\xff\xff\xff\xff",
        MULTICODEC + b"\xc6\xff\xff\xff\xff",
        MULTICODEC + b"\x81\xa1\xff\x00",
        MULTICODEC + b"\x81\x90\x00",
        MULTICODEC + b"\x91" * 100_000,
        MULTICODEC + b"\xd6\xff\x00\x00\x00",
    ],
)
def test_hostile_messages(message):
    with pytest.raises(CodecError):
        decode(message)


NESTED = b"\xdd" + (2_000_000).to_bytes(4, "big") + b"\x90" * 2_000_000


@pytest.mark.parametrize("name", ["extra", "data", "signature", "id", "action", None])
def test_memory_stays_in_proportion_to_the_message(name):
    """Two million empty arrays are two megabytes of message, and would be 150 of objects."""
    key = b"\xc0" if name is None else msgpack.packb(name)
    rest = b"".join(msgpack.packb(k) + msgpack.packb(v) for k, v in FIELDS.items() if k != name)
    message = MULTICODEC + bytes([0x80 | (len(FIELDS) + (name not in FIELDS))]) + key + NESTED + rest
    tracemalloc.start()
    try:
        with contextlib.suppress(CodecError):
            decode(message)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(message)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 70_000, codec.ARRAY_BYTES_BUILT, 3 * codec.ARRAY_BYTES_BUILT])
def test_arrays_of_bytes_of_any_size(size):
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    assert check(FIELDS | {"data": list(data)}).data == data


@pytest.mark.parametrize("size", [131_069, 131_070, 131_071, 131_072, 131_073, 196_608, 400_000])
@pytest.mark.parametrize("pattern", [b"\x01", b"\xcc", b"\xff", b"\x7f\x80", b"\xcc\x01", b"\x00\xcc\xcc\xff"])
def test_long_arrays_of_bytes_are_decoded_in_pieces(size, pattern):
    """Pieces end within pairs, and runs of 204, which is also the head of a pair, at their ends."""
    data = (pattern * size)[:size]
    assert check(FIELDS | {"data": list(data)} | {"other": 5}).data == data
    assert check({"data": list(data)} | {name: value for name, value in FIELDS.items() if name != "data"}).data == data


@pytest.mark.parametrize("cut", [1, 2, 3, 65_536, 65_537, 150_000])
def test_long_arrays_that_are_cut(cut):
    message = MULTICODEC + b"\x81\xa4data\xdd" + (131_072).to_bytes(4, "big") + b"\xcc\xcc" * 131_072
    with pytest.raises(CodecError):
        decode(message[:-cut])


@pytest.mark.parametrize("value", [256, -1, True, None, 1.5, "", [], {}])
@pytest.mark.parametrize("size", [3, codec.ARRAY_BYTES_BUILT + 1])
def test_other_values_among_the_bytes(value, size):
    with pytest.raises(CodecError, match="field data is neither"):
        check(FIELDS | {"data": [200] * size + [value] + [1] * 3})


def test_the_last_of_equal_keys_counts_and_nothing_may_follow():
    body = msgpack.packb(FIELDS)
    twice = bytes([body[0] + 1]) + body[1:] + msgpack.packb("data") + msgpack.packb(b"second")
    assert decode(MULTICODEC + twice).data == b"second"
    with pytest.raises(CodecError, match="1 bytes follow"):
        decode(MULTICODEC + body + b"\x00")


def test_more_keys_than_allowed():
    with pytest.raises(CodecError):
        check({str(number): 0 for number in range(limits.FIELDS_MAX + 1)} | FIELDS)


PARTICLES = st.builds(
    Particle,
    id=st.text(max_size=40),
    init_peer_id=st.text(max_size=20),
    timestamp=st.integers(0, 2**64 - 1),
    ttl=st.integers(0, 2**32 - 1),
    script=st.text(),
    signature=st.binary(min_size=64, max_size=64),
    data=st.binary(),
)


@given(PARTICLES)
def test_round_trip(particle):
    assert decode(encode(particle)) == particle


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_codec_error(body):
    for message in (body, MULTICODEC + body):
        with contextlib.suppress(CodecError):
            decode(message)


@given(PARTICLES, st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_is_a_message_or_a_codec_error(particle, place, byte):
    message = bytearray(encode(particle))
    message[place % len(message)] = byte
    with contextlib.suppress(CodecError):
        decode(bytes(message))


@given(st.lists(st.binary(max_size=300), max_size=6), st.lists(st.integers(1, 200), min_size=1, max_size=5))
def test_frames_survive_any_cutting(messages, sizes):
    stream = b"".join(map(frame, messages))
    reader = FrameReader()
    got, at, turn = [], 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        got += reader.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert got == messages
    assert not reader.waiting


def test_a_cut_frame_is_noticed():
    reader = FrameReader()
    assert list(reader.feed(frame(b"abc")[:-1])) == []
    assert reader.waiting


def test_frames_are_bounded():
    reader = FrameReader(bytes_max=5)
    assert list(reader.feed(frame(b"12345"))) == [b"12345"]
    with pytest.raises(FrameTooLarge, match="frame of 6 bytes"):
        list(reader.feed(frame(b"123456")[:1]))


def test_the_default_bound_is_that_of_the_protocol():
    with pytest.raises(FrameTooLarge, match="104857601"):
        list(FrameReader().feed(b"\x81\x80\x80\x32"))
    assert list(FrameReader().feed(b"\x80\x80\x80\x32")) == []


def test_an_endless_length_prefix():
    with pytest.raises(FrameTooLarge, match="length prefix"):
        list(FrameReader().feed(b"\x80" * 5))


def test_a_particle_too_large_is_not_sent(monkeypatch):
    monkeypatch.setattr("runtime.protocol.codec.FRAME_BYTES_MAX", 300)
    encode(VECTOR)
    with pytest.raises(FrameTooLarge):
        encode(VECTOR.with_data(bytes(100)))
    with pytest.raises(FrameTooLarge):
        decode(MULTICODEC + bytes(300))
