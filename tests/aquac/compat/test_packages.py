"""Published Aqua packages compile, old ones with `legacy_headers` or after `aquac migrate`, as the reference compiles them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

import aquac
from aquac.cli import main
from aquac.project.stdlib import stdlib_folder
from aquac.semantics.raw import FuncPart
from aquac.source import SourceFile
from aquac.syntax import ast
from aquac.syntax.parse import parse
from tests.conftest import node_modules
from tests.fuzz.aqua_differential import Reference

pytestmark = pytest.mark.slow

PACKAGES: Final = {
    "@fluencelabs/registry": "0.9.4",
    "@fluencelabs/trust-graph": "3.1.2",
    "@fluencelabs/spell": "0.7.6",
    "@fluencelabs/aqua-ipfs": "0.5.31",
    "@fluencelabs/aqua-lib": "0.10.2",
}
OLD: Final = ("@fluencelabs/registry", "@fluencelabs/trust-graph")
LEGACY: Final = aquac.Options(legacy_headers=True)
INSTALL_S_MAX: Final = 300
"""A registry that does not answer is no reason to fail."""


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages in `node_modules`; skips where npm or its registry is missing."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("packages")
    (folder / "package.json").write_text('{"private": true}\n')
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", *wanted]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_S_MAX, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("the registry of npm does not answer")
    if done.returncode != 0:
        pytest.skip(f"npm cannot install the packages: {done.stderr.strip()[-200:]}")
    return folder


@pytest.fixture(scope="session")
def migrated(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, every file rewritten by `aquac migrate`."""
    folder = tmp_path_factory.mktemp("migrated")
    shutil.copytree(packages, folder, dirs_exist_ok=True)
    for path in sources(folder):
        assert main(["-q", "migrate", str(path)]) == 0
    # The aliases that repeat imported ones can only be seen once their files are rewritten.
    for path in sources(folder):
        assert main(["-q", "migrate", "--check", str(path)]) == 0, path
    return folder


def sources(folder: Path) -> list[Path]:
    """Every Aqua file below `node_modules`, those of nested packages included."""
    return sorted((folder / "node_modules").rglob("*.aqua"))


def own(folder: Path) -> list[str]:
    """Imports of the files of the packages themselves."""
    top = folder / "node_modules"
    return sorted(p.relative_to(top).as_posix() for name in PACKAGES for p in (top / name).glob("*.aqua"))


def exporting(folder: Path, wanted: str) -> str | None:
    """A program that exports every function of a file that can be, and its services; None if there are none."""
    path = folder / "node_modules" / wanted
    compiled = aquac.compile_path(path, options=LEGACY)
    context = compiled.contexts[str(path)]
    file, _ = parse(SourceFile(str(path), path.read_text()), legacy=True)
    names = [d.name.text for d in file.definitions if isinstance(d, ast.Func | ast.Service)]
    assert all(
        isinstance(context.part(d.name.text, is_type=False), FuncPart)
        for d in file.definitions
        if isinstance(d, ast.Func)
    )
    return f'aqua Entry\n\nimport "{wanted}"\n\nexport {", ".join(names)}\n' if names else None


def import_map(folder: Path) -> dict[str, dict[str, list[str]]]:
    """For the reference, which does not look into `node_modules` itself: packages of a package before those beside it."""
    top = folder / "node_modules"
    found = {"/": {"": [str(top)]}}
    for name in PACKAGES:
        inner = top / name / "node_modules"
        if inner.is_dir():
            found[str(top / name)] = {"": [str(inner), str(top)]}
    return found


def compiled(folder: Path, program: str, options: aquac.Options) -> dict[str, Any]:
    """The document of a program beside `node_modules`."""
    result = aquac.compile_source(program, path=folder / "entry.aqua", options=options)
    assert [d.message for d in result.diagnostics if d.is_error] == []
    return result.to_json()


