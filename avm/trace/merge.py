"""Merging of what the previous and the current data say about one instruction.

Pure functions from two states (at most one of them None) to one. Errors: TraceError (M1–M6).
Source: aquavm:crates/air-lib/trace-handler/src/merger/{call,ap,canon,par,fold}_merger.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.errors import (
    MERGE_AP,
    MERGE_CALLS,
    MERGE_CANON,
    MERGE_INCOMPATIBLE,
    MERGE_UNEXPECTED,
    MERGE_VALUES,
)

from .debug import ap_debug, call_debug, canon_debug, state_debug, value_debug
from .states import (
    AP,
    CALL_KINDS,
    CANON,
    CANON_KINDS,
    CANON_SENT_BY,
    FAILED,
    FOLD,
    PAR,
    REQUESTED,
    SENT_BY,
    STREAM,
)

if TYPE_CHECKING:
    from collections.abc import Container

    from avm.errors import TraceError

    from .states import State

PREVIOUS: Final = 0
CURRENT: Final = 1
BOTH: Final = 2

_AP_KINDS: Final = frozenset({AP})
_PAR_KINDS: Final = frozenset({PAR})
_FOLD_KINDS: Final = frozenset({FOLD})
_WAITING: Final = frozenset({SENT_BY, REQUESTED})


def call_states(previous: State | None, current: State | None) -> tuple[State, int]:
    """State of a call and its source: PREVIOUS, CURRENT or BOTH."""
    if previous is None or current is None:
        return _single(previous, current, CALL_KINDS, "call")
    before, after = previous[0], current[0]
    if before not in CALL_KINDS or after not in CALL_KINDS:
        raise _incompatible(previous, current)
    if after in _WAITING:
        return previous, PREVIOUS
    if before in _WAITING:
        return current, CURRENT
    if before == FAILED or after == FAILED:
        if previous == current:
            return previous, PREVIOUS
        raise MERGE_CALLS.trace_error(previous=call_debug(previous), current=call_debug(current))
    # both executed: generations are a matter of each peer, everything else must agree
    if previous == current or (before == after == STREAM and previous[1] == current[1]):
        return previous, BOTH
    raise MERGE_VALUES.trace_error(previous=value_debug(previous), current=value_debug(current))


def ap_states(previous: State | None, current: State | None) -> tuple[State, int]:
    """State of an ap and its source."""
    if previous is None or current is None:
        return _single(previous, current, _AP_KINDS, "ap")
    if previous[0] != AP or current[0] != AP:
        raise _incompatible(previous, current)
    return previous, BOTH


def ap_generation(state: State) -> int:
    """The one generation of an ap state."""
    if len(state[1]) != 1:
        raise MERGE_AP.trace_error(state=ap_debug(state))
    generation: int = state[1][0]
    return generation


def canon_states(previous: State | None, current: State | None) -> State:
    """State of a canon; it has no position mapping, hence no source."""
    if previous is None or current is None:
        return _single(previous, current, CANON_KINDS, "canon")[0]
    if previous[0] not in CANON_KINDS or current[0] not in CANON_KINDS:
        raise _incompatible(previous, current)
    if previous[0] == CANON_SENT_BY:
        return current if current[0] == CANON else previous
    if current[0] == CANON and previous != current:
        raise MERGE_CANON.trace_error(previous=canon_debug(previous), current=canon_debug(current))
    return previous


def par_states(previous: State | None, current: State | None) -> None:
    """Check that a pair of states, at least one present, belongs to a par. Sizes of both sides are kept."""
    if (previous is not None and previous[0] != PAR) or (current is not None and current[0] != PAR):
        _compound(previous, current, _PAR_KINDS, "par")


def fold_states(previous: State | None, current: State | None) -> None:
    """Check that a pair of states, at least one present, belongs to a fold over a stream. Lores of both sides are kept."""
    _compound(previous, current, _FOLD_KINDS, "fold")


def _compound(previous: State | None, current: State | None, kinds: Container[int], expected: str) -> None:
    if previous is None or current is None:
        _single(previous, current, kinds, expected)
    elif previous[0] not in kinds or current[0] not in kinds:
        raise _incompatible(previous, current)


def _single(previous: State | None, current: State | None, kinds: Container[int], expected: str) -> tuple[State, int]:
    """The only state there is, if it is of one of the kinds."""
    side, source, state = ("current", CURRENT, current) if previous is None else ("previous", PREVIOUS, previous)
    assert state is not None
    if state[0] in kinds:
        return state, source
    raise MERGE_UNEXPECTED.trace_error(side=side, state=state_debug(state), expected=expected)


def _incompatible(previous: State, current: State) -> TraceError:
    return MERGE_INCOMPATIBLE.trace_error(previous=state_debug(previous), current=state_debug(current))
