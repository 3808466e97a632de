"""The wire: a network adapter over py-libp2p (tcp and ws, noise, yamux, identify, ping).

Behind the port of `runtime.network`: no libp2p type leaves this file and `libp2p_compat.py`. Particles go over
`/fluence/particle/2.0.0`; inbound streams are read to their end, because js-client and we put several particles on one.
Outbound, a peer known to read many (js-client, ourselves) gets one long-lived stream per connection; others one stream per
particle.

Importing this module needs the extra `p2p`; `runtime.protocol.require_p2p` says so in one line.
Source: spec peer.md §2, §3.1, §12; nox:nox/src/behaviour/identify.rs, nox:connection-pool
"""

from __future__ import annotations

import ipaddress
import logging
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import multiaddr
import trio
from libp2p.abc import INotifee
from libp2p.exceptions import BaseLibp2pError
from libp2p.io.exceptions import IOException
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import PeerInfo, info_from_p2p_addr

from runtime.network import (
    Contact,
    DialFailed,
    IdentifiedListener,
    Network,
    Receiver,
    Resolver,
    RpcHandler,
    TaskStatus,
    Unreachable,
)

from .codec import CodecError, FrameReader, frame
from .held import HeldBytes
from .libp2p_compat import agent_of, check_free, forget_failures, has_refused, make_host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libp2p.abc import IHost, INetConn, INetStream, INetwork

    from .identity import Identity

PARTICLE_PROTOCOL: Final = "/fluence/particle/2.0.0"

PING_PROTOCOL: Final = "/ipfs/ping/1.0.0"
PING: Final = bytes(range(32))
"""What is sent and has to come back. It proves nothing to anybody, so it need not be random."""

READ_BYTES: Final = 65536
"""How much is asked of a stream at once."""

WRITE_BYTES: Final = 65536
"""Largest piece written at once: yamux waits for window between pieces, not for the whole particle."""

STREAMS_PER_PEER_MAX: Final = 1024
"""Inbound particle streams of one peer being read at once, as js-client; more are reset."""

STREAM_IDLE_SECONDS: Final = 60.0
"""An inbound stream in the middle of a frame, or never used, is reset after this silence."""

SEND_SECONDS: Final = 20.0
"""One particle send gives up after this, as the reference (twice its stream upgrade time-out)."""

DIAL_SECONDS: Final = 20.0
"""Connecting, noise and yamux included, gives up after this, as the reference."""

CLOSE_SECONDS: Final = 2.0
"""How long closing the connections may take when the network ends."""

RPC_BYTES_MAX: Final = 1 << 20
"""Longest request or answer of a request/answer protocol."""

log = logging.getLogger("runtime.libp2p")

# What libp2p raises when a peer or a connection misbehaves. Narrower is not possible: it wraps few of its own causes.
WIRE_ERRORS: Final = (BaseLibp2pError, IOException, OSError, EOFError, ValueError, trio.TooSlowError, trio.BrokenResourceError,
                      trio.ClosedResourceError, KeyError, RuntimeError)  # fmt: skip


@dataclass(eq=False)
class _Link:
    """What we keep for a connected peer."""

    connections: int = 0
    stream: INetStream | None = None
    lock: trio.Lock = field(default_factory=trio.Lock)


