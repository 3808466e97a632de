"""Literals of collections, data and abilities (`spec aqua-to-air §8.2`).

A collection is gathered in a stream of its own and frozen; data is gathered in a stream map; an ability costs nothing, its
fields are entries of the table of values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.semantics import raw as r
from aquac.semantics import types as t

from . import inline_value
from .abilities import as_ability
from .build import Inline, after, canon, concat, quoted, seq, xor
from .model import NULL, Canon, Insert, Model, New, Push, Target, V, ValueModel
from .streams import freeze_operand
from .trampoline import nested

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .state import State

MAP = t.StreamMap(t.TOP)


async def collection(state: State, raw: r.Coll) -> tuple[ValueModel, Inline]:
    """`[…]`: all items; `?[…]`: the first one that does not fail."""
    optional = isinstance(raw.type, t.Option)
    element = _element(raw.type)
    stream = V(state.mangler.new("option-inline" if optional else "array-inline"), t.Stream(element))
    pushes: list[Model] = []
    for item in raw.items:
        value, prefix = await nested(inline_value.model(state, item))
        pushes.append(after(prefix, Push(value, Target(stream.name, stream.base))))
    frozen = canon(stream, state.mangler.new(stream.name))
    steps = [xor(*pushes, NULL), frozen] if optional else [*pushes, frozen]
    whole = New(stream.name, stream.base, (seq(steps),))
    return V(frozen.target.name, frozen.target.type), Inline((whole,))


async def stream(state: State, raw: r.StreamLit) -> tuple[ValueModel, Inline]:
    """`*[…]`: pushes into an anonymous stream that the surrounding scope closes."""
    name = state.env.name(raw.name)
    if name in state.streams and "D16" not in state.defects:
        # The same text is inlined twice into one scope; the second stream must not continue the first one (D16).
        name = state.mangler.rename(name)
    target = Target(name, raw.type)
    prefixes: list[Model] = []
    pushes: list[Model] = []
    for item in raw.items:
        value, prefix = await nested(inline_value.model(state, item))
        prefixes += [] if prefix is None else [prefix]
        pushes.append(Push(value, target))
    result = V(name, raw.type)
    state.define(name, result)
    return result, Inline((seq([*prefixes, *pushes]),))


async def struct(state: State, raw: r.StructLit) -> tuple[ValueModel, Inline]:
    """A data value from its fields."""
    name = state.mangler.new(f"{raw.type.name}_obj")
    fields, inline = await unfold_fields(state, raw.fields)
    made = build_object(state, V(name, raw.type), fields)
    return V(name, raw.type), Inline((seq([*inline.desugar().trees, made]),))


async def ability(state: State, raw: r.AbilityLit) -> tuple[ValueModel, Inline]:
    """An ability value: its fields become entries under its name."""
    name = state.mangler.new(f"{raw.type.name}_anon")
    fields, inline = await unfold_fields(state, raw.fields)
    for field, value in fields:
        full = f"{name}.{field}"
        if as_ability(value) is not None and isinstance(value, V):
            copy_entries(state, value.name, full)
        else:
            state.values[full] = value
    result = V(name, raw.type)
    state.define(name, result)
    return result, Inline((seq(inline.desugar().trees),))


async def unfold_fields(
    state: State, fields: Sequence[tuple[str, r.RawValue]]
) -> tuple[list[tuple[str, ValueModel]], Inline]:
    """Fields in order, and all they need side by side."""
    values: list[tuple[str, ValueModel]] = []
    inlines: list[Inline] = []
    for name, raw in fields:
        value, inline = await nested(inline_value.unfold(state, raw))
        values.append((name, value))
        inlines.append(inline)
    return values, concat(inlines)


def build_object(
    state: State, result: V, fields: Sequence[tuple[str, ValueModel]], extra: Sequence[tuple[str, ValueModel]] = ()
) -> Model:
    """A data value made through a stream map; `extra` fields are put in before `fields`."""
    name = f"{result.name}_map"
    frozen: list[Model] = []
    inserts: list[Model] = []
    for field, value in fields:
        operand, canons = freeze_operand(state, value)
        frozen += canons
        inserts.append(Insert(quoted(field), operand, Target(name, MAP)))
    others = [Insert(quoted(field), value, Target(name, MAP)) for field, value in extra]
    end = Canon(V(name, MAP), Target(result.name, result.type))
    return New(name, MAP, (*frozen, *others, *inserts, end))


def copy_entries(state: State, name: str, new_name: str) -> None:
    """Entries of ability `name` also under `new_name`."""
    inner = f"{name}."
    copies = {
        new_name + key.removeprefix(name): value
        for key, value in state.values.items()
        if key == name or key.startswith(inner)
    }
    state.values.update(copies)


def _element(of: t.Type) -> t.Type:
    assert isinstance(of, t.Array | t.Option)
    return of.element
