"""The compile façade: results, diagnostics instead of exceptions, what is loaded when."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from aquac import Options, compile_bundle, compile_call, compile_path, compile_source

SERVICE = 'service Echo("echo"):\n  say(s: string) -> string\n'
HELLO = f"""aqua Hello declares *
export hello, Echo
{SERVICE}
func hello(name: string) -> string:
  r <- Echo.say(name)
  <- r
"""


def check(compiled, *, functions=(), codes=()):
    assert [d.code.id for d in compiled.diagnostics] == list(codes)
    assert compiled.ok is (not codes)
    assert list(compiled.functions) == list(functions)
    return compiled


def test_modules_beside_a_cycle_are_checked_before_it_is_reported():
    files = {
        "main.aqua": 'aqua M\nimport "a"\nimport "wrong"\n',
        "a.aqua": 'aqua A\nimport "main"\n',
        "wrong.aqua": "aqua Wrong\n\nalias T: Nothing\n",
    }
    check(compile_bundle(files, "main.aqua"), codes=["AQ0206", "AQ0122"])
    # Nothing is said about the modules of the cycle themselves.
    both = files | {"a.aqua": files["a.aqua"] + "alias U: Nobody\n"}
    check(compile_bundle(both, "main.aqua"), codes=["AQ0206", "AQ0122"])
    check(compile_bundle(files | {"wrong.aqua": "aqua Right\n"}, "main.aqua"), codes=["AQ0122"])


def test_a_text_becomes_script_and_definition():
    compiled = check(compile_source(HELLO), functions=["hello"])
    function = compiled.functions["hello"]
    assert function.script == (
        "(xor\n"
        " (seq\n"
        "  (seq\n"
        "   (seq\n"
        '    (call %init_peer_id% ("getDataSrv" "-relay-") [] -relay-)\n'
        '    (call %init_peer_id% ("getDataSrv" "name") [] -name-arg-)\n'
        "   )\n"
        '   (call %init_peer_id% ("echo" "say") [-name-arg-] ret)\n'
        "  )\n"
        '  (call %init_peer_id% ("callbackSrv" "response") [ret])\n'
        " )\n"
        ' (call %init_peer_id% ("errorHandlingSrv" "error") [:error: 0])\n'
        ")\n"
    )
    assert function.definition["functionName"] == "hello"
    assert function.path.endswith("source.aqua")
    assert compiled.services["Echo"]["defaultServiceId"] == "echo"


def test_json_document():
    document = compile_source(HELLO).to_json()
    assert list(document) == ["functions", "services", "errors", "warnings"]
    assert list(document["functions"]["hello"]) == ["script", "funcDef"]
    assert json.loads(json.dumps(document)) == document


def test_options_change_the_code():
    script = compile_source(HELLO, options=Options(no_relay=True)).functions["hello"].script
    assert "-relay-" not in script
    silent = "aqua M declares *\nexport f\nfunc f():\n  x = 1\n"
    assert "response" not in compile_source(silent).functions["f"].script
    assert "response" in compile_source(silent, options=Options(no_empty_response=False)).functions["f"].script


def test_constants_are_visible_everywhere():
    source = "aqua M declares *\nexport f\nfunc f() -> string:\n  <- WHO\n"
    compiled = check(compile_source(source, constants=['WHO = "me"']), functions=["f"])
    assert '["me"]' in compiled.functions["f"].script
    check(compile_source(source, constants=["who = 1"]), codes=["AQ0133"])


def test_files_in_memory_import_each_other():
    files = {
        "main.aqua": 'aqua Main declares *\nimport "lib.aqua"\nexport hello as greet\n',
        "lib.aqua": HELLO.replace("export hello, Echo\n", ""),
    }
    compiled = check(compile_bundle(files, "main.aqua"), functions=["greet"])
    assert compiled.files == ("lib.aqua", "main.aqua")
    assert compiled.functions["greet"].definition["functionName"] == "greet"


def test_imports_are_looked_for_in_the_given_folders():
    files = {"main.aqua": 'aqua Main declares *\nimport "lib.aqua"\nexport hello\n', "vendor/lib.aqua": HELLO}
    check(compile_bundle(files, "main.aqua"), codes=["AQ0120"])
    check(compile_bundle(files, "main.aqua", imports=["vendor"]), functions=["hello"])
    check(compile_bundle(files, "main.aqua", imports={"/": {"": "vendor"}}), functions=["hello"])


def test_imports_of_the_wrong_shape_are_a_diagnostic():
    check(compile_source(HELLO, imports={"/": 5}), codes=["AQ0120"])  # type: ignore[dict-item]


def test_a_folder_is_compiled_whole(tmp_path):
    (tmp_path / "a.aqua").write_text(HELLO)
    (tmp_path / "b.aqua").write_text(HELLO.replace("hello", "bye").replace("Hello", "Bye"))
    check(compile_path(tmp_path), functions=["hello", "bye"])


def test_only_given_files_produce_output(tmp_path):
    (tmp_path / "lib.aqua").write_text(HELLO)
    (tmp_path / "main.aqua").write_text('aqua Main declares *\nimport "lib.aqua"\nexport f\nfunc f() -> u8:\n  <- 1\n')
    check(compile_path(tmp_path / "main.aqua"), functions=["f"])


BAD = {
    "syntax": ("aqua M declares *\nfunc f(:\n", "AQ0101"),
    "name": ("aqua M declares *\nexport f\nfunc f() -> string:\n  <- nope\n", "AQ0201"),
    "type": ('aqua M declares *\nexport f\nfunc f() -> u8:\n  <- "a"\n', "AQ03"),
    "binary": ("\x00\x01\x02", "AQ01"),
    "export": ("aqua M declares *\nexport nope\n", "AQ0129"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_source_is_a_diagnostic_with_its_place(name):
    source, code = BAD[name]
    compiled = compile_source(source)
    assert not compiled.ok
    assert not compiled.functions
    first = compiled.diagnostics[0]
    assert first.code.id.startswith(code)
    assert first.file is not None
    assert first.span is not None
    assert compiled.to_json()["errors"][0].startswith(f"{first.file.path}:")


def test_a_missing_file_is_a_diagnostic(tmp_path):
    check(compile_path(tmp_path / "nope.aqua"), codes=["AQ0110"])


def test_modules_that_import_each_other_are_a_diagnostic():
    files = {
        "a.aqua": 'aqua A declares *\nimport "b.aqua"\n',
        "b.aqua": 'aqua B declares *\nimport "a.aqua"\n',
    }
    check(compile_bundle(files, "a.aqua"), codes=["AQ0122"])


def test_one_call():
    compiled = compile_call({"main.aqua": HELLO}, "hello(who)", data={"who": "me"})
    assert compiled.ok
    assert compiled.call is not None
    assert list(compiled.call.definition["arrow"]["domain"]["fields"]) == ["who"]
    assert '("getDataSrv" "who") [] -who-arg-)' in compiled.call.script
    document = compiled.to_json()
    assert document["functions"] == document["services"] == {}
    assert list(document["functionCall"]) == ["script", "funcDef"]


def test_a_call_takes_the_name_of_the_function_as_exported():
    source = HELLO.replace("export hello, Echo", "export hello as greet")
    call = compile_call({"main.aqua": source}, 'greet("me")').call
    assert call is not None
    assert call.definition["functionName"] == "greetRun"
    assert not compile_call({"main.aqua": source}, 'hello("me")').ok


def test_a_method_of_an_exported_service_can_be_called():
    call = compile_call({"main.aqua": HELLO}, 'Echo.say("me")').call
    assert call is not None
    assert '("echo" "say") ["me"] ret)' in call.script


@pytest.mark.parametrize("call", ["", "nope()", "hello()", "hello(1)", "hello(x)", "hello(hello())", "Echo.nope()"])
def test_a_bad_call_is_a_diagnostic(call):
    compiled = compile_call({"main.aqua": HELLO}, call)
    assert compiled.call is None
    assert [d.code.id for d in compiled.diagnostics] == ["AQ0134"]


def test_a_call_of_a_broken_file_reports_the_file():
    compiled = compile_call({"main.aqua": "aqua M declares *\nexport f\nfunc f():\n  g()\n"}, "f()")
    assert [d.code.id for d in compiled.diagnostics] == ["AQ0202"]


def test_importing_the_package_loads_no_stage():
    code = "import aquac, sys; print([m for m in sys.modules if m.startswith('aquac.') or m == 'lark'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_compiling_loads_nothing_but_the_compiler():
    code = (
        "import sys; from aquac import compile_source; assert compile_source('aqua M declares *\\n').ok;"
        "heavy = {'trio', 'libp2p', 'llvmlite', 'wasmtime', 'pygls', 'avm', 'runtime', 'lsp'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_deep_nesting_is_a_diagnostic_or_compiles():
    for depth in (100, 250, 2_000):
        parens = "(" * depth + "1" + ")" * depth
        source = f"aqua M declares *\nexport f\nfunc f() -> u32:\n  x = {parens}\n  <- x\n"
        compiled = compile_source(source)
        assert compiled.ok or compiled.diagnostics[0].code.id == "AQ0109"


@pytest.mark.slow
def test_long_chains_of_functions_and_statements_compile():
    chain = "".join(f"func f{i}() -> string:\n  r <- f{i - 1}()\n  <- r\n" for i in range(1, 151))
    body = '  Echo.say("x")\n' * 300
    source = (
        f'aqua M declares *\nexport f150, long\n{SERVICE}func long():\n{body}func f0() -> string:\n  <- "end"\n{chain}'
    )
    compiled = compile_source(source)
    assert compiled.ok
    assert list(compiled.functions) == ["long", "f150"]
    assert compiled.functions["long"].script.count('"say"') == 300
    assert '["end"]' in compiled.functions["f150"].script
