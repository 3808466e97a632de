"""What editors are told about findings."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from lsprotocol.types import DiagnosticTag

from aquac.codes import TABLE, WARN_UNUSED_RESULT
from aquac.diagnostics import Diagnostic
from aquac.source import SourceFile, Span
from lsp import convert
from lsp.features.code_actions import code_actions
from tests.golden import load
from tests.lsp.fixture import Fixture


def test_what_is_unused_is_faded() -> None:
    """But not a call whose result nobody takes: the call itself is needed."""
    source = SourceFile("/p/main.aqua", "aqua M\n")
    faded = set()
    for code in TABLE.values():
        made = convert.to_diagnostic(Diagnostic(code, "text", source, Span(0, 4)), source)
        if made.tags == [DiagnosticTag.Unnecessary]:
            faded.add(code.kind)
    unused = {code.kind for code in TABLE.values() if code.kind.startswith("warn.unused-")}
    assert faded - {"warn.unreachable"} == unused - {WARN_UNUSED_RESULT.kind}


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a\nb", [(0, 0), (0, 1), (1, 0), (1, 1)]),
        ("a\r\nb", [(0, 0), (0, 1), (0, 1), (1, 0), (1, 1)]),
        ("a\rb", [(0, 0), (0, 1), (1, 0), (1, 1)]),
        ("é😀b", [(0, 0), (0, 1), (0, 3), (0, 4)]),
        ("\u2028\x0c\x0b\x85", [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]),
        ("", [(0, 0)]),
        ("\n", [(0, 0), (1, 0)]),
    ],
)
def test_lines_and_columns_of_the_protocol(text: str, places: list[tuple[int, int]]) -> None:
    lines = convert.EditorLines(text)
    assert [lines.place(at) for at in range(len(text) + 1)] == places
    for at, place in enumerate(places):
        assert lines.offset(*place) in (at, at - 1 if text[at - 1 : at + 1] == "\r\n" else at)


def test_places_outside_are_clamped() -> None:
    lines = convert.EditorLines("ab\r\n😀c")
    assert [lines.offset(*place) for place in [(0, 9), (1, 1), (1, 9), (7, 0)]] == [2, 5, 6, 6]
    assert [lines.place(at) for at in (-1, 99)] == [(0, 0), (1, 3)]


def test_changes_of_one_notification_build_on_each_other() -> None:
    def at(start: tuple[int, int], end: tuple[int, int], text: str) -> types.TextDocumentContentChangePartial:
        return types.TextDocumentContentChangePartial(
            range=types.Range(types.Position(*start), types.Position(*end)), text=text
        )

    changes = [at((0, 0), (0, 0), "😀\n"), at((1, 0), (1, 1), "x"), at((0, 2), (1, 0), " "), at((0, 9), (5, 0), "!")]
    assert convert.changed_text("ab", changes) == "😀 xb!"
    whole = types.TextDocumentContentChangeWholeDocument("new")
    assert convert.changed_text("ab", [*changes, whole, at((0, 3), (0, 3), "er")]) == "newer"


@pytest.mark.parametrize(
    "case", load(Path(__file__).parent / "corpus" / "code_actions.txt"), ids=lambda case: case.name
)
def test_actions_keep_the_line_ends_of_a_file(case) -> None:
    def made(fixture: Fixture) -> dict[str, str]:
        span = Span(fixture.offset, fixture.offset if fixture.end < 0 else fixture.end)
        found = code_actions(fixture.workspace, fixture.path, span)
        return {action.title: fixture.applied(action.edit) for action in found}

    plain = made(Fixture.of(case.input))
    other = Fixture.of(case.input)
    for path, text in list(other.workspace.buffers.items()):
        before = text[: other.offset], text[: other.end]
        if path == other.path:
            other.offset += before[0].count("\n")
            other.end += before[1].count("\n") if other.end >= 0 else 0
        other.workspace.set_text(path, text.replace("\n", "\r\n"))
    for title, text in made(other).items():
        assert "\n" not in text.replace("\r\n", "").replace(".aqua\n", ""), title
        assert text.replace("\r\n", "\n").rstrip("\r\n") == plain[title].rstrip("\n"), title
    assert plain.keys() == made(other).keys()
