"""Calls from a client: results, errors and the end of time."""

from __future__ import annotations

import asyncio
import re

import pytest
import trio
import trio.testing

from avm import Avm
from runtime.client import (
    Abandoned,
    ArgumentError,
    CallRefused,
    Client,
    ExtraMissing,
    InterpreterError,
    ParticleExpired,
    WorkflowError,
    WrongLoop,
    connect,
)
from runtime.client import pending as pending_module
from runtime.clock import LoopClock
from runtime.config import PeerConfig
from runtime.core.actions import DropReason
from runtime.core.limits import CoreLimits
from runtime.core.peer_core import ClientPolicy
from runtime.inprocess import Fabric
from runtime.local import open_local_network, peer_ids
from runtime.peer import Peer
from runtime.protocol.identity import named_identity
from runtime.services.client import ClientServices
from runtime.vm import InlineVm

RESPOND = '(call %init_peer_id% ("callbackSrv" "response") [{}])'
RELAY = '(call %init_peer_id% ("getDataSrv" "-relay-") [] relay)'


def check(script, *, extra=0, arguments=None, callbacks=None, ttl_ms=5000, prepare=None):
    """Call a script on a network of its own with simulated time; the values of the response."""

    async def main():
        vm = InlineVm(Avm("python"))
        async with open_local_network(extra=extra, vm=vm, clock=LoopClock(), console=lambda line: None) as network:
            if prepare is not None:
                prepare(network)
            answer = await network.client.call(script, ttl_ms=ttl_ms, arguments=arguments, callbacks=callbacks)
            return answer.values

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def seq(*parts):
    return parts[0] if len(parts) == 1 else f"(seq {parts[0]} {seq(*parts[1:])})"


def test_arguments_and_results():
    load = [f'(call %init_peer_id% ("getDataSrv" "{name}") [] {name})' for name in ("x", "y")]
    assert check(seq(*load, RESPOND.format("y x")), arguments={"x": 1, "y": [None]}) == [[None], 1]


def test_no_result():
    assert check(RESPOND.format("")) == []


def test_only_the_first_response_counts():
    assert check(seq(RESPOND.format("1"), RESPOND.format("2"))) == [1]


def test_over_the_relay_and_back():
    hop = '(call relay ("op" "noop") [])'
    assert check(seq(RELAY, '(call relay ("op" "identity") ["x"] r)', hop, RESPOND.format("r"))) == ["x"]


def test_a_way_over_many_peers():
    ids = peer_ids(3)
    visits = [f'(call "{ids[name]}" ("op" "array") ["{name}"] {name})' for name in ("peer1", "peer2", "peer3")]
    hops = [RELAY, '(call relay ("op" "noop") [])', *visits, '(call relay ("op" "noop") [])']
    assert check(seq(*hops, RESPOND.format("peer1 peer2 peer3")), extra=3) == [["peer1"], ["peer2"], ["peer3"]]


def test_callbacks_may_wait():
    async def double(values):
        await trio.sleep(1)
        return values[0] * 2

    script = seq('(call %init_peer_id% ("callbackSrv" "cb") [21] r)', RESPOND.format("r"))
    assert check(script, callbacks={"cb": double}) == [42]


def test_an_error_of_the_program():
    script = f"""(xor (seq {RELAY} (call relay ("op" "nothing") []))
                      (call %init_peer_id% ("errorHandlingSrv" "error") [:error: 0]))"""
    with pytest.raises(WorkflowError, match=r"Service with id 'op' not found \(function nothing\)") as caught:
        check(script)
    assert caught.value.value["error_code"] == 10000
    assert caught.value.value["peer_id"] == peer_ids(0)["relay"]


def test_an_error_without_a_value():
    with pytest.raises(WorkflowError, match="without saying which"):
        check('(call %init_peer_id% ("errorHandlingSrv" "error") [])')


def test_an_error_of_the_interpreter():
    with pytest.raises(InterpreterError) as caught:
        check('(fail 7 "why")')
    assert re.fullmatch(r"Script interpretation failed: .*  \(particle id: [-0-9a-f]{36}\)", str(caught.value))
    assert caught.value.ret_code == 10006
    assert caught.value.instruction == 'fail 7 "why"'
    assert caught.value.peer_id == peer_ids(0)["client"]


