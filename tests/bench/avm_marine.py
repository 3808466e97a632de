"""The reference as js-client hosts it: `avm.wasm` in marine-js, in one warm node process that measures by its own clock."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from avm.call_data import decode_call_results
from tests.bench.avm_workloads import Call
from tests.conformance.areas.marine import reference_folders


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class MarineJsAvm:
    """A node process with one instance."""

    def __init__(self, packages: Path) -> None:
        """Start node; `packages` is the folder of the scope."""
        script = Path(__file__).with_suffix(".mjs")
        self._process = subprocess.Popen(
            ["node", "--expose-gc", "--stack-size=3900", str(script), str(packages)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, call: Call) -> dict[str, Any]:
        """One invocation: `ms` and what tells whether it did the same, or `error`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        params = call.parameters
        request = {
            "air": call.air,
            "prev": _base64(call.prev_data),
            "data": _base64(call.data),
            "params": {
                "initPeerId": params.init_peer_id,
                "currentPeerId": params.current_peer_id,
                "keyFormat": params.key_format,
                "secretKeyBytes": _base64(params.secret_key_bytes),
                "timestamp": params.timestamp,
                "ttl": params.ttl,
                "particleId": params.particle_id,
            },
            "results": [
                [key, {"retCode": result.ret_code, "result": result.result}]
                for key, result in decode_call_results(call.results).items()
            ],
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            return {"error": f"node ended with code {self._process.wait()}"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End node."""
        self._process.communicate()


def marine_js() -> MarineJsAvm | None:
    """marine-js with the interpreter, where both are installed."""
    for folder in reference_folders():
        packages = folder / "node_modules" / "@fluencelabs"
        if (packages / "marine-js").is_dir() and (packages / "avm").is_dir() and shutil.which("node"):
            return MarineJsAvm(packages)
    return None
