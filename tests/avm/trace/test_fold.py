"""Lores of folds over streams: reading with widened windows, the automaton, and forged ones."""

from __future__ import annotations

import pytest

from avm.errors import TraceError
from avm.trace.fold import FoldAutomaton
from avm.trace.handler import TraceHandler
from avm.trace.lore import read_lore
from avm.trace.states import AP, FOLD, PAR, SCALAR, STREAM, State, Trace


def aps(*generations: int) -> Trace:
    return [(AP, (generation,)) for generation in generations]


def entry(value: int, before: int, after: int, *, at: int = 0) -> tuple[int, int, int, int, int]:
    return (value, at, before, at, after)


def test_windows_span_nested_iterations_of_a_generation() -> None:
    state: State = (FOLD, (entry(0, 1, 2), entry(1, 3, 4), entry(2, 5, 6), entry(3, 7, 8)))
    lore = read_lore(state, aps(0, 0, 1, 1))
    assert lore.states == 36
    # generation 0: after' accumulates forward, before' backward and includes all of after'
    assert lore.windows[0] == (0, 1 + 3 + 6, 0, 2)
    assert lore.windows[1] == (0, 3 + 6, 0, 6)
    assert lore.windows[2] == (0, 5 + 7 + 14, 0, 6)
    assert lore.windows[3] == (0, 7 + 14, 0, 14)


def test_first_generation_need_not_be_zero() -> None:
    lore = read_lore((FOLD, (entry(0, 1, 1),)), [(STREAM, "c", 5)])
    assert lore.windows == {0: (0, 2, 0, 1)}
    assert read_lore(None, []).windows == {}


@pytest.mark.parametrize(
    ("lore", "trace", "message"),
    [
        (
            ((9, 0, 0, 0, 0),),
            aps(0),
            "requested an element at position '9', but executed trace contains only '1' elements",
        ),
        (
            ((0, 0, 0, 0, 0),),
            [(PAR, 1, 2)],
            "expected a state of CallResult(Value::Stream) or Ap types but 'par(1, 2)' obtained",
        ),
        (
            ((0, 0, 0, 0, 0),),
            [(SCALAR, "c")],
            "expected a state of CallResult(Value::Stream) or Ap types but 'executed(Scalar(CID(\"c\")))' obtained",
        ),
        (((0, 1, 2),), aps(0), "fold contains 1 sublore descriptors, but 2 is expected"),
        (
            ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0)),
            aps(0),
            "FoldResult { lore: [FoldSubTraceLore { value_pos: 0, subtraces_desc: [SubTraceDesc { begin_pos: 0, subtrace_len: 0 }, "
            "SubTraceDesc { begin_pos: 0, subtrace_len: 0 }] }, FoldSubTraceLore { value_pos: 0, subtraces_desc: "
            "[SubTraceDesc { begin_pos: 0, subtrace_len: 0 }, SubTraceDesc { begin_pos: 0, subtrace_len: 0 }] }] } "
            "contains several subtraces with the same value_pos 0",
        ),
    ],
)
def test_forged_lores(lore: tuple[tuple[int, ...], ...], trace: Trace, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        read_lore((FOLD, lore), trace)
    assert str(caught.value) == message


def test_more_states_than_the_window_has() -> None:
    state: State = (FOLD, ((1, 0, 3, 0, 0),))
    with pytest.raises(TraceError) as caught:
        FoldAutomaton(TraceHandler([state, *aps(0)], []))
    assert str(caught.value) == (
        "underflow is occurred while calculating the new position of a previous slider for resolved fold "
        "ResolvedFold { lore: {1: ResolvedSubTraceDescs { before_subtrace: SubTraceDesc { begin_pos: 0, "
        "subtrace_len: 3 }, after_subtrace: SubTraceDesc { begin_pos: 0, subtrace_len: 0 } }}, fold_states_count: 3 } "
        "and current subtrace len 1'"
    )


def run_two_iterations(handler: TraceHandler, states: list[list[State]]) -> None:
    """Two values at 0 and 1: before 1, before 2, after 2, after 1; then one state behind the fold."""
    automaton = FoldAutomaton(handler)
    automaton.iteration_start(0)
    handler.result += states[0]
    automaton.iteration_end()
    automaton.iteration_start(1)
    handler.result += states[1]
    automaton.iteration_end()
    automaton.back_iterator()
    handler.result += states[2]
    automaton.back_iterator()
    handler.result += states[3]
    automaton.generation_end()
    automaton.end()


def test_parts_of_iterations_are_recorded() -> None:
    handler = TraceHandler([], [])
    handler.result += aps(0, 0)
    one, two = (SCALAR, "1"), (SCALAR, "2")
    run_two_iterations(handler, [[one], [two, two], [two], [one]])
    assert handler.result[2] == (FOLD, ((0, 3, 1, 7, 1), (1, 4, 2, 6, 1)))


def test_an_iteration_that_ends_early_is_closed() -> None:
    handler = TraceHandler([], [])
    handler.result += aps(0)
    automaton = FoldAutomaton(handler)
    automaton.iteration_start(0)
    handler.result.append((SCALAR, "1"))
    automaton.generation_end()
    automaton.end()
    assert handler.result[1] == (FOLD, ((0, 2, 1, 3, 0),))


def test_replay_finds_each_value_its_own_states() -> None:
    """The current trace has the values in another order; each iteration still gets the states of its value."""
    first = TraceHandler([], [])
    first.result += aps(0, 0)
    run_two_iterations(first, [[(SCALAR, "x")], [(SCALAR, "y")], [(SCALAR, "y2")], [(SCALAR, "x2")]])
    handler = TraceHandler(first.result, [])
    handler.take_ap()
    handler.result.append((AP, (0,)))
    handler.take_ap()
    handler.result.append((AP, (0,)))
    automaton = FoldAutomaton(handler)

    def next_state() -> State:
        known = handler.take_call()
        assert known is not None
        return known[0]

    automaton.iteration_start(1)
    assert next_state() == (SCALAR, "y")
    automaton.iteration_end()
    automaton.iteration_start(0)
    assert next_state() == (SCALAR, "x")
    automaton.iteration_end()
    automaton.back_iterator()
    assert next_state() == (SCALAR, "x2")
    automaton.back_iterator()
    assert next_state() == (SCALAR, "y2")
    automaton.generation_end()
    automaton.end()
    assert handler.take_call() is None
