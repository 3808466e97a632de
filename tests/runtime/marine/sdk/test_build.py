"""The module file: small, the same every time, valid, loadable; what LLVM and the linker do; limits of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.marine.limits import SDK_STACK_BYTES
from runtime.marine.sdk.build import _object
from runtime.marine.sdk.emit import TRIPLE
from runtime.marine.sdk.helpers import HELPERS
from runtime.marine.sdk.linker import LinkError, link
from runtime.marine.wasm_sections import SectionsBrokenError, custom_sections, sections
from tests.runtime.marine.sdk import kit

HELLO = """
from runtime.marine.sdk import export

@export
def greet(name: str) -> str:
    return f"Hello, {name}!"
"""


def imports(wasm: bytes) -> set[tuple[str, str]]:
    return {(item.module, item.name) for item in wasmtime.Module(wasmtime.Engine(), wasm).imports}


def test_hello_is_small() -> None:
    wasm = kit.wasm_of(HELLO)
    assert len(wasm) < 2048
    assert imports(wasm) == {("__marine_host_api_v3", "log_utf8_string")}
    assert kit.Ours({"m": wasm}).call("greet", "wörld") == "Hello, wörld!"
    assert imports(kit.wasm_of(HELLO, logging=False)) == set()


@pytest.mark.parametrize("name", ["texts", "numbers", "structures", "state"])
def test_modules_are_valid(name: str) -> None:
    wasm = kit.module(name)
    wasmtime.Module.validate(wasmtime.Engine(), wasm)
    assert {module for module, _ in imports(wasm)} <= {"__marine_host_api_v3", "wasi_snapshot_preview1"}
    assert custom_sections(wasm, "__fluence_sdk_version") == [b"0.14.0"]
    assert {code for code, _ in sections(wasm)} <= {0, 1, 2, 3, 5, 6, 7, 10, 11}


def test_the_same_source_gives_the_same_bytes() -> None:
    code = "import sys; from tests.runtime.marine.sdk import kit; sys.stdout.buffer.write(kit.module('structures'))"
    made = [
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1] == kit.module("structures")


def test_names_of_functions_for_traces() -> None:
    assert b"py.greet" not in kit.wasm_of(HELLO)
    wasm = kit.wasm_of(HELLO, names=True)
    assert b"py.greet" in wasm or b"export greet" in wasm
    assert kit.Ours({"m": wasm}).call("greet", "a") == "Hello, a!"


# ── the linker ───────────────────────────────────────────────────────────────────────────────────────────────────────

WIDE = """
define void @mul(ptr %out, i64 %al, i64 %ah, i64 %bl, i64 %bh, i32 %n) {
  %a = call i128 @wide(i64 %al, i64 %ah)
  %b = call i128 @wide(i64 %bl, i64 %bh)
  %s = zext i32 %n to i128
  %r0 = mul i128 %a, %b
  store i128 %r0, ptr %out, align 1
  %p1 = getelementptr i8, ptr %out, i32 16
  %r1 = shl i128 %a, %s
  store i128 %r1, ptr %p1, align 1
  %p2 = getelementptr i8, ptr %out, i32 32
  %r2 = lshr i128 %a, %s
  store i128 %r2, ptr %p2, align 1
  %p3 = getelementptr i8, ptr %out, i32 48
  %r3 = ashr i128 %a, %s
  store i128 %r3, ptr %p3, align 1
  ret void
}
define internal i128 @wide(i64 %low, i64 %high) {
  %l = zext i64 %low to i128
  %h = zext i64 %high to i128
  %m = shl i128 %h, 64
  %r = or i128 %l, %m
  ret i128 %r
}
"""


def wide_module() -> wasmtime.Instance:
    store = wasmtime.Store()
    wasm = link(_object(f'target triple = "{TRIPLE}"\n' + WIDE + HELPERS), {"mul": "mul"})
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), [])
    return store, instance.exports(store)["mul"], instance.exports(store)["memory"]


def test_numbers_of_128_bits() -> None:
    """What LLVM may call for them is right, and is dropped where it is not called."""
    store, mul, memory = wide_module()
    part = st.integers(-(2**63), 2**63 - 1)

    @settings(max_examples=300, deadline=None)
    @given(part, part, part, part, st.integers(0, 127))
    def run(al: int, ah: int, bl: int, bh: int, n: int) -> None:
        at = SDK_STACK_BYTES + 1024
        mul(store, at, al, ah, bl, bh, n)
        data = bytes(memory.read(store, at, at + 64))
        got = [int.from_bytes(data[i : i + 16], "little") for i in range(0, 64, 16)]
        mask = 2**128 - 1
        a = (ah << 64 | al % 2**64) & mask
        b = (bh << 64 | bl % 2**64) & mask
        signed = a - 2**128 if a >> 127 else a
        assert got == [a * b & mask, a << n & mask, a >> n, (signed >> n) & mask]

    run()


def test_what_is_nowhere_is_an_error() -> None:
    text = f'target triple = "{TRIPLE}"\ndeclare i32 @missing()\ndefine i32 @f() {{\n %r = call i32 @missing()\n ret i32 %r\n}}\n'
    with pytest.raises(LinkError, match="unresolved symbols: missing"):
        link(_object(text), {"f": "f"})
    with pytest.raises(LinkError, match="no function g to export"):
        link(_object(text), {"g": "g"})
    data = f'target triple = "{TRIPLE}"\n@there = external global i32\ndefine i32 @f() {{\n %r = load i32, ptr @there\n ret i32 %r\n}}\n'
    with pytest.raises(LinkError, match="unresolved symbol there"):
        link(_object(data), {"f": "f"})


def test_addresses_of_functions_and_of_data() -> None:
    """The SDK makes no such thing today; the linker places them all the same."""
    text = f"""target triple = "{TRIPLE}"
