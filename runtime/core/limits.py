"""Every bound of the peer, by name, with its unit and its reason.

A stranger can make a peer hold only what these allow. Checked in `peer_core`, `codec` and `peer`; tests are in
`tests/runtime/core/test_peer_core.py`, `test_shares.py`, `tests/runtime/test_peer.py`,
`tests/runtime/protocol/test_codec.py` and `test_held.py`.
Source: nox:crates/server-config/src/defaults.rs where a line says "as the reference".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from avm.limits import AIR_SIZE_LIMIT, CALL_RESULT_SIZE_LIMIT, PARTICLE_SIZE_LIMIT

MIB: Final = 1 << 20

FRAME_BYTES_MAX: Final = 100 * MIB
"""Longest message of the particle protocol, as the reference; a longer prefix resets the stream."""

FRAME_PREFIX_BYTES_MAX: Final = 5
"""Bytes of a length prefix: five hold 2**35, far above FRAME_BYTES_MAX."""

RESULT_BYTES_MAX: Final = FRAME_BYTES_MAX
"""JSON text of one service result; a larger one could never be sent, and scripts could double it with every call."""

HELD_BYTES_PER_PEER_MAX: Final = 2 * FRAME_BYTES_MAX
"""Unfinished and undelivered messages of one peer, and as much again on their way to it."""

HELD_BYTES_MAX: Final = 5 * FRAME_BYTES_MAX
"""The same for all peers together."""

HELD_BYTES_FREE: Final = MIB
"""What holds no more than this is never refused: small messages pass while somebody sends large ones."""

PARTICLE_ID_BYTES_MAX: Final = 1024
"""UTF-8 bytes of a particle id. Ids are uuids or `spell_<uuid>_<n>`; they are kept in memory and logged."""

PEER_ID_CHARS_MAX: Final = 128
"""Characters of a peer id text: Ed25519 ids have 52. Bounds base58 decoding, which is quadratic."""

SIGNATURE_BYTES: Final = 64
"""Length of an Ed25519 signature."""

FIELDS_MAX: Final = 64
"""Keys of the MessagePack map; eight are known, others are ignored."""

U32_MAX: Final = 2**32 - 1
U64_MAX: Final = 2**64 - 1

TTL_MAX_MS: Final = U32_MAX
"""Longest life of a particle: the width of its field."""


SENDS_MAX: Final = 8192
"""Outgoing messages in flight; above it the peer takes nothing more from the network. Their bytes are bounded apart."""

SENDS_PER_TARGET_MAX: Final = 2048
"""Outgoing messages in flight to one peer; more are dropped, so that one who reads slowly cannot use up SENDS_MAX.

Far above what an honest burst leaves waiting: hundreds of answers to one client are on their way at once while its
connection is busy taking in the questions.

What this peer or its management wrote is still sent: a client may start any number of particles through its one relay.
"""

SENDS_PER_AUTHOR_MAX: Final = SENDS_MAX // 2
"""The same for the particles of one author, who could otherwise use up SENDS_MAX by naming peers that nobody reaches."""


@dataclass(frozen=True, slots=True)
class CoreLimits:
    """Bounds of one peer's state.

    runs_max: interpreter runs at once (the reference's `aquavm_pool_size`).
    backlog_max: particles waiting in all mailboxes before the network is told to wait (`particle_queue_buffer`).
    mailbox_max: particles waiting for one actor; more copies of one particle are refused.
    queued_bytes_max: data of all waiting particles.
    actors_max: particles alive at once; new ones are refused, known ones continue.
    stored_bytes_max: previous data of all actors; above it new particles are refused and known ones cannot grow.
    script_bytes_max: scripts of all actors, four bytes a character when not all of them are ASCII; above it new particles are refused.
    actor_calls_max, calls_max: service calls running for one actor, and for all; further ones wait in their actors.
    pending_calls_max: calls running and waiting; above it new particles are refused, and an outcome that asks for more
        has no effect.
    author_share: one author may hold one part in this many of `backlog_max`, `queued_bytes_max`, `actors_max`,
        `stored_bytes_max`, `script_bytes_max`, `calls_max` and `pending_calls_max`; 1 lets anybody take all.
    life_ms_max: a particle lives here for at most this long from its timestamp, whatever its ttl, and its timestamp may
        be this far ahead. None keeps every particle until its deadline, as the reference does.

    This peer and its management are not bound by `author_share` and `life_ms_max`.
    """

    runs_max: int = 2
    backlog_max: int = 128
    mailbox_max: int = 128
    queued_bytes_max: int = 256 * MIB
    actors_max: int = 32_000
    stored_bytes_max: int = 512 * MIB
    script_bytes_max: int = 512 * MIB
    actor_calls_max: int = 1024
    calls_max: int = 8192
    pending_calls_max: int = 65_536
    author_share: int = 4
    life_ms_max: int | None = 3_600_000

    def share(self, bound: int) -> int:
        """What one author may hold of `bound`; at least one."""
        return max(1, bound // self.author_share)


@dataclass(frozen=True, slots=True)
class AvmLimits:
    """Sizes handed to the interpreter, bytes. In soft mode exceeding one only sets a flag of the outcome."""

    air_size_limit: int = AIR_SIZE_LIMIT
    particle_size_limit: int = PARTICLE_SIZE_LIMIT
    call_result_size_limit: int = CALL_RESULT_SIZE_LIMIT
    hard_limit_enabled: bool = False
