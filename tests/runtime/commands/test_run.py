"""`avm run`: results, the document of --json, exit codes, and every way to call it wrongly."""

from __future__ import annotations

import json

import pytest

from runtime.cli import main
from runtime.local import peer_ids

PROGRAM = """
aqua Program declares *

export greet, pair, divide, forget, lost, far, callTwice, local, wait, maybe

service Op("op"):
    concat_strings(a: string, b: string) -> string
    identity(s: string) -> string

service Math("math"):
    div(x: i64, y: i64) -> i64

service Peer("peer"):
    timeout(duration_ms: u64, message: string) -> string

service Local("local-service"):
    twice(s: string) -> string

func greet(name: string) -> string:
    on HOST_PEER_ID:
        r <- Op.concat_strings("hello, ", name)
    <- r

func pair(x: u8, y: ?string) -> u8, ?string:
    <- x, y

func maybe(y: ?string) -> bool:
    <- y == nil

func divide(x: i64, y: i64) -> i64:
    on HOST_PEER_ID:
        r <- Math.div(x, y)
    <- r

func forget():
    r <- Op.identity("x")

func lost() -> string:
    stream: *string
    join stream[3]
    <- stream[3]

func far(peer: string) -> string:
    on peer via HOST_PEER_ID:
        r <- Op.identity("far")
    <- r

func callTwice(cb: string -> string, s: string) -> string:
    a <- cb(s)
    b <- cb(a)
    <- b

func local(s: string) -> string:
    <- Local.twice(s)

func wait(ms: u64) -> string:
    <- Peer.timeout(ms, "waited")

func hidden(x: u8) -> u8:
    <- x
"""

STRANGER = "12D3KooWANqfCDrV79MZdMnMqTvDdqSAPSxdgFY1L6DCq2DVGB4D"


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Run `avm run` in a folder with the program; exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVM_KEY_DIR", str(tmp_path / "keys"))
    (tmp_path / "program.aqua").write_text(PROGRAM, encoding="utf-8")

    def run(*args):
        code = main(["run", "-q", *args])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return run


def result(check, *args):
    code, out, err = check("program.aqua", *args)
    assert code == 0, err
    return json.loads(out)


def refused(check, *args, code=2, says=""):
    """The command fails with this code, says this on stderr, and prints nothing on stdout."""
    got, out, err = check(*args)
    assert (got, out) == (code, ""), err
    assert says in err
    assert err.startswith("avm: error: ") or code == 1
    return err


def test_results(check):
    assert result(check, "-f", 'greet("world")') == "hello, world"
    assert result(check, "-f", 'pair(3, "x")') == [3, "x"]
    assert result(check, "-f", "pair(3, nil)") == [3, None]
    assert result(check, "-f", "forget()") is None


def test_variables(check, tmp_path):
    (tmp_path / "data.json").write_text('{"user": {"name": "ann"}, "n": 1}', encoding="utf-8")
    assert result(check, "-f", "greet(user.name)", "--data-file", "data.json") == "hello, ann"
    assert result(check, "-f", "greet(name)", "--arg", 'name="b=b"') == "hello, b=b"
    assert result(check, "-f", "greet(name)", "--data", '{"name": "a"}', "--arg", 'name="b"') == "hello, b"
    assert result(check, "-f", "pair", "--data", '{"x": 7}') == [7, None]


def test_peers_are_variables(check):
    assert result(check, "--relay", "sim:2", "-f", "far(peer2)") == "far"
    assert result(check, "-f", "far(relay)") == "far"


def test_services_and_callbacks(check, tmp_path):
    (tmp_path / "code.py").write_text("def twice(s): return s + s\ndef cb(s): return f'<{s}>'\n", encoding="utf-8")
    assert result(check, "-f", 'local("ab")', "--service", "Local=code.py") == "abab"
    assert result(check, "-f", 'callTwice(cb, "x")', "--callback", "cb=code.py") == "<<x>>"
    assert result(check, "-f", 'callTwice(f, "x")', "--callback", "f=code.py:cb") == "<<x>>"


