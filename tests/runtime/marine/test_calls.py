"""Calls that end before their time, that meet each other, and the threads they run on."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import Future

import pytest

from runtime.marine import workers
from runtime.marine.errors import CallError, ErrorClass, LoadError
from runtime.marine.limits import ASK_TICKS, TICK_MS
from tests.runtime.marine.kit import function, module, service

LONG_S = 120
"""For waits that end at once unless something hangs."""

LOG = '(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))'
STARTED = """
  (data (i32.const 0) "started")
  (global $count (mut i32) (i32.const 0))
  (func $started (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (call $log (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 7)))
"""
BODY = (
    STARTED
    + """
  (func (export "forever") (call $started) (loop $again (br $again)))
  (func (export "chatty") (loop $again (call $started) (br $again)))
  (func (export "once") (call $started))
  (func (export "count") (result i32) (global.get $count))
"""
)
FUNCTIONS = [function("forever"), function("chatty"), function("once"), function("count", "", "u32")]
MODULE = module(BODY, {"functions": FUNCTIONS}, imports=LOG)
OUTER = module(
    '(func (export "through") (call $inner))',
    {"functions": [function("through")], "imports": [{"namespace": "inner", "functions": [function("forever")]}]},
    imports='(import "inner" "forever" (func $inner))',
)  # fmt: skip


class Log:
    """Tells when a module has begun; runs something in the middle of its call."""

    def __init__(self, then=lambda: None):
        self.started = threading.Event()
        self.threads = []
        self._then = then

    def __call__(self, record):
        self.threads.append(threading.current_thread())
        self.started.set()
        self._then()


def make(log=None, modules=None, **config):
    return service(modules or {"m": MODULE}, settings={"logger_enabled": True}, log=log, **config)


def started(running, log, name="forever"):
    """A pending call that is at work."""
    pending = running.submit(name, [])
    assert log.started.wait(LONG_S)
    return pending


def ends(pending, error_class=ErrorClass.STOPPED):
    with pytest.raises(CallError) as caught:
        pending.result(LONG_S)
    assert caught.value.error_class is error_class
    return str(caught.value)


# ── stopping ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("engine", ["native", "translated", "interpreted"])
@pytest.mark.parametrize("name", ["forever", "chatty"])
def test_a_call_is_stopped(name, engine):
    """The service goes on with what it had."""
    log = Log()
    with make(log, engine=engine) as running:
        pending = started(running, log, name)
        pending.stop()
        assert "the call was stopped" in ends(pending)
        count = running.call("count", [])
        assert count >= 1
        running.call("once", [])
        assert running.call("count", []) == count + 1


def test_a_call_inside_another_module_is_stopped():
    log = Log()
    with make(log, {"inner": MODULE, "outer": OUTER}) as running:
        pending = started(running, log, "through")
        pending.stop()
        ends(pending)
        assert running.call("count", [], module="inner") == 1


def test_a_call_is_stopped_before_it_begins():
    log = Log()
    with make(log) as running:
        first = started(running, log)
        second = running.submit("once", [])
        second.stop()
        first.stop()
        ends(first)
        assert ends(second) == "the call was stopped"
        assert running.call("count", []) == 1


def test_a_call_that_has_ended_cannot_be_stopped():
    with make() as running:
        pending = running.submit("once", [])
        assert pending.result(LONG_S) is None
        pending.stop()
        assert running.call("count", []) == 1


def test_other_services_do_not_notice():
    logs = Log(), Log()
    with make(logs[0]) as first, make(logs[1]) as second, make(timeout_ms=20) as limited:
        calls = started(first, logs[0]), started(second, logs[1])
        calls[0].stop()
        ends(calls[0])
        with pytest.raises(CallError, match="ran out of time"):
            limited.call("forever", [])
        assert not calls[1].done()
        calls[1].stop()
        ends(calls[1])


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals of threads")
@pytest.mark.parametrize("name", ["forever", "chatty"])
def test_ctrl_c_ends_the_call_it_interrupts(name):
    """The main thread waits; the next call finds the service free."""
    main = threading.main_thread()
    once = iter([None])

    def interrupt():
        for _ in once:
            signal.pthread_kill(main.ident, signal.SIGINT)

    with make(Log(interrupt)) as running:
        with pytest.raises(KeyboardInterrupt):
            running.call(name, [])
        assert running.call("count", []) >= 1


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("timeout_ms", [1, TICK_MS, 1.2 * ASK_TICKS * TICK_MS])
def test_a_call_runs_out_of_time(timeout_ms):
    with make(timeout_ms=timeout_ms) as running:
        for done in (1, 2):
            with pytest.raises(CallError, match="the call ran out of time") as caught:
                running.call("forever", [])
            assert caught.value.error_class is ErrorClass.DEADLINE
            assert running.call("count", []) == done


def test_a_call_inside_another_module_runs_out_of_time():
    with make(None, {"inner": MODULE, "outer": OUTER}, timeout_ms=20) as running:
        with pytest.raises(CallError) as caught:
            running.call("through", [])
        assert caught.value.error_class is ErrorClass.DEADLINE


START = {
    "start section": "(func $s (loop $again (br $again))) (start $s)",
    "_start": '(func (export "_start") (loop $again (br $again)))',
    "_initialize": '(func (export "_initialize") (loop $again (br $again)))',
}


@pytest.mark.parametrize("kind", START)
def test_a_module_whose_start_never_ends(kind):
    with pytest.raises(LoadError, match="the call ran out of time"):
        make(None, {"m": module(START[kind])}, timeout_ms=20)


def test_a_start_that_never_ends_inside_another_module():
    start = module(
        '(func (export "_start") (call $inner))',
        {"imports": [{"namespace": "inner", "functions": [function("forever")]}]},
        imports='(import "inner" "forever" (func $inner))',
    )  # fmt: skip
    with pytest.raises(LoadError, match="ran out of time"):
        make(None, {"inner": MODULE, "outer": start}, timeout_ms=20)


# ── closing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def freed(stores):
    for store in stores:
        with pytest.raises(ValueError, match="already closed"):
            store.ptr()


def test_closing_stops_the_running_call_and_refuses_those_that_wait():
    log = Log()
    running = make(log)
    stores = [instance.store for instance in running.instances]
    first = started(running, log)
    waiting = [running.submit("once", []) for _ in range(3)]
    running.close()
    ends(first)
    assert {ends(one, ErrorClass.CLOSED) for one in waiting} == {"the service was closed"}
    freed(stores)


def test_closing_in_the_middle_of_a_call():
    """The call ends, then the modules are freed: they are still below it on the stack."""

    def close():
        running.close()

    running = make(Log(close))
    stores = [instance.store for instance in running.instances]
    with pytest.raises(CallError) as caught:
        running.call("forever", [])
    assert caught.value.error_class is ErrorClass.STOPPED
    freed(stores)
    with pytest.raises(CallError, match="the service was closed"):
        running.call("once", [])


def test_a_call_that_the_host_holds_up_frees_the_modules_itself(monkeypatch):
    monkeypatch.setattr("runtime.marine.host.STOP_GRACE_S", 0)
    release = threading.Event()
    log = Log(lambda: release.wait(LONG_S))
    running = make(log)
    stores = [instance.store for instance in running.instances]
    pending = started(running, log, "once")
    running.close()
    for store in stores:
        assert store.ptr()
    release.set()
    assert pending.result(LONG_S) is None
    freed(stores)


# ── calls in the middle of calls ─────────────────────────────────────────────────────────────────────────────────────


def test_a_service_cannot_be_called_from_its_own_call():
    errors = []

    def again():
        for call in (running.call, running.submit):
            with pytest.raises(CallError, match="in the middle of the call") as caught:
                call("once", [])
            errors.append(caught.value.error_class)
        with pytest.raises(CallError, match="in the middle of the call"):
            running.call_text("once", "[]")
        errors.append([one["name"] for one in running.memory_stats()])

    with make(Log(again)) as running:
        running.call("once", [])
        assert errors == [ErrorClass.CLOSED, ErrorClass.CLOSED, ["m"]]
        assert running.call("count", []) == 1


def test_a_service_cannot_be_called_from_its_own_call_through_others():
    """Neither on the same thread nor on the next ones."""
    errors = []

    def back():
        with pytest.raises(CallError, match="in the middle of the call"):
            first.call("once", [])
        errors.append("refused")

    with (
        make(Log(back)) as third,
        make(Log(lambda: third.submit("once", []).result(LONG_S))) as second,
        make(Log(lambda: second.call("once", []))) as first,
    ):
        first.call("once", [])
        first.call("once", [])
        assert [one.call("count", []) for one in (first, second, third)] == [2, 2, 2]
    assert errors == ["refused"] * 2


def test_a_call_from_the_call_of_another_service_has_a_stack_of_its_own():
    inner_log = Log()
    with make(inner_log) as inner:
        outer_log = Log(lambda: inner.call("once", []))
        with make(outer_log) as outer:
            outer.call("once", [])
    assert inner_log.threads[0] is not outer_log.threads[0]


# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_calls_run_on_large_stacks():
    log = Log()
    with make(log) as running:
        running.call("once", [])
        callers = [threading.Thread(target=running.call, args=("once", [])) for _ in range(2)]
        for thread in callers:
            thread.start()
        for thread in callers:
            thread.join()
    assert {thread.name for thread in log.threads} == {"wasm-worker"}


def test_calls_of_a_job_stay_on_its_thread():
    log = Log()

    def job():
        for _ in range(3):
            running.call("once", [])
        return threading.current_thread()

    with make(log) as running:
        thread = workers.submit(workers.stack_bytes(1), job).result(LONG_S)
    assert log.threads == [thread] * 3


def test_a_cancelled_job_costs_no_thread():
    """It is not run, and its worker takes the next."""
    size = workers.stack_bytes(1)
    seen = []
    for _ in range(3):
        future = Future()
        assert future.cancel()
        workers.submit(size, lambda: seen.append("cancelled"), future)
        assert workers.submit(size, lambda: "next").result(LONG_S) == "next"
    assert seen == []


@pytest.mark.parametrize("look_s", [0, 0.5])
def test_a_job_may_raise_what_ends_a_wait(monkeypatch, look_s):
    monkeypatch.setattr(workers, "_LOOK_S", look_s)

    def fail():
        raise TimeoutError("of the job")

    with pytest.raises(TimeoutError, match="of the job"):
        workers.on_stack(workers.stack_bytes(1), fail)
    release = threading.Event()
    threading.Timer(0.01, release.set).start()
    assert workers.on_stack(workers.stack_bytes(1), lambda: release.wait(LONG_S)) is True


def test_an_error_of_a_job_reaches_the_caller_and_costs_no_thread():
    def fail():
        raise SystemExit(3)

    for _ in range(3):
        with pytest.raises(SystemExit):
            workers.on_stack(workers.stack_bytes(1), fail)
    assert workers.on_stack(workers.stack_bytes(1), lambda: 1) == 1


def test_many_calls_at_once():
    with make() as running:
        pending = [running.submit("once", []) for _ in range(40)]
        assert [one.result(LONG_S) for one in pending] == [None] * 40
        assert running.call("count", []) == 40
