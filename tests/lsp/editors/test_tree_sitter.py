"""The tree-sitter grammars: built with a C compiler, compared with the compiler's own parser, edited, and asked by their queries."""

from __future__ import annotations

import ctypes
import hashlib
import random
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from aquac.source import SourceFile
from aquac.syntax import ast
from aquac.syntax.parse import parse
from avm.air.parser import parse as parse_air
from tests.aquac.highlighting.test_highlighting import EVERY_FORM, air_texts
from tests.conftest import ROOT
from tests.fuzz.aqua_generator import generate
from tests.fuzz.aqua_mutation import corpus as programs
from tests.fuzz.aqua_mutation import hostile
from tests.fuzz.aqua_respace import respaced
from tests.golden import Case, Golden, corpus

pytestmark = pytest.mark.slow
tree_sitter = pytest.importorskip("tree_sitter", reason="pip install tree-sitter")

EDITORS = ROOT / "lsp" / "editors"
AGREEMENT_MIN = 0.975
"""Share of the corpora, wrong programs included, of which grammar and compiler say the same. The grammar knows no types."""
EDITS = 300
GENERATED = 100


@cache
def library(language: str) -> Path | None:
    """The grammar as a shared library, in a folder that lives as long as the tests."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    folder = EDITORS / f"tree-sitter-{language}" / "src"
    out = BUILT / f"{language}.so"
    sources = [str(path) for path in (folder / "parser.c", folder / "scanner.c") if path.is_file()]
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-std=c11", f"-I{folder}"]
    subprocess.run([compiler, *flags, *sources, "-o", str(out)], check=True)
    return out


BUILT = Path()


@pytest.fixture(scope="module", autouse=True)
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where libraries are built; skips where there is no compiler."""
    global BUILT  # noqa: PLW0603 - libraries stay loaded, so they are built once
    BUILT = tmp_path_factory.mktemp("grammars")
    if library("aqua") is None:
        pytest.skip("no C compiler: install gcc or clang")


def language(name: str):
    made = getattr(ctypes.CDLL(str(library(name))), f"tree_sitter_{name}")
    made.restype = ctypes.c_void_p
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype = ctypes.py_object
    capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return tree_sitter.Language(capsule(made(), b"tree_sitter.Language", None))


def parser(name: str = "aqua"):
    return tree_sitter.Parser(language(name))


