"""Model as text for people: `aquac build --emit=model`, and golden tests.

One line per node, two blanks per level. Streams and maps carry the mark of their type (`*s`, `%m`, frozen `#s`, `#%m`);
names are those of the model, before AIR replaces their dots, and stand in backquotes if they have any. `text_parser.py` reads
the text again.
"""

from __future__ import annotations

from typing import assert_never

from aquac.semantics import types as t
from aquac.text_form import plain

from . import model as m


def render(root: m.Model) -> str:
    """The text; ends with a line break. No host recursion."""
    lines: list[str] = []
    stack: list[tuple[int, m.Model]] = [(0, root)]
    while stack:
        depth, node = stack.pop()
        lines.append("  " * depth + head(node))
        stack.extend((depth + 1, child) for child in reversed(children_of(node)))
    return "\n".join(lines) + "\n"


def children_of(node: m.Model) -> tuple[m.Model, ...]:
    """Children of a node."""
    match node:
        case m.Seq() | m.Par() | m.Detach() | m.Xor() | m.On() | m.New() | m.Match() | m.For() | m.Apply() | m.Mark():
            return node.children
        case _:
            return ()


def head(node: m.Model) -> str:
    """One line saying what a node is."""
    match node:
        case m.Empty() | m.Null() | m.Seq() | m.Par() | m.Detach() | m.Xor():
            return type(node).__name__.lower()
        case m.On(peer, via, strategy):
            words = ["on", value(peer), *(f"via {value(hop)}" for hop in via), *(["to", strategy] if strategy else [])]
            return " ".join(words)
        case m.Next(item):
            return f"next {plain(item)}"
        case m.New(name, of):
            return f"new {mark(of)}{plain(name)}"
        case m.Match(left, right, equal):
            return f"{'match' if equal else 'mismatch'} {value(left)} {value(right)}"
        case m.For(item, iterable, last):
            return f"for {plain(item)} in {value(iterable)} then {last}"
        case m.Insert(key, inserted, to):
            return f"insert {value(key)} {value(inserted)} into {target(to)}"
        case m.Flatten(source, to):
            return f"copy {value(source)} to {target(to)}"
        case m.Push(pushed, to):
            return f"push {value(pushed)} into {target(to)}"
        case m.Canon(source, to):
            return f"freeze {value(source)} to {target(to)}"
        case m.Srv(service_id, method, args, results):
            call = f"call {value(service_id)} {plain(method)}({', '.join(map(value, args))})"
            return call + (f" -> {', '.join(map(target, results))}" if results else "")
        case m.Fail(error):
            return f"fail {value(error)}"
        case m.Capture(name):
            return f"capture {plain(name)}"
        case m.Apply(name):
            return f"apply {plain(name)}"
        case m.Mark(name):
            return f"inlined {plain(name)}"
        case _:
            assert_never(node)


def value(of: m.ValueModel) -> str:
    """A value with its properties."""
    if isinstance(of, m.L):
        return of.text
    text = mark(of.base) + plain(of.name)
    for prop in of.props:
        match prop:
            case m.FieldP(name):
                text += f".{plain(name)}"
            case m.FunctorP(name):
                text += f".{plain(name)}()"
            case m.IndexP(index):
                text += f"[{index if index.lstrip('-').isdigit() else plain(index)}]"
            case _:
                assert_never(prop)
    return text


def target(of: m.Target) -> str:
    """A name written to."""
    return mark(of.type) + plain(of.name)


def mark(of: t.Type) -> str:
    """What stands before a name of this type."""
    match of:
        case t.Stream():
            return "*"
        case t.StreamMap():
            return "%"
        case t.Canon():
            return "#"
        case t.CanonMap():
            return "#%"
        case _:
            return ""
