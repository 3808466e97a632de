"""Tasks that do more than start a command."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def tasks(tmp_path: Path) -> ModuleType:
    """`tasks.py`, with reference folder and corpus in a temporary place."""
    spec = importlib.util.spec_from_file_location("aqua_tasks", ROOT / "tasks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.REFERENCE = tmp_path / "reference"
    module.MARINE_DATA = tmp_path
    return module


def git(folder: Path, *arguments: str, given: bytes = b"") -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout.decode().strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    folder = tmp_path / "clone"
    folder.mkdir()
    git(folder, "init", "--quiet")
    return folder


def table(tmp_path: Path, blob: str, data: bytes) -> None:
    row = {"git": "owner/name", "blob": blob, "path": "a.wasm", "sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "git_modules.jsonl").write_text(json.dumps(row) + "\n")


def test_a_blob_is_taken_from_the_clone_that_has_it(tasks: ModuleType, clone: Path, tmp_path: Path) -> None:
    blob = git(clone, "hash-object", "-w", "--stdin", given=b"\0asm module")
    table(tmp_path, blob, b"\0asm module")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    assert tasks.reference(["--marine-blobs", str(other), str(clone)]) == 0
    assert (tmp_path / "reference" / "marine-blobs" / f"{blob}.wasm").read_bytes() == b"\0asm module"


def test_what_no_clone_has_is_told(
    tasks: ModuleType, clone: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    blob = git(clone, "hash-object", "-w", "--stdin", given=b"something else")
    table(tmp_path, blob, b"\0asm module")  # the blob is there, with other bytes than recorded
    assert tasks.reference(["--marine-blobs", str(clone)]) == 1
    assert f"in no clone: owner/name a.wasm, blob {blob}" in capfd.readouterr().err
    assert not list((tmp_path / "reference" / "marine-blobs").iterdir())


def test_a_clone_must_be_one(tasks: ModuleType, tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    with pytest.raises(tasks.TaskFailed, match="absent: not a git repository"):
        tasks.reference(["--marine-blobs", str(tmp_path / "absent")])


def test_releases_are_those_of_the_corpus(tasks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks.MARINE_DATA = ROOT / "tests" / "conformance" / "data" / "marine"
    commands: list[list[str]] = []
    monkeypatch.setattr(tasks, "run", lambda command, **_: commands.append(command))
    tasks.REFERENCE.mkdir()
    tasks.install_avm_releases("npm")
    (command,) = commands
    packages = [word for word in command if word.startswith("avm-")]
    assert len(packages) == 11
    assert "avm-0.59.0@npm:@fluencelabs/avm@0.59.0" in packages
    assert not any("0.62.0" in name for name in packages), "that one is installed with the others"
