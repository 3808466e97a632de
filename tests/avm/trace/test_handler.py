"""Sliders, position maps, par: windows and their errors."""

from __future__ import annotations

import pytest

from avm.errors import TraceError
from avm.trace.cursor import Slider
from avm.trace.handler import FROM_CURRENT, FROM_PREVIOUS, TraceHandler
from avm.trace.position_map import PositionMap
from avm.trace.states import AP, PAR, SCALAR, Trace

A, B, C, D = ((SCALAR, name) for name in "abcd")


def taken(slider: Slider) -> str:
    out = ""
    while (state := slider.next()) is not None:
        out += state[1]
    return out


def test_slider_windows() -> None:
    slider = Slider([A, B, C, D])
    slider.set_len(2)
    assert taken(slider) == "ab"
    assert slider.rest() == 0
    slider.set_pos_len(1, 3)
    assert (taken(slider), slider.rest()) == ("bcd", 0)
    slider.set_pos_len(9, 0)
    assert taken(slider) == ""
    with pytest.raises(TraceError, match="current position is 9, but tried to set 0"):
        slider.set_len(0)  # behind the end everything is too long
    with pytest.raises(TraceError, match="current position is 9"):
        slider.shrink(0)


def test_slider_errors_change_nothing() -> None:
    slider = Slider([A, B])
    slider.next()
    with pytest.raises(TraceError) as caught:
        slider.set_len(2)
    assert str(caught.value) == (
        "executed trace has 2 elements and current position is 1, but tried to set 2 subtrace_len"
    )
    with pytest.raises(TraceError) as caught:
        slider.set_pos_len(1, 2)
    assert str(caught.value) == "executed trace has 2 elements, but tried to set 2 subtrace_len and 1 position"
    slider.move(1, 2)
    assert not slider.shrink(2)
    assert (slider.pos, slider.rest(), taken(slider)) == (1, 1, "b")


def test_position_map_is_one_to_one() -> None:
    positions = PositionMap()
    positions.insert(1, 10)
    positions.insert(2, 10)
    assert (positions.get(1), positions.get(2), len(positions)) == (None, 10, 1)
    positions.insert(2, 20)
    positions.insert(3, 10)
    assert (positions.get(2), positions.get(3), len(positions)) == (20, 10, 2)
    positions.insert(3, 10)
    assert len(positions) == 2


def test_sources_and_positions() -> None:
    handler = TraceHandler([A, (AP, (4,))], [A, (AP, (7,)), B])
    assert handler.take_call() == (A, FROM_PREVIOUS)
    handler.result.append(A)
    assert handler.take_ap() == (4, FROM_PREVIOUS)
    handler.result.append((AP, (0,)))
    assert handler.take_call() == (B, FROM_CURRENT)
    assert handler.take_call() is None
    assert handler.take_ap() is None
    assert handler.take_canon() is None
    assert [handler.new_to_previous.get(at) for at in range(3)] == [0, 1, None]
    assert [handler.new_to_current.get(at) for at in range(3)] == [0, 1, 2]


def test_par_skips_states_that_are_not_executed_any_more() -> None:
    handler = TraceHandler([(PAR, 2, 1), A, B, C, D], [])
    mark = handler.par_start()
    assert handler.take_call() == (A, FROM_PREVIOUS)
    handler.result.append(A)
    left = handler.par_left_end(mark)
    assert handler.take_call() == (C, FROM_PREVIOUS)
    handler.result += [C, C]
    handler.par_right_end(mark, left)
    assert handler.take_call() == (D, FROM_PREVIOUS)
    assert handler.result == [(PAR, 1, 2), A, C, C]


def test_par_merges_both_sides() -> None:
    handler = TraceHandler([(PAR, 1, 0), A], [(PAR, 0, 1), B])
    mark = handler.par_start()
    assert handler.take_call() == (A, FROM_PREVIOUS)
    left = handler.par_left_end(mark)
    assert handler.take_call() == (B, FROM_CURRENT)
    handler.par_right_end(mark, left)
    assert handler.take_call() is None


def par_error(previous: Trace, current: Trace) -> str:
    with pytest.raises(TraceError) as caught:
        TraceHandler(previous, current).par_start()
    return str(caught.value)


@pytest.mark.parametrize("trace", [[(PAR, 1, 1), A], [(PAR, 2**32 - 3, 1), A]])
def test_par_larger_than_its_window(trace: Trace) -> None:
    left, right = trace[0][1:]
    assert par_error([], trace) == (
        "underflow is occurred while calculating the new position of a current slider for resolved par "
        f"ParResult {{ left_size: {left}, right_size: {right} }} and current subtrace len 1'"
    )


@pytest.mark.parametrize(("left", "right"), [(2**32 - 1, 0), (2**32 - 2, 1)])
def test_par_beyond_32_bits(left: int, right: int) -> None:
    assert par_error([], [(PAR, left, right), A]) == (
        "overflow is occurred while calculating the new position of a previous slider for resolved par "
        f"ParResult {{ left_size: {left}, right_size: {right} }} and current position 1'"
    )


def test_par_whose_size_is_beyond_32_bits() -> None:
    # left ends of both sides are computed before any right end
    previous, current = [(PAR, 2**31, 2**31), A], [(PAR, 2**32 - 1, 0), A]
    assert par_error(previous, []) == (
        "overflow is occurred while calculating the entire len occupied by executed states corresponded to current par: "
        "'ParResult { left_size: 2147483648, right_size: 2147483648 }'"
    )
    assert "4294967295" in par_error(previous, current)
