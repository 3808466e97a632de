"""The bound of the work one run may do: folds inside folds end, and what is below the bound is not touched."""

from __future__ import annotations

import json

import pytest

from avm import Avm
from avm.exec import machine
from avm.outcome import CallResult, Outcome, RunParameters
from runtime.protocol.identity import named_identity

OPERATIONS = 6
"""Operations of the flat program that a fold over `(seq (null) (next i))` takes, its own included."""

PEER = named_identity("steps")
PARAMS = RunParameters(
    init_peer_id=PEER.peer_id,
    current_peer_id=PEER.peer_id,
    timestamp=1,
    ttl=1,
    particle_id="p",
    secret_key_bytes=PEER.seed,
)


def check(body: str, items: int) -> Outcome:
    """Run `body` after `xs` got `items` elements."""
    script = f'(seq (call "{PEER.peer_id}" ("s" "f") [] xs) {body})'
    vm = Avm("python")  # the bound of native code cannot be patched
    asked = vm.invoke(script, b"", b"", PARAMS, {})
    return vm.invoke(script, asked.data, b"", PARAMS, {1: CallResult(0, json.dumps(list(range(items))))})


def nested(depth: int) -> str:
    """`depth` folds over `xs` inside each other."""
    return (
        "".join(f"(fold xs i{k} (seq " for k in range(depth))
        + "(null)"
        + "".join(f" (next i{k})))" for k in reversed(range(depth)))
    )


def test_folds_inside_folds_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "RUN_STEPS_MAX", 20_000)
    outcome = check(nested(12), 10)
    assert outcome.ret_code == 20021
    assert "more than 20000 steps" in outcome.error_message


def test_both_sides_of_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    # what this fold takes in the flat program, charged when it starts and each time `next` is met
    monkeypatch.setattr(machine, "RUN_STEPS_MAX", OPERATIONS * 1001)
    assert check(nested(1), 1000).ret_code == 0
    assert check(nested(1), 1001).ret_code == 20021


def test_depth_alone_is_not_charged_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folds of one item each: every operation runs once, however deep it lies."""
    monkeypatch.setattr(machine, "RUN_STEPS_MAX", 2 * 500 * OPERATIONS)
    assert check(nested(500), 1).ret_code == 0
    monkeypatch.setattr(machine, "RUN_STEPS_MAX", 500 * OPERATIONS)
    assert check(nested(500), 1).ret_code == 20021


def test_folds_without_next_are_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "(fold xs i (seq (fold xs j (seq (null) (null))) (next i)))"
    monkeypatch.setattr(machine, "RUN_STEPS_MAX", 1000)
    assert check(body, 20).ret_code == 0
    assert check(body, 200).ret_code == 20021


@pytest.mark.parametrize("catcher", ["(xor {} (null))", "(par {} (null))"])
def test_a_script_cannot_catch_it(catcher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "RUN_STEPS_MAX", 5000)
    assert check(catcher.format(nested(6)), 10).ret_code == 20021


def test_streams_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "RUN_STEPS_MAX", 500)
    body = "(seq (fold xs x (seq (ap x $s) (next x))) (fold $s i (seq (null) (next i))))"
    assert check(body, 40).ret_code == 0
    assert check(body, 80).ret_code == 20021
