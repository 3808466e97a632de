"""What a module may use up: time, stack, memory, tables, log. A call that meets a limit fails, and the service stays usable."""

from __future__ import annotations

import errno
import tracemalloc

import pytest
import wasmtime

from runtime.marine import limits
from runtime.marine.errors import CallError, ErrorClass, LoadError
from runtime.marine.interface_emit import build, emit
from runtime.marine.interface_types import FunctionType, Implementation, Instruction, Tables, decode, encode
from runtime.marine.itypes import STRING, U8, same_shape
from runtime.marine.wasi import OutputLines
from tests.runtime.marine.kit import core, function, module, on_every_engine, service, with_sections

WASI = "wasi_snapshot_preview1"
MB = 1 << 20
TIMEOUT_MS = 30
LOOP = "(loop (br 0))"
GET_PARAMETERS = '(import "__marine_host_api_v3" "get_call_parameters" (func $parameters))'
ABI = {
    "allocate": "(param i32 i32) (result i32)",
    "release_objects": "",
    "get_result_ptr": "(result i32)",
    "get_result_size": "(result i32)",
    "set_result_ptr": "(param i32)",
    "set_result_size": "(param i32)",
}


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_abi(looping, interface, body="", imports=""):
    """A module of which one function never ends while the byte at 0 of its memory is set; `f` takes and gives text."""
    out = [
        f'{imports} (memory (export "memory") 1) (func (export "arm") (param i32) (i32.store8 (i32.const 0) (local.get 0)))'
    ]
    for name, kind in ABI.items():
        here = f"(if (i32.load8_u (i32.const 0)) (then {LOOP}))" if name == looping else ""
        answer = (
            "(i32.const 1024)"
            if name in ("allocate", "get_result_ptr")
            else "(i32.const 1)"
            if "result" in kind
            else ""
        )
        out.append(f'(func (export "{name}") {kind} {here} {answer})')
    return with_sections(bytes(wasmtime.wat2wasm(f"(module {' '.join(out)} {body})")), emit(interface))


ARM = function("arm", "on: u8")
ECHO = function("f", "s: string", "string")


@on_every_engine
@pytest.mark.parametrize("name", ["allocate", "release_objects", "get_result_ptr", "get_result_size"])
def test_an_abi_function_that_never_ends(name, engine):
    made = with_abi(name, {"functions": [ARM, ECHO]}, '(func (export "f") (param i32 i32))')
    check_looping(service({"m": made}, timeout_ms=TIMEOUT_MS, **engine))


@on_every_engine
@pytest.mark.parametrize("name", ["allocate", "set_result_ptr", "set_result_size"])
def test_an_abi_function_that_never_ends_when_a_result_arrives(name, engine):
    """The host calls it in the midst of a call of another module."""
    interface = {"functions": [ARM, ECHO], "imports": [{"namespace": "a", "functions": [function("g", "", "string")]}]}
    caller = with_abi(name, interface, '(func (export "f") (param i32 i32) (call $g))', '(import "a" "g" (func $g))')
    callee = module(
        '(func (export "g") (global.set $size (i32.const 1)))', {"functions": [function("g", "", "string")]}
    )
    check_looping(service({"a": callee, "m": caller}, timeout_ms=TIMEOUT_MS, **engine))


@on_every_engine
@pytest.mark.parametrize("name", ["allocate", "set_result_ptr"])
def test_an_abi_function_that_never_ends_when_the_host_answers(name, engine):
    made = with_abi(
        name, {"functions": [ARM, ECHO]}, '(func (export "f") (param i32 i32) (call $parameters))', GET_PARAMETERS
    )
    check_looping(service({"m": made}, timeout_ms=TIMEOUT_MS, **engine))


def check_looping(running):
    with running:
        for _ in range(2):
            running.call("arm", [0])
            assert len(running.call("f", ["x"])) == 1
            running.call("arm", [1])
            with pytest.raises(CallError, match="out of time") as caught:
                running.call("f", ["x"])
            assert caught.value.error_class is ErrorClass.DEADLINE


