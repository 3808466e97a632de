"""Res as text for people: `aquac build --emit=res`, and golden tests.

One line per operation, two blanks per level; a hop is one line, `hop PEER`, instead of its three instructions.
"""

from __future__ import annotations

from typing import assert_never

from aquac.lowering.model import FieldP, FunctorP, IndexP, L, Target, ValueModel
from aquac.semantics import types as t

from . import res as r
from .make_res import HOP_CANON, HOP_STREAM


def render(root: r.Res) -> str:
    """The text; ends with a line break. No host recursion."""
    lines: list[str] = []
    stack: list[tuple[int, r.Res | str]] = [(0, root)]
    while stack:
        depth, item = stack.pop()
        if isinstance(item, str):
            lines.append("  " * depth + item)
            continue
        head, children, tail = _parts(item)
        lines.append("  " * depth + head)
        if tail:
            stack.append((depth + 1, tail))
        stack.extend((depth + 1, child) for child in reversed(children))
    return "\n".join(lines) + "\n"


def hop_peer(node: r.Res) -> ValueModel | None:
    """The peer visited, if `node` is a hop."""
    match node:
        case r.New(outer, _, (r.New(inner, _, (r.Canon(peer),)),)) if outer == HOP_STREAM and inner == HOP_CANON:
            return peer
        case _:
            return None


def value_text(value: ValueModel) -> str:
    """A value: stream-like variables with the mark of their type, properties as in Aqua."""
    if isinstance(value, L):
        return value.text
    text = _mark(value.base) + value.name
    for prop in value.props:
        match prop:
            case FieldP(name):
                text += f".{name}"
            case FunctorP(name):
                text += f".{name}()"
            case IndexP(index):
                text += f"[{index}]"
            case _:
                assert_never(prop)
    return text


def _target(target: Target) -> str:
    return _mark(target.type) + target.name


def _mark(type_: t.Type) -> str:
    match type_:
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


def _parts(node: r.Res) -> tuple[str, tuple[r.Res, ...], str]:
    """First line, children, and a line after the children."""
    peer = hop_peer(node)
    if peer is not None:
        return f"hop {value_text(peer)}", (), ""
    match node:
        case r.Seq(children):
            return "seq", children, ""
        case r.Par(children):
            return "par", children, ""
        case r.Xor(children):
            return "xor", children, ""
        case r.Match(left, right, equal, children):
            return f"match {value_text(left)} {'==' if equal else '!='} {value_text(right)}", children, ""
        case r.Fold(item, iterable, last, children):
            return f"fold {item} <- {value_text(iterable)}", children, f"last {last}"
        case r.New(name, type_, children):
            return f"new {_mark(type_)}{name}", children, ""
        case r.Next(item):
            return f"next {item}", (), ""
        case r.Call(at, service, method, args, result):
            exported = "" if result is None else f"{_target(result)} <- "
            text = ", ".join(map(value_text, args))
            return f"{exported}call {value_text(service)} {method}({text}) @ {value_text(at)}", (), ""
        case r.Ap(value, target):
            return f"{_target(target)} <- ap {value_text(value)}", (), ""
        case r.ApMap(key, value, target):
            return f"{_target(target)} <- ap {value_text(key)}: {value_text(value)}", (), ""
        case r.Canon(at, value, target):
            return f"{_target(target)} <- canon {value_text(value)} @ {value_text(at)}", (), ""
        case r.Fail(value):
            return f"fail {value_text(value)}", (), ""
        case r.Null():
            return "null", (), ""
        case _:
            assert_never(node)
