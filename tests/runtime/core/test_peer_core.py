"""The core of a peer: which events give which actions."""

from __future__ import annotations

from dataclasses import replace

from avm.outcome import CallRequest, CallResult, Outcome
from runtime.core.actions import Call, Drop, DropReason, Failed, Forget, Run, Send, SetTimer
from runtime.core.events import Arrived, Called, GivenUp, Ran, RunFailed, ScopeRemoved, ScopeSet, Tick
from runtime.core.limits import CoreLimits
from runtime.core.particle import new_particle
from runtime.core.peer_core import TRAPPED, ClientPolicy, HostPolicy, PeerCore
from runtime.protocol.identity import named_identity
from runtime.store.particle_data import MemoryParticleData

NOW = 1_700_000_000_000
HOST = named_identity("host")
AUTHOR = named_identity("author")
OTHER = named_identity("other")
WORKER = named_identity("worker")


def core(policy=None, **limits):
    return PeerCore(HOST, policy or HostPolicy(), limits=CoreLimits(**limits))


def particle(number=0, *, data=b"", ttl=1000, script="(null)", author=AUTHOR):
    made = new_particle(author, particle_id=f"p{number}", timestamp=NOW, ttl=ttl, script=script)
    return made.with_data(data)


def request(name="f"):
    return CallRequest("srv", name, [], [])


def outcome(data=b"new", *, code=0, message="", peers=(), calls=None):
    return Outcome(code, message, data, tuple(peers), calls or {})


def check(core_, event, *expected, at=NOW):
    """Feed one event; the types of the actions must be these. Returns the actions."""
    actions = core_.receive(event, now_ms=at)
    assert [type(action) for action in actions] == list(expected), actions
    return actions


def test_a_particle_becomes_a_run_with_its_data():
    run, timer = check(core(), Arrived(particle(data=b"in")), Run, SetTimer)
    assert (run.prev_data, run.data, run.call_results) == (b"", b"in", {})
    assert run.params.init_peer_id == AUTHOR.peer_id
    assert run.params.current_peer_id == HOST.peer_id
    assert run.params.secret_key_bytes == HOST.seed
    assert timer.at_ms == NOW + 1001


def test_an_expired_particle_leaves_no_state():
    peer = core()
    (drop,) = check(peer, Arrived(particle(ttl=5)), Drop, at=NOW + 6)
    assert drop.reason is DropReason.EXPIRED
    assert peer.actor_count == 0


def test_the_last_millisecond_counts():
    check(core(), Arrived(particle(ttl=5)), Run, SetTimer, at=NOW + 5)


def test_a_deadline_beyond_u64_is_expired():
    made = new_particle(AUTHOR, particle_id="p", timestamp=2**64 - 1, ttl=1, script="(null)")
    (drop,) = check(core(), Arrived(made), Drop)
    assert drop.reason is DropReason.EXPIRED


def test_every_signed_field_is_protected():
    good = particle()
    for change in (
        {"id": "q"},
        {"ttl": good.ttl + 1},
        {"timestamp": NOW + 1},
        {"script": "(never)"},
        {"init_peer_id": OTHER.peer_id},
        {"init_peer_id": "garbage"},
        {"init_peer_id": "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"},
        {"signature": bytes(64)},
    ):
        peer = core()
        (drop,) = check(peer, Arrived(replace(good, **change)), Drop)
        assert drop.reason is DropReason.BAD_SIGNATURE, change
        assert peer.actor_count == 0


def test_data_are_not_signed():
    check(core(), Arrived(replace(particle(), data=b"anything")), Run, SetTimer)


def test_copies_wait_for_the_running_one_and_are_never_merged():
    peer = core()
    first = check(peer, Arrived(particle(data=b"1")), Run, SetTimer)[0]
    check(peer, Arrived(particle(data=b"2")))
    check(peer, Arrived(particle(data=b"3")))
    (second,) = check(peer, Ran(first.key, outcome(b"A")), Run)
    assert (second.prev_data, second.data) == (b"A", b"2")
    (third,) = check(peer, Ran(first.key, outcome(b"B")), Run)
    assert (third.prev_data, third.data) == (b"B", b"3")
    check(peer, Ran(first.key, outcome(b"C")))
    assert peer.is_idle


