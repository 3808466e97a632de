"""`avm service build`: files, messages in both forms, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runtime.cli import main

HELLO = """
from runtime.marine.sdk import export

@export
def greet(name: str) -> str:
    return f"Hello, {name}!"
"""
WRONG = "from runtime.marine.sdk import export\n\n@export\ndef f(a: int) -> str:\n    return a\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello.py").write_text(HELLO)
    (tmp_path / "wrong.py").write_text(WRONG)


def test_a_module_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "build", "hello.py"]) == 0
    told = capsys.readouterr().err
    assert told.startswith("hello.wasm: ")
    assert told.endswith(" bytes, functions greet\n")
    assert main(["service", "call", "hello.wasm", "-f", "greet", "--args", '["you"]']) == 0
    assert capsys.readouterr().out == '"Hello, you!"\n'
    assert main(["service", "check", "hello.wasm"]) == 0
    capsys.readouterr()
    assert main(["service", "aqua", "hello.wasm"]) == 0
    assert "greet(name: string) -> string" in capsys.readouterr().out


def test_places_and_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "build", "hello.py", "--name", "other", "-q"]) == 0
    assert main(["service", "build", "hello.py", "-o", "there.wasm", "-q"]) == 0
    assert (tmp_path / "other.wasm").read_bytes() == (tmp_path / "there.wasm").read_bytes()
    assert capsys.readouterr().err == ""
    assert main(["service", "build", "hello.py", "--check"]) == 0
    assert not (tmp_path / "hello.wasm").exists()
    (tmp_path / "dos.py").write_bytes(b"\xef\xbb\xbf" + HELLO.replace("\n", "\r\n").encode())
    assert main(["service", "build", "dos.py", "-q"]) == 0
    assert (tmp_path / "dos.wasm").is_file()


def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["service", "build", "wrong.py"]) == 1
    assert not (tmp_path / "wrong.wasm").exists()
    assert capsys.readouterr().err.splitlines() == [
        "error[MS0302]: str is wanted here, not int",
        " --> wrong.py:5:12",
        "  |",
        "5 |     return a",
        "  |            ^",
        "  = convert it with str(…)",
        "",
        "1 error in 1 file",
    ]
    assert main(["service", "build", "wrong.py", "--message-format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["summary"] == {"errors": 1, "warnings": 0, "files": 1}
    (entry,) = document["diagnostics"]
    assert (entry["code"], entry["kind"], entry["span"]["start"]["line"]) == ("MS0302", "type.mismatch", 5)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.py"], "cannot read source missing.py"),
        (["latin.py"], "latin.py is not UTF-8 (byte 0)"),
        (["hello.py", "-o", "no/such/folder.wasm"], "cannot write no/such/folder.wasm"),
        (["hello.py", "--name", "a b"], "a b is no name for a module"),
        (["large.py"], "a module's source has at most"),
    ],
)
def test_files_that_do_not_do(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "latin.py").write_bytes(b"\xff")
    if "large.py" in arguments:
        (tmp_path / "large.py").write_bytes(b"#" * (4 * 2**20 + 1))
    assert main(["service", "build", *arguments]) == 2
    assert told in capsys.readouterr().err
