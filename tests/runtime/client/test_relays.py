"""Losing relays and getting them back: what calls in flight do, and when the client tries again."""

from __future__ import annotations

import math
from contextlib import AsyncExitStack
from itertools import islice, pairwise
from random import Random

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from runtime.client import (
    ArgumentError,
    Backoff,
    CallFailed,
    ClientClosed,
    ConnectionLost,
    ParticleExpired,
    RelayUnreachable,
    connect,
)
from runtime.client import client as client_module
from runtime.client.invocation import Invocation

from .outages import World, at_relay, later, run, seq


def check(play, *names, **options):
    """Run `play(world, client)` on a client of these relays; its result."""

    async def main():
        world = World()
        async with AsyncExitStack() as stack:
            for name in dict.fromkeys(names):
                await stack.enter_async_context(world.relay(name))
            client = await stack.enter_async_context(world.connect(*names, **options))
            return await play(world, client)

    return run(main)


# ── calls in flight ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_that_comes_after_reconnecting_arrives():
    async def play(world, client):
        pending = client.start(later(5000))
        await trio.sleep(1)
        world.cut("a")
        assert not client.is_connected
        await trio.sleep(2)
        world.mend("a")
        assert (await pending.wait()).values == ["late"]
        assert client.is_connected

    check(play, "a")


def test_what_could_not_be_sent_is_sent_after_reconnecting():
    async def play(world, client):
        world.cut("a")
        pending = client.start(at_relay("count", "note", "7"))
        await trio.sleep(2)
        assert not pending.is_done
        world.mend("a")
        assert (await pending.wait()).values == [7]
        assert world.calls == [7]

    check(play, "a")


def test_what_vanished_is_sent_again():
    async def play(world, client):
        world.gate.losing = True
        pending = client.start(at_relay("count", "note", "7"))
        await trio.sleep(1)
        world.gate.losing = False
        world.cut("a")
        world.mend("a")
        assert (await pending.wait()).values == [7]

    check(play, "a")


@pytest.mark.parametrize("losing", [False, True])
def test_a_message_that_began_on_the_old_connection_and_ended_on_the_new_one(losing):
    """It fails, or seems to be sent, when the client has reconnected already."""

    async def play(world, client):
        world.gate.delay_s = 5
        world.cut("a")
        if losing:
            world.gate.down.clear()
            world.gate.losing = True
        pending = client.start(at_relay("count", "note", "7"))
        await trio.sleep(0.01)
        world.gate.losing = False
        world.mend("a")
        await client.wait_connected()
        assert not world.calls
        assert (await pending.wait()).values == [7]
        assert 5 <= trio.current_time() < 6

    check(play, "a")


def test_what_was_sent_twice_happens_once():
    async def play(world, client):
        script = seq(at_relay("count", "note", "7").replace('(call %init_peer_id% ("callbackSrv" "response") [r])',
            '(seq (call relay ("peer" "timeout") [3000 "x"]) (call %init_peer_id% ("callbackSrv" "response") [r]))'))  # fmt: skip
        pending = client.start(script)
        await trio.sleep(1)
        for _ in range(3):
            world.break_("a")
            await trio.sleep(0.6)
        assert world.relays["a"].counters.received == 4
        assert (await pending.wait()).values == [7]
        assert world.calls == [7]

    check(play, "a", backoff=Backoff(first_s=0.1))


def test_an_answer_that_was_lost_ends_with_its_time_and_says_why():
    async def play(world, client):
        pending = client.start(later(1000), ttl_ms=10_000)
        await trio.sleep(0.5)
        world.cut("a")
        await trio.sleep(2)
        world.mend("a")
        with pytest.raises(ParticleExpired) as caught:
            await pending.wait()
        assert caught.value.losses == 1
        (unanswered,) = caught.value.waiting
        assert unanswered.peer_id == world.id("a")
        assert unanswered.instruction == 'call relay ("peer" "timeout") [1000 "late"] r'
        assert "the connection to the relay was lost once meanwhile" in caught.value.__notes__
        assert trio.current_time() == pytest.approx(10, abs=0.01)

    check(play, "a")


def test_another_relay_takes_over():
    async def play(world, client):
        pending = client.start(later(5000))
        local = client.start('(seq (call %init_peer_id% ("peer" "timeout") [9000 "1"] r) '
                             '(call %init_peer_id% ("callbackSrv" "response") [r]))')  # fmt: skip
        await trio.sleep(1)
        world.cut("a")
        with pytest.raises(ConnectionLost, match="the client has moved to") as caught:
            await pending.wait()
        assert caught.value.peer_id == world.id("a")
        assert caught.value.particle_id == pending.particle.id
        assert client.relay == world.id("b")
        assert (await client.call(at_relay("op", "identity", '"x"'))).values == ["x"]
        assert (await client.call(at_relay("sig", "get_peer_id", ""))).values == [world.id("b")]
        assert (await local.wait()).values == ["1"]  # it never left
        return client.peer.core.actor_count

    assert check(play, "a", "b") == 3


