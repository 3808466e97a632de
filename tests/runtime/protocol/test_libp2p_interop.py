"""Our connections and those of py-libp2p as it comes: tcp and websockets, either side dialling, noise, yamux, identify and ping.

Also the other way of using py-libp2p: a host of it on our connections, with its own client of a protocol.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

pytest.importorskip("libp2p", reason="libp2p is not installed: pip install 'aquac[p2p]'")

import multiaddr
import trio.lowlevel
from libp2p import create_yamux_muxer_option, new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_x25519
from libp2p.host.ping import PingService
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport

from runtime.protocol.codec import frame
from runtime.protocol.identity import named_identity
from runtime.protocol.libp2p_host import PARTICLE_PROTOCOL
from tests.runtime.protocol.test_libp2p_host import host, run

pytestmark = [pytest.mark.p2p, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Theirs:
    """A host of py-libp2p with its own transports, security and muxer. It takes one message of each particle stream."""

    def __init__(self, libp2p: Any, addresses: list[str]) -> None:
        self.libp2p = libp2p
        self.addresses = addresses
        self.peer_id = str(libp2p.get_id())
        self.send, self.messages = trio.open_memory_channel[bytes](100)

    async def take(self, stream: Any) -> None:
        data = b""
        try:
            while piece := await stream.read(65_536):
                data += piece
        except Exception:  # noqa: BLE001 - its end of a stream is one of several exceptions
            pass
        await self.send.send(data)
        await stream.close()


@asynccontextmanager
async def stock(name: str, *listen: str) -> AsyncIterator[Theirs]:
    keys = create_new_key_pair(named_identity(name).seed)
    places = [multiaddr.Multiaddr(text) for text in listen]
    made = new_host(
        key_pair=keys,
        sec_opt={NOISE: Transport(keys, noise_privkey=create_x25519().private_key)},
        muxer_opt=create_yamux_muxer_option(),
        listen_addrs=places or None,
        enable_websocket=True,
    )
    async with made.run(listen_addrs=places):
        theirs = Theirs(made, [str(a) for a in made.get_addrs()])
        made.set_stream_handler(PARTICLE_PROTOCOL, theirs.take)
        yield theirs


@pytest.mark.parametrize("transport", ["", "/ws"])
def test_it_dials_us(transport: str) -> None:
    async def body() -> None:
        async with host("a", f"/ip4/127.0.0.1/tcp/0{transport}") as (a, to_a), stock("them") as theirs:
            await theirs.libp2p.connect(info_from_p2p_addr(multiaddr.Multiaddr(a.addresses[0])))
            for size in (1, 300_000):
                stream = await theirs.libp2p.new_stream(ID.from_base58(a.peer_id), [PARTICLE_PROTOCOL])
                await stream.write(frame(bytes(size)))
                await stream.close()
                sender, message = await to_a.messages.receive()
                assert (sender, message) == (theirs.peer_id, bytes(size))
            for size in (1, 300_000):
                await a.send(theirs.peer_id, bytes(size))
                assert await theirs.messages.receive() == frame(bytes(size))
            rtts = await PingService(theirs.libp2p).ping(ID.from_base58(a.peer_id), 3)
            assert len(rtts) == 3

    run(body)


@pytest.mark.parametrize("transport", ["", "/ws"])
def test_we_dial_it(transport: str) -> None:
    async def body() -> None:
        async with stock("them", f"/ip4/127.0.0.1/tcp/0{transport}") as theirs, host("b") as (b, to_b):
            assert await b.dial(theirs.addresses[0]) == theirs.peer_id
            while b._links[b._running.newest(theirs.peer_id)].identified is None:
                await trio.lowlevel.checkpoint()
            for size in (1, 300_000):
                await b.send(theirs.peer_id, bytes(size))
                assert await theirs.messages.receive() == frame(bytes(size)), (
                    "one message a stream: it is no known reader of many"
                )
            stream = await theirs.libp2p.new_stream(ID.from_base58(b.peer_id), [PARTICLE_PROTOCOL])
            await stream.write(frame(b"back"))
            await stream.close()
            assert await to_b.messages.receive() == (theirs.peer_id, b"back")

    run(body)


def test_it_learns_who_we_are() -> None:
    """Row 11: the names in identify are ours; the addresses end without our id and can be dialled."""

    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, _), stock("them") as theirs:
            await theirs.libp2p.connect(info_from_p2p_addr(multiaddr.Multiaddr(a.addresses[0])))
            peer, store = ID.from_base58(a.peer_id), theirs.libp2p.get_peerstore()
            while not theirs.libp2p._identified_peers:
                await trio.lowlevel.checkpoint()
            assert PARTICLE_PROTOCOL in store.get_protocols(peer)
            assert "/ipfs/ping/1.0.0" in store.get_protocols(peer)
            port = a.addresses[0].split("/")[4]
            assert any(f"/tcp/{port}" in str(address) for address in store.addrs(peer))

    run(body)


def test_a_protocol_of_py_libp2p_over_our_connections() -> None:
    """Its host on our network service: opens streams, agrees on protocols and pings by its own code."""

    async def body() -> None:
        async with host("a", "/ip4/127.0.0.1/tcp/0") as (a, _), host("b") as (b, _inbox):
            await b.dial(a.addresses[0])
            libp2p = b._host
            assert libp2p is not None
            assert [str(peer) for peer in libp2p.get_connected_peers()] == [a.peer_id]
            assert len(await PingService(libp2p).ping(ID.from_base58(a.peer_id), 2)) == 2
            with pytest.raises(Exception, match="not connected"):
                await libp2p.new_stream(ID.from_base58(named_identity("c").peer_id), ["/a"])
            await libp2p.disconnect(ID.from_base58(a.peer_id))
            while b.peers():
                await trio.lowlevel.checkpoint()

    run(body)
