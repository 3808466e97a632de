"""The extension of VS Code: built from a clean copy, driven in node; its static files checked against what they repeat."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aquac.formatting.document import format_source
from aquac.highlighting import LANGUAGES, grammar_text
from aquac.source import SourceFile
from aquac.syntax.parse import parse
from avm.air.parser import parse as parse_air
from lsp.features import code_lens
from lsp.settings import Settings, read_settings
from tests.conftest import ROOT
from tests.lsp.editors.launchers import environment

FOLDER = ROOT / "lsp" / "editors" / "vscode"
OFFLINE = re.compile(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED|E403)\b")
NODE_MIN = 20
OWN_SETTINGS = {
    "server.path", "server.arguments", "aquac.path", "avm.path", "run.relay", "run.arguments", "trace.server",
}  # fmt: skip


def manifest() -> dict[str, Any]:
    return json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


# ── built and driven ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, node: str) -> Path:
    """A clean copy of the extension in which `npm ci` and `npm run package` have run; skips where npm cannot do it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").partition(".")[0]) < NODE_MIN:
        pytest.skip(f"node {version.strip()} is older than {NODE_MIN}")
    root = tmp_path_factory.mktemp("clone")
    made = shutil.ignore_patterns("node_modules", "dist", "syntaxes", "*.vsix", "LICENSE")
    shutil.copytree(FOLDER, root / "lsp" / "editors" / "vscode", ignore=made)
    for language in LANGUAGES:
        shutil.copy(FOLDER.parent / f"{language}.tmLanguage.json", root / "lsp" / "editors")
    shutil.copy(ROOT / "LICENSE", root)
    folder = root / "lsp" / "editors" / "vscode"
    command = [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip(f"npm reaches no registry: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    done = subprocess.run([npm, "run", "package"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_one_command_makes_the_package(built: Path) -> None:
    with zipfile.ZipFile(built / "aqua.vsix") as archive:
        names = set(archive.namelist())
        for language in LANGUAGES:
            grammar = archive.read(f"extension/syntaxes/{language}.tmLanguage.json").decode()
            assert grammar == grammar_text(language)
        packed = json.loads(archive.read("extension/package.json"))
        notices = archive.read("extension/dist/NOTICES.txt").decode()
    paths = [row["path"] for kind in ("grammars", "snippets") for row in packed["contributes"][kind]]
    paths += [packed["main"], *(row["configuration"] for row in packed["contributes"]["languages"])]
    assert {f"extension/{path.removeprefix('./')}" for path in paths} <= names
    assert not [name for name in names if re.search(r"node_modules|/src/|/test/|\.ts$", name)]
    assert "vscode-languageclient 10." in notices


@pytest.mark.slow
def test_extension_works_with_the_server(built: Path, node: str, tmp_path: Path) -> None:
    """`activate` of the bundle, the real language client and the real server; see `test/suite.ts` for what is done."""
    done = subprocess.run(
        [node, "test/run.mjs"],
        cwd=built,
        env=environment(tmp_path / "bin"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d{2} passed, 0 failed$", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.slow
def test_extension_works_in_vscode(built: Path, node: str, tmp_path: Path) -> None:
    """The same in VS Code itself: $AQUA_CODE_SERVER is the folder of the npm package code-server."""
    code_server = os.environ.get("AQUA_CODE_SERVER")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if code_server is None or browser is None:
        pytest.skip("needs $AQUA_CODE_SERVER, the folder of the npm package code-server 4.100, and chromium")
    command = [node, "test/real.mjs", code_server, browser]
    env = environment(tmp_path / "bin")
    done = subprocess.run(command, cwd=built, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# ── static files ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Recorder(Mapping[str, object]):
    """Settings without values that remember what was asked for."""

    def __init__(self, asked: set[str], name: str = "") -> None:
        self.asked = asked
        self.name = name

    def __getitem__(self, key: str) -> object:
        self.asked.add(self.name + key)
        if key == "inlayHints":
            self.asked.discard(key)
            return Recorder(self.asked, f"{key}.")
        raise KeyError(key)

    def __iter__(self):
        return iter(())

    def __len__(self) -> int:
        return 0


def test_settings_are_those_of_the_server() -> None:
    """What the server reads can be set, and has the same default."""
    asked: set[str] = set()
    read_settings(Recorder(asked))
    declared = {
        key.removeprefix("aqua."): row for key, row in manifest()["contributes"]["configuration"]["properties"].items()
    }
    assert set(declared) - OWN_SETTINGS == asked
    value: dict[str, Any] = {}
    for key in asked:
        section, _, name = key.rpartition(".")
        (value.setdefault(section, {}) if section else value)[name] = declared[key]["default"]
    ours, defaults = read_settings(value), read_settings(None)
    assert [getattr(ours, f.name) for f in fields(Settings)] == [getattr(defaults, f.name) for f in fields(Settings)]


def test_settings_are_described_for_other_editors() -> None:
    text = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    table = text[text.index("## Settings") : text.index("## Visual Studio Code")]
    asked: set[str] = set()
    read_settings(Recorder(asked))
    assert {name for name in re.findall(r"`([A-Za-z.]+)`", table) if name in asked} == asked


def test_commands_of_lenses_are_there() -> None:
    commands = {row["command"] for row in manifest()["contributes"]["commands"]}
    assert {value for name, value in vars(code_lens).items() if name in ("SHOW_AIR", "RUN", "SHOW_GRAPH")} <= commands


def test_lock_file_names_no_place_to_download_from() -> None:
    lock = load("package-lock.json")
    assert not [name for name, row in lock["packages"].items() if "resolved" in row]
    assert all("integrity" in row for name, row in lock["packages"].items() if name and not row.get("link"))
    assert lock["packages"][""]["devDependencies"] == manifest()["devDependencies"]


_PLACEHOLDER = re.compile(r"\$\{\d+:((?:\\.|[^${}\\])*)\}")


def formatted(text: str) -> str:
    return format_source(SourceFile("main.aqua", text)).text


def expanded(snippet: dict[str, Any], gap: str = "") -> str:
    """A snippet as it stands before anything is typed into it, with `gap` where `$1` waits for an instruction."""
    body = snippet["body"]
    text = body if isinstance(body, str) else "\n".join(body)
    text = re.sub(r"\$\{1:\$\{TM_FILENAME_BASE.*?\}/\}\}", "Main", text)
    while _PLACEHOLDER.search(text):
        text = _PLACEHOLDER.sub(r"\1", text)
    text = re.sub(r"\$\{\d+\}", "", text)
    return re.sub(r"(?<!\\)\$\d+", gap, text).replace("\\$", "$")


@pytest.mark.parametrize("name", sorted(load("snippets/aqua.json")))
def test_snippet_is_aqua(name: str) -> None:
    """It is read, and the formatter would write it so."""
    text = expanded(load("snippets/aqua.json")[name]).rstrip()
    if re.match(r"aqua ", text):
        program = text.replace("main", "f") + "\n\nfunc f():\n    x = 1\n"
    elif re.match(r"(func|service|data|ability|use|import) ", text) or text.startswith(("use ", "import ")):
        body = "\n    x = 1" if text.endswith(":") else ""
        program = f"aqua Main\n\n{text}{body}\n"
    else:
        before = "x = 1\n" if text.startswith("otherwise") else ""
        body = "\n    y = 1" if text.endswith(":") else ""
        lines = f"{before}{text}{body}".splitlines()
        program = "aqua Main\n\nfunc f():\n" + "".join(f"    {line}\n" for line in lines)
    assert [d for d in parse(SourceFile("a.aqua", program))[1] if d.is_error] == []
    assert formatted(program) == program


@pytest.mark.parametrize("name", sorted(load("snippets/air.json")))
def test_snippet_is_air(name: str) -> None:
    """It is read with instructions in its gaps, where its variables are known."""
    text = expanded(load("snippets/air.json")[name], "(null)")
    script = f"(seq (seq (ap [] items) (seq (ap 1 left) (ap 1 right))) {text})"
    assert parse_air(script).report == ""


# ── language configuration ───────────────────────────────────────────────────────────────────────────────────────────


def programs() -> list[str]:
    paths = [*sorted((ROOT / "examples").rglob("*.aqua")), *sorted((ROOT / "stdlib").rglob("*.aqua"))]
    return [formatted(path.read_text(encoding="utf-8")) for path in paths]


def test_lines_that_open_a_block_are_known() -> None:
    """After a line of a formatted program the next one is deeper exactly where the editor indents."""
    opens = re.compile(load("language-configuration/aqua.json")["indentationRules"]["increaseIndentPattern"])
    checked = 0
    for text in programs():
        depth = 0  # of brackets: their lines are the editor's own business
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("--")]
        for line, following in pairwise(lines):
            code = re.sub(r'"[^"]*"', '""', line).partition("--")[0]
            depth += sum(code.count(c) for c in "([{") - sum(code.count(c) for c in ")]}")
            if depth:
                continue
            deeper = len(following) - len(following.lstrip()) > len(line) - len(line.lstrip())
            assert bool(opens.search(line)) == (deeper and code.rstrip().endswith(":")), line
            checked += 1
    assert checked > 300


@pytest.mark.parametrize(
    ("line", "opens", "closes"),
    [
        ("func f():", True, False),
        ('    on "a:b" via r: -- there', True, False),
        ("    x: *u8", False, False),
        ("-- see:", False, False),
        ('    f("a:") -- b:', False, False),
        ("    else:", True, True),
        ("    catch e:", True, True),
        ("    otherwise:", True, True),
        ("    elsewhere = 1", False, False),
    ],
)
def test_indentation_rules(line: str, opens: bool, closes: bool) -> None:
    rules = load("language-configuration/aqua.json")["indentationRules"]
    assert bool(re.search(rules["increaseIndentPattern"], line)) == opens
    assert bool(re.search(rules["decreaseIndentPattern"], line)) == closes


def test_a_return_ends_its_block() -> None:
    rule = load("language-configuration/aqua.json")["onEnterRules"][-1]
    assert rule["action"] == {"indent": "outdent"}
    ends = re.compile(rule["beforeText"])
    assert ends.search("    <- a, b")
    assert not ends.search("    <- a,")
    assert not ends.search("    <- f(")
    assert not ends.search("    a <- f()")
