"""`avm peer metrics`: what is read from an HTTP endpoint, and what is said about others."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from runtime.cli import main
from runtime.operations.endpoint import samples
from tests.runtime.operations.kit import check
from tests.runtime.services.hosting import HOST

METRICS = """\
# HELP particle_executor_interpretation_time_sec Time of a run
# TYPE particle_executor_interpretation_time_sec histogram
particle_executor_interpretation_time_sec_bucket{le="0.1"} 3.0
particle_executor_interpretation_time_sec_count 3.0
particle_executor_interpretation_time_sec_sum 0.25
avm_runs_total{tier="native",other="a \\"b\\""} 2.0
avm_runs_created{tier="native"} 1.7e9
avm_odd NaN
# EOF
"""
GOOD = {
    "/peer_id": (200, json.dumps({"peer_id": HOST.peer_id})),
    "/versions": (200, json.dumps({"node": "1", "avm": "2"})),
    "/health": (429, json.dumps([{"store": "Ok"}, {"bootstrap_nodes": "Fail"}])),
    "/metrics": (200, METRICS),
}


@contextmanager
def server(answers: dict[str, tuple[int, str]]) -> Iterator[str]:
    """Something that listens on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, text = answers.get(self.path, (404, "No such endpoint"))
            self.send_response(code)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{found.server_port}"
        finally:
            found.shutdown()
            thread.join()


def test_what_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with server(GOOD) as place:
        assert main(["peer", "metrics", place]) == 0
        document = check("metrics", json.loads(capsys.readouterr().out))
        assert main(["peer", "metrics", f"http://{place}/", "--prefix", "avm_"]) == 0
        some = check("metrics", json.loads(capsys.readouterr().out))
    assert (document["peer_id"], document["healthy"]) == (HOST.peer_id, False)
    assert document["health"] == {"store": "Ok", "bootstrap_nodes": "Fail"}
    assert [sample["name"] for sample in document["metrics"]] == [
        "particle_executor_interpretation_time_sec_count",
        "particle_executor_interpretation_time_sec_sum",
        "avm_runs_total",
    ]
    assert some["metrics"] == [document["metrics"][2]]
    assert some["metrics"][0]["labels"] == {"tier": "native", "other": 'a "b"'}


def test_samples() -> None:
    assert samples('a{x="1",y="}"} 1.5 1700000000 # {trace="1"} 1') == [
        {"name": "a", "labels": {"x": "1", "y": "}"}, "value": 1.5}
    ]
    assert samples("no sample\n\n# EOF") == []


@pytest.mark.parametrize(("change", "path"), [
    ({"/peer_id": (404, "")}, "/peer_id"),
    ({"/peer_id": (200, "[]")}, "/peer_id"),
    ({"/versions": (200, "<html>")}, "/versions"),
    ({"/health": (404, "[]")}, "/health"),
    ({"/health": (200, "{}")}, "/health"),
])  # fmt: skip
def test_somebody_else(change: dict[str, tuple[int, str]], path: str, capsys: pytest.CaptureFixture[str]) -> None:
    with server(GOOD | change) as place:
        assert main(["peer", "metrics", place]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{place} answers {path} as no peer does" in err


def test_peers_without_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    with server(GOOD | {"/metrics": (404, "No such endpoint")}) as place:
        assert main(["peer", "metrics", place]) == 0
    assert check("metrics", json.loads(capsys.readouterr().out))["metrics"] == []


def test_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["peer", "metrics", "127.0.0.1:1"]) == 5
    assert "was the peer started with --http" in capsys.readouterr().err
    for words in (["here"], ["127.0.0.1:99999"], ["127.0.0.1:1", "--timeout", "0"]):
        assert main(["peer", "metrics", *words]) == 2
    capsys.readouterr()
