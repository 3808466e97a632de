"""What every finished model satisfies; run between lowering and topology in tests.

Errors: `problems` returns texts, empty when the model is sound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.semantics import types as t

from . import model as m
from .text import children_of, head

if TYPE_CHECKING:
    from collections.abc import Iterator

_GIVEN = frozenset({":error:"})
"""Names that AquaVM provides."""


def problems(root: m.Model) -> list[str]:
    """Violations in `root`: call marks left, rounds of no loop, streams without `new`, names read before they are written.

    Nodes are visited in document order, so a name written in any earlier branch counts as written.
    """
    found: list[str] = []
    written = set(_GIVEN)
    captured: set[str] = set()
    stack: list[tuple[m.Model, frozenset[str], frozenset[str]]] = [(root, frozenset(), frozenset())]
    while stack:
        node, scoped, items = stack.pop()
        for value in _read(node):
            found += (f"{problem} in `{head(node)}`" for problem in _value_problems(value, written, scoped))
        match node:
            case m.Mark():
                found.append(f"call mark left: `{head(node)}`")
            case m.Next(item) if item not in items:
                found.append(f"`{head(node)}` outside its loop")
            case m.Srv(m.L(text)) if not text.startswith('"'):
                found.append(f"{text} as service id in `{head(node)}`")
            case m.Push(_, target) | m.Insert(_, _, target) if not _is_open(target.name, scoped):
                found.append(f"no `new` around `{head(node)}`")
            case m.Capture(name):
                captured.add(name)
            case m.Apply(name) if name not in captured:
                found.append(f"`{head(node)}` before its definition")
            case m.New(name):
                scoped |= {name}
            case m.For(item):
                items |= {item}
                written.add(item)
            case _:
                pass
        written.update(_written(node))
        stack.extend((child, scoped, items) for child in reversed(children_of(node)))
    return found


def _is_open(stream: str, scoped: frozenset[str]) -> bool:
    """Whether a stream exists here; arguments of the exported function live as long as the particle."""
    return stream in scoped or (stream.startswith("-") and stream.endswith("-arg-"))


def _read(node: m.Model) -> tuple[m.ValueModel, ...]:
    match node:
        case m.On(peer, via):
            # The place itself may be known only further on: the root stands before the getter of its relay.
            return () if via and isinstance(peer, m.L) else (peer, *via)
        case m.Match(left, right):
            return left, right
        case m.For(_, iterable):
            return (iterable,)
        case m.Insert(key, value):
            return key, value
        case m.Flatten(value) | m.Push(value) | m.Canon(value) | m.Fail(value):
            return (value,)
        case m.Srv(service_id, _, args):
            return service_id, *args
        case _:
            return ()


def _written(node: m.Model) -> tuple[str, ...]:
    match node:
        case m.Flatten(_, target) | m.Canon(_, target):
            return (target.name,)
        case m.Srv(_, _, _, results):
            return tuple(target.name for target in results)
        case _:
            return ()


def _value_problems(value: m.ValueModel, written: set[str], scoped: frozenset[str]) -> Iterator[str]:
    if isinstance(value, m.L):
        return
    if isinstance(value.base, t.Stream | t.StreamMap):
        if not _is_open(value.name, scoped):
            yield f"stream {value.name} without `new`"
    elif value.name not in written and value.name not in scoped:
        yield f"{value.name} is not written yet"
    for prop in value.props:
        if isinstance(prop, m.IndexP) and not prop.text.isdigit() and prop.text not in written:
            yield f"index {prop.text} is not written yet"
