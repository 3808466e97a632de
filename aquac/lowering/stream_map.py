"""Methods of stream maps: `get`, `getStream`, `keys`, `keysStream`, `contains` (`spec aqua-to-air §15`).

The first and the last two freeze the map; the others follow it and give a stream that goes on growing.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/raw/ApplyStreamMapRawInliner.scala (0.14.11)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.semantics import raw as r
from aquac.semantics import types as t

from . import inline_value
from .build import FALSE, TRUE, canon, flatten, if_equal, number, seq, with_props, xor
from .errors import InternalError
from .model import (
    NULL,
    FieldP,
    For,
    FunctorP,
    IndexP,
    Match,
    Model,
    New,
    Next,
    Par,
    Push,
    Target,
    V,
    ValueModel,
)
from .trampoline import nested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .state import State


async def method(
    state: State, value: V, of: t.StreamMap, name: str, args: Sequence[r.RawValue]
) -> tuple[V, tuple[Model, ...]]:
    """Result of a method and the trees it needs."""
    trees: list[Model] = []
    keys: list[ValueModel] = []
    for arg in args:
        key, inline = await nested(inline_value.unfold(state, arg))
        keys.append(key)
        trees += inline.trees
    match name, keys:
        case "get", [key]:
            result, computed = _get(state, value, of, _plain(state, value, key, trees))
        case "contains", [key]:
            result, computed = _contains(state, value, of, _plain(state, value, key, trees))
        case "getStream", [key]:
            result, computed = _get_stream(state, value, of, key)
        case "keys", []:
            result, computed = _keys(state, value, of)
        case "keysStream", []:
            result, computed = _keys_stream(state, value)
        case _:
            raise InternalError(f"a stream map has no method `{name}` with {len(keys)} arguments")
    return result, (*trees, computed)


def _name(state: State, value: V, suffix: str) -> str:
    return state.mangler.new(f"-{value.name}_{suffix}")


def _plain(state: State, value: V, key: ValueModel, trees: list[Model]) -> ValueModel:
    """A key that can stand in brackets: no properties."""
    if not isinstance(key, V) or not key.props:
        return key
    name = state.mangler.new(f"-{key.name.strip(':')}_ap")
    trees.append(flatten(key, name))
    return V(name, key.type)


def _entry(name: str, of: t.StreamMap) -> V:
    """Iterator over a map."""
    return V(name, t.Struct("-pair-", (("key", t.STRING), ("value", of.element))))


def _key(entry: V) -> V:
    return with_props(entry, FieldP("key", t.STRING))


def _lookup(value: V, of: t.StreamMap, key: ValueModel, canon_name: str, index: str) -> tuple[V, list[Model]]:
    """`#%map.$.[key]`: the values under a key of the frozen map."""
    frozen = canon(value, canon_name)
    steps: list[Model] = [frozen]
    if isinstance(key, V):
        index = key.name
    else:
        steps.append(flatten(key, index))
    found = V(canon_name, frozen.target.type, (IndexP(index, t.Array(of.element)),))
    return found, steps


def _get(state: State, value: V, of: t.StreamMap, key: ValueModel) -> tuple[V, Model]:
    canon_name, index = _name(state, value, "canon"), _name(state, value, "idx")
    found, steps = _lookup(value, of, key, canon_name, index)
    return found, seq(steps)


def _contains(state: State, value: V, of: t.StreamMap, key: ValueModel) -> tuple[V, Model]:
    array = V(_name(state, value, "array"), t.Array(of.element))
    result = V(_name(state, value, "contains_result"), t.BOOL)
    canon_name, index = _name(state, value, "canon"), _name(state, value, "idx")
    found, steps = _lookup(value, of, key, canon_name, index)
    length = with_props(array, FunctorP("length", t.U32))
    test = if_equal(length, number(0), flatten(FALSE, result.name), flatten(TRUE, result.name))
    return result, seq((seq(steps), flatten(found, array.name), test))


def _keys(state: State, value: V, of: t.StreamMap) -> tuple[V, Model]:
    stream = V(_name(state, value, "stream"), t.Stream(t.STRING))
    entry = _entry(_name(state, value, "iter"), of)
    result = V(_name(state, value, "keys_result"), t.Canon(t.STRING))
    frozen = canon(value, _name(state, value, "canon"))
    push = Push(_key(entry), Target(stream.name, stream.base))
    loop = For(entry.name, V(frozen.target.name, frozen.target.type), "null", (push, Next(entry.name)))
    return result, New(stream.name, stream.base, (frozen, loop, canon(stream, result.name)))


def _keys_stream(state: State, value: V) -> tuple[V, Model]:
    result = V(_name(state, value, "keys_stream_result"), t.Stream(t.STRING))
    assert isinstance(value.base, t.StreamMap)
    entry = _entry(_name(state, value, "iter"), value.base)
    state.define(result.name, result)
    push = Push(_key(entry), Target(result.name, result.base))
    return result, Par((For(entry.name, value, "never", (push, Next(entry.name))), NULL))


def _get_stream(state: State, value: V, of: t.StreamMap, key: ValueModel) -> tuple[V, Model]:
    result = V(_name(state, value, "get_stream_result"), t.Stream(of.element))
    entry = _entry(_name(state, value, "iter"), of)
    state.define(result.name, result)
    push = Push(with_props(entry, FieldP("value", of.element)), Target(result.name, result.base))
    test = xor(Match(_key(entry), key, True, (push,)))
    return result, Par((For(entry.name, value, "never", (test, Next(entry.name))), NULL))
