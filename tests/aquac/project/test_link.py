"""Loading: stages, order, errors; from memory and from disk."""

from __future__ import annotations

import os
import sys

import pytest

from aquac.project import bundle, link
from aquac.project.bundle import Bundle, Overlay
from aquac.project.config import ProjectConfig
from aquac.project.stdlib import stdlib_folder


def load(files, *entries, config=None):
    return link.load(entries or ["main.aqua"], config, Bundle(files))


def check(files: dict[str, str], *expected: tuple[str | None, str, str | None], entries=("main.aqua",)) -> None:
    """`expected`: file, kind and underlined text of every diagnostic."""
    _, diagnostics = load(files, *entries)
    found = []
    for d in diagnostics:
        text = d.file.text[d.span.start : d.span.end] if d.file and d.span else None
        found.append((d.file.path if d.file else None, d.code.kind, text))
    assert found == list(expected)


def test_imports_come_first():
    modules, diagnostics = load(
        {
            "main.aqua": 'aqua M\nimport "a"\nuse "./b.aqua" as B\nimport "a.aqua"\n',
            "a.aqua": 'aqua A\nimport "sub/c"\n',
            "b.aqua": 'aqua B\nimport "sub/c.aqua"\n',
            "sub/c.aqua": "aqua C\n",
        }
    )
    assert not diagnostics
    assert [m.path for m in modules] == ["sub/c.aqua", "a.aqua", "b.aqua", "main.aqua"]
    assert [m.entry for m in modules] == [False, False, False, True]
    assert modules[-1].imports == {'"a"': "a.aqua", '"./b.aqua"': "b.aqua", '"a.aqua"': "a.aqua"}


def test_folders_and_several_entries():
    files = {"p/b.aqua": "aqua B\n", "p/a.aqua": 'aqua A\nimport "b"\n', "q/x.aqua": "aqua X\n", "p/no.txt": "?"}
    modules, diagnostics = load(files, "p", "p/a.aqua")
    assert not diagnostics
    assert [(m.path, m.entry) for m in modules] == [("p/b.aqua", True), ("p/a.aqua", True)]


def test_missing_entry():
    check({}, (None, "source.not-found", None))


def test_other_suffix_is_no_error():
    modules, diagnostics = load({"main.txt": "whatever"}, "main.txt")
    assert (modules, diagnostics) == ([], [])


def test_entry_errors_stop_before_imports():
    check({"main.aqua": 'aqua M\nimport "nope"\nconst A = = 1\n'}, ("main.aqua", "syntax", "="))


def test_unresolved_imports_are_all_reported_and_hide_broken_ones():
    check(
        {"main.aqua": 'aqua M\nimport "x"\nuse "y.aqua" as Y\nimport "bad"\n', "bad.aqua": "const ="},
        ("main.aqua", "import.unresolved", '"x"'),
        ("main.aqua", "import.unresolved", '"y.aqua"'),
    )


def test_candidates_are_named():
    config = ProjectConfig(imports={"/": {"": ("lib",)}})
    _, (diagnostic,) = load({"main.aqua": 'aqua M\nimport "x"\n'}, config=config)
    assert [n.message for n in diagnostic.notes] == [
        "tried x.aqua",
        "tried lib/x.aqua",
        "and no `node_modules` folder at or above this file has it",
    ]


def test_broken_import_blames_the_imports_it_was_read_for():
    check(
        {
            "main.aqua": 'aqua M\nimport "a"\nimport "ok"\n',
            "a.aqua": 'aqua A\nimport "bad"\n',
            "ok.aqua": "aqua Ok\n",
            "bad.aqua": "aqua Bad\nconst A = =\n",
        },
        ("bad.aqua", "syntax", "="),
        ("a.aqua", "import.failed", '"bad"'),
    )


def test_an_import_read_no_earlier_is_not_blamed():
    check(
        {
            "main.aqua": 'aqua M\nimport "bad.aqua"\nuse "bad" as B\nimport "a"\n',
            "a.aqua": 'aqua A\nimport "bad"\n',
            "bad.aqua": "aqua Bad\nconst A = =\n",
        },
        ("bad.aqua", "syntax", "="),
        ("main.aqua", "import.failed", '"bad"'),
    )


