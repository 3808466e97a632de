"""Native adapters do what translated and interpreted ones do, or leave it to them; nothing that a module says ends the process."""

from __future__ import annotations

import json
import math
import os
import random
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("llvmlite")

from runtime.marine import host
from runtime.marine.call_parameters import from_json
from runtime.marine.errors import CallError, ErrorClass, cast_fault
from runtime.marine.interface_types import Export, FunctionType, Instruction, Tables, decode, encode
from runtime.marine.itypes import F32, F64, I32, I64, STRING, ArrayOf
from runtime.marine.limits import (
    CALL_DEPTH_MAX,
    LIFT_BYTES_MAX,
    NATIVE_ARENA_BYTES_MAX,
    NATIVE_DEPTH_MAX,
    NATIVE_KEPT_BYTES,
)
from runtime.marine.native import failures
from runtime.marine.native import program as programs
from runtime.marine.native.kernels import entries, layout, results
from runtime.marine.native.library import MARINE
from runtime.marine.wasm_sections import INTERFACE_TYPES, custom_sections
from tests.runtime.marine import kit, twins
from tests.runtime.marine.kit import function, module, own, service
from tests.runtime.marine.plain_kernels import plain_kernels

ROOT = Path(__file__).resolve().parents[3]
ALL = ("native", "translated", "interpreted")
RESULT = '(func (export "f") (global.set $ptr (i32.const {ptr})) (global.set $size (i32.const {size})))'


@pytest.fixture(scope="module", autouse=True)
def library() -> Any:
    found = MARINE.get()
    if found is None:
        pytest.skip("no native code on this platform")
    return found


def told(running: Any, name: str, text: str, **more: Any) -> Any:
    """What a call says: text, or the error."""
    try:
        return running.call_text(name, text, **more)
    except CallError as error:
        return [str(error), error.error_class]


def same(modules: dict[str, bytes], calls: list[tuple[str, str]], **config: Any) -> list[Any]:
    """What every engine says to the calls: the same, with the same memories in the end, or this fails."""
    answers = []
    for engine in ALL:
        with service(modules, engine=engine, **config) as running:
            answers.append(([told(running, *call) for call in calls], twins.memories(running)))
    assert answers[0] == answers[1]
    assert answers[0] == answers[2]
    return answers[0][0]


# ── twins ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(seed=st.integers(0, 2**32 - 1))
def test_random_interfaces_values_and_memories(seed: int) -> None:
    assert twins.difference(seed) is None


def test_the_twins_know_their_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "cast_fault", lambda source, target: cast_fault(target, source))
    assert any(twins.difference(seed) is not None for seed in range(12))


TESTKIT = {"testkit": own("testkit"), "facade": own("facade")}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
PRIMS = {
    "b": st.booleans(),
    **{f"s{bits}": st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"u{bits}": st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32, 64)},
    "f32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "f64": st.floats(allow_nan=False, allow_infinity=False),
    "str": st.text(),
    "bytes": st.lists(st.integers(0, 255), max_size=20),
}
INNER = st.fixed_dictionaries({"id": st.integers(0, 2**32 - 1), "tags": st.lists(st.text(), max_size=3)})
OUTER = st.fixed_dictionaries(
    {
        "name": st.text(),
        "inner": INNER,
        "list": st.lists(INNER, max_size=3),
        "matrix": st.lists(st.lists(PRIMS["f64"], max_size=3), max_size=3),
        "flags": st.lists(st.booleans(), max_size=3),
        "blobs": st.lists(PRIMS["bytes"], max_size=3),
    }
)


@pytest.fixture(scope="module")
def kits() -> Any:
    made = [service(TESTKIT, engine=engine) for engine in ALL]
    yield made
    for running in made:
        running.close()


def agree(kits: list[Any], name: str, text: str) -> Any:
    answers = [told(running, name, text, module="facade" if name.startswith("via") else "testkit") for running in kits]
    assert answers[0] == answers[1]
    assert answers[0] == answers[2]
    return answers[0]


