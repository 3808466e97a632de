"""Modules that lie: pointers, sizes, sections and adapters made to break the host."""

from __future__ import annotations

import random

import pytest

from runtime.marine import artifact
from runtime.marine.artifact import load_artifact
from runtime.marine.errors import CallError, ErrorClass, LoadError
from runtime.marine.interface_emit import emit
from runtime.marine.interface_types import MNEMONICS, Instruction, InterfaceError, decode, encode
from runtime.marine.itypes import PRIMS, STRING, U8, ArrayOf, RecordOf
from runtime.marine.limits import TYPE_LEVELS_MAX
from runtime.marine.wasm_sections import INTERFACE_TYPES, custom_sections
from tests.runtime.marine.kit import core, function, module, on_every_engine, own, service, with_sections

ENGINES = ("native", "translated", "interpreted")
RESULT = '(func (export "f") (global.set $ptr (i32.const {ptr})) (global.set $size (i32.const {size})))'
RECORDS = [
    {"name": "Inner", "fields": [["s", "string"], ["n", "u8"]]},
    {"name": "Outer", "fields": [["list", "[]Inner"], ["bytes", "[]u8"], ["more", "[][]string"], ["one", "Inner"]]},
]
TYPES = (
    "string",
    "[]u8",
    "[]string",
    "[]u64",
    "[][]u8",
    "[][]string",
    "Inner",
    "[]Inner",
    "Outer",
    "[]Outer",
    "[]bool",
)


def returns(kind, ptr, size, *, data="", **config):
    body = RESULT.format(ptr=ptr, size=size) + (f'(data (i32.const 0) "{data}")' if data else "")
    return service({"m": module(body, {"records": RECORDS, "functions": [function("f", "", kind)]})}, **config)


def outcome(running, name, arguments):
    """`fine`, or the class of the error."""
    try:
        running.call(name, arguments)
    except CallError as error:
        return error.error_class
    return "fine"


@pytest.mark.parametrize("kind", TYPES)
def test_pointers_out_of_memory(kind):
    places = [(65535, 1), (65536, 1), (-1, 1), (-1, -1), (-8, 1), (65530, 1 << 28)]
    for ptr, size in places if kind in ("Inner", "Outer") else [*places, (0, -1)]:
        with pytest.raises(CallError) as caught:
            returns(kind, ptr, size).call("f", [])
        assert caught.value.error_class in {ErrorClass.BOUNDS, ErrorClass.UTF8}


@pytest.mark.parametrize("seed", range(8))
def test_random_memory_never_breaks_the_host(seed):
    made = random.Random(seed)
    for kind in TYPES:
        data = "".join(f"\\{made.choice((0, 0, 1, 4, 16, 64, 255, made.randrange(256))):02x}" for _ in range(256))
        running = returns(kind, made.randrange(200), made.randrange(12), data=data, lift_bytes_max=1 << 20)
        for _ in range(2):
            assert outcome(running, "f", []) in {"fine", ErrorClass.BOUNDS, ErrorClass.UTF8, ErrorClass.LIMIT}


def test_overlapping_pointers_meet_the_budget():
    fill = """(func (export "f") (local $n i32)
      (loop $next
        (i32.store (i32.mul (local.get $n) (i32.const 8)) (i32.const 65536))
        (i32.store offset=4 (i32.mul (local.get $n) (i32.const 8)) (i32.const 900000))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $n) (i32.const 2000))))
      (global.set $size (i32.const 2000)))"""
    bomb = module(fill, {"functions": [function("f", "", "[]string")]}, pages="16")
    for engine in ENGINES:
        with pytest.raises(CallError, match="more out of module memories") as caught:
            service({"m": bomb}, engine=engine).call("f", [])
        assert caught.value.error_class is ErrorClass.LIMIT


def test_budget_is_renewed_for_every_call():
    small = returns("[]u8", 0, 1000, lift_bytes_max=1500)
    assert all(small.call("f", []) == [0] * 1000 for _ in range(3))


def test_recursive_records_are_refused():
    cycle = {"records": [{"name": "A", "fields": [["b", "[]B"]]}, {"name": "B", "fields": [["a", "A"]]}]}
    for used in ([], [function("f", "", "A")]):
        with pytest.raises(LoadError, match="recursion level"):
            service({"m": module('(func (export "f"))', cycle | {"functions": used})})


def chain(depth, arrays=0):
    """A function that gives back a record of records, so deep, each in so many arrays."""
    records = [{"name": "R0", "fields": [["x", "u8"]]}]
    records += [{"name": f"R{n}", "fields": [["x", f"{'[]' * arrays}R{n - 1}"]]} for n in range(1, depth)]
    body = '(func (export "f") (param i32) (global.set $ptr (local.get 0)))'
    return module(body, {"records": records, "functions": [function("f", f"r: R{depth - 1}", f"R{depth - 1}")]})


def nested(depth, arrays=0):
    value = {"x": 7}
    for _ in range(depth - 1):
        for _ in range(arrays):
            value = [value]
        value = {"x": value}
    return value


@on_every_engine
def test_records_nested_up_to_the_limit(engine):
    """A record is two levels, as the reference counts."""
    assert service({"m": chain(40)}, **engine).call("f", [nested(40)]) == nested(40)
    deepest = TYPE_LEVELS_MAX // 2
    deep = service({"m": chain(deepest)}, **engine)
    with pytest.raises(LoadError, match="recursion level"):
        service({"m": chain(deepest + 1)}, **engine)
    for _ in range(2):
        with pytest.raises(CallError, match="record with type id") as caught:
            deep.call("f", [5])
        assert caught.value.error_class is ErrorClass.ARGUMENTS
        assert outcome(deep, "f", [nested(deepest)]) in {"fine", ErrorClass.LIMIT, ErrorClass.ARGUMENTS}


