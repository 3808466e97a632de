"""What a service keeps: memory and globals after every kind of failed call, nothing at all once it is closed."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from runtime.marine import wasi
from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.errors import CallError, ErrorClass, LoadError
from runtime.marine.host import Service
from tests.runtime.marine.kit import function, module, service

ROOT = Path(__file__).resolve().parents[3]
ENGINES = pytest.mark.parametrize("engine", ["native", "translated", "interpreted"])
TRAPS = {
    "unreachable": "unreachable",
    "bounds": "(drop (i32.load (i32.const -4)))",
    "division": "(drop (i32.div_s (i32.const 1) (i32.const 0)))",
    "stack": "(call $down)",
    "exit": "(call $exit (i32.const 1))",
    "host": "(call $parameters)",
}
IMPORTS = """
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "__marine_host_api_v3" "get_call_parameters" (func $parameters))
"""
COUNTER = """
  (global $count (mut i32) (i32.const 0))
  (func $down (call $down))
  (func $next (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store (i32.const 65532) (i32.add (i32.load (i32.const 65532)) (i32.const 1))))
  (func (export "count") (result i32) (i32.add (i32.mul (global.get $count) (i32.const 1000)) (i32.load (i32.const 65532))))
"""


def counter(**failing):
    """A module that counts in a global and in its memory; each function of `failing` counts and then runs that code."""
    body = COUNTER + "".join(f'(func (export "{name}") (call $next) {code})' for name, code in failing.items())
    interface = {"functions": [function("count", "", "u32"), *map(function, failing)]}
    return module(body, interface, imports=IMPORTS)


@ENGINES
@pytest.mark.parametrize("kind", TRAPS)
def test_state_after_a_trap(kind, engine):
    made = counter(fail=TRAPS[kind], fine="")
    if kind == "host":
        # the module lacks the function that takes the answer
        made = made.replace(b"set_result_ptr", b"set_result_xyz")
    with service({"m": made}, engine=engine) as running:
        running.call("fine", [])
        for done in range(3):
            assert running.call("count", []) == (done + 1) * 1001
            with pytest.raises(CallError) as caught:
                running.call("fail", [])
            assert caught.value.error_class is ErrorClass.CALL_FAILED
        running.call("fine", [])
        assert running.call("count", []) == 5 * 1001


@ENGINES
def test_state_after_a_trap_inside_another_module(engine):
    """Every module on the way keeps what it had at the trap; memory that had been allocated stays so."""
    inner = counter(fail="unreachable")
    body = (
        COUNTER
        + """
      (func (export "through") (call $next) (drop (call $allocate (i32.const 512) (i32.const 0))) (call $fail))
      (func (export "heap") (result i32) (global.get $heap))"""
    )
    interface = {
        "functions": [function("count", "", "u32"), function("through"), function("heap", "", "u32")],
        "imports": [{"namespace": "inner", "functions": [function("fail")]}],
    }
    outer = module(body, interface, imports='(import "inner" "fail" (func $fail))')
    with service({"inner": inner, "outer": outer}, engine=engine) as running:
        for _ in range(2):
            with pytest.raises(CallError, match="unreachable"):
                running.call("through", [])
        assert running.call("heap", []) == 1024 + 2 * 512
        assert running.call("count", []) == 2002
        assert running.call("count", [], module="inner") == 2002


def test_state_of_two_services_of_one_module():
    with service({"m": counter(fine="")}) as first, service({"m": counter(fine="")}) as second:
        first.call("fine", [])
        assert (first.call("count", []), second.call("count", [])) == (1001, 0)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_closed_service_refuses_calls():
    running = service({"m": counter(fine="")})
    running.call("fine", [])
    stores = [instance.store for instance in running.instances]
    running.close()
    running.close()
    uses = (
        lambda: running.call("fine", []),
        lambda: running.call("nothing", []),
        lambda: running.call("fine", [], module="other"),
        lambda: running.call_text("fine", "[]"),
        running.interface,
    )
    for use in uses:
        with pytest.raises(CallError, match="the service was closed") as caught:
            use()
        assert caught.value.error_class is ErrorClass.CLOSED
    assert running.memory_stats() == []
    for store in stores:
        with pytest.raises(ValueError, match="already closed"):
            store.ptr()


def test_a_block_closes_its_service():
    with pytest.raises(KeyError), service({"m": counter(fine="")}) as running:
        raise KeyError
    with pytest.raises(CallError, match="the service was closed"):
        running.call("fine", [])


def linked():
    inner, outer = counter(fine=""), module(
        '(func (export "g") (call $f))',
        {"functions": [function("g")], "imports": [{"namespace": "inner", "functions": [function("fine")]}]},
        imports='(import "inner" "fine" (func $f))',
    )  # fmt: skip
    return service({"inner": inner, "outer": outer})


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "forgotten"])
def test_no_instance_outlives_its_service(closed):
    """Also not when nobody closes it: wasmtime-py holds what its stores call, and those must not hold the stores."""
    gc.collect()
    outputs = set(wasi.outputs)
    running = linked()
    running.call("g", [])
    assert set(wasi.outputs) != outputs
    alive = [weakref.ref(running)]
    for instance in running.instances:
        alive += map(weakref.ref, (instance, instance.store))
    if closed:
        running.close()
        assert set(wasi.outputs) == outputs
    del running, instance
    gc.collect()
    assert [one() for one in alive] == [None] * 5
    assert set(wasi.outputs) == outputs


@pytest.mark.parametrize("start", ["unreachable", "(call $exit (i32.const 3))"])
def test_nothing_is_left_of_a_service_that_does_not_load(start):
    gc.collect()
    outputs = set(wasi.outputs)
    second = module(f'(func (export "_start") {start})', imports=IMPORTS)
    with pytest.raises(LoadError):
        service({"first": counter(fine=""), "second": second})
    assert set(wasi.outputs) == outputs


def test_a_name_that_is_used_twice_leaves_nothing():
    gc.collect()
    outputs = set(wasi.outputs)
    config = ServiceConfig((ModuleConfig("m"), ModuleConfig("m")))
    with pytest.raises(LoadError):
        Service(config, {"m": counter(fine="")})
    assert set(wasi.outputs) == outputs


# ── output ───────────────────────────────────────────────────────────────────────────────────────────────────────────

WRITES = """
  (data (i32.const 0) "one line\\nhalf")
  (func (export "write") (param $size i32) (result i32)
    (i32.store (i32.const 512) (i32.const 0)) (i32.store (i32.const 516) (local.get $size))
    (call $fd_write (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 520)))
"""
FD_WRITE = '(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))'


def writer(log):
    return service(
        {"m": module(WRITES, {"functions": [function("write", "size: u32", "u16")]}, imports=FD_WRITE)}, log=log
    )


def test_output_goes_to_the_log():
    seen = []
    with writer(seen.append) as running:
        assert running.call("write", [13]) == 0
        assert seen == [("m", "output", "one line")]
        running.call("write", [9])
    assert seen == [("m", "output", "one line"), ("m", "output", "halfone line")]


def test_a_process_ends_quietly_with_a_service_that_writes():
    """What wasmtime's own threads still hold then must not be Python's."""
    program = (
        "from tests.runtime.marine.test_state import writer\n"
        "kept = writer(lambda record: None)\n"
        "kept.call('write', [13])\n"
    )
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_error_of_the_log_reaches_the_caller(capfd):
    """Not the standard output of the process, and not the next call."""

    def refuse(record):
        if record.message == "one line":
            raise OSError("the log is full")

    with writer(refuse) as running:
        with pytest.raises(OSError, match="the log is full"):
            running.call("write", [13])
        assert running.call("write", [9]) == 0
    assert capfd.readouterr() == ("", "")
