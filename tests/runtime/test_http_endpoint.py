"""The HTTP endpoint: every request gets an answer or a closed connection, and none of them ends the peer."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import trio

from runtime.http_endpoint import READ_BYTES, HttpEndpoint, host_port
from runtime.network import DialFailed
from runtime.services.peer import SPELL_VERSION
from runtime.settings import split_http

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
WELL = {"bootstrap_nodes": True}


def check(*requests: bytes, health: dict[str, bool] | None = None) -> list[bytes]:
    """The bytes with which one endpoint answers each request, in order."""
    answers = []

    async def main() -> None:
        endpoint = HttpEndpoint("12D3Koo", lambda: WELL if health is None else health)
        async with trio.open_nursery() as nursery:
            host, port = await nursery.start(endpoint.serve, "127.0.0.1", 0)
            for request in requests:
                stream = await trio.open_tcp_stream(host, port)
                async with stream:
                    await stream.send_all(request)
                    answer = b""
                    try:
                        while piece := await stream.receive_some(READ_BYTES):
                            answer += piece
                    except trio.BrokenResourceError:
                        pass
                    answers.append(answer)
            nursery.cancel_scope.cancel()

    async def limited() -> None:
        with trio.fail_after(20):
            await main()

    trio.run(limited)
    return answers


def request(line: str, headers: str = "") -> bytes:
    return f"{line}\r\nHost: a\r\n{headers}\r\n".encode("latin-1")


@pytest.mark.parametrize(("host", "reason"), [("127.0.0.1", "Address already in use"), ("nowhere.invalid", "")])
def test_an_address_that_cannot_be_had_is_named(host: str, reason: str) -> None:
    async def main() -> None:
        endpoint = HttpEndpoint("12D3Koo", lambda: WELL)
        async with trio.open_nursery() as nursery:
            _, port = await nursery.start(endpoint.serve, "127.0.0.1", 0)
            with pytest.raises(DialFailed, match=f"cannot answer HTTP at {host}:{port}: {reason}"):
                await endpoint.serve(host, port)
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_who_and_what() -> None:
    who, versions, absent = check(
        request("GET /peer_id HTTP/1.1"), request("GET /versions?x HTTP/1.1"), request("GET / HTTP/1.1")
    )
    head, _, body = who.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
    assert json.loads(body) == {"peer_id": "12D3Koo"}
    told = json.loads(versions.partition(b"\r\n\r\n")[2])
    assert list(told) == ["node", "avm", "spell", "aqua_ipfs", "trust_graph", "registry", "decider"]
    assert told["spell"] == SPELL_VERSION
    assert absent.startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert absent.endswith(b"\r\n\r\nNo such endpoint")


@pytest.mark.parametrize(
    ("health", "status", "body"),
    [
        ({}, 200, []),
        ({"a": True}, 200, [{"a": "Ok"}]),
        ({"a": True, "b": False}, 429, [{"a": "Ok"}, {"b": "Fail"}]),
        ({"a": False}, 503, [{"a": "Fail"}]),
    ],
)
def test_health(health: dict[str, bool], status: int, body: object) -> None:
    (answer,) = check(request("GET /health HTTP/1.1"), health=health)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == body


def test_what_is_not_given_is_not_answered() -> None:
    for path in ("/services", "/config", "/metrics"):
        (answer,) = check(request(f"GET {path} HTTP/1.1"))
        assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n"), path


def test_answers_are_what_the_schema_says() -> None:
    peer_id = "12D3KooWAbr8gnEMcMLHWWsbmpBMwRLVdR8XnyUTv3UNRuFM7qfH"
    service = {
        "id": "a",
        "blueprint_id": "b",
        "service_type": "spell",
        "owner_id": peer_id,
        "aliases": ["c"],
        "worker_id": peer_id,
    }
    endpoint = HttpEndpoint(peer_id, lambda: WELL | {"store": False}, services=lambda: [service])
    schema = json.loads((SCHEMAS / "avm-peer-http.schema.json").read_text(encoding="utf-8"))
    for path in ("peer_id", "versions", "services", "health"):
        document = json.loads(endpoint.answer("GET", f"/{path}")[2])
        jsonschema.Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{path}"}).validate(document)


def test_services_and_configuration() -> None:
    endpoint = HttpEndpoint("12D3Koo", lambda: WELL, services=lambda: [{"id": "one"}], config='network = "dar"\n')
    assert endpoint.answer("GET", "/services") == (200, "application/json", '[{"id": "one"}]')
    assert endpoint.answer("GET", "/config") == (200, "text/plain; charset=utf-8", 'network = "dar"\n')
    assert endpoint.answer("POST", "/config")[0] == 404


def test_head_has_no_body() -> None:
    (answer,) = check(request("HEAD /peer_id HTTP/1.1"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"connection: close\r\n\r\n")


@pytest.mark.parametrize(
    "garbage",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01" + bytes(300) + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        request("GET /\xff HTTP/1.1"),
        request("CONNECT a:1 HTTP/1.1"),
        request("POST / HTTP/1.1", "Content-Length: 5\r\n"),
        request("POST / HTTP/1.1", "Content-Length: -5\r\n"),
        request("GET /x HTTP/1.1", "Upgrade: websocket\r\nConnection: upgrade\r\n"),
        request("GET /peer_id HTTP/1.1", "Expect: 100-continue\r\n"),
    ],
)
def test_a_stranger_cannot_end_it(garbage: bytes) -> None:
    _, after = check(garbage, request("GET /peer_id HTTP/1.1"))
    assert after.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_check_that_breaks_costs_its_connection_only() -> None:
    class Broken(dict[str, bool]):
        def items(self) -> object:  # type: ignore[override]
            raise RuntimeError("broken check")

    broken, after = check(request("GET /health HTTP/1.1"), request("GET /peer_id HTTP/1.1"), health=Broken({"a": True}))
    assert broken == b""
    assert after.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("place", [("127.0.0.1", 8080), ("::1", 1), ("localhost", 0)])
def test_addresses_as_they_are_written(place: tuple[str, int]) -> None:
    assert split_http(host_port(*place)) == place
    assert host_port("::1", 1) == "[::1]:1"
