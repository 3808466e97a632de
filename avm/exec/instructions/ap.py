"""`(ap value target)`: to a scalar, a stream, or a stream map.

Source: aquavm:air/src/execution_step/instructions/{ap,ap_map}.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avm.errors import MAP_KEY_TYPE, UNDEFINED_VARIABLE_CODE, VmError
from avm.exec.resolve import resolve, resolve_record
from avm.exec.values import Json, map_key, record
from avm.trace.states import AP

if TYPE_CHECKING:
    from avm.exec.machine import Machine
    from avm.exec.values import MapKey, Record
    from avm.ir.program import CompiledValue
    from avm.trace.states import State

_UNNUMBERED: State = (AP, (0,))
"""The generation is written by compaction."""


def ap(m: Machine, pc: int) -> int:
    """`(ap value scalar)`: leaves no trace."""
    value, slot = m.operands[pc]
    try:
        item = resolve_record(m, value, len(m.trace.result))
    except VmError as error:
        return _wait(m, pc, error)
    m.scopes.set(slot, item)
    return pc + 1


def ap_stream(m: Machine, pc: int) -> int:
    """`(ap value $stream)`."""
    # OPERANDS
    value, slot, position = m.operands[pc]
    try:
        item = resolve_record(m, value, len(m.trace.result))
    except VmError as error:
        return _wait(m, pc, error)
    # TRACE
    known = m.trace.take_ap()
    # OPERATION
    _add(m, slot, position, item, known)
    # NEXT
    return pc + 1


def ap_map(m: Machine, pc: int) -> int:
    """`(ap (key value) %map)`."""
    # OPERANDS (the key after the state was taken: D2)
    key_value, value, slot, position = m.operands[pc]
    trace = m.trace
    fixed = m.ctx.options.fix_d2
    try:
        item = resolve_record(m, value, len(trace.result))
        key = _key(m, key_value, slot) if fixed else None
    except VmError as error:
        return _wait(m, pc, error)
    # TRACE
    known = trace.take_ap()
    if not fixed:
        try:
            key = _key(m, key_value, slot)
        except VmError as error:
            return _wait(m, pc, error)
    # OPERATION
    pair = Json({"key": key, "value": item.json.value})
    _add(m, slot, position, record(pair, item.tetraplet, item.pos, item.provenance), known)
    # NEXT
    return pc + 1


def _add(m: Machine, slot: int, position: int, item: Record, known: tuple[int, int] | None) -> None:
    stream = m.streams.find_or_make(slot, position)
    if known is None:
        stream.add_new(item)
    else:
        generation, source = known
        stream.add_known(item, source, generation)
    m.trace.result.append(_UNNUMBERED)


def _key(m: Machine, value: CompiledValue, slot: int) -> MapKey:
    """The key. Raises 10012 unless it is a string or an integer."""
    content: Any = resolve(m, value)[0].value
    key = map_key(content)
    if key is None:
        raise MAP_KEY_TYPE.error(name=m.program.stream_names[slot])
    return key


def _wait(m: Machine, pc: int, error: VmError) -> int:
    if error.code != UNDEFINED_VARIABLE_CODE:
        raise error
    m.complete = False
    return pc + 1
