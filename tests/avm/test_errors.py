"""The table of execution errors."""

from __future__ import annotations

from string import Formatter

import pytest

from avm.errors import TABLE, ErrorKind


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.number}-{row.kind}")
def test_row_renders(row: ErrorKind) -> None:
    fields = {name: f"<{name}>" for _, name, _, _ in Formatter().parse(row.template) if name}
    error = row.error(**fields)
    assert error.code == row.number
    assert error.catchable == (row.number < 20000 and not row.traps)
    assert all(text in error.message for text in fields.values())
    assert "{" not in error.message or "`{" in error.message


def test_numbers_are_those_of_the_reference() -> None:
    # 20021 is ours: the reference goes on where it is raised
    numbers = {row.number for row in TABLE}
    assert {n for n in numbers if n < 20000} == {*range(10000, 10013)} - {10004}
    assert {n for n in numbers if n >= 20000} == {
        20000, 20001, 20002, 20003, 20004, 20005, 20006, 20007, 20008, 20009, 20010, 20011, 20012, 20013, 20014, 20016, 20017, 20021,
    }  # fmt: skip


def test_one_kind_per_number() -> None:
    kinds: dict[int, set[str]] = {}
    for row in TABLE:
        kinds.setdefault(row.number, set()).add(row.kind)
    assert all(len(names) == 1 for names in kinds.values()), kinds