def test_a_script(check, tmp_path):
    script = """(seq (call %init_peer_id% ("getDataSrv" "x") [] x)
                     (call %init_peer_id% ("callbackSrv" "response") [x 2]))"""
    (tmp_path / "two.air").write_text(script, encoding="utf-8")
    (tmp_path / "none.air").write_text('(call %init_peer_id% ("op" "noop") [])', encoding="utf-8")
    (tmp_path / "bad.air").write_text("(seq", encoding="utf-8")
    assert check("two.air", "--arg", "x=1")[:2] == (0, "[\n  1,\n  2\n]\n")
    assert check("none.air")[:2] == (0, "null\n")
    err = refused(check, "bad.air", code=3)
    assert "air can't be parsed" in err


def test_the_document(check):
    code, out, _ = check("program.aqua", "-f", 'greet("x")', "--json")
    document = json.loads(out)
    assert code == 0
    assert list(document) == ["result", "particle_id", "elapsed_ms", "error"]
    assert (document["result"], document["error"]) == ("hello, x", None)
    assert len(document["particle_id"]) == 36
    assert isinstance(document["elapsed_ms"], int)


def test_an_error_of_the_program(check):
    code, out, err = check("program.aqua", "-f", "divide(1, 0)", "--json")
    document = json.loads(out)
    assert (code, err, document["result"]) == (3, "", None)
    error = document["error"]
    assert list(error) == ["code", "message", "peer_id", "instruction", "source"]
    assert error["code"] == 10000
    assert "i64 div overflow" in error["message"]
    assert error["peer_id"] == peer_ids(0)["relay"]
    assert '("math" "div")' in error["instruction"]
    line = 1 + PROGRAM.splitlines().index("        r <- Math.div(x, y)")
    assert error["source"]["file"].endswith("program.aqua")
    assert error["source"]["line"] == line
    err = refused(check, "program.aqua", "-f", "divide(1, 0)", code=3, says="i64 div overflow")
    assert f"program.aqua:{line}" in err


PASSED_ON = """aqua Passed

export f

service Absent("absent"):
  ask(x: i64) -> i64

func f(x: i64) -> i64:
  if x > 0:
    if x > 1:
      r <- Absent.ask(
        x)
  <- x
"""


def test_an_error_inside_if_has_the_place_of_what_failed(check, tmp_path):
    """`if` passes errors on inside errors of its own."""
    (tmp_path / "passed.aqua").write_text(PASSED_ON)
    error = json.loads(check("passed.aqua", "-f", "f(2)", "--json")[1])["error"]
    assert (error["code"], error["instruction"]) == (10006, "fail -if-error-")
    assert error["source"]["line"] == 1 + PASSED_ON.splitlines().index("      r <- Absent.ask(")
    err = refused(check, "passed.aqua", "-f", "f(2)", code=3, says="because of: Local service error")
    assert '("absent" "ask")' in err


def test_a_compiled_script_finds_its_source_map(check, tmp_path):
    from aquac import cli

    assert cli.main(["build", str(tmp_path / "program.aqua"), "-o", str(tmp_path), "--source-map", "-q"]) == 0
    arguments = ("program.divide.air", "--arg", "x=1", "--arg", "y=0", "--json")
    error = json.loads(check(*arguments)[1])["error"]
    assert error["source"]["file"] == str(tmp_path / "program.aqua")
    assert error["source"]["line"] == 1 + PROGRAM.splitlines().index("        r <- Math.div(x, y)")
    (tmp_path / "program.divide.air.map").write_text('{"version": 1, "sources": [], "mappings": [[1]]}')
    assert json.loads(check(*arguments)[1])["error"]["source"] is None


def test_a_service_nobody_serves(check):
    refused(check, "program.aqua", "-f", 'local("x")', code=3, says="No service found for service call")


