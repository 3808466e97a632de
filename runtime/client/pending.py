"""A call on its way, from the moment it starts until its outcome is known.

Made by: `Client`, which tells it of everything. Errors: what `wait` raises is in `runtime.client.errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import trio

from avm.exec.waiting import waiting
from avm.outcome import RunParameters
from runtime.client.errors import Abandoned, ClientClosed, Unanswered
from runtime.client.invocation import Answer, Invocation
from runtime.core.events import ActorKey

if TYPE_CHECKING:
    from runtime.client.client import Client
    from runtime.client.errors import CallFailed
    from runtime.core.particle import Particle

EXPLAINED_BYTES_MAX: Final = 1 << 18
"""Data of an expired call that are looked at for what it waited for: the loop stands still meanwhile."""


class PendingCall:
    """A call on its way.

    relay: the one it was started with. data: of the last run here, until the call is done. is_bound: the program knows its relay.
    is_leaving, has_left: it is to go to the relay, it has gone. connections: how many the client had had when it last
    set out. losses: how often the relay was lost since the start.
    """

    def __init__(self, client: Client, particle: Particle, call: Invocation) -> None:
        """Start without an outcome."""
        self.particle = particle
        self.relay = client.relay
        self.data = b""
        self.has_left = False
        self.is_bound = False
        self.is_leaving = False
        self.connections = client.connections
        self.losses = 0
        self._client = client
        self._call = call
        self._done = trio.Event()
        self._handed_over = trio.Event()
        self._answer: Answer | None = None
        self._error: CallFailed | ClientClosed | None = None

    @property
    def key(self) -> ActorKey:
        """The particle on the client's peer."""
        return ActorKey(self._client.peer.peer_id, self.particle.signature)

    @property
    def is_done(self) -> bool:
        """Whether the outcome is known."""
        return self._done.is_set()

    def resolve(self, values: list[Any]) -> None:
        """End with a result; only the first outcome counts."""
        if not self.is_done:
            self._answer = Answer(self.particle.id, values)
            self._end()

    def reject(self, error: CallFailed | ClientClosed) -> None:
        """End with an error; only the first outcome counts."""
        if not self.is_done:
            if not isinstance(error, ClientClosed):
                error.locate(self._call.name, self._call.find)
            self._error = error
            self._end()

    def _end(self) -> None:
        self.data = b""
        self._client.ended(self)
        self._done.set()
        self._handed_over.set()

    def abandon(self, reason: str) -> None:
        """End because nothing more can come."""
        self.reject(Abandoned(reason, self.particle.id))

    def cancel(self) -> None:
        """End, and forget the particle: its services are gone at once, and what comes back of it is ignored."""
        self.abandon("the call was cancelled")
        self._client.give_up(self)

    @property
    def is_handed_over(self) -> bool:
        """Whether nobody waits any more: the call is done, or does not answer and has left."""
        return self._handed_over.is_set()

    def hand_over(self) -> None:
        """Note that the particle has left, or has nothing more to do here. Nobody waits for more if it does not answer."""
        if not self._call.answers:
            self._handed_over.set()

    def unanswered(self) -> tuple[Unanswered, ...]:
        """What has been asked for and not answered, as this peer knows it; nothing when there are too many data to look at.

        Takes as long as a run of the interpreter.
        """
        if not 0 < len(self.data) <= EXPLAINED_BYTES_MAX:
            return ()
        peer = self._client.peer
        parameters = RunParameters(
            init_peer_id=self.particle.init_peer_id,
            current_peer_id=peer.peer_id,
            timestamp=self.particle.timestamp,
            ttl=self.particle.ttl,
            particle_id=self.particle.id,
            secret_key_bytes=peer.config.identity.seed,
        )
        found = waiting(self.particle.script, self.data, parameters)
        return tuple(Unanswered(item.instruction, item.peer_id, self._call.find(item.instruction)) for item in found)

    async def wait(self) -> Answer:
        """The answer. To be cancelled here leaves the call on its way; `cancel` ends it. Raises CallFailed, ClientClosed."""
        await self._done.wait()
        return self._outcome()

    async def wait_handed_over(self) -> Answer:
        """Return when the particle has left for the relay or has nothing more to do here. Raises CallFailed, ClientClosed."""
        await self._handed_over.wait()
        return self._outcome() if self.is_done else Answer(self.particle.id, [])

    def _outcome(self) -> Answer:
        if self._error is not None:
            raise self._error
        assert self._answer is not None
        return self._answer
