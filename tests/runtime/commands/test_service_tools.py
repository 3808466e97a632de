"""`avm service`: results on stdout, messages on stderr, exit codes; and a Wasm service in `avm run`."""

from __future__ import annotations

import json
import os

import pytest

from runtime.cli import main
from tests.runtime.marine.kit import CORPUS, function, module, own

MODULES = CORPUS / "modules"
DEMO = str(MODULES / "demo.wat.wasm")
TESTKIT = str(MODULES / "testkit.wasm")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def check(capsys, args, *, code=0, out=None, err=""):
    assert main(["service", *args]) == code
    captured = capsys.readouterr()
    assert err in captured.err
    if code:
        assert captured.out == ""
    if out is not None:
        assert json.loads(captured.out) == out
    return captured


def test_call(capsys):
    check(capsys, ["call", DEMO, "-f", "greet", "--args", '["you"]'], out="Hi, you")
    check(capsys, ["call", DEMO, "-f", "counter", "--repeat", "3"], out=3)
    check(
        capsys, ["call", TESTKIT, f"facade={MODULES / 'facade.wasm'}", "-f", "via_string", "--args", '["x"]'], out="x"
    )
    check(capsys, ["call", TESTKIT, str(MODULES / "facade.wasm"), "-f", "pages", "--module", "testkit"], out=17)
    given = {"particle": {"id": "p1"}}
    answer = json.loads(
        check(capsys, ["call", TESTKIT, "-f", "call_params", "--call-parameters", json.dumps(given)]).out
    )
    assert answer["particle"]["id"] == "p1"


def test_messages_of_modules_go_to_stderr(capsys):
    check(capsys, ["call", TESTKIT, "-f", "log_msg", "--args", '[2, 0, "hi"]'], err="[warn] testkit: hi\n", out=None)


@pytest.mark.parametrize(
    ("args", "code", "err"),
    [
        ([DEMO, "-f", "nope"], 2, "functions: add, counter, greet, stats"),
        ([DEMO, "-f", "greet", "--args", "[1]"], 3, "expected a string"),
        ([DEMO, "-f", "greet", "--args", "[1"], 2, "--args: EOF while parsing"),
        (
            [DEMO, "-f", "greet", "--call-parameters", "5"],
            2,
            "error: --call-parameters: call parameters: expected an object",
        ),
        ([DEMO, "-f", "greet", "--call-parameters", "{}", "--args", "[1"], 2, "error: --args: EOF while parsing"),
        ([DEMO, "-f", "greet", "--repeat", "0"], 2, "--repeat 0"),
        ([TESTKIT, "-f", "trap_unreachable"], 3, "wasm `unreachable` instruction executed"),
        (["none.wasm", "-f", "f"], 2, "cannot read none.wasm"),
        (["none.toml", "-f", "f"], 2, "none.toml: No such file"),
        ([DEMO, "-f", "f", "--env", "A"], 2, "--env A: expected NAME=VALUE"),
        ([DEMO, "-f", "f", "--memory-limit", "x"], 2, "--memory-limit: expected a size"),
        ([DEMO, "-f", "f", "--timeout", "0"], 2, "--timeout 0: expected a time above 0"),
        ([str(MODULES / "neg" / "no_sdk.wasm"), "-f", "f"], 2, "doesn't contain section with '__fluence_sdk_version'"),
    ],
)
def test_mistakes(capsys, args, code, err):
    check(capsys, ["call", *args], code=code, err=err)


