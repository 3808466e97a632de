"""Websockets: both sides with each other and with another implementation, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.protocol.limits import HTTP_BYTES_MAX, WEBSOCKET_FRAME_BYTES_MAX, WEBSOCKET_WRITE_BYTES
from runtime.protocol.wire import WireError
from runtime.protocol.wire.websocket import Websocket

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REQUEST = (
    "GET / HTTP/1.1\r\nHost: a:1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()
MASK = b"abcd"


def masked(kind: int, payload: bytes) -> bytes:
    body = bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload))
    return bytes((kind, 0x80 | len(payload))) + MASK + body


def opened() -> tuple[Websocket, Websocket]:
    client, server = Websocket("a:1"), Websocket()
    _, answer = server.feed(client.request())
    assert client.feed(answer) == (b"", b"")
    assert client.open
    assert server.open
    return client, server


def check(data: bytes, complaint: str, *, of_client: bool = False) -> None:
    """Frames that are refused."""
    client, server = opened()
    with pytest.raises(WireError, match=complaint):
        (client if of_client else server).feed(data)


def test_the_answer_of_the_standard() -> None:
    _, answer = Websocket().feed(REQUEST)
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer


@given(st.lists(st.binary(max_size=70_000), max_size=4), st.integers(1, 9000), st.booleans())
def test_bytes_pass_however_they_are_cut(texts: list[bytes], cut: int, back: bool) -> None:
    client, server = opened()
    source, target = (server, client) if back else (client, server)
    data, got = b"".join(map(source.wrap, texts)), b""
    for start in range(0, len(data), cut):
        payload, answer = target.feed(data[start : start + cut])
        assert answer == b""
        got += payload
    assert got == b"".join(texts)


def test_bytes_may_follow_the_request_at_once() -> None:
    server = Websocket()
    assert server.feed(REQUEST[:50]) == (b"", b"")
    payload, answer = server.feed(REQUEST[50:] + masked(0x82, b"hello"))
    assert payload == b"hello"
    assert answer


def test_long_writes_are_several_messages() -> None:
    _, server = opened()
    data = server.wrap(bytes(WEBSOCKET_WRITE_BYTES + 1))
    assert data[:2] == b"\x82\x7f"
    assert len(data) == WEBSOCKET_WRITE_BYTES + 1 + 10 + 2


def test_pings_are_answered_and_pongs_are_not() -> None:
    client, server = opened()
    assert server.feed(masked(0x89, b"sign") + masked(0x8A, b"") + masked(0x82, b"x")) == (b"x", b"\x8a\x04sign")
    assert client.feed(b"\x89\x00")[1][0] == 0x8A


def test_fragments_are_bytes_like_any() -> None:
    _, server = opened()
    assert server.feed(masked(0x02, b"a") + masked(0x89, b"") + masked(0x80, b"b"))[0] == b"ab"


def test_goodbye() -> None:
    client, server = opened()
    payload, answer = server.feed(masked(0x82, b"x") + client.close() + masked(0x82, b"never"))
    assert (payload, answer, server.over) == (b"x", b"\x88\x02\x03\xe8", True)
    assert Websocket().close() == b""


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (masked(0x81, b"text"), "not binary"),
        (masked(0x83, b""), "not binary"),
        (b"\x82\x05hello", "no websocket's"),
        (masked(0xC2, b"x"), "no websocket's"),
        (masked(0x8B, b""), "control frame"),
        (masked(0x09, b""), "control frame"),
        (b"\x89\xfe\x00\x7eabcd", "control frame"),
        (b"\x82\xff" + (WEBSOCKET_FRAME_BYTES_MAX + 1).to_bytes(8, "big") + MASK, "at most"),
    ],
)
def test_frames_that_are_refused(data: bytes, complaint: str) -> None:
    check(data, complaint)


def test_a_server_does_not_mask() -> None:
    check(masked(0x82, b"x"), "no websocket's", of_client=True)


def test_the_longest_frame_is_announced_and_passed_in_pieces() -> None:
    _, server = opened()
    head = b"\x82\xff" + WEBSOCKET_FRAME_BYTES_MAX.to_bytes(8, "big") + bytes(4)
    assert server.feed(head + b"begin") == (b"begin", b"")
    assert server.feed(b"more") == (b"more", b"")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        REQUEST.replace(b"13", b"8"),
        REQUEST.replace(b"GET", b"PUT"),
        REQUEST.replace(b"websocket", b"h2c"),
        REQUEST.replace(KEY.encode(), b""),
        REQUEST.replace(KEY.encode(), b"k" * 65),
        b"GET / HTTP/1.1\r\nx: " + b"y" * HTTP_BYTES_MAX,
    ],
)
def test_requests_that_ask_for_no_websocket(request_: bytes) -> None:
    with pytest.raises(WireError):
        Websocket().feed(request_)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: other\r\n\r\n",
        b"\x13/multistream/1.0.0\n" * 10 + b"\r\n\r\n",
    ],
)
def test_answers_that_open_no_websocket(answer: bytes) -> None:
    client = Websocket("a:1")
    client.request()
    with pytest.raises(WireError):
        client.feed(answer)


def test_another_implementation() -> None:
    wsproto = pytest.importorskip("wsproto", reason="wsproto comes with the extra p2p")
    events = pytest.importorskip("wsproto.events")
    theirs, ours = wsproto.WSConnection(wsproto.ConnectionType.CLIENT), Websocket()
    _, answer = ours.feed(theirs.send(events.Request(host="a", target="/")))
    theirs.receive_data(answer)
    assert isinstance(next(theirs.events()), events.AcceptConnection)
    assert ours.feed(theirs.send(events.BytesMessage(bytes(70_000))))[0] == bytes(70_000)
    theirs.receive_data(ours.wrap(b"back"))
    assert b"".join(event.data for event in theirs.events()) == b"back"
    client, server = Websocket("a:1"), wsproto.WSConnection(wsproto.ConnectionType.SERVER)
    server.receive_data(client.request())
    assert isinstance(next(server.events()), events.Request)
    client.feed(server.send(events.AcceptConnection()))
    assert client.open
    server.receive_data(client.wrap(bytes(70_000)))
    assert b"".join(event.data for event in server.events()) == bytes(70_000)
