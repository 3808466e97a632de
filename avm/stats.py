"""Counts of what an interpreter's caches did: plain data, made by `Avm.stats`, printed by `avm stats`.

Errors: none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functools import _CacheInfo


class Lookups:
    """Running counts of one cache."""

    __slots__ = ("hits", "misses")

    def __init__(self) -> None:
        """From zero."""
        self.hits = 0
        self.misses = 0


@dataclass(frozen=True, slots=True)
class CacheStats:
    """One cache: lookups so far, what it holds and may hold. Sizes in bytes are 0 where only entries are limited."""

    hits: int
    misses: int
    entries: int
    entries_max: int
    bytes: int = 0
    bytes_max: int = 0

    @classmethod
    def of(cls, lookups: Lookups, entries: int, entries_max: int, size: int = 0, size_max: int = 0) -> CacheStats:
        """Counts of a cache that counts by itself."""
        return cls(lookups.hits, lookups.misses, entries, entries_max, size, size_max)

    @classmethod
    def of_function(cls, info: _CacheInfo) -> CacheStats:
        """Counts of a function under `lru_cache`."""
        return cls(info.hits, info.misses, info.currsize, info.maxsize or 0)


@dataclass(frozen=True, slots=True)
class NativeStats:
    """Runs that native code did, and those that it left to the interpreter, by reason. Its buffers, in bytes."""

    runs: int = 0
    declined: dict[str, int] = field(default_factory=dict)
    arena_bytes: int = 0
    heap_bytes: int = 0


@dataclass(frozen=True, slots=True)
class VmStats:
    """Counts of one `Avm`, and of the caches that all of a process share.

    runs: invocations. programs: parsed scripts. data: decoded outputs, found again as previous data; empty previous data
    are not looked up. native: runs by native code. Shared: cids (entries whose hash was checked), signatures (checked ones; own ones count as
    checked), canonical_texts (canonical forms of stored values), keys (public keys and the peer ids they stand for).
    """

    runs: int
    programs: CacheStats
    data: CacheStats
    cids: CacheStats
    signatures: CacheStats
    canonical_texts: CacheStats
    keys: CacheStats
    native: NativeStats = field(default_factory=NativeStats)

    def to_json(self) -> dict[str, Any]:
        """The document of `avm stats`: counts of this interpreter, then those of the process under `shared`."""
        return {
            "runs": self.runs,
            "programs": asdict(self.programs),
            "data": asdict(self.data),
            "native": asdict(self.native),
            "shared": {
                "cids": asdict(self.cids),
                "signatures": asdict(self.signatures),
                "canonical_texts": asdict(self.canonical_texts),
                "keys": asdict(self.keys),
            },
        }