def test_equal_ids_with_other_signatures_are_other_particles():
    peer = core(runs_max=2)
    check(peer, Arrived(particle()), Run, SetTimer)
    check(peer, Arrived(particle(script="(never)")), Run)
    assert peer.actor_count == 2


def test_call_results_come_together_and_without_data():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    calls = check(peer, Ran(run.key, outcome(calls={1: request(), 2: request("g")})), Call, Call)
    assert [(call.call_id, call.request.function_name) for call in calls] == [(1, "f"), (2, "g")]
    assert not peer.is_idle
    (second,) = check(peer, Called(run.key, 1, CallResult(0, "1")), Run)
    assert (second.prev_data, second.data, second.call_results) == (b"new", b"", {1: CallResult(0, "1")})
    check(peer, Called(run.key, 2, CallResult(0, "2")))
    (third,) = check(peer, Ran(run.key, outcome()), Run)
    assert third.call_results == {2: CallResult(0, "2")}


def test_results_join_the_next_copy():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Ran(run.key, outcome(calls={1: request(), 2: request()})), Call, Call)
    check(peer, Called(run.key, 1, CallResult(0, "1")), Run)
    check(peer, Called(run.key, 2, CallResult(0, "2")))
    check(peer, Arrived(particle(data=b"again")))
    (run,) = check(peer, Ran(run.key, outcome()), Run)
    assert (run.data, run.call_results) == (b"again", {2: CallResult(0, "2")})


def test_a_second_result_of_one_call_has_no_effect():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Ran(run.key, outcome(calls={1: request()})), Call)
    check(peer, Called(run.key, 1, CallResult(0, "1")), Run)
    check(peer, Called(run.key, 1, CallResult(0, "2")))
    check(peer, Ran(run.key, outcome()))


def test_a_result_of_a_call_never_made_has_no_effect():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Called(run.key, 7, CallResult(0, "1")))
    check(peer, Ran(run.key, outcome()))


def test_no_more_runs_at_once_than_interpreters_and_turns_in_order():
    peer = core(runs_max=1)
    first = check(peer, Arrived(particle(1)), Run, SetTimer)[0]
    check(peer, Arrived(particle(2)))
    check(peer, Arrived(particle(3)))
    check(peer, Arrived(particle(1, data=b"more")))
    (second,) = check(peer, Ran(first.key, outcome()), Run)
    assert second.params.particle_id == "p2"
    (third,) = check(peer, Ran(second.key, outcome()), Run)
    assert third.params.particle_id == "p3"
    (fourth,) = check(peer, Ran(third.key, outcome()), Run)
    assert fourth.params.particle_id == "p1"


def test_next_peers_get_the_new_data_in_one_send():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    (send,) = check(peer, Ran(run.key, outcome(b"out", peers=[OTHER.peer_id, AUTHOR.peer_id])), Send)
    assert send.targets == (OTHER.peer_id, AUTHOR.peer_id)
    assert send.particle == particle(data=b"out")


def test_a_host_acts_on_outcomes_with_errors():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    failing = outcome(b"new", code=10000, message="oops", peers=[OTHER.peer_id], calls={1: request()})
    failed, call, send = check(peer, Ran(run.key, failing), Failed, Call, Send)
    assert (failed.ret_code, failed.message) == (10000, "oops")
    (run,) = check(peer, Called(run.key, call.call_id, CallResult(0, "1")), Run)
    assert run.prev_data == b"new"
    assert send.particle.data == b"new"


def test_empty_data_do_not_wipe_the_previous():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Ran(run.key, outcome(b"kept")))
    check(peer, Arrived(particle(data=b"x")), Run)
    check(peer, Ran(run.key, outcome(b"", code=20001, message="compaction")), Failed)
    (run,) = check(peer, Arrived(particle(data=b"y")), Run)
    assert run.prev_data == b"kept"


