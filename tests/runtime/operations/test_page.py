"""`docs/peer-operations.md` has every command, and the schema a definition for each."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from aquac.command_line import Parser
from runtime.commands import peer_remote
from tests.runtime.operations.kit import SCHEMA

PAGE = Path(__file__).parents[3] / "docs" / "peer-operations.md"
WITHOUT_DEFINITION = {"call", "spells script"}
"""Those that print any JSON, or text."""


def commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[str]:
    """Names of the commands that do something."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name
    for group in groups:
        for word, inner in group.choices.items():
            yield from commands(inner, f"{name} {word}".strip())


def names() -> list[str]:
    parser = Parser()
    peer_remote.configure(parser.add_subparsers(parser_class=Parser))
    return list(commands(parser))


def test_every_command_has_its_row() -> None:
    rows = PAGE.read_text(encoding="utf-8").partition("\n## Commands\n")[2].partition("\n## ")[0]
    told = rows.split("`")[1::2]
    missing = [name for name in names() if not any(piece == name or piece.startswith(f"{name} ") for piece in told)]
    assert missing == []
    assert len(names()) > 35


def test_every_command_has_its_definition() -> None:
    titles = [definition.get("title", "") for definition in SCHEMA["$defs"].values()]
    told = {name.removeprefix("avm peer ") for title in titles for name in title.split(", ")}
    assert [name for name in names() if name not in WITHOUT_DEFINITION and name not in told] == []
