"""Walks and the comparison that ignores places."""

import pytest

from avm.air import parse
from avm.air.walk import postorder, preorder, same_shape


def test_orders() -> None:
    root = parse("(seq (fold [] i (never) (null)) (new x (par (null) (never))))").instruction
    assert root is not None
    before = ["Seq", "FoldScalar", "Never", "Null", "New", "Par", "Null", "Never"]
    after = ["Never", "Null", "FoldScalar", "Null", "Never", "Par", "New", "Seq"]
    assert [type(node).__name__ for node in preorder(root)] == before
    assert [type(node).__name__ for node in postorder(root)] == after


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("(ap 1 x)", "(ap  1  x)", True),
        ("(ap 1 x)", "(ap 1 y)", False),
        ("(ap 1 x)", "(ap 1. x)", False),
        ("(ap 0. x)", "(ap -0. x)", False),
        ("(ap 1 x)", "(ap true x)", False),
        ("(fold [] i (null))", "(fold [] i (null) (null))", False),
        ('(call "p" ("" "") [1])', '(call "p" ("" "") [1 1])', False),
        ("(seq (null) (never))", "(seq (never) (null))", False),
    ],
)
def test_same_shape(a: str, b: str, same: bool) -> None:
    left, right = parse(a).instruction, parse(b).instruction
    assert left is not None
    assert right is not None
    assert same_shape(left, right) is same
