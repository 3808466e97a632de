"""Peak memory of one invocation, each measured in a process of its own: `python -m tests.bench.avm_memory ENGINE|reference FILE`.

Ours: growth of the peak of resident memory over that of an interpreter which ran something small before; the arguments are part of
it, and all that Python keeps for later. The reference: its linear memory after the call, which never shrinks; it has a copy of the
arguments. Without /proc there are no figures for ours.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.bench.avm_workloads import Call

_STATUS: Final = Path("/proc/self/status")
_PEAK: Final = Path("/proc/self/clear_refs")


def peak_mb(side: str, call: Call) -> float | None:
    """Megabytes (10^6 bytes) of an engine of ours or the `reference`; None where it cannot be measured or the call fails."""
    with tempfile.NamedTemporaryFile() as file:
        pickle.dump(call, file)
        file.flush()
        command = [sys.executable, "-m", "tests.bench.avm_memory", side, file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return round(int(done.stdout) / 1e6, 2) if done.returncode == 0 else None


def _resident(name: str) -> int:
    """A size of /proc/self/status in bytes."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return 1024 * int(line.split()[1])


def _ours(engine: str, path: str) -> int:
    from avm import Avm
    from tests.bench.avm_workloads import first_arrival

    vm = Avm(engine)
    for number in range(3):
        first_arrival(vm, number).on(vm)
    _PEAK.write_text("5")  # the peak starts anew
    before = _resident("VmRSS")
    call: Call = pickle.loads(Path(path).read_bytes())
    call.on(vm)
    return max(0, _resident("VmHWM") - before)


def _reference(path: str) -> int:
    from runtime.reference_avm import ReferenceAvm
    from tests.fuzz.avm_differential import reference_module

    vm = ReferenceAvm(reference_module())
    call: Call = pickle.loads(Path(path).read_bytes())
    call.on(vm)
    return vm.memory_bytes


if __name__ == "__main__":
    side, path = sys.argv[1:]
    print(_reference(path) if side == "reference" else _ours(side, path))
