"""The quick parser gives the exact parser's tree, or none."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from avm.air import ast
from avm.air.parser import parse, parse_exactly
from avm.air.quick import quick
from runtime.sim.air_scripts import valid_script
from tests.conformance.runner import default_files, read_cases

BEYOND = re.compile("[^\\x00-\\x7f]")
PIECES = [
    *'()[]"; \t\n.$#%!-0a_é',
    "call",
    "seq",
    "null",
    "[]",
    '""',
    "%init_peer_id%",
    "x.$.a",
    "1.5",
    ";c\n",
    "(null)",
]


def check(text: str, *, taken: bool | None = None) -> ast.Instruction | None:
    """Compare, positions included; `taken` says whether the quick parser must have a tree."""
    found = quick(text)
    if found is not None:
        # of the same small text, so that neither recursion is deep
        assert repr(found) == repr(parse_exactly(text).instruction)
    if taken is not None:
        assert (found is not None) == taken
    return found


KINDS = [
    "(null)",
    "(never)",
    "(seq (null) (never))",
    "(par (null) (null))",
    "(xor\n  (null)\n  (null)\n)\n",
    '(call "p" ("s" "f") [])',
    '(call %init_peer_id% ("s" "f") ["a" 1 -1.5 true [] %ttl% %timestamp% :error: %last_error% :error:.$.message] $x)',
    '(seq (call "p" ("s" "f") [] x) (call x.$.[0].a (x x.$.b) [x x.length x.$.[0]! x.$.a.[x]] x))',
    '(seq (ap [] x) (seq (ap x $s) (seq (ap "v" y) (ap 1 z))))',
    '(seq (ap ("k" 1) %m) (seq (ap (1 []) %m) (canon "p" %m #%c)))',
    '(seq (canon "p" $s #cc) (seq (canon "p" $s #$d) (seq (canon "p" %m x) (ap #cc.$.[0] y))))',
    "(seq (ap 1 x) (match x 1 (mismatch x [] (null))))",
    "(seq (ap 1 x) (fold x i (next i) (null)))",
    "(seq (ap 1 $s) (fold $s i (seq (null) (next i))))",
    '(seq (ap ("k" 1) %m) (fold %m i (par (null) (next i))))',
    "(fold [] i (next i))",
    "(new x (new $s (new %m (new #c (new #%c (null))))))",
    '(xor (fail 1 "m") (seq (fail :error:) (fail %last_error%)))',
    "(seq (ap 1 x) (fail x))",
    '; é\n(seq (call "é中" ("s" "\\u00a0") ["😀" "\x85"] $x) (seq (fail 1 "ü") (fold $x i (null))))',
    "; a comment\n\n(seq ; another\n (null)\n ; and another\n (null))\n; the last",
    '(call "a (b) [c] ; d" ("" "") ["))" "((" "]"])',
]


@pytest.mark.parametrize("text", KINDS)
def test_every_kind_of_instruction_is_taken(text: str) -> None:
    check(text, taken=True)


UNUSUAL = [
    "",
    "(",
    ")",
    "(null))",
    "(null) (null)",
    "(seq (null))",
    "(seq (null) (null) (null))",
    "(fold [] i)",
    "(fold [] i (null) (null) (null))",
    "( null)",
    "(null ; why here\n)",
    "(ap 1 é)",
    "(null\u00a0)",
    "(seq (null)\u2003(null))",
    '(ap "\ud800" x)',
    "(seq (ap 1 x) (ap x.$.é y))",
    "(ap y x)",
    "(next i)",
    '(call "p" ("s" "f") [$s])',
    '(call "p" ("s" "f") [] 1)',
    '(call "p" ("s" "f") [$s.$.a])',
    '(call "p" ("s" "f") [x.$.(a)])',
    '(call seq ("s" "f") [])',
    '(call "p" ("s" "f" []) x)',
    '(fail 0 "zero")',
    "(fail 1)",
    '(fail :error: "m")',
    "(ap 99999999999999999999 x)",
    "(seqnull)(null)",
    "(ap 1;c\n x)",
    '(ap "unclosed x)',
]


@pytest.mark.parametrize("text", UNUSUAL)
def test_anything_else_is_left_to_the_parser(text: str) -> None:
    check(text, taken=False)
    assert (parse(text).instruction is None) == (parse_exactly(text).instruction is None)
    assert parse(text).report == parse_exactly(text).report


def test_corpora() -> None:
    taken = valid = 0
    for area, key in (("avm-parse", "air"), ("avm", "air"), ("aqua-air", "air")):
        for path in default_files(area):
            for case in read_cases(path):
                text = case.get(key)
                if isinstance(text, str) and len(text) < 20_000:
                    taken += check(text) is not None
                    valid += parse_exactly(text).instruction is not None
    assert taken > 500
    assert taken > 0.95 * valid


@given(
    seed=st.integers(0, 2**32), edits=st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(PIECES)), max_size=3)
)
@example(seed=0, edits=[])
def test_random_and_damaged_scripts(seed: int, edits: list[tuple[int, str]]) -> None:
    rng = random.Random(seed)
    text = valid_script(rng, ["p", "q"], rng.choice((3, 8, 16)))
    check(text, taken=not BEYOND.search(re.sub('"[^"]*"', "", text)))
    for place, piece in edits:
        at = place % (len(text) + 1)
        text = text[:at] + piece + text[at + rng.choice((0, 0, 1, 2)) :]
    check(text)
