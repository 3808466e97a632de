"""A network adapter that delays, loses, copies and cuts the messages of the adapter behind it, as a seed says.

Connections, look-ups and requests go through untouched: what the network promises of messages is that they may be lost, late, or come
twice, and that is what is tried. Errors: as the port says; a message that is lost on purpose was sent as far as the sender knows.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.network import Contact, IdentifiedListener, Network, Receiver, Resolver, RpcHandler, TaskStatus
    from runtime.sim.faults import Seeded


class FaultyNetwork:
    """The adapter of one peer. Implements `runtime.network.Network`. numbers: of all peers, by peer id."""

    def __init__(self, inner: Network, fates: Seeded, numbers: dict[str, int]) -> None:
        """fates: shared by all peers of the network."""
        self._inner = inner
        self._fates = fates
        self._numbers = numbers
        self._sent: Counter[int] = Counter()
        self._nursery: trio.Nursery | None = None
        self._started = 0.0

    @property
    def peer_id(self) -> str:
        """Base58 text of the local peer id."""
        return self._inner.peer_id

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses at which others can reach this peer."""
        return self._inner.addresses

    @property
    def on_identified(self) -> IdentifiedListener | None:
        """Told of peers that have said who they are."""
        return self._inner.on_identified

    @on_identified.setter
    def on_identified(self, listener: IdentifiedListener | None) -> None:
        self._inner.on_identified = listener

    @property
    def resolve(self) -> Resolver | None:
        """Finds addresses."""
        return self._inner.resolve

    @resolve.setter
    def resolve(self, resolver: Resolver | None) -> None:
        self._inner.resolve = resolver

    async def serve(self, receiver: Receiver, listen: Sequence[str], *, task_status: TaskStatus) -> None:
        """Listen and deliver until cancelled. Raises DialFailed."""
        self._started = trio.current_time()
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                await self._inner.serve(receiver, listen, task_status=task_status)
            finally:
                self._nursery = None
                nursery.cancel_scope.cancel()

    async def dial(self, address: str) -> str:
        """Connect. Raises DialFailed."""
        return await self._inner.dial(address)

    async def send(self, peer_id: str, message: bytes) -> None:
        """Deliver a message, or not. Raises Unreachable."""
        number = self._numbers.get(peer_id)
        if number is None or self._nursery is None:
            # a client from outside is not part of the simulated network
            await self._inner.send(peer_id, message)
            return
        own = self._numbers[self.peer_id]
        nth = self._sent[number]
        self._sent[number] += 1
        delays = self._fates.message(0, own, number, nth)
        now_ms = int((trio.current_time() - self._started) * 1000)
        if self._fates.cut_off(own, number, now_ms):
            delays = ()
        for delay_ms in delays:
            self._nursery.start_soon(self._send_later, peer_id, message, delay_ms)
        await trio.lowlevel.checkpoint()

    async def _send_later(self, peer_id: str, message: bytes, delay_ms: int) -> None:
        from runtime.network import NetworkError

        await trio.sleep(delay_ms / 1000)
        try:
            await self._inner.send(peer_id, message)
        except NetworkError:
            return  # its sender has been told that it went out

    def peers(self) -> tuple[str, ...]:
        """Peer ids with a live connection."""
        return self._inner.peers()

    def contact(self, peer_id: str) -> Contact | None:
        """What is known about a connected peer."""
        return self._inner.contact(peer_id)

    async def rpc(self, peer_id: str, protocol: str, payload: bytes) -> bytes:
        """One request and its answer. Raises Unreachable."""
        return await self._inner.rpc(peer_id, protocol, payload)

    async def probe(self, peer_id: str, timeout_s: float) -> None:
        """One round trip. Raises Unreachable."""
        await self._inner.probe(peer_id, timeout_s)

    def handle(self, protocol: str, handler: RpcHandler) -> None:
        """Answer requests of `protocol`."""
        self._inner.handle(protocol, handler)