def test_the_relay_of_now_is_tried_first():
    async def play(world, client):
        world.cut("a")
        await trio.sleep(1)
        assert client.relay == world.id("b")
        world.mend("a")
        world.gate.dials.clear()
        world.break_("b")
        await client.wait_connected()
        await trio.sleep(1)
        assert client.relay == world.id("b")
        assert [peer for _, peer in world.gate.dials] == [world.id("b")]

    check(play, "a", "b")


def test_without_back_off_a_loss_is_the_end():
    async def play(world, client):
        pending = client.start(later(5000))
        await trio.sleep(1)
        world.break_("a")
        with pytest.raises(ConnectionLost, match=r"connection to relay .* broke"):
            await pending.wait()
        with pytest.raises(ConnectionLost):
            await client.call(later(1))
        with pytest.raises(RelayUnreachable):
            await client.wait_connected()
        assert client.peer.core.actor_count == 0
        assert trio.current_time() < 1.1

    check(play, "a", backoff=None)


def test_giving_up():
    async def play(world, client):
        pending = client.start(later(90_000), ttl_ms=100_000)
        await trio.sleep(1)
        world.cut("a")
        with pytest.raises(ConnectionLost, match="no relay answered within 20 s, the last one: nobody there"):
            await pending.wait()
        assert 11 < trio.current_time() <= 21

    check(play, "a", backoff=Backoff(longest_s=5, give_up_s=20))


def test_who_waits_is_told_when_the_client_is_closed():
    async def main():
        world = World()
        async with world.relay("a"):
            async with world.connect("a") as client:
                pending = client.start(later(5000))
                await trio.sleep(1)
            with pytest.raises(ClientClosed) as caught:
                await pending.wait()
            assert caught.value.particle_id == pending.particle.id
            for use in (lambda: client.start(later(1)), lambda: client.provide("x", {})):
                with pytest.raises(ClientClosed):
                    use()
            with pytest.raises(ClientClosed):
                await client.wait_connected()
            pending.cancel()

    run(main)


def test_a_call_that_does_not_answer_waits_until_it_has_left():
    script = seq('(call %init_peer_id% ("getDataSrv" "-relay-") [] relay)', '(call relay ("count" "note") [5])')

    async def play(world, client):
        await client.perform(Invocation(script, answers=False))
        assert trio.current_time() == 0
        world.cut("a")
        with trio.move_on_after(3) as scope:
            await client.perform(Invocation(script, answers=False))
        assert scope.cancelled_caught
        world.mend("a")
        await client.wait_connected()
        await client.perform(Invocation(script, answers=False))
        await trio.sleep(1)
        assert world.calls == [5, 5]  # the one that was cancelled has never left

    check(play, "a")


def test_a_connection_that_breaks_without_a_sign_is_noticed():
    async def play(world, client):
        world.gate.losing = True
        pending = client.start(at_relay("count", "note", "7"), ttl_ms=60_000)
        await trio.sleep(22)
        world.gate.losing = False
        assert client.is_connected
        assert (await pending.wait()).values == [7]
        assert 30 < trio.current_time() < 31  # 20 s until it is asked, 10 s until it has not answered
        assert pending.losses == 1

    check(play, "a")


def test_a_relay_is_asked_now_and_then_while_it_is_connected():
    async def play(world, client):
        await trio.sleep(12)
        world.cut("a")
        await trio.sleep(10)
        world.mend("a")
        await client.wait_connected()
        await trio.sleep(10)
        assert [at for at in world.gate.probes if at <= 12] == [5, 10]
        assert all(at > 22 for at in world.gate.probes[2:])

    check(play, "a", probe_s=5)


def test_connections_are_told():
    told = []

    async def play(world, client):
        client.on_connection.append(told.append)
        world.cut("a")
        await trio.sleep(1)
        world.mend("a")
        await client.wait_connected()

    check(play, "a")
    assert told == [False, True]


def test_a_listener_that_fails_costs_nothing(monkeypatch):
    told = []
    monkeypatch.setattr(client_module.log, "exception", told.append)

    async def play(world, client):
        client.on_connection.append(lambda state: 1 / 0)
        world.break_("a")
        await client.wait_connected()
        assert (await client.call(at_relay("op", "identity", "1"))).values == [1]

    check(play, "a")
    assert told == ["a listener of connections failed"] * 2


# ── the first connection ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_relay_that_answers():
    async def play(world, client):
        assert client.relay == world.id("b")

    async def main():
        world = World()
        async with world.relay("b"), world.connect("a", "b") as client:
            await play(world, client)

    run(main)