def test_editors_see_every_import_that_leads_to_a_broken_file():
    files = {
        "main.aqua": 'aqua M\nimport "a"\n',
        "a.aqua": 'aqua A\nimport "bad"\n',
        "bad.aqua": "aqua Bad\nconst A = =\n",
    }
    _, found = link.load(["main.aqua"], None, Bundle(files), keep_going=True)
    blamed = [d.file.path for d in found if d.code.kind == "import.failed"]
    assert blamed == ["main.aqua", "a.aqua"]


def test_what_needs_fewer_others_comes_first():
    files = {
        "main.aqua": 'aqua M\nimport "a"\nimport "b"\n',
        "a.aqua": 'aqua A\nimport "c"\n',
        "b.aqua": "aqua B\n",
        "c.aqua": "aqua C\n",
    }
    modules, _ = load(files)
    assert [m.path for m in modules] == ["b.aqua", "c.aqua", "a.aqua", "main.aqua"]


def test_cycles_are_looked_for_when_everything_is_read():
    files = cycle("main", "a") | {"main.aqua": 'aqua M\nimport "a"\nimport "nope"\n'}
    check(files, ("main.aqua", "import.unresolved", '"nope"'))
    files = cycle("main", "a") | {"a.aqua": 'aqua A\nimport "main"\nimport "nope"\n'}
    check(files, ("a.aqua", "import.unresolved", '"nope"'), ("main.aqua", "import.failed", '"a.aqua"'))


def test_modules_beside_a_cycle_are_linked_before_it():
    files = {
        "main.aqua": 'aqua M\nimport "a"\nimport "ok"\n',
        "a.aqua": 'aqua A\nimport "main"\n',
        "ok.aqua": "aqua Ok\n",
    }
    modules, _ = load(files)
    assert [m.path for m in modules] == ["ok.aqua", "main.aqua", "a.aqua"]


def cycle(*names: str) -> dict[str, str]:
    pairs = zip(names, (*names[1:], names[0]), strict=True)
    return {f"{a}.aqua": f'aqua {a.upper()}\nimport "{b}.aqua"\n' for a, b in pairs}


@pytest.mark.parametrize("names", [("main",), ("main", "a"), ("main", "a", "b")])
def test_cycles(names):
    _, (diagnostic,) = load(cycle(*names))
    assert diagnostic.code.kind == "import.cycle"
    assert diagnostic.span is None
    for a, b in zip(names, (*names[1:], names[0]), strict=True):
        assert f"{a}.aqua imports {b}.aqua" in diagnostic.message
    assert len(diagnostic.notes) == len(names)


def test_cycles_with_the_same_members_count_once_others_do_not():
    files = {
        "main.aqua": 'aqua M\nimport "a"\nimport "b"\n',
        "a.aqua": 'aqua A\nimport "main"\n',
        "b.aqua": 'aqua B\nimport "b"\n',
    }
    _, diagnostics = load(files)
    assert [d.code.kind for d in diagnostics] == ["import.cycle", "import.cycle"]


def test_long_chain_of_imports():
    files = {f"m{i}.aqua": f'aqua M{i}\nimport "m{i + 1}"\n' for i in range(1500)}
    files["m1500.aqua"] = "aqua Last\n"
    modules, diagnostics = load(files, "m0.aqua")
    assert not diagnostics
    assert [m.path for m in modules[:2]] == ["m1500.aqua", "m1499.aqua"]


def test_limit_of_modules(monkeypatch):
    monkeypatch.setattr(link, "MODULES_MAX", 3)
    files = {f"m{i}.aqua": f'aqua M{i}\nimport "m{i + 1}"\n' for i in range(3)}
    files["m3.aqua"] = "aqua Last\n"
    assert [d.code.kind for d in load(files, "m0.aqua")[1]] == ["unsupported"]
    assert load(files, "m1.aqua")[1] == []


