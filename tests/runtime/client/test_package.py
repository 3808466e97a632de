"""The front of the library: its names, and what importing it loads."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import runtime.client

ROOT = Path(__file__).resolve().parents[3]


def test_every_name_is_there() -> None:
    for name in runtime.client.__all__:
        assert getattr(runtime.client, name).__name__ == name
    assert set(runtime.client.__all__) <= set(dir(runtime.client))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        runtime.client.__getattr__("nothing")


def test_no_name_is_that_of_a_module() -> None:
    """Importing the module would put it in place of what it defines."""
    modules = {module.name for module in pkgutil.iter_modules(runtime.client.__path__)}
    assert not modules & set(runtime.client.__all__)
    for module in modules:
        importlib.import_module(f"runtime.client.{module}")
    assert callable(runtime.client.connect)
    assert callable(runtime.client.load)


@pytest.mark.parametrize(
    "statement",
    [
        "import runtime.client",
        "from runtime.client import AquaError, ConversionError, WorkflowError, Source, Caller, Answer",
        "import runtime.binding",
    ],
)
def test_what_generated_modules_need_is_light(statement: str) -> None:
    program = f"import sys\n{statement}\nprint(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in eval(done.stdout)}
    assert not loaded & {"trio", "asyncio", "avm", "aquac", "libp2p", "msgpack", "cryptography"}