class Libp2pNetwork:
    """A libp2p host as a `Network`.

    Args:
        identity: key of the peer.
        allow_local_addresses: keep loopback and private addresses that others tell us, and dial them.
        external_addresses: advertised instead of the listen addresses.
    """

    def __init__(
        self, identity: Identity, *, allow_local_addresses: bool = False, external_addresses: Sequence[str] = ()
    ) -> None:
        """Hold the parameters; nothing is opened before `serve`."""
        self._identity = identity
        self._allow_local = allow_local_addresses
        self._external = tuple(external_addresses)
        self._links: dict[str, _Link] = {}
        self._inbound: Counter[str] = Counter()
        self._held = HeldBytes()
        self._handlers: dict[str, RpcHandler] = {}
        self._receiver: Receiver | None = None
        self._host: IHost | None = None
        self._addresses: tuple[str, ...] = ()
        self.on_identified: IdentifiedListener | None = None
        self.resolve: Resolver | None = None

    # ── Network ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def peer_id(self) -> str:
        """Base58 text of the local peer id."""
        return self._identity.peer_id

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses at which others can reach this peer."""
        return self._addresses

    async def serve(
        self,
        receiver: Receiver,
        listen: Sequence[str],
        *,
        task_status: TaskStatus = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Listen and deliver until cancelled. Raises DialFailed for an address that cannot be listened at."""
        addresses = [_listen_address(text) for text in listen]
        self._receiver = receiver
        host = make_host(self._identity.seed, addresses, [_parse(text) for text in self._external], self._identified)
        self._host = host
        host.set_stream_handler(PARTICLE_PROTOCOL, self._read_particles)
        for protocol in self._handlers:
            host.set_stream_handler(protocol, self._answer)
        host.get_network().register_notifee(_Notifee(self))
        stop = trio.Event()

        async def run_host(task_status: trio.TaskStatus[None]) -> None:
            # Shielded: cancelled together with its own tasks libp2p leaves its sockets open, and the others would go on
            # believing in us until they time out. It ends by `stop`, with its connections closed one by one.
            with trio.CancelScope(shield=True):
                async with host.run(listen_addrs=addresses):
                    task_status.started()
                    await stop.wait()
                    with trio.move_on_after(CLOSE_SECONDS):
                        await host.close()

        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(run_host)
                try:
                    if len(host.get_network().listeners) < len(addresses):
                        raise DialFailed(f"cannot listen at {', '.join(listen)}: the address is not ours")
                    self._addresses = tuple(self._external) or tuple(str(a) for a in host.get_addrs())
                    task_status.started(self._addresses)
                    await trio.sleep_forever()
                finally:
                    stop.set()
        except* DialFailed as group:
            raise group.exceptions[0] from None
        finally:
            self._host = None
            self._addresses = ()

    async def dial(self, address: str) -> str:
        """Connect to an address ending in `/p2p/<peer id>`. Raises DialFailed."""
        target = _parse(address)
        try:
            info = info_from_p2p_addr(target)
        except (BaseLibp2pError, ValueError, LookupError) as error:
            raise DialFailed(f"{address} does not end in /p2p/<peer id>") from error
        forget_failures(self._running, info.peer_id)
        await self._connect(info, address)
        return str(info.peer_id)

    async def send(self, peer_id: str, message: bytes) -> None:
        """Deliver one message. Raises Unreachable."""
        try:
            with trio.fail_after(SEND_SECONDS):
                link = await self._link(peer_id)
                data = frame(message)  # not before: a copy for each of many targets that cannot be reached adds up
                if not self._reads_many(peer_id):
                    await self._write_once(peer_id, data)
                    return
                async with link.lock:
                    await self._write_kept(link, peer_id, data)
        except (*WIRE_ERRORS, DialFailed) as error:
            raise Unreachable(f"cannot send to {peer_id}: {_text(error)}") from error

    def peers(self) -> tuple[str, ...]:
        """Peer ids with a live connection."""
        return tuple(self._links)

    def contact(self, peer_id: str) -> Contact | None:
        """Addresses of a connected peer."""
        if peer_id not in self._links:
            return None
        return Contact(peer_id, tuple(str(a) for a in self._known_addresses(peer_id)))

    async def rpc(self, peer_id: str, protocol: str, payload: bytes) -> bytes:
        """One length-prefixed request and its answer. Raises Unreachable."""
        try:
            with trio.fail_after(SEND_SECONDS):
                await self._link(peer_id)
                stream = await self._running.new_stream(ID.from_base58(peer_id), [protocol])
                try:
                    await stream.write(frame(payload))
                    await stream.close_write()
                    answer = await _read_one(stream)
                finally:
                    await _quietly_close(stream)
        except (*WIRE_ERRORS, CodecError, DialFailed) as error:
            raise Unreachable(f"{peer_id} does not answer {protocol}: {_text(error)}") from error
        if answer is None:
            raise Unreachable(f"{peer_id} closed {protocol} without an answer")
        return answer

    async def probe(self, peer_id: str, timeout_s: float) -> None:
        """One ping. Raises Unreachable, after closing the connections of a peer that does not answer it.

        To answer that it does not speak the protocol is an answer.
        """
        if peer_id not in self._links:
            raise Unreachable(f"{peer_id} is not connected")
        peer = ID.from_base58(peer_id)
        stream: INetStream | None = None
        try:
            with trio.fail_after(timeout_s):
                stream = await self._running.new_stream(peer, [PING_PROTOCOL])
                await stream.write(PING)
                pong = b""
                while len(pong) < len(PING):
                    data = await stream.read(len(PING) - len(pong))
                    if not data:
                        raise StreamEOF("no answer to a ping")
                    pong += data
            await _quietly_close(stream)
        except WIRE_ERRORS as error:
            if has_refused(error):
                return
            with trio.move_on_after(CLOSE_SECONDS):
                if stream is not None:
                    await _quietly_reset(stream)
                await self._running.disconnect(peer)
            text = f"no answer within {timeout_s:g} s" if isinstance(error, trio.TooSlowError) else _text(error)
            raise Unreachable(f"{peer_id} does not answer a ping: {text}") from error

    def handle(self, protocol: str, handler: RpcHandler) -> None:
        """Answer requests of `protocol`."""
        self._handlers[protocol] = handler
        if self._host is not None:
            self._host.set_stream_handler(protocol, self._answer)

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _running(self) -> IHost:
        if self._host is None:
            raise DialFailed("the network is not being served")
        return self._host

    async def _link(self, peer_id: str) -> _Link:
        """The link to a peer, connecting to a known address of it if there is none. Raises DialFailed."""
        link = self._links.get(peer_id)
        if link is not None:
            return link
        known = self._known_addresses(peer_id) or await self._looked_up(peer_id)
        if not known:
            raise DialFailed("not connected, and no address is known")
        await self._connect(PeerInfo(ID.from_base58(peer_id), known), peer_id)
        return self._links.setdefault(peer_id, _Link())

    async def _looked_up(self, peer_id: str) -> list[Any]:
        """Dialable addresses that routing finds."""
        if self.resolve is None:
            return []
        found = [multiaddr.Multiaddr(text) for text in await self.resolve(peer_id)]
        return [a for a in found if self._allow_local or not _is_local(a)]

    async def _connect(self, info: PeerInfo, name: str) -> None:
        try:
            with trio.fail_after(DIAL_SECONDS):
                await self._running.connect(info)
        except trio.TooSlowError as error:
            raise DialFailed(f"cannot connect to {name}: no answer within {DIAL_SECONDS:.0f} s") from error
        except WIRE_ERRORS as error:
            raise DialFailed(f"cannot connect to {name}: {_text(error)}") from error

    def _known_addresses(self, peer_id: str) -> list[Any]:
        try:
            known = self._running.get_peerstore().addrs(ID.from_base58(peer_id))
        except WIRE_ERRORS:
            return []
        return [a for a in known if self._allow_local or not _is_local(a)]

    def _identified(self, peer: ID, protocols: Sequence[str]) -> bool:
        """Whether to keep a peer that told its protocols: one that cannot speak ours is of no use."""
        keep = PARTICLE_PROTOCOL in protocols
        if not keep:
            log.info("disconnecting %s: it does not speak %s", peer, PARTICLE_PROTOCOL)
        elif self.on_identified is not None:
            addresses = tuple(str(a) for a in self._known_addresses(str(peer)))
            self.on_identified(Contact(str(peer), addresses), tuple(protocols))
        return keep

    def connected(self, peer_id: str) -> None:
        """Count a connection; tell the receiver of the first."""
        link = self._links.setdefault(peer_id, _Link())
        link.connections += 1
        if link.connections == 1 and self._receiver is not None:
            self._receiver.on_connected(Contact(peer_id, tuple(str(a) for a in self._known_addresses(peer_id))))

    def disconnected(self, peer_id: str) -> None:
        """Discount a connection; tell the receiver of the last."""
        link = self._links.get(peer_id)
        if link is None:
            return
        link.connections -= 1
        link.stream = None  # it may have lived on the connection that is gone; the next send opens another
        if link.connections <= 0:
            del self._links[peer_id]
            if self._receiver is not None:
                self._receiver.on_disconnected(peer_id)

    # ── particles in ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _read_particles(self, stream: INetStream) -> None:
        sender = str(stream.muxed_conn.peer_id)
        if self._inbound[sender] >= STREAMS_PER_PEER_MAX:
            log.info("resetting a particle stream of %s: %d are open", sender, STREAMS_PER_PEER_MAX)
            await _quietly_reset(stream)
            return
        self._inbound[sender] += 1
        try:
            await self._read_messages(stream, sender)
        except CodecError as error:
            log.info("resetting a particle stream of %s: %s", sender, error)
            await _quietly_reset(stream)
        except WIRE_ERRORS as error:
            log.debug("particle stream of %s broke: %s", sender, _text(error))
            await _quietly_reset(stream)
        else:
            await _quietly_close(stream)
        finally:
            self._inbound[sender] -= 1
            if not self._inbound[sender]:
                del self._inbound[sender]

    async def _read_messages(self, stream: INetStream, sender: str) -> None:
        """Deliver every message until the other side ends the stream."""
        assert self._receiver is not None
        reader = FrameReader()
        used = False
        held = 0
        try:
            while True:
                # Between two frames of a stream that has been used, silence is the normal state of a long-lived one.
                patience = math.inf if used and not reader.waiting else STREAM_IDLE_SECONDS
                with trio.fail_after(patience):
                    try:
                        data = await stream.read(READ_BYTES)
                    except StreamEOF:
                        return
                if not data:
                    return
                for message in reader.feed(data):
                    used = True
                    held = self._held.change(sender, held, len(message) + reader.held)
                    await self._receiver.on_message(sender, message)
                held = self._held.change(sender, held, reader.held)
        finally:
            self._held.change(sender, held, 0)

    async def _answer(self, stream: INetStream) -> None:
        """Serve one request of a registered request/answer protocol."""
        sender = str(stream.muxed_conn.peer_id)
        handler = self._handlers.get(str(stream.get_protocol()))
        try:
            with trio.fail_after(STREAM_IDLE_SECONDS):
                request = await _read_one(stream)
                if request is not None and handler is not None:
                    await stream.write(frame(await handler(sender, request)))
        except (*WIRE_ERRORS, CodecError) as error:
            log.debug("request of %s failed: %s", sender, _text(error))
            await _quietly_reset(stream)
            return
        await _quietly_close(stream)

    # ── particles out ────────────────────────────────────────────────────────────────────────────────────────────────

    def _reads_many(self, peer_id: str) -> bool:
        """Whether the peer reads every message of a stream: js-client does, and so do we; the reference reads one."""
        agent = agent_of(self._running, peer_id)
        return agent.startswith(("aquac/", "js-libp2p"))

    async def _write_kept(self, link: _Link, peer_id: str, data: bytes) -> None:
        """Write to the long-lived stream, opening it when there is none, once more when the old one turns out dead."""
        if link.stream is not None:
            try:
                await _write(link.stream, data)
                return
            except WIRE_ERRORS as error:
                log.debug("long-lived stream to %s broke: %s", peer_id, _text(error))
                await _quietly_reset(link.stream)
                link.stream = None
        stream = await self._running.new_stream(ID.from_base58(peer_id), [PARTICLE_PROTOCOL])
        try:
            await _write(stream, data)
        except BaseException:
            await _quietly_reset(stream)
            raise
        link.stream = stream

    async def _write_once(self, peer_id: str, data: bytes) -> None:
        """A stream for this message alone; its end is a frame of its own, because js-client drops data that carries FIN."""
        stream = await self._running.new_stream(ID.from_base58(peer_id), [PARTICLE_PROTOCOL])
        try:
            await _write(stream, data)
            await stream.close_write()
        except BaseException:
            await _quietly_reset(stream)
            raise
        await _quietly_close(stream)