@pytest.mark.parametrize(
    "body",
    [f"(func $s {LOOP}) (start $s)", f'(func (export "_initialize") {LOOP})', f'(func (export "_start") {LOOP})'],
)
def test_a_start_that_never_ends(body):
    with pytest.raises(LoadError, match="out of time"):
        service({"m": module(body)}, timeout_ms=TIMEOUT_MS)


POLL = f'(import "{WASI}" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))'
SLEEP = """(func (export "sleep") (param i64) (result i32)
  (i32.store8 (i32.const 8) (i32.const {kind})) (i32.store (i32.const 16) (i32.const {clock})) (i64.store (i32.const 0) (i64.const 77))
  (i64.store (i32.const 24) (local.get 0)) (i32.store16 (i32.const 40) (i32.const {flags}))
  (call $poll (i32.const 0) (i32.const 96) (i32.const 1) (i32.const 200)))
(func (export "told") (result i64) (i64.load (i32.const 96)))
(func (export "count") (result i32) (i32.load (i32.const 200)))"""
SLEEPER = {
    "functions": [function("sleep", "ns: u64", "u16"), function("told", "", "u64"), function("count", "", "u32")]
}
HOUR_NS = 3600 * 10**9


def sleeper(kind=0, clock=1, flags=0, **config):
    made = module(SLEEP.format(kind=kind, clock=clock, flags=flags), SLEEPER, imports=POLL)
    return service({"m": made}, **config)


def test_a_sleep_longer_than_the_call_may_take():
    with sleeper(timeout_ms=TIMEOUT_MS) as running:
        for _ in range(2):
            with pytest.raises(CallError, match="out of time") as caught:
                running.call("sleep", [HOUR_NS])
            assert caught.value.error_class is ErrorClass.DEADLINE
        assert running.call("sleep", [10]) == 0


def test_a_sleep_is_stopped():
    with sleeper() as running:
        pending = running.submit("sleep", [HOUR_NS])
        pending.stop()
        with pytest.raises(CallError, match="stopped") as caught:
            pending.result()
        assert caught.value.error_class is ErrorClass.STOPPED


def test_a_sleep_ends_when_the_service_is_closed():
    running = sleeper()
    pending = running.submit("sleep", [HOUR_NS])
    running.close()
    with pytest.raises(CallError):
        pending.result()


@pytest.mark.parametrize(
    ("kind", "clock", "flags", "wait_ns", "told"),
    [(0, 1, 0, 1, 0), (0, 0, 0, 1, 0), (0, 0, 1, 5, 0), (0, 1, 1, 5, 0), (1, 0, 0, 0, 0), (2, 1, 0, 0, 0), (3, 1, 0, 0, 28), (0, 9, 0, 1, 28)],
)  # fmt: skip
def test_what_a_module_may_wait_for(kind, clock, flags, wait_ns, told):
    """Clocks, relative and absolute, and descriptors, which are ready."""
    with sleeper(kind, clock, flags) as running:
        assert running.call("sleep", [wait_ns]) == told
        assert (running.call("count", []), running.call("told", [])) == ((1, 77) if told == 0 else (0, 0))


@pytest.mark.parametrize(
    "arguments",
    ["65530 0 1 200", "0 65530 1 200", "0 0 1 65533", "0 0 -1 200", "-4 0 1 200", "0 0 1000000 200", "0 0 0 200", "0 0 1300 65000"],
)  # fmt: skip
def test_waiting_for_what_is_not_there(arguments):
    constants = " ".join(f"(i32.const {value})" for value in arguments.split())
    body = f'(func (export "f") (result i32) (call $poll {constants}))'
    made = module(body, {"functions": [function("f", "", "u16")]}, imports=POLL)
    assert service({"m": made}).call("f", []) in (21, 28)


