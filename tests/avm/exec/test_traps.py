"""Where the reference panics: a defined error that no script can catch, nothing changed, nothing sent."""

from __future__ import annotations

import pytest

from avm.data.interpreter_data import ServiceResult, Tetraplet
from avm.outcome import CallResult
from avm.trace.states import CANON, FAILED, REQUESTED, SCALAR, UNUSED
from tests.avm.vm import Peer, code_of


def check(peer: Peer, air: str, code: int, results: dict[int, CallResult] | None = None, data: object = None) -> str:
    before = list(peer.trace)
    result = peer.run(f"(xor {air} (null))", results, data=data)  # type: ignore[arg-type]
    assert code_of(result) == code
    assert result.error is not None
    assert not result.error.catchable
    assert peer.trace == before
    return result.error.message


def test_reading_an_iterator_that_ap_overwrote() -> None:
    peer = Peer()
    air = '(seq (call "A" ("s" "f") [] l) (fold l i (seq (ap 1 i) (ap i z))))'
    wrapped = f"(xor {air} (null))"
    peer.run(wrapped)
    check(peer, air, 20004, {1: CallResult(0, "[1]")})


def test_fail_with_a_code_beyond_i64() -> None:
    air = '(seq (call "A" ("s" "f") [] e) (fail e))'
    peer = Peer()
    peer.run(f"(xor {air} (null))")
    text = f'{{"error_code":{2**63},"message":"m"}}'
    check(peer, air, 10008, {1: CallResult(0, text)})


@pytest.mark.parametrize("state", [(FAILED, "c"), (SCALAR, "c"), (CANON, "c")])
def test_cids_that_are_nowhere(state: tuple[object, ...]) -> None:
    air = '(canon "B" $s #c)' if state[0] == CANON else '(call "B" ("s" "f") [] x)'
    message = check(Peer(), air, 20010, data=[state])
    assert message.endswith('for CID "c" not found')


def test_parts_of_a_result_that_are_nowhere() -> None:
    peer = Peer()
    peer.stores.service_results["c"] = ServiceResult("v", "h", "t")
    assert check(peer, '(call "B" ("s" "f") [] x)', 20010, data=[(SCALAR, "c")]) == 'value for CID "v" not found'
    peer.stores.values["v"] = "1"
    assert check(peer, '(call "B" ("s" "f") [] x)', 20010, data=[(SCALAR, "c")]) == 'tetraplet for CID "t" not found'


def test_a_stored_value_that_is_not_json() -> None:
    peer = Peer("B")
    air = '(seq (call "B" ("s" "f") [] x) (match x.$.a 1 (null)))'
    wrapped = f"(xor {air} (null))"
    peer.run(wrapped)
    peer.run(wrapped, {1: CallResult(0, '{"a":1}')})
    for cid in peer.stores.values:
        peer.stores.values[cid] = "{oops"
    assert check(peer, air, 20010).endswith("is not JSON: key must be a string at line 1 column 2")


@pytest.mark.parametrize("state", [(SCALAR, "c"), (FAILED, "c"), (UNUSED, "c"), (REQUESTED, "A", 1)])
def test_states_of_calls_whose_arguments_are_undefined(state: tuple[object, ...]) -> None:
    peer = Peer()
    output = "" if state[0] == UNUSED else "x"
    peer.stores.service_results["c"] = ServiceResult("v", "h", "t")
    peer.stores.values["v"] = "1"
    peer.stores.tetraplets["t"] = Tetraplet("A", "s", "f", "")
    air = f'(par (call "B" ("s" "l") [] late) (call "A" ("s" "f") [late] {output}))'
    peer.trace = [(0, 0, 1), state]
    check(peer, air, 20017, {1: CallResult(0, "1")})
