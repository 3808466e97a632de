"""Diagnostics as text and as documents for machines."""

from __future__ import annotations

import json
from importlib.resources import files

import jsonschema
import pytest

from aquac.codes import ARROW_UNKNOWN, IMPORT_CYCLE, NAME_UNKNOWN, WARN_UNREACHABLE
from aquac.diagnostics import Diagnostic, Edit, Fix, Note
from aquac.render import LINE_WIDTH_MAX, render_one, render_text, summary
from aquac.render_json import to_github, to_json, to_sarif
from aquac.source import SourceFile, Span

SOURCE = SourceFile("/p/main.aqua", 'aqua M\n\nfunc f():\n\tx = "😀" + fooo -- \x1b[31m漢\n  y = 1\n')


def at(word: str, source: SourceFile = SOURCE) -> Span:
    start = source.text.index(word)
    return Span(start, start + len(word))


UNKNOWN = Diagnostic(
    NAME_UNKNOWN,
    "no name `fooo` here",
    SOURCE,
    at("fooo"),
    notes=(Note("did you mean `foo`?"), Note("defined here", SOURCE, at("y"))),
    fixes=(Fix("rename", (Edit(SOURCE, at("fooo"), "foo"),)),),
)
CYCLE = Diagnostic(IMPORT_CYCLE, "modules import each other: a imports b")
WARNING = Diagnostic(WARN_UNREACHABLE, "never runs, 100%\nof the time", SOURCE, at("y = 1"))


def check(diagnostic: Diagnostic, *expected: str, color: bool = False) -> None:
    assert render_one(diagnostic, color=color, base="/p").split("\n") == [*expected, ""]


def test_text():
    check(
        UNKNOWN,
        "error[AQ0201]: no name `fooo` here",
        " --> main.aqua:4:13",
        "  |",
        '4 | \tx = "😀" + fooo -- ␛[31m漢',
        "  | \t           ^^^^",
        "  = did you mean `foo`?",
        "  note: defined here",
        " --> main.aqua:5:3",
        "  |",
        "5 |   y = 1",
        "  |   ^",
        "  = fix: rename",
    )
    check(CYCLE, "error[AQ0122]: modules import each other: a imports b")


def test_wide_characters_keep_the_carets_in_place():
    source = SourceFile("m", "漢字 = x")
    lines = render_one(Diagnostic(NAME_UNKNOWN, "?", source, at("x", source))).split("\n")
    assert lines[3:5] == ["1 | 漢字 = x", "  |        ^"]
    lines = render_one(Diagnostic(NAME_UNKNOWN, "?", source, Span(0, 2))).split("\n")
    assert lines[4] == "  | ^^^^"


@pytest.mark.parametrize(("start", "end"), [(0, 0), (3, 3), (6, 6), (0, 12), (3, 40)])
def test_spans_are_cut_at_the_end_of_the_line(start, end):
    source = SourceFile("m", "abc de\nfgh\n")
    carets = render_one(Diagnostic(NAME_UNKNOWN, "?", source, Span(start, end))).split("\n")[4]
    assert carets.count("^") == max(1, min(end, 6) - start)
    assert carets.index("^") == 4 + start


def test_long_lines_show_the_place():
    source = SourceFile("m", "a" * 1000 + "X" + "b" * 1000)
    lines = render_one(Diagnostic(NAME_UNKNOWN, "?", source, at("X", source))).split("\n")
    assert len(lines[3]) <= LINE_WIDTH_MAX + 6
    assert lines[3][lines[4].index("^")] == "X"


def test_colour_only_if_wanted():
    assert "\x1b" not in render_text([UNKNOWN, WARNING])
    assert "\x1b[1;31m" in render_text([UNKNOWN], color=True)
    assert "\x1b[1;33m" in render_text([WARNING], color=True)


def test_summary():
    assert summary([], 1) == "no errors in 1 file"
    assert summary([UNKNOWN, CYCLE, WARNING], 3) == "2 errors, 1 warning in 3 files"


def schema(name: str) -> object:
    return json.loads(files("aquac").joinpath("schemas", name).read_text(encoding="utf-8"))


def test_json_document():
    document = to_json([UNKNOWN, CYCLE, WARNING], 2)
    jsonschema.validate(document, schema("diagnostics.schema.json"))
    first = document["diagnostics"][0]
    assert (first["code"], first["kind"], first["severity"]) == ("AQ0201", "name.unknown", "error")
    # Before it stand 11 code points on the line; `😀` is two UTF-16 units and four bytes.
    assert first["span"]["start"] == {"line": 4, "column": 13, "offset": 32}
    assert first["fixes"][0]["edits"][0]["text"] == "foo"
    assert document["diagnostics"][1]["file"] is None
    assert document["summary"] == {"errors": 2, "warnings": 1, "files": 2}


def test_schema_refuses_other_shapes():
    document = to_json([UNKNOWN], 1)
    document["diagnostics"][0]["severity"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema("diagnostics.schema.json"))


def test_sarif():
    log = to_sarif([UNKNOWN, Diagnostic(ARROW_UNKNOWN, "x"), UNKNOWN, WARNING])
    (run,) = log["runs"]
    assert [r["id"] for r in run["tool"]["driver"]["rules"]] == ["AQ0201", "AQ0202", "AQ0904"]
    assert [run["tool"]["driver"]["rules"][r["ruleIndex"]]["id"] for r in run["results"]] == [
        "AQ0201", "AQ0202", "AQ0201", "AQ0904",
    ]  # fmt: skip
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 4
    assert "locations" not in run["results"][1]
    assert run["results"][3]["level"] == "warning"


def test_github_escapes():
    lines = to_github([WARNING, CYCLE]).split("\n")
    assert lines[0] == (
        "::warning file=/p/main.aqua,line=5,endLine=5,col=3,title=AQ0904::never runs, 100%25%0Aof the time"
    )
    assert lines[1].startswith("::error title=AQ0122::modules")
    assert lines[2:] == [""]


def test_paths_below_the_base_are_relative():
    for base, uri, shown in (("/p", "main.aqua", "main.aqua"), ("/q", "file:///p/main.aqua", "/p/main.aqua")):
        (result,) = to_sarif([WARNING], base=base)["runs"][0]["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
        assert to_github([WARNING], base=base).startswith(f"::warning file={shown},")


def test_byte_offsets_count_the_byte_order_mark():
    with_bom, without = SourceFile("/p/a.aqua", "é\nx", bom=True), SourceFile("/p/a.aqua", "é\nx")
    for offset in range(4):
        one, other = with_bom.lines.position(offset), without.lines.position(offset)
        assert (one.line, one.column, one.offset) == (other.line, other.column, other.offset + 3)
    assert without.lines.position(2).offset == 3
