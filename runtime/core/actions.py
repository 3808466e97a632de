"""What a peer wants done: the output of `PeerCore.receive`.

Read by: the shell (`runtime.peer`), which performs them in order, and the simulator. Errors: none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from avm.outcome import CallRequest, CallResult, RunParameters
    from runtime.core.events import ActorKey
    from runtime.core.particle import Particle


class DropReason(Enum):
    """Why a particle went no further."""

    EXPIRED = "expired"
    BAD_SIGNATURE = "signature does not match"
    SCOPE_GONE = "scope is gone or inactive"
    MAILBOX_FULL = "mailbox is full"
    BUSY = "peer holds as much as it may"
    AUTHOR_SHARE = "author holds as much as one may"
    TOO_FAR = "timestamp is too far in the future"
    BAD_NEXT_PEER = "interpreter named a peer that is no peer id"
    NO_RELAY = "client has no relay"
    GIVEN_UP = "its author has given it up"


@dataclass(frozen=True, slots=True)
class Run:
    """Run the interpreter once and report with `Ran` or `RunFailed`. Runs of one key never overlap."""

    key: ActorKey
    script: str
    prev_data: bytes
    data: bytes
    params: RunParameters
    call_results: Mapping[int, CallResult]


@dataclass(frozen=True, slots=True)
class Call:
    """Call a service and report with `Called`. Calls are independent of each other."""

    key: ActorKey
    call_id: int
    request: CallRequest
    particle: Particle


@dataclass(frozen=True, slots=True)
class Send:
    """Send the particle to every target, independently; failures are logged and forgotten."""

    targets: tuple[str, ...]
    particle: Particle


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Send `Tick` at this time; replaces the timer set before."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Forget:
    """The particle is over in this scope: cancel its calls, delete what it left behind.

    unfinished: copies or results still waited for a run, or calls were not answered.
    """

    key: ActorKey
    particle_id: str
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """A particle went no further. For the log and the counters."""

    particle_id: str
    reason: DropReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A run ended with an error. A client tells its caller; a host logs and counts."""

    key: ActorKey
    particle: Particle
    ret_code: int
    message: str


Action = Run | Call | Send | SetTimer | Forget | Drop | Failed
