"""Freezing streams where a value needs a collection that does not grow (`spec aqua-to-air §8.6`)."""

from __future__ import annotations

from aquac.semantics import types as t

from .build import after, bare, canon, canon_type, flatten
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
    if "D15" in state.defects:
        return frozen, (Canon(value, Target(frozen.name, frozen.type)),)
    return frozen, (Canon(bare(value), Target(frozen.name, frozen.base)),)


def settle(state: State, value: ValueModel) -> tuple[ValueModel, tuple[Model, ...]]:
    """An element of a stream that is a field of an ability becomes an element of a frozen copy.

    AIR takes no index of a stream; the reference prints one where it does not freeze anyway (D15).
    """
    if not isinstance(value, V) or not is_stream(value.base) or not value.props or "D15" in state.defects:
        return value, ()
    name = state.mangler.new(f"{value.name}_canon")
    return V(name, canon_type(value.base), value.props), (canon(bare(value), name),)


def plain(state: State, value: ValueModel) -> tuple[ValueModel, tuple[Model, ...]]:
    """A value that may name a peer or service: those of `:error:` are copied to a variable first."""
    value, trees = settle(state, value)
    if isinstance(value, V) and value.name == ":error:" and "D15" not in state.defects:
        name = state.mangler.new("error_flat")
        return V(name, value.type), (*trees, flatten(value, name))
    return value, trees
