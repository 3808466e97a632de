"""The shell of a peer: tasks, time and bytes around the core, under a clock that jumps."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from avm import Avm
from avm.outcome import Outcome
from runtime.clock import LoopClock
from runtime.config import SEND_TIMEOUT_S, PeerConfig
from runtime.core.limits import CoreLimits
from runtime.core.particle import new_particle
from runtime.inprocess import Fabric, address_of
from runtime.network import DialFailed, Unreachable
from runtime.peer import Peer
from runtime.protocol import codec
from runtime.protocol.identity import named_identity
from runtime.services.registry import Services
from runtime.vm import InlineVm, ThreadVm, VmFailure

A, B, C, D = (named_identity(name) for name in "abcd")
CLOCK_START = 1_700_000_000_000


def check(main, *args):
    """Run a test's main function with simulated time; nothing may take real seconds."""
    trio.run(main, *args, clock=trio.testing.MockClock(autojump_threshold=0))


def particle(script, *, ttl=10_000, author=A, particle_id="p"):
    return new_particle(author, particle_id=particle_id, timestamp=CLOCK_START, ttl=ttl, script=script)


class Probe:
    """A service that records what it is called with."""

    def __init__(self):
        self.calls = []
        self.waiting = 0

    def services(self):
        services = Services()
        services.add("probe", {"note": self.note, "hang": self.hang, "fail": self.fail})
        return services

    def note(self, values, context):
        self.calls.append((trio.current_time(), values, context.scope_id))
        return "noted"

    async def hang(self, values, context):
        self.waiting += 1
        try:
            await trio.sleep_forever()
        finally:
            self.waiting -= 1

    def fail(self, values, context):
        raise RuntimeError("broken")


def make(fabric, identity, probe=None, *, listen=True, bootstrap=(), vm=None, limits=None, clock=None):
    config = PeerConfig(
        identity,
        listen=("/memory/0",) if listen else (),
        bootstrap=tuple(address_of(other.peer_id) for other in bootstrap),
        limits=limits or CoreLimits(),
    )
    return Peer(
        config,
        fabric.endpoint(identity.peer_id),
        vm=vm or InlineVm(Avm("python")),
        services=(probe or Probe()).services(),
        clock=clock or LoopClock(CLOCK_START),
    )


def test_a_particle_visits_two_peers():
    async def main():
        fabric, probe_a, probe_b = Fabric(), Probe(), Probe()
        async with make(fabric, A, probe_a) as a, make(fabric, B, probe_b, bootstrap=[A]) as b:
            a.submit(particle(
                f'(seq (call "{B.peer_id}" ("probe" "note") ["x"] r) (call "{A.peer_id}" ("probe" "note") [r]))'
            ))  # fmt: skip
            await trio.sleep(1)
            assert [values for _, values, _ in probe_b.calls] == [["x"]]
            assert [values for _, values, _ in probe_a.calls] == [["noted"]]
            assert a.network.peers() == (B.peer_id,)
            assert (a.counters.sent, b.counters.received, b.counters.sent) == (1, 1, 1)

    check(main)


def test_calls_run_at_the_same_time():
    async def main():
        probe = Probe()
        async with make(Fabric(), A, probe) as a:
            a.submit(particle(
                f'(par (call "{A.peer_id}" ("probe" "hang") []) (call "{A.peer_id}" ("probe" "note") []))'
            ))  # fmt: skip
            await trio.sleep(0.1)
            assert probe.waiting == 1
            assert len(probe.calls) == 1

    check(main)


def test_expiry_cancels_calls():
    async def main():
        probe = Probe()
        async with make(Fabric(), A, probe) as a:
            forgotten = []
            a.on_forget.append(forgotten.append)
            a.submit(particle(f'(call "{A.peer_id}" ("probe" "hang") [])', ttl=5000))
            await trio.sleep(4.9)
            assert (probe.waiting, len(forgotten)) == (1, 0)
            await trio.sleep(0.2)
            assert (probe.waiting, len(forgotten)) == (0, 1)
            assert a.core.actor_count == 0

    check(main)


