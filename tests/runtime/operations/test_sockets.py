"""`avm peer …` against peers in processes of their own, over real sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from runtime.cli import main
from tests.conformance.areas.js_client import READY_SECONDS, ROOT, running_peer, tcp, websocket
from tests.runtime.commands.test_schemas import check as check_schema
from tests.runtime.operations.kit import check, key_of
from tests.runtime.operations.test_services import DEMO
from tests.runtime.services.hosting import MANAGER, STRANGER

pytestmark = [pytest.mark.p2p, pytest.mark.slow]

LISTEN = ("--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/0/ws")


def test_a_service_is_deployed_from_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def avm(*words: str | Path, code: int = 0) -> Any:
        found = main(["peer", *map(str, words)])
        out, err = capsys.readouterr()
        assert found == code, err
        return json.loads(out) if code == 0 else err

    options = ("--management", MANAGER.peer_id, "--http", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"))
    key = ("--key", key_of(MANAGER))
    with running_peer(*LISTEN, *options) as first, running_peer(*LISTEN, "--bootstrap", tcp(first)) as second:
        for address in (tcp(first), websocket(first)):
            about = check("identify", avm("identify", "--peer", address))
            assert about["peer_id"] == first["peer_id"]
        at = ("--peer", tcp(first), *key)
        deployed = check("deploy", avm("deploy", f"demo={DEMO}", *at))
        assert check("deploy", avm("deploy", f"demo={DEMO}", *at))["changed"] is False
        assert avm("call", "demo", "greet", "--args", '["you"]', "--peer", websocket(first)) == "Hi, you"
        assert "--management" in avm("remove", "demo", "--peer", tcp(first), "--key", key_of(STRANGER), code=3)
        behind = ("--relay", tcp(second), "--peer", first["peer_id"])
        (service,) = check("services", avm("services", "list", *behind))
        assert (service["id"], service["owner_id"]) == (deployed["service_id"], MANAGER.peer_id)
        assert check("ping", avm("ping", "--count", "1", *behind))["peer_id"] == first["peer_id"]
        near = check("neighbours", avm("neighbours", "--peer", tcp(second)))
        assert first["peer_id"] in [one["peer_id"] for one in near]
        found = check("metrics", avm("metrics", first["http"], "--prefix", "particle_executor"))
        assert (found["peer_id"], found["healthy"], found["health"]["store"]) == (first["peer_id"], True, "Ok")
        values = {sample["name"]: sample["value"] for sample in found["metrics"]}
        assert values["particle_executor_interpretation_successes_total"] > 0
        for path, text in (
            ("services", deployed["service_id"]),
            ("config", f'management_peer_ids = ["{MANAGER.peer_id}"]'),
        ):
            with urllib.request.urlopen(f"http://{first['http']}/{path}", timeout=READY_SECONDS) as answer:
                told = answer.read().decode()
            assert text in told
            assert "key" not in told
        assert check("removed", avm("remove", "demo", *at))["removed"] == [deployed["service_id"]]
    assert "cannot be reached" in avm("identify", "--peer", tcp(first), code=5)
    assert "cannot be asked" in avm("metrics", first["http"], code=5)


def test_the_log_of_a_process() -> None:
    """A peer that cannot reach its bootstrap peer says so at once; the form comes from the environment, the level from a flag."""
    nobody = f"/ip4/127.0.0.1/tcp/1/p2p/{STRANGER.peer_id}"
    command = [sys.executable, "-m", "avm", "peer", "run", *LISTEN, "--bootstrap", nobody, "--log-level", "info"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"AVM_PEER_LOG_FORMAT": "json"},
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        record = json.loads(process.stderr.readline())
    finally:
        process.terminate()
        process.communicate(timeout=READY_SECONDS)
    check_schema("avm-peer-log", record)
    assert record["message"].count(nobody) == 1
    assert (record["peer_id"], record["address"], record["level"]) == (ready["peer_id"], nobody, "warning")
    assert process.returncode == 0
