"""Numbered names."""

from hypothesis import given
from hypothesis import strategies as st

from aquac.semantics.mangler import Mangler


def test_first_use_is_free_then_numbers_follow() -> None:
    mangler = Mangler()
    assert [mangler.new("x") for _ in range(3)] == ["x", "x-0", "x-1"]


def test_rename_always_numbers() -> None:
    mangler = Mangler()
    assert [mangler.rename("S") for _ in range(2)] == ["S-0", "S-1"]


def test_find_returns_only_renames() -> None:
    mangler = Mangler()
    mangler.forbid(["a"])
    assert mangler.find(["a", "b"]) == {"a": "a-0"}
    assert mangler.find(["a", "b"]) == {"a": "a-1", "b": "b-0"}


def test_a_taken_numbered_name_is_passed_over() -> None:
    mangler = Mangler()
    mangler.forbid(["x", "x-0", "x-1"])
    assert mangler.new("x") == "x-2"
    assert mangler.new("x-0") == "x-0-0"


@given(st.lists(st.tuples(st.sampled_from(["rename", "new"]), st.sampled_from(["x", "x-0", "x-1", "y"]))))
def test_names_handed_out_are_distinct(requests: list[tuple[str, str]]) -> None:
    mangler = Mangler()
    names = [getattr(mangler, method)(name) for method, name in requests]
    assert len(set(names)) == len(names)
