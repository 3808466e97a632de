"""Whom commands ask, and what is said when nobody answers; identify, ping, contacts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aquac.command_line import CommandError
from avm import Avm
from runtime.cli import main
from runtime.client import Client, WorkflowError
from runtime.clock import SystemClock
from runtime.config import PeerConfig
from runtime.inprocess import Fabric, address_of
from runtime.network import Unreachable
from runtime.operations import remote
from runtime.operations.remote import Target, call_script, refusal_text, remedy, run_remote
from runtime.peer import Peer
from runtime.protocol import p2p
from runtime.services.host import host_services
from runtime.vm import InlineVm
from tests.runtime.operations.kit import ADDRESS, RunningPeer, check
from tests.runtime.services.hosting import HOST, MANAGER, STRANGER, open_hosting

NO_ID = STRANGER.peer_id


def test_identify_and_ping(peer: RunningPeer) -> None:
    peer.key = None
    about = peer.ask("identify", "identify")
    assert (about["peer_id"], about["external_addresses"]) == (HOST.peer_id, ["/memory/0"])
    found = peer.ask("ping", "ping", "--count", "2")
    assert len(found["round_trips_ms"]) == 2
    assert abs(found["clock_ahead_ms"]) < 60_000
    for count in ("0", "1001"):
        assert "expected a number from 1 to 1000" in peer.refuse(2, "ping", "--count", count)


def test_contacts(peer: RunningPeer) -> None:
    assert peer.ask("contact", "contact", MANAGER.peer_id)["connected"] is True
    assert peer.ask("contact", "contact", NO_ID) == {"peer_id": NO_ID, "connected": False, "addresses": []}
    assert peer.ask("connect", "connect", NO_ID) == {"peer_id": NO_ID, "connected": False}
    assert peer.ask("connect", "connect", MANAGER.peer_id) == {"peer_id": MANAGER.peer_id, "connected": True}
    for words in (("contact", "x"), ("connect", "x"), ("neighbours", "x")):
        assert "expected a peer id such as" in peer.refuse(2, *words)
    assert "expected a multiaddress" in peer.refuse(2, "connect", NO_ID, "127.0.0.1:1")
    assert "expected a number from 1 to 1000" in peer.refuse(2, "neighbours", "--count", "0")
    assert "the peer does not offer `kad`" in peer.refuse(3, "neighbours")


def test_nobody_there(peer: RunningPeer) -> None:
    peer.is_there = False
    for words in (
        ("identify",), ("ping",), ("connect", NO_ID), ("contact", NO_ID), ("neighbours",), ("services", "list"),
        ("modules", "list"), ("blueprints", "list"), ("call", "op", "noop"), ("stats",), ("remove", "x"),
        ("alias", "set", "a", "b"), ("workers", "list"), ("spells", "list"), ("interface", "x"),
    ):  # fmt: skip
        message = peer.refuse(5, *words)
        assert f"{ADDRESS} cannot be reached: nobody answers there" in message
        assert "is the peer running" in message


@pytest.mark.parametrize(("words", "message"), [
    ((), "no peer is named"),
    (("--peer", "12D3"), "--peer 12D3: where is it?"),
    (("--peer", "/ip4/127.0.0.1/tcp/1"), "--peer /ip4/127.0.0.1/tcp/1: expected a multiaddress that ends in /p2p/"),
    (("--relay", "12D3"), "--relay 12D3: expected a multiaddress that ends in /p2p/"),
    (("--relay", ADDRESS, "--peer", "12D3"), "--peer 12D3: expected a peer id"),
    (("--relay", ADDRESS, "--peer", ADDRESS), "only one of them can be dialled"),
    (("--peer", ADDRESS, "--timeout", "0"), "--timeout 0: expected a time above 0"),
    (("--peer", ADDRESS, "--timeout", "soon"), "--timeout soon: expected a time such as"),
    (("--peer", ADDRESS, "--key", "absent"), "`absent` is neither a secret key nor a file"),
])  # fmt: skip
def test_wrong_flags(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["peer", "identify", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def through(monkeypatch: pytest.MonkeyPatch, change: Callable[[Client, Peer], None]) -> None:
    """Connect commands to a host, and its client, that are changed in some way."""

    @asynccontextmanager
    async def connect(relay: str, *, secret: bytes, backoff: None) -> AsyncIterator[Client]:
        async with open_hosting(author=MANAGER) as (client, host, _):
            change(client, host)
            yield client

    monkeypatch.setattr(remote, "connect", connect)


@pytest.mark.parametrize("words", [("identify",), ("ping",), ("services", "list"), ("call", "op", "noop")])
def test_no_answer_in_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    async def swallow(sender: str, message: bytes) -> None:
        return None

    through(monkeypatch, lambda _, host: monkeypatch.setattr(host, "on_message", swallow))
    assert main(["peer", *words, "--peer", ADDRESS, "--timeout", "100ms"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{HOST.peer_id} has not answered within 100 ms\n" in err
    assert "--timeout" in err


def test_a_lost_connection_is_told_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def gone(peer_id: str, message: bytes) -> None:
        raise Unreachable("the connection broke")

    through(monkeypatch, lambda client, _: monkeypatch.setattr(client.peer.network, "send", gone))
    assert main(["peer", "identify", "--peer", ADDRESS]) == 5
    out, err = capsys.readouterr()
    assert out == ""
    assert f"the connection to the relay {HOST.peer_id} is lost" in err


@pytest.mark.parametrize("answer", [5, None, [5], [{}], {"id": 1}])
@pytest.mark.parametrize("words", [("remove", "x"), ("stats",), ("spells", "list"), ("spells", "info", "x")])
def test_answers_in_another_form(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], answer: Any
) -> None:
    def other(_: Client, host: Peer) -> None:
        host.services.add("srv", {"list": lambda *_: answer, "info": lambda *_: [answer]})

    through(monkeypatch, other)
    assert main(["peer", *words, "--peer", ADDRESS]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{HOST.peer_id} answers in a form that is not understood" in err


@pytest.mark.parametrize(("service", "words"), [
    ("srv", ("services", "list")), ("srv", ("services", "info", "x")), ("srv", ("services", "interface", "x")),
    ("srv", ("services", "create", "x")), ("srv", ("remove", "x")), ("srv", ("interface", "x")), ("srv", ("stats",)),
    ("srv", ("alias", "set", "a", "x")), ("srv", ("alias", "resolve", "a")), ("srv", ("spells", "list")),
    ("dist", ("modules", "list")), ("dist", ("blueprints", "list")), ("dist", ("blueprints", "info", "x")),
    ("dist", ("modules", "interface", "x")), ("kad", ("neighbours",)), ("worker", ("workers", "list")),
    ("worker", ("workers", "find", "x")), ("worker", ("workers", "create", "x")), ("worker", ("workers", "activate", "x")),
])  # fmt: skip
def test_peers_that_host_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], service: str, words: tuple[str, ...]
) -> None:
    through(monkeypatch, lambda _, host: host.services.remove(service))
    assert main(["peer", *words, "--peer", ADDRESS]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert f"  the peer does not offer `{service}`: it hosts nothing of that kind\n" in err


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(p2p, "p2p_installed", lambda: False)
    assert main(["peer", "identify", "--peer", ADDRESS]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "needs the extra `p2p`, which is not installed" in err


def test_clients_are_no_hosts() -> None:
    for text in (
        'The JS implementation of Peer does not support "srv.list"',
        "No service found for service call: serviceId='srv'",
    ):
        assert remedy("srv", text, own_id="x", has_key=False).startswith("the peer is a client")


def test_an_interrupt_ends_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    through(monkeypatch, lambda *_: None)
    monkeypatch.setattr(remote.Remote, "call_host", interrupted)
    assert main(["peer", "identify", "--peer", ADDRESS]) == 130
    assert capsys.readouterr() == ("", "")


def test_behind_a_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second host, which the client reaches through the first only."""

    @asynccontextmanager
    async def connect(relay: str, *, secret: bytes, backoff: None) -> AsyncIterator[Any]:
        fabric, clock = Fabric(), SystemClock()
        config = PeerConfig(STRANGER, listen=("/memory/1",))
        network = fabric.endpoint(STRANGER.peer_id)
        services = host_services(config, network, clock)
        async with (
            open_hosting(author=MANAGER, fabric=fabric) as (client, host, _),
            Peer(config, network, vm=InlineVm(Avm("interp")), services=services, clock=clock),
        ):
            await host.network.dial(address_of(STRANGER.peer_id))
            yield client

    monkeypatch.setattr(remote, "connect", connect)

    async def body(there: Any) -> Any:
        return await there.call("op", "concat_strings", "a", "b"), await there.call_host("sig", "get_peer_id")

    assert run_remote(Target(ADDRESS, STRANGER.peer_id, 20_000), body) == ("ab", STRANGER.peer_id)

    async def fails(there: Any) -> Any:
        return await there.call("math", "div", 1, 0)

    with pytest.raises(CommandError, match=r"math.div: i64 div overflow") as caught:
        run_remote(Target(ADDRESS, STRANGER.peer_id, 20_000), fails)
    assert caught.value.exit_code == 3

    async def missing(there: Any) -> Any:
        return await there.call("srv", "list")

    with pytest.raises(CommandError) as caught:
        run_remote(Target(ADDRESS, STRANGER.peer_id, 20_000), missing)
    assert "the peer does not offer `srv`" in caught.value.hint


def test_the_script_goes_there_and_back_over_the_same_peers() -> None:
    script = call_script("R", "P", "W", 1)
    assert script.count('(call "R" ("op" "noop") [])') == 3  # there, back, and back with an error
    assert script.count('(call "P" ("op" "noop") [])') == 3
    assert '(call "W" (service function) [a0] result)' in script
    assert "noop" not in call_script("R", "R", "R", 0)


def test_texts_of_refusals() -> None:
    def text(message: str) -> str:
        return refusal_text(WorkflowError({"message": message, "error_code": 10000}, "id"))

    frame = "Local service error, ret_code is 1, error message is '{}'"
    assert text(frame.format(json.dumps("Error: it's bad\ndump"))) == "it's bad"
    assert text(frame.format('{"a":1}')) == '{"a": 1}'
    assert text(frame.format("not json")) == "not json"
    assert text("another\nerror") == "another"
    assert remedy("srv", "something else", own_id="x", has_key=True) == ""
    assert check("contact", {"peer_id": NO_ID, "connected": False, "addresses": []})
