"""`(canon peer $stream #canon)`, `(canon peer %map #%canon)`, `(canon peer %map scalar)`: freeze at one peer.

Source: aquavm:air/src/execution_step/instructions/{canon,canon_map,canon_stream_map_scalar,canon_utils/mod}.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avm.data.interpreter_data import Provenance, Tetraplet
from avm.errors import CANON_MAP_EMPTY, PARAMETERS_MISMATCH, UNDEFINED_VARIABLE_CODE, VmError
from avm.exec.resolve import resolve_text
from avm.exec.values import CANON as CANON_PROVENANCE
from avm.exec.values import CanonMap, CanonStream, Json, literal, pair_key, record
from avm.trace.debug import tetraplet_debug
from avm.trace.states import CANON, CANON_SENT_BY

if TYPE_CHECKING:
    from collections.abc import Callable

    from avm.exec.machine import Machine
    from avm.exec.values import Record

    Freeze = Callable[[Machine, str, int, int], list[Record]]
    Bind = Callable[[Machine, int, list[Record], Tetraplet, Provenance], None]


def canon(m: Machine, pc: int) -> int:
    """Freeze a stream as a canon stream."""
    return _canon(m, pc, _all_values, _bind_stream)


def canon_map(m: Machine, pc: int) -> int:
    """Freeze a stream map as a canon map."""
    return _canon(m, pc, _all_values, _bind_map)


def canon_scalar(m: Machine, pc: int) -> int:
    """Freeze a stream map as a scalar object with the first value of each key."""
    return _canon(m, pc, _one_object, _bind_scalar)


def _canon(m: Machine, pc: int, freeze: Freeze, bind: Bind) -> int:
    # OPERANDS (the peer after the state was taken: D2)
    peer_value, stream, position, slot = m.operands[pc]
    peer: str | None = None
    if m.ctx.options.fix_d2:
        try:
            peer = resolve_text(m, peer_value)
        except VmError as error:
            return _wait(m, pc, error)
    # TRACE
    state = m.trace.take_canon()
    if peer is None:
        try:
            peer = resolve_text(m, peer_value)
        except VmError as error:
            if state is not None:
                raise
            return _wait(m, pc, error)
    # OPERATION
    if state is not None and state[0] == CANON:
        _known(m, state[1], peer, slot, bind)
    elif peer == m.ctx.current_peer_id:
        values = freeze(m, peer, stream, position)
        tetraplet = Tetraplet(peer, "", "", "")
        cid = m.tracker.canon_result(values, tetraplet)
        m.sign(peer, cid)
        _finish(m, values, tetraplet, cid, slot, bind)
    else:
        m.complete = False
        if state is None:
            m.next_peers[peer] = None
            state = (CANON_SENT_BY, m.ctx.current_peer_id)
        m.trace.result.append(state)
    # NEXT
    return pc + 1


def _known(m: Machine, cid: str, peer: str, slot: int, bind: Bind) -> None:
    """The canon was executed: take its elements from the stores."""
    result = m.tracker.find_canon_result(cid)
    tetraplet = m.tracker.find_tetraplet(result.tetraplet)
    expected = Tetraplet(peer, "", "", "")
    if tetraplet != expected:
        raise PARAMETERS_MISMATCH.error(
            parameter="canon tetraplet", expected=tetraplet_debug(expected), got=tetraplet_debug(tetraplet)
        )
    values = [m.tracker.find_canon_element(element) for element in result.values]
    m.sign(peer, cid)
    _finish(m, values, tetraplet, cid, slot, bind)


def _finish(m: Machine, values: list[Record], tetraplet: Tetraplet, cid: str, slot: int, bind: Bind) -> None:
    bind(m, slot, values, tetraplet, Provenance(CANON_PROVENANCE, cid))
    m.trace.result.append((CANON, cid))


def _wait(m: Machine, pc: int, error: VmError) -> int:
    if error.code != UNDEFINED_VARIABLE_CODE:
        raise error
    m.complete = False
    return pc + 1


# ── what is frozen ───────────────────────────────────────────────────────────────────────────────────────────────────


def _all_values(m: Machine, _peer: str, stream: int, position: int) -> list[Record]:
    """All values in order; a stream that does not exist yet is empty, canon never waits for values."""
    found = m.streams.find(stream, position)
    return [] if found is None else list(found)


def _one_object(m: Machine, peer: str, stream: int, position: int) -> list[Record]:
    """One literal element. Keys `1` and `"1"` coincide, the first value counts."""
    content: dict[str, Any] = {}
    for pair in _all_values(m, peer, stream, position):
        value = pair.json.value
        key = pair_key(value)
        if key is not None and "value" in value:
            content.setdefault(str(key), value["value"])
    return [literal(Json(content), peer, 0)]


# ── what it becomes ──────────────────────────────────────────────────────────────────────────────────────────────────


def _bind_stream(m: Machine, slot: int, values: list[Record], tetraplet: Tetraplet, provenance: Provenance) -> None:
    m.scopes.set(slot, CanonStream(values, tetraplet, provenance))


def _bind_map(m: Machine, slot: int, values: list[Record], tetraplet: Tetraplet, provenance: Provenance) -> None:
    m.scopes.set(slot, CanonMap(values, tetraplet, provenance))


def _bind_scalar(m: Machine, slot: int, values: list[Record], tetraplet: Tetraplet, provenance: Provenance) -> None:
    if not values:
        raise CANON_MAP_EMPTY.error()
    m.scopes.set(slot, record(values[0].json, tetraplet, len(m.trace.result), provenance))