def test_a_script_that_does_not_parse():
    with pytest.raises(InterpreterError) as caught:
        check("(seq")
    assert caught.value.ret_code == 1


def test_the_end_of_time():
    with pytest.raises(ParticleExpired, match=r"Particle expired after ttl of 700ms \(particle id: "):
        check(seq(RELAY, '(call relay ("peer" "timeout") [1000 "late"] r)', RESPOND.format("r")), ttl_ms=700)


def test_an_answer_in_time():
    script = seq(
        RELAY,
        '(call relay ("peer" "timeout") [1000 "in time"] r)',
        '(call relay ("op" "noop") [])',
        RESPOND.format("r"),
    )
    assert check(script, ttl_ms=1500) == ["in time"]


def test_a_network_at_rest_is_noticed():
    """Nobody answers, nothing is on its way: whoever watches learns it long before the particle expires."""

    async def main():
        async with open_local_network(
            extra=0, vm=InlineVm(Avm("python")), clock=LoopClock(), console=lambda line: None
        ) as network:
            pending = network.client.start(seq(RELAY, '(call relay ("op" "noop") [])'), ttl_ms=60_000)
            network.on_quiet.append(lambda: pending.abandon("at rest"))
            with pytest.raises(Abandoned, match="at rest"):
                await pending.wait()
            assert trio.current_time() < 1

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_waiting_call_is_not_rest():
    async def main():
        async with open_local_network(
            extra=0, vm=InlineVm(Avm("python")), clock=LoopClock(), console=lambda line: None
        ) as network:
            script = seq(
                RELAY,
                '(call relay ("peer" "timeout") [9000 "x"] r)',
                '(call relay ("op" "noop") [])',
                RESPOND.format("r"),
            )
            pending = network.client.start(script, ttl_ms=60_000)
            network.on_quiet.append(lambda: pending.abandon("at rest"))
            assert (await pending.wait()).values == ["x"]

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_peer_ids_are_the_same_every_time():
    assert peer_ids(2) == peer_ids(2)
    assert list(peer_ids(2)) == ["client", "relay", "peer1", "peer2"]
    assert len(set(peer_ids(50).values())) == 52


def test_handlers_of_one_call_serve_no_other():
    """Two calls at once with the same argument name get their own values."""

    async def main():
        async with open_local_network(
            extra=0, vm=InlineVm(Avm("python")), clock=LoopClock(), console=lambda line: None
        ) as network:
            script = seq(
                '(call %init_peer_id% ("getDataSrv" "x") [] x)',
                RELAY,
                '(call relay ("op" "noop") [])',
                RESPOND.format("x"),
            )
            calls = [network.client.start(script, ttl_ms=5000, arguments={"x": number}) for number in range(5)]
            assert [(await call.wait()).values for call in calls] == [[0], [1], [2], [3], [4]]

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


# ── giving up ────────────────────────────────────────────────────────────────────────────────────────────────────────


def network(main, *, extra=0, **options):
    """Run `main(network)` on a network of its own with simulated time."""

    async def run():
        vm = InlineVm(Avm("python"))
        async with open_local_network(
            extra=extra, vm=vm, clock=LoopClock(), console=lambda line: None, **options
        ) as network:
            return await main(network)

    return trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))


TIMEOUT = seq(RELAY, '(call relay ("peer" "timeout") [5000 "late"] r)', '(call %init_peer_id% ("callbackSrv" "cb") [r] x)',
              RESPOND.format("x"))  # fmt: skip


def holds_nothing(client):
    """Whether a client has forgotten everything about its calls; the keys of those given up stay until their deadline."""
    core = client.peer.core
    return not (
        client.call_count or core.actor_count or core.discrepancies() or core._store.total_bytes or len(client._outbox)
        or client._handing_over or client._services._of_particle or client.peer._calls
    )  # fmt: skip


def test_a_cancelled_call_is_forgotten():
    """At once; what comes back of it is ignored, and after its deadline not even its name is kept."""
    called = []
    dropped = []

    async def main(network):
        network.client.peer.on_dropped.append(dropped.append)
        with trio.move_on_after(1) as scope:
            await network.client.call(TIMEOUT, ttl_ms=9000, callbacks={"cb": called.append})
        assert scope.cancelled_caught
        assert holds_nothing(network.client)
        assert len(network.client.peer.core._given_up) == 1
        await trio.sleep(6)
        assert [drop.reason for drop in dropped] == [DropReason.GIVEN_UP]
        await trio.sleep(4)
        assert not network.client.peer.core._given_up
        assert holds_nothing(network.client)

    network(main)
    assert called == []


