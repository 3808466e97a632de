"""`workspace/willRenameFiles`: import paths that would lead nowhere once files have other names or places.

Only paths that are found beside the importing file change; those of import maps, import folders and packages stay as they are.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aquac.diagnostics import Edit
from aquac.project.bundle import SUFFIX
from aquac.source import Span
from aquac.syntax import ast
from lsp.convert import to_workspace_edit
from lsp.folders import is_below
from lsp.imports import import_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lsprotocol import types

    from lsp.workspace import Workspace


def rename_files(workspace: Workspace, renames: Mapping[str, str]) -> types.WorkspaceEdit | None:
    """Edits for files and folders that get other paths (old → new); None if there is nothing to change."""
    edits = [edit for path in workspace.files() for edit in _edits(workspace, path, renames)]
    return to_workspace_edit(edits) if edits else None


def _edits(workspace: Workspace, path: str, renames: Mapping[str, str]) -> Iterator[Edit]:
    source, file = workspace.parsed(path)
    importer = _moved(path, renames)
    for line in file.header:
        if not isinstance(line, ast.Import | ast.Use):
            continue
        written = line.path.text[1:-1]
        target = os.path.normpath(os.path.join(os.path.dirname(path), _with_suffix(written)))
        moved = _moved(target, renames)
        if (importer, moved) == (path, target) or workspace.resolve(path, written) != target:
            continue
        text = import_text(importer, moved)
        text = text if written.endswith(SUFFIX) else text.removesuffix(SUFFIX)
        if written.startswith("./") and not text.startswith("."):
            text = "./" + text
        if text != written:
            yield Edit(source, Span(line.path.span.start + 1, line.path.span.end - 1), text)


def _with_suffix(path: str) -> str:
    return path if path.endswith(SUFFIX) else path + SUFFIX


def _moved(path: str, renames: Mapping[str, str]) -> str:
    """The path a file will have."""
    for old, new in renames.items():
        if is_below(path, old):
            return new + path[len(old) :]
    return path
