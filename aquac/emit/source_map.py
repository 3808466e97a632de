"""Source maps: where each instruction of a script comes from.

Input:  model of a function and the places of its nodes.
Output: `SourceMap`; as JSON, `FUNCTION.air.map` beside `FUNCTION.air` (schema `schemas/source-map.schema.json`).
Errors: none.

An instruction that no statement asked for (a hop, the handling of errors, the getters of arguments) comes from where the
instruction around it does, the outermost ones from the name of the function. AIR has one instruction a line, so the map is
one entry per line that opens an instruction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aquac.records import dataclass
from aquac.topology.make_res import resolve_located

from .air import print_owned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aquac.lowering.model import Model
    from aquac.semantics.raw import Site

VERSION: Final = 1
COLUMNS: Final = ("line", "column", "offset", "source", "start_line", "start_column", "end_line", "end_column")


@dataclass(frozen=True, slots=True)
class Located:
    """An instruction: its text as far as its line goes, line and column from 1, offset in bytes; and its place."""

    text: str
    line: int
    column: int
    offset: int
    site: Site


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Instructions in the order of the script."""

    mappings: tuple[Located, ...]

    def to_json(self, script: str, shown: Callable[[str], str] = str) -> dict[str, Any]:
        """The document; `script` is the name of the AIR file, `shown` makes names of paths of sources.

        Lines and columns count from 1, columns of the source in UTF-16 units, the offset in bytes.
        """
        sources: dict[str, int] = {}
        rows = []
        for found in self.mappings:
            site = found.site
            number = sources.setdefault(site.file.path, len(sources))
            start = site.file.lines.position(site.span.start)
            end = site.file.lines.position(site.span.end)
            rows.append(
                [found.line, found.column, found.offset, number, start.line, start.column, end.line, end.column]
            )
        return {
            "version": VERSION,
            "script": script,
            "sources": [shown(path) for path in sources],
            "columns": list(COLUMNS),
            "mappings": rows,
        }

    def rows(self, shown: Callable[[str], str] = str) -> tuple[tuple[str, ...], list[tuple[int, int, int]]]:
        """Names of the sources, and `(line of the script, number of the source, line there)` wherever the last two change."""
        sources: dict[str, int] = {}
        rows: list[tuple[int, int, int]] = []
        for found in self.mappings:
            site = found.site
            number = sources.setdefault(shown(site.file.path), len(sources))
            line = site.file.lines.position(site.span.start).line
            if not rows or rows[-1][1:] != (number, line):
                rows.append((found.line, number, line))
        return tuple(sources), rows


def make_source_map(model: Model, sites: Mapping[Model, Site], *, early_hops: bool = False) -> SourceMap:
    """The map of a function. Places and prints the model once more, so it costs about as much as the script did."""
    res, located = resolve_located(model, sites, early_hops=early_hops)
    lines, owners = print_owned(res)
    return SourceMap(tuple(_mappings(lines, [None if owner is None else located.get(owner) for owner in owners])))


def _mappings(lines: list[str], own: list[Site | None]) -> Iterator[Located]:
    offset = 0
    open_at: list[tuple[int, Site | None]] = []
    for number, (line, site) in enumerate(zip(lines, own, strict=True), 1):
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        while open_at and open_at[-1][0] >= indent:
            open_at.pop()
        if text.startswith("("):
            found = site or (open_at[-1][1] if open_at else None)
            open_at.append((indent, found))
            if found is not None:
                yield Located(text, number, indent + 1, offset + indent, found)
        offset += len(line.encode()) + 1
