"""Memory: what a call makes is gone after it, variables of the module stay, also after errors."""

from __future__ import annotations

import random

import pytest
import wasmtime

from tests.runtime.marine.sdk import kit

PURE = """
from runtime.marine.sdk import export

@export
def f(s: str, n: int) -> list[str]:
    return [s + str(i) for i in range(n)]

@export
def count(s: str) -> int:
    return len(s + s)

@export
def broken(s: str) -> str:
    return (s * 100)[100000]
"""


DRIVER = """
(module
  (import "m" "memory" (memory 1))
  (import "m" "allocate" (func $allocate (param i32 i32) (result i32)))
  (import "m" "release_objects" (func $release))
  (import "m" "count" (func $count (param i32 i32) (result i64)))
  (import "m" "f" (func $f (param i32 i32 i64)))
  (func $text (result i32)
    (local $p i32)
    (local.set $p (call $allocate (i32.const 100) (i32.const 1)))
    (memory.fill (local.get $p) (i32.const 120) (i32.const 100))
    (local.get $p))
  (func (export "run") (param $n i32) (result i64)
    (local $sum i64)
    (loop $more
      (local.set $sum (i64.add (local.get $sum) (call $count (call $text) (i32.const 100))))
      (call $f (call $text) (i32.const 100) (i64.const 4))
      (call $release)
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $more (local.get $n)))
    (local.get $sum)))
"""


def test_a_million_calls_take_no_memory() -> None:
    """Called from Wasm, as hosts do: arguments, call, release of a result that is an object."""
    store = wasmtime.Store()
    module = wasmtime.Module(store.engine, kit.wasm_of(PURE))
    log = wasmtime.Func(store, wasmtime.FuncType([wasmtime.ValType.i32()] * 4, []), lambda *_: None)
    instance = wasmtime.Instance(store, module, [log])
    linker = wasmtime.Linker(store.engine)
    linker.define_instance(store, "m", instance)
    driver = linker.instantiate(store, wasmtime.Module(store.engine, wasmtime.wat2wasm(DRIVER)))
    run, memory = driver.exports(store)["run"], instance.exports(store)["memory"]
    assert run(store, 10) == 2000
    before = memory.size(store)
    assert run(store, 500_000) == 100_000_000
    assert memory.size(store) == before


def test_calls_that_fail_take_no_memory() -> None:
    running = kit.Ours({"m": kit.wasm_of(PURE)})
    for _ in range(3):
        running.call("broken", "x" * 100)
    before = running.pages()
    for _ in range(2000):
        assert running.call("broken", "x" * 100).kind == "IndexError"
    assert running.call("f", "a", 2) == ["a0", "a1"]
    assert running.pages() == before


def test_state_survives_collections() -> None:
    """The same calls as plain Python, with enough garbage that the module collects many times."""
    wasm = kit.module("state")
    running = kit.Ours({"state": wasm})
    plain = kit.python("state")
    plain.begin()
    assert running.call("is_started") is True
    choice = random.Random(7)
    for step in range(6000):
        key = f"key {choice.randrange(50)}"
        if step % 1000 == 999:
            assert running.call("report") == plain.report()
            assert running.call("touch_favourite", step) is True
            plain.touch_favourite(step)
        elif step % 7 == 0:
            blob = choice.randbytes(choice.randrange(3000))
            assert running.call("keep", list(blob)) == plain.keep(blob)
            last = len(plain.blobs) - 1
            assert running.call("blob", last) == list(plain.blob(last))
        elif step % 13 == 0:
            assert running.call("garbage", 100) == plain.garbage(100)
        else:
            value = choice.randrange(1000)
            assert running.call("put", key, value) == plain.put(key, value)
        assert running.call("get", key) == plain.get(key)
    assert running.pages() < 64


def test_memory_is_that_of_the_state() -> None:
    """A state that does not grow: many times its size in garbage passes through without more memory."""
    running = kit.Ours({"state": kit.module("state")})
    for n in range(200):
        running.call("put", f"{n}", n)
    for _ in range(20):
        running.call("garbage", 1000)
    before = running.pages()
    for _ in range(1000):
        running.call("garbage", 100)
        running.call("get", "7")
    assert running.pages() == before


def test_errors_leave_the_state_as_it_was_at_them() -> None:
    running = kit.Ours({"state": kit.module("state")})
    for n in range(1000):
        made = running.call("fail", 5000)
        assert isinstance(made, kit.Failed)
        assert made.kind == "IndexError"
        assert running.call("get", "first")[-1] == 5000, n
    assert len(running.call("get", "first")) == 1003
    assert running.pages() < 8


def test_what_is_shared_stays_shared() -> None:
    """Many references to one large text are one text, before and after a collection."""
    wasm = kit.wasm_of("""
from runtime.marine.sdk import export

kept: list[str] = []

@export
def keep(s: str, n: int) -> int:
    for i in range(n):
        kept.append(s)
    return len(kept)

@export
def all_equal() -> bool:
    return all(len(s) == len(kept[0]) for s in kept)
""")
    running = kit.Ours({"m": wasm})
    assert running.call("keep", "x" * 200_000, 1000) == 1000
    for _ in range(5):
        assert running.call("all_equal") is True
    assert running.pages() < 32


@pytest.mark.reference
def test_state_in_marine_js(theirs: kit.Theirs, tmp_path) -> None:
    assert theirs.load({"state": kit.module("state")}, tmp_path) is None
    running = kit.Ours({"state": kit.module("state")})
    for step in range(600):
        for call in (("put", f"k{step % 9}", step), ("garbage", 20), ("get", "k3"), ("report",), ("fail", 2000)):
            got, want = running.call(*call), theirs.call(*call)
            assert running.logs == theirs.logs
            assert (isinstance(got, kit.Failed) and isinstance(want, kit.Failed)) or got == want
