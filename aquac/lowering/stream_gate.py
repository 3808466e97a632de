"""Waiting until a stream has enough elements (`spec aqua-to-air §8.4`).

The loop over the stream copies element after element into a test stream and goes on until that one is long enough; the
loop itself never ends, it is the `xor` inside that stops asking for more.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/raw/StreamGateInliner.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.semantics import types as t

from .build import canon, flatten, with_props, xor
from .model import For, FunctorP, Match, Model, New, Next, Push, Target, V, ValueModel

if TYPE_CHECKING:
    from .state import State


def gate(state: State, name: str, of: t.Stream, size: ValueModel) -> tuple[V, Model]:
    """An array with the first `size` elements of stream `name`, and the waiting that makes it."""
    new = state.mangler.new
    result_canon, result = new(f"{name}_result_canon"), V(new(f"{name}_gate"), t.Array(of.element))
    test = V(new(f"{name}_test"), of)
    iter_canon, item = new(f"{name}_iter_canon"), V(new(f"{name}_fold_var"), of.element)
    seen = canon(test, iter_canon)
    length = with_props(V(iter_canon, seen.target.type), FunctorP("length", t.U32))
    enough = xor(Match(length, size, True, ()), Next(item.name))
    loop = For(item.name, V(name, of), "never", (Push(item, Target(test.name, of)), seen, enough))
    frozen = canon(test, result_canon)
    copy = flatten(V(result_canon, frozen.target.type), result.name)
    return result, New(test.name, of, (loop, frozen, copy))
