"""What generators work from: doc comments, names, and the files that `aquac build` makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquac import compile_bundle
from aquac.cli import main
from aquac.emit.bindings import Doc, bindings
from aquac.emit.names import Namer, module_path, snake_case

from .binding_program import FILES, PROGRAM, bound


def test_doc_comments_are_found() -> None:
    found = bound(PROGRAM)
    docs = {function.name: function.doc for function in found.functions}
    assert docs["greet"] == 'Greets "somebody"\nwith `ticks`, ${dollar} and \\ backslash.'
    assert docs["order"] == ""
    shop = next(service for service in found.services if service.name == "Shop")
    assert shop.doc == Doc('A shop "with docs" */ \\\nand two lines.', {"price": "Price of an order."})


def test_data_of_one_name_keep_their_own_comments() -> None:
    found = bound(PROGRAM)
    corner, point = (next(f for f in found.functions if f.name == "shape").codomain["items"][at] for at in (0, 1))
    assert found.data_doc(corner) == Doc("A corner.", {"name": "its name"})
    assert found.data_doc(point) == Doc("A place in the plane.", {"x": "to the right"})


def test_comments_follow_exports_from_other_modules() -> None:
    files = {
        "lib.aqua": 'aqua Lib declares *\n-- Of lib.\nfunc f():\n  g = 1\n-- Serves.\nservice S("s"):\n  a()\n',
        "main.aqua": 'aqua Main\nuse "lib.aqua" as L\nimport "lib.aqua"\nexport L.f as one, f as two, S as T\n',
    }
    compiled = compile_bundle(files, "main.aqua")
    found = bindings(compiled)
    assert sorted((f.name, f.doc) for f in found.functions) == [("one", "Of lib."), ("two", "Of lib.")]
    assert [(s.name, s.doc.text) for s in found.services] == [("T", "Serves.")]
    assert compiled.entries == ("main.aqua",)


def test_names_are_given_once() -> None:
    namer = Namer({"class"})
    assert [namer.name(wanted) for wanted in ("a", "a", "class", "class_", "a")] == [
        "a",
        "a_",
        "class_",
        "class__",
        "a__",
    ]
    assert namer.name_with("f", ("", "_script")) == "f"
    assert namer.name_with("f", ("", "_script")) == "f_"
    assert namer.name("f_script") == "f_script_"


@pytest.mark.parametrize(
    ("name", "expected"), [("Echo", "echo"), ("NoId", "no_id"), ("HTTPServer2Go", "http_server2_go"), ("a", "a")]
)
def test_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("a/b", "a/b"),
        ("my-app", "my_app"),
        ("2nd", "_2nd"),
        ("class", "class_"),
        ("a.b", "a_b"),
        ("json", "json_"),
        ("x/runtime", "x/runtime_"),
    ],
)
def test_module_path(stem: str, expected: str) -> None:
    assert module_path(stem) == expected


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def build(folder: Path, *words: str) -> int:
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return main(["-C", str(folder), "-q", "build", *words])


def test_files_of_the_targets(tmp_path: Path) -> None:
    assert build(tmp_path, "main.aqua", "-o", "out", "--target", "ts,js,py,json") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "main.d.ts", "main.js", "main.json", "main.py", "main.ts",
    ]  # fmt: skip


def test_nothing_exported_makes_no_module(tmp_path: Path) -> None:
    assert build(tmp_path, "shapes.aqua", "-o", "out", "--target", "ts,js,py") == 0
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("target", "piece"),
    [("ts", "): GreetResult {"), ("js", "export function greet(...args) {"), ("py", "async def greet(")],
)
def test_a_target_can_be_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str, piece: str) -> None:
    assert build(tmp_path, "main.aqua", "--target", target) == 0
    assert piece in capsys.readouterr().out


def test_two_sources_for_one_module_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a-b.aqua", "a_b.aqua"):
        (tmp_path / name).write_text("aqua M\nexport f\nfunc f():\n  x = 1\n")
    assert main(["-C", str(tmp_path), "-q", "build", "a-b.aqua", "a_b.aqua", "-o", "out", "--target", "py"]) == 2
    assert "two of the given files would make a_b.py" in capsys.readouterr().err
