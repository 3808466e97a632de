"""What one author may take of a peer: places for calls, particles and data, time, and turns."""

from __future__ import annotations

import pytest

from avm.outcome import CallRequest, CallResult, Outcome
from runtime.core.actions import Call, Drop, DropReason, Failed, Forget, Run, Send, SetTimer
from runtime.core.actor import Actor
from runtime.core.events import ActorKey, Arrived, Called, Ran, RunFailed, ScopeRemoved, ScopeSet, Tick
from runtime.core.limits import CoreLimits
from runtime.core.particle import new_particle
from runtime.core.peer_core import ClientPolicy, HostPolicy, PeerCore
from runtime.core.shares import Holding, Turns
from runtime.protocol.identity import named_identity

NOW = 1_700_000_000_000
HOUR = 3_600_000
HOST, ANN, BOB, MANAGER, WORKER = (named_identity(name) for name in ("host", "ann", "bob", "manager", "worker"))
RESULT = CallResult(0, "1")


class Peer:
    """A core under test, its particles by name, and what it has asked for."""

    def __init__(self, policy=None, **limits):
        self.core = PeerCore(HOST, policy or HostPolicy(), limits=CoreLimits(**limits))
        self.now = NOW
        self.keys = {}

    def feed(self, event):
        return [a for a in self.core.receive(event, now_ms=self.now) if not isinstance(a, SetTimer)]

    def arrive(self, name, author=ANN, *, ttl=1000, timestamp=None, data=b"", script="(null)"):
        made = new_particle(
            author, particle_id=name, timestamp=self.now if timestamp is None else timestamp, ttl=ttl, script=script
        )
        self.keys[name] = ActorKey(HOST.peer_id, made.signature)
        return self.feed(Arrived(made.with_data(data)))

    def ran(self, name, *, calls=(), data=b"d", peers=()):
        requests = {number: CallRequest("srv", "f", [], []) for number in calls}
        return self.feed(Ran(self.keys[name], Outcome(0, "", data, tuple(peers), requests)))

    def called(self, name, number):
        return self.feed(Called(self.keys[name], number, RESULT))

    def asking(self, name, calls, author=ANN, **more):
        """A particle arrives and its run asks for calls."""
        check(self.arrive(name, author, **more), f"run {name}")
        return self.ran(name, calls=calls)


def check(actions, *expected):
    """The actions in short: `run p`, `call p 1`, `busy what`, `share what`, …"""

    def short(action):
        match action:
            case Run():
                return f"run {action.params.particle_id}"
            case Call():
                return f"call {action.particle.id} {action.call_id}"
            case Drop(_, DropReason.BUSY, detail):
                return f"busy {detail}"
            case Drop(_, DropReason.AUTHOR_SHARE, detail):
                return f"share {detail}"
            case Drop():
                return action.reason.name
            case Forget():
                return f"forget {action.particle_id}"
            case Failed() | Send():
                return type(action).__name__

    assert [short(action) for action in actions] == list(expected)


# Service calls


def test_calls_beyond_the_actors_bound_wait_and_start_as_others_finish():
    peer = Peer(actor_calls_max=2)
    check(peer.asking("p", range(1, 5)), "call p 1", "call p 2")
    check(peer.called("p", 2), "call p 3", "run p")
    check(peer.called("p", 1), "call p 4")
    check(peer.called("p", 3))
    check(peer.called("p", 4))
    (run,) = peer.ran("p")
    assert sorted(run.call_results) == [1, 3, 4]
    check(peer.ran("p"))
    assert peer.core.is_idle


def test_exactly_as_many_calls_as_may_run_start_at_once():
    check(Peer(actor_calls_max=2).asking("p", (1, 2)), "call p 1", "call p 2")


def test_calls_of_later_runs_come_after_those_that_wait():
    peer = Peer(actor_calls_max=1)
    check(peer.asking("p", (1, 2)), "call p 1")
    check(peer.arrive("p"), "run p")
    check(peer.ran("p", calls=(3,)))
    check(peer.called("p", 1), "call p 2", "run p")
    check(peer.ran("p"))
    check(peer.called("p", 2), "call p 3", "run p")


def test_a_result_of_a_call_that_still_waits_has_no_effect():
    peer = Peer(actor_calls_max=1)
    check(peer.asking("p", (1, 2)), "call p 1")
    check(peer.called("p", 2))
    check(peer.called("p", 1), "call p 2", "run p")


