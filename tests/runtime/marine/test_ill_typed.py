"""Adapters that do not fit their signatures: what the checked interpreter answers, in the words that marine-js was seen to use.

Found by `tests.fuzz.marine_hostile --reference`. The reference's words for the same modules are in the assertions.
"""

from __future__ import annotations

import pytest

from runtime.marine.errors import CallError, ErrorClass
from runtime.marine.interface_emit import build
from runtime.marine.interface_types import CODE_OF, Instruction, encode
from runtime.marine.itypes import BYTES, F32, STRING, U8, U16, ArrayOf
from tests.runtime.marine.kit import core, function, module, on_every_engine, service, with_sections

RECORDS = [
    {"name": "A", "fields": [["x", "u8"], ["s", "[]string"]]},
    {"name": "B", "fields": [["x", "u8"], ["s", "[]u16"]]},
    {"name": "C", "fields": [["x", "u8"]]},
]
BODY = '(func (export "f") (param i32 i32) (global.set $ptr (i32.const 64)) (global.set $size (i32.const 2)))'


def step(name, number=0, kind=None):
    return Instruction(CODE_OF[name], number, kind)


def adapted(steps, args="v: string", ret="string", engine=None):
    """A service of a function with these instructions as its adapter."""
    tables = build({"records": RECORDS, "functions": [function("f", args, ret)]})
    tables.adapters[0] = (tables.adapters[0][0], tuple(steps))
    return service({"m": with_sections(core(BODY), encode(tables))}, **(engine or {}))


ARG = step("arg.get")
ONE, TWO = step("i32.push", 1), step("i32.push", 2)


@on_every_engine
@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([step("swap2")], "`swap2` needed to read `1` value(s)"),
        ([ONE, step("array.lift_memory", 0, U8)], "`array.lift_memory u8` needed to read `1` value(s)"),
        ([ONE, step("string.lift_memory")], "`string.lift_memory` needed to read `2` value(s)"),
        ([step("dup")], "`dup` needed to read `1` value(s)"),
        (
            [ARG, ONE, step("string.lift_memory")],
            '`string.lift_memory` failed to cast the WIT value `WasmValueNativeCastError { from: String("x"), to: I32 }` to its native type',
        ),
        (
            [ONE, ONE, step("string.lower_memory")],
            "failed to cast the WIT value `WasmValueNativeCastError { from: I32(1), to: String }` to its native type",
        ),
        ([ARG, step("record.lift_memory", 6)], 'WasmValueNativeCastError { from: String("x"), to: I32 }'),
        ([ONE, step("record.lift_memory", 60)], "`record.lift_memory 60` type with `60` is missing in a Wasm binary"),
        ([ARG, step("record.lower_memory", 6)], "`record.lower_memory 6` read a value `Record(6)` from the stack, that can't be converted to"),
        ([ARG, step("array.lower_memory", 0, U8)], '`array.lower_memory u8` read a value `Array(U8)` from the stack, that can\'t be converted to `String("x")`'),
        ([step("i64.push", 2**62), step("u8.from_i32")], "`u8.from_i32` read a value `I32` from the stack, that can't be converted to `I64(4611686018427387904)`"),
        ([ARG, ARG], "resulted values [String(\"x\"), String(\"x\")] and function signature [String] aren't compatible"),
        ([ONE], "value I32(1) is incompatible to type String"),
    ],
)  # fmt: skip
def test_what_an_instruction_says(steps, told, engine):
    with pytest.raises(CallError) as caught:
        adapted(steps, engine=engine).call("f", ["x"])
    assert told in str(caught.value)
    assert caught.value.error_class in (ErrorClass.TYPE, ErrorClass.OUTPUT)


@on_every_engine
def test_the_innermost_value_that_does_not_fit_is_told(engine):
    running = adapted([ARG, step("record.lower_memory", 7)], "v: A", None, engine)
    with pytest.raises(
        CallError, match=r"read a value `U16` from the stack, that can't be converted to `String\(\"b\"\)`"
    ):
        running.call("f", [[1, ["b"]]])
    with pytest.raises(CallError, match=r"read a value `Record\(8\)` .* `Record\(\[U8\(1\), Array\(\[\]\)\]\)`"):
        adapted([ARG, step("record.lower_memory", 8)], "v: A", None, engine).call("f", [[1, []]])


