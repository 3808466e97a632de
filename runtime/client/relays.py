"""Keeping a client connected to a relay: which to try, and how long to wait between attempts.

A relay may have several addresses, and there may be several relays. After a loss all addresses are tried in rounds, those of the
relay of now first; between rounds the client waits longer and longer, a part of it by chance, so that the clients of a relay
that starts again do not come all at once.
Errors: `RelayUnreachable` from the first round; later ones are told to `Kept`.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import trio

from runtime.client.errors import ArgumentError, RelayUnreachable
from runtime.network import DialFailed, Unreachable
from runtime.protocol.identity import is_peer_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from runtime.network import Network

PROBE_TIMEOUT_S: Final = 10.0
"""A relay that does not answer for so long is taken to be gone."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between rounds of attempts, and when to stop.

    first_s: longest pause before the first round. factor: how much longer every further one is, up to longest_s. chance: which part of a
    pause is left to chance, from 0 (none) to 1. give_up_s: no round begins later than this after the loss.
    Raises ValueError for values that make no sense.
    """

    first_s: float = 0.5
    factor: float = 2.0
    longest_s: float = 30.0
    chance: float = 0.5
    give_up_s: float = math.inf

    def __post_init__(self) -> None:
        """Check the values."""
        if not (0 <= self.first_s <= self.longest_s and self.factor >= 1 and 0 <= self.chance <= 1):
            raise ValueError(f"{self}: want 0 <= first_s <= longest_s, factor >= 1 and chance from 0 to 1")

    def pauses(self, random: Random) -> Iterator[float]:
        """Seconds before each round, without end."""
        pause = self.first_s
        while True:
            yield pause * (1 - self.chance * random.random())
            pause = min(pause * self.factor, self.longest_s)


@dataclass(frozen=True, slots=True)
class RelayAddress:
    """A multiaddress that ends in `/p2p/<peer id>`, and that id."""

    address: str
    peer_id: str


def relay_address(address: str) -> RelayAddress:
    """Take an address apart. Raises ArgumentError when it does not name the peer."""
    peer_id = address.rpartition("/p2p/")[2]
    if not address.startswith("/") or not is_peer_id(peer_id):
        raise ArgumentError(f"relay {address}: the address of a relay ends in /p2p/<peer id>")
    return RelayAddress(address, peer_id)


class Kept(Protocol):
    """Who is told of the connection; `Client` implements it."""

    def relay_lost(self) -> None:
        """The connection broke."""
        ...

    def relay_back(self, relay: str) -> None:
        """A relay is connected; it may be another one."""
        ...

    def relay_gone(self, reason: str) -> None:
        """Nobody will try any more."""
        ...


class Relays:
    """The relays of one client, in order of preference."""

    def __init__(
        self,
        client: Kept,
        network: Network,
        addresses: Sequence[RelayAddress],
        *,
        backoff: Backoff | None,
        dial_timeout_s: float,
        probe_s: float,
        random: Random,
    ) -> None:
        """backoff: None to stay disconnected after a loss. probe_s: how often the relay is asked whether it is there."""
        self._client = client
        self._network = network
        self._addresses = tuple(addresses)
        self._backoff = backoff
        self._dial_timeout_s = dial_timeout_s
        self._probe_s = probe_s
        self._random = random
        self._current = ""
        self._is_lost = True
        self._lost = trio.Event()
        self._back = trio.Event()

    def note_contact(self, peer_id: str, is_connected: bool) -> None:
        """Take what the network tells of connections."""
        if peer_id != self._current:
            return
        if is_connected:
            self._back.set()
        elif not self._is_lost:
            self._is_lost = True
            self._client.relay_lost()
            self._lost.set()

    async def first(self) -> str:
        """Connect to the first relay that answers; its peer id. One round. Raises RelayUnreachable."""
        attempts: list[tuple[str, str]] = []
        relay = await self._round(attempts)
        if relay is None:
            raise RelayUnreachable(attempts)
        self._client.relay_back(relay)
        return relay

    async def keep(self) -> None:
        """Reconnect after every loss, until nobody is to try any more."""
        while True:
            await self._lost.wait()
            if self._backoff is None:
                self._client.relay_gone(f"the connection to relay {self._current} broke")
                return
            attempts: list[tuple[str, str]] = []
            relay = await self._regained(self._backoff, attempts)
            if relay is None:
                reason = attempts[-1][1] if attempts else "nobody tried"
                text = f"no relay answered within {self._backoff.give_up_s:g} s, the last one: {reason}"
                self._client.relay_gone(text)
                return
            log.info("connected to relay %s again", relay)
            self._client.relay_back(relay)

    async def watch(self) -> None:
        """Ask the relay now and then whether it is there: a connection may break without a sign. Ends connections that did."""
        while True:
            await trio.sleep(self._probe_s)
            if not self._is_lost:
                try:
                    await self._network.probe(self._current, min(self._probe_s, PROBE_TIMEOUT_S))
                except Unreachable as error:
                    log.info("relay %s: %s", self._current, error)

    async def _regained(self, backoff: Backoff, attempts: list[tuple[str, str]]) -> str | None:
        """The relay that answers after a loss; None when time is up."""
        since = trio.current_time()
        for pause in backoff.pauses(self._random):
            if trio.current_time() + pause - since > backoff.give_up_s:
                return None
            # Sending may connect as well, and so may the relay.
            with trio.move_on_after(pause):
                await self._back.wait()
            attempts.clear()
            relay = await self._round(attempts)
            if relay is not None:
                return relay
            log.info("no relay answers: %s", attempts)
        raise AssertionError("pauses do not end")

    async def _round(self, attempts: list[tuple[str, str]]) -> str | None:
        """Try every address once, those of the relay of now first; the id of the relay that answers."""
        for relay in sorted(self._addresses, key=lambda item: item.peer_id != self._current):
            self._back = trio.Event()
            try:
                with trio.fail_after(self._dial_timeout_s):
                    await self._network.dial(relay.address)
            except DialFailed as error:
                attempts.append((relay.address, str(error)))
            except trio.TooSlowError:
                attempts.append((relay.address, f"no answer within {self._dial_timeout_s:g} s"))
            else:
                if relay.peer_id not in self._network.peers():
                    attempts.append((relay.address, "it hung up at once"))
                    continue
                self._current = relay.peer_id
                self._is_lost, self._lost = False, trio.Event()
                return relay.peer_id
        return None
