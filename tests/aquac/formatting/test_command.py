"""`aquac fmt`: what it writes, prints and answers."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest

import aquac.formatting.document as document
from aquac.cli import main

UGLY = "aqua  A\n\nfunc f( ):\n  x=1\n"
NICE = "aqua A\n\nfunc f():\n    x = 1\n"
WRONG = "aqua A\n\nfunc f(:\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, text: str = UGLY) -> Path:
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode())
    return place


def feed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_files_are_rewritten_once(capsys: pytest.CaptureFixture[str]) -> None:
    ugly, nice = put("a.aqua"), put("b.aqua", NICE)
    before = nice.stat()
    assert main(["fmt", "a.aqua", "b.aqua"]) == 0
    assert ugly.read_text() == NICE
    assert (nice.stat().st_ino, nice.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert capsys.readouterr() == ("", "1 of 2 files changed\n")
    written = ugly.stat()
    assert main(["fmt", "a.aqua", "-q"]) == 0
    assert (ugly.stat().st_ino, ugly.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert capsys.readouterr() == ("", "")


def test_without_path_the_present_folder(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.aqua", "in/b.aqua", "node_modules/c.aqua", ".hidden/d.aqua", "e.txt"):
        put(name)
    assert main(["fmt", "-v"]) == 0
    assert Path("a.aqua").read_text() == Path("in/b.aqua").read_text() == NICE
    for name in ("node_modules/c.aqua", ".hidden/d.aqua", "e.txt"):
        assert Path(name).read_text() == UGLY
    assert capsys.readouterr().err == f"a.aqua\n{os.path.join('in', 'b.aqua')}\n2 of 2 files changed\n"


def test_check_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    put("a.aqua")
    put("b.aqua", NICE)
    assert main(["fmt", "--check", "."]) == 1
    assert capsys.readouterr() == ("a.aqua\n", "1 of 2 files would change\n")
    assert Path("a.aqua").read_text() == UGLY
    assert main(["fmt", "--check", "b.aqua"]) == 0


def test_diff_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    put("in/a.aqua", "aqua  A")
    assert main(["fmt", "--diff", "in", "-q"]) == 0
    assert capsys.readouterr().out == (
        "--- a/in/a.aqua\n+++ b/in/a.aqua\n@@ -1 +1 @@\n-aqua  A\n\\ No newline at end of file\n+aqua A\n"
    )
    assert Path("in/a.aqua").read_text() == "aqua  A"
    assert main(["fmt", "--diff", "--check", "in"]) == 1


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, b"\xef\xbb\xbf" + UGLY.replace("\n", "\r\n").encode())
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr() == (NICE.replace("\n", "\r\n"), "")
    feed(monkeypatch, UGLY.encode())
    assert main(["fmt", "-", "--check"]) == 1
    assert capsys.readouterr().out == "<stdin>\n"
    feed(monkeypatch, NICE.encode())
    assert main(["fmt", "-", "--check"]) == 0
    feed(monkeypatch, WRONG.encode())
    assert main(["fmt", "-"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "is never closed" in err


def test_errors_leave_their_file_alone(capsys: pytest.CaptureFixture[str]) -> None:
    put("a.aqua", WRONG)
    put("b.aqua")
    Path("c.aqua").write_bytes(b"aqua A\n\xff\n")
    assert main(["fmt", "."]) == 1
    assert Path("a.aqua").read_text() == WRONG
    assert Path("b.aqua").read_text() == NICE
    err = capsys.readouterr().err
    assert "a.aqua:3:7" in err
    assert "is not UTF-8" in err
    assert "1 of 3 files changed" in err
    assert main(["fmt", "a.aqua", "--message-format", "json", "-q"]) == 1
    assert '"AQ0101"' in capsys.readouterr().err


def test_permissions_links_and_byte_order_mark_stay() -> None:
    place = put("real/a.aqua", "\ufeff" + UGLY)
    place.chmod(0o640)
    Path("link.aqua").symlink_to(place)
    assert main(["fmt", "link.aqua"]) == 0
    assert place.read_bytes() == b"\xef\xbb\xbf" + NICE.encode()
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    assert Path("link.aqua").is_symlink()
    assert sorted(os.listdir("real")) == ["a.aqua"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the folder must not be writable")
def test_a_folder_that_cannot_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    put("in/a.aqua")
    Path("in").chmod(0o500)
    assert main(["fmt", "in"]) == 2
    Path("in").chmod(0o700)
    assert "cannot write" in capsys.readouterr().err


def test_range(capsys: pytest.CaptureFixture[str]) -> None:
    place = put("a.aqua", UGLY + "\nfunc g( ):\n  y=1\n")
    assert main(["fmt", "a.aqua", "--range", "6:7"]) == 0
    assert place.read_text() == UGLY + "\nfunc g():\n    y = 1\n"
    put("b.aqua")
    assert main(["fmt", ".", "--range", "1:2"]) == 2
    assert "one file" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["1", "2:1", "0:3", "a:b", "1:", ":", "1:2:3", "-1:2"])
def test_ranges_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    put("a.aqua")
    assert main(["fmt", "a.aqua", f"--range={text}"]) == 2
    assert "no range of lines" in capsys.readouterr().err


@pytest.mark.parametrize(("args", "said"), [(["-", "a.aqua"], "alone"), (["missing.aqua"], "no file or folder")])
def test_wrong_paths(args: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    put("a.aqua")
    assert main(["fmt", *args]) == 2
    assert said in capsys.readouterr().err


def test_other_files_are_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    put("a.txt")
    assert main(["fmt", "a.txt"]) == 0
    assert "passed over" in capsys.readouterr().err
    assert Path("a.txt").read_text() == UGLY


def test_a_bug_ends_with_70(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    put("a.aqua")
    put("b.aqua", "-- nothing to get wrong\n\n\n")
    monkeypatch.setattr(document.Spacing, "flat", lambda *_: "y = 2")
    assert main(["fmt", "."]) == 70
    assert Path("a.aqua").read_text() == UGLY
    assert Path("b.aqua").read_text() == "-- nothing to get wrong\n"
    assert "would change the program" in capsys.readouterr().err
