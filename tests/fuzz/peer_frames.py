"""Strangers against a running peer: garbage, cut and oversized frames in every layer, floods, slow readers, replayed particles.

    python -m tests.fuzz.peer_frames --count 100000 --seed 0 [--attackers 8] [--kind NAME …]

The peer is a process of its own; attackers connect to it as anybody could, and each attack sends one frame or many. Two honest
clients meanwhile send it one program after the other. It fails if the peer ends or logs a mistake of its own, if an honest
client is disconnected or not answered in time, if an attack that has to cost its connection does not or one that must not
does, if memory grows beyond the bounds of `runtime.core.limits`, or if descriptors are left at the end. The result is a line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack
import trio

from avm import Avm
from runtime.core.limits import FRAME_BYTES_MAX, HELD_BYTES_MAX
from runtime.core.particle import new_particle
from runtime.protocol import codec
from runtime.protocol.addresses import Address, parse_address
from runtime.protocol.codec import frame
from runtime.protocol.identity import Identity
from runtime.protocol.limits import STREAMS_REFUSED_MAX, WINDOW_BYTES
from runtime.protocol.multiaddr import varint
from runtime.protocol.wire import WireError, multistream, yamux
from runtime.protocol.wire.noise import StaticKey
from runtime.protocol.wire.session import INBOUND_STREAMS_MAX, Session
from runtime.protocol.wire.websocket import Websocket
from tests.bench.relay_load import HELLO, IDENTIFY, PARTICLES, LoadClient, Relay, hello, running_relay

HONEST_SECONDS: Final = 20.0
"""How long an honest program may take while the attacks run; the machine may be busy with other things."""

CLOSE_SECONDS: Final = 10.0
"""How long the peer may take to close what it has to close."""

MEMORY_BYTES: Final = HELD_BYTES_MAX + 300_000_000
"""Growth of the peer's memory that is explained by its bounds."""

PATIENCE_SECONDS: Final = 30.0
NETWORK: Final = "/fluence/kad/dar/1.0.0"
PUSH: Final = "/ipfs/id/push/1.0.0"
PING: Final = "/ipfs/ping/1.0.0"
ENDS, STAYS, EITHER = "ends", "stays", "either"


class Found(Exception):
    """The peer did what it must not do."""


@dataclass
class Count:
    """What has been done."""

    frames: int = 0
    attacks: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)


class Nobody:
    """A sink that takes everything."""

    patient = True

    def __init__(self) -> None:
        self.data = b""
        self.over = False
        self.stream: yamux.Stream | None = None

    def received(self, data: bytes) -> None:
        self.data = (self.data + data)[:65_536]
        if self.stream is not None:
            self.stream.consume(len(data))

    def ended(self) -> None:
        self.over = True

    def closed(self, reason: str | None) -> None:
        self.over = True

    def drained(self) -> None: ...


