"""Settings: shapes, defaults, problems, and what they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from lsp.settings import read_settings, section_of
from lsp.workspace import Workspace


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (5, "settings are an object"),
        ({"importFolders": "lib"}, "importFolders is a list of texts"),
        ({"constants": ["a = 1"]}, "invalid constant definition"),
        ({"legacyHeaders": 1}, "legacyHeaders is true or false"),
        ({"inlayHints": True}, "inlayHints is an object"),
        ({"inlayHints": {"types": "no"}}, "inlayHints.types is true or false"),
        ({"imports": {"/": 3}}, "imports: "),
    ],
)
def test_wrong_settings_are_named_and_have_their_defaults(value: object, problem: str) -> None:
    settings = read_settings(value)
    assert [p for p in settings.problems if problem in p]
    assert settings.type_hints
    assert not settings.legacy_headers


@pytest.mark.parametrize("value", [None, {}])
def test_nothing_set(value: object) -> None:
    assert read_settings(value).problems == ()


def test_import_folders_are_seen_from_the_workspace_folder(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "lib.aqua").write_text("aqua Lib declares *\n\nconst ONE = 1\n")
    main = str(tmp_path / "src" / "main.aqua")
    workspace = Workspace(read_settings({}, [str(tmp_path)]))
    workspace.set_text(main, 'aqua Main declares *\n\nimport "lib.aqua"\n\nconst TWO = ONE\n')
    assert [d.code.id for d in workspace.check(main)[main]] == ["AQ0120"]
    workspace.configure(read_settings({"importFolders": ["vendor"]}, [str(tmp_path)]))
    assert workspace.check(main)[main] == []


def test_constants_and_legacy_headers() -> None:
    text = "func f() -> u8:\n  <- LIMIT\n"
    workspace = Workspace()
    workspace.set_text("/w/a.aqua", text)
    assert {d.code.id for d in workspace.check("/w/a.aqua")["/w/a.aqua"]} == {"AQ0124", "AQ0201"}
    workspace.configure(read_settings({"legacyHeaders": True, "constants": ["LIMIT = 5"]}))
    assert [d for d in workspace.check("/w/a.aqua")["/w/a.aqua"] if d.is_error] == []


def test_files_that_change_on_disk_are_read_again(tmp_path: Path) -> None:
    lib, main = tmp_path / "lib.aqua", str(tmp_path / "main.aqua")
    lib.write_text("aqua Lib declares *\n\nconst ONE = 1\n")
    workspace = Workspace(read_settings({}, [str(tmp_path)]))
    workspace.set_text(main, 'aqua Main declares *\n\nimport "lib.aqua"\n\nconst TWO = ONE\n')
    assert workspace.check(main)[main] == []
    lib.write_text("aqua Lib declares *\n\nconst OTHER = 1\n")
    workspace.files_changed()
    assert [d.code.id for d in workspace.check(main)[main]] == ["AQ0201"]


@pytest.mark.parametrize("value", [{"aqua": {"codeLens": False}}, {"codeLens": False}])
def test_settings_come_with_or_without_their_section(value: object) -> None:
    assert not read_settings(section_of(value)).lenses


def test_a_folder_inside_another_has_its_own_settings(tmp_path: Path) -> None:
    inner = str(tmp_path / "inner")
    workspace = Workspace()
    own = read_settings({"codeLens": False}, [inner])
    workspace.configure(read_settings({}, [str(tmp_path)]), {str(tmp_path): read_settings({}), inner: own})
    assert not workspace.settings_of(f"{inner}/a.aqua").lenses
    assert workspace.settings_of(f"{inner}more/a.aqua").lenses
    assert workspace.settings_of("/elsewhere/a.aqua").lenses