def test_standard_library_is_found_last():
    text = 'aqua M\nimport "@fluencelabs/aqua-lib/builtin.aqua"\n'
    modules, diagnostics = load({"main.aqua": text})
    assert not diagnostics
    assert modules[0].path == os.path.join(stdlib_folder(), "builtin.aqua")
    own = "@fluencelabs/aqua-lib/builtin.aqua"
    modules, _ = load({"main.aqua": text, own: "aqua Own\n"})
    assert modules[0].path == own
    _, (diagnostic,) = load({"main.aqua": text}, config=ProjectConfig(stdlib=False))
    assert diagnostic.code.kind == "import.unresolved"


def test_standard_library_cannot_be_left():
    check(
        {"main.aqua": 'aqua M\nimport "stdlib/../pyproject.toml"\n'},
        ("main.aqua", "import.unresolved", '"stdlib/../pyproject.toml"'),
    )


def on_disk(path, *entries):
    return link.load(entries or [str(path)])


def test_disk(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.aqua").write_text("?")
    (tmp_path / "main.aqua").write_bytes('\ufeffaqua M\nimport "sub/lib"\n'.encode())
    (tmp_path / "sub" / "lib.aqua").write_text("aqua L\n")
    modules, diagnostics = on_disk(tmp_path)
    assert not diagnostics
    assert [os.path.relpath(m.path, tmp_path) for m in modules] == [os.path.join("sub", "lib.aqua"), "main.aqua"]
    assert modules[1].source.text.startswith("aqua")


def test_not_utf8(tmp_path):
    path = tmp_path / "main.aqua"
    path.write_bytes(b"aqua M\n-- \xff\n")
    _, (diagnostic,) = on_disk(path)
    assert diagnostic.code.id == "AQ0111"
    assert "0xff at offset 10" in diagnostic.message


def test_imported_file_not_utf8(tmp_path):
    (tmp_path / "main.aqua").write_text('aqua M\nimport "a"\n')
    (tmp_path / "a.aqua").write_bytes(b"\xc3(")
    _, diagnostics = on_disk(tmp_path / "main.aqua")
    assert [d.code.id for d in diagnostics] == ["AQ0111", "AQ0121"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_unreadable(tmp_path):
    path = tmp_path / "main.aqua"
    path.write_text("aqua M\n")
    path.chmod(0)
    _, (diagnostic,) = on_disk(path)
    assert diagnostic.code.id == "AQ0112"


def test_a_store_that_fails():
    class Broken(Bundle):
        def read(self, path):
            raise PermissionError(13, "Permission denied")

    _, (diagnostic,) = link.load(["main.aqua"], None, Broken({"main.aqua": ""}))
    assert diagnostic.code.id == "AQ0112"
    assert "Permission denied" in diagnostic.message


def test_too_large(monkeypatch):
    monkeypatch.setattr(bundle, "SOURCE_BYTES_MAX", 10)
    assert load({"main.aqua": "aqua M----"})[1] == []
    assert [d.code.id for d in load({"main.aqua": "aqua M-----"})[1]] == ["AQ0113"]


def test_overlay_hides_the_disk(tmp_path):
    path = str(tmp_path / "main.aqua")
    (tmp_path / "main.aqua").write_text("old")
    (tmp_path / "lib.aqua").write_text("aqua L\n")
    modules, diagnostics = link.load([path], None, Overlay({path: 'aqua M\nimport "lib"\nimport "new"\n'}))
    assert [d.code.kind for d in diagnostics] == ["import.unresolved"]
    new = str(tmp_path / "new.aqua")
    buffers = {path: 'aqua M\nimport "lib"\nimport "new"\n', new: "aqua N\n"}
    modules, diagnostics = link.load([path], None, Overlay(buffers))
    assert not diagnostics
    assert len(modules) == 3


def test_strange_paths():
    for entry in ("", ".", "/", "\x00", "a\x00b.aqua", "x" * 5000 + ".aqua"):
        modules, _ = link.load([entry], None, Bundle({}))
        assert modules == []
    modules, diagnostics = on_disk("", "\x00.aqua")
    assert modules == []
    assert [d.code.kind for d in diagnostics] == ["source.not-found"]
