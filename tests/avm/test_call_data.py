"""Call results and call requests in their binary forms."""

from __future__ import annotations

import contextlib
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm.call_data import (
    NO_REQUESTS,
    PREFIX,
    CallDataError,
    decode_call_requests,
    decode_call_results,
    encode_call_requests,
    encode_call_results,
)
from avm.data.interpreter_data import Tetraplet
from avm.outcome import CallRequest, CallResult

RESULTS = st.dictionaries(st.text(max_size=5), st.builds(CallResult, st.integers(-(2**31), 2**31 - 1), st.text()))
VALUES = st.recursive(
    st.sampled_from([None, True, 0, -1, 255, -129, 2**64 - 1, -(2**63), 1.0, -0.5, "", "é" * 20, "x" * 300]),
    lambda inner: st.lists(inner, max_size=17) | st.dictionaries(st.text(max_size=4), inner, max_size=17),
    max_leaves=20,
)
TETRAPLETS = st.builds(Tetraplet, st.just("peer"), st.sampled_from(["", "s"]), st.text(max_size=3), st.just(""))
REQUESTS = st.dictionaries(
    st.integers(0, 2**32 - 1),
    st.builds(
        CallRequest,
        st.text(max_size=3),
        st.text(max_size=3),
        st.lists(VALUES, max_size=2),
        st.lists(st.lists(TETRAPLETS, max_size=2), max_size=2),
    ),
    max_size=2,
)


def check_results(payload: bytes, expected: dict[str, CallResult]) -> None:
    assert decode_call_results(PREFIX + payload) == expected


def check_error(data: bytes, message: str) -> None:
    with pytest.raises(CallDataError) as caught:
        decode_call_results(data)
    assert str(caught.value) == message


def pack(value: Any) -> bytes:
    return bytes(msgpack.packb(value))


@pytest.mark.slow
@given(RESULTS)
def test_results_round_trip(results: dict[str, CallResult]) -> None:
    assert decode_call_results(encode_call_results(results)) == results


@pytest.mark.slow
@given(REQUESTS)
def test_requests_round_trip(requests: dict[int, CallRequest]) -> None:
    assert decode_call_requests(encode_call_requests(requests)) == requests


def test_request_bytes() -> None:
    request = CallRequest("s", "f", [{"é": 1.0, "b": -1, "a": [200]}], [[Tetraplet("p", "", "", ".$.x")]])
    encoded = encode_call_requests({1: request})
    assert encoded.startswith(b"\x81\x04\x81\x01\x84\xaaservice_id\xa1s\xadfunction_name\xa1f\xa9arguments\xc4")
    # sorted keys, smallest integers, doubles always
    assert b"\x91\x83\xa1a\x91\xcc\xc8\xa1b\xff\xa2\xc3\xa9\xcb?\xf0" in encoded
    assert encode_call_requests({}) == NO_REQUESTS


def test_deeply_nested_arguments() -> None:
    value: Any = {"a": 1}
    for _ in range(2000):
        value = [value]
    encoded = encode_call_requests({1: CallRequest("s", "f", [value], [[]])})
    assert encoded.count(b"\x91" * 2000 + b"\x81\xa1a\x01") == 1
    assert encode_call_requests(decode_call_requests(encoded)) == encoded


@pytest.mark.parametrize(
    "payload",
    [
        pack({"1": [0, "x"]}),
        pack({"1": {"more": [{}], "ret_code": 0, "result": "x"}}),
        pack({"1": {"ret_code": 0, "result": b"x"}}),
        pack({"1": {"ret_code": 0, "result": "x"}}) + b"rest",
        b"\xdf\0\0\0\1" + pack({b"1": {b"ret_code": 0, b"result": "x"}})[1:],
        b"\x82\xa11" + pack({"ret_code": 7, "result": ""}) + b"\xa11" + pack({"ret_code": 0, "result": "x"}),
    ],
)
def test_laxities(payload: bytes) -> None:
    check_results(payload, {"1": CallResult(0, "x")})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "VarInt(Insufficient)"),
        (b"\x80\x00", "VarInt(NotMinimal)"),
        (b"\x80\x80\x80\x80\x80", "VarInt(Overflow)"),
        (b"\x80\x04\x80", "Codec(512)"),
        (PREFIX + b"\xc0", 'Format(Syntax("invalid type: unit value, expected a map"))'),
        (PREFIX + pack({1: 2}), 'Format(Syntax("invalid type: integer `1`, expected a string"))'),
        (PREFIX + pack({"1": {"ret_code": 0}}), 'Format(Syntax("missing field `result`"))'),
        (
            PREFIX + pack({"1": {"ret_code": 2**31, "result": ""}}),
            'Format(Syntax("invalid value: integer `2147483648`, expected i32"))',
        ),
        (
            PREFIX + pack({"1": {"ret_code": 1e-7, "result": ""}}),
            'Format(Syntax("invalid type: floating point `0.0000001`, expected i32"))',
        ),
        (
            PREFIX + pack({"1": 'a"'}),
            'Format(Syntax("invalid type: string \\"a\\\\\\"\\", expected struct CallServiceResult"))',
        ),
        (PREFIX + b"\x81\xa2a\xc3", "Format(Utf8Error(Utf8Error { valid_up_to: 1, error_len: None }))"),
        (PREFIX + b"\x81\xa5abc", "Format(InvalidDataRead(Kind(UnexpectedEof)))"),
        (PREFIX + pack({"1": [0, "x", 1]}), "Format(LengthMismatch(2))"),
    ],
)
def test_refusals(data: bytes, message: str) -> None:
    check_error(data, message)


@given(st.binary(max_size=60))
def test_noise_gives_one_kind_of_error(noise: bytes) -> None:
    for data in (noise, PREFIX + noise, PREFIX + b"\x81\xa11" + noise):
        with contextlib.suppress(CallDataError):
            decode_call_results(data)
