"""What the generators of scripts promise."""

from __future__ import annotations

import random
import re

import pytest

from avm.air import parse
from runtime.sim.air_scripts import ScriptMaker
from runtime.sim.workloads import _feeds_itself, marked_script, peer_id, wild_script

PEERS = [peer_id(name) for name in ("relay", "peer1", "peer2")]


@pytest.mark.parametrize("seed", range(60))
def test_tame_scripts_leave_defects_out(seed: int) -> None:
    script = ScriptMaker(random.Random(seed), PEERS, tame=True).whole(20)
    assert "(fold $" not in script
    assert "(fold %" not in script
    assert ":error:" not in script
    assert "%last_error%" not in script
    assert not re.search(r'\(canon [^"]', script)
    assert not re.search(r'\(ap \([^"\d-]', script)


@pytest.mark.parametrize("tame", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_wild_scripts_parse_and_do_not_run_for_ever(seed: int, tame: bool) -> None:
    script = wild_script(random.Random(seed), PEERS, 14, tame=tame)
    assert parse(script).instruction is not None
    assert not _feeds_itself(script)


def test_folds_that_feed_themselves_are_known() -> None:
    assert _feeds_itself("(fold $s i (seq (ap i $s) (next i)))")
    assert not _feeds_itself("(seq (ap 1 $s) (fold $s i (seq (ap i $t) (next i))))")


@pytest.mark.parametrize("seed", range(20))
def test_marks_are_never_the_same_twice(seed: int) -> None:
    script = marked_script(random.Random(seed), PEERS, 1)
    assert parse(script).instruction is not None
    marks = re.findall(r'\("probe" "mark"\) \["(\d+)"', script)
    assert len(marks) == len(set(marks)) > 0
    assert script.count('("probe" "end")') == 1