@table = constant [2 x ptr] [ptr @one, ptr @two]
@text = constant [6 x i8] c"abcdef"
@place = constant ptr getelementptr (i8, ptr @text, i32 3)
@zero = global [100 x i32] zeroinitializer
define i32 @one(i32 %x) {{ %r = add i32 %x, 1 ret i32 %r }}
define i32 @two(i32 %x) {{ %r = mul i32 %x, 2 ret i32 %r }}
define i32 @f(i32 %n, i32 %x) {{
  %p = getelementptr ptr, ptr @table, i32 %n
  %g = load volatile ptr, ptr %p
  %r = call i32 %g(i32 %x)
  ret i32 %r
}}
define i32 @char() {{
  %p = load volatile ptr, ptr @place
  %c = load i8, ptr %p
  %r = zext i8 %c to i32
  ret i32 %r
}}
define i32 @local(i32 %n) {{
  %a = alloca [16 x i32]
  %p = getelementptr i32, ptr %a, i32 %n
  store volatile i32 7, ptr %p
  %z = getelementptr i32, ptr @zero, i32 %n
  %v = load i32, ptr %z
  %w = load volatile i32, ptr %p
  %r = add i32 %v, %w
  ret i32 %r
}}
"""
    store = wasmtime.Store()
    wasm = link(_object(text), {name: name for name in ("f", "char", "local")}, names=True)
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, wasm), []).exports(store)
    assert [exports["f"](store, n, 20) for n in (0, 1)] == [21, 40]
    assert chr(exports["char"](store)) == "d"
    assert exports["local"](store, 3) == 7


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_cut_object_is_an_error(start: int, count: int) -> None:
    data = _object(f'target triple = "{TRIPLE}"\ndefine i32 @f() {{\n ret i32 1\n}}\n')
    cut = data[: start % len(data)]
    with suppress(LinkError, SectionsBrokenError):
        link(cut, {"f": "f"})


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────

HUNGRY = """
from runtime.marine.sdk import export, u64

