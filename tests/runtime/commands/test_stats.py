"""`avm stats`: counts of runs and caches."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from avm import Avm
from avm.crypto.keys import KeyPair
from avm.jit import library
from avm.limits import PROGRAM_CACHE_BYTES, PROGRAM_CACHE_ENTRIES
from avm.outcome import RunParameters
from runtime.cli import main

SEED = bytes(range(32))
PEER = KeyPair(SEED).peer_id
OTHER_SEED = bytes(range(1, 33))
PARAMS = {
    "init_peer_id": PEER,
    "current_peer_id": PEER,
    "timestamp": 1,
    "ttl": 2,
    "particle_id": "stats",
    "secret_key_bytes": base64.b64encode(SEED).decode(),
}


def check(
    lines: list[Any], path: Path, capsys: pytest.CaptureFixture[str], *flags: str, code: int = 0
) -> dict[str, Any]:
    """Counts of a file of lines."""
    path.joinpath("lines.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    assert main(["stats", str(path / "lines.jsonl"), "--engine", "interp", *flags]) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def line(air: str, **fields: Any) -> dict[str, Any]:
    return {"air": air, "params": PARAMS, **fields}


def test_programs_and_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = check([line("(null)"), line("(null)"), line("(fail 1 2"), line("(never)")], tmp_path, capsys)
    assert found["runs"] == 4
    assert found["ret_codes"] == {"0": 3, "1": 1}
    assert found["malformed"] == 0
    assert found["programs"] == {
        "hits": 1,
        "misses": 3,
        "entries": 2,
        "entries_max": PROGRAM_CACHE_ENTRIES,
        "bytes": len("(null)") + len("(never)"),
        "bytes_max": PROGRAM_CACHE_BYTES,
    }


def test_own_output_is_found_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    air = '(call %init_peer_id% ("s" "f") [] x)'
    first = Avm().invoke(air, b"", b"", parameters(SEED), {})
    again = line(air, prev_data=base64.b64encode(first.data).decode())
    found = check([line(air), again, again], tmp_path, capsys)
    assert (found["data"]["hits"], found["data"]["misses"]) == (2, 0)
    assert found["data"]["entries"] == 1, "the three runs give the same data"
    assert found["data"]["bytes"] == len(first.data)


def test_malformed_lines_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = check([{"id": 1}, line("(null)"), [1]], tmp_path, capsys, code=1)
    assert (found["runs"], found["malformed"]) == (1, 2)


def test_repeat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = check([line("(null)"), line("(never)")], tmp_path, capsys, "--repeat", "3")
    assert found["runs"] == 6
    assert (found["programs"]["hits"], found["programs"]["misses"]) == (4, 2)
    assert main(["stats", str(tmp_path / "lines.jsonl"), "--repeat", "0"]) == 2
    assert main(["stats", str(tmp_path / "nothing.jsonl")]) == 2


def parameters(seed: bytes) -> RunParameters:
    return RunParameters(PEER, KeyPair(seed).peer_id, 1, 2, "stats", seed)


def test_library_counts_what_arrives() -> None:
    """A second peer checks the CIDs and the signature of the first one once."""
    air = f'(seq (call "{PEER}" ("s" "f") [] x) (call "{KeyPair(OTHER_SEED).peer_id}" ("s" "g") [x]))'
    sender = Avm("python")
    requested = sender.invoke(air, b"", b"", parameters(SEED), {})
    sent = sender.invoke(air, requested.data, b"", parameters(SEED), {1: _answer("of test_library_counts")})
    receiver = Avm("python")
    counts = []
    for _ in range(2):
        before = receiver.stats()
        assert receiver.invoke(air, b"", sent.data, parameters(OTHER_SEED), {}).ok
        after = receiver.stats()
        counts.append(
            (
                after.cids.misses - before.cids.misses,
                after.cids.hits - before.cids.hits,
                after.signatures.hits - before.signatures.hits,
            )
        )
    # a value, its tetraplet, the result; own signatures count as checked
    assert counts[0][0] + counts[0][1] == 3
    assert counts[0][0] >= 2
    assert counts[1] == (0, 3, 1)


def test_native_runs_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = check([line("(null)"), line('(fail 1 "x")')], tmp_path, capsys, "--engine", "jit")
    if library.get() is None:
        pytest.skip("no native code on this platform")
    assert found["native"]["runs"] == 1
    assert found["native"]["declined"] == {"instruction": 1}
    assert found["native"]["arena_bytes"] > 0


def _answer(text: str) -> Any:
    from avm.outcome import CallResult

    return CallResult(0, json.dumps(text))
