"""`tasks.py soak peer`: a peer at half of what it can do, and whether memory, tasks and descriptors stay what they were.

The peer is a process of its own on one processor. First it is asked for as much as it can do, then for half of that: two clients
on long-lived streams over tcp, two with a stream for each particle over websockets, and all the time somebody new who connects,
asks once and goes. Particles live for seven seconds, as those of js-client do. Once a second the process is looked at. The
medians of tenths of the time, without the first two, must lie within FLAT of each other for memory; tasks, descriptors and
threads must not grow by more than SLACK from the third tenth to the last; nothing may be lost. The result is a line of JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Final

import trio

from avm import Avm
from avm.jit import library
from runtime.protocol.identity import Identity
from tests.bench.relay_load import LoadClient, Relay, hello, running_relay

FLAT: Final = 0.10
SLACK: Final = 8
WARM: Final = 2
"""Tenths in which caches and buffers come to their size."""

TTL_MS: Final = 7000
CALIBRATE_SECONDS: Final = 5.0
IN_FLIGHT: Final = 32
STAY: Final = 4
"""Clients that stay connected."""

NEW_SECONDS: Final = 0.25
"""After so long another new client comes."""

ANSWER_SECONDS: Final = 30.0


@dataclass
class Look:
    """The process at one moment."""

    memory: int
    descriptors: int
    threads: int
    tasks: int


@dataclass
class Soak:
    """What happened."""

    sent: int = 0
    answered: int = 0
    visitors: int = 0
    looks: list[Look] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)


def look(relay: Relay) -> Look:
    """Look at the process; its tasks are told by its own endpoint."""
    with urllib.request.urlopen(f"http://{relay.http}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    tasks = next(line for line in lines if line.startswith("avm_peer_tasks "))
    threads = len(os.listdir(f"/proc/{relay.pid}/task"))
    return Look(relay.resident_bytes(), relay.descriptors(), threads, int(float(tasks.split()[1])))


async def soak(relay: Relay, seconds: float) -> tuple[float, Soak]:
    """Particles a second that were asked for, and what happened."""
    vm, found = Avm(), Soak()
    clients = [LoadClient(Identity(os.urandom(32))) for _ in range(STAY)]
    first = LoadClient(
        Identity(os.urandom(32))
    )  # of its own: what it asks for counts towards its author's share for seconds
    async with trio.open_nursery() as nursery:
        for number, client in enumerate(clients):
            await client.start(nursery, relay.address(websocket=bool(number & 1)))
        await first.start(nursery, relay.address(websocket=False))
        rate = await capacity(relay, vm, first) / 2
        over = trio.current_time() + seconds
        async with trio.open_nursery() as work:
            for number, client in enumerate(clients):
                work.start_soon(ask, relay, vm, client, bool(number & 1), rate / STAY, over, found)
            work.start_soon(visit, relay, vm, over, found)
            work.start_soon(watch, relay, over, found)
        nursery.cancel_scope.cancel()
    return rate, found


async def capacity(relay: Relay, vm: Avm, client: LoadClient) -> float:
    """Particles a second with IN_FLIGHT unanswered, making them included."""
    start, number = time.perf_counter(), 0
    while time.perf_counter() - start < CALIBRATE_SECONDS:
        await client.wait_for(number - IN_FLIGHT + 1, ANSWER_SECONDS)
        particle = hello(vm, client.identity, relay.peer_id, number, now_ms=now_ms(), ttl_ms=TTL_MS)
        await client.send(particle.message)
        number += 1
    return await client.wait_for(number, ANSWER_SECONDS) / (time.perf_counter() - start)


async def ask(relay: Relay, vm: Avm, client: LoadClient, alone: bool, rate: float, over: float, found: Soak) -> None:
    """Send particles at a rate; those that are not answered in time are lost."""
    start, number = trio.current_time(), 0
    open_: dict[str, float] = {}
    client.answers.clear()
    while trio.current_time() < over:
        await trio.sleep_until(start + number / rate)
        number += 1
        particle = hello(vm, client.identity, relay.peer_id, number, now_ms=now_ms(), ttl_ms=TTL_MS)
        open_[particle.particle_id] = time.perf_counter()
        await (client.send_alone if alone else client.send)(particle.message)
        found.sent += 1
        settle(client, open_, found)
    with trio.move_on_after(ANSWER_SECONDS):
        while open_ and client.lost is None:
            await client.wait_for(1, ANSWER_SECONDS)
            settle(client, open_, found)


def settle(client: LoadClient, open_: dict[str, float], found: Soak) -> None:
    """Count the answers that have come."""
    for particle_id, moment in client.answers.items():
        sent = open_.pop(particle_id, None)
        if sent is not None:
            found.answered += 1
            found.delays.append(moment - sent)
    client.answers.clear()


async def visit(relay: Relay, vm: Avm, over: float, found: Soak) -> None:
    """Somebody new who asks once and goes, again and again."""
    while trio.current_time() < over:
        client = LoadClient(Identity(os.urandom(32)), agent="js-libp2p/visitor")
        async with trio.open_nursery() as nursery:
            await client.start(nursery, relay.address(websocket=bool(found.visitors & 1)))
            particle = hello(vm, client.identity, relay.peer_id, found.visitors, now_ms=now_ms(), ttl_ms=TTL_MS)
            await client.send_alone(particle.message)
            found.sent += 1
            answered = await client.wait_for(1, ANSWER_SECONDS)
            found.answered += answered  # not across the wait, in which others count
            found.visitors += 1
            nursery.cancel_scope.cancel()
        await trio.sleep(NEW_SECONDS)


async def watch(relay: Relay, over: float, found: Soak) -> None:
    """Look once a second."""
    while trio.current_time() < over:
        found.looks.append(await trio.to_thread.run_sync(look, relay))
        await trio.sleep(1)


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def verdict(rate: float, found: Soak, minutes: float) -> dict[str, Any]:
    """The result; `complaints` is empty when all is well."""
    tenth = len(found.looks) // 10
    tenths = [found.looks[tenth * k : tenth * (k + 1)] for k in range(10)]
    memory = [statistics.median(one.memory for one in part) for part in tenths]
    later = memory[WARM:]
    spread = (max(later) - min(later)) / min(later)
    grown = {
        name: statistics.median(getattr(one, name) for one in tenths[-1])
        - statistics.median(getattr(one, name) for one in tenths[WARM])
        for name in ("tasks", "descriptors", "threads")
    }
    complaints = [f"{name} grew by {more:.0f}" for name, more in grown.items() if more > SLACK]
    if spread > FLAT:
        complaints.append(f"memory spreads by {100 * spread:.1f} %")
    if found.answered < found.sent:
        complaints.append(f"{found.sent - found.answered} of {found.sent} particles were not answered")
    return {
        "minutes": minutes,
        "per_second": round(rate),
        "particles": found.sent,
        "visitors": found.visitors,
        "lost": found.sent - found.answered,
        "p50_ms": round(1000 * statistics.median(found.delays), 2),
        "p99_ms": round(1000 * statistics.quantiles(found.delays, n=100)[98], 2),
        "resident_mb": [round(value / 1e6, 1) for value in memory],
        "spread": round(spread, 4),
        "grown": grown,
        "tasks": [round(statistics.median(one.tasks for one in part)) for part in tenths],
        "descriptors": [round(statistics.median(one.descriptors for one in part)) for part in tenths],
        "complaints": complaints,
    }


def main(argv: list[str] | None = None) -> int:
    """Command line; exit 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="tasks.py soak peer", description="a peer at half load; nothing may grow")
    parser.add_argument("--minutes", type=float, default=30.0)
    args = parser.parse_args(argv)
    if args.minutes < 1:
        parser.error(f"--minutes {args.minutes}: expected at least 1")
    library.get()
    gc.freeze()
    with running_relay("--http", "127.0.0.1:0") as relay:
        rate, found = trio.run(soak, relay, 60 * args.minutes)
        result = verdict(rate, found, args.minutes)
    print(json.dumps(result))
    return 1 if result["complaints"] else 0