def test_the_peers_bound_holds_for_all_actors_and_authors_take_turns():
    peer = Peer(calls_max=2, author_share=1)
    check(peer.asking("a", (1, 2, 3, 4)), "call a 1", "call a 2")
    check(peer.asking("a2", (1,)))
    check(peer.asking("b", (1, 2), BOB))
    check(peer.called("a", 1), "call a 3", "run a")
    check(peer.ran("a"))
    check(peer.called("a", 2), "call b 1", "run a")
    check(peer.ran("a"))
    check(peer.called("b", 1), "call a2 1", "run b")
    check(peer.ran("b"))
    check(peer.called("a2", 1), "call b 2", "run a2")


def test_hanging_calls_of_one_author_leave_places_for_others():
    peer = Peer(calls_max=4, author_share=2)
    check(peer.asking("a", (1, 2, 3)), "call a 1", "call a 2")
    check(peer.asking("b", (1, 2, 3), BOB), "call b 1", "call b 2")
    check(peer.called("b", 1), "call b 3", "run b")
    check(peer.ran("b"))
    check(peer.called("a", 2), "call a 3", "run a")


def test_the_hosts_own_calls_have_no_share_but_the_bound():
    peer = Peer(calls_max=4, author_share=4)
    check(peer.asking("h", range(1, 6), HOST), *(f"call h {number}" for number in range(1, 5)))


def test_the_end_of_a_particle_frees_its_places():
    peer = Peer(calls_max=1, author_share=1)
    check(peer.asking("a", (1, 2), ttl=10), "call a 1")
    check(peer.asking("b", (1,), BOB))
    peer.now += 11
    check(peer.feed(Tick()), "forget a", "call b 1")
    check(peer.called("b", 1), "run b")
    check(peer.ran("b"))
    assert peer.core.is_idle


def test_the_end_of_a_particle_takes_its_waiting_calls_along():
    peer = Peer(calls_max=1, author_share=1)
    check(peer.asking("a", (1,)), "call a 1")
    check(peer.asking("b", (1,), BOB, ttl=10))
    peer.now += 11
    check(peer.feed(Tick()), "forget b")
    check(peer.called("a", 1), "run a")
    check(peer.ran("a"))
    assert peer.core.is_idle


def test_pending_calls_are_bounded_for_new_particles():
    peer = Peer(pending_calls_max=3, actor_calls_max=1, author_share=1)
    check(peer.asking("a", (1, 2)), "call a 1")
    check(peer.asking("b", (1,)), "call b 1")
    check(peer.arrive("c", BOB), "busy calls pending")
    check(peer.arrive("a"), "run a")
    check(peer.ran("a"))
    check(peer.called("a", 1), "call a 2", "run a")
    check(peer.arrive("c", BOB), "run c")


def test_an_outcome_with_too_many_calls_has_no_effect():
    peer = Peer(pending_calls_max=3, author_share=1)
    check(peer.asking("a", (1, 2)), "call a 1", "call a 2")
    check(peer.arrive("b"), "run b")
    check(peer.ran("b", calls=(1, 2), peers=[BOB.peer_id]), "busy calls pending")
    (run,) = peer.arrive("b")
    assert run.prev_data == b""
    check(peer.ran("b", calls=(1,)), "call b 1")


def test_pending_calls_of_one_author_are_bounded():
    peer = Peer(HostPolicy(frozenset([MANAGER.peer_id])), pending_calls_max=8, author_share=4)
    check(peer.arrive("a"), "run a")
    check(peer.ran("a", calls=(1, 2, 3)), "share calls pending")
    check(peer.arrive("a"), "run a")
    check(peer.ran("a", calls=(1, 2)), "call a 1", "call a 2")
    check(peer.arrive("a2"), "share calls pending")
    check(peer.asking("b", (1,), BOB), "call b 1")
    check(peer.asking("m", (1, 2, 3), MANAGER), "call m 1", "call m 2", "call m 3")
    check(peer.asking("h", (1, 2), HOST), "call h 1", "call h 2")
    check(peer.arrive("b2", BOB), "busy calls pending")


# Particles and data


def test_one_author_holds_a_part_of_the_particles():
    peer = Peer(HostPolicy(frozenset([MANAGER.peer_id])), actors_max=8, author_share=4, runs_max=99)
    check(peer.arrive("a1"), "run a1")
    check(peer.arrive("a2"), "run a2")
    check(peer.arrive("a3"), "share particles alive")
    check(peer.arrive("a1"))
    for author, name in ((BOB, "b"), (MANAGER, "m1"), (MANAGER, "m2"), (MANAGER, "m3"), (HOST, "h1"), (HOST, "h2")):
        check(peer.arrive(name, author), f"run {name}")
    check(peer.arrive("b2", BOB), "busy particles alive")


