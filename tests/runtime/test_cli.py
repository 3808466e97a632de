"""The `avm` command itself: the table of commands, and what is loaded for them."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from runtime.cli import COMMANDS, main

HEAVY = ("libp2p", "trio", "llvmlite", "wasmtime", "pygls", "cryptography", "lark", "asyncio", "rich", "msgpack")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_whole(name):
    module = import_module(f"runtime.commands.{name}")
    assert COMMANDS[name] == module.HELP
    assert callable(module.configure)
    assert callable(module.run)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"avm {name}" in capsys.readouterr().out


def test_nothing_heavy_is_loaded():
    program = f"import runtime.cli, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_wrong_calls(capsys):
    for args in ([], ["nothing"], ["--unknown"], ["run", "--unknown"]):
        assert main(args) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("avm: error: ")


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["-V"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("avm ")


def test_another_directory(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "null.air").write_text("(null)", encoding="utf-8")
    assert main(["-C", "inner", "run", "null.air"]) == 0
    assert capsys.readouterr().out == "null\n"
    assert main(["-C", "nowhere", "run", "null.air"]) == 2
