"""A network without sockets: every peer of a `Fabric` lives in this process.

Messages still cross as bytes: framed, cut into pieces, reassembled and decoded like on the wire, so nothing is shared
between peers. Peers that listen can be found by anyone; others (clients) are reached only over a connection they made.
Errors: as the port says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from runtime.network import Contact, DialFailed, Receiver, RpcHandler, Unreachable
from runtime.protocol.codec import FrameReader, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.network import IdentifiedListener, Resolver, TaskStatus

QUEUE_MAX: Final = 128
"""Messages on their way to one peer; a sender waits above it."""

PIECE_BYTES: Final = 65_536
"""Frames are handed over in pieces of at most this size, as a muxer would cut them."""


class Fabric:
    """The peers of one in-process network and the connections between them."""

    def __init__(self) -> None:
        """Start without peers."""
        self.in_flight = 0
        self.on_change: list[Callable[[], None]] = []
        self._endpoints: dict[str, InProcessNetwork] = {}

    def endpoint(self, peer_id: str) -> InProcessNetwork:
        """A new adapter for one peer."""
        return InProcessNetwork(self, peer_id)

    def attach(self, endpoint: InProcessNetwork) -> None:
        """Make a serving peer known. Raises DialFailed when its peer id is already serving."""
        if endpoint.peer_id in self._endpoints:
            raise DialFailed(f"peer {endpoint.peer_id} is already running")
        self._endpoints[endpoint.peer_id] = endpoint

    def detach(self, endpoint: InProcessNetwork) -> None:
        """Forget a peer and break its connections."""
        del self._endpoints[endpoint.peer_id]
        for other in list(endpoint.connected):
            self._endpoints[other].disconnect(endpoint.peer_id)
        endpoint.connected.clear()

    def find(self, peer_id: str) -> InProcessNetwork | None:
        """A serving peer."""
        return self._endpoints.get(peer_id)

    def note(self, in_flight: int) -> None:
        """Count messages on their way and tell whoever watches."""
        self.in_flight += in_flight
        for listener in self.on_change:
            listener()


class InProcessNetwork:
    """The adapter of one peer. Implements `runtime.network.Network`."""

    def __init__(self, fabric: Fabric, peer_id: str) -> None:
        """Belong to a fabric; nothing is delivered before `serve`."""
        self.connected: dict[str, None] = {}
        self.listens = False
        self.on_identified: IdentifiedListener | None = None
        self.resolve: Resolver | None = None
        self._fabric = fabric
        self._peer_id = peer_id
        self._receiver: Receiver | None = None
        self._handlers: dict[str, RpcHandler] = {}
        self._inbox: trio.MemorySendChannel[tuple[str, bytes]] | None = None

    @property
    def peer_id(self) -> str:
        """Base58 text of the local peer id."""
        return self._peer_id

    @property
    def addresses(self) -> tuple[str, ...]:
        """The one in-process address, when this peer can be dialled."""
        return (address_of(self._peer_id),) if self.listens else ()

    async def serve(self, receiver: Receiver, listen: Sequence[str], *, task_status: TaskStatus) -> None:
        """Deliver messages to `receiver` until cancelled; any listen address makes the peer findable."""
        sender, inbox = trio.open_memory_channel[tuple[str, bytes]](QUEUE_MAX)
        self._receiver, self._inbox, self.listens = receiver, sender, bool(listen)
        self._fabric.attach(self)
        try:
            task_status.started(self.addresses)
            async for source, data in inbox:
                reader = FrameReader()
                for start in range(0, len(data), PIECE_BYTES):
                    for message in reader.feed(data[start : start + PIECE_BYTES]):
                        await receiver.on_message(source, message)
                self._fabric.note(-1)
        finally:
            self._inbox = None
            self._fabric.detach(self)

    async def dial(self, address: str) -> str:
        """Connect to `/memory/…/p2p/<peer id>`. Raises DialFailed."""
        await trio.lowlevel.checkpoint()
        head, found, peer_id = address.rpartition("/p2p/")
        if not found or not head.startswith("/memory/"):
            raise DialFailed(f"not an in-process address: {address}")
        if not self._connect(peer_id):
            raise DialFailed(f"nobody listens at {address}")
        return peer_id

    async def send(self, peer_id: str, message: bytes) -> None:
        """Deliver one message; a listening peer is connected to first if need be. Raises Unreachable."""
        if peer_id not in self.connected and not self._connect(peer_id):
            raise Unreachable(f"no route to peer {peer_id}")
        target = self._fabric.find(peer_id)
        if target is None or target._inbox is None:
            raise Unreachable(f"peer {peer_id} is gone")
        self._fabric.note(+1)
        try:
            await target._inbox.send((self._peer_id, frame(message)))
        except BaseException as error:
            self._fabric.note(-1)
            if isinstance(error, trio.BrokenResourceError):
                raise Unreachable(f"peer {peer_id} is gone") from error
            raise

    def peers(self) -> tuple[str, ...]:
        """Peer ids with a live connection."""
        return tuple(self.connected)

    def contact(self, peer_id: str) -> Contact | None:
        """What is known about a connected peer."""
        if peer_id not in self.connected:
            return None
        other = self._fabric.find(peer_id)
        return Contact(peer_id, other.addresses if other else ())

    async def rpc(self, peer_id: str, protocol: str, payload: bytes) -> bytes:
        """One request and its answer. Raises Unreachable."""
        if peer_id not in self.connected and not self._connect(peer_id):
            raise Unreachable(f"no route to peer {peer_id}")
        target = self._fabric.find(peer_id)
        handler = target._handlers.get(protocol) if target else None
        if handler is None:
            raise Unreachable(f"peer {peer_id} does not speak {protocol}")
        return await handler(self._peer_id, payload)

    async def probe(self, peer_id: str, timeout_s: float) -> None:
        """One round trip, which takes no time here. Raises Unreachable."""
        await trio.lowlevel.checkpoint()
        if peer_id not in self.connected:
            raise Unreachable(f"peer {peer_id} is gone")

    def handle(self, protocol: str, handler: RpcHandler) -> None:
        """Answer requests of `protocol`."""
        self._handlers[protocol] = handler

    def disconnect(self, peer_id: str) -> None:
        """Note that the other side is gone."""
        if peer_id in self.connected:
            del self.connected[peer_id]
            if self._receiver is not None:
                self._receiver.on_disconnected(peer_id)

    def _connect(self, peer_id: str) -> bool:
        other = self._fabric.find(peer_id)
        if other is None or other is self or not other.listens:
            return False
        self._note_connection(other)
        other._note_connection(self)
        return True

    def _note_connection(self, other: InProcessNetwork) -> None:
        if other.peer_id not in self.connected and self._receiver is not None:
            self.connected[other.peer_id] = None
            contact = Contact(other.peer_id, other.addresses)
            self._receiver.on_connected(contact)
            if self.on_identified is not None:
                self.on_identified(contact, tuple(other._handlers))


def address_of(peer_id: str) -> str:
    """The address of a listening peer."""
    return f"/memory/0/p2p/{peer_id}"
