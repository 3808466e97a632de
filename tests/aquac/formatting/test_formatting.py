"""What formatting does, and that it does nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import aquac.formatting.document as document
import aquac.formatting.wrapping as wrapping
from aquac import compile_bundle
from aquac.formatting.checking import same_comments, same_tree
from aquac.formatting.document import FormattingChangedProgram, format_source
from aquac.formatting.limits import WIDTH
from aquac.formatting.lines import TextParser
from aquac.source import SourceFile
from aquac.syntax.layout import lay_out
from aquac.syntax.parse import parse
from tests.conftest import ROOT
from tests.fuzz.aqua_differential import Reference
from tests.fuzz.aqua_generator import generate
from tests.fuzz.aqua_mutation import corpus as programs
from tests.fuzz.aqua_respace import respaced
from tests.golden import Case, Golden, corpus

needs_corpus = pytest.mark.skipif(not programs(), reason="the conformance corpus is not here")
RANGE = re.compile(r"^-- lines (\d+):(\d+)\n")
GENERATED = 40


def check(text: str) -> str:
    """The formatted text of a program; it is stable and says the same, as an independent parser of the whole file sees it."""
    source = SourceFile("a.aqua", text)
    made = format_source(source)
    assert made.errors == ()
    after = SourceFile("a.aqua", made.text)
    assert format_source(after).text == made.text
    assert not format_source(after).changed
    before_file, after_file = parse(source)[0], parse(after)[0]
    assert same_tree(before_file, after_file)
    assert same_comments(before_file, after_file)
    assert re.search(r"[ \t]$", re.sub(r'"[^"]*"', '""', made.text), re.MULTILINE) is None
    assert made.text == "" or made.text.endswith("\n")
    return made.text


def sources() -> list[str]:
    """Files without syntax errors: of the corpora, of this repository, and packages of others where they are installed."""
    texts = [text for files in programs() for text in files.values()]
    folders = [ROOT / "stdlib", ROOT / "examples", ROOT / "tests", ROOT / ".reference" / "node_modules"]
    texts += [path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.rglob("*.aqua"))]
    good = {text for text in texts if not any(d.is_error for d in parse(SourceFile("a.aqua", text))[1])}
    return sorted(good)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of 24 columns, so that every bracket that can be opened is."""
    monkeypatch.setattr(wrapping, "WIDTH", 24)
    monkeypatch.setattr(document, "WIDTH", 24)


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus"))
def test_style(case: Case, golden: Golden) -> None:
    found = RANGE.match(case.input)
    if found is None:
        golden.check(case, "expected", check(case.input.removesuffix("\n") if "no break" in case.name else case.input))
        return
    text = case.input[found.end() :]
    made = format_source(SourceFile("a.aqua", text), lines=(int(found[1]), int(found[2])))
    assert made.errors == ()
    golden.check(case, "expected", made.text)


