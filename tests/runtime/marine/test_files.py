"""Mapped folders: what a module reaches through them, and what it must not."""

from __future__ import annotations

import pytest

from runtime.marine.errors import LoadError
from tests.runtime.marine.kit import function, module, service

IMPORTS = """
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
"""
# folder 3 is the mapped one; 512 holds the opened file, 520 a buffer of 1000 bytes at 65536, 528 what was moved
BODY = """
  (func $open (param $path i32) (param $size i32) (param $flags i32) (result i32)
    (call $path_open (i32.const 3) (i32.const 1) (local.get $path) (local.get $size) (local.get $flags)
      (i64.const 66) (i64.const 0) (i32.const 0) (i32.const 512)))
  (func (export "open") (param i32 i32) (result i32)
    (local $errno i32)
    (local.set $errno (call $open (local.get 0) (local.get 1) (i32.const 0)))
    (if (i32.eqz (local.get $errno)) (then (drop (call $fd_close (i32.load (i32.const 512))))))
    (local.get $errno))
  (func (export "read") (param i32 i32)
    (if (call $open (local.get 0) (local.get 1) (i32.const 0)) (then unreachable))
    (i32.store (i32.const 520) (i32.const 65536))
    (i32.store (i32.const 524) (i32.const 1000))
    (if (call $fd_read (i32.load (i32.const 512)) (i32.const 520) (i32.const 1) (i32.const 528)) (then unreachable))
    (drop (call $fd_close (i32.load (i32.const 512))))
    (call $set_ptr (i32.const 65536))
    (call $set_size (i32.load (i32.const 528))))
  (func (export "write") (param i32 i32 i32 i32) (result i32)
    (local $errno i32)
    (local.set $errno (call $open (local.get 0) (local.get 1) (i32.const 9)))
    (if (local.get $errno) (then (return (local.get $errno))))
    (i32.store (i32.const 520) (local.get 2))
    (i32.store (i32.const 524) (local.get 3))
    (local.set $errno (call $fd_write (i32.load (i32.const 512)) (i32.const 520) (i32.const 1) (i32.const 528)))
    (drop (call $fd_close (i32.load (i32.const 512))))
    (local.get $errno))
  (func (export "link") (param i32 i32 i32 i32) (result i32)
    (call $path_symlink (local.get 0) (local.get 1) (i32.const 3) (local.get 2) (local.get 3)))
"""
INTERFACE = {
    "functions": [
        function("open", "path: string", "u16"),
        function("read", "path: string", "string"),
        function("write", "path: string, text: string", "u16"),
        function("link", "target: string, path: string", "u16"),
    ]
}
FILES = module(BODY, INTERFACE, pages="2", imports=IMPORTS)
NOT_PERMITTED = 63


@pytest.fixture
def place(tmp_path):
    """A mapped folder with a file, beside it a secret and a folder with one."""
    folder = tmp_path / "mapped"
    (folder / "inner").mkdir(parents=True)
    (folder / "file").write_text("inside")
    (folder / "inner" / "file").write_text("deeper")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    (tmp_path / "secret").write_text("secret")
    return tmp_path


def mapped(place):
    return service({"m": FILES}, settings={"mapped_dirs": {"/data": place / "mapped"}})


def test_files_of_a_mapped_folder(place):
    with mapped(place) as running:
        assert running.call("read", ["file"]) == "inside"
        assert running.call("read", ["inner/../inner/file"]) == "deeper"
        assert running.call("write", ["new", "written"]) == 0
    assert (place / "mapped" / "new").read_text() == "written"


def test_links_within_a_mapped_folder(place):
    (place / "mapped" / "link").symlink_to("inner/file")
    (place / "mapped" / "inner" / "up").symlink_to("../file")
    (place / "mapped" / "folder").symlink_to("inner", target_is_directory=True)
    with mapped(place) as running:
        assert [running.call("read", [path]) for path in ("link", "inner/up", "folder/file")] == [
            "deeper",
            "inside",
            "deeper",
        ]


def test_links_out_of_a_mapped_folder(place):
    """However the host's links are made, neither a file nor a folder outside can be opened, read or written."""
    folder = place / "mapped"
    (folder / "relative").symlink_to("../secret")
    (folder / "absolute").symlink_to(place / "secret")
    (folder / "missing").symlink_to("../made")
    (folder / "folder").symlink_to("../outside", target_is_directory=True)
    (folder / "absolute_folder").symlink_to(place / "outside", target_is_directory=True)
    (folder / "twice").symlink_to("relative")
    (folder / "inner" / "up").symlink_to("../..", target_is_directory=True)
    (folder / "round").symlink_to("../mapped/file")
    paths = ["relative", "absolute", "folder", "folder/secret", "absolute_folder/secret", "twice", "inner/up/secret"]
    with mapped(place) as running:
        for path in [*paths, "round", "../secret", "inner/../../secret", str(place / "secret"), "/etc/passwd"]:
            assert running.call("open", [path]) == NOT_PERMITTED, path
        for path in (*paths, "missing", "folder/made", "../made"):
            assert running.call("write", [path, "spoilt"]) == NOT_PERMITTED, path
    assert (place / "secret").read_text() == (place / "outside" / "secret").read_text() == "secret"
    assert sorted(path.name for path in place.rglob("made")) == []


def test_links_a_module_makes(place):
    """A module may write any relative link, but follows it no further than others."""
    with mapped(place) as running:
        assert running.call("link", ["inner/file", "in"]) == 0
        assert running.call("read", ["in"]) == "deeper"
        assert running.call("link", ["../secret", "out"]) == 0
        assert running.call("open", ["out"]) == NOT_PERMITTED
        assert running.call("link", [str(place / "secret"), "absolute"]) == NOT_PERMITTED
        assert running.call("link", ["file", "../made"]) == NOT_PERMITTED


def test_a_mapped_folder_may_itself_be_a_link(place):
    (place / "other").symlink_to("mapped", target_is_directory=True)
    with service({"m": FILES}, settings={"mapped_dirs": {"/data": place / "other"}}) as running:
        assert running.call("read", ["file"]) == "inside"
        assert running.call("open", ["../secret"]) == NOT_PERMITTED


def test_a_folder_that_is_not_there(place):
    with pytest.raises(LoadError, match="mapped to /data does not exist"):
        service({"m": FILES}, settings={"mapped_dirs": {"/data": place / "secret"}})
