"""What happens to a peer: the input of `PeerCore.receive`.

Made by: the shell (`runtime.peer`) and the simulator. Errors: none; the values are plain data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from avm.outcome import CallResult, Outcome
    from runtime.core.particle import Particle
    from runtime.protocol.identity import Identity


class ActorKey(NamedTuple):
    """One particle in one scope: the peer id of the host or of a worker, and the particle's signature."""

    scope: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Arrived:
    """A particle came from the network, or was made on this peer."""

    particle: Particle


@dataclass(frozen=True, slots=True)
class Ran:
    """The interpreter finished the run that a `Run` action asked for."""

    key: ActorKey
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The interpreter could not be run at all: a trap, a dead worker process. `message` is for the log."""

    key: ActorKey
    message: str


@dataclass(frozen=True, slots=True)
class Called:
    """A service call that a `Call` action asked for is over."""

    key: ActorKey
    call_id: int
    result: CallResult


@dataclass(frozen=True, slots=True)
class Tick:
    """The time of the last `SetTimer` action has come; harmless at any other time."""


@dataclass(frozen=True, slots=True)
class ScopeSet:
    """A worker was created, activated or deactivated."""

    identity: Identity
    active: bool = True


@dataclass(frozen=True, slots=True)
class ScopeRemoved:
    """A worker was removed; its particles end here."""

    peer_id: str


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Who made the particle wants nothing of it any more: it ends here, and what comes back of it is ignored."""

    key: ActorKey


Event = Arrived | Ran | RunFailed | Called | Tick | ScopeSet | ScopeRemoved | GivenUp
