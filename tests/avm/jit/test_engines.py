"""`--engine jit` gives what the interpreter gives; without native code everything works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from avm import Avm
from avm.jit import library
from tests.conformance.areas import avm as scenarios
from tests.conformance.runner import default_files, read_cases

ROOT = Path(__file__).resolve().parents[3]


def cases() -> list[dict[str, Any]]:
    found = []
    for path in default_files("avm"):
        if not path.name.startswith("network-runs"):
            found += [case for case in read_cases(path) if "steps" in case]
    return found


@pytest.mark.slow
def test_scenarios_with_native_code_from_the_first_run() -> None:
    vm = Avm("jit")
    found = cases()
    if not found:
        pytest.skip("no conformance files here")
    assert [case["id"] for case in found if scenarios.replay(case, vm) is not None] == []


PROBE = """
import logging, sys
logging.basicConfig(format="%(message)s")
from avm import Avm
from avm.data.interpreter_data import InterpreterData
from tests.avm.provoked_rows import run
{before}
vm = Avm("jit")
print([run(vm, '(ap ' + str(n) + ' x)', InterpreterData()).ret_code for n in range(3)])
from avm.jit import library
print(library.get() is None, [getattr(library.get(), "compiled", None)])
"""


def probe(before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROBE.format(before=before)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )


def test_native_code_can_be_turned_off() -> None:
    done = probe(AVM_JIT="off")
    assert done.stdout.splitlines() == ["[0, 0, 0]", "True [None]"]
    assert done.stderr == ""


def test_without_llvm_the_interpreter_serves_and_one_line_says_so() -> None:
    done = probe("sys.modules['llvmlite'] = None", AVM_JIT="on")
    assert done.stdout.splitlines() == ["[0, 0, 0]", "True [None]"]
    (line,) = done.stderr.splitlines()
    assert line.startswith("no native code: ")


def test_objects_are_kept_and_a_damaged_one_is_made_again(tmp_path: Path) -> None:
    if library.get() is None:
        pytest.skip("no native code on this platform")
    environment = {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "HOME": str(tmp_path)}
    assert probe(**environment).stdout.splitlines()[1] == "False [True]"
    (entry,) = tmp_path.rglob("native/*.o")
    assert probe(**environment).stdout.splitlines()[1] == "False [False]"
    entry.write_bytes(entry.read_bytes()[:-1] + b"\0\0")
    assert probe(**environment).stdout.splitlines()[1] == "False [True]"
    assert probe(**environment, AVM_JIT_CACHE="off").stdout.splitlines()[1] == "False [True]"