@given(prims=st.fixed_dictionaries(PRIMS), ascii=st.booleans(), indent=st.none() | st.integers(0, 2))
def test_records_of_numbers_and_texts(kits: Any, prims: Any, ascii: bool, indent: Any) -> None:
    text = json.dumps([prims], ensure_ascii=ascii, indent=indent)
    for name in ("echo_prims", "via_prims"):
        answer = agree(kits, name, text)
        # the reference's reader of decimal numbers is not always exact, and neither are we
        assert json.loads(answer) | {"f64": 0, "f32": 0} == prims | {"f64": 0, "f32": 0}


@given(outer=OUTER)
def test_records_of_records(kits: Any, outer: Any) -> None:
    answer = json.loads(agree(kits, "via_outer", json.dumps([outer])))
    assert answer | {"matrix": []} == outer | {"matrix": []}


@given(
    value=JSON,
    name=st.sampled_from(["echo_prims", "via_outer", "concat", "echo_arr_s64", "echo_arr_string", "echo_bytes"]),
)
def test_any_json(kits: Any, value: Any, name: str) -> None:
    agree(kits, name, json.dumps([value]))
    agree(kits, name, json.dumps(value))


@given(text=st.text(alphabet='[]{}",:\\ \n\t\r0123456789eE+-.tfnurales/b\x00\x1fé', max_size=24))
def test_any_text(kits: Any, text: str) -> None:
    agree(kits, "echo_arr_string", text)
    agree(kits, "echo_bytes", f"[[{text}]]")
    agree(kits, "echo_prims", f'[{{"b":{text}}}]')


def test_own_modules_with_plain_kernels() -> None:
    """Kernels that are stepped through do what compiled ones do."""
    calls = [("concat", '["a", "b"]'), ("echo_bytes", "[[1,2,300]]"), ("echo_arr_string", '[["x", "\\u00e9"]]')]
    with plain_kernels(), service(TESTKIT, engine="native") as running:
        plain = [told(running, *call, module="testkit") for call in calls]
        assert running.native is not None
    with service(TESTKIT, engine="native") as running:
        assert plain == [told(running, *call, module="testkit") for call in calls]


@pytest.mark.parametrize("seed", range(12))
def test_mutated_adapters_fail_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.runtime.marine.test_hostile import mutated

    made = random.Random(seed)
    whole = own("testkit")
    tables = mutated(made, decode(custom_sections(whole, INTERFACE_TYPES)[0]))
    changed = kit.with_sections(whole, encode(tables))
    names = [export.name for export in tables.exports[6:]]
    calls = [
        (name, json.dumps(given * count))
        for name in names
        for given in ([[]], ["x"], [1], [True], [{}])
        for count in (0, 1, 2)
    ]
    same({"m": changed}, calls, settings={"logger_enabled": True}, lift_bytes_max=1 << 20)


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_doubles_are_written_as_python_does_or_left_to_it() -> None:
    made = random.Random(4)
    values = [
        0.0,
        -0.0,
        1e15,
        1e16,
        999999999999999.9,
        1e-4,
        9.99e-5,
        0.1,
        1 / 3,
        5e-324,
        1.7e308,
        math.inf,
        -math.inf,
        math.nan,
        2.5,
    ]
    values += [round(made.uniform(-10, 10) * 10 ** made.randrange(15), made.randrange(16)) for _ in range(5000)]
    values += [struct.unpack("<d", made.randbytes(8))[0] for _ in range(5000)]
    arena = bytearray(64)
    written = 0
    for value in values:
        end = results.write_double(memoryview(arena), struct.unpack("<q", struct.pack("<d", value))[0], 0)
        if end >= 0:
            written += 1
            assert arena[:end].decode() == (repr(value) if math.isfinite(value) else "null")
    assert written > 2000