def test_leaving_cancels_calls():
    async def main():
        probe = Probe()
        async with make(Fabric(), A, probe) as a:
            a.submit(particle(f'(call "{A.peer_id}" ("probe" "hang") [])'))
            await trio.sleep(0.1)
            assert probe.waiting == 1
        assert probe.waiting == 0

    check(main)


def test_a_broken_service_is_an_error_of_the_program():
    async def main():
        probe = Probe()
        async with make(Fabric(), A, probe) as a:
            a.submit(particle(
                f'(xor (call "{A.peer_id}" ("probe" "fail") []) (call "{A.peer_id}" ("probe" "note") [:error:.$.message]))'
            ))  # fmt: skip
            await a.wait_idle()
            ((_, (message,), _),) = probe.calls
            assert "broken" in message

    check(main)


def test_an_unreachable_target_does_not_hold_up_the_others():
    async def main():
        fabric, probe = Fabric(), Probe()
        async with make(fabric, A) as a, make(fabric, B, probe):
            missed = []
            a.on_unreachable.append(lambda target, _: missed.append(target))
            a.submit(particle(
                f'(par (call "{C.peer_id}" ("probe" "note") []) (call "{B.peer_id}" ("probe" "note") []))'
            ))  # fmt: skip
            await trio.sleep(0.1)
            assert len(probe.calls) == 1
            assert missed == [C.peer_id]
            assert a.counters.failed_sends == 1

    check(main)


class Stuck:
    """A network whose other side never reads."""

    peer_id = A.peer_id
    addresses = ()

    async def serve(self, receiver, listen, *, task_status):
        task_status.started(())
        await trio.sleep_forever()

    async def send(self, peer_id, message):
        await trio.sleep_forever()


def test_who_never_reads_makes_a_peer_hold_only_so_much(monkeypatch):
    monkeypatch.setattr("runtime.protocol.held.HELD_BYTES_FREE", 0)
    monkeypatch.setattr("runtime.protocol.held.HELD_BYTES_PER_PEER_MAX", 5000)

    async def main():
        peer = Peer(
            PeerConfig(A), Stuck(), vm=InlineVm(Avm("python")), services=Services(), clock=LoopClock(CLOCK_START)
        )
        async with peer:
            for number in range(20):
                peer.submit(particle(f'(call "{B.peer_id}" ("op" "noop") ["{number}"])', ttl=60_000))
            peer.submit(particle(f'(call "{C.peer_id}" ("op" "noop") [])', ttl=60_000))
            await trio.sleep(1)
            dropped = peer.counters.failed_sends
            assert 0 < dropped < 20
            await trio.sleep(SEND_TIMEOUT_S)
            assert peer.is_idle
            assert peer.counters.failed_sends == 21
            assert peer._outgoing.total == 0

    check(main)


def test_a_send_that_hangs_is_given_up():
    async def main():
        peer = Peer(
            PeerConfig(A), Stuck(), vm=InlineVm(Avm("python")), services=Services(), clock=LoopClock(CLOCK_START)
        )
        async with peer:
            peer.submit(particle(f'(call "{B.peer_id}" ("op" "noop") [])', ttl=60_000))
            await trio.sleep(SEND_TIMEOUT_S - 1)
            assert not peer.is_idle
            await trio.sleep(2)
            assert peer.is_idle
            assert peer.counters.failed_sends == 1

    check(main)


def test_bad_messages_are_counted_and_change_nothing():
    async def main():
        fabric = Fabric()
        async with make(fabric, A) as a, make(fabric, B) as b:
            for message in (b"", b"garbage", codec.MULTICODEC + b"\x80", codec.encode(particle("(null)"))[:-1]):
                await b.network.send(A.peer_id, message)
            good = particle("(null)")
            for tampered in (good.with_data(b"x"), good):
                await b.network.send(A.peer_id, codec.encode(tampered))
            await trio.sleep(0.1)
            assert a.counters.malformed == 4
            assert a.core.actor_count == 1
            assert a.is_idle

    check(main)


