"""Modules for fuzzing: their core code, which is compiled once, apart from their sections, which are not.

`liar` is told by its caller what to return: result pointers and sizes, what `allocate` answers, when to trap, to loop, to grow its memory
or to write over it. `liar2` has the same functions and passes every call on to `liar`, lying as well. `good` is always well-behaved.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import wasmtime

from runtime.marine.interface_emit import emit
from runtime.marine.wasm_sections import (
    INTERFACE_TYPES,
    MAGIC,
    SDK_VERSION,
    custom_sections,
    sections,
    uleb,
    write_uleb,
)
from tests.runtime.marine.kit import function, own

SCALARS: Final = ("s8", "s16", "s32", "s64", "u8", "u16", "u32", "u64", "f32", "f64", "bool", "i32", "i64")
OBJECTS: Final = {
    "string": "string", "bytes": "[]u8", "texts": "[]string", "numbers": "[]s16", "longs": "[]u64", "flags": "[]bool", "floats": "[]f32",
    "blocks": "[][]u8", "nested": "[][]string", "deep": "[][][]u16", "inner": "Inner", "inners": "[]Inner", "flat": "Flat", "flats": "[]Flat",
    "outer": "Outer", "outers": "[][]Outer",
}  # fmt: skip
"""Suffix of a function → its type."""

RECORDS: Final = [
    {"name": "Inner", "fields": [["s", "string"], ["n", "u8"]]},
    {"name": "Flat", "fields": [["a", "s8"], ["b", "u16"], ["c", "u32"], ["d", "s64"], ["e", "f32"], ["f", "f64"], ["g", "bool"]]},
    {"name": "Outer", "fields": [["list", "[]Inner"], ["bytes", "[]u8"], ["more", "[][]string"], ["one", "Inner"], ["flat", "Flat"]]},
]  # fmt: skip

FORCED, ADDRESS, GROW, TRAPS, WRITE, WRITE_AT, WRITE_VALUE, WIPE, WIPE_AT, WIPE_VALUE, LOOPS = range(16, 60, 4)
POINTER, SIZE, SCALAR, FLOAT = 60, 64, 72, 80
ALLOCATE, RELEASE, GET_SIZE, GET_POINTER, SET_SIZE, SET_POINTER, BODY = (1 << bit for bit in range(7))
"""Bits of TRAPS and LOOPS: which function does it."""
HEAP: Final = 4096
PAGES_MAX: Final = 4

_CONTROLS: Final = [
    function("poke", "at: i32, a: i64, b: i64, c: i64, d: i64"),
    function("reset"),
    function("echo", "s: string", "string"),
]

_ABI: Final = f"""
  (memory (export "memory") 1 {PAGES_MAX}) (global $heap (mut i32) (i32.const {HEAP}))
  (func $misbehave (param $who i32)
    (if (i32.and (i32.load (i32.const {TRAPS})) (local.get $who)) (then unreachable))
    (if (i32.and (i32.load (i32.const {LOOPS})) (local.get $who)) (then (loop (br 0)))))
  (func $allocate (export "allocate") (param $size i32) (param $tag i32) (result i32) (local $p i32)
    (call $misbehave (i32.const {ALLOCATE}))
    (drop (memory.grow (i32.load (i32.const {GROW}))))
    (if (i32.load (i32.const {WRITE}))
      (then (i32.store (i32.load (i32.const {WRITE_AT})) (i32.load (i32.const {WRITE_VALUE})))))
    (if (i32.load (i32.const {FORCED})) (then (return (i32.load (i32.const {ADDRESS})))))
    (if (i32.eqz (local.get $size)) (then (return (i32.const 0))))
    (local.set $p (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get $size)))
    (local.get $p))
  (func (export "release_objects")
    (call $misbehave (i32.const {RELEASE}))
    (if (i32.load (i32.const {WIPE})) (then (i32.store (i32.load (i32.const {WIPE_AT})) (i32.load (i32.const {WIPE_VALUE})))))
    (global.set $heap (i32.const {HEAP})))
  (func (export "get_result_ptr") (result i32) (call $misbehave (i32.const {GET_POINTER})) (i32.load (i32.const {POINTER})))
  (func (export "get_result_size") (result i32) (call $misbehave (i32.const {GET_SIZE})) (i32.load (i32.const {SIZE})))
  (func (export "set_result_ptr") (param i32)
    (call $misbehave (i32.const {SET_POINTER})) (i32.store (i32.const {POINTER}) (local.get 0)))
  (func (export "set_result_size") (param i32)
    (call $misbehave (i32.const {SET_SIZE})) (i32.store (i32.const {SIZE}) (local.get 0)))
  (func (export "poke") (param i32 i64 i64 i64 i64)
    (i64.store (local.get 0) (local.get 1)) (i64.store offset=8 (local.get 0) (local.get 2))
    (i64.store offset=16 (local.get 0) (local.get 3)) (i64.store offset=24 (local.get 0) (local.get 4)))
  (func (export "reset") (memory.fill (i32.const 0) (i32.const 0) (i32.const {HEAP})) (global.set $heap (i32.const {HEAP})))
  (func (export "echo") (param i32 i32)
    (i32.store (i32.const {POINTER}) (local.get 0)) (i32.store (i32.const {SIZE}) (local.get 1)))
  (func (export "parameters") (call $parameters))
  (func (export "log") (param i32 i32) (call $log (local.get 0) (local.get 1) (i32.load (i32.const {POINTER})) (i32.load (i32.const {SIZE}))))
