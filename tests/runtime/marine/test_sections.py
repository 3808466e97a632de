"""Sections of module files: versions, manifests, interface tables and their text."""

from __future__ import annotations

import re
from contextlib import nullcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.marine.errors import CallError, LoadError
from runtime.marine.interface import aqua_text, interface_json, interpret
from runtime.marine.interface_emit import build, described, emit
from runtime.marine.interface_types import FunctionType, Implementation, InterfaceError, decode, encode
from runtime.marine.itypes import U8
from runtime.marine.semver import Version, VersionError, parse_version
from runtime.marine.wasm_sections import (
    MAGIC,
    MANIFEST,
    Manifest,
    SectionError,
    SectionsBrokenError,
    custom_sections,
    encode_manifest,
    manifest,
    sections,
    with_custom_section,
)  # fmt: skip
from tests.runtime.marine.kit import core, function, module, service, with_sections

MADE = Manifest("me", "1.2.3-beta.1", "what ünïcode", "https://example.org", "2024-01-02T03:04:05.678Z")
EXAMPLE = {
    "records": [{"name": "P", "fields": [["x", "s32"], ["n", "string"]]}],
    "functions": [function("f", "a: string, p: P", "[]u8")],
    "imports": [{"namespace": "m2", "functions": [function("g", "s: string, k: u64", "string")]}],
}


def test_the_annotated_example():
    data = emit(EXAMPLE)
    assert len(data) == 315
    assert described(decode(data)) == EXAMPLE


KINDS = st.recursive(
    st.sampled_from(["s8", "u64", "f32", "string", "bool", "[]u8", "P"]),
    lambda inner: inner.map(lambda k: f"[]{k}"),
    max_leaves=3,
)
NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
FUNCTIONS = st.lists(
    st.builds(lambda name, args, ret: {"name": name, "args": args, "ret": ret}, NAMES, st.lists(st.tuples(NAMES, KINDS).map(list), max_size=5), st.none() | KINDS),
    max_size=4, unique_by=lambda f: f["name"],
)  # fmt: skip


@given(FUNCTIONS, FUNCTIONS)
def test_what_is_written_is_read(functions, imported):
    interface = {
        "records": EXAMPLE["records"],
        "functions": functions,
        "imports": [{"namespace": "m", "functions": imported}] if imported else [],
    }
    data = emit(interface)
    assert described(decode(data)) == interface
    assert encode(decode(data)) == data


PREFIX = b"\x05\x060.27.0"


def is_broken(data):
    try:
        decode(PREFIX + data)
    except InterfaceError:
        return True
    return False


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with (
        pytest.raises(InterfaceError, match=r"^IT section is corrupted: Parsing Error: \(\[")
        if is_broken(data)
        else nullcontext()
    ):
        decode(PREFIX + data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ("", "NoneOf"), ("0505302e322e3305053 02e322e33".replace(" ", ""), "Many0"), ("0501 78", "IsNot"), ("06", "Alt"), ("00", "Eof"), ("0002", "Eof"),
        ("0502c328", "Char"), ("03" + "ff" * 9 + "01", "TooLarge"), ("000100010161 0d02".replace(" ", ""), "Eof"), ("0001010152 00".replace(" ", ""), "Alt"),
        ("00010001 0161" + "36" * 300 + "0400", "Alt"),
    ],
)  # fmt: skip
def test_kinds_of_parse_errors(data, kind):
    with pytest.raises(InterfaceError, match=rf", {kind}\)\.\nProbably"):
        decode(bytes.fromhex(data.replace(" ", "")))


@pytest.mark.parametrize(
    "broken",
    [
        {"functions": [function("f" * 256)]},
        {"functions": [function("f", "a: what")]},
        {"records": [{"name": "R", "fields": []}]},
        {"records": [{"name": "R", "fields": [["x", "u8"]]}] * 2},
        {"functions": [{"name": "f", "args": [["a", "string"]] * 30, "ret": None}]},
        {"functions": [function("f", "a: " + "[]" * 200 + "u8")]},
    ],
)
def test_what_cannot_be_written(broken):
    with pytest.raises(InterfaceError):
        emit(broken)


