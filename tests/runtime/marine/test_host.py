"""Life of a service: state, traps, logs, threads, both forms of arguments."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from runtime.marine import Service, ServiceConfig
from runtime.marine.call_parameters import CallParameters, ParticleParameters, from_json
from runtime.marine.config import ModuleConfig
from runtime.marine.errors import CallError, ErrorClass, LoadError
from tests.runtime.marine.kit import function, module, own, service


def test_state_survives_traps():
    running = service({"testkit": own("testkit")})
    assert running.call("counter", []) == 1
    with pytest.raises(CallError, match="wasm `unreachable` instruction executed"):
        running.call("trap_unreachable", [])
    assert running.call("counter", []) == 102  # the function adds 100 before it traps


def test_bytes_end_to_end():
    running = service({"testkit": own("testkit")})
    data = bytes(range(256)) * 300
    assert running.call("echo_bytes", [data], as_bytes=True) == data
    assert running.call("echo_bytes", [data]) == list(data)
    assert running.call("echo_bytes", [list(data)], as_bytes=True) == data
    assert json.loads(running.call_text("echo_bytes", json.dumps([list(data)]))) == list(data)


def test_records_keep_the_declared_order():
    running = service({"m": own("demo.wat")})
    assert list(running.call("stats", [[1.0, 2.0]])) == ["n", "mean", "label"]


def test_logs():
    log = []
    running = service({"testkit": own("testkit")}, log=log.append)
    running.call("log_msg", [1, 0, "hello"])
    assert [tuple(record) for record in log] == [("testkit", "error", "hello")]


def test_output_of_a_module_is_a_log():
    body = """(data (i32.const 0) "\\08\\00\\00\\00\\06\\00\\00\\00one\\0atw")
      (func (export "f") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100))))"""
    imports = '(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))'
    log = []
    running = service({"m": module(body, {"functions": [function("f")]}, imports=imports)}, log=log.append)
    running.call("f", [])
    assert [tuple(record) for record in log] == [("m", "output", "one")]


def test_services_in_parallel_threads():
    services = [service({"testkit": own("testkit")}) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: services[n % 4].call("counter", []), range(400)))
    assert [one.call("counter", []) for one in services] == [101] * 4


def test_a_service_cannot_be_entered_twice():
    entered = []

    def log(_record):
        with pytest.raises(CallError) as caught:
            running.call("counter", [])
        entered.append(caught.value.error_class)

    running = service({"testkit": own("testkit")}, log=log)
    running.call("log_msg", [1, 0, "x"])
    assert entered == [ErrorClass.CLOSED]


def test_an_exception_of_the_host_is_passed_on():
    def log(_record):
        raise KeyError("a bug of the host")

    running = service({"testkit": own("testkit")}, log=log)
    with pytest.raises(KeyError, match="a bug"):
        running.call("log_msg", [1, 0, "x"])
    assert running.call("counter", []) == 1


def test_closed_services_refuse_calls():
    running = service({"testkit": own("testkit")})
    running.close()
    with pytest.raises(CallError, match="was closed"):
        running.call("counter", [])


def test_call_parameters():
    running = service({"testkit": own("testkit")})
    given = {
        "particle": {"id": "p", "init_peer_id": "i", "timestamp": 2**63, "ttl": 7, "script": "s", "signature": [1], "token": "t"},
        "service_id": "sid", "service_creator_peer_id": "c", "host_id": "h", "worker_id": "w",
        "tetraplets": [[{"peer_pk": "a", "service_id": "b", "function_name": "f", "lens": ".$.x"}], []],
    }  # fmt: skip
    got = running.call("call_params", [], from_json(given))
    assert got == given
    assert running.call("call_params", []) != given


@pytest.mark.parametrize(("broken", "complaint"), [
    (5, "expected an object"), ({"particle": 1}, "particle: expected an object"),
    ({"particle": {"ttl": -1}}, "particle.ttl: expected an integer of 32 bits"),
    ({"particle": {"ttl": True}}, "particle.ttl: expected an integer of 32 bits"), ({"service_id": 1}, "service_id: expected a string"),
    ({"particle": {"token": 1}}, "particle.token: expected a string"),
    ({"particle": {"signature": 5}}, "particle.signature: expected an array"),
    ({"particle": {"signature": "ab"}}, "particle.signature: expected an array"),
    ({"particle": {"signature": [1, 300]}}, "particle.signature[1]: expected an integer of 8 bits"),
    ({"particle": {"signature": [1.0]}}, "particle.signature[0]: expected an integer of 8 bits"),
    ({"tetraplets": {}}, "tetraplets: expected an array"), ({"tetraplets": [5]}, "tetraplets[0]: expected an array"),
    ({"tetraplets": [[], ["x"]]}, "tetraplets[1][0]: expected an object"),
    ({"tetraplets": [[{"lambda": 1}]]}, "tetraplets[0][0].lambda: expected a string"),
])  # fmt: skip
def test_broken_call_parameters(broken, complaint):
    with pytest.raises(CallError) as caught:
        from_json(broken)
    assert str(caught.value) == f"call parameters: {complaint}"


def test_lone_surrogates_are_an_error():
    running = service({"testkit": own("testkit")})
    for engine in ("native", "translated", "interpreted"):
        running = service({"testkit": own("testkit")}, engine=engine)
        with pytest.raises(CallError, match="cannot be encoded"):
            running.call("echo_string", ["\ud800"])
        with pytest.raises(CallError):
            running.call("echo_arr_string", [["\ud800"]])
    parameters = CallParameters(ParticleParameters(id="\ud800"))
    with pytest.raises(CallError):
        running.call("call_params", [], parameters)


def test_names_of_modules(tmp_path):
    with pytest.raises(LoadError, match="not found in provided modules"):
        Service(ServiceConfig((ModuleConfig("a"), ModuleConfig("a"))), {"a": own("demo.wat")})
    file = tmp_path / "a.wasm"
    file.write_bytes(own("demo.wat"))
    with pytest.raises(LoadError, match="already loaded into Marine"):
        Service(ServiceConfig((ModuleConfig("a", file), ModuleConfig("a", file))))
    with pytest.raises(LoadError, match="cannot read"):
        Service(ServiceConfig((ModuleConfig("a", tmp_path / "b.wasm"),)))


def test_not_a_module():
    for wasm in (b"", b"\0asm", b"(module)", b"\0asm\1\0\0\0\xff", b"\0asm\x0d\0\1\0"):
        with pytest.raises(LoadError, match="engine error: Wasm backend error"):
            service({"m": wasm})


def test_keyboard_interrupts_leave_the_module():
    def log(_record):
        raise KeyboardInterrupt

    running = service({"testkit": own("testkit")}, log=log)
    with pytest.raises(KeyboardInterrupt):
        running.call("log_msg", [1, 0, "x"])
    assert running.call("counter", []) == 1
    assert threading.active_count() < 50
