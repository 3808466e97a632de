"""What the commands print is what `docs/schemas` says."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runtime.cli import main
from runtime.keys import load_secret
from tests.conformance.areas.js_client import running_peer
from tests.conformance.runner import run

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
PEER = "12D3KooWAbr8gnEMcMLHWWsbmpBMwRLVdR8XnyUTv3UNRuFM7qfH"


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def check(name: str, document: Any, *, valid: bool = True) -> None:
    """Validate a document."""
    errors = list(jsonschema.Draft202012Validator(schema(name)).iter_errors(document))
    assert bool(errors) != valid, errors


def params(**fields: Any) -> dict[str, Any]:
    base = {"init_peer_id": "a", "current_peer_id": "b", "timestamp": 1, "ttl": 2, "particle_id": "p"}
    return base | {"secret_key_bytes": SECRET} | fields


LINES: list[dict[str, Any]] = [
    {"id": 1, "air": '(par (call "b" ("s" "f") [1 "x"] y) (call "c" ("s" "f") []))', "params": params()},
    {"id": "two", "air": "(null", "params": params(hard_limit_enabled=True, air_size_limit=2)},
    {"air": "(null)", "params": params(key_format=3), "call_results": {"1": {"ret_code": -1, "result": "é"}}},
    {"id": None, "air": "(null)", "prev_data": "AAAA", "data": "", "params": params(), "call_results": "gQSA"},
]
WRONG: list[dict[str, Any]] = [
    {"id": 1},
    {"id": 1, "air": 7, "params": params()},
    {"id": 1, "air": "(null)", "params": params(timestamp=-1)},
    {"id": 1, "air": "(null)", "params": params(other=1)},
    {"id": 1, "air": "(null)", "data": "?", "params": params()},
    {"id": 1, "air": "(null)", "call_results": {"1": {"ret_code": 0}}, "params": params()},
]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES + WRONG)), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_schemas_are_valid(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


def test_schema_of_input_agrees_with_the_reader(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line is answered with an outcome exactly if the schema accepts it."""
    assert main(["invoke", str(lines)]) == 0
    for line, text in zip(LINES + WRONG, capsys.readouterr().out.splitlines(), strict=True):
        answer = json.loads(text)
        check("avm-invocation", line, valid="error" not in answer)
        check("avm-outcome", answer)
    check("avm-outcome", {"id": 1}, valid=False)


def test_recorded_lines(lines: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["invoke", str(lines), "--record", str(tmp_path / "recorded")]) == 0
    capsys.readouterr()
    recorded = (tmp_path / "recorded").read_text(encoding="utf-8").splitlines()
    assert len(recorded) == len(LINES)
    for text in recorded:
        check("avm-invocation", json.loads(text))
        check("avm-outcome", json.loads(text)["expect"])
    assert main(["replay", str(tmp_path / "recorded")]) == 0
    check("avm-replay", json.loads(capsys.readouterr().out))
    changed = json.loads(recorded[0])
    changed["expect"]["ret_code"] = 1
    (tmp_path / "recorded").write_text(json.dumps(changed), encoding="utf-8")
    assert main(["replay", str(tmp_path / "recorded")]) == 1
    check("avm-replay", json.loads(capsys.readouterr().out))


def test_stats(lines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", str(lines)]) == 1
    check("avm-stats", json.loads(capsys.readouterr().out))


def test_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.air").write_text('(call %init_peer_id% ("op" "identity") [1])', encoding="utf-8")
    (tmp_path / "bad.air").write_text('(fail 7 "why")', encoding="utf-8")
    (tmp_path / "stuck.air").write_text('(seq (never) (call %init_peer_id% ("callbackSrv" "response") [1]))')
    for name, code in (("good.air", 0), ("bad.air", 3), ("stuck.air", 4)):
        assert main(["run", str(tmp_path / name), "--json"]) == code
        document = json.loads(capsys.readouterr().out)
        check("avm-run", document)
        assert (document["error"] is None) == (code == 0)
        check("avm-run", document | {"more": 1}, valid=False)


def test_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    directory = ["--key-dir", str(tmp_path)]
    monkeypatch.setattr("sys.stdin", io.StringIO(SECRET))
    documents = []
    for words in (
        ["new", *directory],
        ["show", "-", *directory],
        ["import", "mine", SECRET, *directory],
        ["list", *directory],
    ):
        assert main(["key", *words]) == 0
        documents.append(json.loads(capsys.readouterr().out))
        check("avm-key", documents[-1])
    assert documents[3] == [documents[2]]
    check("avm-key", documents[0] | {"name": "secret and name"}, valid=False)
    assert load_secret(SECRET) == bytes(range(32))


def test_ready_line() -> None:
    line = {"peer_id": PEER, "listen": [f"/ip4/127.0.0.1/tcp/7001/p2p/{PEER}"], "http": None}
    check("avm-peer-ready", line)
    for wrong in ({"listen": []}, {"listen": ["/ip4/127.0.0.1/tcp/7001"]}, {"peer_id": "0"}, {"http": 1}):
        check("avm-peer-ready", line | wrong, valid=False)


@pytest.mark.p2p
@pytest.mark.slow
def test_ready_line_of_a_peer() -> None:
    with running_peer("--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0") as line:
        check("avm-peer-ready", line)
        assert line["http"]


def test_conformance_report() -> None:
    folder = Path(__file__).parents[2] / "conformance" / "data" / "interpreter-data"
    report = run("interpreter-data", [folder / "signatures.jsonl"], limit=3)
    check("conformance-report", report.to_json())
    assert report.ok
    assert report.cases == 3


def test_bench_row() -> None:
    row = {"workload": "null", "ours_ms": 0.1, "reference_ms": 0.5, "ratio": 0.2}
    check("bench-row", row)
    check("bench-row", row | {"repeats": 11})
    check("bench-row", row | {"ours_ms": 0}, valid=False)
