"""Reading the lore of a recorded fold: which part of the trace belongs to the iteration over which value.

Lengths are widened so that a window limited to them also covers the nested iterations of the same generation, because
inside a fold the next iteration runs within the previous one. Errors: TraceError (K3, K4, F2, F3).
Source: aquavm:crates/air-lib/trace-handler/src/merger/fold_merger/fold_lore_resolver.rs, data_keeper/merge_ctx.rs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from avm.errors import FOLD_DESCRIPTORS, FOLD_REPEATED, FOLD_SIZE_OVERFLOW, SLIDER_NO_GENERATION, SLIDER_NO_STATE

from .debug import fold_debug, state_display
from .states import AP, SIZE_MAX, STREAM

if TYPE_CHECKING:
    from .states import State, Trace

Window = tuple[int, int, int, int]
"""Of one iteration: position and widened length of the states before its `next`, and of those after it."""

_ENTRY_LEN: Final = 5


@dataclass(slots=True)
class Lore:
    """Windows by position of the value in that trace; `states` counts all states of the fold."""

    windows: dict[int, Window] = field(default_factory=dict)
    states: int = 0

    def debug(self) -> str:
        """`{:?}` of the reference's resolved fold; the order of its entries is random there."""
        entries = ", ".join(
            f"{position}: ResolvedSubTraceDescs {{ "
            f"before_subtrace: SubTraceDesc {{ begin_pos: {before}, subtrace_len: {before_len} }}, "
            f"after_subtrace: SubTraceDesc {{ begin_pos: {after}, subtrace_len: {after_len} }} }}"
            for position, (before, before_len, after, after_len) in self.windows.items()
        )
        return f"ResolvedFold {{ lore: {{{entries}}}, fold_states_count: {self.states} }}"


def read_lore(state: State | None, trace: Trace) -> Lore:
    """Windows of a fold state; empty when the trace has none."""
    if state is None:
        return Lore()
    entries = state[1]
    before_lens: list[int] = []
    after_lens: list[int] = []
    states = 0
    generation = 0
    start = 0
    for index, entry in enumerate(entries):
        if len(entry) != _ENTRY_LEN:
            raise FOLD_DESCRIPTORS.trace_error(count=(len(entry) - 1) // 2)
        entry_generation = generation_at(trace, entry[0])
        if entry_generation != generation:
            _widen(before_lens, after_lens, start)
            generation = entry_generation
            start = index
        states += entry[2] + entry[4]
        if states > SIZE_MAX:
            raise FOLD_SIZE_OVERFLOW.trace_error(count=index, fold=fold_debug(state))
        before_lens.append(entry[2])
        after_lens.append(entry[4] + (after_lens[-1] if index > start else 0))
    _widen(before_lens, after_lens, start)
    windows: dict[int, Window] = {}
    for entry, before_len, after_len in zip(entries, before_lens, after_lens, strict=True):
        if entry[0] in windows:
            raise FOLD_REPEATED.trace_error(fold=fold_debug(state), position=entry[0])
        windows[entry[0]] = (entry[1], before_len, entry[3], after_len)
    return Lore(windows, states)


def _widen(before_lens: list[int], after_lens: list[int], start: int) -> None:
    """Make the before lengths of one generation, which ends with the lists, cumulative from its end."""
    total = after_lens[-1] if start < len(after_lens) else 0
    for index in range(len(before_lens) - 1, start - 1, -1):
        total += before_lens[index]
        before_lens[index] = total


def generation_at(trace: Trace, position: int) -> int:
    """Generation of the stream value whose state stands at `position`."""
    if position >= len(trace):
        raise SLIDER_NO_STATE.trace_error(position=position, total=len(trace))
    state = trace[position]
    if state[0] == STREAM:
        generation: int = state[2]
        return generation
    if state[0] == AP and state[1]:
        first: int = state[1][0]
        return first
    raise SLIDER_NO_GENERATION.trace_error(state=state_display(state))