def test_a_broken_interpreter_costs_one_run():
    class Moody:
        def __init__(self):
            self.runs = 0

        async def run(self, run):
            self.runs += 1
            if self.runs == 1:
                raise VmFailure("trap")
            return Outcome(0, "", b"data")

    async def main():
        vm = Moody()
        async with make(Fabric(), A, vm=vm) as a:
            failed = []
            a.on_failed.append(failed.append)
            a.submit(particle("(null)"))
            a.submit(particle("(null)"))
            await a.wait_idle()
            assert [(item.ret_code, item.message) for item in failed] == [(-1, "trap")]
            assert vm.runs == 2

    check(main)


def test_the_network_waits_while_the_peer_is_busy():
    class Slow:
        async def run(self, run):
            await trio.sleep(1)
            return Outcome(0, "", b"data")

    async def main():
        fabric = Fabric()
        limits = CoreLimits(runs_max=1, backlog_max=2)
        async with make(fabric, A, vm=Slow(), limits=limits) as a, make(fabric, B) as b:
            for number in range(8):
                await b.network.send(A.peer_id, codec.encode(particle("(null)", particle_id=f"p{number}", ttl=60_000)))
            await trio.sleep(0.5)
            assert a.core.actor_count == 3
            await trio.sleep(10)
            assert a.core.actor_count == 8
            assert a.counters.dropped == 0

    check(main)


def test_draining_ends_what_has_begun_and_takes_nothing_new():
    class Slow:
        async def run(self, run):
            await trio.sleep(3)
            return Outcome(0, "", b"data")

    async def main():
        fabric = Fabric()
        async with make(fabric, A, vm=Slow()) as a, make(fabric, B) as b:
            a.submit(particle("(null)", particle_id="1"))
            assert not await a.drain(1)
            await b.network.send(A.peer_id, codec.encode(particle("(null)", particle_id="2")))
            assert await a.drain(10)
            assert trio.current_time() == pytest.approx(3, abs=0.1)
            assert a.core.actor_count == 1

    check(main)


def test_bootstrap_addresses_are_tried_for_ever_and_again_after_a_loss():
    async def main():
        fabric = Fabric()
        async with make(fabric, A, bootstrap=[B]) as a:
            await trio.sleep(4)
            async with make(fabric, B):
                await trio.sleep(2)
                assert a.network.peers() == (B.peer_id,)
            assert a.network.peers() == ()
            await trio.sleep(100)
            async with make(fabric, B):
                await trio.sleep(61)
                assert a.network.peers() == (B.peer_id,)

    check(main)


def test_a_peer_id_runs_once():
    async def main():
        fabric = Fabric()
        async with make(fabric, A):
            with pytest.raises(DialFailed, match="already running"):
                async with make(fabric, A):
                    raise AssertionError("entered")

    check(main)


def test_what_the_block_raises_is_not_wrapped():
    async def main():
        with pytest.raises(KeyError):
            async with make(Fabric(), A):
                raise KeyError("mine")

    check(main)


def test_a_peer_belongs_to_its_network():
    with pytest.raises(ValueError, match="belongs to"):
        Peer(PeerConfig(A), Fabric().endpoint(B.peer_id), vm=InlineVm(Avm("python")), services=Services())


def test_clients_are_found_only_over_their_own_connection():
    async def main():
        fabric = Fabric()
        async with make(fabric, A) as relay, make(fabric, B) as other, make(fabric, C, listen=False) as client:
            with pytest.raises(DialFailed):
                await client.network.dial("/ip4/127.0.0.1/tcp/1")
            with pytest.raises(DialFailed):
                await other.network.dial(address_of(C.peer_id))
            await client.network.dial(address_of(A.peer_id))
            await relay.network.send(C.peer_id, b"x")
            with pytest.raises(Unreachable):
                await other.network.send(C.peer_id, b"x")
            assert relay.network.contact(C.peer_id).addresses == ()
            assert client.network.contact(A.peer_id).addresses == (address_of(A.peer_id),)
            assert other.network.contact(C.peer_id) is None

    check(main)


def test_requests_between_peers():
    async def main():
        fabric = Fabric()

        async def double(sender, payload):
            return sender.encode() + payload * 2

        async with make(fabric, A) as a, make(fabric, B) as b:
            a.network.handle("/double", double)
            assert await b.network.rpc(A.peer_id, "/double", b"xy") == B.peer_id.encode() + b"xyxy"
            with pytest.raises(Unreachable):
                await b.network.rpc(A.peer_id, "/other", b"")
            with pytest.raises(Unreachable):
                await b.network.rpc(C.peer_id, "/double", b"")

    check(main)


