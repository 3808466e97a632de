"""The pytest fixture, and what docs/testing.md shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.sim.network import AquaError, SimulationFailed
from runtime.sim.world import Failure

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")

pytest_plugins = ["pytester"]


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(found) == 1, language
    return found[0]


@pytest.mark.slow
def test_the_example_of_the_documentation(pytester: pytest.Pytester) -> None:
    pytester.makefile(".aqua", shop=block("aqua"))
    pytester.makepyfile(test_shop=block("python"))
    result = pytester.runpytest_subprocess("-q", "-p", "runtime.sim.pytest_plugin", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1 + 5)


def test_a_call_through_a_relay(aqua_net) -> None:
    net = aqua_net(seed=1)
    assert net.call("examples/hello/main.aqua", 'hello("ann")') == "hello, ann"
    (call,) = net.calls_of("op", "concat_strings")
    assert (call.peer, call.arguments) == ("relay", ["hello, ", "ann"])


@pytest.mark.parametrize("seed", range(5))
def test_many_peers_under_delays_and_copies(aqua_net, seed: int) -> None:
    net = aqua_net(peers=4, seed=seed, faults="delay,duplicate,reorder")
    assert net.call("examples/parallel_join/main.aqua", 'askAll(peers, "ready?")') == 4
    assert sorted(call.peer for call in net.calls_of("op")) == ["peer1", "peer2", "peer3", "peer4"]


def test_stubs_speak_the_declared_types(aqua_net) -> None:
    net = aqua_net()
    users = net.stub("Users", {"add": lambda user: len(user["name"]), "find": None, "oldest": OLDEST})
    assert net.call("examples/python_service/main.aqua", 'lookUp(known, "bob")', known=[OLDEST]) == [None, "ann"]
    assert users.arguments_of("add") == [[{"name": "ann", "age": 30, "email": []}]]
    assert users.arguments_of("find") == [["bob"]]


OLDEST = {"name": "ann", "age": 30, "email": None}


def test_a_stub_on_another_peer(aqua_net) -> None:
    net = aqua_net(peers=2)
    sig = net.stub("sig", {"get_peer_id": lambda: "somebody else"}, peer="peer1")
    assert net.call("examples/two_peers/main.aqua", "whereAmI(peer1)") is False
    assert net.call("examples/two_peers/main.aqua", "whereAmI(peer2)") is True
    assert len(sig.calls) == 1


def test_timeouts_take_no_time(aqua_net) -> None:
    net = aqua_net()
    assert net.call("examples/parallel_join/main.aqua", "fastest()") == "fast"


def test_errors_are_raised(aqua_net) -> None:
    net = aqua_net()
    with pytest.raises(AquaError, match="i64 div overflow") as caught:
        net.call("examples/errors/main.aqua", "divide(1, 0)")
    assert caught.value.value["error_code"] == 10000
    assert not caught.value.expired


def test_a_stub_that_raises_fails_the_call(aqua_net) -> None:
    net = aqua_net()

    def add(_: object) -> int:
        raise ValueError("full")

    net.stub("Users", {"add": add, "find": None, "oldest": OLDEST})
    with pytest.raises(AquaError, match="full"):
        net.call("examples/python_service/main.aqua", 'lookUp(known, "bob")', known=[OLDEST])


def test_a_call_that_never_answers(aqua_net) -> None:
    net = aqua_net(peers=1, faults="none")
    with pytest.raises(AquaError, match="came to rest") as caught:
        net.call("examples/two_peers/main.aqua", "whereAmI(nobody)", nobody=NOBODY, ttl_ms=1000)
    assert caught.value.expired


NOBODY = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


def test_there_is_no_such_peer(aqua_net) -> None:
    with pytest.raises(ValueError, match="no peer `moon`; there are relay, client"):
        aqua_net().stub("s", {}, peer="moon")


def test_a_failed_check_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from runtime.sim.checkers import CheckFailed

        def test_it(aqua_net):
            def fail():
                raise CheckFailed("mine", "wrong")
            aqua_net().world._on_end.append(fail)
        """
    )
    # In this process it would take the handlers of wasmtime away: pytest has faulthandler let go of signals when it ends.
    result = pytester.runpytest_subprocess("-q", "-p", "runtime.sim.pytest_plugin", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*SimulationFailed: mine: wrong (seed 0, event*"])


def test_what_a_failure_says() -> None:
    failure = Failure("no-call-twice", "twice", 7, 12, ("peer1",), 3)
    text = str(SimulationFailed(failure, 99, ("an event",)))
    assert text == "no-call-twice: twice (seed 99, event 7, at 12 ms, on peer1, particle 3)\nan event"


@pytest.mark.parametrize("peers", [-1, 63])
def test_a_network_has_room_for_so_many_peers(aqua_net, peers: int) -> None:
    with pytest.raises(ValueError, match=f"peers={peers}: expected 0 to 62"):
        aqua_net(peers=peers)


@pytest.mark.parametrize("ttl_ms", [0, 2**32])
def test_a_particle_lives_so_long(aqua_net, ttl_ms: int) -> None:
    with pytest.raises(ValueError, match=f"ttl_ms={ttl_ms}: expected 1 to 4294967295"):
        aqua_net().start("(null)", {}, ttl_ms=ttl_ms)
