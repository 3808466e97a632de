"""Programs compiled by ours and run on the local network, for the tests of what the reference compiler gets wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import trio
import trio.testing

from aquac import Options, compile_bundle
from avm import Avm
from avm.air import parse
from runtime.clock import LoopClock
from runtime.local import open_local_network, peer_ids
from runtime.vm import InlineVm

IDS = peer_ids(1)
CALLS: list[tuple[str, list[Any]]] = []
USER = {"name": "ann", "age": 7, "tags": ["a"]}

HEADER = """aqua Main

export f

data User:
  name: string
  age: u32
  tags: []string

service Echo("echo-srv"):
  say(s: string) -> string
  twice(s: string) -> []string
  ping()

service Worker:
  run(job: string) -> string
  status() -> bool
  stop()

service Reg("reg"):
  both(id: string, ret: string) -> []string
  last(x: string, ret: string) -> string
  user(id: User) -> string

service Box:
  mark(id: string) -> string

ability Sink:
  out: *string
  size: u32
  emit(s: string) -> string

"""


def say(text: str) -> str:
    """What the echo service answers; two texts stand for peers."""
    return {"peer": IDS["peer1"], "relay": IDS["relay"]}.get(text, f"<{text}>")


SERVICES: dict[str, dict[str, Any]] = {
    "echo-srv": {"say": say, "twice": lambda s: [s, s], "ping": lambda: None},
    "w": {"run": lambda job: f"ran {job}", "status": lambda: True, "stop": lambda: None},
    IDS["client"]: {"run": lambda job: f"own {job}"},
    "net": {"connect": lambda peer, addr: (peer, addr) == ("target", "addr"), "give": lambda peer: peer == "target"},
    "reg": {
        "both": lambda first, second: [first, second],
        "last": lambda first, second: second,
        "user": lambda user: user["name"],
    },
    "box": {"mark": lambda text: f"[{text}]"},
    "log": {"info": lambda text: None},
}


def handler(service: str, name: str, function: Any) -> Any:
    def handle(values: list[Any], _: object) -> Any:
        CALLS.append((f"{service}.{name}", values))
        made = function(*values)
        return "" if made is None else made

    return handle


def check(files: Mapping[str, str], arguments: Mapping[str, Any], *, options: Options | None = None) -> list[Any]:
    """Compile, see that the script is valid, run it, and give the values of the response; CALLS has what was called."""
    compiled = compile_bundle(files, "main.aqua", options=options or Options())
    assert compiled.ok, compiled.diagnostics
    assert list(compiled.functions) == ["f"]
    script = compiled.functions["f"].script
    assert parse(script).ok, parse(script).report
    CALLS.clear()

    async def main() -> list[Any]:
        vm = InlineVm(Avm("python"))
        async with open_local_network(extra=1, vm=vm, clock=LoopClock(), console=lambda line: None) as network:
            for peer in network.peers:
                for service, functions in SERVICES.items():
                    peer.services.add(service, {n: handler(service, n, made) for n, made in functions.items()})
            if compiled.functions["f"].definition["arrow"]["codomain"]["tag"] == "nil":
                network.client.start(script, ttl_ms=5000, arguments=arguments)
                await trio.sleep(1)
                return []
            answer = await network.client.call(script, ttl_ms=5000, arguments=arguments)
            return list(answer.values)

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def called(name: str) -> list[list[Any]]:
    return [values for made, values in CALLS if made == name]
