"""`avm parse` and `avm beautify`: output, exit codes, bad files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from aquac.command_line import CommandError
from runtime.commands import beautify, parse


def run(command: object, *argv: str) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)  # type: ignore[attr-defined]
    code: int = command.run(parser.parse_args(argv))  # type: ignore[attr-defined]
    return code


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.air"
    path.write_text('(new $h (new #h (canon "relay" $h #h)))', encoding="utf-8")
    return path


def test_parse(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(parse, str(script)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert list(json.loads(out)) == ["New"]


def test_parse_reports_on_stderr(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.write_text("(null", encoding="utf-8")
    assert run(parse, str(script)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == 'error: \n  ┌─ script.air:1:6\n  │\n1 │ (null\n  │      ^ expected ")"\n\n'


def test_beautify(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(beautify, str(script)) == 0
    assert capsys.readouterr().out == 'new $h:\n    new #h:\n        canon "relay" $h #h\n'
    assert run(beautify, "--patterns", str(script)) == 0
    assert capsys.readouterr().out == 'hopon "relay"\n'


def test_beautify_of_a_bad_script(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.write_text("(nul)", encoding="utf-8")
    assert run(beautify, str(script)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: \n")


@pytest.mark.parametrize("command", [parse, beautify])
def test_bad_files(command: object, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot read script"):
        run(command, str(tmp_path / "absent.air"))
    (tmp_path / "latin.air").write_bytes(b"(null)\xff")
    with pytest.raises(CommandError, match="not UTF-8"):
        run(command, str(tmp_path / "latin.air"))
