"""Where the interpreter data of a particle waits between two runs.

The data lives as long as the particle's actor. In memory it is gone after a crash, and a copy that comes afterwards starts the
particle anew, calls included; a store that outlives the process keeps the promise that no call is made twice. Such a store gives what
an earlier process left in `kept`, so that the peer forgets it when its time has passed. Particle ids are chosen by strangers and never
become file names.
Source: nox:aquamarine/src/particle_data_store.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime.core.events import ActorKey


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
