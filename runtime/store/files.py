"""Files that are there whole or not at all, also after a power cut.

A file is written beside its place, flushed, renamed, and the folder is flushed. Errors: OSError.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_file(place: Path, data: bytes) -> None:
    """Put a file into place, instead of what is there. One at a time for one place. Raises OSError."""
    draft = place.with_name(f".{place.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, place)
        flush_folder(place.parent)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def create_file(place: Path, data: bytes, mode: int) -> None:
    """Put a file where none is. Raises FileExistsError, OSError."""
    draft = place.with_name(f".{place.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, place)  # unlike a rename it does not replace what another process has put there
        flush_folder(place.parent)
    finally:
        draft.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_drafts(folder: Path) -> None:
    """Delete what a process left that ended while it wrote. Raises OSError."""
    for draft in folder.glob(".*.new"):
        draft.unlink(missing_ok=True)
