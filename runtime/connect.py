"""A client in a program of one's own, such as one that uses a module made by `aquac build --target py`.

    async with connect("/ip4/127.0.0.1/tcp/9991/ws/p2p/12D3KooW…") as client:
        print(await greet(client, "you"))

Needs the extra `p2p`. Errors: `DialFailed` when the relay cannot be reached, `CommandError` without the extra.
"""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import trio

from runtime.client import Client
from runtime.clock import SystemClock
from runtime.config import PeerConfig
from runtime.core.peer_core import ClientPolicy
from runtime.network import DialFailed
from runtime.peer import Peer
from runtime.protocol.identity import Identity
from runtime.protocol.p2p import open_p2p
from runtime.services.client import ClientServices
from runtime.vm import ThreadVm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from runtime.vm import Interpreter

DIAL_TIMEOUT_S: Final = 20.0
"""Connecting to the relay, all upgrades included."""


@asynccontextmanager
async def connect(
    relay: str,
    *,
    secret: bytes | None = None,
    engine: str = "auto",
    console: Callable[[str], None] | None = None,
    dial_timeout_s: float = DIAL_TIMEOUT_S,
) -> AsyncIterator[Client]:
    """Run a client of the peer at multiaddr `relay` for the length of the block.

    secret: 32 bytes, the client's Ed25519 seed; a random one makes a new peer id each time. engine: of `avm.Avm`. console:
    takes what programs print, stderr by default. Raises DialFailed, CommandError; what leaves the block itself arrives in
    an exception group, as from any nursery.
    """
    identity = Identity(os.urandom(32) if secret is None else secret)
    relay_id = relay.rpartition("/p2p/")[2]
    network = open_p2p("a client", identity, allow_local_addresses=True)
    clock = SystemClock()
    services = ClientServices(identity, clock, console or _to_stderr)
    vm = ThreadVm(lambda: _interpreter(engine))
    peer = Peer(PeerConfig(identity), network, vm=vm, services=services, policy=ClientPolicy(relay_id), clock=clock)
    failed: DialFailed | None = None
    async with peer:
        try:
            with trio.fail_after(dial_timeout_s):
                await network.dial(relay)
        except DialFailed as error:
            failed = error
        except trio.TooSlowError:
            failed = DialFailed(f"relay {relay} does not answer within {dial_timeout_s:g} s")
        else:
            yield Client(peer, services, relay_id)
    if failed is not None:
        # Out here it is not wrapped in the group of the peer's nursery.
        raise failed


def _interpreter(engine: str) -> Interpreter:
    from avm import Avm

    return Avm(engine)


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 - where `avm run` prints them
