"""A module reaches nothing that it was not given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import wasmtime

from runtime.marine import mounted
from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.errors import CallError, ErrorClass, LoadError
from runtime.marine.host import Service
from runtime.marine.interface_types import Tables, encode
from tests.runtime.marine.kit import function, module, on_every_engine, service, with_sections

WASI = "wasi_snapshot_preview1"
PATH_OPEN = f'(import "{WASI}" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))'
OPEN = """(data (i32.const 0) "{path}")
  (func (export "f") (result i32)
    (call $open (i32.const 3) (i32.const 1) (i32.const 0) (i32.const {size}) (i32.const {flags})
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 512)))"""
ENVIRON = f"""(import "{WASI}" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "{WASI}" "environ_get" (func $environ (param i32 i32) (result i32)))"""
READ_ENVIRON = """(func (export "f")
    (drop (call $sizes (i32.const 0) (i32.const 4))) (drop (call $environ (i32.const 16) (i32.const 256)))
    (global.set $ptr (i32.const 256)) (global.set $size (i32.load (i32.const 4))))"""
NUMBER = {"functions": [function("f", "", "s32")]}
CREATE, BAD_FD, NOT_PERMITTED = 1, 8, 63


def opener(path, flags=0):
    return module(OPEN.format(path=path, size=len(path), flags=flags), NUMBER, imports=PATH_OPEN)


def test_without_a_folder_there_is_no_file():
    assert service({"m": opener("etc/passwd")}).call("f", []) == BAD_FD


@pytest.mark.parametrize("path", ["../secret", "inner/../../secret", "/etc/passwd", "link"])
def test_a_mapped_folder_is_not_left(tmp_path, path):
    (tmp_path / "given" / "inner").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (tmp_path / "given" / "link").symlink_to(tmp_path / "secret")
    running = service({"m": opener(path)}, settings={"mapped_dirs": {"/data": tmp_path / "given"}})
    assert running.call("f", []) == NOT_PERMITTED


def test_files_of_a_mapped_folder(tmp_path):
    running = service({"m": opener("new", CREATE)}, settings={"mapped_dirs": {"/data": tmp_path}})
    assert running.call("f", []) == 0
    assert (tmp_path / "new").is_file()


def test_a_missing_folder_fails_the_load(tmp_path):
    with pytest.raises(LoadError, match="does not exist"):
        service({"m": opener("x")}, settings={"mapped_dirs": {"/data": tmp_path / "nowhere"}})


def test_environment_is_the_configured_one(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET", "of the host")
    reader = module(READ_ENVIRON, {"functions": [function("f", "", "[]u8")]}, imports=ENVIRON)
    running = service({"m": reader}, settings={"envs": {"A": "1"}, "mapped_dirs": {"/data": tmp_path}})
    text = bytes(running.call("f", [])).decode()
    assert text == f"A=1\0/data={tmp_path}\0"
    hidden = service({"m": reader}, settings={"mapped_dirs": {"/data": tmp_path}, "show_host_paths": False})
    assert bytes(hidden.call("f", [])).decode() == "/data=/data\0"


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("host", "curl"),
        ("__marine_host_api_v3", "curl"),
        ("env", "f"),
        (WASI, "sock_open"),
        ("__marine_host_api_v4", "log_utf8_string"),
    ],
)
def test_what_is_not_given_is_not_linked(namespace, name):
    with pytest.raises(LoadError, match="failed to instantiate"):
        service({"m": module("", imports=f'(import "{namespace}" "{name}" (func))')})


@pytest.mark.parametrize(
    "what", ['"g" (global i32)', '"t" (table 1 funcref)', '"allocate" (func (param i32 i32) (result i32))']
)
def test_modules_share_nothing(what):
    first = module('(global (export "g") i32 (i32.const 1)) (table (export "t") 1 funcref)')
    with pytest.raises(LoadError, match="failed to instantiate"):
        service({"first": first, "second": module("", imports=f'(import "first" {what})')})


def test_an_endless_loop_meets_the_deadline():
    looping = module('(func (export "f") (loop (br 0))) (func (export "g") (result i32) (i32.const 4))',
                     {"functions": [function("f"), function("g", "", "s32")]})  # fmt: skip
    running = service({"m": looping}, timeout_ms=20)
    with pytest.raises(CallError, match="out of time") as caught:
        running.call("f", [])
    assert caught.value.error_class is ErrorClass.DEADLINE
    assert running.call("g", []) == 4


def test_an_endless_start_meets_the_deadline():
    with pytest.raises(LoadError, match="out of time"):
        service({"m": module('(func (export "_start") (loop (br 0)))')}, timeout_ms=20)


def test_the_deadline_ends_the_whole_chain():
    loop = module('(func (export "f") (loop (br 0)))', {"functions": [function("f")]})
    caller = module('(func (export "f") (call $f))',
                    {"functions": [function("f")], "imports": [{"namespace": "a", "functions": [function("f")]}]},
                    imports='(import "a" "f" (func $f))')  # fmt: skip
    running = service({"a": loop, "b": caller}, timeout_ms=20)
    with pytest.raises(CallError) as caught:
        running.call("f", [])
    assert caught.value.error_class is ErrorClass.DEADLINE


GROW = '(func (export "f") (param i32) (result i32) (memory.grow (local.get 0)))'
GROWING = {"functions": [function("f", "pages: s32", "s32")]}


def test_memory_limit_counts_all_modules():
    caller = module(GROW.replace('"f"', '"own"') + '(func (export "other") (param i32) (result i32) (call $f (local.get 0)))',
                    {"functions": [function("own", "n: s32", "s32"), function("other", "n: s32", "s32")],
                     "imports": [{"namespace": "a", "functions": GROWING["functions"]}]},
                    imports='(import "a" "f" (func $f (param i32) (result i32)))')  # fmt: skip
    running = service({"a": module(GROW, GROWING), "b": caller}, memory_limit=6 * 65536)
    assert running.call("own", [2]) == 1
    assert running.call("other", [3]) == -1
    assert running.call("other", [2]) == 1
    assert running.call("own", [1]) == -1
    assert sum(one["memory_size_bytes"] for one in running.memory_stats()) == 6 * 65536


def test_memory_limit_at_the_start():
    with pytest.raises(LoadError, match="memory"):
        service({"m": module("", pages="4")}, memory_limit=2 * 65536)


def test_tables_count_as_memory():
    tables = module(
        '(table $t 8000 funcref) (func (export "f") (result i32) (table.grow $t (ref.null func) (i32.const 20000)))',
        NUMBER,
    )
    with pytest.raises(LoadError):
        service({"m": tables}, memory_limit=65536 + 60_000)
    running = service({"m": tables}, memory_limit=65536 + 64_000 + 8_000)
    assert running.call("f", []) == -1
    assert service({"m": tables}).call("f", []) == 8000


MOUNTED = """(import "__marine_host_api_v3" "tool" (func $tool (param i32 i32)))"""
RUN = """(data (i32.const 0) "{text}") (data (i32.const 512) "\\00\\00\\00\\00{size}\\00\\00\\00")
  (func (export "f") (call $tool (i32.const 512) (i32.const 1)))"""
RESULT = [["ret_code", "s32"], ["error", "string"], ["stdout", "[]u8"], ["stderr", "[]u8"]]


def runner(argument):
    interface = {"records": [{"name": "R", "fields": RESULT}], "functions": [function("f", "", "R")]}
    return module(RUN.format(text=argument, size=f"\\{len(argument):02x}"), interface, imports=MOUNTED)


def tool(tmp_path, script):
    path = tmp_path / "tool"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(os.name != "posix", reason="a shell script is mounted")
def test_mounted_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "of the host")
    program = tool(tmp_path, 'echo "got $1 [$SECRET] $(ls | wc -l)"; echo oh >&2; exit 3')
    for inherit, text in ((False, "got a;b [] 0\n"), (True, "got a;b [of the host]")):
        settings = {"mounted_binaries": {"tool": program}, "inherit_environment": inherit}
        got = service({"m": runner("a;b")}, settings=settings).call("f", [])
        assert bytes(got["stdout"]).decode().startswith(text)
        assert (got["ret_code"], got["error"], bytes(got["stderr"])) == (3, "", b"oh\n")


@pytest.mark.skipif(os.name != "posix", reason="a shell script is mounted")
def test_mounted_programs_that_fail(tmp_path):
    def result(script, **config):
        program = tool(tmp_path, script) if script else str(tmp_path / "nowhere")
        return service({"m": runner("x")}, settings={"mounted_binaries": {"tool": program}}, **config).call("f", [])

    assert result("kill -9 $$")["ret_code"] == 100_000
    missing = result("")
    assert (missing["ret_code"], missing["error"]) == (100_001, "No such file or directory")


def test_a_module_does_not_see_later_modules():
    caller = module(
        "", {"imports": [{"namespace": "b", "functions": [function("f")]}]}, imports='(import "b" "f" (func))'
    )
    with pytest.raises(LoadError, match="module with name 'b' isn't loaded"):
        service({"a": caller, "b": module('(func (export "f"))', {"functions": [function("f")]})})


def test_too_many_modules():
    config = ServiceConfig(tuple(ModuleConfig(f"m{n}") for n in range(65)))
    with pytest.raises(LoadError, match="at most 64 modules"):
        Service(config, {})


# ── one module and another ───────────────────────────────────────────────────────────────────────────────────────────


@on_every_engine
def test_a_pointer_means_the_memory_of_who_gave_it(engine):
    """A module that answers with an address of its caller's secret gives what lies there in its own memory."""
    answer = function("g", "", "string")
    liar = module(
        '(data (i32.const 2000) "own") (func (export "g") (global.set $ptr (i32.const 2000)) (global.set $size (i32.const 3)))',
        {"functions": [answer]},
    )
    interface = {"functions": [function("f", "", "string")], "imports": [{"namespace": "liar", "functions": [answer]}]}
    body = '(data (i32.const 2000) "key") (func (export "f") (call $g))'
    caller = module(body, interface, imports='(import "liar" "g" (func $g))')
    assert service({"liar": liar, "m": caller}, **engine).call("f", []) == "own"


