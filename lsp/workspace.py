"""The open documents and what the compiler says of them. Knows nothing of the protocol but paths and texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aquac.project.bundle import Overlay
from aquac.project.config import ProjectConfig, import_map
from aquac.project.link import load
from aquac.semantics import check_project

if TYPE_CHECKING:
    from aquac.diagnostics import Diagnostic


@dataclass
class Workspace:
    """Buffers by absolute path, in front of the disk; `roots` are the folders in which imports are looked for."""

    roots: tuple[str, ...] = ()
    buffers: dict[str, str] = field(default_factory=dict)

    def check(self, path: str) -> dict[str, list[Diagnostic]]:
        """Findings by file for the document at `path` and everything it imports.

        Every file that was read has an entry, so that old findings are cleared; findings without a place belong to `path`.
        """
        modules, found = load([path], ProjectConfig(import_map(self.roots)), Overlay(self.buffers))
        diagnostics = list(found)
        if not any(d.is_error for d in diagnostics):
            diagnostics += check_project(modules)[1]
        by_file: dict[str, list[Diagnostic]] = {path: []}
        for module in modules:
            by_file.setdefault(module.path, [])
        for diagnostic in diagnostics:
            where = path if diagnostic.file is None else diagnostic.file.path
            by_file.setdefault(where, []).append(diagnostic)
        return by_file
