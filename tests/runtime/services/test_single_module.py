"""Wasm services that programs put into their client."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

import pytest
import trio
import trio.testing

from avm import Avm
from avm.outcome import CallRequest
from runtime.clock import LoopClock, SystemClock
from runtime.core.particle import new_particle
from runtime.local import open_local_network
from runtime.protocol.identity import Identity, named_identity
from runtime.services import single_module
from runtime.services.client import ClientServices
from runtime.services.registry import CallContext
from runtime.vm import InlineVm
from tests.runtime.marine.kit import function, module

ME, OTHER = named_identity("client"), named_identity("other")
NOT_FOUND = "No service found for service call: serviceId='{}', fnName='next' args='[]'"
COUNTER = module(
    """
    (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
    (func (export "fail") unreachable)
    (func (export "nothing"))""",
    {"functions": [function("next", "", "u32"), function("fail"), function("nothing")]},
)
WASM = base64.b64encode(COUNTER).decode()


class Client:
    """The services of a client, called without a network."""

    def __init__(self) -> None:
        self.services = ClientServices(ME, LoopClock(), lambda _: None)

    async def call(self, service: str, name: str, *args: Any, author: Identity = ME) -> tuple[int, Any]:
        particle = new_particle(author, particle_id="p", timestamp=1, ttl=1, script="(null)")
        context = CallContext(particle, ME.peer_id, ME.peer_id, service, name, [])
        result = await self.services.call(CallRequest(service, name, list(args), []), context)
        return result.ret_code, json.loads(result.result)

    async def create(self, *args: Any, author: Identity = ME) -> Any:
        code, value = await self.call("single_module_srv", "create", *args, author=author)
        assert code == 0
        return value

    async def made(self) -> str:
        value = await self.create(WASM)
        (service_id,) = value["service_id"]
        assert value == {"success": True, "service_id": [service_id], "error": None}
        return str(service_id)


def held_up(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Services start once this is set."""
    start, go_on = single_module._start, threading.Event()

    def starting(service_id: str, wasm: bytes) -> Any:
        go_on.wait(60)
        return start(service_id, wasm)

    monkeypatch.setattr(single_module, "_start", starting)
    return go_on


def run(body: Any) -> None:
    async def main() -> None:
        client = Client()
        try:
            with trio.fail_after(60):
                await body(client)
        finally:
            client.services.close()

    trio.run(main)


def test_services_are_made_called_and_removed() -> None:
    async def body(client: Client) -> None:
        first, second = await client.made(), await client.made()
        assert await client.call("single_module_srv", "list") == (0, [first, second])
        assert await client.call(first, "next") == (0, 1)
        assert await client.call(first, "next", author=OTHER) == (0, 2)
        assert await client.call(second, "next") == (0, 1)
        assert await client.call(first, "nothing") == (0, None)
        assert await client.call("single_module_srv", "remove", first) == (0, {"success": True, "error": None})
        assert await client.call("single_module_srv", "list") == (0, [second])
        assert await client.call(first, "next") == (1, NOT_FOUND.format(first))
        gone = {"success": False, "error": [f"Service with id {first} not found"]}
        assert await client.call("single_module_srv", "remove", first) == (0, gone)
        client.services.close()
        assert await client.call(second, "next") == (1, NOT_FOUND.format(second))

    run(body)


def test_only_particles_of_the_client_change_them() -> None:
    async def body(client: Client) -> None:
        refused = {"success": False, "service_id": None}
        assert await client.create(WASM, author=OTHER) == refused | {
            "error": ["Marine services could be registered on %init_peer_id% only"]
        }
        made = await client.made()
        assert await client.call("single_module_srv", "remove", made, author=OTHER) == (
            0,
            refused | {"error": ["Marine services could be remove on %init_peer_id% only"]},
        )
        assert await client.call("single_module_srv", "list", author=OTHER) == (0, [made])

    run(body)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ([], "The string to be decoded is not correctly encoded."),
        ([1], "The string to be decoded is not correctly encoded."),
        (["é"], "The string to be decoded is not correctly encoded."),
        (["AGFzbQ=="], "engine error: "),
    ],
)
def test_what_is_no_module(args: list[Any], error: str) -> None:
    async def body(client: Client) -> None:
        value = await client.create(*args)
        assert value["error"][0].startswith(error)
        assert value == {"success": False, "service_id": None, "error": value["error"]}
        assert await client.call("single_module_srv", "list") == (0, [])

    run(body)


def test_failures_of_a_module() -> None:
    async def body(client: Client) -> None:
        made = await client.made()
        for name in ("fail", "absent"):
            code, value = await client.call(made, name)
            assert code == 1
            assert value.startswith(f'Service call failed. fnName="{name}" serviceId="{made}" error: ')
        assert await client.call(made, "next") == (0, 1)

    run(body)


def test_there_are_so_many_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_module, "CLIENT_SERVICES_MAX", 1)

    async def body(client: Client) -> None:
        go_on = held_up(monkeypatch)
        async with trio.open_nursery() as nursery:  # also while the first is being made
            nursery.start_soon(client.made)
            await trio.testing.wait_all_tasks_blocked()
            assert (await client.create(WASM))["error"] == ["a client has at most 1 services of its programs"]
            go_on.set()
        assert (await client.create(WASM))["error"] == ["a client has at most 1 services of its programs"]

    run(body)


def test_one_that_is_being_made_when_the_client_ends_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body(client: Client) -> None:
        go_on = held_up(monkeypatch)

        async def create() -> None:
            assert (await client.create(WASM))["error"] == ["the client is closed"]

        async with trio.open_nursery() as nursery:
            nursery.start_soon(create)
            await trio.testing.wait_all_tasks_blocked()
            client.services.close()
            go_on.set()
        assert await client.call("single_module_srv", "list") == (0, [])

    run(body)


def test_a_program_uses_one() -> None:
    """Made and called by one particle; the service is gone with the client."""

    async def main() -> None:
        vm = InlineVm(Avm("interp"))
        async with open_local_network(extra=0, vm=vm, clock=SystemClock(), console=lambda _: None) as local:
            script = """
            (seq
              (seq (call %init_peer_id% ("getDataSrv" "wasm") [] wasm)
                   (call %init_peer_id% ("single_module_srv" "create") [wasm] made))
              (seq (call %init_peer_id% (made.$.service_id.[0] "next") [] n)
                   (call %init_peer_id% ("callbackSrv" "response") [n])))"""
            assert (await local.client.call(script, arguments={"wasm": WASM})).values == [1]

    trio.run(main)
