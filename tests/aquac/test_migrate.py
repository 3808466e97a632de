"""`aquac migrate`: old files become present ones, and nothing else about them changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import aquac
from aquac.cli import main
from aquac.migrate import migrate, migrate_text, module_name
from aquac.source import SourceFile


def check(before: str, after: str, *, path: str = "/p/old-file.aqua", export: bool = False, left: str = "") -> None:
    """Migrate one text; what comes out must be accepted as it is, and stay so."""
    migration = migrate_text(SourceFile(path, before), export=export)
    assert migration.text == after
    assert [d.code.id for d in migration.left] == left.split()
    if not left:
        again = migrate_text(SourceFile(path, after), export=export)
        assert not again.changed
        assert again.changes == []


FUNC = "func f() -> u8:\n  <- 1\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"module X declares *\n\n{FUNC}", f"aqua X declares *\n\n{FUNC}"),
        (
            f"-- about\nmodule   A.B   declares f -- list\n\n{FUNC}",
            f"-- about\naqua   A.B   declares f -- list\n\n{FUNC}",
        ),
        (f"module X\n{FUNC}", f"aqua X\n{FUNC}"),
        (f"aqua X declares *\n\n{FUNC}", f"aqua X declares *\n\n{FUNC}"),
        (FUNC, f"aqua OldFile declares *\n\n{FUNC}"),
        (f"-- doc of f\n{FUNC}", f"aqua OldFile declares *\n\n-- doc of f\n{FUNC}"),
        (
            f"-- about\n-- the file\n\n-- doc\n{FUNC}",
            f"-- about\n-- the file\n\naqua OldFile declares *\n\n-- doc\n{FUNC}",
        ),
        (f'import "x.aqua"\nexport f\n\n{FUNC}', f'aqua OldFile declares *\n\nimport "x.aqua"\nexport f\n\n{FUNC}'),
        (f'  import "x.aqua"\n\n{FUNC}', f'aqua OldFile declares *\n\nimport "x.aqua"\n\n{FUNC}'),
        ("", "aqua OldFile declares *\n\n"),
        ("-- only\n", "-- only\naqua OldFile declares *\n\n"),
        ("-- only", "aqua OldFile declares *\n\n-- only"),
        ("data D:\r\n  a: u8\r\n", "aqua OldFile declares *\r\n\r\ndata D:\r\n  a: u8\r\n"),
        (f"\n\n{FUNC}", f"aqua OldFile declares *\n\n\n\n{FUNC}"),
    ],
)
def test_headers(before, after):
    check(before, after)


def test_exports_of_a_file_without_header():
    source = (
        'export k as kk\n\nability A:\n  f() -> u8\n\nservice S("s"):\n  f() -> u8\n\nfunc k() -> u8:\n  <- 1\n\n'
        "func take{A}() -> u8:\n  x <- A.f()\n  <- x\n\nfunc give() -> u8 -> u8:\n  c = (x: u8) -> u8:\n    <- x\n  <- c\n\n"
        f"func pass(a: A) -> u8:\n  x <- a.f()\n  <- x\n\n{FUNC}"
    )
    check(source, f"aqua OldFile declares *\n\nexport S, f\n\n{source}", export=True)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/trust-graph-api.aqua", "TrustGraphApi"),
        ("main.aqua", "Main"),
        ("2nd_part.aqua", "Module2ndPart"),
        ("é.aqua", "Module"),
        ("C:\\x\\y.z.aqua", "YZ"),
    ],
)
def test_names_come_from_the_file(path, name):
    assert module_name(path) == name


HEAD = 'aqua M\n\nservice T("t"):\n  get() -> u8\n\nfunc f(c: bool) -> u8:\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  r: ?u8 -- one\n  if c:\n    r <<- 1\n  <- r!\n", "  r: *u8 -- one\n  if c:\n    r <<- 1\n  <- r!\n"),
        ('  on "a":\n    r: ?u8\n  <- 1\n', '  on "a":\n    r: *u8\n  <- 1\n'),
        ('  on "a":\n    <- T.get() -- it\n', '  on "a":\n    returned <- T.get()\n  <- returned -- it\n'),
        ('  on "a":\n    x <- T.get()\n    <- x\n', '  on "a":\n    x <- T.get()\n  <- x\n'),
        (
            "  x <- T.get()\n    y <- T.get()\n   z <- T.get()\n  <- z\n",
            "  x <- T.get()\n  y <- T.get()\n  z <- T.get()\n  <- z\n",
        ),
        ("  z = ?[1]\n  <- z!\n", "  z = ?[1]\n  <- z!\n"),
    ],
)
def test_statements(before, after):
    check(HEAD + before, HEAD + after)
    old = aquac.compile_bundle({"m.aqua": HEAD.replace("M\n", "M\nexport f\n") + before}, "m.aqua", options=LEGACY)
    new = aquac.compile_bundle({"m.aqua": HEAD.replace("M\n", "M\nexport f\n") + after}, "m.aqua")
    assert new.ok
    assert old.functions["f"].script == new.functions["f"].script


LEGACY = aquac.Options(legacy_headers=True)


def test_what_cannot_be_rewritten_is_left():
    several = 'func g() -> u8, u8:\n  on "a":\n    <- f(), f()\n'
    check(f"module M\n\n{FUNC}\n{several}", f"aqua M\n\n{FUNC}\n{several}", left="AQ0106")
    check("module M\n\nfunc f(:\n", "module M\n\nfunc f(:\n", left="AQ0101")


def test_texts_with_syntax_errors_are_not_touched():
    for text in ("func f(:\n  x\n", "module\n", 'import "a\n'):
        migration = migrate_text(SourceFile("/p/a.aqua", text))
        assert not migration.changed
        assert migration.left


def files_of(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.glob("*.aqua"))]


def test_types_that_repeat_imported_ones(tmp_path):
    (tmp_path / "lib.aqua").write_text("alias Error: string\nalias Other: string\n\ndata D:\n  a: u8\n")
    (tmp_path / "main.aqua").write_text(
        'module Main\nimport "lib.aqua"\n\nalias Error: string -- text\nalias Other: u8\nalias Own: u8\n'
    )
    lib, main_ = migrate(files_of(tmp_path))
    assert lib.left == []
    assert main_.text == 'aqua Main\nimport "lib.aqua"\n\n-- text\nalias Other: u8\nalias Own: u8\n'
    assert [(d.code.id, d.is_error) for d in main_.left] == [("AQ0208", False)]


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.aqua").write_text(f"module Old declares *\n\n{FUNC}")
    (tmp_path / "new.aqua").write_text(f"aqua New\n\n{FUNC}")
    (tmp_path / "bare.aqua").write_bytes(b"\xef\xbb\xbf-- \xc3\xa9\r\n\r\ndata D:\r\n  a: u8\r\n")
    package = tmp_path / "node_modules" / "k"
    package.mkdir(parents=True)
    (package / "k.aqua").write_text("module K\n")
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_rewritten_in_place_once(project, capsys):
    os.chmod(project / "old.aqua", 0o640)
    assert main(["migrate", "."]) == 0
    assert "2 of 3 files changed" in capsys.readouterr().err
    after = contents(project)
    assert after["old.aqua"] == f"aqua Old declares *\n\n{FUNC}".encode()
    assert after["bare.aqua"] == b"\xef\xbb\xbf-- \xc3\xa9\r\n\r\naqua Bare declares *\r\n\r\ndata D:\r\n  a: u8\r\n"
    assert after["k.aqua"] == b"module K\n"
    assert (project / "old.aqua").stat().st_mode & 0o777 == 0o640
    assert sorted(after) == ["bare.aqua", "k.aqua", "new.aqua", "old.aqua"]
    assert main(["migrate", "."]) == 0
    assert "0 of 3 files changed" in capsys.readouterr().err
    assert contents(project) == after


def test_check_and_diff_write_nothing(project, capsys):
    before = contents(project)
    assert main(["migrate", "--check", "."]) == 1
    assert capsys.readouterr().out == "bare.aqua\nold.aqua\n"
    assert main(["migrate", "--diff", "old.aqua"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("--- a/old.aqua\n+++ b/old.aqua\n")
    assert "-module Old declares *\n+aqua Old declares *\n" in out
    assert main(["migrate", "--check", "--diff", "old.aqua"]) == 1
    assert main(["migrate", "--check", "new.aqua"]) == 0
    assert contents(project) == before


def test_a_link_stays_a_link(project):
    (project / "link.aqua").symlink_to("old.aqua")
    assert main(["migrate", "-q", "link.aqua"]) == 0
    assert (project / "link.aqua").is_symlink()
    assert (project / "old.aqua").read_text().startswith("aqua Old")


@pytest.mark.parametrize(
    ("code", "argv", "message"),
    [
        (2, ["nowhere.aqua"], "no file or folder"),
        (2, [], "PATH"),
        (1, ["latin.aqua"], "not UTF-8"),
        (1, ["broken.aqua"], "AQ0101"),
        (0, ["note.txt"], "passed over"),
    ],
)
def test_bad_input(project, capsys, code, argv, message):
    (project / "latin.aqua").write_bytes(b"module M\n-- \xe9\n")
    (project / "broken.aqua").write_text("module M\n\nfunc f(:\n")
    (project / "note.txt").write_text("module M\n")
    before = contents(project)
    assert main(["migrate", *argv]) == code
    assert message in capsys.readouterr().err
    assert contents(project) == before


def test_a_folder_that_cannot_be_written(project, capsys, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("aquac.migrate.os.replace", refuse)
    before = contents(project)
    assert main(["migrate", "old.aqua"]) == 2
    assert "cannot write" in capsys.readouterr().err
    assert contents(project) == before
