"""Programs that hire workers and install spells, by particles on peers in this process. Time is simulated."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from aquac import compile_path
from avm import Avm
from runtime.client import Client, ParticleExpired, WorkflowError
from runtime.clock import LoopClock
from runtime.config import PeerConfig
from runtime.inprocess import Fabric, address_of
from runtime.peer import Peer
from runtime.services.registry import Services
from runtime.store.state import MemoryStore, Store
from runtime.vm import InlineVm
from tests.runtime.services.hosting import HOST, MANAGER, STRANGER, open_hosting

PROGRAM = Path(__file__).with_name("greeter.aqua")
EPOCH = 1_700_000_000
TTL_MS = 60_000


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    """Simulated time does not wait for threads: what would be done in one is done at once."""

    async def at_once(function, *args, **_):
        await trio.lowlevel.checkpoint()
        return function(*args)

    monkeypatch.setattr(trio.to_thread, "run_sync", at_once)


@cache
def scripts() -> dict[str, str]:
    compiled = compile_path(PROGRAM)
    assert not [found for found in compiled.diagnostics if found.severity.name == "ERROR"]
    return {name: function.script for name, function in compiled.functions.items()}


async def call(client: Client, name: str, /, **arguments: Any) -> Any:
    """What a function of the program answers: the value, or all of them."""
    values = (await client.call(scripts()[name], ttl_ms=TTL_MS, arguments=arguments)).values
    return values[0] if len(values) == 1 else values


def simulated(main, folder=None, *, seconds: int = 0, state: Store | None = None):
    """Run `main(client, hosting, fabric)` on a host and a client of its manager; seconds: how late it is.

    state: in memory, as the clock of tests does not wait for a disk.
    """

    async def whole():
        fabric, clock = Fabric(), LoopClock((EPOCH + seconds) * 1000)
        async with open_hosting(folder, clock=clock, fabric=fabric, state=state) as (client, _, hosting):
            return await main(client, hosting, fabric)

    return trio.run(whole, clock=trio.testing.MockClock(autojump_threshold=0))


@asynccontextmanager
async def visitor(fabric: Fabric):
    """A further peer that is connected to the host."""
    config = PeerConfig(STRANGER)
    peer = Peer(config, fabric.endpoint(STRANGER.peer_id), vm=InlineVm(Avm("interp")), services=Services())
    async with peer:
        await peer.network.dial(address_of(HOST.peer_id))
        yield peer


async def hired(client: Client, period: int = 60) -> tuple[str, str]:
    worker = await call(client, "hire", deal="0xDeal")
    spell = await call(client, "install", worker=worker, script=scripts()["greet"], name="Ada", period=period)
    return worker, spell


def test_a_program_installs_a_spell_and_sees_it_run():
    async def main(client: Client, hosting, fabric):
        worker, spell = await hired(client)
        await trio.sleep(130)
        count, text, seen, logs, event, errors = await call(client, "look", worker=worker)
        assert count == 3
        assert text == '"hello Ada"', "the result of the script is kept by its fields"
        assert seen == ["hello Ada"] * 3
        assert [entry["message"] for entry in logs] == seen
        assert [entry["timestamp"] - logs[0]["timestamp"] for entry in logs] == [0, 60, 120]
        assert event == {"timer": [{"timestamp": logs[-1]["timestamp"]}], "peer": []}
        assert errors["particle_errors"] == [], "what only a worker spell may was refused, and caught"
        told = hosting.hosted.spells.store.number(spell, "hw_counter")
        assert told == 3
        said = await call(client, "say", worker=worker, message="hi")
        assert said == {"success": True, "error": ""}
        (message,) = await call(client, "look_at_mailbox", worker=worker)
        assert (message["init_peer_id"], message["message"]) == (MANAGER.peer_id, "hi")

        await call(client, "on_contacts", worker=worker)
        await trio.sleep(1000)
        assert (await call(client, "look", worker=worker))[0] == 3, "the clock starts it no more"
        async with visitor(fabric):
            await trio.sleep(1)
        count, *_, event, _ = await call(client, "look", worker=worker)
        assert count == 4
        assert event == {"timer": [], "peer": [{"peer_id": STRANGER.peer_id, "connected": True}]}

        assert await call(client, "dismiss", deal="deal") == []
        with pytest.raises(ParticleExpired):
            await call(client, "look", worker=worker)

    simulated(main)


def test_errors_of_a_script_are_kept():
    async def main(client: Client, hosting, fabric):
        worker = await call(client, "hire", deal="0xDeal")
        script = """
        (xor (call %init_peer_id% ("op" "concat_strings") [1] text)
             (call %init_peer_id% ("errorHandlingSrv" "error") [:error: 7]))"""
        spell = await call(client, "install", worker=worker, script=script, name="Ada", period=60)
        await trio.sleep(70)
        found = (await call(client, "look", worker=worker))[-1]["particle_errors"]
        assert [one["particle_id"] for one in found] == [f"spell_{spell}_{n}" for n in range(2)]
        (entry,) = found[0]["errors"]
        assert entry["error_idx"] == 7
        assert entry["last_error"] == {
            "error_code": 10000,
            "instruction": 'call %init_peer_id% ("op" "concat_strings") [1] text',
            "message": "Local service error, ret_code is 1, error message is "
            "'\"all arguments of 'concat_strings' must be strings: argument #0 is not\"'",
            "peer_id": worker,
        }

    simulated(main)


def test_spells_and_their_workers_are_there_after_a_restart(tmp_path):
    state = MemoryStore()

    async def before(client: Client, hosting, fabric):
        worker, _ = await hired(client, period=600)
        await trio.sleep(700)
        return worker

    worker = simulated(before, tmp_path, state=state)

    async def after(client: Client, hosting, fabric):
        assert hosting.restored
        await trio.sleep(1300)
        count, text, seen, logs, *_ = await call(client, "look", worker=worker)
        assert (count, text, len(seen)) == (5, '"hello Ada"', 5)
        assert [entry["timestamp"] - logs[2]["timestamp"] for entry in logs[2:]] == [0, 600, 1200]
        assert logs[2]["timestamp"] >= EPOCH + 10_000

    simulated(after, tmp_path, seconds=10_000, state=state)


ACTIVATE = """
(xor
 (seq (call %init_peer_id% ("getDataSrv" "-relay-") [] relay)
 (seq (call relay ("worker" "{}") ["deal"])
      (call %init_peer_id% ("callbackSrv" "response") [])))
 (call %init_peer_id% ("errorHandlingSrv" "error") [:error: 0]))"""
ENTER = """
(seq (call %init_peer_id% ("getDataSrv" "-relay-") [] relay)
(seq (call %init_peer_id% ("getDataSrv" "worker") [] worker)
(seq (call relay ("op" "noop") [])
(seq (call worker ("sig" "get_peer_id") [] name)
(seq (call relay ("op" "noop") [])
     (call %init_peer_id% ("callbackSrv" "response") [name]))))))"""


def test_a_deactivated_worker_lets_only_administrators_in():
    async def whole():
        fabric, clock = Fabric(), LoopClock(EPOCH * 1000)
        async with open_hosting(clock=clock, fabric=fabric, author=STRANGER) as (client, host, hosting):
            worker = hosting.workers.create("deal", HOST.peer_id, ()).id
            enter = {"ttl_ms": 5000, "arguments": {"worker": worker}}
            assert (await client.call(ENTER, **enter)).values == [worker], "a scope of its own"
            with pytest.raises(WorkflowError, match="Only management or host peer can deactivate deal"):
                await client.call(ACTIVATE.format("deactivate"), ttl_ms=5000)
            hosting.workers.set_active(hosting.workers.get(worker), False)
            dropped = []
            host.on_dropped.append(lambda drop: dropped.append((drop.reason.name, drop.detail)))
            with pytest.raises(ParticleExpired):
                await client.call(ENTER, **enter)
            assert dropped == [("SCOPE_GONE", worker)]
            hosting.workers.set_active(hosting.workers.get(worker), True)
            assert (await client.call(ENTER, **enter)).values == [worker]

    trio.run(whole, clock=trio.testing.MockClock(autojump_threshold=0))


def test_the_manager_enters_a_deactivated_worker():
    async def main(client: Client, hosting, fabric):
        worker, spell = await hired(client)
        await client.call(ACTIVATE.format("deactivate"), ttl_ms=5000)
        await trio.sleep(300)
        assert (await call(client, "look", worker=worker))[0] == 1, "its spells are stopped"
        with pytest.raises(WorkflowError, match="Service with alias 'worker-spell' is not found on worker"):
            await client.call(ACTIVATE.format("activate"), ttl_ms=5000)
        await hosting.hosted.add_alias(worker, "worker-spell", spell, MANAGER.peer_id)
        await client.call(ACTIVATE.format("activate"), ttl_ms=5000)
        await trio.sleep(1000)
        assert (await call(client, "look", worker=worker))[0] == 3, "at once and after 900 seconds"

    simulated(main)