def test_a_memory_is_not_shared():
    importing = with_sections(bytes(wasmtime.wat2wasm('(module (import "a" "memory" (memory 1)))')), encode(Tables()))
    with pytest.raises(LoadError, match="failed to instantiate"):
        service({"a": module(""), "b": importing})


@pytest.mark.parametrize("namespace", ["host", WASI, "__marine_host_api_v3"])
def test_a_module_cannot_stand_for_the_host(namespace):
    """Not by its name, and not by the names that another declares as imports."""
    entry = function("get_call_parameters")
    impostor = module('(func (export "get_call_parameters"))', {"functions": [entry]})
    user = module("", {"imports": [{"namespace": namespace, "functions": [entry]}]})
    if namespace == WASI:
        service({namespace: impostor, "m": user})  # WASI has no function of this name
        entry["name"] = "fd_write"
        impostor = module('(func (export "fd_write"))', {"functions": [entry]})
        user = module("", {"imports": [{"namespace": namespace, "functions": [entry]}]})
    with pytest.raises(LoadError, match="defined twice"):
        service({namespace: impostor, "m": user})


# ── programs of the host ─────────────────────────────────────────────────────────────────────────────────────────────


def escaped(data):
    return "".join(f"\\{byte:02x}" for byte in data)


def runner_of(*arguments, name="tool"):
    """A module that runs a program with these arguments."""
    texts = [argument if isinstance(argument, bytes) else argument.encode() for argument in arguments]
    at, slots = 4096, b""
    for text in texts:
        slots += at.to_bytes(4, "little") + len(text).to_bytes(4, "little")
        at += len(text)
    body = f"""(data (i32.const 4096) "{escaped(b"".join(texts))}") (data (i32.const 512) "{escaped(slots)}")
      (func (export "f") (call $tool (i32.const 512) (i32.const {len(texts)})))"""
    interface = {"records": [{"name": "R", "fields": RESULT}], "functions": [function("f", "", "R")]}
    return module(body, interface, imports=MOUNTED.replace('"tool"', f'"{name}"'), pages="8")


