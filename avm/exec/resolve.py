"""Compiled values → their JSON, tetraplets and provenance.

One resolver per kind of `opcodes.Val`. Errors: VmError 10003 and 10009 for variables, 10007 and 10010 for lenses, 10011 for
parts of triplets that are no strings.
Source: aquavm:air/src/execution_step/resolver/resolvable_impl.rs, value_types/jvaluable/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from avm.data.interpreter_data import LITERAL, Tetraplet
from avm.errors import TRIPLET_NOT_STRING
from avm.ir.opcodes import Val

from .lens import lens_tetraplet, select, select_from_map, select_from_stream
from .values import Json, Record, record

if TYPE_CHECKING:
    from collections.abc import Callable

    from avm.data.interpreter_data import Provenance
    from avm.ir.program import CompiledValue

    from .error_state import ErrorValue
    from .machine import Machine
    from .values import CanonMap, CanonStream

Resolved = tuple[Json, list[Tetraplet], "Provenance"]


def resolve(m: Machine, value: CompiledValue) -> Resolved:
    """JSON, tetraplets (several only for whole canon streams and maps) and provenance of an operand."""
    return _RESOLVERS[value[0]](m, value)


def resolve_record(m: Machine, value: CompiledValue, pos: int) -> Record:
    """An operand of `ap` as a record of its own; `pos` becomes its place in the trace."""
    kind = value[0]
    if kind == Val.SCALAR:
        source = m.scalar(value[1])
        return record(source.json, source.tetraplet, pos, source.provenance)
    if kind in {Val.CANON, Val.MAP}:
        canon: CanonStream | CanonMap = m.scopes.get(value[1])
        return record(canon.json, canon.tetraplet, pos, canon.provenance)
    json, tetraplets, provenance = _RESOLVERS[kind](m, value)
    return record(json, tetraplets[0], pos, provenance)


def resolve_text(m: Machine, value: CompiledValue) -> str:
    """A part of a triplet."""
    kind = value[0]
    if kind == Val.CONST:
        constant: str = value[1]
        return constant
    if kind == Val.INIT_PEER:
        return m.ctx.init_peer_id
    json = _RESOLVERS[kind](m, value)[0]
    text = json.value
    if type(text) is not str:
        raise TRIPLET_NOT_STRING.error(name=m.program.names[value[1]], value=json.text)
    return text


def _constant(m: Machine, value: CompiledValue) -> Resolved:
    return Json(value[1], value[2]), m.literal_tetraplets, LITERAL


def _init_peer(m: Machine, _value: CompiledValue) -> Resolved:
    return Json(m.ctx.init_peer_id), m.literal_tetraplets, LITERAL


def _timestamp(m: Machine, _value: CompiledValue) -> Resolved:
    return Json(m.ctx.timestamp), m.literal_tetraplets, LITERAL


def _ttl(m: Machine, _value: CompiledValue) -> Resolved:
    return Json(m.ctx.ttl), m.literal_tetraplets, LITERAL


def _last_error(m: Machine, value: CompiledValue) -> Resolved:
    return _error_value(m, m.errors.last_error, value)


def _error(m: Machine, value: CompiledValue) -> Resolved:
    return _error_value(m, m.errors.error, value)


def _error_value(m: Machine, error: ErrorValue, value: CompiledValue) -> Resolved:
    lens = value[1]
    json = error.json if lens is None else error.json.part(select(m, error.json, lens))
    tetraplets = m.literal_tetraplets if error.tetraplet is None else [error.tetraplet]
    return json, tetraplets, error.provenance


def _scalar(m: Machine, value: CompiledValue) -> Resolved:
    source = m.scalar(value[1])
    return source.json, [source.tetraplet], source.provenance


def _scalar_lens(m: Machine, value: CompiledValue) -> Resolved:
    source = m.scalar(value[1])
    lens = value[2]
    return source.json.part(select(m, source.json, lens)), [lens_tetraplet(source.tetraplet, lens)], source.provenance


def _canon(m: Machine, value: CompiledValue) -> Resolved:
    canon: CanonStream | CanonMap = m.scopes.get(value[1])
    return canon.json, canon.tetraplets(), canon.provenance


def _canon_lens(m: Machine, value: CompiledValue) -> Resolved:
    canon: CanonStream = m.scopes.get(value[1])
    found, element = select_from_stream(m, canon, value[2])
    if element is not None:
        return found, [element.tetraplet], element.provenance
    # the reference puts the functor into the service field (D7); services see it
    return found, [Tetraplet(m.ctx.current_peer_id, value[2][1], "", "")], canon.provenance


def _map_lens(m: Machine, value: CompiledValue) -> Resolved:
    canon: CanonMap = m.scopes.get(value[1])
    json, tetraplet = select_from_map(m, canon, value[2])
    return json, [tetraplet], canon.provenance


_BY_KIND: Final[dict[Val, Callable[[Machine, CompiledValue], Resolved]]] = {
    Val.CONST: _constant,
    Val.INIT_PEER: _init_peer,
    Val.TIMESTAMP: _timestamp,
    Val.TTL: _ttl,
    Val.LAST_ERROR: _last_error,
    Val.ERROR: _error,
    Val.SCALAR: _scalar,
    Val.SCALAR_LENS: _scalar_lens,
    Val.CANON: _canon,
    Val.CANON_LENS: _canon_lens,
    Val.MAP: _canon,
    Val.MAP_LENS: _map_lens,
}
_RESOLVERS: Final = [_BY_KIND[kind] for kind in sorted(Val)]
