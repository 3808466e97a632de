"""Names that raw trees and values define and use.

`defines` decides which names an inlining renames, `captured` what a closure takes along (`spec aqua-to-air §2.4`). Trees
are walked with explicit stacks.
"""

from __future__ import annotations

from functools import partial
from typing import Final, assert_never

from aquac.semantics.raw import (
    AbilityLit,
    ArrowProp,
    AssignTag,
    Bin,
    Call,
    CallTag,
    CanonTag,
    ClosureTag,
    Coll,
    CopyProp,
    DeclareTag,
    DetachTag,
    EmptyTag,
    FieldProp,
    FlattenTag,
    ForTag,
    FuncArrow,
    FunctorProp,
    IfTag,
    IndexProp,
    JoinTag,
    Literal,
    NextTag,
    NotOp,
    OnTag,
    ParTag,
    Prop,
    PushTag,
    RawProp,
    RawValue,
    ReturnTag,
    SeqTag,
    ServiceCall,
    ServiceIdTag,
    StreamLit,
    StructLit,
    Tree,
    TryTag,
    Var,
)

PAIR_ITEM: Final = "-iterable-"
"""Item of a loop over the pairs of a stream map; the two names written by the user are copied out of it."""


def value_names(*values: RawValue, copied: bool = True) -> set[str]:
    """Variables, called functions and anonymous streams mentioned by values, everything nested included.

    Fields of `copy` count only if `copied`: the reference forgets them (D11).
    """
    names: set[str] = set()
    stack = list(values)
    while stack:
        value = stack.pop()
        match value:
            case Var(name):
                names.add(name)
            case Literal():
                pass
            case Prop(inner, prop):
                stack.append(inner)
                stack.extend(prop_values(prop) if copied or not isinstance(prop, CopyProp) else ())
            case Coll(items):
                stack.extend(items)
            case StreamLit(items, name):
                names.add(name)
                stack.extend(items)
            case StructLit(fields) | AbilityLit(fields):
                stack.extend(field for _, field in fields)
            case Bin(_, left, right):
                stack += (left, right)
            case NotOp(operand):
                stack.append(operand)
            case Call(name, args):
                names.add(name)
                stack.extend(args)
            case ServiceCall(service_id, _, _, args):
                stack.append(service_id)
                stack.extend(args)
            case _:
                assert_never(value)
    return names


def prop_values(prop: RawProp) -> tuple[RawValue, ...]:
    """Values inside a property."""
    match prop:
        case FieldProp() | FunctorProp():
            return ()
        case IndexProp(index):
            return (index,)
        case ArrowProp(_, _, args):
            return args
        case CopyProp(fields):
            return tuple(value for _, value in fields)
        case _:
            assert_never(prop)


def children_of(tree: Tree) -> tuple[Tree, ...]:
    """Sub-trees; the body of a closure is not one."""
    match tree:
        case SeqTag(children) | ParTag(children) | TryTag(children):
            return children
        case IfTag(_, children):
            return children
        case DetachTag(child):
            return (child,)
        case OnTag() | ForTag():
            return (tree.child,)
        case _:
            return ()


def exports(tree: Tree) -> tuple[str, ...]:
    """Names a tag introduces for what follows it."""
    match tree:
        case CallTag(targets):
            return tuple(target.name for target in targets if not target.existing)
        case AssignTag(_, name) | FlattenTag(_, name) | ServiceIdTag(_, _, name):
            return (name,)
        case DeclareTag(name) | ClosureTag(name) | CanonTag(_, name):
            return (name,)
        case _:
            return ()


def restricts(tree: Tree) -> tuple[str, ...]:
    """Names a tag introduces for its children only."""
    match tree:
        case ForTag(item, None):
            return (item,)
        case ForTag(item, str(value_item)):
            return (PAIR_ITEM, item, value_item)
        case _:
            return ()


def uses(tree: Tree, *, copied: bool = True) -> set[str]:
    """Names a tag reads itself, its children aside; `copied` as for `value_names`."""
    names = partial(value_names, copied=copied)
    match tree:
        case EmptyTag() | SeqTag() | ParTag() | DetachTag() | TryTag() | DeclareTag():
            return set()
        case OnTag(peer, via):
            return names(peer, *via)
        case IfTag(condition):
            return names(condition)
        case ForTag(_, _, iterable):
            return names(iterable)
        case NextTag(item):
            return {item}
        case CallTag(targets, call):
            return names(call) | {target.name for target in targets if target.existing}
        case PushTag(value, key, name):
            return names(value, *(() if key is None else (key,))) | {name}
        case ReturnTag(values) | JoinTag(values):
            return names(*values)
        case AssignTag(value) | ServiceIdTag(value) | CanonTag(value) | FlattenTag(value):
            return names(value)
        case ClosureTag(_, arrow):
            return captured(arrow, copied=copied)
        case _:
            assert_never(tree)


def defines(tree: Tree) -> dict[str, bool]:
    """Every name introduced in a tree, in document order, and whether it is declared there as a stream.

    Bodies of closures are not entered.
    """
    found: dict[str, bool] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        for name in (*exports(node), *restricts(node)):
            found[name] = found.get(name, False) or isinstance(node, DeclareTag)
        stack.extend(reversed(children_of(node)))
    return found


def free(tree: Tree, *, copied: bool = True) -> set[str]:
    """Names used in a tree and not introduced by it.

    As in the reference, the item of a loop counts: it is introduced for the loop only, and used by it. This is harmless,
    and it decides names when a closure stands beside another loop over the same item. `copied` as for `value_names`.
    """
    order = [tree]
    for node in order:
        order.extend(children_of(node))
    done: dict[int, tuple[set[str], set[str]]] = {}
    for node in reversed(order):
        introduced, used = set(exports(node)), uses(node, copied=copied)
        for child in children_of(node):
            child_introduced, child_used = done[id(child)]
            introduced |= child_introduced
            used |= child_used
        introduced.difference_update(restricts(node))
        done[id(node)] = (introduced, used - introduced)
    return done[id(tree)][1]


def captured(arrow: FuncArrow, *, copied: bool = True) -> set[str]:
    """Outer names a closure needs; `copied` as for `value_names`."""
    return free(arrow.body, copied=copied) - {label for label, _ in arrow.type.args if label is not None}
