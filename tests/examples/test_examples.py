"""Every example prints what its `expected.txt` says, through the real command.

A line `# avm …` is a command, run in the example's folder; what follows is its standard output. `→ exit N` after it is the
exit code, 0 when absent. Commands that build files run in a copy of the folder, and before each of the others. `# aquac …` and
`# python …` are commands too; Python runs in a process of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aquac.cli import main as aquac
from runtime.cli import main as avm

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COMMAND = re.compile(r"# (?P<command>(?:avm|aquac|python) .*?)(?:\s+→ exit (?P<code>\d+))?$")
BUILD = re.compile(r"avm service build |aquac (?:-q )?build ")


def cases():
    for path in sorted(EXAMPLES.glob("*/expected.txt")):
        found = []
        for line in path.read_text(encoding="utf-8").splitlines():
            match = COMMAND.match(line)
            if match:
                found.append((match["command"], int(match["code"] or 0), []))
            else:
                found[-1][2].append(line)
        builds = [command for command, _, _ in found if BUILD.match(command)]
        for command, code, lines in found:
            yield pytest.param(path.parent, builds, command, code, lines, id=f"{path.parent.name}: {command}")


def run(command):
    """The exit code of a command."""
    word, *arguments = shlex.split(command)
    if word != "python":
        return {"avm": avm, "aquac": aquac}[word](arguments)
    done = subprocess.run(
        [sys.executable, *arguments], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )  # fmt: skip
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


@pytest.mark.parametrize(("folder", "builds", "command", "code", "lines"), list(cases()))
def test_example(folder, builds, command, code, lines, capsys, monkeypatch, tmp_path):
    if builds:
        folder = shutil.copytree(folder, tmp_path / folder.name)
    monkeypatch.chdir(folder)
    for build in builds:
        assert run(build) == 0, capsys.readouterr().err
    capsys.readouterr()
    assert run(command) == code, capsys.readouterr().err
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize("folder", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_every_example_is_whole(folder):
    for name in ("main.aqua", "README.md", "expected.txt"):
        assert (EXAMPLES / folder / name).is_file(), name
    assert COMMAND.match((EXAMPLES / folder / "expected.txt").read_text(encoding="utf-8").splitlines()[0])
