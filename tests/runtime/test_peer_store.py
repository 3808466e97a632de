"""A peer and data that are written later: nothing is sent or called before, and a peer that starts again goes on."""

from __future__ import annotations

from contextlib import closing

import trio
import trio.testing

from avm import Avm
from runtime.clock import LoopClock
from runtime.config import PeerConfig
from runtime.inprocess import Fabric
from runtime.peer import Peer
from runtime.protocol import codec
from runtime.store.limits import UNWRITTEN_BYTES_MAX
from runtime.store.particle_data import KeptParticleData, MemoryParticleData
from runtime.store.sqlite_state import open_state
from runtime.vm import InlineVm
from tests.runtime.test_peer import CLOCK_START, A, B, Probe, make, particle


def check(main):
    """Run with a clock that stands still unless the test moves it: there are threads, which take no time."""
    trio.run(main, clock=trio.testing.MockClock())


async def pass_by(seconds):
    """Move the clock and let everything happen that follows."""
    trio.lowlevel.current_clock().jump(seconds)
    await trio.testing.wait_all_tasks_blocked()


class Later(MemoryParticleData):
    """Data that are on disk when the test says so."""

    __slots__ = ("bytes_waiting", "listeners", "newest", "on_disk")

    def __init__(self):
        super().__init__()
        self.newest = self.on_disk = self.bytes_waiting = 0
        self.listeners = []

    def save(self, key, data, *, deadline_ms):
        super().save(key, data, deadline_ms=deadline_ms)
        self.newest += 1

    @property
    def unwritten(self):
        return 0 if self.newest == self.on_disk else self.newest

    @property
    def unwritten_bytes(self):
        return self.bytes_waiting

    @property
    def written(self):
        return self.on_disk

    def watch(self, listener):
        self.listeners.append(listener)

    async def write(self, number=None):
        self.on_disk = self.newest if number is None else number
        for listener in self.listeners:
            await trio.to_thread.run_sync(listener)
        await trio.testing.wait_all_tasks_blocked()


def peer_with(fabric, store, probe, *, clock=None):
    return Peer(
        PeerConfig(A, listen=("/memory/0",)),
        fabric.endpoint(A.peer_id),
        vm=InlineVm(Avm("python")),
        services=probe.services(),
        clock=clock or LoopClock(CLOCK_START),
        store=store,
    )


NOTE = f'(call "{A.peer_id}" ("probe" "note") ["x"])'
SEND = f'(call "{B.peer_id}" ("probe" "note") ["y"])'


def test_calls_and_messages_wait_for_the_disk():
    async def main():
        fabric, store, probe, far = Fabric(), Later(), Probe(), Probe()
        async with peer_with(fabric, store, probe) as a, make(fabric, B, far, bootstrap=[A]):
            await trio.testing.wait_all_tasks_blocked()
            a.submit(particle(f"(par {NOTE} {SEND})"))
            await trio.testing.wait_all_tasks_blocked()
            assert (store.newest, probe.calls, far.calls) == (1, [], [])
            assert not a.is_idle
            assert (a.counters.calls, a.counters.sent) == (0, 0)
            await store.write(0)
            assert (probe.calls, far.calls) == ([], []), "not these data"
            await store.write()
            assert len(probe.calls) == 1
            assert len(far.calls) == 1
            await store.write()
            await a.wait_idle()

    check(main)


def test_a_call_whose_particle_is_over_is_not_made():
    async def main():
        store, probe = Later(), Probe()
        async with peer_with(Fabric(), store, probe) as a:
            a.submit(particle(NOTE, ttl=50))
            await trio.testing.wait_all_tasks_blocked()
            await pass_by(1)
            assert a.core.actor_count == 0
            await store.write()
            assert probe.calls == []
            assert a.is_idle

    check(main)


def test_a_slow_disk_makes_the_network_wait():
    async def main():
        store, probe = Later(), Probe()
        async with peer_with(Fabric(), store, probe) as a, trio.open_nursery() as nursery:
            store.bytes_waiting = UNWRITTEN_BYTES_MAX + 1
            nursery.start_soon(a.on_message, B.peer_id, codec.encode(particle(NOTE)))
            await trio.testing.wait_all_tasks_blocked()
            assert a.core.actor_count == 0
            store.bytes_waiting = UNWRITTEN_BYTES_MAX
            await store.write()
            assert a.core.actor_count == 1

    check(main)


def life(path, *particles, now_ms=CLOCK_START):
    """One life of a peer with its store on disk; what was called, and how many data are kept at its end."""
    probe = Probe()

    async def main():
        with closing(open_state(path, now_ms=now_ms)) as store:
            async with peer_with(Fabric(), KeptParticleData(store), probe, clock=LoopClock(now_ms)) as a:
                for one in particles:
                    a.submit(one)
                with trio.fail_after(60):
                    await a.wait_idle()
            return len(store.entries("particles"))

    return trio.run(main, clock=trio.testing.MockClock()), [values for _, values, _ in probe.calls]


def test_a_peer_that_starts_again_goes_on_with_what_it_had(tmp_path):
    path = tmp_path / "state.db"
    one, other = particle(NOTE, particle_id="one"), particle(NOTE, particle_id="other")
    assert life(path, one) == (1, [["x"]])
    assert life(path, one, other) == (2, [["x"]]), "only the other one calls"
    assert life(path, one, other, one, other) == (2, [])
    # at the end of their lives they are forgotten, and a copy that comes too late is refused
    assert life(path, one, now_ms=one.deadline_ms) == (2, [])
    assert life(path, one, now_ms=one.deadline_ms + 1) == (0, [])


def test_what_nothing_comes_for_is_forgotten_while_the_peer_runs(tmp_path):
    path = tmp_path / "state.db"
    assert life(path, particle(NOTE, ttl=1000)) == (1, [["x"]])

    async def main():
        with closing(open_state(path, now_ms=CLOCK_START)) as store:
            data = KeptParticleData(store)
            async with peer_with(Fabric(), data, Probe()):
                await trio.testing.wait_all_tasks_blocked()
                await pass_by(1.001)
                assert (data.total_bytes, list(data.kept())) == (0, [])

    check(main)
