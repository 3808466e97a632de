"""The `aquac` command: exit codes, what goes where, files written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from aquac.cli import main

GOOD = 'aqua M\nexport f, g\n\nfunc f(x: u8) -> u8:\n  <- x\n\nfunc g() -> string:\n  <- "é"\n'
BAD = "aqua M\nexport f\n\nfunc f() -> u8:\n  <- nope\n"
WARNS = "aqua M\n\nfunc f() -> u8:\n  <- 1\n\nfunc g():\n  f()\n"
CALLS = (
    'aqua M\nexport f\n\nservice S("s"):\n  go(x: u8)\n\nfunc g(x: u8):\n  S.go(x)\n\nfunc f():\n  on "p":\n    g(1)\n'
)


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    (tmp_path / "good.aqua").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.aqua").write_text(BAD)
    (tmp_path / "warns.aqua").write_text(WARNS)
    (tmp_path / "calls.aqua").write_text(CALLS)
    (tmp_path / "syntax.aqua").write_text("aqua M\n\nfunc f(:\n  x = = 1\n")
    (tmp_path / "latin.aqua").write_bytes(b"aqua M\n-- \xe9\n")
    (tmp_path / "note.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.fixture
def check(capsys):
    """Run a command line; the exit code must be the given one; stdout and stderr come back."""

    def run(code: int, *argv: str) -> tuple[str, str]:
        try:
            found = main(list(argv))
        except SystemExit as end:
            found = int(end.code or 0)
        out, err = capsys.readouterr()
        assert found == code, err
        assert "Traceback" not in err
        return out, err

    return run


@pytest.mark.parametrize(
    ("code", "argv"),
    [
        (0, ["check", "good.aqua"]),
        (0, ["check", "warns.aqua"]),
        (0, ["check", "empty"]),
        (0, ["check", "note.txt"]),
        (1, ["check", "bad.aqua"]),
        (1, ["check", "syntax.aqua"]),
        (1, ["check", "latin.aqua"]),
        (1, ["check", "."]),
        (2, ["check", "missing.aqua"]),
        (2, ["check", "good.aqua", "missing"]),
        (2, ["check"]),
        (2, ["check", "good.aqua", "--no-such-flag"]),
        (2, ["check", "good.aqua", "--message-format", "xml"]),
        (2, ["check", "good.aqua", "-I", "missing"]),
        (2, ["check", "good.aqua", "--imports", "missing.json"]),
        (2, ["check", "good.aqua", "--imports", "note.txt"]),
        (1, ["check", "good.aqua", "--const", "no"]),
        (2, ["-C", "missing", "check", "good.aqua"]),
        (2, []),
        (2, ["frobnicate"]),
        (2, ["build", "missing.aqua"]),
        (1, ["build", "bad.aqua"]),
        (2, ["build", "good.aqua", "--target", "wat"]),
        (2, ["build", "good.aqua", "--target", "air,json"]),
        (2, ["build", "good.aqua", "-o", "note.txt"]),
        (2, ["call", "empty", "f(1)"]),
        (1, ["call", "good.aqua", "nope(1)"]),
        (1, ["call", "good.aqua", "f("]),
        (2, ["call", "good.aqua", "f(x)", "--data", "{"]),
        (2, ["call", "good.aqua", "f(x)", "--data", "[1]"]),
        (2, ["call", "good.aqua", "f(x)", "--data-file", "missing.json"]),
        (2, ["explain", "AQ9999"]),
        (0, ["explain", "AQ0201"]),
        (0, ["explain", "name.unknown"]),
        (0, ["explain"]),
        (0, ["-V"]),
        (0, ["--help"]),
        (0, ["build", "--help"]),
    ],
)
def test_exit_codes(check, code, argv):
    out, err = check(code, *argv)
    if code == 2:
        assert out == ""
        assert err.splitlines()[-2 if err.splitlines()[-1].startswith("  ") else -1].startswith("aquac: error: ")


def test_check_speaks_on_stderr(check):
    out, err = check(1, "check", "bad.aqua")
    assert out == ""
    assert "error[AQ0201]" in err
    assert "--> bad.aqua:5:6" in err
    assert "1 error in 1 file" in err
    assert "\x1b" not in err


def test_quiet_and_colour(check):
    assert check(0, "check", "-q", "warns.aqua") == ("", "")
    assert "warning[AQ0901]" in check(0, "check", "warns.aqua")[1]
    assert "\x1b[1;31m" in check(1, "--color", "always", "check", "bad.aqua")[1]
    assert "\x1b[1;31m" in check(1, "check", "bad.aqua", "--color=always")[1]


def test_several_syntax_errors_are_reported(check):
    _, err = check(1, "check", "syntax.aqua")
    assert "2 errors in 1 file" in err


def test_json_messages(check):
    schema = json.loads(files("aquac").joinpath("schemas/diagnostics.schema.json").read_text(encoding="utf-8"))
    for code, name in ((1, "bad.aqua"), (1, "latin.aqua"), (1, "syntax.aqua"), (0, "warns.aqua"), (0, "empty")):
        out, err = check(code, "check", name, "--message-format", "json")
        document = json.loads(out)
        jsonschema.validate(document, schema)
        assert err == ""
        assert (document["summary"]["errors"] > 0) == bool(code)


def test_other_formats(check):
    assert json.loads(check(1, "check", "bad.aqua", "--message-format", "sarif")[0])["version"] == "2.1.0"
    assert check(1, "check", "bad.aqua", "--message-format", "github")[0].startswith("::error file=")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are Unicode")
def test_names_of_files_that_are_not_utf8(check, project):
    name = os.fsdecode(b"caf\xe9.aqua")
    (project / name).write_text(GOOD, encoding="utf-8")
    check(0, "build", name, "-o", "out", "--target", "air,json,ts,js,py", "--source-map")
    source_map = json.loads((project / "out" / f"{name[:-5]}.f.air.map").read_text(encoding="utf-8"))
    assert source_map["sources"] == [f"../{name}"]
    (module,) = (project / "out").glob("*.py")
    values: dict[str, object] = {}
    exec(compile(module.read_bytes(), "module", "exec"), values)
    assert values["_f"]._sources == (name,)
    (project / name).write_text(GOOD + "bad\n", encoding="utf-8")
    sarif = json.loads(check(1, "check", name, "--message-format", "sarif")[0])
    (result, *_) = sarif["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "caf%E9.aqua"


def test_build_writes_one_file_a_function(check, project):
    check(0, "build", "good.aqua", "-o", "out/deep")
    assert sorted(os.listdir(project / "out/deep")) == ["good.f.air", "good.g.air"]
    assert (project / "out/deep/good.f.air").read_text().startswith("(xor")
    assert '"é"' in (project / "out/deep/good.g.air").read_text(encoding="utf-8")


def test_build_of_a_folder_keeps_its_shape(check, project):
    for name in ("a.aqua", "sub/a.aqua"):
        path = project / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GOOD, encoding="utf-8")
    check(0, "build", "src", "-o", "out", "--target", "air,json")
    written = sorted(p.relative_to(project / "out").as_posix() for p in (project / "out").rglob("*") if p.is_file())
    names = ("f.air", "g.air", "json")
    assert written == sorted(f"{stem}.{name}" for stem in ("a", "sub/a") for name in names)


def test_build_refuses_to_write_one_file_twice(check, project):
    for folder in ("x", "y"):
        (project / folder).mkdir()
        (project / folder / "a.aqua").write_text(GOOD, encoding="utf-8")
    _, err = check(2, "build", "x/a.aqua", "y/a.aqua", "-o", "out")
    assert "two of the given files would make a." in err
    assert not (project / "out").exists()


def test_failed_build_writes_nothing(check, project):
    check(1, "build", "good.aqua", "bad.aqua", "-o", "out")
    assert not (project / "out").exists()
    assert check(1, "build", "bad.aqua")[0] == ""


def test_build_prints(check):
    out, _ = check(0, "build", "good.aqua", "-o", "-")
    assert sorted(line for line in out.splitlines() if line.startswith("; ")) == ["; f", "; g"]
    for stage in ("raw", "model", "res", "air"):
        text, _ = check(0, "build", "good.aqua", "--emit", stage)
        assert sorted(line for line in text.splitlines() if line.startswith("; ")) == ["; f", "; g"]


def test_json_document(check):
    schema = json.loads(files("aquac").joinpath("schemas/compiled.schema.json").read_text(encoding="utf-8"))
    out, _ = check(0, "build", "good.aqua", "--target", "json", "-o", "-")
    document = json.loads(out)
    jsonschema.validate(document, schema)
    assert set(document["functions"]) == {"f", "g"}
    assert document["functions"]["f"]["funcDef"]["functionName"] == "f"
    assert document["errors"] == []
    failed = json.loads(check(1, "build", "bad.aqua", "--target", "json", "-o", "-")[0])
    jsonschema.validate(failed, schema)
    assert failed["functions"] == {}
    assert "AQ0201" in failed["errors"][0]


def test_call(check, project):
    schema = json.loads(files("aquac").joinpath("schemas/compiled.schema.json").read_text(encoding="utf-8"))
    document = json.loads(check(0, "call", "good.aqua", "f(1)")[0])
    jsonschema.validate(document, schema)
    assert "script" in document["functionCall"]
    (project / "data.json").write_text('{"n": 3}')
    assert json.loads(check(0, "call", "good.aqua", "f(n)", "--data-file", "data.json")[0])["functionCall"]
    assert json.loads(check(0, "call", "good.aqua", "f(n)", "--data", '{"n": 3}')[0])["functionCall"]
    check(0, "call", "good.aqua", "f(1)", "-o", "out/call.json")
    assert json.loads((project / "out/call.json").read_text())["functionCall"]["funcDef"]


def test_imports_and_constants(check, project):
    (project / "lib").mkdir()
    (project / "lib" / "l.aqua").write_text("aqua L declares *\n\nconst N ?= 1\n")
    (project / "main.aqua").write_text('aqua M\nimport "x/l"\nexport f\n\nfunc f() -> u8:\n  <- N\n')
    (project / "map.json").write_text(json.dumps({"/": {"x/": str(project / "lib")}}))
    check(1, "check", "main.aqua")
    check(0, "check", "main.aqua", "--imports", "map.json")
    (project / "roots" / "x").mkdir(parents=True)
    (project / "roots" / "x" / "l.aqua").write_text("aqua L declares *\n\nconst N ?= 1\n")
    check(0, "check", "main.aqua", "-I", "empty", "-I", "roots")
    out, _ = check(0, "build", "main.aqua", "--imports", "map.json", "--const", "N = 42")
    assert "42" in out


def test_flags_change_the_code(check):
    plain, _ = check(0, "build", "good.aqua")
    assert "-relay-" in plain
    assert "-relay-" not in check(0, "build", "good.aqua", "--no-relay")[0]
    assert "tracingSrv" not in check(0, "build", "calls.aqua")[0]
    assert "tracingSrv" in check(0, "build", "calls.aqua", "--tracing")[0]
    assert check(0, "build", "calls.aqua")[0] == check(0, "build", "calls.aqua", "--no-empty-response")[0]
    assert check(0, "build", "calls.aqua")[0] != check(0, "build", "calls.aqua", "--empty-response")[0]
    assert check(0, "build", "calls.aqua")[0] != check(0, "build", "calls.aqua", "--no-xor")[0]


def test_reference_defects(check, project):
    source = (
        'aqua M\n\nexport f\n\nservice Net("net"):\n  find(id: string) -> string\n\n'
        "func f(peer: string) -> string:\n  r <- Net.find(peer)\n  <- r\n"
    )
    (project / "method.aqua").write_text(source)
    assert '("net" "find") [-peer-arg-]' in check(0, "build", "method.aqua")[0]
    assert '("net" "find") ["net"]' in check(0, "build", "method.aqua", "--reference-defects")[0]
    assert r"(\"net\" \"find\") [\"net\"]" in check(0, "call", "method.aqua", 'f("p")', "--reference-defects")[0]


def test_legacy_headers(check, project):
    (project / "old.aqua").write_text("module M declares *\n\nfunc f():\n  x = 1\n")
    check(1, "check", "old.aqua")
    check(0, "check", "old.aqua", "--legacy-headers")


def test_directory_flag(check, project):
    (project / "sub").mkdir()
    (project / "sub" / "a.aqua").write_text(GOOD, encoding="utf-8")
    check(0, "-C", "sub", "check", "a.aqua")


def test_passed_over_files_are_named(check):
    assert "note.txt is passed over" in check(0, "check", "note.txt")[1]


def test_explain_knows_every_code(check):
    listed, _ = check(0, "explain")
    assert "AQ0101" in listed
    assert check(0, "explain", "aq0105")[0].startswith("# AQ0105")


def test_doctor(check):
    facts = json.loads(check(0, "doctor", "--json")[0])
    assert facts["problems"] == []
    assert set(facts["packages"]) == {"aquac", "avm", "lsp", "runtime"}
    assert "no problems" in check(0, "doctor")[0]


@pytest.mark.slow
def test_module_and_pipe(project):
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "aquac", "check", "bad.aqua"]
    found = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stdout == ""
    assert "\x1b" not in found.stderr