@on_every_engine
def test_values_nested_deeper_than_the_host_can_go(engine):
    assert service({"m": chain(20, 3)}, **engine).call("f", [nested(20, 3)]) == nested(20, 3)
    deepest = (TYPE_LEVELS_MAX + 3) // 5
    deep = service({"m": chain(deepest, 3)}, **engine)
    with pytest.raises(LoadError, match="recursion level"):
        service({"m": chain(deepest + 1, 3)}, **engine)
    for _ in range(2):
        with pytest.raises(CallError, match="nested too deeply"):
            deep.call("f", [nested(deepest, 3)])


def mutated(made, tables):
    """Tables with a few random changes that a reader of the section accepts."""
    codes = sorted(MNEMONICS)
    kinds = [
        *PRIMS,
        *(kind for kind in tables.types if isinstance(kind, RecordOf)),
        ArrayOf(STRING),
        ArrayOf(ArrayOf(U8)),
    ]
    for _ in range(made.randrange(1, 30)):
        at = made.randrange(len(tables.adapters))
        key, body = tables.adapters[at]
        changed = list(body)
        place = made.randrange(len(changed))
        one = Instruction(made.choice(codes), made.choice((0, 1, 2, 3, 6, 7, 9, 40, 200)), made.choice(kinds))
        match made.randrange(4):
            case 0:
                changed[place] = one
            case 1:
                changed.insert(place, one)
            case 2:
                del changed[place]
            case _:
                old = changed[place]
                changed[place] = Instruction(old.code, max(old.number + made.choice((-1, 1, 5)), 0), made.choice(kinds))
        tables.adapters[at] = (key, tuple(changed[:100]))
    return tables


@pytest.mark.parametrize("seed", range(40))
def test_mutated_adapters(seed, monkeypatch):
    """Whatever the adapters do, a call answers or fails, and the next one finds the service usable."""
    whole = own("testkit")
    compiled = load_artifact("m", whole).compiled
    monkeypatch.setattr(artifact, "load_or_compile", lambda *_: (compiled, True))
    made = random.Random(seed)
    tables = mutated(made, decode(custom_sections(whole, INTERFACE_TYPES)[0]))
    running = service(
        {"m": with_sections(whole, encode(tables))},
        settings={"logger_enabled": True},
        timeout_ms=5000,
        lift_bytes_max=1 << 20,
    )
    outcomes = {
        outcome(running, name, given * len(found.signature.arguments))
        for name, found in running.interface().functions.items()
        for given in ([[]], ["x"], [1], [[1, 2]], [["x"]], [True])
    }
    assert "fine" in outcomes


@pytest.mark.slow
def test_many_mutated_sections_are_read_or_refused():
    made = random.Random(1)
    section = custom_sections(own("testkit"), INTERFACE_TYPES)[0]
    read = 0
    for _ in range(2000):
        data = bytearray(section)
        for _ in range(made.randrange(1, 8)):
            data[made.randrange(len(data))] = made.randrange(256)
        try:
            decode(bytes(data))
            read += 1
        except InterfaceError:
            pass
    assert 0 < read < 2000


def test_modules_that_recurse_inside_each_other_trap():
    """Eight modules, each with a deep stack of its own when it calls the next; the last one never ends."""

    def link(number):
        here = """(func $down (param i32) (result i32)
          (if (result i32) (i32.eqz (local.get 0)) (then {end})
            (else (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))))
          (func (export "f") (param i32) (result i32) (call $down (local.get 0)))"""
        interface = {"functions": [function("f", "n: s32", "s32")]}
        if number == 0:
            return module(here.format(end="(call $down (i32.const -1))"), interface)
        interface["imports"] = [{"namespace": f"m{number - 1}", "functions": interface["functions"]}]
        imports = f'(import "m{number - 1}" "f" (func $next (param i32) (result i32)))'
        return module(here.format(end="(call $next (i32.const 20000))"), interface, imports=imports)

    running = service({f"m{number}": link(number) for number in range(9)})
    for _ in range(2):
        with pytest.raises(CallError) as caught:
            running.call("f", [20000])
        assert caught.value.error_class is ErrorClass.CALL_FAILED
        assert "call stack exhausted" in str(caught.value)


def test_allocators_that_lie():
    body = '(func (export "f") (param i32 i32))'
    interface = {"functions": [function("f", "v: []u64")]}
    for address in ("-8", "65536", "65530", "2147483647"):
        changed = f"(global.set $heap (i32.const {address}))"
        made = module(f'{body} (func (export "_start") {changed})', interface)
        with pytest.raises(CallError) as caught:
            service({"m": made}).call("f", [[1, 2]])
        assert caught.value.error_class is ErrorClass.BOUNDS


def test_adapters_of_another_type_run_on_the_interpreter():
    """An adapter may use any instruction on any value: the error names the instruction."""
    interface = {"functions": [function("f", "v: string", "u8")]}
    tables = decode(emit(interface))
    assert tables.adapters
    broken = emit(interface).replace(
        bytes([0x23]), bytes([0x44])
    )  # byte_array.lower_memory instead of string.lower_memory
    body = '(func (export "f") (param i32 i32) (result i32) (i32.const 1))'
    with pytest.raises(
        CallError, match=r"`byte_array\.lower_memory` failed to cast the WIT value `.*String.*ByteArray"
    ) as caught:
        service({"m": with_sections(core(body), broken)}).call("f", ["x"])
    assert caught.value.error_class is ErrorClass.TYPE
