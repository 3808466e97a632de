"""Freezing streams where a value needs a collection that does not grow (`spec aqua-to-air §8.6`)."""

from __future__ import annotations

from aquac.semantics import types as t

from .build import after, bare, canon, canon_type
from .model import Canon, Model, Target, V, ValueModel
from .state import State, is_stream


def freeze(state: State, value: ValueModel, prefix: Model | None) -> tuple[ValueModel, Model | None]:
    """A stream or stream map becomes its frozen copy with the same properties; anything else stays as it is."""
    if not isinstance(value, V) or not is_stream(value.base):
        return value, prefix
    name = state.mangler.new(f"{value.name}_canon")
    return V(name, canon_type(value.base), value.props), after(prefix, canon(bare(value), name))


def freeze_operand(state: State, value: ValueModel) -> tuple[ValueModel, tuple[Canon, ...]]:
    """As `freeze`, for operands of comparisons and fields of data: plain streams only."""
    if not isinstance(value, V) or not isinstance(value.base, t.Stream):
        return value, ()
    frozen = V(state.mangler.new(f"{value.name}_canon"), t.Canon(value.base.element), value.props)
    return frozen, (Canon(value, Target(frozen.name, frozen.type)),)