# ── stack ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def calls_itself():
    """Its import adapter calls the function that called the import: Wasm and host within each other, without end."""
    entry = function("g", "n: s32", "s32")
    interface = {"functions": [function("f", "n: s32", "s32")], "imports": [{"namespace": "a", "functions": [entry]}]}
    tables = build(interface)
    key, body = tables.adapters[1]
    tables.adapters[1] = (
        key,
        tuple(Instruction(1, 6) if one.code == 1 else one for one in body if one.code not in (0x06, 0x0C)),
    )
    here = '(func (export "f") (param i32) (result i32) (call $g (local.get 0)))'
    imports = '(import "a" "g" (func $g (param i32) (result i32)))'
    return with_sections(core(here, "1", imports), encode(tables))


@on_every_engine
def test_an_adapter_that_calls_its_own_module_without_end(engine):
    callee = module(
        '(func (export "g") (param i32) (result i32) (local.get 0))', {"functions": [function("g", "n: s32", "s32")]}
    )
    running = service({"a": callee, "m": calls_itself()}, **engine)
    for _ in range(3):
        with pytest.raises(CallError, match="call each other too deeply") as caught:
            running.call("f", [1])
        assert caught.value.error_class is ErrorClass.LIMIT
        assert running.call("g", [4], module="a") == 4


@on_every_engine
def test_as_many_modules_as_there_may_be_call_each_other(engine):
    def link(number):
        if number == 0:
            body = (
                '(func (export "f") (param i32 i32) (global.set $ptr (local.get 0)) (global.set $size (local.get 1)))'
            )
            return module(body, {"functions": [ECHO]})
        interface = {"functions": [ECHO], "imports": [{"namespace": f"m{number - 1}", "functions": [ECHO]}]}
        imports = f'(import "m{number - 1}" "f" (func $next (param i32 i32)))'
        return module(
            '(func (export "f") (param i32 i32) (call $next (local.get 0) (local.get 1)))', interface, imports=imports
        )

    running = service({f"m{number}": link(number) for number in range(limits.MODULES_MAX)}, **engine)
    assert running.call("f", ["through all of them"]) == "through all of them"


@pytest.mark.parametrize(
    "where", ["(start $down)", '(func (export "_start") (call $down))', '(func (export "_initialize") (call $down))']
)
def test_a_start_that_exhausts_its_stack(where):
    with pytest.raises(LoadError, match="call stack exhausted"):
        service({"m": module(f"(func $down (call $down)) {where}")})


@on_every_engine
def test_an_allocator_that_exhausts_its_stack(engine):
    body = """(func $down (call $down)) (func (export "f") (param i32 i32))
      (func (export "exhaust") (param i32 i32) (result i32) (call $down) (i32.const 0))"""
    tables = build({"functions": [function("f", "s: []string")]})
    tables.exports[0] = tables.exports[0]._replace(name="exhaust")
    running = service({"m": with_sections(core(body), encode(tables))}, **engine)
    for _ in range(2):
        with pytest.raises(CallError, match=r"call to allocate function was failed: .*call stack exhausted"):
            running.call("f", [["a"]])


# ── memory and tables ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        '(memory $second 1)',
        '(memory $second (export "second") 200)',
        "(type $s (struct (field i32)))",
        "(type $a (array (mut i64)))",
        "(tag $e)",
        "(table 10 funcref (ref.null func))",
        "(func (param (ref null 0)))" ,
    ],
)  # fmt: skip
def test_memory_that_no_limit_counts_is_refused(body):
    """A second memory, objects of the collector, exceptions."""
    with pytest.raises(LoadError, match="Wasm backend error"):
        service({"m": module(body)})


def test_tables_are_paid_for_one_by_one():
    """Every table could grow to the size of the largest: that is what is taken."""
    two = module("(table 8000 funcref) (table 10 funcref)")
    with pytest.raises(LoadError, match="memory"):
        service({"m": two}, memory_limit=65536 + 8 * 8010)
    service({"m": two}, memory_limit=65536 + 8 * 16000)
    bound = module("(table 8000 8000 funcref) (table 10 10 funcref)")
    service({"m": bound}, memory_limit=65536 + 8 * 8010)
    with pytest.raises(LoadError, match="memory"):
        service({"m": bound}, memory_limit=65536 + 8 * 8009)


