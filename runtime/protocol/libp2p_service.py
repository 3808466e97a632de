"""py-libp2p on our layers: its host over a network service whose connections are those of `connections`.

A py-libp2p host takes any network service. This one brings no swarm of its own into play: negotiation, noise, yamux, tcp,
websockets and limits are ours, because those of py-libp2p cost a relay more than the interpreter does and can be stopped by
one stranger (spec peer.md §12.2). What the host gives is the registry of protocols, identify and ping, and any further protocol
written for py-libp2p, inbound and outbound. Everything that touches the pinned release is in this file.

Errors: those of py-libp2p; `serve_stream` lets none out.
Source: libp2p.abc.INetworkService, libp2p.host.basic_host; spec peer.md §12.2 rows 4, 5, 11, 12
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import multiaddr
import trio
from libp2p.abc import ConnectionType, IMuxedConn, IMuxedStream, INetConn, INetStream
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.host.basic_host import BasicHost
from libp2p.host.ping import ID as PING
from libp2p.host.ping import handle_ping
from libp2p.identity.identify import identify
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify_push.identify_push import ID_PUSH as IDENTIFY_PUSH
from libp2p.network.exceptions import SwarmException
from libp2p.network.stream.exceptions import StreamClosed, StreamEOF, StreamReset
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.transport.upgrader import TransportUpgrader

from aquac.version import VERSION

from .limits import STREAM_IDLE_SECONDS
from .multiaddr import to_bytes
from .protobuf import field_bytes
from .streams import ByteStream
from .wire.yamux import BrokenStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .connections import Connection, Connections

IDENTIFY_PROTOCOL_VERSION: Final = "/fluence/particle/2.0.0"
AGENT: Final = f"aquac/{VERSION}"
_OBSERVED: Final = 4
"""Field of an identify message: the address the other side has for us."""

log = logging.getLogger("runtime.libp2p")


def make_host(seed: bytes, connections: Connections, addresses: Callable[[], Sequence[str]]) -> BasicHost:
    """A py-libp2p host with this Ed25519 seed on our connections. `addresses`: what identify tells others."""
    # It reports every failed stream as an error with its whole state; we report failures ourselves.
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)

    keys = create_new_key_pair(seed)
    peer_id = ID.from_pubkey(keys.public_key)
    store = PeerStore()
    store.add_key_pair(peer_id, keys)
    host = BasicHost(
        WireService(peer_id, store, connections),
        addrs_factory=lambda _: [multiaddr.Multiaddr(text) for text in addresses()],
        disable_identify_address_discovery=True,
    )
    # The service of the host keeps an entry for every peer that ever pinged; the plain handler keeps nothing.
    host.set_stream_handler(PING, handle_ping)
    return host


class WireService(Swarm):  # type: ignore[misc]  # libp2p is not type-checked
    """The network service of the host: connections and streams are ours, nothing of the swarm runs."""

    def __init__(self, peer_id: ID, store: PeerStore, connections: Connections) -> None:
        """No transports: py-libp2p never listens or dials by itself."""
        self._wire = connections
        super().__init__(peer_id, store, TransportUpgrader({}, {}), transports=[])

    @property
    def connections(self) -> dict[ID, list[INetConn]]:
        """Open connections by peer."""
        return {ID.from_base58(p): [_NetConn(c) for c in self._wire.of(p)] for p in self._wire.peers()}

    @connections.setter
    def connections(self, value: Any) -> None:
        """The swarm's constructor sets an empty table; ours is kept elsewhere."""

    def get_connections(self, peer_id: ID | None = None) -> list[INetConn]:
        """Open connections of a peer, or of all."""
        peers = self._wire.peers() if peer_id is None else (str(peer_id),)
        return [_NetConn(c) for p in peers for c in self._wire.of(p)]

    async def dial_peer(self, peer_id: ID) -> list[INetConn]:
        """Connections that are there: whom to dial is decided above. Raises SwarmException when there is none."""
        await trio.lowlevel.checkpoint()
        found = self.get_connections(peer_id)
        if not found:
            raise SwarmException(f"not connected to {peer_id}")
        return found

    async def new_stream(self, peer_id: ID) -> INetStream:
        """A stream on the newest connection of a peer, its protocol still to be agreed on. Raises SwarmException."""
        await trio.lowlevel.checkpoint()
        connection = self._wire.newest(str(peer_id))
        if connection is None:
            raise SwarmException(f"not connected to {peer_id}")
        return _open(connection)

    async def close_peer(self, peer_id: ID) -> None:
        """Close all connections of a peer."""
        await trio.lowlevel.checkpoint()
        for connection in list(self._wire.of(str(peer_id))):
            connection.close("closed by the host")


async def serve_stream(host: BasicHost, connection: Connection, stream: ByteStream, protocol: str) -> None:
    """Let the host's handler of a protocol serve a stream of the other side; whatever goes wrong stays with the stream."""
    handler = host.get_mux().handlers.get(protocol)
    net_stream = NetStream(connection, stream, protocol)
    try:
        if handler is not None:
            await handler(net_stream)
        stream.finish()
    except Exception as error:  # noqa: BLE001 - py-libp2p's own mistakes included
        log.debug("a %s stream of %s failed: %r", protocol, connection.peer_id, error)
        stream.reset()


