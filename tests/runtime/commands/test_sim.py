"""`avm sim`: documents, exit codes, complaints."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runtime.cli import main
from runtime.sim.explore import CHUNKS_AHEAD, Exploration, Explored, explore

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "docs" / "schemas"
SMALL = ("--particles", "8", "--engine", "auto")


def check(name: str, document: Any) -> None:
    schema = json.loads((SCHEMAS / f"avm-sim-{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)


def sim(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> Any:
    """The document that a command prints."""
    assert main(["sim", *words]) == code, capsys.readouterr().err
    name = words[0]
    document = json.loads(capsys.readouterr().out)
    check(name, document)
    return document


def complaint(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    assert main(["sim", *words]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


def test_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    one = sim(capsys, "run", "--seed", "4", *SMALL)
    assert one == sim(capsys, "run", "--seed", "4", *SMALL)
    assert one["failure"] is None
    assert one["history"] != sim(capsys, "run", "--seed", "4", "--faults", "none", *SMALL)["history"]


def test_a_run_is_saved_and_replayed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(tmp_path / "kept.json")
    one = sim(capsys, "run", "--seed", "4", "--save", path, *SMALL)
    check("reproducer", json.loads(Path(path).read_text(encoding="utf-8")))
    assert sim(capsys, "run", "--replay", path) == one | {"same_history": True}


def test_a_failure_is_found_kept_and_replayed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = str(tmp_path / "a folder")
    words = ("--seeds", "60", "--bug", "replaces-data", "--stop-after", "1", "-o", folder, *SMALL)
    assert main(["sim", "explore", *words]) == 1
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    check("explore", document)
    (failure,) = document["failures"]
    assert failure["minimised"]["particles"] == [8, 1]
    assert f"again: avm sim run --replay '{failure['reproducer']}'" in shown.err
    check("reproducer", json.loads(Path(failure["reproducer"]).read_text(encoding="utf-8")))
    again = sim(capsys, "run", "--replay", failure["reproducer"], code=1)
    assert again["same_history"] is True
    assert again["failure"]["check"] == failure["failure"]["check"]


@pytest.mark.slow
def test_jobs_find_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("--seeds", "45", "--bug", "forgets-calls", "-o", str(tmp_path), *SMALL)
    found = []
    for jobs in ("1", "2"):
        main(["sim", "explore", "--jobs", jobs, *words])
        document = json.loads(capsys.readouterr().out)
        rows = [(row["seed"], row["failure"], row["minimised"]) for row in document["failures"]]
        found.append((document["seeds"], document["events"], rows))
    assert found[0] == found[1]
    assert found[0][0] == 45
    assert found[0][2]


@pytest.mark.slow
def test_an_interrupt_ends_the_processes_and_does_not_wait_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    submit = ProcessPoolExecutor.submit
    monkeypatch.setattr(ProcessPoolExecutor, "submit", lambda *args: given.append(args) or submit(*args))
    processes: list[Any] = []

    def interrupt(_: Explored) -> None:
        processes.extend(active_children())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explore(Exploration(0, 100_000, particles=4, engine="auto"), jobs=2, progress=interrupt)
    assert len(given) == 2 * CHUNKS_AHEAD
    assert {process.exitcode for process in processes} == {-signal.SIGTERM}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nowhere to see which signals a process ignores")
def test_processes_do_not_hear_an_interrupt_of_the_terminal() -> None:
    ignored: list[int] = []

    def look(_: Explored) -> None:
        for process in active_children():
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            ignored.append(int(status.partition("SigIgn:")[2].split()[0], 16) >> (signal.SIGINT - 1) & 1)

    explore(Exploration(0, 41, particles=1, engine="auto"), jobs=2, progress=look)
    assert ignored == [1] * 2 * 3
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def test_many_seeds_pass(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    document = sim(capsys, "explore", "--seeds", "5", "--from", "100", "-o", str(tmp_path / "none"), *SMALL)
    assert (document["from"], document["seeds"], document["failures"]) == (100, 5, [])
    assert not (tmp_path / "none").exists()


def test_events_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "run", "--trace", "--particles", "1", "--faults", "none", "--engine", "auto"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert "start particle 0" in lines[0]


def test_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(ROOT / "examples" / "parallel_join" / "main.aqua")
    document = sim(
        capsys, "run", path, "-f", 'askAll(peers, "?")', "--faults", "benign", "--seed", "3", "--particles", "3"
    )
    assert document["result"] == 4
    assert (document["answered"], document["started"]) == (3, 3)
    assert (
        document["history"]
        == sim(
            capsys, "run", path, "-f", 'askAll(peers, "?")', "--faults", "benign", "--seed", "3", "--particles", "3"
        )["history"]
    )


def test_a_program_with_a_service(capsys: pytest.CaptureFixture[str]) -> None:
    folder = ROOT / "examples" / "python_service"
    words = ("--data-file", str(folder / "users.json"), "--service", f"Users={folder / 'users.py'}", "--faults", "none")
    document = sim(capsys, "run", str(folder / "main.aqua"), "-f", 'lookUp(known, "eve")', *words)
    assert document["result"] == [None, "bob"]


def test_what_services_print_is_not_in_the_document(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "loud.aqua").write_text(
        'aqua Loud\n\nexport f\n\nservice S("s"):\n    go() -> u8\n\nfunc f() -> u8:\n    x <- S.go()\n    <- x\n'
    )
    (tmp_path / "loud.py").write_text('print("loaded")\n\n\ndef go():\n    print("called")\n    return 7\n')
    words = ("-f", "f()", "--service", f"S={tmp_path / 'loud.py'}", "--faults", "none")
    assert sim(capsys, "run", str(tmp_path / "loud.aqua"), *words)["result"] == 7


def test_how_programs_end(capsys: pytest.CaptureFixture[str]) -> None:
    errors = str(ROOT / "examples" / "errors" / "main.aqua")
    document = sim(capsys, "run", "-q", errors, "-f", "divide(1, 0)", "--faults", "none", code=3)
    assert document["error"]["code"] == 10000
    peers = str(ROOT / "examples" / "two_peers" / "main.aqua")
    nobody = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
    document = sim(capsys, "run", peers, "-f", f'whereAmI("{nobody}")', "--faults", "none", "--ttl", "1s", code=4)
    assert document["error"]["code"] == "stuck"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--faults", "rain"], "`rain` is no kind of fault"),
        (["run", "--bug", "rain"], "--bug rain: there is none"),
        (["run", "--peers", "0"], "1 to 62 peers"),
        (["run", "--particles", "-1"], "up to 100000 particles"),
        (["run", "-f", "f()"], "-f needs a FILE"),
        (["run", "--replay", "nowhere.json"], "cannot read nowhere.json"),
        (["run", "x.aqua", "--replay", "y"], "give no FILE"),
        (["run", "nowhere.aqua"], "no such file"),
        (["run", "x.aqua", "--save", "y"], "--save is for simulations of a seed"),
        (["run", "x.aqua", "--particles", "0"], "--particles 0"),
        (["run", "x.aqua", "--peers", "61"], "--peers 61"),
        (["run", "x.aqua", "--ttl=-1s"], "--ttl -1s: expected a time above 0"),
        (["run", "x.aqua", "--ttl", "5000h"], "--ttl 5000h: expected a time above 0 and up to 4294967295 ms"),
        (["explore", "--seeds", "0"], "--seeds 0"),
        (["explore", "--jobs", "0"], "--jobs 0"),
        (["explore", "--stop-after", "0"], "--stop-after 0"),
        (["explore", "--peers", "99"], "1 to 62 peers"),
        (["up", "--peers", "0"], "--peers 0"),
        (["up", "--port", "65536"], "--port 65536"),
        (["up", "--faults", "crash"], "real peers cannot have crash"),
    ],
)
def test_complaints(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    assert message in complaint(capsys, *words)


def test_files_that_are_no_reproducers(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text("{}")
    assert "is no reproducer: it has no version" in complaint(capsys, "run", "--replay", str(path))
    path.write_text('{"version": 9}')
    assert "version 9" in complaint(capsys, "run", "--replay", str(path), code=6)


@pytest.mark.p2p
@pytest.mark.slow
def test_peers_of_a_network_serve_programs(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "avm", "sim", "up", "--peers", "2", "--faults", "delay,duplicate", "--seed", "3"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            check("up", ready)
            first, second = ready["peers"]
            address = next(one for one in second["listen"] if "/ws/" in one)
            program = str(ROOT / "examples" / "two_peers" / "main.aqua")
            words = ["run", program, "-f", "whereAmI(p)", "--arg", f'p="{first["peer_id"]}"', "--relay", address]
            assert main(words) == 0
            assert capsys.readouterr().out.strip() == "true"
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