def test_tables_of_a_module_without_memory():
    made = with_sections(bytes(wasmtime.wat2wasm("(module (table 1000000 funcref))")), encode(Tables()))
    with pytest.raises(LoadError, match="tables of 8000000 bytes exceed the memory limit"):
        service({"m": made}, memory_limit=MB)
    service({"m": made}, memory_limit=8 * MB)


def test_tables_do_not_grow_beyond_what_was_paid():
    grow = """(table $a 100 funcref) (table $b 1 funcref)
      (func (export "a") (param i32) (result i32) (table.grow $a (ref.null func) (local.get 0)))
      (func (export "b") (param i32) (result i32) (table.grow $b (ref.null func) (local.get 0)))"""
    made = module(grow, {"functions": [function("a", "n: s32", "s32"), function("b", "n: s32", "s32")]})
    limited = service({"m": made}, memory_limit=MB)
    assert [limited.call("a", [1]), limited.call("b", [99]), limited.call("b", [1])] == [-1, 1, -1]
    free = service({"m": made})
    assert [free.call("a", [1000]), free.call("b", [limits.TABLE_ELEMENTS_MAX])] == [100, -1]


def test_many_tables():
    service({"m": module("(table 1 funcref)" * limits.TABLES_MAX)})
    with pytest.raises(LoadError, match="table count"):
        service({"m": module("(table 1 funcref)" * (limits.TABLES_MAX + 1))})


def test_a_table_too_large():
    with pytest.raises(LoadError, match="table"):
        service({"m": module(f"(table {limits.TABLE_ELEMENTS_MAX + 1} funcref)")})


def test_data_beyond_the_memory_does_not_load():
    with pytest.raises(LoadError, match="failed to instantiate"):
        service({"m": module('(data (i32.const 65530) "longer than what is left")')})
    with pytest.raises(LoadError, match="memory"):
        service({"m": module('(data (i32.const 200000) "x")', pages="4")}, memory_limit=2 * 65536)


@on_every_engine
def test_an_allocator_that_grows_meets_the_limit(engine):
    """Each call of it takes a page; in the middle of an argument there is none left."""
    body = """(func (export "grow") (param i32 i32) (result i32)
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable)) (i32.const 1024))
      (func (export "f") (param i32 i32))"""
    tables = build({"functions": [function("f", "s: []string")]})
    tables.exports[0] = tables.exports[0]._replace(name="grow")
    running = service({"m": with_sections(core(body), encode(tables))}, memory_limit=8 * 65536, **engine)
    with pytest.raises(CallError, match="OOM suspected"):
        running.call("f", [["text"] * 20])
    assert running.memory_stats()[0]["memory_size_bytes"] == 8 * 65536
    running.call("f", [[]])


# ── what the host holds for a module ─────────────────────────────────────────────────────────────────────────────────

FILL = """(func (export "f") (local $n i32)
  (loop $next
    (i32.store (i32.mul (local.get $n) (i32.const {width})) (i32.const 600000))
    {count}
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $n) (i32.const {items}))))
  (global.set $ptr (i32.const 0)) (global.set $size (i32.const {items})))"""
WIDE = [{"name": "R", "fields": [[f"f{n}", "u8"] for n in range(120)]}, {"name": "N", "fields": [["x", "u8"]]}]
BUDGET = MB // 4
ELEMENT, RECORD, FIELD = limits.ELEMENT_BYTES, limits.RECORD_BYTES, limits.FIELD_BYTES


