"""`tests.bench.avm` with runs in Python: the interpreter alone, without native runs.

Scripts are read by native code, as the engine `interp` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import avm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.runner import Row


def run(only: list[str]) -> Iterator[Row]:
    """Measure; `only` are names or beginnings of names, all if empty."""
    return avm.run(only, engine="interp")
