"""Make a program smaller while it stays interesting: delete definitions, blocks, lines, and blocks' heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Files = dict[str, str]


def shrink(files: Files, interesting: Callable[[Files], bool], *, attempts_max: int = 600) -> Files:
    """The smallest program found with at most `attempts_max` questions."""
    attempts = 0
    progress = True
    while progress and attempts < attempts_max:
        progress = False
        for candidate in _smaller(files):
            attempts += 1
            if interesting(candidate):
                files, progress = candidate, True
                break
            if attempts >= attempts_max:
                break
    return files


def _smaller(files: Files) -> Iterator[Files]:
    """Candidates, the boldest first."""
    for name in list(files):
        if len(files) > 1 and name != "main.aqua":
            yield {other: text for other, text in files.items() if other != name}
    for name, text in files.items():
        lines = text.split("\n")
        regions = sorted(((end - at, at, end) for at in range(len(lines)) for end in [_end(lines, at)]), reverse=True)
        for size, at, end in regions:
            if lines[at].strip():
                yield files | {name: "\n".join(lines[:at] + lines[end:])}
            if size > 1 and lines[at].startswith(" "):
                inner = [line[2:] for line in lines[at + 1 : end]]
                yield files | {name: "\n".join(lines[:at] + inner + lines[end:])}
        for at, line in enumerate(lines):
            if not line.strip() and at and not lines[at - 1].strip():
                yield files | {name: "\n".join(lines[:at] + lines[at + 1 :])}


def _end(lines: list[str], at: int) -> int:
    """Line after the block that starts at `at`."""
    indent = len(lines[at]) - len(lines[at].lstrip())
    end = at + 1
    while end < len(lines) and lines[end].strip() and len(lines[end]) - len(lines[end].lstrip()) > indent:
        end += 1
    return end
