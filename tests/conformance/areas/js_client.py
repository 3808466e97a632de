"""The official js-client 0.9.0 against two of our peers, through the kit in `data/js-client`.

Needs node, the kit's npm packages (`python3 tasks.py reference`) and the extra p2p. A check of the kit is a case.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conformance.report import Report, Skip

FILES = ("run.mjs",)
ROOT = Path(__file__).resolve().parents[3]
KIT = ROOT / ".reference" / "js-client"
READY_SECONDS = 60
KIT_SECONDS = 300


@contextmanager
def running_peer(*flags: str) -> Iterator[dict[str, Any]]:
    """A peer in a process of its own; gives its ready line, ends it with SIGTERM and checks that it drains."""
    command = [sys.executable, "-m", "avm", "peer", "run", "--allow-local-addresses", *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the peer did not start: {process.communicate(timeout=READY_SECONDS)[1]}")
        yield json.loads(line)
    finally:
        process.terminate()
        try:
            _, errors = process.communicate(timeout=READY_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        if process.returncode != 0:
            sys.stderr.write(errors)


def websocket(ready: dict[str, Any]) -> str:
    """The ws address of a peer."""
    return next(a for a in ready["listen"] if "/ws/" in a)


def tcp(ready: dict[str, Any]) -> str:
    """The tcp address of a peer."""
    return next(a for a in ready["listen"] if "/ws" not in a)


def available() -> str | None:
    """What is missing to run the kit; None when all is there."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not (KIT / "node_modules").is_dir():
        return "the kit's packages are not installed: run `python3 tasks.py reference` (needs npm)"
    return None


def run_kit(only: list[str], *, slow: bool = False) -> list[dict[str, Any]]:
    """One line of JSON per check. Raises Skip when something is missing."""
    missing = available()
    if missing is not None:
        raise Skip(missing)
    listen = ("--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/0/ws")
    with running_peer(*listen) as first, running_peer(*listen, "--bootstrap", tcp(first)) as second:
        command = ["node", "run.mjs", "--relay", websocket(first), "--relay2", websocket(second)]
        if only:
            command += ["--only", ",".join(only)]
        if slow:
            command.append("--slow")
        done = subprocess.run(command, cwd=KIT, capture_output=True, text=True, timeout=KIT_SECONDS, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not rows:
        raise RuntimeError(f"the kit printed nothing: {done.stderr[-2000:]}")
    return rows


def run_area(only: list[str], *, slow: bool = False) -> Report:
    """The whole kit, or the named checks. `slow`: the one that waits for more than a minute, too."""
    report = Report("js-client")
    for row in run_kit(only, slow=slow):
        name = row.get("check")
        if name is None:
            continue
        report.cases += 1
        if row["status"] == "pass":
            report.passed += 1
        elif row["status"] == "skip":
            report.skipped.append(name)
            report.details[name] = row["reason"]
        else:
            report.failed.append(name)
            report.details[name] = row["error"]
    return report
