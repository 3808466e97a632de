"""What is refused, with which code and where; and that one error does not hide the next."""

from __future__ import annotations

import re

import pytest

from aquac.source import SourceFile
from aquac.syntax.parse import parse

MARK = re.compile(r'-- error: (AQ\d{4})(?: "([^"]*)")?')
PRELUDE = "aqua M\n\nfunc main():\n"


def check(text: str) -> None:
    """Errors must be exactly those marked at the end of their lines, the quoted text the one underlined."""
    source = SourceFile("main.aqua", text)
    _, diagnostics = parse(source)
    expected = [
        (number, found[1], found[2]) for number, line in enumerate(text.split("\n"), 1) for found in MARK.finditer(line)
    ]
    given = []
    for (_, _, quoted), d in zip(expected, diagnostics, strict=False):
        assert d.span is not None
        assert d.message
        shown = None if quoted is None else text[d.span.start : d.span.end]
        given.append((source.lines.position(d.span.start).line, d.code.id, shown))
    assert given == expected
    assert len(diagnostics) == len(expected), [d.message for d in diagnostics]


@pytest.mark.parametrize(
    "line",
    [
        'a = 1 /* c */ -- error: AQ0101 "*"',
        'a = 1 # c -- error: AQ0101 "#"',
        'a = 012 -- error: AQ0101 "12"',
        'a = 0xff -- error: AQ0101 "xff"',
        'a = 1e3 -- error: AQ0101 "e3"',
        'a = .5 -- error: AQ0101 "."',
        'a = 7. -- error: AQ0101 ""',
        'a = - 3 -- error: AQ0101 "-"',
        'a = -n -- error: AQ0101 "-"',
        'a = +1 -- error: AQ0101 "+"',
        "a = 'x' -- error: AQ0101 \"'\"",
        '_a = 1 -- error: AQ0101 "_a"',
        'naïve = 1 -- error: AQ0101 "ï"',
        'a = 1; b = 2 -- error: AQ0101 ";"',
        'a = 1 b = 2 -- error: AQ0101 "b"',
        'a-b = 1 -- error: AQ0101 "="',
        'a := 1 -- error: AQ0101 "="',
        'a += 1 -- error: AQ0101 "="',
        'a, b = 1, 2 -- error: AQ0101 "="',
        'a = [1, 2,] -- error: AQ0101 "]"',
        'a = [1 2] -- error: AQ0101 "2"',
        'a = f(1,) -- error: AQ0101 ")"',
        'a = 1 < 2 < 3 -- error: AQ0101 "<"',
        'a = b ? 1 : 2 -- error: AQ0101 "?"',
        'a = %ttl% -- error: AQ0101 "%"',
        'a = :error: -- error: AQ0101 ":"',
        'a = mk()(1) -- error: AQ0101 "("',
        'a = true(1) -- error: AQ0101 "true"',
        'a = p.B(1) -- error: AQ0101 "B"',
        'a = [] -- error: AQ0107 "[]"',
        'a = ?[] -- error: AQ0107 "?[]"',
        'a = xs[-1] -- error: AQ0108 "-1"',
        'a = P(1, 2) -- error: AQ0101 "1"',
        'a = P() -- error: AQ0101 "()"',
        'a = f(x = 1, 2) -- error: AQ0101 "x"',
        'a = x.f(x = 1, 2) -- error: AQ0101 "x"',
        'Dyn("id") -- error: AQ0101',
        'S (1, 2) -- error: AQ0101 "1"',
        'join a + 1 -- error: AQ0101 "+"',
        'par a = 1 -- error: AQ0101 "="',
        'par s <<- 1 -- error: AQ0101 "<<-"',
        'par S "id" -- error: AQ0101',
        'k.out <<- 1 -- error: AQ0101 "<<-"',
        'k.out = 1 -- error: AQ0101 "="',
        'Q: *u8 -- error: AQ0101 "Q"',
        'return 1 -- error: AQ0101 "1"',
        'let a = 1 -- error: AQ0101 "a"',
        'a = (1 + 2 -- error: AQ0101 "("',
        'a = f(1] -- error: AQ0101 "("',
        'a = 1) -- error: AQ0101 ")"',
        'data D: -- error: AQ0101 "D"',
    ],
)
def test_lines(line):
    check(f"{PRELUDE}  {line}\n")


def test_unclosed_string():
    source = SourceFile("main.aqua", f'{PRELUDE}  a = "never closed\n  b = c d\n')
    _, (first, second) = parse(source)
    assert source.text[first.span.start : first.span.end] == '"never closed'
    assert source.text[second.span.start : second.span.end] == "d"


@pytest.mark.parametrize(
    "line",
    [
        'on p via: -- error: AQ0101 ":"',
        'on p, r: -- error: AQ0101 ","',
        'if(b): -- error: AQ0101 ":"',
        'if b -- error: AQ0101 ""',
        'while b: -- error: AQ0101 "b"',
        'for x <- xs seq: -- error: AQ0101 "seq"',
        'for x in xs: -- error: AQ0101 "in"',
        'for X <- xs: -- error: AQ0101 "X"',
        'else if b: -- error: AQ0101 "if"',
        'catch: -- error: AQ0101 ":"',
        'parseq p <- ps: -- error: AQ0101 ":"',
        'parsec p <- ps on p: -- error: AQ0101 "p"',
        'par if b: -- error: AQ0101 "b"',
        'par: -- error: AQ0101 ""',
        'C = (x: u8): -- error: AQ0101 "C"',
        'c = (x: u8) -> (): -- error: AQ0101 "()"',
    ],
)
def test_blocks(line):
    check(f"{PRELUDE}  {line}\n    x = 1\n  y = 2\n")


