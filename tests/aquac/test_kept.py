"""What is kept between compilations: only what depends on an edit is done again, and results are those of a fresh start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aquac import cli, compile_path, watch
from aquac.kept import Kept

FILES = {
    "base.aqua": "aqua Base declares *\n\nfunc one() -> u8:\n  <- 1\n",
    "left.aqua": 'aqua Left declares *\n\nimport "base.aqua"\n\nexport l\n\nfunc l() -> u8:\n  <- one()\n',
    "right.aqua": "aqua Right declares *\n\nexport r\n\nfunc r() -> u8:\n  <- 2\n",
    "main.aqua": 'aqua Main\n\nimport "left.aqua"\nimport "right.aqua"\n\nexport f\n\nfunc f() -> u8:\n  <- l() + r()\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


class Counting(Kept):
    """Also notes what was done."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []

    def check(self, module: Any, imported: Any, check: Any) -> Any:
        return super().check(
            module, imported, lambda: (self.done.append(f"check {Path(module.path).stem}"), check())[1]
        )

    def made(self, what: str, path: str, context: Any, make: Any) -> Any:
        return super().made(what, path, context, lambda: (self.done.append(f"{what} {Path(path).stem}"), make())[1])


def check(folder: Path, kept: Counting, *expected: str) -> None:
    """Compile; the work done must be the expected one, and the result that of a compilation without memory."""
    kept.done.clear()
    paths = [folder / "main.aqua", folder / "right.aqua"]
    compiled, fresh = compile_path(paths, kept=kept), compile_path(paths)
    assert compiled.to_json() == fresh.to_json()
    assert compiled.files == fresh.files
    assert sorted(kept.done) == sorted(expected)


ENTRIES = ("advice right", "advice main", "exports right", "exports main")


def test_an_edit_costs_what_depends_on_it(folder: Path) -> None:
    kept = Counting()
    check(folder, kept, "check base", "check left", "check right", "check main", *ENTRIES)
    check(folder, kept)
    (folder / "right.aqua").write_text(FILES["right.aqua"].replace("<- 2", "<- 3"))
    check(folder, kept, "check right", "check main", *ENTRIES)
    (folder / "main.aqua").write_text(FILES["main.aqua"].replace("+", "-"))
    check(folder, kept, "check main", "advice main", "exports main")
    (folder / "base.aqua").write_text(FILES["base.aqua"].replace("u8", "u16"))
    check(folder, kept, "check base", "check left", "check main")
    (folder / "base.aqua").write_text(FILES["base.aqua"])
    check(folder, kept, "check base", "check left", "check main", "advice main", "exports main")
    (folder / "base.aqua").touch()
    check(folder, kept)


def test_errors_come_and_go(folder: Path) -> None:
    kept = Counting()
    check(folder, kept, "check base", "check left", "check right", "check main", *ENTRIES)
    for broken in (
        "aqua Base declares *\n\nfunc one(:\n",
        "aqua Base declares *\n\nfunc one() -> u8:\n  <- x\n",
        "\x00",
    ):
        (folder / "base.aqua").write_text(broken)
        assert not compile_path(folder / "main.aqua", kept=kept).ok
        assert compile_path(folder / "right.aqua", kept=kept).ok
    (folder / "base.aqua").unlink()
    assert [d.code.id for d in compile_path(folder / "main.aqua", kept=kept).diagnostics][:1] == ["AQ0120"]
    (folder / "base.aqua").write_text(FILES["base.aqua"])
    assert compile_path(folder / "main.aqua", kept=kept).ok


def test_an_import_may_mean_another_file(folder: Path) -> None:
    kept = Counting()
    (folder / "package").mkdir()
    (folder / "package" / "base.aqua").write_text(FILES["base.aqua"].replace("<- 1", "<- 7"))
    imports = [str(folder / "package")]
    assert answered(compile_path(folder / "left.aqua", imports=imports, kept=kept).functions["l"].script) == 1
    (folder / "base.aqua").unlink()
    assert answered(compile_path(folder / "left.aqua", imports=imports, kept=kept).functions["l"].script) == 7


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def answered(script: str) -> int:
    """The sum of the two constants, which the compiler computes."""
    found = re.search(r'"response"\) \[(\d+)\]', script)
    assert found is not None
    return int(found[1])


def test_watching(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each pause makes one change, as a person would; the last one ends the command."""
    out = folder / "out" / "main.f.air"
    scripts = []

    def move_away() -> None:
        (folder / "main.aqua").rename(folder / "main.old")

    changes = [
        lambda: (folder / "right.aqua").write_text(FILES["right.aqua"].replace("<- 2", "<- 33")),
        lambda: (folder / "right.aqua").write_text("aqua Right declares *\n\nfunc q():\n  a = 1\n"),
        move_away,
        lambda: (folder / "main.old").rename(folder / "main.aqua"),
        lambda: (folder / "right.aqua").write_text(FILES["right.aqua"].replace("<- 2", "<- 44")),
    ]

    def pause(_seconds: float) -> None:
        scripts.append(out.read_text())
        if not changes:
            raise KeyboardInterrupt
        changes.pop(0)()

    monkeypatch.setattr(watch.wait_for_change, "__defaults__", (pause, lambda: False))
    assert cli.main(["-C", str(folder), "build", "main.aqua", "-o", "out", "--watch"]) == 130
    assert list(map(answered, scripts)) == [3, 34, 34, 34, 34, 45]
    err = capsys.readouterr().err
    assert "AQ0202" in err
    assert "aquac: error: no file or folder main.aqua" in err


def test_what_cannot_be_read_is_not_built_again_and_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "broken.aqua").symlink_to("nowhere.aqua")
    (folder / "latin.aqua").write_bytes(b"aqua M\n-- \xe9\n")
    pauses = []

    def pause(_seconds: float) -> None:
        pauses.append(1)
        if len(pauses) == 2:
            raise KeyboardInterrupt
        (folder / "latin.aqua").unlink()

    monkeypatch.setattr(watch.wait_for_change, "__defaults__", (pause, lambda: False))
    assert cli.main(["-C", str(folder), "build", ".", "-o", "out", "--watch"]) == 130
    assert len(pauses) == 2


def test_a_change_while_building_is_not_missed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aquac import outputs

    builds: list[str] = []
    write_files = outputs.write_files

    def write(folder_: str, texts: Any) -> None:
        write_files(folder_, texts)
        builds.append(texts["main.f.air"])
        if len(builds) == 1:
            (folder / "base.aqua").write_text(FILES["base.aqua"].replace("<- 1", "<- 55"))

    def pause(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outputs, "write_files", write)
    monkeypatch.setattr(watch.wait_for_change, "__defaults__", (pause, lambda: False))
    assert cli.main(["-q", "-C", str(folder), "build", "main.aqua", "-o", "out", "--watch"]) == 130
    assert list(map(answered, builds)) == [3, 57]