def test_examples_of_the_documentation() -> None:
    blocks = re.findall(
        r"```aqua( before)?\n(.*?)```", (ROOT / "docs" / "formatting.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(blocks) >= 8
    for number, (before, text) in enumerate(blocks):
        if not before:
            assert check(text) == text
        elif "- 1" in text:
            made = format_source(SourceFile("a.aqua", text))
            assert made.errors
            assert not made.changed
            assert check(text.replace("- 1", "-1")) == blocks[number + 1][1]
        else:
            assert check(text) == blocks[number + 1][1]


@pytest.mark.slow
@needs_corpus
def test_corpora() -> None:
    for text in sources():
        check(text)


@pytest.mark.slow
@needs_corpus
@pytest.mark.usefixtures("narrow")
def test_corpora_with_every_bracket_open() -> None:
    for text in sources()[::4]:
        check(text)


@pytest.mark.slow
@needs_corpus
def test_code_stays_the_same() -> None:
    for files in programs():
        same_code(files, "main.aqua")


@pytest.mark.slow
@pytest.mark.usefixtures("narrow")
def test_code_of_generated_programs_stays_the_same() -> None:
    for seed in range(GENERATED):
        program = generate(seed)
        same_code(program.files, program.entry)


def same_code(files: dict[str, str], entry: str) -> None:
    formatted = {path: format_source(SourceFile(path, text)).text for path, text in files.items()}
    before, after = compile_bundle(files, entry), compile_bundle(formatted, entry)
    assert before.ok == after.ok
    assert {name: (f.script, f.definition) for name, f in before.functions.items()} == {
        name: (f.script, f.definition) for name, f in after.functions.items()
    }
    assert before.services == after.services
    assert [(d.code, d.message) for d in before.diagnostics] == [(d.code, d.message) for d in after.diagnostics]


@pytest.mark.slow
@pytest.mark.reference
@needs_corpus
@pytest.mark.usefixtures("narrow")
def test_the_reference_reads_what_it_read_before(reference_modules: Path, node: str) -> None:
    """Every bracket that is opened is one that it reads over several lines, and its AIR is the same."""
    accepted = 0
    with Reference(reference_modules) as reference:
        for files in [*programs()[::60], *(generate(seed).files for seed in range(15))]:
            formatted = {path: format_source(SourceFile(path, text)).text for path, text in files.items()}
            answers = []
            for version in (files, formatted):
                reference.send(version, "main.aqua", {})
                answers.append(reference.receive().get("functions"))
            assert answers[0] == answers[1], formatted
            accepted += bool(answers[0])
    assert accepted > 15


@pytest.mark.slow
@needs_corpus
def test_layout_of_the_source_does_not_matter() -> None:
    """But for comments, whose place says what they belong to, and breaks outside of brackets, which stay."""
    texts = [text for program in map(generate, range(GENERATED)) for text in program.files.values()] + sources()[::12]
    for seed, text in enumerate(texts):
        careless = respaced(text, seed)
        assert _unplaced(check(careless)) == _unplaced(check(text)), f"seed {seed}"


def _unplaced(text: str) -> str:
    return re.sub(r"(?m)^[ \t]+--", "--", text.replace("\r\n", "\n"))


@pytest.mark.slow
@needs_corpus
def test_comments_anywhere() -> None:
    texts = [text for program in map(generate, range(GENERATED)) for text in program.files.values()] + sources()[::12]
    for seed, text in enumerate(texts):
        check(respaced(text, seed, comments=True))


@pytest.mark.slow
@needs_corpus
def test_a_range_touches_no_other_line() -> None:
    for seed, text in enumerate(sources()[::7]):
        careless = respaced(text, seed)
        lines = careless.split("\n")
        first, last = sorted((1 + seed * 7 % len(lines), 1 + seed * 13 % len(lines)))
        made = format_source(SourceFile("a.aqua", careless), lines=(first, last))
        # A statement is formatted whole, so what it spans counts as asked for.
        index = SourceFile("a.aqua", careless).lines
        touched = [(index.line_of(x.start) + 1, index.line_of(x.end) + 1) for x in lay_out(careless).lines]
        spans = [(start, end) for start, end in touched if start <= last and end >= first]
        low, high = min([first, *(start for start, _ in spans)]), max([last, *(end for _, end in spans)])
        for change in made.changes:
            assert low <= index.line_of(change.span.start) + 1, f"seed {seed}"
            assert index.line_of(change.span.end) + 1 <= max(
                high, len(lines) if last > careless.rstrip().count("\n") else 0
            ), f"seed {seed}"
        whole = format_source(SourceFile("a.aqua", careless), lines=(1, len(lines)))
        assert whole.text == format_source(SourceFile("a.aqua", careless)).text


@pytest.mark.parametrize(
    "text",
    ["aqua A\n\nfunc f(:\n  x=1\n", "aqua A\n\nfunc f():\n  x=1\n y=2\n", 'aqua A\n\nconst A="x\n', "garbage  here\n"],
)
def test_files_with_errors_are_left_alone(text: str) -> None:
    source = SourceFile("a.aqua", text)
    made = format_source(source)
    assert made.errors
    assert made.errors == tuple(d for d in parse(source)[1] if d.is_error)
    assert made.text == text
    assert made.changes == ()


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n", "-- only\n", "-- only", "aqua A", "\n\n-- a\n\n\n-- b  \n\n"])
def test_small_files(text: str) -> None:
    made = check(text)
    assert (
        made == re.sub(r"\n\n+", "\n\n", "\n".join(line.rstrip() for line in text.strip().split("\n")) + "\n")
        if text.strip()
        else not made
    )


def test_width() -> None:
    """A line of 100 columns stays one line, one of 101 is opened; a comment behind it does not count."""
    fits = f"    x = f(a, {'b' * 86}) -- and a comment"
    assert fits.index(" --") == WIDTH
    head = "aqua A\n\nfunc g():\n"
    assert check(f"{head}{fits}\n") == f"{head}{fits}\n"
    opened = check(f"{head}{fits.replace('bb', 'bbb', 1)}\n")
    assert opened == f"{head}    x = f(\n        a,\n        {'b' * 87}\n    ) -- and a comment\n"


@pytest.mark.parametrize(
    "body", ["f(" * 250 + "1" + ")" * 250, "[" * 250 + "1" + "]" * 250, "(" * 250 + "1" + ")" * 250]
)
def test_deep_nesting(body: str) -> None:
    check(f"aqua A\n\nfunc g():\n  x = {body}\n")
    check("aqua A\n\nfunc g():\n" + "".join(f"{' ' * n}if x:\n" for n in range(1, 250)) + " " * 250 + "x = 1\n")


def test_line_breaks_of_the_file_stay() -> None:
    text = 'aqua A\r\n\r\nfunc f():\r\n  x = "a\r\n  b"\r\n  y=[ -- c\r\n    1]\r\n'
    assert check(text) == 'aqua A\r\n\r\nfunc f():\r\n    x = "a\r\n  b"\r\n    y = [ -- c\r\n        1\r\n    ]\r\n'


def test_a_bug_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check behind formatting finds what a wrong space would do."""
    monkeypatch.setattr(document.Spacing, "flat", lambda _, text, tokens: "".join(text[a:b] for _, a, b, _ in tokens))
    for text, what in (("aqua A\n\nfunc f():\n  S  (x)\n", "the program"), ("aqua A\n\nconst A = 1\n", "the program")):
        with pytest.raises(FormattingChangedProgram, match=what):
            format_source(SourceFile("a.aqua", text))


def test_a_lost_comment_is_found() -> None:
    parser = TextParser()
    one = parser.read(SourceFile("a", "aqua A -- x\n")).file
    other = parser.read(SourceFile("a", "aqua A -- y\n")).file
    assert same_tree(one, other)
    assert not same_comments(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = a + b", "x = a - b"),
        ("x = f(a, b)", "x = f(a)"),
        ("if x:\n    y = 1\n  z = 1", "if x:\n    y = 1\n    z = 1"),
        ("S (x)", "S(x)"),
        ("for x <- y par:\n    z = 1", "for x <- y:\n    z = 1"),
    ],
)
def test_trees_that_differ(one: str, other: str) -> None:
    head = "aqua A\n\nfunc f():\n  "
    parser = TextParser()
    files = [parser.read(SourceFile("a", f"{head}{body}\n")).file for body in (one, other, one)]
    assert not same_tree(files[0], files[1])
    assert same_tree(files[0], files[2])


def test_a_description_is_part_of_the_tree() -> None:
    parser = TextParser()
    one = parser.read(SourceFile("a", "aqua A\n\n-- about\nconst A = 1\n")).file
    other = parser.read(SourceFile("a", "aqua A\n\n-- about\n\nconst A = 1\n")).file
    assert not same_tree(one, other)


def test_what_the_repository_holds_is_formatted() -> None:
    for folder in ("stdlib", "examples"):
        for path in sorted((ROOT / folder).rglob("*.aqua")):
            text = path.read_text(encoding="utf-8")
            assert check(text) == text, path