@cache
def texts() -> tuple[tuple[str, ast.File | None], ...]:
    """Programs of the corpora, the library and the examples; with the compiler's tree where it reads them."""
    found = {text for files in programs() for text in files.values()}
    for folder in ("examples", "stdlib"):
        found |= {path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.aqua")}
    result = []
    for text in sorted(found):
        file, diagnostics = parse(SourceFile("a.aqua", text))
        result.append((text, None if any(d.is_error for d in diagnostics) else file))
    return tuple(result)


# ── what is read ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_compiler_reads_is_read() -> None:
    read = parser()
    refused = [t for t, file in texts() if file is not None and read.parse(t.encode()).root_node.has_error]
    assert refused == []
    assert sum(file is not None for _, file in texts()) > 1000


def test_programs_in_any_layout_are_read() -> None:
    """Generated programs, and those of the corpora with other blanks, line breaks, indentation and comments."""
    read = parser()
    found = [text for seed in range(GENERATED) for text in generate(seed).files.values()]
    found += [
        respaced(t, n, comments=n % 2 == 0) for n, (t, file) in enumerate(texts()) if file is not None and n % 3 == 0
    ]
    assert [t for t in found if read.parse(t.encode()).root_node.has_error] == []


def test_line_ends_of_windows_make_no_difference() -> None:
    read = parser()
    for text, file in texts():
        if file is not None and "\r" not in text:
            plain = read.parse(text.encode()).root_node
            assert str(read.parse(text.replace("\n", "\r\n").encode()).root_node) == str(plain), text


def test_what_the_compiler_refuses_is_mostly_refused() -> None:
    read = parser()
    same = sum((file is None) == read.parse(t.encode()).root_node.has_error for t, file in texts())
    assert same >= AGREEMENT_MIN * len(texts())


_DEFINITIONS = {
    "const_definition": ast.Const,
    "alias_definition": ast.Alias,
    "data_definition": ast.Data,
    "service_definition": ast.Service,
    "ability_definition": ast.Ability,
    "function_definition": ast.Func,
}


def test_definitions_and_members_are_the_same() -> None:
    read = parser()
    for text, file in texts():
        root = read.parse(text.encode()).root_node
        if file is None or root.has_error:
            continue
        found = []
        for node in root.named_children:
            if node.type in _DEFINITIONS:
                body = node.child_by_field_name("body")
                members = [] if body is None or body.type != "members" else body.named_children
                names = [m.child_by_field_name("name").text.decode() for m in members if m.type != "comment"]
                found.append((_DEFINITIONS[node.type], node.child_by_field_name("name").text.decode(), names))
        assert found == [
            (type(d), d.name.text, [m.name.text for m in getattr(d, "members", ())]) for d in file.definitions
        ]


@pytest.mark.parametrize("case", corpus(Path(__file__).parent / "corpus"))
def test_tree(case: Case, golden: Golden) -> None:
    """Cases of layout, of words that are not reserved, and of what stands behind an error."""
    tree = parser().parse(case.input.encode())
    lines: list[str] = []
    todo = [(tree.root_node, 0, "")]
    while todo:
        node, depth, name = todo.pop()
        leaf = f" {node.text.decode()!r}" if not node.named_child_count else ""
        lines.append(f"{'  ' * depth}{name}{'MISSING ' if node.is_missing else ''}{node.type}{leaf}")
        children = [
            (child, depth + 1, f"{field}: " if (field := node.field_name_for_child(at)) else "")
            for at, child in enumerate(node.children)
            if child.is_named
        ]
        todo += reversed(children)
    golden.check(case, "tree", "\n".join(lines) + "\n")


# ── what happens while typing ────────────────────────────────────────────────────────────────────────────────────────


def test_edits_leave_the_tree_that_a_fresh_start_gives() -> None:
    """The state of the scanner is kept in the tree: a wrong one shows as another tree after an edit."""
    draw = random.Random(5)
    read = parser()
    pieces = [
        "\n",
        "    ",
        "on p:\n",
        "-- c\n",
        "else:",
        ":",
        "(",
        ")",
        '"',
        "x = 1\n",
        ",",
        " par",
        "func f():\n  y()\n",
    ]
    pool = [text for text, file in texts() if file is not None and len(text) < 3000]
    for _ in range(EDITS):
        old = draw.choice(pool).encode()
        tree = read.parse(old)
        start = draw.randrange(len(old) + 1)
        end = min(len(old), start + draw.choice([0, 0, 1, 2, 7]))
        piece = draw.choice(pieces).encode() if draw.random() < 0.8 else b""
        new = old[:start] + piece + old[end:]
        tree.edit(start, end, start + len(piece), point(old, start), point(old, end), point(new, start + len(piece)))
        assert str(read.parse(new, tree).root_node) == str(read.parse(new).root_node), (old, start, end, piece)


def point(text: bytes, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count(b"\n"), offset - (before.rfind(b"\n") + 1)


def test_hostile_texts_end() -> None:
    read = parser()
    for seed in range(200):
        for text in hostile(seed).values():
            read.parse(text.encode("utf-8", "replace"))
    deep = "func f():\n" + "".join(f"{' ' * n}on p:\n" for n in range(1, 2000))
    for text in (deep, "\t" * 70_000 + "x", "(" * 5000, '"', "func f():\n " + "o" * 4000, "\0\0", "-", "--", "%"):
        read.parse(text.encode())


# ── AIR ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_scripts_are_read() -> None:
    read = parser("air")
    scripts = [t for t in air_texts() if t in EVERY_FORM or parse_air(t).ok]
    assert [t for t in scripts if read.parse(t.encode()).root_node.has_error] == []
    assert read.parse(b"(seq (null)").root_node.has_error
    assert read.parse(b"(sec (null) (null))").root_node.has_error


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", sorted(EDITORS.rglob("*.scm")), ids=lambda path: str(path.relative_to(EDITORS)))
def test_query_is_sound(path: Path) -> None:
    """Every node, field and word of a query is in its grammar."""
    name = "air" if "air" in path.relative_to(EDITORS).as_posix() else "aqua"
    tree_sitter.Query(language(name), path.read_text(encoding="utf-8"))


def test_every_word_and_sign_has_a_colour() -> None:
    """Nothing visible of a program is left plain."""
    text = (ROOT / "examples" / "parallel_join" / "main.aqua").read_text(encoding="utf-8")
    query = tree_sitter.Query(
        language("aqua"), (EDITORS / "tree-sitter-aqua" / "queries" / "highlights.scm").read_text(encoding="utf-8")
    )
    root = parser().parse(text.encode()).root_node
    painted = bytearray(len(text.encode()))
    for nodes in tree_sitter.QueryCursor(query).captures(root).values():
        for node in nodes:
            painted[node.start_byte : node.end_byte] = b"\1" * (node.end_byte - node.start_byte)
    plain = bytes(c for c, mark in zip(text.encode(), painted, strict=True) if not mark)
    assert plain.split() == []


@pytest.mark.parametrize("name", ["aqua", "air"])
def test_parser_was_made_of_this_grammar(name: str, tmp_path: Path) -> None:
    """`lsp/editors/generate.sh` writes down of what; where the tool is, its output is compared."""
    folder = EDITORS / f"tree-sitter-{name}"
    recorded = (folder / "src" / "grammar.js.sha256").read_text(encoding="utf-8").split()[0]
    assert hashlib.sha256((folder / "grammar.js").read_bytes()).hexdigest() == recorded
    tool = shutil.which("tree-sitter")
    if (
        tool is None
        or " 0.22." not in subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    ):
        return
    shutil.copytree(folder, tmp_path / name)
    subprocess.run([tool, "generate", "--abi", "14"], cwd=tmp_path / name, check=True)
    for made in ("parser.c", "grammar.json", "node-types.json"):
        assert (tmp_path / name / "src" / made).read_bytes() == (folder / "src" / made).read_bytes()
