"""Names other files declare, and the edits that import them."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from aquac.diagnostics import Edit
from aquac.project.bundle import SUFFIX, Disk
from aquac.project.stdlib import is_stdlib, stdlib_folder
from aquac.source import Span
from aquac.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .view import View
    from .workspace import Workspace

LIBRARY = "@fluencelabs/aqua-lib/"


@dataclass(frozen=True, slots=True)
class Offer:
    """A definition of another file that can be imported: its name, its syntax, the file, the text of the import."""

    name: str
    definition: ast.Definition
    path: str
    text: str


def offers(workspace: Workspace, view: View, name: str | None = None) -> Iterator[Offer]:
    """What other files declare and this file does not see: of the workspace, then of the standard library.

    name: the only one of interest. Without it files of the workspace that nobody has read yet are passed over.
    """
    visible = {part.name for _, part in view.context.parts}
    own = workspace.paths_with([name]) if name is not None else [p for p in workspace.files() if workspace.is_known(p)]
    for path in dict.fromkeys([*own, *_library()]):
        if path == view.path:
            continue
        _, file = workspace.parsed(path)
        header = file.header[0] if file.header else None
        if not isinstance(header, ast.ModuleHeader):
            continue
        names = None if header.declares_all else {name.text for name in header.declares or ()}
        for d in file.definitions:
            if d.name.text in visible or (name is not None and d.name.text != name):
                continue
            if names is None or d.name.text in names:
                yield Offer(d.name.text, d, path, import_text(view.path, path))


def import_text(importer: str, target: str) -> str:
    """The path of an import line: of the library by its package, else relative to the importing file."""
    if is_stdlib(target):
        below = os.path.relpath(target, stdlib_folder()).replace(os.sep, "/")
        return LIBRARY + below
    text = os.path.relpath(target, os.path.dirname(importer)).replace(os.sep, "/")
    return posixpath.normpath(text)


def import_edit(view: View, name: str, target: str, text: str) -> Edit:
    """Add `name` to an import of `target`, or a line that imports it."""
    for line in view.file.header:
        if isinstance(line, ast.Import) and line.items and view.checked.module.imports.get(line.path.text) == target:
            last = line.items[-1].rename or line.items[-1].name
            return Edit(view.source, Span(last.span.end, last.span.end), f", {name}")
    return new_line(view, f'import {name} from "{text}"')


def new_line(view: View, line: str) -> Edit:
    """Put an import line behind the imports, else behind the header, else first."""
    imports = [x for x in view.file.header if isinstance(x, ast.Import | ast.Use)]
    if imports:
        end = view.line_span(imports[-1].path.span.end).end
        return Edit(view.source, Span(end, end), f"\n{line}")
    if view.file.header and isinstance(view.file.header[0], ast.ModuleHeader):
        header = view.file.header[0]
        last = header.declares[-1].span.end if header.declares else header.name.span.end
        end = view.line_span(last).end
        return Edit(view.source, Span(end, end), f"\n\n{line}")
    return Edit(view.source, Span(0, 0), f"{line}\n\n")


def importable(workspace: Workspace, view: View) -> list[str]:
    """Texts an import line of this file may have: files of the workspace, then the library."""
    own = [path for path in workspace.files() if path != view.path and path.endswith(SUFFIX)]
    return [import_text(view.path, path) for path in [*own, *_library()]]


@cache
def _library() -> tuple[str, ...]:
    return tuple(Disk().sources_below(stdlib_folder()))
