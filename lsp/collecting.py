"""When garbage is collected: trees live long and die together, and a full collection takes longer than a check."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

COLLECT_AFTER: Final = 100_000
"""New objects before a collection of the youngest."""


@contextmanager
def calm_collector() -> Iterator[None]:
    """Not at all inside; afterwards less often than usual, and never of what was made inside."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER, 20, 20)
        gc.enable()