def test_a_malformed_next_peer_voids_peers_and_calls():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    (drop,) = check(peer, Ran(run.key, outcome(peers=[OTHER.peer_id, "nobody"], calls={1: request()})), Drop)
    assert (drop.reason, drop.detail) == (DropReason.BAD_NEXT_PEER, "nobody")
    assert peer.is_idle


def test_a_broken_interpreter_changes_nothing():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Ran(run.key, outcome(b"kept")))
    check(peer, Arrived(particle(data=b"x")), Run)
    (failed,) = check(peer, RunFailed(run.key, "trap"), Failed)
    assert (failed.ret_code, failed.message) == (TRAPPED, "trap")
    (run,) = check(peer, Arrived(particle(data=b"y")), Run)
    assert run.prev_data == b"kept"


def test_a_client_sends_everything_to_its_relay_once():
    peer = core(ClientPolicy(OTHER.peer_id))
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    (send,) = check(peer, Ran(run.key, outcome(peers=[AUTHOR.peer_id, "nobody", WORKER.peer_id])), Send)
    assert send.targets == (OTHER.peer_id,)


def test_a_client_without_relay_drops():
    peer = core(ClientPolicy(None))
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    (drop,) = check(peer, Ran(run.key, outcome(peers=[AUTHOR.peer_id])), Drop)
    assert drop.reason is DropReason.NO_RELAY


def test_an_error_on_a_client_has_no_effects():
    peer = core(ClientPolicy(OTHER.peer_id))
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Ran(run.key, outcome(b"kept")))
    check(peer, Arrived(particle(data=b"x")), Run)
    failing = outcome(b"lost", code=10000, message="oops", peers=[OTHER.peer_id], calls={1: request()})
    check(peer, Ran(run.key, failing), Failed)
    (run,) = check(peer, Arrived(particle(data=b"y")), Run)
    assert run.prev_data == b"kept"


def test_the_deadline_ends_calls_and_forgets_data():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Ran(run.key, outcome(calls={1: request()})), Call)
    check(peer, Tick(), SetTimer, at=NOW + 1000)
    (forget,) = check(peer, Tick(), Forget, at=NOW + 1001)
    assert (forget.key, forget.particle_id) == (run.key, "p0")
    assert peer.actor_count == 0
    assert peer.is_idle
    check(peer, Called(run.key, 1, CallResult(0, "1")), at=NOW + 1001)


def test_a_run_past_the_deadline_has_no_effects():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Tick(), at=NOW + 2000)
    assert peer.actor_count == 1
    check(peer, Ran(run.key, outcome(peers=[OTHER.peer_id], calls={1: request()})), Forget, at=NOW + 2000)
    assert peer.actor_count == 0
    assert peer.is_idle


def test_a_particle_that_is_given_up_ends_at_once_and_does_not_come_back():
    peer = core()
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, Ran(run.key, outcome(calls={1: request()})), Call)
    (forget,) = check(peer, GivenUp(run.key), Forget)
    assert forget.unfinished
    assert (peer.actor_count, peer.is_idle, peer.discrepancies()) == (0, True, [])
    check(peer, Called(run.key, 1, CallResult(0, "1")))
    (drop,) = check(peer, Arrived(particle(data=b"back")), Drop)
    assert drop.reason is DropReason.GIVEN_UP
    check(peer, GivenUp(run.key))
    check(peer, Tick(), at=NOW + 1001)
    assert not peer._given_up
    (drop,) = check(peer, Arrived(particle(data=b"back")), Drop, at=NOW + 1001)
    assert drop.reason is DropReason.EXPIRED


def test_a_particle_that_is_given_up_while_it_runs():
    peer = core(runs_max=1)
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    check(peer, GivenUp(run.key), Forget)
    check(peer, Arrived(particle(1)))
    check(peer, Ran(run.key, outcome(peers=[OTHER.peer_id], calls={1: request()})), Run)
    assert peer.discrepancies() == []


def test_who_never_was_here_cannot_be_given_up():
    peer = core()
    key = check(core(), Arrived(particle()), Run, SetTimer)[0].key
    check(peer, GivenUp(key))
    check(peer, Arrived(particle()), Run, SetTimer)


