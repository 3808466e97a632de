"""Which file imports which.

Input:  the modules of a program, in link order.
Output: `Graph`: files by name, a solid edge for `import`, a dashed one for `use`, labelled with the names if they are listed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aquac.project.stdlib import is_stdlib
from aquac.syntax import ast

from .limits import TEXT_MAX
from .picture import Edge, Graph, Node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquac.project.link import LoadedModule

    from .picture import NodeKind


def files_of(modules: Sequence[LoadedModule]) -> Graph:
    """The graph of a program; files of the bundled library are named as they are imported."""
    ids = {module.path: f"n{number}" for number, module in enumerate(reversed(modules))}
    names: dict[str, str] = {}
    entries = [module.path for module in modules if module.entry]
    folder = os.path.dirname(entries[0]) if entries else ""
    edges: list[Edge] = []
    for module in reversed(modules):
        for line in module.file.header:
            if not isinstance(line, ast.Import | ast.Use):
                continue
            path = module.imports.get(line.path.text)
            if path not in ids:
                continue
            names.setdefault(path, line.path.text.strip('"'))
            edges.append(Edge(ids[module.path], ids[path], _label(line), dashed=isinstance(line, ast.Use)))
    nodes = []
    for module in reversed(modules):
        kind: NodeKind = "entry" if module.entry else "library" if is_stdlib(module.path) else "file"
        name = names.get(module.path, module.path) if kind == "library" else _relative(module.path, folder)
        nodes.append(Node(ids[module.path], name, kind))
    return Graph(os.path.basename(entries[0]) if entries else "", (), tuple(nodes), tuple(edges))


def _relative(path: str, folder: str) -> str:
    """A path as seen from the folder of the program; from far away only its end, behind `node_modules` if it is in there."""
    package = path.replace(os.sep, "/").rpartition("/node_modules/")[2]
    if package != path.replace(os.sep, "/"):
        return package
    return os.path.relpath(path, folder).replace(os.sep, "/")


def _label(line: ast.Import | ast.Use) -> str:
    listed = "" if line.items is None else ", ".join(_item(item) for item in line.items)
    listed = listed if len(listed) <= TEXT_MAX else listed[: TEXT_MAX - 1] + "…"
    alias = f"as {line.alias.text}" if isinstance(line, ast.Use) and line.alias is not None else ""
    return " ".join(part for part in (listed, alias) if part)


def _item(item: ast.Item) -> str:
    return item.name.text if item.rename is None else f"{item.name.text} as {item.rename.text}"
