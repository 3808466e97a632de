"""Editors driven as a person would, with the files of `lsp/editors` and the real server. Skipped where an editor is not installed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.lsp.editors.launchers import environment

pytestmark = pytest.mark.slow

EDITORS = ROOT / "lsp" / "editors"
SCRIPTS = Path(__file__).parent / "scripts"
LIMIT_SECONDS = 180
FORMATTED = '    on HOST_PEER_ID:\n        hello <- Op.concat_strings("hello ", name)\n'


def installed(name: str, package: str) -> str:
    """Path of an editor; skips the test where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    return found


@pytest.fixture
def place(tmp_path: Path) -> dict[str, str]:
    """A program with an error, the tools on the PATH, and a home folder of its own."""
    (tmp_path / "work").mkdir()
    shutil.copy(EDITORS / "vscode" / "test" / "workspace" / "main.aqua", tmp_path / "work")
    env = environment(tmp_path / "bin")
    for name, folder in {"HOME": "home", "XDG_CONFIG_HOME": "config", "XDG_DATA_HOME": "data"}.items():
        (tmp_path / folder).mkdir()
        env[name] = str(tmp_path / folder)
    env |= {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return env | {"AQUA_FILE": str(tmp_path / "work" / "main.aqua"), "AQUA_RESULT": str(tmp_path / "result.json")}


def drive(command: list[str], env: dict[str, str]) -> dict[str, Any]:
    """Run an editor with a script that writes what it saw."""
    done = subprocess.run(
        command,
        env=env,
        cwd=Path(env["AQUA_FILE"]).parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    result = Path(env["AQUA_RESULT"])
    assert result.is_file(), done.stdout + done.stderr
    seen = json.loads(result.read_text(encoding="utf-8"))
    assert "problem" not in seen, seen["problem"] + done.stdout + done.stderr
    return seen


def check(seen: dict[str, Any]) -> None:
    """What every editor must have seen."""
    assert "no name `helo` is in scope here" in seen["message"]
    assert {re.sub(r"\(.*", "", label) for label in seen["labels"]} == {"concat_strings", "identity"}
    assert FORMATTED in seen["text"]
    assert '("op" "concat_strings")' in seen["air"]
    assert '"hello Aqua"' in seen["run"]


def c_compiler() -> bool:
    return shutil.which("cc") is not None


def test_neovim(place: dict[str, str]) -> None:
    nvim = installed("nvim", "neovim")
    if c_compiler():
        subprocess.run([str(EDITORS / "neovim" / "install-parsers.sh")], env=place, check=True)
    commands = [f"set rtp^={EDITORS / 'neovim'}", "runtime! plugin/aqua.lua"]
    command = [nvim, "--headless", "-u", "NONE", *(part for c in commands for part in ("--cmd", c))]
    seen = drive([*command, "-c", f"luafile {SCRIPTS / 'neovim.lua'}"], place)
    check(seen)
    assert seen["code"] == "AQ0201"
    assert (seen["filetype"], seen["commentstring"]) == ("aqua", "-- %s")
    if c_compiler() and seen["version"] not in ("0.7", "0.8"):
        assert seen["coloured"]


def test_neovim_without_the_server(place: dict[str, str], tmp_path: Path) -> None:
    """The remedy is told once, and editing goes on."""
    nvim = installed("nvim", "neovim")
    script = tmp_path / "told.lua"
    script.write_text(
        "local told = {}\nvim.notify = function(text) told[#told + 1] = text end\n"
        "vim.cmd('filetype plugin on | edit a.aqua | edit b.aqua')\n"
        "local file = io.open(vim.env.AQUA_RESULT, 'w')\n"
        "file:write(vim.fn.json_encode({ told = told, version = vim.version().minor }))\nfile:close()\nvim.cmd('qall!')\n"
    )
    commands = ["let g:aqua = {'cmd': ['no-aqua-lsp']}", f"set rtp^={EDITORS / 'neovim'}", "runtime! plugin/aqua.lua"]
    command = [nvim, "--headless", "-u", "NONE", *(part for c in commands for part in ("--cmd", c))]
    seen = drive([*command, "-c", f"luafile {script}"], place)
    if seen["version"] >= 11:
        return  # Neovim itself starts the server, and tells
    assert seen["told"] == ["`no-aqua-lsp` was not found: install it with `pip install aquac`, or set vim.g.aqua.cmd"]


def test_emacs(place: dict[str, str]) -> None:
    emacs = installed("emacs", "emacs-nox elpa-eglot")
    probe = [emacs, "--batch", "--eval", "(kill-emacs (if (require 'eglot nil t) 0 1))"]
    if subprocess.run(probe, env=place, capture_output=True, check=False).returncode:
        pytest.skip("Emacs has no eglot (Debian: elpa-eglot)")
    seen = drive([emacs, "--batch", "-L", str(EDITORS / "emacs"), "-l", str(SCRIPTS / "emacs.el")], place)
    check(seen)
    assert seen["mode"] == "aqua-mode"
    keyword, comment, constant = (f"font-lock-{kind}-face" for kind in ("keyword", "comment-delimiter", "constant"))
    assert seen["faces"] == [keyword, keyword, comment, constant]
    assert seen["indented"] == "func f():\n    -- c\n    on p:\n        x()\n    else:"
    assert re.match(r"sequenceDiagram|<svg", seen["graph"])


def test_emacs_code_compiles(place: dict[str, str], tmp_path: Path) -> None:
    """Without a warning."""
    emacs = installed("emacs", "emacs-nox elpa-eglot")
    shutil.copy(EDITORS / "emacs" / "aqua-mode.el", tmp_path)
    compile_it = "(setq byte-compile-error-on-warn t)"
    command = [emacs, "--batch", "--eval", compile_it, "-f", "batch-byte-compile", str(tmp_path / "aqua-mode.el")]
    done = subprocess.run(command, env=place, capture_output=True, text=True, check=False)
    if "Cannot open load file" in done.stderr:
        pytest.skip("Emacs has no eglot (Debian: elpa-eglot)")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted(EDITORS.rglob("*.toml")), ids=lambda path: path.relative_to(EDITORS).as_posix())
def test_toml_is_sound(path: Path) -> None:
    tomllib.loads(path.read_text(encoding="utf-8"))


def test_zed_extension_is_filled_in(tmp_path: Path) -> None:
    """What Zed is given names this checkout, and every grammar and language has its files."""
    inside = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]
    if shutil.which("git") is None or subprocess.run(inside, capture_output=True, check=False).returncode:
        pytest.skip("not a git checkout")
    subprocess.run([str(EDITORS / "zed" / "make.sh"), str(tmp_path / "out")], check=True)
    manifest = tomllib.loads((tmp_path / "out" / "extension.toml").read_text(encoding="utf-8"))
    for language, grammar in manifest["grammars"].items():
        assert grammar["repository"] == f"file://{ROOT}"
        assert (ROOT / grammar["path"] / "src" / "parser.c").is_file()
        folder = tmp_path / "out" / "languages" / language
        config = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
        assert config["grammar"] == language
        assert config["name"] in manifest["language_servers"]["aqua-lsp"]["language_ids"]
        assert (folder / "highlights.scm").is_file()


