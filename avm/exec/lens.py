"""Applying lenses to scalars, canon streams and canon maps.

A compiled lens is `(accessors, text)`; without accessors it is `.length`. Errors: VmError 10007, 10010, and those of the
scalars used as accessors (10003, 10009).
Source: aquavm:air/src/execution_step/lambda_applier/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from avm.data import canonical_json
from avm.data.interpreter_data import Tetraplet
from avm.errors import (
    LENGTH_OF_NON_ARRAY,
    LENS_INDEX_NOT_U32,
    LENS_MAP_ITERATOR,
    LENS_MAP_TYPE,
    LENS_NO_FIELD,
    LENS_NO_INDEX,
    LENS_NOT_ARRAY,
    LENS_NOT_OBJECT,
    LENS_SCALAR_TYPE,
    LENS_STREAM_FIELD,
    LENS_STREAM_SHORT,
    LENS_STREAM_TYPE,
)
from avm.ir.opcodes import FIELD, INDEX

from .values import Json, map_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from avm.ir.program import Accessor, Lens

    from .machine import Machine
    from .values import CanonMap, CanonStream, MapKey, Record

U32_MAX: Final = (1 << 32) - 1


def select(m: Machine, json: Json, lens: Lens) -> Any:
    """What a lens finds in a scalar value."""
    accessors = lens[0]
    if accessors:
        return follow(m, json.value, accessors)
    value = json.value
    if type(value) is not list:
        raise LENGTH_OF_NON_ARRAY.error(value=json.text)
    return len(value)


def follow(m: Machine, value: Any, accessors: Sequence[Accessor]) -> Any:
    """Apply accessors one after the other."""
    for kind, operand in accessors:
        if kind == FIELD:
            value = _field(value, operand)
        elif kind == INDEX:
            value = _index(value, operand)
        else:
            accessor = m.scalar(operand).json.value
            if type(accessor) is str:
                value = _field(value, accessor)
            elif _is_number(accessor):
                value = _index(value, _u32(accessor))
            else:
                raise LENS_SCALAR_TYPE.error(value=canonical_json.dumps(accessor))
    return value


def lens_tetraplet(base: Tetraplet, lens: Lens) -> Tetraplet:
    """Origin of a value found in a scalar: the path is appended, while a length belongs to nobody."""
    if lens[0]:
        return Tetraplet(base.peer_pk, base.service_id, base.function_name, base.lens + lens[1])
    return Tetraplet("", "", "", lens[1])


def select_from_stream(m: Machine, stream: CanonStream, lens: Lens) -> tuple[Json, Record | None]:
    """What a lens finds in a canon stream, and the element it was found in (None for the length)."""
    accessors = lens[0]
    if not accessors:
        return Json(len(stream.values)), None
    element = _element(m, stream.values, accessors[0])
    if len(accessors) == 1:
        return element.json, element
    return element.json.part(follow(m, element.json.value, accessors[1:])), element


def select_from_map(m: Machine, canon: CanonMap, lens: Lens) -> tuple[Json, Tetraplet]:
    """What a lens finds in a canon map, and its origin. Behind a key that is missing everything is empty."""
    accessors, text = lens
    if not accessors:
        return Json(len(canon.pairs)), Tetraplet(m.ctx.current_peer_id, "", "", text.removeprefix("."))
    key = _key(m, accessors[0])
    values = canon.by_key.get(key, ())
    rest = accessors[1:]
    if not rest or not values:
        return canon.array(key), canon.tetraplet._replace(lens=text)
    element = _element(m, values, rest[0])
    path = rest[1:]
    if not path:
        return element.json, element.tetraplet
    names = ".".join(accessor_text(m, accessor) for accessor in path)
    tetraplet = element.tetraplet._replace(lens=f"{element.tetraplet.lens}.{names}")
    return element.json.part(follow(m, element.json.value, path)), tetraplet


def accessor_text(m: Machine, accessor: Accessor) -> str:
    """Printed form of one accessor."""
    kind, operand = accessor
    if kind == FIELD:
        return str(operand)
    return f"[{operand}]" if kind == INDEX else f"[{m.program.names[operand]}]"


def _key(m: Machine, accessor: Accessor) -> MapKey:
    kind, operand = accessor
    if kind != FIELD and kind != INDEX:
        value = m.scalar(operand).json
        if operand in m.iterators:
            raise LENS_MAP_ITERATOR.error()
        key = map_key(value.value)
        if key is None:
            raise LENS_MAP_TYPE.error(value=value.text)
        return key
    literal: MapKey = operand
    return literal


def _element(m: Machine, values: Sequence[Record], accessor: Accessor) -> Record:
    """Element of a canon stream for the first accessor."""
    kind, operand = accessor
    if kind == FIELD:
        raise LENS_STREAM_FIELD.error(field=operand)
    index = operand
    if kind != INDEX:
        value = m.scalar(operand).json
        if not _is_number(value.value):
            raise LENS_STREAM_TYPE.error(value=value.text)
        index = _u32(value.value)
    if index >= len(values):
        raise LENS_STREAM_SHORT.error(size=len(values), idx=index)
    return values[index]


def _field(value: Any, name: str) -> Any:
    if type(value) is not dict:
        raise LENS_NOT_OBJECT.error(value=canonical_json.dumps(value), field=name)
    if name not in value:
        raise LENS_NO_FIELD.error(value=canonical_json.dumps(value), field=name)
    return value[name]


def _index(value: Any, index: int) -> Any:
    if type(value) is not list:
        raise LENS_NOT_ARRAY.error(value=canonical_json.dumps(value), idx=index)
    if index >= len(value):
        raise LENS_NO_INDEX.error(value=canonical_json.dumps(value), idx=index)
    return value[index]


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _u32(value: float) -> int:
    if type(value) is int and 0 <= value <= U32_MAX:
        return value
    raise LENS_INDEX_NOT_U32.error(value=canonical_json.dumps(value))