def test_every_file_is_accepted(packages: Path) -> None:
    """Old forms are warnings; nothing is said about names that are used or not."""
    files = sources(packages)
    assert len(files) > 30
    for path in files:
        result = aquac.compile_path(path, options=LEGACY)
        assert result.ok, [d.message for d in result.diagnostics]
        about_names = {"AQ0907", "AQ0909", "AQ0910", "AQ0911", "AQ0912", "AQ0913", "AQ0914"}
        assert not [d.message for d in result.diagnostics if d.code.id in about_names], path


def test_present_packages_need_no_flag(packages: Path) -> None:
    for wanted in own(packages):
        if not wanted.startswith(OLD):
            assert aquac.compile_path(packages / "node_modules" / wanted).ok
    assert not all(aquac.compile_path(packages / "node_modules" / w).ok for w in own(packages))


def test_migrated_packages_mean_the_same(packages: Path, migrated: Path) -> None:
    scripts = 0
    for wanted in own(packages):
        program = exporting(packages, wanted)
        if program is not None:
            before, after = compiled(packages, program, LEGACY), compiled(migrated, program, aquac.Options())
            assert before["functions"] == after["functions"]
            assert before["services"] == after["services"]
            scripts += len(after["functions"])
    assert scripts > 40


@pytest.mark.reference
def test_code_is_that_of_the_reference(migrated: Path, node: str) -> None:
    modules = node_modules()
    if modules is None:
        pytest.skip("reference packages are not installed: run `python3 tasks.py reference` (needs npm)")
    scripts = 0
    with Reference(modules) as reference:
        for wanted in own(migrated):
            program = exporting(migrated, wanted)
            if program is None:
                continue
            ours = compiled(migrated, program, aquac.Options())
            theirs = reference.compile({"entry.aqua": program}, "entry.aqua", {"imports": import_map(migrated)})
            assert theirs["errors"] == []
            # The reference also makes code of what imported files export.
            for kind in ("functions", "services"):
                assert {name: theirs[kind][name] for name in ours[kind]} == ours[kind], wanted
            scripts += len(ours["functions"])
    assert scripts > 40


# ── our library and the published one ────────────────────────────────────────────────────────────────────────────────


def declared(path: Path) -> dict[str, str]:
    """Definitions of a file with their types as text; members of services and data by dotted name."""
    text = path.read_text(encoding="utf-8")
    file, found = parse(SourceFile(str(path), text))
    assert not found
    result = {}
    for d in file.definitions:
        match d:
            case ast.Service():
                result[d.name.text] = d.id.text if isinstance(d.id, ast.Literal) else ""
                result |= {f"{d.name.text}.{m.name.text}": written(m.type) for m in d.members}
            case ast.Data():
                result[d.name.text] = ", ".join(f"{m.name.text}: {written(m.type)}" for m in d.members)
            case ast.Alias():
                result[d.name.text] = written(d.type)
            case ast.Func():
                result[d.name.text] = "func"
            case _:
                pass
    return result


def written(kind: ast.TypeExpr | ast.Param) -> str:
    """A type as it is written; names of parameters do not matter."""
    match kind:
        case ast.Param():
            return written(kind.type)
        case ast.BasicType(name) | ast.NamedType(name):
            return name
        case ast.CollectionType(mark, element):
            return mark + written(element)
        case ast.ArrowType(args, results):
            return f"({', '.join(map(written, args))}) -> {', '.join(map(written, results))}"
        case _:
            raise AssertionError(kind)


@pytest.mark.parametrize("package", ["@fluencelabs/aqua-lib", "@fluencelabs/spell"])
def test_our_library_declares_what_the_published_one_does(packages: Path, package: str) -> None:
    folder = Path(stdlib_folder(), "spell" if package.endswith("spell") else "")
    files = list((packages / "node_modules" / package).glob("*.aqua"))
    assert len(files) >= 4
    for path in files:
        ours, theirs = declared(folder / path.name), declared(path)
        assert {name: ours.get(name) for name in theirs} == theirs, path.name
