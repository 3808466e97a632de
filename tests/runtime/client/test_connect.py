"""A module made with target py, used by a client of a peer in another process, over real sockets."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio

from aquac.cli import main
from runtime.client import RelayUnreachable
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


def check(relay: str, made: Any) -> Any:
    from runtime.client import connect

    class Names:
        def full(self, person: Any) -> str:
            return f"{person.name} ({person.age})"

    async def call() -> Any:
        async with connect(relay, secret=bytes(32), dial_timeout_s=30) as client:
            made.register_names(client, Names())
            return await made.greet(client, made.Person(name="Ann", age=7))

    return trio.run(call)


def test_a_client_over_tcp_and_websocket(tmp_path: Path) -> None:
    made = load(tmp_path)
    listen = ("--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/0/ws")
    with running_peer(*listen) as peer:
        for relay in (tcp(peer), websocket(peer)):
            assert check(relay, made) == ("hello, Ann (7)", made.Person(name="Ann", age=7))


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(RelayUnreachable, match=r"relay /ip4/127\.0\.0\.1/tcp/1/"):
        check(NOBODY, load(tmp_path))
