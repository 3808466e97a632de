"""Golden corpora: source and expected output side by side in one text file, rewritten by `pytest --update-golden`.

    [case hello]
    aqua Hello
    [air]
    (null)

A case starts at `[case NAME]`; its first block is the input, every following `[SECTION]` line opens an expected (or further
input) block. A line that would look like a header is written with a backslash in front. Blank lines at the end of a block
belong to the layout, not to the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HEADER = re.compile(r"^\[(case )?([^\[\]\n]+)\]$")


@dataclass
class Case:
    """One case: `sections["input"]` and the named blocks, in file order."""

    name: str
    path: Path
    sections: dict[str, str] = field(default_factory=dict)

    @property
    def input(self) -> str:
        """The first block."""
        return self.sections["input"]


def load(path: Path) -> list[Case]:
    """Cases of a corpus file."""
    cases: list[Case] = []
    section = ""
    lines: dict[str, list[str]] = {}

    def close() -> None:
        if cases:
            cases[-1].sections = {name: "\n".join(text).rstrip("\n") + "\n" for name, text in lines.items()}

    for line in path.read_text(encoding="utf-8").splitlines():
        found = HEADER.match(line)
        if found and found[1]:
            close()
            cases.append(Case(found[2], path))
            section, lines = "input", {"input": []}
        elif found and cases:
            section = found[2]
            lines[section] = []
        elif cases:
            lines[section].append(line.removeprefix("\\"))
    close()
    names = [c.name for c in cases]
    assert len(names) == len(set(names)), f"{path} has two cases of one name"
    return cases


def dump(cases: list[Case]) -> str:
    """Text of a corpus file; `load(dump(cases)) == cases`."""
    out: list[str] = []
    for case in cases:
        for name, text in case.sections.items():
            out.append(f"[case {case.name}]" if name == "input" else f"[{name}]")
            out += [
                "\\" + line if HEADER.match(line) or line.startswith("\\") else line
                for line in text.rstrip("\n").split("\n")
            ]
        out.append("")
    return "\n".join(out)


def corpus(folder: Path) -> list[object]:
    """Every case of every `.txt` of a folder, as parameters named `file::case`."""
    return [
        pytest.param(case, id=f"{path.stem}::{case.name}")
        for path in sorted(folder.glob("*.txt"))
        for case in load(path)
    ]


@dataclass
class Golden:
    """Compares with the expected block of a case, or rewrites it under `--update-golden`."""

    update: bool

    def check(self, case: Case, section: str, actual: str) -> None:
        """Assert that the block equals `actual`."""
        actual = actual.rstrip("\n") + "\n"
        expected = case.sections.get(section)
        if expected == actual:
            return
        if not self.update:
            assert actual == expected, f"{case.path.name}::{case.name} [{section}] (pytest --update-golden rewrites it)"
        cases = load(case.path)
        for stored in cases:
            if stored.name == case.name:
                stored.sections[section] = actual
        case.path.write_text(dump(cases), encoding="utf-8")
