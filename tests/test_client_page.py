"""Every program of `docs/client.md` prints what the page says, and type checkers accept it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aquac.cli import main
from runtime.client import errors

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```", PAGE, flags=re.DOTALL))
RUNS = re.findall(r"```console\n\$ python (\S+)\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, and the module made of its Aqua."""
    made = tmp_path_factory.mktemp("page")
    for name, text in FILES.items():
        (made / name).write_text(text)
    assert main(["-q", "build", str(made / "hello.aqua"), "-o", str(made), "--target", "py"]) == 0
    return made


def test_every_program_is_run() -> None:
    assert {name for name, _ in RUNS} == {name for name in FILES if name.endswith(".py")}
    assert len(RUNS) >= 6


@pytest.mark.slow
@pytest.mark.parametrize(("name", "output"), RUNS)
def test_it_prints_what_the_page_says(folder: Path, name: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", name], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == output, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_type_checkers_accept_it(folder: Path) -> None:
    pytest.importorskip("mypy")
    names = [name for name, _ in RUNS if "load" not in FILES[name]]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(folder / ".cache"), *names],
        cwd=folder, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout + done.stderr == ""


def test_every_error_is_told() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    for kind in kinds:
        assert f"`{kind.__name__}`" in PAGE
        attributes = re.search(rf"^\| `{kind.__name__}`.*\|(.*)\|$", PAGE, flags=re.MULTILINE)
        for attribute in re.findall(r"`(\w+)`", attributes[1] if attributes else ""):
            assert attribute in (kind.__init__.__code__.co_names + tuple(dir(kind))), (kind, attribute)
