"""Kademlia without I/O: distances, buckets, look-ups over a simulated network, messages."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avm.crypto import base58
from runtime.core import kademlia
from runtime.core.kademlia import FindNode, K, Lookup, RoutingTable, decode, encode, key_of
from runtime.network import Contact
from runtime.protocol import multiaddr
from runtime.protocol.identity import named_identity

IDS = [named_identity(f"kad {number}").peer_id for number in range(300)]


def contact(peer_id: str) -> Contact:
    return Contact(peer_id, ("/ip4/127.0.0.1/tcp/7777",))


def test_closest_is_sorted_by_distance_and_excludes_the_local_peer() -> None:
    table = RoutingTable(IDS[0])
    for peer_id in IDS:
        table.add(contact(peer_id))
    near = [c.peer_id for c in table.closest(key_of(IDS[7]))]
    assert len(near) == K
    assert near == sorted(near, key=lambda p: key_of(p) ^ key_of(IDS[7]))
    assert IDS[0] not in [c.peer_id for c in table.closest(key_of(IDS[0]), 1000)]


def test_a_full_bucket_keeps_who_is_alive() -> None:
    table = RoutingTable(IDS[0])
    far = [p for p in IDS if (key_of(p) ^ key_of(IDS[0])).bit_length() == 256]
    first, extra = far[:K], far[K]
    for peer_id in first:
        assert table.add(contact(peer_id))
    assert not table.add(contact(extra), alive=first)
    assert table.get(extra) is None
    assert table.add(contact(extra), alive=first[1:])
    assert table.get(first[0]) is None
    assert len(table) == K


def simulate(tables: dict[str, RoutingTable], start: str, target: str, dead: set[str]) -> Lookup:
    lookup = Lookup(key_of(target), target)
    lookup.start(tables[start].closest(lookup.key))
    while not lookup.found:
        asked = lookup.next()
        if not asked:
            break
        assert len(asked) <= kademlia.ALPHA
        for peer_id in asked:
            if peer_id in dead:
                lookup.fail(peer_id)
            else:
                lookup.answer(peer_id, tables[peer_id].closest(lookup.key))
    return lookup


@pytest.mark.parametrize("seed", range(5))
def test_look_ups_find_everybody_although_some_are_dead(seed: int) -> None:
    rng = random.Random(seed)
    tables = {peer_id: RoutingTable(peer_id) for peer_id in IDS[:150]}
    for position, peer_id in enumerate(tables):
        # everybody knows somebody who was there before, and learns of the neighbourhood by asking for itself
        if position:
            tables[peer_id].add(contact(rng.choice(IDS[:position])))
            for found in simulate(tables, peer_id, peer_id, set()).nearest:
                tables[peer_id].add(found)
                tables[found.peer_id].add(contact(peer_id))
    dead = set(rng.sample(IDS[:150], 15))
    for target in rng.sample(sorted(set(IDS[:150]) - dead), 20):
        start = rng.choice(sorted(set(IDS[:150]) - dead - {target}))
        assert simulate(tables, start, target, dead).found == contact(target)


def test_an_adversary_cannot_keep_a_look_up_going() -> None:
    lookup = Lookup(key_of(IDS[0]), IDS[0])
    lookup.start([contact(IDS[1])])
    fresh = iter(IDS[2:] + [named_identity(f"more {n}").peer_id for n in range(500)])
    rounds = 0
    while asked := lookup.next():
        rounds += len(asked)
        for peer_id in asked:
            lookup.answer(peer_id, [contact(next(fresh)) for _ in range(3)])
    assert rounds <= kademlia.ASKED_MAX + kademlia.ALPHA


def test_messages_round_trip_and_match_the_wire() -> None:
    raw = base58.decode(IDS[0])
    question = encode(FindNode(raw))
    assert question == b"\x08\x04\x12" + bytes([len(raw)]) + raw
    answer = FindNode(raw, (contact(IDS[1]), Contact(IDS[2])))
    assert decode(encode(answer)) == answer


@given(st.binary(max_size=300))
def test_any_bytes_decode_or_are_refused(data: bytes) -> None:
    message = decode(data)
    assert message is None or len(message.contacts) <= kademlia.CONTACTS_MAX


@pytest.mark.parametrize(
    "text",
    [
        "/ip4/127.0.0.1/tcp/7777",
        "/ip4/10.1.2.3/tcp/1/ws",
        "/ip6/::1/tcp/65535",
        "/dns4/peer.example/tcp/443/wss",
        f"/ip4/1.2.3.4/tcp/5/p2p/{IDS[0]}",
    ],
)
def test_multiaddresses(text: str) -> None:
    data = multiaddr.to_bytes(text)
    assert data is not None
    assert multiaddr.to_text(data) == text


@pytest.mark.parametrize("text", ["", "/", "ip4/1.2.3.4", "/ip4/1.2.3.400", "/tcp/70000", "/quic", "/ip4", "/p2p/0"])
def test_bad_multiaddresses(text: str) -> None:
    assert multiaddr.to_bytes(text) is None


@given(st.binary(max_size=100))
def test_any_bytes_are_an_address_or_not(data: bytes) -> None:
    text = multiaddr.to_text(data)
    assert text is None or multiaddr.to_bytes(text) is not None
