"""Every example prints what its `expected.txt` says, through the real command.

A line `# avm …` is a command, run in the example's folder; what follows is its standard output. `→ exit N` after it is the
exit code, 0 when absent. Commands that build files run in a copy of the folder, and before each of the others.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from runtime.cli import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COMMAND = re.compile(r"# avm (?P<args>.*?)(?:\s+→ exit (?P<code>\d+))?$")


def cases():
    for path in sorted(EXAMPLES.glob("*/expected.txt")):
        found = []
        for line in path.read_text(encoding="utf-8").splitlines():
            match = COMMAND.match(line)
            if match:
                found.append((match["args"], int(match["code"] or 0), []))
            else:
                found[-1][2].append(line)
        builds = [args for args, _, _ in found if args.startswith("service build ")]
        for args, code, lines in found:
            yield pytest.param(path.parent, builds, args, code, lines, id=f"{path.parent.name}: {args}")


@pytest.mark.parametrize(("folder", "builds", "args", "code", "lines"), list(cases()))
def test_example(folder, builds, args, code, lines, capsys, monkeypatch, tmp_path):
    if builds:
        folder = shutil.copytree(folder, tmp_path / folder.name)
    monkeypatch.chdir(folder)
    for build in builds:
        assert main(shlex.split(build)) == 0, capsys.readouterr().err
    assert main(shlex.split(args)) == code, capsys.readouterr().err
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize("folder", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_every_example_is_whole(folder):
    for name in ("main.aqua", "README.md", "expected.txt"):
        assert (EXAMPLES / folder / name).is_file(), name
    assert COMMAND.match((EXAMPLES / folder / "expected.txt").read_text(encoding="utf-8").splitlines()[0])
