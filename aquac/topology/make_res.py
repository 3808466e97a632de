"""Turn a placed model into Res: peers in calls, hops between them, no `On` left.

Input:  Model.
Output: Res, with one-child `Seq`s collapsed and nested `Seq`s merged.
Errors: none; a model with a `Mark` is a bug of lowering (`AssertionError`).
Source: aqua:model/res/src/main/scala/aqua/res/MakeRes.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from aquac.lowering import model as m
from aquac.semantics import types as t

from . import res as r
from .cursor import NONE, Cursor
from .hops import Hops
from .place import Places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquac.semantics.raw import Site

HOP_STREAM: Final = "-hop-"
HOP_CANON: Final = "-hopc-"
VIA_ITEM: Final = "-via-peer-"
INIT_PEER: Final = m.L("%init_peer_id%", t.STRING)
NIL: Final = m.L("[]", t.NIL_TYPE)

_COLLECTION = (t.Array, t.Option, t.Stream, t.StreamMap, t.Canon, t.CanonMap)


def resolve(root: m.Model, *, early_hops: bool = False) -> r.Res:
    """Place every operation of `root` on a peer. Linear in the size of the tree, hops aside.

    With `early_hops`, as in the reference, a branch of a `par` may leave over peers that a later branch lists (D5).
    """
    return _resolve(root, None, early_hops)


def resolve_located(
    root: m.Model, sites: Mapping[m.Model, Site], *, early_hops: bool = False
) -> tuple[r.Res, dict[r.Res, Site]]:
    """As `resolve`, with the places operations come from; one without entry comes from where its parent does."""
    located: dict[r.Res, Site] = {}
    return _resolve(root, (sites, located), early_hops), located


def _resolve(
    root: m.Model, places_of: tuple[Mapping[m.Model, Site], dict[r.Res, Site]] | None, early_hops: bool
) -> r.Res:
    cursor = Cursor(root)
    places = Places(cursor, early_hops=early_hops)
    hops = Hops(cursor, places)
    numbers = push_numbers(cursor)
    done: list[r.Res | None] = [None] * len(cursor)
    inherited = _inherited(cursor, places_of[0]) if places_of else []
    for at in reversed(range(len(cursor))):
        node = cursor.nodes[at]
        children = tuple(child for number in cursor.children[at] if (child := done[number]) is not None)
        path = places.on[at]
        made = _make(node, path[0].peer if path else INIT_PEER, children, numbers[at])
        if made is not None:
            before = [through(peer) for peer in hops.before(at)]
            after = [through(peer, backwards=True) for peer in hops.after(at)]
            if places_of and (site := inherited[at]) is not None:
                parts = made.children if isinstance(made, r.Seq) else ()
                for part in (made, *parts, *before, *after):
                    places_of[1].setdefault(part, site)
            made = seq((*before, made, *after)) if before or after else made
        done[at] = made
    return done[0] or r.Seq(())


def _inherited(cursor: Cursor, sites: Mapping[m.Model, Site]) -> list[Site | None]:
    """Where each node comes from."""
    found: list[Site | None] = []
    for node, parent in zip(cursor.nodes, cursor.parent, strict=True):
        found.append(sites.get(node) or (found[parent] if parent != NONE else None))
    return found


def push_numbers(cursor: Cursor) -> list[int]:
    """Numbers that name the frozen streams of pushes, by node.

    The root is 1; direct children of a node get consecutive numbers before the first of them is entered. Nodes that vanish
    count, what is inside a vanished loop does not (it keeps 0, nobody asks).
    """
    numbers = [0] * len(cursor)
    numbers[0] = count = 1
    stack = [0]
    while stack:
        at = stack.pop()
        if _vanishes(cursor.nodes[at]):
            continue
        for child in cursor.children[at]:
            count += 1
            numbers[child] = count
        stack.extend(reversed(cursor.children[at]))
    return numbers


def hop(peer: m.ValueModel) -> r.Res:
    """Visit a peer: an instruction that runs there and changes nothing."""
    stream, canon = t.Stream(t.BOTTOM), t.Canon(t.BOTTOM)
    visit = r.Canon(peer, m.V(HOP_STREAM, stream), m.Target(HOP_CANON, canon))
    return r.New(HOP_STREAM, stream, (r.New(HOP_CANON, canon, (visit,)),))


def through(peer: m.ValueModel, *, backwards: bool = False) -> r.Res:
    """Visit a peer, or every peer of a collection, last one first when going `backwards`."""
    if not isinstance(peer.type, _COLLECTION):
        return hop(peer)
    steps = (hop(m.V(VIA_ITEM, t.STRING)), r.Next(VIA_ITEM))
    return r.Fold(VIA_ITEM, peer, "null", steps[::-1] if backwards else steps)


def seq(children: tuple[r.Res, ...]) -> r.Res:
    """A `Seq` without nested `Seq`s; one child stands for itself."""
    merged: list[r.Res] = []
    for child in children:
        if isinstance(child, r.Seq):
            merged.extend(child.children)
        else:
            merged.append(child)
    return merged[0] if len(merged) == 1 else r.Seq(tuple(merged))


def _vanishes(node: m.Model) -> bool:
    return isinstance(node, (m.Empty, m.Capture)) or (isinstance(node, m.For) and node.iterable == NIL)


def _make(node: m.Model, peer: m.ValueModel, children: tuple[r.Res, ...], number: int) -> r.Res | None:
    """The node itself; None when it vanishes."""
    if _vanishes(node):
        return None
    match node:
        case m.Seq() | m.On() | m.Apply():
            return seq(children)
        case m.Par() | m.Detach():
            return r.Par(children)
        case m.Xor():
            return r.Xor(children)
        case m.Match(left, right, equal):
            return r.Match(left, right, equal, children)
        case m.New(name, type_):
            return r.New(name, type_, children)
        case m.For(item, iterable, last):
            return r.Fold(item, iterable, last, children)
        case m.Next(item):
            return r.Next(item)
        case m.Null():
            return r.Null()
        case m.Fail(value):
            return r.Fail(value)
        case m.Push(value, target):
            return _push(value, target, peer, number)
        case m.Flatten(value, target):
            return r.Ap(value, m.Target(target.name, _flattened(value)))
        case m.Insert(key, value, target):
            return r.ApMap(key, value, target)
        case m.Canon(value, target):
            return r.Canon(peer, value, target)
        case m.Srv(service_id, method, args, results):
            return r.Call(peer, service_id, method, args, results[0] if results else None)
        case m.Empty() | m.Capture() | m.Mark():
            raise AssertionError("neither vanished nor made")
        case _:
            assert_never(node)


def _push(value: m.ValueModel, target: m.Target, peer: m.ValueModel, number: int) -> r.Res:
    """A stream cannot be pushed as a value: what it holds now is frozen first."""
    if not isinstance(value, m.V) or not isinstance(value.base, t.Stream):
        return r.Ap(value, target)
    name, canon = f"push-to-stream-{number}", t.Canon(value.base.element)
    return r.Seq(
        (
            r.Canon(peer, m.V(value.name, value.base), m.Target(name, canon)),
            r.Ap(m.V(name, canon, value.props), target),
        )
    )


def _flattened(value: m.ValueModel) -> t.Type:
    """Type of a copied value: copying a frozen stream gives an array."""
    if isinstance(value, m.V) and isinstance(value.base, t.Canon):
        return t.Array(value.base.element)
    return value.type
