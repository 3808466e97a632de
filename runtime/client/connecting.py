"""A client in a program of one's own, for trio.

    async with connect("/ip4/127.0.0.1/tcp/9991/ws/p2p/12D3KooW…") as client:
        print(await greet(client, "you"))

Errors: `RelayUnreachable` when no relay answers, `ExtraMissing` without the extra `p2p`, `WrongLoop` outside trio.
"""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Final

import trio

from aquac.command_line import CommandError
from runtime.client.client import Client
from runtime.client.errors import ArgumentError, ExtraMissing, WrongLoop
from runtime.client.invocation import DEFAULT_TTL_MS
from runtime.client.relays import Backoff, Relays, relay_address
from runtime.clock import Clock, SystemClock
from runtime.config import LOCAL_PEERS_MAX, PeerConfig
from runtime.core.peer_core import ClientPolicy
from runtime.local import open_local_network
from runtime.peer import Peer
from runtime.protocol.identity import Identity
from runtime.protocol.p2p import open_p2p
from runtime.services.client import ClientServices
from runtime.vm import ThreadVm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from runtime.network import Network
    from runtime.vm import Interpreter, Vm

DIAL_TIMEOUT_S: Final = 20.0
"""Connecting to one address of a relay, all upgrades included."""

PROBE_S: Final = 20.0
"""How often a relay is asked whether it is there."""

LOCAL: Final = "local"
SIMULATED: Final = "sim:"
"""In place of an address: a network of the program's own, as `avm run --relay` has it."""

DEFAULT_BACKOFF: Final = Backoff()


@asynccontextmanager
async def connect(
    *relays: str,
    secret: bytes | None = None,
    ttl_ms: int = DEFAULT_TTL_MS,
    backoff: Backoff | None = DEFAULT_BACKOFF,
    engine: str = "auto",
    console: Callable[[str], None] | None = None,
    dial_timeout_s: float = DIAL_TIMEOUT_S,
    probe_s: float = PROBE_S,
) -> AsyncIterator[Client]:
    """Run a client of the first of `relays` that answers, for the length of the block.

    relays: multiaddresses, several of one peer or of several; or `local`, or `sim:N`, for a network inside this process with a
    relay and N further peers. secret: 32 bytes, the client's Ed25519 seed; a random one makes a new peer id each time. ttl_ms: life of
    calls that do not say. backoff: how to reconnect, None for not at all.
    probe_s: how often the relay is asked whether it is there, as connections may break without a sign. engine: of `avm.Avm`. console: takes what
    programs print, stderr by default. Raises RelayUnreachable, ExtraMissing, ArgumentError, WrongLoop. What leaves the block
    leaves it as it is.
    """
    _check_loop()
    identity = _identity(secret)
    console = console or _to_stderr
    extra = local_peers(relays)
    if extra is not None:
        vm = ThreadVm(lambda: _interpreter(engine))
        async with open_local_network(
            extra=extra, vm=vm, clock=SystemClock(), console=console, client=identity, ttl_ms=ttl_ms
        ) as local:
            yield local.client
        return
    identity = identity or Identity(os.urandom(32))
    try:
        network = open_p2p("a client", identity, allow_local_addresses=True)
    except CommandError as error:
        raise ExtraMissing(f"{error}; {error.hint}" if error.hint else str(error)) from error
    vm = ThreadVm(lambda: _interpreter(engine))
    over = connect_over(
        network, relays, identity=identity, vm=vm, clock=SystemClock(), console=console, ttl_ms=ttl_ms, backoff=backoff,
        dial_timeout_s=dial_timeout_s, probe_s=probe_s, random=SystemRandom(),
    )  # fmt: skip
    async with over as client:
        yield client


@asynccontextmanager
async def connect_over(
    network: Network,
    relays: Sequence[str],
    *,
    identity: Identity,
    vm: Vm,
    clock: Clock,
    console: Callable[[str], None],
    ttl_ms: int = DEFAULT_TTL_MS,
    backoff: Backoff | None = DEFAULT_BACKOFF,
    dial_timeout_s: float = DIAL_TIMEOUT_S,
    probe_s: float = PROBE_S,
    random: Random,
) -> AsyncIterator[Client]:
    """The same over a network adapter of the caller's. Raises RelayUnreachable, ArgumentError."""
    addresses = [relay_address(address) for address in relays]
    if not addresses:
        raise ArgumentError("connect() takes the address of a relay, at least one")
    services = ClientServices(identity, clock, console)
    peer = Peer(
        PeerConfig(identity), network, vm=vm, services=services, policy=ClientPolicy(addresses[0].peer_id), clock=clock
    )
    client = Client(peer, services, addresses[0].peer_id, ttl_ms=ttl_ms)
    relays_ = Relays(
        client, network, addresses, backoff=backoff, dial_timeout_s=dial_timeout_s, probe_s=probe_s, random=random
    )
    peer.on_contact.append(relays_.note_contact)
    async with peer:
        try:
            await relays_.first()
            peer.run_beside(relays_.keep)
            peer.run_beside(relays_.watch)
            yield client
        finally:
            client.close()


def local_peers(relays: Sequence[str]) -> int | None:
    """How many further peers a network in this process has; None when `relays` are addresses. Raises ArgumentError."""
    for relay in relays:
        _check_text(relay)
    if relays == (LOCAL,):
        return 0
    if len(relays) != 1 or not relays[0].startswith(SIMULATED):
        return None
    number = relays[0].removeprefix(SIMULATED)
    if not (number.isascii() and number.isdigit() and int(number.lstrip("0")[:9] or "0") <= LOCAL_PEERS_MAX):
        raise ArgumentError(f"relay {relays[0]}: expected sim:N with N up to {LOCAL_PEERS_MAX}")
    return int(number)


def _check_text(relay: object) -> None:
    if not isinstance(relay, str):
        raise ArgumentError(
            f"relay {relay!r}: expected the text of an address; several are given one by one: connect(a, b)"
        )


def _identity(secret: bytes | None) -> Identity | None:
    if secret is None:
        return None
    if not isinstance(secret, bytes) or len(secret) != 32:
        raise ArgumentError("secret: expected 32 bytes, the seed of an Ed25519 key")
    return Identity(secret)


def _check_loop() -> None:
    try:
        trio.lowlevel.current_trio_token()
    except RuntimeError:
        raise WrongLoop("connect() needs trio; from asyncio use runtime.client.aio.connect") from None


def _interpreter(engine: str) -> Interpreter:
    from avm import Avm

    return Avm(engine)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - where `avm run` prints them
