"""What the commands print for machines is what `aquac/schemas` says; the schemas refuse other shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from aquac import cli
from aquac.project.config import ImportsInvalid, parse_import_map
from tests.aquac.corpus import FILES, corpus
from tests.aquac.emit.hostile_programs import PROGRAMS
from tests.conformance.areas.aqua_air import compile_case

PAGES = Path(__file__).parents[2] / "docs" / "codes"
NAMES = ("compiled", "diagnostics", "doctor", "imports", "sarif", "source-map")


def schema(name: str) -> Any:
    return json.loads(files("aquac").joinpath(f"schemas/{name}.schema.json").read_text(encoding="utf-8"))


def check(name: str, document: Any) -> None:
    """Validate a document."""
    errors = [f"{error.json_path}: {error.message[:200]}" for error in validator(name).iter_errors(document)]
    assert errors == []


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema(name))


Run = Callable[..., Any]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; the document it prints."""

    def run_command(*words: str) -> Any:
        cli.main(list(words))
        return json.loads(capsys.readouterr().out)

    return run_command


def test_there_is_a_test_for_every_schema() -> None:
    found = {path.name.removesuffix(".schema.json") for path in files("aquac").joinpath("schemas").iterdir()}
    assert found == set(NAMES)
    for name in NAMES:
        jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.fixture
def example_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Write the first example of a code's page, and the files it imports."""

    def write(page: Path) -> Path:
        for part in page.read_text(encoding="utf-8").split("```aqua")[1:]:
            head, _, text = part.partition("\n")
            name = head.partition("file=")[2] or "main.aqua"
            (tmp_path / name).write_text(text.partition("```")[0], encoding="utf-8")
        return tmp_path / "main.aqua"

    return write


@pytest.mark.parametrize("page", sorted(PAGES.glob("AQ*.md")), ids=lambda page: page.stem)
def test_diagnostics(page: Path, run: Run, example_of: Callable[[Path], Path]) -> None:
    path = example_of(page)
    if not path.is_file():
        pytest.skip("what the page is about is not in a file")
    check("diagnostics", run("check", str(path), "--message-format", "json"))
    for base in (path.parent, path.parent.parent):
        check("sarif", run("-C", str(base), "check", str(path), "--message-format", "sarif"))


def test_notes_and_fixes_in_sarif(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a b.aqua").write_text(
        'aqua M\n\nfunc name() -> string:\n  <- "é"\n\nfunc g() -> string:\n  <- nam()\n'
    )
    log = run("-C", str(tmp_path), "check", "a b.aqua", "--message-format", "sarif")
    check("sarif", log)
    (result,) = log["runs"][0]["results"]
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.aqua"
    assert related["physicalLocation"]["region"]["startLine"] == 3
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "a%20b.aqua"
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 7, "startColumn": 6, "endLine": 7, "endColumn": 9},
            "insertedContent": {"text": "name"},
        }
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled(name: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "main.aqua").write_text(PROGRAMS[name], encoding="utf-8")
    document = run("-q", "build", str(tmp_path / "main.aqua"), "--target", "json")
    check("compiled", document)
    assert document["functions"] or document["services"]


def test_compiled_calls_and_failures(tmp_path: Path, run: Run) -> None:
    (tmp_path / "main.aqua").write_text("aqua M\n\nexport f\n\nfunc f(x: []u8, y: ?string) -> ?string:\n  <- y\n")
    path = str(tmp_path / "main.aqua")
    assert "functionCall" in run("call", path, "f([1], z)", "--data", '{"z": "a"}')
    for words in (
        ("call", path, "f([1], z)"),
        ("call", path, "g()"),
        ("call", path, "f("),
        ("call", path, 'f([1], "a")'),
    ):
        check("compiled", run(*words))
    (tmp_path / "main.aqua").write_text("aqua M\n\nexport f\n")
    document = run("build", path, "--target", "json")
    check("compiled", document)
    assert document["errors"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_compiled_corpus(name: str) -> None:
    for case in corpus(name):
        check("compiled", compile_case(case).to_json())


def test_doctor(run: Run) -> None:
    check("doctor", run("doctor", "--json"))


GOOD_MAPS = ('["a", "b"]', "[]", "{}", '{"/": {"": "x"}}', '{"/": {"": ["x", "y"], "@a": []}, "p": {}}')
BAD_MAPS = ("7", '"a"', "null", "[1]", '{"/": "x"}', '{"/": {"": 1}}', '{"/": {"": [1]}}', '{"/": {"": {"x": "y"}}}')


@pytest.mark.parametrize(("text", "good"), [*((t, True) for t in GOOD_MAPS), *((t, False) for t in BAD_MAPS)])
def test_import_maps(text: str, good: bool) -> None:
    """The schema accepts what the reader does."""
    assert validator("imports").is_valid(json.loads(text)) == good
    if good:
        parse_import_map(text)
    else:
        with pytest.raises(ImportsInvalid):
            parse_import_map(text)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("compiled", {"functions": {}, "services": {}, "errors": []}),
        ("compiled", {"functions": {}, "services": {"S": {"functions": {}}}, "errors": [], "warnings": []}),
        ("compiled", {"functions": {"f": {"script": ""}}, "services": {}, "errors": [], "warnings": []}),
        ("sarif", {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [{}]}),
        ("doctor", {"version": "1"}),
        ("source-map", {"version": 2}),
        ("diagnostics", {"diagnostics": [{}], "summary": {"errors": 0, "warnings": 0, "files": 0}}),
    ],
)
def test_other_shapes_are_refused(name: str, document: Any) -> None:
    assert not validator(name).is_valid(document)