class Introduction:
    """What identify answers. The host makes the message, once: it takes the host ten milliseconds."""

    def __init__(self, host: BasicHost) -> None:
        """Nothing is made before it is asked for."""
        self._host = host
        self._made_of: object = None
        self._message = b""

    def to(self, remote: tuple[str, int], addresses: tuple[str, ...]) -> bytes:
        """The message for who is connected from `remote`; `addresses` are those we tell at present."""
        made_of = (addresses, *self._host.get_mux().get_protocols())
        if made_of != self._made_of:
            message = identify._mk_identify_protobuf(self._host, None)
            # Row 11: the host takes both from constants of its module.
            message.protocol_version, message.agent_version = IDENTIFY_PROTOCOL_VERSION, AGENT
            self._message = message.SerializeToString()
            self._made_of = made_of
        host, port = remote
        observed = to_bytes(f"/{'ip6' if ':' in host else 'ip4'}/{host.partition('%')[0]}/tcp/{port}")
        return self._message + (field_bytes(_OBSERVED, observed) if observed else b"")


def speaks(host: BasicHost, protocol: str) -> bool:
    """Whether the host has a handler for a protocol."""
    return protocol in host.get_mux().handlers


def _open(connection: Connection) -> NetStream:
    stream = ByteStream()
    try:
        stream.stream = connection.session.muxer.open(stream)
    except BrokenStream as error:
        raise SwarmException(str(error)) from error
    return NetStream(connection, stream, None)


class NetStream(INetStream):  # type: ignore[misc]
    """One of our streams as py-libp2p's handlers know them."""

    def __init__(self, connection: Connection, stream: ByteStream, protocol: str | None) -> None:
        """Wrap it."""
        self.muxed_conn = _MuxedConn(connection)
        self.metric_send_channel = None
        self._connection = connection
        self._stream = stream
        self._protocol = protocol

    def get_protocol(self) -> str | None:
        """What was agreed on."""
        return self._protocol

    def set_protocol(self, protocol_id: str) -> None:
        """Note what was agreed on."""
        self._protocol = protocol_id

    async def read(self, n: int | None = None) -> bytes:
        """Up to `n` bytes. Raises StreamEOF at the end, StreamReset when it broke (row 12: both are told apart)."""
        if n == 0:
            return b""
        try:
            with trio.fail_after(STREAM_IDLE_SECONDS):
                data = await (self._stream.read() if n is None else self._stream.read(n))
        except (BrokenStream, trio.TooSlowError) as error:
            raise StreamReset(str(error)) from error
        if not data:
            raise StreamEOF
        return data

    async def write(self, data: bytes) -> None:
        """Send all of it. Raises StreamClosed."""
        try:
            with trio.fail_after(STREAM_IDLE_SECONDS):
                await self._stream.write(data)
        except (BrokenStream, trio.TooSlowError) as error:
            raise StreamClosed(str(error)) from error

    async def close(self) -> None:
        """Send no more."""
        await trio.lowlevel.checkpoint()
        self._stream.finish()

    async def close_write(self) -> None:
        """Send no more."""
        await self.close()

    async def close_read(self) -> None:
        """Nothing to do: what still comes is bounded by the window."""

    async def reset(self) -> None:
        """End it."""
        await trio.lowlevel.checkpoint()
        self._stream.reset()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Socket address of the other side."""
        return self._connection.remote


class _MuxedConn(IMuxedConn):  # type: ignore[misc]
    """A connection as streams know it."""

    def __init__(self, connection: Connection) -> None:
        self.peer_id = ID.from_base58(connection.peer_id)
        self.event_started = trio.Event()
        self.event_started.set()
        self._connection = connection

    @property
    def is_initiator(self) -> bool:
        return self._connection.initiator

    @property
    def is_established(self) -> bool:
        return self._connection.is_open

    @property
    def is_closed(self) -> bool:
        return not self._connection.is_open

    async def start(self) -> None:
        """It runs already."""

    async def close(self) -> None:
        self._connection.close("closed by the host")

    async def open_stream(self) -> IMuxedStream:
        raise NotImplementedError("streams are opened by the network service")

    async def accept_stream(self) -> IMuxedStream:
        raise NotImplementedError("streams are passed to the host")

    def get_transport_addresses(self) -> list[Any]:
        host, port = self._connection.remote
        return [multiaddr.Multiaddr(f"/{'ip6' if ':' in host else 'ip4'}/{host}/tcp/{port}")]

    def get_connection_type(self) -> ConnectionType:
        return ConnectionType.DIRECT


class _NetConn(INetConn):  # type: ignore[misc]
    """A connection as the host knows it."""

    def __init__(self, connection: Connection) -> None:
        self.muxed_conn = _MuxedConn(connection)
        self.event_started = self.muxed_conn.event_started
        self._connection = connection

    @property
    def is_closed(self) -> bool:
        return not self._connection.is_open

    async def new_stream(self) -> INetStream:
        return _open(self._connection)

    def get_streams(self) -> tuple[INetStream, ...]:
        return ()

    def get_transport_addresses(self) -> list[Any]:
        return self.muxed_conn.get_transport_addresses()

    def get_connection_type(self) -> ConnectionType:
        return ConnectionType.DIRECT

    async def close(self) -> None:
        self._connection.close("closed by the host")


__all__ = [
    "AGENT",
    "IDENTIFY",
    "IDENTIFY_PUSH",
    "Introduction",
    "NetStream",
    "WireService",
    "make_host",
    "serve_stream",
    "speaks",
]
