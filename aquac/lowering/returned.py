"""What must outlive a call: functions returned by it, and abilities with everything their functions use.

Source: aqua:model/inline/src/main/scala/aqua/model/inline/ArrowInliner.scala (arrowsAndVarsFromAbilities); spec §5.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquac.records import dataclass, field
from aquac.semantics.types import Arrow

from .abilities import Ability, as_ability, paths
from .model import V, ValueModel
from .names import free

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .function import Fn
    from .state import State


@dataclass(slots=True)
class Saved:
    """Entries to put into the caller's tables."""

    values: dict[str, ValueModel] = field(default_factory=dict)
    arrows: dict[str, Fn] = field(default_factory=dict)


def returned(state: State, results: Sequence[ValueModel]) -> Saved:
    """Collect from the callee's scope, still open. Entries found first win."""
    saved = Saved()
    queue: list[tuple[str, Ability]] = []
    for result in results:
        ability = as_ability(result)
        if ability is not None and isinstance(result, V):
            queue.append((result.name, ability))
    seen: set[str] = set()
    while queue:
        seen.update(name for name, _ in queue)
        found: dict[str, Fn] = {}
        for name, ability in queue:
            found.update(_collect(state, name, ability, saved))
        queue = []
        for fn in found.values():
            for raw in free(fn.body, copied="D11" not in state.defects):
                used = state.values.get(fn.env.name(raw))
                ability = as_ability(used)
                if ability is not None and isinstance(used, V) and used.name not in seen:
                    queue.append((used.name, ability))
        for name, fn in found.items():
            saved.arrows.setdefault(name, fn)
    for result in results:
        if isinstance(result, V) and isinstance(result.base, Arrow) and result.name in state.arrows:
            saved.arrows[result.name] = state.arrows[result.name]
    return saved


def _collect(state: State, name: str, ability: Ability, saved: Saved) -> dict[str, Fn]:
    """Entries of one ability into `saved`; returns the functions they point to."""
    found: dict[str, Fn] = {}
    if name in state.values:
        saved.values.setdefault(name, state.values[name])
    for path, _ in paths(ability):
        target = state.last(f"{name}.{path}")
        if target is None:
            continue
        saved.values.setdefault(f"{name}.{path}", target)
        if isinstance(target, V) and isinstance(target.base, Arrow) and target.name in state.arrows:
            found[target.name] = state.arrows[target.name]
    return found
