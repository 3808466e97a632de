"""A simulation as data: peers, particles, what goes wrong. A plan and its seed say everything; running one twice gives the same history.

Made by: `workloads` (from a seed), `minimise` (smaller ones), a reproducer file. Read by: `world`.
Errors: PlanError naming the field.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

from runtime.core.limits import TTL_MAX_MS, CoreLimits

from .faults import ALL, NUMBER_MAX, Fault, check_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1

START_MS: Final = 1_700_000_000_000
"""Virtual time at which every simulation begins, ms since the epoch."""

PEERS_MAX: Final = 64
"""Peers of one simulation, clients included: sides of a partition are drawn from 64 bits."""

PARTICLES_MAX: Final = 100_000

MARKS: Final = "marks"
WILD: Final = "wild"
PROGRAM: Final = "program"
KINDS: Final = (MARKS, WILD, PROGRAM)

ALWAYS: Final = "always"
ALIKE: Final = "alike"
PERHAPS: Final = "perhaps"
MERGES: Final = (ALWAYS, ALIKE, PERHAPS)
"""Whether data of a script fit together: always; if not, both orders of merging fail alike; or nothing is promised, see `air_scripts`."""


class PlanError(ValueError):
    """A document is not a plan."""


@dataclass(frozen=True, slots=True)
class PeerSpec:
    """A peer. relay: number of the host a client is connected to; None for a host. durable: its store survives a crash."""

    name: str
    relay: int | None = None
    durable: bool = True


@dataclass(frozen=True, slots=True)
class ParticleSpec:
    """A particle. `number` names it for good; author: number of a peer; at_ms: after the start.

    kind: `marks` (calls in sequence and in parallel, each with arguments of its own, ending in one call of `probe.end`), `wild`
    (any instructions), `program` (compiled; answers `callbackSrv.response` or `errorHandlingSrv.error`). merges: one of `MERGES`.
    arguments: of a program. accepted: what a program may answer, None for anything or nothing: results as `["value", [values]]`,
    errors as `["error"]`, the end of `marks` as `["end"]`. stubs: what services of the author answer, by `service.function`.
    """

    number: int
    author: int
    at_ms: int
    ttl_ms: int
    kind: str
    script: str
    merges: str = PERHAPS
    arguments: Mapping[str, Any] = field(default_factory=dict)
    accepted: list[list[Any]] | None = None
    stubs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A simulation.

    limits: fields of CoreLimits that differ from the default, for hosts and clients alike. kinds: faults to draw from the seed.
    faults: instead of that, exactly these. bug: name of a planted one, see `planted`. span_ms: particles, cuts and crashes begin within.
    """

    seed: int
    peers: tuple[PeerSpec, ...]
    particles: tuple[ParticleSpec, ...]
    kinds: frozenset[str] = ALL
    faults: tuple[Fault, ...] | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    span_ms: int = 10_000
    bug: str | None = None

    def with_faults(self, faults: tuple[Fault, ...]) -> Plan:
        """The same with a list of faults."""
        return replace(self, faults=faults)

    def with_particles(self, particles: tuple[ParticleSpec, ...]) -> Plan:
        """The same with other particles."""
        return replace(self, particles=particles)

    def core_limits(self) -> CoreLimits:
        """Bounds of each peer."""
        return CoreLimits(**self.limits)

    def to_json(self) -> dict[str, Any]:
        """The document, see `docs/schemas/avm-sim-reproducer.schema.json`."""
        return {
            "seed": self.seed,
            "peers": [asdict(peer) for peer in self.peers],
            "particles": [asdict(particle) for particle in self.particles],
            "kinds": sorted(self.kinds),
            "faults": None if self.faults is None else [list(fault) for fault in self.faults],
            "limits": dict(self.limits),
            "span_ms": self.span_ms,
            "bug": self.bug,
        }