def test_signalling_numbers_keep_their_bits() -> None:
    """Of f32, as in the reference; in Python they are doubles on the way, which makes them quiet."""
    body = """(data (i32.const 16) "\\00\\00\\a0\\7f")
      (func (export "f") (global.set $ptr (i32.const 16)) (global.set $size (i32.const 1)))"""
    inner = module(body, {"functions": [function("f", "", "[]f32")]})
    outer = module(
        '(func (export "g") (result i32) (call $f) (i32.load (global.get $ptr)))',
        {
            "functions": [function("g", "", "s32")],
            "imports": [{"namespace": "inner", "functions": [function("f", "", "[]f32")]}],
        },
        imports='(import "inner" "f" (func $f))',
    )
    with service({"inner": inner, "outer": outer}, engine="native") as running:
        assert running.call("g", []) == 0x7FA00000


# ── memories that move and lie ───────────────────────────────────────────────────────────────────────────────────────

GROWING = kit.ABI.replace("(local $p i32)", "(local $p i32) (drop (memory.grow (i32.const 1)))")


def growing(body: str, interface: dict[str, Any], imports: str = "") -> bytes:
    core = kit.wasmtime.wat2wasm(f"(module {imports} {GROWING.format(pages=1)} {body})")
    return kit.with_sections(bytes(core), kit.emit(interface))


def test_memory_that_grows_whenever_something_is_written() -> None:
    echo = '(func (export "{}") (param i32 i32) {})'
    inner = growing(
        echo.format("f", "(global.set $ptr (local.get 0)) (global.set $size (local.get 1))"),
        {"functions": [function("f", "v: [][]string", "[][]string")]},
    )
    outer = growing(
        echo.format("g", "(call $f (local.get 0) (local.get 1))"),
        {
            "functions": [function("g", "v: [][]string", "[][]string")],
            "imports": [{"namespace": "inner", "functions": [function("f", "v: [][]string", "[][]string")]}],
        },
        '(import "inner" "f" (func $f (param i32 i32)))',
    )
    value = json.dumps([[["a" * 5000, "b"], [], ["c" * 70000] * 3]])
    assert json.loads(same({"inner": inner, "outer": outer}, [("g", value)])[0]) == json.loads(value)[0]


def test_memory_that_grows_up_to_the_limit_of_the_service() -> None:
    """Of which the modules have as much as the others leave."""
    size = '(func (export "{}") (param i32 i32) {})'
    f, g = function("f", "v: []string"), function("g", "v: []string")
    inner = growing(size.format("f", ""), {"functions": [f]})
    outer = growing(
        size.format("g", "(call $f (local.get 0) (local.get 1))"),
        {"functions": [g], "imports": [{"namespace": "inner", "functions": [f]}]},
        '(import "inner" "f" (func $f (param i32 i32)))',
    )
    texts = [json.dumps([["a" * count] * 3]) for count in (10, 10, 20_000, 30_000, 30_000, 40_000, 10)]
    calls = [("g", text) for text in texts]
    answers = same({"inner": inner, "outer": outer}, calls, memory_limit=9 * 65536)
    assert "null" in answers
    assert any(answer != "null" for answer in answers)
    fine = same({"inner": inner, "outer": outer}, calls, memory_limit=100 * 65536)
    assert fine == ["null"] * len(calls)


def test_the_limit_counts_modules_that_native_code_never_enters() -> None:
    """One without an allocator: nothing can be written into it, but its memory counts."""
    plain = kit.wasmtime.wat2wasm(
        """(module (memory (export "memory") 5) (func (export "allocate"))
        (func (export "release_objects")) (func (export "get_result_size")) (func (export "get_result_ptr"))
        (func (export "set_result_size")) (func (export "set_result_ptr")))"""
    )
    grow = '(func (export "f") (param i32) (result i32) (memory.grow (local.get 0)))'
    inner = module(grow, {"functions": [function("f", "pages: s32", "s32")]})
    outer = module(
        '(func (export "g") (param i32) (result i32) (call $f (local.get 0)))',
        {
            "functions": [function("g", "pages: s32", "s32")],
            "imports": [{"namespace": "inner", "functions": [function("f", "pages: s32", "s32")]}],
        },
        imports='(import "inner" "f" (func $f (param i32) (result i32)))',
    )
    modules = {"large": kit.with_sections(bytes(plain), kit.emit({})), "inner": inner, "outer": outer}
    answers = same(modules, [("g", "[3]"), ("g", "[2]"), ("g", "[1]")], memory_limit=9 * 65536)
    assert answers == ["-1", "1", "-1"]


