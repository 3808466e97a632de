"""Where the interpreter data of a particle waits between two runs.

The data lives as long as the particle's actor. In memory it is gone after a crash, and a copy that comes afterwards starts the
particle anew, calls included; a store that outlives the process keeps the promise that no call is made twice. Such a store gives what
an earlier process left in `kept`, so that the peer forgets it when its time has passed. Particle ids are chosen by strangers and never
become file names.
Source: nox:aquamarine/src/particle_data_store.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from runtime.core.events import ActorKey

from .state import PARTICLES, Change, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .state import Store


class ParticleDataStore(Protocol):
    """Previous data by actor. Calls are synchronous and must be quick."""

    @property
    def total_bytes(self) -> int:
        """Bytes stored at the moment."""
        ...

    def load(self, key: ActorKey) -> bytes:
        """Data of the last run; empty when there was none."""
        ...

    def save(self, key: ActorKey, data: bytes, *, deadline_ms: int) -> None:
        """Replace the data of the last run. They are needed up to `deadline_ms`, ms since the epoch.

        When it returns they are kept: what the core asks for next may be seen by others.
        """
        ...

    def remove(self, key: ActorKey) -> None:
        """Forget the data; nothing happens when there is none."""
        ...

    def kept(self) -> Iterable[tuple[ActorKey, int]]:
        """Everything stored, each with its deadline. Asked once, when a peer starts."""
        ...

    # A store may write later. Then what the core asked for since is held back until `written` has come up to `unwritten`.

    @property
    def unwritten(self) -> int:
        """Number of the newest change that an end of this process would undo; 0 when there is none."""
        ...

    @property
    def unwritten_bytes(self) -> int:
        """Bytes of data that are on their way."""
        ...

    @property
    def written(self) -> int:
        """Number of the newest change that stays, as do all before it."""
        ...

    def watch(self, listener: Callable[[], None]) -> None:
        """Call when `written` has changed, on any thread."""
        ...


class MemoryParticleData:
    """The store in a dict. Bounded by `CoreLimits.stored_bytes_max`, which the core checks on new particles."""

    __slots__ = ("_data", "_deadlines", "_total_bytes")

    def __init__(self) -> None:
        """Start empty."""
        self._data: dict[ActorKey, bytes] = {}
        self._deadlines: dict[ActorKey, int] = {}
        self._total_bytes = 0

    @property
    def total_bytes(self) -> int:
        """Bytes stored at the moment."""
        return self._total_bytes

    def load(self, key: ActorKey) -> bytes:
        """Data of the last run; empty when there was none."""
        return self._data.get(key, b"")

    def save(self, key: ActorKey, data: bytes, *, deadline_ms: int) -> None:
        """Replace the data of the last run."""
        self._total_bytes += len(data) - len(self._data.get(key, b""))
        self._data[key] = data
        self._deadlines[key] = deadline_ms

    def remove(self, key: ActorKey) -> None:
        """Forget the data; nothing happens when there is none."""
        self._total_bytes -= len(self._data.pop(key, b""))
        self._deadlines.pop(key, None)

    def kept(self) -> Iterable[tuple[ActorKey, int]]:
        """Everything stored, each with its deadline."""
        return tuple(self._deadlines.items())

    @property
    def unwritten(self) -> int:
        """Always 0: nothing here outlives the process."""
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


class KeptParticleData:
    """The data in the store of a peer, where they outlive the process. They are in memory too, so that `load` never waits."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        """Use the namespace of particles."""
        self._store = store

    @property
    def total_bytes(self) -> int:
        """Bytes stored at the moment."""
        return self._store.bytes_of(PARTICLES)

    def load(self, key: ActorKey) -> bytes:
        """Data of the last run; empty when there was none."""
        return self._store.get(PARTICLES, _text(key)) or b""

    def save(self, key: ActorKey, data: bytes, *, deadline_ms: int) -> None:
        """Replace the data of the last run; on disk once `written` has come up to `unwritten`."""
        self._store.defer([Change(PARTICLES, _text(key), Entry(data, deadline_ms))])

    def remove(self, key: ActorKey) -> None:
        """Forget the data. A crash may bring them back, for no longer than until the next start after their end."""
        text = _text(key)
        if self._store.get(PARTICLES, text) is not None:
            self._store.defer([Change(PARTICLES, text, None)])

    def kept(self) -> Iterable[tuple[ActorKey, int]]:
        """Everything stored, each with its deadline."""
        return tuple([(_key(text), entry.expires_ms or 0) for text, entry in self._store.entries(PARTICLES)])

    @property
    def unwritten(self) -> int:
        """Number of the newest change that is not on disk; 0 when all are."""
        return self._store.unwritten

    @property
    def unwritten_bytes(self) -> int:
        """Bytes of data on their way to the disk."""
        return self._store.unwritten_bytes

    @property
    def written(self) -> int:
        """Number of the newest change that is on disk."""
        return self._store.written

    def watch(self, listener: Callable[[], None]) -> None:
        """Call when `written` has changed, on the thread of the store."""
        self._store.watch(listener)


def _text(key: ActorKey) -> str:
    return f"{key.scope}/{key.signature.hex()}"


def _key(text: str) -> ActorKey:
    scope, _, signature = text.rpartition("/")
    return ActorKey(scope, bytes.fromhex(signature))
