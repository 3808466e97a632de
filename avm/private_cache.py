"""Files in the user's cache folder, safe to share between processes and to lose.

The folder belongs to the user alone, a file must too, and the content of an entry carries its digest. Files are written beside and
renamed, so processes may race; a damaged file, or one that somebody else can write, counts as absent. A cache that cannot be used
is no error. What an entry means, and whether it still fits, is its user's business: it is part of the name.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from hashlib import blake2b
from typing import BinaryIO, Final

_DIGEST: Final = 32
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_SWEEP_EVERY: Final = 16
"""One write in so many looks for entries to remove."""


def cache_folder() -> str:
    """`$XDG_CACHE_HOME/aquac`, or the platform's usual place."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    return os.path.join(base or os.path.expanduser("~/.cache"), "aquac")


def read_entry(path: str, magic: bytes) -> bytes | None:
    """The content of an entry that only this user can have written, and that is whole; None otherwise."""
    try:
        with open_private(path) as file:
            head = file.read(len(magic) + _DIGEST)
            data = file.read()
    except (OSError, ValueError):
        return None
    return data if head == magic + blake2b(data, digest_size=_DIGEST).digest() else None


def open_private(path: str) -> BinaryIO:
    """A file that only this user can have written, in a folder of the same kind. Raises: OSError, also for any other file."""
    if not _is_private(os.lstat(os.path.dirname(path))):
        raise PermissionError(f"others can write to the folder of {path}")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    if not _is_private(os.fstat(descriptor)):
        os.close(descriptor)
        raise PermissionError(f"others can write to {path}")
    return open(descriptor, "rb")


def write_entry(path: str, magic: bytes, data: bytes, *, entries_max: int | None = None) -> None:
    """Write an entry; of more than `entries_max` in its folder the oldest go, sooner or later. Raises: OSError."""
    write_private(path, magic + blake2b(data, digest_size=_DIGEST).digest(), data, entries_max=entries_max)


def write_private(path: str, *parts: bytes, entries_max: int | None = None) -> None:
    """Write a file of any content, beside its place and renamed; otherwise as `write_entry`. Raises: OSError."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if not _is_private(os.lstat(folder)):
        return
    descriptor, name = tempfile.mkstemp(prefix=".new-", dir=folder)  # mode 0600
    try:
        with open(descriptor, "wb") as file:
            file.writelines(parts)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    # The digest decides, not chance, so that a run can be repeated.
    if entries_max is not None and blake2b(path.encode(), digest_size=1).digest()[0] % _SWEEP_EVERY == 0:
        sweep(folder, entries_max)


def sweep(folder: str, entries_max: int) -> None:
    """Remove the oldest entries of a folder beyond `entries_max`."""
    found: list[tuple[int, str]] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path))
    for _, path in sorted(found)[: max(0, len(found) - entries_max)]:
        with suppress(OSError):
            os.unlink(path)


def _is_private(status: os.stat_result) -> bool:
    if os.name != "posix":
        return True  # the profile folder of Windows is private by its own rules
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_WRITE