def test_permissions(capsys, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(f'total_memory_limit = "Infinity"\n[[module]]\nname = "m"\nload_from = "{DEMO}"\n')
    check(capsys, ["call", str(config), "-f", "counter", "--memory-limit", "4 MiB", "--timeout", "1m"], out=1)
    for flag, value in (("--env", "A=1"), ("--dir", "/a=b"), ("--mount", "a=b")):
        says = f"{config}: a configuration says itself what its modules may use"
        check(capsys, ["call", str(config), "-f", "counter", flag, value], code=2, err=says)
    looping = tmp_path / "m.wasm"
    looping.write_bytes(module('(func (export "f") (loop (br 0)))', {"functions": [function("f")]}))
    check(capsys, ["call", str(looping), "-f", "f", "--timeout", "20ms"], code=4, err="out of time")


@pytest.mark.skipif(os.name != "posix", reason="sh")
def test_programs_by_path_and_by_name(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tool").write_text("#!/bin/sh\nexit 7\n")
    (tmp_path / "tool").chmod(0o755)
    body = '(func (export "f") (result i32) (call $tool (i32.const 0) (i32.const 0)) (i32.load (global.get $ptr)))'
    imports = '(import "host" "tool" (func $tool (param i32 i32)))'
    (tmp_path / "m.wasm").write_bytes(module(body, {"functions": [function("f", "", "s32")]}, imports=imports))
    for program, code in (("./tool", 7), (str(tmp_path / "tool"), 7), ("true", 0), ("tool", 100_001)):
        check(capsys, ["call", "m.wasm", "-f", "f", "--mount", f"tool={program}"], out=code)


def test_rows(capsys, tmp_path):
    rows = tmp_path / "rows.jsonl"
    lines = (CORPUS / "calls_own.jsonl").read_text(encoding="utf-8").splitlines()[:9]
    wanted = [json.loads(line) for line in lines]
    rows.write_text(
        "\n".join([*lines, "{", "[]", '{"set": "other", "fn": "f", "args_json": "[]"}']) + "\n", encoding="utf-8"
    )
    for engine in ("native", "translated", "interpreted"):
        assert main(["service", "run", "--jsonl", str(rows), "--root", str(CORPUS), "--engine", engine]) == 0
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert len(answers) == 12
        for row, answer in zip(wanted, answers, strict=False):
            assert (answer["set"], answer["seq"], answer["logs"]) == (row["set"], row["seq"], [])
            if "error" in row:
                assert (answer["error"], answer["error_class"]) == (row["error"], row["error_class"])
            else:
                assert answer["result"] == json.loads(row["result_json"])
        assert [answer["error_class"] for answer in answers[9:]] == ["row"] * 3


@pytest.mark.parametrize(("row", "complaint"), [
    ({"fn": "f", "args_json": "[]"}, "no earlier row has the modules of this set"),
    ({"set": 1, "modules": [{"name": "m", "wasm": "modules/demo.wat.wasm", "envs": [1]}]}, "envs: expected a table"),
    ({"set": 1, "modules": [{"name": "m", "wasm": "modules/demo.wat.wasm", "envs": {"A": 1}}]}, "envs.A: expected a string"),
    ({"set": 1, "modules": [{"name": "m", "wasm": "modules/demo.wat.wasm", "mapped_dirs": [1]}]}, "mapped_dirs: expected a table"),
    ({"set": 1, "modules": [{"name": "m", "wasm": "modules/demo.wat.wasm", "mapped_dirs": {"/a": 1}}]}, "mapped_dirs./a: expected a string"),
    ({"set": 1, "modules": [{"name": "m", "wasm": "modules/demo.wat.wasm", "logging_mask": None}]}, "logging_mask: expected an integer"),
    ({"set": 1, "modules": [{"name": "m", "wasm": "modules/demo.wat.wasm", "logging_mask": 2**40}]}, "logging_mask: expected an integer"),
    ({"set": 0, "fn": "counter", "args_json": "[]", "module": []}, "`module`: expected a string"),
    ({"set": 0, "fn": "counter", "args_json": "[]", "seq": float("nan")}, "NaN is no JSON"),
])  # fmt: skip
def test_rows_that_cannot_be_used(capsys, tmp_path, row, complaint):
    """They are answered, and the rows after them as well."""
    rows = tmp_path / "rows.jsonl"
    first = {"set": 0, "modules": [{"name": "m", "wasm": "modules/demo.wat.wasm"}]}
    last = {"set": row.get("set"), "fn": "counter", "args_json": "[]"}
    rows.write_text("\n".join(map(json.dumps, [first, row, last] if "set" in row else [row])))
    assert main(["service", "run", "--jsonl", str(rows), "--root", str(CORPUS)]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == (3 if "set" in row else 1)
    answer = answers[min(1, len(answers) - 1)]
    assert complaint in answer["error"]
    assert answer["error_class"] == "row"
    if row.get("set") == 1:
        assert answers[2]["error"] == "the row with the modules of this set is unusable"
    elif "set" in row:
        assert answers[2]["result"] == 1


def test_rows_end_where_a_line_does(capsys, tmp_path):
    """JSON may hold the separators of lines and paragraphs as they are."""
    rows = tmp_path / "rows.jsonl"
    text = "a\u2028b\x85c"
    lines = [
        {"modules": [{"name": "testkit", "wasm": "modules/testkit.wasm"}]},
        {"fn": "echo_string", "args_json": json.dumps([text], ensure_ascii=False)},
    ]
    rows.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    assert main(["service", "run", "--jsonl", str(rows), "--root", str(CORPUS)]) == 0
    assert json.loads(capsys.readouterr().out.split("\n")[1])["result"] == text


def test_rows_that_only_load(capsys, tmp_path):
    rows = tmp_path / "rows.jsonl"
    names = ("demo.wat.wasm", "neg/no_it.wasm", "missing.wasm")
    rows.write_text(
        "\n".join(json.dumps({"set": n, "modules": [{"name": "m", "wasm": {"file": f"modules/{n}"}}]}) for n in names)
    )
    assert main(["service", "run", "--jsonl", str(rows), "--root", str(CORPUS)]) == 0
    first, second, third = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert first == {"set": "demo.wat.wasm", "loads": True, "logs": []}
    assert (second["loads"], second["error"]) == (False, "engine error: the module doesn't contain IT section")
    assert third["error"].startswith("module not found")


def test_info(capsys):
    document = json.loads(check(capsys, ["info", TESTKIT, str(MODULES / "facade.wasm")]).out)
    assert document["facade"] == "facade"
    testkit = document["modules"][0]
    assert testkit["cid"] == "bafkreig7vrpkkh7xj2w62tnew6pg3l2w27q7mj6w5igzngzkhog3t343ou"
    assert (testkit["sdk_version"], testkit["it_version"], testkit["kind"]) == ("0.14.0", "0.27.0", "pure")
    assert document["blueprint"]["dependencies"] == [one["cid"] for one in document["modules"]]


def test_check(capsys):
    assert "all modules fit" in check(capsys, ["check", TESTKIT, str(MODULES / "facade.wasm")]).err
    check(
        capsys,
        ["check", str(MODULES / "facade.wasm")],
        code=1,
        err="error: facade: module with name 'testkit' isn't loaded",
    )
    check(
        capsys,
        ["check", str(MODULES / "neg" / "wrong_types.wasm")],
        err="warning: wrong_types: the adapter of function `counter`",
    )
    assert (
        main(["service", "check", "--message-format", "json", str(MODULES / "neg" / "missing_core_export.wasm")]) == 1
    )
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert document["findings"][0]["message"] == "export not found: not_there"


def test_check_of_what_is_beside_the_modules(capsys, tmp_path):
    (tmp_path / "c.toml").write_text(
        f'total_memory_limit = "Infinity"\n[[module]]\nname = "m"\nload_from = "{DEMO}"\n'
        '[module.wasi]\nmapped_dirs = { "/data" = "data" }\n'
    )
    config = str(tmp_path / "c.toml")
    check(
        capsys,
        ["check", config],
        code=1,
        err=f"error: m: the folder {tmp_path / 'data'} mapped to /data does not exist",
    )
    check(
        capsys,
        ["call", config, "-f", "counter"],
        code=2,
        err=f"the folder {tmp_path / 'data'} mapped to /data does not",
    )
    assert main(["service", "pack", config, "-o", str(tmp_path / "m.tar")]) == 0  # folders are named by who uses it
    check(capsys, ["check", str(tmp_path / "m.tar")], err="all modules fit")
    modules = [f"m{number}={DEMO}" for number in range(65)]
    check(capsys, ["check", "none.wasm"], code=2, err="cannot read none.wasm: No such file or directory")
    check(capsys, ["check", *modules], code=1, err="error: m64: a service has at most 64 modules, not 65")
    wrong = tmp_path / "wrong.wasm"
    imports = '(import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))'
    wrong.write_bytes(module('(func (export "f"))', {"functions": [function("f")]}, imports=imports))
    says = "error: wrong: import `wasi_snapshot_preview1.fd_close` has another core signature than what is provided"
    check(capsys, ["check", str(wrong)], code=1, err=says)


LOADS = [
    row
    for row in map(json.loads, (CORPUS / "load.jsonl").read_text(encoding="utf-8").splitlines())
    if all("file" in module["wasm"] for module in row["modules"])
]


@pytest.mark.parametrize("row", LOADS, ids=lambda row: row["set"])
def test_check_agrees_with_loading(row, capsys):
    """What `check` calls an error does not load, and the other way round except for what only running can tell."""
    paths = [f"{module['name']}={CORPUS / module['wasm']['file']}" for module in row["modules"]]
    code = main(["service", "check", *paths])
    error = row.get("error", "")
    runs = "Failed to apply func" in error or "RuntimeError" in error
    assert code == (0 if row["loads"] or runs else 1)


def test_aqua_declaration_compiles_and_runs(capsys, tmp_path):
    assert main(["service", "aqua", DEMO, "--name", "demo"]) == 0
    text = capsys.readouterr().out
    assert 'service Demo("demo"):' in text
    (tmp_path / "demo.aqua").write_text(text, encoding="utf-8")
    program = tmp_path / "main.aqua"
    program.write_text(
        'aqua Main\nimport "demo.aqua"\nexport twice\n\n'
        "func twice(name: string) -> string, u64:\n    Demo.counter()\n    n <- Demo.counter()\n    s <- Demo.greet(name)\n    <- s, n\n",
        encoding="utf-8",
    )
    assert main(["run", str(program), "-f", 'twice("you")', "--service", f"Demo={DEMO}"]) == 0
    assert json.loads(capsys.readouterr().out) == ["Hi, you", 2]


AQUA = """aqua Main
export go
service M("m"):
  f({args}) -> {ret}
func go() -> {ret}:
  r <- M.f({given})
  <- r
"""


@pytest.mark.parametrize(
    ("args", "ret", "given", "code", "err"),
    [
        ("a: string, b: string", "string", '"x", "y"', 0, ""),
        ("a: string", "string", '"x"', 2, "but the module has `f(a: string, b: string) -> string`"),
        ("a: string, b: u8", "string", '"x", 1', 2, "but the module has"),
        ("a: string, b: string", "u64", '"x", "y"', 2, "but the module has"),
    ],
)
def test_declaration_and_module_are_compared(capsys, tmp_path, args, ret, given, code, err):
    wasm = tmp_path / "m.wasm"
    body = """(func (export "f") (param i32 i32 i32 i32)
      (global.set $ptr (local.get 0)) (global.set $size (i32.add (local.get 1) (local.get 3))))"""
    wasm.write_bytes(module(body, {"functions": [function("f", "a: string, b: string", "string")]}))
    program = tmp_path / "main.aqua"
    program.write_text(AQUA.format(args=args, ret=ret, given=given), encoding="utf-8")
    assert main(["run", str(program), "-f", "go()", "--service", f"M={wasm}"]) == code
    captured = capsys.readouterr()
    assert err in captured.err
    if not code:
        assert json.loads(captured.out) == "xy"


def test_a_trap_is_an_error_of_the_program(capsys, tmp_path):
    wasm = tmp_path / "m.wasm"
    wasm.write_bytes(module('(func (export "f") (result i32) unreachable)', {"functions": [function("f", "", "s32")]}))
    program = tmp_path / "main.aqua"
    program.write_text(AQUA.format(args="", ret="i32", given=""), encoding="utf-8")
    assert main(["run", str(program), "-f", "go()", "--service", f"M={wasm}"]) == 3
    assert "unreachable" in capsys.readouterr().err


def test_own_module_bytes_are_the_corpus():
    assert own("demo.wat")[:4] == b"\0asm"