class Attacker:
    """A connection whose bytes can be tampered with anywhere."""

    def __init__(self, rng: random.Random, relay: Relay) -> None:
        self.rng = rng
        self.relay = relay
        self.identity = Identity(rng.randbytes(32))
        self.websocket = rng.random() < 0.5
        self.is_open = False
        self.over = False
        self.tamper: Callable[[bytes], bytes] | None = None
        address = parse_address(relay.address(websocket=self.websocket))
        self.address: Address = address
        self.static = StaticKey(self.identity)

    async def connect(self) -> None:
        """The socket only."""
        self.socket = await trio.open_tcp_stream(self.address.host, self.address.port)
        websocket = Websocket(self.address.host_and_port) if self.websocket else None
        self.session = Session(self, self.static, initiator=True, expected=self.relay.peer_id, websocket=websocket)

    async def shake_hands(self) -> bool:
        """Up to streams; whether it got there."""
        await self.connect()
        with trio.move_on_after(PATIENCE_SECONDS):
            while not self.is_open and not self.over:
                await self.flush()
                await self.read()
        return self.is_open

    async def flush(self) -> None:
        """Send what the session has."""
        while data := self.session.take():
            await self.raw(data if self.tamper is None else self.tamper(data))
            if self.over:
                return

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        if not data:
            return
        try:
            with trio.fail_after(PATIENCE_SECONDS):
                await self.socket.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.over = True

    async def sealed(self, data: bytes) -> None:
        """Send bytes as the content of noise messages."""
        await self.flush()
        assert self.session._sending is not None
        data = self.session._sending.seal(data)
        websocket = self.session._websocket
        await self.raw(data if websocket is None else websocket.wrap(data))

    async def read(self) -> None:
        """What has come."""
        try:
            data = await self.socket.receive_some(65_536)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        if not data:
            self.over = True
            return
        with contextlib.suppress(WireError):
            self.session.feed(bytes(data))

    async def is_closed(self) -> bool:
        """Whether the peer closes the connection in time."""
        with trio.move_on_after(CLOSE_SECONDS):
            while not self.over:
                await self.read()
                await self.flush()
        return self.over

    async def is_served(self) -> bool:
        """Whether the peer still answers on this connection."""
        sink = Nobody()
        try:
            sink.stream = self.session.open_stream(IDENTIFY, sink)
        except yamux.BrokenStream:
            return False
        with trio.move_on_after(PATIENCE_SECONDS):
            while not sink.over and not self.over:
                await self.flush()
                await self.read()
        return bool(sink.data)

    def stream(self, protocol: str) -> yamux.Stream:
        """A new stream."""
        sink = Nobody()
        sink.stream = self.session.open_stream(protocol, sink)
        return sink.stream

    async def close(self) -> None:
        await trio.aclose_forcefully(self.socket)

    # Owner of the session

    def opened(self) -> None:
        self.is_open = True

    def woken(self) -> None: ...

    def accept(self, stream: yamux.Stream, protocol: str) -> Nobody | None:
        if protocol != PARTICLES:
            return None
        sink = Nobody()
        sink.stream = stream
        return sink

    # particles

    def message(self, script: str = HELLO, *, age_ms: int = 0, ttl: int = 3000, data: bytes = b"") -> bytes:
        """A signed particle of this attacker."""
        particle = new_particle(
            self.identity,
            particle_id=self.rng.randbytes(8).hex(),
            timestamp=time.time_ns() // 1_000_000 - age_ms,
            ttl=ttl,
            script=script,
        )
        return codec.encode(particle.with_data(data))


# ── attacks ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# Each gets a connection, open unless it is in BARE, and answers how many frames it sent,
# a flood counting as one, and what has to become of the connection.

Attack = Callable[[Attacker], Awaitable[tuple[int, str]]]
_ATTACKS: Final[list[tuple[str, int, Attack]]] = []
BARE: Final[set[str]] = set()


def attack(weight: int, *, bare: bool = False) -> Callable[[Attack], Attack]:
    """Register an attack that is chosen with a weight; bare: it gets an unconnected attacker."""

    def register(function: Attack) -> Attack:
        _ATTACKS.append((function.__name__, weight, function))
        if bare:
            BARE.add(function.__name__)
        return function

    return register


@attack(4, bare=True)
async def socket_garbage(a: Attacker) -> tuple[int, str]:
    await a.connect()
    await a.raw(a.rng.randbytes(a.rng.randrange(1, 4000)))
    return 1, EITHER


@attack(2, bare=True)
async def http_garbage(a: Attacker) -> tuple[int, str]:
    a.websocket = True
    a.address = parse_address(a.relay.address(websocket=True))
    await a.connect()
    heads = (
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 3000 + b"\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + a.rng.randbytes(500),
        b"GET " + b"/" * 20_000,
    )
    await a.raw(a.rng.choice(heads))
    return 1, ENDS


@attack(1, bare=True)
async def silence(a: Attacker) -> tuple[int, str]:
    await a.connect()
    return 1, EITHER


