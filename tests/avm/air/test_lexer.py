"""Tokens: kinds, byte offsets, and the label of the first bad one."""

import pytest

from avm.air import ast, tokens
from avm.air.lexer import TextError, tokenize
from avm.air.limits import FLOAT_BYTES_MAX, INT_MAX, INT_MIN


def check(text: str, *kinds: int) -> None:
    assert tokenize(text).kinds == [*kinds, tokens.END]


def check_error(text: str, start: int, end: int, message: str) -> None:
    with pytest.raises(TextError) as caught:
        tokenize(text)
    assert (caught.value.start, caught.value.end, caught.value.message) == (start, end, message)


def node(text: str) -> object:
    found = tokenize(text)
    assert len(found.kinds) == 2
    return found.nodes[0]


@pytest.mark.parametrize("text", ["", " ", "\n\t\xa0\u3000", "; only a comment", ";a\n;b\n"])
def test_blank(text: str) -> None:
    check(text)


def test_brackets_keywords_and_comments() -> None:
    check("(null);x\n[]", tokens.OPEN, tokens.NULL, tokens.CLOSE, tokens.OPEN_SQUARE, tokens.CLOSE_SQUARE)


def test_literals_need_no_white_space_between() -> None:
    check('"a""b;\n)"', tokens.LITERAL, tokens.LITERAL)


def test_a_word_takes_its_brackets_along() -> None:
    check_error("(seq(null)(null))", 4, 4, "only alphanumeric, '_', and '-' characters are allowed in this position")
    check("(x.$.[0])", tokens.OPEN, tokens.SCALAR_LENS, tokens.CLOSE)
    check("[x]", tokens.OPEN_SQUARE, tokens.SCALAR, tokens.CLOSE_SQUARE)


@pytest.mark.parametrize(("text", "size"), [("x.$.[a(b]", 9), ("x.$.(", 5), ("x.$.[[0]]", 9), ("x.$.(a))", 7)])
def test_words_with_unusual_brackets(text: str, size: int) -> None:
    # None of them is a lens; the label shows where the word ended.
    with pytest.raises(TextError) as caught:
        tokenize(text)
    assert (caught.value.start, caught.value.end) == (1, size)


def test_positions_are_bytes() -> None:
    found = tokenize('(é "日" x)')
    assert list(zip(found.starts, found.ends, strict=True)) == [(0, 1), (1, 3), (4, 9), (10, 11), (11, 12), (12, 13)]
    assert found.nodes[1] == ast.Scalar("é", 1)
    assert found.nodes[3] == ast.Scalar("x", 10)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("x", tokens.SCALAR),
        ("1a", tokens.SCALAR),
        ("--", tokens.SCALAR),
        ("+a", tokens.SCALAR),
        ("1-1", tokens.SCALAR),
        ("-relay-", tokens.SCALAR),
        ("$s", tokens.STREAM),
        ("%m", tokens.STREAM_MAP),
        ("#c", tokens.CANON_STREAM),
        ("#$c", tokens.CANON_STREAM),
        ("#%c", tokens.CANON_STREAM_MAP),
        ("a%b", tokens.CANON_STREAM_MAP),
        ("$%c", tokens.CANON_STREAM_MAP),
        ("1%b", tokens.CANON_STREAM_MAP),
        ("x.length", tokens.SCALAR_LENS),
        ("#cc.$.[0]", tokens.CANON_STREAM_LENS),
        ("#$c.length", tokens.CANON_STREAM_LENS),
        ("#%m.$.k", tokens.CANON_STREAM_MAP_LENS),
        ("$ss.length", tokens.STREAM_LENS),
        ("%mm.length", tokens.STREAM_LENS),
        (":error:", tokens.ERROR),
        (":error:.$.message", tokens.ERROR_LENS),
        ("%last_error%", tokens.LAST_ERROR),
        ("%last_error%.length", tokens.LAST_ERROR_LENS),
        ("%ttl%", tokens.TTL),
        ("%timestamp%", tokens.TIMESTAMP),
        ("%init_peer_id%", tokens.INIT_PEER_ID),
        ("true", tokens.BOOLEAN),
        ("1", tokens.I64),
        ("-0", tokens.I64),
        ("1.", tokens.F64),
    ],
)
def test_words(word: str, kind: int) -> None:
    check(word, kind)


@pytest.mark.parametrize("text", ["$ss.length", '$ss.length "never closed', "%mm.$.a ) &"])
def test_nothing_is_read_after_a_lens_on_a_stream(text: str) -> None:
    check(text, tokens.STREAM_LENS)


NAME = "only alphanumeric, '_', and '-' characters are allowed in this position"
CANON = "a canon name should be non empty"
DOT = "leading dot without any symbols before - please write 0 if it's float or variable name if it's a lambda"


@pytest.mark.parametrize(
    ("text", "start", "end", "message"),
    [
        ('x "é', 2, 5, "this string literal has unclosed quote"),
        ("a!", 1, 1, NAME),
        ("1;c", 1, 1, NAME),
        ("é&", 2, 2, NAME),
        ("$", 0, 0, "a tagged name should be non empty"),
        ("#$", 1, 1, CANON),
        ("a%", 1, 1, CANON),
        ("#c.$.a", 1, 1, CANON),
        ("$s.length", 1, 1, CANON),
        (".x", 0, 0, DOT),
        ("+.5", 1, 1, DOT),
        ("1.2.3", 3, 3, "a digit could contain only digits or one dot"),
        ("1.a", 2, 2, "a digit could contain only digits or one dot"),
        ("x.$.a!b", 5, 5, "invalid character in lambda"),
        ("x.$.a/b", 5, 5, "invalid character in lambda"),
        ("+", 0, 1, "invalid digit found in string"),
        ("٣", 0, 2, "invalid digit found in string"),
        ("1.٣", 0, 4, "invalid float literal"),
        ("99999999999999999999٣", 0, 22, "number too large to fit in target type"),
        ("922337203685477580٣", 0, 20, "invalid digit found in string"),
        ("a\ud800", 1, 1, "the text can't be encoded as UTF-8"),
    ],
)
def test_bad_tokens(text: str, start: int, end: int, message: str) -> None:
    check_error(text, start, end, message)


def test_limit_int() -> None:
    assert node(str(INT_MAX)) == ast.Int(INT_MAX)
    assert node(str(INT_MIN)) == ast.Int(INT_MIN)
    assert node("0" * 5000 + "7") == ast.Int(7)  # more digits than Python converts
    check_error(str(INT_MAX + 1), 0, 19, "number too large to fit in target type")
    check_error(str(INT_MIN - 1), 0, 20, "number too small to fit in target type")
    check_error("9" * 5000, 0, 5000, "number too large to fit in target type")


def test_limit_float() -> None:
    longest = "-123456.789"
    assert len(longest) == FLOAT_BYTES_MAX
    assert node(longest) == ast.Float(-123456.789)
    check_error(longest + "1", 0, 12, "this float is too big, a float could contain less than 12 digits")


@pytest.mark.parametrize("piece", ["x[" * 2000, "x(" * 2000, ";\n" * 2000, " " * 4000, "x[]" * 2000])
def test_no_backtracking(piece: str) -> None:
    # Quadratic or worse behaviour would take minutes here.
    with pytest.raises(TextError):
        tokenize(piece * 5 + "&")