def test_rest():
    """A particle rests when it neither runs, waits nor calls; one that is not here rests too."""
    peer = core(runs_max=1)
    (first, _), second = check(peer, Arrived(particle()), Run, SetTimer), particle(1)
    check(peer, Arrived(second))
    assert not peer.is_resting(first.key)
    _, run = check(peer, Ran(first.key, outcome(calls={1: request()})), Call, Run)
    assert not peer.is_resting(first.key)
    assert not peer.is_resting(run.key)
    check(peer, Called(first.key, 1, CallResult(0, "1")))
    assert not peer.is_resting(first.key)
    (again,) = check(peer, Ran(run.key, outcome()), Run)
    assert peer.is_resting(run.key)
    check(peer, Ran(again.key, outcome()))
    assert peer.is_resting(first.key)
    check(peer, GivenUp(first.key), Forget)
    assert peer.is_resting(first.key)


def test_the_timer_follows_the_earliest_deadline():
    peer = core(runs_max=9)
    assert check(peer, Arrived(particle(1, ttl=500)), Run, SetTimer)[1].at_ms == NOW + 501
    check(peer, Arrived(particle(2, ttl=900)), Run)
    assert check(peer, Arrived(particle(3, ttl=100)), Run, SetTimer)[1].at_ms == NOW + 101


def test_a_worker_named_as_next_peer_gets_the_particle_here():
    peer = core()
    check(peer, ScopeSet(WORKER))
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    send, inner = check(peer, Ran(run.key, outcome(b"out", peers=[WORKER.peer_id, OTHER.peer_id])), Send, Run)
    assert send.targets == (OTHER.peer_id,)
    assert (inner.data, inner.prev_data) == (b"out", b"")
    assert inner.params.current_peer_id == WORKER.peer_id
    assert inner.params.secret_key_bytes == WORKER.seed
    (back,) = check(peer, Ran(inner.key, outcome(b"back", peers=[HOST.peer_id])), Run)
    assert (back.key.scope, back.data, back.prev_data) == (HOST.peer_id, b"back", b"out")


def test_an_inactive_worker_takes_particles_of_the_host_and_management_only():
    manager = named_identity("manager")
    for author, enters in ((AUTHOR, False), (HOST, True), (manager, True)):
        peer = core(HostPolicy(frozenset([manager.peer_id])))
        check(peer, ScopeSet(WORKER, active=False))
        run = check(peer, Arrived(particle(author=author)), Run, SetTimer)[0]
        check(peer, Ran(run.key, outcome(peers=[WORKER.peer_id])), Run if enters else Drop)


def test_removing_a_worker_ends_its_particles():
    peer = core()
    check(peer, ScopeSet(WORKER))
    run = check(peer, Arrived(particle()), Run, SetTimer)[0]
    (inner,) = check(peer, Ran(run.key, outcome(peers=[WORKER.peer_id])), Run)
    check(peer, ScopeRemoved(WORKER.peer_id), Forget)
    check(peer, Ran(inner.key, outcome(calls={1: request()})))
    assert peer.scopes() == (HOST.peer_id,)
    assert peer.is_idle


def test_too_many_particles_are_refused_and_known_ones_continue():
    peer = core(actors_max=1, runs_max=9)
    check(peer, Arrived(particle(1)), Run, SetTimer)
    (drop,) = check(peer, Arrived(particle(2)), Drop)
    assert drop.reason is DropReason.BUSY
    check(peer, Arrived(particle(1, data=b"x")))


def test_a_full_mailbox_refuses_copies():
    peer = core(mailbox_max=2)
    check(peer, Arrived(particle()), Run, SetTimer)
    check(peer, Arrived(particle()))
    check(peer, Arrived(particle()))
    (drop,) = check(peer, Arrived(particle()), Drop)
    assert drop.reason is DropReason.MAILBOX_FULL


