"""Scripts whose values grow with every round of a loop end with an error, not with the host's memory."""

from __future__ import annotations

import tracemalloc

import pytest

from avm.exec import budget
from tests.avm.vm import Peer, code_of

GROWING = {
    "errors quoting errors": "(seq (ap 1 $s) (fold $s i (par (ap %last_error% $s) (next i)) (ap i.$.[0] x)))",
    "caught errors": "(seq (ap 1 $s) (fold $s i (seq (xor (ap i.$.zz x) (ap :error: $s)) (next i))))",
    "canon of canons": '(seq (ap "abcdefgh" $s) (fold $s i (seq (seq (canon "A" $s #c) (ap #c $s)) (next i))))',
    "canon map of canon maps": (
        '(seq (ap ("k" "abcdefgh") %s) (fold %s i (seq (seq (canon "A" %s #%c) (ap ("k" #%c.$.k) %s)) (next i))))'
    ),
    "arguments": (
        '(seq (ap "abcdefgh" $s) (fold $s i (seq (seq (canon "A" $s #c) '
        '(par (call "A" ("a" "b") [#c #c]) (ap #c $s))) (next i))))'
    ),
}


@pytest.mark.parametrize("name", GROWING)
def test_growing_values_end_the_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 1 << 18
    monkeypatch.setattr(budget, "RUN_TEXT_MAX", limit)
    tracemalloc.start()
    try:
        result = Peer("A").run(GROWING[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert code_of(result) == 20009
    assert result.error is not None
    assert not result.error.catchable
    assert peak < 40 * limit


def test_a_run_that_stays_below_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "RUN_TEXT_MAX", 1 << 14)
    text = "x" * 2000
    script = f'(seq (ap "{text}" a) (seq (call "A" ("a" "b") [a a a]) (call "A" ("a" "c") [a a a])))'
    assert code_of(Peer("A").run(script)) == 0
    assert code_of(Peer("A").run(script.replace("a a a", "a " * 9))) == 20009


@pytest.mark.parametrize("part", ["x.$.[0]", "#cc.$.[0].[0]", "#%m.$.k", "#%m.$.k.[0].[0]", ":error:.$.message"])
def test_a_part_that_many_calls_take_is_counted_once(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "RUN_TEXT_MAX", 1 << 15)
    calls = f'(call "B" ("a" "b") [{part}])'
    for _ in range(20):
        calls = f'(par (call "B" ("a" "b") [{part}]) {calls})'
    script = (
        f'(seq (seq (ap "{"x" * 2000}" $s) (seq (canon "A" $s #c0) (ap #c0 x)))'
        f' (seq (seq (ap x $t) (seq (canon "A" $t #cc) (seq (ap ("k" x) %m) (canon "A" %m #%m))))'
        f" (xor (ap x.$.a y) {calls})))"
    )
    assert code_of(Peer("A").run(script)) == 0


def test_budgets_are_per_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "RUN_TEXT_MAX", 3000)
    script = f'(call "A" ("a" "b") ["{"x" * 2000}"])'
    assert [code_of(Peer("A").run(script)) for _ in range(3)] == [0, 0, 0]
