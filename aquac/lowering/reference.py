"""How version 0.14.6 puts new names into the body of a function, mistakes included (`spec aqua-to-air §16`).

`Options.reference_defects` asks for the very text of that compiler. Most of its defects come from one cause: it rewrites
the body at each inlining, visits a value once per value around it, and forgets some places.

* A variable is replaced once for each value it is nested in, so a new name can be replaced again (D2).
* Arguments of calls and fields of `copy` in returned literals keep their names (D12).
* Names introduced in a closure keep theirs while its variables do not (D6), as do the streams it pushes into (D14).
* Frozen copies are marked in the body, not in the results (D13).

Input:  a body or result, and the renaming of one inlining.
Output: the same with other names; to be read without `Env`.
Source: aqua:model/raw/src/main/scala/aqua/raw/{value/ValueRaw,value/PropertyRaw,ops/RawTag,ops/RawTagGivens}.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from aquac.records import replace
from aquac.semantics import raw as r
from aquac.semantics import types as t

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .model import V

    Change = Callable[[r.RawValue], r.RawValue]


def rewrite(body: r.Tree, names: Mapping[str, str], frozen: Mapping[str, V]) -> r.Tree:
    """The body under new names; `frozen` are new names of frozen copies and the streams they are copies of."""
    if names:
        body = _tags(body, lambda value: _everywhere(value, lambda v: in_result(v, names)), names)
    if frozen:
        streams = {name: stream.name for name, stream in frozen.items()}
        body = _tags(body, lambda value: _everywhere(value, lambda v: _mark(v, frozen)), streams)
    return body


def in_result(value: r.RawValue, names: Mapping[str, str]) -> r.RawValue:
    """One pass over a value."""

    def inside(v: r.RawValue) -> r.RawValue:
        return in_result(v, names)

    match value:
        case r.Var(name, of):
            return r.Var(names.get(name, name), of)
        case r.Call(name):
            return replace(value, name=names.get(name, name))
        case r.Prop(inner, r.CopyProp() as prop):
            return r.Prop(inside(inner), prop)
        case r.StreamLit(items, name, of):
            return r.StreamLit(tuple(map(inside, items)), names.get(name, name), of)
        case _:
            return _parts(value, inside)


def _everywhere(value: r.RawValue, change: Change) -> r.RawValue:
    """`change` at every value, the inner ones first."""
    return change(_parts(value, lambda v: _everywhere(v, change)))


def _mark(value: r.RawValue, frozen: Mapping[str, V]) -> r.RawValue:
    if isinstance(value, r.Var) and value.name in frozen:
        of = value.type
        if isinstance(of, t.Array | t.Option | t.Canon | t.Stream):
            return r.Var(value.name, t.Canon(of.element))
    return value


def _parts(value: r.RawValue, change: Change) -> r.RawValue:
    """`change` at the values directly inside."""
    match value:
        case r.Var() | r.Literal():
            return value
        case r.Prop(inner, prop):
            return r.Prop(change(inner), _prop(prop, change))
        case r.Coll(items, of):
            return r.Coll(tuple(map(change, items)), of)
        case r.StreamLit(items, name, of):
            return r.StreamLit(tuple(map(change, items)), name, of)
        case r.StructLit(fields, struct):
            return r.StructLit(tuple((name, change(field)) for name, field in fields), struct)
        case r.AbilityLit(fields, ability):
            return r.AbilityLit(tuple((name, change(field)) for name, field in fields), ability)
        case r.Bin(_, left, right):
            return replace(value, left=change(left), right=change(right))
        case r.NotOp(operand, of):
            return r.NotOp(change(operand), of)
        case r.Call(_, args):
            return replace(value, args=tuple(map(change, args)))
        case r.ServiceCall(service_id, _, _, args):
            return replace(value, service_id=change(service_id), args=tuple(map(change, args)))
        case _:
            assert_never(value)


def _prop(prop: r.RawProp, change: Change) -> r.RawProp:
    match prop:
        case r.FieldProp() | r.FunctorProp():
            return prop
        case r.IndexProp(index, of):
            return r.IndexProp(change(index), of)
        case r.ArrowProp(_, _, args):
            return replace(prop, args=tuple(map(change, args)))
        case r.CopyProp(fields, of):
            return r.CopyProp(tuple((name, change(field)) for name, field in fields), of)
        case _:
            assert_never(prop)


def _tags(tree: r.Tree, change: Change, names: Mapping[str, str]) -> r.Tree:
    """`change` at the values of all tags, `names` at what they introduce; in closures the former only."""

    def inside(child: r.Tree) -> r.Tree:
        return _tags(child, change, names)

    match tree:
        case r.EmptyTag():
            return tree
        case r.SeqTag(children):
            return r.SeqTag(tuple(map(inside, children)))
        case r.ParTag(children):
            return r.ParTag(tuple(map(inside, children)))
        case r.TryTag(children):
            return r.TryTag(tuple(map(inside, children)))
        case r.DetachTag(child):
            return r.DetachTag(inside(child))
        case r.OnTag(peer, via, _, child):
            return replace(tree, peer=change(peer), via=tuple(map(change, via)), child=inside(child))
        case r.IfTag(condition, children):
            return replace(tree, condition=change(condition), children=tuple(map(inside, children)))
        case r.ForTag(item, value_item, iterable, _, child):
            second = value_item if value_item is None else names.get(value_item, value_item)
            return replace(
                tree, item=names.get(item, item), value_item=second, iterable=change(iterable), child=inside(child)
            )
        case r.NextTag(item):
            return r.NextTag(names.get(item, item))
        case r.CallTag(exports, call):
            exports = tuple(_export(export, change, names) for export in exports)
            return replace(tree, exports=exports, call=change(call))
        case r.DeclareTag(name, of):
            # A declared stream counts as a variable.
            changed = change(r.Var(name, of))
            return r.DeclareTag(changed.name, changed.type) if isinstance(changed, r.Var) else tree
        case r.PushTag(value, key, name):
            changed_key = key if key is None else change(key)
            return replace(tree, value=change(value), key=changed_key, name=names.get(name, name))
        case r.ReturnTag(values):
            return r.ReturnTag(tuple(map(change, values)))
        case r.JoinTag(values):
            return replace(tree, values=tuple(map(change, values)))
        case r.ClosureTag(name, arrow, detached):
            body = _tags(arrow.body, change, {})
            arrow = r.FuncArrow(arrow.type, tuple(map(change, arrow.ret)), body)
            return r.ClosureTag(names.get(name, name), arrow, detached)
        case r.ServiceIdTag(service_id, _, name):
            return replace(tree, id=change(service_id), name=names.get(name, name))
        case r.AssignTag(value, name) | r.CanonTag(value, name) | r.FlattenTag(value, name):
            return replace(tree, value=change(value), name=names.get(name, name))
        case _:
            assert_never(tree)


def _export(export: r.CallExport, change: Change, names: Mapping[str, str]) -> r.CallExport:
    """An existing stream counts as a variable."""
    if not export.existing:
        return replace(export, name=names.get(export.name, export.name))
    changed = change(r.Var(export.name, export.type))
    return r.CallExport(changed.name, changed.type, True) if isinstance(changed, r.Var) else export
