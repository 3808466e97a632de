"""Joins and completeness: who waits, who fails, and what still runs afterwards."""

from __future__ import annotations

import pytest

from avm.outcome import CallResult
from avm.trace.states import AP, CANON_SENT_BY, REQUESTED, SENT_BY
from tests.avm.vm import Peer, code_of

LATE = '(call "B" ("s" "late") [] late)'
AFTER = '(call "A" ("s" "after") [] r)'


def check(air: str, *, code: int = 0, requests: list[str], peers: list[str], states: int) -> None:
    result = Peer().run(air)
    assert code_of(result) == code
    assert [request.function_name for request in result.requests.values()] == requests
    assert result.next_peers == peers
    assert len(result.trace) == states


@pytest.mark.parametrize(
    "waiting",
    [
        '(call late ("s" "f") [] x)',
        '(call "A" (late "f") [] x)',
        '(call "A" ("s" late) [] x)',
        '(call "A" ("s" "f") [late] x)',
        "(ap late x)",
        "(ap late $s)",
        '(ap ("k" late) %m)',
        "(match late 1 (null))",
        "(mismatch 1 late (null))",
        "(fold late i (next i))",
        "(fold late.$.a i (next i))",
        "(canon late $s #c)",
    ],
)
def test_waits_without_failing(waiting: str) -> None:
    """The par stays incomplete, nothing after the waiting instruction runs, the other branch is not disturbed."""
    check(
        f"(par {LATE} (par (seq (xor {waiting} {AFTER}) {AFTER}) (null)))",
        requests=[],
        peers=["B"],
        states=3,
    )


def test_a_lens_accessor_waits_like_its_user() -> None:
    air = f'(par {LATE} (seq (call "A" ("s" "l") [] l) (xor (ap l.$.[late] x) {AFTER})))'
    peer = Peer()
    peer.run(air)
    result = peer.run(air, {1: CallResult(0, "[1]")})
    assert code_of(result) == 0
    assert not result.requests


def test_a_key_waits_after_it_took_its_state() -> None:
    check(f'(par {LATE} (seq (ap (late "v") %m) {AFTER}))', requests=[], peers=["B"], states=2)


def test_a_remote_call_is_sent_with_unresolved_arguments() -> None:
    check(f'(par {LATE} (call "C" ("s" "f") [late] x))', requests=[], peers=["B", "C"], states=3)


def test_fail_and_a_known_canon_do_not_wait() -> None:
    check(f"(par {LATE} (xor (fail late) {AFTER}))", requests=["after"], peers=["B"], states=3)
    peer = Peer()
    peer.trace = [(2 * 0, 1, 1), (SENT_BY, "A"), (CANON_SENT_BY, "B")]
    result = peer.run(f"(par {LATE} (canon late $s #c))")
    # the par catches the error of its right branch, the left one succeeded
    assert code_of(result) == 0
    assert result.trace == [(0, 1, 0), (SENT_BY, "A")]


def test_a_variable_cleared_by_new_is_an_error() -> None:
    result = Peer().run('(seq (ap 1 x) (new x (call "A" ("s" "f") [x] y)))')
    assert code_of(result) == 10009
    result = Peer().run(f"(seq (ap 1 x) (new x (xor (ap x y) {AFTER})))")
    assert [request.function_name for request in result.requests.values()] == ["after"]


@pytest.mark.parametrize(
    ("air", "goes_on"),
    [
        ("(null)", True),
        ("(never)", False),
        ("(par (never) (null))", True),
        ("(par (never) (never))", False),
        ("(xor (never) (null))", False),
        ('(xor (fail 1 "x") (null))', True),
        ('(par (fail 1 "x") (null))', True),
        ("(seq (ap 1 $s) (fold $s i (next i)))", False),
        ("(seq (ap 1 $s) (fold $s i (next i) (null)))", True),
        ("(seq (ap 1 $s) (fold $s i (seq (null) (next i)) (never)))", False),
        ("(seq (ap 1 $s) (new $t (seq (null) (ap 1 $t))))", True),
        ("(fold [] i (never))", True),
        ('(seq (ap 1 $s) (canon "A" $s #c))', True),
        ('(seq (ap 1 $s) (canon "B" $s #c))', False),
        ("(match 1 1 (never))", False),
        ("(seq (ap 1 $s) (fold $s i (par (null) (next i))))", True),
    ],
)
def test_seq_goes_on_only_after_a_complete_part(air: str, goes_on: bool) -> None:
    result = Peer().run(f"(seq {air} {AFTER})")
    assert code_of(result) == 0
    assert bool(result.requests) == goes_on


def test_a_sent_state_is_not_sent_again_and_its_callee_executes() -> None:
    a, b = Peer("A"), Peer("B")
    air = '(call "B" ("s" "f") [] x)'
    assert a.run(air).next_peers == ["B"]
    assert a.run(air).next_peers == []
    result = b.run(air, data=a)
    assert result.next_peers == []
    assert result.trace == [(REQUESTED, "B", 1)]
    assert a.run(air, data=b).trace == [(SENT_BY, "A")]


def test_results_of_unknown_requests_stay() -> None:
    result = Peer().run("(ap 1 $s)", {7: CallResult(0, "1")})
    assert result.unused_results == {7: CallResult(0, "1")}
    assert result.trace == [(AP, (0,))]
