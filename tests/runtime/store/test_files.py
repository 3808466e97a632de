"""Files that are there whole or not at all."""

from __future__ import annotations

import os

import pytest

from runtime.keys import load_or_create_secret
from runtime.store.files import create_file, remove_drafts, write_file


def test_a_file_is_replaced_or_left(tmp_path, monkeypatch):
    place = tmp_path / "file"
    write_file(place, b"one")
    write_file(place, b"two")
    assert place.read_bytes() == b"two"

    def broken(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="No space"):
            write_file(place, b"three")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert place.read_bytes() == b"two"


def test_a_new_file_replaces_nothing(tmp_path):
    place = tmp_path / "key"
    create_file(place, b"one", 0o600)
    with pytest.raises(FileExistsError):
        create_file(place, b"two", 0o600)
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"one", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_drafts_of_a_killed_process_are_removed(tmp_path):
    for name in (".a.wasm.new", "a.wasm", ".other"):
        (tmp_path / name).write_bytes(b"")
    remove_drafts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other", "a.wasm"]


def test_a_key_whose_writing_was_cut_short_is_made_anew(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", killed)
        with pytest.raises(KeyboardInterrupt):
            load_or_create_secret(tmp_path / "key")
    assert not (tmp_path / "key").exists()
    seed = load_or_create_secret(tmp_path / "key")
    assert load_or_create_secret(tmp_path / "key") == seed
