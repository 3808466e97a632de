"""Options and fixtures every test shares."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.golden import Golden

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]

# Named like its entry point, so that it is loaded once, installed or not.
pytest_plugins = ["runtime.sim.pytest_plugin"]

# A shell has what it runs in the background ignore interrupts, and so would the processes that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Deterministic by default: a test that fails today must fail again tomorrow. `tasks.py fuzz` explores.
settings.register_profile(
    "tests", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=max(200, int(400 * float(os.environ.get("AQUA_FUZZ_MINUTES", "5")))),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tests"))


@pytest.fixture(autouse=True)
def _undo_what_commands_leave() -> Iterator[None]:
    """Commands that ran in this process may have entered a folder (`-C DIR`), or log to what was standard error then."""
    here, root = Path.cwd(), logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    os.chdir(here)
    root.setLevel(level)
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite golden corpora with what the code prints now"
    )


@pytest.fixture(autouse=True)
def same_folder() -> Iterator[None]:
    """Commands with `-C` change the folder of the process; the next test starts where this one did."""
    folder = os.getcwd()
    yield
    os.chdir(folder)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """The golden-corpus comparer."""
    return Golden(update=bool(request.config.getoption("--update-golden")))


def node_modules() -> Path | None:
    """Folder with the npm packages of the reference: `.reference` of the checkout or $AQUA_REFERENCE."""
    for place in (os.environ.get("AQUA_REFERENCE"), str(ROOT / ".reference" / "node_modules")):
        if place and (Path(place) / "@fluencelabs").is_dir():
            return Path(place)
    return None


@pytest.fixture(scope="session")
def reference_modules() -> Path:
    """node_modules of the reference packages; skips the test where they are absent."""
    found = node_modules()
    if found is None:
        pytest.skip("reference packages are not installed: run `python3 tasks.py reference` (needs npm)")
    return found


@pytest.fixture(scope="session")
def avm_wasm(reference_modules: Path) -> Path:
    """The reference interpreter's wasm file."""
    path = reference_modules / "@fluencelabs" / "avm" / "dist" / "avm.wasm"
    if not path.is_file():
        pytest.skip(f"no avm.wasm in {reference_modules.name}: run `python3 tasks.py reference`")
    return path


@pytest.fixture(scope="session")
def node() -> str:
    """Path of node; skips the test where it is absent."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with a message, what needs an extra where it is not installed."""
    for extra, module in (("p2p", "libp2p"), ("otel", "opentelemetry")):
        if importlib.util.find_spec(module) is not None:
            continue
        mark = pytest.mark.skip(reason=f"{module} is not installed: pip install 'aquac[{extra}]'")
        for item in items:
            if extra in item.keywords:
                item.add_marker(mark)
