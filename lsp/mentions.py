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
    """Mentions of what `fact` denotes in one file; of a thing without place those of the same name and kind."""
    if fact.key is None:
        same = [f for f in view.facts if f.key is None and (f.kind, f.name) == (fact.kind, fact.name)]
    else:
        same = [f for f in view.facts if f.key == fact.key]
    return [Mention(view, f) for f in same]


def everywhere(workspace: Workspace, view: View, fact: Fact) -> Iterator[Mention]:
    """Mentions in the workspace, the file of the definition included; file by file, in order of place."""
    if fact.kind in LOCAL or fact.site is None:
        yield from in_file(view, fact)
        return
    words = {fact.name, fact.site.file.text[fact.site.span.start : fact.site.span.end]}
    seen: set[str] = set()
    paths = [fact.site.file.path, view.path]
    for word in sorted(words):
        # An import under another name has both words, so its file is found by the name of the definition.
        paths += [other.path for other in workspace.views_with(word)]
    for path in sorted(dict.fromkeys(paths)):
        other = workspace.view(path)
        if path not in seen and other is not None:
            seen.add(path)
            yield from in_file(other, fact)
