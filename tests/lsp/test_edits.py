"""What an edit costs, and that the editor says what the command line says. Random edits are in `tests/fuzz/lsp_edits.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from aquac.compiler import compile_bundle
from aquac.source import SourceFile
from aquac.syntax.parse import parse
from lsp.line_cache import LineCache
from lsp.settings import read_settings
from lsp.workspace import VIEWS_MAX, Workspace
from tests.fuzz.aqua_mutation import corpus, mutated
from tests.golden import load

CORPUS = Path(__file__).parent / "corpus"
STDLIB = Path(__file__).parents[2] / "stdlib"
MAIN, LIB = "/w/main.aqua", "/w/lib.aqua"


def texts() -> tuple[str, str]:
    """The files most fixtures consist of."""
    source = load(CORPUS / "folding.txt")[0].input
    main, rest = source.split("//- lib.aqua\n")
    return main, rest.split("//- mod.aqua\n")[0]


def test_only_dependents_are_checked_again() -> None:
    main, lib = texts()
    workspace = Workspace()
    workspace.set_text(LIB, lib)
    workspace.set_text(MAIN, main)
    before = {path: checked.context for path, checked in workspace.project(MAIN).modules.items()}
    workspace.set_text(MAIN, main + "\n")
    after = workspace.project(MAIN).modules
    assert after[LIB].context is before[LIB]
    assert after[MAIN].context is not before[MAIN]
    workspace.set_text(LIB, lib + "\n")
    again = workspace.project(MAIN).modules
    assert again[LIB].context is not before[LIB]
    assert again[MAIN].context is not after[MAIN].context


def many_files(folder: Path, number: int) -> list[Path]:
    """A tree of files: each imports the one at half its number."""
    paths = [folder / f"m{n}.aqua" for n in range(number)]
    for n, path in enumerate(paths):
        imported = f'import "m{n // 2}.aqua"\n' if n else ""
        call = f"  y <- f{n // 2}(x)\n  <- y\n" if n else "  <- x\n"
        path.write_text(f"aqua M{n} declares *\n\n{imported}\nfunc f{n}(x: u32) -> u32:\n{call}")
    return paths


def test_of_a_thousand_files_only_dependants_are_parsed_and_checked_again(tmp_path: Path) -> None:
    paths = many_files(tmp_path, 1000)
    workspace = Workspace(read_settings({}, [str(tmp_path)]))
    for path in paths:
        assert not any(d.is_error for d in workspace.check(str(path))[str(path)])
    assert (workspace.counts.parsed, workspace.counts.checked) == (1000, 1000)
    leaf, middle = paths[999], paths[124]
    for n, (path, dependants) in enumerate([(leaf, 1), (middle, 1 + 2 + 4 + 8), (leaf, 1)], 1):
        # 124 is imported by 248 and 249, these by 496 to 499, these by 992 to 999.
        workspace.set_text(str(path), path.read_text() + "\n" * n)
        before = workspace.counts.parsed, workspace.counts.checked
        for other in paths:
            workspace.check(str(other))
        assert workspace.counts.parsed - before[0] == 1
        assert workspace.counts.checked - before[1] == dependants


def test_a_file_that_changed_on_disk_without_other_text_is_not_parsed_again(tmp_path: Path) -> None:
    (path,) = many_files(tmp_path, 1)
    workspace = Workspace(read_settings({}, [str(tmp_path)]))
    workspace.check(str(path))
    path.write_text(path.read_text())
    workspace.files_changed()
    workspace.check(str(path))
    assert (workspace.counts.parsed, workspace.counts.checked) == (1, 1)


def test_facts_of_files_looked_at_long_ago_are_forgotten(tmp_path: Path) -> None:
    paths = many_files(tmp_path, VIEWS_MAX + 20)
    workspace = Workspace(read_settings({}, [str(tmp_path)]))
    workspace.set_text(str(paths[0]), paths[0].read_text())
    opened = workspace.view(str(paths[0]))
    views = [workspace.view(str(path)) for path in paths]
    assert workspace.view(str(paths[0])) is opened
    assert workspace.view(str(paths[1])) is not views[1]
    assert workspace.view(str(paths[-1])) is views[-1]


def test_kept_lines_make_the_same_tree() -> None:
    lines = LineCache()
    text = (STDLIB / "builtin.aqua").read_text(encoding="utf-8")
    for version in (text, "\n\n" + text, text.replace("service", "\nservice", 1), text):
        lines.next_version()
        source = SourceFile("x.aqua", version)
        assert parse(source, parser=lines) == parse(source)


def check_findings(files: dict[str, str], entry: str) -> None:
    """What the editor shows of a program is what the command line prints."""
    compiled = compile_bundle(files, entry)
    workspace = Workspace()
    for path, body in files.items():
        workspace.set_text(path, body)
    shown = [(d.code.id, d.file and d.file.path, d.span) for ds in workspace.check(entry).values() for d in ds]
    printed = [(d.code.id, d.file and d.file.path, d.span) for d in compiled.diagnostics]
    assert sorted(shown, key=str) == sorted(printed, key=str)


@pytest.mark.parametrize("case", load(CORPUS / "code_actions.txt"), ids=lambda case: case.name)
def test_findings_are_those_of_the_compiler(case) -> None:
    text = case.input.replace("$0", "").replace("$1", "")
    files = {MAIN: text.split("//- ")[0]}
    for part in text.split("//- ")[1:]:
        name, _, body = part.partition("\n")
        files[f"/w/{name}"] = body
    check_findings(files, MAIN)


@pytest.mark.skipif(not corpus(), reason="the conformance corpus is not here")
@pytest.mark.parametrize("seed", range(1400, 1480))
def test_findings_of_wrong_programs_are_those_of_the_compiler(seed: int) -> None:
    program = mutated(seed)
    check_findings({f"/w/{name}": text for name, text in program.files.items()}, f"/w/{program.entry}")