@attack(6, bare=True)
async def tampered_handshake(a: Attacker) -> tuple[int, str]:
    victim = a.rng.randrange(4)

    def tamper(data: bytes) -> bytes:
        nonlocal victim
        victim -= 1
        return mutated(a.rng, data) if victim == -1 else data

    a.tamper = tamper
    await a.connect()
    with trio.move_on_after(0.2):
        while not a.over and not a.is_open:
            await a.flush()
            await a.read()
    return 3, EITHER


@attack(3, bare=True)
async def foreign_identity(a: Attacker) -> tuple[int, str]:
    other = StaticKey(Identity(a.rng.randbytes(32)))
    a.static.payload = mutated(a.rng, a.static.payload) if a.rng.random() < 0.5 else other.payload
    await a.connect()
    with trio.move_on_after(CLOSE_SECONDS):
        while not a.over and not a.is_open:
            await a.flush()
            await a.read()
    return 2, EITHER if a.is_open else ENDS


@attack(3)
async def noise_garbage(a: Attacker) -> tuple[int, str]:
    size = a.rng.randrange(1, 2000)
    data = size.to_bytes(2, "big") + a.rng.randbytes(size)
    websocket = a.session._websocket
    await a.raw(data if websocket is None else websocket.wrap(data))
    return 1, ENDS


@attack(2)
async def websocket_garbage(a: Attacker) -> tuple[int, str]:
    if not a.websocket:
        return 0, STAYS
    heads = (
        b"\x81\x85abcdhello",
        b"\x82\x05hello",
        b"\xf2\x80abcd",
        b"\x89\xfe\x01\x00abcd",
        b"\x82\xff" + b"\x7f" * 8 + b"abcd",
    )
    await a.raw(a.rng.choice(heads))
    return 1, ENDS


@attack(1)
async def websocket_pings(a: Attacker) -> tuple[int, str]:
    if not a.websocket:
        return 0, STAYS
    await a.raw(b"\x89\x85abcdhello" * 500)
    return 1, STAYS


@attack(3)
async def yamux_garbage(a: Attacker) -> tuple[int, str]:
    await a.sealed(bytes((a.rng.randrange(1, 256),)) + a.rng.randbytes(a.rng.randrange(11, 300)))
    return 1, ENDS


@attack(6)
async def yamux_random_frames(a: Attacker) -> tuple[int, str]:
    rng, frames = a.rng, b""
    count = rng.randrange(1, 30)
    for _ in range(count):
        kind, flags = rng.choice((0, 0, 1, 2, 3)), rng.choice((0, 1, 1, 2, 4, 5, 8, 15))
        number = rng.choice((0, 1, 2, 3, 5, 7, rng.randrange(1 << 32)))
        size = rng.choice((0, 0, 1, 20, WINDOW_BYTES, WINDOW_BYTES + 1, 0xFFFFFFFF))
        frames += yamux._HEAD.pack(0, kind, flags, number, size)
        if kind == 0:
            frames += rng.randbytes(min(size, 50))
    await a.sealed(frames)
    return count, EITHER


@attack(1)
async def beyond_the_window(a: Attacker) -> tuple[int, str]:
    stream = a.stream(PARTICLES)
    await a.flush()
    await a.sealed(yamux._HEAD.pack(0, yamux.DATA, 0, stream.id, WINDOW_BYTES + 1) + bytes(1000))
    return 1, ENDS


@attack(1)
async def more_streams_than_allowed(a: Attacker) -> tuple[int, str]:
    count = INBOUND_STREAMS_MAX + 200
    streams = [a.session.muxer.open(Nobody()) for _ in range(count)]
    for stream in streams:
        stream._opening_flag()
        a.session.muxer.send(yamux.WINDOW_UPDATE, yamux.SYN, stream.id, 0)
    await a.flush()
    for stream in streams:
        stream.reset()
    await a.flush()
    return 1, STAYS