@pytest.mark.parametrize(
    "text",
    [
        'const lower = 1 -- error: AQ0101 "lower"',
        'const Mixed = 1 -- error: AQ0101 "Mixed"',
        'const A = [1] -- error: AQ0102 "[1]"',
        'const A = 1 + 2 -- error: AQ0102 "1 + 2"',
        'const A = B.c -- error: AQ0102 "B.c"',
        'alias lower: u8 -- error: AQ0101 "lower"',
        'alias A: u8, u8 -- error: AQ0101 "u8"',
        'alias A: () -- error: AQ0101 ")"',
        'alias A: u8 -> (), u8 -- error: AQ0101 "()"',
        'alias A: (u8 -> u8) -> u8 -- error: AQ0101 "(u8 -> u8)"',
        'alias A: u128 -- error: AQ0101 "u128"',
        'alias A: int -- error: AQ0101 "int"',
        'data D: x: u8 -- error: AQ0101 "x"',
        'data lower: -- error: AQ0101 "lower"\n  a: u8',
        'data D:\n  a: u8 -> u8 -- error: AQ0101 "u8 -> u8"\n  B: u8 -- error: AQ0101 "B"',
        'service S("s"):\n  field: u8 -- error: AQ0101 "u8"',
        'service S("s") -- error: AQ0101 ""\n  a()',
        'func main(a: u8,): -- error: AQ0101 ")"\n  b = a',
        'func main(a): -- error: AQ0101 ")"\n  b = a',
        'func main(a: u8, string): -- error: AQ0101 "string"\n  b = a',
        'func Main(): -- error: AQ0101 "Main"\n  a = 1',
        'func main(A: u8): -- error: AQ0101 "A"\n  a = 1',
        'func main() -> (): -- error: AQ0101 "()"\n  a = 1',
        'service S("s"):\n  f(x: u8) -> () -- error: AQ0101 "()"',
        'func main() -> u8 -- error: AQ0101 ""\n  <- 1',
        'func main(): a = 1 -- error: AQ0101 "a"',
        'func main(): -- error: AQ0101 "main"\n\ndata D:\n  x: u8',
        'func main(a: [u8]): -- error: AQ0101 "u8"\n  a = 1',
        'func main(a: u8?): -- error: AQ0101 "?"\n  a = 1',
        'export * -- error: AQ0101 "*"',
        "import 'a' -- error: AQ0101 \"'\"",
        'const A = 1\nexport A -- error: AQ0101 "export"',
        '  const A = 1 -- error: AQ0101 "  "',
        'fucn main(): -- error: AQ0101 "fucn"\n  a = = 1 -- error: AQ0101 "="',
        'x = 1 -- error: AQ0101 "x"',
        '@ -- error: AQ0101 "@"',
    ],
)
def test_top_level(text):
    check(f"aqua M\n{text}\n")


def test_several_errors_and_what_remains():
    text = (
        "aqua M\n"
        'import "a" b -- error: AQ0101 "b"\n'
        "const A = 1\n"
        "func broken(\n"  # its bracket never closes
        "  x = 1\n"
        "func good():\n  a = 1\n"
        'func bad():\n  b = = -- error: AQ0101 "="\n  c = 1 1 -- error: AQ0101 "1"\n'
        "data D:\n  x: u8\n"
    )
    source = SourceFile("main.aqua", text)
    file, diagnostics = parse(source)
    lines = [source.lines.position(d.span.start).line for d in diagnostics]
    assert lines == [2, 4, 9, 10]
    assert [d.name.text for d in file.definitions] == ["A", "good", "bad", "D"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("else if b:", "no `else if`"),
        ("while true:", "for item <- collection"),
        ("a = 1; b = 2", "lines of their own"),
        ("return 1", "<- value"),
        ("a-b = 1", "cannot contain `-`"),
        ("par a = 1", "run in parallel"),
    ],
)
def test_hints(line, hint):
    _, diagnostics = parse(SourceFile("main.aqua", f"{PRELUDE}  {line}\n    x = 1\n"))
    assert hint in " ".join(note.message for note in diagnostics[0].notes)


def test_message_names_what_was_found_and_expected():
    _, (diagnostic,) = parse(SourceFile("main.aqua", f"{PRELUDE}  for x <- xs seq:\n    y = x\n"))
    assert diagnostic.message == "expected `:`, found `seq`"


def test_only_the_very_first_line_may_be_indented() -> None:
    check("  aqua M\n")
    check("\n  aqua M -- error: AQ0101\n")


@pytest.mark.parametrize("text", ["dule L\n", "odule M\n", "exprt f\n", "xpot f, g\n", "ua M\n"])
def test_a_cut_first_word_is_one_error_inside_the_file(text: str) -> None:
    """The word that is meant is longer than the one written: no span may begin before the file."""
    file, diagnostics = parse(SourceFile("main.aqua", text))
    assert [d.code.id for d in diagnostics] == ["AQ0101"]
    for line in file.header:
        assert line.span.start >= 0
