"""What spells keep: script, trigger configuration, keys, log, mailbox and errors, each spell in a database of its own.

    <folder>/<spell id>/spell.sqlite        and, while it is open, spell.sqlite-wal

A key has a text or a number, and beside it a list of texts. What is appended without end is cut: see `limits`. A commit
outlives the process, and is lost at most with the machine. Errors: SpellStoreError, whose text is what a program is told.
Source: spell:src/spell/modules/spell/spell/src/schema.rs, kv, log.rs, mailbox.rs, error_handling.rs
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from runtime.services.limits import (
    ERRORS_KEPT,
    LOGS_KEPT,
    MESSAGES_KEPT,
    PARTICLE_ERRORS_MAX,
    SPELL_STORAGE_BYTES_MAX,
    SPELLS_OPEN_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE: Final = "spell.sqlite"
VERSION: Final = 1
"""`user_version` of the databases."""

SCALAR: Final = -1
"""`place` of what is no element of a list."""

_PAGE_BYTES: Final = 4096
_SCHEMA: Final = f"""
CREATE TABLE script (text TEXT NOT NULL);
CREATE TABLE triggers (
    start_sec INTEGER, end_sec INTEGER, period_sec INTEGER, connect INTEGER, disconnect INTEGER,
    start_block INTEGER, end_block INTEGER
);
CREATE TABLE entries (
    key TEXT NOT NULL, place INTEGER NOT NULL, text TEXT, number INTEGER, PRIMARY KEY (key, place)
) WITHOUT ROWID;
CREATE TABLE logs (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL, init_peer_id TEXT NOT NULL, message TEXT NOT NULL
);
CREATE TABLE particles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, particle_id TEXT NOT NULL UNIQUE, timestamp INTEGER NOT NULL
);
CREATE TABLE errors (
    id INTEGER PRIMARY KEY AUTOINCREMENT, particle INTEGER NOT NULL REFERENCES particles (id) ON DELETE CASCADE,
    error_idx INTEGER NOT NULL, error_code INTEGER NOT NULL,
    instruction TEXT NOT NULL, message TEXT NOT NULL, peer_id TEXT NOT NULL
);
CREATE INDEX errors_of ON errors (particle);
PRAGMA user_version = {VERSION};
"""


class SpellStoreError(Exception):
    """The storage of a spell cannot be read or written."""


class TriggerConfig(NamedTuple):
    """When a spell runs. Seconds of the clock since 1970; blocks are of a chain nobody watches here."""

    start_sec: int = 0
    end_sec: int = 0
    period_sec: int = 0
    connect: bool = False
    disconnect: bool = False
    start_block: int = 0
    end_block: int = 0


class StoredError(NamedTuple):
    """An error of a script, with the number that the script gave it."""

    error_idx: int
    error_code: int
    instruction: str
    message: str
    peer_id: str


class SpellStore:
    """The storages of all spells of one host. Every call is a transaction; they are quick, but they block."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read before a spell is used."""
        self._folder = folder
        self._open: OrderedDict[str, sqlite3.Connection] = OrderedDict()

    def close(self) -> None:
        """Close every database."""
        while self._open:
            self._open.popitem()[1].close()

    def create(self, spell_id: str) -> None:
        """An empty storage. Raises SpellStoreError."""
        place = self._folder / spell_id
        try:
            place.mkdir(parents=True, exist_ok=True)
            connection = self._connect(spell_id, "rwc")
            connection.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise SpellStoreError(str(error)) from None

    def check(self, spell_id: str) -> None:
        """Raise SpellStoreError when there is no storage of this spell that can be used."""
        with self._using(spell_id) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != VERSION:
                raise SpellStoreError(f"its storage has version {version}, not {VERSION}")

    def remove(self, spell_id: str) -> None:
        """Delete the storage of a spell. What cannot be deleted stays."""
        connection = self._open.pop(spell_id, None)
        if connection is not None:
            connection.close()
        shutil.rmtree(self._folder / spell_id, ignore_errors=True)

    def _connect(self, spell_id: str, mode: str) -> sqlite3.Connection:
        address = (self._folder / spell_id / FILE).absolute().as_uri()
        # no waiting for a lock: who has it is another peer on the same folder, and keeps it
        connection = sqlite3.connect(
            f"{address}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=0
        )
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # nobody else uses it; saves a file and locks
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute(f"PRAGMA max_page_count = {SPELL_STORAGE_BYTES_MAX // _PAGE_BYTES}")
        except sqlite3.Error:
            connection.close()
            raise
        self._open[spell_id] = connection
        if len(self._open) > SPELLS_OPEN_MAX:
            self._open.popitem(last=False)[1].close()
        return connection

    @contextmanager
    def _using(self, spell_id: str) -> Iterator[sqlite3.Connection]:
        """The database of a spell, in a transaction that ends with the block."""
        try:
            connection = self._open.get(spell_id)
            if connection is None:
                connection = self._connect(spell_id, "rw")
            self._open.move_to_end(spell_id)
            connection.execute("BEGIN")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:  # an error such as a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except (sqlite3.Error, OverflowError, UnicodeEncodeError) as error:
            raise SpellStoreError(str(error)) from None

    # ── script and triggers ──────────────────────────────────────────────────────────────────────────────────────────

    def set_script(self, spell_id: str, text: str) -> None:
        """Keep the script. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            connection.execute("DELETE FROM script")
            connection.execute("INSERT INTO script VALUES (?)", (text,))

    def script(self, spell_id: str) -> str | None:
        """The script; None when there is none. Raises SpellStoreError."""
        found: str | None = self._one(spell_id, "SELECT text FROM script")
        return found

    def set_triggers(self, spell_id: str, config: TriggerConfig) -> None:
        """Keep when the spell runs. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            connection.execute("DELETE FROM triggers")
            connection.execute("INSERT INTO triggers VALUES (?, ?, ?, ?, ?, ?, ?)", config)

    def triggers(self, spell_id: str) -> TriggerConfig | None:
        """When the spell runs; None when that was never said. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            row = connection.execute("SELECT * FROM triggers").fetchone()
        if row is None:
            return None
        start, end, period, connect, disconnect, start_block, end_block = row
        return TriggerConfig(start, end, period, bool(connect), bool(disconnect), start_block, end_block)

    def _one(self, spell_id: str, query: str, *values: Any) -> Any:
        """The first column of the first row; None when there is no row."""
        with self._using(spell_id) as connection:
            row = connection.execute(query, values).fetchone()
        return None if row is None else row[0]

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def set(self, spell_id: str, key: str, value: str | int) -> None:
        """Keep a text or a number under a key, in place of either. Raises SpellStoreError."""
        text, number = (value, None) if isinstance(value, str) else (None, value)
        with self._using(spell_id) as connection:
            connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", (key, SCALAR, text, number))

    def text(self, spell_id: str, key: str) -> str | None:
        """The text under a key; None when there is none. Raises SpellStoreError."""
        found: str | None = self._one(spell_id, "SELECT text FROM entries WHERE key = ? AND place = ?", key, SCALAR)
        return found

    def number(self, spell_id: str, key: str) -> int | None:
        """The number under a key; None when there is none. Raises SpellStoreError."""
        found: int | None = self._one(spell_id, "SELECT number FROM entries WHERE key = ? AND place = ?", key, SCALAR)
        return found

    def exists(self, spell_id: str, key: str) -> bool:
        """Whether anything is under a key. Raises SpellStoreError."""
        return self._one(spell_id, "SELECT 1 FROM entries WHERE key = ? LIMIT 1", key) is not None

    def remove_key(self, spell_id: str, key: str) -> None:
        """Forget all that is under a key. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            connection.execute("DELETE FROM entries WHERE key = ?", (key,))

    def push(self, spell_id: str, key: str, text: str) -> None:
        """Append to the list under a key. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            query = "INSERT INTO entries SELECT ?, COALESCE(MAX(place) + 1, 0), ?, NULL FROM entries WHERE key = ?"
            connection.execute(query, (key, text, key))

    def pop(self, spell_id: str, key: str) -> str | None:
        """Take the last element off the list under a key; None when it is empty. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            query = "SELECT place, text FROM entries WHERE key = ? AND place >= 0 ORDER BY place DESC LIMIT 1"
            row = connection.execute(query, (key,)).fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM entries WHERE key = ? AND place = ?", (key, row[0]))
        text: str = row[1]
        return text

    def elements(self, spell_id: str, key: str) -> list[str]:
        """The list under a key, oldest first. Raises SpellStoreError."""
        query = "SELECT text FROM entries WHERE key = ? AND place >= 0 ORDER BY place"
        with self._using(spell_id) as connection:
            return [text for (text,) in connection.execute(query, (key,))]

    def remove_element(self, spell_id: str, key: str, text: str) -> None:
        """Forget every element of the list under a key that is this text. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            connection.execute("DELETE FROM entries WHERE key = ? AND text = ? AND place >= 0", (key, text))

    # ── log and mailbox ──────────────────────────────────────────────────────────────────────────────────────────────

    def add_log(self, spell_id: str, now_s: int, text: str) -> None:
        """Append to the log. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            connection.execute("INSERT INTO logs (timestamp, text) VALUES (?, ?)", (now_s, text))
            connection.execute(f"DELETE FROM logs WHERE id <= (SELECT MAX(id) FROM logs) - {LOGS_KEPT}")

    def logs(self, spell_id: str) -> list[tuple[int, str]]:
        """Time in seconds and text, in the order of the times. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            return connection.execute("SELECT timestamp, text FROM logs ORDER BY timestamp, id").fetchall()

    def add_message(self, spell_id: str, now_s: int, author: str, text: str) -> None:
        """Put a message into the mailbox. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            query = "INSERT INTO mailbox (timestamp, init_peer_id, message) VALUES (?, ?, ?)"
            connection.execute(query, (now_s, author, text))
            kept = f"SELECT id FROM mailbox ORDER BY id DESC LIMIT {MESSAGES_KEPT}"
            connection.execute(f"DELETE FROM mailbox WHERE id NOT IN ({kept})")

    def messages(self, spell_id: str) -> list[tuple[str, int, str]]:
        """Author, time in seconds and text, last one first. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            return connection.execute(
                "SELECT init_peer_id, timestamp, message FROM mailbox ORDER BY id DESC"
            ).fetchall()

    def pop_message(self, spell_id: str) -> tuple[str, int, str] | None:
        """Take the last message out of the mailbox; None when it is empty. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            query = "SELECT id, init_peer_id, timestamp, message FROM mailbox ORDER BY id DESC LIMIT 1"
            row = connection.execute(query).fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM mailbox WHERE id = ?", (row[0],))
        return row[1], row[2], row[3]

    # ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def add_error(self, spell_id: str, particle_id: str, timestamp: int, error: StoredError) -> None:
        """Keep an error of a particle; those of the oldest particles are forgotten. Raises SpellStoreError."""
        with self._using(spell_id) as connection:
            query = "INSERT OR IGNORE INTO particles (particle_id, timestamp) VALUES (?, ?)"
            connection.execute(query, (particle_id, timestamp))
            (particle,) = connection.execute(
                "SELECT id FROM particles WHERE particle_id = ?", (particle_id,)
            ).fetchone()
            (count,) = connection.execute("SELECT COUNT(*) FROM errors WHERE particle = ?", (particle,)).fetchone()
            if count >= PARTICLE_ERRORS_MAX:
                raise SpellStoreError(f"a particle has at most {PARTICLE_ERRORS_MAX} errors")
            query = (
                "INSERT INTO errors (particle, error_idx, error_code, instruction, message, peer_id) "
                "VALUES (?, ?, ?, ?, ?, ?)"
            )
            connection.execute(query, (particle, *error))
            kept = f"SELECT id FROM particles ORDER BY timestamp DESC, id DESC LIMIT {ERRORS_KEPT}"
            connection.execute(f"DELETE FROM particles WHERE id NOT IN ({kept})")

    def errors(self, spell_id: str) -> dict[str, list[StoredError]]:
        """The errors by particle id, oldest first. Raises SpellStoreError."""
        query = (
            "SELECT particle_id, error_idx, error_code, instruction, errors.message, peer_id "
            "FROM errors JOIN particles ON particles.id = particle ORDER BY particle, errors.id"
        )
        out: dict[str, list[StoredError]] = {}
        with self._using(spell_id) as connection:
            for particle_id, *error in connection.execute(query):
                out.setdefault(particle_id, []).append(StoredError(*error))
        return out