def plan_from_json(document: Any) -> Plan:
    """The plan in a document. Raises PlanError."""
    if not isinstance(document, dict):
        raise PlanError("a plan is an object")
    try:
        peers = tuple(_made(PeerSpec, item, f"peers[{n}]") for n, item in enumerate(document["peers"]))
        particles = tuple(_made(ParticleSpec, item, f"particles[{n}]") for n, item in enumerate(document["particles"]))
        listed = document["faults"]
        faults = None if listed is None else tuple(_tuple(fault) for fault in listed)
        plan = Plan(
            seed=_integer(document["seed"], "seed"),
            peers=peers,
            particles=particles,
            kinds=frozenset(document["kinds"]),
            faults=faults,
            limits=dict(document["limits"]),
            span_ms=_integer(document["span_ms"], "span_ms"),
            bug=document["bug"],
        )
        _check(plan)
    except PlanError:
        raise
    except KeyError as error:
        raise PlanError(f"no field {error}") from error
    except (TypeError, ValueError) as error:
        raise PlanError(str(error)) from error
    return plan


def _tuple(fault: Any) -> Fault:
    if not isinstance(fault, list):
        raise PlanError(f"faults: {fault!r} is not a list")
    found = tuple(tuple(item) if isinstance(item, list) else item for item in fault)
    check_fault(found)
    return found


def _made(kind: type, item: Any, where: str) -> Any:
    if not isinstance(item, dict):
        raise PlanError(f"{where} is not an object")
    known = {one.name for one in fields(kind)}
    for name in item:
        if name not in known:
            raise PlanError(f"{where} has no field `{name}`")
    try:
        return kind(**item)
    except TypeError as error:
        raise PlanError(f"{where}: {error}") from error


def _integer(value: Any, where: str) -> int:
    if type(value) is not int:
        raise PlanError(f"{where} is not an integer: {value!r}")
    return value


def _check(plan: Plan) -> None:
    """Raise PlanError for references to what is not there."""
    count = len(plan.peers)
    if not 0 < count <= PEERS_MAX:
        raise PlanError(f"a simulation has 1 to {PEERS_MAX} peers, not {count}")
    if len({peer.name for peer in plan.peers}) != count:
        raise PlanError("two peers have the same name")
    for peer in plan.peers:
        if not isinstance(peer.name, str):
            raise PlanError(f"peer {peer.name!r}: a name is a text")
        if peer.relay is not None and not (0 <= peer.relay < count and plan.peers[peer.relay].relay is None):
            raise PlanError(f"peer {peer.name}: relay {peer.relay} is no host")
    for particle in plan.particles:
        if not 0 <= _integer(particle.author, "author") < count:
            raise PlanError(f"particle {particle.number}: there is no peer {particle.author}")
        if particle.kind not in KINDS:
            raise PlanError(f"particle {particle.number}: unknown kind {particle.kind!r}")
        if particle.merges not in MERGES:
            raise PlanError(f"particle {particle.number}: unknown way of merging {particle.merges!r}")
        for name, most in (("number", NUMBER_MAX), ("at_ms", NUMBER_MAX), ("ttl_ms", TTL_MAX_MS)):
            value = _integer(getattr(particle, name), name)
            if value < 0:
                raise PlanError(f"particle {particle.number}: {name} is below 0")
            if value > most:
                raise PlanError(f"particle {particle.number}: {name} is above {most}")
    if len({particle.number for particle in plan.particles}) != len(plan.particles):
        raise PlanError("two particles have the same number")
    unknown = set(plan.limits) - {one.name for one in fields(CoreLimits)}
    if unknown:
        raise PlanError(f"there is no limit `{min(unknown)}`")
    if plan.bug is not None:
        from .planted import BUGS

        if plan.bug not in BUGS:
            raise PlanError(f"there is no planted bug `{plan.bug}`")
    if plan.kinds - ALL:
        raise PlanError(f"`{min(plan.kinds - ALL)}` is no kind of fault")
