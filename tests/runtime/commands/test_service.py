"""`avm service`: results, exit codes, and calls that end before their time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from runtime.cli import main
from tests.runtime.marine.kit import function, module

LONG_S = 120
DROPPED = "messages of this call are dropped from here on: there are too many"
IMPORTS = '(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))'
BODY = """
  (data (i32.const 0) "begun")
  (global $count (mut i32) (i32.const 0))
  (func $begun (call $log (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5)))
  (func (export "forever") (call $begun) (loop $again (br $again)))
  (func (export "chatty") (loop $again (call $begun) (br $again)))
  (func (export "next") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
  (func (export "echo") (param i32 i32) (call $set_ptr (local.get 0)) (call $set_size (local.get 1)))
  (func (export "fail") unreachable)
"""
FUNCTIONS = [
    function("forever"), function("chatty"), function("next", "", "u32"), function("echo", "text: string", "string"),
    function("fail"),
]  # fmt: skip
MODULE = module(BODY, {"functions": FUNCTIONS}, imports=IMPORTS)
ENDLESS_START = module('(func (export "_start") (loop $again (br $again)))')
CONFIG = """
total_memory_limit = "Infinity"
modules_dir = "."
[[module]]
name = "m"
logger_enabled = true
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a module and its configuration; compiled modules go there, too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "m.wasm").write_bytes(MODULE)
    (tmp_path / "starts.wasm").write_bytes(ENDLESS_START)
    (tmp_path / "empty.wasm").write_bytes(b"")
    (tmp_path / "m.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check(place, capsys):
    """Run `avm service` there; exit code, standard output as JSON, standard error."""

    def run(*args):
        code = main(["service", *args])
        captured = capsys.readouterr()
        return code, json.loads(captured.out) if captured.out else None, captured.err

    return run


def test_results(check):
    assert check("call", "m.wasm", "-f", "echo", "--args", '["hé"]') == (0, "hé", "")
    assert check("call", "m.wasm", "-f", "echo", "--args", '{"text": "x"}') == (0, "x", "")
    assert check("call", "m.toml", "-f", "next") == (0, 1, "")
    assert check("call", "m.toml", "-f", "next", "--repeat", "3") == (0, 3, "")


@pytest.mark.parametrize(("args", "code", "says"), [
    (("m.wasm", "-f", "nothing"), 2, "functions: chatty, echo, fail, forever, next"),
    (("m.wasm", "-f", "next", "--module", "other"), 2, '"other" is missing'),
    (("m.wasm", "-f", "next", "--repeat", "0"), 2, "--repeat 0: expected a number above 0"),
    (("m.wasm", "-f", "echo", "--args", "[1"), 2, "--args"),
    (("m.wasm", "-f", "echo", "--args", "[1]"), 3, "expected a string"),
    (("m.wasm", "-f", "fail"), 3, "unreachable"),
    (("m.wasm", "-f", "forever", "--timeout", "0"), 2, "expected a time above 0"),
    (("m.wasm", "-f", "forever", "--timeout", "20ms"), 4, "the call ran out of time"),
    (("starts.wasm", "-f", "next", "--timeout", "20ms"), 2, "the call ran out of time"),
    (("missing.wasm", "-f", "next"), 2, "missing.wasm"),
    (("missing", "-f", "next"), 2, "missing: no such file or folder; expected a .toml or .json configuration"),
    ((".", "-f", "next"), 2, ".: expected a .toml or .json configuration"),
    (("m.wasm", "empty.wasm", "-f", "next"), 2, "module empty: engine error: Wasm backend error: magic header not detected"),
])  # fmt: skip
def test_errors(check, args, code, says):
    ended, out, err = check("call", *args)
    assert (ended, out) == (code, None)
    assert says in err


def test_messages_of_modules(check):
    _, _, err = check("call", "m.toml", "-f", "forever", "--timeout", "20ms")
    assert err.startswith("[info] m: begun\n")
    _, _, err = check("call", "m.toml", "-f", "forever", "--timeout", "20ms", "-q")
    assert "begun" not in err


def test_info_aqua_and_check(check, capsys):
    code, document, _ = check("info", "m.wasm")
    assert code == 0
    assert [item["name"] for item in document["modules"]] == ["m"]
    assert main(["service", "aqua", "m.wasm", "--name", "Echo"]) == 0
    assert "echo(text: string) -> string" in capsys.readouterr().out
    code, document, err = check("info", "m.wasm", "empty.wasm")
    assert (code, document) == (2, None)
    assert "error: module empty: Wasm backend error: magic header not detected" in err
    assert check("check", "m.wasm", "--message-format", "json") == (0, {"ok": True, "findings": []}, "")


posix = pytest.mark.skipif(os.name != "posix", reason="signals of another process")


def interrupted(*command):
    """Run a program, interrupt it once its module has begun; exit code and what it prints."""
    # unbuffered, since what a buffer holds after the first line would be lost for `communicate`
    process = subprocess.Popen([sys.executable, *command], bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        assert process.stderr is not None
        while b"begun" not in (line := process.stderr.readline()):
            assert line, "it ended by itself"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG_S)
    logged = {"[info] m: begun\n", f"[warn] m: {DROPPED}\n"}  # the second where a machine is slow to interrupt
    return (
        process.returncode,
        out.decode(),
        "".join(line for line in err.decode().splitlines(True) if line not in logged),
    )


@posix
@pytest.mark.slow
@pytest.mark.parametrize("name", ["forever", "chatty"])
def test_ctrl_c_ends_a_module_that_never_does(place, name):
    assert interrupted("-m", "avm", "service", "call", "m.toml", "-f", name) == (130, "", "")


PROGRAM = """
aqua Program declares *

export wait

service M("m"):
    forever()

func wait():
    M.forever()
"""


@pytest.mark.slow
def test_a_program_does_not_wait_for_a_module_longer_than_it_may(place, capsys):
    (place / "program.aqua").write_text(PROGRAM)
    flags = ("--service", "M=m.toml", "--ttl", "1h", "--timeout", "1s")
    assert main(["run", "program.aqua", "-f", "wait()", *flags]) == 4
    assert "no result within 1000 ms" in capsys.readouterr().err


@posix
@pytest.mark.slow
def test_ctrl_c_ends_a_program_with_a_module_that_never_does(place):
    (place / "program.aqua").write_text(PROGRAM)
    shows_messages = "import logging, sys; logging.basicConfig(level=logging.INFO, format='[info] %(message)s')"
    python = f"{shows_messages}; from runtime.cli import main; sys.exit(main(sys.argv[1:]))"
    flags = ("--service", "M=m.toml", "--ttl", "1h")
    assert interrupted("-c", python, "run", "program.aqua", "-f", "wait()", *flags) == (130, "", "")
