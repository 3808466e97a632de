"""`avm invoke --record` and `avm replay`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from avm.crypto.keys import KeyPair
from runtime.cli import main

SEED = bytes(range(32))
PEER = KeyPair(SEED).peer_id
AIR = f'(seq (call "{PEER}" ("s" "f") [1.5 "é"] x) (call "{PEER}" ("s" "g") [x]))'
PARAMS = {
    "init_peer_id": PEER,
    "current_peer_id": PEER,
    "timestamp": 1,
    "ttl": 2,
    "particle_id": "replay",
    "secret_key_bytes": base64.b64encode(SEED).decode(),
}


@pytest.fixture
def recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Three runs: a request, its result, a failure; a malformed line that is not recorded."""
    source, target = tmp_path / "lines.jsonl", tmp_path / "recorded.jsonl"
    source.write_text(json.dumps({"id": 1, "air": AIR, "params": PARAMS}) + "\n", encoding="utf-8")
    assert main(["invoke", str(source)]) == 0
    first = json.loads(capsys.readouterr().out)
    lines = [
        {"id": 1, "air": AIR, "params": PARAMS},
        {"id": 2},
        {
            "id": 3,
            "air": AIR,
            "params": PARAMS,
            "prev_data": first["data"],
            "call_results": {"1": {"ret_code": 0, "result": "[1]"}},
        },
        {"id": 4, "air": '(fail 7 "why")', "params": PARAMS},
    ]
    source.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert main(["invoke", str(source), "--record", str(target)]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kept = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [line["expect"] for line in kept] == [printed[0], *printed[2:]]
    return target


def check(path: Path, capsys: pytest.CaptureFixture[str], *flags: str, code: int = 0) -> dict[str, Any]:
    """Replay a file; the report."""
    assert main(["replay", str(path), *flags]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def edit(path: Path, number: int, **fields: Any) -> None:
    """Change the answer recorded in one line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    document = json.loads(lines[number])
    document["expect"].update(fields)
    lines[number] = json.dumps(document)
    path.write_text("\n".join(lines), encoding="utf-8")


def test_same_answers(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags in ((), ("--exact",), ("--engine", "interp")):
        assert check(recorded, capsys, *flags) == {"runs": 3, "difference": None}


@pytest.mark.parametrize(
    ("number", "changed"),
    [
        (0, {"next_peer_pks": ["somebody"]}),
        (0, {"call_requests": base64.b64encode(b"\x81\x04\x80").decode()}),
        (1, {"data": ""}),
        (1, {"air_size_limit_exceeded": True}),
        (2, {"ret_code": 10005}),
        (2, {"error_message": "other"}),
    ],
)
def test_first_difference(
    recorded: Path, capsys: pytest.CaptureFixture[str], number: int, changed: dict[str, Any]
) -> None:
    edit(recorded, number, **changed)
    found = check(recorded, capsys, code=1)
    assert found["runs"] == found["difference"]["line"] == number + 1
    name = "requests" if "call_requests" in changed else next(iter(changed))
    assert list(found["difference"]["fields"]) == [name]
    assert found["difference"]["fields"][name].keys() == {"expected", "got"}


def test_what_is_recorded_already_is_not_lost(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = recorded.read_bytes()
    link = tmp_path / "link.jsonl"
    link.symlink_to(recorded)
    for source in (tmp_path / "absent", recorded, link):
        assert main(["invoke", str(source), "--record", str(recorded)]) == 2
        assert recorded.read_bytes() == kept
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "cannot read" in captured.err
    assert "is the file of invocations\n  record into another file" in captured.err


def test_what_was_answered_is_in_the_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever drives the command may end it at any time."""
    target = tmp_path / "recorded.jsonl"
    lines = [json.dumps({"id": number, "air": "(null)", "params": PARAMS}).encode() for number in range(3)]
    kept: list[int] = []

    def source() -> Iterator[bytes]:
        for line in lines:
            yield line
            kept.append(len(target.read_text(encoding="utf-8").splitlines()))

    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=source()))
    assert main(["invoke", "--record", str(target)]) == 0
    assert kept == [1, 2, 3]
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_an_id_that_is_no_text_is_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "lines.jsonl", tmp_path / "recorded.jsonl"
    source.write_text(json.dumps({"id": "\ud800", "air": "(null)", "params": PARAMS}), encoding="utf-8")
    assert main(["invoke", str(source), "--record", str(target)]) == 0
    capsys.readouterr()
    assert json.loads(target.read_text(encoding="utf-8"))["id"] == "\ud800"
    assert check(target, capsys) == {"runs": 1, "difference": None}


def test_order_of_peers_matters_to_exact_only(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    air = '(par (call "a" ("s" "f") []) (call "b" ("s" "f") []))'
    source = recorded.with_name("order.jsonl")
    source.write_text(json.dumps({"id": 1, "air": air, "params": PARAMS}), encoding="utf-8")
    assert main(["invoke", str(source), "--record", str(recorded)]) == 0
    capsys.readouterr()
    edit(recorded, 0, next_peer_pks=["b", "a"])
    assert check(recorded, capsys)["difference"] is None
    assert list(check(recorded, capsys, "--exact", code=1)["difference"]["fields"]) == ["next_peer_pks"]


def test_recorded_trap_asks_for_any_error(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [json.loads(line) for line in recorded.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        line["expect"] = {"id": line["id"], "error": "unreachable"}
    recorded.write_text("\n".join(json.dumps(line) for line in reversed(lines)), encoding="utf-8")
    found = check(recorded, capsys, code=1)
    assert found["difference"] == {"line": 2, "id": 3, "fields": {"ret_code": {"expected": "trap", "got": 0}}}


def test_switches_apply(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Data written under other rules name another version."""
    found = check(recorded, capsys, "--vm-version", "0.64.1", code=1)
    assert list(found["difference"]["fields"]) == ["data"]


@pytest.mark.parametrize("command", ["invoke", "exec", "replay"])
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--engine", "reference", "--fix", "D1"], "do not apply to the reference"),
        (["--engine", "both", "--vm-version", "0.64.1"], "cannot be compared with the reference, which is 0.62"),
    ],
)
def test_switches_that_the_reference_has_not(
    recorded: Path, capsys: pytest.CaptureFixture[str], command: str, flags: list[str], message: str
) -> None:
    assert main([command, *flags, str(recorded)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["reference", "both"])
def test_bytes_of_the_reference_are_not_compared(
    recorded: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    assert main(["replay", "--exact", "--engine", engine, str(recorded)]) == 2
    assert "orders the parts of data at random" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"id": 1}',
        json.dumps({"id": 1, "air": "(null)", "params": PARAMS}),
        json.dumps({"id": 1, "air": "(null)", "params": PARAMS, "expect": {"ret_code": 0}}),
    ],
)
def test_not_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "bad.jsonl").write_text(text, encoding="utf-8")
    assert main(["replay", str(tmp_path / "bad.jsonl")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "line 1" in captured.err


def test_files_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path / "no.jsonl")]) == 2
    assert main(["invoke", str(tmp_path), "--record", str(tmp_path / "no" / "no.jsonl")]) == 2
    assert capsys.readouterr().out == ""
