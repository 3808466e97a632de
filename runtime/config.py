"""Settings of a peer, with the defaults and the time-outs of the shell.

Source: nox:crates/server-config/src/defaults.rs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runtime.core.limits import AvmLimits, CoreLimits

if TYPE_CHECKING:
    from runtime.protocol.identity import Identity

SEND_TIMEOUT_S: Final = 20.0
"""One particle to one target, look-up and dialling included; twice the reference's upgrade time-out."""

BOOTSTRAP_RETRY_STEP_S: Final = 5.0
"""Each failed attempt at a bootstrap address waits this much longer than the one before."""

BOOTSTRAP_RETRY_MAX_S: Final = 60.0
"""Longest wait between two attempts at a bootstrap address."""

LOCAL_PEERS_MAX: Final = 1000
"""Further peers of one in-process network."""


@dataclass(frozen=True, slots=True)
class PeerConfig:
    """Everything about a peer that is not a collaborator.

    listen, bootstrap: multiaddrs; those of the peer itself are left out of `bootstrap`, since all peers of a network may have one list.
    management: peer ids with administrator rights, beside the host itself.
    """

    identity: Identity
    listen: tuple[str, ...] = ()
    bootstrap: tuple[str, ...] = ()
    management: frozenset[str] = frozenset()
    limits: CoreLimits = field(default_factory=CoreLimits)
    avm_limits: AvmLimits = field(default_factory=AvmLimits)
    send_timeout_s: float = SEND_TIMEOUT_S

    def __post_init__(self) -> None:
        """Leave out the peer itself."""
        own = f"/p2p/{self.identity.peer_id}"
        others = tuple(address for address in self.bootstrap if not address.endswith(own))
        object.__setattr__(self, "bootstrap", others)