def test_an_unreachable_peer(check):
    refused(check, "program.aqua", "-f", f'far("{STRANGER}")', code=5, says=f"peer {STRANGER} cannot be reached")
    code, out, _ = check("program.aqua", "-f", f'far("{STRANGER}")', "--json")
    assert (code, json.loads(out)["error"]["code"]) == (5, "unreachable")


def test_a_peer_id_that_is_none(check):
    refused(check, "program.aqua", "-f", 'far("nobody")', code=5, says="`nobody` is no peer id")


def test_prints_of_service_files_go_to_stderr(check, tmp_path):
    (tmp_path / "code.py").write_text(
        "print('loading')\ndef twice(s):\n    print('called')\n    return s\n", encoding="utf-8"
    )
    code, out, err = check("program.aqua", "-f", 'local("x")', "--service", "Local=code.py")
    assert (code, out, err) == (0, '"x"\n', "loading\ncalled\n")


def test_a_program_that_waits_in_vain(check):
    refused(check, "program.aqua", "-f", "lost()", code=4, says="came to rest without a result")


def test_time_is_up(check):
    code, out, _ = check("program.aqua", "-f", "wait(60000)", "--timeout", "50ms", "--json")
    document = json.loads(out)
    assert (code, document["error"]["code"]) == (4, "timeout")
    assert document["particle_id"] is not None
    refused(
        check, "program.aqua", "-f", "wait(60000)", "--ttl", "50", code=4, says="Particle expired after ttl of 50ms"
    )


def test_print_air_goes_to_stderr(check):
    code, out, err = check("program.aqua", "-f", 'greet("x")', "--print-air")
    assert (code, json.loads(out)) == (0, "hello, x")
    assert '("op" "concat_strings")' in err


def test_print_peers(check):
    code, out, _ = check("--relay", "sim:2", "--print-peers")
    assert (code, json.loads(out)) == (0, peer_ids(2))
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    code, out, _ = check("--print-peers", "--sk", key)
    assert json.loads(out)["client"] == "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"


