"""A relay under load: `hello` from a client through the relay and back, over loopback, the relay on one processor.

`ours_ms` is the processor time of the whole relay process for one particle; `reference_ms` what the reference interpreter alone
needs for the same two runs, on the other processor, batches in turn. Further columns: `per_second` with 32 in flight,
`p50_ms` and `p99_ms` at half of that, `lost` of what was sent, `client_kb` of memory per connected client.

    long-lived            one stream for all particles, tcp
    stream-each           a stream for each particle, websocket: what js-client does
    in-flight             2,000 at once from one client, and from twenty
    clients               1,000 connected at once; ours_ms is what connecting one takes
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final

import trio

from avm import Avm
from avm.jit import library
from runtime.protocol.identity import named_identity
from runtime.reference_avm import ReferenceAvm
from tests.bench.relay_load import Hello, LoadClient, Relay, both_runs, hello, running_relay
from tests.bench.runner import Row
from tests.fuzz.avm_differential import reference_module

BATCHES: Final = 6
BATCH: Final = 300
IN_FLIGHT: Final = 32
MANY: Final = 2000
AUTHORS: Final = 20
CLIENTS: Final = 1000
CLIENTS_AT_ONCE: Final = 20
LATENCY_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 60.0

Send = Callable[[bytes], Awaitable[None]]


def run(only: list[str]) -> Iterator[Row]:
    """Measure; `only` are names or beginnings of names, all if empty."""
    library.get()
    for name, measure in ROWS.items():
        if not only or any(name.startswith(item) for item in only):
            with running_relay() as relay:
                yield trio.run(measure, name, relay)


async def long_lived(name: str, relay: Relay) -> Row:
    return await throughput(name, relay, websocket=False, alone=False)


async def stream_each(name: str, relay: Relay) -> Row:
    return await throughput(name, relay, websocket=True, alone=True)


async def throughput(name: str, relay: Relay, *, websocket: bool, alone: bool) -> Row:
    """Processor time per particle, rate, and times at half the rate."""
    module = reference_module()
    reference = None if module is None else ReferenceAvm(module)
    ours = Avm()
    client = LoadClient(named_identity(f"load {os.urandom(4).hex()}"))
    costs: list[float] = []
    reference_costs: list[float] = []
    rates: list[float] = []
    async with trio.open_nursery() as nursery:
        await client.start(nursery, relay.address(websocket=websocket))
        send = client.send_alone if alone else client.send
        await flood(client, send, batch(ours, client, relay, 0))  # warm
        for number in range(1, BATCHES + 1):
            particles = batch(ours, client, relay, number)
            before, start = relay.cpu_ms(), time.perf_counter()
            await flood(client, send, particles)
            rates.append(len(particles) / (time.perf_counter() - start))
            costs.append((relay.cpu_ms() - before) / len(particles))
            if reference is not None:
                start = time.process_time()
                for particle in particles:
                    both_runs(reference, particle, bytes(range(32)))
                reference_costs.append(1000 * (time.process_time() - start) / len(particles))
        rate = statistics.median(rates)
        delays = await at_rate(client, send, relay, ours, rate / 2)
        nursery.cancel_scope.cancel()
    extra = {
        "per_second": round(rate),
        "p50_ms": round(1000 * statistics.median(delays), 2),
        "p99_ms": round(1000 * statistics.quantiles(delays, n=100)[98], 2),
        "lost": 0,
    }
    reference_ms = statistics.median(reference_costs) if reference_costs else None
    return Row(name, statistics.median(costs), reference_ms, extra)


def batch(vm: Avm, client: LoadClient, relay: Relay, number: int, count: int = BATCH) -> list[Hello]:
    """New particles of a client."""
    now_ms = time.time_ns() // 1_000_000
    return [hello(vm, client.identity, relay.peer_id, 1000 * number + n, now_ms=now_ms) for n in range(count)]


async def flood(client: LoadClient, send: Send, particles: Sequence[Hello]) -> None:
    """Send all, never more than IN_FLIGHT unanswered, and wait for the answers."""
    done = len(client.answers)
    for number, particle in enumerate(particles):
        await client.wait_for(done + number - IN_FLIGHT + 1, PATIENCE_SECONDS)
        await send(particle.message)
    answered = await client.wait_for(done + len(particles), PATIENCE_SECONDS) - done
    assert answered == len(particles), f"{len(particles) - answered} of {len(particles)} were not answered"


async def at_rate(client: LoadClient, send: Send, relay: Relay, vm: Avm, rate: float) -> list[float]:
    """Seconds until each answer, particles being sent at a rate whatever comes back."""
    particles = batch(vm, client, relay, BATCHES + 1, int(rate * LATENCY_SECONDS))
    sent: dict[str, float] = {}
    done = len(client.answers)
    gc.collect()
    gc.disable()  # it is the relay's time that is measured
    try:
        start = time.perf_counter()
        for number, particle in enumerate(particles):
            await trio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            sent[particle.particle_id] = time.perf_counter()
            await send(particle.message)
        await client.wait_for(done + len(particles), PATIENCE_SECONDS)
    finally:
        gc.enable()
    return [client.answers[particle_id] - moment for particle_id, moment in sent.items()]


async def in_flight_one(name: str, relay: Relay) -> Row:
    return await in_flight(name, relay, 1)


async def in_flight_many(name: str, relay: Relay) -> Row:
    return await in_flight(name, relay, AUTHORS)


async def in_flight(name: str, relay: Relay, authors: int) -> Row:
    """All particles at once; what is not answered is lost."""
    vm = Avm()
    clients = [LoadClient(named_identity(f"load {os.urandom(4).hex()}")) for _ in range(authors)]
    async with trio.open_nursery() as nursery:
        for number, client in enumerate(clients):
            await client.start(nursery, relay.address(websocket=bool(number & 1)))
        await flood(clients[0], clients[0].send, batch(vm, clients[0], relay, 0))
        clients[0].answers.clear()
        work = [(client, p) for client in clients for p in batch(vm, client, relay, 1, MANY // authors)]
        before, start = relay.cpu_ms(), time.perf_counter()
        async with trio.open_nursery() as senders:
            for client, particle in work:
                senders.start_soon(client.send, particle.message)
        answered = 0
        with trio.move_on_after(PATIENCE_SECONDS):
            for client in clients:
                answered += await client.wait_for(MANY // authors, PATIENCE_SECONDS)
        seconds = time.perf_counter() - start
        cost = (relay.cpu_ms() - before) / len(work)
        nursery.cancel_scope.cancel()
    return Row(name, cost, None, {"per_second": round(len(work) / seconds), "lost": len(work) - answered})


async def clients(name: str, relay: Relay) -> Row:
    """Connect many, each sends one particle; memory of the relay per client, particles that still live included."""
    vm = Avm()
    everybody = [
        LoadClient(named_identity(f"load {os.urandom(4).hex()}"), agent="js-libp2p/1") for _ in range(CLIENTS + 1)
    ]
    limiter = trio.CapacityLimiter(CLIENTS_AT_ONCE)
    async with trio.open_nursery() as nursery:
        first, *others = everybody
        await first.start(nursery, relay.address(websocket=True))
        await flood(first, first.send, batch(vm, first, relay, 0))

        async def connect(client: LoadClient) -> None:
            async with limiter:
                await client.start(nursery, relay.address(websocket=True))

        memory, cpu = relay.resident_bytes(), relay.cpu_ms()
        async with trio.open_nursery() as connecting:
            for client in others:
                connecting.start_soon(connect, client)
        await trio.sleep(1)
        connect_ms = (relay.cpu_ms() - cpu) / CLIENTS
        connected_kb = (relay.resident_bytes() - memory) / CLIENTS / 1000
        work = [(client, batch(vm, client, relay, 1, 1)[0]) for client in others]
        for client, particle in work:
            await client.send_alone(particle.message)
        answered = 0
        with trio.move_on_after(PATIENCE_SECONDS):
            for client, _ in work:
                answered += await client.wait_for(1, PATIENCE_SECONDS)
        used_kb = (relay.resident_bytes() - memory) / CLIENTS / 1000
        lost = [client.lost for client in others if client.lost is not None]
        nursery.cancel_scope.cancel()
    extra: dict[str, Any] = {
        "client_kb": round(used_kb, 1),
        "idle_client_kb": round(connected_kb, 1),
        "lost": CLIENTS - answered,
        "disconnected": len(lost),
    }
    return Row(name, connect_ms, None, extra)


ROWS: Final = {
    "long-lived": long_lived,
    "stream-each": stream_each,
    "in-flight-1-client": in_flight_one,
    "in-flight-20-clients": in_flight_many,
    "clients-1000": clients,
}
