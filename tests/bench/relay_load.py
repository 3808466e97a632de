"""Load for a relay: the relay in a process of its own on one processor, and clients that send it particles made beforehand.

The program is `hello`: its author asks the relay to put two texts together and takes the answer. For the relay that is one
message in, two runs, one call of a service and one message out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import trio

from avm.call_data import encode_call_results
from avm.outcome import CallResult, Outcome, RunParameters
from runtime.core.particle import new_particle
from runtime.protocol import codec
from runtime.protocol.addresses import parse_address
from runtime.protocol.codec import FrameReader, frame
from runtime.protocol.connections import Connection, Connections
from runtime.protocol.identity import Identity
from runtime.protocol.protobuf import field_bytes
from runtime.protocol.streams import ByteStream, OutStream
from runtime.protocol.wire.yamux import Stream
from tests.bench.avm_workloads import Vm

ROOT: Final = Path(__file__).resolve().parents[2]
PARTICLES: Final = "/fluence/particle/2.0.0"
IDENTIFY: Final = "/ipfs/id/1.0.0"
TTL_MS: Final = 60_000
HELLO: Final = """\
(xor
 (seq
  (seq
   (seq
    (call %init_peer_id% ("getDataSrv" "-relay-") [] -relay-)
    (call %init_peer_id% ("getDataSrv" "name") [] -name-arg-)
   )
   (xor
    (call -relay- ("op" "concat_strings") ["hello " -name-arg-] ret)
    (fail :error:)
   )
  )
  (call %init_peer_id% ("callbackSrv" "response") [ret])
 )
 (call %init_peer_id% ("errorHandlingSrv" "error") [:error: 0])
)
"""
"""What `aquac` makes of `func hello(name: string) -> string: on HOST_PEER_ID: res <- Op.concat_strings("hello ", name) <- res`."""


@dataclass(frozen=True, slots=True)
class Relay:
    """A running peer, and what its process uses."""

    pid: int
    peer_id: str
    listen: tuple[str, ...]
    http: str | None = None

    def address(self, *, websocket: bool) -> str:
        """One of its addresses."""
        return next(a for a in self.listen if ("/ws/" in a) == websocket)

    def cpu_ms(self) -> float:
        """Processor time so far, all threads, milliseconds; counted in ticks of ten."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))

    def resident_bytes(self) -> int:
        """Memory of the process."""
        return 4096 * int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])

    def descriptors(self) -> int:
        """Open files and sockets."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextmanager
def running_relay(*flags: str, processor: int | None = 1, errors: IO[str] | None = None) -> Iterator[Relay]:
    """`avm peer run` on one processor, this process on the others. It must end on SIGTERM with code 0. errors: takes its log."""
    listen = ("--listen", "/ip4/127.0.0.1/tcp/0", "--listen", "/ip4/127.0.0.1/tcp/0/ws")
    command = [sys.executable, "-m", "avm", "peer", "run", "--allow-local-addresses", *listen, *flags]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    available = os.sched_getaffinity(0)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        if processor in available and len(available) > 1 and processor is not None:
            _pin(process.pid, {processor})
            os.sched_setaffinity(0, available - {processor})
        yield Relay(process.pid, ready["peer_id"], tuple(ready["listen"]), ready["http"])
    finally:
        os.sched_setaffinity(0, available)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        code = process.returncode
        if code != 0:
            raise RuntimeError(f"the relay ended with code {code}")


def _pin(pid: int, processors: set[int]) -> None:
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), processors)


# ── particles ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hello:
    """One particle on its way to the relay. arguments: what the relay's first run gets; text: what has to come back."""

    message: bytes
    particle_id: str
    text: str
    arguments: tuple[str, bytes, bytes, RunParameters, bytes]


def hello(vm: Vm, author: Identity, relay: str, number: int, *, now_ms: int, ttl_ms: int = TTL_MS) -> Hello:
    """A new particle of `author` after its runs there."""
    particle_id = str(uuid.uuid4())
    particle = new_particle(author, particle_id=particle_id, timestamp=now_ms, ttl=ttl_ms, script=HELLO)
    parameters = RunParameters(author.peer_id, author.peer_id, now_ms, ttl_ms, particle_id, author.seed)
    name = f"number {number}"
    outcome = vm.invoke(HELLO, b"", b"", parameters, encode_call_results({}))
    while outcome.call_requests:
        answers = {
            key: CallResult(0, json.dumps(relay if request.function_name == "-relay-" else name))
            for key, request in outcome.call_requests.items()
        }
        outcome = vm.invoke(HELLO, outcome.data, b"", parameters, encode_call_results(answers))
    assert outcome.next_peer_pks == (relay,), outcome
    message = codec.encode(particle.with_data(outcome.data))
    on_relay = RunParameters(author.peer_id, relay, now_ms, ttl_ms, particle_id, bytes(32))
    arguments = (HELLO, b"", outcome.data, on_relay, encode_call_results({}))
    return Hello(message, particle_id, f"hello {name}", arguments)