@attack(1)
async def flood_of_streams(a: Attacker) -> tuple[int, str]:
    count = INBOUND_STREAMS_MAX + STREAMS_REFUSED_MAX + 2
    heads = (yamux._HEAD.pack(0, yamux.WINDOW_UPDATE, yamux.SYN, 1 + 2 * n, 0) for n in range(count))
    await a.sealed(b"".join(heads))
    return 1, ENDS


@attack(1)
async def rapid_resets(a: Attacker) -> tuple[int, str]:
    for _ in range(500):
        a.stream(PARTICLES).reset()
    await a.flush()
    return 1, STAYS


@attack(1)
async def pings_unread(a: Attacker) -> tuple[int, str]:
    await a.sealed(yamux._HEAD.pack(0, yamux.PING, yamux.SYN, 0, 7) * 3000)
    return 1, STAYS


@attack(6)
async def protocol_garbage(a: Attacker) -> tuple[int, str]:
    count = a.rng.randrange(1, 20)
    for _ in range(count):
        stream = a.session.muxer.open(Nobody())
        stream.write(
            a.rng.choice(
                (
                    a.rng.randbytes(40),
                    multistream.HEADER + b"\x05/a/b\n" * 20,
                    multistream.HEADER + a.rng.randbytes(30),
                    b"\xff\xff\xff\xff\xff",
                    multistream.line("x" * 900) * 3,
                    multistream.HEADER[: a.rng.randrange(20)],
                )
            )
        )
        if a.rng.random() < 0.7:
            stream.finish()
    await a.flush()
    return count, STAYS


@attack(40)
async def message_garbage(a: Attacker) -> tuple[int, str]:
    count = a.rng.randrange(1, 60)
    stream = a.stream(PARTICLES)
    for _ in range(count):
        stream.write(frame(a.rng.choice((b"", b"\x81\x04")) + a.rng.randbytes(a.rng.randrange(120))))
    stream.finish()
    await a.flush()
    return count, STAYS


@attack(40)
async def mutated_messages(a: Attacker) -> tuple[int, str]:
    count = a.rng.randrange(1, 30)
    stream = a.stream(PARTICLES)
    message = a.message()
    for _ in range(count):
        stream.write(frame(mutated(a.rng, message)))
    stream.finish()
    await a.flush()
    return count, STAYS


@attack(8)
async def unpacked_garbage(a: Attacker) -> tuple[int, str]:
    values = (None, -1, 2**64 - 1, 1.5, "x" * 2000, b"y" * 300, [1, 2, [3]], {"a": {}}, [200] * 64, [-1] * 64)
    names = ("action", "id", "init_peer_id", "timestamp", "ttl", "script", "signature", "data", "other")
    stream = a.stream(PARTICLES)
    for _ in range(10):
        fields: dict[str, Any] = {
            name: a.rng.choice(values) for name in a.rng.sample(names, a.rng.randrange(len(names)))
        }
        if a.rng.random() < 0.8:
            fields["action"] = "Particle"
        stream.write(frame(b"\x81\x04" + msgpack.packb(fields)))
    stream.finish()
    await a.flush()
    return 10, STAYS


@attack(4)
async def oversized_prefix(a: Attacker) -> tuple[int, str]:
    stream = a.stream(PARTICLES)
    prefixes = (varint(FRAME_BYTES_MAX + 1), b"\xff" * 9 + b"\x01", b"\x80" * 30)
    stream.write(a.rng.choice(prefixes) + a.rng.randbytes(100))
    await a.flush()
    return 1, STAYS


@attack(8)
async def cut_frames(a: Attacker) -> tuple[int, str]:
    count = a.rng.randrange(1, 10)
    for _ in range(count):
        stream = a.stream(PARTICLES)
        data = frame(a.message())
        stream.write(data[: a.rng.randrange(len(data))])
        if a.rng.random() < 0.5:
            stream.finish()
        elif a.rng.random() < 0.5:
            stream.reset()
    await a.flush()
    return count, STAYS


