"""Calls from a client: results, errors and the end of time."""

from __future__ import annotations

import re

import pytest
import trio
import trio.testing

from avm import Avm
from runtime.client import Abandoned, InterpreterError, ParticleExpired, WorkflowError
from runtime.clock import LoopClock
from runtime.local import open_local_network, peer_ids
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