def both_runs(vm: Vm, hello: Hello, relay_seed: bytes) -> Outcome:
    """What the interpreter of a relay does for one particle."""
    air, prev_data, data, parameters, results = hello.arguments
    parameters = RunParameters(
        parameters.init_peer_id,
        parameters.current_peer_id,
        parameters.timestamp,
        parameters.ttl,
        parameters.particle_id,
        relay_seed,
    )
    outcome = vm.invoke(air, prev_data, data, parameters, results)
    answers = encode_call_results({key: CallResult(0, json.dumps(hello.text)) for key in outcome.call_requests})
    return vm.invoke(air, outcome.data, b"", parameters, answers)


# ── clients ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Inbox:
    """A particle stream of the relay."""

    patient = True

    def __init__(self, client: LoadClient, stream: Stream) -> None:
        self._client = client
        self._stream = stream
        self._reader = FrameReader()

    def received(self, data: bytes) -> None:
        for message in self._reader.feed(data):
            self._client.take(message)
        self._stream.consume(len(data))

    def ended(self) -> None:
        self._stream.finish()

    def closed(self, reason: str | None) -> None: ...

    def drained(self) -> None: ...


class LoadClient:
    """A client without interpreter: sends messages, notes when answers come. One connection."""

    def __init__(self, identity: Identity, *, agent: str = "aquac/load") -> None:
        self.identity = identity
        self.answers: dict[str, float] = {}
        self.messages: list[bytes] = []
        self.keep_messages = False
        self.lost: str | None = None
        self.identified = b""
        self._agent = agent
        self._connections = Connections(identity, self)
        self._connection: Connection | None = None
        self._out: OutStream | None = None
        self._changed = trio.Event()

    async def start(self, nursery: trio.Nursery, address: str) -> None:
        """Connect, and ask who is there, as every libp2p client does."""
        await nursery.start(lambda task_status: self._connections.run(task_status=task_status))
        self._connection = await self._connections.dial(parse_address(address))
        stream = ByteStream()
        stream.stream = self._connection.session.open_stream(IDENTIFY, stream)
        while data := await stream.read():
            self.identified += data
        stream.finish()

    @property
    def connection(self) -> Connection:
        assert self._connection is not None
        return self._connection

    async def send(self, message: bytes) -> None:
        """On the one long-lived stream."""
        if self._out is None:
            self._out = OutStream()
            self._out.stream = self.connection.session.open_stream(PARTICLES, self._out)
        data = frame(message)
        if not self._out.send_now(data):
            await self._out.send(data)

    async def send_alone(self, message: bytes) -> None:
        """On a stream of its own, as js-client does."""
        out = OutStream()
        out.stream = self.connection.session.open_stream(PARTICLES, out)
        await out.send(frame(message), finish=True)

    async def wait_for(self, count: int, seconds: float) -> int:
        """How many answers there are, once there are so many or the time is over."""
        with trio.move_on_after(seconds):
            while len(self.answers) < count:
                self._changed = trio.Event()
                await self._changed.wait()
        return len(self.answers)

    def take(self, message: bytes) -> None:
        particle = codec.decode(message)
        assert not isinstance(particle, codec.Upgrade)
        self.answers[particle.id] = time.perf_counter()
        if self.keep_messages:
            self.messages.append(message)
        self._changed.set()

    # Host of the connections

    def connected(self, connection: Connection) -> None: ...

    def disconnected(self, connection: Connection) -> None:
        self.lost = connection.reason

    def accept(self, connection: Connection, stream: Stream, protocol: str) -> Any:
        if protocol == PARTICLES:
            return Inbox(self, stream)
        if protocol == IDENTIFY:
            served = ByteStream(stream)
            self._connections.spawn(self._say_who, served)
            return served
        return None

    async def _say_who(self, stream: ByteStream) -> None:
        message = field_bytes(3, PARTICLES.encode()) + field_bytes(3, IDENTIFY.encode())
        await stream.write(frame(message + field_bytes(6, self._agent.encode())))
        stream.finish()