@attack(1)
async def endless_frames(a: Attacker) -> tuple[int, str]:
    for _ in range(20):
        stream = a.stream(PARTICLES)
        stream.write(varint(FRAME_BYTES_MAX) + bytes(150_000))
    await a.flush()
    return 20, STAYS


@attack(20)
async def bad_particles(a: Attacker) -> tuple[int, str]:
    """Expired, far ahead, of somebody else, signed wrongly, without author."""
    stream = a.stream(PARTICLES)
    good = codec.decode(a.message())
    assert not isinstance(good, codec.Upgrade)
    other = Identity(a.rng.randbytes(32)).peer_id
    fields = {
        name: getattr(good, name) for name in ("id", "timestamp", "ttl", "script", "signature", "data", "init_peer_id")
    }
    changes: tuple[dict[str, Any], ...] = (
        {"id": "another"}, {"timestamp": good.timestamp + 1}, {"ttl": good.ttl + 1}, {"script": "(null)"}, {"signature": bytes(64)},
        {"signature": a.rng.randbytes(64)}, {"init_peer_id": other}, {"init_peer_id": "12D3KooW"}, {"init_peer_id": "Qm" + "1" * 44},
    )  # fmt: skip
    for change in changes:
        stream.write(frame(b"\x81\x04" + msgpack.packb({"action": "Particle", **fields, **change})))
    for message in (a.message(age_ms=10_000), a.message(age_ms=-(10**9)), a.message(ttl=0), a.message(age_ms=1, ttl=1)):
        stream.write(frame(message))
    stream.finish()
    await a.flush()
    return len(changes) + 4, STAYS


@attack(6)
async def replayed_particles(a: Attacker) -> tuple[int, str]:
    message = frame(a.message("(null)"))
    stream = a.stream(PARTICLES)
    for _ in range(50):
        stream.write(message)
    stream.finish()
    await a.flush()
    return 50, STAYS


@attack(6)
async def hostile_scripts(a: Attacker) -> tuple[int, str]:
    rng = a.rng
    peer = a.relay.peer_id
    strangers = [Identity(rng.randbytes(32)).peer_id for _ in range(20)]
    nowhere = "(null)"
    for stranger in strangers:
        nowhere = f'(par (call "{stranger}" ("s" "f") [] x{stranger[-6:]}) {nowhere})'
    scripts = (
        "(" * 1000,
        "(seq " * 500 + "(null)" + ")" * 500,
        nowhere,
        f'(call "{peer}" ("op" "array") [{" ".join("1" * 400)}] x)',
        f'(call "{peer}" ("peer" "timeout") [100000 "x"] x)',
        f'(par (call "{peer}" ("kad" "neighborhood") ["{peer}"] x) (call "{peer}" ("nobody" "f") [] y))',
        f'(seq (call "{peer}" ("op" "array") [1 2 3 4 5 6 7 8 9 10] xs) (fold xs.$ i (seq (fold xs.$ j (seq (fold xs.$ k '
        f"(seq (fold xs.$ l (seq (null) (next l))) (next k))) (next j))) (next i))))",
        rng.randbytes(200).decode("latin-1"),
    )
    stream = a.stream(PARTICLES)
    for script in scripts:
        stream.write(frame(a.message(script, data=rng.choice((b"", b"", rng.randbytes(300))))))
    stream.finish()
    await a.flush()
    return len(scripts), STAYS


@attack(1)
async def unread_answers(a: Attacker) -> tuple[int, str]:
    """Many large answers to one who takes none."""
    text = "x" * 20_000
    peer = a.relay.peer_id
    stream = a.stream(PARTICLES)
    for _ in range(40):
        script = f'(seq (call "{peer}" ("op" "concat_strings") ["{text}"] x) (call %init_peer_id% ("s" "f") [x]))'
        stream.write(frame(a.message(script)))
        await a.flush()
    await trio.sleep(0.05)
    return 40, EITHER