def test_management_of_one_peer_is_nobody_on_another():
    peer = Peer(actors_max=4, runs_max=99)
    check(peer.arrive("m1", MANAGER), "run m1")
    check(peer.arrive("m2", MANAGER), "share particles alive")


def test_a_client_bounds_strangers_and_not_itself():
    peer = Peer(ClientPolicy(BOB.peer_id), actors_max=8, runs_max=99)
    for number in range(5):
        check(peer.arrive(f"own{number}", HOST), f"run own{number}")
    check(peer.arrive("a1"), "run a1")
    check(peer.arrive("a2"), "run a2")
    check(peer.arrive("a3"), "share particles alive")


def test_a_place_is_free_again_when_a_particle_ends():
    peer = Peer(actors_max=4)
    check(peer.asking("a1", (), ttl=10))
    check(peer.arrive("a2"), "share particles alive")
    peer.now += 11
    check(peer.feed(Tick()), "forget a1")
    check(peer.arrive("a2"), "run a2")


def test_one_author_holds_a_part_of_the_stored_data():
    peer = Peer(stored_bytes_max=40, author_share=4)
    check(peer.arrive("a"), "run a")
    check(peer.ran("a", data=b"x" * 11, calls=(1,)), "share stored data")
    check(peer.arrive("a"), "run a")
    check(peer.ran("a", data=b"x" * 10))
    check(peer.arrive("a2"), "share stored data")
    check(peer.arrive("h", HOST), "run h")
    check(peer.ran("h", data=b"x" * 20))
    check(peer.arrive("b", BOB), "run b")
    check(peer.ran("b", data=b"x" * 11), "busy stored data")
    check(peer.arrive("a"), "run a")
    check(peer.ran("a", data=b"x" * 4))
    check(peer.arrive("a2"), "run a2")
    check(peer.ran("a2", data=b"x" * 6))


def test_scripts_of_living_particles_are_bounded():
    """A particle keeps its script until its life is over, whether anything is left to do or not."""
    peer = Peer(script_bytes_max=40, author_share=4, runs_max=99)
    check(peer.arrive("a", script="x" * 11), "share scripts")
    check(peer.arrive("a1", script="x" * 4), "run a1")
    check(peer.arrive("a2", script="\u20ac\u20ac"), "share scripts")
    check(peer.arrive("a3", script="x" * 6), "run a3")
    check(peer.arrive("a3", script="x" * 6))  # a copy takes nothing more
    check(peer.arrive("h", HOST, script="x" * 24), "run h")
    check(peer.arrive("b", BOB, script="x" * 7), "busy scripts")
    check(peer.arrive("b", BOB, script="x" * 6), "run b")
    for name in ("a1", "a3", "h", "b"):
        peer.ran(name)
    peer.ran("a3")
    assert peer.core.discrepancies() == []
    peer.now += 1001
    assert len(peer.feed(Tick())) == 4
    check(peer.arrive("a4", script="x" * 10), "run a4")


def test_one_author_fills_a_part_of_the_backlog():
    peer = Peer(runs_max=1, backlog_max=8)
    check(peer.arrive("a1"), "run a1")
    check(peer.arrive("a2"))
    assert peer.core.has_room(ANN.peer_id)
    check(peer.arrive("a3"))
    assert not peer.core.has_room(ANN.peer_id)
    assert peer.core.has_room(BOB.peer_id)
    check(peer.arrive("h", HOST))
    check(peer.arrive("h2", HOST))
    assert peer.core.has_room(HOST.peer_id)
    check(peer.ran("a1"), "run a2")
    assert peer.core.has_room(ANN.peer_id)


def test_one_author_fills_a_part_of_the_waiting_data():
    peer = Peer(runs_max=1, queued_bytes_max=40)
    check(peer.arrive("a1"), "run a1")
    check(peer.arrive("a2", data=b"x" * 9))
    assert peer.core.has_room(ANN.peer_id)
    check(peer.arrive("a3", data=b"x" * 20))
    assert not peer.core.has_room(ANN.peer_id)
    assert peer.core.has_room(BOB.peer_id)


# Time


