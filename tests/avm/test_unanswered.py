"""What a particle waits for, read from what a peer keeps of it."""

from __future__ import annotations

import pytest

from avm import Avm, CallResult, RunParameters
from avm.exec.waiting import waiting
from runtime.protocol.identity import named_identity

ME = named_identity("me")
YOU = named_identity("you")


def parameters(who=ME) -> RunParameters:
    return RunParameters(
        init_peer_id=ME.peer_id, current_peer_id=who.peer_id, timestamp=1, ttl=7000, particle_id="p",
        secret_key_bytes=who.seed,
    )  # fmt: skip


def check(script: str, *expected: str, results: dict[int, str] | None = None, who=ME) -> None:
    """Run a script at `who`, answer some of its calls, and compare what is waited for: `instruction @ peer`."""
    script = script.replace("ME", f'"{ME.peer_id}"').replace("YOU", f'"{YOU.peer_id}"')
    vm = Avm("python")
    outcome = vm.invoke(script, b"", b"", parameters(who), {})
    if results:
        answers = {number: CallResult(0, text) for number, text in results.items()}
        outcome = vm.invoke(script, outcome.data, b"", parameters(who), answers)
    names = {ME.peer_id: "ME", YOU.peer_id: "YOU"}
    found = []
    for item in waiting(script, outcome.data, parameters(who)):
        text = item.instruction.replace(f'"{ME.peer_id}"', "ME").replace(f'"{YOU.peer_id}"', "YOU")
        found.append(f"{text} @ {names[item.peer_id]}")
    assert found == list(expected)
    again = vm.invoke(script, outcome.data, b"", parameters(who), {})
    assert again.data == outcome.data  # looking has changed nothing


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("(null)", []),
        ('(call ME ("s" "f") [] x)', ['call ME ("s" "f") [] x @ ME']),
        ('(call YOU ("s" "f") [])', ['call YOU ("s" "f") []  @ YOU']),
        ('(seq (call YOU ("s" "f") [] x) (call ME ("s" "g") [x]))', ['call YOU ("s" "f") [] x @ YOU']),
        ('(par (call YOU ("s" "f") [] x) (call ME ("s" "g") [x]))', ['call YOU ("s" "f") [] x @ YOU']),
        (
            '(par (call ME ("s" "f") [] x) (call YOU ("s" "g") []))',
            ['call ME ("s" "f") [] x @ ME', 'call YOU ("s" "g") []  @ YOU'],
        ),
        ("(seq (ap 1 $s) (canon YOU $s #s))", ["canon YOU $s #s @ YOU"]),
        ('(xor (fail 1 "x") (call YOU ("s" "f") []))', ['call YOU ("s" "f") []  @ YOU']),
    ],
)
def test_calls_and_canons(script: str, expected: list[str]) -> None:
    check(script, *expected)


def test_what_was_answered_is_not_waited_for() -> None:
    script = '(seq (call ME ("s" "f") [] x) (call x ("s" "g") []))'
    check(script, 'call x ("s" "g") []  @ YOU', results={1: f'"{YOU.peer_id}"'})
    check('(par (call ME ("s" "f") [] x) (call ME ("s" "g") [] y))', 'call ME ("s" "f") [] x @ ME', results={2: "1"})
    check('(call ME ("s" "f") [] x)', results={1: "1"})


def test_the_same_instruction_in_a_loop_is_named_once() -> None:
    script = '(seq (call ME ("s" "f") [] xs) (fold xs x (par (call YOU ("s" "g") [x]) (next x))))'
    check(script, 'call YOU ("s" "g") [x]  @ YOU', results={1: "[1,2,3]"})


def test_a_failure_after_it_hides_nothing() -> None:
    check('(par (call YOU ("s" "f") []) (fail 1 "x"))', 'call YOU ("s" "f") []  @ YOU')


@pytest.mark.parametrize(("script", "data"), [("(seq", b""), ("(null)", b"not data"), ("", b"")])
def test_what_cannot_be_read_waits_for_nothing(script: str, data: bytes) -> None:
    assert waiting(script, data, parameters()) == ()
