"""`--engine jit` gives what the interpreter gives; without native code everything works."""

from __future__ import annotations

import os
import subprocess
import sys
from array import array
from pathlib import Path
from typing import Any

import pytest

from avm import Avm
from avm.jit import elf, library
from avm.private_cache import read_entry
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
from avm.jit import elf, library
from avm.private_cache import read_entry
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


def test_without_llvm_the_interpreter_serves_and_one_line_says_so(tmp_path: Path) -> None:
    done = probe("sys.modules['llvmlite'] = None", AVM_JIT="on", **folders(tmp_path))
    assert done.stdout.splitlines() == ["[0, 0, 0]", "True [None]"]
    (line,) = done.stderr.splitlines()
    assert line.startswith("no native code: ")


def folders(path: Path) -> dict[str, str]:
    """The environment that puts the cache there."""
    return {"XDG_CACHE_HOME": str(path), "LOCALAPPDATA": str(path), "HOME": str(path)}


@pytest.mark.slow
def test_objects_are_kept_and_a_damaged_one_is_made_again(tmp_path: Path) -> None:
    if library.get() is None:
        pytest.skip("no native code on this platform")
    environment = folders(tmp_path)
    assert probe(**environment).stdout.splitlines()[1] == "False [True]"
    (entry,) = tmp_path.rglob("native/*.o")
    assert probe(**environment).stdout.splitlines()[1] == "False [False]"
    entry.write_bytes(entry.read_bytes()[:-1] + b"\0\0")
    assert probe(**environment).stdout.splitlines()[1] == "False [True]"


@pytest.mark.slow
def test_a_missing_object_is_compiled_by_another_process(tmp_path: Path) -> None:
    """Meanwhile the interpreter serves; a second process does not start a second compiler."""
    if library.get() is None:
        pytest.skip("no native code on this platform")
    script = """
from avm.jit import elf, library
from avm.private_cache import read_entry
assert library.ready() is None
first = library.VM.compiler
print(first is not None)
if first is not None:
    first.wait()
for _ in range(library.LOOK_EVERY):
    found = library.ready()
print(found is not None and not found.compiled)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **folders(tmp_path)}
    first = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    while not list(tmp_path.rglob("native/*.compiling")):
        assert first.poll() is None
    second = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert second.stdout.split() == ["False", "False"]
    assert first.communicate()[0].split() == ["True", "True"]
    assert [path.suffix for path in tmp_path.rglob("native/*")] == [".o"]


def test_llvm_can_place_objects_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on platforms whose objects we do not place: wherever it finds room for each section."""
    if library.get() is None:
        pytest.skip("no native code on this platform")
    monkeypatch.setattr(elf, "supported", lambda: False)
    monkeypatch.setenv("AVM_JIT_CACHE", "off")
    made = library.Bundle("nowhere:NOTHING", ("avm.jit.kernels.json_text",)).make(compiling=True)
    assert made is not None
    assert not isinstance(made._owner, elf.Placed)
    assert made.skip(array("B", b"[1] "), 0, 4) == 3


@pytest.mark.parametrize("damage", [0, 4, 16, 18, 40, 60, 200, 5000])
def test_a_strange_object_is_refused(damage: int) -> None:
    """Never reached with our own objects: their digest is checked before."""
    if not elf.supported() or library.get() is None:
        pytest.skip("objects are not placed by us here")
    kept = read_entry(library.VM.path(), library.MAGIC)
    if kept is None:
        pytest.skip("objects are not kept here")
    code = bytearray(kept.partition(b"\0")[2])
    code[damage] ^= 0xFF
    if damage < 200:
        with pytest.raises(elf.ObjectError):
            elf.Placed(bytes(code))
    with pytest.raises(elf.ObjectError):
        elf.Placed(bytes(code[: 100 + damage]))
