"""Find the file an import means.

Input:  the importing file's normal path, the text of the import.
Output: candidates in order; the first that is a file is the module.
Source: spec aqua-language §4.2; aqua:io/src/main/scala/aqua/files/Imports.scala
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bundle import SUFFIX, FileStore
from .stdlib import stdlib_path

if TYPE_CHECKING:
    from .config import ProjectConfig


def unquoted(literal: str) -> str:
    """The text of an import path literal."""
    return literal[1:-1]


def candidates(store: FileStore, config: ProjectConfig, importer: str, wanted: str) -> list[str]:
    """Normal paths to try, in order, without repeats.

    Only the entry with the longest path prefix, and in it the longest import prefix, counts: there is no fallback to
    shorter ones. Prefixes of paths match whole components, prefixes of imports match characters.
    """
    if not wanted.endswith(SUFFIX):
        wanted += SUFFIX
    paths = [store.join(store.folder(importer), wanted)]
    rooted = importer.replace("\\", "/")
    rooted = rooted if rooted.startswith("/") else "/" + rooted
    prefixes = [prefix for prefix in config.imports if _is_component_prefix(prefix, rooted, store)]
    if prefixes:
        entries = config.imports[max(prefixes, key=len)]
        names = [name for name in entries if wanted.startswith(name)]
        if names:
            name = max(names, key=len)
            paths += [_below(location, wanted[len(name) :]) for location in entries[name]]
    found = list(dict.fromkeys(store.normal(path) for path in paths))
    if config.stdlib:
        library = stdlib_path(wanted)
        if library is not None and library not in found:
            found.append(library)
    return found


def _is_component_prefix(prefix: str, path: str, store: FileStore) -> bool:
    """Whether `path` lies at or below `prefix`."""
    normal = store.normal(prefix).replace("\\", "/") if prefix else "/"
    if normal in ("/", "."):
        return True
    normal = normal if normal.startswith("/") else "/" + normal
    return path == normal or path.startswith(normal.rstrip("/") + "/")


def _below(location: str, rest: str) -> str:
    """`rest` below `location`, always joined with a separator, even if it looks absolute."""
    return f"{location.rstrip('/')}/{rest.lstrip('/')}"
