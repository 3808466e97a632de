"""What an editor may set, under the section `aqua` of its configuration or in `initializationOptions`.

    {"importFolders": ["lib"], "imports": {…import map…}, "constants": ["LIMIT = 5"], "legacyHeaders": false,
     "inlayHints": {"types": true, "peers": true}, "codeLens": true}

Relative folders are seen from each workspace folder; a folder may have settings of its own. Values of the wrong shape are passed over and named in `problems`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from aquac.project.config import ImportMap, ImportsInvalid, ProjectConfig, import_map, with_roots
from aquac.semantics.constants import parse_constants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquac.semantics.raw import ConstPart

SECTION: Final = "aqua"
"""Section of the client's configuration."""


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """The settings with their defaults, and the workspace folders they hold for."""

    roots: tuple[str, ...] = ()
    import_folders: tuple[str, ...] = ()
    imports: ImportMap = field(default_factory=dict)
    constants: tuple[ConstPart, ...] = ()
    constant_texts: tuple[str, ...] = ()
    legacy_headers: bool = False
    type_hints: bool = True
    peer_hints: bool = True
    lenses: bool = True
    problems: tuple[str, ...] = ()

    def project(self) -> ProjectConfig:
        """How imports resolve: beside the file, by the map, below the import folders and the workspace folders."""
        folders = [os.path.join(root, folder) for folder in self.import_folders for root in self.roots or ("",)]
        return ProjectConfig(with_roots(self.imports, [*folders, *self.roots]), legacy_headers=self.legacy_headers)


def read_settings(value: object, roots: Sequence[str] = ()) -> Settings:
    """Settings from the client's JSON; what is missing or wrong has its default."""
    reader = _Reader(value if isinstance(value, Mapping) else {})
    if value is not None and not isinstance(value, Mapping):
        reader.problems.append("settings are an object")
    hints = reader.section("inlayHints")
    imports: ImportMap = {}
    given = reader.value.get("imports")
    if given is not None:
        try:
            imports = import_map(given)
        except ImportsInvalid as error:
            reader.problems.append(f"imports: {error}")
    texts = reader.texts("constants")
    constants, found = parse_constants(texts)
    reader.problems += (d.message for d in found)
    settings = Settings(
        roots=tuple(roots),
        import_folders=reader.texts("importFolders"),
        imports=imports,
        constants=constants,
        constant_texts=texts,
        legacy_headers=reader.flag("legacyHeaders", default=False),
        type_hints=hints.flag("types", default=True),
        peer_hints=hints.flag("peers", default=True),
        lenses=reader.flag("codeLens", default=True),
    )
    return replace(settings, problems=(*reader.problems, *hints.problems))


def section_of(value: object) -> object:
    """The settings in what a client sends: what is below `aqua`, or all of it, as editors without sections send it."""
    return value.get(SECTION, value) if isinstance(value, Mapping) else value


class _Reader:
    """Values of one JSON object by name and kind."""

    def __init__(self, value: Mapping[str, Any], name: str = "") -> None:
        self.value = value
        self._name = name
        self.problems: list[str] = []

    def section(self, name: str) -> _Reader:
        inner = self.value.get(name)
        if inner is not None and not isinstance(inner, Mapping):
            self.problems.append(f"{name} is an object")
        return _Reader(inner if isinstance(inner, Mapping) else {}, f"{name}.")

    def flag(self, name: str, *, default: bool) -> bool:
        found = self.value.get(name, default)
        if isinstance(found, bool):
            return found
        self.problems.append(f"{self._name}{name} is true or false")
        return default

    def texts(self, name: str) -> tuple[str, ...]:
        found = self.value.get(name, ())
        if isinstance(found, list | tuple) and all(isinstance(item, str) for item in found):
            return tuple(found)
        self.problems.append(f"{self._name}{name} is a list of texts")
        return ()
