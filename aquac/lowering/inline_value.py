"""Values: raw values become variables with properties or literals, and what must run first (`spec aqua-to-air §8`).

`unfold` gives a value with its `Inline`; `model` the same with the prefix made of it.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/{RawValueInliner,MakeStructRawInliner,raw/*}.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from aquac.semantics import raw as r
from aquac.semantics import types as t

from . import inline_call, inline_literal, inline_operator, inline_property
from .build import NOTHING, Inline
from .model import L, Model, V, ValueModel
from .optimise import optimise
from .trampoline import nested

if TYPE_CHECKING:
    from .state import State

Unfolded = tuple[ValueModel, Inline]


async def model(state: State, raw: r.RawValue, *, allowed: bool = True) -> tuple[ValueModel, Model | None]:
    """A value and the tree to put before its user. Without `allowed`, properties are copied out into a variable."""
    if isinstance(raw, r.Var):
        return state.resolve(state.env.variable(raw)), None
    value, inline = await nested(unfold(state, raw, allowed=allowed))
    return value, inline.prefix()


async def unfold(state: State, raw: r.RawValue, *, allowed: bool = True) -> Unfolded:
    """A value and the computations it needs."""
    raw = optimise(raw)
    match raw:
        case r.Var():
            return state.resolve(state.env.variable(raw)), NOTHING
        case r.Literal(text, of):
            return L(text, of), NOTHING
        case r.Prop():
            return await inline_property.unfold(state, raw, allowed=allowed)
        case r.Coll():
            return await inline_literal.collection(state, raw)
        case r.StreamLit():
            return await inline_literal.stream(state, raw)
        case r.StructLit():
            return await inline_literal.struct(state, raw)
        case r.AbilityLit():
            return await inline_literal.ability(state, raw)
        case r.NotOp():
            return await inline_operator.negation(state, raw)
        case r.Bin():
            return await inline_operator.binary(state, raw, allowed=allowed)
        case r.Call(name, args, _, of):
            value, inline = await call(state, state.env.name(name), args, of)
            state.locate(inline.trees, raw.site)
            return value, inline
        case r.ServiceCall(_, method, _, _, of):
            name = state.mangler.new(method)
            results, inline = await nested(inline_call.service_call(state, raw, [r.CallExport(name, of, False)]))
            return (results[0] if results else V(name, of)), inline
        case _:
            assert_never(raw)


async def call(state: State, name: str, args: tuple[r.RawValue, ...], of: t.Type) -> Unfolded:
    """A call used as a value; `name` is a present name."""
    result = state.mangler.new(name)
    before = state.values.get(result)
    results, inline = await nested(inline_call.call(state, name, args, [r.CallExport(result, of, False)]))
    # The name was only needed to call for a result. Kept, it would hide a method of the same full name.
    if before is None:
        state.values.pop(result, None)
    else:
        state.values[result] = before
    return (results[0] if results else V(result, of)), inline


def method_name(state: State, owner: r.RawValue, model: V, method: str) -> str:
    """Present name of a method of a value.

    The service of a used module is no value of its own: its methods are captured, and renamed, one by one.
    """
    name = f"{model.name}.{method}"
    if state.arrow(name) is None and isinstance(owner, r.Var):
        return state.env.name(f"{owner.name}.{method}")
    return name