def test_no_relay_answers():
    async def main(*names):
        world = World()
        world.gate.hanging = len(names) == 1
        async with world.connect(*names, dial_timeout_s=7):
            pass

    with pytest.raises(RelayUnreachable, match=r"no relay can be reached: .*; .*: nobody listens") as caught:
        run(main, "a", "b")
    assert len(caught.value.attempts) == 2
    with pytest.raises(RelayUnreachable, match=r"relay /memory/.*: no answer within 7 s"):
        run(main, "a")


def test_addresses_that_name_no_peer():
    async def main(address):
        world = World()
        world.address = lambda name: address
        async with world.connect("a"):
            pass

    for address in ("/ip4/127.0.0.1/tcp/1", "localhost:99", "/ip4/127.0.0.1/tcp/1/p2p/x", ""):
        with pytest.raises(ArgumentError, match="ends in /p2p/<peer id>"):
            run(main, address)


@pytest.mark.parametrize("relays", [(["local"],), ("local", None)])
def test_addresses_that_are_no_texts(relays):
    async def main():
        async with connect(*relays):
            pass

    with pytest.raises(ArgumentError, match="expected the text of an address; several are given one by one"):
        run(main)


def test_no_address_at_all():
    async def main():
        async with World().connect():
            pass

    with pytest.raises(ArgumentError, match="at least one"):
        run(main)


def test_what_the_block_raises_leaves_it_as_it_is():
    async def play(world, client):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check(play, "a")


# ── pauses ───────────────────────────────────────────────────────────────────────────────────────────────────────────

BACKOFFS = st.builds(
    lambda first, more, factor, chance: Backoff(first, factor, first + more, chance),
    st.floats(0, 100), st.floats(0, 1000), st.floats(1, 10), st.floats(0, 1),
)  # fmt: skip


@given(BACKOFFS, st.integers(0, 2**32))
def test_pauses_grow_and_stay_within_their_bounds(backoff, seed):
    longest = backoff.first_s
    for pause in islice(backoff.pauses(Random(seed)), 40):
        assert longest * (1 - backoff.chance) <= pause * (1 + 1e-9) + 1e-300
        assert pause <= longest
        longest = min(longest * backoff.factor, backoff.longest_s)


def test_clients_do_not_come_back_all_at_once():
    firsts = {next(Backoff().pauses(Random(seed))) for seed in range(100)}
    assert len(firsts) == 100
    assert max(firsts) - min(firsts) > 0.2


@pytest.mark.parametrize(
    "wrong", [{"first_s": -1}, {"first_s": 50}, {"factor": 0.5}, {"chance": 2}, {"first_s": math.nan}]
)
def test_pauses_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match="first_s <= longest_s"):
        Backoff(**wrong)


def test_attempts_follow_the_pauses():
    async def play(world, client):
        world.gate.dials.clear()
        world.cut("a")
        await trio.sleep(100)
        times = [at for at, _ in world.gate.dials]
        assert times[:5] == pytest.approx([1, 3, 7, 15, 23])
        assert {round(later - at, 6) for at, later in pairwise(times[3:])} == {8}

    check(play, "a", backoff=Backoff(first_s=1, longest_s=8, chance=0))


# ── all of it ────────────────────────────────────────────────────────────────────────────────────────────────────────

STEPS = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.sampled_from(["cut a", "cut b", "mend a", "mend b", "break a", "break b", "call", "call", "slow", "cancel"]),
    ),
    min_size=1,
    max_size=25,
)


@given(STEPS)
def test_whatever_breaks_every_call_ends_and_nothing_is_left(steps):
    """The right answer or an error of the library; nothing is done twice; when all is over the client holds nothing."""

    async def play(world, client):
        pendings = {}
        failed = []
        for number, (pause, step) in enumerate(steps):
            await trio.sleep(pause)
            word, _, name = step.partition(" ")
            if name:
                {"cut": world.cut, "mend": world.mend, "break": world.break_}[word](name)
            elif word == "cancel":
                for pending in list(pendings.values())[-1:]:
                    pending.cancel()
            elif word == "call":
                pendings[number] = client.start(at_relay("count", "note", str(number)), ttl_ms=8000)
            else:
                pendings[number] = client.start(later(2000), ttl_ms=8000)
        await trio.sleep(60)
        for number, pending in pendings.items():
            assert pending.is_done
            try:
                assert (await pending.wait()).values in ([number], ["late"])
            except CallFailed as error:
                failed.append((error.particle_id, pending.particle.id))
        assert all(one == other for one, other in failed)
        assert len(world.calls) == len(set(world.calls))
        assert client.call_count == 0
        assert client.peer.core.actor_count == 0
        assert client.peer.core.discrepancies() == []
        assert not len(client._outbox)
        assert not client._handing_over
        assert not client._services._of_particle
        assert not client.peer.core._given_up

    check(play, "a", "b")
