"""Where the interpreter data of a particle waits between two runs.

The data lives as long as the particle's actor and is needed by nobody else, so memory is enough; the protocol exists for
hosts that would rather spill to disk. Particle ids are chosen by strangers and never become file names.
Source: nox:aquamarine/src/particle_data_store.rs
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
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

    def save(self, key: ActorKey, data: bytes) -> None:
        """Replace the data of the last run."""
        ...

    def remove(self, key: ActorKey) -> None:
        """Forget the data; nothing happens when there is none."""
        ...


class MemoryParticleData:
    """The store in a dict. Bounded by `CoreLimits.stored_bytes_max`, which the core checks on new particles."""

    __slots__ = ("_data", "_total_bytes")

    def __init__(self) -> None:
        """Start empty."""
        self._data: dict[ActorKey, bytes] = {}
        self._total_bytes = 0

    @property
    def total_bytes(self) -> int:
        """Bytes stored at the moment."""
        return self._total_bytes

    def load(self, key: ActorKey) -> bytes:
        """Data of the last run; empty when there was none."""
        return self._data.get(key, b"")

    def save(self, key: ActorKey, data: bytes) -> None:
        """Replace the data of the last run."""
        self._total_bytes += len(data) - len(self._data.get(key, b""))
        self._data[key] = data

    def remove(self, key: ActorKey) -> None:
        """Forget the data; nothing happens when there is none."""
        self._total_bytes -= len(self._data.pop(key, b""))