@on_every_engine
@pytest.mark.parametrize(
    ("kind", "width", "inner", "charge"),
    [
        ("[]R", 4, 0, 4 + ELEMENT + 120 + RECORD + 120 * FIELD),
        ("[]N", 4, 0, 4 + ELEMENT + 1 + RECORD + FIELD),
        ("[]u64", 8, 0, 8 + ELEMENT),
        ("[]string", 8, 3, 8 + ELEMENT + 3),
        ("[][]u8", 8, 2000, 8 + ELEMENT + 2000),
        ("[][]u16", 8, 7, 8 + ELEMENT + 7 * (2 + ELEMENT)),
    ],
)
def test_what_is_lifted_takes_no_more_than_it_is_charged(kind, width, inner, charge, engine):
    """Overlapping pointers make values of any size out of a small memory; the host holds a bounded multiple of the budget."""

    def lift(items):
        count = f"(i32.store offset=4 (i32.mul (local.get $n) (i32.const 8)) (i32.const {inner}))" if inner else ""
        body = FILL.format(width=width, count=count, items=items)
        made = module(body, {"records": WIDE, "functions": [function("f", "", kind)]}, pages="16")
        with service({"m": made}, lift_bytes_max=BUDGET, **engine) as running:
            return running.call("f", [])

    items = BUDGET // charge
    tracemalloc.start()
    try:
        lift(items)
        assert tracemalloc.get_traced_memory()[1] < 10 * BUDGET + MB // 2
    finally:
        tracemalloc.stop()
    with pytest.raises(CallError, match="more out of module memories") as caught:
        lift(items + 1)
    assert caught.value.error_class is ErrorClass.LIMIT


@on_every_engine
def test_an_error_does_not_show_all_of_a_value(engine):
    """An adapter that leaves two values: both are of the message, but not all of them."""
    tables = build({"functions": [function("f", "s: string", "[]u64")]})
    key, body = tables.adapters[0]
    tables.adapters[0] = (key, (*body, Instruction(0x00, 0)))
    fill = '(func (export "f") (param i32 i32) (global.set $ptr (i32.const 0)) (global.set $size (i32.const 8000)))'
    running = service({"m": with_sections(core(fill, "4"), encode(tables))}, **engine)
    with pytest.raises(CallError, match="aren't compatible") as caught:
        running.call("f", ["x" * 200_000])
    assert len(str(caught.value)) < 3 * limits.DEBUG_CHARACTERS_MAX


LOG = '(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))'
FLOOD = """(func $flood (param $times i32) (param $size i32)
  (loop $next
    (call $log (i32.const 3) (i32.const 0) (i32.const 0) (local.get $size))
    (local.set $times (i32.sub (local.get $times) (i32.const 1)))
    (br_if $next (local.get $times))))"""


def flooding(body=""):
    interface = {"functions": [function("flood", "times: u32, size: u32")]}
    return module(f'{FLOOD} (export "flood" (func $flood)) {body}', interface, pages="40", imports=LOG)


@on_every_engine
def test_a_flood_of_messages(engine):
    seen = []
    with service({"m": flooding()}, log=seen.append, **engine) as running:
        for times, size in ((3 * limits.LOG_RECORDS_MAX, 5), (1000, 2 * MB)):
            seen.clear()
            running.call("flood", [times, size])
            assert 0 < len(seen) <= limits.LOG_RECORDS_MAX
            assert sum(len(record.message) for record in seen) <= limits.LOG_BYTES_MAX + 100
            assert (seen[-1].level, "dropped" in seen[-1].message) == ("warn", True)
        seen.clear()
        running.call("flood", [3, 5])
        assert [record.level for record in seen] == ["info"] * 3


def test_a_flood_of_messages_at_the_start():
    seen = []
    body = f'(func (export "_start") (call $flood (i32.const {2 * limits.LOG_RECORDS_MAX}) (i32.const 1)))'
    with service({"m": flooding(body)}, log=seen.append) as running:
        assert len(seen) == limits.LOG_RECORDS_MAX
        running.call("flood", [1, 1])
        assert len(seen) == limits.LOG_RECORDS_MAX + 1


WRITE = f'(import "{WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))'
WRITES = """(func (export "write") (param $size i32) (param $byte i32) (result i32)
  (memory.fill (i32.const 65536) (local.get $byte) (local.get $size))
  (i32.store (i32.const 0) (i32.const 65536)) (i32.store (i32.const 4) (local.get $size))
  (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))"""


def writing(log, **config):
    interface = {"functions": [function("write", "size: u32, byte: u8", "u16")]}
    return service({"m": module(WRITES, interface, pages="400", imports=WRITE)}, log=log, **config)


