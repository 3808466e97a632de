"""`avm invoke`, `avm exec`, `avm data` through the command line."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avm import Avm
from avm.call_data import encode_call_results
from avm.crypto.keys import KeyPair
from avm.outcome import CallResult
from runtime.cli import main
from runtime.invocation_json import InvocationError, difference, read_invocation

SEED = bytes(range(32))
PEER = KeyPair(SEED).peer_id
CALL = '(call %init_peer_id% ("s" "f") [1.0 "é"] x)'
PARAMS = {
    "init_peer_id": PEER,
    "current_peer_id": PEER,
    "timestamp": 1,
    "ttl": 2,
    "particle_id": "p",
    "secret_key_bytes": base64.b64encode(SEED).decode(),
}


def invocation(**fields: Any) -> dict[str, Any]:
    return {"id": 1, "air": CALL, "prev_data": "", "data": "", "call_results": {}, "params": PARAMS, **fields}


def check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lines: list[Any], *flags: str, code: int = 0
) -> list[dict[str, Any]]:
    """Run `avm invoke` on lines; texts go in as they are."""
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["invoke", *flags]) == code
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def nested(levels: int) -> str:
    """A script that calls with an argument in so many arrays."""
    script = f'(call "{PEER}" ("s" "f") [#s{levels}])'
    for level in range(levels, 0, -1):
        script = f'(seq (seq (ap x{level} $s{level}) (canon "{PEER}" $s{level} #s{level})) {script})'
        before = f"#s{level - 1}" if level > 1 else "1"
        script = f"(seq (ap {before} x{level}) {script})"
    return script


@pytest.mark.slow
def test_arguments_nested_deeper_than_python_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = json.dumps(invocation(air=nested(1100))) + "\n" + json.dumps(invocation(id=2))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["invoke"]) == 0
    deep, plain = capsys.readouterr().out.splitlines()
    assert "[" * 1101 + "1" + "]" * 1101 in deep
    assert json.loads(plain)["id"] == 2
    script = tmp_path / "script.air"
    script.write_text(nested(1100))
    assert main(["exec", str(script)]) == 0
    assert "[" * 1101 + "1" + "]" * 1101 in capsys.readouterr().out


def test_outcome_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = check(capsys, monkeypatch, [invocation(id={"any": "json"})])
    assert list(line) == [
        "id",
        "ret_code",
        "error_message",
        "data",
        "next_peer_pks",
        "call_requests",
        "requests",
        "air_size_limit_exceeded",
        "particle_size_limit_exceeded",
        "call_result_size_limit_exceeded",
    ]
    assert line["id"] == {"any": "json"}
    assert base64.b64decode(line["call_requests"]).startswith(b"\x81\x04\x81\x01")
    assert line["requests"] == {
        "1": {
            "service_id": "s",
            "function_name": "f",
            "arguments": [1.0, "é"],
            "tetraplets": [[{"peer_pk": PEER, "service_id": "", "function_name": "", "lens": ""}]] * 2,
        }
    }


def test_results_as_object_and_as_bytes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (first,) = check(capsys, monkeypatch, [invocation()])
    raw = base64.b64encode(encode_call_results({1: CallResult(0, "1")})).decode()
    forms = [{"1": {"ret_code": 0, "result": "1"}}, raw]
    lines = check(capsys, monkeypatch, [invocation(prev_data=first["data"], call_results=form) for form in forms])
    assert lines[0] == lines[1]
    assert lines[0]["ret_code"] == 0


def test_malformed_lines_do_not_stop_the_rest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = [
        ("{", None, "not a JSON document"),
        ("[" * 100_000, None, "not a JSON document"),
        ("[]", None, "one JSON object"),
        ('{"id": NaN}', None, "NaN is not JSON"),
        ('{"id": -1e400}', None, "the number -1e400 is too large"),
        ({"id": 7}, 7, "`air` is missing"),
        (invocation(id="a", air=5), "a", "`air` must be a string"),
        (invocation(air="\ud800"), 1, "lone surrogate"),
        (invocation(data="%"), 1, "`data` is not base64"),
        (invocation(params=None), 1, "`params` must be an object"),
        (invocation(params={**PARAMS, "ttl": 2**32}), 1, "`params.ttl` must be an integer from 0 to 4294967295"),
        (invocation(params={**PARAMS, "timestamp": True}), 1, "`params.timestamp`"),
        (invocation(params={**PARAMS, "hard_limit_enabled": 1}), 1, "true or false"),
        (invocation(params={**PARAMS, "hard_limit": True}), 1, "`params.hard_limit` is not known"),
        (invocation(call_results={"1": {"ret_code": 2**31, "result": ""}}), 1, "32-bit"),
        (invocation(call_results={"1": {"ret_code": 0}}), 1, "`call_results.1`"),
        (invocation(call_results=[]), 1, "base64 or an object"),
    ]
    lines = check(capsys, monkeypatch, ["", *[line for line, _, _ in bad], invocation(id="last")])
    assert [line["id"] for line in lines] == [*[name for _, name, _ in bad], "last"]
    for line, (_, _, message) in zip(lines, bad, strict=False):
        assert message in line["error"]
    assert lines[-1]["ret_code"] == 0


def test_missing_engines_and_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["invoke", str(tmp_path / "absent")]) == 2
    assert main(["invoke", "--engine", "reference", "--wasm", str(tmp_path / "absent")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "cannot read" in captured.err
    assert "no reference interpreter at" in captured.err


@pytest.mark.parametrize(("content", "message"), [
    (b"(nul", "is not a Wasm module"),
    (b"\0asm\1\0\0\0", "is not the reference interpreter: it exports no `invoke`"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["invoke", "run", "exec"])
def test_a_module_that_is_not_the_reference(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, content: bytes, message: str
) -> None:
    (tmp_path / "other.wasm").write_bytes(content)
    (tmp_path / "script.air").write_text("(null)")
    words = [str(tmp_path / "script.air"), "--engine", "reference", "--wasm", str(tmp_path / "other.wasm")]
    assert main([command, *words]) == 2
    assert f"other.wasm {message}" in capsys.readouterr().err


@pytest.mark.reference
def test_beside_the_reference(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, avm_wasm: Path
) -> None:
    lines = [invocation(), "x", invocation(air="(nul"), invocation(data=base64.b64encode(b"\xc1").decode())]
    both = check(capsys, monkeypatch, lines, "--engine", "both", "--wasm", str(avm_wasm))
    theirs = check(capsys, monkeypatch, lines, "--engine", "reference", "--wasm", str(avm_wasm))
    for mine, other in zip(both, theirs, strict=True):
        assert mine.keys() == other.keys()
        assert mine.get("error_message") == other.get("error_message")
        assert mine.get("call_requests") == other.get("call_requests")


def test_differences_are_found() -> None:
    one = read_invocation(invocation())
    ours = one.run(Avm())
    assert difference(ours, ours) == {}
    other = read_invocation(invocation(air=CALL.replace("1.0", "1"))).run(Avm())
    assert difference(ours, other).keys() == {"requests"}
    with pytest.raises(InvocationError):
        read_invocation(None)


def test_errors_that_the_reference_reports_in_random_order() -> None:
    script = '(seq (call "a" ("s" "f") [x y z]) (next i))'
    ours = read_invocation(invocation(air=script)).run(Avm())
    names = [f"variable '{name}' wasn't defined" for name in "xyz"]
    shuffled = ours.error_message.replace(names[0], "-").replace(names[2], names[0]).replace("-", names[2])
    assert shuffled != ours.error_message
    assert difference(ours, replace(ours, error_message=shuffled)) == {}
    other = ours.error_message.replace(names[0], names[1])
    assert difference(ours, replace(ours, error_message=other)).keys() == {"error_message"}
    longer = ours.error_message.replace("^", "^^", 1)
    assert difference(ours, replace(ours, error_message=longer)).keys() == {"error_message"}
    fold = "on instruction 'fold' …: ResolvedFold { lore: {1: a, 2: b}, fold_states_count: 2 }"
    left, right = (
        replace(ours, ret_code=20000, error_message=text) for text in (fold, fold.replace("1: a, 2: b", "2: b, 1: a"))
    )
    assert difference(left, right) == {}
    assert difference(left, replace(right, error_message=fold.replace("2: b", "2: c"))) != {}
    assert difference(replace(left, error_message="1 2"), replace(right, error_message="2 1")) != {}


def test_exec_and_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    script, data, results = tmp_path / "a.air", tmp_path / "data", tmp_path / "results.json"
    script.write_text(CALL, encoding="utf-8")
    results.write_text('{"1": {"ret_code": 0, "result": "[1]"}}')
    assert main(["exec", str(script), "-o", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)["requests"]["1"]["service_id"] == "s"
    assert main(["exec", str(script), "--prev-data", str(data), "--call-results", str(results), "--plain"]) == 0
    assert list(json.loads(capsys.readouterr().out)["data"]["data"]["cid_info"]["value_store"].values()) == ["[1]"]
    assert main(["data", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["lcid"] == 1
    assert main(["data", "--format", "tree", str(data)]) == 0
    assert f"0 call 1 requested from the host of {PEER}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("air", "data", "code"),
    [("(nul", b"", 1), ("(null)", b"\xc1", 6), ('(fail 1 "x")', b"", 3)],
)
def test_exit_codes(capsys: pytest.CaptureFixture[str], tmp_path: Path, air: str, data: bytes, code: int) -> None:
    script, file = tmp_path / "a.air", tmp_path / "data"
    script.write_text(air, encoding="utf-8")
    file.write_bytes(data)
    assert main(["exec", str(script), "--data", str(file)]) == code
    assert json.loads(capsys.readouterr().out)["ret_code"] != 0


def test_data_that_are_base64_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Data are printed as base64 by the other commands: who keeps that and shows it is told what to add."""
    script, file = tmp_path / "a.air", tmp_path / "data"
    script.write_text(CALL, encoding="utf-8")
    assert main(["exec", str(script)]) == 0
    file.write_text(json.loads(capsys.readouterr().out)["data"] + "\n")
    assert main(["data", str(file)]) == 6
    message = capsys.readouterr().err
    assert message.startswith(f"avm: error: {file}: failed to deserialize envelope: ")
    assert "needs --base64" in message
    assert main(["data", "--base64", str(file)]) == 0
    capsys.readouterr()
    for text, code in (("%", 2), ("AAAA", 6)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(["data", "--base64", "-"]) == code
        message = capsys.readouterr().err
        assert message.startswith("avm: error: standard input")
        assert "--base64" not in message


def test_exec_takes_empty_texts_as_they_are(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """As everywhere else: an empty peer id is a peer id, an empty key is no key, and an empty path no file."""
    script = tmp_path / "a.air"
    script.write_text('(call "" ("s" "f") [%init_peer_id%])', encoding="utf-8")
    assert main(["exec", str(script), "--current-peer-id", "", "--init-peer-id", "i"]) == 0
    assert json.loads(capsys.readouterr().out)["requests"]["1"]["arguments"] == ["i"]
    assert main(["exec", str(script), "--current-peer-id", "", "--init-peer-id", ""]) == 0
    assert json.loads(capsys.readouterr().out)["requests"]["1"]["arguments"] == [""]
    for flag in ("--key", "--prev-data", "--data", "--call-results", "--output"):
        assert main(["exec", str(script), flag, ""]) == 2


def test_exec_reads_standard_input_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "a.air"
    script.write_text("(null)", encoding="utf-8")
    assert main(["exec", "-", "--data", "-"]) == 2
    assert "standard input is given for SCRIPT and --data\n  it can be read once" in capsys.readouterr().err
    for text in ("[", "[" * 100_000, '{"1": 2}'):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(["exec", str(script), "--call-results", "-"]) == 2
        assert "error: standard input" in capsys.readouterr().err
    assert main(["exec", str(script), "--particle-id", "\udcff"]) == 2
    assert "--particle-id is not UTF-8" in capsys.readouterr().err


@pytest.mark.reference
def test_exec_where_the_reference_panics(capsys: pytest.CaptureFixture[str], tmp_path: Path, avm_wasm: Path) -> None:
    script = tmp_path / "a.air"
    script.write_text(
        '(seq (ap (1 2) %m) (fold %m i (seq (ap 1 i) (call %init_peer_id% ("s" "f") [i]))))', encoding="utf-8"
    )
    assert main(["exec", str(script), "--engine", "reference", "--wasm", str(avm_wasm)]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "avm: error: the reference interpreter trapped: wasm trap: wasm `unreachable` instruction executed\n"
        "  `--engine auto` answers an error there\n"
    )
    assert main(["exec", str(script), "--engine", "both", "--wasm", str(avm_wasm)]) == 3
    assert json.loads(capsys.readouterr().out)["ret_code"] == 20004


def test_bad_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    junk = tmp_path / "junk"
    junk.write_bytes(b"\xff\xfe")
    assert main(["data", str(junk)]) == 6
    assert main(["data", "--base64", str(junk)]) == 2
    assert main(["data", str(tmp_path / "absent")]) == 2
    assert main(["exec", str(junk)]) == 2
    script = tmp_path / "a.air"
    script.write_text("(null)")
    for flags in (
        ["--ttl", "-1"],
        ["--key", "zz"],
        ["--call-results", str(junk)],
        ["-o", str(tmp_path / "no" / "dir")],
    ):
        assert main(["exec", str(script), *flags]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