def test_diagnostics(check, tmp_path):
    (tmp_path / "bad.aqua").write_text(
        "aqua Bad declares *\nexport f\nfunc f() -> string:\n  <- nothing\n", encoding="utf-8"
    )
    err = refused(check, "bad.aqua", "-f", "f()", code=1)
    assert "bad.aqua:4" in err


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "no FILE given"),
        (["missing.aqua", "-f", "f()"], "no such file: missing.aqua"),
        (["missing.air"], "cannot read script missing.air"),
        (["program.aqua"], "which function?"),
        (["program.aqua", "-f", "hidden(1)"], "function `hidden` is not exported"),
        (["program.aqua", "-f", "gret()"], "did you mean `greet`?"),
        (["program.aqua", "-f", "greet()"], "`greet(name: string)` takes 1 argument, 0 given"),
        (["."], "error: . is a folder"),
        (["program.aqua", "-f", "greet"], "no value for `name`\n  call it as -f 'greet(name)', or use --arg"),
        (["program.aqua", "-f", "greet(1)"], "argument `name`: expected string, got the number 1"),
        (["program.aqua", "-f", 'pair(300, "x")'], "argument `x`: expected u8, got the number 300"),
        (["program.aqua", "-f", "greet(who)"], "variable `who` has no value"),
        (["program.aqua", "-f", "greet("], "expected a value"),
        (["program.aqua", "-f", 'callTwice("x", "y")'], "argument `cb` is a function: string -> string"),
        (
            ["program.aqua", "-f", "greet(cb)", "--callback", "cb=print"],
            "argument `name`: expected string, got the function `cb`",
        ),
        (["program.aqua", "-f", "greet(x)", "--arg", "x=bob"], "a string needs quotes: 'x=\"bob\"'"),
        (["program.aqua", "-f", "greet(x)", "--arg", "x=bøb"], "a string needs quotes: 'x=\"bøb\"'"),
        (["program.aqua", "-f", "greet(x)", "--arg", "x"], "expected NAME=JSON"),
        (["program.aqua", "-f", "greet(x)", "--data", "[]"], "expected a JSON object"),
        (["program.aqua", "-f", "greet(x)", "--data", "{"], "not JSON"),
        (["program.aqua", "-f", "greet(x)", "--data", "[" * 1000], "not JSON"),
        (["program.aqua", "-f", "greet(x)", "--data-file", "missing.json"], "cannot read data file missing.json"),
        (["program.aqua", "-f", "greet(x)", "--data", "{}", "--data-file", "x"], "not allowed with argument"),
        (["program.aqua", "-f", 'greet("x")', "--ttl", "soon"], "--ttl soon: expected a time"),
        (["program.aqua", "-f", 'greet("x")', "--ttl", "0"], "expected a time above 0"),
        (["program.aqua", "-f", 'greet("x")', "--ttl", "9999999999"], "expected a time above 0 and up to"),
        (["program.aqua", "-f", 'greet("x")', "--timeout", "1 day"], "--timeout 1 day: expected a time"),
        (["program.aqua", "-f", 'greet("x")', "--relay", "sim:"], "expected sim:N with N up to 1000"),
        (["program.aqua", "-f", 'greet("x")', "--relay", "sim:1001"], "expected sim:N with N up to 1000"),
        (["program.aqua", "-f", 'greet("x")', "--relay", "somewhere"], "expected a multiaddress, `local` or `sim:N`"),
        (["program.aqua", "-f", 'greet("x")', "--sk", "nothing"], "neither a secret key nor a file"),
        (["program.aqua", "-f", 'greet("x")', "--service", "Op"], "expected NAME=file"),
        (["program.aqua", "-f", 'greet("x")', "--service", "Op=missing.py"], "missing.py: no such file"),
        (["program.aqua", "-f", 'greet("x")', "-I", "nowhere"], "import folder nowhere does not exist"),
        (["program.aqua", "-f", 'greet("x")', "--imports", "nowhere.json"], "cannot read import map"),
        (["program.aqua", "-f", 'greet("x")', "--engine", "other"], "invalid choice"),
        (["program.aqua", "-f", 'greet("x")', "--engine", "reference", "--wasm", "missing.wasm"], "missing.wasm"),
        (["program.aqua", "-f", 'greet("x")', "--unknown"], "unrecognized arguments"),
        (
            ["--print-peers", "--relay", f"/ip4/127.0.0.1/tcp/1/p2p/{STRANGER}"],
            "--print-peers lists the peers of an in-process network",
        ),
    ],
)
def test_wrong_calls(check, args, says):
    refused(check, *args, says=says)


def test_a_service_on_a_peer_that_is_not_there(check, tmp_path):
    (tmp_path / "code.py").write_text("def twice(s): return s + s\n", encoding="utf-8")
    refused(
        check, "program.aqua", "-f", 'local("x")', "--service", "Local@peer1=code.py",
        says="there is no peer `peer1` (peers: client, relay)",
    )  # fmt: skip


@pytest.mark.p2p
@pytest.mark.slow
def test_a_relay_that_does_not_answer(check):
    refused(
        check, "program.aqua", "-f", 'greet("x")', "--relay", f"/ip4/127.0.0.1/tcp/1/p2p/{STRANGER}",
        code=5, says="cannot be reached",
    )  # fmt: skip


def test_without_the_extra(check, monkeypatch):
    monkeypatch.setattr("runtime.protocol.p2p.p2p_installed", lambda: False)
    err = refused(check, "program.aqua", "-f", 'greet("x")', "--relay", f"/ip4/127.0.0.1/tcp/1/p2p/{STRANGER}")
    assert "avm run --relay needs the" in err
    assert "pip install 'aquac[p2p]'" in err