@export
def deep(n: int) -> int:
    return 0 if n == 0 else 1 + deep(n - 1)

@export
def large(n: int) -> int:
    return len([0] * n)

@export
def long(s: str, n: int) -> int:
    return len(s * n)

@export
def zeros(n: int) -> int:
    return len(bytes(n))

@export
def doubled(n: int) -> int:
    out = "x"
    for i in range(n):
        out += out
    return len(out)
"""


def test_too_deep_a_recursion_ends_the_call() -> None:
    running = kit.Ours({"m": kit.wasm_of(HUNGRY)})
    for _ in range(50):
        assert isinstance(running.call("deep", 10**9), kit.Failed)
        assert running.call("deep", 1000) == 1000
        assert running.call("long", "ab", 3) == 6


def test_memory_that_is_not_there_ends_the_call() -> None:
    running = kit.Ours({"m": kit.wasm_of(HUNGRY)}, memory_limit=16 << 20)
    for n in (2**20 * 2, 2**32 // 8, 2**32, 2**60, 2**61, 2**62, 2**63 - 1):
        assert running.call("large", n).kind == "MemoryError", n
        assert running.call("long", "abc", n * 4 if n < 2**60 else n).kind == "MemoryError", n
        assert running.call("zeros", n * 16 if n < 2**59 else n).kind == "MemoryError", n
    assert running.call("doubled", 40).kind == "MemoryError"
    assert running.call("large", 100_000) == 100_000
    assert running.call("doubled", 20) == 2**20


def test_a_long_chain_of_branches() -> None:
    lines = ["    if n == 0:", "        return 0"]
    for i in range(1, 600):
        lines += [f"    elif n == {i}:", f"        return {i * i}"]
    text = "from runtime.marine.sdk import export\n@export\ndef f(n: int) -> int:\n" + "\n".join(
        [*lines, "    return -1"]
    )
    running = kit.Ours({"m": kit.wasm_of(text)})
    assert [running.call("f", n) for n in (0, 599, 600)] == [0, 599 * 599, -1]


def test_a_table_of_numbers_is_static() -> None:
    numbers = [n * 7919 % 65521 for n in range(2000)]
    text = f"from runtime.marine.sdk import export, u16\nTABLE: list[u16] = {numbers}\n@export\ndef f(n: int) -> int:\n    return TABLE[n]\n"
    wasm = kit.wasm_of(text)
    assert len(wasm) < 4000 + 2000 + 2500
    assert kit.Ours({"m": wasm}).call("f", 1999) == numbers[1999]


ORDER = """
from dataclasses import dataclass
from runtime.marine.sdk import export

LIMIT = 5
trail: list[str] = []

def note(name: str, value: int = LIMIT) -> int:
    trail.append(name)
    return value

def three(a: int, b: int, c: int = LIMIT) -> int:
    return a * 100 + b * 10 + c

@dataclass
class Box:
    a: int
    b: int = LIMIT

@export
def order() -> list[str]:
    trail.clear()
    LIMITS = 9
    x = three(c=note("c", 1), a=note("a", 2), b=note("b", 3))
    y = Box(b=note("second"), a=note("first", 1))
    xs = [0, 0]
    xs[note("index", 1)] = note("value", 4)
    z = note("l", 1) + note("r", 2) * note("rr", 3)
    w = note("t", 0) < note("u", 1) < note("v", 0) < note("never", 3)
    q = three(1, 2)
    return [*trail, str(x), str(y.a + y.b), str(xs[1]), str(z), str(w), str(q), str(LIMITS)]
"""


def test_order_of_evaluation() -> None:
    made = kit.Ours({"m": kit.wasm_of(ORDER)}).call("order")
    scope: dict = {"__name__": "order_module"}
    sys.modules["order_module"] = type(sys)("order_module")
    exec(compile(ORDER, "order.py", "exec"), scope)
    assert made == scope["order"]()
