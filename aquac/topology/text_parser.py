"""Res from its text form; the inverse of `text.py`, types aside: a name has only the kind its mark says.

Errors: `TextFormError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.lowering.text_parser import take_args, take_target, take_value
from aquac.text_form import Line, TextFormError, build_tree, read_lines

from . import res as r
from .make_res import hop

if TYPE_CHECKING:
    from aquac.lowering.model import Target


class _Last(str):
    """The line `last null` or `last never` of a fold."""

    __slots__ = ()


def parse(text: str) -> r.Res:
    """The Res a text stands for."""
    root = build_tree(read_lines(text), _node)
    if isinstance(root, _Last):
        raise TextFormError("line 1: `last` outside a fold")
    return root


def _node(line: Line, children: list[r.Res | _Last]) -> r.Res | _Last:
    if line.peek() == "fold" and line.peek(1) != "<-":
        return _fold(line, children)
    nodes = tuple(child for child in children if not isinstance(child, _Last))
    if len(nodes) < len(children):
        raise line.error("`last` outside a fold")
    if line.peek(1) == "<-":
        return _writing(line, nodes)
    word = line.take()
    match word:
        case "seq":
            return r.Seq(nodes)
        case "par":
            return r.Par(nodes)
        case "xor":
            return r.Xor(nodes)
        case "match":
            left, sign, right = take_value(line), line.take(), take_value(line)
            return r.Match(left, right, sign == "==", nodes)
        case "new":
            target = take_target(line)
            return r.New(target.name, target.type, nodes)
        case _ if nodes:
            raise line.error(f"`{word}` has nothing below it")
        case "call":
            return _call(line, None)
        case "hop":
            return hop(take_value(line))
        case "next":
            return r.Next(line.name())
        case "fail":
            return r.Fail(take_value(line))
        case "null":
            return r.Null()
        case "last":
            return _Last(line.take())
        case _:
            raise line.error(f"no operation `{word}`")


def _fold(line: Line, children: list[r.Res | _Last]) -> r.Fold:
    line.expect("fold")
    item = line.name()
    line.expect("<-")
    iterable = take_value(line)
    nodes = tuple(child for child in children if not isinstance(child, _Last))
    last = children[-1] if children else None
    if not isinstance(last, _Last) or len(nodes) != len(children) - 1:
        raise line.error("a fold ends with one line `last`")
    return r.Fold(item, iterable, "null" if last == "null" else "never", nodes)


def _writing(line: Line, nodes: tuple[r.Res, ...]) -> r.Res:
    """`target <- operation`."""
    target = take_target(line)
    line.expect("<-")
    word = line.take()
    if nodes:
        raise line.error(f"`{word}` has nothing below it")
    match word:
        case "call":
            return _call(line, target)
        case "ap":
            first = take_value(line)
            return r.ApMap(first, take_value(line), target) if line.accept(",") else r.Ap(first, target)
        case "canon":
            value = take_value(line)
            line.expect("@")
            return r.Canon(take_value(line), value, target)
        case _:
            raise line.error(f"no operation `{word}`")


def _call(line: Line, target: Target | None) -> r.Call:
    service, method, args = take_value(line), line.name(), take_args(line)
    line.expect("@")
    return r.Call(take_value(line), service, method, args, target)