def test_runs_in_threads():
    """Real threads, real time: as many interpreters as allowed, made when needed, and a broken one is thrown away."""

    class Interpreter:
        made = 0

        def __init__(self):
            type(self).made += 1

        def invoke(self, air, prev_data, data, params, call_results):
            if air == "(boom)":
                raise RuntimeError("boom")
            return Outcome(0, "", air.encode())

    async def main():
        clock = LoopClock(CLOCK_START - int(trio.current_time() * 1000))
        async with make(Fabric(), A, vm=ThreadVm(Interpreter, size=2), clock=clock) as a:
            for number in range(6):
                a.submit(particle("(boom)" if number == 0 else "(null)", particle_id=f"p{number}"))
            await a.wait_idle()
            assert a.counters.runs == 6
            assert a.counters.failed_runs == 1
            assert 2 <= Interpreter.made <= 3

    trio.run(main)


def test_a_pool_has_a_size():
    with pytest.raises(ValueError, match="at least one"):
        ThreadVm(lambda: Avm("python"), size=0)


class Deaf:
    """A network in which one peer never reads."""

    peer_id = A.peer_id
    addresses = ()

    def __init__(self):
        self.sent = []

    async def serve(self, receiver, listen, *, task_status):
        task_status.started(())
        await trio.sleep_forever()

    async def send(self, peer_id, message):
        if peer_id == B.peer_id:
            await trio.sleep_forever()
        self.sent.append(peer_id)


def test_who_reads_slowly_loses_messages_and_nobody_else_does(monkeypatch, caplog):
    monkeypatch.setattr("runtime.peer.SENDS_PER_TARGET_MAX", 3)
    monkeypatch.setattr("runtime.peer.SENDS_MAX", 4)
    caplog.set_level("INFO", "runtime.peer")

    async def main():
        network = Deaf()
        peer = Peer(
            PeerConfig(A), network, vm=InlineVm(Avm("python")), services=Services(), clock=LoopClock(CLOCK_START)
        )

        async def deliver(target, particle_id, author=D):
            made = particle(f'(call "{target}" ("op" "noop") [])', ttl=90_000, particle_id=particle_id, author=author)
            with trio.fail_after(1):
                await peer.on_message(C.peer_id, codec.encode(made))
            await trio.sleep(0.1)

        async with peer:
            for number in range(3):
                await deliver(B.peer_id, f"b{number}")
            assert (peer.counters.refused_sends, peer.counters.failed_sends) == (0, 0)
            await deliver(B.peer_id, "b3")
            assert (peer.counters.refused_sends, peer.counters.failed_sends) == (1, 1)
            assert f"particle b3 not sent to {B.peer_id}: 3 messages are on their way to it" in caplog.text
            await deliver(C.peer_id, "c")
            assert network.sent == [C.peer_id]
            # what this peer wrote itself is no stranger's load
            await deliver(B.peer_id, "own", author=A)
            assert (peer.counters.refused_sends, peer._sending) == (1, 4)
            await trio.sleep(SEND_TIMEOUT_S)
            assert (peer.counters.refused_sends, peer.counters.failed_sends) == (1, 5)
            assert not peer._sending_to
            await deliver(B.peer_id, "b4")
            assert (peer.counters.refused_sends, peer._sending) == (1, 1)

    check(main)


def test_one_author_has_only_so_many_messages_on_their_way(monkeypatch):
    monkeypatch.setattr("runtime.peer.SENDS_PER_AUTHOR_MAX", 2)

    async def main():
        peer = Peer(
            PeerConfig(A), Stuck(), vm=InlineVm(Avm("python")), services=Services(), clock=LoopClock(CLOCK_START)
        )
        targets = [named_identity(f"target{number}").peer_id for number in range(4)]

        def script(count):
            text = "(null)"
            for target in targets[:count]:
                text = f'(par (call "{target}" ("op" "noop") []) {text})'
            return text

        async with peer:
            for author, count, sending, refused in ((D, 2, 2, 0), (C, 3, 4, 1), (D, 1, 4, 2), (A, 4, 8, 2)):
                made = particle(script(count), author=author, particle_id=f"p{sending}{refused}", ttl=60_000)
                await peer.on_message(B.peer_id, codec.encode(made))
                await trio.sleep(0.1)
                assert (peer._sending, peer.counters.refused_sends) == (sending, refused)
            await trio.sleep(SEND_TIMEOUT_S)
            assert (peer._sending, peer._sending_of) == (0, {})

    check(main)


