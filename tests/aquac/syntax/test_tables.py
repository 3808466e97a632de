"""The stored tables of the parser are those of the grammar, and nothing depends on the files being good."""

import json

import pytest

from aquac import compile_bundle
from aquac.syntax import grammar, tables

SOURCE = "aqua Main\n\nexport f\n\nfunc f(xs: []u8) -> u8:\n  if xs.length > 1:\n    join xs[0]\n  <- xs[0] + 1\n"
WRONG = SOURCE + "\nfunc g(:\n"


@pytest.fixture(autouse=True)
def fresh_parser():
    grammar.line_parser.cache_clear()
    yield
    grammar.line_parser.cache_clear()


def check() -> tuple[str, str]:
    """Script of a small program and the message for a wrong one, by a parser made anew."""
    grammar.line_parser.cache_clear()
    script = compile_bundle({"main.aqua": SOURCE}, "main.aqua").functions["f"].script
    return script, compile_bundle({"main.aqua": WRONG}, "main.aqua").diagnostics[0].message


def test_the_compact_tables_are_of_this_grammar() -> None:
    """If not: python -m aquac.syntax.tables."""
    found = tables.stored(tables.AUTOMATON_FILE, tables.fingerprint(tables.grammar()))
    assert found is not None
    assert found["note"] == tables.NOTE
    made = json.loads(json.dumps(tables.compact(tables.grammar())))
    assert {key: found[key] for key in made} == made


def test_larks_tables_are_of_this_grammar() -> None:
    """Another lark only costs the time to build them, and only for the first error."""
    found = json.loads(tables.files("aquac.syntax").joinpath(tables.FILE).read_text(encoding="utf-8"))
    assert found["note"] == tables.NOTE
    assert found["fingerprint"] == tables.fingerprint(tables.grammar())


@pytest.mark.slow
def test_stored_and_built_tables_parse_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = check()
    monkeypatch.setattr(tables, "stored", lambda file, wanted: None)
    assert check() == stored


@pytest.mark.parametrize("file", [tables.FILE, tables.AUTOMATON_FILE])
@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"fingerprint": "?"}', '{"fingerprint": FP, "data": {}, "memo": {"1": 2}}', "\x00"]
)
def test_a_bad_file_is_ignored(file: str, text: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "aqua.lark").write_text(tables.grammar(), encoding="utf-8")
    wanted = tables.fingerprint(tables.grammar())
    (tmp_path / file).write_text(text.replace("FP", str(wanted)), encoding="utf-8")
    monkeypatch.setattr(tables, "files", lambda package: tmp_path)
    script, message = check()
    assert "math" in script
    assert message
