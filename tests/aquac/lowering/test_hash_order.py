"""Order of maps and sets, against facts measured on the reference (spec aqua-to-air §13)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aquac.lowering.hash_order import ScalaMap, export_order, find_order, java_hash, set_order, trie_order


def check(keys: str, expected: str) -> None:
    assert set_order(keys.split()) == expected.split()


def test_small_sets_keep_their_order() -> None:
    check("d c b a", "d c b a")
    check("b a b", "b a")


def test_large_sets_follow_the_hash() -> None:
    check("alpha beta gamma delta epsilon zeta", "alpha zeta epsilon gamma delta beta")


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("a", 97), ("hello", 99162322), ("\U0001d11e", 0x1B0EA3)])
def test_java_hash(text: str, expected: int) -> None:
    units = text.encode("utf-16-be")
    by_definition = 0
    for at in range(0, len(units), 2):
        by_definition = (by_definition * 31 + int.from_bytes(units[at : at + 2], "big")) % 2**32
    assert java_hash(text) == by_definition
    if text.isascii():
        assert java_hash(text) == expected


def test_keys_of_equal_hash_stay_in_order() -> None:
    assert java_hash("Aa") == java_hash("BB")
    assert trie_order(["BB", "Aa"]) == ["BB", "Aa"]
    assert trie_order(["Aa", "BB"]) == ["Aa", "BB"]


def test_a_trie_stays_a_trie_when_it_shrinks() -> None:
    names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"]
    full = ScalaMap(dict.fromkeys(names))
    shrunk = full.without(["alpha", "gamma"])
    assert list(shrunk) == ["zeta", "epsilon", "delta", "beta"]
    assert list(ScalaMap(dict.fromkeys(["beta", "delta", "epsilon", "zeta"]))) == ["beta", "delta", "epsilon", "zeta"]
    assert list(full.without(names).updated("b", None).updated("a", None)) == trie_order(["b", "a"])


def test_concat() -> None:
    small, other = ScalaMap({"b": 1, "a": 2}), ScalaMap({"a": 3, "c": 4})
    assert small.concat(other).items() == [("b", 1), ("a", 3), ("c", 4)]
    assert small.concat(ScalaMap()) is small
    assert ScalaMap[int]().concat(small) is small
    assert small.updated("b", 9).items() == [("b", 9), ("a", 2)]


@pytest.mark.parametrize(("names", "expected"), [("a", "a"), ("a b", "b a"), ("a b c d", "b a c d")])
def test_export_order(names: str, expected: str) -> None:
    assert export_order(names.split()) == expected.split()


def test_mangler_order_is_computed_only_where_it_shows() -> None:
    unrelated = [f"n{at}" for at in range(9)]
    assert find_order(unrelated) == unrelated
    related = [*unrelated, "n1-0"]
    assert find_order(related) == trie_order(related)


@settings(max_examples=40)
@given(st.lists(st.text(max_size=4), unique=True, min_size=5, max_size=40))
def test_trie_order_is_a_permutation_that_ignores_insertion_order(keys: list[str]) -> None:
    ordered = trie_order(keys)
    assert sorted(ordered) == sorted(keys)
    if len({java_hash(key) for key in keys}) == len(keys):
        assert trie_order(reversed(keys)) == ordered