@pytest.mark.parametrize("name", ["other", "/bin/sh", "../tool", "tool ", "TOOL", ""])
def test_a_program_that_is_not_mounted(tmp_path, name):
    with pytest.raises(LoadError, match="failed to instantiate"):
        service({"m": runner_of("x", name=name)}, settings={"mounted_binaries": {"tool": tool(tmp_path, "exit 0")}})


def test_programs_are_mounted_for_one_module(tmp_path):
    allowed = ModuleConfig("a", mounted_binaries={"tool": tool(tmp_path, "exit 0")})
    with pytest.raises(LoadError, match="failed to instantiate"):
        Service(ServiceConfig((allowed, ModuleConfig("b"))), {"a": runner_of("x"), "b": runner_of("x")})


@pytest.mark.skipif(os.name != "posix", reason="a shell script is mounted")
@pytest.mark.parametrize(
    "arguments",
    [
        (), ("",), ("a b", "c"), ("; touch stolen", "$(id)", "`id`", "| cat", "> out", "&"), ("-x", "--", "--help"), ('"', "'", "\\"),
        ("line\nbreak", "\t"), ("*", "~", "$HOME"), ("é\U0001f600",),
    ],
)  # fmt: skip
def test_arguments_arrive_as_they_are(tmp_path, arguments):
    program = tool(tmp_path, 'for one in "$@"; do printf "%s\\0" "$one"; done')
    got = service({"m": runner_of(*arguments)}, settings={"mounted_binaries": {"tool": program}}).call("f", [])
    assert (got["ret_code"], bytes(got["stdout"])) == (0, b"".join(one.encode() + b"\0" for one in arguments))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tool"]


