"""`avm service pack`, and the commands that take what it makes."""

from __future__ import annotations

import json

import pytest

from runtime.cli import main
from tests.runtime.marine.kit import CORPUS, function, module, own

TESTKIT, FACADE, DEMO = (str(CORPUS / "modules" / f"{name}.wasm") for name in ("testkit", "facade", "demo.wat"))
CONFIG = """
total_memory_limit = "64 MiB"
modules_dir = "."
[[module]]
name = "testkit"
[module.wasi]
envs = { WASM_LOG = "info" }
mapped_dirs = { "/data" = "data" }
[[module]]
name = "facade"
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    for name in ("testkit", "facade"):
        (tmp_path / f"{name}.wasm").write_bytes(own(name))
    (tmp_path / "s.toml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    return tmp_path


def run(capsys, *args, code=0, err=""):
    assert main(["service", *args]) == code
    captured = capsys.readouterr()
    assert err in captured.err
    return captured.out


@pytest.mark.parametrize("name", ["s.tar", "s.zip"])
def test_every_command_takes_it(place, capsys, name):
    blueprint = run(capsys, "pack", "s.toml", "-o", name).strip()
    document = json.loads(run(capsys, "info", name))
    assert document["blueprint"]["id"] == blueprint
    assert document["facade"] == "facade"
    assert "via_string(" in run(capsys, "aqua", name)
    run(capsys, "check", name, err="all modules fit")
    run(capsys, "call", name, "-f", "pages", code=2, err="wants a folder as /data: allow it with --dir /data=FOLDER")
    assert run(capsys, "call", name, "-f", "via_string", "--args", '["x"]', "--dir", "/data=data") == '"x"\n'
    again = run(capsys, "pack", name, "-o", f"again-{name}").strip()
    assert again == blueprint
    assert (place / name).read_bytes() == (place / f"again-{name}").read_bytes()


def test_rows_take_it(place, capsys):
    run(capsys, "pack", DEMO, "-o", "demo.tar", "--name", "a demo")
    rows = [
        {"set": 1, "seq": 0, "service": "demo.tar"}, {"set": 1, "seq": 1, "fn": "add", "args_json": "[1, 2]"},
        {"set": 2, "seq": 0, "service": "none.tar"},
    ]  # fmt: skip
    (place / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    first, second, third = map(json.loads, run(capsys, "run", "--jsonl", "rows.jsonl").splitlines())
    assert first == {"set": 1, "seq": 0, "loads": True, "logs": []}
    assert second["result"] == 3
    assert third == {"set": 2, "seq": 0, "loads": False, "error": "none.tar: No such file or directory"}


PROGRAM = """aqua Program declares *
export twice
service Demo("demo"):
  add(a: i64, b: i64) -> i64
func twice(x: i64) -> i64:
  y <- Demo.add(x, x)
  <- y
"""


def test_programs_take_it(place, capsys):
    (place / "program.aqua").write_text(PROGRAM)
    run(capsys, "pack", DEMO, "-o", "demo.zip")
    assert main(["run", "program.aqua", "-f", "twice(21)", "--service", "Demo=demo.zip"]) == 0
    assert capsys.readouterr().out == "42\n"
    run(capsys, "pack", "s.toml", "-o", "s.zip")
    assert main(["run", "program.aqua", "-f", "twice(21)", "--service", "Demo=s.zip"]) == 2
    assert (
        "s.zip: the module testkit wants a folder as /data: use a configuration that allows it (.toml)\n"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(("args", "code", "err"), [
    (("s.toml", "-o", "s.gz"), 2, "-o s.gz: expected a name that ends in .tar or .zip"),
    (("s.toml",), 2, "the following arguments are required: -o"),
    (("facade.wasm", "-o", "s.tar"), 1, "error: facade: module with name 'testkit' isn't loaded into Marine"),
    (("none.wasm", "-o", "s.tar"), 2, "cannot read none.wasm"),
    (("s.toml", "-o", "none/s.tar"), 2, "cannot write none/s.tar"),
    (("bad.tar", "-o", "s.tar"), 2, "bad.tar: neither a tar (ustar) nor a zip archive"),
])  # fmt: skip
def test_mistakes(place, capsys, args, code, err):
    (place / "bad.tar").write_bytes(b"bad")
    assert run(capsys, "pack", *args, code=code, err=err) == ""
    assert not (place / "s.tar").exists()


def test_warnings_do_not_keep_it_from_being_packed(place, capsys):
    odd = {"functions": [function("f", "a: string", "string")], "imports": [{"namespace": "x", "functions": []}]}
    (place / "m.wasm").write_bytes(module('(func (export "f") (param i32 i32 i32))', odd))
    run(
        capsys,
        "pack",
        "m.wasm",
        "-o",
        "m.tar",
        err="warning: m: the adapter of function `f` does not fit its signature",
    )
    assert (place / "m.tar").exists()
