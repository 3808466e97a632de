"""A module made with target py, used by a client of a peer in another process, over real sockets."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio

from aquac.cli import main
from runtime.client import Backoff, RelayUnreachable, aio, connect
from tests.conformance.areas.js_client import running_peer, tcp, websocket

pytestmark = [pytest.mark.p2p, pytest.mark.slow]

NOBODY = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWPt1SKAjmmvQ78dzjQhqgY6PK6KnffK1CS223kfyXiy5w"
PROGRAM = """aqua Main

import "@fluencelabs/aqua-lib/builtin.aqua"

export greet, Names

data Person:
  name: string
  age: ?u8

service Names("names"):
  full(p: Person) -> string

func greet(p: Person) -> string, Person:
  full <- Names.full(p)
  on HOST_PEER_ID:
    text <- Op.concat_strings("hello, ", full)
  <- text, p
"""


def load(folder: Path) -> ModuleType:
    (folder / "main.aqua").write_text(PROGRAM)
    assert main(["-q", "build", str(folder / "main.aqua"), "-o", str(folder), "--target", "py"]) == 0
    made = ModuleType("made")
    sys.modules["made"] = made
    exec(compile((folder / "main.py").read_text(), "made.py", "exec"), made.__dict__)
    return made


class Names:
    def full(self, person: Any) -> str:
        return f"{person.name} ({person.age})"


def check(relay: str, made: Any) -> Any:
    async def call() -> Any:
        async with connect(relay, secret=bytes(32), dial_timeout_s=30) as client:
            made.register_names(client, Names())
            return await made.greet(client, made.Person(name="Ann", age=7))

    return trio.run(call)


def check_on_asyncio(relay: str, made: Any) -> Any:
    async def call() -> Any:
        async with aio.connect(relay, secret=bytes(32), dial_timeout_s=30) as client:
            made.register_names(client, Names())
            return await made.greet(client, made.Person(name="Ann", age=7))

    return asyncio.run(call())


def test_a_client_over_tcp_and_websocket(tmp_path: Path) -> None:
    made = load(tmp_path)
    listen = ("--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/0/ws")
    with running_peer(*listen) as peer:
        for relay in (tcp(peer), websocket(peer)):
            assert check(relay, made) == ("hello, Ann (7)", made.Person(name="Ann", age=7))
            assert check_on_asyncio(relay, made) == ("hello, Ann (7)", made.Person(name="Ann", age=7))


@contextmanager
def stopped_peer(*flags: str) -> Iterator[tuple[Any, Callable[[], None]]]:
    """A peer in a process of its own, and how to stop that without ending it."""
    command = [sys.executable, "-m", "avm", "peer", "run", "--allow-local-addresses", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), lambda: process.send_signal(signal.SIGSTOP)
        finally:
            process.kill()


QUICK = Backoff(first_s=0.05, longest_s=0.2)


@pytest.mark.parametrize("transport", ["tcp", "ws"])
def test_a_relay_that_starts_again(tmp_path: Path, transport: str) -> None:
    """The same peer at the same address: the client finds it again, and what is called meanwhile gets there."""
    made = load(tmp_path)
    ws = "/ws" * (transport == "ws")
    key = ("--key", "07" * 32)

    async def play() -> None:
        with ExitStack() as peers:
            first = peers.enter_context(running_peer("--listen", f"/ip4/127.0.0.1/tcp/0{ws}", *key))
            (address,) = first["listen"]
            async with connect(address, backoff=QUICK, ttl_ms=60_000) as client:
                told: list[bool] = []
                lost = trio.Event()
                client.on_connection.append(told.append)
                client.on_connection.append(lambda state: None if state else lost.set())
                made.register_names(client, Names())
                ann = made.Person(name="Ann")
                assert (await made.greet(client, ann))[0] == "hello, Ann (None)"
                await trio.to_thread.run_sync(peers.close)
                await lost.wait()
                async with trio.open_nursery() as nursery:
                    answers: list[Any] = []

                    async def call() -> None:
                        answers.append(await made.greet(client, ann))

                    nursery.start_soon(call)
                    await trio.to_thread.run_sync(
                        peers.enter_context, running_peer("--listen", address.partition("/p2p/")[0], *key)
                    )
                    await client.wait_connected()
                assert answers == [("hello, Ann (None)", ann)]
                assert client.is_connected
                assert told[0] is False
                assert told[-1] is True

    trio.run(play)


def test_a_relay_that_falls_silent(tmp_path: Path) -> None:
    """Its process is stopped, so its connections stay open and nobody answers; the client goes to another relay."""
    listen = ("--listen", "/ip4/127.0.0.1/tcp/0")

    async def play() -> None:
        with running_peer(*listen) as second, stopped_peer(*listen) as (first, stop):
            async with connect(tcp(first), tcp(second), backoff=QUICK, probe_s=0.2, dial_timeout_s=1) as client:
                moved = trio.Event()
                client.on_connection.append(lambda _: moved.set() if client.relay == second["peer_id"] else None)
                stop()
                await moved.wait()

    trio.run(play)


def test_another_relay_takes_over(tmp_path: Path) -> None:
    made = load(tmp_path)
    listen = ("--listen", "/ip4/127.0.0.1/tcp/0")

    async def play() -> None:
        with ExitStack() as stack, running_peer(*listen) as second:
            first = stack.enter_context(running_peer(*listen))
            async with aio.connect(tcp(first), tcp(second), backoff=QUICK) as client:
                back = asyncio.Event()
                client.on_connection.append(lambda state: back.set() if state else None)
                made.register_names(client, Names())
                ann = made.Person(name="Ann")
                assert client.relay == first["peer_id"]
                await made.greet(client, ann)
                await asyncio.to_thread(stack.close)
                await back.wait()
                assert client.relay == second["peer_id"]
                assert (await made.greet(client, ann))[0] == "hello, Ann (None)"

    asyncio.run(play())


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(RelayUnreachable, match=r"relay /ip4/127\.0\.0\.1/tcp/1/"):
        check(NOBODY, load(tmp_path))
