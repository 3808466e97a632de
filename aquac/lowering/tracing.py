"""The last pass over a model that is to be traced: marks of calls become reports (`spec aqua-to-air §9`).

Every group is built anew by the construction rules. Source: aqua:model/transform/.../funcop/Tracing.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aquac.records import replace
from aquac.semantics import types as t

from .build import ERROR, quoted, seq, with_props, xor
from .model import (
    Apply,
    Detach,
    Empty,
    Fail,
    FieldP,
    For,
    Mark,
    Match,
    Model,
    New,
    Null,
    On,
    Par,
    Seq,
    Srv,
    Target,
    V,
    ValueModel,
    Xor,
)

if TYPE_CHECKING:
    from aquac.semantics.raw import Site

SERVICE: Final = "tracingSrv"
METHOD: Final = "tracingEvent"
MESSAGE: Final = "-return-error-msg-"

_GROUPS: Final = (Seq, Par, Detach, Xor, On, New, Match, For, Apply, Mark)


def finish(root: Model, home: On, *, sites: dict[Model, Site] | None = None) -> Model:
    """`root` without marks. `home` is where tracing calls are made. `sites` gets the nodes that replace others."""
    done: dict[int, Model] = {}
    stack: list[tuple[Model, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if not isinstance(node, _GROUPS):
            done[id(node)] = node
        elif not ready:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children))
        else:
            children = tuple(done[id(child)] for child in node.children)
            made = _rebuild(node, children, home)
            if sites is not None and made is not node and node in sites and not isinstance(made, Empty | Null):
                sites.setdefault(made, sites[node])
            done[id(node)] = made
    return done[id(root)]


def _rebuild(node: Model, children: tuple[Model, ...], home: On) -> Model:
    match node:
        case Seq():
            return seq(children)
        case Xor():
            return xor(*children)
        case Mark(name):
            call = children[0] if len(children) == 1 else seq(children)
            return traced(name, call, home)
        case Par() | Detach() | On() | New() | Match() | For() | Apply():
            same = all(new is old for new, old in zip(children, node.children, strict=True))
            return node if same else replace(node, children=children)
        case _:
            return node


def traced(name: str, call: Model, home: On) -> Model:
    """`call` between reports of entering and leaving it, normally or by an error."""

    def report(message: ValueModel) -> Model:
        return Srv(quoted(SERVICE), METHOD, (quoted(name), message), ())

    def at_home(child: Model) -> Model:
        return replace(home, children=(child,))

    text = V(MESSAGE, t.STRING)
    parts = (quoted("exit with error: "), with_props(ERROR, FieldP("message", t.STRING)))
    joined = Srv(quoted("op"), "concat_strings", parts, (Target(text.name, text.base),))
    failed = at_home(New(text.name, text.base, (joined, report(text))))
    return seq(
        (
            Detach((at_home(report(quoted("enter"))),)),
            xor(
                seq((call, Detach((at_home(report(quoted("exit"))),)))),
                seq((failed, Fail(ERROR))),
            ),
        )
    )