@pytest.mark.parametrize(
    ("author", "limit", "end"), [(ANN, 100, 100), (HOST, 100, 5000), (ANN, None, 5000), (ANN, 5000, 5000)]
)
def test_a_particle_lives_no_longer_than_the_limit(author, limit, end):
    peer = Peer(life_ms_max=limit)
    check(peer.arrive("p", author, ttl=5000), "run p")
    check(peer.ran("p"))
    peer.now = NOW + end
    check(peer.feed(Tick()))
    check(peer.arrive("p", author, ttl=5000, timestamp=NOW), "run p")
    check(peer.ran("p"))
    peer.now = NOW + end + 1
    check(peer.feed(Tick()), "forget p")
    # a copy that comes late must not start it anew
    check(peer.arrive("p", author, ttl=5000, timestamp=NOW), "EXPIRED")
    assert peer.core.actor_count == 0


def test_the_limit_ends_a_run_without_effects():
    peer = Peer(life_ms_max=100)
    check(peer.arrive("p", ttl=5000), "run p")
    peer.now += 101
    check(peer.ran("p", calls=(1,), peers=[BOB.peer_id]), "forget p")


def test_the_life_limit_is_an_hour_unless_set():
    peer = Peer()
    check(peer.arrive("p", ttl=2**32 - 1), "run p")
    check(peer.ran("p"))
    peer.now += HOUR
    check(peer.feed(Tick()))
    peer.now += 1
    check(peer.feed(Tick()), "forget p")


def test_a_timestamp_may_be_a_little_ahead_but_not_far():
    peer = Peer(life_ms_max=100)
    check(peer.arrive("p", timestamp=NOW + 100), "run p")
    check(peer.arrive("q", timestamp=NOW + 101), "TOO_FAR")
    check(peer.arrive("h", HOST, timestamp=NOW + 101), "run h")
    check(Peer(life_ms_max=None).arrive("q", timestamp=NOW + 10 * HOUR), "run q")


# Turns


def test_authors_take_turns_at_the_interpreter():
    peer = Peer(runs_max=1)
    check(peer.arrive("a1"), "run a1")
    for name in ("a2", "a3", "a4"):
        check(peer.arrive(name))
    check(peer.arrive("b1", BOB))
    check(peer.arrive("b2", BOB))
    order = ["a1"]
    for _ in range(5):
        (run,) = peer.ran(order[-1])
        order.append(run.params.particle_id)
    assert order == ["a1", "a2", "b1", "a3", "b2", "a4"]


def test_a_newcomer_waits_for_one_run_of_each_author():
    peer = Peer(runs_max=1, mailbox_max=99)
    check(peer.arrive("heavy"), "run heavy")
    for _ in range(20):
        check(peer.arrive("heavy"))
        check(peer.arrive("heavy2"))
    check(peer.arrive("light", BOB))
    (first,) = peer.feed(RunFailed(peer.keys["heavy"], "trap"))[1:]
    (second,) = peer.ran(first.params.particle_id)
    assert second.params.particle_id == "light"


def actor(author, name):
    made = new_particle(author, particle_id=name, timestamp=NOW, ttl=1, script="")
    return Actor(ActorKey("scope", made.signature), made, None, NOW)


def test_turns():
    turns = Turns()
    a1, a2, b1 = actor(ANN, "1"), actor(ANN, "2"), actor(BOB, "1")
    assert turns.take() is None
    for item in (a1, a2, a1, b1):
        turns.add(item)
    assert turns.take(lambda author: author == BOB.peer_id) is b1
    assert turns.take(lambda author: author == BOB.peer_id) is None
    turns.discard(b1)
    turns.discard(a1)
    assert (turns.take(), bool(turns)) == (a2, False)


# Accounts


def test_nothing_is_left_on_the_accounts():
    """Whatever way a particle ends, what it took is given back."""
    peer = Peer(runs_max=1, actor_calls_max=1, life_ms_max=500)
    peer.feed(ScopeSet(WORKER))
    check(peer.asking("calls", (1, 2, 3), ttl=50), "call calls 1")
    check(peer.arrive("worker"), "run worker")
    check(peer.ran("worker", peers=[WORKER.peer_id]), "run worker")
    check(peer.arrive("waits", BOB, data=b"12345"))
    check(peer.arrive("waits", BOB, data=b"12345"))
    check(peer.feed(ScopeRemoved(WORKER.peer_id)), "forget worker")
    peer.now += 600
    forgotten = peer.feed(Tick())
    assert {action.particle_id for action in forgotten} == {"calls", "worker", "waits"}
    assert peer.core._total == Holding()
    assert peer.core._authors == {}
    assert not peer.core.is_idle
    check(peer.feed(Ran(ActorKey(WORKER.peer_id, peer.keys["worker"].signature), Outcome(0, "", b"d"))))
    assert peer.core.is_idle
