"""Every command on bad input: one clear message on stderr, the documented exit code, no traceback, no half result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aquac.cli import main as aquac
from lsp.__main__ import main as aqua_lsp
from runtime.cli import main as avm

NOBODY = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWPt1SKAjmmvQ78dzjQhqgY6PK6KnffK1CS223kfyXiy5w"
LONG = "x" * 300
COMMANDS = {"aquac": aquac, "avm": avm, "aqua-lsp": aqua_lsp}

# command line, exit code, what the message must contain
ROWS = [
    ("aquac", 2, "usage"),
    ("aquac frob", 2, "frob"),
    ("aquac build", 2, "PATH"),
    ("aquac build missing.aqua", 2, "missing.aqua"),
    ("aquac build syntax.aqua", 1, "AQ0101"),
    ("aquac build latin.aqua", 1, "AQ0111"),
    ("aquac build types.aqua", 1, "AQ0304"),
    ("aquac build ok.aqua --nope", 2, "--nope"),
    ("aquac build ok.aqua --target nope", 2, "targets are"),
    ("aquac build ok.aqua --const bad", 1, "AQ0133"),
    ("aquac build ok.aqua -I nowhere", 2, "nowhere"),
    ("aquac build ok.aqua --imports missing.json", 2, "missing.json"),
    ("aquac build ok.aqua --imports latin.aqua", 2, "latin.aqua"),
    ("aquac build ok.aqua -o ok.aqua/below", 2, "cannot write"),
    ("aquac check missing.aqua", 2, "missing.aqua"),
    ("aquac check latin.aqua", 1, "AQ0111"),
    ("aquac check syntax.aqua", 1, "AQ0101"),
    ("aquac explain AQ9999", 2, "AQ9999"),
    ("aquac -C nowhere check ok.aqua", 2, "nowhere"),
    ("aquac call ok.aqua g()", 1, "AQ0134"),
    ("aquac call ok.aqua f(", 1, "AQ0134"),
    ("avm", 2, "COMMAND"),
    ("avm frob", 2, "frob"),
    ("avm run", 2, "FILE"),
    ("avm run missing.aqua -f f()", 2, "missing.aqua"),
    ("avm run syntax.aqua -f f()", 1, "AQ0101"),
    ("avm run latin.aqua -f f()", 1, "AQ0111"),
    ("avm run ok.aqua -f g()", 2, "no function `g`"),
    ("avm run ok.aqua -f f(", 2, "f("),
    ("avm run ok.aqua -f f(1)", 2, "argument"),
    ("avm run ok.aqua -f f() --nope", 2, "--nope"),
    ("avm run ok.aqua -f f() --relay garbage", 2, "garbage"),
    ("avm run ok.aqua -f f() --relay sim:x", 2, "sim:x"),
    ("avm run ok.aqua -f f() --relay sim:0000000000999999", 2, "up to"),
    ("avm run ok.aqua -f f() --relay /ip4/127.0.0.1/tcp/1", 2, "/p2p/"),
    ("avm run ok.aqua -f f() --timeout=-1s", 2, "--timeout -1s"),
    ("avm run ok.aqua -f f() --ttl soon", 2, "soon"),
    ("avm run ok.aqua -f f() --service S=missing.py", 2, "missing.py"),
    ("avm run ok.aqua -f f() --service S", 2, "NAME="),
    ("avm run ok.aqua -f f() --service S=exits.py", 2, "exits.py:2: SystemExit: 3"),
    ("avm run ok.aqua -f f() --sk nonsense", 2, "nonsense"),
    ("avm run ok.aqua -f f() --data {", 2, "--data"),
    ("avm run ok.aqua -f f() --data-file missing.json", 2, "missing.json"),
    ("avm run bytes.air", 2, "bytes.air"),
    ("avm run broken.air", 3, "air can't be parsed"),
    ("avm invoke missing.jsonl", 2, "missing.jsonl"),
    ("avm parse missing.air", 2, "missing.air"),
    ("avm parse bytes.air", 2, "not UTF-8"),
    ("avm parse broken.air", 1, 'expected ")"'),
    ("avm beautify broken.air", 1, 'expected ")"'),
    ("avm disasm broken.air", 1, 'expected ")"'),
    ("avm disasm missing.air", 2, "missing.air"),
    ("avm data missing.data", 2, "missing.data"),
    ("avm data broken.air", 6, "deserialize"),
    ("avm exec missing.air", 2, "missing.air"),
    ("avm key show nonsense", 2, "nonsense"),
    ("avm key new a --key-dir ok.aqua", 2, "ok.aqua"),
    ("avm key new a --key-dir ok.aqua/below", 2, "ok.aqua/below"),
    ("avm peer", 2, "COMMAND"),
    ("avm peer run --nope", 2, "--nope"),
    ("avm peer run --config missing.toml", 2, "missing.toml"),
    ("avm peer run --config unknown.toml", 2, "`colour`"),
    ("avm peer run --config wrong.toml", 2, "wrong.toml"),
    ("avm peer run --key nonsense", 2, "nonsense"),
    ("avm peer run --http nonsense", 2, "nonsense"),
    ("avm peer run --management nonsense", 2, "nonsense"),
    ("avm peer run --bootstrap nonsense", 2, "nonsense"),
    ("avm peer run --bootstrap /ip4/127.0.0.1/tcp/1", 2, "/p2p/"),
    (f"avm run {LONG}.aqua", 2, f"cannot look at {LONG}.aqua: File name too long"),
    (f"avm run ok.aqua --service S={LONG}.py", 2, f"cannot look at {LONG}.py: File name too long"),
    (f"avm key show {LONG}", 2, f"cannot look at {LONG}: File name too long"),
    (f"avm peer state {LONG}", 2, "File name too long"),
    (f"avm service call {LONG} -f f", 2, "File name too long"),
    (f"avm invoke --engine reference --wasm {LONG}", 2, "File name too long"),
    ("aqua-lsp --nope", 2, "--nope"),
    ("aqua-lsp --tcp nonsense", 2, "nonsense"),
]
NEEDS_P2P = [
    ("avm peer run --listen garbage", 2, "garbage"),
    (f"avm run ok.aqua -f f() --relay {NOBODY}", 5, "cannot"),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    header = "aqua Main\n\nexport f\n\n"
    (tmp_path / "ok.aqua").write_text(header + "func f() -> u8:\n  <- 1\n")
    (tmp_path / "syntax.aqua").write_text(header + "func f( -> u8:\n  <- 1\n")
    (tmp_path / "types.aqua").write_text(header + "func f() -> string:\n  <- 1\n")
    (tmp_path / "latin.aqua").write_bytes(b"aqua M\xfcnchen\n")
    (tmp_path / "exits.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "broken.air").write_text("(null")
    (tmp_path / "bytes.air").write_bytes(b"\xff\xfe")
    (tmp_path / "unknown.toml").write_text('colour = "red"\n')
    (tmp_path / "wrong.toml").write_text("listen = \n")
    return tmp_path


def check(line: str, code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, *words = line.split(" ")
    assert COMMANDS[program](words) == code
    out, err = capsys.readouterr()
    assert message in err
    assert "Traceback" not in err
    # `aquac call` prints the reference's result document, which has a field for errors
    assert out == "" or line.startswith("aquac call")


@pytest.mark.parametrize(("line", "code", "message"), ROWS, ids=lambda v: v if isinstance(v, str) else None)
def test_one_message_and_its_code(line: str, code: int, message: str, place: Path, capsys) -> None:
    check(line, code, message, capsys)


@pytest.mark.p2p
@pytest.mark.slow
@pytest.mark.parametrize(("line", "code", "message"), NEEDS_P2P)
def test_network(line: str, code: int, message: str, place: Path, capsys) -> None:
    check(line, code, message, capsys)


@pytest.mark.parametrize("line", [f"avm run ok.aqua -f f() --relay {NOBODY}", "avm peer run"])
def test_missing_extra_is_named(line: str, place: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libp2p", None)  # what an import system without it answers
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    check(line, 2, "needs the extra `p2p`", capsys)


def test_a_service_that_wants_to_exit_is_an_error_of_the_program(place: Path, capsys) -> None:
    (place / "s.aqua").write_text(
        'aqua M\n\nexport f\n\nservice S("s"):\n  go() -> u8\n\nfunc f() -> u8:\n  x <- S.go()\n  <- x\n'
    )
    (place / "s.py").write_text("def go():\n    raise SystemExit(7)\n")
    check("avm run s.aqua -f f() --service S=s.py", 3, "Service call failed", capsys)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_named(place: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aquac", "-q", "build", "ok.aqua"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("aquac: error: cannot write the result: ")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_takes_only_a_part_is_full(place: Path, unbuffered: str) -> None:
    resource = pytest.importorskip("resource")
    (place / "long.air").write_text('(ap "' + "x" * 100_000 + '" x)')
    # the limit is the child's only: a file may have 64 KiB, and what is more is refused by the system
    limit = f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (65536, {resource.RLIM_INFINITY}))"
    with open("out", "w") as out:
        done = subprocess.run(
            [sys.executable, "-c", f"{limit}; from runtime.cli import main; sys.exit(main(['parse', 'long.air']))"],
            check=False,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered, "PYTHONDONTWRITEBYTECODE": "1"},  # nor half of those
        )
    assert done.stderr.startswith("avm: error: cannot write the result: ")
    assert done.returncode == 2


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("closed", ["stdin", "stdout", "stderr"])
def test_closed_streams(closed: str, place: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, closed, None)
    assert aquac(["check", "syntax.aqua"]) == 1
    if closed == "stdin":
        for words in (["invoke"], ["parse", "-"]):
            assert avm(words) == 2
            assert "standard input is closed" in capsys.readouterr().err


def test_a_malformed_line_is_answered_with_its_id_where_that_is_whole(place: Path, capsys) -> None:
    lines = [
        '{"id": 7, "air":',
        '{"id": "a b", "air": NaN}',
        '{"id": NaN, "air": ""}',
        '{"id": "x\\n", ',
        '{"air": "',
        "[" * 100_000,
    ]
    (place / "lines.jsonl").write_bytes("\n".join(lines).encode() + b'\n{"id": -1, "air": "\xff"}\n')
    assert avm(["invoke", "lines.jsonl"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["id"] for answer in answers] == [7, "a b", None, None, None, None, -1]
    assert "NaN is not JSON" in answers[1]["error"]
    assert "UTF-8" in answers[6]["error"]


def test_a_malformed_line_does_not_stop_invoke(place: Path, capsys) -> None:
    (place / "lines.jsonl").write_text('{"id": "one"}\nnonsense\n{"id": "two", "air": 1}\n')
    avm(["invoke", "lines.jsonl"])
    assert len(capsys.readouterr().out.splitlines()) == 3