def test_services_work_at_the_same_time() -> None:
    """On threads of their own, in native code that does not hold Python's lock."""
    calls = [json.dumps([["text" * 50] * n]) for n in (1, 50, 300)] * 20

    def work(running: Any) -> list[str]:
        return [running.call_text("echo_arr_string", text) for text in calls]

    made = [service({"testkit": own("testkit")}, engine="native") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(work, made))
    assert answers == [[json.dumps(json.loads(text)[0], separators=(",", ":")) for text in calls]] * 4
    for running in made:
        running.close()


def test_allocators_that_answer_with_anything() -> None:
    body = '(func (export "f") (param i32 i32) (global.set $ptr (local.get 0)) (global.set $size (local.get 1)))'
    for address in (-1, -8, 0, 65535, 65536, 65530, 2**31 - 1):
        for kind, value in (("[]u64", [[1, 2]]), ("string", ["text"]), ("[]u8", [[1]]), ("[]string", [["a"]])):
            made = module(
                f'{body} (func (export "_start") (global.set $heap (i32.const {address})))',
                {"functions": [function("f", f"v: {kind}", kind)]},
            )
            same({"m": made}, [("f", json.dumps(value)), ("f", json.dumps(value))])


def recursive(depth: int) -> dict[str, bytes]:
    """A module whose allocator calls another module, whose answer, a record of that depth, needs memory."""
    records = [{"name": "R0", "fields": [["s", "string"]]}]
    records += [{"name": f"R{n}", "fields": [["r", f"R{n - 1}"]]} for n in range(1, depth)]
    asked = function("g", "", f"R{depth - 1}")
    inner = module('(func (export "g") (global.set $ptr (i32.const 0)))', {"records": records, "functions": [asked]})
    abi = kit.ABI.replace("(local $p i32)", "(local $p i32) (call $g)").format(pages=1)
    core = kit.wasmtime.wat2wasm(f'(module (import "inner" "g" (func $g)) {abi} (func (export "f") (call $g)))')
    section = kit.emit(
        {
            "records": records,
            "functions": [function("f")],
            "imports": [{"namespace": "inner", "functions": [asked]}],
        }
    )
    return {"inner": inner, "outer": kit.with_sections(bytes(core), section)}


@pytest.mark.parametrize("depth", [1, 2, 14, 15, 16, 17, 31, 40, 63, 80, 99, 100, 101, 120])
def test_allocators_that_call_other_modules(depth: int) -> None:
    """The calls within each other are bounded; Python's own bound must not be met where it enters a callback."""
    for engine in ALL:
        with service(recursive(depth), engine=engine) as running:
            for _ in range(2):
                with pytest.raises(CallError) as caught:
                    running.call("f", [])
                assert caught.value.error_class is ErrorClass.LIMIT
                assert "too deeply" in str(caught.value) or "RecursionError" in str(caught.value)
                assert running.depth[0] == 0
    if depth < 10:
        same(recursive(depth), [("f", "[]")])


def chain(length: int) -> dict[str, bytes]:
    """Modules of which each calls the one before it."""
    made = {}
    for number in range(length):
        f = [function("f", "v: string", "string")]
        echo = "(global.set $ptr (local.get 0)) (global.set $size (local.get 1))"
        body = f'(func (export "f") (param i32 i32) {"(call $f (local.get 0) (local.get 1))" if number else echo})'
        interface: dict[str, Any] = {"functions": f}
        if number:
            interface["imports"] = [{"namespace": f"m{number - 1}", "functions": f}]
        imports = f'(import "m{number - 1}" "f" (func $f (param i32 i32)))' if number else ""
        made[f"m{number}"] = module(body, interface, imports=imports)
    return made


def test_as_many_modules_as_there_may_be_call_each_other() -> None:
    assert same(chain(CALL_DEPTH_MAX), [("f", '["text"]')]) == ['"text"']


