"""What a compilation keeps for the next one: parsed files, checked modules, compiled exports. Used by `aquac build`.

Input:  the steps of a compilation and what they work on.
Output: the results of last time where that is the same object, or the same text; so an edit costs what depends on it.
Errors: none of its own.

One `Kept` serves compilations with equal imports, constants and options; only files may differ between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from .project.bundle import Disk, read_source
from .project.link import parse_source
from .records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .diagnostics import Diagnostic
    from .project.bundle import FileStore
    from .project.config import ProjectConfig
    from .project.link import ParsedFile
    from .semantics import Linked
    from .semantics.raw import ModuleContext

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, eq=False)
class _Checked:
    """A checked module and what it was made of."""

    of: tuple[object, ...]
    context: ModuleContext
    found: list[Diagnostic]


class Kept:
    """Results by path. Parsed files are kept as long as their text is the same, the others as long as what they are made of."""

    def __init__(self) -> None:
        """Nothing is kept yet."""
        self._parsed: dict[str, ParsedFile] = {}
        self._checked: dict[str, _Checked] = {}
        self._made: dict[tuple[str, str], tuple[ModuleContext, Any]] = {}

    def read(self, store: FileStore, path: str, config: ProjectConfig) -> ParsedFile:
        """As `project.link.read_and_parse`."""
        source, problem = read_source(store, path)
        known = self._parsed.get(path)
        if known is None or problem is not None or known[0].text != source.text or known[0].bom != source.bom:
            known = self._parsed[path] = parse_source(store, source, problem, config)
        return known[0], known[1], list(known[2])

    def is_current(self, paths: Iterable[str], store: FileStore = Disk()) -> bool:  # noqa: B008 - has no state
        """Whether all these files were read as they are now, or cannot be read."""
        for path in paths:
            known = self._parsed.get(path)
            source, problem = read_source(store, path)
            if problem is None if known is None else known[0].text != source.text:
                return False
        return True

    def check(
        self,
        module: Linked,
        imported: Mapping[str, ModuleContext],
        check: Callable[[], tuple[ModuleContext, list[Diagnostic]]],
    ) -> tuple[ModuleContext, list[Diagnostic]]:
        """What `check` returns for a module and the contexts of its imports."""
        names = sorted(imported)
        of = (module.source, module.file, *names, *(imported[name] for name in names))
        known = self._checked.get(module.path)
        # By identity: trees and contexts are large, and made anew whenever they may differ.
        if known is None or len(known.of) != len(of) or not all(map(_is_same, known.of, of)):
            known = self._checked[module.path] = _Checked(of, *check())
        return known.context, known.found

    def made(self, what: str, path: str, context: ModuleContext, make: Callable[[], Made]) -> Made:
        """What `make` makes of the checked module at `path`; `what` tells such results of one module apart."""
        known = self._made.get((what, path))
        if known is None or known[0] is not context:
            known = self._made[what, path] = (context, make())
        made: Made = known[1]
        return made


def _is_same(one: object, other: object) -> bool:
    return one == other if isinstance(one, str) else one is other