def test_waiting_data_are_bounded():
    peer = core(queued_bytes_max=10)
    run = check(peer, Arrived(particle(data=b"12345")), Run, SetTimer)[0]
    check(peer, Arrived(particle(data=b"123456")))
    (drop,) = check(peer, Arrived(particle(data=b"12345")), Drop)
    assert drop.reason is DropReason.BUSY
    check(peer, Ran(run.key, outcome()), Run)
    check(peer, Arrived(particle(data=b"1234567890")))


def test_stored_data_are_bounded():
    peer = core(stored_bytes_max=3, author_share=1)
    run = check(peer, Arrived(particle(1)), Run, SetTimer)[0]
    check(peer, Ran(run.key, outcome(b"123")))
    (drop,) = check(peer, Arrived(particle(2)), Drop)
    assert drop.reason is DropReason.BUSY
    check(peer, Tick(), Forget, at=NOW + 1001)
    fresh = new_particle(AUTHOR, particle_id="p3", timestamp=NOW + 1001, ttl=9, script="(null)")
    check(peer, Arrived(fresh), Run, SetTimer, at=NOW + 1001)


def test_known_particles_cannot_outgrow_the_store():
    peer = core(stored_bytes_max=6, author_share=1)
    runs = [check(peer, Arrived(particle(number)), Run, *[SetTimer][: not number])[0] for number in (0, 1)]
    check(peer, Ran(runs[0].key, outcome(b"12345")))
    # no effect at all: neither the calls nor the message may happen, because they would happen again later
    too_much = outcome(b"67", peers=[OTHER.peer_id], calls={1: request()})
    (drop,) = check(peer, Ran(runs[1].key, too_much), Drop)
    assert drop.reason is DropReason.BUSY
    run = check(peer, Arrived(particle(1)), Run)[0]
    assert run.prev_data == b""
    check(peer, Ran(run.key, outcome(b"6")))
    # what does not grow is always stored
    run = check(peer, Arrived(particle(0)), Run)[0]
    assert run.prev_data == b"12345"
    check(peer, Ran(run.key, outcome(b"54321", peers=[OTHER.peer_id])), Send)


def test_the_backlog_tells_the_network_to_wait():
    peer = core(runs_max=1, backlog_max=2, author_share=1)
    run = check(peer, Arrived(particle(1)), Run, SetTimer)[0]
    check(peer, Arrived(particle(2)))
    assert peer.has_room(AUTHOR.peer_id)
    check(peer, Arrived(particle(3)))
    assert not peer.has_room(AUTHOR.peer_id)
    assert not peer.has_room(HOST.peer_id)
    check(peer, Ran(run.key, outcome()), Run)
    assert (peer.backlog, peer.has_room(AUTHOR.peer_id)) == (1, True)


# What outlives a peer


def test_what_an_earlier_process_left_is_forgotten_in_time():
    store = MemoryParticleData()
    before = PeerCore(HOST, HostPolicy(), store=store)
    run, *_ = before.receive(Arrived(particle()), now_ms=NOW)
    before.receive(Ran(run.key, outcome(b"kept")), now_ms=NOW)
    after = PeerCore(HOST, HostPolicy(), store=store)
    (timer,) = check(after, Tick(), SetTimer)
    assert timer.at_ms == NOW + 1001
    assert store.total_bytes == 4
    check(after, Tick(), at=NOW + 1001)
    assert store.total_bytes == 0


def test_a_particle_goes_on_with_what_an_earlier_process_left():
    store = MemoryParticleData()
    before = PeerCore(HOST, HostPolicy(), store=store)
    run, *_ = before.receive(Arrived(particle()), now_ms=NOW)
    before.receive(Ran(run.key, outcome(b"kept")), now_ms=NOW)
    after = PeerCore(HOST, HostPolicy(), store=store)
    run, *_ = after.receive(Arrived(particle(data=b"late")), now_ms=NOW + 5)
    assert (run.prev_data, run.data) == (b"kept", b"late")
    after.receive(Ran(run.key, outcome(b"more data")), now_ms=NOW + 6)
    assert after.discrepancies() == []
    (forget,) = check(after, Tick(), Forget, at=NOW + 1001)
    assert not forget.unfinished
    assert store.total_bytes == 0


