"""The compact parser accepts what lark accepts and builds the same; what it refuses lark refuses, by the same rejections."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lark import UnexpectedInput

from aquac.syntax import tables
from aquac.syntax.automaton import REFUSED
from aquac.syntax.layout import lay_out
from aquac.syntax.reject import Reject
from aquac.syntax.transform import Builder

ROOT = Path(__file__).resolve().parents[3]
PIECES = (
    *("a", "b1", "Abc", "A.B", "x.y", "u8", "string", "1", "-1", "0.5", "-2.50", "007", '"s"', '"', "%init_peer_id%"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        ".",
        "!",
        "!1",
        "!=",
        "!==",
        "=",
        "==",
        "?=",
        "<",
        "<=",
        "<-",
        "<<-",
        ">",
    ),
    *("->", "-", "--", "+", "*", "*[", "**", "/", "%", "?", "?[", "&&", "||", "⊤", "⊥", "#", "é", "\n  ", " ", "  "),
    *("on", "via", "for", "parseq", "par", "co", "if", "else", "try", "catch", "otherwise", "join", "rec", "copy"),
    *("aqua", "module", "declares", "import", "use", "from", "as", "export", "const", "alias", "data", "service"),
    *("ability", "func", "true", "nil", "on =", "if (", "func (", "par (", "else if"),
)


@pytest.fixture(scope="module")
def parsers():
    builder = Builder()
    return builder, tables.automaton(builder), tables.lark_parser(builder)


def outcome(builder, parse) -> object:
    """Node, rejection or refusal, in a form that compares."""
    try:
        return parse()
    except Reject as error:
        return type(error).__name__, error.message, error.span
    except UnexpectedInput:
        return REFUSED


def check(parsers, text: str, start: str, at: int = 0, end: int | None = None) -> object:
    """Both parsers on one piece of a text; what they agree on."""
    builder, automaton, lark = parsers
    end = len(text) if end is None else end
    builder.text, builder.base = text, 0
    ours = outcome(builder, lambda: automaton.run(text, at, end, start))
    builder.base = at
    theirs = outcome(builder, lambda: lark.parse(text[at:end], start=start))
    assert repr(ours) == repr(theirs), (start, text[at:end])
    return ours


def test_every_line_of_the_library_and_the_examples(parsers) -> None:
    files = [*ROOT.glob("stdlib/**/*.aqua"), *ROOT.glob("examples/**/*.aqua"), *ROOT.glob("tests/**/*.aqua")]
    accepted = 0
    for file in files:
        text = file.read_text(encoding="utf-8")
        for line in lay_out(text).lines:
            for start in tables.STARTS:
                accepted += check(parsers, text, start, line.start, line.end) is not REFUSED
    assert accepted > 300


@given(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", " "])), max_size=14),
    st.sampled_from(tables.STARTS),
)
def test_any_pieces_in_a_row(parsers, pieces, start) -> None:
    check(parsers, "".join(text + blank for text, blank in pieces), start)


def test_lines_with_a_piece_exchanged(parsers) -> None:
    """Close to right, so that most of a line is read before anything is wrong, and often nothing is."""
    chance = random.Random(7)
    agreed = {True: 0, False: 0}
    for file in ROOT.glob("tests/aquac/mistakes/programs/*.aqua"):
        text = file.read_text(encoding="utf-8")
        for line in lay_out(text).lines:
            words = text[line.start : line.end].split(" ")
            fitting = [s for s in tables.STARTS if check(parsers, text, s, line.start, line.end) is not REFUSED]
            for _ in range(8):
                changed = list(words)
                changed[chance.randrange(len(changed))] = chance.choice(PIECES)
                start = chance.choice(fitting)
                agreed[check(parsers, " ".join(changed), start) is REFUSED] += 1
    assert min(agreed.values()) > 200


def test_long_lists_cost_no_square(parsers) -> None:
    builder, automaton, _ = parsers
    text = "f(" + ", ".join(f"[{n}, {n}]" for n in range(20_000)) + ")"
    builder.text, builder.base = text, 0
    node = automaton.run(text, 0, len(text), "statement")
    assert len(node.value.args) == 20_000
