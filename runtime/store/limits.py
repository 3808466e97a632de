"""Bounds of what a peer keeps on disk, by name. Data of particles are bound by `CoreLimits`, services by `runtime/services/limits.py`."""

from __future__ import annotations

from typing import Final

KEY_BYTES_MAX: Final = 1024
"""UTF-8 bytes of a key."""

VALUE_BYTES_MAX: Final = 1 << 20
"""One value, except the data of a particle."""

ENTRIES_MAX: Final = 100_000
"""Entries of one namespace, except the data of particles."""

NAMESPACE_BYTES_MAX: Final = 64 << 20
"""Keys and values of one namespace, except the data of particles. All of them are in memory as well."""

FILE_BYTES_MAX: Final = 4 << 30
"""The file of the store. Data of particles take at most 512 MiB of it; freed pages are used again."""

UNWRITTEN_BYTES_MAX: Final = 64 << 20
"""Data of particles on their way to the disk; above it the peer takes nothing more from the network."""

RETRY_S: Final = 1.0
"""How long the store waits before it tries again to write data of particles."""

LOCK_TRIES: Final = 4
LOCK_PAUSE_S: Final = 0.05
"""Somebody who looks into a data directory holds its lock for a moment; a peer that starts waits for that."""
