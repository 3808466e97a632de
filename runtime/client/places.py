"""Lines of Aqua that instructions of a script come from.

Input:  text of an instruction, as errors show it. Output: the lines; several when the script has several like it.
Errors: none; an unknown instruction comes from nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Source(NamedTuple):
    """A line of an Aqua file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        """As editors read it."""
        return f"{self.file}:{self.line}"


Place = tuple[str, str, int]
"""An instruction, up to the end of its line in the script, and the file and line it comes from."""


def sources_of(instruction: str, places: Iterable[Place]) -> tuple[Source, ...]:
    """Where an instruction may come from, in the order of the script and without repeats."""
    wanted = bare(instruction)
    return tuple(dict.fromkeys(Source(file, line) for text, file, line in places if bare(text) == wanted))


def bare(instruction: str) -> str:
    """An instruction without brackets around it and blanks of layout."""
    return " ".join(instruction.strip().strip("()").split())


def unfolded(script: str, sources: Sequence[str], rows: Sequence[tuple[int, int, int]]) -> list[Place]:
    """Places from what generated modules keep: `(line of the script, number of the source, line there)`, where that changes.

    Made by: `aquac.emit.source_map.SourceMap.rows`.
    """
    lines = script.split("\n")
    places: list[Place] = []
    for at, (first, source, line) in enumerate(rows):
        end = rows[at + 1][0] if at + 1 < len(rows) else len(lines) + 1
        places += [(text, sources[source], line) for text in lines[first - 1 : end - 1] if "(" in text]
    return places
