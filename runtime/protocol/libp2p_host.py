"""The wire: a network adapter that speaks libp2p over tcp and websockets (noise, yamux, identify, ping).

Behind the port of `runtime.network`. Connections are those of `connections`; a py-libp2p host on top of them (`libp2p_service`)
serves identify, ping and what else is written for it. Particles go over `/fluence/particle/2.0.0`; inbound streams are read to
their end, because js-client and we put several particles on one. Outbound, a peer known to read many (js-client, ourselves)
gets one long-lived stream per connection; others one stream per particle.

Importing this module needs the extra `p2p`; `runtime.protocol.p2p` says so in one line.
Source: spec peer.md §2, §3.1, §12; nox:nox/src/behaviour/identify.rs, nox:connection-pool
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import trio

from runtime.core.kademlia import ADDRESSES_MAX
from runtime.lone import lone
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

from .addresses import Address, parse_address
from .codec import CodecError, FrameReader, frame
from .connections import Connection, Connections, reachable
from .held import HeldBytes
from .identify import Identified, read_identify
from .libp2p_service import IDENTIFY, IDENTIFY_PUSH, Introduction, make_host, serve_stream, speaks
from .limits import (
    DATA_FRAME_BYTES,
    IDENTIFY_BYTES_MAX,
    IDENTIFY_SECONDS,
    PARTICLE_STREAMS_MAX,
    SERVICE_STREAMS_MAX,
    STREAM_IDLE_SECONDS,
)
from .multiaddr import varint
from .particle_streams import ParticleSink
from .streams import ByteStream, OutStream
from .wire.yamux import BrokenStream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from libp2p.abc import INetStream
    from libp2p.host.basic_host import BasicHost

    from .identity import Identity
    from .wire.yamux import Sink, Stream

PARTICLE_PROTOCOL: Final = "/fluence/particle/2.0.0"

SEND_SECONDS: Final = 20.0
"""One particle send gives up after this, as the reference (twice its stream upgrade time-out)."""

RPC_BYTES_MAX: Final = 1 << 20
"""Longest request or answer of a request/answer protocol."""

SINGLE_STREAMS_MAX: Final = PARTICLE_STREAMS_MAX // 2
"""Streams of one message each on one connection that the other side has not yet ended: half of what js-client and we take."""

DIAL_AHEAD_SECONDS: Final = 0.25
"""How long one address of a peer may take before the next is dialled as well."""

BOOK_MAX: Final = 4096
"""Peers whose addresses are kept, the least recently heard of first out."""

MANY_READERS: Final = ("aquac/", "js-libp2p")
"""Implementations known to read every message of a stream; the reference reads one."""

LOCAL, FOUND, NOT_FOUND, NOT_CONNECTED = "Local", "Kademlia", "KademliaNotFound", "ConnectionFailed"
"""How a receiver was found: connected, or reached where it was known; by routing; by nobody; at no address that was told.
The names are those of the reference's metrics."""

_KIND_ORDER: Final = {"tcp": 0, "ws": 1, "wss": 2}

log = logging.getLogger("runtime.libp2p")


@dataclass(eq=False)
class _Link:
    """What we keep for an open connection.

    services: its streams of other protocols; particles: its particle streams; singles: ours that carry one message each.
    """

    identified: Identified | None = None
    out: OutStream | None = None
    singles: trio.Semaphore = field(default_factory=lambda: trio.Semaphore(SINGLE_STREAMS_MAX))
    particles: int = 0
    services: int = 0


@dataclass(eq=False)
class _Dial:
    """A peer being dialled, for which several senders wait."""

    done: trio.Event = field(default_factory=trio.Event)
    error: DialFailed | None = None


