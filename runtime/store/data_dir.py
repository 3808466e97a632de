"""The data directory of a peer: one process at a time, and the file of its store.

    DIR/lock                   locked by the process that uses the directory, and its process id; the system unlocks it when that ends
    DIR/state.db, -wal, -shm   the store
Other files are those of the key and of the services. Errors: StateError with the remedy.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

from .limits import LOCK_PAUSE_S, LOCK_TRIES
from .sqlite_state import SqliteStore, open_state
from .state import StateError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LOCK_FILE: Final = "lock"
STATE_FILE: Final = "state.db"
_PID_CHARS_MAX: Final = 20


class DataDir:
    """A data directory in use by this process, from its construction to `close`."""

    def __init__(self, folder: Path, *, now_ms: int) -> None:
        """Make the directory when it is not there, lock it and open its store. now_ms: what expired before is removed."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(f"cannot create the data directory {folder}: {error.strerror}") from error
        self.folder = folder
        self._lock = _lock(folder)
        try:
            self.store: SqliteStore = open_state(folder / STATE_FILE, now_ms=now_ms)
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> DataDir:
        """It is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Write what is to be written, then let others use the directory."""
        if self._lock >= 0:
            self.store.close()
            os.close(self._lock)
            self._lock = -1


def holder(folder: Path) -> str | None:
    """The process id of whoever uses a directory; None when nobody does. It can change as soon as it is told."""
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _try_lock(handle) else _written_by(handle)
    finally:
        os.close(handle)


def _lock(folder: Path) -> int:
    """An open file that is locked as long as it is open."""
    try:
        handle = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateError(f"cannot write to the data directory {folder}: {error.strerror}") from error
    try:
        for attempt in range(LOCK_TRIES):
            if _try_lock(handle):
                break
            if attempt == LOCK_TRIES - 1:
                raise StateError(
                    f"the data directory {folder} is in use by process {_written_by(handle)}",
                    "end that peer first, or give this one another --data-dir",
                )
            time.sleep(LOCK_PAUSE_S)
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, str(os.getpid()).encode())
    except OSError as error:
        os.close(handle)
        raise StateError(f"cannot lock the data directory {folder}: {error.strerror}") from error
    except BaseException:
        os.close(handle)
        raise
    return handle


def _written_by(handle: int) -> str:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        text = os.read(handle, _PID_CHARS_MAX).decode("ascii", "replace").strip()
    except OSError:  # Windows does not let others read what is locked
        text = ""
    return text if text.isdecimal() else "unknown"


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        os.lseek(handle, 0, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
