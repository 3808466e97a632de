"""Properties: fields, indexes, `.length`, methods and `.copy` (`spec aqua-to-air §8.3`–`§8.5`).

AIR values take fields and indexes directly; the rest is computed into variables of its own.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/raw/{ApplyPropertiesRawInliner,ApplyFunctorRawInliner,
ApplyIntoCopyRawInliner}.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac import codes
from aquac.records import dataclass
from aquac.semantics import raw as r
from aquac.semantics import types as t

from . import inline_value, stream_map
from .abilities import Ability, as_ability
from .build import NOTHING, Inline, canon, concat, flatten, number, quoted, seq, with_props
from .errors import InternalError, LoweringError
from .inline_literal import build_object, unfold_fields
from .limits import INDEX_MAX
from .model import FieldP, FunctorP, IndexP, L, Model, PropM, Srv, Target, V, ValueModel
from .optimise import integer
from .stream_gate import gate
from .streams import settle
from .trampoline import nested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .state import State


@dataclass(frozen=True, slots=True)
class _Step:
    """A property; `index` is set when it is an index already lowered."""

    raw: r.RawProp
    index: IndexP | None = None


async def unfold(state: State, raw: r.Prop, *, allowed: bool) -> tuple[ValueModel, Inline]:
    """A chain of properties."""
    root, props = _unwind(raw)
    if isinstance(root, r.Var) and isinstance(root.type, t.Stream) and isinstance(props[0], r.IndexProp):
        stream = state.resolve(state.env.variable(root))
        value, inline = await nested(_stream_element(state, stream, root.type, props[0]))
        return await nested(_apply(state, value, inline, props[1:], root, allowed))
    base, inline = await nested(inline_value.unfold(state, root))
    if isinstance(base, L):
        base, inline = literal_variable(state, base, inline)
    return await nested(_apply(state, base, inline, props, root, allowed))


def _unwind(raw: r.RawValue) -> tuple[r.RawValue, list[r.RawProp]]:
    props: list[r.RawProp] = []
    while isinstance(raw, r.Prop):
        props.append(raw.prop)
        raw = raw.value
    return raw, props[::-1]


async def _apply(
    state: State, value: V, inline: Inline, props: Sequence[r.RawProp], root: r.RawValue, allowed: bool
) -> tuple[V, Inline]:
    """Indexes first, whatever their position; then everything from left to right."""
    steps: list[_Step] = []
    needed: list[Inline] = []
    for prop in props:
        if isinstance(prop, r.IndexProp):
            index, before = await nested(_index(state, prop))
            steps.append(_Step(prop, index))
            needed.append(before)
        else:
            steps.append(_Step(prop))
    inline = inline.merge(concat(needed), "seq")
    owner: r.RawValue | None = root
    for step in steps:
        ability = as_ability(value)
        if ability is not None:
            value, trees = await nested(_ability_member(state, value, ability, step.raw, owner))
        elif step.index is not None:
            value, trees = with_props(value, step.index), ()
        else:
            value, trees = await nested(_property(state, value, step.raw))
            if not allowed and value.props:
                value, copied = strip(state, value)
                trees = (*trees, *copied)
        inline = inline.then(*trees)
        owner = None
    return value, inline


async def _index(state: State, prop: r.IndexProp) -> tuple[IndexP, Inline]:
    value, inline = await nested(inline_value.unfold(state, prop.index, allowed=False))
    if isinstance(value, V) and value.props:
        value, copied = strip(state, value)
        inline = Inline((*inline.trees, *copied), "seq")
    if isinstance(value, L) and value.text.startswith("%") and "D15" not in state.defects:
        # `%ttl%` and the like may stand for values in AIR, but not inside a lens.
        name = state.mangler.new("literal_ap")
        inline = Inline((*inline.trees, flatten(value, name)), "seq")
        value = V(name, value.type)
    return index_prop(state, value, prop.type), inline


def index_prop(state: State, value: ValueModel, of: t.Type) -> IndexP:
    """An index. Raises: LoweringError for a constant below zero (D7)."""
    if isinstance(value, V):
        return IndexP(value.name, of)
    if "D7" in state.defects:
        return IndexP(value.text, of)
    known = integer(value.text, value.type)
    if known is not None and known < 0:
        raise LoweringError(
            codes.INDEX_NEGATIVE, f"this index is always {known}, and there is no element before the first"
        )
    if known is not None and known > INDEX_MAX:
        raise LoweringError(codes.UNSUPPORTED, f"this index is always {known}, and AIR has none above {INDEX_MAX}")
    return IndexP(value.text, of)


async def _stream_element(state: State, stream: ValueModel, of: t.Stream, prop: r.IndexProp) -> tuple[V, Inline]:
    """`stream[i]`: wait until the stream has that many elements, then take one of a copy."""
    if not isinstance(stream, V):
        raise InternalError("a stream is no literal")
    one_more = r.Bin("add", prop.index, r.Literal("1", t.UNSIGNED), prop.index.type)
    size, size_inline = await nested(inline_value.unfold(state, one_more))
    known = integer(size.text, size.type) if isinstance(size, L) else None
    index: ValueModel
    index_trees: tuple[Model, ...] = ()
    if known is not None:
        index = L(str(known - 1), size.type)
    else:
        index = V(state.mangler.new(f"{stream.name}_idx"), size.type)
        index_trees = (Srv(quoted("math"), "sub", (size, number(1)), (Target(index.name, index.base),)),)
    element = index_prop(state, index, of.element)
    copy, wait = gate(state, stream.name, of, size)
    return with_props(copy, element), Inline((*size_inline.trees, wait, *index_trees), "seq")


async def _ability_member(
    state: State, value: V, ability: Ability, prop: r.RawProp, owner: r.RawValue | None
) -> tuple[V, tuple[Model, ...]]:
    match prop:
        case r.ArrowProp(name, _, args, _):
            of = r.arrow_type(_member_arrow(ability, name))
            called = inline_value.method_name(state, owner, value, name) if owner else f"{value.name}.{name}"
            result, inline = await nested(inline_value.call(state, called, args, of))
            state.locate(inline.trees, prop.site)
            if isinstance(result, L):
                result, inline = literal_variable(state, result, inline)
                state.define(result.name, result)
            return result, inline.trees
        case r.FieldProp(name, t.AbilityType() as of):
            return V(f"{value.name}.{name}", of), ()
        case r.FieldProp(name):
            found = state.values.get(f"{value.name}.{name}")
            if isinstance(found, L):
                found, inline = literal_variable(state, found, NOTHING)
                return found, inline.trees
            if found is None:
                raise InternalError(f"ability `{value.name}` has no entry for `{name}`")
            return found, ()
        case _:
            raise InternalError("an ability has fields and functions only")


def _member_arrow(ability: Ability, name: str) -> t.Arrow:
    arrow = dict(ability.fields).get(name)
    if not isinstance(arrow, t.Arrow):
        raise InternalError(f"`{ability.name}` has no function `{name}`")
    return arrow


async def _property(state: State, value: V, prop: r.RawProp) -> tuple[V, tuple[Model, ...]]:
    match prop:
        case r.FieldProp(name, of):
            return with_props(value, FieldP(name, of)), ()
        case r.FunctorProp(name, of):
            flat, trees = strip(state, value)
            result, computed = _functor(state, flat, FunctorP(name, of))
            return result, (*trees, computed)
        case r.CopyProp(fields, of):
            flat, trees = strip(state, value)
            result, made = await nested(_copy(state, flat, fields, of))
            return result, (seq([*trees, made]),)
        case r.ArrowProp(name, _, args) if isinstance(value.base, t.StreamMap):
            return await nested(stream_map.method(state, value, value.base, name, args))
        case r.ArrowProp() | r.IndexProp():
            raise InternalError("a function of something that has none")


def _functor(state: State, value: V, functor: FunctorP) -> tuple[V, Model]:
    """`.length`: AIR has it for frozen streams and scalars, not for streams."""
    copy = state.mangler.new(f"{value.name}_to_functor")
    result = state.mangler.new(f"{value.name}_{functor.name}")
    of: t.Type
    make: Model
    match value.base:
        case t.Stream(element):
            of, make = t.Canon(element), canon(value, copy)
        case t.Canon(element):
            of, make = t.Array(element), flatten(value, copy)
        case base:
            of, make = base, flatten(value, copy)
    return V(result, functor.type), seq((make, flatten(V(copy, of, (functor,)), result)))


async def _copy(state: State, value: V, fields: Sequence[tuple[str, r.RawValue]], of: t.Struct) -> tuple[V, Model]:
    """`.copy(f = v)`: the other fields are taken from the old value."""
    result = V(state.mangler.new(f"{of.name}_obj_copy"), of)
    values, inline = await unfold_fields(state, fields)
    replaced = {name for name, _ in values}
    kept = [(name, with_props(value, FieldP(name, field))) for name, field in of.fields if name not in replaced]
    made = build_object(state, result, values, kept)
    return result, seq([*inline.desugar().trees, made])


def strip(state: State, value: V) -> tuple[V, tuple[Model, ...]]:
    """A variable without properties, copied if necessary."""
    if not value.props:
        return value, ()
    source, trees = settle(state, value)
    assert isinstance(source, V)
    # `:error:` may stand in AIR by itself only, not as a part of a name.
    shown = value.name if "D15" in state.defects else value.name.strip(":")
    name = state.mangler.new(f"{shown}_flat")
    return V(name, value.type), (*trees, flatten(source, name))


def literal_variable(state: State, value: L, inline: Inline, props: tuple[PropM, ...] = ()) -> tuple[V, Inline]:
    """A variable holding a literal, because AIR literals take no properties."""
    source = V(state.mangler.new("literal_ap"), value.type, props)
    result = V(state.mangler.new("literal_props"), source.type)
    copies = seq((flatten(value, source.name), flatten(source, result.name)))
    return result, concat((inline, Inline((copies,))))
