"""Folders of the workspace on disk."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from aquac.project.imports import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS_MAX: Final = 20_000
"""Folders of one workspace folder that are looked into."""


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def folders_below(root: str) -> Iterator[list[str]]:
    """Paths of the files of each folder; hidden folders, links to folders and packages (`node_modules`) are left out."""
    waiting = [root]
    for _ in range(FOLDERS_MAX):
        if not waiting:
            return
        files = []
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if not entry.is_dir(follow_symlinks=False):
                        files.append(entry.path)
                    elif entry.name != PACKAGES and not entry.name.startswith("."):
                        waiting.append(entry.path)
        except (OSError, ValueError):
            continue
        yield files
