"""Every bound of the wire: what one connection, one stranger and all of them may make a peer hold or do.

Tests: `tests/runtime/protocol/wire/`, `test_connections.py`, `test_libp2p_host.py`, and `tests/fuzz/peer_frames.py`.
Bounds of messages and particles are in `runtime.core.limits`.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1 << 10
MIB: Final = 1 << 20

# ── layers ───────────────────────────────────────────────────────────────────────────────────────────────────────────

LINE_BYTES_MAX: Final = KIB
"""One line of multistream-select; names of protocols have fewer than a hundred."""

PROPOSALS_MAX: Final = 16
"""Protocols one side may propose in one negotiation before it is ended."""

HTTP_BYTES_MAX: Final = 8 * KIB
"""Head of the request or answer that opens a websocket."""

WEBSOCKET_FRAME_BYTES_MAX: Final = 16 * MIB
"""Announced length of a websocket frame. Frames are passed on in pieces, so this bounds nothing that is held."""

WEBSOCKET_WRITE_BYTES: Final = 512 * KIB
"""Longest websocket frame we send: receivers limit messages to a megabyte."""

HANDSHAKE_BYTES_MAX: Final = 4 * KIB
"""One handshake message of noise; keys of any kind and a signature fit."""

NOISE_BYTES_MAX: Final = 65_535
"""One transport message of noise, its tag of 16 bytes included."""

WINDOW_BYTES: Final = 256 * KIB
"""What the other side may send on one stream before we have taken it; fixed by yamux at the start of a stream."""

WINDOW_BYTES_MAX: Final = 1 << 31
"""Largest window another side may grant us; an honest one stays at 16 MiB."""

DATA_FRAME_BYTES: Final = 64 * KIB
"""Longest data frame we send: js-client's own size, and what others wait for at most while it is written."""

# ── one connection ───────────────────────────────────────────────────────────────────────────────────────────────────

PARTICLE_STREAMS_MAX: Final = 1024
"""Particle streams of one connection that the other side has open, as js-client; one more is reset."""

SERVICE_STREAMS_MAX: Final = 64
"""Its streams of other protocols, those still being negotiated among them; one more is reset."""

STREAMS_REFUSED_MAX: Final = 4096
"""Streams reset for being too many after which the connection is closed: an honest sender waits for answers."""

OUTPUT_BYTES_HIGH: Final = 256 * KIB
"""Bytes ready for one socket above which its streams wait; and above which we stop reading what would be answered."""

STALL_SECONDS: Final = 30.0
"""A connection whose other side takes nothing of what we have to write is closed after this."""

STREAM_IDLE_SECONDS: Final = 60.0
"""A stream in the middle of a message, half closed, or never used is reset after this silence."""

PING_SECONDS: Final = 30.0
"""A connection is asked for a sign of life after this silence, and closed after as much again without one."""

HANDSHAKE_SECONDS: Final = 20.0
"""From the socket to the first stream, as the reference; also how long dialling may take."""

IDENTIFY_SECONDS: Final = 10.0
"""How long the other side may take to say who it is."""

IDENTIFY_BYTES_MAX: Final = 16 * KIB
"""An identify message; js-client refuses more than 8 KiB."""

IDENTIFY_PROTOCOLS_MAX: Final = 256
"""Protocols read of one identify message."""

AGENT_CHARS_MAX: Final = 128
"""How much of another implementation's name is kept."""

# ── all connections ──────────────────────────────────────────────────────────────────────────────────────────────────

CONNECTIONS_MAX: Final = 4096
"""Connections of a peer. A further one is refused, unless its address has fewer than the one that has most: then that one loses one."""

CONNECTIONS_PER_PEER_MAX: Final = 5
"""Connections of one peer id, as the reference; a further one takes the place of the oldest."""

HANDSHAKES_MAX: Final = 512
"""Inbound connections not yet open; a further one takes the place of the oldest of the address that has most."""

LISTEN_BACKLOG: Final = 1024
"""Connections the operating system keeps for us."""

ACCEPT_PAUSE_SECONDS: Final = 0.1
"""How long nothing is accepted after the operating system had no descriptor or memory for a connection."""