class _Notifee(INotifee):  # type: ignore[misc]  # libp2p is not type-checked
    """Passes libp2p's connection events on."""

    def __init__(self, network: Libp2pNetwork) -> None:
        self._network = network

    async def connected(self, network: INetwork, conn: INetConn) -> None:
        self._network.connected(str(conn.muxed_conn.peer_id))

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:
        self._network.disconnected(str(conn.muxed_conn.peer_id))

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None:
        """Streams are counted where they are read."""

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None:
        """Streams are counted where they are read."""

    async def listen(self, network: INetwork, multiaddr: Any) -> None:
        """Listeners are asked for when all are up."""

    async def listen_close(self, network: INetwork, multiaddr: Any) -> None:
        """Listeners end with the host."""


def _parse(text: str) -> Any:
    try:
        return multiaddr.Multiaddr(text)
    except (ValueError, LookupError, multiaddr.exceptions.Error) as error:
        raise DialFailed(f"`{text}` is not a multiaddress such as /ip4/127.0.0.1/tcp/9999/ws/p2p/12D3Koo…") from error


def _listen_address(text: str) -> Any:
    """A multiaddress that can be listened at. Raises DialFailed."""
    address = _parse(text)
    names = [protocol.name for protocol in address.protocols()]
    if names not in (["ip4", "tcp"], ["ip6", "tcp"], ["ip4", "tcp", "ws"], ["ip6", "tcp", "ws"]):
        raise DialFailed(f"cannot listen at {text}: use /ip4/<address>/tcp/<port> or /ip4/<address>/tcp/<port>/ws")
    try:
        check_free(address)
    except OSError as error:
        raise DialFailed(f"cannot listen at {text}: {error.strerror}") from error
    return address