class Libp2pNetwork:
    """A libp2p host as a `Network`.

    Args:
        identity: key of the peer.
        allow_local_addresses: keep loopback and private addresses that others tell us, and dial them.
        external_addresses: advertised instead of the listen addresses.

    `resolutions` counts how receivers were found, see `LOCAL`.
    """

    def __init__(
        self, identity: Identity, *, allow_local_addresses: bool = False, external_addresses: Sequence[str] = ()
    ) -> None:
        """Hold the parameters; nothing is opened before `serve`."""
        self._identity = identity
        self._allow_local = allow_local_addresses
        self._external = tuple(external_addresses)
        self._links: dict[Connection, _Link] = {}
        self._known: dict[str, int] = {}
        self._book: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._dialing: dict[str, _Dial] = {}
        self._held = HeldBytes()
        self._handlers: dict[str, RpcHandler] = {}
        self._receiver: Receiver | None = None
        self._connections: Connections | None = None
        self._host: BasicHost | None = None
        self._introduction: Introduction | None = None
        self._addresses: tuple[str, ...] = ()
        self.on_identified: IdentifiedListener | None = None
        self.resolve: Resolver | None = None
        self.resolutions: Counter[str] = Counter()

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
        places = [_listen_address(text) for text in listen]
        external = [_parse(text) for text in self._external]
        self._receiver = receiver
        connections = Connections(self._identity, self)
        host = make_host(self._identity.seed, connections, self._told_addresses)
        host.set_stream_handler(PARTICLE_PROTOCOL, _never)
        host.set_stream_handler(IDENTIFY_PUSH, _never)
        for protocol in self._handlers:
            host.set_stream_handler(protocol, _never)
        try:
            with lone(DialFailed):
                async with trio.open_nursery() as nursery:
                    await nursery.start(_run, connections)
                    self._connections, self._host, self._introduction = connections, host, Introduction(host)
                    bound = [reachable(connections.listen(place)) for place in places]
                    suffix = f"/p2p/{self.peer_id}"
                    self._addresses = tuple(f"{str(a).partition('/p2p/')[0]}{suffix}" for a in external or bound)
                    task_status.started(self._addresses)
                    await trio.sleep_forever()
        finally:
            self._connections = self._host = self._introduction = None
            self._addresses = ()

    async def dial(self, address: str) -> str:
        """Connect to an address ending in `/p2p/<peer id>`. Raises DialFailed."""
        target = _parse(address)
        if not target.peer_id:
            raise DialFailed(f"{address} does not end in /p2p/<peer id>")
        connections = self._running
        if connections.newest(target.peer_id) is None:
            await self._share_dial(target.peer_id, lambda: self._dial_one_of(target.peer_id, [target]))
        return target.peer_id

    async def send(self, peer_id: str, message: bytes) -> None:
        """Deliver one message. Raises Unreachable."""
        if self.send_now(peer_id, message):
            self.resolutions[LOCAL] += 1
            return
        try:
            with trio.fail_after(SEND_SECONDS):
                if self._running.newest(peer_id) is not None:
                    self.resolutions[LOCAL] += 1
                await self._deliver(peer_id, message)
        except (BrokenStream, DialFailed) as error:
            raise Unreachable(f"cannot send to {peer_id}: {error}") from error
        except trio.TooSlowError as error:
            raise Unreachable(f"cannot send to {peer_id}: it does not take it within {SEND_SECONDS:.0f} s") from error

    def send_now(self, peer_id: str, message: bytes) -> bool:
        """Deliver one message if the peer is connected and nothing has to be waited for; False when it was not sent."""
        connection = self._connections.newest(peer_id) if self._connections is not None else None
        if connection is None or len(message) >= DATA_FRAME_BYTES:
            return False
        try:
            out = self._kept_stream(connection)
            return out is not None and out.send_now(frame(message))
        except BrokenStream:
            return False

    def peers(self) -> tuple[str, ...]:
        """Peer ids with a live connection."""
        return tuple(self._known)

    def contact(self, peer_id: str) -> Contact | None:
        """Addresses of a connected peer, or of one being dialled."""
        if peer_id not in self._known and peer_id not in self._dialing:
            return None
        return Contact(peer_id, self._addresses_of(peer_id))

    async def rpc(self, peer_id: str, protocol: str, payload: bytes) -> bytes:
        """One length-prefixed request and its answer. Raises Unreachable."""
        try:
            with trio.fail_after(SEND_SECONDS):
                connection = await self._reach(peer_id)
                answer = await _ask(connection, protocol, frame(payload), RPC_BYTES_MAX)
        except (BrokenStream, CodecError, DialFailed, trio.TooSlowError) as error:
            raise Unreachable(f"{peer_id} does not answer {protocol}: {str(error) or 'too slow'}") from error
        if answer is None:
            raise Unreachable(f"{peer_id} closed {protocol} without an answer")
        return answer

    async def probe(self, peer_id: str, timeout_s: float) -> None:
        """One ping of the muxer. Raises Unreachable, after closing the connections of a peer that does not answer it."""
        connection = self._running.newest(peer_id)
        if connection is None:
            raise Unreachable(f"{peer_id} is not connected")
        answered = trio.Event()
        connection.session.muxer.ping(answered.set)
        with trio.move_on_after(timeout_s):
            await answered.wait()
        if not answered.is_set():
            for sibling in list(self._running.of(peer_id)):
                sibling.close("no answer to a ping")
            while any(sibling.reason is not None for sibling in self._running.of(peer_id)):
                await trio.lowlevel.checkpoint()  # their tasks end them
            raise Unreachable(f"{peer_id} does not answer a ping: no answer within {timeout_s:g} s")
        if connection.reason is not None:
            raise Unreachable(f"{peer_id} does not answer a ping: {connection.reason}")

    def handle(self, protocol: str, handler: RpcHandler) -> None:
        """Answer requests of `protocol`."""
        self._handlers[protocol] = handler
        if self._host is not None:
            self._host.set_stream_handler(protocol, _never)

    # ── Host of the connections ──────────────────────────────────────────────────────────────────────────────────────

    def connected(self, connection: Connection) -> None:
        """Note a connection; tell the receiver of the first of a peer, and ask who it is."""
        peer_id = connection.peer_id
        self._links[connection] = _Link()
        self._known[peer_id] = self._known.get(peer_id, 0) + 1
        if self._known[peer_id] == 1 and self._receiver is not None:
            self._receiver.on_connected(Contact(peer_id, self._addresses_of(peer_id)))
        self._running.spawn(self._identify, connection)

    def disconnected(self, connection: Connection) -> None:
        """Note the loss of a connection; tell the receiver of the last of a peer."""
        peer_id = connection.peer_id
        self._links.pop(connection, None)
        self._known[peer_id] -= 1
        if not self._known[peer_id]:
            del self._known[peer_id]
            if self._receiver is not None:
                self._receiver.on_disconnected(peer_id)

    def accept(self, connection: Connection, stream: Stream, protocol: str) -> Sink | None:
        """Who takes a stream; None when the protocol is not spoken here, or too many streams are open."""
        link, receiver, host = self._links.get(connection), self._receiver, self._host
        if link is None or receiver is None or host is None:
            return None
        if protocol == PARTICLE_PROTOCOL:
            if link.particles >= PARTICLE_STREAMS_MAX:
                return None
            link.particles += 1
            return ParticleSink(stream, connection.peer_id, receiver, self._held, self._spawn, _Left(link))
        if link.services >= SERVICE_STREAMS_MAX or not speaks(host, protocol):
            return None
        link.services += 1
        served = ByteStream(stream)
        self._spawn(self._serve, connection, link, served, protocol)
        return served

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _running(self) -> Connections:
        if self._connections is None:
            raise DialFailed("the network is not being served")
        return self._connections

    def _told_addresses(self) -> tuple[str, ...]:
        return self._addresses

    def _spawn(self, task: Callable[..., Awaitable[None]], *args: Any) -> None:
        """Run a task for a stream; a mistake in it ends that task, not the peer."""
        if self._connections is not None:
            self._connections.spawn(_guarded, task, *args)

    async def _reach(self, peer_id: str) -> Connection:
        """An open connection to a peer, made to a known or found address if there is none. Raises DialFailed."""
        connection = self._running.newest(peer_id)
        if connection is None:
            await self._share_dial(peer_id, lambda: self._find_and_dial(peer_id))
            connection = self._running.newest(peer_id)
        if connection is None:
            raise DialFailed("the connection broke at once")
        return connection

    async def _share_dial(self, peer_id: str, dial: Callable[[], Awaitable[None]]) -> None:
        """Dial a peer, or wait for who does already. Raises DialFailed."""
        running = self._dialing.get(peer_id)
        if running is not None:
            await running.done.wait()
            if running.error is not None:
                raise DialFailed(str(running.error))
            return
        running = self._dialing[peer_id] = _Dial()
        running.error = DialFailed("given up")
        try:
            await dial()
            running.error = None
        except DialFailed as error:
            running.error = error
            raise
        finally:
            del self._dialing[peer_id]
            running.done.set()

    async def _find_and_dial(self, peer_id: str) -> None:
        """Try the addresses a peer was known at, then those that routing finds. Raises DialFailed."""
        error = DialFailed("not connected, and no address is known")
        known = self._addresses_of(peer_id)
        if known:
            try:
                await self._dial_one_of(peer_id, self._dialable(known))
            except DialFailed as failed:
                error = failed
            else:
                self.resolutions[LOCAL] += 1
                return
            self._book.pop(peer_id, None)
        if self.resolve is None:
            raise error
        # It has moved, or nobody was ever connected to it.
        found = await self.resolve(peer_id, frozenset(known))
        if not found:
            self.resolutions[NOT_FOUND] += 1
            raise error
        try:
            await self._dial_one_of(peer_id, self._dialable(found))
        except DialFailed:
            self.resolutions[NOT_CONNECTED] += 1
            raise
        self.resolutions[FOUND] += 1

    async def _dial_one_of(self, peer_id: str, addresses: list[Address]) -> None:
        """Connect to the first address that answers; one that is slow to does not keep the next from being tried.

        Raises DialFailed with what is wrong with the last.
        """
        error = DialFailed("no address is known that may be dialled")
        reached: list[Address] = []
        async with trio.open_nursery() as nursery:

            async def attempt(address: Address, failed: trio.Event) -> None:
                nonlocal error
                try:
                    await self._running.dial(address)
                except DialFailed as caught:
                    error = caught
                    failed.set()
                    return
                reached.append(address)
                nursery.cancel_scope.cancel()

            for address in addresses:
                named = Address(address.kind, address.host, address.port, address.transport, peer_id)
                failed = trio.Event()
                nursery.start_soon(attempt, named, failed)
                with trio.move_on_after(DIAL_AHEAD_SECONDS):
                    await failed.wait()
        if not reached:
            raise error
        self._remember(peer_id, (str(reached[0]).partition("/p2p/")[0], *self._addresses_of(peer_id)))

    def _addresses_of(self, peer_id: str) -> tuple[str, ...]:
        return self._book.get(peer_id, ())

    def _remember(self, peer_id: str, addresses: tuple[str, ...]) -> None:
        """Keep where a peer is now."""
        kept = tuple(dict.fromkeys(addresses))[:ADDRESSES_MAX]
        if kept:
            self._book.pop(peer_id, None)
            self._book[peer_id] = kept
        while len(self._book) > BOOK_MAX:
            self._book.popitem(last=False)

    def _dialable(self, addresses: Sequence[str]) -> list[Address]:
        """What may be dialled, the cheapest transport first."""
        found: list[Address] = []
        for text in addresses:
            try:
                address = parse_address(text)
            except ValueError:
                continue
            if self._allow_local or not address.is_local:
                found.append(address)
        return sorted(found, key=lambda a: _KIND_ORDER[a.transport])

    # ── identify ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _identify(self, connection: Connection) -> None:
        """Ask the other side who it is. One that does not say so stays, as a reader of one message a stream."""
        try:
            with trio.move_on_after(IDENTIFY_SECONDS):
                message = await _ask(connection, str(IDENTIFY), None, IDENTIFY_BYTES_MAX)
                if message is not None:
                    self._identified(connection, message)
        except (BrokenStream, CodecError) as error:
            log.debug("%s does not say who it is: %s", connection.peer_id, error)

    def _identified(self, connection: Connection, message: bytes) -> None:
        """Take what a peer says about itself; one that cannot take particles is of no use."""
        identified, link = read_identify(message), self._links.get(connection)
        if identified is None or link is None:
            return
        peer_id = connection.peer_id
        if PARTICLE_PROTOCOL not in identified.protocols:
            log.info("disconnecting %s: it does not speak %s", peer_id, PARTICLE_PROTOCOL)
            connection.close(f"it does not speak {PARTICLE_PROTOCOL}")
            return
        link.identified = identified
        told = tuple(str(a) for a in self._dialable(identified.addresses))
        self._remember(peer_id, told)
        if self.on_identified is not None:
            self.on_identified(Contact(peer_id, self._addresses_of(peer_id)), identified.protocols)

    # ── services ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _serve(self, connection: Connection, link: _Link, stream: ByteStream, protocol: str) -> None:
        """Serve a stream of the other side that carries no particles."""
        try:
            handler = self._handlers.get(protocol)
            if protocol == IDENTIFY and self._introduction is not None:
                await stream.write(frame(self._introduction.to(connection.remote, self._addresses)))
                stream.finish()
                return
            if handler is None and protocol != IDENTIFY_PUSH:
                assert self._host is not None
                await serve_stream(self._host, connection, stream, protocol)
                return
            bytes_max = IDENTIFY_BYTES_MAX if handler is None else RPC_BYTES_MAX
            with trio.fail_after(STREAM_IDLE_SECONDS):
                request = await _read_one(stream, bytes_max)
                if request is not None and handler is not None:
                    await stream.write(frame(await handler(connection.peer_id, request)))
                elif request is not None:
                    self._identified(connection, request)
            stream.finish()
        except (BrokenStream, CodecError, trio.TooSlowError) as error:
            log.debug("a %s stream of %s failed: %s", protocol, connection.peer_id, error)
            stream.reset()
        except BaseException:
            stream.reset()
            raise
        finally:
            link.services -= 1

    # ── particles out ────────────────────────────────────────────────────────────────────────────────────────────────

    def _kept_stream(self, connection: Connection) -> OutStream | None:
        """The long-lived particle stream of a connection whose other side reads many; None for others. Raises BrokenStream."""
        link = self._links[connection]
        if link.out is not None and link.out.is_usable:
            return link.out
        if link.identified is None or not link.identified.agent.startswith(MANY_READERS):
            return None
        link.out = _open(connection)
        return link.out

    async def _deliver(self, peer_id: str, message: bytes) -> None:
        """Send over the newest connection; over another when that breaks meanwhile. Raises BrokenStream, DialFailed."""
        while True:
            connection = await self._reach(peer_id)
            try:
                await self._send(connection, message)
            except BrokenStream:
                another = self._running.newest(peer_id)
                if connection.is_open or another is None:
                    raise
            else:
                return

    async def _send(self, connection: Connection, message: bytes) -> None:
        """Put a message on the long-lived stream, or on one of its own. Raises BrokenStream."""
        pieces = (varint(len(message)), message)
        for _ in range(2):
            out = self._kept_stream(connection)
            if out is None:
                await self._send_single(connection, pieces)
                return
            try:
                await out.send(*pieces)
            except BrokenStream as error:
                log.debug("long-lived stream to %s broke: %s", connection.peer_id, error)
            else:
                return
        raise BrokenStream("the stream breaks whenever it is used")

    async def _send_single(self, connection: Connection, pieces: tuple[bytes, bytes]) -> None:
        """Send a message on a stream of its own, as many at once as the other side takes. Raises BrokenStream."""
        singles = self._links[connection].singles
        await singles.acquire()
        try:
            out = _open(connection, singles.release)
        except BaseException:
            singles.release()
            raise
        # Its end is a frame of its own, because js-client drops data that carries FIN.
        await out.send(*pieces, finish=True)


