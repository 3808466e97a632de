"""TOML that is written is read back as it was."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from runtime.store.toml_text import toml_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.lists(TEXTS, max_size=3)
TABLES = st.recursive(
    st.dictionaries(TEXTS, LEAVES, max_size=4),
    lambda inner: st.dictionaries(TEXTS, LEAVES | inner, max_size=4),
    max_leaves=12,
)


@given(TABLES)
def test_round_trip(table):
    assert tomllib.loads(toml_text(table)) == table


def test_form():
    table = {"b": True, "skipped": None, "t": {"x": {"y": ["a", 'q"\x7f']}}, "n": 7}
    assert toml_text(table) == '"b" = true\n"n" = 7\n["t"]\n["t"."x"]\n"y" = ["a", "q\\"\\u007f"]\n'
