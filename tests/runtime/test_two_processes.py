"""`avm peer run` in one process, `avm run --relay` in another, over real sockets."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aquac import compile_path
from tests.conformance.areas.js_client import running_peer, tcp, websocket
from tests.runtime.marine.kit import CORPUS

ROOT = Path(__file__).resolve().parents[2]
GREETER = Path(__file__).parent / "services" / "greeter.aqua"
pytestmark = [pytest.mark.p2p, pytest.mark.slow]

LISTEN = ("--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/0/ws")
PROGRAM = """\
aqua TwoProcesses

import "@fluencelabs/aqua-lib/builtin.aqua"
import "@fluencelabs/aqua-lib/math.aqua"

export on_relay, to_peer, fail_there, wait_there

func on_relay(text: string) -> string, string:
  on HOST_PEER_ID:
    res <- Op.concat_strings(text, "")
    who <- Peer.identify()
  <- res, who.node_version

func to_peer(target: string, text: string) -> string:
  on target via HOST_PEER_ID:
    res <- Op.concat_strings(text, "")
  <- res

func fail_there() -> i64:
  on HOST_PEER_ID:
    res <- Math.div(1, 0)
  <- res

func wait_there():
  on HOST_PEER_ID:
    late <- Peer.timeout(600000, "late")
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.aqua"
    path.write_text(PROGRAM)
    return path


def avm(*words: str | Path, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "avm", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def test_results_over_tcp_and_ws_and_between_two_peers(program: Path) -> None:
    with running_peer(*LISTEN) as first, running_peer(*LISTEN, "--bootstrap", tcp(first)) as second:
        for relay in (tcp(first), websocket(first)):
            text, version = json.loads(avm("run", program, "-f", 'on_relay("hi")', "--relay", relay))
            assert text == "hi"
            assert version
        there = avm(
            "run", program, "-f", f'to_peer("{second["peer_id"]}", "over two hops")', "--relay", websocket(first)
        )
        assert json.loads(there) == "over two hops"


def test_errors_keep_their_exit_codes(program: Path) -> None:
    with running_peer(*LISTEN) as peer:
        relay = tcp(peer)
        failed = json.loads(avm("run", program, "-f", "fail_there()", "--relay", relay, "--json", code=3))
        assert failed["error"]["code"] == 10000
        assert "div overflow" in failed["error"]["message"]
        assert failed["error"]["peer_id"] == peer["peer_id"]
        avm("run", program, "-f", "wait_there()", "--relay", relay, "--ttl", "1s", code=4)
    # the peer is gone
    avm("run", program, "-f", 'on_relay("hi")', "--relay", relay, code=5)


def test_ready_line_http_and_signals(tmp_path: Path) -> None:
    with running_peer(*LISTEN, "--http", "127.0.0.1:0", "--data-dir", str(tmp_path)) as peer:
        assert all(a.endswith("/p2p/" + peer["peer_id"]) for a in peer["listen"])
        with urllib.request.urlopen(f"http://{peer['http']}/peer_id", timeout=20) as answer:
            assert json.load(answer) == {"peer_id": peer["peer_id"]}
    # the key was kept: the same directory is the same peer
    command = [sys.executable, "-m", "avm", "peer", "run", *LISTEN, "--data-dir", str(tmp_path)]
    again = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert again.stdout is not None
    assert json.loads(again.stdout.readline())["peer_id"] == peer["peer_id"]
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=60)
    assert again.returncode == 0


