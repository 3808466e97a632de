"""Programs of the host that a module runs: results, and ends before their time."""

from __future__ import annotations

import os
import threading

import pytest

from runtime.marine.calls import Running
from runtime.marine.errors import CallError, ErrorClass
from runtime.marine.mounted import KILLED, NOT_STARTED, run_mounted
from tests.runtime.marine.kit import function, module, service

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sh")

LONG_S = 120
SLEEP = "sleep 600"
SLEEPS = {"itself": SLEEP, "with a child": f"{SLEEP} & {SLEEP}", "only a child": f"{SLEEP} &"}
IMPORTS = """
  (import "__marine_host_api_v3" "sh" (func $sh (param i32 i32)))
  (import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))
"""


def shell(script, log=None, **config):
    """A service whose function `run` gives the script to a shell and returns the code, which is first in the result."""
    body = f"""
      (data (i32.const 0) "-c")
      (data (i32.const 16) "{script}")
      (data (i32.const 512) "\\00\\00\\00\\00\\02\\00\\00\\00\\10\\00\\00\\00\\{len(script):02x}\\00\\00\\00")
      (func (export "run") (result i32)
        (call $log (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 2))
        (call $sh (i32.const 512) (i32.const 2))
        (i32.load (global.get $ptr)))
    """
    made = module(body, {"functions": [function("run", "", "s32")]}, imports=IMPORTS)
    settings = {"mounted_binaries": {"sh": "/bin/sh"}, "logger_enabled": True}
    return service({"m": made}, settings=settings, log=log, **config)


def run(script, **settings):
    given = {"inherit": False, "timeout_s": None} | settings
    return run_mounted("/bin/sh", ["-c", script], given.pop("running", Running()), **given)


def test_results():
    assert run("echo out; echo err >&2; exit 3") == (3, "", b"out\n", b"err\n")
    assert run("kill -9 $$").ret_code == KILLED
    missing = run_mounted("/no/such/program", [], Running(), inherit=False, timeout_s=None)
    assert (missing.ret_code, missing.stdout) == (NOT_STARTED, b"")
    assert missing.error


def test_a_program_sees_nothing_of_the_host(monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    assert run("ls -A; echo $SECRET").stdout == b"\n"
    assert run("echo $SECRET", inherit=True).stdout == b"x\n"


@pytest.mark.parametrize("kind", SLEEPS)
def test_a_program_runs_out_of_time(kind):
    """What it has started ends with it: it would hold the streams, and so the call."""
    result = run(f"echo begun; {SLEEPS[kind]}", timeout_s=0.2)
    assert result.ret_code in {0, KILLED}
    assert run("echo fine", timeout_s=LONG_S).stdout == b"fine\n"


@pytest.mark.parametrize("kind", SLEEPS)
def test_a_call_with_a_program_runs_out_of_time(kind):
    with shell(SLEEPS[kind], timeout_ms=100) as running:
        try:
            assert running.call("run", []) in {0, KILLED}
        except CallError as error:
            assert error.error_class is ErrorClass.DEADLINE  # noqa: PT017 - either is right


@pytest.mark.parametrize("kind", SLEEPS)
def test_a_call_with_a_program_is_stopped(kind):
    begun = threading.Event()
    with shell(SLEEPS[kind], lambda _: begun.set()) as running:
        pending = running.submit("run", [])
        assert begun.wait(LONG_S)
        pending.stop()
        with pytest.raises(CallError) as caught:
            pending.result(LONG_S)
        assert caught.value.error_class is ErrorClass.STOPPED


def test_a_program_of_a_call_that_was_stopped_before():
    running = Running()
    running.stop()
    assert run(SLEEP, running=running).ret_code == KILLED


def test_output_is_bounded(monkeypatch):
    monkeypatch.setattr("runtime.marine.mounted.MOUNTED_OUTPUT_BYTES_MAX", 100_000)
    assert run("head -c 100000 /dev/zero") == (0, "", bytes(100_000), b"")
    for script in ("cat /dev/zero", "cat /dev/zero >&2"):
        result = run(script)
        assert (result.ret_code, len(result.stdout) + len(result.stderr)) == (KILLED, 100_000)


def test_a_service_runs_a_program():
    with shell("exit 7") as running:
        assert [running.call("run", []) for _ in range(2)] == [7, 7]
