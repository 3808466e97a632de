"""Core signatures read off sections: numbers as letters, everything else as nothing, and no module ends the process."""

from __future__ import annotations

import pytest
import wasmtime

from runtime.marine.core_types import FUNCTION, GLOBAL, MEMORY, TABLE, TAG, CoreExport, CoreImport, core_shape
from runtime.marine.errors import LoadError
from runtime.marine.wasm_sections import SectionsBrokenError
from tests.runtime.marine.kit import function, module, service

TYPES = "(type $f (func)) (type $s (struct (field i8) (field (mut i64)))) (type $a (array (mut f32)))"
GROUP = "(rec (type $x (sub (struct (field (ref null $y))))) (type $y (sub final $x (struct (field (ref null $y)) (field i16)))))"


def shape(text: str):
    return core_shape(bytes(wasmtime.wat2wasm(f"(module {text})")))


def test_functions():
    found = shape(
        f'{TYPES} {GROUP} (import "a" "b" (func (param i32 i64 f32 f64) (result i64))) (import "a" "c" (func (result f32 f64)))'
        '(func (export "f") (param f64)) (func (export "g") (param i32 v128)) (func (export "h") (result (ref null $y)) unreachable)'
        '(export "b" (func 0))'
    )
    assert found.imports == (
        CoreImport("a", "b", FUNCTION, ("ilfd", "l")), CoreImport("a", "c", FUNCTION, ("", "fd"))
    )  # fmt: skip
    assert found.exports == {
        "f": CoreExport(FUNCTION, ("d", "")), "g": CoreExport(FUNCTION, None), "h": CoreExport(FUNCTION, None),
        "b": CoreExport(FUNCTION, ("ilfd", "l")),
    }  # fmt: skip


def test_other_imports_and_exports():
    found = shape(
        f"""{TYPES} (import "m" "g" (global (mut v128))) (import "m" "r" (global (ref null $s))) (import "m" "t" (table 1 2 (ref null $f)))
        (import "m" "m" (memory 1 2)) (import "m" "n" (memory i64 1)) (import "m" "s" (memory 1 2 shared))
        (import "m" "e" (tag (param i32))) (import "m" "f" (func (param i32)))
        (export "x" (global 0)) (export "y" (table 0)) (export "z" (memory 1)) (export "w" (tag 0)) (export "v" (func 0))"""
    )
    assert [item.kind for item in found.imports] == [GLOBAL, GLOBAL, TABLE, MEMORY, MEMORY, MEMORY, TAG, FUNCTION]
    assert {name: export.kind for name, export in found.exports.items()} == {
        "x": GLOBAL, "y": TABLE, "z": MEMORY, "w": TAG, "v": FUNCTION
    }  # fmt: skip
    assert found.exports["v"].letters == ("i", "")


def test_damaged_sections_are_one_error():
    whole = bytes(wasmtime.wat2wasm('(module (import "a" "b" (func (param i32))) (func (export "f")))'))
    for at in range(8, len(whole)):
        for value in (0, 1, 0x7F, 0xFF):
            try:
                core_shape(whole[:at] + bytes([value]) + whole[at + 1 :])
            except SectionsBrokenError:
                continue


@pytest.mark.parametrize(
    "kind", ["v128", "externref", "funcref", "(ref null $f)", "(ref $f)", "anyref", "i31ref", "exnref", "structref"]
)
def test_values_that_are_no_numbers_do_not_end_the_process(kind):
    """wasmtime-py aborts when it is asked what such a type is. A module with those that the engine has loads; the others are refused."""
    body = f'(type $f (func)) (func (export "odd") (param {kind})) (func (export "f") (result i32) (i32.const 7))'
    made = module(body, {"functions": [function("f", "", "u32")]})
    if kind not in ("v128", "externref", "funcref"):
        with pytest.raises(LoadError, match="Wasm backend error"):
            service({"m": made})
        return
    with service({"m": made}) as running:
        assert running.call("f", []) == 7


def test_exports_that_are_no_functions_do_not_end_the_process():
    body = """(global (export "v") v128 (v128.const i32x4 0 0 0 0))
      (table (export "t") 1 externref) (func (export "f") (result i32) (i32.const 7))"""
    with service({"m": module(body, {"functions": [function("f", "", "u32")]})}) as running:
        assert running.call("f", []) == 7