def test_cancelling_stops_the_callback_that_runs():
    stopped = []

    async def slow(values):
        try:
            await trio.sleep_forever()
        finally:
            stopped.append(trio.current_time())

    async def main(network):
        script = seq('(call %init_peer_id% ("callbackSrv" "cb") [] x)', RESPOND.format("x"))
        with trio.move_on_after(1):
            await network.client.call(script, callbacks={"cb": slow})
        await trio.testing.wait_all_tasks_blocked()
        assert holds_nothing(network.client)

    network(main)
    assert stopped == [1]


def test_to_stop_waiting_is_not_to_cancel():
    async def main(network):
        pending = network.client.start(TIMEOUT, callbacks={"cb": lambda values: values[0]})
        with trio.move_on_after(1):
            await pending.wait()
        assert not pending.is_done
        assert (await pending.wait()).values == ["late"]
        pending.cancel()
        pending.cancel()
        assert (await pending.wait()).values == ["late"]
        assert holds_nothing(network.client)

    network(main)


def test_a_cancelled_call_fails_for_others_who_wait():
    async def main(network):
        pending = network.client.start(TIMEOUT)
        pending.cancel()
        with pytest.raises(Abandoned, match="cancelled"):
            await pending.wait()

    network(main)


def test_many_calls_cancelled_at_any_moment_leave_nothing():
    async def main(network):
        async def one(pause):
            with trio.move_on_after(pause):
                await network.client.call(TIMEOUT, ttl_ms=7000, callbacks={"cb": lambda values: values[0]})

        async with trio.open_nursery() as nursery:
            for number in range(200):
                nursery.start_soon(one, number * 0.03)
        await trio.sleep(8)
        assert holds_nothing(network.client)
        assert not network.client.peer.core._given_up

    network(main)


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def lone_client(relay, **limits):
    identity = named_identity("lone")
    services = ClientServices(identity, LoopClock(), lambda line: None)
    peer = Peer(
        PeerConfig(identity, limits=CoreLimits(**limits)), Fabric().endpoint(identity.peer_id), vm=InlineVm(Avm("python")),
        services=services, policy=ClientPolicy(relay), clock=LoopClock(),
    )  # fmt: skip
    return peer, Client(peer, services, relay)


def test_a_client_that_is_full_says_so():
    async def main():
        peer, client = lone_client(None, actors_max=1)
        async with peer:
            first = client.start('(call %init_peer_id% ("peer" "timeout") [1000 "x"])', ttl_ms=2000)
            with pytest.raises(CallRefused, match="peer holds as much as it may: particles alive") as caught:
                await client.call(RESPOND.format("1"))
            assert caught.value.particle_id != first.particle.id
            assert client.call_count == 1
            await trio.sleep(3)
            assert (await client.call(RESPOND.format("1"))).values == [1]

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_answered_calls_make_room_for_new_ones():
    """The oldest first, and none that still does something here."""

    async def main():
        peer, client = lone_client(None, actors_max=5)
        async with peer:
            goes_on = client.start(
                f"""(par {RESPOND.format("0")} (seq (call %init_peer_id% ("peer" "timeout") [9000 "x"] r)
                                                   (call %init_peer_id% ("callbackSrv" "cb") [r])))""",
                callbacks={"cb": heard.append},
            )
            waits = client.start('(call %init_peer_id% ("peer" "timeout") [9000 "x"] r)')
            assert (await goes_on.wait()).values == [0]
            for number in range(20):
                assert (await client.call(RESPOND.format(number))).values == [number]
            assert client.call_count == peer.core.actor_count == 5
            assert len(client._answered) == 4
            await trio.sleep(10)
            assert heard == [["x"]]
            assert not waits.is_done
            await trio.sleep(10)
            assert holds_nothing(client)
            assert not client._answered

    heard = []
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_a_call_that_expires_before_it_begins(monkeypatch):
    async def main(network):
        peer = network.client.peer
        submit = peer.submit

        def late(particle):
            trio.lowlevel.current_clock().jump(1)
            submit(particle)

        monkeypatch.setattr(peer, "submit", late)
        with pytest.raises(ParticleExpired) as caught:
            await network.client.call(RESPOND.format("1"), ttl_ms=10)
        assert caught.value.waiting == ()
        assert holds_nothing(network.client)

    network(main)


