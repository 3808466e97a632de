"""Connections: sockets below the layers of `wire`, who listens, who dials, and what all of them together may take.

One task a connection reads; everything it leads to happens within. What has to be written is collected while the loop turns
and written in one piece by one task for all. Each limit refuses or ends the one connection that exceeds it: what is full
because of one address costs that address.

Errors: `DialFailed` from `dial` and `listen`; nothing a stranger sends leaves the task of its connection.
Source: spec peer.md §2.7, §12.2
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
from collections import Counter, deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

import trio

from runtime.network import DialFailed

from .addresses import Address
from .limits import (
    ACCEPT_PAUSE_SECONDS,
    CONNECTIONS_MAX,
    CONNECTIONS_PER_PEER_MAX,
    HANDSHAKE_SECONDS,
    HANDSHAKES_MAX,
    LISTEN_BACKLOG,
    OUTPUT_BYTES_HIGH,
    PING_SECONDS,
    STALL_SECONDS,
    STREAM_IDLE_SECONDS,
)
from .wire import WireError
from .wire.noise import StaticKey
from .wire.session import Session
from .wire.tls import Tls
from .wire.websocket import Websocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from .identity import Identity
    from .wire.yamux import Sink, Stream

TICK_SECONDS: Final = 5.0
"""How often connections are looked at; times that end one are rounded up to this."""

READ_BYTES: Final = 32 * 1024
"""How much is taken from a socket at once, and dealt with before others have their turn: some fifty particles."""

READ_PAUSE_BYTES: Final = 4 * OUTPUT_BYTES_HIGH
"""Bytes to be written to one connection above which we do not read from it: it makes us answer and does not take the answers."""

FLUSH_ROUNDS: Final = 8
"""Pieces written to one connection before others have their turn."""

_NO_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_OUTSIDE: Final = {
    "ip4": (socket.AF_INET, "192.0.2.1", "127.0.0.1"),
    "ip6": (socket.AF_INET6, "2001:db8::1", "::1"),
}
"""By kind of address: its family, an address of documentation, which no network has, and loopback."""

log = logging.getLogger("runtime.connections")


class Host(Protocol):
    """Who uses the connections."""

    def connected(self, connection: Connection) -> None:
        """Note a connection that is open."""
        ...

    def disconnected(self, connection: Connection) -> None:
        """Note that one that was open is gone."""
        ...

    def accept(self, connection: Connection, stream: Stream, protocol: str) -> Sink | None:
        """Who takes a stream of the other side; None when the protocol is not spoken here."""
        ...


class Connection:
    """One connection. `peer_id` is set from `connected` on; `reason` once it is over."""

    def __init__(
        self,
        owner: Connections,
        sock: socket.socket,
        remote: tuple[str, int],
        *,
        initiator: bool,
        expected: str | None = None,
        websocket: Websocket | None = None,
        tls: Tls | None = None,
    ) -> None:
        """Wait for `run`."""
        self.remote = remote
        self.initiator = initiator
        self.peer_id = ""
        self.reason: str | None = None
        self.born = owner.tick
        self._owner = owner
        self._socket = sock
        self._dirty = False
        self._unsent: memoryview | None = None
        self._written = owner.tick
        self._pinged = 0
        self._scope = trio.CancelScope()
        self._has_room: trio.Event | None = None
        self.settled: trio.Event | None = trio.Event() if initiator else None
        self.session = Session(self, owner.static, initiator=initiator, expected=expected, websocket=websocket, tls=tls)

    @property
    def is_open(self) -> bool:
        """Whether streams may be opened."""
        return self.reason is None and self.session.is_open and not self.session.muxer.gone

    @property
    def heard(self) -> int:
        """Tick of the last thing received."""
        return self.session.muxer.heard

    async def run(self) -> None:
        """Read until the end."""
        error = False
        try:
            with self._scope:
                await self._read()
        except (WireError, OSError, trio.ClosedResourceError) as caught:
            error = isinstance(caught, WireError)
            self.reason = self.reason or str(caught) or type(caught).__name__
        except Exception as caught:
            log.exception("a connection of %s failed", self.peer_id or self.remote)
            self.reason = self.reason or repr(caught)
        finally:
            self.reason = self.reason or "closed"
            self._end(error=error)

    def close(self, reason: str) -> None:
        """End it; streams are told at once, the socket closes when its task notices."""
        if self.reason is None:
            self.reason = reason
            self._scope.cancel()

    def flush(self) -> None:
        """Write what there is to write, as far as the socket takes it."""
        self._dirty = False
        if self._unsent is not None or self.reason is not None:
            return
        for _ in range(FLUSH_ROUNDS):
            data = self.session.take()
            if not data:
                break
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self.close(error.strerror or str(error))
                return
            self._written = self._owner.tick
            if sent < len(data):
                self._unsent = memoryview(data)[sent:]
                self._owner.spawn(self._write_rest)
                return
        else:
            self.woken()
        self._note_room()

    def sweep(self) -> None:
        """Look after it, once a tick."""
        muxer = self.session.muxer
        muxer.tick = tick = self._owner.tick
        if not self.session.is_open:
            if tick - self.born > _ticks(HANDSHAKE_SECONDS):
                self.close("no handshake in time")
            return
        if self._unsent is not None and tick - self._written > _ticks(STALL_SECONDS):
            self.close("the other side takes nothing of what is written to it")
        silence = tick - muxer.heard
        if silence > 2 * _ticks(PING_SECONDS):
            self.close("no sign of life")
        elif silence >= _ticks(PING_SECONDS) and tick - self._pinged >= _ticks(PING_SECONDS):
            self._pinged = tick
            muxer.ping()
        muxer.sweep(_ticks(STREAM_IDLE_SECONDS))

    # Owner of the session

    def opened(self) -> None:
        """The other side has proven who it is."""
        self.peer_id = self.session.peer_id
        self.session.muxer.tick = self.session.muxer.heard = self._owner.tick
        self._owner.admit(self)

    def accept(self, stream: Stream, protocol: str) -> Sink | None:
        """Who takes a stream."""
        return self._owner.host.accept(self, stream, protocol)

    def woken(self) -> None:
        """There is something to write."""
        if not self._dirty:
            self._dirty = True
            self._owner.note_dirty(self)

    # private

    async def _read(self) -> None:
        sock, session, owner = self._socket, self.session, self._owner
        buffer, view = owner.buffer, owner.view
        while True:
            try:
                size = sock.recv_into(buffer)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(sock)
                continue
            if not size:
                self.reason = self.reason or "closed by the other side"
                return
            session.feed(bytes(view[:size]))
            if session.is_over:
                self.reason = self.reason or "closed by the other side"
                return
            if session.muxer.out_bytes + len(self._unsent or b"") > READ_PAUSE_BYTES:
                self._has_room = trio.Event()
                await self._has_room.wait()
            if size < READ_BYTES:
                await trio.lowlevel.wait_readable(sock)
            else:
                await trio.lowlevel.checkpoint()

    async def _write_rest(self) -> None:
        try:
            while self._unsent is not None and self.reason is None:
                await trio.lowlevel.wait_writable(self._socket)
                sent = self._socket.send(self._unsent)
                self._written = self._owner.tick
                self._unsent = self._unsent[sent:] if sent < len(self._unsent) else None
        except BlockingIOError:
            self._owner.spawn(self._write_rest)
            return
        except (OSError, trio.ClosedResourceError) as error:
            self.close(str(error) or type(error).__name__)
            return
        if self.reason is None:
            self.flush()

    def _note_room(self) -> None:
        if self._has_room is not None:
            self._has_room.set()
            self._has_room = None

    def _end(self, *, error: bool) -> None:
        """Say goodbye as far as the socket takes it, then tell everybody."""
        reason = self.reason or "closed"
        self.session.goodbye(error=error)
        if self._unsent is None:
            try:
                self._socket.send(self.session.take())
            except OSError as caught:
                log.debug("saying goodbye: %s", caught)
        self._unsent = None
        trio.lowlevel.notify_closing(self._socket)
        self._socket.close()
        self.session.muxer.close(reason)
        self._owner.remove(self)
        if self.settled is not None:
            self.settled.set()


class Connections:
    """All connections of a peer. `tick` counts TICK_SECONDS since the start."""

    def __init__(self, identity: Identity, host: Host) -> None:
        """Hold the parameters; `run` does the rest."""
        self.identity = identity
        self.host = host
        self.static = StaticKey(identity)
        self.tick = 0
        self.buffer = bytearray(READ_BYTES)
        self.view = memoryview(self.buffer)
        self._nursery: trio.Nursery | None = None
        self._all: dict[Connection, None] = {}
        self._shaking: dict[Connection, None] = {}
        self._by_peer: dict[str, list[Connection]] = {}
        self._by_host: Counter[str] = Counter()
        self._dirty: deque[Connection] = deque()
        self._flusher = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        """Number of connections, those still shaking hands included."""
        return len(self._all)

    def peers(self) -> tuple[str, ...]:
        """Peer ids with an open connection."""
        return tuple(self._by_peer)

    def of(self, peer_id: str) -> list[Connection]:
        """Open connections of a peer, the newest last."""
        return self._by_peer.get(peer_id, [])

    def newest(self, peer_id: str) -> Connection | None:
        """The newest connection of a peer on which streams may be opened."""
        return next((c for c in reversed(self._by_peer.get(peer_id, ())) if c.is_open), None)

    # life

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; then all connections are told and closed."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._flush_all)
            nursery.start_soon(self._sweep_all)
            task_status.started()
        self._nursery = None

    def spawn(self, task: object, *args: object) -> None:
        """Run a task for as long as the connections live."""
        if self._nursery is not None:
            self._nursery.start_soon(task, *args)  # type: ignore[arg-type]

    def listen(self, address: Address) -> Address:
        """Listen at an address; the result has the port. Raises DialFailed."""
        assert self._nursery is not None
        family = socket.AF_INET6 if address.kind == "ip6" else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((address.host, address.port))
            sock.listen(LISTEN_BACKLOG)
        except OSError as error:
            sock.close()
            raise DialFailed(f"cannot listen at {address}: {error.strerror or error}") from error
        self._nursery.start_soon(self._accept_all, sock, address.transport == "ws")
        return Address(address.kind, address.host, sock.getsockname()[1], address.transport)

    async def dial(self, address: Address) -> Connection:
        """Connect to an address that names its peer. Raises DialFailed."""
        connection: Connection | None = None
        try:
            with trio.fail_after(HANDSHAKE_SECONDS):
                sock = await _connected(address)
                connection = self._outbound(sock, address)
                settled = connection.settled
                assert settled is not None
                await settled.wait()
        except trio.TooSlowError as error:
            raise DialFailed(f"cannot connect to {address}: no answer within {HANDSHAKE_SECONDS:.0f} s") from error
        except (OSError, WireError) as error:
            raise DialFailed(f"cannot connect to {address}: {_text(error)}") from error
        finally:
            if connection is not None and not connection.session.is_open:
                connection.close("given up")
        if connection.reason is not None:
            raise DialFailed(f"cannot connect to {address}: {connection.reason}")
        return connection

    # for connections

    def admit(self, connection: Connection) -> None:
        """Take in a connection that has proven who it is. Raises WireError when it may not stay."""
        peer_id = connection.peer_id
        if peer_id == self.identity.peer_id:
            raise WireError("that is ourselves")
        self._shaking.pop(connection, None)
        siblings = self._by_peer.setdefault(peer_id, [])
        living = [c for c in siblings if c.reason is None]
        if len(living) >= CONNECTIONS_PER_PEER_MAX:
            living[0].close(f"{CONNECTIONS_PER_PEER_MAX} newer connections of the same peer")
        siblings.append(connection)
        if connection.settled is not None:
            connection.settled.set()
        self.host.connected(connection)

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        if self._all.pop(connection, connection) is connection:
            return
        self._shaking.pop(connection, None)
        if not connection.initiator:
            name = _group(connection.remote[0])
            self._by_host[name] -= 1
            if not self._by_host[name]:
                del self._by_host[name]
        siblings = self._by_peer.get(connection.peer_id, [])
        if connection in siblings:
            siblings.remove(connection)
            if not siblings:
                del self._by_peer[connection.peer_id]
            self.host.disconnected(connection)
        log.debug("connection of %s over: %s", connection.peer_id or connection.remote, connection.reason)

    def note_dirty(self, connection: Connection) -> None:
        """Write to a connection before the loop turns again."""
        if not self._dirty:
            self._flusher.unpark()
        self._dirty.append(connection)

    # tasks

    async def _flush_all(self) -> None:
        while True:
            if not self._dirty:
                await self._flusher.park()
            for _ in range(len(self._dirty)):
                self._guarded(self._dirty.popleft(), Connection.flush)
            if self._dirty:
                await trio.lowlevel.checkpoint()

    async def _sweep_all(self) -> None:
        while True:
            await trio.sleep(TICK_SECONDS)
            self.tick += 1
            for connection in list(self._all):
                self._guarded(connection, Connection.sweep)

    def _guarded(self, connection: Connection, action: Callable[[Connection], None]) -> None:
        """Do something with one connection; a mistake of ours costs that one, not the task that serves all."""
        try:
            action(connection)
        except Exception as error:
            log.exception("a connection of %s failed", connection.peer_id or connection.remote)
            connection.close(repr(error))

    async def _accept_all(self, sock: socket.socket, websocket: bool) -> None:
        try:
            while True:
                await trio.lowlevel.wait_readable(sock)
                try:
                    client, remote = sock.accept()
                except BlockingIOError:
                    continue
                except OSError as error:
                    # One connection less, not one listener less.
                    if error.errno in _NO_RESOURCES:
                        log.warning("cannot accept a connection: %s", error.strerror)
                        await trio.sleep(ACCEPT_PAUSE_SECONDS)
                    continue
                self._inbound(client, remote[:2], websocket)
        finally:
            trio.lowlevel.notify_closing(sock)
            sock.close()

    def _inbound(self, sock: socket.socket, remote: tuple[str, int], websocket: bool) -> None:
        name = _group(remote[0])
        if not self._make_place(name):
            log.info("refusing a connection from %s: %d are open", remote[0], len(self._all))
            sock.close()
            return
        _tune(sock)
        connection = Connection(self, sock, remote, initiator=False, websocket=Websocket() if websocket else None)
        self._by_host[name] += 1
        self._start(connection)

    def _outbound(self, sock: socket.socket, address: Address) -> Connection:
        websocket = Websocket(address.host_and_port) if address.transport != "tcp" else None
        try:
            tls = Tls(address.host) if address.transport == "wss" else None
            connection = Connection(
                self,
                sock,
                (address.host, address.port),
                initiator=True,
                expected=address.peer_id or None,
                websocket=websocket,
                tls=tls,
            )
        except BaseException:
            sock.close()
            raise
        self._start(connection)
        connection.woken()
        return connection

    def _start(self, connection: Connection) -> None:
        assert self._nursery is not None
        self._all[connection] = None
        self._shaking[connection] = None
        self._nursery.start_soon(connection.run)

    def _make_place(self, name: str) -> bool:
        """Room for one more of an address, if need be at the cost of the address that has most; False to refuse it."""
        if len(self._shaking) >= HANDSHAKES_MAX:
            inbound = [c for c in self._shaking if not c.initiator]
            most = Counter(_group(c.remote[0]) for c in inbound).most_common(1)
            victim = next((c for c in inbound if most and _group(c.remote[0]) == most[0][0]), None)
            if victim is None:
                return False
            victim.close("too many connections that do not shake hands")
            del self._shaking[victim]
        if len(self._all) < CONNECTIONS_MAX:
            return True
        heaviest, count = max(self._by_host.items(), key=lambda item: item[1], default=("", 0))
        if self._by_host[name] + 1 >= count:
            return False
        rivals = (c for c in self._all if not c.initiator and c.reason is None and _group(c.remote[0]) == heaviest)
        victim = min(rivals, key=lambda c: c.heard, default=None)
        if victim is None:
            return False
        victim.close("its address has most connections, and another needs one")
        return True


def reachable(address: Address) -> Address:
    """The address to tell others for one that is listened at. `0.0.0.0` and `::` are nobody's: who was told them would dial itself.

    They stand for the interface that leads out of this machine, or for loopback when none does. Nothing is sent to find out.
    """
    if not ipaddress.ip_address(address.host).is_unspecified:
        return address
    family, outside, host = _OUTSIDE[address.kind]
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((outside, 9))
        host = sock.getsockname()[0]
    return Address(address.kind, host, address.port, address.transport)


async def _connected(address: Address) -> socket.socket:
    """A socket connected to the first address of the host that answers. Raises OSError."""
    family = {"ip4": socket.AF_INET, "dns4": socket.AF_INET, "ip6": socket.AF_INET6, "dns6": socket.AF_INET6}.get(
        address.kind, socket.AF_UNSPEC
    )
    if address.kind in ("ip4", "ip6"):
        places = [(family, (address.host, address.port))]
    else:
        found = await trio.socket.getaddrinfo(address.host, address.port, family=family, type=socket.SOCK_STREAM)
        places = [(entry[0], (str(entry[4][0]), int(entry[4][1]))) for entry in found]
    error: OSError = OSError("the name has no address")
    for kind, place in places:
        sock = socket.socket(kind, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            code = sock.connect_ex(place)
            if code not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
                raise OSError(code, os.strerror(code))
            await trio.lowlevel.wait_writable(sock)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
            _tune(sock)
            return sock
        except OSError as caught:
            error = caught
            sock.close()
        except BaseException:
            sock.close()
            raise
    raise error


def _tune(sock: socket.socket) -> None:
    sock.setblocking(False)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        log.debug("no TCP_NODELAY: %s", error)


def _group(host: str) -> str:
    """What counts as one address: of IPv6 the network of 64 bits, all of which one machine may have."""
    if ":" not in host:
        return host
    return str(ipaddress.IPv6Address(host.partition("%")[0]).packed[:8].hex())


def _ticks(seconds: float) -> int:
    return round(seconds / TICK_SECONDS)


def _text(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
