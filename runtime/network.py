"""The port between a peer and whatever carries its bytes.

A peer knows peer ids and messages; connections, streams, negotiation and address books belong to the adapter behind
this port. There are two adapters: `runtime.inprocess` (no sockets) and `runtime.protocol.libp2p_host` (the wire).

A *message* is one body of `/fluence/particle/2.0.0`: `81 04` and MessagePack, without the length prefix. Adapters add
and remove the prefix with `runtime.protocol.codec.frame` and `FrameReader`.

Errors: `Unreachable` from `send`, `rpc` and `probe`, `DialFailed` from `dial`; nothing else crosses the port.
Source: nox:particle-protocol/src/libp2p_protocol/upgrade.rs, nox:connection-pool
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

RpcHandler = Callable[[str, bytes], Awaitable[bytes]]
"""Answers one request: takes the asking peer id and the payload, returns the answer."""

Resolver = Callable[[str, frozenset[str]], Awaitable[tuple[str, ...]]]
"""Finds addresses of a peer id nobody is connected to, other than those at which it was not reached; none when nobody knows any."""

IdentifiedListener = Callable[["Contact", tuple[str, ...]], None]
"""Told of a peer that has said who it is: its addresses and the protocols it speaks."""


class NetworkError(Exception):
    """The network could not do what was asked."""


class Unreachable(NetworkError):
    """There is no connection to the peer and none could be made, or the connection broke while sending."""


class DialFailed(NetworkError):
    """The address is malformed, nobody answers there, or somebody else does."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A peer and the addresses under which it is known; the tuple may be empty."""

    peer_id: str
    addresses: tuple[str, ...] = ()


class TaskStatus(Protocol):
    """What `trio.Nursery.start` hands to the started task, as far as `Network.serve` needs it."""

    def started(self, value: tuple[str, ...], /) -> None:
        """Report that the network is reachable at these addresses."""
        ...


class Receiver(Protocol):
    """What an adapter calls; `runtime.peer.Peer` implements it."""

    async def on_message(self, sender: str, message: bytes) -> None:
        """Take one message of `sender`.

        Returns once there is room for the next: an adapter must not read further from that stream before. Never
        raises on a bad message.
        """
        ...

    def offer(self, sender: str, message: bytes) -> bool:
        """Take one message of `sender` at once if there is room; False when it was not taken: then await `on_message`.

        Never raises on a bad message.
        """
        ...

    def on_connected(self, contact: Contact) -> None:
        """Note the first connection to a peer."""
        ...

    def on_disconnected(self, peer_id: str) -> None:
        """Note the loss of the last connection to a peer."""
        ...


class Network(Protocol):
    """An adapter. All methods belong to the event loop of the peer.

    on_identified and resolve are None until routing sets them (`runtime.kademlia`).
    """

    on_identified: IdentifiedListener | None
    resolve: Resolver | None

    @property
    def peer_id(self) -> str:
        """Base58 text of the local peer id."""
        ...

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses at which others can reach this peer, each ending in `/p2p/<peer id>`; empty before `serve`."""
        ...

    async def serve(self, receiver: Receiver, listen: Sequence[str], *, task_status: TaskStatus) -> None:
        """Listen at the addresses and deliver to `receiver` until cancelled.

        Calls `task_status.started(addresses)` when it is reachable. Started by `nursery.start`. All connections end
        with it. Raises DialFailed for an address it cannot listen at.
        """
        ...

    async def dial(self, address: str) -> str:
        """Connect to a multiaddress that ends in `/p2p/<peer id>`; the result is that peer id. Raises DialFailed."""
        ...

    async def send(self, peer_id: str, message: bytes) -> None:
        """Deliver one message, over an existing connection or a new one after a look-up. Raises Unreachable.

        Returns when the message has left, not when it was processed. At-most-once; no retry.
        """
        ...

    def peers(self) -> tuple[str, ...]:
        """Peer ids with a live connection."""
        ...

    def contact(self, peer_id: str) -> Contact | None:
        """What is known about a connected peer, or one being dialled; None for a stranger."""
        ...

    async def rpc(self, peer_id: str, protocol: str, payload: bytes) -> bytes:
        """One request and its answer on a stream of its own (Kademlia, identify). Raises Unreachable."""
        ...

    async def probe(self, peer_id: str, timeout_s: float) -> None:
        """One round trip to a connected peer. Raises Unreachable; who does not answer in time is disconnected then."""
        ...

    def handle(self, protocol: str, handler: RpcHandler) -> None:
        """Answer requests of `protocol` with `handler`; a second registration replaces the first."""
        ...
