"""Watching files, without a clock."""

from __future__ import annotations

import os

import pytest

from aquac.watch import wait_for_change


def check(path, change) -> None:
    """`change` happens during the second pause; waiting must end right after it."""
    pauses = 0

    def pause(_seconds):
        nonlocal pauses
        pauses += 1
        assert pauses < 4
        if pauses == 2:
            change()

    wait_for_change(lambda: sorted(str(p) for p in path.iterdir()), pause)
    assert pauses == 2


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.aqua").write_text("aqua A\n")
    return tmp_path


def test_written(folder):
    check(folder, lambda: (folder / "a.aqua").write_text("aqua Other\n"))


def test_touched(folder):
    check(folder, lambda: os.utime(folder / "a.aqua", ns=(1, 1)))


def test_new_and_gone(folder):
    check(folder, lambda: (folder / "b.aqua").write_text(""))
    check(folder, (folder / "b.aqua").unlink)


def test_a_file_that_is_not_there_yet(folder):
    new = folder / "later.aqua"
    pauses = []

    def pause(_seconds):
        pauses.append(1)
        assert len(pauses) < 3
        new.write_text("")

    wait_for_change(lambda: [str(new)], pause)
    assert len(pauses) == 1