class _Left:
    """Counts a particle stream out."""

    __slots__ = ("_link",)

    def __init__(self, link: _Link) -> None:
        self._link = link

    def __call__(self) -> None:
        self._link.particles -= 1


async def _run(connections: Connections, *, task_status: trio.TaskStatus[None]) -> None:
    await connections.run(task_status=task_status)


async def _never(stream: INetStream) -> None:
    """Stands in the host's registry for protocols that are served without it, so that identify names them."""


async def _guarded(task: Callable[..., Awaitable[None]], *args: Any) -> None:
    try:
        await task(*args)
    except Exception:
        log.exception("the task of a stream failed")


def _open(connection: Connection, over: Callable[[], None] | None = None) -> OutStream:
    out = OutStream(over)
    out.stream = connection.session.open_stream(PARTICLE_PROTOCOL, out)
    return out


async def _ask(connection: Connection, protocol: str, request: bytes | None, bytes_max: int) -> bytes | None:
    """The first message that answers a request, or that comes without one; None when there is none.

    Raises BrokenStream, CodecError.
    """
    stream = ByteStream()
    stream.stream = connection.session.open_stream(protocol, stream)
    try:
        if request is not None:
            await stream.write(request)
            stream.finish()
        return await _read_one(stream, bytes_max)
    finally:
        if stream.stream.ended:
            stream.finish()
        else:
            stream.reset()


async def _read_one(stream: ByteStream, bytes_max: int) -> bytes | None:
    """The first length-prefixed message of a stream; None when it ends before. Raises BrokenStream, CodecError."""
    reader = FrameReader(bytes_max)
    while data := await stream.read():
        for message in reader.feed(data):
            return message
    return None


def _parse(text: str) -> Address:
    try:
        return parse_address(text)
    except ValueError as error:
        raise DialFailed(str(error)) from error


def _listen_address(text: str) -> Address:
    """A multiaddress that can be listened at. Raises DialFailed."""
    try:
        address = parse_address(text)
    except ValueError:
        address = None
    if address is None or address.kind not in ("ip4", "ip6") or address.transport == "wss" or address.peer_id:
        raise DialFailed(f"cannot listen at {text}: use /ip4/<address>/tcp/<port> or /ip4/<address>/tcp/<port>/ws")
    return address


_: type[Network] = Libp2pNetwork  # the port, checked by the type checker
