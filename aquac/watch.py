"""Wait until one of some files changes. Polls: no dependency, and network file systems work too."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

POLL_SECONDS: Final = 0.3
"""Pause between two looks."""


def wait_for_change(
    files: Callable[[], Iterable[str]],
    pause: Callable[[float], None] = time.sleep,
    missed: Callable[[], bool] = lambda: False,
) -> None:
    """Return when a file of `files()` is new, gone or written to.

    missed: whether that has happened already, while nobody looked; asked once, after the files were looked at.
    """
    before = _stamps(files())
    if missed():
        return
    while True:
        pause(POLL_SECONDS)
        if _stamps(files()) != before:
            return


def _stamps(files: Iterable[str]) -> dict[str, tuple[int, int] | None]:
    """Time of change and size of each file; None for one that is not there."""
    stamps: dict[str, tuple[int, int] | None] = {}
    for path in files:
        try:
            state = os.stat(path)
        except OSError:
            stamps[path] = None
        else:
            stamps[path] = (state.st_mtime_ns, state.st_size)
    return stamps
