"""Model from its text form; the inverse of `text.py`, types aside: a name has only the kind its mark says.

Errors: `TextFormError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac.semantics import types as t
from aquac.text_form import build_tree, is_literal, read_lines

from . import model as m

if TYPE_CHECKING:
    from aquac.text_form import Line

_MARKS: Final[dict[str, t.Type]] = {
    "#%": t.CanonMap(t.TOP),
    "*": t.Stream(t.TOP),
    "%": t.StreamMap(t.TOP),
    "#": t.Canon(t.TOP),
}


def parse(text: str) -> m.Model:
    """The model a text stands for."""
    return build_tree(read_lines(text), _node)


def take_value(line: Line) -> m.ValueModel:
    """A literal, or a name with its properties."""
    word = line.peek()
    if word == "[":
        line.expect("[", "]")
        return m.L("[]", t.TOP)
    if is_literal(word):
        return m.L(line.take(), t.TOP)
    target = take_target(line)
    props: list[m.PropM] = []
    # `x []` is two values, not an index.
    while line.peek() == "." or (line.peek() == "[" and line.peek(1) != "]"):
        if line.accept("["):
            word = line.peek()
            props.append(m.IndexP(line.take() if word.lstrip("-").isdigit() else line.name(), t.TOP))
            line.expect("]")
            continue
        line.expect(".")
        name = line.name()
        if line.accept("("):
            line.expect(")")
            props.append(m.FunctorP(name, t.TOP))
        else:
            props.append(m.FieldP(name, t.TOP))
    return m.V(target.name, target.type, tuple(props))


def take_target(line: Line) -> m.Target:
    """A name with the mark of its type."""
    word = line.peek()
    for mark, of in _MARKS.items():
        if word.startswith(mark) and len(word) > len(mark):
            rest = line.take()[len(mark) :]
            return m.Target(rest[1:-1] if rest.startswith("`") else rest, of)
    return m.Target(line.name(), t.TOP)


def take_args(line: Line) -> tuple[m.ValueModel, ...]:
    """`(value, …)`."""
    line.expect("(")
    values: list[m.ValueModel] = []
    while not line.accept(")"):
        if values:
            line.expect(",")
        values.append(take_value(line))
    return tuple(values)


def _node(line: Line, children: list[m.Model]) -> m.Model:
    word = line.take()
    nodes = tuple(children)
    match word:
        case "seq":
            return m.Seq(nodes)
        case "par":
            return m.Par(nodes)
        case "detach":
            return m.Detach(nodes)
        case "xor":
            return m.Xor(nodes)
        case "on":
            return _on(line, nodes)
        case "new":
            target = take_target(line)
            return m.New(target.name, target.type, nodes)
        case "match" | "mismatch":
            return m.Match(take_value(line), take_value(line), word == "match", nodes)
        case "for":
            item = line.name()
            line.expect("in")
            iterable = take_value(line)
            line.expect("then")
            return m.For(item, iterable, "null" if line.take() == "null" else "never", nodes)
        case "apply":
            return m.Apply(line.name(), nodes)
        case "inlined":
            return m.Mark(line.name(), nodes)
        case _ if nodes:
            raise line.error(f"`{word}` has nothing below it")
        case _:
            return _leaf(line, word)


def _on(line: Line, nodes: tuple[m.Model, ...]) -> m.On:
    peer = take_value(line)
    via: list[m.ValueModel] = []
    while line.accept("via"):
        via.append(take_value(line))
    relay = line.accept("to")
    if relay:
        line.expect("relay")
    return m.On(peer, tuple(via), "relay" if relay else "", nodes)


def _leaf(line: Line, word: str) -> m.Model:
    match word:
        case "empty":
            return m.EMPTY
        case "null":
            return m.NULL
        case "next":
            return m.Next(line.name())
        case "insert":
            key, value = take_value(line), take_value(line)
            line.expect("into")
            return m.Insert(key, value, take_target(line))
        case "copy" | "push" | "freeze":
            value = take_value(line)
            line.expect("into" if word == "push" else "to")
            target = take_target(line)
            if word == "copy":
                return m.Flatten(value, target)
            return m.Push(value, target) if word == "push" else m.Canon(value, target)
        case "call":
            service, method, args = take_value(line), line.name(), take_args(line)
            results: list[m.Target] = []
            if line.accept("->"):
                results.append(take_target(line))
                while line.accept(","):
                    results.append(take_target(line))
            return m.Srv(service, method, args, tuple(results))
        case "fail":
            return m.Fail(take_value(line))
        case "capture":
            return m.Capture(line.name())
        case _:
            raise line.error(f"no operation `{word}`")