def test_a_particle_that_ends_says_whether_it_was_finished():
    for ending in ("idle", "running", "calling", "waiting"):
        peer = core()
        run, _ = check(peer, Arrived(particle()), Run, SetTimer)
        if ending == "waiting":
            check(peer, Arrived(particle(data=b"x")))
        if ending != "running":
            calls = {1: request()} if ending == "calling" else {}
            peer.receive(Ran(run.key, outcome(calls=calls)), now_ms=NOW)
        late = NOW + 1001
        actions = peer.receive(Tick(), now_ms=late)
        if ending in ("running", "waiting"):
            actions = peer.receive(Ran(run.key, outcome()), now_ms=late)
        (forget,) = [action for action in actions if isinstance(action, Forget)]
        assert forget.unfinished == (ending != "idle"), ending


def test_counts_are_compared_with_what_is_held():
    peer = core()
    run, _ = check(peer, Arrived(particle()), Run, SetTimer)
    check(peer, Arrived(particle(data=b"abc")))
    peer.receive(Ran(run.key, outcome(calls={1: request(), 2: request()})), now_ms=NOW)
    assert peer.discrepancies() == []
    peer._total.backlog += 1
    peer._authors[AUTHOR.peer_id].pending_calls -= 1
    peer._running = 9
    found = peer.discrepancies()
    assert any(text.startswith("counted backlog") for text in found)
    assert any(AUTHOR.peer_id in text and "pending_calls 1, there are 2" in text for text in found)
    assert any(text.startswith("9 runs, at most") for text in found)


# What an earlier process left


def left_over(count, **limits):
    """A core on a store with the data of `count` particles, 4 bytes each, and the store."""
    store = MemoryParticleData()
    before = PeerCore(HOST, HostPolicy(), store=store)
    for number in range(count):
        run = before.receive(Arrived(particle(number)), now_ms=NOW)[0]
        before.receive(Ran(run.key, outcome(b"kept")), now_ms=NOW)
    return PeerCore(HOST, HostPolicy(), store=store, limits=CoreLimits(author_share=1, **limits)), store


def test_left_data_count_as_particles_until_they_end():
    peer, store = left_over(2, actors_max=2)
    (drop, _) = check(peer, Arrived(particle(9)), Drop, SetTimer)
    assert (drop.reason, drop.detail) == (DropReason.BUSY, "particles alive")
    check(peer, Arrived(particle(1)), Run)
    check(peer, Tick(), at=NOW + 1001)
    assert store.total_bytes == 4, "one is running"
    check(peer, Arrived(particle(9, ttl=5000)), Run, SetTimer, at=NOW + 1002)


def test_left_data_count_for_their_author_once_he_comes_back():
    peer, store = left_over(1, stored_bytes_max=6)
    run, _ = check(peer, Arrived(particle()), Run, SetTimer)
    assert run.prev_data == b"kept"
    (drop,) = check(peer, Ran(run.key, outcome(b"1234567")), Drop)
    assert drop.detail == "stored data"
    (run,) = check(peer, Arrived(particle()), Run)
    check(peer, Ran(run.key, outcome(b"123456")))
    assert peer.discrepancies() == []
    check(peer, Tick(), Forget, at=NOW + 1001)
    assert store.total_bytes == 0


def test_left_data_end_with_their_scope():
    store = MemoryParticleData()
    before = PeerCore(HOST, HostPolicy(), store=store)
    before.receive(ScopeSet(WORKER), now_ms=NOW)
    run = before.receive(Arrived(particle()), now_ms=NOW)[0]
    run = before.receive(Ran(run.key, outcome(peers=[WORKER.peer_id])), now_ms=NOW)[0]
    before.receive(Ran(run.key, outcome()), now_ms=NOW)
    assert store.total_bytes == 6
    after = PeerCore(HOST, HostPolicy(), store=store)
    after.receive(ScopeSet(WORKER), now_ms=NOW)
    after.receive(ScopeRemoved(WORKER.peer_id), now_ms=NOW)
    assert [key.scope for key, _ in store.kept()] == [HOST.peer_id]
