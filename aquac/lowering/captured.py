"""Renaming of what a function captured, at each of its inlinings (`spec aqua-to-air §5.3`, step 2).

Which names belong together does not change between inlinings, so `CapturePlan` works it out once per function and only
asks the mangler each time. The order of the questions reaches the output.
Source: aqua:model/inline/src/main/scala/aqua/model/inline/ArrowInliner.scala (renameCaptured)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.records import dataclass
from aquac.semantics.types import Arrow

from .abilities import as_ability, gather, paths
from .hash_order import find_order, set_order
from .model import V, ValueModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .function import Fn
    from .mangle import Mangler


@dataclass(frozen=True, slots=True)
class Captured:
    """Captures under the names of one inlining, and the renames that lead there."""

    names: Mapping[str, str]
    values: Mapping[str, ValueModel]
    arrows: Mapping[str, Fn]


def arrows_of_values(arrows: Mapping[str, Fn], values: Mapping[str, ValueModel]) -> dict[str, Fn]:
    """Functions that some of `values` are, or point to."""
    known = _known(values)
    return {key: fn for key, fn in arrows.items() if key in known or fn.name in known}


def _known(values: Mapping[str, ValueModel]) -> set[str]:
    """Names under which functions belong to `values`."""
    pointed = {value.name for value in values.values() if isinstance(value, V) and isinstance(value.base, Arrow)}
    return pointed | values.keys()


class CapturePlan:
    """Captures of one function, sorted into abilities with their entries and functions, other values, other functions."""

    __slots__ = ("_abilities", "_ability_arrows", "_arrow_order", "_arrows", "_value_arrows", "_value_order", "_values")

    def __init__(self, values: Mapping[str, ValueModel], arrows: Mapping[str, Fn]) -> None:
        """Sort captures; linear in their number.

        Each function of a module captures all before it, so this is where a module would cost its square: the passes over
        all names are few, and what they do to one is little.
        """
        abilities: list[tuple[str, tuple[str, ...], dict[str, ValueModel]]] = []
        owned: list[set[str]] = []
        entries: set[str] = set()
        in_order = set_order(name for name in set_order(values) if _is_bare_ability(values[name]))
        for name in in_order:
            ability = as_ability(values[name])
            assert ability is not None
            related = gather(values, (name,))
            abilities.append((name, tuple(path for path, _ in paths(ability)), related))
            owned.append(_known(related))
            entries |= related.keys()
        self._abilities = abilities
        self._values = {name: value for name, value in values.items() if name not in entries}
        of_abilities = set[str]().union(*owned)
        of_values = _known(self._values)
        candidates: dict[str, Fn] = {}
        self._value_arrows: dict[str, Fn] = {}
        self._arrows: dict[str, Fn] = {}
        for key, fn in arrows.items():
            if key in of_abilities or fn.name in of_abilities:
                candidates[key] = fn
            elif key in of_values or fn.name in of_values:
                self._value_arrows[key] = fn
            else:
                self._arrows[key] = fn
        self._ability_arrows: dict[str, Fn] = {}
        for known in owned:
            self._ability_arrows.update((k, fn) for k, fn in candidates.items() if k in known or fn.name in known)
        self._value_order = find_order(self._values)
        self._arrow_order = find_order(self._arrows)

    def rename(self, mangler: Mangler, *, follow: bool = True) -> Captured:
        """Take fresh names for everything captured.

        Without `follow`, as in the reference, a variable that stands for a function of a captured ability keeps pointing
        to where it was.
        """
        names: dict[str, str] = {}
        values: dict[str, ValueModel] = {}
        all_moved: list[dict[str, str]] = []
        for name, fields, _ in self._abilities:
            new_name = mangler.new(name)
            moved = {f"{name}.{path}": f"{new_name}.{path}" for path in fields}
            moved[name] = new_name
            names.update(moved)
            all_moved.append(moved)
        for moved, (_, _, related) in zip(all_moved, self._abilities, strict=True):
            for old, value in related.items():
                key = moved.get(old, old)
                values[key] = _follow(key, value, moved, names if follow else {})
        arrows = {names.get(key, key): fn for key, fn in self._ability_arrows.items()}
        value_names = mangler.find(self._value_order)
        values.update(
            (value_names.get(key, key), _still(value, names if follow else {})) for key, value in self._values.items()
        )
        arrows.update((value_names.get(key, key), fn) for key, fn in self._value_arrows.items())
        arrow_names = mangler.find(self._arrow_order)
        if arrow_names:
            arrows.update((arrow_names.get(key, key), fn) for key, fn in self._arrows.items())
        else:
            arrows.update(self._arrows)
        return Captured({**names, **value_names, **arrow_names}, values, arrows)


def _is_bare_ability(value: ValueModel) -> bool:
    return as_ability(value) is not None and isinstance(value, V) and not value.props


def _still(value: ValueModel, moved: Mapping[str, str]) -> ValueModel:
    """A value that is a function of a captured ability, which goes by another name now."""
    if isinstance(value, V) and isinstance(value.base, Arrow) and value.name in moved:
        return V(moved[value.name], value.base, value.props)
    return value


def _follow(key: str, value: ValueModel, own: Mapping[str, str], all_names: Mapping[str, str]) -> ValueModel:
    """An entry of an ability under its new key; it names the key if it is an ability or named itself before."""
    if isinstance(value, V) and (
        as_ability(value) is not None or (isinstance(value.base, Arrow) and value.name in own)
    ):
        return V(key, value.base, value.props)
    return _still(value, all_names)
