"""Statements: raw trees become model trees (`spec aqua-to-air §6`).

A tag's own values come first, then its children from left to right; this order decides names. What a value needs first is
put in front of the tag's node.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/{TagInliner,tag/*}.scala
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, assert_never
from typing import Literal as Lit

from aquac.semantics import raw as r
from aquac.semantics import types as t

from . import inline_call, inline_property, inline_value
from .abilities import arrow_paths, as_ability, borrowed, gather, paths
from .build import ERROR, Inline, after, flatten, in_scope, join_prefixes, seq, with_props, xor
from .captured import arrows_of_values
from .environment import as_arrow
from .errors import InternalError
from .function import NOTHING_COPIED, Copied, from_raw, method_wrapper
from .hash_order import SMALL_MAX, trie_order
from .inline_if import lower_if
from .model import (
    EMPTY,
    NULL,
    Canon,
    Capture,
    Detach,
    Empty,
    Fail,
    FieldP,
    For,
    Insert,
    L,
    Model,
    Next,
    On,
    Par,
    Push,
    Target,
    V,
    ValueModel,
)
from .names import PAIR_ITEM, captured
from .streams import freeze, plain
from .trampoline import nested

NIL: Final = L(r.NIL.text, r.NIL.type)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .function import Fn
    from .state import State


async def tree(state: State, tag: r.Tree) -> Model:
    """Model of a statement or block."""
    state.spend()
    site: r.Site | None = getattr(tag, "site", None)
    if site is None:
        return await _tree(state, tag)
    state.site = site
    model = await _tree(state, tag)
    state.locate((model,), site)
    return model


async def _tree(state: State, tag: r.Tree) -> Model:
    match tag:
        case r.EmptyTag() | r.ReturnTag():
            return EMPTY
        case r.SeqTag(children):
            return seq(await _all(state, children))
        case r.ParTag(children):
            return Par(tuple(await _all(state, children)))
        case r.DetachTag(child):
            return Detach((await nested(tree(state, child)),))
        case r.TryTag(children):
            return xor(*await restricted(state, children))
        case r.OnTag():
            return await _on(state, tag)
        case r.IfTag():
            return await lower_if(state, tag)
        case r.ForTag():
            return await _for(state, tag)
        case r.NextTag(item):
            return _next(state, item)
        case r.AssignTag(value, name):
            model, prefix = await nested(inline_value.model(state, value, allowed=False))
            state.define(state.env.name(name), model)
            return after(prefix)
        case r.CallTag():
            return seq((await _call(state, tag)).trees)
        case r.DeclareTag(name, of):
            name = state.env.name(name)
            state.define(name, V(name, of))
            return EMPTY
        case r.PushTag():
            return await _push(state, tag)
        case r.JoinTag(values):
            # Waiting is what `stream[i]` needs before it can be used; the value itself is not needed.
            return after(join_prefixes([(await nested(inline_value.model(state, value)))[1] for value in values]))
        case r.ServiceIdTag():
            return await _service_id(state, tag)
        case r.ClosureTag():
            return _closure(state, tag)
        case r.CanonTag(value, name, of):
            model, prefix = await nested(inline_value.model(state, value))
            name = state.env.name(name)
            state.define(name, model if isinstance(model, L) else V(name, of))
            return after(prefix) if isinstance(model, L) else after(prefix, Canon(model, Target(name, of)))
        case r.FlattenTag(value, name):
            model, prefix = await nested(inline_value.model(state, value))
            name = state.env.name(name)
            if isinstance(model, L):
                state.define(name, model)
                return after(prefix)
            return after(prefix, flatten(model, name))
        case _:
            assert_never(tag)


async def _all(state: State, children: Sequence[r.Tree]) -> list[Model]:
    return [await nested(tree(state, child)) for child in children]


async def restricted(state: State, children: Sequence[r.Tree]) -> list[Model]:
    """Each child inside a `new` of every stream it opens."""
    models: list[Model] = []
    for child in children:
        with state.stream_scope() as opened:
            model = await nested(tree(state, child))
        models.append(in_scope(opened, model))
    return models


async def _on(state: State, tag: r.OnTag) -> Model:
    peer, peer_prefix = await nested(inline_value.model(state, tag.peer))
    peer, copies = plain(state, peer)
    peer_prefix = after(peer_prefix, *copies) if copies else peer_prefix
    modelled = [await nested(inline_value.model(state, value)) for value in tag.via]
    via = [_via(state, value, prefix) for value, prefix in modelled]
    prefixes = (peer_prefix, *(prefix for _, prefix in via))
    child = await nested(tree(state, tag.child))
    node = On(peer, tuple(value for value, _ in via), tag.strategy, (child,))
    return after(join_prefixes(prefixes), node if state.no_xor else xor(node, Fail(ERROR)))


def _via(state: State, value: ValueModel, prefix: Model | None) -> tuple[ValueModel, Model | None]:
    value, prefix = freeze(state, value, prefix)
    value, copies = plain(state, value)
    if not is_text(value.type):
        value, more = whole(state, value)
        copies = (*copies, *more)
    return value, after(prefix, *copies) if copies else prefix


def whole(state: State, value: ValueModel) -> tuple[ValueModel, tuple[Model, ...]]:
    """Something to iterate over: AIR takes a stream, frozen or not, as a whole, and a part of it only as a variable."""
    if "D15" in state.defects:
        return value, ()
    if isinstance(value, V) and isinstance(value.base, t.Canon | t.Stream) and value.props:
        return inline_property.strip(state, value)
    return value, ()


def is_text(of: t.Type) -> bool:
    """Whether a value is one peer id; else it is a collection of them."""
    return of in (t.STRING, t.STRING_LITERAL)


async def _for(state: State, tag: r.ForTag) -> Model:
    iterable, prefix = await nested(inline_value.model(state, tag.iterable))
    if tag.mode != "rec":
        iterable, prefix = freeze(state, iterable, prefix)
    iterable, copies = whole(state, iterable)
    prefix = after(prefix, *copies) if copies else prefix
    raw_item = tag.item if tag.value_item is None else PAIR_ITEM
    item = state.env.name(raw_item)
    iterator = V(state.mangler.new(item), _item_type(tag.iterable.type))
    state.define(item, iterator)
    state.iterators[item] = iterator.name
    children: list[Model] = []
    if tag.value_item is not None:
        children.append(_open_pair(state, iterator, tag.item, tag.value_item))
    with state.stream_scope() as opened:
        body = await nested(tree(state, tag.child))
    if tag.mode == "rec" and isinstance(body, Par) and _vanishes(body.children[0]) and "D4" not in state.defects:
        # A fold over a stream may not hold anything behind `next`, so the gap is filled before it.
        body = Par((seq((body.children[0], NULL)), *body.children[1:]))
    children.append(in_scope(opened, body))
    last: Lit["null", "never"] = "null" if tag.mode in ("seq", "try") else "never"
    return after(prefix, For(iterator.name, iterable, last, tuple(children)))


def _vanishes(node: Model) -> bool:
    """Whether nothing of a node is left in the text."""
    return isinstance(node, Empty | Capture) or (isinstance(node, For) and node.iterable == NIL)


def _item_type(iterable: t.Type) -> t.Type:
    match iterable:
        case t.Array(element) | t.Option(element) | t.Stream(element) | t.Canon(element):
            return element
        case t.StreamMap(element) | t.CanonMap(element):
            return pair_type(element)
        case _:
            raise InternalError(f"{iterable} cannot be iterated")


def pair_type(element: t.Type) -> t.Struct:
    """Type of an entry of a stream map."""
    return t.Struct("-pair-", (("key", t.STRING), ("value", element)))


def _open_pair(state: State, iterator: V, key: str, value: str) -> Model:
    """Copy key and value of a map entry into the two names of the loop."""
    copies: list[Model] = []
    of = dict(iterator.base.fields)["value"] if isinstance(iterator.base, t.Struct) else t.TOP
    for raw, prop in ((key, FieldP("key", t.STRING)), (value, FieldP("value", of))):
        name = state.env.name(raw)
        fresh = state.mangler.new(name)
        state.define(name, V(fresh, prop.type))
        # The loop goes on by the item it was given, whichever of its names `next` mentions.
        state.iterators[name] = iterator.name
        copies.append(flatten(with_props(iterator, prop), fresh))
    return seq(copies)


def _next(state: State, raw_item: str) -> Model:
    item = state.env.name(raw_item)
    iterator = state.iterators.get(item)
    if iterator is None:
        raise InternalError(f"no loop over `{raw_item}`")
    return Next(iterator)


async def _call(state: State, tag: r.CallTag) -> Inline:
    exports = [r.CallExport(state.env.name(e.name), e.type, e.existing) for e in tag.exports]
    match tag.call:
        case r.Call(name, args):
            return (await nested(inline_call.call(state, state.env.name(name), args, exports)))[1]
        case r.ServiceCall():
            return (await nested(inline_call.service_call(state, tag.call, exports)))[1]
        case r.Prop(value, r.ArrowProp(method, _, args)):
            owner, prefix = await nested(inline_value.model(state, value))
            if not isinstance(owner, V):
                raise InternalError("a method is called on a literal")
            name = inline_value.method_name(state, value, owner, method)
            inline = (await nested(inline_call.call(state, name, args, exports)))[1]
            return Inline((*(() if prefix is None else (prefix,)), *inline.trees), inline.mode)
        case _:
            raise InternalError("not a call")


async def _push(state: State, tag: r.PushTag) -> Model:
    prefixes: list[Model] = []
    key: ValueModel | None = None
    if tag.key is not None:
        key, prefix = await nested(inline_value.model(state, tag.key))
        prefixes += [] if prefix is None else [prefix]
    value, prefix = await nested(inline_value.model(state, tag.value))
    prefixes += [] if prefix is None else [prefix]
    stream = state.resolve(V(state.env.name(tag.name), tag.type))
    if not isinstance(stream, V) or stream.props:
        raise InternalError(f"`{tag.name}` is no stream")
    target = Target(stream.name, stream.base)
    node = Push(value, target) if key is None else Insert(key, value, target)
    return after(seq(prefixes), node)


async def _service_id(state: State, tag: r.ServiceIdTag) -> Model:
    service_id, prefix = await nested(inline_value.model(state, tag.id))
    name = state.env.name(tag.name)
    wrap = partial(method_wrapper, service_id=service_id, defects=state.defects)
    wrappers = [
        (method, wrap(state.mangler.new(f"{name}-{method}"), method, as_arrow(of))) for method, of in tag.type.fields
    ]
    for method, wrapper in wrappers:
        state.arrows[wrapper.name] = wrapper
        state.values[f"{name}.{method}"] = V(wrapper.name, wrapper.type)
    state.define(name, V(name, tag.type))
    return after(prefix)


def _closure(state: State, tag: r.ClosureTag) -> Model:
    name = state.env.name(tag.name)
    raw_names = captured(tag.arrow, copied=False)
    names = {state.env.name(raw) for raw in raw_names}
    values = gather(state.values, names)
    if len(values) <= SMALL_MAX:
        # A small map keeps the order it was filled in: that of the table the entries come from.
        order = trie_order(state.values) if len(values) > 1 and len(state.values) > SMALL_MAX else state.values
        values = {key: values[key] for key in order if key in values}
    values.update(borrowed(state.values, names))
    names |= _methods_elsewhere(state, raw_names)
    arrows = {key: fn for key, fn in state.arrows.items() if key in names}
    arrows.update(arrows_of_values(state.arrows, values))
    topology = None if tag.detached else name
    if "D17" not in state.defects:
        # A variable of a block that is over may have had this name.
        state.values.pop(name, None)
    copied = NOTHING_COPIED if "D11" in state.defects else _copied(state, captured(tag.arrow) - raw_names)
    state.arrows[name] = from_raw(name, tag.arrow, arrows, values, topology, state.env, copied)
    return EMPTY if topology is None else Capture(name)


def _copied(state: State, raw_names: set[str]) -> Copied:
    """What stands under `raw_names` now, for a closure that uses it in `copy` only."""
    names: dict[str, str] = {}
    values: dict[str, ValueModel] = {}
    arrows: dict[str, Fn] = {}
    for raw in sorted(raw_names):
        name, own = state.env.name(raw), f"-copied-{raw}"
        known = state.values.get(name)
        fn = state.arrow(name)
        ability = as_ability(known)
        if known is None and fn is None:
            continue
        names[raw] = own
        if ability is not None and isinstance(known, V):
            values[own] = V(own, known.base)
            for path, _ in paths(ability):
                entry = state.last(f"{name}.{path}") or state.last(f"{known.name}.{path}")
                if entry is not None:
                    values[f"{own}.{path}"] = entry
            for method in arrow_paths(ability):
                if (of_method := state.arrow(f"{name}.{method}") or state.arrow(f"{known.name}.{method}")) is not None:
                    arrows[f"{own}.{method}"] = of_method
                    values[f"{own}.{method}"] = V(f"{own}.{method}", of_method.type)
        elif fn is not None:
            arrows[own] = fn
        elif known is not None:
            values[own] = state.resolve(known) if isinstance(known, V) else known
    for method in _methods_elsewhere(state, raw_names):
        raw = next((raw for raw, present in state.env.names.items() if present == method), method)
        names[raw] = f"-copied-{raw}"
        arrows[names[raw]] = state.arrows[method]
    return Copied(names, values, arrows)


def _methods_elsewhere(state: State, raw_names: set[str]) -> set[str]:
    """Present names of the methods of services of used modules: such a service is no value, it has methods only."""
    services = tuple(f"{raw}." for raw in raw_names if "." in raw and state.env.name(raw) not in state.values)
    methods = {key for key in (*state.env.names, *state.arrows) if key.startswith(services)} if services else ()
    return {state.env.name(method) for method in methods}
