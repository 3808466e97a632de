"""The switches of VmOptions: the reference's defects by default, the promised behaviour when asked for."""

from __future__ import annotations

from avm.exec.context import VmOptions
from avm.outcome import CallResult
from avm.trace.states import SCALAR
from tests.avm.vm import Peer, answers, code_of, first_argument

NOT_JSON = CallResult(0, "{oops")


def _pairs(version: str) -> list[object]:
    pairs = [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 5)]
    air = '(seq (canon "A" %m #%c) (fold #%c i (seq (ap i.$.value $s) (next i)) (seq (canon "A" $s #r) (call "A" ("s" "f") [#r] z))))'
    for key, value in reversed(pairs):
        air = f'(seq (ap ("{key}" {value}) %m) {air})'
    result = Peer(options=VmOptions(version=version)).run(air)  # type: ignore[arg-type]
    return result.requests[1].arguments[0]


def test_versions_iterate_canon_maps_differently() -> None:
    assert _pairs("0.62") == [1, 2, 3, 4, 5]
    assert _pairs("0.64.1") == [3, 4, 5]


def test_d2_a_failing_canon_takes_a_state_that_is_not_its_own() -> None:
    air = '(seq (ap 1 bad) (xor (canon bad $s #c) (call "A" ("s" "f") [] x)))'
    for options, code in ((VmOptions(), 20000), (VmOptions(fix_d2=True), 0)):
        peer = Peer(options=options)
        peer.serve(air, lambda _request: "v") if code == 0 else peer.run(air)
        result = peer.run(air)
        assert code_of(result) == code
    assert [state[0] for state in result.trace] == [SCALAR]


def test_d2_a_failing_key_takes_a_state_that_is_not_its_own() -> None:
    air = '(seq (ap 1.5 bad) (xor (ap (bad "v") %m) (call "A" ("s" "f") [] x)))'
    for options, code in ((VmOptions(), 20000), (VmOptions(fix_d2=True), 0)):
        peer = Peer(options=options)
        peer.run(air)
        assert code_of(peer.run(air)) == code


def test_d2_fixed_still_waits() -> None:
    air = '(par (call "B" ("s" "f") [] late) (par (canon late $s #c) (ap (late 1) %m)))'
    result = Peer(options=VmOptions(fix_d2=True)).run(air)
    assert code_of(result) == 0
    assert len(result.trace) == 3


def test_d3_signs_the_failure_of_a_result_that_is_not_json() -> None:
    air = '(xor (call "A" ("s" "f") [] x) (null))'
    for fixed in (False, True):
        peer = Peer(options=VmOptions(fix_d3=fixed))
        result = peer.run(air)
        result = peer.run(air, answers(result, lambda _request: NOT_JSON))
        failed = result.trace[0][1]
        assert result.signed_cids == ([failed] if fixed else [])
        assert peer.run(air).signed_cids == [failed]


def test_d1_a_generation_that_arrives_late_is_visited_when_fixed() -> None:
    """B adds to the stream it folds over. C knows the first value, then learns three generations at once."""
    air = (
        "(seq (seq (ap 0 $s) (null))"
        ' (fold $s i (par (seq (call "B" ("s" "step") [i] x) (mismatch x 4 (ap x $s))) (next i))))'
    )
    visits = {}
    for fixed in (False, True):
        options = VmOptions(fix_d1=fixed)
        b, c = Peer("B", options=options), Peer("C", options=options)
        started = b.run(air)
        c.run(air, data=b)
        step = started
        while step.requests:
            step = b.run(air, answers(step, lambda request: first_argument(request) + 1))
        assert sum(state[0] == SCALAR for state in b.trace) == 4
        result = c.run(air, data=b)
        assert code_of(result) == 0
        visits[fixed] = sum(state[0] == SCALAR for state in result.trace)
    assert visits[True] == 4
    assert visits[False] < visits[True]
