"""The compiled programs that simulations run are those of the sources."""

from __future__ import annotations

from tests.sim.programs.__main__ import PROGRAMS, ROOT, TARGET, compiled


def test_they_are_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == compiled(), "python -m tests.sim.programs"


def test_every_example_is_among_them() -> None:
    """But for those that want a service of Wasm modules, as simulated services are stubs, and those of a Python client."""
    used = {path for path, *_ in PROGRAMS}
    for path in (ROOT / "examples").glob("*/main.aqua"):
        if not any((path.parent / name).exists() for name in ("service.toml", "client.py")):
            assert path.relative_to(ROOT).as_posix() in used
