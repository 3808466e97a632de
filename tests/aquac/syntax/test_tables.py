"""The stored tables of the parser are those of the grammar, and nothing depends on the file being good."""

import json

import pytest

from aquac import compile_bundle
from aquac.syntax import grammar, tables

SOURCE = "aqua Main\n\nexport f\n\nfunc f(xs: []u8) -> u8:\n  if xs.length > 1:\n    join xs[0]\n  <- xs[0] + 1\n"


@pytest.fixture(autouse=True)
def fresh_parser():
    grammar.line_parser.cache_clear()
    yield
    grammar.line_parser.cache_clear()


def check() -> str:
    """Script of a small program, by a parser made anew."""
    grammar.line_parser.cache_clear()
    return compile_bundle({"main.aqua": SOURCE}, "main.aqua").functions["f"].script


def test_the_file_is_of_this_grammar() -> None:
    """If not: python -m aquac.syntax.tables. Another lark only costs the time to build them."""
    found = json.loads(tables.files("aquac.syntax").joinpath(tables.FILE).read_text(encoding="utf-8"))
    assert found["note"] == tables.NOTE
    if found["lark"] == tables.lark.__version__:
        assert found["fingerprint"] == tables.fingerprint(tables.grammar())


@pytest.mark.slow
def test_stored_and_built_tables_parse_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = check()
    monkeypatch.setattr(tables, "stored", lambda wanted: None)
    assert check() == stored


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"fingerprint": "?"}', '{"fingerprint": "FP", "data": {}, "memo": {"1": 2}}', "\x00"]
)
def test_a_bad_file_is_ignored(text: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "aqua.lark").write_text(tables.grammar(), encoding="utf-8")
    wanted = tables.fingerprint(tables.grammar())
    (tmp_path / tables.FILE).write_text(text.replace("FP", wanted), encoding="utf-8")
    monkeypatch.setattr(tables, "files", lambda package: tmp_path)
    assert "math" in check()