def test_one_authors_backlog_does_not_stop_what_others_send():
    class Slow:
        async def run(self, run):
            await trio.sleep(1)
            return Outcome(0, "", b"data")

    async def main():
        limits = CoreLimits(runs_max=1, backlog_max=8)
        async with make(Fabric(), A, vm=Slow(), limits=limits) as a, trio.open_nursery() as nursery:
            for number in range(6):
                message = codec.encode(particle("(null)", particle_id=f"c{number}", author=C))
                nursery.start_soon(a.on_message, B.peer_id, message)
            await trio.sleep(0.1)
            # one runs, a quarter of the backlog waits in the peer, the others wait in the network
            assert a.core.actor_count == 3
            with trio.fail_after(0.1):
                await a.on_message(B.peer_id, codec.encode(particle("(null)", particle_id="d", author=D)))
            assert a.core.actor_count == 4
            await trio.sleep(9)
            assert (a.core.actor_count, a.counters.dropped) == (7, 0)

    check(main)


def test_waiting_calls_start_as_others_finish():
    async def main():
        probe, release = Probe(), trio.Event()

        async def wait(values, context):
            probe.waiting += 1
            await release.wait()
            return values[0]

        services = probe.services()
        services.add("probe", {"wait": wait})
        network = Fabric().endpoint(A.peer_id)
        config = PeerConfig(A, limits=CoreLimits(actor_calls_max=2))
        vm = InlineVm(Avm("python"))
        async with Peer(config, network, vm=vm, services=services, clock=LoopClock(CLOCK_START)) as a:
            calls = [f'(call "{A.peer_id}" ("probe" "wait") ["{number}"] v{number})' for number in range(4)]
            script = f"(par (par {calls[0]} {calls[1]}) (par {calls[2]} {calls[3]}))"
            note = f'(call "{A.peer_id}" ("probe" "note") [v0 v1 v2 v3])'
            a.submit(particle(f"(seq {script} {note})"))
            await trio.sleep(0.1)
            assert (probe.waiting, a.counters.calls) == (2, 2)
            release.set()
            await a.wait_idle()
            assert [values for _, values, _ in probe.calls] == [["0", "1", "2", "3"]]

    check(main)


def test_outgoing_messages_are_bounded(monkeypatch):
    """While too many messages wait to leave, nothing more is taken in; they leave, and it goes on."""
    monkeypatch.setattr("runtime.peer.SENDS_MAX", 1)

    class Gate:
        peer_id = A.peer_id
        addresses = ()

        def __init__(self):
            self.open = trio.Event()

        async def serve(self, receiver, listen, *, task_status):
            task_status.started(())
            await trio.sleep_forever()

        async def send(self, peer_id, message):
            await self.open.wait()

    async def main():
        gate = Gate()
        peer = Peer(PeerConfig(A), gate, vm=InlineVm(Avm("python")), services=Services(), clock=LoopClock(CLOCK_START))
        script = f'(call "{B.peer_id}" ("op" "noop") [])'
        async with peer, trio.open_nursery() as nursery:
            for number in range(3):
                message = codec.encode(particle(script, particle_id=f"p{number}"))
                nursery.start_soon(peer.on_message, B.peer_id, message)
                await trio.sleep(0.1)
            assert peer.core.actor_count == 1
            gate.open.set()
            await trio.sleep(0.1)
            assert peer.core.actor_count == 3
            assert peer.counters.sent == 3

    check(main)


def test_a_list_of_bootstrap_peers_for_all_peers_may_name_the_peer_itself():
    addresses = tuple(address_of(one.peer_id) for one in (A, B))
    assert PeerConfig(A, bootstrap=addresses).bootstrap == addresses[1:]
    assert PeerConfig(B, bootstrap=addresses).bootstrap == addresses[:1]
