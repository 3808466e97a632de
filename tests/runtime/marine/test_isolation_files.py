"""A module reaches only the files of the folders that it was given, by every way that WASI has to name one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.errors import CallError
from runtime.marine.host import Service
from tests.runtime.marine.kit import function, module, service

WASI = "wasi_snapshot_preview1"
FOLDER, OLD, NEW, OUT = 3, 1024, 1280, 2048
"""The descriptor of the only mapped folder; where a module keeps two paths, and answers."""
PERMISSION, BAD_DESCRIPTOR, INVALID, NO_ENTRY, NOT_A_FOLDER, NOT_CAPABLE = 63, 8, 28, 44, 54, 76
REFUSALS = {PERMISSION, BAD_DESCRIPTOR, NO_ENTRY, NOT_CAPABLE}

CALLS = {
    "open": ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32", f"{FOLDER} 1 old 0 64 0 0 {OUT}"),
    "open_folder": ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32", f"{FOLDER} 1 old 2 0 0 0 {OUT}"),
    "create": ("path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32", f"{FOLDER} 1 old 1 64 0 0 {OUT}"),
    "stat": ("path_filestat_get", "i32 i32 i32 i32 i32", f"{FOLDER} 1 old {OUT}"),
    "touch": ("path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32", f"{FOLDER} 1 old 0 0 5"),
    "make_folder": ("path_create_directory", "i32 i32 i32", f"{FOLDER} old"),
    "remove_folder": ("path_remove_directory", "i32 i32 i32", f"{FOLDER} old"),
    "remove": ("path_unlink_file", "i32 i32 i32", f"{FOLDER} old"),
    "read_link": ("path_readlink", "i32 i32 i32 i32 i32 i32", f"{FOLDER} old {OUT + 16} 200 {OUT}"),
    "link": ("path_link", "i32 i32 i32 i32 i32 i32 i32", f"{FOLDER} 1 old {FOLDER} new"),
    "link_as_it_is": ("path_link", "i32 i32 i32 i32 i32 i32 i32", f"{FOLDER} 0 old {FOLDER} new"),
    "rename": ("path_rename", "i32 i32 i32 i32 i32 i32", f"{FOLDER} old {FOLDER} new"),
    "symlink": ("path_symlink", "i32 i32 i32 i32 i32", f"old {FOLDER} new"),
}  # fmt: skip
"""Function of a test module → what it calls, with which types, and with what: `old` and `new` are paths."""


def _constants(kinds, values, sizes):
    """The arguments of a call: a path is an address and a length."""
    out = []
    for value in values.split():
        out += [{"old": OLD, "new": NEW}[value], sizes[value]] if value in sizes else [int(value)]
    types = kinds.split()
    assert len(types) == len(out), (types, out)
    return " ".join(f"({kind}.const {value})" for kind, value in zip(types, out, strict=True))


def calls(what, old, new=""):
    """What a module that makes a call with these paths is told."""
    name, kinds, values = CALLS[what]
    texts = [text.encode() for text in (old, new)]
    shown = ["".join(f"\\{byte:02x}" for byte in text) for text in texts]
    arguments = _constants(kinds, values, {"old": len(texts[0]), "new": len(texts[1])})
    body = f"""(data (i32.const {OLD}) "{shown[0]}") (data (i32.const {NEW}) "{shown[1]}")
      (func (export "f") (result i32) (call $it {arguments}))"""
    imports = f'(import "{WASI}" "{name}" (func $it (param {kinds}) (result i32)))'
    return module(body, {"functions": [function("f", "", "u16")]}, imports=imports)


@pytest.fixture
def folders(tmp_path):
    """A folder to be mapped, with links that lead out of it, and what lies beside it."""
    given = tmp_path / "given"
    (given / "inner").mkdir(parents=True)
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "file").write_text("of the host")
    (tmp_path / "secret").write_text("of the host")
    (given / "file").write_text("of the module")
    (given / "link").symlink_to(tmp_path / "secret")
    (given / "link_up").symlink_to("../secret")
    (given / "inner" / "chain").symlink_to("../link_up")
    (given / "folder_link").symlink_to(tmp_path / "beside")
    (given / "parent").symlink_to("..")
    return tmp_path


def answer(folders, what, old, new=""):
    with service({"m": calls(what, old, new)}, settings={"mapped_dirs": {"/data": folders / "given"}}) as running:
        return running.call("f", [])


def everything(folders):
    """All files beside the given folder, with their content."""
    return {
        str(path.relative_to(folders)): path.read_bytes() if path.is_file() else None
        for path in folders.rglob("*")
        if folders / "given" not in path.parents
    }


OUTSIDE = (
    "../secret", "inner/../../secret", "./inner/.././../secret", "../beside/file", "..", "../", "/etc/passwd", "/proc/self/environ", "//",
    "link", "link_up", "inner/chain", "folder_link/file", "parent/secret", "parent/beside/file", "inner/../parent/secret", "../given/../secret",
)  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("what", ["open", "open_folder", "create", "stat", "touch"])
def test_no_path_leads_out(folders, what, path):
    before = everything(folders)
    assert answer(folders, what, path) in REFUSALS
    assert everything(folders) == before


@pytest.mark.parametrize("path", [path for path in OUTSIDE if path not in ("link", "link_up", "inner/chain")])
@pytest.mark.parametrize(
    "what", ["make_folder", "remove_folder", "remove", "read_link", "link", "link_as_it_is", "rename"]
)
def test_nothing_outside_is_changed_or_taken(folders, what, path):
    before = everything(folders)
    answer(folders, what, path, "taken")
    assert everything(folders) == before
    assert not (folders / "given" / "taken").exists()


@pytest.mark.parametrize("path", ["../put", "/tmp/put", "inner/../../put", "parent/put", "folder_link/put"])
@pytest.mark.parametrize("what", ["link", "rename", "symlink"])
def test_nothing_is_put_outside(folders, what, path):
    before = everything(folders)
    assert answer(folders, what, "file", path) in REFUSALS | {INVALID}
    assert everything(folders) == before
    assert (folders / "given" / "file").read_text() == "of the module"


@pytest.mark.parametrize("target", ["../secret", "../beside", "..", "/etc", "/proc/self/environ", "/"])
def test_links_of_a_module_lead_nowhere_else(folders, target):
    """It may make a link with any text; neither it nor a path through it is followed out."""
    if answer(folders, "symlink", target, "own") != 0:
        assert not (folders / "given" / "own").is_symlink()
        return
    for path in ("own", "own/passwd", "own/file", "own/secret"):
        for what in ("open", "stat", "create"):
            assert answer(folders, what, path) in REFUSALS | {NOT_A_FOLDER}
    assert everything(folders)["secret"] == b"of the host"


@pytest.mark.parametrize("path", ["link", "folder_link"])
def test_where_a_link_of_the_host_leads_is_not_told(folders, path):
    assert answer(folders, "read_link", path) == PERMISSION


def test_hard_links_stay_within(folders):
    assert answer(folders, "link_as_it_is", "file", "second") == 0
    assert (folders / "given" / "second").samefile(folders / "given" / "file")


def test_a_path_with_a_nul(folders):
    for path in ("file\0../secret", "\0", "../secret\0"):
        assert answer(folders, "open", path) != 0


def test_only_the_folder_is_a_descriptor(folders):
    """No descriptor of the host process can be reached by its number."""
    body = f"""(func (export "f") (param i32) (result i32) (call $stat (local.get 0) (i32.const {OUT})))"""
    imports = f'(import "{WASI}" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))'
    prober = module(body, {"functions": [function("f", "fd: u32", "u16")]}, imports=imports)
    with (
        (folders / "secret").open() as file,
        service({"m": prober}, settings={"mapped_dirs": {"/data": folders / "given"}}) as running,
    ):
        found = [number for number in range(max(64, file.fileno() + 2)) if running.call("f", [number]) == 0]
    assert found == [0, 1, 2, FOLDER]


def test_folders_are_of_one_module(folders):
    """What one module of a service was given, another cannot use."""
    first = ("a", calls("open", "file"))
    second = ("b", calls("open", "file"))
    config = ServiceConfig((ModuleConfig("a", mapped_dirs={"/data": folders / "given"}), ModuleConfig("b")))
    with Service(config, dict([first, second])) as running:
        assert running.call("f", [], module="a") == 0
        assert running.call("f", [], module="b") == BAD_DESCRIPTOR


@pytest.mark.parametrize("path", ["file", "../secret", "missing", "/etc/passwd"])
def test_errors_do_not_tell_where_the_host_is(folders, path):
    """A module that traps on what it is told: neither its memory nor the message knows the host's path."""
    trapping = calls("open", path)
    body = """(func (export "g") unreachable)"""
    failing = module(body, {"functions": [function("g")]})
    settings = {"mapped_dirs": {"/data": folders / "given"}, "show_host_paths": False}
    with service({"f": trapping, "g": failing}, settings=settings) as running:
        running.call("f", [], module="f")
        with pytest.raises(CallError) as caught:
            running.call("g", [])
        assert str(folders) not in str(caught.value)
        for instance in running.instances:
            assert os.fsencode(folders) not in bytes(instance.memory())


