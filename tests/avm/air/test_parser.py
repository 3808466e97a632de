"""Trees, labels of syntax errors, recovery, depth."""

import pytest

from avm.air import Label, ast, parse
from avm.air.walk import postorder, preorder, same_shape

KEYWORDS = "expected ap or call or canon or fail or fold or match_ or mismatch or never or new or next or null or par or seq or xor"


def check_labels(text: str, *labels: tuple[int, int, str]) -> None:
    result = parse(text)
    assert result.instruction is None
    assert result.labels == tuple(Label(*label) for label in labels)


def test_tree() -> None:
    result = parse('(xor (call p.$.a ("s" f) [1 [] x] $o) (fail 7 "m"))')
    assert not result.ok  # p, f and x are nowhere defined
    result = parse('(call %init_peer_id% ("s" "f") [1 [ ] -0.5] $o)')
    assert result.ok
    assert result.labels == ()
    assert result.report == ""
    assert result.instruction == ast.Call(
        ast.InitPeerId(),
        ast.Literal("s"),
        ast.Literal("f"),
        (ast.Int(1), ast.EmptyArray(), ast.Float(-0.5)),
        ast.Stream("$o", 44),
        (0, 47),
    )


def test_spans_and_positions() -> None:
    result = parse("(seq\n (ap 1 é)\n (fold é i (next i) (null)))")
    assert isinstance(result.instruction, ast.Seq)
    assert result.instruction.span == (0, 45)
    fold = result.instruction.right
    assert isinstance(fold, ast.FoldScalar)
    assert fold.span == (17, 44)
    assert fold.iterable == ast.Scalar("é", 23)
    assert fold.instruction == ast.Next(ast.Scalar("i", 34), (28, 36))
    assert fold.last_instruction == ast.Null((37, 43))


def test_forms_of_ap_canon_fold() -> None:
    text = """(seq (ap ("k" #cc.$.[0]) %m) (seq (canon "p" %m #%m) (seq (canon "p" %m s) (seq (canon "p" $s #c)
        (par (fold #%m.$.k i (null)) (par (fold %m i (null)) (fold [] i (null))))))))"""
    result = parse(text)
    assert result.instruction is not None
    names = """Seq ApMap Seq CanonMap Seq CanonStreamMapScalar Seq Canon Par
        FoldScalar Null Par FoldStreamMap Null FoldScalar Null"""
    assert [type(node).__name__ for node in preorder(result.instruction)] == names.split()


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", [(0, 1, 'expected "("')]),
        ("null", [(0, 4, 'expected "("')]),
        ("()", [(1, 2, KEYWORDS)]),
        ("(null))", [(6, 7, "expected <nothing>")]),
        ("(null", [(5, 6, 'expected ")"')]),
        ("(null)  ; end\n (", [(15, 16, "expected <nothing>")]),
        ('(canon "p" %s $c)', [(14, 16, "expected CanonStreamMap or Scalar")]),
        ('(call "p" ("s" "f") [] %m)', [(23, 25, 'expected ")" or Scalar or Stream')]),
        ("(fail 1 x)", [(8, 9, "expected Literal")]),
        ("(seq (nul) (xyz))", [(6, 9, KEYWORDS), (12, 15, KEYWORDS), (16, 17, "expected <nothing>")]),
        # the third instruction takes the place of the second
        ("(seq (null) (null) (null))", [(19, 20, 'expected ")"')]),
        # a fold may end after one instruction, so its bracket is taken for its own
        ("(fold [] i (nul) (null))", [(12, 15, KEYWORDS), (17, 18, "expected <nothing>")]),
    ],
)
def test_syntax_errors(text: str, labels: list[tuple[int, int, str]]) -> None:
    check_labels(text, *labels)


def test_the_first_bad_token_is_the_only_label() -> None:
    check_labels(
        '(seq (nul) (ap x "y)',
        (17, 20, "this string literal has unclosed quote"),
    )


def test_a_lens_on_a_stream_is_the_only_label() -> None:
    # No rule has that token: the error in front of it and what follows it are forgotten.
    check_labels("(seq (nul) (next $ss.length) &)", (17, 27, "expected Scalar"))
    check_labels("(seq (nul $ss.length", (10, 20, KEYWORDS))


def test_checks_run_on_what_was_parsed() -> None:
    check_labels(
        "(par (next i) (ap 1))",
        (19, 20, "expected Scalar or Stream"),
        (20, 21, "expected <nothing>"),
        (5, 13, "iterable 'i' wasn't defined"),
    )


@pytest.mark.parametrize("shape", ["left", "right", "fold", "new"])
def test_depth(shape: str) -> None:
    depth = 10_000
    pieces = {
        "left": ("(seq ", "(null)", " (null))"),
        "right": ("(xor (null) ", "(null)", ")"),
        "fold": ("(fold [] {} (null) ", "(null)", ")"),
        "new": ("(new x ", "(null)", ")"),
    }
    opening, middle, closing = pieces[shape]
    openings = "".join(opening.replace("{}", f"i{n}") for n in range(depth))
    result = parse(openings + middle + closing * depth)
    assert result.instruction is not None
    assert sum(1 for _ in postorder(result.instruction)) >= depth
    assert same_shape(result.instruction, result.instruction)


def test_errors_at_depth_take_linear_time() -> None:
    depth = 10_000
    # Every `(` is dropped: no open instruction takes one. A search for a place through all of them would be quadratic.
    result = parse("(match 1 1 " * depth + "(nul" + ") (" * depth)
    assert len(result.labels) == depth + 1


def test_many_errors_in_a_deep_script() -> None:
    depth = 3_000
    result = parse("(seq (null) " * depth + "(nul) " + ") (oops) " * depth)
    assert len(result.labels) == depth
    assert result.report.startswith("error: \n")
