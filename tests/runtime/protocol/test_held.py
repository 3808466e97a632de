"""The account of bytes held for others: both bounds from both sides, and nothing left behind."""

from __future__ import annotations

import pytest

from runtime.core.limits import FRAME_BYTES_MAX, HELD_BYTES_FREE, HELD_BYTES_MAX, HELD_BYTES_PER_PEER_MAX
from runtime.protocol.held import HeldBytes, TooMuchHeld


def check(account: HeldBytes, total: int) -> None:
    assert account.total == total == sum(account._by_peer.values())


def test_one_frame_always_fits() -> None:
    assert FRAME_BYTES_MAX < HELD_BYTES_PER_PEER_MAX <= HELD_BYTES_MAX


def test_one_peer_is_bounded() -> None:
    account = HeldBytes()
    account.change("a", 0, HELD_BYTES_PER_PEER_MAX)
    with pytest.raises(TooMuchHeld, match="held for a"):
        account.change("a", 0, HELD_BYTES_FREE + 1)
    check(account, HELD_BYTES_PER_PEER_MAX)
    account.change("b", 0, HELD_BYTES_FREE + 1)
    account.change("a", HELD_BYTES_PER_PEER_MAX, 0)
    account.change("a", 0, HELD_BYTES_FREE + 1)
    check(account, 2 * (HELD_BYTES_FREE + 1))


def test_all_peers_together_are_bounded() -> None:
    account = HeldBytes()
    peers = HELD_BYTES_MAX // HELD_BYTES_PER_PEER_MAX
    for peer in range(peers):
        account.change(str(peer), 0, HELD_BYTES_PER_PEER_MAX)
    with pytest.raises(TooMuchHeld, match="all peers"):
        account.change("one more", 0, HELD_BYTES_MAX - peers * HELD_BYTES_PER_PEER_MAX + HELD_BYTES_FREE + 1)
    check(account, peers * HELD_BYTES_PER_PEER_MAX)


def test_small_messages_are_never_refused() -> None:
    account = HeldBytes()
    account.change("a", 0, HELD_BYTES_PER_PEER_MAX)
    assert account.change("a", 0, HELD_BYTES_FREE) == HELD_BYTES_FREE


def test_nothing_is_left_of_who_is_done() -> None:
    account = HeldBytes()
    held = 0
    for after in (10, 5_000_000, 7, 0):
        held = account.change("a", held, after)
    check(account, 0)
    assert not account._by_peer
