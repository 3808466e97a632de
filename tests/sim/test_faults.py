"""Fates: the same by name, and the same again from the list of what happened."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.sim.faults import ALL, BENIGN, NONE, TRAPPED, Chance, Listed, Seeded, check_fault, parse_kinds

NUMBERS = st.integers(0, 6)


def test_numbers_go_by_name() -> None:
    assert Chance(1).words(0, 1, 2, 3, 4) == Chance(1).words(0, 1, 2, 3, 4)
    assert Chance(1).words(0, 1, 2, 3, 4) != Chance(2).words(0, 1, 2, 3, 4)
    assert Chance(1).words(0, 1, 2, 3, 4) != Chance(1).words(0, 1, 2, 4, 3)
    # the same in every version and on every machine
    assert Chance(0).words(0)[0] == 12097863017859225584


@given(st.integers(0, 2**40), st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=40, unique=True))
def test_what_was_written_down_happens_again(seed: int, names: list[tuple[int, int, int, int]]) -> None:
    seeded = Seeded(seed, ALL, 7, 10_000, record=True)
    messages = {name: list(seeded.message(*name)) for name in names}
    runs = {name: seeded.run(*name[:3]) for name in names}
    calls = {name: seeded.call(*name[:3]) for name in names}
    assert seeded.recorded is not None
    listed = Listed(dict.fromkeys(seeded.recorded))
    for name in names:
        assert list(listed.message(*name)) == messages[name]
        assert listed.run(*name[:3]) == runs[name]
        assert listed.call(*name[:3]) == calls[name]
    assert (listed.cuts, listed.crashes) == (seeded.cuts, seeded.crashes)
    assert [listed.skew_ms(peer) for peer in range(7)] == [seeded.skew_ms(peer) for peer in range(7)]


@given(st.integers(0, 2**40))
def test_nothing_goes_wrong_without_kinds(seed: int) -> None:
    fates = Seeded(seed, NONE, 5, 10_000, record=True)
    assert list(fates.message(1, 2, 3, 4)) == [1]
    assert fates.run(1, 2, 3) == 1
    assert fates.call(1, 2, 3) == (1, False)
    assert fates.recorded == []
    assert not fates.cut_off(0, 1, 5)


@given(st.integers(0, 2**40))
def test_benign_faults_lose_nothing(seed: int) -> None:
    fates = Seeded(seed, BENIGN, 5, 10_000)
    assert all(fates.message(1, 2, 3, n) for n in range(20))
    assert all(fates.run(1, 2, n) != TRAPPED for n in range(20))
    assert not any(fates.call(1, 2, n)[1] for n in range(20))
    assert fates.cuts == fates.crashes == ()


def test_kinds() -> None:
    assert parse_kinds("all") == ALL
    assert parse_kinds("none") == NONE
    assert parse_kinds("loss, crash") == {"loss", "crash"}
    with pytest.raises(ValueError, match="`rain` is no kind of fault; there are delay"):
        parse_kinds("loss,rain")


@pytest.mark.parametrize(
    "fault",
    [
        (),
        ("lose",),
        ("rain", 1),
        ("lose", 1, 2, 3, "4"),
        ("lose", 1, 2, 3, -4),
        ("cut", 1, 2, 3),
        ("cut", ("a",), 2, 3),
    ],
)
def test_what_is_no_fault(fault: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="not a fault"):
        check_fault(fault)


def test_a_cut_separates_two_sides_for_its_time() -> None:
    fates = Listed([("cut", (0, 2), 100, 200)])
    assert fates.cut_off(0, 1, 100)
    assert fates.cut_off(1, 2, 199)
    assert not fates.cut_off(0, 2, 150)
    assert not fates.cut_off(1, 3, 150)
    assert not fates.cut_off(0, 1, 99)
    assert not fates.cut_off(0, 1, 200)
