"""`avm service repl`: lines in, answers out, and nothing but the end ends it."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys

import pytest

from runtime.cli import main
from tests.runtime.commands.test_service import MODULE
from tests.runtime.marine.kit import CORPUS, own

LONG_S = 120
AGAIN_S = 1


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.wasm").write_bytes(MODULE)
    return tmp_path


@pytest.fixture
def talk(place, capsys, monkeypatch):
    """Say lines to a service; what it prints on both streams, as lines."""

    def say(*lines, service=("m.wasm",), code=0):
        text = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
        assert main(["service", "repl", *service]) == code
        captured = capsys.readouterr()
        return captured.out.splitlines(), captured.err.splitlines()

    return say


def test_calls(talk):
    assert talk(
        'call echo ["hé"]', "call next", 'call echo {"text": "a b"}', "call next []", 'call echo "one" as m', "  call \t next  ",
        "call fail", "call next",
    )[0] == ['"hé"', "1", '"a b"', "2", '"one"', "3", "4"]  # fmt: skip
    assert talk("call\techo\t[1]\tas\tm", 'call\techo ["x"]\tas\tm\twith\t{}\t')[0] == ['"x"']


def test_another_module_and_parameters(talk):
    modules = [str(CORPUS / "modules" / f"{name}.wasm") for name in ("testkit", "facade")]
    given = {"particle": {"id": "one", "init_peer_id": "me"}}
    out, err = talk(
        "call pages as testkit", f"call call_params [] with {json.dumps(given)} as testkit", "call call_params as testkit",
        f"parameters {json.dumps(given)}", "call call_params as testkit", "parameters", "modules", 'call via_string ["x"]',
        service=modules,
    )  # fmt: skip
    assert err == []
    assert out[0] == "17"
    assert [json.loads(line)["particle"]["id"] for line in out[1:4]] == ["one", "", "one"]
    assert out[4:] == [json.dumps(given), '["testkit", "facade"]', '"x"']


def test_looking_at_it(talk):
    out, err = talk("memory", "envs", "envs m", "interface", "interface m", service=("m.wasm", "--env", "A=1"))
    assert err == []
    assert json.loads(out[0]) == [{"name": "m", "memory_size_bytes": 65536}]
    assert [json.loads(line) for line in out[1:3]] == [{"m": {"A": "1"}}] * 2
    aqua = out[3:]
    assert aqua[: len(aqua) // 2] == aqua[len(aqua) // 2 :]
    assert "  echo(text: string) -> string" in aqua


@pytest.mark.parametrize(("line", "error"), [
    ("bad", "unknown command `bad`; help lists them"), ("call", "call what? call FUNCTION [ARGUMENTS]"),
    ("call echo [1", "this is not JSON: [1"), ("call echo [] []", "expected `as MODULE` or `with PARAMETERS`, not `[]`"),
    ("call echo []x", "this is not JSON: []x"), ("call echo [NaN]", "expected value"), ("call echo " + "[" * 9000, "this is not JSON: [[["),
    ("call echo [1]", "invalid type: integer `1`, expected a string"), ("call none", "function with name `none` is missing"),
    ("call next as none", 'module with name "none" is missing'), ("call next as", "expected `as MODULE`"),
    ("call next with", "expected `as MODULE` or `with PARAMETERS`"), ("call next with 5", "call parameters: expected an object"),
    ("call next with x", "this is not JSON: x"), ("parameters 5", "call parameters: expected an object"),
    ("parameters x", "expected value at line 1"), ("interface none", 'module with name "none" is missing'),
    ("envs none", "no module is called `none`"), ("memory all", "nothing is expected behind the command, not `all`"),
    ("call fail", "unreachable"), ("call forever", "the call ran out of time"), ("\udcff", "unknown command"),
])  # fmt: skip
def test_errors_never_end_it(talk, line, error):
    out, err = talk(line, "call next", service=("m.wasm", "--timeout", "20ms", "-q"))
    assert out == ["1"]
    assert len(err) == 1
    assert err[0].startswith("error: ")
    assert error in err[0]


def test_messages_of_modules(talk):
    assert talk("call forever", service=("m.wasm", "--timeout", "20ms"))[1][0] == "[info] m: begun"


def test_its_end(talk):
    assert talk("quit", "call next") == ([], [])
    assert talk("exit", "call next") == ([], [])
    assert talk("", "# a remark", "  ") == ([], [])
    assert talk("help")[0][0].startswith("call FUNCTION")


def test_a_service_that_does_not_start_is_the_one_error(talk):
    _, err = talk("call next", service=("none.wasm",), code=2)
    assert (
        err == ["avm: error: engine error: cannot read none.wasm: No such file or directory"] or "none.wasm" in err[0]
    )


def test_reload(place, capsys, monkeypatch):
    """The files are read again; a service that does not start leaves the one that runs."""

    class Lines(io.StringIO):
        def readline(self, *_: object) -> str:
            return next(lines)

        def isatty(self) -> bool:
            return False

    def conversation():
        yield "call next\n"
        yield "call next\n"
        yield "reload\n"
        yield "call next\n"
        (place / "m.wasm").write_bytes(b"broken")
        yield "reload\n"
        yield "call next\n"
        (place / "m.wasm").write_bytes(own("demo.wat"))
        yield "reload\n"
        yield "call add [1, 2]\n"
        yield ""

    lines = conversation()
    monkeypatch.setattr(sys, "stdin", Lines())
    assert main(["service", "repl", "m.wasm"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == ["1", "2", "1", "2", "3"]
    assert captured.err == "error: engine error: Wasm backend error: magic header not detected: bad magic number\n"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
def test_on_a_terminal(place):
    """Lines are edited and completed; Ctrl-C forgets a line and stops a call, and ends nothing; lines are remembered."""
    leader, follower = pty.openpty()
    environment = os.environ | {"TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "avm", "service", "repl", "m.wasm"],
        stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    seen = b""

    def until(text: bytes) -> None:
        nonlocal seen
        while text not in seen:
            assert select.select([leader], [], [], LONG_S)[0], seen
            try:
                data = os.read(leader, 4096)
            except OSError:
                data = b""
            assert data, seen
            seen += data
        seen = seen.partition(text)[2]

    def interrupt() -> None:
        """Until it is noticed: readline loses a signal that comes between its last look and its wait for a key."""
        process.send_signal(signal.SIGINT)
        while not select.select([leader], [], [], AGAIN_S)[0]:
            process.send_signal(signal.SIGINT)

    try:
        until(b"help lists the commands")
        until(b"> ")
        os.write(leader, b"cal\tne\t\r")
        until(b"1\r\n> ")
        os.write(leader, b"call nex")
        until(b"call nex")
        interrupt()
        until(b"> ")
        os.write(leader, b"call forever\r")
        until(b"begun")
        interrupt()
        until(b"error: interrupted\r\n> ")
        os.write(leader, b"call next\r")
        until(b"2\r\n> ")
        os.write(leader, b"\x04")
        process.wait(timeout=LONG_S)
    finally:
        process.kill()
        process.wait()
    os.close(leader)
    assert process.returncode == 0
    history = place / "cache" / "aquac" / "service_history"
    assert history.stat().st_mode & 0o077 == 0
    assert "call forever" in history.read_text()
