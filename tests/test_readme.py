"""The README shows files as they are: `pytest --update-golden` copies them in."""

from __future__ import annotations

import re
from pathlib import Path

from tests.golden import Golden

ROOT = Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r"<!-- (?P<path>\S+) -->\n```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


def shown(path: str) -> str:
    """A source file as it is; of an `expected.txt` the commands with `$`, as seen from the root."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if not path.endswith("expected.txt"):
        return text
    folder = str(Path(path).parent)
    return re.sub(r"^# avm run main", f"$ avm run {folder}/main", text, flags=re.MULTILINE)


def test_the_readme_shows_the_examples_as_they_are(golden: Golden) -> None:
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    assert INCLUDE.search(text)
    wanted = INCLUDE.sub(lambda m: f"<!-- {m['path']} -->\n```{m['kind']}\n{shown(m['path'])}```", text)
    if golden.update and wanted != text:
        readme.write_text(wanted, encoding="utf-8")
    else:
        assert text == wanted, "pytest --update-golden tests/test_readme.py"


def test_its_commands_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tasks = (ROOT / "tasks.py").read_text(encoding="utf-8")
    for task in re.findall(r"python3 tasks\.py (\w+)", text):
        assert f"def {task}(" in tasks
    for path in re.findall(r"`((?:docs|tests|examples)/[\w./]+)`", text):
        assert (ROOT / path).exists(), path


def test_the_code_map_names_what_is_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE)
    assert len(rows) > 20
    for row in rows:
        first, *others = row.split()
        folder = Path(first).parent
        for path in (Path(first), *(folder / other for other in others)):
            assert (ROOT / path).exists(), path


def test_recipes_name_files_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:aquac|avm|runtime|lsp|tests|docs)/[\w./]+\.(?:py|md|toml))`", text):
        assert (ROOT / path).exists(), path
