"""What a peer keeps, as texts and bytes: namespaces of entries, changed together or not at all.

    particles    <scope>/<signature in hex>    interpreter data, up to the end of the particle
    services     <service id>                  JSON: blueprint, type, owner, scope
    aliases      <scope>/<alias>               service id

A part of the peer that has something to keep takes a `Namespace` of its own. Everything is in memory too: reading never waits. Entries
come in the order in which they were last written. Two ways to write: `commit` for what is rare and precious, which gives a future that
is done once it is on disk and fails where it cannot be; `defer` for data of particles, which is tried until it succeeds.
Errors: StateError.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from .limits import ENTRIES_MAX, KEY_BYTES_MAX, NAMESPACE_BYTES_MAX, VALUE_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARTICLES: Final = "particles"
SERVICES: Final = "services"
ALIASES: Final = "aliases"


class StateError(Exception):
    """The store cannot be opened, read or written. hint: the remedy."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep both."""
        super().__init__(message)
        self.hint = hint


class Entry(NamedTuple):
    """A value. expires_ms: last millisecond since the epoch at which it is needed; None for ever."""

    value: bytes
    expires_ms: int | None = None


class Change(NamedTuple):
    """A new value of a key, or None for its removal."""

    namespace: str
    key: str
    entry: Entry | None


class Store(Protocol):
    """Namespaces of entries. Any thread may call."""

    failing: str | None
    """Why nothing can be written at the moment; None when all is well."""

    def get(self, namespace: str, key: str) -> bytes | None:
        """The value of a key."""
        ...

    def entries(self, namespace: str) -> list[tuple[str, Entry]]:
        """Everything in a namespace, in the order of the last writes."""
        ...

    def bytes_of(self, namespace: str) -> int:
        """Bytes of the values of a namespace."""
        ...

    def commit(self, changes: Sequence[Change]) -> Future[None]:
        """Make all changes or none. They are seen at once, and undone when the future fails (StateError).

        Raises StateError when a bound would be exceeded. Two commits that change the same key must not be under way together.
        """
        ...

    def defer(self, changes: Sequence[Change]) -> None:
        """Make changes; `unwritten` tells whether they are on disk. Their bounds are the caller's."""
        ...

    @property
    def unwritten(self) -> int:
        """Number of the newest deferred change that is not on disk; 0 when all are."""
        ...

    @property
    def unwritten_bytes(self) -> int:
        """Bytes of the values that are on their way to the disk."""
        ...

    @property
    def written(self) -> int:
        """Number of the newest deferred change that is on disk. All before it are, too."""
        ...

    def watch(self, listener: Callable[[], None]) -> None:
        """Call when `written` has changed, on any thread; the listener must not wait."""
        ...

    def close(self) -> None:
        """Write everything and end. Nothing may be called afterwards; a second call has no effect."""
        ...


class Namespace:
    """The entries of one part of a peer. Keys are texts, values bytes; one key is changed by one task at a time."""

    def __init__(self, store: Store, name: str) -> None:
        """`name`: in small letters; whoever uses it says so in `runtime/store/state.py`."""
        self._store = store
        self.name = name

    def get(self, key: str) -> bytes | None:
        """The value of a key."""
        return self._store.get(self.name, key)

    def items(self) -> list[tuple[str, bytes]]:
        """All of them, in the order of the last writes."""
        return [(key, entry.value) for key, entry in self._store.entries(self.name)]

    def put(self, key: str, value: bytes, *, expires_ms: int | None = None) -> Future[None]:
        """Set a value; the future is done once it is on disk. Raises StateError, also through the future."""
        return self._store.commit([self.setting(key, value, expires_ms=expires_ms)])

    def delete(self, key: str) -> Future[None]:
        """Remove a key, which may be absent. Raises StateError, also through the future."""
        return self._store.commit([self.removal(key)])

    def setting(self, key: str, value: bytes, *, expires_ms: int | None = None) -> Change:
        """For `Store.commit`, together with changes of other namespaces."""
        return Change(self.name, key, Entry(value, expires_ms))

    def removal(self, key: str) -> Change:
        """For `Store.commit`, together with changes of other namespaces."""
        return Change(self.name, key, None)


