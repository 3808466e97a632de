"""`avm service embed`: files in, a module out, every problem told with its remedy."""

from __future__ import annotations

import io
import json
import sys

import pytest

from runtime.cli import main
from runtime.marine.wasm_sections import manifest
from tests.runtime.marine.kit import core

BODY = '(func (export "echo") (param i32 i32) (call $set_ptr (local.get 0)) (call $set_size (local.get 1)))'
AQUA = 'aqua Echo declares *\nservice Echo("echo"):\n  echo(text: string) -> string\n'


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "core.wasm").write_bytes(core(BODY))
    (tmp_path / "echo.aqua").write_text(AQUA)
    return tmp_path


def check(capsys, *args, code=0, err=""):
    assert main(["service", "embed", *args]) == code
    captured = capsys.readouterr()
    assert err in captured.err
    assert captured.out == ""
    return captured.err


def test_a_module_from_aqua(place, capsys):
    check(capsys, "core.wasm", "echo.aqua", "-o", "echo.wasm")
    assert main(["service", "call", "echo.wasm", "-f", "echo", "--args", '["hé"]']) == 0
    assert json.loads(capsys.readouterr().out) == "hé"
    assert main(["service", "check", "echo.wasm"]) == 0
    capsys.readouterr()
    assert main(["service", "aqua", "echo.wasm"]) == 0
    assert capsys.readouterr().out.split() == AQUA.split()
    assert {path.name for path in place.iterdir()} - {"cache"} == {"core.wasm", "echo.aqua", "echo.wasm"}, (
        "no draft is left"
    )


def test_a_module_from_json_with_a_manifest(place, capsys):
    (place / "echo.json").write_text(
        json.dumps({"functions": [{"name": "echo", "args": [["text", "string"]], "ret": "string"}]})
    )
    (place / "about.json").write_text(json.dumps({"version": "1.2.3", "build_time": "2024-05-06T07:08:09Z"}))
    check(capsys, "core.wasm", "echo.json", "-o", "echo.wasm", "--manifest", "about.json", "--sdk-version", "0.10.0")
    found = manifest((place / "echo.wasm").read_bytes())
    assert found is not None
    assert found.version == "1.2.3"
    assert main(["service", "info", "echo.wasm"]) == 0
    assert json.loads(capsys.readouterr().out)["modules"][0]["sdk_version"] == "0.10.0"


@pytest.mark.parametrize(
    ("output", "reason"), [(".", "Is a directory"), ("none/echo.wasm", "No such file or directory")]
)
def test_places_that_take_no_file(place, capsys, output, reason):
    check(capsys, "core.wasm", "echo.aqua", "-o", output, code=2, err=f"cannot write {output}: {reason}")


def test_standard_streams(place, capsysbinary, monkeypatch):
    given = io.TextIOWrapper(io.BytesIO((place / "core.wasm").read_bytes()))
    monkeypatch.setattr(sys, "stdin", given)
    assert main(["service", "embed", "-", "echo.aqua"]) == 0
    piped = capsysbinary.readouterr().out
    assert main(["service", "embed", "core.wasm", "echo.aqua", "-o", "echo.wasm"]) == 0
    assert piped == (place / "echo.wasm").read_bytes()


def test_imports_of_other_modules(place, capsys):
    (place / "store.aqua").write_text(
        'aqua Store declares *\ndata Row:\n  key: string\nservice Store("store"):\n  get(key: string) -> u32\n  rows() -> []Row\n'
    )
    (place / "user.aqua").write_text(f'aqua User\nimport "store.aqua"\n{AQUA.partition(chr(10))[2]}')
    (place / "user.core.wasm").write_bytes(
        core(BODY, imports='(import "store" "get" (func (param i32 i32) (result i32)))')
    )
    check(capsys, "user.core.wasm", "user.aqua", "-o", "user.wasm")
    assert main(["service", "info", "user.wasm"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["modules"][0]["imports"] == {"store": ["get"]}
    assert main(["service", "check", "user.wasm"]) == 1
    assert capsys.readouterr().err == "error: user: module with name 'store' isn't loaded into Marine\n"


@pytest.mark.parametrize(("args", "code", "err"), [
    (("none.wasm", "echo.aqua"), 2, "cannot read module none.wasm"),
    (("core.wasm", "none.aqua"), 2, "no such file: none.aqua"),
    (("core.wasm", "core.wasm"), 2, "core.wasm: expected an .aqua or .json file"),
    (("core.wasm", "bad.json"), 2, "bad.json: functions[0].name: expected a name"),
    (("core.wasm", "bad.aqua"), 1, "bad.aqua does not compile"),
    (("core.wasm", "more.aqua"), 1,
     "error: function `more` is not exported; it is () -> ()\n  export it: C `__attribute__((export_name(\"…\")))`"),
    (("echo.aqua", "echo.aqua"), 1, "error: not a Wasm module but something else"),
    (("core.wasm", "echo.aqua", "--service", "Other"), 2, "services: `Echo`"),
    (("core.wasm", "echo.aqua", "--sdk-version", "0.1.0"), 1, "SDK version 0.1.0 is below 0.6.0"),
    (("core.wasm", "echo.aqua", "--manifest", "bad.json"), 2, "bad.json: unknown key `functions`"),
    (("core.wasm", "echo.aqua", "-o", "none/echo.wasm"), 2, "cannot write none/echo.wasm: No such file or directory"),
    (("core.wasm", "echo.aqua", "-I", "none"), 2, "import folder none does not exist"),
])  # fmt: skip
def test_mistakes(place, capsys, args, code, err):
    (place / "bad.json").write_text('{"functions": [{}]}')
    (place / "bad.aqua").write_text('aqua Bad\nservice Bad("bad"):\n  f() -> Nothing\n')
    (place / "more.aqua").write_text('aqua More\nservice More("more"):\n  more()\n')
    check(capsys, *args, *(() if "-o" in args else ("-o", "out.wasm")), code=code, err=err)
    assert not (place / "out.wasm").exists()


def test_every_problem_is_told_at_once(place, capsys):
    (place / "more.aqua").write_text('aqua More\nservice More("more"):\n  echo(text: string) -> u8\n  more()\n')
    err = check(capsys, "core.wasm", "more.aqua", "-o", "out.wasm", code=1)
    assert err.count("error: function `") == 2


def test_warnings(place, capsys):
    (place / "user.aqua").write_text(AQUA.replace("service", 'service Store("store"):\n  get() -> u8\nservice', 1))
    check(capsys, "core.wasm", "user.aqua", "-o", "a.wasm", err="warning: the module does not import `store.get`")
    assert check(capsys, "core.wasm", "user.aqua", "-o", "b.wasm", "-q") == ""