def test_without_a_relay_a_program_stays_here():
    async def main():
        peer, client = lone_client(None)
        async with peer:
            with pytest.raises(CallRefused, match="client has no relay: "):
                await client.call(f'(call "{peer_ids(0)["relay"]}" ("op" "noop") [])')
            assert (await client.call(RESPOND.format("1"))).values == [1]

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize("ttl_ms", [0, -1, 2**32, 1.5, "7", True, None])
def test_lives_that_no_particle_can_have(ttl_ms):
    async def main(network):
        if ttl_ms is None:
            assert network.client.start(RESPOND.format("1")).particle.ttl == 15_000
            return
        with pytest.raises(ArgumentError, match="ttl_ms: expected milliseconds from 1 to 4294967295"):
            network.client.start(RESPOND.format("1"), ttl_ms=ttl_ms)
        assert holds_nothing(network.client)

    network(main)


def test_the_life_of_calls_that_do_not_say():
    async def main(network):
        assert network.client.start(RESPOND.format("1")).particle.ttl == 7000

    network(main, ttl_ms=7000)


# ── loops ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_client_stays_in_its_loop():
    clients = []

    async def main(network):
        await network.client.call(RESPOND.format("1"))
        clients.append(network.client)

        async def in_asyncio():
            await network.client.call(RESPOND.format("1"))

        def in_a_thread():
            with pytest.raises(WrongLoop, match=r"use runtime\.client\.aio\.connect"):
                asyncio.run(in_asyncio())

        await trio.to_thread.run_sync(in_a_thread)

    network(main)

    async def in_another_loop():
        with pytest.raises(WrongLoop):
            clients[0].start(RESPOND.format("1"))

    trio.run(in_another_loop)


def test_connect_says_which_loop_it_needs():
    async def main():
        async with connect("local"):
            pass

    with pytest.raises(WrongLoop, match=r"connect\(\) needs trio"):
        asyncio.run(main())


# ── what is waited for ───────────────────────────────────────────────────────────────────────────────────────────────


def test_an_expired_call_names_what_it_waited_for():
    ids = peer_ids(1)

    async def never(values):
        await trio.sleep_forever()

    async def main(network):
        script = seq(RELAY, f"""(par (call relay ("peer" "timeout") [90000 "a"] r)
            (par (seq (call "{ids["peer1"]}" ("op" "identity") [1] one) (call "{ids["peer1"]}" ("op" "noop") []))
                 (call %init_peer_id% ("callbackSrv" "cb") [] x)))""", RESPOND.format("r x"))  # fmt: skip
        with pytest.raises(ParticleExpired) as caught:
            await network.client.call(script, ttl_ms=2000, callbacks={"cb": never})
        waiting = {(item.instruction, item.peer_id) for item in caught.value.waiting}
        assert waiting == {
            ('call relay ("peer" "timeout") [90000 "a"] r', ids["relay"]),
            (f'call "{ids["peer1"]}" ("op" "identity") [1] one', ids["peer1"]),
            ('call %init_peer_id% ("callbackSrv" "cb") [] x', ids["client"]),
        }
        assert caught.value.peer_id is None

    network(main, extra=1)


@pytest.mark.parametrize("more", [0, 1])
def test_data_that_are_too_many_are_not_looked_at(monkeypatch, more):
    async def main(network):
        pending = network.client.start(TIMEOUT, ttl_ms=2000)
        await trio.sleep(1)
        monkeypatch.setattr(pending_module, "EXPLAINED_BYTES_MAX", len(pending.data) - more)
        with pytest.raises(ParticleExpired) as caught:
            await pending.wait()
        assert len(caught.value.waiting) == 1 - more

    network(main)


def test_without_the_extra_connect_says_what_to_install(monkeypatch):
    monkeypatch.setattr("runtime.protocol.p2p.p2p_installed", lambda: False)

    async def main():
        async with connect(f"/ip4/127.0.0.1/tcp/1/p2p/{peer_ids(0)['relay']}"):
            pass

    with pytest.raises(
        ExtraMissing, match=r"needs the extra `p2p`, which is not installed; pip install 'aquac\[p2p\]'"
    ):
        trio.run(main)