@attack(8)
async def service_garbage(a: Attacker) -> tuple[int, str]:
    count = a.rng.randrange(1, 12)
    for _ in range(count):
        stream = a.stream(a.rng.choice((PUSH, PING, NETWORK, IDENTIFY)))
        body = a.rng.choice(
            (
                a.rng.randbytes(a.rng.randrange(100)),
                frame(a.rng.randbytes(a.rng.randrange(200))),
                frame(b"\x1a\x18" + PARTICLES.encode() + b"\x12\x08\x04\x7f\x00\x00\x01\x06\x00\x01" * 500),
                frame(b"\x08\x04\x12\x26\x00\x24" + a.rng.randbytes(36)),
                varint(1 << 30),
                b"\xff" * 20,
            )
        )
        stream.write(body)
        if a.rng.random() < 0.8:
            stream.finish()
    await a.flush()
    return count, EITHER  # a push may say that it speaks nothing of ours, which costs the connection


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Some bytes changed, left out, doubled or cut off."""
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(changed) or 1)
        match rng.randrange(5):
            case 0 if changed:
                changed[place] = rng.randrange(256)
            case 1 if changed:
                changed[place] ^= 1 << rng.randrange(8)
            case 2:
                del changed[place : place + rng.randrange(1, 20)]
            case 3:
                changed[place:place] = changed[place : place + rng.randrange(1, 20)]
            case _:
                del changed[place:]
    return bytes(changed)


KINDS: Final = tuple(name for name, _, _ in _ATTACKS)


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Run:
    """One run against one relay. each: every kind of attack once, first of all."""

    def __init__(self, relay: Relay, *, count: int, seed: int, kinds: list[str], each: bool = False) -> None:
        self.relay = relay
        self.wanted = count
        self.seed = seed
        self.count = Count()
        self.slowest = 0.0
        self.honest = 0
        self.peak = 0
        chosen = [row for row in _ATTACKS if not kinds or row[0] in kinds]
        self._names = [name for name, _, _ in chosen]
        self._weights = [weight for _, weight, _ in chosen]
        self._attacks = {name: function for name, _, function in chosen}
        self._number = 0
        self._first = list(self._names) if each else []
        self._over = trio.Event()

    async def main(self, attackers: int) -> dict[str, Any]:
        """Attack; what happened. Raises Found."""
        memory = self.relay.resident_bytes()
        descriptors = self.relay.descriptors()
        start = time.monotonic()
        async with trio.open_nursery() as everything:
            everything.start_soon(self._watch, memory)
            for websocket in (False, True):
                await everything.start(self._be_honest, websocket)
            async with trio.open_nursery() as nursery:
                for _ in range(attackers):
                    nursery.start_soon(self._attack)
            self._over.set()
            everything.cancel_scope.cancel()
        seconds = time.monotonic() - start
        await self._until_quiet(descriptors)
        return {
            "frames": self.count.frames,
            "attacks": sum(self.count.attacks.values()),
            "closed": sum(self.count.closed.values()),
            "honest_programs": self.honest,
            "slowest_honest_ms": round(1000 * self.slowest, 1),
            "memory_mb": [round(value / 1e6, 1) for value in (memory, self.peak, self.relay.resident_bytes())],
            "seconds": round(seconds, 1),
            "kinds": dict(sorted(self.count.attacks.items())),
        }

    async def _attack(self) -> None:
        while self._first or self.count.frames < self.wanted:
            self._number += 1
            rng = random.Random(f"{self.seed} {self._number}")
            name = self._first.pop() if self._first else rng.choices(self._names, self._weights)[0]
            attacker = Attacker(rng, self.relay)
            where = f"attack {self._number} ({name}) of seed {self.seed}"
            try:
                if name not in BARE and not await attacker.shake_hands():
                    raise Found(f"{where}: the peer refuses the connection")
                frames, verdict = await self._attacks[name](attacker)
                self.count.frames += frames
                self.count.attacks[name] += 1
                if verdict == ENDS and not await attacker.is_closed():
                    raise Found(f"{where}: the connection is not closed")
                if verdict == STAYS and not await attacker.is_served():
                    raise Found(f"{where}: the connection is not served any more")
                self.count.closed[name] += attacker.over
            except trio.TooSlowError as error:
                raise Found(f"{where}: the peer takes nothing") from error
            except OSError as error:
                raise Found(f"{where}: {error}") from error
            finally:
                with contextlib.suppress(AttributeError):
                    await attacker.close()

    async def _be_honest(self, websocket: bool, *, task_status: trio.TaskStatus[None]) -> None:
        vm = Avm()
        client = LoadClient(Identity(os.urandom(32)))
        async with trio.open_nursery() as nursery:
            await client.start(nursery, self.relay.address(websocket=websocket))
            task_status.started()
            while not self._over.is_set():
                particle = hello(
                    vm, client.identity, self.relay.peer_id, self.honest, now_ms=time.time_ns() // 1_000_000
                )
                start = time.perf_counter()
                done = len(client.answers)
                await (client.send_alone if websocket else client.send)(particle.message)
                if await client.wait_for(done + 1, HONEST_SECONDS) <= done:
                    raise Found(f"an honest client got no answer within {HONEST_SECONDS:.0f} s")
                if client.lost is not None:
                    raise Found(f"an honest client was disconnected: {client.lost}")
                self.slowest = max(self.slowest, time.perf_counter() - start)
                self.honest += 1
                await trio.sleep(0.02)

    async def _watch(self, before: int) -> None:
        while True:
            now = self.relay.resident_bytes()
            self.peak = max(self.peak, now)
            if now - before > MEMORY_BYTES:
                raise Found(f"the peer's memory grew by {(now - before) / 1e6:.0f} MB")
            await trio.sleep(0.1)

    async def _until_quiet(self, descriptors: int) -> None:
        """Wait until the peer has let go of every connection."""
        with trio.move_on_after(2 * PATIENCE_SECONDS):
            while self.relay.descriptors() > descriptors:  # noqa: ASYNC110 - another process has no event
                await trio.sleep(0.1)
            return
        raise Found(f"{self.relay.descriptors() - descriptors} descriptors are left open")


@contextlib.contextmanager
def watched_relay() -> Iterator[Relay]:
    """A relay whose log must not tell of mistakes of its own."""
    with tempfile.TemporaryFile("w+") as log:
        try:
            with running_relay(errors=log) as relay:
                yield relay
        finally:
            log.seek(0)
            told = log.read()
            mistake = next((line for line in told.splitlines() if " ERROR " in line or "Traceback" in line), None)
            if mistake is not None:
                print(told[-5000:], file=sys.stderr)
                raise Found(f"the peer logged: {mistake}")


def fuzz(
    *, count: int, seed: int, attackers: int = 8, kinds: list[str] | None = None, each: bool = False
) -> dict[str, Any]:
    """A whole run. Raises Found, in an exception group or not."""
    with watched_relay() as relay:
        return trio.run(Run(relay, count=count, seed=seed, kinds=kinds or [], each=each).main, attackers)


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 when something was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.peer_frames", description="strangers against a running peer"
    )
    parser.add_argument("--count", type=int, default=100_000, help="frames")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--attackers", type=int, default=8)
    parser.add_argument("--kind", action="append", default=[], choices=KINDS)
    args = parser.parse_args(argv)
    code = 0
    try:
        print(json.dumps(fuzz(count=args.count, seed=args.seed, attackers=args.attackers, kinds=args.kind)))
    except* Found as group:
        code = 1
        for error in _leaves(group):
            print(f"found: {error}", file=sys.stderr)
    return code


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


if __name__ == "__main__":
    sys.exit(main())