def test_interface_text():
    interface = interpret(decode(emit(EXAMPLE)))
    assert aqua_text(interface, "my-service") == (
        'aqua MyService declares *\n\ndata P:\n  x: i32\n  n: string\n\nservice MyService("my-service"):\n  f(a: string, p: P) -> []u8\n'
    )
    document = interface_json(interface)
    assert document["function_signatures"] == [
        {"name": "f", "arguments": [["a", "string"], ["p", "P"]], "output_types": ["[]u8"]}
    ]
    assert document["record_types"] == [{"name": "P", "id": 6, "fields": [["x", "i32"], ["n", "string"]]}]
    assert interface_json(interface, module_level=True)["record_types"][0]["fields"][0] == {"name": "x", "ty": "i32"}


def test_records_of_the_interface_stand_in_order():
    records = [
        {"name": name, "fields": [["x", kind]]}
        for name, kind in (("Z", "u8"), ("A", "[]B"), ("B", "Z"), ("Unused", "u8"))
    ]
    tables = decode(emit({"records": records, "functions": [function("f", "a: A, z: Z")]}))
    assert [record.label for record in interpret(tables).records()] == ["Z", "B", "A"]


def test_manifest():
    wasm = with_custom_section(MAGIC, MANIFEST, encode_manifest(MADE))
    assert manifest(wasm) == MADE
    assert manifest(MAGIC) is None
    assert len(custom_sections(with_custom_section(wasm, MANIFEST, b"x"), MANIFEST)) == 1


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\1", "authors can't be read: embedded manifest doesn't contain enough bytes to read field size"),
        (b"\5" + bytes(7) + b"ab", "authors can't be read: .* field of size 5"),
        (b"\1" + bytes(7) + b"\xff", "authors is an invalid Utf8 string"),
        (b"\xff" * 8, "authors has too big size"),
        (encode_manifest(MADE) + b"x", "some trailing characters"),
        (encode_manifest(Manifest("", "1", "", "", MADE.build_time)), "version can't be parsed"),
        (encode_manifest(Manifest("", "1.0.0", "", "", "now")), "build time can't be parsed: input contains invalid"),
        *(
            (encode_manifest(Manifest("", "1.0.0", "", "", text)), "build time can't be parsed: input is out of range")
            for text in (
                "2024-13-01T00:00:00Z",
                "2023-02-29T00:00:00Z",
                "2024-01-01T24:00:00Z",
                "2024-01-01T00:00:61Z",
                "2024-01-01T00:00:00+24:00",
            )
        ),
    ],
)
def test_broken_manifests(data, complaint):
    with pytest.raises(SectionError, match=complaint):
        manifest(with_custom_section(MAGIC, MANIFEST, data))


@pytest.mark.parametrize("text", ["2024-02-29 23:59:60.5z", "0000-02-29t00:00:00-23:59", "2024-01-01T00:00:00+01:00"])
def test_times_of_a_manifest(text):
    made = Manifest("", "1.0.0", "", "", text)
    assert manifest(with_custom_section(MAGIC, MANIFEST, encode_manifest(made))) == made


def test_broken_modules():
    for data in (b"", b"\0asm", MAGIC + b"\0\x05ab", MAGIC + b"\0", MAGIC + b"\0\xff\xff\xff\xff\xff\xff"):
        with pytest.raises(SectionsBrokenError):
            sections(data)


VERSIONS = [
    "0.6.0-alpha",
    "0.6.0-alpha.1",
    "0.6.0-alpha.beta",
    "0.6.0-beta.2",
    "0.6.0-beta.11",
    "0.6.0",
    "0.10.0",
    "1.0.0",
    "99.0.0",
]


