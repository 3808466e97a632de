"""What a client may have to send to its relay once more: what did not leave, and what may have been lost on the way.

To send a particle twice is harmless, a peer continues where it was; later data of a particle contain the earlier. Particles of others,
in which this client has a part, are kept until they leave; own ones until their calls end. Bounded for what others cause.
Errors: none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runtime.core.particle import Particle

FOREIGN_MAX: Final = 1024
"""Particles of others that wait for the relay; more are dropped, as all would be if none were kept."""

FOREIGN_BYTES_MAX: Final = 64 << 20
"""The same for their scripts and data together."""


class Outbox:
    """Particles by signature, the latest data of each."""

    def __init__(self, author: str) -> None:
        """`author`: peer id of the client."""
        self._author = author
        self._unsent: dict[bytes, Particle] = {}
        self._sent: dict[bytes, Particle] = {}
        self._foreign = 0
        self._foreign_bytes = 0

    def __len__(self) -> int:
        """Particles kept."""
        return len(self._unsent) + len(self._sent)

    def has_unsent(self, particle: Particle) -> bool:
        """Whether this particle, with these data, has not left."""
        return self._unsent.get(particle.signature) is particle

    def failed(self, particle: Particle, now_ms: int) -> None:
        """Keep a particle that could not be sent, if there is room."""
        self.remove(particle.signature)
        if particle.init_peer_id != self._author:
            if self._foreign >= FOREIGN_MAX or self._foreign_bytes + _size(particle) > FOREIGN_BYTES_MAX:
                self._drop_expired(now_ms)
            if self._foreign >= FOREIGN_MAX or self._foreign_bytes + _size(particle) > FOREIGN_BYTES_MAX:
                return
            self._foreign += 1
            self._foreign_bytes += _size(particle)
        self._unsent[particle.signature] = particle

    def left(self, particle: Particle, *, is_awaited: bool) -> None:
        """Note that a particle has left; one whose answer is awaited is kept in case it does not arrive."""
        self.remove(particle.signature)
        if is_awaited:
            self._sent[particle.signature] = particle

    def answered(self, signature: bytes) -> None:
        """A call has ended: what has left need not be sent again."""
        self._sent.pop(signature, None)

    def remove(self, signature: bytes) -> None:
        """Keep nothing of a particle."""
        self._sent.pop(signature, None)
        particle = self._unsent.pop(signature, None)
        if particle is not None and particle.init_peer_id != self._author:
            self._foreign -= 1
            self._foreign_bytes -= _size(particle)

    def clear(self) -> None:
        """Keep nothing."""
        for signature in [*self._unsent, *self._sent]:
            self.remove(signature)

    def again(self, now_ms: int) -> list[Particle]:
        """What to send to a relay that is back. Stays here until it has left."""
        self._drop_expired(now_ms)
        return [*self._unsent.values(), *self._sent.values()]

    def _drop_expired(self, now_ms: int) -> None:
        for kept in (self._unsent, self._sent):
            for particle in [particle for particle in kept.values() if particle.is_expired(now_ms)]:
                self.remove(particle.signature)


def _size(particle: Particle) -> int:
    return len(particle.script) + len(particle.data)
