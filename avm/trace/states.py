"""Executed states: the cells of a trace, as tuples that start with a kind.

A tuple costs 30 ns to build where a frozen dataclass costs 400; traces hold thousands of cells and each run rebuilds them all.
CIDs, peer ids and store keys are `str`. Source: aquavm:crates/air-lib/interpreter-data/src/executed_state.rs

| kind | cell |
|---|---|
| PAR | `(PAR, left_size, right_size)` |
| SENT_BY | `(SENT_BY, peer_id)`: the peer that sent the particle on to the callee |
| REQUESTED | `(REQUESTED, peer_id, call_id)`: request handed to that peer's own host |
| SCALAR | `(SCALAR, service_result_cid)` |
| STREAM | `(STREAM, service_result_cid, generation)` |
| UNUSED | `(UNUSED, value_cid)`: the value itself is not stored |
| FAILED | `(FAILED, service_result_cid)` |
| FOLD | `(FOLD, lore)`, lore = tuple of `(value_pos, before_pos, before_len, after_pos, after_len)` |
| AP | `(AP, generations)`, a tuple; honest data has exactly one |
| CANON_SENT_BY | `(CANON_SENT_BY, peer_id)` |
| CANON | `(CANON, canon_result_cid)` |
"""

from __future__ import annotations

from typing import Any, Final

PAR: Final = 0
SENT_BY: Final = 1
REQUESTED: Final = 2
SCALAR: Final = 3
STREAM: Final = 4
UNUSED: Final = 5
FAILED: Final = 6
FOLD: Final = 7
AP: Final = 8
CANON_SENT_BY: Final = 9
CANON: Final = 10

SIZE_MAX: Final = 2**32 - 1
"""Positions and lengths are u32; beyond it the reference reports an overflow."""

State = tuple[Any, ...]
Trace = list[State]

CALL_KINDS: Final = frozenset({SENT_BY, REQUESTED, SCALAR, STREAM, UNUSED, FAILED})
CANON_KINDS: Final = frozenset({CANON_SENT_BY, CANON})