def test_order_of_versions():
    parsed = [parse_version(text) for text in VERSIONS]
    assert all(a < b and not b < a for a, b in pairwise(parsed))
    assert [str(version) for version in parsed] == VERSIONS
    assert parse_version("1.2.3-x+y.z") == Version(1, 2, 3, "x", "y.z")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty string, expected a semver version"), ("a.b.c", "unexpected character 'a' while parsing major version number"),
        ("1", "unexpected end of input while parsing major version number"), ("1.x", "unexpected character 'x'|unexpected wildcard"),
        ("01.0.0", "invalid leading zero in major version number"), ("1.2.3.4", "unexpected character '.' after patch version number"),
        ("1.2.3-", "empty identifier segment in pre-release identifier"), ("1.2.3-01", "invalid leading zero in pre-release"),
        ("1.2.3+", "empty identifier segment in build metadata"), ("18446744073709551616.0.0", "value of major version number exceeds u64::MAX"),
        ("1.2.3-a..b", "empty identifier segment"),
    ],
)  # fmt: skip
def test_no_versions(text, complaint):
    with pytest.raises(VersionError, match=complaint):
        parse_version(text)


# ── what the tables refer to ─────────────────────────────────────────────────────────────────────────────────────────


def changed(change, *, imports=False):
    """A module whose tables were changed, behind the one that it may import from."""
    entry = function("f", "v: u8", "u8")
    interface = {"functions": [entry, function("g", "v: u8", "u8")]}
    body = '(func (export "f") (param i32) (result i32) (local.get 0)) (func (export "g") (param i32) (result i32) (i32.const 9))'
    modules = {"a": module(body, interface)}
    if imports:
        interface = {"functions": [], "imports": [{"namespace": "a", "functions": [entry]}]}
        body = ""
    tables = build(interface)
    change(tables)
    text = '(import "a" "f" (func $f (param i32) (result i32)))' if imports else ""
    modules["m"] = with_sections(core(body, "1", text), encode(tables))
    return modules


def replaced(entries, at, **values):
    entries[at] = entries[at]._replace(**values)


@pytest.mark.parametrize(
    ("change", "imports", "problem"),
    [
        (lambda t: t.adapters.pop(), False, "Loaded module doesn't contain adapter with type idx = 8"),
        (lambda t: replaced(t.implementations, 0, adapter_type=99), False, "Loaded module doesn't contain type with idx = 99"),
        (lambda t: replaced(t.implementations, 1, adapter_type=0), False, "Loaded module doesn't contain adapter with type idx = 0"),
        (lambda t: t.adapters.pop(), True, "Loaded module doesn't contain adapter with type idx = 7"),
        (lambda t: replaced(t.imports, 1, function_type=6), True, None),
        (lambda t: (t.implementations.append(Implementation(1, 50)), replaced(t.imports, 1, function_type=1)), True, "adapter with type idx = 50"),
    ],
)  # fmt: skip
def test_implementations_of_what_is_not_there(change, imports, problem):
    if problem is None:
        with pytest.raises(LoadError):
            service(changed(change, imports=imports))
        return
    with pytest.raises(LoadError, match=re.escape(problem)):
        service(changed(change, imports=imports))


def test_a_record_that_is_not_there():
    def undefine(tables):
        tables.types[6] = FunctionType((("v", tables.record(40)),), ())

    with pytest.raises(LoadError, match="record type with type id 40 not found"):
        service(changed(undefine))


def test_an_adapter_type_that_is_a_record():
    def change(tables):
        record = tables.record(6)
        record.label, record.fields = "R", (("x", U8),)
        tables.types[6] = record

    with pytest.raises(LoadError, match="type with idx = 6 isn't a function type"):
        service(changed(change))


def test_the_first_implementation_of_an_adapter_counts():
    """A second one with the same adapter means nothing; so its function has none."""

    def change(tables):
        replaced(tables.implementations, 1, adapter_type=6)

    with pytest.raises(CallError, match="function with name `g` is missing"):
        service(changed(change)).call("g", [1])
    assert service(changed(change)).call("f", [1]) == 1


def test_indices_have_32_bits():
    """Readers of the reference drop the rest, so that 2^32 + 7 is 7."""

    def change(tables):
        tables.exports[-1] = tables.exports[-1]._replace(function_type=tables.exports[-1].function_type + 2**32)
        tables.adapters = [(key + 2**40, body) for key, body in tables.adapters]
        tables.implementations = [
            Implementation(core + 2**33, adapter + 2**32) for core, adapter in tables.implementations
        ]

    assert service(changed(change)).call("g", [1]) == 9