def test_the_budget_is_one_for_all_modules_of_a_call() -> None:
    """Native adapters and others take from the same."""
    calls = [("f", json.dumps(["x" * 100])), ("f", json.dumps(["x" * 120]))]
    answers = same(chain(3), calls, lift_bytes_max=5 * 110)
    assert answers[0] == json.dumps("x" * 100)
    assert answers[1][1] is ErrorClass.LIMIT


# ── native and not ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_native_modules_call_others_and_are_called_by_them() -> None:
    """An adapter that is not well typed runs on the interpreter, whoever calls it."""
    modules = chain(4)
    broken = decode(custom_sections(modules["m1"], INTERFACE_TYPES)[0])
    # `dup; swap2` and a drop that is none: an adapter of another shape, with the same result
    broken.adapters = [
        (key, (Instruction(0x40, 7), Instruction(0x3E), *body) if key == broken.adapters[0][0] else body)
        for key, body in broken.adapters
    ]
    modules["m1"] = kit.with_sections(
        kit.core(
            '(func (export "f") (param i32 i32) (call $f (local.get 0) (local.get 1)))',
            "1",
            '(import "m0" "f" (func $f (param i32 i32)))',
        ),
        encode(broken),
    )
    answers = same(modules, [("f", '["text"]'), ("f", "[5]")])
    assert "m1" not in answers  # whatever it is, all say the same
    with service(modules, engine="native") as running:
        kinds = [running._modules[name].functions["f"].native is not None for name in modules]
    assert kinds == [True, False, True, True]


def test_calls_that_fail_leave_nothing_behind() -> None:
    """Also where an interpreted adapter has called the native one that failed."""
    modules = chain(2) | {"m2": module("", {})}
    fails = "(global.set $ptr (i32.const -1)) (global.set $size (i32.const 9))"
    modules["m0"] = module(
        f'(func (export "f") (param i32 i32) {fails})', {"functions": [function("f", "v: string", "string")]}
    )
    tables = decode(custom_sections(modules["m1"], INTERFACE_TYPES)[0])
    export, *others = tables.adapters
    tables.adapters = [(export[0], (*export[1], Instruction(0x34))), *others]  # it answers twice
    modules["m1"] = kit.with_sections(
        kit.core(
            '(func (export "f") (param i32 i32) (call $f (local.get 0) (local.get 1)))',
            "1",
            '(import "m0" "f" (func $f (param i32 i32)))',
        ),
        encode(tables),
    )
    with service(modules, engine="native") as running:
        assert running.native is not None
        tops = set()
        for _ in range(3):
            with pytest.raises(CallError, match="memory bounds"):
                running.call("f", ["text"], module="m1")
            tops.add(running.native.words[layout.S_TOP])
        assert len(tops) == 1
        assert running._modules["m1"].functions["f"].native is None


def test_types_that_are_too_deep_run_in_python() -> None:
    deep = "[]" * (NATIVE_DEPTH_MAX + 1) + "u8"
    body = '(func (export "f") (param i32 i32) (result i32) (local.get 1))'
    for kind, is_native in ((deep, False), (deep[2 * 3 :], True)):
        made = {"m": module(body, {"functions": [function("f", f"v: {kind}", "u32")]})}
        assert same(made, [("f", "[[]]"), ("f", "[[[]]]")]) == ["0", "1"]
        with service(made, engine="native") as running:
            assert (running._modules["m"].functions["f"].native is not None) is is_native