def test_a_flood_of_output():
    seen = []
    with writing(seen.append) as running:
        assert running.call("write", [20 * MB, 10]) == 0
        assert len(seen) == limits.LOG_RECORDS_MAX
        assert (seen[-1].level, "dropped" in seen[-1].message) == ("warn", True)
        seen.clear()
        assert running.call("write", [20 * MB, 65]) == 0
        assert sum(len(record.message) for record in seen) <= limits.LOG_BYTES_MAX + 100
        seen.clear()
        assert running.call("write", [1, 10]) == 0
        assert len(seen) == 1


def test_a_log_that_calls_the_service_is_refused():
    """From a message as well as from a line of output, which arrives on another thread."""
    refused = []

    def call_again(record):
        try:
            running.call("write", [1, 10])
        except CallError as error:
            refused.append(error.error_class)

    with writing(call_again) as running:
        running.call("write", [3, 10])
    assert refused == [ErrorClass.CLOSED] * 3


def test_output_of_a_call_that_has_to_end_is_refused():
    """When the log has had its share: the host would take the rest of a large memory, which nothing interrupts."""
    seen = []
    with writing(seen.append) as running:
        running.running.stop()
        assert running.emit_output("m", [b"in time"])
        while running.may_log("m", 1):
            pass
        assert not running.emit_output("m", [b"too late"])
    assert [record.message for record in seen[:1]] == ["in time"]
    assert OutputLines(lambda _lines: False).write(b"line\n") == -errno.EIO
    assert OutputLines(lambda _lines: True).write(b"line\n") == 5


# ── sections ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_section_that_is_too_large():
    section = emit({"functions": []})
    padding = b"\x00\x01\x00\x00\x00"  # a function type without arguments and results
    fits = section + padding * ((limits.INTERFACE_BYTES_MAX - len(section)) // len(padding))
    service({"m": with_sections(core(""), fits)})
    with pytest.raises(LoadError, match="IT section takes"):
        service({"m": with_sections(core(""), fits + padding)})


def test_entries_that_combine_to_too_many_functions():
    tables = build({"functions": [function("f")]})
    tables.exports += [tables.exports[-1]] * 400
    core_type, adapter_type = tables.implementations[0]
    for _ in range(400):
        tables.adapters.append((len(tables.types), tables.adapters[0][1]))
        tables.implementations.append(Implementation(core_type, len(tables.types)))
        tables.types.append(FunctionType((), ()))
    assert adapter_type
    with pytest.raises(LoadError, match="functions"):
        service({"m": with_sections(core('(func (export "f"))'), encode(tables))})


def test_huge_counts_in_a_section():
    for code in range(5):
        with pytest.raises(LoadError, match="Eof"):
            service({"m": with_sections(core(""), b"\x05\x060.27.0" + bytes([code]) + b"\xff" * 8 + b"\x7f")})


def lattice(tables, depth, width):
    """Records in layers, each made of two neighbours of the layer below."""
    below = []
    for level in range(depth):
        layer = []
        for number in range(width):
            record = tables.record(len(tables.types))
            record.label = "R"
            parts = [below[number], below[(number + 1) % width]] if level else [U8, STRING]
            record.fields = tuple((f"f{place}", kind) for place, kind in enumerate(parts))
            tables.types.append(record)
            layer.append(record)
        below = layer
    return below


def test_types_that_take_too_long_to_compare():
    """Pairs of records multiply; where there are too many, types are held to be different, which is safe."""
    one, other = lattice(Tables(), 20, 20)[0], lattice(Tables(), 20, 20)[0]
    assert same_shape(one, other)
    assert not same_shape(lattice(Tables(), 160, 160)[0], lattice(Tables(), 160, 160)[0])


def test_a_section_with_deep_arrays():
    deepest = b"\x36" * limits.ARRAY_DEPTH_MAX + b"\x04"
    head = b"\x05\x060.27.0\x00\x01\x00\x01\x01a"
    assert repr(decode(head + deepest + b"\x00").types[0].argument_types[0]).startswith("Array(Array(")
    with pytest.raises(LoadError, match="Alt"):
        service({"m": with_sections(core(""), head + b"\x36" + deepest + b"\x00")})