@pytest.mark.skipif(os.name == "nt", reason="drives a terminal of Unix")
def test_helix(place: dict[str, str]) -> None:
    from tests.lsp.editors.terminal import Terminal

    helix = shutil.which("hx") or shutil.which("helix") or installed("hx", "hx, from Debian 13")
    subprocess.run([str(EDITORS / "helix" / "install.sh")], env=place, check=True)
    subprocess.run([str(EDITORS / "helix" / "install.sh")], env=place, check=True)  # a second time changes nothing
    languages = Path(place["XDG_CONFIG_HOME"], "helix", "languages.toml")
    assert languages.read_text(encoding="utf-8").count('name = "aqua"') == 2
    if c_compiler():
        only = 'use-grammars = { only = ["aqua", "air"] }\n'
        languages.write_text(only + languages.read_text(encoding="utf-8"), encoding="utf-8")
        subprocess.run([helix, "--grammar", "build"], env=place, check=True, capture_output=True)
    health = subprocess.run([helix, "--health", "aqua"], env=place, check=True, capture_output=True, text=True).stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", health)
    assert re.search(r"✓ aqua-lsp: .*/bin/aqua-lsp", plain)
    assert re.search(r"Highlight queries: ✓\nTextobject queries: ✓\nIndent queries: ✓", plain)

    file = Path(place["AQUA_FILE"])
    with Terminal([helix, "main.aqua:13:6"], place, str(file.parent)) as terminal:
        terminal.expect("no *name *`helo`")
        terminal.keys(":goto 16\r")
        terminal.keys("ox = Op.")  # a new line, and what completes it
        terminal.expect("concat_strings")
        terminal.keys("\x1b")
        terminal.expect("NOR")  # an escape followed by a key at once is another key
        terminal.keys("u:format\r")
        terminal.expect("hello *<- *Op")
        terminal.keys(":write-quit!\r")
        assert terminal.end() == 0
    assert FORMATTED in file.read_text(encoding="utf-8")
