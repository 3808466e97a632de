"""Trees read back are the trees that were parsed, and no entry, however bad, changes what a compilation says."""

import os
import pickle
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from aquac import compile_path
from aquac.project import parsed_cache
from aquac.project.link import CACHED_FROM
from aquac.source import SourceFile
from aquac.syntax.parse import parse
from avm import private_cache

ROOT = Path(__file__).resolve().parents[3]
LONG = (
    "aqua Long declares *\n\nexport f\n\n"
    + "".join(f"const C{n} = {n}\n" for n in range(400))
    + "\nfunc f() -> u32:\n  <- C7\n"
)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("AQUAC_CACHE", raising=False)
    return tmp_path


def entries(home: Path) -> list[Path]:
    return sorted(home.glob("cache/aquac/parsed/*"))


def long_file(home: Path, text: str = LONG) -> Path:
    assert len(text) >= CACHED_FROM
    path = home / "long.aqua"
    path.write_text(text, encoding="utf-8")
    return path


def script(path: Path) -> str:
    compiled = compile_path(path)
    assert compiled.ok, compiled.diagnostics
    return compiled.functions["f"].script


def test_trees_come_back_equal() -> None:
    files = [*ROOT.glob("stdlib/**/*.aqua"), *ROOT.glob("examples/**/*.aqua"), *ROOT.glob("tests/**/*.aqua")]
    for file in files:
        source = SourceFile(str(file), file.read_text(encoding="utf-8"))
        tree, diagnostics = parse(source)
        if not diagnostics:
            assert parsed_cache.load(source, legacy=False) is None
            parsed_cache.store(source, tree, legacy=False)
            assert repr(parsed_cache.load(source, legacy=False)) == repr(tree)
            assert parsed_cache.load(source, legacy=True) is None


def test_a_second_compilation_reads_the_entry(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = long_file(home)
    first = script(path)
    assert len(entries(home)) == 1
    monkeypatch.setattr("aquac.project.link.parse", None)  # nothing is parsed
    assert script(path) == first


def test_another_text_is_another_entry(home: Path) -> None:
    script(long_file(home))
    script(long_file(home, LONG.replace("<- C7", "<- C8")))
    assert len(entries(home)) == 2


def test_what_is_not_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = home / "small.aqua"
    small.write_text("aqua Small\n\nexport f\n\nfunc f() -> u8:\n  <- 1\n", encoding="utf-8")
    script(small)
    assert not compile_path(long_file(home, LONG + "\nfunc (")).ok
    monkeypatch.setenv("AQUAC_CACHE", "off")
    script(long_file(home))
    assert entries(home) == []


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other", "folder"])
def test_damaged_entries_count_as_absent(home: Path, damage: str) -> None:
    path = long_file(home)
    first = script(path)
    (entry,) = entries(home)
    data = entry.read_bytes()
    if damage == "folder":
        entry.unlink()
        entry.mkdir()
    else:
        new = {"cut": data[:-9], "flip": data[:-9] + b"x" + data[-8:], "empty": b"", "other": b"\0" * len(data)}[damage]
        entry.write_bytes(new)
    assert script(path) == first


class Evil:
    """Pickles to a call."""

    def __reduce__(self):
        return os.mkdir, ("evil",)


@pytest.mark.parametrize("content", [pickle.dumps(Evil()), pickle.dumps(7), pickle.dumps({"a": 1}), b"\x80\x05", b""])
def test_nothing_but_trees_comes_of_an_entry(home: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    path = long_file(home)
    first = script(path)
    (entry,) = entries(home)
    private_cache.write_entry(str(entry), parsed_cache._MAGIC, content)
    assert script(path) == first
    assert not (home / "evil").exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_folder_that_others_can_write_is_not_trusted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = long_file(home)
    script(path)
    (entry,) = entries(home)
    entry.parent.chmod(0o777)
    entry.write_bytes(b"")
    script(path)
    assert entry.read_bytes() == b""


def test_a_place_that_cannot_be_written_is_no_error(home: Path) -> None:
    (home / "cache").write_text("a file where the folder should be", encoding="utf-8")
    script(long_file(home))


def test_old_entries_go(home: Path) -> None:
    folder = home / "many"
    folder.mkdir()
    for n in range(30):
        file = folder / f"{n:02}"
        file.write_bytes(b"")
        os.utime(file, (n, n))
    private_cache.sweep(str(folder), 10)
    assert sorted(file.name for file in folder.iterdir()) == [f"{n:02}" for n in range(20, 30)]


def _compile(path: str) -> str:
    return script(Path(path))


@pytest.mark.slow
def test_processes_may_race(home: Path) -> None:
    path = long_file(home)
    with get_context("spawn").Pool(4) as pool:
        scripts = pool.map(_compile, [str(path)] * 24)
    assert len(set(scripts)) == 1
    assert len(entries(home)) == 1


def test_a_cold_process_reads_it_too(home: Path) -> None:
    path = long_file(home)
    first = script(path)
    run = [sys.executable, "-m", "aquac", "build", str(path), "-o", "-"]
    again = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True)
    assert again.stdout.strip() == first.strip()
    assert len(entries(home)) == 1