class MemoryStore:
    """A store that ends with its process."""

    def __init__(self) -> None:
        """Start empty."""
        self.failing: str | None = None
        self._entries: dict[str, dict[str, Entry]] = {}
        self._value_bytes: dict[str, int] = {}
        self._key_bytes: dict[str, int] = {}
        self._lock = threading.RLock()

    def get(self, namespace: str, key: str) -> bytes | None:
        """The value of a key."""
        with self._lock:
            entry = self._entries.get(namespace, {}).get(key)
        return None if entry is None else entry.value

    def entries(self, namespace: str) -> list[tuple[str, Entry]]:
        """Everything in a namespace, in the order of the last writes."""
        with self._lock:
            return list(self._entries.get(namespace, {}).items())

    def bytes_of(self, namespace: str) -> int:
        """Bytes of the values of a namespace."""
        return self._value_bytes.get(namespace, 0)

    def commit(self, changes: Sequence[Change]) -> Future[None]:
        """Make all changes or none; the future is done. Raises StateError when a bound would be exceeded."""
        with self._lock:
            self._check(changes)
            for change in changes:
                self._apply(change)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def defer(self, changes: Sequence[Change]) -> None:
        """Make changes."""
        with self._lock:
            for change in changes:
                self._apply(change)

    @property
    def unwritten(self) -> int:
        """Always 0."""
        return 0

    @property
    def unwritten_bytes(self) -> int:
        """Always 0."""
        return 0

    @property
    def written(self) -> int:
        """Always 0."""
        return 0

    def watch(self, listener: Callable[[], None]) -> None:
        """Nothing will have to be told."""

    def close(self) -> None:
        """Nothing is kept."""

    def _apply(self, change: Change) -> Entry | None:
        """Make one change; what was there before."""
        namespace, key, entry = change
        entries = self._entries.setdefault(namespace, {})
        before = entries.pop(key, None)
        value_bytes = self._value_bytes.get(namespace, 0)
        key_bytes = self._key_bytes.get(namespace, 0)
        if before is not None:
            value_bytes -= len(before.value)
            key_bytes -= len(key.encode())
        if entry is not None:
            entries[key] = entry
            value_bytes += len(entry.value)
            key_bytes += len(key.encode())
        self._value_bytes[namespace] = value_bytes
        self._key_bytes[namespace] = key_bytes
        return before

    def _check(self, changes: Sequence[Change]) -> None:
        """Whether the changes stay within the bounds; what makes a namespace no larger always may. Raises StateError."""
        grown: dict[str, tuple[int, int]] = {}
        for namespace, key, entry in changes:
            if entry is None:
                continue
            if len(key.encode()) > KEY_BYTES_MAX:
                raise StateError(f"a key of {namespace} takes at most {KEY_BYTES_MAX} bytes")
            if len(entry.value) > VALUE_BYTES_MAX:
                raise StateError(f"a value of {namespace} takes at most {VALUE_BYTES_MAX} bytes")
            before = self._entries.get(namespace, {}).get(key)
            count, size = grown.get(namespace, (0, 0))
            count += before is None
            size += len(entry.value) + len(key.encode()) if before is None else len(entry.value) - len(before.value)
            grown[namespace] = count, size
        for namespace, (count, size) in grown.items():
            if count > 0 and len(self._entries.get(namespace, {})) + count > ENTRIES_MAX:
                raise StateError(f"the peer keeps at most {ENTRIES_MAX} {namespace}")
            held = self._value_bytes.get(namespace, 0) + self._key_bytes.get(namespace, 0)
            if size > 0 and held + size > NAMESPACE_BYTES_MAX:
                raise StateError(f"the peer keeps at most {NAMESPACE_BYTES_MAX} bytes of {namespace}")
