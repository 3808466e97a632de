"""The store in a file of SQLite, written by one thread.

Callers never wait for the disk: changes queue, and the thread makes all that wait in one transaction. The log is written ahead (WAL), so what a
transaction has taken in survives the end of the process. A transaction with a `commit` in it is also flushed to the disk
(synchronous=FULL) and survives a power cut, with everything before it; others (NORMAL) survive one only from the next flush on.

Every row has a checksum, and the file is examined when it is opened: a damaged one is an error, never a store with less in it.
Schema versions are refused when they are newer. Errors: StateError.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import zlib
from collections import Counter
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .limits import FILE_BYTES_MAX, RETRY_S
from .state import Change, Entry, MemoryStore, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

SCHEMA: Final = 1
APPLICATION_ID: Final = 0x41514153
"""Marks the file as a store of a peer."""

_SCHEMA_TEXT: Final = """\
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    expires_ms INTEGER,
    checksum INTEGER NOT NULL,
    UNIQUE (namespace, key)
)"""
_PUT: Final = "REPLACE INTO entries (namespace, key, value, expires_ms, checksum) VALUES (?, ?, ?, ?, ?)"
_DELETE: Final = "DELETE FROM entries WHERE namespace = ? AND key = ?"
_I64_MAX: Final = (1 << 63) - 1


@dataclass(slots=True)
class _Job:
    """Changes of one caller. number: of a deferred one, else 0; before: what a failed commit puts back."""

    changes: tuple[Change, ...]
    number: int = 0
    future: Future[None] | None = None
    before: tuple[Entry | None, ...] = ()

    @property
    def value_bytes(self) -> int:
        return sum(len(change.entry.value) for change in self.changes if change.entry is not None)


class SqliteStore(MemoryStore):
    """See `open_state`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Take what `open_state` has examined. Raises sqlite3.Error, StateError."""
        super().__init__()
        self._connection = connection
        self._path = path
        self._full: bool | None = None
        self._load()
        self._wake = threading.Condition(self._lock)
        self._queue: list[_Job] = []
        self._number = 0
        self._written = 0
        self._unwritten_bytes = 0
        self._listeners: list[Callable[[], None]] = []
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="peer state", daemon=True)
        self._thread.start()

    # ── callers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def commit(self, changes: Sequence[Change]) -> Future[None]:
        """Make all changes or none, see `Store.commit`. Raises StateError."""
        future: Future[None] = Future()
        with self._wake:
            self._check_open()
            self._check(changes)
            before = tuple([self._apply(change) for change in changes])
            self._enqueue(_Job(tuple(changes), future=future, before=before))
        return future

    def defer(self, changes: Sequence[Change]) -> None:
        """Make changes that are written as soon as can be."""
        with self._wake:
            self._check_open()
            for change in changes:
                self._apply(change)
            self._number += 1
            self._enqueue(_Job(tuple(changes), number=self._number))

    @property
    def unwritten(self) -> int:
        """Number of the newest deferred change that is not on disk; 0 when all are."""
        return 0 if self._written == self._number else self._number

    @property
    def unwritten_bytes(self) -> int:
        """Bytes of the values that are on their way to the disk."""
        return self._unwritten_bytes

    @property
    def written(self) -> int:
        """Number of the newest deferred change that is on disk."""
        return self._written

    def watch(self, listener: Callable[[], None]) -> None:
        """Call on the thread of the store when `written` has changed."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Write what waits, bring the log into the file and end."""
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify_all()
        self._thread.join()
        with closing(self._connection):
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:  # the log stays and is read at the next start
                log.warning("%s: %s", self._path, error)

    def _check_open(self) -> None:
        if self._closing:
            raise StateError("the store is closed")

    def _enqueue(self, job: _Job) -> None:
        self._queue.append(job)
        self._unwritten_bytes += job.value_bytes
        self._wake.notify_all()

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        waiting: list[_Job] = []
        try:
            while True:
                with self._wake:
                    if waiting:
                        self._wake.wait_for(lambda: self._closing, RETRY_S)
                    else:
                        self._wake.wait_for(lambda: self._queue or self._closing)
                    ending = self._closing
                    waiting += self._queue
                    self._queue = []
                if waiting:
                    waiting = self._attempt(waiting)
                if ending and not self._queue:
                    if waiting:
                        log.error("%s: data of %d particles could not be written", self._path, len(waiting))
                    return
        finally:
            with self._wake:  # whoever waits must not wait for ever, whatever ended this thread
                for job in waiting + self._queue:
                    self._undo(job, "the store has ended")
                self._closing = True
                self.failing = self.failing or "the store has ended"

    def _attempt(self, jobs: list[_Job]) -> list[_Job]:
        """Write everything in one transaction. Where that fails commits fail; the jobs to try again."""
        try:
            self._write(jobs)
        except sqlite3.Error as error:
            text = f"{self._path}: {error}"
            if self.failing is None:
                log.error("cannot write the state of the peer: %s", text)
            with self._wake:
                self.failing = text
                for job in reversed(jobs):
                    self._undo(job, str(error))
            return [job for job in jobs if job.future is None]
        with self._wake:
            if self.failing is not None:
                log.warning("the state of the peer can be written again: %s", self._path)
            self.failing = None
            self._written = max((job.number for job in jobs), default=0) or self._written
            self._unwritten_bytes -= sum(job.value_bytes for job in jobs)
        for job in jobs:
            if job.future is not None:
                job.future.set_result(None)
        for listener in self._listeners:
            listener()
        return []

    def _write(self, jobs: list[_Job]) -> None:
        last: dict[tuple[str, str], Entry | None] = {}
        for job in jobs:
            for namespace, key, entry in job.changes:
                last.pop((namespace, key), None)
                last[namespace, key] = entry
        self._synchronous(full=any(job.future is not None for job in jobs))
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            for (namespace, key), entry in last.items():
                if entry is None:
                    self._connection.execute(_DELETE, (namespace, key))
                else:
                    expires_ms = None if entry.expires_ms is None else min(entry.expires_ms, _I64_MAX)
                    row = (namespace, key, entry.value, expires_ms)
                    self._connection.execute(_PUT, (*row, _checksum(*row)))
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _synchronous(self, *, full: bool) -> None:
        if full is not self._full:
            self._connection.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
            self._full = full

    def _undo(self, job: _Job, reason: str) -> None:
        """Put back what a failed commit has changed in memory, and tell who waits for it."""
        if job.future is None:
            return
        for change, before in zip(reversed(job.changes), reversed(job.before), strict=True):
            self._apply(Change(change.namespace, change.key, before))
        self._unwritten_bytes -= job.value_bytes
        job.future.set_exception(StateError(f"the state of the peer cannot be written: {reason}"))

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _load(self) -> None:
        rows = self._connection.execute("SELECT namespace, key, value, expires_ms, checksum FROM entries ORDER BY id")
        for namespace, key, value, expires_ms, checksum in rows:
            if _checksum(namespace, key, value, expires_ms) != checksum:
                raise damaged(self._path, f"the checksum of {namespace} `{key[:80]}` is wrong")
            self._apply(Change(namespace, key, Entry(value, expires_ms)))