@pytest.mark.parametrize("command", [["peer", "run", *LISTEN], ["sim", "up", "--peers", "1"]])
def test_nobody_reads_the_ready_line(command: list[str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "avm", *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr is not None
        assert process.stderr.read() == ""


SERVICES = """\
aqua Services

import "@fluencelabs/aqua-lib/builtin.aqua"

export deploy, greet, known

service Demo("demo"):
  greet(name: string) -> string

func deploy(wasm: []u8) -> string:
  on HOST_PEER_ID:
    config <- Dist.make_module_config("demo", nil, nil, nil, nil, nil, nil, nil, nil)
    cid <- Dist.add_module(wasm, config)
    blueprint <- Dist.make_blueprint("demo", [cid])
    blueprint_id <- Dist.add_blueprint(blueprint)
    id <- Srv.create(blueprint_id)
    Srv.add_alias("demo", id)
  <- id

func greet(name: string) -> string:
  on HOST_PEER_ID:
    res <- Demo.greet(name)
  <- res

func known() -> []Service, Interface:
  on HOST_PEER_ID:
    services <- Srv.list()
    interface <- Srv.get_interface("demo")
  <- services, interface
"""


def test_a_wasm_service_is_deployed_called_and_there_after_a_restart(tmp_path: Path) -> None:
    program = tmp_path / "services.aqua"
    program.write_text(SERVICES)
    key = json.loads(avm("key", "new"))
    management = ("--management", key["peer_id"], "--data-dir", str(tmp_path / "data"), "--http", "127.0.0.1:0")
    wasm = (CORPUS / "modules" / "demo.wat.wasm").read_bytes()
    (tmp_path / "wasm.json").write_text(json.dumps({"wasm": [*wasm]}))
    with running_peer(*LISTEN, *management) as peer:
        relay = tcp(peer)
        deploy = ("run", program, "-f", "deploy(wasm)", "--data-file", tmp_path / "wasm.json", "--relay", relay)
        refused = json.loads(avm(*deploy, "--json", code=3))
        assert "only available to the host or worker spells" in refused["error"]["message"]
        service_id = json.loads(avm(*deploy, "--sk", key["secret_key"]))
        assert json.loads(avm("run", program, "-f", 'greet("you")', "--relay", relay)) == "Hi, you"
    with running_peer(*LISTEN, *management) as peer:
        relay = websocket(peer)
        assert json.loads(avm("run", program, "-f", 'greet("again")', "--relay", relay)) == "Hi, again"
        (service,), interface = json.loads(avm("run", program, "-f", "known()", "--relay", relay))
        assert (service["id"], service["aliases"], service["owner_id"]) == (service_id, ["demo"], key["peer_id"])
        assert "greet" in [function["name"] for function in interface["function_signatures"]]
        with urllib.request.urlopen(f"http://{peer['http']}/health", timeout=20) as answer:
            assert json.load(answer) == [{"persisted_services": "Ok"}, {"store": "Ok"}]


def test_a_spell_runs_by_itself_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    key = json.loads(avm("key", "new"))
    options = ("--management", key["peer_id"], "--data-dir", str(tmp_path / "data"), "--http", "127.0.0.1:0")
    spell_script = compile_path(GREETER).functions["greet"].script

    def call(peer: dict[str, Any], expression: str, data: Any) -> Any:
        (tmp_path / "data.json").write_text(json.dumps(data))
        given = ("-f", expression, "--data-file", tmp_path / "data.json", "--relay", tcp(peer))
        return json.loads(avm("run", GREETER, *given, "--sk", key["secret_key"]))

    def wait_for(peer: dict[str, Any], worker: str, wanted: Callable[[Any], bool]) -> Any:
        """What the spell has left, once that is what is wanted."""
        for _ in range(60):
            told = call(peer, "look(worker)", {"worker": worker})
            if wanted(told):
                return told
        raise AssertionError(f"the spell has left {told}")

    def has_run(times: int) -> Callable[[Any], bool]:
        return lambda told: told[0] >= times and len(told[2]) >= times

    with running_peer(*LISTEN, *options) as peer:
        worker = call(peer, "hire(deal)", {"deal": "0xDeal"})
        data = {"worker": worker, "script": spell_script, "name": "Ada", "period": 1}
        call(peer, "install(worker, script, name, period)", data)
        count, text, seen, _, event, errors = wait_for(peer, worker, has_run(2))
        assert (text, set(seen), len(event["timer"]), errors["particle_errors"]) == (
            '"hello Ada"',
            {"hello Ada"},
            1,
            [],
        )
    with running_peer(*LISTEN, *options) as peer:
        later, text, seen, *_ = wait_for(peer, worker, has_run(count + 2))
        assert (text, set(seen)) == ('"hello Ada"', {"hello Ada"})
        assert call(peer, "on_contacts(worker)", {"worker": worker}) is True
        event = wait_for(peer, worker, lambda told: told[4]["peer"] is not None)[4]
        assert event == {"timer": None, "peer": {"peer_id": key["peer_id"], "connected": True}}, "the program itself"
        assert call(peer, "dismiss(deal)", {"deal": "deal"}) == []
        with urllib.request.urlopen(f"http://{peer['http']}/health", timeout=20) as answer:
            assert json.load(answer) == [{"persisted_services": "Ok"}, {"store": "Ok"}]
    assert later > count
    assert list((tmp_path / "data" / "services" / "workers").iterdir()) == []
