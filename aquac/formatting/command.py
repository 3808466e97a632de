"""`aquac fmt`: format files in place, or tell what would change.

Input:  paths, `-` for standard input.
Output: files rewritten, or names or differences on stdout; `Outcome` for the messages.
Errors: CommandError for wrong flags and paths; what is wrong with a file is in `Outcome.errors`, and the file stays as it is.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from aquac.command_line import CommandError, read_text
from aquac.compiler import collector_paused
from aquac.outputs import expand_paths
from aquac.project.bundle import Disk, read_source
from aquac.records import dataclass, field
from aquac.rewrite import replace_file, text_diff
from aquac.source import SourceFile

from .document import FormattingChangedProgram, format_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aquac.diagnostics import Diagnostic

STDIN = "<stdin>"


@dataclass(slots=True, eq=False)
class Outcome:
    """What came of it: files looked at, paths of those that change or would change, errors of files, and bugs met."""

    files: int = 0
    changed: list[str] = field(default_factory=list)
    errors: list[Diagnostic] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)


def parse_range(text: str) -> tuple[int, int]:
    """First and last line of `L1:L2`, from 1. Raises CommandError."""
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise CommandError(
            f"--range {text} is no range of lines", hint="it is FIRST:LAST, counted from 1, such as 10:20"
        )
    return int(found[1]), int(found[2])


def format_files(
    paths: Sequence[str], *, check: bool = False, diff: bool = False, lines: tuple[int, int] | None = None
) -> Outcome:
    """Format the files at `paths`; with `check` or `diff` nothing is written.

    Changed files are written as they are met, each complete or not at all. The text of standard input goes to stdout. Raises
    CommandError.
    """
    if "-" in paths and len(paths) > 1:
        raise CommandError("standard input is formatted alone", hint="give either `-` or files and folders")
    outcome = Outcome()
    with collector_paused():
        for source in _sources(paths, outcome, single=lines is not None):
            _format(source, outcome, check=check, diff=diff, lines=lines)
    return outcome


def _sources(paths: Sequence[str], outcome: Outcome, *, single: bool) -> Iterator[SourceFile]:
    """The files one after the other; those that cannot be read become errors."""
    if list(paths) == ["-"]:
        outcome.files = 1
        yield SourceFile(STDIN, read_text("-"))
        return
    units = expand_paths(paths)
    if single and len(units) != 1:
        raise CommandError(f"`--range` is about the lines of one file, here are {len(units)}")
    for unit in units:
        outcome.files += 1
        source, problem = read_source(Disk(), unit.path)
        if problem is None:
            yield source
        else:
            outcome.errors.append(problem)


def _format(source: SourceFile, outcome: Outcome, *, check: bool, diff: bool, lines: tuple[int, int] | None) -> None:
    try:
        made = format_source(source, lines=lines)
    except FormattingChangedProgram as bug:
        outcome.bugs.append(str(bug))
        return
    outcome.errors += made.errors
    piped = source.path == STDIN
    name = source.path if piped else os.path.relpath(source.path)
    if made.changed:
        outcome.changed.append(name)
    if diff:
        sys.stdout.write(text_diff(source.text, made.text, name.replace(os.sep, "/")))
    elif check:
        if made.changed:
            sys.stdout.write(f"{name}\n")
    elif piped:
        if not made.errors:
            _print(made.text)
    elif made.changed:
        replace_file(source.path, made.text, bom=source.bom)


def _print(text: str) -> None:
    """Write a text with the line breaks it has."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(newline="")
    sys.stdout.write(text)