# ── descriptors of nothing: network and streams ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "kinds", "values"),
    [
        ("sock_accept", "i32 i32 i32", f"0 {OUT}"),
        ("sock_recv", "i32 i32 i32 i32 i32 i32", f"{OUT} 1 0 {OUT + 8} {OUT + 16}"),
        ("sock_send", "i32 i32 i32 i32 i32", f"{OUT} 1 0 {OUT + 8}"),
        ("sock_shutdown", "i32 i32", "1"),
    ],
)
def test_there_is_no_network(folders, name, kinds, values):
    constants = " ".join(f"(i32.const {value})" for value in values.split())
    body = f'(func (export "f") (param i32) (result i32) (call $it (local.get 0) {constants}))'
    imports = f'(import "{WASI}" "{name}" (func $it (param {kinds}) (result i32)))'
    made = module(body, {"functions": [function("f", "fd: u32", "u16")]}, imports=imports)
    with service({"m": made}, settings={"mapped_dirs": {"/data": folders / "given"}}) as running:
        assert all(running.call("f", [number]) != 0 for number in range(8))


def test_there_are_no_arguments_and_no_input():
    body = f"""(func (export "f") (result i32)
        (drop (call $args (i32.const {OUT}) (i32.const {OUT + 4})))
        (i32.store (i32.const {OUT + 8}) (i32.const 0)) (i32.store (i32.const {OUT + 12}) (i32.const 16))
        (drop (call $read (i32.const 0) (i32.const {OUT + 8}) (i32.const 1) (i32.const {OUT + 16})))
        (i32.add (i32.load (i32.const {OUT})) (i32.add (i32.load (i32.const {OUT + 4})) (i32.load (i32.const {OUT + 16})))))"""
    imports = f"""(import "{WASI}" "args_sizes_get" (func $args (param i32 i32) (result i32)))
        (import "{WASI}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))"""
    assert service({"m": module(body, {"functions": [function("f", "", "u32")]}, imports=imports)}).call("f", []) == 0


def test_a_process_that_had_output_of_modules_ends_quietly(tmp_path):
    """Streams are dropped by a thread of the engine, which must not find a Python that is ending."""
    script = tmp_path / "script.py"
    script.write_text(
        "from tests.runtime.marine.kit import module, service, function\n"
        'imports = \'(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))\'\n'
        "body = '(data (i32.const 0) \"\\\\08\\\\00\\\\00\\\\00\\\\03\\\\00\\\\00\\\\00hi\\\\0a\")'\n"
        "body += '(func (export \"f\") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64))))'\n"
        "seen = []\n"
        "made = module(body, {'functions': [function('f')]}, imports=imports)\n"
        "running = service({'m': made}, log=seen.append)\n"
        "for _ in range(20):\n"
        "    running.call('f', [])\n"
        "assert [record.message for record in seen] == ['hi'] * 20\n"
        "running.close()\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
