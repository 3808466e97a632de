"""`peer` on a host with others around: contacts, connecting, and addresses."""

from __future__ import annotations

import trio

from avm import Avm
from avm.outcome import CallRequest
from runtime.clock import SystemClock
from runtime.config import PeerConfig
from runtime.inprocess import Fabric, address_of
from runtime.peer import Peer
from runtime.protocol.identity import named_identity
from runtime.services.host import host_services
from runtime.services.registry import CallContext, Services
from runtime.vm import InlineVm
from tests.runtime.services.hosting import HOST, MANAGEMENT, MANAGER, STRANGER, particle, run

OTHER, CLIENT, NOBODY = (named_identity(name) for name in ("other", "client", "nobody"))


def test_contacts():
    async def main():
        fabric, vm = Fabric(), InlineVm(Avm("interp"))
        network = fabric.endpoint(HOST.peer_id)
        config = PeerConfig(HOST, listen=("/memory/0",), management=MANAGEMENT)
        services = host_services(config, network, SystemClock())
        others = [
            Peer(PeerConfig(who, listen=listen), fabric.endpoint(who.peer_id), vm=vm, services=Services())
            for who, listen in ((OTHER, ("/memory/0",)), (CLIENT, ()))
        ]

        async def call(function, *args, author=STRANGER):
            context = CallContext(particle(author), HOST.peer_id, HOST.peer_id, "peer", function, [])
            result = await services.call(CallRequest("peer", function, list(args), []), context)
            assert result.ret_code == 0, result
            return result.result

        async with Peer(config, network, vm=vm, services=services), others[0], others[1]:
            address = address_of(OTHER.peer_id)
            for peer_id in (OTHER.peer_id, CLIENT.peer_id):
                assert await call("is_connected", peer_id) == "false"
                assert await call("get_contact", peer_id) == '""'
            assert await call("connect", NOBODY.peer_id, [address], author=MANAGER) == "false", "somebody else is there"
            assert await call("connect", OTHER.peer_id, [], author=MANAGER) == "true", "which makes it a contact"
            assert await call("connect", CLIENT.peer_id, author=MANAGER) == "false"
            tried = ["/memory/0/p2p/" + NOBODY.peer_id, "/memory/0"]
            assert await call("connect", OTHER.peer_id, tried, author=HOST) == "true"
            await others[1].network.dial(address_of(HOST.peer_id))
            assert await call("is_connected", CLIENT.peer_id) == await call("is_connected", OTHER.peer_id) == "true"
            wanted = f'{{"peer_id":"{OTHER.peer_id}","addresses":["{address}"]}}'
            assert await call("get_contact", OTHER.peer_id) == wanted
            assert await call("get_contact", CLIENT.peer_id) == f'{{"peer_id":"{CLIENT.peer_id}","addresses":[]}}'
            assert await call("connect", CLIENT.peer_id, ["/none"], author=HOST) == "true"

    run(main)


def test_addresses():
    async def main():
        fabric = Fabric()
        network = fabric.endpoint(HOST.peer_id)
        config = PeerConfig(HOST, listen=("/memory/0",))
        services = host_services(config, network, SystemClock())
        async with Peer(config, network, vm=InlineVm(Avm("interp")), services=services):
            context = CallContext(particle(STRANGER), HOST.peer_id, HOST.peer_id, "peer", "identify", [])
            handler = services.find(context)
            assert handler is not None
            assert handler([], context)["external_addresses"] == ["/memory/0"]

    trio.run(main)
