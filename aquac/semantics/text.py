"""Raw as text for people: `aquac build --emit=raw`, and tests.

One line per statement, two blanks per level. Values look like Aqua, with operators by name in brackets: `(a add b)`; `.length#`
is the property of collections, `T{f = v}` data, `A@{f = v}` an ability, `*name[v]` an anonymous stream. Types are written where
they are declared, in full lines; those of values follow from them. `text_parser.py` reads the text again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from aquac.lowering.trampoline import nested, run
from aquac.text_form import plain

from . import raw as r
from .printing import brief

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def render(part: r.FuncPart) -> str:
    """The text of a function; ends with a line break."""
    lines = [f"func {plain(part.name)}"]
    stack: list[tuple[int, str | r.Tree]] = list(reversed(_arrow(1, part.arrow)))
    while stack:
        depth, item = stack.pop()
        if isinstance(item, str):
            lines.append("  " * depth + item)
            continue
        text, below = _tag(depth, item)
        lines.append("  " * depth + text)
        stack.extend(reversed(below))
    return "\n".join(lines) + "\n"


def _arrow(depth: int, arrow: r.FuncArrow) -> list[tuple[int, str | r.Tree]]:
    """What stands below a function or closure."""
    below: list[tuple[int, str | r.Tree]] = []
    for label, of in arrow.type.args:
        below.append((depth, f"argument {'-' if label is None else plain(label)}: {brief(of)}"))
    below += ((depth, f"result {brief(of)}") for of in arrow.type.results)
    below.append((depth, arrow.body))
    if arrow.ret:
        below.append((depth, f"return {values(arrow.ret)}"))
    return below


def _tag(depth: int, tag: r.Tree) -> tuple[str, list[tuple[int, str | r.Tree]]]:
    """The line of a statement, and what stands below it."""

    def below(children: Iterable[r.Tree]) -> list[tuple[int, str | r.Tree]]:
        return [(depth + 1, child) for child in children]

    match tag:
        case r.EmptyTag():
            return "empty", []
        case r.SeqTag(children):
            return "seq", below(children)
        case r.ParTag(children):
            return "par", below(children)
        case r.TryTag(children):
            return "try", below(children)
        case r.DetachTag(child):
            return "detach", below((child,))
        case r.OnTag(peer, via, strategy, child):
            hops = "".join(f" via {value(hop)}" for hop in via)
            return f"on {value(peer)}{hops}{' to relay' if strategy else ''}", below((child,))
        case r.IfTag(condition, children):
            return f"if {value(condition)}", below(children)
        case r.ForTag(item, value_item, iterable, mode, child):
            second = "" if value_item is None else f", {plain(value_item)}"
            return f"for {plain(item)}{second} in {value(iterable)} {mode}", below((child,))
        case r.ClosureTag(name, arrow, detached):
            return f"closure {plain(name)}{' detached' if detached else ''}", _arrow(depth + 1, arrow)
        case _:
            return _simple(tag), []


def _simple(tag: r.Tree) -> str:
    match tag:
        case r.NextTag(item):
            return f"next {plain(item)}"
        case r.AssignTag(assigned, name):
            return f"let {plain(name)} = {value(assigned)}"
        case r.CallTag(exports, call):
            names = ", ".join(f"{'existing ' if e.existing else ''}{plain(e.name)}" for e in exports)
            return f"call {names} = {value(call)}" if names else f"call {value(call)}"
        case r.DeclareTag(name, of):
            return f"declare {plain(name)}: {brief(of)}"
        case r.PushTag(pushed, key, name):
            under = "" if key is None else f" under {value(key)}"
            return f"push {value(pushed)}{under} into {plain(name)}"
        case r.ReturnTag(returned):
            return f"returned {values(returned)}"
        case r.JoinTag(joined):
            return f"join {values(joined)}"
        case r.ServiceIdTag(service_id, of, name):
            return f"service {plain(name)} = {value(service_id)} of {brief(of)}"
        case r.CanonTag(frozen, name):
            return f"freeze {value(frozen)} to {plain(name)}"
        case r.FlattenTag(copied, name):
            return f"copy {value(copied)} to {plain(name)}"
        case _:
            raise AssertionError("a statement with a body")


def values(items: Sequence[r.RawValue]) -> str:
    """Values with commas between them."""
    return ", ".join(map(value, items))


def value(of: r.RawValue) -> str:
    """A value. No host recursion."""
    return run(_value(of))


async def _list(items: Sequence[r.RawValue]) -> str:
    return ", ".join([await nested(_value(item)) for item in items])


async def _fields(fields: Sequence[tuple[str, r.RawValue]]) -> str:
    return ", ".join([f"{plain(name)} = {await nested(_value(item))}" for name, item in fields])


async def _value(of: r.RawValue) -> str:
    match of:
        case r.Var(name):
            return plain(name)
        case r.Literal(text):
            return text
        case r.Prop(inner, prop):
            return await nested(_value(inner)) + await nested(_prop(prop))
        case r.Coll(items, kind):
            return f"{'?' if brief(kind).startswith('?') else ''}[{await _list(items)}]"
        case r.StreamLit(items, name):
            return f"*{plain(name)}[{await _list(items)}]"
        case r.StructLit(fields, kind):
            return f"{plain(kind.name)}{{{await _fields(fields)}}}"
        case r.AbilityLit(fields, kind):
            return f"{plain(kind.name)} @{{{await _fields(fields)}}}"
        case r.Bin(op, left, right):
            return f"({await nested(_value(left))} {op} {await nested(_value(right))})"
        case r.NotOp(operand):
            return f"!{await nested(_value(operand))}"
        case r.Call(name, args):
            return f"{plain(name)}({await _list(args)})"
        case r.ServiceCall(service_id, method, _, args):
            return f"@({await nested(_value(service_id))}) {plain(method)}({await _list(args)})"
        case _:
            assert_never(of)


async def _prop(prop: r.RawProp) -> str:
    match prop:
        case r.FieldProp(name):
            return f".{plain(name)}"
        case r.FunctorProp(name):
            return f".{name}#"
        case r.IndexProp(index):
            return f"[{await nested(_value(index))}]"
        case r.ArrowProp(name, _, args):
            return f".{plain(name)}({await _list(args)})"
        case r.CopyProp(fields):
            return f".copy{{{await _fields(fields)}}}"
        case _:
            assert_never(prop)
