"""The particle: the unit that travels between peers.

Made by: `runtime.client` (new ones) and `runtime.protocol.codec` (received ones). Read by everything in `runtime`.
Errors: none here; `is_signed_by_author` answers False instead of raising.
Source: nox:particle-protocol/src/particle.rs
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runtime.core.limits import U64_MAX
from runtime.protocol import identity

if TYPE_CHECKING:
    from runtime.protocol.identity import Identity


@dataclass(frozen=True, slots=True)
class Particle:
    """One particle.

    timestamp: creation, ms since the epoch, u64. ttl: life time, ms, u32. signature: 64 bytes over everything but
    `data` and `init_peer_id`; it is the particle's identity on a peer. data: interpreter data of the last hop, empty
    for a new particle.
    """

    id: str
    init_peer_id: str
    timestamp: int
    ttl: int
    script: str
    signature: bytes
    data: bytes = b""

    @property
    def deadline_ms(self) -> int:
        """Last millisecond of its life."""
        return self.timestamp + self.ttl

    def is_expired(self, now_ms: int) -> bool:
        """Whether its life is over. A deadline that does not fit u64 counts as over."""
        deadline_ms = self.timestamp + self.ttl
        return deadline_ms > U64_MAX or deadline_ms < now_ms

    def with_data(self, data: bytes) -> Particle:
        """The same particle carrying other data."""
        return replace(self, data=data)

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return signed_bytes(self.id, self.timestamp, self.ttl, self.script)

    def is_signed_by_author(self) -> bool:
        """Whether the signature is that of `init_peer_id`; False for a peer id that carries no key."""
        key = identity.public_key_of(self.init_peer_id)
        return key is not None and identity.verify(key, self.signature, self.signed_bytes())


def signed_bytes(particle_id: str, timestamp: int, ttl: int, script: str) -> bytes:
    """Id, timestamp as u64, ttl as u32 (both little-endian), script."""
    return b"".join((particle_id.encode(), timestamp.to_bytes(8, "little"), ttl.to_bytes(4, "little"), script.encode()))


def new_particle(author: Identity, *, particle_id: str, timestamp: int, ttl: int, script: str) -> Particle:
    """A signed particle without data."""
    signature = author.sign(signed_bytes(particle_id, timestamp, ttl, script))
    return Particle(particle_id, author.peer_id, timestamp, ttl, script, signature)
