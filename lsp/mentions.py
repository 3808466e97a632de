"""All mentions of one thing, in one file or in the whole workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .facts import Fact
    from .view import View
    from .workspace import Workspace

LOCAL = ("variable", "argument")


@dataclass(frozen=True, slots=True)
class Mention:
    """A fact and the file it is in."""

    view: View
    fact: Fact

    @property
    def is_definition(self) -> bool:
        """Whether the thing is defined here."""
        return self.fact.is_definition(self.view.path)


def in_file(view: View, fact: Fact) -> list[Mention]:
    """Mentions of what `fact` denotes in one file; of a thing without place those of the same name and kind.

    An ability in `{}` is a value under the name of its type: where one is mentioned, the other is.
    """
    if fact.key is None:
        same = [f for f in view.facts_of.get(None, ()) if (f.kind, f.name) == (fact.kind, fact.name)]
    else:
        same = list(view.facts_of.get(fact.key, ()))
        for value in view.ability_values.get(fact.key, ()):
            same += [f for f in view.facts_of[value.key] if not f.is_definition(view.path)]
        same.sort(key=lambda f: f.span.start)
    return [Mention(view, f) for f in same]


def of_ability(view: View, fact: Fact) -> Fact:
    """The type of an ability in `{}` for the value under its name; other facts as they are."""
    if fact.kind in LOCAL:
        for key, values in view.ability_values.items():
            if any(value.key == fact.key for value in values):
                return next(f for f in view.facts if f.key == key)
    return fact


def searched(workspace: Workspace, view: View, fact: Fact) -> list[str]:
    """Files that may mention what `fact` denotes, sorted; reads the texts of all files of the workspace."""
    fact = of_ability(view, fact)
    if fact.kind in LOCAL or fact.site is None:
        return [view.path]
    # An import under another name has both words, so its file is found by the name of the definition.
    words = {fact.name, fact.site.file.text[fact.site.span.start : fact.site.span.end]}
    return sorted({fact.site.file.path, view.path, *workspace.paths_with(words)})


def gather(workspace: Workspace, view: View, fact: Fact, into: list[Mention]) -> Iterator[int]:
    """Find the mentions in the workspace, a file a step; each step tells how many files there are."""
    paths = searched(workspace, view, fact)
    fact = of_ability(view, fact)
    for path in paths:
        other = view if path == view.path else workspace.view(path)
        if other is not None:
            into += in_file(other, fact)
            if path not in workspace.buffers:
                other.forget_facts()  # a search of a large workspace would hold those of every file
        yield len(paths)


def everywhere(workspace: Workspace, view: View, fact: Fact) -> list[Mention]:
    """Mentions in the workspace, the file of the definition included; file by file, in order of place."""
    found: list[Mention] = []
    for _ in gather(workspace, view, fact, found):
        pass
    return found
