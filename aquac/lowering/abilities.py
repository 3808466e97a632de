"""Abilities and services as bundles of dotted names.

The value `a` of an ability type stands for entries `a.f`, `a.inner.g`, … of the table of values, one per field.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from aquac.semantics.types import AbilityType, Arrow, ServiceType, Type

from .model import L, V, ValueModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Ability = AbilityType | ServiceType


@lru_cache(maxsize=4096)
def paths(ability: Ability) -> tuple[tuple[str, Type], ...]:
    """Every field with its path, those of inner abilities included, in order of the paths."""
    found: list[tuple[str, Type]] = []
    stack: list[tuple[str, Ability]] = [("", ability)]
    while stack:
        start, of = stack.pop()
        for name, field in of.fields:
            found.append((start + name, field))
            if isinstance(field, AbilityType | ServiceType):
                stack.append((f"{start}{name}.", field))
    return tuple(sorted(found, key=lambda entry: entry[0]))


@lru_cache(maxsize=4096)
def leaves(ability: Ability) -> tuple[tuple[str, Type], ...]:
    """Fields that are no abilities themselves, inner ones included; services count as leaves."""
    found: list[tuple[str, Type]] = []
    stack: list[tuple[str, Ability]] = [("", ability)]
    while stack:
        start, of = stack.pop()
        for name, field in of.fields:
            if isinstance(field, AbilityType):
                stack.append((f"{start}{name}.", field))
            else:
                found.append((start + name, field))
    return tuple(found)


def arrow_paths(ability: Ability) -> list[str]:
    """Paths of the functions."""
    return [path for path, of in paths(ability) if isinstance(of, Arrow)]


def as_ability(value: ValueModel | None) -> Ability | None:
    """Type of a variable that is an ability or service, judged by its bare name; None for anything else."""
    return value.base if isinstance(value, V) and isinstance(value.base, AbilityType | ServiceType) else None


def renames(ability: Ability, name: str, new_name: str) -> dict[str, str]:
    """Renaming of an ability and of all its entries."""
    result = {f"{name}.{path}": f"{new_name}.{path}" for path, _ in paths(ability)}
    result[name] = new_name
    return result


def last(values: Mapping[str, ValueModel], name: str) -> ValueModel | None:
    """What a chain of names ends in: a literal, a name bound to itself, or the last known variable."""
    found: V | None = None
    seen = set()
    while name not in seen:
        seen.add(name)
        value = values.get(name)
        if value is None:
            break
        if isinstance(value, L):
            return value
        found, name = value, value.name
    return found


def gather(values: Mapping[str, ValueModel], names: Iterable[str]) -> dict[str, ValueModel]:
    """Entries of `names` and, for those that are abilities, of all their fields."""
    wanted = dict.fromkeys(names)
    for name in list(wanted):
        of = value.type if (value := values.get(name)) is not None else None
        if isinstance(of, AbilityType | ServiceType):
            wanted.update(dict.fromkeys(f"{name}.{path}" for path, _ in paths(of)))
    return {name: values[name] for name in wanted if name in values}


def borrowed(values: Mapping[str, ValueModel], names: Iterable[str]) -> dict[str, ValueModel]:
    """Entries that abilities among `names` have under another name only: those returned by a function.

    A closure takes them along under the name it knows; the reference forgets them and aborts.
    """
    found: dict[str, ValueModel] = {}
    for name in names:
        value = values.get(name)
        ability = as_ability(value)
        if ability is None or not isinstance(value, V) or value.props or value.name == name:
            continue
        for path, _ in paths(ability):
            entry = last(values, f"{value.name}.{path}")
            if entry is not None and f"{name}.{path}" not in values:
                found[f"{name}.{path}"] = entry
    return found
