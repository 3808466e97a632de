"""The store of a peer: both forms behave alike, bounds, failures, damage, versions, and what looking in shows."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from aquac.command_line import CommandError
from runtime.cli import main
from runtime.commands.peer_state import state_report
from runtime.protocol.identity import named_identity
from runtime.store import limits, state
from runtime.store.data_dir import LOCK_FILE, STATE_FILE, DataDir, holder
from runtime.store.sqlite_state import SCHEMA, open_state, read_state
from runtime.store.state import PARTICLES, Change, Entry, MemoryStore, Namespace, StateError
from runtime.store.workers import Worker, WorkerStore
from tests.runtime.commands.test_tool_schemas import check as check_schema

LONG_S = 60
"""Only a test that hangs waits so long."""


def check(tmp_path: Path, body) -> None:
    """Run `body(store)` on a memory store and on one in a file."""
    body(MemoryStore())
    with closing(open_state(tmp_path / "check.db", now_ms=0)) as store:
        body(store)


def put(store, namespace: str, key: str, value: bytes, expires_ms: int | None = None) -> Future[None]:
    return store.commit([Change(namespace, key, Entry(value, expires_ms))])


def contents(path: Path) -> dict[str, dict[str, bytes]]:
    return read_state(path, values_of=frozenset({"a", "b", PARTICLES})).values


def test_entries_come_in_the_order_of_the_last_writes(tmp_path):
    def body(store):
        names = Namespace(store, "a")
        for key, value in (("x", b"1"), ("y", b"22"), ("x", b"333")):
            names.put(key, value).result(LONG_S)
        Namespace(store, "b").put("x", b"other").result(LONG_S)
        assert names.items() == [("y", b"22"), ("x", b"333")]
        assert (names.get("x"), names.get("z"), store.bytes_of("a")) == (b"333", None, 5)
        names.delete("y").result(LONG_S)
        names.delete("never there").result(LONG_S)
        store.commit([names.removal("x"), names.setting("z", b"")]).result(LONG_S)
        assert (names.items(), store.bytes_of("a")) == ([("z", b"")], 0)

    check(tmp_path, body)
    with closing(open_state(tmp_path / "check.db", now_ms=0)) as store:
        assert Namespace(store, "a").items() == [("z", b"")]
        assert Namespace(store, "b").items() == [("x", b"other")]


def test_bounds(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "ENTRIES_MAX", 2)
    monkeypatch.setattr(state, "VALUE_BYTES_MAX", 8)
    monkeypatch.setattr(state, "KEY_BYTES_MAX", 3)
    monkeypatch.setattr(state, "NAMESPACE_BYTES_MAX", 12)

    def body(store):
        put(store, "a", "ääa"[1:], b"12345678").result(LONG_S)
        for key, value, error in (
            ("ää", b"", "a key of a takes at most 3 bytes"),
            ("x", b"123456789", "a value of a takes at most 8 bytes"),
            ("x", b"1", "keeps at most 12 bytes of a"),
        ):
            with pytest.raises(StateError, match=error):
                put(store, "a", key, value)
        put(store, "a", "x", b"").result(LONG_S)
        with pytest.raises(StateError, match="keeps at most 2 a"):
            put(store, "a", "y", b"")
        # all or nothing, and what grows nothing always may
        with pytest.raises(StateError):
            store.commit([Change("b", "k", Entry(b"")), Change("a", "y", Entry(b""))])
        assert store.entries("b") == []
        put(store, "a", "x", b"").result(LONG_S)
        assert [key for key, _ in store.entries("a")] == ["äa", "x"]

    check(tmp_path, body)


def test_what_expired_is_gone_at_the_next_start(tmp_path):
    path = tmp_path / "s.db"
    with closing(open_state(path, now_ms=0)) as store:
        for key, at_ms in (("early", 99), ("late", 100), ("ever", None), ("far", 1 << 70)):
            store.defer([Change(PARTICLES, key, Entry(b"x", at_ms))])
    with closing(open_state(path, now_ms=100)) as store:
        assert [(key, entry.expires_ms) for key, entry in store.entries(PARTICLES)] == [
            ("late", 100), ("ever", None), ("far", (1 << 63) - 1),
        ]  # fmt: skip


def test_deferred_changes_tell_when_they_are_on_disk(tmp_path):
    path = tmp_path / "s.db"
    with closing(open_state(path, now_ms=0)) as store:
        told = threading.Event()
        store.watch(told.set)
        assert (store.unwritten, store.written) == (0, 0)
        store.defer([Change(PARTICLES, "k", Entry(b"1"))])
        assert told.wait(LONG_S)
        assert (store.unwritten, store.written, store.unwritten_bytes) == (0, 1, 0)
        assert contents(path) == {PARTICLES: {"k": b"1"}}


class Disk:
    """Lets a test fill the disk of a store, and see how often it was tried."""

    def __init__(self, store, monkeypatch) -> None:
        self.is_full = threading.Event()
        self.tried = threading.Semaphore(0)
        write = store._write

        def fake(jobs):
            self.tried.release()
            if self.is_full.is_set():
                raise sqlite3.OperationalError("database or disk is full")
            write(jobs)

        monkeypatch.setattr(store, "_write", fake)


def test_a_full_disk_fails_commits_and_delays_what_is_deferred(tmp_path, monkeypatch):
    monkeypatch.setattr("runtime.store.sqlite_state.RETRY_S", 0)
    path = tmp_path / "s.db"
    with closing(open_state(path, now_ms=0)) as store:
        disk = Disk(store, monkeypatch)
        put(store, "a", "k", b"before").result(LONG_S)
        disk.is_full.set()
        store.defer([Change(PARTICLES, "p", Entry(b"data"))])
        with pytest.raises(StateError, match="cannot be written: database or disk is full"):
            put(store, "a", "k", b"after").result(LONG_S)
        with pytest.raises(StateError):
            store.commit([Change("a", "k", None), Change("a", "new", Entry(b""))]).result(LONG_S)
        assert store.entries("a") == [("k", Entry(b"before"))], "what failed is undone"
        assert store.get(PARTICLES, "p") == b"data"
        assert store.failing is not None
        assert store.failing.endswith("database or disk is full")
        assert (store.unwritten, store.written, store.unwritten_bytes) == (1, 0, 4)
        told = threading.Event()
        store.watch(told.set)
        disk.is_full.clear()
        assert told.wait(LONG_S), "it is tried again"
        assert (store.unwritten, store.written, store.unwritten_bytes, store.failing) == (0, 1, 0, None)
    assert contents(path) == {"a": {"k": b"before"}, PARTICLES: {"p": b"data"}}


def test_a_store_that_cannot_write_ends_all_the_same(tmp_path, monkeypatch, caplog):
    store = open_state(tmp_path / "s.db", now_ms=0)
    disk = Disk(store, monkeypatch)
    disk.is_full.set()
    store.defer([Change(PARTICLES, "p", Entry(b"data"))])
    assert disk.tried.acquire(timeout=LONG_S)
    store.close()
    store.close()
    assert "data of 1 particles could not be written" in caplog.text
    for call in (lambda: put(store, "a", "k", b""), lambda: store.defer([])):
        with pytest.raises(StateError, match="the store is closed"):
            call()


def test_a_thread_that_breaks_leaves_nobody_waiting(tmp_path, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    with closing(open_state(tmp_path / "s.db", now_ms=0)) as store:
        monkeypatch.setattr(store, "_attempt", lambda jobs: 1 // 0)
        with pytest.raises(StateError, match="the store has ended"):
            put(store, "a", "k", b"").result(LONG_S)
        assert store.failing == "the store has ended"


def test_the_file_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("runtime.store.sqlite_state.FILE_BYTES_MAX", 1 << 16)
    with closing(open_state(tmp_path / "s.db", now_ms=0)) as store:
        for number in range(3):
            put(store, "a", f"{number}", bytes(10_000)).result(LONG_S)
        with pytest.raises(StateError, match="database or disk is full"):
            put(store, "a", "large", bytes(60_000)).result(LONG_S)
        put(store, "a", "small", b"").result(LONG_S)
        assert [key for key, _ in store.entries("a")] == ["0", "1", "2", "small"]


def test_commits_are_flushed_and_deferred_changes_are_not(tmp_path):
    path, flushed = tmp_path / "s.db", []
    with closing(open_state(path, now_ms=0)) as store:
        told = threading.Event()
        store.watch(lambda: flushed.append(store._connection.execute("PRAGMA synchronous").fetchone()[0]))
        store.watch(told.set)
        for write in (
            lambda: put(store, "a", "k", b"").result(LONG_S),
            lambda: store.defer([Change(PARTICLES, "p", Entry(b""))]),
            lambda: put(store, "a", "k", b"").result(LONG_S),
        ):
            told.clear()
            write()
            assert told.wait(LONG_S)
    assert flushed == [2, 1, 2], "FULL, NORMAL, FULL"


def test_a_log_that_ends_anywhere_holds_the_first_transactions_whole(tmp_path):
    """What a kill or a power cut leaves: never half of a transaction, never a later one without an earlier one."""
    live, copy = tmp_path / "live.db", tmp_path / "copy.db"
    with closing(open_state(live, now_ms=0)) as store:
        for number in range(12):
            put(store, "a", "service", b"%d" % number).result(LONG_S)
            changes = [Change("a", f"{number}", Entry(bytes(3000))), Change("b", "alias", Entry(b"%d" % number))]
            store.commit(changes).result(LONG_S)
        file, log = live.read_bytes(), Path(f"{live}-wal").read_bytes()
    assert len(log) > 100_000
    seen = set()
    for end in [*range(0, len(log), 1777), len(log)]:
        copy.write_bytes(file)
        Path(f"{copy}-wal").write_bytes(log[:end])
        Path(f"{copy}-shm").unlink(missing_ok=True)
        try:
            with closing(open_state(copy, now_ms=0)) as store:
                alias, service = store.get("b", "alias"), store.get("a", "service")
                keys = [key for key, _ in store.entries("a") if key != "service"]
        except StateError:
            assert end < 40_000, "the table itself is in the log"
            continue
        count = 0 if alias is None else int(alias) + 1
        seen.add(count)
        assert keys == [f"{number}" for number in range(count)]
        assert service in ((b"%d" % (count - 1), b"%d" % count) if count else (None, b"0"))
    assert seen == set(range(13))


# ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def refused(path: Path, text: str, hint: str = "") -> None:
    for look in (lambda: open_state(path, now_ms=0), lambda: read_state(path)):
        with pytest.raises(StateError, match=text) as caught:
            look()
        assert str(path) in str(caught.value)
        assert hint in caught.value.hint


def filled(path: Path) -> None:
    with closing(open_state(path, now_ms=0)) as store:
        for number in range(200):
            put(store, "a", f"key {number}", bytes([number]) * 500)


def execute(path: Path, text: str, *values) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(text, values)


def test_damage_is_never_an_emptier_store(tmp_path):
    path = tmp_path / "s.db"
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(b"something else entirely" * 100)
    refused(
        path,
        "is damaged: file is not a database",
        "restore s.db, with its -wal if there is one, from a copy; or move both away",
    )
    # every page spoilt in turn
    seen = 0
    for page in range(1, len(whole) // 4096):
        spoilt = bytearray(whole)
        spoilt[page * 4096 : page * 4096 + 64] = bytes(64)
        path.write_bytes(spoilt)
        with pytest.raises(StateError):
            open_state(path, now_ms=0)
        seen += 1
    assert seen > 20
    path.write_bytes(whole[: len(whole) // 2 // 4096 * 4096])
    with pytest.raises(StateError):
        open_state(path, now_ms=0)
    # a value that is another, in a file that is right
    path.write_bytes(whole)
    execute(path, "UPDATE entries SET value = x'00' WHERE key = 'key 7'")
    refused(path, "is damaged: the checksum of a `key 7` is wrong", "restore")


def test_other_versions_and_other_databases(tmp_path):
    path = tmp_path / "s.db"
    filled(path)
    execute(path, f"PRAGMA user_version={SCHEMA + 1}")
    before = path.read_bytes()
    refused(path, f"newer version: its schema is {SCHEMA + 1}, this version knows {SCHEMA}", "nothing was changed")
    assert path.read_bytes() == before
    other = tmp_path / "other.db"
    execute(other, "CREATE TABLE entries (id)")
    refused(other, "is a database, but not the state of a peer", "name another data directory")


def test_what_cannot_be_opened(tmp_path):
    (tmp_path / "s.db").mkdir()
    with pytest.raises(StateError, match="cannot open"):
        open_state(tmp_path / "s.db", now_ms=0)
    with pytest.raises(StateError, match="cannot read"):
        read_state(tmp_path / "none.db")
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot create the data directory"):
        DataDir(tmp_path / "file" / "data", now_ms=0)


# ── the directory ────────────────────────────────────────────────────────────────────────────────────────────────────

HOLD = """\
import sys
from pathlib import Path
from runtime.store.data_dir import DataDir
from runtime.store.state import Change, Entry
data = DataDir(Path(sys.argv[1]), now_ms=0)
data.store.commit([Change("a", "k", Entry(b"acknowledged"))]).result()
print("ready", flush=True)
sys.stdin.read()
"""


def test_one_process_at_a_time_and_a_killed_one_holds_nothing(tmp_path):
    folder = tmp_path / "data"
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            with pytest.raises(StateError, match=f"is in use by process {process.pid}") as caught:
                DataDir(folder, now_ms=0)
            assert "another --data-dir" in caught.value.hint
            assert holder(folder) == str(process.pid)
            assert state_report(folder)["process"] == process.pid
            assert contents(folder / STATE_FILE) == {"a": {"k": b"acknowledged"}}, "read while it is in use"
        finally:
            process.kill()
    assert holder(folder) is None
    with DataDir(folder, now_ms=0) as data:
        assert data.store.get("a", "k") == b"acknowledged"
    data.close()
    assert (folder / STATE_FILE).stat().st_mode & 0o077 == 0


def test_looking_in_changes_nothing(tmp_path):
    folder = tmp_path / "data"
    with DataDir(folder, now_ms=0) as data:
        put(data.store, state.SERVICES, "id", json.dumps({"blueprint_id": "b", "scope": "Host"}).encode())
        put(data.store, state.SERVICES, "odd", b"\xff")
        put(data.store, state.ALIASES, "Host/my/name", b"id")
        put(data.store, PARTICLES, "12D3/00ff", b"data", 77).result(LONG_S)

    def files():
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}

    before = files()
    report = state_report(folder)
    assert files() == before
    check_schema("avm-peer-state", report)
    check_schema("avm-peer-state", report | {"more": 1}, valid=False)
    assert report["services"] == [
        {"id": "id", "blueprint_id": "b", "scope": "Host", "aliases": ["my/name"]},
        {"id": "odd", "damaged": "\N{REPLACEMENT CHARACTER}", "aliases": []},
    ]
    assert report["particles"] == [{"scope": "12D3", "signature": "00ff", "data_bytes": 4, "expires_ms": 77}]
    assert report["namespaces"][PARTICLES] == {"entries": 1, "value_bytes": 4}
    assert (report["in_use"], report["process"], report["schema"]) == (False, None, SCHEMA)
    (folder / LOCK_FILE).unlink()
    assert state_report(folder)["in_use"] is False
    with pytest.raises(CommandError, match="is not the data directory of a peer"):
        state_report(tmp_path)


def test_spells_and_workers_are_told_apart_from_services(tmp_path, capsys):
    folder, creator = tmp_path / "data", named_identity("maker").peer_id
    worker, damaged = (
        Worker(named_identity(name), name, creator, (bytes(32),), name == "deal") for name in ("deal", "gone")
    )
    with DataDir(folder, now_ms=0) as data:
        record = {"blueprint_id": "b", "owner_id": creator, "scope": "Host"}
        put(data.store, state.SERVICES, "service", json.dumps(record | {"service_type": "service"}).encode())
        put(data.store, state.SERVICES, "spell", json.dumps(record | {"service_type": "spell"}).encode())
        put(data.store, state.ALIASES, "Host/mine", b"spell")
        workers = WorkerStore(folder / "services")
        workers.load()
        for one in (worker, damaged):
            workers.add(one)
    (folder / "services" / "workers" / damaged.id / "info.toml").write_text("worker_id = 5")
    report = state_report(folder)
    check_schema("avm-peer-state", report)
    assert [one["id"] for one in report["services"]] == ["service"]
    assert [(one["id"], one["aliases"]) for one in report["spells"]] == [("spell", ["mine"])]
    found = {one["id"]: one for one in report["workers"]}
    about = {"id": worker.id, "deal_id": "deal", "creator": creator, "active": True, "compute_units": 1}
    assert found == {worker.id: about, damaged.id: {"id": damaged.id, "damaged": "its id is not that of its folder"}}
    assert main(["peer", "state", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "spell spell on Host: mine" in out
    assert f"worker {worker.id} of deal deal, made by {creator}: active" in out
    assert f"worker {damaged.id}: damaged: its id is not that of its folder" in out
    assert worker.identity.seed.hex() not in out


def test_limits_are_what_the_documents_say():
    text = (Path(__file__).parents[3] / "docs" / "stores.md").read_text()
    for value in (limits.KEY_BYTES_MAX, limits.ENTRIES_MAX):
        assert f"{value:,}" in text
    for value, unit in (
        (limits.VALUE_BYTES_MAX, 20),
        (limits.NAMESPACE_BYTES_MAX, 20),
        (limits.UNWRITTEN_BYTES_MAX, 20),
    ):
        assert f"{value >> unit} MiB" in text
    assert f"{limits.FILE_BYTES_MAX >> 30} GiB" in text