def _is_local(address: Any) -> bool:
    """Whether an address is of this machine or a private network; names are taken to be public."""
    for protocol in ("ip4", "ip6"):
        try:
            value = address.value_for_protocol(protocol)
        except (ValueError, LookupError, multiaddr.exceptions.Error):
            continue
        return value is not None and not ipaddress.ip_address(value).is_global
    return "memory" in str(address)


async def _write(stream: INetStream, data: bytes) -> None:
    for start in range(0, len(data), WRITE_BYTES):
        await stream.write(data[start : start + WRITE_BYTES])


async def _read_one(stream: INetStream) -> bytes | None:
    """The first length-prefixed message of a stream; None when it ends before."""
    reader = FrameReader(RPC_BYTES_MAX)
    while True:
        try:
            data = await stream.read(READ_BYTES)
        except StreamEOF:
            return None
        if not data:
            return None
        for message in reader.feed(data):
            return message


async def _quietly_close(stream: INetStream) -> None:
    try:
        await stream.close()
    except WIRE_ERRORS as error:
        log.debug("closing a stream: %s", _text(error))


async def _quietly_reset(stream: INetStream) -> None:
    try:
        await stream.reset()
    except WIRE_ERRORS as error:
        log.debug("resetting a stream: %s", _text(error))


def _text(error: BaseException) -> str:
    """The cause worth reading: libp2p wraps dial errors several times."""
    while isinstance(error, BaseLibp2pError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    errors = getattr(error, "errors", None) or getattr(error, "exceptions", None)
    if errors:
        return _text(errors[0])
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__


_: type[Network] = Libp2pNetwork  # the port, checked by the type checker
