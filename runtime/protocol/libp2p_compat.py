"""Work-arounds for the pinned py-libp2p release: everything that touches its internals.

Each is a finding of spec peer.md §12.2 and named by its row. A new release of libp2p is adopted by reading this file.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Any, Final

from libp2p import create_yamux_muxer_option, new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_x25519
from libp2p.host import basic_host
from libp2p.identity.identify import identify
from libp2p.network.config import ConnectionConfig
from libp2p.peer.id import ID
from libp2p.protocol_muxer.exceptions import MultiselectClientError
from libp2p.rcmgr import ResourceManager
from libp2p.rcmgr.connection_limits import ConnectionLimits
from libp2p.rcmgr.manager import ResourceLimits
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as NoiseTransport

from aquac.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from libp2p.abc import IHost

CONNECTIONS_MAX: Final = 4096
"""Connections of a host; one more is refused, the others live on (row 2)."""

CONNECTIONS_PER_PEER_MAX: Final = 5
"""Connections of one peer id, as the reference."""

STREAMS_MAX: Final = 65536
"""Streams of a host."""

IDENTIFY_PROTOCOL_VERSION: Final = "/fluence/particle/2.0.0"
AGENT: Final = f"aquac/{VERSION}"
AGENT_KEY: Final = "agent"
AGENT_CHARS_MAX: Final = 128
"""How much of another implementation's name is kept."""

log = logging.getLogger("runtime.libp2p")


def make_host(
    seed: bytes, listen: Sequence[Any], external: Sequence[Any], identified: Callable[[ID, Sequence[str]], bool]
) -> IHost:
    """A host with this Ed25519 seed that offers noise and yamux only.

    `identified` is asked about every peer that told its protocols; False disconnects it.
    """
    # Row 11: both are module constants.
    identify.PROTOCOL_VERSION = IDENTIFY_PROTOCOL_VERSION
    identify.AGENT_VERSION = AGENT
    # It reports every refused dial and stream as an error with its whole state; we report failures ourselves.
    logging.getLogger("libp2p").setLevel(logging.CRITICAL)

    keys = create_new_key_pair(seed)
    noise = NoiseTransport(keys, noise_privkey=create_x25519().private_key)
    # Row 2: the defaults refuse everybody for a minute after 256 connections, prune above 300 and dial by themselves.
    resources = ResourceManager(
        connection_limits=ConnectionLimits(),
        limits=ResourceLimits(max_connections=CONNECTIONS_MAX, max_streams=STREAMS_MAX),
        enable_metrics=False,
        enable_memory_limits=False,
        enable_circuit_breaker=False,
        enable_graceful_degradation=False,
        enable_rate_limiting=False,
    )
    connections = ConnectionConfig(
        max_connections=CONNECTIONS_MAX,
        high_watermark=CONNECTIONS_MAX,
        low_watermark=0,
        min_connections=0,
        max_connections_per_peer=CONNECTIONS_PER_PEER_MAX,
    )
    host = new_host(
        key_pair=keys,
        sec_opt={NOISE: noise},  # row 1: else plaintext, secio and TLS are offered too
        muxer_opt=create_yamux_muxer_option(),  # row 3: mplex resets streams under load
        listen_addrs=listen or None,
        enable_websocket=True,
        resource_manager=resources,
        connection_config=connections,
        announce_addrs=external or None,
        disable_identify_address_discovery=True,
    )
    _watch_identify(host, identified)
    _guard_streams(host)
    _never_dial_unasked(host)
    return host


def _never_dial_unasked(host: Any) -> None:
    """Stop libp2p from dialling every address it has heard of until it has half its maximum of connections (row 2)."""

    async def stay() -> None:
        """Dial nobody."""

    host.get_network().auto_connector.maybe_connect = stay


def forget_failures(host: IHost, peer: ID) -> None:
    """Let a peer be dialled again at once: after a failure the swarm refuses to for a minute, without trying.

    Whoever dials an address on purpose has a pause of its own between attempts.
    """
    host.get_network()._negative_peer_cache.evict(str(peer))


def has_refused(error: BaseException) -> bool:
    """Whether the other side said that it does not speak a protocol: an answer too. There is no error of its own for it."""
    cause = error.__cause__
    return isinstance(cause, MultiselectClientError) and "response='na'" in str(cause)


def check_free(address: Any) -> None:
    """Raise OSError when the port of a listen address is taken.

    libp2p binds with SO_REUSEPORT, so a second peer on a port would start without an error and take some of the first
    one's connections.
    """
    host = address.value_for_protocol("ip4") if "ip4" in str(address) else address.value_for_protocol("ip6")
    port = int(address.value_for_protocol("tcp") or 0)
    if port == 0 or host is None:
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _guard_streams(host: Any) -> None:
    """Let an exception of a stream handler, libp2p's own included, end that stream: unguarded it ends the whole host."""
    handle = host._swarm_stream_handler

    async def guarded(stream: Any) -> None:
        try:
            await handle(stream)
        except Exception as error:  # noqa: BLE001 - whatever one stranger's stream provokes stays with that stream
            log.debug("a stream of %s failed: %r", stream.muxed_conn.peer_id, error)
            try:
                await stream.reset()
            except Exception as again:  # noqa: BLE001 - it is gone either way
                log.debug("resetting it failed: %r", again)

    host.get_network().set_stream_handler(guarded)


def _watch_identify(host: Any, identified: Callable[[ID, Sequence[str]], bool]) -> None:
    """Call `identified` after each identify exchange; the host has no event for it (row 5)."""
    ask = host._identify_peer

    async def ask_and_tell(peer: ID, *, reason: str) -> None:
        await ask(peer, reason=reason)
        if peer in host._identified_peers and not identified(peer, _protocols(host, peer)):
            await host.disconnect(peer)

    host._identify_peer = ask_and_tell


async def _update_and_keep_agent(peerstore: Any, peer: ID, message: Any) -> None:
    await _update(peerstore, peer, message)
    peerstore.put(peer, AGENT_KEY, str(message.agent_version)[:AGENT_CHARS_MAX])


# Row 5: the exchange keeps addresses and protocols of the other side but not who it is.
_update = basic_host.update_peerstore_from_identify
basic_host.update_peerstore_from_identify = _update_and_keep_agent


def _protocols(host: IHost, peer: ID) -> list[str]:
    return [str(p) for p in host.get_peerstore().get_protocols(peer)]


def agent_of(host: IHost, peer_id: str) -> str:
    """Implementation name a peer told in identify; empty before it did."""
    try:
        return str(host.get_peerstore().get(ID.from_base58(peer_id), AGENT_KEY) or "")
    except Exception:  # noqa: BLE001 - the peer store raises its own error for an unknown peer or key
        return ""
