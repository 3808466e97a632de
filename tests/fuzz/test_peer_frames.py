"""A slice of the attacks on a running peer, the same one in every run; each kind of attack at least once."""

from __future__ import annotations

import pytest

pytest.importorskip("libp2p", reason="libp2p is not installed: pip install 'aquac[p2p]'")

from tests.fuzz.peer_frames import KINDS, fuzz

pytestmark = [pytest.mark.p2p, pytest.mark.slow]


def test_strangers_cannot_break_a_peer() -> None:
    result = fuzz(count=1500, seed=1, attackers=4)
    assert result["frames"] >= 1500
    assert result["honest_programs"] > 0


def test_every_kind_of_attack() -> None:
    result = fuzz(count=1, seed=2, attackers=1, each=True)
    assert set(result["kinds"]) == set(KINDS)