"""
_HOST: Final = """(import "__marine_host_api_v3" "get_call_parameters" (func $parameters))
  (import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))"""
_CORE_TYPES: Final = {"s64": "i64", "u64": "i64", "i64": "i64", "f32": "f32", "f64": "f64"}


def _functions() -> list[dict[str, Any]]:
    out = []
    for name, kind in [*((kind, kind) for kind in SCALARS), *OBJECTS.items()]:
        out += [
            function(f"get_{name}", "", kind),
            function(f"take_{name}", f"v: {kind}"),
            function(f"same_{name}", f"v: {kind}", kind),
        ]
    out += [
        function("mix", "a: string, b: s16, c: Outer, d: [][]u8, e: f64", "Outer"),
        function("log", "level: i32, target: i32"),
    ]
    return out


def _signature(entry: dict[str, Any]) -> tuple[list[str], str | None]:
    """Core types of the arguments, and of the result if it is a number."""
    arguments = []
    for _, kind in entry["args"]:
        arguments += ["i32", "i32"] if kind == "string" or kind.startswith("[") else [_CORE_TYPES.get(kind, "i32")]
    result = entry["ret"]
    return arguments, _CORE_TYPES.get(result, "i32") if result in SCALARS else None


def _body(entry: dict[str, Any], *, passes_on: bool) -> tuple[str, str]:
    """The import that a function needs, and the function."""
    name = entry["name"]
    arguments, result = _signature(entry)
    head = f"{'(param ' + ' '.join(arguments) + ')' if arguments else ''} {f'(result {result})' if result else ''}"
    here = f"(call $misbehave (i32.const {BODY}))"
    if passes_on:
        call = f"(call $their_{name} {' '.join(f'(local.get {n})' for n in range(len(arguments)))})"
        return f'(import "liar" "{name}" (func $their_{name} {head}))', f'(func (export "{name}") {head} {here} {call})'
    if result is not None:
        answer = {
            "i32": f"(i32.load (i32.const {SCALAR}))", "i64": f"(i64.load (i32.const {SCALAR}))",
            "f32": f"(f32.load (i32.const {FLOAT}))", "f64": f"(f64.load (i32.const {FLOAT}))",
        }[result] if name.startswith("get_") else "(local.get 0)"  # fmt: skip
        return "", f'(func (export "{name}") {head} {here} {answer})'
    keep = ""
    if name.startswith("same_") and arguments:
        keep = f"(i32.store (i32.const {POINTER}) (local.get 0))"
        if len(arguments) == 2:
            keep += f"(i32.store (i32.const {SIZE}) (local.get 1))"
    return "", f'(func (export "{name}") {head} {here} {keep})'


def _liar(*, passes_on: bool) -> tuple[bytes, dict[str, Any]]:
    entries = [entry for entry in _functions() if entry["name"] != "log"]
    parts = [_body(entry, passes_on=passes_on) for entry in entries]
    imports = "\n".join(part for part, _ in parts if part)
    bodies = "\n".join(part for _, part in parts)
    core = bytes(wasmtime.wat2wasm(f"(module {imports} {_HOST} {_ABI} {bodies})"))
    log = function("log", "level: i32, target: i32")
    interface: dict[str, Any] = {"records": RECORDS, "functions": [*_CONTROLS, function("parameters"), log, *entries]}
    if passes_on:
        interface["imports"] = [{"namespace": "liar", "functions": entries}]
    return core, interface


def _good() -> tuple[bytes, dict[str, Any]]:
    body = """(module (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 8)) (global $ptr (mut i32) (i32.const 0)) (global $size (mut i32) (i32.const 0))
      (func (export "allocate") (param i32 i32) (result i32)
        (global.get $heap) (global.set $heap (i32.add (global.get $heap) (local.get 0))))
      (func (export "release_objects") (global.set $heap (i32.const 8)))
      (func (export "get_result_ptr") (result i32) (global.get $ptr)) (func (export "get_result_size") (result i32) (global.get $size))
      (func (export "set_result_ptr") (param i32)) (func (export "set_result_size") (param i32))
      (func (export "echo") (param i32 i32) (global.set $ptr (local.get 0)) (global.set $size (local.get 1))))"""
    return bytes(wasmtime.wat2wasm(body)), {"functions": [function("echo", "s: string", "string")]}


@dataclass(frozen=True)
class Base:
    """A module in parts. bare: the file without the two sections, which is what gets compiled."""

    name: str
    bare: bytes
    section: bytes

    def module(self, section: bytes, sdk: bytes = b"0.14.0") -> bytes:
        """The module with another section."""
        return self.bare + custom(INTERFACE_TYPES, section) + custom(SDK_VERSION, sdk)


def custom(name: str, content: bytes) -> bytes:
    """A custom section."""
    body = write_uleb(len(name.encode())) + name.encode() + content
    return b"\0" + write_uleb(len(body)) + body


def bare(wasm: bytes) -> bytes:
    """A module without custom sections."""
    out = bytearray(MAGIC)
    for code, content in sections(wasm):
        if code:
            out += bytes([code]) + write_uleb(len(content)) + content
    return bytes(out)


def bare_part(wasm: bytes) -> bytes:
    """What `Base.bare` was, of a module made by `Base.module`: custom sections come last."""
    at = len(MAGIC)
    while at < len(wasm) and wasm[at]:
        size, start = uleb(wasm, at + 1)
        at = start + size
    return wasm[:at]


@lru_cache(maxsize=1)
def bases() -> dict[str, Base]:
    """All modules by name; what each needs to be loaded before it is in `SERVICES`."""
    found = {}
    for name, (core, interface) in (
        ("good", _good()),
        ("liar", _liar(passes_on=False)),
        ("liar2", _liar(passes_on=True)),
    ):
        found[name] = Base(name, bare(core), emit(interface))
    for name, file in (
        ("testkit", "testkit"),
        ("facade", "facade"),
        ("edges", "edges"),
        ("edges2", "edges2"),
        ("demo", "demo.wat"),
    ):
        wasm = own(file)
        found[name] = Base(name, bare(wasm), custom_sections(wasm, INTERFACE_TYPES)[0])
    return found


SERVICES: Final = (
    ("liar",), ("liar", "liar2"), ("testkit",), ("testkit", "facade"), ("edges",), ("edges", "edges2"), ("demo",),
)  # fmt: skip
"""Services in load order; `good` comes before them."""
