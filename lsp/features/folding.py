"""`textDocument/foldingRange`: definitions, blocks, runs of comments and of imports, by indentation alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from lsp.workspace import Workspace


def folding_ranges(workspace: Workspace, path: str) -> list[types.FoldingRange]:
    """Ranges in order of their first lines."""
    lines = workspace.parsed(path)[0].text.split("\n")
    found = [*_blocks(lines), *_runs(lines, ("--",), "comment"), *_runs(lines, ("import ", "use "), "imports")]
    return sorted(found, key=lambda r: (r.start_line, -r.end_line))


def _blocks(lines: list[str]) -> list[types.FoldingRange]:
    """A line and the deeper ones below it; blank lines at the end are left out."""
    found: list[types.FoldingRange] = []
    opened: list[tuple[int, int]] = []
    last = -1
    for number, line in enumerate([*lines, "."]):
        content = line.strip()
        if not content:
            continue
        indent = len(line) - len(line.lstrip())
        while opened and opened[-1][0] >= indent:
            _, start = opened.pop()
            if last > start:
                found.append(types.FoldingRange(start, last))
        if not content.startswith("--"):
            opened.append((indent, number))
        last = number
    return found


def _runs(lines: list[str], words: tuple[str, ...], kind: str) -> list[types.FoldingRange]:
    found = []
    start = -1
    for number, line in enumerate([*lines, ""]):
        if line.strip().startswith(words):
            start = number if start < 0 else start
        elif start >= 0:
            if number - 1 > start:
                found.append(types.FoldingRange(start, number - 1, kind=types.FoldingRangeKind(kind)))
            start = -1
    return found
