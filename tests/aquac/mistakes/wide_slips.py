"""Slips that fit any program: they change a token or a line, whatever it means.

Where `slips.py` knows its ten programs, these read the tokens of a text. Line 0 of a mutant: the change shows somewhere else,
at the uses of what was defined, say, and only the number of errors is certain. A change that leaves the program sound is no
mistake; who uses these slips leaves such mutants out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from types import FunctionType
from typing import Final

from tests.aquac.mistakes.slips import Mutant

Lines = list[str]
Slip = Callable[[Lines], Iterator[Mutant]]

TOKEN: Final = re.compile(
    r'(?P<string>"[^"]*")|(?P<comment>--.*)|(?P<word>[A-Za-z_]\w*)|(?P<number>\d+(?:\.\d+)?)'
    r"|(?P<sign><<-|<-|->|[=!<>]=|\*\*|&&|\|\||%init_peer_id%|[^\w\s])"
)
KEYWORDS: Final = frozenset(
    {"func", "data", "service", "ability", "const", "alias", "import", "use", "export", "from", "as", "declares"}
    | {"aqua", "on", "via", "for", "par", "if", "else", "try", "catch", "otherwise", "join", "co", "parseq"}
)
SCALARS: Final = frozenset(
    {"string", "bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "true", "false", "nil"}
)
DEFINITION: Final = re.compile(r"(func|data|service|ability|const|alias) (\w+)")
HEADER: Final = re.compile(r"(aqua|module|import|use|export)\b")
BINDING: Final = re.compile(r"\s+(?:\w+, )*(\w+)\s*(?:, \w+\s*)*(?:<-|=|:)")


@dataclass(frozen=True)
class Token:
    """A token of a line, `at` from 0."""

    kind: str
    text: str
    at: int
    start: int

    @property
    def end(self) -> int:
        """Column behind it."""
        return self.start + len(self.text)


def tokens(lines: Lines) -> Iterator[Token]:
    """All tokens but comments. Strings over several lines are not met in these programs."""
    for at, line in enumerate(lines):
        for found in TOKEN.finditer(line):
            if found.lastgroup != "comment":
                yield Token(found.lastgroup or "", found.group(), at, found.start())


def _edit(lines: Lines, at: int, start: int, end: int, new: str, *, line: int | None = None) -> Mutant:
    text = lines[at][:start] + new + lines[at][end:]
    return Mutant((*lines[:at], text, *lines[at + 1 :]), at + 1 if line is None else line)


def _change(lines: Lines, token: Token, new: str, *, line: int | None = None) -> Mutant:
    return _edit(lines, token.at, token.start, token.end, new, line=line)


def _defines(lines: Lines, token: Token) -> bool:
    """Whether the name is defined here, as far as the line tells; then other lines suffer from a change."""
    line = lines[token.at]
    if HEADER.match(line) or (not line.startswith(" ") and not DEFINITION.match(line)):
        return True
    found = DEFINITION.match(line)
    if found is not None and found.start(2) == token.start:
        return True
    before, after = line[: token.start], line[token.end :]
    member = re.match(r"\s+$", before) and re.match(r"\s*[:(]", after)
    binding = re.match(r"\s+(\w+\s*,\s*)*$", before) and re.match(r"\s*(,\s*\w+\s*)*(<-|=|:)", after)
    loop = re.match(r"\s*(par |co )?(for|parseq|catch) (\w+, )?$", before)
    argument = re.match(r"\s*:", after) and re.search(r"[(,]\s*$", before)
    ability = re.search(r"\{[^}]*$", before) is not None
    return bool(member or binding or loop or argument or ability)


def _is_use(lines: Lines, token: Token) -> bool:
    """Whether the token is a name in a statement that is not defined there."""
    inside = lines[token.at].startswith(" ") and token.kind == "word" and token.text not in KEYWORDS
    return inside and not _defines(lines, token)


def _fresh(word: str, lines: Lines) -> str | None:
    """Two neighbouring letters swapped, a name that occurs nowhere."""
    text = "\n".join(lines)
    for at in range(1, len(word) - 1):
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if word[at] != word[at + 1] and not re.search(rf"\b{swapped}\b", text):
            return swapped
    longer = word + "q"
    return None if re.search(rf"\b{longer}\b", text) else longer


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def keyword_short_of_a_letter(lines: Lines) -> Iterator[Mutant]:
    """`fnc`, `imort`, `cath`."""
    for t in tokens(lines):
        if t.text in KEYWORDS and len(t.text) > 2 and not _defines_name(lines, t):
            yield _change(lines, t, t.text[:1] + t.text[2:])


def keyword_with_a_capital(lines: Lines) -> Iterator[Mutant]:
    """`Func`, `If`, `On`."""
    for t in tokens(lines):
        if t.text in KEYWORDS and not _defines_name(lines, t):
            yield _change(lines, t, t.text.capitalize())


def _defines_name(lines: Lines, t: Token) -> bool:
    """Whether the keyword is used as a name there."""
    after = lines[t.at][t.end :].lstrip()
    return after.startswith(("(", ".", "=", "<-", "<<-", ",")) or lines[t.at][: t.start].endswith(".")


def misspelt_use(lines: Lines) -> Iterator[Mutant]:
    """A name that is not defined on its line."""
    for t in tokens(lines):
        if t.kind == "word" and t.text not in KEYWORDS | SCALARS and not _defines(lines, t):
            fresh = _fresh(t.text, lines)
            if fresh:
                yield _change(lines, t, fresh)


def misspelt_definition_of_name(lines: Lines) -> Iterator[Mutant]:
    """A name where it is defined: its uses are wrong then, however many."""
    for t in tokens(lines):
        if t.kind == "word" and t.text not in KEYWORDS | SCALARS and _defines(lines, t):
            fresh = _fresh(t.text, lines)
            if fresh:
                yield _change(lines, t, fresh, line=0)


def wrong_case_of_use(lines: Lines) -> Iterator[Mutant]:
    """`Foo` for `foo` and the other way round, where it is used."""
    for t in tokens(lines):
        if t.kind == "word" and t.text not in KEYWORDS and len(t.text) > 1 and not _defines(lines, t):
            yield _change(lines, t, t.text[0].swapcase() + t.text[1:])


def word_missing(lines: Lines) -> Iterator[Mutant]:
    """A word forgotten where nothing is defined."""
    for t in tokens(lines):
        if t.kind == "word" and not _defines(lines, t):
            yield _change(lines, t, "")


def word_twice(lines: Lines) -> Iterator[Mutant]:
    """`on on peer`."""
    for t in tokens(lines):
        if t.kind == "word":
            yield _change(lines, t, f"{t.text} {t.text}")


def dash_in_name(lines: Lines) -> Iterator[Mutant]:
    """`my-name` for a name in use."""
    for t in tokens(lines):
        if t.kind == "word" and len(t.text) > 3 and t.text not in KEYWORDS | SCALARS and not _defines(lines, t):
            yield _change(lines, t, t.text[:2] + "-" + t.text[2:])


# ── signs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def bracket_missing(lines: Lines) -> Iterator[Mutant]:
    """Any bracket of any kind."""
    for t in tokens(lines):
        if t.text in tuple("()[]{}"):
            yield _change(lines, t, "")


def bracket_twice(lines: Lines) -> Iterator[Mutant]:
    """Any bracket doubled."""
    for t in tokens(lines):
        if t.text in tuple("()[]{}"):
            yield _change(lines, t, t.text * 2)


def wrong_bracket(lines: Lines) -> Iterator[Mutant]:
    """A bracket closed by another kind."""
    for t in tokens(lines):
        if t.text in tuple(")]}"):
            yield _change(lines, t, {")": "]", "]": ")", "}": ")"}[t.text])


def quote_missing(lines: Lines) -> Iterator[Mutant]:
    """One of the quotes of a string."""
    for t in tokens(lines):
        if t.kind == "string":
            yield _edit(lines, t.at, t.start, t.start + 1, "")
            yield _edit(lines, t.at, t.end - 1, t.end, "")


def comma_missing(lines: Lines) -> Iterator[Mutant]:
    """Any comma."""
    for t in tokens(lines):
        if t.text == ",":
            yield _change(lines, t, "")


def comma_twice(lines: Lines) -> Iterator[Mutant]:
    """Any comma doubled."""
    for t in tokens(lines):
        if t.text == ",":
            yield _change(lines, t, ",,")


def point_for_comma(lines: Lines) -> Iterator[Mutant]:
    """`f(a. b)`."""
    for t in tokens(lines):
        if t.text == ",":
            yield _change(lines, t, ".")


def colon_missing(lines: Lines) -> Iterator[Mutant]:
    """Any colon."""
    for t in tokens(lines):
        if t.text == ":":
            yield _change(lines, t, "")


def equals_for_colon(lines: Lines) -> Iterator[Mutant]:
    """`x = u8` in a signature or declaration."""
    for t in tokens(lines):
        if t.text == ":" and t.end < len(lines[t.at].rstrip()):
            yield _change(lines, t, " =")


def colon_for_equals(lines: Lines) -> Iterator[Mutant]:
    """`P(x: 1)`, `x: 1`."""
    for t in tokens(lines):
        if t.text == "=":
            yield _change(lines, t, ":")


def arrow_missing(lines: Lines) -> Iterator[Mutant]:
    """Any arrow."""
    for t in tokens(lines):
        if t.text in ("->", "<-", "<<-"):
            blank = 1 if not lines[t.at][: t.start].strip() and lines[t.at][t.end :].startswith(" ") else 0
            yield _edit(lines, t.at, t.start, t.end + blank, "")


def arrow_turned(lines: Lines) -> Iterator[Mutant]:
    """`->` for `<-` and the other way round."""
    for t in tokens(lines):
        if t.text in ("->", "<-"):
            yield _change(lines, t, "<-" if t.text == "->" else "->")


def equals_for_arrow(lines: Lines) -> Iterator[Mutant]:
    """`for x = xs:`, `s = v`."""
    for t in tokens(lines):
        if t.text in ("<-", "<<-") and (t.text == "<<-" or re.match(r"\s*(par |co )?(for|parseq)\b", lines[t.at])):
            yield _change(lines, t, "=")


def arrow_for_equals_anywhere(lines: Lines) -> Iterator[Mutant]:
    """`x <- 1`, `P(x <- 1)`."""
    for t in tokens(lines):
        if t.text == "=":
            yield _change(lines, t, "<-")


def sign_missing(lines: Lines) -> Iterator[Mutant]:
    """An operator, a point, a star, whatever is no word."""
    for t in tokens(lines):
        if t.kind == "sign" and t.text not in tuple("()[]{},:") and t.text not in ("->", "<-", "<<-"):
            yield _change(lines, t, "")


def sign_twice(lines: Lines) -> Iterator[Mutant]:
    """`a..b`, `x == == y`."""
    for t in tokens(lines):
        if t.kind == "sign" and t.text not in tuple("()[]{},-"):
            yield _change(lines, t, f"{t.text} {t.text}")


def stray_character(lines: Lines) -> Iterator[Mutant]:
    """A character that has no meaning in the language, between two tokens."""
    for number, t in enumerate(tokens(lines)):
        yield _edit(lines, t.at, t.start, t.start, "$@~^\\;&|`'"[number % 10])


# ── lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def line_missing(lines: Lines) -> Iterator[Mutant]:
    """Any line."""
    for at, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("--"):
            yield Mutant((*lines[:at], *lines[at + 1 :]), 0)


def line_twice(lines: Lines) -> Iterator[Mutant]:
    """Any line."""
    for at, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("--"):
            yield Mutant((*lines[: at + 1], line, *lines[at + 1 :]), 0)


def line_at_the_margin(lines: Lines) -> Iterator[Mutant]:
    """A line of a body that is not indented."""
    for at, line in enumerate(lines):
        if line.startswith(" ") and not line.lstrip().startswith(("--", ",", ")", "]")):
            yield Mutant((*lines[:at], line.lstrip(), *lines[at + 1 :]), 0)


def line_in_the_block_above(lines: Lines) -> Iterator[Mutant]:
    """Two blanks too many."""
    for at, line in enumerate(lines):
        if line.startswith(" ") and not line.lstrip().startswith("--"):
            yield Mutant((*lines[:at], "  " + line, *lines[at + 1 :]), 0)


def tab_for_blanks(lines: Lines) -> Iterator[Mutant]:
    """One line indented by tabs, if another of its block is not."""
    for at, line in enumerate(lines):
        if at and line.startswith("  ") and not line.lstrip().startswith("--"):
            yield Mutant((*lines[:at], "\t" + line.lstrip(), *lines[at + 1 :]), 0)


def two_statements_on_a_line(lines: Lines) -> Iterator[Mutant]:
    """A line joined to the one before it."""
    for at in range(1, len(lines)):
        if lines[at].startswith(" ") and lines[at - 1].startswith(" ") and "--" not in lines[at - 1]:
            joined = lines[at - 1] + " " + lines[at].lstrip()
            yield Mutant((*lines[: at - 1], joined, *lines[at + 1 :]), at)


def definition_moved_down(lines: Lines) -> Iterator[Mutant]:
    """The first definitions put behind all others: used before they are defined."""
    heads = [at for at, line in enumerate(lines) if DEFINITION.match(line)]
    for start, end in pairwise(heads):
        yield Mutant((*lines[:start], *lines[end:], "", *lines[start:end]), 0)


# ── types and calls ──────────────────────────────────────────────────────────────────────────────────────────────────


def type_of_argument(lines: Lines) -> Iterator[Mutant]:
    """Another type in a signature or member."""
    for t in tokens(lines):
        if t.text in SCALARS and re.search(r":\s*$", lines[t.at][: t.start]):
            yield _change(lines, t, "[]bool", line=0)


def type_of_result(lines: Lines) -> Iterator[Mutant]:
    """Another type behind the arrow."""
    for t in tokens(lines):
        if t.kind == "word" and re.search(r"->\s*$", lines[t.at][: t.start]):
            yield _change(lines, t, "[]bool" if t.text != "bool" else "u8", line=0)


def result_missing(lines: Lines) -> Iterator[Mutant]:
    """A signature without its results."""
    for at, line in enumerate(lines):
        found = re.search(r"\s*->[^)]*?(?=:$|$)", line)
        if found and re.match(r"func |\s+\w+\(", line):
            yield _edit(lines, at, found.start(), found.end(), "", line=0)


def parameter_missing(lines: Lines) -> Iterator[Mutant]:
    """A function or method with one parameter less than its callers know."""
    for at, line in enumerate(lines):
        found = re.search(r"(?<=\()\w+: [\w\[\]?*.]+(, )?|, \w+: [\w\[\]?*.]+(?=\))", line)
        if found:
            yield _edit(lines, at, found.start(), found.end(), "", line=0)


def literal_of_another_type(lines: Lines) -> Iterator[Mutant]:
    """A number for a text and the other way round."""
    for t in tokens(lines):
        if t.kind in ("string", "number") and not HEADER.match(lines[t.at]):
            yield _change(lines, t, "7" if t.kind == "string" else '"seven"', line=0)


def value_of_another_type(lines: Lines) -> Iterator[Mutant]:
    """An array of truths where a name stood as an argument or operand."""
    for t in tokens(lines):
        before, after = lines[t.at][: t.start], lines[t.at][t.end :]
        operand = re.search(r"[(,=+*] ?$", before) and not re.match(r"\s*[.(:!\[{]|\s*=[^=]|.*->", after)
        if operand and _is_use(lines, t):
            yield _change(lines, t, "[true]", line=0)


def argument_more(lines: Lines) -> Iterator[Mutant]:
    """`f(x, 7)` for any call."""
    for t in tokens(lines):
        if t.text == ")" and lines[t.at].startswith(" ") and not re.search(r":|->", lines[t.at]):
            comma = "" if lines[t.at][: t.start].endswith("(") else ", "
            yield _edit(lines, t.at, t.start, t.start, f"{comma}7")


def index_too_many(lines: Lines) -> Iterator[Mutant]:
    """`x[0]`, `x!` on what is no collection, and once more on what is one."""
    for number, t in enumerate(tokens(lines)):
        before, after = lines[t.at][: t.start], lines[t.at][t.end :]
        operand = re.search(r"(<-|=|\(|,) ?$", before) and not re.match(r"\s*[.(:!\[{=]", after)
        if operand and _is_use(lines, t):
            yield _edit(lines, t.at, t.end, t.end, ("[0]", "!", ".nothing", "[0][0]")[number % 4])


def parameter_twice(lines: Lines) -> Iterator[Mutant]:
    """`func f(x: u8, x: u8)`; callers do not matter."""
    for at, line in enumerate(lines):
        found = re.match(r"func \w+\((\w+: [\w\[\]?*]+)", line)
        if found:
            yield _edit(lines, at, found.end(1), found.end(1), f", {found[1]}")


def service_without_id(lines: Lines) -> Iterator[Mutant]:
    """The default id of a service, of which all its calls speak."""
    for at, line in enumerate(lines):
        found = re.match(r"service \w+(\([^)]*\))", line)
        if found:
            yield _edit(lines, at, found.start(1), found.end(1), "", line=0)


def wrong_peer(lines: Lines) -> Iterator[Mutant]:
    """`on 7:`, `via 7`."""
    for at, line in enumerate(lines):
        for found in re.finditer(r"\b(?:on|via) ([\w.%]+)", line):
            if line.startswith(" "):
                yield _edit(lines, at, found.start(1), found.end(1), "7")


def not_a_collection(lines: Lines) -> Iterator[Mutant]:
    """`for x <- 7:`."""
    for at, line in enumerate(lines):
        found = re.match(r"\s*(?:par |co )?for \w+ <- ([\w.]+)", line)
        if found:
            yield _edit(lines, at, found.start(1), found.end(1), "7")


def not_a_truth(lines: Lines) -> Iterator[Mutant]:
    """`if 7:`."""
    for at, line in enumerate(lines):
        found = re.match(r"\s*if (.*):", line)
        if found:
            yield _edit(lines, at, found.start(1), found.end(1), "7")


def array_for_stream(lines: Lines) -> Iterator[Mutant]:
    """`s: []string` and then pushing to it."""
    for at, line in enumerate(lines):
        found = re.match(r"  +\w+: (\*)\w", line)
        if found:
            yield _edit(lines, at, found.start(1), found.end(1), "[]")


MAY_SHOW_TWICE: Final = {
    "array for stream": "every use of the name shows it",
    "bracket missing": "a bracket less may leave another sound line, with another meaning",
    "colon missing": "`if (b)` without its colon is a call, so what stands below it is in the block around it",
    "dash in name": "a dash may leave two names that exist",
    "line at the margin": "the lines below belong to two blocks then",
    "line in the block above": "a line in the body of a closure sees other names, and its names are missing below",
    "line missing": "what the line declared is missing wherever it is used",
    "line twice": "every use of the name shows it",
    "literal of another type": "a constant of another type does not fit wherever it is used",
    "misspelt definition of name": "values of the type no longer fit others, wherever they meet",
    "parameter missing": "the body misses it, and every caller gives it",
    "point for comma": "two imported names became one",
    "result missing": "every use of the result misses it",
    "sign missing": "another type does not fit wherever it is used",
    "sign twice": "another type does not fit wherever it is used",
    "two statements on a line": "what the second one binds is missing below",
    "type of argument": "every use of it shows the change",
    "type of result": "every use of it shows the change",
    "value of another type": "every use of it shows the change",
    "word missing": "another type does not fit wherever it is used",
}
"""Slips that change what a declaration means: the declaration is sound, and more than one of its uses may not be."""

WIDE_SLIPS: Final[dict[str, Slip]] = {
    name.replace("_", " "): slip
    for name, slip in list(globals().items())
    if isinstance(slip, FunctionType)
    and slip.__module__ == __name__
    and not name.startswith("_")
    and name not in ("tokens", "dataclass", "pairwise")
}