@on_every_engine
def test_an_empty_array_is_one_of_any_type(engine):
    """As an argument of an instruction, within a record, and as a result: its elements do not tell."""
    record = adapted([ARG, step("record.lower_memory", 7), step("record.lift_memory", 7)], "v: A", "B", engine)
    assert record.call("f", [[1, []]]) == {"x": 1, "s": []}
    assert record.call_text("f", "[[1, []]]") == '{"x":1,"s":[]}'
    for source, target in (
        ("[]string", "[]u16"),
        ("[]u8", "[]string"),
        ("[]string", "[]u8"),
        ("[]A", "[]u8"),
        ("[][]u8", "[]u8"),
    ):
        running = adapted([ARG], f"v: {source}", target, engine)
        assert running.call("f", [[]]) == []
        assert running.call_text("f", "[[]]") == "[]"
        with pytest.raises(CallError, match="is incompatible to type"):
            running.call(
                "f",
                [[[1, []]] if source == "[]A" else [[1]] if source == "[][]u8" else [1] if source == "[]u8" else ["x"]],
            )


@on_every_engine
def test_a_record_with_another_number_of_fields(engine):
    with pytest.raises(
        CallError,
        match=r"output record \[U8\(1\), Array\(\[\]\)\] isn't compatible to output record fields \[RecordFieldType \{ name: \"x\".*\]",
    ):
        adapted([ARG], "v: A", "C", engine).call("f", [[1, []]])


@on_every_engine
@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("f32", 0.1, "F32(0.1)"), ("f32", -0.093717575, "F32(-0.093717575)"), ("f32", 16777216.0, "F32(16777216.0)"), ("f64", 0.1, "F64(0.1)"),
        ("[]u8", [1, 2], "Array([U8(1), U8(2)])"), ("[][]u8", [[1], []], "Array([Array([U8(1)]), Array([])])"),
        ("A", [1, ["x"]], 'Record([U8(1), Array([String("x")])])'), ("bool", True, "Boolean(true)"),
    ],
)  # fmt: skip
def test_how_values_are_shown(kind, value, shown, engine):
    with pytest.raises(CallError) as caught:
        adapted([ARG, step("i64.from_u8")], f"v: {kind}", "u8", engine).call("f", [value])
    assert f"`i64.from_u8` read a value `U8` from the stack, that can't be converted to `{shown}`" in str(caught.value)


@on_every_engine
def test_bytes_that_were_lifted_are_shown_as_such(engine):
    running = adapted([TWO, ONE, step("byte_array.lift_memory"), step("i64.from_u8")], "v: string", "u8", engine)
    with pytest.raises(CallError, match=r"can't be converted to `ByteArray\(\[0\]\)`"):
        running.call("f", ["x"])
    assert (BYTES.debug, F32.debug, repr(ArrayOf(U16)), STRING.debug) == ("ByteArray", "F32", "Array(U16)", "String")


# ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────────


@on_every_engine
@pytest.mark.parametrize("value", [[0], [0, 0], ["a", 0], [[0]], [True], [None]])
def test_numbers_are_no_texts(value, engine):
    """A list of zeros once passed for a list of texts, and ended in an error of Python."""
    running = service(
        {"m": module('(func (export "f") (param i32 i32))', {"functions": [function("f", "v: []string")]})}, **engine
    )
    with pytest.raises(CallError, match="invalid type") as caught:
        running.call("f", [value])
    assert caught.value.error_class is ErrorClass.ARGUMENTS


@on_every_engine
def test_a_message_that_is_not_there_fails_the_call(engine):
    imports = '(import "__marine_host_api_v3" "log_utf8_string" (func $log (param i32 i32 i32 i32)))'
    body = '(func (export "f") (param i32 i32) (call $log (i32.const 1) (i32.const 0) (local.get 0) (local.get 1)))'
    seen = []
    made = module(body, {"functions": [function("f", "at: i32, size: i32")]}, imports=imports)
    with service({"m": made}, log=seen.append, **engine) as running:
        for at, size in ((65535, 2), (-1, 1), (0, 65537), (65536, 1)):
            with pytest.raises(CallError, match="Out-of-bound Wasm memory access"):
                running.call("f", [at, size])
        running.call("f", [-1, 0])
        running.call("f", [65534, 2])
    assert [record.message for record in seen] == ["", "\0\0"]
