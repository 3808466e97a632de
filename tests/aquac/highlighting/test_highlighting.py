"""Every token of the compiler's lexers gets the colour of its kind, from Pygments and from a TextMate engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from aquac import compile_bundle
from aquac.formatting.lines import TextParser
from aquac.highlighting import AIR, AQUA, LANGUAGES, SCOPES, grammar_text
from aquac.source import SourceFile
from aquac.syntax.automaton import LEXICAL
from aquac.syntax.parse import parse
from avm.air import lexer, tokens
from tests.conftest import ROOT, node_modules
from tests.fuzz.aqua_generator import generate
from tests.fuzz.aqua_mutation import corpus as programs

pygments_token = pytest.importorskip("pygments.token")
lexers = pytest.importorskip("aquac.pygments_lexers")

GENERATED = 40
WORDS = {"name", "constant", "keyword"}
Paint = Callable[[list[str]], list[list[str]]]
"""Texts to the kind of each of their characters."""


def aqua_texts() -> list[str]:
    """Programs without syntax errors."""
    texts = [text for files in programs()[::3] for text in files.values()]
    texts += [path.read_text(encoding="utf-8") for path in sorted((ROOT / "stdlib").rglob("*.aqua"))]
    texts += [text for seed in range(GENERATED) for text in generate(seed).files.values()]
    plain = {text.replace("\r", "") for text in texts}
    return sorted(t for t in plain if not any(d.is_error for d in parse(SourceFile("a", t))[1]))


def air_texts() -> list[str]:
    """What some of them compile to, and every form of AIR."""
    made = [f.script for files in programs()[::30] for f in compile_bundle(files, "main.aqua").functions.values()]
    return [*made, *EVERY_FORM]


EVERY_FORM = (
    '(seq (call -relay- ("op" "a b") [] $s) (null)) ; (call "x")\n(never)',
    "(ap ($map.$.a! 1.5) %map)(canon p $s #c)(canon p %m #%cm)(match a.$.[0] -5 (next i))(mismatch true false (null))",
    '(fail 1337 "it")(fail :error:)(fail %last_error%)(new $x (fold $x i (par (null) (next i)) (never)))(xor (null) (null))',
    "(ap %init_peer_id% x)(ap %ttl% x)(ap %timestamp% x)(ap [] x)(ap #cn.$.[1].name x)(ap :error:.$.message x)",
)


# ── what is painted ──────────────────────────────────────────────────────────────────────────────────────────────────


def by_pygments(lexer_class: type) -> Paint:
    kinds = {of: kind for kind, of in lexers.KINDS.items() if kind != "stream"}

    def paint(texts: list[str]) -> list[list[str]]:
        painted = []
        for text in texts:
            kinds_of: list[str] = []
            for _, of, value in lexer_class().get_tokens_unprocessed(text):
                assert of is not pygments_token.Error, value
                kinds_of += [kinds[of]] * len(value)
            painted.append(kinds_of)
        return painted

    return paint


def by_textmate(language: str, node: str) -> Paint:
    kinds = {
        f"{scope.format(comment=LANGUAGES[language][1])}.{language}": kind for kind, scope in SCOPES.items() if scope
    }

    def paint(texts: list[str]) -> list[list[str]]:
        folder = _textmate_packages()
        asked = json.dumps({"grammar": grammar_text(language), "texts": texts})
        script = Path(__file__).parent / "textmate.mjs"
        done = subprocess.run(
            [node, str(script), str(folder)], input=asked, capture_output=True, text=True, check=True, timeout=600
        )
        painted = []
        for text, found in zip(texts, json.loads(done.stdout), strict=True):
            units = text.encode("utf-16-le")
            kinds_of = ["blank"] * len(text)
            for start, end, scopes in found:
                first = len(units[: 2 * start].decode("utf-16-le", "replace"))
                last = len(units[: 2 * end].decode("utf-16-le", "replace"))
                kinds_of[first:last] = [kinds.get(scopes.split(" ")[0], "blank")] * (last - first)
            painted.append(kinds_of)
        return painted

    return paint


def _textmate_packages() -> Path:
    for place in (os.environ.get("AQUA_DRAWING"), node_modules()):
        if place and all((Path(place) / name).is_dir() for name in ("vscode-textmate", "vscode-oniguruma")):
            return Path(place)
    pytest.skip("npm packages vscode-textmate and vscode-oniguruma are not installed: run `python3 tasks.py reference`")


# ── what the compiler says ───────────────────────────────────────────────────────────────────────────────────────────


def aqua_tokens(text: str) -> Iterator[tuple[int, int, set[str]]]:
    """Start and end of each token and comment, and the kinds it may have; of a signed number only the digits count."""
    lines = TextParser().read(SourceFile("a", text))
    for line, code in zip(lines.layout.lines, lines.codes, strict=True):
        for kind, start, end, _ in code.tokens:
            piece = text[line.start + start : line.start + end]
            yield (
                line.start + end - 1 if kind in NUMBERS else line.start + start,
                line.start + end,
                _allowed(kind, piece),
            )
    for comment in lines.layout.comments:
        yield comment.span.start, comment.span.end, {"comment"}


NUMBERS = {"INT", "FLOAT", "BANG_N"}


def _allowed(kind: str, piece: str) -> set[str]:
    if kind in NUMBERS:
        return {"number"}
    if kind == "NAME":
        words = {"variable", "function", "property", "scalar"}
        return words | {"constant"} if piece in ("true", "false", "nil") else words
    if kind in LEXICAL or kind == "INIT_PEER_ID":
        return {"CLASS": {"type", "upper", "function"}, "STR": {"string"}, "TOP": {"scalar"}}.get(kind, {"constant"})
    return {"keyword"} if piece.isalpha() else {"operator", "punctuation"}


def air_tokens(text: str) -> Iterator[tuple[int, int, set[str]]]:
    """As `aqua_tokens`; of operands with a lens the name counts, behind its sigil."""
    found = lexer.tokenize(text)
    offsets = {len(text[:n].encode()): n for n in range(len(text) + 1)}
    for kind, first, last in zip(found.kinds, found.starts, found.ends, strict=True):
        if kind == tokens.END:
            break
        start, end = offsets[first], offsets[last]
        piece = text[start:end]
        if piece in "()[]":
            yield start, end, {"punctuation"}
        elif piece.startswith('"'):
            yield start, end, {"string"}
        elif re.fullmatch(r"-?[0-9.]+", piece):
            yield start, end, {"number"}
        elif piece in ("true", "false") or piece[0] == ":" or (piece[0] == "%" and piece.count("%") == 2):
            yield start, start + len(piece.partition(".$")[0]), {"constant"}
        elif text[:start].rstrip(" \n").endswith("(") and piece in ("null", "never", *INSTRUCTIONS):
            yield start, end, {"keyword"}
        else:
            sigils = len(piece) - len(piece.lstrip("$#%"))
            if sigils:
                yield start, start + sigils, {"operator"}
            name = re.match(r"[\w-]+", piece[sigils:])
            assert name is not None, piece
            yield start + sigils, start + sigils + name.end(), {"variable", "stream"}


INSTRUCTIONS = (
    "ap", "call", "canon", "fail", "fold", "match", "mismatch", "new", "next", "par", "seq", "xor",
)  # fmt: skip


def check(texts: list[str], paint: Paint, said: Callable[[str], Iterator[tuple[int, int, set[str]]]]) -> None:
    count = 0
    for text, painted in zip(texts, paint(texts), strict=True):
        assert len(painted) == len(text)
        for start, end, allowed in said(text):
            count += 1
            kinds = {kind for kind, char in zip(painted[start:end], text[start:end], strict=True) if not char.isspace()}
            assert kinds <= allowed, (text[start:end], text[text.rfind("\n", 0, start) + 1 : end + 20], kinds)
    assert count > 1000


# ── tests ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_aqua_in_pygments() -> None:
    check(aqua_texts(), by_pygments(lexers.AquaLexer), aqua_tokens)


@pytest.mark.slow
def test_air_in_pygments() -> None:
    check(air_texts(), by_pygments(lexers.AirLexer), air_tokens)


@pytest.mark.slow
def test_aqua_in_textmate(node: str) -> None:
    check(aqua_texts(), by_textmate("aqua", node), aqua_tokens)


@pytest.mark.slow
def test_air_in_textmate(node: str) -> None:
    check(air_texts(), by_textmate("air", node), air_tokens)


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_grammars_are_made_of_the_rules(language: str) -> None:
    path = ROOT / "lsp" / "editors" / f"{language}.tmLanguage.json"
    assert path.read_text(encoding="utf-8") == grammar_text(language), "run `python -m aquac.highlighting lsp/editors`"


@pytest.mark.parametrize("rule", [*AQUA, *AIR], ids=lambda rule: rule.pattern[:40])
def test_groups_hold_the_whole_match(rule) -> None:
    """Pygments loses what stands in no group."""
    bare = re.sub(r"\\.|\[(?:\\.|[^\]])*\]", "x", rule.pattern)
    assert re.compile(rule.pattern).groups == len(rule.kinds)
    depth = outside = 0
    for at, char in enumerate(bare):
        opens = bare[at:].startswith("(")
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif depth == 0 and char not in "^$":
            outside += 1
        if opens and depth == 1:
            assert bare[at + 1] != "?" or bare[at + 2] in "=!<:", rule.pattern
    assert outside == 0, rule.pattern


def test_what_is_no_program() -> None:
    """Any text is coloured to its end."""
    for text in ("func (((", '"open', "x\t\\ é 😀 \x00", "a--b", '(call "x', ""):
        for lexer_class in (lexers.AquaLexer, lexers.AirLexer):
            assert "".join(value for _, _, value in lexer_class().get_tokens_unprocessed(text)) == text


def test_pygments_finds_them() -> None:
    found = {entry.name: entry for entry in entry_points(group="pygments.lexers")}
    if "aqua" not in found:
        pytest.skip("the project is not installed, or was before it had lexers")
    assert found["aqua"].load() is lexers.AquaLexer
    assert found["air"].load() is lexers.AirLexer
