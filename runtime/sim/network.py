"""A simulated network for programs of one's own: compile, stub services, call, look at what was called.

`SimNetwork` stands behind the pytest fixture `aqua_net` and `avm sim run app.aqua`. Hosts are called `relay`, `peer1`, …, the caller
`client`. Virtual time passes only while a call runs.
Errors: `AquaError` for a call without a result, `SimulationFailed` when a check fails; compiling raises `CommandError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from runtime.core.limits import TTL_MAX_MS
from runtime.services.registry import ServiceError

from .faults import parse_kinds
from .plan import ALWAYS, PEERS_MAX, PERHAPS, PROGRAM, START_MS, ParticleSpec, Plan
from .workloads import SPAN_MS, peer_id, peers_of
from .world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runtime.core.actions import Call
    from runtime.program import Program
    from runtime.services.registry import CallContext, Handler
    from runtime.vm import Interpreter

    from .node import Node
    from .world import Failure, Report

TTL_MS: Final = 60_000
"""Life of a particle, unless a call says otherwise; virtual milliseconds."""


class AquaError(Exception):
    """A call has no result.

    value: what the program passed on, usually an object with `error_code`, `message`, `peer_id`; None where it never answered.
    """

    def __init__(self, message: str, value: Any = None, *, expired: bool = False) -> None:
        """Keep them. expired: nothing was reported, its time ran out."""
        super().__init__(message)
        self.value = value
        self.expired = expired


class SimulationFailed(AssertionError):
    """A check of the simulation failed: a bug of a peer, not of the program."""

    def __init__(self, failure: Failure, seed: int, last: Sequence[str] = ()) -> None:
        """Make the text."""
        where = f"seed {seed}, event {failure.event}, at {failure.at_ms} ms"
        peers = f", on {', '.join(failure.peers)}" if failure.peers else ""
        particle = "" if failure.particle is None else f", particle {failure.particle}"
        super().__init__("\n".join((f"{failure.check}: {failure.message} ({where}{peers}{particle})", *last)))
        self.failure = failure


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """A call that a peer made. peer: its name. arguments: as the service got them, JSON values."""

    peer: str
    service: str
    function: str
    arguments: list[Any]
    at_ms: int


@dataclass(slots=True)
class Stub:
    """A service put in place of a real one. `calls` are those it has answered, in order."""

    service: str
    peer: str
    calls: list[ServiceCall] = field(default_factory=list)

    def arguments_of(self, function: str) -> list[list[Any]]:
        """Arguments of every call of one function."""
        return [call.arguments for call in self.calls if call.function == function]


class SimNetwork:
    """A network of one relay, `peers` further hosts and one client of the relay."""

    def __init__(
        self,
        *,
        peers: int = 0,
        seed: int = 0,
        faults: str = "none",
        interpreter: Interpreter | None = None,
        trace: Callable[[str], None] | None = None,
    ) -> None:
        """faults: as `avm sim run --faults`. interpreter: an `Avm` of its own by default. Raises ValueError."""
        if interpreter is None:
            from avm import Avm

            interpreter = Avm()
        if not 0 <= peers <= PEERS_MAX - 2:
            raise ValueError(f"peers={peers}: expected 0 to {PEERS_MAX - 2}")
        self.seed = seed
        plan = Plan(seed, peers_of(1 + peers, 1), (), kinds=parse_kinds(faults), span_ms=SPAN_MS)
        self.world = World(plan, interpreter, trace=trace)
        self.world.on_call.append(self._note)
        self.calls: list[ServiceCall] = []
        self.reports: list[Report] = []
        self._stubs: dict[tuple[int, str], Stub] = {}
        self._methods: dict[tuple[int, str], Mapping[str, Any]] = {}
        self._arrows: dict[tuple[str, str], Any] = {}
        self._next = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all peers."""
        return tuple(node.spec.name for node in self.world.nodes)

    @property
    def peer_ids(self) -> dict[str, str]:
        """Peer id by name."""
        return {name: peer_id(name) for name in self.names}

    def variables(self) -> dict[str, Any]:
        """What the text of a call may name: every peer's id, and `peers`, those of the further hosts."""
        further = [name for name in self.names if name.startswith("peer")]
        return {**self.peer_ids, "peers": [peer_id(name) for name in further]}

    def stub(self, service: str, functions: Mapping[str, Any], *, peer: str = "client") -> Stub:
        """Answer a service of one peer, by its id or by the name its declaration has.

        functions: by name a value, which is the answer, or a callable of the arguments. Values are converted by the declared types
        (None for an empty option). A callable that raises fails the call.
        """
        node = self._node(peer)
        stub = self._stubs[node.number, service] = Stub(service, peer)
        self._methods[node.number, service] = functions
        node.serve(service, {name: self._handler(service, name, answer) for name, answer in functions.items()})
        return stub

    def serve(self, service: str, handlers: dict[str, Handler], *, peer: str = "client") -> None:
        """Answer a service with handlers as `runtime.services` has them."""
        self._node(peer).serve(service, handlers)

    def _node(self, name: str) -> Node:
        for node in self.world.nodes:
            if node.spec.name == name:
                return node
        raise ValueError(f"there is no peer `{name}`; there are {', '.join(self.names)}")

    def _handler(self, service: str, name: str, answer: Any) -> Handler:
        def handler(values: list[Any], _: CallContext) -> Any:
            from runtime.conversion import arguments_of, from_aqua, result_to_aqua

            arrow = self._arrows.get((service, name))
            arguments = list(values)
            if arrow is not None:
                declared = arguments_of(arrow["domain"])
                if len(declared) != len(values):
                    raise ServiceError(f"{service}.{name} takes {len(declared)} arguments, got {len(values)}")
                arguments = [
                    from_aqua(value, kind, f"{name}, argument `{label}`")
                    for value, (label, kind) in zip(values, declared, strict=True)
                ]
            result = answer(*arguments) if callable(answer) else answer
            return result if arrow is None else result_to_aqua(result, arrow["codomain"], f"{name}, result")

        return handler

    def _note(self, node: Node, call: Call) -> None:
        request = call.request
        noted = ServiceCall(
            node.spec.name,
            request.service_id,
            request.function_name,
            request.arguments,
            self.world.now_ms - START_MS,
        )
        self.calls.append(noted)
        stub = self._stubs.get((node.number, request.service_id))
        if stub is not None:
            stub.calls.append(noted)

    def calls_of(self, service: str, function: str | None = None, *, peer: str | None = None) -> list[ServiceCall]:
        """Calls made so far: of a service, of one of its functions, on one peer."""
        return [
            call
            for call in self.calls
            if call.service == service
            and (function is None or call.function == function)
            and (peer is None or call.peer == peer)
        ]

    # Calls

    def call(self, path: str, text: str, *, ttl_ms: int = TTL_MS, **variables: Any) -> Any:
        """Compile a file and call one of its functions: `net.call("app.aqua", "greet(name)", name="ann")`.

        text: as `avm run -f` takes it; it may name peers, `peers` and the variables. Raises CommandError for what cannot be compiled or
        called, AquaError when there is no result, SimulationFailed.
        """
        from runtime.call_text import parse_call
        from runtime.program import CompileSettings, load_program

        named = {**self.variables(), **variables}
        call = parse_call(text, named)
        program = load_program(path, call.name, CompileSettings(quiet=True))
        arguments, wanted = program.bind(call, named)
        if wanted:
            raise ValueError("a simulated call takes no functions as arguments")
        return program.result(self.send(program, arguments, ttl_ms=ttl_ms))

    def send(
        self,
        program: Program,
        arguments: Mapping[str, Any],
        *,
        ttl_ms: int = TTL_MS,
        handlers: Mapping[tuple[str, str], Handler] | None = None,
    ) -> list[Any]:
        """Run a compiled program from the client until it answers; the values it answers with. Raises AquaError, SimulationFailed."""
        self._declare(program)
        number = self.start(program.script, arguments, ttl_ms=ttl_ms, handlers=handlers)
        answers = self.world.answers.setdefault(number, [])
        if program.answers:
            self._run(lambda: bool(answers))
        else:
            self._run(None)
            return []
        return self.values_of(number)

    def start(
        self,
        script: str,
        arguments: Mapping[str, Any],
        *,
        ttl_ms: int = TTL_MS,
        at_ms: int = 0,
        handlers: Mapping[tuple[str, str], Handler] | None = None,
    ) -> int:
        """Let the client start a script; nothing happens before the next call or `rest`. The number of the particle.

        Raises ValueError for a time to live that no particle can have.
        """
        if not 0 < ttl_ms <= TTL_MAX_MS:
            raise ValueError(f"ttl_ms={ttl_ms}: expected 1 to {TTL_MAX_MS}")
        number = self._next
        self._next += 1
        author = self._node("client").number
        merges = PERHAPS if "(fold " in script or "rror" in script else ALWAYS
        self.world.submit(ParticleSpec(number, author, at_ms, ttl_ms, PROGRAM, script, merges, arguments), handlers)
        return number

    def values_of(self, number: int) -> list[Any]:
        """What a particle has answered. Raises AquaError."""
        answers = self.world.answers.get(number, [])
        if answers and answers[0][0] == "value":
            values: list[Any] = answers[0][1]
            return values
        if answers:
            value = answers[0][1]
            message = value.get("message") if isinstance(value, dict) else value
            raise AquaError(str(message), value)
        for peer, particle, failed in reversed(self.world.failures):
            if particle == number:
                name = self.world.nodes[peer].spec.name
                raise AquaError(f"nobody handled an error on {name}: {failed.message}", expired=True)
        raise AquaError("it came to rest without an answer", expired=True)

    def rest(self) -> Report:
        """Let everything come to rest, and check all that must hold then. Raises SimulationFailed."""
        return self._run(None)

    def _run(self, until: Callable[[], bool] | None) -> Report:
        report = self.world.run(until)
        self.reports.append(report)
        if report.failure is not None:
            raise SimulationFailed(report.failure, self.seed, report.last)
        return report

    def _declare(self, program: Program) -> None:
        """Learn the types of services, and under which ids the program asks for those that were stubbed by name."""
        for declaration in program.declarations:
            ids = {declaration.name, declaration.default_id or declaration.name}
            for service_id in ids:
                for name, arrow in declaration.functions.items():
                    self._arrows[service_id, name] = arrow
            default_id = declaration.default_id
            for (number, name), methods in list(self._methods.items()):
                if name == declaration.name and default_id is not None and default_id != name:
                    stub = self._stubs[number, name]
                    self._stubs[number, default_id] = stub
                    node = self.world.nodes[number]
                    node.serve(default_id, {key: self._handler(name, key, answer) for key, answer in methods.items()})
                    del self._methods[number, name]
