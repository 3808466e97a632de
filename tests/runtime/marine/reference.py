"""Tools that some tests need and that nobody must have: marine-js in node, compilers. Tests skip, and say what to install."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOOLS = Path(os.environ.get("AQUA_TOOLS", ROOT / ".reference" / "tools"))
"""`node_modules` (npm install --prefix TOOLS assemblyscript) and `python` (pip install --target TOOLS/python ziglang)."""

NO_PARAMETERS = {
    "particle": {"id": "", "init_peer_id": "", "timestamp": 0, "ttl": 0, "script": "", "signature": [], "token": ""},
    "service_id": "", "service_creator_peer_id": "", "host_id": "", "worker_id": "", "tetraplets": [],
}  # fmt: skip


def marine_js() -> tuple[str, Path]:
    """node and the package. Skips the test."""
    node = shutil.which("node")
    places = [Path(place) for place in (os.environ.get("AQUA_REFERENCE"), ROOT / ".reference") if place]
    packages = [start / "@fluencelabs" / "marine-js" for place in places for start in (place, place / "node_modules")]
    found = next((package for package in packages if package.is_dir()), None)
    if node is None or found is None:
        pytest.skip("marine-js or node is not here (python3 tasks.py reference)")
    return node, found


def reference_answers(
    modules: list[tuple[str, Path]], calls: list[tuple[str, Any, dict[str, Any]]]
) -> list[dict[str, Any]]:
    """What marine-js answers to calls of one service: `{"result"}` or `{"error"}` each."""
    node, package = marine_js()
    request = {
        "modules": [[name, str(path)] for name, path in modules],
        "calls": [[fn, json.dumps(args), NO_PARAMETERS | parameters] for fn, args, parameters in calls],
    }
    command = [node, str(Path(__file__).with_suffix("").parent / "marine_js.mjs"), str(package)]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
