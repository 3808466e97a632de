"""Sections for core modules of any language: what is checked, what is told, and that the reference takes the result."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest
import wasmtime

from runtime.marine.artifact import read_tables
from runtime.marine.check import WASI, WASI_FUNCTIONS, check_service
from runtime.marine.config import ModuleConfig, ServiceConfig
from runtime.marine.embed import EmbedError, embed, examine, manifest_of
from runtime.marine.engine import engine
from runtime.marine.host import Service
from runtime.marine.interface import Interface, aqua_text, interface_json, interpret
from runtime.marine.interface_aqua import InterfaceFileError, checked, read_interface
from runtime.marine.interface_emit import build
from runtime.marine.interface_emit import described as described_tables
from runtime.marine.wasm_sections import INTERFACE_TYPES, SDK_VERSION, custom_sections, manifest, with_custom_section
from tests.conformance.areas.marine import reference_folders
from tests.runtime.marine.kit import CORPUS, core, function, own

PAIR = function("f", "a: string, b: u64", "string")
BODY = '(func (export "f") (param i32 i32 i64) (call $set_ptr (local.get 0)) (call $set_size (local.get 1)))'


def bare(wat: str) -> bytes:
    return bytes(wasmtime.wat2wasm(wat))


def errors(wasm: bytes, interface: dict) -> list[tuple[str, str]]:
    return [(one.message, one.remedy) for one in examine(wasm, interface) if one.severity == "error"]


def check(wasm: bytes, interface: dict, message: str, remedy: str) -> None:
    """Exactly one error, with these words, and `embed` refuses."""
    ((said, helped),) = errors(wasm, interface)
    assert said == message
    assert remedy in helped
    with pytest.raises(EmbedError):
        embed(wasm, interface)


def test_a_whole_module(tmp_path: Path) -> None:
    wasm = embed(core(BODY), {"functions": [PAIR]})
    (tmp_path / "m.wasm").write_bytes(wasm)
    config = ServiceConfig((ModuleConfig("m", tmp_path / "m.wasm"),))
    assert check_service(config) == []
    with Service(config) as service:
        assert service.call("f", ["hé", 1]) == "hé"


def test_embedding_again_replaces(tmp_path: Path) -> None:
    once = embed(core(BODY), {"functions": [PAIR]}, sdk_version="0.10.0", manifest=manifest_of(MANIFEST))
    twice = embed(once, {"functions": [PAIR]})
    assert [len(custom_sections(twice, name)) for name in (INTERFACE_TYPES, SDK_VERSION)] == [1, 1]
    assert custom_sections(twice, SDK_VERSION) == [b"0.14.0"]
    assert manifest(twice) == manifest_of(MANIFEST), "it stays when no other is given"


# ── the core module ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_functions_of_the_interface() -> None:
    check(core(""), {"functions": [PAIR]}, "function `f` is not exported; it is (i32, i32, i64) -> ()", "export_name")
    check(
        core('(func (export "_f"))'),
        {"functions": [function("f")]},
        "function `f` is not exported; it is () -> ()",
        "`_f`",
    )
    check(
        core('(func (export "counter"))'), {"functions": [function("count")]},
        "function `count` is not exported; it is () -> ()", "the module exports `counter`",
    )  # fmt: skip
    check(
        core('(func (export "f") (param i32))'), {"functions": [PAIR]},
        "function `f` is (i32) -> (); its signature needs (i32, i32, i64) -> ()", "a pointer and a length",
    )  # fmt: skip
    check(
        core('(func (export "f") (result i32) (i32.const 0))'), {"functions": [function("f", "", "string")]},
        "function `f` is () -> i32; its signature needs () -> ()", "set_result_ptr",
    )  # fmt: skip
    check(
        core('(func (export "f") (param v128))'), {"functions": [function("f", "a: u8")]},
        "function `f` has values that are no numbers; its signature needs (i32) -> ()", "",
    )  # fmt: skip
    check(
        core('(global (export "f") i32 (i32.const 0))'), {"functions": [function("f")]},
        "`f` is exported as a global, not as a function () -> ()", "",
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "letters"), [
    ("bool", "i32"), ("s8", "i32"), ("u32", "i32"), ("s64", "i64"), ("u64", "i64"), ("f32", "f32"), ("f64", "f64"),
])  # fmt: skip
def test_numbers(kind: str, letters: str) -> None:
    body = f'(func (export "f") (param {letters}) (result {letters}) (local.get 0))'
    assert errors(core(body), {"functions": [function("f", f"a: {kind}", kind)]}) == []


def test_functions_of_the_abi() -> None:
    found = errors(bare('(module (memory (export "memory") 1))'), {})
    assert [text for text, _ in found] == [
        "function of the ABI `allocate` is not exported; it is (i32, i32) -> i32",
        "function of the ABI `release_objects` is not exported; it is () -> ()",
        "function of the ABI `get_result_size` is not exported; it is () -> i32",
        "function of the ABI `get_result_ptr` is not exported; it is () -> i32",
        "function of the ABI `set_result_size` is not exported; it is (i32) -> ()",
        "function of the ABI `set_result_ptr` is not exported; it is (i32) -> ()",
    ]
    assert all("avm service new" in remedy for _, remedy in found)


WITHOUT_MEMORY = core(BODY).replace(b"\x06memory", b"\x06mem0ry")


def test_memory() -> None:
    check(WITHOUT_MEMORY, {"functions": [PAIR]}, "memory is not exported as `memory`", "now it is exported as `mem0ry`")
    numbers = core('(func (export "f") (param i32))').replace(b"\x06memory", b"\x06mem0ry")
    assert errors(numbers, {"functions": [function("f", "a: u8")]}) == [], "the reference loads it, too"


def test_what_runs_at_the_start() -> None:
    assert errors(core('(func (export "_start")) (func (export "_initialize"))'), {}) == []
    check(
        core('(func (export "_start") (param i32))'), {},
        "`_start` is called when the module loads, but is no () -> ()", "call it something else",
    )  # fmt: skip


OTHER = [{"namespace": "other", "functions": [function("g", "a: string", "u8")]}]


@pytest.mark.parametrize(("imports", "message", "remedy"), [
    ('(import "other" "g" (func (param i32 i32)))', "import `other.g` is (i32, i32) -> (); its declaration needs (i32, i32) -> i32",
     "a pointer and a length"),
    ('(import "third" "h" (func))', "import `third.h` is declared nowhere", 'service Third("third"):'),
    ('(import "env" "abort" (func))', "import `env.abort` is declared nowhere", "--use abort="),
    ('(import "env" "strlen" (func))', "import `env.strlen` is declared nowhere", "the linker left `strlen` open"),
    ('(import "env" "g" (global i32))', "import `env.g` is a global: modules share functions only", "define the global"),
    ('(import "__marine_host_api_v9" "log_utf8_string" (func))',
     "import `__marine_host_api_v9.log_utf8_string` is declared nowhere", "v3 is the latest"),
    ('(import "host" "log_utf8_string" (func))',
     "import `host.log_utf8_string` of the host has the signature (i32, i32, i32, i32) -> ()", "declare it so"),
    ('(import "host" "curl" (func (param i32) (result i32)))', "import `host.curl` of the host has the signature (i32, i32) -> ()", ""),
    ('(import "wasi_snapshot_preview1" "fly" (func))', "import `wasi_snapshot_preview1.fly` is no function of WASI preview 1", ""),
    ('(import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))',
     "import `wasi_snapshot_preview1.fd_close` of WASI has the signature (i32) -> i32", "declare it so"),
    ('(import "wasi_unstable" "fd_write" (func))', "import `wasi_unstable.fd_write` is declared nowhere", "only wasi_snapshot_preview1"),
])  # fmt: skip
def test_imports(imports: str, message: str, remedy: str) -> None:
    check(core("", imports=imports), {"imports": OTHER} if "other" in imports else {}, message, remedy)


def test_imports_that_fit() -> None:
    imports = """(import "other" "g" (func (param i32 i32) (result i32))) (import "host" "get_call_parameters" (func))
      (import "__marine_host_api_v3" "log_utf8_string" (func (param i32 i32 i32 i32))) (import "host" "ls" (func (param i32 i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))"""
    assert examine(core("", imports=imports), {"imports": OTHER}) == []


def test_functions_of_wasi_are_those_of_the_engine() -> None:
    linker, store = wasmtime.Linker(engine()), wasmtime.Store(engine())
    linker.define_wasi()
    letters = {"i32": "i", "i64": "l"}
    for name, signature in WASI_FUNCTIONS.items():
        found = linker.get(store, WASI, name)
        assert isinstance(found, wasmtime.Func)
        kinds = found.type(store)
        assert signature == tuple(
            "".join(letters[str(kind)] for kind in side) for side in (kinds.params, kinds.results)
        ), name


def test_imports_that_nobody_uses() -> None:
    (problem,) = examine(core(""), {"imports": OTHER})
    assert problem[:2] == ("warning", "the module does not import `other.g`")
    embed(core(""), {"imports": OTHER})
    check(core(""), {"imports": OTHER * 2}, "import `other.g` is declared twice", "leave one")
    host = [{"namespace": "host", "functions": [function("g")]}]
    check(core(""), {"imports": host}, "`host` is a namespace of the host, no module", "something else")


@pytest.mark.parametrize(("wasm", "message", "remedy"), [
    (b"", "not a Wasm module but something else", "linker"),
    (b"(module)", "not a Wasm module but text", "linker"),
    (b"BC\xc0\xde", "not a Wasm module but an object of LLVM", "linker"),
    (b"\0asm\x0d\0\1\0", "not a core module but a component or another version", "wasm32-unknown-unknown"),
])  # fmt: skip
def test_what_is_no_core_module(wasm: bytes, message: str, remedy: str) -> None:
    check(wasm, {}, message, remedy)


def test_a_broken_module() -> None:
    ((message, _),) = errors(core("")[:-3], {})
    assert message.startswith("not a valid module: ")


# ── the interface ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("interface", "message", "remedy"), [
    ({"functions": [function("f", "a: i99")]}, "the interface cannot be written: unknown type `i99`", "names of records"),
    ({"records": [{"name": "A", "fields": []}]}, "the interface cannot be written: the record `A` has no fields", "give it a field"),
    ({"records": [{"name": "A", "fields": [["a", "[]A"]]}]}, "a record contains more recursion level then allowed", "cannot contain itself"),
    ({"records": [{"name": "A", "fields": [["a", "u8"]]}] * 2}, "the record `A` is defined twice", "leave one"),
    ({"functions": [function("f" * 256)]}, "takes 256 bytes, at most 255 fit", "smaller"),
    ({"functions": [function("f", ", ".join(f"a{n}: string" for n in range(22)))]},
     "133 instructions in one adapter, at most 127 fit", "pass a record"),
    ({"functions": [function("f", ", ".join(f"a{n}: f32" for n in range(128)))]},
     "128 arguments in one function, at most 127 fit", "pass a record"),
])  # fmt: skip
def test_interfaces_that_cannot_be_written(interface: dict, message: str, remedy: str) -> None:
    ((said, helped),) = errors(core(""), interface)
    assert message in said
    assert remedy in helped


def test_names() -> None:
    wasm = core('(func (export "f"))')
    check(wasm, {"functions": [function("f"), function("f")]}, "function `f` is declared twice", "leave one")
    check(
        wasm, {"functions": [function("release_objects")]},
        "function `release_objects` has the name of a function of the ABI", "call it something else",
    )  # fmt: skip


@pytest.mark.parametrize(("version", "message"), [
    ("0.5.9", "SDK version 0.5.9 is below 0.6.0"), ("0.6.0-beta.1", "is below 0.6.0"), ("new", "SDK version `new`: "), ("", "SDK version ``"),
])  # fmt: skip
def test_sdk_versions(version: str, message: str) -> None:
    with pytest.raises(EmbedError, match=message):
        embed(core(BODY), {"functions": [PAIR]}, sdk_version=version)


MANIFEST = {"authors": "me", "version": "1.0.0", "build_time": "2024-01-01T00:00:00Z"}


@pytest.mark.parametrize(("change", "message"), [
    ({"version": None}, "`version`: expected a string"), ({"versoin": "1"}, "unknown key `versoin`; known: authors, version"),
    ({"version": "new"}, "version can't be parsed"), ({"build_time": "today"}, "build time can't be parsed"),
])  # fmt: skip
def test_manifests(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        manifest_of(MANIFEST | change)
    with pytest.raises(ValueError, match="`build_time` is missing"):
        manifest_of({"version": "1.0.0"})


@pytest.mark.parametrize(("document", "message"), [
    ([], "interface: expected an object"), ({"function": []}, "interface.function: unknown key"),
    ({"functions": {}}, "functions: expected an array"), ({"functions": [{"name": ""}]}, "functions[0].name: expected a name"),
    ({"functions": [{"name": "f", "args": [["a"]]}]}, "functions[0].args[0]: expected [name, type]"),
    ({"functions": [{"name": "f", "args": [["a", 1]]}]}, "functions[0].args[0][1]: expected a name"),
    ({"functions": [{"name": "f", "ret": []}]}, "functions[0].ret: expected a name"),
    ({"records": [{"name": "A", "fields": "x"}]}, "records[0].fields: expected an array"),
    ({"imports": [{"functions": []}]}, "imports[0].namespace: expected a name"),
    ({"functions": [{"name": "\ud800"}]}, "half a surrogate pair"),
])  # fmt: skip
def test_the_shape_of_json(document: object, message: str) -> None:
    with pytest.raises(InterfaceFileError) as caught:
        checked(document)
    assert message in str(caught.value)


# ── Aqua ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

AQUA = """aqua Greeting declares *
alias Name: string
data Visit:
  times: u32
  name: Name
  marks: []u8
data Unused:
  visits: ?Visit
service Log("log"):
  write(line: string)
service NoId:
  keep: []f32, bool -> i64
service Greeting("greeting"):
  greet(name: string, visits: []Visit) -> Visit
  a_last: -> i32
  done(x: i8, y: i16, z: u64, b: bool, f: f64)
"""


def described(tmp_path: Path, text: str, **more) -> dict:
    (tmp_path / "m.aqua").write_text(text)
    return read_interface(str(tmp_path / "m.aqua"), **more).description


def test_aqua(tmp_path: Path) -> None:
    assert described(tmp_path, AQUA) == {
        "records": [
            {"name": "Visit", "fields": [["times", "u32"], ["name", "string"], ["marks", "[]u8"]]},
            {"name": "Unused", "fields": [["visits", "[]Visit"]]},
        ],
        "functions": [
            {"name": "greet", "args": [["name", "string"], ["visits", "[]Visit"]], "ret": "Visit"},
            {"name": "a_last", "args": [], "ret": "s32"},
            {"name": "done", "args": [["x", "s8"], ["y", "s16"], ["z", "u64"], ["b", "bool"], ["f", "f64"]], "ret": None},
        ],
        "imports": [
            {"namespace": "log", "functions": [{"name": "write", "args": [["line", "string"]], "ret": None}]},
            {"namespace": "NoId", "functions": [{"name": "keep", "args": [["arg0", "[]f32"], ["arg1", "bool"]], "ret": "s64"}]},
        ],
    }  # fmt: skip


def test_another_service_of_the_file_is_the_module(tmp_path: Path) -> None:
    found = described(tmp_path, AQUA, service="Log")
    assert [one["name"] for one in found["functions"]] == ["write"]
    assert [one["namespace"] for one in found["imports"]] == ["NoId", "greeting"]


def test_ids_that_are_constants(tmp_path: Path) -> None:
    text = 'aqua M\nconst NAME = "store"\nconst ID = NAME\nservice S(ID):\n  f()\nservice M("m"):\n  g()\n'
    assert described(tmp_path, text)["imports"][0]["namespace"] == "store"


def test_imported_files_give_what_is_used(tmp_path: Path) -> None:
    (tmp_path / "base.aqua").write_text(
        "aqua Base declares *\ndata Row:\n  b: string\n  a: u8\ndata Other:\n  x: u8\n"
        'service Base("base"):\n  get(key: string) -> Row\n  more() -> Other\n'
    )
    text = 'aqua M\nimport "base.aqua"\nservice M("m"):\n  f() -> u8\n'
    everything = described(tmp_path, text)
    assert [one["name"] for one in everything["records"]] == ["Row", "Other"]
    used = described(tmp_path, text, used={("base", "get")})
    assert used["records"] == [{"name": "Row", "fields": [["b", "string"], ["a", "u8"]]}]
    assert [one["name"] for one in used["imports"][0]["functions"]] == ["get"]
    assert described(tmp_path, text, used=set())["imports"] == []


def test_what_aqua_can_say_and_modules_cannot(tmp_path: Path) -> None:
    def refused(text: str, **more) -> InterfaceFileError:
        with pytest.raises(InterfaceFileError) as caught:
            described(tmp_path, text, **more)
        return caught.value

    place = str(tmp_path / "m.aqua")
    assert str(refused("aqua M\nfunc f() -> u8:\n  <- 1\n")) == f"{place}: declares no service"
    assert str(refused(AQUA, service="Lgo")) == f"{place}: no service `Lgo`"
    assert refused(AQUA, service="Lgo").hint == "services: `Log`, `NoId`, `Greeting`"
    error = refused('aqua M\nservice M("m"):\n  f(a: ⊤) -> u8\n')
    assert str(error) == f"{place}:2:9: `M.f`: argument `a` has type `⊤`"
    broken = refused('aqua M\nservice M("m"):\n  f(a: Nothing)\n')
    assert str(broken) == f"{place} does not compile"
    assert any(one.is_error and "Nothing" in one.message for one in broken.diagnostics)


def test_one_name_is_one_record(tmp_path: Path) -> None:
    (tmp_path / "a.aqua").write_text("aqua A declares *\ndata P:\n  x: u8\n  y: string\ndata Q:\n  p: P\n")
    (tmp_path / "b.aqua").write_text("aqua B declares *\ndata P:\n  y: string\n  x: u8\ndata R:\n  p: P\n")
    (tmp_path / "c.aqua").write_text("aqua C declares *\ndata P:\n  z: u8\ndata S:\n  p: P\n")
    head = 'aqua M\nimport Q from "a.aqua"\nimport {} from "{}.aqua"\nservice M("m"):\n  f(q: Q, r: {}) -> u8\n'
    with pytest.raises(InterfaceFileError, match="`P` is declared with its fields in different orders"):
        described(tmp_path, head.format("R", "b", "R"))
    with pytest.raises(InterfaceFileError, match="two data types are called `P`"):
        described(tmp_path, head.format("S", "c", "S"))


# ── the corpus ───────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=1)
def corpus_rows() -> list[dict]:
    return [json.loads(line) for line in (CORPUS / "it_sections.jsonl").read_text(encoding="utf-8").splitlines()]


OWN = [row for row in corpus_rows() if "file" in row["wasm"] and row["byte_identical"]]


@pytest.mark.parametrize("row", OWN, ids=lambda row: row["name"])
def test_own_modules_come_out_as_they_were_made(row: dict) -> None:
    """Take the sections off, append them again: the bytes of the corpus, which marine-js took."""
    whole = (CORPUS / row["wasm"]["file"]).read_bytes()
    stripped = whole
    for name in (INTERFACE_TYPES, SDK_VERSION):
        stripped = without(stripped, name)
    assert embed(stripped, checked(row["interface"])) == whole


def without(wasm: bytes, name: str) -> bytes:
    """The module without a custom section: appended anew it is the last, and can be cut off."""
    last = with_custom_section(wasm, name, b"")
    return last[: len(last) - 3 - len(name)]


def loadable() -> list[Path]:
    """Own modules, and those of the reference that are here."""
    places = [CORPUS / "modules"]
    places += [folder / "marine-blobs" for folder in reference_folders()]
    places += [folder / "node_modules" / "@fluencelabs" / "avm" / "dist" for folder in reference_folders()]
    return [path for place in places for path in sorted(place.glob("*.wasm"))]


@pytest.mark.parametrize("path", loadable(), ids=lambda path: path.name)
def test_what_loads_has_all_that_its_interface_needs(path: Path) -> None:
    wasm = path.read_bytes()
    _, tables = read_tables("m", wasm)
    assert errors(wasm, described_tables(tables)) == []


def signatures(interface: Interface) -> tuple[list, list]:
    document = interface_json(interface)
    functions = sorted((one["name"], one["arguments"], one["output_types"]) for one in document["function_signatures"])
    return functions, sorted((one["name"], one["fields"]) for one in document["record_types"])


@pytest.mark.parametrize("name", ["testkit", "facade", "demo.wat", "edges", "edges2"])
def test_an_interface_printed_as_aqua_is_read_back(name: str, tmp_path: Path) -> None:
    _, tables = read_tables(name, own(name))
    interface = interpret(tables)
    (tmp_path / "m.aqua").write_text(aqua_text(interface, "m"))
    again = interpret(build(read_interface(str(tmp_path / "m.aqua")).description))
    assert signatures(again) == signatures(interface)