@pytest.mark.skipif(os.name != "posix", reason="a shell script is mounted")
@pytest.mark.parametrize("argument", ["a\0b", "x" * 200_000])
def test_arguments_that_no_program_can_have(tmp_path, argument):
    program = tool(tmp_path, f"touch {tmp_path}/ran")
    got = service({"m": runner_of(argument)}, settings={"mounted_binaries": {"tool": program}}).call("f", [])
    assert got["ret_code"] == 100_001
    assert str(tmp_path) not in got["error"]
    assert not (tmp_path / "ran").exists()


@on_every_engine
def test_arguments_that_are_no_text_or_not_there(tmp_path, engine):
    program = tool(tmp_path, f"touch {tmp_path}/ran")
    for made, error in ((runner_of(b"\xff"), "invalid utf-8"), (lying_runner(), "Out-of-bound")):
        with pytest.raises(CallError, match=error):
            service({"m": made}, settings={"mounted_binaries": {"tool": program}}, **engine).call("f", [])
    assert not (tmp_path / "ran").exists()


def lying_runner():
    body = '(func (export "f") (call $tool (i32.const 65530) (i32.const 100)))'
    interface = {"records": [{"name": "R", "fields": RESULT}], "functions": [function("f", "", "R")]}
    return module(body, interface, imports=MOUNTED)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_programs_get_no_descriptor_of_the_host(tmp_path):
    program = tool(tmp_path, "ls -l /proc/$$/fd")
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        got = service({"m": runner_of()}, settings={"mounted_binaries": {"tool": program}}).call("f", [])
    assert got["ret_code"] == 0
    assert b"secret" not in bytes(got["stdout"])


@pytest.mark.skipif(os.name != "posix", reason="a shell script is mounted")
def test_a_program_that_outlasts_the_call(tmp_path):
    """It is killed, and what it has started as well; whether the call then still has a moment is another matter."""
    program = tool(tmp_path, "sleep 1000 & wait")
    running = service({"m": runner_of()}, settings={"mounted_binaries": {"tool": program}}, timeout_ms=50)
    try:
        assert running.call("f", [])["ret_code"] == 100_000
    except CallError as error:
        assert error.error_class is ErrorClass.DEADLINE  # noqa: PT017 - one of two ends


@pytest.mark.skipif(os.name != "posix", reason="a shell script is mounted")
def test_a_program_with_too_much_output(tmp_path, monkeypatch):
    monkeypatch.setattr(mounted, "MOUNTED_OUTPUT_BYTES_MAX", 1000)
    program = tool(tmp_path, "while :; do echo 0123456789; done")
    got = service({"m": runner_of()}, settings={"mounted_binaries": {"tool": program}}).call("f", [])
    assert (got["ret_code"], len(got["stdout"])) == (100_000, 1000)


def test_errors_do_not_name_programs(tmp_path):
    missing = tmp_path / "nowhere"
    got = service({"m": runner_of()}, settings={"mounted_binaries": {"tool": str(missing)}}).call("f", [])
    assert (got["ret_code"], got["error"]) == (100_001, "No such file or directory")
