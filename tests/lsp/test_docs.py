"""`docs/language-server.md`: every request the server registers is there with a test, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lsp.requests import COMMANDS, LONG, REQUESTS
from lsp.settings import Settings, read_settings

PAGE = (Path(__file__).parents[2] / "docs" / "language-server.md").read_text(encoding="utf-8")
HERE = Path(__file__).parent


def rows(title: str) -> list[list[str]]:
    """Cells of the first table below a heading."""
    part = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line.strip().strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def test_the_table_has_every_request_and_tests_that_exist() -> None:
    named: set[str] = set()
    for feature, requests, tests in rows("Features"):
        named |= set(re.findall(r"`([^`]+)`", requests))
        files = re.findall(r"`([^`]+)`", tests)
        assert files, feature
        for file in files:
            assert (HERE / file).exists() or (HERE / "corpus" / file).exists(), file
    assert {*REQUESTS, *LONG} <= named
    others = {name for name in named - {*REQUESTS, *LONG} if not name.startswith(("workspace/", "$/"))}
    assert others == {"textDocument/publishDiagnostics"}


def test_every_corpus_file_has_a_row() -> None:
    files = {file for row in rows("Features") for file in re.findall(r"`([^`]+\.txt)`", row[2])}
    assert files == {path.name for path in (HERE / "corpus").glob("*.txt")}


def test_settings_are_those_that_are_read() -> None:
    names = {
        name: json.loads(row[1].strip("`")) for row in rows("Settings") for name in re.findall(r"`([\w.]+)`", row[0])
    }
    value: dict[str, object] = {}
    for name, default in names.items():
        section, _, inner = name.rpartition(".")
        target = value.setdefault(section, {}) if section else value
        assert isinstance(target, dict)
        target[inner] = default
    assert read_settings(value).problems == ()
    known = set(Settings.__slots__) - {"roots", "constant_texts", "problems"}
    assert len(known) == len(names)


def test_commands_are_those_of_the_server() -> None:
    named = {re.findall(r"`([^`]+)`", row[0])[0] for row in rows("Commands")}
    assert named == {*COMMANDS, "aqua.run"}
