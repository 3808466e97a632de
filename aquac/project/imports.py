"""Find the file an import means.

Input:  the importing file's normal path, the text of the import.
Output: candidates in order; the first that is a file is the module.
Source: spec aqua-language §4.2; aqua:io/src/main/scala/aqua/files/Imports.scala

The reference's rules come first: beside the importing file, then the import map (`--imports`, `-I`). What they do not find is
looked for in the `node_modules` folders at and above the importing file, nearest first, as npm lays packages out; then in the
standard library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bundle import SUFFIX, FileStore
from .stdlib import stdlib_path

if TYPE_CHECKING:
    from .config import ProjectConfig


PACKAGES = "node_modules"
"""Folder npm installs packages into."""

FOLDERS_MAX = 100
"""Folders above a file that are searched for packages."""


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
    if config.packages:
        found += [path for path in package_paths(store, importer, wanted) if path not in found and store.is_file(path)][
            :1
        ]
    if config.stdlib:
        library = stdlib_path(wanted)
        if library is not None and library not in found:
            found.append(library)
    return found


def package_paths(store: FileStore, importer: str, wanted: str) -> list[str]:
    """Where npm packages may hold `wanted`, nearest first; none for an import that is a path (`./`, `../`, absolute).

    A folder called `node_modules` is not searched for another one inside it, as Node does.
    """
    if wanted.startswith(("./", "../", "/")) or store.join("x", wanted) == wanted:
        return []
    paths = []
    folder = store.folder(importer)
    for _ in range(FOLDERS_MAX):
        if folder.replace("\\", "/").rpartition("/")[2] != PACKAGES:
            paths.append(store.normal(store.join(folder, f"{PACKAGES}/{wanted}")))
        above = store.folder(folder)
        if above == folder:
            break
        folder = above
    return paths


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
