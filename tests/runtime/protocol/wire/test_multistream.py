"""Agreeing on a protocol: both styles of dialling, refusals, bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.protocol.limits import LINE_BYTES_MAX, PROPOSALS_MAX
from runtime.protocol.wire import WireError
from runtime.protocol.wire.multistream import HEADER, NOT_AVAILABLE, Dialer, Responder, line, opening


def check(data: bytes, cuts: list[int], *spoken: str) -> tuple[bytes, str | None, bytes]:
    """What a responder makes of bytes that come in pieces of these sizes."""
    responder = Responder(lambda name: name in spoken)
    answers, agreed, rest = b"", None, b""
    at, turn = 0, 0
    while at < len(data) and agreed is None:
        end = at + cuts[turn % len(cuts)]
        answer, agreed, rest = responder.feed(data[at:end])
        answers += answer
        at, turn = end, turn + 1
    return answers, agreed, rest + data[at:]


def test_header_and_line() -> None:
    assert HEADER == b"\x13/multistream/1.0.0\n"
    assert line("na") == NOT_AVAILABLE == b"\x03na\n"
    assert line("x" * 200)[:2] == b"\xc9\x01"


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_everything_at_once_or_in_pieces(cuts: list[int]) -> None:
    answers, agreed, rest = check(opening("/a/1") + b"payload", cuts, "/a/1")
    assert (answers, agreed, rest) == (HEADER + line("/a/1"), "/a/1", b"payload")


def test_the_header_is_answered_before_a_protocol_is_named() -> None:
    responder = Responder(lambda _: True)
    assert responder.feed(HEADER) == (HEADER, None, b"")
    assert responder.feed(line("/a/1")) == (line("/a/1"), "/a/1", b"")


def test_a_refused_protocol_may_be_followed_by_another() -> None:
    answers, agreed, _ = check(HEADER + line("/b") + line("ls") + line("/a"), [100], "/a")
    assert answers == HEADER + NOT_AVAILABLE + NOT_AVAILABLE + line("/a")
    assert agreed == "/a"


@pytest.mark.parametrize(
    "data",
    [
        line("/multistream/2.0.0"),
        b"\x00",
        b"\x03naX",
        b"\xff\xff\x01",
        b"\x80\x80\x01",
        line("x" * LINE_BYTES_MAX),
        b"\x03\xff\xff\n",
        HEADER + line("/no") * PROPOSALS_MAX,
    ],
)
def test_what_is_no_negotiation(data: bytes) -> None:
    with pytest.raises(WireError):
        check(data, [1000])


def test_bounds_from_the_other_side() -> None:
    assert check(HEADER + line("x" * (LINE_BYTES_MAX - 1)), [4000])[0] == HEADER + NOT_AVAILABLE
    assert check(HEADER + line("/no") * (PROPOSALS_MAX - 1) + line("/a"), [4000], "/a")[1] == "/a"


def test_a_dialer() -> None:
    dialer = Dialer("/a")
    assert dialer.feed(HEADER[:5]) is None
    assert dialer.feed(HEADER[5:] + line("/a")[:2]) is None
    assert dialer.feed(line("/a")[2:] + b"rest") == b"rest"


@pytest.mark.parametrize("answer", [HEADER + NOT_AVAILABLE, HEADER + line("/b"), line("/a")])
def test_a_dialer_that_is_refused(answer: bytes) -> None:
    with pytest.raises(WireError, match="does not speak"):
        Dialer("/a").feed(answer)
