"""`kad`: answers from the routing table, and the error texts of bad keys."""

from __future__ import annotations

import hashlib

import pytest

from avm.crypto import base58
from runtime.core.kademlia import key_of
from runtime.inprocess import Fabric
from runtime.kademlia import Kademlia, protocol_name
from runtime.network import Contact
from runtime.protocol.identity import named_identity
from runtime.services.kad import KEY_CHARS_MAX, KadService, merge
from runtime.services.registry import ServiceError

IDS = [named_identity(f"kad {number}").peer_id for number in range(40)]


class Clock:
    now = 0

    def now_ms(self) -> int:
        return self.now

    async def sleep_until_ms(self, at_ms: int) -> None:
        raise AssertionError


@pytest.fixture
def service() -> KadService:
    network = Fabric().endpoint(IDS[0])
    kademlia = Kademlia(network, Clock())
    for peer_id in IDS[1:]:
        kademlia.identified(Contact(peer_id, ("/ip4/1.2.3.4/tcp/5",)), [protocol_name()])
    kademlia.identified(Contact(named_identity("other").peer_id), ["/fluence/kad/stage/1.0.0"])
    return KadService(kademlia, network)


def call(handler, *values):
    return handler(list(values), None)


def test_neighborhood_is_sorted_and_counted(service: KadService) -> None:
    raw = base58.decode(IDS[3])
    target = int.from_bytes(hashlib.sha256(raw).digest(), "big")
    near = call(service.neighborhood, IDS[3], [True], [5])
    assert near == sorted(IDS[1:], key=lambda p: key_of(p) ^ target)[:5]
    assert near[0] == IDS[3]
    assert len(call(service.neighborhood, IDS[3])) == 20
    text_key = int.from_bytes(hashlib.sha256(bytes((0x12, len(raw))) + raw).digest(), "big")
    assert call(service.neighborhood, IDS[3], False, 3) == sorted(IDS[1:], key=lambda p: key_of(p) ^ text_key)[:3]
    assert call(service.neigh_with_addrs, IDS[3], True, 1) == [{"peer_id": IDS[3], "addresses": []}]


def test_merge_orders_by_distance_and_drops_repetitions() -> None:
    left, right = IDS[1:6], IDS[3:9]
    wanted = sorted(set(left) | set(right), key=lambda p: key_of(p) ^ key_of(IDS[4]))
    assert call(merge, IDS[4], left, right) == wanted
    assert call(merge, IDS[4], left, right, [2]) == wanted[:2]
    assert wanted[0] == IDS[4]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "Field 'key' is missing from args to call_service"),
        ([1], "Error deserializing field 'key': expected String, got 1"),
        (["0"], "Error while deserializing field 'key': not a base58: "),
        (["0", 1], "Error while deserializing field 'key': not a base58: "),
        ([base58.encode(bytes(65))], "Invalid multihash size"),
        ([base58.encode(b"\x12\x20short"), True], "Invalid multihash"),
        (["1" * 65], "Invalid multihash size"),
        (["z" * 2_000_000], "Invalid multihash size"),
        ([base58.encode(b"\x12\x40") + "z" * 2_000_000, True], "Invalid multihash"),
        (["z" * 2_000_000 + "0"], "Error while deserializing field 'key': not a base58: "),
        ([IDS[0], True, "many"], "Error deserializing field 'count': expected Option<usize>, got \"many\""),
    ],
)
def test_bad_arguments(service: KadService, values: list[object], text: str) -> None:
    with pytest.raises(ServiceError) as caught:
        call(service.neighborhood, *values)
    assert caught.value.value.startswith(f"Error: {text}")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "Field 'target' is missing from args to call_service"),
        ([IDS[0], 1], "Error deserializing field 'left': expected Vec<String>, got 1"),
        ([IDS[0], []], "Field 'right' is missing from args to call_service"),
        (["0", 1], "Error deserializing field 'left': expected Vec<String>, got 1"),
        (["0", [], []], "decode base58 failed: provided string contained invalid character '0' at byte 0"),
        (
            [IDS[0], [IDS[1], "0"], []],
            "decode base58 failed: provided string contained invalid character '0' at byte 0",
        ),
        ([IDS[0], [], ["l"]], "decode base58 failed: provided string contained invalid character 'l' at byte 0"),
    ],
)
def test_bad_arguments_of_merge(values: list[object], text: str) -> None:
    with pytest.raises(ServiceError) as caught:
        call(merge, *values)
    assert caught.value.value == f"Error: {text}\n{text}"


def test_keys_to_merge_are_bounded() -> None:
    """Their decoding takes time quadratic in the length, on the event loop: two million characters would take a quarter of an hour."""
    longest = "z" * KEY_CHARS_MAX
    assert call(merge, longest, [longest], ["1" * KEY_CHARS_MAX, longest]) == [longest, "1" * KEY_CHARS_MAX]
    for values in ((longest + "z", [], []), ("z", ["z" * 2_000_000], []), ("z", [], [longest + "z"])):
        with pytest.raises(
            ServiceError, match=f"^keys and peer ids have up to {KEY_CHARS_MAX} characters of base58, got "
        ):
            call(merge, *values)
