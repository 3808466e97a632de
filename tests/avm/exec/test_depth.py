"""Depth and length: nothing uses the host's stack."""

from __future__ import annotations

import sys

import pytest

from avm.outcome import CallResult
from avm.trace.states import PAR, SCALAR
from tests.avm.vm import Peer, code_of

DEPTH = 10_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "leaf", "tail", "code", "states"),
    [
        ("(seq (null) ", "(null)", ")", 0, 0),
        ("(seq ", "(null)", " (null))", 0, 0),
        ("(par ", "(null)", " (null))", 0, DEPTH),
        ("(par (null) ", '(fail 1 "x")', ")", 0, DEPTH),
        ("(par ", '(fail 1 "x")', ' (fail 1 "x"))', 10006, DEPTH),
        ("(xor ", '(fail 1 "x")', ' (fail 2 "y"))', 10006, 0),
        ("(xor ", '(fail 1 "x")', " (null))", 0, 0),
        ("(new x ", '(fail 1 "x")', ")", 10006, 0),
        ("(new $s ", "(ap 1 $s)", ")", 0, 1),
        ("(match 1 1 ", "(null)", ")", 0, 0),
    ],
    ids=lambda value: str(value)[:12].strip(),
)
def test_nesting(head: str, leaf: str, tail: str, code: int, states: int) -> None:
    limit = sys.getrecursionlimit()
    peer = Peer()
    result = peer.run(head * DEPTH + leaf + tail * DEPTH)
    assert code_of(result) == code
    assert len(result.trace) == states
    assert sys.getrecursionlimit() == limit


@pytest.mark.slow
def test_fold_of_100_000_items() -> None:
    peer = Peer()
    air = '(seq (call "A" ("s" "l") [] l) (fold l i (seq (ap i y) (next i)) (call "A" ("s" "end") [y] z)))'
    peer.run(air)
    result = peer.run(air, {1: CallResult(0, f"[{','.join(map(str, range(100_000)))}]")})
    assert code_of(result) == 0
    # the last instruction runs where the last item is still current
    assert result.requests[2].arguments == [99_999]


@pytest.mark.slow
def test_fold_with_a_state_per_item() -> None:
    peer = Peer()
    air = '(seq (call "A" ("s" "l") [] l) (fold l i (par (ap i y) (next i))))'
    peer.run(air)
    result = peer.run(air, {1: CallResult(0, f"[{','.join(['0'] * 20_000)}]")})
    assert [state[0] for state in result.trace[:3]] == [SCALAR, PAR, PAR]
    assert result.trace[1] == (PAR, 0, 19_999)
    again = peer.run(air)
    assert again.trace == result.trace


@pytest.mark.slow
def test_error_through_many_iterations() -> None:
    peer = Peer()
    air = (
        '(seq (call "A" ("s" "l") [] l)'
        ' (xor (fold l i (seq (new w (ap i w)) (next i)) (fail 5 "at the end")) (call "A" ("s" "e") [:error:.$.message] z)))'
    )
    peer.run(air)
    result = peer.run(air, {1: CallResult(0, f"[{','.join(['0'] * 20_000)}]")})
    assert code_of(result) == 0
    assert "at the end" in result.requests[2].arguments[0]
