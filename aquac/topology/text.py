"""Res as text for people: `aquac build --emit=res`, and golden tests.

One line per operation, two blanks per level; a hop is one line, `hop PEER`, instead of its three instructions. Values are
written as in the text of models. `text_parser.py` reads the text again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from aquac.lowering.text import mark, target, value
from aquac.text_form import plain

from . import res as r
from .make_res import HOP_CANON, HOP_STREAM

if TYPE_CHECKING:
    from aquac.lowering.model import ValueModel


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


def _parts(node: r.Res) -> tuple[str, tuple[r.Res, ...], str]:
    """First line, children, and a line after the children."""
    peer = hop_peer(node)
    if peer is not None:
        return f"hop {value(peer)}", (), ""
    match node:
        case r.Seq(children):
            return "seq", children, ""
        case r.Par(children):
            return "par", children, ""
        case r.Xor(children):
            return "xor", children, ""
        case r.Match(left, right, equal, children):
            return f"match {value(left)} {'==' if equal else '!='} {value(right)}", children, ""
        case r.Fold(item, iterable, last, children):
            return f"fold {plain(item)} <- {value(iterable)}", children, f"last {last}"
        case r.New(name, of, children):
            return f"new {mark(of)}{plain(name)}", children, ""
        case r.Next(item):
            return f"next {plain(item)}", (), ""
        case r.Call(at, service, method, args, result):
            exported = "" if result is None else f"{target(result)} <- "
            text = ", ".join(map(value, args))
            return f"{exported}call {value(service)} {plain(method)}({text}) @ {value(at)}", (), ""
        case r.Ap(copied, to):
            return f"{target(to)} <- ap {value(copied)}", (), ""
        case r.ApMap(key, copied, to):
            return f"{target(to)} <- ap {value(key)}, {value(copied)}", (), ""
        case r.Canon(at, stream, to):
            return f"{target(to)} <- canon {value(stream)} @ {value(at)}", (), ""
        case r.Fail(error):
            return f"fail {value(error)}", (), ""
        case r.Null():
            return "null", (), ""
        case _:
            assert_never(node)
