"""Finding peers: the trio shell around `runtime.core.kademlia`, over the network port.

A peer enters the table when it has identified itself as speaking our Kademlia protocol. A target that cannot be found
three times in a row is banned for a minute: look-ups for it fail at once; hearing of it lifts the ban.
Source: spec peer.md §2.6, §4.6; nox:kademlia/src/kademlia.rs
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import trio

from avm.crypto import base58
from runtime.core.kademlia import FindNode, K, Lookup, RoutingTable, decode, encode, hash_key, key_of
from runtime.network import Contact, NetworkError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.clock import Clock
    from runtime.network import Network

DEFAULT_NETWORK: Final = "dar"
QUERY_SECONDS: Final = 3.0
"""How long one peer may take to answer."""

LOOKUP_SECONDS: Final = 2 * QUERY_SECONDS
"""How long a look-up may take."""

REFRESH_SECONDS: Final = 300.0
"""The neighbourhood is asked for again after this long, as the reference."""

FAILS_MAX: Final = 3
"""Look-ups of a target that may fail in a row before it is banned."""

BAN_MS: Final = 60_000
"""How long look-ups of a banned target fail at once."""

TARGETS_MAX: Final = 10_000
"""Targets whose failures are remembered; the oldest is forgotten."""

log = logging.getLogger("runtime.kademlia")


def protocol_name(network: str = DEFAULT_NETWORK) -> str:
    """Protocol of a network: `dar`, `stage`, `kras`, or the lower-case hex of a 32-byte id."""
    return f"/fluence/kad/{network}/1.0.0"


@dataclass
class _Search:
    """A look-up of one target that several callers wait for."""

    done: trio.Event = field(default_factory=trio.Event)
    addresses: tuple[str, ...] = ()


class Kademlia:
    """The routing of one peer. `find` is what the network asks for the addresses of a stranger."""

    def __init__(self, network: Network, clock: Clock, *, protocol: str | None = None) -> None:
        """Answer FIND_NODE on the network and follow who identifies itself there."""
        self.protocol = protocol or protocol_name()
        self.table = RoutingTable(network.peer_id)
        self._network = network
        self._clock = clock
        self._searches: dict[str, _Search] = {}
        self._fails: dict[str, tuple[int, int]] = {}
        self._grown = trio.Event()
        self.is_bootstrapped = False
        network.handle(self.protocol, self._answer)
        network.on_identified = self.identified
        network.resolve = self.find

    def identified(self, contact: Contact, protocols: Sequence[str]) -> None:
        """Take a peer into the table if it speaks our protocol; hearing of a peer lifts its ban."""
        self._fails.pop(contact.peer_id, None)
        if self.protocol in protocols:
            new = self.table.get(contact.peer_id) is None
            if self.table.add(contact, alive=self._network.peers()) and new and len(self.table) <= K:
                self._grown.set()

    async def run(self) -> None:
        """Keep the table filled until cancelled: ask around whenever a small table grew, and every few minutes."""
        while True:
            with trio.move_on_after(REFRESH_SECONDS):
                await self._grown.wait()
            self._grown = trio.Event()
            await self.bootstrap()

    async def find(self, peer_id: str, stale: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Addresses of a peer, from the table or by asking around; empty when nobody knows it or it is banned.

        stale: addresses at which it was not reached, of which nobody wants to hear.
        """
        known = self.table.get(peer_id)
        if known is not None:
            fresh = tuple(a for a in known.addresses if a not in stale)
            if fresh:
                return fresh
            self.table.remove(peer_id)
        if self._is_banned(peer_id):
            return ()
        search = self._searches.get(peer_id)
        if search is not None:
            await search.done.wait()
            return search.addresses
        search = self._searches[peer_id] = _Search()
        try:
            lookup = await self.look_up(key_of(peer_id), base58.decode(peer_id), target=peer_id, stale=stale)
            found = lookup.found
            search.addresses = found.addresses if found is not None else ()
        except ValueError:
            search.addresses = ()
        finally:
            del self._searches[peer_id]
            search.done.set()
        self._note(peer_id, found=bool(search.addresses))
        return search.addresses

    async def bootstrap(self) -> None:
        """Ask around for the local peer itself: fills the table with the neighbourhood."""
        await self.look_up(key_of(self._network.peer_id), base58.decode(self._network.peer_id))
        self.is_bootstrapped |= len(self.table) > 0

    async def look_up(
        self, key: int, raw_key: bytes, *, target: str | None = None, stale: frozenset[str] = frozenset()
    ) -> Lookup:
        """Ask ever nearer peers for what is near `key`, which is the hash of `raw_key`."""
        lookup = Lookup(key, target, stale)
        lookup.start(self.table.closest(key))
        question = encode(FindNode(raw_key))
        changed = trio.Event()

        async def ask(peer_id: str) -> None:
            nonlocal changed
            try:
                with trio.fail_after(QUERY_SECONDS):
                    answer = decode(await self._ask(lookup, peer_id, question))
            except (NetworkError, trio.TooSlowError) as error:
                log.debug("%s did not answer: %s", peer_id, error)
                answer = None
            if answer is None:
                lookup.fail(peer_id)
                if peer_id not in self._network.peers():  # one that is only slow says who it is but once
                    self.table.remove(peer_id)
            else:
                lookup.answer(peer_id, [c for c in answer.contacts if c.peer_id != self._network.peer_id])
            changed.set()

        with trio.move_on_after(LOOKUP_SECONDS):
            async with trio.open_nursery() as nursery:
                while True:
                    changed = trio.Event()
                    for peer_id in lookup.next():
                        nursery.start_soon(ask, peer_id)
                    if lookup.found or lookup.asked == lookup.answered | lookup.failed:
                        break
                    await changed.wait()
                nursery.cancel_scope.cancel()
        return lookup

    def neighborhood(self, key: bytes, count: int) -> list[Contact]:
        """Entries of the table nearest to the hash of `key`."""
        return self.table.closest(hash_key(key), count)

    async def _ask(self, lookup: Lookup, peer_id: str, question: bytes) -> bytes:
        """Ask a peer, by an address somebody else has told. It is not looked for: that is what is being done."""
        if peer_id not in self._network.peers():
            for address in lookup.contacts[peer_id].addresses:
                full = address if "/p2p/" in address else f"{address}/p2p/{peer_id}"
                try:
                    await self._network.dial(full)
                    break
                except NetworkError as error:
                    log.debug("%s: %s", full, error)
            else:
                raise Unreachable(f"{peer_id} is not reached at any address that was told")
        return await self._network.rpc(peer_id, self.protocol, question)

    async def _answer(self, sender: str, payload: bytes) -> bytes:
        """Answer a question: the nearest peers we know, without the one who asks."""
        question = decode(payload)
        if question is None:
            return encode(FindNode(b""))
        near = [c for c in self.table.closest(hash_key(question.key)) if c.peer_id != sender]
        return encode(FindNode(question.key, tuple(near)))

    def _is_banned(self, peer_id: str) -> bool:
        fails, since_ms = self._fails.get(peer_id, (0, 0))
        if fails < FAILS_MAX:
            return False
        if self._clock.now_ms() - since_ms < BAN_MS:
            return True
        del self._fails[peer_id]
        return False

    def _note(self, peer_id: str, *, found: bool) -> None:
        if found:
            self._fails.pop(peer_id, None)
            return
        fails, _ = self._fails.pop(peer_id, (0, 0))
        self._fails[peer_id] = (fails + 1, self._clock.now_ms())
        if len(self._fails) > TARGETS_MAX:
            del self._fails[next(iter(self._fails))]