def test_a_service_that_copies_very_much_runs_in_python() -> None:
    made = {"m": module('(func (export "f"))', {"functions": [function("f")]})}
    for budget, is_native in ((LIFT_BYTES_MAX, True), (NATIVE_ARENA_BYTES_MAX // 2, False)):
        with service(made, engine="native", lift_bytes_max=budget) as running:
            assert running.call_text("f", "[]") == "null"
            assert (running.native is not None) is is_native


def test_arguments_that_leave_no_room_run_in_python() -> None:
    echo = '(func (export "f") (param i32 i32) (result i32) (local.get 1))'
    made = {"m": module(echo, {"functions": [function("f", "v: [][]u8", "u32")]}, pages="1024")}
    with service(made, engine="native", lift_bytes_max=1000) as running:
        assert running.native is not None
        many = json.dumps([[[]] * 7_000_000], separators=(",", ":"))
        assert running.native.call_text(running._modules["m"].functions["f"].native, many.encode()) is None
        assert running.call_text("f", json.dumps([[[]] * 7])) == "7"


PARAMETERS = """
  (import "__marine_host_api_v3" "get_call_parameters" (func $v3))
  (import "__marine_host_api_v1" "get_call_parameters" (func $v1))
  (import "host" "get_call_parameters" (func $v0))
"""
TETRAPLET = [["peer_pk", "string"], ["service_id", "string"], ["function_name", "string"], ["lens", "string"]]


def test_call_parameters_are_those_of_each_call() -> None:
    particle = [["id", "string"], ["init", "string"], ["timestamp", "u64"], ["ttl", "u32"], ["script", "string"],
                ["signature", "[]u8"], ["token", "string"]]  # fmt: skip
    root = [["particle", "P"], *[[name, "string"] for name in ("service", "creator", "host", "worker")], ["t", "[][]T"]]
    records = [{"name": "T", "fields": TETRAPLET}, {"name": "P", "fields": particle}, {"name": "R", "fields": root}]
    old = [[f"f{number}", "string"] for number in range(5)]
    records += [
        {"name": "O", "fields": [*old, ["t", "[][]T"]]},
        {"name": "N", "fields": [*old, ["f5", "string"], ["t", "[][]T"]]},
    ]
    calls = [("v3", "R"), ("v1", "N"), ("v0", "O")]
    body = "".join(f'(func (export "f{name}") (call ${name}))' for name, _ in calls)
    interface = {"records": records, "functions": [function(f"f{name}", "", kind) for name, kind in calls]}
    made = module(body, interface, imports=PARAMETERS)
    given = [
        {"particle": {"id": "é" * n, "timestamp": 2**64 - 1 - n, "signature": [1] * n}, "service_id": "s" * n,
         "tetraplets": [[{"peer_pk": "p", "lens": f".$.{n}"}]] * n}
        for n in (0, 1, 2, 1, 40)
    ]  # fmt: skip
    answers = []
    for engine in ALL:
        with service({"m": made}, engine=engine) as running:
            answers.append(
                [told(running, f"f{name}", "[]", parameters=from_json(one)) for one in given for name, _ in calls]
                + [told(running, "fv3", "[]")]
            )
    assert answers[0] == answers[1] == answers[2]
    assert json.loads(answers[0][-4])["service"] == "s" * 40
    assert json.loads(answers[0][-1])["service"] == ""


def test_a_log_that_nobody_reads_is_not_made() -> None:
    body = """(data (i32.const 0) "text")
      (func (export "f") (param i32) (call $log (i32.const 1) (local.get 0) (i32.const 0) (i32.const 4)))"""
    made = module(
        body,
        {"functions": [function("f", "target: s32")]},
        imports='(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))',
    )
    for engine in ALL:
        seen: list[Any] = []
        settings = {"logger_enabled": True, "logging_mask": 6}
        with service({"m": made}, engine=engine, settings=settings, log=seen.append) as running:
            for target in (0, 1, 2, 4, 8, -8):
                running.call_text("f", f"[{target}]")
        assert len(seen) == 3
        with service({"m": made}, engine=engine, settings=settings) as running:
            assert running.call_text("f", "[0]") == "null"


@pytest.mark.parametrize("place", [(65535, 2), (65536, 1), (-1, 1), (0, -1), (70000, 0), (65536, 0)])
def test_a_message_beyond_the_memory_is_an_error_whether_somebody_listens_or_not(place: tuple[int, int]) -> None:
    made = module(
        '(func (export "f") (param i32 i32) (call $log (i32.const 1) (i32.const 0) (local.get 0) (local.get 1)))',
        {"functions": [function("f", "pointer: s32, size: s32")]},
        imports='(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))',
    )
    told = set()
    for engine in ALL:
        for log in (None, lambda _: None):
            with service({"m": made}, engine=engine, settings={"logger_enabled": True}, log=log) as running:
                try:
                    told.add(running.call_text("f", json.dumps(place)))
                except CallError as error:
                    told.add(str(error))
    (text,) = told
    assert (text == "null") == (place[1] == 0)


def test_an_error_of_the_log_ends_the_call_of_all_modules() -> None:
    inner = module(
        '(func (export "f") (call $log (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)))',
        {"functions": [function("f")]},
        imports='(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))',
    )
    outer = module(
        '(func (export "g") (call $f))',
        {"functions": [function("g")], "imports": [{"namespace": "inner", "functions": [function("f")]}]},
        imports='(import "inner" "f" (func $f))',
    )

    def refuse(_record: Any) -> None:
        raise OSError("the log is full")

    for engine in ALL:
        with service(
            {"inner": inner, "outer": outer}, engine=engine, settings={"logger_enabled": True}, log=refuse
        ) as running:
            for _ in range(2):
                with pytest.raises(OSError, match="the log is full"):
                    running.call_text("g", "[]")


# ── without native code ──────────────────────────────────────────────────────────────────────────────────────────────

SCRIPT = """
import json, sys
from tests.runtime.marine.kit import own, service
{before}
with service({{"testkit": own("testkit")}}, engine={engine!r}) as running:
    print(running.call_text("concat", json.dumps(["a", "b"])), running.native is not None, "llvmlite.binding" in sys.modules,
          "avm.jit.kernels.machine" in sys.modules)
{after}
"""


def run(engine: str, before: str = "", after: str = "", **environment: str) -> Any:
    script = SCRIPT.format(engine=engine, before=before, after=after)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def folders(path: Path) -> dict[str, str]:
    """The environment that puts the cache there."""
    return {"XDG_CACHE_HOME": str(path), "LOCALAPPDATA": str(path), "HOME": str(path)}


@pytest.mark.parametrize("engine", ["auto", "native"])
def test_native_code_can_be_turned_off(engine: str) -> None:
    done = run(engine, AVM_JIT="off")
    assert (done.stdout.split(), done.stderr) == (['"ab"', "False", "False", "False"], "")


@pytest.mark.slow
def test_without_llvm_python_serves_and_one_line_says_so(tmp_path: Path) -> None:
    done = run("native", "sys.modules['llvmlite'] = None", **folders(tmp_path))
    assert done.stdout.split() == ['"ab"', "False", "False", "False"]
    (line,) = done.stderr.splitlines()
    assert line.startswith("no native code: ")


@pytest.mark.slow
def test_auto_does_not_wait_for_the_compiler_and_changes_when_it_is_done(tmp_path: Path) -> None:
    after = """
    from runtime.marine.native.library import MARINE
    from avm.jit.library import LOOK_EVERY
    MARINE.compiler.wait()
    texts = {running.call_text("concat", json.dumps(["a", str(n)])) for n in range(LOOK_EVERY + 1)}
    print(len(texts), running.native is not None, "llvmlite.binding" in sys.modules)
"""
    done = run("auto", "", after, **folders(tmp_path))
    assert done.stdout.split() == ['"ab"', "False", "False", "False", "65", "True", "False"]
    assert run("auto", **folders(tmp_path)).stdout.split() == ['"ab"', "True", "False", "False"]


def test_a_place_without_address_space_runs_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def __init__(self, *_: Any) -> None:
            raise OSError("no address space")

    monkeypatch.setattr(host, "NativeService", Refusing)
    with service({"testkit": own("testkit")}, engine="native") as running:
        assert running.native is None
        assert running.call_text("concat", '["a","b"]') == '"ab"'


# ── encoding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_callback_can_end_early() -> None:
    assert set(entries.CALLBACKS) == {"import_called", "parameters_called", "log_called"}


def test_frames_of_all_adapters_that_can_fail_have_room() -> None:
    """An imported function is two adapters, and a function of the host may be the last."""
    assert layout.FRAMES_BYTES > 8 * layout.FRAME * 2 * (CALL_DEPTH_MAX + 2)


def test_programs_of_types_within_the_limit() -> None:
    def kind(depth: int) -> Any:
        made: Any = STRING
        for _ in range(depth - 1):
            made = ArrayOf(made)
        return made

    def encoded(depth: int) -> Any:
        return programs.encode((), (kind(depth),), (), Tables(), lambda _: programs.Callee("", 0, 0), 0)

    assert encoded(NATIVE_DEPTH_MAX) is not None
    assert encoded(NATIVE_DEPTH_MAX + 1) is None
    assert programs.encode(
        (Instruction(0x44),), (), (), Tables(), lambda _: programs.Callee("", 0, 0), 0
    ) is None  # fmt: skip


def test_functions_of_many_arguments() -> None:
    count = 19
    sizes = "".join(f"(local.get {2 * k + 1})" + ("(i32.add)" if k else "") for k in range(count))
    body = f'(func (export "f") (param {"i32 " * 2 * count}) (result i32) {sizes})'
    made = {"m": module(body, {"functions": [function("f", ", ".join(f"a{k}: string" for k in range(count)), "u32")]})}
    assert same(made, [("f", json.dumps(["x" * k for k in range(count)]))]) == [str(sum(range(count)))]
    with service(made, engine="native") as running:
        assert running._modules["m"].functions["f"].native is not None


def test_core_functions_of_many_results() -> None:
    """Of more than one, adapters make nothing that JSON could be; but they run."""

    def encoded(count: int) -> Any:
        callee = programs.Callee("f", 0, "i" * count)
        return programs.encode((Instruction(0x01, 6),), (), (I32,) * count, Tables(), lambda _: callee, 7)

    assert encoded(layout.CORE_RESULTS_MAX) is not None
    assert encoded(layout.CORE_RESULTS_MAX + 1) is None
    results = "i32 i64 f32 f64"
    values = "(i32.const -1) (i64.const -2) (f32.const 0.5) (f64.const -0.25)"
    body = f"""(func $many (export "many") (result {results}) {values})
      (func (export "f") (param i32 i64 f32 f64) (result f64)
        (f64.add (f64.convert_i32_s (local.get 0)) (f64.add (f64.convert_i64_s (local.get 1))
          (f64.add (f64.promote_f32 (local.get 2)) (local.get 3)))))"""
    tables = decode(kit.emit({"functions": [function("f", "", "f64")]}))
    kind = len(tables.types)
    tables.types.append(FunctionType((), (I32, I64, F32, F64)))
    tables.exports.append(Export("many", kind))
    (key, _), *others = tables.adapters
    many, own_function = 7, 6
    tables.adapters = [(key, (Instruction(0x01, many), Instruction(0x01, own_function))), *others]
    assert same({"m": kit.with_sections(kit.core(body), encode(tables))}, [("f", "[]")]) == ["-2.75"]


def test_memory_of_a_large_call_is_given_back() -> None:
    with service({"testkit": own("testkit")}, engine="native") as running:
        assert running.native is not None
        data = bytes(range(256)) * (4 << 12)
        assert running.call("echo_bytes", [data], as_bytes=True) == data
        assert running.native.words[layout.S_PEAK] == 0
        assert running.call("echo_bytes", [b"x"], as_bytes=True) == b"x"
        assert 0 < running.native.words[layout.S_PEAK] < 1000
        # a text counts as well
        for size in (NATIVE_KEPT_BYTES // 2, NATIVE_KEPT_BYTES // 4 + 1000):
            text = json.dumps([[200] * size], separators=(",", ":"))
            assert running.call_text("echo_bytes", text) == text[1:-1]
            assert running.native.words[layout.S_PEAK] == 0


def test_types_that_are_made_for_a_moment_are_told_apart() -> None:
    """Arrays are known by where they are; what comes after one that is gone may be there."""
    writer = programs._Writer(Tables())
    elements = [I64, ArrayOf(I64), STRING, ArrayOf(ArrayOf(I64)), F64, ArrayOf(STRING)]
    places = [writer.kind(ArrayOf(element)) for element in elements]
    assert len(set(places)) == len(places)
    children = [writer.types[place + layout.T_CHILD] for place in places]
    assert children == [writer.kind(element, is_element=True) for element in elements]
