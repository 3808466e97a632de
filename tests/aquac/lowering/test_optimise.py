"""Constants of sums are gathered; everything else stays."""

import pytest

from aquac.lowering.optimise import integer, optimise, wrap
from aquac.semantics import types as t
from aquac.semantics.raw import Bin, Literal, RawValue, Var


def value(text: str) -> RawValue:
    """`a + 1 - 2` from left to right; letters are variables."""
    words = text.split()
    result = leaf(words[0])
    for op, word in zip(words[1::2], words[2::2], strict=True):
        result = Bin("add" if op == "+" else "sub", result, leaf(word), t.U32)
    return result


def leaf(word: str) -> RawValue:
    if word.lstrip("-").isdigit():
        return Literal(word, t.SIGNED if word.startswith("-") else t.UNSIGNED)
    return Var(word, t.U32)


def text(of: RawValue) -> str:
    match of:
        case Bin(op, left, right):
            return f"({text(left)} {'+' if op == 'add' else '-'} {text(right)})"
        case Var(name):
            return name
        case Literal(digits, of_type):
            return digits if of_type == (t.SIGNED if digits.startswith("-") else t.UNSIGNED) else f"{digits}?"
    raise AssertionError(of)


def check(source: str, expected: str) -> None:
    assert text(optimise(value(source))) == expected
    assert text(optimise(optimise(value(source)))) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + a + 2 + b", "((a + b) + 3)"),
        ("a + 1 - 1", "a"),
        ("a - 3 + 1", "(a - 2)"),
        ("2 - 5", "-3"),
        ("7", "7"),
        ("007", "7"),
        ("a - b + 1", "((a - b) + 1)"),
        ("9223372036854775807 + 1", "-9223372036854775808"),
        ("a", "a"),
    ],
)
def test_sums(source: str, expected: str) -> None:
    check(source, expected)


def test_other_literals_keep_text_and_type() -> None:
    for literal in (Literal('"1"', t.STRING_LITERAL), Literal("1.50", t.FLOAT), Literal("%ttl%", t.U32)):
        assert optimise(literal) is literal


def test_integer() -> None:
    assert integer("12", t.U8) == 12
    assert integer("-12", t.SIGNED) == -12
    assert integer("12", t.NUMBER) == 12
    assert integer("12", t.F64) is None
    assert integer("12", t.STRING) is None
    assert integer("1_2", t.U8) is None
    assert integer(str(2**63), t.U64) is None
    assert wrap(2**63) == -(2**63)


def test_long_sums_need_no_stack() -> None:
    assert text(optimise(value("a" + " + 1" * 20_000))) == "(a + 20000)"
