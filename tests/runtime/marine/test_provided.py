"""A Wasm service among the services of a peer: results, errors, cancellation, and how many calls run at once."""

from __future__ import annotations

import pytest
import trio

from avm.data.interpreter_data import Tetraplet
from runtime.core.particle import Particle
from runtime.marine import provided
from runtime.marine.provided import load_wasm_service
from runtime.python_services import ServiceFileError
from runtime.services.registry import UNIT, CallContext, ServiceError
from tests.runtime.marine.kit import function, module

IMPORTS = '(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))'
BODY = """
  (data (i32.const 0) "begun")
  (global $count (mut i32) (i32.const 0))
  (func $begun (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (call $log (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5)))
  (func (export "forever") (call $begun) (loop $again (br $again)))
  (func (export "once") (call $begun))
  (func (export "count") (result i32) (global.get $count))
  (func (export "fail") unreachable)
"""
INTERFACE = {"functions": [function("forever"), function("once"), function("count", "", "u32"), function("fail")]}
PARTICLE = Particle("id", "author", 1_700_000_000_000, 7000, "(null)", b"signature", b"")


def context(name):
    return CallContext(PARTICLE, "host", "host", "m", name, [[Tetraplet("peer", "service", "function", "")]])


class Peer:
    """Handlers of a service, called as a peer does it."""

    def __init__(self, path, monkeypatch, **config):
        self.records = []
        self._then = []
        monkeypatch.setattr(provided, "_log", self._log)
        self.handlers = load_wasm_service(str(path), None, **config)

    def _log(self, record):
        self.records.append(record)
        for then in self._then:
            then()

    def when_begun(self, then):
        self._then.append(then)

    async def call(self, name):
        return await self.handlers[name]([], context(name))


@pytest.fixture
def peer(tmp_path, monkeypatch):
    def make(**config):
        path = tmp_path / "m.wasm"
        path.write_bytes(module(BODY, INTERFACE, imports=IMPORTS))
        config_path = tmp_path / "m.toml"
        config_path.write_text(
            'total_memory_limit = "Infinity"\nmodules_dir = "."\n[[module]]\nname = "m"\nlogger_enabled = true\n'
        )
        return Peer(config_path, monkeypatch, **config)

    return make


def test_results_and_errors(peer):
    async def main():
        assert await made.call("once") is UNIT
        assert await made.call("count") == 1
        with pytest.raises(ServiceError, match=r"Error: engine error: .*unreachable"):
            await made.call("fail")
        assert await made.call("count") == 1

    made = peer()
    trio.run(main)
    assert [record.message for record in made.records] == ["begun"]


def test_a_call_out_of_time(peer):
    async def main():
        with pytest.raises(ServiceError, match="ran out of time"):
            await made.call("forever")
        assert await made.call("count") == 1

    made = peer(timeout_ms=20)
    trio.run(main)


def test_a_cancelled_call_stops_the_module(peer):
    """And the service is free for the next one."""

    async def main():
        token = trio.lowlevel.current_trio_token()
        for done in (1, 2):
            with trio.CancelScope() as scope:
                made.when_begun(lambda scope=scope: token.run_sync_soon(scope.cancel))
                await made.call("forever")
            assert scope.cancelled_caught
            assert await made.call("count") == done

    made = peer()
    trio.run(main)


def test_a_cancelled_call_that_waits_for_its_turn_never_begins(peer):
    async def main():
        token = trio.lowlevel.current_trio_token()
        begun = trio.Event()
        made.when_begun(lambda: token.run_sync_soon(begun.set))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(made.call, "forever")
            await begun.wait()
            with trio.CancelScope() as scope:
                scope.cancel()
                await made.call("once")
            assert scope.cancelled_caught
            nursery.cancel_scope.cancel()
        assert await made.call("count") == 1

    made = peer()
    trio.run(main)


def test_calls_that_wait_take_no_threads(peer, monkeypatch):
    """A stranger may send any number of particles; one call of a service runs at a time."""
    pending = []

    async def finished(call):
        assert all(earlier.done() for earlier in pending)
        pending.append(call)
        return await provided_finished(call)

    async def main():
        async with trio.open_nursery() as nursery:
            for _ in range(200):
                nursery.start_soon(made.call, "once")
        assert await made.call("count") == 200

    made = peer()
    provided_finished = provided.finished
    monkeypatch.setattr(provided, "finished", finished)
    trio.run(main)
    assert len(pending) == 201


def test_files_that_are_no_service(tmp_path):
    (tmp_path / "m.wasm").write_bytes(b"\0asm")
    for name in ("m.wasm", "missing.wasm"):
        with pytest.raises(ServiceFileError, match=name):
            load_wasm_service(str(tmp_path / name), None)