def open_state(path: Path, *, now_ms: int) -> SqliteStore:
    """The store in a file, made when it is not there. What expired before `now_ms` is removed. Raises StateError.

    Takes time linear in the size of the file. The caller sees to it that nobody else has it open for writing.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # particles are nobody else's business
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StateError(f"cannot open {path}: {error}") from error
    try:
        _prepare(connection, path)
        connection.execute("DELETE FROM entries WHERE expires_ms < ?", (now_ms,))
        return SqliteStore(connection, path)
    except sqlite3.OperationalError as error:
        connection.close()
        raise StateError(
            f"cannot open {path}: {error}", "see that it can be read and written, and that the disk has room"
        ) from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise damaged(path, str(error)) from error
    except BaseException:
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Examine an existing file, or make the table."""
    is_new = not _pragma(connection, "schema_version")
    if not is_new:
        examine(connection, path)
        _all_well(connection, path)
    connection.execute("PRAGMA journal_mode=WAL").fetchall()
    connection.execute(f"PRAGMA max_page_count={FILE_BYTES_MAX // _pragma(connection, 'page_size')}").fetchall()
    connection.execute(f"PRAGMA journal_size_limit={1 << 26}").fetchall()
    if is_new:
        # In one transaction: a file without its version would be refused the next time.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_SCHEMA_TEXT)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute("COMMIT")


def examine(connection: sqlite3.Connection, path: Path) -> None:
    """See that a file is a store this version knows. Raises StateError, sqlite3.Error."""
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise StateError(f"{path} is a database, but not the state of a peer", "name another data directory")
    version = _pragma(connection, "user_version")
    if version > SCHEMA:
        raise StateError(
            f"{path} was written by a newer version: its schema is {version}, this version knows {SCHEMA}",
            "use that version, or another data directory; nothing was changed",
        )


def _all_well(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise damaged(path, str(found))


def damaged(path: Path, what: str) -> StateError:
    """The error about a file that is not what was written."""
    return StateError(
        f"{path} is damaged: {what}",
        f"restore {path.name}, with its -wal if there is one, from a copy; or move both away to start without what they held "
        f"(services, aliases and data of particles; modules and blueprints are files of their own)",
    )


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def _checksum(namespace: str, key: str, value: bytes, expires_ms: int | None) -> int:
    return zlib.crc32(value, zlib.crc32(f"{namespace}\0{key}\0{expires_ms}".encode()))


# ── looking in ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds. entries: of every namespace, without the values of particles; sizes: bytes of values by namespace."""

    schema: int
    file_bytes: int
    entries: dict[str, list[tuple[str, int, int | None]]]
    values: dict[str, dict[str, bytes]]

    def sizes(self) -> Counter[str]:
        """Bytes of values by namespace."""
        return Counter({name: sum(size for _, size, _ in rows) for name, rows in self.entries.items()})


def read_state(path: Path, *, values_of: frozenset[str] = frozenset()) -> Contents:
    """Look into a store without changing it, whether or not a peer uses it. Raises StateError.

    values_of: namespaces whose values are read, not only counted. An entry is its key, the size of its value and when it expires.
    """
    wal = path.with_name(path.name + "-wal")
    # A log that is there has to be read. Without one nobody writes, and the file alone is looked at, so that not even a log is made.
    mode = "mode=ro" if wal.exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True)) as connection:
            examine(connection, path)
            _all_well(connection, path)
            entries: dict[str, list[tuple[str, int, int | None]]] = {}
            values: dict[str, dict[str, bytes]] = {}
            rows = connection.execute("SELECT namespace, key, value, expires_ms, checksum FROM entries ORDER BY id")
            for namespace, key, value, expires_ms, checksum in rows:
                if _checksum(namespace, key, value, expires_ms) != checksum:
                    raise damaged(path, f"the checksum of {namespace} `{key[:80]}` is wrong")
                entries.setdefault(namespace, []).append((key, len(value), expires_ms))
                if namespace in values_of:
                    values.setdefault(namespace, {})[key] = value
            size = path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)
            return Contents(_pragma(connection, "user_version"), size, entries, values)
    except sqlite3.OperationalError as error:
        raise StateError(f"cannot read {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, str(error)) from error
